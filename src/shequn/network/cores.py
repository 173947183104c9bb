"""Who is in the thick of it? The k-cores of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.columns.readonly import frozen
from shequn.graph import InteractionGraph
from shequn.network.spans import positions_in
from shequn.stats._checks import instance
from shequn.stats.distinct import each_once

if TYPE_CHECKING:
    from shequn._typing import BoolArray, IntArray

__all__ = ["core_numbers"]

_FEW = 16  # members at a time below which a loop beats the cost of calling NumPy


def core_numbers(graph: InteractionGraph, /) -> IntArray:
    """Return the core number of each member: the largest k such that they belong to the k-core.

    The k-core is what is left when whoever has fewer than k neighbours leaves, and then whoever has fewer than k left,
    until nobody has.

    Parameters
    ----------
    graph : InteractionGraph
        A tie links its two members, whichever way it points.

    Returns
    -------
    ndarray of int64, shape (n,)
        Read-only; 0 for a member without ties.

    Raises
    ------
    InvalidTypeError
        `graph` is no InteractionGraph.

    Notes
    -----
    For k = 0, 1, … all who have at most k neighbours left leave at once, round by round. Rounds in which few leave,
    such as those that take a long chain apart from its end, go member by member.

    References
    ----------
    Seidman, S. B. (1983). Network structure and minimum degree. Social Networks 5, 269-287.
    https://doi.org/10.1016/0378-8733(83)90028-X

    Examples
    --------
    >>> core_numbers(InteractionGraph.from_ties([0, 1, 2, 2], [1, 2, 0, 3], n_members=5)).tolist()
    [2, 2, 2, 1, 0]
    """
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
    both = graph.neighbours("both")
    n = graph.n_members
    peeling = _Peeling(both.offsets, both.neighbour, np.diff(both.offsets), np.ones(n, dtype=np.bool_))
    core = np.zeros(n, dtype=np.int64)
    rest = np.arange(n)
    while len(rest):
        k = int(peeling.left[rest].min())
        leaving = rest[peeling.left[rest] <= k]
        while len(leaving):
            core[leaving] = k
            peeling.here[leaving] = False
            leaving = peeling.one_by_one(leaving, k) if len(leaving) < _FEW else peeling.at_once(leaving, k)
        rest = rest[peeling.here[rest]]
    return frozen(core)


class _Peeling(NamedTuple):
    """A network that members leave: who is still here, and how many neighbours each has left."""

    offsets: IntArray
    neighbour: IntArray
    left: IntArray
    here: BoolArray

    def at_once(self, leaving: IntArray, k: int) -> IntArray:
        """Take members away from their neighbours, and return those who have only k left through it."""
        starts = self.offsets[leaving]
        touched = self.neighbour[positions_in(starts, self.offsets[leaving + 1] - starts)]
        touched = touched[self.here[touched]]
        np.subtract.at(self.left, touched, 1)
        return each_once(touched[self.left[touched] <= k])

    def one_by_one(self, leaving: IntArray, k: int) -> IntArray:
        """Do what `at_once` does, for few."""
        found: list[int] = []
        for start, stop in zip(self.offsets[leaving].tolist(), self.offsets[leaving + 1].tolist(), strict=True):
            for member in self.neighbour[start:stop].tolist():
                if self.here[member]:
                    self.left[member] -= 1
                    if self.left[member] == k:
                        found.append(member)
        return np.array(found, dtype=np.int64)
