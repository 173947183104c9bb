"""Who renews, and who leaves and says so? The shifted beta-geometric model of contracts and subscriptions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, cast

import attrs
import numpy as np

from shequn.columns.readonly import frozen
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.lifetime.fitted import FAR_OUT, UNSETTLED, Fitted, Reason, parameter
from shequn.lifetime.spans import Discount
from shequn.stats import Interval, SurvivalTable, normal_quantile
from shequn.stats._checks import array_of, instance, level_in_unit, refuse, whole
from shequn.stats.gammas import digamma, log_gamma_ratio
from shequn.stats.likelihood import Maximum, maximise
from shequn.stats.quadrature import beta_rule
from shequn.values.calendar import Calendar

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray

__all__ = ["Cohorts", "ShiftedBetaGeometric", "ShiftedBetaGeometricParams"]

_FARTHEST = 1e6
_MOST_TERMS = 10_000_000
_LONGEST = 10**12  # tenure


class Cohorts(Protocol):
    """What a cohort table gives: who is left of each cohort, and where that was observed in full."""

    @property
    def counts(self) -> IntArray:
        """Members of each cohort (rows) who are still there at each offset (columns)."""
        ...

    @property
    def eligible(self) -> IntArray:
        """Members of each cohort whose offset was observed in full."""
        ...


class ShiftedBetaGeometricParams(NamedTuple):
    """The two parameters, or what belongs to each.

    Examples
    --------
    >>> ShiftedBetaGeometricParams(alpha=0.668, beta=3.806).alpha
    0.668
    """

    alpha: float
    beta: float


@attrs.frozen(kw_only=True, repr=False)
class ShiftedBetaGeometric(Fitted):
    r"""At the end of each period a member leaves with a chance of their own, which does not change.

    The chance is beta distributed over members. Those likely to leave do so first, so that who is left is ever more
    faithful: rates of retention rise with tenure though nobody's changes.

    Attributes
    ----------
    alpha, beta : float
        Of the beta distribution: alpha / (alpha + beta) leave at the end of the first period.

    Notes
    -----
    For contracts: it is seen when somebody leaves, at the end of periods that all have in common. Who just falls silent
    is for `BetaGeoNBD`.

    References
    ----------
    Fader, P. S. and Hardie, B. G. S. (2007). How to project customer retention. Journal of Interactive Marketing 21(1),
    76-90. https://doi.org/10.1002/dir.20074

    Examples
    --------
    >>> fit = ShiftedBetaGeometric.fit(left=[1000, 869, 743, 653, 593, 551, 517, 491])
    >>> print(f"{fit.alpha:.4f} {fit.beta:.4f} {fit.log_likelihood:.3f}")
    0.6681 3.8061 -1611.158
    >>> fit.survival([8, 9, 10, 11, 12]).round(3)
    array([0.46 , 0.436, 0.414, 0.395, 0.378])
    """

    alpha: float = parameter()
    beta: float = parameter()

    _names: ClassVar[tuple[str, ...]] = ShiftedBetaGeometricParams._fields

    @classmethod
    def fit(
        cls,
        data: SurvivalTable | Cohorts | None = None,
        /,
        *,
        left: ArrayLike | None = None,
        every: Calendar | None = None,
    ) -> ShiftedBetaGeometric:
        """Find the parameters under which who left when is most likely.

        Parameters
        ----------
        data : SurvivalTable or cohort table, optional
            A survival table whose times are whole periods of 1 or more; or a cohort table (anything with `counts` and
            `eligible`) of members still there, in which a row never rises: ``mode="on"`` of payments that are due in
            each period. Or:
        left : array_like of int, shape (n_periods,) or (n_cohorts, n_periods), optional
            How many of each cohort are left after 0, 1, … periods. A row that ends early, as its cohort is young, is
            filled up with -1.
        every : Calendar, optional
            What a period is; a cohort table's own by default.

        Returns
        -------
        ShiftedBetaGeometric
            `converged`, or with the `reason` why the likelihood has no maximum.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            Neither was given, or both; times are no whole periods; more are left than before; nobody was observed for a
            period; or a cohort table is of ``mode="on_or_after"`` or ``anchor="recurring"``.

        Notes
        -----
        The hazard after t periods is alpha / (alpha + beta + t - 1), so that all that matters is how many were there
        and how many left at each tenure: a table of a row a period, whatever the number of members. Members who came
        late, and cohorts of different age, need nothing else.

        A contract is paid for in every period until it ends. Where periods can be skipped, a table of
        ``mode="on_or_after"`` counts those who will return as there, and who has merely not yet returned as gone: near
        the end of observation all seem to leave. For those there is `BetaGeoNBD`.
        """
        at, gone, there = _hazards(data, left)
        if every is None:
            every = getattr(data, "calendar", None)
        if every is not None:
            instance("every", every, Calendar, expected="a Calendar")
        if not there.sum():
            raise InvalidValueError(message("data", "somebody who was observed for a period", "nobody"))
        seen = there > 0
        likelihood = _Likelihood(at[seen], gone[seen], there[seen])
        unit = np.ones(2)
        found = maximise(likelihood, unit, unit / _FARTHEST, unit * _FARTHEST)
        why = _reason(found, gone, there)
        return cls(
            **ShiftedBetaGeometricParams(*found.at.tolist())._asdict(),
            covariance=found.covariance,
            log_likelihood=found.value,
            n_members=int(there.max()) if data is None or not isinstance(data, SurvivalTable) else data.n_followed,
            reason=None if why is None else why.en,
            reason_zh=None if why is None else why.zh,
            calendar=every,
        )

    @property
    def params(self) -> ShiftedBetaGeometricParams:
        """The two parameters."""
        return ShiftedBetaGeometricParams(self.alpha, self.beta)

    @property
    def standard_errors(self) -> ShiftedBetaGeometricParams | None:
        """Standard error of each parameter; None where there was no maximum or no fit."""
        return None if self.covariance is None else ShiftedBetaGeometricParams(*self._errors.tolist())

    def survival(self, t: ArrayLike, /) -> FloatArray:
        r"""Return the share that is still there after t periods.

        Notes
        -----
        :math:`B(\alpha, \beta + t) / B(\alpha, \beta)`.

        Examples
        --------
        >>> ShiftedBetaGeometric(alpha=1.0, beta=1.0).survival([0, 1, 3])
        array([1.  , 0.5 , 0.25])
        """
        return frozen(np.exp(self._log_survival(_periods("t", t))))

    def survival_interval(self, t: ArrayLike, /, *, level: float = 0.95) -> Interval:
        """Return the interval of `survival`, from how well the parameters are known.

        Raises
        ------
        InvalidValueError
            The likelihood had no maximum, or nothing was fitted.

        Notes
        -----
        The delta method on the logarithm of minus the logarithm of the share.

        Examples
        --------
        >>> fit = ShiftedBetaGeometric.fit(left=[1000, 869, 743, 653, 593, 551, 517, 491])
        >>> lower, upper = fit.survival_interval([12])
        >>> print(f"{lower[0]:.3f} {upper[0]:.3f}")
        0.340 0.416
        """
        if self.covariance is None:
            raise InvalidValueError(message("covariance", "a fit that converged", None))
        z = -float(normal_quantile((1.0 - level_in_unit(level)) / 2.0))
        at = _periods("t", t)
        log_share = self._log_survival(at)
        total = np.float64(self.alpha + self.beta)
        both, one = digamma(total + at) - digamma(np.full_like(at, total)), np.full_like(at, self.beta)
        by = np.stack([-both, digamma(one + at) - digamma(one) - both])
        error = np.sqrt(np.einsum("i...,ij,j...->...", by, self.covariance, by))
        inner = log_share < 0
        factor = np.exp(z * np.divide(error, -log_share, out=np.zeros_like(at), where=inner))
        return Interval(frozen(np.exp(log_share * factor)), frozen(np.exp(log_share / factor)))

    def retention_rate(self, t: ArrayLike, /) -> FloatArray:
        r"""Return the share of those there after t - 1 periods who stay for one more.

        Notes
        -----
        :math:`(\beta + t - 1) / (\alpha + \beta + t - 1)`, rising with t.

        Examples
        --------
        >>> ShiftedBetaGeometric(alpha=1.0, beta=1.0).retention_rate([1, 2, 3]).round(3)
        array([0.5  , 0.667, 0.75 ])
        """
        at = _periods("t", t, least=1.0)
        return frozen((self.beta + at - 1.0) / (self.alpha + self.beta + at - 1.0))

    def curve(self, n_periods: int, /) -> FloatArray:
        """Return the share still there after 0, 1, … n periods, as `retention.project` takes it.

        Examples
        --------
        >>> ShiftedBetaGeometric(alpha=1.0, beta=1.0).curve(3)
        array([1.        , 0.5       , 0.33333333, 0.25      ])
        """
        n = whole("n_periods", n_periods)
        if not 1 <= n <= 1_000_000:  # noqa: PLR2004
            raise InvalidValueError(message("n_periods", "1 to a million", n))
        return frozen(np.cumprod(np.append(1.0, self.retention_rate(np.arange(1, n + 1)))))

    def expected_periods(self, *, tenure: int = 0, discount: Discount | None = None) -> float:
        r"""Return how many more periods a member is expected to pay for, who has stayed for some.

        Parameters
        ----------
        tenure : int, default 0
            Periods that they have paid for, at the end of which they have not yet decided; 0 for somebody new, whose
            first period counts.
        discount : Discount, optional
            What is paid later is worth less; by default the same.

        Returns
        -------
        float
            Infinite without a discount if alpha is 1 or less: some members are so faithful that the mean has no bounds.

        Notes
        -----
        Of a new member :math:`\sum_{t \ge 0} S(t) / (1 + d)^t`, of one of tenure n > 0
        :math:`\sum_{t \ge n} S(t) / (S(n - 1) (1 + d)^{t - n})`, the discounted expected residual lifetime. The first
        is :math:`(1 + d) / d` times the mean of :math:`1 / (1 + p / d)` over p ~ Beta(alpha, beta).

        References
        ----------
        Fader, P. S. and Hardie, B. G. S. (2010). Customer-base valuation in a contractual setting: The perils of
        ignoring heterogeneity. Marketing Science 29(1), 85-93. https://doi.org/10.1287/mksc.1080.0482

        Examples
        --------
        >>> fit = ShiftedBetaGeometric(alpha=0.668, beta=3.806)
        >>> rate = Discount(0.1, per="period")
        >>> [round(fit.expected_periods(tenure=n, discount=rate), 2) for n in (0, 1, 5)]
        [5.92, 5.41, 6.9]
        """
        n = whole("tenure", tenure)
        if not 0 <= n <= _LONGEST:
            raise InvalidValueError(message("tenure", "0 periods or more, up to 1e12", n))
        rate = 0.0
        if discount is not None:
            instance("discount", discount, Discount, expected="a Discount")
            rate = discount.per_period(self.calendar)
        if rate < 0 or (rate == 0 and self.alpha <= 1):
            return math.inf
        if rate == 0:
            # The sum of S(t) from 0 on is (alpha + beta - 1) / (alpha - 1), and tenure moves beta.
            return (self.beta + n - 1.0 + (0.0 if n else self.alpha)) / (self.alpha - 1.0)
        if not n:
            return _discounted(self.alpha, self.beta, rate)
        stay = (self.beta + n - 1.0) / (self.alpha + self.beta + n - 1.0)
        return stay * _discounted(self.alpha, self.beta + n, rate)

    def _log_survival(self, t: FloatArray) -> FloatArray:
        # Gammas of like size are divided by one another, so that no digits cancel, be t small or large.
        alpha, beta = np.full_like(t, self.alpha), np.full_like(t, self.beta)
        by_time = log_gamma_ratio(beta, t) - log_gamma_ratio(alpha + beta, t)
        by_alpha = log_gamma_ratio(beta, alpha) - log_gamma_ratio(beta + t, alpha)
        return np.where(t < alpha, by_time, by_alpha)


def _discounted(alpha: float, beta: float, rate: float) -> float:
    """Return the sum of S(t) / (1 + rate)**t over t = 0, 1, …: for each p that of ((1 - p) / (1 + rate))**t."""
    rule = beta_rule(alpha, beta, 1.0 / rate, 1.0)
    if rule is None:
        expected = f"a larger rate a period, as with alpha = {alpha:g} and beta = {beta:g} no sum is exact"
        raise InvalidValueError(message("discount", expected, rate))
    points, weights = rule
    return float(weights @ ((1.0 + rate) / (rate + points)))


# --- what comes in ---


def _hazards(data: object, left: ArrayLike | None) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return tenures, and how many left and how many were there at each."""
    if (data is None) is (left is None):
        expected = "a survival table or a cohort table, or `left` in its place"
        raise InvalidTypeError(message("data", expected, data))
    if isinstance(data, SurvivalTable):
        return _of_survival(data)
    if left is not None:
        remaining = array_of("left", left, kinds="iu", expected="whole numbers").astype(np.int64)
        argument = "left"
    else:
        counts: Any = getattr(data, "counts", None)
        eligible: Any = getattr(data, "eligible", None)
        if not isinstance(counts, np.ndarray) or not isinstance(eligible, np.ndarray):
            raise InvalidTypeError(message("data", "a survival table or a cohort table", data))
        counts, eligible = cast("IntArray", counts), cast("IntArray", eligible)
        if counts.dtype.kind != "i" or counts.shape != eligible.shape or counts.ndim != 2:  # noqa: PLR2004
            raise InvalidTypeError(message("data", "counts and eligible of one shape, in whole numbers", data))
        _require_contracts(data)
        if not counts.size:
            raise InvalidValueError(message("data", "at least one cohort and one offset", f"shape {counts.shape}"))
        # Who is eligible at one offset and not at the next tells nothing of it.
        remaining, argument = np.where(eligible == eligible[:, :1], counts, -1), "data"
        remaining[eligible[:, 0] == 0] = -1
    return _of_cohorts(argument, np.atleast_2d(remaining))


