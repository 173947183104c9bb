"""How does every group get its leaders, with as few swaps and as little loss as can be?"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.errors import InvalidValueError, message
from shequn.graph import InteractionGraph
from shequn.sharding.change import MoveReason
from shequn.sharding.seating import Seating, Step
from shequn.sharding.shards import Shards, leader_mask
from shequn.sharding.told import told
from shequn.stats._checks import instance, whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shequn.entities.size import SizeBand
    from shequn.sharding.change import Change

__all__ = ["require_leaders", "seat_leaders", "staff", "wide_enough"]

_FEW_LEADERS = 48


def staff(
    shards: Shards, graph: InteractionGraph, /, *, leaders: ArrayLike | None = None, min_leaders: int | None = None
) -> Change:
    """Give every group its leaders: a leader from a group that can spare one for each short seat, by a swap.

    Parameters
    ----------
    shards : Shards
        The groups; their sizes stay.
    graph : InteractionGraph
        Who talks to whom, over the members of the groups or more.
    leaders : array_like of bool, shape (n_members,), or labels, optional
        Who can lead; by default whoever could before.
    min_leaders : int, optional
        Leaders that each group must have; by default as before.

    Returns
    -------
    Change
        With two moves for each swap, and one swap for each short seat, which is as few as swaps can do.

    Raises
    ------
    InvalidValueError
        There are fewer leaders than ``min_leaders`` times the number of groups, or a group is smaller than that.
    InvalidTypeError, MisalignedError, UnknownLabelError
        `leaders` is no mask of the members and no labels of members.

    Notes
    -----
    A swap brings a leader x from group A into group B, and a member y of B who is none into A. It loses ``w(x, A) -
    w(x, B) + w(y, B) - w(y, A) + 2 w(x, y)`` of kept weight. The swap that loses least is made first.

    References
    ----------
    S1 §四(五), row A16 of the domain table.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> from shequn.sharding.shards import Shards
    >>> graph = InteractionGraph.from_ties([0, 2], [1, 3], [5, 1])
    >>> shards = Shards.of(graph, [0, 0, 1, 1], sizes=(2, 2))
    >>> change = staff(shards, graph, leaders=[True, True, False, False], min_leaders=1)
    >>> change.n_moves, change.shards.n_leaders.tolist()
    (2, [1, 1])
    """
    instance("shards", shards, Shards, expected="Shards")
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
    mask = shards.leaders if leaders is None else leader_mask(leaders, shards.members)
    needed = shards.min_leaders if min_leaders is None else whole("min_leaders", min_leaders)
    if needed < 0:
        raise InvalidValueError(message("min_leaders", "0 or more", needed))
    can_lead = np.zeros(len(shards.members), dtype=np.bool_) if mask is None else mask
    require_leaders(int(can_lead.sum()), needed, len(shards.groups))
    smallest = int(shards.sizes.min(initial=needed))
    if smallest < needed:
        raise InvalidValueError(message("min_leaders", f"at most the {smallest:,} members of a group", needed))
    among = graph.align(shards.members)
    seating = Seating(
        among.neighbours(),
        shards.group.astype(np.int64),
        len(shards.groups),
        shards.bounds,
        leaders=can_lead,
        min_leaders=needed,
    )
    seat_leaders(seating, list(range(len(shards.groups))))
    return told(
        shards, graph, among, seating, groups=shards.groups, bounds=shards.bounds, leaders=mask, min_leaders=needed
    )


def require_leaders(leaders: int, needed: int, n_groups: int) -> None:
    """Raise where there are too few leaders for so many groups."""
    if leaders < needed * n_groups:
        expected = f"at least {needed * n_groups:,}, {needed:,} for each of {n_groups:,} groups"
        raise InvalidValueError(message("leaders", expected, leaders))


def wide_enough(band: SizeBand, needed: int) -> SizeBand:
    """Return bounds under which a group has room for its leaders.

    Examples
    --------
    >>> from shequn.entities.size import SizeBand
    >>> wide_enough(SizeBand(2, 6), 3)
    SizeBand(lo=3, hi=6)
    """
    if needed > band.hi:
        raise InvalidValueError(message("min_leaders", f"at most the {band.hi:,} members of a group", needed))
    return attrs.evolve(band, lo=max(band.lo, needed))


def seat_leaders(seating: Seating, groups: list[int]) -> None:
    """Swap a leader into every seat that is short of one, the least loss first."""
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
    if not partners or not near:
        raise InvalidValueError(
            f"fixed: no member who may move is left to seat {seating.min_leaders:,} leaders a group"
        )
    partners.sort(key=lambda member: seating.ties_by_group(member).get(group, 0))
    tied: dict[int, list[int]] = {}
    for member in partners:
        for other in seating.ties_by_group(member):
            tied.setdefault(other, []).append(member)
    swaps = (_best_swap_of(seating, leader, group, partners, tied) for leader in near)
    return max(swaps, key=lambda step: (step.gain, -step.cost))


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
