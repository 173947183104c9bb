"""flow − evaporation = retained, on bare numbers."""

from __future__ import annotations

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError
from shequn.retention import retained_stock


def test_what_flowed_in_and_did_not_evaporate_is_retained():
    assert retained_stock(1_000, 870) == 130
    assert retained_stock(1_000, 870, opening=20) == 150


def test_all_of_it_may_evaporate():
    assert retained_stock(5, 5) == 0
    assert retained_stock(0, 7, opening=7) == 0


def test_per_period_the_stock_is_carried_on():
    stock = retained_stock([100, 50, 0], [0, 30, 120], opening=10)
    assert stock.tolist() == [110, 130, 10]
    assert stock.dtype == np.int64


def test_what_came_in_during_a_period_may_evaporate_in_it():
    assert retained_stock([7, 3], [7, 3]).tolist() == [0, 0]


def test_integers_stay_exact_where_floats_would_not():
    big = 2**53
    assert retained_stock(big + 1, big) == 1
    assert retained_stock([big, 1], [0, 0], opening=big).tolist() == [2**54, 2**54 + 1]
    assert retained_stock([2**62, 2**62 - 1], [0, 0]).tolist() == [2**62, 2**63 - 1]


def test_numbers_alone_may_exceed_64_bits():
    assert retained_stock(2**70 + 1, 2**70) == 1
    assert retained_stock(10**30, 1, opening=10**30) == 2 * 10**30 - 1


def test_sums_beyond_64_bits_on_the_way_do_no_harm():
    assert retained_stock([2**62, 2**62, 2**62], [2**62, 2**62, 2**62]).tolist() == [0, 0, 0]
    assert retained_stock([2**64, 5], [2**64, 2]).tolist() == [0, 3]


def test_unsigned_integers_do_not_wrap():
    flow, evaporation = np.array([3, 0], dtype=np.uint8), np.array([0, 2], dtype=np.uint8)
    assert retained_stock(flow, evaporation, opening=flow[0] + 247).tolist() == [253, 251]


@pytest.mark.parametrize("integer", [int, np.int8, np.int64, np.uint64])
def test_integers_of_every_make_give_a_python_integer(integer):
    stock = retained_stock(integer(5), integer(3), opening=integer(1))
    assert stock == 3
    assert type(stock) is int


@pytest.mark.parametrize("number", [float, np.float32, np.float64])
def test_fractions_of_every_make_give_a_python_float(number):
    stock = retained_stock(number(2.5), 1)
    assert stock == 1.5
    assert type(stock) is float


def test_one_fraction_makes_the_array_fractional():
    for stock in (
        retained_stock([1.0, 2], [0, 1]),
        retained_stock([1, 2], [0, 0.5]),
        retained_stock([1, 2], [0, 1], opening=0.5),
    ):
        assert stock.dtype == np.float64


@pytest.mark.parametrize("opening", [0, 7])
def test_no_period_leaves_an_empty_array(opening):
    for empty, dtype in (([], np.int64), (np.array([], dtype=np.int32), np.int64), (np.array([]), np.float64)):
        stock = retained_stock(empty, empty, opening=opening)
        assert stock.shape == (0,)
        assert stock.dtype == dtype


def test_the_answer_cannot_be_written_to_and_the_question_stays_as_it_was():
    flow, evaporation = np.array([5, 5]), np.array([1, 1])
    stock = retained_stock(flow, evaporation)
    assert not stock.flags.writeable
    assert flow.tolist() == [5, 5]
    assert flow.flags.writeable


@pytest.mark.parametrize(
    "flow",
    [
        (3, 4, 5),
        np.array([3, 4, 5], dtype=">i4"),
        np.array([3, 0, 4, 0, 5])[::2],
        np.array([3, 4, 5], dtype=np.uint64),
    ],
)
def test_sequences_and_odd_arrays_are_taken(flow):
    assert retained_stock(flow, [1, 1, 1]).tolist() == [2, 5, 9]


def test_rounding_is_no_shortage():
    assert 0.3 < 0.1 + 0.2
    assert retained_stock(0.3, 0.1 + 0.2) == 0.0
    assert retained_stock([0.3, 0.0], [0.1, 0.2]).tolist() == pytest.approx([0.2, 0.0], abs=1e-15)
    assert (retained_stock(np.full(1000, 0.1), np.full(1000, 0.1)) >= 0).all()


