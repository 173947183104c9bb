"""Did the campaign pay: what counts, who is compared with whom, and what is refused."""

from __future__ import annotations

import math

import attrs
import numpy as np
import pendulum
import pytest

from shequn.campaigns import (
    Arm,
    Before,
    Change,
    Estimate,
    MoneyEstimate,
    Outcome,
    minimum_detectable,
    minimum_detectable_mean,
    outcome,
    required_sample,
    required_sample_of_means,
)
from shequn.campaigns.estimates import nearest
from shequn.columns import EventLog, Roster
from shequn.entities import Campaign, Goal, Reward
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.labels import Index
from shequn.stats import paired_proportions
from shequn.values import Money, Window

OPENS = pendulum.datetime(2024, 9, 10, tz="Asia/Shanghai")
WEEK = Window(OPENS, OPENS.add(days=7))
BEFORE = Window(OPENS.subtract(days=7), OPENS)
AUTUMN = Campaign(
    id="mid-autumn",
    forms={"lottery"},
    window=WEEK,
    budget=Money.of(5_000, "CNY"),
    goal=Goal(kinds="purchase", target=2),
)
ALL_IN = WEEK.end


def log_of(*rows, **columns):
    member, kind, at, value = zip(*rows, strict=True)
    return EventLog.from_columns(member=member, kind=kind, at=at, value=value, **columns)


def told(log, campaign=AUTUMN, **options):
    return outcome(log, campaign, **({"margin": 0.4, "as_of": ALL_IN, "treated": ["ann"]} | options))


BOUGHT = log_of(
    ("ann", "purchase", OPENS, 9_900),
    ("bo", "purchase", OPENS.add(days=1), 4_900),
    ("cy", "purchase", OPENS.add(days=2), 2_900),
    ("dee", "post", OPENS, 0),
)


def arms(**options):
    ours, theirs = Arm(members=70, converted=56), Arm(members=80, converted=48)
    usual = {"campaign": AUTUMN, "treated": ours, "held_out": theirs, "as_of": ALL_IN, "margin": 0.4}
    return Outcome(**(usual | options))


def test_newcombe_s_example_comes_out_of_the_arms_of_a_campaign():
    uplift = arms().uplift
    assert (round(uplift.value, 4), round(uplift.lower, 4), round(uplift.upper, 4)) == (0.2, 0.0524, 0.3339)
    assert uplift.is_sure


def test_newcombe_s_example_comes_out_of_a_log():
    converted = [f"t{i}" for i in range(56)] + [f"h{i}" for i in range(48)]
    log = EventLog.from_columns(member=converted, kind="purchase", at=[OPENS] * 104, value=[100] * 104)
    found = told(log, treated=[f"t{i}" for i in range(70)], held_out=[f"h{i}" for i in range(80)])
    assert (round(found.uplift.lower, 4), round(found.uplift.upper, 4)) == (0.0524, 0.3339)


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        (OPENS.subtract(microseconds=1), 0),
        (OPENS, 1),
        (WEEK.end.subtract(microseconds=1), 1),
        (WEEK.end, 0),
    ],
)
def test_a_row_counts_from_the_start_until_just_before_the_end(at, counts):
    found = told(log_of(("ann", "purchase", at, 500)), as_of=WEEK.end.add(days=9))
    assert (found.treated.converted, found.treated.revenue.minor) == (counts, counts * 500)


@pytest.mark.parametrize(("late_us", "counts"), [(-1, 1), (0, 1), (1, 0)])
def test_a_row_counts_up_to_the_instant_of_the_question(late_us, counts):
    as_of = OPENS.add(days=2)
    found = told(log_of(("ann", "purchase", as_of.add(microseconds=late_us), 500)), as_of=as_of)
    assert found.treated.converted == counts
    assert not found.is_complete
    assert "Not over yet: rows up to 2024-09-12 00:00." in str(found)


def test_a_campaign_is_over_at_its_end():
    assert told(BOUGHT).is_complete
    assert not told(BOUGHT, as_of=WEEK.end.subtract(microseconds=1)).is_complete


