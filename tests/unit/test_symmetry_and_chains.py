from __future__ import annotations

import math

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.stats import bowker, closed_classes, stationary_distribution, stuart_maxwell, transition_power

both_tests = pytest.mark.parametrize("test", [bowker, stuart_maxwell])
UNKNOWN = [math.nan, math.nan]


@both_tests
def test_two_classes_give_mcnemar(test):
    found = test([[101, 121], [59, 33]])
    assert found.statistic == pytest.approx((121 - 59) ** 2 / (121 + 59), rel=1e-14)
    assert (found.df, found.n_moved) == (1, 180)


@both_tests
def test_a_symmetric_table_differs_by_nothing(test):
    found = test([[5, 2, 9], [2, 0, 4], [9, 4, 1]])
    assert found.statistic == 0
    assert found.p_value == 1


@both_tests
@pytest.mark.parametrize("table", [np.zeros((0, 0), int), [[7]], [[3, 0], [0, 2]], np.zeros((3, 3), int)])
def test_where_nobody_moved_there_is_nothing_to_test(test, table):
    found = test(table)
    assert found[:2] == (0, 0)
    assert math.isnan(found.p_value)
    assert found.n_moved == 0
    assert found.dropped == tuple(range(len(table)))


@both_tests
def test_classes_that_nobody_moved_into_or_out_of_are_dropped_and_named(test):
    bare = test([[5, 9, 1], [3, 8, 2], [6, 2, 2]])
    padded = test([[0, 0, 0, 0, 0], [0, 5, 9, 0, 1], [0, 3, 8, 0, 2], [0, 0, 0, 70, 0], [0, 6, 2, 0, 2]])
    assert padded.dropped == (0, 3)
    assert padded[:4] == pytest.approx(bare[:4], rel=1e-14)


def test_groups_of_classes_without_moves_between_them_are_tested_together():
    one, other = [[5, 9], [3, 8]], [[4, 6, 1], [0, 7, 2], [5, 2, 2]]
    table = np.zeros((5, 5), dtype=int)
    table[:2, :2], table[2:, 2:] = one, other
    found = stuart_maxwell(table)
    assert found.df == 1 + 2
    assert found.statistic == pytest.approx(stuart_maxwell(one).statistic + stuart_maxwell(other).statistic)


def test_a_long_chain_of_classes_is_one_connected_part():
    table = np.diag(np.arange(1, 9), 1) + np.diag(np.arange(2, 10), -1)
    order = np.array([4, 8, 0, 6, 2, 7, 1, 5, 3])
    found = stuart_maxwell(table[np.ix_(order, order)])
    assert found.df == 8
    assert found.statistic == pytest.approx(stuart_maxwell(table).statistic)


def test_pairs_without_moves_are_no_degrees_of_freedom():
    found = bowker([[1, 4, 0], [2, 1, 0], [0, 0, 3]])
    assert (found.statistic, found.df) == (pytest.approx(4 / 6), 1)


@both_tests
def test_large_counts_do_not_overflow(test):
    a, b = 2**60, 2**59
    assert test([[0, a], [b, 0]]).statistic == pytest.approx((a - b) ** 2 / (a + b))


@both_tests
@pytest.mark.parametrize(
    ("table", "error", "text"),
    [
        ([[1, 2, 3], [4, 5, 6]], InvalidValueError, r"table: expected counts with as many columns as rows, got 'shape"),
        ([1, 2], InvalidValueError, "as many columns as rows"),
        ([[1, -2], [3, 4]], InvalidValueError, r"table: expected integers in \[0, 2\*\*63\), got -2 at row 0"),
        ([[0.5, 1], [1, 0]], InvalidTypeError, "table: expected integers, got 'float64 values'"),
        ([[2**61, 2**61], [1, 0]], InvalidValueError, r"table: expected counts whose sum is below 2\*\*62"),
    ],
)
def test_what_is_no_square_table_of_counts_is_refused(test, table, error, text):
    with pytest.raises(error, match=text):
        test(table)


# --- chains ---


