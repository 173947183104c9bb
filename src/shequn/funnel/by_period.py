"""Does conversion rise or fall, by the period in which members entered?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, overload

import attrs
import numpy as np

from shequn.columns.breakdown import Tally
from shequn.columns.horizon import Horizon
from shequn.columns.readonly import added, by_fields, counts_field, frozen
from shequn.columns.table import Column
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.funnel.asked import Asked
from shequn.funnel.segments import Keys, find_asked, segmented
from shequn.stats import Interval, wilson
from shequn.values.calendar import Calendar, Unit, WeekStart

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    import pendulum
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.breakdown import Breakdown
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.log import EventLog
    from shequn.columns.table import Lang
    from shequn.funnel.attempts import Found
    from shequn.funnel.definition import Funnel
    from shequn.labels import Assignment, Label

__all__ = ["FunnelTrend", "FunnelTrendRow", "trend"]


@attrs.frozen(kw_only=True)
class FunnelTrendRow:
    """Those who entered in one period; the names are those of `FunnelTrend`."""

    period: pendulum.Date | pendulum.DateTime
    entered: int
    completed: int
    rate: float
    lower: float
    upper: float
    complete: bool


@attrs.frozen(kw_only=True, repr=False)
class FunnelTrend(Tally[FunnelTrendRow]):
    """Conversion of those who entered in each period; made by `trend`. A member counts once in each period.

    Attributes
    ----------
    funnel : Funnel
        The definition.
    calendar : Calendar
        What a period is.
    first_period : int
        Number of the first period of the axis.
    reached : ndarray of int64, shape (n_periods, n_steps)
        As `FunnelResult.reached`, for the attempts that begin in the period.
    tainted : ndarray of int64, shape (n_periods,)
        Members who entered in the period, and whose every attempt of it an excluding row stood in the way of.
    horizon : Horizon
        The end of observation, and whether it was derived from the data.

    Examples
    --------
    >>> from pendulum import duration
    >>> from shequn.columns import EventLog
    >>> from shequn.funnel import Funnel
    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "bo"], kind=["join", "post", "join"], at=[0, 5400, 86400 * 8], time_unit="s"
    ... )
    >>> print(trend(log, Funnel(steps=("join", "post"), within=duration(days=1)), every="week", tz="UTC"))
    period      entered  completed    rate  lower   upper  complete
    ───────────────────────────────────────────────────────────────
    1969-12-29        1          1  100.0%  20.7%  100.0%  yes
    1970-01-05        1          0       –      –       –  no
    """

    funnel: Funnel
    calendar: Calendar
    first_period: int = 0
    reached: IntArray = counts_field()
    tainted: IntArray = counts_field()
    horizon: Horizon = Horizon()

    _Row: ClassVar[type[Any] | None] = FunnelTrendRow

    @property
    def n_periods(self) -> int:
        """Number of periods of the axis."""
        return len(self.reached)

    @property
    def periods(self) -> NDArray[Any]:
        """Local start date of each period, shape (n_periods,), datetime64."""
        return frozen(self.calendar.label(self._numbers))

    @property
    def _numbers(self) -> IntArray:
        return self.first_period + np.arange(self.n_periods)

    @property
    def entered(self) -> IntArray:
        """Members who entered in each period, shape (n_periods,)."""
        return frozen(self.reached[:, 0] + self.tainted)

    @property
    def completed(self) -> IntArray:
        """Members of those who went all the way, shape (n_periods,)."""
        return frozen(self.reached[:, self.funnel.required[-1] if self.funnel.order != "any" else -1])

    @property
    def complete(self) -> BoolArray:
        """Whether the whole window of every entry of the period was observed, shape (n_periods,)."""
        if not self.n_periods:
            return frozen(np.zeros(0, dtype=np.bool_))
        last_entries = self.calendar.end_us(self._numbers)
        return frozen(last_entries + self.funnel.within_us <= (self.horizon.until_us or 0))

    @property
    def rates(self) -> FloatArray:
        """Completed / reached the first step; NaN where nobody did, or the period is not complete."""
        trials = self.reached[:, 0]
        usable = self.complete & (trials > 0)
        return frozen(np.divide(self.completed, trials, out=np.full(len(trials), np.nan), where=usable))

    def intervals(self, *, level: float = 0.95) -> Interval:
        """Return Wilson intervals of the rates, NaN where these are.

        Parameters
        ----------
        level : float
            Confidence, between 0 and 1.

        Returns
        -------
        Interval
        """
        bounds = [np.array(bound) for bound in wilson(self.completed, self.reached[:, 0], level=level)]
        for bound in bounds:
            bound[~self.complete] = np.nan
        return Interval(*map(frozen, bounds))

    def merge(self, other: FunnelTrend, /) -> FunnelTrend:
        """Return the trend of the members of both, over the periods of both.

        Parameters
        ----------
        other : FunnelTrend
            Of other members, with the same funnel and calendar.

        Returns
        -------
        FunnelTrend

        Raises
        ------
        InvalidTypeError, InvalidValueError
            It is none, or one of another funnel or calendar, or observed until another given instant.
        """
        if not isinstance(other, FunnelTrend):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("other", "a FunnelTrend", other))
        for name in ("funnel", "calendar"):
            if getattr(self, name) != getattr(other, name):
                expected = f"the same in both parts ({getattr(self, name)})"
                raise InvalidValueError(message(name, expected, getattr(other, name)))
        horizon = self.horizon.merge(other.horizon)
        parts = [part for part in (self, other) if part.n_periods]
        if not parts:
            return attrs.evolve(self, horizon=horizon)
        low = min(part.first_period for part in parts)
        high = max(part.first_period + part.n_periods for part in parts)
        reached = [_placed(part.reached, part.first_period - low, high - low) for part in parts]
        tainted = [_placed(part.tainted, part.first_period - low, high - low) for part in parts]
        return attrs.evolve(
            self,
            first_period=low,
            reached=added(reached, argument="reached"),
            tainted=added(tainted, argument="tainted"),
            horizon=horizon,
        )

    def _headcount(self) -> IntArray:
        return self.reached

    def _emptied(self) -> FunnelTrend:
        return attrs.evolve(self, reached=np.zeros_like(self.reached), tainted=np.zeros_like(self.tainted))

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        lower, upper = self.intervals()
        return [
            Column(key="period", en="period", zh="周期", values=self.periods, format="date"),
            Column(key="entered", en="entered", zh="进入", values=self.entered, format="count"),
            Column(key="completed", en="completed", zh="完成", values=self.completed, format="count"),
            Column(key="rate", en="rate", zh="转化率", values=self.rates, format="rate"),
            Column(key="lower", en="lower", zh="下限", values=lower, format="rate"),
            Column(key="upper", en="upper", zh="上限", values=upper, format="rate"),
            Column(key="complete", en="complete", zh="完整", values=self.complete),
        ]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the number of periods."""
        return f"FunnelTrend({self.n_periods} periods, {self.calendar.name()}, {' → '.join(self.funnel.names)})"


