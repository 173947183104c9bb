"""Rows of up to millions of members, added straight into columns of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np

from shequn.columns.held_rows import held_rows, in_stretches
from shequn.columns.membership import NO_INSTANT
from shequn.segmentation.member_sums import PerMember
from shequn.segmentation.packed_sums import NarrowSums, WideSums

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.columns.held_rows import HeldRows
    from shequn.columns.in_window import InWindow
    from shequn.columns.log import EventLog

__all__ = ["fold_straight"]

_MOST_MEMBERS = 1 << 23  # members whose columns of 32 bits are written faster in no order than rows are dealt out
_MOST_WIDE = 1 << 21  # the same of 64 bits
_ROWS_AT_A_TIME = 1 << 21  # of which copies are made, where not all of them count
_BLOCK = 1 << 17  # rows whose copies leave the cache to that column, and a call of NumPy is worth its while
_MOST_TICKS = 2**32
_INSTANTS, _VALUES = 1, 2  # columns that are read of rows; the first is that of members


def fold_straight(log: EventLog, window: InWindow, values: NDArray[Any] | None) -> PerMember | None:
    """Fold the rows of a window straight into columns of all members; None where that can't be done.

    Of instants the latest tick is kept, in 32 bits: half the column, half the time. Number and sum are added up in one
    integer: if that can be done in 32 bits, so much the better. Where 64 can't hold them either, or ticks need more, it
    is done otherwise.

    Many rows are gone through for one column, and then for the other, as two would push each other out of the cache.
    One thread does it: what adds to places that may repeat, NumPy does not let go of the interpreter for.
    """
    n_members = len(log.members)
    if n_members > _MOST_MEMBERS or (values is not None and values.dtype.kind == "f"):
        return None
    ticks = _Ticks.of(log, window)
    if ticks is None:
        return None
    rows = _Rows.of(log, window, values)
    narrow = NarrowSums.of(n_members, values, len(log))
    found = None if narrow is None else _folded(rows, ticks, narrow)
    if found is not None or n_members > _MOST_WIDE:
        return found
    return _folded(rows, ticks, WideSums(n_members))


def _folded(rows: _Rows, ticks: _Ticks, sums: NarrowSums | WideSums) -> PerMember | None:
    """Fold the rows; None where the sums don't fit, which most often shows after some of them."""
    latest = np.zeros(len(rows.log.members), dtype=np.uint32)
    for parts in rows.parts():
        for member, values in rows.blocks(parts, _VALUES):
            if not sums.add(member, values, rows.room):
                return None
        for member, at_us in rows.blocks(parts, _INSTANTS):
            np.maximum.at(latest, member, ticks.since_first(at_us, rows.room[: len(member)]))
        parts.clear()  # what was copied for them, before as much is copied again
    told = sums.told()
    if told is None:
        return None
    last_us = latest.astype(np.int64)
    last_us += ticks.first
    last_us *= ticks.length_us
    last_us[told[0] == 0] = NO_INSTANT
    return PerMember(last_us, *told)


class _Ticks(NamedTuple):
    """Instants as numbers of ticks since the first: a tick is the unit that all instants of a log are multiples of.

    A multiple of a number is divided by it without a division. What is even in the number is shifted away, and of the
    rest there is a number that it gives 1 with when multiplied modulo 2**32. The last 32 bits of the quotient come from
    the last 32 bits of what is divided, and as fewer than 2**32 ticks are asked about, these say it all.
    """

    length_us: int
    first: int
    twos: int
    inverse: np.uint32

    @classmethod
    def of(cls, log: EventLog, window: InWindow) -> _Ticks | None:
        """Return the ticks of the rows that count; None where there are too many for 32 bits."""
        length_us = log.resolution_us
        earliest_us, latest_us = log.spans.around(slice(0, len(log)))
        if window.after_us is not None:
            earliest_us = max(earliest_us, window.after_us)
        first, last = earliest_us // length_us, min(latest_us, window.until_us) // length_us
        if last - first >= _MOST_TICKS:
            return None
        twos = (length_us & -length_us).bit_length() - 1
        return cls(length_us, first, twos, np.uint32(pow(length_us >> twos, -1, 2**32)))

    def since_first(self, at_us: IntArray, room: IntArray) -> NDArray[np.uint32]:
        """Return how many ticks after the first each instant is."""
        ticks = np.right_shift(at_us, self.twos, out=room).astype(np.uint32)
        ticks *= self.inverse
        ticks -= np.uint32(self.first % 2**32)
        return ticks


@attrs.frozen(eq=False)
class _Rows:
    """The rows that count, some after the others, in room that is used again: new memory costs more than to fill it.

    Attributes
    ----------
    columns : sequence of ndarray
        Codes of members, instants, and values if there are any.
    member, room : ndarray of int64
        Members of the block at hand, and room for what is made of its numbers.
    """

    log: EventLog
    window: InWindow
    columns: Sequence[NDArray[Any]]
    member: IntArray
    room: IntArray

    @classmethod
    def of(cls, log: EventLog, window: InWindow, values: NDArray[Any] | None) -> _Rows:
        columns = [log.member_codes, log.at_us, *([] if values is None else [values])]
        member, room = (np.empty(min(_BLOCK, len(log)), dtype=np.int64) for _ in range(2))
        return cls(log, window, columns, member, room)

    def parts(self) -> Iterator[list[HeldRows]]:
        """Read the rows."""
        stretches = self.window.stretches(self.log)
        n_rows = sum(rows.stop - rows.start for rows, _ in stretches)
        for start in range(0, n_rows, _ROWS_AT_A_TIME):
            some = list(in_stretches(stretches, range(start, start + _ROWS_AT_A_TIME), _ROWS_AT_A_TIME))
            yield held_rows(self.log, self.window, self.columns, stretches=some)

    def blocks(self, parts: list[HeldRows], column: int) -> Iterator[tuple[IntArray, Any]]:
        """Go through members, and what a column holds; None where there is no such column."""
        for part in parts:
            codes, held = part.columns[0], part.columns[column] if column < len(part.columns) else None
            for start in range(0, len(codes), _BLOCK):
                some = slice(start, start + _BLOCK)
                member = self.member[: len(codes[some])]
                member[:] = codes[some]
                yield member, None if held is None else held[some]