def test_members_whom_the_log_does_not_know_count_as_zeros():
    found = told(BOUGHT, treated=["ann", "eve", "fay"], held_out={"bo", "gus"})
    assert (found.treated.members, found.treated.revenue_per_member) == (3, 3_300)
    assert found.treated.revenue_sd == pytest.approx(np.std([9_900, 0, 0], ddof=1))
    assert found.held_out.members == 2
    assert found.incremental_revenue.value == Money(9_900 - 3 * 2_450, "CNY")


def test_arms_are_masks_labels_or_an_audience_and_all_agree():
    roster = Roster.from_columns(member=["fay", "cy", "bo", "ann"])
    treated, held_out = np.array([False, False, True, True]), np.array([True, True, False, False])

    @attrs.frozen
    class Dealt:
        members = roster.members
        treated: object
        held_out: object

    labelled = told(BOUGHT, treated=Index(["bo", "ann"]), held_out={"fay", "cy"})
    for found in (
        told(BOUGHT, treated=treated, held_out=held_out, members=roster),
        told(BOUGHT, treated=treated.tolist(), held_out=held_out.tolist(), members=roster.members),
        told(BOUGHT, treated=Dealt(treated, held_out)),
        told(BOUGHT, treated=np.array(["bo", "ann"]), held_out=("fay", "cy")),
    ):
        assert found == labelled
    assert told(BOUGHT, treated=Dealt(treated, ~treated & False)).held_out is None
    assert told(BOUGHT, treated=np.array([True, False, False, False])).treated.revenue.minor == 9_900


def test_reach_and_participation_are_told_by_the_campaign_s_own_items_where_it_has_rows():
    rows = [(who, kind, OPENS, 0) for kind in ("receive", "post") for who in ("ann", "bo")]
    marked = log_of(*rows, item=["mid-autumn", "weekly", None, "mid-autumn"])
    found = told(marked, treated=["ann", "bo"])
    assert (found.treated.reached, found.treated.participated, found.attribution) == (1, 1, "items")
    anything = told(log_of(*rows), treated=["ann", "bo"])
    assert (anything.treated.reached, anything.treated.participated, anything.attribution) == (2, 2, "window")
    named = told(marked, treated=["ann", "bo"], items={"weekly", "nothing"})
    assert (named.treated.reached, named.treated.participated) == (1, 0)
    with pytest.raises(UnknownLabelError, match="items: expected None, for a log without items"):
        told(log_of(*rows), items={"weekly"})


def test_cost_is_that_of_what_the_treated_redeemed():
    rows = [(who, "redeem", OPENS, 0) for who in ("ann", "ann", "bo", "cy")]
    coupon = Reward(kind="coupon", cost=Money.of(5, "CNY"), quantity=9, name="tea")
    gift = Reward(kind="gift", cost=Money.of(20, "CNY"), quantity=9, name="cup")
    one = attrs.evolve(AUTUMN, rewards=[coupon])
    two = attrs.evolve(AUTUMN, rewards=[coupon, gift])
    arms_of = {"treated": ["ann", "bo"], "held_out": ["cy"]}
    assert told(log_of(*rows), one, **arms_of).cost == Money.of(15, "CNY")
    named = log_of(*rows, item=["tea", "cup", "cup", "tea"])
    assert told(named, two, **arms_of).cost == Money.of(45, "CNY")
    assert told(named, one, **arms_of).cost == Money.of(5, "CNY")
    assert told(log_of(*rows, item=[None, "other", "mid-autumn", None]), one, **arms_of).cost == Money.of(10, "CNY")
    assert told(log_of(*rows), AUTUMN, **arms_of).cost is None
    for log, campaign in ((log_of(*rows), two), (named, attrs.evolve(AUTUMN, rewards=[coupon, coupon]))):
        with pytest.raises(InvalidValueError, match="cost: expected Money, as the log does not tell which reward"):
            told(log, campaign, **arms_of)


