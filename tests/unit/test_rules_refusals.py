"""Rules: what is refused while they are written, and what before they are asked."""

from __future__ import annotations

import datetime as dt
import pickle
from decimal import Decimal
from functools import reduce
from operator import and_, or_
from typing import Any

import numpy as np
import pendulum
import pytest

from shequn import rules as r
from shequn.columns import EventLog, Roster, row
from shequn.columns.schema import FieldType, Schema
from shequn.entities import Member
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError
from shequn.labels import Assignment
from shequn.values import Money

NOW = pendulum.datetime(2024, 5, 1)
WEEK = pendulum.duration(days=7)
age, city, tier, joined, interests = map(r.field, ("age", "city", "tier", "joined", "interests"))
ROSTER = Roster.from_columns(
    member=["ann", "bo"],
    fields={
        "age": [30, 17],
        "city": ["上海", "北京"],
        "club": Assignment.from_labels(["ann", "bo"], [3, 1], segments=[3, 1]),
        "tier": Assignment.from_labels(["ann", "bo"], ["gold", "silver"], segments=["silver", "gold"], ordered=True),
    },
    tags={"interests": [{"tea"}, None]},
)
LOG = EventLog.from_columns(member=["ann"], kind="post", at=[NOW])


def refused(ask: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        ask()


# ── while a rule is written ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "ask",
    [
        lambda: (age >= 18) and (city == "上海"),
        lambda: (age >= 18) or (city == "上海"),
        lambda: not (age >= 18),
        lambda: 18 <= age <= 65,
        lambda: bool(r.in_segment("vip")),
        lambda: [1] if r.all_of() else [],
    ],
    ids=["and", "or", "not", "chain", "bool", "if"],
)
def test_and_or_not_and_chained_comparisons_are_refused_with_a_hint(ask):
    refused(
        ask, InvalidTypeError, r"is true or false member by member; combine rules with & \| ~ instead of and, or, not"
    )
    refused(ask, InvalidTypeError, r"`\.between\(low, high\)` instead of a chained comparison")


@pytest.mark.parametrize(
    "ask",
    [
        lambda: age & (city == "上海"),
        lambda: age | age,
        lambda: ~age,
        lambda: True & age,
        lambda: (age >= 18) & True,
        lambda: 1 | (age >= 18),
        lambda: False & (age >= 18),
        lambda: (age >= 18) & city,
        lambda: (age >= 18) & np.array([True]),
        lambda: (age >= 18) | (row("value") > 3),
    ],
    ids=map(str, range(10)),
)
def test_comparisons_without_parentheses_are_refused_with_a_hint(ask):
    refused(ask, InvalidTypeError, r"put each comparison in parentheses: \(field\('age'\) >= 18\) & \(field\('city'\)")


def test_a_term_is_no_rule():
    refused(lambda: bool(age), InvalidTypeError, r"^field\('age'\) is a value and no rule; compare it with something")
    refused(lambda: {age}, TypeError, "unhashable")
    refused(lambda: r.all_of(age), InvalidTypeError, r"^rules: expected a rule, got field\('age'\)")
    refused(lambda: r.any_of([age > 3]), InvalidTypeError, r"^rules: expected a rule, got \[field")


