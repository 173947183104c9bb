"""Which columns does a producer of Arrow data hold? Read through the C interface, memory left in place."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.columns.arrow.abi import (
    ARRAY,
    NEXT,
    SCHEMA,
    STREAM,
    TOLD,
    ArrowArray,
    ArrowArrayStream,
    ArrowSchema,
    pointer_in,
    release,
)
from shequn.columns.arrow.columns import ArrowColumn, ArrowType, Chunk, Held, Nullable, Zoned, bits, buffer, joined
from shequn.columns.arrow.labels import coded_dictionary, coded_text, codes_of, identity, is_text
from shequn.errors import InvalidTypeError, InvalidValueError, ShequnError, message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.labels import Coded

__all__ = ["arrow_column", "arrow_columns", "has_arrow"]

_INTEGERS = {"c": "i1", "C": "u1", "s": "i2", "S": "u2", "i": "i4", "I": "u4", "l": "i8", "L": "u8"}
_FLOATS = {"e": "f2", "f": "f4", "g": "f8"}
_TIME_UNITS = {"s": "s", "m": "ms", "u": "us", "n": "ns"}
_READ = "a column of numbers, booleans, text, categories, dates or timestamps"
_NAMES = {"d": "decimals", "+": "a nested one", "z": "bytes", "Z": "bytes", "v": "bytes", "w": "bytes", "t": "times"}


def has_arrow(thing: object, /) -> bool:
    """Return whether something offers itself through Arrow's C interface.

    Examples
    --------
    >>> has_arrow([1])
    False
    """
    return isinstance(thing, ArrowColumn) or hasattr(thing, "__arrow_c_stream__") or hasattr(thing, "__arrow_c_array__")


def arrow_column(column: Any, /) -> NDArray[Any] | Coded | Nullable | Zoned | list[Any] | None:  # noqa: ANN401
    """Return what a column holds; None where its type is none of those that are read.

    Numbers, and times without a zone, are arrays on the memory of the column where it has one chunk and no null; text
    and categories of text are `Coded`.

    Parameters
    ----------
    column : object with ``__arrow_c_stream__`` or ``__arrow_c_array__``, or ArrowColumn

    Raises
    ------
    InvalidTypeError
        It offers no Arrow capsule.
    InvalidValueError
        The stream was given back already or fails, or some text is no UTF-8.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> log = EventLog.from_columns(member=["ann"], kind="post", at=[0], time_unit="s")
    >>> member, _ = arrow_columns(log, [("member", "member"), ("at", "at")], check=len)
    >>> arrow_column(member).labels().tolist()
    ['ann']
    """
    if isinstance(column, ArrowColumn):
        return _values(column)
    if hasattr(column, "__arrow_c_array__"):
        kind, chunks = _read_array(column)
    else:
        kind, chunks = _read_stream(column)
    return None if chunks is None else _values(ArrowColumn(kind, chunks))


def arrow_columns(
    frame: Any,  # noqa: ANN401
    wanted: Sequence[tuple[str, str]],
    /,
    *,
    check: Callable[[list[str]], object],
) -> list[ArrowColumn]:
    """Read a stream of records once, and return the columns that are wanted.

    Parameters
    ----------
    frame : object with ``__arrow_c_stream__``
    wanted : sequence of (argument, name)
        Names of columns; the argument is told in errors.
    check : callable
        Takes the names of all columns before any is read, and raises unless those that are wanted are there.

    Raises
    ------
    InvalidTypeError
        A column is of a type that is not read: decimals, bytes, times of day, nested ones; or there are no records.
    InvalidValueError
        The stream was given back already or fails, or a record is null as a whole.
    """
    kind, chunks = _read_stream(frame, wanted=wanted, check=check)
    names = [child.name for child in kind.children]
    return [
        ArrowColumn(kind.children[place], [chunk.child(place) for chunk in chunks or ()])
        for place in (names.index(name) for _, name in wanted)
    ]


# --- capsules ---


def _asked(method: Callable[[], Any]) -> Any:  # noqa: ANN401
    """Call what gives capsules, which may run a query; an error of the producer's is told as ours."""
    try:
        return method()
    except (ShequnError, MemoryError):
        raise
    except Exception as error:  # whatever a producer raises
        raise _unreadable(str(error) or type(error).__name__) from error


def _unreadable(why: str) -> InvalidValueError:
    return InvalidValueError(message("frame", "a stream of Arrow data that can be read", why))


def _pointer(capsule: object, name: bytes) -> int:
    try:
        return pointer_in(capsule, name)
    except ValueError:
        raise InvalidTypeError(message("frame", f"a capsule named {name.decode()}", capsule)) from None


