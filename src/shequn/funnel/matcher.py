"""Which of a member's attempts speaks for the member? Parts are matched one by one, whatever the order is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import attrs
import numpy as np

from shequn.funnel.anyorder import AnyOrder, most_distinct, rows_of_distinct
from shequn.funnel.exact import Instant, Limits, OneMember
from shequn.funnel.excluding import Excluding
from shequn.funnel.hops import Hops, can_hop
from shequn.funnel.parts import for_each_part
from shequn.funnel.paths import Paths
from shequn.funnel.rules import Rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.funnel.parts import Part
    from shequn.funnel.reading import Reading

__all__ = ["Eligible", "FirstAttempts", "Found", "KeyOf", "find", "find_first"]

_NO_TICK = int(np.iinfo(np.int64).max)


class KeyOf(Protocol):
    """What attempts of one member are told apart by: a period, the value of a column at the entry row."""

    def __call__(self, rows: IntArray | None, at_us: IntArray) -> IntArray:
        """Return a code, -1 or more, for each entry row and instant."""
        ...


@attrs.frozen
class Eligible:
    """Attempts that count: those whose entry falls into [start_us, end_us)."""

    start_us: int | None = None
    end_us: int | None = None

    def mask(self, at_us: IntArray) -> BoolArray:
        """Return which instants of entries count."""
        mask = np.ones(len(at_us), dtype=np.bool_)
        if self.start_us is not None:
            mask &= at_us >= self.start_us
        if self.end_us is not None:
            mask &= at_us < self.end_us
        return mask


class Found(NamedTuple):
    """One row a group: a member, or a member with one key. By member, then key."""

    member: IntArray
    key: IntArray
    level: NDArray[np.int16]  # 0: every attempt is tainted
    places: IntArray  # (n, n_steps) rows of the witness, or none; -1 where a step has none
    at_us: IntArray  # (n, n_steps) their instants

    def some(self, groups: BoolArray) -> Found:
        """Return some of the groups."""
        return Found(self.member[groups], self.key[groups], self.level[groups], self.places[groups], self.at_us[groups])


class _Attempts(NamedTuple):
    """The attempts of one part that count, by group."""

    place: IntArray  # in the part
    unit: IntArray
    tick: IntArray
    depth: NDArray[np.int16]
    group: IntArray  # 0, 1, … in the order of member and key
    number: IntArray  # which of all attempts of the part


def find(
    reading: Reading,
    eligible: Eligible,
    *,
    key_of: KeyOf | None = None,
    with_witness: bool = True,
    needs_rows: bool = False,
) -> Found:
    """Match a whole log.

    Parameters
    ----------
    key_of : callable, optional
        Tells attempts of one member apart; a group is then a member and a key.
    with_witness : bool
        Whether rows and instants are wanted, or levels alone.
    needs_rows : bool
        Whether `key_of` looks at rows.
    """
    matcher = _matcher_of(reading)(reading, eligible, key_of, with_witness)
    parts = for_each_part(reading, matcher, with_rows=with_witness or needs_rows or matcher.needs_rows)
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        nowhere = np.zeros((0, reading.n_steps), dtype=np.int64)
        return Found(none, none, none.astype(np.int16), nowhere, nowhere)
    return Found(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


class Judged(NamedTuple):
    """Every attempt of one part."""

    place: IntArray  # of its entry
    depth: NDArray[np.int16]
    end: IntArray  # clock at which it can first reach its depth


class FirstAttempts(NamedTuple):
    """The first attempt of each member that counts."""

    member: IntArray
    depth: NDArray[np.int16]
    entry_us: IntArray
    elapsed_us: IntArray  # until its depth is reached
    row: IntArray


def find_first(reading: Reading, eligible: Eligible, *, with_rows: bool = False) -> FirstAttempts:
    """Return the first attempt of each member that counts, over a whole log that has rows."""
    matcher = _matcher_of(reading)(reading, eligible, None, False)
    parts = for_each_part(reading, matcher.first, with_rows=with_rows or matcher.needs_rows)
    return FirstAttempts(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _matcher_of(reading: Reading) -> type[_Matcher]:
    if reading.funnel.order == "any":
        return _AnyOrder
    return _Hopping if can_hop(reading) else _Ordered


class _Matcher:
    """What all kinds of order share: the choice among attempts."""

    needs_rows = False

    def __init__(self, reading: Reading, eligible: Eligible, key_of: KeyOf | None, with_witness: bool) -> None:
        self.reading, self.eligible, self.key_of, self.with_witness = reading, eligible, key_of, with_witness
        self.rules = Rules.of(reading.funnel)

    def __call__(self, part: Part) -> Found:
        """Return the level, and if wanted the witness, of each group of a part."""
        raise NotImplementedError

    def judge(self, part: Part) -> Judged:
        """Return every attempt of a part, with its depth."""
        raise NotImplementedError

    def first(self, part: Part) -> FirstAttempts:
        """Return each member's first attempt that counts; of several at one instant the deepest, then the fastest."""
        place, depth, end = self.judge(part)
        clock = part.clock[place]
        ticks, ends = part.ticks(clock), part.ticks(end)
        at_us = self.reading.clock.instants(ticks)
        keep = np.flatnonzero(self.eligible.mask(at_us))
        member = part.members_of(part.units(clock))
        order = keep[np.lexsort((ends[keep], -depth[keep], ticks[keep], member[keep]))]
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = member[order[1:]] != member[order[:-1]]
        best = order[new]
        elapsed = (ends[best] - ticks[best]) * self.reading.clock.unit_us
        rows = np.full(len(best), -1, dtype=np.int64) if part.rows is None else part.rows[place[best]]
        return FirstAttempts(member[best], depth[best], at_us[best], elapsed, rows)

    def _attempts(
        self, part: Part, place: IntArray, depth: NDArray[np.int16]
    ) -> tuple[_Attempts, IntArray, IntArray, NDArray[np.int16]]:
        """Return the attempts that count, and member, key and level of each group."""
        clock = part.clock[place]
        at_us = self.reading.clock.instants(part.ticks(clock))
        number = np.flatnonzero(self.eligible.mask(at_us))
        place, clock, at_us, depth = place[number], clock[number], at_us[number], depth[number]
        unit = part.units(clock)
        member = part.members_of(unit)
        if self.key_of is None:
            key = np.zeros(len(member), dtype=np.int64)
        else:
            key = self.key_of(None if part.rows is None else part.rows[place], at_us)
        pairs = np.stack([member, key])
        order = np.lexsort((key, member)) if self.key_of is not None else np.arange(len(member))
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = (pairs[:, order[1:]] != pairs[:, order[:-1]]).any(axis=0)
        group = np.empty(len(order), dtype=np.int64)
        group[order] = np.cumsum(new) - 1
        firsts = order[new]
        level = np.maximum.reduceat(depth[order], np.flatnonzero(new)) if len(order) else depth
        attempts = _Attempts(place, unit, part.ticks(clock), depth, group, number)
        return attempts, member[firsts], key[firsts], level

    def _found(self, part: Part, member: IntArray, key: IntArray, level: NDArray[np.int16], places: IntArray) -> Found:
        """Return what was found, with the rows and instants that stand at the places of the witnesses."""
        has = places >= 0
        rows = np.full(places.shape, -1, dtype=np.int64)
        at_us = np.full(places.shape, np.iinfo(np.int64).min, dtype=np.int64)
        assert part.rows is not None  # noqa: S101  (they were asked for)
        rows[has] = part.rows[places[has]]
        at_us[has] = self.reading.clock.instants(part.ticks(part.clock[places[has]]))
        return Found(member, key, level, rows, at_us)

    def _without_witness(self, member: IntArray, key: IntArray, level: NDArray[np.int16]) -> Found:
        nowhere = np.zeros((len(member), 0), dtype=np.int64)
        return Found(member, key, level, nowhere, nowhere)


