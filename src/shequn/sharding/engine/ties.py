"""What does the engine know of the ties: rows of neighbours with whole weights, and how are rows picked and merged?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from shequn._typing import IntArray

__all__ = [
    "Neighbours",
    "Ties",
    "blocks",
    "by_degree",
    "ends_of",
    "entries_of",
    "from_neighbours",
    "from_pairs",
    "positions",
    "whole_weights",
]

_EXACT_TOTAL = 2.0**53  # sums of weights stay whole numbers, in float64 too
_LARGEST_SCALED = 2.0**20


class Neighbours(Protocol):
    """Symmetric ties as rows: row i holds the neighbours of node i."""

    @property
    def offsets(self) -> IntArray:
        """Where each row begins, and where the last ends, shape (n + 1,)."""
        ...

    @property
    def neighbour(self) -> NDArray[Any]:
        """The other end of each entry, shape (m,)."""
        ...

    @property
    def weight(self) -> NDArray[Any]:
        """The weight of each entry, above 0, shape (m,)."""
        ...


class Ties(NamedTuple):
    """Rows of neighbours with whole weights; the form in which the engine keeps every graph, fine or coarse."""

    offsets: IntArray
    neighbour: NDArray[np.int32]
    weight: IntArray

    @property
    def n_nodes(self) -> int:
        """How many rows there are."""
        return len(self.offsets) - 1


def from_neighbours(neighbours: Neighbours, /) -> Ties:
    """Return the ties in the engine's own form.

    Examples
    --------
    >>> from shequn.sharding.engine.ties import Ties
    >>> pair = Ties(np.array([0, 1, 2]), np.array([1, 0], np.int32), np.array([0.5, 0.5]))
    >>> from_neighbours(pair).weight
    array([1048576, 1048576])
    """
    return Ties(
        np.asarray(neighbours.offsets, dtype=np.int64),
        np.asarray(neighbours.neighbour).astype(np.int32, copy=False),
        whole_weights(neighbours.weight),
    )


def whole_weights(weight: NDArray[Any], /) -> IntArray:
    """Return weights as whole numbers of 1 or more.

    Integers whose sum stays below 2**53 are taken as they are. Floats, and larger integers, are scaled so that the
    largest becomes 2**20; what is less than a millionth of the largest counts as that.

    Examples
    --------
    >>> whole_weights(np.array([1.0, 0.25]))
    array([1048576,  262144])
    """
    if len(weight) == 0:
        return np.zeros(0, dtype=np.int64)
    if weight.dtype.kind in "iu" and weight.sum(dtype=np.float64) < _EXACT_TOTAL:
        return weight.astype(np.int64, copy=False)
    share = weight.astype(np.float64) / float(weight.max())
    return np.maximum(np.rint(share * _LARGEST_SCALED), 1).astype(np.int64)


def from_pairs(source: IntArray, target: IntArray, weight: IntArray, n_nodes: int, /) -> Ties:
    """Return rows made of directed pairs; a pair that comes twice stays two entries.

    Examples
    --------
    >>> from_pairs(np.array([1, 0]), np.array([0, 1]), np.array([5, 5]), 2).neighbour
    array([1, 0], dtype=int32)
    """
    # NumPy sorts short integers by radix, four times faster than long ones.
    short = source.astype(np.uint16) if n_nodes <= 1 << 16 else source
    order = np.argsort(short, kind="stable")
    length = np.bincount(source, minlength=n_nodes)
    return Ties(ends_of(length), target[order].astype(np.int32), weight[order])


def by_degree(ties: Ties, /) -> tuple[Ties, IntArray]:
    """Return the ties with nodes renumbered, those with fewest ties first, and which node each was.

    Examples
    --------
    >>> path = from_pairs(np.array([0, 1, 1, 2]), np.array([1, 0, 2, 1]), np.array([1, 1, 3, 3]), 3)
    >>> by_degree(path)[1]
    array([0, 2, 1])
    """
    degree = np.diff(ties.offsets)
    order = np.argsort(degree.astype(np.uint16) if int(degree.max(initial=0)) < 1 << 16 else degree, kind="stable")
    number = np.empty(ties.n_nodes, dtype=np.int32)
    number[order] = np.arange(ties.n_nodes, dtype=np.int32)
    where, offsets = positions(ties.offsets, order)
    return Ties(offsets, number.take(ties.neighbour.take(where)), ties.weight.take(where)), order


def ends_of(length: IntArray, /) -> IntArray:
    """Return the offsets of rows of these lengths: 0 first, the sum last."""
    offsets = np.zeros(len(length) + 1, dtype=np.int64)
    np.cumsum(length, out=offsets[1:])
    return offsets


def positions(offsets: IntArray, rows: IntArray, /) -> tuple[IntArray, IntArray]:
    """Return where the entries of some rows stand, one row after the other, and the offsets of those rows.

    Examples
    --------
    >>> positions(np.array([0, 2, 2, 5]), np.array([2, 0]))
    (array([2, 3, 4, 0, 1]), array([0, 3, 5]))
    """
    first = offsets[rows]
    ends = ends_of(offsets[rows + 1] - first)
    return np.arange(int(ends[-1])) + np.repeat(first - ends[:-1], np.diff(ends)), ends


def entries_of(ties: Ties, rows: IntArray, /) -> tuple[NDArray[np.int32], IntArray, IntArray]:
    """Return the neighbours and weights of some rows, one row after the other, and the offsets of those rows.

    Examples
    --------
    >>> pair = Ties(np.array([0, 1, 2]), np.array([1, 0], np.int32), np.array([5, 6]))
    >>> entries_of(pair, np.array([1]))
    (array([0], dtype=int32), array([6]), array([0, 1]))
    """
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and bool((rows[1:] > rows[:-1]).all()):
        offsets = ties.offsets[rows[0] : rows[-1] + 2]  # rows that follow each other need not be copied
        run = slice(int(offsets[0]), int(offsets[-1]))
        return ties.neighbour[run], ties.weight[run], offsets - offsets[0]
    where, ends = positions(ties.offsets, rows)
    return ties.neighbour.take(where), ties.weight.take(where), ends


def blocks(offsets: IntArray, entries: int, /) -> Iterator[slice]:
    """Yield runs of rows with about so many entries each, so that what is worked out of them stays in the cache.

    Examples
    --------
    >>> list(blocks(np.array([0, 2, 4, 6]), 3))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    n_rows, first = len(offsets) - 1, 0
    while first < n_rows:
        last = int(np.searchsorted(offsets, int(offsets[first]) + entries))
        last = min(max(last, first + 1), n_rows)
        yield slice(first, last)
        first = last
