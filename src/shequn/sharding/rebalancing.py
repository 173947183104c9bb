"""Members came and went: who moves, so that every group works again and almost nobody has to?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError, message
from shequn.graph import InteractionGraph
from shequn.labels import Index
from shequn.sharding.bounds import counts_of_groups, size_band, why_no_count
from shequn.sharding.change import MoveReason
from shequn.sharding.fewest import cheapest_plan
from shequn.sharding.filling import carry_out
from shequn.sharding.seating import Seating, worth_asking
from shequn.sharding.shards import Shards
from shequn.sharding.staffing import require_leaders, seat_leaders, wide_enough
from shequn.sharding.told import told, with_new_groups
from shequn.stats._checks import instance, items_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shequn._typing import BoolArray, IntArray
    from shequn.entities.size import SizeBand
    from shequn.graph import Neighbours
    from shequn.labels import Label
    from shequn.sharding.change import Change

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
    new_groups: Iterable[Label] | None = None,
) -> Change:
    """Bring groups back into bounds after members joined and left, with as few moves as can be.

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
    new_groups : iterable of labels, optional
        Labels for groups that open, in order. By default the integers after the largest, or "new-1", "new-2", ….

    Returns
    -------
    Change
        The new groups, and who moved, from where to where, why, and what it bought.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An argument can't be used; somebody is not where they should be; no number of groups fits everybody, there are
        too few leaders, or those who may move do not suffice: the message says why.

    Notes
    -----
    At ``max_moves=0`` and where no leader is short, as many members move as `fewest_moves` says, which is the least
    there can be. A leader's seat that is short after that costs one swap, two moves. Which members these are is a
    greedy choice: the strongest tie is seated first, and then improved as long as a step that costs nothing buys
    something. Of the moves beyond, whatever buys most kept weight a move is done first: moves into groups with room,
    swaps (two moves), and chains in which somebody goes on to a third group.

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
    gone = _present(left, shards)
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
    can_lead = _leaders(shards, stays, members, newcomers, leaders)
    seating, lower_bound = rebalanced(
        among.neighbours(),
        home,
        len(shards.groups),
        band,
        leaders=can_lead,
        min_leaders=shards.min_leaders,
        max_moves=budget,
        fixed=_fixed(fixed, shards, members, gone),
    )
    return told(
        shards,
        graph,
        among,
        seating,
        groups=with_new_groups(shards.groups, len(seating.members) - len(shards.groups), new_groups),
        bounds=band,
        leaders=can_lead,
        min_leaders=shards.min_leaders,
        left=shards.members.labels[gone],
        lower_bound=lower_bound,
    )


