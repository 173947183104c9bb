"""Ours and a peer in one process, in turns: processor time and memory of each, and the ratio."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.memory import forget_peak, held, held_at_most
from benchmarks.report import ratio, seconds

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HEADINGS", "beside", "measured"]

HEADINGS = ("shequn", "peer", "× ours", "memory", "of the peer")


def beside(ours: Callable[[], object], theirs: Callable[[], object] | None, repeats: int) -> tuple[str, ...]:
    """Return seconds of both, their ratio, and the memory each held beyond what was held before, in MB."""
    works = (ours,) if theirs is None else (ours, theirs)
    runs = [[measured(work) for work in works] for _ in range(repeats)]
    times = [median(run[side][0] for run in runs) for side in range(len(works))]
    peaks = [f"{max(run[side][1] for run in runs) / 1e6:,.0f}" for side in range(len(works))]
    if theirs is None:
        return seconds(times[0]), "–", "–", peaks[0], "–"
    return seconds(times[0]), seconds(times[1]), ratio(times[1] / times[0]), *peaks


def measured(work: Callable[[], object]) -> tuple[float, int]:
    """Return the processor time of a run, and how much it held at most beyond what was held before."""
    before = held() or 0
    forget_peak()
    began = time.process_time()
    answer = work()
    took = time.process_time() - began
    del answer
    return took, (held_at_most() or 0) - before
