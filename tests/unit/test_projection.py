"""How large will the community be, and what would less evaporation keep?"""

from __future__ import annotations

import math
import pickle
from typing import Any

import attrs
import numpy as np
import pendulum
import pytest

from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.retention import FlowLedger, Projection, flow_ledger, project
from shequn.values import Calendar, Rate


def ledger_of(retained: list[int], evaporated: list[int], *, every="week", first="2024-01-01", **options) -> FlowLedger:
    """Return the ledger with these stocks and losses; what they leave open has joined."""
    n = len(retained)
    before = np.array([0, *retained[:-1]])
    unit = {"week": 7, "day": 1}[every]
    return FlowLedger.from_counts(
        period=np.datetime64(first, "D") + unit * np.arange(n),
        joined=np.array(retained) - before + evaporated,
        revived=np.zeros(n, dtype=np.int64),
        evaporated=evaporated,
        every=every,
        **options,
    )


def course(p: Projection) -> tuple[np.ndarray, ...]:
    return p.stock, p.referred, p.evaporated, p.variance, p.lower, p.upper


# --- the mean ---


def test_the_stock_loses_a_share_and_gains_the_inflow():
    p = project(1_000, inflow=50, evaporation_rate=0.10, periods=3)
    np.testing.assert_allclose(p.stock, [950, 905, 864.5])
    np.testing.assert_allclose(p.evaporated, [100, 95, 90.5])
    assert p.referred.tolist() == [0, 0, 0]


def test_members_bring_members():
    p = project(1_000, inflow=50, evaporation_rate=0.10, referral_rate=0.04, periods=2)
    np.testing.assert_allclose(p.referred, [40, 39.6])
    np.testing.assert_allclose(p.stock, [990, 980.6])


def test_every_row_adds_up():
    survival = [1, 0.5, 0.4, 0.35]
    for p in (
        project(700, inflow=31.5, evaporation_rate=0.2, referral_rate=0.07, periods=20),
        project([5, 3, 9], inflow=4, survival=survival, referral_rate=0.03, periods=20),
    ):
        columns = p.to_columns()
        left = columns["opening"] + columns["inflow"] + columns["referred"] - columns["evaporated"] - columns["stock"]
        np.testing.assert_allclose(left, 0, atol=1e-9)
        np.testing.assert_array_equal(columns["opening"][1:], columns["stock"][:-1])
        assert columns["opening"][0] == pytest.approx(p.opening)


# --- where it leads ---


def test_the_golden_steady_states():
    assert project(0, inflow=50, evaporation_rate=0.10, periods=1).steady_state == 500.0
    p = project(0, inflow=50, evaporation_rate=0.10, referral_rate=0.04, periods=1)
    assert round(p.steady_state, 2) == 833.33


SURVIVALS = [
    [1, 0.6],
    [1, 0.5, 0.4, 0.35],
    [1, 1, 0.9, 0.9, 0.3],
    [1, 0.3, 0],
    [1, 0, 0],
    [1, 0.5, 0, 0],
]


@pytest.mark.parametrize("referral_rate", [0, 0.04])
@pytest.mark.parametrize("opening", [0, 12, [3, 0, 9, 1, 4, 7]])
@pytest.mark.parametrize("survival", [None, *SURVIVALS])
def test_the_steady_state_is_the_limit_of_the_recursion(survival, opening, referral_rate):
    law = {"evaporation_rate": 0.1} if survival is None else {"survival": survival}
    p = project(opening, inflow=7, referral_rate=referral_rate, periods=2_000, **law)
    assert not p.grows
    assert p.stock[-1] == pytest.approx(p.steady_state, rel=1e-9)


def test_without_inflow_all_of_it_evaporates_in_the_end():
    p = project(40, evaporation_rate=0.1, referral_rate=0.04, periods=1_000)
    assert p.steady_state == 0.0
    assert p.stock[-1] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("opening", [9, [4, 3, 2]])
@pytest.mark.parametrize(
    ("survival", "referral_rate"),
    [
        ([1, 0.5, 0.5], 0),
        ([1, 0.5, 0.25], 0.5),
        ([1, 0.8, 0.2, 0.1], 1 / (1 + 0.8 + 0.2 / 0.5)),
        ([1, 0.4, 0], 1 / 1.4),
    ],
)
def test_where_referral_just_makes_up_for_evaporation_a_stock_levels_off(opening, survival, referral_rate):
    p = project(opening, survival=survival, referral_rate=referral_rate, periods=500)
    assert p.evaporation_rate == referral_rate
    assert not p.grows
    assert 0 < p.steady_state < 20
    assert p.stock[-1] == pytest.approx(p.steady_state, rel=1e-9)


@pytest.mark.parametrize("rate", [0.0, 0.1, 1.0])
def test_a_stock_that_loses_what_it_brings_stays(rate):
    p = project(40, evaporation_rate=rate, referral_rate=rate, periods=50)
    assert p.steady_state == 40.0
    np.testing.assert_allclose(p.stock, 40)


