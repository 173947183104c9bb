"""What holds of every log: the identities of the ledger, exact merging, and one meaning for both shapes of sets."""

from __future__ import annotations

import json
import pickle
from functools import reduce

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.reference import slow_retention as slow
from tests.reference.slow_retention import communities
from tests.reference.test_retention_reference import (
    ask,
    calendar_of,
    cohort_questions,
    instant,
    ledger_options,
    log_of,
    shape_of_sets,
    shapes,
)

from shequn.columns import EventLog
from shequn.retention import Presence, cohort_table, flow_ledger, presence

MEMBERS = "abcde"


@st.composite
def part_of_each_member(draw):
    """Split members into up to four parts, some of them empty."""
    return dict(zip(MEMBERS, draw(st.tuples(*[st.integers(0, 3)] * len(MEMBERS))), strict=True))


def merged(tallies, order):
    """Merge in a random order, and now and then two sums instead of a sum and a part."""
    pool = list(tallies)
    for pick in order:
        if len(pool) == 1:
            break
        one = pool.pop(pick % len(pool))
        other = pool.pop(pick // 7 % len(pool))
        pool.append(one.merge(other))
    return reduce(lambda a, b: a.merge(b), pool)


orders = st.lists(st.integers(0, 48), min_size=5, max_size=5)


# --- the ledger ------------------------------------------------------------------------------------------------------


def ledger_of(log, calendar, options):
    return flow_ledger(log, every=calendar_of(calendar), **options, unknown_kinds="ignore")


@st.composite
def ledger_questions(draw):
    """Draw a community and options of its ledger, segments too."""
    community = draw(communities(max_rows=30))
    start, until, _ = community.instants
    options = draw(ledger_options())
    options["start"] = instant(start) if draw(st.booleans()) else None
    options["observed_until"] = instant(until) if draw(st.booleans()) else None
    by = ["mapping", "group", None, None] + (["channel"] if options["basis"] == "activity" else [])
    options["by"] = draw(st.sampled_from(by))
    if options["by"] == "mapping":
        options["by"] = draw(st.dictionaries(st.sampled_from(MEMBERS), st.sampled_from("xyz"), min_size=1))
    return community, options


def segments_present(broken):
    """Return a breakdown's segments that have anybody: a part of the log may not know the others."""
    return {label: part for label, part in broken.items() if part._has_axis()}


def assert_equal(one, other):
    """Compare two ledgers, or two breakdowns of ledgers."""
    assert one == other


@given(ledger_questions(), part_of_each_member(), orders, shapes)
def test_the_ledgers_of_parts_split_by_member_merge_to_that_of_the_whole(question, part_of, order, shape):
    (rows, calendar, _), options = question
    with shape_of_sets(shape):
        parts = [
            ledger_of(log_of([row for row in rows if part_of[row.member] == n]), calendar, options) for n in range(4)
        ]
        assert_equal(merged(parts, order), ledger_of(log_of(rows), calendar, options))


@given(ledger_questions(), st.integers(1, 5), orders)
def test_the_ledgers_of_a_partition_merge_to_that_of_the_whole(question, n, order):
    (rows, calendar, _), options = question
    log = log_of(rows)
    parts = [ledger_of(part, calendar, options) for part in log.partition(n)]
    assert_equal(merged(parts, order), ledger_of(log, calendar, options))


@given(ledger_questions())
def test_the_ledger_of_an_empty_log_is_the_identity(question):
    (rows, calendar, _), options = question
    whole = ledger_of(log_of(rows), calendar, options)
    nobody = ledger_of(EventLog.empty() if options["by"] not in ("group", "channel") else log_of([]), calendar, options)
    assert whole.merge(nobody) == whole == nobody.merge(whole)


@given(ledger_questions(), shapes)
def test_every_identity_of_the_ledger_leaves_nothing_over(question, shape):
    (rows, calendar, _), options = question
    with shape_of_sets(shape):
        result = ledger_of(log_of(rows), calendar, options)
    ledgers = [result] if options["by"] is None else [result.total, *result.values(), result.unassigned]
    for ledger in ledgers:
        if ledger is not None:
            assert ledger.residual.shape == (5, ledger.n_periods)
            assert not ledger.residual.any()
            counts = [getattr(ledger, name) for name in slow.LEDGER_COUNTS]
            assert all((column >= 0).all() for column in counts)
            assert (ledger.left + ledger.silent == ledger.evaporated).all()
            assert (ledger.dormant <= ledger.inside).all()
            assert (ledger.opening[1:] == ledger.retained[:-1]).all()
            assert pickle.loads(pickle.dumps(ledger)) == ledger  # noqa: S301


@given(ledger_questions(), st.integers(0, 12))
def test_a_later_start_only_cuts_the_ledger(question, later):
    (rows, calendar, _), options = question
    options |= {"start": None, "by": None}
    whole = ledger_of(log_of(rows), calendar, options)
    assume(whole.n_periods)
    later %= whole.n_periods
    at = int(whole.calendar.end_us([whole.first_period + later])[0]) - 1
    assume(calendar.label(calendar.number(at)) == whole.periods.tolist()[later])  # but for a day that was skipped
    cut = ledger_of(log_of(rows), calendar, options | {"start": instant(at)})
    assert cut.periods.tolist() == whole.periods.tolist()[later:]
    for name in slow.LEDGER_COUNTS:
        assert getattr(cut, name).tolist() == getattr(whole, name).tolist()[later:]


# --- cohorts ---------------------------------------------------------------------------------------------------------


@given(cohort_questions(), part_of_each_member(), orders, shapes)
def test_the_cohorts_of_parts_split_by_member_merge_to_those_of_the_whole(question, part_of, order, shape):
    (rows, calendar, _), options = question
    with shape_of_sets(shape):
        parts = [ask([row for row in rows if part_of[row.member] == n], calendar, options) for n in range(4)]
        whole = ask(rows, calendar, options)
    result = merged(parts, order)
    assert result == whole
    for name in ("sizes", "counts", "eligible", "offsets"):
        assert np.array_equal(getattr(result, name), getattr(whole, name)), name


@given(cohort_questions(), st.sampled_from(("group", "channel", "mapping")), part_of_each_member(), orders)
def test_the_cohorts_of_segments_merge_too(question, by, part_of, order):
    (rows, calendar, _), options = question
    by = {"a": "x", "b": "y", "c": "x"} if by == "mapping" else by
    parts = [ask([row for row in rows if part_of[row.member] == n], calendar, options, by=by) for n in range(4)]
    assert merged(parts, order) == ask(rows, calendar, options, by=by)


@given(cohort_questions())
def test_the_cohorts_of_an_empty_log_are_the_identity(question):
    (rows, calendar, _), options = question
    whole, nobody = ask(rows, calendar, options), ask([], calendar, options)
    assert whole.merge(nobody) == whole == nobody.merge(whole)


@given(cohort_questions())
def test_counts_stay_within_the_eligible_and_those_within_the_cohort(question):
    (rows, calendar, _), options = question
    table = ask(rows, calendar, options)
    assert (table.counts >= 0).all()
    assert (table.counts <= table.eligible).all()
    assert (table.eligible <= table.sizes[:, None]).all()
    assert (np.diff(table.eligible, axis=1) <= 0).all()
    assert pickle.loads(pickle.dumps(table)) == table  # noqa: S301
    if options["clock"] == "calendar":
        assert ((table.eligible == 0) | (table.eligible == table.sizes[:, None])).all()
    if options["mode"] != "brackets" and table.n_offsets:
        assert (table.counts[:, 0] == table.eligible[:, 0]).all()
    if options["mode"] == "on_or_after":
        falls = np.diff(table.counts, axis=1)[table.eligible[:, 1:] == table.eligible[:, :-1]]
        assert (falls <= 0).all()


@given(cohort_questions())
def test_a_bracket_of_one_offset_is_that_offset(question):
    (rows, calendar, _), options = question
    options = {name: value for name, value in options.items() if name not in ("mode", "brackets", "max_offset")}
    on = ask(rows, calendar, options | {"mode": "on"})
    brackets = ask(rows, calendar, options | {"mode": "brackets", "brackets": ((1, 1), (2, 2), (3, 3))})
    there = min(on.n_offsets, 4)
    for name in ("counts", "eligible"):
        wide = np.zeros((on.n_cohorts, 4), dtype=np.int64)
        wide[:, :there] = getattr(on, name)[:, :4]
        assert np.array_equal(getattr(brackets, name), wide[:, 1:])


# --- presence --------------------------------------------------------------------------------------------------------


def presence_at(rows, calendar, until=None, kinds=None):
    return presence(
        log_of(rows), every=calendar_of(calendar), observed_until=instant(until), kinds=kinds, unknown_kinds="ignore"
    )


@given(communities(), st.data(), orders, st.booleans(), shapes)
def test_presence_merges_over_any_split_of_the_rows(community, data, order, is_ended, shape):
    rows, calendar, (until, *_) = community
    until = until if is_ended else None
    part_of = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    with shape_of_sets(shape):
        parts = [
            presence_at([row for row, part in zip(rows, part_of, strict=True) if part == n], calendar, until)
            for n in range(4)
        ]
        assert merged(parts, order) == presence_at(rows, calendar, until)


@given(communities(), st.booleans(), shapes)
def test_presence_merges_over_time(community, is_ended, shape):
    rows, calendar, (first, second, until) = community
    until = until if is_ended else None
    parts = [
        [row for row in rows if row.at < min(first, second)],
        [row for row in rows if min(first, second) <= row.at < max(first, second)],
        [row for row in rows if row.at >= max(first, second)],
    ]
    with shape_of_sets(shape):
        assert merged([presence_at(part, calendar, until) for part in parts], [0]) == presence_at(rows, calendar, until)


@given(communities(), st.booleans())
def test_the_presence_of_an_empty_log_is_the_identity(community, is_ended):
    rows, calendar, (until, *_) = community
    until = until if is_ended else None
    whole, nobody = presence_at(rows, calendar, until), presence_at([], calendar, until)
    assert whole.merge(nobody) == whole == nobody.merge(whole)
    assert whole.merge(whole) == whole


@given(communities(), st.integers(0, 9), st.integers(0, 3), st.booleans(), shapes)
def test_last_night_s_tail_and_the_rows_of_today_give_the_ledger_from_there_on(community, n, grace, is_stored, shape):
    rows, calendar, (cut, *_) = community
    until = slow.end_of_observation(rows, None)
    with shape_of_sets(shape):
        last_night = presence_at([row for row in rows if row.at < cut], calendar).tail(n)
        if is_stored and last_night.n_periods <= 64:
            state = json.loads(json.dumps(last_night.to_state()))
            last_night = Presence.from_state(last_night.to_member_columns(), state, calendar=last_night.calendar)
        today = presence_at([row for row in rows if row.at >= cut], calendar)
        continued = flow_ledger(last_night.merge(today), grace=grace)
        whole = flow_ledger(presence_at(rows, calendar, None), grace=grace)
    assume(until is not None)
    skipped = continued.first_period - whole.first_period
    if not continued.n_periods:
        assert not last_night.n_periods
        return
    assert continued.periods.tolist() == whole.periods.tolist()[skipped:]
    for name in slow.LEDGER_COUNTS:
        assert getattr(continued, name).tolist() == getattr(whole, name).tolist()[skipped:], name


@given(communities(), st.integers(0, 12), shapes)
def test_a_presence_can_be_stored_and_read_back(community, n, shape):
    rows, calendar, _ = community
    with shape_of_sets(shape):
        for p in (presence_at(rows, calendar), presence_at(rows, calendar).tail(n)):
            if p.n_periods <= 64:
                columns = {name: column.tolist() for name, column in p.to_member_columns().items()}
                again = Presence.from_state(columns, json.loads(json.dumps(p.to_state())), calendar=p.calendar)
                assert again == p
            assert pickle.loads(pickle.dumps(p)) == p  # noqa: S301


@given(communities(kinds=("post", "reply")), st.booleans(), shapes)
def test_pairs_aggregated_elsewhere_are_the_presence_of_the_log(community, has_first, shape):
    rows, calendar, (until, cut, _) = community
    rows = [row for row in rows if row.at < until]
    periods = slow.active_periods(rows, calendar, observed_until=until)
    cut = calendar.number(cut)
    pairs = [(member, p, min(own)) for member, own in periods.items() for p in own if p >= cut or not has_first]
    with shape_of_sets(shape):
        p = presence_at(rows, calendar, until)
        given_pairs = Presence.from_columns(
            member=[member for member, _, _ in pairs],
            period=[calendar.label(q) for _, q, _ in pairs],
            first=[calendar.label(q) for _, _, q in pairs] if has_first else None,
            every=p.calendar,
            observed_until=instant(until),
        )
    if not has_first:
        assert given_pairs == p
    else:
        assert {m: int(q) for m, q in zip(given_pairs.members, given_pairs.first, strict=True)} == {
            m: p.calendar.index_of_date(calendar.label(q)) if calendar.unit != "hour" else q for m, _, q in pairs
        }


@given(communities(kinds=("post", "receive")), st.integers(0, 3), st.booleans(), shapes)
def test_a_presence_gives_the_ledger_and_the_cohorts_of_its_log(community, grace, is_ended, shape):
    rows, calendar, (until, *_) = community
    log, every = log_of(rows), calendar_of(calendar)
    options = {"observed_until": instant(until if is_ended else None)}
    with shape_of_sets(shape):
        p = presence(log, every=every, **options)
        assert flow_ledger(p, grace=grace) == flow_ledger(log, every=every, grace=grace, **options)
        for mode in ("on", "on_or_after"):
            for anchor in ("first_ever", "recurring"):
                asked = {"mode": mode, "anchor": anchor}
                assert cohort_table(p, **asked) == cohort_table(log, every=every, **options, **asked)


@given(communities(), st.booleans(), st.integers(0, 9), shapes)
def test_who_stands_behind_each_row_of_the_ledger(community, is_ended, n, shape):
    rows, calendar, (until, *_) = community
    with shape_of_sets(shape):
        p = presence_at(rows, calendar, until if is_ended else None).tail(n)
        ledger = flow_ledger(p)
        labels = p.periods.tolist()
        outside = [calendar.label(p.first_period - 1), calendar.label(p.first_period + p.n_periods)] if labels else []
        for name in ("joined", "revived", "evaporated"):
            assert [int(getattr(p, name)(label).sum()) for label in labels] == getattr(ledger, name).tolist(), name
            assert not any(getattr(p, name)(label).any() for label in outside), name
        assert [int(p.mask(label).sum()) for label in labels] == p.active.tolist()


@given(communities(), st.booleans(), shapes)
def test_a_presence_observed_for_longer_is_that_of_its_log_with_the_later_end(community, was_ended, shape):
    rows, calendar, (first, second, _) = community
    earlier, later = min(first, second), max(first, second)
    rows = [row for row in rows if row.at < earlier]
    with shape_of_sets(shape):
        tonight = presence_at(rows, calendar, earlier if was_ended else None)
        assert tonight.observed(instant(later)) == presence_at(rows, calendar, later)


@given(communities(), st.sets(st.sampled_from(MEMBERS)), st.integers(0, 5), shapes)
def test_the_presence_of_some_members_is_that_of_their_rows_on_the_axis_of_all(community, chosen, n, shape):
    rows, calendar, _ = community
    with shape_of_sets(shape):
        p = presence_at(rows, calendar).tail(n)
        mask = np.array([member in chosen for member in p.members], dtype=bool)
        some, others = p.take(mask), p.take(np.flatnonzero(~mask))
        assert some.n_periods == others.n_periods == p.n_periods
        assert set(some.members) == chosen & set(p.members)
        assert (some.active + others.active == p.active).all()
        assert some.merge(others) == p


@given(communities(), st.integers(0, 6), st.integers(0, 3))
def test_both_shapes_of_sets_say_the_same(community, n, grace):
    rows, calendar, _ = community

    def answers():
        p = presence_at(rows, calendar).tail(n)
        changes = p.sets.changes(grace, np.where(p.before == -(2**31), p.before, p.before - p.first_period))
        cohort = p.first.astype(np.int64) % 3 - 1
        reach = range(p.n_periods)
        return [
            p.sets.counts().tolist(),
            [part.tolist() for part in p.sets.cells()],
            [p.sets.mask(q).tolist() for q in reach],
            [p.sets.codes(q).tolist() for q in reach],
            [p.sets.shared_with(q).tolist() for q in reach],
            p.sets.first(-1).tolist(),
            p.sets.last(-1).tolist(),
            p.sets.count_by_cohort(cohort, 3).tolist(),
            [p.sets.distinct(q, p.n_periods) for q in reach],
            [p.sets.periods_of_members(q, p.n_periods).tolist() for q in reach],
            [p.sets.padded(2, 1).codes(q).tolist() for q in range(p.n_periods + 3)],
            [[part.codes(q).tolist() for q in reach] for part in changes],
            pickle.loads(pickle.dumps(p.sets)).counts().tolist(),  # noqa: S301
        ]

    bits = answers()
    for shape in ("cells", "many cohorts"):
        with shape_of_sets(shape):
            assert answers() == bits
    with shape_of_sets("cells"):
        cells = presence_at(rows, calendar)
    assert cells == presence_at(rows, calendar)
    assert type(cells.sets) is not type(presence_at(rows, calendar).sets) or not cells.n_periods
