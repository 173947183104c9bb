"""The ledger, the cohorts and presence against a slow plain-Python reference, over random communities and clocks."""

from __future__ import annotations

import datetime as dt
import math
from contextlib import contextmanager
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency
from tests.reference import slow_retention as slow
from tests.reference.slow_retention import communities

from shequn.columns import EventLog
from shequn.labels import Assignment
from shequn.retention import cohort_table, flow_ledger, presence, sets
from shequn.stats import wilson
from shequn.values import Calendar

shapes = st.sampled_from(("bits", "cells", "many cohorts"))


@contextmanager
def shape_of_sets(shape):
    """Keep sets as of small, sparse or very many ones, and read rows in small blocks and in two halves."""
    with pytest.MonkeyPatch.context() as patch:
        if shape != "bits":
            patch.setattr(import_module("shequn.retention.presence"), "_BLOCK", 5)
            patch.setattr(import_module("shequn.columns.halves"), "_MANY_ROWS", 20)
        if shape == "cells":
            patch.setattr(sets, "_SMALL_MASK", 0)
            patch.setattr(sets, "_MASK_BYTES_A_ROW", 0)
        if shape == "many cohorts":
            patch.setattr(sets, "_MANY_COHORTS", 0)
        yield


def log_of(rows):
    return EventLog.from_columns(
        member=[row.member for row in rows],
        kind=[row.kind for row in rows],
        at=np.array([row.at for row in rows], dtype=np.int64),
        time_unit="us",
        group=[row.group for row in rows],
        extra={"channel": [row.channel for row in rows]},
    )


def calendar_of(calendar):
    anchor = calendar.anchor if calendar.n > 1 else None
    return Calendar(unit=calendar.unit, tz=calendar.tz, n=calendar.n, week_start=calendar.week_start, anchor=anchor)


def instant(at):
    return None if at is None else slow.EPOCH + dt.timedelta(microseconds=at)


def ledger_options(basis=("activity", "membership")):
    return st.fixed_dictionaries(
        {
            "basis": st.sampled_from(basis),
            "grace": st.integers(0, 3),
            "kinds": st.sampled_from((None, None, {"post"}, {"post", "receive"}, {"role"})),
            "join": st.just({"join"}),
            "leave": st.sampled_from(({"leave", "remove"}, {"leave"})),
        }
    ).map(without_what_membership_refuses)


def without_what_membership_refuses(options):
    return options | {"grace": 0, "kinds": None} if options["basis"] == "membership" else options


def assert_same(ledger, table):
    """Compare every column of a ledger with the reference's."""
    assert ledger.periods.tolist() == table["period"]
    for name in slow.LEDGER_COUNTS:
        assert getattr(ledger, name).tolist() == table[name], name
    assert ledger.complete.tolist() == table["complete"]
    for name in slow.LEDGER_RATES:
        assert getattr(ledger, name).tolist() == pytest.approx(table[name], nan_ok=True, rel=1e-12), name
    assert not ledger.residual.any()


@given(communities(), ledger_options(), st.booleans(), st.booleans(), shapes)
def test_a_ledger_is_what_the_definition_says(community, options, is_bounded, is_ended, shape):
    rows, calendar, (start, until, _) = community
    ends = {"start": start if is_bounded else None, "observed_until": until if is_ended else None}
    table = slow.ledger(rows, calendar, **options, **ends)
    with shape_of_sets(shape):
        ledger = flow_ledger(
            log_of(rows),
            every=calendar_of(calendar),
            **options,
            **{name: instant(at) for name, at in ends.items()},
            unknown_kinds="ignore",
        )
    assert_same(ledger, table)


# --- segments --------------------------------------------------------------------------------------------------------


def axis_of(rows, calendar, options, until):
    """Return the axis of the ledger of everybody, which the ledger of every segment has too."""
    active = slow.active_periods(rows, calendar, kinds=options["kinds"], observed_until=until)
    facts = slow.facts_of(rows, calendar, join=options["join"], leave=options["leave"], until=until)
    return slow.ledger_axis(calendar, options["basis"], active, facts, start=None, until=until)