class _Hopping(_Matcher):
    """Ordered funnels without conditions that could make a later row the better one to take."""

    def __call__(self, part: Part) -> Found:
        hops = Hops(part)
        if not self.with_witness and self.key_of is None and self.eligible == Eligible():
            return self._levels(part, hops.levels())
        depth, end = hops.depths()
        attempts, member, key, level = self._attempts(part, hops.entries, depth)
        if not self.with_witness:
            return self._without_witness(member, key, level)
        length = end - part.clock[hops.entries]
        kind = self.reading.funnel.entry
        tick = attempts.tick
        cost = {"first": tick, "last": -tick, "shortest": length[attempts.number]}[kind]
        cost = np.where(attempts.depth == level[attempts.group], cost, _NO_TICK)
        best = cost == -_most_of_group(attempts.group, -cost)
        chosen = _first_of_pair(attempts.group, attempts.unit, best)
        places = hops.walk(attempts.place[chosen], attempts.depth[chosen])
        witness = np.full((len(level), self.rules.n_steps), -1, dtype=np.int64)
        if self.reading.units.values is None:
            witness[attempts.group[chosen]] = places
        else:
            _choose(part, attempts.group[chosen], places, (cost[chosen],), witness)
        return self._found(part, member, key, level, witness)

    def judge(self, part: Part) -> Judged:
        """Return every attempt, which takes the next row of the next step each time."""
        hops = Hops(part)
        return Judged(hops.entries, *hops.depths())

    def _levels(self, part: Part, level: NDArray[np.int16]) -> Found:
        """Return the level of each member, over the units of the member."""
        units = np.flatnonzero(level)
        member = part.members_of(units)
        level = level[units]
        if self.reading.units.values is not None and len(member):
            firsts = np.flatnonzero(np.diff(member, prepend=-1))
            member, level = member[firsts], np.maximum.reduceat(level, firsts)
        return self._without_witness(member, np.zeros(len(member), dtype=np.int64), level)


