from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shequn.entities import Tier, TierLadder
from shequn.labels import Assignment, Index
from shequn.values import Band

CODES = ["a", "b", "c", "d"]
WHOLE = st.integers(-50, 200) | st.integers(2**53 - 3, 2**53 + 3) | st.integers(-(2**63), 2**63 - 1)
REAL = st.floats(-50, 200) | st.floats(allow_nan=False) | st.integers(-50, 200).map(float)


@st.composite
def ladders(draw):
    numbers = draw(st.sampled_from([WHOLE, REAL.filter(np.isfinite)]))
    enters = sorted(draw(st.lists(numbers, min_size=1, max_size=4, unique=True)))
    lowest = st.sampled_from([enters[0], -np.inf])
    leaves = sorted(min(enter, draw(numbers | lowest)) for enter in enters)
    return TierLadder(
        tiers=[
            Tier(code=code, rank=rank, threshold=Band(enter, leave))
            for rank, (code, enter, leave) in enumerate(zip(CODES, enters, leaves, strict=False))
        ]
    )


@st.composite
def crowds(draw, numbers):
    ladder = draw(ladders())
    thresholds = [x for tier in ladder.tiers for x in (tier.threshold.enter, tier.threshold.leave)]
    near = st.sampled_from(thresholds).filter(lambda x: abs(x) < 2**62)
    if numbers is WHOLE:
        near = near.map(int).flatmap(lambda x: st.integers(x - 1, x + 1))
    else:
        near = near.map(float).flatmap(
            lambda x: st.sampled_from([x, np.nextafter(x, -np.inf), np.nextafter(x, np.inf)])
        )
    amount = near | numbers if any(abs(x) < 2**62 for x in thresholds) else numbers
    codes = [tier.code for tier in ladder.tiers]
    people = draw(st.lists(st.tuples(amount, st.none() | st.sampled_from(codes)), max_size=12))
    return ladder, [earned for earned, _ in people], [code for _, code in people]


def position(ladder, code):
    return -1 if code is None else [tier.code for tier in ladder.tiers].index(code)


def by_the_definition(ladder, earned, current):
    """The rule as an operator would walk it, in exact fractions: climb while one can, else fall while one must."""

    def at_least(threshold):
        return (
            threshold == -np.inf or earned == np.inf or (earned != -np.inf and Fraction(earned) >= Fraction(threshold))
        )

    rung = position(ladder, current)
    for above in range(len(ladder.tiers) - 1, rung, -1):
        if at_least(ladder.tiers[above].threshold.enter):
            return above
    while rung >= 0 and not at_least(ladder.tiers[rung].threshold.leave):
        rung -= 1
    return rung


def check_all_agree(ladder, earned, current, column):
    one_by_one = [ladder.place(earned=e, current=c).code for e, c in zip(earned, current, strict=True)]
    assert [position(ladder, code) for code in one_by_one] == [
        by_the_definition(ladder, e, c) for e, c in zip(earned, current, strict=True)
    ]
    assert ladder.place_all(column, current=current).labels().tolist() == one_by_one
    members = Index([f"m{i}" for i in range(len(earned))])
    before = Assignment.from_labels(members, current, segments=reversed([tier.code for tier in ladder.tiers]))
    assert ladder.place_all(column, current=before) == Assignment.from_labels(
        members, one_by_one, segments=[tier.code for tier in ladder.tiers], ordered=True
    )


@given(crowds(WHOLE))
def test_placing_all_is_placing_each_and_both_are_the_definition_on_integers(crowd):
    ladder, earned, current = crowd
    earned = [min(max(e, -(2**63)), 2**63 - 1) for e in earned]
    check_all_agree(ladder, earned, current, np.array(earned, dtype=np.int64))
    check_all_agree(ladder, earned, current, earned)


@given(crowds(REAL))
def test_placing_all_is_placing_each_and_both_are_the_definition_on_floats(crowd):
    ladder, earned, current = crowd
    check_all_agree(ladder, earned, current, np.array(earned, dtype=np.float64))


@given(ladders(), REAL, st.sampled_from([None, *CODES]))
def test_placing_twice_is_placing_once(ladder, earned, current):
    if current not in [tier.code for tier in ladder.tiers]:
        current = None
    once = ladder.place(earned=earned, current=current)
    again = ladder.place(earned=earned, current=once.code)
    assert again.code == once.code
    assert again.moved == "held"


@given(ladders(), REAL, REAL, st.sampled_from([None, *CODES]))
def test_who_earned_more_is_never_lower(ladder, one, other, current):
    if current not in [tier.code for tier in ladder.tiers]:
        current = None
    low, high = sorted([one, other])
    placed = [position(ladder, ladder.place(earned=earned, current=current).code) for earned in (low, high)]
    assert placed[0] <= placed[1]


@given(ladders(), REAL)
def test_a_higher_tier_before_is_never_a_lower_tier_now(ladder, earned):
    placed = [position(ladder, ladder.place(earned=earned, current=tier.code).code) for tier in ladder.tiers]
    assert placed == sorted(placed)


@given(ladders(), st.lists(REAL, max_size=20))
def test_a_member_moves_only_by_crossing_the_threshold_of_that_direction(ladder, history):
    current = None
    for earned in history:
        placement = ladder.place(earned=earned, current=current)
        if placement.moved == "up":
            assert earned >= placement.tier.threshold.enter
        elif placement.moved == "down":
            assert earned < placement.previous.threshold.leave
        if placement.tier is not None:
            assert earned >= placement.tier.threshold.leave
        if placement.next_tier is not None:
            assert earned < placement.next_tier.threshold.enter
            assert placement.gap >= 0
        current = placement.code


@given(st.integers(1, 10**30), st.integers(0, 100))
def test_the_threshold_to_leave_is_the_least_integer_not_below_the_share(enter, percent):
    leave = TierLadder.of({"a": enter}, leave=percent / 100).tiers[0].threshold.leave
    assert leave * 100 >= enter * percent > (leave - 1) * 100


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=5, unique=True), st.floats(0, 1))
def test_any_rising_integers_and_any_share_make_a_ladder(enters, share):
    ladder = TierLadder.of({f"t{enter}": enter for enter in sorted(enters)}, leave=share)
    assert all(type(tier.threshold.leave) is int for tier in ladder.tiers)


@given(
    st.lists(st.integers(-100, 10**6) | st.floats(-100, 10**6), min_size=1, max_size=5, unique=True), st.floats(0, 1)
)
def test_any_rising_numbers_and_any_share_make_a_ladder(enters, share):
    ladder = TierLadder.of({f"t{enter}": enter for enter in sorted(enters)}, leave=share)
    assert len(ladder.tiers) == len(enters)
