"""How is one value written as JSON, read back, and described by a schema? A form says all three of one type.

A form's reader takes nothing that its schema refuses, and its schema refuses nothing that its writer writes.
"""

# ruff: noqa: ARG002  # a form has the arguments of `Form`, whether it needs them or not

from __future__ import annotations

import base64
import binascii
import datetime as dt
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Set
from enum import Enum  # noqa: TC003  # attrs resolves the annotations of fields
from typing import TYPE_CHECKING, Any, cast

import attrs
import pendulum

from shequn.errors import ShequnError, suggest
from shequn.interop.errors import refusal, relocated
from shequn.values.elapsed import elapsed_us, from_elapsed_us
from shequn.values.instants import from_us, instant_us
from shequn.values.zones import zone_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Json: TypeAlias = Any
    Value: TypeAlias = Any
    Schema: TypeAlias = dict[str, Any]
    # What a schema may refer to, by name; None where everything is to stand in place.
    Shelf: TypeAlias = dict[str, Schema] | None

__all__ = [
    "INSTANT",
    "Binary",
    "Clock",
    "Code",
    "Day",
    "Flag",
    "Form",
    "Instant",
    "Label",
    "Maybe",
    "Named",
    "Names",
    "Number",
    "OneOf",
    "Pair",
    "Plain",
    "Real",
    "Several",
    "Span",
    "Text",
    "Whole",
    "entries",
    "items",
]

_NOT_FINITE = ("inf", "-inf", "nan")
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
_OFFSET = r"(Z|[+-][0-9]{2}:[0-9]{2}(:[0-9]{2})?)"
INSTANT = rf"{_DATE}T{_TIME}{_OFFSET}(\[[A-Za-z0-9_+/:-]+\])?"
_INSTANT_PARTS = re.compile(rf"({_DATE}T{_TIME}){_OFFSET}(?:\[([A-Za-z0-9_+/:-]+)\])?", re.ASCII)
_INSTANT_SHOWN = "an instant with its offset and zone, such as '2024-03-01T08:00:00+08:00[Asia/Shanghai]'"
_DAY = re.compile(_DATE, re.ASCII)
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_SPAN_UNITS = {"days": 86_400_000_000, "seconds": 1_000_000, "microseconds": 1}
_MOST_OF_A_UNIT = 1 << 62
_A_PAIR = 2


class Form(ABC):
    """How one type is written, read and described."""

    __slots__ = ()

    @abstractmethod
    def write(self, value: Value, path: str) -> Json:
        """Return the value as JSON has it."""

    @abstractmethod
    def read(self, told: Json, path: str) -> Value:
        """Return the value that was told, or raise `DocumentError` with its place."""

    @abstractmethod
    def schema(self, shelf: Shelf) -> Schema:
        """Return the JSON Schema of what is written, with larger parts put on the shelf."""


def entries(told: Json, path: str, expected: str = "an object") -> dict[str, Any]:
    """Return a mapping whose keys are text."""
    if not isinstance(told, Mapping):
        raise refusal(path, expected, told)
    found = dict(cast("Mapping[object, Any]", told))
    for key in found:
        if not isinstance(key, str):
            raise refusal(path, "keys that are text", key)
    return cast("dict[str, Any]", found)


def items(told: Json, path: str, expected: str = "a list") -> list[Any]:
    """Return a list."""
    if not isinstance(told, list | tuple):
        raise refusal(path, expected, told)
    return list(cast("list[Any]", told))


@attrs.frozen
class Text(Form):
    """Any text."""

    def write(self, value: Value, path: str) -> Json:
        return str(value)

    def read(self, told: Json, path: str) -> str:
        if not isinstance(told, str):
            raise refusal(path, "text", told)
        return str(told)

    def schema(self, shelf: Shelf) -> Schema:
        return {"type": "string"}


