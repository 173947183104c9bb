from __future__ import annotations

import math
import pickle

import attrs
import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.stats import newcombe, wilson
from shequn.values import Rate


def test_fifty_clicks_of_ten_thousand_followers_are_half_a_per_cent():
    rate = Rate(50, 10_000)
    assert rate.value == 0.005
    assert rate.interval() == pytest.approx((0.00379, 0.00659), abs=5e-6)


def test_a_rate_without_trials_has_no_value():
    rate = Rate(0, 0)
    assert math.isnan(rate.value)
    assert all(math.isnan(end) for end in (*rate.interval(), rate.lower, rate.upper, *rate.minus(Rate(1, 2))))
    assert str(rate) == "– (0 of 0)"


def test_the_interval_is_wilsons_at_the_level_asked():
    rate = Rate(81, 263)
    assert rate.interval() == (rate.lower, rate.upper) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert rate.interval(0.8) == tuple(map(float, wilson(81, 263, level=0.8)))
    assert [type(end) for end in rate.interval()] == [float, float]


def test_the_difference_of_two_rates_has_newcombes_interval_at_the_level_asked():
    change = Rate(56, 70).minus(Rate(48, 80))
    assert change == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert change.value == Rate(56, 70).value - Rate(48, 80).value
    narrower = Rate(56, 70).minus(Rate(48, 80), level=0.8)
    assert (narrower.lower, narrower.upper) == tuple(map(float, newcombe(56, 70, 48, 80, level=0.8)))


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Rate(50, 407), "12.3% (50 of 407, 95% CI 9.4%–15.8%)"),
        (Rate(50, 10_000), "0.50% (50 of 10,000, 95% CI 0.38%–0.66%)"),
        (Rate(1, 100_000), "0.0010% (1 of 100,000, 95% CI 0.0002%–0.0057%)"),
        (Rate(0, 20), "0.0% (0 of 20, 95% CI 0.0%–16.1%)"),
        (Rate(20, 20), "100.0% (20 of 20, 95% CI 83.9%–100.0%)"),
    ],
)
def test_a_rate_reads_as_per_cent_with_its_counts_and_interval(rate, text):
    assert str(rate) == text


def test_a_rate_stands_for_its_value_in_products():
    rate = Rate(1, 4)
    assert float(rate) == 0.25
    assert rate * 0.9 == 0.9 * rate == 0.225
    assert rate * 100 == 100 * rate == 25
    assert np.float64(2) * rate == rate * np.float64(2) == 0.5
    for product in (np.array([4, 8]) * rate, rate * np.array([4, 8])):
        np.testing.assert_array_equal(product, [1, 2])
        assert product.dtype == np.float64


def test_counts_beyond_the_exact_floats_are_kept():
    rate = Rate(2**62 + 1, 2**63 - 1)
    assert (rate.hits, rate.trials) == (2**62 + 1, 2**63 - 1)
    assert rate.lower < rate.value < rate.upper


def test_equal_means_the_same_counts():
    assert Rate(1, 2) == Rate(1, 2)
    assert Rate(1, 2) != Rate(2, 4)
    assert len({Rate(1, 2), Rate(1, 2), Rate(2, 4)}) == 2


def test_a_mask_counts_as_hits_of_trials():
    assert Rate.of([True, False, True, True]) == Rate(3, 4)
    assert Rate.of(np.array([[True, False], [False, False]])) == Rate(1, 4)
    assert Rate.of([]) == Rate(0, 0)
    assert type(Rate.of(np.array([True])).hits) is int


def test_a_mask_holds_booleans():
    with pytest.raises(InvalidTypeError, match=r"^mask: expected booleans, got 'int64 values'$"):
        Rate.of(np.array([0, 1]))
    with pytest.raises(InvalidTypeError, match=r"^mask: expected an array of booleans, got \[\[True\], \[\]\]$"):
        Rate.of([[True], []])


@pytest.mark.parametrize("count", [1.0, "1", None, True])
def test_counts_are_integers(count):
    with pytest.raises(InvalidTypeError, match=r"^hits: expected an integer, got"):
        Rate(count, 2)
    with pytest.raises(InvalidTypeError, match=r"^trials: expected an integer, got"):
        Rate(0, count)


def test_numpy_integers_become_plain_ones():
    rate = Rate(np.int64(1), np.uint8(2))
    assert [type(rate.hits), type(rate.trials)] == [int, int]


def test_hits_lie_between_zero_and_trials():
    with pytest.raises(InvalidValueError, match=r"^hits: expected a count between 0 and trials \(2\), got 3$"):
        Rate(3, 2)
    with pytest.raises(InvalidValueError, match=r"^hits: expected a count between 0 and trials \(2\), got -1$"):
        Rate(-1, 2)


@pytest.mark.parametrize("trials", [-1, 2**63])
def test_trials_are_a_count_that_fits(trials):
    with pytest.raises(InvalidValueError, match=rf"^trials: expected a count in \[0, 2\*\*63\), got {trials}$"):
        Rate(0, trials)


def test_a_rate_is_taken_from_a_rate():
    with pytest.raises(InvalidTypeError, match=r"^other: expected a Rate, got 0\.5$"):
        Rate(1, 2).minus(0.5)  # type: ignore[arg-type]


def test_a_level_outside_zero_to_one_is_refused():
    with pytest.raises(InvalidValueError, match=r"^level: expected a number between 0 and 1, both excluded, got 95$"):
        Rate(1, 2).interval(95)
    with pytest.raises(InvalidValueError, match=r"^level: expected a number between 0 and 1, both excluded, got 95$"):
        Rate(1, 2).minus(Rate(1, 2), level=95)


def test_a_rate_is_frozen_slotted_and_survives_pickle_and_evolve():
    rate = Rate(1, 2)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        rate.hits = 2  # type: ignore[misc]
    assert not hasattr(rate, "__dict__")
    assert pickle.loads(pickle.dumps(rate)) == rate  # noqa: S301
    assert attrs.evolve(rate, hits=2) == Rate(2, 2)


def test_what_is_masked_was_no_trial():
    with pytest.raises(InvalidValueError, match=r"^mask: .* without masked entries, got 'a masked one' at row 1$"):
        Rate.of(np.ma.masked_array([True, False, True], mask=[0, 1, 0]))
