"""Dask finds what the functions find: on a real cluster of two processes, which tell whom they counted for."""

from __future__ import annotations

import datetime as dt
import operator
import os
import pickle
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.reference.engine_worlds import (
    CASES,
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

library = pytest.importorskip("dask", reason="Dask is not installed: nothing here ran. pip install 'shequn[dask]'")
distributed = pytest.importorskip("distributed", reason="distributed is not installed: nothing here ran.")
pd = pytest.importorskip("pandas")

# Dask and its friends warn of each other, and leave sockets to the collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=0
        ) as cluster,
        distributed.Client(cluster, set_as_default=True) as client,
    ):
        yield client


def frames_of(columns: dict[str, Any], n_pieces: int) -> list[Any]:
    """Pieces of rows that lie in no order, as pandas frames; the first is empty."""
    n = len(columns["ts"])
    edges = np.linspace(0, n, n_pieces, dtype=int)
    frame = pd.DataFrame(columns)
    return [frame.iloc[:0], *(frame.iloc[a:b] for a, b in pairwise(edges))]


@pytest.mark.parametrize(("seed", "n_rows", "n_pieces", "n_parts"), [(1, 400, 4, None), (2, 250, 3, 7), (3, 3, 5, 2)])
@pytest.mark.usefixtures("client")
def test_all_plans_find_on_the_cluster_what_the_functions_find_in_the_whole(seed, n_rows, n_pieces, n_parts):
    columns = columns_of(np.random.default_rng(seed), n_rows)
    found = engines.dask(TOGETHER.plan, frames_of(columns, n_pieces), **NAMES, time_unit="s", n_parts=n_parts)
    assert_same(found, TOGETHER.whole(log_of(columns)))


@pytest.mark.parametrize("name", ["presence", "ledger", "funnel", "rfm", "graph", "rule on a roster"])
@pytest.mark.usefixtures("client")
def test_a_plan_alone_takes_a_dask_data_frame(name):
    frames = pytest.importorskip("dask.dataframe")
    columns = columns_of(np.random.default_rng(4), 300)
    whole = pd.DataFrame(columns)
    whole["ts"] = pd.to_datetime(whole["ts"], unit="s", utc=True)
    whole["of no use"] = 1
    found = engines.dask(CASES[name].plan, frames.from_pandas(whole, npartitions=3), **NAMES)
    assert_same(found, CASES[name].whole(log_of(columns)))


@pytest.mark.usefixtures("client")
def test_days_are_counted_where_they_lie():
    columns = columns_of(np.random.default_rng(5), 300)
    days = [log_of(columns, rows) for rows in by_day(columns, 3)]
    assert_same(engines.dask(SPANS.plan, days), SPANS.whole(log_of(columns)))


def test_both_processes_count_and_ours_does_not(client):
    log = log_of(columns_of(np.random.default_rng(6), 200))
    who = engines.Plan(partial=_process, merge=set.union, finish=sorted)
    found = engines.dask(who, list(log.partition(8)), n_parts=8)
    assert set(found) <= {worker["pid"] for worker in client.run(_pid).values()}
    assert os.getpid() not in found


def _process(_log: sq.EventLog) -> set[int]:
    return {os.getpid()}


def _pid() -> dict[str, int]:
    return {"pid": os.getpid()}


@pytest.mark.usefixtures("client")
def test_members_meet_in_one_part_and_keep_the_order_of_their_rows():
    log = log_of(columns_of(np.random.default_rng(7), 300))
    pieces = [log.where(rows=np.arange(a, a + 50)) for a in range(0, 300, 50)]
    rows = engines.Plan(partial=values_of_members, merge=no_member_twice, finish=dict)
    found = engines.dask(rows, pieces, n_parts=4)
    assert found == values_of_members(log)


@pytest.mark.usefixtures("client")
def test_rows_that_lie_by_member_are_not_moved():
    columns = columns_of(np.random.default_rng(8), 300)
    log = log_of(columns)
    is_late = log.member_codes >= len(log.members) // 2
    parts = [log.where(rows=~is_late), log.where(rows=is_late)]
    found = engines.dask(CASES["ledger"].plan, parts, rows="by member", n_parts=5)
    assert_same(found, CASES["ledger"].whole(log))
    rows = engines.Plan(partial=sizes_of, merge=operator.add, finish=sorted)
    assert engines.dask(rows, parts, rows="by member", n_parts=5) == sorted(map(len, parts))
    assert len(engines.dask(rows, parts, n_parts=5)) == 5


