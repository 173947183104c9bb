"""The gate against its definition in plain Python, message by message, and against itself asked one at a time."""

from __future__ import annotations

import datetime as dt
import math
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

import shequn as sq
from shequn.content import Gate, Message, Messages, Pressure, _gate_run
from shequn.values.instants import from_us

MINUTE_US = 60_000_000
NEVER = 2**63 - 1
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
# Around midnight of a month's end, and around changes of clocks.
MOMENTS = ("2024-02-29T16:00", "2024-03-31T00:00", "2024-10-27T00:00", "2024-11-03T05:00")


def instant(text):
    return int(dt.datetime.fromisoformat(f"{text}+00:00").timestamp()) * 1_000_000


def wall(at_us, tz):
    return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=at_us)).astimezone(ZoneInfo(tz))


def periods(at_us, gate):
    """Return the local day, week and month of an instant."""
    day = wall(at_us, gate.tz).date()
    back = day.weekday() if gate.cadence.week_start == "monday" else (day.weekday() + 1) % 7
    return {"per_day": day, "per_week": day - dt.timedelta(days=back), "per_month": (day.year, day.month)}


def waits(gate, message, sent, at_us):
    """Return from when on each rule that stands in the way of a message to one member no longer does, alone."""
    found = {}
    is_urgent = gate.urgent is not None and message["priority"] >= gate.urgent
    if not is_urgent and not gate.quiet.allowed(from_us(at_us, "UTC")):
        found["quiet"] = micros(gate.quiet.next_allowed(from_us(at_us, "UTC")))
    if sent and at_us - max(at for at, _ in sent) < gate.cadence.min_gap_us:
        found["min_gap"] = max(at for at, _ in sent) + gate.cadence.min_gap_us
    for name, now in periods(at_us, gate).items():
        most = getattr(gate.cadence, name)
        if most is not None and sum(periods(at, gate)[name] == now for at, _ in sent) >= most:
            found[name] = NEVER if most == 0 else next_period(at_us, gate, name)
    if gate.pressure is not None:
        half_life = gate.pressure.half_life_us
        level = sum(weight * 2.0 ** (-(at_us - at) / half_life) for at, weight in sent)
        if level + message["weight"] > gate.pressure.cap * (1 + 1e-9):
            found["pressure"] = at_us + half_life * math.log2(level / (gate.pressure.cap - message["weight"]))
    return found


def micros(at):
    return at.int_timestamp * 1_000_000 + at.microsecond


def next_period(at_us, gate, name):
    """Return the first midnight from which on the period is another one."""
    now, day = periods(at_us, gate)[name], wall(at_us, gate.tz).date()
    while True:
        day += dt.timedelta(days=1)
        midnight = micros(pendulum.datetime(day.year, day.month, day.day, tz=gate.tz))
        if periods(midnight, gate)[name] != now:
            return midnight


def obstacle(gate, message, sent, at_us):
    """Return the rule that stands in the way for longest, or None."""
    found = waits(gate, message, sent, at_us)
    return max(found, key=found.get) if found else None  # the first of equals: they come in their order


def plain_gate(gate, messages, facts, muted, left):
    """Judge messages in their order; return the action, reason and next allowed instant of each row."""
    order = sorted(range(len(messages)), key=lambda row: (messages[row]["at_us"], -messages[row]["priority"], row))
    sent_by_gate, answers = {}, {}
    for row in order:
        message = messages[row]
        member, at_us, expires = message["member"], message["at_us"], message["expires"]
        sent = [(at, weight) for who, at, weight in facts if who == member and at <= at_us]
        sent += sent_by_gate.get(member, [])
        if member in muted or member in left:
            answers[row] = ("drop", "muted" if member in muted else "left", None)
            continue
        if expires is not None and expires <= at_us:
            answers[row] = ("drop", "expired", None)
            continue
        reason = obstacle(gate, message, sent, at_us)
        if reason is None:
            sent_by_gate.setdefault(member, []).append((at_us, message["weight"]))
            answers[row] = ("send", "sent", at_us)
            continue
        answers[row] = (None, reason, None)
    return [answers[row] for row in range(len(messages))]


