"""Do we sell before we have given anything? The count behind `SellingPressure`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.columns.kinds import of_kinds
from shequn.columns.log import EventLog
from shequn.columns.membership import NO_INSTANT
from shequn.columns.roster import Roster
from shequn.content._comparable import require_comparable
from shequn.content.selling import SellingPressure
from shequn.errors import InvalidValueError, MisalignedError, message
from shequn.labels import Index
from shequn.stats._checks import instance, items_of, number_between, whole
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.labels import Label

__all__ = ["selling_pressure"]

_DAY_US = 86_400_000_000
_MOST_DAYS = 36_600
_ROUNDING = 1e-12


def selling_pressure(
    log: EventLog,
    roster: Roster,
    /,
    *,
    promo: Collection[Label],
    as_of: dt.datetime,
    days: Sequence[int] = (7, 30),
    cap: Sequence[float] | float | None = None,
    kinds: Collection[str] | str = "receive",
    unknown_kinds: UnknownKinds = "warn",
) -> SellingPressure:
    """Return the share of promotion in what members were sent in their first days (推销占比).

    Parameters
    ----------
    log : EventLog
        What was sent; its `item` says which piece of content.
    roster : Roster
        Members with the instants at which they joined. One whose instant is not known, or who is not in it, doesn't
        count.
    promo : collection of labels
        The items that sell.
    as_of : datetime
        The aware instant of the question; later rows don't count.
    days : sequence of int
        Lengths of the stretches from joining on, in days of 24 hours.
    cap : float or sequence of float, optional
        The share of promotion that one member may get, for all stretches or one for each.
    kinds : str or collection of str
        Kinds of event that are messages to members.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    SellingPressure

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        If an option is of another type or out of range, the log has no items, or there is not one cap for each stretch.

    Notes
    -----
    A member counts in a stretch of k days if it was over by `as_of`, and they had not left before its end. A message at
    t counts if ``joined <= t < joined + k``. Who was sent nothing is below every cap.

    References
    ----------
    ``spec/domain.md``, row I14.

    Examples
    --------
    >>> import pendulum
    >>> joined = pendulum.datetime(2024, 3, 1)
    >>> roster = Roster.from_columns(member=["ann", "bo"], joined=[joined, joined])
    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "bo"], kind="receive", at=[joined.add(days=day) for day in (1, 2, 9)],
    ...     item=["tips", "sale", "sale"],
    ... )
    >>> selling_pressure(log, roster, promo={"sale"}, as_of=joined.add(days=40), cap=0.4)
    SellingPressure(2 stretches: 50.0% in 7 days, 66.7% in 30 days)
    """
    instance("log", log, EventLog, expected="an EventLog")
    instance("roster", roster, Roster, expected="a Roster")
    as_of_us = instant_us(as_of, argument="as_of")
    lengths = [_length(each) for each in items_of("days", days, expected="whole numbers of days")]
    caps = _caps(cap, len(lengths))
    if log.item is None:
        raise InvalidValueError(message("log", "a log with an item column", log))
    sells = _sells(promo, log.item.index)
    is_kind = of_kinds(log, kinds, unknown_kinds=unknown_kinds)
    require_comparable("log", log.members, roster.members)
    place = roster.members.places_of(log.members)[log.member_codes]
    rows = np.flatnonzero(is_kind[log.kind_codes] & (place >= 0) & (log.at_us <= as_of_us))
    place, at_us = place[rows].astype(np.int64), log.at_us[rows]
    item = log.item.codes[rows]
    is_promo = (item >= 0) & sells[np.maximum(item, 0)] if len(sells) else np.zeros(len(rows), dtype=np.bool_)
    since = np.where(roster.joined_us[place] == NO_INSTANT, -1, at_us - roster.joined_us[place])
    counts: dict[str, list[int]] = {"members": [], "messages": [], "promo": [], "over": []}
    for length, most in zip(lengths, caps, strict=True):
        counted = _is_over(roster, length * _DAY_US, as_of_us)
        inside = (since >= 0) & (since < length * _DAY_US) & counted[place]
        of_member = np.bincount(place[inside], minlength=len(roster))
        promo_of = np.bincount(place[inside & is_promo], minlength=len(roster))
        counts["members"].append(int(counted.sum()))
        counts["messages"].append(int(of_member.sum()))
        counts["promo"].append(int(promo_of.sum()))
        counts["over"].append(int((promo_of > of_member * (most + _ROUNDING)).sum()) if most == most else 0)  # noqa: PLR0124
    columns: dict[str, Any] = {name: np.array(values, dtype=np.int64) for name, values in counts.items()}
    return SellingPressure(days=np.array(lengths, dtype=np.int64), cap=np.array(caps, dtype=np.float64), **columns)


def _length(days: object) -> int:
    length = whole("days", days)
    if not 1 <= length <= _MOST_DAYS:
        raise InvalidValueError(message("days", f"1 to {_MOST_DAYS:,} days", length))
    return length


def _caps(cap: Any, n: int) -> list[float]:  # noqa: ANN401
    if cap is None:
        return [float("nan")] * n
    given = [cap] * n if np.ndim(cap) == 0 else items_of("cap", cap, expected="shares")
    if len(given) != n:
        raise MisalignedError(message("cap", f"one for each of the {n} stretches", len(given)))
    return [number_between("cap", each, 0.0, 1.0) for each in given]


def _sells(promo: Collection[Label], items: Index) -> BoolArray:
    """Return which items of an index sell."""
    named = Index.encode(items_of("promo", promo, expected="labels of items"), argument="promo")[0]
    require_comparable("promo", named, items)
    return named.places_of(items) >= 0


def _is_over(roster: Roster, length_us: int, as_of_us: int) -> Any:  # noqa: ANN401
    """Return whose first stretch of a length was over by an instant, and seen whole."""
    ends: IntArray = np.where(roster.joined_us == NO_INSTANT, np.iinfo(np.int64).max, roster.joined_us + length_us)
    stayed = (roster.left_us == NO_INSTANT) | (roster.left_us >= ends)
    return (ends <= as_of_us) & stayed
