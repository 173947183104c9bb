"""In which groups do those sit who must share one, or must not, so that few of them move?

Only sets are searched for: whether everybody else fits around them is arithmetic. Blocks are seated one by one, each
where it costs least, and where that leads nowhere the last choice is taken back, up to a number of steps.
"""

from __future__ import annotations

from collections import Counter
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

import attrs

from shequn.sharding.seating import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shequn.sharding.seating import Seating
    from shequn.sharding.seats import Seats

__all__ = ["BlockSeats", "Rooms"]

_NO_PRICE = 2**62
_FEW_GROUPS = 16  # so many are all asked
_MOST_STEPS = 20_000  # taken back in vain
_FEW_BLOCKS = 60  # so many are worth a search for better seats than the first
_MOST_BETTER = 1_000  # steps taken back for them


@attrs.frozen(kw_only=True)
class Rooms:
    """The groups that blocks may sit in.

    Attributes
    ----------
    is_open : list of bool
        Of each group, new ones among them, whether a block may come in; whoever is fixed sits in any.
    standing : list of int
        Members of each group whom no set is about, and who are not fixed.
    must_stay : bool
        Whether all groups stay, and no other opens.
    prefers_short : bool
        Whether groups short of members need whoever can come.
    unopened : int
        The group that would be one more than planned; -1 for none.
    """

    is_open: list[bool]
    standing: list[int]
    must_stay: bool
    prefers_short: bool
    unopened: int = NOWHERE


