"""Instants: every accepted form of a column of time, and every way in which one can be wrong."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pendulum
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError
from shequn.values import from_us, instant_faults, instant_us, to_instants
from shequn.values.instants import FIRST_US, LAST_US

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
NEW_YEAR_US = 1_704_067_200_000_000


class Broken(tzinfo):
    """Somebody's zone that cannot tell its offset."""

    def utcoffset(self, at):
        raise LookupError(at)

    dst = tzname = utcoffset


class Silent(tzinfo):
    """Somebody's zone that has no offset."""

    def utcoffset(self, at):
        assert at is not None

    dst = tzname = utcoffset


# --- one instant ---


@pytest.mark.parametrize(
    ("at", "us"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (pendulum.datetime(2024, 1, 1, 8, tz="Asia/Shanghai"), NEW_YEAR_US),
        (datetime(2024, 1, 1, 8, 0, 0, 1, tzinfo=timezone(timedelta(hours=8))), NEW_YEAR_US + 1),
        (datetime(1900, 1, 1, tzinfo=UTC), FIRST_US),
        (datetime(2261, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), LAST_US - 1),
        # Shanghai kept local mean time, 8:05:43 from UTC, until 1901.
        (datetime(1900, 6, 1, 8, 5, 43, tzinfo=ZoneInfo("Asia/Shanghai")), -2_195_942_400_000_000),
    ],
)
def test_an_aware_datetime_has_exact_microseconds(at: datetime, us: int):
    assert instant_us(at) == us


@pytest.mark.parametrize("zone", [BERLIN, pendulum.timezone("Europe/Berlin")])
def test_the_two_half_past_twos_of_a_dst_fold_are_an_hour_apart(zone: tzinfo):
    summer, winter = (datetime(2024, 10, 27, 2, 30, tzinfo=zone, fold=fold) for fold in (0, 1))
    assert summer == winter
    assert instant_us(winter) - instant_us(summer) == 3_600_000_000
    assert instant_us(summer) == instant_us(datetime(2024, 10, 27, 0, 30, tzinfo=UTC))


def test_pendulum_takes_the_later_of_two_equal_times_and_so_does_its_instant():
    at = pendulum.datetime(2024, 10, 27, 2, 30, tz="Europe/Berlin")
    assert instant_us(at) == instant_us(datetime(2024, 10, 27, 1, 30, tzinfo=UTC))


def test_lord_howe_shifts_by_half_an_hour():
    zone = ZoneInfo("Australia/Lord_Howe")
    first, second = (instant_us(datetime(2024, 4, 7, 1, 45, tzinfo=zone, fold=fold)) for fold in (0, 1))
    assert second - first == 1_800_000_000


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (None, InvalidValueError, "at: expected an aware datetime, got None"),
        (float("nan"), InvalidValueError, "at: expected an aware datetime, got nan"),
        (np.datetime64("NaT"), InvalidValueError, "at: expected an aware datetime, got 'NaT'"),
        (
            "2024-01-01T00:00Z",
            InvalidTypeError,
            "expected an aware datetime, got '2024-01-01T00:00Z'; text is not parsed",
        ),
        (date(2024, 1, 1), InvalidTypeError, r"got datetime.date\(2024, 1, 1\); a date is not an instant"),
        (1_704_067_200, InvalidTypeError, "at: expected an aware datetime, got 1704067200$"),
        (1.5, InvalidTypeError, "at: expected an aware datetime, got 1.5$"),
        (True, InvalidTypeError, "at: expected an aware datetime, got True$"),
        (NEW_YEAR.replace(tzinfo=None), InvalidValueError, "got '2024-01-01T00:00:00'; it has no time zone"),
        (NEW_YEAR.replace(tzinfo=Silent()), InvalidValueError, "got '2024-01-01T00:00:00'; it has no time zone"),
        (
            NEW_YEAR.replace(tzinfo=Broken()),
            InvalidValueError,
            r"got datetime.datetime\(2024, 1, 1, .*; it has no time",
        ),
        (np.datetime64("2024-01-01"), InvalidValueError, "got '2024-01-01'; it has no time zone"),
        (
            datetime(1899, 12, 31, tzinfo=UTC),
            InvalidValueError,
            r"an instant in \[1900, 2262\), got '1899-12-31T00:00:00",
        ),
        (
            datetime(2262, 1, 1, tzinfo=UTC),
            InvalidValueError,
            r"an instant in \[1900, 2262\), got '2262-01-01T00:00:00",
        ),
        (
            datetime(9999, 1, 1, tzinfo=UTC),
            InvalidValueError,
            r"an instant in \[1900, 2262\), got '9999-01-01T00:00:00",
        ),
    ],
)
def test_what_is_no_instant_is_refused(value: Any, error: type[Exception], words: str):
    with pytest.raises(error, match=words):
        instant_us(value)


