from __future__ import annotations

import copy
import pickle

import attrs
import numpy as np
import pytest

from shequn.campaigns import Elasticity, RewardBudget, arc_elasticity, reward_budget
from shequn.entities import Reward
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError
from shequn.values import Money, Rate

COUPON = Reward(kind="coupon", cost=Money.of(5, "CNY"), quantity=200, name="5 元券")
GIFT = Reward(kind="gift", cost=Money.of("29.90", "CNY"), quantity=10)


def budget(**changed) -> RewardBudget:
    return reward_budget([COUPON, GIFT], **({"participants": 400, "claim": [0.2, 0.02]} | changed))


def test_the_worst_case_is_quantity_times_cost_to_the_cent():
    assert budget().worst_case == Money.of(1_299, "CNY")
    assert reward_budget(GIFT, participants=400, claim=1.0).expected == Money.of(299, "CNY")


def test_nothing_is_paid_beyond_the_quantity_or_to_more_than_take_part():
    found = budget(participants=7, claim=1.0)
    assert (found.claims.tolist(), found.upper.tolist()) == ([7.0, 7.0], [7, 7])
    assert budget(claim=1.0).claims.tolist() == [200.0, 10.0]
    assert budget(claim=0).expected == Money(0, "CNY")


@pytest.mark.parametrize(("spend", "over"), [("1298.99", 1.0), ("1299", 0.0), ("1299.01", 0.0)])
def test_a_budget_is_exceeded_by_more_than_it(spend, over):
    assert budget(claim=1.0, budget=Money.of(spend, "CNY")).over == pytest.approx(over)


def test_a_rate_that_was_observed_makes_the_cost_less_sure():
    known, observed = budget(claim=0.2), budget(claim=Rate(10, 50))
    assert observed.payout_upper > known.payout_upper
    assert observed.payout_lower < known.payout_lower
    assert abs(observed.claims[0] - known.claims[0]) < 3


@pytest.mark.parametrize(("margin", "needed"), [("40", 8), ("42.85", 8), ("42.86", 7), ("300", 1), ("299.99", 2)])
def test_break_even_is_the_least_number_whose_margin_pays(margin, needed):
    sure = reward_budget(
        Reward(kind="coupon", cost=Money.of(5, "CNY"), quantity=60),
        participants=60,
        claim=1.0,
        margin=Money.of(margin, "CNY"),
    )
    assert sure.expected == Money.of(300, "CNY")
    assert sure.break_even == sure.break_even_worst == needed
    assert sure.break_even_uplift == sure.break_even / 60


def test_without_a_margin_there_is_no_break_even():
    found = budget()
    assert (found.break_even, found.break_even_worst, found.break_even_uplift) == (None, None, None)


@pytest.mark.parametrize(
    ("changed", "error", "told"),
    [
        ({"margin": Money(0, "CNY")}, InvalidValueError, "margin: expected an amount above 0: at a loss no number"),
        ({"margin": Money(-1, "CNY")}, InvalidValueError, "margin: expected an amount above 0"),
        ({"margin": 40}, InvalidTypeError, "margin: expected what one conversion earns"),
        ({"margin": Money(1, "JPY")}, InvalidValueError, "margin: expected Money in CNY, as the rewards cost"),
        ({"budget": Money(1, "JPY")}, InvalidValueError, "budget: expected Money in CNY"),
        ({"budget": Money(-1, "CNY")}, InvalidValueError, "budget: expected an amount of 0 or more"),
        ({"budget": 800}, InvalidTypeError, "budget: expected Money"),
        ({"participants": 0}, InvalidValueError, "participants: expected 1 to 10,000,000, got 0"),
        ({"participants": 4.0}, InvalidTypeError, "participants: expected an integer"),
        ({"claim": 1.2}, InvalidValueError, r"claim: expected a number in \[0, 1\], got 1.2"),
        ({"claim": True}, InvalidTypeError, "claim: expected a number"),
        ({"claim": [0.1]}, InvalidValueError, "claim: expected one rate, or one for each of 2 rewards, got 1"),
        ({"claim": [0.1, Rate(0, 0)]}, InvalidValueError, "claim: expected rates with at least one trial.* at row 1"),
        ({"claim": "20%"}, InvalidTypeError, "claim: expected a rate, or one for each reward"),
        ({"level": 1.0}, InvalidValueError, "level: expected a number between 0 and 1"),
    ],
)
def test_what_makes_no_budget_is_refused(changed, error, told):
    with pytest.raises(error, match=told):
        budget(**changed)


