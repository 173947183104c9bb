"""Thompson sampling on simulated responses: regret grows like log t, and beats posting at the best average so far."""

from __future__ import annotations

import numpy as np
import pytest

from shequn.content import Thompson, lai_robbins, regret

ROUNDS, RUNS = 6_000, 3
TRUTH = np.array([0.05, 0.1, 0.15, 0.2, 0.3, 0.45])


def sampled(rng):
    state = Thompson.knowing_nothing(len(TRUTH))
    chosen = np.empty(ROUNDS, dtype=np.int64)
    for t in range(ROUNDS):
        slot = int(state.choose(rng=rng)[0])
        state = state.update(slot, int(rng.random() < TRUTH[slot]), 1)
        chosen[t] = slot
    return chosen


def best_average(rng):
    """Try each slot once, then post at the best average of the weeks before, seven posts a week."""
    hits, trials = (rng.random(len(TRUTH)) < TRUTH).astype(float), np.ones(len(TRUTH))
    chosen = list(range(len(TRUTH)))
    while len(chosen) < ROUNDS:
        slot = int((hits / trials).argmax())
        hits[slot] += (rng.random(7) < TRUTH[slot]).sum()
        trials[slot] += 7
        chosen += [slot] * 7
    return np.array(chosen[:ROUNDS])


@pytest.fixture(scope="module")
def lost():
    return np.mean([regret(TRUTH, sampled(np.random.default_rng([11, run]))) for run in range(RUNS)], axis=0)


def test_regret_grows_like_the_logarithm_at_the_rate_of_lai_and_robbins(lost):
    t = np.arange(1, ROUNDS + 1)
    late = t >= ROUNDS // 20
    slope, start = np.polyfit(np.log(t[late]), lost[late], 1)
    assert 0.4 < slope / lai_robbins(TRUTH) < 1.8
    # A straight line in ln t, and no straight line in t: each doubling adds about the same.
    assert np.abs(lost[late] - (start + slope * np.log(t[late]))).max() < 0.15 * lost[-1]
    doublings = lost[[1499, 2999, 5999]] - lost[[749, 1499, 2999]]
    assert doublings.max() < 3 * lai_robbins(TRUTH) * np.log(2)


def test_it_loses_far_less_than_the_best_average_of_the_weeks_before(lost):
    others = [regret(TRUTH, best_average(np.random.default_rng([12, run])))[-1] for run in range(200)]
    assert lost[-1] < 0.25 * np.mean(others)


def test_nearly_all_late_posts_are_in_the_best_slot():
    chosen = sampled(np.random.default_rng(13))
    assert (chosen[ROUNDS // 2 :] == TRUTH.argmax()).mean() > 0.97