@pytest.mark.parametrize(
    ("given", "grows"),
    [
        ({"inflow": 1, "evaporation_rate": 0.1, "referral_rate": 0.2}, True),
        ({"evaporation_rate": 0.1, "referral_rate": 0.2}, True),
        ({"inflow": 1, "evaporation_rate": 0.1, "referral_rate": 0.1}, True),
        ({"inflow": 1, "evaporation_rate": 0.0}, True),
        ({"inflow": 1, "survival": [1, 0.5, 0.5]}, True),
        ({"evaporation_rate": 0.1, "referral_rate": 0.1}, False),
        ({"inflow": 1, "evaporation_rate": 0.1, "referral_rate": 0.09}, False),
    ],
)
def test_growth_says_so(given, grows):
    p = project(10, periods=20, **given)
    assert p.grows is grows
    assert math.isinf(p.steady_state) is grows
    assert ("No steady state" in str(p)) is grows
    assert ("无稳态" in p.table(lang="zh")) is grows
    assert bool(p.stock[-1] > p.stock[9] > 10) is (grows or p.inflow > 0)


def test_nobody_brings_nobody():
    p = project(0, evaporation_rate=0.1, referral_rate=0.2, periods=5)
    assert not p.grows
    assert p.steady_state == 0.0
    assert p.stock.tolist() == [0] * 5


@pytest.mark.parametrize("referral_rate", [0, 0.04])
@pytest.mark.parametrize("survival", [None, *SURVIVALS])
def test_the_break_even_inflow_keeps_the_stock_flat(survival, referral_rate):
    law = {"evaporation_rate": 0.1} if survival is None else {"survival": survival}
    p = project(500, referral_rate=referral_rate, periods=40, **law)
    flat = p.what_if(inflow=p.break_even_inflow)
    np.testing.assert_allclose(flat.stock, 500)
    assert flat.steady_state == pytest.approx(500)


def test_a_stock_of_new_members_comes_back_to_its_size_at_break_even():
    p = project([500], survival=[1, 0.5, 0.4, 0.35], periods=400)
    stock = p.what_if(inflow=p.break_even_inflow).stock
    assert stock[0] < 400
    assert stock[-1] == pytest.approx(500)


def test_a_stock_that_grows_by_itself_needs_no_inflow():
    assert project(500, evaporation_rate=0.1, referral_rate=0.2, periods=1).break_even_inflow == 0.0


# --- survival curves ---


@pytest.mark.parametrize("opening", [400, [400], [100, 200, 60, 40]])
@pytest.mark.parametrize("n_shares", [2, 3, 6, 30])
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.7, 1.0])
def test_a_constant_rate_is_the_survival_curve_of_its_powers(rate, n_shares, opening):
    options: dict[str, Any] = {"inflow": 20, "referral_rate": 0.05, "periods": 15}
    by_rate = project(opening, evaporation_rate=rate, **options)
    by_curve = project(opening, survival=(1 - rate) ** np.arange(n_shares), **options)
    for one, other in zip(course(by_rate), course(by_curve), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)
    assert by_curve.evaporation_rate == pytest.approx(rate)
    assert by_curve.steady_state == pytest.approx(by_rate.steady_state, rel=1e-9)
    assert (by_rate.is_constant, by_curve.is_constant) == (True, False)


def test_new_members_follow_the_curve():
    p = project([100], survival=[1, 0.5, 0.4, 0.3], periods=5)
    np.testing.assert_allclose(p.stock, [50, 40, 30, 22.5, 16.875])


def test_old_members_are_further_along_the_curve():
    p = project([0, 0, 100], survival=[1, 0.5, 0.4, 0.3], periods=2)
    np.testing.assert_allclose(p.stock, [75, 56.25])


def test_members_older_than_the_curve_follow_its_end():
    curve = [1, 0.5, 0.4, 0.3]
    old = project([0, 0, 0, 0, 0, 100], survival=curve, periods=3)
    assert old.opening_by_tenure.tolist() == [0, 0, 0, 0, 0, 100]
    np.testing.assert_allclose(old.stock, project([0, 0, 100], survival=curve, periods=3).stock)


def test_a_curve_that_reaches_zero_ends_every_stay():
    p = project([100], survival=[1, 0.5, 0], periods=4)
    assert p.stock.tolist() == [50, 0, 0, 0]
    assert p.evaporated.tolist() == [50, 50, 0, 0]
    assert p.variance[1:].tolist() == [0, 0, 0]
    assert p.evaporation_rate == pytest.approx(1 / 1.5)
    assert project([0, 0, 100], survival=[1, 0.5, 0], periods=1).stock.tolist() == [0]
    # Whoever is still there at a tenure that nobody reaches leaves with the next period.
    assert project([0, 0, 100], survival=[1, 0.5, 0, 0], periods=1).stock.tolist() == [0]


def test_a_curve_that_ends_flat_keeps_its_last_members():
    p = project([100], survival=[1, 0.5, 0.5], periods=300)
    assert p.evaporation_rate == 0.0
    assert p.stock[-1] == 50
    assert p.steady_state == 50.0


def test_a_number_is_spread_over_tenures_as_in_a_steady_stock():
    p = project(190, survival=[1, 0.5, 0.2, 0.1], periods=1)
    # A joiner is expected to spend 1 period at tenure 0, 0.5 at tenure 1 and 0.2 / (1 − 0.5) = 0.4 from tenure 2 on.
    np.testing.assert_allclose(p.opening_by_tenure, [100, 50, 40])
    assert p.evaporation_rate == pytest.approx(1 / 1.9)
    assert p.stock[0] == pytest.approx(90)


def test_a_number_under_a_curve_that_ends_flat_are_those_who_stay():
    assert project(8, survival=[1, 0.5, 0.25, 0.25], periods=1).opening_by_tenure.tolist() == [0, 0, 8]


# --- the interval ---


