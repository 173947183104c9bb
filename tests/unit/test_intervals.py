from __future__ import annotations

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.stats import newcombe, wilson

# Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3.
WILSON_TABLE = [
    ((81, 263), (0.2553, 0.3662)),
    ((15, 148), (0.0624, 0.1605)),
    ((0, 20), (0.0000, 0.1611)),
    ((1, 29), (0.0061, 0.1718)),
]

# Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10.
NEWCOMBE_TABLE = [
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((6, 7, 2, 7), (0.0582, 0.8062)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ((0, 10, 0, 20), (-0.1611, 0.2775)),
    ((0, 10, 0, 10), (-0.2775, 0.2775)),
    ((10, 10, 0, 20), (0.6791, 1.0000)),
    ((10, 10, 0, 10), (0.6075, 1.0000)),
]


@pytest.mark.parametrize(("counts", "ends"), WILSON_TABLE)
def test_wilson_gives_the_published_intervals(counts, ends):
    assert [float(end) for end in wilson(*counts)] == pytest.approx(ends, abs=5e-5)


def test_fifty_reads_of_ten_thousand_followers():
    lower, upper = wilson(50, 10_000)
    assert (float(lower), float(upper)) == pytest.approx((0.00379, 0.00659), abs=5e-6)


@pytest.mark.parametrize(("counts", "ends"), NEWCOMBE_TABLE)
def test_newcombe_gives_the_published_intervals(counts, ends):
    assert [float(end) for end in newcombe(*counts)] == pytest.approx(ends, abs=5e-5)


@pytest.mark.parametrize("level", [1e-17, 0.5, 0.95, 0.999_999])
@pytest.mark.parametrize("trials", [1, 7, 10_000, 2**53 + 1, 2**63 - 1])
def test_no_hits_give_a_lower_end_of_exactly_zero_and_all_hits_an_upper_end_of_exactly_one(trials, level):
    assert wilson(0, trials, level=level).lower == 0
    assert wilson(trials, trials, level=level).upper == 1


def test_no_trials_give_nan_and_leave_the_other_cells_alone():
    lower, upper = wilson([[0, 1], [2, 0]], [[0, 2], [4, 0]])
    np.testing.assert_array_equal(np.isnan(lower), [[True, False], [False, True]])
    np.testing.assert_array_equal(np.isnan(upper), [[True, False], [False, True]])
    assert lower[1, 0] == wilson(2, 4).lower


def test_a_difference_with_no_trials_on_either_side_is_nan():
    lower, upper = newcombe([0, 1, 1], [0, 2, 2], [1, 0, 1], [2, 0, 2])
    np.testing.assert_array_equal(np.isnan(lower), [True, True, False])
    np.testing.assert_array_equal(np.isnan(upper), [True, True, False])


def test_a_higher_level_gives_a_wider_interval():
    narrow, wide = wilson(3, 10, level=0.8), wilson(3, 10, level=0.99)
    assert wide.lower < narrow.lower < narrow.upper < wide.upper
    narrow, wide = newcombe(3, 10, 5, 10, level=0.8), newcombe(3, 10, 5, 10, level=0.99)
    assert wide.lower < narrow.lower < narrow.upper < wide.upper


def test_counts_broadcast_and_the_ends_are_read_only():
    interval = wilson([[1], [2]], [4, 5, 6])
    assert interval.lower.shape == interval.upper.shape == (2, 3)
    assert interval.upper[1, 2] == wilson(2, 6).upper
    difference = newcombe([1, 2], [4, 4], 3, 4)
    assert difference.lower.shape == (2,)
    assert difference.lower[1] == newcombe(2, 4, 3, 4).lower
    for end in (*interval, *difference):
        assert not end.flags.writeable


def test_an_empty_table_gives_an_empty_interval():
    assert wilson([], []).lower.shape == (0,)
    assert wilson(np.zeros((0, 3), dtype=np.int64), 4).upper.shape == (0, 3)
    assert newcombe([], [], [], []).lower.dtype == np.float64
    assert wilson(np.array([], dtype=str), 4).lower.shape == (0,)


def test_every_integer_type_is_read_alike_and_none_is_written():
    expected = wilson([1, 2], [3, 4]).lower
    for dtype in ("u1", "i2", ">i8", "u8"):
        hits = np.array([1, 2], dtype=dtype)
        hits.setflags(write=False)
        np.testing.assert_array_equal(wilson(hits, np.array([3, 9, 4, 9], dtype=dtype)[::2]).lower, expected)


def test_more_hits_than_trials_are_refused_with_the_row():
    with pytest.raises(
        InvalidValueError,
        match=r"^hits: expected at most trials \(4\), got 5 at row 1 \(2 of 3 rows\)$",
    ):
        wilson([1, 5, 6], 4)
    with pytest.raises(InvalidValueError, match=r"^hits: expected at most trials \(2\), got 3$"):
        wilson(3, 2)
    with pytest.raises(
        InvalidValueError,
        match=r"^hits: expected at most trials \(1\), got 3 at row 1 \(1 of 2 rows\)$",
    ):
        wilson([[1, 1], [3, 4]], [[2, 2], [1, 1]])
    with pytest.raises(InvalidValueError, match=r"^hits2: expected at most trials2 \(4\), got 5$"):
        newcombe(1, 2, 5, 4)
    with pytest.raises(InvalidValueError, match=r"^hits1: expected at most trials1 \(2\), got 3$"):
        newcombe(3, 2, 1, 4)


def test_counts_must_be_integers_of_zero_or_more():
    with pytest.raises(InvalidTypeError, match=r"^hits: expected integers, got 'float64 values'$"):
        wilson([1.5], [2])
    with pytest.raises(InvalidTypeError, match=r"^hits: expected integers, got 'bool values'$"):
        wilson([True], [2])
    with pytest.raises(InvalidTypeError, match=r"^trials2: expected integers, got 'object values'$"):
        newcombe(1, 2, 1, np.array([None]))
    with pytest.raises(InvalidTypeError, match=r"^trials: expected integers, got 'object values'$"):
        wilson(1, 2**70)
    with pytest.raises(
        InvalidValueError,
        match=r"^hits: expected integers in \[0, 2\*\*63\), got -1 at row 1 \(1 of 2 rows\)$",
    ):
        wilson([0, -1], [2, 2])
    with pytest.raises(
        InvalidValueError,
        match=r"^trials: expected integers in \[0, 2\*\*63\), got 9223372036854775808$",
    ):
        wilson(1, np.uint64(2**63))


@pytest.mark.parametrize("level", [0, 1, -0.5, 95, float("nan")])
def test_a_level_outside_zero_to_one_is_refused(level):
    with pytest.raises(InvalidValueError, match=r"^level: expected a number between 0 and 1, both excluded, got"):
        wilson(1, 2, level=level)
    with pytest.raises(InvalidValueError, match=r"^level: expected a number between 0 and 1, both excluded, got"):
        newcombe(1, 2, 1, 2, level=level)


@pytest.mark.parametrize("level", ["95%", True, None, np.bool_(False)])
def test_a_level_that_is_not_a_number_is_refused(level):
    with pytest.raises(InvalidTypeError, match=r"^level: expected a number between 0 and 1, got"):
        wilson(1, 2, level=level)


def test_a_numpy_number_is_a_level():
    assert wilson(1, 2, level=np.float64(0.9)) == wilson(1, 2, level=0.9)


def test_shapes_that_do_not_broadcast_are_refused():
    with pytest.raises(InvalidValueError, match=r"^hits, trials: expected shapes that broadcast together, got"):
        wilson([1, 2], [3, 4, 5])
    with pytest.raises(
        InvalidValueError,
        match=r"^hits1, trials1, hits2, trials2: expected shapes that broadcast together, got \{'hits1': \(2,\)",
    ):
        newcombe([1, 2], [3, 4], [1, 2, 3], [4, 5, 6])
