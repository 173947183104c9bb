"""One measurement: one of ours and several others, run in turn on the same rows."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.neighbours import Neighbours, wait_for_quiet
from benchmarks.report import Table, mega, seconds, spread
from benchmarks.worker import LONGEST_S, Worker
from benchmarks.workload import members_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.contenders import Contender
    from benchmarks.worker import FirstRun, Run
    from benchmarks.workload import Drawn

__all__ = ["How", "race"]

_MOST_ATTEMPTS = 50


class How(NamedTuple):
    """How often to run, and whom to tell about it."""

    repeats: int
    is_patient: bool  # repeat a pair of runs that was disturbed
    say: Callable[[str], None]


class Measured(NamedTuple):
    """What one contender took."""

    contender: Contender
    runs: list[Run]
    ratios: list[float]  # of each run to the run of ours right before it
    extra_bytes: int | None


def race(
    title: str,
    ours: Contender,
    others: Sequence[Contender],
    drawn: Drawn,
    how: How,
    *,
    smaller: int | None = None,
    fewer_members: int | None = None,
    must_agree: bool = True,
    unit: str = "ours",
) -> Table:
    """Run ours and each other in turn, once all have been found to count the same, if they must.

    With `smaller`, a number of rows, ours is run on as many rows too, to tell how the cost grows: with the members, and
    with the history of as many members as those had: `fewer_members`, by default as many as are usual. `unit` is what
    the table calls the time of ours. Who takes too long for a first run is named, and not run again.
    """
    about = f"{title}, {how.repeats} runs"
    workers: list[Worker] = []
    firsts: list[FirstRun] = []
    given_up: list[Sequence[str]] = []
    for contender in (ours, *others):
        how.say(f"{about}: loading {contender.title}")
        worker = Worker(contender, drawn)
        if worker.first is None:
            worker.close()
            given_up.append((contender.title, f"> {LONGEST_S}", *[""] * 5))
            continue
        workers.append(worker)
        firsts.append(worker.first)
        if must_agree and not np.array_equal(worker.first.table, firsts[0].table):
            raise AssertionError(f"{contender.title} counts otherwise than {ours.title}")
    assert workers[0].contender == ours, f"{ours.title} took longer than {LONGEST_S} s"
    grown: list[Worker] = []
    if fewer_members is None and smaller is not None:
        fewer_members = members_of(smaller)
    if smaller is not None:
        fewer = drawn._replace(n_rows=smaller, n_members=None if drawn.n_members is None else fewer_members)
        rows = (fewer, drawn._replace(n_members=fewer_members))
        grown = [Worker(ours, some) for some in rows]

    first, *rest = (
        Measured(worker.contender, [], [], told.extra_bytes) for worker, told in zip(workers, firsts, strict=True)
    )
    pair = _undisturbed_pair if how.is_patient else _pair
    wider: list[float] = []
    longer: list[float] = []
    for repeat in range(how.repeats):
        how.say(f"{about}: run {repeat + 1}")
        for other, worker in zip(rest, workers[1:], strict=True):
            our_run, their_run = pair(workers[0], worker)
            first.runs.append(our_run)
            other.runs.append(their_run)
            other.ratios.append(their_run.seconds / our_run.seconds)
        if grown:
            for growth, larger in ((wider, workers[0]), (longer, grown[1])):
                before, after = pair(grown[0], larger)
                growth.append(after.seconds / before.seconds)

    for worker in (*workers, *grown):
        worker.close()
    note = ""
    if smaller is not None:
        note = (
            f"shequn takes {spread(wider)} times as long as for {smaller:,} rows, and with the members of those\n"
            f"({fewer_members:,}, whose history is longer then) {spread(longer)} times as long."
        )
    header = ("", "seconds", "least", f"× {unit}", "(least – most)", "cores", "extra memory")
    return Table(about, header, [*_lines(first, rest), *given_up], note)


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


def _lines(ours: Measured, others: Sequence[Measured]) -> list[Sequence[str]]:
    return [
        (
            one.contender.title,
            seconds(median(run.seconds for run in one.runs)),
            seconds(min(run.seconds for run in one.runs)),
            *(spread(one.ratios).split(" ", 1) if one.ratios else ("1", "")),
            f"{median(run.cpu_seconds / run.seconds for run in one.runs):.1f}",
            mega(one.extra_bytes),
        )
        for one in (ours, *others)
    ]
