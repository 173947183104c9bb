"""Turn a column of labels into an index and a code for each row, exactly, and about as fast as the column can be read.

Integers of a narrow range go through a lookup table, wide ones through `number_codes`; the labels come out ascending.
Text keeps the order of first appearance. An object column mostly holds few distinct objects many times, so its
*addresses* are coded first, as integers, and Python's own string comparison is spent on the distinct objects alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np

from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.labels.hashing import number_codes
from shequn.labels.index import Index, index_of_unique
from shequn.stats.distinct import each_once

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray

__all__ = ["encode", "encode_text", "is_null", "refuse_missing"]

_SAMPLE = 1 << 18
_BLOCK = 1 << 16
_MIXER = np.uint64(0x9E3779B97F4A7C15)
_INT64 = range(-(2**63), 2**63)
_MOST_ROWS = 2**31 - 1
_DATES = tuple(np.dtype(f"M8[{unit}]") for unit in "YMWD")
_EXPECTED = "labels that are all str or all int"
_FITTING = "integers that fit 64 bits with sign"


def encode(values: object, /, *, argument: str, nulls: bool = False) -> tuple[Index, NDArray[np.int32]]:
    """Find the distinct labels of a column and the code of each row: the work of `Index.encode`.

    Examples
    --------
    >>> index, codes = encode([30, 10, 30], argument="member")
    >>> index, codes.tolist()
    (Index([10, 30]), [1, 0, 1])
    """
    column = _as_column(values, argument)
    if len(column) > _MOST_ROWS:
        raise InvalidValueError(message(argument, f"at most {_MOST_ROWS:,} rows", len(column)))
    if not len(column):
        index, codes = index_of_unique(np.empty(0, dtype=object)), np.empty(0, dtype=np.int32)
    elif column.dtype.kind in "iu":
        index, codes = _encode_integers(column, argument)
    elif column.dtype.kind == "U":
        index, codes = _encode_fixed_text(column)
    elif column.dtype.kind == "O":
        index, codes = _encode_objects(column, argument, nulls=nulls)
    elif nulls and column.dtype.kind in "fM" and _is_missing(column).all():
        index, codes = index_of_unique(np.empty(0, dtype=object)), np.full(len(column), -1, dtype=np.int32)
    else:
        _refuse_dtype(column, argument, nulls=nulls)
    codes.setflags(write=False)
    return index, codes


def _as_column(values: object, argument: str) -> NDArray[Any]:
    """Return a 1-D array in native byte order; what is no array becomes one of objects, so that nothing is changed."""
    if isinstance(values, Index):
        return values.labels
    if not _is_column(values):
        raise InvalidTypeError(message(argument, "a column (list or 1-D array) of labels", values))
    if hasattr(values, "__array__"):
        column: NDArray[Any] = np.asarray(values)
    else:
        items = list(cast("Iterable[object]", values))
        column = np.fromiter(items, dtype=object, count=len(items))
    if isinstance(values, np.ma.MaskedArray):
        column = column.astype(object)
        column[np.ma.getmaskarray(cast("Any", values))] = None
    if column.ndim != 1:
        raise InvalidValueError(message(argument, "a 1-D column", f"an array of shape {column.shape}"))
    if column.dtype.kind == "T":  # NumPy's variable-width strings
        return column.astype(object)
    return column.astype(column.dtype.newbyteorder("="), copy=False)


def _is_column(values: object) -> bool:
    if isinstance(values, str | bytes | Mapping | set | frozenset):
        return False
    return hasattr(values, "__len__") and isinstance(values, Iterable)


# --- integers ---


def _encode_integers(column: NDArray[Any], argument: str) -> tuple[Index, NDArray[np.int32]]:
    low, high = int(column.min()), int(column.max())
    if high not in _INT64:
        over = column > _INT64[-1]
        row = int(np.flatnonzero(over)[0])
        raise InvalidValueError(
            message(argument, _FITTING, column[row], row=row, bad=int(over.sum()), total=len(column))
        )
    span = high - low + 1
    if span <= max(4 * len(column), 1 << 12):
        return _encode_narrow_integers(column, low, span)
    codes, distinct = number_codes(column.astype(np.int64, copy=False).view(np.uint64))
    labels = distinct.view(np.int64)
    order = np.argsort(labels)
    return index_of_unique(labels[order]), _inverse(order)[codes]


def _encode_narrow_integers(column: NDArray[Any], low: int, span: int) -> tuple[Index, NDArray[np.int32]]:
    """Encode integers in [low, low + span) by a lookup table over that range."""
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(column), _BLOCK)]
    present = np.zeros(span, dtype=np.bool_)
    for block in blocks:
        present[_offsets(column[block], low)] = True
    labels = np.flatnonzero(present).astype(np.int64)
    code_of = np.empty(span, dtype=np.int32)
    code_of[labels] = np.arange(len(labels), dtype=np.int32)
    codes = np.empty(len(column), dtype=np.int32)
    for block in blocks:
        codes[block] = code_of[_offsets(column[block], low)]
    return index_of_unique(labels + low), codes


def _offsets(column: NDArray[Any], low: int) -> NDArray[np.int64]:
    if column.dtype == np.uint64:
        return (column - np.uint64(low)).view(np.int64)
    return column.astype(np.int64, copy=False) - low


# --- objects ---


def _encode_objects(column: NDArray[Any], argument: str, *, nulls: bool) -> tuple[Index, NDArray[np.int32]]:
    if len(column) > _SAMPLE and _repeats_objects(column):
        objects, object_codes = _distinct_objects(column)
    else:
        objects, object_codes = column, None
    missing = None
    types = set(map(type, objects))
    if nulls and not _is_text(types) and not _is_int(types):
        missing = np.fromiter(map(is_null, objects), dtype=np.bool_, count=len(objects))
        present = objects[~missing]
        types = set(map(type, present))
    else:
        present = objects
    encoded = _encode_plain(present, types)
    if encoded is None:
        _refuse_objects(column, argument, nulls=nulls)
    index, codes = encoded
    if missing is not None:
        present_codes, codes = codes, np.full(len(objects), -1, dtype=np.int32)
        codes[~missing] = present_codes
    return index, codes if object_codes is None else codes[object_codes]


def _is_text(types: set[type]) -> bool:
    return all(issubclass(kind, str) for kind in types)


def _is_int(types: set[type]) -> bool:
    return all(issubclass(kind, int | np.integer) and not issubclass(kind, bool | np.timedelta64) for kind in types)


def _encode_plain(objects: NDArray[Any], types: set[type]) -> tuple[Index, NDArray[np.int32]] | None:
    """Encode objects that are all str or all int; None if they are not, or do not fit 64 bits."""
    if _is_text(types):
        return encode_text(objects if types <= {str} else _as_plain_text(objects))
    if not _is_int(types):
        return None
    try:
        numbers = np.array(list(map(int, objects)), dtype=np.int64)
    except OverflowError:
        return None
    return _encode_integers(numbers, "")


def is_null(label: object) -> bool:
    """Return whether an object stands for a missing label: None, NaN, or what pandas has for them.

    Examples
    --------
    >>> is_null(None), is_null(float("nan")), is_null("")
    (True, True, False)
    """
    if isinstance(label, float | np.floating):
        return bool(label != label)  # noqa: PLR0124  (NaN is what differs from itself)
    return label is None or type(label).__name__ in {"NAType", "NaTType"}


def _as_plain_text(objects: NDArray[Any]) -> NDArray[Any]:
    """Return subclasses of `str` as `str`: enum members, NumPy's strings, and those with an equality of their own."""
    return np.fromiter((str.__str__(label) for label in objects), dtype=object, count=len(objects))


