from __future__ import annotations

import copy
import datetime as dt
import pickle
from typing import Any

import attrs
import numpy as np
import pytest

from shequn.columns import EventLog
from shequn.columns.log import sorted_rows
from shequn.entities import Event, EventKind
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.labels import Coded, Index
from shequn.values.instants import from_us

ONE: Any = np.int64(1)
NAN = float("nan")


def log_of(**columns: Any) -> EventLog:
    given: dict[str, Any] = {"kind": "post", "time_unit": "s"} | columns
    given.setdefault("at", list(range(len(given["member"]))))
    return EventLog.from_columns(**given)


FULL = log_of(
    member=["ann", "bo", "ann", "cy"],
    kind=["join", "join", "purchase", "post"],
    at=[0, 60, 30, 60],
    value=[None, None, 250, 1],
    target=["bo", None, None, "ann"],
    group=[7, None, 7, 9],
    item=[None, None, "tea", None],
    extra={"channel": ["抖音", None, None, "微博"], "age": [30, 41, 30, None]},
)


def numbers(log: EventLog, name: str) -> Any:
    """A column that holds no labels."""
    return log.column(name)


# --- facts in ---


def test_a_log_holds_what_it_was_given():
    columns = {name: column.tolist() for name, column in FULL.to_columns().items() if name != "at"}
    assert str(columns) == str(
        {
            "member": ["ann", "bo", "ann", "cy"],
            "kind": ["join", "join", "purchase", "post"],
            "value": [NAN, NAN, 250.0, 1.0],
            "target": ["bo", None, None, "ann"],
            "group": [7, None, 7, 9],
            "item": [None, None, "tea", None],
            "channel": ["抖音", None, None, "微博"],
            "age": [30.0, 41.0, 30.0, NAN],
        }
    )
    assert FULL.at_us.tolist() == [0, 60_000_000, 30_000_000, 60_000_000]
    assert FULL.members == Index(["ann", "bo", "cy"])
    assert FULL.kinds == Index(["join", "purchase", "post"])
    assert FULL.member_codes.tolist() == [0, 1, 0, 2]
    assert FULL.kind_codes.tolist() == [0, 0, 1, 2]
    assert len(FULL) == 4


def test_one_kind_stands_for_every_row():
    assert log_of(member=[1, 2], kind=EventKind.POST).kind.labels().tolist() == ["post", "post"]
    assert type(log_of(member=[1], kind=EventKind.POST).kinds[0]) is str
    assert log_of(member=[], kind="post").kinds == Index(["post"])


@pytest.mark.parametrize(
    ("at", "options", "resolution"),
    [
        ([1, 61], {"time_unit": "s"}, "s"),
        ([1000, 2000], {"time_unit": "ms"}, "s"),
        ([1000, 2001], {"time_unit": "ms"}, "ms"),
        ([1, 2000], {"time_unit": "us"}, "us"),
        ([dt.datetime(2024, 1, 1, tzinfo=dt.UTC)] * 2, {"time_unit": None}, "s"),
        (np.array(["2024-01-01", "2024-01-02"], "M8[D]"), {"time_unit": None, "at_tz": "Asia/Shanghai"}, "s"),
    ],
)
def test_instants_come_in_many_forms_and_tell_their_resolution(at, options, resolution):
    log = log_of(member=["a", "b"], at=at, **options)
    assert log.resolution == resolution
    assert len(log) == 2


def test_integers_stay_exact_and_booleans_become_numbers():
    log = log_of(
        member=[1, 2, 3],
        value=[2**62, -1, 0],
        extra={
            "big": [2**60, 1, 2],
            "vip": [True, None, False],
            "is_new": np.array([True, False, True]),
            "score": np.array([1, 2, 3], dtype=np.float32),
            "objects": np.array([5, None, 7], dtype=object),
            "nothing": [None, None, NAN],
        },
    )
    assert (log.value is not None, numbers(log, "value").tolist()) == (True, [2**62, -1, 0])
    assert [numbers(log, name).dtype.name for name in ("value", "big", "is_new")] == ["int64"] * 3
    assert [numbers(log, name).dtype.name for name in ("vip", "score", "objects")] == ["float64"] * 3
    assert str(numbers(log, "vip").tolist()) == "[1.0, nan, 0.0]"
    assert numbers(log, "is_new").tolist() == [1, 0, 1]
    nothing = log.column("nothing")
    assert isinstance(nothing, Coded)
    assert nothing.codes.tolist() == [-1, -1, -1]