def test_a_state_that_is_left_for_good_has_no_share_in_the_long_run():
    assert stationary_distribution([[0.5, 0.5, 0], [0, 0.9, 0.1], [0, 0.3, 0.7]]) == pytest.approx([0, 0.75, 0.25])


def test_states_that_change_places_have_their_mean_over_time():
    assert stationary_distribution([[0, 1], [1, 0]]).tolist() == [0.5, 0.5]


def test_tiny_rates_keep_their_digits():
    shares = stationary_distribution([[1 - 1e-15, 1e-15], [0.5, 0.5]])
    assert shares[1] == pytest.approx(2e-15, rel=1e-12)


def test_two_ends_have_no_one_long_run():
    with pytest.raises(InvalidValueError, match=r"rates: expected one closed class .* got \[\(1,\), \(2, 3\)\]"):
        stationary_distribution([[0.5, 0.3, 0.2, 0], [0, 1, 0, 0], [0, 0, 0.5, 0.5], [0, 0, 1, 0]])


def test_a_state_that_is_entered_and_of_which_nothing_is_known_leaves_the_long_run_open():
    with pytest.raises(InvalidValueError, match=r"a known row for each state that is entered, got nan at row 1"):
        stationary_distribution([[0.5, 0.5], UNKNOWN])


def test_a_state_of_which_nothing_is_known_and_that_nobody_enters_is_left_aside():
    rates = [[0.5, 0, 0.5], [math.nan] * 3, [1, 0, 0]]
    assert stationary_distribution(rates) == pytest.approx([2 / 3, 0, 1 / 3])
    assert closed_classes(rates) == ((0, 2),)


def test_a_class_that_leads_to_the_unknown_is_not_closed():
    assert closed_classes([[0.5, 0.5], UNKNOWN]) == ()


def test_what_comes_through_the_unknown_is_not_known():
    rates = [[1, 0, 0], [0, 0.5, 0.5], [math.nan] * 3]
    assert np.isnan(transition_power(rates, 1)).tolist() == [[False] * 3, [False] * 3, [True] * 3]
    assert np.isnan(transition_power(rates, 2)).tolist() == [[False] * 3, [True] * 3, [True] * 3]
    assert transition_power(rates, 0).tolist() == np.eye(3).tolist()


def test_the_rows_of_a_high_power_add_up_to_one():
    power = transition_power([[0.9, 0.1], [0.3, 0.7]], 10**12)
    assert power.sum(axis=1) == pytest.approx([1, 1], abs=1e-15)
    assert power == pytest.approx(np.array([[0.75, 0.25]] * 2), rel=1e-12)


def test_no_state_is_a_chain_too():
    assert transition_power(np.zeros((0, 0)), 3).shape == (0, 0)
    assert closed_classes(np.zeros((0, 0))) == ()


@pytest.mark.parametrize(
    ("rates", "text"),
    [
        ([[0.5, 0.4], [0, 1]], r"rates: expected rows that add up to 1, got 0.9 at row 0 \(1 of 2 rows\)"),
        ([[1.5, -0.5], [0, 1]], r"rates: expected shares in \[0, 1\], got 1.5 at row 0"),
        ([[0.5, 0.5]], "rates: expected as many columns as rows, got 'shape"),
        ([[math.nan, 1], [0, 1]], "rates: expected rows that are known or NaN as a whole, got nan at row 0"),
    ],
)
def test_what_are_no_rates_is_refused(rates, text):
    for ask in (closed_classes, stationary_distribution, lambda given: transition_power(given, 1)):
        with pytest.raises(InvalidValueError, match=text):
            ask(rates)


def test_periods_are_a_whole_number_and_not_negative():
    with pytest.raises(InvalidValueError, match="n: expected a number of periods of 0 or more, got -1"):
        transition_power([[1.0]], -1)
    with pytest.raises(InvalidTypeError, match=r"n: expected an integer, got 1\.5"):
        transition_power([[1.0]], 1.5)


def test_the_answers_are_read_only_and_the_rates_are_not_touched():
    rates = np.array([[0.9, 0.1], [0.3, 0.7]])
    before = rates.copy()
    for answer in (stationary_distribution(rates), transition_power(rates, 2)):
        assert not answer.flags.writeable
    assert np.array_equal(rates, before)
