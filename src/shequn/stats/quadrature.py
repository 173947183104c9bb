"""Means over a beta distribution, by few points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from shequn._typing import FloatArray

__all__ = ["beta_points", "beta_rule", "points_needed"]

_DIGITS: Final = 15
_FEWEST: Final = 12
_MANY: Final = 200  # points from which on equal steps may be the shorter way
_MOST_GAUSS, _MOST_STEPS = 1_000, 20_000
_PARTS: Final = np.geomspace(1e-6, 0.9, 60)
_TILTS: Final = np.geomspace(1e-4, 0.98, 60) * math.pi
_TINIEST: Final = 1e-300


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
    return max(math.ceil(min(float(needed.min()), 1e9)), _FEWEST)


def beta_rule(a: float, b: float, reach: float, power: float) -> tuple[FloatArray, FloatArray] | None:
    r"""Return points and weights that give means of :math:`(1 + p t)^{-s}` to 15 digits, t up to `reach`, s `power`.

    Those of `beta_points` where few of them are enough; else equal steps in the logit of p. None where both would take
    too many: `a` or `b` next to 0, and a large reach.

    Notes
    -----
    By :math:`u = \ln p / (1 - p)` the density is :math:`e^{a u} (1 + e^u)^{-(a + b)}`, and the function has no singular
    place nearer than :math:`\pi i` for any reach. At :math:`u + i \theta` the product of both is at most
    :math:`\cos(\theta / 2)^{-(a + b + s)}` times that at u, and steps of h err by :math:`e^{-2 \pi \theta / h}` of it.
    The best of few θ decides.

    References
    ----------
    Trefethen, L. N. and Weideman, J. A. C. (2014). The exponentially convergent trapezoidal rule. SIAM Review 56,
    385-458. https://doi.org/10.1137/130932132

    Examples
    --------
    >>> points, weights = beta_rule(1.0, 1.0, 1e9, 1.0)
    >>> print(f"{weights @ (1 / (1 + 1e9 * points)):.12e} {np.log1p(1e9) / 1e9:.12e}")
    2.072326583795e-08 2.072326583795e-08
    """
    n = points_needed(reach, power)
    if n <= _MANY:
        return beta_points(a, b, n)
    found = _equal_steps(a, b, reach, power, most=min(4 * n, _MOST_STEPS))
    if found is None and n <= _MOST_GAUSS:
        return beta_points(a, b, n)
    return found


def _equal_steps(a: float, b: float, reach: float, power: float, *, most: int) -> tuple[FloatArray, FloatArray] | None:
    fall = _DIGITS * math.log(10.0) + 3.0
    h = float((2.0 * math.pi * _TILTS / (fall - (a + b + power) * np.log(np.cos(_TILTS / 2.0)))).max())
    peak = math.log(a / b)
    # Of a steep function hardly more may be left in the mean than its part below p = 1 / (s t).
    left = _where_fallen(a, b, peak, fall + a * math.log1p(reach * max(power, 1.0)), -1.0)
    right = _where_fallen(a, b, peak, fall, 1.0)
    if (right - left) / h > most:
        return None
    u = np.arange(left, right + h, h)
    log_p, log_rest = -np.logaddexp(0.0, -u), -np.logaddexp(0.0, u)
    log_weight = a * log_p + b * log_rest
    weights = np.exp(log_weight - log_weight.max())
    return np.maximum(np.exp(log_p), _TINIEST), weights / weights.sum()


def _where_fallen(a: float, b: float, peak: float, fall: float, way: float) -> float:
    """Return where, to one side, the density by logits is exp(-fall) of what it is at its peak."""

    def fallen(u: float) -> float:
        return -a * float(np.logaddexp(0.0, -u)) - b * float(np.logaddexp(0.0, u))

    least = fallen(peak) - fall
    near, far = 0.0, 1.0
    while fallen(peak + way * far) > least:
        near, far = far, 2.0 * far
    for _ in range(20):
        middle = (near + far) / 2.0
        near, far = (middle, far) if fallen(peak + way * middle) > least else (near, middle)
    return peak + way * far
