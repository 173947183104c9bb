"""What rewards cost, against scipy's distributions, sums over all cases, simulation and Koopman's own example."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from shequn.campaigns import arc_elasticity, reward_budget
from shequn.entities import Reward
from shequn.values import Money, Rate


def chances_of(claim, n: int, quantity: int) -> np.ndarray:
    if isinstance(claim, Rate):
        pmf = stats.betabinom(n, claim.hits + 0.5, claim.trials - claim.hits + 0.5).pmf(np.arange(n + 1))
    else:
        pmf = stats.binom(n, claim).pmf(np.arange(n + 1))
    kept = pmf[: min(quantity, n) + 1].copy()
    kept[-1] += pmf[len(kept) :].sum()
    return kept


claim = st.one_of(
    st.integers(0, 40).map(lambda n: n / 40),
    st.integers(1, 60).flatmap(lambda n: st.builds(Rate, st.integers(0, n), st.just(n))),
)
reward = st.tuples(st.sampled_from([0, 300, 500, 2990]), st.integers(1, 25), claim)


@given(n=st.integers(1, 30), given_=st.lists(reward, min_size=1, max_size=3), budget=st.integers(0, 60_000))
def test_the_sum_is_that_over_all_cases(n, given_, budget):
    rewards = [Reward(kind="coupon", cost=Money(cost, "CNY"), quantity=quantity) for cost, quantity, _ in given_]
    found = reward_budget(
        rewards, participants=n, claim=[rate for *_, rate in given_], budget=Money(budget, "CNY"), level=0.9
    )
    each = [chances_of(rate, n, quantity) for _, quantity, rate in given_]
    expected = over = 0.0
    sums: dict[int, float] = {}
    for case in product(*(range(len(one)) for one in each)):
        chance = float(np.prod([one[k] for one, k in zip(each, case, strict=True)]))
        paid = sum(cost * k for (cost, *_), k in zip(given_, case, strict=True))
        expected, over = expected + chance * paid, over + chance * (paid > budget)
        sums[paid] = sums.get(paid, 0.0) + chance
    assert found.expected.minor == pytest.approx(expected, abs=0.51 + 1e-6 * expected)
    assert found.over == pytest.approx(over, abs=1e-9)
    assert found.method == "exact"
    below = np.cumsum([sums[paid] for paid in sorted(sums)])
    ordered = sorted(sums)
    for end, p in ((found.payout_lower, 0.05), (found.payout_upper, 0.95)):
        assert sum(chance for paid, chance in sums.items() if paid <= end.minor) >= p - 1e-9
        place = ordered.index(end.minor)
        assert place == 0 or below[place - 1] < p + 1e-9


def test_large_sums_are_taken_for_normal_and_say_so():
    rewards = [Reward(kind="coupon", cost=Money(cost, "CNY"), quantity=100_000) for cost in (501, 1_003)]
    asked = {"participants": 50_000, "claim": [0.1, 0.05], "budget": Money(5_050_000, "CNY")}
    found = reward_budget(rewards, **asked)
    assert found.method == "normal"
    rng = np.random.default_rng(11)
    paid = 501 * rng.binomial(50_000, 0.1, 400_000) + 1_003 * rng.binomial(50_000, 0.05, 400_000)
    assert found.over == pytest.approx((paid > 5_050_000).mean(), abs=0.003)
    assert found.payout_lower.minor == pytest.approx(np.quantile(paid, 0.025), rel=1e-3)
    assert found.payout_upper.minor == pytest.approx(np.quantile(paid, 0.975), rel=1e-3)
    assert found.expected == Money(50_000 * 501 // 10 + 50_000 * 1_003 // 20, "CNY")


def test_one_reward_of_many_is_exact_however_large():
    found = reward_budget(
        Reward(kind="coupon", cost=Money(517, "CNY"), quantity=400_000),
        participants=1_000_000,
        claim=0.3,
        budget=Money(517 * 300_500, "CNY"),
    )
    assert found.method == "exact"
    assert found.over == pytest.approx(stats.binom(1_000_000, 0.3).sf(300_500), rel=1e-6)


# --- elasticity ---


def log_ratio_of(elasticity: float, low: int, high: int) -> float:
    """The ratio of responses that an elasticity stands for."""
    t = elasticity * (high - low) / (high + low)
    return (1 + t) / (1 - t)


def test_the_interval_is_that_of_koopman_1984():
    found = arc_elasticity([Rate(16, 80), Rate(36, 40)], rewards=[Money(100, "CNY"), Money(300, "CNY")])
    ends = [log_ratio_of(end, 100, 300) for end in (found.value, found.lower, found.upper)]
    assert ends == pytest.approx([4.5, 2.94, 7.15], abs=0.006)


def test_the_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(4)
    rewards = [Money(500, "CNY"), Money(1_000, "CNY")]
    true = (0.15 - 0.1) / (0.1 + 0.15) * 3
    covered = 0
    for low, high in zip(rng.binomial(300, 0.1, 400), rng.binomial(200, 0.15, 400), strict=True):
        found = arc_elasticity([Rate(int(low), 300), Rate(int(high), 200)], rewards=rewards)
        covered += found.lower <= true <= found.upper
    assert 0.92 <= covered / 400 <= 0.98