def test_the_refusal_names_the_argument():
    with pytest.raises(InvalidTypeError, match=r"^as_of: expected an aware datetime, got 5$"):
        instant_us(5, argument="as_of")  # type: ignore[arg-type]


# --- and back ---


def test_an_instant_is_shown_as_the_clocks_of_a_zone_do():
    assert from_us(NEW_YEAR_US + 1, "Asia/Shanghai").isoformat() == "2024-01-01T08:00:00.000001+08:00"
    assert from_us(np.int64(NEW_YEAR_US)).isoformat() == "2024-01-01T00:00:00+00:00"  # type: ignore[arg-type]
    assert from_us(NEW_YEAR_US, "-03:30").isoformat() == "2023-12-31T20:30:00-03:30"


def test_both_hours_of_a_fold_come_back_as_they_were():
    for us in (1_729_989_000_000_000, 1_729_992_600_000_000):
        shown = from_us(us, "Europe/Berlin")
        assert isinstance(shown, pendulum.DateTime)
        assert shown.format("HH:mm") == "02:30"
        assert instant_us(shown) == us


@pytest.mark.parametrize("us", [1.0, "1", None, True])
def test_only_integers_are_microseconds(us: Any):
    with pytest.raises(InvalidTypeError, match="us: expected an integer, got"):
        from_us(us)


def test_an_instant_that_python_cannot_show_is_refused():
    assert from_us(253_370_764_799_999_999).year == 9998
    for us in (253_370_764_800_000_000, -(10**18)):
        with pytest.raises(InvalidValueError, match="us: expected microseconds in the years 2 to 9998, got"):
            from_us(us)


# --- columns of aware datetimes ---


def test_aware_datetimes_of_any_zones_become_one_column():
    rows = [NEW_YEAR, pendulum.datetime(2024, 1, 1, 8, tz="Asia/Shanghai"), NEW_YEAR.astimezone(BERLIN)]
    for column in (rows, tuple(rows), np.array(rows, dtype=object)):
        instants = to_instants(column)
        assert instants.us.tolist() == [NEW_YEAR_US] * 3
        assert instants.us.dtype == np.int64
        assert instants.resolution_us == 1_000_000


@pytest.mark.parametrize(
    "zone",
    [UTC, BERLIN, pendulum.timezone("Europe/Berlin"), timezone(timedelta(hours=8)), pendulum.FixedTimezone(-1800)],
)
def test_a_column_of_one_zone_is_as_exact_as_its_rows(zone: tzinfo):
    hours = [NEW_YEAR + timedelta(minutes=30 * k, microseconds=k) for k in range(24 * 2 * 366)]
    rows = [at.astimezone(zone) for at in hours]
    expected = [NEW_YEAR_US + k * 1_800_000_001 for k in range(len(rows))]
    assert to_instants(rows).us.tolist() == expected
    # Times in the gap of spring, which no clock showed, count from the offset that PEP 495 gives them.
    gap = [datetime(2024, 3, 31, 2, 30, tzinfo=zone, fold=fold) for fold in (0, 1)]
    assert to_instants(gap).us.tolist() == [instant_us(at) for at in gap]


