"""Is the reward worth it: what does it cost, what at worst, and what pays for it (奖励机制合理)?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.campaigns.payouts import claims, claims_quantile, payout
from shequn.campaigns.prizes import rewards_of
from shequn.campaigns.reward_budgets import RewardBudget, claim_of, margin_of, participants_of
from shequn.entities.reward import money
from shequn.errors import InvalidValueError, message
from shequn.stats._checks import level_in_unit
from shequn.values import Money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shequn.entities import Reward
    from shequn.values import Rate

__all__ = ["reward_budget"]


def reward_budget(
    rewards: Sequence[Reward] | Reward,
    /,
    *,
    participants: int,
    claim: float | Rate | Sequence[float | Rate],
    budget: Money | None = None,
    margin: Money | None = None,
    level: float = 0.95,
) -> RewardBudget:
    """Tell what rewards will cost, how likely they exceed a budget, and how many more conversions pay for them.

    Parameters
    ----------
    rewards : sequence of Reward
        What can be claimed, all of one currency. The `quantity` of each is a limit: nothing is paid beyond it.
    participants : int
        How many can claim, each of them each reward once at most.
    claim : float or Rate, or a sequence of one for each reward
        The share of participants who claim. A float is taken for known; a `Rate`, such as the 60 of 300 of the last
        campaign, for observed: then it is not sure, and neither is the cost.
    budget : Money, optional
        What may be spent.
    margin : Money, optional
        What one more conversion earns, above 0.
    level : float, default 0.95
        Of the intervals.

    Returns
    -------
    RewardBudget
        A row for each reward, and of their sum the expectation, the interval and the worst case.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used: costs in two currencies, a margin of 0 or less, a rate without trials.

    Notes
    -----
    The claims of a reward are binomial with a known rate, and beta-binomial with one that was observed (Jeffreys'
    prior), cut off at the quantity. Rewards are claimed independently of each other. Their sum is added up exactly, on
    the grid of the greatest common divisor of costs; where that has more than two million points, a normal distribution
    of the same mean and variance stands in, and `method` says so. Amounts are integers of minor units throughout; only
    the expectation is rounded, at the end.

    The worst case is quantity times cost. With more participants than that it need not be unlikely.

    Break-even: the least number of more conversions whose margin is at least what is expected to be paid out. The
    campaign must bring those beyond what would have been bought anyway.

    References
    ----------
    S3 §4.1, S0, row I5 of the domain table.

    Examples
    --------
    >>> from shequn.entities import Reward
    >>> from shequn.values import Rate
    >>> rewards = [
    ...     Reward(kind="coupon", cost=Money.of(5, "CNY"), quantity=200, name="5 元券"),
    ...     Reward(kind="gift", cost=Money.of("29.90", "CNY"), quantity=10, name="小样"),
    ... ]
    >>> print(
    ...     reward_budget(
    ...         rewards, participants=400, claim=[Rate(60, 300), 0.02], budget=Money.of(800, "CNY"),
    ...         margin=Money.of(40, "CNY"),
    ...     )
    ... )
    reward       cost  quantity  claims  lower  upper    expected    worst case
    ───────────────────────────────────────────────────────────────────────────
    5 元券   5.00 CNY       200    80.4     58    105  401.99 CNY  1,000.00 CNY
    小样    29.90 CNY        10     7.6      3     10  226.76 CNY    299.00 CNY
    expected 628.76 CNY (449.60 CNY to 794.00 CNY), at worst 1299.00 CNY
    1.92% likely to exceed the budget of 800.00 CNY
    16 more conversions pay for it, 4.00% of 400 participants
    """
    given, n = rewards_of(rewards, argument="rewards"), participants_of(participants)
    if not given:
        raise InvalidValueError(message("rewards", "at least one reward", rewards))
    sure, earned = level_in_unit(level), margin_of(margin)
    currency = given[0].cost.currency
    for name, amount in (("budget", budget), ("margin", earned)):
        if amount is not None and money(name, amount).currency != currency:
            raise InvalidValueError(message(name, f"Money in {currency}, as the rewards cost", str(amount)))
    rates = claim_of(claim, len(given))
    chances = [claims(rate, n, reward.quantity) for rate, reward in zip(rates, given, strict=True)]
    paid = payout(given, chances, None if budget is None else budget.minor, sure)
    return RewardBudget(
        rewards=given,
        participants=n,
        claims=np.array([one @ np.arange(len(one)) for one in chances]),
        lower=np.array([claims_quantile(one, (1 - sure) / 2) for one in chances]),
        upper=np.array([claims_quantile(one, (1 + sure) / 2) for one in chances]),
        payout_lower=Money(paid.lower, currency),
        payout_upper=Money(paid.upper, currency),
        budget=budget,
        over=paid.over,
        margin=earned,
        level=sure,
        method="exact" if paid.is_exact else "normal",
    )
