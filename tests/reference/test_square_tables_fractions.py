"""Square tables and chains against fractions, against papers, and against scipy."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2
from tests.reference import slow_square_tables as slow

from shequn.errors import InvalidValueError
from shequn.stats import bowker, closed_classes, stationary_distribution, stuart_maxwell, transition_power

# Unaided distance vision of 7,477 women, right eye by left eye: Stuart (1953), Biometrika 40, 105-110; the statistics
# as in Bishop, Fienberg and Holland (1975), Discrete Multivariate Analysis, 8.2.
VISION = [[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492]]

cells = st.integers(0, 40) | st.just(0) | st.integers(0, 10**6)
tables = st.integers(1, 5).flatmap(lambda k: st.lists(st.lists(cells, min_size=k, max_size=k), min_size=k, max_size=k))


def as_array(table: list[list[int]]) -> np.ndarray:
    return np.array(table, dtype=np.int64).reshape(len(table), len(table))


def test_the_vision_table_gives_the_published_statistics():
    symmetry, margins = bowker(VISION), stuart_maxwell(VISION)
    assert (round(symmetry.statistic, 3), symmetry.df) == (19.107, 6)
    assert (round(margins.statistic, 3), margins.df) == (11.957, 3)
    assert symmetry.p_value == pytest.approx(chi2.sf(symmetry.statistic, 6), rel=1e-12)
    assert margins.p_value == pytest.approx(chi2.sf(margins.statistic, 3), rel=1e-12)
    assert symmetry.n_moved == margins.n_moved == 7477 - 1520 - 1512 - 1772 - 492
    assert symmetry.dropped == margins.dropped == ()


@given(tables)
def test_bowker_is_that_of_fractions(table):
    statistic, df = slow.bowker(table)
    found = bowker(as_array(table))
    assert found.df == df
    assert found.statistic == pytest.approx(float(statistic), rel=1e-12)
    if df:
        assert found.p_value == pytest.approx(chi2.sf(float(statistic), df), rel=1e-9, abs=1e-300)
    else:
        assert math.isnan(found.p_value)


@given(tables)
def test_stuart_maxwell_is_that_of_fractions_also_where_the_covariance_is_singular(table):
    statistic, df = slow.stuart_maxwell(table)
    found = stuart_maxwell(as_array(table))
    assert found.df == df
    assert found.statistic == pytest.approx(float(statistic), rel=1e-8, abs=1e-12)


@given(tables)
def test_the_long_run_is_that_of_fractions_or_there_is_none(table):
    counts = as_array(table)
    counts[counts.sum(axis=1) == 0, 0] += 1
    chain = [[Fraction(int(value), int(row.sum())) for value in row] for row in counts]
    rates = counts / counts.sum(axis=1, keepdims=True)
    expected = slow.stationary(chain) if chain else None
    if expected is None:
        with pytest.raises(InvalidValueError, match="one closed class"):
            stationary_distribution(rates)
        assert len(closed_classes(rates)) != 1
    else:
        assert stationary_distribution(rates) == pytest.approx([float(share) for share in expected], rel=1e-12, abs=0)
        inside = [place for place, share in enumerate(expected) if share]
        assert closed_classes(rates) == (tuple(inside),)


@given(tables, st.integers(0, 9))
def test_a_power_is_that_of_fractions(table, n):
    counts = as_array(table)
    counts[counts.sum(axis=1) == 0, 0] += 1
    chain = [[Fraction(int(value), int(row.sum())) for value in row] for row in counts]
    rates = counts / counts.sum(axis=1, keepdims=True)
    expected = np.array([[float(share) for share in row] for row in slow.power(chain, n)]).reshape(rates.shape)
    np.testing.assert_allclose(transition_power(rates, n), expected, rtol=1e-12)
