from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from shequn.stats import chi_square_homogeneity


@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (2, 5), (12, 4), (60, 2), (40, 30)])
@pytest.mark.parametrize("size", [3, 50, 100_000])
def test_homogeneity_agrees_with_scipy(shape, size):
    table = np.random.default_rng([*shape, size]).integers(1, size, shape)
    expected = scipy.stats.chi2_contingency(table, correction=False)
    test = chi_square_homogeneity(table)
    assert test.statistic == pytest.approx(expected.statistic, rel=1e-10)
    assert test.df == expected.dof
    assert test.p_value == pytest.approx(expected.pvalue, rel=1e-8, abs=1e-300)
    assert test.smallest_expected == pytest.approx(expected.expected_freq.min(), rel=1e-12)
