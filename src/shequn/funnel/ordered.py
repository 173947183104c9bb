"""Which attempts of an ordered or strict funnel go how far, and which chain is each member's witness?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.funnel.attempts import NO_TICK, Found, Judged, Matcher, choose, first_of_pair, most_of_group
from shequn.funnel.exact import Instant, Limits, OneMember
from shequn.funnel.excluding import Excluding
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
        self.excluding = [Excluding.of(reading, number) for number in range(len(self.rules.exclusions))]
        self._spanning = [number for number, (low, high) in enumerate(self.rules.exclusions) if high > low + 1]
        self.needs_rows = reading.is_once or bool(self._spanning)
        clock, funnel = reading.clock, reading.funnel
        self.limits = Limits(
            within=clock.within,
            min_gap=clock.min_gap,
            max_gap=clock.max_gap,
            is_strict=funnel.order == "strict",
            ties_increase=funnel.ties == "increase",
            is_once=reading.is_once,
        )

    def _read(self, part: Part) -> tuple[Paths, dict[int, OneMember], NDArray[np.int16]]:
        """Return the ways through a part, those of units that need a closer look, and the depth of each attempt."""
        excluding = [rows.in_part(part) for rows in self.excluding]
        paths = Paths(part, self.rules, [clock for clock, _ in excluding])
        depth = paths.depths()
        knots = self._knots(part, paths, excluding)
        self._untie(part, paths, knots, depth)
        return paths, knots, depth

    def judge(self, part: Part) -> Judged:
        """Return every attempt, with the earliest clean chain of its depth."""
        paths, knots, depth = self._read(part)
        end = paths.clock[0].copy()
        for reached, last in enumerate(self.rules.required, start=1):
            here = depth == reached
            if here.any():
                end[here] = paths.finish(last, is_clean=True)[here]
        if knots:
            assert part.rows is not None  # noqa: S101  (they were asked for)
            unit = part.units(paths.clock[0])
            for place in np.flatnonzero(np.isin(unit, list(knots)) & (depth > 0)).tolist():
                ways, tick = knots[int(unit[place])], int(part.ticks(paths.clock[0][place]))
                row = int(part.rows[paths.at[0][place]])
                ahead = ways.first_end(ways.place_of(tick), row, int(depth[place])) - tick
                end[place] = paths.clock[0][place] + ahead
        return Judged(paths.at[0], depth, end)

    def match(self, part: Part) -> Found:
        """Return the level, and if wanted the witness, of each group of a part."""
        paths, knots, depth = self._read(part)
        attempts, member, key, level = self._attempts(part, paths.at[0], depth)
        if not self.with_witness:
            return self._without_witness(member, key, level)
        return self._found(part, member, key, level, self._witnesses(part, paths, knots, attempts, level))

    # ── where it matters which row serves which step ─────────────────────────────────────────────────────────────────

    def _knots(self, part: Part, paths: Paths, excluding: list[tuple[IntArray, IntArray]]) -> dict[int, OneMember]:
        """Return the units in which rows compete for steps, or a step's instant holds a row that excludes."""
        found: set[int] = set()
        if self.reading.is_once:
            found |= set(part.units(part.clock[_competing(part, self.rules.n_steps)]).tolist())
        for number in self._spanning:
            low, high = self.rules.exclusions[number]
            for step in range(low + 1, high):
                at_once = np.isin(paths.clock[step], excluding[number][0], assume_unique=False)
                found |= set(part.units(paths.clock[step][at_once]).tolist())
        return {unit: OneMember(_instants(part, unit, excluding), self.rules, self.limits) for unit in sorted(found)}

    def _untie(self, part: Part, paths: Paths, knots: dict[int, OneMember], depth: NDArray[np.int16]) -> None:
        """Put the exact depth of the attempts of knotted units in its place."""
        if not knots:
            return
        assert part.rows is not None  # noqa: S101  (they were asked for)
        edges = np.searchsorted(paths.clock[0], np.arange(part.n_units + 1) << part.bits)
        for unit, ways in knots.items():
            exact = {number: ways.depth(at, number) for at, number in ways.entries()}
            for place in range(int(edges[unit]), int(edges[unit + 1])):
                depth[place] = exact[int(part.rows[paths.at[0][place]])]

    # ── the witness ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _witnesses(
        self, part: Part, paths: Paths, knots: dict[int, OneMember], attempts: Attempts, level: NDArray[np.int16]
    ) -> IntArray:
        """Return the places of each group's witness."""
        could = (attempts.depth == level[attempts.group]) & (attempts.depth > 0)
        is_knot = np.isin(attempts.unit, list(knots)) if knots else np.zeros(len(could), dtype=np.bool_)
        groups: list[IntArray] = []
        chains: list[IntArray] = []
        for depth in np.unique(attempts.depth[could & ~is_knot]).tolist():
            chosen = np.flatnonzero(could & ~is_knot & (attempts.depth == depth))
            group, places = self._walked(paths, attempts, chosen, depth)
            groups.append(group)
            chains.append(places)
        if knots:
            group, places = self._untied(part, knots, attempts, np.flatnonzero(could & is_knot))
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
        in_time = length <= self.limits.within
        kind = self.reading.funnel.entry
        cost = length.min(axis=0) if kind == "shortest" else (-tick if kind == "last" else tick)
        cost = np.where(in_time.any(axis=0), cost, NO_TICK)
        keep = (cost == -most_of_group(group, -cost)) & in_time.any(axis=0)
        # Of equally good attempts of a unit the earliest counts, and at one instant that of the first row.
        first = first_of_pair(group, attempts.unit[chosen], keep)
        found_groups: list[IntArray] = []
        found: list[IntArray] = []
        for row, last in enumerate(lasts):
            bound = cost if kind == "shortest" else np.full(len(cost), self.limits.within)
            here = first[length[row, first] <= bound[first]]
            walked = paths.walk(entries[here], last, best[here], paths.clock[0][entries[here]] + bound[here])
            found_groups.append(group[here])
            found.append(walked)
        return np.concatenate(found_groups), np.concatenate(found)

    def _untied(
        self, part: Part, knots: dict[int, OneMember], attempts: Attempts, chosen: IntArray
    ) -> tuple[IntArray, IntArray]:
        """Return the witness of each group and knotted unit."""
        assert part.rows is not None  # noqa: S101  (they were asked for)
        pairs: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for number in chosen.tolist():
            unit = int(attempts.unit[number])
            at = knots[unit].place_of(int(attempts.tick[number]))
            pairs.setdefault((int(attempts.group[number]), unit), []).append(
                (at, int(part.rows[attempts.place[number]]))
            )
        depth_of = dict(zip(attempts.group[chosen].tolist(), attempts.depth[chosen].tolist(), strict=True))
        places = np.full((len(pairs), self.rules.n_steps), -1, dtype=np.int64)
        for line, ((group, unit), entries) in enumerate(pairs.items()):
            chain = knots[unit].witness(entries, depth_of[group], self.reading.funnel.entry)
            for step, row in enumerate(chain.rows):
                if row != float("inf"):
                    places[line, step] = _place(part, unit, step, int(chain.instants[step]), int(row))
        return np.array([group for group, _ in pairs], dtype=np.int64), places


