"""Who comes first, where arithmetic rounds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shequn.stats.ranks import best_first


@given(st.lists(st.floats(-1e300, 1e300, allow_subnormal=False), max_size=20))
def test_values_far_apart_are_in_order(values):
    ranked = [values[place] for place in best_first(np.array(values)).tolist()]
    assert sorted(ranked) == sorted(values)
    for before, after in pairwise(ranked):
        assert after <= before + 1e-11 * max(abs(before), abs(after))


def test_what_differs_in_the_last_digit_alone_is_equal():
    value = 0.00427447900854169
    assert best_first(np.array([value, np.nextafter(value, 1), np.nextafter(value, 0)])).tolist() == [0, 1, 2]
    assert best_first(np.array([value, value * (1 + 1e-10)])).tolist() == [1, 0]


def test_infinite_and_missing_values_have_a_place():
    assert best_first(np.array([np.nan, 0.0, -np.inf, np.inf, -0.0])).tolist() == [3, 1, 4, 2, 0]
    assert best_first(np.array([], dtype=np.float64)).dtype == np.int64