def test_an_empty_log_has_no_rows_and_every_column_it_needs():
    for log in (EventLog.empty(), EventLog.from_events([]), EventLog.concat([]), log_of(member=np.array([]), at=[])):
        assert len(log) == 0
        assert len(log.members) == 0
        assert log.at_us.dtype == np.int64
        assert log.resolution == "s"
        assert log.sorted().source_rows is not None
        assert len(log.where(kinds="post")) == 0
        assert log.first("kind").sizes() == ({"post": 0} if len(log.kinds) else {})
        assert list(log.to_events()) == []


def test_the_callers_arrays_are_neither_kept_nor_written_to():
    member, at, value, score = np.array([3, 1]), np.array([5, 6]), np.array([1, 2]), np.array([1.5, 2.5])
    log = log_of(member=member, at=at, time_unit="us", value=value, extra={"score": score})
    for array in (member, at, value, score):
        assert array.flags.writeable
        array[:] = 0
    assert log.member.labels().tolist() == [3, 1]
    assert log.at_us.tolist() == [5, 6]
    assert numbers(log, "value").tolist() == [1, 2]
    assert numbers(log, "score").tolist() == [1.5, 2.5]
    for name, column in log.to_columns().items():
        assert not column.flags.writeable, name


def test_events_and_rows_are_the_same_facts():
    events = list(FULL.to_events())
    assert events[2] == Event(
        member="ann", kind="purchase", at=from_us(30_000_000), value=250, group=7, item="tea", extra={"age": 30}
    )
    assert EventLog.from_events(events) == FULL
    assert EventLog.from_events(iter(events)) == FULL


def test_a_log_of_events_has_the_columns_that_some_event_fills():
    at = from_us(0)
    log = EventLog.from_events(
        [Event(member=1, kind="join", at=at), Event(member=2, kind="join", at=at, extra={"vip": True})]
    )
    assert (log.value, log.target, log.group, log.item) == (None, None, None, None)
    assert list(log.extra) == ["vip"]


# --- what is refused ---


