"""Recency, frequency and money: against DuckDB and Polars, and the scores of members against pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.contenders import Contender
from benchmarks.race import How, race
from benchmarks.workload import Drawn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.report import Table
    from benchmarks.workload import Workload

__all__ = ["RFM_PEERS", "RFM_SCORES", "RFM_SCORES_PEERS", "RFM_SLOWER", "RFM_VALUES", "measure"]

_ROWS_A_MEMBER = 10
_SHARES = {"all of them count": 1, "half of them count": 2}

RFM_VALUES = Contender("shequn: rfm_values", "own_rfm", "values")
RFM_PEERS = (
    Contender("DuckDB", "duckdb_rfm", "sum_no_overflow"),
    Contender("Polars, streaming", "polars_rfm", "streaming"),
)
# What was tried as well and is slower: `--all` measures these too.
RFM_SLOWER = (
    Contender("DuckDB, sums of 128 bits", "duckdb_rfm", "sum"),
    Contender("Polars, in memory", "polars_rfm", "in memory"),
)
RFM_SCORES = Contender("shequn: score", "own_rfm", "scores")
RFM_SCORES_PEERS = (Contender("pandas, qcut of ranks", "pandas_rfm", "qcut of ranks"),)


def measure(workload: Workload, n_rows: int, how: How, *, smaller: int | None, also_slower: bool) -> Iterator[Table]:
    """Measure the three numbers of each member where all rows count and where half do, and then their scores."""
    peers = (*RFM_PEERS, *(RFM_SLOWER if also_slower else ()))
    n_members = max(n_rows // _ROWS_A_MEMBER, 1)
    for share, n_kinds in _SHARES.items():
        drawn = Drawn(workload, n_rows, n_members, n_kinds)
        about = f"RFM values, {workload}: {n_rows:,} rows, {share}, {n_members:,} members"
        less = None if smaller is None else max(smaller // _ROWS_A_MEMBER, 1)
        yield race(about, RFM_VALUES, peers, drawn, how, smaller=smaller, fewer_members=less)
    yield race(
        f"RFM scores 1 to 5, {workload}: {n_members:,} members",
        RFM_SCORES,
        RFM_SCORES_PEERS,
        Drawn(workload, n_rows, n_members, 1),
        how,
        must_agree=False,
    )
