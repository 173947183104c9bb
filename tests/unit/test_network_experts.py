from __future__ import annotations

import copy
import datetime as dt
import math

import attrs
import numpy as np
import pytest

from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.labels import Index
from shequn.network import LoadHazard, expert_load, route

DAY = 86_400


def asks(*rows: tuple[str, str | None, int]) -> EventLog:
    member, target, day = zip(*rows, strict=True)
    return EventLog.from_columns(
        member=list(member), kind="ask", target=list(target), at=[DAY * d for d in day], time_unit="s"
    )


# --- load ---


def test_requests_beyond_the_cap_of_their_day_are_above_it():
    log = asks(*[("ann", "wu", 0)] * 5, *[("ann", "wu", 1)] * 2, ("ann", "li", 4))
    found = expert_load(log, ["li", "wu", "ma"], cap=[1, 3, 3], tz="UTC")
    assert (found.above.tolist(), found.days_over.tolist()) == ([0, 2, 0], [0, 1, 0])
    assert found.above_share == 2 / 8
    assert (found.n_days, found.quiet.tolist()) == (5, [False, False, True])
    assert found.shares.gini == pytest.approx(2 * (2 * 1 + 3 * 7) / (3 * 8) - 4 / 3)
    assert "5 days; 25.0% of 8 requests above the cap; 1 of 3 experts never asked" in str(found)
    assert "5 天；8 次求助中 25.0% 超限；3 位牛人中 1 位从未被问" in found.table(lang="zh")


def test_days_are_local():
    log = EventLog.from_columns(member=["ann", "bo"], kind="ask", target=["wu", "wu"], at=[0, 17 * 3600], time_unit="s")
    assert expert_load(log, ["wu"], cap=1, tz="UTC").days_over.tolist() == [1]
    assert expert_load(log, ["wu"], cap=1, tz="Asia/Shanghai").days_over.tolist() == [0]


def test_who_asks_themselves_or_a_member_who_is_no_expert_bothers_no_expert():
    found = expert_load(asks(("wu", "wu", 0), ("ann", "bo", 0), ("ann", None, 0)), ["wu"], cap=1, tz="UTC")
    assert found.total.tolist() == [0]
    assert math.isnan(found.above_share)
    assert str(found).endswith("\n1 day; 1 expert, no requests")
    assert found.table(lang="zh").endswith("\n1 天；1 位牛人，无求助")
    assert repr(found) == "ExpertLoad(1 expert, 0 requests in 1 day)"
    assert (
        repr(expert_load(asks(("ann", "wu", 0)), ["wu"], cap=1, tz="UTC")) == "ExpertLoad(1 expert, 1 request in 1 day)"
    )


def test_an_expert_of_whom_the_log_knows_nothing_was_never_asked():
    found = expert_load(asks(("ann", "wu", 0)), ["wu", "zz"], cap=1, tz="UTC")
    assert found.quiet.tolist() == [False, True]
    assert str(found).endswith("\n1 day; 0.0% of 1 request above the cap; 1 of 2 experts never asked; Gini 0.50")


def test_experts_may_be_an_index_or_anything_that_lists_them():
    log = asks(("ann", "wu", 0))
    for experts in (Index(["wu"]), ("wu",), np.array(["wu"])):
        assert expert_load(log, experts, cap=1, tz="UTC").total.tolist() == [1]


def test_an_empty_log_and_one_without_targets_ask_nobody():
    found = expert_load(EventLog.empty(), ["wu"], cap=1, tz="UTC")
    assert (found.total.tolist(), found.n_days) == ([0], 0)
    log = EventLog.from_columns(member=["ann"], kind="ask", at=[0], time_unit="s")
    assert expert_load(log, ["wu"], cap=1, tz="UTC").total.tolist() == [0]


# --- hazard ---


def weeks_of(*weeks: int, last: int = 9) -> EventLog:
    """Return a log in which wu posts in some weeks, and is asked too much in week 0."""
    rows = (
        [("wu", "post", 7 * w, None) for w in weeks] + [("ann", "ask", 1, "wu")] * 3 + [("ann", "post", 7 * last, None)]
    )
    member, kind, day, target = zip(*rows, strict=True)
    return EventLog.from_columns(
        member=list(member), kind=list(kind), at=[4 * DAY + DAY * d for d in day], target=list(target), time_unit="s"
    )  # 1970-01-05 is a Monday


