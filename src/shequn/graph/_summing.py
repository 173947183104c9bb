"""Several rows of the same tie are one: how are their weights and instants put together?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shequn.errors import InvalidValueError, message

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import IntArray

__all__ = ["TieColumns", "summed", "turned"]

_LOW_BITS = 16
_LOW = (1 << _LOW_BITS) - 1
_EXACT = 2**62  # below it no sum of integers has wrapped around


class TieColumns(NamedTuple):
    """Ties as columns, in order of source and target."""

    source: IntArray
    target: IntArray
    weight: NDArray[Any]
    last_us: IntArray | None


def turned(columns: TieColumns, /) -> TieColumns:
    """Return ties the other way round, in order again; they come in order.

    Two sorts by 16 bits each, which go by counting, take half the time of one by 64.
    """
    low = (columns.target & _LOW).astype(np.uint16)
    order = np.argsort(low, kind="stable")
    order = order.take(np.argsort((columns.target >> _LOW_BITS).astype(np.uint16).take(order), kind="stable"))
    last_us = None if columns.last_us is None else columns.last_us.take(order)
    return TieColumns(columns.target.take(order), columns.source.take(order), columns.weight.take(order), last_us)


def summed(columns: TieColumns, n_members: int, /, *, pairs: bool = False) -> TieColumns:
    """Return each tie once: the sum of its weights, its last instant.

    Floats are added from the least to the largest of each tie, so that the order of rows makes no difference.

    Parameters
    ----------
    pairs : bool, default False
        Whether no tie stands more than twice: then floats need no order.

    Raises
    ------
    InvalidValueError
        A sum of integers does not fit 64 bits, or one of floats is infinite.

    Examples
    --------
    >>> rows = TieColumns(np.array([1, 0, 1]), np.array([0, 1, 0]), np.array([2, 5, 3]), None)
    >>> [column.tolist() for column in summed(rows, 2)[:3]]
    [[0, 1], [1, 0], [5, 5]]
    """
    if not len(columns.source):
        return columns
    bits = n_members.bit_length()
    key = columns.source << bits
    key |= columns.target
    is_whole = columns.weight.dtype.kind != "f"
    # Sorted in the stable way, columns that are two ascending runs are merged, and not sorted anew.
    order = np.argsort(key, kind="stable") if is_whole or pairs else np.lexsort((columns.weight, key))
    key = key.take(order)
    is_first = np.empty(len(key), dtype=np.bool_)
    is_first[0] = True
    np.not_equal(key[1:], key[:-1], out=is_first[1:])
    starts = np.flatnonzero(is_first)
    key = key.take(starts)
    weight = _added(columns.weight.take(order), starts, pairs=pairs)
    last_us = None if columns.last_us is None else np.maximum.reduceat(columns.last_us.take(order), starts)
    target = key & ((1 << bits) - 1)
    key >>= bits
    return TieColumns(key, target, weight, last_us)


def _added(weight: NDArray[Any], starts: IntArray, *, pairs: bool) -> NDArray[Any]:
    """Return the sum of each stretch of weights, of two at most where they are `pairs`."""
    if len(starts) == len(weight):
        return weight
    if pairs:
        total = weight.take(starts)
        ends = np.append(starts[1:], len(weight))
        twice = np.flatnonzero(ends - starts > 1)
        total[twice] += weight.take(starts.take(twice) + 1)
    else:
        total = np.add.reduceat(weight, starts)
    is_whole = weight.dtype.kind != "f"
    if is_whole and int(weight.max()) * len(weight) < _EXACT:
        return total
    about = np.add.reduceat(weight.astype(np.float64), starts) if is_whole else total
    bad = np.abs(about) >= _EXACT if is_whole else ~np.isfinite(about)
    if bad.any():
        raise InvalidValueError(message("weight", "weights whose sum for a tie fits 64 bits", float(about[bad][0])))
    return total
