from __future__ import annotations

import fractions
from collections import deque
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from shequn.columns.extra import extra_column, same_columns, stack_columns
from shequn.columns.numbers import concat_numbers, exact_sum, to_numbers
from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.labels import Coded

NAN = float("nan")


class NAType:
    """Stands in for pandas.NA, which is told by its type's name."""


def numbers(values, argument="value"):
    return to_numbers(values, argument=argument)


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, -2], np.int64, [1, -2]),
        ((2**63 - 1, -(2**63)), np.int64, [2**63 - 1, -(2**63)]),
        (deque([1]), np.int64, [1]),
        ([np.int8(3), 4], np.int64, [3, 4]),
        ([1, 2.5], np.float64, [1.0, 2.5]),
        ([2**53, 0.5], np.float64, [2.0**53, 0.5]),
        ([np.float32(0.5)], np.float64, [0.5]),
        ([], np.int64, []),
        (np.array([1, 2], dtype=np.uint8), np.int64, [1, 2]),
        (np.array([1, 2], dtype=">i4"), np.int64, [1, 2]),
        (np.array([1, 2, 3, 4])[::2], np.int64, [1, 3]),
        (np.array([2**63 - 1], dtype=np.uint64), np.int64, [2**63 - 1]),
        (np.array([0.5], dtype=np.float32), np.float64, [0.5]),
        (np.array([1, 2], dtype=object), np.int64, [1, 2]),
        (np.array([], dtype="M8[s]"), np.int64, []),
        ([float("inf")], np.float64, [float("inf")]),
    ],
)
def test_numbers_are_kept_as_they_are(values, dtype, expected):
    column = numbers(values)
    assert column.dtype == dtype
    assert column.tolist() == expected
    assert not column.flags.writeable


@pytest.mark.parametrize(
    "values",
    [
        [1, None],
        [1, NAN],
        [1, NAType()],
        np.array([1, NAN]),
        np.array([1, None], dtype=object),
        np.ma.masked_array([1, 2], mask=[False, True]),
        [1.0, NAN],
    ],
    ids=["none", "nan", "na", "float array", "object array", "masked", "floats"],
)
def test_what_is_missing_is_nan(values):
    assert str(numbers(values).tolist()) == "[1.0, nan]"


def test_a_column_of_nothing_but_missing_numbers_is_nan_throughout():
    assert str(numbers([None, None]).tolist()) == "[nan, nan]"
    assert str(numbers([NAN, NAN]).tolist()) == "[nan, nan]"


@pytest.mark.parametrize(
    ("values", "error", "told"),
    [
        ([1, "2", "3"], InvalidTypeError, r"expected int or float, got '2' at row 1 \(2 of 3 rows\), of type str$"),
        ([1, True], InvalidTypeError, r"expected int or float, got True at row 1 \(1 of 2 rows\), of type bool$"),
        (
            [Decimal("9.90")],
            InvalidTypeError,
            r"got Decimal\('9.90'\) at row 0 .*, of type Decimal; give money in minor ",
        ),
        ([fractions.Fraction(1)], InvalidTypeError, r"expected int or float, got Fraction\(1, 1\) at row 0"),
        (["a", None], InvalidTypeError, r"expected int or float, got 'a' at row 0 \(1 of 2 rows\), of type str$"),
        (np.array([True]), InvalidTypeError, r"expected int or float, got True at row 0, of type bool$"),
        (np.array(["a"]), InvalidTypeError, r"expected int or float, got 'a' at row 0, of type str_$"),
        (np.array([1j]), InvalidTypeError, r"expected int or float, got 1j at row 0"),
        (np.array([["a"]]), InvalidValueError, r"expected a 1-D column, got 'an array of shape \(1, 1\)'$"),
        (
            [1, 2**63, 2**64],
            InvalidValueError,
            r"expected integers that fit 64 bits with sign, got 9.* at row 1 \(2 of 3",
        ),
        (
            np.array([1, 2**63], np.uint64),
            InvalidValueError,
            r"expected integers that fit 64 bits with sign, got 9.* row 1",
        ),
        (
            [2**53 + 1, 0.5],
            InvalidValueError,
            r"expected integers up to 2\*\*53 beside floats or missing values, got 9.* 0",
        ),
        (
            [None, -(2**53) - 1],
            InvalidValueError,
            r"expected integers up to 2\*\*53 beside .* at row 1 \(1 of 2 rows\)$",
        ),
        ("12", InvalidTypeError, r"expected a column \(list or 1-D array\) of numbers, got '12'$"),
        ({1: 2}, InvalidTypeError, r"expected a column \(list or 1-D array\) of numbers, got \{1: 2\}$"),
        (7, InvalidTypeError, r"expected a column \(list or 1-D array\) of numbers, got 7$"),
        (
            Coded.of(["a"], argument="x"),
            InvalidTypeError,
            r"expected a column \(list or 1-D array\) of numbers, got Coded",
        ),
    ],
)
def test_what_is_no_number_is_refused_with_its_row(values, error, told):
    with pytest.raises(error, match=rf"^value: .*{told}"):
        numbers(values)


