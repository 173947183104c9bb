"""How much weight does each row have to each label?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.sharding.engine.ties import ends_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import IntArray

__all__ = ["sort_rows", "sum_rows"]

_LONG_ROW = 512  # from here on a row is sorted by itself


def sum_rows(
    offsets: IntArray, entry_label: NDArray[np.int32] | IntArray, weight: IntArray, /
) -> tuple[IntArray, IntArray, IntArray]:
    """Sum the weights of each row by label.

    Parameters
    ----------
    offsets : array of int64, shape (n + 1,)
        Where each row begins, and where the last ends.
    entry_label, weight : arrays of integers, shape (m,)
        Of each entry; neither is negative.

    Returns
    -------
    offsets, label, weight : arrays of int64
        Rows with each label once, ascending, and its sum.

    Notes
    -----
    A label and its weight are packed into one integer, so that one sort of each row brings equal labels together. Rows
    of one length are sorted side by side, which takes a tenth of the time of one sort of everything.

    Examples
    --------
    >>> sum_rows(np.array([0, 3, 4]), np.array([7, 2, 7, 7]), np.array([1, 1, 4, 4]))
    (array([0, 2, 3]), array([2, 7, 7]), array([1, 5, 4]))
    """
    label = entry_label.astype(np.int64)
    if len(label) == 0:
        return offsets, label, weight
    bits = int(weight.max()).bit_length()
    if int(label.max()).bit_length() + bits < np.iinfo(np.int64).bits:
        keys = (label << bits) | weight
        sort_rows(keys, offsets)
        weight, label = keys & ((1 << bits) - 1), keys >> bits
    else:
        order = np.lexsort((label, np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))))
        weight, label = weight[order], label[order]
    starts = np.empty(len(label), dtype=np.bool_)
    np.not_equal(label[1:], label[:-1], out=starts[1:])
    starts[offsets[:-1][np.diff(offsets) > 0]] = True
    first = np.flatnonzero(starts)
    return (
        np.searchsorted(first, offsets).astype(np.int64, copy=False),
        label[first],
        np.asarray(np.add.reduceat(weight, first), dtype=np.int64),
    )


def sort_rows(keys: IntArray, offsets: IntArray, /) -> None:
    """Sort the entries of each row, in place.

    Examples
    --------
    >>> keys = np.array([3, 1, 2, 9, 4])
    >>> sort_rows(keys, np.array([0, 3, 5]))
    >>> keys
    array([1, 2, 3, 4, 9])
    """
    length = np.diff(offsets)
    for row in np.flatnonzero(length >= _LONG_ROW):
        keys[offsets[row] : offsets[row + 1]].sort()
    length = np.where(length < _LONG_ROW, length, 0)
    by_length = np.argsort(length.astype(np.uint16), kind="stable")
    ends = ends_of(np.bincount(length))
    for entries in np.flatnonzero(np.diff(ends)):
        if entries > 1:
            rows = by_length[ends[entries] : ends[entries + 1]]
            where = offsets[rows][:, np.newaxis] + np.arange(entries)
            side_by_side = keys[where]
            side_by_side.sort(axis=1)
            keys[where] = side_by_side
