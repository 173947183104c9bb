"""Groups by city, groups like the whole, and groups of people who do not talk yet."""

from __future__ import annotations

import copy
import pickle

import attrs
import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.graph import InteractionGraph
from shequn.labels import Assignment, Index
from shequn.sharding import Aim, Mixture, Shards, alike, audit, mixture, shard
from shequn.sharding.attributes import attribute_of
from shequn.sharding.cohering import cohered, most_pure
from shequn.sharding.evening import Binding, more_even
from shequn.sharding.leading import with_leaders
from shequn.sharding.parting import parted
from shequn.sharding.spreading import cells_outside

N = 600
NOBODY_TALKS = InteractionGraph.from_ties([], [], n_members=N)
TIERS = np.repeat(["basic", "silver", "gold"], [350, 190, 60])
CITIES = np.repeat(["上海", "北京", "成都", "西宁"], [300, 187, 100, 13])


def talking(seed, n=N):
    """Return a graph of circles of thirty at random places, with some ties between circles."""
    rng = np.random.default_rng(seed)
    circle = rng.permutation(np.arange(n) // 30)
    one = rng.integers(n, size=8 * n)
    other = rng.integers(n, size=8 * n)
    near = (circle[one] == circle[other]) | (rng.random(8 * n) < 0.03)
    return InteractionGraph.from_ties(one[near], other[near], n_members=n, self_ties="drop")


TALK = talking(1)


def counts(shards, values):
    """Return how many of each value every group has, as a list of rows."""
    return [[int((values[shards.group == group] == value).sum()) for value in sorted(set(values))]
            for group in range(shards.n_groups)]  # fmt: skip


def pure_members(shards, values):
    return sum(
        int(size)
        for group, size in enumerate(shards.sizes)
        if len(set(np.asarray(values)[shards.group == group].tolist())) == 1
    )


# ── every group like the whole ───────────────────────────────────────────────────────────────────────────────────────


def test_every_group_has_as_many_of_each_tier_as_any_other():
    shards = shard(TALK, spread=TIERS, rng=1)
    assert audit(shards, spread=TIERS).holds
    assert all(max(column) - min(column) <= 1 for column in zip(*counts(shards, TIERS), strict=True))
    assert shards.sizes.max() - shards.sizes.min() <= 1
    assert shards.dealt_by == "ties"


def test_a_spread_deal_keeps_far_more_of_the_ties_than_a_stratified_one_at_random():
    shards = shard(TALK, spread=TIERS, rng=1)
    at_random = np.empty(N, dtype=int)
    at_random[np.lexsort((np.random.default_rng(1).random(N), TIERS))] = np.arange(N) % shards.n_groups
    beside = Shards.of(TALK, at_random)
    assert audit(beside, spread=TIERS).holds
    assert shards.kept > 6 * beside.kept
    assert shards.kept > 0.8 * shard(TALK, rng=1).kept


def test_more_rounds_keep_as_even_and_more_of_the_ties():
    kept = [shard(TALK, spread=TIERS, effort=effort, rng=3).kept for effort in (0, 8)]
    assert kept[0] < kept[1]


def test_leaders_and_tiers_are_spread_together():
    leads = (np.arange(N) * 7919) % 11 == 0
    shards = shard(TALK, spread=TIERS, leaders=leads, min_leaders=2, rng=1)
    assert shards.n_leaders.min() >= 2
    assert audit(shards, spread=TIERS).holds


def test_only_gold_members_lead_and_tiers_are_spread_all_the_same():
    shards = shard(TALK, spread=TIERS, leaders=TIERS == "gold", min_leaders=2, rng=1)
    assert shards.n_leaders.min() >= 2
    assert audit(shards, spread=TIERS).holds


def test_what_is_asked_of_a_few_comes_first_and_the_others_are_spread_around_them():
    asked = {"together": [range(540, 555)], "apart": [{1, 2, 3}], "fixed": {5: "一群", 400: "一群", 8: "二群"}}
    shards = shard(TALK, spread=TIERS, rng=1, **asked)
    found = audit(shards, spread=TIERS, **asked)
    assert [(check.what.value, check.broken > 0) for check in found.checks] == [
        ("sizes", False),
        ("fixed", False),
        ("together", False),
        ("apart", False),
        ("spread", True),  # fifteen of the sixty with gold sit in one group
    ]
    assert max(row[1] for row in counts(shards, TIERS)) == 15
    others = [row[1] for row in counts(shards, TIERS) if row[1] < 15]
    assert max(others) - min(others) <= 1


def test_a_value_of_which_there_are_fewer_than_groups_stands_once_in_a_group():
    rare = np.where(np.arange(N) % 50 == 0, "expert", "member")
    shards = shard(TALK, spread=rare, rng=1)
    assert sorted(row[0] for row in counts(shards, rare)) == [0] * (shards.n_groups - 12) + [1] * 12


def test_values_that_one_member_has_stand_in_nobodys_way():
    names = np.arange(N)
    assert audit(shard(TALK, spread=names, rng=1), spread=names).holds


def swapped_once(monkeypatch, source, target, weight):
    """Return the groups after one round, where members 0 and 1 of one kind sit in two groups with 2 and with 3."""
    monkeypatch.setattr(alike, "_MOST_ROUNDS", 1)
    monkeypatch.setattr(alike, "_SETTLING", ())
    ties = InteractionGraph.from_ties(source, target, weight, n_members=4).neighbours()
    codes, kind, is_free = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 2]), np.array([True, True, False, False])
    return alike.swapped_alike(ties, codes, kind, is_free, rounds=0, rng=np.random.default_rng(1)).tolist()


