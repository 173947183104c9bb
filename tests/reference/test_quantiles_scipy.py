"""Quantiles against NumPy's, and the ranks of their intervals against scipy's binomial."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
import scipy.stats

from shequn.stats import quantile_interval, weighted_quantile
from shequn.stats.quantiles import _binomial

SHARES = [1e-6, 0.003, 0.1, 0.37, 0.5, 0.9, 0.99, 1 - 1e-6]
SIZES = [1, 2, 7, 30, 365, 10_000, 1_000_000, 10_000_000]
LEVELS = [0.5, 0.8, 0.95, 0.999, 1 - 1e-9]


@pytest.mark.parametrize("n", [1, 2, 9, 100, 997])
def test_a_quantile_is_that_of_the_values_written_out(n):
    rng = np.random.default_rng(n)
    values, counts = np.unique(rng.geometric(0.1, n), return_counts=True)
    shares = rng.random(50)
    expected = np.quantile(np.repeat(values, counts), shares, method="inverted_cdf")
    np.testing.assert_array_equal(weighted_quantile(values, counts, shares), expected)


# Of ten million trials with one chance in a million scipy itself is off by 3e-10; the next test has that case.
@pytest.mark.parametrize(("n", "q"), [(n, q) for n in SIZES for q in SHARES if (n, q) != (10_000_000, 1e-6)])
def test_the_chances_of_hits_agree_with_scipy(n, q):
    first, chances = _binomial(n, q)
    binomial = scipy.stats.binom(n, q)
    hits = first + np.arange(len(chances))
    assert binomial.cdf(first - 1) + binomial.sf(hits[-1]) < 1e-30
    # Farther out scipy itself is off: at n = 10**7 by 1e-8 where the tail is 1e-25.
    expected = binomial.cdf(hits)
    is_exact = expected > 1e-15
    np.testing.assert_allclose(np.cumsum(chances)[is_exact], expected[is_exact], rtol=1e-10)


@pytest.mark.parametrize(("n", "q"), [(10_000_000, 1e-6), (1_000_000, 0.1), (10_000_000, 0.37)])
def test_the_chances_of_hits_keep_their_digits_far_out(n, q):
    first, chances = _binomial(n, q)
    with localcontext(prec=40):
        share = Decimal(q)
        expected = [Decimal(1)]
        for hits in range(first, first + len(chances) - 1):
            expected.append(expected[-1] * (n - hits) / (hits + 1) * share / (1 - share))
        total = sum(expected)
        known = np.array([float(chance / total) for chance in expected])
    np.testing.assert_allclose(chances, known, rtol=1e-11, atol=1e-300)


@pytest.mark.parametrize("q", SHARES)
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("level", LEVELS)
def test_the_ranks_are_the_innermost_that_keep_each_tail_at_bay(n, q, level):
    binomial, half = scipy.stats.binom(n, q), (1 - level) / 2
    values = np.arange(1, n + 1) if n <= 10_000 else None
    r, s = ranks(n, q, level, values)
    slack = 1 + 1e-9
    if not np.isnan(r):
        assert binomial.cdf(r - 1) <= half * slack
    assert binomial.cdf(0 if np.isnan(r) else r) * slack > half
    if not np.isnan(s):
        assert binomial.sf(s - 1) <= half * slack
    assert binomial.sf((n if np.isnan(s) else s - 1) - 1) * slack > half


def ranks(n, q, level, values):
    """The ranks of an interval; of a long table, the values written out would take too much room: only those near."""
    if values is None:
        first, chances = _binomial(n, q)
        near = np.arange(max(first, 1), min(first + len(chances), n) + 1)
        counts = np.ones(len(near), dtype=np.int64)
        counts[0], values = near[0], np.append(near, n)
        counts = np.append(counts, n - near[-1])
        return quantile_interval(values, counts, q, level=level)
    return quantile_interval(values, np.ones(n, dtype=np.int64), q, level=level)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.77])
@pytest.mark.parametrize("n", [20, 57, 300])
def test_the_interval_covers_as_often_as_it_says(n, q):
    values = np.arange(1, n + 1)
    for level in (0.8, 0.95):
        r, s = quantile_interval(values, np.ones(n, dtype=np.int64), q, level=level)
        r = np.nan_to_num(r)  # an end that is missing bounds nothing
        below = scipy.stats.binom(n, q)
        assert below.cdf(s - 1) - below.cdf(r - 1) >= level


def test_the_interval_of_a_quantile_agrees_with_scipy_where_that_is_two_sided():
    sample = np.sort(np.random.default_rng(5).normal(size=150))
    counts = np.ones(150, dtype=np.int64)
    for q in (0.1, 0.25, 0.5, 0.9):
        expected = scipy.stats.quantile_test(sample, p=q).confidence_interval(0.95)
        np.testing.assert_array_equal(quantile_interval(sample, counts, q), expected)
