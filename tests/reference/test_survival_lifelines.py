"""Survival tables against lifelines, run live.

Where the two differ by convention, and what is compared instead:

- An entry at the very first time counts as before the event there in lifelines, and after it here (at risk when
  entry < t). Nobody without a late entry has one there here; lifelines wants an entry for each, so theirs is -1.
- Where the survival is 0 lifelines ends the interval at 0; here it is missing, since Greenwood's variance is infinite.
  An interval of a quantile whose upper end would only be reached there is missing here too.
- lifelines takes ties apart in the cumulative hazard unless ``nelson_aalen_smoothing=False``.
- In the variance of the cumulative hazard lifelines takes d (n - d) / n^3 where times are shared and it does not take
  them apart; here it is Aalen's d / n^2. Without shared times both are 1 / n^2, and lifelines by default takes that.
- A quantile that is never reached is infinite in lifelines, and missing here.
"""

from __future__ import annotations

import numpy as np
import pytest
from lifelines import KaplanMeierFitter, NelsonAalenFitter
from lifelines.utils import qth_survival_times, restricted_mean_survival_time

from shequn.stats import SurvivalTable

SHARES = [0.037, 0.213, 0.387, 0.613, 0.847]
LEVELS = [0.8, 0.95, 0.999]


def follow_ups(name):
    """Durations, whether the event was observed, and entries (None: no late ones)."""
    rng = np.random.default_rng(sum(map(ord, name)))
    n = 400
    entry = None
    durations = rng.integers(1, 30, n) if "ties" in name else rng.exponential(20, n)
    if "zero" in name:
        durations[rng.random(n) < 0.1] = 0
    observed = rng.random(n) < 0.6
    if "all events" in name:
        observed[:] = True
    if "all censored" in name:
        observed[:] = False
    if "late" in name:
        entry = np.where(rng.random(n) < 0.5, -1, rng.integers(0, 20, n))
        durations = np.where(entry >= 0, entry + 1 + durations, durations)
    return durations, observed, entry


NAMES = [
    "ties with zero, all censored",
    "continuous with zero, late, all events",
    "continuous",
    "continuous, all events",
    "ties",
    "ties, all events",
    "ties, all censored",
    "ties with zero",
    "continuous with zero",
    "ties, late",
    "ties with zero, late",
    "continuous, late",
    "ties, late, all events",
]


def kaplan_meier(name, level=0.95):
    durations, observed, entry = follow_ups(name)
    # lifelines switches warnings of NumPy off for everybody.
    with np.errstate():
        return KaplanMeierFitter(alpha=1 - level).fit(durations, observed, entry=entry)


def at_times(frame, times):
    """A step curve of lifelines at given times, all of which are in its index."""
    return frame.loc[times.astype(float)].to_numpy().T


