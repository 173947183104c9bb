"""How many rewards were used, and what may still come: counted as the rows say, and refused where they can't be."""

from __future__ import annotations

import pickle

import pendulum
import pytest
from scipy import stats as scipy_stats

from shequn.campaigns import Redemptions, redemptions
from shequn.columns import EventLog
from shequn.entities import Campaign, Reward
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.values import Money, Window

OPENS = pendulum.datetime(2024, 9, 10, tz="Asia/Shanghai")
ENDS = OPENS.add(days=7)


def campaign(*rewards):
    given = rewards or (
        Reward(kind="coupon", cost=Money(500, "CNY"), quantity=10, name="tea"),
        Reward(kind="gift", cost=Money(19_900, "CNY"), quantity=2, name="box"),
    )
    return Campaign(id="autumn", forms={"lottery"}, window=Window(OPENS, ENDS), rewards=given)


def log_of(*rows):
    member, kind, at, item = zip(*rows, strict=True)
    return EventLog.from_columns(member=member, kind=kind, at=at, item=item)


def test_rows_from_the_start_up_to_the_question_count_each_once():
    us = pendulum.duration(microseconds=1)
    log = log_of(
        ("ann", "redeem", OPENS, "tea"),
        ("ann", "redeem", ENDS.add(days=20), "tea"),
        ("bo", "redeem", ENDS.add(days=20) + us, "tea"),
        ("cy", "redeem", OPENS - us, "tea"),
        ("cy", "purchase", OPENS, "tea"),
        ("dee", "redeem", OPENS, "box"),
        ("dee", "redeem", OPENS, None),
    )
    found = redemptions(log, campaign(), as_of=ENDS.add(days=20), issued={"box": 1})
    assert found.issued.tolist() == [10, 1]
    assert found.redeemed.tolist() == [2, 1]
    assert found.cost == Money(2 * 500 + 19_900, "CNY")
    assert found.liability == Money(8 * 500, "CNY")
    assert found.cost + found.liability == Money(10 * 500 + 19_900, "CNY")
    row = next(iter(found.rows()))
    interval = scipy_stats.binomtest(2, 10).proportion_ci(method="wilson")
    assert (row.rate, row.lower, row.upper) == pytest.approx((0.2, interval.low, interval.high))
    assert (row.cost, row.liability) == (1_000, 4_000)


def test_a_log_without_items_and_a_campaign_without_rewards_say_nothing():
    log = EventLog.from_columns(member=["ann"], kind=["redeem"], at=[OPENS])
    assert redemptions(log, campaign(), as_of=ENDS).redeemed.tolist() == [0, 0]
    bare = redemptions(log, Campaign(id="bare", forms={"lottery"}, window=Window(OPENS, ENDS)), as_of=ENDS)
    assert (len(bare.issued), bare.cost, bare.liability) == (0, None, None)
    assert str(bare)


def test_what_can_not_be_counted_is_refused():
    log = log_of(*[("ann", "redeem", OPENS, "box")] * 3)
    tea = Reward(kind="coupon", cost=Money(500, "CNY"), quantity=10, name="tea")
    nameless = Reward(kind="coupon", cost=Money(500, "CNY"), quantity=10)
    with pytest.raises(
        InvalidValueError, match="redeemed: expected between 0 and the 2 of 'box' that were issued, got 3"
    ):
        redemptions(log, campaign(), as_of=ENDS)
    with pytest.raises(InvalidValueError, match=r"campaign.rewards: expected rewards with a name of their own.*row 1"):
        redemptions(log, campaign(tea, nameless), as_of=ENDS)
    with pytest.raises(InvalidValueError, match=r"campaign.rewards"):
        redemptions(log, campaign(tea, tea), as_of=ENDS)
    with pytest.raises(UnknownLabelError, match="issued: expected names of rewards, got 'teas'"):
        redemptions(log, campaign(), as_of=ENDS, issued={"teas": 3})
    with pytest.raises(InvalidTypeError, match="issued: expected a mapping"):
        redemptions(log, campaign(), as_of=ENDS, issued=3)
    with pytest.raises(InvalidValueError, match="issued: expected a number of rewards of 0 or more, got -1"):
        redemptions(log, campaign(), as_of=ENDS, issued={"tea": -1})
    with pytest.raises(InvalidValueError, match=r"issued: expected a number of rewards below 2\*\*63"):
        redemptions(log, campaign(), as_of=ENDS, issued={"tea": 10**30})
    many = Reward(kind="coupon", cost=Money(1, "CNY"), quantity=10**30, name="box")
    with pytest.raises(InvalidValueError, match=r"issued: expected a number of rewards below 2\*\*63"):
        redemptions(log, campaign(many), as_of=ENDS)
    with pytest.raises(InvalidValueError, match="issued: expected a number of 'box' whose cost fits 64 bits"):
        redemptions(log, campaign(), as_of=ENDS, issued={"box": 10**15})
    with pytest.raises(MisalignedError, match="issued: expected one for each of the 2 rewards"):
        Redemptions(campaign=campaign(), issued=[1], redeemed=[1, 1], as_of_us=0)


def test_the_table_reads_well_in_both_languages_and_survives_a_pickle():
    found = redemptions(log_of(("ann", "redeem", OPENS, "tea")), campaign(), as_of=ENDS)
    assert found.table().splitlines()[2].split() == [
        "tea",
        "coupon",
        "10",
        "1",
        "10.0%",
        "1.8%",
        "40.4%",
        "5.00",
        "45.00",
    ]
    assert found.table(lang="zh").splitlines()[0].split()[:4] == ["奖励", "类型", "发放", "兑换"]
    assert repr(found) == "Redemptions(1 of 12 redeemed)"
    again = pickle.loads(pickle.dumps(found))  # noqa: S301
    assert str(again) == str(found)
    assert not again.redeemed.flags.writeable
