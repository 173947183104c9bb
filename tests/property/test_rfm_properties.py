"""What holds of RFM on any log: the written definition, no matter how rows are ordered, split or counted."""

from __future__ import annotations

import itertools
import json
from functools import reduce

import numpy as np
import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import slow_rfm

from shequn.columns import EventLog, held_rows
from shequn.segmentation import (
    GRID5,
    RfmCounts,
    RfmCuts,
    RfmGrid,
    RfmSketch,
    ValueCounts,
    ValueSketch,
    dealt,
    latest_instants,
    member_sums,
    packed,
    packed_sums,
    rfm,
    rfm_values,
    straight,
    summed_apart,
    value_counts,
)
from shequn.segmentation.scoring import at_least, scores_by_cuts
from shequn.segmentation.value_counts import cuts_of_values

AS_OF_US = 5_000_000
AS_OF = pendulum.from_timestamp(AS_OF_US / 1_000_000)
TIES = ["value-left", "value-right", "midrank"]
ties = st.sampled_from(TIES)
bins = st.integers(1, 7)
money = {
    "int": st.integers(-3, 9),
    "coins": st.integers(0, 9),
    "large": st.sampled_from([2**62, -(2**62), 2**61 + 1, 1, 0]),
    "float": st.sampled_from([0.1, 0.2, 0.3, 1e16, -1e16, 22.35, 1.5, -0.0]),
    "whole": st.sampled_from([1.0, 2.0, 5.0]),
}


@st.composite
def rows(draw, kind_of_money=None):
    kind = draw(st.sampled_from(["int", "float", "whole"])) if kind_of_money is None else kind_of_money
    row = st.tuples(
        st.integers(0, 8),
        st.sampled_from(["purchase", "purchase", "post"]),
        st.integers(0, 7_000_000) | st.integers(4_999_998, 5_000_001) | st.integers(1, 4).map(lambda s: s * 1_000_000),
        money[kind],
    )
    return draw(st.lists(row, min_size=1, max_size=40))


def log_of(given_rows) -> EventLog:
    member, kind, at, value = (list(column) for column in zip(*given_rows, strict=True))
    return EventLog.from_columns(member=member, kind=kind, at=at, time_unit="us", value=value)


def scored(log, **options):
    return rfm(log, as_of=AS_OF, few_values="ignore", unknown_kinds="ignore", **options)


def measured(log, **options):
    return rfm_values(log, as_of=AS_OF, unknown_kinds="ignore", **options)


def by_member(result):
    return dict(zip(result.members, map(tuple, result.scores.tolist()), strict=True))


@given(rows(), st.none() | st.integers(1, 5_000_000))
def test_the_numbers_are_those_of_the_definition(given_rows, within_us):
    log = log_of(given_rows)
    within = None if within_us is None else pendulum.duration(microseconds=within_us)
    found = measured(log, within=within)
    expected = slow_rfm.values(given_rows, log.members, kinds={"purchase"}, as_of=AS_OF_US, within=within_us)
    for place, member in enumerate(log.members):
        ago, times, much = expected[member]
        assert found.frequency[place] == times
        assert found.has_row[place] == (ago is not None)
        if ago is None:
            assert np.isnan(found.recency_days[place])
        else:
            assert found.recency_us[place] == ago
        assert found.monetary[place] == pytest.approx(float(much), rel=1e-12, abs=8)
        if found.monetary.dtype == np.int64:
            assert int(found.monetary[place]) == much


