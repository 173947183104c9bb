"""What no caller in their right mind would pass: it is refused by name, or it is taken and prints. Nothing else."""

from __future__ import annotations

import datetime as dt
import decimal
import fractions
import itertools
from importlib import import_module

import attrs
import numpy as np
import pendulum
import pytest

from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, ShequnError
from shequn.graph import InteractionGraph, Neighbours, PartialGraph
from shequn.labels import Index
from shequn.network import (
    Clustering,
    Cohesion,
    Degrees,
    PageRank,
    Succession,
    TieStrength,
    clustering,
    concentration,
    connectivity_stage,
    core_numbers,
    degrees,
    dependence,
    grassroots_leaders,
    pagerank,
    reciprocity,
    tie_strength,
    tie_transitions,
)

# A package has functions of the names of some of its modules.
conformity, feasible, hash_shards, plan_capacity = (
    getattr(import_module(f"shequn.sharding.{module}"), name)
    for module, name in (
        ("conformity", "conformity"),
        ("feasibility", "feasible"),
        ("hashing", "hash_shards"),
        ("capacity", "plan_capacity"),
    )
)


class Mute:
    """Something that raises whatever it is asked."""

    __hash__ = None

    def __repr__(self):
        raise RuntimeError

    def __eq__(self, _other):
        raise RuntimeError

    def __array__(self, *_args, **_kwargs):
        raise RuntimeError


BAD = {
    "None": None,
    "bool": True,
    "negative": -1,
    "half": 0.5,
    "nan": float("nan"),
    "inf": float("inf"),
    "ten to the 400": 10**400,
    "ten to the 6000": 10**6000,
    "uint64": np.uint64(2**63 + 5),
    "text": "ann",
    "bytes": b"ab",
    "empty": [],
    "nested": [[1], [2, 3]],
    "rows": [[1, 2], [3, 4]],
    "nans": [float("nan")] * 3,
    "texts": ["a", "b", "c"],
    "mask": [True, False, True],
    "dict": {1: 2},
    "set": {1, 2},
    "mute": Mute(),
    "no axes": np.array(3),
    "big-endian": np.array([0, 1, 2], dtype=">i8"),
    "strided": np.arange(6)[::2],
    "masked": np.ma.array([1, 2, 3], mask=[0, 1, 0]),
    "uint64s": np.array([2**63 + 5, 1, 2], dtype=np.uint64),
    "complex": np.array([1j, 1, 2]),
    "floats": np.array([1.5, 2, 3]),
    "overflowing": np.array([1e308, 1e308, 1e308]),
    "dates": np.array(["2020-01-01"] * 3, dtype="datetime64[D]"),
    "span": np.timedelta64(3, "s"),
    "objects": np.array([1, "a", None], dtype=object),
    "large": [10**30, 1, 2],
    "square": np.ones((3, 3), dtype=int),
    "records": np.zeros(3, dtype=[("a", int)]),
    "strings": np.array(["ann", "bo", "cy"], dtype=np.dtypes.StringDType()),
    "fraction": fractions.Fraction(1, 2),
    "decimal": decimal.Decimal("0.5"),
    "date": dt.date(2020, 1, 1),
    "naive": dt.datetime(2020, 1, 1),  # noqa: DTZ001
    "aware": pendulum.datetime(2020, 1, 1),
    "function": len,
    "surrogate": "\ud800",
}

MEMBERS = Index(["ann", "bo", "cy"])
LOG = EventLog.from_columns(
    member=["ann", "bo", "ann"], kind="reply", at=[0, 1, 2], time_unit="s", target=["bo", "ann", "cy"]
)
GRAPH = InteractionGraph.from_log(LOG)
TIES = tie_strength(GRAPH)
FOUND = grassroots_leaders(GRAPH)
LABELLED = (["ann", "bo", "cy"], ["bo", "cy", "ann"], [1, 2, 3])
TEMPLATE = {"rules": {"quiet": 22}}

