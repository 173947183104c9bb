"""Microseconds of datetimes, against whole-number arithmetic on the calendar and against data frames."""

from __future__ import annotations

import random
import zoneinfo
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import numpy as np
import pandas as pd
import pendulum
import polars as pl
import pyarrow as pa
import pytest

from shequn.errors import InvalidValueError
from shequn.values import from_us, instant_us, to_instants


def slow_us(at: datetime) -> int:
    """Count days by the proleptic Gregorian rules, then take the offset off: integers only."""
    year, leap_days = at.year - 1, (at.year - 1) // 4 - (at.year - 1) // 100 + (at.year - 1) // 400
    is_leap = at.year % 4 == 0 and (at.year % 100 != 0 or at.year % 400 == 0)
    lengths = [31, 29 if is_leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    days = year * 365 + leap_days + sum(lengths[: at.month - 1]) + at.day - 1 - 719_162
    us = (((days * 24 + at.hour) * 60 + at.minute) * 60 + at.second) * 1_000_000 + at.microsecond
    offset = at.utcoffset()
    assert offset is not None
    return us - (offset.days * 86_400 + offset.seconds) * 1_000_000 - offset.microseconds


def random_datetimes(n: int) -> list[datetime]:
    rng = random.Random(20_260_101)  # noqa: S311
    zones: list[tzinfo] = [
        UTC,
        timezone(timedelta(hours=5, minutes=45)),
        zoneinfo.ZoneInfo("Europe/Berlin"),
        zoneinfo.ZoneInfo("America/St_Johns"),
        pendulum.timezone("Asia/Shanghai"),
        pendulum.timezone("Australia/Lord_Howe"),
        pendulum.FixedTimezone(-34_200),
    ]
    start = datetime(1900, 1, 3)  # noqa: DTZ001
    microseconds = 200 * 365 * 86_400_000_000
    found = []
    for _ in range(n):
        wall = start + timedelta(microseconds=rng.randrange(microseconds))
        kind = rng.choice([datetime, pendulum.DateTime])
        found.append(
            kind(wall.year, wall.month, wall.day, wall.hour, wall.minute, wall.second, wall.microsecond,
                 tzinfo=rng.choice(zones), fold=rng.randrange(2))
        )  # fmt: skip
    return found


DATETIMES = random_datetimes(20_000)
EXPECTED = [slow_us(at) for at in DATETIMES]


def test_twenty_thousand_datetimes_are_exact_one_by_one():
    assert [instant_us(at) for at in DATETIMES] == EXPECTED


def test_twenty_thousand_datetimes_are_exact_as_one_column():
    assert to_instants(DATETIMES).us.tolist() == EXPECTED


def test_columns_of_one_zone_are_exact():
    by_zone: dict[int, list[int]] = {}
    for row, at in enumerate(DATETIMES):
        by_zone.setdefault(id(at.tzinfo), []).append(row)
    assert len(by_zone) == 7
    for rows in by_zone.values():
        assert to_instants([DATETIMES[row] for row in rows]).us.tolist() == [EXPECTED[row] for row in rows]


def test_instants_are_shown_as_the_standard_library_shows_them():
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for us in EXPECTED[::20]:
        for name in ("Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe"):
            plain = (epoch + timedelta(microseconds=us)).astimezone(zoneinfo.ZoneInfo(name))
            shown = from_us(us, name)
            assert shown.isoformat() == plain.isoformat()
            assert shown.fold == plain.fold


# --- columns of data frames ---

STAMPS = pd.date_range("2024-10-26T22:00:00.001", periods=200, freq="13min", tz="UTC")
US = STAMPS.as_unit("us").asi8


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Shanghai"])
def test_a_column_with_a_zone_is_read_as_the_instants_it_holds(unit: str, zone: str):
    index = STAMPS.as_unit(unit).tz_convert(zone)
    series = pd.Series(index)
    columns = [
        index,
        series,
        series.astype(object),
        list(series),
        pl.Series(index.tz_convert("UTC").tz_localize(None)).dt.replace_time_zone("UTC").dt.convert_time_zone(zone),
        pa.array(index, type=pa.timestamp(unit, tz=zone)),
        pa.chunked_array([pa.array(index, type=pa.timestamp(unit, tz=zone))]),
        series.astype(pd.ArrowDtype(pa.timestamp(unit, tz=zone))),
    ]
    for column in columns:
        instants = to_instants(column)
        np.testing.assert_array_equal(instants.us, US)
        assert instants.resolution_us == 1_000


def test_a_column_without_a_zone_is_read_on_the_clock_it_is_said_to_be_of():
    local = STAMPS.tz_convert("Asia/Shanghai").tz_localize(None)
    columns = [local, pd.Series(local), pl.Series(local), pa.array(local), list(local), pd.Series(local).astype(object)]
    for column in columns:
        np.testing.assert_array_equal(to_instants(column, at_tz="Asia/Shanghai").us, US)
        with pytest.raises(InvalidValueError, match=r"row 0 \(200 of 200 rows\); times without a zone need at_tz"):
            to_instants(column)


def test_a_column_with_a_zone_needs_no_other():
    for column in (STAMPS, pd.Series(STAMPS), pl.Series(STAMPS), pa.array(STAMPS)):
        with pytest.raises(
            InvalidValueError, match=r"at_tz: expected None, since at is a column with a zone \(UTC\), got 'Asia"
        ):
            to_instants(column, at_tz="Asia/Shanghai")
        with pytest.raises(InvalidValueError, match="time_unit: expected None, since at is a column with a zone"):
            to_instants(column, time_unit="s")


def test_missing_and_finer_stamps_are_located():
    nat = pd.Series(STAMPS)
    nat[3] = pd.NaT
    arrow = pa.array([STAMPS[0], None], type=pa.timestamp("us", tz="UTC"))
    for column in (nat, nat.astype(object), list(nat)):
        with pytest.raises(InvalidValueError, match=r"expected aware datetimes, got 'NaT' at row 3 \(1 of 200 rows\)"):
            to_instants(column)
    for column in (arrow, pl.Series([STAMPS[0], None], dtype=pl.Datetime("us", "UTC"))):
        with pytest.raises(InvalidValueError, match=r"expected aware datetimes, got 'NaT' at row 1 \(1 of 2 rows\)"):
            to_instants(column)
    finer = [STAMPS[0], STAMPS[1] + pd.Timedelta(1, "ns")]
    for column in (finer, pd.Series(finer), np.array(finer, dtype=object)):
        with pytest.raises(
            InvalidValueError, match=r"instants of whole microseconds, got '2024-10-26T22:13:00.001000001"
        ):
            to_instants(column)
    with pytest.raises(InvalidValueError, match="expected aware datetimes, got <NA> at row 1"):
        to_instants([STAMPS[0], pd.NA])
    with pytest.raises(InvalidValueError, match=r"expected integers \(time_unit='s'\), got <NA> at row 1"):
        to_instants(pd.Series([1, None], dtype=object).fillna(pd.NA), time_unit="s")


def test_the_two_hours_of_a_fold_are_told_apart_by_pandas_stamps_too():
    stamps = [pd.Timestamp(f"2024-10-27T0{hour}:30Z").tz_convert("Europe/Berlin") for hour in (0, 1)]
    assert np.diff(to_instants(stamps).us).tolist() == [3_600_000_000]
    assert instant_us(stamps[1]) - instant_us(stamps[0]) == 3_600_000_000
