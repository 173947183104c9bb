"""Which members hang together? The connected components of a network, whichever way the ties point."""

from __future__ import annotations

import numpy as np

from shequn.columns.readonly import frozen
from shequn.graph import InteractionGraph
from shequn.graph.roots import component_roots
from shequn.labels import Assignment, Index
from shequn.stats._checks import instance

__all__ = ["components"]


def components(graph: InteractionGraph, /) -> Assignment:
    """Find the connected components: within one, everybody is linked to everybody over some chain of ties.

    Parameters
    ----------
    graph : InteractionGraph
        A tie links its two members, whichever way it points.

    Returns
    -------
    Assignment
        The component of each member. Components are numbered 0, 1, … from the largest to the smallest, of equal ones
        that of the earlier member first. A member without ties is a component of one.

    Raises
    ------
    InvalidTypeError
        `graph` is no InteractionGraph.

    Notes
    -----
    Each round every component joins the lowest-numbered one it touches, so that the number of those that can still grow
    halves at least, and there are at most log₂ n rounds (Borůvka), each a few passes over the ties that are left.

    References
    ----------
    Row C7 of the domain table; Nešetřil, J., Milková, E. & Nešetřilová, H. (2001). Otakar Borůvka on minimum spanning
    tree problem. Discrete Mathematics 233, 3-36. https://doi.org/10.1016/S0012-365X(00)00224-7

    Examples
    --------
    >>> graph = InteractionGraph.from_ties([0, 1, 4], [1, 2, 3], n_members=6)
    >>> components(graph).codes.tolist()
    [0, 0, 0, 1, 1, 2]
    """
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
    root = component_roots(graph.n_members, graph.source, graph.target)
    sizes = np.bincount(root, minlength=graph.n_members)
    found = np.flatnonzero(sizes)
    number = np.empty(graph.n_members, dtype=np.int32)
    number[found[np.argsort(-sizes[found], kind="stable")]] = np.arange(len(found), dtype=np.int32)
    numbers = Index(np.arange(len(found)))
    return Assignment(members=graph.members, codes=frozen(number[root]), segments=numbers)