class BlockSeats:
    """A search for the groups of blocks.

    Attributes
    ----------
    group : dict of int to int
        The group of each block, once `found` has said yes.
    is_exhausted : bool
        Whether every way was ruled out, where none was found.
    """

    def __init__(self, seating: Seating, seats: Seats, rooms: Rooms) -> None:
        self.group: dict[int, int] = {}
        self.is_exhausted: bool = False
        self._seating, self._rooms = seating, rooms
        self._blocks, self._held = seats.blocks, seats.held
        self._n = len(seating.group)
        self._needed = seating.min_leaders
        self._free_leaders = seats.n_leaders - sum(block.leaders for block in seats.blocks) if self._needed else 0
        k = len(seating.members)
        self._size, self._leaders = [0] * k, [0] * k
        self._load = list(rooms.standing)
        self._by_load = [(load, group) for group, load in enumerate(self._load) if rooms.is_open[group]]
        heapify(self._by_load)
        self._moved, self._most = 0, _NO_PRICE
        # Over the groups that stay: seats they need, leaders they miss, and seats they have.
        self._needs, self._misses, self._room = 0, 0, 0
        self._coming = sum(block.leaders for block in self._blocks if not block.is_seated)
        for group in range(k):
            self._count(group, 1)
        self._homes = [Counter(seating.home[m] for m in held if seating.home[m] != NOWHERE) for held in self._held]
        for place, where in seats.group_of.items():
            self._add(place, int(where))
        self._items = sorted(
            (i for i, block in enumerate(self._blocks) if not block.is_seated),
            key=lambda i: (-self._blocks[i].size, -self._hold(i), i),
        )

    def found(self, price: Callable[[dict[int, int]], int], enough: int) -> bool:
        """Return whether seats were found that everybody else fits around: of a few such, those with the lowest price.

        The search ends early at a price that is low enough.
        """
        if any(self._demand(group) > self._seating.most[group] for group in set(self.group.values())):
            self.is_exhausted = True
            return False
        best: dict[int, int] | None = None
        left = _MOST_STEPS
        ways: list[Iterator[int]] = []
        while left:
            if self._can_go_on():
                if len(ways) < len(self._items):
                    ways.append(iter(self._groups_for(self._items[len(ways)])))
                elif self._completes():
                    now = price(self.group)
                    if best is None:
                        left = min(left, _MOST_BETTER if len(self._items) <= _FEW_BLOCKS else 1)
                    if best is None or now < self._most:
                        best, self._most = dict(self.group), now
                    if now <= enough:
                        break
            # One step on, or back to where there is another way.
            while ways:
                item = self._items[len(ways) - 1]
                if item in self.group:
                    self._drop(item)
                    left -= 1
                group = next(ways[-1], None)
                if group is not None:
                    self._add(item, group)
                    break
                ways.pop()
            if not ways:
                self.is_exhausted = best is None and len(self._load) <= _FEW_GROUPS
                break
            left = max(left, 0)
        self.group = best or {}
        return best is not None

    def _hold(self, item: int) -> Any:  # noqa: ANN401
        """Return what a block loses at least where it does not stay; whoever is new loses nothing."""
        held: Any = 0
        for member in self._held[item]:
            home, ties = self._seating.home[member], self._seating.ties_by_group(member)
            if home >= 0:
                held += 1 + ties.get(home, 0) - max((w for group, w in ties.items() if group != home), default=0)
        return held

    # --- where a block may go ---

    def _groups_for(self, item: int) -> list[int]:
        """Return the groups that a block may go to, the one that costs fewest moves first, and then by its ties."""
        homes = self._homes[item]
        tied: dict[int, Any] = {}
        for member in self._held[item]:
            for group, weight in self._seating.ties_by_group(member).items():
                tied[group] = tied.get(group, 0) + weight
        size, present = self._blocks[item].size, homes.total()
        ranked: list[tuple[int, Any, bool, int, int]] = []
        for group in dict.fromkeys((*homes, *tied, *self._emptiest())):
            if not self._rooms.is_open[group] or not self._takes(group, item):
                continue
            load, most = self._load[group], self._seating.most[group]
            cost = present - homes[group] + max(load + size - most, 0) - max(load - most, 0)
            if group == self._rooms.unopened:
                cost += max(self._seating.least[group] - load - size, 0)
            elif self._rooms.prefers_short:
                cost -= min(size, max(self._seating.least[group] - load, 0))
            ranked.append((cost, -tied.get(group, 0), group == self._rooms.unopened, load, group))
        return [group for *_, group in sorted(ranked)]

    def _emptiest(self) -> list[int]:
        """Return all groups where there are few, and otherwise a few with the fewest members."""
        if len(self._load) <= _FEW_GROUPS:
            return list(range(len(self._load)))
        found: dict[int, int] = {}
        while self._by_load and len(found) < _FEW_GROUPS:
            load, group = heappop(self._by_load)
            if load == self._load[group]:
                found[group] = load
        for group, load in found.items():
            heappush(self._by_load, (load, group))
        return list(found)

    def _takes(self, group: int, item: int) -> bool:
        block = self._blocks[item]
        missing = max(self._needed - self._leaders[group] - block.leaders, 0)
        if self._size[group] + block.size + missing > self._seating.most[group]:
            return False
        return not any(self.group.get(other) == group for other in block.apart)

    # --- what it leaves for everybody else ---

    def _demand(self, group: int) -> int:
        """Return the seats of a group that are taken, or kept for leaders still missing."""
        return self._size[group] + max(self._needed - self._leaders[group], 0)

    def _can_go_on(self) -> bool:
        """Return whether what is needed can still be had, at a lower price; each seat taken only adds to both."""
        if self._moved >= self._most:
            return False
        return self._needs <= self._n and self._misses - self._coming <= self._free_leaders

    def _completes(self) -> bool:
        """Return whether everybody else fits around the blocks."""
        band = self._seating.band
        others = max(-(-(self._n - self._room) // band.hi), 0)
        if self._rooms.must_stay and others:
            return False
        needs = self._needs + others * max(band.lo, self._needed)
        return needs <= self._n and self._misses + others * self._needed <= self._free_leaders

    def _count(self, group: int, sign: int) -> None:
        """Add a group to what those that stay need, or take it away."""
        if not (self._size[group] or self._rooms.must_stay):
            return
        self._needs += sign * max(self._seating.least[group], self._demand(group))
        self._misses += sign * max(self._needed - self._leaders[group], 0)
        self._room += sign * self._seating.most[group]

    def _add(self, item: int, group: int) -> None:
        self._put(item, group, 1)
        self.group[item] = group

    def _drop(self, item: int) -> None:
        self._put(item, self.group.pop(item), -1)

    def _put(self, item: int, group: int, sign: int) -> None:
        block = self._blocks[item]
        self._count(group, -1)
        self._size[group] += sign * block.size
        self._leaders[group] += sign * block.leaders
        self._load[group] += sign * block.size
        self._count(group, 1)
        homes = self._homes[item]
        self._moved += sign * (homes.total() - homes[group])
        if not block.is_seated:
            self._coming -= sign * block.leaders
        if self._rooms.is_open[group]:
            heappush(self._by_load, (self._load[group], group))
