"""Who sits where while groups change: move few, and only where it keeps more talk inside groups.

A `Seating` knows where each member sits and where they sat before (their home). A step is a move into a group with
room, a swap, or a chain (one comes in, another goes on to a group with room). What a step costs is how many more
members end away from home; what it buys is the weight of the ties it brings inside groups. A newcomer has no home and
costs nothing to move.
"""

# Plain Python on purpose: a change touches few members, each step depends on the one before, and numbers of a few
# neighbours are summed faster in a dict than in an array.

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shequn.stats.distinct import each_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.entities.size import SizeBand
    from shequn.graph import Neighbours
    from shequn.sharding.change import MoveReason

__all__ = ["NOWHERE", "Seating", "Step", "worth_asking"]

_MOST_TARGETS = 3
_ROUNDING = 1e-9  # of the largest weight
NOWHERE = -1


class Step(NamedTuple):
    """Members who go to other groups at the same time: what it buys, what it costs, and who goes where."""

    gain: Any
    cost: int
    moves: tuple[tuple[int, int], ...]

    @property
    def rank(self) -> tuple[bool, Any]:
        """Order of steps, the best first: those that cost nothing, then by what a move buys."""
        return (False, -self.gain) if self.cost <= 0 else (True, -self.gain / self.cost)


class Seating:
    """Groups being filled and changed.

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
    leaders : ndarray of bool, shape (n,), optional
        Who can lead.
    min_leaders : int
        Leaders that each group must have.
    fixed : ndarray of bool, shape (n,), optional
        Who keeps their seat.
    sizes : ndarray of int64, shape (n_groups,), optional
        The size that each group must have, where not any within the band will do.
    """

    __slots__ = (
        "_around",
        "_least",
        "band",
        "group",
        "home",
        "is_fixed",
        "is_leader",
        "leaders",
        "least",
        "members",
        "min_leaders",
        "most",
        "n_moved",
        "neighbours",
        "shuns",
        "why",
    )

    def __init__(
        self,
        neighbours: Neighbours,
        codes: IntArray,
        n_groups: int,
        band: SizeBand,
        *,
        leaders: BoolArray | None = None,
        min_leaders: int = 0,
        fixed: BoolArray | None = None,
        sizes: IntArray | None = None,
    ) -> None:
        self.neighbours: Neighbours = neighbours
        self.band: SizeBand = band
        self.least: list[int] = [band.lo] * n_groups if sizes is None else sizes.tolist()
        self.most: list[int] = [band.hi] * n_groups if sizes is None else sizes.tolist()
        # Whom a member may not meet; steps that buy something respect it.
        self.shuns: Mapping[int, Set[int]] = {}
        self.home: list[int] = codes.tolist()
        self.group: list[int] = codes.tolist()
        self.members: list[set[int]] = [set() for _ in range(n_groups)]
        self.is_leader: BoolArray = np.zeros(len(codes), dtype=np.bool_) if leaders is None else leaders
        self.is_fixed: BoolArray = np.zeros(len(codes), dtype=np.bool_) if fixed is None else fixed
        self.leaders: list[int] = [0] * n_groups
        self.min_leaders: int = min_leaders
        self.n_moved: int = 0
        self.why: dict[int, MoveReason] = {}
        self._around: dict[int, dict[int, Any]] = {}
        # Of floats a gain may be no more than rounding, forth and back without end.
        weight = neighbours.weight
        self._least = float(weight.max(initial=0)) * _ROUNDING if weight.dtype.kind == "f" else 0
        for member, group in enumerate(self.group):
            if group >= 0:
                self.members[group].add(member)
                self.leaders[group] += bool(self.is_leader[member])

    def codes(self) -> IntArray:
        """Return the group of each member, -1 for nobody's seat."""
        return np.array(self.group, dtype=np.int64)

    def ties_of(self, member: int) -> tuple[list[int], list[Any]]:
        """Return the neighbours of a member and the weights of the ties."""
        first, stop = int(self.neighbours.offsets[member]), int(self.neighbours.offsets[member + 1])
        return self.neighbours.neighbour[first:stop].tolist(), self.neighbours.weight[first:stop].tolist()

    def ties_by_group(self, member: int) -> dict[int, Any]:
        """Return the weight of a member's ties into each group that holds a neighbour."""
        found = self._around.get(member)
        if found is None:
            found = dict[int, Any]()
            for other, weight in zip(*self.ties_of(member), strict=True):
                group = self.group[other]
                if group >= 0:
                    found[group] = found.get(group, 0) + weight
            self._around[member] = found
        return found

    def tie(self, one: int, other: int) -> Any:  # noqa: ANN401
        """Return the weight of the tie between two members, 0 for none."""
        first, stop = int(self.neighbours.offsets[one]), int(self.neighbours.offsets[one + 1])
        row = self.neighbours.neighbour[first:stop]
        at = int(np.searchsorted(row, other))
        return self.neighbours.weight[first + at].item() if at < len(row) and row[at] == other else 0

    def put(self, member: int, group: int, why: MoveReason | None = None) -> None:
        """Seat a member in a group, or nowhere, and note why they are not at home."""
        before, home = self.group[member], self.home[member]
        if before >= 0:
            self.members[before].discard(member)
            self.leaders[before] -= bool(self.is_leader[member])
        if group >= 0:
            self.members[group].add(member)
            self.leaders[group] += bool(self.is_leader[member])
        if home >= 0:
            self.n_moved += (group != home) - (before != home)
        self.group[member] = group
        if why is not None:
            self.why.setdefault(member, why)
        if group == home:
            self.why.pop(member, None)
        for other in self.ties_of(member)[0]:
            self._around.pop(other, None)

    def renumber(self, groups: list[int]) -> None:
        """Keep these groups alone, in this order; the others are empty and nobody's home."""
        if len(groups) == len(self.members):
            return
        number = {group: place for place, group in enumerate(groups)}
        self.group = [number.get(group, NOWHERE) for group in self.group]
        self.members = [self.members[group] for group in groups]
        self.leaders = [self.leaders[group] for group in groups]
        self.least = [self.least[group] for group in groups]
        self.most = [self.most[group] for group in groups]
        self._around.clear()

    def cost(self, member: int, group: int) -> int:
        """Return how many more members are away from home when one goes to a group."""
        home = self.home[member]
        return 0 if home < 0 else (group != home) - (self.group[member] != home)

    def may_leave(self, member: int) -> bool:
        """Return whether somebody's seat is not fixed, and the leaders of their group suffice without them."""
        if self.is_fixed[member]:
            return False
        return not self.is_leader[member] or self.leaders[self.group[member]] > self.min_leaders

    def meets(self, member: int, group: int, *, leaving: int = NOWHERE) -> bool:
        """Return whether a group holds somebody a member may not meet, other than one who is leaving it."""
        shunned = self.shuns.get(member, ())
        return any(self.group[other] == group and other not in (leaving, member) for other in shunned)

    # --- steps that buy kept weight ---

    def improve(self, members: Iterable[int], most_moved: int, why: MoveReason) -> None:
        """Take the best step first, as long as one buys something and at most `most_moved` members are not at home.

        `members` are those a step may start from; their neighbours follow as they move.
        """
        heap: list[tuple[bool, Any, int]] = []
        for member in members:
            self._hope(member, heap)
        while heap:
            _, _, member = heappop(heap)
            step = self._best_step(member, most_moved - self.n_moved)
            if step is None:
                continue
            if heap and step.rank > heap[0][:2]:
                heappush(heap, (*step.rank, member))
                continue
            touched = self.take(step, why)
            for other in touched:
                self._hope(other, heap)

    def take(self, step: Step, why: MoveReason) -> list[int]:
        """Take a step; who takes the place of somebody who comes home is away for their reason."""
        back = [self.why[member] for member, group in step.moves if group == self.home[member] and member in self.why]
        touched: dict[int, None] = {}
        for member, group in step.moves:
            is_new = self.home[member] >= 0 and group != self.home[member] and member not in self.why
            self.put(member, group, (back.pop() if back else why) if is_new else None)
            touched.update(dict.fromkeys((member, *self.ties_of(member)[0])))
        return list(touched)

    def _hope(self, member: int, heap: list[tuple[bool, Any, int]]) -> None:
        """Queue a member by the most that a move of theirs could buy, were there room everywhere."""
        ties, own = self.ties_by_group(member), self.group[member]
        if own < 0:
            return
        here = ties.get(own, 0)
        best = max((weight for group, weight in ties.items() if group != own), default=0)
        if best - here > self._least:
            is_free = self.home[member] < 0 or self.home[member] != own
            heappush(heap, (not is_free, here - best, member))

    def _best_step(self, member: int, budget: int) -> Step | None:
        """Return the best step in which a member goes where they have more ties, None for none within the budget."""
        ties, own = self.ties_by_group(member), self.group[member]
        here = ties.get(own, 0)
        targets = sorted(((weight - here, group) for group, weight in ties.items() if group != own), reverse=True)
        best: Step | None = None
        for gain, group in targets[:_MOST_TARGETS]:
            if gain <= self._least:
                break
            for step in self._steps(member, group, gain):
                if step.gain > self._least and step.cost <= budget and (best is None or step.rank < best.rank):
                    best = step
        return best

    def _steps(self, member: int, group: int, gain: Any) -> list[Step]:  # noqa: ANN401
        """Return the ways for a member to get into a group: a move if there is room, else swaps and chains."""
        cost = self.cost(member, group)
        can_shrink = self.can_shrink(member)
        if can_shrink and len(self.members[group]) < self.most[group] and not self.meets(member, group):
            return [Step(gain, cost, ((member, group),))]
        swap = self._best_partner(member, group, gain, cost)
        chain = self._best_evicted(member, group, gain, cost) if can_shrink else None
        return [step for step in (swap, chain) if step is not None]

    def can_shrink(self, member: int) -> bool:
        """Return whether somebody's group does without them."""
        own = self.group[member]
        return len(self.members[own]) > self.least[own] and self.may_leave(member)

    def _best_partner(self, member: int, group: int, gain: Any, cost: int) -> Step | None:  # noqa: ANN401
        """Return the best swap of a member with somebody of another group."""
        own = self.group[member]
        best: Step | None = None
        for other in sorted(self.members[group]):
            if not self._may_swap(member, other):
                continue
            ties = self.ties_by_group(other)
            bought = gain + ties.get(own, 0) - ties.get(group, 0)
            if bought <= 0 or (best is not None and bought < best.gain and best.cost <= cost):
                continue
            bought -= 2 * self.tie(member, other)
            step = Step(bought, cost + self.cost(other, own), ((member, group), (other, own)))
            if best is None or step.rank < best.rank:
                best = step
        return best

    def _may_swap(self, member: int, other: int) -> bool:
        """Return whether two members may swap: both groups keep their leaders, and nobody meets whom they may not."""
        if self.is_fixed[member] or self.is_fixed[other]:
            return False
        if self.shuns:
            own, theirs = self.group[member], self.group[other]
            if self.meets(member, theirs, leaving=other) or self.meets(other, own, leaving=member):
                return False
        if self.is_leader[member] == self.is_leader[other]:
            return True
        return self.may_leave(member) and self.may_leave(other)

    def _best_evicted(self, member: int, group: int, gain: Any, cost: int) -> Step | None:  # noqa: ANN401
        """Return the best chain in which somebody of a full group goes on to a third one with room."""
        own = self.group[member]
        best: Step | None = None
        for other in sorted(self.members[group]):
            if not self.may_leave(other) or (self.shuns and self.meets(member, group, leaving=other)):
                continue
            ties = self.ties_by_group(other)
            here = ties.get(group, 0)
            for third, weight in ties.items():
                if third in (own, group) or len(self.members[third]) >= self.most[third]:
                    continue
                if self.shuns and self.meets(other, third):
                    continue
                bought = gain + weight - here
                if bought <= 0:
                    continue
                bought -= self.tie(member, other)
                step = Step(bought, cost + self.cost(other, third), ((member, group), (other, third)))
                if best is None or step.rank < best.rank:
                    best = step
        return best

    # --- steps that bring somebody home ---

    def come_home(self) -> None:
        """Bring members home again as long as fewer are away after a step, whatever it keeps."""
        away = True
        while away:
            away = False
            for member, home in enumerate(self.home):
                if home in (NOWHERE, self.group[member]) or self.is_fixed[member] or not self.members[home]:
                    continue
                step = self._way_home(member, home)
                if step is not None:
                    self.take(step, self.why[member])
                    away = True

    def _way_home(self, member: int, home: int) -> Step | None:
        """Return the best step home: a move where there is room, or a swap with somebody who is away or new there."""
        ties, own = self.ties_by_group(member), self.group[member]
        gain, cost = ties.get(home, 0) - ties.get(own, 0), self.cost(member, home)
        if self.can_shrink(member) and len(self.members[home]) < self.most[home] and not self.meets(member, home):
            return Step(gain, cost, ((member, home),))
        best: Step | None = None
        for other in sorted(self.members[home]):
            if self.home[other] == home or not self._may_swap(member, other):
                continue
            theirs = self.ties_by_group(other)
            bought = gain + theirs.get(own, 0) - theirs.get(home, 0) - 2 * self.tie(member, other)
            step = Step(bought, cost + self.cost(other, own), ((member, home), (other, own)))
            if best is None or (step.cost, -step.gain) < (best.cost, -best.gain):
                best = step
        return best


def worth_asking(neighbours: Neighbours, codes: IntArray, n_groups: int) -> IntArray:
    """Return the members who have more ties into another group than into their own.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> ties = InteractionGraph.from_ties([0, 1], [1, 2], [1, 5]).neighbours()
    >>> worth_asking(ties, np.array([0, 0, 1]), 2).tolist()
    [1, 2]
    """
    member = neighbours.rows()
    key = member * n_groups + codes[neighbours.neighbour]
    order = np.argsort(key, kind="stable")
    key, weight = key[order], neighbours.weight[order]
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else np.zeros(0, dtype=np.intp)
    if not len(first):
        return np.zeros(0, dtype=np.int64)
    total: NDArray[Any] = np.add.reduceat(weight, first)
    who, group = np.divmod(key[first], n_groups)
    own = group == codes[who]
    here = np.zeros(len(codes), dtype=total.dtype)
    here[who[own]] = total[own]
    return each_once(who[~own & (total > here[who])])
