"""Odds ratios and the test of two proportions against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import scipy.stats.contingency

from shequn.stats import chi_square_homogeneity, odds_ratio, two_proportions


@pytest.mark.parametrize("size", [5, 50, 100_000])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_the_odds_ratio_and_its_interval_agree_with_scipy(size, level):
    tables = np.random.default_rng(size).integers(1, size, (20, 2, 2))
    ratio = odds_ratio(*tables.reshape(20, 4).T, level=level)
    for row, table in enumerate(tables):
        expected = scipy.stats.contingency.odds_ratio(table, kind="sample")
        interval = expected.confidence_interval(confidence_level=level)
        assert ratio.estimate[row] == pytest.approx(expected.statistic, rel=1e-12)
        assert (ratio.lower[row], ratio.upper[row]) == pytest.approx((interval.low, interval.high), rel=1e-10)


@pytest.mark.parametrize("size", [5, 50, 100_000])
def test_the_p_value_of_an_odds_ratio_is_that_of_its_interval(size):
    tables = np.random.default_rng(size).integers(0, size, (20, 4))
    ratio = odds_ratio(*tables.T)
    error = (np.log(ratio.upper) - np.log(ratio.lower)) / (2 * scipy.stats.norm.ppf(0.975))
    expected = 2 * scipy.stats.norm.sf(np.abs(np.log(ratio.estimate)) / error)
    assert np.isfinite(expected).sum() >= 15
    np.testing.assert_allclose(ratio.p_value, expected, rtol=1e-9)


@pytest.mark.parametrize("size", [3, 50, 100_000])
def test_the_test_of_two_proportions_is_the_chi_square_of_their_table(size):
    rng = np.random.default_rng(size)
    hits, misses = rng.integers(1, size, (2, 30, 2))
    p_values = two_proportions(hits[:, 0], (hits + misses)[:, 0], hits[:, 1], (hits + misses)[:, 1])
    for row, table in enumerate(np.stack([hits, misses], axis=-1)):
        expected = scipy.stats.chi2_contingency(table, correction=False).pvalue
        assert p_values[row] == pytest.approx(expected, rel=1e-8, abs=1e-300)
        assert p_values[row] == pytest.approx(chi_square_homogeneity(table).p_value, rel=1e-8, abs=1e-300)