@attrs.frozen
class Whole(Form):
    """An integer of any size."""

    def write(self, value: Value, path: str) -> Json:
        return int(value)

    def read(self, told: Json, path: str) -> int:
        if isinstance(told, bool) or not isinstance(told, int):
            raise refusal(path, "an integer", told)
        return int(told)

    def schema(self, shelf: Shelf) -> Schema:
        return {"type": "integer"}


@attrs.frozen
class Flag(Form):
    """True or false."""

    def write(self, value: Value, path: str) -> Json:
        return bool(value)

    def read(self, told: Json, path: str) -> bool:
        if not isinstance(told, bool):
            raise refusal(path, "true or false", told)
        return told

    def schema(self, shelf: Shelf) -> Schema:
        return {"type": "boolean"}


@attrs.frozen
class Number(Form):
    """A finite number; an integer stays one."""

    def write(self, value: Value, path: str) -> Json:
        number = value if isinstance(value, int) else float(value)
        if not _is_finite(number):
            raise refusal(path, "a finite number", value)
        return number

    def read(self, told: Json, path: str) -> float:
        if isinstance(told, bool) or not isinstance(told, int | float):
            raise refusal(path, "a number", told)
        if not _is_finite(told):
            expected = (
                "a number that a float holds" if isinstance(told, int) else "a finite number, as JSON has no others"
            )
            raise refusal(path, expected, told)
        return told

    def schema(self, shelf: Shelf) -> Schema:
        return {"type": "number"}


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer that no float holds: most readers of JSON make infinity of it
        return False


@attrs.frozen
class Real(Form):
    """A number that may be infinite or NaN, which is told as ``{"float": "inf"}``."""

    def write(self, value: Value, path: str) -> Json:
        if isinstance(value, float) and not math.isfinite(value):
            return {"float": repr(float(value))}
        return Number().write(value, path)

    def read(self, told: Json, path: str) -> float:
        if not isinstance(told, Mapping):
            return Number().read(told, path)
        inside = entries(told, path)
        if set(inside) != {"float"} or inside["float"] not in _NOT_FINITE:
            raise refusal(path, "a number, {'float': 'inf'}, {'float': '-inf'} or {'float': 'nan'}", inside)
        return float(inside["float"])

    def schema(self, shelf: Shelf) -> Schema:
        return {"anyOf": [{"type": "number"}, _tagged("float", {"enum": list(_NOT_FINITE)})]}


@attrs.frozen
class Label(Form):
    """Text that is not empty, or an integer."""

    def write(self, value: Value, path: str) -> Json:
        return str(value) if isinstance(value, str) else int(value)

    def read(self, told: Json, path: str) -> str | int:
        if isinstance(told, bool) or not isinstance(told, str | int) or told == "":
            raise refusal(path, "text that is not empty, or an integer", told)
        return told

    def schema(self, shelf: Shelf) -> Schema:
        return {"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer"}]}


@attrs.frozen
class Instant(Form):
    """An instant as RFC 9557 writes it: local time, offset and the name of the zone."""

    def write(self, value: Value, path: str) -> Json:
        name = zone_name(value.tzinfo)
        moment = from_us(instant_us(value), name).isoformat()
        return moment.replace("+00:00", "Z") if name == "UTC" else moment if name[0] in "+-" else f"{moment}[{name}]"

    def read(self, told: Json, path: str) -> pendulum.DateTime:
        parts = _INSTANT_PARTS.fullmatch(told) if isinstance(told, str) else None
        if parts is None:
            raise refusal(path, _INSTANT_SHOWN, told)
        clock, offset, name = parts.group(1), parts.group(3), parts.group(5)
        try:
            us = instant_us(dt.datetime.fromisoformat(clock + offset.replace("Z", "+00:00")))
            # What no zone is named for is told on the clock of its offset.
            moment = from_us(us, name or ("UTC" if offset == "Z" else offset))
        except (ShequnError, ValueError, OverflowError) as error:
            raise relocated(path, error, ()) from None
        if name is not None and offset != "Z" and moment.isoformat() != _six_digits(clock) + offset:
            raise refusal(path, f"the offset that {name} has then ({moment.isoformat()})", told)
        return moment

    def schema(self, shelf: Shelf) -> Schema:
        return {"type": "string", "pattern": f"^{INSTANT}$", "examples": ["2024-03-01T08:00:00+08:00[Asia/Shanghai]"]}