def test_chance_alone_is_binomial_and_poisson():
    p = project(1_000, inflow=50, evaporation_rate=0.10, referral_rate=0.04, periods=1)
    assert p.variance[0] == pytest.approx(1_000 * 0.1 * 0.9 + 50 + 40)
    assert p.upper[0] - p.stock[0] == pytest.approx(1.959963984540054 * math.sqrt(180))
    assert p.stock[0] - p.lower[0] == pytest.approx(1.959963984540054 * math.sqrt(180))


def test_nothing_left_to_chance_has_no_width():
    for rate in (0, 1):
        p = project(10, evaporation_rate=rate, periods=3)
        assert p.lower.tolist() == p.stock.tolist() == p.upper.tolist()


def test_the_level_sets_the_width():
    widths = [
        np.ptp([*p.lower, *p.upper])
        for p in (project(100, evaporation_rate=0.5, periods=1, level=x) for x in (0.5, 0.9, 0.999))
    ]
    assert np.array(widths) / widths[0] == pytest.approx(
        [1, 1.6448536269514722 / 0.6744897501960817, 3.2905267314919255 / 0.6744897501960817]
    )


def test_the_stock_is_never_negative():
    p = project(3, evaporation_rate=0.5, periods=4)
    assert p.lower[-1] == 0.0
    assert p.upper[-1] > 0


def test_a_counted_rate_widens_the_interval_by_its_standard_error():
    rate = Rate(30, 200)
    options: dict[str, Any] = {"inflow": 20, "referral_rate": 0.05, "periods": 12}
    counted = project(400, evaporation_rate=rate, **options)
    known = project(400, evaporation_rate=float(rate), **options)
    np.testing.assert_array_equal(counted.stock, known.stock)
    # Jeffreys' posterior of 30 in 200 is Beta(30.5, 170.5).
    assert counted.rate_error**2 == pytest.approx(30.5 * 170.5 / (201**2 * 202))
    step = 1e-6
    up, down = (project(400, evaporation_rate=float(rate) + h, **options).stock for h in (step, -step))
    slope = (up - down) / (2 * step)
    np.testing.assert_allclose(counted.variance - known.variance, (slope * counted.rate_error) ** 2, rtol=1e-6)


@pytest.mark.parametrize("survival", [None, [1, 0.5, 0.4, 0.35]])
def test_an_uncertain_inflow_widens_the_interval_by_its_standard_error(survival):
    law = {"evaporation_rate": 0.15} if survival is None else {"survival": survival}
    known = project(400, inflow=20, referral_rate=0.05, periods=12, **law)
    uncertain = attrs.evolve(known, inflow_error=3.0)
    slope = known.what_if(inflow=21).stock - known.stock
    np.testing.assert_allclose(uncertain.variance - known.variance, (slope * 3) ** 2, rtol=1e-9)


def test_a_rate_that_was_never_seen_to_fail_is_not_certain():
    assert project(100, evaporation_rate=Rate(0, 50), periods=3).variance[-1] > 0
    assert project(100, evaporation_rate=Rate(50, 50), periods=1).variance[-1] > 0


def test_fluctuations_widen_the_interval():
    p = project(1_000, inflow=50, evaporation_rate=0.10, periods=1)
    moved = attrs.evolve(p, rate_fluctuation=0.05, inflow_fluctuation=7.0)
    assert moved.variance[0] == pytest.approx(1_000 * (0.09 - 0.0025) + 0.0025 * 1_000**2 + 50 + 49)


# --- from a ledger ---

STEADY = [0, *[20] * 7]


def test_a_ledger_gives_stock_inflow_and_rate():
    p = project(ledger_of([100, 110, 130, 128], [0, 20, 11, 13]), periods=2)
    assert p.opening == 128
    assert p.evaporation_rate == pytest.approx(44 / 340)
    assert p.inflow == pytest.approx((30 + 31 + 11) / 3)
    np.testing.assert_allclose(p.stock[0], 128 * (1 - 44 / 340) + 24)


def test_the_founding_is_no_flow_to_go_by():
    p = project(ledger_of([0, 0, 100, 110, 130, 128], [0, 0, 0, 20, 11, 13]), periods=2)
    assert p.inflow == 24
    # An empty community that fills again later is.
    assert project(ledger_of([100, 0, 30], [0, 100, 0]), periods=1).inflow == 15
    assert project(ledger_of([100, 0, 30], [0, 100, 0]), periods=1).evaporation_rate == 1.0


def test_only_the_last_periods_count_where_asked():
    ledger = ledger_of([100, 110, 130, 128], [0, 20, 11, 13])
    last = project(ledger, periods=1, over=1)
    assert (last.inflow, last.evaporation_rate) == (11, 13 / 130)
    assert project(ledger, periods=1, over=2).evaporation_rate == 24 / 240
    assert project(ledger, periods=1, over=99) == project(ledger, periods=1)


@pytest.mark.parametrize("over", [None, 2])
def test_a_period_that_is_not_over_is_not_used(over):
    whole = ledger_of([100, 110, 130, 128], [0, 20, 11, 13], tz="UTC")
    cut = ledger_of(
        [100, 110, 130, 128, 9], [0, 20, 11, 13, 120], tz="UTC", observed_until=pendulum.datetime(2024, 1, 30)
    )
    assert cut.complete.tolist() == [True] * 4 + [False]
    assert project(cut, periods=3, over=over) == project(whole, periods=3, over=over)