@given(rows("int"))
def test_days_are_counted_on_the_local_clock(given_rows):
    hours = [(who, kind, at * 20_000, value) for who, kind, at, value in given_rows]
    log = log_of(hours)
    as_of = pendulum.from_timestamp(AS_OF_US * 20_000 // 1_000_000)
    found = rfm_values(log, as_of=as_of, frequency="days", tz="Asia/Shanghai", unknown_kinds="ignore")
    expected = slow_rfm.values(hours, log.members, kinds={"purchase"}, as_of=AS_OF_US * 20_000, days_offset_hours=8)
    assert found.frequency.tolist() == [expected[member][1] for member in log.members]


@given(rows("int"), bins, ties, st.booleans())
def test_the_scores_are_those_of_the_definition(given_rows, n_bins, how, nested):
    log = log_of(given_rows)
    expected = slow_rfm.values(given_rows, log.members, kinds={"purchase"}, as_of=AS_OF_US)
    found = scored(log, bins=n_bins, ties=how, nested=nested)
    assert by_member(found) == slow_rfm.scores(expected, n_bins, how, nested=nested)


@given(rows(), bins, ties, st.booleans(), st.randoms(use_true_random=False))
def test_no_order_of_rows_changes_a_number_or_a_score(given_rows, n_bins, how, nested, random):
    log = log_of(given_rows)
    shuffled = list(given_rows)
    random.shuffle(shuffled)
    one, other = (scored(of, bins=n_bins, ties=how, nested=nested) for of in (log, log_of(shuffled)))
    assert one.cuts == other.cuts
    assert by_member(one) == by_member(other)
    assert dict(zip(one.members, one.monetary.tolist(), strict=True)) == dict(
        zip(other.members, other.monetary.tolist(), strict=True)
    )
    assert by_member(scored(log.sorted(), bins=n_bins, ties=how, nested=nested)) == by_member(one)


@given(rows(), bins, ties, st.booleans())
def test_each_member_asked_alone_gets_the_same_scores(given_rows, n_bins, how, nested):
    found = scored(log_of(given_rows), bins=n_bins, ties=how, nested=nested)
    for row in found.rows():
        alone = found.score_one(recency_days=row.recency_days, frequency=row.frequency, monetary=row.monetary)
        assert alone == (row.recency_score, row.frequency_score, row.monetary_score)


@given(rows(), bins, ties, st.booleans(), rows())
def test_cuts_come_back_from_json_and_score_other_data_as_one_by_one(given_rows, n_bins, how, nested, more):
    found = scored(log_of(given_rows), bins=n_bins, ties=how, nested=nested)
    cuts = RfmCuts.from_dict(json.loads(json.dumps(found.cuts.to_dict())))
    assert cuts == found.cuts
    assert by_member(scored(log_of(given_rows), cuts=cuts)) == by_member(found)
    other = scored(log_of(more), cuts=cuts)
    for row in other.rows():
        alone = cuts.score_one(recency_days=row.recency_days, frequency=row.frequency, monetary=row.monetary)
        assert alone == (row.recency_score, row.frequency_score, row.monetary_score)


@given(rows(), bins, ties)
def test_a_better_value_never_scores_less(given_rows, n_bins, how):
    found = scored(log_of(given_rows), bins=n_bins, ties=how)
    there = found.has_row
    for values, scores in zip((-found.values.recency_us, found.frequency, found.monetary), found.scores.T, strict=True):
        order = np.argsort(values[there])
        assert (np.diff(scores[there][order].astype(int)) >= 0).all()
        assert len(set(zip(values[there].tolist(), scores[there].tolist(), strict=True))) == len(
            set(values[there].tolist())
        )


@given(rows(), st.integers(1, 4), bins, ties)
def test_parts_split_by_member_agree_on_the_cuts_of_the_whole(given_rows, n_parts, n_bins, how):
    log = log_of(given_rows)
    whole = scored(log, bins=n_bins, ties=how)
    parts = [measured(part) for part in log.partition(n_parts)]
    tally = reduce(RfmCounts.merge, [part.counts() for part in parts])
    assert tally == whole.values.counts()
    cuts = tally.cuts(bins=n_bins, ties=how)
    assert cuts == whole.cuts
    together: dict = {}
    for part in parts:
        together |= by_member(part.score(cuts=cuts))
    assert together == by_member(whole)


@given(rows(), st.integers(1, 4), bins, ties)
def test_parts_that_sketch_first_agree_on_the_cuts_of_the_whole(given_rows, n_parts, n_bins, how):
    log = log_of(given_rows)
    parts = [measured(part) for part in log.partition(n_parts)]
    brackets = reduce(RfmSketch.merge, [part.sketch() for part in parts]).brackets(bins=n_bins, ties=how)
    inside = reduce(RfmCounts.merge, [part.counts(brackets) for part in parts])
    assert brackets.cuts(inside) == scored(log, bins=n_bins, ties=how).cuts


@given(rows())
def test_the_empty_log_is_the_identity_of_both_tallies(given_rows):
    some, none = measured(log_of(given_rows)), measured(EventLog.empty())
    for tally in (lambda of: of.counts(), lambda of: of.sketch()):
        assert tally(none).merge(tally(some)) == tally(some) == tally(some).merge(tally(none))


# ── tables of values ─────────────────────────────────────────────────────────────────────────────────────────────────

integers = st.lists(st.integers(-5, 5) | st.integers(-(10**6), 10**6) | st.integers(-(2**53), 2**53), max_size=40)
floats = st.lists(
    st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 0.5, 1e-300, 1.0, 1.0001]),
    max_size=40,
)
columns = integers | floats
clustered = st.lists(st.integers(0, 3) | st.integers(10**9, 10**9 + 9), min_size=1, max_size=60)


