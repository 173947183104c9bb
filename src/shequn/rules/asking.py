"""Of whom, as of when, and with which facts is a rule asked? Many members as columns, or one as records."""

from __future__ import annotations

import math
from copy import copy
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from shequn.columns import EventLog, Roster
from shequn.columns.comparing import INT64, ORDERINGS, Operand, compare_numbers, compare_one, missing, typed
from shequn.columns.condition import value_of
from shequn.columns.halves import in_halves
from shequn.columns.membership import NO_INSTANT
from shequn.columns.tags import Tags
from shequn.entities import Event, Member
from shequn.entities.taxonomies import PASSIVE_KINDS
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.labels import Assignment
from shequn.labels.encode import is_null
from shequn.rules.facts import US_PER_DAY, Facts
from shequn.rules.named import in_order
from shequn.rules.operands import TAGS_ONLY, Instant, RuleOperand, RuleOperator, Span
from shequn.rules.sources import Fact, Field, Source
from shequn.stats._checks import instance, items_of, plain
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.schema import Schema
    from shequn.labels import Index, Label
    from shequn.rules.rule import Rule

__all__ = ["Occasion", "Situation"]

_BLOCK = 1 << 18  # members whose masks are made and put together in a cache
_FEW = 3  # labels that are compared one after the other, each in a tenth of the time that looking codes up takes


def _as_of_us(as_of: dt.datetime | None) -> int | None:
    return None if as_of is None else instant_us(as_of, argument="as_of")


def _needed_as_of(as_of_us: int | None, source: Source) -> int:
    if as_of_us is None:
        raise InvalidTypeError(message("as_of", f"an aware datetime, as {source!r} depends on the instant", None))
    return as_of_us


# ── many members ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Instants(NamedTuple):
    """Instants as microseconds UTC, `NO_INSTANT` where there is none."""

    us: NDArray[np.int64]


