from __future__ import annotations

from collections import Counter

import attrs
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shequn.columns import Breakdown
from shequn.labels import Assignment
from shequn.segmentation import Migration, migration
from shequn.stats import bowker, stuart_maxwell

SEGMENTS = ["low", "mid", "high"]

people = st.integers(0, 12)
communities = st.dictionaries(people, st.sampled_from([*SEGMENTS, None]))


def assigned(mapping: dict, order: list | None = None) -> Assignment:
    members = list(mapping) if order is None else order
    return Assignment.from_mapping({member: mapping[member] for member in members}, segments=SEGMENTS, ordered=True)


@given(communities, communities)
def test_each_member_of_either_is_counted_once_where_a_dictionary_puts_them(before, after):
    moves = migration(assigned(before), assigned(after))
    places = {**dict(zip(SEGMENTS, range(3), strict=True)), None: 3, "absent": 4}
    expected = Counter(
        (places[before.get(member, "absent")], places[after.get(member, "absent")]) for member in {*before, *after}
    )
    assert {place: int(moves.moves[place]) for place in np.ndindex(5, 5) if moves.moves[place]} == expected
    assert moves.moves[4, 4] == 0


@given(communities, communities, st.randoms())
def test_the_order_of_members_changes_nothing(before, after, random):
    shuffled = [random.sample(list(part), len(part)) for part in (before, after)]
    assert migration(assigned(before, shuffled[0]), assigned(after, shuffled[1])) == migration(
        assigned(before), assigned(after)
    )


@given(communities, communities)
def test_rates_add_up_and_held_up_and_down_are_everybody(before, after):
    moves = migration(assigned(before), assigned(after))
    total = moves.counts.sum(axis=1)
    np.testing.assert_allclose(moves.rates.sum(axis=1)[total > 0], 1)
    assert np.isnan(moves.rates[total == 0]).all()
    assert (moves.held + moves.moved_up + moves.moved_down == total).all()
    assert moves.flows(which="all").members.sum() == len({*before, *after})
    assert moves.flows().members.sum() == moves.n_compared - moves.held.sum()


@given(communities, communities)
def test_turned_round_what_was_up_is_down(before, after):
    there, back = migration(assigned(before), assigned(after)), migration(assigned(after), assigned(before))
    assert np.array_equal(there.moves, back.moves.T)
    assert there.moved_up.sum() == back.moved_down.sum()
    assert there.bowker() == back.bowker() or there.bowker().df == 0
    np.testing.assert_allclose(there.stuart_maxwell().statistic, back.stuart_maxwell().statistic, rtol=1e-9, atol=1e-12)


@given(communities, communities, st.dictionaries(people, st.integers(0, 2)))
def test_the_migration_of_parts_split_by_member_is_that_of_the_whole(before, after, part_of):
    def part(which: int) -> Migration:
        cut = [{m: s for m, s in given.items() if part_of.get(m, 0) == which} for given in (before, after)]
        return migration(*map(assigned, cut))

    a, b, c = part(0), part(1), part(2)
    whole = migration(assigned(before), assigned(after))
    nobody = migration(Assignment.from_mapping({}), Assignment.from_mapping({}))
    assert a.merge(b).merge(c) == a.merge(b.merge(c)) == c.merge(a).merge(b) == whole
    assert whole.merge(nobody) == nobody.merge(whole) == whole
    assert not Breakdown(total=whole, parts={"a": a, "b": b, "c": c}).overlap.any()


tables = st.integers(1, 5).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 9), min_size=k, max_size=k), min_size=k, max_size=k)
)


@given(tables, st.randoms())
def test_the_names_of_the_classes_do_not_matter_to_the_tests(table, random):
    order = random.sample(range(len(table)), len(table))
    counts = np.array(table)
    for test in (bowker, stuart_maxwell):
        one, other = test(counts), test(counts[np.ix_(order, order)])
        assert one.df == other.df
        np.testing.assert_allclose(one.statistic, other.statistic, rtol=1e-9, atol=1e-12)


@given(tables, st.integers(0, 4), st.integers(0, 4))
def test_periods_add_up(table, m, n):
    moves = Migration.from_counts(segments=list(range(len(table))), counts=table)
    once, twice = moves.rates_after(m + n), np.array(moves.rates_after(n))
    start = np.nan_to_num(moves.expected(m), nan=-1)
    if (start >= 0).all() and not np.isnan(moves.expected(m + n)).any():
        np.testing.assert_allclose(moves.expected(n, start=start), moves.expected(m + n), rtol=1e-9, atol=1e-9)
        assert np.isclose(moves.expected(m + n).sum(), moves.counts.sum())
    known = ~np.isnan(once).any(axis=1)
    np.testing.assert_allclose(once[known].sum(axis=1), 1)
    assert twice.shape == once.shape


@given(tables)
def test_the_long_run_stays_what_it_is(table):
    moves = Migration.from_counts(segments=list(range(len(table))), counts=np.array(table) + 1)
    shares = moves.stationary()
    np.testing.assert_allclose(moves.expected(3, start=shares), shares, rtol=1e-9)
    np.testing.assert_allclose(shares.sum(), 1)
    assert attrs.evolve(moves, ordered=True).moved_up.sum() + moves.held.sum() <= moves.n_compared
