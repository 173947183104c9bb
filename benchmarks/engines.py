"""What does Dask or Spark add to the time that the parts take by themselves, and how much does it move?

    python -m benchmarks.engines                 # Dask, 10 M rows
    python -m benchmarks.engines --engine spark  # where there are PySpark and Java

Rows are drawn with a seed and written as Parquet, in files of equal size, members all mixed up. What the parts take by
themselves is the sum of what each piece and each part took in the process that worked on it. With two workers on two
cores, what is left of twice the time on the clock is the engine's: scheduling, moving rows, waiting. Both suffer alike
from others on the machine. The same work is also done in this process, without any engine.
"""

from __future__ import annotations

import argparse
import os
import pickle
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pendulum

from benchmarks.report import Table, machine
from shequn import Funnel
from shequn.funnel import convert
from shequn.interop import engines
from shequn.interop.engines._plan import merged
from shequn.interop.engines._reading import Columns
from shequn.retention import flow_ledger, presence
from shequn.segmentation import rfm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["PLANS", "Measured", "drawn", "in_this_process", "on_dask", "on_spark"]

WORKERS = 2
START = pendulum.datetime(2024, 1, 1, tz="Asia/Shanghai")
DAYS = 182
KINDS = ["join", "post", "reply", "purchase"]
NAMES: dict[str, Any] = {"member": "user_id", "kind": "event", "at": "ts", "value": "amount"}

END = START.add(days=DAYS)
FUNNEL = Funnel(steps=("join", {"post", "reply"}, "purchase"), within=pendulum.duration(days=7))
PLANS: dict[str, engines.Plan[Any]] = {
    "ledger": engines.plan(flow_ledger, every="week", tz="Asia/Shanghai"),
    "funnel": engines.plan(convert, FUNNEL),
    "presence, rows moved": engines.plan_together(
        {
            "presence": engines.plan(presence, every="week", tz="Asia/Shanghai"),
            "ledger": engines.plan(flow_ledger, every="week", tz="Asia/Shanghai"),
        }
    ),
    "RFM": engines.plan(rfm, as_of=END, few_values="ignore"),
}


class Measured(NamedTuple):
    """One plan, run once."""

    wall_s: float
    own_s: float  # of all pieces and parts, in the processes that worked on them
    cpu_s: float  # that all processes computed
    moved_bytes: int
    answer: Any


def drawn(folder: Path, n_rows: int, n_files: int) -> list[Path]:
    """Write rows of members who are `n_rows` / 10, and return the files."""
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    rng = np.random.default_rng(20240304)
    n_members = max(n_rows // 10, 1)
    members = pa.array([f"member-{n:08d}" for n in range(n_members)])
    files = []
    for number, n in enumerate(np.diff(np.linspace(0, n_rows, n_files + 1, dtype=int)).tolist()):
        who = pa.array(rng.integers(0, n_members, n, dtype=np.int32))
        what = pa.array(rng.choice(len(KINDS), n, p=[0.1, 0.5, 0.3, 0.1]).astype(np.int32))
        at_us = int(START.timestamp()) * 1_000_000 + rng.integers(0, DAYS * 86_400, n) * 1_000_000
        table = pa.table(
            {
                "user_id": members.take(who),
                "event": pa.array(KINDS).take(what),
                "ts": pa.array(at_us, pa.timestamp("us", tz="UTC")),
                "amount": pa.array(rng.integers(100, 50_000, n)),
            }
        )
        files.append(folder / f"part-{number:03d}.parquet")
        parquet.write_table(table, files[-1])
    return files


def read(file: Path) -> Any:
    """Read a file, text as a dictionary, which the log then takes as it is."""
    from pyarrow import parquet  # noqa: PLC0415

    return parquet.read_table(file, read_dictionary=["user_id", "event"])


def in_this_process(plan: engines.Plan[Any], files: Sequence[Path], n_parts: int) -> Measured:
    """Do what the engine's tasks do, one after the other, and see how many bytes a shuffle would move."""
    columns = Columns(**NAMES)
    begun, cpu = perf_counter(), process_time()
    shares = [columns.read(read(file)).partition(n_parts) for file in files]
    parts = [type(shares[0][0]).concat([share[part] for share in shares]) for part in range(n_parts)]
    tallies = [plan.partial(part) for part in parts]
    answer = plan.finish(merged(tallies, plan.merge))
    if plan.then is not None:
        answer = plan.then(answer).run(parts)
    wall = perf_counter() - begun
    cpu = process_time() - cpu
    return Measured(wall, wall, cpu, len(pickle.dumps(shares[0])) * len(files), answer)


def on_dask(files: Sequence[Path], n_parts: int, plans: dict[str, engines.Plan[Any]]) -> Iterator[tuple[str, Measured]]:
    """Run plans on a local cluster that has started and imported what it needs."""
    import dask  # noqa: PLC0415
    from distributed import Client, LocalCluster, get_task_stream  # noqa: PLC0415

    options: dict[str, Any] = {"dashboard_address": None, "memory_limit": 0}
    with (
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, processes=True, **options) as cluster,
        Client(cluster) as client,
    ):
        delayed: Any = dask.delayed  # type: ignore[attr-defined,unused-ignore]
        pieces = [delayed(read)(file) for file in files]
        for plan in plans.values():  # what a worker imports on the way, before the clock runs
            engines.dask(plan, [delayed(_few)(files[0], k) for k in range(2 * WORKERS)], **NAMES)
        before = sum(client.run(_received).values())
        for name, plan in plans.items():
            with get_task_stream(client=client) as stream:
                cpu = process_time() + sum(client.run(process_time).values())
                begun = perf_counter()
                answer = engines.dask(plan, pieces, **NAMES, n_parts=n_parts)
                wall = perf_counter() - begun
                cpu = process_time() + sum(client.run(process_time).values()) - cpu
            spans = [span for task in stream.data for span in task["startstops"]]
            own = sum(span["stop"] - span["start"] for span in spans if span["action"] == "compute")
            received = sum(client.run(_received).values())
            moved, before = received - before, received
            yield name, Measured(wall, own, cpu, moved, answer)


