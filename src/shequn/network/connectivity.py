"""How far has a crowd become a network: single points, lines between them, or a surface (点 → 线 → 面)?"""

from __future__ import annotations

from math import inf, nan
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.table import Tabular
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import InvalidValueError, counted, message
from shequn.graph import InteractionGraph
from shequn.graph.roots import component_roots
from shequn.network.facts import Fact, measures, tidy
from shequn.stats._checks import instance, number_between, one_of, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shequn.columns.table import Column, Lang

__all__ = ["Connectivity", "ConnectivityStage", "connectivity_stage"]

_MOST_MEMBERS = 2**31 - 1  # codes of an index are int32


class ConnectivityStage(Taxonomy):
    """How far a crowd has become a network, from the least to the most.

    References
    ----------
    S1 §二(二), row C12 of the domain table.

    Examples
    --------
    >>> [stage.zh for stage in ConnectivityStage]
    ['点', '线', '面']
    """

    POINTS = "points", "点", "points"
    LINES = "lines", "线", "lines"
    SURFACE = "surface", "面", "surface"


def connectivity_stage(
    graph: InteractionGraph,
    /,
    *,
    max_isolates: float = 0.5,
    min_degree: float = 2.0,
    min_giant: float = 0.5,
) -> Connectivity:
    """Tell how far a crowd has become a network, with the numbers that say so.

    Parameters
    ----------
    graph : InteractionGraph
        A tie links its two members, whichever way it points.
    max_isolates : float, default 0.5
        Share of members without ties above which the crowd is but points.
    min_degree : float, default 2.0
        Mean number of neighbours from which on it can be a surface.
    min_giant : float, default 0.5
        Share of members in the largest component from which on it can be one.

    Returns
    -------
    Connectivity
        The stage and its evidence.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used.

    Notes
    -----
    1. *Points* (点): more than `max_isolates` of the members have no tie, or there are no members.
    2. *Surface* (面): members have at least `min_degree` neighbours on average, and at least `min_giant` of them are in
       one component.
    3. *Lines* (线): anything between.

    n members in chains and trees have fewer than 2 neighbours on average, as n members can be linked by n - 1 pairs. At
    2 there are as many pairs as members: some who talk with each other also do so by another way round, which makes a
    net of lines.

    References
    ----------
    S1 §二(二), rows C7 and C12 of the domain table; Erdős, P. & Rényi, A. (1960). On the evolution of random graphs.
    Publ. Math. Inst. Hung. Acad. Sci. 5, 17-61, for how a giant component appears as the mean degree grows.

    Examples
    --------
    >>> chain = InteractionGraph.from_ties([0, 1, 2], [1, 2, 3])
    >>> connectivity_stage(chain).stage, connectivity_stage(chain).mean_degree
    (<ConnectivityStage.LINES: 'lines'>, 1.5)
    """
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
    n = graph.n_members
    tied = np.zeros(n, dtype=np.bool_)
    tied[graph.source] = tied[graph.target] = True
    sizes = np.bincount(component_roots(n, graph.source, graph.target), minlength=n)
    return Connectivity(
        n_members=n,
        n_pairs=_n_pairs(graph),
        n_isolates=n - int(np.count_nonzero(tied)),
        n_components=int(np.count_nonzero(sizes)),
        n_giant=int(sizes.max(initial=0)),
        max_isolates=max_isolates,
        min_degree=min_degree,
        min_giant=min_giant,
    )


def _n_pairs(graph: InteractionGraph) -> int:
    """Count pairs with a tie one way or both ways."""
    low, high = np.minimum(graph.source, graph.target), np.maximum(graph.source, graph.target)
    key = np.sort(low * graph.n_members + high)
    return int(np.count_nonzero(key[1:] != key[:-1])) + bool(len(key))