def test_stacked_numbers_stay_integers_while_none_is_missing():
    stacked = concat_numbers([np.array([2**62]), np.array([1]), None, np.array([])], [1, 1, 0, 0])
    assert stacked.tolist() == [2**62, 1]
    assert stacked.dtype == np.int64
    assert not stacked.flags.writeable
    assert concat_numbers([np.array([1]), np.array([0.5])], [1, 1]).tolist() == [1.0, 0.5]
    assert concat_numbers([], []).dtype == np.int64
    assert str(concat_numbers([None, np.array([1])], [1, 1]).tolist()) == "[nan, 1.0]"


@pytest.mark.parametrize("big", [2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)])
def test_stacking_never_changes_an_integer(big):
    for other in (np.array([0.5]), None):
        with pytest.raises(InvalidValueError, match=rf"^age: expected integers up to 2\*\*53 beside .*, got {big}$"):
            concat_numbers([np.array([0, big]), other], [2, 1], argument="age")


def test_a_sum_of_integers_is_exact():
    assert exact_sum(np.array([2**62, 2**62 - 1, -5]), argument="value") == 2**63 - 6
    assert exact_sum(np.array([-(2**63)]), argument="value") == -(2**63)
    assert exact_sum(np.array([-(2**63), 2**63 - 1] * 1000), argument="value") == -1000
    assert exact_sum(np.array([], dtype=np.int64), argument="value") == 0
    assert exact_sum(np.array([True, True]), argument="value") == 2
    assert exact_sum(np.array([0.5, 0.25]), argument="value") == 0.75


@pytest.mark.parametrize(("values", "total"), [([2**62, 2**62], 2**63), ([-(2**63), -1], -(2**63) - 1)])
def test_a_sum_that_64_bits_do_not_hold_is_refused(values, total):
    with pytest.raises(
        InvalidValueError, match=rf"^spent: expected integers whose sum fits 64 bits with sign, got {total}$"
    ):
        exact_sum(np.array(values), argument="spent")


def test_an_extra_column_is_of_the_sort_of_its_first_row():
    some: Any = extra_column([1, None], name="x")
    assert some.dtype == np.float64
    flags: Any = extra_column((True, False), name="x")
    assert flags.tolist() == [1, 0]
    assert isinstance(extra_column([None, "a"], name="x"), Coded)
    assert isinstance(extra_column(np.array(["a"]), name="x"), Coded)
    scalars: Any = extra_column(np.array([np.float32(1)], dtype=object), name="x")
    assert scalars.tolist() == [1.0]
    with pytest.raises(InvalidTypeError, match=r"^x: expected a column \(list or 1-D array\) of labels, got 7$"):
        extra_column(7, name="x")


def test_nothing_stacks_to_nothing():
    assert stack_columns([None, None], [1, 2], name="x") is None


def test_columns_are_the_same_row_by_row():
    labels = Coded.of(["a"], argument="x")
    assert same_columns(np.array([1, 2]), np.array([1.0, 2.0]))
    assert same_columns(np.array([NAN]), np.array([NAN]))
    assert not same_columns(np.array([1]), np.array([1, 2]))
    assert not same_columns(np.array([0]), labels)
    assert not same_columns(None, np.array([0]))
    assert same_columns(None, None)
    assert not same_columns(None, labels)
    assert same_columns(labels, Coded.of(["a"], argument="x"))
    assert same_columns(np.array([("a",)], dtype=object), np.array([("a",)], dtype=object))


@pytest.mark.parametrize("column", [[1, np.timedelta64(3, "D")], np.array([1, np.timedelta64(3, "D")], dtype=object)])
def test_a_span_of_time_is_no_number(column):
    with pytest.raises(InvalidTypeError, match=r"^value: expected int or float, got .* at row 1 \(1 of 2 rows\)"):
        numbers(column)


def test_a_column_of_spans_is_no_column_of_labels_either():
    with pytest.raises(InvalidTypeError, match=r"^age: expected labels that are all str or all int, got "):
        extra_column([np.timedelta64(3, "D")], name="age")
