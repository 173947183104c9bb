from __future__ import annotations

import pickle

import numpy as np
import pytest

from shequn.entities.size import SizeBand
from shequn.errors import InfeasibleError, InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.graph import InteractionGraph
from shequn.labels import Assignment, Index
from shequn.sharding.capacity import plan_capacity
from shequn.sharding.change import MoveReason
from shequn.sharding.feasibility import feasible
from shequn.sharding.fewest import fewest_moves
from shequn.sharding.filling import Shedding, carry_out, shed
from shequn.sharding.rebalancing import rebalance
from shequn.sharding.seating import Seating, Step
from shequn.sharding.shards import Shards
from shequn.sharding.splitting import join_groups, split


def community(groups, ties=(), *, sizes, members=(), **options):
    """Groups of named members, and a graph of them and of some more: ties as ("a", "b", 3)."""
    there = [member for some in groups.values() for member in some]
    index = Index([*there, *members])
    graph = InteractionGraph.from_ties(
        [a for a, _, _ in ties], [b for _, b, _ in ties], [w for _, _, w in ties], members=index
    )
    seats = {member: group for group, some in groups.items() for member in some}
    shards = Shards.of(graph.align(Index(there)), Assignment.from_mapping(seats), sizes=sizes, **options)
    return shards, graph


# --- coming and going ---


def test_where_nobody_comes_or_goes_nobody_moves():
    shards, graph = community({"一群": "abc", "二群": "def"}, [("a", "d", 9)], sizes=(2, 4))
    change = rebalance(shards, graph)
    assert (change.n_moves, change.lower_bound, len(change.joined), len(change.left)) == (0, 0, 0, 0)
    assert change.shards == shards


def test_a_newcomer_sits_next_to_their_ties():
    shards, graph = community({"一群": "abc", "二群": "def"}, [("x", "e", 2), ("x", "a", 1)], sizes=(2, 4), members="x")
    change = rebalance(shards, graph, joined=["x"])
    assert list(change.joined.rows()) == [("x", None, "二群", MoveReason.JOINED, 2)]
    assert change.n_moves == 0


def test_a_newcomer_goes_first_where_a_group_is_short():
    shards, graph = community({"一群": "abc", "二群": "def"}, [("x", "e", 2)], sizes=(2, 4), members="x")
    change = rebalance(shards, graph, joined=["x"], left=["b", "c"])
    assert change.joined.to_group.tolist() == ["一群"]
    assert change.n_moves == 0


def test_newcomers_who_know_each_other_sit_together():
    ties = [("x", "a", 1), ("x", "y", 5), ("y", "z", 5)]
    shards, graph = community({"一群": "abc", "二群": "def"}, ties, sizes=(2, 6), members="xyz")
    assert rebalance(shards, graph, joined=list("xyz")).joined.to_group.tolist() == ["一群"] * 3


def test_a_group_that_has_become_too_small_closes_where_that_is_cheapest():
    shards, graph = community({"一群": "abcd", "二群": "efgh", "三群": "ijkl"}, [("i", "e", 3)], sizes=(3, 6))
    change = rebalance(shards, graph, left=["j", "k", "l"])
    assert list(change.moves.rows()) == [("i", "三群", "二群", MoveReason.CLOSED, 3)]
    assert change.shards.groups == Index(["一群", "二群"])
    assert change.rows().__next__() == ("一群", 4, 0, 0, 0, 0, 4)
    assert list(change.rows())[2] == ("三群", 4, 3, 1, 0, 0, 0)


def test_a_group_short_of_members_draws_those_whom_others_hold_least():
    ties = [("a", "b", 2), ("b", "c", 2), ("c", "d", 2), ("d", "g", 1), ("a", "d", 2)]
    shards, graph = community({"一群": "abcde", "二群": "fgh"}, ties, sizes=(3, 5))
    change = rebalance(shards, graph, left=["h"])
    assert list(change.moves.rows()) == [("e", "一群", "二群", MoveReason.SHORT, 0)]


