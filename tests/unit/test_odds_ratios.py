from __future__ import annotations

import math

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.stats import odds_ratio

NO_MISSES = [(0, 0, 5, 5), (5, 5, 0, 0), (0, 5, 0, 5), (5, 0, 5, 0), (0, 0, 0, 0)]


def test_the_ratio_of_a_table_without_zeros_is_that_of_its_products():
    ratio = odds_ratio(10, 20, 5, 30)
    error = math.sqrt(1 / 10 + 1 / 20 + 1 / 5 + 1 / 30)
    assert float(ratio.estimate) == pytest.approx(3)
    assert float(ratio.lower) == pytest.approx(3 * math.exp(-1.959964 * error), rel=1e-6)
    assert float(ratio.upper) == pytest.approx(3 * math.exp(1.959964 * error), rel=1e-6)
    assert float(ratio.p_value) == pytest.approx(math.erfc(math.log(3) / error / math.sqrt(2)))


@pytest.mark.parametrize("zero", range(4))
def test_a_zero_adds_a_half_to_each_cell(zero):
    cells = [3, 4, 5, 6]
    cells[zero] = 0
    a, b, c, d = (cell + 0.5 for cell in cells)
    ratio = odds_ratio(*cells)
    error = math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    assert float(ratio.estimate) == pytest.approx(a * d / (b * c))
    assert math.log(ratio.upper / ratio.estimate) == pytest.approx(1.959964 * error, rel=1e-6)
    assert float(ratio.p_value) == pytest.approx(math.erfc(abs(math.log(ratio.estimate)) / error / math.sqrt(2)))


def test_two_zeros_across_still_compare():
    assert float(odds_ratio(4, 0, 0, 4).estimate) == pytest.approx(81)


def test_the_zero_of_one_table_leaves_the_others_alone():
    ratio = odds_ratio([10, 0], [20, 20], [5, 5], [30, 30])
    assert ratio.estimate[0] == odds_ratio(10, 20, 5, 30).estimate == pytest.approx(3)


@pytest.mark.parametrize("cells", NO_MISSES)
def test_a_table_with_an_empty_row_or_column_compares_nothing(cells):
    assert np.isnan(odds_ratio(*cells)).all()


def test_equal_odds_have_ratio_one_and_no_evidence():
    ratio = odds_ratio(10, 20, 100, 200)
    assert float(ratio.estimate) == 1
    assert float(ratio.p_value) == pytest.approx(1)
    assert ratio.lower < 1 < ratio.upper


def test_a_higher_level_gives_a_wider_interval_and_the_same_p():
    narrow, wide = odds_ratio(10, 20, 5, 30, level=0.8), odds_ratio(10, 20, 5, 30, level=0.99)
    assert wide.lower < narrow.lower < narrow.upper < wide.upper
    assert narrow.p_value == wide.p_value


def test_tables_broadcast_and_what_comes_out_is_read_only():
    ratio = odds_ratio([[1], [2]], 3, [4, 5, 6], 7)
    for part in ratio:
        assert part.shape == (2, 3)
        assert not part.flags.writeable
    assert ratio.estimate[1, 2] == odds_ratio(2, 3, 6, 7).estimate
    assert odds_ratio([], [], [], []).p_value.shape == (0,)


def test_counts_and_level_are_checked():
    with pytest.raises(
        InvalidValueError, match=r"^c: expected integers in \[0, 2\*\*63\), got -1 at row 1 \(1 of 2 rows\)"
    ):
        odds_ratio(1, 2, [3, -1], 4)
    with pytest.raises(InvalidTypeError, match=r"^d: expected integers, got 'float64 values'$"):
        odds_ratio(1, 2, 3, 4.5)
    with pytest.raises(InvalidValueError, match=r"^a, b, c, d: expected shapes that broadcast together"):
        odds_ratio([1, 2], [1, 2, 3], 4, 5)
    with pytest.raises(InvalidValueError, match=r"^level: expected a number between 0 and 1"):
        odds_ratio(1, 2, 3, 4, level=95)
