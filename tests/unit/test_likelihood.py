"""Where a likelihood is largest, and when it has no largest value: worked cases of one and two parameters."""

from __future__ import annotations

import numpy as np
import pytest

from shequn.stats.likelihood import maximise

LEAST, GREATEST = np.exp([-20.0]), np.exp([20.0])


def bowl(bend, middle):
    """Return the log-likelihood -bend (log x - middle)^2 / 2 of one parameter x, with its slope and curvature by x."""

    def of(at):
        gap = np.log(at[0]) - middle
        slope = -bend * gap / at[0]
        return -bend * gap**2 / 2, np.array([slope]), np.array([[(-bend - slope * at[0]) / at[0] ** 2]])

    return of


@pytest.mark.parametrize("start", [1e-6, 0.7, 3.0, 1e6])
def test_the_rate_of_seven_events_in_ten_years_is_found_from_anywhere(start):
    def of_poisson(rate):
        return 7 * np.log(rate[0]) - 10 * rate[0], 7 / rate - 10, np.array([[-7 / rate[0] ** 2]])

    found = maximise(of_poisson, np.array([start]), np.array([1e-9]), np.array([1e9]))
    assert found.settled
    assert found.at.tolist() == pytest.approx([0.7], rel=1e-9)
    assert found.value == pytest.approx(7 * np.log(0.7) - 7, rel=1e-12)
    assert found.covariance.tolist() == [pytest.approx([0.07], rel=1e-6)]  # 7 / 10**2
    assert found.edge.tolist() == [0]


@pytest.mark.parametrize(
    ("middle", "edge"),
    [
        # From 5 it is 15 up to the edge and 25 down; 15 cost 5e-6 * 15**2 / 2 = 0.00056, 25 cost 0.0016.
        (5.0, 1),
        (-5.0, -1),
        # 20 either way cost 0.001, less 1e-9: what is seen does not tell one value from another.
        (0.0, 0),
    ],
)
def test_a_parameter_runs_off_to_the_side_on_which_the_likelihood_falls_by_less_than_a_thousandth(middle, edge):
    found = maximise(bowl(5e-6 - 1e-14, middle), np.exp([middle]), LEAST, GREATEST)
    assert found.covariance is None
    assert found.edge.tolist() == [edge]


def test_a_likelihood_that_falls_enough_both_ways_has_a_maximum_however_flat_it_is():
    found = maximise(bowl(6e-6, 1.0), np.exp([0.5]), np.exp([-30.0]), np.exp([30.0]))
    assert found.edge.tolist() == [0]
    assert found.covariance.tolist() == [pytest.approx([np.exp(2) / 6e-6], rel=0.05)]


def test_a_likelihood_that_rises_all_the_way_ends_at_the_edge_of_the_box():
    def rising(at):
        return -1 / at[0], 1 / at**2, np.array([[-2 / at[0] ** 3]])

    def falling(at):
        return -at[0], -np.ones(1), np.zeros((1, 1))

    least, greatest = np.exp([-10.0]), np.exp([10.0])
    for of, end, edge in ((rising, greatest, 1), (falling, least, -1)):
        found = maximise(of, np.ones(1), least, greatest)
        assert found.at.tolist() == pytest.approx(end.tolist())
        assert (found.edge.tolist(), found.covariance, found.settled) == ([edge], None, True)


def test_two_parameters_of_which_only_the_product_is_known_are_not_told_apart():
    def of_product(at):
        gap = np.log(at).sum() - 1.0
        slope = -gap / at
        return -(gap**2) / 2, slope, -np.outer(1 / at, 1 / at) - np.diag(slope / at)

    found = maximise(of_product, np.array([3.0, 4.0]), np.exp([-20.0, -20.0]), np.exp([20.0, 20.0]))
    assert found.covariance is None
    assert found.edge.tolist() == [0, 0]
    assert found.at.prod() == pytest.approx(np.e, rel=1e-6)