class _Ordered(_Matcher):
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

    def __call__(self, part: Part) -> Found:
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
        self, part: Part, paths: Paths, knots: dict[int, OneMember], attempts: _Attempts, level: NDArray[np.int16]
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
            _choose(part, np.concatenate(groups), places, (-taken, cost), witness)
        return witness

    def _walked(self, paths: Paths, attempts: _Attempts, chosen: IntArray, depth: int) -> tuple[IntArray, IntArray]:
        """Walk the best attempts of each group, one a unit, by each step they may end with."""
        entries, group, tick = attempts.number[chosen], attempts.group[chosen], attempts.tick[chosen]
        lasts = list(self.rules.last_steps(depth))
        most = np.stack([paths.most_optional(entries, last) for last in lasts])
        best = _most_of_group(group, most.max(axis=0))
        length = np.full(most.shape, _NO_TICK, dtype=np.int64)
        for row, last in enumerate(lasts):
            for n_optional, ends in enumerate(paths.ends(last, is_clean=True)[0]):
                here = (most[row] >= n_optional) & (best == n_optional)
                length[row, here] = np.minimum(ends[entries[here]] - paths.clock[0][entries[here]], _NO_TICK)
        in_time = length <= self.limits.within
        kind = self.reading.funnel.entry
        cost = length.min(axis=0) if kind == "shortest" else (-tick if kind == "last" else tick)
        cost = np.where(in_time.any(axis=0), cost, _NO_TICK)
        keep = (cost == -_most_of_group(group, -cost)) & in_time.any(axis=0)
        # Of equally good attempts of a unit the earliest counts, and at one instant that of the first row.
        first = _first_of_pair(group, attempts.unit[chosen], keep)
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
        self, part: Part, knots: dict[int, OneMember], attempts: _Attempts, chosen: IntArray
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


