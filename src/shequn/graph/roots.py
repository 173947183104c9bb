"""What hangs together, over however many links? Numbers in, numbers out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from shequn._typing import IntArray

__all__ = ["component_roots"]


def component_roots(n: int, u: IntArray, v: IntArray, /) -> IntArray:
    """Return the lowest node that each of n nodes is linked to, over however many links, shape (n,).

    Examples
    --------
    >>> component_roots(4, np.array([3]), np.array([1])).tolist()
    [0, 1, 2, 1]
    """
    root = np.arange(n, dtype=np.int64)
    while len(u):
        lowest = np.full(n, n, dtype=np.int64)
        np.minimum.at(lowest, u, v)
        np.minimum.at(lowest, v, u)
        grows = np.flatnonzero(lowest < n)
        # Joining the lowest neighbour makes no ring of more than two; of two that join each other the lower one stays.
        # The lowest of all is joined by whom it joins, and so stays to the end.
        step = np.arange(n, dtype=np.int64)
        step[grows] = lowest[grows]
        both = grows[(step[step[grows]] == grows) & (grows < step[grows])]
        step[both] = both
        step = _followed(step)
        root = step[root]
        u, v = step[u], step[v]
        apart = u != v
        u, v = u[apart], v[apart]
    return root


def _followed(step: IntArray) -> IntArray:
    """Return where each chain of steps ends; each round goes twice as far as the one before."""
    while True:
        twice = step[step]
        if np.array_equal(twice, step):
            return step
        step = twice
