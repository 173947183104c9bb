"""Who competes, and with which query.

A contender gets the columns beforehand in whatever form suits it best. What is timed is one call of `count`: from the
loaded columns to the number of distinct members by cohort and week, where ``shequn`` has to make the flow ledger as
well; or to the number of members by the step of a funnel that they got to.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.workload import N_WEEKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.workload import Columns

__all__ = [
    "ALL",
    "BEST",
    "FUNNEL",
    "FUNNEL_CONDITIONS",
    "FUNNEL_PEERS",
    "FUNNEL_SORTED",
    "FUNNEL_SORTED_PEERS",
    "FUNNEL_SORTED_SLOWER",
    "OURS",
    "THREADS",
    "WITHIN_DAYS",
    "Contender",
    "Loaded",
    "load",
    "offsets_of",
    "table_of_codes",
]

THREADS = 2
WITHIN_DAYS = 7  # of the funnel


class Contender(NamedTuple):
    """A row of the table: a module of this package, and one of the queries it knows."""

    title: str
    module: str
    query: str


@dataclass(frozen=True)
class Loaded:
    """A contender with its columns loaded: `count` is timed, and `table` makes of what it returned an array of
    members by cohort and offset, shape (N_WEEKS, N_WEEKS), or by the last step they got to, shape (steps,)."""

    count: Callable[[], Any]
    table: Callable[[Any], NDArray[np.int64]]
    close: Callable[[], object] = lambda: None


OURS = Contender("shequn: ledger and cohorts", "own", "presence")

BEST = (
    Contender("ClickHouse, bit masks", "clickhouse", "masks"),
    Contender("ClickHouse, arrays", "clickhouse", "arrays"),
    Contender("DuckDB, bit masks", "duckdb", "masks"),
    Contender("Polars, bit masks", "polars", "masks"),
    Contender("pandas, sorted keys", "pandas", "sorted"),
)

# What was tried as well and is slower, kept so that the choice can be checked: `--all` measures these too.
ALL = (
    *BEST,
    Contender("ClickHouse, masks summed by bit", "clickhouse", "masks, bit by bit"),
    Contender("ClickHouse, arrays of Int64", "clickhouse", "arrays of Int64"),
    Contender("DuckDB, masks unnested", "duckdb", "masks unnested"),
    Contender("DuckDB, distinct pairs", "duckdb", "pairs"),
    Contender("Polars, sorted keys", "polars", "sorted"),
    Contender("Polars, lists", "polars", "lists"),
    Contender("pandas, unique keys", "pandas", "unique"),
    Contender("pandas, duplicates dropped", "pandas", "pairs"),
)

FUNNEL = Contender("shequn", "own_funnels", "ordered")
FUNNEL_PEERS = (
    Contender("ClickHouse, one thread", "clickhouse_funnels", "one thread"),
    Contender("ClickHouse, two threads", "clickhouse_funnels", "two threads"),
)
FUNNEL_SORTED = Contender("shequn, sorted log", "own_funnels", "sorted")
FUNNEL_SORTED_PEERS = (
    Contender("ClickHouse, one thread, unordered table", "clickhouse_funnels", "one thread"),
    Contender("ClickHouse, one thread, ordered table", "clickhouse_funnels", "ordered, one thread"),
    Contender("ClickHouse, one thread, aggregated in order", "clickhouse_funnels", "ordered, in order, one thread"),
    Contender("ClickHouse, two threads, ordered table", "clickhouse_funnels", "ordered, two threads"),
)
FUNNEL_SORTED_SLOWER = (
    Contender("ClickHouse, two threads, aggregated in order", "clickhouse_funnels", "ordered, in order, two threads"),
    Contender("ClickHouse, one thread, ordered in memory", "clickhouse_funnels", "ordered in memory, one thread"),
    Contender("ClickHouse, two threads, ordered in memory", "clickhouse_funnels", "ordered in memory, two threads"),
)
# Ours, and each counts something else.
FUNNEL_CONDITIONS = (
    Contender("strict", "own_funnels", "strict"),
    Contender("any", "own_funnels", "any"),
    Contender("steps overlap", "own_funnels", "overlapping"),
    Contender("steps overlap, once", "own_funnels", "once"),
    Contender("exclusion", "own_funnels", "exclusion"),
    Contender("hold_constant, 100 items", "own_funnels", "hold_constant"),
)


def load(contender: Contender, columns: Columns) -> Loaded:
    """Give a contender its columns; only its own library is imported."""
    module = import_module(f"benchmarks.contenders.{contender.module}")
    loaded: Loaded = module.load(columns, contender.query)
    return loaded


def table_of_codes(codes: NDArray[Any], counts: NDArray[Any]) -> NDArray[np.int64]:
    """Spread counts by ``32 * cohort + week``, of which there may be several, over cohorts and offsets."""
    cohort, week = np.divmod(np.asarray(codes).astype(np.int64), 32)
    by_week = np.zeros((N_WEEKS, N_WEEKS), dtype=np.int64)
    np.add.at(by_week, (cohort, week), np.asarray(counts).astype(np.int64))
    return offsets_of(by_week)


def offsets_of(by_week: NDArray[np.int64]) -> NDArray[np.int64]:
    """Turn counts by cohort and week into counts by cohort and offset."""
    table = np.zeros_like(by_week)
    for cohort in range(N_WEEKS):
        table[cohort, : N_WEEKS - cohort] = by_week[cohort, cohort:]
    return table
