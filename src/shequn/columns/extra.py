"""What else is known, row by row: a column of numbers, or of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

import attrs
import numpy as np

from shequn.columns.frames import plain_column
from shequn.columns.numbers import concat_numbers, to_numbers
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.labels import Coded, Index
from shequn.labels.encode import is_null

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

__all__ = ["ExtraColumn", "extra_column", "same_columns", "same_fields", "stack_columns"]

ExtraColumn: TypeAlias = "Coded | NDArray[Any]"


def extra_column(values: object, /, *, name: str, reserved: Collection[str] = ()) -> ExtraColumn:
    """Return a column of the caller's own: numbers stay numbers, booleans become 0 and 1, text becomes labels.

    The first row that is not missing says which of these the column is.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        `name` is no name or a reserved one, or a row is of another sort than the first.

    Examples
    --------
    >>> extra_column([None, 30], name="age"), extra_column(["沪", None], name="city").codes
    (array([nan, 30.]), array([ 0, -1], dtype=int8))
    """
    if not isinstance(name, str) or not name:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("extra", "column names that are non-empty str", name))
    if name in reserved:
        raise InvalidValueError(message("extra", f"column names other than {', '.join(reserved)}", name))
    column = plain_column(values)
    dtype_kind = _dtype_kind(column)
    if dtype_kind == "b":
        return to_numbers(np.asarray(column, dtype=np.int8), argument=name)
    if dtype_kind in {"i", "u", "f"}:
        return to_numbers(column, argument=name)
    if dtype_kind == "O":
        items = cast("Sequence[object]", column)
        first = next((item for item in items if not is_null(item)), None)
        if isinstance(first, bool | np.bool_):
            return to_numbers(_zeros_and_ones(items, name), argument=name)
        if isinstance(first, int | float | np.integer | np.floating) and not isinstance(first, np.timedelta64):
            return to_numbers(items, argument=name)
    return Coded.of(column, argument=name, nulls=True)


def _dtype_kind(column: object) -> str | None:
    """Return NumPy's letter for what an array holds; that of objects for a list, None for no column."""
    if isinstance(column, list | tuple):
        return "O"
    return cast("NDArray[Any]", column).dtype.kind if isinstance(column, np.ndarray) else None


def _zeros_and_ones(items: Sequence[object], name: str) -> list[int | None]:
    for row, item in enumerate(items):
        if not is_null(item) and not isinstance(item, bool | np.bool_):
            raise InvalidTypeError(message(name, "bool, as in the rows before", item, row=row, total=len(items)))
    return [None if is_null(item) else int(bool(item)) for item in items]


def stack_columns(columns: Sequence[ExtraColumn | None], lengths: Sequence[int], /, *, name: str) -> ExtraColumn | None:
    """Stack the columns of one name; one that is None is missing for its length, and so is what has no label at all.

    Raises
    ------
    InvalidTypeError
        Some hold numbers and others labels, or labels of two types.

    Examples
    --------
    >>> stack_columns([np.array([1]), None], [1, 1], name="age").tolist()
    [1.0, nan]
    """
    if all(column is None for column in columns):
        return None
    numbers = [column if isinstance(column, np.ndarray) and len(column) else None for column in columns]
    labels = [column if isinstance(column, Coded) and len(column.index) else None for column in columns]
    any_numbers = any(column is not None for column in numbers)
    any_labels = any(column is not None for column in labels)
    if any_numbers and any_labels:
        raise InvalidTypeError(f"{name}: expected numbers in every log or labels in every log, got both")
    if any_numbers or (not any_labels and any(isinstance(column, np.ndarray) for column in columns)):
        return concat_numbers(numbers, lengths, argument=name)
    nothing = Index()
    return Coded.concat(
        [
            Coded(index=nothing, codes=np.full(n, -1, dtype=np.int8)) if column is None else column
            for column, n in zip(labels, lengths, strict=True)
        ],
        argument=name,
    )


def same_columns(one: object, other: object) -> bool:
    """Return whether two columns, or two plain values, are equal row by row; NaN equals NaN.

    Examples
    --------
    >>> same_columns(np.array([1.0, np.nan]), np.array([1.0, np.nan]))
    True
    """
    kinds = {_dtype_kind(one), _dtype_kind(other)}
    if kinds == {None}:
        return one is other or bool(one == other)
    return None not in kinds and bool(np.array_equal(cast("Any", one), cast("Any", other), equal_nan="O" not in kinds))


def same_fields(one: object, other: object) -> bool:
    """Return whether two records of one attrs class have equal fields, columns compared by `same_columns`."""
    names = [field.name for field in attrs.fields(cast("Any", type(one)))]
    return all(same_columns(getattr(one, name), getattr(other, name)) for name in names)
