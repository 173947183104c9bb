"""How results of the admission room look, what they refuse, and their rarer options."""

from __future__ import annotations

import datetime as dt
import pickle

import numpy as np
import pendulum
import pytest

from shequn.admission import (
    AdmissionRates,
    AdmissionState,
    Onboarding,
    OnboardingProgress,
    ReminderPlan,
    Responders,
    ResponseTimes,
    acceptance_rates,
    admit,
    false_accepts,
    onboarding,
    progress_of,
    reminders,
    response_times,
    scarcity_effect,
)
from shequn.columns import EventLog, memberships
from shequn.entities import WECHAT_GROUP, AdmissionPolicy, Applicant, Group, Platform
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.labels import Assignment, Coded, Index
from shequn.retention import flow_ledger
from shequn.values import Cadence, DailyWindow
from shequn.values.instants import from_us

HOUR_US = 3_600_000_000
FRIDAY = pendulum.datetime(2024, 5, 3, 17, 30, tz="Asia/Shanghai")
OFFICE = DailyWindow(start="09:00", end="18:00", weekdays="mon-fri", use="active", tz="Asia/Shanghai")


def asked_and_answered(*pairs):
    """A log of questions and their answers by "wu", each a pair of instants, the second may be missing."""
    rows = []
    for n, (asked, answered) in enumerate(pairs):
        rows.append((f"u{n}", "ask", asked, None))
        if answered is not None:
            rows.append(("wu", "reply", answered, f"u{n}"))
    who, kind, at, target = zip(*rows, strict=True)
    return EventLog.from_columns(
        member=list(who), kind=list(kind), at=list(at), target=list(target), group=["g"] * len(rows)
    )


def test_a_weekend_counts_for_nothing_in_working_hours():
    monday = FRIDAY.add(days=3).set(hour=9, minute=30)
    log = asked_and_answered((FRIDAY, monday), (FRIDAY.set(hour=20), FRIDAY.set(hour=21)), (monday, None))
    found = response_times(log, as_of=monday.add(hours=3), hours=OFFICE)
    assert (found.waited_us // HOUR_US).tolist() == [1, 0, 3]
    assert found.judged.tolist() == [True, True, True]
    assert found.attainment.hits == 2
    assert "（" in found.table(lang="zh")


def test_who_may_respond_is_told_by_names_or_by_a_mask():
    log = asked_and_answered((FRIDAY, FRIDAY.add(hours=1)), (FRIDAY, None))
    later = FRIDAY.add(days=1)
    mask = np.array([name == "wu" for name in log.members])
    for responders in (["wu"], Index(["wu"]), mask):
        assert response_times(log, as_of=later, responders=responders).answered.sum() == 1
    assert response_times(log, as_of=later, responders=~mask).answered.sum() == 0
    with pytest.raises(MisalignedError, match="responders: expected one entry for each of the 3 members"):
        response_times(log, as_of=later, responders=mask[:1])
    with pytest.raises(InvalidTypeError, match="responders: expected booleans"):
        response_times(log, as_of=later, responders=np.arange(3))


def test_questions_are_told_apart_by_who_asks():
    log = asked_and_answered((FRIDAY, FRIDAY.add(hours=1)), (FRIDAY, None))
    by = {"u0": "new", "u1": "old"}
    for segments in (by, Assignment.from_mapping(by).align(log.members)):
        found = response_times(log, as_of=FRIDAY.add(days=1), by=segments)
        assert [(row.segment, row.answered, row.backlog) for row in found.rows()] == [("new", 1, 0), ("old", 0, 1)]
        assert found.survival("new").n_followed == 1
    with pytest.raises(UnknownLabelError, match="segment"):
        found.survival("none")
    with pytest.raises(UnknownLabelError, match="nothing was asked by segment"):
        response_times(log, as_of=FRIDAY.add(days=1)).survival("new")


def test_a_log_without_targets_has_questions_without_answers():
    log = EventLog.from_columns(member=["a", "b"], kind=["ask", "reply"], at=[0, 1], time_unit="s")
    found = response_times(log, as_of=from_us(HOUR_US))
    assert found.answered.tolist() == [False]
    assert found.young == 1
    assert str(found.attainment.value) == "nan"


def test_questions_without_an_item_are_left_out_and_counted():
    log = EventLog.from_columns(
        member=["a", "b", "c"], kind=["ask", "ask", "reply"], at=[0, 1, 2], time_unit="s", item=["i", None, "i"]
    )
    found = response_times(log, as_of=from_us(HOUR_US), match="item")
    assert (len(found), found.left_out) == (1, 1)
    assert "1 question without an item left out" in str(found)
    assert "没有内容编号" in found.table(lang="zh")


def test_the_least_gap_puts_a_reminder_off_to_a_later_day():
    day = 86_400
    rows = [("a", "join", 0), ("a", "receive", 5 * day)]
    log = EventLog.from_columns(
        member=[who for who, *_ in rows], kind=[kind for _, kind, _ in rows], at=[at for *_, at in rows], time_unit="s"
    )
    options = {"as_of": from_us(5 * day * 1_000_000), "until": from_us(9 * day * 1_000_000), "tz": "UTC"}
    for hours, at in ((10, 5), (11, 6), (34, 6), (35, 7)):
        cadence = Cadence(min_gap=dt.timedelta(hours=hours))
        plan = reminders(log, **options, every_days=5, cadence=cadence)
        assert [row.at.day - 1 for row in plan.rows()] == [at]
    nothing = reminders(log, **options, every_days=5, cadence=Cadence(per_month=0))
    assert nothing.is_sent.tolist() == [False]
    assert "取消 1" in nothing.table(lang="zh")
    assert "–" in str(nothing)
    assert pickle.loads(pickle.dumps(nothing)).sizes == nothing.sizes  # noqa: S301


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"until": from_us(0)}, "until: expected an instant after as_of"),
        ({"every_days": 0}, "every_days: expected 1 to 3,660 days"),
        ({"cadence": 3}, "cadence: expected a Cadence"),
        ({"at": 10}, "at: expected a time of day"),
    ],
)
def test_a_plan_of_reminders_needs_its_options_in_order(options, match):
    log = EventLog.from_columns(member=["a"], kind="join", at=[0], time_unit="s")
    with pytest.raises((InvalidValueError, InvalidTypeError), match=match):
        reminders(log, **({"as_of": from_us(0), "until": from_us(1), "tz": "UTC"} | options))


