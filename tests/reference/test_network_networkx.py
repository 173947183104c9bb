"""What the room `network` computes is what networkx does, on random graphs and on shapes that are hard."""

from __future__ import annotations

import math

import numpy as np
import pytest

from shequn.graph import InteractionGraph
from shequn.network import (
    clustering,
    components,
    concentration,
    connectivity_stage,
    core_numbers,
    degree_centralisation,
    degrees,
    dependence,
    pagerank,
    reciprocity,
    tie_strength,
)

nx = pytest.importorskip("networkx")


def random_ties(n: int, m: int, seed: int, *, heavy: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    chance = rng.pareto(1.2, n) if heavy else np.ones(n)
    source, target = rng.choice(n, (2, m), p=chance / chance.sum())
    other = source != target
    return source[other], target[other], rng.integers(1, 9, int(other.sum()))


def chain(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    order = np.random.default_rng(1).permutation(n)
    return order[:-1], order[1:], np.arange(1, n)


CASES = {
    "sparse": (400, random_ties(400, 250, 1, heavy=False)),
    "even": (300, random_ties(300, 1_500, 2, heavy=False)),
    "heavy-tailed": (400, random_ties(400, 2_500, 3, heavy=True)),
    "dense": (60, random_ties(60, 3_000, 4, heavy=False)),
    "chain": (300, chain(300)),
    "no ties": (5, (np.zeros(0, int), np.zeros(0, int), np.zeros(0, int))),
    "one member": (1, (np.zeros(0, int), np.zeros(0, int), np.zeros(0, int))),
}


@pytest.fixture(params=CASES)
def case(request):
    """Return the same graph three times: ours, directed and undirected."""
    n, (source, target, weight) = CASES[request.param]
    ours = InteractionGraph.from_ties(source, target, weight, n_members=n)
    directed = nx.DiGraph()
    directed.add_nodes_from(range(n))
    directed.add_weighted_edges_from(zip(ours.source.tolist(), ours.target.tolist(), ours.weight.tolist(), strict=True))
    return ours, directed, directed.to_undirected()


def in_order(values: dict, n: int) -> list:
    return [values[member] for member in range(n)]


@pytest.mark.parametrize(("weight", "theirs"), [("weight", "weight"), ("equal", None)])
@pytest.mark.parametrize("damping", [0.85, 0.5])
def test_pagerank(case, weight, theirs, damping):
    pytest.importorskip("scipy")
    ours, directed, _ = case
    expected = nx.pagerank(directed, alpha=damping, tol=1e-15, max_iter=10_000, weight=theirs)
    found = pagerank(ours, damping=damping, tol=1e-12, weight=weight)
    assert found.converged
    np.testing.assert_allclose(found.score, in_order(expected, len(ours)), rtol=0, atol=1e-11)


def test_core_numbers(case):
    ours, _, undirected = case
    assert core_numbers(ours).tolist() == in_order(nx.core_number(undirected), len(ours))


def test_components(case):
    ours, _, undirected = case
    found = components(ours)
    mine = {frozenset(np.flatnonzero(found.codes == code).tolist()) for code in range(len(found.segments))}
    assert mine == set(map(frozenset, nx.connected_components(undirected)))
    assert list(found.sizes().values()) == sorted(map(len, mine), reverse=True)


def test_triangles_and_clustering(case):
    ours, _, undirected = case
    found = clustering(ours)
    assert found.triangles.tolist() == in_order(nx.triangles(undirected), len(ours))
    np.testing.assert_allclose(found.local, in_order(nx.clustering(undirected), len(ours)), atol=1e-12)
    assert found.mean_local == pytest.approx(nx.average_clustering(undirected))
    if not math.isnan(found.transitivity):  # networkx calls it 0 where nobody has two neighbours
        assert found.transitivity == pytest.approx(nx.transitivity(undirected))


def test_degrees(case):
    ours, directed, undirected = case
    found = degrees(ours)
    n = len(ours)
    assert found.n_out.tolist() == in_order(dict(directed.out_degree()), n)
    assert found.n_in.tolist() == in_order(dict(directed.in_degree()), n)
    assert found.n_both.tolist() == in_order(dict(undirected.degree()), n)
    assert found.sent.tolist() == in_order(dict(directed.out_degree(weight="weight")), n)
    assert found.received.tolist() == in_order(dict(directed.in_degree(weight="weight")), n)


def test_reciprocity(case):
    ours, directed, _ = case
    if ours.n_ties:
        assert reciprocity(ours) == pytest.approx(nx.overall_reciprocity(directed))
    else:
        assert math.isnan(reciprocity(ours))


def test_density_isolates_and_mean_degree(case):
    ours, _, undirected = case
    found = connectivity_stage(ours)
    assert found.n_isolates == len(list(nx.isolates(undirected)))
    assert found.n_pairs == undirected.number_of_edges()
    assert found.n_giant == max(map(len, nx.connected_components(undirected)))
    if len(ours) > 1:
        assert found.density == pytest.approx(nx.density(undirected))


def test_common_neighbours_and_overlap_of_each_pair(case):
    ours, _, undirected = case
    found = tie_strength(ours)
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert pairs == sorted(tuple(sorted(edge)) for edge in undirected.edges())
    assert found.common.tolist() == [len(list(nx.common_neighbors(undirected, u, v))) for u, v in pairs]
    for (u, v), overlap in zip(pairs, found.overlap.tolist(), strict=True):
        either = (set(undirected[u]) | set(undirected[v])) - {u, v}
        shared = set(undirected[u]) & set(undirected[v])
        assert overlap == pytest.approx(len(shared) / len(either) if either else 0.0)


def test_degree_centralisation(case):
    ours, _, undirected = case
    central = list(nx.degree_centrality(undirected).values())
    if len(ours) > 2:
        n = len(ours)
        expected = sum(max(central) - c for c in central) * (n - 1) / ((n - 1) * (n - 2))
        assert degree_centralisation(ours) == pytest.approx(expected)


def test_the_removal_test(case):
    ours, directed, _ = case
    who = list(range(0, len(ours), 7))
    found = dependence(ours, who=who)
    left = directed.copy()
    left.remove_nodes_from(who)
    parts = list(nx.connected_components(left.to_undirected()))
    assert found.after.n_others == left.number_of_nodes()
    assert found.after.n_giant == max(map(len, parts), default=0)
    assert found.after.talk == left.size(weight="weight")
    assert found.before.talk == directed.size(weight="weight")
    assert found.after.n_answered == sum(left.in_degree(node) > 0 for node in left)
    assert found.before.n_answered == sum(directed.in_degree(node) > 0 for node in left)


# --- concentration, in plain Python ---


@pytest.mark.parametrize("seed", range(12))
def test_concentration(seed):
    rng = np.random.default_rng(seed)
    values = np.floor(rng.pareto(1.0, int(rng.integers(1, 40))) * 10).astype(int).tolist()
    values.append(1)
    n, total = len(values), sum(values)
    found = concentration(values)
    assert found.hhi == pytest.approx(sum((x / total) ** 2 for x in values))
    assert found.gini == pytest.approx(sum(abs(a - b) for a in values for b in values) / (2 * n * total))
    falling = sorted(values, reverse=True)
    assert found.absence_factor == next(k for k in range(1, n + 1) if 2 * sum(falling[:k]) > total)
    for k in (1, 3, 10):
        assert found.top_share(k) == pytest.approx(sum(falling[:k]) / total)
