"""Changes that keep sets of members together or apart, and seats that are kept."""

from __future__ import annotations

import numpy as np
import pytest

from shequn.entities.size import SizeBand
from shequn.errors import InfeasibleError, InvalidTypeError, InvalidValueError, UndecidedError, UnknownLabelError
from shequn.graph import InteractionGraph
from shequn.labels import Assignment, Index
from shequn.sharding import block_seats, regrouping
from shequn.sharding._audit import audit
from shequn.sharding.asking import Asked
from shequn.sharding.change import MoveReason
from shequn.sharding.demands import Demands
from shequn.sharding.leader_seats import seat_leaders
from shequn.sharding.rebalancing import rebalance
from shequn.sharding.seating import Seating
from shequn.sharding.seats import Seats
from shequn.sharding.shards import Shards
from shequn.sharding.splitting import join_groups, split
from shequn.sharding.staffing import staff


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


def told(change):
    return [(row.member, row.from_group, row.to_group, row.reason) for row in change.moves.rows()]


# --- rebalance ---


def test_a_set_that_is_broken_costs_a_move_and_the_move_says_so():
    shards, graph = community({"一群": "abc", "二群": "def"}, [("a", "b", 5), ("d", "e", 1)], sizes=(2, 4))
    change = rebalance(shards, graph, together=[["a", "d"]])
    assert told(change) == [("d", "二群", "一群", MoveReason.TOGETHER)]
    assert "须同群" in change.moves.table(lang="zh").__str__()
    assert (change.lower_bound, audit(change.shards, together=[["a", "d"]]).holds) == (0, True)


def test_members_who_must_not_meet_part_and_who_is_held_least_goes():
    shards, graph = community({"一群": "abc", "二群": "def"}, [("a", "b", 5), ("c", "e", 1)], sizes=(2, 4))
    change = rebalance(shards, graph, apart=[["a", "c"]])
    assert told(change) == [("c", "一群", "二群", MoveReason.APART)]
    assert MoveReason.APART.zh == "不得同群"


def test_a_newcomer_sits_with_whom_they_must_and_nobody_moves():
    shards, graph = community({"一群": "abc", "二群": "def"}, [("x", "e", 9)], sizes=(2, 4), members="x")
    change = rebalance(shards, graph, joined=["x"], together=[["x", "a"]])
    assert (change.n_moves, change.joined.to_group.tolist()) == (0, ["一群"])


def test_a_newcomer_keeps_away_from_whom_they_must_not_meet():
    shards, graph = community({"一群": "abc", "二群": "def"}, [("x", "e", 9)], sizes=(2, 4), members="x")
    change = rebalance(shards, graph, joined=["x"], apart=[["x", "f"]])
    assert (change.n_moves, change.joined.to_group.tolist()) == (0, ["一群"])


def test_who_gives_way_to_a_set_moves_for_its_sake():
    shards, graph = community({"一群": "abc", "二群": "def"}, [("a", "b", 5), ("d", "e", 5)], sizes=(3, 3))
    change = rebalance(shards, graph, together=[["a", "f"]])
    assert told(change) == [("c", "一群", "二群", MoveReason.TOGETHER), ("f", "二群", "一群", MoveReason.TOGETHER)]


def test_a_set_in_a_group_that_closes_goes_as_one_because_it_closes():
    shards, graph = community({"一群": "abc", "二群": "def", "三群": "gh"}, [("g", "e", 1)], sizes=(3, 5))
    change = rebalance(shards, graph, apart=[["a", "h"]], together=[["g", "h"]])
    assert told(change) == [(who, "三群", "二群", MoveReason.CLOSED) for who in "gh"]


def test_a_whole_set_moves_away_from_whom_it_must_not_meet():
    shards, graph = community({"一群": "abc", "二群": "def"}, sizes=(1, 6))
    change = rebalance(shards, graph, together=[["a", "b"]], apart=[["a", "c"]], fixed=["c"])
    assert told(change) == [(who, "一群", "二群", MoveReason.APART) for who in "ab"]


def test_a_group_opens_where_that_moves_fewest():
    shards, graph = community({"一群": "ab"}, sizes=(2, 5), members="xy")
    change = rebalance(shards, graph, joined=["x", "y"], together=[["x", "y"]], apart=[["x", "a"]])
    assert (change.n_moves, change.shards.sizes.tolist()) == (0, [2, 2])
    assert change.shards.groups == Index(["一群", "new-1"])


