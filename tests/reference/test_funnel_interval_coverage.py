"""How often do the intervals of a funnel hold what they promise? By exact sums, over true rates spread evenly.

Every outcome is weighed by its chance, and only the last test draws. The intervals of a rate and of a difference hold
their level on the mean over true rates, and less for some (counts are whole numbers); those of a quantile hold it
whatever the times are. docs/concepts/eligibility.md shows the figures.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from pendulum import duration

from shequn.columns import EventLog
from shequn.funnel import Funnel, FunnelResult, compare, time_to_convert
from shequn.stats import newcombe

SIZES = [20, 100, 1000]
LEVELS = [0.90, 0.95, 0.99]
POINT = 0.01
# Mean coverage in per cent, at each level.
OF_RATES = {20: [90.7, 95.3, 98.8], 100: [90.2, 95.1, 99.0], 1000: [90.0, 95.0, 99.0]}
OF_DIFFERENCES = {20: [90.4, 95.3, 98.9], 100: [90.1, 95.1, 99.0], 1000: [90.0, 95.0, 99.0]}


def evenly(n):
    return (np.arange(n) + 0.5) / n


def reached_in_turn(*reached):
    return FunnelResult.from_counts(steps=["join", "post", "buy"][: len(reached)], reached=reached)


# ── rates ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def coverage(lower, upper, n, rates):
    """Return the chance of each true rate to lie inside, where the ends belong to 0..n hits."""
    chances = scipy.stats.binom.pmf(np.arange(n + 1), n, rates[:, None])
    return (chances * ((lower <= rates[:, None]) & (rates[:, None] <= upper))).sum(axis=1)


def intervals_of_rates(n, level):
    """Return the ends for 0..n hits, of the rate of the first step and of the whole way."""
    of_step = [reached_in_turn(n, hits).intervals(level=level) for hits in range(n + 1)]
    of_all = [reached_in_turn(n, n, hits).overall_intervals(level=level) for hits in range(n + 1)]
    return (
        np.array([(lower[1], upper[1]) for lower, upper in of_step]).T,
        np.array([(lower[2], upper[2]) for lower, upper in of_all]).T,
    )


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n", SIZES)
def test_intervals_of_rates_hold_their_level_on_the_mean(n, level):
    hits = np.arange(n + 1)
    for ends in intervals_of_rates(n, level):
        # The chance of h hits, over all rates, is the same for each h; of the rate, given h, it is a beta distribution.
        mean = np.diff(scipy.stats.beta.cdf(ends, hits + 1, n - hits + 1), axis=0).mean()
        assert abs(mean - level) <= POINT
        assert round(100 * mean, 1) == OF_RATES[n][LEVELS.index(level)]
        of_each = coverage(*ends, n, evenly(400))
        assert of_each.mean() == pytest.approx(mean, abs=2e-3)
        assert of_each.min() > level - 0.12


# ── differences ──────────────────────────────────────────────────────────────────────────────────────────────────────


def likely(n, rate):
    """Return the chances of the numbers of hits that can come up, but for less than 1e-9, and the first of these."""
    low, high = scipy.stats.binom.ppf([5e-10, 1 - 5e-10], n, rate).astype(int)
    return low, scipy.stats.binom.pmf(np.arange(low, high + 1), n, rate)


def coverage_of_differences(n, level, n_rates):
    """Return the chance of the true difference to lie inside, for pairs of rates, with n members before and after."""
    rates_after, rates_before = evenly(n_rates), evenly(n_rates + 1)  # two grids, lest a difference come up too often
    hits = np.arange(n + 1)
    lower, upper = newcombe(hits[:, None], n, hits, n, level=level)
    found = np.empty((n_rates, n_rates + 1))
    for row, after in enumerate(rates_after):
        first, chances = likely(n, after)
        for column, before in enumerate(rates_before):
            first_before, chances_before = likely(n, before)
            pairs = slice(first, first + len(chances)), slice(first_before, first_before + len(chances_before))
            inside = (lower[pairs] <= after - before) & (after - before <= upper[pairs])
            found[row, column] = chances @ inside @ chances_before
    return found


@pytest.mark.parametrize("n", [3, 20])
def test_the_ends_of_a_comparison_are_newcombes(n):
    for after in range(n + 1):
        for before in range(n + 1):
            found = compare(reached_in_turn(n, before), reached_in_turn(n, after), level=0.9)
            ends = newcombe(after, n, before, n, level=0.9)
            assert (found.lower[0], found.upper[0]) == (ends.lower, ends.upper)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("n", "n_rates"), [(20, 60), (100, 50), (1000, 24)])
def test_intervals_of_differences_hold_their_level_on_the_mean(n, n_rates, level):
    mean = coverage_of_differences(n, level, n_rates).mean()
    assert abs(mean - level) <= POINT
    assert round(100 * mean, 1) == OF_DIFFERENCES[n][LEVELS.index(level)]


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def times_of(hours):
    """Return the times to convert of as many members, who took so many hours each."""
    n = len(hours)
    log = EventLog.from_columns(
        member=np.tile(np.arange(n), 2),
        kind=["join"] * n + ["post"] * n,
        at=np.concatenate([np.zeros(n, dtype=int), 3600 * np.asarray(hours)]),
        time_unit="s",
    )
    return time_to_convert(log, Funnel(steps=("join", "post"), within=duration(hours=2000)))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("q", [0.25, 0.5, 0.9])
@pytest.mark.parametrize("n", SIZES)
def test_intervals_of_quantiles_hold_at_least_their_level(n, q, level):
    # Whoever is the r-th took r hours, so the ends are ranks: how many lie below the quantile is binomial.
    lower, upper = (end and end.in_hours() for end in times_of(np.arange(1, n + 1)).interval(q, level=level))
    below = scipy.stats.binom(n, q)
    tails = (below.cdf((lower or 0) - 1), below.sf((upper or n + 1) - 1))
    assert max(tails) <= (1 - level) / 2
    # And no rank wider than it has to be.
    assert lower is None or below.cdf(lower) > (1 - level) / 2
    assert upper is None or below.sf(upper - 2) > (1 - level) / 2


@pytest.mark.parametrize("level", LEVELS)
def test_intervals_of_medians_hold_at_least_their_level_where_times_are_tied(level):
    """Drawn with a fixed seed: 40 members and 10 hours to choose from, the fifth of which is the median."""
    rng, n_draws = np.random.default_rng(7), 1000
    held = 0
    for _ in range(n_draws):
        lower, upper = times_of(rng.integers(1, 11, 40)).interval(0.5, level=level)
        held += lower.in_hours() <= 5 <= upper.in_hours()
    assert level <= held / n_draws < 1