def _require_contracts(table: object) -> None:
    """Raise for tables in which members who skip a period, or come anew, look like contracts."""
    definition: object = getattr(table, "definition", table)
    for name, bad, expected in (
        (
            "mode",
            "on_or_after",
            "'on', of payments due in each period: who returns late would seem to leave at the end",
        ),
        ("anchor", "recurring", "'first_ever' or 'first_in_range': members would start anew whenever they return"),
    ):
        if getattr(definition, name, None) == bad:
            raise InvalidValueError(message(name, expected, bad))


def _of_survival(table: SurvivalTable) -> tuple[FloatArray, FloatArray, FloatArray]:
    times = table.times.astype(np.float64)
    bad = (times != np.floor(times)) | ((times < 1) & (table.events > 0))
    if bad.any():
        refuse("data", "events after whole periods, 1 or more", table.times, bad)
    last = int(times[-1]) if len(times) else 0
    if last > _MOST_TERMS:
        raise InvalidValueError(message("data", f"times up to {_MOST_TERMS:,} periods", last))
    at = np.arange(1, last + 1)
    gone = np.zeros(last, dtype=np.float64)
    late = times >= 1
    gone[times[late].astype(np.int64) - 1] = table.events[late]
    # At risk at every period, also those at which nothing happened.
    later = np.searchsorted(table.times, at, side="left")
    leaving = np.append(np.cumsum((table.events + table.censored)[::-1])[::-1], 0)
    entering = np.append(np.cumsum(table.entered[::-1])[::-1], 0)
    return at.astype(np.float64), gone, (leaving - entering)[later].astype(np.float64)


