"""Reminders keep to wall clock, quiet hours and cadence, and are those of a plain plan member by member."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.admission import ReminderStatus, reminders
from shequn.columns import EventLog
from shequn.errors import InvalidValueError
from shequn.values import Cadence, DailyWindow, QuietHours
from shequn.values.instants import from_us, instant_us

DAY = 86_400
S = 1_000_000
START = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)

facts = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["join", "join", "receive", "receive", "leave"]),
        st.integers(0, 24 * 30),
    ),
    min_size=1,
    max_size=12,
)
cadences = st.none() | st.builds(
    Cadence,
    per_day=st.none() | st.just(1),
    per_week=st.none() | st.integers(1, 2),
    per_month=st.none() | st.integers(2, 3),
    min_gap=st.none() | st.integers(1, 96).map(lambda h: dt.timedelta(hours=h)),
)
quiets = st.sampled_from(
    [
        None,
        DailyWindow(start="08:00", end="12:00", tz="Europe/Berlin"),
        DailyWindow(start="22:00", end="11:00", weekdays="fri-sun", tz="Asia/Shanghai"),
        DailyWindow(start="09:00", end="18:00", weekdays="mon-fri", use="active", tz="Europe/Berlin"),
    ]
)


def log_of(rows):
    return EventLog.from_columns(
        member=[who for who, *_ in rows],
        kind=[kind for _, kind, _ in rows],
        at=[START + hours * HOUR for *_, hours in rows],
    )


def period_keys(us, tz, week_start):
    day = from_us(us, tz).date()
    back = (day.weekday() - (0 if week_start == "monday" else 6)) % 7
    return {"day": day, "week": day - dt.timedelta(days=back), "month": (day.year, day.month)}


def slow_plan(rows, as_of, until, tz, step, hour, cadence, quiet):  # noqa: PLR0912, PLR0917
    """The definition: member by member, day by day."""
    zone, spaces, plan = ZoneInfo(tz), QuietHours.of(quiet), []
    ordered = sorted(enumerate(rows), key=lambda one: (one[1][2], one[0]))
    for who in sorted({name for name, *_ in rows}):
        joined, history = None, []
        for _, (name, kind, hours) in ordered:
            at = START + hours * HOUR
            if name != who or at > as_of:
                continue
            if kind == "join" and joined is None:
                joined = at
            if kind == "leave":
                joined = None
            if kind == "receive":
                history.append(instant_us(at))
        if joined is None:
            continue
        first = joined.astimezone(zone).date()
        for k in range(1, 200):
            due, limit = (wall(first + dt.timedelta(days=n * step), hour, zone) for n in (k, k + 1))
            if due >= instant_us(until):
                break
            if due < instant_us(as_of):
                continue
            sent = None
            for later in range(step):
                us = wall(first + dt.timedelta(days=k * step + later), hour, zone)
                us = instant_us(spaces.next_allowed(from_us(us)))
                if us >= min(limit, instant_us(until)):
                    break
                if has_room(us, history, cadence, tz):
                    sent = us
                    history.append(us)
                    break
            plan.append((due, who, sent))
    return sorted(plan, key=lambda one: one[:2])


def wall(day, hour, zone):
    """The first instant at which the clock shows the hour of a day or later."""
    shown = dt.datetime.combine(day, dt.time(hour))
    at = shown.replace(tzinfo=zone)
    if at.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None) == shown:
        return instant_us(at)
    low = shown.replace(tzinfo=dt.UTC) - dt.timedelta(days=1)
    return next(
        instant_us(low + n * dt.timedelta(minutes=30))
        for n in range(200)
        if (low + n * dt.timedelta(minutes=30)).astimezone(zone).replace(tzinfo=None) >= shown
    )


def has_room(us, history, cadence, tz):
    if cadence is None:
        return True
    mine = period_keys(us, tz, cadence.week_start)
    counts = Counter(key for one in history for key in period_keys(one, tz, cadence.week_start).items())
    caps = {"day": cadence.per_day, "week": cadence.per_week, "month": cadence.per_month}
    if any(cap is not None and counts[(unit, mine[unit])] >= cap for unit, cap in caps.items()):
        return False
    return not history or us - max(history) >= cadence.min_gap_us


@given(
    facts,
    st.integers(0, 24 * 30),
    st.integers(1, 40),
    st.sampled_from(["Europe/Berlin", "Asia/Shanghai", "America/St_Johns"]),
    st.integers(1, 9),
    st.sampled_from([2, 10, 23]),
    cadences,
    quiets,
)
def test_the_plan_is_the_one_of_the_definition(rows, begin, days, tz, step, hour, cadence, quiet):  # noqa: PLR0917
    as_of = START + begin * HOUR
    until = as_of + dt.timedelta(days=days)
    log = log_of(rows)
    plan = reminders(
        log, as_of=as_of, until=until, tz=tz, every_days=step, at=dt.time(hour), cadence=cadence, quiet=quiet
    )
    slow = slow_plan(rows, as_of, until, tz, step, hour, cadence, quiet)
    found = [(instant_us(one.due), one.member, None if one.at is None else instant_us(one.at)) for one in plan.rows()]
    assert sorted(found, key=lambda one: one[:2]) == slow
    sent = [one for one in plan.rows() if one.at is not None]
    assert all(QuietHours.of(quiet).allowed(one.at) for one in sent)
    assert sum(plan.sizes.values()) == len(plan) == len(slow)


@pytest.mark.parametrize(("received", "status"), [(1, ReminderStatus.PUT_OFF), (0, ReminderStatus.ON_TIME)])
def test_a_full_day_puts_a_reminder_off(received, status):
    rows = [("a", "join", 0), *[("a", "receive", 24 * 5 + 1)] * received]
    plan = reminders(
        log_of(rows), as_of=START + 122 * HOUR, until=START + 200 * HOUR, tz="UTC", every_days=5,
        cadence=Cadence(per_day=1),
    )  # fmt: skip
    assert [one.status for one in plan.rows()] == [status]


@pytest.mark.parametrize("at", ["25:00", "9:00", "10:00:30", dt.time(10, 0, 30)])
def test_a_time_of_day_is_to_the_minute(at):
    with pytest.raises(InvalidValueError, match="at: expected a time of day"):
        reminders(log_of([("a", "join", 0)]), as_of=START, until=START + HOUR, tz="UTC", at=at)


@pytest.mark.parametrize(("minutes", "status"), [(-1, "left_out"), (0, "left_out"), (1, "put_off")])
def test_a_plan_ends_before_its_end(minutes, status):
    """Due at ten on the sixth day, quiet until 18:00: sent then, if the plan goes on beyond."""
    quiet = DailyWindow(start="09:00", end="18:00", tz="UTC")
    plan = reminders(
        log_of([("a", "join", 0)]), as_of=START + 122 * HOUR, tz="UTC", every_days=5, quiet=quiet,
        until=START + (5 * 24 + 18) * HOUR + dt.timedelta(minutes=minutes),
    )  # fmt: skip
    assert [one.status for one in plan.rows()] == [status]