def test_sets_hold_together_with_leaders_and_fixed_seats():
    shards, graph = community(
        {"一群": "abcd", "二群": "efgh"}, [("a", "b", 2)], sizes=(3, 5), leaders=["a", "b"], min_leaders=1
    )
    change = rebalance(shards, graph, fixed=["a", "h"], together=[["b", "h"]], apart=[["e", "f"]])
    assert change.shards.n_leaders.tolist() == [1, 1]
    assert audit(change.shards, fixed={"a": "一群", "h": "二群"}, together=[["b", "h"]], apart=[["e", "f"]]).holds
    assert change.n_moves == 2


def test_a_budget_buys_kept_weight_without_breaking_a_set():
    ties = [("a", "d", 9), ("b", "e", 4), ("c", "f", 4)]
    shards, graph = community({"一群": "abc", "二群": "def"}, ties, sizes=(1, 5))
    for more in (1, 2, 6):
        change = rebalance(shards, graph, apart=[["a", "d"]], together=[["b", "c"]], max_moves=more)
        assert audit(change.shards, apart=[["a", "d"]], together=[["b", "c"]]).holds
        assert change.n_moves <= more
    assert change.shards.kept_weight == 8


@pytest.mark.parametrize(
    ("options", "text", "zh"),
    [
        (
            {"together": [["a", "d"]], "apart": [["d", "a", "b"]]},
            "apart: members 'a' and 'd' must be apart, and are in one group by `together` or `fixed`",
            "不同群：成员 'a' 与 'd' 必须不同群，却又必须同群",
        ),
        (
            {"together": [["a", "d"]], "fixed": ["a", "d"]},
            "fixed seats: members who must be together have seats in group '一群' and in group '二群'",
            "固定席位：必须同群的成员分别固定在群 '一群' 与群 '二群'",
        ),
        (
            {"together": [list("abcde")]},
            "together: the largest set that must be together has 5 members, and a group at most 4",
            "",
        ),
        ({"apart": [list("abcd")]}, "apart: 4 members who must all be apart need as many groups", ""),
        ({"together": [list("abc"), list("def")], "apart": [["a", "d"]], "sizes": (6, 6)}, "apart: 2 members", ""),
    ],
)
def test_sets_that_nobody_could_keep_are_refused_in_both_languages(options, text, zh):
    shards, graph = community({"一群": "abc", "二群": "def"}, sizes=(2, 4))
    with pytest.raises(InfeasibleError, match=text) as refused:
        rebalance(shards, graph, **options)
    assert zh in refused.value.zh


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"together": [["a", "z"]]}, UnknownLabelError, "together: expected one of 5 known labels, got 'z'"),
        ({"apart": [["a", "f"]]}, UnknownLabelError, "apart: expected one of 5 known labels, got 'f'"),
        ({"together": "ab"}, InvalidTypeError, "together: expected sets of members, got 'ab'"),
        ({"together": ["ab"]}, InvalidTypeError, "together: expected sets of members, got 'ab' at row 0"),
        ({"together": [[["a"]]]}, UnknownLabelError, "together: expected one of 5 known labels"),
        ({"apart": [3]}, InvalidTypeError, "apart: expected sets of members, got 3"),
    ],
)
def test_sets_that_name_nobody_are_refused(options, error, text):
    shards, graph = community({"一群": "abc", "二群": "def"}, sizes=(2, 4))
    with pytest.raises(error, match=text):
        rebalance(shards, graph, left=["f"], **options)


# --- what happens where the first ways don't lead there ---


def test_a_deal_takes_over_where_no_seats_are_found_near_the_old_ones(monkeypatch):
    shards, graph = community({"一群": "abcd", "二群": "efgh", "三群": "ijkl"}, sizes=(3, 5))
    sets = {"together": [["a", "e"], ["i", "j"]], "apart": [["a", "b", "c"]]}
    monkeypatch.setattr(block_seats, "_MOST_STEPS", 0)
    change = rebalance(shards, graph, fixed=["k"], **sets)
    assert audit(change.shards, fixed={"k": "三群"}, **sets).holds
    assert all(3 <= size <= 5 for size in change.shards.sizes)
    monkeypatch.setattr(regrouping, "deal", lambda *_: None)
    with pytest.raises(UndecidedError, match="all at once: no deal was found") as refused:
        rebalance(shards, graph, **sets)
    assert refused.value.zh == "全部条件：未找到分法"
    with pytest.raises(UndecidedError, match="all at once: no deal was found"):
        staff(shards, graph, **sets)
    with pytest.raises(UndecidedError, match="all at once: no parts were found that keep every set"):
        split(Shards.of(graph, [0] * 12, sizes=(3, 5)), graph, group=0, apart=[["a", "b"], ["e", "f"], ["a", "e"]])


