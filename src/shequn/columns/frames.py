"""How is a column of a data frame read, whatever library made the frame?

pandas, Polars and Arrow are told by what their columns can do, and nothing of them is imported. Text of Arrow and
categories come out encoded, other columns as a list or an array in which no number was changed to make room for a
missing one. A column of instants that has a time zone is left as it is: `to_instants` asks it for its zone.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError, message, suggest
from shequn.labels import Coded, Index
from shequn.labels.encode import is_null
from shequn.labels.index import index_of_unique
from shequn.stats._checks import instance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray

__all__ = ["decoded", "frame_column", "plain_column", "present_rows"]

_MOST_NAMES = 20
_ARROW_TEXT = {"string", "large_string"}
_ARROW_FLOATS = {"halffloat", "float", "double"}


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
    instance(argument, name, Hashable, expected="the name of a column")
    names = _names(frame)
    if name not in names:
        shown = ", ".join(map(str, names[:_MOST_NAMES])) + (", …" if len(names) > _MOST_NAMES else "")
        expected = f"one of the frame's columns ({shown})"
        raise UnknownLabelError(message(argument, expected, name) + suggest(name, names))
    if names.count(name) > 1:
        raise InvalidValueError(
            message(argument, "a name that one column has", name) + f", which {names.count(name)} have"
        )
    return plain_column(frame[name])


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
    if isinstance(column, list | tuple | np.ndarray | Coded):
        return cast("Any", column)
    if hasattr(column, "to_pylist") and hasattr(column, "null_count"):
        return _from_arrow(column)
    if hasattr(column, "to_physical") and hasattr(column, "null_count"):
        return _from_polars(column)
    if hasattr(column, "to_numpy") and hasattr(column, "isna"):
        return _from_pandas(column)
    return column


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
    if isinstance(column, list | tuple):
        items = cast("Sequence[object]", column)
        missing = np.fromiter(map(is_null, items), dtype=np.bool_, count=len(items))
        return [item for item, gone in zip(items, missing.tolist(), strict=True) if not gone], missing
    if isinstance(column, np.ndarray):
        array = cast("NDArray[Any]", column)
        missing = _missing_in_array(array)
        return array[~missing], missing
    for is_missing, drop in (("isna", "dropna"), ("is_null", "drop_nulls"), ("is_null", "drop_null")):
        if hasattr(column, is_missing) and hasattr(column, drop):
            return getattr(column, drop)(), np.asarray(getattr(column, is_missing)(), dtype=np.bool_)
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


# --- Arrow ---


def _from_arrow(column: Any) -> Any:  # noqa: ANN401
    kind = column.type
    if getattr(kind, "tz", None) is not None:
        return column
    if str(kind) in _ARROW_TEXT:
        return _from_arrow_dictionary(column.dictionary_encode())
    if hasattr(kind, "index_type"):
        return _from_arrow_dictionary(column)
    array: NDArray[Any] = np.asarray(column)
    is_changed = column.null_count and array.dtype.kind == "f" and str(kind) not in _ARROW_FLOATS
    return column.to_pylist() if is_changed else array


def _from_arrow_dictionary(column: Any) -> Any:  # noqa: ANN401
    chunks = column.unify_dictionaries().chunks if hasattr(column, "unify_dictionaries") else [column]
    if not chunks:
        return []
    codes = np.concatenate([_signed_indices(chunk) for chunk in chunks])
    return _from_categories(codes, chunks[0].dictionary.to_pylist())


def _signed_indices(array: Any) -> NDArray[np.int64]:  # noqa: ANN401
    """Return the place of each row in the dictionary, -1 for none."""
    indices: NDArray[np.int64] = np.asarray(array.indices.fill_null(0)).astype(np.int64)
    indices[np.asarray(array.is_null())] = -1
    return indices


def _from_categories(codes: NDArray[Any], categories: Sequence[object]) -> Any:  # noqa: ANN401
    """Return rows of categories: encoded where these are text, else the values themselves."""
    values = np.fromiter((*categories, None), dtype=object, count=len(categories) + 1)
    if not set(map(type, categories)) <= {str} or len(set(categories)) < len(categories):
        return values[codes]
    used, codes = _in_order_of_appearance(codes)
    return Coded(index=index_of_unique(values[used]), codes=codes)


def _in_order_of_appearance(codes: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Return the codes that occur, first come first, and the column renumbered so; -1 stays."""
    n_codes = int(codes.max(initial=-1)) + 1
    first_row = np.full(n_codes + 1, len(codes), dtype=np.int64)  # the spare last place is where -1 points
    first_row[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    order = np.argsort(first_row[:-1])
    used = order[first_row[order] < len(codes)]
    new_code = np.full(n_codes + 1, -1, dtype=np.int32)
    new_code[used] = np.arange(len(used), dtype=np.int32)
    return used, new_code[codes]


# --- Polars ---


def _from_polars(series: Any) -> Any:  # noqa: ANN401
    dtype = series.dtype
    if getattr(dtype, "time_zone", None) is not None:
        return series
    if type(dtype).__name__ in {"Categorical", "Enum"}:
        return _from_polars_categories(series)
    keeps_nulls = not series.null_count() or dtype.is_float() or dtype.is_temporal()
    if keeps_nulls and not dtype.is_decimal() and not dtype.is_nested():
        return series.to_numpy()
    return series.to_list()


def _from_polars_categories(series: Any) -> Coded:  # noqa: ANN401
    """Encode the numbers behind the categories: only one row of each category is decoded."""
    present = series.drop_nulls()
    index, codes = Index.encode(present.to_physical().to_numpy())
    some_row = np.zeros(len(index), dtype=np.int64)
    some_row[codes] = np.arange(len(codes))
    all_codes = np.full(len(series), -1, dtype=np.int32)
    all_codes[~series.is_null().to_numpy()] = codes
    return cast("Coded", _from_categories(all_codes, present.gather(some_row).to_list()))


# --- pandas ---


def _from_pandas(series: Any) -> Any:  # noqa: ANN401
    dtype = series.dtype
    if isinstance(dtype, np.dtype):
        return series.to_numpy()
    if getattr(dtype, "tz", None) is not None:
        return series
    array = getattr(series, "array", series)
    if hasattr(dtype, "pyarrow_dtype") or str(getattr(dtype, "storage", "")).startswith("pyarrow"):
        return _from_arrow(array.__arrow_array__())
    if hasattr(dtype, "categories"):
        return _from_categories(np.asarray(array.codes), dtype.categories.tolist())
    return series.to_numpy(dtype=object, na_value=None) if series.isna().any() else series.to_numpy()
