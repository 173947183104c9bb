"""Beta distributions, the likelihood of beta-binomial rows and its maximum against SciPy; coverage by simulation."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import scipy.stats

from shequn.stats import beta_cdf, beta_quantile, pool_rates
from shequn.stats.gammas import digamma_gap, trigamma_gap


@pytest.mark.parametrize(("least", "most"), [(-3, -1), (-3, 2), (-2, 3), (0, 5), (2, 7)])
def test_beta_distributions_agree_with_scipy(least, most):
    rng = np.random.default_rng(11)
    a, b = 10.0 ** rng.uniform(least, most, (2, 1500))
    p = np.concatenate([rng.random(900), 10.0 ** rng.uniform(-12, -1, 300), 1 - 10.0 ** rng.uniform(-12, -1, 300)])
    expected = scipy.special.betaincinv(a, b, p)
    np.testing.assert_allclose(beta_quantile(p, a, b), expected, rtol=1e-10, atol=1e-290)
    inside = (expected > 1e-290) & (expected < 1)
    found = beta_cdf(expected[inside], a[inside], b[inside])
    np.testing.assert_allclose(found, scipy.special.betainc(a, b, expected)[inside], rtol=1e-10, atol=1e-13)


def test_a_beta_far_apart_in_its_shapes_agrees_with_scipy():
    rng = np.random.default_rng(5)
    a, b = 10.0 ** rng.uniform(-2, 7, (2, 1500))
    p = rng.random(1500)
    np.testing.assert_allclose(beta_quantile(p, a, b), scipy.special.betaincinv(a, b, p), rtol=1e-9, atol=1e-12)


def test_differences_of_digamma_and_trigamma_agree_with_scipy():
    x, more = 10.0 ** np.random.default_rng(2).uniform(-3, 3, (2, 2000))
    expected = scipy.special.digamma(x + more) - scipy.special.digamma(x)
    np.testing.assert_allclose(digamma_gap(x, more), expected, rtol=1e-9)
    expected = scipy.special.polygamma(1, x + more) - scipy.special.polygamma(1, x)
    np.testing.assert_allclose(trigamma_gap(x, more), expected, rtol=1e-7)
    np.testing.assert_allclose(digamma_gap(np.array([1e12]), np.array([3.0])), 3e-12, rtol=1e-10)


@pytest.mark.parametrize(
    ("k", "most", "alpha", "beta"),
    [(8, 100, 2, 8), (60, 50, 2, 8), (200, 500, 5, 95), (40, 4, 1, 1), (30, 10, 0.1, 0.2)],
)
def test_the_maximum_of_the_likelihood_is_where_a_derivative_free_search_finds_it(k, most, alpha, beta):
    rng = np.random.default_rng(3)
    trials = rng.integers(1, most + 1, k)
    hits = rng.binomial(trials, rng.beta(alpha, beta, k))

    def misfit(logs):
        return -scipy.stats.betabinom.logpmf(hits, trials, *np.exp(logs)).sum()

    best = scipy.optimize.minimize(misfit, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-11})
    pooled = pool_rates(hits, trials)
    assert pooled.pooling == "partial"
    assert misfit(np.log([pooled.alpha, pooled.beta])) <= best.fun + 1e-8
    np.testing.assert_allclose([pooled.alpha, pooled.beta], np.exp(best.x), rtol=1e-4)
    np.testing.assert_allclose(pooled.mean, (pooled.alpha + hits) / (pooled.strength + trials), rtol=1e-14)


def test_with_many_rows_the_interval_is_that_of_the_beta_distribution_of_the_row():
    rng = np.random.default_rng(4)
    trials = rng.integers(1, 200, 3000)
    hits = rng.binomial(trials, rng.beta(3, 30, 3000))
    pooled = pool_rates(hits, trials)
    shapes = pooled.alpha + hits, pooled.beta + trials - hits
    np.testing.assert_allclose(pooled.lower, scipy.stats.beta.ppf(0.025, *shapes), rtol=0.03)
    np.testing.assert_allclose(pooled.upper, scipy.stats.beta.ppf(0.975, *shapes), rtol=0.01)


def test_with_few_rows_the_interval_is_wider_by_what_is_not_known_of_the_distribution():
    hits, trials = np.array([3, 9, 20, 45, 12, 30]), np.array([40, 100, 80, 100, 90, 70])
    pooled = pool_rates(hits, trials)
    at, step = np.array([pooled.alpha, pooled.beta]), 1e-3

    def fit(moved):
        return scipy.stats.betabinom.logpmf(hits, trials, *(at + moved)).sum()

    axes = np.eye(2) * step
    information = [
        [-(fit(p + q) - fit(p - q) - fit(q - p) + fit(-p - q)) / (4 * step * step) for q in axes] for p in axes
    ]
    slopes = [(shape(p) - shape(-p)) / (2 * step) for p in axes for shape in [lambda m: _mean(hits, trials, at + m)]]
    more = np.einsum("in,ij,jn->n", slopes, np.linalg.inv(information), slopes)
    shapes = pooled.alpha + hits, pooled.beta + trials - hits
    own = scipy.stats.beta.var(*shapes)
    weight = pooled.mean * (1 - pooled.mean) / (own + more) - 1
    widened = scipy.stats.beta.ppf(0.025, pooled.mean * weight, (1 - pooled.mean) * weight)
    np.testing.assert_allclose(pooled.lower, widened, rtol=1e-3)
    plain = scipy.stats.beta.ppf(0.025, *shapes)
    assert np.all(pooled.lower < plain)
    assert pooled.lower[0] < 0.93 * plain[0]


def _mean(hits, trials, shapes):
    return (shapes[0] + hits) / (shapes.sum() + trials)


def test_intervals_of_some_hundred_rows_cover_what_they_promise_and_shrinkage_lowers_the_error():
    rng = np.random.default_rng(6)
    covered, errors = [], []
    for _ in range(40):
        trials = rng.integers(5, 200, 100)
        rates = rng.beta(3, 20, 100)
        hits = rng.binomial(trials, rates)
        pooled = pool_rates(hits, trials)
        covered.append(np.mean((pooled.lower <= rates) & (rates <= pooled.upper)))
        errors.append([np.mean((pooled.mean - rates) ** 2), np.mean((hits / trials - rates) ** 2)])
    assert np.mean(covered) == pytest.approx(0.95, abs=0.01)
    shrunk, raw = np.mean(errors, axis=0)
    assert shrunk < 0.8 * raw
