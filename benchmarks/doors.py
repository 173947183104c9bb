"""Data frames through the door: what ``from_frame`` takes, and what a log weighs beside the frame it came from."""

from __future__ import annotations

import gc
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from benchmarks.report import Table, mega, seconds
from shequn.columns import EventLog

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["doors"]

_SEED = 20_240_103
_KINDS = ["join", "post", "reply", "like", "read", "ask", "click", "purchase"]
_MOST_SECONDS = 0.1
_BYTES_A_ROW = 13  # int32 member, int8 kind, int64 instant


class _Door(NamedTuple):
    title: str
    make: Callable[[int, int], Any]  # rows, distinct members
    goal: bool


def _table(n_rows: int, n_members: int, *, order: str = "appearance", ids: str = "dictionary") -> Any:
    rng = np.random.default_rng(_SEED)
    codes = rng.integers(n_members, size=n_rows).astype(np.int32)
    labels = pa.array(np.char.mod("user_%07d", np.arange(n_members)).tolist())
    members = pa.DictionaryArray.from_arrays(codes, labels)
    if order == "appearance" or ids == "text":
        text = labels.take(pa.array(codes))
        members = text if ids == "text" else text.dictionary_encode()
    kinds = pa.DictionaryArray.from_arrays(rng.integers(len(_KINDS), size=n_rows).astype(np.int8), pa.array(_KINDS))
    at = np.sort(rng.integers(1_700_000_000, 1_730_000_000, size=n_rows)) * 1_000_000
    return pa.table({"uid": members, "event": kinds, "ts": pa.array(at, pa.timestamp("us", "UTC"))})


def _polars(n_rows: int, n_members: int, **how: str) -> Any:
    return pl.from_arrow(_table(n_rows, n_members, **how))


_DOORS = (
    _Door("pyarrow, dictionary", _table, goal=True),
    _Door("pyarrow, dictionary in another order", lambda n, m: _table(n, m, order="other"), goal=False),
    _Door("pyarrow, text", lambda n, m: _table(n, m, ids="text"), goal=False),
    _Door("Polars, categories", _polars, goal=True),
    _Door("Polars, categories in another order", lambda n, m: _polars(n, m, order="other"), goal=False),
    _Door("Polars, text", lambda n, m: _polars(n, m, ids="text"), goal=False),
)


def doors(n_rows: int, n_members: int, repeats: int, say: Callable[[str], None]) -> Table:
    """Time ``from_frame`` on one core, and weigh the most that it takes beside the frame."""
    rows = []
    for place, door in enumerate(_DOORS):
        say(f"from_frame, {door.title}")
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            took, extra = pool.submit(_measure, place, n_rows, n_members, repeats).result()
        limits = (f"≤ {_MOST_SECONDS}", f"≤ {mega(_BYTES_A_ROW * n_rows)}") if door.goal else ("", "")
        rows.append((door.title, seconds(took), limits[0], mega(extra), limits[1]))
    return Table(
        title=f"from_frame, {n_rows:,} rows, {n_members:,} members: processor time and extra memory at its peak",
        header=("frame", "seconds", "goal", "memory", "goal"),
        rows=rows,
    )


def _measure(place: int, n_rows: int, n_members: int, repeats: int) -> tuple[float, int]:
    frame = _DOORS[place].make(n_rows, n_members)
    gc.collect()
    _reset_peak()
    before = _status("VmRSS")
    _read(frame)
    extra = _status("VmHWM") - before
    times = []
    for _ in range(repeats):
        gc.collect()
        start = process_time()
        _read(frame)
        times.append(process_time() - start)
    return median(times), extra


def _read(frame: Any) -> EventLog:
    return EventLog.from_frame(frame, member="uid", kind="event", at="ts")


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _status(field: str) -> int:
    """Return a figure of this process in bytes, as Linux tells it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith(field)).split()[1])


if __name__ == "__main__":
    print(doors(10_000_000, 100_000, 5, lambda what: print(what, file=sys.stderr, flush=True)))
