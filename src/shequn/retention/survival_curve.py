"""What share is still there after so much time, counting those of whom it is not yet known when they go?"""

# Longer than most files: one result, whose readings all turn times into its unit, and how it is shown.

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from shequn.columns.breakdown import Tally
from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, render
from shequn.errors import InvalidTypeError, InvalidValueError, counted, message
from shequn.retention.stays import IdleRule, Stays
from shequn.retention.time_units import (
    TimeUnitName,
    require_unit,
    span_text,
    to_units,
    unit_heading,
    unit_text,
    unit_us,
)
from shequn.stats import Interval, SurvivalTable
from shequn.stats._checks import instance, one_of
from shequn.values.elapsed import from_elapsed_us
from shequn.values.instants import from_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    import pendulum
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.retention.time_units import Times

__all__ = ["SurvivalCurve", "SurvivalRow", "curve_of_stays", "kaplan_meier"]

_FEW_TIMES = 16  # that are shown one by one
_N_STEPS = 12
_MOST_STEPS = 1_000_000
_LATEST = 1e290  # in any unit


@attrs.frozen(kw_only=True)
class SurvivalRow:
    """One time of a survival curve."""

    time: float
    at_risk: int
    events: int
    censored: int
    entered: int
    survival: float
    lower: float
    upper: float


