"""DuckDB: the columns in a table of an in-memory database, as UINTEGER."""
# ruff: noqa: S608 - the queries are made of constants

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa

from benchmarks.contenders import THREADS, Loaded, table_of_codes
from benchmarks.workload import N_WEEKS, ORIGIN_S, WEEK_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.workload import Columns

_WEEK = f"((second - {ORIGIN_S}::UINTEGER) // {WEEK_S}::UINTEGER)"
_MASKS = f"(SELECT bit_or(1::UINTEGER << {_WEEK}) AS mask FROM columns_ GROUP BY member)"
_COHORT = "(bit_count(xor(mask, mask - 1)) - 1)"
_BITS = ", ".join(f"sum((mask >> {week}) & 1)" for week in range(N_WEEKS))

QUERIES = {
    "masks": f"SELECT {_COHORT} AS cohort, {_BITS} FROM {_MASKS} GROUP BY 1",
    "masks unnested": f"""
        SELECT {_COHORT} AS cohort, week, count(*) FROM {_MASKS}, range({N_WEEKS}) AS r(week)
        WHERE (mask >> week::UINTEGER) & 1 = 1 GROUP BY 1, 2""",
    "pairs": f"""
        WITH pairs AS MATERIALIZED (SELECT DISTINCT member, {_WEEK} AS week FROM columns_),
             starts AS (SELECT member, min(week) AS cohort FROM pairs GROUP BY 1)
        SELECT cohort, week, count(*) FROM pairs JOIN starts USING (member) GROUP BY 1, 2""",
}


def load(columns: Columns, query: str) -> Loaded:
    connection = duckdb.connect(config={"threads": THREADS})
    connection.execute("SET enable_progress_bar = false")
    connection.register("given", pa.table({"member": columns.member, "second": columns.second}))
    connection.execute("CREATE TABLE columns_ AS SELECT member, second FROM given")
    connection.unregister("given")
    return Loaded(lambda: connection.execute(QUERIES[query]).fetchall(), _table, connection.close)


def _table(answer: list[tuple[Any, ...]]) -> NDArray[np.int64]:
    lines = np.array(answer, dtype=np.int64)
    if lines.shape[1] == 3:
        return table_of_codes(lines[:, 0] * 32 + lines[:, 1], lines[:, 2])
    codes = lines[:, :1] * 32 + np.arange(N_WEEKS)
    return table_of_codes(codes.ravel(), lines[:, 1:].ravel())