NONSENSE: list[tuple[Any, type[Exception], str]] = [
    (lambda: r.field(""), InvalidValueError, "^field: expected the name of a field, got ''"),
    (lambda: r.field(3), InvalidTypeError, "^field: expected the name of a field, got 3"),
    (lambda: r.in_segment(""), InvalidValueError, "^in_segment: expected the name of a segment"),
    (lambda: r.in_segment(None), InvalidTypeError, "^in_segment: expected the name of a segment"),
    (lambda: r.count([]), InvalidValueError, r"^kinds: expected at least one kind, got \[\]"),
    (lambda: r.count([3]), InvalidTypeError, "^kinds: expected kinds of event as str, got 3"),
    (lambda: r.count(3), InvalidTypeError, "^kinds: expected kinds of event as str, got 3"),
    (lambda: r.sum(""), InvalidValueError, "^column: expected the name of a column"),
    (lambda: r.distinct(3), InvalidTypeError, "^column: expected the name of a column"),
    (lambda: r.did("post", where=age > 3), InvalidTypeError, "^where: expected a condition such as row"),
    (lambda: r.did("post", where=row("value")), InvalidTypeError, "^where: expected a condition such as row"),
    # windows
    (
        lambda: r.did("post", within=dt.timedelta(days=-1)),
        InvalidValueError,
        "^within: expected a duration that is not negative, got .*; a window cannot lie in the future",
    ),
    (
        lambda: r.did("post", before=pendulum.duration(hours=-1)),
        InvalidValueError,
        "^before: expected .*; a window cannot lie in the future",
    ),
    (lambda: r.did("post", within=30), InvalidTypeError, "^within: expected a duration such as pendulum"),
    (lambda: r.did("post", within=pendulum.duration(months=1)), InvalidValueError, "^within: .* without months or"),
    (lambda: r.did("post", within=dt.timedelta(days=500_000)), InvalidValueError, "^within: .* at most 400 years"),
    (lambda: joined.within_last(dt.timedelta(days=-1)), InvalidValueError, "expected a duration that is not negative"),
    (lambda: joined.within_last(7), InvalidTypeError, r"^field\('joined'\): expected a duration"),
    # operands
    (lambda: age >= None, InvalidTypeError, r"^field\('age'\): expected a number to compare with, got None"),
    (lambda: age == None, InvalidTypeError, "expected text or a number to compare with, got None"),  # noqa: E711
    (lambda: age.isin([float("nan")]), InvalidValueError, "expected text or a number to compare with, got nan"),
    (lambda: age >= 2**1025, InvalidValueError, "expected an integer of at most 1024 bits, got 'one of 1026 bits'"),
    (lambda: age >= Decimal("1.5"), InvalidTypeError, "give money in minor units"),
    (lambda: r.sum("value") >= Money(100, "CNY"), InvalidTypeError, "give minor units as an int, as in 10"),
    (lambda: age == [1, 2], InvalidTypeError, r"expected text or a number to compare with, got \[1, 2\]"),
    (lambda: age == city, InvalidTypeError, "is compared with a value, and not with another"),
    (lambda: age.isin(3), InvalidTypeError, r"^field\('age'\)\.isin: expected a collection of labels or numbers"),
    (lambda: age.isin("abc"), InvalidTypeError, r"\.isin: expected a collection of labels or numbers, got 'abc'"),
    (lambda: age.isin([1, "a"]), InvalidTypeError, "expected all text or all numbers, as 1, got 'a'"),
    (lambda: age.isin([1, None]), InvalidTypeError, "expected text or a number to compare with, got None"),
    (lambda: age.isin([NOW]), InvalidTypeError, "labels or numbers; an instant lies `between` two"),
    (lambda: age.between(65, 18), InvalidValueError, r"expected an upper end not below the lower one \(65\), got 18"),
    (lambda: age.between("a", 3), InvalidTypeError, "expected all text or all numbers"),
    (lambda: interests.has(3.5), InvalidTypeError, "expected a label, str or int, got 3.5"),
    (lambda: interests.has(None), InvalidTypeError, "expected a label, str or int, got None"),
    (interests.has_any, InvalidValueError, "expected at least one label to ask 'has_any' of"),
    (lambda: interests.has_all("a", 3), InvalidTypeError, "expected all text or all integers, as 'a', got 3"),
    # instants
    (lambda: joined >= dt.datetime(2024, 5, 1), InvalidValueError, "aware"),  # noqa: DTZ001
    (
        lambda: joined >= dt.date(2024, 5, 1),
        InvalidTypeError,
        r"expected an aware datetime, as field\('joined'\) is an i",
    ),
    (lambda: joined >= "2024-05-01", InvalidTypeError, "expected an aware datetime"),
    (lambda: joined.between(NOW, 3), InvalidTypeError, "expected an aware datetime, as .* is an instant, got 3"),
    (lambda: joined.between(NOW, NOW.subtract(days=1)), InvalidValueError, "expected an upper end not below the lower"),
    (lambda: joined.isin([NOW]), InvalidTypeError, "labels or numbers; an instant lies `between` two"),
    (lambda: joined.isin([]), InvalidTypeError, "labels or numbers; an instant lies `between` two"),
    (lambda: r.first("post") == 3, InvalidTypeError, r"expected an aware datetime, as first\('post'\) is an instant"),
    # the wrong sort
    (lambda: r.count("post") >= NOW, InvalidTypeError, r"expected a number to compare count\('post'\) with"),
    (
        lambda: r.count("post") == "three",
        InvalidTypeError,
        r"expected a number to compare count\('post'\) with, got 'th",
    ),
    (
        lambda: r.count("post") >= "three",
        InvalidTypeError,
        r"expected a number to compare count\('post'\) with, got 'th",
    ),
    (
        lambda: r.count("post").has("a"),
        InvalidTypeError,
        r"^count\('post'\): expected a set of labels to ask 'has_all'",
    ),
    (
        lambda: r.count("post").within_last(WEEK),
        InvalidTypeError,
        "expected an instant to ask 'within_last' of, got 'a n",
    ),
    (
        lambda: r.field("member").within_last(WEEK),
        InvalidTypeError,
        "expected an instant to ask 'within_last' of, got 'a l",
    ),
    (lambda: r.field("member") == NOW, InvalidTypeError, r"expected a label to compare field\('member'\) with"),
    (lambda: joined.has("a"), InvalidTypeError, "expected a set of labels to ask 'has_all' of, got 'a instant'"),
]


