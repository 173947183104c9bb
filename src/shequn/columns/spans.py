"""Between which instants does a block of rows lie? Found once, so that a window passes over blocks outside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.columns.halves import in_halves

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Spans"]

_ROWS = 1 << 15  # of which one span is kept


class Spans:
    """The first and the last instant in each stretch of rows, found when one is first asked for.

    Rows that were appended as they happened lie in the order of time: those of a window are then in few blocks, and no
    other is read.

    Examples
    --------
    >>> Spans(np.array([5, 3, 8])).of(slice(0, 2))
    (3, 8)
    """

    __slots__ = ("_at_us", "_found")

    def __init__(self, at_us: NDArray[np.int64], /) -> None:
        self._at_us = at_us
        self._found: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None

    def of(self, rows: slice, /) -> tuple[int, int]:
        """Return two instants that those of some rows lie between, themselves included; there is at least one row.

        They are the extreme ones of whole stretches, and so may belong to rows nearby.
        """
        if self._found is None:
            self._found = self._find()
        held = slice(rows.start // _ROWS, (rows.stop - 1) // _ROWS + 1)
        earliest, latest = self._found
        return int(earliest[held].min()), int(latest[held].max())

    def _find(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        n = -(-len(self._at_us) // _ROWS)
        earliest, latest = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)

        def some(stretches: range) -> None:
            for stretch in stretches:
                at_us = self._at_us[stretch * _ROWS : (stretch + 1) * _ROWS]
                earliest[stretch], latest[stretch] = at_us.min(), at_us.max()

        in_halves(n, some, many=32)
        return earliest, latest
