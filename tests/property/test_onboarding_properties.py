"""Newcomers: one member at a time and all in columns come to the same, and rates count only whose time is over."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.admission import Onboarding, onboarding, progress_of
from shequn.columns import EventLog
from shequn.columns.membership import NO_INSTANT
from shequn.values.instants import from_us

S = 1_000_000
CHECKLIST = Onboarding(
    steps={"welcome": "welcome", "rename": "rename", "first post": {"post", "reply"}},
    received=["welcome"],
    within=dt.timedelta(seconds=5),
)
rows = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["join", "join", "welcome", "rename", "post", "reply", "ask"]),
        st.integers(0, 12),
        st.sampled_from([None, "a", "b", "z"]),
    ),
    max_size=14,
)


def log_of(given_rows):
    member, kind, at, target = zip(*given_rows, strict=True) if given_rows else ([],) * 4
    return EventLog.from_columns(member=list(member), kind=list(kind), at=list(at), time_unit="s", target=list(target))


@given(rows, st.integers(0, 14))
def test_one_member_at_a_time_is_the_same_as_all_in_columns(given_rows, until):
    log = log_of(given_rows)
    made = onboarding(log, CHECKLIST, as_of=from_us(until * S))
    joined = {}
    for who, kind, at, _ in given_rows:
        if kind == "join" and at <= until:
            joined[who] = min(at, joined.get(who, at))
    assert set(made.members) == set(joined)
    events = list(log.to_events())
    for who, at in joined.items():
        one = progress_of(events, CHECKLIST, member=who, joined=from_us(at * S), as_of=from_us(until * S))
        assert made.of(who) == one
        firsts = [
            s for w, kind, s, _ in given_rows if w == who and kind in {"post", "reply", "ask"} and at <= s <= until
        ]
        place = made.members.code(who)
        assert made.contributed_us[place] == (min(firsts) * S if firsts else NO_INSTANT)


@given(rows, st.integers(0, 14))
def test_rates_count_those_whose_time_is_over(given_rows, until):
    made = onboarding(log_of(given_rows), CHECKLIST, as_of=from_us(until * S))
    people = [made.of(who) for who in made.members]
    judged = [one for one in people if one.is_judged]
    assert made.young == len(people) - len(judged)
    assert (made.completion.hits, made.completion.trials) == (sum(one.is_complete for one in judged), len(judged))
    for step in CHECKLIST.steps:
        with_it, without, _ = made.activation_by_step(step)
        assert with_it.trials + without.trials == len(judged)
        assert with_it.hits + without.hits == made.activation.hits
        assert made.step_rate(step).hits == with_it.trials == len(judged) - made.missing[step]
    assert made.first_contribution.n_followed == len(people)
    assert [row.missing for row in made.rows()] == [one.missing[0] if one.missing else None for one in people]


@pytest.mark.parametrize(("seconds", "done"), [(4, True), (5, False), (6, False)])
def test_a_step_is_done_before_its_time_is_over(seconds, done):
    log = log_of([("a", "join", 0, None), ("a", "rename", seconds, None)])
    assert onboarding(log, CHECKLIST, as_of=from_us(20 * S)).done[0].tolist() == [False, done, False]


@pytest.mark.parametrize(("seconds", "trials"), [(4, 0), (5, 1), (6, 1)])
def test_a_newcomer_is_judged_once_the_time_is_over(seconds, trials):
    made = onboarding(log_of([("a", "join", 0, None)]), CHECKLIST, as_of=from_us(seconds * S))
    assert made.completion.trials == trials
