"""What holds of every community: stages by definition, no flicker, no rewriting of the past; counts that add up."""

from __future__ import annotations

import pickle

import attrs
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import slow_lifecycle as slow
from tests.reference.slow_retention import communities
from tests.reference.test_retention_reference import calendar_of, instant, log_of

from shequn.lifecycle import CommunitySeries, LifecycleStage, StagePolicy, community_series, stages
from shequn.lifecycle._stages import measured
from shequn.retention import flow_ledger, presence
from shequn.values import Band

STAGES = list(LifecycleStage)
MEMBERS = "abcde"

counts = st.integers(0, 60)
periods = st.lists(st.tuples(counts, counts, st.integers(0, 120)), max_size=30)


@st.composite
def bands(draw, values):
    leave, enter = sorted((draw(values), draw(values)))
    return Band(enter, leave)


@st.composite
def policies(draw):
    activity = draw(bands(st.sampled_from([0.5, 1.0, 2.0])))
    awake = Band(min(0.4, activity.enter), min(0.1, activity.leave))
    return StagePolicy(
        size=draw(bands(st.integers(0, 40))),
        growth=draw(bands(st.sampled_from([-0.2, 0.0, 0.05, 0.3]))),
        activity=activity,
        active_share=draw(bands(st.sampled_from([0.0, 0.1, 0.3, 0.6]))),
        awake=awake,
        **{f"{name}_hold": draw(st.integers(1, 3)) for name in ("growth", "active", "decline", "dormancy", "revival")},
    )


def series_of(rows, **more):
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    members, active, messages = (np.array(column, dtype=np.int64) for column in columns)
    return CommunitySeries(members=members, active=active, messages=messages, **more)


def plain(series):
    return slow.measures(series.members.tolist(), series.active.tolist(), series.messages.tolist())


@given(periods, policies(), st.sampled_from(STAGES))
def test_stages_are_those_of_the_definition(rows, policy, start):
    series = series_of(rows)
    np.testing.assert_allclose(measured(series), plain(series) or np.zeros((0,)), rtol=1e-12)
    # Judged on the very same numbers, as a growth on a threshold turns on its last bit.
    found = stages(series, policy=policy, start=start)
    assert found.codes.tolist() == slow.stage_codes(measured(series), policy, start.rank)


@given(periods, policies(), st.sampled_from(STAGES))
def test_stages_go_forward_or_revive(rows, policy, start):
    found = stages(series_of(rows), policy=policy, start=start)
    before = start
    for stage in found.stage:
        assert stage.rank >= before.rank or (before.rank >= 3 and stage is LifecycleStage.ACTIVE_INTERACTION)
        before = stage
    assert [change.is_revival for change in found.changes] == [c.after.rank < c.before.rank for c in found.changes]


@given(periods, periods, policies())
def test_what_comes_later_never_changes_a_stage(rows, more, policy):
    now, later = stages(series_of(rows), policy=policy), stages(series_of(rows + more), policy=policy)
    assert later.codes[: len(rows)].tolist() == now.codes.tolist()
    assert later.changes[: len(now.changes)] == now.changes


@given(periods, policies(), st.integers(0, 5))
def test_periods_not_observed_in_full_make_no_difference(rows, policy, partial):
    partial = min(partial, len(rows))
    found = stages(series_of(rows, partial=partial), policy=policy)
    n = len(rows) - partial
    assert found.codes[:n].tolist() == stages(series_of(rows[:n]), policy=policy).codes.tolist()
    assert found.stage[n:] == (None,) * partial
    assert sum(found.durations.values()) == n == sum(spell.n_periods for spell in found.spells)


@given(periods.filter(len), st.lists(st.floats(0.5, 0.99), max_size=30))
def test_who_stays_between_the_thresholds_does_not_flicker(rows, wobble):
    """Activity stays in its band from some period on, and all else as it is: two steps forward at most, or one back."""
    policy = StagePolicy()
    tail = [(100, 50, round(100 * share)) for share in wobble]
    found = stages(series_of([*rows, (100, 50, 60), *tail]), policy=policy)
    changes = [change for change in found.changes if change.row > len(rows)]
    assert len(changes) <= 2
    assert not (len(changes) > 1 and any(change.is_revival for change in changes[1:]))


