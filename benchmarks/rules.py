"""Rules: one count over many members against DuckDB and Polars, and what a test of a field takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.contenders import Contender
from benchmarks.contenders.rules import WITHIN_DAYS
from benchmarks.race import How, race
from benchmarks.workload import Drawn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.report import Table
    from benchmarks.workload import Workload

__all__ = ["measure"]

_ROWS_A_MEMBER = 10


def measure(workload: Workload, n_rows: int, how: How, *, smaller: int | None, also_slower: bool) -> Iterator[Table]:
    """Measure a count over a short window, which holds few rows, and over one that holds them all."""
    n_members = max(n_rows // _ROWS_A_MEMBER, 1)
    for within in WITHIN_DAYS:
        peers = [
            Contender("DuckDB", "duckdb_rules", within),
            Contender("Polars, streaming", "polars_rules", f"streaming, {within}"),
            Contender("Polars, in memory", "polars_rules", f"in memory, {within}"),
        ]
        yield race(
            f"a count within {within}, {workload}: {n_rows:,} rows, {n_members:,} members",
            Contender("shequn: count(kind, within) >= 2", "own_rules", within),
            peers if also_slower else peers[:-1],
            Drawn(workload, n_rows, n_members),
            how,
            smaller=smaller,
            fewer_members=None if smaller is None else max(smaller // _ROWS_A_MEMBER, 1),
        )