def test_more_than_there_is_cannot_evaporate():
    with pytest.raises(InvalidValueError, match=r"^evaporation: expected at most what there is \(5\), got 6$"):
        retained_stock(3, 6, opening=2)
    with pytest.raises(InvalidValueError, match=r"^evaporation: expected at most what there is \(0\.5\), got 0\.6$"):
        retained_stock(0.5, 0.6)


def test_the_message_names_the_period():
    with pytest.raises(
        InvalidValueError, match=r"^evaporation: expected at most what there is \(12\), got 13 at row 2$"
    ):
        retained_stock([5, 5, 5], [0, 3, 13])
    with pytest.raises(InvalidValueError, match=r"\(9007199254740993\), got 9007199254740994 at row 0"):
        retained_stock([2**53 + 1], [2**53 + 2])


def test_a_shortage_in_the_middle_is_not_made_good_later():
    with pytest.raises(InvalidValueError, match="at row 0"):
        retained_stock([1, 100], [2, 0])


@pytest.mark.parametrize(
    ("flow", "evaporation", "opening", "match"),
    [
        (-1, 0, 0, r"^flow: expected numbers >= 0, got -1$"),
        ([1, -2, -3], [0, 0, 0], 0, r"^flow: expected numbers >= 0, got -2 at row 1 \(2 of 3 rows\)$"),
        (1, -0.5, 0, r"^evaporation: expected numbers >= 0, got -0\.5$"),
        (1, 0, -4, r"^opening: expected numbers >= 0, got -4$"),
        ([1.0, np.nan], [0, 0], 0, r"^flow: expected numbers >= 0, got nan at row 1 \(1 of 2 rows\)$"),
        (np.inf, 0, 0, r"^flow: expected numbers >= 0, got inf$"),
        ([2**62, 2**62], [0, 0], 0, rf"^flow: expected a stock that fits 64 bits with sign, got {2**63} at row 1$"),
    ],
)
def test_numbers_that_cannot_be_are_refused(flow, evaporation, opening, match):
    with pytest.raises(InvalidValueError, match=match):
        retained_stock(flow, evaporation, opening=opening)


@pytest.mark.parametrize(
    ("flow", "evaporation", "opening", "match"),
    [
        (True, 0, 0, r"^flow: expected a number or a 1-D array of numbers, none of them a boolean, got True$"),
        (np.True_, 0, 0, "^flow: .*none of them a boolean, got True$"),
        ([True, 2], [0, 0], 0, r"^flow: .*none of them a boolean, got \[True, 2\]$"),
        (np.array([True]), [0], 0, "^flow: expected numbers, got 'bool values'$"),
        (1, "1", 0, "^evaporation: expected numbers, got '<U1 values'$"),
        (1, None, 0, "^evaporation: expected numbers, got 'object values'$"),
        ([[1], [2]], [0, 0], 0, r"^flow: .*, got 'an array of shape \(2, 1\)'$"),
        ([[1], [2, 3]], [0, 0], 0, r"^flow: expected an array of numbers, got \[\[1\], \[2, 3\]\]$"),
        (1, 0, [1], r"^opening: expected one number, got \[1\]$"),
        (1, 0, True, "^opening: "),
        (2 + 1j, 0, 0, "^flow: "),
    ],
)
def test_what_is_no_number_is_refused(flow, evaporation, opening, match):
    with pytest.raises(InvalidTypeError, match=match):
        retained_stock(flow, evaporation, opening=opening)


def test_arrays_of_different_length_are_refused():
    with pytest.raises(
        MisalignedError, match=r"^evaporation: expected as many periods as `flow`, which has 2, got 3 periods$"
    ):
        retained_stock([1, 2], [0, 0, 0])


def test_a_number_beside_an_array_is_refused():
    with pytest.raises(MisalignedError, match=r"^evaporation: expected an array, as `flow` is, got 0$"):
        retained_stock([1], 0)
    with pytest.raises(MisalignedError, match=r"^evaporation: expected a number, as `flow` is, got \[0\]$"):
        retained_stock(1, [0])


def test_a_span_of_time_is_no_flow():
    with pytest.raises(InvalidTypeError, match=r"^flow: expected numbers, got 'timedelta64\[D\] values'$"):
        retained_stock(np.timedelta64(3, "D"), 1)
