from __future__ import annotations

import math

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError
from shequn.graph import InteractionGraph
from shequn.labels import Index
from shequn.network import Clustering, Connectivity, ConnectivityStage, clustering, components, connectivity_stage
from shequn.network import triangles as triangles_module


def graph_of(*pairs: tuple[int, int], n: int | None = None) -> InteractionGraph:
    source, target = zip(*pairs, strict=True) if pairs else ((), ())
    return InteractionGraph.from_ties(list(source), list(target), n_members=n)


RING = ((0, 1), (1, 2), (2, 3), (3, 0))
CHAIN = tuple((i, i + 1) for i in range(9))


# --- components ---


def test_components_are_numbered_from_the_largest_then_by_their_first_member():
    found = components(graph_of((8, 7), (1, 2), (3, 9), (9, 4), n=10))
    assert found.codes.tolist() == [3, 1, 1, 0, 0, 4, 5, 2, 2, 0]
    assert found.sizes() == {0: 3, 1: 2, 2: 2, 3: 1, 4: 1, 5: 1}


def test_a_tie_links_whichever_way_it_points():
    assert components(graph_of((2, 0), (1, 2))).codes.tolist() == [0, 0, 0]


def test_nobody_makes_no_component():
    found = components(graph_of(n=0))
    assert len(found) == 0
    assert len(found.segments) == 0


@pytest.mark.parametrize("centre", [0, 500, 999])
def test_a_star_is_one_component_wherever_its_centre_stands(centre):
    found = components(graph_of(*((i, centre) for i in range(1000) if i != centre)))
    assert len(found.segments) == 1


def test_a_long_chain_in_any_order_is_one_component():
    order = np.random.default_rng(7).permutation(5_000)
    graph = InteractionGraph.from_ties(order[:-1], order[1:], n_members=5_001)
    assert components(graph).sizes() == {0: 5_000, 1: 1}


# --- stage ---


def test_a_crowd_where_most_have_no_tie_is_points():
    found = connectivity_stage(graph_of((0, 1), n=5))
    assert found.stage is ConnectivityStage.POINTS
    assert (found.n_isolates, found.isolates_share, found.n_components) == (3, 0.6, 4)


def test_exactly_half_without_ties_is_not_points_yet():
    assert connectivity_stage(graph_of((0, 1), n=4)).stage is ConnectivityStage.LINES


def test_a_chain_is_lines_and_a_ring_a_surface():
    assert connectivity_stage(graph_of(*CHAIN)).stage is ConnectivityStage.LINES
    assert connectivity_stage(graph_of(*RING)).stage is ConnectivityStage.SURFACE


def test_many_small_rings_are_no_surface():
    rings = [(a + 4 * k, b + 4 * k) for k in range(3) for a, b in RING]
    found = connectivity_stage(graph_of(*rings))
    assert found.mean_degree == 2.0
    assert found.giant_share == pytest.approx(1 / 3)
    assert found.stage is ConnectivityStage.LINES
    assert connectivity_stage(graph_of(*rings), min_giant=0.3).stage is ConnectivityStage.SURFACE


def test_a_pair_that_talks_both_ways_is_one_pair():
    found = connectivity_stage(graph_of((0, 1), (1, 0), (1, 2)))
    assert found.n_pairs == 2
    assert found.density == 2 / 3
    assert found.mean_degree == 4 / 3


def test_nobody_is_points_and_all_shares_are_unknown():
    found = connectivity_stage(graph_of(n=0))
    assert found.stage is ConnectivityStage.POINTS
    shares = (found.isolates_share, found.mean_degree, found.density, found.giant_share)
    assert all(math.isnan(share) for share in shares)
    assert found.explain() == "points: no members"
    assert found.explain(lang="zh") == "点：没有成员"
    assert "–" in str(found)


def test_one_member_has_no_density():
    found = connectivity_stage(graph_of(n=1))
    assert math.isnan(found.density)
    assert found.giant_share == 1.0


def test_the_stage_says_why():
    found = connectivity_stage(graph_of(*RING, n=5))
    assert found.explain() == (
        "lines: 20.0% without ties (points above 50.0%), 1.60 neighbours on average and 80.0% in the largest "
        "component (surface from 2.00 and 50.0% on)"
    )
    assert found.explain(lang="zh").startswith("线：20.0% 的成员没有任何往来")
    assert found.to_dict()["title"] == "connectivity: lines"
    assert found.to_columns()["value"][:3].tolist() == [5.0, 4.0, 1.0]
    assert repr(found) == "Connectivity(lines, 5 members, 4 pairs)"