def test_two_who_are_tied_to_each_other_do_not_change_places_for_that(monkeypatch):
    assert swapped_once(monkeypatch, [0, 0], [1, 2], [2, 1]) == [0, 1, 0, 1]


def test_what_the_one_who_gives_way_gains_counts_too(monkeypatch):
    assert swapped_once(monkeypatch, [0, 0, 1], [2, 3, 2], [2, 2, 1]) == [1, 0, 0, 1]


def test_a_swap_that_gains_as_little_as_can_be_is_made(monkeypatch):
    # 0 comes to where it has 2, and 1 leaves where it has 1.
    assert swapped_once(monkeypatch, [0, 1], [3, 3], [2, 1]) == [1, 0, 0, 1]
    assert swapped_once(monkeypatch, [0, 1], [3, 3], [1, 1]) == [0, 1, 0, 1]


def evened_out(codes, tiers, **binding):
    """Return how many of tier 1 every group has after swaps and moves, where conditions bind."""
    n = len(codes)
    usual = {"bounds": (1, n), "may_move": np.ones(n, dtype=bool), "apart": [], "leads": None, "min_leaders": 0}
    ties = InteractionGraph.from_ties([], [], n_members=n).neighbours()
    level = attribute_of("spread", tiers, Index.positional(n))
    k = max(codes) + 1
    after = more_even(ties, np.array(codes), level, k, Binding(**{**usual, **binding}))
    return np.bincount(after, weights=np.array(tiers) == 1, minlength=k).tolist()


def test_nobody_leaves_a_group_its_leaders_keep_going_nor_takes_a_leader_away():
    movable = np.array([True, False, True, False])  # one of each group
    for leads, after in (
        ([1, 1, 0, 1], [1, 1]),
        ([0, 1, 1, 0], [2, 0]),
        ([1, 0, 0, 1], [2, 0]),
        ([1, 0, 1, 0], [1, 1]),
    ):
        binding = {"bounds": (2, 2), "may_move": movable, "leads": np.array(leads) > 0, "min_leaders": 1}
        assert evened_out([0, 0, 1, 1], [1, 1, 0, 0], **binding) == after


