"""Where is a log-likelihood largest, and how well is that place known? Newton's method for few positive parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from shequn._typing import FloatArray, IntArray

__all__ = ["Curvature", "Maximum", "maximise"]

# Value, gradient and Hessian at parameters, by the parameters themselves.
Curvature: TypeAlias = "Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]"

_MOST_STEPS: Final = 500
_LONGEST: Final = 2.0  # of a step, in logarithms of parameters
_SHORTEST: Final = 2.0**-30  # part of a step that is tried
_SUFFICIENT: Final = 1e-4  # part of the gain that the slope promises
_FLATTEST: Final = 1e-7  # curvature against the largest, below which a direction counts as flat
_NO_GAIN: Final = 1e-9  # of log-likelihood that a further step could bring
_ROUNDING: Final = 4e-14  # of the log-likelihood itself
_UNKNOWN: Final = 1e-2  # information by the logarithm of a parameter: known to within a factor of exp(20) only
_NO_FALL: Final = 1e-3  # of log-likelihood that the way to the edge of the box may cost


class Maximum(NamedTuple):
    """What was found.

    Attributes
    ----------
    at : ndarray of float64, shape (k,)
        The parameters.
    value : float
        The log-likelihood there.
    covariance : ndarray of float64, shape (k, k), or None
        Inverse of the observed information; None where there is no maximum.
    edge : ndarray of int64, shape (k,)
        0 where a parameter came to rest, else −1 or 1 where it ran off towards 0 or without bounds: the likelihood has
        no maximum then, it rises, or stays what it is, all the way. All 0 without a covariance: it is flat both ways,
        so that what was seen does not tell the parameters apart.
    settled : bool
        Whether no further step could bring anything.
    """

    at: FloatArray
    value: float
    covariance: FloatArray | None
    edge: IntArray
    settled: bool


def maximise(of: Curvature, /, start: FloatArray, least: FloatArray, greatest: FloatArray) -> Maximum:
    r"""Climb to the maximum by the logarithms of parameters, within a box.

    Parameters
    ----------
    of : callable
        Gives log-likelihood, gradient and Hessian by positive parameters.
    start, least, greatest : ndarray of float64, shape (k,)
        Where to begin, and the box.

    Notes
    -----
    With :math:`g` and :math:`H` by the logarithms :math:`\theta`, the step solves :math:`-H s = g`, where directions in
    which the function is not concave, or flat, take the size of their curvature, at least a 1e-7 of the largest. A step
    is at most 2 long, stays in the box, and is halved until it gains. A parameter at an edge of the box that the slope
    presses against is held there. It is over when the gain that a step promises, :math:`g^T s / 2`, or the gain that a
    step brought, is below 1e-9.

    References
    ----------
    J. Nocedal, S. J. Wright, *Numerical Optimization*, 2nd ed., Springer 2006, ch. 3 and 6.
    https://doi.org/10.1007/978-0-387-40065-5

    Examples
    --------
    >>> def of_poisson(rate):  # 7 events in 10 years
    ...     return 7 * np.log(rate[0]) - 10 * rate[0], 7 / rate - 10, np.array([[-7 / rate[0] ** 2]])
    >>> found = maximise(of_poisson, np.array([1.0]), np.array([1e-9]), np.array([1e9]))
    >>> found.at.round(9), found.covariance.round(6)
    (array([0.7]), array([[0.07]]))
    """
    low, high = np.log(least), np.log(greatest)
    theta = np.clip(np.log(start), low, high)
    value, slope, bend = _by_logs(of, theta)
    settled, last = False, np.zeros_like(theta)
    for _ in range(_MOST_STEPS):
        held = ((theta <= low) & (slope < 0)) | ((theta >= high) & (slope > 0))
        step = _step(slope, bend, ~held)
        if float(slope @ step) / 2 <= _NO_GAIN + _ROUNDING * abs(value):
            # So close to the maximum the step leads there, and needs no other look.
            settled, last = True, step
            break
        reached = _line_search(of, theta, (value, slope), step, (low, high))
        if reached is None:
            settled = float(slope @ step) / 2 <= 1e3 * (_NO_GAIN + _ROUNDING * abs(value))
            break
        gain = reached[1][0] - value
        theta, (value, slope, bend) = reached
        if gain <= _NO_GAIN:  # less than the rounding of the sums may be
            settled = True
            break
    at = np.exp(theta)
    edge = np.where(theta <= low, -1, np.where(theta >= high, 1, 0))
    if edge.any() or not settled:
        return Maximum(at, value, None, edge, settled)
    curvature, axes = np.linalg.eigh(-bend)
    ways = _never_falling(of, theta, value, axes[:, 0], (low, high)) if curvature[0] < _UNKNOWN else []
    if ways:
        is_far = np.abs(axes[:, 0]) > np.abs(axes[:, 0]).max() / 4
        return Maximum(at, value, None, np.where(is_far & (len(ways) == 1), np.sign(ways[0]), 0).astype(int), settled)
    at = np.exp(theta + last)
    return Maximum(at, value, (axes / curvature) @ axes.T * np.outer(at, at), edge, settled)


def _by_logs(of: Curvature, theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    at = np.exp(theta)
    value, gradient, hessian = of(at)
    slope = gradient * at
    return value, slope, hessian * np.outer(at, at) + np.diag(slope)


def _step(slope: FloatArray, bend: FloatArray, free: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> FloatArray:
    """Return the Newton step among the parameters that are free, by curvatures made positive."""
    step = np.zeros_like(slope)
    if not free.any():
        return step
    curvature, axes = np.linalg.eigh(-bend[np.ix_(free, free)])
    size = np.maximum(np.abs(curvature), _FLATTEST * max(float(np.abs(curvature).max()), 1e-300))
    step[free] = axes @ ((axes.T @ slope[free]) / size)
    return step


def _line_search(
    of: Curvature,
    theta: FloatArray,
    here: tuple[float, FloatArray],
    step: FloatArray,
    box: tuple[FloatArray, FloatArray],
) -> tuple[FloatArray, tuple[float, FloatArray, FloatArray]] | None:
    """Return the first of ever shorter steps that gains enough; None where none does."""
    value, slope = here
    part = min(1.0, _LONGEST / float(np.linalg.norm(step)))
    while part >= _SHORTEST:
        there = np.clip(theta + part * step, *box)
        found = _by_logs(of, there)
        if np.isfinite(found[0]) and found[0] >= value + _SUFFICIENT * float(slope @ (there - theta)):
            return there, found
        part /= 2
    return None


def _never_falling(
    of: Curvature, theta: FloatArray, value: float, axis: FloatArray, box: tuple[FloatArray, FloatArray]
) -> list[FloatArray]:
    """Return the ways along an axis, none to two, on which the function does not fall up to the edge of the box."""
    found: list[FloatArray] = []
    for way in (axis, -axis):
        with np.errstate(divide="ignore"):
            room = np.where(way > 0, (box[1] - theta) / way, np.where(way < 0, (box[0] - theta) / way, np.inf))
        there = np.clip(theta + float(room.min()) * way, *box)
        if of(np.exp(there))[0] >= value - _NO_FALL:
            found.append(way)
    return found
