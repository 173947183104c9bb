"""One gate for every message: what it lets through, what it holds, what it drops, and what it refuses."""

from __future__ import annotations

import pickle

import attrs
import numpy as np
import pendulum
import pytest

import shequn as sq
from shequn.content import (
    Gate,
    GateAction,
    GateDecisions,
    GateReason,
    Message,
    Messages,
    Pressure,
    disturbance_share,
    pressure_response,
    selling_pressure,
)
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.values import Rate

SHANGHAI = "Asia/Shanghai"
NIGHT = sq.DailyWindow(start="22:00", end="08:00", tz=SHANGHAI)
NO_INSTANT = np.iinfo(np.int64).min


def at(*parts):
    return pendulum.datetime(*parts, tz=SHANGHAI)


def gate(**options):
    return Gate(**{"tz": SHANGHAI} | options)


def stream(*rows, **columns):
    return Messages.from_columns(member=[who for who, _ in rows], at=[when for _, when in rows], **columns)


def test_a_gap_of_exactly_the_least_is_enough():
    tested = gate(cadence=sq.Cadence(min_gap=pendulum.duration(hours=3)))
    nine = at(2024, 3, 1, 9)
    for seconds, action in ((-1, "hold"), (0, "send"), (1, "send")):
        decision = tested.decide(Message(), [nine], at=nine.add(hours=3, seconds=seconds))
        assert decision.action == action
        assert decision.is_sent is (action == "send")
    assert tested.decide(Message(), [nine], at=nine).next_allowed == nine.add(hours=3)


@pytest.mark.parametrize(
    ("cap", "end"),
    [("per_day", at(2024, 3, 2)), ("per_week", at(2024, 3, 4)), ("per_month", at(2024, 4, 1))],
)
def test_a_cap_counts_local_days_weeks_and_months(cap, end):
    tested = gate(cadence=sq.Cadence(**{cap: 2}))
    sent = [at(2024, 3, 1), at(2024, 3, 1, 12)]
    assert tested.decide(Message(), sent[:1], at=at(2024, 3, 1, 13)).is_sent
    full = tested.decide(Message(), sent, at=at(2024, 3, 1, 13))
    assert (full.action, full.reason.value, full.next_allowed) == (GateAction.HOLD, cap, end)
    assert tested.decide(Message(), [at(2024, 2, 29, 23, 59), sent[0]], at=at(2024, 3, 1, 13)).is_sent is (
        cap != "per_week"
    )
    assert tested.decide(Message(), sent, at=end).is_sent


def test_a_cap_of_nothing_drops_for_good():
    tested = gate(quiet=NIGHT, cadence=sq.Cadence(per_week=0))
    for hour in (2, 12):
        decision = tested.decide(Message(), [], at=at(2024, 3, 1, hour))
        assert (decision.action, decision.reason, decision.next_allowed) == ("drop", GateReason.PER_WEEK, None)


def test_what_expires_before_it_may_go_is_dropped():
    tested = gate(quiet=NIGHT)
    night, morning = at(2024, 3, 1, 23), at(2024, 3, 2, 8)
    for seconds, action in ((-1, "drop"), (0, "drop"), (1, "hold")):
        decision = tested.decide(Message(expires=morning.add(seconds=seconds)), [], at=night)
        assert (decision.action, decision.reason) == (action, "quiet")
        assert decision.next_allowed == morning
    gone = tested.decide(Message(expires=night), [], at=night)
    assert (gone.action, gone.reason, gone.next_allowed) == ("drop", "expired", None)


def test_urgent_passes_quiet_hours_and_nothing_else():
    tested = gate(quiet=NIGHT, cadence=sq.Cadence(per_day=1), urgent=5)
    night = at(2024, 3, 1, 23)
    assert tested.decide(Message(priority=4), [], at=night).reason.value == "quiet"
    assert tested.decide(Message(priority=5), [], at=night).is_sent
    full = tested.decide(Message(priority=9), [night.subtract(hours=1)], at=night)
    assert (full.action, full.reason, full.next_allowed) == ("hold", "per_day", at(2024, 3, 2))
    assert tested.decide(Message(priority=9), [], at=night, is_muted=True).reason is GateReason.MUTED
    assert tested.decide(Message(priority=9), [], at=night, has_left=True).reason is GateReason.LEFT
    assert gate(quiet=NIGHT, urgent=0).decide_all(stream(("ann", night))).sent.all()