def test_one_group_far_off_is_worse_than_two_that_are_off():
    # The third group is fixed with none of tier 1: of 3 too many in the first, the second takes one, and no second one.
    codes, tiers = np.repeat([0, 1, 2], 6).tolist(), [1] * 9 + [0] * 9
    binding = {"bounds": (6, 6), "may_move": np.array(codes) < 2}
    assert evened_out(codes, tiers, **binding) == [5, 4, 0]


def test_what_can_not_be_even_lies_far_off_in_no_group_if_it_can_lie_near_in_more():
    # Six of tier 1 sit in group 0 and stay: two are left for three groups, each of which should have two.
    codes, tiers = [0] * 6 + [1] * 6 + [2] * 6 + [3] * 6, [1] * 6 + [1, 1, 0, 0, 0, 0] + [0] * 12
    stays = np.arange(24) >= 6
    assert sorted(evened_out(codes, tiers, bounds=(6, 6), may_move=stays)) == [0, 1, 1, 6]


# ── by city ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_as_many_members_as_can_be_sit_in_groups_of_their_city():
    # 13 from 西宁 fill no group: 13 others have to sit with them, and all the rest need not.
    shards = shard(TALK, cohere=CITIES, rng=1)
    assert pure_members(shards, CITIES) == N - 26
    assert all(26 <= size <= 36 for size in shards.sizes)


def test_the_most_pure_members_are_found_where_much_must_give_way():
    # Ten values of forty fill two groups of twenty each, and the ten left over fit in with none of the next four tries:
    # five groups of twenty-one take them and nineteen of each of five values.
    assert most_pure(np.array([40] * 10 + [10]), (20, 21)).sum() == 10 * 40 - 5 * 19


def test_where_bounds_can_not_keep_the_groups_few_cities_are_an_aim_all_the_same():
    leads = np.arange(40) % 3 == 0
    shards = shard(talking(2, 40), sizes=(1, 3), cohere=CITIES[:40], leaders=leads, min_leaders=1, rng=1)
    assert shards.n_groups == 14
    assert audit(shards).holds


def test_within_a_city_those_who_talk_sit_together():
    shards = shard(TALK, cohere=CITIES, rng=1)
    at_random = np.arange(N) // 30
    same_city = CITIES[TALK.source] == CITIES[TALK.target]
    assert shards.kept > 2 * Shards.of(TALK, at_random).kept
    assert shards.kept > 0.5 * same_city.mean()


def test_values_smaller_than_a_group_stay_together():
    houses = np.arange(N) // 10
    for graph in (TALK, NOBODY_TALKS):
        shards = shard(graph, cohere=houses, rng=1)
        found = mixture(shards, houses)
        assert found.alike > 15 * found.alike_at_random


def test_who_is_tied_least_to_their_city_is_among_those_who_mix():
    city = np.array([0] * 5 + [1] * 3)
    ties = InteractionGraph.from_ties([0, 0, 1, 2, 5, 6], [1, 2, 4, 4, 6, 7], n_members=8).neighbours()
    codes = cohered(
        ties, attribute_of("cohere", city, Index.positional(8)), (4, 4), rounds=1, rng=np.random.default_rng(1)
    )
    assert len(set(codes[[0, 1, 2, 4]])) == 1
    assert len(set(codes[[3, 5, 6, 7]])) == 1


def test_a_leader_changes_places_with_somebody_of_their_city():
    ties = InteractionGraph.from_ties([], [], n_members=9).neighbours()
    codes, city = np.repeat([0, 1, 2], 3), np.array([1, 1, 1, 0, 0, 0, 1, 0, 0])
    leads = np.array([True, True, False, True, False, False, False, False, False])
    after = with_leaders(ties, codes, leads, 1, np.ones(9, dtype=bool), city)
    assert np.bincount(after[leads], minlength=3).tolist() == [1, 1, 1]
    assert np.bincount(after * 2 + city).tolist() == np.bincount(codes * 2 + city).tolist()


