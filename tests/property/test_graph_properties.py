"""What holds of every graph: it is the fold of its rows in any order, part by part, and read from either end."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shequn.columns import EventLog
from shequn.graph import InteractionGraph, PartialGraph
from shequn.labels import Index

NAMES = ["ann", "bo", "cy", "dee", "eve"]
row = st.tuples(
    st.sampled_from(NAMES), st.one_of(st.none(), st.sampled_from(NAMES)), st.sampled_from(["reply", "receive"]),
    st.integers(0, 9), st.integers(0, 3),
)  # fmt: skip
rows = st.lists(row, min_size=1, max_size=30)


def log_of(given_rows, dtype=np.int64):
    member, target, kind, at, value = zip(*given_rows, strict=True)
    return EventLog.from_columns(
        member=member, target=target, kind=kind, at=at, time_unit="s", value=np.array(value, dtype=dtype)
    )


def slow(given_rows, weight):
    """Return weight and last second of each tie, and the rows to oneself, one row at a time."""
    total, last, to_self = Counter(), {}, 0
    for member, target, kind, at, value in given_rows:
        much = value if weight == "value" else 1
        if kind == "receive" or target is None or much == 0:
            continue
        if member == target:
            to_self += 1
            continue
        total[member, target] += much
        last[member, target] = max(last.get((member, target), 0), at)
    return dict(total), last, to_self


@given(rows, st.sampled_from(["rows", "value"]), st.sampled_from([np.int64, np.float64]))
def test_a_graph_is_the_fold_of_its_rows(given_rows, weight, dtype):
    graph = InteractionGraph.from_log(log_of(given_rows, dtype), weight=weight, unknown_kinds="ignore")
    total, last, to_self = slow(given_rows, weight)
    columns = graph.to_columns()
    pairs = list(zip(columns["source"].tolist(), columns["target"].tolist(), strict=True))
    assert dict(zip(pairs, columns["weight"].tolist(), strict=True)) == total
    assert dict(zip(pairs, (graph.last_us // 1_000_000).tolist(), strict=True)) == last
    assert graph.n_self == to_self


@given(rows, st.randoms(use_true_random=False), st.sampled_from(["rows", "value"]))
def test_the_order_of_rows_makes_no_difference(given_rows, random, weight):
    shuffled = random.sample(given_rows, len(given_rows))
    members = Index(NAMES)
    first, second = (
        InteractionGraph.from_log(log_of(order, np.float64), weight=weight, members=members, unknown_kinds="ignore")
        for order in (given_rows, shuffled)
    )
    assert first == second


@given(rows, st.lists(st.integers(0, 2), min_size=30, max_size=30))
def test_parts_merged_in_any_order_are_the_whole(given_rows, part_of):
    log = log_of(given_rows)
    whole = PartialGraph.of(log, unknown_kinds="ignore")
    masks = [np.array([part_of[at] == part for at in range(len(log))]) for part in range(3)]
    a, b, c = (PartialGraph.of(log.where(rows=mask), unknown_kinds="ignore") for mask in masks)
    assert a.merge(b).merge(c) == whole
    assert c.merge(a.merge(b)) == whole
    assert whole.merge(PartialGraph()) == PartialGraph().merge(whole) == whole
    members = Index([*NAMES, "zoe"])
    assert whole.whole(members) == InteractionGraph.from_log(log, members=members, unknown_kinds="ignore")


ties = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(0, 5)), max_size=40)


@given(ties, st.sampled_from([np.int64, np.float64]))
def test_neighbours_are_the_rows_and_columns_of_one_matrix(given_ties, dtype):
    matrix = np.zeros((8, 8), dtype=dtype)
    for source, target, weight in given_ties:
        matrix[source, target] += weight * (source != target)
    columns = [np.array(column, dtype=np.int64) for column in zip(*given_ties, strict=True)] or [np.zeros(0, int)] * 3
    graph = InteractionGraph.from_ties(*columns[:2], columns[2].astype(dtype), n_members=8, self_ties="drop")
    for way, expected in (("out", matrix), ("in", matrix.T), ("both", matrix + matrix.T)):
        found = graph.neighbours(way)
        dense = np.zeros((8, 8), dtype=dtype)
        dense[found.rows(), found.neighbour] = found.weight
        assert np.array_equal(dense, expected)
        assert all((np.diff(found.of(code)[0]) > 0).all() for code in range(8))
        assert np.array_equal(found.strength, expected.sum(axis=1))
        assert np.array_equal(found.degree, (expected > 0).sum(axis=1))


@given(ties, st.permutations(range(8)))
def test_a_graph_of_other_members_is_the_matrix_in_their_order(given_ties, order):
    columns = [list(column) for column in zip(*given_ties, strict=True)] or [[], [], []]
    graph = InteractionGraph.from_ties(*columns, n_members=8, self_ties="drop")
    kept = order[:5]
    aligned = graph.align(Index(kept))
    dense = np.zeros((8, 8), dtype=np.int64)
    dense[graph.source, graph.target] = graph.weight
    small = np.zeros((5, 5), dtype=np.int64)
    small[aligned.source, aligned.target] = aligned.weight
    assert np.array_equal(small, dense[np.ix_(kept, kept)])