class Situation:
    """A roster, a log, and an instant. What several tests need is worked out once, and forgotten with the question.

    A rule is asked of some members after the others (`where_true`), and its tests of those at hand.
    """

    def __init__(
        self,
        roster: Roster,
        log: EventLog | None,
        as_of_us: int | None,
        segments: Mapping[str, Rule],
        unknown_kinds: UnknownKinds,
    ) -> None:
        self.roster: Roster = roster
        self.log: EventLog | None = log
        self.as_of_us: int | None = as_of_us
        self._segments = segments
        self._facts = None if log is None else Facts(log, unknown_kinds)
        self._told: dict[Fact, NDArray[Any] | Instants] = {}
        self._selected: dict[str, BoolArray] = {}
        self._places: IntArray | None = None
        self._names: Assignment | None = None
        self._whole: dict[tuple[object, ...], BoolArray] = {}
        self._rows = slice(0, len(roster))

    @classmethod
    def of(
        cls,
        roster: Roster,
        log: EventLog | None,
        as_of: dt.datetime | None,
        segments: Mapping[str, Rule] | None,
        unknown_kinds: UnknownKinds,
    ) -> Situation:
        """Check what a caller gave."""
        instance("roster", roster, Roster, expected="a Roster")
        if log is not None:
            instance("log", log, EventLog, expected="an EventLog")
        return cls(roster, log, _as_of_us(as_of), segments or {}, unknown_kinds)

    @property
    def n_members(self) -> int:
        """Number of members at hand."""
        return self._rows.stop - self._rows.start

    def where_true(self, rule: Rule, *, negated: bool = False) -> BoolArray:
        """Return a new mask of where a rule, or its negation, is true, of all members."""
        n, asked = len(self.roster), self._rows
        true = np.empty(n, dtype=np.bool_)
        # What several tests need is worked out with the first members, and only read with the others.
        first = min(n, _BLOCK)
        self._rows = slice(0, first)
        true[:first] = rule._where_true(self, negated=negated)  # pyright: ignore[reportPrivateUsage]

        def of_others(numbers: range) -> None:
            part = copy(self)
            for start in range(first + numbers.start, first + numbers.stop, _BLOCK):
                part._rows = slice(start, min(start + _BLOCK, first + numbers.stop))
                true[part._rows] = rule._where_true(part, negated=negated)  # pyright: ignore[reportPrivateUsage]

        in_halves(n - first, of_others)
        self._rows = asked
        return true

    def selected(self, name: str) -> BoolArray:
        """Return whom of those at hand a named segment selects."""
        if name not in self._selected:
            # Those that it names come first, so that a long chain of segments is no deep recursion.
            for needed in in_order([name], self._segments):
                if needed not in self._selected:
                    self._selected[needed] = self.where_true(self._segments[needed])
        return self._selected[name][self._rows]

    def test(
        self, source: Source, operator: RuleOperator, operands: tuple[RuleOperand, ...], *, negated: bool
    ) -> BoolArray:
        """Return a new mask of where a test, or its negation, is true."""
        held = self._field(source) if isinstance(source, Field) else self._fact(source)
        if isinstance(held, Tags):
            if operator == "is_known":
                return np.full(self.n_members, not negated, dtype=np.bool_)
            true = self._has(held, source, operator, cast("tuple[str | int, ...]", operands))
            return ~true if negated else true.copy()
        if operator == "is_known":
            known = _known(held, self._rows)
            return ~known if negated else known
        unequal = negated != (operator == "!=")
        if isinstance(held, Assignment):
            return self._labels_true(held, source, operator, cast("tuple[Operand, ...]", operands), negated=unequal)
        if isinstance(held, Instants):
            us = held.us[self._rows]
            true = self._instants_true(us, source, operator, operands)
            return (us != NO_INSTANT) & ~true if unequal else true
        held = held[self._rows]
        true = compare_numbers(held, cast("Any", operator), cast("tuple[float, ...]", operands))
        if unequal:
            np.logical_not(true, out=true)
            if held.dtype.kind == "f":
                true &= ~np.isnan(held)
        return true

    def _has(self, held: Tags, source: Source, operator: RuleOperator, labels: tuple[str | int, ...]) -> BoolArray:
        asked = (source, operator, typed(labels))
        if asked not in self._whole:
            combine = np.logical_and if operator == "has_all" else np.logical_or
            self._whole[asked] = cast("BoolArray", combine.reduce([held.mask(label) for label in labels]))
        return self._whole[asked][self._rows]

    def _labels_true(
        self, held: Assignment, source: Source, operator: RuleOperator, operands: tuple[Operand, ...], *, negated: bool
    ) -> BoolArray:
        codes = held.codes[self._rows]
        if operator not in ORDERINGS and len(operands) <= _FEW:
            meant = [held.segments.code(cast("str | int", label)) for label in operands if label in held.segments]
            true: BoolArray = codes == meant[0] if meant else np.zeros(len(codes), dtype=np.bool_)
            for code in meant[1:]:
                true |= codes == code
            if negated:
                np.logical_not(true, out=true)
                true &= codes >= 0
            return true
        asked = (source, operator, typed(operands), negated)
        if asked not in self._whole:
            self._whole[asked] = _labels_meant(held.segments, operator, operands, negated=negated)
        # The code of no label is -1, which wraps around to the last place.
        return self._whole[asked].take(codes, mode="wrap")

    def _instants_true(
        self, us: NDArray[np.int64], source: Source, operator: RuleOperator, operands: tuple[RuleOperand, ...]
    ) -> BoolArray:
        if operator == "within_last":
            until = _needed_as_of(self.as_of_us, source)
            true: BoolArray = us > until - cast("Span", operands[0]).us
            true &= us <= until
        else:
            bounds = tuple(cast("Instant", operand).us for operand in operands)
            true = compare_numbers(us, cast("Any", operator), bounds)
        true &= us != NO_INSTANT
        return true

    def _field(self, field: Field) -> Assignment | NDArray[Any] | Tags | Instants:
        if field.name == "joined":
            return Instants(self.roster.joined_us)
        if field.name == "member":
            if self._names is None:
                names = self.roster.members
                self._names = Assignment(members=names, codes=np.arange(len(names)), segments=names)
            return self._names
        if field.name in self.roster.tags:
            return self.roster.tags[field.name]
        return self.roster.field(field.name)

    def _fact(self, fact: Fact) -> NDArray[Any] | Instants:
        if self._facts is None:
            raise InvalidTypeError(message("log", f"an EventLog, as the rule asks about {fact!r}", None))
        if fact not in self._told:
            us = _needed_as_of(self.as_of_us, fact)
            self._told[fact] = self._of_roster(self._facts.told(fact, us), fact)
        return self._told[fact]

    def _of_roster(self, told: NDArray[Any], fact: Fact) -> NDArray[Any] | Instants:
        """Return what is told of the log's members for those of the roster."""
        log = cast("EventLog", self.log)
        if self._places is None and self.roster.members != log.members:
            self._places = log.members.places_of(self.roster.members).astype(np.int64)
        if self._places is not None:
            nothing = {"first": NO_INSTANT, "last": NO_INSTANT, "days_since": np.nan}.get(fact.measure, 0)
            told = np.append(told, told.dtype.type(nothing)).take(self._places)
        return Instants(told) if fact.sort == "instant" else told