@pytest.mark.parametrize("name", NAMES)
def test_the_survival_function_agrees_with_lifelines(name):
    table, peer = SurvivalTable.from_durations(*follow_ups(name)), kaplan_meier(name)
    (expected,) = at_times(peer.survival_function_, table.times)
    np.testing.assert_allclose(table.survival, expected, rtol=0, atol=1e-10)
    asked = np.linspace(0, float(table.times[-1]), 97)
    (known,) = peer.survival_function_at_times(asked).to_numpy().reshape(1, -1)
    np.testing.assert_allclose(table.at(asked), known, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_those_at_risk_agree_with_lifelines(name):
    table, peer = SurvivalTable.from_durations(*follow_ups(name)), kaplan_meier(name)
    events = peer.event_table
    # lifelines counts who enters at a time among those at risk there, and takes them out again when it divides.
    at_risk = (events["at_risk"] - events["entrance"].where(events.index != events.index[0], 0)).loc[table.times]
    np.testing.assert_array_equal(table.at_risk, at_risk)
    np.testing.assert_array_equal(table.events, events["observed"].loc[table.times])
    np.testing.assert_array_equal(table.censored, events["censored"].loc[table.times])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", NAMES)
def test_the_interval_agrees_with_lifelines_until_nobody_is_left(name, level):
    table, peer = SurvivalTable.from_durations(*follow_ups(name)), kaplan_meier(name, level)
    expected = at_times(peer.confidence_interval_, table.times)
    is_left = table.survival > 0
    assert is_left.sum() > 20
    for end, known in zip(table.intervals(level=level), expected, strict=True):
        np.testing.assert_allclose(end[is_left], known[is_left], rtol=0, atol=1e-10)
        assert np.isnan(end[~is_left]).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_variance_agrees_with_lifelines_until_nobody_is_left(name):
    table, peer = SurvivalTable.from_durations(*follow_ups(name)), kaplan_meier(name)
    greenwood = peer._cumulative_sq_.loc[table.times.astype(float)].to_numpy()
    is_left = table.survival > 0
    expected = (table.survival**2 * greenwood)[is_left]
    np.testing.assert_allclose(table.variance[is_left], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_the_cumulative_hazard_agrees_with_lifelines(name):
    durations, observed, entry = follow_ups(name)
    table = SurvivalTable.from_durations(durations, observed, entry)
    with np.errstate():
        peer = NelsonAalenFitter(nelson_aalen_smoothing=False).fit(durations, event_observed=observed, entry=entry)
    (expected,) = at_times(peer.cumulative_hazard_, table.times)
    np.testing.assert_allclose(table.cumulative_hazard, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_quantiles_agree_with_lifelines(name):
    table, peer = SurvivalTable.from_durations(*follow_ups(name)), kaplan_meier(name)
    expected = [qth_survival_times(1 - share, peer.survival_function_) for share in SHARES]
    np.testing.assert_array_equal(table.quantile(SHARES), np.where(np.isinf(expected), np.nan, expected))
    assert table.median == peer.median_survival_time_ or np.isnan(table.median) == np.isinf(peer.median_survival_time_)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", NAMES)
def test_intervals_of_quantiles_agree_with_lifelines_until_nobody_is_left(name, level):
    table, peer = SurvivalTable.from_durations(*follow_ups(name)), kaplan_meier(name, level)
    left = peer.confidence_interval_[peer.survival_function_.to_numpy() > 0]
    ends = table.quantile_interval(SHARES, level=level)
    for column, end in enumerate(ends):
        expected = np.array([qth_survival_times(1 - share, left.iloc[:, [column]]) for share in SHARES], dtype=float)
        np.testing.assert_array_equal(end, np.where(np.isinf(expected), np.nan, expected))


@pytest.mark.parametrize("name", NAMES)
def test_restricted_means_agree_with_lifelines(name):
    table, peer = SurvivalTable.from_durations(*follow_ups(name)), kaplan_meier(name)
    horizons = [0.5, 3.0, 11.25, float(table.times[-1])]
    expected = [restricted_mean_survival_time(peer, horizon) for horizon in horizons]
    begin = min(float(peer.timeline[0]), 0.0)  # lifelines begins at the first entry, where that is below 0
    np.testing.assert_allclose(table.restricted_mean(horizons), np.add(expected, begin), rtol=0, atol=1e-10)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["continuous", "continuous, all events", "continuous, late"])
def test_the_interval_of_the_cumulative_hazard_agrees_with_lifelines_where_no_time_is_shared(name, level):
    durations, observed, entry = follow_ups(name)
    table = SurvivalTable.from_durations(durations, observed, entry)
    with np.errstate():
        peer = NelsonAalenFitter(alpha=1 - level).fit(durations, event_observed=observed, entry=entry)
    has_event = table.cumulative_hazard > 0
    expected = at_times(peer.confidence_interval_, table.times)
    for end, known in zip(table.cumulative_hazard_intervals(level=level), expected, strict=True):
        np.testing.assert_allclose(end[has_event], known[has_event], rtol=1e-10, atol=1e-10)
        assert (end[~has_event] == 0).all()


@pytest.mark.parametrize("name", ["ties", "ties, all events", "ties, late"])
def test_where_times_are_shared_the_variance_of_the_hazard_differs_by_what_is_documented(name):
    durations, observed, entry = follow_ups(name)
    table = SurvivalTable.from_durations(durations, observed, entry)
    with np.errstate():
        peer = NelsonAalenFitter(nelson_aalen_smoothing=False).fit(durations, event_observed=observed, entry=entry)
    d, n = table.events, np.maximum(table.at_risk, 1).astype(float)
    expected = peer._cumulative_sq.loc[table.times.astype(float)].to_numpy().ravel() + np.cumsum(d**2 / n**3)
    np.testing.assert_allclose(table.cumulative_hazard_variance, expected, rtol=0, atol=1e-10)
