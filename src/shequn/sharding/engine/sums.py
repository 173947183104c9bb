"""How much weight does each row have to each label?"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.sharding.engine.ties import ends_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import IntArray

__all__ = ["sort_rows", "sum_rows"]

_FEW_RUNS, _LONG_RUN = 64, 16
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
    if len(entry_label) == 0:
        return offsets, entry_label.astype(np.int64), weight
    bits = int(weight.max()).bit_length()
    needed = int(entry_label.max()).bit_length() + bits
    if needed < np.iinfo(np.int64).bits:
        # NumPy sorts short integers in half the time.
        kind = np.dtype(np.int32 if needed < np.iinfo(np.int32).bits else np.int64)
        keys = (entry_label.astype(kind) << bits) | weight.astype(kind, copy=False)
        sort_rows(keys, offsets)
        weight, label = keys & ((1 << bits) - 1), keys >> bits
    else:
        label = entry_label.astype(np.int64)
        order = np.lexsort((label, np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))))
        weight, label = weight[order], label[order]
    starts = np.empty(len(label), dtype=np.bool_)
    np.not_equal(label[1:], label[:-1], out=starts[1:])
    starts[offsets[:-1][np.diff(offsets) > 0]] = True
    first = np.flatnonzero(starts)
    return (
        np.searchsorted(first, offsets).astype(np.int64, copy=False),
        label[first].astype(np.int64),
        np.add.reduceat(weight, first, dtype=np.int64),
    )


def sort_rows(keys: NDArray[np.signedinteger[Any]], offsets: IntArray, /) -> None:
    """Sort the entries of each row, in place.

    Examples
    --------
    >>> keys = np.array([3, 1, 2, 9, 4])
    >>> sort_rows(keys, np.array([0, 3, 5]))
    >>> keys
    array([1, 2, 3, 4, 9])
    """
    length = np.diff(offsets)
    runs = np.flatnonzero(np.diff(length, prepend=-1))
    if len(runs) <= _FEW_RUNS + len(length) // _LONG_RUN:  # rows of a length follow each other
        for first, last in pairwise([*runs.tolist(), len(length)]):
            if length[first] > 1:
                keys[offsets[first] : offsets[last]].reshape(last - first, -1).sort(axis=1)
        return
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
