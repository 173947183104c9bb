"""The main measurement: the ledger and the cohort table of this library against the cohort table of each peer."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.contenders import OURS, Contender
from benchmarks.neighbours import Neighbours, wait_for_quiet
from benchmarks.report import Table, mega, seconds, spread
from benchmarks.worker import Worker
from benchmarks.workload import N_WEEKS, ZONE, members_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.worker import Run
    from benchmarks.workload import Workload

__all__ = ["measure"]

_MOST_ATTEMPTS = 50


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
    is_patient: bool,
    say: Callable[[str], None],
) -> Table:
    """Run ours and each peer in turn, `repeats` times, once all have been found to give the same table.

    With `smaller`, a number of rows, ours is run on as many rows too, to tell how the cost grows: with the members, and
    with the history of as many members as those had. The patient repeat a pair of runs that was disturbed.
    """
    about = f"{workload}: {n_rows:,} rows, {members_of(n_rows):,} members, {N_WEEKS} weeks in {ZONE}, {repeats} runs"
    workers = []
    for contender in (OURS, *peers):
        say(f"{about}: loading {contender.title}")
        workers.append(Worker(contender, workload, n_rows))
        if not np.array_equal(workers[-1].first.table, workers[0].first.table):
            raise AssertionError(f"{contender.title} counts otherwise than {OURS.title}")
    others: list[Worker] = []
    if smaller is not None:
        others = [Worker(OURS, workload, smaller), Worker(OURS, workload, n_rows, members_of(smaller))]

    ours, *theirs = (Measured(worker.contender, [], [], worker.first.extra_bytes) for worker in workers)
    pair = _undisturbed_pair if is_patient else _pair
    wider: list[float] = []
    longer: list[float] = []
    for repeat in range(repeats):
        say(f"{about}: run {repeat + 1}")
        for peer, worker in zip(theirs, workers[1:], strict=True):
            our_run, their_run = pair(workers[0], worker)
            ours.runs.append(our_run)
            peer.runs.append(their_run)
            peer.ratios.append(their_run.seconds / our_run.seconds)
        if others:
            for growth, larger in ((wider, workers[0]), (longer, others[1])):
                before, after = pair(others[0], larger)
                growth.append(after.seconds / before.seconds)

    for worker in (*workers, *others):
        worker.close()
    note = ""
    if smaller is not None:
        note = (
            f"shequn takes {spread(wider)} times as long as for {smaller:,} rows, and with the members of those\n"
            f"({members_of(smaller):,}, whose history is longer then) {spread(longer)} times as long."
        )
    return Table(
        about, ("", "seconds", "least", "× ours", "(least – most)", "cores", "extra memory"), _lines(ours, theirs), note
    )


def _pair(first: Worker, second: Worker) -> tuple[Run, Run]:
    return first.run(), second.run()


def _undisturbed_pair(first: Worker, second: Worker) -> tuple[Run, Run]:
    """Run two until nobody else has been at work meanwhile; the last of many attempts counts in any case."""
    for _ in range(_MOST_ATTEMPTS):
        wait_for_quiet()
        neighbours = Neighbours()
        pair = _pair(first, second)
        if not neighbours.were_busy(own_seconds=sum(run.cpu_seconds for run in pair)):
            break
    return pair


def _lines(ours: Measured, theirs: Sequence[Measured]) -> list[Sequence[str]]:
    return [
        (
            one.contender.title,
            seconds(median(run.seconds for run in one.runs)),
            seconds(min(run.seconds for run in one.runs)),
            *(spread(one.ratios).split(" ", 1) if one.ratios else ("1", "")),
            f"{median(run.cpu_seconds / run.seconds for run in one.runs):.1f}",
            mega(one.extra_bytes),
        )
        for one in (ours, *theirs)
    ]
