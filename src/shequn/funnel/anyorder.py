"""How many of the steps, in any order, fall inside one window?"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.funnel.attempts import NO_TICK, Eligible, Found, Judged, KeyOf, Matcher, choose
from shequn.funnel.exact import matched_most

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.funnel.parts import Part
    from shequn.funnel.reading import Reading

__all__ = ["AnyOrder", "most_distinct", "rows_of_distinct"]


class AnyOrder(Matcher):
    """Funnels whose steps come in any order."""

    def __init__(self, reading: Reading, eligible: Eligible, key_of: KeyOf | None, with_witness: bool) -> None:
        super().__init__(reading, eligible, key_of, with_witness)
        self._is_once = reading.funnel.reuse == "once" and reading.is_overlapping
        self.needs_rows = self._is_once

    def judge(self, part: Part) -> Judged:
        """Return the windows that begin at each instant; the end is that of the first way to serve all that it can."""
        windows = _Windows(part, self.rules.n_steps)
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

    def _depths(self, part: Part, windows: _Windows, begins: IntArray) -> tuple[NDArray[np.int16], BoolArray]:
        """Return how many steps each window serves, and which entries are of units whose rows compete for steps."""
        depth = (windows.first_rows(begins) >= 0).sum(axis=1).astype(np.int16)
        competing = self._competing(part)
        for line in np.flatnonzero(competing[begins]).tolist():
            depth[line] = most_distinct([steps for _, _, steps, _ in self._window(part, int(begins[line]))])
        return depth, competing

    def match(self, part: Part) -> Found:
        """Return the level, and if wanted the witness, of each group of a part."""
        windows = _Windows(part, self.rules.n_steps)
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
        choose(part, group[order[new]], places, (part.ticks(part.clock[best]),), witness)
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
            instants = [rows[place][0] if place >= 0 else NO_TICK for place in taken]
            numbers = [rows[place][1] if place >= 0 else NO_TICK for place in taken]
            places = [window[place][3][step] if place >= 0 else -1 for step, place in enumerate(taken)]
            found.append(([*instants, *numbers], np.array(places, dtype=np.int64)))
        return min(found, key=lambda pair: pair[0])[1]


class _Windows:
    """The windows of one part: each row that matches a step begins one. Rows may serve several steps."""

    def __init__(self, part: Part, n_steps: int) -> None:
        self.part = part
        self._within = part.reading.clock.within
        self._at = [np.flatnonzero(part.step == step) for step in range(n_steps)]
        self._clock = [part.clock[at] for at in self._at]

    @cached_property
    def begins(self) -> IntArray:
        """Return where each window begins: the first entry of an instant stands for all of them."""
        return np.flatnonzero(np.diff(self.part.clock, prepend=-1))

    def first_rows(self, begins: IntArray) -> IntArray:
        """Return the place of the first row of each step in each window, shape (n, n_steps); -1 where there is none."""
        start = self.part.clock[begins]
        found = np.full((len(begins), len(self._at)), -1, dtype=np.int64)
        for step, (at, clock) in enumerate(zip(self._at, self._clock, strict=True)):
            if len(at):
                place = np.searchsorted(clock, start)
                held = place < len(at)
                place[~held] = 0
                held &= clock[place] <= start + self._within
                found[held, step] = at[place[held]]
        return found


def most_distinct(rows: Sequence[frozenset[int]]) -> int:
    """Return how many steps rows can serve where each serves one: a largest matching.

    Examples
    --------
    >>> most_distinct([frozenset({0}), frozenset({0, 1})])
    2
    """
    return matched_most([sorted(steps) for steps in rows])


def rows_of_distinct(
    rows: Sequence[tuple[int, int, frozenset[int]]], entry: int, n_steps: int
) -> tuple[NDArray[np.int64], int]:
    """Return the rows that serve the most steps, the earliest step by step, each serving one.

    Parameters
    ----------
    rows : sequence of (tick, number, steps)
        The rows of a window, by instant and number.
    entry : int
        Place of the row that must be used.

    Returns
    -------
    places : ndarray of int64, shape (n_steps,)
        Place of the row that serves each step; -1 where none does.
    n_served : int
        Number of steps served.
    """
    choices = [[place for place, (_, _, steps) in enumerate(rows) if step in steps] for step in range(n_steps)]
    level = matched_most(choices)
    # Instants are settled for every step before row numbers are.
    for told in (0, 1):
        for step, options in enumerate(choices):
            for value in sorted({rows[place][told] for place in options}):
                kept = [place for place in options if rows[place][told] == value]
                if _reaches(
                    [*choices[:step], kept, *choices[step + 1 :]], step + 1 if told == 0 else n_steps, entry, level
                ):
                    choices[step] = kept
                    break
            else:
                choices[step] = []
    return np.array([options[0] if options else -1 for options in choices], dtype=np.int64), level


def _reaches(choices: Sequence[Sequence[int]], n_settled: int, entry: int, level: int) -> bool:
    """Tell whether as many steps can be served, the first ones among them unless they were left out, and one row used.

    A matching that covers some steps, and one that covers a row, can be made into a largest one that covers both
    (Mendelsohn and Dulmage, 1958).
    """
    settled = [options for options in choices[:n_settled] if options]
    return (
        matched_most(settled) == len(settled)
        and matched_most(choices) == level
        and any(entry in options for options in choices)
    )
