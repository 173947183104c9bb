from __future__ import annotations

import copy
import datetime as dt
import pickle

import attrs
import numpy as np
import pendulum
import pytest

from shequn.campaigns import Challenge, EntryReason, challenge, rank
from shequn.columns import EventLog
from shequn.entities import Reward
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.values import Money, Window

DAY = Window(start=pendulum.datetime(1970, 1, 1), end=pendulum.datetime(1970, 1, 2))
CREAM = Reward(kind="prize", cost=Money.of(299, "CNY"), name="眼霜")
COUPON = Reward(kind="coupon", cost=Money.of(50, "CNY"))


def entries(*rows: tuple[str, float, int]) -> EventLog:
    member, value, at = zip(*rows, strict=True)
    return EventLog.from_columns(member=list(member), kind="post", at=list(at), time_unit="s", value=list(value))


def found(*rows, prizes=(CREAM, COUPON), **asked) -> Challenge:
    return challenge(entries(*rows), window=DAY, prizes=prizes, **asked)


# --- which entries count ---


@pytest.mark.parametrize(
    ("at", "reason"),
    [(0, "counted"), (86_399, "counted"), (86_400, "outside_window"), (-1, "outside_window")],
)
def test_entries_are_taken_in_a_half_open_window(at, reason):
    assert found(("ann", 1, at)).reason(0) == reason


def test_each_row_has_one_reason():
    log = EventLog.from_columns(
        member=["ann", "ann", "bo", "cy", "di", "ed"],
        kind=["post", "post", "post", "post", "post", "like"],
        at=[0, 1, 2, 3, 90_000, 5],
        time_unit="s",
        value=[1.0, 2.0, np.nan, 4.0, 5.0, 6.0],
        extra={"caption": ["#小棕瓶", "#小棕瓶", "#小棕瓶", "晚安", "#小棕瓶", "#小棕瓶"]},
    )
    made = challenge(log, window=DAY, text="caption", keyword="小棕瓶", kinds="post")
    assert [made.reason(row).value for row in range(6)] == [
        "not_best",
        "counted",
        "no_score",
        "no_keyword",
        "outside_window",
        "other_kind",
    ]
    assert made.entries[EntryReason.COUNTED] == 1
    assert str(made).endswith(
        "5 entries; 1 counted; 1 not the member's best; 1 without a score; 1 without the keyword; 1 outside the window"
    )
    assert made.table(lang="zh").splitlines()[-1].startswith("5 条参赛内容；计入 1；非本人最佳 1")


def test_of_equal_entries_of_a_member_the_earliest_counts():
    assert found(("ann", 5, 9), ("ann", 5, 3), ("ann", 4, 1)).row.tolist() == [1]


def test_scores_may_come_as_an_array_and_low_ones_may_be_good():
    log = entries(("ann", 1, 0), ("bo", 2, 1))
    assert list(challenge(log, window=DAY, score=[30, 20], best="lowest").members) == ["bo", "ann"]


# --- who gets what ---


def test_a_tie_across_the_boundary_shares_to_the_cent_and_the_earlier_gets_the_spare():
    made = found(("ann", 5, 2), ("bo", 5, 1), ("cy", 5, 3), ("di", 1, 0), prizes=[CREAM])
    assert list(made.members) == ["bo", "ann", "cy", "di"]
    assert made.rank.tolist() == [1, 1, 1, 4]
    assert made.award.tolist() == [9_967, 9_967, 9_966, 0]
    assert made.cost == made.worst_case == Money.of(299, "CNY")
    assert [row.prize for row in made.rows()] == [None] * 4
    assert "share" in str(made)
    assert "均分" in made.table(lang="zh")


def test_all_of_a_tie_get_the_prize_of_the_best_place_and_places_are_used_up():
    made = found(("ann", 5, 2), ("bo", 5, 1), ("cy", 4, 3), ties="all")
    assert [row.prize for row in made.rows()] == ["眼霜", "眼霜", None]
    assert made.cost == Money.of(598, "CNY")
    assert made.cost > made.worst_case


def test_the_earliest_of_a_tie_comes_first():
    made = found(("ann", 5, 2), ("bo", 5, 1), ("cy", 5, 1), ties="earliest")
    assert list(made.members) == ["bo", "cy", "ann"]
    assert made.rank.tolist() == [1, 2, 3]
    assert [row.prize for row in made.rows()] == ["眼霜", "coupon", None]


def test_a_tie_beyond_the_prizes_gets_nothing_and_one_inside_shares_what_its_places_have():
    made = found(("ann", 9, 0), ("bo", 5, 1), ("cy", 5, 2), ("di", 1, 3), ("ed", 1, 4))
    assert made.award.tolist() == [29_900, 2_500, 2_500, 0, 0]


