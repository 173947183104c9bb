"""Do intervals, CUPED and required samples do what theory says? Small seeded runs of ``benchmarks/coverage.py``."""

from __future__ import annotations

import math

import pytest
from benchmarks.coverage import CASES, covered, cuped_reduction, power_of_means, power_of_shares
from scipy import stats as scipy_stats

from shequn.campaigns import (
    minimum_detectable,
    minimum_detectable_mean,
    required_sample,
    required_sample_of_means,
)
from shequn.errors import InvalidTypeError, InvalidValueError

REPEATS = 800
# Three standard errors of a share of 95 % in so many repeats, beyond the one point that is promised.
SLACK = 0.01 + 3 * math.sqrt(0.95 * 0.05 / REPEATS)


@pytest.mark.parametrize("case", [CASES[0], CASES[3], CASES[5], CASES[8]], ids=lambda case: case.name)
def test_an_interval_holds_the_truth_as_often_as_it_says(case):
    assert covered(case, REPEATS, 5) == pytest.approx(0.95, abs=SLACK)


def test_the_adjustment_takes_away_the_square_of_the_correlation():
    measured, told = cuped_reduction(0.7, 250, 7)
    assert told == pytest.approx(0.49, abs=0.01)
    assert measured == pytest.approx(0.49, abs=0.12)


@pytest.mark.parametrize(("rate", "uplift", "share"), [(0.05, 0.02, 0.5), (0.05, 0.02, 0.9), (0.2, -0.04, 0.3)])
def test_the_members_required_find_the_effect_as_often_as_wanted(rate, uplift, share):
    assert power_of_shares(rate, uplift, share, 0.8, repeats=100_000, seed=3) == pytest.approx(0.8, abs=0.012)


def test_the_members_required_of_means_find_the_effect_as_often_as_wanted():
    assert power_of_means(12_000, 4_000, 0.5, 0.8, repeats=1_500, seed=3) == pytest.approx(0.8, abs=0.035)


def test_what_can_not_be_a_sample_is_refused():
    for options, match in (
        ({"rate": 0.5, "uplift": 0}, "uplift: expected a number other than 0"),
        ({"rate": 0.9, "uplift": 0.2}, r"uplift: expected a number that leaves rate \+ uplift in"),
        ({"rate": 0.1, "uplift": 0.1, "share": 1}, "share: expected a share between 0 and 1, both excluded"),
        ({"rate": 0.1, "uplift": 0.1, "sided": 3}, "sided: expected 1 or 2"),
        ({"rate": 0.1, "uplift": 0.1, "power": 1}, "power"),
    ):
        with pytest.raises(InvalidValueError, match=match):
            required_sample(**options)
    with pytest.raises(InvalidTypeError, match="sided: expected 1 or 2"):
        required_sample(0.1, 0.1, sided=True)
    with pytest.raises(InvalidValueError, match="members: expected 2 or more"):
        minimum_detectable(0.1, 1)
    assert math.isnan(minimum_detectable(1, 100))
    assert math.isnan(minimum_detectable(0.9, 4))
    assert math.isnan(minimum_detectable_mean(1, 2, level=0.999))


@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("power", [0.8, 0.9])
def test_members_required_of_means_are_those_of_the_exact_power(ratio, power):
    def exact(n):
        df, shift = 2 * n - 2, ratio * math.sqrt(n / 2)
        limit = scipy_stats.t.ppf(0.975, df)
        return scipy_stats.nct.sf(limit, df, shift) + scipy_stats.nct.cdf(-limit, df, shift)

    size = required_sample_of_means(1.0, ratio, power=power)
    n = size.treated
    assert n == size.held_out
    assert exact(n) >= power > exact(n - 1)


@pytest.mark.parametrize("sided", [1, 2])
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_members_required_of_shares_are_those_of_fleiss(sided, share):
    z = scipy_stats.norm.ppf
    p, q = 0.05, 0.07
    bar = share * q + (1 - share) * p
    noise = z(1 - 0.05 / sided) * math.sqrt(bar * (1 - bar) / (share * (1 - share)))
    noise += z(0.8) * math.sqrt(q * (1 - q) / share + p * (1 - p) / (1 - share))
    size = required_sample(0.05, 0.02, share=share, sided=sided)
    assert size == (math.ceil(share * noise**2 / 0.02**2), math.ceil((1 - share) * noise**2 / 0.02**2))


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("sided", [1, 2])
def test_what_can_be_detected_is_the_inverse_of_what_is_required(share, sided):
    size = required_sample(0.1, 0.03, share=share, sided=sided)
    assert minimum_detectable(0.1, size.total, share=share, sided=sided) == pytest.approx(0.03, rel=1e-3)
    assert minimum_detectable(0.1, size.total - 4, share=share, sided=sided) > 0.03
    means = required_sample_of_means(50, 3, share=share, sided=sided)
    assert minimum_detectable_mean(50, means.total, share=share, sided=sided) == pytest.approx(3, rel=1e-3)