@pytest.mark.parametrize(
    ("columns", "error", "told"),
    [
        ({"kind": ["post"]}, MisalignedError, r"^kind: expected as many rows as `member`, which has 2, got 1 rows$"),
        ({"at": [1]}, MisalignedError, r"^at: expected as many rows as `member`, which has 2, got 1 rows$"),
        ({"value": [1, 2, 3]}, MisalignedError, r"^value: expected as many rows as `member`, which has 2, got 3 rows$"),
        ({"group": []}, MisalignedError, r"^group: expected as many rows as `member`, which has 2, got 0 rows$"),
        ({"extra": {"x": [1]}}, MisalignedError, r"^x: expected as many rows as `member`, which has 2, got 1 rows$"),
        ({"kind": [1, 2]}, InvalidTypeError, r"^kind: expected labels that are all str, got 1 at row 0$"),
        ({"kind": ["post", None]}, InvalidTypeError, r"^kind: expected labels .*, got None at row 1 \(1 of 2 rows\)$"),
        (
            {"kind": ""},
            InvalidValueError,
            r"^kind: expected labels that are not empty, got '' at row 0 \(1 of 1 rows\)$",
        ),
        ({"kind": None}, InvalidTypeError, r"^kind: expected a column \(list or 1-D array\) of labels, got None$"),
        (
            {"member": ["a", ""]},
            InvalidValueError,
            r"^member: expected labels that are not empty, got '' at row 1 \(1 of 2",
        ),
        ({"member": ["a", None]}, InvalidTypeError, r"^member: expected labels .*, got None at row 1 \(1 of 2 rows\)$"),
        (
            {"member": [1.0, 2.0]},
            InvalidTypeError,
            r"^member: .* got 1.0 at row 0 \(2 of 2 rows\), of type float; cast",
        ),
        (
            {"member": np.array([1, NAN])},
            InvalidTypeError,
            r"^member: .*, got nan at row 1 \(1 of 2 rows\); cast whole",
        ),
        (
            {"member": np.array([[1], [2]])},
            InvalidValueError,
            r"^member: expected a 1-D column, got 'an array of shape",
        ),
        ({"member": "ab"}, InvalidTypeError, r"^member: expected a column \(list or 1-D array\) of labels, got 'ab'$"),
        (
            {"group": ["", None]},
            InvalidValueError,
            r"^group: expected labels that are not empty \(None for none\), got ''",
        ),
        ({"target": [1, "a"]}, InvalidTypeError, r"^target: .*, got 'a' at row 1 \(1 of 2 rows\), of type str$"),
        ({"at": ["2024-01-01"] * 2, "time_unit": None}, InvalidTypeError, r"^at: .*; text is not parsed$"),
        ({"at": [1, None]}, InvalidValueError, r"^at: expected .*, got None at row 1 \(1 of 2 rows\)$"),
        ({"at": [dt.datetime(2024, 1, 1)] * 2, "time_unit": None}, InvalidValueError, r"^at: .* need at_tz$"),  # noqa: DTZ001
        (
            {"value": ["9", "8"]},
            InvalidTypeError,
            r"^value: expected int or float, got '9' at row 0 \(2 of 2 rows\), of",
        ),
        (
            {"value": [2**63, 1]},
            InvalidValueError,
            r"^value: expected integers that fit 64 bits with sign, got 9.* at row 0",
        ),
        (
            {"value": [2**53 + 1, None]},
            InvalidValueError,
            r"^value: expected integers up to 2\*\*53 beside floats or mis",
        ),
        ({"extra": {"x": ["a", 1]}}, InvalidTypeError, r"^x: .*, got 1 at row 1 \(1 of 2 rows\), of type int$"),
        (
            {"extra": {"x": [1, "a"]}},
            InvalidTypeError,
            r"^x: expected int or float, got 'a' at row 1 \(1 of 2 rows\), of",
        ),
        ({"extra": {"x": [True, 1]}}, InvalidTypeError, r"^x: expected bool, as in the rows before, got 1 at row 1$"),
        (
            {"extra": {"x": [None, dt.date(2024, 1, 1)]}},
            InvalidTypeError,
            r"^x: .*; labels cannot be dates: format them",
        ),
        (
            {"extra": {"kind": [1, 2]}},
            InvalidValueError,
            r"^extra: expected column names other than member, kind, at, v",
        ),
        ({"extra": {"": [1, 2]}}, InvalidTypeError, r"^extra: expected column names that are non-empty str, got ''$"),
        ({"extra": {3: [1, 2]}}, InvalidTypeError, r"^extra: expected column names that are non-empty str, got 3$"),
    ],
)
def test_a_column_that_cannot_be_used_is_refused_by_name(columns, error, told):
    given = {"member": ["ann", "bo"], "at": [0, 1]} | columns
    with pytest.raises(error, match=told):
        log_of(**given)


def test_what_is_no_event_is_refused():
    with pytest.raises(InvalidTypeError, match=r"^events: expected Event records, got 7 at row 1$"):
        EventLog.from_events([Event(member=1, kind="join", at=from_us(0)), 7])  # type: ignore[list-item]


# --- what it holds ---


def test_a_column_is_found_by_name():
    assert FULL.column("member") is FULL.member
    assert FULL.column("group") is FULL.group
    assert FULL.column("age") is FULL.extra["age"]
    with pytest.raises(
        UnknownLabelError,
        match=r"^column: expected one of the log's columns \(member, kind, value, target, group, item, channel, age\), "
        r"got 'chanel'; did you mean 'channel'\?$",
    ):
        FULL.column("chanel")
    with pytest.raises(UnknownLabelError, match=r"columns \(member, kind\), got 'group'$"):
        log_of(member=[1]).column("group")


def test_whole_numbers_count_as_labels_and_others_do_not():
    log = log_of(member=[1, 2], extra={"age": [41, 30], "score": [0.5, 1.5]})
    assert log.labelled_column("age").index == Index([30, 41])
    with pytest.raises(InvalidTypeError, match=r"^by: .*, got 0.5 at row 0 \(2 of 2 rows\); cast whole numbers"):
        log.labelled_column("score")


