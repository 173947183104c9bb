from __future__ import annotations

from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.errors import UnknownLabelError
from shequn.values import Band, Dated, Money, Rate

amounts = st.integers(-(2**80), 2**80) | st.integers(-30, 30)
weights = st.lists(
    st.integers(0, 2**70) | st.fractions(0, 1_000, max_denominator=10**6) | st.floats(0, allow_infinity=False),
    min_size=1,
    max_size=12,
).filter(any)
thresholds = st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False)).map(sorted)


def minors(parts):
    return [part.minor for part in parts]


@given(amounts, weights)
def test_a_split_adds_up_exactly_and_stays_within_a_unit_of_the_exact_share(minor, shares):
    parts = minors(Money(minor, "CNY").split(shares))
    assert sum(parts) == minor
    total = sum(map(Fraction, shares))
    for part, share in zip(parts, shares, strict=True):
        assert abs(part - minor * Fraction(share) / total) < 1
        assert share or part == 0


@given(amounts, weights)
def test_a_negative_amount_splits_as_the_positive_one(minor, shares):
    assert minors(Money(-minor, "CNY").split(shares)) == [-part for part in minors(Money(minor, "CNY").split(shares))]


@given(amounts, weights, st.randoms())
def test_the_order_of_the_parts_decides_nothing_but_ties(minor, shares, random):
    order = random.sample(range(len(shares)), len(shares))
    before = minors(Money(minor, "CNY").split(shares))
    after = minors(Money(minor, "CNY").split([shares[part] for part in order]))
    assert sorted(zip(map(Fraction, shares), before, strict=True)) == sorted(
        zip((Fraction(shares[part]) for part in order), after, strict=True)
    )


@given(amounts, weights, st.integers(1, 10**9))
def test_only_the_proportion_of_the_weights_matters(minor, shares, times):
    scaled = [Fraction(share) * times for share in shares]
    assert Money(minor, "CNY").split(scaled) == Money(minor, "CNY").split(shares)


@given(amounts, st.integers(1, 40))
def test_equal_parts_differ_by_a_unit_at_most(minor, n):
    parts = minors(Money(minor, "CNY").split(n))
    assert len(parts) == n
    assert sum(parts) == minor
    assert max(parts) - min(parts) <= 1
    assert Money(minor, "CNY").split([1] * n) == Money(minor, "CNY").split(n)


@given(amounts, st.sampled_from(["CNY", "JPY", "KWD", "CLF"]))
def test_the_text_of_an_amount_reads_back_as_the_amount(minor, currency):
    money = Money(minor, currency)
    assert Money.of(*str(money).split()) == money
    assert Money.of(money.major, currency) == money


@given(st.lists(amounts))
def test_a_total_is_the_sum_of_the_units(units):
    assert Money.total((Money(unit, "CNY") for unit in units), "CNY").minor == sum(units)


@given(st.integers(1, 10**12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_rate_lies_in_its_interval(counts):
    rate = Rate(*counts)
    assert 0 <= rate.lower <= rate.value <= rate.upper <= 1


@given(thresholds, st.lists(st.tuples(st.floats(), st.booleans())))
def test_a_mask_tells_each_value_as_it_would_be_told_alone(ends, cases):
    leave, enter = ends
    band = Band(enter, leave)
    values = [value for value, _ in cases]
    inside = [was for _, was in cases]
    mask = band.mask(np.array(values, dtype=np.float64), np.array(inside, dtype=np.bool_))
    assert mask.tolist() == [band.holds(value, inside=was) for value, was in cases]


@given(thresholds, st.floats(allow_nan=False))
def test_who_would_enter_would_also_stay(ends, value):
    leave, enter = ends
    band = Band(enter, leave)
    assert band.holds(value, inside=True) >= band.holds(value, inside=False)


@given(st.lists(st.dates(), min_size=1, unique=True).map(sorted), st.dates(), st.booleans())
def test_a_dated_value_is_the_latest_of_those_begun(days, on, since_ever):
    steps = [(None if since_ever and row == 0 else day, row) for row, day in enumerate(days)]
    begun = [row for since, row in steps if since is None or since <= on]
    dated = Dated(steps)
    if begun:
        assert dated.at(on) == begun[-1]
    else:
        with pytest.raises(UnknownLabelError, match=f"^on: expected a date from {days[0]} on"):
            dated.at(on)


@given(st.dates())
def test_the_day_before_a_change_still_has_the_old_value(day):
    dated = Dated({None: "old", day: "new"})
    assert dated.at(day) == "new"
    if day > date.min:
        assert dated.at(date.fromordinal(day.toordinal() - 1)) == "old"
