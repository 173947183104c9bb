"""Streaks of all members against one member at a time and against a walk over the calendar, in any zone."""

from __future__ import annotations

import datetime as dt

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.reference.slow_streaks import days_of, peer_counts, streak

from shequn.campaigns import peer_effect, streak_of, streaks
from shequn.columns import EventLog
from shequn.labels import Assignment
from shequn.values.instants import from_us

NAMED = ["UTC", "Asia/Shanghai", "America/New_York", "Europe/Berlin", "Asia/Kathmandu", "America/Sao_Paulo"]
HOUR = 3_600_000_000
# Around the changes of clocks in November 2018: New York on the 4th, São Paulo, at midnight, on the 4th too.
START = 1_540_700_000_000_000

weekdays = st.one_of(st.none(), st.sets(st.integers(0, 6), min_size=1))
rows = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 24 * 20)), max_size=40)


@given(rows=rows, tz=st.sampled_from(NAMED), grace=st.integers(0, 3), days=weekdays, hour=st.integers(0, 24 * 22))
def test_the_columns_say_what_a_walk_over_the_days_says(rows, tz, grace, days, hour):
    own = [(member, START + at * HOUR) for member, at in rows]
    as_of_us = START + hour * HOUR
    log = EventLog.from_columns(
        member=[member for member, _ in own], kind="check_in", at=np.array([at for _, at in own]), time_unit="us"
    )
    found = streaks(log, tz=tz, as_of=from_us(as_of_us), grace=grace, weekdays=days, unknown_kinds="ignore")
    counting = set(range(7)) if days is None else days
    by_member = days_of(own, tz, as_of_us)
    for member in "abc":
        walked = streak(by_member.get(member, set()), found.as_of_day, grace, counting)
        one = streak_of(by_member.get(member, set()), as_of=found.as_of_day, grace=grace, weekdays=days)
        assert found.of(member) == one
        assert (walked or (0, 0, 0, 0)) == one[:4]
        assert (member in found.members) == (walked is not None)


@given(days=st.sets(st.integers(0, 60)), today=st.integers(0, 65), grace=st.integers(0, 4), more=st.integers(0, 3))
def test_more_grace_never_shortens_a_streak(days, today, grace, more):
    dates = [dt.date(2024, 5, 1) + dt.timedelta(days=day) for day in days]
    as_of = dt.date(2024, 5, 1) + dt.timedelta(days=today)
    strict = streak_of(dates, as_of=as_of, grace=grace)
    lax = streak_of(dates, as_of=as_of, grace=grace + more)
    assert strict.current <= lax.current
    assert strict.longest <= lax.longest
    assert strict[2:] == lax[2:]
    assert strict.current <= strict.longest <= strict.days <= strict.expected


@given(
    rows=st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 24 * 9), st.booleans()), max_size=30),
    tz=st.sampled_from(NAMED),
    hour=st.integers(0, 24 * 10),
    split=st.one_of(st.none(), st.dictionaries(st.sampled_from("abcd"), st.sampled_from("xy"))),
)
def test_first_check_ins_are_counted_day_by_day(rows, tz, hour, split):
    own = [(member, START + at * HOUR, used) for member, at, used in rows]
    as_of_us = START + hour * HOUR
    log = EventLog.from_columns(
        member=[member for member, _, _ in own],
        kind=["check_in" if used else "read" for _, _, used in own],
        at=np.array([at for _, at, _ in own]),
        time_unit="us",
    )
    peers = None if split is None else Assignment.from_mapping(split)
    found = peer_effect(log, tz=tz, as_of=from_us(as_of_us), peers=peers, cuts=(1, 2), unknown_kinds="ignore")
    segment = dict.fromkeys("abcd", "all") if split is None else split
    assert (found.member_days.tolist(), found.firsts.tolist()) == peer_counts(own, tz, as_of_us, (1, 2), segment)