def encode_text(column: NDArray[Any], /) -> tuple[Index, NDArray[np.int32]]:
    """Encode objects known to be `str`, by Python's hash of each, then check that equal hashes meant equal strings.

    Examples
    --------
    >>> index, codes = encode_text(np.array(["bo", "ann", "bo"], dtype=object))
    >>> index, codes.tolist()
    (Index(['bo', 'ann']), [0, 1, 0])
    """
    if len(column) > _BLOCK:
        hashes = np.fromiter(map(hash, column), dtype=np.int64, count=len(column))
        codes, distinct = number_codes(hashes.view(np.uint64))
        labels, codes = _by_first_row(column, codes, len(distinct))
        if column.tolist() == labels[codes].tolist():
            return index_of_unique(labels), codes
    code_of: dict[str, int] = {}
    codes = np.fromiter(
        (code_of.setdefault(label, len(code_of)) for label in column), dtype=np.int32, count=len(column)
    )
    return index_of_unique(np.fromiter(code_of, dtype=object, count=len(code_of))), codes


def _encode_fixed_text(column: NDArray[np.str_]) -> tuple[Index, NDArray[np.int32]]:
    """Encode fixed-width strings by a hash of their characters, then check that equal hashes meant equal strings."""
    if len(column) <= _BLOCK or column.dtype.itemsize == 0:
        return encode_text(column.astype(object))
    column = np.ascontiguousarray(column)
    codes, distinct = number_codes(_hashes_of_fixed_text(column))
    labels, codes = _by_first_row(column, codes, len(distinct))
    for start in range(0, len(column), _BLOCK):
        block = slice(start, start + _BLOCK)
        if not np.array_equal(labels[codes[block]], column[block]):
            return encode_text(column.astype(object))
    return index_of_unique(labels.astype(object)), codes


def _hashes_of_fixed_text(column: NDArray[np.str_]) -> NDArray[np.uint64]:
    width = column.dtype.itemsize // 4
    characters = column.view(np.uint32).reshape(len(column), width)
    hashes = np.zeros(len(column), dtype=np.uint64)
    for start in range(0, len(column), _BLOCK):
        block = hashes[start : start + _BLOCK]
        for position in range(width):
            block ^= characters[start : start + _BLOCK, position]
            block *= _MIXER
            block ^= block >> np.uint64(29)
    return hashes