def test_rewards_must_be_rewards_of_one_currency():
    with pytest.raises(InvalidValueError, match="rewards: expected at least one reward"):
        reward_budget([], participants=1, claim=0.1)
    with pytest.raises(InvalidTypeError, match="rewards: expected rewards"):
        reward_budget(["mug"], participants=1, claim=0.1)  # type: ignore[list-item]
    with pytest.raises(InvalidValueError, match="rewards: expected costs in one currency, CNY, got 'JPY' at row 1"):
        reward_budget([COUPON, Reward(kind="gift", cost=Money(1, "JPY"))], participants=1, claim=0.1)


def test_what_costs_nothing_never_exceeds_a_budget():
    free = Reward(kind="points", cost=Money(0, "CNY"), quantity=9)
    found = reward_budget(free, participants=9, claim=0.5, budget=Money(0, "CNY"), margin=Money(100, "CNY"))
    assert (found.over, found.expected, found.break_even) == (0.0, Money(0, "CNY"), 0)


def test_a_budget_is_a_table_in_two_languages():
    found = budget(budget=Money.of(800, "CNY"), margin=Money.of(40, "CNY"))
    shown = " ".join(str(found).splitlines()[2].split())
    assert shown == "5 元券 5.00 CNY 200 80.0 65 96 400.00 CNY 1,000.00 CNY"
    assert "likely to exceed the budget of 800.00 CNY" in str(found)
    assert "more conversions pay for it, " in str(found)
    assert "多转化 " in found.table(lang="zh")
    assert "礼品" in found.table(lang="zh") or "gift" in str(found)
    assert [row.cost for row in found.rows()] == [500, 2_990]
    assert repr(found).endswith("1299.00 CNY at worst)")
    one = reward_budget(COUPON, participants=1, claim=1.0, margin=Money.of(40, "CNY"))
    assert str(one).endswith("1 more conversion pays for it, 100.00% of 1 participant")
    normal = attrs.evolve(found, method="normal")
    assert "by a normal approximation" in str(normal)
    assert "正态近似" in normal.table(lang="zh")


def test_records_that_contradict_themselves_are_refused():
    found = budget()
    with pytest.raises(MisalignedError, match="claims: expected one for each of the 2 rewards"):
        attrs.evolve(found, claims=[1.0])
    with pytest.raises(InvalidValueError, match="payout_lower: expected Money in CNY"):
        attrs.evolve(found, payout_lower=Money(1, "JPY"))
    with pytest.raises(InvalidValueError, match="rewards: expected at least one reward"):
        attrs.evolve(found, rewards=[], claims=[], lower=[], upper=[])


@pytest.mark.parametrize("again", [lambda one: pickle.loads(pickle.dumps(one)), copy.deepcopy])  # noqa: S301
def test_a_copy_is_read_only(again):
    found = again(budget())
    assert not found.claims.flags.writeable
    assert found.expected == budget().expected


# --- elasticity ---

TEN, TWENTY = Money.of(10, "CNY"), Money.of(20, "CNY")


def test_elasticity_is_the_change_of_the_response_over_that_of_the_reward():
    found = arc_elasticity([Rate(100, 1_000), Rate(150, 1_000)], rewards=[TEN, TWENTY])
    assert found.value == pytest.approx((50 / 125) / (10 / 15))
    assert found.lower < found.value < found.upper


