from __future__ import annotations

import copy
import math
from itertools import combinations

import attrs
import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError
from shequn.graph import InteractionGraph
from shequn.labels import Index
from shequn.network import Betweenness, _betweenness, betweenness, betweenness_centralisation, paths


def chain(n: int) -> InteractionGraph:
    return InteractionGraph.from_ties(list(range(n - 1)), list(range(1, n)), n_members=n)


def diamonds(k: int) -> InteractionGraph:
    """Return a chain of k squares, each of which doubles the number of shortest paths."""
    left = 3 * np.arange(k)
    source = np.concatenate([left, left, left + 1, left + 2])
    target = np.concatenate([left + 1, left + 2, left + 3, left + 3])
    return InteractionGraph.from_ties(source, target)


def random_graph(n: int = 60, m: int = 200, seed: int = 3) -> InteractionGraph:
    source, target = np.random.default_rng(seed).integers(0, n, (2, m))
    return InteractionGraph.from_ties(source, target, n_members=n, self_ties="drop")


def test_who_stands_in_the_middle_of_a_chain_is_passed_by_all_pairs_across():
    assert betweenness(chain(5)).score.tolist() == [0.0, 3.0, 4.0, 3.0, 0.0]
    assert betweenness(chain(5), direction="out").score.tolist() == [0.0, 3.0, 4.0, 3.0, 0.0]


def test_two_ways_as_short_share_a_pair():
    square = InteractionGraph.from_ties([0, 1, 2, 3], [1, 2, 3, 0])
    assert betweenness(square).score.tolist() == [0.5] * 4
    assert betweenness(square, direction="out").score.tolist() == [3.0] * 4


def test_weights_have_no_say():
    light, heavy = (InteractionGraph.from_ties([0, 1, 2], [1, 2, 0], weight) for weight in ([1, 1, 1], [9, 1, 4]))
    np.testing.assert_array_equal(betweenness(light).score, betweenness(heavy).score)


def test_a_star_is_fully_centralised_and_a_ring_not_at_all():
    star = InteractionGraph.from_ties([0] * 5, [1, 2, 3, 4, 5])
    assert betweenness_centralisation(star) == 1.0
    assert betweenness_centralisation(star, direction="out") == 0.0
    assert betweenness_centralisation(InteractionGraph.from_ties([0, 1, 2, 3], [1, 2, 3, 0])) == 0.0


@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("direction", ["both", "out"])
def test_of_two_nobody_stands_between_others(n, direction):
    found = betweenness(InteractionGraph.from_ties([], [], n_members=n), direction=direction)
    assert found.score.tolist() == [0.0] * n
    assert np.isnan(found.relative).all()
    assert math.isnan(found.centralisation)
    assert "centralisation –" in str(found)


def test_more_shortest_paths_than_a_number_holds_are_still_counted():
    """Between the ends of 1,100 squares there are 2**1100 shortest paths; the two ways round each are alike."""
    many = betweenness(diamonds(1_100), sample=3, rng=1)
    corners = many.score.reshape(-1)[:-1].reshape(-1, 3)
    assert np.isfinite(many.score).all()
    np.testing.assert_allclose(corners[:, 1], corners[:, 2], rtol=1e-9)


def test_logarithms_give_the_same_scores(monkeypatch):
    exact = betweenness(diamonds(20))
    walk = paths._walk
    monkeypatch.setattr(paths, "_walk", lambda *given: (walk(*given)[0], np.array([np.inf])))
    np.testing.assert_allclose(betweenness(diamonds(20)).score, exact.score, rtol=1e-11)