def test_somebody_with_ties_is_drawn_before_a_stranger():
    ties = [("a", "b", 2), ("b", "c", 2), ("c", "d", 2), ("e", "a", 1), ("e", "f", 3)]
    shards, graph = community({"一群": "abcde", "二群": "fgh"}, ties, sizes=(3, 5))
    change = rebalance(shards, graph, left=["h"])
    assert list(change.moves.rows()) == [("e", "一群", "二群", MoveReason.SHORT, 2)]


def test_an_overfull_group_gives_up_whom_it_holds_least():
    ties = [("a", "b", 2), ("b", "c", 2), ("c", "d", 2), ("d", "e", 1), ("e", "g", 4)]
    shards, graph = community({"一群": "abcde", "二群": "fgh"}, ties, sizes=(3, 5))
    change = rebalance(shards, graph, sizes=(2, 4))
    assert list(change.moves.rows()) == [("e", "一群", "二群", MoveReason.OVERFULL, 3)]
    assert (change.shards.bounds.lo, change.shards.bounds.hi) == (2, 4)


def test_an_overfull_group_splits_along_its_ties_into_a_group_with_a_new_label():
    ring = [("a", "b", 5), ("b", "c", 5), ("a", "c", 5), ("d", "e", 5), ("e", "f", 5), ("d", "f", 5), ("c", "d", 1)]
    shards, graph = community({"一群": "abcdef"}, ring, sizes=(3, 6))
    change = rebalance(shards, graph, sizes=(3, 4))
    assert change.n_moves == change.lower_bound == 3
    assert sorted(change.moves.member.tolist()) in (["a", "b", "c"], ["d", "e", "f"])
    assert change.shards.kept_weight == 30
    assert change.shards.groups == Index(["一群", "new-1"])
    assert rebalance(shards, graph, sizes=(3, 4), new_groups=["二群"]).shards.groups == Index(["一群", "二群"])


def test_new_groups_of_numbered_ones_take_the_next_numbers():
    graph = InteractionGraph.from_ties([0], [1], n_members=6)
    shards = Shards.of(graph, Assignment.from_labels(Index(np.arange(6)), [9] * 6), sizes=(3, 6))
    assert list(rebalance(shards, graph, sizes=(3, 3)).shards.groups) == [9, 10]


def test_an_empty_community_opens_groups_for_its_first_members():
    graph = InteractionGraph.from_ties(["a", "d"], ["b", "e"], members=Index(list("abcdef")))
    none = Shards.of(graph.align(Index()), Assignment.from_labels([], []), sizes=(3, 3))
    change = rebalance(none, graph, joined=list("abcdef"))
    assert change.shards.sizes.tolist() == [3, 3]
    assert change.shards.kept == 1.0
    assert np.isnan(change.kept_before)
    assert "–" in str(change)


def test_the_last_member_can_leave():
    shards, graph = community({"一群": "ab"}, sizes=(1, 4))
    change = rebalance(shards, graph, left=["a", "b"])
    assert (len(change.shards.members), change.shards.n_groups) == (0, 0)


def test_a_graph_of_floats_is_weighed_as_it_is():
    ties = [("x", "a", 0.5), ("x", "d", 0.75)]
    shards, graph = community({"一群": "abc", "二群": "def"}, ties, sizes=(2, 4), members="x")
    change = rebalance(shards, graph, joined=["x"])
    assert change.joined.last().gained == 0.75


def a_seating(ties, n, **options):
    u, v, w = zip(*ties, strict=True)
    graph = InteractionGraph.from_ties(np.array(u), np.array(v), np.array(w), n_members=n)
    return Seating(graph.neighbours(), np.zeros(n, dtype=np.int64), 1, SizeBand(2, n), **options)


def test_whoever_is_given_up_takes_their_friends_along():
    # 0-1-2 and 3-4-5 hold together, and 6 is held by nobody but by 3.
    ties = [(0, 1, 4), (1, 2, 4), (0, 2, 4), (3, 4, 3), (4, 5, 3), (3, 5, 3), (3, 6, 2), (2, 3, 1)]
    assert sorted(shed(a_seating(ties, 7), 0, 4, MoveReason.OVERFULL)) == [3, 4, 5, 6]


