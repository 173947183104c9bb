"""How is a result, which holds arrays, kept as JSON and read back as it was?

A result is told by what it was made of: its class, and each argument of it. What JSON has no word for is an object that
says what it is: ``{"array": "int64", "shape": [3], "values": [1, 2, 3]}``, ``{"float": "nan"}``.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Set
from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_origin

import attrs
import numpy as np

from shequn.errors import InvalidTypeError, InvalidValueError, ShequnError, message, suggest
from shequn.interop._consistency import consistent
from shequn.interop._documents import document_class, read_value, write_value
from shequn.interop._forms import Binary, Plain, Real, Span, Whole, entries, items
from shequn.interop._records import built
from shequn.interop._result_classes import class_called, name_of
from shequn.interop.errors import DocumentError, refusal
from shequn.labels import Index

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn.interop._forms import Json, Value

__all__ = ["is_result", "read_result", "write_result"]

T = TypeVar("T")

_VERSION = 1
_DEEPEST = 64
_MOST_ROWS = 100_000_000
_DTYPE = re.compile(r"bool|u?int(8|16|32|64)|float(32|64)|(datetime64|timedelta64)\[(D|s|ms|us)\]|str|object")


def is_result(cls: object) -> bool:
    """Tell whether `cls` is a class of results.

    Examples
    --------
    >>> is_result(Index), is_result(int)
    (True, False)
    """
    origin = get_origin(cls) or cls
    if not isinstance(origin, type) or issubclass(origin, Enum):
        return False
    known = cast("type[Any]", origin)
    return name_of(known) is not None and document_class(known) is None


# --- writing ---


def write_result(result: object, /) -> dict[str, Any]:
    """Return a result as a document.

    Examples
    --------
    >>> write_result(Index(["ann", "bo"]))
    {'schema_version': 1, 'type': 'labels.Index', 'labels': ['ann', 'bo']}
    """
    return {"schema_version": _VERSION, **_written_object(result, "$")}


def _write(value: Value, path: str) -> Json:
    cls = cast("Value", type(value))
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value, path)
    if name_of(cls) is not None or document_class(cls) is not None:
        return _written_object(value, path)
    if isinstance(value, tuple):
        return [_write(item, f"{path}[{place}]") for place, item in enumerate(cast("tuple[object, ...]", value))]
    return Plain().write(value, path)


def _written_pairs(value: Mapping[object, object], path: str) -> Json:
    return {"pairs": [[_write(key, path), _write(item, f"{path}[{key!r}]")] for key, item in value.items()]}


def _written_code(value: Enum, path: str) -> Json:
    return {"code": value.value, "of": _name(type(value), path)}


def _written_scalar(value: np.generic[Any], path: str) -> Json:
    told = _written_array(np.asarray(value), path)
    return {"scalar": told["array"], "value": told["values"][0]}


def _name(cls: type[Any], path: str) -> str:
    found = name_of(document_class(cls) or cls)
    if found is None:
        raise refusal(path, "what documents have a word for", cls)
    return found


def _written_object(value: object, path: str) -> dict[str, Json]:
    name = _name(type(value), path)
    if isinstance(value, Index):
        if value.is_positional:
            _require_not_too_many(len(value))
            return {"type": name, "positional": len(value)}
        return {"type": name, "labels": _written_labels(value)}
    if document_class(type(value)) is not None:
        return {"type": name, "value": write_value(value)}
    return {"type": name, "fields": {key: _write(held, f"{path}.{key}") for key, held in _arguments(value)}}


def _written_labels(index: Index) -> Json:
    # Of an empty index nobody sees whether it is one of text.
    return list(index) if len(index) else {"array": "str" if index.is_text else "int64", "shape": [0], "values": []}


def _arguments(value: object) -> list[tuple[str, object]]:
    if isinstance(value, tuple):
        return list(cast("Any", value)._asdict().items())
    fields = attrs.fields(type(cast("attrs.AttrsInstance", value)))
    return [(field.alias, getattr(value, field.name)) for field in fields if field.init]


def _written_array(array: NDArray[Any], path: str) -> dict[str, Json]:
    flat = array.ravel()
    told: dict[str, Json] = {"array": str(flat.dtype), "shape": list(array.shape)}
    kind = flat.dtype.kind
    if kind in "Mm":
        values: list[Any] = flat.astype(np.int64).tolist()
        values = [None if value == np.iinfo(np.int64).min else value for value in values]
    elif kind == "f":
        values = [value if math.isfinite(value) else Real().write(value, path) for value in flat.tolist()]
    elif kind == "U":
        told["array"], values = "str", flat.tolist()
    elif kind == "O":
        values = [_write(value, path) for value in flat.tolist()]
    else:
        values = flat.tolist()
    if not _DTYPE.fullmatch(told["array"]):
        raise refusal(path, "an array of truths, numbers, times or text", flat.dtype)
    return {**told, "values": values}


_WRITERS: tuple[tuple[type[Any], Callable[[Any, str], Json]], ...] = (
    (np.ndarray, _written_array),
    (np.generic, _written_scalar),
    (Enum, _written_code),
    (Mapping, _written_pairs),
    (Set, lambda value, path: {"set": [_write(item, path) for item in sorted(value)]}),
    (Fraction, lambda value, _: {"fraction": [value.numerator, value.denominator]}),
    (dt.timedelta, lambda value, path: {"duration": Span().write(value, path)}),
    (bytes, lambda value, path: {"bytes": Binary().write(value, path)}),
)


# --- reading ---


def read_result(cls: type[T], document: Mapping[str, Any], /) -> T:
    """Return the result that a document tells.

    Examples
    --------
    >>> read_result(Index, {"schema_version": 1, "type": "labels.Index", "labels": ["ann", "bo"]})
    Index(['ann', 'bo'])
    """
    if not is_result(cls):
        raise InvalidTypeError(message("cls", "a class of results", cls))
    inside = entries(document, "$", "an object that tells a result")
    version = inside.pop("schema_version", _VERSION)
    if type(version) is not int or version != _VERSION:
        raise refusal("$.schema_version", f"{_VERSION}, which this library writes", version)
    found = _read_object(inside, "$", 1)
    if not isinstance(found, get_origin(cls) or cls):
        raise refusal("$.type", _name(get_origin(cls) or cls, "$"), inside["type"])
    return found


def _read(told: Json, path: str, depth: int) -> Value:
    if depth > _DEEPEST:
        raise refusal(path, f"at most {_DEEPEST} levels of nesting", "more")
    if isinstance(told, list | tuple):
        return tuple(_read(item, f"{path}[{k}]", depth + 1) for k, item in enumerate(items(told, path)))
    if not isinstance(told, Mapping):
        return Plain().read(told, path)
    inside = entries(told, path)
    for word, read in _WORDS.items():
        if word in inside:
            return read(inside, path, depth)
    return Plain().read(inside, path)


def _only(inside: Mapping[str, Json], names: tuple[str, ...], path: str) -> list[Json]:
    for name in names:
        if name not in inside:
            raise refusal(path, f"the key {name!r}", list(inside))
    for name in inside:
        if name not in names:
            raise DocumentError(path, f"expected no keys but {', '.join(names)}, got {name!r}" + suggest(name, names))
    return [inside[name] for name in names]


def _read_object(inside: dict[str, Json], path: str, depth: int) -> Value:
    cls = _class(inside.get("type"), f"{path}.type")
    if cls is Index and "positional" in inside:
        n = Whole().read(_only(inside, ("type", "positional"), path)[1], f"{path}.positional")
        return built(_positional, {"positional": n}, path)
    if cls is Index:
        (labels,) = _only(inside, ("type", "labels"), path)[1:]
        return built(_index, {"labels": _read(labels, f"{path}.labels", depth + 1)}, path)
    if issubclass(cls, Enum):
        raise refusal(path, f"{{'code': …, 'of': {name_of(cls)!r}}}", inside)
    if document_class(cls) is not None:
        (value,) = _only(inside, ("type", "value"), path)[1:]
        try:
            return read_value(cls, value)
        except DocumentError as error:
            raise DocumentError(f"{path}.value{error.path[1:]}", error.args[1]) from None
    (told,) = _only(inside, ("type", "fields"), path)[1:]
    below = f"{path}.fields"
    fields = entries(told, below)
    given = {key: _read(held, f"{below}.{key}", depth + 1) for key, held in fields.items()}
    return consistent(built(cls, given, below), below)


def _index(labels: Value) -> Index:
    return Index(cast("Value", labels) if isinstance(labels, np.ndarray) else list(cast("tuple[Value, ...]", labels)))


def _positional(positional: int) -> Index:
    _require_not_too_many(positional)
    return Index.positional(positional)


def _require_not_too_many(positional: int) -> None:
    """Refuse what a few bytes would make gigabytes of, in writing as in reading."""
    if not 0 <= positional <= _MOST_ROWS:
        raise InvalidValueError(message("positional", f"a number of rows in [0, {_MOST_ROWS:,}]", positional))


def _class(name: object, path: str) -> Value:
    found = class_called(name) if isinstance(name, str) else None
    if found is None:
        raise refusal(path, "the name of a class such as 'funnel.FunnelResult'", name)
    return found


def _read_array(inside: dict[str, Json], path: str, depth: int) -> NDArray[Any]:
    dtype, shape, values = _only(inside, ("array", "shape", "values"), path)
    if not isinstance(dtype, str) or not _DTYPE.fullmatch(dtype):
        raise refusal(f"{path}.array", "bool, int64, float64, datetime64[D], str, object or the like", dtype)
    sides = [Whole().read(side, f"{path}.shape[{k}]") for k, side in enumerate(items(shape, f"{path}.shape"))]
    flat = items(values, f"{path}.values")
    if any(side < 0 for side in sides) or math.prod(sides) != len(flat):
        raise refusal(f"{path}.shape", f"the shape of {len(flat)} values", shape)
    try:
        array = _filled(dtype, flat, f"{path}.values", depth).reshape(sides)
    except (ShequnError, ArithmeticError, TypeError, ValueError) as error:
        if isinstance(error, DocumentError):
            raise
        raise refusal(f"{path}.values", f"values of an array of {dtype}", flat) from None
    array.setflags(write=False)
    return array


def _read_scalar(inside: dict[str, Json], path: str, depth: int) -> Value:
    dtype, value = _only(inside, ("scalar", "value"), path)
    return _read_array({"array": dtype, "shape": [1], "values": [value]}, path, depth)[0]


def _filled(dtype: str, flat: list[Json], path: str, depth: int) -> NDArray[Any]:
    if dtype == "object":
        array = np.empty(len(flat), dtype=object)
        for place, value in enumerate(flat):
            array[place] = _read(value, f"{path}[{place}]", depth + 1)
        return array
    wanted: tuple[type, ...] = (int,)
    if dtype == "bool":
        wanted = (bool,)
    elif dtype == "str":
        wanted = (str,)
    elif dtype.startswith("float"):
        flat = [value if type(value) is float and math.isfinite(value) else Real().read(value, path) for value in flat]
        wanted = (int, float)
    elif dtype.startswith(("datetime", "timedelta")):
        flat = [np.iinfo(np.int64).min if value is None else value for value in flat]
    for place, value in enumerate(flat):
        if type(value) not in wanted:
            raise refusal(f"{path}[{place}]", f"a value of an array of {dtype}", value)
    if dtype.startswith(("datetime", "timedelta")):
        return np.array(flat, dtype=np.int64).astype(dtype)
    return np.array(flat, dtype=np.dtype(dtype))


def _read_code(inside: dict[str, Json], path: str, _depth: int) -> Enum:
    code, name = _only(inside, ("code", "of"), path)
    cls = _class(name, f"{path}.of")
    if not issubclass(cls, Enum):
        raise refusal(f"{path}.of", "the name of a closed list", name)
    values: type[Enum] = cls
    for value in values:
        if type(code) is type(value.value) and code == value.value:
            return value
    raise refusal(f"{path}.code", f"a code of {cls.__name__}", code)


def _read_pairs(inside: dict[str, Json], path: str, depth: int) -> dict[Any, Any]:
    (pairs,) = _only(inside, ("pairs",), path)
    found: dict[Any, Any] = {}
    for place, pair in enumerate(items(pairs, f"{path}.pairs")):
        at = f"{path}.pairs[{place}]"
        parts = items(pair, at, "a key and a value")
        if len(parts) != 2:  # noqa: PLR2004
            raise refusal(at, "a key and a value", parts)
        key, value = (_read(part, at, depth + 1) for part in parts)
        try:
            is_known = key in found
        except TypeError:
            raise refusal(at, "a key", key) from None
        if is_known:
            raise refusal(at, "each key once", key)
        found[key] = value
    return found


def _read_set(inside: dict[str, Json], path: str, depth: int) -> frozenset[Any]:
    (members,) = _only(inside, ("set",), path)
    told = items(members, f"{path}.set")
    found = [_read(item, f"{path}.set[{place}]", depth + 1) for place, item in enumerate(told)]
    try:
        return frozenset(sorted(found))  # in the order in which it is written
    except TypeError:
        raise refusal(f"{path}.set", "what can stand in a set, and has an order", told) from None


def _read_fraction(inside: dict[str, Json], path: str, _depth: int) -> Fraction:
    (parts,) = _only(inside, ("fraction",), path)
    whole = [Whole().read(part, f"{path}.fraction[{k}]") for k, part in enumerate(items(parts, f"{path}.fraction"))]
    if len(whole) != 2 or whole[1] < 1:  # noqa: PLR2004
        raise refusal(f"{path}.fraction", "a numerator and a denominator above 0", parts)
    return Fraction(*whole)


def _read_duration(inside: dict[str, Json], path: str, _depth: int) -> dt.timedelta:
    (span,) = _only(inside, ("duration",), path)
    return Span().read(span, f"{path}.duration")


def _read_bytes(inside: dict[str, Json], path: str, _depth: int) -> bytes:
    (told,) = _only(inside, ("bytes",), path)
    return Binary().read(told, f"{path}.bytes")


_WORDS: Mapping[str, Callable[[dict[str, Json], str, int], Any]] = {
    "array": _read_array,
    "scalar": _read_scalar,
    "code": _read_code,
    "type": _read_object,
    "pairs": _read_pairs,
    "set": _read_set,
    "fraction": _read_fraction,
    "duration": _read_duration,
    "bytes": _read_bytes,
}
