"""What do the rows of a span say of each member: how late a chain began, and how early steps were completed?"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from shequn._typing import IntArray
    from shequn.funnel.parts import Part
    from shequn.funnel.reading import Reading

__all__ = ["NEVER", "NOT_YET", "Filling", "columns_of_pairs"]

NEVER = int(np.iinfo(np.int64).min)  # no chain reached the step; earlier than any start
NOT_YET = int(np.iinfo(np.int64).max)  # the steps are not completed; later than any instant


def columns_of_pairs(n_steps: int) -> dict[tuple[int, int], int]:
    """Return the column of each two steps, of which the first comes before the second."""
    return {pair: column for column, pair in enumerate(combinations(range(n_steps), 2))}


@attrs.frozen(eq=False)
class Filling:
    """Writes what the entries of a part say into the rows of its members; parts have no member in common."""

    reading: Reading
    latest: IntArray
    earliest: IntArray | None

    def __call__(self, part: Part) -> None:
        """Write what a part says."""
        at = [np.flatnonzero(part.step == step) for step in range(self.reading.n_steps)]
        self._fill_latest(part, at)
        if self.earliest is not None:
            self._fill_earliest(part, at, self.earliest)

    def _fill_latest(self, part: Part, at: list[IntArray]) -> None:
        """Hand the latest start on from step to step.

        An entry follows any entry of the step before that stands before it, as entries at one instant are ordered by
        step. The last of those has the latest start: the first step's own instants ascend, and so do all that are
        handed on. A member's bits lead, so that the start of another member's chain is further away than any window.
        """
        places, starts = at[0], part.clock[at[0]]
        self._write_latest(part, 0, starts)
        for step in range(1, self.reading.n_steps):
            n_before = np.searchsorted(places, at[step])
            entries, n_before = at[step][n_before > 0], n_before[n_before > 0]
            latest = starts[n_before - 1]
            in_time = part.clock[entries] - latest <= self.reading.clock.within
            places, starts = entries[in_time], latest[in_time]
            self._write_latest(part, step, starts)

    def _write_latest(self, part: Part, step: int, starts: IntArray) -> None:
        """Write the last of each member's starts; they ascend."""
        unit = part.units(starts)
        last = np.flatnonzero(np.diff(unit, append=-1))
        at_us = self.reading.clock.instants(part.ticks(starts[last]))
        self.latest[part.first_member + unit[last], step] = at_us

    def _fill_earliest(self, part: Part, at: list[IntArray], earliest: IntArray) -> None:
        """Hop from the first entry of a step to the next entry of each step after it."""
        column = columns_of_pairs(self.reading.n_steps)
        for step in range(self.reading.n_steps - 1):
            unit = part.units(part.clock[at[step + 1]])
            place = at[step + 1][np.diff(unit, prepend=-1) != 0]
            for last in range(step + 1, self.reading.n_steps):
                if last > step + 1:
                    place = _next_of_member(part, place, at[last])
                clock = part.clock[place]
                at_us = self.reading.clock.instants(part.ticks(clock))
                earliest[part.first_member + part.units(clock), column[step, last]] = at_us


def _next_of_member(part: Part, place: IntArray, entries: IntArray) -> IntArray:
    """Return the next of ascending entries after each place, where the same member has one."""
    number = np.searchsorted(entries, place)
    is_any = number < len(entries)
    before, after = place[is_any], entries[number[is_any]]
    found: IntArray = after[part.units(part.clock[after]) == part.units(part.clock[before])]
    return found