def test_a_log_shows_its_size():
    assert repr(FULL) == "EventLog(4 rows, 3 members, 3 kinds)"


# --- parts and wholes ---


@pytest.mark.parametrize(
    ("conditions", "rows"),
    [
        ({}, [0, 1, 2, 3]),
        ({"kinds": "join"}, [0, 1]),
        ({"kinds": {"join", "post"}}, [0, 1, 3]),
        ({"kinds": EventKind.JOIN}, [0, 1]),
        ({"kinds": [EventKind.JOIN, "unknown"]}, [0, 1]),
        ({"kinds": []}, []),
        ({"members": ["cy", "dan"]}, [3]),
        ({"members": ["ann", "ann"]}, [0, 2]),
        ({"members": Index(["bo"])}, [1]),
        ({"members": np.array(["bo"])}, [1]),
        ({"members": [7]}, []),
        ({"groups": [7]}, [0, 2]),
        ({"groups": iter([9])}, [3]),
        ({"items": {"tea"}}, [2]),
        ({"rows": [True, False, True, False]}, [0, 2]),
        ({"rows": [3, 1]}, [1, 3]),
        ({"rows": []}, []),
        ({"rows": np.array([2], dtype=np.uint8)}, [2]),
        ({"start": from_us(30_000_000)}, [1, 2, 3]),
        ({"end": from_us(60_000_000)}, [0, 2]),
        ({"start": from_us(30_000_000), "end": from_us(60_000_000)}, [2]),
        ({"kinds": "join", "members": ["ann"], "rows": [0, 1]}, [0]),
    ],
)
def test_rows_that_meet_every_condition_stay_in_order(conditions, rows):
    part = FULL.where(**conditions)
    assert part.at_us.tolist() == FULL.at_us[rows].tolist()
    events = list(FULL.to_events())
    assert list(part.to_events()) == [events[row] for row in rows]
    assert part.kinds == FULL.kinds
    assert {*part.members} == {event.member for event in part.to_events()}


@pytest.mark.parametrize(
    ("conditions", "error", "told"),
    [
        ({"members": b"ann"}, InvalidTypeError, r"^members: expected labels, got b'ann'$"),
        ({"groups": 7.5}, InvalidTypeError, r"^groups: expected labels, got 7.5$"),
        ({"kinds": [1]}, InvalidTypeError, r"^kinds: expected kinds of event as str, got 1$"),
        ({"kinds": b"post"}, InvalidTypeError, r"^kinds: expected kinds of event as str, got b'post'$"),
        ({"kinds": np.array("post")}, InvalidTypeError, r"^kinds: expected kinds of event as str, got 'post'$"),
        (
            {"members": ["a", 1]},
            InvalidTypeError,
            r"^members: expected labels that are all str or all int, got 1 at row 1",
        ),
        (
            {"kinds": [None]},
            InvalidTypeError,
            r"^kinds: expected kinds of event as str, got None$",
        ),
        (
            {"rows": np.ma.masked_array([True] * 4, mask=[0, 1, 0, 0])},
            InvalidValueError,
            r"^rows: expected a mask or row numbers without masked entries, got 'a masked one' at row 1$",
        ),
        ({"rows": [True]}, MisalignedError, r"^rows: expected a mask of 4 rows, got 1 rows$"),
        (
            {"rows": [0, 4, -1]},
            InvalidValueError,
            r"^rows: expected row numbers in \[0, 4\), got 4 at row 1 \(2 of 3 rows",
        ),
        ({"rows": [0.5]}, InvalidTypeError, r"^rows: expected a mask or row numbers, got 'float64'$"),
        (
            {"rows": [[0]]},
            InvalidValueError,
            r"^rows: expected a 1-D mask or row numbers, got 'an array of shape \(1, 1\)",
        ),
        ({"rows": [[0], [1, 2]]}, InvalidTypeError, r"^rows: expected a mask or row numbers, got \[\[0\], \[1, 2\]\]$"),
        ({"rows": 3}, InvalidValueError, r"^rows: expected a 1-D mask or row numbers, got 'an array of shape \(\)'$"),
        ({"start": 7}, InvalidTypeError, r"^start: expected an aware datetime, got 7"),
        ({"end": dt.datetime(2024, 1, 1)}, InvalidValueError, r"^end: expected an aware datetime"),  # noqa: DTZ001
    ],
)
def test_a_condition_that_cannot_be_used_is_refused(conditions, error, told):
    with pytest.raises(error, match=told):
        FULL.where(**conditions)