def test_of_several_reasons_the_one_that_holds_longest_is_told():
    tested = gate(
        quiet=NIGHT,
        cadence=sq.Cadence(per_day=1, per_week=2, min_gap=pendulum.duration(hours=2)),
        pressure=Pressure(half_life=pendulum.duration(hours=6), cap=1.5),
    )
    evening = at(2024, 3, 1, 21)
    within_cap = attrs.evolve(tested, pressure=None)
    for sent, reason, until in (
        ([evening], "per_day", at(2024, 3, 2, 8)),
        ([evening, evening], "per_week", at(2024, 3, 4, 8)),
    ):
        decision = within_cap.decide(Message(), sent, at=evening.add(minutes=10))
        assert (decision.reason.value, decision.next_allowed) == (reason, until)
    assert tested.decide(Message(), [evening], at=evening.add(hours=4)).reason.value == "quiet"
    # Half of 1 is left after 6 hours, when a message of weight 1 has room again.
    looser = attrs.evolve(tested, quiet=None, cadence=sq.Cadence(min_gap=pendulum.duration(hours=2)))
    assert looser.decide(Message(), [evening], at=evening).reason.value == "pressure"
    assert looser.decide(Message(weight=0.1), [evening], at=evening).reason.value == "min_gap"


def test_pressure_holds_until_it_has_faded():
    fatigue = Pressure(half_life=pendulum.duration(hours=12), cap=2)
    tested = gate(pressure=fatigue)
    noon = at(2024, 3, 1, 12)
    held = tested.decide(Message(weight=1), [noon, noon], at=noon)
    assert (held.action, held.reason) == ("hold", "pressure")
    assert held.next_allowed == noon.add(hours=12)  # 2 has become 1
    assert tested.decide(Message(), [noon, noon], at=noon.add(hours=12)).is_sent
    assert tested.decide(Message(weight=0.5), [noon], at=noon, weight=1.5).is_sent
    assert not tested.decide(Message(weight=0.6), [noon], at=noon, weight=1.5).is_sent
    assert fatigue.level([0, 0, 10**12], at=pendulum.datetime(1970, 1, 1, 12), weight=[1, 2, 5]) == 1.5


def test_a_day_that_clocks_return_to_keeps_its_count():
    # At 00:01 of 2010-11-07 clocks in St John's went back an hour, to the day before.
    first = pendulum.datetime(2010, 11, 7, 2, 0, tz="UTC")  # 23:30
    rows = [("ann", first), ("ann", first.add(seconds=30 * 60 + 30)), ("ann", first.add(hours=1))]
    tested = gate(cadence=sq.Cadence(per_day=1), tz="America/St_Johns")
    assert tested.decide_all(stream(*rows)).sent.tolist() == [True, True, False]
    assert tested.decide_all(stream(rows[0], rows[2])).sent.tolist() == [True, False]


def test_higher_priority_goes_first_and_then_the_earlier_row():
    tested = gate(cadence=sq.Cadence(per_day=1))
    noon = at(2024, 3, 1, 12)
    decisions = tested.decide_all(stream(("ann", noon), ("ann", noon), ("ann", noon), priority=[1, 7, 7]))
    assert decisions.sent.tolist() == [False, True, False]
    far = stream(("ann", noon), ("ann", noon), priority=[-(2**31), 2**31 - 1])
    assert tested.decide_all(far).sent.tolist() == [False, True]


