"""Lifespans, clocks and decays against lifelines, scipy, the calendar of the standard library, and simulation."""

from __future__ import annotations

import datetime as dt
import math
import warnings
from calendar import monthrange
from fractions import Fraction

import numpy as np
import pendulum
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize
from scipy import stats as scipy_stats

from shequn.lifecycle import CommunitySeries, Lifespans, is_dead, monetisation_clock, novelty_decay
from shequn.values import Money

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lifelines import ExponentialFitter, KaplanMeierFitter

DAY_US = 86_400_000_000
MONTH_DAYS = 365.2425 / 12


def some_lives(seed, n=60):
    rng = np.random.default_rng(seed)
    days = rng.integers(1, 900, n)
    entry = np.where(rng.random(n) < 0.4, rng.integers(-1, 500, n), -1)
    entry = np.where(entry < days, entry, -1)
    closed = rng.random(n) < 0.6
    lives = Lifespans(
        communities=range(n), lived_us=days * DAY_US, is_closed=closed, entry_us=np.where(entry > 0, entry * DAY_US, -1)
    )
    return lives, days, closed, np.maximum(entry, 0)


@pytest.mark.parametrize("seed", range(5))
def test_the_curve_is_that_of_lifelines(seed):
    lives, days, closed, entry = some_lives(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = KaplanMeierFitter().fit(days, closed, entry=entry)
    at = lives.curve.times
    expected = peer.survival_function_at_times(at).to_numpy()
    known = lives.curve.survival > 0
    np.testing.assert_allclose(lives.curve.survival[known], expected[known], atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_with_a_prior_worth_nothing_the_mean_is_that_of_lifelines(seed):
    lives, days, closed, entry = some_lives(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = ExponentialFitter().fit(days, closed, entry=entry)
    almost = Lifespans(
        communities=lives.communities, lived_us=lives.lived_us, is_closed=closed, entry_us=lives.entry_us,
        prior_weight=1e-9,
    )  # fmt: skip
    assert almost.mean_days == pytest.approx((days - entry).sum() / closed.sum(), rel=1e-8)
    assert almost.mean_days == pytest.approx(peer.lambda_, rel=1e-4)


@pytest.mark.parametrize(("seed", "weight"), [(0, 1.0), (1, 0.25), (2, 40.0)])
def test_the_interval_and_the_chance_to_live_are_those_of_the_gamma_posterior(seed, weight):
    lives, days, closed, entry = some_lives(seed)
    lives = Lifespans(
        communities=lives.communities, lived_us=lives.lived_us, is_closed=closed, entry_us=lives.entry_us,
        prior_weight=weight,
    )  # fmt: skip
    rate = scipy_stats.gamma(weight + 1 + closed.sum(), scale=1 / (weight * 6 * MONTH_DAYS + (days - entry).sum()))
    assert lives.mean_days == pytest.approx(integrate.quad(lambda u: 1 / rate.ppf(u), 0, 1)[0], rel=1e-6)
    for level in (0.5, 0.95, 0.999):
        ends = 1 / rate.ppf([(1 + level) / 2, (1 - level) / 2])
        np.testing.assert_allclose(np.array(lives.mean_interval(level=level)), ends, rtol=1e-9)
    for t in (0.0, 30.0, 365.0):
        expected = integrate.quad(lambda u, t=t: math.exp(-rate.ppf(u) * t), 0, 1)[0]
        assert float(lives.p_alive(t)) == pytest.approx(expected, rel=1e-6)


def test_the_interval_covers_as_often_as_it_says_when_the_prior_is_true():
    rng = np.random.default_rng(7)
    weight, covered, n = 4.0, 0, 600
    for _ in range(n):
        mean = 1 / rng.gamma(weight + 1, 1 / (weight * 6 * MONTH_DAYS))
        lived = rng.exponential(mean, 12)
        closed = lived < 200
        lives = Lifespans(
            communities=range(12), lived_us=(np.minimum(lived, 200) * DAY_US).astype(np.int64), is_closed=closed,
            prior_weight=weight,
        )  # fmt: skip
        lower, upper = lives.mean_interval(level=0.9)
        covered += bool(lower <= mean <= upper)
    assert abs(covered / n - 0.9) < 3 * math.sqrt(0.09 / n)


# --- the clock ---


def later(start, months):
    """The same day and time some months later, on the last day of a month that is too short."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return start.replace(year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]))


@given(
    st.timedeltas(dt.timedelta(0), dt.timedelta(days=11_000)).map(
        lambda gone: dt.datetime(2000, 1, 1, tzinfo=dt.UTC) + gone
    ),
    st.timedeltas(dt.timedelta(0), dt.timedelta(days=1_500)),
    st.integers(1, 40),
    st.integers(0, 10**6),
    st.integers(1, 10**6),
)
@settings(max_examples=60)
def test_the_clock_is_that_of_the_standard_library(created, gone, months, revenue, target):
    as_of = created + gone
    clock = monetisation_clock(
        created, as_of=as_of, window=pendulum.duration(months=months), revenue=Money(revenue, "CNY"),
        target=Money(target, "CNY"),
    )  # fmt: skip
    k = max(k for k in range(60) if later(created, k) <= as_of)
    begin, end = later(created, k), later(created, k + 1)
    elapsed = k + Fraction((as_of - begin) // dt.timedelta.resolution, (end - begin) // dt.timedelta.resolution)
    assert clock.months_elapsed == elapsed
    assert clock.months_left == max(months - elapsed, 0)
    assert clock.ends_at == later(created, months)
    missing = max(target - revenue, 0)
    if clock.required_per_month is not None:
        required = clock.required_per_month.minor
        assert required * clock.months_left >= missing
        assert missing == 0 or (required - 1) * clock.months_left < missing
    else:
        assert missing
        assert as_of >= clock.ends_at
    if missing and revenue and elapsed:
        total = elapsed * Fraction(target, revenue)
        assert (clock.reached_at is None) == (total > 1200)
        assert (clock.breached_at is None) == (total <= months and as_of < clock.ends_at)
        if clock.reached_at is not None:
            assert clock.reached_at >= later(created, int(total))


# --- death ---


@given(st.lists(st.integers(0, 3), max_size=12), st.integers(1, 4), st.integers(0, 2), st.integers(0, 2))
def test_death_is_quiet_in_each_of_the_last_periods(messages, quiet, at_most, partial):
    partial = min(partial, len(messages))
    n = len(messages)
    series = CommunitySeries(members=[5] * n, active=[0] * n, messages=messages, partial=partial)
    known = messages[: n - partial]
    expected = len(known) >= quiet and all(m <= at_most for m in known[-quiet:])
    assert bool(is_dead(series, quiet_periods=quiet, at_most=at_most)) == expected


# --- novelty ---


def minus_log_likelihood(x, t, n, y, likelihood):
    p = np.exp(x[0] - x[1] * t)
    if likelihood == "poisson":
        return -(y * np.log(n * p) - n * p).sum()
    if (p >= 1).any():
        return np.inf
    return -(y * np.log(p) + (n - y) * np.log1p(-p)).sum()


@pytest.mark.parametrize("likelihood", ["poisson", "binomial"])
@pytest.mark.parametrize("seed", range(4))
def test_a_decay_is_the_maximum_that_scipy_finds_with_the_curvature_there(seed, likelihood):
    rng = np.random.default_rng(seed)
    t = np.sort(rng.uniform(0, 30, 9)).round(2)
    n = rng.integers(200, 2_000, 9)
    y = rng.binomial(n, 0.3 * np.exp(-0.08 * t))
    decay = novelty_decay(tenure=t, exposures=n, engagements=y, likelihood=likelihood)
    args = (t, n, y, likelihood)
    options = {"xatol": 1e-10, "fatol": 1e-10, "maxiter": 5_000}
    peer = optimize.minimize(minus_log_likelihood, [-1.5, 0.05], args=args, method="Nelder-Mead", options=options)
    assert (decay.log_rate, decay.b) == pytest.approx(tuple(peer.x), rel=1e-5)
    assert minus_log_likelihood([decay.log_rate, decay.b], *args) <= peer.fun + 1e-9
    step = np.array([1e-4, 1e-5])

    def second(i, j):
        def at(a, b):
            x = np.array([decay.log_rate, decay.b])
            x[i] += a * step[i]
            x[j] += b * step[j]
            return minus_log_likelihood(x, *args)

        return (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4 * step[i] * step[j])

    information = np.array([[second(i, j) for j in (0, 1)] for i in (0, 1)])
    np.testing.assert_allclose(decay.covariance, np.linalg.inv(information), rtol=1e-3)


@pytest.mark.parametrize("likelihood", ["poisson", "binomial"])
def test_the_interval_of_a_half_life_covers_as_often_as_it_says(likelihood):
    rng = np.random.default_rng(11)
    t, n, true = np.arange(8), np.full(8, 500), math.log(2) / 0.15
    covered, fits = 0, 500
    for _ in range(fits):
        mean = 0.3 * np.exp(-0.15 * t)
        y = rng.binomial(n, mean) if likelihood == "binomial" else rng.poisson(n * mean)
        lower, upper = novelty_decay(tenure=t, exposures=n, engagements=y, likelihood=likelihood).half_life_interval()
        covered += bool(lower <= true <= upper)
    # With 6 degrees of freedom a dispersion above 1 by chance widens some intervals: it covers a little more.
    assert 0.93 <= covered / fits <= 0.985


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 30), st.integers(0, 40)), max_size=8),
    st.sampled_from(["poisson", "binomial"]),
)
def test_any_counts_have_a_half_life_or_a_reason(rows, likelihood):
    rows = [(t, n, min(y, n) if likelihood == "binomial" or not n else y) for t, n, y in rows]
    t, n, y = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    decay = novelty_decay(tenure=t, exposures=n, engagements=y, likelihood=likelihood)
    assert (decay.reason is None) == math.isfinite(decay.half_life)
    assert decay.reason is not None or (decay.half_life > 0 and decay.half_life_error > 0)
