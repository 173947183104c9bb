"""Who talks to whom: graphs from logs and from ties."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownKindWarning, UnknownLabelError
from shequn.graph import InteractionGraph, Neighbours, PartialGraph
from shequn.labels import Index


def log_of(*rows, **columns):
    member, target, kind, at = zip(*rows, strict=True)
    return EventLog.from_columns(member=member, target=target, kind=kind, at=at, time_unit="s", **columns)


AB = Index(["ann", "bo"])
TALK = log_of(
    ("ann", "bo", "reply", 10),
    ("ann", "bo", "like", 30),
    ("bo", "ann", "reply", 20),
    ("cy", None, "post", 25),
    ("cy", "dee", "reply", 40),
    ("ann", "ann", "reply", 50),
    ("bo", "cy", "receive", 60),
)


def ties(graph):
    columns = graph.to_columns()
    return list(zip(*(columns[name].tolist() for name in ("source", "target", "weight")), strict=True))


# ── from a log ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_tie_counts_its_rows_and_keeps_its_last_instant():
    graph = InteractionGraph.from_log(TALK)
    assert ties(graph) == [("ann", "bo", 2), ("bo", "ann", 1), ("cy", "dee", 1)]
    assert graph.last_us.tolist() == [30_000_000, 20_000_000, 40_000_000]
    assert graph.to_columns()["last_at"].tolist()[0].isoformat() == "1970-01-01T00:00:30"


def test_who_is_only_talked_to_is_a_member_and_talk_to_oneself_is_no_tie():
    graph = InteractionGraph.from_log(TALK)
    assert list(graph.members) == ["ann", "bo", "cy", "dee"]
    assert graph.n_self == 1


def test_only_kinds_that_are_activity_count_by_default_and_others_when_named():
    assert ("bo", "cy", 1) not in ties(InteractionGraph.from_log(TALK))
    assert ties(InteractionGraph.from_log(TALK, kinds={"receive"})) == [("bo", "cy", 1)]


def test_a_column_can_be_the_weight_and_a_row_that_weighs_nothing_makes_no_tie():
    log = log_of(("ann", "bo", "reply", 0), ("ann", "bo", "reply", 1), ("bo", "ann", "reply", 2), value=[3, 4, 0])
    assert ties(InteractionGraph.from_log(log, weight="value")) == [("ann", "bo", 7)]


def test_a_graph_can_be_about_more_members_than_talk_and_not_about_fewer():
    members = Index(["zoe", "dee", "cy", "bo", "ann"])
    graph = InteractionGraph.from_log(TALK, members=members)
    assert graph.members is members
    assert set(ties(graph)) == set(ties(InteractionGraph.from_log(TALK)))
    with pytest.raises(UnknownLabelError, match="members: expected an index of whoever has a tie, got 'dee'"):
        InteractionGraph.from_log(TALK, members=Index(["ann", "bo", "cy"]))


def test_a_log_without_targets_and_an_empty_one_have_no_ties():
    plain = EventLog.from_columns(member=["ann"], kind="post", at=[0], time_unit="s")
    assert (InteractionGraph.from_log(plain).n_members, InteractionGraph.from_log(plain).n_ties) == (1, 0)
    empty = InteractionGraph.from_log(EventLog.empty())
    assert (len(empty), empty.n_ties, empty.neighbours().n_members) == (0, 0, 0)


@pytest.mark.parametrize(
    ("weights", "row"), [([1.0, float("nan"), 1.0], 1), ([1.0, 1.0, -2.0], 2), ([float("inf"), 1.0, 1.0], 0)]
)
def test_a_weight_that_can_not_be_is_located(weights, row):
    log = log_of(("ann", "bo", "reply", 0), ("ann", "bo", "reply", 1), ("bo", "ann", "reply", 2), value=weights)
    with pytest.raises(InvalidValueError, match=rf"value: expected finite weights of 0 or more, got .* at row {row}"):
        InteractionGraph.from_log(log, weight="value")


def test_options_of_a_log_that_can_not_be_used_are_named():
    with pytest.raises(InvalidTypeError, match="log: expected an EventLog"):
        InteractionGraph.from_log([])
    with pytest.raises(UnknownLabelError, match="weight: expected one of the log's columns"):
        InteractionGraph.from_log(TALK, weight="value")
    with pytest.raises(InvalidTypeError, match='weight: expected "rows" or the name of a column of numbers'):
        InteractionGraph.from_log(TALK, weight="kind")
    with pytest.warns(UnknownKindWarning, match="kinds: expected kinds that the log contains, got 'nod'"):
        InteractionGraph.from_log(TALK, kinds={"nod", "reply"})


# ── from ties ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ties_that_stand_several_times_are_summed_and_isolates_stay():
    graph = InteractionGraph.from_ties([2, 0, 2], [0, 1, 0], [1, 2, 3], n_members=5)
    assert ties(graph) == [(0, 1, 2), (2, 0, 4)]
    assert graph.neighbours().degree.tolist() == [2, 1, 1, 0, 0]


def test_labels_can_name_the_members_of_ties():
    graph = InteractionGraph.from_ties(["bo"], ["ann"], [0.5], members=Index(["ann", "bo", "cy"]))
    assert ties(graph) == [("bo", "ann", 0.5)]


@pytest.mark.parametrize(
    ("arguments", "options", "error", "text"),
    [
        (([0], [0]), {}, InvalidValueError, "target: expected somebody else than the source, got 0 at row 0"),
        (([0], [1], [-1]), {}, InvalidValueError, "weight: expected finite weights of 0 or more, got -1 at row 0"),
        (([0], [1], [float("nan")]), {}, InvalidValueError, "weight: expected finite weights of 0 or more, got nan"),
        (([0], [7]), {"n_members": 3}, InvalidValueError, r"target: expected codes of 3 members, .* got 7"),
        (([-1], [1]), {}, InvalidValueError, "source: expected codes of 2 members, .* got -1 at row 0"),
        (([0, 1], [1]), {}, MisalignedError, "source: expected as many sources as targets and weights"),
        (([0.5], [1]), {}, InvalidTypeError, "source: expected whole numbers, or labels together with members="),
        (([0], [1], ["a"]), {}, InvalidTypeError, "weight: expected numbers"),
        (([0], [1]), {"n_members": -1}, InvalidValueError, "n_members: expected 0 or more, and less"),
        (([0], [1]), {"n_members": 2**40}, InvalidValueError, "n_members: expected 0 or more, and less"),
        (([0], [10**14]), {}, InvalidValueError, "target: expected codes of members, less than"),
        (([0, 3], [1, 2], [2**61, 2**61]), {}, InvalidValueError, "weight: expected weights whose sum, both ways"),
        (([0, 3], [1, 2], [1e308, 1e308]), {}, InvalidValueError, "weight: expected weights whose sum, both ways"),
        (([[0]], [1]), {}, InvalidValueError, "source: expected one dimension"),
        (([0], [1], [[1]]), {}, InvalidValueError, "weight: expected one dimension"),
        (([0], [1]), {"self_ties": "keep"}, InvalidValueError, "self_ties"),
        ((["ann"], ["zed"]), {"members": AB}, UnknownLabelError, "target: expected labels of members, got"),
        ((["ann"], ["bo"]), {"members": AB, "n_members": 3}, MisalignedError, "n_members"),
        (([0, 0], [1, 1], [2**62, 2**62]), {}, InvalidValueError, "weight: expected weights whose sum for a tie fits"),
        (([0, 0], [1, 1], [1e308, 1e308]), {}, InvalidValueError, "weight: expected weights whose sum for a tie fits"),
    ],
)  # fmt: skip
def test_ties_that_can_not_be_are_refused(arguments, options, error, text):
    with pytest.raises(error, match=text), np.errstate(over="ignore"):
        InteractionGraph.from_ties(*arguments, **options)


def test_ties_to_oneself_can_be_dropped_and_are_counted():
    graph = InteractionGraph.from_ties([0, 1], [0, 0], self_ties="drop")
    assert ties(graph) == [(1, 0, 1)]
    assert graph.n_self == 1


def test_narrow_weights_do_not_wrap():
    weight = np.array([200, 100], dtype=np.uint8)
    graph = InteractionGraph(members=AB, source=[0, 1], target=[1, 0], weight=weight)
    assert graph.neighbours().weight.tolist() == [300, 300]


def test_a_graph_keeps_its_count_of_rows_to_oneself():
    graph = InteractionGraph.from_log(TALK)
    assert graph.align(Index(list(graph.members))) == graph


def test_fields_that_make_no_graph_are_refused():
    members = Index(["ann", "bo", "cy"])
    one = np.ones(2, dtype=np.int64)
    with pytest.raises(InvalidValueError, match="source: expected ties in order"):
        InteractionGraph(members=members, source=[1, 0], target=[0, 1], weight=one)
    with pytest.raises(InvalidValueError, match="source: expected ties in order"):
        InteractionGraph(members=members, source=[0, 0], target=[1, 1], weight=one)
    with pytest.raises(InvalidValueError, match="weight: expected finite numbers above 0, got 0"):
        InteractionGraph(members=members, source=[0, 1], target=[1, 0], weight=one * 0)
    with pytest.raises(MisalignedError, match="weight: expected one entry for each of 2 ties"):
        InteractionGraph(members=members, source=[0, 1], target=[1, 0], weight=one[:1])


# ── views ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_neighbours_out_in_and_both():
    graph = InteractionGraph.from_log(TALK)
    assert [graph.neighbours(way).degree.tolist() for way in ("out", "in", "both")] == [
        [1, 1, 1, 0], [1, 1, 0, 1], [1, 1, 1, 1]
    ]  # fmt: skip
    both = graph.neighbours()
    assert [array.tolist() for array in both.of(0)] == [[1], [3]]
    assert both.rows().tolist() == [0, 1, 2, 3]
    assert both.strength.tolist() == [3, 3, 1, 1]
    with pytest.raises(InvalidValueError, match=r"member: expected a code in \[0, 4\), got 4"):
        both.of(4)
    with pytest.raises(InvalidValueError, match="direction"):
        graph.neighbours("sideways")


def test_neighbours_that_do_not_fit_each_other_are_refused():
    with pytest.raises(MisalignedError, match="offsets"):
        Neighbours(offsets=np.array([0, 2]), neighbour=np.array([0]), weight=np.array([1]))
    with pytest.raises(MisalignedError, match="offsets"):
        Neighbours(offsets=np.array([]), neighbour=np.array([0]), weight=np.array([1]))


def test_a_graph_aligned_to_other_members_forgets_ties_of_those_who_left():
    graph = InteractionGraph.from_log(TALK).align(Index(["new", "bo", "ann"]))
    assert ties(graph) == [("bo", "ann", 1), ("ann", "bo", 2)]
    assert graph.align(graph.members) is graph


def test_graphs_are_equal_by_members_ties_and_instants_and_copies_stay_read_only():
    graph = InteractionGraph.from_log(TALK)
    for other in (pickle.loads(pickle.dumps(graph)), copy.deepcopy(graph)):  # noqa: S301
        assert other == graph
        assert not other.weight.flags.writeable
        assert not other.neighbours().weight.flags.writeable
    assert graph != InteractionGraph.from_log(TALK, kinds={"reply"})
    assert graph != InteractionGraph.from_ties([0], [1])
    assert graph.__eq__(3) is NotImplemented
    neighbours = pickle.loads(pickle.dumps(graph.neighbours()))  # noqa: S301
    assert not neighbours.neighbour.flags.writeable
    assert repr(neighbours) == "Neighbours(4 members, 4 entries)"


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_part_of_a_log_only_merges_and_exports():
    part = PartialGraph.of(TALK)
    assert {name for name in dir(part) if not name.startswith("_")} == {
        "last_us", "members", "merge", "n_self", "of", "source", "target", "to_columns", "weight", "whole"
    }  # fmt: skip
    assert part.whole() == InteractionGraph.from_log(TALK)
    assert part.to_columns()["source"].tolist() == ["ann", "bo", "cy"]
    with pytest.raises(InvalidTypeError, match="other: expected a PartialGraph"):
        part.merge(part.whole())
    with pytest.raises(UnknownLabelError, match="members: expected one of 3 known labels, got 'dee'"):
        part.whole(Index(["ann", "bo", "cy"]))
    assert repr(part) == "PartialGraph(4 members, 3 ties)"
    assert part.__eq__(3) is NotImplemented


def test_members_of_two_types_do_not_merge():
    numbers = PartialGraph.of(log_of((1, 2, "reply", 0)))
    with pytest.raises(InvalidTypeError, match="other"):
        PartialGraph.of(TALK).merge(numbers)
