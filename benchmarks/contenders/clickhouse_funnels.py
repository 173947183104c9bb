"""ClickHouse in process (`chdb`): `windowFunnel` over the rows that are steps."""
# ruff: noqa: S608 - the queries are made of constants

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.contenders import THREADS, WITHIN_DAYS, Loaded
from benchmarks.contenders.clickhouse import stored
from benchmarks.workload import STEPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.workload import Columns

__all__ = ["load"]

_CODES = range(len(STEPS))
_LEVELS = f"""
    SELECT level, count() FROM (
        SELECT windowFunnel({WITHIN_DAYS * 86_400})(second, {", ".join(f"kind = {code}" for code in _CODES)}) AS level
        FROM rows WHERE kind IN ({", ".join(map(str, _CODES))}) GROUP BY member
    ) GROUP BY level SETTINGS optimize_aggregation_in_order = {{in_order}}, max_threads = {{threads}}"""

_ORDER = "ORDER BY (member, second)"


class Query(NamedTuple):
    """A table that holds the rows, and how it is read."""

    threads: int
    engine: str = "Memory"
    inserted: str = ""  # in which order
    in_order: int = 0  # whether members are done with one after the other, in place of a hash table of all


QUERIES = {
    "one thread": Query(1),
    "two threads": Query(THREADS),
    "ordered, one thread": Query(1, f"MergeTree {_ORDER}"),
    "ordered, two threads": Query(THREADS, f"MergeTree {_ORDER}"),
    "ordered, in order, one thread": Query(1, f"MergeTree {_ORDER}", in_order=1),
    "ordered, in order, two threads": Query(THREADS, f"MergeTree {_ORDER}", in_order=1),
    "ordered in memory, one thread": Query(1, inserted=_ORDER),
    "ordered in memory, two threads": Query(THREADS, inserted=_ORDER),
}


def load(columns: Columns, query: str) -> Loaded:
    threads, engine, inserted, in_order = QUERIES[query]
    connection = stored(columns._asdict(), engine=engine, order=inserted)
    sql = _LEVELS.format(in_order=in_order, threads=threads)

    def count() -> bytes:
        answer: bytes = connection.query(sql, "CSV").bytes()
        return answer

    return Loaded(count, _levels, connection.close)


def _levels(answer: bytes) -> NDArray[np.int64]:
    """Return how many members got just as far as each step; who did none of them is not counted."""
    level, members = np.array([line.split(b",") for line in answer.split()], dtype=np.int64).T
    counts = np.zeros(len(STEPS) + 1, dtype=np.int64)
    counts[level] = members
    return counts[1:]
