"""Between which instants does a block of rows lie? So that a window passes over blocks outside it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import attrs
import numpy as np

from shequn.columns.eras import Eras
from shequn.columns.halves import in_halves
from shequn.columns.readonly import by_fields, read_only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from shequn._typing import IntArray

__all__ = ["Spans"]

_ROWS = 1 << 15  # of which one span is kept
_MANY_STRETCHES = 32  # from here on a second thread pays, and so do eras
_WIDE = 4  # stretches of more than one in so many parts of the whole time tell a window little


@attrs.frozen(eq=False)
class Spans:
    """The first and the last instant in each stretch of 32,768 rows.

    Rows that were appended as they happened lie in the order of time: those of a window are then in few blocks, and no
    other is read. More than a million rows in no order have the era of each in addition.

    Attributes
    ----------
    earliest_us, latest_us : ndarray of int64, shape (n_stretches,)
    eras : Eras or None

    Examples
    --------
    >>> Spans.of_rows(np.array([5, 3, 8])).around(slice(0, 2))
    (3, 8)
    """

    earliest_us: NDArray[np.int64] = attrs.field(converter=read_only)
    latest_us: NDArray[np.int64] = attrs.field(converter=read_only)
    eras: Eras | None = None

    @classmethod
    def of_rows(cls, at_us: NDArray[np.int64], /) -> Spans:
        """Find the spans of rows with these instants."""
        n = -(-len(at_us) // _ROWS)
        earliest_us, latest_us = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)

        def some(stretches: range) -> None:
            for stretch in stretches:
                rows = at_us[stretch * _ROWS : (stretch + 1) * _ROWS]
                earliest_us[stretch], latest_us[stretch] = rows.min(), rows.max()

        in_halves(n, some, many=_MANY_STRETCHES)
        if n < _MANY_STRETCHES:
            return cls(earliest_us, latest_us)
        first, last = int(earliest_us.min()), int(latest_us.max())
        is_wide = (latest_us.astype(np.float64) - earliest_us).mean() * _WIDE > last - first
        if not is_wide:
            return cls(earliest_us, latest_us)
        eras = Eras.of_instants(at_us, first, last)
        return cls(earliest_us, latest_us, None if eras.is_crowded() else eras)

    def around(self, rows: slice, /) -> tuple[int, int]:
        """Return two instants that those of some rows lie between, themselves included; there is at least one row.

        They are the extreme ones of whole stretches, and so may belong to rows nearby.
        """
        held = slice(rows.start // _ROWS, (rows.stop - 1) // _ROWS + 1)
        return int(self.earliest_us[held].min()), int(self.latest_us[held].max())

    def runs(self, sorts: IntArray, n_rows: int, /) -> Iterator[tuple[slice, int]]:
        """Put stretches of one sort that stand side by side together.

        Parameters
        ----------
        sorts : ndarray of int, shape (n_stretches,)
        n_rows : int
            How many rows there are in all.

        Yields
        ------
        rows : slice
        sort : int

        Examples
        --------
        >>> list(Spans.of_rows(np.array([5, 3, 8])).runs(np.array([1]), 3))
        [(slice(0, 3, None), 1)]
        """
        starts = np.flatnonzero(np.diff(sorts, prepend=-1)).tolist()
        for first, stop in pairwise([*starts, len(sorts)]):
            yield slice(first * _ROWS, min(stop * _ROWS, n_rows)), int(sorts[first])

    def __reduce__(self) -> tuple[Callable[..., Spans], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
