"""At which instants does it matter which row serves which step, and what can be had there?

A *knot* is an instant of a unit at which rows compete for steps (each serves one at most, there are several, and one of
them matches several steps), or at which a row stands that excludes and could be a chain's own, or not. Everywhere else
a chain may go from a row to any that stands after it. Through a knot it goes in one go: it comes from an earlier
instant, matches a run of steps, and leaves for a later one. Whether the rows of a knot can serve a run depends on
nothing before or after, for an exclusion bears on the knot itself only where both its steps stand at other instants.

So the earliest end from a step at a knot is the least, over the runs that begin with the step and can be served, of the
earliest ends of those who leave after the run's last step. How many optional steps a run takes may be chosen between
two bounds, which `matching` finds for each makeup of a knot. There are few different ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.funnel.matching import RowType
from shequn.stats.distinct import each_once

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shequn._typing import BoolArray, IntArray
    from shequn.funnel.matching import Makeup, Service
    from shequn.funnel.parts import Part

__all__ = ["Bounds", "Knots", "Stay", "changes", "held"]


class Stay(NamedTuple):
    """What is known of a chain at a knot: the steps it has begun with, and the entry row if step 0 is among them."""

    makeup: int
    entry: int  # type of the entry row; -1 where the chain came from an earlier instant
    begun: tuple[int, ...]


class Bounds(NamedTuple):
    """The fewest and the most optional steps that can be matched from here on, by the step that ends the run.

    Both have shape (n, n_steps).
    """

    fewest: IntArray
    most: IntArray


class Knots:
    """The knots of one part.

    Parameters
    ----------
    part : Part
        With rows.
    service : Service
    clock : ndarray of int64, shape (n_knots,)
        Where they are, ascending.
    excluding : mapping of int to pairs of ndarray
        Of each exclusion that spans a step: clock values of its rows by unit, ascending, and their numbers.

    Attributes
    ----------
    makeup : ndarray of int64, shape (n_knots,)
        Which of `makeups` each knot has.
    """

    def __init__(
        self, part: Part, service: Service, clock: IntArray, excluding: Mapping[int, tuple[IntArray, IntArray]]
    ) -> None:
        self.part: Part = part
        self.service: Service = service
        self.clock: IntArray = clock
        self._n_steps, self._spanning = service.rules.n_steps, frozenset(excluding)
        rows = _rows_of(part)
        at, knot = held(part.clock, clock)
        matched = part.step[at] < self._n_steps
        at, knot = at[matched], knot[matched]
        found = [(knot, rows[at], part.step[at].astype(np.int64), at)]
        for number, (clock_of, row) in excluding.items():
            here, knot = held(clock_of, clock)
            found.append((knot, row[here], np.full(len(here), self._n_steps + number), np.full(len(here), -1)))
        self._read(*(np.concatenate(column) for column in zip(*found, strict=True)))

    @classmethod
    def of(cls, part: Part, service: Service, excluding: Mapping[int, tuple[IntArray, IntArray]]) -> Knots | None:
        """Return the knots of a part; None where it has none."""
        found = [_competing(part)] if service.is_once else []
        for number, rows_of in excluding.items():
            low, high = service.rules.exclusions[number]
            found.append(_in_doubt(part, *rows_of, part.clock[(part.step > low) & (part.step < high)]))
        clock = each_once(np.concatenate(found))
        return cls(part, service, clock, excluding) if len(clock) else None

    def __len__(self) -> int:
        return len(self.clock)

    def matter(self, holding: tuple[int, ...]) -> bool:
        """Tell whether they make a difference to a chain for which some exclusions hold."""
        return self.service.is_once or any(number in self._spanning for number in holding)

    # ── what they are made up of ─────────────────────────────────────────────────────────────────────────────────────

    def _read(self, knot: IntArray, row: IntArray, mark: IntArray, place: IntArray) -> None:
        """Put together what is known of each row.

        A mark is a step that a row matches, by its place in the part, or n_steps + an exclusion that names it.
        """
        order = np.lexsort((mark, row, knot))
        knot, row, mark, place = knot[order], row[order], mark[order], place[order]
        new = changes(knot, row)
        line = np.cumsum(new) - 1  # one a row and knot
        self.types: list[RowType]
        self.types, self._type_of_line = _types(mark, np.flatnonzero(new), self._n_steps)
        self._read_makeups(knot[new])
        # Where in the part a row stands for a step, and which row stands at a place.
        matched = place >= 0
        self._cells = line[matched] * self._n_steps + mark[matched]
        self._place_of_cell = place[matched]
        order = np.argsort(self._place_of_cell)
        self._places = self._place_of_cell[order]
        self._line_of_place = line[matched][order]

    def _read_makeups(self, knot: IntArray) -> None:
        """Find which knots hold as many rows of each type, as far as it makes a difference."""
        limits = np.array([row_type.limit(is_once=self.service.is_once) for row_type in self.types], dtype=np.int64)
        limit = limits[self._type_of_line]
        order = np.lexsort((self._type_of_line, knot))
        begins = np.flatnonzero(changes(knot[order], self._type_of_line[order]))
        times = np.diff(np.append(begins, len(order)))
        turn = np.empty(len(order), dtype=np.int64)
        turn[order] = np.arange(len(order)) - np.repeat(begins, times)
        self._lines = np.flatnonzero(turn < limit)
        self._edges = np.searchsorted(knot[self._lines], np.arange(len(self) + 1))
        first = order[begins]
        types, counts = self._type_of_line[first], np.minimum(times, limit[first])
        edges = np.searchsorted(knot[first], np.arange(len(self) + 1))
        self.makeup: IntArray
        self.makeup, examples = _number_alike(edges, types * (int(limits.max()) + 1) + counts)
        self.makeups: list[Makeup] = [self._makeup(types[span], counts[span]) for span in _slices(edges, examples)]

    def _makeup(self, types: IntArray, counts: IntArray) -> Makeup:
        pairs: list[list[int]] = np.stack([types, counts], axis=1).tolist()
        return tuple(sorted((self.types[each], times) for each, times in pairs))

    def types_at(self, places: IntArray) -> IntArray:
        """Return the type of the rows at places of the part that are of knots."""
        return self._type_of_line[self._line_at(places)]

    def _line_at(self, places: IntArray) -> IntArray:
        return self._line_of_place[np.searchsorted(self._places, places)]

    # ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def bounds(self, stays: Sequence[Stay], holding: tuple[int, ...]) -> Bounds:
        """Return what can be had of stays, a line each, in a chain for which some exclusions hold."""
        spans = [
            self.service.spans(self.makeups[makeup], None if entry < 0 else self.types[entry], begun, holding)
            for makeup, entry, begun in stays
        ]
        both = np.array(spans, dtype=np.int64).reshape(len(stays), self._n_steps, 2)
        return Bounds(both[:, :, 0], both[:, :, 1])

    def serve(self, places: IntArray, holding: tuple[int, ...]) -> None:
        """Put the least rows that serve the runs of chains into the places of any rows of the same steps and instants.

        Parameters
        ----------
        places : ndarray of int64, shape (n, n_steps)
            Places in the part; -1 where a step has none. That of an entry row stays.
        holding : tuple of int
            The exclusions that hold for the chains.
        """
        chain, step = np.nonzero(places >= 0)
        place = places[chain, step]
        knot = np.minimum(np.searchsorted(self.clock, self.part.clock[place]), len(self) - 1)
        at_knot = self.clock[knot] == self.part.clock[place]
        chain, step, place, knot = chain[at_knot], step[at_knot], place[at_knot], knot[at_knot]
        if not len(chain):
            return
        begins = np.flatnonzero(changes(chain, knot))  # a chain's steps at one knot follow each other
        edges = np.append(begins, len(chain))
        knots, lengths = knot[begins], np.diff(edges)
        entry = self._turn_of_entry(knots, place[begins], step[begins])
        number, examples = self._number_runs(knots, entry, edges, step)
        chosen = [
            self.service.least(self._types_of(int(knots[run])), int(entry[run]), tuple(step[span].tolist()), holding)
            for run, span in zip(examples.tolist(), _slices(edges, examples), strict=True)
        ]
        starts = np.cumsum([0, *map(len, chosen)])
        turn = np.concatenate(chosen)[_expand(starts[number], lengths)]
        later = step > 0
        line = self._lines[self._edges[knot[later]] + turn[later]]
        cell = np.searchsorted(self._cells, line * self._n_steps + step[later])
        places[chain[later], step[later]] = self._place_of_cell[cell]

    def _types_of(self, knot: int) -> tuple[RowType, ...]:
        lines = self._lines[self._edges[knot] : self._edges[knot + 1]]
        types: list[int] = self._type_of_line[lines].tolist()
        return tuple(self.types[each] for each in types)

    def _turn_of_entry(self, knot: IntArray, place: IntArray, step: IntArray) -> IntArray:
        """Return which of a knot's lines an entry row is, past the last where it is none of them; -1: no entry."""
        found = np.full(len(knot), -1, dtype=np.int64)
        entered = np.flatnonzero(step == 0)
        line = self._line_at(place[entered])
        start, stop = self._edges[knot[entered]], self._edges[knot[entered] + 1]
        turn = np.searchsorted(self._lines, line)
        is_kept = turn < stop
        is_kept[is_kept] = self._lines[turn[is_kept]] == line[is_kept]
        found[entered] = np.where(is_kept, turn, stop) - start
        return found

    def _number_runs(
        self, knot: IntArray, entry: IntArray, edges: IntArray, step: IntArray
    ) -> tuple[IntArray, IntArray]:
        """Return a number for each run, equal where the same question is asked, and an example of each."""
        n_types, n_lines = len(self.types), np.diff(self._edges)[knot]
        lengths = np.diff(edges)
        starts = np.concatenate([[0], np.cumsum(n_lines + 1 + lengths)])
        tokens = np.empty(starts[-1], dtype=np.int64)
        lines = self._lines[_expand(self._edges[knot], n_lines)]
        tokens[_expand(starts[:-1], n_lines)] = self._type_of_line[lines]
        tokens[starts[:-1] + n_lines] = n_types + self._n_steps + 1 + entry
        tokens[_expand(starts[:-1] + n_lines + 1, lengths)] = n_types + step
        return _number_alike(starts, tokens)


