"""How many steps do rows serve, and which row serves which step, where each row may serve only one?

Rows that match the same steps can stand for each other, so a window is told by how many rows of each set of steps it
holds. Steps that no row links do not compete: each contest, of steps that are linked, is settled by itself.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from shequn.funnel.matching import matched_most

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.funnel.reading import Reading

__all__ = ["Contest", "StepSets", "contests", "earliest_rows"]

_MOST_BOUNDS = 1 << 12  # beyond, it is quicker to match the rows of each window that differs
_MOST_KEPT = 1 << 16  # answers kept of one contest
_SMALL_TABLE = 1 << 16


class StepSets:
    """The sets of steps that rows match: those of a kind, or where steps have conditions, of a row."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        columns, of_kind = np.unique(reading.of_kind, axis=1, return_inverse=True)
        self._of_kind: IntArray = of_kind.reshape(-1).astype(np.int64)
        self._sets = tuple(frozenset(np.flatnonzero(column).tolist()) for column in columns.T)
        self._conditions: list[BoolArray] = []
        for where in reading.where:
            if where is not None and all(where is not other for other in self._conditions):
                self._conditions.append(where)

    def of(self, rows: IntArray) -> tuple[tuple[frozenset[int], ...], IntArray]:
        """Return the sets, and the number of the set of each row."""
        code: IntArray = self._of_kind[self._reading.log.kind_codes[rows]]
        if not self._conditions:
            return self._sets, code
        n_codes = len(self._sets)
        for condition in self._conditions:
            code, n_codes = 2 * code + condition[rows], 2 * n_codes
            if n_codes > _SMALL_TABLE:
                distinct, code = np.unique(code, return_inverse=True)
                n_codes = len(distinct)
        example = np.full(n_codes, -1, dtype=np.int64)
        example[code] = rows
        codes = np.flatnonzero(example >= 0)
        set_of_code = [self._of_row(row) for row in example[codes].tolist()]
        sets = tuple(sorted(set(set_of_code), key=sorted))
        number = np.zeros(n_codes, dtype=np.int64)
        number[codes] = [sets.index(one) for one in set_of_code]
        return sets, number[code]

    def _of_row(self, row: int) -> frozenset[int]:
        where = self._reading.where
        steps = self._sets[int(self._of_kind[self._reading.log.kind_codes[row]])]
        return frozenset(step for step in steps if (mask := where[step]) is None or bool(mask[row]))


class Contest:
    """Steps that are linked by rows which match several of them.

    Attributes
    ----------
    steps : tuple of int
        The steps.
    numbers : tuple of int
        Which of all sets belong here.
    sets : tuple of frozenset of int
        The sets themselves.

    Examples
    --------
    >>> (contest,) = contests([frozenset({0}), frozenset({0, 1})])
    >>> contest.most([np.array([2, 1, 0]), np.array([0, 1, 2])]).tolist()
    [1, 2, 2]
    """

    def __init__(self, numbers: Sequence[int], sets: Sequence[frozenset[int]]) -> None:
        self.numbers: tuple[int, ...] = tuple(numbers)
        self.sets: tuple[frozenset[int], ...] = tuple(sets)
        self.steps: tuple[int, ...] = tuple(sorted(frozenset[int]().union(*self.sets)))
        self._served: dict[bytes, NDArray[np.int16]] = {}

    @cached_property
    def bounds(self) -> list[tuple[int, list[int]]] | None:
        """Return what bounds the number of steps served: each a number of steps, and the sets whose rows add to it.

        Choose any steps C. Each of them serves at best, and each other step takes a row that matches a step outside
        of C: no more are served than C has steps, plus rows whose set is not inside C. The least of these bounds over
        all C is the size of a largest matching (König 1931, Ore 1955). Only unions of sets need be tried for C: what
        else C has beyond the sets inside it adds steps and takes no rows away.

        None where there are too many to try.
        """
        unions = {frozenset[int]()}
        for one in self.sets:
            unions |= {one | other for other in unions}
            if len(unions) > _MOST_BOUNDS:
                return None
        return [
            (len(chosen), [place for place, one in enumerate(self.sets) if not one <= chosen])
            for chosen in sorted(unions, key=sorted)
        ]

    def most(self, n_rows: Sequence[IntArray]) -> NDArray[np.int16]:
        """Return how many steps are served, by windows that hold so many rows of each set; one array a set."""
        # A set cannot use more rows than it has steps.
        counts = [np.minimum(n, len(one)).astype(np.int16) for n, one in zip(n_rows, self.sets, strict=True)]
        if self.bounds is None:
            return self._most_by_matching(np.stack(counts, axis=1))
        most = np.full(len(counts[0]), len(self.steps), dtype=np.int16)
        bound = np.empty_like(most)
        for n_steps, places in self.bounds:
            bound[:] = n_steps
            for place in places:
                bound += counts[place]
            np.minimum(most, bound, out=most)
        return most

    def _most_by_matching(self, counts: NDArray[np.int16]) -> NDArray[np.int16]:
        distinct, which = np.unique(counts, axis=0, return_inverse=True)
        options = [sorted(one) for one in self.sets]
        most = [
            matched_most([option for option, n in zip(options, line, strict=True) for _ in range(n)])
            for line in distinct.tolist()
        ]
        return np.array(most, dtype=np.int16)[which.reshape(-1)]

    def serve(self, places: NDArray[np.int16], is_tied: BoolArray) -> NDArray[np.int16]:
        """Return for each line which of its rows serves each step; -1 where none does.

        Parameters
        ----------
        places : ndarray of int16, shape (n, n_rows)
            The rows of a line by instant and number: for each the place of its set; -1 after the last.
        is_tied : ndarray of bool, shape (n, n_rows)
            Whether a row stands at the instant of the one before it.

        Returns
        -------
        ndarray of int16, shape (n, n_steps)
            For each of `steps` a number of a row in the line.
        """
        pattern = np.ascontiguousarray(np.where(is_tied, -2 - places, places), dtype=np.int16)
        keys = pattern.view(np.dtype((np.void, pattern.itemsize * pattern.shape[1]))).reshape(-1)
        _, example, which = np.unique(keys, return_index=True, return_inverse=True)
        found = np.empty((len(example), len(self.steps)), dtype=np.int16)
        for line, at in enumerate(example.tolist()):
            key = keys[at].tobytes()
            served = self._served.get(key)
            if served is None:
                served = np.array(self._serve(places[at].tolist(), is_tied[at].tolist()), dtype=np.int16)
                if len(self._served) >= _MOST_KEPT:
                    self._served.clear()
                self._served[key] = served
            found[line] = served
        return found[which.reshape(-1)]

    def _serve(self, places: list[int], is_tied: list[bool]) -> list[int]:
        instant = -1
        rows: list[tuple[int, frozenset[int]]] = []
        for place, tied in zip(places, is_tied, strict=True):
            if place >= 0:
                instant += not tied
                rows.append((instant, self.sets[place]))
        return earliest_rows(rows, self.steps)


