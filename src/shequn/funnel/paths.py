"""How far does each attempt get, and by which rows? The matcher of ordered and strict funnels.

The ways from a row onward don't depend on how it was reached, except for the window, which counts from the entry. So
each row is given, for each step that a chain may end with, the earliest instant at which it can end: the least over the
rows of the next step within reach, and "within reach" is a range of rows whatever the conditions are (ties, gaps, rows
that exclude, rows that interrupt). An entry gets as far as it can end within its window.

At a knot (see `knots`) that range begins with the next instant, which gives the earliest end of those who leave after a
step. What can be reached from a row there is the least of these over the runs of steps that the knot can serve.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.funnel.knots import Stay, changes, held
from shequn.funnel.ranges import INFINITE, RangeMin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.funnel.knots import Bounds, Knots
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
    knots : Knots, optional
        Instants at which it matters which row serves which step.
    """

    def __init__(self, part: Part, rules: Rules, excluding: Sequence[IntArray], knots: Knots | None) -> None:
        self.part: Part = part
        self.rules: Rules = rules
        self.knots: Knots | None = knots
        self._excluding = excluding
        clock = part.reading.clock
        self._min_gap, self._max_gap, self._within = clock.min_gap, clock.max_gap, clock.within
        self._has_max_gap = clock.max_gap < min(clock.within, clock.span)
        self._is_strict = part.reading.funnel.order == "strict"
        self.at: list[IntArray] = [np.flatnonzero(part.step == step) for step in range(rules.n_steps)]
        self.clock: list[IntArray] = [part.clock[at] for at in self.at]
        self._starts: dict[tuple[int, int, bool], IntArray] = {}
        self._stops: dict[tuple[int, int, tuple[int, ...]], IntArray | None] = {}
        self._ends: dict[tuple[int, bool], _Ends] = {}
        self._begun: dict[int, _Begun] = {}

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
        return self._all_ends(last, is_clean).values

    def _all_ends(self, last: int, is_clean: bool) -> _Ends:
        exclusions = enumerate(self.rules.exclusions) if is_clean else ()
        holding = tuple(number for number, (_, high) in exclusions if high <= last)
        key = (last, bool(holding))
        if key not in self._ends:
            self._ends[key] = self._fill(last, holding)
        return self._ends[key]

    def _fill(self, last: int, holding: tuple[int, ...]) -> _Ends:
        optional = self.rules.optional
        knots = None if self.knots is None or not self.knots.matter(holding) else self.knots
        ends = _Ends(last, [[] for _ in range(last + 1)], [[] for _ in range(last + 1)], [], [], knots, holding)
        n_optional = [sum(later in optional for later in range(step + 1, last + 1)) for step in range(last + 1)]
        if knots is not None:
            ends.begun.extend(self.begun(step, knots) for step in range(last + 1))
            ends.leaving.extend(
                np.full((n + 1, begun.n_knots + 1), INFINITE, dtype=np.int64)
                for n, begun in zip(n_optional, ends.begun, strict=True)
            )
        for step in range(last, -1, -1):
            found = [np.full(len(self.at[step]), INFINITE, dtype=np.int64) for _ in range(n_optional[step] + 1)]
            if step == last:
                found[0] = self.clock[last].copy()
            for after in self.rules.next_steps(step):
                if after > last or step == last:
                    continue
                start, stop = self.reach(step, after, ends)
                for left, table in enumerate(ends.ranges[after]):
                    taken = left + (after in optional)
                    best = table.since(start) if stop is None else table.within(start, stop)
                    np.minimum(found[taken], best, out=found[taken])
            if knots is not None:
                self._through_knots(step, found, ends, knots)
            ends.values[step] = found
            ends.ranges[step] = [RangeMin(column) for column in found]
        return ends

    # ── through knots ────────────────────────────────────────────────────────────────────────────────────────────────

    def _through_knots(self, step: int, found: list[IntArray], ends: _Ends, knots: Knots) -> None:
        """Put the earliest ends by runs that begin at rows of knots in the place of those that leave at once."""
        begun = ends.begun[step]
        if not len(begun.at):
            return
        for left, column in enumerate(found):
            ends.leaving[step][left, begun.turn[begun.knot]] = column[begun.at]
        bounds = knots.bounds(begun.stays, ends.holding)
        for column, best in zip(found, ends.earliest(step, begun.knot, bounds, begun.stay), strict=True):
            column[begun.at] = best

    def begun(self, step: int, knots: Knots) -> _Begun:
        """Return the rows of a step at knots, and the stay that begins with each."""
        if step not in self._begun:
            at, knot = held(self.clock[step], knots.clock)
            # Rows of one type are alike, and of an entry row the type matters: it serves step 0 and no other row does.
            entry = knots.types_at(self.at[0][at]) if step == 0 else np.full(len(at), -1)
            both, stay = np.unique(knots.makeup[knot] * (len(knots.types) + 1) + entry + 1, return_inverse=True)
            pairs = (divmod(each, len(knots.types) + 1) for each in both.tolist())
            stays = [Stay(makeup, entry_type - 1, (step,)) for makeup, entry_type in pairs]
            is_first = changes(knot)
            n_knots = int(is_first.sum())
            turn = np.full(len(knots), n_knots, dtype=np.int32)
            turn[knot[is_first]] = np.arange(n_knots)
            self._begun[step] = _Begun(at, knot, stay, stays, turn, n_knots)
        return self._begun[step]

    def stay_of_entries(self, entries: IntArray) -> IntArray:
        """Return a number for what can be matched at the instant of each entry: -1 where it stands at no knot."""
        stay = np.full(len(self.at[0]), -1, dtype=np.int64)
        if self.knots is not None:
            begun = self.begun(0, self.knots)
            stay[begun.at] = begun.stay
        return stay[entries]

    # ── within reach ─────────────────────────────────────────────────────────────────────────────────────────────────

    def reach(self, step: int, after: int, ends: _Ends) -> tuple[IntArray, IntArray | None]:
        """Return, for each row of a step, the first row of a later one that may follow it, and one past the last.

        None where nothing but the window sets a bound. From a knot the first row is one of a later instant.
        """
        bearing = self.rules.bearing(step, after, ends.last) if ends.holding else ()
        return self._start(step, after, ends.knots), self._stop(step, after, bearing)

    def _start(self, step: int, after: int, knots: Knots | None) -> IntArray:
        key = (step, after, knots is not None)
        if key not in self._starts:
            if self._min_gap:
                starts = np.searchsorted(self.clock[after], self.clock[step] + self._min_gap)
            else:
                starts = np.cumsum(self.part.step == after, dtype=np.int64)[self.at[step]]
            if knots is not None and knots.service.may_stay:
                at = self.begun(step, knots).at
                starts[at] = np.searchsorted(self.clock[after], self.clock[step][at], side="right")
            self._starts[key] = starts
        return self._starts[key]

    def _stop(self, step: int, after: int, bearing: tuple[int, ...]) -> IntArray | None:
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
        step, and a skipped step counts as later than any instant; then row numbers are, from the entry row onward.
        """
        ends = self._all_ends(last, True)
        walk = _Walk(self, ends, entries, n_optional, bound)
        for step in range(1, last + 1):
            came_from = walk.step.copy()
            for before in range(step):
                if step in self.rules.next_steps(before):
                    walk.go_on(np.flatnonzero(came_from == before), before, step)
        if ends.knots is not None:
            ends.knots.serve(walk.places, ends.holding)
        return walk.places


def _next_after(values: IntArray, after: IntArray) -> IntArray:
    """Return the next of ascending values after each of others; `INFINITE` where there is none."""
    return np.append(values, INFINITE)[np.searchsorted(values, after, side="right")]


class _Begun(NamedTuple):
    """The rows of one step that stand at knots."""

    at: IntArray  # which of the step's rows
    knot: IntArray
    stay: IntArray  # which of the stays
    stays: list[Stay]
    turn: NDArray[np.int32]  # which of those that hold a row of the step each knot is; n_knots where it holds none
    n_knots: int


class _Ends(NamedTuple):
    """The earliest ends with one last step, from each step up to it.

    Each by the number of optional steps that are still to be matched.
    """

    last: int
    values: list[list[IntArray]]  # from each row
    ranges: list[list[RangeMin]]  # the same
    begun: list[_Begun]
    leaving: list[
        IntArray
    ]  # from each knot on to a later instant; a last column of INFINITE for knots without the step
    knots: Knots | None
    holding: tuple[int, ...]  # exclusions that hold for chains with this last step

    def earliest(self, step: int, knot: IntArray, bounds: Bounds, line: IntArray) -> IntArray:
        """Return the earliest ends of those who just matched a step at a knot, and may stay for others.

        Parameters
        ----------
        bounds, line
            How many optional steps can be matched at the knot, and which line says it.

        Returns
        -------
        ndarray of int64, shape (n_left, n)
            By the number of optional steps that are still to be matched.
        """
        best = np.full((len(self.leaving[step]), len(knot)), INFINITE, dtype=np.int64)
        possible: BoolArray = np.logical_or.reduce(bounds.fewest <= bounds.most, axis=0)
        ends: list[int] = np.flatnonzero(possible[: self.last + 1]).tolist()
        for end in ends:
            fewest, most, leaving = bounds.fewest[:, end], bounds.most[:, end], self.leaving[end]
            for taken in range(int(most.max(initial=-1)) + 1):
                here = np.flatnonzero(((fewest <= taken) & (taken <= most))[line])
                if len(here):
                    some = best[taken : taken + len(leaving)]
                    some[:, here] = np.minimum(some[:, here], leaving[:, self.begun[end].turn[knot[here]]])
        return best


class _Walk:
    """Entries on their way by the earliest chain, one step after the other."""

    def __init__(self, paths: Paths, ends: _Ends, entries: IntArray, n_optional: IntArray, bound: IntArray) -> None:
        self._paths, self._ends, self._bound = paths, ends, bound
        self.places = np.full((len(entries), paths.rules.n_steps), -1, dtype=np.int64)
        self.places[:, 0] = paths.at[0][entries]
        self.step = np.zeros(len(entries), dtype=np.int64)  # the last one matched
        self._row = entries.copy()  # of that step
        self._left = n_optional.copy()
        self._knot = np.full(len(entries), -1, dtype=np.int64)
        self._stay = np.full(len(entries), -1, dtype=np.int64)
        self._stays: dict[Stay, int] = {}
        self._arrive(np.arange(len(entries)), 0, entries)

    def go_on(self, here: IntArray, before: int, step: int) -> None:
        """Match a step after another, if that leads to an end by the bound: at the same instant, or else later."""
        left = self._left[here] - (step in self._paths.rules.optional)
        may = (left >= 0) & (left < len(self._ends.values[step]))
        here, left = here[may], left[may]
        if self._ends.knots is not None:
            stays = self._remain(here, left, step, self._ends.knots)
            here, left = here[~stays], left[~stays]
            can_leave = self._can_leave(here, before, self._ends.knots)
            here, left = here[can_leave], left[can_leave]
        for still, table in enumerate(self._ends.ranges[step]):
            those = here[left == still]
            if len(those):
                self._leave(those, still, before, step, table)

    def _leave(self, here: IntArray, left: int, before: int, step: int, table: RangeMin) -> None:
        """Take the first row within reach from which an end by the bound is within reach."""
        starts, stops = self._paths.reach(before, step, self._ends)
        row = table.first_at_most(starts[self._row[here]], self._bound[here])
        found = row < (len(self._paths.at[step]) if stops is None else stops[self._row[here]])
        here, row = here[found], row[found]
        self._take(here, step, row, left)
        self._arrive(here, step, row)

    def _take(self, here: IntArray, step: int, row: IntArray, left: IntArray | int) -> None:
        self.places[here, step] = self._paths.at[step][row]
        self.step[here], self._row[here], self._left[here] = step, row, left

    # ── at knots ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _arrive(self, here: IntArray, step: int, row: IntArray) -> None:
        """Begin to stay where the row is of a knot."""
        self._knot[here] = -1
        if self._ends.knots is None:
            return
        begun = self._paths.begun(step, self._ends.knots)
        turn = np.searchsorted(begun.at, row)
        at_knot = turn < len(begun.at)
        at_knot[at_knot] = begun.at[turn[at_knot]] == row[at_knot]
        here, turn = here[at_knot], turn[at_knot]
        self._knot[here] = begun.knot[turn]
        self._stay[here] = self._numbered(begun.stays, begun.stay[turn])

    def _numbered(self, stays: Sequence[Stay], which: IntArray) -> IntArray:
        """Return the number that each of some stays bears on this walk."""
        numbers = np.full(len(stays), -1, dtype=np.int64)
        distinct: list[int] = np.unique(which).tolist()
        for each in distinct:
            numbers[each] = self._stays.setdefault(stays[each], len(self._stays))
        return numbers[which]

    def _remain(self, here: IntArray, left: IntArray, step: int, knots: Knots) -> BoolArray:
        """Match a step at the knot where the one before it was matched, if that leads to an end by the bound."""
        stays = np.zeros(len(here), dtype=np.bool_)
        if not knots.service.may_stay:
            return stays
        at = np.flatnonzero(self._knot[here] >= 0)
        knot = self._knot[here[at]]
        bounds, line, longer = self._going_on(here[at], step, knots)
        best = self._ends.earliest(step, knot, bounds, line)[left[at], np.arange(len(at))]
        stays[at] = best <= self._bound[here[at]]
        still = stays[at]
        remaining = here[at][still]
        row = np.searchsorted(self._paths.clock[step], knots.clock[knot[still]])
        self._take(remaining, step, row, left[at][still])
        self._stay[remaining] = self._numbered(longer, line[still])
        return stays

    def _can_leave(self, here: IntArray, before: int, knots: Knots) -> BoolArray:
        """Tell which chains could match at their knot just what they did."""
        can = np.ones(len(here), dtype=np.bool_)
        at = np.flatnonzero(self._knot[here] >= 0)
        bounds, line, _ = self._going_on(here[at], None, knots)
        can[at] = bounds.fewest[line, before] == 0
        return can

    def _going_on(self, here: IntArray, step: int | None, knots: Knots) -> tuple[Bounds, IntArray, list[Stay]]:
        """Return what can be had of some stays, be it with one step more, and which line says it of each."""
        number, line = np.unique(self._stay[here], return_inverse=True)
        numbers: list[int] = number.tolist()
        known, more = list(self._stays), () if step is None else (step,)
        stays = [known[each]._replace(begun=(*known[each].begun, *more)) for each in numbers]
        return knots.bounds(stays, self._ends.holding), line, stays
