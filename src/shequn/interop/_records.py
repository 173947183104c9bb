"""Which form has a record? Each field's form is read off its annotation, so that a new field needs no second home.

What an annotation cannot say (a currency is three letters, a quantity is 0 or more) stands in `_NARROWER`.
"""

# ruff: noqa: ARG002  # a form has the arguments of `Form`, whether it needs them or not

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Callable, Mapping
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import attrs

from shequn.columns.condition import RowCondition
from shequn.errors import ShequnError, suggest
from shequn.interop._forms import (
    Binary,
    Clock,
    Code,
    Day,
    Flag,
    Form,
    Instant,
    Label,
    Maybe,
    Named,
    Names,
    Number,
    OneOf,
    Pair,
    Plain,
    Real,
    Several,
    Span,
    Text,
    Whole,
    entries,
)
from shequn.interop._rule_schema import condition_schema, rule_schema, segmentation_schema
from shequn.interop.errors import DocumentError, refusal, relocated
from shequn.rules import Rule
from shequn.segmentation import Segmentation

if TYPE_CHECKING:
    from shequn.interop._forms import Json, Schema, Shelf, Value

__all__ = ["RecordForm", "built", "form_of"]

# Records whose numbers may be infinite, or NaN where there is nothing to say.
_NOT_ALWAYS_FINITE = frozenset(
    {"Arm", "Attendance", "Band", "Before", "BeforeAfter", "Change", "Event", "Outcome", "Placement"}
)
_CLOCKS = frozenset({("DailyWindow", "start"), ("DailyWindow", "end")})

_ABOVE: Schema = {"exclusiveMinimum": 0}
_COUNT: Schema = {"minimum": 0}
_FRACTION: Schema = {"minimum": 0, "maximum": 1}
_FILLED: Schema = {"minLength": 1}
_SOME: Schema = {"minItems": 1}
# What the constructors refuse besides, in words of JSON Schema; never more than they do.
_NARROWER: Mapping[tuple[str, str], Schema] = {
    ("Account", "handle"): _FILLED,
    ("AdmissionPolicy", "cap"): _COUNT,
    ("AdmissionPolicy", "quota_per_inviter"): _COUNT,
    ("Cadence", "per_day"): _COUNT,
    ("Cadence", "per_month"): _COUNT,
    ("Cadence", "per_week"): _COUNT,
    ("Calendar", "n"): {"minimum": 1},
    ("Campaign", "forms"): _SOME,
    ("Community", "currency"): {"pattern": "^[A-Z]{3}$"},
    ("Community", "name"): _FILLED,
    ("ContentItem", "chars"): _COUNT,
    ("ContentItem", "height"): {"minimum": 1},
    ("ContentItem", "seconds"): _COUNT,
    ("ContentItem", "width"): {"minimum": 1},
    ("DailyWindow", "weekdays"): {"items": {"type": "integer", "minimum": 0, "maximum": 6}, **_SOME},
    ("Dated", "steps"): _SOME,
    ("Event", "kind"): _FILLED,
    ("Exclusion", "kinds"): _SOME,
    ("Funnel", "steps"): _SOME,
    ("Goal", "kinds"): _SOME,
    ("Goal", "target"): {"minimum": 1},
    ("Group", "name"): _FILLED,
    ("Money", "currency"): {"pattern": "^[A-Z]{3}$"},
    ("Onboarding", "steps"): {"minProperties": 1},
    ("Pressure", "cap"): _ABOVE,
    ("Rate", "hits"): _COUNT,
    ("Rate", "trials"): _COUNT,
    ("Reward", "quantity"): _COUNT,
    ("SizeBand", "hi"): {"minimum": 1},
    ("SizeBand", "lo"): {"minimum": 1},
    ("Step", "kinds"): _SOME,
    ("TierLadder", "tiers"): _SOME,
}


def form_of(hint: Any, *, is_finite: bool = True) -> Form:  # noqa: ANN401
    """Return the form of a type as annotations write it.

    Raises
    ------
    TypeError
        No form is known for it.
    """
    simple = _SIMPLE.get(hint)
    if simple is not None:
        return simple()
    if hint is float:
        return Number() if is_finite else Real()
    if isinstance(hint, type):
        return _form_of_type(hint)
    if isinstance(hint, TypeVar):
        return Plain()
    return _form_of_several(get_origin(hint), get_args(hint), is_finite=is_finite)


def _form_of_type(cls: type[Any]) -> Form:
    if issubclass(cls, Enum):
        return Code(cls)
    if issubclass(cls, dt.datetime):
        return Instant()
    return Day(cls) if issubclass(cls, dt.date) else _form_of_class(cast("Any", cls))


_SIMPLE: Mapping[Any, Callable[[], Form]] = {
    bool: Flag,
    bytes: Binary,
    dt.timedelta: Span,
    int: Whole,
    object: Plain,
    str: Text,
    str | int: Label,
    int | str: Label,
}


def _form_of_union(inside: tuple[Any, ...], *, is_finite: bool) -> Form:
    rest = [part for part in inside if part is not type(None)]
    if len(rest) < len(inside):
        return Maybe(form_of(Union[tuple(rest)], is_finite=is_finite))  # noqa: UP007
    if set(rest) == {int, float}:
        return form_of(float, is_finite=is_finite)
    if set(rest) == {int, str}:
        return Label()
    raise TypeError(f"no form for {inside}")


def _form_of_several(origin: Any, inside: tuple[Any, ...], *, is_finite: bool) -> Form:  # noqa: ANN401
    if origin is Literal:
        return OneOf(inside)
    if origin in {Union, types.UnionType}:
        return _form_of_union(inside, is_finite=is_finite)
    if origin in {tuple, frozenset, Mapping}:
        return _form_of_collection(origin, inside, is_finite=is_finite)
    return _form_of_class(origin, inside)


