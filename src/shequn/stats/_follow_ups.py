"""How are follow-ups read and counted by time? What `SurvivalTable` is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from shequn.errors import InvalidValueError, MisalignedError, message
from shequn.stats._checks import array_of, counts, refuse, whole
from shequn.stats.distinct import each_once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, IntArray

__all__ = [
    "counted",
    "distinct_times",
    "flags",
    "late_entries",
    "left_over",
    "of_one_kind",
    "one_axis",
    "require_rows",
    "require_total",
    "times_of",
]

_EXACT_FLOAT: Final = 2**53
# Two tables below it can be added without a look at each count.
_MOST_UNITS: Final = 2**62
_LARGEST: Final = 2**63 - 1
# Times below so many times their number are counted in a row each of the table of all times up to the last.
_SPARSE: Final = 4
_BLOCK: Final = 1 << 16  # rows whose copies stay in the cache


def one_axis(argument: str, array: NDArray[Any]) -> NDArray[Any]:
    """Return an array, if it has one axis."""
    if array.ndim != 1:
        raise InvalidValueError(message(argument, "one axis", f"shape {array.shape}"))
    return array


def times_of(argument: str, values: ArrayLike) -> NDArray[Any]:
    """Return times as int64 or float64; none at all as int64, which gives way to either."""
    array = one_axis(argument, array_of(argument, values, kinds="iuf", expected="real numbers"))
    if not len(array):
        return np.zeros(0, dtype=np.int64)
    least, most = array.min(), array.max()
    if array.dtype.kind != "f":
        # Two numbers decide at once what a look at each decides else.
        return array.astype(np.int64, copy=False) if least >= 0 and most <= _LARGEST else counts(argument, array)
    if not (least >= 0 and most < np.inf):
        refuse(argument, "finite numbers of 0 or more", array, ~((array >= 0) & np.isfinite(array)))
    return array.astype(np.float64, copy=False) + 0.0  # no negative zero


def require_rows(argument: str, array: NDArray[Any], **columns: NDArray[Any]) -> None:
    """Raise unless columns are as long as an array."""
    for name, column in columns.items():
        if len(column) != len(array):
            expected = f"as many rows as `{argument}`, which has {len(array)}"
            raise MisalignedError(message(name, expected, len(column)) + " rows")


def require_total(*columns: IntArray) -> None:
    """Raise if counts add up to so many that two such sums might not fit."""
    total = sum(float(column.sum(dtype=np.float64)) for column in columns)
    if total >= _MOST_UNITS:
        raise InvalidValueError(message("events, censored, entered", "counts that add up to less than 2**62", total))


def flags(argument: str, values: ArrayLike | None, exits: NDArray[Any]) -> BoolArray:
    """Return whether each exit is the event; all are where nothing is said."""
    if values is None:
        return np.ones(len(exits), dtype=np.bool_)
    array = one_axis(argument, array_of(argument, values, kinds="biu", expected="booleans"))
    require_rows("durations", exits, **{argument: array})
    if array.dtype.kind != "b":
        bad = (array != 0) & (array != 1)
        if bad.any():
            refuse(argument, "True or False, or 1 or 0", array, bad)
    return array.astype(np.bool_, copy=False)


def late_entries(entry: ArrayLike | None, exits: NDArray[Any]) -> NDArray[Any]:
    """Return the entries of those who came in at time 0 or later."""
    if entry is None:
        return np.zeros(0, dtype=np.int64)
    array = one_axis("entry", array_of("entry", entry, kinds="iuf", expected="real numbers"))
    require_rows("durations", exits, entry=array)
    bad = ~(array < exits)
    if bad.any():
        end = exits[int(np.argmax(bad))]
        refuse("entry", f"a time before the exit ({end}), below 0 for no late entry", array, bad)
    return times_of("entry", array[array >= 0])


def left_over(n_at_start: int, at: NDArray[Any], **columns: IntArray) -> int:
    """Return how many of those that were there are still followed after all that was counted."""
    start = whole("n_at_start", n_at_start)
    left = int(columns["events"].sum()) + int(columns["censored"].sum()) - int(columns["entered"].sum())
    if start < max(left, 0):
        raise InvalidValueError(message("n_at_start", f"at least the {max(left, 0)} that are counted", n_at_start))
    if start > left and not len(at):
        raise InvalidValueError(message("times", "a last time, when those at the start were still followed", "none"))
    if start - left >= _MOST_UNITS:
        raise InvalidValueError(message("n_at_start", "fewer than 2**62", n_at_start))
    return start - left


def of_one_kind(parts: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return times of several arrays as int64, or as float64 where that changes none of them."""
    filled = [part for part in parts if len(part)]
    if not any(part.dtype.kind == "f" for part in filled):
        return [part.astype(np.int64, copy=False) for part in parts]
    for part in filled:
        if part.dtype.kind == "i" and part.max() > _EXACT_FLOAT:
            raise InvalidValueError(message("times", "integers up to 2**53 beside floats", part.max()))
    return [part.astype(np.float64, copy=False) for part in parts]


def distinct_times(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the distinct times of arrays of one dtype, ascending."""
    filled = [part for part in parts if len(part)]
    if len(filled) == 1 and (filled[0][1:] > filled[0][:-1]).all():
        return filled[0]
    return each_once(np.concatenate(filled)) if filled else parts[0]


def counted(times: NDArray[Any], marked: BoolArray) -> tuple[NDArray[Any], IntArray, IntArray]:
    """Return the distinct times ascending, how many there are of each, and how many of those are marked.

    A time and its mark go into one integer, of which one pass or one sort counts both.
    """
    if times.dtype.kind == "i" and len(times) and int(times.max()) < _SPARSE * len(times):
        # The slow version would sort: whole times that are small need none.
        both = _pairs_counted(times, marked, 2 * int(times.max()) + 2).reshape(-1, 2)
        total = both.sum(axis=1)
        used = np.flatnonzero(total)
        return used, total[used], both[used, 1]
    # The bits of a float that is not negative rise with it, and its sign leaves room for the mark.
    keys = times.view(np.uint64) << np.uint64(1)
    keys |= marked
    keys.sort()
    is_marked = (keys & np.uint64(1)).view(np.int64)
    keys >>= np.uint64(1)
    begins = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
    total = np.diff(begins, append=len(keys))
    n_marked = np.diff(np.append(0, np.cumsum(is_marked))[np.append(begins, len(keys))])
    return keys[begins].view(times.dtype), total, n_marked


def _pairs_counted(times: IntArray, marked: BoolArray, n_places: int) -> IntArray:
    """Count each whole time twice over: at its double those without a mark, and right after it those with one."""
    block = _BLOCK if n_places <= _BLOCK else len(times)
    both = np.zeros(n_places, dtype=np.int64)
    room = np.empty(min(block, len(times)), dtype=np.int64)
    for start in range(0, len(times), block):
        some = slice(start, start + block)
        keys = np.left_shift(times[some], 1, out=room[: len(times[some])])
        keys |= marked[some]
        both += np.bincount(keys, minlength=n_places)
    return both