@pytest.mark.parametrize(("ask", "error", "text"), NONSENSE, ids=[f"{place}" for place in range(len(NONSENSE))])
def test_what_makes_no_sense_is_refused_at_once(ask, error, text):
    refused(ask, error, text)


def test_rules_nest_64_levels_deep():
    def nested(levels: int) -> r.Rule:
        rule = age == 0
        for level in range(1, levels):
            rule = rule & (age != level) if level % 2 else rule | (age == level)
        return rule

    deepest = nested(64)
    assert r.Rule.from_dict(deepest.to_dict()) == deepest
    refused(lambda: nested(65), InvalidValueError, "^rule: expected at most 64 levels of nesting, got 65")
    refused(lambda: ~deepest, InvalidValueError, "^rule: expected at most 64 levels of nesting, got 65")
    assert ~~nested(63) == nested(63)


def test_building_10_000_levels_deep_ends_in_an_error():
    def deeper(rule: r.Rule, n: int) -> r.Rule:
        return ~(rule & (age != n)) | (city == "x")

    refused(lambda: reduce(deeper, range(10_000), age == 0), InvalidValueError, "at most 64 levels of nesting, got 65")


@pytest.mark.parametrize("joint", [and_, or_])
def test_a_rule_has_at_most_10_000_tests(joint):
    refused(
        lambda: reduce(joint, [age != n for n in range(10_001)]),
        InvalidValueError,
        "^rule: expected at most 10,000 tests, got 10001",
    )
    refused(
        lambda: r.any_of(*[age != 1] * 10_001), InvalidValueError, "^rule: expected at most 10,000 tests, got 10001"
    )
    refused(lambda: r.any_of(*[r.all_of()] * 10_001), InvalidValueError, "^rule: expected at most 10,000 tests")


@pytest.mark.parametrize(("joint", "nothing"), [(and_, r.all_of()), (or_, r.any_of())])
def test_joining_nothing_to_the_largest_rule_leaves_it_as_it_is(joint, nothing):
    largest = reduce(joint, [age != n for n in range(10_000)])
    assert joint(nothing, largest) == joint(largest, nothing) == largest


# ── before a rule is asked ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rule", "error", "text"),
    [
        (
            r.field("aeg") > 3,
            UnknownLabelError,
            "^field: expected one of the known fields .*, got 'aeg'; did you mean 'age'",
        ),
        (r.field("aeg").is_known(), UnknownLabelError, "^field: expected one of the known fields"),
        (
            city >= "上海",
            InvalidTypeError,
            r"^field\('city'\): expected labels with an order to ask '>=' of, got .*ordered=True",
        ),
        (city.between("a", "b"), InvalidTypeError, "expected labels with an order to ask 'between' of"),
        (r.field("member") > "ann", InvalidTypeError, "expected labels with an order to ask '>' of"),
        (city == 3, InvalidTypeError, "expected a label of type str to compare it with, got 3"),
        (city.isin([3, 4]), InvalidTypeError, "expected a label of type str to compare it with, got 3"),
        (r.field("club") == "3", InvalidTypeError, "expected a label of type int to compare it with, got '3'"),
        (r.field("club") == 3.0, InvalidTypeError, "expected a label of type int to compare it with, got 3.0"),
        (r.field("club") == True, InvalidTypeError, "expected a label of type int to compare it with, got True"),  # noqa: E712
        (age == "thirty", InvalidTypeError, r"^field\('age'\): expected a number to compare it with, got 'thirty'"),
        (age >= "thirty", InvalidTypeError, r"^field\('age'\): expected a number to compare it with, got 'thirty'"),
        (age >= NOW, InvalidTypeError, r"^field\('age'\): expected an instant, got 'a number'"),
        (age.within_last(WEEK), InvalidTypeError, r"^field\('age'\): expected an instant, got 'a number'"),
        (
            age.has("a"),
            InvalidTypeError,
            r"^field\('age'\): expected a set of labels to ask 'has_all' of, got 'a number'",
        ),
        (
            interests == "tea",
            InvalidTypeError,
            r"expected a single value to ask '==' of, got 'a tags'; ask `\.has\(label\)`",
        ),
        (
            tier >= "glod",
            InvalidValueError,
            r"expected one of its labels \(silver, gold\) to .*, got 'glod'; did you mean 'gold'",
        ),
        (tier.between("gold", "silver"), InvalidValueError, "expected an upper end not below 'gold', got 'silver'"),
        (r.all_of(~(age > 3) | (city > "a"), age > 1), InvalidTypeError, "expected labels with an order"),
        (
            r.in_segment("vpi"),
            UnknownLabelError,
            r"^in_segment: expected one of segments= \('vip', 'worse'\), got 'vpi'; did",
        ),
        (r.in_segment("worse"), InvalidTypeError, r"^field\('city'\): expected labels with an order"),
    ],
    ids=repr,
)
def test_a_rule_is_checked_before_it_is_asked(rule, error, text):
    segments = {"vip": age > 18, "worse": r.in_segment("vip") & (city > "a")}
    for ask in (
        lambda: rule.check(ROSTER.schema, segments=segments),
        lambda: rule.mask(ROSTER, LOG, as_of=NOW, segments=segments),
        lambda: rule.verdicts(ROSTER, LOG, as_of=NOW, segments=segments),
        lambda: rule.matches(Member(id="ann"), as_of=NOW, schema=ROSTER.schema, segments=segments),
        lambda: rule.explain(Member(id="ann"), as_of=NOW, schema=ROSTER.schema, segments=segments),
    ):
        refused(ask, error, text)


