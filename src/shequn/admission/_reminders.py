"""When is each member reminded of the rules (定期提醒群规)?"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.admission.reminder_plan import ReminderPlan
from shequn.columns import EventLog, memberships
from shequn.columns.kinds import of_kinds
from shequn.columns.membership import NO_INSTANT
from shequn.columns.readonly import frozen
from shequn.entities import EventKind
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.labels import Coded
from shequn.stats._checks import instance, whole
from shequn.values import Cadence, Calendar, QuietHours
from shequn.values._wall import DAY_US, first_at_or_after
from shequn.values.instants import instant_us
from shequn.values.zones import zone_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.values import DailyWindow, Unit

__all__ = ["reminders"]

_MINUTE_US = 60_000_000
_MOST_DAYS = 3_660
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_PERIODS: tuple[Unit, ...] = ("day", "week", "month")


def reminders(
    log: EventLog,
    /,
    *,
    as_of: dt.datetime,
    until: dt.datetime,
    tz: str | dt.tzinfo,
    every_days: int = 30,
    at: str | dt.time = "10:00",
    cadence: Cadence | None = None,
    quiet: QuietHours | DailyWindow | Iterable[DailyWindow] | None = None,
    receive_kinds: Collection[str] | str = EventKind.RECEIVE.value,
    unknown_kinds: UnknownKinds = "ignore",
) -> ReminderPlan:
    """Plan when each member is reminded: every so many days after joining, under a cadence and outside quiet hours.

    Parameters
    ----------
    log : EventLog
        With joins, leaves, and what members received.
    as_of : aware datetime
        Facts at this instant or before it are known; reminders are due from it on.
    until : aware datetime
        The plan ends before it.
    tz : str or tzinfo
        Zone of the wall clock, and of the days, weeks and months of the cadence.
    every_days : int, default 30
        How many local days lie between joining and the first reminder, and from each to the next.
    at : str or time, default "10:00"
        Hour and minute on the wall clock.
    cadence : Cadence, optional
        How much a member may receive, together with what they have received.
    quiet : DailyWindow, QuietHours or iterable of DailyWindow, optional
        When nothing may be sent.
    receive_kinds : collection of str
        Kinds of what members received.
    unknown_kinds : {"ignore", "warn", "raise"}
        What to do about a kind that the log does not know: nobody may have received anything.

    Returns
    -------
    ReminderPlan

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An argument can't be used.

    Notes
    -----
    Members are those inside at `as_of`, in any group; days count from the local day on which their earliest open stay
    began. A reminder is due on the day at the hour told; where clocks skip that time, at the first that they show
    after it. What is due in quiet hours waits for their end. Where the cadence has no room, the same hour of the next
    local day is tried, and the next, while that is before the next reminder is due and before `until`; else it is left
    out. Caps count local days, weeks and months with what was received by `as_of` and the reminders planned.

    References
    ----------
    S1 §四(二), row A4 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> day = 86_400
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "bo"], kind=["join", "join", "receive"], at=[0, 5 * day, 34 * day], time_unit="s"
    ... )
    >>> plan = reminders(
    ...     log, as_of=pendulum.from_timestamp(34 * day), until=pendulum.from_timestamp(65 * day), tz="UTC",
    ...     cadence=Cadence(per_week=1),
    ... )
    >>> print(plan)
    2 reminders (UTC): 1 on time, 1 put off, 0 left out
    member  due               at                status
    ───────────────────────────────────────────────────
    bo      1970-02-05 10:00  1970-02-09 10:00  put off
    ann     1970-03-02 10:00  1970-03-02 10:00  on time
    """
    instance("log", log, EventLog, expected="an EventLog")
    start_us, end_us = instant_us(as_of, argument="as_of"), instant_us(until, argument="until")
    if end_us <= start_us:
        raise InvalidValueError(message("until", f"an instant after as_of ({as_of})", until))
    step = whole("every_days", every_days)
    if not 1 <= step <= _MOST_DAYS:
        raise InvalidValueError(message("every_days", f"1 to {_MOST_DAYS:,} days", every_days))
    if cadence is not None:
        instance("cadence", cadence, Cadence, expected="a Cadence")
    name = zone_name(tz)
    hour = _Hour(_wall_us(at), name, step)
    days = Calendar.of("day", tz=name)
    joined = _joined(log, as_of)
    who = np.flatnonzero(joined != NO_INSTANT)
    first_day = days.index(joined[who]).astype(np.int64)
    spaces = QuietHours.of(quiet)
    received = of_kinds(log, receive_kinds, argument="receive_kinds", unknown_kinds=unknown_kinds)
    rows = np.flatnonzero(received[log.kind_codes] & (log.at_us <= start_us))
    history = _History(cadence, name, log.member_codes[rows].astype(np.int64), log.at_us[rows])
    low, high = (int(number) for number in days.index(np.array([start_us, end_us], dtype=np.int64)))
    rounds = np.maximum((low - first_day) // step, 1)
    found: list[tuple[IntArray, IntArray, IntArray]] = []
    while len(who):
        due_day = first_day + rounds * step
        in_plan = due_day <= high
        who, first_day, rounds, due_day = who[in_plan], first_day[in_plan], rounds[in_plan], due_day[in_plan]
        due_us = hour.instants(due_day)
        is_due = (due_us >= start_us) & (due_us < end_us)
        if is_due.any():
            one, day = who[is_due], due_day[is_due]
            limit = np.minimum(hour.instants(day + step), end_us)
            found.append((one, due_us[is_due], _placed(one, day, limit, hour, spaces, history=history)))
        rounds = rounds + 1
    members, due, sent = (np.concatenate(part) for part in zip(*found, strict=True)) if found else _nothing()
    order = np.lexsort((members, due))
    return ReminderPlan(
        member=Coded(index=log.members, codes=members[order]),
        due_us=frozen(due[order]),
        at_us=frozen(sent[order]),
        tz=name,
    )


def _nothing() -> tuple[IntArray, IntArray, IntArray]:
    none = np.zeros(0, dtype=np.int64)
    return none, none, none


def _wall_us(at: object) -> int:
    expected = 'a time of day such as "10:00", to the minute'
    if isinstance(at, dt.time) and not at.second and not at.microsecond and at.tzinfo is None:
        return (at.hour * 60 + at.minute) * _MINUTE_US
    if isinstance(at, str) and (found := _CLOCK.fullmatch(at)):
        return (int(found[1]) * 60 + int(found[2])) * _MINUTE_US
    error = InvalidValueError if isinstance(at, str | dt.time) else InvalidTypeError
    raise error(message("at", expected, at))


def _joined(log: EventLog, as_of: dt.datetime) -> IntArray:
    """Return when each member's earliest stay that goes on began, `NO_INSTANT` for who is not inside."""
    stays = memberships(log, as_of=as_of)
    joined = np.full(len(log.members), np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(joined, stays.member.codes[stays.is_open], stays.joined_us[stays.is_open])
    return np.where(joined == np.iinfo(np.int64).max, NO_INSTANT, joined)


class _Hour(NamedTuple):
    """A time of day on the wall clock of a zone, every so many days."""

    wall_us: int
    tz: str
    every_days: int

    def instants(self, day: IntArray) -> IntArray:
        """Return when it is on some local days."""
        return first_at_or_after(day * DAY_US + self.wall_us, self.tz) if len(day) else day


def _placed(
    who: IntArray,
    day: IntArray,
    limit: IntArray,
    hour: _Hour,
    spaces: QuietHours,
    *,
    history: _History,
) -> IntArray:
    """Return when one reminder of each of some members is sent, `NO_INSTANT` where there is no room before `limit`."""
    sent = np.full(len(who), NO_INSTANT, dtype=np.int64)
    left = np.arange(len(who))
    for later in range(hour.every_days):
        try_us = spaces.next_allowed(hour.instants(day[left] + later))
        still = try_us < limit[left]
        left, try_us = left[still], try_us[still]
        if not len(left):
            break
        fits = history.has_room(who[left], try_us)
        sent[left[fits]] = try_us[fits]
        history.add(who[left[fits]], try_us[fits])
        left = left[~fits]
    return sent


class _History:
    """What members have received, and what is planned for them: nothing that is asked about lies before it."""

    def __init__(self, cadence: Cadence | None, tz: str, who: IntArray, at_us: IntArray) -> None:
        self._cadence = cadence
        caps = (None,) * 3 if cadence is None else (cadence.per_day, cadence.per_week, cadence.per_month)
        start = "monday" if cadence is None else cadence.week_start
        self._capped = [
            (Calendar.of(unit, tz=tz, week_start=start if unit == "week" else "monday"), cap)
            for unit, cap in zip(_PERIODS, caps, strict=True)
            if cap is not None
        ]
        self._who, self._at_us = who, at_us

    def has_room(self, who: IntArray, at_us: IntArray) -> BoolArray:
        room = np.ones(len(who), dtype=np.bool_)
        for calendar, cap in self._capped:
            mine, period = calendar.index(at_us).astype(np.int64), calendar.index(self._at_us).astype(np.int64)
            room &= _counts(who, mine, self._who, period) < cap
        gap = 0 if self._cadence is None else self._cadence.min_gap_us
        if gap and len(self._who):
            last = np.full(max(int(self._who.max()), int(who.max(initial=0))) + 1, NO_INSTANT // 2, dtype=np.int64)
            np.maximum.at(last, self._who, self._at_us)
            room &= at_us - last[who] >= gap
        return room

    def add(self, who: IntArray, at_us: IntArray) -> None:
        if self._cadence is not None and len(who):
            self._who, self._at_us = np.concatenate([self._who, who]), np.concatenate([self._at_us, at_us])


def _counts(who: IntArray, period: IntArray, of: IntArray, its_period: IntArray) -> IntArray:
    """Return how many of the others stand under the same member and period."""
    if not len(of) or not len(who):
        return np.zeros(len(who), dtype=np.int64)
    least = min(int(period.min()), int(its_period.min()))
    width = max(int(period.max()), int(its_period.max())) - least + 1
    others = np.sort(of * width + (its_period - least))
    key = who * width + (period - least)
    n: IntArray = np.searchsorted(others, key, side="right") - np.searchsorted(others, key, side="left")
    return n