def _six_digits(clock: str) -> str:
    """Write a fraction of a second as `isoformat` does: with six digits, or not at all."""
    whole, _, fraction = clock.partition(".")
    return f"{whole}.{fraction.ljust(6, '0')}" if fraction.strip("0") else whole


@attrs.frozen
class Day(Form):
    """A calendar day."""

    of: type[dt.date] = dt.date

    def write(self, value: Value, path: str) -> Json:
        return dt.date(value.year, value.month, value.day).isoformat()

    def read(self, told: Json, path: str) -> dt.date:
        if isinstance(told, str) and _DAY.fullmatch(told):
            try:
                day = dt.date.fromisoformat(told)
            except ValueError:
                pass
            else:
                return self.of(day.year, day.month, day.day)
        raise refusal(path, "a day such as '2024-03-01'", told)

    def schema(self, shelf: Shelf) -> Schema:
        return {"type": "string", "pattern": f"^{_DATE}$", "examples": ["2024-03-01"]}


@attrs.frozen
class Span(Form):
    """A duration, as rules write it: ``{"days": 7}``, with ``seconds`` and ``microseconds`` beside."""

    def write(self, value: Value, path: str) -> Json:
        us = elapsed_us("duration", value)
        told: dict[str, int] = {}
        for unit, size in _SPAN_UNITS.items():
            number, us = divmod(us, size)
            if number:
                told[unit] = number
        return told or {"seconds": 0}

    def read(self, told: Json, path: str) -> pendulum.Duration:
        inside = entries(told, path, "a duration such as {'days': 7}")
        if not inside:
            raise refusal(path, f"a duration in {', '.join(_SPAN_UNITS)}", inside)
        us = 0
        for unit, number in inside.items():
            if unit not in _SPAN_UNITS:
                raise refusal(path, f"no keys but {', '.join(_SPAN_UNITS)}", unit)
            if not 0 <= Whole().read(number, f"{path}.{unit}") < _MOST_OF_A_UNIT:
                raise refusal(f"{path}.{unit}", "a number of 0 or more that fits", number)
            us += number * _SPAN_UNITS[unit]
        try:
            span = from_elapsed_us(us)
            elapsed_us("duration", span)
        except (ShequnError, OverflowError):
            raise refusal(path, "a duration of at most 400 years", inside) from None
        return span

    def schema(self, shelf: Shelf) -> Schema:
        unit = {"type": "integer", "minimum": 0}
        return {
            "type": "object",
            "properties": dict.fromkeys(_SPAN_UNITS, unit),
            "additionalProperties": False,
            "minProperties": 1,
        }


@attrs.frozen
class Clock(Form):
    """Minutes of a day, told as a time: ``"22:00"``."""

    def write(self, value: Value, path: str) -> Json:
        return f"{value // 60:02d}:{value % 60:02d}"

    def read(self, told: Json, path: str) -> str:
        if not isinstance(told, str) or not re.fullmatch(_CLOCK, told, re.ASCII):
            raise refusal(path, "a time of day such as '22:00'", told)
        return str(told)

    def schema(self, shelf: Shelf) -> Schema:
        return {"type": "string", "pattern": f"^{_CLOCK}$"}


@attrs.frozen
class Binary(Form):
    """Bytes, as base64."""

    def write(self, value: Value, path: str) -> Json:
        return base64.b64encode(value).decode("ascii")

    def read(self, told: Json, path: str) -> bytes:
        if isinstance(told, str):
            try:
                return base64.b64decode(told.encode("ascii"), validate=True)
            except (binascii.Error, ValueError):
                pass
        raise refusal(path, "bytes as base64", told)

    def schema(self, shelf: Shelf) -> Schema:
        return {"type": "string", "contentEncoding": "base64", "pattern": "^[A-Za-z0-9+/]*={0,2}$"}


