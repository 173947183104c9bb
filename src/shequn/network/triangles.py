"""How many of those who talk with the same member talk with each other? Triangles and clustering, counted exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import counted
from shequn.graph import InteractionGraph
from shequn.labels import Index
from shequn.network.facts import shown
from shequn.network.spans import positions_in
from shequn.stats._checks import counts_column, instance, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.graph import Neighbours
    from shequn.labels import Label

__all__ = ["Clustering", "ClusteringRow", "clustering", "triangles_of_pairs"]

_MOST_AT_ONCE = 1 << 21  # candidates for a third member; some 100 MB of scratch


def clustering(graph: InteractionGraph, /) -> Clustering:
    """Count the triangles that each member is in, whichever way the ties point.

    Parameters
    ----------
    graph : InteractionGraph

    Returns
    -------
    Clustering
        Triangles and neighbours of each member, and the two coefficients.

    Raises
    ------
    InvalidTypeError
        `graph` is no InteractionGraph.

    Notes
    -----
    Each pair points from the member with fewer neighbours to the one with more, so that nobody has more than √(2m)
    pairs out (m pairs). A triangle is then a pair, a pair out of its upper member, and one out of its lower member to
    the same third: for each pair the list of the upper member is looked up in that of the lower one. Some two million
    look-ups are made at a time, which bounds the memory.

    References
    ----------
    Row C7 of the domain table; Watts, D. J. & Strogatz, S. H. (1998). Collective dynamics of 'small-world' networks.
    Nature 393, 440-442. https://doi.org/10.1038/30918

    Examples
    --------
    >>> found = clustering(InteractionGraph.from_ties([0, 1, 2, 2], [1, 2, 0, 3]))
    >>> found.triangles.tolist(), found.transitivity
    ([1, 1, 1, 0], 0.6)
    """
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
    both = graph.neighbours("both")
    triangles = np.zeros(graph.n_members, dtype=np.int64)
    oriented = _Oriented.of(both)
    for found in _found_in(oriented):
        for corner in oriented.corners(found):
            triangles += np.bincount(corner, minlength=graph.n_members)
    return Clustering(members=graph.members, triangles=frozen(triangles), degree=np.diff(both.offsets))


class ClusteringRow(NamedTuple):
    """One member; the names are those of `Clustering`.

    Examples
    --------
    >>> ClusteringRow("ann", 2, 1, 1.0).local
    1.0
    """

    member: Label
    degree: int
    triangles: int
    local: float


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Clustering(Tabular[ClusteringRow]):
    """How closely the neighbours of each member are knit; made by `clustering`.

    Parameters
    ----------
    members : Index
        The n members.
    triangles : ndarray of int64, shape (n,)
        Pairs of a member's neighbours who are neighbours of each other.
    degree : ndarray of int64, shape (n,)
        Neighbours of each member.

    Examples
    --------
    >>> knit = Clustering(members=Index(["ann", "bo", "cy"]), triangles=[1, 1, 1], degree=[2, 2, 2])
    >>> print(knit)
    member  neighbours  triangles  clustering
    ─────────────────────────────────────────
    ann              2          1      100.0%
    bo               2          1      100.0%
    cy               2          1      100.0%
    transitivity 100.0%, mean of members 100.0%
    """

    members: Index
    triangles: IntArray
    degree: IntArray

    _Row: ClassVar[type[Any] | None] = ClusteringRow

    def __attrs_post_init__(self) -> None:
        """Check that there is one number a member."""
        instance("members", self.members, Index, expected="an Index")
        n = len(self.members)
        of = f"each of {counted(n, 'member')}"
        object.__setattr__(self, "degree", counts_column("degree", self.degree, (n,), of=of, most=max(n - 1, 0)))
        object.__setattr__(self, "triangles", counts_column("triangles", self.triangles, (n,), of=of))
        bad = self.triangles > self._pairs()
        if bad.any():
            refuse("triangles", "no more than the pairs of a member's neighbours", self.triangles, bad)

    @property
    def n_triangles(self) -> int:
        """How many triangles there are."""
        return int(self.triangles.sum()) // 3

    @property
    def local(self) -> FloatArray:
        """Share of the pairs of a member's neighbours that are tied, shape (n,); 0 with fewer than two neighbours."""
        pairs = self._pairs()
        return frozen(np.divide(self.triangles, pairs, out=np.zeros(len(pairs)), where=pairs > 0))

    @property
    def mean_local(self) -> float:
        """Mean of `local` over all members (Watts and Strogatz); NaN without members."""
        return float(self.local.mean()) if len(self.members) else float("nan")

    @property
    def transitivity(self) -> float:
        """Share of all pairs of neighbours of one member that are tied; NaN where nobody has two neighbours."""
        pairs = int(self._pairs().sum())
        return int(self.triangles.sum()) / pairs if pairs else float("nan")

    def _pairs(self) -> IntArray:
        """Return how many pairs of neighbours each member has."""
        return self.degree * (self.degree - 1) // 2

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [
            Column(key="member", en="member", zh="成员", values=self.members.labels),
            Column(key="degree", en="neighbours", zh="邻居", values=self.degree, format="count"),
            Column(key="triangles", en="triangles", zh="三角", values=self.triangles, format="count"),
            Column(key="local", en="clustering", zh="聚集系数", values=self.local, format="rate"),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        whole, mean = shown(self.transitivity, "rate"), shown(self.mean_local, "rate")
        if lang == "zh":
            return (f"传递性 {whole}，成员平均 {mean}",)
        return (f"transitivity {whole}, mean of members {mean}",)

    def __repr__(self) -> str:
        """Show how many members and triangles there are."""
        return f"Clustering({counted(len(self.members), 'member')}, {counted(self.n_triangles, 'triangle')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def triangles_of_pairs(both: Neighbours, /) -> IntArray:
    """Return in how many triangles each pair is: how many neighbours its two members have in common.

    Parameters
    ----------
    both : Neighbours
        Symmetric: each pair stands in it twice.

    Returns
    -------
    ndarray of int64, shape (n_pairs,)
        In the order of the entries (member, neighbour) with member < neighbour.

    Examples
    --------
    >>> graph = InteractionGraph.from_ties([0, 1, 2, 2], [1, 2, 0, 3])  # pairs 0-1, 0-2, 1-2, 2-3
    >>> triangles_of_pairs(graph.neighbours()).tolist()
    [1, 1, 1, 0]
    """
    oriented = _Oriented.of(both)
    counts = np.zeros(len(oriented.tail), dtype=np.int64)
    for found in _found_in(oriented):
        for pair in found:
            counts += np.bincount(pair, minlength=len(counts))
    low, high = oriented.member[oriented.tail], oriented.member[oriented.head]
    order = np.lexsort((np.maximum(low, high), np.minimum(low, high)))
    return frozen(counts[order])


class _Oriented(NamedTuple):
    """Each pair once, from the lower to the higher rank by number of neighbours; sorted by (tail, head)."""

    member: IntArray
    """The member of each rank, shape (n,)."""
    offsets: IntArray
    tail: IntArray
    head: IntArray

    @classmethod
    def of(cls, both: Neighbours) -> _Oriented:
        n = len(both.offsets) - 1
        degree = np.diff(both.offsets)
        member = np.argsort(degree, kind="stable").astype(np.int64)
        rank = np.empty(n, dtype=np.int64)
        rank[member] = np.arange(n)
        tail, head = np.repeat(rank, degree), rank[both.neighbour]
        once = tail < head
        key = np.sort(tail[once] * n + head[once])
        tail, head = np.divmod(key, max(n, 1))
        offsets = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=n))]).astype(np.int64)
        return cls(member, offsets, tail, head)

    def corners(self, found: _Found) -> tuple[IntArray, IntArray, IntArray]:
        """Return the three members of each triangle."""
        low, middle, high = self.tail[found.short], self.head[found.short], self.head[found.far]
        return self.member[low], self.member[middle], self.member[high]


