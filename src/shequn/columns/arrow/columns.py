"""What is an Arrow column once its memory is seen by NumPy? Its type, its chunks, and the shapes it is handed on in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import attrs
import numpy as np

from shequn.columns.arrow.abi import ArrowArray, release

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from shequn._typing import BoolArray

__all__ = ["ArrowColumn", "ArrowType", "Chunk", "Held", "Nullable", "Zoned", "bits", "buffer", "joined"]


class Held:
    """An array that was handed to us: released once, when nothing looks into its memory any more.

    Examples
    --------
    >>> Held(ArrowArray()).array.length
    0
    """

    __slots__ = ("array",)

    array: ArrowArray

    def __init__(self, array: ArrowArray) -> None:
        self.array = array

    def __del__(self, _release: Any = release) -> None:  # noqa: ANN401  (bound here: globals may be gone at exit)
        """Give the array back."""
        _release(self.array)


class _Memory:
    """Foreign memory as NumPy asks for it; the array made from it keeps this object, and so the owner, alive."""

    __slots__ = ("__array_interface__", "held")

    def __init__(self, address: int, dtype: np.dtype[Any], length: int, held: Held) -> None:
        self.held = held
        self.__array_interface__ = {"shape": (length,), "typestr": dtype.str, "data": (address, True), "version": 3}


class ArrowType(NamedTuple):
    """A format string of the C interface with the name of the column, and the types inside.

    Examples
    --------
    >>> ArrowType("l", "age").format
    'l'
    """

    format: str
    name: str
    dictionary: ArrowType | None = None
    children: tuple[ArrowType, ...] = ()


class Chunk(NamedTuple):
    """Rows [start, start + length) of an array's memory.

    Examples
    --------
    >>> Chunk(ArrowArray(), 0, 0, Held(ArrowArray())).length
    0
    """

    array: ArrowArray
    start: int
    length: int
    held: Held

    def child(self, place: int, /) -> Chunk:
        """Return the same rows of a column of a struct."""
        inside: ArrowArray = self.array.children[place].contents
        return Chunk(inside, inside.offset + self.start, self.length, self.held)

    def dictionary(self) -> Chunk:
        """Return what the indices of a dictionary-encoded column point into."""
        inside: ArrowArray = self.array.dictionary.contents
        return Chunk(inside, inside.offset, inside.length, self.held)

    def address(self, place: int, /) -> int | None:
        """Return where a buffer lies, if there is one."""
        found: int | None = self.array.buffers[place] if place < self.array.n_buffers else None
        return found

    def missing(self) -> BoolArray | None:
        """Return which rows are null; None where none is."""
        if self.array.null_count == 0 or not self.length or self.address(0) is None:
            return None
        gone = ~bits(self, 0)
        return gone if gone.any() else None


@attrs.frozen(eq=False)
class ArrowColumn:
    """A column taken out of a stream with others.

    Examples
    --------
    >>> len(ArrowColumn(ArrowType("l", "age"), []))
    0
    """

    type: ArrowType
    chunks: list[Chunk]

    def __len__(self) -> int:
        """Return the number of rows."""
        return sum(chunk.length for chunk in self.chunks)


class Nullable:
    """Integers or booleans, and which are missing: NumPy has no dtype that holds both exactly.

    Examples
    --------
    >>> Nullable(np.array([7, 0]), np.array([False, True])).tolist()
    [7, None]
    """

    __slots__ = ("missing", "values")

    missing: BoolArray
    values: NDArray[Any]

    def __init__(self, values: NDArray[Any], missing: BoolArray) -> None:
        self.values, self.missing = values, missing

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values)

    def tolist(self) -> list[Any]:
        """Return Python values, None where one is missing."""
        items = self.values.astype(object)
        items[self.missing] = None
        return cast("list[Any]", items.tolist())


class _ZonedType(NamedTuple):
    tz: str
    unit: str


class Zoned:
    """Instants of a column that has a time zone, as `to_instants` asks for them.

    Examples
    --------
    >>> Zoned(np.zeros(1, "M8[us]"), "UTC").dtype.tz
    'UTC'
    """

    __slots__ = ("dtype", "values")

    dtype: _ZonedType
    values: NDArray[Any]

    def __init__(self, values: NDArray[Any], tz: str) -> None:
        self.values = values
        self.dtype = _ZonedType(tz, np.datetime_data(values.dtype)[0])

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        """Iterate over them as datetime64 in UTC: where labels or numbers belong, one of them is told in the error."""
        return iter(self.values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: ANN401
        """Return them as datetime64 in UTC."""
        return np.array(self.values, dtype=dtype, copy=copy)


def buffer(chunk: Chunk, place: int, dtype: Any, /, *, start: int | None = None, length: int | None = None) -> Any:  # noqa: ANN401
    """Return the part of a buffer that belongs to the rows of a chunk, as a read-only array on the same memory.

    Parameters
    ----------
    chunk : Chunk
    place : int
        Which buffer.
    dtype : dtype
        Of one row.
    start, length : int, optional
        Rows other than the chunk's.
    """
    kind = np.dtype(dtype)
    first, n = chunk.start if start is None else start, chunk.length if length is None else length
    address = chunk.address(place)
    if address is None or not n:
        return joined([np.empty(0, dtype=kind)])
    return np.asarray(_Memory(address + first * kind.itemsize, kind, n, chunk.held))


def bits(chunk: Chunk, place: int, /) -> BoolArray:
    """Return the rows of a chunk from a buffer of bits."""
    first, skipped = divmod(chunk.start, 8)
    n_bytes = -(-(skipped + chunk.length) // 8) if chunk.length else 0
    packed = buffer(chunk, place, np.uint8, start=first, length=n_bytes)
    return np.unpackbits(packed, bitorder="little")[skipped : skipped + chunk.length].view(np.bool_)


def joined(parts: list[NDArray[Any]], /) -> NDArray[Any]:
    """Return one read-only array: the only part itself, or a copy of all of them.

    Examples
    --------
    >>> part = np.zeros(2)
    >>> joined([part]) is part, len(joined([part, part]))
    (True, 4)
    """
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
    whole.setflags(write=False)
    return whole
