"""Stickiness and active days against plain sets of (member, local date), one member and one day at a time."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from tests.reference.slow_retention import DAY_US, EPOCH, Row, SlowCalendar, active_periods, end_of_observation

import shequn.retention.sets as period_sets
from shequn.columns import EventLog
from shequn.retention import active_days, presence, stickiness
from shequn.retention.sets import BitSets, CellSets

KINDS = ["post", "post", "reply", "receive", "leave"]  # the last two are no activity


class Case(NamedTuple):
    tz: str
    first_day: dt.date
    n_days: int
    resolution_us: int = 1_000_000


# Each holds something that 86,400 seconds a day would get wrong.
CASES = [
    Case("UTC", dt.date(2024, 2, 10), 60),
    Case("Asia/Shanghai", dt.date(1988, 3, 20), 50, 1),  # summer time in China
    Case("America/Sao_Paulo", dt.date(2018, 10, 20), 45),  # a day that begins at 01:00
    Case("Australia/Lord_Howe", dt.date(2024, 3, 25), 40, 1_000),  # clocks go back by half an hour
    Case("America/St_Johns", dt.date(2010, 10, 20), 30),  # clocks went back at 00:01, into the day before
    Case("Pacific/Apia", dt.date(2011, 12, 10), 40),  # there was no 30 December
    Case("Europe/Berlin", dt.date(1969, 12, 20), 30),
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.tz)


@pytest.fixture(params=["bits", "cells"])
def shape(request, monkeypatch):
    if request.param == "cells":
        monkeypatch.setattr(period_sets, "_SMALL_MASK", 0)
        monkeypatch.setattr(period_sets, "_MASK_BYTES_A_ROW", 0)
    return BitSets if request.param == "bits" else CellSets


def generator(*names: str) -> np.random.Generator:
    return np.random.default_rng([ord(letter) for name in names for letter in name])


def random_rows(case: Case, rng: np.random.Generator, n_rows: int) -> list[Row]:
    start = dt.datetime.combine(case.first_day, dt.time(), tzinfo=ZoneInfo(case.tz))
    start_us = (start - EPOCH) // dt.timedelta(microseconds=1)
    steps = case.n_days * DAY_US // case.resolution_us
    quiet = range(steps // 3, steps // 2)  # days on which nobody is active
    rows = []
    while len(rows) < n_rows:
        step = int(rng.integers(steps))
        if step not in quiet:
            kind = KINDS[rng.integers(len(KINDS))]
            rows.append(Row(f"m{rng.integers(9)}", kind, start_us + step * case.resolution_us))
    return rows


def log_of(rows: list[Row]) -> EventLog:
    return EventLog.from_columns(
        member=[row.member for row in rows],
        kind=[row.kind for row in rows],
        at=[row.at for row in rows],
        time_unit="us",
    )


@cache
def dates_that_happened(tz: str, first: dt.date, last: dt.date) -> set[dt.date]:
    """Return the local dates that some quarter of an hour falls on."""
    at = dt.datetime.combine(first, dt.time(), tzinfo=dt.UTC) - dt.timedelta(days=2)
    end = dt.datetime.combine(last, dt.time(), tzinfo=dt.UTC) + dt.timedelta(days=2)
    found = set()
    while at < end:
        found.add(at.astimezone(ZoneInfo(tz)).date())
        at += dt.timedelta(minutes=15)
    return {date for date in found if first <= date < last}


def slow_stickiness(rows, tz, per, week_start, observed_until):
    until = end_of_observation(rows, observed_until)
    assert until is not None
    days, longer = SlowCalendar("day", tz), SlowCalendar(per, tz, week_start=week_start)
    active = active_periods(rows, days, observed_until=until)
    cells = {(member, days.label(day)) for member, seen in active.items() for day in seen}
    if not cells:
        return []
    first = longer.number_of_date(min(date for _, date in cells))
    last = longer.number_of_date(days.label(days.number(until - 1)))
    table = []
    for p in range(first, last + 1):
        inside = {(member, date) for member, date in cells if longer.number_of_date(date) == p}
        members = {member for member, _ in inside}
        n_days = len(dates_that_happened(tz, longer.label(p), longer.label(p + 1)))
        complete = longer.is_complete(p, until)
        table.append(
            {
                "period": longer.label(p),
                "active": len(members),
                "active_days": len(inside),
                "n_days": n_days,
                "mean_daily": len(inside) / n_days if complete else np.nan,
                "days_per_member": len(inside) / len(members) if complete and members else np.nan,
                "stickiness": len(inside) / n_days / len(members) if complete and members else np.nan,
                "complete": complete,
            }
        )
    return table


def slow_active_days(rows, tz, last, observed_until):
    """Return the histogram and the window."""
    until = end_of_observation(rows, observed_until)
    assert until is not None
    days = SlowCalendar("day", tz)
    active = active_periods(rows, days, observed_until=until)
    held = [day for seen in active.values() for day in seen]
    if not held:
        return [0] * (last + 1), None, None
    end = max(d for d in range(min(held), days.number(until - 1) + 1) if days.is_complete(d, until))
    window = range(end - last + 1, end + 1)
    counts = Counter(len(seen & set(window)) for seen in active.values() if seen and min(seen) <= end)
    return [counts[k] for k in range(last + 1)], days.label(window[0]), days.label(end)


def ends_of_observation(rows: list[Row], rng: np.random.Generator) -> list[int | None]:
    """Return that of the data, one somewhere inside, and one long after the last row."""
    at = sorted(row.at for row in rows)
    return [None, at[2 * len(at) // 3] + int(rng.integers(DAY_US)), at[-1] + 40 * DAY_US]


def as_datetime(us: int | None) -> dt.datetime | None:
    return None if us is None else EPOCH + dt.timedelta(microseconds=us)


@pytest.mark.parametrize(("per", "week_start"), [("month", "monday"), ("week", "monday"), ("week", "sunday")])
@each_case
def test_stickiness_is_what_sets_of_members_and_dates_say(case, per, week_start, shape):
    rng = generator(case.tz, per)
    for n_rows in (3, 40):
        rows = random_rows(case, rng, n_rows)
        for until in ends_of_observation(rows, rng):
            daily = presence(log_of(rows), every="day", tz=case.tz, observed_until=as_datetime(until))
            assert isinstance(daily.sets, shape) or not daily.n_periods
            columns = stickiness(daily, per=per, week_start=week_start).to_columns()
            told = slow_stickiness(rows, case.tz, per, week_start, until)
            assert columns["period"].tolist() == [row["period"] for row in told]
            for name in columns.keys() - {"period"}:
                expected = [row[name] for row in told]
                np.testing.assert_allclose(columns[name], expected, rtol=1e-14, err_msg=name)


@each_case
def test_active_days_are_what_sets_of_members_and_dates_say(case, shape):
    rng = generator(case.tz)
    for n_rows, last in [(3, 5), (60, 7), (60, 28), (60, 400)]:
        rows = random_rows(case, rng, n_rows)
        for until in ends_of_observation(rows, rng):
            daily = presence(log_of(rows), every="day", tz=case.tz, observed_until=as_datetime(until))
            assert isinstance(daily.sets, shape) or not daily.n_periods
            told = slow_active_days(rows, case.tz, last, until)
            result = active_days(daily, last=last)
            assert (result.n_members.tolist(), result.start, result.end) == told


@pytest.mark.parametrize("last", [1, 7, 28])
@each_case
def test_a_log_gives_what_its_presence_gives(case, last):
    rows = random_rows(case, generator(case.tz, str(last)), 50)
    until = as_datetime(max(row.at for row in rows) + 3 * DAY_US)
    log = log_of(rows)
    options = {"tz": case.tz, "kinds": {"post"}, "observed_until": until}
    daily = presence(log, every="day", **options)
    assert active_days(log, last=last, **options) == active_days(daily, last=last)
    assert stickiness(log, per="week", **options) == stickiness(daily, per="week")
