"""Whom does a definition mean? One typed expression, with one meaning for one member and for ten million.

A rule is a value: it can be compared, kept in a set, pickled and written as JSON. Its logic has three values, as in
SQL: what is asked of something unknown is unknown, the negation of unknown is unknown, and unknown selects nobody.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.columns.comparing import joined_truth
from shequn.columns.readonly import frozen
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.rules.asking import Occasion, Situation
from shequn.rules.operands import RuleOperand, RuleOperator, exactly
from shequn.rules.sources import Fact, Field, Source
from shequn.stats._checks import instance

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from shequn._typing import BoolArray
    from shequn.columns import EventLog, Roster
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.schema import Schema
    from shequn.entities import Event, Member
    from shequn.rules.explanation import Explanation

__all__ = ["DEEPEST", "LARGEST", "InSegment", "Joined", "Rule", "Test", "joined", "leaves"]

DEEPEST = 64
LARGEST = 10_000
_IN_PARENTHESES = "; put each comparison in parentheses: (field('age') >= 18) & (field('city') == '上海')"

Joint: TypeAlias = Literal["and", "or", "not"]


class Rule(Doors, ABC):
    """Whom a definition means, as a value: made of `field`, `count` and the other facts, joined by ``&``, ``|``, ``~``.

    Two rules are equal when they are written alike. At most 64 levels may be nested, where a chain of one operator is
    one level however long, and a rule has at most 10,000 tests.

    Notes
    -----
    What is asked of something unknown (a field that is not known of a member, the last purchase of somebody who never
    bought) is unknown, except `is_known`. ``unknown & False`` is false, ``unknown | True`` is true, ``~unknown`` is
    unknown, and only what is true selects. A count of nothing is 0, which is known.

    Rows count that happened at `as_of` or before. A window ``within`` is (as_of − within, as_of], and with ``before``
    (as_of − before − within, as_of − before], so that windows one after the other share no row.

    Examples
    --------
    >>> import pendulum
    >>> import shequn as sq
    >>> r = sq.rules
    >>> rule = (r.field("tier") >= "gold") & ~r.did("purchase", within=pendulum.duration(days=90))
    >>> tiers = sq.Assignment.from_mapping({"ann": "gold", "bo": "silver"}, segments=["silver", "gold"], ordered=True)
    >>> roster = sq.Roster.from_columns(member=["ann", "bo"], fields={"tier": tiers})
    >>> log = sq.EventLog.from_columns(member=["bo"], kind="purchase", at=[0], time_unit="s")
    >>> rule.mask(roster, log, as_of=pendulum.datetime(2024, 5, 1)).tolist()
    [True, False]
    """

    __slots__ = ()

    __array_ufunc__ = None

    # ── many members ─────────────────────────────────────────────────────────────────────────────────────────────────

    def mask(
        self,
        roster: Roster,
        log: EventLog | None = None,
        /,
        *,
        as_of: dt.datetime | None = None,
        segments: Mapping[str, Rule] | None = None,
        unknown_kinds: UnknownKinds = "warn",
    ) -> BoolArray:
        """Return which members of a roster are selected.

        Parameters
        ----------
        roster : Roster
            The members that are asked about, and what is known of them.
        log : EventLog, optional
            Their rows, and maybe those of others; needed where the rule asks about facts.
        as_of : aware datetime, optional
            The instant of the question; needed where the rule asks about facts or about "the last … days".
        segments : mapping of str to Rule, optional
            The rules that `in_segment` names.
        unknown_kinds : {"warn", "ignore", "raise"}
            What to do about a kind that the log does not know.

        Returns
        -------
        ndarray of bool, shape (n_members,)
            In the order of ``roster.members``; read-only.

        Raises
        ------
        UnknownLabelError
            A field, a column or a segment does not exist.
        InvalidTypeError
            A field is compared with another type than its own, or labels without an order are asked for one; the log or
            the instant is needed and was not given. (A field that is known of nobody has no type, and is unknown.)
        InvalidValueError
            Segments name each other in a circle, or a sum of integers does not fit 64 bits.

        Examples
        --------
        >>> import shequn as sq
        >>> roster = sq.Roster.from_columns(member=["ann", "bo", "cy"], fields={"age": [30, 17, None]})
        >>> (sq.rules.field("age") >= 18).mask(roster).tolist()
        [True, False, False]
        """
        situation = Situation.of(roster, log, as_of, segments, unknown_kinds)
        self.check(roster.schema, segments=segments)
        return frozen(situation.where_true(self))

    def verdicts(
        self,
        roster: Roster,
        log: EventLog | None = None,
        /,
        *,
        as_of: dt.datetime | None = None,
        segments: Mapping[str, Rule] | None = None,
        unknown_kinds: UnknownKinds = "warn",
    ) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
        """Return 1 for each member who is selected, 0 for who is not, and -1 where that is unknown, shape (n,).

        Parameters and errors are those of `mask`, which is where this is 1.

        Examples
        --------
        >>> import shequn as sq
        >>> roster = sq.Roster.from_columns(member=["ann", "bo", "cy"], fields={"age": [30, 17, None]})
        >>> (sq.rules.field("age") >= 18).verdicts(roster).tolist()
        [1, 0, -1]
        """
        situation = Situation.of(roster, log, as_of, segments, unknown_kinds)
        self.check(roster.schema, segments=segments)
        told = np.full(len(roster), -1, dtype=np.int8)
        told[situation.where_true(self, negated=True)] = 0
        told[situation.where_true(self)] = 1
        return frozen(told)

    # ── one member ───────────────────────────────────────────────────────────────────────────────────────────────────

    def matches(
        self,
        member: Member,
        history: Iterable[Event] = (),
        /,
        *,
        as_of: dt.datetime | None = None,
        segments: Mapping[str, Rule] | None = None,
        schema: Schema | None = None,
    ) -> bool:
        """Return whether one member is selected: the same as their place in `mask`.

        Parameters
        ----------
        member : Member
        history : iterable of Event
            The member's rows.
        as_of, segments
            As in `mask`.
        schema : Schema, optional
            What is known of members, see `Roster.schema`: needed where labels are asked for their order, and the rule
            is checked against it first. Without it a field that the member does not have is unknown.

        Raises
        ------
        InvalidTypeError, InvalidValueError, UnknownLabelError
            As in `mask`; or an event is of somebody else.

        Examples
        --------
        >>> import pendulum
        >>> import shequn as sq
        >>> now = pendulum.datetime(2024, 5, 1)
        >>> post = sq.Event(member="ann", kind="post", at=now.subtract(days=3))
        >>> (sq.rules.count("post", within=pendulum.duration(days=7)) >= 1).matches(
        ...     sq.Member(id="ann"), [post], as_of=now
        ... )
        True
        """
        return self.verdict(member, history, as_of=as_of, segments=segments, schema=schema) is True

    def verdict(
        self,
        member: Member,
        history: Iterable[Event] = (),
        /,
        *,
        as_of: dt.datetime | None = None,
        segments: Mapping[str, Rule] | None = None,
        schema: Schema | None = None,
    ) -> bool | None:
        """Return whether one member is selected, None where that is unknown; see `matches`.

        Examples
        --------
        >>> import shequn as sq
        >>> (sq.rules.field("age") >= 18).verdict(sq.Member(id="ann")) is None
        True
        """
        occasion = Occasion.of(member, history, as_of, segments, schema)
        self.check(schema, segments=segments)
        return self._truth(occasion)

    def explain(
        self,
        member: Member,
        history: Iterable[Event] = (),
        /,
        *,
        as_of: dt.datetime | None = None,
        segments: Mapping[str, Rule] | None = None,
        schema: Schema | None = None,
    ) -> Explanation:
        """Return why a member is selected or not: each test with the member's value, what was asked, and the verdict.

        Parameters and errors are those of `matches`.

        Examples
        --------
        >>> import shequn as sq
        >>> rule = (sq.rules.field("age") >= 18) & (sq.rules.field("city") == "上海")
        >>> print(rule.explain(sq.Member(id="ann", fields={"age": 30, "city": "北京"})))
        ann: not selected
        what    value  wanted  verdict
        ──────────────────────────────
        all of  –      –       no
          age   30     ≥ 18    yes
          city  北京   = 上海  no
        """
        from shequn.rules.explanation import explained  # noqa: PLC0415  (it knows all kinds of rules)

        occasion = Occasion.of(member, history, as_of, segments, schema)
        self.check(schema, segments=segments)
        return explained(self, occasion)

    # ── the rule itself ──────────────────────────────────────────────────────────────────────────────────────────────

    def check(self, schema: Schema | None = None, /, *, segments: Mapping[str, Rule] | None = None) -> None:
        """Raise unless the rule can be asked: of members of whom that is known, with these named segments.

        Parameters
        ----------
        schema : Schema, optional
            See `Roster.schema`; without it only the segments are checked.
        segments : mapping of str to Rule, optional

        Raises
        ------
        UnknownLabelError
            There is no such field or segment.
        InvalidTypeError
            A field is compared with another type than its own, or labels without an order are asked for one.
        InvalidValueError
            Segments name each other in a circle, or a label whose order is asked for is none of the field's.

        Examples
        --------
        >>> import shequn as sq
        >>> roster = sq.Roster.from_columns(member=["ann"], fields={"city": ["上海"]})
        >>> (sq.rules.field("city") >= "上海").check(roster.schema)
        Traceback (most recent call last):
        ...
        shequn.errors.InvalidTypeError: field('city'): expected labels with an order to ask '>=' of, got ...
        """
        from shequn.rules.checking import check_rule  # noqa: PLC0415  (it knows all kinds of rules)

        check_rule(self, schema, segments)

    def simplify(self) -> Rule:
        """Return a rule with the same verdict on every member, unknown ones included, and no more tests.

        Examples
        --------
        >>> from shequn.rules import field
        >>> ((field("age") >= 18) & ~~(field("age") >= 18)).simplify()
        field('age') >= 18
        """
        from shequn.rules.simplification import simplified  # noqa: PLC0415  (it knows all kinds of rules)

        return simplified(self)

    def fields(self) -> frozenset[str]:
        """Return the names of the fields it asks about.

        Examples
        --------
        >>> from shequn.rules import did, field
        >>> (did("post") | (field("age") >= 18)).fields()
        frozenset({'age'})
        """
        sources = [leaf.source for leaf in leaves(self) if isinstance(leaf, Test)]
        return frozenset(source.name for source in sources if isinstance(source, Field))

    def kinds(self) -> frozenset[str]:
        """Return the kinds of event it names.

        Examples
        --------
        >>> from shequn.rules import did
        >>> did("post").kinds()
        frozenset({'post'})
        """
        facts = [leaf.source for leaf in leaves(self) if isinstance(leaf, Test)]
        return frozenset(kind for fact in facts if isinstance(fact, Fact) for kind in fact.kinds or ())

    def segments(self) -> frozenset[str]:
        """Return the names of the segments it asks about.

        Examples
        --------
        >>> from shequn.rules import in_segment
        >>> (~in_segment("vip")).segments()
        frozenset({'vip'})
        """
        return frozenset(leaf.name for leaf in leaves(self) if isinstance(leaf, InSegment))

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as a document of dicts, lists, text and numbers, ready for JSON; see `from_dict`.

        Examples
        --------
        >>> from shequn.rules import field
        >>> (field("age") >= 18).to_dict()
        {'schema_version': 1, 'rule': {'field': {'name': 'age', 'op': '>=', 'value': 18}}}
        """
        from shequn.rules.documents import written  # noqa: PLC0415  (it knows all kinds of rules)

        return written(self)

    @staticmethod
    def from_dict(document: Mapping[str, Any], /) -> Rule:
        """Return the rule that `to_dict` wrote, equal to the one it was.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            The document is none of a rule, nested deeper than 64 levels, or larger than 10,000 tests or a million
            values; the message says where in it.

        Examples
        --------
        >>> Rule.from_dict({"schema_version": 1, "rule": {"count": {"kinds": ["post"], "op": ">="}}})
        Traceback (most recent call last):
        ...
        shequn.errors.InvalidValueError: $.rule.count: expected the key 'value', got {'kinds': ['post'], 'op': '>='}
        """
        from shequn.rules.documents import read  # noqa: PLC0415  (it knows all kinds of rules)

        return read(document)

    def __and__(self, other: Rule) -> Rule:
        """Return the rule that both hold."""
        return joined("and", (self, _as_rule(other)))

    def __or__(self, other: Rule) -> Rule:
        """Return the rule that one of them holds, or both."""
        return joined("or", (self, _as_rule(other)))

    def __invert__(self) -> Rule:
        """Return the rule that this one is false, which is not where it is unknown."""
        return joined("not", (self,))

    def __rand__(self, other: object) -> NoReturn:
        """Refuse what is no rule."""
        _refuse(other)

    def __ror__(self, other: object) -> NoReturn:
        """Refuse what is no rule."""
        _refuse(other)

    def __bool__(self) -> bool:
        """Refuse: only a member makes it true or false."""
        raise InvalidTypeError(
            f"{self!r} is true or false member by member; combine rules with & | ~ instead of and, or, not, and ask "
            "`.between(low, high)` instead of a chained comparison"
        )

    @abstractmethod
    def _where_true(self, situation: Situation, *, negated: bool) -> BoolArray:
        """Return a new mask of where the rule, or its negation, is true, of the members at hand."""

    @abstractmethod
    def _truth(self, occasion: Occasion) -> bool | None:
        """Return the verdict on one member, None where it is unknown."""