def _form_of_collection(origin: Any, inside: tuple[Any, ...], *, is_finite: bool) -> Form:  # noqa: ANN401
    if origin is tuple and len(inside) == 2 and inside[1] is Ellipsis:  # noqa: PLR2004
        return Several(form_of(inside[0], is_finite=is_finite))
    if origin is tuple:
        return Pair(tuple(form_of(part, is_finite=is_finite) for part in inside))
    if origin is frozenset:
        return Names(form_of(inside[0], is_finite=is_finite))
    return Named(form_of(inside[1], is_finite=is_finite), only_text=inside[0] is str)


@lru_cache(maxsize=1024)
def _form_of_class(cls: type[Any], parts: tuple[Any, ...] = ()) -> Form:
    if isinstance(cls, type) and issubclass(cls, RowCondition):
        return Told(RowCondition, None, condition_schema)
    if isinstance(cls, type) and issubclass(cls, Rule):
        return Told(Rule, "schema_version", rule_schema)
    if cls is Segmentation:
        return Told(Segmentation, "schema_version", segmentation_schema)
    if not attrs.has(cls):
        raise TypeError(f"no form for {cls}")
    return RecordForm(cls, parts)


@attrs.frozen
class RecordForm(Form):
    """An object with a key for each field that is not None by default."""

    of: type[Any]
    parts: tuple[Any, ...] = ()
    """What a generic class holds."""

    def fields(self) -> Mapping[str, tuple[attrs.Attribute[Any], Form]]:
        """Return each field by name, with its form."""
        return _fields(cast("Any", self.of), self.parts)

    def write(self, value: Value, path: str) -> Json:
        told: dict[str, Json] = {}
        for name, (field, form) in self.fields().items():
            held = getattr(value, name)
            if held is not None or field.default is not None:
                told[name] = form.write(held, f"{path}.{name}")
        return told

    def read(self, told: Json, path: str) -> Value:
        inside, fields = entries(told, path, f"an object that tells a {self.of.__name__}"), self.fields()
        for key in inside:
            if key not in fields:
                error = refusal(path, f"no keys but {', '.join(fields)}", key)
                raise DocumentError(path, error.args[1] + suggest(key, fields))
        for name, (field, _) in fields.items():
            if name not in inside and field.default is attrs.NOTHING:
                raise refusal(path, f"the key {name!r}", list(inside))
        given = {name: fields[name][1].read(held, f"{path}.{name}") for name, held in inside.items()}
        return built(self.of, given, path)

    def schema(self, shelf: Shelf) -> Schema:
        name = self.of.__name__ + ("" if not self.parts else "Of" + "".join(part.__name__ for part in self.parts))
        if shelf is None:
            return self._body(None)
        if name not in shelf:
            shelf[name] = {}
            shelf[name] = self._body(shelf)
        return {"$ref": f"#/$defs/{name}"}

    def _body(self, shelf: Shelf) -> Schema:
        fields = self.fields()
        return {
            "title": self.of.__name__,
            "description": (self.of.__doc__ or "").partition("\n")[0],
            "type": "object",
            "properties": {
                name: _narrowed(form.schema(shelf), _NARROWER.get((self.of.__name__, name), {}))
                for name, (_, form) in fields.items()
            },
            "required": [name for name, (field, _) in fields.items() if field.default is attrs.NOTHING],
            "additionalProperties": False,
        }


@lru_cache(maxsize=1024)
def _fields(cls: type[Any], parts: tuple[Any, ...]) -> Mapping[str, tuple[attrs.Attribute[Any], Form]]:
    hints = get_type_hints(cls)
    variables: tuple[Any, ...] = tuple(getattr(cls, "__parameters__", None) or ())
    given = dict(zip(variables, parts, strict=False))
    is_finite = cls.__name__ not in _NOT_ALWAYS_FINITE
    found: dict[str, tuple[attrs.Attribute[Any], Form]] = {}
    for field in attrs.fields(cls):
        if field.init:
            hint = hints[field.name]
            if given and getattr(hint, "__parameters__", None):
                hint = hint[tuple(given[variable] for variable in hint.__parameters__)]
            is_clock = (cls.__name__, field.name) in _CLOCKS
            found[field.name] = field, Clock() if is_clock else form_of(hint, is_finite=is_finite)
    return found


def _narrowed(schema: Schema, words: Schema) -> Schema:
    """Say more of what is not null."""
    if not words or "anyOf" not in schema:
        return {**schema, **words}
    return {"anyOf": [part if part == {"type": "null"} else {**part, **words} for part in schema["anyOf"]]}


def built(cls: Callable[..., Any], given: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401
    """Make a record, and tell at which place of the document what is wrong."""
    try:
        return cls(**given)
    except DocumentError:
        raise
    except (ShequnError, ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError) as error:
        raise relocated(path, error, given) from None


@attrs.frozen
class Told(Form):
    """What writes and reads its own documents."""

    of: Any
    version_key: str | None
    describe: Callable[[Shelf], Schema]

    def write(self, value: Value, path: str) -> Json:
        told = value.to_dict()
        told.pop(self.version_key, None)
        return told

    def read(self, told: Json, path: str) -> Value:
        inside = entries(told, path, f"an object that tells a {self.of.__name__}")
        if self.version_key is not None:
            inside = {self.version_key: 1, **inside}
        try:
            return self.of.from_dict(inside)
        except (ShequnError, ArithmeticError, RecursionError, TypeError, ValueError) as error:
            raise relocated(path, error, ()) from None

    def schema(self, shelf: Shelf) -> Schema:
        return self.describe(shelf)
