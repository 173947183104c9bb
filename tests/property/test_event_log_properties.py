from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.columns import EventLog
from shequn.columns.log import sorted_rows
from shequn.values.instants import from_us

texts = st.text(st.characters(categories=["L", "N", "S", "C"]), min_size=1, max_size=3) | st.sampled_from(["a", "b"])
members = st.lists(texts) | st.lists(st.integers(-3, 3)) | st.lists(st.integers(-(2**63), 2**63 - 1))
KINDS = ["post", "join", "like"]


@st.composite
def logs(draw: st.DrawFn) -> EventLog:
    member: list[Any] = draw(members)

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=len(member), max_size=len(member)))

    optional: dict[str, Any] = {}
    for name, values in (
        ("value", st.integers(-(2**40), 2**40) | st.none()),
        ("target", texts | st.none()),
        ("group", st.integers(0, 2) | st.none()),
        ("item", st.sampled_from(["x", "y", None])),
    ):
        if draw(st.booleans()):
            optional[name] = column(values)
    extra = {"channel": column(st.sampled_from(["抖音", "", None])), "age": column(st.integers(0, 9) | st.none())}
    return EventLog.from_columns(
        member=member,
        kind=column(st.sampled_from(KINDS)),
        at=column(st.integers(-5, 5) | st.integers(-(10**9), 10**9)),
        time_unit=draw(st.sampled_from(["s", "ms", "us"])),
        extra=extra,
        **optional,
    )


def rows_of(log: EventLog) -> list[str]:
    """Each row as text, whatever columns there are: what a log says, apart from the order of rows."""
    columns = {name: column.tolist() for name, column in log.to_columns().items()}
    names = sorted(name for name, column in columns.items() if any(missing_is_none(v) is not None for v in column))
    return [repr({name: missing_is_none(columns[name][row]) for name in names}) for row in range(len(log))]


def missing_is_none(value: Any) -> Any:
    if isinstance(value, int | float):
        return None if math.isnan(value) else float(value)
    return value


@given(logs())
def test_a_log_comes_back_from_its_columns(log):
    columns = log.to_columns()
    extra = {name: columns.pop(name) for name in log.extra}
    assert EventLog.from_columns(**columns, extra=extra, at_tz="UTC") == log


@given(logs())
def test_a_log_comes_back_from_its_events(log):
    assert rows_of(EventLog.from_events(log.to_events())) == rows_of(log)


@given(logs())
def test_a_log_comes_back_from_a_pickle_read_only(log):
    back = pickle.loads(pickle.dumps(log))  # noqa: S301
    assert back == log
    assert back.resolution == log.resolution
    assert not any(column.flags.writeable for column in back.to_columns().values())


@given(logs(), st.integers(1, 5))
def test_the_parts_of_a_log_stack_up_to_it(log, n):
    parts = log.partition(n)
    whole = EventLog.concat(parts)
    assert sorted(rows_of(whole)) == sorted(rows_of(log))
    assert whole.kinds == log.kinds
    for part in parts:
        assert part.is_sorted == log.is_sorted
        assert {*part.members} == {*part.member.labels().tolist()}
    all_members = [member for part in parts for member in part.members]
    assert len(all_members) == len(set(all_members)) == len(log.members)


@given(logs(), st.integers(1, 5))
def test_a_member_goes_to_the_same_part_whatever_the_log(log, n):
    where = {member: place for place, part in enumerate(log.partition(n)) for member in part.members}
    backwards = EventLog.from_events(list(log.to_events())[::-1])
    assert where == {member: place for place, part in enumerate(backwards.partition(n)) for member in part.members}


@given(logs(), st.data())
def test_any_cut_of_a_log_stacks_up_to_it(log, data):
    cut = data.draw(st.integers(0, len(log)))
    rows = np.arange(len(log))
    assert rows_of(EventLog.concat([log.where(rows=rows < cut), log.where(rows=rows >= cut)])) == rows_of(log)