@attrs.frozen
class Code(Form):
    """A value of a closed list, by its code."""

    of: type[Enum]

    def write(self, value: Value, path: str) -> Json:
        return value.value

    def read(self, told: Json, path: str) -> Enum:
        codes = {value.value: value for value in self.of}
        if not isinstance(told, str) or told not in codes:
            shown = f"one of the codes {', '.join(codes)}"
            error = refusal(path, shown if len(codes) <= 20 else f"the code of one {self.of.__name__}", told)  # noqa: PLR2004
            raise type(error)(path, error.args[1] + suggest(told, codes))
        return codes[told]

    def schema(self, shelf: Shelf) -> Schema:
        return {"enum": [value.value for value in self.of]}


@attrs.frozen
class OneOf(Form):
    """One of a few words."""

    words: tuple[str, ...]

    def write(self, value: Value, path: str) -> Json:
        return str(value)

    def read(self, told: Json, path: str) -> str:
        if not isinstance(told, str) or told not in self.words:
            raise refusal(path, f"one of {', '.join(self.words)}", told)
        return str(told)

    def schema(self, shelf: Shelf) -> Schema:
        return {"enum": list(self.words)}


@attrs.frozen
class Maybe(Form):
    """A value, or null."""

    form: Form

    def write(self, value: Value, path: str) -> Json:
        return None if value is None else self.form.write(value, path)

    def read(self, told: Json, path: str) -> Value:
        return None if told is None else self.form.read(told, path)

    def schema(self, shelf: Shelf) -> Schema:
        return {"anyOf": [self.form.schema(shelf), {"type": "null"}]}


@attrs.frozen
class Several(Form):
    """A list of one form."""

    form: Form

    def write(self, value: Value, path: str) -> Json:
        return [self.form.write(item, f"{path}[{place}]") for place, item in enumerate(value)]

    def read(self, told: Json, path: str) -> tuple[Any, ...]:
        return tuple(self.form.read(item, f"{path}[{place}]") for place, item in enumerate(items(told, path)))

    def schema(self, shelf: Shelf) -> Schema:
        return {"type": "array", "items": self.form.schema(shelf)}


@attrs.frozen
class Names(Form):
    """A set, as a list in ascending order that holds each once."""

    form: Form

    def write(self, value: Value, path: str) -> Json:
        return sorted(self.form.write(item, path) for item in cast("Set[Any]", value))

    def read(self, told: Json, path: str) -> frozenset[Any]:
        found: set[Any] = set()
        for place, item in enumerate(items(told, path)):
            value = self.form.read(item, f"{path}[{place}]")
            if value in found:
                raise refusal(f"{path}[{place}]", "each one once", item)
            found.add(value)
        return frozenset(found)

    def schema(self, shelf: Shelf) -> Schema:
        return {"type": "array", "items": self.form.schema(shelf), "uniqueItems": True}


@attrs.frozen
class Pair(Form):
    """A list of a certain length, each place of which has a form."""

    forms: tuple[Form, ...]

    def write(self, value: Value, path: str) -> Json:
        return [form.write(item, f"{path}[{k}]") for k, (form, item) in enumerate(zip(self.forms, value, strict=True))]

    def read(self, told: Json, path: str) -> tuple[Any, ...]:
        given = items(told, path)
        if len(given) != len(self.forms):
            raise refusal(path, f"a list of {len(self.forms)}", given)
        return tuple(form.read(item, f"{path}[{k}]") for k, (form, item) in enumerate(zip(self.forms, given)))  # noqa: B905

    def schema(self, shelf: Shelf) -> Schema:
        return {
            "type": "array",
            "prefixItems": [form.schema(shelf) for form in self.forms],
            "items": False,
            "minItems": len(self.forms),
        }