def contests(sets: Sequence[frozenset[int]]) -> list[Contest]:
    """Return the contests that sets of steps make; a step that shares no row is one by itself.

    Examples
    --------
    >>> [contest.steps for contest in contests([frozenset({0, 2}), frozenset({1}), frozenset({2, 3})])]
    [(0, 2, 3), (1,)]
    """
    linked: list[tuple[set[int], list[int]]] = []
    for number, one in enumerate(sets):
        if not one:
            continue
        apart = [part for part in linked if one.isdisjoint(part[0])]
        together = [part for part in linked if not one.isdisjoint(part[0])]
        steps = set(one).union(*(part[0] for part in together))
        numbers = [other for part in together for other in part[1]]
        linked = [*apart, (steps, [*numbers, number])]
    parts = sorted(sorted(numbers) for _, numbers in linked)
    return [Contest(numbers, [sets[number] for number in numbers]) for numbers in parts]


def earliest_rows(rows: Sequence[tuple[int, frozenset[int]]], steps: Sequence[int]) -> list[int]:
    """Return which rows serve the most steps, the earliest step by step, each row serving one.

    Instants are settled for every step before rows are; a step that is not served counts as later than any.

    Parameters
    ----------
    rows : sequence of (instant, steps)
        The rows of a window, by instant and number.
    steps : sequence of int
        The steps to be served.

    Returns
    -------
    list of int
        The place of the row that serves each step; -1 where none does.

    Examples
    --------
    >>> earliest_rows([(0, frozenset({0, 1})), (5, frozenset({0})), (9, frozenset({0, 1}))], (0, 1))
    [0, 2]
    """
    choices = [[place for place, (_, matched) in enumerate(rows) if step in matched] for step in steps]
    level = matched_most(choices)
    for at, options in enumerate(choices):
        choices[at] = []
        for instant in dict.fromkeys(rows[place][0] for place in options):
            choices[at] = [place for place in options if rows[place][0] == instant]
            if _can_serve(choices, at + 1, level):
                break
            choices[at] = []
    for at, options in enumerate(choices):
        for place in options if len(options) > 1 else ():
            choices[at] = [place]
            if _can_serve(choices, len(choices), level):
                break
    return [options[0] if options else -1 for options in choices]


def _can_serve(choices: Sequence[Sequence[int]], n_settled: int, level: int) -> bool:
    """Tell whether as many steps can be served, and among them the first ones that were not left out.

    Some largest matching covers any steps that a matching can cover: paths that augment it uncover none.
    """
    settled = [options for options in choices[:n_settled] if options]
    return matched_most(settled) == len(settled) and matched_most(choices) == level
