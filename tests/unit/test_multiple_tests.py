from __future__ import annotations

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.stats import benjamini_hochberg, holm


def test_the_smallest_is_multiplied_by_the_number_of_tests_and_the_next_by_one_less():
    np.testing.assert_allclose(holm([0.02, 0.001, 0.9]), [0.04, 0.003, 0.9])


def test_a_value_is_never_adjusted_below_a_smaller_one():
    np.testing.assert_allclose(holm([0.01, 0.011, 0.04, 0.041]), [0.04, 0.04, 0.08, 0.08])


def test_no_value_is_adjusted_above_one():
    assert holm([0.6, 0.7, 1.0]).tolist() == [1, 1, 1]


def test_a_test_that_was_not_made_stays_missing_and_does_not_count():
    np.testing.assert_allclose(holm([np.nan, 0.02, np.nan, 0.04]), [np.nan, 0.04, np.nan, 0.04])
    assert np.isnan(holm([np.nan, np.nan])).all()


def test_one_test_alone_is_left_as_it_is():
    assert holm([0.03]).tolist() == [0.03]
    assert float(holm(0.03)) == 0.03


def test_the_family_is_the_whole_array_of_any_shape():
    p_values = np.array([[0.01, 0.2], [0.03, np.nan]])
    p_values.setflags(write=False)
    adjusted = holm(p_values[:, ::-1])
    np.testing.assert_array_equal(adjusted, holm([0.2, 0.01, np.nan, 0.03]).reshape(2, 2))
    assert not adjusted.flags.writeable


def test_no_tests_give_no_values():
    assert holm([]).shape == (0,)
    assert holm([]).dtype == np.float64


def test_what_is_no_p_value_is_refused():
    with pytest.raises(InvalidValueError, match=r"^p_values: expected p-values in \[0, 1\], got 1.5 at row 1 \(2 of 3"):
        holm([0.5, 1.5, -0.1])
    with pytest.raises(InvalidTypeError, match=r"^p_values: expected real numbers, got 'bool values'$"):
        holm([True])


def test_the_false_discovery_rule_leaves_the_largest_as_it_is_and_doubles_the_first_of_two():
    np.testing.assert_allclose(benjamini_hochberg([0.01, 0.5]), [0.02, 0.5])


def test_the_false_discovery_rule_never_adjusts_a_value_above_a_larger_one():
    np.testing.assert_allclose(benjamini_hochberg([0.01, 0.011, 0.9]), [0.0165, 0.0165, 0.9])


def test_the_false_discovery_rule_leaves_out_tests_that_were_not_made():
    np.testing.assert_allclose(benjamini_hochberg([[np.nan, 0.02], [np.nan, 0.04]]), [[np.nan, 0.04], [np.nan, 0.04]])
    assert benjamini_hochberg([]).shape == (0,)
    assert float(benjamini_hochberg(0.03)) == 0.03
    assert not benjamini_hochberg([0.1]).flags.writeable
    with pytest.raises(InvalidValueError, match=r"^p_values: expected p-values in \[0, 1\], got 1.5 at row 1 \(2 of 3"):
        benjamini_hochberg([0.5, 1.5, -0.1])
