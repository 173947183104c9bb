"""How far out in a distribution a value lies: tails of the normal and of the chi-square.

Numbers or arrays in, a read-only float64 array of the same (broadcast) shape out, without dimensions for a number. NaN
in, NaN out. Each element costs a Python call: these serve tables of results, not columns of events.
"""

from __future__ import annotations

import math
import sys
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from shequn.stats._checks import broadcast, reals, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import FloatArray

__all__ = ["chi2_sf", "normal_cdf", "normal_quantile", "normal_sf"]

_STANDARD_NORMAL: Final = NormalDist()
_MOST_DEGREES: Final = 1e9


def normal_sf(x: ArrayLike) -> FloatArray:
    r"""Return the upper tail of the standard normal, P(Z > x).

    Parameters
    ----------
    x : array_like
        Standard deviations, any shape.

    Returns
    -------
    ndarray of float64, shape of `x`
        Probabilities, with full relative accuracy in the far tail.

    Raises
    ------
    InvalidTypeError
        If `x` is not numeric.

    Notes
    -----
    :math:`P(Z > x) = \tfrac12 \operatorname{erfc}(x / \sqrt 2)`.

    Examples
    --------
    >>> print(f"{normal_sf(1.96):.4f}")
    0.0250
    """
    return _each(_upper_normal, reals("x", x))


def normal_cdf(x: ArrayLike) -> FloatArray:
    """Return the lower tail of the standard normal, P(Z <= x).

    Parameters
    ----------
    x : array_like
        Standard deviations, any shape.

    Returns
    -------
    ndarray of float64, shape of `x`
        Probabilities, with full relative accuracy in the far tail.

    Raises
    ------
    InvalidTypeError
        If `x` is not numeric.

    Examples
    --------
    >>> normal_cdf([-1.96, 0, 1.96]).round(4)
    array([0.025, 0.5  , 0.975])
    """
    return _each(_upper_normal, -reals("x", x))


def normal_quantile(p: ArrayLike) -> FloatArray:
    """Return the value below which a standard normal lies with probability `p`.

    Parameters
    ----------
    p : array_like
        Probabilities in [0, 1], any shape. Near 1, ``-normal_quantile(q)`` of a known small ``q = 1 - p`` keeps more
        digits.

    Returns
    -------
    ndarray of float64, shape of `p`
        Standard deviations; minus infinity at 0 and infinity at 1.

    Raises
    ------
    InvalidTypeError
        If `p` is not numeric.
    InvalidValueError
        If a probability lies outside [0, 1].

    References
    ----------
    Wichura, M. J. (1988). Algorithm AS 241: The percentage points of the normal distribution. Applied Statistics 37(3),
    477-484. https://doi.org/10.2307/2347330 (as in `statistics.NormalDist.inv_cdf`)

    Examples
    --------
    >>> print(f"{normal_quantile(0.975):.6f}")
    1.959964
    """
    probabilities = reals("p", p)
    outside = (probabilities < 0) | (probabilities > 1)
    if outside.any():
        refuse("p", "probabilities in [0, 1]", probabilities, outside)
    return _each(_quantile, probabilities)


def chi2_sf(x: ArrayLike, df: ArrayLike) -> FloatArray:
    r"""Return the upper tail of the chi-square distribution, P(X > x).

    Parameters
    ----------
    x : array_like
        Test statistics, 0 or more.
    df : array_like
        Degrees of freedom in [1, 1e9], whole or not; broadcast against `x`.

    Returns
    -------
    ndarray of float64, broadcast shape
        Probabilities, for `df` to 10,000 with a relative error below 1e-12 down to 1e-300.

    Raises
    ------
    InvalidTypeError
        If an argument is not numeric.
    InvalidValueError
        If a statistic is negative, `df` lies outside [1, 1e9], or the shapes do not broadcast.

    Notes
    -----
    With a = df / 2 and y = x / 2 the tail is the regularised incomplete gamma function Q(a, y). Both branches start
    from :math:`D = y^a e^{-y} / \Gamma(a + 1)`, written as Loader's Poisson density, in which large `a` and `y` do not
    cancel. Below the mean, :math:`Q = 1 - D \sum_k y^k / ((a+1) \cdots (a+k))`; above it, Q is D times Legendre's
    continued fraction.

    References
    ----------
    Loader, C. (2000). Fast and accurate computation of binomial probabilities.
    DLMF 8.7.1 and 8.9.2, https://dlmf.nist.gov/8

    Examples
    --------
    >>> chi2_sf([3.841459, 6.634897], 1).round(4)
    array([0.05, 0.01])
    """
    statistics, degrees = broadcast(x=reals("x", x), df=reals("df", df))
    negative = statistics < 0
    if negative.any():
        refuse("x", "statistics of 0 or more", statistics, negative)
    # The number of terms grows with the root of df, so an absurd one would take hours.
    unusable = ~((degrees >= 1) & (degrees <= _MOST_DEGREES))
    if unusable.any():
        refuse("df", "degrees of freedom in [1, 1e9]", degrees, unusable)
    return _each(_upper_gamma, degrees / 2, statistics / 2)


