"""What would be left without the soul figure (灵魂人物)? The removal test."""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.numbers import exact_sum
from shequn.columns.table import Tabular
from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.graph import InteractionGraph
from shequn.graph.roots import component_roots
from shequn.labels import Index
from shequn.network._concentration import ContributionShares, concentration
from shequn.network.facts import Fact, measures, shown, tidy
from shequn.network.ties import sums
from shequn.network.whom import mask_of
from shequn.stats._checks import instance, is_integer, items_of, number, number_between, one_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.table import Column, Lang
    from shequn.labels import Label

__all__ = ["Cohesion", "Dependence", "degree_centralisation", "dependence"]

_MOST_MEMBERS = 2**31 - 1  # codes of an index are int32


def dependence(
    graph: InteractionGraph, /, *, who: Label | Iterable[Label] | BoolArray | None = None, top: int = 1
) -> Dependence:
    """Take the soul figure out of a community, and tell what that does to the others.

    Parameters
    ----------
    graph : InteractionGraph
        Of replies, so that who is talked to is answered.
    who : label, labels or mask, optional
        Who leaves. By default the `top` members with most talk, to them and from them; of equal ones the earlier.
    top : int, default 1
        How many leave together where `who` doesn't say.

    Returns
    -------
    Dependence
        The others with them and without them.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        An argument can't be used.
    UnknownLabelError
        `who` names somebody who is no member.

    Notes
    -----
    All shares are of the *others*, those who stay, before and after:

    - largest component: how many of them are in the largest component of the graph,
    - reply cover: how many are talked to by at least one member,
    - talk: weight of all ties before, and of those among the others after.

    Degree centralisation is Freeman's, of the whole graph before and of the others' after.

    References
    ----------
    Row C13 of the domain table; Freeman, L. C. (1978). Centrality in social networks: conceptual clarification. Social
    Networks 1, 215-239. https://doi.org/10.1016/0378-8733(78)90021-7; Albert, R., Jeong, H. & Barabási, A.-L. (2000).
    Error and attack tolerance of complex networks. Nature 406, 378-382. https://doi.org/10.1038/35019019, for the
    removal test.

    Examples
    --------
    >>> star = InteractionGraph.from_ties([0, 0, 0, 1, 2], [1, 2, 3, 0, 1])
    >>> print(dependence(star))
    without 0
    measure                          before  after  change
    ──────────────────────────────────────────────────────
    others in the largest component       3      2      -1
    share of the others              100.0%  66.7%  -33.3%
    talk                                  5      1      -4
    others who are answered               3      1      -2
    reply cover                      100.0%  33.3%  -66.7%
    degree centralisation              0.67   0.50   -0.17
    they have a part in 80.0% of the talk: more than all others together
    """
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
    n_top = whole("top", top)
    if n_top < 1:
        raise InvalidValueError(message("top", "at least 1", top))
    leaves = mask_of(who, graph.members, argument="who")
    if who is None:
        leaves = _most_talk(graph, n_top)
    stays = ~leaves
    among = stays[graph.source] & stays[graph.target]
    return Dependence(
        who=tuple(graph.members.take(leaves)),
        before=_cohesion(graph, stays, np.ones(graph.n_ties, dtype=np.bool_), np.ones(graph.n_members, dtype=np.bool_)),
        after=_cohesion(graph, stays, among, stays),
        said=concentration(sums(graph.source, graph.weight, graph.n_members)),
    )


def _most_talk(graph: InteractionGraph, top: int) -> BoolArray:
    """Return who has most talk; who has none is nobody's soul."""
    talk = sums(graph.source, graph.weight, graph.n_members) + sums(graph.target, graph.weight, graph.n_members)
    chosen = np.argsort(-talk, kind="stable")[:top]
    mask = np.zeros(graph.n_members, dtype=np.bool_)
    mask[chosen[talk[chosen] > 0]] = True
    return mask


