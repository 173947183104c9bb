"""Is a value what the annotation of its field says? A result has fields that only its own functions fill."""

from __future__ import annotations

import datetime as dt
import sys
import types
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import attrs
import numpy as np
import pendulum
from numpy.typing import NDArray

from shequn._typing import BoolArray, FloatArray, IntArray
from shequn.content import ContentRate
from shequn.entities.taxonomies import Taxonomy
from shequn.interop._result_classes import classes
from shequn.interop.errors import refusal
from shequn.labels import Label
from shequn.stats._log_rank import Weights

if TYPE_CHECKING:
    from shequn.interop._forms import Value

__all__ = ["check_fields"]

_NUMBERS: Mapping[Any, tuple[type[Any], ...]] = {
    bool: (bool, np.bool_),
    int: (int, np.integer),
    float: (int, float, np.integer, np.floating),
}
_SHOWN: Mapping[Any, str] = {bool: "true or false", int: "an integer", float: "a number", str: "text", bytes: "bytes"}


def check_fields(value: Value, path: str, parts: tuple[Any, ...] = ()) -> None:
    """Raise `DocumentError` unless each field of a record holds what its annotation says.

    `parts` are what the variables of a generic class stand for.

    Examples
    --------
    >>> from shequn.values import Dated
    >>> check_fields(Dated.always(5), "$", (int,))
    >>> check_fields(Dated.always("5"), "$", (int,))
    Traceback (most recent call last):
    shequn.interop.errors.DocumentError: $.steps: expected a list of a list of a date or null and an integer, ...
    """
    for name, annotated in _hints(cast("Any", type(value))).items():
        hint = annotated[parts] if parts and getattr(annotated, "__parameters__", ()) else annotated
        held = getattr(value, name)
        if not _fits(hint, held):
            raise refusal(f"{path}.{name}", _shown(hint), held)


@lru_cache(maxsize=1024)
def _hints(cls: type[Any]) -> Mapping[str, Any]:
    # What a module imports for its annotations alone, it doesn't have at run time.
    known = [vars(sys.modules[base.__module__]) for base in cls.__mro__ if base.__module__.startswith("shequn.")]
    missing = {name: found for name, found in _imported_for_annotations().items() if any(name not in k for k in known)}
    hints = get_type_hints(cls, localns=missing)
    if attrs.has(cls):
        return {field.name: hints[field.name] for field in attrs.fields(cls) if field.init}
    return {name: hints[name] for name in cls._fields}


@lru_cache(maxsize=1)
def _imported_for_annotations() -> Mapping[str, Any]:
    arrays = {"BoolArray": BoolArray, "FloatArray": FloatArray, "IntArray": IntArray}
    modules = {"dt": dt, "np": np, "pendulum": pendulum}
    others = {"ContentRate": ContentRate, "Fraction": Fraction, "Label": Label, "Mapping": Mapping, "NDArray": NDArray}
    bases = {"Taxonomy": Taxonomy, "Weights": Weights}
    return {**{cls.__name__: cls for cls in classes()}, **arrays, **modules, **others, **bases}


def _fits(hint: Any, held: Value) -> bool:  # noqa: ANN401
    if hint is Any or hint is object or isinstance(hint, TypeVar):
        return True
    if hint is None or hint is type(None):
        return held is None
    if hint in _NUMBERS:
        return isinstance(held, _NUMBERS[hint]) and (hint is bool or not isinstance(held, bool))
    if hint is Taxonomy:
        return isinstance(held, str)  # some taxonomy's code, and a row built by hand may have it as text
    if isinstance(hint, type) and get_origin(hint) is None:
        # A datetime is a date to Python.
        return isinstance(held, hint) and (hint not in {dt.date, pendulum.Date} or not isinstance(held, dt.datetime))
    origin: Any = get_origin(hint)
    inside = get_args(hint)
    check = _OF_SEVERAL.get(origin)
    return check(inside, held) if check is not None else isinstance(held, origin)


def _fits_array(inside: tuple[Any, ...], held: Value) -> bool:
    (scalar,) = get_args(inside[1])
    if not isinstance(held, np.ndarray):
        return False
    array = cast("NDArray[Any]", held)
    return scalar is Any or np.issubdtype(array.dtype, scalar)


def _fits_tuple(inside: tuple[Any, ...], held: Value) -> bool:
    if not isinstance(held, tuple):
        return False
    parts: tuple[Any, ...] = cast("Any", held)
    if len(inside) == 2 and inside[1] is Ellipsis:  # noqa: PLR2004
        return all(_fits(inside[0], part) for part in parts)
    return len(parts) == len(inside) and all(_fits(hint, part) for hint, part in zip(inside, parts, strict=True))


def _fits_mapping(inside: tuple[Any, ...], held: Value) -> bool:
    if not isinstance(held, Mapping):
        return False
    pairs: Mapping[Any, Any] = cast("Any", held)
    return all(_fits(inside[0], key) and _fits(inside[1], item) for key, item in pairs.items())


def _fits_set(inside: tuple[Any, ...], held: Value) -> bool:
    if not isinstance(held, frozenset):
        return False
    members: frozenset[Any] = cast("Any", held)
    return all(_fits(inside[0], item) for item in members)


def _fits_any(inside: tuple[Any, ...], held: Value) -> bool:
    return any(_fits(hint, held) for hint in inside)


_OF_SEVERAL: Mapping[Any, Callable[[tuple[Any, ...], Value], bool]] = {
    np.ndarray: _fits_array,
    tuple: _fits_tuple,
    Mapping: _fits_mapping,
    frozenset: _fits_set,
    Literal: lambda inside, held: isinstance(held, str) and held in inside,
    Union: _fits_any,
    types.UnionType: _fits_any,
}


def _shown(hint: Any) -> str:  # noqa: ANN401, PLR0911
    """Say what an annotation asks for, in words."""
    if hint is None or hint is type(None):
        return "null"
    if isinstance(hint, type) and get_origin(hint) is None:
        return _SHOWN.get(hint, f"a {hint.__name__}")
    origin, inside = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return " or ".join(dict.fromkeys(_shown(part) for part in inside))
    if origin is Literal:
        return "one of " + ", ".join(map(str, inside))
    if origin is np.ndarray:
        (scalar,) = get_args(inside[1])
        return "an array" if scalar is Any else f"an array of {np.dtype(scalar).name}"
    if origin in {tuple, frozenset}:
        many = "a list of" if origin is tuple else "a set of"
        return f"{many} " + " and ".join(dict.fromkeys(_shown(part) for part in inside if part is not Ellipsis))
    return f"a {getattr(origin, '__name__', 'value')}"  # a mapping, or a generic class of ours