def test_a_zone_that_borrows_a_name_is_asked_itself():
    class Borrowed(ZoneInfo):
        def utcoffset(self, at):
            assert at.year == 2024
            return timedelta(hours=3)

    rows = [datetime(2024, 1, 1, 3, tzinfo=Borrowed("Europe/Berlin"))] * 2
    assert to_instants(rows).us.tolist() == [NEW_YEAR_US] * 2
    assert to_instants([datetime(2024, 1, 1, 1, tzinfo=ZoneInfo.no_cache("Europe/Berlin"))]).us.tolist() == [
        NEW_YEAR_US
    ]


@pytest.mark.parametrize(
    ("row", "error", "words"),
    [
        (None, InvalidValueError, r"got None at row 1 \(1 of 3 rows\)$"),
        ("2024-01-01", InvalidTypeError, r"got '2024-01-01' at row 1 \(1 of 3 rows\); text is not parsed"),
        (date(2024, 1, 1), InvalidTypeError, "at row 1 .*; a date is not an instant"),
        (datetime(2024, 1, 1), InvalidValueError, "at row 1 .*; times without a zone need at_tz"),  # noqa: DTZ001
        (np.datetime64("2024-01-01"), InvalidValueError, "at row 1 .*; times without a zone need at_tz"),
        (7, InvalidTypeError, "got 7 at row 1 .*; integers need time_unit='s', 'ms' or 'us'$"),
        (np.int64(7), InvalidTypeError, "got 7 at row 1 .*; integers need time_unit='s', 'ms' or 'us'$"),
        (0.5, InvalidTypeError, "got 0.5 at row 1 .*; floats lose microseconds"),
        (True, InvalidTypeError, r"got True at row 1 \(1 of 3 rows\)$"),
        (object(), InvalidTypeError, r"got <object .*> at row 1 \(1 of 3 rows\)$"),
        (datetime(2300, 1, 1, tzinfo=UTC), InvalidValueError, r"instants in \[1900, 2262\), got '2300-01-01T00:00:00"),
        (NEW_YEAR.replace(tzinfo=Broken()), InvalidValueError, "at row 1 .*; times without a zone need at_tz"),
    ],
)
def test_a_bad_row_among_aware_datetimes_is_located(row: Any, error: type[Exception], words: str):
    with pytest.raises(error, match=f"^at: expected .*{words}"):
        to_instants([NEW_YEAR, row, NEW_YEAR])


def test_distant_years_of_one_zone_are_located():
    with pytest.raises(InvalidValueError, match=r"got '2300-01-01T00:00:00\+01:00' at row 1 \(1 of 2 rows\)"):
        to_instants([datetime(year, 1, 1, tzinfo=BERLIN) for year in (2024, 2300)])
    with pytest.raises(InvalidValueError, match=r"got '1900-01-01T00:00:00\+01:00' at row 0 \(1 of 2 rows\)"):
        to_instants([datetime(year, 1, 1, tzinfo=BERLIN) for year in (1900, 2024)])
    for year in (1, 9999):
        with pytest.raises(InvalidValueError, match=rf"got '{year:04d}-06-01T00:00:00\+.*' at row 1 \(1 of 2 rows\)"):
            to_instants([datetime(each, 6, 1, tzinfo=BERLIN) for each in (2024, year)])


def test_the_first_bad_row_speaks_for_all_kinds_of_trouble():
    with pytest.raises(InvalidTypeError, match=r"got 'x' at row 1 \(3 of 4 rows\); text"):
        to_instants([NEW_YEAR, "x", None, 3])


# --- columns of integers ---