@given(periods, policies())
def test_the_evidence_holds(rows, policy):
    series = series_of(rows)
    found = stages(series, policy=policy)
    for change in found.changes:
        now = measured(series)[change.row]._asdict()
        for fact in change.evidence:
            band = getattr(policy, fact.measure)
            assert fact.value == now["activity" if fact.measure == "awake" else fact.measure]
            assert fact.threshold in (band.enter, band.leave)
            assert fact.holds == (fact.value >= fact.threshold)
        assert change.held >= 1
        for lang in ("en", "zh"):
            assert str(change.held) in change.explain(lang=lang)


@given(periods, policies(), st.sampled_from(STAGES), st.integers(1, 5))
def test_the_next_stage_is_that_of_the_definition(rows, policy, start, trend):
    series = series_of(rows)
    found = stages(series, policy=policy, start=start).next_stage(trend=trend, within=25)
    expected = slow.ahead(measured(series), policy, start.rank, trend, 25)
    assert (None if found.stage is None else (found.stage.rank, found.periods)) == expected
    assert found.explain()
    assert found.explain(lang="zh")


@given(periods, policies())
def test_stages_come_back_from_a_pickle(rows, policy):
    found = stages(series_of(rows), policy=policy)
    again = pickle.loads(pickle.dumps(found))  # noqa: S301
    assert again.codes.tolist() == found.codes.tolist()
    assert not again.codes.flags.writeable
    assert str(again) == str(found)
    assert attrs.evolve(found).durations == found.durations


# --- from a log ---


def options_of(community, *, with_end):
    _, until, _ = community.instants
    return {"observed_until": instant(until)} if with_end else {}


@given(communities(max_rows=30), st.booleans())
def test_members_of_a_log_are_those_inside_in_the_ledger(community, with_end):
    log = log_of(community.rows)
    calendar = calendar_of(community.calendar)
    options = options_of(community, with_end=with_end)
    series = community_series(log, every=calendar, unknown_kinds="ignore", **options)
    ledger = flow_ledger(log, every=calendar, unknown_kinds="ignore", **options)
    active = presence(log, every=calendar, unknown_kinds="ignore", **options)
    assert series.members.tolist() == ledger.inside.tolist()
    assert series.periods.tolist() == ledger.periods.tolist()
    assert series.complete.tolist() == ledger.complete.tolist()
    by_period = dict(zip(active.periods.tolist(), active.active.tolist(), strict=True))
    assert series.active.tolist() == [by_period.get(period, 0) for period in series.periods.tolist()]


@given(communities(max_rows=30), st.booleans(), st.lists(st.integers(0, 2), min_size=5, max_size=5))
def test_parts_of_a_log_add_up(community, with_end, part_of):
    log = log_of(community.rows)
    options = {
        "every": calendar_of(community.calendar),
        "unknown_kinds": "ignore",
        **options_of(community, with_end=with_end),
    }
    part = dict(zip(MEMBERS, part_of, strict=True))
    parts = [community_series(log.where(members=[m for m in MEMBERS if part[m] == i]), **options) for i in range(3)]
    whole = community_series(log, **options)
    assert parts[0].merge(parts[1]).merge(parts[2]) == whole
    assert parts[2].merge(parts[0].merge(parts[1])) == whole


@given(communities(max_rows=30), st.sets(st.sampled_from(MEMBERS)))
def test_who_is_excluded_leaves_no_trace_but_the_end_of_observation(community, excluded):
    log = log_of(community.rows)
    kept = [member for member in log.members if member not in excluded]
    _, until, _ = community.instants
    options = {"every": calendar_of(community.calendar), "unknown_kinds": "ignore", "observed_until": instant(until)}
    assert community_series(log, exclude=excluded, **options) == community_series(log.where(members=kept), **options)