def _read_array(column: Any) -> tuple[ArrowType, list[Chunk] | None]:  # noqa: ANN401
    schema_capsule, array_capsule = _asked(column.__arrow_c_array__)
    kind = _type_of(ArrowSchema.from_address(_pointer(schema_capsule, SCHEMA)))
    given = ArrowArray.from_address(_pointer(array_capsule, ARRAY))
    return kind, [_chunk(_moved(given))] if _is_read(kind) else None


def _moved(given: ArrowArray) -> ArrowArray:
    """Take a struct over: a copy of its bytes, and nothing left to release in the original."""
    own = ArrowArray()
    ctypes.pointer(own)[0] = given
    given.release = None
    return own


def _chunk(array: ArrowArray) -> Chunk:
    return Chunk(array, array.offset, array.length, Held(array))


def _read_stream(
    producer: Any,  # noqa: ANN401
    *,
    wanted: Sequence[tuple[str, str]] | None = None,
    check: Callable[[list[str]], object] = list,
) -> tuple[ArrowType, list[Chunk] | None]:
    """Read all chunks of a stream, unless their type is none of those that are read."""
    capsule = _asked(producer.__arrow_c_stream__)  # who frees the struct, and so is held until the end
    stream = ArrowArrayStream.from_address(_pointer(capsule, STREAM))
    if not stream.release:
        raise InvalidValueError(message("frame", "a stream that nobody has read yet", type(producer).__name__))
    try:
        kind = _schema_of(stream)
        if wanted is None and not _is_read(kind):
            return kind, None
        if wanted is not None:
            _refuse_unread(kind, wanted, check)
        return kind, _chunks_of(stream, is_table=wanted is not None)
    finally:
        release(stream)
        del capsule


def _schema_of(stream: ArrowArrayStream) -> ArrowType:
    schema = ArrowSchema()
    _call(stream, stream.get_schema, schema)
    try:
        return _type_of(schema)
    finally:
        release(schema)


def _chunks_of(stream: ArrowArrayStream, *, is_table: bool) -> list[Chunk]:
    chunks: list[Chunk] = []
    while True:
        array = ArrowArray()
        _call(stream, stream.get_next, array)
        if not array.release:
            return chunks
        chunk = _chunk(array)
        if is_table and chunk.missing() is not None:
            raise InvalidValueError(message("frame", "records none of which is null as a whole", "null records"))
        if chunk.length or not is_table:
            chunks.append(chunk)


def _call(stream: ArrowArrayStream, function: int | None, out: ArrowSchema | ArrowArray) -> None:
    address = ctypes.addressof(stream)
    if function is None or NEXT(function)(address, ctypes.addressof(out)):
        told = TOLD(stream.get_last_error)(address) if stream.get_last_error else None
        why = ctypes.string_at(told).decode(errors="replace") if told else "an error that it doesn't explain"
        raise _unreadable(why)


def _type_of(schema: ArrowSchema) -> ArrowType:
    if not schema.release:
        raise InvalidValueError(message("frame", "an Arrow schema that nobody has taken yet", "a released one"))
    children = tuple(_type_of(schema.children[place].contents) for place in range(schema.n_children))
    dictionary = _type_of(schema.dictionary.contents) if schema.dictionary else None
    return ArrowType(schema.format.decode(), (schema.name or b"").decode(errors="replace"), dictionary, children)


def _is_read(kind: ArrowType) -> bool:
    if kind.dictionary is not None:
        return kind.dictionary.dictionary is None and _is_read(kind.dictionary)
    if kind.format in _INTEGERS or kind.format in _FLOATS or is_text(kind.format):
        return True
    return kind.format in {"b", "n", "tdD", "tdm"} or kind.format.startswith("ts")


def _refuse_unread(kind: ArrowType, wanted: Sequence[tuple[str, str]], check: Callable[[list[str]], object]) -> None:
    if kind.format != "+s":
        raise InvalidTypeError(message("frame", "a stream of records", f"one of format {kind.format!r}"))
    check([child.name for child in kind.children])
    types = {child.name: child for child in kind.children}
    for argument, name in wanted:
        if not _is_read(types[name]):
            inner = types[name].dictionary or types[name]
            got = f"{_NAMES.get(inner.format[:1], 'another type')} (Arrow format {inner.format!r})"
            raise InvalidTypeError(f"{argument}: expected {_READ} in {name!r}, got {got}{_hint(inner.format)}")


