"""Who leaves a group that is overfull or closes, and who fills the seats that must be filled?"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.sharding.change import MoveReason
from shequn.sharding.seating import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shequn._typing import BoolArray, IntArray
    from shequn.sharding.seating import Seating

__all__ = ["Shedding", "carry_out", "shed"]


def carry_out(
    seating: Seating,
    leave: IntArray,
    missing: IntArray,
    is_open: BoolArray,
    /,
    *,
    reasons: Mapping[int, MoveReason] | None = None,
) -> None:
    """Make the moves of a plan: overfull and closing groups give members up, and everybody waiting finds a seat.

    Afterwards every group that stays lies within its bounds, and as many members have moved as the plan says.

    Parameters
    ----------
    seating : Seating
    leave, missing : ndarray of int64, shape (n_groups,)
        Members who must leave each group, and whom it must get.
    is_open : ndarray of bool, shape (n_groups,)
        Groups that do not close.
    reasons : mapping of group to MoveReason, optional
        Why a group is overfull, where it has not been.
    """
    for group in np.flatnonzero(leave).tolist():
        why = (reasons or {}).get(group, MoveReason.OVERFULL) if is_open[group] else MoveReason.CLOSED
        shed(seating, group, int(leave[group]), why)
    filling = _Filling(seating, missing.tolist(), is_open.tolist())
    filling.seat_leaders()
    filling.seat_all()
    filling.draw()


def shed(seating: Seating, group: int, count: int, why: MoveReason) -> list[int]:
    """Take the members out of a group who hold it together least, and return them.

    Whoever has left counts as elsewhere, so that friends follow and a large share of a group leaves as one piece.
    Leaders that the group needs stay as long as others can go.
    """
    if count == len(seating.members[group]):
        everybody = sorted(seating.members[group])
        for member in everybody:
            seating.put(member, NOWHERE, why)
        return everybody
    return Shedding(seating, group).give_up(count, why)


class Shedding:
    """A group that gives up members, once or piece by piece."""

    def __init__(self, seating: Seating, group: int) -> None:
        self._seating, self._group = seating, group
        self._needed: list[int] = []
        self._hold = {
            member: self._held(member) for member in sorted(seating.members[group]) if not seating.is_fixed[member]
        }
        self._heap = [(weight, member) for member, weight in self._hold.items()]
        heapify(self._heap)

    def _held(self, member: int) -> Any:  # noqa: ANN401
        """Return the weight that ties a member to the group, beyond that to the group they know best besides."""
        ties = self._seating.ties_by_group(member)
        return ties.get(self._group, 0) - max((w for other, w in ties.items() if other != self._group), default=0)

    def give_up(self, count: int, why: MoveReason) -> list[int]:
        """Take so many out of the group, who wait for a seat, and return them."""
        seating, hold = self._seating, self._hold
        gone: list[int] = []
        while len(gone) < count:
            if self._heap:
                weight, member = heappop(self._heap)
                if member not in hold or weight != hold[member]:
                    continue
                if not seating.may_leave(member):
                    hold.pop(member)
                    self._needed.append(member)
                    continue
            else:
                member = self._needed.pop(0)
            hold.pop(member, None)
            gone.append(member)
            seating.put(member, NOWHERE, why)
            for other, tie in zip(*seating.ties_of(member), strict=True):
                if other in hold:
                    self._weigh(other, hold[other] - 2 * tie)
        return gone

    def settle(self, gone: list[int]) -> None:
        """Weigh those anew who know somebody that has a seat elsewhere now."""
        known = dict.fromkeys(other for member in gone for other in self._seating.ties_of(member)[0])
        for other in (*known, *self._needed):
            if other in self._hold or other in self._needed:
                self._weigh(other, self._held(other))
        self._needed.clear()

    def _weigh(self, member: int, weight: Any) -> None:  # noqa: ANN401
        self._hold[member] = weight
        heappush(self._heap, (weight, member))


class _Filling:
    """Everybody who waits for a seat, and the seats that must be filled."""

    def __init__(self, seating: Seating, missing: list[int], is_open: list[bool]) -> None:
        self.seating = seating
        self.missing = missing
        self.is_open = is_open
        self.owed = sum(missing)
        self.waiting = dict.fromkeys(member for member, group in enumerate(seating.group) if group < 0)

    def takes(self, group: int) -> bool:
        """Return whether a group has a seat for somebody who waits, seats that must be filled coming first."""
        if not self.is_open[group] or len(self.seating.members[group]) >= self.seating.most[group]:
            return False
        return self.missing[group] > 0 or len(self.waiting) > self.owed

    def seat(self, member: int, group: int) -> None:
        self.seating.put(member, group)
        self.waiting.pop(member, None)
        if self.missing[group]:
            self.missing[group] -= 1
            self.owed -= 1

    def best_seat(self, member: int) -> tuple[Any, int] | None:
        """Return the group with a seat that a member has the strongest ties to, and their weight negated."""
        offers = ((-w, group) for group, w in self.seating.ties_by_group(member).items() if self.takes(group))
        return min(offers, default=None)

    def seat_leaders(self) -> None:
        """Give leaders who wait to the groups that lack one, where they have the strongest ties."""
        seating = self.seating
        short = {
            group
            for group, is_open in enumerate(self.is_open)
            if is_open and seating.leaders[group] < seating.min_leaders
        }
        for leader in [member for member in self.waiting if seating.is_leader[member]]:
            ties = seating.ties_by_group(leader)
            offers = [(-ties.get(group, 0), group) for group in short if self.takes(group)]
            if not offers:
                break
            group = min(offers)[1]
            self.seat(leader, group)
            if seating.leaders[group] >= seating.min_leaders:
                short.discard(group)

    def seat_all(self) -> None:
        """Seat whoever waits, the strongest tie first; whoever has none to a group with a seat fills up the rest."""
        heap: list[tuple[Any, int, int]] = []
        for member in self.waiting:
            self._offer(member, heap)
        strangers = iter(self._by_ties_among_waiting())
        rest = _Rest(self)
        while self.waiting:
            if heap:
                weight, member, group = heappop(heap)
                if member not in self.waiting:
                    continue
                best = self.best_seat(member)
                if best is None:
                    continue
                if best != (weight, group):
                    heappush(heap, (best[0], member, best[1]))
                    continue
            else:
                member = next(strangers)
                if member not in self.waiting:
                    continue
                best = self.best_seat(member)
                group = rest.next() if best is None else best[1]
            self.seat(member, group)
            for other in self.seating.ties_of(member)[0]:
                if other in self.waiting:
                    self._offer(other, heap)

    def _offer(self, member: int, heap: list[tuple[Any, int, int]]) -> None:
        best = self.best_seat(member)
        if best is not None:
            heappush(heap, (best[0], member, best[1]))

    def _by_ties_among_waiting(self) -> list[int]:
        """Return those who wait, whoever has most ties to others who wait first: a seed for a new group."""
        among = {
            member: sum(w for other, w in zip(*self.seating.ties_of(member), strict=True) if other in self.waiting)
            for member in self.waiting
        }
        return sorted(among, key=lambda member: (-among[member], member))

    def draw(self) -> None:
        """Fill the seats that still must be filled with members of groups that can spare them, the least loss first."""
        if not self.owed:
            return
        heap: list[tuple[Any, int, int]] = []
        for group in (group for group, count in enumerate(self.missing) if count):
            for member in sorted(self.seating.members[group]):
                self._call(member, group, heap)
        loosest = iter(self._loosest())
        short = [group for group, count in enumerate(self.missing) if count]
        while self.owed:
            if heap:
                loss, member, group = heappop(heap)
                if not self.missing[group] or not self._can_spare(member):
                    continue
                now = self._loss(member, group)
                if now != loss:
                    heappush(heap, (now, member, group))
                    continue
            else:
                member = next(loosest, NOWHERE)
                assert member != NOWHERE  # noqa: S101  (the plan, and what leaders take, say how many may move)
                if not self._can_spare(member):
                    continue
                while not self.missing[short[-1]]:
                    short.pop()
                group = short[-1]
            self.seating.put(member, group, MoveReason.SHORT)
            self.missing[group] -= 1
            self.owed -= 1
            self._call(member, group, heap)

    def _call(self, member: int, group: int, heap: list[tuple[Any, int, int]]) -> None:
        """Ask the neighbours of somebody in a group that is short to come over."""
        for other in self.seating.ties_of(member)[0]:
            if self._can_spare(other):
                heappush(heap, (self._loss(other, group), other, group))

    def _loss(self, member: int, group: int) -> Any:  # noqa: ANN401
        ties = self.seating.ties_by_group(member)
        return ties.get(self.seating.group[member], 0) - ties.get(group, 0)

    def _can_spare(self, member: int) -> bool:
        seating, own = self.seating, self.seating.group[member]
        # Who has moved already, or has just joined, would not be missed but is: their seat was to be filled.
        return (
            seating.home[member] == own and len(seating.members[own]) > seating.least[own] and seating.may_leave(member)
        )

    def _loosest(self) -> list[int]:
        """Return the members of groups that can spare some, whoever has the fewest ties in their own first."""
        spare = [group for group, held in enumerate(self.seating.members) if len(held) > self.seating.least[group]]
        inside = {
            m: self.seating.ties_by_group(m).get(group, 0) for group in spare for m in self.seating.members[group]
        }
        return sorted(inside, key=lambda member: (inside[member], member))


class _Rest:
    """Seats for those without ties to a group that has one: first those that must be filled, then in small groups."""

    def __init__(self, filling: _Filling) -> None:
        self.filling = filling
        sizes = [len(held) for held in filling.seating.members]
        groups: Sequence[int] = [group for group, is_open in enumerate(filling.is_open) if is_open]
        self.by_size = [(not filling.missing[group], sizes[group], group) for group in groups]
        heapify(self.by_size)

    def next(self) -> int:
        """Return a group with a seat."""
        while True:
            is_full, size, group = self.by_size[0]
            now = (not self.filling.missing[group], len(self.filling.seating.members[group]), group)
            if now == (is_full, size, group) and self.filling.takes(group):
                return group
            heappop(self.by_size)
            if now[1] < self.filling.seating.most[group]:
                heappush(self.by_size, now)