def test_what_cannot_be_run_is_refused_at_once():
    plan = CASES["ledger"].plan
    with pytest.raises(InvalidTypeError, match=r"got 'Delayed'; put one delayed object into a list$"):
        engines.dask(plan, library.delayed(log_of)(columns_of(np.random.default_rng(1), 5)))
    with pytest.raises(InvalidValueError, match=r"^n_parts: expected from 1 to 65,536, got 100000000$"):
        engines.dask(plan, [sq.EventLog.empty()], n_parts=10**8)


@pytest.mark.usefixtures("client")
def test_delayed_objects_become_frames_on_the_workers():
    columns = columns_of(np.random.default_rng(9), 200)
    pieces = [library.delayed(pickle.loads)(pickle.dumps(frame)) for frame in frames_of(columns, 3)]
    found = engines.dask(CASES["cohorts"].plan, pieces, **NAMES, time_unit="s")
    assert_same(found, CASES["cohorts"].whole(log_of(columns)))


def test_without_a_cluster_the_default_scheduler_runs_it():
    columns = columns_of(np.random.default_rng(10), 200)
    with library.config.set(scheduler="synchronous"):
        for name in ("ledger", "rfm"):
            found = engines.dask(CASES[name].plan, frames_of(columns, 3), **NAMES, time_unit="s")
            assert_same(found, CASES[name].whole(log_of(columns)))


@pytest.mark.usefixtures("client")
def test_a_kind_that_no_part_has_is_told_of_once_here_and_not_on_a_worker():
    log = log_of(columns_of(np.random.default_rng(11), 200))
    plan = engines.plan(sq.retention.presence, **WEEKLY, kinds={"pots", "post"})
    with pytest.warns(UnknownKindWarning, match="'pots'; did you mean 'post'") as told:
        engines.dask(plan, list(log.partition(4)))
    assert len(told) == 1
    strict = engines.plan(sq.retention.presence, **WEEKLY, kinds={"pots"}, unknown_kinds="raise")
    with pytest.raises(UnknownLabelError, match="'pots'"):
        engines.dask(strict, [log])


@pytest.mark.usefixtures("client")
def test_what_is_wrong_with_the_data_is_raised_here_as_on_one_machine():
    columns = columns_of(np.random.default_rng(12), 20)
    columns["ts"] = columns["ts"].astype(float) / 7
    with pytest.raises(InvalidTypeError, match="at: expected"):
        engines.dask(CASES["ledger"].plan, frames_of(columns, 3), **NAMES, time_unit="s")


def test_options_are_checked_before_anything_is_sent():
    plan = CASES["ledger"].plan
    frame = pytest.importorskip("dask.dataframe").from_pandas(pd.DataFrame({"user": ["u1"]}), npartitions=1)
    with pytest.raises(UnknownLabelError, match=r"member: expected one of the frame's columns \(user\), got 'usr'"):
        engines.dask(plan, frame, member="usr", kind="event", at="ts")
    with pytest.raises(InvalidTypeError, match="kind: expected the name of a column, got None"):
        engines.dask(plan, frame, member="user")
    with pytest.raises(InvalidValueError, match="n_parts: expected from 1 to 65,536, got 0"):
        engines.dask(plan, [], n_parts=0)
    with pytest.raises(InvalidTypeError, match="data: expected a Dask data frame, or a sequence of frames"):
        engines.dask(plan, 7)
    with pytest.raises(InvalidTypeError, match="plan: expected a Plan"):
        engines.dask("ledger", [])
    with pytest.raises(InvalidValueError, match="rows: expected one of 'anywhere', 'by member'"):
        engines.dask(plan, [], rows="everywhere")


def test_no_partition_is_a_log_without_rows():
    assert_same(engines.dask(CASES["ledger"].plan, []), CASES["ledger"].whole(sq.EventLog.empty()))


def test_without_dask_the_error_names_the_extra():
    script = (
        "import sys; sys.modules['dask'] = None\n"
        "from shequn.interop import engines; from shequn.retention import presence; import shequn as sq\n"
        "try:\n    engines.dask(engines.plan(presence, every='day', tz='UTC'), [sq.EventLog.empty()])\n"
        "except ImportError as error:\n    sys.stdout.write(str(error))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "dask is not installed: pip install 'shequn[dask]'"


@pytest.mark.usefixtures("client")
def test_a_night_at_a_time_over_what_was_stored():
    """Presence of the days so far, and the new day counted on the cluster, are the presence of all days."""
    columns = columns_of(np.random.default_rng(13), 400)
    cut = dt.datetime(2024, 3, 20, tzinfo=dt.UTC)
    log = log_of(columns)
    plan = CASES["presence"].plan
    before, after = (engines.dask(plan, list(part.partition(3))) for part in (log.where(end=cut), log.where(start=cut)))
    assert_same(before.merge(after), CASES["presence"].whole(log))
