from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shequn.stats import chi2_sf, chi_square_homogeneity, newcombe, normal_cdf, normal_quantile, normal_sf, wilson

trials = st.integers(1, 2**63 - 1) | st.integers(1, 50)
levels = st.floats(0, 1, exclude_min=True, exclude_max=True)
samples = trials.flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
small_samples = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(st.floats(allow_nan=False))
def test_the_two_normal_tails_mirror_each_other(x):
    assert normal_sf(x) == normal_cdf(-x)
    assert abs(normal_sf(x) + normal_cdf(x) - 1) < 1e-15


@given(st.floats(-37, 8))
def test_the_quantile_undoes_the_lower_tail(x):
    p = normal_cdf(x)
    # In the upper half the probability itself is rounded near 1.
    slack = 1e-12 * max(1, abs(x)) + 2.3e-16 / np.exp(-x * x / 2) * (x > 0) * 3
    assert abs(normal_quantile(p) - x) <= slack


@given(st.floats(0, 3_000), st.floats(0, 3_000), st.integers(1, 3_000))
def test_the_chi_square_tail_never_rises_with_the_statistic(x, y, df):
    left, right = sorted((x, y))
    # Neighbouring statistics may differ by less than the rounding of the answer.
    assert chi2_sf(right, df) <= chi2_sf(left, df) * (1 + 1e-12)
    assert 0 <= chi2_sf(x, df) <= 1


@given(st.floats(0, 3_000), st.integers(1, 3_000))
def test_the_chi_square_tail_rises_with_the_degrees_of_freedom(x, df):
    assert chi2_sf(x, df) <= chi2_sf(x, df + 1) * (1 + 1e-12)


@given(samples, levels)
def test_a_wilson_interval_lies_in_zero_to_one_and_holds_the_share(sample, level):
    hits, n = sample
    lower, upper = wilson(hits, n, level=level)
    assert 0 <= lower <= np.float64(hits) / np.float64(n) <= upper <= 1


@given(small_samples, st.floats(0.01, 0.9999))
def test_a_wilson_interval_of_the_misses_is_the_mirror_image(sample, level):
    hits, n = sample
    lower, upper = wilson(hits, n, level=level)
    mirrored_lower, mirrored_upper = wilson(n - hits, n, level=level)
    np.testing.assert_allclose([mirrored_lower, mirrored_upper], [1 - upper, 1 - lower], rtol=0, atol=1e-14)


@given(st.integers(1, 10_000), st.floats(0.01, 0.9999))
def test_both_wilson_ends_rise_with_the_hits(n, level):
    hits = np.unique(np.linspace(0, n, 50).astype(np.int64))
    lower, upper = wilson(hits, n, level=level)
    assert np.all(np.diff(lower) > 0)
    assert np.all(np.diff(upper) > 0)


@given(small_samples, st.integers(2, 1_000))
def test_more_trials_at_the_same_share_narrow_a_wilson_interval(sample, times):
    hits, n = sample
    lower, upper = wilson([hits, hits * times], [n, n * times])
    assert upper[1] - lower[1] < upper[0] - lower[0]


@given(samples, samples, levels)
def test_newcombe_changes_sign_when_the_samples_change_places(first, second, level):
    there = newcombe(*first, *second, level=level)
    back = newcombe(*second, *first, level=level)
    assert (back.lower, back.upper) == (-there.upper, -there.lower)


@given(samples, samples, levels)
def test_newcombe_holds_the_difference_and_stays_in_range(first, second, level):
    lower, upper = newcombe(*first, *second, level=level)
    difference = np.float64(first[0]) / first[1] - np.float64(second[0]) / second[1]
    assert -1 <= lower <= difference <= upper <= 1


@given(st.lists(st.lists(st.integers(0, 500), min_size=3, max_size=3), min_size=2, max_size=6), st.randoms())
def test_homogeneity_ignores_the_order_of_groups_and_outcomes(table, random):
    rows = random.sample(range(len(table)), len(table))
    columns = random.sample(range(3), 3)
    before = chi_square_homogeneity(table)
    after = chi_square_homogeneity(np.array(table)[rows][:, columns])
    np.testing.assert_allclose(after[:4], before[:4], rtol=1e-9, atol=1e-12)
    assert sorted(rows[row] for row in after.dropped_rows) == list(before.dropped_rows)
