from __future__ import annotations

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.stats import chi2_sf, normal_cdf, normal_quantile, normal_sf


def test_half_of_a_normal_lies_above_its_mean():
    assert normal_sf(0) == 0.5
    assert normal_cdf(0) == 0.5
    assert normal_quantile(0.5) == 0


@pytest.mark.parametrize(("p", "z"), [(0.95, 1.644853627), (0.975, 1.959963985), (0.995, 2.575829304)])
def test_the_usual_quantiles_are_those_of_the_printed_tables(p, z):
    assert normal_quantile(p) == pytest.approx(z, abs=5e-10)


@pytest.mark.parametrize(
    ("df", "critical"),
    [(1, 3.841), (2, 5.991), (5, 11.070), (10, 18.307), (30, 43.773), (100, 124.342)],
)
def test_the_usual_chi_square_limits_are_those_of_the_printed_tables(df, critical):
    assert chi2_sf(critical, df) == pytest.approx(0.05, abs=2e-5)


def test_the_ends_of_the_line_are_exact():
    np.testing.assert_array_equal(normal_sf([-np.inf, np.inf]), [1, 0])
    np.testing.assert_array_equal(normal_cdf([-np.inf, np.inf]), [0, 1])
    np.testing.assert_array_equal(normal_quantile([0, 1]), [-np.inf, np.inf])
    np.testing.assert_array_equal(chi2_sf([0, np.inf], 3), [1, 0])


@pytest.mark.parametrize("tail", [normal_sf, normal_cdf, normal_quantile, lambda x: chi2_sf(x, 2)])
def test_nan_stays_nan_and_its_neighbours_are_untouched(tail):
    answer = tail([np.nan, 0.25])
    assert np.isnan(answer[0])
    assert answer[1] == tail(0.25)


@pytest.mark.parametrize("tail", [normal_sf, normal_cdf, normal_quantile, lambda x: chi2_sf(x, 2)])
def test_the_answer_has_the_shape_of_the_question_and_is_read_only(tail):
    for shape in [(), (0,), (3,), (2, 3), (0, 4)]:
        answer = tail(np.full(shape, 0.25))
        assert answer.shape == shape
        assert answer.dtype == np.float64
        assert not answer.flags.writeable
    assert tail([]).shape == (0,)


def test_any_layout_and_byte_order_is_read_and_none_is_written():
    grid = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    grid.setflags(write=False)
    expected = normal_sf(np.arange(6.0)).reshape(2, 3)
    np.testing.assert_array_equal(normal_sf(grid), expected)
    np.testing.assert_array_equal(normal_sf(grid[:, ::-1]), expected[:, ::-1])
    np.testing.assert_array_equal(normal_sf(grid.astype(">f8")), expected)
    np.testing.assert_array_equal(normal_sf(grid.astype(np.int16)), expected)


def test_statistics_and_degrees_of_freedom_broadcast():
    answer = chi2_sf([[1.0], [2.0]], [1, 2, 3])
    assert answer.shape == (2, 3)
    assert answer[1, 2] == chi2_sf(2.0, 3)


def test_what_is_not_a_number_is_refused():
    with pytest.raises(InvalidTypeError, match=r"^x: expected real numbers, got '<U1 values'$"):
        normal_sf(["a"])
    with pytest.raises(InvalidTypeError, match=r"^x: expected real numbers, got 'bool values'$"):
        normal_cdf([True])
    with pytest.raises(InvalidTypeError, match=r"^p: expected an array of real numbers, got \[\[1\], \[2, 3\]\]$"):
        normal_quantile([[1], [2, 3]])


def test_a_probability_outside_zero_to_one_is_refused_with_its_row():
    with pytest.raises(
        InvalidValueError,
        match=r"^p: expected probabilities in \[0, 1\], got 1\.5 at row 1 \(2 of 3 rows\)$",
    ):
        normal_quantile([0.5, 1.5, -0.1])
    with pytest.raises(InvalidValueError, match=r"^p: expected probabilities in \[0, 1\], got -0\.1$"):
        normal_quantile(-0.1)


def test_a_negative_statistic_is_refused_with_its_row():
    with pytest.raises(
        InvalidValueError,
        match=r"^x: expected statistics of 0 or more, got -1\.0 at row 2 \(1 of 3 rows\)$",
    ):
        chi2_sf([0, 1, -1], 1)


@pytest.mark.parametrize("df", [0, 0.5, -3, np.nan, np.inf, 1e10])
def test_unusable_degrees_of_freedom_are_refused(df):
    with pytest.raises(InvalidValueError, match=r"^df: expected degrees of freedom in \[1, 1e9\], got"):
        chi2_sf(1.0, df)


def test_shapes_that_do_not_broadcast_are_refused():
    with pytest.raises(
        InvalidValueError,
        match=r"^x, df: expected shapes that broadcast together, got \{'x': \(2,\), 'df': \(3,\)\}$",
    ):
        chi2_sf([1, 2], [1, 2, 3])
