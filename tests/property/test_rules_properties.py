"""Rules: one meaning for one member and for many, whatever is asked of whom, and no document that does harm."""

from __future__ import annotations

import json
import math
import pickle
from copy import deepcopy
from functools import reduce
from operator import and_
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference.rule_worlds import log_of, named_segments, row_conditions, rules, worlds
from tests.reference.slow_rules import condition_of, row_verdict, rule_of, verdict

from shequn import rules as r
from shequn.errors import ShequnError
from shequn.rules import asking
from shequn.rules.rule import leaves

VERDICTS = {1: True, 0: False, -1: None}
# Several rules of each community, so that a run of the tests sees hundreds and a soak tens of thousands.
some_rules = st.lists(rules, min_size=3, max_size=6)


def verdicts(rule, world, segments, *, roster=None, log=None):
    roster, log = world.roster if roster is None else roster, world.log if log is None else log
    answers = rule.verdicts(roster, log, as_of=world.as_of, segments=segments, unknown_kinds="ignore")
    return [VERDICTS[answer] for answer in answers.tolist()]


# ── one meaning ──────────────────────────────────────────────────────────────────────────────────────────────────────


@given(worlds(), some_rules, named_segments)
def test_a_rule_means_the_same_for_one_member_for_many_and_in_plain_python(world, trees, named):
    segments = {name: rule_of(tree) for name, tree in named.items()}
    members, histories, schema = list(world.roster.to_members()), world.histories(), world.roster.schema
    for tree in trees:
        rule = rule_of(tree)
        expected = [verdict(tree, person, world.as_of_us, named) for person in world.people]
        assert verdicts(rule, world, segments) == expected
        mask = rule.mask(world.roster, world.log, as_of=world.as_of, segments=segments, unknown_kinds="ignore")
        assert mask.dtype == np.bool_
        assert mask.tolist() == [answer is True for answer in expected]
        options = {"as_of": world.as_of, "segments": segments, "schema": schema}
        for member, history, answer in zip(members, histories, expected, strict=True):
            assert rule.verdict(member, history, **options) is answer
            assert rule.matches(member, history, **options) is (answer is True)


@given(worlds(), some_rules, named_segments, st.integers(1, 5), st.sampled_from([0, 3]))
def test_members_asked_some_at_a_time_get_the_same_answers(world, trees, named, at_a_time, few_labels):
    segments = {name: rule_of(tree) for name, tree in named.items()}
    for tree in trees:
        rule = rule_of(tree)
        expected = [verdict(tree, person, world.as_of_us, named) for person in world.people]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asking, "_BLOCK", at_a_time)
            patch.setattr(asking, "_FEW", few_labels)
            patch.setattr("shequn.columns.halves._MANY_ROWS", 2)
            assert verdicts(rule, world, segments) == expected


@given(worlds(), rules, named_segments)
def test_an_explanation_tells_the_verdict_of_each_part(world, tree, named):
    rule, segments = rule_of(tree), {name: rule_of(tree) for name, tree in named.items()}
    for member, history, person in zip(world.roster.to_members(), world.histories(), world.people, strict=True):
        told = rule.explain(member, history, as_of=world.as_of, segments=segments, schema=world.roster.schema)
        assert told.verdict is verdict(tree, person, world.as_of_us, named)
        tests = list(leaves(rule))
        lines = [reason for reason in told.reasons if reason.what not in {"all of", "any of", "not"}]
        assert len(lines) == len(tests)
        for reason, test in zip(lines, tests, strict=True):
            alone = test.verdict(member, history, as_of=world.as_of, segments=segments, schema=world.roster.schema)
            assert reason.verdict is alone
        assert told.table(lang="en")
        assert told.table(lang="zh")


@given(row_conditions(), worlds())
def test_a_condition_holds_of_an_event_where_its_mask_says_so(tree, world):
    condition = condition_of(tree)
    expected = [row_verdict(tree, line) is True for line in world.rows]
    assert condition.mask(world.log).tolist() == expected
    assert [condition.holds(event) for event in world.log.to_events()] == expected


