"""Hours that come back every day: how they are told, what lies in them, and what is refused."""

from __future__ import annotations

import datetime as dt
import pickle
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pendulum
import pytest

import shequn as sq
from shequn.errors import InfeasibleError, InvalidTypeError, InvalidValueError, UnknownLabelError
from shequn.values.instants import instant_us

SHANGHAI = "Asia/Shanghai"
MINUTE_US = 60_000_000


def at(*parts, tz=SHANGHAI):
    return pendulum.datetime(*parts, tz=tz)


@pytest.mark.parametrize("start", ["22:00", "22：00", dt.time(22), 1320, np.int64(1320)])
def test_a_time_of_day_is_told_in_several_ways(start):
    assert sq.DailyWindow(start=start, end="7:00", tz=SHANGHAI).start == 1320


@pytest.mark.parametrize(
    ("weekdays", "kept"),
    [
        (None, (0, 1, 2, 3, 4, 5, 6)),
        ("mon-fri", (0, 1, 2, 3, 4)),
        ("sat-mon", (0, 5, 6)),
        ("Sun, wed", (2, 6)),
        (["sat", 6], (5, 6)),
        (np.array([3, 3]), (3,)),
    ],
)
def test_weekdays_are_told_in_several_ways(weekdays, kept):
    assert sq.DailyWindow(start="09:00", end="18:00", weekdays=weekdays, tz=SHANGHAI).weekdays == kept


def test_a_night_belongs_to_the_day_it_began():
    night = sq.DailyWindow(start="22:00", end="07:00", weekdays="fri", tz=SHANGHAI)
    assert night.contains(at(2024, 3, 1, 22))
    assert night.contains(at(2024, 3, 2, 1))
    assert not night.contains(at(2024, 3, 1, 1))
    assert not night.contains(at(2024, 3, 2, 22))
    sunday = sq.DailyWindow(start="22:00", end="07:00", weekdays="sun", tz=SHANGHAI)
    assert sunday.contains(at(2024, 3, 4, 6, 59))


@pytest.mark.parametrize("use", ["quiet", "active"])
def test_the_start_is_inside_and_the_end_is_not(use):
    work = sq.DailyWindow(start="09:00", end="18:00", weekdays="mon-fri", tz=SHANGHAI, use=use)
    nine, six = instant_us(at(2024, 3, 1, 9)), instant_us(at(2024, 3, 1, 18))
    around = np.array([nine - 1, nine, nine + 1, six - 1, six, six + 1])
    inside = [False, True, True, True, False, False]
    assert work.mask(around).tolist() == inside
    assert work.allowed(around).tolist() == [each == (use == "active") for each in inside]


def test_a_window_until_midnight_ends_with_its_day():
    evening = sq.DailyWindow(start="20:00", end="00:00", weekdays="fri", tz=SHANGHAI)
    assert evening.contains(at(2024, 3, 1, 23, 59))
    assert not evening.contains(at(2024, 3, 2))
    assert not evening.contains(at(2024, 3, 1))


def test_quiet_hours_end_when_the_wall_clock_says_so_though_clocks_change():
    night = sq.DailyWindow(start="22:00", end="07:00", tz="Europe/Berlin")
    spring = at(2024, 3, 30, 22, tz="Europe/Berlin")
    assert night.next_allowed(spring) == spring.add(hours=8)
    autumn = at(2024, 10, 26, 22, tz="Europe/Berlin")
    assert night.next_allowed(autumn) == autumn.add(hours=10)


def test_an_hour_that_clocks_show_twice_counts_both_times_and_one_they_skip_has_no_instant():
    hour = sq.DailyWindow(start="02:15", end="02:45", tz="Europe/Berlin")
    fold = instant_us(at(2024, 10, 27, 2, 30, tz="UTC").subtract(hours=2))  # 02:30 for the first time
    assert hour.mask(np.array([fold, fold + 30 * MINUTE_US, fold + 60 * MINUTE_US])).tolist() == [True, False, True]
    gap = np.arange(instant_us(at(2024, 3, 31, tz="UTC")), instant_us(at(2024, 3, 31, 3, tz="UTC")), MINUTE_US)
    assert not hour.mask(gap).any()
    active = attrs.evolve(hour, use="active")
    waiting = at(2024, 3, 30, 12, tz="Europe/Berlin")
    assert active.next_allowed(waiting).isoformat() == "2024-04-01T02:15:00+02:00"


