"""How do two libraries hand columns to each other in one process? Arrow's three C structs, by `ctypes`.

Who is handed a struct owns it: it moves the struct by copying its bytes and clearing `release` in the original, and
calls `release` once when it is done. A struct whose `release` is null is spent.

References
----------
Apache Arrow, format specifications: the C data interface, the C stream interface, the PyCapsule interface.
https://arrow.apache.org/docs/format/CDataInterface.html
"""

from __future__ import annotations

import ctypes
from typing import Any, ClassVar

__all__ = [
    "ARRAY",
    "NEXT",
    "RELEASE",
    "SCHEMA",
    "STREAM",
    "TOLD",
    "ArrowArray",
    "ArrowArrayStream",
    "ArrowSchema",
    "pointer_in",
    "release",
]

STREAM, SCHEMA, ARRAY = b"arrow_array_stream", b"arrow_schema", b"arrow_array"

RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
NEXT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
TOLD = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)


class ArrowSchema(ctypes.Structure):
    """The type and name of a column, and of those inside it.

    Examples
    --------
    >>> ArrowSchema().release is None
    True
    """

    format: bytes
    name: bytes | None
    metadata: int | None
    flags: int
    n_children: int
    children: Any
    dictionary: Any
    release: int | None
    private_data: int | None


class ArrowArray(ctypes.Structure):
    """The memory of a column: buffers that start at `offset`, and the columns inside it.

    Examples
    --------
    >>> ArrowArray().length
    0
    """

    length: int
    null_count: int
    offset: int
    n_buffers: int
    n_children: int
    buffers: Any
    children: Any
    dictionary: Any
    release: int | None
    private_data: int | None


class ArrowArrayStream(ctypes.Structure):
    """A schema, and arrays of it one after the other.

    Examples
    --------
    >>> ArrowArrayStream().get_next is None
    True
    """

    get_schema: int | None
    get_next: int | None
    get_last_error: int | None
    release: int | None
    private_data: int | None

    _fields_: ClassVar[Any] = [
        ("get_schema", ctypes.c_void_p),
        ("get_next", ctypes.c_void_p),
        ("get_last_error", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    ]


ArrowSchema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(ArrowSchema))),
    ("dictionary", ctypes.POINTER(ArrowSchema)),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]
ArrowArray._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(ArrowArray))),
    ("dictionary", ctypes.POINTER(ArrowArray)),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]

_GET_POINTER = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)


def pointer_in(capsule: object, name: bytes, /) -> int:
    """Return the address that a capsule of this name holds.

    Raises
    ------
    ValueError
        It is no capsule, or of another name.
    """
    address: int = _GET_POINTER(capsule, name)
    return address


def release(struct: ArrowSchema | ArrowArray | ArrowArrayStream, /) -> None:
    """Give a struct back to who made it, unless that was done already."""
    if struct.release:
        RELEASE(struct.release)(ctypes.addressof(struct))