# ── what makes no difference ─────────────────────────────────────────────────────────────────────────────────────────


@given(worlds(), some_rules, named_segments, st.randoms(use_true_random=False))
def test_the_order_of_rows_the_parts_of_a_roster_and_strangers_make_no_difference(world, trees, named, rng):
    segments = {name: rule_of(tree) for name, tree in named.items()}
    n = len(world.roster)
    shuffled = rng.sample(world.rows, len(world.rows))
    strangers = [line | {"member": "zoe" if isinstance(line["member"], str) else 12345} for line in world.rows[:5]]
    crowd = rng.sample(world.rows + strangers, len(world.rows + strangers))
    cut = rng.randint(0, n)
    order = rng.sample(range(n), n)
    for tree in trees:
        rule = rule_of(tree)
        whole = verdicts(rule, world, segments)
        assert verdicts(rule, world, segments, log=log_of(shuffled)) == whole
        assert verdicts(rule, world, segments, log=world.log.sorted()) == whole
        assert verdicts(rule, world, segments, log=log_of(crowd)) == whole
        parts = [world.roster.take(np.arange(cut)), world.roster.take(np.arange(cut, n))]
        assert [one for part in parts for one in verdicts(rule, world, segments, roster=part)] == whole
        assert verdicts(rule, world, segments, roster=world.roster.take(np.array(order, dtype=np.int64))) == [
            whole[place] for place in order
        ]


@given(worlds(), some_rules, named_segments)
def test_a_simpler_rule_has_the_same_verdicts_and_no_more_tests(world, trees, named):
    segments = {name: rule_of(tree) for name, tree in named.items()}
    for tree in trees:
        rule = rule_of(tree)
        simple = rule.simplify()
        assert simple.simplify() == simple
        assert len(list(leaves(simple))) <= len(list(leaves(rule)))
        assert verdicts(simple, world, segments) == verdicts(rule, world, segments)
        # Everything said twice, in another order, is said once.
        twice = (rule | rule) & (rule & r.all_of()) | r.any_of()
        assert len(list(leaves(twice.simplify()))) <= len(list(leaves(rule)))
        assert verdicts(twice.simplify(), world, segments) == verdicts(rule, world, segments)


# ── a rule is a value ────────────────────────────────────────────────────────────────────────────────────────────────


@given(some_rules)
def test_a_rule_comes_back_from_its_document_its_json_and_its_pickle(trees):
    for tree in trees:
        rule = rule_of(tree)
        document = rule.to_dict()
        copies = [
            r.Rule.from_dict(document),
            r.Rule.from_dict(json.loads(json.dumps(document, allow_nan=False))),
            r.Rule.from_dict(json.loads(json.dumps(document, ensure_ascii=False))),
            pickle.loads(pickle.dumps(rule)),  # noqa: S301
            deepcopy(rule),
            rule_of(tree),
        ]
        for copy in copies:
            assert copy == rule
            assert hash(copy) == hash(rule)
            assert repr(copy) == repr(rule)
            assert copy.to_dict() == document
            assert (copy.fields(), copy.kinds(), copy.segments()) == (rule.fields(), rule.kinds(), rule.segments())
        assert len({rule, *copies}) == 1


@given(rules, rules)
def test_rules_are_equal_when_they_are_written_alike(one, other):
    first, second = rule_of(one), rule_of(other)
    assert (first == second) is (first.to_dict() == second.to_dict() and repr(first) == repr(second))


# ── hostile documents ────────────────────────────────────────────────────────────────────────────────────────────────

