"""Rules over many members against DuckDB and Polars: tests of their fields, and a count of what they did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.contenders import Contender
from benchmarks.contenders.fields import PAIRS
from benchmarks.contenders.rules import WITHIN_DAYS
from benchmarks.race import How, race
from benchmarks.workload import Drawn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.report import Table
    from benchmarks.workload import Workload

__all__ = [
    "COUNTS",
    "COUNTS_PEERS",
    "COUNTS_SLOWER",
    "FIELDS",
    "FIELDS_PEERS",
    "FIELDS_SLOWER",
    "measure",
    "measure_fields",
]

FIELDS = Contender("shequn: mask", "own_fields", "mask")
FIELDS_PEERS = (
    Contender("DuckDB", "duckdb_fields", "mask"),
    Contender("Polars, streaming", "polars_fields", "streaming"),
)
FIELDS_SLOWER = (Contender("Polars, in memory", "polars_fields", "in memory"),)

COUNTS = {within: Contender("shequn: count(kind, within) >= 2", "own_rules", within) for within in WITHIN_DAYS}
COUNTS_PEERS = {
    within: (
        Contender("DuckDB", "duckdb_rules", within),
        Contender("Polars, streaming", "polars_rules", f"streaming, {within}"),
    )
    for within in WITHIN_DAYS
}
COUNTS_SLOWER = {
    within: (Contender("Polars, in memory", "polars_rules", f"in memory, {within}"),) for within in WITHIN_DAYS
}

_ROWS_A_MEMBER = 10
_TESTS = 2 * len(PAIRS)


def measure_fields(n_members: int, how: How, *, smaller: int | None, also_slower: bool) -> Table:
    """Measure ten tests of two fields."""
    peers = [*FIELDS_PEERS, *(FIELDS_SLOWER if also_slower else ())]
    title = f"{_TESTS} tests of two fields of {n_members:,} members: {_TESTS * n_members:,} rule-rows"
    return race(title, FIELDS, peers, Drawn("uniform", n_members), how, smaller=smaller)


def measure(workload: Workload, n_rows: int, how: How, *, smaller: int | None, also_slower: bool) -> Iterator[Table]:
    """Measure a count over a short window, which holds few rows, and over one that holds them all."""
    n_members = max(n_rows // _ROWS_A_MEMBER, 1)
    for within, ours in COUNTS.items():
        yield race(
            f"a count within {within}, {workload}: {n_rows:,} rows, {n_members:,} members",
            ours,
            [*COUNTS_PEERS[within], *(COUNTS_SLOWER[within] if also_slower else ())],
            Drawn(workload, n_rows, n_members),
            how,
            smaller=smaller,
            fewer_members=None if smaller is None else max(smaller // _ROWS_A_MEMBER, 1),
        )