def test_a_leader_the_group_needs_is_given_up_last():
    ties = [(1, 2, 4), (2, 3, 4), (0, 1, 1)]
    seating = a_seating(ties, 4, leaders=np.array([True, True, False, False]), min_leaders=1)
    assert shed(seating, 0, 1, MoveReason.OVERFULL) == [0]  # 1 can lead
    seating = a_seating(ties, 4, leaders=np.array([True, False, False, False]), min_leaders=1)
    assert 0 not in shed(seating, 0, 2, MoveReason.OVERFULL)
    seating = a_seating(ties, 4, leaders=np.ones(4, dtype=bool), min_leaders=3)
    assert len(shed(seating, 0, 2, MoveReason.OVERFULL)) == 2
    seating = a_seating(ties, 4, fixed=np.array([True, False, False, False]))
    assert 0 not in shed(seating, 0, 3, MoveReason.OVERFULL)


def test_a_group_that_gives_up_members_piece_by_piece_chooses_as_one_that_is_asked_anew():
    for seed in range(12):
        rng = np.random.default_rng(seed)
        ends = rng.integers(0, 60, (2, 240))
        graph = InteractionGraph.from_ties(*ends, rng.integers(1, 9, 240), n_members=60, self_ties="drop")
        options = {"leaders": rng.random(60) < 0.2, "min_leaders": 3}
        once, anew = (
            Seating(graph.neighbours(), np.zeros(60, dtype=np.int64), 6, SizeBand(9, 12), **options) for _ in range(2)
        )
        shedding = Shedding(once, 0)
        for part in range(1, 6):
            gone = shedding.give_up(10, MoveReason.SPLIT)
            for member in gone:
                once.put(member, part)
            shedding.settle(gone)
            for member in shed(anew, 0, 10, MoveReason.SPLIT):
                anew.put(member, part)
        assert once.codes().tolist() == anew.codes().tolist()


def carried_out(ties, codes, sizes, bounds):
    """Seats before anything is improved."""
    u, v, w = zip(*ties, strict=True)
    graph = InteractionGraph.from_ties(np.array(u), np.array(v), np.array(w), n_members=len(codes))
    plan = fewest_moves(sizes, bounds, joined=codes.count(-1))
    seating = Seating(graph.neighbours(), np.array(codes), len(sizes) + plan.n_new, SizeBand(*bounds))
    carry_out(seating, plan.leave, plan.missing, plan.stays)
    return seating.codes().tolist()


def test_a_new_group_begins_with_those_who_know_most_of_the_others():
    codes = carried_out([(3, 4, 2), (4, 5, 2)], [-1] * 6, [], (3, 3))
    assert codes[3] == codes[4] == codes[5] != codes[0]


def test_a_stranger_is_drawn_from_where_they_are_held_least():
    ties = [(0, 1, 2), (1, 2, 2), (2, 3, 1)]
    assert carried_out(ties, [0, 0, 0, 0, 0, 1], [5, 1], (2, 5)) == [0, 0, 0, 0, 1, 1]
    assert carried_out(ties, [0, 0, 0, 0, 1], [4, 1], (2, 4)) == [0, 0, 0, 1, 1]


def test_whoever_has_most_ties_to_a_short_group_is_drawn_though_others_are_held_less():
    # 4 gains 3 and loses 1; 0 is held by nobody.
    ties = [(1, 2, 2), (2, 3, 2), (3, 4, 1), (4, 5, 3)]
    assert carried_out(ties, [0, 0, 0, 0, 0, 1], [5, 1], (2, 5)) == [0, 0, 0, 0, 1, 1]


