"""One group into several, or two into one: who goes where, and what does it cost in talk?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from shequn.errors import InfeasibleError, InvalidValueError, UndecidedError, counted, message
from shequn.graph import InteractionGraph
from shequn.sharding.asking import Asked
from shequn.sharding.bounds import counts_of_groups
from shequn.sharding.change import MoveReason
from shequn.sharding.demands import Demands
from shequn.sharding.filling import Shedding
from shequn.sharding.leader_seats import seat_leaders
from shequn.sharding.regrouping import regrouped
from shequn.sharding.seating import NOWHERE, Seating
from shequn.sharding.shards import Shards
from shequn.sharding.told import told, with_new_groups
from shequn.stats._checks import instance, items_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shequn._typing import IntArray
    from shequn.entities.size import SizeBand
    from shequn.graph import Neighbours
    from shequn.labels import Index, Label
    from shequn.sharding.change import Change

__all__ = ["join_groups", "split"]

_ROUNDS = 5


def split(
    shards: Shards,
    graph: InteractionGraph,
    /,
    *,
    group: Label,
    parts: int | None = None,
    together: Iterable[Iterable[Label]] = (),
    apart: Iterable[Iterable[Label]] = (),
    new_groups: Iterable[Label] | None = None,
) -> Change:
    """Split a group where few ties are cut; the largest part keeps its label.

    Parameters
    ----------
    shards : Shards
        The groups.
    graph : InteractionGraph
        Who talks to whom.
    group : str or int
        The group to split.
    parts : int, optional
        Into how many; by default the fewest that lie within bounds and have their leaders, and at least 2.
    together, apart : iterable of sets of members, optional
        Who must share a group afterwards; and sets of which every two must not.
    new_groups : iterable of labels, optional
        Labels of the new groups, as in `rebalance`.

    Returns
    -------
    Change
        Everybody outside the group stays where they are.

    Raises
    ------
    UnknownLabelError
        There is no such group.
    InfeasibleError
        Nobody could split it so: its leaders don't suffice, or the sets contradict each other or what stays.
    UndecidedError
        No such parts were found, and it was not proved that there are none. It takes sets of members.
    InvalidTypeError, InvalidValueError
        An argument can't be used, or the group can't be split into so many parts within bounds.

    Notes
    -----
    A heuristic: parts are grown from the members who hold the rest least, and improved by moves and swaps.

    Examples
    --------
    >>> graph = InteractionGraph.from_ties([0, 1, 3, 4, 2], [1, 2, 4, 5, 3], [5, 5, 5, 5, 1])
    >>> change = split(Shards.of(graph, [0] * 6, sizes=(2, 4)), graph, group=0)
    >>> change.shards.sizes.tolist(), change.n_moves, change.shards.kept_weight
    ([3, 3], 3, 20)
    """
    _require(shards, graph)
    code = shards.groups.code(group, argument="group")
    inside = np.flatnonzero(shards.group == code)
    asked = Asked.of(shards.members, together=together, apart=apart)
    apart_elsewhere = [[member for member in members if shards.group[member] != code] for members in asked.apart]
    nobody_else = (f", and nobody but the members of group {group!r} moves", f"只有群 {group!r} 的成员迁移，")
    _require_held(shards, attrs.evolve(asked, apart=apart_elsewhere), shards.group.astype(np.int64), nobody_else)
    demands = _inside(shards, asked, inside)
    numbers = _numbers_of_parts(len(inside), demands.room, parts)
    demands.require_leaders(numbers[0])
    among = graph.align(shards.members)
    members = shards.members.take(inside)
    part, k = _parted(graph.align(members).neighbours(), demands, numbers, members)
    seating = _seating(shards, among, k - 1)
    for member, to in zip(inside.tolist(), _largest_first(part).tolist(), strict=True):
        if to:
            seating.put(member, len(shards.groups) + to - 1, MoveReason.SPLIT)
    return told(
        shards,
        graph,
        among,
        seating,
        groups=with_new_groups(shards.groups, k - 1, new_groups),
        bounds=shards.bounds,
        leaders=shards.leaders,
        min_leaders=shards.min_leaders,
        lower_bound=len(inside) - min(demands.room.hi, len(inside) - (k - 1) * demands.room.lo),
    )


def join_groups(
    shards: Shards,
    graph: InteractionGraph,
    /,
    *,
    groups: Iterable[Label],
    together: Iterable[Iterable[Label]] = (),
    apart: Iterable[Iterable[Label]] = (),
) -> Change:
    """Join groups into one; the largest keeps its label, of equals the one named first.

    Parameters
    ----------
    shards : Shards
        The groups.
    graph : InteractionGraph
        Who talks to whom.
    groups : iterable of labels
        Two groups or more.
    together, apart : iterable of sets of members, optional
        Who must share a group afterwards; and sets of which every two must not.

    Returns
    -------
    Change
        Everybody of the other groups moves.

    Raises
    ------
    UnknownLabelError
        There is no such group.
    InfeasibleError
        The groups have more members than the bounds allow, or a set does not sit as it must when they are one.
    InvalidTypeError, InvalidValueError
        Fewer than two groups are named, or one is named twice.

    Examples
    --------
    >>> graph = InteractionGraph.from_ties([0, 1], [1, 2], n_members=3)
    >>> join_groups(Shards.of(graph, [0, 1, 1], sizes=(1, 4)), graph, groups=[0, 1]).moves.rows().__next__().to_group
    1
    """
    _require(shards, graph)
    asked = Asked.of(shards.members, together=together, apart=apart)
    labels = items_of("groups", groups, expected="labels of groups")
    codes = [shards.groups.code(label, argument="groups") for label in labels]
    if len(codes) < 2 or len(set(codes)) < len(codes):  # noqa: PLR2004
        raise InvalidValueError(message("groups", "two different groups or more", labels))
    sizes = shards.sizes[codes]
    if sizes.sum() > shards.bounds.hi:
        most, total = shards.bounds.hi, int(sizes.sum())
        raise InfeasibleError(
            message("groups", f"groups with at most {counted(most, 'member')} together", total),
            zh=f"规模：这些群共 {total:,} 人，而每群最多 {most:,} 人",
        )
    to = codes[int(np.argmax(sizes))]
    joined = np.where(np.isin(shards.group, codes), to, shards.group).astype(np.int64)
    _require_held(shards, asked, joined, (" once the groups are joined", "合并后"))
    among = graph.align(shards.members)
    seating = _seating(shards, among, 0)
    for member in np.flatnonzero(np.isin(shards.group, codes) & (shards.group != to)).tolist():
        seating.put(member, to, MoveReason.MERGED)
    return told(
        shards,
        graph,
        among,
        seating,
        groups=shards.groups,
        bounds=shards.bounds,
        leaders=shards.leaders,
        min_leaders=shards.min_leaders,
        lower_bound=int(sizes.sum() - sizes.max()),
    )


def _require(shards: Shards, graph: InteractionGraph) -> None:
    instance("shards", shards, Shards, expected="Shards")
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")


def _seating(shards: Shards, among: InteractionGraph, n_new: int) -> Seating:
    codes = shards.group.astype(np.int64)
    return Seating(among.neighbours(), codes, len(shards.groups) + n_new, shards.bounds, leaders=shards.leaders)


def _require_held(shards: Shards, asked: Asked, codes: IntArray, when: tuple[str, str]) -> None:
    """Raise where groups break a set."""
    members, groups = shards.members, shards.groups
    for some in asked.together:
        one = some[0]
        other = next((member for member in some if codes[member] != codes[one]), None)
        if other is not None:
            where, there = groups[int(codes[one])], groups[int(codes[other])]
            who = f"members {members[one]!r} and {members[other]!r}"
            raise InfeasibleError(
                f"together: {who} sit in groups {where!r} and {there!r}{when[0]}",
                zh=f"同群：{when[1]}成员 {members[one]!r} 与 {members[other]!r} 分别在群 {where!r} 与群 {there!r}",
            )
    for some in asked.apart:
        seen: dict[int, int] = {}
        for member in some:
            one = seen.setdefault(int(codes[member]), member)
            if one != member:
                where = groups[int(codes[member])]
                raise InfeasibleError(
                    f"apart: members {members[one]!r} and {members[member]!r} both sit in group {where!r}{when[0]}",
                    zh=f"不同群：{when[1]}成员 {members[one]!r} 与 {members[member]!r} 同在群 {where!r}",
                )


def _inside(shards: Shards, asked: Asked, inside: IntArray) -> Demands:
    """Return what the members of one group must keep, by their code among them."""
    place = dict(zip(inside.tolist(), range(len(inside)), strict=True))
    together, apart = (
        [[place[member] for member in members if member in place] for members in sets]
        for sets in (asked.together, asked.apart)
    )
    return Demands(
        band=shards.bounds,
        leaders=None if shards.leaders is None else shards.leaders[inside],
        min_leaders=shards.min_leaders,
        together=[members for members in together if len(members) > 1],
        apart=[members for members in apart if len(members) > 1],
    )


def _numbers_of_parts(n: int, band: SizeBand, parts: int | None) -> list[int]:
    """Return how many parts there may be, the fewest first."""
    allowed = [k for k in counts_of_groups(n, band) if k > 1]
    wanted = None if parts is None else whole("parts", parts)
    if wanted is not None and wanted < 2:  # noqa: PLR2004
        raise InvalidValueError(message("parts", "2 or more", wanted))
    if wanted is not None and wanted > n:
        raise InvalidValueError(message("parts", f"at most the {counted(n, 'member')} of the group", wanted))
    if not allowed or (wanted is not None and wanted not in allowed):
        what = "two parts or more" if wanted is None else f"{wanted:,} parts"
        expected = f"one that makes {what} of {band.lo:,} to {band.hi:,} members"
        raise InvalidValueError(f"group: expected {expected}, got {counted(n, 'member')}")
    return allowed if wanted is None else [wanted]


def _parted(own: Neighbours, demands: Demands, numbers: list[int], members: Index) -> tuple[IntArray, int]:
    """Return the part of each member of one group, and how many parts there are: the fewest that keep every set."""
    codes = _dealt(own, demands, numbers[0])
    if demands.hold(codes):
        return codes, numbers[0]
    nowhere = np.full(own.n_members, NOWHERE, dtype=np.int64)
    found = demands.possible(nowhere)
    if found.verdict == "infeasible":
        raise demands.refusal(nowhere, members=members)
    open_numbers = [k for k in numbers if k in found.n_groups or k in found.undecided]
    for k in open_numbers:
        codes = _dealt(own, demands, k)
        seating = regrouped(own, codes, demands, np.ones(k, dtype=np.bool_), n_given=k, numbers=[k]).seating
        if seating is not None:
            seating.improve(range(len(codes)), len(codes), MoveReason.SPLIT)
            return seating.codes(), k
    if open_numbers:
        raise UndecidedError(
            "all at once: no parts were found that keep every set", zh="全部条件：未找到满足条件的拆分"
        )
    parts, parts_zh = (
        ("two parts or more", "两个以上") if len(numbers) > 1 else (f"{numbers[0]:,} parts", f"{numbers[0]:,} 个")
    )
    raise InfeasibleError(
        f"all at once: no {parts} keep every set: every deal was ruled out",
        zh=f"全部条件：拆成{parts_zh}群不能满足条件：已逐一排除",
    )


def _dealt(own: Neighbours, demands: Demands, k: int) -> IntArray:
    """Return the parts that ties make, whatever sets there are."""
    n = own.n_members
    seating = Seating(
        own,
        np.zeros(n, dtype=np.int64),
        k,
        demands.room,
        leaders=demands.leaders,
        min_leaders=demands.min_leaders,
    )
    shedding = Shedding(seating, 0)
    for group in range(1, k):
        gone = shedding.give_up(len(seating.members[0]) // (k - group + 1), MoveReason.SPLIT)
        for member in gone:
            seating.put(member, group)
        shedding.settle(gone)
    seat_leaders(seating, list(range(k)))
    for _ in range(_ROUNDS):
        seating.improve(range(n), n, MoveReason.SPLIT)
    return seating.codes()


def _largest_first(part: IntArray) -> IntArray:
    """Return the same parts with codes by falling size."""
    order = np.argsort(-np.bincount(part), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[part]