def _cohesion(graph: InteractionGraph, others: BoolArray, ties: BoolArray, there: BoolArray) -> Cohesion:
    """Return how the others fare with some of the ties, among the members who are there."""
    source, target = graph.source[ties], graph.target[ties]
    root = component_roots(graph.n_members, source, target)
    sizes = np.bincount(root[there], minlength=graph.n_members)
    in_giant = (root == int(sizes.argmax())) & others if sizes.any() else np.zeros(len(others), dtype=np.bool_)
    answered = np.zeros(graph.n_members, dtype=np.bool_)
    answered[target] = True
    return Cohesion(
        n_others=int(others.sum()),
        n_giant=int(in_giant.sum()),
        n_answered=int((answered & others).sum()),
        talk=exact_sum(graph.weight[ties], argument="weight"),
        centralisation=_centralisation(_neighbours(graph.n_members, source, target)[there]),
    )


def _neighbours(n: int, source: IntArray, target: IntArray) -> IntArray:
    """Return how many neighbours each member has."""
    key = np.sort(np.minimum(source, target) * n + np.maximum(source, target))
    if len(key):
        key = key[np.concatenate([[True], key[1:] != key[:-1]])]
    low, high = np.divmod(key, max(n, 1))
    return np.bincount(low, minlength=n) + np.bincount(high, minlength=n)


def degree_centralisation(graph: InteractionGraph, /) -> float:
    r"""Return how much a network is built around one member: 1 for a star, 0 where all have as many neighbours.

    Parameters
    ----------
    graph : InteractionGraph
        A tie links its two members, whichever way it points.

    Returns
    -------
    float
        In [0, 1]; NaN with fewer than three members.

    Raises
    ------
    InvalidTypeError
        `graph` is no InteractionGraph.

    Notes
    -----
    :math:`\sum_i (k_{\max} - k_i) / ((n - 1)(n - 2))` over the numbers of neighbours k; the divisor is what a star has.

    References
    ----------
    Row C13 of the domain table; Freeman, L. C. (1978). Centrality in social networks: conceptual clarification. Social
    Networks 1, 215-239. https://doi.org/10.1016/0378-8733(78)90021-7

    Examples
    --------
    >>> degree_centralisation(InteractionGraph.from_ties([0, 0, 0], [1, 2, 3]))
    1.0
    """
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
    return _centralisation(_neighbours(graph.n_members, graph.source, graph.target))


def _centralisation(degree: IntArray) -> float:
    n = len(degree)
    return (n * int(degree.max()) - int(degree.sum())) / ((n - 1) * (n - 2)) if n > 2 else nan  # noqa: PLR2004


@attrs.frozen(kw_only=True)
class Cohesion:
    """How some members, the others, hold together; a part of `Dependence`.

    Parameters
    ----------
    n_others : int
        How many they are.
    n_giant, n_answered : int
        How many of them are in the largest component, and how many somebody talks to.
    talk : int or float
        Weight of the ties that are there.
    centralisation : float
        Freeman's degree centralisation of the graph that is there; NaN with fewer than three members.

    Examples
    --------
    >>> Cohesion(n_others=4, n_giant=3, n_answered=2, talk=10, centralisation=0.5).reply_cover
    0.5
    """

    n_others: int
    n_giant: int
    n_answered: int
    talk: float
    centralisation: float

    def __attrs_post_init__(self) -> None:
        """Check that no part is larger than the whole."""
        for name in ("n_others", "n_giant", "n_answered"):
            value, most = whole(name, getattr(self, name)), _MOST_MEMBERS if name == "n_others" else self.n_others
            if not 0 <= value <= most:
                raise InvalidValueError(message(name, f"a number from 0 to {most}", value))
            object.__setattr__(self, name, value)
        amount = number_between("talk", self.talk, 0)
        object.__setattr__(self, "talk", whole("talk", self.talk) if is_integer(self.talk) else amount)
        share = number("centralisation", self.centralisation)
        object.__setattr__(
            self, "centralisation", share if isnan(share) else number_between("centralisation", share, 0, 1)
        )

    @property
    def giant_share(self) -> float:
        """Share of the others in the largest component; NaN without others."""
        return self.n_giant / self.n_others if self.n_others else nan

    @property
    def reply_cover(self) -> float:
        """Share of the others whom somebody talks to; NaN without others."""
        return self.n_answered / self.n_others if self.n_others else nan