@pytest.mark.parametrize(
    ("option", "value", "error", "text"),
    [
        ("max_isolates", 1.5, InvalidValueError, r"max_isolates: expected a number in \[0, 1\], got 1.5"),
        ("min_giant", math.nan, InvalidValueError, r"min_giant: expected a number in \[0, 1\], got nan"),
        ("min_degree", -1, InvalidValueError, "min_degree: expected a finite number of 0 or more, got -1"),
        ("min_degree", "2", InvalidTypeError, "min_degree: expected a number, got '2'"),
    ],
)
def test_a_threshold_that_cannot_be_used_is_refused(option, value, error, text):
    with pytest.raises(error, match=text):
        connectivity_stage(graph_of(*RING), **{option: value})


def test_no_part_of_a_community_is_larger_than_it():
    counts = {"n_members": 5, "n_pairs": 4, "n_isolates": 1, "n_components": 2, "n_giant": 4}
    with pytest.raises(InvalidValueError, match="n_giant: expected a number from 0 to 5, there being 5 members, got 6"):
        Connectivity(**{**counts, "n_giant": 6})
    with pytest.raises(
        InvalidValueError, match="n_pairs: expected a number from 0 to 10, there being 5 members, got -1"
    ):
        Connectivity(**{**counts, "n_pairs": -1})
    with pytest.raises(InvalidTypeError, match="n_members: expected an integer"):
        Connectivity(**{**counts, "n_members": 5.0})
    with pytest.raises(InvalidValueError, match="lang"):
        Connectivity(**counts).explain(lang="fr")


# --- clustering ---


def test_a_triangle_counts_once_for_each_of_its_members():
    found = clustering(graph_of((0, 1), (1, 0), (1, 2), (2, 0), (2, 3), n=5))
    assert found.triangles.tolist() == [1, 1, 1, 0, 0]
    assert found.degree.tolist() == [2, 2, 3, 1, 0]
    assert found.local.tolist() == [1.0, 1.0, 1 / 3, 0.0, 0.0]
    assert found.n_triangles == 1
    assert found.transitivity == 3 / 5
    assert found.mean_local == pytest.approx(7 / 15)


def test_clustering_of_nobody_is_unknown_and_of_a_tree_zero():
    nobody, tree = clustering(graph_of(n=0)), clustering(graph_of(*CHAIN))
    assert math.isnan(nobody.mean_local)
    assert math.isnan(nobody.transitivity)
    assert (tree.mean_local, tree.transitivity, tree.n_triangles) == (0.0, 0.0, 0)
    assert math.isnan(clustering(graph_of((0, 1))).transitivity)


def test_triangles_are_the_same_however_many_are_looked_up_at_once(monkeypatch):
    rng = np.random.default_rng(3)
    source, target = rng.integers(0, 60, (2, 600))
    graph = InteractionGraph.from_ties(source, target, self_ties="drop")
    at_once = clustering(graph).triangles
    monkeypatch.setattr(triangles_module, "_MOST_AT_ONCE", 7)
    np.testing.assert_array_equal(clustering(graph).triangles, at_once)
    assert at_once.sum() > 100


def test_clustering_has_one_number_a_member():
    with pytest.raises(MisalignedError, match="degree: expected one for each of 1 member"):
        Clustering(members=Index(["ann"]), triangles=[0], degree=[0, 1])


def test_clustering_speaks_chinese():
    found = clustering(graph_of((0, 1), (1, 2), (2, 0)))
    assert "传递性 100.0%，成员平均 100.0%" in found.table(lang="zh")
    assert repr(found) == "Clustering(3 members, 1 triangle)"


def test_each_member_has_a_record_of_how_knit_their_neighbours_are():
    found = clustering(graph_of((0, 1), (1, 2), (2, 0), (2, 3)))
    assert [(row.degree, row.triangles, row.local) for row in found.rows()] == [
        (2, 1, 1.0), (2, 1, 1.0), (3, 1, 1 / 3), (1, 0, 0.0),
    ]  # fmt: skip
    assert found.last().member == 3


@pytest.mark.parametrize("function", [components, connectivity_stage, clustering])
def test_only_a_graph_is_connected(function):
    with pytest.raises(InvalidTypeError, match="graph: expected an InteractionGraph, got 'x'"):
        function("x")