def test_future_periods_have_dates():
    p = project(ledger_of([100, 110], [0, 20]), periods=3)
    assert p.periods.astype(str).tolist() == ["2024-01-15", "2024-01-22", "2024-01-29"]
    assert [row.period for row in p.rows()] == [pendulum.date(2024, 1, day) for day in (15, 22, 29)]
    assert str(p).splitlines()[2].startswith("2024-01-15")
    undated = project(100, evaporation_rate=0.1, periods=2)
    assert np.isnat(undated.periods).all()
    assert undated.last().period is None
    assert "period" not in str(undated)


def test_dates_end_with_the_calendars():
    years = Calendar(unit="year", tz="UTC")
    p = Projection(opening_by_tenure=[9], constant_rate=0.1, n_periods=4, calendar=years, first_period=2457 - 1970)
    assert p.periods.astype(str).tolist() == ["2457-01-01", "2458-01-01", "NaT", "NaT"]
    assert np.isnat(attrs.evolve(p, first_period=3_000).periods).all()
    assert str(p).count("–") == 2


def test_hours_ahead_have_hours():
    log = EventLog.from_columns(member=["a", "a", "b", "c"], kind="post", at=[0, 3_600, 3_700, 7_300], time_unit="s")
    p = project(flow_ledger(log, every="hour", tz="UTC"), periods=2)
    assert p.periods.astype(str).tolist() == ["1970-01-01T02", "1970-01-01T03"]


def test_referral_is_taken_out_of_the_flow():
    ledger = ledger_of([100, 110, 130, 128], [0, 20, 11, 13])
    p = project(ledger, periods=1, referral_rate=0.1)
    assert p.inflow == pytest.approx(24 - 0.1 * 340 / 3)
    assert p.stock == pytest.approx(128 * (1 - 44 / 340) + 24 + 0.1 * (128 - 340 / 3))


def test_what_referral_explains_is_no_fluctuation():
    opening, external = np.array([100, 120, 110, 180, 200]), np.array([20, 4, 60, 90, 11])
    flow = opening // 2 + external
    ledger = ledger_of([*opening, 150], [0, *(opening + flow - [*opening[1:], 150])])
    p = project(ledger, periods=1, referral_rate=0.5)
    assert p.inflow == 37
    assert p.inflow_fluctuation**2 == pytest.approx(external.var(ddof=1) - flow.mean())
    assert p.inflow_fluctuation != pytest.approx(project(ledger, periods=1).inflow_fluctuation)


def test_referral_cannot_explain_more_than_the_flow():
    ledger = ledger_of([100, 110, 130, 128], [0, 20, 11, 13])
    everything = 72 / 340
    assert project(ledger, periods=1, referral_rate=everything).inflow == pytest.approx(0, abs=1e-12)
    match = (
        r"^referral_rate: expected at most 0\.2118, which explains all flow of the ledger, or an `inflow`, got 0\.22$"
    )
    with pytest.raises(InvalidValueError, match=match):
        project(ledger, periods=1, referral_rate=0.22)
    assert project(ledger, periods=1, referral_rate=0.22, inflow=0).inflow == 0


def test_what_is_given_goes_before_what_the_ledger_says():
    ledger = ledger_of([100, 110, 130, 128], [0, 20, 11, 13])
    planned = project(ledger, periods=1, inflow=7)
    assert (planned.inflow, planned.inflow_error, planned.inflow_fluctuation) == (7, 0, 0)
    assert planned.rate_error > 0
    rated = project(ledger, periods=1, evaporation_rate=0.5)
    assert (rated.evaporation_rate, rated.rate_error, rated.rate_fluctuation) == (0.5, 0, 0)
    assert rated.inflow_error > 0
    curved = project(ledger, periods=1, survival=[1, 0.5, 0.4])
    assert (curved.opening, curved.inflow, curved.rate_error) == (128, 24, 0)
    assert len(curved.opening_by_tenure) == 2


def test_one_period_tells_of_no_fluctuation():
    p = project(ledger_of([100, 110], [0, 20]), periods=1)
    assert (p.rate_fluctuation, p.inflow_fluctuation) == (0.0, 0.0)
    # Jeffreys' posteriors: Beta(20.5, 80.5) of the rate, Gamma(30.5, 1) of the inflow.
    assert p.rate_error == pytest.approx(math.sqrt(20.5 * 80.5 / (101**2 * 102)))
    assert p.inflow_error == pytest.approx(math.sqrt(30.5))


def test_a_quieter_ledger_than_chance_tells_of_no_fluctuation():
    p = project(ledger_of([100] * 9, [0] + [20] * 8), periods=1)
    assert (p.rate_fluctuation, p.inflow_fluctuation) == (0.0, 0.0)


def test_fluctuations_are_what_chance_leaves_over():
    evaporated, flow = np.array([10, 40, 15, 35]), np.array([10, 40, 15, 35])
    p = project(ledger_of([100] * 5, [0, *evaporated]), periods=1)
    # With equal openings the rate varies by its sample variance less the mean binomial one, as the literature has it.
    shares = evaporated / 100
    assert p.rate_fluctuation**2 == pytest.approx(shares.var(ddof=1) - 0.25 * 0.75 / 100)
    assert p.inflow_fluctuation**2 == pytest.approx(flow.var(ddof=1) - flow.mean())
    assert p.rate_error**2 == pytest.approx(100.5 * 300.5 / (401**2 * 402) + p.rate_fluctuation**2 / 4)
    assert p.inflow_error**2 == pytest.approx(100.5 / 16 + p.inflow_fluctuation**2 / 4)


