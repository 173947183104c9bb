"""A column of any type is compared as its values are in plain Python, also with what its type does not hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.columns.comparing import COMPARISONS, compare_numbers, compare_one

TYPES = [np.int8, np.int16, np.int32, np.int64, np.float64]
EDGES = [edge + off for edge in (0, 2**7, -(2**7), 2**31, -(2**31), 2**53, 2**63, -(2**63)) for off in (-1, 0, 1)]
INTEGERS = st.sampled_from(EDGES) | st.integers(-3, 30) | st.integers(-(2**70), 2**70)
FLOATS = st.sampled_from([-math.inf, math.inf, 0.5, -0.0, 2.0**31, -(2.0**63), 1e300]) | st.floats(allow_nan=False)
NUMBERS = INTEGERS | FLOATS | st.just(10**300)


@st.composite
def columns(draw: st.DrawFn) -> np.ndarray[Any, np.dtype[Any]]:
    dtype = draw(st.sampled_from(TYPES))
    if dtype is np.float64:
        return np.array(draw(st.lists(FLOATS, max_size=40)), dtype=dtype)
    lowest, highest = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    held = st.sampled_from([lowest, highest, *range(-2, 30)]) | st.integers(lowest, highest)
    return np.array(draw(st.lists(held, max_size=40)), dtype=dtype)


def in_plain_python(column, operator, operands):
    return [compare_one(value, operator, operands) for value in column.tolist()]


@given(columns(), st.sampled_from(COMPARISONS), NUMBERS)
def test_a_column_is_compared_with_any_number(column, operator, number):
    # Unequal is answered as equal, for the caller to negate.
    asked = "==" if operator == "!=" else operator
    assert compare_numbers(column, operator, (number,)).tolist() == in_plain_python(column, asked, (number,))


@given(columns(), st.tuples(NUMBERS, NUMBERS).map(sorted).map(tuple))
def test_a_column_lies_between_any_two(column, ends):
    assert compare_numbers(column, "between", ends).tolist() == in_plain_python(column, "between", ends)


@given(columns(), st.lists(NUMBERS, max_size=40).map(tuple) | st.sets(st.integers(-200, 200), min_size=17).map(tuple))
def test_a_column_is_looked_for_in_any_list(column, numbers):
    assert compare_numbers(column, "isin", numbers).tolist() == in_plain_python(column, "isin", numbers)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n_values", [1, 16, 17, 300])
def test_a_long_list_reaches_beyond_the_type(dtype, n_values):
    odd = range(-127, -127 + 2 * n_values, 2)
    column = np.arange(-128, 128).astype(dtype)
    found = compare_numbers(column, "isin", (*odd, 10**16, -(10**16), 2**31, 0.5, math.inf))
    assert column[found].tolist() == [number for number in odd if number < 128]
