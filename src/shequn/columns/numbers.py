"""How much: a column of numbers that keeps integers exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np

from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.labels.encode import is_null

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["concat_numbers", "exact_sum", "to_numbers"]

_EXACT_FLOAT = 2**53
_INT64 = range(-(2**63), 2**63)
_FITTING = "integers that fit 64 bits with sign"
_EXACT = "integers up to 2**53 beside floats or missing values"


def to_numbers(values: object, /, *, argument: str) -> NDArray[Any]:
    """Return a read-only int64 or float64 copy of a column of numbers; None becomes NaN.

    Parameters
    ----------
    values : array_like of int or float, shape (n,)
    argument : str
        Name that errors use.

    Raises
    ------
    InvalidTypeError
        Something is not a number (booleans, text and decimals are not).
    InvalidValueError
        An integer does not fit 64 bits, or a missing value or a float beside it would change an integer beyond 2**53.

    Examples
    --------
    >>> to_numbers([100, 250], argument="value").dtype.name, to_numbers([1, None], argument="value").tolist()
    ('int64', [1.0, nan])
    """
    column = _as_array(values, argument)
    if column.dtype.kind == "O":
        column = _from_objects(column.tolist(), argument)
    if column.dtype.kind not in "iuf" and len(column):
        got = column[0]
        raise InvalidTypeError(
            message(argument, "int or float", got, row=0) + f", of type {type(got).__name__}{_hint(got)}"
        )
    if column.dtype.kind == "u" and len(column) and int(column.max()) not in _INT64:
        _refuse(argument, _FITTING, column, column > _INT64[-1])
    own = column.astype(np.float64 if column.dtype.kind == "f" else np.int64)
    own.setflags(write=False)
    return own


def _as_array(values: object, argument: str) -> NDArray[Any]:
    """Return a 1-D array, of objects unless one was given."""
    if not _is_column(values):
        raise InvalidTypeError(message(argument, "a column (list or 1-D array) of numbers", values))
    if hasattr(values, "__array__"):
        column: NDArray[Any] = np.asarray(values)
    else:
        items = list(cast("Sequence[object]", values))
        column = np.fromiter(items, dtype=object, count=len(items))
    if column.ndim != 1:
        raise InvalidValueError(message(argument, "a 1-D column", f"an array of shape {column.shape}"))
    if isinstance(values, np.ma.MaskedArray):
        column = column.astype(object)
        column[np.ma.getmaskarray(cast("Any", values))] = None
    return column


def _is_column(values: object) -> bool:
    if isinstance(values, str | bytes | dict | set | frozenset):
        return False
    return hasattr(values, "__len__") and hasattr(values, "__iter__")


def _from_objects(items: list[Any], argument: str) -> NDArray[Any]:
    """Return int64 where all are integers, else float64 where that changes none of them."""
    types = set(map(type, items))
    if types == {float}:
        return np.array(items, dtype=np.float64)
    missing = np.fromiter(map(is_null, items), dtype=np.bool_, count=len(items))
    bad = np.fromiter((not _is_number(item) for item in items), dtype=np.bool_, count=len(items)) & ~missing
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        text = message(argument, "int or float", items[row], row=row, bad=int(bad.sum()), total=len(items))
        raise InvalidTypeError(f"{text}, of type {type(items[row]).__name__}{_hint(items[row])}")
    if all(issubclass(kind, int | np.integer) for kind in types):
        _refuse_outside(_INT64, _FITTING, items, argument)
        return np.array(list(map(int, items)), dtype=np.int64)
    _refuse_outside(range(-_EXACT_FLOAT, _EXACT_FLOAT + 1), _EXACT, items, argument)
    numbers = [np.nan if gone else float(item) for gone, item in zip(missing, items, strict=True)]
    return np.array(numbers, dtype=np.float64)


def _refuse_outside(accepted: range, expected: str, items: list[Any], argument: str) -> None:
    outside = (isinstance(item, int | np.integer) and int(cast("int", item)) not in accepted for item in items)
    bad = np.fromiter(outside, dtype=np.bool_, count=len(items))
    if bad.any():
        _refuse(argument, expected, items, bad)


def _is_number(item: object) -> bool:
    return isinstance(item, int | float | np.integer | np.floating) and not isinstance(item, bool | np.timedelta64)


def _refuse(argument: str, expected: str, column: Any, bad: NDArray[np.bool_]) -> NoReturn:  # noqa: ANN401
    row = int(np.flatnonzero(bad)[0])
    raise InvalidValueError(message(argument, expected, column[row], row=row, bad=int(bad.sum()), total=len(bad)))


def _hint(value: object) -> str:
    if type(value).__name__ == "Decimal":
        return "; give money in minor units (分) as integers"
    return ""


def concat_numbers(
    columns: Sequence[NDArray[Any] | None], lengths: Sequence[int], /, *, argument: str = "value"
) -> NDArray[Any]:
    """Stack columns of numbers; one that is None is NaN for its length.

    Raises
    ------
    InvalidValueError
        A float or a missing value in one column would change an integer beyond 2**53 in another.

    Examples
    --------
    >>> concat_numbers([np.array([1]), None], [1, 2]).tolist()
    [1.0, nan, nan]
    """
    parts = [column for column, n in zip(columns, lengths, strict=True) if n]
    if not any(column is None or column.dtype.kind == "f" for column in parts):
        dtype: type[np.int64 | np.float64] = np.int64
    else:
        dtype = np.float64
        for column in parts:
            if column is not None and column.dtype.kind == "i":
                outside = column[(column > _EXACT_FLOAT) | (column < -_EXACT_FLOAT)]
                if len(outside):
                    raise InvalidValueError(message(argument, _EXACT, outside[0]))
    filled = [np.full(n, np.nan) if column is None else column for column, n in zip(columns, lengths, strict=True) if n]
    stacked = np.concatenate(filled, dtype=dtype) if filled else np.empty(0, dtype=dtype)
    stacked.setflags(write=False)
    return stacked


def exact_sum(values: NDArray[Any], /, *, argument: str) -> int | float:
    """Sum a column: integers exactly, with an error where 64 bits do not hold the result.

    Raises
    ------
    InvalidValueError
        The sum of integers does not fit 64 bits with sign.

    Examples
    --------
    >>> exact_sum(np.array([2**62, -(2**62), 5]), argument="value")
    5
    """
    if values.dtype.kind == "f":
        return float(values.sum())
    # Halves of 32 bits cannot overflow when summed over fewer than 2**31 rows, and Python adds them without bounds.
    total = (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())
    if total not in _INT64:
        raise InvalidValueError(message(argument, "integers whose sum fits 64 bits with sign", total))
    return total
