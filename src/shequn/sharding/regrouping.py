"""Groups that must keep sets of members together or apart: who goes where, so that few have to?

First those go whom a set is about, where as few as possible of them move; the others are then seated around them as
around anybody who has a fixed seat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.sharding.block_seats import BlockSeats, Rooms
from shequn.sharding.change import MoveReason
from shequn.sharding.fewest import cheapest_plan
from shequn.sharding.filling import carry_out
from shequn.sharding.leader_seats import seat_leaders
from shequn.sharding.packing_search import deal
from shequn.sharding.seating import NOWHERE, Seating

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shequn._typing import BoolArray, IntArray
    from shequn.graph import Neighbours
    from shequn.sharding.demands import Demands
    from shequn.sharding.seats import Seats

__all__ = ["Regrouped", "regrouped"]


class Regrouped:
    """Groups in which every set sits as it must, or that none were found.

    Attributes
    ----------
    seating : Seating or None
    is_ruled_out : bool
        Whether every way was ruled out, where there is no seating.
    """

    def __init__(self, seating: Seating | None, *, is_ruled_out: bool = False) -> None:
        self.seating = seating
        self.is_ruled_out = is_ruled_out


def regrouped(
    neighbours: Neighbours,
    codes: IntArray,
    demands: Demands,
    is_open: BoolArray,
    /,
    *,
    n_given: int,
    numbers: Sequence[int] | None = None,
    sizes: IntArray | None = None,
    prefers_short: bool = False,
    enough: int = 0,
) -> Regrouped:
    """Return groups near the ones given that keep every set, and everything else that is demanded.

    Parameters
    ----------
    neighbours : Neighbours
        Ties of the n members.
    codes : ndarray of int64, shape (n,)
        Group of each member, -1 for a newcomer.
    demands : Demands
    is_open : ndarray of bool, shape (n_groups,)
        Groups that sets may sit in, groups that open among them.
    n_given : int
        How many of the groups exist.
    numbers : sequence of int, optional
        How many groups there may be. By default it is found out, and groups may open and close; where it is the number
        of all groups, each of them stays.
    sizes : ndarray of int64, shape (n_groups,), optional
        The size each group must have.
    prefers_short : bool, default False
        Whether groups short of members need whoever can come.
    enough : int, default 0
        So few moves that fewer need not be looked for.

    Examples
    --------
    >>> from shequn.entities.size import SizeBand
    >>> from shequn.graph import InteractionGraph
    >>> from shequn.sharding.demands import Demands
    >>> ties = InteractionGraph.from_ties([0, 2], [1, 3]).neighbours()
    >>> demands = Demands(band=SizeBand(2, 2), apart=[[0, 1]])
    >>> seating = regrouped(ties, np.array([0, 0, 1, 1]), demands, np.array([True, True]), n_given=2).seating
    >>> seating.n_moved, demands.hold(seating.codes())
    (2, True)
    """
    seats = demands.seats(codes)
    if seats.clash is not None or seats.met is not None:
        return Regrouped(None, is_ruled_out=True)
    named = np.zeros(len(codes), dtype=np.bool_)
    for members in seats.held:
        named[members] = True
    task = _Task(neighbours, codes, demands, seats, named, sizes=sizes, numbers=numbers)
    stays = sizes is not None or numbers is not None
    may_come = is_open.tolist() if stays else [*is_open.tolist(), True]
    rooms = Rooms(
        is_open=may_come,
        standing=np.bincount(codes[~named & (codes >= 0)], minlength=len(may_come)).tolist(),
        must_stay=stays,
        prefers_short=prefers_short,
        unopened=NOWHERE if stays else len(is_open),
    )
    search = BlockSeats(task.seating(len(may_come)), seats, rooms)
    group = search.group if search.found(task.price, enough) else None
    if group is None and sizes is None:
        group = task.dealt(is_open)
    if group is None:
        return Regrouped(None, is_ruled_out=search.is_exhausted)
    seating = task.seated(group, len(is_open))
    _close_up(seating, n_given)
    return Regrouped(seating)


class _Orders(NamedTuple):
    """How many move, how many leave each group, how many each misses, and which stay."""

    moves: int
    leave: IntArray
    missing: IntArray
    is_open: BoolArray


class _Task:
    """Who sits where, and who is named by a set or by a fixed seat."""

    def __init__(
        self,
        neighbours: Neighbours,
        codes: IntArray,
        demands: Demands,
        seats: Seats,
        named: BoolArray,
        *,
        sizes: IntArray | None,
        numbers: Sequence[int] | None,
    ) -> None:
        self.neighbours, self.codes, self.demands = neighbours, codes, demands
        self.seats, self.named, self.sizes, self.numbers = seats, named, sizes, numbers
        self.band = demands.room

    def seating(self, n_groups: int) -> Seating:
        """Return the seats as they are, of which those who are named keep theirs."""
        demands = self.demands
        return Seating(
            self.neighbours,
            self.codes,
            n_groups,
            self.band,
            leaders=demands.leaders,
            min_leaders=demands.min_leaders,
            fixed=self.named,
            sizes=self.sizes,
        )

    def dealt(self, is_open: BoolArray) -> dict[int, int] | None:
        """Return the group of each block in the first deal that is found, None where there is none.

        A deal knows no groups but those with fixed seats: each other takes the place of the one most of it comes from.
        """
        problem = self.seats.problem(len(self.codes), self.demands.band, self.demands.min_leaders)
        numbers = self.numbers
        if numbers is None:
            possible = self.demands.possible(self.codes)
            near = int(np.count_nonzero(is_open))
            numbers = sorted((*possible.n_groups.tolist(), *possible.undecided.tolist()), key=lambda k: abs(k - near))
        held = next((found for k in numbers if (found := deal(problem, k)) is not None), None)
        if held is None:
            return None
        return self._placed(held, is_open)

    def _placed(self, held: list[list[int]], is_open: BoolArray) -> dict[int, int]:
        taken: dict[int, int] = {}  # deal's group -> group
        for at, blocks in enumerate(held):
            for block in self.seats.group_of.keys() & blocks:
                taken[at] = int(self.seats.group_of[block])
        comes: list[tuple[int, int, int]] = []
        for at, blocks in enumerate(held):
            homes = self.codes[[member for block in blocks for member in self.seats.held[block]]]
            groups, count = np.unique(homes[homes >= 0], return_counts=True)
            comes += [(-int(n), at, int(group)) for group, n in zip(groups, count, strict=True) if at not in taken]
        used = set(taken.values())
        for _, at, group in sorted(comes):
            if at not in taken and group not in used:
                taken[at] = group
                used.add(group)
        largest = np.argsort(-np.bincount(self.codes[self.codes >= 0], minlength=len(is_open)), kind="stable").tolist()
        free = iter([*(g for g in largest if g not in used), *range(len(is_open), len(is_open) + len(held))])
        for at in range(len(held)):
            if at not in taken:
                taken[at] = next(free)
        return {block: taken[at] for at, blocks in enumerate(held) for block in blocks}

    def price(self, group: dict[int, int]) -> int:
        """Return how many move when the blocks sit in these groups; for leaders, what it takes at most."""
        codes = self._with_blocks(group)
        n_groups = int(codes.max(initial=-1)) + 1
        orders = self._orders(codes, n_groups)
        away = (codes != self.codes) & (self.codes != NOWHERE)
        leads = np.zeros(len(codes), dtype=np.bool_) if self.demands.leaders is None else self.demands.leaders
        in_place = np.bincount(codes[leads & (codes != NOWHERE)], minlength=len(orders.is_open))
        short = np.maximum(self.demands.min_leaders - in_place, 0)[orders.is_open].sum()
        return int(away.sum()) + orders.moves + 2 * int(short)

    def _with_blocks(self, group: dict[int, int]) -> IntArray:
        codes = self.codes.copy()
        for block, where in group.items():
            codes[self.seats.held[block]] = where
        return codes

    def seated(self, group: dict[int, int], n_groups: int) -> Seating:
        """Return everybody seated around the blocks in these groups."""
        codes = self._with_blocks(group)
        orders = self._orders(codes, max(n_groups, int(codes.max(initial=-1)) + 1))
        seating = self.seating(len(orders.is_open))
        reasons: dict[int, MoveReason] = {}
        for block, where in group.items():
            why = self._why(block)
            for member in self.seats.held[block]:
                home = seating.home[member]
                if home == where:
                    continue
                if home != NOWHERE:
                    reasons.setdefault(where, why)
                seating.put(member, where, why if home == NOWHERE or orders.is_open[home] else MoveReason.CLOSED)
        was_over = np.bincount(self.codes[self.codes >= 0], minlength=len(orders.is_open)) > np.array(seating.most)
        reasons = {where: why for where, why in reasons.items() if not was_over[where]}
        carry_out(seating, orders.leave, orders.missing, orders.is_open, reasons=reasons)
        seat_leaders(seating, np.flatnonzero(orders.is_open).tolist())
        seating.is_fixed, seating.shuns = self._bound(), self._shuns()
        seating.come_home()
        return seating

    def _orders(self, codes: IntArray, n_groups: int) -> _Orders:
        """Return the moves of those who are not named, by which every group gets a size that it may have."""
        size = np.bincount(codes[codes >= 0], minlength=n_groups)
        if self.sizes is not None:
            size = np.bincount(codes, minlength=len(self.sizes))
            leave, missing = np.maximum(size - self.sizes, 0), np.maximum(self.sizes - size, 0)
            return _Orders(int(leave.sum()), leave, missing, np.ones(len(size), dtype=np.bool_))
        n_groups = max(n_groups, int(self.codes.max(initial=-1)) + 1)
        size = np.bincount(codes[codes >= 0], minlength=n_groups)
        free = np.bincount(codes[~self.named & (codes >= 0)], minlength=n_groups)
        numbers = self.numbers or self.demands.numbers(codes, self.named, n_groups)
        plan = cheapest_plan(size, self.band, int((codes < 0).sum()), numbers=numbers, free=free)
        assert plan is not None  # noqa: S101  (the blocks sit where everybody else fits around them)
        return _Orders(plan.moves, plan.leave, plan.missing, plan.stays)

    def _why(self, block: int) -> MoveReason:
        members = self.seats.held[block]
        homes = self.codes[members]
        homes = homes[homes >= 0]
        if len(members) == 1:
            return MoveReason.APART
        shunned = [member for other in self.seats.blocks[block].apart for member in self.seats.held[other]]
        is_whole = len(np.unique(homes)) == 1
        return MoveReason.APART if is_whole and np.isin(self.codes[shunned], homes).any() else MoveReason.TOGETHER

    def _bound(self) -> BoolArray:
        """Return who makes no step alone: whoever is fixed, or sits with somebody by request."""
        bound = np.zeros(len(self.codes), dtype=np.bool_) if self.demands.fixed is None else self.demands.fixed.copy()
        for members in self.demands.together:
            bound[members] = True
        return bound

    def _shuns(self) -> dict[int, set[int]]:
        shuns: dict[int, set[int]] = {}
        for block, members in zip(self.seats.blocks, self.seats.held, strict=True):
            others = {member for other in block.apart for member in self.seats.held[other]}
            shuns |= dict.fromkeys(members, others) if others else {}
        return shuns


def _close_up(seating: Seating, n_given: int) -> None:
    """Give groups that open numbers without gaps."""
    new = [group for group in range(n_given, len(seating.members)) if seating.members[group]]
    seating.renumber([*range(n_given), *new])