@attrs.frozen(kw_only=True, repr=False)
class Connectivity(Tabular[Any]):
    """How connected a community is; made by `connectivity_stage`.

    Parameters
    ----------
    n_members, n_pairs, n_isolates, n_components : int
        Members, pairs who talk, members without ties, and components, those of one member included.
    n_giant : int
        Members of the largest component.
    max_isolates, min_degree, min_giant : float
        What the stage is judged by, as in `connectivity_stage`.

    Examples
    --------
    >>> found = Connectivity(n_members=5, n_pairs=4, n_isolates=1, n_components=2, n_giant=4)
    >>> print(found.table(lang="zh"))
    连接阶段：线
    指标               数值
    ───────────────────────
    成员                  5
    有往来的成员对        4
    孤立成员              1
    孤立成员占比      20.0%
    人均往来人数       1.60
    密度              40.0%
    连通分支              2
    最大连通分支          4
    最大连通分支占比  80.0%
    """

    n_members: int
    n_pairs: int
    n_isolates: int
    n_components: int
    n_giant: int
    max_isolates: float = 0.5
    min_degree: float = 2.0
    min_giant: float = 0.5

    def __attrs_post_init__(self) -> None:
        """Check that no part is larger than the whole."""
        n = _count("n_members", self.n_members, _MOST_MEMBERS, "a number of members in [0, 2**31)")
        n_pairs = n * (n - 1) // 2
        object.__setattr__(self, "n_members", n)
        for name, most in (("n_pairs", n_pairs), ("n_isolates", n), ("n_components", n), ("n_giant", n)):
            expected = f"a number from 0 to {most}, there being {counted(n, 'member')}"
            object.__setattr__(self, name, _count(name, getattr(self, name), most, expected))
        for name, end in (("max_isolates", 1.0), ("min_degree", inf), ("min_giant", 1.0)):
            object.__setattr__(self, name, number_between(name, getattr(self, name), 0, end))

    @property
    def isolates_share(self) -> float:
        """Share of members without ties; NaN without members."""
        return self.n_isolates / self.n_members if self.n_members else nan

    @property
    def mean_degree(self) -> float:
        """Mean number of neighbours of a member; NaN without members."""
        return 2 * self.n_pairs / self.n_members if self.n_members else nan

    @property
    def density(self) -> float:
        """Share of all possible pairs who talk; NaN with fewer than two members."""
        possible = self.n_members * (self.n_members - 1) // 2
        return self.n_pairs / possible if possible else nan

    @property
    def giant_share(self) -> float:
        """Share of members in the largest component; NaN without members."""
        return self.n_giant / self.n_members if self.n_members else nan

    @property
    def stage(self) -> ConnectivityStage:
        """Points, lines or surface."""
        if not self.n_members or self.isolates_share > self.max_isolates:
            return ConnectivityStage.POINTS
        if self.mean_degree >= self.min_degree and self.giant_share >= self.min_giant:
            return ConnectivityStage.SURFACE
        return ConnectivityStage.LINES

    def explain(self, *, lang: Lang = "en") -> str:
        """Say why it is this stage.

        Examples
        --------
        >>> Connectivity(n_members=5, n_pairs=4, n_isolates=1, n_components=2, n_giant=4).explain()
        'lines: 20.0% without ties (points above 50.0%), 1.60 neighbours on average and 80.0% in ...'
        """
        one_of("lang", lang, ("en", "zh"))
        if not self.n_members:
            return "points: no members" if lang == "en" else "点：没有成员"
        isolates, giant = f"{self.isolates_share:.1%}", f"{self.giant_share:.1%}"
        if lang == "zh":
            return (
                f"{self.stage.zh}：{isolates} 的成员没有任何往来（超过 {self.max_isolates:.1%} 为点）；"
                f"平均每人与 {self.mean_degree:.2f} 人往来，{giant} 的成员在最大的连通分支中"
                f"（分别达到 {self.min_degree:.2f} 人和 {self.min_giant:.1%} 为面）"
            )
        return (
            f"{self.stage.en}: {isolates} without ties (points above {self.max_isolates:.1%}), "
            f"{self.mean_degree:.2f} neighbours on average and {giant} in the largest component "
            f"(surface from {self.min_degree:.2f} and {self.min_giant:.1%} on)"
        )

    def _facts(self) -> list[Fact]:
        return [
            Fact("members", "members", "成员", "count", (self.n_members,)),
            Fact("pairs", "pairs who talk", "有往来的成员对", "count", (self.n_pairs,)),
            Fact("isolates", "without ties", "孤立成员", "count", (self.n_isolates,)),
            Fact("isolates_share", "share without ties", "孤立成员占比", "rate", (self.isolates_share,)),
            Fact("mean_degree", "neighbours on average", "人均往来人数", "number", (self.mean_degree,)),
            Fact("density", "density", "密度", "rate", (self.density,)),
            Fact("components", "components", "连通分支", "count", (self.n_components,)),
            Fact("giant", "in the largest component", "最大连通分支", "count", (self.n_giant,)),
            Fact("giant_share", "share in it", "最大连通分支占比", "rate", (self.giant_share,)),
        ]

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        return measures(self._facts(), lang, _VALUE)

    def _tidy(self) -> Sequence[Column]:
        return tidy(self._facts(), _VALUE)

    def _title(self, lang: Lang, /) -> str:
        return f"连接阶段：{self.stage.zh}" if lang == "zh" else f"connectivity: {self.stage.en}"

    def __repr__(self) -> str:
        """Show the stage and the size."""
        members, pairs = counted(self.n_members, "member"), counted(self.n_pairs, "pair")
        return f"Connectivity({self.stage.en}, {members}, {pairs})"


def _count(argument: str, value: object, most: int, expected: str) -> int:
    number = whole(argument, value)
    if not 0 <= number <= most:
        raise InvalidValueError(message(argument, expected, value))
    return number


_VALUE = (("value", "value", "数值"),)