def test_a_stream_counts_the_history_of_the_kinds_that_are_messages():
    tested = gate(cadence=sq.Cadence(per_day=1))
    noon = at(2024, 3, 1, 12)
    history = sq.EventLog.from_columns(
        member=["ann", "bo", "cy", "dee", "eve"],
        kind=["receive", "post", "receive", "receive", "receive"],
        at=[noon.subtract(hours=1), noon, noon.add(hours=1), noon.subtract(days=1), noon],
    )
    rows = [(who, noon) for who in ("ann", "bo", "cy", "dee", "fay")]
    assert tested.decide_all(stream(*rows), history=history).sent.tolist() == [False, True, True, True, True]
    both = tested.decide_all(stream(*rows), history=history, kinds={"receive", "post"})
    assert both.sent.tolist() == [False, False, True, True, True]


def test_who_muted_or_left_gets_nothing():
    noon = at(2024, 3, 1, 12)
    messages = stream(("ann", noon), ("bo", noon), ("cy", noon), ("bo", noon))
    decisions = gate().decide_all(messages, muted=["bo", "nobody"], left=np.array([True, True, False]))
    assert [reason.value for reason in decisions.reasons] == ["left", "muted", "sent", "muted"]
    assert decisions.next_us.tolist() == [NO_INSTANT, NO_INSTANT, messages.at_us[2], NO_INSTANT]
    assert gate().decide_all(messages, muted=np.array(["cy"])).sent.tolist() == [True, True, False, True]


def test_decisions_tell_what_happened_and_give_the_facts_to_store():
    tested = gate(quiet=NIGHT, cadence=sq.Cadence(per_day=1))
    messages = stream(
        ("ann", at(2024, 3, 1, 12)), ("ann", at(2024, 3, 1, 13)), ("bo", at(2024, 3, 1, 23)), weight=[1, 2, 0.5]
    )
    decisions = tested.decide_all(messages, muted=["cy"])
    assert repr(decisions) == "GateDecisions(3 messages: 1 sent, 2 held, 0 dropped)"
    assert decisions.sizes == {
        (GateAction.SEND, GateReason.SENT): 1,
        (GateAction.HOLD, GateReason.QUIET): 1,
        (GateAction.HOLD, GateReason.PER_DAY): 1,
    }
    assert decisions.table(lang="zh").splitlines() == [
        "发送闸门的决定",
        "处理  原因        消息数   占比",
        "───────────────────────────────",
        "发送  可发送           1  33.3%",
        "暂缓  免打扰时段       1  33.3%",
        "暂缓  当日上限         1  33.3%",
    ]
    receipts = decisions.receipts()
    assert [(event.member, event.kind, event.value) for event in receipts.to_events()] == [("ann", "receive", 1.0)]
    rows = list(decisions.rows())
    assert rows[1].reason is GateReason.PER_DAY
    assert rows[1].next_allowed == pendulum.naive(2024, 3, 2)  # 08:00 in Shanghai
    again = pickle.loads(pickle.dumps(decisions))  # noqa: S301
    assert (again.next_us == decisions.next_us).all()
    assert not again.next_us.flags.writeable
    with pytest.raises(InvalidTypeError, match="kind: expected a kind of event"):
        decisions.receipts(kind=3)


def test_held_messages_are_offered_again_with_the_facts_that_were_stored():
    tested = gate(quiet=NIGHT, cadence=sq.Cadence(per_day=1))
    night = at(2024, 3, 1, 23)
    first = tested.decide_all(stream(("ann", night), ("ann", night)))
    assert first.held.all()
    second = tested.decide_all(attrs.evolve(first.messages, at_us=first.next_us))
    assert second.sent.tolist() == [True, False]
    third = tested.decide_all(
        attrs.evolve(first.messages, at_us=np.where(second.held, second.next_us, first.next_us)),
        history=second.receipts(),
    )
    assert third.actions[1] == "send"


def test_no_messages_no_decisions():
    decisions = gate(quiet=NIGHT, cadence=sq.Cadence(per_day=1)).decide_all(
        Messages.from_columns(member=[], at=[]), history=sq.EventLog.empty()
    )
    assert len(decisions) == 0
    assert decisions.sizes == {}
    assert "no rows" in str(decisions)