def rebalanced(
    neighbours: Neighbours,
    codes: IntArray,
    n_groups: int,
    band: SizeBand,
    /,
    *,
    leaders: BoolArray | None = None,
    min_leaders: int = 0,
    max_moves: int = 0,
    fixed: BoolArray | None = None,
) -> tuple[Seating, int]:
    """Return a seating within bounds, near the one given, and the fewest moves that takes.

    Parameters
    ----------
    neighbours : Neighbours
        Ties of the n members.
    codes : ndarray of int64, shape (n,)
        Group of each member, -1 for a newcomer.
    n_groups : int
        Number of groups, empty ones included.
    band : SizeBand
        The fewest and the most members of a group.
    leaders, min_leaders, max_moves, fixed
        As in `rebalance`.

    Raises
    ------
    InvalidValueError
        No number of groups fits all members, their leaders or the seats that are fixed.

    Examples
    --------
    >>> from shequn.entities.size import SizeBand
    >>> from shequn.graph import InteractionGraph
    >>> ties = InteractionGraph.from_ties([0, 2], [1, 3]).neighbours()
    >>> seating, fewest = rebalanced(ties, np.array([0, 0, 0, 1]), 2, SizeBand(2, 2))
    >>> seating.codes().tolist(), fewest
    ([0, 0, 1, 1], 1)
    """
    band = wide_enough(band, min_leaders)
    allowed = counts_of_groups(len(codes), band)
    if not allowed:
        raise InvalidValueError(f"sizes: {why_no_count(len(codes), band)}")
    if min_leaders:
        can_lead = 0 if leaders is None else int(leaders.sum())
        require_leaders(can_lead, min_leaders, allowed[0])
        allowed = range(allowed.start, min(allowed[-1], can_lead // min_leaders) + 1)
    sizes = np.bincount(codes[codes >= 0], minlength=n_groups).astype(np.int64)
    plan = cheapest_plan(sizes, band, int((codes < 0).sum()), allowed, stays=_that_stay(codes, n_groups, band, fixed))
    seating = Seating(
        neighbours, codes, n_groups + plan.n_new, band, leaders=leaders, min_leaders=min_leaders, fixed=fixed
    )
    carry_out(seating, plan)
    open_groups = [group for group, held in enumerate(seating.members) if held]
    seat_leaders(seating, open_groups)
    _improve(seating, max_moves)
    return seating, plan.moves


def _that_stay(codes: IntArray, n_groups: int, band: SizeBand, fixed: BoolArray | None) -> BoolArray | None:
    """Return the groups that have a fixed seat."""
    if fixed is None:
        return None
    seats = np.bincount(codes[fixed], minlength=n_groups)
    if seats.max(initial=0) > band.hi:
        expected = f"at most {band.hi:,} members of one group"
        raise InvalidValueError(message("fixed", expected, int(seats.max())))
    found: BoolArray = seats > 0
    return found


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


def _present(left: Iterable[Label], shards: Shards) -> IntArray:
    """Return the codes of those who left."""
    labels = items_of("left", left, expected="labels of members")
    codes = shards.members.codes_of(labels).astype(np.int64) if labels else np.zeros(0, dtype=np.int64)
    _require_known("left", labels, codes < 0, f"one of the {len(shards.members):,} members of the groups")
    _require_once("left", labels)
    return codes


def _newcomers(joined: Iterable[Label], shards: Shards, graph: InteractionGraph) -> Index:
    labels = items_of("joined", joined, expected="labels of members")
    if not labels:
        return Index()
    _require_known("joined", labels, graph.members.codes_of(labels) < 0, "a member of the graph")
    _require_once("joined", labels)
    again = shards.members.codes_of(labels) >= 0
    if again.any():
        row = int(np.flatnonzero(again)[0])
        expected = "somebody who is in no group yet"
        raise InvalidValueError(
            message("joined", expected, labels[row], row=row, bad=int(again.sum()), total=len(labels))
        )
    return Index(labels, argument="joined")


def _fixed(fixed: Iterable[Label], shards: Shards, members: Index, gone: IntArray) -> BoolArray | None:
    """Return who keeps their seat, None for nobody."""
    if isinstance(fixed, Mapping):
        raise InvalidTypeError(message("fixed", "labels of members, who keep their groups", "a mapping"))
    labels = items_of("fixed", fixed, expected="labels of members")
    if not labels:
        return None
    codes = shards.members.codes_of(labels)
    _require_known("fixed", labels, (codes < 0) | np.isin(codes, gone), "a member of the groups who has not left")
    mask = np.zeros(len(members), dtype=np.bool_)
    mask[members.codes_of(labels)] = True
    return mask


def _require_known(argument: str, labels: list[Label], unknown: BoolArray, expected: str) -> None:
    if unknown.any():
        row = int(np.flatnonzero(unknown)[0])
        raise UnknownLabelError(
            message(argument, expected, labels[row], row=row, bad=int(unknown.sum()), total=len(labels))
        )


def _require_once(argument: str, labels: list[Label]) -> None:
    if len(set(labels)) < len(labels):
        row = next(row for row, label in enumerate(labels) if label in labels[:row])
        raise InvalidValueError(message(argument, "each member once", labels[row], row=row))


def _leaders(
    shards: Shards, stays: BoolArray, members: Index, newcomers: Index, leaders: Iterable[Label]
) -> BoolArray | None:
    """Return who can lead among those who stay and those who come, None where nobody asks."""
    labels = items_of("leaders", leaders, expected="labels of newcomers")
    if labels:
        _require_known("leaders", labels, newcomers.codes_of(labels) < 0, "one of those who joined")
    if shards.leaders is None and not labels:
        return None
    can_lead = np.zeros(len(members), dtype=np.bool_)
    if shards.leaders is not None:
        before = shards.members.take(np.flatnonzero(stays & shards.leaders))
        can_lead[members.places_of(before)] = True
    can_lead[members.codes_of(labels)] = True
    return can_lead