def _known(held: Assignment | NDArray[Any] | Instants, rows: slice) -> BoolArray:
    if isinstance(held, Instants):
        there: BoolArray = held.us[rows] != NO_INSTANT
        return there
    known: BoolArray = held.codes[rows] >= 0 if isinstance(held, Assignment) else ~missing(held[rows])
    return known


def _labels_meant(labels: Index, operator: RuleOperator, operands: tuple[Operand, ...], *, negated: bool) -> BoolArray:
    """Return which labels are meant; a last place is that of no label."""
    n = len(labels)
    meant = np.zeros(n + 1, dtype=np.bool_)
    if operator in ORDERINGS and n:
        ranks = tuple(labels.code(cast("str | int", operand)) for operand in operands)
        meant[:n] = compare_numbers(np.arange(n), cast("Any", operator), ranks)
    elif operator not in ORDERINGS:
        for operand in operands:
            if operand in labels:
                meant[labels.code(cast("str | int", operand))] = True
    if negated:
        np.logical_not(meant[:n], out=meant[:n])
    return meant


# ── one member ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Occasion:
    """One member, their history, and an instant."""

    def __init__(
        self,
        member: Member,
        history: tuple[Event, ...],
        as_of_us: int | None,
        segments: Mapping[str, Rule],
        schema: Schema | None,
    ) -> None:
        self.member: Member = member
        self.history: tuple[Event, ...] = history
        self.as_of_us: int | None = as_of_us
        self.schema: Schema | None = schema
        self._segments = segments
        self._held: dict[str, bool] = {}

    @classmethod
    def of(
        cls,
        member: Member,
        history: Iterable[Event],
        as_of: dt.datetime | None,
        segments: Mapping[str, Rule] | None,
        schema: Schema | None,
    ) -> Occasion:
        """Check what a caller gave."""
        instance("member", member, Member, expected="a Member")
        events = items_of("history", history, expected="the member's events")
        for row, event in enumerate(events):
            if not isinstance(event, Event):
                raise InvalidTypeError(message("history", "Event records", event, row=row))
            if event.member != member.id:
                raise InvalidValueError(message("history", f"events of {member.id!r}", event.member, row=row))
        return cls(member, tuple(events), _as_of_us(as_of), segments or {}, schema)

    def is_selected(self, name: str) -> bool:
        """Return whether a named segment selects the member."""
        if name not in self._held:
            for needed in in_order([name], self._segments):
                if needed not in self._held:
                    rule = self._segments[needed]
                    self._held[needed] = rule._truth(self) is True  # pyright: ignore[reportPrivateUsage]
        return self._held[name]

    def test(self, source: Source, operator: RuleOperator, operands: tuple[RuleOperand, ...]) -> bool | None:
        """Return the verdict of a test, None where it is unknown."""
        held = self.value(source)
        if operator == "is_known":
            return held is not None
        if operator in TAGS_ONLY:
            return _has_one(() if held is None else held, source, operator, operands)
        if held is None:
            return None
        if isinstance(held, tuple):
            raise InvalidTypeError(message(repr(source), f"a single value to ask {operator!r} of", held))
        if isinstance(held, Instant):
            return self._instant_true(held, source, operator, operands)
        if any(isinstance(operand, Instant | Span) for operand in operands):
            raise InvalidTypeError(message(repr(source), "an instant", held))
        plain_ones = cast("tuple[Operand, ...]", operands)
        labels = self._ordered_labels(source) if operator in ORDERINGS else None
        if labels is not None:
            ranks = [labels.code(cast("Label", label), argument=repr(source)) for label in (held, *plain_ones)]
            return compare_one(ranks[0], cast("Any", operator), tuple(ranks[1:]))
        for operand in plain_ones:
            if isinstance(operand, str) is not isinstance(held, str):
                raise InvalidTypeError(message(repr(source), f"a value of the type of {operand!r}", held))
        if isinstance(held, str) and operator in ORDERINGS:
            needs = f"schema=roster.schema, which tells the order of labels, to ask {operator!r} of {source!r}"
            raise InvalidTypeError(message("schema", needs, self.schema))
        return compare_one(held, cast("Any", operator), plain_ones)

    def _ordered_labels(self, source: Source) -> Index | None:
        """Return the labels of a field whose order is known."""
        told = self.schema.fields.get(source.name) if self.schema is not None and isinstance(source, Field) else None
        return told.labels if told is not None and told.is_ordered else None

    def _instant_true(
        self, held: Instant, source: Source, operator: RuleOperator, operands: tuple[RuleOperand, ...]
    ) -> bool:
        if operator == "within_last":
            until = _needed_as_of(self.as_of_us, source)
            return until - cast("Span", operands[0]).us < held.us <= until
        bounds = tuple(cast("Instant", operand).us for operand in operands)
        return compare_one(held.us, cast("Any", operator), bounds)

    def value(self, source: Source) -> Operand | tuple[str | int, ...] | Instant | None:
        """Return what a test looks at, None where it is unknown."""
        return self._field(source) if isinstance(source, Field) else self._fact(source)

    def _field(self, field: Field) -> Operand | tuple[str | int, ...] | Instant | None:
        member = self.member
        if field.name == "joined":
            return None if member.joined is None else Instant(instant_us(member.joined))
        if field.name in member.tags:
            return member.tags[field.name]
        if self.schema is not None and self.schema.fields[field.name].sort == "tags":
            return ()
        own = {"member": member.id, "community": member.community, "invited_by": member.invited_by}
        held = plain(own[field.name] if field.name in own else member.fields.get(field.name))
        if isinstance(held, bool):
            return int(held)
        if is_null(held):
            return None
        if not isinstance(held, str | int | float):
            raise InvalidTypeError(message(repr(field), "text or a number", held))
        return held

    def _fact(self, fact: Fact) -> Operand | Instant | None:
        until = _needed_as_of(self.as_of_us, fact) - fact.before_us
        after = None if fact.within_us is None else until - fact.within_us
        rows = [event for event in self.history if self._is_meant(event, fact, after, until)]
        if fact.measure == "count":
            return len(rows)
        if fact.measure in {"sum", "distinct"}:
            values = [value_of(event, cast("str", fact.column)) for event in rows]
            there = [value for value in values if value is not None]
            return len(set(there)) if fact.measure == "distinct" else _added(there, fact)
        if not rows:
            return None
        at_us = (min if fact.measure == "first" else max)(event.at_us for event in rows)
        if fact.measure == "days_since":
            return float(cast("int", self.as_of_us) - at_us) / US_PER_DAY
        return Instant(at_us)

    @staticmethod
    def _is_meant(event: Event, fact: Fact, after: int | None, until: int) -> bool:
        is_of_kind = event.kind not in PASSIVE_KINDS if fact.kinds is None else event.kind in fact.kinds
        if not is_of_kind or event.at_us > until or (after is not None and event.at_us <= after):
            return False
        return fact.where is None or fact.where.holds(event)


def _has_one(held: object, source: Source, operator: RuleOperator, labels: tuple[RuleOperand, ...]) -> bool:
    if not isinstance(held, tuple):
        raise InvalidTypeError(message(repr(source), f"a set of labels to ask {operator!r} of", held))
    has = (label in held for label in labels)
    return all(has) if operator == "has_all" else any(has)


def _added(values: list[Operand], fact: Fact) -> float | None:
    """Return the sum as a column is added up: floats from the lowest to the highest; None where infinities cancel."""
    for value in values:
        if isinstance(value, str):
            raise InvalidTypeError(message(repr(fact), "numbers to add up", value))
    # Not `sum`, which rounds in another way from Python 3.12 on.
    total = reduce(add, sorted(cast("list[float]", values)), 0)
    if isinstance(total, int) and total not in INT64:
        raise InvalidValueError(message(repr(fact), "sums that fit 64 bits with sign", total))
    return None if math.isnan(total) else total
