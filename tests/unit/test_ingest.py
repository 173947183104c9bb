from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from shequn.columns import EventLog
from shequn.entities import Event, EventKind
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError
from shequn.values.instants import from_us

if TYPE_CHECKING:
    from shequn.columns import Ingested

NAN = float("nan")


def ingest(*rows: Any, **options: Any) -> Ingested:
    return EventLog.ingest(rows, **({"time_unit": "s"} | options))


def row(**fields: Any) -> dict[str, Any]:
    return {"member": "ann", "kind": "post", "at": 0} | fields


def test_good_rows_make_the_log_their_columns_would_make():
    log, rejected = ingest(
        row(value=5, group="g1", channel="抖音", age=30),
        row(member="bo", kind=EventKind.JOIN, at=60, target="ann", item=None, extra={"channel": "微博", "vip": True}),
    )
    assert rejected == ()
    assert log == EventLog.from_columns(
        member=["ann", "bo"],
        kind=["post", "join"],
        at=[0, 60],
        time_unit="s",
        value=[5, None],
        target=[None, "ann"],
        group=["g1", None],
        extra={"channel": ["抖音", "微博"], "age": [30, None], "vip": [None, True]},
    )
    assert log.resolution == "s"
    assert log.item is None


def test_bad_rows_are_given_back_with_their_place_and_a_reason():
    bad = row(member=None)
    log, rejected = ingest(row(), bad, row(member="bo"), row(kind=None))
    assert log.member.labels().tolist() == ["ann", "bo"]
    assert [(r.row, r.reason) for r in rejected] == [
        (1, "member: expected a label that is str or int, got None"),
        (3, "kind: expected a str that is not empty, got None"),
    ]
    assert rejected[0].given is bad
    assert str(rejected[0]) == "row 1: member: expected a label that is str or int, got None"


def numbers(log: EventLog, name: str) -> Any:
    """A column that holds no labels."""
    return log.column(name)


WITHOUT_NAME: dict[Any, Any] = {**row(), 3: 1}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({}, "kind: expected a str that is not empty, got None"),
        ({"kind": "post", "at": 0}, "member: expected a label that is str or int, got None"),
        (row(member=""), "member: expected a label that is not empty, got ''"),
        (row(member=NAN), "member: expected a label that is str or int, got nan"),
        (row(member=True), "member: expected a label that is str or int, got True"),
        (row(member=1.0), "member: expected a label that is str or int, got 1.0"),
        (row(member=b"ann"), "member: expected a label that is str or int, got b'ann'"),
        (row(kind=7), "kind: expected a str that is not empty, got 7"),
        (row(kind=""), "kind: expected a str that is not empty, got ''"),
        (row(group=""), "group: expected a label that is not empty, got ''"),
        (row(target=["bo"]), "target: expected a label that is str or int, got ['bo']"),
        (row(value="9"), "value: expected int or float, got '9'"),
        (row(value=True), "value: expected int or float, got True"),
        (row(value=Decimal(9)), "value: expected int or float, got Decimal('9')"),
        (row(value=2**63), f"value: expected an integer that fits 64 bits with sign, got {2**63}"),
        (row(at=None), "at: expected integers (time_unit='s'), got None"),
        (row(at="2024-02-10"), "at: expected integers (time_unit='s'), got '2024-02-10'; text is not parsed"),
        (row(at=10**12), "at: expected instants in [1900, 2262), got 1000000000000"),
        (
            row(at=1.5),
            "at: expected integers (time_unit='s'), got 1.5; floats lose microseconds, so cast whole numbers",
        ),
        (row(channel=["x"]), "channel: expected a number, a bool or a text, got ['x']"),
        (row(day=dt.date(2024, 2, 10)), "day: expected a number, a bool or a text, got datetime.date(2024, 2, 10)"),
        (row(age=-(2**63) - 1), f"age: expected an integer that fits 64 bits with sign, got {-(2**63) - 1}"),
        (row(extra=7), "extra: expected a mapping of name to value, got 7"),
        (row(extra={"x": 1}, x=1), "extra: expected each name once, got 'x'"),
        (row(extra={"kind": 1}), "extra: expected names that are non-empty str, other than member, kind, at, value, "),
        (WITHOUT_NAME, "extra: expected names that are non-empty str, other than member, kind, at, value, target, "),
        ("ann", "rows: expected a mapping or an Event, got 'ann'"),
        (None, "rows: expected a mapping or an Event, got None"),
    ],
)
def test_a_row_is_judged_by_itself(bad, reason):
    log, rejected = ingest(row(), bad, row())
    assert len(log) == 2
    assert [r.row for r in rejected] == [1]
    assert rejected[0].reason.startswith(reason)
    assert rejected[0].given == bad or rejected[0].given is bad


