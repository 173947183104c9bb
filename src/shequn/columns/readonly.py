"""Arrays that nobody writes to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.errors import InvalidValueError, MisalignedError, message
from shequn.stats._checks import array_of, may_change, plain_array, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from shequn._typing import IntArray

__all__ = ["added", "by_fields", "codes_column", "counts_field", "frozen", "int64", "read_only", "read_only_or_none"]


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Make an array of one's own read-only, and return it."""
    array.setflags(write=False)
    return array


def read_only(values: Any) -> NDArray[Any]:  # noqa: ANN401
    """Return a read-only array: the one given, or a copy of it where its owner may still write to it."""
    array = plain_array("column", values, expected="an array")
    return frozen(array.copy()) if may_change(array) else array


def read_only_or_none(array: Any) -> NDArray[Any] | None:  # noqa: ANN401
    """Return None, or what `read_only` returns."""
    return None if array is None else read_only(array)


def int64(values: Any) -> IntArray:  # noqa: ANN401
    """Return a read-only int64 copy of whole numbers, or the array itself where it is one already."""
    given = array_of("counts", values, kinds="iub", expected="whole numbers")
    if given.dtype == np.int64 and not may_change(given):
        return given
    if given.dtype.kind == "u" and given.size and int(given.max()) > np.iinfo(np.int64).max:
        raise InvalidValueError(message("counts", "whole numbers below 2**63", int(given.max())))
    return frozen(given.astype(np.int64))


def codes_column(argument: str, values: Any, n: int, *, of: str) -> NDArray[np.int8]:  # noqa: ANN401
    """Return codes of a few things as a read-only int8 column: the array itself where it is that already.

    Parameters
    ----------
    argument : str
        Name of the column, for errors.
    values : array_like of int, shape (m,)
        Each in [0, n).
    n : int
        How many things there are, at most 128.
    of : str
        What they are, for errors.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        They are no integers, one is the code of nothing, or they are no column.

    Examples
    --------
    >>> codes_column("codes", [2, 0], 3, of="reasons")
    array([2, 0], dtype=int8)
    """
    given = array_of(argument, values, kinds="iu", expected=f"codes of {of}")
    if given.ndim != 1:
        raise MisalignedError(message(argument, f"a column of codes of {of}", f"an array of shape {given.shape}"))
    bad = (given < 0) | (given >= n)
    if bad.any():
        refuse(argument, f"codes of the {n} {of}", given, bad)
    return given if given.dtype == np.int8 and not may_change(given) else frozen(given.astype(np.int8))


def counts_field() -> Any:  # noqa: ANN401
    """Return the attrs field of a record that holds an array of whole numbers."""
    field: Callable[..., Any] = attrs.field
    return field(converter=int64, eq=attrs.cmp_using(eq=np.array_equal))


def added(arrays: Iterable[IntArray], /, *, argument: str) -> IntArray:
    """Add arrays of counts, none negative.

    Raises
    ------
    InvalidValueError
        A sum does not fit 64 bits with sign.
    """
    total: IntArray | None = None
    for array in arrays:
        total = array if total is None else total + array
        if (total < 0).any():
            raise InvalidValueError(message(argument, "counts whose sum fits 64 bits with sign", "a larger one"))
    return frozen(np.zeros(0, dtype=np.int64) if total is None else total)


def by_fields(record: attrs.AttrsInstance) -> tuple[Callable[..., Any], tuple[()]]:
    """Return what `__reduce__` should: the constructor runs again, so that a pickled copy is read-only too."""
    rebuild: Callable[..., Any] = type(record)
    return partial(rebuild, **attrs.asdict(record, recurse=False)), ()
