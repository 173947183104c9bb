"""How many times as frequent is something in a part as in the whole? The ratio of a share to the share around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.stats._checks import broadcast, counts, refuse
from shequn.stats.intervals import wilson

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray

__all__ = ["ShareRatio", "share_ratio"]


class ShareRatio(NamedTuple):
    """Ratios of shares with their intervals, read-only arrays of one shape.

    Attributes
    ----------
    estimate : ndarray of float64
        Share in the part over share in the whole.
    lower, upper : ndarray of float64
        Ends of the interval.

    Examples
    --------
    >>> share_ratio([30, 0], 100, [50, 10], 1000).estimate
    array([6., 0.])
    """

    estimate: FloatArray
    lower: FloatArray
    upper: FloatArray


def share_ratio(
    hits: ArrayLike, trials: ArrayLike, all_hits: ArrayLike, all_trials: ArrayLike, *, level: float = 0.95
) -> ShareRatio:
    r"""Return the share of hits in a part over that in the whole which contains it (lift, location quotient).

    Parameters
    ----------
    hits, trials : array_like of int
        Counts in the part, 0 <= hits <= trials.
    all_hits, all_trials : array_like of int
        Counts in the whole, the part included. All four are broadcast together.
    level : float, default 0.95
        Confidence level, between 0 and 1.

    Returns
    -------
    ShareRatio
        ``(estimate, lower, upper)`` of the broadcast shape, ``lower <= estimate <= upper``. NaN where the part has no
        trials or the whole no hits; 1 throughout where the part is the whole.

    Raises
    ------
    InvalidTypeError
        If a count is not an integer, or `level` is not a number.
    InvalidValueError
        If a count is negative, hits exceed trials, a part exceeds the whole, the shapes do not broadcast, or `level` is
        not between 0 and 1.

    Notes
    -----
    Part and whole share their trials, so that their shares are not independent; those of the part and of the rest are.
    With p and q the shares in the part and in the rest, and f the part's share of all trials, the ratio is
    p / (f p + (1 - f) q), which rises with p / q alone. The interval is that of p / q, taken through this function.

    For p / q it is MOVER-R: with Wilson intervals (l, u) of p and (L, U) of q the ends are
    :math:`\bigl(pq \mp \sqrt{(pq)^2 - x y}\bigr) / y`, where for the lower one x = l(2p - l) and y = U(2q - U), and for
    the upper one x = u(2p - u) and y = L(2q - L). Without a hit in the rest the upper end is 1 / f, the largest value
    that the ratio can have.

    References
    ----------
    Donner, A. and Zou, G. Y. (2012). Closed-form confidence intervals for functions of the normal mean and standard
    deviation. Statistical Methods in Medical Research 21, 347-359. https://doi.org/10.1177/0962280210383082

    Newcombe, R. G. (2016). MOVER-R confidence intervals for ratios and products of two independently estimated
    quantities. Statistical Methods in Medical Research 25, 1774-1778. https://doi.org/10.1177/0962280213502144

    Examples
    --------
    >>> ratio = share_ratio(30, 100, 50, 1000)
    >>> print(f"{ratio.estimate:.2f}, {ratio.lower:.2f} to {ratio.upper:.2f}")
    6.00, 4.68 to 7.14
    """
    h, n, all_h, all_n = broadcast(
        hits=counts("hits", hits),
        trials=counts("trials", trials),
        all_hits=counts("all_hits", all_hits),
        all_trials=counts("all_trials", all_trials),
    )
    rest_h, rest_n = all_h - h, all_n - n
    for name, bad, expected in (
        ("hits", h > n, "at most as many as trials"),
        ("hits", rest_h < 0, "at most as many as all_hits"),
        ("trials", rest_n < 0, "at most as many as all_trials"),
        ("hits", (rest_h > rest_n) & (rest_n >= 0), "so many that the rest has no more hits than trials"),
    ):
        if bad.any():
            refuse(name, expected, h if name == "hits" else n, bad)

    is_all = rest_n == 0
    compares = (n > 0) & (all_h > 0)
    estimate = _divided(h * (all_n / np.where(n > 0, n, 1)), all_h)
    low, high = _mover(h, n, rest_h, np.where(is_all, 1, rest_n), level)
    part = np.where(is_all, 0.0, n / np.where(all_n > 0, all_n, 1))
    lower = low / (part * low + (1.0 - part))
    with_hits_in_rest = np.isfinite(high)
    bounded = np.where(with_hits_in_rest, high, 1.0)
    upper = np.where(with_hits_in_rest, bounded / (part * bounded + (1.0 - part)), 1.0 / np.where(part > 0, part, 1.0))
    ends = (np.minimum(lower, estimate), estimate, np.maximum(upper, estimate))
    lower, estimate, upper = (np.where(compares, np.where(is_all, 1.0, end), np.nan) for end in ends)
    return _read_only(estimate, lower, upper)


def _mover(h: IntArray, n: IntArray, rest_h: IntArray, rest_n: IntArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the interval of the ratio of two independent shares; the upper one may be infinite."""
    trials = np.where(n > 0, n, 1)
    p, q = h / trials, rest_h / rest_n
    (l1, u1), (l2, u2) = wilson(h, trials, level=level), wilson(rest_h, rest_n, level=level)
    product = p * q
    # Multiplied by the conjugate, so that nothing cancels and y may be 0.
    x, y = l1 * (2.0 * p - l1), u2 * (2.0 * q - u2)
    low = _divided(x, product + np.sqrt(np.maximum(product**2 - x * y, 0.0)))
    x, y = u1 * (2.0 * p - u1), l2 * (2.0 * q - l2)
    root = product + np.sqrt(np.maximum(product**2 - x * y, 0.0))
    return low, np.divide(root, y, out=np.full(np.shape(y), np.inf), where=y > 0)


def _divided(above: FloatArray, below: FloatArray | IntArray) -> FloatArray:
    return np.divide(above, below, out=np.zeros(np.shape(above)), where=below > 0)


def _read_only(estimate: FloatArray, lower: FloatArray, upper: FloatArray) -> ShareRatio:
    parts = ShareRatio(*map(np.asarray, (estimate, lower, upper)))
    for part in parts:
        part.setflags(write=False)
    return parts
