"""How long do Kaplan-Meier with its interval and the log-rank test take beside lifelines, and how much memory?

Both in one run, in turns, each measured by the time its process computed: what others do on the machine meanwhile has
less say. Whole durations are days of up to a year, so that many share one; of the continuous ones none does.
"""

from __future__ import annotations

import argparse
import warnings
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pendulum

from benchmarks.beside import HEADINGS, beside, measured
from benchmarks.report import Table, seconds
from shequn.columns import EventLog
from shequn.retention import kaplan_meier, survival
from shequn.stats import SurvivalTable, log_rank

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["FollowUps", "drawn", "measure"]

_GROUPS = 4
_ROWS_A_MEMBER = 10


class FollowUps(NamedTuple):
    """Durations that somebody has drawn, whether the event was seen, and in which group."""

    name: str
    durations: NDArray[Any]
    observed: NDArray[np.bool_]
    group: NDArray[np.int64]


def drawn(n: int, seed: int = 7) -> Iterator[FollowUps]:
    """Draw durations of which two thirds end in the event: whole days, and then continuous ones."""
    rng = np.random.default_rng(seed)
    stay, limit = rng.exponential(120, n), rng.uniform(0, 365, n)
    observed, group = stay <= limit, rng.integers(0, _GROUPS, n)
    durations = np.minimum(stay, limit)
    yield FollowUps("whole days", durations.astype(np.int64), observed, group)
    yield FollowUps("continuous", durations, observed, group)


def measure(sizes: Sequence[int], repeats: int) -> Iterator[Table]:
    """Measure each number of follow-ups, one table a size, and then curves from a log."""
    for n in sizes:
        rows = [row for given in drawn(n) for row in _rows(given, repeats)]
        yield Table(
            f"Kaplan-Meier with interval, and the log-rank test of {_GROUPS} groups: {n:,} follow-ups, {repeats} runs",
            ("what", "durations", *HEADINGS),
            rows,
            "seconds of process time (median), and memory held at most beyond what was held before (MB)",
        )
    yield Table(
        f"a curve from a log, {_ROWS_A_MEMBER} rows a member, {repeats} runs",
        ("rows", "seconds", "memory"),
        [_from_log(n, repeats) for n in sizes],
    )


def _rows(given: FollowUps, repeats: int) -> Iterator[tuple[str, ...]]:
    from lifelines import KaplanMeierFitter  # noqa: PLC0415 - its import takes seconds
    from lifelines.statistics import multivariate_logrank_test  # noqa: PLC0415

    durations, observed, group = given.durations, given.observed, given.group

    def ours() -> object:
        curve = kaplan_meier(durations, observed)
        return curve.survival, curve.intervals()

    def ours_log_rank() -> object:
        masks = [group == label for label in range(_GROUPS)]
        return log_rank([SurvivalTable.from_durations(durations[mask], observed[mask]) for mask in masks])

    theirs = beside(ours, lambda: KaplanMeierFitter().fit(durations, observed), repeats)
    yield "Kaplan-Meier", given.name, *theirs
    theirs = beside(ours_log_rank, lambda: multivariate_logrank_test(durations, group, observed), repeats)
    yield "log-rank", given.name, *theirs


def _from_log(n_rows: int, repeats: int) -> tuple[str, ...]:
    rng = np.random.default_rng(7)
    n_members = max(n_rows // _ROWS_A_MEMBER, 1)
    member = rng.integers(0, n_members, n_rows)
    begun, stay = rng.integers(0, 300 * 86_400, n_members), rng.exponential(60 * 86_400, n_members)
    at = begun[member] + (rng.random(n_rows) * stay[member]).astype(np.int64)
    log = EventLog.from_columns(member=member, kind="post", at=at, time_unit="s")
    until = pendulum.from_timestamp(365 * 86_400)
    runs = [
        measured(lambda: survival(log, idle_after=pendulum.duration(days=30), observed_until=until))
        for _ in range(repeats)
    ]
    return f"{n_rows:,}", seconds(median(took for took, _ in runs)), f"{max(peak for _, peak in runs) / 1e6:,.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.survival", description=__doc__)
    parser.add_argument("--rows", type=lambda text: int(float(text)), action="append", help="follow-ups (1e6, 1e7)")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # lifelines warns of what pandas will change
    for table in measure(options.rows or (1_000_000, 10_000_000), options.repeats):
        print(f"\n{table}", flush=True)


if __name__ == "__main__":
    main()