def test_no_group_gives_more_leaders_than_it_can_spare():
    # Groups 0 and 1 can spare one leader each, groups 2 and 3 need one; all cost the same, so the first of each goes.
    ties = InteractionGraph.from_ties([], [], n_members=8).neighbours()
    codes, leads = np.repeat([0, 1, 2, 3], 2), np.arange(8) < 4
    assert with_leaders(ties, codes, leads, 1, np.ones(8, dtype=bool)).tolist() == [2, 0, 3, 1, 0, 2, 1, 3]


def test_who_must_not_meet_changes_places_with_somebody_of_their_city_if_there_is_one():
    ties = InteractionGraph.from_ties([], [], n_members=6).neighbours()
    codes, everybody = np.repeat([0, 1], 3), np.ones(6, dtype=bool)
    for city, after in (([0, 0, 0, 1, 1, 0], [1, 0, 0, 1, 1, 0]), ([0, 0, 0, 1, 1, 1], [1, 0, 0, 0, 1, 1])):
        assert parted(ties, codes, [[0, 1]], everybody, None, np.array(city)).tolist() == after


def test_who_sits_in_a_group_is_known_after_each_change_of_places():
    # 0 changes places with 4. Then 2 must leave 3 and may not join 6, whom 4 sits with by now: only 5 is left.
    ties = InteractionGraph.from_ties([], [], n_members=9).neighbours()
    codes, may_move = np.array([0, 0, 1, 1, 2, 2, 0, 1, 2]), np.isin(np.arange(9), [0, 2, 4, 5])
    assert parted(ties, codes, [[0, 1], [2, 3, 6]], may_move, None).tolist() == [2, 0, 2, 1, 0, 1, 0, 1, 2]


def test_somebody_to_change_places_with_is_looked_for_in_every_group():
    n = 14
    ties = InteractionGraph.from_ties([], [], n_members=n).neighbours()
    codes, may_move = np.array([0, *range(n - 1)]), np.isin(np.arange(n), [0, n - 1])
    after = [n - 2, *range(n - 2), 0]
    assert parted(ties, codes, [[0, 1]], may_move, None).tolist() == after


def test_seats_that_are_given_name_the_group_where_those_who_have_them_sit():
    fixed = dict.fromkeys(range(300, 320), "北京群")
    shards = shard(TALK, cohere=CITIES, fixed=fixed, rng=1)
    assert pure_members(shards, CITIES) > 0.85 * N


def test_leaders_come_first_and_are_taken_from_the_city_where_it_has_them():
    leads = np.arange(N) % 6 == 0
    shards = shard(TALK, cohere=CITIES, leaders=leads, min_leaders=2, rng=1)
    assert shards.n_leaders.min() >= 2
    assert pure_members(shards, CITIES) == N - 26


def test_sets_and_seats_come_first_and_most_groups_stay_of_one_city():
    asked = {"together": [{1, 301}], "apart": [{2, 3, 4}], "fixed": {5: "一群", 302: "二群", 303: "一群"}}
    shards = shard(TALK, cohere=CITIES, rng=1, **asked)
    found = audit(shards, cohere=CITIES, **asked)
    assert found.holds
    assert mixture(shards, CITIES).alike > 0.9 * mixture(shard(TALK, cohere=CITIES, rng=1), CITIES).alike
    assert pure_members(shards, CITIES) > 0.7 * N
    assert shards.of_member(5) == "一群"


def test_tiers_are_spread_exactly_and_cities_kept_together_as_far_as_that_allows():
    shards = shard(TALK, cohere=CITIES, spread=TIERS[::-1], rng=1)
    assert audit(shards, spread=TIERS[::-1], cohere=CITIES).holds
    plain = shard(TALK, spread=TIERS[::-1], rng=1)
    assert mixture(shards, CITIES).alike > 1.3 * mixture(plain, CITIES).alike


