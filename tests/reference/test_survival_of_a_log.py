"""How long members of a log stay, against the truth of simulated members, and against the rule in plain Python."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pendulum
import pytest
from pendulum import duration

from shequn.columns import EventLog
from shequn.retention import survival
from shequn.stats import SurvivalTable

DAY_S = 86_400
SPAN = 1_000  # days that are observed
SILENCE = 30
EPOCH = pendulum.datetime(1970, 1, 1)


def members(n, seed):
    """Rows of members who begin at any time, stay for 60 days on average, and come every few days, some rarely."""
    rng = np.random.default_rng(seed)
    begun, stay = rng.uniform(0, SPAN, n), rng.exponential(60.25, n)
    n_rows = rng.poisson(stay * rng.gamma(4, 1 / 12, n)) + 1
    member = np.repeat(np.arange(n), n_rows)
    at = begun[member] + rng.random(len(member)) * stay[member]
    at[np.cumsum(n_rows) - n_rows] = begun
    return member, (at * DAY_S).astype(np.int64)


def seen(member, second):
    """The log up to the end of observation."""
    kept = second < SPAN * DAY_S
    return EventLog.from_columns(member=member[kept], kind="post", at=second[kept], time_unit="s")


def first_and_last(member, second):
    n = int(member.max()) + 1
    first, last = np.full(n, np.iinfo(np.int64).max), np.full(n, -1)
    np.minimum.at(first, member, second)
    np.maximum.at(last, member, second)
    return first, last


@pytest.fixture(scope="module")
def truth():
    """The share whose last activity, however late, lies more than t days after the first."""
    first, last = first_and_last(*members(200_000, seed=1))
    return {t: float((last - first > t * DAY_S).mean()) for t in (7, 30, 60, 120)}


def test_the_true_share_is_that_of_the_definition(truth):
    assert truth[60] == pytest.approx(0.348, abs=0.002)


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_the_estimate_lies_within_two_standard_errors_of_the_truth(truth, seed):
    log = seen(*members(20_000, seed))
    curve = survival(log, idle_after=duration(days=SILENCE), observed_until=EPOCH.add(days=SPAN))
    for t, share in truth.items():
        error = np.sqrt(curve.variance[np.searchsorted(curve.times, t, side="right") - 1])
        assert error < 0.005
        assert abs(float(curve.at(t)) - share) < 2 * error
        assert float(curve.at(duration(days=t))) == float(curve.at(t))


def test_censoring_at_the_end_of_observation_shows_too_many_still_there(truth):
    member, second = members(100_000, seed=11)
    kept = second < SPAN * DAY_S
    first, last = first_and_last(member[kept], second[kept])
    active = last >= 0
    first, last = first[active], last[active]
    has_gone = last <= (SPAN - SILENCE) * DAY_S
    durations = np.where(has_gone, last - first, SPAN * DAY_S - first)
    naive = SurvivalTable.from_durations(durations, has_gone)
    row = np.searchsorted(naive.times, 60 * DAY_S, side="right") - 1
    assert float(naive.at(60 * DAY_S)) == pytest.approx(0.363, abs=0.01)
    assert float(naive.at(60 * DAY_S)) - truth[60] > 3 * np.sqrt(naive.variance[row])


def plain(member, second, until, silence):
    """Times, events, censorings, and those too young, row by row."""
    rows: dict[int, list[int]] = {}
    for who, at in zip(member, second, strict=True):
        if at < until:
            rows.setdefault(who, []).append(at)
    end = until - silence
    followed, too_young = [], 0
    for ats in rows.values():
        if min(ats) > end:
            too_young += 1
        elif max(ats) <= end:
            followed.append((max(ats) - min(ats), True))
        else:
            followed.append((end - min(ats), False))
    return followed, too_young


@pytest.mark.parametrize("seed", range(12))
def test_the_rule_is_that_of_plain_python(seed):
    rng = np.random.default_rng(seed)
    n = 120
    # Few instants, so that rows fall on the end of follow-up and of observation.
    member, second = rng.integers(0, 40, n), rng.integers(0, 20, n) * 3_600
    until, silence = int(rng.integers(10, 25)) * 3_600, int(rng.integers(1, 8)) * 3_600
    log = EventLog.from_columns(member=member, kind="post", at=second, time_unit="s")
    curve = survival(log, idle_after=duration(seconds=silence), observed_until=EPOCH.add(seconds=until), unit="second")
    followed, too_young = plain(member.tolist(), second.tolist(), until, silence)
    assert (curve.n_followed, curve.too_young) == (len(followed), too_young)
    times = sorted({stay for stay, _ in followed})
    assert curve.times.tolist() == times
    assert curve.events.tolist() == [sum(stay == t and gone for stay, gone in followed) for t in times]
    assert curve.censored.tolist() == [sum(stay == t and not gone for stay, gone in followed) for t in times]
    share = Fraction(1)
    for row, t in enumerate(times):
        at_risk = sum(stay >= t for stay, _ in followed)
        share *= Fraction(at_risk - int(curve.events[row]), at_risk)
        assert curve.survival[row] == pytest.approx(float(share), abs=1e-12)
