"""Groups grown from ties: what is kept, what is refused, and what is the same each time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from shequn.errors import InvalidValueError
from shequn.sharding.engine import (
    Groups,
    coarsening,
    fewest_moves,
    into_bounds,
    partition,
    refine,
    refinement,
    regions,
    repair,
)
from shequn.sharding.engine.coarsening import contract, grow, singles
from shequn.sharding.engine.moves import Wishes, allowed
from shequn.sharding.engine.sums import sort_rows
from shequn.sharding.engine.ties import Ties, by_degree, from_neighbours, from_pairs, whole_weights


class Neighbours(NamedTuple):
    offsets: Any
    neighbour: Any
    weight: Any


def ties_of(u: np.ndarray, v: np.ndarray, n: int, weight: np.ndarray | None = None) -> Ties:
    weight = np.ones(len(u), dtype=np.int64) if weight is None else weight
    return from_pairs(np.concatenate([u, v]), np.concatenate([v, u]), np.concatenate([weight, weight]), n)


def friends(n_groups: int, size: int, seed: int, outside: float = 0.2) -> tuple[Ties, np.ndarray]:
    """Circles of friends in which everybody knows eight others, and some strangers; members come in any order."""
    rng = np.random.default_rng(seed)
    n = n_groups * size
    circle = rng.permutation(np.arange(n) % n_groups)
    by_circle = np.argsort(circle, kind="stable").reshape(n_groups, size)
    u = np.repeat(np.arange(n), 8)
    v = by_circle[circle[u], rng.integers(0, size, len(u))]
    v = np.where(rng.random(len(u)) < outside, rng.integers(0, n, len(u)), v)
    pairs = np.unique(np.stack([np.minimum(u, v), np.maximum(u, v)])[:, u != v], axis=1)
    return ties_of(pairs[0], pairs[1], n), circle


def share_inside(ties: Ties, codes: np.ndarray) -> float:
    head = np.repeat(np.arange(ties.n_nodes), np.diff(ties.offsets))
    return float(ties.weight[codes[head] == codes[ties.neighbour]].sum() / ties.weight.sum())


def partitioned(ties: Any, bounds: tuple[int, int] = (26, 36), *, rounds: int = 2, seed: int = 1, **how: Any) -> Any:
    return partition(ties, bounds, rounds=rounds, rng=np.random.default_rng(seed), **how)


def test_circles_of_friends_are_found() -> None:
    ties, circle = friends(40, 30, seed=3)
    codes = partitioned(ties)
    assert share_inside(ties, codes) > 0.97 * share_inside(ties, circle)


def test_more_rounds_keep_no_less() -> None:
    ties, _ = friends(60, 45, seed=4, outside=0.4)
    few, many = (share_inside(ties, partitioned(ties, rounds=rounds)) for rounds in (0, 12))
    assert many > few


def test_members_of_dense_communities_far_above_the_largest_size_are_kept_together_better_than_by_chance() -> None:
    rng = np.random.default_rng(5)
    u = np.repeat(np.arange(600), 20)
    v = (u // 200) * 200 + rng.integers(0, 200, len(u))
    pairs = np.unique(np.stack([np.minimum(u, v), np.maximum(u, v)])[:, u != v], axis=1)
    ties = ties_of(pairs[0], pairs[1], 600)
    codes = partitioned(ties)
    assert np.bincount(codes).min() >= 26
    assert share_inside(ties, codes) > 4 * 30 / 600


@pytest.mark.parametrize("n", [52, 108, 26, 36])
def test_a_number_that_only_just_fits_is_split(n: int) -> None:
    star = ties_of(np.zeros(n - 1, dtype=np.int64), np.arange(1, n), n)
    sizes = np.bincount(partitioned(star))
    assert sizes.min() >= 26
    assert sizes.max() <= 36


def test_a_clique_of_five_hundred_is_cut_into_groups_of_one_size() -> None:
    u, v = np.triu_indices(500, 1)
    sizes = np.bincount(partitioned(ties_of(u, v, 500), (25, 25), rounds=1))
    assert sizes.tolist() == [25] * 20


def test_members_without_ties_have_groups_too() -> None:
    none = Neighbours(np.zeros(101, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
    sizes = np.bincount(partitioned(none))
    assert sizes.min() >= 26
    assert sizes.max() <= 36


def test_nobody_makes_no_groups() -> None:
    none = Neighbours(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
    assert partitioned(none).shape == (0,)


def test_a_start_is_improved() -> None:
    ties, circle = friends(20, 30, seed=6)
    shuffled = circle.copy()
    some = np.random.default_rng(0).choice(600, 60, replace=False)
    shuffled[some] = np.roll(shuffled[some], 1)
    codes = partitioned(ties, start=shuffled)
    assert share_inside(ties, codes) >= share_inside(ties, circle)
    assert np.mean(codes == circle) > 0.9


def test_a_heavy_tie_is_kept_however_large_the_numbers() -> None:
    u, v = np.arange(0, 59), np.arange(1, 60)
    weight = np.where(u % 2 == 0, 2**55, 1)
    codes = partitioned(ties_of(u, v, 60, weight), (2, 2))
    assert (codes[0::2] == codes[1::2]).all()


def test_weights_are_whole_numbers_of_one_or_more() -> None:
    assert whole_weights(np.array([3, 1])).tolist() == [3, 1]
    assert whole_weights(np.array([1.0, 1e-300])).tolist() == [2**20, 1]
    assert whole_weights(np.array([2**62, 2**61, 1])).tolist() == [2**20, 2**19, 1]
    assert whole_weights(np.array([], dtype=np.float64)).dtype == np.int64


def test_progress_is_told_to_the_last_step() -> None:
    told: list[tuple[int, int]] = []
    ties, _ = friends(4, 30, seed=1)
    partitioned(ties, rounds=3, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_answer_does_not_depend_on_how_the_work_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    ties, _ = friends(50, 30, seed=2)
    monkeypatch.setattr(regions, "_CROWD", 256)
    monkeypatch.setattr(refinement, "_ENTRIES", 1024)
    shared = partitioned(ties)
    for module in (regions, refinement):
        monkeypatch.setattr(module, "in_halves", lambda n, work, *, many: work(reversed(range(n))))  # noqa: ARG005
    assert partitioned(ties).tobytes() == shared.tobytes()


def test_input_is_not_written_to() -> None:
    ties, circle = friends(4, 30, seed=1)
    before = [field.copy() for field in ties], circle.copy()
    for field in (*ties, circle):
        field.setflags(write=False)
    partitioned(ties, start=circle)
    assert all((a == b).all() for a, b in zip(ties, before[0], strict=True))
    assert (circle == before[1]).all()


@pytest.mark.parametrize(
    ("bounds", "n", "text"),
    [
        ((26, 36), 25, r"bounds: expected bounds that 25 can be split within, got \(26, 36\)"),
        ((26, 36), 37, r"bounds: expected bounds that 37 can be split within, got \(26, 36\)"),
        ((3, 2), 6, r"bounds: expected a least size of 1 or more and a largest not below it, got \(3, 2\)"),
        ((0, 2), 6, r"bounds: expected a least size of 1 or more and a largest not below it, got \(0, 2\)"),
    ],
)
def test_bounds_that_cannot_be_held_are_refused(bounds: tuple[int, int], n: int, text: str) -> None:
    with pytest.raises(InvalidValueError, match=text):
        partitioned(Neighbours(np.zeros(n + 1, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)), bounds)


def lonely(n: int) -> Neighbours:
    return Neighbours(np.zeros(n + 1, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))


def test_pinned_nodes_that_need_too_many_groups_are_refused() -> None:
    pinned = np.array([-1, -1, 4, -1])
    with pytest.raises(InvalidValueError, match="bounds: expected bounds that 4 in at least 5 groups, as pinned, can"):
        partitioned(lonely(4), (1, 2), pinned=pinned)


def test_pinned_nodes_that_overfill_a_group_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="groups of 1 to 2 that hold these sizes and pinned nodes, and there"):
        partitioned(lonely(4), (1, 2), pinned=np.array([0, 0, 0, -1]))


def test_sizes_that_no_groups_hold_are_proved_not_to_fit() -> None:
    with pytest.raises(InvalidValueError, match="groups of 5 to 6 that hold these sizes and pinned nodes, and there"):
        partitioned(lonely(4), (5, 6), size=np.array([4, 4, 4, 4]))


def test_sizes_that_only_a_search_seats_are_seated() -> None:
    # Each rule fails: the largest first leaves 3 + 3 beside 2 + 2 + 2 unbalanced by turns.
    size = np.array([6, 5, 4, 4, 3, 3, 3, 2])
    codes = partitioned(lonely(8), (15, 15), size=size)
    assert np.bincount(codes, weights=size).tolist() == [15, 15]


def test_many_large_sizes_are_not_said_to_be_impossible() -> None:
    size = np.repeat(4, 30)
    with pytest.raises(InvalidValueError, match="found none; that there is none is not proved"):
        partitioned(lonely(30), (10, 11), size=size)


def test_a_search_that_takes_too_long_says_that_nothing_is_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shequn.sharding.engine.packing._STEPS", 3)
    with pytest.raises(InvalidValueError, match="found none; that there is none is not proved"):
        partitioned(lonely(4), (5, 6), size=np.array([4, 4, 4, 4]))


def test_small_nodes_fill_what_large_ones_leave() -> None:
    codes, k = into_bounds(np.zeros(8, dtype=np.int64), 1, (4, 5), size=np.array([4, 3, 1, 1, 1, 1, 1, 1]))
    sizes = np.bincount(codes, weights=[4, 3, 1, 1, 1, 1, 1, 1], minlength=k)
    assert ((sizes >= 4) & (sizes <= 5)).all()


@pytest.mark.parametrize(("bounds", "size", "expected"), [((3, 5), [3, 3, 3], 3), ((3, 9), [5, 5, 2, 2], 2)])
def test_large_nodes_are_packed_into_any_number_of_groups_that_fits(
    bounds: tuple[int, int], size: list[int], expected: int
) -> None:
    codes, k = into_bounds(np.zeros(len(size), dtype=np.int64), 1, bounds, size=np.array(size))
    assert k == expected
    assert sorted(np.bincount(codes, weights=size).tolist()) == {3: [3, 3, 3], 2: [7, 7]}[expected]


def test_those_with_the_least_to_lose_leave_first() -> None:
    done = repair(np.array([0, 0, 0, 1]), 2, (2, 2), cost=np.array([5, 1, 3, 0]))
    assert done is not None
    assert done[0].tolist() == [0, 1, 0, 1]


def test_those_who_must_leave_a_full_group_are_not_spared_a_second_time() -> None:
    # Of five one must leave, and the other group, of one, lacks two: two of the five have to be free to move.
    sizes, stay = np.array([5, 1]), np.zeros(2, dtype=np.bool_)
    assert fewest_moves(sizes, (3, 4), closable=stay, free=np.array([1, 1])) is None
    plan = fewest_moves(sizes, (3, 4), closable=stay, free=np.array([2, 1]))
    assert plan is not None
    assert plan.moves == 2


def test_two_that_gain_only_together_change_places() -> None:
    ties = ties_of(np.array([0, 1, 2, 3]), np.array([4, 5, 6, 7]), 8)
    codes = np.array([0, 0, 1, 1, 1, 1, 0, 0])
    after = refine(ties, codes, Groups(2, (4, 4)), (0.0,) * 6, np.random.default_rng(2))
    assert share_inside(ties, after) == 1


def test_one_makes_room_for_another_where_both_together_gain() -> None:
    # 0 belongs with 2 and 3, whose group is full; 4, a stranger there, can go on to the third group.
    ties = ties_of(np.array([0, 0, 2, 4, 5]), np.array([2, 3, 3, 5, 6]), 7)
    codes = np.array([0, 0, 1, 1, 1, 2, 2])
    after = refine(ties, codes, Groups(3, (1, 3)), (0.0,) * 3, np.random.default_rng(2))
    assert after.tolist() == [1, 0, 1, 1, 2, 2, 2]


def test_a_chain_is_not_made_of_two_that_are_tied() -> None:
    # 0 would follow 2, who is the one that could make room; both together lose what each was promised.
    u, v, weight = np.array([0, 0, 0, 2, 2]), np.array([1, 2, 4, 4, 3]), np.array([3, 5, 1, 6, 5])
    codes = np.array([0, 0, 1, 2, 1])
    after = refine(ties_of(u, v, 5, weight), codes, Groups(3, (1, 2)), (0.0,) * 4, np.random.default_rng(2))
    assert after.tolist() == codes.tolist()


def test_who_finds_the_best_group_full_takes_the_next_that_gains() -> None:
    ties = ties_of(np.array([0, 0]), np.array([1, 3]), 5, np.array([9, 2]))
    groups = Groups(3, (1, 2), movable=np.arange(5) == 0)
    after = refine(ties, np.array([0, 1, 1, 2, 0]), groups, (0.0,), np.random.default_rng(2))
    assert after.tolist() == [2, 1, 1, 2, 0]


@pytest.mark.parametrize("seed", range(12))
def test_a_calm_step_loses_nothing_however_many_move_at_once(seed: int) -> None:
    # Dense ties of all weights between groups of few: who moves, mostly has a neighbour who moves as well.
    rng = np.random.default_rng(seed)
    u, v = np.triu_indices(60, 1)
    some = rng.random(len(u)) < 0.3
    ties = ties_of(u[some], v[some], 60, rng.integers(1, 9, len(u))[some])
    groups, codes = Groups(12, (3, 7)), rng.permutation(60) % 12
    inside = [share_inside(ties, codes)]
    for _ in range(12):
        codes = refine(ties, codes, groups, (0.0,), rng)
        inside.append(share_inside(ties, codes))
    assert inside == sorted(inside)
    assert inside[-1] > 1.5 * inside[0]


def test_nodes_numbered_by_degree_keep_their_ties() -> None:
    ties, _ = friends(6, 30, seed=8, outside=0.5)
    again, order = by_degree(ties)
    assert (np.diff(np.diff(again.offsets)) >= 0).all()
    for row, node in enumerate(order):
        there = slice(*again.offsets[row : row + 2])
        here = slice(*ties.offsets[node : node + 2])
        assert order[again.neighbour[there]].tolist() == ties.neighbour[here].tolist()
        assert again.weight[there].tolist() == ties.weight[here].tolist()


def test_a_group_that_is_full_gives_many_seats_in_one_step() -> None:
    # Five strangers sit in the group of 0 to 3; their own friends are elsewhere, where the others are.
    strangers, friends_of = np.arange(4, 9), np.arange(9, 14)
    insiders = np.arange(4)
    pairs = [(a, b) for a in insiders for b in friends_of] + list(zip(strangers, np.arange(14, 19), strict=True))
    u, v = np.array(pairs).T
    codes = np.concatenate([np.zeros(9, dtype=np.int64), 1 + np.arange(5), 1 + np.arange(5)])
    after = refine(ties_of(u, v, 19), codes, Groups(6, (2, 9)), (0.0,), np.random.default_rng(1))
    assert (after[friends_of] == 0).all()


def test_a_region_that_has_lost_is_put_back() -> None:
    ties, circle = friends(40, 30, seed=3, outside=0.3)
    groups = Groups(40, (26, 36))
    region = np.arange(40) // 8
    hot = (9.0,) * 5
    after = regions.anneal_regions(ties, circle, groups, region, hot, rng=np.random.default_rng(1))
    assert share_inside(ties, after) >= share_inside(ties, circle)


def test_the_most_urgent_of_those_who_wish_for_one_seat_has_it() -> None:
    wishes = Wishes(np.array([0, 0]), np.array([1, 1]), np.array([1.0, 2.0], dtype=np.float32))
    assert allowed(wishes, np.array([5, 1]), (1, 2)).tolist() == [1]


def test_swaps_of_very_many_groups_are_found_too() -> None:
    n_groups = 50_000
    wishes = Wishes(np.array([0, 49_999]), np.array([49_999, 0]), np.array([1.0, 2.0], dtype=np.float32))
    assert sorted(allowed(wishes, np.full(n_groups, 3), (3, 3)).tolist()) == [0, 1]


def test_ties_between_more_groups_than_short_integers_hold_are_sorted_too() -> None:
    ties = from_pairs(np.array([70_000, 1]), np.array([1, 70_000]), np.array([4, 4]), 70_001)
    assert ties.neighbour.tolist() == [70_000, 1]


def test_long_rows_are_sorted_by_themselves() -> None:
    keys = np.arange(1_300)[::-1].copy()
    sort_rows(keys, np.array([0, 600, 1_300]))
    assert (np.diff(keys[:600]) > 0).all()
    assert (np.diff(keys[600:]) > 0).all()


def test_no_merger_passes_the_cap() -> None:
    ties, _ = friends(10, 30, seed=2)
    clusters = grow(
        singles(ties, np.ones(300, dtype=np.int64)), 7, limit=7, rounds=40, noise=0.01, rng=np.random.default_rng(1)
    )
    assert clusters.size.max() <= 7
    assert clusters.size.sum() == 300


def test_joiners_of_one_host_count_up_and_those_of_the_next_begin_anew() -> None:
    host, size = np.array([3, 3, 7, 7, 7, 9]), np.array([1, 2, 4, 1, 1, 5])
    assert coarsening._running_sum(host, size).tolist() == [1, 3, 4, 5, 6, 5]


@pytest.mark.parametrize("entries", [1 << 18, 500])
def test_ties_between_clusters_are_the_sums_of_those_between_members(
    entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coarsening, "_ENTRIES", entries)  # all clusters at once, or a block after the other
    ties, circle = friends(10, 30, seed=2)
    clusters = contract(singles(ties, np.ones(300, dtype=np.int64)), circle, 10)
    head = np.repeat(np.arange(300), np.diff(ties.offsets))
    expected = np.zeros((10, 10), dtype=np.int64)
    np.add.at(expected, (circle[head], circle[ties.neighbour]), ties.weight)
    np.fill_diagonal(expected, 0)
    found = np.zeros((10, 10), dtype=np.int64)
    found[np.repeat(np.arange(10), np.diff(clusters.ties.offsets)), clusters.ties.neighbour] = clusters.ties.weight
    assert (found == expected).all()


def test_what_a_graph_gives_is_taken_as_it_is() -> None:
    given = Neighbours(np.array([0, 1, 2]), np.array([1, 0]), np.array([2, 2], dtype=np.int32))
    assert from_neighbours(given).weight.dtype == np.int64


def test_the_chance_in_a_rating_is_uniform_and_the_same_from_both_ends() -> None:
    # A thousand pairs, each tied by 4: with a noise of 1 the rating is 4 (1 + r).
    ties = ties_of(np.arange(0, 2000, 2), np.arange(1, 2000, 2), 2000, np.full(1000, 4))
    clusters = singles(ties, np.ones(2000, dtype=np.int64))
    favourite, rating = coarsening._favourites(clusters, 2, 1.0, np.random.default_rng(1))
    assert (favourite == np.arange(2000) ^ 1).all()
    assert (rating[0::2] == rating[1::2]).all()
    assert rating.min() >= 4
    assert rating.max() < 8
    shares = np.bincount(rating[0::2].astype(np.int64), minlength=8)[4:] / 1000
    assert shares == pytest.approx(np.full(4, 0.25), abs=0.06)


@pytest.mark.parametrize("seed", range(4))
def test_every_tie_is_looked_at_where_there_are_few(seed: int) -> None:
    ties = ties_of(np.array([0, 1]), np.array([2, 3]), 4)
    region = regions.regions_of(ties, np.arange(4), 4, most=2, rng=np.random.default_rng(seed))
    assert region.tolist() == [0, 1, 0, 1]
