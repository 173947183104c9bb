"""How many days in a row has each member checked in (打卡), and how faithfully?"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np

from shequn.campaigns.streak_table import EVERY_DAY, Streak, Streaks, grace_of, weekdays_of
from shequn.columns import EventLog
from shequn.columns.halves import in_halves
from shequn.columns.in_window import InWindow
from shequn.columns.kinds import of_kinds
from shequn.entities import EventKind
from shequn.errors import InvalidTypeError, message
from shequn.stats._checks import instance, items_of
from shequn.stats.distinct import each_once
from shequn.values import Calendar
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.columns.kinds import UnknownKinds

__all__ = ["streak_of", "streaks"]

_BLOCK = 1 << 16
_MANY_BLOCKS = 16
_BYTES_A_ROW, _BYTES_ANYWAY = 16, 1 << 24
_CELLS = 1 << 22  # of members and days that are read at a time
_THURSDAY = 3  # 1970-01-01


def streaks(
    log: EventLog,
    /,
    *,
    tz: str | dt.tzinfo,
    as_of: dt.datetime,
    kinds: Collection[str] | str = EventKind.CHECK_IN.value,
    grace: int = 0,
    weekdays: str | Iterable[int | str] | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> Streaks:
    """Count how many local days in a row each member has checked in.

    Parameters
    ----------
    log : EventLog
    tz : str or tzinfo
        Zone of the days.
    as_of : aware datetime
        Rows up to it, itself included, are known. Its local day is today, which isn't over.
    kinds : collection of str, default "check_in"
        Kinds of event that are check-ins. Several on a day count as one.
    grace : int, default 0
        How many days in a row may be missed without ending a streak.
    weekdays : str or iterable of int or str, optional
        Days that count, such as ``"mon-fri"`` or ``(0, 2, 4)`` with Monday as 0. By default all.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    Streaks
        A row for each member who checked in on a day that counts, in the order of ``log.members``.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An argument can't be used.

    Notes
    -----
    Only days that count are numbered: of ``"mon-fri"`` the Monday follows the Friday, and what happens on a Saturday
    neither helps nor harms. Two days checked in belong to one streak if at most `grace` days between them were missed,
    each time anew. The length of a streak is the number of its days checked in, so days of grace add nothing to it.

    The last streak is alive if at most `grace` days since were missed. Today isn't over, so it isn't missed yet: who
    checked in yesterday and not yet today has not lost anything.

    Adherence is the days checked in over the days from the first one to yesterday, and today if it was used. Its Wilson
    interval takes days for independent, which habits are not, and the first day is checked in by its choice: of few
    days it says little.

    References
    ----------
    S4, row I4 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> day = 86_400
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann", "ann", "bo"], kind="check_in", at=[0, 0, day, 3 * day, 4 * day], time_unit="s"
    ... )
    >>> now = pendulum.datetime(1970, 1, 5, 9)
    >>> print(streaks(log, tz="UTC", as_of=now))
    member  current  longest  days  of  adherence  lower  upper  first day   last day
    ───────────────────────────────────────────────────────────────────────────────────
    ann           1        2     3   4      75.0%  30.1%  95.4%  1970-01-01  1970-01-04
    bo            1        1     2   5      40.0%  11.8%  76.9%  1970-01-01  1970-01-05
    2 of 2 streaks alive on 1970-01-05, which isn't over; 0 days of grace
    >>> streaks(log, tz="UTC", as_of=now, grace=1).current.tolist()
    [3, 1]
    """
    instance("log", log, EventLog, expected="an EventLog")
    missable, counting = grace_of(grace), weekdays_of(weekdays)
    as_of_us = instant_us(as_of, argument="as_of")
    calendar = Calendar.of("day", tz=tz)
    window = InWindow(kinds=of_kinds(log, kinds, unknown_kinds=unknown_kinds), after_us=None, until_us=as_of_us)
    # Where clocks go back over midnight, a day has begun before the one before it ends.
    today = calendar.index_one(as_of_us)
    while int(calendar.start_us(np.array([today + 1]))[0]) <= as_of_us:
        today += 1
    first_us = int(log.spans.earliest_us.min()) if len(log) else as_of_us
    days = _Days.between(min(calendar.index_one(first_us) - 1, today), today, counting)
    found = _found(_Rows(log, window, calendar, days), len(log.members), missable)
    who = np.flatnonzero(found.days)
    first, last = found.first[who], found.last[who]
    return Streaks(
        members=log.members.take(who),
        current=np.where(days.n_over - last - 1 <= missable, found.latest[who], 0),
        longest=found.longest[who],
        days=found.days[who],
        expected=days.n_over - first + (last == days.n_over),
        first_day=calendar.label(days.number[first]),
        last_day=calendar.label(days.number[last]),
        as_of_day=dt.date(1970, 1, 1) + dt.timedelta(days=today),
        tz=calendar.tz,
        grace=missable,
        weekdays=counting,
    )


def streak_of(
    days: Iterable[dt.date],
    /,
    *,
    as_of: dt.date,
    grace: int = 0,
    weekdays: str | Iterable[int | str] | None = None,
) -> Streak:
    """Count how many days in a row one member has checked in, from the local dates; as `streaks` does for all.

    Parameters
    ----------
    days : iterable of date
        Local dates checked in, in any order; those after `as_of` are not known yet.
    as_of : date
        Today, which isn't over.
    grace, weekdays
        As in `streaks`.

    Returns
    -------
    Streak

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used; a datetime is no date, since its zone would decide.

    Examples
    --------
    >>> from datetime import date
    >>> streak_of([date(2024, 5, 1), date(2024, 5, 2)], as_of=date(2024, 5, 3)).current
    2
    >>> streak_of([date(2024, 5, 1), date(2024, 5, 2)], as_of=date(2024, 5, 4)).current
    0
    """
    missable, counting = grace_of(grace), frozenset(weekdays_of(weekdays))
    today = _day("as_of", as_of)
    known = {_day("days", day) for day in items_of("days", days, expected="dates")}
    used = sorted(day for day in known if day <= today and _weekday(day) in counting)
    if not used:
        return Streak(current=0, longest=0, days=0, expected=0, first_day=None, last_day=None)
    lengths = [1]
    for before, day in pairwise(used):
        lengths = [*lengths, 1] if _n_between(before, day, counting) > missable else [*lengths[:-1], lengths[-1] + 1]
    is_alive = _n_between(used[-1], today, counting) <= missable
    return Streak(
        current=lengths[-1] if is_alive else 0,
        longest=max(lengths),
        days=len(used),
        expected=_n_between(used[0] - 1, today, counting) + (used[-1] == today),
        first_day=_date(used[0]),
        last_day=_date(used[-1]),
    )


def _day(argument: str, day: object) -> int:
    if not isinstance(day, dt.date) or isinstance(day, dt.datetime):
        raise InvalidTypeError(message(argument, "dates, without a time of day", day))
    return day.toordinal()


def _date(day: int) -> dt.date:
    return dt.date.fromordinal(day)


def _weekday(day: int) -> int:
    return (day - 1) % 7


def _n_between(one: int, other: int, counting: frozenset[int]) -> int:
    """Return how many days that count lie between two, neither of them included."""
    weeks, rest = divmod(max(other - one - 1, 0), 7)
    return weeks * len(counting) + sum(_weekday(one + 1 + day) in counting for day in range(rest))


# ── all at once ──────────────────────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class _Days:
    """The days that count, numbered from 0.

    Attributes
    ----------
    low : int
        The first day, by the calendar.
    place : ndarray of int64, shape (n_days,), or None
        Number of each day from `low` on; -1 of those that do not count. None if all count.
    number : ndarray of int64
        By the calendar, of each day that counts.
    n_over : int
        How many of them are over.
    """

    low: int
    place: IntArray | None
    number: IntArray
    n_over: int

    @classmethod
    def between(cls, low: int, today: int, weekdays: tuple[int, ...]) -> _Days:
        number = np.arange(low, today + 1, dtype=np.int64)
        if weekdays == EVERY_DAY:
            return cls(low, None, number, len(number) - 1)
        counts = np.isin((number + _THURSDAY) % 7, weekdays)
        place = np.where(counts, np.cumsum(counts) - 1, -1)
        return cls(low, place, number[counts], int(counts[:-1].sum()))


@attrs.frozen
class _Rows:
    """The check-ins that count, in blocks that stay in the cache."""

    log: EventLog
    window: InWindow
    calendar: Calendar
    days: _Days

    def cells(self, numbers: range) -> Iterator[IntArray]:
        """Yield member × n_days + day of the check-ins in some blocks, over and over in the same memory."""
        log, days = self.log, self.days
        rule = self.calendar.rule(int(self.calendar.start_us(np.array([days.low]))[0]), self.window.until_us)
        masks = np.empty((2, min(_BLOCK, len(log))), dtype=np.bool_)
        work = np.empty((2, min(_BLOCK, len(log))), dtype=np.int64)
        for number in numbers:
            block = slice(number * _BLOCK, min((number + 1) * _BLOCK, len(log)))
            member, at_us = log.member_codes[block], log.at_us[block]
            places = self.window.places(log, block, masks)
            n = len(at_us) if places is None else len(places)
            day, cell = work[0, :n], work[1, :n]
            if places is not None:
                at_us, member = at_us.take(places, out=day, mode="clip"), member.take(places)
            if rule is None:
                np.subtract(self.calendar.index(at_us), days.low, out=day)
            else:
                np.add(at_us, rule.shift - days.low * rule.length, out=day)
                np.floor_divide(day, rule.length, out=day)
            np.multiply(member, len(days.number), out=cell, dtype=np.int64)
            if days.place is None:
                cell += day
                yield cell
            else:
                place = days.place.take(day)
                cell += place
                yield cell[place >= 0]

    @property
    def n_blocks(self) -> int:
        """How many blocks there are."""
        return -(-len(self.log) // _BLOCK)


class _Found(NamedTuple):
    """Of each member, shape (n,): days checked in, the longest and the latest streak, and the first and last day."""

    days: IntArray
    longest: IntArray
    latest: IntArray
    first: IntArray
    last: IntArray

    @classmethod
    def nothing(cls, n: int) -> _Found:
        return cls(*(np.zeros(n, dtype=np.int64) for _ in range(5)))

    def look(self, low: int, high: int, cells: IntArray, n_days: int, grace: int) -> None:
        """Read the streaks of the members from low on, from distinct cells in order, counted from low's own."""
        self.days[low:high] = np.bincount(cells // n_days, minlength=high - low)
        who = np.flatnonzero(self.days[low:high]) + low
        if not len(who):
            return
        ends = np.cumsum(self.days[who])
        starts = ends - self.days[who]
        opens = np.empty(len(cells), dtype=np.bool_)
        np.greater(cells[1:] - cells[:-1], grace + 1, out=opens[1:])
        opens[starts] = True
        opening = np.flatnonzero(opens)
        length = np.diff(opening, append=len(cells))
        own = np.searchsorted(opening, starts)
        self.longest[who] = np.maximum.reduceat(length, own)
        self.latest[who] = length[np.append(own[1:], len(length)) - 1]
        self.first[who] = cells[starts] - (who - low) * n_days
        self.last[who] = cells[ends - 1] - (who - low) * n_days


def _found(rows: _Rows, n_members: int, grace: int) -> _Found:
    n_days, found = len(rows.days.number), _Found.nothing(n_members)
    if not n_days or not n_members:
        return found
    if n_members * n_days > _BYTES_A_ROW * len(rows.log) + _BYTES_ANYWAY:
        parts = [cells.copy() for cells in rows.cells(range(rows.n_blocks))]
        found.look(0, n_members, each_once(np.concatenate(parts)), n_days, grace)
        return found
    mask = np.zeros(n_members * n_days, dtype=np.bool_)

    def fill(numbers: range) -> None:
        for cells in rows.cells(numbers):
            mask[cells] = True

    def read(chunks: range) -> None:
        for chunk in chunks:
            low, high = chunk * step, min((chunk + 1) * step, n_members)
            cells: NDArray[Any] = np.flatnonzero(mask[low * n_days : high * n_days])
            found.look(low, high, cells, n_days, grace)

    step = max(_CELLS // n_days, 1)
    in_halves(rows.n_blocks, fill, many=_MANY_BLOCKS)  # either half only ever writes True
    in_halves(-(-n_members // step), read, many=2)
    return found
