"""Where do the rows stand that must not come between two steps?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from shequn.columns.log import sorted_rows

if TYPE_CHECKING:
    from shequn._typing import IntArray
    from shequn.funnel.parts import Part
    from shequn.funnel.reading import Reading

__all__ = ["Excluding"]


@attrs.frozen(eq=False)
class Excluding:
    """The rows of one exclusion, ordered by member and instant; they count whatever value is held constant."""

    member: IntArray
    tick: IntArray
    row: IntArray

    @classmethod
    def of(cls, reading: Reading, number: int) -> Excluding:
        """Return the rows of an exclusion of a reading."""
        log = reading.log
        rows = np.flatnonzero(reading.excluding[number])
        rows = rows[sorted_rows(log.member_codes[rows], log.at_us[rows], log.resolution_us)]
        return cls(log.member_codes[rows].astype(np.int64), reading.clock.ticks(log.at_us[rows]), rows)

    def in_part(self, part: Part) -> tuple[IntArray, IntArray]:
        """Return clock values, ascending, and row numbers, as the units of a part see them."""
        units = np.arange(part.n_units)
        members = part.members_of(units)
        start, stop = np.searchsorted(self.member, members), np.searchsorted(self.member, members, side="right")
        times = stop - start
        unit = np.repeat(units, times)
        place = np.repeat(start - np.cumsum(times) + times, times) + np.arange(len(unit))
        return self.tick[place] | (unit << part.bits), self.row[place]
