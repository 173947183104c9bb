"""Rules in plain Python: one member at a time, one row at a time, every number exact.

Written from the definitions: three-valued logic, a window that ends at an instant and begins after another, rows at the
instant of the question or before. A rule is data of this module's own, so that nothing of the library judges itself:

- ``("and", rules)``, ``("or", rules)``, ``("not", rule)``, ``("segment", name)``
- ``("test", source, operator, operands)`` with a source ``("field", name)`` or a `Fact`
- the `where` of a fact is ``("and" | "or" | "not", parts)`` or ``(column, operator, operands)``

`rule_of` says the same in the library's words. Instants and durations are integers of microseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from shequn import rules as r
from shequn.columns import row

DAY_US = 24 * 60 * 60 * 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOT_ACTIVITY = {"receive", "leave", "remove", "mute", "role"}

Tree = tuple[Any, ...]


class Fact(NamedTuple):
    """What rows tell: a measure over the rows of some kinds in a window, of which a condition may be asked."""

    measure: str
    kinds: tuple[str, ...] | None
    column: str | None = None
    within: int | None = None
    before: int = 0
    where: Tree | None = None


@dataclass
class Person:
    """What is known of one member. `orders` holds the labels of ordered fields, from the lowest."""

    known: dict[str, Any]
    orders: dict[str, list[Any]] = field(default_factory=dict)
    tags: dict[str, set[Any]] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)


# ── what a rule answers ──────────────────────────────────────────────────────────────────────────────────────────────


def verdict(tree: Tree, person: Person, as_of: int, segments: dict[str, Tree]) -> bool | None:
    """True, False, or None where it is unknown."""
    head = tree[0]
    if head == "segment":
        return verdict(segments[tree[1]], person, as_of, segments) is True
    if head == "test":
        _, source, operator, operands = tree
        if isinstance(source, Fact):
            return compare(told(source, person.rows, as_of), operator, operands, as_of)
        name = source[1]
        if name in person.tags:
            return has(person.tags[name], operator, operands)
        value, bounds = person.known[name], operands
        if name in person.orders and operator in {"<", "<=", ">", ">=", "between"}:
            rank = person.orders[name].index
            value, bounds = None if value is None else rank(value), tuple(map(rank, operands))
        return compare(value, operator, bounds, as_of)
    return combine(head, [verdict(part, person, as_of, segments) for part in tree[1]])


def combine(operator: str, parts: list[bool | None]) -> bool | None:
    if operator == "not":
        return {True: False, False: True, None: None}[parts[0]]
    if operator == "and":
        return False if False in parts else None if None in parts else True
    return True if True in parts else None if None in parts else False


def has(labels: set[Any], operator: str, wanted: tuple[Any, ...]) -> bool:
    if operator == "is_known":
        return True
    return set(wanted) <= labels if operator == "has_all" else bool(set(wanted) & labels)


def compare(value: Any, operator: str, operands: tuple[Any, ...], as_of: int | None = None) -> bool | None:
    if operator in {"is_known", "is_missing"}:
        return (value is None) is (operator == "is_missing")
    if value is None:
        return None
    if operator == "within_last":
        return as_of - operands[0] < value <= as_of
    value, *bounds = map(exact, (value, *operands))
    return {
        "==": lambda: value == bounds[0],
        "!=": lambda: value != bounds[0],
        "<": lambda: value < bounds[0],
        "<=": lambda: value < bounds[0] or value == bounds[0],
        ">": lambda: value > bounds[0],
        ">=": lambda: value > bounds[0] or value == bounds[0],
        "between": lambda: not (value < bounds[0] or value > bounds[1]),
        "isin": lambda: value in bounds,
    }[operator]()


def exact(value: Any) -> Any:
    """A number as a fraction, so that nothing is rounded when it is compared; infinities stay, and so does text."""
    return value if isinstance(value, str) or (isinstance(value, float) and math.isinf(value)) else Fraction(value)


# ── what rows tell ───────────────────────────────────────────────────────────────────────────────────────────────────


def told(fact: Fact, rows: list[dict[str, Any]], as_of: int) -> Any:
    end = as_of - fact.before
    meant = [
        line
        for line in rows
        if (line["kind"] not in NOT_ACTIVITY if fact.kinds is None else line["kind"] in fact.kinds)
        and line["at"] <= end
        and (fact.within is None or line["at"] > end - fact.within)
        and (fact.where is None or row_verdict(fact.where, line) is True)
    ]
    if fact.measure == "count":
        return len(meant)
    if fact.measure == "sum":
        return added([line[fact.column] for line in meant if line[fact.column] is not None])
    if fact.measure == "distinct":
        return len({line[fact.column] for line in meant if line[fact.column] is not None})
    if not meant:
        return None
    instants = sorted(line["at"] for line in meant)
    if fact.measure == "days_since":
        return float(Fraction(as_of - instants[-1], DAY_US))
    return instants[0] if fact.measure == "first" else instants[-1]


def added(numbers: list[Any]) -> Any:
    """Integers exactly; floats from the lowest to the highest, so that the order of rows makes no difference."""
    total: Any = 0
    for number in sorted(numbers):
        total += number
    return None if total != total else total  # noqa: PLR0124  (infinities of both signs have no sum)


def row_verdict(tree: Tree, line: dict[str, Any]) -> bool | None:
    if len(tree) == 2:
        return combine(tree[0], [row_verdict(part, line) for part in tree[1]])
    column, operator, operands = tree
    return compare(line[column], operator, operands)


# ── the same in the library's words ──────────────────────────────────────────────────────────────────────────────────


def rule_of(tree: Tree) -> r.Rule:
    """The rule that a tree stands for, put together as a caller would."""
    head = tree[0]
    if head == "segment":
        return r.in_segment(tree[1])
    if head == "test":
        return asked(term_of(tree[1]), tree[2], tree[3], is_instant=is_instant(tree[1]))
    parts = [rule_of(part) for part in tree[1]]
    if head == "not":
        return ~parts[0]
    return joined(head, parts)


def joined(head: str, parts: list[Any]) -> Any:
    if not parts or len(parts) > 2:
        return (r.all_of if head == "and" else r.any_of)(*parts)
    first = parts[0]
    for part in parts[1:]:
        first = first & part if head == "and" else first | part
    return first


def is_instant(source: Any) -> bool:
    return source[1] == "joined" if source[0] == "field" else source.measure in {"first", "last"}


def term_of(source: Any) -> r.Term:
    if not isinstance(source, Fact):
        return r.field(source[1])
    options: dict[str, Any] = {}
    if source.within is not None:
        options["within"] = timedelta(microseconds=source.within)
    if source.before:
        options["before"] = timedelta(microseconds=source.before)
    if source.where is not None:
        options["where"] = condition_of(source.where)
    if source.column is not None:
        return getattr(r, source.measure)(source.column, kinds=source.kinds, **options)
    return getattr(r, source.measure)(source.kinds, **options)


def condition_of(tree: Tree) -> Any:
    if len(tree) == 2:
        first, *others = map(condition_of, tree[1])
        if tree[0] == "not":
            return ~first
        for other in others:
            first = first & other if tree[0] == "and" else first | other
        return first
    return asked(row(tree[0]), tree[1], tree[2], is_instant=False)


def asked(term: Any, operator: str, operands: tuple[Any, ...], *, is_instant: bool) -> Any:
    if operator == "within_last":
        return term.within_last(timedelta(microseconds=operands[0]))
    if is_instant:
        operands = tuple(EPOCH + timedelta(microseconds=us) for us in operands)
    ask = {
        "==": lambda: term == operands[0],
        "!=": lambda: term != operands[0],
        "<": lambda: term < operands[0],
        "<=": lambda: term <= operands[0],
        ">": lambda: term > operands[0],
        ">=": lambda: term >= operands[0],
        "isin": lambda: term.isin(list(operands)),
        "has_all": lambda: term.has_all(*operands),
        "has_any": lambda: term.has_any(*operands),
    }
    return ask[operator]() if operator in ask else getattr(term, operator)(*operands)
