"""Number and sum of each member's rows in columns of their own: of floats, and of integers too large for one column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.columns.halves import in_halves
from shequn.segmentation.dealt import Dealt, dealt_rows
from shequn.segmentation.member_sums import PerMember, Sums
from shequn.segmentation.rows_part import ReadColumn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.columns.in_window import InWindow
    from shequn.columns.log import EventLog

__all__ = ["fold_apart"]

_MEMBERS_BITS = 14  # members of a part, so that their three columns fit the cache
_MANY_PARTS = 8  # from here on a second thread pays


def fold_apart(log: EventLog, window: InWindow, values: NDArray[Any] | None) -> PerMember:
    """Deal the rows of a window out by member, and add them up.

    Floats whose sums depend on their order are dealt out all at once, other rows some at a time.

    Raises
    ------
    InvalidValueError
        A value that counts is not finite, or a sum does not fit.
    """
    sums = Sums.of(log, window, values)
    found = PerMember.of_nobody(len(log.members), np.dtype(np.int64) if values is None else values.dtype)
    if not len(log):
        return found
    most = len(log) if sums.is_ordered else min(dealt_rows(len(log.members)), len(log))
    given = [ReadColumn(column, _as_it_is, column.dtype) for column in (log.at_us, values) if column is not None]
    members_type = log.member_codes.dtype.type
    dealt = Dealt.room_for(most, log, given, members_type=members_type, members_bits=_MEMBERS_BITS)
    for start in range(0, len(log), most):
        dealt.deal(window, range(start, min(start + most, len(log))))
        _add_up(dealt, found, sums)
    sums.require_finite(found.total, log, window)
    return found


def _as_it_is(column: NDArray[Any], room: IntArray) -> NDArray[Any]:  # noqa: ARG001
    return column


def _add_up(dealt: Dealt, found: PerMember, sums: Sums) -> None:
    """Add what was dealt out to what was found before."""
    spans = [dealt.spans(part) for part in range(dealt.n_parts)]
    sizes = [sum(span.stop - span.start for span in some) for some in spans]

    def some(parts: range) -> None:
        most = max(sizes[parts.start : parts.stop], default=0)
        room = [np.empty(most, dtype=np.int64), *(np.empty(most, dtype=column.dtype) for column in dealt.columns)]
        for part in parts:
            n, first = sizes[part], part << dealt.shift
            if not n:
                continue
            member, at_us, *values = (
                np.concatenate([column[span] for span in spans[part]], out=held[:n])
                for column, held in zip((dealt.member, *dealt.columns), room, strict=True)
            )
            member -= first
            last_us, rows, total = (column[first : first + (1 << dealt.shift)] for column in found)
            np.maximum.at(last_us, member, at_us)
            if values:
                sums.add(rows, total, member, values[0])
            else:
                rows += np.bincount(member, minlength=len(rows))

    in_halves(dealt.n_parts, some, many=_MANY_PARTS)
