"""The projection against its process: simulated member by member, and enumerated state by state.

Each member stays or goes by chance and brings a Poisson number of others; external arrivals are Poisson; rates may move
from one period to the next. Tolerances are standard errors of the simulation, whose seeds are fixed.
"""

from __future__ import annotations

from itertools import pairwise
from math import comb, exp, sqrt
from typing import Any

import attrs
import numpy as np
import pytest
from scipy.stats import binom, poisson

from shequn.retention import FlowLedger, Projection, project
from shequn.values import Rate

N_RUNS = 20_000
SURVIVAL = [1, 0.5, 0.4, 0.36]


def simulate(p: Projection, rng: np.random.Generator, n_runs: int = N_RUNS) -> np.ndarray:
    """Return the stock of each run after each period, shape (n_runs, n_periods)."""
    curve = [1, 1 - p.evaporation_rate] if p.survival is None else p.survival
    stay: list[Any] = [after / before if before else 0.0 for before, after in pairwise(curve)]
    members = np.zeros((n_runs, len(stay)), dtype=np.int64)
    for tenure, n in enumerate(p.opening_by_tenure):
        members[:, min(tenure, len(stay) - 1)] += int(n)
    stocks = []
    for _ in range(p.n_periods):
        following = np.zeros_like(members)
        if p.rate_fluctuation:
            stay = [1 - beta(p.evaporation_rate, p.rate_fluctuation, rng, n_runs)]
        for tenure, share in enumerate(stay):
            following[:, min(tenure + 1, len(stay) - 1)] += rng.binomial(members[:, tenure], share)
        expected = gamma(p.inflow, p.inflow_fluctuation, rng, n_runs) if p.inflow_fluctuation else p.inflow
        following[:, 0] += rng.poisson(expected, n_runs) + rng.poisson(p.referral_rate * members.sum(axis=1))
        members = following
        stocks.append(members.sum(axis=1))
    return np.stack(stocks, axis=1)


def beta(mean: float, sd: float, rng: np.random.Generator, size: int) -> np.ndarray:
    n = mean * (1 - mean) / sd**2 - 1
    return rng.beta(mean * n, (1 - mean) * n, size)


