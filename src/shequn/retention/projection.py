"""How large will the community be, and what would less evaporation keep?

A stock m loses the share e in each period, gains the external inflow x, and each member brings r others:

    m' = m (1 − e) + x + r m

That is the mean of a process in which each member stays or goes by chance and brings a Poisson number of others, and in
which rates taken from a ledger also move from one period to the next, as they did there. The interval comes from the
variance of that process and from how well the rates are known.
"""

# Longer than most files: the process is one definition, and its mean, its variance and its limit must agree.

from __future__ import annotations

import datetime as dt
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.retention.ledger import FlowLedger
from shequn.retention.ledger_rates import error_of_share, rates_of_ledger, widest
from shequn.retention.tenure import Step, bent, stay_of, steady_rate, steady_spread, survival_curve
from shequn.stats import normal_quantile
from shequn.stats._checks import array_of, level_in_unit, number, refuse, whole
from shequn.values.calendar import Calendar
from shequn.values.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pendulum
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import FloatArray
    from shequn.columns.table import Lang

__all__ = ["Projection", "ProjectionRow", "project"]

_MOST_PERIODS = 10_000
_MOST_MEMBERS = 1e15
_LAST_LABEL = dt.date(2459, 1, 1)  # calendars give no dates after that year


@attrs.frozen(kw_only=True)
class ProjectionRow:
    """One future period; the names are those of `Projection`."""

    period: pendulum.Date | pendulum.DateTime | None
    ahead: int
    opening: float
    inflow: float
    referred: float
    evaporated: float
    stock: float
    lower: float
    upper: float


def _members_by_tenure(values: ArrayLike) -> FloatArray:
    return frozen(_stock("opening_by_tenure", values).copy())


def _curve_or_none(values: ArrayLike | None) -> FloatArray | None:
    return None if values is None else frozen(survival_curve(values).copy())


def _is_amount(_projection: Projection, field: attrs.Attribute[Any], value: object) -> None:
    _amount(field.name, value)


def _is_level(_projection: Projection, _field: attrs.Attribute[Any], value: float) -> None:
    level_in_unit(value)


def _is_rate_or_none(_projection: Projection, field: attrs.Attribute[Any], value: object) -> None:
    if value is not None:
        _fraction(field.name, value)


def _is_horizon(_projection: Projection, field: attrs.Attribute[Any], value: object) -> None:
    _horizon(field.name, value)


