"""How much has each member, all rows together? Exact where the numbers are integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.errors import InvalidValueError, message

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["sums_of"]

_EXACT = 1 << 53
_LOW_BITS = 26


def sums_of(codes: NDArray[Any], values: NDArray[Any], n: int, /, *, argument: str) -> NDArray[Any]:
    """Return the sum of the values of each code, shape (n,): int64 of integers, float64 of floats without NaN.

    Floats are added from the lowest to the highest of each code, so that the order of rows makes no difference, as
    rounding would otherwise. The sum of infinities of both signs is NaN.

    Raises
    ------
    InvalidValueError
        A sum of integers does not fit 64 bits.

    Examples
    --------
    >>> sums_of(np.array([0, 2, 0]), np.array([1, 5, 2]), 3, argument="value")
    array([3, 0, 5])
    """
    if values.dtype.kind == "f":
        there = np.flatnonzero(~np.isnan(values))
        if not _adds_exactly(values, there):
            there = there.take(np.argsort(values.take(there)))
        return np.bincount(codes.take(there), values.take(there), minlength=n).astype(np.float64, copy=False)
    most = max(abs(int(values.max(initial=0))), abs(int(values.min(initial=0))))
    if most * len(values) < _EXACT:
        return np.bincount(codes, values, minlength=n).astype(np.int64)
    # Of each number the upper bits and the lower ones are summed apart, so that neither sum wraps around.
    low, high = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    np.add.at(low, codes, values & ((1 << _LOW_BITS) - 1))
    np.add.at(high, codes, values >> _LOW_BITS)
    high += low >> _LOW_BITS
    limit = 1 << (63 - _LOW_BITS)
    beyond = (high >= limit) | (high < -limit)
    if beyond.any():
        total = (int(high[beyond][0]) << _LOW_BITS) + int(low[beyond][0] & ((1 << _LOW_BITS) - 1))
        raise InvalidValueError(message(argument, "sums that fit 64 bits with sign", total))
    return (high << _LOW_BITS) + (low & ((1 << _LOW_BITS) - 1))


def _adds_exactly(values: NDArray[Any], there: NDArray[np.intp]) -> bool:
    """Return whether numbers are whole and small enough that no sum of them is ever rounded."""
    known = values.take(there)
    largest = float(np.abs(known).max(initial=0))
    return largest * len(known) < _EXACT and bool((np.rint(known) == known).all())
