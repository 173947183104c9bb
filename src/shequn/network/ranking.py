"""Who comes first? Members in the order of a score, and the place of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.columns.readonly import frozen
from shequn.stats.ranks import best_first

if TYPE_CHECKING:
    from shequn._typing import FloatArray, IntArray

__all__ = ["by_score", "places"]


def by_score(score: FloatArray, /) -> IntArray:
    """Return members from the highest score on; of equal ones the earlier member comes first.

    Examples
    --------
    >>> by_score(np.array([0.2, 0.5, 0.2])).tolist()
    [1, 0, 2]
    """
    return best_first(score)


def places(score: FloatArray, /) -> IntArray:
    """Return the place of each member from 1 on.

    Examples
    --------
    >>> places(np.array([0.2, 0.5, 0.2])).tolist()
    [2, 1, 3]
    """
    place = np.empty(len(score), dtype=np.int64)
    place[by_score(score)] = np.arange(1, len(score) + 1)
    return frozen(place)
