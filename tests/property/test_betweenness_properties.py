"""What holds of betweenness in every network, by the definition: list all shortest paths, and count."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shequn.graph import InteractionGraph
from shequn.network import betweenness, betweenness_centralisation


@st.composite
def graphs(draw: st.DrawFn) -> InteractionGraph:
    n = draw(st.integers(0, 7))
    tie = st.tuples(st.integers(0, max(n - 1, 0)), st.integers(0, max(n - 1, 0)))
    ties = draw(st.lists(tie, max_size=16)) if n else []
    source, target = zip(*ties, strict=True) if ties else ((), ())
    return InteractionGraph.from_ties(list(source), list(target), n_members=n, self_ties="drop")


directions = st.sampled_from(["both", "out"])


def shortest_paths(near: dict[int, set[int]], start: int, end: int) -> list[tuple[int, ...]]:
    """Return all shortest paths, by trying all paths of one tie, of two, …"""
    paths = [(start,)]
    for _ in near:
        found = [path for path in paths if path[-1] == end]
        if found:
            return found
        paths = [(*path, member) for path in paths for member in sorted(near[path[-1]]) if member not in path]
    return [path for path in paths if path[-1] == end]


def slow_betweenness(graph: InteractionGraph, direction: str) -> list[float]:
    near: dict[int, set[int]] = {member: set() for member in range(len(graph))}
    for u, v in zip(graph.source.tolist(), graph.target.tolist(), strict=True):
        near[u].add(v)
        if direction == "both":
            near[v].add(u)
    score = [0.0] * len(graph)
    for start, end in permutations(near, 2):
        paths = shortest_paths(near, start, end)
        for path in paths:
            for member in path[1:-1]:
                score[member] += (0.5 if direction == "both" else 1.0) / len(paths)
    return score


@given(graphs(), directions)
def test_scores_are_those_of_the_definition(graph, direction):
    np.testing.assert_allclose(betweenness(graph, direction=direction).score, slow_betweenness(graph, direction))


@given(graphs(), directions, st.data())
def test_the_order_of_members_does_not_matter(graph, direction, data):
    at = np.array(data.draw(st.permutations(range(len(graph)))), dtype=np.int64)
    turned = InteractionGraph.from_ties(at[graph.source], at[graph.target], n_members=len(graph))
    one, other = betweenness(graph, direction=direction), betweenness(turned, direction=direction)
    np.testing.assert_allclose(other.score[at], one.score, atol=1e-12)
    np.testing.assert_allclose(other.centralisation, one.centralisation, atol=1e-12)


@given(graphs(), directions)
def test_centralisation_is_a_share(graph, direction):
    found = betweenness_centralisation(graph, direction=direction)
    if len(graph) > 2:
        assert -1e-12 <= found <= 1 + 1e-12


@given(graphs())
def test_turning_all_ties_round_changes_nothing(graph):
    turned = InteractionGraph.from_ties(graph.target, graph.source, n_members=len(graph))
    np.testing.assert_allclose(
        betweenness(turned, direction="out").score, betweenness(graph, direction="out").score, atol=1e-12
    )


@given(graphs(), directions, st.integers(1, 7), st.integers(0, 9))
def test_a_sample_is_between_nothing_and_all(graph, direction, sample, seed):
    found = betweenness(graph, direction=direction, sample=sample, rng=seed)
    exact = betweenness(graph, direction=direction).score
    assert (found.score >= 0).all()
    assert (found.score[exact == 0] == 0).all()
    if found.n_sampled is not None:
        assert found.n_sampled == sample < len(graph)