def test_return_is_what_is_left_of_the_incremental_revenue_over_its_cost():
    found = told(BOUGHT, treated=["ann", "bo"], held_out=["cy", "dee"], cost=Money.of(20, "CNY"))
    assert found.revenue_uplift.value == 7_400 - 1_450
    assert found.incremental_revenue.value == Money.of(119, "CNY")
    assert found.profit.value == Money(round(11_900 * 0.4) - 2_000, "CNY")
    assert found.roi.value == pytest.approx((11_900 * 0.4 - 2_000) / 2_000)
    assert found.profit.lower.minor == pytest.approx(found.roi.lower * 2_000, abs=1)


def test_without_cost_there_is_no_return():
    assert math.isnan(told(BOUGHT, held_out=["bo"]).roi.value)
    assert told(BOUGHT, held_out=["bo"]).profit is None
    assert math.isnan(told(BOUGHT, held_out=["bo"], cost=Money(0, "CNY")).roi.value)


def test_one_member_an_arm_has_a_difference_and_no_interval():
    found = told(BOUGHT, held_out=["bo"], cost=Money.of(1, "CNY"))
    assert found.incremental_revenue == MoneyEstimate(Money(5_000, "CNY"), None, None)
    assert math.isnan(found.revenue_uplift.lower)
    assert not found.incremental_revenue.is_sure
    assert "incremental revenue" in str(found)


def test_nobody_held_out_is_compared_with_before_and_says_that_this_is_no_cause():
    log = log_of(
        ("ann", "purchase", BEFORE.start, 1_000),
        ("bo", "purchase", BEFORE.start, 3_000),
        ("ann", "purchase", OPENS, 2_000),
        ("cy", "purchase", OPENS, 500),
    )
    found = told(log, treated=["ann", "bo", "cy"], baseline=BEFORE, cost=Money.of(10, "CNY"))
    assert found.method == "pre_post"
    assert "Pre/post, not causal" in found.table()
    assert "前后对比，非因果" in found.table(lang="zh")
    assert found.treated.before.change == Change(gained=1, lost=1, sd=found.treated.before.change.sd)
    assert found.uplift.value == 0
    assert found.incremental_revenue.value == Money(-1_500, "CNY")
    assert math.isnan(found.difference("reached").value)
    assert math.isnan(found.conversion_change_uplift.value)
    assert math.isnan(found.adjusted_revenue_uplift.value)
    assert math.isnan(found.variance_reduction)


def test_half_a_campaign_is_compared_with_half_of_the_time_before():
    log = log_of(
        ("ann", "purchase", BEFORE.start.add(days=2), 1_000),
        ("ann", "purchase", BEFORE.start.add(days=2, microseconds=1), 10_000),
        ("ann", "purchase", OPENS, 5_000),
    )
    found = told(log, baseline=BEFORE, as_of=OPENS.add(days=2))
    assert found.incremental_revenue.value == Money(4_000, "CNY")


def test_nothing_to_compare_with_is_said():
    found = told(BOUGHT, cost=Money.of(10, "CNY"))
    assert found.method == "none"
    assert found.incremental_revenue is None
    assert math.isnan(found.roi.value)
    assert "Nothing to compare with" in str(found)
    assert found.table().splitlines()[1].split() == ["metric", "treated", "lower", "upper"]
    assert repr(found) == "Outcome('mid-autumn', 1 treated, 1 conversion)"


def test_a_longer_baseline_adjusts_and_is_no_comparison_with_before():
    month = Window(OPENS.subtract(days=28), OPENS)
    log = log_of(*((who, "purchase", at, value) for who, at, value in [
        ("ann", month.start, 100), ("ann", OPENS, 400), ("bo", month.start, 300), ("bo", OPENS, 700),
        ("cy", month.start, 200), ("cy", OPENS, 350), ("dee", OPENS, 50),
    ]))  # fmt: skip
    found = told(log, treated=["ann", "bo"], held_out=["cy", "dee"], baseline=month)
    assert found.treated.before.change is None
    assert found.variance_reduction == pytest.approx(1)
    assert math.isnan(found.revenue_change_uplift.value)
    with pytest.raises(InvalidValueError, match="baseline: expected a window as long as the campaign"):
        told(log, treated=["ann", "bo"], baseline=month)