def gamma(mean: float, sd: float, rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.gamma((mean / sd) ** 2, sd**2 / mean, size)


CASES = {
    "constant": project(200, inflow=12, evaporation_rate=0.15, periods=12),
    "referral": project(200, inflow=12, evaporation_rate=0.15, referral_rate=0.08, periods=12),
    "growth": project(40, inflow=3, evaporation_rate=0.05, referral_rate=0.2, periods=10),
    "everybody leaves": project(200, inflow=30, evaporation_rate=1.0, referral_rate=0.3, periods=5),
    "survival": project([60, 0, 30, 5, 20], inflow=12, survival=SURVIVAL, periods=12),
    "survival and referral": project([60, 0, 30], inflow=12, survival=SURVIVAL, referral_rate=0.15, periods=12),
    "survival to zero": project([50, 40], inflow=12, survival=[1, 0.7, 0.2, 0], referral_rate=0.3, periods=12),
    "moving rates": Projection(
        opening_by_tenure=[300],
        inflow=30,
        constant_rate=0.3,
        referral_rate=0.1,
        rate_fluctuation=0.1,
        inflow_fluctuation=9.0,
        n_periods=12,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_mean_and_variance_are_those_of_simulated_communities(name):
    p = CASES[name]
    stocks = simulate(p, np.random.default_rng([20240229, list(CASES).index(name)]))
    mean, variance = stocks.mean(axis=0), stocks.var(axis=0)
    error = np.sqrt(variance / N_RUNS)
    assert (abs(p.stock - mean) < 4 * error).all(), (p.stock - mean) / error
    fourth = ((stocks - mean) ** 4).mean(axis=0)
    error = np.sqrt((fourth - variance**2) / N_RUNS)
    assert (abs(p.variance - variance) < 4 * error).all(), (p.variance - variance) / error


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("name", CASES)
def test_the_interval_covers_what_it_says(name, level):
    p = attrs.evolve(CASES[name], level=level)
    stocks = simulate(p, np.random.default_rng([20240301, list(CASES).index(name)]), 4_000)
    covered = ((p.lower <= stocks) & (stocks <= p.upper)).mean(axis=0)
    # Counts are whole numbers: an interval that is widened or narrowed by one half covers more and less than its level.
    wide = ((p.lower - 0.5 <= stocks) & (stocks <= p.upper + 0.5)).mean(axis=0)
    narrow = ((p.lower + 0.5 <= stocks) & (stocks <= p.upper - 0.5)).mean(axis=0)
    skew = 0.02  # the normal approximation of counts of some hundreds
    slack = 3 * sqrt(level * (1 - level) / 4_000) + skew
    assert (wide > level - slack).all(), covered
    assert (narrow < level + slack).all(), covered


# --- exact, state by state ---

MOST = 40


def poisson_law(mean: float) -> list[float]:
    weights = [exp(-mean)]
    for n in range(1, MOST):
        weights.append(weights[-1] * mean / n)
    return weights


def binomial_law(n: int, share: float) -> list[float]:
    return [comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]


def moments(law: dict[int, float]) -> tuple[float, float]:
    mean = sum(m * weight for m, weight in law.items())
    return mean, sum((m - mean) ** 2 * weight for m, weight in law.items())


def next_law(
    law: dict[int, float], rates: dict[float, float], inflows: dict[float, float], referral: float
) -> dict[int, float]:
    """Return the law of the stock one period on, under rates and expected inflows drawn with these weights."""
    following = dict.fromkeys(range(2 * MOST), 0.0)
    for m, weight in law.items():
        if weight < 1e-18:
            continue
        for rate, of_rate in rates.items():
            stays = binomial_law(m, 1 - rate)
            for inflow, of_inflow in inflows.items():
                comes = poisson_law(inflow + referral * m)
                for n_stay, of_stay in enumerate(stays):
                    for n_come, of_come in enumerate(comes[: 2 * MOST - n_stay]):
                        following[n_stay + n_come] += weight * of_rate * of_inflow * of_stay * of_come
    return following


@pytest.mark.parametrize("opening", [0, 1, 4])
@pytest.mark.parametrize(
    ("rates", "inflows", "referral"),
    [
        ({0.3: 1}, {0.5: 1}, 0.0),
        ({0.3: 1}, {0.5: 1}, 0.2),
        ({0.1: 0.5, 0.5: 0.5}, {0.5: 1}, 0.2),
        ({0.0: 0.25, 0.4: 0.75}, {0.2: 0.5, 1.0: 0.5}, 0.1),
        ({0.0: 0.7, 1.0: 0.3}, {0.0: 1}, 0.3),
    ],
)
def test_mean_and_variance_are_exactly_those_of_all_states(opening, rates, inflows, referral):
    rate, rate_variance = moments(rates)
    inflow, inflow_variance = moments(inflows)
    p = Projection(
        opening_by_tenure=[opening],
        inflow=inflow,
        constant_rate=rate,
        referral_rate=referral,
        rate_fluctuation=sqrt(rate_variance),
        inflow_fluctuation=sqrt(inflow_variance),
        n_periods=3,
    )
    law = {opening: 1.0}
    for mean, variance in zip(p.stock, p.variance, strict=True):
        law = next_law(law, rates, inflows, referral)
        assert sum(law.values()) == pytest.approx(1, abs=1e-9)
        assert (mean, variance) == pytest.approx(moments(law), rel=1e-6, abs=1e-12)


def test_mean_and_variance_by_tenure_are_exactly_those_of_all_states():
    stay_new, stay_old, inflow, referral, most = 0.5, 0.9, 0.4, 0.3, 24
    p = project([2, 1], inflow=inflow, survival=[1, stay_new, stay_new * stay_old], referral_rate=referral, periods=3)
    numbers = np.arange(most)
    law = np.zeros((most, most))
    law[2, 1] = 1.0  # (new, old)
    for mean, variance in zip(p.stock, p.variance, strict=True):
        following = np.zeros_like(law)
        for new, old in np.argwhere(law > 1e-16):
            comes = poisson.pmf(numbers, inflow + referral * (new + old))
            stays = np.convolve(binom.pmf(numbers, new, stay_new), binom.pmf(numbers, old, stay_old))[:most]
            following += law[new, old] * np.outer(comes, stays)
        law = following
        assert law.sum() == pytest.approx(1, abs=1e-9)
        stock = np.add.outer(numbers, numbers)
        expected = (law * stock).sum()
        assert (mean, variance) == pytest.approx((expected, (law * (stock - expected) ** 2).sum()), rel=1e-6)


# --- rates that have to be learnt first ---


def test_a_counted_rate_is_as_uncertain_as_counting_it_again_shows():
    rng = np.random.default_rng(20240302)
    options: dict[str, Any] = {"inflow": 20, "referral_rate": 0.05, "periods": 8}
    p = project(400, evaporation_rate=Rate(150, 1_000), **options)
    drawn = rng.beta(150.5, 850.5, 400)
    stocks = np.stack([project(400, evaporation_rate=rate, **options).stock for rate in drawn])
    known = project(400, evaporation_rate=0.15, **options).variance
    error = np.sqrt(2 / 400) * stocks.var(axis=0)
    assert (abs(p.variance - known - stocks.var(axis=0)) < 4 * error).all()


@pytest.mark.parametrize("moves", [False, True], ids=["chance alone", "moving rates"])
def test_projections_from_ledgers_cover_what_came(moves):
    truth = attrs.evolve(CASES["moving rates"], n_periods=46, referral_rate=0.0)
    if not moves:
        truth = attrs.evolve(truth, rate_fluctuation=0.0, inflow_fluctuation=0.0)
    ledgers, futures = simulated_ledgers(truth, np.random.default_rng(20240303), n_runs=300, n_told=40)
    projections = [project(ledger, periods=6) for ledger in ledgers]
    covered = np.mean([(p.lower <= f) & (f <= p.upper) for p, f in zip(projections, futures, strict=True)], axis=0)
    assert (covered > 0.95 - 0.045).all(), covered
    assert (covered < 0.95 + 0.04).all(), covered
    rates = np.array([p.evaporation_rate for p in projections])
    inflows = np.array([p.inflow for p in projections])
    assert rates.mean() == pytest.approx(truth.evaporation_rate, abs=4 * rates.std() / sqrt(300))
    assert inflows.mean() == pytest.approx(truth.inflow, abs=4 * inflows.std() / sqrt(300))
    # The standard errors that projections state are those with which their estimates scatter.
    assert np.mean([p.rate_error for p in projections]) == pytest.approx(rates.std(), rel=0.15)
    assert np.mean([p.inflow_error for p in projections]) == pytest.approx(inflows.std(), rel=0.15)
    if moves:
        between = np.array([(p.rate_fluctuation**2, p.inflow_fluctuation**2) for p in projections])
        error = between.std(axis=0) / sqrt(300)
        told = [truth.rate_fluctuation**2, truth.inflow_fluctuation**2]
        assert (abs(between.mean(axis=0) - told) < 4 * error + 0.01 * np.array(told)).all()


def simulated_ledgers(
    truth: Projection, rng: np.random.Generator, *, n_runs: int, n_told: int
) -> tuple[list[FlowLedger], np.ndarray]:
    """Return the ledgers of the first periods of each run, and the stocks that followed."""
    stock = np.full(n_runs, int(truth.opening))
    rate, inflow = np.full(n_runs, truth.evaporation_rate), np.full(n_runs, truth.inflow)
    losses, flows, stocks = [], [], []
    for _ in range(truth.n_periods):
        if truth.rate_fluctuation:
            rate = beta(truth.evaporation_rate, truth.rate_fluctuation, rng, n_runs)
            inflow = gamma(truth.inflow, truth.inflow_fluctuation, rng, n_runs)
        losses.append(rng.binomial(stock, rate))
        flows.append(rng.poisson(inflow))
        stock = stock + flows[-1] - losses[-1]
        stocks.append(stock)
    period = np.datetime64("2023-01-02") + 7 * np.arange(n_told)
    ledgers = [
        FlowLedger.from_counts(
            period=period,
            joined=np.array(flows[:n_told])[:, run],
            revived=np.zeros(n_told, dtype=np.int64),
            evaporated=np.array(losses[:n_told])[:, run],
            opening=int(truth.opening),
        )
        for run in range(n_runs)
    ]
    return ledgers, np.array(stocks[n_told:]).T