def test_who_takes_the_place_of_somebody_who_comes_home_is_away_for_their_reason_and_nobody_else_is():
    graph = InteractionGraph.from_ties([0], [1], n_members=4)
    for last, reason in ((0, MoveReason.SHORT), (2, MoveReason.TIES)):
        seating = Seating(graph.neighbours(), np.array([0, 0, 1, 2]), 3, SizeBand(1, 3))
        seating.put(0, 1, MoveReason.SHORT)
        seating.take(Step(0, 1, ((0, last), (1, 1))), MoveReason.TIES)  # 0 goes home, or on to a third group
        assert seating.why[1] is reason
        assert seating.why.get(0) is (MoveReason.SHORT if last else None)


# --- what a budget buys ---


def test_moves_beyond_the_fewest_must_buy_kept_weight_and_the_best_come_first():
    ties = [("c", "d", 9), ("b", "e", 3), ("a", "f", 1)]
    shards, graph = community({"一群": "abcx", "二群": "defy"}, ties, sizes=(2, 6))
    assert rebalance(shards, graph).n_moves == 0
    change = rebalance(shards, graph, max_moves=1)
    assert change.moves.rows().__next__().gained == 9
    assert set(change.moves.member.tolist()) < {"c", "d"}
    assert change.moves.reason.tolist() == [MoveReason.TIES]
    assert change.kept_before == 0
    assert change.kept_after == pytest.approx(9 / 13)


def test_a_swap_of_full_groups_costs_two_moves():
    ties = [("c", "d", 5), ("c", "e", 5), ("f", "a", 2), ("a", "b", 1)]
    shards, graph = community({"一群": "abc", "二群": "def"}, ties, sizes=(3, 3))
    assert rebalance(shards, graph, max_moves=1).n_moves == 0
    change = rebalance(shards, graph, max_moves=2)
    assert sorted(change.moves.member.tolist()) == ["c", "f"]
    assert change.shards.kept_weight == 13


def test_a_chain_goes_by_a_group_with_room():
    ties = [("c", "d", 5), ("c", "e", 5), ("d", "e", 5), ("f", "g", 2), ("a", "b", 1)]
    shards, graph = community({"一群": "abc", "二群": "def", "三群": "gh"}, ties, sizes=(2, 3))
    change = rebalance(shards, graph, max_moves=2)
    assert sorted(zip(change.moves.member, change.moves.to_group, strict=True)) == [("c", "二群"), ("f", "三群")]
    assert change.shards.kept == 1.0


def test_what_a_move_buys_decides_and_not_what_a_step_buys():
    assert Step(8, 2, ()).rank > Step(5, 1, ()).rank
    assert Step(1, 0, ()).rank < Step(9, 1, ()).rank
    assert Step(2, -1, ()).rank < Step(1, 0, ()).rank


def test_who_must_leave_is_chosen_anew_when_that_costs_nothing():
    # e goes where newcomer x sits, and x is known only after the seats are dealt.
    ties = [("a", "b", 3), ("b", "c", 3), ("c", "a", 3), ("d", "a", 1), ("e", "b", 2), ("e", "x", 9), ("x", "f", 1)]
    shards, graph = community({"一群": "abcde", "二群": "fgh"}, ties, sizes=(3, 5), members="x")
    change = rebalance(shards, graph, joined=["x"], sizes=(3, 5))
    assert change.n_moves == change.lower_bound == 0


# --- fixed seats ---


def test_who_has_a_fixed_seat_is_not_moved_and_their_group_does_not_close():
    shards, graph = community({"一群": "abcd", "二群": "efgh", "三群": "ijkl"}, [("i", "e", 3)], sizes=(3, 6))
    change = rebalance(shards, graph, left=["j", "k", "l"], fixed=["i"])
    assert change.shards.of_member("i") == "三群"
    assert (change.n_moves, change.lower_bound) == (2, 2)
    assert set(change.moves.reason.tolist()) == {MoveReason.SHORT}