def _as_rule(other: object) -> Rule:
    return other if isinstance(other, Rule) else _refuse(other)


def _refuse(other: object) -> NoReturn:
    raise InvalidTypeError(message("rule", "another rule to combine with", other) + _IN_PARENTHESES)


# ── what a rule is made of ───────────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen(kw_only=True, repr=False)
class Test(Rule):
    """One source, one operator, and operands that were checked."""

    source: Source
    operator: RuleOperator
    operands: tuple[RuleOperand, ...] = attrs.field(eq=exactly)

    def _where_true(self, situation: Situation, *, negated: bool) -> BoolArray:
        return situation.test(self.source, self.operator, self.operands, negated=negated)

    def _truth(self, occasion: Occasion) -> bool | None:
        return occasion.test(self.source, self.operator, self.operands)

    def __repr__(self) -> str:
        """Show the source."""
        shown = [repr(operand) for operand in self.operands]
        if self.operator in {"==", "!=", "<", "<=", ">", ">="}:
            return f"{self.source!r} {self.operator} {shown[0]}"
        inside = ", ".join(shown)
        return f"{self.source!r}.{self.operator}({f'[{inside}]' if self.operator == 'isin' else inside})"


@attrs.frozen(kw_only=True, repr=False)
class InSegment(Rule):
    """Membership in a named segment: whom its rule selects; not whom it passes over for something unknown."""

    name: str

    def _where_true(self, situation: Situation, *, negated: bool) -> BoolArray:
        selected = situation.selected(self.name)
        return ~selected if negated else selected.copy()

    def _truth(self, occasion: Occasion) -> bool:
        return occasion.is_selected(self.name)

    def __repr__(self) -> str:
        """Show the source."""
        return f"in_segment({self.name!r})"