def test_expiries_may_be_missing():
    noon = at(2024, 3, 1, 12)
    rows = (("ann", noon), ("bo", noon))
    assert stream(*rows, expires=[None, None]).expires_us is None
    some = stream(*rows, expires=[None, noon.add(hours=1)])
    assert some.expires_us.tolist() == [NO_INSTANT, some.at_us[0] + 3_600_000_000]
    assert stream(*rows, expires=noon).expires_us.tolist() == [some.at_us[0]] * 2
    local = np.array(["2024-03-01T12", "2024-03-01T13"], dtype="datetime64[h]")
    columns = Messages.from_columns(
        member=["ann", "bo"], at=local, at_tz=SHANGHAI, expires=np.array(["NaT", "2024-03-02"], dtype="M8[D]")
    )
    assert columns.expires_us[0] == NO_INSTANT
    assert columns.priority is None
    assert columns.weight is None


@pytest.mark.parametrize("n_more", [4, 200, 2_000], ids=["member, instant and row", "without the row", "not packed"])
def test_rows_that_do_not_fit_into_one_number_are_sorted_as_well(n_more):
    crowd = [[each, each] for each in range(10, 10 + n_more)]
    us = np.array([-(10**15), 9 * 10**15 + 1, 5, 5, 4, *[0] * (2 * n_more)])
    member = [1, 1, 2, 2, 2, *[who for both in crowd for who in both]]
    tested = gate(cadence=sq.Cadence(per_day=2))
    plain = Messages.from_columns(member=member, at=us, time_unit="us")
    assert tested.decide_all(plain).sent.tolist() == [True, True, True, False, True, *[True] * (2 * n_more)]
    ranked = attrs.evolve(plain, priority=[0, 0, -(2**31), 2**31 - 1, *[1] * (2 * n_more + 1)])
    assert tested.decide_all(ranked).sent.tolist() == [True, True, False, True, True, *[True] * (2 * n_more)]


def test_what_makes_no_gate_and_no_message_is_refused():
    refused = [
        (lambda: gate(cadence=3), InvalidTypeError, "cadence: expected a Cadence"),
        (lambda: gate(pressure=3), InvalidTypeError, "pressure: expected a Pressure"),
        (lambda: gate(urgent=1.5), InvalidTypeError, "urgent: expected an integer"),
        (lambda: gate(tz="Mars"), UnknownLabelError, "tz"),
        (lambda: Pressure(half_life=pendulum.duration(), cap=1), InvalidValueError, "half_life: .*longer than 0"),
        (lambda: Pressure(half_life=pendulum.duration(days=1), cap=0), InvalidValueError, "cap: .*above 0"),
        (lambda: Message(priority=0.5), InvalidTypeError, "priority"),
        (lambda: Message(priority=2**31), InvalidValueError, "priority"),
        (lambda: Message(weight=-1), InvalidValueError, "weight"),
        (lambda: Message(expires=3), InvalidTypeError, "expires"),
        (lambda: stream(("ann", at(2024, 1, 1)), priority=[1, 2]), MisalignedError, "priority: .*1 rows"),
        (lambda: stream(("ann", at(2024, 1, 1)), weight=[-1.0]), InvalidValueError, "weight"),
        (lambda: stream(("ann", at(2024, 1, 1)), expires=["soon"]), InvalidTypeError, "expires"),
        (lambda: stream((None, at(2024, 1, 1))), InvalidTypeError, "member"),
    ]
    for make, error, match in refused:
        with pytest.raises(error, match=match):
            make()


