"""Which attempts of an ordered or strict funnel go how far, and which chain is each member's witness?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.funnel.attempts import NO_TICK, Found, Judged, Matcher, choose, most_of_group
from shequn.funnel.excluding import Excluding
from shequn.funnel.knots import Knots, changes
from shequn.funnel.matching import Service
from shequn.funnel.paths import Paths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.funnel.attempts import Attempts, Eligible, KeyOf
    from shequn.funnel.parts import Part
    from shequn.funnel.reading import Reading

__all__ = ["Ordered"]


class Ordered(Matcher):
    """Ordered and strict funnels."""

    def __init__(self, reading: Reading, eligible: Eligible, key_of: KeyOf | None, with_witness: bool) -> None:
        super().__init__(reading, eligible, key_of, with_witness)
        self.excluding: list[Excluding] = [
            Excluding.of(reading, number) for number in range(len(self.rules.exclusions))
        ]
        self._spanning = [number for number, (low, high) in enumerate(self.rules.exclusions) if high > low + 1]
        self.needs_rows: bool = reading.is_once or bool(self._spanning)
        may_stay = reading.funnel.ties == "free" and not reading.clock.min_gap
        self._service = Service(self.rules, may_stay=may_stay, is_once=reading.is_once)

    def _read(self, part: Part) -> tuple[Paths, NDArray[np.int16]]:
        """Return the ways through a part, and the depth of each attempt."""
        excluding = [rows.in_part(part) for rows in self.excluding]
        knots = None
        if self.needs_rows:
            knots = Knots.of(part, self._service, {number: excluding[number] for number in self._spanning})
        paths = Paths(part, self.rules, [clock for clock, _ in excluding], knots)
        return paths, paths.depths()

    def judge(self, part: Part) -> Judged:
        """Return every attempt, with the earliest clean chain of its depth."""
        paths, depth = self._read(part)
        end = paths.clock[0].copy()
        for reached, last in enumerate(self.rules.required, start=1):
            here = depth == reached
            if here.any():
                end[here] = paths.finish(last, is_clean=True)[here]
        return Judged(paths.at[0], depth, end)

    def match(self, part: Part) -> Found:
        """Return the level, and if wanted the witness, of each group of a part."""
        paths, depth = self._read(part)
        if self.wanted == "pairs":
            return self._levels(part, part.units(paths.clock[0]), depth)
        attempts, member, key, level = self._attempts(part, paths.at[0], depth)
        if not self.with_witness:
            return self._without_witness(member, key, level)
        return self._found(part, member, key, level, self._witnesses(part, paths, attempts, level))

    # ── the witness ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _witnesses(self, part: Part, paths: Paths, attempts: Attempts, level: NDArray[np.int16]) -> IntArray:
        """Return the places of each group's witness."""
        could = (attempts.depth == level[attempts.group]) & (attempts.depth > 0)
        groups: list[IntArray] = []
        chains: list[IntArray] = []
        for depth in np.unique(attempts.depth[could]).tolist():
            chosen = np.flatnonzero(could & (attempts.depth == depth))
            group, places = self._walked(paths, attempts, chosen, depth)
            groups.append(group)
            chains.append(places)
        witness = np.full((len(level), self.rules.n_steps), -1, dtype=np.int64)
        if groups:
            places = np.concatenate(chains)
            has = places >= 0
            taken = has[:, sorted(self.rules.optional)].sum(axis=1)
            tick = part.ticks(part.clock[places])
            first = tick[:, 0]
            length = np.where(has, tick, -1).max(axis=1) - first
            cost = {"first": first, "last": -first, "shortest": length}[self.reading.funnel.entry]
            choose(part, np.concatenate(groups), places, (-taken, cost), witness)
        return witness

    def _walked(self, paths: Paths, attempts: Attempts, chosen: IntArray, depth: int) -> tuple[IntArray, IntArray]:
        """Walk the best attempts of each group, one a unit, by each step they may end with."""
        entries, group, tick = attempts.number[chosen], attempts.group[chosen], attempts.tick[chosen]
        lasts = list(self.rules.last_steps(depth))
        most = np.stack([paths.most_optional(entries, last) for last in lasts])
        best = most_of_group(group, most.max(axis=0))
        length = np.full(most.shape, NO_TICK, dtype=np.int64)
        for row, last in enumerate(lasts):
            for n_optional, ends in enumerate(paths.ends(last, is_clean=True)[0]):
                here = (most[row] >= n_optional) & (best == n_optional)
                length[row, here] = np.minimum(ends[entries[here]] - paths.clock[0][entries[here]], NO_TICK)
        in_time = length <= self.reading.clock.within
        kind = self.reading.funnel.entry
        cost = length.min(axis=0) if kind == "shortest" else (-tick if kind == "last" else tick)
        cost = np.where(in_time.any(axis=0), cost, NO_TICK)
        keep = (cost == -most_of_group(group, -cost)) & in_time.any(axis=0)
        first = _first_attempts(paths, group, entries, keep)
        found_groups: list[IntArray] = []
        found: list[IntArray] = []
        for row, last in enumerate(lasts):
            bound = cost if kind == "shortest" else np.full(len(cost), self.reading.clock.within)
            here = first[length[row, first] <= bound[first]]
            walked = paths.walk(entries[here], last, best[here], paths.clock[0][entries[here]] + bound[here])
            found_groups.append(group[here])
            found.append(walked)
        return np.concatenate(found_groups), np.concatenate(found)


def _first_attempts(paths: Paths, group: IntArray, entries: IntArray, keep: BoolArray) -> IntArray:
    """Return the first attempt that is kept of each group and unit.

    At one instant that of the first row; at a knot that of the first row of each type, for which steps can be matched
    there depends on it.
    """
    kept = np.flatnonzero(keep)
    group, clock = group[kept], paths.clock[0][entries[kept]]
    unit, stay = paths.part.units(clock), paths.stay_of_entries(entries[kept])
    order = np.lexsort((kept, stay, clock, group))
    group, clock, unit, stay = group[order], clock[order], unit[order], stay[order]
    new = changes(group, unit)
    earliest = clock[new][np.cumsum(new) - 1]
    first: IntArray = kept[order[changes(group, clock, stay) & (clock == earliest)]]
    return first
