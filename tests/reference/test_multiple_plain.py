"""Holm's rule against its definition, step by step."""

from __future__ import annotations

import numpy as np
import pytest

from shequn.stats import holm


def step_down(p_values, alpha):
    """Which hypotheses Holm (1979) rejects at alpha: from the smallest on, until one is not."""
    rejected, open_ones = set(), sorted(range(len(p_values)), key=p_values.__getitem__)
    while open_ones and p_values[open_ones[0]] * len(open_ones) <= alpha:
        rejected.add(open_ones.pop(0))
    return rejected


@pytest.mark.parametrize("n", [1, 2, 5, 40])
@pytest.mark.parametrize("seed", range(5))
def test_an_adjusted_value_is_the_least_alpha_at_which_the_procedure_rejects(n, seed):
    p_values = (np.random.default_rng(seed).random(n) ** 4).tolist()
    for row, adjusted in enumerate(holm(p_values).tolist()):
        assert adjusted == 1 or row in step_down(p_values, adjusted * (1 + 1e-12))
        assert row not in step_down(p_values, adjusted * (1 - 1e-12))
