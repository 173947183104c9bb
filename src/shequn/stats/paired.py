"""How sure the change of a share is when the same units are asked twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.stats._checks import broadcast, counts, level_in_unit, refuse
from shequn.stats.intervals import Interval
from shequn.stats.tails import normal_quantile

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["paired_proportions"]


def paired_proportions(gained: ArrayLike, lost: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> Interval:
    r"""Return the interval of Bonett and Price for the change of a share, (gained - lost) / n.

    Parameters
    ----------
    gained : array_like of int
        Units that have the property the second time and not the first.
    lost : array_like of int
        Units that have it the first time and not the second.
    n : array_like of int
        All units; broadcast together, with gained + lost <= n.
    level : float, default 0.95
        Confidence level, between 0 and 1.

    Returns
    -------
    Interval
        ``(lower, upper)`` within [-1, 1], around the change; NaN where there are no units.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A count is not an integer of 0 or more, more changed than there are, `level` is not between 0 and 1, or the
        shapes do not broadcast.

    Notes
    -----
    With :math:`a = (gained + 1) / (n + 2)` and :math:`b = (lost + 1) / (n + 2)` the ends are
    :math:`a - b \pm z \sqrt{(a + b - (a - b)^2) / (n + 2)}`.

    References
    ----------
    Bonett, D. G. and Price, R. M. (2012). Adjusted Wald confidence interval for a difference of binomial proportions
    based on paired data. Journal of Educational and Behavioral Statistics 37, 479-488.
    https://doi.org/10.3102/1076998611411915

    Examples
    --------
    >>> lower, upper = paired_proportions(18, 6, 100)
    >>> print(f"{lower:.3f} to {upper:.3f}")
    0.022 to 0.213
    """
    # Taken from the lower tail, where 1 - level is exact and a level close to 1 keeps its digits.
    z = -float(normal_quantile((1.0 - level_in_unit(level)) / 2.0))
    up, down, units = broadcast(gained=counts("gained", gained), lost=counts("lost", lost), n=counts("n", n))
    excess = (up > units) | (down > units - np.minimum(up, units))
    if excess.any():
        refuse("gained", "at most n together with lost", up, excess)
    size = np.where(units > 0, units, np.nan)
    change = (up - down) / size
    a, b = (up + 1.0) / (size + 2.0), (down + 1.0) / (size + 2.0)
    half = z * np.sqrt((a + b - (a - b) ** 2) / (size + 2.0))
    lower = np.asarray(np.minimum(np.clip(a - b - half, -1.0, 1.0), change))
    upper = np.asarray(np.maximum(np.clip(a - b + half, -1.0, 1.0), change))
    for end in (lower, upper):
        end.setflags(write=False)
    return Interval(lower, upper)
