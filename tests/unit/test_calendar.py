"""Calendars: the number, the label and the ends of local periods."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pendulum
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError
from shequn.values import Calendar, from_us, instant_us
from shequn.values.instants import FIRST_US, LAST_US

HOUR_US = 3_600_000_000


def local(zone: str, *fields: int, fold: int = 0) -> int:
    """Microseconds of a wall clock time."""
    return instant_us(datetime(*fields, tzinfo=ZoneInfo(zone), fold=fold))  # type: ignore[misc, arg-type]


def label_of(calendar: Calendar, *fields: int, fold: int = 0) -> str:
    return str(calendar.label(calendar.index(np.array([local(calendar.tz, *fields, fold=fold)])))[0])


def ends_of(calendar: Calendar, day: date) -> tuple[str, str]:
    """First instant and end of the period of a day, as local wall clock times."""
    number = calendar.index_of_date(day)
    ends = (int(calendar.start_us([number])[0]), int(calendar.end_us([number])[0]))
    return tuple(from_us(at, calendar.tz).format("YYYY-MM-DDTHH:mmZ") for at in ends)  # type: ignore[return-value]


# --- which period ---


@pytest.mark.parametrize(
    ("unit", "label", "before"),
    [
        ("hour", "2024-01-01T00", "2023-12-31T23"),
        ("day", "2024-01-01", "2023-12-31"),
        ("week", "2024-01-01", "2023-12-25"),
        ("month", "2024-01-01", "2023-12-01"),
        ("quarter", "2024-01-01", "2023-10-01"),
        ("year", "2024-01-01", "2023-01-01"),
    ],
)
def test_a_period_begins_at_local_midnight(unit: Any, label: str, before: str):
    calendar = Calendar(unit=unit, tz="Asia/Shanghai")
    midnight = local("Asia/Shanghai", 2024, 1, 1)
    numbers = calendar.index(np.array([midnight - 1, midnight]))
    assert numbers.dtype == np.int32
    assert not numbers.flags.writeable
    assert numbers[1] - numbers[0] == 1
    assert [str(each) for each in calendar.label(numbers)] == [before, label]
    assert calendar.start_us(numbers[1:]).tolist() == [midnight] == calendar.end_us(numbers[:1]).tolist()


@pytest.mark.parametrize("unit", ["hour", "day", "month", "quarter", "year"])
def test_the_epoch_is_in_period_zero(unit: Any):
    assert Calendar(unit=unit, tz="UTC").index(np.array([-1, 0])).tolist() == [-1, 0]


def test_a_week_begins_on_monday_or_sunday():
    monday, sunday = Calendar(tz="Asia/Shanghai"), Calendar(tz="Asia/Shanghai", week_start="sunday")
    assert label_of(monday, 2024, 3, 10, 23, 59) == "2024-03-04"
    assert label_of(monday, 2024, 3, 11) == "2024-03-11"
    assert label_of(sunday, 2024, 3, 9, 23, 59) == "2024-03-03"
    assert label_of(sunday, 2024, 3, 10) == "2024-03-10"
    assert monday.index_of_date(date(1970, 1, 1)) == sunday.index_of_date(date(1970, 1, 1)) == 0


def test_leap_days_and_century_years_are_in_their_months():
    months = Calendar(unit="month", tz="UTC")
    for day in (date(2024, 2, 29), date(1900, 2, 28), date(1900, 3, 1), date(2000, 2, 29), date(2261, 12, 31)):
        number = months.index_one(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
        assert months.label_one(number) == day.replace(day=1)
        assert number == months.index_of_date(day) == (day.year - 1970) * 12 + day.month - 1


def test_every_n_units_count_from_the_epoch_or_the_anchor():
    weeks = Calendar(tz="Asia/Shanghai", n=2)
    assert label_of(weeks, 1970, 1, 11, 23) == "1969-12-29"
    assert label_of(weeks, 1970, 1, 12) == "1970-01-12"
    anchored = Calendar(tz="Asia/Shanghai", n=2, anchor=date(2024, 3, 13))
    assert label_of(anchored, 2024, 3, 11) == label_of(anchored, 2024, 3, 24, 23) == "2024-03-11"
    assert anchored.index_of_date(date(2024, 3, 11)) == 0
    assert anchored.index_of_date(date(2024, 3, 10)) == -1
    assert anchored.index_of_date(date(2024, 3, 25)) == 1


@pytest.mark.parametrize(
    ("unit", "n", "anchor", "day", "start"),
    [
        ("hour", 6, date(2024, 3, 1), date(2024, 3, 2), "2024-03-02T00"),
        ("hour", 7, date(2024, 3, 1), date(2024, 3, 2), "2024-03-01T21"),
        ("day", 10, date(2024, 3, 1), date(2024, 3, 20), "2024-03-11"),
        ("week", 3, date(2024, 3, 13), date(2024, 3, 10), "2024-02-19"),
        ("month", 5, date(2024, 3, 31), date(2024, 2, 29), "2023-10-01"),
        ("quarter", 2, date(2024, 4, 30), date(2024, 3, 31), "2023-10-01"),
        ("year", 5, date(2024, 7, 1), date(2023, 12, 31), "2019-01-01"),
    ],
)
def test_period_zero_begins_with_the_unit_that_holds_the_anchor(unit: Any, n: int, anchor: date, day: date, start: str):
    calendar = Calendar(unit=unit, tz="Asia/Shanghai", n=n, anchor=anchor)
    assert calendar.index_of_date(anchor) == 0
    assert str(calendar.label([calendar.index_of_date(day)])[0]) == start
    assert calendar.index_one(local("Asia/Shanghai", day.year, day.month, day.day)) == calendar.index_of_date(day)


# --- where clocks change ---


def test_the_two_half_past_twos_of_a_fold_are_in_one_hour_and_two_instants():
    hours = Calendar(unit="hour", tz="Europe/Berlin")
    assert (
        label_of(hours, 2024, 10, 27, 2, 30, fold=0) == label_of(hours, 2024, 10, 27, 2, 30, fold=1) == "2024-10-27T02"
    )
    number = hours.index_one(local("Europe/Berlin", 2024, 10, 27, 2, 30))
    assert hours.end_us([number])[0] - hours.start_us([number])[0] == 2 * HOUR_US
    assert hours.index_one(local("Europe/Berlin", 2024, 10, 27, 3)) == number + 1


def test_the_hour_that_was_skipped_is_empty():
    hours = Calendar(unit="hour", tz="Europe/Berlin")
    skipped = hours.index_one(local("Europe/Berlin", 2024, 3, 31, 1)) + 1
    assert str(hours.label([skipped])[0]) == "2024-03-31T02"
    assert hours.start_us([skipped]) == hours.end_us([skipped]) == local("Europe/Berlin", 2024, 3, 31, 3)
    assert hours.index_one(local("Europe/Berlin", 2024, 3, 31, 3)) == skipped + 1


@pytest.mark.parametrize(("day", "hours"), [(date(2024, 3, 31), 23), (date(2024, 10, 27), 25), (date(2024, 6, 1), 24)])
def test_a_day_has_as_many_hours_as_its_clocks_show(day: date, hours: int):
    days = Calendar(unit="day", tz="Europe/Berlin")
    number = days.index_of_date(day)
    assert days.end_us([number])[0] - days.start_us([number])[0] == hours * HOUR_US


def test_lord_howe_shifts_by_half_an_hour():
    days, hours = (Calendar(unit=unit, tz="Australia/Lord_Howe") for unit in ("day", "hour"))  # type: ignore[arg-type]
    number = days.index_of_date(date(2024, 4, 7))
    assert days.end_us([number])[0] - days.start_us([number])[0] == 24.5 * HOUR_US
    assert label_of(hours, 2024, 10, 6, 2, 30) == "2024-10-06T02"
    number = hours.index_one(local("Australia/Lord_Howe", 2024, 10, 6, 2, 30))
    assert hours.end_us([number])[0] - hours.start_us([number])[0] == 0.5 * HOUR_US


def test_a_day_whose_midnight_was_skipped_starts_at_one():
    days = Calendar(unit="day", tz="America/Sao_Paulo")
    assert ends_of(days, date(2018, 11, 4)) == ("2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00")
    assert ends_of(days, date(2018, 11, 3)) == ("2018-11-03T00:00-03:00", "2018-11-04T01:00-02:00")
    assert label_of(days, 2018, 11, 4, 1) == "2018-11-04"


def test_shanghai_had_summer_time_in_1988():
    days = Calendar(unit="day", tz="Asia/Shanghai")
    assert label_of(days, 1988, 7, 1) == "1988-07-01"
    assert days.index_one(datetime(1988, 6, 30, 15, tzinfo=UTC)) == days.index_of_date(date(1988, 7, 1))
    assert ends_of(days, date(1988, 4, 17)) == ("1988-04-17T00:00+08:00", "1988-04-18T00:00+09:00")
    assert ends_of(days, date(1988, 9, 11)) == ("1988-09-11T00:00+09:00", "1988-09-12T00:00+08:00")


@pytest.mark.parametrize(
    ("zone", "skipped"), [("Pacific/Apia", date(2011, 12, 30)), ("Pacific/Kwajalein", date(1993, 8, 21))]
)
def test_a_day_that_was_skipped_is_empty(zone: str, skipped: date):
    days = Calendar(unit="day", tz=zone)
    number = days.index_of_date(skipped)
    before, empty, after = days.start_us([number - 1, number, number + 1]).tolist()
    assert empty == after == before + 24 * HOUR_US
    assert days.end_us([number - 1, number, number + 1]).tolist() == [after, after, after + 24 * HOUR_US]
    assert days.index(np.array([after - 1, after])).tolist() == [number - 1, number + 1]
    # Periods are counted in labels: the week of the skipped day has six days, and is one week.
    assert np.unique(Calendar(tz=zone).index(np.array([before, after]))).size <= 2


def test_a_day_that_clocks_returned_to_ends_when_they_left_it_for_good():
    days = Calendar(unit="day", tz="America/St_Johns")
    # At 00:01 of the 7th clocks went back to 23:01 of the 6th.
    assert ends_of(days, date(2010, 11, 6)) == ("2010-11-06T00:00-02:30", "2010-11-07T00:00-03:30")
    assert ends_of(days, date(2010, 11, 7)) == ("2010-11-07T00:00-02:30", "2010-11-08T00:00-03:30")
    sixth = days.index_of_date(date(2010, 11, 6))
    start = int(days.start_us([sixth + 1])[0])
    assert days.index(start + np.array([-1, 0, 59, 60, 3599, 3600]) * 1_000_000).tolist() == [
        sixth, sixth + 1, sixth + 1, sixth, sixth, sixth + 1,
    ]  # fmt: skip
    assert days.end_us([sixth])[0] == start + HOUR_US


def test_rows_on_both_sides_of_many_transitions_are_indexed_in_any_order():
    calendar = Calendar(unit="day", tz="Europe/Berlin")
    days = np.arange("1901-01-01", "2100-01-01", dtype="M8[D]")
    noons = np.array([local("Europe/Berlin", day.year, day.month, day.day, 12) for day in days.tolist()])
    numbers = calendar.index(noons)
    np.testing.assert_array_equal(calendar.label(numbers), days)
    np.testing.assert_array_equal(calendar.index(noons[::-1]), numbers[::-1])
    for year in range(0, 72_000, 3_000):  # spans that cross few transitions take another way
        np.testing.assert_array_equal(calendar.index(noons[year : year + 3_000]), numbers[year : year + 3_000])


# --- arguments and results ---


def test_an_instant_is_taken_as_a_datetime_or_as_microseconds():
    days = Calendar(unit="day", tz="Asia/Shanghai")
    at = pendulum.datetime(2024, 3, 1, tz="Asia/Shanghai")
    for given in (at, instant_us(at), np.int64(instant_us(at))):
        assert days.index_one(given) == 19_783  # type: ignore[arg-type]
    assert isinstance(days.index_one(at), int)


def test_a_label_is_a_date_or_a_naive_hour():
    assert Calendar(tz="UTC").label_one(0) == pendulum.Date(1969, 12, 29)
    hour = Calendar(unit="hour", tz="Europe/Berlin").label_one(-1)
    assert isinstance(hour, pendulum.DateTime)
    assert hour == pendulum.naive(1969, 12, 31, 23)
    assert hour.tzinfo is None
    assert Calendar(unit="hour", tz="UTC").label([0]).dtype == np.dtype("M8[h]")
    for unit in ("day", "week", "month", "quarter", "year"):
        labels = Calendar(unit=unit, tz="UTC").label([0, 1])  # type: ignore[arg-type]
        assert labels.dtype == np.dtype("M8[D]")
        assert not labels.flags.writeable


def test_nothing_in_gives_nothing_out():
    for unit in ("hour", "week", "month"):
        calendar = Calendar(unit=unit, tz="Europe/Berlin")  # type: ignore[arg-type]
        for nothing in ([], np.array([]), np.array([], dtype=np.int64)):
            assert calendar.index(np.asarray(nothing)).dtype == np.int32
            assert calendar.index(np.asarray(nothing)).shape == calendar.label(nothing).shape == (0,)
            assert calendar.start_us(nothing).tolist() == calendar.end_us(nothing).tolist() == []


@pytest.mark.parametrize("unit", ["hour", "week", "month"])
def test_any_layout_of_an_array_gives_the_same_numbers(unit: Any):
    calendar = Calendar(unit=unit, tz="Europe/Berlin")
    at_us = np.linspace(local("Europe/Berlin", 2024, 1, 1), local("Europe/Berlin", 2025, 1, 1), 150_000).astype(
        np.int64
    )
    expected = calendar.index(at_us)
    at_us.setflags(write=False)
    np.testing.assert_array_equal(calendar.index(at_us.astype(">i8")), expected)
    np.testing.assert_array_equal(calendar.index(at_us.astype(np.uint64)), expected)
    np.testing.assert_array_equal(calendar.index(at_us[::-1]), expected[::-1])
    np.testing.assert_array_equal(calendar.index(np.asfortranarray(at_us.reshape(-1, 2))[:, 0]), expected[::2])
    np.testing.assert_array_equal(calendar.start_us(expected.astype(">i4")), calendar.start_us(expected))


def test_the_ends_of_the_accepted_range_have_periods_and_neighbours():
    for unit in ("hour", "day", "week", "month", "quarter", "year"):
        for n in (1, 100):
            for zone in ("UTC", "Asia/Shanghai", "Pacific/Apia", "America/Adak"):
                calendar = Calendar(unit=unit, tz=zone, n=n)  # type: ignore[arg-type]
                first, last = calendar.index(np.array([FIRST_US, LAST_US - 1])).tolist()
                assert calendar.start_us([first])[0] <= FIRST_US < calendar.end_us([first])[0]
                assert calendar.start_us([last])[0] <= LAST_US - 1 < calendar.end_us([last])[0]
                assert calendar.end_us([last])[0] == calendar.start_us([last + 1])[0]


def test_instants_outside_the_accepted_range_are_located():
    days = Calendar(unit="day", tz="UTC")
    for beyond in (FIRST_US - 1, LAST_US, -(2**63), 2**63 - 1):
        with pytest.raises(
            InvalidValueError, match=rf"at_us: expected instants in \[1900, 2262\), got {beyond} at row 1 "
        ):
            days.index(np.array([0, beyond, 0]))
        with pytest.raises(InvalidValueError, match=rf"at: expected instants in \[1900, 2262\), got {beyond}"):
            days.index_one(beyond)


@pytest.mark.parametrize(
    "values", [np.array([1.5]), np.array(["2024-01-01"], dtype="M8[us]"), np.zeros((2, 2), dtype=np.int64), np.int64(5)]
)
def test_only_a_column_of_integers_is_indexed(values: Any):
    with pytest.raises(
        InvalidTypeError, match=r"at_us: expected a 1-D array of int64 microseconds, got '[0-2]-D .* values'"
    ):
        Calendar(tz="UTC").index(values)
    with pytest.raises(
        InvalidTypeError, match=r"index: expected a 1-D array of period numbers, got '[0-2]-D .* values'"
    ):
        Calendar(tz="UTC").label(values)


def test_one_instant_must_be_aware():
    with pytest.raises(InvalidValueError, match=r"at: expected an aware datetime, got .*; it has no time zone"):
        Calendar(tz="UTC").index_one(datetime(2024, 1, 1))  # noqa: DTZ001
    with pytest.raises(InvalidTypeError, match="at: expected an aware datetime, got True"):
        Calendar(tz="UTC").index_one(True)


def test_a_date_has_no_time_of_day():
    for day in (datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01", 5, None):
        with pytest.raises(InvalidTypeError, match="day: expected a date without a time of day, got"):
            Calendar(tz="UTC").index_of_date(day)  # type: ignore[arg-type]
    assert Calendar(unit="day", tz="UTC").index_of_date(pendulum.date(1970, 1, 2)) == 1


@pytest.mark.parametrize("index", [[0, 10**9], [0, -(10**9)], [0, 2**62]])
def test_a_period_far_from_every_instant_has_no_label(index: list[int]):
    for calendar in (Calendar(tz="UTC"), Calendar(unit="hour", tz="UTC"), Calendar(unit="year", tz="UTC")):
        for question in (calendar.label, calendar.start_us, calendar.end_us):
            with pytest.raises(
                InvalidValueError, match=r"index: expected periods of the years 1690 to 2459, got .* at row 1"
            ):
                question(index)


@pytest.mark.parametrize(("unit", "n"), [("hour", 6), ("day", 1), ("week", 3), ("month", 7), ("year", 4)])
def test_the_first_and_the_last_label_lie_in_the_years_that_are_named(unit: Any, n: int):
    calendar = Calendar(unit=unit, tz="UTC", n=n)
    first, last = calendar.index_of_date(date(1690, 1, 1)), calendar.index_of_date(date(2459, 12, 31))
    first += int(calendar.index_of_date(date(1689, 12, 31)) == first)
    assert calendar.label([first])[0] >= np.datetime64("1690-01-01")
    assert calendar.label([last])[0] <= np.datetime64("2459-12-31")
    for beyond in (first - 1, last + 24 // n + 1):
        with pytest.raises(InvalidValueError, match="index: expected periods of the years 1690 to 2459, got"):
            calendar.label([beyond])


# --- the definition ---


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"unit": "weeks"}, InvalidValueError, "unit: expected one of 'hour', .*, got 'weeks'; did you mean 'week'?"),
        (
            {"unit": 7},
            InvalidTypeError,
            "unit: expected one of 'hour', 'day', 'week', 'month', 'quarter', 'year', got 7",
        ),
        ({"tz": "Asia/Shangai"}, UnknownLabelError, "tz: expected an IANA time zone .*; did you mean 'Asia/Shanghai'?"),
        ({"tz": None}, InvalidTypeError, "tz: expected an IANA time zone .*, got None"),
        ({"n": 0}, InvalidValueError, "n: expected 1 to 5217, which is a century of weeks, got 0"),
        ({"n": 101, "unit": "year"}, InvalidValueError, "n: expected 1 to 100, which is a century of years, got 101"),
        ({"n": 2.0}, InvalidTypeError, "n: expected an integer of at least 1, got 2.0"),
        ({"n": True}, InvalidTypeError, "n: expected an integer of at least 1, got True"),
        ({"week_start": "Monday"}, InvalidValueError, "week_start: expected one of .*; did you mean 'monday'?"),
        ({"week_start": 0}, InvalidTypeError, "week_start: expected one of 'monday', 'sunday', got 0"),
        (
            {"unit": "day", "week_start": "sunday"},
            InvalidValueError,
            "week_start: expected 'monday' where the unit is 'day'",
        ),
        ({"anchor": date(2024, 1, 1)}, InvalidValueError, "anchor: expected None where n is 1, got '2024-01-01'"),
        (
            {"n": 2, "anchor": date(1899, 1, 1)},
            InvalidValueError,
            r"anchor: expected a date in \[1900, 2262\), got '1899",
        ),
        (
            {"n": 2, "anchor": "2024-01-01"},
            InvalidTypeError,
            "anchor: expected a date without a time of day, got '2024",
        ),
        (
            {"n": 2, "anchor": datetime(2024, 1, 1, tzinfo=UTC)},
            InvalidTypeError,
            "anchor: expected a date without a time",
        ),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(options: dict[str, Any], error: type[Exception], words: str):
    with pytest.raises(error, match=words):
        Calendar(**{"tz": "UTC", **options})


def test_a_calendar_is_a_value():
    calendar = Calendar(tz=ZoneInfo("Asia/Shanghai"), n=np.int64(2), anchor=pendulum.date(2024, 3, 13))  # type: ignore[arg-type]
    same = Calendar(unit="week", tz="Asia/Shanghai", n=2, anchor=date(2024, 3, 13))
    assert calendar == same
    assert hash(calendar) == hash(same)
    assert calendar != attrs.evolve(same, n=3)
    assert attrs.evolve(calendar) == calendar == pickle.loads(pickle.dumps(calendar))  # noqa: S301
    assert type(calendar.n) is int
    assert type(calendar.anchor) is date
    assert calendar.tz == "Asia/Shanghai"


def test_a_strategy_makes_a_calendar_of_its_options():
    assert Calendar.of("month", tz="UTC") == Calendar(unit="month", tz="UTC")
    assert Calendar.of("week", tz=ZoneInfo("Asia/Shanghai"), week_start="sunday") == Calendar(
        tz="Asia/Shanghai", week_start="sunday"
    )
    assert Calendar.of("month", tz="UTC", week_start="sunday") == Calendar(unit="month", tz="UTC")
    given = Calendar(tz="Asia/Shanghai", week_start="sunday")
    for tz in (None, "Asia/Shanghai", ZoneInfo("Asia/Shanghai")):
        assert Calendar.of(given, tz=tz) is given
    assert Calendar.of(given, tz=None, week_start="sunday") is given


@pytest.mark.parametrize(
    ("every", "options", "error", "words"),
    [
        (
            "week",
            {"tz": None},
            InvalidValueError,
            "tz: expected a time zone such as 'Asia/Shanghai', since a week is local",
        ),
        (
            "weekly",
            {"tz": "UTC"},
            InvalidValueError,
            "every: expected one of 'hour', .*, got 'weekly'; did you mean 'week'?",
        ),
        (7, {"tz": "UTC"}, InvalidTypeError, "every: expected one of 'hour', 'day', .*, got 7"),
        ("week", {"tz": "Mars"}, UnknownLabelError, "tz: expected an IANA time zone"),
        (
            "week",
            {"tz": "UTC", "week_start": "friday"},
            InvalidValueError,
            "week_start: expected one of 'monday', 'sunday', got",
        ),
        (
            Calendar(tz="UTC"),
            {"tz": "Asia/Shanghai"},
            InvalidValueError,
            "tz: expected None or 'UTC', the zone of the calendar",
        ),
        (
            Calendar(tz="UTC"),
            {"tz": None, "week_start": "sunday"},
            InvalidValueError,
            "week_start: expected 'monday', as in",
        ),
    ],
)
def test_options_that_make_no_calendar_are_refused(every: Any, options: Any, error: type[Exception], words: str):
    with pytest.raises(error, match=words):
        Calendar.of(every, **options)


def test_hours_days_and_weeks_have_a_length():
    assert Calendar(unit="hour", tz="UTC", n=6).length_us() == 6 * HOUR_US
    assert Calendar(unit="day", tz="Europe/Berlin").length_us() == 24 * HOUR_US
    assert Calendar(tz="UTC", n=2).length_us() == 14 * 24 * HOUR_US
    for unit in ("month", "quarter", "year"):
        with pytest.raises(
            InvalidValueError,
            match=f"every: expected 'hour', 'day' or 'week' for elapsed time, as {unit}s differ in length",
        ):
            Calendar(unit=unit, tz="UTC").length_us()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("calendar", "en", "zh"),
    [
        (Calendar(tz="UTC"), "week (Monday), UTC", "周（周一起），UTC"),
        (Calendar(tz="UTC", week_start="sunday"), "week (Sunday), UTC", "周（周日起），UTC"),
        (Calendar(unit="quarter", tz="Asia/Shanghai"), "quarter, Asia/Shanghai", "季度，Asia/Shanghai"),
        (Calendar(unit="hour", tz="+08:00", n=6), "6 hours, +08:00", "每6个小时，+08:00"),
        (Calendar(unit="day", tz="UTC", n=10), "10 days, UTC", "每10天，UTC"),
        (
            Calendar(tz="UTC", n=2, anchor=date(2024, 3, 13)),
            "2 weeks (Monday, from 2024-03-13), UTC",
            "每2周（周一起，自2024-03-13起），UTC",
        ),
    ],
)
def test_a_calendar_is_named_in_both_languages(calendar: Calendar, en: str, zh: str):
    assert calendar.name() == calendar.name("en") == en
    assert calendar.name("zh") == zh


def test_an_unknown_language_is_refused():
    with pytest.raises(InvalidValueError, match="lang: expected one of 'en', 'zh', got 'fr'"):
        Calendar(tz="UTC").name("fr")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("numbers", "error", "told"),
    [
        ([[1], [2, 3]], InvalidTypeError, r"expected a 1-D array of .*, got \[\[1\], \[2, 3\]\]$"),
        (
            np.ma.masked_array([1, 2], mask=[False, True]),
            InvalidValueError,
            r"expected a 1-D array of .* without masked entries, got 'a masked one' at row 1$",
        ),
    ],
)
def test_numbers_come_in_one_row_each(numbers, error, told):
    days = Calendar(unit="day", tz="UTC")
    for ask, argument in ((days.index, "at_us"), (days.label, "index"), (days.start_us, "index")):
        with pytest.raises(error, match=rf"^{argument}: {told}"):
            ask(numbers)


def test_a_span_of_time_is_no_integer():
    span: Any = np.timedelta64(2, "D")
    with pytest.raises(InvalidTypeError, match=r"^n: expected an integer of at least 1, got "):
        Calendar(unit="day", tz="UTC", n=span)
    with pytest.raises(InvalidTypeError, match=r"^at: expected an aware datetime, got "):
        Calendar(unit="day", tz="UTC").index_one(span)
    with pytest.raises(InvalidTypeError, match=r"^us: expected an integer, got "):
        from_us(span)
