"""How many of the steps, in any order, fall inside one window?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.funnel.attempts import NO_TICK, Eligible, Found, Judged, KeyOf, Matcher, choose
from shequn.funnel.distinct import Contest, StepSets, contests

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.funnel.parts import Part, Wanted
    from shequn.funnel.reading import Reading

__all__ = ["AnyOrder"]

_CELLS = 1 << 18  # rows laid out at a time, so that memory stays small however many may serve a step


class AnyOrder(Matcher):
    """Funnels whose steps come in any order."""

    wanted: Wanted = "all"  # any row may begin a window

    def __init__(self, reading: Reading, eligible: Eligible, key_of: KeyOf | None, with_witness: bool) -> None:
        super().__init__(reading, eligible, key_of, with_witness)
        self.needs_rows: bool = reading.is_once
        self._step_sets = StepSets(reading) if reading.is_once else None
        self._contests: dict[tuple[frozenset[int], ...], list[Contest]] = {}

    def judge(self, part: Part) -> Judged:
        """Return the windows that begin at each instant; the end is that of the first way to serve all that it can."""
        windows = self._windows(part)
        return Judged(windows.begins, windows.depths(), windows.ends())

    def match(self, part: Part) -> Found:
        """Return the level, and if wanted the witness, of each group of a part."""
        windows = self._windows(part)
        depth, entries = windows.depths(), windows.begins
        if not self.with_witness and self.key_of is None and self.eligible == Eligible():
            return self._levels(part, part.units(part.clock[entries]), depth)
        if self.key_of is not None:
            # Entries of one instant may have different keys.
            entries = np.arange(len(part.clock))
            depth = depth[windows.of(entries)]
        attempts, member, key, level = self._attempts(part, entries, depth)
        if not self.with_witness:
            return self._without_witness(member, key, level)
        could = np.flatnonzero(attempts.depth == level[attempts.group])
        group, unit, place = attempts.group[could], attempts.unit[could], attempts.place[could]
        order = np.lexsort((attempts.tick[could], unit, group))
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = (group[order[1:]] != group[order[:-1]]) | (unit[order[1:]] != unit[order[:-1]])
        best = place[order[new]]
        witness = np.full((len(level), self.rules.n_steps), -1, dtype=np.int64)
        places = windows.served(windows.of(best))
        choose(part, group[order[new]], places, (part.ticks(part.clock[best]),), witness)
        return self._found(part, member, key, level, witness)

    def _windows(self, part: Part) -> _Windows:
        if self._step_sets is None:
            return _Windows(part)
        assert part.rows is not None  # noqa: S101  (they were asked for)
        sets, set_of = self._step_sets.of(part.rows)
        if sets not in self._contests:
            self._contests[sets] = contests(sets)
        return _WindowsOfOnce(part, sets, set_of, self._contests[sets])


class _Windows:
    """The windows of one part: each instant begins one. Rows may serve several steps."""

    def __init__(self, part: Part) -> None:
        self._clock = part.clock
        self._step = part.step
        self._n_steps = part.reading.n_steps
        self.begins = np.flatnonzero(np.diff(part.clock, prepend=-1))  # the place of the first entry
        self._last = part.clock[self.begins] + part.reading.clock.within

    def of(self, places: IntArray) -> IntArray:
        """Return which window begins at the instant of each place."""
        return np.searchsorted(self.begins, places, side="right") - 1

    def depths(self) -> NDArray[np.int16]:
        """Return how many steps each window serves."""
        depth = np.zeros(len(self.begins), dtype=np.int16)
        for step in range(self._n_steps):
            depth += self._first(step)[1]
        return depth

    def ends(self) -> IntArray:
        """Return the clock by which each window has served all that it can."""
        end = np.full(len(self.begins), -1, dtype=np.int64)
        for step in range(self._n_steps):
            place, there = self._first(step)
            np.maximum(end, self._clock[place], out=end, where=there)
        return end

    def served(self, windows: IntArray) -> IntArray:
        """Return the place of the row that serves each step of some windows, shape (n, n_steps); -1 for none."""
        found = np.full((len(windows), self._n_steps), -1, dtype=np.int64)
        for step in range(self._n_steps):
            place, there = self._first(step)
            found[:, step] = np.where(there[windows], place[windows], -1)
        return found

    def _first(self, step: int) -> tuple[IntArray, BoolArray]:
        """Return the place of the first row of a step since each begin, and whether it is in the window."""
        is_step = self._step == step
        at: IntArray = np.flatnonzero(is_step)
        if not len(at):
            return self.begins, np.zeros(len(self.begins), dtype=np.bool_)
        turn = (np.cumsum(is_step, dtype=np.int32) - is_step)[self.begins]
        place = at[np.minimum(turn, len(at) - 1)]
        return place, (turn < len(at)) & (self._clock[place] <= self._last)


class _WindowsOfOnce(_Windows):
    """The windows of one part, where each row may serve one step."""

    def __init__(
        self, part: Part, sets: tuple[frozenset[int], ...], set_of: IntArray, contests_of_sets: list[Contest]
    ) -> None:
        super().__init__(part)
        self._rows = part.rows
        self._contests = contests_of_sets
        self._stops = np.searchsorted(part.clock, self._last, side="right")
        # A row has an entry for each step it matches; the one of the first of them stands for the row. So entries of
        # one set stand by instant and row number.
        first = np.array([min(one, default=-1) for one in sets])
        self._set = np.where(part.step == first[set_of], set_of, -1).astype(np.int32)

    def depths(self) -> NDArray[np.int16]:
        """Return how many steps each window serves."""
        depth = np.zeros(len(self.begins), dtype=np.int16)
        for contest in self._contests:
            depth += contest.most(self._counts(contest, self._stops))
        return depth

    def ends(self) -> IntArray:
        """Return the clock by which each window has served all that it can."""
        end = np.full(len(self.begins), -1, dtype=np.int64)
        for contest in self._contests:
            depth = contest.most(self._counts(contest, self._stops))
            if contest.bounds is None:
                np.maximum(end, self._searched_end(contest, depth), out=end)
                continue
            # So many steps are served as soon as each of the bounds allows it: with its last row that is needed.
            for n_steps, places in contest.bounds:
                short = np.flatnonzero(depth > n_steps)
                if not len(short):
                    continue
                at, n_before = self._rows_of([contest.numbers[place] for place in places])
                needed = at[n_before[self.begins[short]] + depth[short] - n_steps - 1]
                end[short] = np.maximum(end[short], self._clock[needed])
        return end

    def _searched_end(self, contest: Contest, depth: NDArray[np.int16]) -> IntArray:
        """Return the end by halving what may have to be read until as many steps are served."""
        low, high = self.begins, self._stops
        while bool((low < high).any()):
            middle = (low + high) // 2
            is_enough = contest.most(self._counts(contest, middle)) >= depth
            low, high = np.where(is_enough, low, middle + 1), np.where(is_enough, middle, high)
        return np.where(depth > 0, self._clock[high - 1], -1)

    def served(self, windows: IntArray) -> IntArray:
        """Return the place of the row that serves each step of some windows, shape (n, n_steps); -1 for none."""
        found = np.full((len(windows), self._n_steps), -1, dtype=np.int64)
        for contest in self._contests:
            most = max(_CELLS // sum(map(len, contest.sets)), 1)
            for start in range(0, len(windows), most):
                some = slice(start, start + most)
                found[some, contest.steps] = self._served(contest, windows[some])
        return found

    def _served(self, contest: Contest, windows: IntArray) -> IntArray:
        """Return the places of the rows that serve the steps of a contest.

        Of rows with the same set as many as the set has steps are enough, the earliest: a later one can give its step
        to one of them that is free, which is earlier or has the lower number. A row of the first instant is among
        those chosen without being made to: the row that serves a step of its own could give that step to it.
        """
        begins, stops = self.begins[windows], self._stops[windows]
        columns: list[IntArray] = []
        place_of_set: list[int] = []
        for place, (number, one) in enumerate(zip(contest.numbers, contest.sets, strict=True)):
            at, n_before = self._rows_of([number])
            for turn in range(len(one)):
                later = n_before[begins] + turn
                there = later < n_before[stops]
                columns.append(np.where(there, np.append(at, -1)[np.where(there, later, -1)], -1))
                place_of_set.append(place)
        rows = np.stack(columns, axis=1)
        if len(contest.steps) == 1:
            return rows
        has = rows >= 0
        assert self._rows is not None  # noqa: S101  (they were asked for)
        clock = np.where(has, self._clock[rows], NO_TICK)
        order = np.lexsort((np.where(has, self._rows[rows], NO_TICK), clock), axis=1)
        rows, clock = np.take_along_axis(rows, order, axis=1), np.take_along_axis(clock, order, axis=1)
        sets = np.where(rows >= 0, np.array(place_of_set)[order], -1).astype(np.int16)
        is_tied = np.zeros(sets.shape, dtype=np.bool_)
        is_tied[:, 1:] = (clock[:, 1:] == clock[:, :-1]) & (sets[:, 1:] >= 0)
        chosen = contest.serve(sets, is_tied)
        return np.where(chosen >= 0, np.take_along_axis(rows, chosen.astype(np.int64), axis=1), -1)

    def _counts(self, contest: Contest, stops: IntArray) -> list[IntArray]:
        """Return how many rows of each set of a contest stand between each begin and a stop."""
        n_before = (self._rows_of([number])[1] for number in contest.numbers)
        return [before[stops] - before[self.begins] for before in n_before]

    def _rows_of(self, numbers: list[int]) -> tuple[IntArray, IntArray]:
        """Return the places of the rows that have one of some sets, and how many of them stand before each place."""
        is_one: BoolArray = np.isin(self._set, numbers) if len(numbers) > 1 else self._set == numbers[0]
        n_before = np.zeros(len(is_one) + 1, dtype=np.int64)
        np.cumsum(is_one, out=n_before[1:])
        return np.flatnonzero(is_one), n_before