@attrs.frozen(kw_only=True, repr=False)
class Joined(Rule):
    """Rules under one operator, put together by `joined`; of none, "and" means everybody and "or" nobody.

    `depth` counts the levels down to the deepest test, and `size` the tests, of which joining nothing counts as one.
    """

    operator: Joint
    rules: tuple[Rule, ...]
    depth: int = attrs.field(eq=False)
    size: int = attrs.field(eq=False)

    def _where_true(self, situation: Situation, *, negated: bool) -> BoolArray:
        # Negation moves down to the tests (De Morgan), which alone know where the answer is unknown.
        below = negated != (self.operator == "not")
        is_and = (self.operator == "and") is not negated
        if not self.rules:
            return np.full(situation.n_members, is_and, dtype=np.bool_)
        parts = (rule._where_true(situation, negated=below) for rule in self.rules)
        true = next(parts)
        for part in parts:
            if is_and:
                true &= part
            else:
                true |= part
        return true

    def _truth(self, occasion: Occasion) -> bool | None:
        return joined_truth(self.operator, (rule._truth(occasion) for rule in self.rules))

    def __repr__(self) -> str:
        """Show the source."""
        if not self.rules:
            return "all_of()" if self.operator == "and" else "any_of()"
        shown = [_in_parentheses(rule) for rule in self.rules]
        if self.operator == "not":
            return f"~{shown[0]}"
        return f" {'&' if self.operator == 'and' else '|'} ".join(shown)


