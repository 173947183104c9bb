"""One process for each contender, so that none inherits another's memory, threads or caches.

The process draws the rows itself, gives them to the contender, and then counts each time it is told to. Only one
process at a time is told.
"""

from __future__ import annotations

import os
from multiprocessing import get_context
from time import perf_counter, process_time
from traceback import format_exc
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import memory
from benchmarks.contenders import THREADS, Contender, load
from benchmarks.workload import Drawn, columns

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LONGEST_S", "FirstRun", "Run", "Worker"]

LONGEST_S = 120  # that a first run may take

# Polars reads it once, when it is imported.
os.environ["POLARS_MAX_THREADS"] = str(THREADS)


class FirstRun(NamedTuple):
    table: NDArray[np.int64]
    extra_bytes: int | None  # the most that was held while it ran, beyond what was held before


class Run(NamedTuple):
    seconds: float
    cpu_seconds: float  # of all threads


class Worker:
    """A process with one contender's columns loaded; the first run warms up, and tells the result and the memory.

    `first` is None where that took too long: then the process is gone.
    """

    def __init__(self, contender: Contender, drawn: Drawn) -> None:
        self.contender = contender
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, contender, drawn))
        self._process.start()
        theirs.close()
        self._receive()
        self.first: FirstRun | None = self._receive() if self._connection.poll(LONGEST_S) else None
        if self.first is None:
            self._process.kill()

    def run(self) -> Run:
        self._connection.send("run")
        answer: Run = self._receive()
        return answer

    def close(self) -> None:
        if self.first is not None:
            self._connection.send("stop")
        self._process.join()

    def _receive(self) -> Any:
        failed, answer = self._connection.recv()
        if failed:
            raise RuntimeError(answer)
        return answer


def _serve(connection: Connection, contender: Contender, drawn: Drawn) -> None:
    try:
        loaded = load(contender, columns(*drawn))
        connection.send((False, "loaded"))
        before = memory.held()
        memory.forget_peak()
        counted = loaded.count()
        peak = memory.held_at_most()
        extra = None if peak is None or before is None else max(peak - before, 0)
        connection.send((False, FirstRun(loaded.table(counted), extra)))
        del counted
        while connection.recv() == "run":
            cpu, clock = process_time(), perf_counter()
            loaded.count()
            connection.send((False, Run(perf_counter() - clock, process_time() - cpu)))
        loaded.close()
    except Exception:  # whatever it is, the parent reports it
        connection.send((True, f"{contender.title}:\n{format_exc()}"))
