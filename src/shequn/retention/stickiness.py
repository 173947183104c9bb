"""On how many days does a member come, and what share of a month's members come on an average day (DAU/MAU)?"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from shequn.columns.log import EventLog
from shequn.columns.readonly import by_fields, counts_field, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.retention.presence import NEVER, Presence, presence
from shequn.stats._checks import one_of, whole
from shequn.values.calendar import Calendar, Unit, WeekStart

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import pendulum
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.table import Lang

__all__ = ["ActiveDays", "ActiveDaysRow", "Stickiness", "StickinessRow", "active_days", "stickiness"]

_PER: tuple[Unit, ...] = ("week", "month", "quarter", "year")
_LONGEST_WINDOW = 3_660
_EARLIEST = dt.date(1700, 1, 1)
_ACTIVE_ZH = {
    "hour": "活跃小时",
    "day": "活跃天数",
    "week": "活跃周数",
    "month": "活跃月数",
    "quarter": "活跃季数",
    "year": "活跃年数",
}


def _dates(values: ArrayLike) -> NDArray[np.datetime64]:
    return frozen(np.array(values, dtype="M8[D]"))


def _flags(values: ArrayLike) -> BoolArray:
    return frozen(np.array(values, dtype=np.bool_))


_by_values = attrs.cmp_using(eq=np.array_equal)


@attrs.frozen(kw_only=True)
class StickinessRow:
    """One week or month; the names are those of `Stickiness`."""

    period: pendulum.Date
    active: int
    active_days: int
    n_days: int
    mean_daily: float
    days_per_member: float
    stickiness: float
    complete: bool


@attrs.frozen(kw_only=True, repr=False)
class Stickiness(Tabular[StickinessRow]):
    """How much of a week's or month's membership comes on an average day (DAU/WAU, DAU/MAU); made by `stickiness`.

    All arrays have shape (n_periods,).

    Attributes
    ----------
    periods : ndarray of datetime64
        Local start date of each week or month.
    active : ndarray of int64
        Members active on any day of it (WAU, MAU).
    active_days : ndarray of int64
        Pairs of a member and a day on which they were active.
    n_days : ndarray of int64
        Days of the period on the local calendar.
    complete : ndarray of bool
        Whether the whole period was observed; rates of others are NaN.
    calendar : Calendar
        What a period is.

    Examples
    --------
    >>> p = Presence.from_columns(
    ...     member=[7, 7, 9], period=np.array(["2024-02-01", "2024-02-02", "2024-02-29"], "M8[D]"), every="day"
    ... )
    >>> print(stickiness(p))
    period      active  active days  days  mean daily  days/member  stickiness  complete
    ────────────────────────────────────────────────────────────────────────────────────
    2024-02-01       2            3    29         0.1         1.50        5.2%  yes
    """

    periods: NDArray[np.datetime64] = attrs.field(converter=_dates, eq=_by_values)
    active: IntArray = counts_field()
    active_days: IntArray = counts_field()
    n_days: IntArray = counts_field()
    complete: BoolArray = attrs.field(converter=_flags, eq=_by_values)
    calendar: Calendar

    _Row: ClassVar[type[Any] | None] = StickinessRow

    def _ratio(self, part: NDArray[Any], whole: NDArray[Any]) -> FloatArray:
        usable = self.complete & (whole > 0)
        return frozen(np.divide(part, whole, out=np.full(len(part), np.nan), where=usable))

    @property
    def mean_daily(self) -> FloatArray:
        """Mean members active on a day (average DAU), shape (n_periods,)."""
        return self._ratio(self.active_days, self.n_days)

    @property
    def days_per_member(self) -> FloatArray:
        """Mean distinct active days of an active member, shape (n_periods,)."""
        return self._ratio(self.active_days, self.active)

    @property
    def stickiness(self) -> FloatArray:
        """Mean daily active members / active members of the period (DAU/MAU), shape (n_periods,)."""
        return self._ratio(self.active_days, self.active * self.n_days)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        daily, each = self.mean_daily, self.days_per_member
        return [
            Column(key="period", en="period", zh="周期", values=self.periods, format="date"),
            Column(key="active", en="active", zh="活跃成员", values=self.active, format="count"),
            Column(key="active_days", en="active days", zh="活跃人天", values=self.active_days, format="count"),
            Column(key="n_days", en="days", zh="天数", values=self.n_days, format="count"),
            Column(key="mean_daily", en="mean daily", zh="日均活跃", values=daily, format="number", digits=1),
            Column(key="days_per_member", en="days/member", zh="人均天数", values=each, format="number", digits=2),
            Column(key="stickiness", en="stickiness", zh="粘性", values=self.stickiness, format="rate"),
            Column(key="complete", en="complete", zh="完整", values=self.complete),
        ]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the number of periods."""
        return f"Stickiness({len(self.periods)} periods, {self.calendar.name()})"


