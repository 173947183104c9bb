"""Ordered rules of which the first that selects a member wins: everybody is in exactly one segment."""

from __future__ import annotations

import json
import pickle
import random

import numpy as np
import pendulum
import pytest

import shequn as sq
from shequn.rules import count, did, field, in_segment, never
from shequn.segmentation import Segmentation

NOW = pendulum.datetime(2024, 5, 1)
MONTH = pendulum.duration(days=30)


def at(days):
    return NOW.subtract(days=days)


@pytest.fixture
def log():
    return sq.EventLog.from_columns(
        member=["ann", "bo", "bo", "cy", "dee"],
        kind=["purchase", "post", "post", "purchase", "post"],
        at=[at(1), at(2), at(3), at(60), at(1)],
    )


@pytest.fixture
def roster():
    return sq.Roster.from_columns(member=["ann", "bo", "cy", "dee", "ed"], fields={"age": [30, 40, None, 17, 70]})


@pytest.fixture
def segmentation():
    return Segmentation(
        ("buyers", did("purchase", within=MONTH)),
        ("talkers", count("post", within=MONTH) >= 2),
        ("once bought", did("purchase")),
        default="others",
    )


def test_the_first_rule_that_selects_a_member_wins(segmentation, roster, log):
    assigned = segmentation.assign(roster, log, as_of=NOW)
    assert assigned.labels().tolist() == ["buyers", "talkers", "once bought", "others", "others"]
    assert list(assigned.segments) == ["buyers", "talkers", "once bought", "others"]
    assert assigned.members is roster.members


def test_sizes_name_every_segment_and_add_up(segmentation, roster, log):
    sizes = segmentation.sizes(roster, log, as_of=NOW)
    assert sizes == {"buyers": 1, "talkers": 1, "once bought": 1, "others": 2}
    assert segmentation.sizes(roster.where([False] * 5), log, as_of=NOW) == dict.fromkeys(sizes, 0)


def test_one_member_is_placed_where_the_roster_places_them(segmentation, roster, log):
    assigned = segmentation.assign(roster, log, as_of=NOW).labels().tolist()
    events = list(log.to_events())
    for member, segment in zip(roster.to_members(), assigned, strict=True):
        history = [event for event in events if event.member == member.id]
        assert segmentation.place(member, history, as_of=NOW) == segment


def test_an_explanation_ends_with_the_rule_that_won(segmentation):
    bo = sq.Member(id="bo")
    posts = [sq.Event(member="bo", kind="post", at=at(days)) for days in (1, 2)]
    told = segmentation.explain(bo, posts, as_of=NOW)
    assert [(name, reason.verdict) for name, reason in told.items()] == [("buyers", False), ("talkers", True)]
    assert list(segmentation.explain(bo, [], as_of=NOW)) == ["buyers", "talkers", "once bought"]


