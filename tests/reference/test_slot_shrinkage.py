"""Is the estimate of an hour of the week better than its raw rate, and are its intervals honest? By simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from shequn.content import SlotResponse
from shequn.content import _slot_model as model

DAY = np.arange(24)


def rates(kind, rng):
    of_hour = 0.8 * np.sin((DAY - 14) / 24 * 2 * np.pi) + 0.5 * np.exp(-(((DAY - 21) / 2) ** 2))
    log_odds = -2.2 + of_hour + rng.normal(0, 0.2, (7, 1)) + np.zeros((7, 24))
    if kind == "straying":
        log_odds = log_odds + rng.normal(0, 0.4, (7, 24))
    if kind == "without a pattern":
        log_odds = -2.2 + rng.normal(0, 1.0, (7, 24))
    if kind == "all the same":
        log_odds = np.full((7, 24), -2.2)
    return (1 / (1 + np.exp(-log_odds))).ravel()


def posted(truth, rng, *, clustering=0.0, reached=40):
    """Some hours see many posts, and many see none."""
    slot = np.repeat(np.arange(168), rng.poisson(3 * rng.gamma(1, 1, 168)))
    rate = truth[slot]
    if clustering:
        strength = 1 / clustering - 1
        rate = rng.beta(rate * strength, (1 - rate) * strength)
    trials = np.full(len(slot), reached)
    return SlotResponse(slot=slot, hits=rng.binomial(reached, rate), trials=trials)


# (kind, clustering, largest share of the raw squared error, least coverage of 95 % intervals)
WORLDS = [
    ("of hours and days", 0.0, 0.2, 0.93),
    ("straying", 0.05, 0.6, 0.90),
    ("without a pattern", 0.0, 1.05, 0.90),
    ("all the same", 0.05, 0.1, 0.95),
]


@pytest.mark.parametrize(("kind", "clustering", "share", "coverage"), WORLDS, ids=[world[0] for world in WORLDS])
def test_it_errs_less_than_raw_rates_and_its_intervals_hold_what_they_promise(kind, clustering, share, coverage):
    ours, raw, covered = [], [], []
    for run in range(4):
        rng = np.random.default_rng([5, run])
        truth = rates(kind, rng)
        response = posted(truth, rng, clustering=clustering)
        pooled = response.hits.sum() / response.trials.sum()
        plain = np.where(response.posts > 0, np.nan_to_num(response.rates), pooled)
        ours.append(((response.mean - truth) ** 2).mean())
        raw.append(((plain - truth) ** 2).mean())
        covered.append(((response.lower <= truth) & (truth <= response.upper)).mean())
    assert np.mean(ours) < share * np.mean(raw)
    assert np.mean(covered) > coverage


def test_clustering_is_found_where_there_is_some():
    found = {}
    for clustering in (0.0, 0.05, 0.2):
        rng = np.random.default_rng(3)
        found[clustering] = posted(rates("straying", rng), rng, clustering=clustering).clustering
    for clustering, estimate in found.items():
        assert abs(estimate - clustering) < 0.015 + 0.3 * clustering


def test_clustering_is_that_of_the_analysis_of_variance():
    rng = np.random.default_rng(8)
    slot, trials = rng.integers(0, 5, 30), rng.integers(1, 60, 30)
    hits = rng.binomial(trials, rng.uniform(0.1, 0.9, 30))
    people = [(s, post, 1.0 * (i < hits[post])) for post, s in enumerate(slot) for i in range(trials[post])]
    groups = {
        s: {post: [y for a, b, y in people if (a, b) == (s, post)] for post in np.flatnonzero(slot == s)}
        for s in np.unique(slot)
    }
    between = within = df = size = 0.0
    for posts in groups.values():
        everybody = np.concatenate(list(posts.values()))
        between += sum(len(y) * (np.mean(y) - everybody.mean()) ** 2 for y in posts.values())
        within += sum(((np.array(y) - np.mean(y)) ** 2).sum() for y in posts.values())
        df += len(posts) - 1
        size += len(everybody) - sum(len(y) ** 2 for y in posts.values()) / len(everybody)
    between, within, size = between / df, within / (len(people) - len(slot)), size / df
    expected = (between - within) / (between + (size - 1) * within)
    assert model.clustering_of(slot, hits, trials) == pytest.approx(expected, rel=1e-9)


def test_midnight_is_as_close_to_the_hour_before_as_any_hour_is():
    hits, trials = np.zeros((2, 168))
    for day in range(7):
        trials[day * 24 + 23], hits[day * 24 + 23] = 100, 60
        trials[day * 24 + 12], hits[day * 24 + 12] = 100, 10
    expected = model.fit_slots(hits, trials, n_days=7).expected.reshape(7, 24).mean(axis=0)
    assert expected[0] == pytest.approx(expected[22], abs=0.03)
    assert expected[0] > expected[3] > expected[9]


def world(rng, n=20):
    hits, trials = rng.integers(0, 10, n).astype(float), np.full(n, 12.0)
    design = model._design(2)[:n]
    precision, log_det = model._precisions(np.array([0.5, 1.0]), np.array([0.25, 0.6]), 2)
    strength = np.array([[20.0], [3.0]])
    return model._World(design, hits, trials, strength, precision), log_det


def test_the_density_is_the_beta_binomial_one_with_normal_effects():
    rng = np.random.default_rng(1)
    known, log_det = world(rng)
    effects = rng.normal(0, 0.3, (2, 27))
    ours = known.log_density(effects) + 0.5 * log_det
    gap = []
    for g in range(2):
        mu = 1 / (1 + np.exp(-(known.design @ effects[g])))
        kappa = known.strength[g, 0]
        likelihood = stats.betabinom.logpmf(known.hits, known.trials, kappa * mu, kappa * (1 - mu)).sum()
        prior = stats.multivariate_normal.logpdf(effects[g], np.zeros(27), np.linalg.inv(known.precision[g]))
        gap.append(ours[g] - likelihood - prior)
    assert gap[0] == pytest.approx(gap[1], abs=1e-8)


def test_the_climb_ends_where_the_slope_is_none():
    rng = np.random.default_rng(2)
    known, _ = world(rng)
    at = rng.normal(0, 0.3, (2, 27))
    step = 1e-6
    for column in range(27):
        up, down = at.copy(), at.copy()
        up[:, column] += step
        down[:, column] -= step
        slope = (known.log_density(up) - known.log_density(down)) / (2 * step)
        np.testing.assert_allclose(known.slope(at)[:, column], slope, rtol=1e-5, atol=1e-6)
    peak, height = model._peak(known, at)
    assert np.abs(known.slope(peak)).max() < 0.02
    np.testing.assert_allclose(height, known.log_density(peak))


def test_with_little_data_the_mean_is_that_of_a_simulation_of_the_model():
    """Draw everything from the prior, and weigh it by what was seen: no Laplace, no matching of moments."""
    hits, trials = np.zeros((2, 48))
    seen = [9, 10, 21, 40]
    hits[seen], trials[seen] = [1, 2, 5, 3], [10, 10, 10, 10]
    fit = model.fit_slots(hits, trials, n_days=2)
    rng = np.random.default_rng(4)
    n, total, weights = 40_000, np.zeros(48), 0.0
    overall = (hits.sum() + 0.5) / (trials.sum() + 1)
    apart = np.abs(np.subtract.outer(DAY, DAY))
    root = np.linalg.cholesky(np.exp(-np.minimum(apart, 24 - apart) / 3.0))
    for _ in range(5):
        of_hours, of_days, of_slots = (
            rng.choice(values, n) for values in (model._OF_HOURS, model._OF_DAYS, model._OF_SLOTS)
        )
        level = rng.normal(0, 10, n)
        hour = (rng.normal(size=(n, 24)) @ root.T) * of_hours[:, None]
        day = rng.normal(size=(n, 2)) * of_days[:, None]
        log_odds = level[:, None] + np.tile(hour, 2) + np.repeat(day, 24, axis=1)
        mu = np.clip(1 / (1 + np.exp(-log_odds)), 1e-9, 1 - 1e-9)
        kappa = np.maximum(1 / (of_slots**2 * overall * (1 - overall)) - 1, 0.01)[:, None]
        likelihood = stats.betabinom.logpmf(hits[seen], trials[seen], kappa * mu[:, seen], kappa * (1 - mu[:, seen]))
        weight = np.exp(likelihood.sum(axis=1))
        total += weight @ ((kappa * mu + hits) / (kappa + trials))
        weights += weight.sum()
    np.testing.assert_allclose(fit.mean, total / weights, atol=0.03)