def test_openings_of_different_size_weigh_by_their_size():
    opening, evaporated = np.array([100, 80, 400]), np.array([25, 10, 60])
    ledger = ledger_of([100, 80, 400, 350], [0, *evaporated])
    p = project(ledger, periods=1)
    rate = 95 / 580
    weight = opening / (rate * (1 - rate))
    q = (weight * (evaporated / opening - rate) ** 2).sum()
    tau2 = (q - 2) / (weight.sum() - (weight**2).sum() / weight.sum())  # DerSimonian and Laird (1986), formula 8
    assert p.rate_fluctuation**2 == pytest.approx(tau2)
    assert p.rate_error**2 == pytest.approx(95.5 * 485.5 / (581**2 * 582) + tau2 * (opening**2).sum() / 580**2)


def test_a_rate_cannot_fluctuate_out_of_its_range():
    p = project(ledger_of([1000, 500, 500, 0], [0, 1000, 0, 500]), periods=1)
    assert p.rate_fluctuation**2 <= p.evaporation_rate * (1 - p.evaporation_rate) * (1 + 1e-12)
    assert np.isfinite(p.variance).all()


def test_a_ledger_of_a_log_is_projected():
    log = EventLog.from_columns(
        member=["a", "b", "a", "c", "b", "c", "d"],
        kind="post",
        at=86_400 * np.array([0, 1, 7, 8, 14, 15, 22]),
        time_unit="s",
    )
    ledger = flow_ledger(log, every="week", tz="UTC")
    p = project(ledger, periods=2)
    complete = int(ledger.complete.sum())
    assert p.opening == ledger.retained[complete - 1]
    assert p.evaporation_rate == ledger.evaporated[1:complete].sum() / ledger.opening[1:complete].sum()


# --- what if ---


def test_less_evaporation_keeps_more():
    p = project(500, inflow=50, evaporation_rate=0.10, periods=12)
    better = p.what_if(evaporation_rate=p.evaporation_rate * 0.9)
    assert better == project(500, inflow=50, evaporation_rate=0.10 * 0.9, periods=12)
    assert better.stock[-1] > p.stock[-1]


def test_what_is_left_out_stays():
    p = project(ledger_of([100, 110, 130, 128], [0, 20, 11, 13]), periods=5, referral_rate=0.02, level=0.8)
    assert p.what_if() == p
    other = p.what_if(referral_rate=0.05)
    assert other.referral_rate == 0.05
    assert attrs.evolve(other, referral_rate=0.02) == p


def test_a_changed_rate_is_no_better_known_than_it_was():
    p = project(ledger_of([100] * 5, [0, 10, 40, 15, 35]), periods=5)
    less = p.what_if(evaporation_rate=p.evaporation_rate * 0.9, inflow=p.inflow * 2)
    assert less.rate_error == pytest.approx(p.rate_error * 0.9)
    assert less.rate_fluctuation == pytest.approx(p.rate_fluctuation * 0.9)
    assert less.inflow_error == pytest.approx(p.inflow_error * 2)
    assert less.inflow_fluctuation == pytest.approx(p.inflow_fluctuation * 2)
    counted = p.what_if(evaporation_rate=Rate(30, 100))
    assert counted.rate_error == project(1, evaporation_rate=Rate(30, 100), periods=1).rate_error
    assert counted.rate_fluctuation == pytest.approx(p.rate_fluctuation * 0.3 / p.evaporation_rate)


def test_a_changed_rate_cannot_fluctuate_out_of_its_range():
    p = project(ledger_of([100] * 5, [0, 5, 60, 5, 60]), periods=5)
    assert p.what_if(evaporation_rate=1).rate_fluctuation == 0.0
    assert p.what_if(evaporation_rate=0).rate_fluctuation == 0.0
    assert np.isfinite(p.what_if(evaporation_rate=0.95).variance).all()


def test_from_nothing_there_is_no_proportion():
    p = project(ledger_of([10, 10, 10], [0, 0, 0]), periods=2)
    assert (p.evaporation_rate, p.inflow) == (0, 0)
    more = p.what_if(evaporation_rate=0.5, inflow=3)
    assert (more.rate_error, more.inflow_error) == (p.rate_error, p.inflow_error)


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.0, 1.2])
@pytest.mark.parametrize("survival", [[1, 0.6], [1, 0.5, 0.4, 0.35], [1, 1, 0.9, 0.9, 0.3]])
def test_a_survival_curve_is_bent_in_proportion(survival, factor):
    p = project(100, inflow=9, survival=survival, periods=6)
    bent = p.what_if(evaporation_rate=p.evaporation_rate * factor)
    assert bent.evaporation_rate == pytest.approx(p.evaporation_rate * factor, rel=1e-12)
    assert bent.survival is not None
    assert p.survival is not None
    hazards, before = -np.log(bent.survival), -np.log(p.survival)
    lost = before > 0
    ratio = hazards[lost] / before[lost]
    assert ratio == pytest.approx(ratio[0])
    assert bool(ratio[0] < 1) is (factor < 1)
    np.testing.assert_array_equal(bent.opening_by_tenure, p.opening_by_tenure)
    if factor == 1.0:
        assert bent == p


