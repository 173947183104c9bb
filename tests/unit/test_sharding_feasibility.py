from __future__ import annotations

import itertools

import attrs
import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError
from shequn.sharding import packing_search
from shequn.sharding.feasibility import Requirement, feasible


def test_sizes_alone_leave_the_numbers_of_groups_between_two_quotients():
    found = feasible(1_000)
    assert found.verdict == "feasible"
    assert found.n_groups.tolist() == list(range(28, 39))
    assert found.reason is None
    assert repr(found) == "Feasibility(feasible, 1,000 members in 28 to 38 groups)"


def test_a_million_members_are_answered_at_once():
    leaders = np.arange(1_000_000) < 70_000
    found = feasible(1_000_000, leaders=leaders, min_leaders=2, fixed={7: "g1", 8: "g2"})
    assert found.n_groups.tolist() == list(range(27_778, 35_001))


def test_too_few_members_for_one_group():
    found = feasible(20)
    assert found.verdict == "infeasible"
    assert found.reason == "no number of groups k has 26 k <= 20 <= 36 k: 1 group needs at least 26"


def test_where_no_number_of_groups_is_left_there_is_neither_a_fewest_nor_a_most():
    [condition] = feasible(20).conditions
    assert condition[:4] == (Requirement.SIZES, "infeasible", -1, -1)
    assert str(feasible(20)).splitlines()[3].split() == ["sizes", "infeasible", "–", "–"]


def test_nobody_goes_into_no_group():
    assert feasible(0).n_groups.tolist() == [0]


def test_leaders_limit_the_number_of_groups():
    assert feasible(1_000, leaders=60, min_leaders=2).n_groups.tolist() == [28, 29, 30]
    found = feasible(1_000, leaders=55, min_leaders=2)
    assert found.conditions[-1].what is Requirement.LEADERS
    assert found.reason == "55 leaders seat 2 each in at most 27 groups, and 1,000 members need at least 28 groups"
    assert "55 名负责人、每群 2 名，最多 27 个群；而 1,000 名成员至少需要 28 个群" in found.table(lang="zh")


def test_more_leaders_than_a_group_holds_can_never_be_seated():
    found = feasible(100, (2, 4), leaders=100, min_leaders=5)
    assert found.reason == "5 leaders do not fit into a group of at most 4"


def test_a_set_larger_than_a_group_cannot_be_together():
    found = feasible(100, together=[range(37)])
    assert found.conditions[-1].what is Requirement.TOGETHER
    assert found.reason == "the largest set that must be together has 37 members, and a group at most 36"


def test_sets_that_overlap_are_one_set():
    assert feasible(100, together=[range(20), range(19, 37)]).verdict == "infeasible"
    assert feasible(100, together=[range(20), range(20, 37)]).verdict == "feasible"


def test_seats_in_two_groups_collide_with_being_together():
    found = feasible(100, together=[(3, 4), (4, 5)], fixed={3: "一群", 5: "二群"})
    assert found.conditions[-1].what is Requirement.FIXED
    assert found.reason == "members who must be together have seats in group '一群' and in group '二群'"


def test_more_seats_in_a_group_than_it_holds():
    found = feasible(100, fixed=dict.fromkeys(range(37), "g"))
    assert found.reason == "37 members have seats in one group, or must join them, and a group has at most 36"


def test_more_groups_with_seats_than_the_members_fill():
    found = feasible(100, fixed={0: "a", 1: "b", 2: "c", 3: "d"})
    assert found.reason == "4 groups have seats given, and 100 members fill at most 3"


def test_seats_given_as_an_array_are_those_given_as_a_mapping():
    groups = np.full(100, -1)
    groups[[0, 1, 2]] = [5, 5, 9]
    assert feasible(100, fixed=groups) == feasible(100, fixed={0: 5, 1: 5, 2: 9})


def test_members_who_must_be_apart_and_together_collide():
    found = feasible(100, together=[(1, 2), (2, 3)], apart=[(3, 1)])
    assert found.conditions[-1].what is Requirement.APART
    assert found.reason == "members 1 and 3 must be apart, and are in one group by `together` or `fixed`"
    assert feasible(100, fixed={1: "g", 3: "g"}, apart=[(3, 1)]).verdict == "infeasible"


def test_more_members_apart_than_there_can_be_groups():
    assert feasible(100, apart=[range(3)]).verdict == "feasible"
    found = feasible(100, apart=[range(4)])
    assert found.reason == "4 members who must all be apart need as many groups, and 100 members fill at most 3"


def test_three_who_shun_each_other_in_pairs_need_three_groups():
    found = feasible(6, (2, 3), apart=[(0, 1), (1, 2), (0, 2)])
    assert found.n_groups.tolist() == [3]
    assert feasible(4, (2, 2), apart=[(0, 1), (1, 2), (0, 2)]).verdict == "infeasible"


def test_who_shuns_somebody_with_a_seat_sits_elsewhere():
    assert feasible(4, (2, 2), fixed={0: "a", 1: "b"}, apart=[(0, 2), (1, 2)]).verdict == "infeasible"
    assert feasible(4, (2, 2), fixed={0: "a", 1: "b"}, apart=[(0, 2)]).verdict == "feasible"


