"""Was somebody else at work on this machine meanwhile? Known on Linux alone; elsewhere nobody ever is."""

from __future__ import annotations

import os
from pathlib import Path
from time import perf_counter, sleep

__all__ = ["Neighbours", "wait_for_quiet"]

_STAT = Path("/proc/stat")
_MOST_SHARE = 0.05  # of all cores
_TICKS_LOST = 2  # the kernel counts in ticks, and so may we be wrong by


class Neighbours:
    """Counts the processor time that others take from now on."""

    def __init__(self) -> None:
        self._start, self._busy = perf_counter(), _busy()

    def were_busy(self, *, own_seconds: float) -> bool:
        """Return whether others took more than a twentieth of the machine; `own_seconds` of it were ours."""
        wall = perf_counter() - self._start
        others = _busy() - self._busy - own_seconds
        return others > _MOST_SHARE * wall * (os.cpu_count() or 1) + _TICKS_LOST * _tick()


def wait_for_quiet(*, at_most_seconds: float = 600) -> None:
    """Return once others have been at rest for half a second, or when patience is at its end."""
    start = perf_counter()
    while perf_counter() - start < at_most_seconds:
        neighbours = Neighbours()
        sleep(0.5)
        if not neighbours.were_busy(own_seconds=0):
            return


def _busy() -> float:
    """Return the seconds that all cores have been at work, or taken away by the host."""
    if not _STAT.exists():
        return 0
    user, nice, system, _idle, _wait, irq, soft_irq, stolen = map(int, _STAT.read_text().split(maxsplit=9)[1:9])
    return (user + nice + system + irq + soft_irq + stolen) * _tick()


def _tick() -> float:
    return 1 / os.sysconf("SC_CLK_TCK") if _STAT.exists() else 0
