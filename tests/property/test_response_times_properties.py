"""How soon members are answered: the columns give what the definition says, row by row."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference.slow_admission import slow_responses

from shequn.admission import response_times
from shequn.admission.clock import WorkingClock
from shequn.columns import EventLog
from shequn.labels import Assignment
from shequn.values import DailyWindow, QuietHours
from shequn.values.instants import from_us

S, HOUR = 1_000_000, 3_600_000_000
PEOPLE = ["a", "b", "c"]
rows = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from(["ask", "reply", "reply", "post"]),
        st.integers(0, 12).map(lambda s: s * S),
        st.sampled_from([None, "z", *PEOPLE]),
        st.sampled_from([None, "g", "h"]),
        st.sampled_from([None, "i", "j"]),
    ),
    max_size=14,
)


def log_of(given_rows, *, groups=True):
    member, kind, at, target, group, item = zip(*given_rows, strict=True) if given_rows else ([],) * 6
    return EventLog.from_columns(
        member=list(member),
        kind=list(kind),
        at=[us // S for us in at],
        time_unit="s",
        target=list(target),
        group=list(group) if groups else None,
        item=list(item),
    )


@given(rows, st.integers(0, 13), st.integers(0, 6), st.sampled_from(["target", "item"]), st.booleans(), st.booleans())
def test_each_question_has_its_first_response(given_rows, until, within, match, groups, staff_only):  # noqa: PLR0917
    may = {"b", "c"} if staff_only else None
    found = response_times(
        log_of(given_rows, groups=groups), as_of=from_us(until * S), sla=dt.timedelta(seconds=within), match=match,
        responders=may, unknown_kinds="ignore",
    )  # fmt: skip
    seen = given_rows if groups else [(*row[:4], None, row[5]) for row in given_rows]
    slow, left_out = slow_responses(seen, until * S, within * S, match, may)
    assert found.source_rows.tolist() == [row for row, *_ in slow]
    assert found.waited_us.tolist() == [waited for _, _, waited, _ in slow]
    assert found.answered.tolist() == [first is not None for _, first, *_ in slow]
    assert found.judged.tolist() == [judged for *_, judged in slow]
    responders = [None if first is None else seen[first][0] for _, first, *_ in slow]
    assert [found.responder.label(n) for n in range(len(found))] == responders
    assert found.left_out == left_out
    met = [waited <= within * S and first is not None for _, first, waited, judged in slow if judged]
    assert (found.attainment.hits, found.attainment.trials) == (sum(met), len(met))


@given(rows, st.integers(0, 13), st.randoms(use_true_random=False))
def test_the_order_of_rows_makes_no_difference_to_how_long_anybody_waited(given_rows, until, random):
    shuffled = [*given_rows]
    random.shuffle(shuffled)
    waits = []
    for one in (given_rows, shuffled):
        found = response_times(log_of(one), as_of=from_us(until * S), unknown_kinds="ignore")
        waits.append(sorted(zip(found.asker.labels().tolist(), found.waited_us.tolist(), strict=True)))
    assert waits[0] == waits[1]


@given(rows, st.integers(0, 13))
def test_segments_add_up_to_the_whole(given_rows, until):
    found = response_times(log_of(given_rows), as_of=from_us(until * S), by="group", unknown_kinds="ignore")
    columns = found.to_columns()
    assert columns["questions"].sum() == len(found)
    assert columns["judged"].sum() == found.attainment.trials
    assert columns["met"].sum() == found.attainment.hits
    assert columns["backlog"].sum() == found.is_open.sum()


WORK = DailyWindow(start="09:00", end="18:00", weekdays="mon-fri", use="active", tz="Europe/Berlin")


@given(st.lists(st.integers(0, 400), min_size=1, max_size=8), st.sampled_from(["work", "night", "both"]))
def test_the_clock_runs_in_allowed_hours_alone(quarters, which):
    night = DailyWindow(start="22:00", end="07:15", tz="Europe/Berlin")
    quiet = QuietHours.of({"work": [WORK], "night": [night], "both": [WORK, night]}[which])
    low = int(pendulum.datetime(2024, 10, 26, tz="Europe/Berlin").timestamp()) * S  # clocks go back on the 27th
    step = HOUR // 4
    at_us = low + np.array(quarters, dtype=np.int64) * step
    shown = WorkingClock.of(quiet, low, low + 401 * step).read(at_us)
    grid = low + np.arange(401, dtype=np.int64) * step
    ran = quiet.allowed(grid)
    assert shown.tolist() == [int(ran[:n].sum()) * step for n in quarters]


@pytest.mark.parametrize(("seconds", "judged", "met"), [(7_199, 0, 0), (7_200, 1, 0), (7_201, 1, 0)])
def test_a_question_is_judged_from_the_age_of_the_sla_on(seconds, judged, met):
    log = log_of([("a", "ask", 0, None, None, None), ("b", "post", 0, None, None, None)])
    found = response_times(log, as_of=from_us(seconds * S), unknown_kinds="ignore")
    assert (found.attainment.trials, found.attainment.hits) == (judged, met)


@pytest.mark.parametrize(("seconds", "met"), [(7_199, 1), (7_200, 1), (7_201, 0)])
def test_a_response_is_in_time_up_to_the_sla(seconds, met):
    log = log_of([("a", "ask", 0, None, None, None), ("b", "reply", seconds * S, "a", None, None)])
    assert response_times(log, as_of=from_us(9_000 * S)).attainment.hits == met


@given(rows)
def test_first_responses_by_role_add_up_to_the_questions_answered(given_rows):
    log = log_of(given_rows)
    found = response_times(log, as_of=from_us(20 * S), unknown_kinds="ignore")
    roles = {"a": "admin", "b": "member"}
    by = found.by_responder(roles)
    assert by.responses.sum() == found.answered.sum()
    assert by.in_time.sum() == found.in_time.sum()
    who = [roles.get(found.responder.label(n)) for n in range(len(found)) if found.answered[n]]
    rows_by = {row.segment: row.responses for row in by.rows()}
    assert rows_by == {role: who.count(role) for role in ("admin", "member", None)}
    as_assignment = Assignment.from_mapping(roles).align(log.members)
    assert found.by_responder(as_assignment).responses.sum() == found.answered.sum()


def test_long_spans_and_many_units_are_matched_as_well():
    """Where unit and instant don't fit one number, ranks stand in for them."""
    rng = np.random.default_rng(4)
    n = 4_000
    spread = rng.integers(-(2**50), 2**52, n)
    people = rng.integers(0, 2_000, (2, n))
    columns = {"kind": ["ask" if one else "reply" for one in rng.random(n) < 0.5]}
    coarse = [
        EventLog.from_columns(
            member=people[0],
            target=people[1],
            group=rng.integers(0, 2_000, n) * 0 + g,
            at=spread,
            time_unit="us",
            **columns,
        )
        for g in (0, 1)
    ]
    log = EventLog.concat(coarse)
    found = response_times(log, as_of=from_us(2**53 - 1))
    one = response_times(coarse[0], as_of=from_us(2**53 - 1))
    assert found.waited_us.tolist() == one.waited_us.tolist() * 2
    assert found.answered.sum() == 2 * one.answered.sum() > 0
