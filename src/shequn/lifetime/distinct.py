"""Members with the same numbers are looked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from shequn._typing import FloatArray, IntArray

__all__ = ["distinct_rows"]

_SAMPLE = 1 << 13
_NEARLY_ALL = 0.99  # of a sample: of all rows more are alike, but not many times as many


def distinct_rows(*columns: FloatArray) -> tuple[IntArray, IntArray]:
    """Return one row of each kind that there is, and of which kind each row is; where few are alike, each is a kind.

    Parameters
    ----------
    columns : ndarray of float64, shape (n,)
        None of them NaN.

    Returns
    -------
    first : ndarray of int64, shape (k,)
    kind : ndarray of int64, shape (n,)
        Below k.

    Examples
    --------
    >>> distinct_rows(np.array([2.0, 0.0, 2.0]), np.array([7.0, 0.0, 7.0]))
    (array([1, 0]), array([1, 0, 1]))
    """
    if _differ_nearly_all(columns):
        every = np.arange(len(columns[0]))
        return every, every
    kind, n_kinds = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        code, n_codes = _codes(column)
        kind, n_kinds = _renumbered(kind * n_codes + code, n_kinds * n_codes)
    first = np.empty(n_kinds, dtype=np.int64)
    first[kind[::-1]] = np.arange(len(kind))[::-1]
    return first, kind


def _differ_nearly_all(columns: tuple[FloatArray, ...]) -> bool:
    """Return whether hardly any of some rows are alike: to find those takes longer than it saves."""
    n = len(columns[0])
    if n <= _SAMPLE:
        return False
    rows = np.stack([column[:: n // _SAMPLE] for column in columns], axis=1)
    return len(np.unique(rows, axis=0)) > _NEARLY_ALL * len(rows)


def _codes(column: FloatArray) -> tuple[IntArray, int]:
    """Return the values of a column as numbers from 0 on; small whole ones need no search."""
    if not len(column):
        return np.zeros(0, dtype=np.int64), 1
    low, high = float(column.min()), float(column.max())
    if low >= 0 and high <= 4 * len(column) + 1_000:
        whole = column.astype(np.int64)
        if np.array_equal(whole, column):
            return whole, int(high) + 1
    _, code = np.unique(column, return_inverse=True)
    return code, int(code.max()) + 1


def _renumbered(keys: IntArray, n_keys: int) -> tuple[IntArray, int]:
    """Return the keys that occur as numbers from 0 on, in their order."""
    if n_keys <= 8 * len(keys) + 1_000:
        is_used = np.zeros(n_keys, dtype=np.bool_)
        is_used[keys] = True
        number = np.cumsum(is_used) - 1
        return number[keys], int(number[-1]) + 1 if len(number) else 0
    _, number = np.unique(keys, return_inverse=True)
    return number, int(number.max()) + 1
