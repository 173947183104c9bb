"""Do two shares differ? The pooled test of two proportions; `newcombe` says by how much they may."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.stats._checks import broadcast, counts, refuse
from shequn.stats.tails import normal_sf

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray

__all__ = ["two_proportions"]


def two_proportions(hits_a: ArrayLike, trials_a: ArrayLike, hits_b: ArrayLike, trials_b: ArrayLike) -> FloatArray:
    r"""Return the two-sided p-value of the pooled z test of two proportions.

    Parameters
    ----------
    hits_a, trials_a, hits_b, trials_b : array_like of int
        Counts of two independent samples with 0 <= hits <= trials, all four broadcast together.

    Returns
    -------
    ndarray of float64, broadcast shape
        P-values. NaN where either sample has no trials; 1 where both shares are equal, all hits or no hits at all
        included.

    Raises
    ------
    InvalidTypeError
        If a count is not an integer.
    InvalidValueError
        If a count is negative, hits exceed trials, or the shapes do not broadcast.

    Notes
    -----
    With p the share of hits in both samples together,
    :math:`z = (p_a - p_b) / \sqrt{p (1 - p) (1 / n_a + 1 / n_b)}`, without continuity correction. Its square is
    Pearson's chi-square of the table of two rows, on one degree of freedom. Doubtful where fewer than about 5 hits or 5
    misses are expected in a sample.

    References
    ----------
    D'Agostino, R. B., Chase, W. and Belanger, A. (1988). The appropriateness of some common procedures for testing the
    equality of two independent binomial populations. American Statistician 42, 198-202.
    https://doi.org/10.1080/00031305.1988.10475563

    Examples
    --------
    >>> print(f"{two_proportions(56, 70, 48, 80):.4f}")
    0.0080
    """
    h1, n1, h2, n2 = broadcast(
        hits_a=counts("hits_a", hits_a),
        trials_a=counts("trials_a", trials_a),
        hits_b=counts("hits_b", hits_b),
        trials_b=counts("trials_b", trials_b),
    )
    _refuse_excess("hits_a", h1, "trials_a", n1)
    _refuse_excess("hits_b", h2, "trials_b", n2)
    first, second = (np.where(n > 0, n, np.nan) for n in (n1, n2))
    both = first + second
    pooled_variance = (h1 / both + h2 / both) * ((n1 - h1) / both + (n2 - h2) / both)
    difference = h1 / first - h2 / second
    z = np.divide(
        np.abs(difference),
        np.sqrt(pooled_variance * (1.0 / first + 1.0 / second)),
        out=np.zeros(difference.shape),
        where=difference != 0,
    )
    p_value = np.asarray(2.0 * normal_sf(z))
    p_value.setflags(write=False)
    return p_value


def _refuse_excess(hits_name: str, hits: IntArray, trials_name: str, trials: IntArray) -> None:
    excess = hits > trials
    if excess.any():
        most = trials[np.unravel_index(int(np.argmax(excess)), excess.shape)]
        refuse(hits_name, f"at most {trials_name} ({most})", hits, excess)