def test_a_condition_on_a_column_that_is_not_there_is_refused():
    with pytest.raises(UnknownLabelError, match=r"got 'group'$"):
        log_of(member=[1]).where(groups=[7])


def test_sorting_orders_by_member_instant_and_row():
    log = log_of(member=["bo", "ann", "bo", "bo", "ann"], at=[5, 9, 5, 1, 9], value=[0, 1, 2, 3, 4])
    ordered = log.sorted()
    assert numbers(ordered, "value").tolist() == [3, 0, 2, 1, 4]
    assert ordered.source_rows is not None
    assert ordered.source_rows.tolist() == [3, 0, 2, 1, 4]
    assert ordered.is_sorted
    assert not log.is_sorted
    assert ordered.sorted() is ordered
    assert ordered.members == log.members


def test_a_part_of_a_sorted_log_is_sorted_and_remembers_where_its_rows_stood():
    ordered = log_of(member=["bo", "ann", "bo"], at=[5, 9, 1]).sorted()
    part = ordered.where(members=["bo"])
    assert part.is_sorted
    assert part.source_rows is not None
    assert part.source_rows.tolist() == [2, 0]


def test_keys_that_fit_no_integer_are_sorted_all_the_same(monkeypatch):
    codes, at_us = np.array([1, 0, 1, 0], dtype=np.int32), np.array([5, 5, 3, -(2**50)])
    packed = sorted_rows(codes, at_us)
    monkeypatch.setattr("shequn.columns.log._KEY_BITS", 10)
    assert sorted_rows(codes, at_us).tolist() == packed.tolist() == [3, 1, 2, 0]


def test_a_member_goes_to_the_same_part_in_every_log():
    names = [f"u{i}" for i in range(40)]
    whole, some = log_of(member=names * 2), log_of(member=[*names[30:], "new"])
    parts, parts_of_some = whole.partition(4), some.partition(4)
    assert sum(map(len, parts)) == 80
    assert all(part.kinds == whole.kinds for part in parts)
    for part, part_of_some in zip(parts, parts_of_some, strict=True):
        assert {*part_of_some.members} - {"new"} == {*part.members} & {*names[30:]}


def test_parts_may_be_empty():
    parts = log_of(member=["ann"]).partition(3)
    assert sorted(map(len, parts)) == [0, 0, 1]
    assert len(EventLog.empty().partition(2)) == 2
    assert log_of(member=["ann"]).partition(ONE)[0] == log_of(member=["ann"])


@pytest.mark.parametrize("n", [0, -1, 10**7])
def test_there_are_some_parts_and_not_too_many(n):
    with pytest.raises(InvalidValueError, match=rf"^n: expected a number of parts in \[1, 65,536\], got {n}$"):
        FULL.partition(n)


@pytest.mark.parametrize("n", [True, 1.5, "2", None, np.timedelta64(2, "s")])
def test_a_number_of_parts_is_a_number(n):
    with pytest.raises(InvalidTypeError, match=r"^n: expected an integer, got "):
        FULL.partition(n)


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ({"members": "ann"}, {"members": ["ann"]}),
        ({"groups": 7}, {"groups": {7}}),
        ({"groups": np.int64(7)}, {"groups": np.array([7])}),
        ({"items": "tea"}, {"items": ("tea",)}),
        ({"kinds": "post"}, {"kinds": {"post"}}),
        ({"kinds": EventKind.POST}, {"kinds": np.array(["post"])}),
    ],
)
def test_one_label_may_stand_for_a_collection_of_one(one, many):
    assert len(FULL.where(**one)) > 0
    assert FULL.where(**one) == FULL.where(**many)


def test_of_no_kind_there_are_no_rows():
    assert len(FULL.where(kinds=[])) == len(FULL.where(kinds={})) == 0


@pytest.mark.parametrize("kinds", [[1], b"post", 5, np.array([1])])
def test_a_touch_is_told_by_kinds_that_are_words(kinds: Any):
    for touch in (FULL.first, FULL.last):
        with pytest.raises(InvalidTypeError, match=r"^kinds: expected kinds of event as str, got "):
            touch("group", kinds=kinds)


