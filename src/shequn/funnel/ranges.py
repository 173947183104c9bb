"""What is the least value in a range, and where does a range first fall to a bound? Asked of many ranges at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from shequn._typing import BoolArray, IntArray

__all__ = ["INFINITE", "RangeMin"]

INFINITE = int(np.iinfo(np.int64).max)


class RangeMin:
    """Least values of the ranges of one column; an empty range has `INFINITE`.

    Examples
    --------
    >>> least = RangeMin(np.array([5, 3, 8]))
    >>> least.within(np.array([0, 2]), np.array([2, 2])).tolist() == [3, INFINITE]
    True
    >>> least.first_at_most(np.array([0]), np.array([4])).tolist()
    [1]
    """

    def __init__(self, values: IntArray, /) -> None:
        self._n = len(values)
        self._tables = [np.append(values, INFINITE)]  # one past the last, so that an empty range may start there
        self._suffix: IntArray | None = None

    def since(self, start: IntArray, /) -> IntArray:
        """Return the least value from each place on."""
        if self._suffix is None:
            self._suffix = np.minimum.accumulate(self._tables[0][::-1])[::-1]
        return self._suffix[start]

    def within(self, start: IntArray, stop: IntArray, /) -> IntArray:
        """Return the least value of each range [start, stop)."""
        length = np.maximum(stop - start, 0)
        level = np.frexp(length.astype(np.float64))[1] - 1  # floor of the binary logarithm; -1 of nothing
        self._grow(int(level.max(initial=0)))
        found = np.full(len(start), INFINITE, dtype=np.int64)
        for height in range(int(level.max(initial=-1)) + 1):
            here = level == height
            table = self._tables[height]
            found[here] = np.minimum(table[start[here]], table[stop[here] - (1 << height)])
        return found

    def first_at_most(self, start: IntArray, bound: IntArray, /) -> IntArray:
        """Return the first place from each start on whose value is at most the bound; the length where none is."""
        place = start.copy()
        height = np.zeros(len(start), dtype=np.int64)
        # Up in strides twice as long each time, as far as all values are above the bound, and then down again.
        climbing, top = np.arange(len(start)), 0
        while len(climbing):
            climbing = climbing[self._skip(place, bound, climbing, top)]
            top += 1
            height[climbing] = top
        for level in range(top - 1, -1, -1):
            self._skip(place, bound, np.flatnonzero(height > level), level)
        return place

    def _skip(self, place: IntArray, bound: IntArray, here: IntArray, height: int) -> BoolArray:
        """Go on by a stride where it is all above the bound; tell where it is."""
        self._grow(height)
        at, table = place[here], self._tables[height]
        skip = at + (1 << height) <= self._n
        skip[skip] = table[at[skip]] > bound[here[skip]]
        place[here[skip]] += 1 << height
        return skip

    def _grow(self, height: int) -> None:
        while len(self._tables) <= height:
            half = 1 << (len(self._tables) - 1)
            last = self._tables[-1]
            table = last.copy()
            np.minimum(last[:-half], last[half:], out=table[:-half])
            self._tables.append(table)