def slow_cuts(values, n_bins, how):
    """The least value with each score, from the definition."""
    score_of = {value: slow_rfm.score(value, values, n_bins, how) for value in values}
    return tuple(
        min((value for value, score in score_of.items() if score >= wanted), default=None)
        for wanted in range(2, n_bins + 1)
    )


@given(columns, columns, columns)
def test_tables_and_sketches_merge_in_any_order_and_grouping(a, b, c):
    for kind in (ValueCounts, ValueSketch):
        one, two, three = map(kind.of, (a, b, c))
        assert one.merge(two) == two.merge(one)
        assert one.merge(two).merge(three) == one.merge(two.merge(three))
        assert one.merge(two).n == len(a) + len(b)
    mixed = [*a, *b]
    if all(isinstance(value, int) for value in mixed):
        assert ValueCounts.of(a).merge(ValueCounts.of(b)) == ValueCounts.of(mixed)
        assert ValueSketch.of(a).merge(ValueSketch.of(b)) == ValueSketch.of(mixed)


@given(columns, st.integers(1, 12), ties)
def test_the_cuts_of_a_table_are_those_of_the_definition(values, n_bins, how):
    assert ValueCounts.of(values).cuts(bins=n_bins, ties=how) == slow_cuts(values, n_bins, how)


@given(columns | clustered, st.integers(1, 12), ties, st.integers(1, 3))
def test_a_sketch_brackets_each_cut_and_the_second_pass_finds_it(values, n_bins, how, n_parts):
    parts = [values[place::n_parts] for place in range(n_parts)]
    brackets = reduce(ValueSketch.merge, map(ValueSketch.of, parts)).brackets(bins=n_bins, ties=how)
    exact = slow_cuts(values, n_bins, how)
    reached = [cut for cut in exact if cut is not None]
    for cut, (low, high) in itertools.zip_longest(reached, brackets.bounds()[: len(reached)]):
        assert low <= cut
        assert high is None or cut <= high
    assert brackets.cuts(reduce(ValueCounts.merge, map(brackets.inside, parts))) == exact


@given(columns | clustered, st.integers(1, 12), ties)
def test_many_values_are_cut_as_few_are(values, n_bins, how):
    column = np.array(values, dtype=np.int64 if all(isinstance(v, int) for v in values) else np.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(value_counts, "_FEW_VALUES", 0)
        for dense in (0, 1 << 22):
            patch.setattr(value_counts, "_DENSE", dense)
            if len(column):
                assert cuts_of_values(column, n_bins, how) == slow_cuts(values, n_bins, how)


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=9)
    | st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=9),
    st.lists(st.integers(-(2**64), 2**64) | st.floats(allow_nan=False, allow_infinity=False), max_size=20),
)
def test_a_value_reaches_a_cut_of_either_type_exactly(values, cuts):
    dtype = np.dtype(np.int64 if all(isinstance(v, int) for v in values) else np.float64)
    column = np.array(values, dtype=dtype)
    ascending = [cut for cut in sorted(cuts) if at_least(dtype, cut) is not None and at_least(dtype, cut) != np.inf]
    expected = [1 + sum(value >= cut for cut in ascending) for value in values]
    assert scores_by_cuts(column, ascending).tolist() == expected


