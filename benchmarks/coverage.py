"""Do the intervals of a campaign's outcome hold what they promise? ``python -m benchmarks.coverage [REPEATS]``.

Each case draws both arms again and again from a known truth, and counts how often the interval holds it.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pendulum

from shequn.campaigns import Arm, Before, Change, Outcome, required_sample, required_sample_of_means
from shequn.entities import Campaign
from shequn.stats import two_proportions, welch
from shequn.values import Money, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = ["CASES", "Case", "covered", "cuped_reduction", "power_of_means", "power_of_shares"]

_START = pendulum.datetime(2024, 9, 10)
_END = _START.add(days=7)
_CAMPAIGN = Campaign(id="simulated", forms={"poll"}, window=Window(_START, _END))


class Case(NamedTuple):
    """What is drawn, the figure whose interval is asked, and its true value."""

    name: str
    draw: Callable[[np.random.Generator], Outcome]
    figure: Callable[[Outcome], tuple[float, float, float]]
    truth: float


def _outcome(treated: Arm, held_out: Arm | None) -> Outcome:
    cost = Money(100_000, "CNY")
    return Outcome(campaign=_CAMPAIGN, treated=treated, held_out=held_out, as_of=_END, margin=0.4, cost=cost)


def _paid(revenue: NDArray[np.float64], before: NDArray[np.float64] | None = None) -> Arm:
    """Return an arm of members with so much revenue each, in whole minor units."""
    amounts = np.rint(revenue)
    earlier = None
    if before is not None:
        past = np.rint(before)
        earlier = Before(
            converted=0,
            revenue=Money(int(past.sum()), "CNY"),
            covariate_mean=float(past.mean()),
            covariate_sd=float(past.std(ddof=1)),
            covariance=float(np.cov(past, amounts)[0, 1]),
            change=Change(gained=0, lost=0, sd=float((amounts - past).std(ddof=1))),
        )
    total, sd = Money(int(amounts.sum()), "CNY"), float(amounts.std(ddof=1))
    return Arm(members=len(amounts), revenue=total, revenue_sd=sd, before=earlier)


def _shares(p: float, n: int, q: float, m: int) -> Callable[[np.random.Generator], Outcome]:
    def draw(rng: np.random.Generator) -> Outcome:
        ours, theirs = int(rng.binomial(n, p)), int(rng.binomial(m, q))
        return _outcome(Arm(members=n, converted=ours), Arm(members=m, converted=theirs))

    return draw


def _spend(rng: np.random.Generator, n: int, share: float, gain: float) -> NDArray[np.float64]:
    """Draw revenue of which most is 0 and the rest lognormal, with mean 5,000 × share × gain."""
    return rng.binomial(1, share, n) * rng.lognormal(math.log(5_000) - 0.125, 0.5, n) * gain


def _revenue(n: int, m: int) -> Callable[[np.random.Generator], Outcome]:
    def draw(rng: np.random.Generator) -> Outcome:
        return _outcome(_paid(_spend(rng, n, 0.2, 1.3)), _paid(_spend(rng, m, 0.2, 1.0)))

    return draw


def _related(rng: np.random.Generator, n: int, rho: float, gain: float) -> Arm:
    before = rng.normal(0, 1, n)
    after = rho * before + math.sqrt(1 - rho**2) * rng.normal(0, 1, n)
    return _paid(10_000 + gain + 2_000 * after, 10_000 + 2_000 * before)


def _cuped(n: int, m: int, rho: float) -> Callable[[np.random.Generator], Outcome]:
    def draw(rng: np.random.Generator) -> Outcome:
        return _outcome(_related(rng, n, rho, 300), _related(rng, m, rho, 0))

    return draw


def _asked_twice(rng: np.random.Generator, n: int, before: float, after: float) -> Arm:
    # Who is eager is likely to convert both times.
    eager = rng.random(n)
    did, does = eager < before * 2 * rng.random(n), eager < after * 2 * rng.random(n)
    change = Change(gained=int((does & ~did).sum()), lost=int((did & ~does).sum()))
    return Arm(members=n, converted=int(does.sum()), before=Before(converted=int(did.sum()), change=change))


def _before_after(n: int) -> Callable[[np.random.Generator], Outcome]:
    return lambda rng: _outcome(_asked_twice(rng, n, 0.1, 0.15), None)


def _both_changes(n: int, m: int) -> Callable[[np.random.Generator], Outcome]:
    return lambda rng: _outcome(_asked_twice(rng, n, 0.1, 0.15), _asked_twice(rng, m, 0.1, 0.12))


CASES = (
    Case("uplift, 80% of 70 against 60% of 80", _shares(0.8, 70, 0.6, 80), lambda found: found.uplift, 0.2),
    Case("uplift, 5% of 2,000 against 4% of 500", _shares(0.05, 2_000, 0.04, 500), lambda found: found.uplift, 0.01),
    Case("uplift, 30% of 400 against 30% of 100", _shares(0.3, 400, 0.3, 100), lambda found: found.uplift, 0.0),
    Case("revenue, 1,600 against 400", _revenue(1_600, 400), lambda found: found.revenue_uplift, 300.0),
    Case("ROI, 1,000 against 1,000", _revenue(1_000, 1_000), lambda found: found.roi, 0.2),
    Case("revenue adjusted, rho 0.7", _cuped(160, 40, 0.7), lambda found: found.adjusted_revenue_uplift, 300.0),
    Case("revenue diff-in-diff", _cuped(160, 40, 0.7), lambda found: found.revenue_change_uplift, 300.0),
    Case("conversion before and after", _before_after(200), lambda found: found.uplift, 0.05),
    Case("conversion diff-in-diff", _both_changes(300, 300), lambda found: found.conversion_change_uplift, 0.03),
)


def covered(case: Case, repeats: int, seed: int) -> float:
    """Return how often the interval of 95 % holds the truth."""
    rng = np.random.default_rng(seed)
    hits = 0
    for _ in range(repeats):
        _, lower, upper = case.figure(case.draw(rng))
        hits += lower <= case.truth <= upper
    return hits / repeats


def cuped_reduction(rho: float, repeats: int, seed: int) -> tuple[float, float]:
    """Return the share of variance that the adjustment took away, measured over repeats, and as it says of itself."""
    rng, draw = np.random.default_rng(seed), _cuped(400, 400, rho)
    found = [draw(rng) for _ in range(repeats)]
    plain, adjusted = (
        np.var([getattr(one, name).value for one in found]) for name in ("revenue_uplift", "adjusted_revenue_uplift")
    )
    return 1 - float(adjusted / plain), float(np.mean([one.variance_reduction for one in found]))


def power_of_shares(rate: float, uplift: float, share: float, power: float, *, repeats: int, seed: int) -> float:
    """Return how often a test of two proportions finds the effect with the members that are required."""
    size = required_sample(rate, uplift, share=share, power=power)
    rng = np.random.default_rng(seed)
    ours, theirs = rng.binomial(size.treated, rate + uplift, repeats), rng.binomial(size.held_out, rate, repeats)
    return float((two_proportions(ours, size.treated, theirs, size.held_out) < 0.05).mean())


def power_of_means(sd: float, uplift: float, share: float, power: float, *, repeats: int, seed: int) -> float:
    """Return how often Welch's interval finds the effect with the members that are required."""
    size = required_sample_of_means(sd, uplift, share=share, power=power)
    rng = np.random.default_rng(seed)
    # Mean and variance of a normal sample are independent, and so need no sample.
    n, m = size.treated, size.held_out
    found = welch(
        rng.normal(uplift, sd / math.sqrt(n), repeats), sd**2 * rng.chisquare(n - 1, repeats) / (n - 1), n,
        rng.normal(0, sd / math.sqrt(m), repeats), sd**2 * rng.chisquare(m - 1, repeats) / (m - 1), m,
    )  # fmt: skip
    return float(((found.lower > 0) | (found.upper < 0)).mean())