def test_an_expert_who_is_silent_long_enough_has_evaporated():
    log = weeks_of(0, 3, 4)
    load = expert_load(log, ["wu"], cap=2, tz="UTC")
    found = load.hazard(log, idle_weeks=2)
    assert (found.over.hits, found.over.trials) == (1, 1)
    assert (found.within.hits, found.within.trials) == (1, 2)
    assert load.hazard(log, idle_weeks=3).over.hits == 0
    assert found.difference.value == 0.5


def test_weeks_too_young_to_judge_do_not_count():
    log = weeks_of(0, 7, last=9)
    load = expert_load(log, ["wu"], cap=2, tz="UTC")
    assert load.hazard(log, idle_weeks=2).weeks.tolist() == [1, 0]
    ended = dt.datetime(1970, 1, 5, tzinfo=dt.UTC) + dt.timedelta(weeks=10)
    assert load.hazard(log, idle_weeks=2, observed_until=ended).weeks.tolist() == [1, 1]


def test_experts_who_do_nothing_have_no_hazard():
    log = asks(("ann", "wu", 0))
    found = expert_load(log, ["wu"], cap=1, tz="UTC").hazard(log)
    assert found.weeks.tolist() == [0, 0]
    assert "difference –" in str(found)
    assert repr(found) == "LoadHazard(– after weeks over the cap, – after others)"
    assert found.to_columns()["load"].tolist() == ["over", "within"]


def test_the_hazard_is_told_in_chinese():
    found = LoadHazard(weeks=[20, 80], evaporated=[8, 4], idle_weeks=4)
    assert "含超限日" in found.table(lang="zh")
    assert "1 week of silence" in str(attrs.evolve(found, idle_weeks=1))
    assert "沉默满 4 周；差值 35.0%（".replace("（", " (") in found.table(lang="zh")
    assert "4 weeks of silence; difference 35.0% (" in str(found)


# --- routing ---


def test_the_least_loaded_relative_to_their_cap_is_asked():
    found = route([None] * 4, ["wu", "li"], cap=[2, 6], load=[1, 2])
    assert found.to_columns()["expert"].tolist() == ["li", "wu", "li", "li"]


def test_a_question_is_handed_on_to_make_room_for_one_that_only_they_can_answer():
    found = route(["tea", "wine"], ["wu", "li"], cap=1, knows={"wu": ["tea", "wine"], "li": ["tea"]})
    assert found.to_columns()["expert"].tolist() == ["li", "wu"]


def test_questions_are_handed_on_along_a_chain():
    knows = {"a": ["x", "y"], "b": ["y", "z"], "c": ["z"]}
    found = route(["y", "z", "x"], ["a", "b", "c"], cap=1, knows=knows)
    assert found.to_columns()["expert"].tolist() == ["b", "c", "a"]


def test_why_a_question_waits_is_told():
    found = route(["tea", "tea", "wine"], ["wu"], cap=1, knows={"wu": ["tea"]})
    assert found.to_columns()["why"].tolist() == [None, "full", "unknown"]
    assert "all who know it are at their cap" in str(found)
    assert "无人懂此话题" in found.table(lang="zh")
    assert str(found).splitlines()[0].endswith("why held back")
    assert found.table(lang="zh").splitlines()[0].endswith("未安排原因")
    assert "3 个问题中已分派 1 个" in found.table(lang="zh")
    assert found.held_back.tolist() == [False, True, True]


def test_nothing_asked_and_nobody_to_ask():
    nothing = route([], ["wu"], cap=1)
    assert len(nothing) == 0
    assert "placed" not in str(nothing)
    assert repr(route([None], ["wu"], cap=1)) == "Routing(1 of 1 question placed)"
    assert route(["tea", None], [], cap=1).held_back.tolist() == [True, True]


def test_topics_nobody_asks_about_may_be_known():
    assert route(["tea"], ["wu"], cap=1, knows={"wu": ["tea", "opera"]}).expert.tolist() == [0]


# --- what is refused ---

LOG = asks(("ann", "wu", 0))