def _of_cohorts(argument: str, remaining: NDArray[np.int64]) -> tuple[FloatArray, FloatArray, FloatArray]:
    if remaining.ndim != 2:  # noqa: PLR2004
        raise InvalidTypeError(message(argument, "a row, or a row a cohort", f"shape {remaining.shape}"))
    if (remaining < -1).any():
        refuse(argument, "members left, -1 for not yet observed", remaining, remaining < -1)
    before, after = remaining[:, :-1], remaining[:, 1:]
    both = (before >= 0) & (after >= 0)
    bad: BoolArray = both & (after > before)
    if bad.any():
        refuse(argument, "no more members left than a period before", after, bad)
    late = (before < 0) & (after >= 0)
    if late.any():
        refuse(argument, "-1 at the end of a row only", after, late)
    there = np.where(both, before, 0).sum(axis=0)
    gone = np.where(both, before - after, 0).sum(axis=0)
    return np.arange(1.0, there.size + 1.0), gone.astype(np.float64), there.astype(np.float64)


def _periods(argument: str, t: ArrayLike, *, least: float = 0.0) -> FloatArray:
    at = array_of(argument, t, kinds="iuf", expected="whole numbers of periods").astype(np.float64)
    bad = ~((at >= least) & (at < 2**53) & (at == np.floor(at)))
    if bad.any():
        refuse(argument, f"whole numbers of periods, {least:g} or more", at, bad)
    return at


