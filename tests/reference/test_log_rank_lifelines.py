"""Log-rank tests against lifelines, against printed figures, and against plain Python with late entry.

lifelines has no late entry in its test, and its Fleming-Harrington weights fail where a duration is 0.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from lifelines.statistics import multivariate_logrank_test

from shequn.stats import SurvivalTable, chi2_sf, log_rank

# Weeks of remission under 6-MP and under placebo: Freireich et al. (1963), Blood 21, 699-716.
TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]

WEIGHTS = [
    ("log-rank", {}, None),
    ("wilcoxon", {}, "wilcoxon"),
    ("tarone-ware", {}, "tarone-ware"),
    ("peto", {}, "peto"),
    ("fleming-harrington", {"p": 1.0, "q": 0.5}, "fleming-harrington"),
    ("fleming-harrington", {"p": 0.0, "q": 2.0}, "fleming-harrington"),
]


def groups_of(durations, observed, group, n_groups):
    return [SurvivalTable.from_durations(durations[group == g], observed[group == g]) for g in range(n_groups)]


CASES = [
    (kind, *weights)
    for kind in ("ties", "continuous", "zero")
    for weights in WEIGHTS
    if not (kind == "zero" and weights[0] == "fleming-harrington")
]


@pytest.mark.parametrize("n_groups", [2, 3, 5])
@pytest.mark.parametrize(("kind", "weights", "powers", "theirs"), CASES)
def test_the_test_agrees_with_lifelines(n_groups, kind, weights, powers, theirs):
    rng = np.random.default_rng(n_groups)
    n = 300
    group = rng.integers(0, n_groups, n)
    durations = rng.exponential(20, n) if kind == "continuous" else rng.integers(1, 25, n)
    if kind == "zero":
        durations[rng.random(n) < 0.1] = 0
    durations = durations * (1 + 0.2 * (group == 0)) if kind == "continuous" else durations + 2 * (group == 0)
    observed = rng.random(n) < 0.6
    found = log_rank(groups_of(durations, observed, group, n_groups), weights=weights, **powers)
    with np.errstate():
        peer = multivariate_logrank_test(durations, group, observed, weightings=theirs, **powers)
    assert found.df == peer.degrees_of_freedom
    np.testing.assert_allclose(found.statistic, peer.test_statistic, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found.p_value, peer.p_value, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("weights", "printed"), [("log-rank", 16.79), ("wilcoxon", 13.46), ("tarone-ware", 15.12), ("peto", 14.08)]
)
def test_the_figures_of_the_remission_trial(weights, printed):
    """As textbooks have printed them since, such as Kleinbaum and Klein (2012), Survival Analysis, chapter 2."""
    tables = [SurvivalTable.from_durations(TREATED, RELAPSED), SurvivalTable.from_durations(PLACEBO)]
    found = log_rank(tables, weights=weights)
    assert found.statistic == pytest.approx(printed, abs=0.005)
    assert found.observed.tolist() == [9, 21]
    assert found.expected.tolist() == pytest.approx([19.25, 10.75], abs=0.005)


def plain_two_groups(rows, weigh):
    """Score and variance of the first of two groups, by the definition: rows of (group, duration, event, entry)."""
    score, variance, before = Fraction(0), Fraction(0), Fraction(1)
    for t in sorted({duration for _, duration, event, _ in rows if event}):
        risk = [row for row in rows if (row[3] < 0 or row[3] < t) and t <= row[1]]
        n, n1 = len(risk), sum(row[0] == 0 for row in risk)
        d = sum(row[1] == t and row[2] for row in risk)
        d1 = sum(row[1] == t and row[2] and row[0] == 0 for row in risk)
        w = weigh(n, before)
        score += w * (d1 - Fraction(d * n1, n))
        if n > 1:
            variance += w**2 * Fraction(d * (n - d) * n1 * (n - n1), (n - 1) * n * n)
        before *= Fraction(n - d, n)
    return score, variance


@pytest.mark.parametrize(
    ("weights", "powers", "weigh"),
    [
        ("log-rank", {}, lambda _n, _s: 1),
        ("wilcoxon", {}, lambda n, _s: n),
        ("fleming-harrington", {"p": 1, "q": 1}, lambda _n, s: s * (1 - s)),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_late_entry_agrees_with_plain_python(weights, powers, weigh, seed):
    rng = np.random.default_rng(seed)
    n = 60
    group, entry = rng.integers(0, 2, n), np.where(rng.random(n) < 0.5, -1, rng.integers(0, 10, n))
    durations = np.maximum(entry, 0) + rng.integers(1, 15, n)
    observed = rng.random(n) < 0.7
    tables = [
        SurvivalTable.from_durations(durations[group == g], observed[group == g], entry[group == g]) for g in (0, 1)
    ]
    found = log_rank(tables, weights=weights, **powers)
    rows = list(zip(group.tolist(), durations.tolist(), observed.tolist(), entry.tolist(), strict=True))
    score, variance = plain_two_groups(rows, weigh)
    np.testing.assert_allclose(found.score, [float(score), -float(score)], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.variance[0, 0], float(variance), rtol=1e-12)
    assert found.statistic == pytest.approx(float(score**2 / variance), rel=1e-10)
    assert found.p_value == pytest.approx(float(chi2_sf(float(score**2 / variance), 1)), abs=1e-12)


def test_under_no_difference_small_p_values_are_as_frequent_as_they_say():
    rng = np.random.default_rng(6)
    p_values = []
    for _ in range(400):
        group, late = rng.integers(0, 3, 150), rng.uniform(-20, 20, 150)
        stay = rng.exponential(20, 150)
        seen = stay > np.maximum(late, 0)
        durations = np.minimum(stay, np.maximum(late, 0) + 30)
        tables = [
            SurvivalTable.from_durations(
                durations[seen & (group == g)], (stay == durations)[seen & (group == g)], late[seen & (group == g)]
            )
            for g in range(3)
        ]
        p_values.append(log_rank(tables).p_value)
    # 400 tests at 5 %: 20 ± 4.4.
    assert 7 <= np.count_nonzero(np.array(p_values) < 0.05) <= 33