# ── nobody talks ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_ties_groups_go_by_names_and_say_so():
    shards = shard(NOBODY_TALKS, rng=1)
    assert shards.dealt_by == "hash"
    assert repr(shards).endswith("kept nan, dealt by hash)")
    assert "Dealt by hashing the names of the members.\nThere are no ties to keep." in shards.table()
    assert "按成员名称哈希分群。" in shards.table(lang="zh")
    assert shard(NOBODY_TALKS, rng=2) == shards


def test_without_ties_few_move_when_a_few_more_come():
    names = [f"u{number}" for number in range(1_015)]
    before, after = (shard(InteractionGraph.from_ties([], [], members=Index(names[:n])), rng=1) for n in (1_000, 1_015))
    moved = sum(before.of_member(name) != after.of_member(name) for name in names[:1_000])
    assert moved < 60
    again = shard(InteractionGraph.from_ties([], [], members=Index(names[:1_000][::-1])), rng=1)
    assert all(before.of_member(name) == again.of_member(name) for name in names[:1_000])


def test_without_ties_conditions_hold_too():
    asked = {"together": [{1, 2, 3}], "apart": [{4, 5, 6}], "fixed": {7: "一群", 8: "二群"}}
    leads = np.arange(N) % 13 == 0
    shards = shard(NOBODY_TALKS, leaders=leads, min_leaders=2, groups=[f"{n}群" for n in range(30)], rng=1, **asked)
    assert audit(shards, **asked).holds
    assert shards.dealt_by == "hash"
    assert list(shards.groups)[:3] == ["一群", "二群", "0群"]
    free = shard(NOBODY_TALKS, groups=["一群", "二群", *(f"{n}群" for n in range(30))], rng=1)
    if free.n_groups == shards.n_groups:
        assert (free.group == shards.group).mean() > 0.8


def test_few_leaders_make_fewer_groups_without_ties_too():
    shards = shard(NOBODY_TALKS, leaders=np.arange(N) < 17, min_leaders=1, rng=1)
    assert shards.n_groups == 17
    assert shards.n_leaders.tolist() == [1] * 17


def test_without_ties_attributes_make_the_groups():
    spread = shard(NOBODY_TALKS, spread=TIERS, rng=1)
    assert audit(spread, spread=TIERS).holds
    cohere = shard(NOBODY_TALKS, cohere=CITIES, rng=1)
    assert pure_members(cohere, CITIES) == N - 26
    assert spread.dealt_by == cohere.dealt_by == "attributes"
    assert "Dealt by attributes of the members." in cohere.table()
    assert "按成员属性分群。" in cohere.table(lang="zh")


def test_a_spread_deal_without_ties_moves_few_of_those_that_hashing_places():
    by_name, by_tier = shard(NOBODY_TALKS, rng=1), shard(NOBODY_TALKS, spread=TIERS, rng=1)
    assert (by_name.group == by_tier.group).mean() > 0.75


def test_nobody_at_all_makes_no_groups():
    nobody = InteractionGraph.from_ties([], [], n_members=0)
    for options in ({}, {"spread": []}, {"cohere": []}, {"cohere": [], "spread": []}):
        assert shard(nobody, rng=1, **options).n_groups == 0


def test_names_of_groups_are_asked_for_as_names():
    with pytest.raises(InvalidTypeError, match="groups: expected labels of groups, got 5"):
        shard(NOBODY_TALKS, groups=5, rng=1)


