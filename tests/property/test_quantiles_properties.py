from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shequn.stats import holm, odds_ratio, quantile_interval, two_proportions, weighted_quantile

counts = st.integers(0, 1_000) | st.integers(0, 10**9)
tables = st.lists(counts, min_size=1, max_size=12)
shares = st.floats(1e-6, 1 - 1e-6)
levels = st.floats(1e-17, 0.999)
cells = st.tuples(*[st.integers(0, 200)] * 4)
p_values = st.lists(st.floats(0, 1) | st.just(float("nan")), max_size=12)


def smallest_with(column, q):
    """The row of the smallest value with a cumulative count of at least q n, and whether q n is a near tie."""
    n, reached = sum(column), 0
    rank = max(Fraction(q) * n, 1)
    for row, count in enumerate(column):
        reached += count
        if reached >= rank:
            return row, abs(rank - round(rank)) < rank * Fraction(1, 10**14)
    return None, False


@given(tables, st.floats(0, 1))
def test_a_quantile_is_the_inverse_of_the_empirical_distribution(column, q):
    row, is_tie = smallest_with(column, q)
    value = float(weighted_quantile(np.arange(len(column)), column, q))
    if row is None:
        assert np.isnan(value)
    elif not is_tie:
        assert value == row


@given(tables, st.lists(shares, min_size=2, max_size=6), levels)
def test_quantiles_rise_with_the_share_and_lie_between_the_ends(column, q, level):
    values, q = np.arange(len(column)), np.sort(q)
    middle = weighted_quantile(values, column, q)
    lower, upper = quantile_interval(values, column, q, level=level)
    assert not (np.diff(middle) < 0).any()
    assert not (lower > middle).any()
    assert not (upper < middle).any()
    for end, missing in ((lower, -np.inf), (upper, np.inf)):
        filled = np.nan_to_num(end, nan=missing)
        assert (filled[1:] >= filled[:-1]).all()


# Thirds of a thousandth: at a level that a tail meets exactly, rounding decides.
@given(tables, st.integers(1, 99).map(lambda n: n / 100), st.integers(1, 998).map(lambda n: (n + 1 / 3) / 1000))
def test_the_interval_of_a_mirrored_table_is_the_mirror_image(column, q, level):
    values = np.arange(len(column))
    lower, upper = quantile_interval(values, column, q, level=level)
    mirrored = quantile_interval(-values[::-1], column[::-1], 1 - q, level=level)
    np.testing.assert_array_equal([-mirrored.upper, -mirrored.lower], [lower, upper])


@given(cells)
def test_an_odds_ratio_turns_over_when_groups_or_outcomes_change_places(table):
    a, b, c, d = table
    ratio, groups, outcomes = odds_ratio(a, b, c, d), odds_ratio(c, d, a, b), odds_ratio(b, a, d, c)
    for other in (groups, outcomes):
        expected = (1 / other.estimate, 1 / other.upper, 1 / other.lower, other.p_value)
        np.testing.assert_allclose(ratio, expected, rtol=1e-9)


@given(cells)
def test_the_interval_of_an_odds_ratio_holds_one_where_the_p_value_is_above_its_level(table):
    ratio = odds_ratio(*table, level=0.9)
    if abs(ratio.p_value - 0.1) > 1e-9:
        assert (ratio.lower < 1 < ratio.upper) == (ratio.p_value > 0.1)


@given(cells)
def test_the_test_of_two_proportions_does_not_care_which_is_first_or_what_is_a_hit(table):
    a, b, c, d = table
    p_value = two_proportions(a, a + b, c, c + d)
    np.testing.assert_allclose(two_proportions(c, c + d, a, a + b), p_value, rtol=1e-9)
    np.testing.assert_allclose(two_proportions(b, a + b, d, c + d), p_value, rtol=1e-9)
    assert np.isnan(p_value) == (not a + b or not c + d)


@given(p_values, st.randoms())
def test_holm_keeps_the_order_and_never_lowers(given_values, random):
    adjusted = holm(given_values)
    values = np.array(given_values, dtype=float)
    assert not (adjusted < values).any()
    assert not (adjusted > 1).any()
    np.testing.assert_array_equal(np.isnan(adjusted), np.isnan(values))
    order = np.argsort(values)
    assert not (np.diff(adjusted[order]) < 0).any()
    shuffled = random.sample(range(len(values)), len(values))
    np.testing.assert_array_equal(holm(values[shuffled]), adjusted[shuffled])
