"""Periods and transitions of every zone of the tz database, against zoneinfo and the database's own files.

The instants that matter are those around each transition. They are taken from the compiled TZif files, not from the
code under test, so that a transition it overlooks is tried all the same. Names of one and the same file are tried once.
"""

from __future__ import annotations

import importlib.resources
import struct
import zoneinfo
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from shequn.values import Calendar, transitions
from shequn.values import zones as zones_module

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = (int((datetime(year, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) for year in (1900, 2100))
SECOND_US = 1_000_000
DAY = 86_400


class Source(NamedTuple):
    """What a TZif file (RFC 9636) says: when offsets began to hold, which, and the rule of all later years."""

    seconds: tuple[int, ...]
    offsets: tuple[int, ...]
    rule: bytes


def names() -> list[str]:
    machine = ("localtime", "posixrules", "posix/", "right/")
    return sorted(name for name in zoneinfo.available_timezones() if not name.startswith(machine))


def content(name: str) -> bytes:
    for folder in zoneinfo.TZPATH:
        path = Path(folder) / name
        if path.is_file():
            return path.read_bytes()
    return importlib.resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()


def parsed(data: bytes) -> Source:
    def header(start: int) -> tuple[int, ...]:
        return struct.unpack(">6I", data[start + 20 : start + 44])

    isut, isstd, leaps, n_times, n_types, n_chars = header(0)
    start = 44 + 5 * n_times + 6 * n_types + n_chars + 8 * leaps + isstd + isut  # the 32-bit part is passed over
    isut, isstd, leaps, n_times, n_types, n_chars = header(start)
    start += 44
    seconds = struct.unpack(f">{n_times}q", data[start : start + 8 * n_times])
    start += 8 * n_times
    which = data[start : start + n_times]
    start += n_times
    types = [struct.unpack(">iBB", data[start + 6 * k : start + 6 * k + 6])[0] for k in range(n_types)]
    start += 6 * n_types + n_chars + 12 * leaps + isstd + isut
    return Source(seconds, tuple(types[k] for k in which), data[start:].strip())


@cache
def one_of_each() -> dict[bytes, str]:
    """One name for each distinct file."""
    return {content(name): name for name in names()}


def offset_s(second: int, tz: zoneinfo.ZoneInfo) -> int:
    offset = (EPOCH + timedelta(seconds=second)).astimezone(tz).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def changes_in_the_file(source: Source, tz: zoneinfo.ZoneInfo) -> list[tuple[int, int]]:
    """Seconds at which the offset became another one, with that one, from 1900 to the file's last entry."""
    changes = []
    current = offset_s(FIRST, tz)
    for second, offset in zip(source.seconds, source.offsets, strict=True):
        if second > FIRST and offset != current:
            changes.append((second, offset))
        if second > FIRST:
            current = offset
    return changes


def found_by_us(name: str, first: int, last: int) -> tuple[list[int], list[int]]:
    found = transitions(name, first * SECOND_US, last * SECOND_US)
    assert not np.any(found.boundaries_us % SECOND_US)
    return (found.boundaries_us // SECOND_US).tolist(), (found.offsets_us // SECOND_US).tolist()


def test_the_transitions_of_every_zone_are_those_of_its_file():
    tried = 0
    for data, name in one_of_each().items():
        source, tz = parsed(data), zoneinfo.ZoneInfo(name)
        expected = changes_in_the_file(source, tz)
        last = max([FIRST, *source.seconds]) + 1
        boundaries, offsets = found_by_us(name, FIRST, last)
        assert boundaries == [second for second, _ in expected], name
        assert offsets == [offset_s(FIRST, tz), *(offset for _, offset in expected)], name
        tried += len(expected)
    assert tried > 10_000


def test_every_name_has_the_transitions_of_the_zone_it_stands_for():
    for name in names():
        same = one_of_each()[content(name)]
        lo, hi = 1_600_000_000, 1_900_000_000
        assert found_by_us(name, lo, hi) == found_by_us(same, lo, hi), name


def test_the_yearly_rules_of_all_later_years_are_followed():
    rules = {parsed(data).rule: name for data, name in one_of_each().items()}
    for name in rules.values():
        tz = zoneinfo.ZoneInfo(name)
        for year in (2071, 2099):
            start = int((datetime(year, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())
            seconds = range(start, start + 365 * DAY, 4 * 3_600)
            boundaries, offsets = found_by_us(name, start, start + 365 * DAY)
            stepped = np.array(offsets)[np.searchsorted(boundaries, seconds, side="right")]
            assert stepped.tolist() == [offset_s(second, tz) for second in seconds], name
            assert [offset_s(b, tz) != offset_s(b - 1, tz) for b in boundaries] == [True] * len(boundaries)


def test_no_zone_changes_twice_between_two_samples():
    """The search samples the offset; two changes between two samples could cancel out and be overlooked."""
    apart = []
    for data, name in one_of_each().items():
        seconds = [second for second, _ in changes_in_the_file(parsed(data), zoneinfo.ZoneInfo(name))]
        apart += [(later - earlier, name) for earlier, later in pairwise(seconds)]
    step = max(later - earlier for earlier, later in pairwise(zones_module._SAMPLING))
    assert min(apart)[0] > 1.5 * step.total_seconds(), min(apart)


# --- periods ---


def instants_that_matter(data: bytes, name: str) -> np.ndarray:
    """Microseconds around each transition from 1900 to 2100, and a few anywhere."""
    source = parsed(data)
    boundaries = [second for second in source.seconds if FIRST < second < LAST]
    rng = np.random.default_rng(sum(data))
    anywhere = rng.integers(FIRST * SECOND_US, LAST * SECOND_US, 100)
    if b"," in source.rule:  # summer time goes on
        anywhere = np.append(
            anywhere, transitions(name, [FIRST, *boundaries][-1] * SECOND_US, LAST * SECOND_US).boundaries_us[::7]
        )
    jumps = np.array([-1, 0, rng.integers(-7_200, 7_200) * SECOND_US, 3_600 * SECOND_US - 1])
    around = (np.array(boundaries, dtype=np.int64)[:, None] * SECOND_US + jumps).ravel()
    us = np.concatenate([around, anywhere])
    return np.sort(us[(us >= FIRST * SECOND_US) & (us < LAST * SECOND_US)])


def slow_numbers(us: int, tz: zoneinfo.ZoneInfo) -> tuple[int, ...]:
    """Hour, day, ISO week, Sunday week, month, quarter and year, by the standard library's calendar alone."""
    wall = (EPOCH + timedelta(microseconds=us)).astimezone(tz)
    day = date(wall.year, wall.month, wall.day)
    since = (day - date(1970, 1, 1)).days
    iso = day.isocalendar()
    monday = date.fromisocalendar(iso.year, iso.week, 1)
    sunday = day - timedelta(days=iso.weekday % 7)
    return (
        since * 24 + wall.hour,
        since,
        (monday - date(1969, 12, 29)).days // 7,
        (sunday - date(1969, 12, 28)).days // 7,
        (day.year - 1970) * 12 + day.month - 1,
        (day.year - 1970) * 4 + (day.month - 1) // 3,
        day.year - 1970,
    )


KINDS: list[dict[str, Any]] = [
    {"unit": "hour"},
    {"unit": "day"},
    {"unit": "week"},
    {"unit": "week", "week_start": "sunday"},
    {"unit": "month"},
    {"unit": "quarter"},
    {"unit": "year"},
]


def test_the_periods_of_every_zone_are_those_of_zoneinfo():
    tried = 0
    for data, name in one_of_each().items():
        us = instants_that_matter(data, name)
        tz = zoneinfo.ZoneInfo(name)
        expected = np.array([slow_numbers(at, tz) for at in us.tolist()]).T
        for kind, numbers in zip(KINDS, expected, strict=True):
            calendar = Calendar(tz=name, **kind)
            np.testing.assert_array_equal(calendar.index(us), numbers, err_msg=f"{name} {kind}")
        hours = Calendar(tz=name, unit="hour")
        for start in range(0, len(us), 40):  # few transitions at a time: another way through the code
            block = slice(start, start + 40)
            np.testing.assert_array_equal(hours.index(us[block]), expected[0][block], err_msg=name)
        tried += us.size
    assert tried > 50_000


@pytest.mark.parametrize(
    "name", ["Asia/Shanghai", "America/Sao_Paulo", "America/St_Johns", "Pacific/Apia", "Asia/Gaza"]
)
@pytest.mark.parametrize(("unit", "n"), [("day", 1), ("hour", 1), ("week", 2), ("month", 1)])
def test_the_ends_of_periods_are_found_by_looking_at_every_minute(name: str, unit: Any, n: int):
    """The first minute whose label is the period's or later, and the minute after the last that is not later."""
    calendar = Calendar(unit=unit, tz=name, n=n)
    tz = zoneinfo.ZoneInfo(name)
    file = [b for b, _ in changes_in_the_file(parsed(content(name)), tz) if b > 0 and not b % 60]
    for boundary in file[:: max(1, len(file) // 6)]:
        minutes = np.arange(boundary - 2 * DAY, boundary + 2 * DAY, 60)
        labels = calendar.label(calendar.index(minutes * SECOND_US))
        moments = [EPOCH + timedelta(seconds=at) for at in minutes.tolist()]
        slow = np.array([at.astimezone(tz).replace(tzinfo=None) for at in moments], dtype="M8[us]")
        for number in range(
            calendar.index_one(int(minutes[0]) * SECOND_US) + 1, calendar.index_one(int(minutes[-1]) * SECOND_US)
        ):
            this, following = calendar.label([number, number + 1])
            assert calendar.start_us([number])[0] == minutes[np.argmax(slow >= this)] * SECOND_US
            assert calendar.end_us([number])[0] == (minutes[slow < following][-1] + 60) * SECOND_US
        assert np.all(labels <= slow)
