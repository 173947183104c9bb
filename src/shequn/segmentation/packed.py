"""Number and sum of each member's rows in one integer, and the last instant in another: two columns are added to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shequn.segmentation.dealt import dealt_parts, dealt_rows
from shequn.segmentation.latest_instants import LatestMicroseconds, LatestTicks
from shequn.segmentation.member_sums import PerMember
from shequn.segmentation.packed_sums import NarrowSums, WideSums
from shequn.segmentation.rows_part import ReadColumn
from shequn.segmentation.straight import straight_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from shequn.columns.in_window import InWindow
    from shequn.columns.log import EventLog
    from shequn.segmentation.rows_part import RowsPart

__all__ = ["fold_packed"]

_MOST_STRAIGHT = 1 << 21  # members whose columns are written faster in no order than rows are dealt out


def fold_packed(log: EventLog, window: InWindow, values: NDArray[Any] | None) -> PerMember | None:
    """Fold the rows of a window into columns of all members.

    None of floats, of no rows at all, and where 64 bits don't hold the sums. If 32 bits hold them, so much the better:
    half the column takes half the time.

    Parts of the rows are gone through for one column, and then for the other, as two would push each other out of the
    cache. One thread adds: for what adds to places that may repeat, NumPy does not let go of the interpreter.
    """
    if not len(log) or (values is not None and values.dtype.kind == "f"):
        return None
    n_members = len(log.members)
    is_few = n_members <= _MOST_STRAIGHT
    # Members who are dealt out have all of their rows at first, which says nothing of how many others will have.
    narrow = NarrowSums.of(n_members, values, len(log), tried_rows=None if is_few else dealt_rows(n_members))
    read_parts = straight_parts if is_few else dealt_parts
    for sums in (narrow, WideSums(n_members)):
        found = None if sums is None else _folded(log, window, values, sums, read_parts)
        if found is not None:
            return found
    return None


def _folded(
    log: EventLog,
    window: InWindow,
    values: NDArray[Any] | None,
    sums: NarrowSums | WideSums,
    read_parts: Callable[[EventLog, InWindow, Sequence[ReadColumn]], Iterator[RowsPart]],
) -> PerMember | None:
    """Fold the rows; None where the sums don't fit, which most often shows after some of them."""
    latest = LatestTicks.of(log, window) or LatestMicroseconds(len(log.members))
    given = [ReadColumn(log.at_us, latest.read, latest.dtype)]
    if values is not None:
        given.append(ReadColumn(values, sums.read, sums.dtype))
    for part in read_parts(log, window, given):
        for member, each in part.sums:
            if not sums.add(member, each):
                return None
        for member, at in part.instants:
            latest.add(member, at)
    told = sums.told()
    return None if told is None else PerMember(latest.told(told[0]), *told)
