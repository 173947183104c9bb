"""After how long does it happen, when some are lost from sight before it does?

Each unit is followed from an entry to an exit, where it either has the event or is censored: all that is known then is
that the event comes later. Counted by time, such follow-ups make a table that adds up over parts of the data; the
survival function of Kaplan and Meier, the cumulative hazard of Nelson and Aalen, quantiles and means are read off it.
"""

# Longer than most files: each reading of the table stands here with its formula, and few lines under it.

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs
import numpy as np

from shequn.stats._checks import counts, instance, level_in_unit, reals, refuse
from shequn.stats._follow_ups import (
    counted,
    distinct_times,
    flags,
    late_entries,
    left_over,
    of_one_kind,
    one_axis,
    require_rows,
    require_total,
    times_of,
)
from shequn.stats.intervals import Interval
from shequn.stats.quantiles import inner_shares
from shequn.stats.tails import normal_quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray

__all__ = ["SurvivalTable"]

# A product of quotients that should meet a share misses it by a few units in the last place.
_ROUNDING: Final = 1e-12


def _time_field() -> Any:  # noqa: ANN401
    def convert(values: Any) -> NDArray[Any]:  # noqa: ANN401
        return _read_only(times_of("times", values).copy())

    field: Callable[..., Any] = attrs.field
    return field(converter=convert, eq=attrs.cmp_using(eq=np.array_equal))


def _count_field(name: str) -> Any:  # noqa: ANN401
    def convert(values: Any) -> IntArray:  # noqa: ANN401
        return _read_only(one_axis(name, counts(name, values)).copy())

    field: Callable[..., Any] = attrs.field
    return field(converter=convert, eq=attrs.cmp_using(eq=np.array_equal))


