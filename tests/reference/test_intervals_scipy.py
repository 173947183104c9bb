"""Intervals against scipy's and against the equation that defines them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import scipy.special
import scipy.stats

from shequn.stats import newcombe, wilson

COUNTS = [(h, n) for n in (1, 2, 3, 10, 57, 263, 10_000) for h in sorted({0, 1, n // 3, n // 2, n - 1, n})]
LEVELS = [0.5, 0.8, 0.95, 0.999]


@pytest.mark.parametrize("level", LEVELS)
def test_wilson_agrees_with_scipy(level):
    hits, trials = np.array(COUNTS).T
    lower, upper = wilson(hits, trials, level=level)
    for row, (h, n) in enumerate(COUNTS):
        expected = scipy.stats.binomtest(h, n).proportion_ci(confidence_level=level, method="wilson")
        assert (lower[row], upper[row]) == pytest.approx(expected, rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("level", [*LEVELS, 1 - 1e-9])
@pytest.mark.parametrize(("h", "n"), [(1, 3), (1, 10_000), (1, 10**12), (10**12 - 1, 10**12), (2**61, 2**62)])
def test_each_end_solves_the_score_equation(h, n, level):
    z = Fraction(float(-scipy.special.ndtri((1 - level) / 2)))
    p = Fraction(h, n)
    for end in wilson(h, n, level=level):
        root = Fraction(float(end))
        distance = (p - root) ** 2 * n
        slope = 2 * abs(p - root) * n + z * z
        # An end that is off by a few units in the last place moves the equation by that much times its slope.
        assert abs(distance - z * z * root * (1 - root)) <= slope * root * Fraction(1, 10**14)


def test_newcombe_is_the_root_of_the_summed_squares_of_two_wilson_intervals():
    rows = [(a, b) for a in COUNTS for b in COUNTS[::3]]
    h1, n1, h2, n2 = np.array([(*a, *b) for a, b in rows]).T
    lower, upper = newcombe(h1, n1, h2, n2)
    for row, ((ha, na), (hb, nb)) in enumerate(rows):
        a = scipy.stats.binomtest(ha, na).proportion_ci(method="wilson")
        b = scipy.stats.binomtest(hb, nb).proportion_ci(method="wilson")
        difference = ha / na - hb / nb
        below = ((ha / na - a.low) ** 2 + (b.high - hb / nb) ** 2) ** 0.5
        above = ((a.high - ha / na) ** 2 + (hb / nb - b.low) ** 2) ** 0.5
        assert (lower[row], upper[row]) == pytest.approx((difference - below, difference + above), rel=0, abs=1e-12)
