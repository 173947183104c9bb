"""What is each of many shares really, when few trials make some look extreme? Partial pooling by empirical Bayes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

import numpy as np

from shequn.stats._checks import broadcast, level_in_unit, reals, refuse
from shequn.stats.betas import beta_quantile
from shequn.stats.gammas import digamma_gap, log_gamma_ratio, trigamma_gap
from shequn.stats.likelihood import maximise

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, FloatArray

__all__ = ["PooledRates", "Pooling", "pool_rates"]

# How far rows lean on each other: on their mean by what they have seen, entirely, or not at all.
Pooling: TypeAlias = Literal["partial", "complete", "none"]

_LEAST: Final = 1e-3  # of a shape whose quantiles are taken
_MOST: Final = 1e12
_JEFFREYS: Final = 0.5
_FARTHEST: Final = 1e10


class PooledRates(NamedTuple):
    """Rates drawn towards their common mean, each the more the fewer trials it has; made by `pool_rates`.

    Attributes
    ----------
    alpha, beta : float
        The beta distribution that the true rates of rows come from. Both infinite where `pooling` is ``"complete"``,
        both 0 where it is ``"none"``.
    prior_mean : float
        Its mean: what is expected of a row without trials. NaN if no row has any.
    pooling : {"partial", "complete", "none"}
        ``"complete"``: rows differ no more than chance makes them, or there is but one, so that all have one rate.
        ``"none"``: each row is all hits or none, so that rows say nothing about each other.
    mean : ndarray of float64, shape of the rows
        Expected rate of each row.
    lower, upper : ndarray of float64, shape of the rows
        Ends of its interval.

    Examples
    --------
    >>> pooled = pool_rates([0, 9, 20, 45], [10, 100, 100, 100])
    >>> pooled.pooling, round(pooled.prior_mean, 3), round(pooled.strength, 1)
    ('partial', 0.203, 6.6)
    """

    alpha: float
    beta: float
    prior_mean: float
    pooling: Pooling
    mean: FloatArray
    lower: FloatArray
    upper: FloatArray

    @property
    def strength(self) -> float:
        """Trials that the common mean counts for in each row, alpha + beta."""
        return self.alpha + self.beta


def pool_rates(hits: ArrayLike, trials: ArrayLike, *, level: float = 0.95) -> PooledRates:
    r"""Estimate many rates together, so that those of few trials borrow from the others.

    A share of 3 out of 4 is rarely a rate of 0.75. How far rates really differ is estimated from all rows; each is then
    drawn towards the common mean, the more the fewer trials it has.

    Parameters
    ----------
    hits, trials : array_like
        Counts with 0 <= hits <= trials, broadcast together. They need not be whole: a row of dependent trials may be
        given by its effective number.
    level : float, default 0.95
        Probability of each interval.

    Returns
    -------
    PooledRates
        Mean and interval of each row, and the distribution they were drawn to.

    Raises
    ------
    InvalidTypeError
        If a count is not a number, or `level` is not one.
    InvalidValueError
        If a count is negative or not finite, hits exceed trials, the shapes do not broadcast, or `level` is not between
        0 and 1.

    Notes
    -----
    Rates are beta distributed over rows, :math:`\theta_i \sim B(\alpha, \beta)`, and hits binomial, so that a row's
    likelihood is :math:`B(\alpha + h_i, \beta + n_i - h_i) / B(\alpha, \beta)`. alpha and beta maximise their product;
    the mean is :math:`(\alpha + h_i) / (\alpha + \beta + n_i)`.

    The beta distribution of a row given alpha and beta would be too narrow, as both are estimated: its variance gains
    :math:`g_i^T V g_i`, with V their covariance and g the slope of the mean by them (Kass and Steffey). The interval
    has equal tails of the beta distribution with that mean and variance, and is widened to the mean where that lies
    outside. It covers what it promises on the average over rows if there are some hundred of them; of few rows the
    likelihood often says that they are all alike though they are not, and intervals are too narrow then.

    As rows begin to differ the likelihood rises only if :math:`\sum h_i(h_i-1)/p + (n_i-h_i)(n_i-h_i-1)/(1-p) -
    n_i(n_i-1) > 0`, p being the share of all hits in all trials (Tarone). Otherwise pooling is complete: every row has
    the mean p, and the interval of :math:`B(H + \tfrac12, N - H + \tfrac12)` with all H hits of N trials. It is so for
    one row too, which has nothing to lean on. Where alpha and beta run to 0 pooling is ``"none"``: each row has its
    own share, and the interval of :math:`B(h_i + \tfrac12, n_i - h_i + \tfrac12)`; NaN without trials.

    References
    ----------
    Griffiths, D. A. (1973). Maximum likelihood estimation for the beta-binomial distribution and an application to the
    household distribution of the total number of cases of a disease. Biometrics 29, 637-648.
    https://doi.org/10.2307/2529131

    Kass, R. E. and Steffey, D. (1989). Approximate Bayesian inference in conditionally independent hierarchical models
    (parametric empirical Bayes models). Journal of the American Statistical Association 84, 717-726.
    https://doi.org/10.1080/01621459.1989.10478825

    Tarone, R. E. (1979). Testing the goodness of fit of the binomial distribution. Biometrika 66, 585-590.
    https://doi.org/10.1093/biomet/66.3.585

    Examples
    --------
    >>> pooled = pool_rates([0, 9, 20, 45], [10, 100, 100, 100])
    >>> pooled.mean.round(3)
    array([0.08 , 0.097, 0.2  , 0.435])
    >>> pool_rates([3, 4, 2], [10, 10, 10]).pooling
    'complete'
    """
    h, n = broadcast(hits=reals("hits", hits), trials=reals("trials", trials))
    for name, column in (("hits", h), ("trials", n)):
        bad = ~(np.isfinite(column) & (column >= 0))
        if bad.any():
            refuse(name, "finite counts of 0 or more", column, np.asarray(bad))
    excess = h > n
    if excess.any():
        refuse("hits", "at most as many as trials", h, np.asarray(excess))
    tails = np.array([(1.0 - level_in_unit(level)) / 2.0])
    tails = np.array([tails[0], 1.0 - tails[0]])
    seen = n > 0
    prior = _prior(h[seen], n[seen])
    if isinstance(prior, str):
        return _unpooled(h, n, tails) if prior == "none" else _all_alike(h, n, tails)
    (alpha, beta), covariance = prior
    strength = alpha + beta + n
    mean = (alpha + h) / strength
    spread = mean * (1.0 - mean)
    slopes = np.stack([(1.0 - mean) / strength, -mean / strength])
    variance = spread / (strength + 1.0) + np.einsum("i...,ij,j...", slopes, covariance, slopes)
    weight = np.clip(spread / variance - 1.0, _LEAST, strength)
    lower, upper = _ends(mean * weight, (1.0 - mean) * weight, mean, tails)
    return _result(alpha, beta, alpha / (alpha + beta), "partial", mean, lower, upper)


def _prior(h: FloatArray, n: FloatArray) -> tuple[tuple[float, float], FloatArray] | Pooling:
    """Return alpha, beta and their covariance, or how rows lean on each other without."""
    total = float(n.sum())
    share = float(h.sum()) / total if total else math.nan
    if len(n) <= 1 or not 0.0 < share < 1.0:
        return "complete"
    misses = n - h
    rise = float((h * (h - 1.0) / share + misses * (misses - 1.0) / (1.0 - share) - n * (n - 1.0)).sum())
    if rise <= 1e-9 * float((n * n).sum()):
        return "complete"
    strength = _strength_by_moments(h, n, share)
    start = np.array([share, 1.0 - share]) * strength
    found = maximise(_LogLikelihood(h, n), start, np.full(2, 1.0 / _FARTHEST), np.full(2, _FARTHEST))
    if found.covariance is not None:
        return (float(found.at[0]), float(found.at[1])), found.covariance
    return "none" if (found.edge < 0).any() or float(found.at.sum()) < strength else "complete"


def _strength_by_moments(h: FloatArray, n: FloatArray, share: float) -> float:
    """Return where to begin: from the sum of squares that dependence within rows adds."""
    squares = float((n * (h / n - share) ** 2).sum()) / (share * (1.0 - share))
    more = float(n.sum() - (n * n).sum() / n.sum()) - (len(n) - 1)
    within = (squares - (len(n) - 1)) / more if more > 0 else 0.0
    return 1.0 / min(max(within, 1e-4), 0.9) - 1.0


class _LogLikelihood:
    """The log-likelihood of alpha and beta with its slope and curvature, by distinct rows."""

    def __init__(self, h: FloatArray, n: FloatArray) -> None:
        rows, counts = np.unique(np.stack([h, n], axis=1), axis=0, return_counts=True)
        self._weight = counts.astype(np.float64)
        self._h, self._n = rows[:, 0], rows[:, 1]

    def __call__(self, at: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        alpha, beta = (np.full_like(self._h, shape) for shape in at.tolist())
        hits = (alpha, self._h)
        misses = (beta, self._n - self._h)
        both = (alpha + beta, self._n)
        value = self._sum(log_gamma_ratio(*hits) + log_gamma_ratio(*misses) - log_gamma_ratio(*both))
        shared = self._sum(digamma_gap(*both))
        slope = np.array([self._sum(digamma_gap(*hits)) - shared, self._sum(digamma_gap(*misses)) - shared])
        bend = -self._sum(trigamma_gap(*both))
        own = [self._sum(trigamma_gap(*hits)), self._sum(trigamma_gap(*misses))]
        return value, slope, np.diag(own) + bend

    def _sum(self, terms: FloatArray) -> float:
        return float(self._weight @ terms)


def _all_alike(h: FloatArray, n: FloatArray, tails: FloatArray) -> PooledRates:
    hits, trials = np.array(float(h.sum())), np.array(float(n.sum()))
    if not trials:
        nothing = np.full(n.shape, np.nan)
        return _result(math.inf, math.inf, math.nan, "complete", nothing, nothing.copy(), nothing.copy())
    share = hits / trials
    ends = _ends(hits + _JEFFREYS, trials - hits + _JEFFREYS, share, tails)
    mean, lower, upper = (np.full(n.shape, float(value)) for value in (share, *ends))
    return _result(math.inf, math.inf, float(share), "complete", mean, lower, upper)


def _unpooled(h: FloatArray, n: FloatArray, tails: FloatArray) -> PooledRates:
    seen: BoolArray = n > 0
    share = h / np.where(seen, n, np.nan)
    ends = _ends(h + _JEFFREYS, n - h + _JEFFREYS, share, tails)
    lower, upper = (np.where(seen, end, np.nan) for end in ends)
    return _result(0.0, 0.0, float(h.sum() / n.sum()), "none", share, lower, upper)


def _ends(alpha: FloatArray, beta: FloatArray, mean: FloatArray, tails: FloatArray) -> tuple[FloatArray, FloatArray]:
    shapes = (np.clip(alpha, _LEAST, _MOST), np.clip(beta, _LEAST, _MOST))
    return np.fmin(beta_quantile(tails[0], *shapes), mean), np.fmax(beta_quantile(tails[1], *shapes), mean)


def _result(
    alpha: float,
    beta: float,
    prior_mean: float,
    pooling: Pooling,
    *of_rows: FloatArray,
) -> PooledRates:
    mean, lower, upper = (np.asarray(array) for array in of_rows)
    for array in (mean, lower, upper):
        array.setflags(write=False)
    return PooledRates(alpha, beta, prior_mean, pooling, mean, lower, upper)
