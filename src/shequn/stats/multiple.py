"""Which of many p-values still count, when each test was one more chance to be fooled?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.stats._checks import reals, refuse

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray

__all__ = ["benjamini_hochberg", "holm"]


def benjamini_hochberg(p_values: ArrayLike) -> FloatArray:
    r"""Return p-values adjusted for their number by the step-up rule of Benjamini and Hochberg.

    Rejecting where the adjusted value is at most q keeps the expected share of false rejections among all rejections at
    or below q, where the tests are independent, or depend on each other positively. It finds more than `holm`, which
    keeps the chance of even one.

    Parameters
    ----------
    p_values : array_like
        P-values in [0, 1] of one family of tests, any shape. NaN is a test that was not made.

    Returns
    -------
    ndarray of float64, shape of `p_values`
        Adjusted values, never below the given ones and never above those of `holm`. NaN stays, and does not count as a
        test.

    Raises
    ------
    InvalidTypeError
        If `p_values` is not numeric.
    InvalidValueError
        If a p-value lies outside [0, 1].

    Notes
    -----
    Of m tests in ascending order, the i-th has :math:`\min_{j \ge i} \min(1, m \, p_{(j)} / j)`.

    References
    ----------
    Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate: a practical and powerful approach to
    multiple testing. Journal of the Royal Statistical Society B 57(1), 289-300.
    https://doi.org/10.1111/j.2517-6161.1995.tb02031.x

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, np.nan, 0.03])
    array([0.03, 0.04,  nan, 0.04])
    """
    given, made = _family(p_values)
    rank = np.arange(1, len(made) + 1)
    steps = given.ravel()[made] * (len(made) / rank)
    adjusted = np.full(given.shape, np.nan)
    adjusted.flat[made] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    adjusted.setflags(write=False)
    return adjusted


def holm(p_values: ArrayLike) -> FloatArray:
    r"""Return p-values adjusted for their number by Holm's step-down rule.

    Rejecting where the adjusted value is at most alpha keeps the chance of any false rejection at or below alpha,
    however the tests depend on each other.

    Parameters
    ----------
    p_values : array_like
        P-values in [0, 1] of one family of tests, any shape. NaN is a test that was not made.

    Returns
    -------
    ndarray of float64, shape of `p_values`
        Adjusted values, never below the given ones. NaN stays, and does not count as a test.

    Raises
    ------
    InvalidTypeError
        If `p_values` is not numeric.
    InvalidValueError
        If a p-value lies outside [0, 1].

    Notes
    -----
    Of m tests in ascending order, the i-th has :math:`\max_{j \le i} \min(1, (m - j + 1) \, p_{(j)})`.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6,
    65-70. https://www.jstor.org/stable/4615733

    Examples
    --------
    >>> holm([0.01, 0.04, np.nan, 0.03])
    array([0.03, 0.06,  nan, 0.06])
    """
    given, made = _family(p_values)
    still_open = np.arange(len(made), 0, -1)
    adjusted = np.full(given.shape, np.nan)
    adjusted.flat[made] = np.minimum(np.maximum.accumulate(still_open * given.ravel()[made]), 1.0)
    adjusted.setflags(write=False)
    return adjusted


def _family(p_values: ArrayLike) -> tuple[FloatArray, IntArray]:
    """Return the p-values, and the places of those of tests that were made in ascending order of them."""
    given = reals("p_values", p_values)
    outside = (given < 0) | (given > 1)
    if outside.any():
        refuse("p_values", "p-values in [0, 1]", given, outside)
    family = given.ravel()
    return given, np.argsort(family, kind="stable")[: int(np.count_nonzero(~np.isnan(family)))]  # NaN is sorted last