def test_rates_by_a_mapping_and_of_nobody():
    log = EventLog.from_columns(member=["a", "b"], kind="join", at=[0, 0], time_unit="s")
    later = from_us(90 * 24 * HOUR_US)
    assert [row.segment for row in false_accepts(log, as_of=later, by={"a": "x"}).rows()] == ["x", None]
    assert acceptance_rates(log, as_of=later, by=None).total.hits == 2
    assert repr(acceptance_rates(log, as_of=later, by=None)) == "AdmissionRates(acceptance: 2 of 2)"
    none = acceptance_rates(log, as_of=from_us(-1), by=None)
    assert none.total.trials == 0
    assert "（合计）" in none.table(lang="zh")
    with pytest.raises(UnknownLabelError, match="segment"):
        none.rate("x")


def test_scarcity_shows_itself_in_both_languages():
    log = EventLog.from_columns(member=["a", "b"], kind="join", at=[0, 0], time_unit="s", group=["g", "g"])
    effect = scarcity_effect(log, as_of=from_us(90 * 24 * HOUR_US))
    assert repr(effect) == "ScarcityEffect(2 newcomers in 3 bands)"
    assert "未必因果" in effect.table(lang="zh")
    assert [row.trials for row in effect.rows()] == [0, 0, 2]
    empty = scarcity_effect(log, as_of=from_us(1))
    assert np.isnan(empty.difference.value)


