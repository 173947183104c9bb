from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from shequn import InvalidValueError
from shequn.columns import EventLog, describe
from shequn.values.instants import from_us

LOG = EventLog.from_columns(
    member=["ann", "bo", "ann", "cy"],
    kind=["like", "post", "post", "post"],
    at=[0, 60_000, 30_500, 60_000],
    time_unit="ms",
    value=[None, 1, 2, 3],
    group=["g", None, None, "g"],
    extra={"channel": ["x", "x", "x", None], "age": [1, 2, 3, 4]},
)


def test_a_log_is_described_by_counts_span_resolution_and_nulls():
    summary = LOG.describe()
    assert (summary.n_rows, summary.n_members) == (4, 3)
    assert list(summary.kinds.items()) == [("post", 3), ("like", 1)]
    assert summary.members_by_kind == {"post": 3, "like": 1}
    assert (summary.first_at, summary.last_at) == (from_us(0), from_us(60_000_000))
    assert summary.resolution == "ms"
    assert summary.nulls == {"value": 1, "group": 2, "channel": 1, "age": 0}


def test_kinds_that_a_part_lacks_are_not_described():
    assert LOG.where(members=["bo"]).describe().kinds == {"post": 1}


def test_members_are_counted_once_a_kind_however_they_are_counted(monkeypatch):
    once = LOG.describe()
    monkeypatch.setattr(describe, "_SMALL_TABLE", 0)
    large = EventLog.concat(
        [LOG, *[EventLog.from_columns(member=[f"m{i}"], kind=f"k{i}", at=[0], time_unit="s") for i in range(99)]]
    )
    assert large.describe().members_by_kind["post"] == once.members_by_kind["post"] == 3
    assert len(large.describe().members_by_kind) == 101


def test_a_description_reads_in_both_languages():
    assert str(LOG.describe()) == (
        "4 rows, 3 members, 1970-01-01 00:00 – 1970-01-01 00:01 UTC, resolution ms\n"
        "kind  rows  members  value\n"
        "──────────────────────────\n"
        "post     3        3      6\n"
        "like     1        1      –\n"
        "nulls: value 1, group 2, channel 1, age 0"
    )
    assert LOG.describe().table(lang="zh").splitlines()[:2] == [
        "4 行，3 名成员，1970-01-01 00:00 – 1970-01-01 00:01 UTC，精度 ms",
        "行为  行数  成员  数值",
    ]
    assert LOG.describe().table(lang="zh").splitlines()[-1].startswith("空值: value 1")


def test_an_empty_log_is_described_too():
    summary = EventLog.empty().describe()
    assert (summary.n_rows, summary.n_members, summary.first_at, summary.last_at) == (0, 0, None, None)
    assert summary.table().splitlines()[0] == "0 rows, 0 members"
    assert summary.table(lang="zh").splitlines()[0] == "0 行，0 名成员"
    assert json.loads(json.dumps(summary.to_dict()))["columns"]["rows"] == []
    assert summary.to_columns()["rows"].dtype.kind in "iO"
    assert np.array_equal(LOG.describe().to_columns()["rows"], [3, 1])


def test_the_values_of_each_kind_are_summed_exactly_and_an_overflow_is_refused():
    log = EventLog.from_columns(
        member=["ann", "bo", "ann"],
        kind=["purchase", "purchase", "like"],
        at=[0, 1, 2],
        time_unit="s",
        value=[2**62, 5, 1],
    )
    assert log.describe().value_by_kind == {"purchase": 2**62 + 5, "like": 1}
    assert [row.value for row in log.describe().rows()] == [2**62 + 5, 1]
    assert "value" in log.describe().table()
    with_gap = EventLog.from_columns(
        member=["ann", "bo"], kind=["purchase", "like"], at=[0, 1], time_unit="s", value=[9.5, None]
    )
    assert with_gap.describe().value_by_kind == {"purchase": 9.5}
    too_much = EventLog.from_columns(member=["a", "b"], kind="purchase", at=[0, 1], time_unit="s", value=[2**62, 2**62])
    with pytest.raises(
        InvalidValueError, match=r"value: expected integers whose sum fits 64 bits with sign, got 9223372036854775808"
    ):
        too_much.describe()


@pytest.mark.parametrize("name", ["kinds", "members_by_kind", "value_by_kind", "nulls"])
def test_a_summary_cannot_be_written_to(name):
    counts = getattr(LOG.describe(), name)
    assert counts == dict(counts) != {}
    with pytest.raises(TypeError, match="don't change"):
        counts["post"] = 7
    assert pickle.loads(pickle.dumps(LOG.describe())) == LOG.describe()  # noqa: S301