def test_weeks_of_an_hour_more_or_less_are_of_one_length():
    zone = "Europe/Berlin"
    opens = pendulum.datetime(2024, 3, 31, tz=zone)
    spring = attrs.evolve(AUTUMN, window=Window(opens, opens.add(days=7)))
    log = log_of(("ann", "purchase", opens, 100))
    found = told(log, spring, baseline=Window(opens.subtract(days=7), opens), as_of=opens.add(days=8))
    assert found.method == "pre_post"
    with pytest.raises(InvalidValueError, match="as long as the campaign"):
        told(log, spring, baseline=Window(opens.subtract(days=7, hours=3), opens), as_of=opens.add(days=8))


def test_the_goal_is_members_who_converted():
    assert told(BOUGHT, treated=["ann", "bo", "dee"]).is_goal_reached
    assert told(BOUGHT, treated=["ann", "dee"]).is_goal_reached is False
    assert "Goal not reached: 1 converted, 2 wanted." in str(told(BOUGHT, treated=["ann", "dee"]))
    assert "目标达成" in told(BOUGHT, treated=["ann", "bo"]).table(lang="zh")
    assert told(BOUGHT, attrs.evolve(AUTUMN, goal=None)).is_goal_reached is None
    posted = attrs.evolve(AUTUMN, goal=Goal(kinds="post", target=1))
    assert told(BOUGHT, posted, treated=["ann", "dee"]).treated.converted == 1


def test_arms_of_other_sizes_than_intended_are_a_warning():
    fair = arms(intended=0.5)
    assert not fair.sample_ratio.is_suspicious
    lopsided = arms(treated=Arm(members=900), held_out=Arm(members=700), intended=0.5)
    assert lopsided.sample_ratio.p_value == pytest.approx(5.733e-7, rel=1e-3)
    assert "Warning: 56.2% of members are treated, 50.0% were to be" in str(lopsided)
    assert "警告" in lopsided.table(lang="zh")
    assert arms().sample_ratio is None


def test_the_sample_ratio_is_pearson_s_chi_square_also_of_unequal_shares():
    # 830 where 800 were to be, 170 where 200 were: 30² / 800 + 30² / 200 = 5.625, p = 0.01771 with one degree.
    ratio = arms(treated=Arm(members=830), held_out=Arm(members=170), intended=0.8).sample_ratio
    assert (ratio.intended, ratio.observed) == (0.8, 0.83)
    assert ratio.p_value == pytest.approx(0.01770607, rel=1e-6)


def test_the_difference_in_differences_of_conversion_is_two_intervals_put_together():
    ours = Arm(members=100, converted=30, before=Before(converted=18, change=Change(gained=18, lost=6)))
    theirs = Arm(members=50, converted=9, before=Before(converted=5, change=Change(gained=9, lost=5)))
    found = arms(treated=ours, held_out=theirs).conversion_change_uplift
    (low1, high1), (low2, high2) = paired_proportions(18, 6, 100), paired_proportions(9, 5, 50)
    assert found.value == pytest.approx(0.12 - 0.08)
    assert found.lower == pytest.approx(0.04 - math.hypot(0.12 - low1, high2 - 0.08))
    assert found.upper == pytest.approx(0.04 + math.hypot(high1 - 0.12, 0.08 - low2))


def test_skewed_revenue_of_few_members_is_told():
    few, many = (Arm(members=n, revenue=Money(0, "CNY"), revenue_sd=1.0, revenue_skewness=2.0) for n in (1_420, 1_421))
    assert arms(treated=few, held_out=many).is_large_enough is False
    assert "as skewed as this" in str(arms(treated=few, held_out=many))
    assert arms(treated=many, held_out=many).is_large_enough
    assert arms().is_large_enough is None