def test_an_overfull_group_gives_up_others_than_those_with_fixed_seats():
    shards, graph = community({"一群": "abcde", "二群": "fgh"}, [("b", "c", 9), ("d", "e", 9)], sizes=(2, 5))
    assert rebalance(shards, graph, sizes=(2, 4), fixed=list("abcd")).moves.member.tolist() == ["e"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"fixed": ["a", "b", "c"], "sizes": (2, 2)}, "fixed seats: 3 members have seats in one group"),
        (
            {"fixed": ["a", "e"], "sizes": (6, 6)},
            "fixed seats: 2 groups have seats given, and 6 members fill",
        ),
        (
            {"fixed": list("abcdf"), "left": ["e"], "sizes": (2, 4)},
            "fixed seats: 2 groups with seats given take at least 6 members, of 5",
        ),
        (
            {"fixed": list("bcde"), "left": ["a"], "sizes": (3, 3)},
            "sizes: no number of groups",
        ),
    ],
)
def test_seats_that_cannot_be_kept_are_refused(options, text):
    shards, graph = community({"一群": "abcd", "二群": "ef"}, sizes=(2, 4))
    with pytest.raises(InfeasibleError, match=text):
        rebalance(shards, graph, **options)


def test_fixed_seats_can_keep_a_group_from_its_leaders():
    shards, graph = community({"一群": "abc", "二群": "def"}, sizes=(3, 3), leaders=["a", "b"], min_leaders=1)
    text = "fixed seats: beside the seats that are kept, groups lack 1 leader, and 0 leaders who may move are left"
    with pytest.raises(InfeasibleError, match=text) as refused:
        rebalance(shards, graph, fixed=["a", "b"])
    assert refused.value.zh == "固定席位：除固定席位外还缺 1 名负责人，可调动的负责人只有 0 名"
    assert rebalance(shards, graph, fixed=["a", "d"]).n_moves == 2


# --- leaders ---


def test_a_leader_who_leaves_is_replaced_by_a_swap():
    ties = [("a", "b", 1), ("d", "e", 4), ("e", "f", 1), ("c", "f", 1)]
    shards, graph = community(
        {"一群": "abc", "二群": "defg"}, ties, sizes=(2, 4), leaders=["a", "d", "f"], min_leaders=1
    )
    change = rebalance(shards, graph, left=["a"])
    assert change.shards.n_leaders.min() == 1
    assert change.n_moves == 2
    assert set(change.moves.reason.tolist()) == {MoveReason.LEADER}
    assert "f" in change.moves.member.tolist()


def test_a_newcomer_who_leads_takes_the_seat_that_is_short():
    shards, graph = community(
        {"一群": "abc", "二群": "def"}, [("x", "e", 9)], sizes=(2, 4), members="x", leaders=["a", "d"], min_leaders=1
    )
    change = rebalance(shards, graph, joined=["x"], left=["a"], leaders=["x"])
    assert change.joined.to_group.tolist() == ["一群"]
    assert change.n_moves == 0


def test_leaders_are_not_what_an_overfull_group_gives_up():
    shards, graph = community(
        {"一群": "abcde", "二群": "fgh"},
        [("b", "c", 9), ("c", "d", 9), ("d", "e", 9)],
        sizes=(2, 5),
        leaders=["a", "f"],
        min_leaders=1,
    )
    change = rebalance(shards, graph, sizes=(2, 4))
    assert "a" not in change.moves.member.tolist()


def test_few_leaders_keep_groups_from_opening():
    shards, graph = community({"一群": "abcdef"}, sizes=(2, 6), leaders=["a"], min_leaders=1)
    assert rebalance(shards, graph, sizes=(2, 8)).shards.n_groups == 1
    with pytest.raises(InfeasibleError, match="leaders: 1 leader seats 1 each in at most 1 group, and 6 members need"):
        rebalance(shards, graph, sizes=(2, 4))


def test_a_group_for_which_there_is_no_leader_left_closes():
    shards, graph = community(
        {"一群": "ab", "二群": "cd", "三群": "ef"}, sizes=(2, 6), leaders=["a", "c", "e"], min_leaders=1
    )
    change = rebalance(shards, graph, left=["e"], sizes=(1, 6))
    assert change.shards.groups == Index(["一群", "二群"])
    assert change.moves.reason.tolist() == [MoveReason.CLOSED]


