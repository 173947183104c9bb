"""Streaks of check-ins: how long they take beside Polars, and how they grow: ``python -m benchmarks.streaks``.

The rows are those of `benchmarks.workload`: 26 weeks, 20 rows a member, of one kind. Polars gets columns that are as
small as can be, days by adding eight hours (Shanghai keeps one offset), and finds gaps and islands: distinct days of
each member in order, less their rank. Ours finds days by the calendar, and what is expected and the dates too. Answers
are compared before figures are shown. Both may use two threads; runs take turns, and the shortest of each counts.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pendulum
import polars as pl

from benchmarks.contenders.own import event_log
from benchmarks.memory import forget_peak, held, held_at_most
from benchmarks.report import Table, mega, ratio, seconds
from benchmarks.workload import KINDS, N_WEEKS, ORIGIN_S, WEEK_S, WORKLOADS, ZONE, Workload, columns
from shequn.campaigns import streaks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.workload import Columns

__all__ = ["measure"]

_DAY_S, _SHANGHAI_S = 86_400, 8 * 3_600
_STRIDE = 1 << 16  # more than there are days
_NOW_S = ORIGIN_S + N_WEEKS * WEEK_S - 1
_TODAY = (_NOW_S + _SHANGHAI_S) // _DAY_S


def measure(workload: Workload, sizes: Sequence[int], repeats: int) -> Iterator[Table]:
    """Measure each size, the largest last, and how much longer it takes than the one before."""
    before: dict[str, float] = {}
    for n in sizes:
        drawn = columns(workload, n, n_kinds=1)
        works = {"shequn: streaks": _ours(drawn), "Polars, streaming": _polars(drawn)}
        answers, took, memory = {}, {}, {}
        for name, work in works.items():
            answers[name], memory[name] = _first(work)
        _compare(answers["shequn: streaks"], answers["Polars, streaming"])
        for _ in range(repeats):
            for name, work in works.items():
                began = time.perf_counter()
                work()
                took[name] = min(took.get(name, np.inf), time.perf_counter() - began)
        rows = [
            (
                name,
                seconds(took[name]),
                ratio(took[name] / took["shequn: streaks"]),
                f"{took[name] / before[name]:.1f}" if name in before else "",
                mega(memory[name]),
            )
            for name in works
        ]
        before = took
        header = ("", "seconds", "× ours", "× the size before", "extra memory")
        yield Table(f"Streaks, {workload}: {n:,} rows, {len(answers['shequn: streaks']):,} members", header, rows)


def _ours(drawn: Columns) -> Callable[[], Any]:
    log, now = event_log(drawn), pendulum.from_timestamp(_NOW_S)
    return lambda: streaks(log, tz=ZONE, as_of=now, kinds={KINDS[0]})


def _polars(drawn: Columns) -> Callable[[], Any]:
    """Gaps and islands: days in a row keep the same difference to their rank.

    Of what was tried the fastest: member and day in one number, sorted and compared with the one before. `unique` takes
    a tenth longer, two columns four times as long, the engine in memory twice as long.
    """
    frame = pl.LazyFrame({"member": drawn.member, "second": drawn.second}).filter(pl.col("second") <= _NOW_S)
    key = pl.col("member").cast(pl.UInt64) * _STRIDE + (pl.col("second") + _SHANGHAI_S) // _DAY_S
    keys = frame.select(key=key).sort("key").filter(pl.col("key") != pl.col("key").shift(1, fill_value=0))
    island = pl.col("key") - pl.int_range(pl.len(), dtype=pl.UInt64)
    islands = keys.with_columns(island=island).group_by("island").agg(length=pl.len(), last=pl.col("key").max())
    is_alive = pl.col("last") % _STRIDE >= _TODAY - 1
    plan = islands.group_by(member=pl.col("last") // _STRIDE).agg(
        longest=pl.col("length").max(),
        days=pl.col("length").sum(),
        current=pl.when(is_alive).then(pl.col("length")).otherwise(0).sum(),
    )
    return lambda: plan.collect(engine="streaming")


def _first(work: Callable[[], Any]) -> tuple[Any, int | None]:
    """Run for the first time, and tell how much memory that took beyond before."""
    before = held()
    forget_peak()
    answer = work()
    peak = held_at_most()
    return answer, None if before is None or peak is None else peak - before


def _compare(ours: Any, theirs: pl.DataFrame) -> None:
    """Raise where the two answers differ."""
    theirs = theirs.sort("member")
    order = np.argsort(ours.members.labels)
    same = np.array_equal(ours.members.labels[order], theirs["member"].to_numpy())
    for name in ("current", "longest", "days"):
        same = same and np.array_equal(getattr(ours, name)[order], theirs[name].to_numpy())
    if not same:
        raise AssertionError("Polars has another answer")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streaks", description=__doc__)
    parser.add_argument("--rows", type=lambda text: int(float(text)), action="append", help="rows (1e6, 1e7)")
    parser.add_argument("--workload", choices=WORKLOADS, action="append", help="by default both")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    for workload in options.workload or WORKLOADS:
        for table in measure(workload, sorted(options.rows or (1_000_000, 10_000_000)), options.repeats):
            print(f"\n{table}", flush=True)


if __name__ == "__main__":
    main()
