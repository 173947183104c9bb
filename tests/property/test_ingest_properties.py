from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shequn.columns import EventLog
from shequn.errors import ShequnError

junk = (
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=2) | st.binary(max_size=1) | st.just([])
)
labels = st.sampled_from(["ann", "bo", 7, 2**53 + 1]) | junk
fields = st.fixed_dictionaries(
    {},
    optional={
        "member": st.sampled_from(["ann", "bo"]) | labels,
        "kind": st.sampled_from(["post", "join"]) | junk,
        "at": st.integers(0, 2**31) | junk | st.datetimes(),
        "value": st.integers() | junk,
        "target": labels,
        "group": labels,
        "item": labels,
        "channel": labels | st.dates(),
        "extra": st.none() | st.dictionaries(st.sampled_from(["age", "channel", "kind", ""]), labels) | junk,
    },
)
mostly_good = st.fixed_dictionaries(
    {"member": st.sampled_from(["ann", "bo"]), "kind": st.just("post"), "at": st.integers(0, 100)},
    optional={"value": st.integers(-(2**60), 2**60) | st.floats(), "age": st.integers(0, 99) | st.text(max_size=1)},
)


@given(st.lists(fields | mostly_good | junk))
def test_every_row_is_accepted_or_rejected_and_none_is_both(rows):
    log, rejected = EventLog.ingest(rows, time_unit="s")
    assert len(log) + len(rejected) == len(rows)
    assert [r.row for r in rejected] == sorted({r.row for r in rejected})
    for r in rejected:
        assert r.given is rows[r.row]
        assert r.reason
    accepted = [rows[row] for row in range(len(rows)) if row not in {r.row for r in rejected}]
    assert log.at_us.tolist() == [row["at"] * 1_000_000 for row in accepted]
    assert log.member.labels().tolist() == [row["member"] for row in accepted]
    assert log.kind.labels().tolist() == [row["kind"] for row in accepted]


@given(st.lists(fields | mostly_good))
def test_what_was_accepted_is_accepted_again_and_what_columns_take_rows_take(rows):
    log, rejected = EventLog.ingest(rows, time_unit="s")
    bad = {r.row for r in rejected}
    again = EventLog.ingest([row for place, row in enumerate(rows) if place not in bad], time_unit="s")
    assert again == (log, ())
    assert EventLog.ingest(log.to_events()).rejected == ()


@given(st.lists(mostly_good, min_size=1))
def test_rows_that_make_columns_are_all_accepted(rows):
    names = dict.fromkeys(name for row in rows for name in row)
    columns: dict[str, Any] = {name: [row.get(name) for row in rows] for name in names}
    extra: dict[str, Any] = {"age": columns.pop("age")} if "age" in columns else {}
    if any(isinstance(age, str) for age in extra.get("age", [])) and any(isinstance(age, int) for age in extra["age"]):
        return
    try:
        log = EventLog.from_columns(**columns, extra=extra, time_unit="s")
    except ShequnError:
        return
    accepted, rejected = EventLog.ingest(rows, time_unit="s")
    assert rejected == ()
    assert {name: str(column.tolist()) for name, column in accepted.to_columns().items()} == {
        name: str(column.tolist())
        for name, column in log.to_columns().items()
        if name != "value" or any(row.get("value") == row.get("value") is not None for row in rows)
    }


@given(st.lists(st.integers(-(10**9), 4 * 10**9), max_size=5))
def test_aware_instants_need_no_option(seconds):
    instants = [dt.datetime.fromtimestamp(second, tz=dt.UTC) for second in seconds]
    rows = [{"member": "ann", "kind": "post", "at": at} for at in instants]
    log, rejected = EventLog.ingest(rows)
    assert (len(log), rejected) == (len(rows), ())
