"""When to post: what is lost on the way to the best hour by Thompson sampling, and by posting at the best average.

Simulated: 168 slots with known rates, a post a round, of which each of those reached responds by the rate of its slot.
Regret is what was lost for each person reached in a round, on average of some runs.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.report import Table
from shequn.content import SlotResponse, Thompson, lai_robbins, regret

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["POLICIES", "best_average", "explored_then_committed", "hours_of_a_week", "measure", "slope", "thompson"]

HISTORY_POSTS = 336


def hours_of_a_week(rng: np.random.Generator) -> Any:
    """Rates of 168 slots: a curve of the day, days that differ, and slots that stray from both."""
    hour = np.arange(24)
    of_hour = 0.8 * np.sin((hour - 14) / 24 * 2 * np.pi) + 0.7 * np.exp(-(((hour - 21) / 2) ** 2))
    log_odds = -1.5 + of_hour[None, :] + rng.normal(0, 0.2, (7, 1)) + rng.normal(0, 0.25, (7, 24))
    return (1 / (1 + np.exp(-log_odds))).ravel()


def thompson(truth: Any, rounds: int, reached: int, rng: np.random.Generator, state: Thompson | None = None) -> Any:
    """Choose by Thompson sampling."""
    state = Thompson.knowing_nothing(len(truth)) if state is None else state
    chosen = np.empty(rounds, dtype=np.int64)
    for t in range(rounds):
        slot = int(state.choose(rng=rng)[0])
        state = state.update(slot, int(rng.binomial(reached, truth[slot])), reached)
        chosen[t] = slot
    return chosen


def after_a_history(truth: Any, rounds: int, reached: int, rng: np.random.Generator) -> Any:
    """Choose by Thompson sampling that goes on from posts at random hours, which are not charged to it."""
    slot = rng.integers(0, len(truth), HISTORY_POSTS)
    known = SlotResponse(
        slot=slot, hits=rng.binomial(reached, truth[slot]), trials=np.full(HISTORY_POSTS, reached), clustering=0.0
    )
    return thompson(truth, rounds, reached, rng, known.thompson())


def best_average(truth: Any, rounds: int, reached: int, rng: np.random.Generator, a_week: int = 7) -> Any:
    """Try each slot once, then in each week post at the best average of the weeks before."""
    n, hits, trials = len(truth), np.zeros(len(truth)), np.zeros(len(truth))
    chosen = np.empty(rounds, dtype=np.int64)
    chosen[:n] = rng.permutation(n)[:rounds]
    np.add.at(hits, chosen[:n], rng.binomial(reached, truth[chosen[:n]]))
    np.add.at(trials, chosen[:n], reached)
    for t in range(n, rounds, a_week):
        slot = int((hits / trials).argmax())
        posts = min(a_week, rounds - t)
        chosen[t : t + posts] = slot
        hits[slot] += rng.binomial(reached * posts, truth[slot])
        trials[slot] += reached * posts
    return chosen


def explored_then_committed(truth: Any, rounds: int, reached: int, rng: np.random.Generator, times: int = 4) -> Any:
    """Try each slot some times, and post at the best average ever after."""
    n = len(truth)
    hits = rng.binomial(reached * times, truth)
    chosen = np.full(rounds, int(hits.argmax()))
    chosen[: n * times] = np.tile(np.arange(n), times)[:rounds]
    return chosen


POLICIES: dict[str, Callable[..., Any]] = {
    "Thompson, knowing nothing": thompson,
    "Thompson, after 336 posts": after_a_history,
    "best average of the weeks before": best_average,
    "each slot 4 times, then the best": explored_then_committed,
}


def slope(lost: Any) -> float:
    """By how much regret grows each time t grows e-fold, over the last tenfold of rounds."""
    t = np.arange(1, len(lost) + 1)
    late = t >= len(lost) // 10
    return float(np.polyfit(np.log(t[late]), lost[late], 1)[0])


def measure(rounds: int, runs: int, reached: int, *, seed: int = 7) -> Table:
    """Measure each policy on the same worlds."""
    marks = [rounds // 20, rounds // 10, rounds // 5, rounds // 2, rounds]
    lost: dict[str, list[Any]] = {name: [] for name in POLICIES}
    bounds, took = [], dict.fromkeys(POLICIES, 0.0)
    for run in range(runs):
        truth = hours_of_a_week(np.random.default_rng([seed, run]))
        bounds.append(lai_robbins(truth) / reached)
        for name, policy in POLICIES.items():
            began = time.process_time()
            chosen = policy(truth, rounds, reached, np.random.default_rng([seed, run, 1]))
            took[name] += time.process_time() - began
            lost[name].append(regret(truth, chosen))
    rows = []
    for name, each in lost.items():
        mean = np.mean(each, axis=0)
        worst = max(float(one[-1]) for one in each)
        at_marks = [f"{mean[m - 1]:.1f}" for m in marks]
        per_round = took[name] / runs / rounds * 1e6
        rows.append((name, *at_marks, f"{worst:.1f}", f"{slope(mean):.1f}", f"{per_round:.0f}"))
    title = (
        f"168 slots, {reached} reached by a post, mean of {runs} runs; regret after so many posts\n"
        f"in the long run no consistent policy adds less than {np.mean(bounds):.1f} each time t grows e-fold"
    )
    header = ("", *(f"{m:,}" for m in marks), "worst run", "by ln t", "µs a post")
    return Table(title, header, rows)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.timing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20_000, help="posts (20,000)")
    parser.add_argument("--runs", type=int, default=5, help="worlds (5)")
    parser.add_argument("--reached", type=int, default=20, help="people reached by a post (20)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    options = _options(None)
    print(measure(options.rounds, options.runs, options.reached))