@pytest.mark.parametrize(("unit", "us"), [("s", 1_000_000), ("ms", 1_000), ("us", 1)])
def test_integers_count_what_time_unit_says(unit: Any, us: int):
    expected = [-5 * us, 0, 7 * us]
    for column in ([-5, 0, 7], (-5, 0, 7), np.array([-5, 0, 7]), np.array([-5, 0, 7], dtype=object), range(-5, 8, 6)):
        wanted = expected if not isinstance(column, range) else [-5 * us, us, 7 * us]
        assert to_instants(column, time_unit=unit).us.tolist() == wanted


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", ">i2", ">u2", "<u4", ">i4", ">i8", "<u8", ">u8"])
def test_any_width_and_byte_order_of_integers_is_read(dtype: str):
    assert to_instants(np.array([1, 2, 100], dtype=dtype), time_unit="s").us.tolist() == [10**6, 2 * 10**6, 10**8]


def test_the_ends_of_the_accepted_range_are_one_microsecond_wide():
    assert to_instants([FIRST_US, LAST_US - 1], time_unit="us").us.tolist() == [FIRST_US, LAST_US - 1]
    for beyond in (FIRST_US - 1, LAST_US):
        with pytest.raises(InvalidValueError, match=rf"at: expected instants in \[1900, 2262\), got {beyond} at row 1"):
            to_instants([0, beyond], time_unit="us")


@pytest.mark.parametrize(
    ("column", "got"),
    [
        ([5, 2**70], str(2**70)),
        (np.array([5, 2**63 + 5], dtype=np.uint64), str(2**63 + 5)),
        (np.array([5, -(2**63)]), str(-(2**63))),
        (np.array([5, 2**63 - 1]), str(2**63 - 1)),
        ([5, np.uint64(2**63 + 5)], str(2**63 + 5)),
    ],
)
@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_integers_that_would_overflow_are_located(column: Any, got: str, unit: Any):
    with pytest.raises(
        InvalidValueError, match=rf"expected instants in \[1900, 2262\), got {got} at row 1 \(1 of 2 rows\)"
    ):
        to_instants(column, time_unit=unit)


def test_milliseconds_taken_for_seconds_are_out_of_range_and_counted():
    with pytest.raises(InvalidValueError, match=r"got 1704067200000 at row 0 \(200000 of 200000 rows\)"):
        to_instants(np.full(200_000, 1_704_067_200_000), time_unit="s")


def test_integers_without_a_unit_are_refused():
    for column in ([1, 2], np.array([1, 2])):
        with pytest.raises(
            InvalidTypeError, match=r"got 1 at row 0 \(2 of 2 rows\); integers need time_unit='s', 'ms'"
        ):
            to_instants(column)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (1.0, "got 1.0 at row 1 .*; floats lose microseconds"),
        (True, r"got True at row 1 \(1 of 3 rows\)$"),
        (np.bool_(True), r"got True at row 1 \(1 of 3 rows\)$"),
        ("5", "got '5' at row 1 .*; text is not parsed"),
        (NEW_YEAR, "at row 1 .*; time_unit is for integers alone"),
    ],
)
def test_what_is_no_integer_is_refused_where_integers_are_said_to_be(row: Any, words: str):
    with pytest.raises(InvalidTypeError, match=rf"at: expected integers \(time_unit='s'\), .*{words}"):
        to_instants([1, row, 2], time_unit="s")


def test_missing_integers_are_located():
    for missing in (None, float("nan")):
        with pytest.raises(InvalidValueError, match=r"expected integers \(time_unit='s'\), got (None|nan) at row 1"):
            to_instants([1, missing, 2], time_unit="s")


@pytest.mark.parametrize(
    "column",
    [
        np.array([1.0, np.nan]),
        np.array([True, False]),
        np.array(["2024-01-01"]),
        np.array([b"2024-01-01"]),
        np.array([5], dtype="m8[s]"),
        np.zeros(2, dtype=[("at", "i8")]),
        np.array([1 + 1j]),
    ],
)
def test_an_array_of_another_type_is_refused_whatever_the_options(column: np.ndarray):
    for options in ({}, {"time_unit": "s"}, {"at_tz": "UTC"}):
        with pytest.raises(InvalidTypeError, match=f"at row 0 .{len(column)} of {len(column)} rows"):
            to_instants(column, **options)  # type: ignore[arg-type]


