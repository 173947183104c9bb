"""Where does a share lie that follows a beta distribution? Its distribution function and quantiles, for arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from shequn.stats._checks import broadcast, reals, refuse
from shequn.stats.gammas import digamma, log_gamma, trigamma
from shequn.stats.tails import normal_quantile

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, FloatArray

__all__ = ["beta_cdf", "beta_quantile"]

_LEAST: Final = 1e-3
_MOST: Final = 1e12
_MANY: Final = 50.0  # from where on both shapes make the density so like a normal one that it is summed by quadrature
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_AT_ONCE: Final = 20_000
_FAR: Final = 10.0
_FAR_OUT: Final = 9.0  # standard deviations, beyond which a tail adds nothing in double precision
_STEEP: Final = 38.0  # falls of the density by a factor e, which do the same in the far tail
_STIRLING: Final = np.array([1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360])
_HALF_LOG_2PI: Final = 0.9189385332046727
_TINY: Final = 1e-300
_NO_CHANGE: Final = 4e-16
_MOST_TERMS: Final = 20_000
_MOST_STEPS: Final = 200
_SETTLED: Final = 1e-14
_MOST_LOG_ODDS: Final = 746.0  # beyond, a share is 0 or 1 in double precision
_NEAR_EQUAL: Final = 0.1


def beta_cdf(x: ArrayLike, a: ArrayLike, b: ArrayLike) -> FloatArray:
    r"""Return the distribution function of a beta distribution, P(X <= x).

    Parameters
    ----------
    x : array_like
        Shares; below 0 the result is 0, above 1 it is 1.
    a, b : array_like
        Shapes in [1e-3, 1e12], broadcast against `x`.

    Returns
    -------
    ndarray of float64, broadcast shape
        Probabilities. NaN where `x` is NaN.

    Raises
    ------
    InvalidTypeError
        If an argument is not numeric.
    InvalidValueError
        If a shape lies outside [1e-3, 1e12], or the shapes of the arrays do not broadcast.

    Notes
    -----
    The regularised incomplete beta function :math:`I_x(a, b)`. From the nearer end, :math:`x^a (1-x)^b / (a B(a, b))`
    times its continued fraction; where both shapes are 50 or more, Gauss-Legendre quadrature of the density. That is
    written by Loader's deviances, in which large shapes do not cancel.

    References
    ----------
    DLMF 8.17.22, https://dlmf.nist.gov/8.17.E22
    Loader, C. (2000). Fast and accurate computation of binomial probabilities.

    Examples
    --------
    >>> beta_cdf([0.25, 0.5], 2, 2).round(6)
    array([0.15625, 0.5    ])
    """
    at, first, second = broadcast(x=reals("x", x), a=_shape("a", a), b=_shape("b", b))
    inside = (at > 0) & (at < 1)
    found = np.where(np.isnan(at), np.nan, np.where(at >= 1, 1.0, 0.0))
    share = at[inside]
    found[inside] = _lower(share, 1.0 - share, first[inside], second[inside])
    found.setflags(write=False)
    return found


def beta_quantile(p: ArrayLike, a: ArrayLike, b: ArrayLike) -> FloatArray:
    r"""Return the share below which a beta distribution lies with probability `p`.

    Parameters
    ----------
    p : array_like
        Probabilities in [0, 1].
    a, b : array_like
        Shapes in [1e-3, 1e12], broadcast against `p`.

    Returns
    -------
    ndarray of float64, broadcast shape
        Shares in [0, 1]: 0 at 0 and 1 at 1. NaN where `p` is NaN.

    Raises
    ------
    InvalidTypeError
        If an argument is not numeric.
    InvalidValueError
        If a probability lies outside [0, 1], a shape outside [1e-3, 1e12], or the arrays do not broadcast.

    Notes
    -----
    Newton's method for the logarithm of the smaller tail by the log odds of the share. That logarithm is concave, so
    that every step from below stays below; a step that leaves the bracket found so far is replaced by its middle.

    Examples
    --------
    >>> beta_quantile([0.025, 0.5, 0.975], 2, 2).round(4)
    array([0.0943, 0.5   , 0.9057])
    """
    given, first, second = broadcast(p=reals("p", p), a=_shape("a", a), b=_shape("b", b))
    outside = (given < 0) | (given > 1)
    if outside.any():
        refuse("p", "probabilities in [0, 1]", given, outside)
    found = given.astype(np.float64)
    inside = (given > 0) & (given < 1)
    is_upper = given[inside] > 0.5  # noqa: PLR2004
    tail = np.where(is_upper, 1.0 - given[inside], given[inside])
    log_odds = _from_lower_tail(
        tail,
        np.where(is_upper, second[inside], first[inside]),
        np.where(is_upper, first[inside], second[inside]),
    )
    found[inside] = _share(np.where(is_upper, -log_odds, log_odds))
    found.setflags(write=False)
    return found


def _shape(argument: str, values: ArrayLike) -> FloatArray:
    given = reals(argument, values)
    bad = ~((given >= _LEAST) & (given <= _MOST))
    if bad.any():
        refuse(argument, "shapes in [1e-3, 1e12]", given, np.asarray(bad))
    return given


def _share(log_odds: FloatArray) -> FloatArray:
    small = np.exp(-np.abs(log_odds))
    return np.where(log_odds < 0, small, 1.0) / (1.0 + small)


def _from_lower_tail(tail: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the log odds of the share below which `tail`, at most a half, lies."""
    spread = np.sqrt(trigamma(a) + trigamma(b))
    at = digamma(a) - digamma(b) + spread * normal_quantile(tail)
    low, high = np.full(at.shape, -np.inf), np.full(at.shape, np.inf)
    open_ = np.arange(tail.size)
    for _ in range(_MOST_STEPS):
        u, first, second = at[open_], a[open_], b[open_]
        share, rest = _share(u), _share(-u)
        below = np.maximum(_lower(share, rest, first, second), _TINY)
        gap = np.log(tail[open_]) - np.log(below)
        low[open_] = np.where(gap > 0, u, low[open_])
        high[open_] = np.where(gap > 0, high[open_], u)
        slope = np.exp(_log_density(share, rest, first, second)) / below
        # Where nothing lies below in double precision there is no slope either: go up by what a tail measures.
        step = np.minimum(gap / np.maximum(slope, _TINY), 4.0 * spread[open_])
        there, least, most = u + step, low[open_], high[open_]
        # The side that a step goes to is open until a step has come back from there; so both ends are known.
        is_out = (there < least) | (there > most)
        there[is_out] = (least[is_out] + most[is_out]) / 2
        at[open_] = there
        is_seen = (most >= -_MOST_LOG_ODDS) & (least <= _MOST_LOG_ODDS)
        open_ = open_[is_seen & (np.abs(there - u) > _SETTLED * np.maximum(np.abs(u), 1.0))]
        if not open_.size:
            break
    return at


