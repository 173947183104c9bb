"""Of whom, as of when, and with which facts is a rule asked? Many members as columns, or one as records."""

from __future__ import annotations

import math
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from shequn.columns import EventLog, Roster
from shequn.columns.comparing import INT64, ORDERINGS, Operand, compare_numbers, compare_one, missing
from shequn.columns.condition import value_of
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
    """A roster, a log, and an instant. What several tests need is worked out once, and forgotten with the question."""

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
        """Number of members who are asked about."""
        return len(self.roster)

    def selected(self, name: str) -> BoolArray:
        """Return whom a named segment selects."""
        if name not in self._selected:
            # Those that it names come first, so that a long chain of segments is no deep recursion.
            for needed in in_order([name], self._segments):
                if needed not in self._selected:
                    rule = self._segments[needed]
                    self._selected[needed] = rule._where_true(self, negated=False)  # pyright: ignore[reportPrivateUsage]
        return self._selected[name]

    def test(
        self, source: Source, operator: RuleOperator, operands: tuple[RuleOperand, ...], *, negated: bool
    ) -> BoolArray:
        """Return a new mask of where a test, or its negation, is true."""
        held = self._field(source) if isinstance(source, Field) else self._fact(source)
        if operator == "is_known":
            known = _known(held, self.n_members)
            return ~known if negated else known
        if isinstance(held, Tags):
            return _has(held, operator, cast("tuple[str | int, ...]", operands), negated=negated)
        unequal = negated != (operator == "!=")
        if isinstance(held, Assignment):
            return _labels_true(held, operator, cast("tuple[Operand, ...]", operands), negated=unequal)
        if isinstance(held, Instants):
            true = self._instants_true(held.us, source, operator, operands)
            return (held.us != NO_INSTANT) & ~true if unequal else true
        true = compare_numbers(held, cast("Any", operator), cast("tuple[float, ...]", operands))
        if unequal:
            np.logical_not(true, out=true)
            if held.dtype.kind == "f":
                true &= ~np.isnan(held)
        return true

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
            n = self.n_members
            return Assignment(members=self.roster.members, codes=np.arange(n), segments=self.roster.members)
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


def _known(held: Assignment | NDArray[Any] | Tags | Instants, n: int) -> BoolArray:
    if isinstance(held, Tags):
        return np.ones(n, dtype=np.bool_)
    if isinstance(held, Instants):
        there: BoolArray = held.us != NO_INSTANT
        return there
    known: BoolArray = held.codes >= 0 if isinstance(held, Assignment) else ~missing(held)
    return known


def _has(held: Tags, operator: RuleOperator, labels: tuple[str | int, ...], *, negated: bool) -> BoolArray:
    masks = [held.mask(label) for label in labels]
    combine = np.logical_and if operator == "has_all" else np.logical_or
    true = cast("BoolArray", combine.reduce(masks))
    if negated:
        np.logical_not(true, out=true)
    return true


def _labels_true(
    held: Assignment, operator: RuleOperator, operands: tuple[Operand, ...], *, negated: bool
) -> BoolArray:
    """Look the answer up by label; the last place, to which the code -1 leads, is that of no label."""
    n = len(held.segments)
    true = np.zeros(n + 1, dtype=np.bool_)
    if not n:
        return true.take(held.codes, mode="wrap")
    if operator in ORDERINGS:
        ranks = tuple(held.segments.code(cast("str | int", operand)) for operand in operands)
        true[:n] = compare_numbers(np.arange(n), cast("Any", operator), ranks)
    else:
        for operand in operands:
            if operand in held.segments:
                true[held.segments.code(cast("str | int", operand))] = True
    if negated:
        np.logical_not(true[:n], out=true[:n])
    found: BoolArray = true[held.codes]
    return found


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