def test_groups_that_are_measured_say_nothing_of_how_they_were_dealt():
    shards = Shards.of(NOBODY_TALKS, np.arange(N) // 30)
    assert shards.dealt_by is None
    assert shards.table().endswith("\nThere are no ties to keep.")
    assert attrs.evolve(shards, dealt_by="hash") == shards
    with pytest.raises(InvalidValueError, match="dealt_by: expected one of 'ties', 'attributes', 'hash', got 'chance'"):
        attrs.evolve(shards, dealt_by="chance")


def test_progress_goes_up_to_its_end_whatever_is_asked():
    for graph in (TALK, NOBODY_TALKS):
        for options in ({"spread": TIERS}, {"cohere": CITIES}, {"spread": TIERS, "cohere": CITIES}):
            seen = []
            shard(graph, effort=4, rng=1, progress=lambda *told, seen=seen: seen.append(told), **options)
            assert seen[-1] == (6, 6)
            assert seen == sorted(seen)
            assert {total for _, total in seen} == {6}


# ── how an attribute may be given ────────────────────────────────────────────────────────────────────────────────────


def test_an_attribute_can_be_an_assignment_a_mapping_or_a_column():
    names = Index([f"u{n}" for n in range(60)])
    graph = InteractionGraph.from_ties(["u1"], ["u2"], members=names)
    tiers = ["gold" if n % 3 else "basic" for n in range(60)]
    mapping = dict(zip(names, tiers, strict=True))
    larger = Assignment.from_mapping({**dict(reversed(mapping.items())), "somebody else": "gold"})
    given = [tiers, np.array(tiers), mapping, Assignment.from_mapping(mapping), larger]
    assert len({tuple(shard(graph, sizes=(10, 20), spread=some, rng=1).group) for some in given}) == 1
    for some in given:
        read = attribute_of("spread", some, names)
        assert read.values[read.codes].tolist() == tiers
        assert mixture(shard(graph, sizes=(10, 20), cohere=some, rng=1), some).n_pure == 60


def test_a_value_that_nobody_knows_is_a_value():
    known = dict.fromkeys(range(300), "上海")
    shards = shard(TALK, spread=known, rng=1)
    assert audit(shards, spread=known).holds
    assert mixture(shards, known).values == ("上海", None)
    codes = Assignment(members=TALK.members, codes=[0] * 300 + [-1] * 300, segments=Index(["上海", "北京"]))
    assert shard(TALK, spread=codes, rng=1) == shards
    assert shard(TALK, spread=["上海"] * 300 + [None] * 300, rng=1) == shards


BIG = 10**30


@pytest.mark.parametrize("argument", ["cohere", "spread"])
@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        (["a"] * 599, MisalignedError, "expected one value for each of 600 members, got 599"),
        ([["a"]] * 600, InvalidTypeError, "expected labels"),
        ([{}] * 600, InvalidTypeError, "expected labels"),
        ([0.5] * 600, InvalidTypeError, "expected labels"),
        (np.full(600, 0.5), InvalidTypeError, "expected labels"),
        ([True] * 600, InvalidTypeError, "expected labels"),
        (np.ones(600, dtype=bool), InvalidTypeError, "expected labels"),
        ([*["a"] * 599, 1], InvalidTypeError, "expected labels"),
        ([BIG] * 600, InvalidValueError, "expected integers that fit"),
        (np.full((600, 2), "a"), InvalidValueError, "expected a 1-D column"),
        ("city", InvalidTypeError, "expected an Assignment, a mapping of member to value, or a value for each member"),
        (3, InvalidTypeError, "expected an Assignment, a mapping"),
        ({"a", "b"}, InvalidTypeError, "expected an Assignment, a mapping"),
        ({0: "a", 999: "b"}, UnknownLabelError, "expected one of 600 known labels, got 999 at row 1"),
        ({"u1": "b"}, UnknownLabelError, "expected one of 600 known labels, got 'u1'"),
        ({0: ["a"]}, InvalidTypeError, "expected labels"),
        ({0: 0.5}, InvalidTypeError, "expected labels"),
        ({0.5: "a"}, InvalidTypeError, "expected labels"),
        (Assignment.from_labels(Index.positional(3), ["a"] * 3), MisalignedError, "expected one entry for each of the"),
    ],
)
def test_what_is_no_attribute_is_named(argument, given, error, text):
    with pytest.raises(error, match=f"{argument}: {text}"):
        shard(TALK, rng=1, **{argument: given})


