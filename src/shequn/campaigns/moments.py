"""How whole numbers are spread over members, whatever the order of the members: sums are exact where that can be."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from shequn._typing import IntArray

__all__ = ["covariance", "root", "skewness", "total"]

_LOW_BITS = 26
_FITS = 2**31  # a product of two numbers below it fits 64 bits


def total(values: IntArray) -> int:
    """Return the exact sum.

    Examples
    --------
    >>> total(np.array([2**62, 2**62, 2**62])) == 3 * 2**62
    True
    """
    # Of each number the upper bits and the lower ones are summed apart, so that neither sum wraps around.
    return (int((values >> _LOW_BITS).sum()) << _LOW_BITS) + int((values & ((1 << _LOW_BITS) - 1)).sum())


def covariance(first: IntArray, second: IntArray, n: int) -> Fraction | None:
    """Return the sample covariance of two columns that zeros make n long; None of fewer than two.

    Exact where the numbers are below 2³¹; else the columns are added up as floats, in ascending order.

    Examples
    --------
    >>> covariance(np.array([3, 1]), np.array([3, 1]), 4)
    Fraction(2, 1)
    """
    if n < 2:  # noqa: PLR2004
        return None
    sums = total(first), total(second)
    if max(_largest(first), _largest(second)) < _FITS:
        products = total(first * second)
        return Fraction(n * products - sums[0] * sums[1], n * (n - 1))
    there = (first != 0) | (second != 0)
    first, second = first[there], second[there]
    order = np.lexsort((second, first))
    mean1, mean2 = sums[0] / n, sums[1] / n
    gaps = (first.take(order) - mean1) * (second.take(order) - mean2)
    return Fraction((float(gaps.sum()) + (n - len(first)) * mean1 * mean2) / (n - 1))


def root(variance: Fraction | None) -> float:
    """Return a standard deviation; NaN where there is no variance.

    Examples
    --------
    >>> root(Fraction(9, 4)), root(None)
    (1.5, nan)
    """
    return math.nan if variance is None else math.sqrt(max(float(variance), 0.0))


def skewness(values: IntArray, n: int) -> float:
    """Return the third central moment over the cube of the standard deviation; NaN where nothing varies.

    Examples
    --------
    >>> skewness(np.array([4]), 4).__round__(4)
    1.1547
    """
    mean = total(values) / n
    others = np.sort(values[values != 0])
    gaps, zeros = others - mean, n - len(others)
    second = (float(np.square(gaps).sum()) + zeros * mean**2) / n
    third = (float((np.square(gaps) * gaps).sum()) - zeros * mean**3) / n
    return third / second**1.5 if second > 0 else math.nan


def _largest(values: IntArray) -> int:
    return max(int(values.max(initial=0)), -int(values.min(initial=0)))
