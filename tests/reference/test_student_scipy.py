"""Student's t, Welch's interval and that of Bonett and Price against SciPy and the definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from shequn.stats import paired_proportions, student_quantile, student_sf, welch

DEGREES = [1, 1.5, 2, 3, 7.3, 30, 99, 101, 1_000, 1e5, 1e6]
X = np.array([-40, -3, -0.1, 0, 1e-8, 0.5, 1, 1.5, 1.7, 1.8, 2, 3, 5, 8, 20, 100])
P = np.array([1e-12, 1e-6, 0.001, 0.025, 0.2, 0.4999, 0.5, 0.6, 0.9, 0.975, 0.995, 1 - 1e-9])


@pytest.mark.parametrize("df", DEGREES)
def test_tails_are_those_of_scipy(df):
    # SciPy's tail of one degree of freedom is off by 3e-9 at 100; the Cauchy distribution is the same and exact.
    theirs = scipy_stats.cauchy.sf(X) if df == 1 else scipy_stats.t.sf(X, df)
    ours = student_sf(X, df)
    assert ours == pytest.approx(theirs, rel=1e-10, abs=1e-300)


@pytest.mark.parametrize("df", DEGREES)
def test_quantiles_are_those_of_scipy(df):
    assert student_quantile(P, df) == pytest.approx(scipy_stats.t.ppf(P, df), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("seed", range(20))
def test_the_interval_of_two_means_is_welch_s(seed):
    rng = np.random.default_rng(seed)
    ours, theirs = (rng.gamma(1, 10 ** rng.uniform(-3, 6), rng.integers(2, 40)) for _ in range(2))
    level = rng.uniform(0.5, 0.999)
    found = welch(ours.mean(), ours.var(ddof=1), len(ours), theirs.mean(), theirs.var(ddof=1), len(theirs), level=level)
    test = scipy_stats.ttest_ind(ours, theirs, equal_var=False)
    interval = test.confidence_interval(level)
    assert (found.lower, found.upper) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert found.df == pytest.approx(test.df, rel=1e-12)


def test_the_change_of_a_share_is_the_definition_of_bonett_and_price():
    gained, lost, n = np.meshgrid(range(6), range(6), range(12, 60, 9))
    lower, upper = paired_proportions(gained, lost, n, level=0.9)
    a, b = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    half = scipy_stats.norm.ppf(0.95) * np.sqrt((a + b - (a - b) ** 2) / (n + 2))
    assert lower == pytest.approx(np.clip(a - b - half, -1, 1))
    assert upper == pytest.approx(np.clip(a - b + half, -1, 1))