def assert_same_segments(broken, tables, rest):
    assert set(broken) == set(tables)
    for label, table in tables.items():
        assert_same(broken[label], table)
    if broken.unassigned is not None:
        assert_same(broken.unassigned, rest)
    retained = [broken.total.retained, *(part.retained for part in broken.parts.values())]
    if broken.unassigned is not None:
        retained.append(broken.unassigned.retained)
    assert (broken.overlap == sum(retained[1:]) - retained[0]).all()


@given(
    communities(),
    ledger_options(),
    st.booleans(),
    st.dictionaries(st.sampled_from("abcde"), st.sampled_from("xyz")),
    shapes,
)
def test_a_segment_of_members_has_the_ledger_of_those_members_alone(community, options, is_ended, tiers, shape):
    rows, calendar, (until, *_) = community
    until = slow.end_of_observation(rows, until if is_ended else None)
    tables = {}
    for tier in (*dict.fromkeys(tiers.values()), None):
        own = [row for row in rows if tiers.get(row.member) == tier]
        axis = axis_of(rows, calendar, options, until) if rows else range(0)
        tables[tier] = slow.ledger(own, calendar, **options, observed_until=until, axis=axis)
    rest = tables.pop(None)
    log = log_of(rows)
    segments = Assignment.from_mapping(tiers or {"nobody": None}).align(log.members)
    with shape_of_sets(shape):
        broken = flow_ledger(
            log,
            every=calendar_of(calendar),
            **options,
            observed_until=instant(until if is_ended else None),
            by=segments,
            unknown_kinds="ignore",
        )
    assert_same_segments(broken, tables, rest)
    assert (broken.unassigned is not None) == any(row.member not in tiers for row in rows)
    assert not broken.overlap.any()


@given(communities(), ledger_options(), st.booleans(), st.sampled_from(("group", "channel")), shapes)
def test_a_member_counts_in_each_value_they_have_rows_with(community, options, is_ended, by, shape):
    rows, calendar, (until, *_) = community
    if by == "channel":
        options["basis"] = "activity"
    until = slow.end_of_observation(rows, until if is_ended else None)
    axis = axis_of(rows, calendar, options, until) if rows else range(0)
    tables = {}
    for value in (*{getattr(row, by) for row in rows} - {None}, None):
        own = [row for row in rows if getattr(row, by) == value]
        whose = {row.member for row in own}
        facts_from = None if by == "group" else [row for row in rows if row.member in whose]
        tables[value] = slow.ledger(own, calendar, **options, observed_until=until, axis=axis, facts_from=facts_from)
    rest = tables.pop(None)
    with shape_of_sets(shape):
        broken = flow_ledger(
            log_of(rows),
            every=calendar_of(calendar),
            **options,
            observed_until=instant(until if is_ended else None),
            by=by,
            unknown_kinds="ignore",
        )
    assert_same_segments(broken, tables, rest)
    assert_same(broken.total, slow.ledger(rows, calendar, **options, observed_until=until))
    assert (broken.unassigned is not None) == any(getattr(row, by) is None for row in rows)
    assert (broken.overlap >= 0).all() or options["basis"] == "membership"


# --- presence --------------------------------------------------------------------------------------------------------


