from __future__ import annotations

import datetime as dt
import math
from fractions import Fraction

import attrs
import numpy as np
import pendulum
import pytest

from shequn.entities import WECHAT_GROUP, Community, Group
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError
from shequn.lifecycle import Lifespans, MonetisationClock, NoveltyDecay, lifespans, monetisation_clock, novelty_decay
from shequn.lifecycle.lifespan import days_of
from shequn.values import Money

START = pendulum.datetime(2023, 1, 1, tz="Asia/Shanghai")
DAY_US = 86_400_000_000


def yuan(amount):
    return Money.of(amount, "CNY")


def clock_at(as_of, **more):
    return monetisation_clock(START, as_of=as_of, **more)


# --- the clock ---


def test_months_are_counted_on_the_calendar():
    clock = clock_at(START.add(months=18))
    assert (clock.months_elapsed, clock.months_left, clock.elapsed_share) == (18, 6, 0.75)
    assert clock.ends_at == pendulum.datetime(2025, 1, 1, tz="Asia/Shanghai")


def test_a_part_of_a_month_is_a_fraction_of_its_own_length():
    assert clock_at(pendulum.datetime(2023, 2, 15, tz="Asia/Shanghai")).months_elapsed == Fraction(3, 2)
    assert clock_at(pendulum.datetime(2024, 2, 2, tz="Asia/Shanghai")).months_elapsed == 13 + Fraction(1, 29)


def test_a_month_too_short_ends_on_its_last_day():
    created = pendulum.datetime(2023, 8, 31)
    assert monetisation_clock(created, as_of=pendulum.datetime(2024, 2, 29)).months_elapsed == 6
    assert monetisation_clock(created, as_of=pendulum.datetime(2024, 2, 28)).months_elapsed < 6
    # Each month is counted from the 31st, not from where the last one ended.
    assert monetisation_clock(created, as_of=pendulum.datetime(2024, 3, 31)).months_elapsed == 7


