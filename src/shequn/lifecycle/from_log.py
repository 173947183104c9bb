"""How large and how lively was a community, by its log? Members, active members and organic messages by period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from shequn.columns.changes import JOIN, LEAVE, membership_changes
from shequn.columns.horizon import Horizon
from shequn.columns.kinds import UnknownKinds, of_kinds
from shequn.columns.log import EventLog
from shequn.entities import EventKind
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.labels import Index
from shequn.lifecycle.series import CommunitySeries, last_period, n_partial
from shequn.stats._checks import instance, is_integer, items_of
from shequn.stats.distinct import each_once
from shequn.values.calendar import Calendar

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.changes import MembershipChanges
    from shequn.labels import Label
    from shequn.values.calendar import Unit, WeekStart

__all__ = ["community_series"]

_MESSAGES: Final = frozenset({EventKind.POST.value, EventKind.REPLY.value, EventKind.ASK.value})
_MOST_PERIODS: Final = 1 << 20


def community_series(
    log: EventLog,
    /,
    *,
    every: Unit | Calendar = "week",
    tz: str | None = None,
    week_start: WeekStart = "monday",
    kinds: Collection[str] | str = _MESSAGES,
    active_kinds: Collection[str] | str | None = None,
    join: Collection[str] | str = JOIN,
    leave: Collection[str] | str = LEAVE,
    exclude: Collection[Label] | Label = (),
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> CommunitySeries:
    """Count members, active members and organic messages of a log, period by period.

    Parameters
    ----------
    log : EventLog
    every : {"hour", "day", "week", "month", "quarter", "year"} or Calendar, default "week"
    tz : str, optional
        Zone in which periods are local; a calendar brings its own.
    week_start : {"monday", "sunday"}
    kinds : collection of str, default {"post", "reply", "ask"}
        What is a message.
    active_kinds : collection of str, optional
        What is activity; by default all kinds but apply, receive, leave, remove, mute and role.
    join, leave : collection of str
        Kinds that bring a member in, and that take one out.
    exclude : collection of labels, or one label
        Staff, bots, advertisers: whose rows are no sign of life. Labels that the log lacks make no difference.
    observed_until : aware datetime, optional
        Rows from it on are ignored. By default the instant of the last row of the log, and its resolution.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind named here that the log does not know; of those named by default one has to occur.

    Returns
    -------
    CommunitySeries
        From the period of the first activity or membership fact to that of the end of observation.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An option can't be used, or there would be more than 1,048,576 periods.

    Notes
    -----
    A member is inside from the first activity or membership fact on, and outside while there are facts and each group
    they speak of has been left: as in a ledger's `inside`. In a log without such facts nobody leaves, and members are
    those who ever were active.

    Rows that are advertisements of members are taken out of the log before: ``log.where(rows=...)``.

    References
    ----------
    S1 §三(二), rows C8 and C9 of the domain table.

    Examples
    --------
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann", "bot", "bo"], kind=["join", "join", "post", "post", "leave"],
    ...     at=[0, 1, 86_400, 86_401, 172_800], time_unit="s",
    ... )
    >>> series = community_series(log, every="day", tz="UTC", exclude="bot")
    >>> series.members.tolist(), series.active.tolist(), series.messages.tolist()
    ([2, 2, 1], [2, 1, 0], [0, 1, 0])
    """
    instance("log", log, EventLog, expected="an EventLog")
    calendar = Calendar.of(every, tz=tz, week_start=week_start)
    kept = ~_is_excluded(log, exclude)
    is_message = _messages_of(log, kinds, unknown_kinds)
    is_active = of_kinds(log, active_kinds, argument="active_kinds", unknown_kinds=unknown_kinds)
    horizon = Horizon.of(log, observed_until)
    until_us = horizon.until_us
    if until_us is None:
        return _nothing(calendar, horizon)
    rows = np.flatnonzero(kept[log.member_codes] & (log.at_us < until_us))
    member, kind = log.member_codes[rows].astype(np.int64), log.kind_codes[rows]
    period = calendar.index(log.at_us[rows]).astype(np.int64)
    told = membership_changes(log, join=join, leave=leave, before_us=until_us, unknown_kinds=unknown_kinds)
    facts = _facts(log, told, kept, calendar)
    active = is_active[kind]
    lows = [int(known.min()) for known in (period[active], facts.period) if len(known)]
    if not lows:
        return _nothing(calendar, horizon)
    low = min(lows)
    n = last_period(calendar, until_us) - low + 1
    if n > _MOST_PERIODS:
        expected = f"at most {_MOST_PERIODS:,} periods from the first activity to the end of observation"
        raise InvalidValueError(message("every", expected, n))
    wrote = period[is_message[kind]] - low
    active_member, active_period = member[active], period[active] - low
    facts = facts._replace(period=facts.period - low)
    return CommunitySeries(
        members=_members_inside(active_member, active_period, facts, n, len(log.members)),
        active=_distinct(active_member, active_period, n, len(log.members)),
        messages=np.bincount(wrote[wrote >= 0], minlength=n),
        calendar=calendar,
        first_period=low,
        partial=n_partial(calendar, low + np.arange(n), horizon),
        horizon=horizon,
    )


def _nothing(calendar: Calendar, horizon: Horizon) -> CommunitySeries:
    none = np.zeros(0, dtype=np.int64)
    return CommunitySeries(members=none, active=none, messages=none, calendar=calendar, horizon=horizon)


def _is_excluded(log: EventLog, exclude: Collection[Label] | Label) -> BoolArray:
    named = [exclude] if isinstance(exclude, str) or is_integer(exclude) else exclude
    labels: Any = named if hasattr(named, "__array__") else items_of("exclude", named, expected="labels of members")
    excluded = np.zeros(len(log.members) + 1, dtype=np.bool_)
    try:
        has_some = len(labels) > 0
    except TypeError:  # an array without axes
        raise InvalidTypeError(message("exclude", "labels of members", exclude)) from None
    if has_some:
        index, _ = Index.encode(labels, argument="exclude")
        excluded[log.members.places_of(index)] = True
    return excluded[:-1]


def _messages_of(log: EventLog, kinds: Collection[str] | str, unknown_kinds: UnknownKinds) -> BoolArray:
    """Return which kinds are messages; of the usual ones any will do, but none at all is worth a word."""
    if kinds is _MESSAGES:
        found = of_kinds(log, kinds, unknown_kinds="ignore")
        if found.any():
            return found
    return of_kinds(log, kinds, unknown_kinds=unknown_kinds)


class _Facts(NamedTuple):
    """Member and period of each membership fact, and whether the member is in some group after it.

    In the order of members, then of time.
    """

    member: IntArray
    period: IntArray
    inside: BoolArray


def _facts(log: EventLog, told: MembershipChanges, kept: BoolArray, calendar: Calendar) -> _Facts:
    """Return the facts of the members who are kept, those that changed nothing too."""
    rows = np.concatenate([told.rows, told.ignored_rows])
    steps = np.concatenate([told.delta.astype(np.int64), np.zeros(told.ignored, dtype=np.int64)])
    keep = kept[log.member_codes[rows]]
    rows, steps = rows[keep], steps[keep]
    member, at_us = log.member_codes[rows].astype(np.int64), log.at_us[rows]
    order = np.lexsort((rows, at_us, member))
    member, at_us, steps = member[order], at_us[order], steps[order]
    period = calendar.index(at_us).astype(np.int64)
    if not len(rows):
        return _Facts(member, period, np.zeros(0, dtype=np.bool_))
    # Steps of one member add up to 0 or more: what stood before the first of them is taken off.
    groups = np.cumsum(steps)
    first = np.append(True, member[1:] != member[:-1])
    groups -= (groups - steps)[first][np.cumsum(first) - 1]
    # Where clocks go back over midnight an earlier day comes twice; what happens then counts in the later one.
    base = member * (int(period.max()) - int(period.min()) + 1)
    return _Facts(member, np.maximum.accumulate(base + period) - base, groups > 0)


def _members_inside(
    active: IntArray, active_period: IntArray, facts: _Facts, n_periods: int, n_members: int
) -> IntArray:
    """Count who is inside at the end of each period: by the last fact until then, or, before any, by activity."""
    member, period, inside = facts
    never = n_periods
    first_active = np.full(n_members, never, dtype=np.int64)
    np.minimum.at(first_active, active, active_period)
    first_fact = np.full(n_members, never, dtype=np.int64)
    np.minimum.at(first_fact, member, period)
    came = np.bincount(first_active[first_active < first_fact], minlength=n_periods + 1)[:n_periods]
    is_last = np.ones(len(member), dtype=np.bool_)
    is_last[:-1] = (member[1:] != member[:-1]) | (period[1:] != period[:-1])
    member, period, inside = member[is_last], period[is_last], inside[is_last]
    was_inside = np.zeros(len(member), dtype=np.bool_)
    was_inside[1:] = inside[:-1]
    new = np.ones(len(member), dtype=np.bool_)
    new[1:] = member[1:] != member[:-1]
    was_inside[new] = first_active[member[new]] < first_fact[member[new]]
    step: NDArray[Any] = inside.astype(np.int64) - was_inside
    changed = np.bincount(period[step > 0], minlength=n_periods) - np.bincount(period[step < 0], minlength=n_periods)
    inside_at_end: IntArray = np.cumsum(came + changed)
    return inside_at_end


def _distinct(member: IntArray, period: IntArray, n_periods: int, n_members: int) -> IntArray:
    """Count the distinct members of each period."""
    cells = period * n_members + member
    if n_periods * n_members <= 8 * len(cells):
        seen = np.zeros((n_periods, n_members), dtype=np.bool_)
        seen.reshape(-1)[cells] = True
        present: IntArray = np.count_nonzero(seen, axis=1).astype(np.int64)
        return present
    counted: IntArray = np.bincount(each_once(cells) // max(n_members, 1), minlength=n_periods)
    return counted
