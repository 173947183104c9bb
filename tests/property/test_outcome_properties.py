"""What holds of every outcome, of every interval of means and shares, and of every required sample."""

from __future__ import annotations

import math

import attrs
import numpy as np
import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.campaigns import Arm, Before, Change, Outcome, minimum_detectable, outcome, required_sample
from shequn.columns import EventLog
from shequn.entities import Campaign
from shequn.stats import newcombe, paired_proportions, student_quantile, student_sf, welch
from shequn.values import Money, Window

OPENS = pendulum.datetime(2024, 9, 10)
WEEK = Window(OPENS, OPENS.add(days=7))
BEFORE = Window(OPENS.subtract(days=7), OPENS)
CAMPAIGN = Campaign(id="own", forms={"poll"}, window=WEEK)
MEMBERS = [f"u{i}" for i in range(9)]

rows = st.lists(
    st.tuples(
        st.sampled_from(MEMBERS[:7]),
        st.sampled_from(["post", "purchase", "receive"]),
        st.integers(-8 * 24, 8 * 24),
        st.integers(-50, 5_000),
    ),
    min_size=1,
    max_size=30,
)
samples = st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e9), st.integers(2, 10**6))
dealt = st.permutations(MEMBERS).flatmap(lambda order: st.tuples(st.just(order), st.integers(1, 5), st.integers(6, 9)))


def log_of(facts):
    member, kind, hours, value = zip(*facts, strict=True)
    return EventLog.from_columns(member=member, kind=kind, at=[OPENS.add(hours=h) for h in hours], value=value)


def told(facts, treated, held_out, **options):
    usual = {"margin": 0.5, "as_of": WEEK.end, "cost": Money(700, "CNY"), "baseline": BEFORE}
    return outcome(log_of(facts), CAMPAIGN, treated=treated, held_out=held_out, **(usual | options))


@given(rows, dealt, st.randoms(use_true_random=False))
def test_order_of_rows_and_of_labels_makes_no_difference(facts, arms, random):
    order, cut, end = arms
    shuffled = random.sample(facts, len(facts))
    assert told(facts, order[:cut], order[cut:end]) == told(shuffled, set(order[:cut]), order[cut:end][::-1])


@given(rows, dealt)
def test_arms_exchanged_turn_the_sign_of_every_difference(facts, arms):
    order, cut, end = arms
    here, there = told(facts, order[:cut], order[cut:end]), told(facts, order[cut:end], order[:cut])
    for figure in ("uplift", "revenue_uplift", "revenue_change_uplift", "conversion_change_uplift"):
        value, lower, upper = getattr(here, figure)
        turned = getattr(there, figure)
        assert (turned.value, turned.upper, turned.lower) == pytest.approx((-value, -lower, -upper), nan_ok=True)


@given(rows, dealt, st.integers(1, 7 * 24))
def test_what_is_not_known_yet_makes_no_difference(facts, arms, hours):
    order, cut, end = arms
    as_of = OPENS.add(hours=hours)
    known = [fact for fact in facts if fact[2] <= hours]
    if known:
        sides = order[:cut], order[cut:end]
        full, part = told(facts, *sides, as_of=as_of), told(known, *sides, as_of=as_of)
        assert full == part


@given(rows, dealt)
def test_the_adjustment_never_adds_variance_and_counts_are_ordered(facts, arms):
    order, cut, end = arms
    found = told(facts, order[:cut], order[cut:end])
    if min(cut, end - cut) > 1:
        assert -1e-9 <= found.variance_reduction <= 1 + 1e-9
    for arm in (found.treated, found.held_out):
        assert arm.converted <= arm.participated
        assert arm.before.change.gained - arm.before.change.lost == arm.converted - arm.before.converted


@given(rows, dealt)
def test_the_columns_are_those_of_the_figures(facts, arms):
    order, cut, end = arms
    found = told(facts, order[:cut], order[cut:end])
    table = {row.metric: row for row in found.rows()}
    assert table["converted"][3:] == tuple(found.uplift)
    assert table["roi"].difference == pytest.approx(found.roi.value)
    assert table["incremental_revenue"].difference == found.incremental_revenue.value.minor
    assert found.incremental_revenue.value.minor == pytest.approx(found.revenue_uplift.value * cut, abs=0.5001)


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_uplift_is_newcombe_s_interval(n, m, data):
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    found = Outcome(
        campaign=CAMPAIGN, treated=Arm(members=n, converted=a), held_out=Arm(members=m, converted=b),
        as_of=OPENS, margin=0,
    )  # fmt: skip
    assert tuple(found.uplift)[1:] == newcombe(a, n, b, m)


@given(st.integers(2, 50), st.integers(0, 25), st.integers(0, 25), st.integers(2, 50))
def test_the_change_of_two_arms_lies_in_its_interval(n, gained, lost, m):
    gained, lost = min(gained, n), min(lost, n - min(gained, n))
    ours = Arm(members=n, converted=gained, before=Before(converted=lost, change=Change(gained=gained, lost=lost)))
    theirs = Arm(members=m, before=Before(converted=0, change=Change(gained=0, lost=0)))
    found = Outcome(campaign=CAMPAIGN, treated=ours, held_out=theirs, as_of=OPENS, margin=0).conversion_change_uplift
    assert found.lower <= found.value <= found.upper


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.floats(0.01, 0.999))
def test_the_interval_of_a_paired_change_holds_it_and_turns_with_it(gained, lost, others, level):
    n = gained + lost + others
    lower, upper = paired_proportions(gained, lost, n, level=level)
    if not n:
        assert np.isnan(lower)
        return
    assert -1 <= lower <= (gained - lost) / n <= upper <= 1
    assert paired_proportions(lost, gained, n, level=level) == pytest.approx((-upper, -lower))


@given(st.floats(1e-9, 1 - 1e-9), st.floats(1, 1e6))
def test_quantile_and_tail_of_student_s_t_are_inverse(p, df):
    x = student_quantile(p, df)
    assert student_sf(x, df) == pytest.approx(1 - p, rel=1e-8, abs=1e-15)
    assert student_quantile(1 - p, df) == pytest.approx(-x, rel=1e-5, abs=1e-9)


@given(samples, samples)
def test_welch_s_degrees_of_freedom_lie_between_those_of_the_arms(first, second):
    found = welch(*first, *second)
    (_, _, n1), (_, _, n2) = first, second
    assert found.lower <= found.difference <= found.upper
    assert min(n1, n2) - 1 <= found.df * (1 + 1e-9)
    assert found.df <= (n1 + n2 - 2) * (1 + 1e-9)


@given(st.floats(0.01, 0.9), st.floats(0.01, 0.09), st.floats(0.05, 0.95), st.floats(0.5, 0.99))
def test_more_power_takes_more_members_and_they_detect_no_more_than_was_asked(rate, uplift, share, power):
    size = required_sample(rate, uplift, share=share, power=power)
    assert size.total <= required_sample(rate, uplift, share=share, power=min(power + 0.005, 0.995)).total
    assert size.treated >= share * (size.total - 2) - 1e-6
    found = minimum_detectable(rate, size.total, share=share, power=power)
    assert found <= uplift * (1 + 1e-9)
    assert math.isnan(minimum_detectable(rate, 2, power=0.99)) or rate < 1


@given(rows, dealt)
def test_an_outcome_built_again_from_its_fields_is_the_same(facts, arms):
    order, cut, end = arms
    found = told(facts, order[:cut], order[cut:end])
    assert attrs.evolve(found) == found
    assert Outcome(**attrs.asdict(found, recurse=False)) == found