def _rows_of(part: Part) -> IntArray:
    assert part.rows is not None  # noqa: S101  (they were asked for)
    return part.rows


def _competing(part: Part) -> IntArray:
    """Return the instants at which several rows stand, and some are not in the order of steps and row numbers.

    Rows that match one step are in that order. The steps of rows that match several descend.
    """
    rows, clock = _rows_of(part), part.clock
    several = clock[1:].take(np.flatnonzero((clock[1:] == clock[:-1]) & (rows[1:] != rows[:-1])))
    several = several[changes(several)]
    at, number = held(clock, several)
    step, row = part.step[at], rows[at]
    descends = (step[1:] < step[:-1]) | ((step[1:] == step[:-1]) & (row[1:] < row[:-1]))
    competing: IntArray = several[each_once(number[1:][descends & (number[1:] == number[:-1])])]
    return competing


def _in_doubt(part: Part, clock: IntArray, row: IntArray, between: IntArray) -> IntArray:
    """Return the instants of steps between those of an exclusion at which a row excludes that may not be a chain's own.

    Where one row stands alone, each chain that comes by has matched it.
    """
    rows = _rows_of(part)
    instants = each_once(_common(clock, between))
    start, stop = np.searchsorted(part.clock, instants), np.searchsorted(part.clock, instants, side="right")
    first, last = np.searchsorted(clock, instants), np.searchsorted(clock, instants, side="right")
    n_changes = np.concatenate([[0], np.cumsum(rows[1:] != rows[:-1])])
    is_one = (n_changes[start] == n_changes[stop - 1]) & (last - first == 1)
    in_doubt: IntArray = instants[~(is_one & (rows[start] == row[first]))]
    return in_doubt


