"""How large, deep and wide are trees of who came after whom?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from shequn._typing import BoolArray, FloatArray, IntArray

__all__ = ["Forest", "TreeShapes", "on_a_cycle"]


class Forest(NamedTuple):
    """Where each node stands in its tree, made from the parent of each.

    Examples
    --------
    >>> forest = Forest.of(np.array([-1, 0, 0, 1, -1]))
    >>> forest.root.tolist(), forest.generation.tolist(), forest.size.tolist()
    ([0, 0, 0, 0, 4], [0, 1, 1, 2, 0], [4, 2, 1, 1, 1])
    """

    parent: IntArray
    """-1 for a root."""
    root: IntArray
    generation: IntArray
    """Steps from the root."""
    size: IntArray
    """Nodes under each, itself included."""

    @classmethod
    def of(cls, parent: IntArray, /) -> Forest:
        """Find the places; nobody may be their own ancestor."""
        root, generation = _climbed(parent)
        size = np.ones(len(parent), dtype=np.int64)
        order = np.argsort(generation, kind="stable")
        ends = np.cumsum(np.bincount(generation)) if len(parent) else np.zeros(0, dtype=np.int64)
        for start, end in zip(ends[-2::-1].tolist(), ends[:0:-1].tolist(), strict=True):
            level = order[start:end]
            np.add.at(size, parent[level], size[level])
        return cls(parent, root, generation, size)

    def shapes(self) -> TreeShapes:
        """Measure each tree of at least two."""
        roots = np.flatnonzero((self.parent < 0) & (self.size > 1))
        n = len(self.parent)
        depth = np.zeros(n, dtype=np.int64)
        np.maximum.at(depth, self.root, self.generation)
        most = int(depth.max()) + 1 if n else 1
        cells, counts = np.unique(self.root * most + self.generation, return_counts=True)
        width = np.zeros(n, dtype=np.int64)
        np.maximum.at(width, cells // most, counts)
        # Each step down parts the nodes under it from all others: it is on the way between any of one and of the other.
        below = np.flatnonzero(self.parent >= 0)
        under, whole = self.size[below].astype(np.float64), self.size[self.root[below]]
        crossed = np.bincount(self.root[below], weights=under * (whole - under), minlength=n)[roots]
        size = self.size[roots]
        return TreeShapes(roots, size, depth[roots], width[roots], 2.0 * crossed / (size * (size - 1.0)))


class TreeShapes(NamedTuple):
    """How large, deep and wide some trees are, and the mean distance of two of their nodes.

    Examples
    --------
    >>> star, chain = Forest.of(np.array([-1, 0, 0])).shapes(), Forest.of(np.array([-1, 0, 1, 2])).shapes()
    >>> star.mean_distance.round(2).tolist(), chain.mean_distance.round(2).tolist()
    ([1.33], [1.67])
    """

    root: IntArray
    size: IntArray
    depth: IntArray
    width: IntArray
    mean_distance: FloatArray


def _climbed(parent: IntArray) -> tuple[IntArray, IntArray]:
    """Return the root of each node and how far it is: go up by steps that double."""
    up = np.where(parent >= 0, parent, np.arange(len(parent)))
    far = (parent >= 0).astype(np.int64)
    while far[up].any():
        far = far + far[up]
        up = up[up]
    return up, far


def on_a_cycle(parent: IntArray, /) -> BoolArray:
    """Return which nodes are their own ancestors.

    Examples
    --------
    >>> on_a_cycle(np.array([1, 2, 1, 0, -1])).tolist()
    [False, True, True, False, False]
    """
    n = len(parent)
    up = np.where(parent >= 0, parent, np.arange(n))
    for _ in range(n.bit_length()):
        up = up[up]
    # After n steps everybody is at a root or goes round.
    cyclic = np.zeros(n, dtype=np.bool_)
    cyclic[up] = True
    cyclic[parent < 0] = False
    return cyclic