def _by_first_row(
    column: NDArray[Any], codes: NDArray[np.int32], n_codes: int
) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Renumber codes in order of first appearance; return the labels in that order and the new codes."""
    first_row = np.full(n_codes, len(codes), dtype=np.int64)
    np.minimum.at(first_row, codes, np.arange(len(codes), dtype=np.int64))
    order = np.argsort(first_row)
    return column[first_row[order]], _inverse(order)[codes]


def _inverse(order: NDArray[np.intp]) -> NDArray[np.int32]:
    """Return where each place of a permutation went."""
    inverse = np.empty(len(order), dtype=np.int32)
    inverse[order] = np.arange(len(order), dtype=np.int32)
    return inverse


def _repeats_objects(column: NDArray[Any]) -> bool:
    """Guess from a sample whether the column holds the same objects again and again."""
    sample = np.ascontiguousarray(column[:: max(1, len(column) // _SAMPLE)])
    return len(each_once(_addresses(sample))) < 0.97 * len(sample)


def _distinct_objects(column: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Return the distinct objects of a column in order of first appearance, and the code of each row."""
    column = np.ascontiguousarray(column)
    codes, addresses = number_codes(_addresses(column))
    return _by_first_row(column, codes, len(addresses))


class _Addresses:
    """The memory of an object array, seen as integers."""

    def __init__(self, column: NDArray[Any]) -> None:
        self.column = column  # keeps the memory alive
        self.__array_interface__ = {
            "shape": column.shape,
            "typestr": np.dtype(np.uintp).str,
            "data": (column.__array_interface__["data"][0], True),
            "version": 3,
        }


def _addresses(column: NDArray[Any]) -> NDArray[np.uint64]:
    """Return where each object lives: equal addresses are one object, so coding them spares comparing text."""
    return np.asarray(_Addresses(column)).astype(np.uint64, copy=False)


# --- what is refused ---


def refuse_missing(missing: BoolArray, argument: str) -> NoReturn:
    """Raise for a column of labels in which some may not be missing and are.

    Examples
    --------
    >>> refuse_missing(np.array([False, True]), "member")
    Traceback (most recent call last):
    ...
    shequn.errors.InvalidTypeError: member: expected labels that are all str or all int, got None at row 1 (1 of 2 rows)
    """
    row, bad = int(np.flatnonzero(missing)[0]), int(missing.sum())
    raise InvalidTypeError(message(argument, _EXPECTED, None, row=row, bad=bad, total=len(missing)))


def _refuse_objects(column: NDArray[Any], argument: str, *, nulls: bool) -> NoReturn:
    missing = np.fromiter(map(is_null, column), dtype=np.bool_, count=len(column))
    first = next((label for label in column if not is_null(label)), None)
    fits = np.fromiter((_is_like(first, label) for label in column), dtype=np.bool_, count=len(column))
    bad = ~fits & ~missing if nulls else ~fits
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        got = column[row]
        text = message(argument, _EXPECTED, got, row=row, bad=int(bad.sum()), total=len(column))
        raise InvalidTypeError(text + ("" if missing[row] else f", of type {type(got).__name__}{_hint(got)}"))
    bad = ~missing & np.fromiter(
        (not null and int(label) not in _INT64 for null, label in zip(missing, column, strict=True)), dtype=np.bool_
    )
    row = int(np.flatnonzero(bad)[0])
    raise InvalidValueError(message(argument, _FITTING, column[row], row=row, bad=int(bad.sum()), total=len(column)))


def _is_like(first: object, label: object) -> bool:
    """Return whether a label is of the first one's type: text or integer, for no other is a label."""
    return isinstance(label, str) if isinstance(first, str) else _is_int({type(label)})


def _is_missing(column: NDArray[Any]) -> BoolArray:
    return cast("BoolArray", np.isnat(column) if column.dtype.kind == "M" else np.isnan(column))


def _refuse_dtype(column: NDArray[Any], argument: str, *, nulls: bool) -> NoReturn:
    bad = np.ones(len(column), dtype=np.bool_)
    if column.dtype.kind == "f" and (missing := _is_missing(column)).any():
        bad = ~missing if nulls else missing
    row = int(np.flatnonzero(bad)[0])
    text = message(argument, _EXPECTED, column[row], row=row, bad=int(bad.sum()), total=len(column))
    raise InvalidTypeError(text + _hint(column[row]))


def _hint(label: object) -> str:
    if isinstance(label, float | np.floating):
        return "; cast whole numbers with .astype(int) and fill or drop missing ones first"
    if isinstance(label, bytes):
        return "; decode bytes first"
    if isinstance(label, bool | np.bool_):
        return "; labels cannot be booleans"
    if isinstance(label, dt.datetime) or (isinstance(label, np.datetime64) and cast("Any", label).dtype not in _DATES):
        return "; labels cannot be instants: format them first"
    if isinstance(label, dt.date | np.datetime64):
        return "; labels cannot be dates: format them first"
    return ""
