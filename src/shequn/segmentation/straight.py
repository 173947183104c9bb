"""The rows of a window as a log has them, some at a time: to be added to columns of all members in no order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.columns.held_rows import held_rows, in_stretches
from shequn.segmentation.rows_part import RowsPart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.columns.held_rows import HeldRows
    from shequn.columns.in_window import InWindow, Stretch
    from shequn.columns.log import EventLog
    from shequn.segmentation.latest_instants import LatestMicroseconds, LatestTicks
    from shequn.segmentation.packed_sums import NarrowSums, WideSums
    from shequn.segmentation.rows_part import Read

__all__ = ["straight_parts"]

_ROWS_AT_A_TIME = 1 << 21  # of which copies are made, where not all of them count
_BLOCK = 1 << 17  # rows whose copies leave the cache to what is added to, and a call of NumPy is worth its while
_INSTANTS, _VALUES = 1, 2  # columns that are read of rows; the first is that of members


def straight_parts(
    log: EventLog,
    window: InWindow,
    values: NDArray[Any] | None,
    sums: NarrowSums | WideSums,
    latest: LatestTicks | LatestMicroseconds,
) -> Iterator[RowsPart]:
    """Read the rows that count: those of stretches that count as a whole all at once, as no copies are made of them.

    Copies are made in room that is used again: new memory costs more than to fill it.
    """
    columns = [log.member_codes, log.at_us, *([] if values is None else [values])]
    member, room = (np.empty(min(_BLOCK, len(log)), dtype=np.int64) for _ in range(2))

    def blocks(parts: list[HeldRows], column: int, read: Read) -> Iterator[tuple[IntArray, Any]]:
        for part in parts:
            codes, held = part.columns[0], part.columns[column] if column < len(part.columns) else None
            for start in range(0, len(codes), _BLOCK):
                some = slice(start, start + _BLOCK)
                mine = member[: len(codes[some])]
                mine[:] = codes[some]
                yield mine, None if held is None else read(held[some], room)

    for stretches in _some_at_a_time(window.stretches(log)):
        parts = held_rows(log, window, columns, stretches=stretches)
        yield RowsPart(blocks(parts, _VALUES, sums.read), blocks(parts, _INSTANTS, latest.read))
        parts.clear()  # what was copied for them, before as much is copied again


def _some_at_a_time(stretches: list[Stretch]) -> Iterator[list[Stretch]]:
    whole = [stretch for stretch in stretches if stretch.is_whole]
    if whole:
        yield whole
    others = [stretch for stretch in stretches if not stretch.is_whole]
    n_rows = sum(rows.stop - rows.start for rows, _ in others)
    for start in range(0, n_rows, _ROWS_AT_A_TIME):
        yield list(in_stretches(others, range(start, start + _ROWS_AT_A_TIME), _ROWS_AT_A_TIME))
