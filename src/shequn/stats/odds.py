"""By how much do the odds differ between two groups? The odds ratio of tables of two rows and two columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from shequn.stats._checks import broadcast, counts, level_in_unit
from shequn.stats.tails import normal_quantile, normal_sf

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray

__all__ = ["OddsRatio", "odds_ratio"]

_CORRECTION: Final = 0.5


class OddsRatio(NamedTuple):
    """Odds ratios with their intervals and tests, read-only arrays of one shape.

    Attributes
    ----------
    estimate : ndarray of float64
        Odds in the first row over odds in the second.
    lower, upper : ndarray of float64
        Ends of the interval.
    p_value : ndarray of float64
        Two-sided, of the hypothesis that the ratio is 1.

    Examples
    --------
    >>> odds_ratio([10, 0], [20, 4], [5, 0], [30, 9]).estimate
    array([ 3., nan])
    """

    estimate: FloatArray
    lower: FloatArray
    upper: FloatArray
    p_value: FloatArray


def odds_ratio(a: ArrayLike, b: ArrayLike, c: ArrayLike, d: ArrayLike, *, level: float = 0.95) -> OddsRatio:
    r"""Return the odds ratio of tables ``[[a, b], [c, d]]``, with Woolf's interval and test.

    Parameters
    ----------
    a, b, c, d : array_like of int
        Counts with and without the outcome in the first group (`a`, `b`) and in the second (`c`, `d`), each unit
        counted once, all four broadcast together.
    level : float, default 0.95
        Confidence level, between 0 and 1.

    Returns
    -------
    OddsRatio
        ``(estimate, lower, upper, p_value)`` of the broadcast shape. NaN where a row or a column of the table is all
        zeros: such a table compares nothing.

    Raises
    ------
    InvalidTypeError
        If a count is not an integer, or `level` is not a number.
    InvalidValueError
        If a count is negative, the shapes do not broadcast, or `level` is not between 0 and 1.

    Notes
    -----
    The estimate is ad / bc. Its logarithm has the standard error :math:`\sqrt{1/a + 1/b + 1/c + 1/d}`; interval and
    p-value are those of the normal distribution on that scale, and agree with each other.

    A table with a zero has 0.5 added to each of its four cells (the correction of Haldane and Anscombe), for the
    estimate and for the standard error alike, since ratio and error are 0 or infinite otherwise. Tables without a zero
    are left as they are, so that the estimate is the ratio that anyone can check by hand; the correction in every table
    would lower its bias a little.

    References
    ----------
    Woolf, B. (1955). On estimating the relation between blood group and disease. Annals of Human Genetics 19, 251-253.
    https://doi.org/10.1111/j.1469-1809.1955.tb01348.x

    Haldane, J. B. S. (1956). The estimation and significance of the logarithm of a ratio of frequencies. Annals of
    Human Genetics 20, 309-311. https://doi.org/10.1111/j.1469-1809.1956.tb01285.x

    Anscombe, F. J. (1956). On estimating binomial response relations. Biometrika 43, 461-464.
    https://doi.org/10.1093/biomet/43.3-4.461

    Examples
    --------
    >>> ratio = odds_ratio(10, 20, 5, 30)
    >>> print(f"{ratio.estimate:.2f}, {ratio.lower:.2f} to {ratio.upper:.2f}, p = {ratio.p_value:.3f}")
    3.00, 0.89 to 10.10, p = 0.076
    """
    z = -float(normal_quantile((1.0 - level_in_unit(level)) / 2.0))
    table = np.stack(broadcast(a=counts("a", a), b=counts("b", b), c=counts("c", c), d=counts("d", d)))
    has_zero = (table == 0).any(axis=0)
    first, second, third, fourth = table > 0
    compares = (first | second) & (third | fourth) & (first | third) & (second | fourth)

    cells = np.where(compares, table + np.where(has_zero, _CORRECTION, 0.0), np.nan)
    log_ratio = np.log(cells[0]) + np.log(cells[3]) - np.log(cells[1]) - np.log(cells[2])
    error = np.sqrt((1.0 / cells).sum(axis=0))
    return _read_only(
        cells[0] / cells[1] * (cells[3] / cells[2]),
        np.exp(log_ratio - z * error),
        np.exp(log_ratio + z * error),
        2.0 * normal_sf(np.abs(log_ratio) / error),
    )


def _read_only(estimate: FloatArray, lower: FloatArray, upper: FloatArray, p_value: FloatArray) -> OddsRatio:
    parts = OddsRatio(*map(np.asarray, (estimate, lower, upper, p_value)))
    for part in parts:
        part.setflags(write=False)
    return parts
