"""How do columns of ours become a stream that any Arrow library takes? Their memory is lent, not copied."""

from __future__ import annotations

import ctypes
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np

from shequn.columns.arrow.abi import NEXT, STREAM, TOLD, ArrowArray, ArrowArrayStream, ArrowSchema, release
from shequn.errors import InvalidValueError, message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["Field", "n_lent", "stream_of"]

_NULLABLE, _ORDERED = 2, 1
_NO_SUCH_STREAM = 22  # EINVAL


@attrs.frozen(kw_only=True, eq=False)
class Field:
    """A column as Arrow lays it out.

    Attributes
    ----------
    name : str
    format : str
        Of the C interface.
    length, n_null : int
    buffers : sequence of ndarray or None
        Contiguous; None for a buffer that is left out. Nobody may write to them.
    children : sequence of Field
    dictionary : Field or None
    is_ordered : bool
        Whether the order of the dictionary means something.

    Examples
    --------
    >>> Field(name="age", format="l", length=1, buffers=[None, np.array([30])]).n_null
    0
    """

    name: str
    format: str
    length: int
    buffers: Sequence[NDArray[Any] | None]
    n_null: int = 0
    children: Sequence[Field] = ()
    dictionary: Field | None = None
    is_ordered: bool = False


def stream_of(fields: Sequence[Field], n_rows: int, /) -> object:
    """Return a capsule with a stream of one batch of records.

    Parameters
    ----------
    fields : sequence of Field
        Each of `n_rows` rows.
    n_rows : int

    Returns
    -------
    capsule
        Named ``arrow_array_stream``. The memory of the fields is kept until who takes it has released it.

    Raises
    ------
    InvalidValueError
        A name holds NUL, where Arrow's names end, or half of a surrogate pair, which UTF-8 can't hold.

    Examples
    --------
    >>> type(stream_of([], 0)).__name__
    'PyCapsule'
    """
    for field in fields:
        if "\0" in field.name or any("\ud800" <= char <= "\udfff" for char in field.name):
            raise InvalidValueError(message("name", "the name of a column that Arrow can hold", field.name))
    records = Field(name="", format="+s", length=n_rows, buffers=[None], children=fields)
    calls = _callbacks()
    stream = ArrowArrayStream()
    stream.get_schema, stream.get_next = calls.get_schema, calls.get_next
    stream.get_last_error, stream.release = calls.get_last_error, calls.release_stream
    stream.private_data = _lend(_Records(records))
    capsule = calls.capsule(ctypes.addressof(stream), STREAM, calls.free_capsule)
    _CAPSULES[id(capsule)] = stream
    return capsule


def n_lent() -> int:
    """Return how many structs are lent and not released yet: what tests ask for.

    Examples
    --------
    >>> before, capsule = n_lent(), stream_of([], 0)
    >>> n_lent() - before
    1
    >>> del capsule
    >>> n_lent() - before
    0
    """
    return len(_LENT)


class _Records:
    """The one batch of a stream, and whether it was asked for."""

    __slots__ = ("is_done", "records")

    def __init__(self, records: Field) -> None:
        self.records, self.is_done = records, False


class _Part(NamedTuple):
    """What a struct points to, and so must live as long as it; the structs inside are released with it."""

    memory: tuple[object, ...]
    inside: tuple[ArrowSchema | ArrowArray, ...]


# What others hold of ours, by the number in `private_data`; streams by the capsule that holds their address.
_LENT: dict[int, _Part | _Records] = {}
_CAPSULES: dict[int, ArrowArrayStream] = {}
_NUMBERS = count(1)


def _lend(part: _Part | _Records) -> int:
    number = next(_NUMBERS)
    _LENT[number] = part
    return number


# --- structs ---


def _fill_schema(schema: ArrowSchema, field: Field, release_schema: int) -> None:
    children = [ArrowSchema() for _ in field.children]
    for child, inner in zip(children, field.children, strict=True):
        _fill_schema(child, inner, release_schema)
    pointers = (ctypes.POINTER(ArrowSchema) * len(children))(*map(ctypes.pointer, children))
    dictionary: list[ArrowSchema] = []
    schema.dictionary = None  # whose struct this is need not have cleared it
    if field.dictionary is not None:
        dictionary = [ArrowSchema()]
        _fill_schema(dictionary[0], field.dictionary, release_schema)
        schema.dictionary = ctypes.pointer(dictionary[0])
    layout, name = field.format.encode(), field.name.encode()
    schema.format, schema.name, schema.metadata = layout, name, None
    schema.flags = _NULLABLE | (_ORDERED if field.is_ordered else 0)
    schema.n_children = len(children)
    schema.children = ctypes.cast(pointers, ctypes.POINTER(ctypes.POINTER(ArrowSchema)))
    schema.release = release_schema
    schema.private_data = _lend(_Part((pointers, layout, name), (*children, *dictionary)))