def _reason(found: Maximum, gone: FloatArray, there: FloatArray) -> Reason | None:
    """Say why the likelihood rises for ever, by what was seen and by the parameters that ran away."""
    if found.covariance is not None:
        return None
    ran = bool((found.edge > 0).any()) or float(found.at.min()) > FAR_OUT
    reasons = [
        (not gone.any(), Reason("nobody left (alpha shrinks to 0)", "没有人离开（alpha 趋于 0）")),
        (
            np.array_equal(gone, there),
            Reason("everybody left as soon as they could (beta shrinks to 0)", "所有人都尽早离开了（beta 趋于 0）"),
        ),
        (
            np.count_nonzero(there) == 1,
            Reason("one period says nothing about how members differ", "只有一个周期，看不出成员之间的差异"),
        ),
        (
            ran,
            Reason(
                "rates of retention don't rise with tenure: members don't differ (alpha and beta grow without end)",
                "留存率不随在期上升：成员之间没有差异（alpha 与 beta 无限增大）",
            ),
        ),
        (not found.edge.any(), UNSETTLED),
    ]
    at_once = Reason(
        "members leave at once or never (alpha and beta shrink to 0)",
        "成员要么立即离开，要么永不离开（alpha 与 beta 趋于 0）",
    )
    return next((why for holds, why in reasons if holds), at_once)


class _Likelihood:
    """Log-likelihood of who left at each tenure, with gradient and Hessian by alpha and beta."""

    def __init__(self, at: FloatArray, gone: FloatArray, there: FloatArray) -> None:
        self._before, self._gone, self._stayed, self._there = at - 1.0, gone, there - gone, there

    def __call__(self, params: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        alpha, beta = params.tolist()
        left, total = beta + self._before, alpha + beta + self._before
        gone, stayed, there = self._gone, self._stayed, self._there
        n_gone = float(gone.sum())
        value = n_gone * math.log(alpha) + stayed @ np.log(left) - there @ np.log(total)
        both = there @ (1.0 / total)
        gradient = np.array([n_gone / alpha - both, stayed @ (1.0 / left) - both])
        bend = there @ (1.0 / total**2)
        hessian = np.array(
            [[bend - n_gone / alpha**2, bend], [bend, bend - stayed @ (1.0 / left**2)]],
        )
        return float(value), gradient, hessian
