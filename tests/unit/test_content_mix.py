from __future__ import annotations

import json
import math
import pickle
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest

from shequn.content import ContentMix, mix
from shequn.entities import ContentFormat, ContentItem, ContentKind, ContentSubkind, Surface
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.values import Mix

CREATED = datetime(2024, 3, 1, tzinfo=UTC)
K = ContentKind


def items(*kinds, **fields):
    return [ContentItem(id=n, kind=kind, created=CREATED, **fields) for n, kind in enumerate(kinds)]


def test_every_value_of_the_taxonomy_has_a_row_in_its_order():
    for by, taxonomy in {"kind": K, "subkind": ContentSubkind, "format": ContentFormat, "surface": Surface}.items():
        assert mix([], by=by).names == tuple(taxonomy)


def test_shares_and_diversity_are_those_of_the_items():
    made = mix(items(*["informational"] * 6, "interactive", "interactive"))
    assert made.items.tolist() == [6, 0, 2, 0]
    assert made.shares.tolist() == [0.75, 0, 0.25, 0]
    assert (made.hill(0), made.hill(2)) == (2, pytest.approx(1.6))
    assert made.entropy == pytest.approx(math.log(made.hill(1)))
    assert made.mix == Mix({"informational": 0.75, "interactive": 0.25, "entertainment": 0, "educational": 0})


def test_items_that_do_not_say_are_counted_apart():
    given = [*items("interactive", format="video"), ContentItem(id=9, kind="interactive", created=CREATED)]
    made = mix(given, by="format")
    assert (made.items.sum(), made.missing) == (1, 1)
    assert "1 item didn't say." in str(made)
    assert "1 条未注明。" in made.table(lang="zh")


def test_an_item_with_two_topics_counts_a_half_for_each():
    tea = ContentItem(id=1, kind="educational", created=CREATED, topics={"tea", "cups"})
    cups = ContentItem(id=2, kind="educational", created=CREATED, topics={"cups"})
    made = mix([tea, cups], by="topic", target={"cakes": 0.5, "tea": 0.5})
    assert made.names == ("cakes", "cups", "tea")
    assert made.items.tolist() == [0, 2, 1]
    assert made.shares.tolist() == [0, 0.75, 0.25]
    assert made.next_due == "cakes"


def test_weights_count_readers_instead_of_items():
    made = mix(items("informational", "interactive"), weights=[30, 10], target={"interactive": 1})
    assert made.shares.tolist() == [0.75, 0, 0.25, 0]
    assert made.unit == 20
    assert made.items.tolist() == [1, 0, 1, 0]
    assert "weight" in str(made)
    assert "weight" not in str(mix(items("informational")))


def test_the_next_due_is_the_largest_deficit():
    target = {"informational": 0.4, "entertainment": 0.2, "interactive": 0.3, "educational": 0.1}
    made = ContentMix.from_counts(
        {"informational": 4, "entertainment": 2, "interactive": 3, "educational": 1}, target=target
    )
    assert made.distance == 0
    assert made.next_due is K.INFORMATIONAL
    assert made.plan_next(10) == (
        K.INFORMATIONAL, K.INTERACTIVE, K.ENTERTAINMENT, K.INFORMATIONAL, K.INTERACTIVE,
        K.EDUCATIONAL, K.INFORMATIONAL, K.ENTERTAINMENT, K.INTERACTIVE, K.INFORMATIONAL,
    )  # fmt: skip


def test_what_is_equally_due_goes_in_the_order_of_the_taxonomy():
    thirds = dict.fromkeys(("informational", "entertainment", "interactive"), 1 / 3)
    assert mix([], target=thirds).plan_next(3) == (K.INFORMATIONAL, K.ENTERTAINMENT, K.INTERACTIVE)
    tenths = {"informational": 0.3, "entertainment": 0.1 + 0.2, "interactive": 0.4}
    assert mix([], target=tenths).plan_next(2) == (K.INTERACTIVE, K.INFORMATIONAL)


def test_the_best_four_items_are_not_the_next_best_one_four_times():
    target = Mix.of({"entertainment": 1, "interactive": 3, "educational": 3})
    made = ContentMix.from_counts({}, target=target)
    together = ContentMix.from_counts(Counter(made.plan_next(4)), target=target)
    one_by_one: Counter[ContentKind] = Counter()
    for _ in range(4):
        one_by_one[ContentMix.from_counts(one_by_one, target=target).next_due] += 1
    assert together.items.tolist() == [0, 0, 2, 2]
    assert together.distance == pytest.approx(1 / 7)
    assert ContentMix.from_counts(one_by_one, target=target).distance == pytest.approx(5 / 28)


def test_without_a_target_nothing_is_due_and_no_gap_is_told():
    made = mix(items("interactive"))
    assert (made.next_due, made.gap, made.wanted) == (None, None, None)
    assert math.isnan(made.distance)
    assert "target" not in str(made)
    with pytest.raises(InvalidValueError, match=r"^target: expected a target, to which the next items lead, got None$"):
        made.plan_next(1)


