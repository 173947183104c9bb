"""How far does each attempt get, where any later row of the next step will do?

Without gaps, exclusions, optional steps or interruptions the next row of the next step is always the best one to take:
whatever is reached from a later one is reached from it. So an attempt hops from row to row, and each hop is a look-up.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from shequn.funnel.attempts import NO_TICK, Found, Judged, Matcher, choose, first_of_pair, most_of_group

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.funnel.parts import Part
    from shequn.funnel.reading import Reading

__all__ = ["Hopping", "can_hop"]

_FEW = 8  # looking up a place costs about as much as counting this many


def can_hop(reading: Reading) -> bool:
    """Tell whether the next row of the next step is always the best to take."""
    funnel, clock = reading.funnel, reading.clock
    has_gaps = clock.min_gap > 0 or clock.max_gap < min(clock.within, clock.span)
    return funnel.order == "ordered" and not (has_gaps or funnel.exclusions or funnel.optional or reading.is_once)


class Hopping(Matcher):
    """Ordered funnels without conditions that could make a later row the better one to take."""

    def match(self, part: Part) -> Found:
        """Return the level, and if wanted the witness, of each group of a part."""
        hops = _Hops(part)
        if self.wanted == "pairs":
            level = hops.levels()
            units = np.flatnonzero(level)
            return self._levels(part, units, level[units])
        depth, end = hops.depths()
        attempts, member, key, level = self._attempts(part, hops.entries, depth)
        if not self.with_witness:
            return self._without_witness(member, key, level)
        length = end - part.clock[hops.entries]
        kind = self.reading.funnel.entry
        tick = attempts.tick
        cost = {"first": tick, "last": -tick, "shortest": length[attempts.number]}[kind]
        cost = np.where(attempts.depth == level[attempts.group], cost, NO_TICK)
        best = cost == -most_of_group(attempts.group, -cost)
        chosen = first_of_pair(attempts.group, attempts.unit, best)
        places = hops.walk(attempts.place[chosen], attempts.depth[chosen])
        witness = np.full((len(level), self.rules.n_steps), -1, dtype=np.int64)
        if self.reading.units.values is None:
            witness[attempts.group[chosen]] = places
        else:
            choose(part, attempts.group[chosen], places, (cost[chosen],), witness)
        return self._found(part, member, key, level, witness)

    def judge(self, part: Part) -> Judged:
        """Return every attempt, which takes the next row of the next step each time."""
        hops = _Hops(part)
        return Judged(hops.entries, *hops.depths())


class _Hops:
    """The attempts of one part, each by its earliest way."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self._n_steps = part.reading.n_steps
        self._within = part.reading.clock.within
        self._at: dict[int, IntArray] = {}
        self._n_before: dict[int, NDArray[np.int32]] = {}

    @cached_property
    def entries(self) -> IntArray:
        """Return the place of each attempt's entry row."""
        return np.flatnonzero(self.part.step == 0)

    def _next(self, place: IntArray, step: int) -> tuple[IntArray, BoolArray]:
        """Return the place of the next row of a step after each place, and whether there is one."""
        if step not in self._at:
            self._at[step] = np.flatnonzero(self.part.step == step)
        at = self._at[step]
        if len(place) * _FEW < len(self.part.step):
            turn: IntArray = np.searchsorted(at, place)
        else:
            if step not in self._n_before:
                self._n_before[step] = np.cumsum(self.part.step == step, dtype=np.int32)
            turn = self._n_before[step][place].astype(np.int64)
        there = turn < len(at)
        if not len(at):
            return place, there
        return at.take(turn, mode="clip"), there

    def levels(self) -> NDArray[np.int16]:
        """Return the depth of each unit's deepest attempt; 0 where it has none."""
        clock = self.part.clock
        level = np.zeros(self.part.n_units, dtype=np.int16)
        place = self.entries
        start = clock.take(place)
        level[self.part.units(start)] = 1
        deadline = start + self._within
        for step in range(1, self._n_steps):
            if not len(place):
                break
            place, there = self._next(place, step)
            # Of attempts that hop to one row the latest has the most time left.
            there[:-1] &= (place[1:] != place[:-1]) | ~there[1:]
            end = clock.take(place)
            there &= end <= deadline
            on = np.flatnonzero(there)
            place, deadline = place.take(on), deadline.take(on)
            level[self.part.units(end.take(on))] = step + 1
        return level

    def depths(self) -> tuple[NDArray[np.int16], IntArray]:
        """Return how many steps each attempt reaches, and the clock at which it reaches the last of them."""
        clock = self.part.clock
        depth = np.ones(len(self.entries), dtype=np.int16)
        end = clock[self.entries]
        number = np.arange(len(self.entries))
        place, deadline = self.entries, end + self._within
        for step in range(1, self._n_steps):
            if not len(place):
                break
            place, there = self._next(place, step)
            there &= clock[place] <= deadline
            place, deadline, number = place[there], deadline[there], number[there]
            depth[number] = step + 1
            end[number] = clock[place]
        return depth, end

    def walk(self, place: IntArray, depth: NDArray[np.int16]) -> IntArray:
        """Return the places of the ways of some attempts, shape (n, n_steps); -1 is not reached."""
        places = np.full((len(place), self._n_steps), -1, dtype=np.int64)
        places[:, 0] = place
        for step in range(1, int(depth.max(initial=1))):
            on = np.flatnonzero(depth > step)
            places[on, step], _ = self._next(places[on, step - 1], step)
        return places
