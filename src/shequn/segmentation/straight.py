"""The rows of a window as a log has them, some at a time: to be added to columns of all members in no order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.columns.held_rows import held_rows, in_stretches
from shequn.segmentation.rows_part import RowsPart

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shequn._typing import IntArray
    from shequn.columns.held_rows import HeldRows
    from shequn.columns.in_window import InWindow, Stretch
    from shequn.columns.log import EventLog
    from shequn.segmentation.rows_part import ReadColumn

__all__ = ["straight_parts"]

_ROWS_AT_A_TIME = 1 << 21  # of which copies are made, where not all of them count
_BLOCK = 1 << 17  # rows whose copies leave the cache to what is added to, and a call of NumPy is worth its while
_INSTANTS, _SUMS = 0, 1  # columns that are given


def straight_parts(log: EventLog, window: InWindow, given: Sequence[ReadColumn]) -> Iterator[RowsPart]:
    """Read instants, and what to add if anything, of the rows that count; at once where all of a stretch count.

    No copies are made of those. Other copies are made in room that is used again: new memory costs more than to fill
    it.
    """
    columns = [log.member_codes, *(column.source for column in given)]
    member, room = (np.empty(min(_BLOCK, len(log)), dtype=np.int64) for _ in range(2))

    def blocks(parts: list[HeldRows], number: int) -> Iterator[tuple[IntArray, Any]]:
        for part in parts:
            codes = part.columns[0]
            for start in range(0, len(codes), _BLOCK):
                some = slice(start, start + _BLOCK)
                mine = member[: len(codes[some])]
                mine[:] = codes[some]
                yield mine, given[number].read(part.columns[1 + number][some], room) if number < len(given) else None

    for stretches in _some_at_a_time(window.stretches(log)):
        parts = held_rows(log, window, columns, stretches=stretches)
        yield RowsPart(sums=blocks(parts, _SUMS), instants=blocks(parts, _INSTANTS))
        parts.clear()  # what was copied for them, before as much is copied again


def _some_at_a_time(stretches: list[Stretch]) -> Iterator[list[Stretch]]:
    whole = [stretch for stretch in stretches if stretch.is_whole]
    if whole:
        yield whole
    others = [stretch for stretch in stretches if not stretch.is_whole]
    n_rows = sum(rows.stop - rows.start for rows, _ in others)
    for start in range(0, n_rows, _ROWS_AT_A_TIME):
        yield list(in_stretches(others, range(start, start + _ROWS_AT_A_TIME), _ROWS_AT_A_TIME))