def _fill_array(array: ArrowArray, field: Field, release_array: int) -> None:
    children = [ArrowArray() for _ in field.children]
    for child, inner in zip(children, field.children, strict=True):
        _fill_array(child, inner, release_array)
    pointers = (ctypes.POINTER(ArrowArray) * len(children))(*map(ctypes.pointer, children))
    dictionary: list[ArrowArray] = []
    array.dictionary = None  # whose struct this is need not have cleared it
    if field.dictionary is not None:
        dictionary = [ArrowArray()]
        _fill_array(dictionary[0], field.dictionary, release_array)
        array.dictionary = ctypes.pointer(dictionary[0])
    held = [None if one is None else np.ascontiguousarray(one) for one in field.buffers]
    addresses = (ctypes.c_void_p * len(held))(*(None if one is None else one.ctypes.data for one in held))
    array.length, array.null_count, array.offset = field.length, field.n_null, 0
    array.n_buffers, array.n_children = len(held), len(children)
    array.buffers = ctypes.cast(addresses, ctypes.POINTER(ctypes.c_void_p))
    array.children = ctypes.cast(pointers, ctypes.POINTER(ctypes.POINTER(ArrowArray)))
    array.release = release_array
    array.private_data = _lend(_Part((pointers, addresses, *held), (*children, *dictionary)))


# --- callbacks ---


class _Callbacks(NamedTuple):
    """Addresses that C calls, and the function that makes a capsule."""

    get_schema: int
    get_next: int
    get_last_error: int
    release_stream: int
    free_capsule: int
    capsule: Callable[[int, bytes, int], object]


@cache
def _callbacks() -> _Callbacks:
    """Make them when they are first needed: where memory may not be executed, the rest works all the same."""
    lent, capsules, free = _LENT, _CAPSULES, release  # bound here: globals may be gone when the last one is called

    # What releases may run while an exception is on its way, and so calls nothing that would look for one.

    def give_back(pointer: Any) -> None:  # noqa: ANN401
        struct = pointer.contents
        part = lent.pop(struct.private_data or 0, None)
        struct.release = None
        for inner in part.inside if isinstance(part, _Part) else ():
            free(inner)

    def release_stream(pointer: Any) -> None:  # noqa: ANN401
        stream = pointer.contents
        lent.pop(stream.private_data or 0, None)
        stream.release = None

    def free_capsule(capsule: int) -> None:
        stream = capsules.pop(capsule, None)
        if stream is not None and stream.release:
            lent.pop(stream.private_data or 0, None)

    def records_of(address: int) -> _Records | None:
        found = lent.get(ArrowArrayStream.from_address(address).private_data or 0)
        return found if isinstance(found, _Records) else None

    def get_schema(address: int, out: int) -> int:
        given = records_of(address)
        if given is None:
            return _NO_SUCH_STREAM
        _fill_schema(ArrowSchema.from_address(out), given.records, schema_address)
        return 0

    def get_next(address: int, out: int) -> int:
        given = records_of(address)
        if given is None:
            return _NO_SUCH_STREAM
        array = ArrowArray.from_address(out)
        if given.is_done:
            array.release = None
        else:
            given.is_done = True
            _fill_array(array, given.records, array_address)
        return 0

    def get_last_error(_address: int) -> None:
        return None

    new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
        ("PyCapsule_New", ctypes.pythonapi)
    )
    schema_address, array_address, stream_address = (
        _lasting(ctypes.CFUNCTYPE(None, ctypes.POINTER(struct))(function))
        for struct, function in ((ArrowSchema, give_back), (ArrowArray, give_back), (ArrowArrayStream, release_stream))
    )
    return _Callbacks(
        get_schema=_lasting(NEXT(get_schema)),
        get_next=_lasting(NEXT(get_next)),
        get_last_error=_lasting(TOLD(get_last_error)),
        release_stream=stream_address,
        free_capsule=_lasting(ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(free_capsule)),
        capsule=new,
    )


def _lasting(function: Any) -> int:  # noqa: ANN401
    """Return the address of a callback that is never freed: somebody may hold a column of ours at exit."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(function))
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address is not None  # noqa: S101  (a function has one)
    return address