KEYS = [
    *[
        "schema_version",
        "rule",
        "all",
        "any",
        "not",
        "segment",
        "field",
        "count",
        "sum",
        "distinct",
        "days_since",
        "first",
        "last",
        "name",
        "op",
        "value",
    ],
    *[
        "kinds",
        "within",
        "before",
        "where",
        "column",
        "days",
        "seconds",
        "microseconds",
        "instant",
        "float",
        "operator",
        "operands",
        "conditions",
        "x",
        "$",
    ],
    "",
]
WORDS = [
    *KEYS,
    *[
        "==",
        "!=",
        "<",
        ">=",
        "between",
        "isin",
        "is_known",
        "has_all",
        "has_any",
        "within_last",
        "and",
        "inf",
        "age",
        "2024-05-01",
    ],
    *("2024-05-01T00:00:00+00:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "\ud800"),
]
NUMBERS = [0, 1, -1, 7, 2**62, 2**63, 10**400, -(10**4000), True, 0.5, -0.0, math.nan, math.inf, -math.inf, 1e308]
scalars = st.none() | st.sampled_from(WORDS) | st.sampled_from(NUMBERS) | st.text(max_size=5) | st.binary(max_size=3)
odd_keys = st.sampled_from(KEYS) | st.sampled_from([None, 3, math.nan, ("a",), b"all", True])
junk = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
        | st.dictionaries(odd_keys, inner, max_size=3)
    ),
    max_leaves=25,
)


def read_or_complain(document: Any) -> str | None:
    """What is wrong with a document, None where it is a rule."""
    try:
        rule = r.Rule.from_dict(document)
    except ShequnError as error:
        return str(error)
    assert r.Rule.from_dict(rule.to_dict()) == rule
    return None


def require_place(complaint: str | None) -> None:
    assert complaint is None or complaint.startswith("$")
    if complaint is not None:
        place = complaint.split(": ", 1)[0]
        assert place == place.strip()
        assert "expected" in complaint


@given(junk)
def test_junk_is_refused_with_its_place(document):
    require_place(read_or_complain(document))
    require_place(read_or_complain({"schema_version": 1, "rule": document}))


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """The document of a rule in which something was replaced, left out, renamed, doubled or turned into itself."""
    document = rule_of(draw(rules)).to_dict()
    for _ in range(draw(st.integers(1, 3))):
        holders = containers(document)
        holder = holders[draw(st.integers(0, len(holders) - 1))]
        places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not places:
            continue
        place = places[draw(st.integers(0, len(places) - 1))]
        what = draw(st.sampled_from(["replace", "replace", "delete", "rename", "double", "itself", "wrap"]))
        if what == "replace":
            holder[place] = draw(junk)
        elif what == "delete":
            del holder[place]
        elif what == "rename" and isinstance(holder, dict):
            holder[draw(odd_keys)] = holder.pop(place)
        elif what == "double" and isinstance(holder, list):
            holder.extend([holder[place]] * 2)
        elif what == "itself":
            holder[place] = draw(st.sampled_from([document, holder]))
        elif what == "wrap":
            holder[place] = [holder[place]]
    return document


def containers(document: Any) -> list[Any]:
    """Every dict and list in a document, which may hold itself, each once."""
    found: dict[int, Any] = {}
    waiting = [document]
    while waiting:
        held = waiting.pop()
        if isinstance(held, dict | list) and id(held) not in found:
            found[id(held)] = held
            waiting.extend(held.values() if isinstance(held, dict) else held)
    return list(found.values())


@given(spoiled())
def test_a_spoiled_document_is_read_or_refused_with_its_place(document):
    require_place(read_or_complain(document))


LEAF = {"field": {"name": "age", "op": ">=", "value": 18}}