def test_the_answer_does_not_depend_on_how_many_sources_go_at_once(monkeypatch):
    whole, sampled = betweenness(random_graph()), betweenness(random_graph(), sample=25, rng=2)
    monkeypatch.setattr(paths, "_ENTRIES", 1)
    np.testing.assert_allclose(betweenness(random_graph()).score, whole.score, rtol=1e-12)
    one_by_one = betweenness(random_graph(), sample=25, rng=2)
    np.testing.assert_allclose(one_by_one.score, sampled.score, rtol=1e-12)
    np.testing.assert_allclose(one_by_one.standard_error, sampled.standard_error, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("direction", ["both", "out"])
def test_over_all_samples_there_are_the_estimate_and_its_squared_error_are_exact(monkeypatch, direction):
    graph = random_graph(7, 14)
    drawn = []
    for some in combinations(range(7), 3):
        monkeypatch.setattr(_betweenness, "_sources", lambda *_given, some=some: np.array(some))
        drawn.append(betweenness(graph, direction=direction, sample=3))
    monkeypatch.undo()
    scores = np.array([found.score for found in drawn])
    exact = betweenness(graph, direction=direction).score
    np.testing.assert_allclose(scores.mean(axis=0), exact, atol=1e-12)
    squared = np.mean([found.standard_error**2 for found in drawn], axis=0)
    np.testing.assert_allclose(squared, scores.var(axis=0), atol=1e-12)
    assert squared.max() > 0


def test_a_sample_of_all_is_no_estimate():
    found = betweenness(chain(5), sample=9, rng=1)
    assert found.n_sampled is None
    assert found.standard_error is None
    assert betweenness(chain(5), sample=5).score.tolist() == betweenness(chain(5)).score.tolist()


def test_a_sample_of_one_knows_no_error():
    found = betweenness(chain(5), sample=1, rng=1)
    assert np.isnan(found.standard_error).all()
    assert "–" in str(found)


def test_an_estimate_says_that_it_is_one():
    found = betweenness(random_graph(), sample=20, rng=7)
    assert "estimated from the paths of 20 of 60 members, drawn by lot" in str(found)
    assert "估计值：仅从 60 人中抽取的 20 人出发" in found.table(lang="zh")
    assert "标准误" in found.table(lang="zh")
    assert repr(found) == "Betweenness(60 members, estimated from 20)"
    assert list(found.to_columns()) == ["rank", "member", "score", "error", "relative"]
    np.testing.assert_array_equal(betweenness(random_graph(), sample=20, rng=7).score, found.score)


def test_the_first_is_who_stands_between_most():
    found = betweenness(chain(5))
    assert found.rank.tolist() == [4, 2, 1, 3, 5]
    assert found.to_columns()["member"].tolist() == [2, 1, 3, 0, 4]
    assert found.relative.tolist() == [0.0, 0.5, 4 / 6, 0.5, 0.0]
    assert "居间对数" in found.table(lang="zh")


def test_each_member_has_a_record_and_an_exact_score_no_error():
    first, *_, last = betweenness(chain(5)).rows()
    assert (first.rank, first.member, first.score, first.relative) == (1, 2, 4.0, 4 / 6)
    assert np.isnan(first.error)
    assert (last.rank, last.member, last.score) == (5, 4, 0.0)
    estimate = betweenness(random_graph(), sample=20, rng=7)
    assert [row.error for row in estimate.rows()] == estimate.to_columns()["error"].tolist()
    assert repr(betweenness(chain(1))) == "Betweenness(1 member, exact)"


def test_progress_is_told():
    told: list[tuple[int, int]] = []
    betweenness(chain(5), progress=lambda done, total: told.append((done, total)))
    assert told == [(5, 5)]


@pytest.mark.parametrize("function", [betweenness, betweenness_centralisation])
def test_only_a_graph_has_members_in_between(function):
    with pytest.raises(InvalidTypeError, match="graph: expected an InteractionGraph, got None"):
        function(None)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"direction": "in"}, InvalidValueError, "direction: expected one of 'both', 'out', got 'in'"),
        ({"sample": 0}, InvalidValueError, "sample: expected at least 1 member, or None for all, got 0"),
        ({"sample": 0.5}, InvalidTypeError, "sample: expected an integer, got 0.5"),
        ({"sample": 2, "rng": "x"}, InvalidTypeError, "rng: expected a seed"),
        ({"progress": 3}, InvalidTypeError, r"progress: expected a function of \(done, total\), or None, got 3"),
    ],
)
def test_what_cannot_be_asked_is_refused(options, error, text):
    with pytest.raises(error, match=text):
        betweenness(chain(5), **options)


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        ({"score": [1.0]}, MisalignedError, "score: expected one for each of the 3 members"),
        ({"score": [0, -1, 0]}, InvalidValueError, "score: expected finite numbers of 0 or more, got -1.0 at row 1"),
        ({"score": [0, math.nan, 0]}, InvalidValueError, "score: expected finite numbers of 0 or more, got nan"),
        ({"direction": "in"}, InvalidValueError, "direction"),
        ({"members": None}, InvalidTypeError, "members: expected an Index"),
        ({"n_sampled": 2}, InvalidValueError, "n_sampled: expected from 1 to less than the 3 members"),
        ({"n_sampled": 3, "standard_error": [0, 0, 0]}, InvalidValueError, "n_sampled: expected from 1 to less than"),
        ({"standard_error": [0, 0, 0]}, InvalidValueError, "standard_error: expected None where n_sampled is None"),
        ({"n_sampled": 2, "standard_error": [0, -1, 0]}, InvalidValueError, "standard_error: expected numbers of 0"),
        ({"n_sampled": 2, "standard_error": [0]}, MisalignedError, "standard_error: expected one for each"),
    ],
)
def test_a_result_checks_its_fields(fields, error, text):
    found = Betweenness(members=Index(["ann", "bo", "cy"]), score=[0, 1, 0])
    with pytest.raises(error, match=text):
        attrs.evolve(found, **fields)


def test_copies_are_read_only():
    found = copy.deepcopy(betweenness(random_graph(), sample=20, rng=7))
    assert not found.score.flags.writeable
    assert not found.standard_error.flags.writeable