def test_the_next_allowed_instant_is_the_instant_itself_where_it_is_allowed():
    night = sq.DailyWindow(start="22:00", end="07:00", tz=SHANGHAI)
    seven = instant_us(at(2024, 3, 1, 7))
    assert night.next_allowed(np.array([seven - 1, seven, seven + 1])).tolist() == [seven, seven, seven + 1]
    answer = night.next_allowed(dt.datetime(2024, 3, 1, 1, tzinfo=ZoneInfo("UTC")))
    assert answer.isoformat() == "2024-03-01T09:00:00+08:00"


def test_quiet_and_active_hours_are_taken_together():
    quiet = sq.QuietHours(
        windows=[
            sq.DailyWindow(start="09:00", end="18:00", weekdays="mon-fri", tz=SHANGHAI),
            sq.DailyWindow(start="08:00", end="22:00", tz=SHANGHAI, use="active"),
        ]
    )
    hours = [at(2024, 3, 1, hour) for hour in range(24)]
    assert [hour.hour for hour in hours if quiet.allowed(hour)] == [8, 18, 19, 20, 21]
    assert quiet.contains(at(2024, 3, 1, 9))
    assert quiet.next_allowed(at(2024, 3, 1, 23)) == at(2024, 3, 2, 8)
    two = sq.QuietHours.of(
        sq.DailyWindow(start=start, end=end, tz=SHANGHAI, use="active") for start, end in [(60, 120), (180, 240)]
    )
    assert [two.allowed(at(2024, 3, 1, hour)) for hour in (1, 2, 3)] == [True, False, True]


def test_no_windows_allow_everything():
    none = sq.QuietHours.of(None)
    assert none.allowed(at(2024, 3, 1))
    assert none.next_allowed(at(2024, 3, 1)) == at(2024, 3, 1)
    assert none.mask(np.array([0, 1])).tolist() == [False, False]
    assert sq.QuietHours.of(none) is none


def test_windows_of_several_zones_are_taken_together():
    night = [sq.DailyWindow(start="22:00", end="07:00", tz=tz) for tz in (SHANGHAI, "America/New_York")]
    quiet = sq.QuietHours.of(night)
    # 07:00 to 09:00 in New York is 19:00 to 21:00 in Shanghai, in summer.
    assert quiet.next_allowed(at(2024, 7, 1, 12)).isoformat() == "2024-07-01T19:00:00+08:00"


@pytest.mark.parametrize(
    "windows",
    [
        [("06:00", "18:00", SHANGHAI, "quiet"), ("18:00", "06:00", SHANGHAI, "quiet")],
        [("09:00", "18:00", SHANGHAI, "quiet"), ("10:00", "17:00", SHANGHAI, "active")],
        [("06:00", "18:00", SHANGHAI, "quiet"), ("10:00", "22:00", "UTC", "quiet")],
    ],
)
def test_windows_that_leave_nothing_are_refused(windows):
    given = [sq.DailyWindow(start=start, end=end, tz=tz, use=use) for start, end, tz, use in windows]
    with pytest.raises(
        InvalidValueError, match=r"windows: expected windows that together leave some minute of the week"
    ):
        sq.QuietHours.of(given)