def test_more_leaders_a_group_than_its_fewest_members_raise_the_bound():
    shards, graph = community({"一群": "abcd", "二群": "efgh"}, sizes=(2, 6), leaders=list("abcefg"), min_leaders=3)
    change = rebalance(shards, graph, left=["d", "h", "g", "b"])
    assert change.shards.n_groups == 1
    with pytest.raises(InfeasibleError, match="leaders: 3 leaders do not fit into a group of at most 2"):
        rebalance(shards, graph, sizes=(1, 2))


# --- one into several, several into one ---


def test_a_split_keeps_the_label_with_the_largest_part():
    ties = [("a", "b", 5), ("b", "c", 5), ("c", "d", 5), ("d", "e", 1), ("e", "f", 5), ("f", "g", 5)]
    shards, graph = community({"一群": "abcdefg", "二群": "xyz"}, ties, sizes=(3, 5))
    change = split(shards, graph, group="一群")
    assert sorted(change.moves.member.tolist()) == ["e", "f", "g"]
    assert change.shards.sizes.tolist() == [4, 3, 3]
    assert set(change.moves.reason.tolist()) == {MoveReason.SPLIT}
    assert change.shards.kept_weight == 25


def test_a_split_seats_leaders_in_every_part():
    ties = [("a", "b", 5), ("c", "d", 5)]
    shards, graph = community({"一群": "abcd"}, ties, sizes=(2, 4), leaders=["a", "b"], min_leaders=1)
    assert split(shards, graph, group="一群").shards.n_leaders.tolist() == [1, 1]
    alone, graph = community({"一群": "abcd"}, ties, sizes=(2, 4), leaders=["a"], min_leaders=1)
    with pytest.raises(InfeasibleError, match="leaders: expected at least 2"):
        split(alone, graph, group="一群")


def test_a_group_can_be_split_into_as_many_parts_as_asked():
    shards, graph = community({"一群": "abcdef"}, sizes=(2, 6))
    assert split(shards, graph, group="一群", parts=3).shards.sizes.tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"group": "五群"}, UnknownLabelError, "group: expected one of 1 known labels, got '五群'"),
        ({"group": "一群", "parts": 1}, InvalidValueError, "parts: expected 2 or more, got 1"),
        (
            {"group": "一群", "parts": 4},
            InvalidValueError,
            "group: expected one that makes 4 parts of 2 to 6 members, got 6 members",
        ),
        ({"group": "一群", "parts": 10**5000}, InvalidValueError, "parts: expected at most the 6 members of the group"),
        ({"group": "一群", "parts": "two"}, InvalidTypeError, "parts: expected an integer"),
        ({"group": "一群", "new_groups": []}, InvalidValueError, "new_groups: expected a label for 1 group that opens"),
        ({"group": "一群", "new_groups": ["一群"]}, InvalidValueError, "new_groups: expected each label once"),
    ],
)
def test_what_cannot_be_split_is_refused(options, error, text):
    shards, graph = community({"一群": "abcdef"}, sizes=(2, 6))
    with pytest.raises(error, match=text):
        split(shards, graph, **options)


def test_a_group_too_small_for_two_is_not_split():
    shards, graph = community({"一群": "abc"}, sizes=(2, 6))
    with pytest.raises(InvalidValueError, match="expected one that makes two parts or more of 2 to 6 members, got 3"):
        split(shards, graph, group="一群")


def test_groups_are_joined_into_the_largest():
    ties = [("a", "c", 5)]
    shards, graph = community({"一群": "ab", "二群": "cde", "三群": "fgh"}, ties, sizes=(2, 6))
    change = join_groups(shards, graph, groups=["一群", "二群"])
    assert change.shards.sizes.tolist() == [5, 3]
    assert next(iter(change.moves.rows())) == ("a", "一群", "二群", MoveReason.MERGED, 5)
    assert (change.n_moves, change.lower_bound) == (2, 2)


