from __future__ import annotations

from time import process_time

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError
from shequn.stats import quantile_interval, weighted_quantile

# Ranks that bound the median with 95 % or more, as in tables of the sign test.
MEDIAN_RANKS = {5: (np.nan, np.nan), 6: (1, 6), 9: (2, 8), 10: (2, 9), 20: (6, 15), 100: (40, 61)}


def ones(n):
    return np.arange(1, n + 1), np.ones(n, dtype=np.int64)


def test_a_quantile_is_the_smallest_value_with_enough_counts_up_to_it():
    assert weighted_quantile([1, 2, 5], [7, 2, 1], [0, 0.69, 0.7, 0.71, 0.9, 0.91, 1]).tolist() == [1, 1, 1, 2, 2, 5, 5]


def test_the_median_of_two_is_the_lower_one():
    assert float(weighted_quantile([10, 20], [1, 1], 0.5)) == 10


def test_a_value_that_does_not_occur_is_no_quantile():
    assert weighted_quantile([0, 1, 2, 3], [0, 1, 0, 1], [0, 0.5, 0.51, 1]).tolist() == [1, 1, 3, 3]
    assert weighted_quantile([1, 2], [1, 0], 1) == 1


@pytest.mark.parametrize("n", [7, 10, 30, 100, 1_000])
def test_a_share_that_is_a_whole_number_of_counts_is_not_missed_by_rounding(n):
    ranks = np.arange(1, n + 1)
    np.testing.assert_array_equal(weighted_quantile(*ones(n), ranks / n), ranks)
    np.testing.assert_array_equal(
        weighted_quantile(*ones(100), np.round(np.arange(1, 100) / 100, 2)), np.arange(1, 100)
    )


def test_nothing_counted_gives_nothing():
    for values, counts in (([], []), ([1, 2], [0, 0])):
        assert np.isnan(weighted_quantile(values, counts, [0, 0.5, 1])).all()
        assert np.isnan(quantile_interval(values, counts, [0.1, 0.5])).all()


def test_quantiles_have_the_shape_of_the_shares_and_are_read_only():
    assert weighted_quantile([1, 2], [1, 1], [[0.2], [0.9]]).tolist() == [[1], [2]]
    assert weighted_quantile([1, 2], [1, 1], []).shape == (0,)
    lower, upper = quantile_interval(*ones(50), [[0.5, 0.6]])
    assert lower.shape == upper.shape == (1, 2)
    assert quantile_interval([1], [1], []).lower.shape == (0,)
    for array in (lower, upper, weighted_quantile([1], [1], 0.5)):
        assert not array.flags.writeable


@pytest.mark.parametrize(("n", "ranks"), MEDIAN_RANKS.items())
def test_the_interval_of_a_median_is_that_of_the_sign_test(n, ranks):
    np.testing.assert_array_equal(quantile_interval(*ones(n), 0.5), ranks)


def test_counts_stand_for_that_many_equal_values():
    lower, upper = quantile_interval([10, 20, 30], [5, 10, 5], 0.5)
    assert (lower, upper) == (20, 20)  # ranks 6 and 15


def test_too_few_counts_bound_a_far_quantile_on_one_side_only():
    lower, upper = quantile_interval(*ones(100), [0.01, 0.99])
    assert np.isnan(lower).tolist() == [True, False]
    assert np.isnan(upper).tolist() == [False, True]


def test_a_higher_level_gives_a_wider_interval_of_a_quantile():
    narrow, wide = (quantile_interval(*ones(1_000), 0.3, level=level) for level in (0.5, 0.999))
    assert wide.lower < narrow.lower < 300 < narrow.upper < wide.upper


def test_a_level_close_to_nothing_still_holds_the_quantile():
    for n in (1, 2, 7, 8):
        lower, upper = quantile_interval(*ones(n), 0.5, level=1e-12)
        assert not lower > weighted_quantile(*ones(n), 0.5)
        assert not upper < weighted_quantile(*ones(n), 0.5)


def test_ten_million_counts_take_no_time():
    started = process_time()
    lower, upper = quantile_interval([1, 2, 3], [4_000_000, 1_999_000, 4_001_000], [0.1, 0.5, 0.5999, 0.9])
    assert process_time() - started < 0.5
    assert (lower.tolist(), upper.tolist()) == ([1, 2, 2, 3], [1, 2, 3, 3])


def test_tables_are_checked():
    with pytest.raises(
        InvalidValueError, match=r"^values: expected numbers in ascending order, got 1.0 at row 2 \(1 of 3"
    ):
        weighted_quantile([1, 2, 1], [1, 1, 1], 0.5)
    with pytest.raises(InvalidValueError, match=r"^values: expected numbers in ascending order, got nan at row 0"):
        weighted_quantile([np.nan, 2], [1, 1], 0.5)
    with pytest.raises(InvalidValueError, match=r"^values: expected one axis, got 'shape \(1, 1\)'$"):
        weighted_quantile([[1]], [1], 0.5)
    with pytest.raises(InvalidValueError, match=r"^counts: expected one axis, got 'shape \(\)'$"):
        weighted_quantile([1], 1, 0.5)
    with pytest.raises(MisalignedError, match=r"^counts: expected as many rows as `values`, which has 2, got 1 rows$"):
        quantile_interval([1, 2], [1], 0.5)
    with pytest.raises(InvalidValueError, match=r"^counts: expected integers in .*, got -1 at row 1 \(1 of 2 rows\)$"):
        quantile_interval([1, 2], [1, -1], 0.5)
    with pytest.raises(InvalidTypeError, match=r"^counts: expected integers, got 'float64 values'$"):
        weighted_quantile([1, 2], [1, 0.5], 0.5)
    with pytest.raises(InvalidValueError, match=r"^counts: expected at most 10\*\*12 in total, got 1e\+18$"):
        weighted_quantile([1], [10**18], 0.5)


def test_shares_and_levels_are_checked():
    for q in (-0.1, 1.1, np.nan):
        with pytest.raises(InvalidValueError, match=r"^q: expected shares in \[0, 1\], got"):
            weighted_quantile([1], [1], q)
    for q in (0, 1, np.nan):
        with pytest.raises(InvalidValueError, match=r"^q: expected shares between 0 and 1, both excluded, got"):
            quantile_interval([1], [1], q)
    with pytest.raises(InvalidValueError, match=r"^level: expected a number between 0 and 1"):
        quantile_interval([1], [1], 0.5, level=95)
    with pytest.raises(InvalidTypeError, match=r"^q: expected real numbers, got '<U1 values'$"):
        weighted_quantile([1], [1], "a")