def _placed(counts: IntArray, start: int, n_periods: int) -> IntArray:
    """Return counts on a longer axis of periods."""
    placed = np.zeros((n_periods, *counts.shape[1:]), dtype=np.int64)
    placed[start : start + len(counts)] = counts
    return placed


@overload
def trend(
    log: EventLog,
    funnel: Funnel,
    /,
    *,
    every: Unit | Calendar,
    tz: str | None = None,
    week_start: WeekStart = "monday",
    by: None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> FunnelTrend: ...


@overload
def trend(
    log: EventLog,
    funnel: Funnel,
    /,
    *,
    every: Unit | Calendar,
    tz: str | None = None,
    week_start: WeekStart = "monday",
    by: Assignment | Mapping[Label, Label | None] | str,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> Breakdown[FunnelTrend]: ...


def trend(
    log: EventLog,
    funnel: Funnel,
    /,
    *,
    every: Unit | Calendar,
    tz: str | None = None,
    week_start: WeekStart = "monday",
    by: Assignment | Mapping[Label, Label | None] | str | None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> FunnelTrend | Breakdown[FunnelTrend]:
    """Count conversion by the period of the entry.

    Parameters
    ----------
    log, funnel, by, start, end, unknown_kinds
        As in `convert`.
    every : {"hour", "day", "week", "month", "quarter", "year"} or Calendar
        The period; a `Calendar` for every n of them.
    tz : str, optional
        Zone whose wall clock the periods follow. There is no default; a `Calendar` brings its own.
    week_start : {"monday", "sunday"}
        First day of the week; without effect on other periods.
    observed_until : aware datetime, optional
        End of observation: rows at or after it are ignored. Left out, it is the last row's instant plus the log's
        resolution.

    Returns
    -------
    FunnelTrend, or Breakdown of them with `by`
        One row for each period from that of the first entry to that of the last, the same for each segment.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError, MisalignedError
        As in `convert`; the period or the zone cannot be used.

    Notes
    -----
    A member counts once in each period they entered in, at the level of the attempts that begin in it; a way that
    began in a period may end later. A period is complete when its end + within ≤ `observed_until`: then every entry of
    it is mature. Counts are given for all periods, rates for complete ones. By a column, a member counts once in each
    period for each value they entered with in it, and in the total once.

    Examples
    --------
    >>> from pendulum import duration
    >>> from shequn.columns import EventLog
    >>> from shequn.funnel import Funnel
    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "bo"], kind=["join", "post", "join"], at=[0, 5400, 86400 * 8], time_unit="s"
    ... )
    >>> by_week = trend(log, Funnel(steps=("join", "post"), within=duration(days=1)), every="week", tz="UTC")
    >>> by_week.completed.tolist(), by_week.complete.tolist()
    ([1, 0], [True, False])

    Segment by segment:

    >>> by_tier = trend(
    ...     log,
    ...     Funnel(steps=("join", "post"), within=duration(days=1)),
    ...     every="week",
    ...     tz="UTC",
    ...     by={"ann": "silver", "bo": "gold"},
    ... )
    >>> {tier: part.entered.tolist() for tier, part in by_tier.items()}
    {'silver': [1, 0], 'gold': [0, 1]}
    """
    asked = Asked.of(
        log, funnel, start=start, end=end, maturity="all", observed_until=observed_until, unknown_kinds=unknown_kinds
    )
    calendar = Calendar.of(every, tz=tz, week_start=week_start)
    horizon = Horizon.of(log, observed_until)

    def period_of(rows: IntArray | None, at_us: IntArray) -> IntArray:
        del rows
        return calendar.index(at_us).astype(np.int64)

    def found(keys: Keys) -> tuple[Found]:
        return (find_asked(asked, asked.entered, keys, with_witness=bool(funnel.optional)),)

    groups = segmented(asked, log, by, found, key_of=period_of)
    periods = groups.total[0].key
    low, high = (int(periods.min()), int(periods.max()) + 1) if len(periods) else (0, 0)

    def counted(of: Found) -> FunnelTrend:
        at_level, reached = _counts(funnel, of, of.key - low, high - low)
        return FunnelTrend(
            funnel=funnel,
            calendar=calendar,
            first_period=low,
            reached=reached,
            tainted=at_level[:, 0],
            horizon=horizon,
        )

    return groups.tallied(counted)


def _counts(funnel: Funnel, found: Found, period: IntArray, n_periods: int) -> tuple[IntArray, IntArray]:
    """Return how many groups of each period have each level, and how many reached each step."""
    steps = np.arange(funnel.n_steps) if funnel.order == "any" else np.array(funnel.required)
    n_levels = len(steps) + 1
    at_level = np.bincount(period * n_levels + found.level, minlength=n_periods * n_levels)
    at_level = at_level.reshape(n_periods, n_levels)
    reached = np.zeros((n_periods, funnel.n_steps), dtype=np.int64)
    reached[:, steps] = np.cumsum(at_level[:, ::-1], axis=1)[:, ::-1][:, 1:]
    for step in funnel.skippable:
        reached[:, step] = np.bincount(period[found.places[:, step] >= 0], minlength=n_periods)
    return at_level, reached
