"""Which of the moves that are wished for can be made together, so that every group stays within its bounds?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.sharding.engine.ties import ends_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray

__all__ = ["Groups", "Wishes", "allowed"]


class Groups(NamedTuple):
    """What the groups must keep to while nodes change between them."""

    n_groups: int
    bounds: tuple[int, int]
    size: IntArray | None = None  # of each node; None: 1 each
    movable: BoolArray | None = None  # which nodes may move; None: all

    def sizes(self, codes: IntArray) -> IntArray:
        """Return the size of each group."""
        if self.size is None:
            return np.bincount(codes, minlength=self.n_groups)
        return np.bincount(codes, weights=self.size, minlength=self.n_groups).astype(np.int64)

    def may_move(self, n_nodes: int) -> BoolArray:
        """Return which nodes may move."""
        return np.ones(n_nodes, dtype=np.bool_) if self.movable is None else self.movable


class Wishes(NamedTuple):
    """Moves that somebody would like to make, at most one a node."""

    source: IntArray  # group it leaves
    target: IntArray  # group it enters
    urgency: NDArray[np.float32]  # above 0; higher goes first
    size: IntArray | None = None  # of the node; None: 1 each


def allowed(wishes: Wishes, sizes: IntArray, bounds: tuple[int, int], /) -> IntArray:
    """Return which wishes can come true together.

    First those that swap: as many nodes of a size go from A to B as from B to A, the most urgent ones. Then those for
    which the target has room and the source can spare them.

    Parameters
    ----------
    wishes : Wishes
        The moves.
    sizes : array of int64
        Size of each group now.
    bounds : (int, int)
        Least and largest size of a group.

    Returns
    -------
    array of int64
        Positions of wishes. A group within the bounds stays within them; one outside does not get further out.

    Examples
    --------
    >>> there_and_back = Wishes(np.array([0, 1]), np.array([1, 0]), np.array([1, 1], dtype=np.float32))
    >>> allowed(there_and_back, np.array([5, 5]), (5, 5))
    array([0, 1])
    >>> allowed(Wishes(*(field[:1] for field in there_and_back[:3])), np.array([5, 5]), (5, 5))
    array([], dtype=int64)
    """
    if len(wishes.source) == 0:
        return np.zeros(0, dtype=np.int64)
    swaps = _swaps(wishes, len(sizes))
    rest = np.ones(len(wishes.source), dtype=np.bool_)
    rest[swaps] = False
    least, most = bounds
    may = rest & (sizes[wishes.target] < most) & (sizes[wishes.source] > least)
    single = np.flatnonzero(may)
    single = single[_first_fit(wishes, single, wishes.target, most - sizes)]
    single = single[_first_fit(wishes, single, wishes.source, sizes - least)]
    return np.concatenate([swaps, single])


def _swaps(wishes: Wishes, n_groups: int) -> IntArray:
    """Return wishes that make pairs, there and back."""
    low = np.minimum(wishes.source, wishes.target)
    high = np.maximum(wishes.source, wishes.target)
    back = wishes.source > wishes.target
    way = (low * n_groups + high) * 2 + back
    if wishes.size is not None:
        way += wishes.size * (2 * n_groups**2)
    order = _most_urgent_first(way, wishes.urgency)
    way = way[order]
    first = np.flatnonzero(np.diff(way, prepend=-1))
    number = np.diff(first, append=len(way))
    # Ways there are even, and the way back follows at once where anybody takes it.
    both = np.flatnonzero((way[first[:-1]] & 1 == 0) & (way[first[1:]] == way[first[:-1]] + 1))
    pairs = np.zeros(len(first), dtype=np.int64)
    pairs[both] = pairs[both + 1] = np.minimum(number[both], number[both + 1])
    rank = np.arange(len(way)) - np.repeat(first, number)
    return order[rank < np.repeat(pairs, number)]


def _first_fit(wishes: Wishes, chosen: IntArray, group: IntArray, capacity: IntArray) -> BoolArray:
    """Return which of the chosen wishes fit into what each group can take, the most urgent first."""
    group = group[chosen]
    order = _most_urgent_first(group, wishes.urgency[chosen])
    group = group[order]
    amount = np.ones(len(group), dtype=np.int64) if wishes.size is None else wishes.size[chosen[order]]
    so_far = ends_of(amount)
    first = np.flatnonzero(np.diff(group, prepend=-1))
    so_far = so_far[1:] - np.repeat(so_far[first], np.diff(first, append=len(group)))
    fits = np.empty(len(chosen), dtype=np.bool_)
    fits[order] = so_far <= capacity[group]
    return fits


def _most_urgent_first(key: IntArray, urgency: NDArray[np.float32]) -> IntArray:
    """Return the order by key, and by urgency from high to low within one."""
    if len(key) and int(key.max()) < 1 << 31:
        # A float above 0 is ordered as its bits are.
        return np.argsort((key << 32) - urgency.view(np.int32))
    return np.lexsort((-urgency, key))
