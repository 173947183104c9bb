"""How far does each attempt get, and by which rows? The matcher of ordered and strict funnels.

The ways from a row onward don't depend on how it was reached, except for the window, which counts from the entry. So
each row is given, for each step that a chain may end with, the earliest instant at which it can end: the least over the
rows of the next step within reach, and "within reach" is a range of rows whatever the conditions are (ties, gaps, rows
that exclude, rows that interrupt). An entry gets as far as it can end within its window.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from shequn.funnel.ranges import INFINITE, RangeMin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.funnel.parts import Part
    from shequn.funnel.rules import Rules

__all__ = ["Paths"]


class Paths:
    """The ways through one part.

    Parameters
    ----------
    part : Part
    rules : Rules
    excluding : sequence of ndarray
        Of each exclusion the ascending clock values of its rows, by unit.
    """

    def __init__(self, part: Part, rules: Rules, excluding: Sequence[IntArray]) -> None:
        self.part, self.rules, self._excluding = part, rules, excluding
        clock = part.reading.clock
        self._min_gap, self._max_gap, self._within = clock.min_gap, clock.max_gap, clock.within
        self._has_max_gap = clock.max_gap < min(clock.within, clock.span)
        self._is_strict = part.reading.funnel.order == "strict"
        self.at = [np.flatnonzero(part.step == step) for step in range(rules.n_steps)]
        self.clock = [part.clock[at] for at in self.at]
        self._starts: dict[tuple[int, int], IntArray] = {}
        self._stops: dict[tuple[int, int, tuple[int, ...]], IntArray | None] = {}
        self._ends: dict[tuple[int, bool], list[list[RangeMin]]] = {}
        self._end_values: dict[tuple[int, bool], list[list[IntArray]]] = {}

    @cached_property
    def deadline(self) -> IntArray:
        """The last instant of each entry's window."""
        return self.clock[0] + self._within

    def depths(self) -> NDArray[np.int16]:
        """Return how many required steps each entry reaches; 0 where only with an excluding row in between."""
        depth = np.ones(len(self.at[0]), dtype=np.int16)
        for reached in range(2, len(self.rules.required) + 1):
            got = self.finish(self.rules.required[reached - 1], is_clean=False) <= self.deadline
            if not got.any():
                break
            depth[got] = reached
        if self.rules.exclusions:
            for reached, last in enumerate(self.rules.required, start=1):
                here = depth == reached
                if here.any():
                    depth[here & (self.finish(last, is_clean=True) > self.deadline)] = 0
        return depth

    def finish(self, last: int, *, is_clean: bool) -> IntArray:
        """Return the earliest instant at which a chain of each entry can end with a step."""
        earliest: IntArray = np.minimum.reduce(self.ends(last, is_clean=is_clean)[0])
        return earliest

    def ends(self, last: int, *, is_clean: bool) -> list[list[IntArray]]:
        """Return, for each step up to `last`, the earliest end from each of its rows.

        By the number of optional steps that are still to be matched after that row.
        """
        self._table(last, is_clean)
        return self._end_values[last, is_clean]

    def _table(self, last: int, is_clean: bool) -> list[list[RangeMin]]:
        is_clean = is_clean and any(high <= last for _, high in self.rules.exclusions)
        key = (last, is_clean)
        if key not in self._ends:
            values = self._fill(last, is_clean)
            self._ends[key] = values[1]
            self._end_values[key] = values[0]
        if (last, True) not in self._end_values and not is_clean:
            self._end_values[last, True] = self._end_values[key]
        return self._ends[key]

    def _fill(self, last: int, is_clean: bool) -> tuple[list[list[IntArray]], list[list[RangeMin]]]:
        optional = self.rules.optional
        values: list[list[IntArray]] = [[] for _ in range(last + 1)]
        tables: list[list[RangeMin]] = [[] for _ in range(last + 1)]
        for step in range(last, -1, -1):
            n_optional = sum(later in optional for later in range(step + 1, last + 1))
            found = [np.full(len(self.at[step]), INFINITE, dtype=np.int64) for _ in range(n_optional + 1)]
            if step == last:
                found[0] = self.clock[last]
            for after in self.rules.next_steps(step):
                if after > last or step == last:
                    continue
                start = self._start(step, after)
                stop = self._stop(step, after, self.rules.bearing(step, after, last) if is_clean else ())
                for left, table in enumerate(tables[after]):
                    taken = left + (after in optional)
                    best = table.since(start) if stop is None else table.within(start, stop)
                    np.minimum(found[taken], best, out=found[taken])
            values[step] = found
            tables[step] = [RangeMin(column) for column in found]
        return values, tables

    # ── within reach ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _start(self, step: int, after: int) -> IntArray:
        """Return, for each row of a step, the first row of a later one that may follow it."""
        if (step, after) not in self._starts:
            if self._min_gap:
                starts = np.searchsorted(self.clock[after], self.clock[step] + self._min_gap)
            else:
                starts = np.cumsum(self.part.step == after, dtype=np.int64)[self.at[step]]
            self._starts[step, after] = starts
        return self._starts[step, after]

    def _stop(self, step: int, after: int, bearing: tuple[int, ...]) -> IntArray | None:
        """Return one past the last row that may follow; None where nothing but the window sets a bound."""
        key = (step, after, bearing)
        if key not in self._stops:
            bounds = [self._before_excluding(step, after, number) for number in bearing]
            if self._has_max_gap:
                bounds.append(np.searchsorted(self.clock[after], self.clock[step] + self._max_gap, side="right"))
            if self._is_strict:
                bounds.append(self._before_interruption(step, after))
            self._stops[key] = np.minimum.reduce(bounds) if bounds else None
        return self._stops[key]

    def _before_excluding(self, step: int, after: int, number: int) -> IntArray:
        bound = _next_after(self._excluding[number], self.clock[step])
        return np.searchsorted(self.clock[after], bound, side="right")

    def _before_interruption(self, step: int, after: int) -> IntArray:
        """Return the bound that the next instant sets which holds a row of neither step, nor of one between them."""
        begins = self._instants
        keeps = np.logical_or.reduceat((self.part.step >= step) & (self.part.step <= after), begins)
        bound = _next_after(self.part.clock[begins[~keeps]], self.clock[step])
        return np.searchsorted(self.clock[after], bound, side="left")

    @cached_property
    def _instants(self) -> IntArray:
        """Return where each instant of each unit begins."""
        return np.flatnonzero(np.diff(self.part.clock, prepend=-1))

    # ── by which rows ────────────────────────────────────────────────────────────────────────────────────────────────

    def most_optional(self, entries: IntArray, last: int) -> NDArray[np.int64]:
        """Return how many optional steps a clean chain of each entry that ends with `last` can match; -1: none."""
        most = np.full(len(entries), -1, dtype=np.int64)
        for n_optional, ends in enumerate(self.ends(last, is_clean=True)[0]):
            most[ends[entries] <= self.deadline[entries]] = n_optional
        return most

    def walk(self, entries: IntArray, last: int, n_optional: IntArray, bound: IntArray) -> IntArray:
        """Return the places in the part of the earliest chain of each entry, shape (n, n_steps); -1 is skipped.

        It is clean, ends with `last` by `bound`, and matches `n_optional` optional steps. Instants are compared step by
        step, and a skipped step counts as later than any instant.
        """
        tables = self._table(last, True)
        places = np.full((len(entries), self.rules.n_steps), -1, dtype=np.int64)
        if not len(entries):
            return places
        places[:, 0] = self.at[0][entries]
        at_step = np.zeros(len(entries), dtype=np.int64)
        at_row, left = entries.copy(), n_optional.copy()
        for step in range(1, last + 1):
            cost = int(step in self.rules.optional)
            came_from = at_step.copy()
            for before in range(step):
                if step not in self.rules.next_steps(before):
                    continue
                bearing = self.rules.bearing(before, step, last)
                starts, stops = self._start(before, step), self._stop(before, step, bearing)
                for still, table in enumerate(tables[step]):
                    here = np.flatnonzero((came_from == before) & (left == still + cost))
                    if not len(here):
                        continue
                    row = table.first_at_most(starts[at_row[here]], bound[here])
                    limit = len(self.at[step]) if stops is None else stops[at_row[here]]
                    found = row < limit
                    here, row = here[found], row[found]
                    places[here, step] = self.at[step][row]
                    at_step[here], at_row[here], left[here] = step, row, still
        return places


def _next_after(values: IntArray, after: IntArray) -> IntArray:
    """Return the next of ascending values after each of others; `INFINITE` where there is none."""
    return np.append(values, INFINITE)[np.searchsorted(values, after, side="right")]


def same_instant(clock: IntArray, marked: BoolArray) -> BoolArray:
    """Return which entries stand at an instant of which one is marked."""
    begins = np.flatnonzero(np.diff(clock, prepend=-1))
    return (
        np.repeat(np.logical_or.reduceat(marked, begins), np.diff(np.append(begins, len(clock))))
        if len(clock)
        else marked
    )
