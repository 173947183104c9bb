"""Rows of many members, added up a part of the members at a time, so that it is done in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.halves import in_halves

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.in_window import InWindow
    from shequn.columns.log import EventLog
    from shequn.segmentation.member_sums import PerMember, Sums

__all__ = ["fold_dealt"]

_ROWS_AT_A_TIME = 1 << 22  # of which copies are held, dealt out
_BLOCK = 1 << 17  # rows that one thread deals out at a time
_FEWEST_MEMBERS_BITS = 14  # members of a part, so that their three columns fit the cache
_MOST_PARTS_BITS = 8  # so that the number of a part is one byte, which is sorted by counting
_MANY_PARTS = 8  # from here on a second thread pays


def fold_dealt(log: EventLog, window: InWindow, sums: Sums, found: PerMember) -> None:
    """Deal the rows of a window out by member, and add them to what is found.

    Floats whose sums depend on their order are dealt out all at once, other rows some at a time.
    """
    most = len(log) if sums.is_ordered else min(max(_ROWS_AT_A_TIME, len(log.members)), len(log))
    dealt = _Dealt.room_for(most, log, sums.values)
    for start in range(0, len(log), most):
        dealt.deal(window, range(start, min(start + most, len(log))))
        dealt.add_up(found, sums)


@attrs.frozen(eq=False)
class _Dealt:
    """Room for some rows of a log, dealt out: those of a part of the members stand together in each block.

    The room is used again for the next rows: to ask for new memory costs more than to fill it.

    Attributes
    ----------
    shift : int
        A part has ``2 ** shift`` members.
    n_parts : int
    member, at_us, values : ndarray
        The rows that count. Those of a block begin where the block does.
    edges : dict of int to list of int
        By the first row of a block: where each part begins, and where the last one ends.
    """

    log: EventLog
    source: NDArray[Any] | None
    shift: int
    n_parts: int
    member: NDArray[Any]
    at_us: IntArray
    values: NDArray[Any] | None
    edges: dict[int, list[int]]

    @classmethod
    def room_for(cls, n_rows: int, log: EventLog, source: NDArray[Any] | None) -> _Dealt:
        """Return room for so many rows at a time."""
        n_members = len(log.members)
        shift = max(_FEWEST_MEMBERS_BITS, (n_members - 1).bit_length() - _MOST_PARTS_BITS)
        return cls(
            log,
            source,
            shift,
            n_parts=((n_members - 1) >> shift) + 1,
            member=np.empty(n_rows, dtype=log.member_codes.dtype),
            at_us=np.empty(n_rows, dtype=np.int64),
            values=None if source is None else np.empty(n_rows, dtype=source.dtype),
            edges={},
        )

    def deal(self, window: InWindow, these: range) -> None:
        """Deal out the rows that count of these."""
        self.edges.clear()

        def some(rows: range) -> None:
            masks = np.empty((2, min(_BLOCK, len(rows))), dtype=np.bool_)
            for start in range(rows.start, rows.stop, _BLOCK):
                stop = min(start + _BLOCK, rows.stop)
                self._deal_block(window, slice(these.start + start, these.start + stop), start, masks)

        in_halves(len(these), some)

    def _deal_block(self, window: InWindow, block: slice, start: int, masks: BoolArray) -> None:
        member = self.log.member_codes[block]
        rows = window.places(self.log, block, masks)
        part = ((member if rows is None else member.take(rows)) >> self.shift).astype(np.uint8)
        order = np.argsort(part, kind="stable")
        edges = np.searchsorted(part, np.arange(self.n_parts, dtype=np.uint8), sorter=order)
        self.edges[start] = [start + edge for edge in (*edges.tolist(), len(order))]
        order = order if rows is None else rows.take(order)
        held = slice(start, start + len(order))
        # Places are taken, which costs a third of an index in brackets; they are there, and so need no check.
        member.take(order, out=self.member[held], mode="clip")
        self.log.at_us[block].take(order, out=self.at_us[held], mode="clip")
        if self.source is not None and self.values is not None:
            self.source[block].take(order, out=self.values[held], mode="clip")

    def add_up(self, found: PerMember, sums: Sums) -> None:
        """Add what was dealt out to what was found before."""
        edges = np.array([self.edges[start] for start in sorted(self.edges)])
        sizes = np.diff(edges).sum(axis=0).tolist()

        def some(parts: range) -> None:
            most = max(sizes[parts.start : parts.stop], default=0)
            member, at_us = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
            values = None if self.values is None else np.empty(most, dtype=self.values.dtype)
            for part in parts:
                n, first = sizes[part], part << self.shift
                spans = [slice(*span) for span in edges[:, part : part + 2].tolist()]
                mine = np.concatenate([self.member[span] for span in spans], out=member[:n])
                mine -= first
                last_us, rows, total = (column[first : first + (1 << self.shift)] for column in found)
                at = np.concatenate([self.at_us[span] for span in spans], out=at_us[:n])
                np.maximum.at(last_us, mine, at)
                if self.values is None or values is None:
                    rows += np.bincount(mine, minlength=len(rows))
                else:
                    sums.add(rows, total, mine, np.concatenate([self.values[span] for span in spans], out=values[:n]))

        in_halves(self.n_parts, some, many=_MANY_PARTS)