CALLS = [
    (InteractionGraph.from_ties, ([0, 1, 2], [1, 2, 0], [1, 2, 3]), {"n_members": 3, "self_ties": "drop"}),
    (InteractionGraph.from_ties, LABELLED, {"members": MEMBERS}),
    (InteractionGraph.from_log, (LOG,), {"kinds": None, "weight": "rows", "members": None, "unknown_kinds": "ignore"}),
    (PartialGraph.of, (LOG,), {"kinds": None, "weight": "rows", "unknown_kinds": "ignore"}),
    (PartialGraph.of(LOG).merge, (PartialGraph.of(LOG),), {}),
    (PartialGraph.of(LOG).whole, (None,), {}),
    (GRAPH.neighbours, ("both",), {}),
    (GRAPH.neighbours().of, (1,), {}),
    (GRAPH.align, (MEMBERS,), {}),
    (pagerank, (GRAPH,), {"damping": 0.85, "tol": 1e-10, "max_rounds": 100, "weight": "weight"}),
    (
        tie_strength,
        (GRAPH,),
        {
            "as_of": pendulum.datetime(2020, 1, 1),
            "half_life": dt.timedelta(30),
            "half_frequency": 5.0,
            "strong_from": 0.5,
        },
    ),
    (tie_transitions, (TIES, TIES), {}),
    (connectivity_stage, (GRAPH,), {"max_isolates": 0.5, "min_degree": 2, "min_giant": 0.5}),
    (core_numbers, (GRAPH,), {}),
    (clustering, (GRAPH,), {}),
    (degrees, (GRAPH,), {}),
    (reciprocity, (GRAPH,), {}),
    (dependence, (GRAPH,), {"who": None, "top": 1}),
    (concentration, ([1, 2, 3],), {"top": (1, 3)}),
    (concentration([1, 2, 3]).top_share, (1,), {}),
    (grassroots_leaders, (GRAPH,), {"exclude": None, "groups": None, "top": 3, "relevance": None, "reach": None}),
    (FOUND.of, ("all",), {}),
    (FOUND.explain, ("ann",), {"lang": "en"}),
    (feasible, (3, (1, 3)), {"leaders": [True] * 3, "min_leaders": 1, "together": (), "fixed": None, "apart": ()}),
    (feasible, (100, (26, 36)), {"leaders": 9, "min_leaders": 1}),
    (
        plan_capacity,
        (100,),
        {"cap": 500, "ideal": (26, 36), "growth_per_day": 1, "reserve": 0, "as_of": dt.date(2020, 1, 1)},
    ),
    (conformity, (TEMPLATE, {"一群": TEMPLATE}), {}),
    (hash_shards, (MEMBERS, Index(["a", "b"])), {"bounds": (1, 3), "load": None}),
    (hash_shards, (MEMBERS, Index(["a", "b"])), {"load": 1.2}),
]

RESULTS = [
    GRAPH,
    PartialGraph.of(LOG),
    GRAPH.neighbours(),
    TIES,
    FOUND,
    FOUND.succession,
    tie_transitions(TIES, TIES),
    degrees(GRAPH),
    clustering(GRAPH),
    pagerank(GRAPH),
    connectivity_stage(GRAPH),
    dependence(GRAPH),
    dependence(GRAPH).before,
    concentration([1, 2, 3]),
    feasible(100),
    plan_capacity(100),
    conformity(TEMPLATE, {"一群": TEMPLATE}),
]