def test_the_order_of_the_levels_does_not_matter():
    one = arc_elasticity([Rate(100, 1_000), Rate(150, 900)], rewards=[TEN, TWENTY])
    other = arc_elasticity([Rate(150, 900), Rate(100, 1_000)], rewards=[TWENTY, TEN])
    for name in ("value", "lower", "upper"):
        assert getattr(one, name) == pytest.approx(getattr(other, name))


def test_nobody_at_one_level_is_as_steep_as_can_be():
    found = arc_elasticity([Rate(0, 50), Rate(9, 50)], rewards=[TEN, TWENTY])
    assert found.value == found.upper == pytest.approx(3.0)
    assert 0 < found.lower < 3
    back = arc_elasticity([Rate(9, 50), Rate(0, 50)], rewards=[TEN, TWENTY])
    assert back.value == back.lower == pytest.approx(-3.0)


def test_all_at_both_levels_is_flat():
    found = arc_elasticity([Rate(50, 50), Rate(50, 50)], rewards=[TEN, TWENTY])
    assert found.value == 0
    assert found.lower == pytest.approx(-found.upper)
    assert found.upper < 0.3


def test_a_higher_level_widens_the_interval():
    asked = {"rewards": [TEN, TWENTY]}
    narrow = arc_elasticity([Rate(10, 100), Rate(15, 100)], level=0.8, **asked)
    wide = arc_elasticity([Rate(10, 100), Rate(15, 100)], level=0.99, **asked)
    assert wide.lower < narrow.lower < narrow.upper < wide.upper
    assert isinstance(narrow, Elasticity)


@pytest.mark.parametrize(
    ("responses", "rewards", "error", "told"),
    [
        ([Rate(1, 2)], [TEN, TWENTY], InvalidTypeError, "responses: expected two rates"),
        ([0.1, 0.2], [TEN, TWENTY], InvalidTypeError, "responses: expected two rates"),
        (
            [Rate(0, 0), Rate(1, 2)],
            [TEN, TWENTY],
            InvalidValueError,
            "responses: expected rates with at least one trial",
        ),
        ([Rate(0, 9), Rate(0, 9)], [TEN, TWENTY], InvalidValueError, "responses: expected at least one who answered"),
        ([Rate(1, 9), Rate(2, 9)], [TEN], InvalidTypeError, "rewards: expected two amounts of Money"),
        ([Rate(1, 9), Rate(2, 9)], [TEN, TEN], InvalidValueError, "rewards: expected two different amounts above 0"),
        (
            [Rate(1, 9), Rate(2, 9)],
            [TEN, Money(0, "CNY")],
            InvalidValueError,
            "rewards: expected two different amounts",
        ),
        ([Rate(1, 9), Rate(2, 9)], [TEN, Money(10, "JPY")], InvalidValueError, "rewards: expected two amounts in CNY"),
        ([Rate(1, 9), Rate(2, 9)], [10, 20], InvalidTypeError, "rewards: expected Money"),
    ],
)
def test_what_has_no_elasticity_is_refused(responses, rewards, error, told):
    with pytest.raises(error, match=told):
        arc_elasticity(responses, rewards=rewards)


def test_claims_are_arrays_of_the_documented_types():
    found = budget()
    assert (found.claims.dtype, found.lower.dtype) == (np.float64, np.int64)


def test_fields_of_results_are_read_as_what_they_are():
    with pytest.raises(InvalidTypeError, match="lower: expected a number, got None"):
        Elasticity(value=0.5, lower=None, upper=0.8)
    found = reward_budget([Reward(kind="gift", cost=Money(1, "CNY"))], participants=3, claim=0.5)
    with pytest.raises(InvalidValueError, match="method: expected one of"):
        attrs.evolve(found, method="guessed")
