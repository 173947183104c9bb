"""How is a column of a data frame read, whatever library made the frame?

What offers itself through Arrow's C interface (Polars, Arrow tables, DuckDB, Ibis) is read through it, see `arrow`;
pandas is told by what its columns can do. Nothing of them is imported. Text of Arrow and categories come out encoded,
other columns as a list or an array in which no number was changed to make room for a missing one. A column of instants
that has a time zone keeps it: `to_instants` asks for it.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from shequn.columns.arrow import Nullable, Zoned, arrow_column, arrow_columns, coded_categories, has_arrow, less, signed
from shequn.columns.numbers import to_numbers
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError, message, suggest
from shequn.labels import Coded
from shequn.labels.encode import is_null
from shequn.stats._checks import instance
from shequn.values.instants import FIRST_US, LAST_US, Instants, to_instants

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray

__all__ = ["decoded", "frame_column", "frame_columns", "instants_of", "numbers_of", "plain_column", "present_rows"]

_MOST_NAMES = 20
_BLOCK = 1 << 15
_EXACT_FLOAT = 2**53
_ENCODES_ITSELF = {"string", "large_string"}  # text that a column of pyarrow encodes faster than we could
_RESOLUTIONS_US = (1_000_000, 1_000)


def frame_columns(frame: Any, wanted: Sequence[tuple[str, str]], /) -> list[Any]:  # noqa: ANN401
    """Return columns of a data frame by their names, each as `plain_column` takes it.

    A frame that has no columns to be asked for one by one (a DuckDB relation, an Ibis table, a reader of batches) is
    read once, as a stream.

    Parameters
    ----------
    frame : as in `frame_column`, or object with ``__arrow_c_stream__``
    wanted : sequence of (argument, name)
        Names of the columns; errors use the argument.

    Raises
    ------
    UnknownLabelError, InvalidTypeError, InvalidValueError
        As `frame_column` does; also where the stream fails, or holds decimals, bytes or nested values in such a column.

    Examples
    --------
    >>> frame_columns({"user_id": ["ann"], "event": ["post"]}, [("member", "user_id"), ("kind", "event")])
    [['ann'], ['post']]
    """
    if hasattr(frame, "__arrow_c_stream__") and not _has_columns(frame):
        return list(arrow_columns(frame, wanted, check=lambda names: _check_names(wanted, names)))
    _check_names(wanted, _names(frame))
    return [frame[name] for _, name in wanted]


def _has_columns(frame: object) -> bool:
    """Return whether a frame with an Arrow stream gives single columns without running a query."""
    is_arrow, is_pandas_or_polars = hasattr(frame, "to_pydict"), hasattr(frame, "to_dict") and hasattr(frame, "dtypes")
    return isinstance(frame, Mapping) or is_arrow or is_pandas_or_polars


def _check_names(wanted: Sequence[tuple[str, str]], names: Sequence[object]) -> None:
    for argument, name in wanted:
        _check_name(argument, name, names)


def _check_name(argument: str, name: str, names: Sequence[object]) -> None:
    instance(argument, name, Hashable, expected="the name of a column")
    if name not in names:
        shown = ", ".join(map(str, names[:_MOST_NAMES])) + (", …" if len(names) > _MOST_NAMES else "")
        expected = f"one of the frame's columns ({shown})"
        raise UnknownLabelError(message(argument, expected, name) + suggest(name, names))
    if names.count(name) > 1:
        raise InvalidValueError(
            message(argument, "a name that one column has", name) + f", which {names.count(name)} have"
        )


def frame_column(frame: Any, name: str, /, *, argument: str) -> Any:  # noqa: ANN401
    """Return a column of a data frame by its name, as `plain_column` gives it.

    Parameters
    ----------
    frame : mapping of str to column, pandas or Polars data frame, or Arrow table
    name : str
        Name of the column.
    argument : str
        Name that errors use.

    Raises
    ------
    UnknownLabelError
        There is no such column; the message suggests the closest one.
    InvalidTypeError
        `frame` is none of these, or a lazy one; or `name` is no name.
    InvalidValueError
        Several columns have that name.

    Examples
    --------
    >>> frame_column({"user_id": ["ann", "bo"]}, "user_id", argument="member")
    ['ann', 'bo']
    """
    (column,) = frame_columns(frame, [(argument, name)])
    return plain_column(column)


def _names(frame: Any) -> list[object]:  # noqa: ANN401
    if isinstance(frame, Mapping):
        return list(cast("Mapping[object, object]", frame))
    if hasattr(frame, "collect"):
        raise InvalidTypeError(message("frame", "a data frame in memory (call .collect() first)", type(frame).__name__))
    if hasattr(frame, "column_names"):  # an Arrow table, whose `columns` are the columns themselves
        return list(frame.column_names)
    if hasattr(frame, "columns") and hasattr(frame, "__getitem__"):
        return list(frame.columns)
    raise InvalidTypeError(
        message("frame", "a pandas or Polars data frame, an Arrow table or a mapping of columns", type(frame).__name__)
    )


def plain_column(column: Any, /) -> Any:  # noqa: ANN401
    """Return a column of a data frame as a list, an array or a `Coded`; what is no such column stays as it is.

    Examples
    --------
    >>> plain_column([1, None])
    [1, None]
    """
    if isinstance(column, list | tuple | np.ndarray | Coded | Zoned):
        return cast("Any", column)
    if hasattr(column, "to_numpy") and hasattr(column, "isna"):
        return _from_pandas(column)
    if hasattr(column, "to_physical") and type(column.dtype).__name__ in {"Categorical", "Enum"}:
        return _from_polars(column)
    if hasattr(column, "dictionary_encode") and str(column.type) in _ENCODES_ITSELF:
        column = column.dictionary_encode()
    taken = arrow_column(column) if has_arrow(column) else None
    if taken is not None:
        return taken.tolist() if isinstance(taken, Nullable) else taken
    for as_list in ("to_pylist", "to_list"):  # nested values and decimals, whose readers say what they think of them
        if hasattr(column, as_list):
            return getattr(column, as_list)()
    return column


def numbers_of(column: Any, /, *, argument: str) -> NDArray[Any]:  # noqa: ANN401
    """Return a column of numbers as `to_numbers` does, on its own memory where that is Arrow's and needs no change.

    Examples
    --------
    >>> numbers_of([100, None], argument="value").tolist()
    [100.0, nan]
    """
    if not has_arrow(column) or hasattr(column, "isna"):
        return to_numbers(decoded(plain_column(column)), argument=argument)
    plain = arrow_column(column)
    if isinstance(plain, np.ndarray) and plain.dtype.name in {"int64", "float64"}:
        return plain
    if isinstance(plain, Nullable) and plain.values.dtype.kind in "iu":
        numbers = np.where(plain.missing, np.nan, plain.values)
        if not (np.abs(numbers) >= _EXACT_FLOAT).any():
            numbers.setflags(write=False)
            return numbers
    if plain is None or isinstance(plain, Nullable):
        plain = plain_column(column) if plain is None else plain.tolist()
    return to_numbers(decoded(plain), argument=argument)


def instants_of(
    column: Any,  # noqa: ANN401
    /,
    *,
    argument: str,
    at_tz: str | None,
    time_unit: Literal["s", "ms", "us"] | None,
) -> Instants:
    """Return a column of instants as `to_instants` does, on its own memory where that is Arrow's, microseconds and UTC.

    Examples
    --------
    >>> instants_of([60], argument="at", at_tz=None, time_unit="s").us.tolist()
    [60000000]
    """
    plain = decoded(plain_column(column))
    if has_arrow(column) and not hasattr(column, "isna"):
        us = _microseconds(plain, at_tz, time_unit)
        resolution_us = None if us is None else _resolution_us(us)
        if us is not None and resolution_us is not None:
            return Instants(us, resolution_us)
    return to_instants(plain, argument=argument, at_tz=at_tz, time_unit=time_unit)


def _microseconds(plain: object, at_tz: str | None, time_unit: str | None) -> IntArray | None:
    """Return the instants where they are microseconds UTC already."""
    if isinstance(plain, Zoned) and at_tz is None and time_unit is None:
        plain, at_tz = plain.values, "UTC"
    if isinstance(plain, np.ndarray):
        array = cast("NDArray[Any]", plain)
        if array.dtype == np.dtype("M8[us]") and at_tz == "UTC" and time_unit is None:
            return array.view(np.int64)
        if array.dtype == np.int64 and time_unit == "us" and at_tz is None:
            return array
    return None


def _resolution_us(us: IntArray) -> int | None:
    """Return the coarsest unit that all instants are multiples of; None where one is out of range or missing."""
    units = iter((*_RESOLUTIONS_US, 1))
    unit = next(units)
    for start in range(0, len(us), _BLOCK):
        block = us[start : start + _BLOCK]
        if int(block.min()) < FIRST_US or int(block.max()) >= LAST_US:
            return None
        while unit > 1 and not _are_multiples(block, unit):
            unit = next(units)
    return unit


def _are_multiples(us: IntArray, unit: int) -> bool:
    """Return whether a unit divides all: an odd one does where the product with its inverse modulo 2^64 is small."""
    twos = unit & -unit
    odd = unit // twos
    if int(np.bitwise_or.reduce(us)) & (twos - 1):
        return False
    quotients = us * np.uint64(pow(odd, -1, 1 << 64)).astype(np.int64)
    most = ((1 << 63) - 1) // odd
    return int(quotients.min()) >= -most and int(quotients.max()) <= most


def decoded(column: Any, /) -> Any:  # noqa: ANN401
    """Return the labels of a column that `plain_column` encoded, for those who want no labels and will say so.

    Examples
    --------
    >>> decoded(Coded.of(["a"], argument="x")), decoded([1])
    (array(['a'], dtype=object), [1])
    """
    return column.labels() if isinstance(column, Coded) else column


def present_rows(column: Any, /, *, argument: str) -> tuple[Any, BoolArray]:  # noqa: ANN401
    """Return the rows of a column that are not missing, as a column of the same sort, and which are missing.

    Raises
    ------
    InvalidTypeError
        It is no column.

    Examples
    --------
    >>> present_rows([1, None], argument="joined")
    ([1], array([False,  True]))
    """
    if not hasattr(column, "__len__") or getattr(column, "ndim", 1) == 0:
        raise InvalidTypeError(message(argument, "a column (list or 1-D array)", column))
    if isinstance(column, Zoned):
        missing = np.isnat(column.values)
        return Zoned(column.values[~missing], column.dtype.tz), missing
    if isinstance(column, list | tuple):
        items = cast("Sequence[object]", column)
        missing = np.fromiter(map(is_null, items), dtype=np.bool_, count=len(items))
        return [item for item, gone in zip(items, missing.tolist(), strict=True) if not gone], missing
    if isinstance(column, np.ndarray):
        array = cast("NDArray[Any]", column)
        missing = _missing_in_array(array)
        return array[~missing], missing
    if hasattr(column, "isna") and hasattr(column, "dropna"):
        return column.dropna(), np.asarray(column.isna(), dtype=np.bool_)
    return column, np.zeros(len(column), dtype=np.bool_)


def _missing_in_array(column: NDArray[Any]) -> BoolArray:
    if isinstance(column, np.ma.MaskedArray):
        return np.ma.getmaskarray(cast("Any", column))
    if column.dtype.kind == "M":
        return cast("BoolArray", np.isnat(column))
    if column.dtype.kind == "f":
        return cast("BoolArray", np.isnan(column))
    missing = map(is_null, column) if column.dtype.kind == "O" else (False for _ in column)
    return np.fromiter(missing, dtype=np.bool_, count=len(column))


# --- Polars ---


def _from_polars(series: Any) -> Coded:  # noqa: ANN401
    """Take the numbers behind categories as codes; Polars would write a dictionary anew, row by row."""
    physical = arrow_column(series.to_physical())
    missing = physical.missing if isinstance(physical, Nullable) else None
    numbers = cast("NDArray[Any]", physical.values if isinstance(physical, Nullable) else physical)
    n_labels = int(numbers.max()) + 1 if len(numbers) else 0
    if n_labels and missing is None:  # categories of other columns may come before
        low = int(numbers.min())
        n_labels -= low
        codes = less(numbers, low, n_labels) if low else signed(numbers, n_labels, None)
    else:
        codes = signed(numbers, n_labels, missing)
    return coded_categories(codes, n_labels, lambda _, rows: series.gather(rows).to_list())


# --- pandas ---


def _from_pandas(series: Any) -> Any:  # noqa: ANN401
    dtype = series.dtype
    if isinstance(dtype, np.dtype):
        return series.to_numpy()
    if getattr(dtype, "tz", None) is not None:
        return series
    array = getattr(series, "array", series)
    if hasattr(dtype, "pyarrow_dtype") or str(getattr(dtype, "storage", "")).startswith("pyarrow"):
        return plain_column(array.__arrow_array__())
    if hasattr(dtype, "categories"):
        codes = np.array(array.codes)  # pandas shows its own memory, to which it writes later
        return _from_categories(codes, dtype.categories.tolist())
    return series.to_numpy(dtype=object, na_value=None) if series.isna().any() else series.to_numpy()


def _from_categories(codes: NDArray[Any], categories: Sequence[object]) -> Any:  # noqa: ANN401
    """Return rows of categories: encoded where these are text, else the values themselves."""
    values = np.fromiter((*categories, None), dtype=object, count=len(categories) + 1)
    if not set(map(type, categories)) <= {str}:
        return values[codes]
    return coded_categories(codes, len(categories), lambda order, _: values[order])
