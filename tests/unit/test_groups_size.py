from __future__ import annotations

import copy
import pickle
from typing import Any

import attrs
import numpy as np
import pytest

from shequn.entities import OPTIMAL_SIZE, SizeBand, pairs
from shequn.errors import InvalidTypeError, InvalidValueError

FIVE: Any = np.int64(5)


def test_a_group_works_best_at_26_to_36():
    assert (OPTIMAL_SIZE.lo, OPTIMAL_SIZE.hi) == (26, 36)


@pytest.mark.parametrize(
    ("n", "fit"),
    [
        (0, 0.0),
        (1, 1 / 26),
        (13, 0.5),
        (25, 25 / 26),
        (26, 1.0),
        (30, 1.0),
        (36, 1.0),
        (37, 36 / 37),
        (72, 0.5),
        (500, 0.072),
    ],
)
def test_the_fit_is_one_inside_and_the_ratio_to_the_nearer_end_outside(n, fit):
    assert OPTIMAL_SIZE.size_fit(n) == fit
    assert type(OPTIMAL_SIZE.size_fit(n)) is float


@pytest.mark.parametrize(
    "sizes",
    [
        [0, 26, 72],
        (0, 26, 72),
        np.array([0, 26, 72], dtype=np.uint8),
        np.array([0, 26, 72], dtype=">i4"),
        np.array([72, 26, 0])[::-1],
    ],
)
def test_many_sizes_have_a_fit_each(sizes):
    fit = OPTIMAL_SIZE.size_fit(sizes)
    np.testing.assert_array_equal(fit, [0.0, 1.0, 0.5])
    assert (fit.dtype, fit.flags.writeable) == (np.float64, False)


def test_sizes_are_not_written_to():
    sizes = np.array([0, 26, 72])
    sizes.setflags(write=False)
    OPTIMAL_SIZE.size_fit(sizes)
    np.testing.assert_array_equal(sizes, [0, 26, 72])


def test_no_sizes_have_no_fit():
    assert OPTIMAL_SIZE.size_fit([]).shape == (0,)


@pytest.mark.parametrize(
    ("n", "error", "says"),
    [
        (-1, InvalidValueError, "^n: expected numbers of members >= 0, got -1$"),
        ([3, -1, -2], InvalidValueError, r"^n: expected numbers of members >= 0, got -1 at row 1 \(2 of 3 rows\)$"),
        (2.5, InvalidTypeError, "^n: expected integers, got 'float64 values'$"),
        ([None], InvalidTypeError, "^n: expected integers, got 'object values'$"),
    ],
)
def test_what_is_not_a_number_of_members_has_no_fit(n, error, says):
    with pytest.raises(error, match=says):
        OPTIMAL_SIZE.size_fit(n)


def test_both_ends_of_a_band_are_inside():
    assert [n in SizeBand(3, 5) for n in (2, 3, 5, 6)] == [False, True, True, False]
    assert 7 in SizeBand(7, 7)


def test_a_band_is_its_ends():
    assert SizeBand(3, 5) == SizeBand(lo=3, hi=FIVE) != SizeBand(3, 6)
    assert len({SizeBand(3, 5), SizeBand(3, 5), SizeBand(2, 5)}) == 2
    assert type(SizeBand(FIVE, 7).lo) is int


@pytest.mark.parametrize("duplicate", [copy.copy, attrs.evolve, lambda b: pickle.loads(pickle.dumps(b))])  # noqa: S301
def test_a_copy_is_equal(duplicate):
    assert duplicate(SizeBand(3, 5)) == SizeBand(3, 5)


@pytest.mark.parametrize(
    ("ends", "error", "says"),
    [
        ((0, 5), InvalidValueError, "^lo: expected a number of members >= 1, got 0$"),
        ((5, 4), InvalidValueError, r"^hi: expected a number of members >= lo \(5\), got 4$"),
        ((2.0, 4), InvalidTypeError, "^lo: expected an integer, got 2.0$"),
        ((2, True), InvalidTypeError, "^hi: expected an integer, got True$"),
    ],
)
def test_a_band_says_which_end_cannot_be_used(ends, error, says):
    with pytest.raises(error, match=says):
        SizeBand(*ends)


@pytest.mark.parametrize(("n", "count"), [(0, 0), (1, 0), (2, 1), (26, 325), (36, 630), (500, 124_750)])
def test_pairs_grow_with_the_square_of_the_size(n, count):
    assert pairs(n) == count
    assert type(pairs(FIVE)) is int


def test_pairs_are_counted_exactly_at_any_size():
    assert pairs(10**10 + 1) == 5 * 10**9 * (10**10 + 1)


@pytest.mark.parametrize(
    ("n", "error", "says"),
    [
        (-1, InvalidValueError, "^n: expected a number of members >= 0, got -1$"),
        (2.0, InvalidTypeError, "^n: expected an integer, got 2.0$"),
    ],
)
def test_what_is_not_a_number_of_members_has_no_pairs(n, error, says):
    with pytest.raises(error, match=says):
        pairs(n)


def test_a_masked_size_fits_nothing():
    with pytest.raises(InvalidValueError, match=r"^n: .* without masked entries, got 'a masked one' at row 1$"):
        OPTIMAL_SIZE.size_fit(np.ma.masked_array([1, 2, 3], mask=[0, 1, 0]))


@pytest.mark.parametrize("n", [None, "30", np.array([30, 31]), np.timedelta64(30, "s")])
def test_what_is_no_number_is_in_no_band(n: Any):
    assert n not in OPTIMAL_SIZE
    assert np.int64(30) in OPTIMAL_SIZE
