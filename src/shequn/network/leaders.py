"""Who could lead each group out of its own ranks (草根领袖)?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError, counted, message
from shequn.graph import InteractionGraph
from shequn.labels import Assignment, Index
from shequn.network.centrality import pagerank
from shequn.network.cores import core_numbers
from shequn.network.succession import Succession, succession_of
from shequn.network.whom import mask_of
from shequn.stats._checks import counts_column, instance, one_of, reals_column, refuse, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["LeaderRow", "Leaders", "grassroots_leaders"]

_NAMED = 3


def grassroots_leaders(
    graph: InteractionGraph,
    /,
    *,
    exclude: Label | Iterable[Label] | BoolArray | None = None,
    groups: Assignment | Mapping[Label, Label | None] | None = None,
    top: int = 3,
    relevance: ArrayLike | None = None,
    reach: ArrayLike | None = None,
) -> Leaders:
    r"""Find in each group those members whom others turn to and who answer, without staff, owners and bots.

    Parameters
    ----------
    graph : InteractionGraph
        Of replies: source answers target.
    exclude : label, labels or mask, optional
        Who can't be chosen: staff, owners, the present core, bots. Their ties don't count, nor do those to them: the
        question is to whom members turn without them.
    groups : Assignment or mapping, optional
        The group of each member; only ties inside a group count. By default all are one group.
    top : int, default 3
        How many to name in a group, at most.
    relevance : array_like of numbers, shape (n_members,), optional
        How much each knows of what the group is about, 0 or more; by default 1.
    reach : array_like of numbers, shape (n_members,), optional
        How far each gets, 0 or more; by default the share of the group whom they answered.

    Returns
    -------
    Leaders
        The leaders of each group, the first one first, with the evidence.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
        An argument can't be used.

    Notes
    -----
    Members are ranked by authority × relevance × reach, of equal ones the earlier first, and only those above 0 are
    named. Authority is `pagerank` of the ties that count, divided by its mean in the group: 1 is a member like any
    other. So who is asked much and never answers is no leader, nor is who answers and is not turned to more than
    anybody, unless they reach far.

    References
    ----------
    S1 §四(一), row C14 of the domain table.

    Examples
    --------
    >>> replies = InteractionGraph.from_ties([0, 1, 1, 1, 2, 3, 4], [1, 2, 3, 4, 1, 1, 0], n_members=5)
    >>> found = grassroots_leaders(replies, exclude=[0], top=1)
    >>> print(found)
    group  #  member  score  authority  relevance  reach  core  answered  answered by
    ─────────────────────────────────────────────────────────────────────────────────
    all    1       1   1.65       1.65       1.00   1.00     1         3            2
    >>> found.explain(1)
    '1: 1 of 4 in all by PageRank, core number 1, answered 3 members (most often 2, 3, 4), answered by 2'
    """
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
    n_top = whole("top", top)
    if n_top < 1:
        raise InvalidValueError(message("top", "at least 1", top))
    chosen_from = ~mask_of(exclude, graph.members, argument="exclude")
    placed = _everybody(graph.members) if groups is None else _placed(groups, graph.members)
    group = np.where(chosen_from, placed.codes, -1).astype(np.int64)
    inside = _inside(graph, group)
    n_groups = len(placed.segments)

    authority = _authority(inside, group, n_groups)
    n_out = np.bincount(inside.source, minlength=len(group))
    sizes = np.bincount(group[group >= 0], minlength=n_groups)
    others = np.where(group >= 0, sizes[group] - 1, 0) if n_groups else np.zeros(len(group), dtype=np.int64)
    answered_share = np.divide(n_out, others, out=np.zeros(len(group)), where=others > 0)
    relevances = np.ones(len(group)) if relevance is None else _amounts("relevance", relevance, len(group))
    reaches = answered_share if reach is None else _amounts("reach", reach, len(group))
    score = _score(authority, relevances, reaches)

    members, place = _first_of_each(score, group, n_top)
    return Leaders(
        members=graph.members,
        groups=placed.segments,
        group=group[members],
        member=members,
        place=place,
        authority=authority[members],
        relevance=relevances[members],
        reach=reaches[members],
        rank=_rank_within(authority, group)[members],
        core=core_numbers(inside)[members],
        answered=n_out[members],
        answered_by=np.bincount(inside.target, minlength=len(group))[members],
        most=_most_answered(inside, members),
        succession=succession_of(inside, group, placed.segments, members),
    )


def _everybody(members: Index) -> Assignment:
    return Assignment(members=members, codes=np.zeros(len(members), dtype=np.int32), segments=Index(["all"]))


def _placed(groups: Assignment | Mapping[Label, Label | None], members: Index) -> Assignment:
    if isinstance(groups, Assignment):
        members.require_aligned(groups.members, argument="groups")
        return groups
    if not hasattr(groups, "items"):
        raise InvalidTypeError(message("groups", "an Assignment or a mapping of member to group", groups))
    told = Assignment.from_mapping(groups)
    # Members without names go by their numbers, which `align` doesn't.
    places = members.places_of(told.members)
    codes = np.full(len(members), -1, dtype=np.int32)
    codes[places[places >= 0]] = told.codes[places >= 0]
    return Assignment(members=members, codes=codes, segments=told.segments)


def _inside(graph: InteractionGraph, group: IntArray) -> InteractionGraph:
    """Return the ties within a group."""
    kept = np.flatnonzero((group[graph.source] == group[graph.target]) & (group[graph.source] >= 0))
    return InteractionGraph(
        members=graph.members, source=graph.source[kept], target=graph.target[kept], weight=graph.weight[kept]
    )


def _authority(inside: InteractionGraph, group: IntArray, n_groups: int) -> FloatArray:
    """Return how much others in the group turn to each member, on average 1; 0 for who is in none."""
    score = pagerank(inside).score
    placed = group >= 0
    sizes = np.bincount(group[placed], minlength=n_groups)
    sums = np.bincount(group[placed], weights=score[placed], minlength=n_groups)
    authority = np.zeros(len(group))
    authority[placed] = score[placed] * (sizes / np.where(sums > 0, sums, 1.0))[group[placed]]
    return authority


def _amounts(argument: str, values: ArrayLike, n: int) -> FloatArray:
    return reals_column(argument, values, (n,), of=f"each of {counted(n, 'member')}", least=0)


def _score(authority: FloatArray, relevance: FloatArray, reach: FloatArray) -> FloatArray:
    """Return the product of the three factors of each."""
    with np.errstate(over="ignore"):
        score = authority * relevance * reach
    bad = ~np.isfinite(score)
    if bad.any():
        refuse("relevance, reach", "numbers whose product with the authority is finite", score, bad)
    return score


def _first_of_each(score: FloatArray, group: IntArray, top: int) -> tuple[IntArray, IntArray]:
    """Return the members with the highest scores of each group, group by group, and their places from 1 on."""
    able = np.flatnonzero((group >= 0) & (score > 0))
    order = able[np.lexsort((-score[able], group[able]))]
    place = _place_in_runs(group[order])
    named = place <= top
    return order[named], place[named]


def _place_in_runs(values: IntArray) -> IntArray:
    """Return 1, 2, … within each run of equal values."""
    at = np.arange(len(values), dtype=np.int64)
    starts = np.concatenate([np.ones(min(len(values), 1), dtype=np.bool_), values[1:] != values[:-1]])
    return at - np.maximum.accumulate(np.where(starts, at, 0)) + 1 if len(values) else at


def _rank_within(authority: FloatArray, group: IntArray) -> IntArray:
    order = np.lexsort((-authority, group))
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = _place_in_runs(group[order])
    return rank


def _most_answered(inside: InteractionGraph, members: IntArray) -> IntArray:
    """Return whom each leader answered most often, shape (m, 3), -1 where there is nobody."""
    row_of = np.full(inside.n_members, -1, dtype=np.int64)
    row_of[members] = np.arange(len(members))
    ties = np.flatnonzero(row_of[inside.source] >= 0)
    rows = row_of[inside.source[ties]]
    order = np.lexsort((-inside.weight[ties], rows))
    rows, targets = rows[order], inside.target[ties[order]]
    place = _place_in_runs(rows)
    named = place <= _NAMED
    most = np.full((len(members), _NAMED), -1, dtype=np.int64)
    most[rows[named], place[named] - 1] = targets[named]
    return most


class LeaderRow(NamedTuple):
    """One leader; the names are those of `Leaders`.

    Examples
    --------
    >>> LeaderRow("g1", 1, "ann", 0.9, 1.8, 1.0, 0.5, 1, 3, 12, 9).member
    'ann'
    """

    group: Label
    place: int
    member: Label
    score: float
    authority: float
    relevance: float
    reach: float
    rank: int
    core: int
    answered: int
    answered_by: int


def _member(member: ArrayLike) -> IntArray:
    return counts_column("member", member, (-1,), of="each leader")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Leaders(Tabular[LeaderRow]):
    """Grassroots leaders of each group, and why; made by `grassroots_leaders`, where the ranking is defined.

    Parameters
    ----------
    members : Index
        All members.
    groups : Index
        All groups.
    group, member : ndarray of int64, shape (m,)
        Group and member of each leader, by code; group by group, the first leader first.
    place : ndarray of int64, shape (m,)
        Place among the leaders of the group, from 1 on.
    authority, relevance, reach : ndarray of float64, shape (m,)
        The three factors of the score.
    rank : ndarray of int64, shape (m,)
        Place in the group by authority alone, among those who can be chosen.
    core : ndarray of int64, shape (m,)
        Core number, over the ties that count.
    answered, answered_by : ndarray of int64, shape (m,)
        Members of the group whom they answered, and who answered them.
    most : ndarray of int64, shape (m, 3)
        Codes of those they answered most often; -1 where there are fewer.
    succession : Succession
        Whom the leaders reach, and whom still without one of them.

    Examples
    --------
    >>> replies = InteractionGraph.from_ties([0, 1, 2, 3, 3], [1, 0, 0, 2, 0])
    >>> found = grassroots_leaders(replies, groups={0: "a", 1: "a", 2: "b", 3: "b"}, top=1)
    >>> found, [row.member for row in found.rows()], found.of("a")
    (Leaders(2 groups, 2 leaders), [0, 3], (0,))
    """

    members: Index
    groups: Index
    group: IntArray
    member: IntArray = attrs.field(converter=_member)
    place: IntArray
    authority: FloatArray
    relevance: FloatArray
    reach: FloatArray
    rank: IntArray
    core: IntArray
    answered: IntArray
    answered_by: IntArray
    most: IntArray
    succession: Succession

    _Row: ClassVar[type[Any] | None] = LeaderRow

    def __attrs_post_init__(self) -> None:
        """Check that there is one entry a leader."""
        instance("members", self.members, Index, expected="an Index")
        instance("groups", self.groups, Index, expected="an Index")
        instance("succession", self.succession, Succession, expected="a Succession")
        self.groups.require_aligned(self.succession.groups, argument="succession")
        m, n = self.member.size, len(self.members)
        of = f"each of {counted(m, 'leader')}"
        counts = {"group": (0, len(self.groups) - 1), "member": (0, n - 1), "place": (1, m), "rank": (1, n)}
        counts |= dict.fromkeys(("core", "answered", "answered_by"), (0, max(n - 1, 0)))
        for name, (least, most) in counts.items():
            column = counts_column(name, getattr(self, name), (m,), of=of, least=least, most=most)
            object.__setattr__(self, name, column)
        for name in ("authority", "relevance", "reach"):
            object.__setattr__(self, name, reals_column(name, getattr(self, name), (m,), of=of, least=0))
        _score(self.authority, self.relevance, self.reach)
        most_answered = counts_column("most", self.most, (m, _NAMED), of=of, least=-1, most=n - 1)
        object.__setattr__(self, "most", most_answered)

    @property
    def score(self) -> FloatArray:
        """Authority × relevance × reach, shape (m,)."""
        return frozen(_score(self.authority, self.relevance, self.reach))

    def __len__(self) -> int:
        """Return the number of leaders."""
        return len(self.member)

    @property
    def mask(self) -> BoolArray:
        """Which members were found, shape (n_members,); what `sharding` takes as leaders."""
        mask = np.zeros(len(self.members), dtype=np.bool_)
        mask[self.member] = True
        return frozen(mask)

    def of(self, group: Label, /) -> tuple[Label, ...]:
        """Return the leaders of one group, the first one first.

        Raises
        ------
        UnknownLabelError
            There is no such group.
        """
        code = self.groups.code(group, argument="group")
        return tuple(self.members[int(member)] for member in self.member[self.group == code])

    def explain(self, member: Label, /, *, lang: Lang = "en") -> str:
        """Return why a member was found.

        Raises
        ------
        UnknownLabelError
            There is no such member, or they were not found.
        """
        one_of("lang", lang, ("en", "zh"))
        found = np.flatnonzero(self.member == self.members.code(member, argument="member"))
        if not len(found):
            raise UnknownLabelError(message("member", f"one of {counted(len(self), 'leader')}", member))
        row = int(found[0])
        group = self.groups[int(self.group[row])]
        size = int(self.succession.others[self.group[row]] + self.succession.leaders[self.group[row]])
        rank, core, n_out, n_in = (int(c[row]) for c in (self.rank, self.core, self.answered, self.answered_by))
        most = [str(self.members[int(code)]) for code in self.most[row] if code >= 0]
        if lang == "zh":
            named = f"（最多的是 {'、'.join(most)}）" if most else ""
            return (
                f"{member}：在 {group} 的 {size:,} 人中 PageRank 第 {rank:,}，核数 {core:,}，"
                f"回应过 {n_out:,} 人{named}，被 {n_in:,} 人回应"
            )
        named = f" (most often {', '.join(most)})" if most else ""
        return (
            f"{member}: {rank:,} of {size:,} in {group} by PageRank, core number {core:,}, "
            f"answered {counted(n_out, 'member')}{named}, answered by {n_in:,}"
        )

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [column for column in self._tidy() if column.key != "rank"]

    def _tidy(self) -> Sequence[Column]:
        factors = {
            "score": ("score", "得分", self.score),
            "authority": ("authority", "权威", self.authority),
            "relevance": ("relevance", "相关", self.relevance),
            "reach": ("reach", "触达", self.reach),
        }
        numbers = {
            "rank": ("PageRank rank", "PageRank 名次", self.rank),
            "core": ("core", "核数", self.core),
            "answered": ("answered", "回应人数", self.answered),
            "answered_by": ("answered by", "被回应人数", self.answered_by),
        }
        return [
            Column(key="group", en="group", zh="群", values=self.groups.labels[self.group]),
            Column(key="place", en="#", zh="#", values=self.place, format="count"),
            Column(key="member", en="member", zh="成员", values=self.members.labels[self.member]),
            *(
                Column(key=key, en=en, zh=zh, values=values, format="number", digits=2)
                for key, (en, zh, values) in factors.items()
            ),
            *(
                Column(key=key, en=en, zh=zh, values=values, format="count")
                for key, (en, zh, values) in numbers.items()
            ),
        ]

    def __repr__(self) -> str:
        """Show how many groups have how many leaders."""
        groups = counted(len(np.unique(self.group)), "group")
        return f"Leaders({groups}, {counted(len(self), 'leader')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