def test_a_rule_that_can_be_asked_passes_the_check():
    rule = (tier >= "gold") & r.in_segment("vip") & interests.has("tea") & (r.field("club") == 3) & r.did("post")
    rule.check(ROSTER.schema, segments={"vip": age > 3})
    rule.check(segments={"vip": age > 3})
    (r.field("aeg") > 3).check()
    labels = Schema(fields={"city": FieldType(sort="label")})
    (city == 3).check(labels)
    refused(lambda: (city > "a").check(labels), InvalidTypeError, "expected labels with an order")


def test_segments_that_name_each_other_in_a_circle_are_refused():
    segments = {
        "a": r.in_segment("b"),
        "b": ~r.in_segment("c"),
        "c": r.in_segment("b") | (age > 3),
        "d": r.in_segment("d"),
    }
    for ask in (
        lambda: r.in_segment("a").check(segments=segments),
        lambda: r.in_segment("a").mask(ROSTER, segments=segments),
        lambda: r.in_segment("a").matches(Member(id=1), segments=segments),
    ):
        refused(
            ask, InvalidValueError, "^segments: expected no circle of segments that name each other, got 'b → c → b'"
        )
    refused(lambda: r.in_segment("d").check(segments=segments), InvalidValueError, "got 'd → d'")
    (age > 3).check(segments=segments)
    longer = {f"s{n}": r.in_segment(f"s{(n + 1) % 5_000}") for n in range(5_000)}
    refused(lambda: r.in_segment("s7").check(segments=longer), InvalidValueError, "got 's7 → s8 → ")


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"segments": None}, UnknownLabelError, "^in_segment: expected a segment given by segments=, got 'vip'"),
        ({"segments": ["vip"]}, InvalidTypeError, "^segments: expected a mapping of name to rule"),
        ({"segments": {"vip": True}}, InvalidTypeError, r"^segments\['vip'\]: expected a rule, got True"),
        ({"segments": {"vip": age}}, InvalidTypeError, r"^segments\['vip'\]: expected a rule, got field"),
    ],
)
def test_segments_are_named_rules(options, error, text):
    refused(lambda: r.in_segment("vip").check(ROSTER.schema, **options), error, text)
    refused(lambda: r.in_segment("vip").mask(ROSTER, **options), error, text)
    refused(lambda: r.in_segment("vip").matches(Member(id=1), **options), error, text)


def test_a_schema_is_one():
    refused(
        lambda: (age > 3).check(ROSTER), InvalidTypeError, "^schema: expected a Schema, see Roster.schema, got Roster"
    )
    copy = pickle.loads(pickle.dumps(ROSTER.schema))  # noqa: S301
    assert copy == ROSTER.schema
    assert list(copy.fields) == ["member", "joined", "age", "city", "club", "tier", "interests"]
    refused(lambda: FieldType(sort="colour"), InvalidValueError, "^sort: expected one of 'number', 'label'")
    refused(lambda: FieldType(sort="label", is_ordered=1), InvalidTypeError, "^is_ordered: expected True or False")


# ── compared with nothing ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("nothing", "error"), [(None, InvalidTypeError), (float("nan"), InvalidValueError)])
def test_whoever_compares_with_nothing_is_told_what_to_ask_instead(nothing, error):
    refused(lambda: age == nothing, error, r"ask `\.is_known\(\)`")
    refused(lambda: r.count("post") >= nothing, error, r"ask `\.is_known\(\)`")
    refused(lambda: row("age") == nothing, error, r"ask `\.is_missing\(\)`")