@attrs.frozen
class Named(Form):
    """A mapping: an object where its keys are text, else a list of pairs."""

    form: Form
    only_text: bool

    def write(self, value: Value, path: str) -> Json:
        if all(isinstance(key, str) for key in value):
            return {str(key): self.form.write(item, f"{path}.{key}") for key, item in value.items()}
        return [[Label().write(key, path), self.form.write(item, f"{path}[{key}]")] for key, item in value.items()]

    def read(self, told: Json, path: str) -> dict[Any, Any]:
        if self.only_text or isinstance(told, Mapping):
            return {key: self.form.read(item, f"{path}.{key}") for key, item in entries(told, path).items()}
        found: dict[Any, Any] = {}
        pair = Pair((Label(), self.form))
        for place, item in enumerate(items(told, path, "an object, or a list of pairs")):
            key, value = pair.read(item, f"{path}[{place}]")
            if key in found:
                raise refusal(f"{path}[{place}]", "each key once", key)
            found[key] = value
        return found

    def schema(self, shelf: Shelf) -> Schema:
        by_name: Schema = {"type": "object", "additionalProperties": self.form.schema(shelf)}
        if self.only_text:
            return by_name
        return {"anyOf": [by_name, {"type": "array", "items": Pair((Label(), self.form)).schema(shelf)}]}


@attrs.frozen
class Plain(Form):
    """What a field of somebody's own may hold: null, true, text, a number, an instant or a day."""

    def write(self, value: Value, path: str) -> Json:
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, str):
            return str(value)
        if isinstance(value, float):
            return Real().write(value, path)
        for word, is_such, form in _TIMES:
            if is_such(value):
                return {word: form.write(value, path)}
        raise refusal(path, "null, true or false, text, a number, a datetime or a date", value)

    def read(self, told: Json, path: str) -> Value:
        if told is None or isinstance(told, bool | int | str):
            return told
        if not isinstance(told, Mapping):
            return Number().read(told, path)
        inside = entries(told, path)
        for word, _, form in _TIMES:
            if set(inside) == {word}:
                return form.read(inside[word], f"{path}.{word}")
        return Real().read(inside, path)

    def schema(self, shelf: Shelf) -> Schema:
        words = [_tagged(word, form.schema(shelf)) for word, _, form in _TIMES]
        simple: Schema = {"type": ["null", "boolean", "string", "number"]}
        return {"anyOf": [simple, _tagged("float", {"enum": list(_NOT_FINITE)}), *words]}


def _tagged(name: str, inside: Schema) -> Schema:
    return {"type": "object", "properties": {name: inside}, "required": [name], "additionalProperties": False}


@attrs.frozen
class OnSomeClock(Form):
    """What a clock shows in a zone that nobody named."""

    def write(self, value: Value, path: str) -> Json:
        return dt.datetime.isoformat(value)

    def read(self, told: Json, path: str) -> pendulum.DateTime:
        if isinstance(told, str) and re.fullmatch(f"{_DATE}T{_TIME}", told, re.ASCII):
            try:
                shown = dt.datetime.fromisoformat(told)
            except ValueError:
                pass
            else:
                return pendulum.DateTime.combine(shown.date(), shown.time())
        raise refusal(path, "a time on some clock such as '2024-03-01T08:00:00'", told)

    def schema(self, shelf: Shelf) -> Schema:
        return {"type": "string", "pattern": f"^{_DATE}T{_TIME}$"}


def _is_instant(value: Value) -> bool:
    return isinstance(value, dt.datetime) and value.tzinfo is not None


def _is_clock(value: Value) -> bool:
    return isinstance(value, dt.datetime) and value.tzinfo is None


def _is_day(value: Value) -> bool:
    return isinstance(value, dt.date) and not isinstance(value, dt.datetime)


_TIMES: tuple[tuple[str, Callable[[Value], bool], Form], ...] = (
    ("instant", _is_instant, Instant()),
    ("clock", _is_clock, OnSomeClock()),
    ("date", _is_day, Day(pendulum.Date)),
)
