"""The main measurement: the ledger and the cohort table of this library against the cohort table of each peer."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.contenders import OURS, Contender
from benchmarks.report import Table, mega, seconds, spread
from benchmarks.worker import Worker
from benchmarks.workload import N_WEEKS, ZONE, members_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.worker import Run
    from benchmarks.workload import Workload

__all__ = ["measure"]


class Measured(NamedTuple):
    """What one contender took."""

    contender: Contender
    runs: list[Run]
    ratios: list[float]  # of each run to the run of ours right before it
    extra_bytes: int | None


def measure(
    peers: Sequence[Contender],
    workload: Workload,
    n_rows: int,
    *,
    smaller: int | None,
    repeats: int,
    say: Callable[[str], None],
) -> Table:
    """Run ours and each peer in turn, `repeats` times, once all have been found to give the same table.

    With `smaller`, a number of rows, ours is run on as many rows too, to tell how the cost grows.
    """
    about = f"{workload}: {n_rows:,} rows, {members_of(n_rows):,} members, {N_WEEKS} weeks in {ZONE}, {repeats} runs"
    workers = []
    for contender in (OURS, *peers):
        say(f"{about}: loading {contender.title}")
        workers.append(Worker(contender, workload, n_rows))
        if not np.array_equal(workers[-1].first.table, workers[0].first.table):
            raise AssertionError(f"{contender.title} counts otherwise than {OURS.title}")
    little = None if smaller is None else Worker(OURS, workload, smaller)

    ours, *theirs = (Measured(worker.contender, [], [], worker.first.extra_bytes) for worker in workers)
    growth: list[float] = []
    for repeat in range(repeats):
        say(f"{about}: run {repeat + 1}")
        for peer, worker in zip(theirs, workers[1:], strict=True):
            ours.runs.append(workers[0].run())
            peer.runs.append(worker.run())
            peer.ratios.append(peer.runs[-1].seconds / ours.runs[-1].seconds)
        if little is not None:
            before = little.run()
            growth.append(workers[0].run().seconds / before.seconds)

    for worker in (*workers, *([little] if little else [])):
        worker.close()
    note = f"shequn takes {spread(growth)} times as long as for {smaller:,} rows." if growth else ""
    return Table(
        about, ("", "seconds", "× ours", "(least – most)", "cores", "extra memory"), _lines(ours, theirs), note
    )


def _lines(ours: Measured, theirs: Sequence[Measured]) -> list[Sequence[str]]:
    return [
        (
            one.contender.title,
            seconds(median(run.seconds for run in one.runs)),
            *(spread(one.ratios).split(" ", 1) if one.ratios else ("1", "")),
            f"{median(run.cpu_seconds / run.seconds for run in one.runs):.1f}",
            mega(one.extra_bytes),
        )
        for one in (ours, *theirs)
    ]