def _competing(part: Part, n_steps: int) -> BoolArray:
    """Return the entries of instants at which several rows stand, and one of them matches several steps."""
    assert part.rows is not None  # noqa: S101  (they were asked for)
    matched = part.step < n_steps
    begins = np.flatnonzero(np.diff(part.clock, prepend=-1))
    instant = np.cumsum(np.diff(part.clock, prepend=-1) != 0) - 1
    n_entries = np.bincount(instant[matched], minlength=len(begins))
    several = matched & (n_entries[instant] > 1)
    order = np.lexsort((part.rows[several], instant[several]))
    instants, rows = instant[several][order], part.rows[several][order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (instants[1:] != instants[:-1]) | (rows[1:] != rows[:-1])
    n_rows = np.bincount(instants[new], minlength=len(begins))
    competing: BoolArray = matched & ((n_rows > 1) & (n_entries > n_rows))[instant]
    return competing


def _instants(part: Part, unit: int, excluding: list[tuple[IntArray, IntArray]]) -> list[Instant]:
    """Return a unit's rows, instant by instant."""
    assert part.rows is not None  # noqa: S101  (they were asked for)
    start, stop = np.searchsorted(part.clock, [unit << part.bits, (unit + 1) << part.bits]).tolist()
    steps: dict[int, dict[int, set[int]]] = {}
    for place in range(start, stop):
        tick, row, step = int(part.ticks(part.clock[place])), int(part.rows[place]), int(part.step[place])
        matched = steps.setdefault(tick, {}).setdefault(row, set())
        if step < part.reading.n_steps:
            matched.add(step)
    excluded: dict[int, list[set[int]]] = {}
    for number, (clock, rows) in enumerate(excluding):
        low, high = np.searchsorted(clock, [unit << part.bits, (unit + 1) << part.bits]).tolist()
        for place in range(low, high):
            tick = int(part.ticks(clock[place]))
            excluded.setdefault(tick, [set() for _ in excluding])[number].add(int(rows[place]))
    return [
        Instant(
            tick=tick,
            rows=tuple((row, frozenset(matched)) for row, matched in sorted(steps.get(tick, {}).items())),
            excluding=tuple(map(frozenset, excluded.get(tick, [set()] * len(excluding)))),
            is_read=tick in steps,
        )
        for tick in sorted({*steps, *excluded})
    ]


def _place(part: Part, unit: int, step: int, tick: int, row: int) -> int:
    """Return where a row that matches a step stands in a part."""
    assert part.rows is not None  # noqa: S101  (they were asked for)
    clock = tick | (unit << part.bits)
    start, stop = (int(edge) for edge in np.searchsorted(part.clock, [clock, clock + 1]))
    here = (part.step[start:stop] == step) & (part.rows[start:stop] == row)
    return start + int(np.flatnonzero(here)[0])
