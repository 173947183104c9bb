"""How is a rule written as JSON, and read back, whoever wrote it?

A document is data: nothing in it is run, it may be nested 64 levels deep and hold 10,000 tests, and what is wrong with
it is told with its place, as in ``$.rule.all[2].count.within``.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, cast

from shequn.columns.condition import RowCondition
from shequn.errors import InvalidTypeError, InvalidValueError, ShequnError, message, suggest
from shequn.rules.operands import OPERATORS, Instant, RuleOperator, Span, checked
from shequn.rules.rule import DEEPEST, LARGEST, InSegment, Joined, Rule, Test, joined
from shequn.rules.sources import MEASURES, Fact, Field
from shequn.rules.terms import fact_of, field, segment_name
from shequn.stats._checks import instance, one_of
from shequn.values.elapsed import LONGEST_US

if TYPE_CHECKING:
    from shequn.rules.operands import RuleOperand
    from shequn.rules.sources import Measure, Source

__all__ = ["read", "written"]

_VERSION = 1
_JOINTS = {"all": "and", "any": "or"}
_NODES = ("all", "any", "not", "segment", "field", *MEASURES)
_SEVERAL = frozenset({"between", "isin", "has_all", "has_any"})
_DEEPEST_DATA = 5 * DEEPEST  # a level of a rule, or of a condition inside, takes a dict and a list
_MOST_VALUES = 1_000_000
_LONGEST_PATH = 300
_CONTAINERS: tuple[type, ...] = (Mapping, list, tuple)
_UNITS = {"days": 86_400_000_000, "seconds": 1_000_000, "microseconds": 1}


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def written(rule: Rule) -> dict[str, Any]:
    """Return a rule as a document."""
    return {"schema_version": _VERSION, "rule": _node(rule)}


def _node(rule: Rule) -> dict[str, Any]:
    if isinstance(rule, Joined):
        if rule.operator == "not":
            return {"not": _node(rule.rules[0])}
        return {"all" if rule.operator == "and" else "any": [_node(part) for part in rule.rules]}
    if isinstance(rule, InSegment):
        return {"segment": rule.name}
    test = cast("Test", rule)
    name, told = _source(test.source)
    told["op"] = test.operator
    if test.operator in _SEVERAL:
        told["value"] = [_operand(operand) for operand in test.operands]
    elif test.operands:
        told["value"] = _operand(test.operands[0])
    return {name: told}


def _source(source: Source) -> tuple[str, dict[str, Any]]:
    if isinstance(source, Field):
        return "field", {"name": source.name}
    told: dict[str, Any] = {} if source.column is None else {"column": source.column}
    if source.kinds is not None:
        told["kinds"] = list(source.kinds)
    if source.within_us is not None:
        told["within"] = _duration(source.within_us)
    if source.before_us:
        told["before"] = _duration(source.before_us)
    if source.where is not None:
        told["where"] = source.where.to_dict()
    return source.measure, told


def _operand(operand: RuleOperand) -> Any:  # noqa: ANN401
    if isinstance(operand, Instant):
        return {"instant": repr(operand)}
    if isinstance(operand, Span):
        return _duration(operand.us)
    if isinstance(operand, float) and math.isinf(operand):
        return {"float": repr(operand)}
    return operand


def _duration(us: int) -> dict[str, int]:
    told: dict[str, int] = {}
    for unit, size in _UNITS.items():
        number, us = divmod(us, size)
        if number:
            told[unit] = number
    return told or {"seconds": 0}


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(document: object) -> Rule:
    """Return the rule that a document tells."""
    _require_readable(document)
    told = _mapping(document, "$")
    _only(told, ("schema_version", "rule"), "$")
    version = _entry(told, "schema_version", "$")
    if type(version) is not int or version != _VERSION:
        raise InvalidValueError(message("$.schema_version", f"{_VERSION}, which this library writes", version))
    return _read(_entry(told, "rule", "$"), "$.rule", 1, iter(range(LARGEST)))


class _Open:
    """A dict or list that is being measured."""

    __slots__ = ("height", "held", "is_mapping", "size", "step", "values")

    def __init__(self, held: object, step: str) -> None:
        self.held, self.step = held, step
        self.size, self.height = 1, 1
        self.is_mapping = isinstance(held, Mapping)
        items: Iterable[tuple[object, object]] = enumerate(cast("Iterable[object]", held))
        if self.is_mapping:
            items = cast("Mapping[object, object]", held).items()
        self.values = iter(items)


def _require_readable(document: object) -> None:
    """Raise unless a document has an end: a list may hold itself, or the same list a million times.

    Each list is measured once, however often it stands there.
    """
    measured: dict[int, tuple[int, int]] = {}
    # A stack instead of recursion: whoever wrote the document chose how deep it is.
    stack = [_Open([document], "$")]

    def refuse(expected: str) -> NoReturn:
        raise InvalidValueError(message(_short("".join(held.step for held in stack)), expected, "more"))

    while stack:
        here = stack[-1]
        for key, inside in here.values:
            if here.is_mapping and not isinstance(key, str):
                place = _short("".join(held.step for held in stack))
                raise InvalidTypeError(message(place, "keys that are text", key))
            here.size += 1
            if isinstance(inside, _CONTAINERS):
                if id(inside) not in measured:
                    step = "" if len(stack) == 1 else f".{key}" if here.is_mapping else f"[{key}]"
                    stack.append(_Open(inside, step))
                    break
                size, height = measured[id(inside)]
                here.size, here.height = here.size + size, max(here.height, height + 1)
            if here.size > _MOST_VALUES:
                refuse(f"at most {_MOST_VALUES:,} values in a document")
        else:
            stack.pop()
            measured[id(here.held)] = here.size, here.height
            if stack:
                stack[-1].size += here.size
                stack[-1].height = max(stack[-1].height, here.height + 1)
        if stack and len(stack) + stack[-1].height > _DEEPEST_DATA:
            refuse(f"at most {DEEPEST} levels of nesting")


def _short(path: str) -> str:
    return path if len(path) <= _LONGEST_PATH else f"{path[: _LONGEST_PATH // 2]}…{path[-_LONGEST_PATH // 2 :]}"


def _read(document: object, path: str, depth: int, budget: Iterator[int]) -> Rule:
    if depth > DEEPEST:
        raise InvalidValueError(message(path, f"at most {DEEPEST} levels of nesting", "more"))
    told = _mapping(document, path)
    if len(told) != 1:
        raise InvalidValueError(message(path, f"one key, of {', '.join(_NODES)}", list(told)))
    [(key, inside)] = told.items()
    if key not in _NODES:
        raise InvalidValueError(message(path, f"one of the keys {', '.join(_NODES)}", key) + suggest(key, _NODES))
    below = f"{path}.{key}"
    if key in _JOINTS:
        parts = _list(inside, below)
        rules = [_read(part, f"{below}[{place}]", depth + 1, budget) for place, part in enumerate(parts)]
        return _located(below, lambda: joined(cast("Any", _JOINTS[key]), tuple(rules)))
    if key == "not":
        part = _read(inside, below, depth + 1, budget)
        return _located(below, lambda: joined("not", (part,)))
    # Counted while the document is read, before anything large is built.
    if next(budget, None) is None:
        raise InvalidValueError(message(below, f"at most {LARGEST:,} tests in a rule", "more"))
    if key == "segment":
        return InSegment(name=segment_name(below, inside))
    return _test(key, _mapping(inside, below), below)


def _located(path: str, build: Callable[[], Rule]) -> Rule:
    """Build, and put the place in front of what goes wrong."""
    try:
        return build()
    except ShequnError as error:
        raise type(error)(f"{path}: {error}") from None


def _test(key: str, told: Mapping[str, object], path: str) -> Rule:
    of_fact = () if key == "field" else ("kinds", "within", "before", "where")
    named = ("name",) if key == "field" else ("column",) if key in {"sum", "distinct"} else ()
    _only(told, (*named, *of_fact, "op", "value"), path)
    operator = _entry(told, "op", path)
    one_of(f"{path}.op", operator, OPERATORS)
    known = cast("RuleOperator", operator)
    source = _read_source(key, told, path)
    if known == "is_known":
        if "value" in told:
            expected = "nothing, as 'is_known' compares with nothing"
            raise InvalidValueError(message(f"{path}.value", expected, told["value"]))
        return Test(source=source, operator=known, operands=())
    value = _entry(told, "value", path)
    where = f"{path}.value"
    if known in _SEVERAL:
        items = _list(value, where)
        operands = [_read_operand(item, f"{where}[{place}]") for place, item in enumerate(items)]
        found = checked(source, known, operands, locate=lambda place: where if place is None else f"{where}[{place}]")
    elif known == "within_last":
        span = dt.timedelta(microseconds=_us(value, where))
        found = checked(source, known, [span], locate=lambda place: path if place is None else where)
    else:
        operand = _read_operand(value, where)
        found = checked(source, known, [operand], locate=lambda place: path if place is None else where)
    return Test(source=source, operator=known, operands=found)


def _read_source(key: str, told: Mapping[str, object], path: str) -> Source:
    if key == "field":
        name = _entry(told, "name", path)
        instance(f"{path}.name", name, str, expected="the name of a field")
        if not name:
            raise InvalidValueError(message(f"{path}.name", "the name of a field", name))
        return field(cast("str", name)).source
    if key in {"sum", "distinct"}:
        _entry(told, "column", path)
    kinds = None if "kinds" not in told else _list(told["kinds"], f"{path}.kinds")
    spans = {
        name: dt.timedelta(microseconds=_us(told[name], f"{path}.{name}"))
        for name in ("within", "before")
        if name in told
    }
    where = None
    if "where" in told:
        where = _condition(told["where"], f"{path}.where")
    source = fact_of(
        cast("Measure", key), kinds, column=told.get("column"), where=where, at=f"{path}.", **cast("Any", spans)
    ).source
    return cast("Fact", source)


def _condition(document: object, path: str) -> RowCondition:
    try:
        return RowCondition.from_dict(cast("Mapping[str, Any]", document))
    except ShequnError as error:
        text = str(error)
        raise type(error)(path + text[1:] if text.startswith("$") else f"{path}: {text}") from None


def _read_operand(told: object, path: str) -> object:
    if not isinstance(told, Mapping):
        if isinstance(told, str | int | float):
            return told
        raise InvalidTypeError(message(path, "text, a number, an instant or an infinite number", told))
    written = dict(cast("Mapping[object, object]", told))
    for word in ("inf", "-inf"):
        if written == {"float": word}:
            return float(word)
    if set(written) == {"instant"}:
        return _instant(written["instant"], f"{path}.instant")
    raise InvalidValueError(message(path, "text, a number, {'instant': …} or {'float': 'inf'}", written))


def _instant(told: object, path: str) -> dt.datetime:
    instance(path, told, str, expected="an instant as text, such as 2024-05-01T00:00:00+00:00")
    try:
        instant = dt.datetime.fromisoformat(cast("str", told))
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise InvalidValueError(message(path, "an instant with its offset, such as 2024-05-01T00:00:00+00:00", told))
    return instant


def _us(told: object, path: str) -> int:
    written = _mapping(told, path)
    _only(written, tuple(_UNITS), path)
    if not written:
        raise InvalidValueError(message(path, f"a duration in {', '.join(_UNITS)}", dict(written)))
    us = 0
    for unit, number in written.items():
        if type(number) is not int:
            raise InvalidTypeError(message(f"{path}.{unit}", "an integer", number))
        if not 0 <= number < 1 << 62:
            hint = "; a window cannot lie in the future" if number < 0 else ""
            raise InvalidValueError(message(f"{path}.{unit}", "a number of 0 or more that fits", number) + hint)
        us += number * _UNITS[unit]
    if us > LONGEST_US:
        raise InvalidValueError(message(path, "a duration of at most 400 years", dict(written)))
    return us


def _mapping(told: object, path: str) -> Mapping[str, object]:
    instance(path, told, Mapping, expected="a mapping")
    return cast("Mapping[str, object]", told)


def _entry(told: Mapping[str, object], key: str, path: str) -> object:
    if key not in told:
        raise InvalidValueError(message(path, f"the key {key!r}", dict(told)))
    return told[key]


def _list(told: object, path: str) -> list[object]:
    if not isinstance(told, list | tuple):
        raise InvalidTypeError(message(path, "a list", told))
    return list(cast("Iterable[object]", told))


def _only(told: Mapping[str, object], known: tuple[str, ...], path: str) -> None:
    for key in told:
        if key not in known:
            raise InvalidValueError(message(path, f"no keys but {', '.join(known)}", key) + suggest(key, known))