@pytest.mark.parametrize(
    ("groups", "error", "text"),
    [
        (["一群"], InvalidValueError, "groups: expected two different groups or more"),
        (["一群", "一群"], InvalidValueError, "groups: expected two different groups or more"),
        (["一群", "二群"], InfeasibleError, "groups: expected groups with at most 4 members together, got 6"),
        (["一群", "三群"], UnknownLabelError, "groups: expected one of 2 known labels"),
        ("一群", InvalidTypeError, "groups: expected labels of groups"),
    ],
)
def test_what_cannot_be_joined_is_refused(groups, error, text):
    shards, graph = community({"一群": "abc", "二群": "def"}, sizes=(2, 4))
    with pytest.raises(error, match=text):
        join_groups(shards, graph, groups=groups)


# --- what is told, what is refused ---


def test_a_change_prints_and_comes_back_from_a_pickle():
    shards, graph = community({"一群": "abc", "二群": "def"}, [("x", "e", 2)], sizes=(2, 4), members="x")
    change = rebalance(shards, graph, joined=["x"], left=["a"], max_moves=3)
    assert "1 joined, 1 left" in repr(change)
    assert "新加入 1 人，离开 1 人" in change.table(lang="zh")
    assert repr(change.moves) == "Moves(0 members)"
    assert len(change) == len(list(change.rows())) == 2
    back = pickle.loads(pickle.dumps(change))  # noqa: S301
    assert back.to_dict() == change.to_dict()
    assert not back.joined.gained.flags.writeable


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"left": ["z"]}, UnknownLabelError, r"left: expected one of the 6 members of the groups, got 'z' at row 0"),
        ({"left": ["a", "b", "a"]}, InvalidValueError, "left: expected each member once, got 'a' at row 2"),
        ({"left": "abc"}, InvalidTypeError, "left: expected labels of members"),
        ({"left": ["a", 0.5]}, InvalidTypeError, "left: expected .* got 0.5 at row 1"),
        ({"fixed": [["a"]]}, InvalidTypeError, "fixed: expected"),
        ({"joined": [10**400]}, InvalidValueError, "joined: expected"),
        ({"joined": ["z"]}, UnknownLabelError, "joined: expected a member of the graph, got 'z' at row 0"),
        (
            {"joined": ["x", "a"]},
            InvalidValueError,
            "joined: expected somebody who is in no group yet, got 'a' at row 1",
        ),
        ({"joined": ["x", "x"]}, InvalidValueError, "joined: expected each member once, got 'x' at row 1"),
        ({"joined": ["x"], "leaders": ["a"]}, UnknownLabelError, "leaders: expected one of those who joined, got 'a'"),
        ({"fixed": ["z"]}, UnknownLabelError, "fixed: expected a member of the groups who has not left, got 'z'"),
        ({"fixed": ["a"], "left": ["a"]}, UnknownLabelError, "fixed: expected a member of the groups who has not left"),
        ({"max_moves": -1}, InvalidValueError, "max_moves: expected a number of moves of 0 or more"),
        ({"max_moves": 0.1}, InvalidTypeError, "max_moves: expected an integer"),
        ({"sizes": (5, 5)}, InfeasibleError, "sizes: no number of groups k has 5 k <= 6 <= 5 k"),
        ({"left": ["a", "b", "c", "d", "e"]}, InfeasibleError, "sizes: no number of groups k has 2 k <= 1 <= 4 k"),
    ],
)
def test_what_cannot_be_rebalanced_is_refused(options, error, text):
    shards, graph = community({"一群": "abc", "二群": "def"}, sizes=(2, 4), members="x")
    with pytest.raises(error, match=text):
        rebalance(shards, graph, **options)