# --- columns of wall clock times ---


@pytest.mark.parametrize("unit", ["D", "h", "m", "s", "ms", "us", "ns", "25ms", "15m"])
def test_datetime64_of_any_usual_unit_is_read_as_local_time(unit: str):
    local = np.array(["2024-01-01", "2024-07-01"], dtype=f"M8[{unit}]")
    assert from_us(int(to_instants(local, at_tz="Europe/Berlin").us[0])).isoformat() == "2023-12-31T23:00:00+00:00"
    assert from_us(int(to_instants(local, at_tz="Europe/Berlin").us[1])).isoformat() == "2024-06-30T22:00:00+00:00"
    assert to_instants(local, at_tz="+08:00").us[0] == NEW_YEAR_US - 8 * 3_600_000_000
    assert to_instants(local.astype(local.dtype.newbyteorder(">")), at_tz="UTC").us[0] == NEW_YEAR_US
    assert to_instants(list(local), at_tz="UTC").us[0] == NEW_YEAR_US


def test_naive_datetimes_are_read_as_local_time():
    local = [datetime(2024, 1, 1, 8), pendulum.naive(2024, 7, 1, 8)]  # noqa: DTZ001
    assert to_instants(local, at_tz="Asia/Shanghai").us.tolist() == [NEW_YEAR_US, 1_719_792_000_000_000]
    mixed = [*local, np.datetime64("2024-07-01T08")]
    assert to_instants(mixed, at_tz="Asia/Shanghai").us.tolist()[1:] == [1_719_792_000_000_000] * 2


@pytest.mark.parametrize(
    ("zone", "time"),
    [
        ("Europe/Berlin", "2024-03-31T02:30:00"),
        ("Australia/Lord_Howe", "2024-10-06T02:15:00"),
        ("America/Sao_Paulo", "2018-11-04T00:00:00"),
        ("Asia/Shanghai", "1988-04-17T02:30:00"),
        ("Pacific/Apia", "2011-12-30T12:00:00"),
        ("Pacific/Kwajalein", "1993-08-21T12:00:00"),
    ],
)
def test_a_wall_clock_time_that_was_skipped_is_refused_with_its_zone(zone: str, time: str):
    words = (
        f"at: expected wall clock times that exist in {zone}, got '{time}' at row 1 \\(1 of 2 rows\\); "
        "clocks were set forward over it"
    )
    refuse_wall_clock_time(zone, time, words)


@pytest.mark.parametrize(
    ("zone", "time"),
    [
        ("Europe/Berlin", "2024-10-27T02:30:00"),
        ("Australia/Lord_Howe", "2024-04-07T01:45:00"),
        ("America/St_Johns", "2010-11-06T23:30:00"),
        ("Asia/Shanghai", "1988-09-11T01:30:00"),
    ],
)
def test_a_wall_clock_time_that_came_twice_is_refused_with_its_zone(zone: str, time: str):
    words = (
        f"at: expected wall clock times that {zone} had once, got '{time}' at row 1 \\(1 of 2 rows\\); "
        "clocks were set back over it, so pass aware datetimes"
    )
    refuse_wall_clock_time(zone, time, words)


def refuse_wall_clock_time(zone: str, time: str, words: str):
    column = np.array(["2020-01-05T12:00:00", time], dtype="M8[s]")
    for rows in (column, list(column), [at.item() for at in column]):
        with pytest.raises(InvalidValueError, match=words):
            to_instants(rows, at_tz=zone)