@pytest.mark.parametrize("name", [["member"], {}, np.array(["member"]), None, 5])
def test_a_column_has_a_name_that_is_a_word(name: Any):
    for ask in (FULL.column, FULL.labelled_column, FULL.first, FULL.last):
        with pytest.raises(InvalidTypeError, match=r"^(column|by): expected the name of a column, got "):
            ask(name)


@pytest.mark.parametrize("nothing", [None, 7, np.array(5), "ann"])
def test_what_holds_no_events_or_logs_makes_no_log(nothing: Any):
    with pytest.raises(InvalidTypeError, match=r"^events: expected Event records, got "):
        EventLog.from_events(nothing)
    with pytest.raises(InvalidTypeError, match=r"^logs: expected EventLog objects, got "):
        EventLog.concat(nothing)


@pytest.mark.parametrize(
    ("named", "error", "told"),
    [
        ({"extra": None}, InvalidTypeError, r"^extra: expected names of columns, got None$"),
        ({"member": None}, UnknownLabelError, r"^member: expected one of the frame's columns \(a\), got None$"),
        ({"value": np.array([1, 2])}, InvalidTypeError, r"^value: expected the name of a column, got array"),
    ],
)
def test_the_columns_of_a_frame_are_named(named: dict[str, Any], error: Any, told: str):
    names: dict[str, Any] = {"member": "a", "kind": "a", "at": "a"} | named
    with pytest.raises(error, match=told):
        EventLog.from_frame({"a": [1]}, **names)


@pytest.mark.parametrize("extra", [["age"], np.array([1, 2]), np.timedelta64(1, "s")])
def test_extras_come_by_name(extra: Any):
    with pytest.raises(InvalidTypeError, match=r"^extra: expected a mapping of name to column, got "):
        log_of(member=["ann"], extra=extra)


def test_the_unit_of_integers_is_a_word():
    with pytest.raises(
        InvalidTypeError, match=r"^time_unit: expected one of 's', 'ms', 'us', got array\(\['s', 'ms'\]"
    ):
        log_of(member=["ann"], time_unit=np.array(["s", "ms"]))


def test_logs_are_stacked_under_the_labels_of_all():
    one = log_of(member=["ann"], kind="post", value=[5], group=["g1"], extra={"channel": ["抖音"], "age": [30]})
    other = log_of(member=["bo", "ann"], kind=["like", "post"], at=[1, 2], time_unit="us", item=["tea", None])
    both = EventLog.concat([one, other])
    assert both.member.labels().tolist() == ["ann", "bo", "ann"]
    assert both.kinds == Index(["post", "like"])
    assert str(numbers(both, "value").tolist()) == "[5.0, nan, nan]"
    assert str(numbers(both, "age").tolist()) == "[30.0, nan, nan]"
    assert both.labelled_column("group").labels().tolist() == ["g1", None, None]
    assert both.labelled_column("item").labels().tolist() == [None, "tea", None]
    assert both.labelled_column("channel").labels().tolist() == ["抖音", None, None]
    assert both.resolution == "us"
    assert EventLog.concat([one]) is one


def test_a_log_without_rows_changes_nothing_when_stacked():
    for empty in (EventLog.empty(), FULL.where(kinds=[]), log_of(member=[], extra={"age": [], "channel": []})):
        both = EventLog.concat([empty, FULL, empty])
        assert both == FULL
        assert both.resolution == FULL.resolution
    value = EventLog.concat([EventLog.empty(), log_of(member=[1], value=[2**60])]).value
    assert value is not None
    assert value.tolist() == [2**60]


