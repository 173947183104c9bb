"""How sure a share is, and how sure the difference of two shares is.

A share is hits out of trials. The score interval of Wilson keeps its coverage for few trials and for shares near 0
and 1, where the textbook interval fails; Newcombe's interval for a difference is built from two of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.stats._checks import broadcast, counts, level_in_unit, refuse
from shequn.stats.tails import normal_quantile

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray

__all__ = ["Interval", "newcombe", "wilson"]


class Interval(NamedTuple):
    """The two ends of an interval, read-only arrays of one shape.

    Examples
    --------
    >>> lower, upper = wilson([0, 10], 10)
    >>> lower.round(4), upper.round(4)
    (array([0.    , 0.7225]), array([0.2775, 1.    ]))
    """

    lower: FloatArray
    upper: FloatArray


def wilson(hits: ArrayLike, trials: ArrayLike, *, level: float = 0.95) -> Interval:
    r"""Return the Wilson score interval of a proportion.

    Parameters
    ----------
    hits, trials : array_like of int
        Counts with 0 <= hits <= trials, broadcast together.
    level : float, default 0.95
        Confidence level, between 0 and 1.

    Returns
    -------
    Interval
        ``(lower, upper)`` of the broadcast shape. NaN where there are no trials; `lower` is exactly 0 where there are
        no hits and `upper` exactly 1 where all trials are hits; ``lower <= hits / trials <= upper`` always.

    Raises
    ------
    InvalidTypeError
        If a count is not an integer, or `level` is not a number.
    InvalidValueError
        If a count is negative, hits exceed trials, the shapes do not broadcast, or `level` is not between 0 and 1.

    Notes
    -----
    With p = hits / trials, n = trials and z the two-sided normal quantile of `level`, the ends are the two roots in
    :math:`\pi` of :math:`(p - \pi)^2 = z^2 \pi (1 - \pi) / n`. The lower one is taken from the product of the roots, so
    that it does not cancel near 0.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the American
    Statistical Association 22, 209-212. https://doi.org/10.1080/01621459.1927.10502953

    Newcombe, R. G. (1998). Two-sided confidence intervals for the single proportion: comparison of seven methods.
    Statistics in Medicine 17, 857-872.
    https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E

    Examples
    --------
    >>> lower, upper = wilson(81, 263)
    >>> print(f"{lower:.4f} to {upper:.4f}")
    0.2553 to 0.3662
    """
    z = _two_sided_z(level)
    h, n = broadcast(hits=counts("hits", hits), trials=counts("trials", trials))
    _refuse_excess("hits", h, "trials", n)
    _, lower, upper = _score_interval(h, n, z)
    return _read_only(lower, upper)


def newcombe(
    hits1: ArrayLike,
    trials1: ArrayLike,
    hits2: ArrayLike,
    trials2: ArrayLike,
    *,
    level: float = 0.95,
) -> Interval:
    r"""Return Newcombe's interval for the first proportion less the second.

    Parameters
    ----------
    hits1, trials1, hits2, trials2 : array_like of int
        Counts of two independent samples with 0 <= hits <= trials, all four broadcast together.
    level : float, default 0.95
        Confidence level, between 0 and 1.

    Returns
    -------
    Interval
        ``(lower, upper)`` of ``hits1 / trials1 - hits2 / trials2``, of the broadcast shape, within [-1, 1]. NaN where
        either sample has no trials.

    Raises
    ------
    InvalidTypeError
        If a count is not an integer, or `level` is not a number.
    InvalidValueError
        If a count is negative, hits exceed trials, the shapes do not broadcast, or `level` is not between 0 and 1.

    Notes
    -----
    Method 10, square and add: with p the proportions and (l, u) their Wilson intervals, the lower end is
    :math:`p_1 - p_2 - \sqrt{(p_1 - l_1)^2 + (u_2 - p_2)^2}` and the upper
    :math:`p_1 - p_2 + \sqrt{(u_1 - p_1)^2 + (p_2 - l_2)^2}`.

    References
    ----------
    Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions: comparison of eleven
    methods. Statistics in Medicine 17, 873-890.
    https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I

    Examples
    --------
    >>> lower, upper = newcombe(56, 70, 48, 80)
    >>> print(f"{lower:.4f} to {upper:.4f}")
    0.0524 to 0.3339
    """
    z = _two_sided_z(level)
    h1, n1, h2, n2 = broadcast(
        hits1=counts("hits1", hits1),
        trials1=counts("trials1", trials1),
        hits2=counts("hits2", hits2),
        trials2=counts("trials2", trials2),
    )
    _refuse_excess("hits1", h1, "trials1", n1)
    _refuse_excess("hits2", h2, "trials2", n2)
    p1, lower1, upper1 = _score_interval(h1, n1, z)
    p2, lower2, upper2 = _score_interval(h2, n2, z)
    difference = p1 - p2
    return _read_only(
        difference - np.hypot(p1 - lower1, upper2 - p2),
        difference + np.hypot(upper1 - p1, p2 - lower2),
    )


def _refuse_excess(hits_name: str, hits: IntArray, trials_name: str, trials: IntArray) -> None:
    excess = hits > trials
    if excess.any():
        most = trials[np.unravel_index(int(np.argmax(excess)), excess.shape)]
        refuse(hits_name, f"at most {trials_name} ({most})", hits, excess)


def _two_sided_z(level: float) -> float:
    # Taken from the lower tail, where 1 - level is exact and a level close to 1 keeps its digits.
    return -float(normal_quantile((1.0 - level_in_unit(level)) / 2.0))


def _score_interval(hits: IntArray, trials: IntArray, z: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the proportion and the ends of its Wilson interval, NaN without trials."""
    n = np.where(trials > 0, trials, np.nan)
    p = hits / n
    twice_hits = 2.0 * hits
    larger_root = twice_hits + z * z + z * np.sqrt(z * z + 4.0 * p * (trials - hits))
    lower = p * np.divide(twice_hits, larger_root, out=np.zeros(p.shape), where=hits > 0)
    upper = np.clip(larger_root / (2.0 * (n + z * z)), p, 1.0)
    return p, lower, upper


def _read_only(lower: FloatArray, upper: FloatArray) -> Interval:
    ends = Interval(np.asarray(lower), np.asarray(upper))
    for end in ends:
        end.setflags(write=False)
    return ends