def test_the_edges_of_a_gap_and_a_fold_are_exact():
    local = np.array(
        ["2024-03-31T01:59:59.999999", "2024-03-31T03:00", "2024-10-27T01:59:59.999999", "2024-10-27T03:00"],
        dtype="M8[us]",
    )
    utc = ["2024-03-31T00:59:59.999999", "2024-03-31T01:00", "2024-10-26T23:59:59.999999", "2024-10-27T02:00"]
    np.testing.assert_array_equal(to_instants(local, at_tz="Europe/Berlin").us.view("M8[us]"), np.array(utc, "M8[us]"))
    for bad in ("2024-03-31T02:00", "2024-03-31T02:59:59.999999", "2024-10-27T02:00", "2024-10-27T02:59:59.999999"):
        with pytest.raises(InvalidValueError, match="at: expected wall clock times that"):
            to_instants(np.array([bad], dtype="M8[us]"), at_tz="Europe/Berlin")


def test_a_column_over_more_than_a_century_of_transitions_is_read():
    local = np.arange("1901-01-01T12", "2100-01-01T12", 24, dtype="M8[h]")  # noon, which Berlin never skipped
    expected = [instant_us(at.item().replace(tzinfo=BERLIN)) for at in local]
    assert to_instants(local, at_tz="Europe/Berlin").us.tolist() == expected


def test_missing_times_and_gaps_are_counted_together():
    column = np.array(["NaT", "2024-03-31T02:30", "2024-10-27T02:30", "2024-01-01", "1800-01-01"], dtype="M8[s]")
    with pytest.raises(InvalidValueError, match=r"\(at_tz='Europe/Berlin'\), got 'NaT' at row 0 \(4 of 5 rows\)$"):
        to_instants(column, at_tz="Europe/Berlin")


def test_the_range_is_of_instants_not_of_wall_clocks():
    last = np.array(["2261-12-31T23:59:59.999999", "2262-01-01T07:59:59.999999"], dtype="M8[us]")
    assert to_instants(last, at_tz="Asia/Shanghai").us[1] == LAST_US - 1
    with pytest.raises(InvalidValueError, match=r"in \[1900, 2262\), got '2262-01-01T08:00:00.000000' at row 2"):
        to_instants(np.append(last, np.datetime64("2262-01-01T08:00")), at_tz="Asia/Shanghai")
    with pytest.raises(InvalidValueError, match=r"in \[1900, 2262\), got '1900-01-01T08:05:42' at row 0"):
        to_instants(np.array(["1900-01-01T08:05:42"], dtype="M8[s]"), at_tz="Asia/Shanghai")


def test_nanoseconds_are_never_cut():
    whole = np.array([1_000, -2_000], dtype="M8[ns]")
    assert to_instants(whole, at_tz="UTC").us.tolist() == [1, -2]
    for column in (np.array([1_000, -2_001], dtype="M8[ns]"), [np.datetime64(5, "ms"), np.datetime64(-2_001, "ns")]):
        with pytest.raises(
            InvalidValueError, match=r"instants of whole microseconds, got '1969-12-31T23:59:59.999997999'"
        ):
            to_instants(column, at_tz="UTC")


@pytest.mark.parametrize("unit", ["Y", "M", "W", "ps"])
def test_datetime64_of_another_unit_is_refused(unit: str):
    column = np.array([1], dtype=f"M8[{unit}]")
    for rows in (column, list(column)):
        with pytest.raises(InvalidTypeError, match=r"at row 0 .*; the unit must be one of D, h, m, s, ms, us, ns"):
            to_instants(rows, at_tz="UTC")


def test_times_without_a_zone_need_one():
    with pytest.raises(
        InvalidValueError, match=r"got '2024-01-01' at row 0 \(1 of 1 rows\); times without a zone need at_tz"
    ):
        to_instants(np.array(["2024-01-01"], dtype="M8[D]"))


