"""How much is paid out, if each participant claims with some probability and there is only so much to give?"""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.stats.gammas import log_gamma
from shequn.stats.tails import normal_quantile, normal_sf
from shequn.values import Rate

if TYPE_CHECKING:
    from shequn._typing import FloatArray
    from shequn.entities import Reward

__all__ = ["MOST_PARTICIPANTS", "Payout", "claims", "claims_quantile", "payout"]

MOST_PARTICIPANTS = 10_000_000
_MOST_CELLS = 1 << 21
_JEFFREYS = 0.5


class Payout(NamedTuple):
    """What is known of the sum that is paid out, in minor units."""

    lower: int
    upper: int
    over: float
    is_exact: bool


def claims(claim: float | Rate, participants: int, quantity: int) -> FloatArray:
    """Return the probabilities of 0, 1, … claims that are paid, at most `quantity`.

    Of a known rate they are binomial; of one that was observed beta-binomial, Jeffreys' prior before what was observed.
    """
    n, top = participants, min(participants, quantity)
    k = np.arange(top + 1, dtype=np.float64)
    choose = log_gamma(np.array([n + 1.0])) - log_gamma(k + 1) - log_gamma(n - k + 1)
    if isinstance(claim, Rate):
        a, b = claim.hits + _JEFFREYS, claim.trials - claim.hits + _JEFFREYS
        ends = log_gamma(np.array([a + b, a, b, a + b + n]))
        log_chance = choose + log_gamma(k + a) + log_gamma(n - k + b) + ends[0] - ends[1] - ends[2] - ends[3]
    elif claim in {0.0, 1.0}:
        certain: FloatArray = np.eye(1, top + 1, 0 if claim == 0.0 else top)[0]
        return certain
    else:
        log_chance = choose + k * np.log(claim) + (n - k) * np.log1p(-claim)
    found: FloatArray = np.exp(log_chance)
    # What is asked for beyond the quantity is not paid; what is below it adds up to one with that.
    found[top] = found[top] if quantity >= n else max(1.0 - found[:top].sum(), 0.0)
    found /= found.sum()
    return found


def claims_quantile(chances: FloatArray, p: float) -> int:
    """Return the least number of claims that is not exceeded with a probability of at least p."""
    return min(int(np.searchsorted(np.cumsum(chances), p)), len(chances) - 1)


def payout(rewards: tuple[Reward, ...], chances: list[FloatArray], budget: int | None, level: float) -> Payout:
    """Return the interval of the sum and how likely it exceeds a budget, rewards being claimed independently."""
    parts = [(reward.cost.minor, one) for reward, one in zip(rewards, chances, strict=True) if reward.cost]
    ends = ((1 - level) / 2, (1 + level) / 2)
    unit, total = _exact(parts)
    if total is None:
        return _by_normal(parts, budget, ends)
    lower, upper = (unit * claims_quantile(total, p) for p in ends)
    over = 0.0 if budget is None else float(total[budget // unit + 1 :].sum())
    return Payout(lower, upper, min(over, 1.0), True)


def _exact(parts: list[tuple[int, FloatArray]]) -> tuple[int, FloatArray | None]:
    """Return the probabilities of a sum in multiples of a unit, and the unit; nothing where there are too many."""
    if not parts:
        return 1, np.ones(1)
    unit = gcd(*(cost for cost, _ in parts))
    if len(parts) > 1 and sum(cost // unit * (len(one) - 1) for cost, one in parts) > _MOST_CELLS:
        return unit, None
    total = np.ones(1)
    for cost, one in parts:
        step = cost // unit
        spread = np.zeros(step * (len(one) - 1) + 1)
        spread[::step] = one
        total = _product(total, spread)
    return unit, total / total.sum()


def _product(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the probabilities of the sum of two numbers."""
    if len(one) == 1:
        return other
    n = len(one) + len(other) - 1
    length = 1 << (n - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(one, length) * np.fft.rfft(other, length), length)
    return np.maximum(product[:n], 0.0)


def _by_normal(parts: list[tuple[int, FloatArray]], budget: int | None, ends: tuple[float, float]) -> Payout:
    mean, variance, worst = 0.0, 0.0, 0
    for cost, one in parts:
        numbers = np.arange(len(one), dtype=np.float64)
        own = float(one @ numbers)
        mean += cost * own
        variance += cost**2 * float(one @ (numbers - own) ** 2)
        worst += cost * (len(one) - 1)
    spread = variance**0.5
    lower, upper = (min(max(round(mean + spread * float(normal_quantile(p))), 0), worst) for p in ends)
    if budget is None or budget >= worst:
        return Payout(lower, upper, 0.0, False)
    beyond = (budget + 0.5 - mean) / spread if spread else np.copysign(np.inf, budget + 0.5 - mean)
    return Payout(lower, upper, float(normal_sf(beyond)), False)
