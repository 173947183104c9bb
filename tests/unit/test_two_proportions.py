from __future__ import annotations

import math

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.stats import two_proportions


def test_the_p_value_is_that_of_the_pooled_z():
    z = (0.8 - 0.6) / math.sqrt(104 / 150 * 46 / 150 * (1 / 70 + 1 / 80))
    assert float(two_proportions(56, 70, 48, 80)) == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-12)


@pytest.mark.parametrize(("a", "b"), [((1, 3), (2, 6)), ((0, 5), (0, 9)), ((5, 5), (9, 9)), ((7, 49), (1, 7))])
def test_equal_shares_give_one(a, b):
    assert float(two_proportions(*a, *b)) == 1


@pytest.mark.parametrize(("a", "b"), [((0, 0), (1, 2)), ((1, 2), (0, 0)), ((0, 0), (0, 0))])
def test_without_trials_there_is_nothing_to_test(a, b):
    assert np.isnan(two_proportions(*a, *b))


def test_a_sample_without_trials_leaves_the_others_alone():
    p_values = two_proportions([56, 0], [70, 0], 48, 80)
    assert p_values[0] == two_proportions(56, 70, 48, 80)
    assert np.isnan(p_values[1])


def test_all_hits_against_none_is_not_by_chance():
    assert float(two_proportions(50, 50, 0, 50)) < 1e-20


def test_counts_near_the_limit_of_64_bits_do_not_overflow():
    most = 2**63 - 1
    assert float(two_proportions(most, most, most, most)) == 1
    assert float(two_proportions(most, most, 0, most)) == 0


def test_counts_broadcast_and_the_result_is_read_only():
    p_values = two_proportions([[1], [2]], 4, [1, 2, 3], 5)
    assert p_values.shape == (2, 3)
    assert not p_values.flags.writeable
    assert p_values[1, 2] == two_proportions(2, 4, 3, 5)
    assert two_proportions([], [], [], []).shape == (0,)


def test_counts_of_two_samples_are_checked():
    with pytest.raises(
        InvalidValueError, match=r"^hits_a: expected at most trials_a \(2\), got 3 at row 1 \(1 of 2 rows\)"
    ):
        two_proportions([1, 3], 2, 1, 2)
    with pytest.raises(InvalidValueError, match=r"^hits_b: expected at most trials_b \(2\), got 3$"):
        two_proportions(1, 2, 3, 2)
    with pytest.raises(InvalidTypeError, match=r"^trials_b: expected integers, got 'float64 values'$"):
        two_proportions(1, 2, 1, 2.5)
    with pytest.raises(InvalidValueError, match=r"^hits_a, trials_a, hits_b, trials_b: expected shapes that broadcast"):
        two_proportions([1, 2], [1, 2, 3], 4, 5)