def test_an_integer_label_fits_64_bits():
    log, rejected = ingest(row(member=2**63), row(member=np.int64(7)), row(member=2**63 - 1))
    assert log.member.labels().tolist() == [7, 2**63 - 1]
    assert rejected[0].reason == f"member: expected an integer that fits 64 bits with sign, got {2**63}"


def test_the_rarer_sort_of_label_is_rejected():
    log, rejected = ingest(row(member=7), row(), row(), row(group=1), row(group="g"), row(group="g"))
    assert log.member.index[0] == "ann"
    assert [(r.row, r.reason) for r in rejected] == [
        (0, "member: expected text, as in 5 of 6 rows, got 7"),
        (3, "group: expected text, as in 2 of 3 rows, got 1"),
    ]


def test_of_two_sorts_equally_common_the_first_stays():
    log, rejected = ingest(row(member=7), row(member="ann"))
    assert log.members[0] == 7
    assert rejected[0].reason == "member: expected numbers, as in 1 of 2 rows, got 'ann'"


def test_extras_are_numbers_or_text_or_booleans():
    log, rejected = ingest(row(x=1), row(x="a"), row(x=0.5), row(x=True), row(x=None), row(y=True), row(y=False))
    assert str(numbers(log, "x").tolist()) == "[1.0, 0.5, nan, nan, nan]"
    assert str(numbers(log, "y").tolist()) == "[nan, nan, nan, 1.0, 0.0]"
    assert [(r.row, r.reason) for r in rejected] == [
        (1, "x: expected numbers, as in 2 of 4 rows, got 'a'"),
        (3, "x: expected numbers, as in 2 of 4 rows, got True"),
    ]


@pytest.mark.parametrize("other", [None, 0.5])
def test_an_integer_that_its_column_would_change_is_rejected(other):
    log, rejected = ingest(row(value=2**53 + 1), row(value=other), row(value=2**53))
    assert len(log) == 2
    assert rejected[0].row == 0
    assert (
        rejected[0].reason == f"value: expected an integer up to 2**53 beside floats or missing values, got {2**53 + 1}"
    )
    kept, none = ingest(row(value=2**53 + 1), row(value=2**60))
    assert none == ()
    assert numbers(kept, "value").tolist() == [2**53 + 1, 2**60]


def test_events_and_mappings_go_together():
    event = Event(member="bo", kind="join", at=from_us(1), value=3, extra={"channel": "抖音"})
    log, rejected = ingest(event, row(at=60), MappingProxyType(row()), event)
    assert rejected == ()
    assert log.at_us.tolist() == [1, 60_000_000, 0, 1]
    assert log.resolution == "us"
    assert EventLog.ingest([event, event]).accepted == EventLog.from_events([event, event])


def test_wall_clocks_are_read_in_their_zone_row_by_row():
    wall = [dt.datetime(2024, 3, 31, 1, 30), dt.datetime(2024, 3, 31, 2, 30)]  # noqa: DTZ001
    log, rejected = ingest(*[row(at=at) for at in wall], time_unit=None, at_tz="Europe/Berlin")
    assert log.at_us.tolist() == [1_711_845_000_000_000]
    assert rejected[0].reason.startswith(
        "at: expected wall clock times that exist in Europe/Berlin, got '2024-03-31T02:30"
    )


def test_no_rows_make_an_empty_log():
    assert EventLog.ingest([]) == (EventLog.empty(), ())
    log, rejected = ingest(row(kind=None))
    assert (len(log), len(rejected)) == (0, 1)


@pytest.mark.parametrize("rows", ["ann", b"bo", {"member": "ann"}, 7, None, np.array(5)])
def test_what_holds_no_rows_is_refused(rows):
    with pytest.raises(InvalidTypeError, match=r"^rows: expected an iterable of mappings or Event records, got "):
        EventLog.ingest(rows)


@pytest.mark.parametrize("field", ["member", "kind", "at", "value", "target", "group", "item", "age"])
@pytest.mark.parametrize(
    "odd", [np.array([1, 2]), np.array(5), np.timedelta64(3, "D"), np.ma.masked_array([1], mask=[1]), {1}, 1j], ids=repr
)
def test_an_odd_value_costs_its_row_and_no_more(field, odd):
    log, rejected = ingest(row(**{field: odd}), row(member="bo"))
    assert log.member.labels().tolist() == ["bo"]
    assert [place.row for place in rejected] == [0]
    assert rejected[0].reason.startswith(f"{field}: expected ")


def test_options_that_cannot_be_used_are_refused_even_without_rows():
    with pytest.raises(InvalidValueError, match=r"^time_unit: expected one of 's', 'ms', 'us', got 'h'$"):
        ingest(time_unit="h")
    with pytest.raises(UnknownLabelError, match=r"^at_tz: "):
        ingest(row(), time_unit=None, at_tz="Asia/Shangai")
