"""When did each member last do it, how often, and for how much in all?

Three numbers a member from all rows of a log. Which way leads there makes no difference to the numbers. Number and sum
are added up in one integer where it holds both: in the order that rows come in, as long as columns of all members are
so small that the cache holds much of them, and else dealt out by member first, so that what is added to is in the
cache. Floats, and integers too large for that, are always dealt out, and summed apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shequn.segmentation.packed import fold_packed
from shequn.segmentation.summed_apart import fold_apart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn.columns.in_window import InWindow
    from shequn.columns.log import EventLog
    from shequn.segmentation.member_sums import PerMember

__all__ = ["per_member"]


def per_member(log: EventLog, window: InWindow, values: NDArray[Any] | None) -> PerMember:
    """Fold the rows that count.

    Parameters
    ----------
    window : InWindow
        The rows that count.
    values : ndarray of int64 or float64, shape (n_rows,), or None
        What is summed; None gives sums of 0.

    Raises
    ------
    InvalidValueError
        A value that counts is not finite, or a sum does not fit.

    Notes
    -----
    Integers are summed exactly. Sums of floats do not depend on the order of rows either: where rounding could make a
    difference, the values of each member are added in ascending order.

    Examples
    --------
    >>> import numpy as np
    >>> from shequn.columns import EventLog
    >>> from shequn.columns.in_window import InWindow
    >>> log = EventLog.from_columns(member=[7, 9, 7], kind="buy", at=[0, 1, 2], time_unit="s", value=[5, 6, 7])
    >>> window = InWindow(kinds=np.array([True]), after_us=None, until_us=2_000_000)
    >>> [column.tolist() for column in per_member(log, window, log.value)]
    [[2000000, 1000000], [2, 1], [12, 6]]
    """
    found = fold_packed(log, window, values)
    return fold_apart(log, window, values) if found is None else found
