"""Load of experts is what one counts by hand, and no way of dealing out questions places more."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.columns import EventLog
from shequn.network import expert_load, route

EXPERTS = ["wu", "li", "ma"]
TZ = "America/New_York"
START = int(dt.datetime(2024, 3, 1, tzinfo=ZoneInfo(TZ)).timestamp())  # clocks go forward on the 10th
names = st.sampled_from(["wu", "li", "ann", "bo"])
requests = st.tuples(
    names, st.sampled_from(["ask", "post"]), st.integers(0, 20 * 24), names | st.just("ma") | st.none()
)


@given(st.lists(requests, min_size=1, max_size=40), st.lists(st.integers(1, 3), min_size=3, max_size=3))
def test_load_is_counted_as_by_hand(rows, cap):
    member, kind, hour, target = (list(column) for column in zip(*rows, strict=True))
    at = [START + 3600 * h for h in hour]
    log = EventLog.from_columns(member=member, kind=kind, at=at, target=target, time_unit="s")
    found = expert_load(log, EXPERTS, cap=cap, tz=TZ, unknown_kinds="ignore")
    days = [dt.datetime.fromtimestamp(second, ZoneInfo(TZ)).date() for second in at]
    asked = Counter(
        (to, day)
        for who, what, day, to in zip(member, kind, days, target, strict=True)
        if what == "ask" and to in EXPERTS and to != who
    )
    assert found.n_days == (max(days) - min(days)).days + 1
    for row, most in zip(found.rows(), cap, strict=True):
        per_day = [n for (to, _), n in asked.items() if to == row.expert]
        assert row.total == sum(per_day)
        assert row.days_asked == len(per_day)
        assert row.busiest == max(per_day, default=0)
        assert row.days_over == sum(n > most for n in per_day)
        assert row.above == sum(max(n - most, 0) for n in per_day)
    told = {
        (EXPERTS[e], found.calendar.label_one(int(d))): n
        for e, d, n in zip(found.expert, found.day, found.requests, strict=True)
    }
    assert told == asked


active = st.tuples(st.sampled_from(EXPERTS), st.integers(0, 12 * 7))
asks = st.tuples(st.sampled_from(EXPERTS), st.integers(0, 12 * 7))


@given(st.lists(active, min_size=1, max_size=25), st.lists(asks, max_size=40), st.integers(1, 3))
def test_the_hazard_is_that_of_weeks_gone_through_by_hand(done, asked, idle):
    # Day 0 is a Monday.
    monday = int(dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC).timestamp())
    rows = [(who, "post", day, None) for who, day in done] + [("ann", "ask", day, who) for who, day in asked]
    member, kind, day, target = (list(column) for column in zip(*rows, strict=True))
    log = EventLog.from_columns(
        member=member, kind=kind, at=[monday + 86_400 * d for d in day], target=target, time_unit="s"
    )
    found = expert_load(log, EXPERTS, cap=1, tz="UTC", unknown_kinds="ignore").hazard(log, idle_weeks=idle)
    last = max(day)
    weeks, gone = [0, 0], [0, 0]
    for who in EXPERTS:
        theirs = {d // 7 for w, d in done if w == who}
        for week in theirs:
            if (week + idle + 1) * 7 <= last:
                over = any(asked.count((who, d)) > 1 for d in range(week * 7, week * 7 + 7))
                weeks[not over] += 1
                gone[not over] += not theirs & set(range(week + 1, week + idle + 1))
    assert (found.weeks.tolist(), found.evaporated.tolist()) == (weeks, gone)


# --- routing ---


@st.composite
def tasks(draw: st.DrawFn) -> tuple[list, list[str], list[int], list[int], dict]:
    experts = [f"e{i}" for i in range(draw(st.integers(1, 4)))]
    topics = draw(st.lists(st.sampled_from(["tea", "wine", "code", None]), max_size=9))
    knows = {e: draw(st.lists(st.sampled_from(["tea", "wine", "code"]), max_size=3, unique=True)) for e in experts}
    cap = draw(st.lists(st.integers(1, 4), min_size=len(experts), max_size=len(experts)))
    load = draw(st.lists(st.integers(0, 3), min_size=len(experts), max_size=len(experts)))
    return topics, experts, cap, load, knows


def can_be_placed(topics: list, room: dict[str, int], knows: dict) -> bool:
    """Try all ways."""
    if not topics:
        return True
    return any(
        can_be_placed(topics[1:], room | {expert: left - 1}, knows)
        for expert, left in room.items()
        if left > 0 and (topics[0] is None or topics[0] in knows[expert])
    )


@given(tasks())
def test_a_question_is_held_back_only_if_no_way_places_it_with_those_before(task):
    topics, experts, cap, load, knows = task
    found = route(topics, experts, cap=cap, load=load, knows=knows)
    room = {e: max(c - n, 0) for e, c, n in zip(experts, cap, load, strict=True)}
    placed: list = []
    for topic, held in zip(topics, found.held_back.tolist(), strict=True):
        assert can_be_placed([*placed, topic], room, knows) is not held
        placed += [] if held else [topic]
    given_to = Counter()
    for row in found.rows():
        if row.expert is None:
            assert row.why == ("unknown" if not any(row.topic in known for known in knows.values()) else "full") or (
                row.topic is None and row.why == "full"
            )
        else:
            assert row.topic is None or row.topic in knows[row.expert]
            assert row.why is None
            given_to[row.expert] += 1
    assert all(given_to[e] <= room[e] for e in experts)
    assert found.load.tolist() == [n + given_to[e] for e, n in zip(experts, load, strict=True)]


@given(tasks())
def test_without_topics_the_least_loaded_is_asked(task):
    topics, experts, cap, load, _ = task
    found = route([None] * len(topics), experts, cap=cap, load=load)
    loads = list(load)
    for given_to in found.expert.tolist():
        able = [i for i in range(len(experts)) if loads[i] < cap[i]]
        if not able:
            assert given_to == -1
            continue
        assert given_to == min(able, key=lambda i: (Fraction(loads[i], cap[i]), i))
        loads[given_to] += 1


@pytest.mark.parametrize("seed", range(5))
def test_as_many_are_placed_as_flow_allows(seed):
    nx = pytest.importorskip("networkx")
    rng = np.random.default_rng(seed)
    topics = [f"t{t}" for t in rng.integers(0, 12, 200)]
    experts = [f"e{e}" for e in range(20)]
    knows = {e: [f"t{t}" for t in np.flatnonzero(rng.random(12) < 0.15)] for e in experts}
    cap = rng.integers(1, 15, 20)
    net = nx.DiGraph()
    for row, topic in enumerate(topics):
        net.add_edge("s", row, capacity=1)
        for expert in experts:
            if topic in knows[expert]:
                net.add_edge(row, expert, capacity=1)
    for expert, most in zip(experts, cap.tolist(), strict=True):
        net.add_edge(expert, "t", capacity=most)
    found = route(topics, experts, cap=cap, knows=knows)
    assert int((~found.held_back).sum()) == nx.maximum_flow_value(net, "s", "t")
