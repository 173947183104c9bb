"""Candidates are ranked and slots are covered as one would by hand, and greed keeps its promise."""

from __future__ import annotations

import datetime as dt
from itertools import combinations
from math import e
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.columns import EventLog
from shequn.network import admin_candidates, admin_cover

TZ = "Europe/Berlin"
START = int(dt.datetime(2024, 3, 18, tzinfo=ZoneInfo(TZ)).timestamp())  # a Monday; clocks go forward on the 31st
HOUR = 3_600

names = st.sampled_from(["ann", "bo", "cy", "dee", "staff"])
kinds = st.sampled_from(["post", "reply", "reply", "mute", "join", "leave", "remove", "receive"])
event = st.tuples(names, kinds, st.integers(0, 30 * 24), names | st.none())


def log_of(rows: list, group: list | None = None) -> EventLog:
    member, kind, hour, target = (list(column) for column in zip(*rows, strict=True))
    at = [START + HOUR * h for h in hour]
    return EventLog.from_columns(member=member, kind=kind, at=at, target=target, group=group, time_unit="s")


def percentile(values: dict[str, int], member: str) -> float:
    mine = values[member]
    below = sum(value < mine for value in values.values()) + sum(value == mine for value in values.values()) / 2
    return below / len(values) if mine else 0.0


@given(st.lists(event, min_size=1, max_size=40), st.integers(0, 30 * 24))
def test_candidates_are_ranked_as_by_hand(rows, hour):
    as_of = dt.datetime.fromtimestamp(START + HOUR * hour, dt.UTC)
    log = log_of(rows)
    found = admin_candidates(log, as_of=as_of, tz=TZ, exclude=["staff"] if "staff" in log.members else None)
    known = sorted((row for row in rows if row[2] <= hour), key=lambda row: row[2])
    measures: dict[str, tuple[int, int, int]] = {}
    for member in log.members:
        theirs = [row for row in known if row[0] == member]
        active = [row for row in theirs if row[1] in {"post", "reply", "join"}]
        moves = [row[1] for row in theirs if row[1] in {"join", "leave", "remove"}]
        gone = "remove" in moves or (moves and moves[-1] == "leave")
        if member == "staff" or gone or not active:
            continue
        dates = [dt.datetime.fromtimestamp(START + HOUR * row[2], ZoneInfo(TZ)).date() for row in active]
        told = {kind: {r[0] for r in known if r[1] == kind and r[3] == member != r[0]} for kind in ("reply", "mute")}
        weeks = len({date.isocalendar()[:2] for date in dates})
        measures[member] = (weeks, len(active), max(len(told["reply"]) - len(told["mute"]), 0))
    assert set(found.labels) == set(measures)
    for row in found.rows():
        ranks = [percentile({m: v[i] for m, v in measures.items()}, row.member) for i in range(3)]
        assert [row.loyalty, row.participation, row.trust] == pytest.approx(ranks)
        assert row.score == pytest.approx(np.prod(ranks))
        assert (row.weeks_active, row.n_rows) == measures[row.member][:2]
    assert (np.diff(found.score) <= 1e-15).all()


people = ["ann", "bo", "cy", "dee"]
rows_with_group = st.tuples(
    st.sampled_from([*people, "x", "y"]), st.integers(0, 40), st.integers(0, 3), st.sampled_from(["g1", "g2", None])
)


def slots_by_hand(rows: list, least: int) -> tuple[dict[tuple, int], dict[str, set[tuple]]]:
    """Return the demand of each slot, and the slots in which each candidate is there."""
    demand: dict[tuple, int] = {}
    weeks: dict[tuple, set] = {}
    for member, hour, week, group in rows:
        local = dt.datetime.fromtimestamp(START + HOUR * (hour + 168 * week), ZoneInfo(TZ))
        slot = (group, local.isoweekday(), local.hour)
        if member in people:
            weeks.setdefault((member, slot), set()).add(local.isocalendar()[:2])
        else:
            demand[slot] = demand.get(slot, 0) + 1
    there: dict[str, set[tuple]] = {member: set() for member in people}
    for (member, slot), seen in weeks.items():
        if len(seen) >= least and slot in demand:
            there[member].add(slot)
    return demand, there


@given(st.lists(rows_with_group, min_size=1, max_size=60), st.integers(1, 2), st.integers(1, 4) | st.none())
def test_slots_are_covered_as_by_hand(rows, least, most):
    # Candidates have to act in the log.
    rows = rows + [(member, 41, 0, "g1") for member in people]
    log = EventLog.from_columns(
        member=[row[0] for row in rows],
        kind="post",
        at=[START + HOUR * (hour + 168 * week) for _, hour, week, _ in rows],
        group=[row[3] for row in rows],
        time_unit="s",
    )
    found = admin_cover(log, people, tz=TZ, min_weeks=least, most=most)
    demand, there = slots_by_hand(rows, least)
    covered: set[tuple] = set()
    chosen = []
    while most is None or len(chosen) < most:
        gains = {m: sum(demand[slot] for slot in there[m] - covered) for m in people}
        best = max(people, key=lambda m: gains[m])
        if not gains[best]:
            break
        chosen.append((best, len(there[best] - covered), gains[best]))
        covered |= there[best]
    assert [(row.member, row.slots, row.gained) for row in found.rows()] == chosen
    assert (found.demand, found.n_slots) == (sum(demand.values()), len(demand))
    gaps = {(row.group, row.weekday, row.hour): (row.demand, row.reachable) for row in found.gaps.rows()}
    could = set().union(*there.values())
    assert gaps == {slot: (n, slot in could) for slot, n in demand.items() if slot not in covered}
    best = max(
        (
            sum(demand[slot] for slot in set().union(*(there[m] for m in some)))
            for some in combinations(people, len(chosen))
        ),
        default=0,
    )
    assert sum(demand[slot] for slot in covered) >= (1 - 1 / e) * best - 1e-9
