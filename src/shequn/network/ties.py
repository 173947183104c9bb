"""With how many does each member talk, how much, and do those they talk to talk back?"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import counted
from shequn.graph import InteractionGraph
from shequn.labels import Index
from shequn.stats._checks import counts_column, instance, reals_column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.table import Format, Lang
    from shequn.labels import Label

__all__ = ["DegreeRow", "Degrees", "degrees", "reciprocity", "returned", "sums"]


def degrees(graph: InteractionGraph, /) -> Degrees:
    """Count whom each member talks to and who talks to them, and how much.

    Parameters
    ----------
    graph : InteractionGraph

    Returns
    -------
    Degrees
        One row a member.

    Raises
    ------
    InvalidTypeError
        `graph` is no InteractionGraph.

    References
    ----------
    Freeman, L. C. (1978). Centrality in social networks: conceptual clarification. Social Networks 1, 215-239.
    https://doi.org/10.1016/0378-8733(78)90021-7

    Examples
    --------
    >>> found = degrees(InteractionGraph.from_ties([0, 1, 2], [1, 0, 1], [3, 1, 2]))
    >>> found.n_out.tolist(), found.n_in.tolist(), found.n_both.tolist(), found.received.tolist()
    ([1, 1, 1], [1, 2, 0], [1, 2, 1], [1, 5, 0])
    """
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
    n = graph.n_members
    n_out, n_in = (np.bincount(codes, minlength=n) for codes in (graph.source, graph.target))
    # A pair with ties both ways is one neighbour; each of its two returned ties ends at one of the two.
    n_mutual = np.bincount(graph.target[returned(graph)], minlength=n)
    return Degrees(
        members=graph.members,
        n_out=n_out,
        n_in=n_in,
        n_both=n_out + n_in - n_mutual,
        sent=sums(graph.source, graph.weight, n),
        received=sums(graph.target, graph.weight, n),
    )


def sums(codes: IntArray, weight: NDArray[Any], n: int, /) -> NDArray[Any]:
    """Return the sum of the weights of each code, shape (n,); of whole numbers exactly.

    Examples
    --------
    >>> sums(np.array([0, 2, 0]), np.array([1, 5, 2]), 3).tolist()
    [3, 0, 5]
    """
    total = np.zeros(n, dtype=weight.dtype)
    np.add.at(total, codes, weight)
    return total


def reciprocity(graph: InteractionGraph, /) -> float:
    """Return the share of ties that are returned: of those somebody talks to, how many talk back.

    Parameters
    ----------
    graph : InteractionGraph

    Returns
    -------
    float
        In [0, 1]; NaN without ties.

    Raises
    ------
    InvalidTypeError
        `graph` is no InteractionGraph.

    References
    ----------
    Row C7 of the domain table; Newman, M. E. J., Forrest, S. & Balthrop, J. (2002). Email networks and the spread of
    computer viruses. Physical Review E 66, 035101. https://doi.org/10.1103/PhysRevE.66.035101

    Examples
    --------
    >>> reciprocity(InteractionGraph.from_ties([0, 1, 1, 2], [1, 0, 2, 0]))
    0.5
    """
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
    return int(np.count_nonzero(returned(graph))) / graph.n_ties if graph.n_ties else nan


def returned(graph: InteractionGraph, /) -> BoolArray:
    """Return which ties have one in the other direction, shape (n_ties,).

    Examples
    --------
    >>> returned(InteractionGraph.from_ties([0, 1, 1], [1, 0, 2])).tolist()
    [True, True, False]
    """
    key = np.minimum(graph.source, graph.target) * graph.n_members + np.maximum(graph.source, graph.target)
    order = np.argsort(key)  # of a pair that talks both ways the two ties stand side by side
    again = np.flatnonzero(key[order[1:]] == key[order[:-1]])
    found = np.zeros(graph.n_ties, dtype=np.bool_)
    found[order[again]] = found[order[again + 1]] = True
    return frozen(found)


class DegreeRow(NamedTuple):
    """One member; the names are those of `Degrees`.

    Examples
    --------
    >>> DegreeRow("ann", 1, 0, 1, 3, 0).n_both
    1
    """

    member: Label
    n_out: int
    n_in: int
    n_both: int
    sent: float
    received: float


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Degrees(Tabular[DegreeRow]):
    """How many each member talks with, and how much; made by `degrees`.

    Parameters
    ----------
    members : Index
        The n members.
    n_out, n_in, n_both : ndarray of int64, shape (n,)
        Members they talk to, members who talk to them, and members of either kind, each once.
    sent, received : ndarray of int64 or float64, shape (n,)
        Weight of their ties to others, and of others' to them.

    Examples
    --------
    >>> print(
    ...     Degrees(
    ...         members=Index(["ann", "bo"]), n_out=[1, 0], n_in=[0, 1], n_both=[1, 1], sent=[3, 0], received=[0, 3]
    ...     )
    ... )
    member  talks to  talked to by  neighbours  sent  received
    ──────────────────────────────────────────────────────────
    ann            1             0           1     3         0
    bo             0             1           1     0         3
    """

    members: Index
    n_out: IntArray
    n_in: IntArray
    n_both: IntArray
    sent: NDArray[Any]
    received: NDArray[Any]

    _Row: ClassVar[type[Any] | None] = DegreeRow

    def __attrs_post_init__(self) -> None:
        """Check that there is one number a member."""
        instance("members", self.members, Index, expected="an Index")
        n = len(self.members)
        of, others = f"each of {counted(n, 'member')}", max(n - 1, 0)
        for name in ("n_out", "n_in", "n_both"):
            object.__setattr__(self, name, counts_column(name, getattr(self, name), (n,), of=of, most=others))
        for name in ("sent", "received"):
            amounts = reals_column(name, getattr(self, name), (n,), of=of, least=0, whole_too=True)
            object.__setattr__(self, name, amounts)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        amount: Format = "count" if self.sent.dtype.kind == "i" else "number"
        return [
            Column(key="member", en="member", zh="成员", values=self.members.labels),
            Column(key="n_out", en="talks to", zh="联系人数", values=self.n_out, format="count"),
            Column(key="n_in", en="talked to by", zh="被联系人数", values=self.n_in, format="count"),
            Column(key="n_both", en="neighbours", zh="邻居", values=self.n_both, format="count"),
            Column(key="sent", en="sent", zh="发出", values=self.sent, format=amount),
            Column(key="received", en="received", zh="收到", values=self.received, format=amount),
        ]

    def __repr__(self) -> str:
        """Show how many members there are."""
        return f"Degrees({counted(len(self.members), 'member')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