def _common(one: IntArray, other: IntArray) -> IntArray:
    """Return the values of an ascending column that another one has too."""
    few, many = (one, other) if len(one) < len(other) else (other, one)
    place = np.searchsorted(many, few)
    inside = place < len(many)
    few, place = few[inside], place[inside]
    common: IntArray = few[many[place] == few]
    return common


def held(clock: IntArray, instants: IntArray) -> tuple[IntArray, IntArray]:
    """Return the places in a column of ascending clock values that hold one of some instants, and which."""
    start, stop = np.searchsorted(clock, instants), np.searchsorted(clock, instants, side="right")
    return _expand(start, stop - start), np.repeat(np.arange(len(instants)), stop - start)


def _expand(start: IntArray, length: IntArray) -> IntArray:
    """Return the numbers of ranges, one range after the other."""
    return np.repeat(start - np.cumsum(length) + length, length) + np.arange(int(length.sum()))


def changes(*columns: IntArray) -> BoolArray:
    """Return where a line differs from the one before in any column; the first one does."""
    new = np.ones(len(columns[0]), dtype=np.bool_)
    new[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return new


def _slices(edges: IntArray, numbers: IntArray) -> Iterator[slice]:
    """Yield where some of the spans between edges are."""
    for number in numbers.tolist():
        yield slice(int(edges[number]), int(edges[number + 1]))


def _types(mark: IntArray, begins: IntArray, n_steps: int) -> tuple[list[RowType], IntArray]:
    """Return the types of row there are, and that of each row; its marks begin where the last one's end."""
    edges = np.append(begins, len(mark))
    number, examples = _number_alike(edges, mark)
    types: list[RowType] = []
    for span in _slices(edges, examples):
        marks: list[int] = mark[span].tolist()
        steps = tuple(each for each in marks if each < n_steps)
        types.append(RowType(steps, tuple(each - n_steps for each in marks[len(steps) :])))
    return types, number


def _number_alike(edges: IntArray, tokens: IntArray) -> tuple[IntArray, IntArray]:
    """Return a number for each sequence, equal where they are equal, and an example of each.

    They go through a tree of their beginnings, token by token: equal beginnings are at one branch.
    """
    lengths = np.diff(edges)
    order = np.argsort(-lengths, kind="stable")
    n_longer = np.searchsorted(-lengths[order], -np.arange(int(lengths.max(initial=0))), side="left")
    branch = np.zeros(len(lengths), dtype=np.int64)
    n_branches, n_tokens = 1, int(tokens.max(initial=0)) + 1
    for turn, n in enumerate(n_longer.tolist()):
        here = order[:n]
        known, at = np.unique(branch[here] * n_tokens + tokens[edges[here] + turn], return_inverse=True)
        branch[here] = at + n_branches
        n_branches += len(known)
    _, examples, number = np.unique(branch, return_index=True, return_inverse=True)
    return number, examples
