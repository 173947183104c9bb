"""Rows dealt out by member: those of a part of the members together, so that what they add to is in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.halves import in_halves
from shequn.segmentation.rows_part import RowsPart

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.in_window import InWindow
    from shequn.columns.log import EventLog
    from shequn.segmentation.rows_part import ReadColumn

__all__ = ["Dealt", "dealt_parts", "dealt_rows"]

_ROWS_AT_A_TIME = 1 << 22  # of which copies are held, dealt out
_BLOCK = 1 << 18  # rows that one thread deals out at a time
_MEMBERS_BITS = 18  # members of a part, so that a column of theirs fits the cache
_MOST_PARTS_BITS = 8  # so that the number of a part is one byte, which is sorted by counting


@attrs.frozen(eq=False)
class Dealt:
    """Room for some rows of a log, dealt out: those of a part of the members stand together in each block.

    The room is used again for the next rows: to ask for new memory costs more than to fill it.

    Attributes
    ----------
    given : sequence of ReadColumn
        What is dealt out beside the members.
    shift : int
        A part has ``2 ** shift`` members.
    n_parts : int
    member : ndarray of int
        Of the rows that count. Those of a block begin where the block does.
    columns : tuple of ndarray
        What was read of them, for each of `given`.
    edges : dict of int to list of int
        By the first row of a block: where each part begins, and where the last one ends.
    """

    log: EventLog
    given: Sequence[ReadColumn]
    shift: int
    n_parts: int
    member: NDArray[Any]
    columns: tuple[NDArray[Any], ...]
    edges: dict[int, list[int]]

    @classmethod
    def room_for(
        cls, n_rows: int, log: EventLog, given: Sequence[ReadColumn], *, members_type: type[Any], members_bits: int
    ) -> Dealt:
        """Return room for so many rows at a time, and parts of ``2 ** members_bits`` members at least."""
        n_members = len(log.members)
        shift = max(members_bits, (n_members - 1).bit_length() - _MOST_PARTS_BITS)
        return cls(
            log,
            given,
            shift,
            n_parts=((n_members - 1) >> shift) + 1,
            member=np.empty(n_rows, dtype=members_type),
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


def dealt_rows(n_members: int) -> int:
    """Return how many rows to deal out at a time: where there are many members, half as many rows again.

    What is added to is read into the cache once each time.

    Examples
    --------
    >>> dealt_rows(9_000_000)
    13500000
    """
    return max(_ROWS_AT_A_TIME, n_members + n_members // 2)


def dealt_parts(log: EventLog, window: InWindow, given: Sequence[ReadColumn]) -> Iterator[RowsPart]:
    """Read instants, and what to add if anything, of the rows that count: those of some of the members at a time."""
    most = min(dealt_rows(len(log.members)), len(log))
    dealt = Dealt.room_for(most, log, given, members_type=np.int64, members_bits=_MEMBERS_BITS)
    member, (at, *each) = dealt.member, dealt.columns
    for start in range(0, len(log), most):
        dealt.deal(window, range(start, min(start + most, len(log))))
        for number in range(dealt.n_parts):
            spans = dealt.spans(number)
            yield RowsPart(
                sums=[(member[span], each[0][span] if each else None) for span in spans],
                instants=[(member[span], at[span]) for span in spans],
            )
