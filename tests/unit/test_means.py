"""Intervals of means and of shares asked twice: what they do at the edges, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from shequn.errors import InvalidValueError
from shequn.stats import paired_proportions, student_quantile, student_sf, welch


def test_a_single_value_has_no_interval():
    found = welch(5.0, 0.0, 1, 3.0, 4.0, 10)
    assert found.difference == 2
    assert np.isnan([found.lower, found.upper, found.df]).all()


def test_values_that_do_not_vary_leave_no_doubt():
    found = welch(5.0, 0.0, 4, 3.0, 0.0, 10)
    assert (found.lower, found.upper, found.df) == (2, 2, 12)


def test_one_mean_alone_has_student_s_interval():
    found = welch(5.0, 9.0, 9)
    half = 2.306004135204166  # t of 97.5 % with 8 degrees of freedom
    assert (found.lower, found.upper, found.df) == pytest.approx((5 - half, 5 + half, 8))


def test_arrays_are_broadcast_and_read_only():
    found = welch([1.0, 2.0], 1.0, 10, 0.0, [[1.0], [2.0]], 20)
    assert found.lower.shape == (2, 2)
    assert not any(column.flags.writeable for column in found)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: welch(1, -1, 5), "variance1: expected variances of 0 or more"),
        (lambda: welch(1, 1, -5), "n1"),
        (lambda: paired_proportions(3, 3, 5), "gained: expected at most n together with lost"),
        (lambda: paired_proportions(2**62, 2**62, 2**62), "gained: expected at most n together with lost"),
        (lambda: student_sf(1, 0.5), r"df: expected degrees of freedom in \[1, 1e9\]"),
        (lambda: student_quantile(1.5, 3), r"p: expected probabilities in \[0, 1\]"),
    ],
    ids=range(6),
)
def test_what_can_not_be_is_refused(make, match):
    with pytest.raises(InvalidValueError, match=match):
        make()


def test_ends_and_unknowns():
    assert student_quantile([0, 1], 5).tolist() == [-np.inf, np.inf]
    assert student_sf([-np.inf, np.inf], 5).tolist() == [1, 0]
    assert np.isnan(student_sf(np.nan, 5))
    assert np.isnan(student_quantile(np.nan, 5))
    assert np.isnan(paired_proportions(0, 0, 0).lower)


def test_the_smallest_numbers_lie_in_the_middle_of_student_s_t():
    assert student_sf([1e-300, -1e-300, 5e-324], 3).tolist() == [0.5, 0.5, 0.5]
