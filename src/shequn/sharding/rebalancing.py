"""Members came and went: who moves, so that every group works again and almost nobody has to?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.errors import InvalidValueError, message
from shequn.graph import InteractionGraph
from shequn.sharding.asking import Asked
from shequn.sharding.bounds import size_band
from shequn.sharding.change import MoveReason
from shequn.sharding.demands import Demands
from shequn.sharding.fewest import cheapest_plan
from shequn.sharding.filling import carry_out
from shequn.sharding.leader_seats import seat_leaders
from shequn.sharding.naming import codes_named, who_stays
from shequn.sharding.regrouping import regrouped
from shequn.sharding.seating import Seating, worth_asking
from shequn.sharding.shards import Shards
from shequn.sharding.told import told, with_new_groups
from shequn.stats._checks import instance, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shequn._typing import BoolArray, IntArray
    from shequn.entities.size import SizeBand
    from shequn.graph import Neighbours
    from shequn.labels import Index, Label
    from shequn.sharding.change import Change
    from shequn.sharding.fewest import FewestMoves

__all__ = ["rebalance", "rebalanced"]

_ROUNDS = 3


def rebalance(
    shards: Shards,
    graph: InteractionGraph,
    /,
    *,
    joined: Iterable[Label] = (),
    left: Iterable[Label] = (),
    sizes: SizeBand | Sequence[int] | None = None,
    max_moves: int = 0,
    leaders: Iterable[Label] = (),
    fixed: Iterable[Label] = (),
    together: Iterable[Iterable[Label]] = (),
    apart: Iterable[Iterable[Label]] = (),
    new_groups: Iterable[Label] | None = None,
) -> Change:
    """Bring groups back into bounds after members joined and left, with as few moves as can be.

    What was cohered or spread by an attribute is not kept: `audit` and `mixture` tell what became of it.

    Newcomers are seated next to their ties, where a group is short first. Overfull groups give up whom they hold least,
    groups that have become too small close or are filled, and an overfull one splits where that takes fewer moves.

    Parameters
    ----------
    shards : Shards
        The groups as they were.
    graph : InteractionGraph
        Who talks to whom, newcomers among its members.
    joined : iterable of labels
        Newcomers.
    left : iterable of labels
        Members who are gone.
    sizes : SizeBand or pair of int, optional
        The fewest and the most members of a group; by default as before.
    max_moves : int, default 0
        Moves beyond those that the sizes and the leaders need. Each must buy kept weight, and the best are made.
    leaders : iterable of labels
        Newcomers who can lead.
    fixed : iterable of labels
        Members who keep their group, such as its owner; a group of theirs does not close.
    together, apart : iterable of sets of members, optional
        Who must share a group afterwards; and sets of which every two must not. A set that was broken before costs
        moves beyond those for the sizes.
    new_groups : iterable of labels, optional
        Labels for groups that open, in order. By default the integers after the largest, or "new-1", "new-2", ….

    Returns
    -------
    Change
        The new groups, and who moved, from where to where, why, and what it bought.

    Raises
    ------
    InfeasibleError
        Nobody could deal them so: no number of groups fits everybody, there are too few leaders, or seats and sets
        contradict each other; the message says why.
    UndecidedError
        No such groups were found, and it was not proved that there are none. It takes sets of members.
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An argument can't be used, or somebody is not where they should be.

    Notes
    -----
    At ``max_moves=0`` and where no leader is short, as many members move as `fewest_moves` says, which is the least
    there can be. A leader's seat that is short after that costs one swap, two moves. Which members these are is a
    greedy choice: the strongest tie is seated first, and then improved as long as a step that costs nothing buys
    something. Of the moves beyond, whatever buys most kept weight a move is done first: moves into groups with room,
    swaps (two moves), and chains in which somebody goes on to a third group.

    Where a set does not hold after that, those whom sets are about are seated anew, and the others around them: of the
    ways that are looked at, the one with the fewest moves.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> from shequn.sharding.shards import Shards
    >>> graph = InteractionGraph.from_ties([0, 1, 3, 4, 5], [1, 2, 4, 5, 6], n_members=7)
    >>> shards = Shards.of(graph.align(graph.members.take(np.arange(6))), [0, 0, 0, 1, 1, 1], sizes=(2, 4))
    >>> change = rebalance(shards, graph, joined=[6], left=[0])
    >>> change.n_moves, change.joined.to_group.tolist(), change.shards.sizes.tolist()
    (0, [1], [2, 4])
    """
    instance("shards", shards, Shards, expected="Shards")
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
    everybody = f"one of the {len(shards.members):,} members of the groups"
    gone = codes_named("left", left, shards.members, everybody, once=True)
    newcomers = _newcomers(joined, shards, graph)
    budget = whole("max_moves", max_moves)
    if budget < 0:
        raise InvalidValueError(message("max_moves", "a number of moves of 0 or more", budget))
    band = shards.bounds if sizes is None else size_band("sizes", sizes)
    stays = np.ones(len(shards.members), dtype=np.bool_)
    stays[gone] = False
    rest = shards.members.take(np.flatnonzero(stays))
    members = rest.union(newcomers, argument="joined")
    among = graph.align(members)
    home = np.full(len(members), -1, dtype=np.int64)
    home[members.places_of(rest)] = shards.group[stays]
    asked = Asked.of(members, together=together, apart=apart)
    demands = Demands(
        band=band,
        leaders=_leaders(shards, stays, members, newcomers, leaders),
        min_leaders=shards.min_leaders,
        fixed=who_stays(fixed, rest, members, "a member of the groups who has not left"),
        together=asked.together,
        apart=asked.apart,
    )
    seating, lower_bound = rebalanced(
        among.neighbours(), home, shards.groups, demands, max_moves=budget, members=members
    )
    return told(
        shards,
        graph,
        among,
        seating,
        groups=with_new_groups(shards.groups, len(seating.members) - len(shards.groups), new_groups),
        bounds=band,
        leaders=demands.leaders,
        min_leaders=shards.min_leaders,
        left=shards.members.labels[gone],
        lower_bound=lower_bound,
    )


def rebalanced(
    neighbours: Neighbours,
    codes: IntArray,
    groups: Index,
    demands: Demands,
    /,
    *,
    max_moves: int = 0,
    members: Index | None = None,
) -> tuple[Seating, int]:
    """Return a seating that keeps what is demanded, near the one given, and the fewest moves that the sizes take.

    Parameters
    ----------
    neighbours : Neighbours
        Ties of the n members.
    codes : ndarray of int64, shape (n,)
        Group of each member, -1 for a newcomer.
    groups : Index
        Labels of the groups, empty ones included.
    demands : Demands
    max_moves : int, default 0
        As in `rebalance`.
    members : Index, optional
        Labels of the members, by which an error names them.

    Raises
    ------
    InfeasibleError, UndecidedError
        As in `rebalance`.

    Examples
    --------
    >>> from shequn.entities.size import SizeBand
    >>> from shequn.graph import InteractionGraph
    >>> from shequn.labels import Index
    >>> from shequn.sharding.demands import Demands
    >>> ties = InteractionGraph.from_ties([0, 2], [1, 3]).neighbours()
    >>> demands = Demands(band=SizeBand(2, 2))
    >>> seating, fewest = rebalanced(ties, np.array([0, 0, 0, 1]), Index(["一群", "二群"]), demands)
    >>> seating.codes().tolist(), fewest
    ([0, 0, 1, 1], 1)
    """
    k = len(groups)
    numbers = demands.numbers(codes, demands.fixed, k)
    if not numbers:
        raise demands.refusal(codes, members=members, groups=groups)
    plan = _plan(codes, k, demands, numbers)
    seating = _seated(neighbours, codes, plan, demands)
    _improve(seating, max_moves)
    if demands.hold(seating.codes()):
        return seating, plan.moves
    is_short = int(plan.missing.sum()) >= plan.joined
    found = regrouped(
        neighbours, codes, demands, plan.stays, n_given=k, prefers_short=is_short, enough=plan.moves
    ).seating
    if found is None:
        raise demands.refusal(codes, members=members, groups=groups)
    _improve(found, max_moves)
    return found, plan.moves


def _plan(codes: IntArray, n_groups: int, demands: Demands, numbers: range) -> FewestMoves:
    sizes = np.bincount(codes[codes >= 0], minlength=n_groups).astype(np.int64)
    free = sizes if demands.fixed is None else sizes - np.bincount(codes[demands.fixed], minlength=n_groups)
    plan = cheapest_plan(sizes, demands.room, int((codes < 0).sum()), numbers=numbers, free=free)
    assert plan is not None  # noqa: S101  (in each of these numbers of groups they can be dealt)
    return plan


def _seated(neighbours: Neighbours, codes: IntArray, plan: FewestMoves, demands: Demands) -> Seating:
    """Return the seats after the moves of a plan, and after what leaders take."""
    seating = Seating(
        neighbours,
        codes,
        len(plan),
        demands.room,
        leaders=demands.leaders,
        min_leaders=demands.min_leaders,
        fixed=demands.fixed,
    )
    carry_out(seating, plan.leave, plan.missing, plan.stays)
    seat_leaders(seating, [group for group, held in enumerate(seating.members) if held])
    return seating


def _improve(seating: Seating, max_moves: int) -> None:
    """Take every step that buys kept weight, as far as the budget goes."""
    most_moved = seating.n_moved + max_moves
    for _ in range(_ROUNDS):
        codes = seating.codes()
        members = worth_asking(seating.neighbours, codes, len(seating.members))
        if not max_moves:
            members = members[np.array(seating.home, dtype=np.int64)[members] != codes[members]]
        seating.improve(members.tolist(), most_moved, MoveReason.TIES)
        if np.array_equal(codes, seating.codes()):
            break


# --- what was asked ---


def _newcomers(joined: Iterable[Label], shards: Shards, graph: InteractionGraph) -> Index:
    codes = codes_named("joined", joined, graph.members, "a member of the graph", once=True)
    newcomers = graph.members.take(codes)
    again = shards.members.places_of(newcomers) >= 0
    if again.any():
        row = int(np.flatnonzero(again)[0])
        expected = "somebody who is in no group yet"
        raise InvalidValueError(
            message("joined", expected, newcomers[row], row=row, bad=int(again.sum()), total=len(codes))
        )
    return newcomers


def _leaders(
    shards: Shards, stays: BoolArray, members: Index, newcomers: Index, leaders: Iterable[Label]
) -> BoolArray | None:
    """Return who can lead among those who stay and those who come, None where nobody asks."""
    new = codes_named("leaders", leaders, newcomers, "one of those who joined")
    if shards.leaders is None and not len(new):
        return None
    can_lead = np.zeros(len(members), dtype=np.bool_)
    if shards.leaders is not None:
        before = shards.members.take(np.flatnonzero(stays & shards.leaders))
        can_lead[members.places_of(before)] = True
    can_lead[members.places_of(newcomers)[new]] = True
    return can_lead
