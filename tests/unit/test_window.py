"""Windows: from one instant until just before another."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pendulum
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.values import Window, from_us

BERLIN = ZoneInfo("Europe/Berlin")
MARCH = Window(pendulum.datetime(2024, 3, 1, tz="Asia/Shanghai"), pendulum.datetime(2024, 4, 1, tz="Asia/Shanghai"))


def test_the_start_is_inside_and_the_end_is_not():
    assert MARCH.contains(MARCH.start)
    assert not MARCH.contains(MARCH.end)
    assert MARCH.contains(from_us(MARCH.end_us - 1))
    assert not MARCH.contains(from_us(MARCH.start_us - 1))


def test_the_mask_agrees_with_contains():
    at_us = np.array([MARCH.start_us - 1, MARCH.start_us, MARCH.end_us - 1, MARCH.end_us])
    mask = MARCH.mask(at_us)
    assert mask.tolist() == [False, True, True, False] == [MARCH.contains(from_us(at)) for at in at_us.tolist()]
    assert not mask.flags.writeable
    assert MARCH.mask(at_us.astype(">i8")[::-1]).tolist() == [False, True, True, False]
    assert MARCH.mask(np.array([])).tolist() == []


def test_a_window_inside_a_dst_fold_lasts_an_hour():
    summer, winter = (datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=fold) for fold in (0, 1))
    window = Window(summer, winter)
    assert window.duration == timedelta(hours=1)
    assert window.contains(summer)
    assert not window.contains(winter)
    with pytest.raises(InvalidValueError, match="end: expected an instant after start"):
        Window(winter, summer)


def test_the_duration_is_elapsed_time():
    day = Window(datetime(2024, 3, 31, tzinfo=BERLIN), datetime(2024, 4, 1, tzinfo=BERLIN))
    assert day.duration == pendulum.duration(hours=23)
    assert isinstance(day.duration, pendulum.Duration)


def test_windows_are_equal_when_their_instants_are():
    utc = Window(start=datetime(2024, 2, 29, 16, tzinfo=UTC), end=datetime(2024, 3, 31, 16, tzinfo=UTC))
    assert utc == MARCH
    assert hash(utc) == hash(MARCH)
    assert utc != Window(utc.start, from_us(utc.end_us + 1))
    summer, winter = (datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=fold) for fold in (0, 1))
    end = datetime(2024, 11, 1, tzinfo=BERLIN)
    assert Window(summer, end) != Window(winter, end)


def test_a_window_survives_pickling_and_evolving():
    assert pickle.loads(pickle.dumps(MARCH)) == MARCH  # noqa: S301
    assert attrs.evolve(MARCH, end=MARCH.end).end is MARCH.end
    assert repr(MARCH) == "Window(2024-03-01T00:00:00+08:00, 2024-04-01T00:00:00+08:00)"


def test_a_window_that_ends_when_it_starts_or_before_is_refused():
    for end in (MARCH.start, MARCH.start.subtract(days=1)):  # type: ignore[attr-defined]
        with pytest.raises(
            InvalidValueError, match=r"end: expected an instant after start \(2024-03-01T00:00:00\+08:00\), got '2024-0"
        ):
            Window(MARCH.start, end)


@pytest.mark.parametrize(
    ("start", "end", "error", "words"),
    [
        (datetime(2024, 1, 1), MARCH.end, InvalidValueError, "start: expected an aware datetime, got '2024-01-01T00"),  # noqa: DTZ001
        (MARCH.start, date(2024, 4, 1), InvalidTypeError, "end: expected an aware datetime, got .*; a date is not an"),
        (MARCH.start, "2024-04-01", InvalidTypeError, "end: expected an aware datetime, got '2024-04-01'; text is not"),
        (MARCH.start, None, InvalidValueError, "end: expected an aware datetime, got None"),
    ],
)
def test_ends_that_are_no_instants_are_refused(start: Any, end: Any, error: type[Exception], words: str):
    with pytest.raises(error, match=words):
        Window(start, end)


def test_only_instants_can_be_inside():
    with pytest.raises(InvalidValueError, match=r"at: expected an aware datetime, got .*; it has no time zone"):
        MARCH.contains(datetime(2024, 3, 2))  # noqa: DTZ001
    for values in (np.array([1.0]), np.array(["2024-03-02"], dtype="M8[D]")):
        with pytest.raises(InvalidTypeError, match="at_us: expected an array of int64 microseconds, got '"):
            MARCH.mask(values)


def test_instants_come_in_one_row_each():
    ragged: Any = [[1], [2, 3]]
    with pytest.raises(
        InvalidTypeError, match=r"^at_us: expected an array of int64 microseconds, got \[\[1\], \[2, 3\]\]$"
    ):
        MARCH.mask(ragged)
    with pytest.raises(InvalidValueError, match=r"^at_us: .* without masked entries, got 'a masked one' at row 1$"):
        MARCH.mask(np.ma.masked_array([1, 2], mask=[False, True]))
