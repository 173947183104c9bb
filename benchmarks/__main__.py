"""Measure this library against ClickHouse, DuckDB, Polars and pandas: ``python -m benchmarks --help``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import building, cohorts, funnels, page, report, rfm, rules
from benchmarks.contenders import ALL, BEST
from benchmarks.race import How
from benchmarks.workload import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.workload import Workload

_MANY_ROWS = 20_000_000


def main(arguments: Sequence[str]) -> None:
    options = _options(arguments)
    load = f"load average {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    head = f"{report.machine()}\n{load}".strip()
    print(head, flush=True)
    blocks: dict[str, list[str]] = {}
    for part, table in _tables(options):
        blocks.setdefault(part, []).append(str(table))
        print(f"\n{table}", flush=True)
    command = " ".join(["python -m benchmarks", *arguments])
    if options.write == report.README:
        report.write_readme(command, [head, *(block for part in blocks.values() for block in part)])
    elif options.write:
        for part, tables in blocks.items():
            page.write(options.write, part, command, "\n\n".join([load, *tables]))


def _tables(options: argparse.Namespace) -> Iterator[tuple[str, report.Table]]:
    """Measure each part that is asked for; return its tables, each with the name of the part."""
    parts = _MEASURES if options.only is None else (options.only,)
    for part in parts:
        for table in _MEASURES[part](options):
            yield part, table


def _cohorts(options: argparse.Namespace) -> Iterator[report.Table]:
    for workload, n_rows, smaller, how in _sizes(options):
        yield cohorts.measure(ALL if options.all else BEST, workload, n_rows, how, smaller=smaller)


def _funnels(options: argparse.Namespace) -> Iterator[report.Table]:
    for workload, n_rows, smaller, how in _sizes(options):
        yield from funnels.measure(workload, n_rows, how, smaller=smaller, also_slower=options.all)


def _segmentation(options: argparse.Namespace) -> Iterator[report.Table]:
    for workload, n_rows, smaller, how in _sizes(options):
        if workload == "uniform":
            yield rules.measure_fields(n_rows, how, smaller=smaller, also_slower=options.all)
        yield from rules.measure(workload, n_rows, how, smaller=smaller, also_slower=options.all)
        yield from rfm.measure(workload, n_rows, how, smaller=smaller, also_slower=options.all)


def _building(options: argparse.Namespace) -> Iterator[report.Table]:
    repeats = options.repeats or 5
    yield building.building(10_000_000, 1_000_000, repeats, _say)
    yield building.weighing(10_000_000, 100_000, repeats, _say)


_MEASURES = {"cohorts": _cohorts, "funnels": _funnels, "segmentation": _segmentation, "building": _building}


def _sizes(options: argparse.Namespace) -> Iterator[tuple[Workload, int, int | None, How]]:
    """Return each workload, how many rows of it, how many there were before, and how to measure that."""
    for workload in options.workload or WORKLOADS:
        smaller = None
        for n_rows in sorted(options.rows or [1_000_000, 10_000_000]):
            repeats = options.repeats or (3 if n_rows > _MANY_ROWS else 9)
            yield workload, n_rows, smaller, How(repeats, options.patient, _say)
            smaller = n_rows


def _say(text: str) -> None:
    """Tell what is being done, where somebody is looking."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=_rows, action="append", metavar="N", help="rows; may be given again (1e6, 1e7)")
    parser.add_argument("--workload", choices=WORKLOADS, action="append", help="what the rows are like (both)")
    parser.add_argument("--repeats", type=int, metavar="N", help="runs of each contender")
    parser.add_argument("--only", choices=_MEASURES, help="one part of it (all four)")
    parser.add_argument("--all", action="store_true", help="also the queries that were tried and are slower")
    parser.add_argument("--patient", action="store_true", help="repeat a pair of runs that another process disturbed")
    writes = parser.add_argument("--write", nargs="?", type=Path, const=report.README, metavar="PAGE")
    writes.help = "put what is printed into benchmarks/README.md, or part by part into a page (docs/benchmarks.md)"
    return parser.parse_args(arguments)


def _rows(text: str) -> int:
    return int(float(text))


if __name__ == "__main__":
    main(sys.argv[1:])
