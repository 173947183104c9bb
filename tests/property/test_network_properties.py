"""What holds of every network: numbers don't depend on the order of members, and parts add up."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

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
    grassroots_leaders,
    pagerank,
    reciprocity,
    tie_strength,
    tie_transitions,
)
from shequn.network.whom import mask_of


@st.composite
def graphs(draw: st.DrawFn, *, n_members: int | None = None) -> InteractionGraph:
    n = draw(st.integers(0, 12)) if n_members is None else n_members
    tie = st.tuples(st.integers(0, max(n - 1, 0)), st.integers(0, max(n - 1, 0)), st.integers(1, 9))
    ties = draw(st.lists(tie, max_size=40)) if n else []
    source, target, weight = zip(*ties, strict=True) if ties else ((), (), ())
    return InteractionGraph.from_ties(list(source), list(target), list(weight), n_members=n, self_ties="drop")


@st.composite
def graphs_in_two_orders(draw: st.DrawFn) -> tuple[InteractionGraph, InteractionGraph, np.ndarray]:
    """Draw a graph, the same with its members in another order, and where each member stands there."""
    graph = draw(graphs())
    at = np.array(draw(st.permutations(range(len(graph)))), dtype=np.int64)
    turned = InteractionGraph.from_ties(at[graph.source], at[graph.target], graph.weight, n_members=len(graph))
    return graph, turned, at


def slow_cores(graph: InteractionGraph) -> list[int]:
    """Take away whoever has fewer than k neighbours until nobody has, for each k."""
    near: dict[int, set[int]] = {member: set() for member in range(len(graph))}
    for u, v in zip(graph.source.tolist(), graph.target.tolist(), strict=True):
        near[u].add(v)
        near[v].add(u)
    core = dict.fromkeys(near, 0)
    for k in range(1, len(graph) + 1):
        left = set(near)
        while weak := {member for member in left if len(near[member] & left) < k}:
            left -= weak
        core.update(dict.fromkeys(left, k))
    return list(core.values())


def slow_components(graph: InteractionGraph) -> list[set[int]]:
    parts = [{member} for member in range(len(graph))]
    for u, v in zip(graph.source.tolist(), graph.target.tolist(), strict=True):
        one, other = (next(part for part in parts if member in part) for member in (u, v))
        if one is not other:
            parts.remove(other)
            one |= other
    return parts


@given(graphs())
def test_cores_and_components_are_those_of_the_slow_way(graph):
    assert core_numbers(graph).tolist() == slow_cores(graph)
    found = components(graph)
    mine = [set(np.flatnonzero(found.codes == code).tolist()) for code in range(len(found.segments))]
    assert sorted(map(sorted, mine)) == sorted(map(sorted, slow_components(graph)))
    assert [(-len(part), min(part)) for part in mine] == sorted((-len(part), min(part)) for part in mine)


@given(graphs_in_two_orders())
def test_the_order_of_members_does_not_matter(drawn):
    graph, turned, at = drawn
    np.testing.assert_array_equal(core_numbers(turned)[at], core_numbers(graph))
    np.testing.assert_array_equal(clustering(turned).triangles[at], clustering(graph).triangles)
    np.testing.assert_allclose(pagerank(turned).score[at], pagerank(graph).score, atol=1e-9)
    np.testing.assert_array_equal(degrees(turned).n_both[at], degrees(graph).n_both)
    assert connectivity_stage(turned) == connectivity_stage(graph)
    np.testing.assert_equal(degree_centralisation(turned), degree_centralisation(graph))
    np.testing.assert_allclose(np.sort(tie_strength(turned).strength), np.sort(tie_strength(graph).strength))


@given(graphs())
def test_parts_add_up(graph):
    n = len(graph)
    found = degrees(graph)
    assert found.sent.sum() == found.received.sum() == graph.weight.sum()
    assert found.n_out.sum() == found.n_in.sum() == graph.n_ties
    assert found.n_both.sum() == 2 * connectivity_stage(graph).n_pairs == 2 * len(tie_strength(graph))
    knit = clustering(graph)
    assert knit.triangles.sum() == 3 * knit.n_triangles == tie_strength(graph).common.sum()
    score = pagerank(graph).score
    assert (score > 0).all()
    assert abs(score.sum() - (n > 0)) < 1e-9
    if graph.n_ties:
        assert 0 <= reciprocity(graph) <= 1


@given(graphs())
def test_the_score_is_a_fixed_point(graph):
    """One more round, by the formula, moves nothing."""
    n = len(graph)
    if not n:
        return
    score = pagerank(graph, tol=1e-13).score
    step = np.zeros((n, n))
    step[graph.source, graph.target] = graph.weight
    silent = step.sum(axis=1) == 0
    step[silent] = 1
    step /= step.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(0.15 / n + 0.85 * score @ step, score, atol=1e-11)


@given(graphs(), st.data())
def test_who_leaves_takes_their_talk_along(graph, data):
    who = np.array(data.draw(st.lists(st.booleans(), min_size=len(graph), max_size=len(graph))), dtype=np.bool_)
    found = dependence(graph, who=who)
    touched = who[graph.source] | who[graph.target]
    assert found.before.talk - found.after.talk == graph.weight[touched].sum()
    assert found.after.n_others == found.before.n_others == (~who).sum()
    assert found.after.n_answered <= found.before.n_answered
    if not who.any():
        np.testing.assert_equal(
            (found.before.n_giant, found.before.centralisation), (found.after.n_giant, found.after.centralisation)
        )


@given(graphs(n_members=6), graphs(n_members=6))
def test_every_pair_is_in_one_cell_of_the_transitions(before, after):
    one, other = tie_strength(before), tie_strength(after)
    moved = tie_transitions(one, other)
    assert moved.counts.sum() == 15
    assert (moved.counts >= 0).all()
    assert moved.counts[1:].sum() == len(one)
    assert moved.counts[:, 1:].sum() == len(other)
    assert moved.counts[2].sum() == one.strong.sum()
    assert moved.counts[:, 2].sum() == other.strong.sum()
    assert tie_transitions(one, one).counts.trace() == 15


@given(graphs(), st.data())
def test_leaders_are_the_best_of_each_group_and_cover_is_counted_right(graph, data):
    n = len(graph)
    given_groups = data.draw(st.lists(st.sampled_from([None, "a", "b"]), min_size=n, max_size=n))
    exclude = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=np.bool_)
    top = data.draw(st.integers(1, 3))
    found = grassroots_leaders(graph, exclude=exclude, groups=dict(enumerate(given_groups)), top=top)
    assert not (found.mask & exclude).any()
    group = [None if out else label for label, out in zip(given_groups, exclude, strict=True)]
    ties = {
        (u, v)
        for u, v in zip(graph.source.tolist(), graph.target.tolist(), strict=True)
        if group[u] == group[v] is not None
    }
    for code, label in enumerate(found.groups):
        members = [member for member in range(n) if group[member] == label]
        leaders = [int(found.members[int(m)]) for m in found.member[found.group == code]]
        able = [m for m in members if any(u == m for u, _ in ties)]
        assert set(leaders) <= set(able)
        assert len(leaders) == min(top, len(able))
        score = found.score[found.group == code]
        assert (np.diff(score) <= 0).all()
        others = set(members) - set(leaders)
        reached_by = {m: {x for x in leaders if (m, x) in ties or (x, m) in ties} for m in others}
        covered = sum(bool(by) for by in reached_by.values())
        worst = max((sum(by == {x} for by in reached_by.values()) for x in leaders), default=0)
        assert found.succession.others[code] == len(others)
        assert found.succession.covered[code] == covered
        assert found.succession.covered_without_one[code] == covered - worst


@given(st.lists(st.integers(0, 1000), max_size=30))
def test_concentration_stays_within_its_bounds(values):
    found = concentration(values)
    if not sum(values):
        assert found.absence_factor == 0
        return
    k = found.n_contributors
    assert 1 / k - 1e-12 <= found.hhi <= 1 + 1e-12
    assert 0 <= found.gini <= 1 - 1 / len(values) + 1e-12
    assert 1 <= found.absence_factor <= k // 2 + 1
    assert found.top_share(k) == 1.0


@given(graphs(), st.data())
def test_a_mask_and_labels_mean_the_same(graph, data):
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(graph), max_size=len(graph))), dtype=np.bool_)
    labels = np.flatnonzero(mask).tolist()
    np.testing.assert_array_equal(mask_of(labels, graph.members, argument="who"), mask)
    np.testing.assert_array_equal(mask_of(mask, graph.members, argument="who"), mask)