def test_a_survival_curve_has_no_power_with_any_rate():
    p = project(100, survival=[1, 0.5, 0], periods=3)
    match = r"^evaporation_rate: expected a rate in \[0\.5, 1\], which powers of this survival curve have, got 0\.3$"
    with pytest.raises(InvalidValueError, match=match):
        p.what_if(evaporation_rate=0.3)
    flat = project(100, survival=[1, 0.5, 0.5], periods=3)
    assert flat.what_if(evaporation_rate=0) == flat
    with pytest.raises(
        InvalidValueError, match=r"^evaporation_rate: expected 0 beside a survival curve that ends flat, got 0\.1$"
    ):
        flat.what_if(evaporation_rate=0.1)


def test_a_projection_can_look_further():
    p = project(500, inflow=50, evaporation_rate=0.10, periods=3)
    assert attrs.evolve(p, n_periods=12).stock[:3].tolist() == p.stock.tolist()


# --- numerics ---


def test_ten_thousand_periods_settle():
    p = project(1e6, inflow=50, evaporation_rate=Rate(100, 1_000), referral_rate=0.04, periods=10_000)
    assert p.stock[-1] == pytest.approx(p.steady_state, rel=1e-12)
    e, r, m = 0.1, 0.04, p.steady_state
    by_chance = (m * e * (1 - e) + 50 + r * m) / (1 - (1 - e + r) ** 2)  # where the variance recursion stands still
    assert p.variance[-1] == pytest.approx(by_chance + (p.rate_error * m / (e - r)) ** 2, rel=1e-9)


def test_ten_thousand_periods_grow_moderately():
    p = project(1, evaporation_rate=0.10, referral_rate=0.101, periods=10_000)
    assert p.stock[-1] == pytest.approx(1.001**10_000, rel=1e-9)
    assert np.isfinite(p.variance).all()


def test_growth_beyond_all_measure_is_refused():
    match = (
        r"^periods: expected a horizon within which the expected stock stays below 1e\+15 members, got 10000; "
        r"at these rates it is passed in period 363$"
    )
    assert math.ceil(15 * math.log(10) / math.log(1.1)) == 363
    with pytest.raises(InvalidValueError, match=match):
        project(1, evaporation_rate=0.1, referral_rate=0.2, periods=10_000)
    small = project(1, evaporation_rate=0.1, referral_rate=0.05, periods=10_000)
    with pytest.raises(InvalidValueError, match=r"^periods: "):
        small.what_if(referral_rate=2)
    with pytest.raises(InvalidValueError, match=r"^periods: "):
        project(1, evaporation_rate=1, referral_rate=1e15, periods=10_000)


def test_a_variance_beyond_all_measure_is_infinite():
    p = Projection(
        opening_by_tenure=[1_000],
        inflow=20,
        constant_rate=0.5,
        referral_rate=0.49,
        rate_fluctuation=0.5,
        n_periods=5_000,
    )
    last = p.last()
    assert (last.lower, last.upper) == (0.0, math.inf)
    assert last.stock == pytest.approx(p.steady_state)


def test_nobody_ahead_is_an_empty_table():
    p = project(7, evaporation_rate=0.1, periods=0)
    assert [len(column) for column in p.to_columns().values()] == [0] * 9
    assert repr(p) == "Projection(7.0 now)"
    assert "(no rows)" in str(p)


# --- the record ---


def test_it_prints_in_both_languages():
    p = project(500, inflow=50, evaporation_rate=0.10, periods=1, level=0.9)
    assert str(p).splitlines()[-1] == "Interval: 90%. Steady state: 500.0."
    lines = p.table(lang="zh").splitlines()
    assert lines[0].split() == ["未来", "期初", "外部流入", "带来", "蒸发", "留量", "下限", "上限"]
    assert lines[-1] == "区间：90%。稳态：500.0。"
    assert repr(p) == "Projection(500.0 now, 500.0 after 1 periods)"
    growing = project(500, inflow=50, evaporation_rate=0.10, referral_rate=0.125, periods=1)
    assert str(growing).splitlines()[-1] == (
        "Interval: 95%. No steady state: the stock grows on (referral and evaporation 12.5%, 10.0%)."
    )
    assert growing.table(lang="zh").splitlines()[-1] == "区间：95%。无稳态：持续增长（带来率与蒸发率 12.5%, 10.0%）。"


@pytest.mark.parametrize("law", [{}, {"survival": [1, 0.5, 0.2]}])
def test_it_survives_a_pickle_and_cannot_be_written_to(law):
    p = project(ledger_of([100, 110, 130, 128], [0, 20, 11, 13]), periods=2, **law)
    again = pickle.loads(pickle.dumps(p))  # noqa: S301
    assert again == p
    arrays = [*course(again), again.periods, again.opening_by_tenure, *again.to_columns().values()]
    assert not any(array.flags.writeable for array in arrays)
    assert again.survival is None or not again.survival.flags.writeable


def test_curves_and_stocks_given_stay_as_they_were():
    stock, curve = np.array([1.0, 2.0]), np.array([1.0, 0.5])
    p = project(stock, survival=curve, periods=1)
    stock[0] = curve[1] = 0.25
    assert p.opening == 3
    assert p.survival is not None
    assert p.survival.tolist() == [1, 0.5]
    assert stock.flags.writeable
    assert curve.flags.writeable


def test_projections_differ_by_their_assumptions():
    p = project(100, survival=[1, 0.5], periods=1)
    assert p != project(100, survival=[1, 0.4], periods=1)
    assert p != project(100, evaporation_rate=0.5, periods=1)
    assert p != project(101, survival=[1, 0.5], periods=1)


