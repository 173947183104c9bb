"""Student's t distribution: how far a mean of few values may stray."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Final

import numpy as np

from shequn.stats._checks import broadcast, reals, refuse
from shequn.stats.gammas import log_gamma_ratio
from shequn.stats.tails import normal_quantile

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray

__all__ = ["student_quantile", "student_sf"]

_MOST_DEGREES: Final = 1e9
_TINY: Final = 1e-300
_MOST_STEPS: Final = 200
_NEAR: Final = 1e-6


def student_sf(x: ArrayLike, df: ArrayLike) -> FloatArray:
    r"""Return the upper tail of Student's t distribution, P(T > x).

    Parameters
    ----------
    x : array_like
        Any real numbers.
    df : array_like
        Degrees of freedom in [1, 1e9], whole or not; broadcast against `x`.

    Returns
    -------
    ndarray of float64, broadcast shape
        Probabilities; NaN where `x` or `df` is.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If an argument is not numeric, `df` lies outside [1, 1e9], or the shapes do not broadcast.

    Notes
    -----
    For x of 0 or more the tail is :math:`\tfrac12 I_y(\nu/2, 1/2)` with :math:`y = \nu / (\nu + x^2)`, the incomplete
    beta function by Lentz's continued fraction, of the smaller of the two ends.

    References
    ----------
    DLMF 8.17.22, https://dlmf.nist.gov/8.17.E22

    Examples
    --------
    >>> student_sf([2.228139, 0.0], 10).round(4)
    array([0.025, 0.5  ])
    """
    values, degrees = broadcast(x=reals("x", x), df=_degrees(df))
    return _each(_upper, values, degrees)


def student_quantile(p: ArrayLike, df: ArrayLike) -> FloatArray:
    """Return the number that Student's t stays below with probability `p`.

    Parameters
    ----------
    p : array_like
        Probabilities in [0, 1].
    df : array_like
        Degrees of freedom in [1, 1e9], whole or not; broadcast against `p`.

    Returns
    -------
    ndarray of float64, broadcast shape
        NaN where `p` or `df` is.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        If an argument is not numeric or out of range, or the shapes do not broadcast.

    Notes
    -----
    Newton's method on the tail, which is convex: from the normal quantile, which is nearer to 0, it approaches the root
    from one side.

    Examples
    --------
    >>> student_quantile(0.975, [1, 10, 1_000]).round(4)
    array([12.7062,  2.2281,  1.9623])
    """
    probabilities, degrees = broadcast(p=reals("p", p), df=_degrees(df))
    outside = (probabilities < 0) | (probabilities > 1)
    if outside.any():
        refuse("p", "probabilities in [0, 1]", probabilities, outside)
    return _each(_quantile, probabilities, degrees)


def _degrees(df: ArrayLike) -> FloatArray:
    degrees = reals("df", df)
    unusable = (degrees < 1) | (degrees > _MOST_DEGREES)
    if unusable.any():
        refuse("df", "degrees of freedom in [1, 1e9]", degrees, unusable)
    return degrees


def _each(function: Callable[[float, float], float], first: FloatArray, second: FloatArray) -> FloatArray:
    result = np.array([function(a, b) for a, b in zip(first.ravel().tolist(), second.ravel().tolist(), strict=True)])
    shaped = result.astype(np.float64, copy=False).reshape(first.shape)
    shaped.setflags(write=False)
    return shaped


def _upper(x: float, df: float) -> float:
    if math.isnan(x) or math.isnan(df):
        return math.nan
    if x < 0:
        return 1.0 - _upper(-x, df)
    if math.isinf(x):
        return 0.0
    # Of a very large x the square may be infinite, of a very small one 0: its share of the whole is 1 or 0 then.
    share = 1.0 / (1.0 + df / (x * x)) if x * x else 0.0
    rest = 1.0 / (1.0 + x * x / df)
    # y^a (1 - y)^(1/2) / B(a, 1/2) with a = df / 2
    front = math.sqrt(share / math.pi) * math.exp(_log_ratio(df) - df / 2 * math.log1p(x * x / df))
    if rest < (df / 2 + 1.0) / (df / 2 + 2.5):
        return front * _continued_fraction(df / 2, 0.5, rest) / df
    return 0.5 - front * _continued_fraction(0.5, df / 2, share)


def _log_ratio(df: float) -> float:
    """Return the logarithm of Gamma((df + 1) / 2) / Gamma(df / 2)."""
    return float(log_gamma_ratio(np.array([df / 2]), np.array([0.5]))[0])


def _continued_fraction(a: float, b: float, y: float) -> float:
    """Return the continued fraction of the incomplete beta function by the modified Lentz method."""
    c, d = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * y / (a + 1.0))
    fraction, k, change = d, 0, 0.0
    while abs(change - 1.0) > sys.float_info.epsilon:
        k += 1
        even = k * (b - k) * y / ((a + 2 * k - 1) * (a + 2 * k))
        odd = -(a + k) * (a + b + k) * y / ((a + 2 * k) * (a + 2 * k + 1))
        for term in (even, odd):
            d = 1.0 / _away_from_zero(1.0 + term * d)
            c = _away_from_zero(1.0 + term / c)
            change = c * d
            fraction *= change
    return fraction


def _away_from_zero(number: float) -> float:
    return number if abs(number) > _TINY else _TINY


def _quantile(p: float, df: float) -> float:
    if math.isnan(p) or math.isnan(df):
        return math.nan
    if p in {0.0, 1.0}:
        return math.copysign(math.inf, p - 0.5)
    # 1 - p is exact where p is 1/2 or more.
    return _root(1.0 - p, df) if p >= 0.5 else -_root(p, df)  # noqa: PLR2004


def _root(tail: float, df: float) -> float:
    """Return the x of 0 or more whose upper tail is `tail`."""
    z = -float(normal_quantile(tail))
    # Two terms of the expansion in 1 / df, without which a step takes long where df is large.
    x = z + (z**3 + z) / (4 * df) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df * df) if df > 100 else z  # noqa: PLR2004
    log_ratio, last = _log_ratio(df), math.inf
    for _ in range(_MOST_STEPS):
        density = math.exp(log_ratio - (df + 1) / 2 * math.log1p(x * x / df)) / math.sqrt(df * math.pi)
        step = (_upper(x, df) - tail) / density
        x = max(x + step, 0.0)
        # Near the root a step is about the square of the one before it, until rounding is all there is.
        if abs(step) <= 1e-15 * x or (abs(step) < _NEAR and abs(step) >= last / 2):
            break
        last = abs(step)
    return x