def test_a_deal_seats_a_set_where_most_of_it_comes_from(monkeypatch):
    monkeypatch.setattr(block_seats, "_MOST_STEPS", 0)
    shards, graph = community({"一群": "abcd", "二群": "efgh"}, sizes=(3, 5))
    change = rebalance(shards, graph, together=[["a", "e", "f"]])
    assert [(move.member, move.to_group) for move in change.moves.rows()] == [("a", "二群")]


def test_a_deal_opens_groups_where_there_are_too_few(monkeypatch):
    monkeypatch.setattr(block_seats, "_MOST_STEPS", 0)
    shards, graph = community({"一群": "abcdef"}, sizes=(2, 6))
    change = rebalance(shards, graph, apart=[["a", "b", "c"]])
    assert change.shards.sizes.tolist() == [2, 2, 2]
    assert change.shards.groups == Index(["一群", "new-1", "new-2"])


def test_sets_in_many_groups_are_seated_where_there_is_room():
    names = [f"群{number}" for number in range(30)]
    groups = {name: [f"{name}-{seat}" for seat in range(5)] for name in names}
    shards, graph = community(groups, sizes=(4, 6))
    pairs = [[f"群{number}-0", f"群{number}-1"] for number in range(0, 30, 2)]
    change = rebalance(shards, graph, apart=pairs)
    assert audit(change.shards, apart=pairs).holds
    assert change.n_moves == len(pairs)


def test_groups_that_did_not_open_after_all_leave_no_gap():
    graph = InteractionGraph.from_ties([0, 1], [1, 2], n_members=4)
    seating = Seating(graph.neighbours(), np.array([0, 0, -1, 0]), 3, SizeBand(1, 3))
    seating.put(2, 2)
    seating.renumber([0, 2])
    assert (seating.codes().tolist(), seating.members) == ([0, 0, 1, 0], [{0, 1, 3}, {2}])
    assert seating.ties_by_group(1) == {0: 1, 1: 1}
    assert (seating.leaders, seating.least, seating.most) == ([0, 0], [1, 1], [3, 3])


# --- leaders whose seat takes more than a swap ---


def a_seating(codes, bounds, leaders, fixed=(), ties=()):
    """Groups of numbered members."""
    u, v, w = zip(*ties, strict=True) if ties else ((), (), ())
    ends = (np.array(end, dtype=np.int64) for end in (u, v, w))
    graph = InteractionGraph.from_ties(*ends, members=Index(np.arange(len(codes))))
    leads, stays = np.isin(np.arange(len(codes)), leaders), np.isin(np.arange(len(codes)), list(fixed))
    seating = Seating(
        graph.neighbours(),
        np.array(codes),
        max(codes) + 1,
        SizeBand(*bounds),
        leaders=leads,
        min_leaders=1,
        fixed=stays,
    )
    seat_leaders(seating, list(range(max(codes) + 1)))
    return seating


def test_a_leader_goes_alone_where_nobody_can_give_way():
    seating = a_seating([0, 0, 0, 1, 1], (2, 4), leaders=[0, 1], fixed=[3, 4], ties=[(1, 3, 2), (0, 2, 1)])
    assert seating.codes().tolist() == [0, 1, 0, 1, 1]
    assert (seating.n_moved, set(seating.why.values())) == (1, {MoveReason.LEADER})


def test_somebody_follows_into_the_seat_of_a_leader_whose_group_would_be_too_small():
    ties = [(1, 3, 2), (5, 6, 3)]
    seating = a_seating([0, 0, 1, 1, 2, 2, 2, 2], (2, 3), leaders=[0, 1, 4], fixed=[2, 3], ties=ties)
    codes = seating.codes()
    assert codes[1] == 1
    assert codes[7] == 0
    assert seating.n_moved == 2
    assert np.bincount(codes).tolist() == [2, 3, 3]