def test_a_campaign_called_off_says_so():
    off = attrs.evolve(AUTUMN, cancelled=OPENS.add(days=1))
    assert "Called off on 2024-09-11 00:00" in str(told(BOUGHT, off))
    assert "Called off" not in str(told(BOUGHT, off, as_of=OPENS))


def test_activity_before_adjusts_revenue_too_and_conversion_can_be_named():
    log = log_of(
        ("ann", "post", BEFORE.start, 0), ("ann", "purchase", OPENS, 300), ("bo", "like", OPENS, 100),
        ("cy", "post", BEFORE.start, 0), ("cy", "post", BEFORE.start, 0), ("cy", "purchase", OPENS, 500),
    )  # fmt: skip
    found = told(
        log,
        treated=["ann", "bo"],
        held_out=["cy", "dee"],
        baseline=BEFORE,
        covariate="activity",
        converted_kinds="like",
    )
    assert (found.treated.before.covariate_mean, found.held_out.before.covariate_mean) == (0.5, 1.0)
    assert found.theta == pytest.approx((150 / 2 + 500 / 2) / (0.5 / 2 + 2 / 2))
    assert (found.treated.converted, found.held_out.converted) == (1, 0)
    plain = told(log.where(kinds={"like"}), treated=["ann"], held_out=["cy"], baseline=BEFORE, value=None)
    assert plain.treated.before.revenue is None
    assert plain.treated.before.change == Change(gained=0, lost=0)


def test_money_can_be_left_out():
    found = told(EventLog.from_columns(member=["ann"], kind="purchase", at=[OPENS]), value=None, held_out=["bo"])
    assert (found.treated.revenue, found.treated.converted) == (None, 1)
    assert math.isnan(found.revenue_uplift.value)
    assert found.incremental_revenue is None
    assert "revenue" not in str(found)
    assert told(EventLog.empty(), held_out=["bo"]).incremental_revenue.value == Money(0, "CNY")


def test_whole_floats_are_money_and_halves_are_not():
    whole = EventLog.from_columns(member=["ann", "bo"], kind=["purchase", "post"], at=[OPENS] * 2, value=[990.0, None])
    assert told(whole).treated.revenue == Money(990, "CNY")
    halves = EventLog.from_columns(member=["ann", "bo"], kind="purchase", at=[OPENS] * 2, value=[990.0, 9.9])
    with pytest.raises(InvalidValueError, match=r"value: expected whole minor units.* 9\.9 at row 1 \(1 of 2 rows\)"):
        told(halves)


def test_sums_beyond_doubles_are_exact():
    big = 2**60 + 1
    log = log_of(("ann", "purchase", OPENS, big), ("bo", "purchase", OPENS, big), ("cy", "purchase", OPENS, -3))
    found = told(log, treated=["ann", "bo"] + [f"x{i}" for i in range(9)])
    assert found.treated.revenue.minor == 2 * big
    many = log_of(*((f"u{i}", "purchase", OPENS, 2**62) for i in range(8)))
    assert told(many, treated=[f"u{i}" for i in range(8)]).treated.revenue.minor == 2**65


