"""Admission holds its promises whatever comes: one at a time or all at once, and never above the cap."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import attrs
import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference.slow_admission import Door, slow_reason

from shequn.admission import AdmissionState, Applicants, admit, promote
from shequn.columns import EventLog
from shequn.entities import AdmissionPolicy, Applicant, Group, Invite, PassphraseHash, Platform

TZ = "Asia/Shanghai"
START = pendulum.datetime(2024, 5, 1, tz=TZ)
HASH = PassphraseHash.of("芝麻开门", salt=b"8 bytes.", cost=1)
PEOPLE = ["a", "b", "c", "d", "e"]
HOURS = st.integers(0, 60)

policies = st.one_of(
    st.builds(AdmissionPolicy, min_score=st.none() | st.just(2), cap=st.none() | st.integers(1, 4)),
    st.builds(AdmissionPolicy, mode=st.just("approval"), min_score=st.none() | st.just(2), cap=st.integers(1, 4)),
    st.builds(AdmissionPolicy, mode=st.just("passphrase"), passphrase=st.just(HASH), cap=st.integers(1, 4)),
    st.builds(
        AdmissionPolicy,
        mode=st.just("invitation"),
        cap=st.none() | st.integers(1, 5),
        quota_per_inviter=st.none() | st.integers(0, 2),
        min_score=st.none() | st.just(1),
    ),
)
applicants = st.lists(
    st.builds(
        Applicant,
        id=st.sampled_from(PEOPLE),
        at=HOURS.map(lambda h: START.add(hours=h)),
        score=st.none() | st.integers(0, 3),
        passphrase=st.sampled_from([None, "芝麻开门", "开门"]),
        invited_by=st.sampled_from([None, "root", "root", *PEOPLE]),
        invite=st.sampled_from([None, None, "i1", "i2", "i3", "i4"]),
        approved=st.sampled_from([None, True, False]),
    ),
    max_size=10,
)
INVITES = [
    Invite(code="i1", by="root", issued=START),
    Invite(code="i2", by="a", issued=START.add(hours=5), expires=START.add(hours=30)),
    Invite(code="i3", by="root", issued=START, used_by="x", used=START.add(hours=20)),
]


@st.composite
def groups(draw):
    caps = {None: draw(st.integers(1, 4)), dt.date(2024, 5, 2): draw(st.integers(1, 6))}
    platform = Platform(id="p", caps=draw(st.sampled_from([caps, None])))
    created = START.add(hours=draw(st.sampled_from([0, 0, 3])))
    closed = draw(st.sampled_from([None, None, START.add(hours=50)]))
    return Group(id="g", community="c", platform=platform, name="群", created=created, closed=closed)


def facts_before(barred):
    rows = [("root", "join")] + [(name, kind) for name in barred for kind in ("join", "remove")]
    return EventLog.from_columns(
        member=[name for name, _ in rows],
        kind=[kind for _, kind in rows],
        at=[START.subtract(days=1).add(seconds=n) for n in range(len(rows))],
        group=["g"] * len(rows),
    )


def options(policy, allowed):
    return {"inviters": allowed, "invites": INVITES} if policy.mode == "invitation" else {}


worlds = st.tuples(
    applicants,
    policies,
    groups(),
    st.sets(st.sampled_from(["d", "e"])),
    st.none() | st.just(["root", "a"]),
)


@given(worlds)
def test_every_decision_is_the_one_of_the_definition(world):
    asked, policy, group, barred, allowed = world
    state = AdmissionState.from_log(facts_before(barred), group="g", as_of=START)
    made = admit(asked, policy, group=group, tz=TZ, state=state, **options(policy, allowed))
    door = Door(members={"root"}, barred=set(barred))
    slow = {}
    for row in sorted(range(len(asked)), key=lambda row: asked[row].at):
        slow[row] = slow_reason(asked[row], policy, group, TZ, door, **options(policy, allowed))
    assert [row.reason.value for row in made.rows()] == [slow[row] for row in range(len(asked))]
    assert set(made.state.members) == door.members
    assert [one.id for one in made.state.waiting.records()] == door.waiting


@given(worlds, st.lists(st.integers(0, 12), max_size=4))
def test_any_split_comes_to_the_same_as_all_at_once(world, cuts):
    asked, policy, group, barred, allowed = world
    asked = sorted(asked, key=lambda one: one.at)
    log = facts_before(barred)
    start = AdmissionState.from_log(log, group="g", as_of=START)
    more = options(policy, allowed)
    at_once = admit(asked, policy, group=group, tz=TZ, state=start, **more)
    state, facts, reasons = start, [log], []
    edges = [0, *sorted(min(cut, len(asked)) for cut in cuts), len(asked)]
    end = START.add(days=9)
    for low, high in pairwise(edges):
        made = admit(asked[low:high], policy, group=group, tz=TZ, state=state, **more)
        reasons += [row.reason for row in made.rows()]
        if len(made):
            facts.append(made.log)
        state = AdmissionState.from_log(EventLog.concat(facts), group="g", as_of=end)
        # What is folded from the stored facts is what the answer itself says.
        assert state == attrs.evolve(made.state, others=0)
    assert reasons == [row.reason for row in at_once.rows()]
    assert state == at_once.state


@given(worlds)
def test_one_at_a_time_with_the_facts_stored_as_events_comes_to_the_same(world):
    asked, policy, group, barred, allowed = world
    asked = sorted(asked, key=lambda one: one.at)
    more = options(policy, allowed)
    events = list(facts_before(barred).to_events())
    start = AdmissionState.from_log(EventLog.from_events(events), group="g", as_of=START)
    at_once = admit(asked, policy, group=group, tz=TZ, state=start, **more)
    for one, row in zip(asked, at_once.rows(), strict=True):
        state = AdmissionState.from_log(EventLog.from_events(events), group="g", as_of=one.at)
        made = admit(one, policy, group=group, tz=TZ, state=state, **more)
        assert made.reason is row.reason
        events += made.events


@given(worlds, st.integers(0, 5))
def test_the_cap_is_never_exceeded_and_seats_go_to_who_waited_longest(world, others):
    asked, policy, group, barred, allowed = world
    state = AdmissionState(members=["root"], others=others, barred=barred)
    made = admit(asked, policy, group=group, tz=TZ, state=state, **options(policy, allowed))
    n = state.n_members
    for one in sorted((one for one, ok in zip(asked, made.admitted, strict=True) if ok), key=lambda one: one.at):
        n += 1
        caps = [cap for cap in (policy.cap, group.cap_at(one.at.date())) if cap is not None]
        assert all(n <= cap for cap in caps)
    later = START.add(days=3)
    seats = promote(made.state, policy, group=group, tz=TZ, at=later)
    caps = [cap for cap in (policy.cap, group.cap_at(later.date())) if cap is not None]
    assert all(seats.state.n_members <= max(cap, n) for cap in caps)
    let_in = seats.admitted.tolist()
    assert let_in == sorted(let_in, reverse=True)
    if group.closed is None:
        assert sum(let_in) == min([len(let_in), *(max(cap - n, 0) for cap in caps)])


@given(applicants)
def test_records_and_columns_say_the_same(asked):
    columns = Applicants.from_applicants(asked)
    assert [attrs.evolve(one, at=one.at) for one in columns.records()] == asked
    assert len(columns) == len(asked)


@pytest.mark.parametrize("as_numbers", [False, True])
def test_ids_that_are_numbers_survive_storing(as_numbers):
    names = [1, 2, 3] if as_numbers else ["1", "2", "3"]
    group = Group(id="g", community="c", platform=Platform(id="p"), name="群", created=START)
    policy = AdmissionPolicy(mode="invitation", quota_per_inviter=1)
    start = AdmissionState(members=names[:1])
    asked = [Applicant(id=name, at=START, invited_by=names[0]) for name in names[1:]]
    made = admit(asked, policy, group=group, tz=TZ, state=start)
    assert [row.reason.value for row in made.rows()] == ["admitted", "quota_exhausted"]
    again = EventLog.from_events(made.events)
    folded = AdmissionState.from_log(again, group="g", as_of=START)
    assert dict(zip(folded.inviters, folded.invited.tolist(), strict=True)) == {names[0]: 1}