# ── how rows are folded ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind_of_money", [*money])
@given(data=st.data())
def test_rows_dealt_out_in_many_parts_and_blocks_give_the_same_numbers(kind_of_money, data):
    given_rows = data.draw(rows(kind_of_money))
    if kind_of_money == "large":
        given_rows = given_rows[:3]  # so that sums fit
    spread = [(who * 1_000 + row % 7, *rest) for row, (who, *rest) in enumerate(given_rows)]
    log = log_of(spread)
    within_us = data.draw(st.none() | st.integers(1, 5_000_000))
    options = {
        "kinds": data.draw(st.sampled_from([{"purchase"}, {"purchase", "post"}, None])),
        "within": None if within_us is None else pendulum.duration(microseconds=within_us),
        "value": data.draw(st.sampled_from(["value", "value", None])),
    }
    try:
        whole = measured(log, **options)
    except ValueError:
        assert kind_of_money == "large"
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "_MOST_STRAIGHT", data.draw(st.sampled_from([0, 1 << 20])))
        patch.setattr(straight, "_BLOCK", data.draw(st.integers(1, 7)))
        patch.setattr(latest_instants, "_MOST_TICKS", data.draw(st.sampled_from([2**32, 3_000_000])))
        patch.setattr(straight, "_ROWS_AT_A_TIME", data.draw(st.integers(1, 9)))
        patch.setattr(packed_sums, "_SUM_BITS", data.draw(st.sampled_from([44, 5, 61, 62])))
        patch.setattr(packed_sums, "_MANY_MEMBERS", data.draw(st.sampled_from([0, 1 << 16])))
        patch.setattr(packed_sums, "_LEAST_ROOM", data.draw(st.sampled_from([0, 32])))
        patch.setattr(packed_sums, "_NARROW", data.draw(st.sampled_from([32, 12, 6, 3])))
        patch.setattr(packed_sums, "_UNEVEN", data.draw(st.sampled_from([4, 1])))
        patch.setattr(packed_sums, "_TRIED_ROWS", data.draw(st.sampled_from([1, 1 << 17])))
        patch.setattr(packed_sums, "_BY_CHANCE", data.draw(st.sampled_from([0, 16])))
        patch.setattr(packed_sums, "_LEAST_PUT_BY", data.draw(st.sampled_from([4, 1 << 60])))
        patch.setattr(packed_sums, "_BLOCK", data.draw(st.integers(1, 7)))
        patch.setattr(held_rows, "_BLOCK", data.draw(st.integers(1, 7)))
        patch.setattr(held_rows, "_MASK", data.draw(st.integers(1, 9)))
        patch.setattr(held_rows, "_MANY", data.draw(st.sampled_from([2, 1 << 20])))
        patch.setattr(dealt, "_MEMBERS_BITS", 0)
        patch.setattr(summed_apart, "_MEMBERS_BITS", 0)
        patch.setattr(summed_apart, "_MANY_PARTS", data.draw(st.sampled_from([1, 8])))
        patch.setattr(dealt, "_BLOCK", data.draw(st.integers(1, 5)))
        patch.setattr(dealt, "_ROWS_AT_A_TIME", data.draw(st.integers(1, 50)))
        patch.setattr(dealt, "_MOST_PARTS_BITS", data.draw(st.integers(1, 8)))
        patch.setattr(member_sums, "_ONE_ROW", data.draw(st.sampled_from([2**36, 16, 0])))
        patch.setattr("shequn.columns.halves._MANY_ROWS", 2)
        assert measured(log, **options) == whole


# ── named segments ───────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(1, 4), st.sampled_from([2, 3]), st.data())
def test_a_grid_puts_each_cell_in_its_segment(n_bins, n_axes, data):
    cells = list(itertools.product(range(1, n_bins + 1), repeat=n_axes))
    names = data.draw(st.lists(st.sampled_from("abcd"), min_size=len(cells), max_size=len(cells)))
    given_cells = {name: [c for c, n in zip(cells, names, strict=True) if n == name] for name in sorted(set(names))}
    grid = RfmGrid(cells=given_cells, bins=n_bins)
    scores = np.array([(*cell, 1)[:3] for cell in cells] + [(0, 0, 0)], dtype=np.int8)
    placed = [grid.names[code] if code >= 0 else None for code in grid.place(scores).tolist()]
    assert placed == [*names, None]
    assert [grid.of(**dict(zip(("recency", "frequency", "monetary"), cell, strict=False))) for cell in cells] == names


@given(rows(), ties)
def test_grid5_names_each_member_with_a_row_by_recency_and_frequency(given_rows, how):
    found = scored(log_of(given_rows), ties=how)
    named = found.assign("grid5")
    cell_of = {cell: name.en for name, cells in GRID5.items() for cell in cells}
    expected = [cell_of.get((r, f)) for r, f, _ in found.scores.tolist()]
    assert named.labels().tolist() == expected


@given(rows("int"))
def test_quadrants_compare_with_the_mean_of_those_with_a_row(given_rows):
    log = log_of(given_rows)
    found = scored(log)
    expected = slow_rfm.values(given_rows, log.members, kinds={"purchase"}, as_of=AS_OF_US)
    there = [v for v in expected.values() if v[0] is not None]
    names = ["重要价值", "重要发展", "重要保持", "重要挽留", "一般价值", "一般发展", "一般保持", "一般挽留"]
    for member, label in zip(log.members, found.assign("quadrant8", lang="zh").labels(), strict=True):
        ago, times, much = expected[member]
        if ago is None:
            assert label is None
            continue
        recent = ago * len(there) <= sum(v[0] for v in there)
        often = times * len(there) >= sum(v[1] for v in there)
        rich = much * len(there) >= sum(v[2] for v in there)
        assert label == names[4 * (not rich) + 2 * (not recent) + (not often)]