def test_a_minute_that_zones_leave_only_for_a_while_is_looked_for_up_to_a_limit():
    # What both leave is 10:00 to 11:00 in London while its clocks are an hour ahead of UTC, which is each summer.
    windows = [
        sq.DailyWindow(start="11:00", end="10:00", tz="Europe/London"),
        sq.DailyWindow(start="10:00", end="09:00", tz="UTC"),
    ]
    quiet = sq.QuietHours.of(windows)
    assert quiet.next_allowed(at(2024, 12, 1)).isoformat() == "2025-03-30T10:00:00+01:00"
    with pytest.raises(InfeasibleError, match="2,000 days") as raised:
        # Until 1916 clocks in London did not change.
        quiet.next_allowed(at(1903, 1, 1))
    assert "2000 天" in raised.value.zh


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"start": "24:00"}, InvalidValueError, r"start: expected a time of day such as '09:00'"),
        ({"start": "9.00"}, InvalidValueError, r"start: .*got '9\.00'"),
        ({"start": 1440}, InvalidValueError, r"start: .*minutes from 0 to 1439, got 1440"),
        ({"start": -1}, InvalidValueError, "got -1"),
        ({"start": dt.time(9, 0, 1)}, InvalidValueError, "whole minutes"),
        ({"start": dt.time(9, tzinfo=dt.UTC)}, InvalidValueError, "without a zone"),
        ({"start": 9.0}, InvalidTypeError, r"got 9\.0"),
        ({"start": True}, InvalidTypeError, "got True"),
        ({"end": "09:00"}, InvalidValueError, r"end: expected another time of day than start \(09:00\)"),
        ({"weekdays": ()}, InvalidValueError, "at least one day"),
        ({"weekdays": "monday"}, InvalidValueError, "did you mean 'mon'"),
        ({"weekdays": 3}, InvalidTypeError, "weekdays such as"),
        ({"weekdays": [7]}, InvalidValueError, "got 7"),
        ({"weekdays": [1.0]}, InvalidTypeError, r"got 1\.0"),
        ({"tz": "Asia/Beijing"}, UnknownLabelError, "did you mean 'Asia/Shanghai'"),
        ({"use": "loud"}, InvalidValueError, "one of 'quiet', 'active'"),
    ],
)
def test_what_makes_no_window_is_refused(options, error, match):
    with pytest.raises(error, match=match):
        sq.DailyWindow(**{"start": "09:00", "end": "18:00", "tz": SHANGHAI} | options)


@pytest.mark.parametrize(
    ("at_us", "error", "match"),
    [
        ([0.5], InvalidTypeError, "at_us: expected a 1-D array of int64 microseconds, got '1-D float64 values'"),
        ([[0]], InvalidTypeError, "2-D int64"),
        ([0, -(10**18)], InvalidValueError, r"instants in \[1900, 2262\), got -1000000000000000000 at row 1 \(1 of 2"),
    ],
)
def test_what_is_no_column_of_instants_is_refused(at_us, error, match):
    window = sq.DailyWindow(start="09:00", end="18:00", tz=SHANGHAI)
    for method in (window.mask, window.allowed, window.next_allowed, sq.QuietHours.of(window).next_allowed):
        with pytest.raises(error, match=match):
            method(np.array(at_us))


def test_what_is_no_window_is_refused():
    with pytest.raises(InvalidTypeError, match="windows: expected DailyWindows, got '22:00' at row 0"):
        sq.QuietHours(windows=["22:00"])
    with pytest.raises(InvalidTypeError, match="windows: expected DailyWindows, got 3"):
        sq.QuietHours.of(3)
    with pytest.raises(InvalidValueError, match="zone"):
        sq.DailyWindow(start="09:00", end="18:00", tz=SHANGHAI).allowed(dt.datetime(2024, 3, 1))  # noqa: DTZ001


def test_nothing_asked_nothing_answered():
    quiet = sq.QuietHours.of(sq.DailyWindow(start="09:00", end="18:00", tz=SHANGHAI))
    none = np.zeros(0, dtype=np.int64)
    assert quiet.mask(none).shape == quiet.allowed(none).shape == quiet.next_allowed(none).shape == (0,)