gates = st.builds(
    lambda quiet, caps, gap, pressure, tz, urgent, week_start: Gate(
        quiet=quiet,
        cadence=sq.Cadence(
            per_day=caps[0],
            per_week=caps[1],
            per_month=caps[2],
            min_gap=None if gap is None else pendulum.duration(minutes=gap),
            week_start=week_start,
        ),
        pressure=pressure,
        tz=tz,
        urgent=urgent,
    ),
    st.one_of(
        st.none(),
        st.builds(
            lambda start, length, tz: sq.DailyWindow(start=start, end=(start + length) % 1440, tz=tz),
            st.sampled_from([0, 60, 1320]),
            st.sampled_from([60, 480, 600]),
            st.sampled_from(ZONES),
        ),
    ),
    st.sampled_from(
        [(None, None, None), (None, 0, 1), (1, None, None), (2, 3, None), (None, 2, 2), (2, 4, 5), (3, 3, 3)]
    ),
    st.sampled_from([None, 0, 1, 45, 180]),
    st.one_of(
        st.none(),
        st.builds(
            lambda hours, cap: Pressure(half_life=pendulum.duration(hours=hours), cap=cap),
            st.sampled_from([1, 12]),
            st.sampled_from([1.7, 2.5, 4.0]),
        ),
    ),
    st.sampled_from(ZONES),
    st.sampled_from([None, 0, 1, 2]),
    st.sampled_from(["monday", "sunday"]),
)


@st.composite
def streams(draw):
    moment = instant(draw(st.sampled_from(MOMENTS)))
    at = st.integers(-60, 60).map(lambda step: moment + step * 15 * MINUTE_US)
    weight = st.sampled_from([1.0, 0.5, 1.6])
    message = st.fixed_dictionaries(
        {
            "member": st.integers(0, 3),
            "at_us": at,
            "priority": st.integers(-1, 2),
            "expires": st.one_of(st.none(), at, at.map(lambda us: us + 6 * 3_600_000_000)),
            "weight": weight,
        }
    )
    messages = draw(st.lists(message, min_size=1, max_size=14))
    facts = draw(st.lists(st.tuples(st.integers(0, 4), at, weight), max_size=5))
    return messages, facts, draw(st.sets(st.integers(0, 5), max_size=1)), draw(st.sets(st.integers(0, 5), max_size=1))


def columns_of(messages):
    none = np.iinfo(np.int64).min
    made = Messages.from_columns(
        member=[message["member"] for message in messages],
        at=[message["at_us"] for message in messages],
        time_unit="us",
        priority=[message["priority"] for message in messages],
        weight=[message["weight"] for message in messages],
    )
    return attrs.evolve(
        made, expires_us=[none if message["expires"] is None else message["expires"] for message in messages]
    )


def history_of(facts):
    if not facts:
        return None
    return sq.EventLog.from_columns(
        member=[who for who, _, _ in facts],
        kind="receive",
        at=[at for _, at, _ in facts],
        time_unit="us",
        value=[weight for _, _, weight in facts],
    )


@pytest.fixture(params=[0, 48], ids=["side by side", "few at a time"])
def _both_ways(request, monkeypatch):
    monkeypatch.setattr(_gate_run, "FEW", request.param)


@pytest.fixture
def _side_by_side(monkeypatch):
    monkeypatch.setattr(_gate_run, "FEW", 2)


def judged(gate, stream):
    messages, facts, muted, left = stream
    return gate.decide_all(columns_of(messages), history=history_of(facts), weight="value", muted=muted, left=left)


@pytest.mark.usefixtures("_both_ways")
@given(gates, streams())
def test_a_stream_is_judged_as_the_definition_says(gate, stream):
    messages, facts, muted, left = stream
    decisions = judged(gate, stream)
    expected = plain_gate(gate, messages, facts, muted, left)
    assert [reason.value for reason in decisions.reasons] == [reason for _, reason, _ in expected]
    for row, (action, _, _) in enumerate(expected):
        if action is not None:
            assert decisions.actions[row] == action
            continue
        if getattr(gate.cadence, decisions.reasons[row], None) == 0:
            assert (decisions.actions[row], decisions.next_us[row]) == ("drop", np.iinfo(np.int64).min)
            continue
        expires, next_us = messages[row]["expires"], int(decisions.next_us[row])
        is_late = expires is not None and next_us >= expires
        assert decisions.actions[row] == ("drop" if is_late else "hold")