@given(communities(), st.sampled_from((None, {"post"}, {"role"})), st.booleans(), shapes)
def test_presence_tells_who_was_active_in_which_period(community, kinds, is_ended, shape):
    rows, calendar, (until, *_) = community
    until = until if is_ended else None
    periods = slow.active_periods(rows, calendar, kinds=kinds, observed_until=until)
    with shape_of_sets(shape):
        p = presence(
            log_of(rows),
            every=calendar_of(calendar),
            kinds=kinds,
            observed_until=instant(until),
            unknown_kinds="ignore",
        )
    labels = p.periods.tolist()
    found = {member: set() for member in p.members}
    for place in range(p.n_periods):
        for code in p.sets.codes(place):
            found[p.members[code]].add(labels[place])
    assert found == {member: {calendar.label(q) for q in of_member} for member, of_member in periods.items()}
    whole = [q for of_member in periods.values() for q in of_member]
    end = slow.end_of_observation(rows, until)
    if whole:
        last = max(*whole, calendar.number(end - 1))
        assert labels == [calendar.label(q) for q in range(min(whole), last + 1)]
        assert p.complete.tolist() == [calendar.is_complete(q, end) for q in range(min(whole), last + 1)]
    else:
        assert labels == []
    for code, member in enumerate(p.members):
        own = sorted(found[member])
        assert p.calendar.label([p.first[code], p.last_active[code]]).tolist() == [own[0], own[-1]] if own else True
        assert own or (p.first[code], p.last_active[code]) == (2**31 - 1, -(2**31))
    assert p.active.tolist() == [sum(label in of_member for of_member in found.values()) for label in labels]


# --- cohorts ---------------------------------------------------------------------------------------------------------


@st.composite
def cohort_questions(draw):
    """Draw a community and a valid set of options."""
    clock = draw(st.sampled_from(("calendar", "elapsed")))
    community = draw(communities(units=slow.CLOCK_UNITS if clock == "elapsed" else tuple(slow.UNIT_US)))
    anchor = draw(st.sampled_from(("first_ever", "first_in_range", "recurring")[: 3 if clock == "calendar" else 2]))
    mode = draw(st.sampled_from(("on", "on_or_after", "brackets")))
    low, high, until = community.instants
    options = {
        "anchor": anchor,
        "mode": mode,
        "clock": clock,
        "kinds": draw(st.sampled_from((None, None, {"post"}, {"post", "receive"}))),
        "start": min(low, high) if anchor == "first_in_range" or draw(st.booleans()) else None,
        "end": max(low, high) + 1 if draw(st.booleans()) else None,
        "observed_until": until if draw(st.booleans()) else None,
    }
    if mode == "brackets":
        options["brackets"] = draw(
            st.sampled_from((((0, 0),), ((0, 1), (2, 4)), ((1, 1), (2, 2)), ((1, 3), (5, 900)), ((3, 4),)))
        )
    else:
        options["max_offset"] = draw(st.sampled_from((None, None, 0, 2)))
    if anchor != "recurring":
        options["min_occurrences"] = draw(st.sampled_from((1, 1, 2, 3)))
        options["anchor_kinds"] = draw(st.sampled_from((None, None, {"join"}, {"join", "role"})))
    return community, options


def ask(rows, calendar, options, by=None):
    """Return the library's table for the reference's options."""
    instants = {name: instant(options[name]) for name in ("start", "end", "observed_until")}
    every = calendar_of(calendar)
    return cohort_table(log_of(rows), every=every, by=by, unknown_kinds="ignore", **{**options, **instants})


def assert_same_cohorts(table, expected):
    """Compare every cell of a table with the reference's; cohorts and offsets that it lacks have nobody."""
    labels = table.cohorts.tolist()
    assert {label: size for label, size in zip(labels, table.sizes.tolist(), strict=True) if size} == expected["sizes"]
    cells = {
        (label, first): (row, column)
        for row, label in enumerate(labels)
        for column, (first, _) in enumerate(table.offsets)
    }
    assert {cell for cell, n in expected["eligible"].items() if n} <= set(cells)
    for cell, place in cells.items():
        eligible, count = expected["eligible"][cell], expected["counts"][cell]
        assert (table.eligible[place], table.counts[place]) == (eligible, count)
        assert table.rates[place] == pytest.approx(count / eligible if eligible else math.nan, nan_ok=True, abs=0)