def test_months_are_those_of_the_zone_asked_for():
    created, as_of = pendulum.datetime(2023, 1, 31, 17), pendulum.datetime(2023, 2, 28, 17)
    assert monetisation_clock(created, as_of=as_of, tz="Asia/Shanghai").months_elapsed == 1
    assert monetisation_clock(created, as_of=as_of).months_elapsed == 1
    assert monetisation_clock(created, as_of=as_of.add(days=15), tz="Asia/Shanghai").months_elapsed == 1 + Fraction(
        15, 31
    )
    fixed = dt.datetime(2023, 2, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    assert monetisation_clock(fixed, as_of=as_of).created.utcoffset() == dt.timedelta(hours=8)


def test_a_community_brings_its_beginning_and_its_zone():
    club = Community(
        id="c", name="c", type="knowledge", created=dt.datetime(2022, 12, 31, 16, tzinfo=dt.UTC), tz="Asia/Shanghai",
        currency="CNY",
    )  # fmt: skip
    clock = monetisation_clock(club, as_of=pendulum.datetime(2023, 12, 31, 16))
    assert (clock.created.isoformat(), clock.months_left) == ("2023-01-01T00:00:00+08:00", 12)


def test_the_required_rate_is_what_is_missing_over_the_months_left():
    clock = clock_at(START.add(months=17), revenue=yuan(17_000), target=yuan(100_000))
    assert clock.missing == yuan(83_000)
    # 83,000 / 7 is 11,857.142857…: rounded up, so that seven months of it do reach the target.
    assert clock.required_per_month == yuan("11857.15")
    assert clock.required_per_month * 7 >= clock.missing
    assert clock.earned_per_month == yuan(1_000)


def test_a_target_out_of_reach_at_this_rate_is_breached_at_the_end_of_the_window():
    clock = clock_at(START.add(months=12), revenue=yuan(12_000), target=yuan(30_000))
    assert clock.reached_at == START.add(months=30)
    assert clock.breached_at == clock.ends_at == START.add(months=24)
    assert clock.explain() == (
        "50.0% of 24 months gone by, 12.0 months left until 2025-01-01, 18000.00 CNY missing to 30000.00 CNY, which "
        "takes 1500.00 CNY a month, 1000.00 CNY a month until now, at this rate the target is missed on 2025-01-01 "
        "(reached not before 2025-07-01)"
    )
    assert clock.explain(lang="zh").endswith("按目前速度将在 2025-01-01 未达标（最早 2025-07-01 达标）")


def test_a_target_within_reach_is_no_breach():
    clock = clock_at(START.add(months=12), revenue=yuan(20_000), target=yuan(30_000))
    assert (clock.reached_at, clock.breached_at) == (START.add(months=18), None)
    assert clock.explain().endswith("at this rate the target is reached on 2024-07-01")
    on_the_day = clock_at(START.add(months=12), revenue=yuan(15_000), target=yuan(30_000))
    assert (on_the_day.reached_at, on_the_day.breached_at) == (on_the_day.ends_at, None)


def test_a_target_that_is_reached_needs_nothing_more():
    clock = clock_at(START.add(months=30), revenue=yuan(30_001), target=yuan(30_000))
    assert (clock.missing, clock.required_per_month) == (yuan(0), yuan(0))
    assert (clock.reached_at, clock.breached_at) == (clock.as_of, None)
    assert clock.explain(lang="zh").endswith("目标 30000.00 CNY 已达成")


def test_after_the_window_no_rate_makes_up_for_what_is_missing():
    clock = clock_at(START.add(months=25), revenue=yuan(1), target=yuan(2))
    assert (clock.is_over, clock.elapsed_share, clock.months_left) == (True, 1.0, 0)
    assert clock.required_per_month is None
    assert clock.breached_at == clock.ends_at
    assert "over since 2025-01-01" in clock.explain()
    assert "已于 2025-01-01 结束" in clock.explain(lang="zh")


@pytest.mark.parametrize("revenue", [0, -5])
def test_without_revenue_the_target_is_never_reached(revenue):
    clock = clock_at(START.add(months=1), revenue=yuan(revenue), target=yuan(1_000))
    assert (clock.reached_at, clock.breached_at) == (None, clock.ends_at)
    assert "(reached never)" in clock.explain()
    assert "（无法达标）" in clock.explain(lang="zh")


def test_a_trickle_that_would_take_more_than_a_century_never_reaches_it():
    clock = clock_at(START.add(months=1), revenue=Money(1, "CNY"), target=yuan(1_000))
    assert clock.reached_at is None


def test_at_the_beginning_nothing_is_known_of_the_rate():
    clock = clock_at(START, revenue=yuan(0), target=yuan(1_000))
    assert (clock.earned_per_month, clock.reached_at, clock.breached_at) == (None, None, None)
    assert clock.required_per_month == Money(math.ceil(100_000 / 24), "CNY")


def test_without_money_the_clock_tells_the_time_alone():
    clock = clock_at(START.add(months=6))
    assert (clock.missing, clock.required_per_month, clock.earned_per_month, clock.breached_at) == (None,) * 4
    assert list(clock.to_columns()) == [
        "elapsed_share", "months_elapsed", "months_left", "revenue", "target", "required_per_month", "earned_per_month",
        "ends_at", "reached_at",
    ]  # fmt: skip
    assert "目标" not in clock.table(lang="zh")
    full = clock_at(START.add(months=6), revenue=yuan(1), target=yuan(3))
    assert "所需月均" in full.table(lang="zh")
    assert full.to_dict()["columns"]["target"] == [{"minor": 300, "currency": "CNY"}]


def test_the_clock_refuses_what_it_cannot_count():
    with pytest.raises(InvalidValueError, match="as_of: expected an instant not before created"):
        clock_at(START.subtract(days=1))
    with pytest.raises(InvalidValueError, match="created: "):
        monetisation_clock(dt.datetime(2023, 1, 1), as_of=START)  # noqa: DTZ001
    for window in (
        pendulum.duration(days=700),
        pendulum.duration(months=1, days=1),
        pendulum.duration(),
        dt.timedelta(30),
    ):
        with pytest.raises(InvalidValueError, match="window: expected a duration of months or years alone"):
            clock_at(START, window=window)
    with pytest.raises(InvalidTypeError, match="window: expected a duration of months"):
        clock_at(START, window=24)
    with pytest.raises(InvalidTypeError, match="revenue: expected Money, to be held against the target, got None"):
        clock_at(START, target=yuan(1))
    with pytest.raises(InvalidValueError, match="target: expected Money in CNY"):
        clock_at(START, revenue=yuan(1), target=Money(1, "USD"))
    with pytest.raises(InvalidValueError, match="target: expected more than 0"):
        clock_at(START, revenue=yuan(1), target=yuan(0))
    with pytest.raises(InvalidTypeError, match="revenue: expected Money, got 3"):
        clock_at(START, revenue=3)
    with pytest.raises(InvalidValueError, match="months: expected 1 to 1,200, got 0"):
        MonetisationClock(created=START, as_of=START, months=0)


def test_a_window_may_be_of_years():
    assert clock_at(START, window=pendulum.duration(years=1, months=6)).months == 18


def test_a_clock_that_is_over_speaks_of_the_past():
    over = clock_at(START.add(years=4), revenue=yuan(100), target=yuan(150))
    assert over.explain().endswith(
        "the target was missed on 2025-01-01 (at this rate it is reached not before 2029-01-01)"
    )
    assert over.explain(lang="zh").endswith("到期未达标（按目前速度最早 2029-01-01 达标）")
    nothing = clock_at(START.add(years=4), revenue=yuan(0), target=yuan(150))
    assert nothing.explain().endswith("the target was missed on 2025-01-01 (at this rate it is reached never)")
    assert "将" not in over.explain(lang="zh") + nothing.explain(lang="zh")
    running = clock_at(START.add(years=1), revenue=yuan(10), target=yuan(150))
    assert "at this rate the target is missed on 2025-01-01" in running.explain()
    assert "按目前速度将在 2025-01-01 未达标" in running.explain(lang="zh")


def test_a_window_may_end_after_the_last_instant_of_columns():
    late = monetisation_clock(pendulum.datetime(2250, 1, 1), as_of=pendulum.datetime(2261, 12, 31))
    assert repr(late) == "MonetisationClock(100.0% of 24 months)"
    assert late.months_elapsed == 12 * 12 - 1 + Fraction(30, 31)
    long = monetisation_clock(
        pendulum.datetime(2200, 1, 1), as_of=pendulum.datetime(2261, 1, 1), window=pendulum.duration(years=100),
        revenue=yuan(61), target=yuan(99),
    )  # fmt: skip
    assert long.reached_at == pendulum.datetime(2299, 1, 1)
    assert long.breached_at is None
    assert attrs.evolve(long, target=yuan(101)).breached_at == pendulum.datetime(2300, 1, 1)


def test_one_month_is_told_in_the_singular():
    clock = clock_at(START.add(days=10), window=pendulum.duration(months=1))
    assert clock.explain().startswith("32.3% of 1 month gone by")
    assert repr(clock) == "MonetisationClock(32.3% of 1 month)"


# --- lifespans ---


def test_a_month_has_the_same_length_whatever_it_is_told_in():
    assert days_of(pendulum.duration(months=6), argument="x") == 182.62125
    assert days_of(pendulum.duration(years=1, days=1, hours=12), argument="x") == pytest.approx(366.7425, abs=1e-12)
    assert days_of(dt.timedelta(days=180), argument="x") == 180.0


def test_the_mean_life_lies_between_the_prior_and_the_data():
    lives = Lifespans(communities=range(10), lived_us=[100 * DAY_US] * 10, is_closed=[True] * 10)
    assert lives.mean_days == pytest.approx((182.62125 + 1000) / 11)
    nothing = Lifespans(communities=[], lived_us=[], is_closed=[])
    assert nothing.mean_days == pytest.approx(182.62125)
    assert np.isnan(nothing.curve.at(1))
    assert "0 communities, 0 ended" in str(nothing)


def test_who_lives_longer_than_the_threshold_is_overdue():
    lives = Lifespans(
        communities=["a", "b", "c"], lived_us=[DAY_US * d for d in (1_000, 1_000, 3)], is_closed=[True, False, False],
        overdue_at=1.05,
    )  # fmt: skip
    # (182.6 + 2003) / 2 is the mean: 1000 days are 0.92 of it.
    assert lives.overdue.tolist() == [False, False, False]
    strict = Lifespans(
        communities=["a", "b", "c"], lived_us=[DAY_US * d for d in (1_000, 1_000, 3)], is_closed=[True, False, False],
        overdue_at=0.9,
    )  # fmt: skip
    assert strict.overdue.tolist() == [False, True, False]
    assert strict.young.tolist() == [False, False, True]
    assert "1 个社群成立不足一周" in strict.table(lang="zh")
    assert "1 younger than a week" in str(strict)


def test_an_end_that_is_not_known_yet_is_none():
    at = [START, START]
    lives = lifespans(created=at, closed=[START.add(days=10), START.add(days=30)], as_of=START.add(days=20))
    assert lives.is_closed.tolist() == [True, False]
    assert lives.days.tolist() == [10, 20]


def test_an_end_at_the_very_instant_asked_is_known():
    lives = lifespans(created=[START], closed=[START.add(days=10)], as_of=START.add(days=10))
    assert lives.is_closed.tolist() == [True]


def test_who_begins_after_the_end_of_observation_is_left_out():
    lives = lifespans(created=[START, START.add(days=9)], communities=["a", "b"], as_of=START.add(days=5))
    assert (list(lives.communities), lives.unborn) == (["a"], 1)
    assert "1 began after the end of observation" in str(lives)
    assert "1 个社群在观察期后成立" in lives.table(lang="zh")


def test_communities_older_than_the_record_enter_late():
    lives = lifespans(
        created=[START, START.add(days=50)], closed=[START.add(days=100), None], as_of=START.add(days=150),
        seen_from=START.add(days=40),
    )  # fmt: skip
    assert (lives.entry_us / DAY_US).tolist() == [40, pytest.approx(-1 / DAY_US)]
    assert lives.observed_days == 60 + 100
    assert lives.curve.at_risk.tolist() == [1, 2]


def test_groups_tell_when_they_began_and_ended():
    def group(name, closed=None):
        return Group(id=name, community="c", platform=WECHAT_GROUP, name=name, created=START, closed=closed)

    lives = lifespans([group("g1"), group("g2", START.add(days=3))], as_of=START.add(days=7))
    assert [(row.community, row.days, row.alive) for row in lives.rows()] == [("g1", 7.0, True), ("g2", 3.0, False)]


def test_instants_come_in_any_form():
    columns = {"as_of": START.add(days=7), "at_tz": "Asia/Shanghai"}
    created = np.array(["2023-01-01", "2023-01-02"], "M8[D]")
    lives = lifespans(created=created, closed=np.array(["2023-01-04", "NaT"], "M8[D]"), **columns)
    assert lives.days.tolist() == [3.0, 6.0]
    numbers = lifespans(created=[0, 0], closed=[DAY_US, None], time_unit="us", as_of=pendulum.datetime(1970, 1, 3))
    assert numbers.days.tolist() == [1.0, 2.0]


def test_lifespans_refuse_what_cannot_be():
    later = START.add(days=9)
    with pytest.raises(InvalidTypeError, match="groups, created: expected one of the two, got 'neither'"):
        lifespans(as_of=later)
    with pytest.raises(InvalidTypeError, match="closed, communities: expected nothing beside groups"):
        lifespans([], closed=[], as_of=later)
    with pytest.raises(InvalidTypeError, match="groups: expected records of Group, got 3 at row 0"):
        lifespans([3], as_of=later)
    with pytest.raises(InvalidValueError, match=r"closed: expected an instant not before `created`, .* at row 1"):
        lifespans(created=[START, later], closed=[later, START], as_of=later)
    with pytest.raises(MisalignedError, match="closed: expected as many rows as `created`, which has 1, got 2"):
        lifespans(created=[START], closed=[later, later], as_of=later)
    with pytest.raises(MisalignedError, match="communities: expected as many as `created`, which has 1, got 2"):
        lifespans(created=[START], communities=["a", "b"], as_of=later)
    with pytest.raises(InvalidValueError, match="seen_from: expected an instant before as_of"):
        lifespans(created=[START], as_of=later, seen_from=later)
    with pytest.raises(InvalidValueError, match="closed: expected an instant after seen_from"):
        lifespans(created=[START], closed=[START.add(days=1)], as_of=later, seen_from=START.add(days=2))
    with pytest.raises(InvalidTypeError, match="created: "):
        lifespans(created=["2023"], as_of=later)


def test_a_prior_has_a_length_and_a_weight():
    one = {"communities": ["a"], "lived_us": [1], "is_closed": [True]}
    for weight in (0, 1e-10, 1e12, 10**400, math.nan):
        with pytest.raises(InvalidValueError, match=r"prior_weight: expected a number in \[1e-09, 1e\+08\], got"):
            Lifespans(**one, prior_weight=weight)
    with pytest.raises(InvalidTypeError, match="prior_weight: expected a number"):
        Lifespans(**one, prior_weight="1")
    with pytest.raises(InvalidValueError, match="prior_mean: expected a duration longer than 0"):
        lifespans(created=[START], as_of=START, prior_mean=pendulum.duration())
    with pytest.raises(InvalidTypeError, match="prior_mean: expected a duration such as"):
        lifespans(created=[START], as_of=START, prior_mean=6)
    with pytest.raises(InvalidValueError, match="prior_mean_days: expected a finite number above 0"):
        Lifespans(**one, prior_mean_days=math.inf)
    for overdue_at in (-1, 0, math.inf, 10**400):
        with pytest.raises(InvalidValueError, match="overdue_at: expected a finite number above 0"):
            Lifespans(**one, overdue_at=overdue_at)
    with pytest.raises(InvalidTypeError, match="overdue_at: expected a number"):
        Lifespans(**one, overdue_at=None)


@pytest.mark.parametrize("weight", [1e-9, 1e8])
def test_the_weight_of_a_prior_has_ends_at_which_all_is_still_told(weight):
    lives = lifespans(created=[START], as_of=START.add(days=30), prior_weight=weight)
    lower, upper = lives.mean_interval()
    assert 0 < lower < upper < math.inf
    assert "ended communities." in str(lives)


def test_a_prior_worth_one_community_says_so_in_the_singular():
    lives = Lifespans(communities=["a"], lived_us=[DAY_US], is_closed=[True])
    assert "worth as much as 1 ended community." in str(lives)


@pytest.mark.parametrize("closed", [np.datetime64("2024-01-01"), np.array(3), np.array("2024-01-01", "M8[D]")])
def test_an_instant_alone_is_no_column_of_ends(closed):
    with pytest.raises(InvalidTypeError, match="closed: expected a column of instants, got"):
        lifespans(created=np.zeros(2, "M8[D]"), closed=closed, at_tz="UTC", as_of=START)


def test_columns_of_lifespans_are_checked():
    with pytest.raises(InvalidValueError, match="lived_us: expected 0 or more microseconds, got -1 at row 0"):
        Lifespans(communities=["a"], lived_us=[-1], is_closed=[True])
    with pytest.raises(InvalidValueError, match="entry_us: expected an age before the last one seen, or -1"):
        Lifespans(communities=["a"], lived_us=[5], is_closed=[True], entry_us=[5])
    with pytest.raises(MisalignedError, match="is_closed: expected one entry for each of the 1 communities"):
        Lifespans(communities=["a"], lived_us=[5], is_closed=[True, True])
    with pytest.raises(InvalidValueError, match=r"t: expected days of 0 or more, got -1\.0"):
        Lifespans(communities=["a"], lived_us=[5], is_closed=[True]).p_alive(-1)


# --- novelty ---


def decay_of(tenure, exposures, engagements, **more):
    return novelty_decay(tenure=tenure, exposures=exposures, engagements=engagements, **more)


@pytest.mark.parametrize("likelihood", ["poisson", "binomial"])
def test_a_rate_that_halves_each_period_has_a_half_life_of_one(likelihood):
    decay = decay_of([0, 1, 2, 3], [8_000] * 4, [800, 400, 200, 100], likelihood=likelihood)
    assert decay.half_life == pytest.approx(1, abs=1e-6)
    assert np.exp(decay.log_rate) == pytest.approx(0.1, rel=1e-6)
    lower, upper = decay.half_life_interval()
    assert lower < 1 < upper


def test_tenure_may_begin_anywhere_and_be_of_any_unit():
    one = decay_of([0, 1, 2, 3], [8_000] * 4, [800, 410, 190, 100])
    other = decay_of([40, 47, 54, 61], [8_000] * 4, [800, 410, 190, 100])
    assert other.half_life == pytest.approx(7 * one.half_life, rel=1e-9)
    assert other.half_life_error == pytest.approx(7 * one.half_life_error, rel=1e-9)
    np.testing.assert_allclose(other.fitted, one.fitted, rtol=1e-9)


def test_rows_of_one_tenure_are_added():
    split = decay_of([1, 0, 1, 0, 2], [500, 600, 400, 400, 800], [60, 110, 65, 90, 82])
    whole = decay_of([0, 1, 2], [1_000, 900, 800], [200, 125, 82])
    assert (split.half_life, split.exposures.tolist()) == (whole.half_life, [1_000, 900, 800])


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (([3, 3], [10, 10], [1, 2]), "one tenure"),
        (([], [], []), "no exposures"),
        (([1, 2], [0, 0], [0, 0]), "no exposures"),
        (([0, 1], [10, 0], [5, 0]), "one tenure"),
        (([0, 1], [10, 10], [0, 0]), "no engagement"),
        (([0, 1], [10, 10], [1, 5]), "no decay"),
        (([0, 1], [10, 10], [5, 5]), "no decay"),
        (([0, 1, 2], [10, 10, 10], [0, 0, 5]), "no decay"),
        (([0, 1, 2], [10, 10, 10], [5, 0, 0]), "at once"),
    ],
)
@pytest.mark.parametrize("likelihood", ["poisson", "binomial"])
def test_without_a_decay_there_is_a_reason(columns, reason, likelihood):
    decay = decay_of(*columns, likelihood=likelihood)
    assert decay.reason == reason
    assert np.isnan(decay.half_life)
    assert np.isnan(decay.half_life_error)
    assert np.isnan(decay.half_life_interval()).all()
    assert decay.explain() != decay.explain(lang="zh")
    assert decay.explain() in str(decay)