def _in_parentheses(rule: Rule) -> str:
    """Return the source of a part, in parentheses unless it holds together without."""
    tight = rule.operator == "not" if isinstance(rule, Joined) and rule.rules else repr(rule).endswith(")")
    return repr(rule) if tight else f"({rule!r})"


def joined(operator: Joint, rules: tuple[Rule, ...]) -> Rule:
    """Combine rules; those under the same operator join the others, and two negations are none."""
    flat: list[Rule] = []
    depth, size = 1, 0
    for rule in rules:
        if isinstance(rule, Joined) and rule.operator == operator:
            flat.extend(rule.rules)
            depth, size = max(depth, rule.depth), size + (rule.size if rule.rules else 0)
        else:
            flat.append(rule)
            level, n_tests = (rule.depth, rule.size) if isinstance(rule, Joined) else (1, 1)
            depth, size = max(depth, level + 1), size + n_tests
    if operator == "not" and flat[0] is not rules[0]:
        return flat[0]
    if operator != "not" and len(flat) == 1:
        return flat[0]
    if depth > DEEPEST:
        raise InvalidValueError(message("rule", f"at most {DEEPEST} levels of nesting", depth))
    if size > LARGEST:
        raise InvalidValueError(message("rule", f"at most {LARGEST:,} tests", size))
    return Joined(operator=operator, rules=tuple(flat), depth=depth, size=max(size, 1))


def leaves(rule: Rule) -> Iterator[Test | InSegment]:
    """Yield every test of a rule, in order."""
    if isinstance(rule, Joined):
        for part in rule.rules:
            yield from leaves(part)
    elif isinstance(rule, Test | InSegment):
        yield rule


def require_rule(argument: str, rule: object) -> None:
    """Raise unless something is a rule."""
    instance(argument, rule, Rule, expected="a rule")
