"""ClickHouse in process (`chdb`): the columns in a table of its Memory engine, as unsigned integers."""
# ruff: noqa: S608 - the queries are made of constants

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import chdb
import numpy as np
import pyarrow as pa

from benchmarks.contenders import THREADS, Loaded, table_of_codes
from benchmarks.workload import N_WEEKS, ORIGIN_S, WEEK_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from benchmarks.workload import Columns

# An array of bytes is several times faster to make than one of Int64, the type of the difference.
_WEEK_64 = f"intDiv(second - {ORIGIN_S}, {WEEK_S})"
_WEEK = f"toUInt8(intDiv(toUInt32(second - {ORIGIN_S}), {WEEK_S}))"
_MASKS = f"(SELECT groupBitOr(bitShiftLeft(toUInt32(1), {_WEEK})) AS mask FROM rows GROUP BY member)"

# Cohort and week are packed into one UInt16, which ClickHouse groups by array instead of by hash.
_OF_ARRAYS = """
    SELECT code, count() FROM (
        SELECT toUInt16(arrayMin(weeks) * 32 + arrayJoin(weeks)) AS code
        FROM (SELECT groupUniqArray({week}) AS weeks FROM rows GROUP BY member)
    ) GROUP BY code"""
_BITS = ", ".join(f"sum(bitTest(mask, {week}))" for week in range(N_WEEKS))

QUERIES = {
    "masks": f"""
        SELECT code, count() FROM (
            SELECT bitPositionsToArray(mask) AS weeks, toUInt16(weeks[1] * 32 + arrayJoin(weeks)) AS code
            FROM {_MASKS}
        ) GROUP BY code""",
    "masks, bit by bit": f"""
        SELECT toUInt8(bitCount(bitXor(mask, mask - 1)) - 1) AS cohort, {_BITS} FROM {_MASKS} GROUP BY cohort""",
    "arrays": _OF_ARRAYS.format(week=_WEEK),
    "arrays of Int64": _OF_ARRAYS.format(week=_WEEK_64),
}


def load(columns: Columns, query: str) -> Loaded:
    connection = stored({"member": columns.member, "second": columns.second})
    sql = f"{QUERIES[query]} SETTINGS max_threads = {THREADS}"

    def count() -> bytes:
        answer: bytes = connection.query(sql, "CSV").bytes()
        return answer

    return Loaded(count, _table, connection.close)


def stored(columns: Mapping[str, NDArray[Any]], *, engine: str = "Memory", order: str = "") -> Any:
    """Return a connection to a database with one table, `rows`, of these columns; rows are inserted in `order`."""
    connection = chdb.connect(":memory:")
    rows = pa.table(dict(columns))
    types = ", ".join(f"{name} UInt{8 * column.itemsize}" for name, column in columns.items())
    connection.query("DROP TABLE IF EXISTS rows")
    connection.query(f"CREATE TABLE rows ({types}) ENGINE = {engine}")
    connection.query(f"INSERT INTO rows SELECT * FROM Python(rows) {order} SETTINGS max_threads = {THREADS}")
    if engine.startswith("MergeTree"):
        connection.query("OPTIMIZE TABLE rows FINAL")
    assert int(connection.query("SELECT count() FROM rows", "CSV").bytes()) == len(rows)
    return connection


def _table(answer: bytes) -> NDArray[np.int64]:
    lines = np.array([line.split(b",") for line in answer.split()], dtype=np.int64)
    if lines.shape[1] == 2:
        return table_of_codes(lines[:, 0], lines[:, 1])
    codes = lines[:, :1] * 32 + np.arange(N_WEEKS)
    return table_of_codes(codes.ravel(), lines[:, 1:].ravel())