@pytest.mark.parametrize("key_bits", [63, 0], ids=["packed", "unpacked"])
@given(data=st.data())
def test_sorted_rows_are_those_of_a_plain_sort(key_bits, data):
    n = data.draw(st.integers(0, 30))
    codes = data.draw(st.lists(st.integers(0, 3) | st.integers(0, 2**31 - 1), min_size=n, max_size=n))
    seconds = data.draw(st.lists(st.integers(-3, 3) | st.integers(-(2**31), 2**32), min_size=n, max_size=n))
    resolution_us = data.draw(st.sampled_from([1, 1_000_000]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shequn.columns.log._KEY_BITS", key_bits)
        found = sorted_rows(
            np.array(codes, dtype=np.int32), np.array(seconds, dtype=np.int64) * 1_000_000, resolution_us
        )
    assert found.tolist() == sorted(range(n), key=lambda row: (codes[row], seconds[row], row))


@given(logs())
def test_a_sorted_log_says_where_its_rows_stood(log):
    ordered = log.sorted()
    assert ordered.source_rows is not None
    before, after = rows_of(log), rows_of(ordered)
    assert after == [before[row] for row in ordered.source_rows.tolist()]
    keys = list(zip(ordered.member_codes.tolist(), ordered.at_us.tolist(), ordered.source_rows.tolist(), strict=True))
    assert keys == sorted(keys)


@given(logs(), st.data())
def test_rows_are_kept_by_what_they_say(log, data):
    kinds = data.draw(st.sets(st.sampled_from([*KINDS, "unknown"])))
    wanted = data.draw(
        st.sets(st.sampled_from([*log.members, "nobody"] if log.members.is_text else [*log.members, 77]))
    )
    start, end = sorted((data.draw(st.integers(-5, 5)), data.draw(st.integers(-5, 5))))
    part = log.where(kinds=kinds, members=wanted, start=from_us(start), end=from_us(end))
    columns = log.to_columns()
    keep = [
        row
        for row in range(len(log))
        if columns["kind"][row] in kinds and columns["member"][row] in wanted and start <= log.at_us[row] < end
    ]
    assert rows_of(part) == rows_of(log.where(rows=np.array(keep, dtype=np.int64)))
    assert part.at_us.tolist() == log.at_us[keep].tolist()


@given(logs(), st.sampled_from(["channel", "kind"]), st.none() | st.sets(st.sampled_from(KINDS)))
def test_first_and_last_touch_are_what_a_loop_over_rows_finds(log, column, kinds):
    first: dict[Any, tuple[int, Any]] = {}
    last: dict[Any, tuple[int, Any]] = {}
    columns = log.to_columns()
    for member, kind, at, label in zip(
        columns["member"].tolist(), columns["kind"].tolist(), log.at_us.tolist(), columns[column].tolist(), strict=True
    ):
        if label is None or (kinds is not None and kind not in kinds):
            continue
        if member not in first or at < first[member][0]:
            first[member] = at, label
        if member not in last or at >= last[member][0]:
            last[member] = at, label
    for touch, expected in ((log.first, first), (log.last, last)):
        found = touch(column, kinds=kinds)
        assert found.members is log.members
        assert found.labels().tolist() == [
            expected[member][1] if member in expected else None for member in log.members
        ]


@given(logs())
def test_a_description_counts_what_a_loop_counts(log):
    summary = log.describe()
    columns = log.to_columns()
    kinds = columns["kind"].tolist()
    assert summary.kinds == {kind: kinds.count(kind) for kind in set(kinds)}
    assert summary.members_by_kind == {
        kind: len({member for member, other in zip(columns["member"].tolist(), kinds, strict=True) if other == kind})
        for kind in set(kinds)
    }
    assert summary.nulls == {
        name: sum(missing_is_none(value) is None for value in column.tolist())
        for name, column in columns.items()
        if name not in {"member", "kind", "at"}
    }