@pytest.mark.parametrize("number", [np.int64(100), np.float32(100), np.array(100), 100.0])
def test_numbers_may_be_numpys(number):
    numpys: dict[str, Any] = {
        "inflow": np.int8(5),
        "evaporation_rate": np.float64(0.1),
        "referral_rate": np.float32(0.5),
        "periods": np.int64(2),
        "level": np.float64(0.5),
    }
    same: dict[str, Any] = {"inflow": 5, "evaporation_rate": 0.1, "referral_rate": 0.5, "periods": 2, "level": 0.5}
    p = project(number, **numpys)
    assert p == project(100, **same)
    assert type(p.inflow) is float


def test_over_may_be_numpys():
    ledger, over = ledger_of([100, 110, 130, 128], [0, 20, 11, 13]), np.array([2])[0]
    assert project(ledger, periods=1, over=over) == project(ledger, periods=1, over=2)


# --- what cannot be ---

GOOD: dict[str, Any] = {"evaporation_rate": 0.1, "periods": 3}


@pytest.mark.parametrize(
    ("data", "changes", "match"),
    [
        (9, {"periods": -1}, r"^periods: expected a number of periods in \[0, 10,000\], got -1$"),
        (9, {"periods": 10_001}, r"^periods: expected a number of periods in \[0, 10,000\], got 10001$"),
        (9, {"level": 0.0}, "^level: expected a number between 0 and 1, both excluded, got 0.0$"),
        (9, {"level": 1}, "^level: expected a number between 0 and 1, both excluded, got 1$"),
        (9, {"evaporation_rate": 1.5}, r"^evaporation_rate: expected a fraction in \[0, 1\], got 1\.5$"),
        (9, {"evaporation_rate": -0.1}, r"^evaporation_rate: expected a fraction in \[0, 1\], got -0\.1$"),
        (9, {"evaporation_rate": math.nan}, r"^evaporation_rate: expected a fraction in \[0, 1\], got nan$"),
        (9, {"evaporation_rate": Rate(0, 0)}, "^evaporation_rate: expected a rate with at least one trial, got Rate"),
        (9, {"inflow": -3}, r"^inflow: expected a number >= 0, and no more than 10\*\*15, got -3$"),
        (9, {"inflow": math.inf}, "^inflow: expected a number >= 0, .* got inf$"),
        (9, {"inflow": math.nan}, "^inflow: expected a number >= 0, .* got nan$"),
        (9, {"referral_rate": -0.1}, "^referral_rate: expected a number >= 0, .* got -0.1$"),
        (
            9,
            {"survival": [1, 0.5]},
            r"^survival: expected None beside an evaporation rate, got array\(\[1\. , 0\.5\]\)$",
        ),
        (9, {"over": 3}, "^over: expected None where the data is no ledger, got 3$"),
        (-1, {}, r"^data: expected members >= 0, and no more than 10\*\*15, got -1\.0 at row 0 \(1 of 1 rows\)$"),
        ([1, math.nan, -2], {}, r"^data: expected members >= 0, .* got nan at row 1 \(2 of 3 rows\)$"),
        (1e16, {}, "^data: expected members >= 0, and no more"),
    ],
)
def test_numbers_that_cannot_be_are_refused(data, changes, match):
    with pytest.raises(InvalidValueError, match=match):
        project(data, **(GOOD | changes))


@pytest.mark.parametrize(
    ("data", "changes", "match"),
    [
        (9, {"periods": 2.0}, "^periods: expected an integer, got 2.0$"),
        (9, {"periods": True}, "^periods: expected an integer, got True$"),
        (9, {"level": "95%"}, "^level: expected a number between 0 and 1, got '95%'$"),
        (9, {"evaporation_rate": "10%"}, "^evaporation_rate: expected a number, got '10%'$"),
        (9, {"evaporation_rate": True}, "^evaporation_rate: expected a number, got True$"),
        (
            9,
            {"evaporation_rate": None},
            "^evaporation_rate: expected a rate, or a survival curve in its place, got None$",
        ),
        (9, {"inflow": [1, 2]}, r"^inflow: expected a number, got \[1, 2\]$"),
        (9, {"referral_rate": None}, "^referral_rate: expected a number, got None$"),
        ("9", {}, "^data: expected a ledger, a number of members, or members by tenure, got '<U1 values'$"),
        (True, {}, "^data: expected a ledger, .* got 'bool values'$"),
        (None, {}, "^data: expected a ledger, .* got 'object values'$"),
        ([], {}, r"^data: expected a ledger, .* got 'an array of shape \(0,\)'$"),
        ([[1, 2]], {}, r"^data: expected a ledger, .* got 'an array of shape \(1, 2\)'$"),
        ([[1], [2, 3]], {}, r"^data: expected an array of"),
    ],
)
def test_what_is_no_number_is_refused(data, changes, match):
    with pytest.raises(InvalidTypeError, match=match):
        project(data, **(GOOD | changes))