WRAPS = {
    "not": lambda inner: {"not": inner},
    "all": lambda inner: {"all": [inner]},
    "any": lambda inner: {"any": [LEAF, inner]},
    "list": lambda inner: [inner],
    "whole": lambda inner: {"rule": inner, "schema_version": 1},
    "where": lambda inner: {"count": {"op": ">=", "value": 1, "where": inner}},
    "value": lambda inner: {"count": {"op": ">=", "value": inner}},
    "kinds": lambda inner: {"count": {"op": ">=", "value": 1, "kinds": [inner]}},
    "condition": lambda inner: {"operator": "not", "conditions": [inner]},
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_a_document_10_000_levels_deep_is_refused(wrap):
    deep: Any = LEAF
    for _ in range(10_000):
        deep = wrap(deep)
    places = [deep, {"schema_version": 1, "rule": deep}, {"schema_version": deep, "rule": LEAF}]
    places += [
        {"schema_version": 1, "rule": {"count": {"op": deep, "value": 1}}},
        {"schema_version": 1, "rule": {"count": {"op": ">=", "value": 1, "within": deep}}},
        {"schema_version": 1, "rule": {"count": {"op": ">=", "value": 1, "where": deep}}},
        {"schema_version": 1, "rule": {"segment": deep}},
    ]
    for document in places:
        complaint = read_or_complain(document)
        assert complaint is not None
        require_place(complaint)


@pytest.mark.parametrize("inner", [LEAF, {"all": []}, {"segment": "vip"}], ids=str)
@pytest.mark.parametrize("joint", ["all", "any"])
def test_a_document_that_holds_one_list_again_and_again_is_refused(joint, inner):
    for twice in (lambda one: [one, {"not": one}], lambda one: [one, one]):
        document: Any = inner
        for _ in range(60):
            document = {joint: twice(document)}
        complaint = read_or_complain({"schema_version": 1, "rule": document})
        assert complaint is not None
        require_place(complaint)


def test_a_condition_that_holds_one_list_again_and_again_is_refused():
    condition: Any = {"column": "value", "operator": "is_missing", "operands": []}
    for _ in range(60):
        condition = {"operator": "and", "conditions": [condition, condition]}
    complaint = read_or_complain({"schema_version": 1, "rule": {"count": {"op": ">=", "value": 1, "where": condition}}})
    assert complaint is not None
    require_place(complaint)


def test_a_document_that_is_deep_only_below_a_part_it_shares_is_refused_as_if_written_out():
    once: Any = []
    for _ in range(200):
        once = [once]
    twice = once
    for _ in range(200):
        twice = [twice]
    ladder: list[Any] = [[]]  # each rung is one level, on the one before
    for _ in range(400):
        ladder.append([ladder[-1]])
    for deep, place in (([once, twice], "$.rule[1][0][0]"), (ladder, "$.rule: ")):
        complaint = read_or_complain({"schema_version": 1, "rule": deep})
        assert complaint is not None
        assert complaint.startswith(place)
        assert complaint.endswith("expected at most 64 levels of nesting, got 'more'")


def test_a_document_of_too_many_tests_is_refused_and_one_of_many_is_read():
    most = {"schema_version": 1, "rule": {"any": [LEAF] * 10_000}}
    assert read_or_complain(most) is None
    most["rule"]["any"].append(LEAF)
    assert read_or_complain(most) == "$.rule.any[10000].field: expected at most 10,000 tests in a rule, got 'more'"


HUGE = {
    "list": [0] * 200_000,
    "text": "x" * 1_000_000,
    "dict": {str(place): 0 for place in range(100_000)},
    "integer": 10**5000,
    "lists": [[0]] * 600_000,
}


@pytest.mark.parametrize("value", HUGE.values(), ids=HUGE)
def test_a_huge_value_is_refused_at_once(value):
    for document in (value, {"schema_version": 1, "rule": {"count": {"op": ">=", "value": value}}}):
        complaint = read_or_complain(document)
        assert complaint is not None
        require_place(complaint)
        assert len(complaint) < 1_000


@pytest.mark.parametrize("n", [10_000, 10_001])
def test_a_chain_of_10_000_rules_is_one_level_and_a_longer_one_is_refused(n):
    chain = [r.field("age") >= place for place in range(n)]
    if n > 10_000:
        with pytest.raises(ShequnError, match="rule: expected at most 10,000 tests, got 10001"):
            reduce(and_, chain)
        return
    rule = reduce(and_, chain)
    assert rule.depth == 2
    assert r.Rule.from_dict(rule.to_dict()) == rule
    assert rule.simplify() == rule
    assert pickle.loads(pickle.dumps(rule)) == rule  # noqa: S301