def test_what_cannot_be_decided_is_refused():
    noon = at(2024, 3, 1, 12)
    tested = gate(pressure=Pressure(half_life=pendulum.duration(days=1), cap=2))
    messages = stream(("ann", noon), ("bo", noon))
    log = sq.EventLog.from_columns(member=["ann"], kind="receive", at=[noon], value=[-1], group=["g"])
    refused = [
        (lambda: tested.decide("hi", [], at=noon), InvalidTypeError, "message: expected a Message"),
        (lambda: tested.decide(Message(), 3, at=noon), InvalidTypeError, "sent: expected instants"),
        (lambda: tested.decide(Message(), ["x"], at=noon), InvalidTypeError, "sent"),
        (lambda: tested.decide(Message(weight=2), [], at=noon), InvalidValueError, "weight: .*below the cap"),
        (lambda: tested.decide(Message(), [noon], at=noon, weight=[1, 2]), MisalignedError, "weight: expected one for"),
        (lambda: tested.decide(Message(), [noon], at=noon, weight=np.nan), InvalidValueError, "weight: .*finite"),
        (lambda: tested.decide_all([1]), InvalidTypeError, "messages: expected Messages"),
        (lambda: tested.decide_all(messages, history=[1]), InvalidTypeError, "history: expected an EventLog"),
        (lambda: tested.decide_all(messages, history=log, weight="value"), InvalidValueError, "weight: .*0 or more"),
        (lambda: tested.decide_all(messages, history=log, weight="group"), InvalidTypeError, "weight"),
        (lambda: tested.decide_all(messages, history=log, weight="cost"), UnknownLabelError, "weight"),
        (lambda: tested.decide_all(messages, muted=np.array([True])), MisalignedError, "muted: .*2 members"),
        (lambda: tested.decide_all(messages, left="ann"), InvalidTypeError, "left: expected a mask or labels"),
        (lambda: tested.pressure.level([0, 1], at=noon, weight=[1]), MisalignedError, "weight"),
        (
            lambda: GateDecisions(messages=messages, action_codes=[0, 3], reason_codes=[0, 0], next_us=[0, 0]),
            InvalidValueError,
            r"action_codes: expected codes of the 3 actions",
        ),
        (
            lambda: GateDecisions(messages=messages, action_codes=[0], reason_codes=[0, 0], next_us=[0, 0]),
            MisalignedError,
            "action_codes",
        ),
    ]
    for ask, error, match in refused:
        with pytest.raises(error, match=match):
            ask()


# ── disturbance, selling pressure, response ──────────────────────────────────────────────────────────────────────────


def test_the_share_of_messages_in_work_hours():
    work = sq.DailyWindow(start="09:00", end="18:00", weekdays="mon-fri", tz=SHANGHAI)
    log = sq.EventLog.from_columns(
        member=["a", "b", "c", "d", "e"],
        kind=["receive"] * 4 + ["post"],
        at=[at(2024, 3, 1, 9), at(2024, 3, 1, 18), at(2024, 3, 2, 12), at(2024, 3, 4, 17, 59), at(2024, 3, 4, 12)],
    )
    assert disturbance_share(log, working=work) == Rate(hits=2, trials=4)
    assert disturbance_share(log.at_us, working=sq.QuietHours.of(work)) == Rate(hits=3, trials=5)
    with pytest.raises(InvalidTypeError, match="working: expected a DailyWindow or QuietHours"):
        disturbance_share(log, working="09:00-18:00")