def test_groups_that_are_alike_are_tried_once(monkeypatch):
    # 21 pairs do not fit into ten groups of five, and there are 10 to the 20 ways to try.
    monkeypatch.setattr(packing_search, "_MOST_NODES", 3_000)
    assert feasible(50, (5, 5), together=[range(2 * i, 2 * i + 2) for i in range(21)]).verdict == "infeasible"


def test_all_conditions_can_be_met_alone_and_not_at_once():
    found = feasible(60, together=[range(20), range(20, 40), range(40, 60)])
    assert found.conditions[-1].what is Requirement.ALL
    assert found.verdict == "infeasible"
    assert "every deal was ruled out" in found.reason


def test_leaders_who_sit_in_one_set_cannot_lead_two_groups():
    leaders = np.zeros(60, dtype=bool)
    leaders[:4] = True
    assert feasible(60, leaders=leaders, min_leaders=2).verdict == "feasible"
    assert feasible(60, leaders=leaders, min_leaders=2, together=[range(3)]).verdict == "infeasible"


def test_fixed_seats_of_members_who_cannot_lead_leave_room_for_leaders():
    leaders = np.zeros(72, dtype=bool)
    leaders[70:] = True
    assert feasible(72, leaders=leaders, min_leaders=1, fixed=dict.fromkeys(range(35), "g")).verdict == "feasible"
    assert feasible(72, leaders=leaders, min_leaders=1, fixed=dict.fromkeys(range(36), "g")).verdict == "infeasible"


def test_an_answer_that_took_too_long_is_not_a_guess(monkeypatch):
    sets = [range(start, start + 3) for start in range(0, 30, 3)]
    assert feasible(36, (9, 9), together=sets).verdict == "feasible"
    monkeypatch.setattr(packing_search, "_MOST_NODES", 0)
    monkeypatch.setattr(packing_search, "_by_load", lambda *_: False)
    found = feasible(36, (9, 9), together=sets)
    assert (found.verdict, found.undecided.tolist()) == ("not decided", [4])
    assert "not every deal could be ruled out" in found.reason
    assert "未能判定" in found.table(lang="zh")
    assert repr(found) == "Feasibility(not decided: all at once)"


def test_a_deal_found_by_search_seats_every_block(monkeypatch):
    monkeypatch.setattr(packing_search, "_by_load", lambda *_: False)
    blocks = tuple(packing_search.Block(size, 0, False, frozenset()) for size in (5, 5, 4, 4, 3, 3))
    groups = packing_search.deal(packing_search.Problem(24, 12, 12, 0, 0, blocks), 2)
    assert sorted(block for group in groups for block in group) == list(range(6))
    assert [sum(blocks[block].size for block in group) for group in groups] == [12, 12]
    assert packing_search.deal(packing_search.Problem(24, 11, 11, 0, 0, blocks), 2) is None


def test_too_many_sets_to_search_are_decided_by_a_deal_or_not_at_all(monkeypatch):
    sets = [range(start, start + 2) for start in range(0, 140, 2)]
    assert feasible(140, (4, 6), together=sets).n_groups.tolist() == list(range(24, 36))
    monkeypatch.setattr(packing_search, "_by_load", lambda *_: False)
    assert feasible(140, (4, 6), together=sets).verdict == "not decided"


def test_with_a_group_for_each_block_a_deal_is_at_hand_however_many_blocks_there_are(monkeypatch):
    monkeypatch.setattr(packing_search, "_by_load", lambda *_: False)
    blocks = tuple(packing_search.Block(2, 0, False, frozenset()) for _ in range(70))
    problem = packing_search.Problem(300, 3, 5, 0, 0, blocks)
    assert packing_search.deal(problem, 72) == [*([block] for block in range(70)), [], []]
    assert packing_search.deal(problem, 69) is None


def test_where_time_runs_out_the_numbers_left_are_not_decided(monkeypatch):
    monkeypatch.setattr(packing_search, "_MOST_STEPS", 200)
    found = feasible(1_000, together=[(2 * i, 2 * i + 1) for i in range(40)])
    assert found.verdict == "feasible"
    assert found.n_groups.tolist() == [32, 33]
    assert found.undecided.tolist() == [28, 29, 30, 31, 34, 35, 36, 37, 38]
    assert found.runs.tolist() == [[32, 33]]
    assert found.undecided_runs.tolist() == [[28, 31], [34, 38]]


def test_with_a_group_for_each_block_nothing_is_left_to_search(monkeypatch):
    monkeypatch.setattr(packing_search, "_MOST_STEPS", 0)
    leaders = np.arange(100_000) < 6_400
    found = feasible(
        100_000,
        leaders=leaders,
        min_leaders=2,
        together=[(0, 1, 2), (7_000, 7_001)],
        apart=[(0, 7_000)],
        fixed={9: "g"},
    )
    # Three leaders in one group seat two: 6,399 do the work, and 3,199 groups are the most.
    assert found.runs.tolist() == [[2_778, 3_199]]
    assert len(found.undecided) == 0