def _labels(who: Iterable[Label]) -> tuple[Label, ...]:
    return tuple(Index(items_of("who", who, expected="labels of members"), argument="who"))


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Dependence(Tabular[Any]):
    """What a community loses when some members leave; made by `dependence`.

    Parameters
    ----------
    who : tuple of labels
        Who leaves.
    before, after : Cohesion
        The others with them, and without them.
    said : ContributionShares
        How unevenly all members talk.

    Examples
    --------
    >>> found = dependence(InteractionGraph.from_ties([0, 0, 1, 2], [1, 2, 0, 3]), who=0)
    >>> found.talk_share, found.exceeds_community, found.after.giant_share, found.said.absence_factor
    (0.75, True, 0.6666666666666666, 2)
    """

    who: tuple[Label, ...] = attrs.field(converter=_labels)
    before: Cohesion
    after: Cohesion
    said: ContributionShares

    def __attrs_post_init__(self) -> None:
        """Check that before and after are of the same others."""
        for name in ("before", "after"):
            instance(name, getattr(self, name), Cohesion, expected="a Cohesion")
        instance("said", self.said, ContributionShares, expected="ContributionShares")
        if self.before.n_others != self.after.n_others:
            expected = f"the {self.before.n_others} others of before"
            raise MisalignedError(message("after", expected, f"{self.after.n_others} others"))

    @property
    def talk_share(self) -> float:
        """Share of all talk that they say or are told; NaN without talk."""
        return (self.before.talk - self.after.talk) / self.before.talk if self.before.talk else nan

    @property
    def exceeds_community(self) -> bool:
        """Whether the personal effect exceeds the community's (个人效应超过社群效应): most talk is with them."""
        return self.before.talk - self.after.talk > self.after.talk

    def explain(self, *, lang: Lang = "en") -> str:
        """Say in one sentence how much depends on them.

        Examples
        --------
        >>> dependence(InteractionGraph.from_ties([0, 0, 1, 2], [1, 2, 0, 3]), who=0).explain(lang="zh")
        '参与全部交流的 75.0%：超过其余所有人之和'
        """
        one_of("lang", lang, ("en", "zh"))
        if not self.before.talk:
            return "没有交流" if lang == "zh" else "nobody talks"
        share = f"{self.talk_share:.1%}"
        if lang == "zh":
            return f"参与全部交流的 {share}：{'超过' if self.exceeds_community else '不超过'}其余所有人之和"
        than = "more" if self.exceeds_community else "no more"
        return f"they have a part in {share} of the talk: {than} than all others together"

    def _facts(self) -> list[Fact]:
        was, now = self.before, self.after
        return [
            Fact(
                "giant",
                "others in the largest component",
                "其余成员在最大连通分支",
                "count",
                (was.n_giant, now.n_giant),
            ),
            Fact("giant_share", "share of the others", "占其余成员", "rate", (was.giant_share, now.giant_share)),
            Fact("talk", "talk", "交流量", "count", (was.talk, now.talk)),
            Fact("answered", "others who are answered", "其余成员获回应", "count", (was.n_answered, now.n_answered)),
            Fact("reply_cover", "reply cover", "回应覆盖率", "rate", (was.reply_cover, now.reply_cover)),
            Fact(
                "centralisation",
                "degree centralisation",
                "度中心势",
                "number",
                (was.centralisation, now.centralisation),
            ),
        ]

    def _with_change(self) -> list[Fact]:
        return [fact._replace(values=(*fact.values, fact.values[1] - fact.values[0])) for fact in self._facts()]

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        return measures(self._with_change(), lang, _VALUES)

    def _tidy(self) -> Sequence[Column]:
        return tidy(self._with_change(), _VALUES)

    def _title(self, lang: Lang, /) -> str:
        named = ", ".join(map(str, self.who[:_MOST_NAMED])) + (", …" if len(self.who) > _MOST_NAMED else "")
        if not self.who:
            return "无人离开" if lang == "zh" else "nobody leaves"
        return f"若 {named} 离开" if lang == "zh" else f"without {named}"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        return (self.explain(lang=lang),)

    def __repr__(self) -> str:
        """Show how many leave, and their share of the talk."""
        return f"Dependence(without {counted(len(self.who), 'member')}, {shown(self.talk_share, 'rate')} of the talk)"


_MOST_NAMED = 6
_VALUES = (("before", "before", "之前"), ("after", "after", "之后"), ("change", "change", "变化"))
