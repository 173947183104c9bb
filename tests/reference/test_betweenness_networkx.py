"""Betweenness is that of networkx, and what a sample says of its own error is true."""

from __future__ import annotations

import numpy as np
import pytest

from shequn.graph import InteractionGraph
from shequn.network import betweenness, betweenness_centralisation
from shequn.network.paths import dependencies

nx = pytest.importorskip("networkx")


def random_ties(n: int, m: int, seed: int, *, heavy: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    chance = rng.pareto(1.2, n) if heavy else np.ones(n)
    return tuple(rng.choice(n, (2, m), p=chance / chance.sum()))


def chain(n: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.default_rng(1).permutation(n)
    return order[:-1], order[1:]


def of_networkx(graph: object) -> tuple[int, tuple[np.ndarray, np.ndarray]]:
    numbered = nx.convert_node_labels_to_integers(graph)
    return len(numbered), tuple(np.array(numbered.edges(), dtype=np.int64).reshape(-1, 2).T)


CASES = {
    "even": (200, random_ties(200, 700, 1, heavy=False)),
    "heavy-tailed": (250, random_ties(250, 900, 2, heavy=True)),
    "in many parts": (200, random_ties(200, 150, 3, heavy=False)),
    "dense": (60, random_ties(60, 3_000, 4, heavy=False)),
    "chain": (120, chain(120)),
    "tree": of_networkx(nx.balanced_tree(3, 4)),
    "grid": of_networkx(nx.grid_2d_graph(9, 11)),
    "les misérables": of_networkx(nx.les_miserables_graph()),
    "karate club": of_networkx(nx.karate_club_graph()),
    "no ties": (5, (np.zeros(0, int), np.zeros(0, int))),
}


@pytest.fixture(params=CASES)
def case(request):
    """Return the same graph twice: ours, and networkx's, directed."""
    n, (source, target) = CASES[request.param]
    ours = InteractionGraph.from_ties(source, target, n_members=n, self_ties="drop")
    theirs = nx.DiGraph()
    theirs.add_nodes_from(range(n))
    theirs.add_edges_from(zip(ours.source.tolist(), ours.target.tolist(), strict=True))
    return ours, theirs


@pytest.mark.parametrize("direction", ["both", "out"])
def test_betweenness(case, direction):
    ours, theirs = case
    graph = theirs.to_undirected() if direction == "both" else theirs
    found = betweenness(ours, direction=direction)
    expected = nx.betweenness_centrality(graph, normalized=True)
    np.testing.assert_allclose(found.relative, [expected[i] for i in range(len(ours))], rtol=0, atol=1e-12)
    expected = nx.betweenness_centrality(graph, normalized=False)
    np.testing.assert_allclose(found.score, [expected[i] for i in range(len(ours))], rtol=1e-9, atol=1e-9)
    relative = list(expected.values())
    n = len(ours)
    pairs = (n - 1) * (n - 2) / (2 if direction == "both" else 1)
    freeman = sum(max(relative) - b for b in relative) / pairs / (n - 1)
    assert betweenness_centralisation(ours, direction=direction) == pytest.approx(freeman, abs=1e-12)


def test_the_dependencies_of_some_sources_are_those_of_networkx():
    n, (source, target) = CASES["heavy-tailed"]
    ours = InteractionGraph.from_ties(source, target, n_members=n, self_ties="drop")
    theirs = nx.DiGraph()
    theirs.add_nodes_from(range(n))
    theirs.add_edges_from(zip(ours.source.tolist(), ours.target.tolist(), strict=True))
    some = np.arange(0, n, 9)
    expected = nx.betweenness_centrality_subset(theirs, some.tolist(), list(range(n)), normalized=False)
    found, _ = dependencies(ours.neighbours("out"), some)
    np.testing.assert_allclose(found, [expected[i] for i in range(n)], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("direction", ["both", "out"])
def test_samples_are_right_on_average_and_as_far_off_as_they_say(direction):
    n, (source, target) = CASES["even"]
    graph = InteractionGraph.from_ties(source, target, n_members=n, self_ties="drop")
    exact = betweenness(graph, direction=direction).score
    drawn = [betweenness(graph, direction=direction, sample=40, rng=seed) for seed in range(300)]
    scores = np.array([found.score for found in drawn])
    claimed = np.mean([found.standard_error**2 for found in drawn], axis=0)
    true = scores.var(axis=0, ddof=1)
    passed = true > 0
    z = (scores.mean(axis=0) - exact)[passed] / np.sqrt(true[passed] / len(drawn))
    assert abs(z).max() < 4.5
    assert z.std() < 1.3
    np.testing.assert_allclose(claimed[passed].sum(), true[passed].sum(), rtol=0.05)
    inside = np.abs(scores - exact) <= 1.96 * np.array([found.standard_error for found in drawn])
    assert 0.65 < inside[:, passed].mean() < 0.9  # as its notes say: the error is right, and no interval