def test_what_are_no_groups_and_no_graph_is_refused():
    shards, graph = community({"一群": "abc"}, sizes=(2, 4))
    with pytest.raises(InvalidTypeError, match="shards: expected Shards"):
        rebalance(graph, graph)
    with pytest.raises(InvalidTypeError, match="graph: expected an InteractionGraph"):
        rebalance(shards, shards)


# --- the lower bound by itself ---


def test_the_fewest_moves_tell_of_each_group_what_must_happen():
    plan = fewest_moves([5, 30, 34], (26, 36))
    assert (plan.moves, plan.n_groups, plan.closed.tolist()) == (5, 2, [True, False, False])
    assert plan.leave.tolist() == [5, 0, 0]
    plan = fewest_moves([30, 70], (26, 36))
    assert (plan.moves, plan.n_groups, len(plan)) == (34, 3, 3)
    assert plan.to_columns()["leave"].tolist() == [0, 34, 0]
    assert plan.to_columns()["missing"].tolist() == [0, 0, 26]
    assert repr(plan) == "FewestMoves(34 moves, 0 closed, 1 new)"
    assert "至少迁移 34 人" in plan.table(lang="zh")


def test_of_plans_with_as_few_moves_the_one_nearest_to_the_groups_there_were_is_taken():
    assert fewest_moves([30, 0], (15, 36), joined=30).closed.tolist() == [False, False]
    assert fewest_moves([30, 30], (20, 60)).n_groups == 2


@pytest.mark.parametrize(
    ("sizes", "options", "error", "text"),
    [
        ([40], {}, InfeasibleError, "sizes: no number of groups k has 26 k <= 40 <= 36 k"),
        ([-1], {}, InvalidValueError, "sizes: expected integers in"),
        ([[30]], {}, InvalidValueError, "sizes: expected a 1-D array"),
        ([30], {"joined": -1}, InvalidValueError, "joined: expected a number of members"),
        ([2**62, 2**62], {}, InvalidValueError, "sizes: expected a number of members"),
        ([30], {"fixed": [1, 2]}, MisalignedError, "fixed: expected one count for each of 1 group, got 2"),
        ([30, 30], {"fixed": [1, 31]}, InvalidValueError, "fixed: expected at most the members of each group, got 31"),
        ([60], {"fixed": [40]}, InfeasibleError, "fixed: expected at most 36 members of one group, got 40"),
        ([30, 1, 1], {"fixed": [1, 1, 0]}, InfeasibleError, "fixed: 2 groups have seats given, and 32 members fill at"),
    ],
)
def test_sizes_that_cannot_be_used_are_refused(sizes, options, error, text):
    with pytest.raises(error, match=text):
        fewest_moves(sizes, (26, 36), **options)


@pytest.mark.parametrize(
    "result",
    [fewest_moves([5, 30, 34], (26, 36)), feasible(100, leaders=9, min_leaders=1), plan_capacity(100)],
    ids=lambda result: type(result).__name__,
)
def test_an_answer_comes_back_from_a_pickle_as_it_was(result):
    back = pickle.loads(pickle.dumps(result))  # noqa: S301
    assert back == result
    assert len(back) == len(list(result.rows()))
    assert back.to_dict(lang="zh") == result.to_dict(lang="zh")


def test_gains_of_floats_that_are_rounding_alone_are_not_taken_for_ever():
    graph = InteractionGraph.from_ties([0, 3, 4], [3, 1, 3], [0.1, 0.1, 0.1], n_members=5)
    shards = Shards.of(graph.align(Index([0, 1, 2])), [0, 1, 0], sizes=(2, 4))
    change = rebalance(shards, graph, joined=[3, 4], left=[2])
    assert change.n_moves == 0
    assert change.shards.kept == pytest.approx(1 / 3)


def test_seats_that_stay_are_named_by_members_alone():
    graph = InteractionGraph.from_ties([0, 2], [1, 3])
    shards = Shards.of(graph, [0, 0, 1, 1], sizes=(2, 2))
    with pytest.raises(InvalidTypeError, match="fixed: expected labels of members, who keep their groups"):
        rebalance(shards, graph, fixed={0: 1})
