"""Which part of the data is each segment's?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shequn.columns.segments import assignment_of
from shequn.errors import InvalidTypeError, message
from shequn.retention.presence import Presence

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from shequn.columns.log import EventLog
    from shequn.labels import Assignment, Label

__all__ = ["segments_of"]


def segments_of(
    data: EventLog | Presence, by: Assignment | Mapping[Label, Label | None] | str, /
) -> dict[Label | None, EventLog | Presence]:
    """Return the part of the data that each segment owns; that of None is there only if it holds something.

    Examples
    --------
    >>> import numpy as np
    >>> p = Presence.from_columns(member=[7, 9], period=np.array(["2024-01-01", "2024-01-08"], "M8[D]"))
    >>> {label: part.members for label, part in segments_of(p, {9: "gold"}).items()}
    {'gold': Index([9]), None: Index([7])}
    """
    labels: list[Label | None]
    if isinstance(by, str):
        if isinstance(data, Presence):
            raise InvalidTypeError(message("by", "an assignment: a presence has no columns", by))
        column = data.labelled_column(by)
        labels, codes = [*column.index, None], column.codes
        return _parts(labels, [(data, codes == code) for code in (*range(len(column.index)), -1)])
    assignment = assignment_of(by, data.members)
    labels = [*assignment.segments, None]
    member_masks = [assignment.codes == code for code in (*range(len(assignment.segments)), -1)]
    if isinstance(data, Presence):
        return _parts(labels, [(data, mask) for mask in member_masks])
    return _parts(labels, [(data, mask[data.member_codes]) for mask in member_masks])


def _parts(
    labels: list[Label | None], chosen: list[tuple[EventLog | Presence, NDArray[np.bool_]]]
) -> dict[Label | None, EventLog | Presence]:
    return {
        label: data.take(mask) if isinstance(data, Presence) else data.where(rows=mask)
        for label, (data, mask) in zip(labels, chosen, strict=True)
        if label is not None or mask.any()
    }