def test_revenue_in_two_currencies_is_refused():
    mixed = log_of(
        ("ann", "purchase", OPENS, 1), ("bo", "purchase", OPENS, 1), ("bo", "post", OPENS, 1),
        extra={"currency": ["CNY", "USD", "EUR"]},
    )  # fmt: skip
    with pytest.raises(InvalidValueError, match="currency_column: expected revenue in CNY only, got 'USD' at row 1"):
        told(mixed, currency_column="currency")
    with pytest.raises(InvalidValueError, match="cost: expected Money in CNY, as the campaign"):
        told(BOUGHT, cost=Money.of(1, "USD"))
    with pytest.raises(InvalidValueError, match="currency: expected CNY, as of the campaign, got 'USD'"):
        told(BOUGHT, currency="USD")
    with pytest.raises(InvalidValueError, match="held_out: expected Money in USD, as treated"):
        arms(
            campaign=attrs.evolve(AUTUMN, budget=None),
            treated=Arm(members=1, revenue=Money(1, "USD")),
            held_out=Arm(members=1, revenue=Money(1, "CNY")),
        )
    with pytest.raises(InvalidValueError, match="currency: expected the ISO 4217 code of the log's values"):
        told(BOUGHT, attrs.evolve(AUTUMN, budget=None))
    assert told(BOUGHT, attrs.evolve(AUTUMN, budget=None), currency="USD").currency == "USD"
    assert told(BOUGHT, attrs.evolve(AUTUMN, budget=None), cost=Money(1, "EUR")).currency == "EUR"
    one = log_of(("ann", "purchase", OPENS, 1), extra={"currency": ["CNY"]})
    assert told(one, currency_column="currency").treated.revenue == Money(1, "CNY")


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"held_out": ["bo", "ann"]}, InvalidValueError, r"held_out: .* not treated as well, got 'ann' \(1 of 2"),
        ({"treated": ["ann", "zoe"], "held_out": ["zoe"]}, InvalidValueError, "not treated as well, got 'zoe'"),
        ({"treated": []}, InvalidValueError, "treated: expected at least one member, got 'nobody'"),
        ({"held_out": set()}, InvalidValueError, "leave it out where nobody was held out"),
        ({"treated": ["ann", "ann"]}, InvalidValueError, "treated: expected each label once"),
        ({"treated": "ann"}, InvalidTypeError, "treated: expected a mask over the members, or labels"),
        ({"treated": [True]}, MisalignedError, "treated: expected one flag for each of the 4 members"),
        ({"members": ["ann"]}, InvalidTypeError, "members: expected a Roster, an Index or None"),
        ({"margin": -0.1}, InvalidValueError, r"margin: expected a number in \[0, 1\]"),
        ({"margin": 1.1}, InvalidValueError, r"margin: expected a number in \[0, 1\]"),
        ({"cost": Money(-1, "CNY")}, InvalidValueError, "cost: expected an amount of 0 or more"),
        ({"cost": 5}, InvalidTypeError, "cost: expected Money"),
        ({"intended": 1}, InvalidValueError, "intended: expected a share of treated members between 0 and 1"),
        ({"as_of": OPENS.subtract(microseconds=1)}, InvalidValueError, "as_of: .* after the campaign began"),
        ({"baseline": Window(BEFORE.start, OPENS.add(days=1))}, InvalidValueError, "baseline: .* that ends"),
        ({"baseline": 7}, InvalidTypeError, "baseline: expected a Window or None"),
        ({"covariate": "age"}, InvalidValueError, "covariate: expected one of 'revenue', 'activity'"),
        ({"level": 1}, InvalidValueError, "level: expected a number between 0 and 1"),
        ({"value": "amount"}, UnknownLabelError, "value=None counts without money"),
    ],
)  # fmt: skip
def test_what_can_not_be_used_is_refused(options, error, match):
    with pytest.raises(error, match=match):
        told(BOUGHT, **options)


