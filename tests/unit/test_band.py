from __future__ import annotations

import pickle

import attrs
import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.values import Band

GOLD = Band(enter=5_000, leave=4_500)


@pytest.mark.parametrize(
    ("earned", "from_outside", "from_inside"),
    [(4_499, False, False), (4_500, False, True), (4_999, False, True), (5_000, True, True), (5_001, True, True)],
)
def test_one_enters_at_enter_and_is_kept_down_to_leave(earned, from_outside, from_inside):
    assert GOLD.holds(earned, inside=False) is from_outside
    assert GOLD.holds(earned, inside=True) is from_inside


def test_many_values_are_told_like_one():
    values = [4_499, 4_500, 4_999, 5_000] * 2
    inside = [False] * 4 + [True] * 4
    expected = [GOLD.holds(value, inside=was) for value, was in zip(values, inside, strict=True)]
    np.testing.assert_array_equal(GOLD.mask(values, inside), expected)


def test_one_state_serves_all_values():
    np.testing.assert_array_equal(GOLD.mask([4_600, 5_000], True), [True, True])
    np.testing.assert_array_equal(GOLD.mask([4_600, 5_000], np.bool_(False)), [False, True])


def test_the_mask_is_read_only_and_of_the_shape_of_the_values():
    for shape in [(), (0,), (3,), (2, 3)]:
        mask = GOLD.mask(np.zeros(shape), False)
        assert mask.shape == shape
        assert mask.dtype == np.bool_
        assert not mask.flags.writeable
    assert GOLD.mask([], []).shape == (0,)


def test_without_leave_there_is_one_threshold():
    assert Band(10) == Band(10, 10)
    assert Band(10).leave == 10


def test_a_value_of_nan_is_outside():
    assert GOLD.holds(float("nan"), inside=True) is False
    np.testing.assert_array_equal(GOLD.mask([np.nan, 1e9], True), [False, True])


def test_nobody_falls_out_of_a_band_that_leaves_at_minus_infinity():
    band = Band(10, float("-inf"))
    assert band.holds(-1e300, inside=True)
    assert not band.holds(9, inside=False)


def test_integers_beyond_the_exact_floats_are_compared_exactly():
    band = Band(2**53 + 1)
    assert not band.holds(2**53, inside=False)
    assert band.holds(np.int64(2**53 + 1), inside=False)  # type: ignore[arg-type]
    np.testing.assert_array_equal(band.mask(np.array([2**53, 2**53 + 1]), False), [False, True])


def test_small_integer_types_compare_with_large_thresholds():
    np.testing.assert_array_equal(GOLD.mask(np.array([1, 100], dtype=np.int8), False), [False, False])
    np.testing.assert_array_equal(Band(-5).mask(np.array([0, 200], dtype=np.uint8), False), [True, True])


def test_numpy_thresholds_become_plain_numbers():
    band = Band(np.int64(3), np.float32(0.5))  # type: ignore[arg-type]
    assert (type(band.enter), type(band.leave)) == (int, float)


def test_leave_is_not_above_enter():
    with pytest.raises(InvalidValueError, match=r"^leave: expected at most enter \(10\), got 11$"):
        Band(10, 11)


@pytest.mark.parametrize("threshold", ["10", None, True, np.bool_(True), 1j])
def test_a_threshold_is_a_number(threshold):
    with pytest.raises(InvalidTypeError, match=r"^enter: expected a number, got"):
        Band(threshold, 1)
    with pytest.raises(InvalidTypeError, match=r"^leave: expected a number, got"):
        Band(10, threshold)


def test_a_threshold_is_not_nan():
    with pytest.raises(InvalidValueError, match=r"^enter: expected a number other than NaN, got nan$"):
        Band(float("nan"))
    with pytest.raises(InvalidValueError, match=r"^leave: expected a number other than NaN, got nan$"):
        Band(1, np.float64("nan"))


@pytest.mark.parametrize("value", ["10", None, True])
def test_what_is_held_against_a_band_is_a_number(value):
    with pytest.raises(InvalidTypeError, match=r"^value: expected a number, got"):
        GOLD.holds(value, inside=False)


def test_a_mask_needs_numbers_and_one_state_each():
    with pytest.raises(InvalidTypeError, match=r"^values: expected numbers, got '<U1 values'$"):
        GOLD.mask(["a"], False)
    with pytest.raises(InvalidTypeError, match=r"^inside: expected booleans, got 'int64 values'$"):
        GOLD.mask([1.0], np.array([1]))
    with pytest.raises(InvalidTypeError, match=r"^values: expected an array of numbers, got \[\[1\], \[1, 2\]\]$"):
        GOLD.mask([[1], [1, 2]], False)
    with pytest.raises(
        InvalidValueError,
        match=r"^inside: expected one boolean, or shape \(2,\) as the values, got \(3,\)$",
    ):
        GOLD.mask([1, 2], [True, False, True])


def test_a_band_is_frozen_slotted_hashable_and_survives_pickle_and_evolve():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        GOLD.enter = 2  # type: ignore[misc]
    assert not hasattr(GOLD, "__dict__")
    assert pickle.loads(pickle.dumps(GOLD)) == GOLD  # noqa: S301
    assert attrs.evolve(GOLD, leave=4_000) == Band(5_000, 4_000)
    assert len({GOLD, Band(5_000, 4_500)}) == 1


@pytest.mark.parametrize("inside", [None, 1, "yes", np.array([True, False])])
def test_one_is_inside_or_not(inside):
    assert GOLD.holds(4_600, inside=np.True_)  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match=r"^inside: expected True or False, got "):
        GOLD.holds(4_600, inside=inside)
