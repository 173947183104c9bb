"""Do several groups lose their members at the same pace? The log-rank test and its weighted kin."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias, get_args

import attrs
import numpy as np

from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import instance, items_of, number_between, one_of
from shequn.stats._follow_ups import distinct_times, of_one_kind
from shequn.stats.survival import SurvivalTable
from shequn.stats.tails import chi2_sf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from shequn._typing import FloatArray, IntArray

__all__ = ["LogRank", "Weights", "log_rank"]

Weights: TypeAlias = Literal["log-rank", "wilcoxon", "tarone-ware", "peto", "fleming-harrington"]

# An eigenvalue of a matrix of correlations that should be 0 is a few units in the last place of the largest.
_ROUNDING: Final = 1e-10
_FEWEST_GROUPS: Final = 2


def _read_only_array(values: Any) -> NDArray[Any]:  # noqa: ANN401
    array = np.array(values)
    array.setflags(write=False)
    return array


def _array_field() -> Any:  # noqa: ANN401
    field: Callable[..., Any] = attrs.field
    return field(converter=_read_only_array, eq=attrs.cmp_using(eq=np.array_equal))


def _as_key(number: float) -> float | None:
    """Return what numbers are compared by: two that are missing are the same."""
    return None if math.isnan(number) else number


@attrs.frozen(kw_only=True)
class LogRank:
    """The outcome of a log-rank test of k groups; made by `log_rank`.

    Attributes
    ----------
    statistic : float
        Chi-square, 0 when nothing is left to compare.
    df : int
        Degrees of freedom: the rank of `variance`, k - 1 unless a group was never at risk together with others when
        somebody had the event.
    p_value : float
        Probability of a statistic at least as large when all groups lose their members at one pace; NaN at `df` 0.
    observed : ndarray of int64, shape (k,)
        Events of each group.
    expected : ndarray of float64, shape (k,)
        Events that each group would have if all lost their members at the pace of all together. Both are without
        weights, whatever the test.
    score : ndarray of float64, shape (k,)
        Weighted sum of observed less expected; they add up to 0.
    variance : ndarray of float64, shape (k, k)
        Covariance matrix of the score when all groups have one pace.

    Examples
    --------
    >>> LogRank(
    ...     statistic=4.0, df=1, p_value=0.0455, observed=[9, 3], expected=[6.0, 6.0], score=[3.0, -3.0],
    ...     variance=[[2.25, -2.25], [-2.25, 2.25]],
    ... ).observed
    array([9, 3])
    """

    statistic: float
    df: int
    p_value: float = attrs.field(eq=_as_key)
    observed: IntArray = _array_field()
    expected: FloatArray = _array_field()
    score: FloatArray = _array_field()
    variance: FloatArray = _array_field()

    def __reduce__(self) -> tuple[Callable[..., LogRank], tuple[Any, ...]]:
        """Pickle by the constructor, so that a copy is read-only too."""
        return _log_rank_of, (attrs.asdict(self, recurse=False),)


def _log_rank_of(fields: dict[str, Any]) -> LogRank:
    return LogRank(**fields)


def log_rank(
    tables: Sequence[SurvivalTable],
    /,
    *,
    weights: Weights = "log-rank",
    p: float | None = None,
    q: float | None = None,
) -> LogRank:
    r"""Test whether k groups have one survival function, which of them had more events than expected, and how many.

    Parameters
    ----------
    tables : sequence of SurvivalTable
        One a group, two or more, all over the same unit of time; each unit is followed in one group alone.
    weights : {"log-rank", "wilcoxon", "tarone-ware", "peto", "fleming-harrington"}
        What an event counts for. ``"log-rank"``: 1, at any time. ``"wilcoxon"`` (Gehan, Breslow): as many as are at
        risk, so that early differences weigh more, and more so where many are censored early. ``"tarone-ware"``: the
        root of that. ``"peto"`` (Peto-Peto, Prentice): the survival of all together, whatever the censoring.
        ``"fleming-harrington"``: by `p` and `q`.
    p, q : float, optional
        Of Fleming and Harrington alone: 0 or more. The larger `p`, the more early differences weigh, and the larger
        `q`, the more late ones. (0, 0) is the log-rank test.

    Returns
    -------
    LogRank

    Raises
    ------
    InvalidTypeError
        If `tables` are not survival tables, or `p` or `q` is missing or no number.
    InvalidValueError
        If there are fewer than two tables, no such weights, `p` or `q` is negative, not finite or given beside other
        weights, or whole times beyond 2**53 stand beside others that are not whole.

    Notes
    -----
    At each time t with d events among n at risk, group j having :math:`d_j` among :math:`n_j`: the score is
    :math:`Z_j = \sum_t w (d_j - d \, n_j / n)`, its covariance
    :math:`V_{jl} = \sum_t w^2 \, d \frac{n - d}{n - 1} \frac{n_j}{n} (\delta_{jl} - \frac{n_l}{n})`, and the statistic
    :math:`Z' V^{-} Z`, chi-square with as many degrees of freedom as the rank of V. Units that come in late are at risk
    from their entry on.

    Weights: 1; n; :math:`\sqrt n`; :math:`\prod_{s \le t} (1 - d_s / (n_s + 1))`;
    :math:`\hat S(t-)^p (1 - \hat S(t-))^q`, with :math:`\hat S(t-)` the Kaplan-Meier estimate of all together just
    before t.

    It is a test of one difference over all times: survival functions that cross may differ much and still give a small
    statistic. Which weights to take is to be settled before the data are seen. Of many tests, see `holm`.

    References
    ----------
    Mantel, N. (1966). Evaluation of survival data and two new rank order statistics arising in its consideration.
    Cancer Chemotherapy Reports 50, 163-170.

    Tarone, R. E. and Ware, J. (1977). On distribution-free tests for equality of survival distributions. Biometrika 64,
    156-160. https://doi.org/10.1093/biomet/64.1.156

    Harrington, D. P. and Fleming, T. R. (1982). A class of rank test procedures for censored survival data. Biometrika
    69, 553-566. https://doi.org/10.1093/biomet/69.3.553

    Examples
    --------
    >>> quick = SurvivalTable.from_durations([1, 2, 2, 3, 5])
    >>> slow = SurvivalTable.from_durations([4, 6, 7, 7, 9], [True, False, True, True, False])
    >>> test = log_rank([quick, slow])
    >>> print(f"{test.statistic:.3f} on {test.df} df, p = {test.p_value:.4f}; expected {test.expected.round(2)}")
    7.387 on 1 df, p = 0.0066; expected [2.04 5.96]
    """
    groups = items_of("tables", tables, expected="survival tables, one a group")
    for table in groups:
        instance("tables", table, SurvivalTable, expected="survival tables, one a group")
    if len(groups) < _FEWEST_GROUPS:
        raise InvalidValueError(message("tables", "two groups or more", len(groups)))
    weigh = _weigher(weights, p, q)

    at = _at_risk_at_events(groups)
    n, d = at.at_risk.sum(axis=0), at.events.sum(axis=0)
    weight = weigh(n, d)
    share = at.at_risk / n
    score = ((at.events - d * share) * weight).sum(axis=1)
    spread = weight**2 * d * np.divide(n - d, n - 1, out=np.zeros(len(n)), where=n > 1)
    variance = -(share * spread) @ share.T
    # Not as 1 - share, of which nothing is left for a group that is nearly all.
    np.fill_diagonal(variance, (share * spread * ((n - at.at_risk) / n)).sum(axis=1))
    statistic, df = _statistic(score, variance)
    return LogRank(
        statistic=statistic,
        df=df,
        p_value=float(chi2_sf(statistic, df)) if df else math.nan,
        observed=np.array([int(table.events.sum()) for table in groups], dtype=np.int64),
        expected=(d * share).sum(axis=1),
        score=score,
        variance=variance,
    )


class _AtEvents(NamedTuple):
    """Events and those at risk of each group, at each time with an event: shape (k, n_times), as float64."""

    events: FloatArray
    at_risk: FloatArray


def _at_risk_at_events(groups: Sequence[SurvivalTable]) -> _AtEvents:
    parts = of_one_kind([table.times[table.events > 0] for table in groups])
    times = distinct_times(parts)
    events = np.zeros((len(groups), len(times)))
    at_risk = np.zeros((len(groups), len(times)))
    for row, (table, part) in enumerate(zip(groups, parts, strict=True)):
        events[row, np.searchsorted(times, part)] = table.events[table.events > 0]
        # Compared in the dtype of the table: whole times beyond 2**53 stay apart.
        at_risk[row] = np.append(table.at_risk, 0)[np.searchsorted(table.times, times, side="left")]
    return _AtEvents(events, at_risk)


def _weigher(weights: Weights, p: float | None, q: float | None) -> Callable[[FloatArray, FloatArray], FloatArray]:
    """Return the weight at each time as a function of those at risk and of the events."""
    one_of("weights", weights, get_args(Weights))
    if weights == "fleming-harrington":
        early, late = _power("p", p), _power("q", q)
        return lambda n, d: _before(n, d) ** early * (1.0 - _before(n, d)) ** late
    for name, power in (("p", p), ("q", q)):
        if power is not None:
            raise InvalidValueError(message(name, "None beside other weights than 'fleming-harrington'", power))
    known: dict[str, Callable[[FloatArray, FloatArray], Any]] = {
        "log-rank": lambda n, _d: np.ones(len(n)),
        "wilcoxon": lambda n, _d: n,
        "tarone-ware": lambda n, _d: np.sqrt(n),
        "peto": lambda n, d: np.cumprod(1.0 - d / (n + 1.0)),
    }
    return lambda n, d: np.asarray(known[weights](n, d), dtype=np.float64)


def _before(n: FloatArray, d: FloatArray) -> FloatArray:
    """Return the Kaplan-Meier estimate of all together just before each time."""
    return np.append(1.0, np.cumprod((n - d) / n))[:-1]


def _power(name: str, value: object) -> float:
    if value is None:
        raise InvalidTypeError(message(name, "a number of 0 or more with weights='fleming-harrington'", value))
    return number_between(name, value, 0)


def _statistic(score: FloatArray, variance: FloatArray) -> tuple[float, int]:
    """Return the score's length in units of its variance, and over how many dimensions it spreads."""
    scale = np.sqrt(np.diag(variance))
    held = scale > 0
    if not held.any():
        return 0.0, 0
    # As correlations: a group of three beside one of a million must not pass for rounding.
    correlation = variance[np.ix_(held, held)] / np.outer(scale[held], scale[held])
    values, vectors = np.linalg.eigh(correlation)
    kept = values > _ROUNDING * values[-1] * len(values)
    along = vectors[:, kept].T @ (score[held] / scale[held])
    return float((along**2 / values[kept]).sum()), int(kept.sum())
