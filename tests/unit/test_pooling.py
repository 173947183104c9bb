from __future__ import annotations

import math

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.stats import beta_cdf, beta_quantile, pool_rates


def test_a_row_of_few_trials_is_drawn_further_than_one_of_many():
    pooled = pool_rates([4, 400, 10, 20, 300, 3], [5, 500, 100, 100, 1000, 100])
    assert pooled.pooling == "partial"
    assert pooled.prior_mean < pooled.mean[0] < 0.7
    assert pooled.mean[1] == pytest.approx(0.8, abs=0.01)


def test_a_row_without_trials_has_the_common_mean_and_the_widest_interval():
    pooled = pool_rates([0, 9, 20, 45], [0, 100, 100, 100])
    assert pooled.mean[0] == pytest.approx(pooled.prior_mean)
    assert (pooled.upper - pooled.lower).argmax() == 0


def test_rows_that_differ_no_more_than_chance_are_pooled_completely():
    pooled = pool_rates([3, 4, 2], [10, 10, 10])
    assert (pooled.pooling, pooled.strength) == ("complete", math.inf)
    np.testing.assert_allclose(pooled.mean, 0.3)
    np.testing.assert_allclose(pooled.lower, float(beta_quantile(0.025, 9.5, 21.5)))


@pytest.mark.parametrize(("hits", "trials"), [([3], [10]), ([0, 0], [4, 9]), ([4, 9], [4, 9]), ([1, 0, 1], 1)])
def test_one_row_or_rows_that_cannot_show_a_difference_are_pooled_completely(hits, trials):
    pooled = pool_rates(hits, trials)
    assert pooled.pooling == "complete"
    assert np.all((pooled.lower <= pooled.mean) & (pooled.mean <= pooled.upper))


def test_rows_that_are_all_hits_or_none_say_nothing_about_each_other():
    pooled = pool_rates([20, 0, 30, 0, 0], [20, 10, 30, 40, 0])
    assert (pooled.pooling, pooled.strength) == ("none", 0)
    np.testing.assert_allclose(pooled.mean, [1, 0, 1, 0, np.nan])
    assert pooled.lower[0] < 1
    assert np.isnan(pooled.upper[4])


def test_nothing_gives_nothing():
    assert pool_rates([], []).mean.shape == (0,)
    pooled = pool_rates([0, 0], [0, 0])
    assert math.isnan(pooled.prior_mean)
    assert np.isnan([*pooled.mean, *pooled.lower, *pooled.upper]).all()


def test_counts_may_be_effective_ones_of_any_shape():
    pooled = pool_rates([[0.5, 9.25], [20, 45]], 100)
    assert pooled.mean.shape == (2, 2)
    assert not pooled.mean.flags.writeable


def test_a_higher_level_gives_wider_intervals():
    narrow, wide = (pool_rates([1, 9, 20, 45], 100, level=level) for level in (0.5, 0.99))
    assert np.all((wide.lower < narrow.lower) & (narrow.upper < wide.upper))


def test_what_are_no_counts_is_refused():
    with pytest.raises(InvalidValueError, match=r"^hits: expected at most as many as trials, got 11"):
        pool_rates([3, 11], 10)
    with pytest.raises(InvalidValueError, match=r"^trials: expected finite counts of 0 or more, got nan"):
        pool_rates([3, 1], [np.nan, 4])
    with pytest.raises(InvalidValueError, match=r"^hits: expected finite counts of 0 or more, got -1"):
        pool_rates([-1], 4)
    with pytest.raises(InvalidTypeError, match=r"^hits: "):
        pool_rates(["a"], 4)
    with pytest.raises(InvalidValueError, match=r"^level: "):
        pool_rates([1], 4, level=1)


def test_the_ends_of_a_beta_distribution():
    assert beta_cdf([-1, 0, 1, 2], 2, 3).tolist() == [0, 0, 1, 1]
    assert beta_quantile([0, 1], 2, 3).tolist() == [0, 1]
    assert np.isnan([float(beta_cdf(np.nan, 1, 1)), float(beta_quantile(np.nan, 1, 1))]).all()
    assert float(beta_quantile(0.3, 1, 1)) == pytest.approx(0.3, abs=1e-15)
    assert beta_cdf([], 1, 1).shape == (0,)


def test_what_is_no_beta_distribution_is_refused():
    with pytest.raises(InvalidValueError, match=r"^a: expected shapes in \[1e-3, 1e12\], got 0"):
        beta_cdf(0.5, 0, 1)
    with pytest.raises(InvalidValueError, match=r"^b: expected shapes in \[1e-3, 1e12\], got nan"):
        beta_quantile(0.5, 1, np.nan)
    with pytest.raises(InvalidValueError, match=r"^p: expected probabilities in \[0, 1\], got 1.5"):
        beta_quantile(1.5, 1, 1)
