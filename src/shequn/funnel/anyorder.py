"""How many of the steps, in any order, fall inside one window?"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from shequn.funnel.exact import matched_most

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.funnel.parts import Part

__all__ = ["AnyOrder", "most_distinct", "rows_of_distinct"]


class AnyOrder:
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

    def served(self) -> BoolArray:
        """Return which steps each window serves, shape (n_windows, n_steps)."""
        return self.first_rows(self.begins) >= 0

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