def test_an_assignment_must_speak_of_everybody():
    graph = InteractionGraph.from_ties(["ann"], ["bo"], members=Index(["ann", "bo", "cy"]))
    tiers = Assignment.from_mapping({"cy": "gold", "ann": "gold"})
    with pytest.raises(MisalignedError, match=r"spread: expected a value for each member, got 'bo' at row 1 \(1 of 3"):
        shard(graph, sizes=(1, 3), spread=tiers)
    assert shard(graph, sizes=(1, 3), spread=tiers.align(graph.members), rng=1).n_groups >= 1


def test_nobody_can_be_apart_from_themselves():
    graph = InteractionGraph.from_ties(["ann"], ["bo"], members=Index(["ann", "bo", "cy"]))
    for some in (["ann", "ann"], ["bo", "ann", "bo", "cy"]):
        text = f"apart: expected sets that name each member once: nobody is apart from themselves, got {some[0]!r} at"
        with pytest.raises(InvalidValueError, match=text):
            shard(graph, sizes=(1, 3), apart=[some])
    assert shard(graph, sizes=(1, 3), apart=[["ann"]], together=[["bo", "bo"]], rng=1).n_groups >= 1


# ── readings ─────────────────────────────────────────────────────────────────────────────────────────────────────────

SEVEN = Shards.of(
    InteractionGraph.from_ties([0, 2], [1, 3], n_members=7), {n: "甲乙丙"[n % 3] for n in range(7)}, sizes=(2, 3)
)
TOWNS = ["沪", "京", "沪", "沪", None, "沪", "津"]


def test_groups_of_other_sizes_are_uneven_where_everybody_has_one_value():
    level = attribute_of("spread", ["x"] * 4, Index.positional(4))
    cells = cells_outside(np.array([0, 0, 0, 1]), level, 2)
    assert [column.tolist() for column in cells] == [[0, 1], [0, 0], [3, 1], [1, -1]]


def test_an_audit_counts_groups_that_are_uneven_and_only_reads_what_is_an_aim():
    found = audit(SEVEN, spread=TOWNS, cohere=TOWNS)
    # 4 of 沪 in 3 groups: 1 or 2 each. 乙 has none of them.
    assert [(check.what, check.asked, check.broken, check.first) for check in found.checks[1:]] == [
        (Aim.SPREAD, 3, 1, "乙: 沪 0"),
        (Aim.COHERE, 3, -1, "甲: 沪 2/3"),
    ]
    assert not found.holds
    assert repr(found) == "Audit(spread (1 broken))"
    assert audit(SEVEN, cohere=TOWNS).holds
    assert audit(SEVEN, spread=list("abcdefg")).holds
    assert [line.split()[2] for line in str(audit(SEVEN, cohere=TOWNS)).splitlines()[2:]] == ["0", "–"]
    assert "同类相聚" in found.table(lang="zh")


def test_an_audit_names_a_value_that_nobody_knows_with_a_dash():
    found = audit(SEVEN, spread=[None, "a", "b", None, "c", "d", None])
    assert found.checks[-1].first == "甲: – 3"


def test_a_mixture_counts_values_by_group():
    found = mixture(SEVEN, TOWNS)
    assert [tuple(row) for row in found.rows()] == [
        ("甲", 3, "沪", 2, 2 / 3, 2),
        ("乙", 2, "京", 1, 0.5, 2),
        ("丙", 2, "沪", 2, 1.0, 1),
    ]
    assert (found.n_pure, found.is_pure.tolist()) == (2, [False, False, True])
    assert found.alike == (1 + 0 + 1) / (3 + 1 + 1)
    assert found.alike_at_random == 6 / 21
    assert repr(found) == "Mixture(3 groups, 4 values, 0.400 of pairs alike, 0.286 at random)"


