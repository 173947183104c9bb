"""Means over a beta distribution, by few points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from shequn._typing import FloatArray

__all__ = ["beta_points", "points_needed"]

_DIGITS: Final = 15
_FEWEST, _MOST = 12, 1_500
_PARTS: Final = np.geomspace(1e-6, 0.9, 60)


def beta_points(a: float, b: float, n: int) -> tuple[FloatArray, FloatArray]:
    r"""Return n points in (0, 1) and weights that add up to 1, by which the mean of f(p), p ~ Beta(a, b), is a sum.

    Parameters
    ----------
    a, b : float
        Above 0.
    n : int
        How many: means of polynomials of a degree below 2 n are exact.

    Notes
    -----
    Gauss and Jacobi's quadrature by the eigenvalues of the matrix of the recurrence of the polynomials.

    References
    ----------
    Golub, G. H. and Welsch, J. H. (1969). Calculation of Gauss quadrature rules. Mathematics of Computation 23,
    221-230. https://doi.org/10.1090/S0025-5718-69-99647-1

    Examples
    --------
    >>> points, weights = beta_points(2.0, 3.0, 4)
    >>> print(f"{points @ weights:.12f} {points**2 @ weights:.12f}")
    0.400000000000 0.200000000000
    """
    left, right = b - 1.0, a - 1.0  # powers of (1 - y) and (1 + y) on [-1, 1]
    k = np.arange(1, n, dtype=np.float64)
    both = left + right
    middle = np.empty(n)
    middle[0] = (right - left) / (both + 2.0)
    middle[1:] = (right - left) * both / ((2 * k + both) * (2 * k + both + 2.0))
    side = 4 * k * (k + left) * (k + right) / ((2 * k + both) ** 2 * (2 * k + both + 1.0))
    # The last quotient is (k + both) / (2 k + both - 1), in which both terms of k = 1 are the same and may be 0.
    side[1:] *= (k[1:] + both) / (2 * k[1:] + both - 1.0)
    matrix = np.diag(middle) + np.diag(np.sqrt(side), 1) + np.diag(np.sqrt(side), -1)
    points, axes = np.linalg.eigh(matrix)
    # On [0, 1] a point close to 0 keeps its digits only as far as the matrix has them.
    tiny = np.finfo(np.float64).tiny
    return np.clip((points + 1.0) / 2.0, tiny, 1.0), axes[0] ** 2


def points_needed(reach: float, power: float) -> int:
    r"""Return how many points a mean of :math:`(1 + p t)^{-s}` needs for 15 digits, of t up to `reach` and s `power`.

    Notes
    -----
    On an ellipse around [0, 1] whose leftmost point is -c / t, 0 < c < 1, the function is analytic and at most
    :math:`(1 - c)^{-s}`. Then n points err by about that times :math:`\rho^{-2n}`, where :math:`\rho` is the sum of the
    half axes that the ellipse has around [-1, 1]. The best of few c decides.

    References
    ----------
    Trefethen, L. N. (2008). Is Gauss quadrature better than Clenshaw-Curtis? SIAM Review 50, 67-87.
    https://doi.org/10.1137/060659831

    Examples
    --------
    >>> points_needed(1.0, 2.0), points_needed(100.0, 2.0)
    (12, 104)
    """
    if not reach > 0:
        return _FEWEST
    beyond = 2.0 * _PARTS / reach
    log_rho = np.log1p(beyond + np.sqrt(beyond * (2.0 + beyond)))
    needed = (_DIGITS * math.log(10.0) - power * np.log1p(-_PARTS)) / (2.0 * log_rho)
    return int(np.clip(math.ceil(float(needed.min())), _FEWEST, _MOST))
