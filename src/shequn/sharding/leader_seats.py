"""How does a group that is short of leaders get them, with as few moves and as little loss as can be?"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.sharding.change import MoveReason
from shequn.sharding.seating import Step

if TYPE_CHECKING:
    from shequn.sharding.seating import Seating

__all__ = ["seat_leaders"]

_FEW_LEADERS = 48


def seat_leaders(seating: Seating, groups: list[int]) -> None:
    """Bring a leader into every seat that is short of one, the least loss first: by a swap wherever there is one.

    Groups lie within their bounds, and can be dealt so that each has its leaders: then there is a way for each seat.
    """
    short = {group: seating.min_leaders - seating.leaders[group] for group in groups}
    short = {group: count for group, count in short.items() if count > 0}
    if not short:
        return
    heap: list[tuple[Any, int]] = []
    loosest = _loosest_leaders(seating)
    for group in short:
        heappush(heap, (-_best_swap(seating, group, loosest).gain, group))
    while heap:
        loss, group = heappop(heap)
        swap = _best_swap(seating, group, loosest)
        if -swap.gain != loss and heap and -swap.gain > heap[0][0]:
            heappush(heap, (-swap.gain, group))
            continue
        seating.take(swap, MoveReason.LEADER)
        short[group] -= 1
        if short[group]:
            heappush(heap, (-_best_swap(seating, group, loosest).gain, group))


def _loosest_leaders(seating: Seating) -> list[int]:
    """Return the leaders that their groups can spare, whoever has the fewest ties there first."""
    spare = [int(member) for member in np.flatnonzero(seating.is_leader) if seating.may_leave(int(member))]
    return sorted(spare, key=lambda member: (seating.ties_by_group(member).get(seating.group[member], 0), member))


def _best_swap(seating: Seating, group: int, loosest: list[int]) -> Step:
    """Return the swap that brings a leader into a group with the least loss, among those worth asking.

    Asked are the leaders with ties into the group and those with the fewest ties where they are; any other loses more
    than one of these, but for what the partner of the swap brings.
    """
    near = dict.fromkeys(
        other
        for member in sorted(seating.members[group])
        for other in seating.ties_of(member)[0]
        if seating.is_leader[other] and seating.group[other] != group and seating.may_leave(other)
    )
    for leader in loosest:
        if len(near) >= _FEW_LEADERS:
            break
        if seating.group[leader] != group and seating.may_leave(leader):
            near[leader] = None
    partners = [member for member in sorted(seating.members[group]) if not seating.is_leader[member]]
    partners = [member for member in partners if not seating.is_fixed[member]]
    if not partners:
        return _best_way_in(seating, group)
    partners.sort(key=lambda member: seating.ties_by_group(member).get(group, 0))
    tied: dict[int, list[int]] = {}
    for member in partners:
        for other in seating.ties_by_group(member):
            tied.setdefault(other, []).append(member)
    swaps = (_best_swap_of(seating, leader, group, partners, tied) for leader in near)
    return max(swaps, key=lambda step: (step.gain, -step.cost))


def _best_way_in(seating: Seating, group: int) -> Step:
    """Return the best way for a leader into a group in which nobody can give way: it has room.

    They move, and where their own group can't be smaller, somebody from a group that can follows them there.
    """
    leaders = [leader for leader in _loosest_leaders(seating) if seating.group[leader] != group]
    ways = [_move(seating, leader, group) for leader in leaders if seating.can_shrink(leader)]
    if not ways:
        spare = [member for member in _loosest(seating) if seating.group[member] != group][:_FEW_LEADERS]
        ways = [_move(seating, leader, group, then=other) for leader in leaders[:_FEW_LEADERS] for other in spare]
    return max(ways, key=lambda step: (-step.cost, step.gain))


def _loosest(seating: Seating) -> list[int]:
    """Return those whose groups do without them, whoever has the fewest ties there first."""
    spare = [member for member in range(len(seating.group)) if seating.can_shrink(member)]
    return sorted(spare, key=lambda member: (seating.ties_by_group(member).get(seating.group[member], 0), member))


def _move(seating: Seating, member: int, group: int, *, then: int | None = None) -> Step:
    """Return the step in which somebody goes to a group, and another takes the seat they leave."""
    own, ties = seating.group[member], seating.ties_by_group(member)
    step = Step(ties.get(group, 0) - ties.get(own, 0), seating.cost(member, group), ((member, group),))
    if then is None:
        return step
    second = _move(seating, then, own)
    gain = step.gain + second.gain - seating.tie(member, then)
    return Step(gain, step.cost + second.cost, (*step.moves, *second.moves))


def _best_swap_of(seating: Seating, leader: int, group: int, partners: list[int], tied: dict[int, list[int]]) -> Step:
    """Return the best swap of one leader.

    Partners come loosest first, and `tied` names those with ties into a group. Whoever knows neither the leader nor the
    leader's group is beaten by the first of their kind.
    """
    own = seating.group[leader]
    mine = seating.ties_by_group(leader)
    known: dict[int, Any] = dict(zip(*seating.ties_of(leader), strict=True))
    asked = list(tied.get(own, ()))
    for other in partners:
        asked.append(other)
        if other not in known:
            break
    best: Step | None = None
    for other in asked:
        theirs = seating.ties_by_group(other)
        gain = (
            mine.get(group, 0) - mine.get(own, 0) + theirs.get(own, 0) - theirs.get(group, 0) - 2 * known.get(other, 0)
        )
        if best is None or gain >= best.gain:
            cost = seating.cost(leader, group) + seating.cost(other, own)
            step = Step(gain, cost, ((leader, group), (other, own)))
            best = step if best is None or (gain, -cost) > (best.gain, -best.cost) else best
    assert best is not None  # noqa: S101  (a group that is short of leaders has somebody who is none)
    return best