def test_a_leader_moves_to_a_fixed_group_in_a_rebalance():
    shards, graph = community({"一群": "abc", "二群": "de"}, sizes=(2, 4), leaders=["a", "b"], min_leaders=1)
    change = rebalance(shards, graph, fixed=["d", "e", "a"])
    assert told(change) == [("b", "一群", "二群", MoveReason.LEADER)]


# --- staff ---


def test_staffing_brings_sets_together_by_swaps():
    shards, graph = community({"一群": "abc", "二群": "def"}, [("a", "b", 3)], sizes=(3, 3), leaders=["a", "b"])
    change = staff(shards, graph, min_leaders=1, together=[["c", "d"]], apart=[["a", "e"]])
    assert change.shards.sizes.tolist() == [3, 3]
    assert change.shards.n_leaders.tolist() == [1, 1]
    assert audit(change.shards, together=[["c", "d"]], apart=[["a", "e"]]).holds


def test_staffing_moves_nobody_whose_seat_is_fixed():
    shards, graph = community({"一群": "abc", "二群": "def"}, sizes=(3, 3), leaders=["a", "b"])
    assert "a" not in staff(shards, graph, min_leaders=1, fixed=["a"]).moves.member.tolist()
    with pytest.raises(InfeasibleError, match="fixed seats: beside the seats that are kept, groups lack 1 leader"):
        staff(shards, graph, min_leaders=1, fixed=["a", "b"])
    with pytest.raises(UnknownLabelError, match="fixed: expected a member of the groups, got 'z' at row 0"):
        staff(shards, graph, fixed=["z"])
    with pytest.raises(InvalidTypeError, match="fixed: expected labels of members, who keep their groups, got 'a map"):
        staff(shards, graph, fixed={"a": "一群"})


def test_swaps_that_do_not_lead_there_with_sizes_as_they_are_are_ruled_out():
    # In groups of 2 and 4 two sets of 3 could sit if the groups were of 3.
    shards, graph = community({"一群": "ab", "二群": "cdef"}, sizes=(2, 4))
    with pytest.raises(
        InfeasibleError, match="every way to seat them by swaps, sizes as they are, was ruled out"
    ) as no:
        staff(shards, graph, together=[list("abc"), list("def")])
    assert no.value.zh.startswith("全部条件：各群人数不变时")


# --- split and join ---


def test_a_split_keeps_sets():
    ties = [("a", "b", 5), ("b", "c", 5), ("d", "e", 5), ("e", "f", 5)]
    shards, graph = community({"一群": "abcdef", "二群": "xyz"}, ties, sizes=(2, 4))
    change = split(shards, graph, group="一群", together=[["a", "d"]], apart=[["e", "f"], ["e", "x"]])
    assert audit(change.shards, together=[["a", "d"]], apart=[["e", "f"]]).holds
    assert set(change.moves.from_group.tolist()) == {"一群"}
    assert set(change.moves.reason.tolist()) == {MoveReason.SPLIT}


def test_a_split_makes_as_many_parts_as_those_who_must_not_meet_need():
    shards, graph = community({"一群": "abcdef"}, sizes=(2, 4))
    change = split(shards, graph, group="一群", apart=[["a", "b", "c"]])
    assert change.shards.sizes.tolist() == [2, 2, 2]
    with pytest.raises(InfeasibleError, match="all at once: no 2 parts keep every set: every deal was ruled out"):
        split(shards, graph, group="一群", parts=2, apart=[["a", "b", "c"]])


@pytest.mark.parametrize(
    ("sets", "text", "zh"),
    [
        (
            {"together": [["a", "x"]]},
            "together: members 'a' and 'x' sit in groups '一群' and '二群', and nobody but the members of group",
            "同群：只有群 '一群' 的成员迁移，成员 'a' 与 'x' 分别在群 '一群' 与群 '二群'",
        ),
        (
            {"apart": [["x", "a", "y"]]},
            "apart: members 'x' and 'y' both sit in group '二群', and nobody but the members of group '一群' moves",
            "不同群：只有群 '一群' 的成员迁移，成员 'x' 与 'y' 同在群 '二群'",
        ),
        ({"together": [["a", "b"]], "apart": [["a", "b"]]}, "apart: members 'a' and 'b' must be apart", "必须同群"),
        (
            {"together": [list("abcdef")]},
            "together: the largest set that must be together has 6 members, and a group at most 4",
            "",
        ),
    ],
)
def test_sets_that_no_split_keeps_are_refused(sets, text, zh):
    shards, graph = community({"一群": "abcdef", "二群": "xyz"}, sizes=(2, 4))
    with pytest.raises(InfeasibleError, match=text) as refused:
        split(shards, graph, group="一群", **sets)
    assert zh in refused.value.zh