def test_onboarding_tells_what_it_does_not_know():
    log = EventLog.from_columns(member=["a", "b"], kind=["join", "welcome"], at=[0, 1], time_unit="s")
    made = onboarding(log, Onboarding(steps=["welcome"], received=["welcome"]), as_of=from_us(HOUR_US))
    assert made.missing == {"welcome": 0}
    assert made.young == 1
    assert "未到期 1 人" in made.table(lang="zh")
    assert repr(made) == "OnboardingProgress(1 newcomer, 0 complete)"
    assert pickle.loads(pickle.dumps(made)).of("a") == made.of("a")  # noqa: S301
    with pytest.raises(UnknownLabelError, match="step: expected one of welcome"):
        made.step_rate("rename")
    with pytest.raises(InvalidTypeError, match="events: expected Event records"):
        progress_of([7], made.checklist, member="a", joined=from_us(0), as_of=from_us(1))
    with pytest.raises(InvalidTypeError, match="steps: expected names that are non-empty str"):
        Onboarding(steps={"": "post"})


def test_decisions_point_at_rows_that_exist():
    group = Group(id="g", community="c", platform=Platform(id="p"), name="群", created=FRIDAY)
    made = admit([Applicant(id="a", at=FRIDAY)], AdmissionPolicy(), group=group, tz="UTC")
    assert str(made.acceptance.value) == "1.0"
    assert made.refused.tolist() == [False]
    with pytest.raises(InvalidValueError, match="row: expected a row in"):
        made.decision(1)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (
            lambda: AdmissionRates(kind="acceptance", segments=["a"], hits=[2], trials=[1], undecided=[0]),
            "hits: expected at most as many as trials",
        ),
        (
            lambda: Responders(segments=["a"], responses=[1], in_time=[1], median_hours=[1.0, 2.0]),
            "median_hours: expected one for each",
        ),
        (
            lambda: ReminderPlan(member=Coded.of(["a"], argument="m"), due_us=[5], at_us=[4], tz="UTC"),
            "at_us: expected instants from due_us on",
        ),
        (
            lambda: ReminderPlan(member=Coded.of(["a"], argument="m"), due_us=[5, 6], at_us=[6], tz="UTC"),
            "due_us: expected one for each of the 1 reminders",
        ),
        (
            lambda: OnboardingProgress(
                members=Index(["a"]), joined_us=[0], done_us=[0], contributed_us=[0], as_of_us=1,
                checklist=Onboarding(steps=["post"]),
            ),
            "done_us: expected an array of shape",
        ),
        (
            lambda: ResponseTimes(
                source_rows=[0], asker=Coded.of(["a", "b"], argument="m"), responder=Coded.of(["a"], argument="m"),
                at_us=[0], waited_us=[0], answered=[True], judged=[True], sla_us=1, as_of_us=1,
            ),
            "asker: expected one entry for each of the 1 questions",
        ),
    ],
)  # fmt: skip
def test_a_result_does_not_contradict_itself(call, match):
    with pytest.raises((InvalidValueError, MisalignedError), match=match):
        call()


def test_only_members_leave_an_invitation_in_the_log():
    opened = pendulum.datetime(2024, 5, 1, tz="Asia/Shanghai")
    group = Group(id="g1", community="c1", platform=WECHAT_GROUP, name="一群", created=opened)
    asked = [
        Applicant(id=name, at=opened.add(hours=n), invited_by=by)
        for n, (name, by) in enumerate([("ann", "ghost"), ("bo", "ann"), ("cy", "zoe"), ("di", "eve"), ("eve", None)])
    ]
    state = AdmissionState(members=["zoe"])
    made = admit(asked, AdmissionPolicy(), group=group, tz="Asia/Shanghai", state=state)
    assert [(event.member, event.target) for event in made.events if event.kind == "invite"] == [
        ("ann", "bo"),
        ("zoe", "cy"),
    ]
    by = {event.member: event.extra.get("invited_by") for event in made.events if event.kind == "join"}
    assert by == {"ann": "ghost", "bo": "ann", "cy": "zoe", "di": "eve", "eve": None}
    assert [event for row in range(5) for event in made.decision(row).events] == list(made.events)
    ledger = flow_ledger(made.log, every="week", tz="Asia/Shanghai", by="group")["g1"]
    inside = memberships(made.log, as_of=opened.add(days=1))
    assert int(ledger.joined.sum()) == len(inside) + 1  # zoe, who invites, joined before the log began
