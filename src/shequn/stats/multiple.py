"""Which of many p-values still count, when each test was one more chance to be fooled?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.stats._checks import reals, refuse

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray

__all__ = ["holm"]


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
    given = reals("p_values", p_values)
    outside = (given < 0) | (given > 1)
    if outside.any():
        refuse("p_values", "p-values in [0, 1]", given, outside)
    family = given.ravel()
    made = np.argsort(family)[: int(np.count_nonzero(~np.isnan(family)))]  # NaN is sorted to the end
    still_open = np.arange(len(made), 0, -1)
    adjusted = np.full(given.shape, np.nan)
    adjusted.flat[made] = np.minimum(np.maximum.accumulate(still_open * family[made]), 1.0)
    adjusted.setflags(write=False)
    return adjusted
