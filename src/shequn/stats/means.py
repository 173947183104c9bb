"""How sure a mean is, and how sure the difference of two means is, when their spreads may differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.stats._checks import broadcast, counts, level_in_unit, reals, refuse
from shequn.stats.student import student_quantile

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray

__all__ = ["MeanDifference", "welch"]

_MOST_DEGREES = 1e9


class MeanDifference(NamedTuple):
    """One mean less another, with its interval; read-only arrays of one shape.

    Examples
    --------
    >>> difference, lower, upper, df = welch([1.0, 3.0], 4.0, 50)
    >>> lower.round(2), upper.round(2)
    (array([0.43, 2.43]), array([1.57, 3.57]))
    """

    difference: FloatArray
    lower: FloatArray
    upper: FloatArray
    df: FloatArray
    """Degrees of freedom."""


def welch(  # noqa: PLR0917  (two samples, three numbers each)
    mean1: ArrayLike,
    variance1: ArrayLike,
    n1: ArrayLike,
    mean2: ArrayLike = 0.0,
    variance2: ArrayLike = 0.0,
    n2: ArrayLike | None = None,
    *,
    level: float = 0.95,
) -> MeanDifference:
    r"""Return Welch's interval for the first mean less the second, or Student's for one mean alone.

    Parameters
    ----------
    mean1, mean2 : array_like
        Means.
    variance1, variance2 : array_like
        Sample variances, with n - 1 in the denominator, 0 or more.
    n1, n2 : array_like of int
        Sizes of the samples; all are broadcast together. Without `n2`, `mean2` is a known number.
    level : float, default 0.95
        Confidence level, between 0 and 1.

    Returns
    -------
    MeanDifference
        Ends and degrees of freedom are NaN where a sample has fewer than two values; where neither sample varies, the
        ends are the difference itself.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument is not numeric, a variance or a size negative, `level` not between 0 and 1, or the shapes do not
        broadcast.

    Notes
    -----
    With :math:`s_i = v_i / n_i` the interval is :math:`m_1 - m_2 \pm t_\nu \sqrt{s_1 + s_2}`, where

    .. math:: \nu = (s_1 + s_2)^2 / (s_1^2 / (n_1 - 1) + s_2^2 / (n_2 - 1)).

    References
    ----------
    Welch, B. L. (1947). The generalization of Student's problem when several different population variances are
    involved. Biometrika 34, 28-35. https://doi.org/10.1093/biomet/34.1-2.28

    Examples
    --------
    >>> found = welch(20.6, 4.0, 11, 18.1, 9.0, 16)
    >>> print(f"{found.difference:.2f} ({found.lower:.2f} to {found.upper:.2f}), {found.df:.1f} degrees of freedom")
    2.50 (0.52 to 4.48), 25.0 degrees of freedom
    """
    tail = (1.0 - level_in_unit(level)) / 2.0
    sizes = [counts("n1", n1), np.array(np.iinfo(np.int64).max) if n2 is None else counts("n2", n2)]
    columns = broadcast(
        mean1=reals("mean1", mean1),
        variance1=_variance("variance1", variance1),
        n1=sizes[0],
        mean2=reals("mean2", mean2),
        variance2=_variance("variance2", variance2),
        n2=sizes[1],
    )
    m1, v1, k1, m2, v2, k2 = (column.astype(np.float64) for column in columns)
    known = (k1 > 1) & (k2 > 1)
    k1, k2 = np.where(known, k1, np.nan), np.where(known, k2, np.nan)
    s1, s2 = v1 / k1, v2 / k2
    spread = s1 + s2
    # In shares of the whole, so that squares of small variances don't vanish.
    whole = np.where(spread > 0, spread, 1.0)
    share1, share2 = s1 / whole, s2 / whole
    parts = share1**2 / (k1 - 1.0) + share2**2 / (k2 - 1.0)
    df = np.divide(1.0, parts, out=np.where(known, k1 + k2 - 2.0, np.nan), where=parts > 0)
    df = np.clip(df, 1.0, _MOST_DEGREES)
    half = -student_quantile(tail, df) * np.sqrt(spread)
    difference = m1 - m2
    return MeanDifference(*map(_read_only, (difference, difference - half, difference + half, df)))


def _variance(argument: str, values: ArrayLike) -> FloatArray:
    variance = reals(argument, values)
    negative = variance < 0
    if negative.any():
        refuse(argument, "variances of 0 or more", variance, negative)
    return variance


def _read_only(values: FloatArray) -> FloatArray:
    array = np.asarray(values)
    array.setflags(write=False)
    return array