class _AnyOrder(_Matcher):
    """Funnels whose steps come in any order."""

    def __init__(self, reading: Reading, eligible: Eligible, key_of: KeyOf | None, with_witness: bool) -> None:
        super().__init__(reading, eligible, key_of, with_witness)
        self._is_once = reading.funnel.reuse == "once" and reading.is_overlapping
        self.needs_rows = self._is_once

    def judge(self, part: Part) -> Judged:
        """Return the windows that begin at each instant; the end is that of the first way to serve all that it can."""
        windows = AnyOrder(part, self.rules.n_steps)
        begins = windows.begins
        depth, competing = self._depths(part, windows, begins)
        places = windows.first_rows(begins)
        end = np.where(places >= 0, part.clock[places], -1).max(axis=1, initial=-1)
        for line in np.flatnonzero(competing[begins]).tolist():
            served: list[frozenset[int]] = []
            for clock, _, steps, _ in self._window(part, int(begins[line])):
                served.append(steps)
                if most_distinct(served) == depth[line]:
                    end[line] = clock
                    break
        return Judged(begins, depth, end)

    def _depths(self, part: Part, windows: AnyOrder, begins: IntArray) -> tuple[NDArray[np.int16], BoolArray]:
        """Return how many steps each window serves, and which entries are of units whose rows compete for steps."""
        depth = (windows.first_rows(begins) >= 0).sum(axis=1).astype(np.int16)
        competing = self._competing(part)
        for line in np.flatnonzero(competing[begins]).tolist():
            depth[line] = most_distinct([steps for _, _, steps, _ in self._window(part, int(begins[line]))])
        return depth, competing

    def __call__(self, part: Part) -> Found:
        windows = AnyOrder(part, self.rules.n_steps)
        begins = windows.begins if self.key_of is None else np.arange(len(part.clock))
        depth, competing = self._depths(part, windows, begins)
        attempts, member, key, level = self._attempts(part, begins, depth)
        if not self.with_witness:
            return self._without_witness(member, key, level)
        could = np.flatnonzero(attempts.depth == level[attempts.group])
        assert part.rows is not None  # noqa: S101  (they were asked for)
        group, unit, place = attempts.group[could], attempts.unit[could], attempts.place[could]
        order = np.lexsort((part.rows[place], attempts.tick[could], unit, group))
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = (group[order[1:]] != group[order[:-1]]) | (unit[order[1:]] != unit[order[:-1]])
        best = place[order[new]]
        places = windows.first_rows(best)
        for line in np.flatnonzero(competing[best]).tolist():
            places[line] = self._served(part, int(best[line]))
        witness = np.full((len(level), self.rules.n_steps), -1, dtype=np.int64)
        _choose(part, group[order[new]], places, (part.ticks(part.clock[best]),), witness)
        return self._found(part, member, key, level, witness)

    def _competing(self, part: Part) -> BoolArray:
        """Return the entries of units in which a row matches several steps, and may serve only one."""
        if not self._is_once or part.rows is None:
            return np.zeros(len(part.clock), dtype=np.bool_)
        unit = part.units(part.clock)
        order = np.argsort(part.rows, kind="stable")
        twice = part.rows[order[1:]] == part.rows[order[:-1]]
        multi = np.zeros(part.n_units, dtype=np.bool_)
        multi[unit[order[1:][twice]]] = True
        return multi[unit]

    def _window(self, part: Part, begin: int) -> list[tuple[int, int, frozenset[int], dict[int, int]]]:
        """Return the rows of a window: tick, number, steps, and the place of the row for each step."""
        assert part.rows is not None  # noqa: S101  (they were asked for)
        start = int(part.clock[begin])
        low = int(np.searchsorted(part.clock, start))
        stop = int(np.searchsorted(part.clock, start + self.reading.clock.within, side="right"))
        places: dict[tuple[int, int], dict[int, int]] = {}
        for place in range(low, stop):
            key = (int(part.clock[place]), int(part.rows[place]))
            places.setdefault(key, {})[int(part.step[place])] = place
        return [(tick, number, frozenset(steps), steps) for (tick, number), steps in sorted(places.items())]

    def _served(self, part: Part, begin: int) -> IntArray:
        assert part.rows is not None  # noqa: S101  (they were asked for)
        window = self._window(part, begin)
        rows = [(tick, number, steps) for tick, number, steps, _ in window]
        tick = int(part.clock[begin])
        # Any row of the first instant may be the one that is used there.
        found: list[tuple[list[Any], IntArray]] = []
        for entry in (place for place, (at, _, _) in enumerate(rows) if at == tick):
            chosen, _ = rows_of_distinct(rows, entry, self.rules.n_steps)
            taken: list[int] = chosen.tolist()
            instants = [rows[place][0] if place >= 0 else _NO_TICK for place in taken]
            numbers = [rows[place][1] if place >= 0 else _NO_TICK for place in taken]
            places = [window[place][3][step] if place >= 0 else -1 for step, place in enumerate(taken)]
            found.append(([*instants, *numbers], np.array(places, dtype=np.int64)))
        return min(found, key=lambda pair: pair[0])[1]


def _choose(part: Part, group: IntArray, places: IntArray, costs: tuple[IntArray, ...], witness: IntArray) -> None:
    """Put the cheapest chain of each group into its place; of equal ones the earliest, step by step."""
    assert part.rows is not None  # noqa: S101  (they were asked for)
    has = places >= 0
    tick = np.where(has, part.ticks(part.clock[places]), _NO_TICK)
    row = np.where(has, part.rows[places], _NO_TICK)
    order = np.lexsort([group, *costs, *tick.T, *row.T][::-1])
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = group[order[1:]] != group[order[:-1]]
    witness[group[order[new]]] = places[order[new]]


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


def _most_of_group(group: IntArray, values: NDArray[Any]) -> NDArray[Any]:
    """Return, for each entry, the largest value in its group."""
    if not len(group):
        return values
    most = np.full(int(group.max()) + 1, np.iinfo(np.int64).min, dtype=np.int64)
    np.maximum.at(most, group, values)
    return most[group]


def _first_of_pair(group: IntArray, unit: IntArray, keep: BoolArray) -> IntArray:
    """Return the first entry that is kept of each group and unit."""
    kept = np.flatnonzero(keep)
    order = np.lexsort((kept, unit[kept], group[kept]))
    kept = kept[order]
    new = np.ones(len(kept), dtype=np.bool_)
    new[1:] = (group[kept[1:]] != group[kept[:-1]]) | (unit[kept[1:]] != unit[kept[:-1]])
    return kept[new]