@given(cohort_questions(), shapes)
def test_cohorts_are_what_the_definition_says(question, shape):
    (rows, calendar, _), options = question
    expected = slow.cohorts(rows, calendar, **options)
    with shape_of_sets(shape):
        table = ask(rows, calendar, options)
    assert_same_cohorts(table, expected)
    labels = table.cohorts.tolist()
    assert not labels or labels[0] == min(expected["sizes"])
    columns = expected["columns"] if labels or options["mode"] == "brackets" else []
    assert list(table.offsets) == columns
    assert table.sizes.shape == (len(labels),)
    assert table.eligible.shape == table.counts.shape == (len(labels), len(columns))
    bounds = wilson(table.counts, table.eligible, level=0.95)
    assert np.array_equal([table.lower, table.upper], bounds, equal_nan=True)
    curve = table.mean_curve()
    assert curve.eligible.tolist() == [sum(expected["eligible"][c, first] for c in labels) for first, _ in columns]
    assert curve.returned.tolist() == [sum(expected["counts"][c, first] for c in labels) for first, _ in columns]
    rates = curve.returned / np.where(curve.eligible, curve.eligible, math.nan)
    assert np.array_equal(curve.rates, rates, equal_nan=True)


@settings(max_examples=settings().max_examples // 4)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(("on", "brackets")), st.sampled_from(("first_ever", "first_in_range"))
)
def test_homogeneity_is_the_chi_square_of_the_eligible_cohorts(seed, mode, anchor):
    """Against `scipy.stats.chi2_contingency` on the eligible cohorts, both outcomes having occurred."""
    rng = np.random.default_rng(seed)
    rows = [
        slow.Row(int(member), "post", int(at))
        for member, at in zip(rng.integers(0, 80, 200), rng.integers(0, 8 * 7 * slow.DAY_US, 200), strict=True)
    ]
    calendar = slow.SlowCalendar("week", "Asia/Shanghai")
    options = {"mode": mode, "anchor": anchor, "start": 2 * 7 * slow.DAY_US if anchor == "first_in_range" else None}
    if mode == "brackets":
        options["brackets"] = ((1, 1), (2, 3))
    expected = slow.cohorts(rows, calendar, **options)
    table = ask(rows, calendar, {"end": None, "observed_until": None, **options})
    for position, (first, _) in enumerate(expected["columns"]):
        cells = [(expected["counts"][c, first], expected["eligible"][c, first]) for c in expected["sizes"]]
        outcomes = np.array([[hits, of - hits] for hits, of in cells if of])
        if len(outcomes) > 1 and (outcomes.sum(axis=0) > 0).all():
            peer = chi2_contingency(outcomes, correction=False)
            ours = table.homogeneity(position)
            assert ours.df == peer.dof
            assert ours.statistic == pytest.approx(peer.statistic, rel=1e-9)
            assert ours.p_value == pytest.approx(peer.pvalue, rel=1e-9)
        else:
            assert table.homogeneity(position).df == 0


@given(cohort_questions(), st.sampled_from(("mapping", "group", "channel")), shapes)
def test_the_cohorts_of_a_segment_are_those_of_its_rows(question, by, shape):
    (rows, calendar, _), options = question
    tiers = {"a": "x", "b": "y", "c": "x"}
    until = slow.end_of_observation(rows, options["observed_until"])
    segment = {row: tiers.get(row.member) if by == "mapping" else getattr(row, by) for row in rows}
    with shape_of_sets(shape):
        broken = ask(rows, calendar, options, by=tiers if by == "mapping" else by)
        alone = ask(rows, calendar, options)
    tables = [*broken.items(), (None, broken.unassigned)]
    assert set(broken) == ({"x", "y"} if by == "mapping" else set(segment.values()) - {None})
    assert (broken.unassigned is not None) == (None in segment.values())
    for label, table in tables:
        if table is not None:
            own = [row for row in rows if segment[row] == label]
            expected = slow.cohorts(own, calendar, **{**options, "observed_until": until})
            assert_same_cohorts(table, expected)
            assert (table.first_period, table.raw.shape) == (broken.total.first_period, broken.total.raw.shape)
    assert broken.total.merge(alone._emptied()) == alone.merge(broken.total._emptied())
    assert by != "mapping" or broken.total == alone
