"""Spark finds what the functions find: on a real local Spark with two processes of Python, where there is Java."""

from __future__ import annotations

import operator
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.reference.engine_worlds import (
    CASES,
    FUNNEL,
    NAMES,
    SPANS,
    TOGETHER,
    WEEKLY,
    assert_same,
    by_day,
    columns_of,
    log_of,
    no_member_twice,
    sizes_of,
    values_of_members,
)

import shequn as sq
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownKindWarning, UnknownLabelError
from shequn.interop import engines

if TYPE_CHECKING:
    from collections.abc import Iterator

HOW = "NOTHING OF SPARK WAS TESTED. `make spark` installs Java and PySpark, and runs this file."


def has_java() -> bool:
    java = shutil.which("java") or os.path.join(os.environ.get("JAVA_HOME", ""), "bin", "java")
    return os.path.exists(java) and subprocess.run([java, "-version"], capture_output=True, check=False).returncode == 0


class NoSpark:
    """Any object that is not a data frame of Spark."""


def test_what_is_no_frame_of_spark_is_refused():
    with pytest.raises(
        InvalidTypeError, match=r"frame: expected a pyspark.sql.DataFrame \(pip install 'shequn\[spark\]"
    ):
        engines.spark(CASES["ledger"].plan, NoSpark(), member="user_id", kind="event", at="ts")
    with pytest.raises(InvalidTypeError, match="plan: expected a Plan"):
        engines.spark("ledger", NoSpark(), member="user_id", kind="event", at="ts")


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    sql = pytest.importorskip("pyspark.sql", reason=f"PySpark is not installed: {HOW}")
    if not has_java():
        pytest.skip(f"there is no Java: {HOW}")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "Asia/Tokyo")  # neither UTC nor the community's
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "37")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def table_of(session: Any, columns: dict[str, Any], n_pieces: int) -> Any:
    """Rows as a frame of Spark, in the order they have."""
    plain = [[None if cell is None else cell for cell in column.tolist()] for column in columns.values()]
    schema = "user_id string, event string, ts long, amount long, whom string, chat string, channel string"
    rows = session.sparkContext.parallelize(list(zip(*plain, strict=True)), n_pieces)
    return session.createDataFrame(rows, schema).selectExpr("*", "1 AS of_no_use")


@pytest.mark.parametrize(("seed", "n_rows", "n_pieces", "n_parts"), [(1, 400, 3, 5), (3, 3, 4, None), (4, 0, 2, 2)])
def test_all_plans_find_on_spark_what_the_functions_find_in_the_whole(session, seed, n_rows, n_pieces, n_parts):
    columns = columns_of(np.random.default_rng(seed), n_rows)
    frame = table_of(session, columns, n_pieces)
    found = engines.spark(TOGETHER.plan, frame, **NAMES, time_unit="s", n_parts=n_parts)
    assert_same(found, TOGETHER.whole(log_of(columns)))


@pytest.mark.parametrize("name", ["presence", "funnel", "rfm", "graph"])
def test_a_plan_alone_takes_timestamps(session, name):
    columns = columns_of(np.random.default_rng(5), 300)
    frame = table_of(session, columns, 3).withColumnRenamed("ts", "s").selectExpr("*", "timestamp_seconds(s) AS ts")
    assert_same(engines.spark(CASES[name].plan, frame, **NAMES, n_parts=3), CASES[name].whole(log_of(columns)))


def test_days_are_counted_where_they_lie(session):
    columns = columns_of(np.random.default_rng(6), 200)
    order = np.concatenate(by_day(columns, 1))
    days = {name: column[order] for name, column in columns.items()}
    frame = table_of(session, days, 1)
    assert_same(engines.spark(SPANS.plan, frame, **NAMES, time_unit="s"), SPANS.whole(log_of(columns)))


def test_rows_of_a_member_keep_their_order(session):
    columns = columns_of(np.random.default_rng(7), 300)
    rows = engines.Plan(partial=values_of_members, merge=no_member_twice, finish=dict)
    found = engines.spark(rows, table_of(session, columns, 4), **NAMES, time_unit="s", n_parts=3)
    assert found == values_of_members(log_of(columns))


def test_a_kind_that_no_part_has_is_told_of_once_and_here(session):
    frame = table_of(session, columns_of(np.random.default_rng(8), 100), 3)
    plan = engines.plan(sq.retention.presence, **WEEKLY, kinds={"pots", "post"})
    with pytest.warns(UnknownKindWarning, match="'pots'; did you mean 'post'"):
        engines.spark(plan, frame, **NAMES, time_unit="s")


def test_options_are_checked_before_anything_is_sent(session):
    frame = session.createDataFrame([("u1", "post", 0)], "user string, event string, ts long")
    with pytest.raises(UnknownLabelError, match=r"member: expected one of the frame's columns \(user, event, ts\)"):
        engines.spark(CASES["ledger"].plan, frame, member="usr", kind="event", at="ts")
    with pytest.raises(InvalidValueError, match="n_parts: expected at least 1, got 0"):
        engines.spark(CASES["ledger"].plan, frame, member="user", kind="event", at="ts", time_unit="s", n_parts=0)


def test_columns_may_have_any_name(session):
    columns = columns_of(np.random.default_rng(9), 120)
    odd = {"user_id": "user.id", "event": "what`s up", "ts": "_row_of_the_whole", "channel": "how come.in"}
    frame = table_of(session, columns, 3)
    for name, new in odd.items():
        frame = frame.withColumnRenamed(name, new)
    named = {role: odd.get(name, name) for role, name in NAMES.items() if role != "extra"}
    plan = engines.plan(sq.funnel.convert, FUNNEL, by="how come.in")
    log = sq.EventLog.from_columns(
        **{role: columns[name] for role, name in NAMES.items() if role != "extra"},
        time_unit="s",
        extra={"how come.in": columns["channel"]},
    )
    found = engines.spark(plan, frame, **named, extra=["how come.in"], time_unit="s", n_parts=3)
    assert_same(found, sq.funnel.convert(log, FUNNEL, by="how come.in"))


def test_rows_that_lie_by_member_are_not_moved(session):
    columns = columns_of(np.random.default_rng(10), 200)
    order = np.argsort(columns["user_id"], kind="stable")
    lying = {name: column[order] for name, column in columns.items()}
    rows = engines.Plan(partial=sizes_of, merge=operator.add, finish=sorted)
    frame = table_of(session, lying, 1)
    assert engines.spark(rows, frame, **NAMES, time_unit="s", rows="by member", n_parts=4) == [200]
    assert len(engines.spark(rows, frame, **NAMES, time_unit="s", n_parts=4)) > 1
