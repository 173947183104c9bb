"""Rows of many members dealt out: those of a part of the members together, so that what they add to is cached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np

from shequn.columns.halves import in_halves
from shequn.segmentation.straight import RowsPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.in_window import InWindow
    from shequn.columns.log import EventLog
    from shequn.segmentation.latest_instants import LatestMicroseconds, LatestTicks
    from shequn.segmentation.packed_sums import NarrowSums, WideSums

__all__ = ["Dealt", "DealtColumn", "dealt_parts", "dealt_rows"]

_ROWS_AT_A_TIME = 1 << 22  # of which copies are held, dealt out
_BLOCK = 1 << 18  # rows that one thread deals out at a time
_MEMBERS_BITS = 18  # members of a part, so that a column of theirs fits the cache
_MOST_PARTS_BITS = 8  # so that the number of a part is one byte, which is sorted by counting


class DealtColumn(NamedTuple):
    """A column that is dealt out, and what of it: what `read` makes of its numbers and as much room, of a type."""

    source: NDArray[Any]
    read: Callable[[NDArray[Any], IntArray], NDArray[Any]]
    dtype: np.dtype[Any]


@attrs.frozen(eq=False)
class Dealt:
    """Room for some rows of a log, dealt out: those of a part of the members stand together in each block.

    The room is used again for the next rows: to ask for new memory costs more than to fill it.

    Attributes
    ----------
    shift : int
        A part has ``2 ** shift`` members.
    n_parts : int
    member : ndarray of int64
        Of the rows that count. Those of a block begin where the block does.
    columns : tuple of ndarray
        What was read of them.
    edges : dict of int to list of int
        By the first row of a block: where each part begins, and where the last one ends.
    """

    log: EventLog
    given: Sequence[DealtColumn]
    shift: int
    n_parts: int
    member: IntArray
    columns: tuple[NDArray[Any], ...]
    edges: dict[int, list[int]]

    @classmethod
    def room_for(cls, n_rows: int, log: EventLog, given: Sequence[DealtColumn], *, members_bits: int) -> Dealt:
        """Return room for so many rows at a time, and parts of ``2 ** members_bits`` members at least."""
        n_members = len(log.members)
        shift = max(members_bits, (n_members - 1).bit_length() - _MOST_PARTS_BITS)
        return cls(
            log,
            given,
            shift,
            n_parts=((n_members - 1) >> shift) + 1,
            member=np.empty(n_rows, dtype=np.int64),
            columns=tuple(np.empty(n_rows, dtype=column.dtype) for column in given),
            edges={},
        )

    def deal(self, window: InWindow, these: range) -> None:
        """Deal out the rows that count of these."""
        self.edges.clear()

        def some(rows: range) -> None:
            most = min(_BLOCK, len(rows))
            masks, room = np.empty((2, most), dtype=np.bool_), np.empty(most, dtype=np.int64)
            for start in range(rows.start, rows.stop, _BLOCK):
                stop = min(start + _BLOCK, rows.stop)
                self._deal_block(window, slice(these.start + start, these.start + stop), start, masks, room)

        in_halves(len(these), some)

    def _deal_block(self, window: InWindow, block: slice, start: int, masks: BoolArray, room: IntArray) -> None:
        rows = window.places(self.log, block, masks)
        member = self.log.member_codes[block]
        # Places are taken, which costs a third of an index in brackets; they are there, and so need no check.
        if rows is not None:
            member = member.take(rows, mode="clip")
        part = (member >> self.shift).astype(np.uint8)
        order = np.argsort(part, kind="stable")
        edges = np.searchsorted(part, np.arange(self.n_parts, dtype=np.uint8), sorter=order)
        self.edges[start] = [start + edge for edge in (*edges.tolist(), len(order))]
        held = slice(start, start + len(order))
        self.member[held] = member.take(order, mode="clip")
        if rows is not None:
            order = rows.take(order, mode="clip")
        for column, dealt in zip(self.given, self.columns, strict=True):
            source = column.source[block]
            if rows is None:  # fewer bytes are dealt out of what was read
                column.read(source, room).take(order, out=dealt[held], mode="clip")
            else:
                dealt[held] = column.read(source.take(order, mode="clip"), room)

    def spans(self, part: int) -> list[slice]:
        """Return where the rows of a part stand."""
        edges = [self.edges[start][part : part + 2] for start in sorted(self.edges)]
        return [slice(start, stop) for start, stop in edges if start < stop]

    def part(self, number: int) -> RowsPart:
        """Return the rows of a part, of which instants were dealt out, and after them what to add if anything."""
        spans = self.spans(number)
        at, *each = self.columns
        return RowsPart(
            ((self.member[span], each[0][span] if each else None) for span in spans),
            ((self.member[span], at[span]) for span in spans),
        )


def dealt_rows(n_members: int) -> int:
    """Return how many rows to deal out at a time: where there are many members, more rows than those.

    What is added to is read into the cache once each time.

    Examples
    --------
    >>> dealt_rows(9_000_000)
    13500000
    """
    return max(_ROWS_AT_A_TIME, n_members + n_members // 2)


def dealt_parts(
    log: EventLog,
    window: InWindow,
    values: NDArray[Any] | None,
    sums: NarrowSums | WideSums,
    latest: LatestTicks | LatestMicroseconds,
) -> Iterator[RowsPart]:
    """Read the rows that count, those of some of the members at a time."""
    given = [DealtColumn(log.at_us, latest.read, latest.dtype)]
    if values is not None:
        given.append(DealtColumn(values, sums.read, sums.dtype))
    most = min(dealt_rows(len(log.members)), len(log))
    dealt = Dealt.room_for(most, log, given, members_bits=_MEMBERS_BITS)
    for start in range(0, len(log), most):
        dealt.deal(window, range(start, min(start + most, len(log))))
        yield from (dealt.part(number) for number in range(dealt.n_parts))
