"""Daily windows against zoneinfo, one instant at a time, in zones whose clocks do odd things."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import shequn as sq
from shequn.errors import InvalidValueError
from shequn.values.instants import from_us

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "+05:45")
# Around changes of clocks in those zones (UTC): Apia skipped 30 December 2011, Lord Howe moves by half an hour.
MOMENTS = tuple(
    int(dt.datetime.fromisoformat(f"{text}+00:00").timestamp()) * 1_000_000
    for text in (
        "2011-12-30T10:00", "2024-03-31T01:00", "2024-10-27T01:00", "2024-03-10T07:00", "2024-11-03T06:00",
        "2024-04-06T15:00", "2024-10-05T15:30", "2024-07-03T00:00",
    )
)  # fmt: skip

windows = st.builds(
    lambda start, length, days, tz, use: sq.DailyWindow(
        start=start, end=(start + length) % 1440, weekdays=days, tz=tz, use=use
    ),
    st.one_of(st.integers(0, 1439), st.sampled_from([0, 60, 90, 120, 150, 180, 1320])),
    st.integers(1, 1439),
    st.sets(st.integers(0, 6), min_size=1),
    st.sampled_from(ZONES),
    st.sampled_from(["quiet", "active"]),
)
instants = st.builds(
    lambda moment, minutes, rest: moment + minutes * MINUTE_US + rest,
    st.sampled_from(MOMENTS),
    st.integers(-3_000, 3_000),
    st.sampled_from([-1, 0, 1, 29_000_000]),
)


def plain_inside(window, at_us):
    """Tell by the definition: what the wall clock shows, and on which date that night began."""
    tz = dt.timezone(dt.timedelta(hours=5, minutes=45)) if window.tz.startswith("+") else ZoneInfo(window.tz)
    wall = (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=at_us)).astimezone(tz)
    minute, today, yesterday = 60 * wall.hour + wall.minute, wall.weekday(), (wall.weekday() - 1) % 7
    if window.start < window.end:
        return window.start <= minute < window.end and today in window.weekdays
    return (minute >= window.start and today in window.weekdays) or (
        minute < window.end and yesterday in window.weekdays
    )


def plain_allowed(windows, at_us):
    active = [window for window in windows if window.use == "active"]
    if any(plain_inside(window, at_us) for window in windows if window.use == "quiet"):
        return False
    return not active or any(plain_inside(window, at_us) for window in active)


@given(windows, st.lists(instants, min_size=1, max_size=8))
def test_inside_is_what_the_wall_clock_says(window, at_us):
    expected = [plain_inside(window, each) for each in at_us]
    assert window.mask(np.array(at_us)).tolist() == expected
    assert [window.contains(from_us(each, "UTC")) for each in at_us] == expected
    assert window.allowed(np.array(at_us)).tolist() == [each == (window.use == "active") for each in expected]


@given(st.lists(windows, max_size=3), st.lists(instants, min_size=1, max_size=6))
def test_the_next_allowed_instant_is_allowed_and_nothing_before_it_is(windows, at_us):
    try:
        quiet = sq.QuietHours(windows=windows)
    except InvalidValueError:
        return
    columns = np.array(at_us)
    answers = quiet.next_allowed(columns)
    assert quiet.allowed(answers).all()
    assert (answers >= columns).all()
    for each, answer in zip(at_us, answers.tolist(), strict=True):
        assert plain_allowed(windows, answer)
        assert quiet.next_allowed(from_us(each, "Asia/Shanghai")).timestamp() == answer / 1e6
        if answer > each:
            # All changes fall on whole minutes here, so that minute starts between the two tell everything.
            first = each // MINUTE_US * MINUTE_US
            between = np.arange(first, answer, MINUTE_US)
            between[0] = each
            assert not quiet.allowed(between).any()
            assert not plain_allowed(windows, answer - 1)


@given(st.lists(windows, min_size=1, max_size=3), st.sampled_from(MOMENTS))
def test_nothing_changes_between_two_turns(windows, moment):
    quiet_of = [window.allowed for window in windows]
    lo, hi = moment - 30 * HOUR_US, moment + 30 * HOUR_US
    grid = np.arange(lo, hi, 5 * MINUTE_US)
    for window, allowed in zip(windows, quiet_of, strict=True):
        turns = window.turns_us(lo, hi)
        assert ((turns > lo) & (turns < hi)).all()
        starts = np.concatenate([[lo], turns])
        assert (allowed(starts)[np.searchsorted(turns, grid, side="right")] == allowed(grid)).all()


@given(windows)
def test_a_quiet_window_and_the_same_one_active_are_complements(window):
    other = sq.DailyWindow(
        start=window.start,
        end=window.end,
        weekdays=window.weekdays,
        tz=window.tz,
        use="active" if window.use == "quiet" else "quiet",
    )
    at_us = np.concatenate([moment + np.arange(-1_000, 1_000, 7) * MINUTE_US for moment in MOMENTS])
    assert (window.allowed(at_us) == ~other.allowed(at_us)).all()
    with pytest.raises(InvalidValueError, match="leave some minute"):
        sq.QuietHours.of((window, *(each for each in _complements(window))))


def _complements(window):
    """Return quiet windows over all that a window leaves allowed."""
    if window.use == "active":
        return [sq.DailyWindow(start=window.start, end=window.end, weekdays=window.weekdays, tz=window.tz)]
    rest = sq.DailyWindow(start=window.end, end=window.start, tz=window.tz)
    day = [sq.DailyWindow(start=window.start, end=window.end, tz=window.tz)]
    return [rest, *day]


@given(windows, st.sampled_from(MOMENTS))
def test_a_day_minute_by_minute(window, moment):
    at_us = moment + np.arange(-720, 720, 3) * MINUTE_US
    assert window.mask(at_us).tolist() == [plain_inside(window, each) for each in at_us.tolist()]
