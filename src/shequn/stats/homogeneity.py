"""Do several groups share one set of proportions? Pearson's chi-square test of homogeneity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.errors import InvalidValueError, message
from shequn.stats._checks import counts
from shequn.stats.tails import chi2_sf

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Homogeneity", "chi_square_homogeneity"]


class Homogeneity(NamedTuple):
    """The outcome of a chi-square test of homogeneity.

    Attributes
    ----------
    statistic : float
        Pearson's chi-square, 0 when nothing is left to compare.
    df : int
        Degrees of freedom, (rows - 1)(columns - 1) over what was kept.
    p_value : float
        Probability of a statistic at least as large when all rows share one set of proportions; NaN at `df` 0.
    smallest_expected : float
        Least expected count; the approximation is doubtful when it is well below 5. NaN when nothing was kept.
    dropped_rows, dropped_columns : tuple of int
        Positions whose counts are all zero; they take no part.

    Examples
    --------
    >>> chi_square_homogeneity([[30, 70], [30, 70], [0, 0]]).dropped_rows
    (2,)
    """

    statistic: float
    df: int
    p_value: float
    smallest_expected: float
    dropped_rows: tuple[int, ...]
    dropped_columns: tuple[int, ...]


def chi_square_homogeneity(table: ArrayLike) -> Homogeneity:
    r"""Test whether the rows of a table of counts share one set of proportions.

    Parameters
    ----------
    table : array_like of int, shape (k, m)
        Counts of k groups (rows) over m outcomes (columns), each unit counted once.

    Returns
    -------
    Homogeneity
        Statistic, degrees of freedom, p-value, least expected count, and which all-zero rows and columns were left out.

    Raises
    ------
    InvalidTypeError
        If a count is not an integer.
    InvalidValueError
        If a count is negative or `table` does not have two axes.

    Notes
    -----
    :math:`X^2 = \sum (O - E)^2 / E` with E the product of the row and column totals over the grand total, without
    continuity correction. Rows and columns without any count say nothing about proportions: they are left out before
    the degrees of freedom are counted.

    References
    ----------
    Pearson, K. (1900). On the criterion that a given system of deviations from the probable in the case of a correlated
    system of variables is such that it can be reasonably supposed to have arisen from random sampling. Philosophical
    Magazine 50, 157-175. https://doi.org/10.1080/14786440009463897

    Examples
    --------
    >>> test = chi_square_homogeneity([[56, 14], [48, 32]])
    >>> print(f"{test.statistic:.3f} on {test.df} df, p = {test.p_value:.4f}")
    7.023 on 1 df, p = 0.0080
    """
    observed = counts("table", table)
    if observed.ndim != 2:  # noqa: PLR2004
        raise InvalidValueError(message("table", "counts with two axes, groups by outcomes", f"shape {observed.shape}"))
    row_kept = (observed > 0).any(axis=1)
    column_kept = (observed > 0).any(axis=0)
    kept = observed[row_kept][:, column_kept].astype(np.float64)

    expected = np.outer(kept.sum(axis=1), kept.sum(axis=0)) / max(kept.sum(), 1.0)
    statistic = float(((kept - expected) ** 2 / expected).sum())
    df = (max(kept.shape[0], 1) - 1) * (max(kept.shape[1], 1) - 1)
    # NaN is the one object `math.nan`, which equals itself inside a tuple as another NaN would not.
    return Homogeneity(
        statistic=statistic if df else 0.0,
        df=df,
        p_value=float(chi2_sf(statistic, df)) if df else math.nan,
        smallest_expected=float(expected.min()) if expected.size else math.nan,
        dropped_rows=tuple(np.flatnonzero(~row_kept).tolist()),
        dropped_columns=tuple(np.flatnonzero(~column_kept).tolist()),
    )
