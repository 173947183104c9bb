"""DuckDB: ten tests of fields, in one expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from benchmarks.contenders import THREADS, Loaded
from benchmarks.contenders.fields import PAIRS, digest

if TYPE_CHECKING:
    from benchmarks.workload import Columns

__all__ = ["load"]


def load(columns: Columns, query: str) -> Loaded:
    assert query == "mask"
    connection = duckdb.connect(config={"threads": THREADS})
    connection.execute("SET enable_progress_bar = false")
    connection.register("given", pa.table(columns._asdict()))
    connection.execute("CREATE TABLE rows_ AS SELECT * FROM given")
    connection.unregister("given")
    is_one = " OR ".join(f"(kind = {code} AND second > {after})" for code, after in PAIRS)
    sql = f"SELECT {is_one} AS is_one FROM rows_"  # noqa: S608
    return Loaded(
        lambda: connection.sql(sql).to_arrow_table(),
        lambda found: digest(found["is_one"].to_numpy()),
        connection.close,
    )