@pytest.mark.parametrize(
    ("row", "error", "words"),
    [
        (NEW_YEAR, InvalidValueError, "at row 1 .*; times that have a zone need no at_tz"),
        ("2024-01-01", InvalidTypeError, "at row 1 .*; text is not parsed"),
        (date(2024, 1, 1), InvalidTypeError, "at row 1 .*; a date is not an instant"),
        (5, InvalidTypeError, "at row 1 .*; integers need time_unit='s', 'ms' or 'us' instead of at_tz"),
        (None, InvalidValueError, r"got None at row 1 \(1 of 2 rows\)$"),
    ],
)
def test_what_is_no_wall_clock_time_is_refused(row: Any, error: type[Exception], words: str):
    with pytest.raises(error, match=rf"at: expected wall clock times without a zone \(at_tz='UTC'\), .*{words}"):
        to_instants([datetime(2024, 1, 1), row], at_tz="UTC")  # noqa: DTZ001


# --- options ---


def test_options_that_contradict_are_refused():
    with pytest.raises(
        InvalidValueError, match="at_tz: expected None where time_unit counts from 1970-01-01T00:00Z, got 'UTC'"
    ):
        to_instants([1], at_tz="UTC", time_unit="s")
    with pytest.raises(InvalidTypeError, match=r"at row 0 .*; time_unit is for integers alone"):
        to_instants(np.array(["2024-01-01"], dtype="M8[D]"), time_unit="s")


def test_an_unknown_unit_or_zone_is_refused():
    with pytest.raises(InvalidValueError, match="time_unit: expected one of 's', 'ms', 'us', got 'ns'"):
        to_instants([1], time_unit="ns")  # type: ignore[arg-type]
    with pytest.raises(
        UnknownLabelError, match=r"at_tz: expected an IANA time zone .*, got 'Asia/Shangai'; did you mean"
    ):
        to_instants([datetime(2024, 1, 1)], at_tz="Asia/Shangai")  # noqa: DTZ001


@pytest.mark.parametrize("values", ["2024-01-01", b"2024", 5, None, {1: 2}, {5}, iter([5]), NEW_YEAR, np.int64(5)])
def test_what_is_no_column_is_refused(values: Any):
    with pytest.raises(InvalidTypeError, match=r"ts: expected a column \(list or 1-D array\) of aware datetimes, got"):
        to_instants(values, argument="ts")


def test_a_table_is_no_column():
    with pytest.raises(InvalidValueError, match=r"at: expected a 1-D column, got 'an array of shape \(2, 3\)'"):
        to_instants(np.zeros((2, 3), dtype=np.int64), time_unit="s")

    class Ragged:
        def __len__(self):
            return 2

        def __getitem__(self, row):
            return ([1], [1, 2])[row]

    with pytest.raises(InvalidTypeError, match="at: expected a 1-D column of aware datetimes, got <"):
        to_instants(Ragged())


def test_hidden_rows_of_a_masked_array_are_missing():
    column = np.ma.MaskedArray([1, 2, 3], mask=[False, True, False])
    with pytest.raises(
        InvalidValueError, match=r"expected integers \(time_unit='s'\), got None at row 1 \(1 of 3 rows\)"
    ):
        to_instants(column, time_unit="s")
    assert to_instants(np.ma.MaskedArray([1, 2]), time_unit="s").us.tolist() == [10**6, 2 * 10**6]
    with pytest.raises(InvalidTypeError, match=r"got 1.0 at row 0 \(3 of 3 rows\)"):
        to_instants(np.ma.MaskedArray([1.0, 2.0, 3.0], mask=[False, True, False]), time_unit="s")


# --- what comes out ---


@pytest.mark.parametrize(
    "empty",
    [[], (), np.array([]), np.array([], dtype=object), np.array([], dtype="M8[ns]"), np.array([], dtype=np.uint8)],
)
@pytest.mark.parametrize("options", [{}, {"time_unit": "us"}, {"at_tz": "Europe/Berlin"}])
def test_nothing_in_gives_nothing_out(empty: Any, options: dict[str, Any]):
    instants = to_instants(empty, **options)
    assert instants.us.shape == (0,)
    assert instants.us.dtype == np.int64
    assert instants.resolution_us == 1_000_000


