"""DuckDB: last instant, number and sum of each member's rows of one kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from benchmarks.contenders import THREADS, Loaded
from benchmarks.contenders.rfm import COUNTED_CODE, digest
from benchmarks.workload import amounts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from benchmarks.workload import Columns

_VALUES = """
    SELECT member, max(second) AS last, count(*) AS frequency, {sum} AS monetary FROM rows_ {where} GROUP BY member"""

QUERIES = {
    "sum": _VALUES.format(sum="sum(value)", where="{where}"),
    "sum_no_overflow": _VALUES.format(sum="sum_no_overflow(value)", where="{where}"),
}


def load(columns: Columns, query: str) -> Loaded:
    connection = duckdb.connect(config={"threads": THREADS})
    connection.execute("SET enable_progress_bar = false")
    # The order of rows is of no use here, and keeping it costs.
    connection.execute("SET preserve_insertion_order = false")
    given = {**columns._asdict(), "value": amounts(len(columns.member))}
    connection.register("given", pa.table(given))
    connection.execute("CREATE TABLE rows_ AS SELECT * FROM given")
    connection.unregister("given")
    # Where all rows count, nobody has to look at kinds.
    where = "" if (columns.kind == COUNTED_CODE).all() else f"WHERE kind = {COUNTED_CODE}"
    sql = QUERIES[query].format(where=where)
    return Loaded(lambda: connection.sql(sql).to_arrow_table(), _digest, connection.close)


def _digest(answer: Any) -> NDArray[np.int64]:
    names = ("member", "last", "frequency", "monetary")
    return digest(*(answer[name].cast(pa.int64()).to_numpy() for name in names))