@given(gates, streams())
def test_the_next_allowed_instant_is_the_first_at_which_nothing_stands_in_the_way(gate, stream):
    messages, facts, _, _ = stream
    decisions = judged(gate, stream)
    sent_rows = np.flatnonzero(decisions.sent).tolist()
    order = {row: (messages[row]["at_us"], -messages[row]["priority"], row) for row in range(len(messages))}
    for row, message in enumerate(messages):
        reason = decisions.reasons[row].value
        if reason in {"sent", "muted", "left", "expired"} or getattr(gate.cadence, reason, None) == 0:
            continue
        known = [(at, weight) for who, at, weight in facts if who == message["member"] and at <= message["at_us"]]
        known += [
            (messages[one]["at_us"], messages[one]["weight"])
            for one in sent_rows
            if messages[one]["member"] == message["member"] and order[one] < order[row]
        ]
        next_us = int(decisions.next_us[row])
        assert obstacle(gate, message, known, next_us) is None
        # All rules but pressure change on whole minutes; pressure only falls.
        before = {next_us - MINUTE_US, next_us - 1, (message["at_us"] + next_us) // 2 // MINUTE_US * MINUTE_US}
        slack = 0 if gate.pressure is None else gate.pressure.half_life_us * 1e-8
        for at_us in before:
            if message["at_us"] <= at_us < next_us - slack:
                assert obstacle(gate, message, known, at_us) is not None


@pytest.mark.usefixtures("_side_by_side")
@given(gates, streams())
def test_one_at_a_time_and_all_at_once_agree(gate, stream):
    messages, facts, muted, left = stream
    decisions = judged(gate, stream)
    stored = list(facts)
    order = sorted(range(len(messages)), key=lambda row: (messages[row]["at_us"], -messages[row]["priority"], row))
    for row in order:
        message = messages[row]
        expires = message["expires"]
        # A fact of the same instant that is stored later was not known yet: facts come first, then rows in order.
        sent = sorted((at, k) for k, (who, at, _) in enumerate(stored) if who == message["member"])
        decision = gate.decide(
            Message(
                priority=message["priority"],
                expires=None if expires is None else from_us(expires, "UTC"),
                weight=message["weight"],
            ),
            np.array([at for at, _ in sent], dtype=np.int64),
            at=from_us(message["at_us"], "UTC"),
            weight=np.array([stored[k][2] for _, k in sent]),
            is_muted=message["member"] in muted,
            has_left=message["member"] in left,
        )
        assert decision.action is decisions.actions[row]
        assert decision.reason is decisions.reasons[row]
        next_us = int(decisions.next_us[row])
        if decision.next_allowed is None:
            assert next_us == np.iinfo(np.int64).min
        else:
            assert abs((decision.next_allowed - from_us(next_us, "UTC")).total_seconds()) < 1e-3
        if decision.is_sent:
            stored.append((message["member"], message["at_us"], message["weight"]))


@given(gates, streams(), st.randoms(use_true_random=False))
def test_no_order_of_arrival_lets_more_through_than_the_caps(gate, stream, random):
    messages, facts, muted, left = stream
    for each, message in enumerate(messages):
        # Rows that differ in nothing but their place would swap their answers.
        message["at_us"] += each
    shuffled = list(messages)
    random.shuffle(shuffled)
    answers = [judged(gate, (rows, facts, muted, left)) for rows in (messages, shuffled)]
    sent = [
        {(rows[row]["member"], rows[row]["at_us"]) for row in np.flatnonzero(answer.sent).tolist()}
        for rows, answer in zip((messages, shuffled), answers, strict=True)
    ]
    assert sent[0] == sent[1]
    for member, at_us in sent[0]:
        all_of = [at for who, at, _ in facts if who == member] + [at for who, at in sent[0] if who == member]
        so_far = [at for at in all_of if at <= at_us]
        for name, now in periods(at_us, gate).items():
            most = getattr(gate.cadence, name)
            assert most is None or sum(periods(at, gate)[name] == now for at in so_far) <= most
        gaps = [at_us - at for at in so_far if at < at_us]
        assert not gaps or min(gaps) >= gate.cadence.min_gap_us


@given(gates, streams())
def test_a_held_message_that_is_offered_again_goes_unless_others_went_before(gate, stream):
    messages, facts, _, _ = stream
    one = messages[:1]
    decisions = judged(gate, (one, facts, set(), set()))
    if not decisions.held[0]:
        return
    later = int(decisions.next_us[0])
    known = [fact for fact in facts if fact[1] <= one[0]["at_us"]]
    again = judged(gate, ([one[0] | {"at_us": later}], known, set(), set()))
    assert again.sent[0]
