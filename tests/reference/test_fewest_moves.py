"""The fewest moves against plain enumeration: every size that every group could end with, no formula."""

from __future__ import annotations

from functools import cache
from itertools import combinations_with_replacement, product

import numpy as np
import pytest

from shequn.entities.size import SizeBand
from shequn.errors import InfeasibleError
from shequn.sharding.fewest import cheapest_plan, fewest_moves

MOST_GROUPS = 4
LARGEST = 6
LARGEST_BOUND = 5
MOST_JOINED = 3
BOUNDS = [(lo, hi) for lo in range(1, LARGEST_BOUND + 1) for hi in range(lo, LARGEST_BOUND + 1)]


@cache
def end_sizes_of_new_groups(members, lo, hi):
    """Whether `members` newcomers and movers can fill new groups, each of a size within bounds."""
    return any(k * lo <= members <= k * hi for k in range(members + 1))


def fewest_by_enumeration(sizes, lo, hi, joined, fixed=None):
    """Try every size each group could end with (0: it closes); the rest must fill new groups.

    A present member stays or moves: a group that ends with t of its s members' places keeps min(s, t) of them at most,
    and newcomers take any place. So of s members at least max(s - t, 0) move, and no more have to: every other place is
    open to those who move and to newcomers alike. Where f of them are fixed, the group ends with f or more.
    """
    n = sum(sizes) + joined
    best = None
    stay = fixed or [0] * len(sizes)
    choices = [range(max(lo, f), hi + 1) if f else [0, *range(lo, hi + 1)] for f in stay]
    for ends in product(*choices):
        elsewhere = n - sum(ends)
        if elsewhere < 0 or not end_sizes_of_new_groups(elsewhere, lo, hi):
            continue
        moves = sum(max(size - end, 0) for size, end in zip(sizes, ends, strict=True))
        if best is None or moves < best:
            best = moves
    return best


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
def test_the_fewest_moves_are_those_of_enumeration_on_all_small_cases(bounds):
    lo, hi = bounds
    # The order of the groups changes nothing in the enumeration; a test of its own shuffles them.
    for n_groups in range(MOST_GROUPS + 1):
        for sizes in combinations_with_replacement(range(LARGEST + 1), n_groups):
            for joined in range(MOST_JOINED + 1):
                expected = fewest_by_enumeration(sizes, lo, hi, joined)
                if expected is None:
                    with pytest.raises(InfeasibleError, match="no number of groups k has"):
                        fewest_moves(sizes, bounds, joined=joined)
                    continue
                plan = fewest_moves(sizes, bounds, joined=joined)
                assert plan.moves == expected, (sizes, bounds, joined)
                assert_plan_costs_what_it_says(plan, sizes, lo, hi, joined)


def assert_plan_costs_what_it_says(plan, sizes, lo, hi, joined):
    """The groups that the plan keeps hold everybody, and filling them costs as many moves as it says."""
    kept = [size for size, closes in zip(sizes, plan.closed.tolist(), strict=True) if not closes]
    kept += [0] * plan.n_new
    n = sum(sizes) + joined
    assert len(kept) == plan.n_groups
    assert len(kept) * lo <= n <= len(kept) * hi
    ends = [min(max(size, lo), hi) for size in kept]
    spare = n - sum(ends)
    while spare:  # raise a group that has room before anybody stays away from where they are, or lower one
        step = 1 if spare > 0 else -1
        at = next(
            i
            for i, end in sorted(enumerate(ends), key=lambda pair: (pair[1] <= lo, pair[0]))
            if (step > 0 and end < hi) or (step < 0 and end > lo)
        )
        ends[at] += step
        spare -= step
    assert (
        sum(max(size - end, 0) for size, end in zip(kept, ends, strict=True)) + (sum(sizes) - sum(kept)) == plan.moves
    )


@pytest.mark.parametrize("sizes", [(6, 0, 3, 1), (1, 6, 5, 2), (0, 4, 0, 6)])
def test_the_order_of_the_groups_does_not_change_the_fewest_moves(sizes):
    moved = {
        fewest_moves(order, (2, 4), joined=1).moves
        for order in product(sizes, repeat=4)
        if sorted(order) == sorted(sizes)
    }
    assert len(moved) == 1


@pytest.mark.parametrize("bounds", [(1, 3), (2, 3), (2, 5), (3, 4), (3, 3)], ids=str)
@pytest.mark.parametrize("fixed", [(1, 0, 0), (0, 2, 0), (3, 0, 1), (2, 4, 0), (1, 1, 2)], ids=str)
def test_where_some_keep_their_seats_enumeration_agrees_too(bounds, fixed):
    lo, hi = bounds
    for sizes in product(range(LARGEST), repeat=3):
        if any(stay > size for stay, size in zip(fixed, sizes, strict=True)):
            continue
        for joined in range(2):
            expected = fewest_by_enumeration(sizes, lo, hi, joined, fixed)
            if expected is None:
                with pytest.raises(InfeasibleError, match=r"^(fixed|sizes): "):
                    fewest_moves(sizes, bounds, joined=joined, fixed=fixed)
                continue
            plan = fewest_moves(sizes, bounds, joined=joined, fixed=fixed)
            assert plan.moves == expected, (sizes, bounds, joined)
            assert not plan.closed[np.array(fixed) > 0].any()


def test_only_the_numbers_of_groups_that_are_allowed_are_planned():
    for numbers in ([1], [2], [3], [1, 3], [4, 5]):
        plan = cheapest_plan(np.array([6, 2, 1]), SizeBand(1, 10), 1, numbers=numbers)
        assert plan.n_groups in numbers
    assert cheapest_plan(np.array([6, 2, 1]), SizeBand(1, 10), 1, numbers=[11]) is None
