from __future__ import annotations

from functools import reduce

import numpy as np
import pendulum
from hypothesis import assume, given
from hypothesis import strategies as st
from pendulum import duration

from shequn.columns import EventLog
from shequn.retention import kaplan_meier, survival
from shequn.stats import SurvivalTable, log_rank

EPOCH = pendulum.datetime(1970, 1, 1)

rows_of_logs = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 12), st.sampled_from(["post", "receive"]), st.sampled_from("ab")),
    max_size=25,
)
silences = st.integers(1, 6).map(lambda hours: duration(hours=hours))
ends = st.none() | st.integers(1, 14).map(lambda hours: EPOCH.add(hours=hours))

times = st.integers(0, 12)
follow_ups = st.lists(st.tuples(times, st.booleans(), st.none() | times), max_size=20).map(
    lambda rows: [(t, seen, late if late is not None and late < t else -1) for t, seen, late in rows]
)
weights = st.sampled_from(["log-rank", "wilcoxon", "tarone-ware", "peto"])


def log_of(rows):
    if not rows:
        return EventLog.empty()
    member, hour, kind, group = zip(*rows, strict=True)
    return EventLog.from_columns(
        member=list(member), kind=list(kind), at=[h * 3_600 for h in hour], time_unit="s", group=list(group)
    )


def table_of(rows, kind=int):
    if not rows:
        return SurvivalTable.from_durations([])
    durations, observed, entry = zip(*rows, strict=True)
    return SurvivalTable.from_durations(np.array(durations, dtype=kind), observed, np.array(entry, dtype=kind))


def same_breakdown(one, other):
    """Equal but for segments in which one of the two has nobody."""
    assert one.total == other.total
    for label in {*one, *other}:
        mine, theirs = (part.get(label) for part in (one, other))
        for here, there in ((mine, theirs), (theirs, mine)):
            assert here == there or (there is None and here.n_members == 0)


@given(rows_of_logs, silences, ends, st.integers(1, 4))
def test_the_curves_of_parts_by_member_merge_into_the_curve_of_the_whole(rows, silence, until, n_parts):
    parts = [log_of([row for row in rows if row[0] % n_parts == part]) for part in range(n_parts)]
    options = {"idle_after": silence, "observed_until": until, "unit": "hour"}
    whole = survival(log_of(rows), **options)
    curves = [survival(part, **options) for part in parts]
    assert reduce(lambda one, other: one.merge(other), curves) == whole
    assert reduce(lambda one, other: one.merge(other), curves[::-1]) == whole


@given(rows_of_logs.filter(len), silences, ends, st.sampled_from(["group", {0: "x", 1: "y", 2: "x", 5: "z"}]))
def test_the_segments_of_parts_merge_into_the_segments_of_the_whole(rows, silence, until, by):
    options = {"idle_after": silence, "observed_until": until, "by": by}
    parts = [log_of([row for row in rows if row[0] % 2 == part]) for part in range(2)]
    assume(all(map(len, parts)))  # an empty log has no column to go by
    one, other = (survival(part, **options) for part in parts)
    same_breakdown(one.merge(other), survival(log_of(rows), **options))


@given(rows_of_logs, silences, ends, st.randoms())
def test_the_order_of_rows_does_not_matter(rows, silence, until, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    options = {"idle_after": silence, "observed_until": until}
    assert survival(log_of(rows), **options) == survival(log_of(shuffled), **options)


@given(rows_of_logs, silences, ends)
def test_everybody_active_is_followed_or_too_young(rows, silence, until):
    curve = survival(log_of(rows), idle_after=silence, observed_until=until)
    end = 13 if until is None else (until - EPOCH).in_hours()
    active = {member for member, hour, kind, _ in rows if kind == "post" and hour < end}
    assert curve.n_members == len(active)
    assert curve.n_events + curve.n_censored == curve.n_followed


@given(follow_ups.filter(len), st.integers(1, 5))
def test_whole_durations_give_what_floats_give(rows, every):
    whole, floats = table_of(rows), table_of(rows, float)
    for name in ("times", "at_risk", "events", "censored", "entered", "survival", "variance", "lower", "upper"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(floats, name))
    durations, observed, _ = zip(*rows, strict=True)
    curves = [kaplan_meier(np.array(durations, dtype=kind), observed) for kind in (int, float)]
    assert curves[0].table(every=every) == curves[1].table(every=every)


@given(st.lists(follow_ups, min_size=2, max_size=4), weights, st.randoms())
def test_a_test_does_not_depend_on_the_order_of_groups_or_on_the_unit_of_time(groups, which, random):
    tables = [table_of(rows) for rows in groups]
    found = log_rank(tables, weights=which)
    order = list(range(len(groups)))
    random.shuffle(order)
    again = log_rank([tables[row] for row in order], weights=which)
    assert again.df == found.df
    np.testing.assert_allclose(again.statistic, found.statistic, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(again.score, found.score[order], rtol=1e-8, atol=1e-10)
    longer = [table_of([(7 * t, seen, 7 * late if late >= 0 else -1) for t, seen, late in rows]) for rows in groups]
    assert log_rank(longer, weights=which) == found


@given(st.lists(follow_ups, min_size=2, max_size=4), weights)
def test_scores_add_up_to_zero_and_the_variance_is_one(groups, which):
    found = log_rank([table_of(rows) for rows in groups], weights=which)
    scale = 1 + np.abs(found.variance).max()
    assert abs(found.score.sum()) < 1e-10 * scale
    assert np.abs(found.variance.sum(axis=1)).max() < 1e-10 * scale
    assert (found.variance == found.variance.T).all() or np.allclose(found.variance, found.variance.T, rtol=1e-12)
    assert np.linalg.eigvalsh(found.variance).min() > -1e-9 * scale
    assert found.statistic >= 0
    assert found.df <= len(groups) - 1
    assert abs(found.observed.sum() - found.expected.sum()) < 1e-9


@given(follow_ups.filter(len), st.lists(st.floats(0, 15), min_size=1, max_size=4))
def test_the_variance_of_the_restricted_mean_is_that_of_its_definition(rows, horizons):
    table = table_of(rows)
    for horizon, mean, variance in zip(
        horizons, table.restricted_mean(horizons), table.restricted_mean_variance(horizons), strict=True
    ):
        if np.isnan(mean):
            assert np.isnan(variance)
            continue
        expected = 0.0
        for t, n, d in zip(table.times.tolist(), table.at_risk.tolist(), table.events.tolist(), strict=True):
            if t <= horizon and n > d > 0:
                area = float(mean) - float(table.restricted_mean(t))
                expected += area**2 * d / (n * (n - d))
        np.testing.assert_allclose(variance, expected, rtol=1e-9, atol=1e-12)
