"""The main measurement: the ledger and the cohort table of this library against the cohort table of each peer."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.contenders import OURS, Contender
from benchmarks.report import Table, mega, ratio, seconds
from benchmarks.worker import Worker
from benchmarks.workload import N_WEEKS, ZONE, members_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.worker import Run
    from benchmarks.workload import Workload

__all__ = ["Measured", "measure", "table"]


class Measured(NamedTuple):
    """What one contender took for one workload."""

    contender: Contender
    runs: list[Run]
    ratios: list[float]  # of each run to the run of ours right before it
    extra_bytes: int | None

    @property
    def seconds(self) -> float:
        return median(run.seconds for run in self.runs)

    @property
    def cores(self) -> float:
        return median(run.cpu_seconds / run.seconds for run in self.runs)


def measure(
    peers: Sequence[Contender], workload: Workload, n_rows: int, repeats: int, say: Callable[[str], None]
) -> list[Measured]:
    """Run ours and each peer in turn, `repeats` times, once all have been found to give the same table."""
    ours, *theirs = workers = [_loaded(contender, workload, n_rows, say) for contender in (OURS, *peers)]
    for contender, worker in zip(peers, theirs, strict=True):
        if not np.array_equal(worker.first.table, ours.first.table):
            raise AssertionError(f"{contender.title} counts otherwise than {OURS.title} does")
    our_runs: list[Run] = []
    their_runs: list[list[Run]] = [[] for _ in theirs]
    for repeat in range(repeats):
        say(f"{workload}, {n_rows:,} rows: run {repeat + 1} of {repeats}")
        for runs, worker in zip(their_runs, theirs, strict=True):
            our_runs.append(ours.run())
            runs.append(worker.run())
    for worker in workers:
        worker.close()
    measured = [Measured(OURS, our_runs, [], ours.first.extra_bytes)]
    for place, (contender, worker, runs) in enumerate(zip(peers, theirs, their_runs, strict=True)):
        before = our_runs[place :: len(peers)]
        ratios = [run.seconds / our.seconds for run, our in zip(runs, before, strict=True)]
        measured.append(Measured(contender, runs, ratios, worker.first.extra_bytes))
    return measured


def _loaded(contender: Contender, workload: Workload, n_rows: int, say: Callable[[str], None]) -> Worker:
    say(f"{workload}, {n_rows:,} rows: loading {contender.title}")
    return Worker(contender, workload, n_rows)


def table(
    workload: Workload, n_rows: int, repeats: int, measured: Sequence[Measured], smaller: Sequence[Measured] | None
) -> Table:
    """Lay out one measurement; `smaller` is the one before it, of fewer rows."""
    return Table(
        title=f"{workload}: {n_rows:,} rows, {members_of(n_rows):,} members, {N_WEEKS} weeks in {ZONE}, {repeats} runs",
        header=("", "seconds", "× ours", "(least – most)", "cores", "extra memory", *(("growth",) if smaller else ())),
        rows=[
            (
                one.contender.title,
                seconds(one.seconds),
                *(_ratios(one.ratios) if one.ratios else ("1", "")),
                f"{one.cores:.1f}",
                mega(one.extra_bytes),
                *((ratio(one.seconds / smaller[place].seconds),) if smaller else ()),
            )
            for place, one in enumerate(measured)
        ],
    )


def _ratios(ratios: Sequence[float]) -> tuple[str, str]:
    return ratio(median(ratios)), f"({ratio(min(ratios))} – {ratio(max(ratios))})"