@pytest.mark.parametrize(
    ("survival", "error", "match"),
    [
        ([0.9, 0.5], InvalidValueError, "^survival: expected a curve that begins with 1, got 0.9 at row 0$"),
        (
            [1, 0.5, 0.6, 0.7],
            InvalidValueError,
            r"^survival: expected shares in \[0, 1\] that never rise, got 0\.6 at row 2 \(2 of 4 rows\)$",
        ),
        ([1, -0.1], InvalidValueError, r"^survival: .* got -0\.1 at row 1 \(1 of 2 rows\)$"),
        ([1, math.nan], InvalidValueError, r"^survival: .* got nan at row 1 \(1 of 2 rows\)$"),
        (
            [1],
            InvalidTypeError,
            r"^survival: expected a 1-D array of 2 to 1,001 shares, got 'an array of shape \(1,\)'$",
        ),
        ([[1, 0.5]], InvalidTypeError, r"^survival: .* got 'an array of shape \(1, 2\)'$"),
        (np.ones(1_002), InvalidTypeError, r"^survival: .* got 'an array of shape \(1002,\)'$"),
        (0.9, InvalidTypeError, r"^survival: .* got 'an array of shape \(\)'$"),
        (["1", "0.5"], InvalidTypeError, "^survival: expected shares, got '<U3 values'$"),
    ],
)
def test_what_is_no_survival_curve_is_refused(survival, error, match):
    with pytest.raises(error, match=match):
        project(9, survival=survival, periods=3)


def test_an_empty_ledger_tells_too_little():
    log = EventLog.from_columns(member=[], kind=[], at=[], time_unit="s")
    ledger = flow_ledger(log, every="week", tz="UTC")
    given: dict[str, Any] = {"evaporation_rate": 0.1, "inflow": 1}
    for options in ({}, given):
        with pytest.raises(
            InvalidValueError, match=r"^data: expected a ledger with at least one complete period, got Flo"
        ):
            project(ledger, periods=3, **options)


@pytest.mark.parametrize(
    ("retained", "evaporated", "options", "match"),
    [
        ([9], [0], {}, "^data: expected a ledger with a complete period that opened with members, got FlowLedger"),
        (
            [9, 0, 0, 5],
            [0, 9, 0, 0],
            {"over": 2},
            "^data: .* a complete period among its last 2 that opened with members",
        ),
        ([5, 5], [0, 1], {"over": 0}, "^over: expected a number of periods >= 1, got 0$"),
    ],
)
def test_a_ledger_that_tells_too_little_is_refused(retained, evaporated, options, match):
    with pytest.raises(InvalidValueError, match=match):
        project(ledger_of(retained, evaporated), periods=3, **options)


@pytest.mark.parametrize("over", [1.5, True, "8"])
def test_over_is_an_integer(over):
    with pytest.raises(InvalidTypeError, match=r"^over: expected an integer"):
        project(ledger_of([5, 5], [0, 1]), periods=3, over=over)


def test_a_stock_is_enough_where_rates_are_given():
    p = project(ledger_of([100], [0]), periods=1, inflow=3, evaporation_rate=0.5)
    assert p.stock.tolist() == [53]


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"evaporation_rate": 2}, InvalidValueError, "^evaporation_rate: "),
        ({"evaporation_rate": "2"}, InvalidTypeError, "^evaporation_rate: "),
        ({"inflow": -1}, InvalidValueError, "^inflow: "),
        ({"referral_rate": -1}, InvalidValueError, "^referral_rate: "),
    ],
)
def test_what_if_refuses_what_project_refuses(changes, error, match):
    with pytest.raises(error, match=match):
        project(9, **GOOD).what_if(**changes)


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"opening_by_tenure": [-1]}, InvalidValueError, "^opening_by_tenure: expected members >= 0"),
        ({"opening_by_tenure": "x"}, InvalidTypeError, "^opening_by_tenure: expected members by tenure"),
        ({"inflow": -1}, InvalidValueError, "^inflow: "),
        ({"n_periods": -1}, InvalidValueError, "^n_periods: "),
        ({"level": 2}, InvalidValueError, "^level: "),
        ({"constant_rate": 2}, InvalidValueError, r"^constant_rate: expected a fraction in \[0, 1\], got 2$"),
        ({"constant_rate": None}, InvalidTypeError, "^evaporation_rate: expected a rate, or a survival curve"),
        ({"survival": [1, 0.5]}, InvalidValueError, "^survival: expected None beside an evaporation rate"),
        ({"survival": [1, 2], "constant_rate": None}, InvalidValueError, "^survival: expected shares"),
        ({"rate_error": -1}, InvalidValueError, "^rate_error: "),
        (
            {"rate_fluctuation": 0.4},
            InvalidValueError,
            r"^rate_fluctuation: expected at most 0\.3, as a rate in \[0, 1\] with this mean can fluctuate, got 0\.4$",
        ),
        (
            {"survival": [1, 0.5], "constant_rate": None, "rate_error": 0.1},
            InvalidValueError,
            "^rate_error, rate_fluctuation: expected 0 beside a survival curve, got 0.1$",
        ),
    ],
)
def test_a_record_is_checked_however_it_is_made(changes, error, match):
    with pytest.raises(error, match=match):
        Projection(**({"opening_by_tenure": [9], "constant_rate": 0.1, "n_periods": 3} | changes))


def test_a_calendar_is_a_calendar():
    no_calendar: Any = "week"
    with pytest.raises(TypeError, match="calendar"):
        attrs.evolve(project(9, **GOOD), calendar=no_calendar)
    dated = attrs.evolve(project(9, **GOOD), calendar=Calendar(unit="month", tz="UTC"), first_period=1)
    assert dated.periods.astype(str).tolist() == ["1970-02-01", "1970-03-01", "1970-04-01"]
