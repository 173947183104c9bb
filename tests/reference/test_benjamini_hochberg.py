"""Benjamini and Hochberg's rule against the table of their paper, SciPy, and the procedure in words."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from shequn.stats import benjamini_hochberg, holm

# The 15 p-values of Benjamini & Hochberg (1995), section 4.1: front-loading of rt-PA after an infarction.
PAPER = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
]


def test_of_the_15_of_the_paper_4_are_rejected_where_bonferroni_and_holm_reject_3():
    assert int((benjamini_hochberg(PAPER) <= 0.05).sum()) == 4
    assert int((holm(PAPER) <= 0.05).sum()) == 3
    assert benjamini_hochberg(PAPER)[3] == pytest.approx(0.0095 * 15 / 4)


@pytest.mark.parametrize("n", [1, 2, 5, 40, 1000])
@pytest.mark.parametrize("seed", range(3))
def test_equal_to_scipy(n, seed):
    p_values = np.random.default_rng(seed).random(n) ** 4
    p_values[:: max(n // 4, 1)] = p_values[0]
    np.testing.assert_allclose(benjamini_hochberg(p_values), scipy.stats.false_discovery_control(p_values), rtol=1e-14)


def step_up(p_values, q):
    """Which hypotheses are rejected: all up to the last that lies on or below the line q i / m."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    below = [i for i, row in enumerate(order, start=1) if p_values[row] * len(order) <= q * i]
    return set(order[: max(below, default=0)])


@pytest.mark.parametrize("seed", range(10))
def test_an_adjusted_value_is_the_least_q_at_which_the_procedure_rejects(seed):
    p_values = (np.random.default_rng(seed).random(17) ** 3).tolist()
    for row, adjusted in enumerate(benjamini_hochberg(p_values).tolist()):
        assert row in step_up(p_values, adjusted * (1 + 1e-12))
        assert adjusted == 0 or row not in step_up(p_values, adjusted * (1 - 1e-12))
