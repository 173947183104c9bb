"""What holds of groups by attribute: spread is exact, pure groups hold most, conditions come first, always."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_shard_properties import ask, graph_of, holds, tasks

from shequn.errors import InfeasibleError
from shequn.labels import Index
from shequn.sharding import audit, mixture, shard
from shequn.sharding.alike import rank_among_equals, swapped_alike
from shequn.sharding.attributes import attribute_of
from shequn.sharding.cohering import most_pure
from shequn.sharding.spreading import cells_outside


def fits(n, bounds):
    """Return whether some number of groups holds n members."""
    return any(k * bounds[0] <= n <= k * bounds[1] for k in range(n + 1))


@st.composite
def deals(draw):
    """Draw members with ties, two attributes, and bounds into which they fit."""
    n = draw(st.integers(1, 40))
    lo = draw(st.integers(1, 6))
    hi = draw(st.integers(lo, 9))
    assume(fits(n, (lo, hi)))
    anybody = st.integers(0, n - 1)
    ties = draw(st.lists(st.tuples(anybody, anybody, st.integers(0, 5)), max_size=60))
    one, other = (draw(st.lists(st.integers(0, draw(st.integers(0, 8))), min_size=n, max_size=n)) for _ in range(2))
    return {"graph": graph_of(n, ties), "sizes": (lo, hi), "one": one, "other": other}


def off(codes, values, k):
    """Return how far each count of a value in a group lies outside the floor and the ceiling, read from the words."""
    found = {}
    for value in set(values):
        c = values.count(value)
        for group in range(k):
            held = sum(codes[member] == group for member in range(len(codes)) if values[member] == value)
            found[group, value] = max(held - -(-c // k), c // k - held, 0)
    return found


def uneven(codes, values, k):
    return sum(by**2 for by in off(codes, values, k).values())


@given(deals(), st.integers(0, 2))
@settings(max_examples=100, deadline=None)
def test_whatever_the_ties_and_the_values_every_group_is_like_the_whole(deal, effort):
    for options in ({"spread": deal["one"]}, {"spread": deal["one"], "cohere": deal["other"]}):
        shards = shard(deal["graph"], sizes=deal["sizes"], effort=effort, rng=3, **options)
        assert audit(shards, spread=deal["one"]).holds
        assert uneven(shards.group.tolist(), deal["one"], shards.n_groups) == 0
        assert shards.sizes.max() - shards.sizes.min() <= 1


@given(deals())
@settings(max_examples=100, deadline=None)
def test_as_many_sit_in_pure_groups_as_can(deal):
    shards = shard(deal["graph"], sizes=deal["sizes"], cohere=deal["one"], effort=1, rng=3)
    assert audit(shards, cohere=deal["one"]).holds
    best = int(most_pure(np.bincount(deal["one"]), deal["sizes"]).sum())
    assert mixture(shards, deal["one"]).n_pure == best


@given(st.lists(st.integers(1, 14), min_size=1, max_size=4), st.integers(1, 6), st.integers(0, 4))
@settings(max_examples=250, deadline=None)
def test_no_other_choice_puts_more_members_into_pure_groups(counts, lo, width):
    bounds = (lo, lo + width)
    assume(fits(sum(counts), bounds))
    found = most_pure(np.array(counts), bounds).tolist()
    choices = [[m for m in range(count + 1) if fits(m, bounds)] for count in counts]
    possible = [some for some in itertools.product(*choices) if fits(sum(counts) - sum(some), bounds)]
    assert tuple(found) in possible
    assert sum(found) == max(map(sum, possible))


def in_order(codes):
    order = {code: place for place, code in enumerate(dict.fromkeys(codes))}
    return [order[code] for code in codes]


def neighbouring(codes, k):
    """Return every deal that a swap of two members or a move of one leads to."""
    for one, other in itertools.combinations(range(len(codes)), 2):
        swapped = list(codes)
        swapped[one], swapped[other] = codes[other], codes[one]
        yield swapped
    for member, group in itertools.product(range(len(codes)), range(k)):
        moved = list(codes)
        moved[member] = group
        if len(set(moved)) == k:
            yield moved


@given(
    tasks(), st.lists(st.integers(0, 2), min_size=7, max_size=7), st.lists(st.integers(0, 2), min_size=7, max_size=7)
)
@settings(max_examples=100, deadline=None)
def test_conditions_come_first_and_no_swap_or_move_that_keeps_them_makes_groups_more_even(task, one, other):
    one, other = one[: task["n"]], other[: task["n"]]
    try:
        found = [ask(task, spread=one), ask(task, cohere=one), ask(task, spread=one, cohere=other)]
    except InfeasibleError:
        return
    for shards in found:
        codes = shards.group.tolist()
        assert holds(in_order(codes), task)
        assert all(shards.of_member(member) == label for member, label in task["fixed"].items())
    for shards in (found[0], found[2]):
        codes, k = shards.group.tolist(), shards.n_groups
        least = uneven(codes, one, k)
        check = audit(shards, spread=one).checks[-1]
        assert check.broken == len({group for (group, _), by in off(codes, one, k).items() if by})
        assert all(
            uneven(after, one, k) >= least
            or not holds(in_order(after), task)
            or any(shards.groups[after[member]] != label for member, label in task["fixed"].items())
            for after in neighbouring(codes, k)
        )


@given(deals(), st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_cells_outside_are_those_that_a_count_by_hand_finds(deal, k):
    codes = np.arange(len(deal["one"])) % k
    level = attribute_of("level", deal["one"], Index.positional(len(codes)))
    found = cells_outside(codes, level, k)
    assert list(zip(found.group, found.value, strict=True)) == sorted(zip(found.group, found.value, strict=True))
    by_hand = {cell: by for cell, by in off(codes.tolist(), deal["one"], k).items() if by}
    labels = [level.values[value] for value in found.value]
    assert dict(zip(zip(found.group.tolist(), labels, strict=True), np.abs(found.off).tolist(), strict=True)) == by_hand


@given(deals(), st.integers(1, 5), st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_members_of_one_kind_change_places_and_no_count_changes_with_them(deal, k, rounds):
    n = len(deal["one"])
    codes, kind = np.arange(n) % k, np.array(deal["one"])
    is_free = np.array(deal["other"]) > 0
    ties = deal["graph"].neighbours()
    after = swapped_alike(ties, codes, kind, is_free, rounds=rounds, rng=np.random.default_rng(1))
    assert sorted(zip(codes.tolist(), kind.tolist(), strict=True)) == sorted(
        zip(after.tolist(), kind.tolist(), strict=True)
    )
    assert (after[~is_free] == codes[~is_free]).all()
    rows = ties.rows()
    before_and_after = [ties.weight[some[rows] == some[ties.neighbour]].sum() for some in (codes, after)]
    assert before_and_after == sorted(before_and_after)


@given(st.lists(st.integers(0, 5)))
def test_a_rank_counts_equal_values_before(values):
    expected = [values[:place].count(value) for place, value in enumerate(values)]
    assert rank_among_equals(np.array(values, dtype=np.int64)).tolist() == expected