def test_selling_pressure_counts_whole_stretches_of_members_who_stayed():
    joined = at(2024, 3, 1)
    roster = sq.Roster.from_columns(
        member=["ann", "bo", "cy", "dee"],
        joined=[joined, joined, joined.add(days=5), None],
        left=[None, joined.add(days=6), None, None],
    )
    edge = pendulum.duration(days=7)
    log = sq.EventLog.from_columns(
        member=["ann", "ann", "ann", "bo", "cy", "dee", "zoe", "ann"],
        kind=["receive"] * 7 + ["read"],
        at=[joined, joined + edge - pendulum.duration(seconds=1), joined + edge, *[joined.add(days=5)] * 4, joined],
        item=["tips", "sale", "sale", "sale", None, "sale", "sale", "sale"],
    )
    found = selling_pressure(log, roster, promo={"sale"}, as_of=joined.add(days=11), days=(7, 11), cap=(0.5, 0.6))
    assert found.days.tolist() == [7, 11]
    assert found.members.tolist() == [1, 1]  # bo left; cy's week is not over by a day
    assert found.messages.tolist() == [2, 3]
    assert found.promo.tolist() == [1, 2]
    assert found.over.tolist() == [0, 1]
    later = selling_pressure(log, roster, promo={"sale"}, as_of=joined.add(days=12), days=[7])
    assert (later.members.tolist(), later.messages.tolist(), later.over.tolist()) == ([2], [3], [0])
    assert "推销占比" in later.table(lang="zh")
    assert found.share.tolist() == [0.5, 2 / 3]
    assert repr(found) == "SellingPressure(2 stretches: 50.0% in 7 days, 66.7% in 11 days)"
    assert next(iter(found.rows())).cap == 0.5


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"days": (0,)}, InvalidValueError, "days: expected 1 to 36,600 days"),
        ({"days": 7}, InvalidTypeError, "days"),
        ({"cap": (0.1,)}, MisalignedError, "cap: expected one for each of the 2 stretches"),
        ({"cap": 1.1}, InvalidValueError, "cap"),
        ({"promo": "sale"}, InvalidTypeError, "promo: expected labels of items"),
    ],
)
def test_what_selling_pressure_cannot_count_is_refused(options, error, match):
    joined = at(2024, 3, 1)
    roster = sq.Roster.from_columns(member=["ann"], joined=[joined])
    log = sq.EventLog.from_columns(member=["ann"], kind="receive", at=[joined], item=["tips"])
    with pytest.raises(error, match=match):
        selling_pressure(log, roster, **{"promo": {"sale"}, "as_of": joined} | options)
    bare = sq.EventLog.from_columns(member=["ann"], kind="receive", at=[joined])
    with pytest.raises(InvalidValueError, match="log: expected a log with an item column"):
        selling_pressure(bare, roster, promo={"sale"}, as_of=joined)


def plain_response(log, pressure, as_of, *, outcome, edges, promo):
    """Count member-days by the definition, one after the other; days are UTC."""
    events = sorted(log.to_events(), key=lambda event: event.at)
    counts = {edge: [0, 0] for edge in edges}
    day = min(event.at for event in events).in_tz("UTC").start_of("day")
    while day.add(days=1) <= as_of:
        for member in log.members:
            own = [event for event in events if event.member == member]
            first = next((event.at for event in own if event.kind in outcome), None)
            gone = [event.at for event in own if event.kind in {*outcome, "leave", "remove"} and event.at < day]
            if own[0].at > day or gone:
                continue
            level = sum(
                2.0 ** (-(day - event.at).total_seconds() / pressure.half_life.total_seconds())
                for event in own
                if event.kind == "receive" and event.at < day and (promo is None or event.item in promo)
            )
            band = max(edge for edge in edges if edge <= level)
            counts[band][0] += 1
            counts[band][1] += first is not None and day <= first < day.add(days=1)
        day = day.add(days=1)
    return [counts[edge][0] for edge in edges], [counts[edge][1] for edge in edges]


@pytest.mark.parametrize("promo", [None, {"sale"}])
@pytest.mark.parametrize("outcome", [{"mute", "leave"}, {"purchase"}])
def test_the_response_to_pressure_is_counted_as_its_definition_says(outcome, promo):
    rng = np.random.default_rng(5)
    start = pendulum.datetime(2024, 3, 1, 6)
    n = 400
    kinds = rng.choice(["receive", "receive", "receive", "post", "mute", "leave", "purchase", "remove"], n)
    log = sq.EventLog.from_columns(
        member=rng.integers(0, 60, n),
        kind=kinds,
        at=start.int_timestamp + 3_600 * rng.integers(0, 24 * 12, n),
        time_unit="s",
        item=rng.choice(["sale", "tips"], n),
    )
    fatigue = Pressure(half_life=pendulum.duration(hours=40), cap=9)
    edges, as_of = (0, 0.3, 0.7, 1.5), start.add(days=9)
    found = pressure_response(log, pressure=fatigue, as_of=as_of, tz="UTC", outcome=outcome, edges=edges, items=promo)
    exposed, events = plain_response(log, fatigue, as_of, outcome=outcome, edges=edges, promo=promo)
    assert (found.exposed.tolist(), found.events.tolist()) == (exposed, events)
    assert min(exposed) > 0
    assert found.rates[0] == events[0] / exposed[0]
    assert repr(found) == f"PressureResponse(4 bands, {sum(exposed):,} exposed, {sum(events):,} events)"
    assert [row.high for row in found.rows()] == [0.3, 0.7, 1.5, np.inf]
    title, _, _, *bands = found.table(lang="zh").splitlines()
    assert title == "对疲劳度的反应，按天，UTC"
    assert [band.split("  ")[0] for band in bands] == ["0 – 0.3", "0.3 – 0.7", "0.7 – 1.5", "1.5 –"]