@attrs.frozen(kw_only=True, repr=False)
class SurvivalCurve(Tally[SurvivalRow]):
    """The share still there by time since the beginning; made by `survival` from a log, or by `kaplan_meier`.

    Times are told in `unit`. Wherever a time is asked for, a number in that unit will do, or a duration.

    Attributes
    ----------
    counts : SurvivalTable
        Events, censorings and late entries by time: in microseconds where it was made from a log, else in the unit.
    unit : {"second", "minute", "hour", "day", "week", "month", "quarter", "year"} or None
        Of times; None where it was not named.
    too_young : int
        Members who began so late that nobody can say whether they have evaporated; they are not in `counts`.
    rule : IdleRule or None
        How it was told from a log who evaporated.
    stays : Stays
        First and last activity of each member, where the end of observation was derived from a log: a part of the log
        with a later end changes who has evaporated. Else of nobody.

    Examples
    --------
    >>> curve = kaplan_meier([6, 6, 6, 6, 7, 9, 10], [True, True, True, False, True, False, True], unit="week")
    >>> curve
    SurvivalCurve(7 followed: 5 events, 2 censored; median 7 weeks)
    >>> print(curve)
    weeks  at risk  events  censored  survival  lower  upper
    ────────────────────────────────────────────────────────
        6        7       3         1     57.1%  17.2%  83.7%
        7        3       1         0     38.1%   6.1%  71.6%
        9        2       0         1     38.1%   6.1%  71.6%
       10        1       1         0      0.0%      –      –
    7 followed: 5 events, 2 censored. Median 7 weeks (95 %: 6 to –).
    """

    counts: SurvivalTable = attrs.field(
        validator=lambda _self, _field, value: instance("counts", value, SurvivalTable, expected="a SurvivalTable")
    )
    unit: TimeUnitName | None = attrs.field(default=None, validator=lambda _self, _field, value: require_unit(value))
    too_young: int = 0
    rule: IdleRule | None = None
    stays: Stays = attrs.field(factory=Stays.of_nobody)

    _Row: ClassVar[type[Any] | None] = SurvivalRow

    # ── counts ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def n_followed(self) -> int:
        """How many were followed."""
        return self.counts.n_followed

    @property
    def n_members(self) -> int:
        """How many there were: those followed, and those too young."""
        return self.n_followed + self.too_young

    @property
    def n_events(self) -> int:
        """How many had the event; of a log, evaporated."""
        return int(self.counts.events.sum())

    @property
    def n_censored(self) -> int:
        """How many were last seen without the event."""
        return int(self.counts.censored.sum())

    @property
    def idle_after(self) -> pendulum.Duration | None:
        """How long a silence is evaporation; None where the curve was made from durations."""
        return None if self.rule is None else from_elapsed_us(self.rule.idle_us)

    @property
    def observed_until(self) -> pendulum.DateTime | None:
        """The first instant not observed; None without a log, or without a row in it."""
        return None if self.rule is None else _instant(self.rule.horizon.until_us)

    @property
    def followed_until(self) -> pendulum.DateTime | None:
        """The last instant of follow-up, `idle_after` before `observed_until`; None where that is."""
        return None if self.rule is None else _instant(self.rule.followed_until_us)

    @property
    def _scale(self) -> int:
        """How many units of the counts make one that is shown."""
        return 1 if self.rule is None else unit_us(self.unit)

    # ── curves ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def times(self) -> NDArray[Any]:
        """Distinct times, ascending, shape (n_times,); whole where whole durations came in."""
        times = self.counts.times
        return times if self._scale == 1 else frozen(times / self._scale)

    @property
    def at_risk(self) -> IntArray:
        """How many are at risk at each time, shape (n_times,)."""
        return self.counts.at_risk

    @property
    def events(self) -> IntArray:
        """How many have the event at each time, shape (n_times,)."""
        return self.counts.events

    @property
    def censored(self) -> IntArray:
        """How many are last seen without the event at each time, shape (n_times,)."""
        return self.counts.censored

    @property
    def survival(self) -> FloatArray:
        """Kaplan-Meier estimate of the share without the event after each time, shape (n_times,)."""
        return self.counts.survival

    @property
    def variance(self) -> FloatArray:
        """Greenwood's variance of `survival`, shape (n_times,); NaN where that is 0."""
        return self.counts.variance

    @property
    def lower(self) -> FloatArray:
        """Lower end of the 95 % log-log interval of `survival`, shape (n_times,)."""
        return self.counts.lower

    @property
    def upper(self) -> FloatArray:
        """Upper end of the 95 % log-log interval of `survival`, shape (n_times,)."""
        return self.counts.upper

    @property
    def cumulative_hazard(self) -> FloatArray:
        """Nelson-Aalen estimate of the cumulative hazard at each time, shape (n_times,)."""
        return self.counts.cumulative_hazard

    def intervals(self, *, level: float = 0.95) -> Interval:
        """Return the log-log interval of `survival` at each time; see `SurvivalTable.intervals`."""
        return self.counts.intervals(level=level)

    def cumulative_hazard_intervals(self, *, level: float = 0.95) -> Interval:
        """Return the log interval of `cumulative_hazard` at each time; see `SurvivalTable`."""
        return self.counts.cumulative_hazard_intervals(level=level)

    # ── readings ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def at(self, t: Times, /) -> FloatArray:
        """Return the share without the event after time t.

        Parameters
        ----------
        t : array_like of float, timedelta, or sequence of timedelta
            Numbers in the unit of the curve, any shape; or durations.

        Returns
        -------
        ndarray of float64, shape of `t`
            NaN after the end of follow-up, unless nobody is left by then.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `t` is neither; or it is durations, and the unit is unnamed or a month, quarter or year.

        Examples
        --------
        >>> from pendulum import duration
        >>> curve = kaplan_meier([2, 14, 21, 21], [True, True, True, False], unit="day")
        >>> curve.at([1, 14]), float(curve.at(duration(weeks=2)))
        (array([1. , 0.5]), 0.5)
        """
        return self.counts.at(self._in_counts("t", t))

    def intervals_at(self, t: Times, /, *, level: float = 0.95) -> Interval:
        """Return the log-log interval of what `at` returns.

        Examples
        --------
        >>> lower, upper = kaplan_meier([2, 14, 21, 21], [True, True, True, False], unit="day").intervals_at(14)
        >>> print(f"{lower:.3f} to {upper:.3f}")
        0.058 to 0.845
        """
        return self.counts.intervals_at(self._in_counts("t", t), level=level)

    def at_risk_at(self, t: Times, /) -> IntArray:
        """Return how many are at risk at time t, shape of `t`; 0 after the end.

        Examples
        --------
        >>> kaplan_meier([2, 14, 21, 21], [True, True, True, False], unit="day").at_risk_at([0, 3, 14, 15, 30])
        array([4, 3, 3, 2, 0])
        """
        return self.counts.at_risk_at(self._in_counts("t", t))

    @property
    def median(self) -> float:
        """First time by which half have had the event, in `unit`; NaN if never reached."""
        return float(self.quantile(0.5))

    def quantile(self, q: ArrayLike, /) -> FloatArray:
        """Return the first time by which a share q has had the event, in `unit`; NaN where it is never reached.

        Parameters
        ----------
        q : array_like of float
            Shares between 0 and 1, any shape.

        Returns
        -------
        ndarray of float64, shape of `q`
        """
        return frozen(np.asarray(self.counts.quantile(q) / self._scale))

    def quantile_interval(self, q: ArrayLike, /, *, level: float = 0.95) -> Interval:
        """Return the interval of a quantile, in `unit`; NaN where an end is never reached.

        Examples
        --------
        >>> lower, upper = kaplan_meier(range(1, 21)).quantile_interval(0.5)
        >>> print(lower, upper)
        5.0 15.0
        """
        return self._scaled(self.counts.quantile_interval(q, level=level))

    def restricted_mean(self, t: Times, /) -> FloatArray:
        """Return the mean time without the event within the first t, in `unit`; NaN after the end of follow-up.

        Examples
        --------
        >>> curve = kaplan_meier([2, 14, 21, 21], [True, True, True, False], unit="day")
        >>> lower, upper = curve.restricted_mean_interval(14)
        >>> print(f"{curve.restricted_mean(14):.1f} ± {curve.restricted_mean_error(14):.1f} days")
        11.0 ± 2.6 days
        """
        return frozen(np.asarray(self.counts.restricted_mean(self._in_counts("t", t)) / self._scale))

    def restricted_mean_error(self, t: Times, /) -> FloatArray:
        """Return the standard error of `restricted_mean`, in `unit`."""
        error = np.sqrt(self.counts.restricted_mean_variance(self._in_counts("t", t)))
        return frozen(np.asarray(error / self._scale))

    def restricted_mean_interval(self, t: Times, /, *, level: float = 0.95) -> Interval:
        """Return the normal interval of `restricted_mean`, in `unit`, within [0, t]."""
        return self._scaled(self.counts.restricted_mean_interval(self._in_counts("t", t), level=level))

    def in_unit(self, unit: TimeUnitName, /) -> SurvivalCurve:
        """Return a curve that was made from a log with its times in another unit.

        Parameters
        ----------
        unit : {"second", "minute", "hour", "day", "week"}

        Returns
        -------
        SurvivalCurve

        Raises
        ------
        InvalidValueError
            There is no such unit; or the curve was made from durations, which are in the unit they came in.
        """
        if self.rule is None:
            expected = "a curve made from a log: durations are in the unit they came in"
            raise InvalidValueError(message("unit", expected, unit))
        unit_us(unit)
        return attrs.evolve(self, unit=unit)

    def _in_counts(self, argument: str, t: Times) -> FloatArray:
        """Return times in the unit of the counts; of microseconds, whole ones."""
        asked = to_units(argument, t, self.unit)
        # Of times near the largest float nothing is left but that they are after the end of follow-up.
        return asked if self._scale == 1 else np.rint(np.clip(asked, -_LATEST, _LATEST) * self._scale)

    def _scaled(self, interval: Interval) -> Interval:
        return Interval(*(frozen(np.asarray(end / self._scale)) for end in interval))

    # ── merging ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def merge(self, other: SurvivalCurve, /) -> SurvivalCurve:
        """Return the curve of the members of both.

        Parameters
        ----------
        other : SurvivalCurve
            Of other members, in the same unit, and with the same rule.

        Returns
        -------
        SurvivalCurve
            Of parts of a log whose end of observation was derived, that of the later end.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            It is none; or unit, kinds, `idle_after` or a given end of observation differ.

        Examples
        --------
        >>> kaplan_meier([3, 5], unit="day").merge(kaplan_meier([5], [False], unit="day"))
        SurvivalCurve(3 followed: 2 events, 1 censored; median 5 days)
        """
        if not isinstance(other, SurvivalCurve):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("other", "a SurvivalCurve", other))
        if self.unit != other.unit:
            raise InvalidValueError(message("unit", f"the same in both parts ({self.unit})", other.unit))
        if self.rule is None or other.rule is None:
            if self.rule is not other.rule:
                raise InvalidValueError(message("other", "a curve that was made the same way", other))
            return attrs.evolve(self, counts=self.counts.merge(other.counts))
        rule = self.rule.merge(other.rule)
        if rule.horizon.is_derived:
            return curve_of_stays(self.stays.merge(other.stays), rule, self.unit)
        return attrs.evolve(
            self,
            counts=self.counts.merge(other.counts),
            too_young=self.too_young + other.too_young,
            rule=rule,
            stays=Stays.of_nobody(),
        )

    def _headcount(self) -> IntArray:
        return np.array([self.n_members], dtype=np.int64)

    def _emptied(self) -> SurvivalCurve:
        nobody = SurvivalTable.from_durations(np.zeros(0, dtype=np.int64))
        return attrs.evolve(self, counts=nobody, too_young=0, stays=Stays.of_nobody())

    # ── what is shown ────────────────────────────────────────────────────────────────────────────────────────────────

    def table(
        self, *, lang: Lang = "en", max_rows: int | None = None, every: dt.timedelta | float | None = None
    ) -> str:
        """Return an aligned table for a terminal.

        Parameters
        ----------
        lang : {"en", "zh"}, default "en"
            Language of the headers.
        max_rows : int, optional
            Show at most this many rows, the first and the last ones.
        every : timedelta or float, optional
            From one row to the next; a number is in the unit of the curve. Left out: each time has a row where there
            are few, else there are about a dozen. Events and censorings are those since the row before.

        Returns
        -------
        str

        Raises
        ------
        InvalidTypeError, InvalidValueError
            An option can't be used, or `every` makes more than a million rows.

        Examples
        --------
        >>> print(kaplan_meier(range(1, 41), unit="day").table(every=20))
        days  at risk  events  censored  survival   lower   upper
        ─────────────────────────────────────────────────────────
           0       40       0         0    100.0%  100.0%  100.0%
          20       21      20         0     50.0%   33.8%   64.2%
          40        1      20         0      0.0%       –       –
        40 followed: 40 events, 0 censored. Median 20 days (95 %: 14 to 26).
        """
        one_of("lang", lang, ("en", "zh"))
        columns = self._columns(lang) if every is None else self._at_times(self._multiples(self._step(every)))
        return render(columns, lang=lang, title=self._title(lang), notes=self._notes(lang), max_rows=max_rows)

    def _step(self, every: dt.timedelta | float) -> float:
        step = to_units("every", every, self.unit)
        if step.ndim or not 0 < float(step) < math.inf:
            raise InvalidValueError(message("every", "one duration longer than 0", every))
        if self._last() / float(step) > _MOST_STEPS:
            raise InvalidValueError(message("every", f"at most {_MOST_STEPS:,} rows up to {self._last():g}", every))
        return float(step)

    def _last(self) -> float:
        return float(self.times[-1]) if len(self.times) else 0.0

    def _multiples(self, step: float) -> FloatArray:
        """Return times up to the last one, and one that is not before it."""
        return np.asarray(step * np.arange(math.ceil(self._last() / step) + 1), dtype=np.float64)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        if len(self.counts.times) <= _FEW_TIMES:
            return self._at_times(self.times)
        return self._at_times(self._multiples(_round_step(self._last() / _N_STEPS)))

    def _at_times(self, times: NDArray[Any]) -> Sequence[Column]:
        """Return the columns of some times, ascending; what happened since the one before is counted at each."""
        asked = self._in_counts("t", times)
        through = np.searchsorted(self.counts.times, asked, side="right")
        since = {
            name: np.diff(np.append(0, np.cumsum(column))[through], prepend=0)
            for name, column in (("events", self.events), ("censored", self.censored), ("entered", self.counts.entered))
        }
        columns = self._described(
            times, self.counts.at_risk_at(asked), since, self.counts.at(asked), self.counts.intervals_at(asked)
        )
        has_late = bool(self.counts.entered.any())
        return [column for column in columns if has_late or column.key != "entered"]

    def _tidy(self) -> Sequence[Column]:
        since = {"events": self.events, "censored": self.censored, "entered": self.counts.entered}
        return self._described(self.times, self.at_risk, since, self.survival, self.intervals())

    def _described(
        self,
        times: NDArray[Any],
        at_risk: IntArray,
        since: dict[str, IntArray],
        survival: FloatArray,
        interval: Interval,
    ) -> Sequence[Column]:
        event_en, event_zh = ("events", "事件") if self.rule is None else ("evaporated", "蒸发")
        return [
            Column(
                key="time",
                en=unit_heading(self.unit, "en"),
                zh=unit_heading(self.unit, "zh"),
                values=times,
                format="number",
            ),
            Column(key="at_risk", en="at risk", zh="在观察", values=at_risk, format="count"),
            Column(key="events", en=event_en, zh=event_zh, values=since["events"], format="count"),
            Column(key="censored", en="censored", zh="截尾", values=since["censored"], format="count"),
            Column(key="entered", en="entered", zh="晚入", values=since["entered"], format="count"),
            Column(key="survival", en="survival", zh="存续率", values=survival, format="rate"),
            Column(key="lower", en="lower", zh="下限", values=interval.lower, format="rate"),
            Column(key="upper", en="upper", zh="上限", values=interval.upper, format="rate"),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        middle = _median_text(self, lang)
        if self.rule is None:
            if lang == "zh":
                return [f"共观察 {self.n_followed:,}：事件 {self.n_events:,}，截尾 {self.n_censored:,}。{middle}"]
            events = counted(self.n_events, "event")
            return [f"{self.n_followed:,} followed: {events}, {self.n_censored:,} censored. {middle}"]
        idle = span_text(self.rule.idle_us, lang)
        until = "–" if self.observed_until is None else self.observed_until.to_iso8601_string()
        derived = self.rule.horizon.is_derived
        if lang == "zh":
            return [
                f"{self.n_members:,} 名成员：蒸发 {self.n_events:,}，截尾 {self.n_censored:,}，"
                f"加入太晚、尚不能判断 {self.too_young:,}。",
                f"蒸发：最后 {idle}没有活动。观察至 {until}{'（由数据推得）' if derived else ''}。{middle}",
            ]
        return [
            f"{counted(self.n_members, 'member')}: {self.n_events:,} evaporated, {self.n_censored:,} censored, "
            f"{self.too_young:,} too young to judge.",
            f"Evaporated: nothing in the last {idle}. Observed until {until}{', derived' if derived else ''}. {middle}",
        ]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle by the constructor."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show how many were followed, what became of them, and the median."""
        young = f", {self.too_young:,} too young" if self.too_young else ""
        events = counted(self.n_events, "event") if self.rule is None else f"{self.n_events:,} evaporated"
        told = f"{events}, {self.n_censored:,} censored{young}"
        middle = "never reached" if math.isnan(self.median) else unit_text(self.median, self.unit, "en")
        return f"SurvivalCurve({self.n_followed:,} followed: {told}; median {middle})"


def curve_of_stays(stays: Stays, rule: IdleRule, unit: TimeUnitName | None) -> SurvivalCurve:
    """Return the curve of members by a rule; their stays are kept where a later end may change who has evaporated."""
    counts, too_young = stays.counted(rule.followed_until_us)
    kept = stays.ordered() if rule.horizon.is_derived else Stays.of_nobody()
    return SurvivalCurve(counts=counts, unit=unit, too_young=too_young, rule=rule, stays=kept)


def _instant(us: int | None) -> pendulum.DateTime | None:
    return None if us is None else from_us(us)


def _median_text(curve: SurvivalCurve, lang: Lang) -> str:
    median = "–" if math.isnan(curve.median) else unit_text(curve.median, curve.unit, lang)
    ends = (float(end) for end in curve.quantile_interval(0.5))
    lower, upper = ("–" if math.isnan(end) else unit_text(end, None, lang) for end in ends)
    return (
        f"中位数 {median}（95%：{lower} 至 {upper}）。"
        if lang == "zh"
        else f"Median {median} (95 %: {lower} to {upper})."
    )


def _round_step(least: float) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that is not below a number."""
    power = 10.0 ** math.floor(math.log10(least)) if least > 0 else 1.0
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-12))


def kaplan_meier(
    durations: ArrayLike,
    /,
    observed: ArrayLike | None = None,
    *,
    entry: ArrayLike | None = None,
    unit: TimeUnitName | None = None,
) -> SurvivalCurve:
    """Estimate the share without the event by time, from durations.

    Parameters
    ----------
    durations : array_like of int or float, shape (n,)
        Time from origin to exit, 0 or more.
    observed : array_like of bool, shape (n,), optional
        Whether the exit is the event, in place of a censoring. Left out: all are events.
    entry : array_like of int or float, shape (n,), optional
        Time from origin to the begin of follow-up, before the exit. Anything below 0 (-1, say) stands for no late
        entry.
    unit : {"second", "minute", "hour", "day", "week", "month", "quarter", "year"}, optional
        Of the durations: tables say it, and durations may be asked for.

    Returns
    -------
    SurvivalCurve

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        As in `SurvivalTable.from_durations`; or there is no such unit.

    Notes
    -----
    See `SurvivalTable`: at risk at t when entry < t <= exit, and with a duration of 0 at 0; events come before
    censorings at a tie; the interval is Greenwood's on the log-log scale.

    References
    ----------
    Kaplan, E. L. and Meier, P. (1958). Nonparametric estimation from incomplete observations. Journal of the American
    Statistical Association 53, 457-481. https://doi.org/10.1080/01621459.1958.10501452

    Examples
    --------
    >>> curve = kaplan_meier([6, 6, 6, 6, 7, 9, 10], [True, True, True, False, True, False, True], unit="week")
    >>> curve.median, curve.at([6, 8]).round(3).tolist()
    (7.0, [0.571, 0.381])
    """
    return SurvivalCurve(counts=SurvivalTable.from_durations(durations, observed, entry), unit=unit)