def test_a_column_in_which_everything_is_missing_is_of_any_sort():
    one = log_of(member=[1], extra={"x": [None], "y": [None]})
    other = log_of(member=[2], extra={"x": [5], "y": ["a"]})
    both = EventLog.concat([one, other])
    assert str(numbers(both, "x").tolist()) == "[nan, 5.0]"
    assert both.labelled_column("y").labels().tolist() == [None, "a"]
    assert EventLog.concat([one, one]).labelled_column("x").labels().tolist() == [None, None]
    nothing = log_of(member=[], extra={"x": np.array([], dtype=np.int64)})
    assert numbers(EventLog.concat([nothing, nothing]), "x").dtype == np.int64


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (
            {"member": ["a"]},
            {"member": [1]},
            r"^member: expected labels of one type \(str, as 'a'\), got 1, a label of",
        ),
        ({"group": ["a"]}, {"group": [1]}, r"^group: expected labels of one type \(str, as 'a'\), got 1, a label of"),
        (
            {"extra": {"x": [1]}},
            {"extra": {"x": ["a"]}},
            r"^x: expected numbers in every log or labels in every log, got",
        ),
    ],
)
def test_columns_of_different_sorts_are_not_stacked(one, other, told):
    with pytest.raises(InvalidTypeError, match=told):
        EventLog.concat([log_of(**{"member": ["m"], **one}), log_of(**{"member": ["m"], **other})])


def test_integers_that_a_missing_value_would_change_are_not_stacked():
    with pytest.raises(
        InvalidValueError, match=r"^value: expected integers up to 2\*\*53 beside .*, got -9007199254740993$"
    ):
        EventLog.concat([log_of(member=[1], value=[-(2**53) - 1]), log_of(member=[1])])


def test_only_logs_are_stacked():
    with pytest.raises(InvalidTypeError, match=r"^logs: expected EventLog objects, got 7 at row 1$"):
        EventLog.concat([FULL, 7])  # type: ignore[list-item]


# --- per member ---


def test_the_first_touch_and_the_last_touch_are_rows_that_have_a_label():
    log = log_of(
        member=["ann", "ann", "ann", "bo", "bo", "cy"],
        kind=["post", "join", "join", "join", "join", "post"],
        at=[0, 5, 9, 7, 7, 1],
        extra={"channel": [None, "x", "y", "x", "y", None]},
    )
    assert log.first("channel").labels().tolist() == ["x", "x", None]
    assert log.last("channel").labels().tolist() == ["y", "y", None]
    assert log.first("channel", kinds="post").n_unassigned == 3
    assert log.first("channel", kinds={"join"}).members == log.members
    assert log.first("kind").labels().tolist() == ["post", "join", "post"]
    with pytest.raises(UnknownLabelError, match=r"got 'chanel'; did you mean 'channel'"):
        log.first("chanel")


# --- equality and copies ---


def test_logs_are_equal_when_their_rows_are():
    again = EventLog.concat([FULL.where(rows=[0, 1]), FULL.where(rows=[2, 3])])
    assert again == FULL
    assert FULL.where(rows=[0, 1]) != FULL
    assert attrs.evolve(FULL, extra={}) != FULL
    assert attrs.evolve(FULL, value=None) != FULL
    assert attrs.evolve(FULL, extra={"channel": FULL.extra["channel"], "age": FULL.extra["channel"]}) != FULL
    assert attrs.evolve(FULL, at_us=FULL.at_us + 1) != FULL
    assert attrs.evolve(FULL, group=None) != FULL
    assert FULL != "log"
    with pytest.raises(TypeError):
        hash(FULL)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda log: pickle.loads(pickle.dumps(log))])  # noqa: S301
@pytest.mark.parametrize("log", [FULL, FULL.sorted(), EventLog.empty()], ids=["full", "sorted", "empty"])
def test_a_copy_of_a_log_is_read_only_too(log, duplicate):
    double = duplicate(log)
    assert double == log
    assert double.is_sorted == log.is_sorted
    assert double.resolution == log.resolution
    assert not double.at_us.flags.writeable
    assert not any(column.flags.writeable for column in double.to_columns().values())
    with pytest.raises(TypeError):
        double.extra["new"] = double.kind


def test_ten_columns_of_a_row_take_thirteen_bytes():
    n = 1000
    log = log_of(member=np.arange(40_000)[:n] * 40, kind=["post", "like"] * (n // 2), at=np.arange(n))
    wide = log_of(member=np.arange(40_000), at=np.arange(40_000))
    assert (log.member_codes.itemsize, log.kind_codes.itemsize, log.at_us.itemsize) == (2, 1, 8)
    assert (wide.member_codes.itemsize, wide.kind_codes.itemsize, wide.at_us.itemsize) == (4, 1, 8)
