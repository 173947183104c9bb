"""The best number of posts: against statsmodels' formulas in plain NumPy, by scanning, and by simulation."""

from __future__ import annotations

import copy
import math
import pickle

import attrs
import numpy as np
import pytest
import scipy.stats

from shequn.content import BestFrequency, FrequencyVerdict, best_frequency
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError

POSTS = np.tile(np.arange(2, 14), 3)


def noisy(seed, curve, noise=6.0):
    return curve(POSTS) + np.random.default_rng(seed).normal(0, noise, len(POSTS))


def peaked(x):
    return 20 * x - 1.25 * x**2


@pytest.mark.parametrize("seed", range(5))
def test_curve_and_covariance_are_those_of_the_normal_equations(seed):
    response = noisy(seed, peaked)
    found = best_frequency(POSTS, response)
    np.testing.assert_allclose(found.coefficients, np.polyfit(POSTS, response, 2)[::-1], rtol=1e-8)
    x = np.stack([POSTS**0, POSTS, POSTS**2], axis=1).astype(float)
    bread = np.linalg.inv(x.T @ x)
    residual = response - x @ found.coefficients
    leverage = np.einsum("ij,jk,ik->i", x, bread, x)
    hc3 = bread @ (x.T * (residual / (1 - leverage)) ** 2) @ x @ bread
    np.testing.assert_allclose(found.covariance, hc3, rtol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_holds_the_numbers_at_which_the_slope_is_not_surely_0(seed):
    found = best_frequency(POSTS, noisy(seed, peaked))
    assert found.verdict is FrequencyVerdict.PEAK
    t = scipy.stats.t.ppf(0.975, len(POSTS) - 3)
    for x in np.linspace(found.fewest, found.most, 400):
        along = np.array([0, 1, 2 * x])
        open_ = abs(along @ found.coefficients) <= t * math.sqrt(along @ found.covariance @ along)
        assert open_ == (found.lower <= x <= found.upper)
    assert found.lower < found.best < found.upper


def test_the_interval_covers_the_peak_and_noise_is_rarely_called_one():
    covered, called = [], []
    for seed in range(100):
        found = best_frequency(POSTS, noisy(seed, peaked, noise=10))
        covered.append(found.lower <= 8 <= found.upper)
        flat = best_frequency(POSTS, noisy(seed, lambda x: 0 * x))
        called.append(flat.verdict is FrequencyVerdict.PEAK)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.05)
    assert np.mean(called) < 0.05


@pytest.mark.parametrize(
    ("curve", "verdict", "best"),
    [
        (lambda x: 10 * x, FrequencyVerdict.MORE, 13),
        (lambda x: -10 * x, FrequencyVerdict.FEWER, 2),
        (lambda x: 0 * x, FrequencyVerdict.UNKNOWN, math.nan),
        (lambda x: 31.2 * x - 1.2 * x**2, FrequencyVerdict.UNKNOWN, math.nan),  # rises, and levels off at 13
        (lambda x: (x - 8.0) ** 2 * 5, FrequencyVerdict.VALLEY, math.nan),
    ],
    ids=["rises", "falls", "flat", "levels off", "valley"],
)
def test_without_a_peak_it_says_which_way_or_that_it_does_not_know(curve, verdict, best):
    found = best_frequency(POSTS, noisy(3, curve))
    assert found.verdict is verdict
    assert found.best == best or (math.isnan(best) and math.isnan(found.best))
    assert math.isnan(found.lower)
    assert verdict.zh in found.table(lang="zh")
    assert verdict.en in repr(found)


def test_a_table_has_a_row_for_each_number_of_posts():
    found = best_frequency(POSTS, noisy(1, peaked))
    assert [row.posts for row in found.rows()] == list(range(2, 14))
    assert "Best at " in str(found)
    assert "最佳频率 " in found.table(lang="zh")
    assert pickle.loads(pickle.dumps(found)) == found == copy.deepcopy(found) == attrs.evolve(found)  # noqa: S301


def test_the_order_of_periods_makes_no_difference():
    response = noisy(1, peaked)
    order = np.random.default_rng(2).permutation(len(POSTS))
    one, other = best_frequency(POSTS, response), best_frequency(POSTS[order], response[order])
    assert other.best == pytest.approx(one.best)
    assert (other.lower, other.upper) == pytest.approx((one.lower, one.upper))


def test_what_cannot_be_used_is_refused():
    with pytest.raises(InvalidValueError, match=r"^posts: expected at least 6 periods, got 5"):
        best_frequency([1, 2, 3, 4, 5], [1, 2, 3, 4, 5])
    with pytest.raises(InvalidValueError, match=r"^posts: expected at least three different numbers"):
        best_frequency([1, 2] * 4, [1] * 8)
    with pytest.raises(MisalignedError, match=r"^response: expected one for each of the 6 periods"):
        best_frequency([1, 2, 3] * 2, [1] * 5)
    with pytest.raises(InvalidTypeError, match=r"^posts: "):
        best_frequency([1.5] * 6, [1] * 6)
    found = best_frequency(POSTS, noisy(1, peaked))
    with pytest.raises(InvalidValueError, match=r"^most: expected more than fewest"):
        attrs.evolve(found, most=2)
    with pytest.raises(InvalidValueError, match=r"^n_periods: "):
        attrs.evolve(found, n_periods=3)
    assert isinstance(found, BestFrequency)


@pytest.mark.parametrize(
    ("posts", "error"), [("3", InvalidTypeError), (None, InvalidTypeError), (math.inf, InvalidValueError)]
)
def test_a_slope_is_at_a_number_of_posts(posts, error):
    with pytest.raises(error, match="posts: expected"):
        best_frequency(POSTS, noisy(1, peaked)).slope(posts)


def test_numbers_far_from_zero_make_no_variance_below_it():
    # (x' V x) of a fit next to exact, where the numbers of posts are large, is rounded to either side of 0.
    for posts in ([2**31 - 1, 1, 2, 3, 4, 5], [10**9 + n for n in range(8)], [10**8, 1, 2, 3, 4, 5, 6]):
        found = best_frequency(posts, [1.0] * len(posts))
        assert np.isfinite([*found.slope(posts[0]), *found.curve([posts[0]])[1].lower]).all()


def test_responses_whose_squares_are_infinite_are_refused():
    with pytest.raises(InvalidValueError, match=r"response: expected numbers in \[-1e\+100, 1e\+100\], got 1e\+308"):
        best_frequency(POSTS, [1e308] * len(POSTS))


def test_more_posts_than_can_be_told_apart_are_refused():
    with pytest.raises(InvalidValueError, match=r"posts: expected integers in \[0, 2147483647\]"):
        best_frequency([2**62] * 5 + [2**62 - 1, 2**62 - 2], [1.0] * 7)