def _each(function: Callable[..., float], *arrays: NDArray[np.float64]) -> FloatArray:
    """Apply a function of Python floats to every element of arrays of one shape."""
    columns = (array.ravel().tolist() for array in arrays)
    result = np.fromiter(map(function, *columns), dtype=np.float64, count=arrays[0].size).reshape(arrays[0].shape)
    result.setflags(write=False)
    return result


def _upper_normal(x: float) -> float:
    return 0.5 * math.erfc(x / math.sqrt(2.0))


def _quantile(p: float) -> float:
    if 0.0 < p < 1.0:
        return _STANDARD_NORMAL.inv_cdf(p)
    return p if math.isnan(p) else math.copysign(math.inf, p - 0.5)


def _upper_gamma(a: float, y: float) -> float:
    """Return the regularised upper incomplete gamma function Q(a, y) for a >= 1/2."""
    if math.isnan(y):
        return y
    if y == 0.0:
        return 1.0
    if math.isinf(y):
        return 0.0
    if y < a + 1.0:
        return 1.0 - _poisson_density(a, y) * _power_series(a, y)
    return _poisson_density(a, y) * a * _continued_fraction(a, y)


def _power_series(a: float, y: float) -> float:
    """Return the sum over k of y^k / ((a + 1) ... (a + k))."""
    term = total = 1.0
    k = 0
    while term > total * 1e-17:
        k += 1
        term *= y / (a + k)
        total += term
    return total


def _continued_fraction(a: float, y: float) -> float:
    """Return Gamma(a, y) e^y y^-a by the modified Lentz method, for y >= a + 1."""
    b = y + 1.0 - a
    c = math.inf
    d = 1.0 / b
    fraction = d
    change = 0.0
    k = 0
    while abs(change - 1.0) > sys.float_info.epsilon:
        k += 1
        numerator = k * (a - k)
        b += 2.0
        d = 1.0 / (b + numerator * d)
        c = b + numerator / c
        change = c * d
        fraction *= change
    return fraction


def _poisson_density(a: float, y: float) -> float:
    """Return y^a e^-y / Gamma(a + 1)."""
    return math.exp(-_stirling_error(a) - _deviance(a, y)) / math.sqrt(2.0 * math.pi * a)


_LEAST_FOR_STIRLING: Final = 15.0
_MOST_FOR_ATANH: Final = 0.1


def _stirling_error(a: float) -> float:
    """Return log Gamma(a + 1) less Stirling's formula for it."""
    if a < _LEAST_FOR_STIRLING:
        return math.lgamma(a + 1.0) - (a + 0.5) * math.log(a) + a - 0.5 * math.log(2.0 * math.pi)
    square = a * a
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / a


def _deviance(a: float, y: float) -> float:
    """Return a log(a / y) + y - a, by a series where the terms would cancel."""
    gap = y - a
    ratio = gap / (y + a)
    if abs(ratio) > _MOST_FOR_ATANH:
        return a * math.log(a / y) + gap
    square = ratio * ratio
    odd_powers = sum(square**k / (2 * k + 1) for k in range(1, 10))
    return gap * ratio - 2.0 * a * ratio * odd_powers