def test_a_set_that_fits_into_one_group_alone_is_not_split():
    shards, graph = community({"一群": "abcd"}, sizes=(2, 4))
    with pytest.raises(InfeasibleError, match="all at once: no 2 parts keep every set"):
        split(shards, graph, group="一群", together=[list("abcd")], parts=2)
    with pytest.raises(InfeasibleError, match="keep every set"):
        split(shards, graph, group="一群", together=[list("abc")])


def test_joined_groups_must_keep_sets():
    shards, graph = community({"一群": "ab", "二群": "cd", "三群": "ef"}, sizes=(2, 6))
    change = join_groups(shards, graph, groups=["一群", "二群"], together=[["a", "c"]], apart=[["a", "e"]])
    assert audit(change.shards, together=[["a", "c"]], apart=[["a", "e"]]).holds
    with pytest.raises(
        InfeasibleError, match="apart: members 'a' and 'c' both sit in group '一群' once the groups are"
    ):
        join_groups(shards, graph, groups=["一群", "二群"], apart=[["a", "c"]])
    with pytest.raises(
        InfeasibleError, match="together: members 'a' and 'e' sit in groups '一群' and '三群' once"
    ) as no:
        join_groups(shards, graph, groups=["一群", "二群"], together=[["a", "e"]])
    assert no.value.zh == "同群：合并后成员 'a' 与 'e' 分别在群 '一群' 与群 '三群'"


# --- demands ---


def test_too_few_leaders_for_one_group_are_told_in_the_singular():
    demands = Demands(band=SizeBand(1, 4), leaders=np.array([True, False]), min_leaders=2)
    with pytest.raises(InfeasibleError, match="leaders: expected at least 2, 2 for each of 1 group, got 1") as refused:
        demands.require_leaders(1)
    assert refused.value.zh == "负责人：1 个群、每群 2 名，至少需要 2 名，而只有 1 名"


def test_a_set_of_members_named_twice_is_refused_apart_and_taken_together():
    shards, graph = community({"一群": "ab", "二群": "cd"}, sizes=(2, 4))
    assert rebalance(shards, graph, together=[["a", "a"]]).n_moves == 0
    with pytest.raises(InvalidValueError, match="apart: expected sets that name each member once"):
        rebalance(shards, graph, apart=[["a", "a"]])


def a_search(codes, standing, together, ties=(), **rooms):
    """A search for the seats of sets, in groups of 3 to 4 in which others stand."""
    graph = InteractionGraph.from_ties([u for u, _ in ties], [v for _, v in ties], n_members=len(codes))
    seating = Seating(graph.neighbours(), np.array(codes), len(standing), SizeBand(3, 4))
    all_open = block_seats.Rooms(
        is_open=[True] * len(standing), standing=standing, must_stay=False, prefers_short=False, **rooms
    )
    return block_seats.BlockSeats(seating, Seats(Asked(fixed={}, together=together, apart=[]), 0), all_open)


def test_a_set_is_tried_first_where_it_costs_fewest_moves():
    # Moves of the two themselves, and of those who have no seat then: 1 + 2 in group 0, where one is too many already;
    # 1 + 2 in group 1, where they know somebody; 2 + 2 in group 2; and 2 + 0 in group 3, which has room for both.
    codes = [0, 1, *[0] * 5, *[1] * 4, *[2] * 4, 3]
    search = a_search(codes, [5, 4, 4, 1], [[0, 1]], ties=[(1, 7)])
    assert search._groups_for(0) == [3, 1, 0, 2]


def test_a_further_group_costs_those_who_have_to_fill_it():
    # Two newcomers: 2 have to leave group 0, 1 has to leave group 1, and 1 has to join them in a group of their own.
    codes = [-1, -1, -1, -1, *[0] * 4, *[1] * 3]
    search = a_search(codes, [4, 3, 0], [[0, 1], [2]], unopened=2)
    assert search._groups_for(0) == [1, 2, 0]
    search._add(1, 2)  # the third is there already
    assert search._groups_for(0) == [2, 1, 0]