@pytest.mark.parametrize(
    ("given", "options", "error", "text"),
    [
        ((None, ["wu"]), {}, InvalidTypeError, "log: expected an EventLog, got None"),
        ((LOG, "wu"), {}, InvalidTypeError, "experts: expected labels of experts, got 'wu'"),
        ((LOG, ["wu", "wu"]), {}, InvalidValueError, "experts"),
        ((LOG, ["wu"]), {"cap": 0}, InvalidValueError, "cap: expected at least 1 request a day, got 0"),
        ((LOG, ["wu"]), {"cap": [1, 2]}, MisalignedError, "cap: expected one number, or one for each of the 1 experts"),
        ((LOG, ["wu"]), {"cap": 1.5}, InvalidTypeError, "cap: expected integers"),
        ((LOG, ["wu"]), {"tz": "Mars"}, UnknownLabelError, "tz"),
    ],
)
def test_load_that_cannot_be_counted_is_refused(given, options, error, text):
    with pytest.raises(error, match=text):
        expert_load(*given, **{"cap": 1, "tz": "UTC", **options})


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"load": [1]}, MisalignedError, "load: expected one for each of the 2 experts"),
        ({"load": [-1, 0]}, InvalidValueError, "load"),
        (
            {"knows": {"wuu": ["tea"]}},
            UnknownLabelError,
            "knows: expected labels of the 2 experts, got 'wuu'.*did you mean 'wu'",
        ),
        ({"knows": ["tea"]}, InvalidTypeError, "knows: expected a mapping of expert to topics"),
        ({"knows": {"wu": "tea"}}, InvalidTypeError, "knows: expected topics of an expert, got 'tea'"),
        ({"cap": 0}, InvalidValueError, "cap: expected at least 1"),
    ],
)
def test_questions_that_cannot_be_dealt_are_refused(options, error, text):
    with pytest.raises(error, match=text):
        route(["tea"], ["wu", "li"], **{"cap": 1, **options})


def test_topics_are_labels():
    with pytest.raises(InvalidTypeError, match="topics: expected a topic of each question, got 'tea'"):
        route("tea", ["wu"], cap=1)


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        ({"expert": [1]}, InvalidValueError, r"expert: expected codes in \[0, 1\), got 1"),
        ({"day": [9]}, InvalidValueError, "day: expected one of the 1 days from 0 on, got 9"),
        ({"requests": [0]}, InvalidValueError, "requests: expected at least 1, got 0"),
        ({"requests": [1, 2]}, MisalignedError, "requests: expected as many as experts' days, 1"),
        (
            {"expert": [0, 0], "day": [0, 0], "requests": [1, 1]},
            InvalidValueError,
            "day: expected each day of an expert",
        ),
        ({"n_days": -1}, InvalidValueError, "n_days: expected 0 or more, got -1"),
        ({"calendar": "UTC"}, InvalidTypeError, "calendar: expected a Calendar"),
    ],
)
def test_a_load_checks_its_fields(fields, error, text):
    with pytest.raises(error, match=text):
        attrs.evolve(expert_load(LOG, ["wu"], cap=1, tz="UTC"), **fields)


def test_other_results_check_their_fields():
    with pytest.raises(InvalidValueError, match="evaporated: expected no more than weeks, got 3"):
        LoadHazard(weeks=[2, 2], evaporated=[3, 0], idle_weeks=1)
    with pytest.raises(MisalignedError, match="weeks, evaporated: expected two counts"):
        LoadHazard(weeks=[2], evaporated=[3, 0], idle_weeks=1)
    found = route(["tea"], ["wu"], cap=1)
    for fields, error, text in (
        ({"expert": [1]}, InvalidValueError, r"expert: expected codes in \[-1, 1\), got 1"),
        ({"known": [True, False]}, MisalignedError, "known: expected one for each of the 1 questions"),
        ({"load": [0]}, InvalidValueError, "load: expected no fewer than the questions each was given"),
        ({"load": [0, 1]}, MisalignedError, "load: expected one for each of the 1 experts"),
    ):
        with pytest.raises(error, match=text):
            attrs.evolve(found, **fields)
    with pytest.raises(InvalidValueError, match="idle_weeks: expected at least 1, got 0"):
        expert_load(LOG, ["wu"], cap=1, tz="UTC").hazard(LOG, idle_weeks=0)


def test_copies_are_read_only():
    found = copy.deepcopy(expert_load(LOG, ["wu"], cap=1, tz="UTC"))
    assert not found.requests.flags.writeable
    assert not copy.deepcopy(route(["tea"], ["wu"], cap=1)).expert.flags.writeable


def test_fractions_are_no_requests():
    with pytest.raises(InvalidTypeError, match="requests: expected integers"):
        attrs.evolve(expert_load(LOG, ["wu"], cap=1, tz="UTC"), requests=[0.5])
    with pytest.raises(InvalidTypeError, match="load: expected integers"):
        attrs.evolve(route(["tea"], ["wu"], cap=1), load=[1.5])