@attrs.frozen(kw_only=True, repr=False)
class Projection(Tabular[ProjectionRow]):
    """The expected stock of members in each future period, with its prediction interval; made by `project`.

    Attributes
    ----------
    opening_by_tenure : ndarray of float64, shape (k,)
        Members at the start, by the number of whole periods since they came; one number where tenure plays no part.
    inflow : float
        Expected external joiners and returners in each period.
    constant_rate : float or None
        Share of the stock that evaporates in each period, whatever the tenure; None where `survival` says it.
    survival : ndarray of float64, shape (m,), or None
        Share of joiners still there 0, 1, … periods after the one they came in; after the last entry its ratio to the
        one before holds on.
    referral_rate : float
        New members that a member brings in a period.
    n_periods : int
        Number of future periods, n.
    level : float
        Level of the interval.
    rate_error, inflow_error : float
        Standard errors of `constant_rate` and `inflow`: how well their means are known.
    rate_fluctuation, inflow_fluctuation : float
        Standard deviations, from period to period, of the rate and of the expected inflow, beyond what chance explains.
    calendar : Calendar or None
        What a period is, where that is known from a ledger.
    first_period : int
        Number of the first future period in that calendar.

    Examples
    --------
    >>> p = project(500, inflow=50, evaporation_rate=0.10, referral_rate=0.04, periods=3)
    >>> round(p.steady_state, 2), p.stock.round(1).tolist()
    (833.33, [520.0, 538.8, 556.5])
    >>> print(p)
    ahead  opening  inflow  referred  evaporated  stock  lower  upper
    ─────────────────────────────────────────────────────────────────
        1    500.0    50.0      20.0        50.0  520.0  499.0  541.0
        2    520.0    50.0      20.8        52.0  538.8  509.8  567.8
        3    538.8    50.0      21.6        53.9  556.5  521.8  591.2
    Interval: 95%. Steady state: 833.3.
    """

    opening_by_tenure: FloatArray = attrs.field(converter=_members_by_tenure, eq=attrs.cmp_using(eq=np.array_equal))
    inflow: float = attrs.field(default=0.0, validator=_is_amount)
    constant_rate: float | None = attrs.field(default=None, validator=_is_rate_or_none)
    survival: FloatArray | None = attrs.field(
        default=None, converter=_curve_or_none, eq=attrs.cmp_using(eq=np.array_equal)
    )
    referral_rate: float = attrs.field(default=0.0, validator=_is_amount)
    n_periods: int = attrs.field(validator=_is_horizon)
    level: float = attrs.field(default=0.95, validator=_is_level)
    rate_error: float = attrs.field(default=0.0, validator=_is_amount)
    inflow_error: float = attrs.field(default=0.0, validator=_is_amount)
    rate_fluctuation: float = attrs.field(default=0.0, validator=_is_amount)
    inflow_fluctuation: float = attrs.field(default=0.0, validator=_is_amount)
    calendar: Calendar | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.instance_of(Calendar))
    )
    first_period: int = 0

    _Row: ClassVar[type[Any] | None] = ProjectionRow

    def __attrs_post_init__(self) -> None:
        """Refuse two laws, or none, and a stock beyond all measure."""
        _require_one_law(self.constant_rate, self.survival)
        if self.constant_rate is None and (self.rate_error or self.rate_fluctuation):
            got = max(self.rate_error, self.rate_fluctuation)
            raise InvalidValueError(message("rate_error, rate_fluctuation", "0 beside a survival curve", got))
        if self.constant_rate is not None and self.rate_fluctuation > widest(self.constant_rate) * (1 + 1e-12):
            expected = f"at most {widest(self.constant_rate):.4g}, as a rate in [0, 1] with this mean can fluctuate"
            raise InvalidValueError(message("rate_fluctuation", expected, self.rate_fluctuation))
        if self.grows:
            self._require_moderate_growth()

    def _require_moderate_growth(self) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            too_many = np.flatnonzero(~(self.stock <= _MOST_MEMBERS))
        if len(too_many):
            expected = f"a horizon within which the expected stock stays below {_MOST_MEMBERS:.0e} members"
            passed = f"; at these rates it is passed in period {too_many[0] + 1}"
            raise InvalidValueError(message("periods", expected, self.n_periods) + passed)

    # ── the assumptions ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def opening(self) -> float:
        """Members at the start."""
        return float(self.opening_by_tenure.sum())

    @property
    def evaporation_rate(self) -> float:
        """Share of the stock that evaporates in a period; under a survival curve, of a steady one: 1 / mean stay."""
        return self.constant_rate if self.constant_rate is not None else steady_rate(self._curve)

    @property
    def is_constant(self) -> bool:
        """Whether members evaporate at one rate, whatever their tenure."""
        return self.constant_rate is not None

    @property
    def _curve(self) -> FloatArray:
        return np.array([1.0, 1.0 - (self.constant_rate or 0.0)]) if self.survival is None else self.survival

    @property
    def _step(self) -> Step:
        return Step(stay_of(self._curve), self.referral_rate)

    # ── the course ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def periods(self) -> NDArray[np.datetime64]:
        """Local start date of each future period, shape (n,), datetime64; NaT without a calendar, and after 2458."""
        if self.calendar is None:
            return frozen(np.full(self.n_periods, "NaT", dtype="M8[D]"))
        known = min(max(self.calendar.index_of_date(_LAST_LABEL) - self.first_period, 0), self.n_periods)
        labels = self.calendar.label(self.first_period + np.arange(known))
        return frozen(np.append(labels, np.full(self.n_periods - known, "NaT", dtype=labels.dtype)))

    @property
    def stock(self) -> FloatArray:
        """Expected members at the end of each period, shape (n,)."""
        return frozen(self._means().sum(axis=1)[1:])

    @property
    def referred(self) -> FloatArray:
        """Expected newcomers that members bring in each period, shape (n,)."""
        return frozen(self.referral_rate * self._means()[:-1].sum(axis=1))

    @property
    def evaporated(self) -> FloatArray:
        """Expected members lost in each period, shape (n,)."""
        return frozen(self._means()[:-1] @ (1 - self._step.stay))

    @property
    def variance(self) -> FloatArray:
        """Variance of the stock around its expectation, chance and uncertainty of the rates together, shape (n,)."""
        return frozen(self._variance(self._means()))

    @property
    def lower(self) -> FloatArray:
        """Lower end of the prediction interval of the stock, not below 0, shape (n,)."""
        return frozen(self._interval(self._means())[0])

    @property
    def upper(self) -> FloatArray:
        """Upper end of the prediction interval of the stock, shape (n,)."""
        return frozen(self._interval(self._means())[1])

    def _means(self) -> FloatArray:
        """Return the expected members at the start and after each period, by tenure, shape (n + 1, tenures)."""
        step = self._step
        means = np.zeros((self.n_periods + 1, len(step.stay)))
        n_given = min(len(self.opening_by_tenure), len(step.stay))
        means[0, :n_given] = self.opening_by_tenure[:n_given]
        means[0, -1] += self.opening_by_tenure[n_given:].sum()  # from the last tenure on all stay alike
        for now, following in pairwise(means):
            following[:] = step(now)
            following[0] += self.inflow
        return means

    def _variance(self, means: FloatArray) -> FloatArray:
        """Return the variance of the whole stock after each period: see Notes of `project`."""
        step = self._step
        n_tenures = len(step.stay)
        spread = np.zeros((n_tenures, n_tenures))
        by_rate, by_inflow = np.zeros(n_tenures), np.zeros(n_tenures)  # derivatives of the mean
        by_chance, of_rate = step.stay * (1 - step.stay), self.rate_fluctuation**2
        variance = np.empty(self.n_periods)
        with np.errstate(over="ignore"):
            for ahead, mean in enumerate(means[:-1]):
                stock = mean.sum()
                noise = step.aged(mean * (by_chance - of_rate) + of_rate * (spread.sum() + stock**2))
                noise[0] += self.inflow + self.inflow_fluctuation**2 + self.referral_rate * stock
                spread = step(step(spread).T)
                spread.flat[:: n_tenures + 1] += noise
                by_rate, by_inflow = step(by_rate) - mean, step(by_inflow)
                by_inflow[0] += 1
                known = (self.rate_error * by_rate.sum()) ** 2 + (self.inflow_error * by_inflow.sum()) ** 2
                variance[ahead] = spread.sum() + known
        return variance

    def _interval(self, means: FloatArray) -> tuple[FloatArray, FloatArray]:
        stock = means.sum(axis=1)[1:]
        reach = -float(normal_quantile((1 - self.level) / 2)) * np.sqrt(self._variance(means))
        return np.maximum(stock - reach, 0.0), stock + reach

    # ── where it leads ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def grows(self) -> bool:
        """Whether the expected stock grows without end, because referral outweighs evaporation: no steady state."""
        if self.referral_rate == self.evaporation_rate:
            return self.inflow > 0
        return self.referral_rate > self.evaporation_rate and (self.inflow > 0 or self.opening > 0)

    @property
    def steady_state(self) -> float:
        """Stock that the expectation tends to: inflow / (evaporation − referral), infinite where it grows without end.

        Examples
        --------
        >>> project(0, inflow=50, evaporation_rate=0.10, periods=1).steady_state
        500.0
        """
        if self.grows:
            return math.inf
        if self.inflow:
            return self.inflow / (self.evaporation_rate - self.referral_rate)
        return self._level_kept() if self.referral_rate == self.evaporation_rate else 0.0

    def _level_kept(self) -> float:
        """Return where a stock without inflow settles if referrals just make up for evaporation."""
        step = self._step
        # What one member of each tenure adds in the long run, by staying and by whom they bring; a newcomer's is 1.
        worth = np.ones(len(step.stay))
        if self.referral_rate:
            worth[-1] = self.referral_rate / (1 - step.stay[-1])
        for tenure in reversed(range(len(worth) - 1)):
            worth[tenure] = step.stay[tenure] * worth[tenure + 1] + self.referral_rate
        return float(self._means()[0] @ worth / (steady_spread(self._curve) @ worth))

    @property
    def break_even_inflow(self) -> float:
        """External inflow per period that keeps the opening stock: opening × (evaporation − referral), not below 0.

        Under a survival curve, members given by tenure may first move away from that size, and then come back to it.

        Examples
        --------
        >>> p = project(500, evaporation_rate=0.10, referral_rate=0.04, periods=12)
        >>> round(p.break_even_inflow, 6), p.what_if(inflow=p.break_even_inflow).stock[-1].round(6).tolist()
        (30.0, 500.0)
        """
        return max(self.opening * (self.evaporation_rate - self.referral_rate), 0.0)

    def what_if(
        self,
        *,
        evaporation_rate: float | Rate | None = None,
        inflow: float | None = None,
        referral_rate: float | None = None,
    ) -> Projection:
        """Return the projection under other assumptions; what is left out stays.

        Parameters
        ----------
        evaporation_rate : float or Rate, optional
            The new rate. A survival curve is raised to the power that gives it, so that its hazards stay in proportion.
        inflow : float, optional
            New external inflow per period.
        referral_rate : float, optional
            New referral rate; the external inflow stays what it was.

        Returns
        -------
        Projection

        Raises
        ------
        InvalidTypeError, InvalidValueError
            A rate or number cannot be used, or no power of the survival curve has the rate.

        Notes
        -----
        Standard error and fluctuation of a rate or inflow that is replaced by a number change in proportion to it: less
        evaporation is no better known than evaporation was. A `Rate` brings its own standard error.

        Examples
        --------
        >>> p = project(500, inflow=50, evaporation_rate=0.10, periods=12)
        >>> better = p.what_if(evaporation_rate=p.evaporation_rate * 0.9)
        >>> print(f"{p.stock[-1]:.1f} → {better.stock[-1]:.1f}")
        500.0 → 537.6
        """
        changes: dict[str, Any] = {}
        if evaporation_rate is not None:
            changes |= self._with_rate(evaporation_rate)
        if inflow is not None:
            changes["inflow"] = _amount("inflow", inflow)
            factor = _factor(changes["inflow"], self.inflow)
            changes["inflow_error"] = self.inflow_error * factor
            changes["inflow_fluctuation"] = self.inflow_fluctuation * factor
        if referral_rate is not None:
            changes["referral_rate"] = _amount("referral_rate", referral_rate)
        return attrs.evolve(self, **changes)

    def _with_rate(self, evaporation_rate: float | Rate) -> dict[str, Any]:
        rate, error = _rate_of(evaporation_rate)
        if self.constant_rate is None:
            return {"survival": bent(self._curve, rate)}
        factor = _factor(rate, self.constant_rate)
        return {
            "constant_rate": rate,
            "rate_error": error if isinstance(evaporation_rate, Rate) else self.rate_error * factor,
            "rate_fluctuation": min(self.rate_fluctuation * factor, widest(rate)),
        }

    # ── showing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _tidy(self) -> Sequence[Column]:
        means = self._means()
        stock = means.sum(axis=1)
        lower, upper = self._interval(means)

        def number(key: str, zh: str, values: NDArray[Any]) -> Column:
            return Column(key=key, en=key, zh=zh, values=values, format="number", digits=1)

        return [
            Column(key="period", en="period", zh="周期", values=self.periods, format="date"),
            Column(key="ahead", en="ahead", zh="未来", values=np.arange(1, self.n_periods + 1), format="count"),
            number("opening", "期初", stock[:-1]),
            number("inflow", "外部流入", np.full(self.n_periods, float(self.inflow))),
            number("referred", "带来", self.referral_rate * stock[:-1]),
            number("evaporated", "蒸发", means[:-1] @ (1 - self._step.stay)),
            number("stock", "留量", stock[1:]),
            number("lower", "下限", lower),
            number("upper", "上限", upper),
        ]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        hidden = "period" if self.calendar is None else "ahead"
        return [column for column in self._tidy() if column.key != hidden]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        level, rates = f"{self.level * 100:g}%", f"{self.referral_rate:.1%}, {self.evaporation_rate:.1%}"
        if lang == "zh":
            leads = (
                f"无稳态：持续增长（带来率与蒸发率 {rates}）。" if self.grows else f"稳态：{self.steady_state:,.1f}。"
            )
            return [f"区间：{level}。{leads}"]
        if self.grows:
            return [f"Interval: {level}. No steady state: the stock grows on (referral and evaporation {rates})."]
        return [f"Interval: {level}. Steady state: {self.steady_state:,.1f}."]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the opening and the last expected stock."""
        last = f", {self.stock[-1]:,.1f} after {self.n_periods} periods" if self.n_periods else ""
        return f"Projection({self.opening:,.1f} now{last})"


def project(
    data: FlowLedger | ArrayLike,
    /,
    *,
    periods: int,
    inflow: float | None = None,
    evaporation_rate: float | Rate | None = None,
    survival: ArrayLike | None = None,
    referral_rate: float = 0.0,
    over: int | None = None,
    level: float = 0.95,
) -> Projection:
    """Project the stock of members into the future.

    Parameters
    ----------
    data : FlowLedger, number or array_like of shape (k,)
        The opening stock: that of a ledger at the end of its last complete period, a number, or members by tenure:
        those who came in the last period, in the one before, … Under a survival curve a ledger's or a number's members
        are spread over tenures as in a steady stock, in proportion to `survival`; a group whose members are all new is
        ``[n]``.
    periods : int
        How many periods to look ahead, at most 10,000.
    inflow : float, optional
        Expected external joiners and returners per period, 0 by default: a plan, around which arrivals vary as a
        Poisson count. From a ledger by default: the mean flow less what `referral_rate` explains, which varies as it
        did there.
    evaporation_rate : float or Rate, optional
        Share of the stock lost in a period. A number is taken as known; a counted `Rate` widens the interval by its
        standard error. From a ledger by default: Σ evaporated / Σ opening, which varies as it did there.
    survival : array_like of float, shape (m,), optional
        Share of joiners still there 0, 1, … periods after the one they came in, instead of a rate; the first is 1.
        Taken as known. After the last entry its ratio to the one before holds on, so that of a curve which ends flat
        some never leave. At most 1,001 entries.
    referral_rate : float, default 0
        New members that each member brings in a period.
    over : int, optional
        Number of complete periods of the ledger, counted from its end, that rates are taken from; by default all from
        the first that opened with members.
    level : float, default 0.95
        Level of the prediction interval.

    Returns
    -------
    Projection

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A rate or number cannot be used, a ledger has no complete period to take it from, the referral rate explains
        more than the ledger's flow, or the stock would outgrow 10**15.

    Notes
    -----
    With stock m, evaporation rate e, referral rate r, inflow x, and the fluctuations s of the rate and f of the inflow,
    the variance V of the process follows the exact recursion

        V' = (1 − e + r)² V + m (e (1 − e) − s²) + s² (V + m²) + x + f² + r m

    (one row a tenure under a survival curve). To it come the squares of the standard errors of e and x times the
    derivative of the stock by each (delta method). The interval is ± the normal quantile times the root of the sum, cut
    off at 0: of few members it is rough, and of rates from few periods too narrow.

    A ledger's fluctuations are estimated by moments: of the rate as DerSimonian and Laird do between studies, of the
    inflow as what its variance exceeds the mean. Standard errors of counts are those of Jeffreys' posterior, which are
    not 0 where nobody evaporated. Periods are taken to be independent, without trend or season.

    References
    ----------
    DerSimonian, R. and Laird, N. (1986). Meta-analysis in clinical trials. Controlled Clinical Trials 7(3), 177-188.
    https://doi.org/10.1016/0197-2456(86)90046-2

    Row N9 of the domain table (流量 − 蒸发量 = 留量).

    Examples
    --------
    >>> project(1_000, inflow=50, evaporation_rate=Rate(100, 1_000), periods=2).stock.tolist()
    [950.0, 905.0]
    """
    n_periods, referral = _horizon("periods", periods), _amount("referral_rate", referral_rate)
    law = None if evaporation_rate is None else _rate_of(evaporation_rate)
    curve = None if survival is None else survival_curve(survival)
    assumed: dict[str, Any] = {"referral_rate": referral, "n_periods": n_periods, "level": level_in_unit(level)}
    if isinstance(data, FlowLedger):
        with_rate = law is None and curve is None
        opening, seen = rates_of_ledger(data, over, referral, with_rate=with_rate, with_inflow=inflow is None)
        assumed |= seen
    else:
        if over is not None:
            raise InvalidValueError(message("over", "None where the data is no ledger", over))
        opening = _stock("data", data)
    if inflow is not None:
        assumed["inflow"] = _amount("inflow", inflow)
    if law is not None:
        assumed["constant_rate"], assumed["rate_error"] = law
    if curve is not None and (isinstance(data, FlowLedger) or np.ndim(data) == 0):
        opening = opening.sum() * steady_spread(curve)
    _require_one_law(assumed.get("constant_rate"), curve)
    return Projection(opening_by_tenure=opening, survival=curve, **assumed)


def _horizon(argument: str, value: object) -> int:
    n_periods = whole(argument, value)
    if not 0 <= n_periods <= _MOST_PERIODS:
        raise InvalidValueError(message(argument, f"a number of periods in [0, {_MOST_PERIODS:,}]", value))
    return n_periods


def _stock(argument: str, data: ArrayLike) -> FloatArray:
    expected = "a ledger, a number of members, or members by tenure" if argument == "data" else "members by tenure"
    given = np.atleast_1d(array_of(argument, data, kinds="iuf", expected=expected))
    if given.ndim > 1 or not given.size:
        raise InvalidTypeError(message(argument, expected, f"an array of shape {given.shape}"))
    stock = given.astype(np.float64)
    bad = ~((stock >= 0) & (stock <= _MOST_MEMBERS))
    if bad.any():
        refuse(argument, "members >= 0, and no more than 10**15", stock, bad)
    return stock


def _require_one_law(constant_rate: float | None, survival: FloatArray | None) -> None:
    if constant_rate is None and survival is None:
        raise InvalidTypeError(message("evaporation_rate", "a rate, or a survival curve in its place", None))
    if constant_rate is not None and survival is not None:
        raise InvalidValueError(message("survival", "None beside an evaporation rate", survival))


def _rate_of(rate: float | Rate) -> tuple[float, float]:
    """Return an evaporation rate and its standard error."""
    if not isinstance(rate, Rate):
        return _fraction("evaporation_rate", rate), 0.0
    if not rate.trials:
        raise InvalidValueError(message("evaporation_rate", "a rate with at least one trial", rate))
    return float(rate), error_of_share(rate.hits, rate.trials)


def _fraction(argument: str, value: object) -> float:
    expected = "a fraction in [0, 1]"
    fraction = number(argument, value, expected=expected)
    if not 0 <= fraction <= 1:
        raise InvalidValueError(message(argument, expected, value))
    return fraction


def _amount(argument: str, value: object) -> float:
    expected = "a number >= 0, and no more than 10**15"
    amount = number(argument, value, expected=expected)
    if not 0 <= amount <= _MOST_MEMBERS:
        raise InvalidValueError(message(argument, expected, value))
    return amount


def _factor(new: float, old: float) -> float:
    return new / old if old else 1.0