def _hint(layout: str) -> str:
    """Say what to do about decimals; those without decimal places are the wide integers that a sum in SQL gives."""
    if not layout.startswith("d"):
        return ""
    scale = layout.split(",")[1]
    return "; cast to BIGINT" if scale == "0" else "; give money in minor units (分) as integers"


# --- values ---


def _values(column: ArrowColumn) -> NDArray[Any] | Coded | Nullable | Zoned | list[Any]:
    kind, dictionary = column.type, column.type.dictionary
    if dictionary is not None:
        return coded_dictionary(column, _INTEGERS[kind.format]) if is_text(dictionary.format) else _gathered(column)
    if is_text(kind.format):
        return coded_text(column)
    if kind.format == "n":
        return [None] * len(column)
    if kind.format in _INTEGERS or kind.format == "b":
        return _whole(column)
    return _floats(column) if kind.format in _FLOATS else _times(column)


def _whole(column: ArrowColumn) -> NDArray[Any] | Nullable:
    if column.type.format == "b":
        values = joined([bits(chunk, 1) for chunk in column.chunks] or [np.empty(0, dtype=np.bool_)])
    else:
        values = _numbers(column.chunks, _INTEGERS[column.type.format])
    missing = _missing(column.chunks)
    return values if missing is None else Nullable(values, missing)


def _numbers(chunks: list[Chunk], dtype: str) -> NDArray[Any]:
    return joined([buffer(chunk, 1, dtype) for chunk in chunks] or [np.empty(0, dtype=dtype)])


def _floats(column: ArrowColumn) -> NDArray[Any]:
    numbers, missing = _numbers(column.chunks, _FLOATS[column.type.format]), _missing(column.chunks)
    return numbers if missing is None else _filled(numbers, missing, np.nan)


def _times(column: ArrowColumn) -> NDArray[Any] | Zoned:
    layout, missing = column.type.format, _missing(column.chunks)
    if layout == "tdD":
        times = joined([_numbers(column.chunks, "i4").astype("M8[D]")])
    else:
        unit = "ms" if layout == "tdm" else _TIME_UNITS[layout[2]]
        times = _numbers(column.chunks, "i8").view(f"M8[{unit}]")
    if missing is not None:
        times = _filled(times, missing, np.datetime64("NaT"))
    zone = layout.partition(":")[2]
    return Zoned(times, zone) if zone else times


def _missing(chunks: list[Chunk]) -> BoolArray | None:
    parts = [chunk.missing() for chunk in chunks]
    if all(part is None for part in parts):
        return None
    return np.concatenate(
        [
            np.zeros(chunk.length, dtype=np.bool_) if part is None else part
            for chunk, part in zip(chunks, parts, strict=True)
        ]
    )


def _filled(values: NDArray[Any], missing: BoolArray, with_what: object) -> NDArray[Any]:
    own = values.copy()
    own[missing] = with_what
    return joined([own])


def _gathered(column: ArrowColumn) -> NDArray[Any] | Nullable | Zoned | list[Any]:
    """Return the values that the indices of a dictionary name, where these are no text."""
    kind = column.type.dictionary
    assert kind is not None  # noqa: S101  (the caller looked)
    dictionaries = {identity(chunk.dictionary()): chunk.dictionary() for chunk in column.chunks}
    ends = np.cumsum([dictionary.length for dictionary in dictionaries.values()], dtype=np.int64)
    places = dict(zip(dictionaries, np.split(np.arange(ends[-1] if len(ends) else 0), ends[:-1]), strict=False))
    rows = [
        codes_of(chunk, _INTEGERS[column.type.format], places[identity(chunk.dictionary())]) for chunk in column.chunks
    ]
    values = _values(ArrowColumn(kind, list(dictionaries.values())))
    found: NDArray[Any] | Nullable | Zoned | list[Any] = _at(values, joined(rows or [np.empty(0, dtype=np.int64)]))
    return found


def _at(values: Any, rows: IntArray) -> Any:  # noqa: ANN401
    """Return the values of some rows; none where the row is -1."""
    if isinstance(values, list):  # of nothing but nulls
        return [None] * len(rows)
    if isinstance(values, Zoned):
        return Zoned(_at(values.values, rows), values.dtype.tz)
    is_nullable = isinstance(values, Nullable)
    array: NDArray[Any] = values.values if is_nullable else values
    missing: BoolArray = np.append(values.missing, True)[rows] if is_nullable else rows < 0
    none = {"f": np.nan, "M": np.datetime64("NaT")}.get(array.dtype.kind)
    spare = np.array([0 if none is None else none], dtype=array.dtype)  # the last place, where -1 points
    found = joined([np.append(array, spare)[rows]])
    return Nullable(found, missing) if none is None and missing.any() else found
