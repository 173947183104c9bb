"""Layers of columns against the same of one member at a time in plain Python."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import pendulum
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import slow_layers as slow

from shequn.columns import EventLog, Roster
from shequn.segmentation import ValueLayers, behaviour_layers, posture_layers, value_layers

NOW = pendulum.datetime(2024, 11, 10, 5)
KINDS = ["post", "like", "read", "click", "join", "purchase", "mute", "receive", "leave", "check_in"]
# In New York clocks were set back on 3 November 2024: a day of 25 hours lies in the window.
ZONES = ["Asia/Shanghai", "America/New_York"]

hours = st.integers(-2, 24 * 45) | st.sampled_from([0, 24 * 30, 24 * 40])
events = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(KINDS), hours), max_size=40)
windows = st.sampled_from([1, 7, 30, 40])


def rows_of(given_rows: list) -> list[slow.Row]:
    return [slow.Row(member, kind, NOW - dt.timedelta(hours=ago)) for member, kind, ago in given_rows]


def log_of(rows: list[slow.Row]) -> EventLog:
    return EventLog.from_columns(
        member=[row.member for row in rows], kind=[row.kind for row in rows], at=[row.at for row in rows]
    )


ROSTER = Roster.from_columns(member=[4, 1, 0, 9])


@given(events, st.sampled_from(ZONES), st.tuples(windows, windows), st.integers(1, 4), st.booleans())
def test_behaviour_is_that_of_one_member_at_a_time(given_rows, tz, both, min_days, narrow):
    rows, (within, longer) = rows_of(given_rows), both
    options = {
        "as_of": NOW,
        "tz": tz,
        "within": pendulum.duration(days=min(within, longer)),
        "idle_after": pendulum.duration(days=max(within, longer)),
        "min_days": min_days,
    }
    active = {"post", "like"} if narrow else None
    found = behaviour_layers(ROSTER, log_of(rows), **options, active_kinds=active, unknown_kinds="ignore")
    assert found.assignment.labels().tolist() == [
        slow.behaviour(member, rows, **options, active=active) for member in ROSTER.members
    ]


@given(events, st.sampled_from(ZONES), windows, st.integers(1, 3), st.integers(0, 3))
def test_posture_is_that_of_one_member_at_a_time(given_rows, tz, within, regular, more):
    rows = rows_of(given_rows)
    options = {"as_of": NOW, "tz": tz, "within": pendulum.duration(days=within)}
    found = posture_layers(ROSTER, log_of(rows), **options, core_days=regular + more, regular_days=regular)
    assert found.assignment.labels().tolist() == [
        slow.posture(member, rows, **options, core=regular + more, regular=regular) for member in ROSTER.members
    ]


amounts = st.none() | st.integers(-5, 30) | st.integers(0, 10**12)
lines = st.tuples(st.integers(0, 100), st.integers(0, 100)).map(sorted)


@given(st.lists(amounts, max_size=12), lines)
def test_value_is_that_of_one_member_at_a_time(contributions, percents):
    shares = tuple(percent / 100 for percent in percents)
    found = ValueLayers.of(contributions, shares=shares)
    exact = tuple(Fraction(percent, 100) for percent in percents)
    if None in contributions:
        # One that is missing makes the column one of floats, whose share of a sum is rounded.
        return
    assert found.assignment.labels().tolist() == slow.value(contributions, exact)


spending = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["purchase", "invite", "post"]), hours, st.integers(-9, 99)),
    max_size=30,
)


@given(spending, windows, st.integers(0, 9))
def test_contributions_are_those_of_one_member_at_a_time(given_rows, within, per_referral):
    log = EventLog.from_columns(
        member=[member for member, _, _, _ in given_rows],
        kind=[kind for _, kind, _, _ in given_rows],
        at=[NOW - dt.timedelta(hours=ago) for _, _, ago, _ in given_rows],
        value=[value for _, _, _, value in given_rows],
    )
    also = [1, 2, 3, 4]
    found = value_layers(
        ROSTER, log, as_of=NOW, within=pendulum.duration(days=within), per_referral=per_referral, also=also
    )
    counted = [(member, kind, value) for member, kind, ago, value in given_rows if 0 <= ago < within * 24]
    expected = [
        more
        + sum(value for who, kind, value in counted if who == member and kind == "purchase")
        + per_referral * sum(who == member and kind == "invite" for who, kind, _ in counted)
        for member, more in zip(ROSTER.members, also, strict=True)
    ]
    assert found.contribution.tolist() == expected
    assert found.assignment.labels().tolist() == slow.value(expected, (Fraction(8, 10), Fraction(95, 100)))