@pytest.mark.parametrize(
    ("us", "resolution_us"),
    [([0, 5_000_000], 1_000_000), ([0, 5_000], 1_000), ([5_000_000, 5_000, 7], 1), ([-1], 1), ([-1_000], 1_000)],
)
def test_the_resolution_is_the_coarsest_unit_that_fits(us: list[int], resolution_us: int):
    assert to_instants(us, time_unit="us").resolution_us == resolution_us
    assert to_instants(np.array(us, dtype="M8[us]"), at_tz="Asia/Shanghai").resolution_us == resolution_us
    assert to_instants(np.array(us, dtype="M8[us]").astype("M8[ns]"), at_tz="UTC").resolution_us == resolution_us
    assert to_instants([from_us(at, "Europe/Berlin") for at in us]).resolution_us == resolution_us


def test_the_resolution_is_found_in_the_last_row_of_many():
    column = np.zeros(200_001, dtype=np.int64)
    column[-1] = 1
    assert to_instants(column, time_unit="us").resolution_us == 1
    assert to_instants(column, time_unit="ms").resolution_us == 1_000
    assert to_instants(column, time_unit="s").resolution_us == 1_000_000


@pytest.mark.parametrize(
    "column",
    [
        np.arange(6),
        np.arange(12)[::2],
        np.arange(6)[::-1],
        np.asfortranarray(np.arange(12).reshape(6, 2))[:, 1],
        np.arange(6).astype(">i8"),
        np.arange(6).astype("M8[us]"),
    ],
)
def test_the_callers_array_is_neither_kept_nor_changed(column: np.ndarray):
    column.setflags(write=False)
    before = copy.deepcopy(column)
    instants = to_instants(column, **({"at_tz": "UTC"} if column.dtype.kind == "M" else {"time_unit": "us"}))  # type: ignore[arg-type]
    assert not np.shares_memory(instants.us, column)
    assert not instants.us.flags.writeable
    np.testing.assert_array_equal(instants.us, before.astype(np.int64))
    np.testing.assert_array_equal(column, before)


# --- row by row ---


def test_every_bad_row_is_told_with_its_reason():
    column = [NEW_YEAR, None, "x", datetime(2024, 1, 1)]  # noqa: DTZ001
    assert instant_faults(column) == {
        1: "at: expected aware datetimes, got None",
        2: "at: expected aware datetimes, got 'x'; text is not parsed",
        3: "at: expected aware datetimes, got '2024-01-01T00:00:00'; times without a zone need at_tz",
    }
    assert list(instant_faults(np.array(["NaT", "2024-01-01", "2024-03-31T02:30"], "M8[m]"), at_tz=BERLIN)) == [0, 2]
    assert instant_faults([1, 2, 3], time_unit="s") == {}


def test_rows_without_a_fault_can_be_read_and_the_others_cannot():
    column = np.array([5, 10**17, -5, -(10**17)])
    faults = instant_faults(column, time_unit="ms", argument="ts")
    assert faults[1] == "ts: expected instants in [1900, 2262), got 100000000000000000"
    kept = [row for row in range(len(column)) if row not in faults]
    assert to_instants(column[kept], time_unit="ms").us.tolist() == [5_000, -5_000]
    for row in faults:
        with pytest.raises(InvalidValueError, match="at: expected instants in"):
            to_instants(column[[row]], time_unit="ms")


@pytest.mark.parametrize("values", [[1, np.timedelta64(2, "s")], np.array([1, np.timedelta64(2, "s")], dtype=object)])
def test_a_span_of_time_is_no_instant(values):
    with pytest.raises(
        InvalidTypeError, match=r"^at: expected integers \(time_unit='s'\), got .* at row 1 \(1 of 2 rows\)$"
    ):
        to_instants(values, time_unit="s")
    with pytest.raises(InvalidTypeError, match=r"^at: expected aware datetimes, got .* at row 0 \(1 of 1 rows\)$"):
        to_instants([np.timedelta64(2, "s")])