def _received(dask_worker: Any) -> int:
    return sum(transfer["total"] for transfer in dask_worker.transfer_incoming_log)


def _few(file: Path, k: int) -> Any:
    return read(file).slice(k * 50, 50)


def on_spark(
    files: Sequence[Path], n_parts: int, plans: dict[str, engines.Plan[Any]]
) -> Iterator[tuple[str, Measured]]:
    """Run plans on a local Spark that has started; what its parts take by themselves is told by the parts."""
    from pyspark.sql import SparkSession  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master(f"local[{WORKERS}]").config("spark.ui.enabled", "false")
    session = (
        builder.config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.memory", "3g")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    try:
        frame = session.read.parquet(*map(str, files))
        few = frame.limit(100)
        for plan in plans.values():
            engines.spark(plan, few, **NAMES, n_parts=WORKERS)
        for name, plan in plans.items():
            own = session.sparkContext.accumulator(0.0)
            begun = perf_counter()
            answer = engines.spark(_timed(plan, own.add), frame, **NAMES, n_parts=n_parts)
            yield name, Measured(perf_counter() - begun, own.value, 0, 0, answer)
    finally:
        session.stop()


class _Timing:
    """A plan's partial that tells how long it took."""

    def __init__(self, partial: Callable[[Any], Any], tell: Callable[[float], None]) -> None:
        self.partial, self.tell = partial, tell

    def __call__(self, log: Any) -> Any:
        begun = perf_counter()
        tally = self.partial(log)
        self.tell(perf_counter() - begun)
        return tally


def _timed(plan: engines.Plan[Any], tell: Callable[[float], None]) -> engines.Plan[Any]:
    then = plan.then
    return engines.Plan(
        partial=_Timing(plan.partial, tell),
        merge=plan.merge,
        finish=plan.finish,
        split=plan.split,
        then=None if then is None else lambda answer: _timed(then(answer), tell),
    )


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--parts", type=int, default=8)
    parser.add_argument("--engine", choices=["dask", "spark"], default="dask")
    parser.add_argument("--folder", type=Path, help="where the rows are kept from one run to the next")
    parser.add_argument("--alone", choices=["yes", "no"], default="yes", help="do the same without an engine, too")
    parser.add_argument("--plans", nargs="+", choices=list(PLANS), default=list(PLANS))
    options = parser.parse_args(arguments)
    plans = {name: PLANS[name] for name in options.plans}
    load = f"load average {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    print(f"{machine()}\n{load}", flush=True)
    with TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        files = sorted(folder.glob("part-*.parquet")) or drawn(folder, options.rows, options.files)
        run = on_dask if options.engine == "dask" else on_spark
        rows = []
        for name, found in run(files, options.parts, plans):
            alone = in_this_process(plans[name], files, options.parts) if options.alone == "yes" else None
            assert alone is None or repr(found.answer) == repr(alone.answer), name
            overhead = WORKERS * found.wall_s / found.own_s - 1
            per_core = options.rows / found.own_s / 1e6
            rows.append(
                [
                    name,
                    f"{found.wall_s:.2f}",
                    f"{found.own_s:.2f}",
                    f"{overhead:.0%}" if options.engine == "dask" else "–",  # Spark tells of the counting alone
                    "–" if alone is None else f"{alone.wall_s:.2f}",
                    "–" if alone is None else f"{found.cpu_s / alone.cpu_s - 1:.0%}" if found.cpu_s else "–",
                    f"{per_core:.2f}",
                    f"{found.moved_bytes / options.rows:.1f}",
                    "–" if alone is None else f"{alone.moved_bytes / options.rows:.1f}",
                    f"{len(pickle.dumps(found.answer)) / max(options.rows // 10, 1):.1f}",
                ]
            )
        header = [
            "plan", "wall s", "own s", "overhead", "here s", "more CPU", "M rows/s/core", "moved B/row", "all B/row",
            "answer B/member",
        ]  # fmt: skip
        title = (
            f"{options.engine}: {options.rows:,} rows, {options.files} files, {options.parts} parts, {WORKERS} workers"
        )
        print(f"\n{Table(title, header, rows)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