def assert_refused_or_printed(call):
    said = None
    try:
        found = call()
    except ShequnError as error:
        said = str(error)
    if said is not None:
        assert ": expected " in said
        return
    assert repr(found)
    if hasattr(found, "table"):
        assert all((found.table(), found.table(lang="zh"), found.to_columns(), found._repr_html_()))


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
@pytest.mark.parametrize("call", CALLS, ids=[f"{call[0].__name__} {place}" for place, call in enumerate(CALLS)])
def test_a_function_refuses_by_name_or_answers(call, value):
    function, places, options = call
    for place in range(len(places)):
        given = [*places[:place], value, *places[place + 1 :]]
        assert_refused_or_printed(lambda given=given: function(*given, **options))
    for name in options:
        assert_refused_or_printed(lambda name=name: function(*places, **{**options, name: value}))


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
@pytest.mark.parametrize("result", RESULTS, ids=lambda result: type(result).__name__)
def test_a_result_made_by_hand_is_refused_by_name_or_prints(result, value):
    for field in attrs.fields(type(result)):
        assert_refused_or_printed(lambda field=field: attrs.evolve(result, **{field.name: value}))


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_sets_of_members_and_seats_are_refused_by_name_or_taken(value):
    for sets in ([value], [[value]]):
        assert_refused_or_printed(lambda sets=sets: feasible(5, (1, 3), together=sets))
        assert_refused_or_printed(lambda sets=sets: feasible(5, (1, 3), apart=sets))
    assert_refused_or_printed(lambda: feasible(5, (1, 3), fixed={0: value}))
    assert_refused_or_printed(lambda: feasible(5, (value, 3)))
    assert_refused_or_printed(lambda: conformity({"rules": {"a": value}}, {"g": {"rules": {"a": 3}}, "h": {}}))
    assert_refused_or_printed(lambda: grassroots_leaders(GRAPH, groups={"ann": value}))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: pagerank(GRAPH, damping=10**400),
            InvalidValueError,
            r"damping: expected a number in \[0, 1\), got 10",
        ),
        (lambda: pagerank(GRAPH, tol=10**400), InvalidValueError, r"tol: expected a number in \(0, 1\], got 10"),
        (
            lambda: tie_strength(GRAPH, half_frequency=10**400),
            InvalidValueError,
            "half_frequency: expected a finite number above 0, got 10",
        ),
        (
            lambda: tie_strength(GRAPH, strong_from=10**400),
            InvalidValueError,
            r"strong_from: expected a number in \[0, 1\], got 10",
        ),
        (
            lambda: connectivity_stage(GRAPH, min_degree=10**400),
            InvalidValueError,
            "min_degree: expected a finite number of 0 or more, got 10",
        ),
        (
            lambda: grassroots_leaders(GRAPH, relevance=[1e200] * 3, reach=[1e200] * 3),
            InvalidValueError,
            "relevance, reach: expected numbers whose product with the authority is finite, got inf at row 0",
        ),
        (lambda: feasible(100, {26, 36}), InvalidTypeError, "sizes: expected the fewest and the most members"),
    ],
)
def test_a_number_that_no_float_holds_is_told_what_was_expected(call, error, text):
    with pytest.raises(error, match=text):
        call()


BIG = np.array([2**63 + 5], dtype=np.uint64)
ONE = Index(["ann"])