def test_two_thousand_million_members_take_no_memory():
    found = feasible(2**31 - 1, (1, 2**31 - 1), together=[(0, 1)])
    assert found.runs.tolist() == [[1, 2**31 - 2]]
    assert repr(found) == "Feasibility(feasible, 2,147,483,647 members in 1 to 2,147,483,646 groups)"


def test_a_set_without_end_is_refused_at_the_first_who_is_no_member():
    with pytest.raises(InvalidValueError, match=r"together: expected members in \[0, 5\), got 5 at row 0"):
        feasible(5, (1, 3), together=[itertools.count()])


def test_a_reason_is_told_in_both_languages():
    found = feasible(40)
    assert found.reason_zh == "没有群数 k 能满足 26 k ≤ 40 ≤ 36 k：1 个群最多容纳 36 人，2 个群至少需要 52 人"
    assert feasible(20).reason_zh == "没有群数 k 能满足 26 k ≤ 20 ≤ 36 k：1 个群至少需要 26 人"
    assert feasible(36).reason_zh is None


def test_one_is_not_told_as_many():
    assert repr(feasible(1, (1, 1))) == "Feasibility(feasible, 1 member in 1 group)"
    assert str(feasible(1, (1, 1))).startswith("1 member, 1 to 1 a group: feasible")
    assert feasible(4, (1, 1), leaders=1, min_leaders=1).reason == (
        "1 leader seats 1 each in at most 1 group, and 4 members need at least 4 groups"
    )
    assert feasible(1, (1, 1), fixed={0: "g"}).conditions[1].why == "1 group has seats given"
    assert feasible(2, (1, 1), together=[[1]]).conditions[1].why == (
        "the largest set that must be together has 1 member"
    )
    assert feasible(2, (1, 1), apart=[[1]]).conditions[1].why == "nobody has to be apart from anybody else"


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        ({"runs": [[3, 2]]}, InvalidValueError, "runs: expected ascending runs"),
        ({"runs": [[1, 2], [2, 4]]}, InvalidValueError, "runs: expected ascending runs"),
        ({"runs": [1, 2]}, MisalignedError, "runs: expected one for each run"),
        ({"runs": [[-1, 2]]}, InvalidValueError, "runs: expected integers in"),
        ({"runs": [[1.5, 2]]}, InvalidTypeError, "runs: expected integers"),
        ({"undecided_runs": "ab"}, InvalidTypeError, "undecided_runs: expected integers"),
        ({"conditions": ()}, InvalidValueError, "conditions: expected at least one Condition"),
        ({"conditions": ["sizes"]}, InvalidTypeError, "conditions: expected conditions, got 'sizes' at row 0"),
        ({"n_members": -1}, InvalidValueError, "n_members: expected a number of members"),
        ({"sizes": 5}, InvalidTypeError, "sizes: expected the fewest and the most"),
    ],
)
def test_an_answer_made_by_hand_is_checked(fields, error, text):
    answer = feasible(100)
    assert attrs.evolve(answer, runs=[[3, 3], [5, 6]]).n_groups.tolist() == [3, 5, 6]
    with pytest.raises(error, match=text):
        attrs.evolve(answer, **fields)


def test_a_deal_has_to_try_groups_that_are_not_the_emptiest():
    # The least filled group refuses each of the last ones, who shun whoever sits there.
    found = feasible(8, (2, 4), apart=[(0, 1), (0, 2), (0, 3), (1, 2)], together=[(4, 5, 6)])
    assert found.verdict == "feasible"


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"together": 5}, InvalidTypeError, "together: expected sets of members, got 5"),
        ({"together": [(1, "a")]}, InvalidTypeError, "together: expected members as integers in"),
        ({"apart": [(1, 2), (1, 100)]}, InvalidValueError, r"apart: expected members in \[0, 100\), got 100 at row 1"),
        ({"fixed": [1, 2]}, MisalignedError, "fixed: expected one group for each of 100 members"),
        ({"fixed": {0: [1]}}, InvalidTypeError, r"fixed: expected groups as str or int, got \[1\] at row 0"),
        ({"fixed": {0: True}}, InvalidTypeError, "fixed: expected groups as str or int, got True"),
        ({"together": ["ab"]}, InvalidTypeError, "together: expected sets of members, got 'ab' at row 0"),
        ({"fixed": {100: "g"}}, InvalidValueError, "fixed: expected members in"),
        ({"leaders": 101}, InvalidValueError, r"leaders: expected a number of members in \[0, 100\]"),
        ({"leaders": [True]}, MisalignedError, "leaders: expected one entry for each of 100 members"),
        ({"leaders": [1.0] * 100}, InvalidTypeError, "leaders: expected a number, or an array of booleans"),
        ({"min_leaders": 1}, InvalidTypeError, "leaders: expected who can lead"),
        ({"min_leaders": 1, "leaders": 9, "together": [(1, 2)]}, InvalidTypeError, "leaders: expected a mask of those"),
        ({"min_leaders": -1}, InvalidValueError, "min_leaders: expected a number of members"),
    ],
)
def test_what_cannot_be_asked_is_refused(options, error, text):
    with pytest.raises(error, match=text):
        feasible(100, **options)