def stickiness(
    data: EventLog | Presence,
    /,
    *,
    per: Unit = "month",
    tz: str | None = None,
    week_start: WeekStart = "monday",
    kinds: Collection[str] | str | None = None,
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> Stickiness:
    """Measure what share of a week's or month's members comes on an average day (DAU/MAU), and on how many days.

    Parameters
    ----------
    data : EventLog or Presence
        A presence must be by single days.
    per : {"month", "week", "quarter", "year"}
        The longer period.
    tz, kinds, observed_until, unknown_kinds
        As in `presence`, where the data is a log. A presence brings its own.
    week_start : {"monday", "sunday"}
        First day of the week; without effect on other periods.

    Returns
    -------
    Stickiness
        One entry for each period from that of the first active day to that of the last observed one.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        `per` is no longer than a day, the presence is not by days, or an option contradicts it.

    See Also
    --------
    active_days : The same ratio over the last 28 days, with the histogram behind it.

    Notes
    -----
    Stickiness = average DAU / MAU: (Σ active (member, day) pairs / days) / distinct members active in the period. A
    member is active once a day, however many rows there are. Days are local calendar days, so months have 28 to 31 of
    them; a date that a zone left out is no day. Some dashboards divide by the members of the last 28 or 30 days
    instead of the month's: that is what `active_days` gives.

    A period is complete when the observation reaches its end and, of a presence that was cut by `tail`, its start. The
    period in which a log begins counts all its days, so that it looks less sticky than it was if the community, or the
    log, began in its middle.

    Examples
    --------
    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "bo"],
    ...     kind="post",
    ...     at=np.array(["2024-01-01", "2024-01-02", "2024-01-31T12"], "M8[h]"),
    ...     at_tz="UTC",
    ... )
    >>> import pendulum
    >>> s = stickiness(log, per="month", tz="UTC", observed_until=pendulum.datetime(2024, 2, 1))
    >>> s.active.tolist(), s.days_per_member.tolist(), s.stickiness.round(4).tolist()
    ([2], [1.5], [0.0484])
    """
    one_of("per", per, _PER)
    daily = _tally(data, tz=tz, kinds=kinds, observed_until=observed_until, unknown_kinds=unknown_kinds)
    if daily.calendar.unit != "day" or daily.calendar.n != 1:
        raise InvalidValueError(message("data", "a presence by single days", daily.calendar.name()))
    longer = Calendar.of(per, tz=daily.calendar.tz, week_start=week_start)
    numbers = _periods_of_days(daily, longer)
    edges = np.append(numbers, numbers[-1:] + 1)
    # Days before the first one of the axis lie outside it, as slices from a negative start would not.
    first_days = _first_days(daily.calendar, longer, edges)
    bounds = np.clip(first_days - daily.first_period, 0, daily.n_periods).tolist()
    counts = daily.active
    return Stickiness(
        periods=longer.label(numbers),
        active=np.array([daily.sets.distinct(start, stop) for start, stop in pairwise(bounds)], dtype=np.int64),
        active_days=np.array([counts[start:stop].sum() for start, stop in pairwise(bounds)], dtype=np.int64),
        n_days=_days_between(daily.calendar, first_days),
        complete=_observed(daily, longer, numbers, first_days[:-1]),
        calendar=longer,
    )


def _periods_of_days(daily: Presence, longer: Calendar) -> IntArray:
    """Return the numbers of the longer periods that the axis of days touches."""
    if not daily.n_periods:
        return np.empty(0, dtype=np.int64)
    first, last = (day.item() for day in daily.periods[[0, -1]])
    return np.arange(longer.index_of_date(first), longer.index_of_date(last) + 1)


def _first_days(days: Calendar, longer: Calendar, numbers: IntArray) -> IntArray:
    """Return the numbers of the days on which periods start."""
    return np.array([days.index_of_date(label) for label in longer.label(numbers).tolist()], dtype=np.int64)


def _days_between(days: Calendar, first_days: IntArray) -> IntArray:
    """Count the days of each period, without those that the zone's calendar left out."""
    if not len(first_days):
        return np.empty(0, dtype=np.int64)
    every_day = np.arange(int(first_days[0]), int(first_days[-1]))
    happened = days.end_us(every_day) > days.start_us(every_day)
    return np.add.reduceat(happened, first_days[:-1] - first_days[0], dtype=np.int64)


def _observed(daily: Presence, longer: Calendar, numbers: IntArray, first_days: IntArray) -> BoolArray:
    since_start = (first_days >= daily.first_period) | (not _is_cut(daily))
    return since_start & (longer.end_us(numbers) <= (daily.horizon.until_us or 0))


def _is_cut(tally: Presence) -> bool:
    """Return whether there was activity before the axis, so that its days are not known one by one."""
    return bool((tally.first < tally.first_period).any())


@attrs.frozen(kw_only=True)
class ActiveDaysRow:
    """Members with one number of active days; the names are those of `ActiveDays`."""

    days: int
    n_members: int
    share: float
    at_least: int


@attrs.frozen(kw_only=True, repr=False)
class ActiveDays(Tabular[ActiveDaysRow]):
    """How many members were active on exactly k of the last n days: L-ness (L28), the power-user curve.

    Attributes
    ----------
    n_members : ndarray of int64, shape (n + 1,)
        Members active on exactly 0, 1, …, n days of the window. Those on 0 days were active before it.
    start, end : pendulum.Date, pendulum.DateTime or None
        First and last day of the window; None where nobody was ever active.
    calendar : Calendar
        What is called a day here: of a presence by weeks, a week.

    Examples
    --------
    >>> p = Presence.from_columns(
    ...     member=[7, 7, 9], period=np.array(["2024-02-01", "2024-02-02", "2024-02-03"], "M8[D]"), every="day"
    ... )
    >>> print(active_days(p, last=3))
    2024-02-01 – 2024-02-03
    active days  members  share  at least
    ─────────────────────────────────────
              0        0      –         2
              1        1  50.0%         2
              2        1  50.0%         1
              3        0   0.0%         0
    Mean of active members: 1.50; stickiness: 50.0%.
    """

    n_members: IntArray = counts_field()
    start: pendulum.Date | pendulum.DateTime | None
    end: pendulum.Date | pendulum.DateTime | None
    calendar: Calendar

    _Row: ClassVar[type[Any] | None] = ActiveDaysRow

    @property
    def n_days(self) -> int:
        """Length of the window, n."""
        return len(self.n_members) - 1

    @property
    def days(self) -> IntArray:
        """Number of active days, 0..n, shape (n + 1,)."""
        return frozen(np.arange(len(self.n_members)))

    @property
    def active(self) -> int:
        """Members active on any day of the window (with 28 days, MAU)."""
        return int(self.n_members[1:].sum())

    @property
    def share(self) -> FloatArray:
        """Share of `active` with exactly k days, the power-user curve; NaN at 0 days, shape (n + 1,)."""
        usable = (self.days > 0) & (self.active > 0)
        return frozen(np.divide(self.n_members, self.active, out=np.full(len(usable), np.nan), where=usable))

    @property
    def at_least(self) -> IntArray:
        """Members active on k days or more, shape (n + 1,)."""
        return frozen(np.cumsum(self.n_members[::-1])[::-1])

    @property
    def mean_days(self) -> float:
        """Mean active days of an active member; NaN where nobody was active."""
        return int(self.days @ self.n_members) / self.active if self.active else float("nan")

    @property
    def stickiness(self) -> float:
        """Mean daily active members / members active in the window (DAU/MAU): `mean_days` / n; NaN where nobody was."""
        return self.mean_days / self.n_days

    def _title(self, _lang: Lang, /) -> str | None:
        return None if self.start is None else f"{_day_text(self.start)} – {_day_text(self.end)}"

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        unit = self.calendar.unit if self.calendar.n == 1 else "period"
        zh = _ACTIVE_ZH.get(unit, "活跃周期数")
        return [
            Column(key="days", en=f"active {unit}s", zh=zh, values=self.days, format="count"),
            Column(key="n_members", en="members", zh="成员", values=self.n_members, format="count"),
            Column(key="share", en="share", zh="占比", values=self.share, format="rate"),
            Column(key="at_least", en="at least", zh="至少", values=self.at_least, format="count"),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        if not self.active:
            return []
        if lang == "zh":
            return [f"活跃成员平均 {self.mean_days:.2f}；粘性 {self.stickiness:.1%}。"]
        return [f"Mean of active members: {self.mean_days:.2f}; stickiness: {self.stickiness:.1%}."]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the window."""
        window = "empty" if self.start is None else f"{_day_text(self.start)} – {_day_text(self.end)}"
        return f"ActiveDays({window}, {self.active:,} active members)"


def _day_text(day: object) -> str:
    return str(day)[:16].replace("T", " ")


def active_days(
    data: EventLog | Presence,
    /,
    *,
    last: int = 28,
    tz: str | None = None,
    kinds: Collection[str] | str | None = None,
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> ActiveDays:
    """Count members by the number of days, of the last `last` whole ones, on which they were active (L-ness).

    Parameters
    ----------
    data : EventLog or Presence
        A presence may be of any period; what is said of days here then holds of those.
    last : int, default 28
        Length of the window in days, at most 3,660: 28 is L28, 7 is L7. It ends with the last day that was observed
        whole, and may reach back beyond the first row of a log.
    tz, kinds, observed_until, unknown_kinds
        As in `presence`, where the data is a log. A presence brings its own.

    Returns
    -------
    ActiveDays
        Zeros, without a window, where nobody was ever active.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        `last` cannot be used, no day was observed whole, the presence was cut inside the window, or an option
        contradicts it.

    Notes
    -----
    L-ness k of a window is the number of members active on exactly k of its days. The power-user curve is their share
    of those active at all.

    Examples
    --------
    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "bo", "cy"],
    ...     kind="post",
    ...     at=np.array(["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-03"], "M8[D]"),
    ...     at_tz="UTC",
    ... )
    >>> active_days(log, last=2, tz="UTC").n_members.tolist()
    [0, 1, 1]
    """
    n_days = whole("last", last)
    if not 1 <= n_days <= _LONGEST_WINDOW:
        raise InvalidValueError(message("last", f"a number of days in [1, {_LONGEST_WINDOW:,}]", last))
    tally = _tally(data, tz=tz, kinds=kinds, observed_until=observed_until, unknown_kinds=unknown_kinds)
    if not tally.n_periods:
        none = np.zeros(n_days + 1, dtype=np.int64)
        return ActiveDays(n_members=none, start=None, end=None, calendar=tally.calendar)
    n_whole = int(np.count_nonzero(tally.complete))
    if not n_whole:
        expected = f"an end of observation after at least one whole {tally.calendar.unit}"
        raise InvalidValueError(message("observed_until", expected, str(tally.observed_until)))
    end = tally.first_period + n_whole - 1
    if n_days > n_whole and _is_cut(tally):
        raise InvalidValueError(message("last", f"at most {n_whole}, since the presence was cut before those", last))
    n_since_1700 = end - tally.calendar.index_of_date(_EARLIEST) + 1
    if n_days > n_since_1700:
        raise InvalidValueError(message("last", f"at most {n_since_1700:,}, which reach back to 1700", last))
    known = (tally.first != NEVER) & (tally.first <= end)
    counts = tally.sets.periods_of_members(max(n_whole - n_days, 0), n_whole)[known]
    return ActiveDays(
        n_members=np.bincount(counts, minlength=n_days + 1),
        start=tally.calendar.label_one(end - n_days + 1),
        end=tally.calendar.label_one(end),
        calendar=tally.calendar,
    )


def _tally(
    data: object,
    *,
    tz: str | None,
    kinds: Collection[str] | str | None,
    observed_until: dt.datetime | None,
    unknown_kinds: UnknownKinds,
) -> Presence:
    """Return the presence given, or that of a log by days."""
    if isinstance(data, EventLog):
        return presence(
            data, every="day", tz=tz, kinds=kinds, observed_until=observed_until, unknown_kinds=unknown_kinds
        )
    if not isinstance(data, Presence):
        raise InvalidTypeError(message("data", "an EventLog or a Presence", data))
    for name, given in (("kinds", kinds), ("observed_until", observed_until)):
        if given is not None:
            expected = "None beside a presence, which was made with its own: pass the log to change it"
            raise InvalidValueError(message(name, expected, given))
    Calendar.of(data.calendar, tz=tz)
    return data