@attrs.frozen(kw_only=True, repr=False)
class SurvivalTable:
    r"""Follow-ups counted by time, with right censoring and late entry; merges exactly by adding.

    A unit is at risk at t when entry < t <= exit. One without an entry was there before every time, so that a duration
    of 0 is at risk at 0. At a tie events come before censorings. Everybody is followed to an event or a censoring, so
    the number at the start follows from the three counts.

    Attributes
    ----------
    times : ndarray of int64 or float64, shape (n_times,)
        Distinct times of 0 or more, ascending; whole ones stay whole.
    events, censored : ndarray of int64, shape (n_times,)
        How many had the event at each time, and how many were last seen without it.
    entered : ndarray of int64, shape (n_times,)
        How many came in late, right after each time.

    Raises
    ------
    InvalidTypeError
        If times are not numbers, or counts not integers.
    InvalidValueError
        If a time is negative, not finite or not after the one before, a count is negative, more enter than leave later,
        or the counts add up to 2**62 or more.
    MisalignedError
        If the columns differ in length.

    Notes
    -----
    With d events among n at risk at each time up to t, the survival function is
    :math:`\hat S(t) = \prod (1 - d_i / n_i)` and the cumulative hazard :math:`\hat H(t) = \sum d_i / n_i`, ties
    included. Greenwood's variance is :math:`\hat S^2(t) \sum d_i / (n_i (n_i - d_i))`.

    With late entry few may be at risk early. Where all of them have the event, the survival function is 0 from then on,
    whatever follows; `at_risk` shows it.

    References
    ----------
    Kaplan, E. L. and Meier, P. (1958). Nonparametric estimation from incomplete observations. Journal of the American
    Statistical Association 53, 457-481. https://doi.org/10.1080/01621459.1958.10501452

    Aalen, O. (1978). Nonparametric inference for a family of counting processes. Annals of Statistics 6, 701-726.
    https://doi.org/10.1214/aos/1176344247

    Tsai, W.-Y., Jewell, N. P. and Wang, M.-C. (1987). A note on the product-limit estimator under right censoring and
    left truncation. Biometrika 74, 883-886. https://doi.org/10.1093/biomet/74.4.883

    Examples
    --------
    >>> table = SurvivalTable.from_durations([6, 6, 6, 6, 7, 9, 10], [True, True, True, False, True, False, True])
    >>> table
    SurvivalTable(n=7, events=5, times=4, last=10)
    >>> table.at_risk.tolist(), table.survival.round(4).tolist()
    ([7, 3, 2, 1], [0.5714, 0.381, 0.381, 0.0])
    """

    times: NDArray[Any] = _time_field()
    events: IntArray = _count_field("events")
    censored: IntArray = _count_field("censored")
    entered: IntArray = _count_field("entered")

    def __attrs_post_init__(self) -> None:
        require_rows("times", self.times, events=self.events, censored=self.censored, entered=self.entered)
        require_total(self.events, self.censored, self.entered)
        unordered = np.zeros(len(self.times), dtype=np.bool_)
        unordered[1:] = self.times[1:] <= self.times[:-1]
        if unordered.any():
            refuse("times", "distinct times in ascending order", self.times, unordered)
        entering = self._entering()
        leaving_later = self._leaving() - self.events - self.censored
        unfollowed = entering > leaving_later
        if unfollowed.any():
            later = leaving_later[int(np.argmax(unfollowed))]
            refuse("entered", f"at most {later} from this time on, as many as leave after it", entering, unfollowed)

    @classmethod
    def from_durations(
        cls,
        durations: ArrayLike,
        observed: ArrayLike | None = None,
        entry: ArrayLike | None = None,
    ) -> SurvivalTable:
        """Count follow-ups, one row each.

        Parameters
        ----------
        durations : array_like of int or float, shape (n,)
            Time from origin to exit, 0 or more.
        observed : array_like of bool, shape (n,), optional
            Whether the exit is the event, in place of a censoring; 1 and 0 are taken too. Left out: all are events.
        entry : array_like of int or float, shape (n,), optional
            Time from origin to the begin of follow-up, before the exit. Anything below 0 (-1, say) stands for no late
            entry: at risk from before time 0.

        Returns
        -------
        SurvivalTable
            Whole times where all that came in were integers; no rows give the identity of `merge`.

        Raises
        ------
        InvalidTypeError
            If times are not numbers, or `observed` holds anything but booleans, 0 and 1.
        InvalidValueError
            If a duration is negative or not finite, an entry is NaN or not before its exit, `observed` holds another
            number, or an integer beyond 2**53 stands beside floats. The message names the row.
        MisalignedError
            If the columns differ in length.

        Examples
        --------
        >>> table = SurvivalTable.from_durations([3, 5, 5], observed=[True, True, False], entry=[-1, 3, 4])
        >>> table.entered.tolist(), table.at_risk.tolist()
        ([1, 1, 0], [1, 1, 2])
        """
        exits = times_of("durations", durations)
        has_event = flags("observed", observed, exits)
        exits, entries = of_one_kind([exits, late_entries(entry, exits)])
        times, leaving, events = counted(exits, has_event)
        left = cls(times=times, events=events, censored=leaving - events, entered=np.zeros_like(events))
        if not len(entries):
            return left
        late, entering, none = counted(entries, np.zeros(len(entries), dtype=np.bool_))
        return cls._summed([times, late], [left._columns(), {"events": none, "censored": none, "entered": entering}])

    @classmethod
    def from_counts(
        cls,
        *,
        times: ArrayLike,
        events: ArrayLike,
        censored: ArrayLike | None = None,
        entered: ArrayLike | None = None,
        n_at_start: int | None = None,
    ) -> SurvivalTable:
        """Build from counts by time that were made elsewhere, in any order; rows of one time are added.

        Parameters
        ----------
        times : array_like of int or float, shape (n,)
            Times of 0 or more.
        events : array_like of int, shape (n,)
            How many had the event at each time.
        censored, entered : array_like of int, shape (n,), optional
            How many were censored and how many came in late at each time; none where left out.
        n_at_start : int, optional
            How many were at risk from before time 0. Those of them, and of the late, who neither had the event nor were
            censored are then censored at the last time. Left out: as many as the counts account for.

        Returns
        -------
        SurvivalTable

        Raises
        ------
        InvalidTypeError
            If times are not numbers, or counts not integers.
        InvalidValueError
            If a time is negative or not finite, a count is negative, more leave than were there, or more enter than
            leave later.
        MisalignedError
            If the columns differ in length.

        Examples
        --------
        >>> table = SurvivalTable.from_counts(times=[1, 2, 3], events=[131, 126, 90], n_at_start=1000)
        >>> table.survival.round(3).tolist(), table.censored.tolist()
        ([0.869, 0.743, 0.653], [0, 0, 653])
        """
        at = times_of("times", times)
        given = [("events", events), ("censored", censored), ("entered", entered)]
        columns = {
            name: np.zeros(len(at), dtype=np.int64) if column is None else one_axis(name, counts(name, column))
            for name, column in given
        }
        require_rows("times", at, **columns)
        require_total(*columns.values())
        if n_at_start is not None:
            left = left_over(n_at_start, at, **columns)
            if left:
                columns["censored"] = columns["censored"] + left * (np.arange(len(at)) == np.argmax(at))
        return cls._summed([at], [columns])

    @classmethod
    def _summed(cls, times: Sequence[NDArray[Any]], columns: Sequence[dict[str, IntArray]]) -> SurvivalTable:
        parts = of_one_kind(times)
        distinct = distinct_times(parts)
        rows = [np.searchsorted(distinct, part) for part in parts]
        sums: dict[str, IntArray] = {}
        for name in ("events", "censored", "entered"):
            sums[name] = np.zeros(len(distinct), dtype=np.int64)
            for row, column in zip(rows, columns, strict=True):
                np.add.at(sums[name], row, column[name])
        return cls(times=distinct, **sums)

    def merge(self, other: SurvivalTable, /) -> SurvivalTable:
        """Return the table of the follow-ups of both.

        Exact, associative and commutative; the table of no rows changes nothing.

        Parameters
        ----------
        other : SurvivalTable
            The table of other units, over the same unit of time.

        Returns
        -------
        SurvivalTable
            Over the times of either; whole where those of both are.

        Raises
        ------
        InvalidTypeError
            If `other` is not a SurvivalTable.
        InvalidValueError
            If the counts add up to 2**62 or more, or whole times beyond 2**53 meet others that are not whole.

        Examples
        --------
        >>> parts = SurvivalTable.from_durations([3, 5]), SurvivalTable.from_durations([5], [False])
        >>> parts[0].merge(parts[1]) == SurvivalTable.from_durations([3, 5, 5], [True, True, False])
        True
        """
        instance("other", other, SurvivalTable, expected="a SurvivalTable")
        return self._summed([self.times, other.times], [self._columns(), other._columns()])

    def _columns(self) -> dict[str, IntArray]:
        return {"events": self.events, "censored": self.censored, "entered": self.entered}

    # ── counts ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def n_followed(self) -> int:
        """How many units were followed."""
        return int(self.events.sum() + self.censored.sum())

    @property
    def n_at_start(self) -> int:
        """How many units were at risk from before time 0."""
        return self.n_followed - int(self.entered.sum())

    @property
    def at_risk(self) -> IntArray:
        """How many units are at risk at each time, shape (n_times,)."""
        return _read_only(self._leaving() - self._entering())

    def at_risk_at(self, t: ArrayLike) -> IntArray:
        """Return how many units are at risk at time t: those with entry < t <= exit.

        Parameters
        ----------
        t : array_like of int or float
            Times, any shape.

        Returns
        -------
        ndarray of int64, shape of `t`
            0 after the last time.

        Raises
        ------
        InvalidTypeError
            If `t` is not numeric.
        InvalidValueError
            If a time is NaN.

        Examples
        --------
        >>> SurvivalTable.from_durations([2, 4, 4], entry=[-1, -1, 3]).at_risk_at([0, 2, 3, 3.5, 9]).tolist()
        [2, 2, 1, 2, 0]
        """
        asked = reals("t", t)
        if np.isnan(asked).any():
            refuse("t", "times", asked, np.isnan(asked))
        # Between two times of the table nobody comes or goes.
        return _read_only(np.asarray(np.append(self.at_risk, 0)[np.searchsorted(self.times, asked, side="left")]))

    def _leaving(self) -> IntArray:
        """Count those who leave at each time or later."""
        return np.cumsum((self.events + self.censored)[::-1])[::-1]

    def _entering(self) -> IntArray:
        """Count those who enter at each time or later, and so are not at risk there."""
        return np.cumsum(self.entered[::-1])[::-1]

    # ── curves ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def survival(self) -> FloatArray:
        """Kaplan-Meier estimate of the share without the event after each time, shape (n_times,)."""
        at_risk = self.at_risk
        kept = np.divide(at_risk - self.events, at_risk, out=np.ones(len(at_risk)), where=at_risk > 0)
        return _read_only(np.cumprod(kept))

    @property
    def cumulative_hazard(self) -> FloatArray:
        """Nelson-Aalen estimate of the cumulative hazard at each time, shape (n_times,)."""
        at_risk = self.at_risk
        hazard = np.divide(self.events, at_risk, out=np.zeros(len(at_risk)), where=at_risk > 0)
        return _read_only(np.cumsum(hazard))

    @property
    def variance(self) -> FloatArray:
        """Greenwood's variance of `survival`, shape (n_times,); NaN where that is 0, as the formula ends there."""
        survival = self.survival
        squared = np.where(survival > 0, survival**2, np.nan)
        return _read_only(squared * self._log_variance())

    def _log_variance(self) -> FloatArray:
        """Return Greenwood's sum, the variance of the logarithm of the survival; its values at survival 0 are void."""
        at_risk = self.at_risk.astype(np.float64)
        product = at_risk * (at_risk - self.events)
        return np.cumsum(np.divide(self.events, product, out=np.zeros(len(product)), where=product > 0))

    @property
    def cumulative_hazard_variance(self) -> FloatArray:
        r"""Aalen's variance of `cumulative_hazard`, :math:`\sum d_i / n_i^2`, shape (n_times,)."""
        at_risk = self.at_risk.astype(np.float64)
        part = np.divide(self.events, at_risk**2, out=np.zeros(len(at_risk)), where=at_risk > 0)
        return _read_only(np.cumsum(part))

    @property
    def lower(self) -> FloatArray:
        """Lower end of the 95 % interval of `survival`, as `intervals` gives it, shape (n_times,)."""
        return self.intervals().lower

    @property
    def upper(self) -> FloatArray:
        """Upper end of the 95 % interval of `survival`, as `intervals` gives it, shape (n_times,)."""
        return self.intervals().upper

    def intervals(self, *, level: float = 0.95) -> Interval:
        r"""Return the log-log interval of `survival` at each time.

        Parameters
        ----------
        level : float, default 0.95
            Confidence level at each time by itself, between 0 and 1.

        Returns
        -------
        Interval
            ``(lower, upper)`` of shape (n_times,), within [0, 1]. Both are 1 before the first event, and NaN where the
            survival is 0.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            If `level` is not a number between 0 and 1.

        Notes
        -----
        The normal interval of :math:`\log(-\log \hat S)` turned back, :math:`\hat S^{\exp(\pm z \sigma / \log \hat S)}`
        with :math:`\sigma^2` Greenwood's sum.

        References
        ----------
        Borgan, O. and Liestol, K. (1990). A note on confidence intervals and bands for the survival function based on
        transformations. Scandinavian Journal of Statistics 17, 35-41. https://www.jstor.org/stable/4616153

        Examples
        --------
        >>> lower, upper = SurvivalTable.from_durations([1, 2, 3, 4], [True, False, True, False]).intervals()
        >>> lower.round(3), upper.round(3)
        (array([0.128, 0.128, 0.011, 0.011]), array([0.961, 0.961, 0.808, 0.808]))
        """
        z = -float(normal_quantile((1.0 - level_in_unit(level)) / 2.0))
        survival = self.survival
        is_inner = (survival > 0) & (survival < 1)
        inner = np.where(is_inner, survival, 0.5)
        factor = np.exp(z * np.sqrt(self._log_variance()) / -np.log(inner))
        outer = np.where(survival > 0, 1.0, np.nan)
        return Interval(
            _read_only(np.where(is_inner, inner**factor, outer)),
            _read_only(np.where(is_inner, inner ** (1.0 / factor), outer)),
        )

    def intervals_at(self, t: ArrayLike, *, level: float = 0.95) -> Interval:
        """Return the interval of the survival after time t: that of the last time of the table up to it.

        Parameters
        ----------
        t : array_like of int or float
            Times, any shape.
        level : float, default 0.95
            Confidence level at each time by itself, between 0 and 1.

        Returns
        -------
        Interval
            ``(lower, upper)`` of the shape of `t`: as `intervals`, and NaN where `at` is.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            If `t` is not numeric, or `level` not a number between 0 and 1.

        Examples
        --------
        >>> table = SurvivalTable.from_durations([1, 2, 3, 4], [True, False, True, False])
        >>> lower, upper = table.intervals_at([0, 1.5, 9])
        >>> lower.round(3), upper.round(3)
        (array([1.   , 0.128,   nan]), array([1.   , 0.961,   nan]))
        """
        asked = reals("t", t)
        row = np.searchsorted(self.times, asked, side="right")
        is_unknown = self._is_unknown(asked)
        lower, upper = (np.append(1.0, end)[row] for end in self.intervals(level=level))
        return Interval(*(_read_only(np.where(is_unknown, np.nan, end)) for end in (lower, upper)))

    def cumulative_hazard_intervals(self, *, level: float = 0.95) -> Interval:
        r"""Return the log interval of `cumulative_hazard` at each time.

        Parameters
        ----------
        level : float, default 0.95
            Confidence level at each time by itself, between 0 and 1.

        Returns
        -------
        Interval
            ``(lower, upper)`` of shape (n_times,), never below 0. Both are 0 before the first event.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            If `level` is not a number between 0 and 1.

        Notes
        -----
        The normal interval of :math:`\log \hat H` turned back, :math:`\hat H \exp(\pm z \sigma / \hat H)` with
        :math:`\sigma^2 = \sum d_i / n_i^2`. Where times are counted in whole periods, so that many share one, that
        variance is on the large side; :math:`\sum d_i (n_i - d_i) / n_i^3` takes ties as such, and counts nothing
        where everybody has the event.

        References
        ----------
        Bie, O., Borgan, O. and Liestol, K. (1987). Confidence intervals and confidence bands for the cumulative hazard
        rate function and their small sample properties. Scandinavian Journal of Statistics 14, 221-233.
        https://www.jstor.org/stable/4616065

        Examples
        --------
        >>> lower, upper = SurvivalTable.from_durations([1, 2, 3, 4]).cumulative_hazard_intervals()
        >>> lower.round(3), upper.round(3)
        (array([0.035, 0.144, 0.334, 0.678]), array([1.775, 2.365, 3.517, 6.401]))
        """
        z = -float(normal_quantile((1.0 - level_in_unit(level)) / 2.0))
        hazard = self.cumulative_hazard
        error = np.sqrt(self.cumulative_hazard_variance)
        factor = np.exp(z * np.divide(error, hazard, out=np.zeros(len(hazard)), where=hazard > 0))
        return Interval(_read_only(hazard / factor), _read_only(hazard * factor))

    # ── readings ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def at(self, t: ArrayLike) -> FloatArray:
        """Return the share without the event after time t.

        Parameters
        ----------
        t : array_like of int or float
            Times, any shape.

        Returns
        -------
        ndarray of float64, shape of `t`
            1 before the first time. NaN after the last one, when nobody is followed any longer, unless the survival is
            0 by then; NaN for NaN.

        Raises
        ------
        InvalidTypeError
            If `t` is not numeric.

        Examples
        --------
        >>> SurvivalTable.from_durations([2, 4, 4], [True, True, False]).at([0, 2, 3.5, 9]).round(4)
        array([1.    , 0.6667, 0.6667,    nan])
        """
        asked = reals("t", t)
        steps = np.append(1.0, self.survival)
        value = steps[np.searchsorted(self.times, asked, side="right")]
        return _read_only(np.where(self._is_unknown(asked), np.nan, value))

    def restricted_mean(self, t: ArrayLike) -> FloatArray:
        r"""Return the mean time without the event within the first t.

        Parameters
        ----------
        t : array_like of int or float
            Horizons of 0 or more, any shape.

        Returns
        -------
        ndarray of float64, shape of `t`
            NaN where the horizon lies after the last time, unless the survival is 0 by then; NaN for NaN.

        Raises
        ------
        InvalidTypeError
            If `t` is not numeric.
        InvalidValueError
            If a horizon is negative.

        Notes
        -----
        The area under the survival function, :math:`\int_0^t \hat S(u) \, du`.

        References
        ----------
        Royston, P. and Parmar, M. K. B. (2013). Restricted mean survival time: an alternative to the hazard ratio for
        the design and analysis of randomized trials with a time-to-event outcome. BMC Medical Research Methodology 13,
        152. https://doi.org/10.1186/1471-2288-13-152

        Examples
        --------
        >>> SurvivalTable.from_durations([2, 4]).restricted_mean([1, 3, 100])
        array([1. , 2.5, 3. ])
        """
        asked = self._horizons(t)
        return _read_only(np.where(self._is_unknown(asked), np.nan, self._area(asked)[0]))

    def restricted_mean_variance(self, t: ArrayLike) -> FloatArray:
        r"""Return the variance of `restricted_mean`, of which the root is its standard error.

        Parameters
        ----------
        t : array_like of int or float
            Horizons of 0 or more, any shape.

        Returns
        -------
        ndarray of float64, shape of `t`
            NaN where the restricted mean is.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            As in `restricted_mean`.

        Notes
        -----
        Greenwood's: :math:`\sum_{t_i \le t} \left( \int_{t_i}^t \hat S(u) \, du \right)^2 d_i / (n_i (n_i - d_i))`,
        the term of a time at which all at risk have the event being 0.

        References
        ----------
        Klein, J. P. and Moeschberger, M. L. (2003). Survival Analysis: Techniques for Censored and Truncated Data, 2nd
        ed., section 4.5. https://doi.org/10.1007/b97377

        Examples
        --------
        >>> table = SurvivalTable.from_durations([2, 4, 4, 5], [True, True, False, False])
        >>> table.restricted_mean_variance([1, 2, 4, 5]).round(4)
        array([0.    , 0.    , 0.1875, 0.375 ])
        """
        asked = self._horizons(t)
        return _read_only(np.where(self._is_unknown(asked), np.nan, self._area(asked)[1]))

    def restricted_mean_interval(self, t: ArrayLike, *, level: float = 0.95) -> Interval:
        """Return the normal interval of `restricted_mean`, within [0, t].

        Parameters
        ----------
        t : array_like of int or float
            Horizons of 0 or more, any shape.
        level : float, default 0.95
            Confidence level, between 0 and 1.

        Returns
        -------
        Interval
            ``(lower, upper)`` of the shape of `t`; NaN where the restricted mean is.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            As in `restricted_mean`, or if `level` is not a number between 0 and 1.

        Examples
        --------
        >>> table = SurvivalTable.from_durations(np.arange(1, 41))
        >>> lower, upper = table.restricted_mean_interval(20)
        >>> print(f"{table.restricted_mean(20):.2f}, {lower:.2f} to {upper:.2f}")
        15.25, 13.31 to 17.19
        """
        z = -float(normal_quantile((1.0 - level_in_unit(level)) / 2.0))
        asked = self._horizons(t)
        mean, half = self.restricted_mean(asked), z * np.sqrt(self.restricted_mean_variance(asked))
        return Interval(
            _read_only(np.asarray(np.maximum(mean - half, 0.0))), _read_only(np.asarray(np.minimum(mean + half, asked)))
        )

    @staticmethod
    def _horizons(t: ArrayLike) -> FloatArray:
        asked = reals("t", t)
        if (asked < 0).any():
            refuse("t", "horizons of 0 or more", asked, asked < 0)
        return asked

    def _area(self, asked: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the area under the curve up to horizons within follow-up, and its variance.

        From one time to the next the areas since all earlier events grow by the same. Their squares, each times its
        part of Greenwood's sum, are carried along: terms of one sign, so that nothing cancels.
        """
        knots = np.append(0.0, self.times)
        steps = np.append(1.0, self.survival)
        weight = np.append(0.0, self._log_variance())
        grown = steps[:-1] * np.diff(knots)
        area = np.append(0.0, np.cumsum(grown))
        weighted = np.append(0.0, np.cumsum(grown * weight[:-1]))
        squared = np.append(0.0, np.cumsum(grown * (2.0 * weighted[:-1] + grown * weight[:-1])))
        row = np.searchsorted(self.times, asked, side="right")
        rest = steps[row] * (np.minimum(asked, knots[-1]) - knots[row])
        return area[row] + rest, squared[row] + rest * (2.0 * weighted[row] + rest * weight[row])

    def _is_unknown(self, asked: FloatArray) -> BoolArray:
        """Whether nobody is followed any longer at a time, while the survival is not 0."""
        if not len(self.times):
            return np.ones(asked.shape, dtype=np.bool_)
        is_over = asked > self.times[-1] if self.survival[-1] > 0 else np.zeros(asked.shape, dtype=np.bool_)
        return np.asarray(is_over | np.isnan(asked))

    @property
    def median(self) -> float:
        """First time by which half have had the event; NaN if never reached."""
        return float(self.quantile(0.5))

    def quantile(self, q: ArrayLike) -> FloatArray:
        """Return the first time by which a share q has had the event.

        Parameters
        ----------
        q : array_like of float
            Shares between 0 and 1, any shape.

        Returns
        -------
        ndarray of float64, shape of `q`
            First time with a survival of 1 - q or less; NaN where it is never reached.

        Raises
        ------
        InvalidTypeError
            If `q` is not numeric.
        InvalidValueError
            If a share is not between 0 and 1.

        Notes
        -----
        A survival within 1e-12 of 1 - q, relatively, counts as equal to it: both are rounded.

        Examples
        --------
        >>> SurvivalTable.from_durations([1, 2, 3, 4], [True, True, True, False]).quantile([0.25, 0.5, 0.9])
        array([ 1.,  2., nan])
        """
        return self._first_at_most(self.survival, inner_shares("q", q))

    def quantile_interval(self, q: ArrayLike, *, level: float = 0.95) -> Interval:
        """Return the interval of a quantile that the log-log interval of the survival gives when it is inverted.

        Parameters
        ----------
        q : array_like of float
            Shares between 0 and 1, any shape.
        level : float, default 0.95
            Confidence level, between 0 and 1.

        Returns
        -------
        Interval
            ``(lower, upper)`` of the shape of `q`: the first times at which the lower and the upper end of the interval
            of the survival are 1 - q or less. NaN where that end never gets there.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            If `q` or `level` is not numeric, or not between 0 and 1.

        References
        ----------
        Brookmeyer, R. and Crowley, J. (1982). A confidence interval for the median survival time. Biometrics 38, 29-41.
        https://doi.org/10.2307/2530286

        Examples
        --------
        >>> lower, upper = SurvivalTable.from_durations(np.arange(1, 21)).quantile_interval(0.5)
        >>> print(lower, upper)
        5.0 15.0
        """
        shares = inner_shares("q", q)
        curves = self.intervals(level=level)
        # Where the survival is 0 its interval is void: the end has then been reached before, or never.
        low, high = (np.minimum.accumulate(np.where(np.isnan(end), 1.0, end)) for end in curves)
        return Interval(self._first_at_most(low, shares), self._first_at_most(high, shares))

    def _first_at_most(self, falling: FloatArray, shares: FloatArray) -> FloatArray:
        """Return the first time at which a falling curve is at most 1 less each share."""
        row = np.searchsorted(-falling, -(1.0 - shares) * (1.0 + _ROUNDING), side="left")
        return _read_only(np.asarray(np.append(self.times, np.nan)[row]))

    def __repr__(self) -> str:
        last = f", last={self.times[-1].item()!r}" if len(self.times) else ""
        return f"SurvivalTable(n={self.n_followed}, events={int(self.events.sum())}, times={len(self.times)}{last})"

    def __reduce__(self) -> tuple[Callable[..., SurvivalTable], tuple[()]]:
        """Pickle by the constructor, so that a copy is read-only too."""
        return partial(SurvivalTable, **attrs.asdict(self, recurse=False)), ()


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array
