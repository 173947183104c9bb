"""Rules as values: how they read, how they are written as JSON, made simpler, and explained."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta

import numpy as np
import pendulum
import pytest

from shequn import rules as r
from shequn.columns import row
from shequn.columns.schema import FieldType, Schema
from shequn.entities import Event, Member
from shequn.errors import InvalidTypeError, InvalidValueError, ShequnError

NOW = pendulum.datetime(2024, 5, 1)
age, city, tier, joined, interests = map(r.field, ("age", "city", "tier", "joined", "interests"))
inf = float("inf")

# A rule, how it reads, and what stands in its document.
WRITTEN = [
    (age >= 18, "field('age') >= 18", {"field": {"name": "age", "op": ">=", "value": 18}}),
    (age == True, "field('age') == True", {"field": {"name": "age", "op": "==", "value": True}}),  # noqa: E712
    (age < np.float32(0.5), "field('age') < 0.5", {"field": {"name": "age", "op": "<", "value": 0.5}}),
    (age > -inf, "field('age') > -inf", {"field": {"name": "age", "op": ">", "value": {"float": "-inf"}}}),
    (
        age.between(1, inf),
        "field('age').between(1, inf)",
        {"field": {"name": "age", "op": "between", "value": [1, {"float": "inf"}]}},
    ),
    (
        age.isin([2, 1, 1.0]),
        "field('age').isin([1.0, 1, 2])",
        {"field": {"name": "age", "op": "isin", "value": [1.0, 1, 2]}},
    ),
    (age.is_known(), "field('age').is_known()", {"field": {"name": "age", "op": "is_known"}}),
    (
        interests.has("茶"),
        "field('interests').has_all('茶')",
        {"field": {"name": "interests", "op": "has_all", "value": ["茶"]}},
    ),
    (
        interests.has_any(2, 1),
        "field('interests').has_any(1, 2)",
        {"field": {"name": "interests", "op": "has_any", "value": [1, 2]}},
    ),
    (
        joined.within_last(timedelta(days=1, microseconds=5)),
        "field('joined').within_last(timedelta(days=1, microseconds=5))",
        {"field": {"name": "joined", "op": "within_last", "value": {"days": 1, "microseconds": 5}}},
    ),
    (
        joined < datetime(2024, 5, 1, 8, tzinfo=pendulum.timezone("Asia/Shanghai")),
        "field('joined') < 2024-05-01T00:00:00+00:00",
        {"field": {"name": "joined", "op": "<", "value": {"instant": "2024-05-01T00:00:00+00:00"}}},
    ),
    (r.count() >= 1, "count() >= 1", {"count": {"op": ">=", "value": 1}}),
    (
        r.count({"post", "like"}, within=timedelta(0), before=timedelta(hours=2), where=row("value") > 3) != 2,
        "count({'like', 'post'}, within=timedelta(0), before=timedelta(seconds=7200), where=row('value') > 3) != 2",
        {
            "count": {
                "kinds": ["like", "post"],
                "within": {"seconds": 0},
                "before": {"seconds": 7200},
                "where": {"column": "value", "operator": ">", "operands": [3]},
                "op": "!=",
                "value": 2,
            }
        },
    ),
    (
        r.sum("value", kinds="buy") > 5,
        "sum('value', kinds='buy') > 5",
        {"sum": {"column": "value", "kinds": ["buy"], "op": ">", "value": 5}},
    ),
    (r.distinct("item") == 1, "distinct('item') == 1", {"distinct": {"column": "item", "op": "==", "value": 1}}),
    (
        r.days_since("buy") <= 2.5,
        "days_since('buy') <= 2.5",
        {"days_since": {"kinds": ["buy"], "op": "<=", "value": 2.5}},
    ),
    (r.first("buy").is_known(), "first('buy').is_known()", {"first": {"kinds": ["buy"], "op": "is_known"}}),
    (
        r.last("buy") == NOW,
        "last('buy') == 2024-05-01T00:00:00+00:00",
        {"last": {"kinds": ["buy"], "op": "==", "value": {"instant": "2024-05-01T00:00:00+00:00"}}},
    ),
    (r.in_segment("vip"), "in_segment('vip')", {"segment": "vip"}),
    (~r.in_segment("vip"), "~in_segment('vip')", {"not": {"segment": "vip"}}),
    (r.all_of(), "all_of()", {"all": []}),
    (~r.any_of(), "~any_of()", {"not": {"any": []}}),
    (
        ~(age > 3) & (r.in_segment("a") | r.did("post")),
        "~(field('age') > 3) & (in_segment('a') | (count('post') >= 1))",
        {
            "all": [
                {"not": {"field": {"name": "age", "op": ">", "value": 3}}},
                {"any": [{"segment": "a"}, {"count": {"kinds": ["post"], "op": ">=", "value": 1}}]},
            ]
        },
    ),
]


@pytest.mark.parametrize(("rule", "source", "document"), WRITTEN, ids=[source for _, source, _ in WRITTEN])
def test_a_rule_reads_like_its_source_and_comes_back_from_json(rule, source, document):
    assert repr(rule) == source
    assert rule.to_dict() == {"schema_version": 1, "rule": document}
    text = json.dumps(rule.to_dict(), allow_nan=False)
    assert r.Rule.from_dict(json.loads(text)) == rule
    assert pickle.loads(pickle.dumps(rule)) == rule  # noqa: S301
    assert hash(pickle.loads(pickle.dumps(rule))) == hash(rule)  # noqa: S301


def test_a_number_keeps_its_type():
    assert (age == 1) != (age == 1.0)
    assert (age == 1) != (age == True)  # noqa: E712
    assert (age == 1) == (age == np.int8(1))
    for rule in (age == 1, age == 1.0, age == True):  # noqa: E712
        assert r.Rule.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule


def test_limits_hold_for_documents_too():
    deep: dict[str, object] = {"segment": "a"}
    for level in range(64):
        deep = {"all" if level % 2 else "any": [deep, {"segment": "b"}]}
    with pytest.raises(
        InvalidValueError, match=r"^\$\.rule(\.a(ll|ny)\[0\]){64}: expected at most 64 levels of nesting"
    ):
        r.Rule.from_dict({"schema_version": 1, "rule": deep})
    wide = {"schema_version": 1, "rule": {"any": [{"all": []}] * 10_001}}
    with pytest.raises(InvalidValueError, match=r"^\$\.rule\.any: rule: expected at most 10,000 tests, got 10001"):
        r.Rule.from_dict(wide)


def test_a_document_may_be_written_by_hand():
    document = {
        "schema_version": 1,
        "rule": {"all": [{"any": [{"segment": "a"}]}, {"not": {"not": {"segment": "b"}}}, {"all": [{"segment": "c"}]}]},
    }
    assert r.Rule.from_dict(document) == r.in_segment("a") & r.in_segment("b") & r.in_segment("c")
    document["rule"] = {"last": {"op": ">=", "value": {"instant": "2024-05-01T08:00:00+08:00"}}}
    assert r.Rule.from_dict(document) == (r.last() >= NOW)
    document["rule"] = {"count": {"op": ">=", "value": 1, "kinds": ("b", "a", "b"), "within": {"days": 0}}}
    assert r.Rule.from_dict(document) == r.did({"a", "b"}, within=timedelta(0))


LEAF = {"field": {"name": "age", "op": ">=", "value": 18}}
COUNT = {"op": ">=", "value": 1}


@pytest.mark.parametrize(
    ("rule", "error", "text"),
    [
        (None, InvalidTypeError, r"^\$\.rule: expected a mapping, got None"),
        ([], InvalidTypeError, r"^\$\.rule: expected a mapping, got \[\]"),
        ({}, InvalidValueError, r"^\$\.rule: expected one key, of all, any, not, segment, field, count, .*, got \[\]"),
        (LEAF | {"segment": "a"}, InvalidValueError, r"^\$\.rule: expected one key, .*, got \['field', 'segment'\]"),
        (
            {"feild": {}},
            InvalidValueError,
            r"^\$\.rule: expected one of the keys .*, got 'feild'; did you mean 'field'",
        ),
        ({3: {}}, InvalidTypeError, r"^\$\.rule: expected keys that are text, got 3"),
        ({"all": LEAF}, InvalidTypeError, r"^\$\.rule\.all: expected a list, got"),
        ({"all": "abc"}, InvalidTypeError, r"^\$\.rule\.all: expected a list, got 'abc'"),
        ({"any": [LEAF, 3]}, InvalidTypeError, r"^\$\.rule\.any\[1\]: expected a mapping, got 3"),
        ({"not": [LEAF]}, InvalidTypeError, r"^\$\.rule\.not: expected a mapping"),
        ({"segment": 3}, InvalidTypeError, r"^\$\.rule\.segment: expected the name of a segment, got 3"),
        ({"segment": ""}, InvalidValueError, r"^\$\.rule\.segment: expected the name of a segment, got ''"),
        ({"field": 3}, InvalidTypeError, r"^\$\.rule\.field: expected a mapping"),
        ({"field": {"op": "=="}}, InvalidValueError, r"^\$\.rule\.field: expected the key 'name'"),
        ({"field": {"name": "", "op": "is_known"}}, InvalidValueError, r"^\$\.rule\.field\.name: expected the name"),
        ({"field": {"name": 3, "op": "is_known"}}, InvalidTypeError, r"^\$\.rule\.field\.name: expected the name"),
        ({"field": {"name": "a"}}, InvalidValueError, r"^\$\.rule\.field: expected the key 'op'"),
        (
            {"field": {"name": "a", "op": "=>", "value": 1}},
            InvalidValueError,
            r"^\$\.rule\.field\.op: expected one of '=='",
        ),
        (
            {"field": {"name": "a", "op": None, "value": 1}},
            InvalidTypeError,
            r"^\$\.rule\.field\.op: expected one of '=='",
        ),
        ({"field": {"name": "a", "op": "=="}}, InvalidValueError, r"^\$\.rule\.field: expected the key 'value'"),
        (
            {"field": {"name": "a", "op": "==", "value": None}},
            InvalidTypeError,
            r"^\$\.rule\.field\.value: expected text, a",
        ),
        (
            {"field": {"name": "a", "op": "==", "value": [1]}},
            InvalidTypeError,
            r"^\$\.rule\.field\.value: expected text, a",
        ),
        (
            {"field": {"name": "a", "op": "==", "value": inf - inf}},
            InvalidValueError,
            r"^\$\.rule\.field\.value: .* got nan",
        ),
        (
            {"field": {"name": "a", "op": "==", "value": 10**400}},
            InvalidValueError,
            r"^\$\.rule\.field\.value: .* 1024 bits",
        ),
        (
            {"field": {"name": "a", "op": "==", "value": {"float": "nan"}}},
            InvalidValueError,
            r"^\$\.rule\.field\.value: expec",
        ),
        (
            {"field": {"name": "a", "op": "==", "value": {"instant": "x"}}},
            InvalidValueError,
            r"^\$\.rule\.field\.value\.insta",
        ),
        (
            {"field": {"name": "a", "op": "==", "value": {"instant": 3}}},
            InvalidTypeError,
            r"^\$\.rule\.field\.value\.instant",
        ),
        (
            {"count": {"op": "between", "value": [{"instant": "2024-05-01T00:00:00+00:00"}] * 2}},
            InvalidTypeError,
            r"^\$\.rule\.count\.value\[0\]: expected a number to compare count\(\) with, got",
        ),
        (
            {"field": {"name": "a", "op": "==", "value": {"instant": "2024-05-01T00:00:00"}}},
            InvalidValueError,
            r"^\$\.rule\.field\.value\.instant: expected an instant with its offset",
        ),
        (
            {"field": {"name": "a", "op": "==", "value": {"instant": "1700-05-01T00:00:00+00:00"}}},
            InvalidValueError,
            r"^\$\.rule\.field\.value: expected",
        ),
        (
            {"field": {"name": "a", "op": "is_known", "value": 1}},
            InvalidValueError,
            r"^\$\.rule\.field\.value: expected not",
        ),
        (
            {"field": {"name": "a", "op": "isin", "value": "abc"}},
            InvalidTypeError,
            r"^\$\.rule\.field\.value: expected a list",
        ),
        (
            {"field": {"name": "a", "op": "isin", "value": [1, "a"]}},
            InvalidTypeError,
            r"^\$\.rule\.field\.value\[1\]: expected",
        ),
        (
            {"field": {"name": "a", "op": "between", "value": [1]}},
            InvalidValueError,
            r"^\$\.rule\.field\.value: expected 2 for",
        ),
        (
            {"field": {"name": "a", "op": "between", "value": [2, 1]}},
            InvalidValueError,
            r"^\$\.rule\.field\.value\[1\]: expec",
        ),
        (
            {"field": {"name": "a", "op": "has_any", "value": []}},
            InvalidValueError,
            r"^\$\.rule\.field\.value: expected at l",
        ),
        (
            {"field": {"name": "a", "op": "has_any", "value": [1.5]}},
            InvalidTypeError,
            r"^\$\.rule\.field\.value\[0\]: expec",
        ),
        (
            {"field": {"name": "a", "op": "within_last", "value": 7}},
            InvalidTypeError,
            r"^\$\.rule\.field\.value: expected a m",
        ),
        (
            {"field": {"name": "a", "op": "==", "value": 1, "kinds": []}},
            InvalidValueError,
            r"^\$\.rule\.field: expected no key",
        ),
        (
            {"field": {"name": "joined", "op": "==", "value": 1}},
            InvalidTypeError,
            r"^\$\.rule\.field\.value: expected an aware",
        ),
        (
            {"field": {"name": "joined", "op": "isin", "value": []}},
            InvalidTypeError,
            r"^\$\.rule\.field\.value: expected label",
        ),
        (
            {"count": COUNT | {"column": "a"}},
            InvalidValueError,
            r"^\$\.rule\.count: expected no keys but kinds, within, befo",
        ),
        (
            {"count": COUNT | {"kinds": "post"}},
            InvalidTypeError,
            r"^\$\.rule\.count\.kinds: expected a list, got 'post'",
        ),
        ({"count": COUNT | {"kinds": []}}, InvalidValueError, r"^\$\.rule\.count\.kinds: expected at least one kind"),
        (
            {"count": COUNT | {"kinds": ["a", 3]}},
            InvalidTypeError,
            r"^\$\.rule\.count\.kinds: expected kinds of event as str",
        ),
        ({"count": COUNT | {"within": 30}}, InvalidTypeError, r"^\$\.rule\.count\.within: expected a mapping, got 30"),
        (
            {"count": COUNT | {"within": {}}},
            InvalidValueError,
            r"^\$\.rule\.count\.within: expected a duration in days, sec",
        ),
        (
            {"count": COUNT | {"within": {"weeks": 1}}},
            InvalidValueError,
            r"^\$\.rule\.count\.within: expected no keys but days",
        ),
        (
            {"count": COUNT | {"within": {"days": 1.5}}},
            InvalidTypeError,
            r"^\$\.rule\.count\.within\.days: expected an integer",
        ),
        (
            {"count": COUNT | {"within": {"days": True}}},
            InvalidTypeError,
            r"^\$\.rule\.count\.within\.days: expected an integ",
        ),
        (
            {"count": COUNT | {"within": {"days": -1}}},
            InvalidValueError,
            r"^\$\.rule\.count\.within\.days: expected a number of 0 or more that fits, got -1; a window cannot lie in",
        ),
        (
            {"count": COUNT | {"before": {"days": 200_000}}},
            InvalidValueError,
            r"^\$\.rule\.count\.before: .* at most 400 years",
        ),
        (
            {"count": COUNT | {"before": {"days": 10**99}}},
            InvalidValueError,
            r"^\$\.rule\.count\.before\.days: expected a num",
        ),
        (
            {"count": COUNT | {"where": 3}},
            InvalidTypeError,
            r"^\$\.rule\.count\.where: expected a mapping that stands for a c",
        ),
        (
            {"count": COUNT | {"where": {"operator": "and", "conditions": [3, 4]}}},
            InvalidTypeError,
            r"^\$\.rule\.count\.where\.conditions\[0\]: expected a mapping",
        ),
        (
            {"count": COUNT | {"op": "has_all", "value": ["a"]}},
            InvalidTypeError,
            r"^\$\.rule\.count\.value: expected a set of",
        ),
        (
            {"count": COUNT | {"value": "three"}},
            InvalidTypeError,
            r"^\$\.rule\.count\.value: expected a number to compare",
        ),
        (
            {"count": {"op": "within_last", "value": {"days": 1}}},
            InvalidTypeError,
            r"^\$\.rule\.count: expected an instant to ask 'within_last' of, got 'a number'",
        ),
        ({"sum": COUNT}, InvalidValueError, r"^\$\.rule\.sum: expected the key 'column'"),
        ({"sum": COUNT | {"column": None}}, InvalidTypeError, r"^\$\.rule\.sum\.column: expected the name of a column"),
        (
            {"all": [LEAF, LEAF, {"count": COUNT | {"within": []}}]},
            InvalidTypeError,
            r"^\$\.rule\.all\[2\]\.count\.within: exp",
        ),
    ],
)
def test_a_bad_document_is_refused_with_the_place(rule, error, text):
    with pytest.raises(error, match=text) as told:
        r.Rule.from_dict({"schema_version": 1, "rule": rule})
    assert isinstance(told.value, ShequnError)


@pytest.mark.parametrize(
    ("document", "error", "text"),
    [
        (None, InvalidTypeError, r"^\$: expected a mapping, got None"),
        ("{}", InvalidTypeError, r"^\$: expected a mapping"),
        ({"rule": LEAF}, InvalidValueError, r"^\$: expected the key 'schema_version'"),
        ({"schema_version": 1}, InvalidValueError, r"^\$: expected the key 'rule'"),
        (
            {"schema_version": 2, "rule": LEAF},
            InvalidValueError,
            r"^\$\.schema_version: expected 1, which this library",
        ),
        ({"schema_version": True, "rule": LEAF}, InvalidValueError, r"^\$\.schema_version: expected 1"),
        ({"schema_version": "1", "rule": LEAF}, InvalidValueError, r"^\$\.schema_version: expected 1"),
        (
            {"schema_version": 1, "rule": LEAF, "name": "x"},
            InvalidValueError,
            r"^\$: expected no keys but schema_version, rule",
        ),
    ],
)
def test_a_document_says_of_which_version_it_is(document, error, text):
    with pytest.raises(error, match=text):
        r.Rule.from_dict(document)


# ── what a rule asks about ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_rule_knows_what_it_asks_about():
    rule = (age > 3) & ~(r.did({"post", "like"}) | r.in_segment("vip") | joined.is_known()) & (r.count() > 3)
    assert rule.fields() == {"age", "joined"}
    assert rule.kinds() == {"post", "like"}
    assert rule.segments() == {"vip"}


# ── said more shortly ────────────────────────────────────────────────────────────────────────────────────────────────


posts, buys = r.count("post"), r.count("buy")


@pytest.mark.parametrize(
    ("rule", "simpler"),
    [
        (~(age > 3), age <= 3),
        (~(age == 3), age != 3),
        (~(age != 3), age == 3),
        (~age.isin([1, 2]), ~age.isin([1, 2])),
        (~age.is_known(), ~age.is_known()),
        ((age > 3) & (age > 3), age > 3),
        ((age > 3) & (city == "a") & (age > 3), (age > 3) & (city == "a")),
        ((age > 3) & ((age > 3) | (city == "a")), age > 3),
        ((age > 3) | ((age > 3) & (city == "a")), age > 3),
        (r.any_of(age > 1, city == "a") & r.any_of(city == "a", age > 1, r.did("x")), (age > 1) | (city == "a")),
        ((age > 3) & r.any_of(), r.any_of()),
        ((age > 3) | ~r.any_of(), r.all_of()),
        ((age > 3) & ~r.any_of(), age > 3),
        (~r.all_of(), r.any_of()),
        ((posts > 3) & (posts > 5) & (posts >= 5), posts > 5),
        ((posts > 3) | (posts > 5) | (posts >= 3), posts >= 3),
        ((posts < 3) & (posts <= 5) & (posts <= 3), posts < 3),
        ((posts < 3) | (posts <= 5.5), posts <= 5.5),
        ((posts > 3) & (buys > 5), (posts > 3) & (buys > 5)),
        ((posts > 3) & (posts < 5), (posts > 3) & (posts < 5)),
        # Labels that are integers may have another order than numbers.
        ((age > 3) & (age > 5), (age > 3) & (age > 5)),
        ((city == "a") | (city == "b") | city.isin(["c"]), city.isin(["a", "b", "c"])),
        ((city == "a") | (age == 3), (city == "a") | (age == 3)),
        ((city == "a") & (city == "b"), (city == "a") & (city == "b")),
        ((city == "a") | city.isin([]), (city == "a") | city.isin([])),
        # Not `all_of()`: neither is true of somebody whose age is unknown.
        ((age > 3) | ~(age > 3), (age > 3) | (age <= 3)),
        (r.in_segment("a") | ~~r.in_segment("a"), r.in_segment("a")),
    ],
    ids=repr,
)
def test_a_rule_is_made_simpler(rule, simpler):
    assert rule.simplify() == simpler
    assert simpler.simplify() == simpler


def test_making_the_largest_rules_simpler_takes_no_minutes():
    pairs = [((age == n % 70) | (r.count(f"k{n // 70}") > 3)) for n in range(4_900)]
    assert r.all_of(*pairs).simplify() == r.all_of(*pairs)
    assert r.any_of(*[age == n for n in range(10_000)]).simplify() == age.isin(range(10_000))
    assert r.all_of(*[posts > n for n in range(10_000)]).simplify() == (posts > 9_999)


# ── why ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


SCHEMA = Schema(
    fields={
        "age": FieldType(sort="number"),
        "interests": FieldType(sort="tags"),
        "joined": FieldType(sort="instant"),
    }
)
ANN = Member(id="ann", joined=NOW.subtract(days=2), fields={"age": 30}, tags={"interests": {"tea", "hiking"}})
BUYS = [Event(member="ann", kind="purchase", at=NOW.subtract(days=2, hours=12), value=1_234_500)]


def test_an_explanation_shows_each_test_with_its_value_and_verdict():
    rule = (
        (age.between(18, 65) & joined.within_last(timedelta(days=7)))
        & ~interests.has_any("tea", "chess")
        & (r.sum("value", kinds="purchase", within=timedelta(days=30)) >= 1_000_000)
        & ((r.days_since("post") < 3) | r.in_segment("vip"))
    )
    told = rule.explain(ANN, BUYS, as_of=NOW, schema=SCHEMA, segments={"vip": age > 60})
    assert [line.rstrip() for line in str(told).splitlines()] == [
        "ann: not selected",
        "what                                              value                    wanted              verdict",
        "──────────────────────────────────────────────────────────────────────────────────────────────────────",
        "all of                                            –                        –                   no",
        "  age                                             30                       between 18 and 65   yes",
        "  joined                                          2024-04-29 00:00:00 UTC  in the last 7 days  yes",
        "  not                                             –                        –                   no",
        "    interests                                     {hiking, tea}            one of chess, tea   yes",
        "  sum of value over purchase in the last 30 days  1,234,500                ≥ 1,000,000         yes",
        "  any of                                          –                        –                   unknown",
        "    days since the last post                      –                        < 3                 unknown",
        "    in segment vip                                –                        –                   no",
    ]
    assert told.verdict is False
    assert not told.is_selected
    assert repr(told) == "Explanation('ann': no, 9 lines)"


def test_a_value_near_its_threshold_is_not_rounded_to_it():
    member = Member(id=1, fields={"spent": 999_999.6})
    [reason] = (r.field("spent") >= 1_000_000).explain(member).reasons
    assert (reason.value, reason.wanted, reason.verdict) == ("999,999.6", "≥ 1,000,000", False)


def test_an_explanation_is_told_in_chinese():
    rule = (age >= 18) & ~interests.has("tea") & joined.within_last(timedelta(days=7)) | r.in_segment("vip")
    told = rule.explain(ANN, BUYS, as_of=NOW, segments={"vip": r.never("purchase", within=timedelta(hours=1))})
    assert told.table(lang="zh").splitlines()[0] == "ann：选中"
    assert [(reason.what_zh, reason.wanted_zh) for reason in told.reasons] == [
        ("任一满足", None),
        ("全部满足", None),
        ("age", "≥ 18"),
        ("不满足", None),
        ("interests", "含有 tea"),
        ("joined", "在最近 7 天内"),
        ("属于分群 vip", None),
    ]
    assert [reason.level for reason in told.reasons] == [0, 1, 2, 2, 3, 2, 1]


@pytest.mark.parametrize(
    ("rule", "english", "chinese"),
    [
        (
            r.count("post", within=timedelta(days=1)) != 1,
            "number of post in the last 1 day ≠ 1",
            "最近 1 天 post 次数 ≠ 1",
        ),
        (
            r.count(["a", "b"], before=timedelta(hours=36)) < 1,
            "number of a or b up to 36 hours ago < 1",
            "36 小时前为止 a 或 b 次数 < 1",
        ),
        (
            r.distinct("item", within=timedelta(minutes=5), before=timedelta(seconds=90)).isin([1, 2]),
            "number of different item in activity in 5 minutes up to 90 seconds ago in {1, 2}",
            "90 秒前的 5 分钟内 活跃行为 的不同 item 数 属于 {1、2}",
        ),
        (
            r.first("post", where=row("value") > 3).is_known(),
            "first post where row('value') > 3 known",
            "首次 post（row('value') > 3） 已知",
        ),
        (
            r.last("post", within=timedelta(microseconds=1)) <= datetime(2024, 5, 1, tzinfo=UTC),
            "last post in the last 1 microsecond ≤ 2024-05-01 00:00:00 UTC",
            "最近 1 微秒 最近一次 post ≤ 2024-05-01 00:00:00 UTC",
        ),
        (r.days_since("post") > 2.5, "days since the last post > 2.5", "距上次 post 的天数 > 2.5"),
        (r.sum("value") == 12_000, "sum of value over activity = 12,000", "活跃行为 的 value 合计 = 12,000"),
        (interests.has_all("a", "b"), "interests all of a, b", "interests 全部含有 a、b"),
        (interests.has_any("a"), "interests has a", "interests 含有 a"),
        (age.between(1, 2), "age between 1 and 2", "age 介于 1 与 2 之间"),
    ],
    ids=lambda given: repr(given) if isinstance(given, r.Rule) else given,
)
def test_a_test_is_said_in_words(rule, english, chinese):
    [reason] = rule.explain(ANN, as_of=NOW).reasons
    assert f"{reason.what} {reason.wanted}" == english
    assert f"{reason.what_zh} {reason.wanted_zh}" == chinese


def test_an_explanation_is_a_result_like_any_other():
    told = ((age >= 18) & ~(city == "上海")).explain(ANN)
    assert told.verdict is None
    assert not told.is_selected
    columns = told.to_columns()
    assert columns["level"].tolist() == [0, 1, 1, 2]
    assert columns["verdict"].tolist() == [None, True, None, None]
    assert columns["value"].tolist() == [None, "30", None, None]
    assert json.loads(json.dumps(told.to_dict()))["columns"]["verdict"] == [None, True, None, None]
    assert "<table" in told._repr_html_()
    assert list(told.rows()) == list(told.reasons)
