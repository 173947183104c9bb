"""The fewest moves into bounds, against a table of everything that is possible."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest

from shequn.sharding.engine import fewest_moves, repair


def fewest_by_table(sizes: list[int], bounds: tuple[int, int], newcomers: int, closable: list[bool]) -> int | None:
    """Give each group, and any number of new ones, every size it may have; count who has to leave."""
    total = sum(sizes) + newcomers
    best = {0: 0}
    for size, may_close in [*zip(sizes, closable, strict=True), *[(0, True)] * total]:
        sizes_after = [*([0] if may_close else []), *range(bounds[0], bounds[1] + 1)]
        after: dict[int, int] = {}
        for seated, moves in best.items():
            for size_after in sizes_after:
                now = seated + size_after
                if now <= total:
                    after[now] = min(after.get(now, total + 1), moves + max(size - size_after, 0))
        best = after
    return best.get(total)


@pytest.mark.parametrize("bounds", [(1, 1), (1, 3), (2, 2), (2, 3), (3, 4), (4, 4), (3, 6), (5, 6)])
@pytest.mark.parametrize("newcomers", [0, 1, 3])
def test_the_plan_has_the_fewest_moves_of_all(bounds: tuple[int, int], newcomers: int) -> None:
    for k in (1, 2, 3):
        for sizes in combinations_with_replacement(range(7), k):
            plan = fewest_moves(np.array(sizes), bounds, newcomers=newcomers)
            expected = fewest_by_table(list(sizes), bounds, newcomers, [True] * k)
            assert (None if plan is None else plan.moves) == expected, (sizes, bounds, newcomers)


@pytest.mark.parametrize("seed", range(150))
def test_the_plan_has_the_fewest_moves_where_some_groups_must_stay(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 8, size=int(rng.integers(1, 5)))
    closable = rng.random(len(sizes)) < 0.5
    least = int(rng.integers(1, 5))
    bounds = (least, least + int(rng.integers(0, 4)))
    plan = fewest_moves(sizes, bounds, closable=closable)
    assert (None if plan is None else plan.moves) == fewest_by_table(sizes.tolist(), bounds, 0, closable.tolist())


@pytest.mark.parametrize("seed", range(60))
def test_repair_finds_a_way_wherever_there_is_one_among_those_who_may_move(seed: int) -> None:
    rng = np.random.default_rng(seed)
    k, n = int(rng.integers(1, 4)), int(rng.integers(1, 10))
    codes = rng.integers(0, k, size=n)
    movable = rng.random(n) < 0.6
    least = int(rng.integers(1, 4))
    bounds = (least, least + int(rng.integers(0, 3)))
    stay = np.bincount(codes[~movable], minlength=k)
    free = n - int(stay.sum())
    # A group with somebody who stays can't close; all others may, and the free ones fill whatever is lacking.
    possible = any(
        stay.max() <= bounds[1]
        and np.count_nonzero(stay) <= number
        and np.maximum(bounds[0] - stay[stay > 0], 0).sum() + (number - np.count_nonzero(stay)) * bounds[0] <= free
        and n <= number * bounds[1]
        for number in range(1, n + 1)
    )
    done = repair(codes, k, bounds, movable=movable)
    assert (done is not None) == possible
    if done is not None:
        load = np.bincount(done[0], minlength=done[1])
        assert bounds[0] <= load.min() <= load.max() <= bounds[1]