def _lines(repeats: int) -> Iterator[str]:
    for case in CASES:
        share = covered(case, repeats, 20_240_910)
        yield f"{case.name:<45}{share:>8.2%}  nominal 95%"
    for rho in (0.3, 0.7, 0.9):
        measured, told = cuped_reduction(rho, max(repeats // 4, 500), 7)
        yield f"{f'CUPED, variance taken away at rho {rho}':<45}{measured:>8.2%}  theory {rho**2:.2%}, says {told:.2%}"
    for rate, uplift, part, power in ((0.05, 0.02, 0.5, 0.8), (0.05, 0.02, 0.9, 0.8), (0.2, -0.04, 0.5, 0.9)):
        name = f"power of shares, {rate:.0%} {uplift:+.0%}, {part:.0%} treated"
        found = power_of_shares(rate, uplift, part, power, repeats=repeats * 10, seed=3)
        yield f"{name:<45}{found:>8.2%}  wanted {power:.0%}"
    for uplift, part, power in ((1_500, 0.5, 0.8), (6_000, 0.5, 0.9), (1_500, 0.9, 0.8)):
        name = f"power of means, {uplift:,} of sd 12,000, {part:.0%} treated"
        found = power_of_means(12_000, uplift, part, power, repeats=repeats, seed=3)
        yield f"{name:<45}{found:>8.2%}  wanted {power:.0%}"


if __name__ == "__main__":
    for line in _lines(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000):
        print(line, flush=True)