class _Found(NamedTuple):
    """Triangles, each by its three pairs: low-middle, low-high and middle-high by rank."""

    short: IntArray
    long: IntArray
    far: IntArray


def _found_in(oriented: _Oriented) -> Iterator[_Found]:
    """Go through all triangles, each once, some at a time."""
    n, (_, offsets, tail, head) = len(oriented.member), oriented
    keys = tail * n + head
    # The third member is above both ends of a pair. What the upper end points to is looked up among what the lower one
    # does: look-ups of one member after the other stay close together in memory, which matters more than their number.
    lengths = np.diff(offsets)[head]
    last = head[offsets[1:][tail] - 1]
    ends = np.cumsum(lengths)
    start = 0
    while start < len(tail):
        done = int(ends[start - 1]) if start else 0
        stop = max(int(np.searchsorted(ends, done + _MOST_AT_ONCE, side="right")), start + 1)
        pair = np.repeat(np.arange(start, stop), lengths[start:stop])
        far = positions_in(offsets[head[start:stop]], lengths[start:stop])
        able = np.flatnonzero(head[far] <= last[pair])
        pair, far = pair[able], far[able]
        wanted = tail[pair] * n + head[far]
        long = np.searchsorted(keys, wanted)
        hit = np.flatnonzero(keys[long] == wanted)
        yield _Found(pair[hit], long[hit], far[hit])
        start = stop