def test_nobody_and_no_prizes():
    nobody = challenge(EventLog.empty(), window=DAY, score=[], prizes=[CREAM])
    assert (len(nobody), nobody.cost) == (0, Money(0, "CNY"))
    assert "(no rows)" in str(nobody)
    assert "0 entries" in str(nobody)
    without = found(("ann", 5, 2), prizes=())
    assert (without.cost, without.worst_case, without.award.tolist()) == (None, None, [0])
    assert repr(without) == "Challenge(1 member)"
    assert repr(found(("ann", 5, 2))) == "Challenge(1 member, prizes for 299.00 CNY)"


# --- what is refused ---


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ({"ties": "shared"}, InvalidValueError, "ties: expected one of 'share', 'all', 'earliest'"),
        ({"best": "high"}, InvalidValueError, "best: expected one of"),
        ({"keyword": "x"}, InvalidValueError, "text, keyword: expected both, or neither"),
        ({"keyword": " ", "text": "caption"}, InvalidValueError, "keyword: expected at least one character"),
        ({"keyword": 3, "text": "caption"}, InvalidTypeError, "keyword: expected a str"),
        ({"keyword": "x", "text": "caption"}, UnknownLabelError, "text: expected one of the log's columns"),
        ({"score": "kind"}, InvalidTypeError, "score: expected a column of numbers, got 'kind', which holds labels"),
        ({"score": [1, 2]}, MisalignedError, "score: expected one number for each of the 1 rows"),
        ({"window": (0, 1)}, InvalidTypeError, "window: expected a Window"),
        (
            {"prizes": [CREAM, Reward(kind="prize", cost=Money(1, "JPY"))]},
            InvalidValueError,
            "prizes: expected costs in one currency",
        ),
        (
            {"prizes": [Reward(kind="prize", cost=Money(2**62, "CNY"), quantity=2)]},
            InvalidValueError,
            r"prizes: expected a cost below 2\*\*63 minor units",
        ),
    ],
)
def test_what_makes_no_challenge_is_refused(asked, error, told):
    with pytest.raises(error, match=told):
        challenge(entries(("ann", 1, 0)), **({"window": DAY} | asked))


def test_records_that_contradict_themselves_are_refused():
    made = found(("ann", 5, 2), ("bo", 4, 2))
    with pytest.raises(MisalignedError, match="rank: expected one for each of the 2 members"):
        attrs.evolve(made, rank=[1])
    with pytest.raises(MisalignedError, match="codes: expected one entry that counts for each of the 2 members"):
        attrs.evolve(made, codes=[0, 1])
    with pytest.raises(InvalidValueError, match="codes: expected codes of the 6 reasons, got 6"):
        attrs.evolve(made, codes=[0, 6])
    with pytest.raises(InvalidValueError, match="prize: expected integers"):
        attrs.evolve(made, prize=[2, 0])


@pytest.mark.parametrize("again", [lambda one: pickle.loads(pickle.dumps(one)), copy.deepcopy])  # noqa: S301
def test_a_copy_is_read_only(again):
    made = again(found(("ann", 5, 2)))
    assert not made.award.flags.writeable
    assert made.award.tolist() == [29_900]


# --- ranks ---


def test_large_integers_keep_their_order_and_instants_may_be_datetimes():
    assert rank([2**62, 2**62 + 1]).tolist() == [2, 1]
    later, sooner = dt.datetime(2024, 5, 1, 9, tzinfo=dt.UTC), dt.datetime(2024, 5, 1, 8, tzinfo=dt.UTC)
    assert rank([1, 1], at=[later, sooner]).tolist() == [2, 1]
    assert rank([]).dtype == np.int64
    assert rank([3, 3], ties="average").tolist() == [1.5, 1.5]
    assert not rank([1]).flags.writeable


@pytest.mark.parametrize(
    ("scores", "asked", "error", "told"),
    [
        ([1, np.nan], {}, InvalidValueError, r"scores: expected finite numbers, got .*nan.* at row 1"),
        (["a"], {}, InvalidTypeError, "scores: expected numbers"),
        ([1], {"ties": "first"}, InvalidValueError, "ties: expected one of 'min', 'max'"),
        ([1], {"at": [1, 2]}, MisalignedError, "at: expected one instant for each of the 1 rows"),
        ([1], {"at": ["noon"]}, InvalidTypeError, "at: expected"),
    ],
)
def test_what_has_no_rank_is_refused(scores, asked, error, told):
    with pytest.raises(error, match=told):
        rank(scores, **asked)
