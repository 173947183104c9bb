"""Sums, spreads and skewness of whole numbers, also of very large ones."""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import covariance as slow_covariance

import numpy as np
import pytest

from shequn.campaigns.moments import covariance, root, skewness, total


@pytest.mark.parametrize("size", [3, 2**31 - 1, 2**31, 2**33, 2**61])
def test_spread_is_the_same_with_zeros_left_out_and_in_any_order(size):
    rng = np.random.default_rng(1)
    first, second = rng.integers(-size, size, (2, 40))
    order = rng.permutation(40)
    padded = [np.append(column, [0, 0, 0]) for column in (first, second)]
    found = covariance(first, second, 43)
    assert found == covariance(first[order], second[order], 43) == covariance(*padded, 43)
    assert float(found) == pytest.approx(slow_covariance(*(column.tolist() for column in padded)), rel=1e-9)


def test_small_numbers_are_exact():
    numbers = [2**31 - 1, 2**31 - 2, 0]
    mean = Fraction(sum(numbers), 3)
    assert covariance(np.array(numbers[:2]), np.array(numbers[:2]), 3) == sum((x - mean) ** 2 for x in numbers) / 2


def test_one_member_has_no_spread():
    assert covariance(np.array([5]), np.array([5]), 1) is None
    assert math.isnan(root(None))
    assert root(Fraction(-1, 10**9)) == 0


def test_sums_do_not_wrap_around():
    assert total(np.array([2**62] * 5 + [-1])) == 5 * 2**62 - 1
    assert total(np.array([-(2**62)] * 5 + [3])) == -5 * 2**62 + 3


def test_skewness_is_that_of_scipy():
    scipy_stats = pytest.importorskip("scipy.stats")
    numbers = np.array([5, 0, 900, 20, 20, -3])
    assert skewness(numbers, 8) == pytest.approx(scipy_stats.skew([*numbers, 0, 0]))
    assert math.isnan(skewness(np.array([0, 0]), 5))