def test_a_share_that_starts_at_everybody_has_no_binomial_fit():
    for engagements in ([10, 9, 1], [10, 10, 5], [10, 5, 5], [10, 10, 0], [10, 1, 8]):
        decay = decay_of([0, 1, 2], [10, 10, 10], engagements, likelihood="binomial")
        assert decay.reason == "everybody"
        assert decay.explain() == "everybody engages at some tenure: no share is above 1"
    assert repr(decay) == "NoveltyDecay(everybody, 3 tenures)"


def test_a_start_at_everybody_alone_is_no_edge():
    # Later shares fall so fast that a line through them starts below 1.
    decay = decay_of([0, 1, 2, 3], [10, 1000, 1000, 1000], [10, 400, 200, 100], likelihood="binomial")
    assert (decay.reason, round(decay.half_life, 2)) == (None, 0.96)
    assert decay.fitted[0] < 0.9


@pytest.mark.parametrize(("exposures", "engagements"), [([5, 2, 7, 10], [5, 1, 7, 5]), ([4, 4, 6], [4, 0, 4])])
def test_an_edge_is_told_however_near_to_it_steps_have_come(exposures, engagements):
    decay = decay_of(range(len(exposures)), exposures, engagements, likelihood="binomial")
    assert decay.reason == "everybody"
    assert np.isnan(decay.b)


