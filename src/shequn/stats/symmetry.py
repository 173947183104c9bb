"""Do units that were classified twice move between the classes in both directions alike? Tests of a square table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shequn.errors import InvalidValueError, message
from shequn.stats._checks import counts
from shequn.stats.tails import chi2_sf

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, IntArray

__all__ = ["SymmetryTest", "bowker", "stuart_maxwell"]

_LARGEST_SUM = 2.0**62


class SymmetryTest(NamedTuple):
    """The outcome of a test of a square table.

    Attributes
    ----------
    statistic : float
        Chi-square, 0 when nothing is left to compare.
    df : int
        Degrees of freedom, over what was compared.
    p_value : float
        Probability of a statistic at least as large under the hypothesis; NaN at `df` 0.
    n_moved : int
        Units off the diagonal. The test rests on them alone, and is doubtful where they are few.
    dropped : tuple of int
        Positions of the classes that no unit moved into or out of; they take no part.

    Examples
    --------
    >>> bowker([[9, 2, 0], [4, 7, 0], [0, 0, 5]]).dropped
    (2,)
    """

    statistic: float
    df: int
    p_value: float
    n_moved: int
    dropped: tuple[int, ...]


def bowker(table: ArrayLike) -> SymmetryTest:
    r"""Test whether as many units move from each class to each other class as move back.

    Parameters
    ----------
    table : array_like of int, shape (k, k)
        Counts by first class (rows) and second class (columns), each unit counted once.

    Returns
    -------
    SymmetryTest

    Raises
    ------
    InvalidTypeError
        If a count is not an integer.
    InvalidValueError
        If a count is negative, `table` is not square, or the counts add up to 2**62 or more.

    See Also
    --------
    stuart_maxwell : Whether the totals of the classes are alike, which symmetry implies.

    Notes
    -----
    :math:`X^2 = \sum_{i<j} (n_{ij} - n_{ji})^2 / (n_{ij} + n_{ji})` over the pairs of classes with a unit that moved
    between them, without continuity correction; the degrees of freedom are the number of such pairs. Pairs without any
    say nothing about symmetry. (Programs that count k(k - 1)/2 degrees whatever the table give a larger p there.) With
    two classes it is McNemar's test.

    References
    ----------
    Bowker, A. H. (1948). A test for symmetry in contingency tables. Journal of the American Statistical Association
    43, 572-574. https://doi.org/10.1080/01621459.1948.10483284

    Examples
    --------
    The unaided distance vision of the right and the left eye of 7,477 women, in four grades (Stuart 1953).

    >>> vision = [[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492]]
    >>> test = bowker(vision)
    >>> print(f"{test.statistic:.3f} on {test.df} df, p = {test.p_value:.4f}")
    19.107 on 6 df, p = 0.0040
    """
    observed = _square(table)
    there, back = observed[np.triu_indices(len(observed), 1)], observed.T[np.triu_indices(len(observed), 1)]
    moved = there + back
    differences = (there - back)[moved > 0].astype(np.float64)
    return _outcome(observed, float((differences**2 / moved[moved > 0]).sum()), int(np.count_nonzero(moved)))


def stuart_maxwell(table: ArrayLike) -> SymmetryTest:
    r"""Test whether the classes have the same totals the first and the second time (marginal homogeneity).

    Parameters
    ----------
    table : array_like of int, shape (k, k)
        Counts by first class (rows) and second class (columns), each unit counted once.

    Returns
    -------
    SymmetryTest

    Raises
    ------
    InvalidTypeError
        If a count is not an integer.
    InvalidValueError
        If a count is negative, `table` is not square, or the counts add up to 2**62 or more.

    Notes
    -----
    :math:`X^2 = d^\top V^{-1} d` with :math:`d_i = n_{i+} - n_{+i}`, :math:`V_{ii} = n_{i+} + n_{+i} - 2 n_{ii}` and
    :math:`V_{ij} = -(n_{ij} + n_{ji})`, one class left out since the differences add up to 0.

    That V can still be singular. It is the Laplacian of the graph whose edges are the pairs of classes that units moved
    between, and lacks one rank for each connected part of that graph. So classes that no unit moved into or out of are
    dropped, as is customary, and in each part one class is left out: the parts are tested together, on as many degrees
    of freedom as there are classes kept less parts. Which class is left out makes no difference.

    References
    ----------
    Stuart, A. (1955). A test for homogeneity of the marginal distributions in a two-way classification. Biometrika 42,
    412-416. https://doi.org/10.1093/biomet/42.3-4.412

    Maxwell, A. E. (1970). Comparing the classification of subjects by two independent judges. British Journal of
    Psychiatry 116, 651-655. https://doi.org/10.1192/bjp.116.535.651

    Examples
    --------
    >>> vision = [[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492]]
    >>> test = stuart_maxwell(vision)
    >>> print(f"{test.statistic:.3f} on {test.df} df, p = {test.p_value:.4f}")
    11.957 on 3 df, p = 0.0075
    """
    observed = _square(table)
    moved = observed + observed.T
    np.fill_diagonal(moved, 0)
    differences = (observed - observed.T).sum(axis=1).astype(np.float64)
    laplacian = np.diag(moved.sum(axis=1)) - moved.astype(np.float64)
    kept = np.concatenate([np.zeros(0, dtype=np.int64), *(part[1:] for part in _connected(moved > 0))])
    solve: Any = np.linalg.solve
    statistic = float(differences[kept] @ solve(laplacian[np.ix_(kept, kept)], differences[kept]))
    return _outcome(observed, max(statistic, 0.0), len(kept))


def _square(table: ArrayLike) -> IntArray:
    observed = counts("table", table)
    if observed.ndim != 2 or observed.shape[0] != observed.shape[1]:  # noqa: PLR2004
        raise InvalidValueError(message("table", "counts with as many columns as rows", f"shape {observed.shape}"))
    if observed.sum(dtype=np.float64) >= _LARGEST_SUM:
        raise InvalidValueError(message("table", "counts whose sum is below 2**62", observed.max()))
    return observed


def _outcome(observed: IntArray, statistic: float, df: int) -> SymmetryTest:
    n_moved = observed.sum(axis=0) + observed.sum(axis=1) - 2 * observed.diagonal()
    return SymmetryTest(
        statistic=statistic if df else 0.0,
        df=df,
        p_value=float(chi2_sf(statistic, df)) if df else math.nan,
        n_moved=int(observed.sum() - observed.trace()),
        dropped=tuple(np.flatnonzero(n_moved == 0).tolist()),
    )


def _connected(linked: BoolArray) -> list[IntArray]:
    """Return the connected parts of a symmetric graph, each as ascending positions."""
    smallest = np.arange(len(linked))
    while True:
        # Each position takes the least name among its neighbours' and its own, until nothing changes.
        seen = np.where(linked, smallest, len(linked)).min(axis=1, initial=len(linked))
        lower = np.minimum(smallest, seen)
        if np.array_equal(lower, smallest):
            return [np.flatnonzero(smallest == name) for name in np.unique(smallest).tolist()]
        smallest = lower