def test_of_nothing_there_is_no_share_and_yet_a_next_item():
    made = mix([], target={"interactive": 1})
    assert np.isnan(made.shares).all()
    assert math.isnan(made.entropy)
    assert math.isnan(made.hill(1))
    assert math.isnan(made.distance)
    assert made.mix is None
    assert made.plan_next(0) == ()
    assert made.next_due is K.INTERACTIVE
    assert "Distance to the target: –; due next: interactive." in str(made)
    assert len(mix([], by="topic")) == 0
    with pytest.raises(InvalidValueError, match=r"^q: expected a finite number of 0 or more"):
        made.hill(-1)


def test_the_table_speaks_both_languages():
    made = mix(items("informational", "interactive", "interactive"), target={"信息性": 0.5, "互动性": 0.5})
    assert made.table(lang="zh").splitlines() == [
        "类型    条数   占比   目标    差距",
        "──────────────────────────────────",
        "信息性     1  33.3%  50.0%  -16.7%",
        "娱乐性     0   0.0%   0.0%    0.0%",
        "互动性     2  66.7%  50.0%   16.7%",
        "教育性     0   0.0%   0.0%    0.0%",
        "有效种类数（Hill 数，0、1、2 阶）：2.00、1.89、1.80。",
        "与目标的距离：16.7%；下一条宜为：信息性。",
    ]
    columns = made.to_columns()
    assert columns["name"].tolist() == ["informational", "entertainment", "interactive", "educational"]
    assert columns["gap"] == pytest.approx([-1 / 6, 0, 1 / 6, 0])
    json.dumps(made.to_dict(), allow_nan=False)
    assert made.last()._asdict() == {
        "name": "educational", "items": 0, "weight": 0.0, "share": 0.0, "target": 0.0, "gap": 0.0
    }  # fmt: skip


def test_counts_from_elsewhere_say_the_same_as_the_items():
    counted = ContentMix.from_counts({"互动性": 2, "informational": 1}, target={"interactive": 1})
    listed = mix(items("informational", "interactive", "interactive"), target={"interactive": 1})
    assert str(counted) == str(listed)
    assert repr(counted) == repr(listed) == "ContentMix(3 items by kind, 2 of 4 kinds)"


def test_a_pickled_mix_says_the_same():
    made = mix(items("interactive"), target={"interactive": 1})
    assert str(pickle.loads(pickle.dumps(made))) == str(made)  # noqa: S301


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"by": "kinds"}, InvalidValueError, r"^by: expected one of 'kind', .*did you mean 'kind'"),
        (
            {"target": {"serious": 1}},
            UnknownLabelError,
            r"^target: expected code, zh or en of one of the 4 ContentKind",
        ),
        ({"target": {"互动性": 0.5, "interactive": 0.5}}, InvalidValueError, r"^target: expected each kind once"),
        ({"target": {"interactive": 0.9}}, InvalidValueError, r"^shares: expected shares that sum to 1, got 0.9$"),
        ({"target": 3}, InvalidTypeError, r"^shares: expected a mapping of kind to share"),
        ({"weights": [1]}, MisalignedError, r"^weights: expected one for each of the 2 items, got 'an array of shape"),
        ({"weights": [1, -1]}, InvalidValueError, r"^weights: expected .*, got -1 at row 1"),
        ({"by": "topic", "target": {1: 1.0}}, InvalidTypeError, r"^items: expected topics, those of the target"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, error, says):
    with pytest.raises(error, match=says):
        mix(items("interactive", "interactive", topics=["tea"]), **options)


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        (["interactive"], InvalidTypeError, r"^items: expected ContentItem records, got 'interactive' at row 0$"),
        (items("interactive") * 2, InvalidValueError, r"^items: expected each item once, got 0 at row 1$"),
        (3, InvalidTypeError, r"^items: expected ContentItem records, got 3$"),
    ],
)
def test_items_that_are_none_are_refused(given, error, says):
    with pytest.raises(error, match=says):
        mix(given)


@pytest.mark.parametrize("n", [-1, 100_001])
def test_a_plan_has_a_number_of_items(n):
    with pytest.raises(InvalidValueError, match=r"^n: expected a number of items from 0 to 100,000"):
        mix([], target={"interactive": 1}).plan_next(n)


@pytest.mark.parametrize(
    ("counts", "error", "says"),
    [
        ({"互动性": 1, "interactive": 1}, InvalidValueError, r"^counts: expected each kind once, got 'interactive'$"),
        ({"interactive": 1.5}, InvalidTypeError, r"^counts\['interactive'\]: expected an integer, got 1.5$"),
        ({"interactive": -1}, InvalidValueError, r"^counts: expected integers in \[0"),
        ({"serious": 1}, UnknownLabelError, r"^counts: expected code"),
        ([1], InvalidTypeError, r"^counts: expected a mapping"),
    ],
)
def test_counts_that_are_none_are_refused(counts, error, says):
    with pytest.raises(error, match=says):
        ContentMix.from_counts(counts)


def test_a_target_names_what_is_counted_by():
    with pytest.raises(InvalidValueError, match=r"^target: expected the names that are counted by, got 'b'$"):
        ContentMix(by="topic", names=("a",), items=[1], weight=[1.0], target=Mix({"b": 1}))
