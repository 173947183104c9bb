from __future__ import annotations

import math

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.stats import chi_square_homogeneity


def test_groups_with_equal_proportions_differ_by_nothing():
    test = chi_square_homogeneity([[30, 70], [60, 140], [3, 7]])
    assert test.statistic == 0
    assert test.df == 2
    assert test.p_value == 1
    assert test.smallest_expected == 3


def test_two_shares_give_the_square_of_the_pooled_z():
    pooled = 104 / 150
    z = (56 / 70 - 48 / 80) / math.sqrt(pooled * (1 - pooled) * (1 / 70 + 1 / 80))
    test = chi_square_homogeneity([[56, 14], [48, 32]])
    assert test.statistic == pytest.approx(z * z, rel=1e-12)
    assert test.df == 1
    assert test.p_value == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-12)


def test_groups_and_outcomes_without_counts_are_left_out_and_named():
    bare = chi_square_homogeneity([[5, 9], [8, 3]])
    padded = chi_square_homogeneity([[0, 0, 0, 0], [5, 0, 9, 0], [0, 0, 0, 0], [8, 0, 3, 0]])
    assert bare.dropped_rows == bare.dropped_columns == ()
    assert padded.dropped_rows == (0, 2)
    assert padded.dropped_columns == (1, 3)
    assert padded[:4] == bare[:4]


@pytest.mark.parametrize("table", [[[3, 4]], [[3], [4]], [[3, 0], [4, 0]], [[3, 4], [0, 0]]])
def test_with_one_group_or_one_outcome_there_is_nothing_to_compare(table):
    test = chi_square_homogeneity(table)
    assert test.statistic == 0
    assert test.df == 0
    assert math.isnan(test.p_value)
    assert test.smallest_expected >= 3


@pytest.mark.parametrize("table", [[[0, 0], [0, 0]], np.zeros((0, 2), int), np.zeros((2, 0), int), [[]]])
def test_an_empty_table_says_nothing(table):
    test = chi_square_homogeneity(table)
    assert test.statistic == test.df == 0
    assert math.isnan(test.p_value)
    assert math.isnan(test.smallest_expected)
    assert len(test.dropped_rows) == np.shape(table)[0]


def test_the_row_and_column_positions_are_plain_integers():
    test = chi_square_homogeneity(np.array([[1, 0], [0, 0]], dtype=np.uint8))
    assert [type(i) for i in (*test.dropped_rows, *test.dropped_columns, test.df)] == [int, int, int]
    assert (type(test.statistic), type(test.p_value), type(test.smallest_expected)) == (float, float, float)


def test_counts_near_the_largest_integer_do_not_overflow():
    large = 2**62
    assert chi_square_homogeneity([[large, large], [large, large]]).statistic == 0


def test_what_is_not_a_table_of_counts_is_refused():
    with pytest.raises(
        InvalidValueError,
        match=r"^table: expected counts with two axes, groups by outcomes, got 'shape \(3,\)'$",
    ):
        chi_square_homogeneity([1, 2, 3])
    with pytest.raises(InvalidTypeError, match=r"^table: expected integers, got 'float64 values'$"):
        chi_square_homogeneity([[0.5, 0.5]])
    with pytest.raises(
        InvalidValueError,
        match=r"^table: expected integers in \[0, 2\*\*63\), got -2 at row 1 \(1 of 2 rows\)$",
    ):
        chi_square_homogeneity([[1, 1], [3, -2]])
    with pytest.raises(InvalidTypeError, match=r"^table: expected an array of integers, got \[\[1, 2\], \[3\]\]$"):
        chi_square_homogeneity([[1, 2], [3]])


def test_two_tests_of_nothing_are_equal():
    one, other = chi_square_homogeneity([[0, 0]]), chi_square_homogeneity([[0, 0]])
    assert math.isnan(one.p_value)
    assert math.isnan(one.smallest_expected)
    assert one == other
    assert hash(one) == hash(other)
