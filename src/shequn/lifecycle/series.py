"""How large was a community in each period, and how lively? The series that its stages are judged by."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from shequn.columns.horizon import Horizon
from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, counted, message
from shequn.stats._checks import counts, instance, plain_array, refuse, whole
from shequn.values.calendar import Calendar
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pendulum
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.values.calendar import Unit, WeekStart

__all__ = ["CommunityPeriod", "CommunitySeries", "count_column", "last_period", "n_partial", "series_columns"]

_COUNTED = ("members", "active", "messages")
_MOST = 2**53


def count_column(name: str) -> Any:  # noqa: ANN401
    """Return the field of a record that holds a column of counts up to 2**53, which floats tell exactly."""

    def convert(values: ArrayLike) -> IntArray:
        column = _one_axis(name, values)
        if (bad := column > _MOST).any():
            refuse(name, "counts up to 2**53", column, bad)
        return read_only(column)

    field: Callable[..., Any] = attrs.field
    return field(converter=convert, eq=attrs.cmp_using(eq=np.array_equal))


def _one_axis(name: str, values: ArrayLike) -> IntArray:
    column = counts(name, values)
    if column.ndim != 1:
        raise InvalidValueError(message(name, "one axis", f"shape {column.shape}"))
    return column


def _first_period(number: int) -> int:
    first = whole("first_period", number)
    if abs(first) > _MOST:
        raise InvalidValueError(message("first_period", "the number of a period, within 2**53 of 0", number))
    return first


@attrs.frozen(kw_only=True)
class CommunityPeriod:
    """One period of a community; the names are those of `CommunitySeries`.

    Examples
    --------
    >>> week = CommunityPeriod(
    ...     period=0, members=20, active=5, messages=30, growth=0.1, activity=1.5, active_share=0.25, complete=True
    ... )
    >>> week.activity
    1.5
    """

    period: pendulum.Date | pendulum.DateTime | int
    members: int
    active: int
    messages: int
    growth: float
    activity: float
    active_share: float
    complete: bool


@attrs.frozen(kw_only=True, repr=False)
class CommunitySeries(Tabular[CommunityPeriod]):
    r"""Size and liveliness of a community in consecutive periods; made by `community_series`, or from counts.

    Attributes
    ----------
    members : ndarray of int64, shape (n_periods,)
        Members at the end of each period.
    active : ndarray of int64, shape (n_periods,)
        Distinct members who were active in it.
    messages : ndarray of int64, shape (n_periods,)
        What they wrote: organic messages, without those of staff, bots and advertisers.
    calendar : Calendar or None
        What a period is; None where periods are only numbered.
    first_period : int
        Number of the first period, as in `Calendar.index`.
    partial : int
        How many of the last periods were not observed in full. They are shown, and never judged.
    horizon : Horizon
        Until when was observed.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        A column holds anything but counts up to 2**53, the columns differ in length, `first_period` is no number of a
        period, or `partial` is not in [0, n_periods].

    Notes
    -----
    With M members at the end of a period, A active and Q messages in it:

    - growth: :math:`\ln M_p - \ln M_{p-1}`; 0 where both are 0, and NaN in the first period;
    - activity: :math:`Q / N` messages a member, and active share: :math:`A / N`, with :math:`N = \max(M, A, 1)`, as
      some who were active may have left by the end.

    Examples
    --------
    >>> series = CommunitySeries(members=[10, 20, 40], active=[4, 10, 10], messages=[20, 80, 60])
    >>> series.growth.round(3).tolist(), series.activity.tolist(), series.active_share.tolist()
    ([nan, 0.693, 0.693], [2.0, 4.0, 1.5], [0.4, 0.5, 0.25])
    """

    members: IntArray = count_column("members")
    active: IntArray = count_column("active")
    messages: IntArray = count_column("messages")
    calendar: Calendar | None = None
    first_period: int = attrs.field(default=0, converter=_first_period)
    partial: int = 0
    horizon: Horizon = Horizon()

    _Row: ClassVar[type[Any] | None] = CommunityPeriod

    def __attrs_post_init__(self) -> None:
        for name in _COUNTED:
            column = getattr(self, name)
            if len(column) != len(self.members):
                expected = f"as many rows as `members`, which has {len(self.members)}"
                raise MisalignedError(message(name, expected, len(column)) + " rows")
        if not 0 <= whole("partial", self.partial) <= len(self.members):
            raise InvalidValueError(
                message("partial", f"0 to {len(self.members)}, the periods there are", self.partial)
            )

    @classmethod
    def from_counts(
        cls,
        *,
        members: ArrayLike,
        active: ArrayLike,
        messages: ArrayLike,
        period: ArrayLike | Sequence[dt.date] | None = None,
        every: Unit | Calendar = "week",
        tz: str | None = None,
        week_start: WeekStart = "monday",
        observed_until: dt.datetime | None = None,
        partial: int = 0,
    ) -> CommunitySeries:
        """Build from counts that were made elsewhere, a row a period, none left out.

        Parameters
        ----------
        members, active, messages : array_like of int, shape (n_periods,)
            Members at the end of the period; those active in it; organic messages in it.
        period : array_like of date, shape (n_periods,), optional
            Local start date of each. Left out: periods are numbered from 0.
        every, tz, week_start : optional
            What a period is, where `period` is given; a calendar brings its zone. UTC by default.
        observed_until : aware datetime, optional
            Periods that end later were not observed in full.
        partial : int, default 0
            How many of the last periods were not observed in full, where there is no `observed_until`.

        Raises
        ------
        InvalidTypeError
            A column holds no counts, or no dates.
        InvalidValueError
            A count is negative, a date is not the start of a period or does not follow the one before, or options
            contradict each other; the message names the row.
        MisalignedError
            Columns differ in length.

        Examples
        --------
        >>> series = CommunitySeries.from_counts(
        ...     members=[10, 20], active=[4, 10], messages=[20, 80],
        ...     period=np.array(["2024-01-01", "2024-01-08"], "M8[D]"),
        ... )
        >>> print(series.table(lang="zh"))
        周期        成员  活跃  消息  增长率  人均消息  活跃占比
        ────────────────────────────────────────────────────────
        2024-01-01    10     4    20       –      2.00     40.0%
        2024-01-08    20    10    80   69.3%      4.00     50.0%
        """
        given: dict[str, Any] = {"members": members, "active": active, "messages": messages}
        if period is None:
            if observed_until is not None:
                raise InvalidValueError(message("observed_until", "None where periods have no dates", observed_until))
            return cls(**given, partial=partial)
        calendar = Calendar.of(
            every, tz=tz if tz is not None or isinstance(every, Calendar) else "UTC", week_start=week_start
        )
        numbers = _numbers(period, calendar, len(_one_axis("members", members)))
        horizon = Horizon()
        if observed_until is not None:
            if partial:
                raise InvalidValueError(message("partial", "0 where observed_until is given", partial))
            horizon = Horizon(explicit_us=instant_us(observed_until, argument="observed_until"))
            partial = n_partial(calendar, numbers, horizon)
        first = int(numbers[0]) if len(numbers) else 0
        return cls(**given, calendar=calendar, first_period=first, partial=partial, horizon=horizon)

    @property
    def n_periods(self) -> int:
        """Number of periods."""
        return len(self.members)

    @property
    def n_complete(self) -> int:
        """Number of periods that were observed in full, which are the first ones."""
        return self.n_periods - self.partial

    @property
    def complete(self) -> BoolArray:
        """Which periods were observed in full, shape (n_periods,)."""
        return frozen(np.arange(self.n_periods) < self.n_complete)

    @property
    def periods(self) -> NDArray[Any]:
        """Local start date of each period as datetime64, or its number, shape (n_periods,)."""
        numbers = self.first_period + np.arange(self.n_periods)
        return frozen(numbers) if self.calendar is None else self.calendar.label(numbers)

    @property
    def growth(self) -> FloatArray:
        """Change of the logarithm of the number of members, shape (n_periods,); NaN in the first period."""
        return frozen(growth_of(self.members.astype(np.float64)))

    @property
    def activity(self) -> FloatArray:
        """Messages a member, shape (n_periods,)."""
        return frozen(self.messages / self._present())

    @property
    def active_share(self) -> FloatArray:
        """Share of the members who were active, shape (n_periods,)."""
        return frozen(self.active / self._present())

    def _present(self) -> IntArray:
        return np.maximum(np.maximum(self.members, self.active), 1)

    def merge(self, other: CommunitySeries, /) -> CommunitySeries:
        """Return the series of the members of both: parts of a log split by member add up to the whole.

        Exact, associative and commutative; the series of an empty log changes nothing.

        Parameters
        ----------
        other : CommunitySeries
            Of other members, in periods of the same calendar.

        Raises
        ------
        InvalidTypeError
            It is no CommunitySeries.
        InvalidValueError
            A series has no calendar, the calendars differ, or the ends of observation contradict each other.

        Examples
        --------
        >>> parts = [
        ...     CommunitySeries.from_counts(members=[n], active=[1], messages=[n], period=[dt.date(2024, 1, day)])
        ...     for n, day in ((5, 1), (7, 8))
        ... ]
        >>> parts[0].merge(parts[1]).members.tolist()
        [5, 12]
        """
        instance("other", other, CommunitySeries, expected="a CommunitySeries")
        calendar = self.calendar
        if calendar is None or other.calendar != calendar:
            mine = "a calendar on both sides" if calendar is None else f"the same periods ({calendar.name()})"
            raise InvalidValueError(message("other", mine, None if other.calendar is None else other.calendar.name()))
        horizon = self.horizon.merge(other.horizon)
        parts = [part for part in (self, other) if part.n_periods]
        if not parts:
            return attrs.evolve(self, horizon=horizon)
        first = min(part.first_period for part in parts)
        last = max(part.first_period + part.n_periods for part in parts)
        if horizon.is_derived and horizon.until_us is not None:
            last = max(last, last_period(calendar, horizon.until_us) + 1)
        columns: dict[str, Any] = {name: np.zeros(last - first, dtype=np.int64) for name in _COUNTED}
        for part in parts:
            start = part.first_period - first
            for name in _COUNTED:
                columns[name][start : start + part.n_periods] += getattr(part, name)
            # Nothing more is known of these members after their last period: they are where they were.
            columns["members"][start + part.n_periods :] += part.members[-1]
        partial = last - min((p.first_period + p.n_complete for p in parts if p.partial), default=last)
        if horizon.until_us is not None:
            partial = n_partial(calendar, np.arange(first, last), horizon)
        return CommunitySeries(calendar=calendar, first_period=first, partial=partial, horizon=horizon, **columns)

    def _tidy(self) -> Sequence[Column]:
        return series_columns(self)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [column for column in series_columns(self) if self.partial or column.key != "complete"]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        of = f" of {counted(int(self.members[-1]), 'member')}" if self.n_periods else ""
        return f"CommunitySeries({counted(self.n_periods, 'period')}{of})"


def series_columns(series: CommunitySeries, /) -> list[Column]:
    """Return the columns of the table of a series, for tables that tell more too."""
    is_dated = series.calendar is not None
    return [
        Column(key="period", en="period", zh="周期", values=series.periods, format="date" if is_dated else "text"),
        Column(key="members", en="members", zh="成员", values=series.members, format="count"),
        Column(key="active", en="active", zh="活跃", values=series.active, format="count"),
        Column(key="messages", en="messages", zh="消息", values=series.messages, format="count"),
        Column(key="growth", en="growth", zh="增长率", values=series.growth, format="rate"),
        Column(key="activity", en="activity", zh="人均消息", values=series.activity, format="number", digits=2),
        Column(key="active_share", en="active share", zh="活跃占比", values=series.active_share, format="rate"),
        Column(key="complete", en="complete", zh="完整", values=series.complete),
    ]


def growth_of(members: FloatArray) -> FloatArray:
    """Return the change of the logarithm of sizes; NaN first, 0 where nobody stays nobody."""
    growth = np.full(len(members), np.nan)
    before, after = members[:-1], members[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        growth[1:] = np.where((before == 0) & (after == 0), 0.0, np.log(after) - np.log(before))
    return growth


def last_period(calendar: Calendar, until_us: int, /) -> int:
    """Return the last period that begins before an end of observation; where clocks go back it may be a later one."""
    last = calendar.index_one(until_us - 1)
    while int(calendar.start_us([last + 1])[0]) < until_us:
        last += 1
    return last


def n_partial(calendar: Calendar, numbers: IntArray, horizon: Horizon, /) -> int:
    """Count the periods that end after the end of observation."""
    return int((calendar.end_us(numbers) > (horizon.until_us or 0)).sum()) if len(numbers) else 0


def _numbers(period: ArrayLike | Sequence[dt.date], calendar: Calendar, n: int) -> IntArray:
    """Return the numbers of consecutive periods, told by their local start dates."""
    given = plain_array("period", period, expected="a 1-D column of dates")
    if given.ndim != 1:
        raise InvalidTypeError(message("period", "a 1-D column of dates", period))
    if len(given) != n:
        raise MisalignedError(message("period", f"as many rows as `members`, which has {n}", len(given)) + " rows")
    if given.dtype.kind != "M":
        for row, value in enumerate(given.tolist()):
            if not isinstance(value, dt.date) or getattr(value, "tzinfo", None) is not None:
                raise InvalidTypeError(message("period", "dates, the local starts of periods", value, row=row))
        given = np.array(given.tolist(), dtype="M8[us]")
    days = given.astype("M8[D]")
    bad = np.isnat(given) | ~((days >= np.datetime64("1900-01-01")) & (days < np.datetime64("2262-01-01")))
    if bad.any():
        refuse("period", "dates in [1900, 2262)", given.astype(str), bad)
    # A label is what the clocks on the wall show, and so is UTC.
    numbers = attrs.evolve(calendar, tz="UTC").index(given.astype("M8[us]").astype(np.int64)).astype(np.int64)
    if (bad := calendar.label(numbers) != given).any():
        refuse("period", f"local start dates of periods ({calendar.name()})", given.astype(str), bad)
    bad = np.zeros(n, dtype=np.bool_)
    bad[1:] = np.diff(numbers) != 1
    if bad.any():
        refuse("period", "each period right after the one before", given.astype(str), bad)
    return numbers
