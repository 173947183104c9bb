"""DuckDB: members with so many rows of one kind of late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from benchmarks.contenders import THREADS, Loaded
from benchmarks.contenders.rules import AT_LEAST, COUNTED_CODE, UNTIL_S, after_s, digest

if TYPE_CHECKING:
    from benchmarks.workload import Columns

__all__ = ["load"]


def load(columns: Columns, query: str) -> Loaded:
    connection = duckdb.connect(config={"threads": THREADS})
    connection.execute("SET enable_progress_bar = false")
    # The order of rows is of no use here, and keeping it costs.
    connection.execute("SET preserve_insertion_order = false")
    connection.register("given", pa.table(columns._asdict()))
    connection.execute("CREATE TABLE rows_ AS SELECT * FROM given")
    connection.unregister("given")
    sql = f"""
        SELECT member FROM rows_ WHERE kind = {COUNTED_CODE} AND second > {after_s(query)} AND second <= {UNTIL_S}
        GROUP BY member HAVING count(*) >= {AT_LEAST}"""  # noqa: S608
    return Loaded(
        lambda: connection.sql(sql).to_arrow_table(), lambda found: digest(found["member"].to_numpy()), connection.close
    )