def test_what_has_no_response_is_refused():
    start = at(2024, 3, 1)
    log = sq.EventLog.from_columns(member=["ann"], kind="receive", at=[start])
    options = {"pressure": Pressure(half_life=pendulum.duration(days=1), cap=2), "tz": SHANGHAI, "outcome": "receive"}
    for more, error, match in (
        ({"as_of": start.add(hours=23)}, InvalidValueError, "as_of: expected an instant by which a day is over"),
        ({"as_of": start.add(days=3), "edges": (1, 2)}, InvalidValueError, "edges: expected numbers that begin with 0"),
        ({"as_of": start.add(days=3), "edges": (0, 2, 2)}, InvalidValueError, "edges"),
        ({"as_of": start.add(days=3), "items": ["sale"]}, InvalidValueError, "log: expected a log with an item"),
    ):
        with pytest.raises(error, match=match):
            pressure_response(log, **options | more)


def test_facts_to_store_carry_what_the_messages_are_about():
    one = Messages.from_columns(member=["ann", "bo"], at=[0, 0], time_unit="s", item="spring")
    many = Messages.from_columns(member=["ann", "bo"], at=[0, 0], time_unit="s", item=["spring", None])
    assert [event.item for event in gate().decide_all(one).receipts().to_events()] == ["spring", "spring"]
    assert [event.item for event in gate().decide_all(many).receipts().to_events()] == ["spring", None]


def test_an_item_for_each_message_is_asked_for():
    with pytest.raises(MisalignedError, match="item: expected one entry for each of the 2 rows, got 1"):
        Messages.from_columns(member=["ann", "bo"], at=[0, 0], time_unit="s", item=["spring"])


# ── labels of two types, and masks of any form ───────────────────────────────────────────────────────────────────────


def test_who_is_muted_may_be_told_by_a_mask_in_a_list():
    noon = pendulum.datetime(2024, 3, 1, 12)
    messages = Messages.from_columns(member=["ann", "bo"], at=[noon, noon])
    for mask in ([False, True], (np.False_, np.True_)):
        assert Gate(tz="UTC").decide_all(messages, muted=mask).sent.tolist() == [True, False]
    with pytest.raises(MisalignedError, match="muted: expected a mask of the 2 members"):
        Gate(tz="UTC").decide_all(messages, muted=[True])


@pytest.mark.parametrize("name", ["muted", "left"])
def test_labels_of_another_type_do_not_let_messages_through(name):
    noon = pendulum.datetime(2024, 3, 1, 12)
    messages = Messages.from_columns(member=["1", "2"], at=[noon, noon])
    for labels in ({1}, np.array([1]), [1.5]):
        with pytest.raises(InvalidTypeError, match=f"^{name}: expected"):
            Gate(tz="UTC").decide_all(messages, **{name: labels})


def test_a_history_whose_members_are_of_another_type_does_not_go_unseen():
    noon = pendulum.datetime(2024, 3, 1, 12)
    messages = Messages.from_columns(member=["1"], at=[noon])
    history = sq.EventLog.from_columns(member=[1], kind="receive", at=[noon])
    with pytest.raises(InvalidTypeError, match="history: expected labels of one type"):
        Gate(tz="UTC", cadence=sq.Cadence(per_day=1)).decide_all(messages, history=history)


