from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from shequn.errors import InfeasibleError, InvalidValueError, UnknownLabelError
from shequn.graph import InteractionGraph
from shequn.labels import Index
from shequn.sharding.change import MoveReason
from shequn.sharding.shards import Shards
from shequn.sharding.staffing import staff


def groups(ties, codes, **options):
    u, v, w = zip(*ties, strict=True) if ties else ((), (), ())
    graph = InteractionGraph.from_ties(
        np.array(u, dtype=int), np.array(v, dtype=int), np.array(w, dtype=int), members=Index(np.arange(len(codes)))
    )
    return Shards.of(graph, codes, sizes=(1, 9), **options), graph


def test_groups_that_have_their_leaders_stay_as_they_are():
    shards, graph = groups([(0, 1, 1)], [0, 0, 1, 1], leaders=[0, 2], min_leaders=1)
    change = staff(shards, graph)
    assert change.n_moves == 0
    assert change.shards == shards


def test_without_leaders_asked_for_nothing_happens():
    shards, graph = groups([(0, 1, 1)], [0, 0, 1, 1])
    assert staff(shards, graph).shards == shards


def test_the_swap_that_loses_least_is_made():
    # 0 and 1 can lead; 1 knows 3, who stays, and 2 knows nobody.
    shards, graph = groups([(0, 4, 5), (1, 3, 2)], [0, 0, 1, 1, 0], leaders=[0, 1])
    change = staff(shards, graph, min_leaders=1)
    assert sorted(zip(change.moves.member.tolist(), change.moves.to_group.tolist(), strict=True)) == [(1, 1), (2, 0)]
    assert change.moves.reason.tolist() == [MoveReason.LEADER] * 2
    assert change.kept_after == 1.0


def test_one_swap_is_as_good_as_the_best_of_all_swaps():
    rng = np.random.default_rng(5)
    for _ in range(40):
        codes = np.repeat(np.arange(4), 5)
        u, v = np.nonzero(np.triu(rng.random((20, 20)) < 0.3, 1))
        graph = InteractionGraph.from_ties(u, v, rng.integers(1, 9, len(u)), members=Index(np.arange(20)))
        leaders = [0, 1, 5, 6, 10, 11]  # none in the last group
        change = staff(Shards.of(graph, codes, sizes=(1, 9)), graph, leaders=leaders, min_leaders=1)
        best = 0
        for leader, other in product(leaders, range(15, 20)):
            swapped = codes.copy()
            swapped[[leader, other]] = codes[[other, leader]]
            best = max(best, Shards.of(graph, swapped, sizes=(1, 9)).kept_weight)
        assert change.shards.kept_weight == best


def test_a_leader_does_not_change_places_with_whom_they_know_best():
    # 0 leads and knows 2, the loosest of the other group; 3 goes instead, whom less holds there than is won.
    shards, graph = groups([(0, 2, 4), (3, 4, 1), (1, 5, 2)], [0, 0, 1, 1, 1, 0], leaders=[0, 1])
    change = staff(shards, graph, min_leaders=1)
    assert change.moves.member.tolist() == [0, 3]
    assert change.shards.kept_weight == 6


def test_a_group_short_of_several_leaders_gets_them_one_by_one():
    shards, graph = groups([(0, 1, 1), (2, 3, 1)], [0, 0, 0, 1, 1, 1, 2, 2, 2])
    change = staff(shards, graph, leaders=[0, 1, 2, 3, 4, 5], min_leaders=2)
    assert change.shards.n_leaders.tolist() == [2, 2, 2]
    assert change.n_moves == 4


def test_more_leaders_than_are_asked_stay_worth_asking():
    # Beyond the leaders with the fewest ties, one who knows the group is found.
    codes = np.array([0] * 117 + [1] * 3)
    pairs = [(member, member + 1, 1) for member in range(0, 116, 2)]
    shards, graph = groups([(116, 117, 7), (117, 118, 9), (116, 0, 1), *pairs], codes, leaders=list(range(117)))
    change = staff(shards, graph, min_leaders=1)
    assert change.moves.member.tolist() == [116, 119]
    assert change.shards.kept_weight == shards.kept_weight + 6


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"leaders": [0], "min_leaders": 1}, InfeasibleError, "leaders: expected at least 2, 1 for each of 2 groups"),
        ({"min_leaders": 1}, InfeasibleError, "leaders: expected at least 2"),
        ({"min_leaders": -1}, InvalidValueError, "min_leaders: expected 0 or more"),
        ({"leaders": [0, 1, 2, 3, 4, 5], "min_leaders": 3}, InfeasibleError, "min_leaders: expected at most the 2"),
        ({"min_leaders": 10**5000}, InvalidValueError, "min_leaders: expected a number of members"),
        ({"leaders": [9]}, UnknownLabelError, "leaders: expected one of 6 known labels"),
    ],
)
def test_what_cannot_be_staffed_is_refused(options, error, text):
    shards, graph = groups([], [0, 0, 0, 0, 1, 1])
    with pytest.raises(error, match=text):
        staff(shards, graph, **options)