def test_windows_are_values():
    window = sq.DailyWindow(start="22:00", end="07:00", weekdays="fri", tz=SHANGHAI)
    assert attrs.evolve(window, weekdays=window.weekdays) == window == pickle.loads(pickle.dumps(window))  # noqa: S301
    assert len({window, sq.DailyWindow(start=1320, end=420, weekdays=[4], tz=SHANGHAI)}) == 1


def test_a_cadence_keeps_caps_that_do_not_contradict_each_other():
    cadence = sq.Cadence(per_day=np.int64(2), per_month=2, min_gap=pendulum.duration(minutes=1), week_start="sunday")
    assert (cadence.per_day, cadence.per_week, cadence.min_gap_us) == (2, None, MINUTE_US)
    assert sq.Cadence().min_gap_us == 0
    assert sq.Cadence(per_day=0, min_gap=pendulum.duration(days=400)).per_day == 0
    assert sq.Cadence(per_day=3, min_gap=pendulum.duration(hours=12, minutes=29)).per_day == 3


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"per_day": -1}, InvalidValueError, "per_day: expected a cap of 0 or more"),
        ({"per_week": 1.0}, InvalidTypeError, "per_week: expected an integer"),
        ({"per_month": True}, InvalidTypeError, "per_month: expected an integer"),
        ({"per_day": 3, "per_week": 2}, InvalidValueError, r"per_day: expected at most per_week \(2\), got 3"),
        ({"per_day": 3, "per_month": 2}, InvalidValueError, r"per_day: expected at most per_month \(2\), got 3"),
        ({"per_week": 3, "per_month": 2}, InvalidValueError, "per_week: expected at most per_month"),
        ({"min_gap": 3}, InvalidTypeError, "min_gap: expected a duration"),
        ({"min_gap": -pendulum.duration(hours=1)}, InvalidValueError, "not negative"),
        (
            {"per_day": 3, "min_gap": pendulum.duration(hours=12, minutes=30)},
            InvalidValueError,
            r"per_day \(3\) can be",
        ),
        ({"per_week": 8, "min_gap": pendulum.duration(hours=25)}, InvalidValueError, r"per_week \(8\) can be reached"),
        ({"per_month": 2, "min_gap": pendulum.duration(days=40)}, InvalidValueError, r"per_month \(2\) can be reached"),
        ({"week_start": "friday"}, InvalidValueError, "one of 'monday', 'sunday'"),
    ],
)
def test_a_cadence_that_contradicts_itself_is_refused(options, error, match):
    with pytest.raises(error, match=match):
        sq.Cadence(**options)


@pytest.mark.parametrize("quiet", [sq.DailyWindow(start=480, end=540, tz="UTC"), sq.QuietHours()])
def test_the_ends_of_a_span_of_turns_are_whole_numbers_in_any_order(quiet):
    hour = 60 * MINUTE_US
    turns = quiet.turns_us(np.int64(0), np.int64(24 * hour))
    assert turns.tolist() == ([8 * hour, 9 * hour] if isinstance(quiet, sq.DailyWindow) else [])
    for empty in ((0, 0), (24 * hour, 0)):
        assert (quiet.turns_us(*empty).dtype, len(quiet.turns_us(*empty))) == (np.int64, 0)
    for bad in (None, "0", 0.5, np.zeros(2, dtype=np.int64), at(2024, 3, 1)):
        with pytest.raises(InvalidTypeError, match="lo_us: expected an integer"):
            quiet.turns_us(bad, 24 * hour)


def test_turns_a_long_way_off_are_refused():
    with pytest.raises(InvalidValueError, match="hi_us: expected microseconds in the years 1600 to 2599"):
        sq.DailyWindow(start=480, end=540, tz="UTC").turns_us(0, 10**30)


def test_one_instant_is_quiet_or_not_and_a_column_is_none():
    for column in ([], [0], [0, 1]):
        with pytest.raises(InvalidTypeError, match="at: expected an aware datetime"):
            sq.QuietHours().contains(np.array(column, dtype=np.int64))
