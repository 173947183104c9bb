"""Rows of few members, added straight into columns that the cache holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np

from shequn.columns.membership import NO_INSTANT
from shequn.segmentation.member_sums import PerMember

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.in_window import InWindow
    from shequn.columns.log import EventLog

__all__ = ["fold_straight"]

_MOST_MEMBERS = 1 << 20  # members whose column the cache holds
_BLOCK = 1 << 17  # rows whose copies leave the cache to that column, and a call of NumPy is worth its while
_SUM_BITS = 44  # of a number that counts rows above a sum
_MOST_TICKS = 2**32


def fold_straight(log: EventLog, window: InWindow, values: NDArray[Any] | None) -> PerMember | None:
    """Fold the rows of a window straight into columns of all members; None where that can't be done.

    Of instants the latest tick is kept, in 32 bits: half the column, half the time. Number and sum are added up in one
    integer: a row adds its value, and far above all sums a one. Where that can't hold them, or ticks need more, it is
    done otherwise.

    All rows are gone through for one column, and then for the other, as two would push each other out of the cache.
    One thread does it: what adds to places that may repeat, NumPy does not let go of the interpreter for.
    """
    if len(log.members) > _MOST_MEMBERS or (values is not None and values.dtype.kind == "f"):
        return None
    blocks = _Blocks.of(log, window)
    last_us = _last(blocks)
    sums = None if last_us is None else _sums(blocks, values)
    if last_us is None or sums is None:
        return None
    last_us[sums[0] == 0] = NO_INSTANT
    return PerMember(last_us, *sums)


def _last(blocks: _Blocks) -> IntArray | None:
    """Return each member's last instant, anything for members without rows; None where 32 bits don't hold the ticks."""
    ticks = _Ticks.of(blocks)
    if ticks is None:
        return None
    latest = np.zeros(len(blocks.log.members), dtype=np.uint32)
    for block in blocks.of_rows(blocks.log.at_us):
        np.maximum.at(latest, block.member, ticks.since_first(block.column, blocks.room[: len(block.member)]))
    last_us = latest.astype(np.int64)
    last_us += ticks.first
    last_us *= ticks.length_us
    return last_us


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
    def of(cls, blocks: _Blocks) -> _Ticks | None:
        """Return the ticks of the rows that count; None where there are too many for 32 bits."""
        length_us = blocks.log.resolution_us
        earliest_us, latest_us = blocks.log.spans.around(slice(0, len(blocks.log)))
        if blocks.window.after_us is not None:
            earliest_us = max(earliest_us, blocks.window.after_us)
        first, last = earliest_us // length_us, min(latest_us, blocks.window.until_us) // length_us
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


def _sums(blocks: _Blocks, values: NDArray[Any] | None) -> tuple[IntArray, IntArray] | None:
    """Return number and sum of each member's rows; None where one integer may not hold both."""
    n_members = len(blocks.log.members)
    both = np.zeros(n_members, dtype=np.int64)
    if values is None:
        for block in blocks.of_rows(None):
            np.add.at(both, block.member, 1)
        return both, np.zeros(n_members, dtype=np.int64)
    found, n_rows, largest = None, 0, 0
    for block in blocks.of_rows(values):
        largest = max(largest, _size(block.column))
        if largest * (n_rows + len(block.member)) >= 1 << (_SUM_BITS - 1):
            found = _taken_apart(both, n_rows, found)
            if found is None or largest * len(block.member) >= 1 << (_SUM_BITS - 1):
                return None
            both, n_rows = np.zeros(n_members, dtype=np.int64), 0
        n_rows += len(block.member)
        np.add.at(both, block.member, np.add(block.column, 1 << _SUM_BITS, out=blocks.room[: len(block.member)]))
    return _taken_apart(both, n_rows, found)


def _size(values: IntArray) -> int:
    """Return the largest size of a value. Read without a sign, one below 0 is larger than any other."""
    most = int(values.view(np.uint64).max())
    return most if most < 1 << 63 else max(-int(values.min()), int(values.max()))


def _taken_apart(
    both: IntArray, n_rows: int, before: tuple[IntArray, IntArray] | None
) -> tuple[IntArray, IntArray] | None:
    """Return numbers and sums, with those from before; None if a number had no room. `both` is used up."""
    rows = np.empty_like(both)
    for start in range(0, len(both), _BLOCK):
        some = slice(start, start + _BLOCK)
        # Rounded to the nearest number, as a sum below 0 takes from it.
        np.add(both[some], 1 << (_SUM_BITS - 1), out=rows[some])
        rows[some] >>= _SUM_BITS
        both[some] -= rows[some] << _SUM_BITS
    # Numbers without room lost the same amount each, so that they add up to less than the rows there were.
    if int(rows.sum()) != n_rows:
        return None
    return (rows, both) if before is None else (before[0] + rows, before[1] + both)


class _Block(NamedTuple):
    """The rows that count of a block: their members, and what a column holds."""

    member: IntArray
    column: NDArray[Any]


@attrs.frozen(eq=False)
class _Blocks:
    """The rows that count, a block after the other, in room that is used again: new memory costs more than to fill it.

    Attributes
    ----------
    member, column : ndarray of int64
        Members and numbers of the block at hand.
    room : ndarray of int64
        For what is made of them.
    masks : ndarray of bool
    """

    log: EventLog
    window: InWindow
    member: IntArray
    column: IntArray
    room: IntArray
    masks: BoolArray

    @classmethod
    def of(cls, log: EventLog, window: InWindow) -> _Blocks:
        size = min(_BLOCK, len(log))
        member, column, room = (np.empty(size, dtype=np.int64) for _ in range(3))
        return cls(log, window, member, column, room, np.empty((2, size), dtype=np.bool_))

    def of_rows(self, column: IntArray | None) -> Iterator[_Block]:
        """Read the members of rows that count, and what a column of 64 bits holds in them."""
        for start in range(0, len(self.log), _BLOCK):
            block = slice(start, min(start + _BLOCK, len(self.log)))
            places, codes = self.window.places(self.log, block, self.masks), self.log.member_codes[block]
            held = None if column is None else column[block]
            if places is not None:
                # Places are there, and so need no check.
                codes = codes.take(places)
                held = None if held is None else held.take(places, out=self.column[: len(places)], mode="clip")
            if len(codes):
                member = self.member[: len(codes)]
                member[:] = codes
                yield _Block(member, member if held is None else held)