def test_what_is_expected_at_random_is_the_mean_over_deals():
    rng = np.random.default_rng(3)
    graph = InteractionGraph.from_ties([], [], n_members=30)
    towns = rng.integers(3, size=30)
    sizes = np.repeat([0, 1, 2], [5, 10, 15])
    alike = [mixture(Shards.of(graph, rng.permutation(sizes)), towns).alike for _ in range(400)]
    assert np.mean(alike) == pytest.approx(mixture(Shards.of(graph, sizes), towns).alike_at_random, abs=0.01)


def test_a_mixture_prints_in_both_languages():
    assert str(mixture(SEVEN, TOWNS)).splitlines() == [
        "7 members in 3 groups, 4 values",
        "group  size  most common  members   share  values",
        "─────────────────────────────────────────────────",
        "甲        3  沪                 2   66.7%       2",
        "乙        2  京                 1   50.0%       2",
        "丙        2  沪                 2  100.0%       1",
        "Alike throughout: 1 of 3 groups, 2 members (28.6%).",
        "Pairs within groups who are alike: 40.0%; dealt at random, 28.6%.",
    ]
    assert mixture(SEVEN, TOWNS).table(lang="zh").splitlines() == [
        "7 人，3 个群，4 个值",
        "群  人数  最多的值  其人数    占比  值数",
        "────────────────────────────────────────",
        "甲     3  沪             2   66.7%     2",
        "乙     2  京             1   50.0%     2",
        "丙     2  沪             2  100.0%     1",
        "值全同的群：1 / 3 个，2 人（28.6%）。",
        "同群两人同值的占 40.0%；随机分群为 28.6%。",
    ]


def test_groups_of_one_have_no_pairs_and_groups_of_nobody_no_value():
    two = InteractionGraph.from_ties([0], [1])
    alone = mixture(Shards.of(two, [0, 1], sizes=(1, 1)), ["沪", "沪"])
    assert np.isnan(alone.alike)
    assert str(alone).endswith("Alike throughout: 2 of 2 groups, 2 members (100.0%).")
    empty = mixture(Shards.of(two, Assignment(members=two.members, codes=[1, 1], segments=Index(["a", "b"]))), [1, 1])
    assert [tuple(row)[:3] for row in empty.rows()] == [("a", 0, None), ("b", 2, 1)]
    assert np.isnan(empty.shares[0])
    none = mixture(Shards.of(InteractionGraph.from_ties([], [], n_members=0), []), [])
    assert (len(list(none.rows())), none.n_pure) == (0, 0)
    assert np.isnan(none.alike_at_random)
    assert str(none).splitlines()[0] == "0 members in 0 groups, 0 values"


def test_a_mixture_is_equal_by_what_it_holds_and_copies_stay_read_only():
    found = mixture(SEVEN, TOWNS)
    for other in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):  # noqa: S301
        assert other == found
        assert not other.sizes.flags.writeable
    assert mixture(SEVEN, ["沪"] * 7) != found
    with pytest.raises(MisalignedError, match="sizes: expected one entry for each of 3 groups"):
        attrs.evolve(found, sizes=np.zeros(2, dtype=int))
    with pytest.raises(MisalignedError, match="counts: expected one for each of 4 values, got 1"):
        attrs.evolve(found, counts=np.zeros(1, dtype=int))
    with pytest.raises(InvalidValueError, match="most_common: expected places of 4 values, or -1, got 4 at row 1"):
        attrs.evolve(found, most_common=np.array([0, 4, 1]))
    assert isinstance(found, Mixture)


def test_only_groups_are_mixed():
    with pytest.raises(InvalidTypeError, match="shards: expected Shards"):
        mixture(TALK, TIERS)
    with pytest.raises(MisalignedError, match="attribute: expected one value for each of 7 members"):
        mixture(SEVEN, TOWNS[:3])