def test_labels_of_another_type_are_not_counted_as_none():
    joined = pendulum.datetime(2024, 3, 1)
    log = sq.EventLog.from_columns(member=["1"], kind="receive", item=["7"], at=[joined])
    numbers = sq.Roster.from_columns(member=[1], joined=[joined])
    text = sq.Roster.from_columns(member=["1"], joined=[joined])
    later = joined.add(days=9)
    with pytest.raises(InvalidTypeError, match="log: expected labels of one type"):
        selling_pressure(log, numbers, promo={"7"}, as_of=later)
    with pytest.raises(InvalidTypeError, match="promo: expected labels of one type"):
        selling_pressure(log, text, promo={7}, as_of=later)
    fatigue = Pressure(half_life=pendulum.duration(days=1), cap=3)
    with pytest.raises(InvalidTypeError, match="items: expected labels of one type"):
        pressure_response(log, pressure=fatigue, as_of=later, tz="UTC", items={7}, unknown_kinds="ignore")


@pytest.mark.parametrize("edges", [None, 1, "0", {"a": 1}, [[0]], object()])
def test_bands_that_are_no_numbers_are_refused(edges):
    start = pendulum.datetime(2024, 3, 1)
    log = sq.EventLog.from_columns(member=["ann"], kind="receive", at=[start])
    fatigue = Pressure(half_life=pendulum.duration(days=1), cap=3)
    with pytest.raises((InvalidTypeError, MisalignedError), match=r"^edges: expected"):
        pressure_response(log, pressure=fatigue, as_of=start.add(days=2), tz="UTC", edges=edges, unknown_kinds="ignore")


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_a_pressure_refuses_the_weights_that_a_gate_refuses(weight):
    noon = pendulum.datetime(2024, 3, 1, 12)
    fatigue = Pressure(half_life=pendulum.duration(days=1), cap=3)
    with pytest.raises(InvalidValueError, match="weight: expected finite numbers of 0 or more"):
        fatigue.level([0], at=noon, weight=weight)
    with pytest.raises(InvalidValueError, match="weight: expected finite numbers of 0 or more"):
        Gate(tz="UTC").decide(Message(), [noon], at=noon, weight=weight)


def test_pressure_is_relieved_at_the_very_instant():
    # Half of one message is gone after 12 hours, whenever it is asked.
    fatigue = Pressure(half_life=pendulum.duration(hours=12), cap=1.5)
    sent = pendulum.datetime(2024, 4, 5, 23, 30)
    for minutes in range(1, 720, 7):
        held = Gate(tz="UTC", pressure=fatigue).decide(Message(), [sent], at=sent.add(minutes=minutes))
        assert (held.action, held.next_allowed) == (GateAction.HOLD, sent.add(hours=12))


def test_two_threads_decide_as_one_does(monkeypatch):
    rng = np.random.default_rng(5)
    start = int(at(2024, 3, 1).timestamp())
    messages = Messages.from_columns(
        member=rng.integers(0, 400, 3_000),
        at=start + rng.integers(0, 86_400, 3_000),
        time_unit="s",
        priority=rng.integers(0, 3, 3_000),
    )
    tested = gate(
        quiet=NIGHT,
        cadence=sq.Cadence(per_day=2, min_gap=pendulum.duration(hours=3)),
        pressure=Pressure(half_life=pendulum.duration(hours=12), cap=2.5),
        urgent=2,
    )
    alone = tested.decide_all(messages)
    for name, few in (("_MANY", 1_024), ("_MANY_BLOCKS", 2), ("_BLOCK", 64), ("FEW", 2)):
        monkeypatch.setattr(f"shequn.content._gate_run.{name}", few)
    monkeypatch.setattr("shequn.columns.halves._MANY_ROWS", 1)
    both = tested.decide_all(messages)
    for column in ("action_codes", "reason_codes", "next_us"):
        assert np.array_equal(getattr(both, column), getattr(alone, column))
    assert 0 < int(alone.sent.sum()) < len(messages)
