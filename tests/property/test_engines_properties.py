"""A plan finds in parts what the function finds in the whole: random logs, splits of every sort, empty parts."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reference.engine_worlds import (
    CASES,
    SPANS,
    TOGETHER,
    Case,
    assert_same,
    by_day,
    columns_of,
    log_of,
)

import shequn as sq
from shequn.interop import engines

seeds = st.integers(0, 2**32 - 1)
# One log is counted in twenty ways, twice.
fewer = settings(max_examples=settings.default.max_examples // 10 + 5)
sizes = st.one_of(st.integers(0, 12), st.integers(0, 300))


def in_parts(case: Case, columns: dict[str, Any], parts: list[Any]) -> None:
    plan = pickle.loads(pickle.dumps(case.plan))  # noqa: S301
    assert_same(plan.run([log_of(columns, rows) for rows in parts]), case.whole(log_of(columns)))


def rows_by_member(columns: dict[str, Any], rng: np.random.Generator, n_parts: int) -> list[np.ndarray]:
    """Members dealt out at random; each part is a log of its own, that knows its own kinds and labels alone."""
    part_of = {member: int(rng.integers(n_parts)) for member in sorted(set(columns["user_id"]))}
    part = np.array([part_of[member] for member in columns["user_id"]], dtype=np.int64)
    return [np.flatnonzero(part == k) for k in range(n_parts)]


@fewer
@given(seeds, sizes, st.integers(1, 6))
def test_all_plans_find_in_parts_of_members_in_any_order_what_the_functions_find_in_the_whole(seed, n_rows, n_parts):
    rng = np.random.default_rng(seed)
    columns = columns_of(rng, n_rows, n_members=int(rng.integers(1, 40)))
    parts = rows_by_member(columns, rng, n_parts)
    in_parts(TOGETHER, columns, [parts[k] for k in rng.permutation(n_parts)])


@fewer
@pytest.mark.parametrize("name", ["presence", "graph"])
@given(seed=seeds, n_rows=sizes, n_parts=st.integers(1, 6))
def test_what_takes_rows_split_in_whatever_way_does(name, seed, n_rows, n_parts):
    rng = np.random.default_rng(seed)
    columns = columns_of(rng, n_rows)
    part = rng.integers(0, n_parts, n_rows)
    assert CASES[name].plan.split == "any"
    in_parts(CASES[name], columns, [np.flatnonzero(part == k) for k in range(n_parts)])


@fewer
@given(seeds, sizes, st.integers(1, 6))
def test_a_funnel_is_continued_from_one_span_of_time_to_the_next(seed, n_rows, n_parts):
    columns = columns_of(np.random.default_rng(seed), n_rows)
    in_parts(SPANS, columns, by_day(columns, n_parts))


def test_no_part_at_all_is_a_log_without_rows():
    for name in ("presence", "ledger", "funnel state", "rule on facts"):
        assert_same(CASES[name].plan.run([]), CASES[name].whole(sq.EventLog.empty()))


def test_a_kind_that_one_part_alone_has_is_known():
    """A warning would be an error here."""
    logs = [
        sq.EventLog.from_columns(member=[member], kind=kind, at=[0], time_unit="s")
        for member, kind in (("ann", "join"), ("bo", "post"), ("cy", "like"))
    ]
    strict = engines.plan(sq.retention.presence, every="day", tz="UTC", kinds={"like"}, unknown_kinds="raise")
    whole = sq.EventLog.concat(logs)
    assert strict.run(logs) == sq.retention.presence(whole, every="day", tz="UTC", kinds={"like"})
    with pytest.raises(sq.UnknownLabelError, match="'like'"):
        strict.run(logs[:2])