def test_an_audience_says_itself_who_is_held_out():
    @attrs.frozen
    class Dealt:
        members = BOUGHT.members
        treated = np.array([True, False, False, False])
        held_out = np.array([True, True, False, False])

    with pytest.raises(InvalidValueError, match="held_out: expected None, as `treated` says"):
        told(BOUGHT, treated=Dealt(), held_out=["bo"])
    with pytest.raises(InvalidValueError, match="not treated as well, got 'ann'"):
        told(BOUGHT, treated=Dealt())


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Arm(members=-1), r"members: expected a count in \[0, 2\*\*63\), got -1"),
        (lambda: Arm(members=1, converted=2), "converted: expected at most 1, the members of the arm"),
        (lambda: Arm(members=1, revenue_sd=-1), "revenue_sd: expected a standard deviation"),
        (lambda: Arm(members=1, before=Before(converted=2)), "before.converted: expected at most 1"),
        (
            lambda: Arm(members=1, before=Before(converted=0, change=Change(gained=1, lost=1))),
            "before.change",
        ),
        (
            lambda: Arm(members=9, converted=5, before=Before(converted=3, change=Change(gained=1, lost=0))),
            "before.change: expected gained less lost to be 2, as converted less that before, got 1",
        ),
        (
            lambda: Arm(members=9, revenue=Money(1, "CNY"), before=Before(converted=0, revenue=Money(1, "USD"))),
            "before.revenue: expected Money in CNY, as revenue, got '0.01 USD'",
        ),
        (lambda: Arm(members=2**63), "members: expected a count in"),
        (lambda: arms(treated=Arm(members=0)), "treated: expected an arm of at least one member"),
        (lambda: arms(attribution="all"), "attribution: expected one of"),
        (lambda: arms().difference("revenue"), "metric: expected one of"),
    ],
    ids=range(11),
)
def test_arms_that_can_not_be_are_refused(make, match):
    with pytest.raises(InvalidValueError, match=match):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Arm(members=1, revenue=5),
        lambda: Arm(members=1, before=5),
        lambda: Before(converted=1, change=5),
        lambda: arms(treated=5),
        lambda: arms(baseline=5),
        lambda: arms(campaign="mid-autumn"),
    ],
    ids=range(6),
)
def test_what_is_of_another_type_is_refused(make):
    with pytest.raises(InvalidTypeError):
        make()


def test_tidy_columns_have_money_in_minor_units_and_the_table_in_major_ones():
    found = told(BOUGHT, treated=["ann", "bo"], held_out=["cy", "dee"], cost=Money.of(20, "CNY"), baseline=BEFORE)
    row = {row.metric: row for row in found.rows()}["incremental_revenue"]
    assert row.difference == 11_900
    assert "119.00" in found.table()
    assert found.theta == 0
    assert found.variance_reduction == 0
    assert found.adjusted_incremental_revenue == found.incremental_revenue
    assert found.adjusted_roi == found.roi
    assert "双重差分" in found.table(lang="zh")
    assert found.last().metric == "roi_adjusted"
    assert repr(found).startswith("Outcome('mid-autumn', 2 treated, 2 held out, uplift +50.0% (")


def test_estimates_tell_which_side_of_zero_they_lie_on():
    assert Estimate(-1, -2, -0.5).is_sure
    assert not Estimate(1, 0, 2).is_sure
    assert MoneyEstimate(Money(-2, "CNY"), Money(-3, "CNY"), Money(-1, "CNY")).is_sure
    assert nearest(math.nan, "CNY") is None


def test_labels_of_another_type_than_the_log_s_are_refused():
    with pytest.raises(InvalidTypeError, match=r"treated: expected labels of one type .*, got 7, a label of type int"):
        told(BOUGHT, treated=[7])
    with pytest.raises(InvalidTypeError, match="held_out: expected labels of one type"):
        told(BOUGHT, held_out=np.array([7, 8]))
    with pytest.raises(InvalidTypeError, match="members: expected labels of one type"):
        told(BOUGHT, members=Index([7, 8]), treated=[True, False])


@pytest.mark.parametrize(
    ("size", "argument"),
    [
        (lambda: required_sample(0.05, 1e-300), "uplift"),
        (lambda: required_sample(0.05, 0.02, share=5e-324), "uplift"),
        (lambda: required_sample_of_means(5.0, 5e-324), "uplift"),
        (lambda: required_sample_of_means(1e308, 1.0), "uplift"),
        (lambda: minimum_detectable(0.05, 10**400), "members"),
        (lambda: minimum_detectable_mean(5.0, 10**400), "members"),
    ],
    ids=range(6),
)
def test_samples_beyond_all_numbers_are_refused(size, argument):
    with pytest.raises(InvalidValueError, match=f"^{argument}: expected (an effect|2 or more)"):
        size()