@pytest.mark.parametrize(
    "call",
    [
        lambda: InteractionGraph.from_ties([0], [1], BIG),
        lambda: InteractionGraph.from_ties(BIG, [1]),
        lambda: InteractionGraph(members=MEMBERS, source=[0], target=[1], weight=BIG),
        lambda: InteractionGraph(members=MEMBERS, source=BIG, target=[1], weight=[1]),
        lambda: InteractionGraph(members=MEMBERS, source=[0], target=[1], weight=[1], last_us=BIG),
        lambda: Neighbours(offsets=[0, 0, 1], neighbour=BIG, weight=[1]),
        lambda: Degrees(members=ONE, n_out=BIG, n_in=[0], n_both=[0], sent=[0], received=[0]),
        lambda: Degrees(members=ONE, n_out=[0], n_in=[0], n_both=[0], sent=BIG, received=[0]),
        lambda: Clustering(members=ONE, triangles=BIG, degree=[0]),
        lambda: Succession(groups=ONE, leaders=BIG, others=[0], covered=[0], covered_without_one=[0]),
    ],
    ids=[str(place) for place in range(10)],
)
def test_what_is_too_large_for_64_bits_with_sign_is_not_called_negative(call):
    with pytest.raises(InvalidValueError, match=r"got 9223372036854775813"):
        call()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: Neighbours(offsets=[0, 2, 1, 2], neighbour=[1, 2], weight=[1, 1]),
            InvalidValueError,
            "offsets: expected numbers that start at 0 and never fall",
        ),
        (lambda: Neighbours(offsets=[0, 1], neighbour=[1], weight=[1]), InvalidValueError, "neighbour: expected codes"),
        (
            lambda: Neighbours(offsets=[0, 2, 2, 2], neighbour=[2, 1], weight=[1, 1]),
            InvalidValueError,
            "neighbour: expected neighbours in ascending order in each row, each once, got 1 at row 1",
        ),
        (
            lambda: PartialGraph(members=MEMBERS, source=[0], target=[0], weight=[1], last_us=[0]),
            InvalidValueError,
            "target: expected somebody else",
        ),
        (
            lambda: PartialGraph(members=MEMBERS, source=[0], target=[1], weight=[1]),
            MisalignedError,
            "weight: expected one entry for each of 1 tie",
        ),
        (lambda: attrs.evolve(GRAPH, n_self=-1), InvalidValueError, "n_self: expected a number of rows"),
        (
            lambda: Succession(groups=ONE, leaders=[1], others=[2], covered=[3], covered_without_one=[0]),
            InvalidValueError,
            "covered: expected no more than there are, got 3",
        ),
        (
            lambda: Clustering(members=MEMBERS, triangles=[2, 0, 0], degree=[2, 2, 2]),
            InvalidValueError,
            "triangles: expected no more than the pairs of a member's neighbours, got 2",
        ),
        (
            lambda: PageRank(members=ONE, score=[float("nan")], rounds=1, residual=0, tol=1),
            InvalidValueError,
            "score: expected numbers in",
        ),
        (lambda: attrs.evolve(pagerank(GRAPH), rounds=-1), InvalidValueError, "rounds: expected a number of rounds"),
        (lambda: attrs.evolve(TIES, as_of_us=2**63), InvalidValueError, "as_of_us: expected microseconds"),
        (lambda: attrs.evolve(TIES, common=[0.5, 0]), InvalidTypeError, "common: expected integers"),
        (
            lambda: Cohesion(n_others=1, n_giant=1, n_answered=1, talk=1, centralisation=2),
            InvalidValueError,
            r"centralisation: expected a number in \[0, 1\]",
        ),
        (lambda: attrs.evolve(dependence(GRAPH), who="ann"), InvalidTypeError, "who: expected labels of members"),
        (lambda: attrs.evolve(dependence(GRAPH), said=1), InvalidTypeError, "said: expected ContributionShares"),
        (
            lambda: attrs.evolve(dependence(GRAPH), after=dependence(GRAPH, who=["bo", "cy"]).after),
            MisalignedError,
            "after: expected the 2 others of before, got '1 others'",
        ),
    ],
)
def test_a_result_says_what_is_wrong_with_it(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_columns_given_as_lists_are_held_as_arrays_that_nobody_writes_to():
    ties = TieStrength(
        members=MEMBERS,
        first=[0],
        second=[1],
        weight=[3],
        reciprocity=[1],
        recency=[1],
        common=[0],
        overlap=[0],
    )
    assert (ties.weight.dtype, ties.recency.dtype) == (np.int64, np.float64)
    assert not any(column.flags.writeable for column in (ties.first, ties.weight, ties.overlap))
    assert repr(ties) == "TieStrength(1 tie, 0 strong)"


def test_one_is_not_told_as_many():
    graph = InteractionGraph.from_ties([0], [1])
    assert repr(graph) == "InteractionGraph(2 members, 1 tie)"
    assert repr(graph.neighbours("out")) == "Neighbours(2 members, 1 entry)"
    assert repr(InteractionGraph.from_ties([], [], n_members=1)) == "InteractionGraph(1 member, 0 ties)"
    assert repr(dependence(graph)).startswith("Dependence(without 1 member, ")
    assert repr(concentration([1])) == "ContributionShares(1 contributor, absence factor 1)"
    assert repr(connectivity_stage(graph)) == "Connectivity(lines, 2 members, 1 pair)"
    assert repr(grassroots_leaders(InteractionGraph.from_ties([0, 1, 0], [1, 0, 2]), top=1)) == (
        "Leaders(1 group, 1 leader)"
    )
    assert "answered 1 member (most often 0)" in grassroots_leaders(
        InteractionGraph.from_ties([0, 1, 0], [1, 0, 2])
    ).explain(1)


def test_what_is_unknown_is_a_dash_and_no_number():
    nobody = clustering(InteractionGraph.from_ties([], []))
    assert str(nobody).endswith("transitivity –, mean of members –")
    assert repr(dependence(InteractionGraph.from_ties([], []))) == "Dependence(without 0 members, – of the talk)"


def test_ranks_whose_rounding_never_settles_come_to_an_end():
    rng = np.random.default_rng(1)
    graph = InteractionGraph.from_ties(rng.integers(0, 40, 300), rng.integers(0, 40, 300), self_ties="drop")
    ranks = pagerank(graph, tol=5e-324, max_rounds=2**62)
    assert ranks.rounds < 2_000
    assert ranks.residual < 1e-14


def test_the_frequency_of_a_tie_does_not_overflow():
    graph = InteractionGraph.from_ties([0], [1], [8e307])
    assert tie_strength(graph, half_frequency=1.6e308).frequency[0] == pytest.approx(1 / 3)


def test_labels_without_end_are_not_awaited():
    with pytest.raises(InvalidValueError, match="apart: expected members in"):
        feasible(5, (1, 3), apart=[itertools.count()])