def test_a_check_tells_overlaps_gap_and_rules_that_nobody_reaches(roster):
    report = Segmentation(
        ("adults", field("age") >= 18), ("seniors", field("age") >= 65), ("minus", field("age") < 0), default="others"
    ).check(roster)
    assert report.assigned.tolist() == [3, 0, 0, 2]
    assert report.selected.tolist() == [3, 1, 0]
    assert report.taken_before.tolist() == [0, 1, 0]
    assert report.unknown.tolist() == [1, 1, 1]
    assert report.overlaps.tolist() == [[3, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert (report.unreachable, report.empty, report.gap) == (("seniors",), ("minus",), 2)
    assert [row.taken_before for row in report.rows()] == [0, 1, 0, 3]
    assert "1 rule selects only members of earlier segments: seniors" in str(report)
    assert "没有选中任何人：minus" in report.table(lang="zh") + "".join(report._notes("zh"))
    assert report.to_columns()["assigned"].tolist() == [3, 0, 0, 2]


def test_rules_may_name_each_other_and_mean_whom_the_rule_selects(roster, log):
    segmentation = Segmentation(
        ("buyers", did("purchase", within=MONTH)),
        ("known buyers", in_segment("buyers") & field("age").is_known()),
        ("rest", ~in_segment("buyers") & ~in_segment("staff")),
        default="others",
    )
    with pytest.raises(sq.UnknownLabelError, match="'staff'"):
        segmentation.assign(roster, log, as_of=NOW)
    report = segmentation.check(roster, log, as_of=NOW, segments={"staff": field("member") == "ed"})
    assert report.assigned.tolist() == [1, 0, 3, 1]
    assert report.unreachable == ("known buyers",)


def test_rules_in_a_circle_are_refused_with_the_circle(roster):
    circle = Segmentation(("a", in_segment("b")), ("b", never("post") & in_segment("a")), default="c")
    with pytest.raises(sq.InvalidValueError, match="b → a → b"):
        circle.assign(roster)


@pytest.mark.parametrize(
    ("segments", "default", "error", "match"),
    [
        ((("a", did("post")), ("a", did("like"))), "b", sq.InvalidValueError, r"segments\[1\].*no other segment has"),
        ((("a", did("post")),), "a", sq.InvalidValueError, "default"),
        ((("a", True),), "b", sq.InvalidTypeError, r"segments\[0\].*a rule"),
        (("a",), "b", sq.InvalidTypeError, r"segments\[0\].*a pair"),
        ((("", did("post")),), "b", sq.InvalidValueError, r"segments\[0\]"),
        ((), 3, sq.InvalidTypeError, "default"),
    ],
)
def test_what_is_no_segmentation_is_refused(segments, default, error, match):
    with pytest.raises(error, match=match):
        Segmentation(*segments, default=default)


def test_further_segments_may_not_take_a_name_of_its_own(segmentation, roster, log):
    with pytest.raises(sq.InvalidValueError, match="buyers"):
        segmentation.assign(roster, log, as_of=NOW, segments={"buyers": did("post")})


def test_a_field_that_nobody_has_is_refused_before_anything_is_asked(roster):
    with pytest.raises(sq.UnknownLabelError, match="did you mean 'age'"):
        Segmentation(("a", field("aeg") > 1), default="b").assign(roster)


def test_a_segmentation_of_default_alone_puts_everybody_there(roster):
    assert Segmentation(default="all").sizes(roster) == {"all": 5}
    assert Segmentation(default="all").check(roster).assigned.tolist() == [5]


def test_a_document_gives_back_an_equal_segmentation(segmentation):
    document = json.loads(json.dumps(segmentation.to_dict()))
    back = Segmentation.from_dict(document)
    assert back == segmentation
    assert hash(back) == hash(segmentation)
    assert pickle.loads(pickle.dumps(segmentation)) == segmentation  # noqa: S301
    assert repr(back) == "Segmentation(buyers → talkers → once bought → others)"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"default": None}, r"^\$\.default"),
        ({"segments": {}}, r"^\$\.segments: expected a list"),
        ({"segments": [{"name": "a"}]}, r"^\$\.segments\[0\]: expected the keys"),
        ({"segments": [3]}, r"^\$\.segments\[0\]"),
        ({"segments": [{"name": "a", "rule": {"all": [{"count": 3}]}}]}, r"^\$\.segments\[0\]\.rule\.all\[0\]\.count"),
        ({"segments": [{"name": "", "rule": {"all": []}}]}, r"^\$\.segments\[0\]\.name"),
        ({"segments": [{"name": "a", "rule": {"all": []}}] * 2}, r"^\$\.segments\[1\]"),
        ({"schema_version": 2, "segments": [{"name": "a", "rule": {"all": []}}]}, r"^\$\.schema_version"),
        ({"schema_version": 2, "segments": []}, r"^\$\.schema_version"),
        ({"more": 1}, r"^\$: expected no keys but"),
    ],
)
def test_a_bad_document_is_told_by_its_place(segmentation, change, match):
    with pytest.raises(sq.ShequnError, match=match):
        Segmentation.from_dict(segmentation.to_dict() | change)


@pytest.mark.parametrize("seed", range(30))
def test_everybody_is_in_one_segment_and_it_is_the_first_of_the_masks(seed):
    rnd = random.Random(seed)  # noqa: S311
    n = rnd.randrange(1, 30)
    roster = sq.Roster.from_columns(
        member=np.arange(n), fields={"x": [rnd.choice([None, 1, 2, 3]) for _ in range(n)], "y": [rnd.random()] * n}
    )
    rules = [field("x") == rnd.randrange(1, 4), ~(field("x") >= 2), field("y") > rnd.random(), field("x").is_known()]
    chosen = rnd.sample(rules, rnd.randrange(5))
    segmentation = Segmentation(*((str(k), rule) for k, rule in enumerate(chosen)), default="rest")
    masks = np.array([*(rule.mask(roster) for rule in chosen), np.ones(n, dtype=bool)])
    codes = segmentation.assign(roster).codes
    assert codes.tolist() == masks.argmax(axis=0).tolist()
    assert segmentation.check(roster).assigned.tolist() == np.bincount(codes, minlength=len(chosen) + 1).tolist()
    for member, code in zip(roster.to_members(), codes.tolist(), strict=True):
        assert segmentation.place(member) == segmentation.names[code]
