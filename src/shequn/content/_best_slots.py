"""When to post: from what was posted, whom it reached and who responded to the response of each hour of the week."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np
import pendulum

from shequn.columns import EventLog
from shequn.columns.kinds import of_kinds
from shequn.content.slot_response import MOST_REACHED, Days, SlotResponse
from shequn.entities import ContentItem, EventKind
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError, message, suggest
from shequn.labels import Index
from shequn.stats._checks import instance, items_of, one_of, whole
from shequn.stats.distinct import each_once
from shequn.values import Calendar, zone_name
from shequn.values.elapsed import elapsed_us
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.labels import Label

__all__ = ["best_slots", "slot_of"]

_DAY = pendulum.duration(days=1)
_MONDAY = 72  # 1970-01-01 was a Thursday, three days after a Monday
_FRIDAY = 4


def best_slots(
    log: EventLog,
    posts: Iterable[ContentItem] | Mapping[str, dt.datetime] | Mapping[int, dt.datetime],
    /,
    *,
    tz: str | dt.tzinfo,
    within: dt.timedelta = _DAY,
    reached: int | Mapping[str, int] | Mapping[int, int] | None = None,
    kinds: Collection[str] | str = EventKind.READ.value,
    receive_kinds: Collection[str] | str = EventKind.RECEIVE.value,
    days: Days = "each",
    observed_until: dt.datetime | None = None,
    level: float = 0.95,
    clustering: float | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> SlotResponse:
    r"""Estimate what share of those reached responds, for each hour of the week in which one may post.

    Parameters
    ----------
    log : EventLog
        Who received, read and answered which item.
    posts : iterable of ContentItem, or mapping of label to aware datetime
        What was posted and when. Items that were not published are left out.
    tz : str or tzinfo
        Zone on whose wall clock the hour is read.
    within : timedelta or Duration, default 1 day
        How long after the post a response counts.
    reached : int, or mapping of label to int, optional
        How many members each post reached, where the log has no rows of it: the size of the group, say.
    kinds : collection of str, default "read"
        Kinds of event that are a response.
    receive_kinds : collection of str, default "receive"
        Kinds of event that tell who was reached; not asked for with `reached`.
    days : {"each", "weekend"}, default "each"
        168 slots, or 48: hours of weekdays and of weekends. With few posts the 48 tell more.
    observed_until : aware datetime, optional
        Up to when the log is complete; by default its last row. Posts whose time is not over by then are left out and
        counted.
    level : float, default 0.95
        Of the intervals.
    clustering : float, optional
        How much alike those reached by one post are, in [0, 1); by default estimated.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    SlotResponse
        Counts, estimate and interval of each slot.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An argument can't be used; the log has no items; more responded than `reached` says.

    Notes
    -----
    A post at p belongs to the hour that the clock of `tz` shows at p, whatever the season; the hour that a change of
    clocks repeats is one slot. Its trials are the distinct members with a receiving row of the item in
    [p, p + `within`), its hits those of them with a response to it in the same span. Who is reached by two posts
    counts in both.

    *Posts are the unit.* People reached by one post are alike, since they saw the same post: their n trials count as
    :math:`n / (1 + (n - 1) \rho)`, with the clustering :math:`\rho` estimated from posts in the same slot.

    *Shrinkage.* Most of 168 hours have seen few posts. Log odds are a sum of a level, an effect of the hour, alike for
    hours close by, and an effect of the day; slots stray from it by a beta law, and responses are beta-binomial. How
    large each of the three spreads is, is averaged over a grid by the weight of the data, so that an interval includes
    that these are not known. An hour without posts has an estimate too, and a wide interval.

    An hour looks good also where better posts were published in it, or where those reached differ. Whoever can should
    try hours by lot: `SlotResponse.thompson`.

    References
    ----------
    Row K8 of the domain table; Gelman, A. & Hill, J. (2007). Data Analysis Using Regression and Multilevel/Hierarchical
    Models, ch. 14; Rue, H., Martino, S. & Chopin, N. (2009). Approximate Bayesian inference for latent Gaussian models
    by using integrated nested Laplace approximations. JRSS B 71, 319-392.
    https://doi.org/10.1111/j.1467-9868.2008.00700.x

    Examples
    --------
    >>> hour = 3600
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann", "ann", "bo", "bo"], item=["tea", "tea", "tea", "cake", "cake", "tea"],
    ...     kind=["receive", "receive", "read", "receive", "receive", "read"],
    ...     at=[0, 0, hour, 30 * hour, 30 * hour, 60 * hour], time_unit="s",
    ... )
    >>> posts = {"tea": pendulum.datetime(1970, 1, 1), "cake": pendulum.datetime(1970, 1, 2, 6)}
    >>> response = best_slots(log, posts, tz="Asia/Shanghai")
    >>> row = response.top(1)[0]
    >>> response, (row.day, row.hour, row.hits, row.trials)
    (SlotResponse(2 posts in 2 of 168 slots), (3, 8, 1, 2))
    """
    instance("log", log, EventLog, expected="an EventLog")
    one_of("days", days, get_args(Days))
    named, at = _published(posts)
    span = elapsed_us("within", within, at_least=1)
    until = (
        int(log.at_us.max(initial=np.iinfo(np.int64).min))
        if observed_until is None
        else instant_us(observed_until, argument="observed_until")
    )
    is_over = at <= until - span if len(log) or observed_until is not None else np.zeros(len(at), dtype=np.bool_)
    responds = of_kinds(log, kinds, unknown_kinds=unknown_kinds)
    answers = _pairs(log, named, at, span, responds)
    if reached is None:
        receives = of_kinds(log, receive_kinds, argument="receive_kinds", unknown_kinds=unknown_kinds)
        trials = _pairs(log, named, at, span, receives)
        answers = answers[np.isin(answers, trials, assume_unique=True)]
        n = np.bincount(trials // max(len(log.members), 1), minlength=len(named))
    else:
        n = _reached(reached, named)
    k = np.bincount(answers // max(len(log.members), 1), minlength=len(named))
    bad = np.flatnonzero(is_over & (k > n))
    if len(bad):
        worst = int(bad[0])
        expected = f"at least the {int(k[worst])} who responded to {named[worst]!r}"
        raise InvalidValueError(message("reached", expected, int(n[worst])))
    return SlotResponse(
        slot=slot_of(at, tz=tz, days=days)[is_over],
        hits=k[is_over],
        trials=n[is_over],
        days=days,
        tz=zone_name(tz),
        level=level,
        clustering=clustering,
        n_young=int((~is_over).sum()),
    )


def slot_of(at_us: IntArray, /, *, tz: str | dt.tzinfo, days: Days = "each") -> IntArray:
    """Return the slot of each instant on a local clock: day * 24 + hour.

    Parameters
    ----------
    at_us : ndarray of int64, shape (n,)
        Microseconds since 1970-01-01T00:00Z.
    tz : str or tzinfo
        Zone of the clock.
    days : {"each", "weekend"}
        As in `best_slots`.

    Returns
    -------
    ndarray of int64, shape (n,)
        From 0, Monday 00:00, to 167; or 0 to 23 on weekdays and 24 to 47 at weekends.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An argument can't be used.

    Examples
    --------
    >>> slot_of(np.array([0]), tz="Asia/Shanghai").tolist()  # Thursday, 08:00
    [80]
    """
    one_of("days", days, get_args(Days))
    hours = Calendar.of("hour", tz=tz).index(at_us).astype(np.int64)
    slot = (hours + _MONDAY) % 168
    if days == "weekend":
        slot = np.where(slot // 24 > _FRIDAY, 24, 0) + slot % 24
    slot.setflags(write=False)
    return slot


def _published(posts: object) -> tuple[Index, IntArray]:
    """Return the posts and their instants."""
    expected = "content items, or instants by the label of an item"
    found: list[tuple[Label, Any]] = []
    if isinstance(posts, Mapping):
        found = list(cast("Mapping[Label, Any]", posts).items())
    else:
        for row, item in enumerate(items_of("posts", posts, expected=expected)):
            if not isinstance(item, ContentItem):
                raise InvalidTypeError(message("posts", expected, item, row=row))
            if item.published is not None:
                found.append((item.id, item.published))
    at = [instant_us(when, argument="posts") for _, when in found]
    return Index([label for label, _ in found], argument="posts"), np.array(at, dtype=np.int64)


def _pairs(log: EventLog, posts: Index, at: IntArray, span: int, is_meant: BoolArray) -> IntArray:
    """Return each pair of a post and a member with such a row in time, once: post * members + member, ascending."""
    if not len(log) or not len(posts):
        return np.zeros(0, dtype=np.int64)
    if log.item is None:
        raise InvalidValueError(message("log", "a log whose rows name items", "one without the column `item`"))
    if log.item.index.labels.size and log.item.index.is_text != posts.is_text:
        raise InvalidTypeError(message("posts", "labels of the type of the log's items", posts[0]))
    place = np.append(posts.places_of(log.item.index), -1).astype(np.int64)
    rows = np.flatnonzero(is_meant[log.kind_codes])
    post = place[log.item.codes[rows]]
    rows, post = rows[post >= 0], post[post >= 0]
    later = log.at_us[rows] - at[post]
    is_in_time = (later >= 0) & (later < span)
    pairs = post[is_in_time] * len(log.members) + log.member_codes[rows[is_in_time]]
    return each_once(pairs)


def _reached(reached: object, posts: Index) -> IntArray:
    """Return how many each post reached."""
    if isinstance(reached, Mapping):
        given = cast("Mapping[Label, object]", reached)
        missing = [label for label in posts if label not in given]
        if missing:
            expected = "a number for each post"
            raise UnknownLabelError(message("reached", expected, missing[0]) + suggest(missing[0], given))
        sizes = [whole("reached", given[label]) for label in posts]
    else:
        sizes = [whole("reached", reached)] * len(posts)
    for size in sizes:
        if not 0 <= size <= MOST_REACHED:
            expected = "0 or more members" if size < 0 else f"at most {MOST_REACHED:,} members"
            raise InvalidValueError(message("reached", expected, size))
    return np.array(sizes, dtype=np.int64)