def _log_density(x: FloatArray, y: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the logarithm of x^a y^b / B(a, b), the density by the log odds, where y is 1 - x."""
    n = a + b
    errors = _stirling_error(n) - _stirling_error(a) - _stirling_error(b)
    # A share that is 0 or 1 in double precision has no density worth the name.
    deviances = _deviance(a, n * np.maximum(x, _TINY)) + _deviance(b, n * np.maximum(y, _TINY))
    return errors - deviances + 0.5 * (np.log(a) + np.log(b / n)) - _HALF_LOG_2PI


def _stirling_error(z: FloatArray) -> FloatArray:
    """Return log Gamma(z) less Stirling's formula for it."""
    inverse = 1.0 / np.maximum(z, _FAR)
    square = inverse * inverse
    series = np.zeros_like(z)
    for coefficient in _STIRLING[::-1]:
        series = series * square + coefficient
    series = series * inverse
    is_near = z < _FAR
    if not is_near.any():
        return series
    near = np.where(is_near, z, 1.0)
    return np.where(is_near, log_gamma(near) - ((near - 0.5) * np.log(near) - near + _HALF_LOG_2PI), series)


def _deviance(a: FloatArray, y: FloatArray) -> FloatArray:
    """Return a log(a / y) + y - a, by a series where the terms would cancel."""
    gap = y - a
    ratio = gap / (y + a)
    is_near = np.abs(ratio) < _NEAR_EQUAL
    square = np.where(is_near, ratio, 0.0) ** 2
    odd_powers = np.zeros_like(square)
    for k in range(9, 0, -1):
        odd_powers = (odd_powers + 1.0 / (2 * k + 1)) * square
    return np.where(is_near, gap * ratio - 2.0 * a * ratio * odd_powers, a * np.log(a / y) + gap)


def _lower(x: FloatArray, y: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """Return P(X <= x), with y the rest 1 - x, from the nearer end."""
    is_left = x * (a + b + 2.0) < a + 1.0
    near, far = np.where(is_left, x, y), np.where(is_left, y, x)
    first, second = np.where(is_left, a, b), np.where(is_left, b, a)
    tail = np.empty_like(x)
    is_many = np.minimum(a, b) >= _MANY
    few = np.flatnonzero(~is_many)
    tail[few] = _by_fraction(near[few], far[few], first[few], second[few])
    many = np.flatnonzero(is_many)
    for start in range(0, many.size, _AT_ONCE):
        rows = many[start : start + _AT_ONCE]
        tail[rows] = _by_quadrature(near[rows], far[rows], first[rows], second[rows])
    tail = np.minimum(tail, 1.0)
    return np.where(is_left, tail, 1.0 - tail)


def _by_quadrature(x: FloatArray, y: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the lower tail as an integral by the log odds over as many deviations as can count."""
    u = np.log(x) - np.log(y)
    spread = np.sqrt(1.0 / a + 1.0 / b)
    # How far the density falls a factor e below u: by its slope, or by its curvature near the mode.
    slope = np.maximum(a - (a + b) * x, 0.0)
    width = np.minimum(_FAR_OUT * spread, _STEEP / np.maximum(slope, _TINY))
    at = u[:, None] - (width / 2)[:, None] * (_NODES + 1.0)
    shape = (len(x), len(_NODES))
    density: FloatArray = np.exp(
        _log_density(_share(at), _share(-at), np.broadcast_to(a[:, None], shape), np.broadcast_to(b[:, None], shape))
    )
    area: FloatArray = width / 2 * (density @ _WEIGHTS)
    return area


def _by_fraction(x: FloatArray, y: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the lower tail by the continued fraction, by Lentz's method; for x below (a + 1) / (a + b + 2)."""
    scale = np.exp(_log_density(x, y, a, b)) / a
    n, above, below = a + b, a + 1.0, a - 1.0
    c = np.ones_like(x)
    d = 1.0 / _off_zero(1.0 - n * x / above)
    fraction = d.copy()
    open_: BoolArray = np.ones(x.shape, dtype=np.bool_)
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((below + 2 * m) * (a + 2 * m))
        d = 1.0 / _off_zero(1.0 + even * d)
        c = _off_zero(1.0 + even / c)
        fraction = np.where(open_, fraction * (c * d), fraction)
        odd = -(a + m) * (n + m) * x / ((a + 2 * m) * (above + 2 * m))
        d = 1.0 / _off_zero(1.0 + odd * d)
        c = _off_zero(1.0 + odd / c)
        fraction = np.where(open_, fraction * (c * d), fraction)
        open_ = open_ & (np.abs(c * d - 1.0) > _NO_CHANGE)
        if not open_.any():
            break
    return scale * fraction


def _off_zero(values: FloatArray) -> FloatArray:
    return np.where(np.abs(values) < _TINY, _TINY, values)
