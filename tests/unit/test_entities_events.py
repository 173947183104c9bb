from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest

from shequn.entities import Event, EventKind
from shequn.errors import InvalidTypeError, InvalidValueError

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def joined(**changes):
    return Event(**{"member": "u1", "kind": "join", "at": NOON, "group": "g7", "extra": {"channel": "抖音"}, **changes})


def test_an_event_says_who_what_when_and_leaves_the_rest_open():
    event = Event(member="u1", kind="post", at=NOON)
    assert (event.value, event.target, event.group, event.item, dict(event.extra)) == (None, None, None, None, {})


def test_an_event_is_made_by_keyword():
    with pytest.raises(TypeError, match="positional"):
        Event("u1", "post", NOON)  # type: ignore[call-arg]


def test_events_that_say_the_same_are_equal():
    assert joined() == joined()
    assert hash(joined()) == hash(joined())
    assert joined() == joined(at=NOON.astimezone(BERLIN))
    assert hash(joined()) == hash(joined(at=NOON.astimezone(BERLIN)))


@pytest.mark.parametrize(
    "change",
    [
        {"member": "u2"},
        {"kind": "leave"},
        {"at": NOON.replace(microsecond=1)},
        {"value": 1},
        {"target": "u2"},
        {"group": None},
        {"item": "i1"},
        {"extra": {"channel": "微博"}},
    ],
)
def test_events_that_say_something_else_differ(change):
    assert joined() != joined(**change)


def test_the_two_readings_of_a_clock_that_is_set_back_are_two_instants():
    first = datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=0)
    second = first.replace(fold=1)
    assert first == second
    assert joined(at=first) != joined(at=second)
    assert joined(at=second).at_us - joined(at=first).at_us == 3_600_000_000


def test_an_instant_is_microseconds_since_the_epoch():
    assert joined(at=datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC)).at_us == 1_000_005
    assert joined(at=datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)).at_us == -1_000_000


def test_a_kind_is_kept_as_a_plain_text_and_may_be_ones_own():
    assert type(joined(kind=EventKind.JOIN).kind) is str
    assert joined(kind=EventKind.JOIN) == joined()
    assert joined(kind="plant_tree").kind == "plant_tree"


@pytest.mark.parametrize("value", [0, -3, 2**70, 10**400, 1.5, float("inf")])
def test_a_value_is_taken_as_it_is(value):
    assert joined(value=value).value == value
    assert type(joined(value=value).value) is type(value)


def test_numbers_of_numpy_become_those_of_python():
    event = joined(value=np.int64(5), member=np.int64(1), extra={"weight": np.float64(0.5)})
    assert [type(x) for x in (event.value, event.member, event.extra["weight"])] == [int, int, float]
    assert type(joined(value=np.float32(0.5)).value) is float


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, attrs.evolve, lambda e: pickle.loads(pickle.dumps(e))])  # noqa: S301
def test_a_copy_is_equal(duplicate):
    double = duplicate(joined(value=3))
    assert double == joined(value=3)
    assert dict(double.extra) == {"channel": "抖音"}


def test_what_was_given_may_change_afterwards_and_the_event_does_not():
    extra = {"channel": "抖音"}
    event = joined(extra=extra)
    extra["channel"] = "微博"
    assert event.extra["channel"] == "抖音"


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"member": ""}, InvalidValueError, "^member: expected a non-empty str or an int, got ''$"),
        ({"member": None}, InvalidTypeError, "^member: expected a non-empty str or an int, got None$"),
        ({"kind": ""}, InvalidValueError, "^kind: expected a non-empty str, got ''$"),
        ({"kind": 3}, InvalidTypeError, "^kind: expected a non-empty str, got 3$"),
        ({"at": datetime(2024, 1, 1)}, InvalidValueError, "^at: expected an aware datetime, got datetime"),  # noqa: DTZ001
        ({"at": None}, InvalidTypeError, "^at: expected an aware datetime, got None$"),
        ({"at": 1_700_000_000}, InvalidTypeError, "^at: expected an aware datetime, got 1700000000$"),
        ({"value": "5"}, InvalidTypeError, "^value: expected an int, a float or None, got '5'$"),
        ({"value": np.timedelta64(5, "ns")}, InvalidTypeError, "^value: expected an int, a float or None, got "),
        ({"value": True}, InvalidTypeError, "^value: expected an int, a float or None, got True$"),
        (
            {"value": float("nan")},
            InvalidValueError,
            "^value: expected a number, or None where there is none, got nan$",
        ),
        ({"target": ""}, InvalidValueError, "^target: expected a non-empty str or an int, got ''$"),
        ({"group": 1.5}, InvalidTypeError, "^group: expected a non-empty str or an int, got 1.5$"),
        ({"item": b"x"}, InvalidTypeError, "^item: expected a non-empty str or an int, got b'x'$"),
        ({"extra": None}, InvalidTypeError, "^extra: expected a mapping of name to value, got None$"),
        (
            {"extra": {"a": {}}},
            InvalidTypeError,
            r"^extra\['a'\]: expected a text, a number, a date or the like, got \{\}$",
        ),
    ],
)
def test_a_field_that_cannot_be_used_is_named_with_what_was_expected_and_what_came(changes, error, says):
    with pytest.raises(error, match=says):
        joined(**changes)