def test_a_share_that_falls_and_rises_as_much_does_not_decay():
    decay = decay_of([0, 1, 2, 3], [7, 6, 1, 3], [7, 1, 1, 3], likelihood="binomial")
    assert decay.reason == "no decay"


@pytest.mark.parametrize("engagements", [[10, 10, 10], [5, 10, 10], [1, 5, 10]])
def test_a_share_that_ends_at_everybody_does_not_decay(engagements):
    assert decay_of([0, 1, 2], [10, 10, 10], engagements, likelihood="binomial").reason == "no decay"


def test_novelty_of_nothing_says_so():
    nothing = decay_of([], [], [])
    assert nothing.explain() == "no exposures: nothing to go by"
    assert nothing.explain(lang="zh") == "没有曝光，无从判断"
    assert repr(nothing) == "NoveltyDecay(no exposures, 0 tenures)"
    assert repr(decay_of([3], [10], [1])) == "NoveltyDecay(one tenure, 1 tenure)"


def test_novelty_takes_what_floats_tell_exactly():
    most = decay_of([0, 2.0**53], [2**52, 2**52], [2**40, 2**39])
    assert most.half_life == pytest.approx(2.0**53, rel=1e-6)
    for columns, match in (
        (([0, 1], [2**62, 1], [1, 1]), r"exposures: expected counts up to 2\*\*53, got 4611686018427387904 at row 0"),
        (([0, 1], [2**53, 2**53], [1, 1]), r"exposures: expected counts that add up to 2\*\*53 at most, got 1\.8"),
        (([0, 1e300], [10, 10], [5, 2]), r"tenure: expected finite numbers of 0 or more, up to 2\*\*53, got 1e\+300"),
        (([0, 5e-324], [10, 10], [5, 2]), "tenure: expected first and last tenure at least 1e-9 .* apart, got 5e-324"),
        (([1e6, 1e6 + 0.5], [10, 10], [5, 2]), "tenure: expected first and last tenure .* apart, got 0.5"),
    ):
        with pytest.raises(InvalidValueError, match=match):
            decay_of(*columns)


def test_members_who_differ_widen_the_error():
    calm = decay_of([0, 1, 2, 3], [1_000] * 4, [200, 141, 100, 71])
    wild = decay_of([0, 1, 2, 3], [1_000] * 4, [240, 90, 140, 50])
    assert calm.dispersion < 1 < wild.dispersion
    assert wild.b_error == pytest.approx(math.sqrt(wild.covariance[1, 1] * wild.dispersion))
    assert calm.b_error == pytest.approx(math.sqrt(calm.covariance[1, 1]))
    assert np.isinf(wild.half_life_interval(level=0.999).upper)
    assert "∞" not in calm.explain()
    assert "区间" in calm.table(lang="zh")


def test_novelty_refuses_what_cannot_be_counted():
    with pytest.raises(InvalidValueError, match=r"tenure: expected finite numbers of 0 or more, .*got -1\.0 at row 1"):
        decay_of([0, -1], [1, 1], [1, 1])
    with pytest.raises(InvalidValueError, match="engagements: expected 0 where there are no exposures, got 2 at row 0"):
        decay_of([0, 1], [0, 1], [2, 1])
    with pytest.raises(InvalidValueError, match=r"engagements: expected no more than the exposures \(a binomial"):
        decay_of([0, 1], [1, 1], [2, 1], likelihood="binomial")
    with pytest.raises(MisalignedError, match="exposures: expected as many rows as `tenure`, which has 2"):
        decay_of([0, 1], [1], [1, 1])
    with pytest.raises(InvalidValueError, match="likelihood: expected one of 'poisson', 'binomial'"):
        decay_of([0, 1], [1, 1], [1, 1], likelihood="normal")
    with pytest.raises(InvalidValueError, match="tenure: expected one axis"):
        decay_of([[0, 1]], [[1, 1]], [[1, 1]])
    with pytest.raises(InvalidTypeError, match="engagements: expected integers"):
        decay_of([0, 1], [1, 1], [0.5, 1])
    with pytest.raises(InvalidValueError, match="reason: "):
        NoveltyDecay(tenure=[0], exposures=[1], engagements=[1], reason="bad luck")
