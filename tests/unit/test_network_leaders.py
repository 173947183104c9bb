from __future__ import annotations

import math
import pickle

import attrs
import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.graph import InteractionGraph
from shequn.labels import Assignment, Index
from shequn.network import PageRank, Succession, core_numbers, grassroots_leaders, pagerank
from shequn.network import cores as cores_module

MEMBERS = Index(["owner", "ann", "bo", "cy", "dee", "ed", "flo"])
# Everybody turns to the owner; among the others ann answers most and is answered most, then dee.
REPLIES = [
    *(("owner", other, 9) for other in ("ann", "bo", "cy", "dee", "ed", "flo")),
    *((other, "owner", 9) for other in ("ann", "bo", "cy", "dee", "ed", "flo")),
    ("ann", "bo", 5), ("ann", "cy", 7), ("ann", "dee", 1),
    ("bo", "ann", 3), ("cy", "ann", 3), ("dee", "ann", 1),
    ("dee", "ed", 4), ("ed", "dee", 2), ("bo", "dee", 1),
]  # fmt: skip


def replies(rows: list = REPLIES) -> InteractionGraph:
    source, target, weight = zip(*rows, strict=True)
    return InteractionGraph.from_ties(list(source), list(target), list(weight), members=MEMBERS)


# --- PageRank ---


def test_ranks_add_up_and_follow_the_votes():
    found = pagerank(InteractionGraph.from_ties([0, 1, 2, 3], [3, 3, 3, 0]))
    assert found.score.sum() == pytest.approx(1, abs=1e-12)
    assert found.rank.tolist() == [2, 3, 4, 1]
    assert found.converged


def test_without_ties_all_rank_alike():
    assert pagerank(InteractionGraph.from_ties([], [], n_members=4)).score.tolist() == [0.25] * 4


def test_nobody_has_no_rank():
    found = pagerank(InteractionGraph.from_ties([], [], n_members=0))
    assert found.score.shape == (0,)
    assert found.converged
    assert "(no rows)" in str(found)


def test_without_damping_nothing_is_passed_on():
    assert pagerank(InteractionGraph.from_ties([0, 1], [2, 2]), damping=0).score == pytest.approx([1 / 3] * 3)


def test_heavy_ties_are_heavy_votes_unless_all_are_to_be_alike():
    graph = InteractionGraph.from_ties([0, 0, 1, 2], [1, 2, 0, 0], [9, 1, 1, 1])
    by_weight, alike = pagerank(graph).score, pagerank(graph, weight="equal").score
    assert by_weight[1] > 4 * by_weight[2]
    assert alike[1] == pytest.approx(alike[2])


def test_too_few_rounds_are_said_to_be():
    found = pagerank(replies(), max_rounds=2)
    assert (found.rounds, found.converged) == (2, False)
    assert "not converged: after 2 rounds" in str(found)
    assert "未收敛：2 轮后" in found.table(lang="zh")


def test_a_program_gets_shares_and_a_reader_multiples_of_the_mean():
    found = PageRank(members=Index(["ann", "bo"]), score=[0.3, 0.7], rounds=3, residual=0.0, tol=1e-9)
    columns = found.to_columns()
    assert columns["member"].tolist() == ["bo", "ann"]
    assert columns["score"].tolist() == [0.7, 0.3]
    assert [(row.rank, row.member, row.score) for row in found.rows()] == [(1, "bo", 0.7), (2, "ann", 0.3)]
    assert "均值倍数" in found.table(lang="zh")
    assert "1.40" in str(found)
    assert repr(found) == "PageRank(2 members, 3 rounds, converged=True)"
    assert not pickle.loads(pickle.dumps(found)).score.flags.writeable  # noqa: S301


def test_a_tighter_tolerance_takes_more_rounds():
    assert pagerank(replies(), tol=1e-3).rounds < pagerank(replies(), tol=1e-12).rounds


@pytest.mark.parametrize(
    ("option", "value", "error", "text"),
    [
        ("damping", 1, InvalidValueError, r"damping: expected a number in \[0, 1\), got 1"),
        ("damping", math.nan, InvalidValueError, r"damping: expected a number in \[0, 1\), got nan"),
        ("damping", True, InvalidTypeError, "damping: expected a number, got True"),
        ("tol", 0, InvalidValueError, r"tol: expected a number in \(0, 1\], got 0"),
        ("max_rounds", 0, InvalidValueError, "max_rounds: expected at least 1, and less than"),
        ("max_rounds", 1.5, InvalidTypeError, "max_rounds: expected an integer, got 1.5"),
        ("weight", "wait", InvalidValueError, "weight: expected one of 'weight', 'equal', got 'wait'"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused(option, value, error, text):
    with pytest.raises(error, match=text):
        pagerank(replies(), **{option: value})


def test_a_rank_has_one_finite_score_a_member():
    with pytest.raises(MisalignedError, match="score: expected one for each of 1 member"):
        PageRank(members=Index(["ann"]), score=[0.5, 0.5], rounds=1, residual=0.0, tol=1e-9)
    with pytest.raises(InvalidValueError, match="residual: expected a finite number of 0 or more"):
        PageRank(members=Index(["ann"]), score=[1.0], rounds=1, residual=math.inf, tol=1e-9)


def test_the_unit_of_weights_does_not_matter_however_large_or_small():
    plain = pagerank(InteractionGraph.from_ties([0, 0, 1, 2], [1, 2, 0, 0], [3.0, 1.0, 1.0, 1.0])).score
    for unit in (1e308 / 2, 1e-308):
        graph = InteractionGraph.from_ties([0, 0, 1, 2], [1, 2, 0, 0], np.array([3.0, 1.0, 1e-9, 1.0]) / 3 * unit)
        np.testing.assert_allclose(pagerank(graph).score, plain, rtol=1e-9)


# --- cores ---


def test_a_clique_with_a_tail_has_a_core():
    clique = [(a, b) for a in range(5) for b in range(a)]
    graph = InteractionGraph.from_ties(*zip(*clique, (4, 5), (5, 6), strict=True), n_members=8)
    assert core_numbers(graph).tolist() == [4, 4, 4, 4, 4, 1, 1, 0]


def test_nobody_is_in_no_core():
    assert core_numbers(InteractionGraph.from_ties([], [], n_members=0)).shape == (0,)


@pytest.mark.parametrize("few", [0, 10**9])
def test_cores_are_the_same_member_by_member_and_all_at_once(monkeypatch, few):
    rng = np.random.default_rng(5)
    source, target = rng.integers(0, 200, (2, 900))
    graph = InteractionGraph.from_ties(source, target, self_ties="drop")
    expected = core_numbers(graph)
    monkeypatch.setattr(cores_module, "_FEW", few)
    np.testing.assert_array_equal(core_numbers(graph), expected)
    assert len(np.unique(expected)) > 3


def test_a_long_chain_is_peeled_from_its_ends_in_reasonable_time():
    n = 20_000
    graph = InteractionGraph.from_ties(np.arange(n - 1), np.arange(1, n))
    assert (core_numbers(graph) == 1).all()


# --- grassroots leaders ---


def test_the_owner_is_no_grassroots_leader_and_has_no_vote():
    found = grassroots_leaders(replies(), exclude="owner", top=2)
    assert found.of("all") == ("ann", "dee")
    assert not found.mask[0]
    without = grassroots_leaders(replies(REPLIES[12:]), exclude="owner", top=2)
    np.testing.assert_array_equal(found.authority, without.authority)


def test_with_nobody_excluded_the_owner_comes_first():
    assert grassroots_leaders(replies()).of("all")[0] == "owner"


def test_a_mask_excludes_as_labels_do():
    mask = np.array([True, False, False, False, False, False, False])
    assert grassroots_leaders(replies(), exclude=mask).of("all") == ("ann", "dee", "bo")
    assert grassroots_leaders(replies(), exclude={"owner", "ann"}).of("all") == ("dee", "ed", "bo")


def test_who_is_asked_and_never_answers_is_no_leader():
    rows = [("ann", "bo", 1), ("cy", "bo", 1), ("dee", "bo", 1), ("bo", "ann", 1)]
    assert grassroots_leaders(replies(rows[:3])).of("all") == ("ann", "cy", "dee")
    assert grassroots_leaders(replies(rows)).of("all")[0] == "bo"


def test_authority_is_one_on_average_in_each_group():
    groups = {"ann": "a", "bo": "a", "cy": "a", "dee": "b", "ed": "b", "flo": "b"}
    found = grassroots_leaders(replies(), groups=groups, top=9, reach=np.ones(7))
    for code in (0, 1):
        assert found.authority[found.group == code].mean() == pytest.approx(1)
    assert found.of("a")[0] == "ann"
    assert found.of("b")[0] == "dee"
    assert found.place.tolist() == [1, 2, 3, 1, 2, 3]


def test_ties_between_groups_do_not_count():
    groups = {"ann": "a", "bo": "b"}
    found = grassroots_leaders(replies([("ann", "bo", 9), ("bo", "ann", 9)]), groups=groups)
    assert len(found) == 0
    assert found.succession.others.tolist() == [1, 1]


def test_who_is_in_no_group_is_no_leader():
    groups = Assignment.from_labels(MEMBERS, [None, None, "a", "a", "a", "a", "a"])
    assert set(grassroots_leaders(replies(), groups=groups).of("a")) <= {"bo", "cy", "dee", "ed", "flo"}


def test_groups_of_members_without_names_go_by_number():
    graph = InteractionGraph.from_ties([0, 1, 2, 3], [1, 0, 3, 2])
    found = grassroots_leaders(graph, groups={3: "b", 2: "b", 1: "a", 0: "a", 99: "c"}, top=1)
    assert (found.of("a"), found.of("b"), found.of("c")) == ((0,), (2,), ())


def test_relevance_and_reach_multiply():
    relevance = np.array([1, 0.1, 1, 1, 1, 1, 1])
    found = grassroots_leaders(replies(), exclude="owner", relevance=relevance)
    assert found.of("all")[0] == "dee"
    np.testing.assert_allclose(found.score, found.authority * found.relevance * found.reach)
    by_reach = grassroots_leaders(replies(), exclude="owner", reach=[0, 0, 1, 0, 0, 0, 0])
    assert by_reach.of("all") == ("bo",)


def test_reach_is_the_share_of_the_group_that_was_answered():
    found = grassroots_leaders(replies(), exclude="owner", top=1)
    assert found.reach.tolist() == [3 / 5]  # bo, cy, dee of bo, cy, dee, ed, flo
    assert (found.answered.tolist(), found.answered_by.tolist(), found.core.tolist()) == ([3], [3], [2])


def test_a_leader_comes_with_reasons():
    found = grassroots_leaders(replies(), exclude="owner", top=2)
    assert found.explain("ann") == (
        "ann: 1 of 6 in all by PageRank, core number 2, answered 3 members (most often cy, bo, dee), answered by 3"
    )
    assert found.explain("ann", lang="zh") == (
        "ann：在 all 的 6 人中 PageRank 第 1，核数 2，回应过 3 人（最多的是 cy、bo、dee），被 3 人回应"
    )
    assert "most often" not in grassroots_leaders(replies([("bo", "ann", 1)]), reach=np.ones(7)).explain("ann")


def test_who_was_not_found_has_no_reasons():
    found = grassroots_leaders(replies(), exclude="owner", top=1)
    with pytest.raises(UnknownLabelError, match="member: expected one of 1 leader, got 'bo'"):
        found.explain("bo")
    with pytest.raises(UnknownLabelError, match="member: expected one of 7 known labels, got 'zed'"):
        found.explain("zed")
    with pytest.raises(UnknownLabelError, match="group"):
        found.of("g9")


def test_succession_counts_who_is_reached_and_who_would_be_without_one():
    found = grassroots_leaders(replies(), exclude="owner", top=2).succession
    # ann and dee lead bo, cy, ed, flo. Ties: bo with both, cy with ann alone, ed with dee alone, flo with nobody.
    assert (found.leaders.tolist(), found.others.tolist()) == ([2], [4])
    assert found.covered.tolist() == [3]
    assert found.covered_without_one.tolist() == [2]
    assert (found.cover.tolist(), found.cover_without_one.tolist()) == ([0.75], [0.5])


def test_where_all_lead_nobody_is_left_to_cover():
    found = grassroots_leaders(InteractionGraph.from_ties([0, 1], [1, 0]))
    assert found.succession.others.tolist() == [0]
    assert np.isnan(found.succession.cover).all()
    assert "–" in found.succession.table(lang="zh")


def test_nobody_leads_nobody():
    found = grassroots_leaders(InteractionGraph.from_ties([], [], n_members=0))
    assert len(found) == 0
    assert found.to_columns()["score"].dtype == np.float64
    assert "(no rows)" in str(found)
    everybody_out = grassroots_leaders(replies(), exclude=MEMBERS.labels)
    assert len(everybody_out) == 0


def test_leaders_come_back_from_a_pickle():
    found = grassroots_leaders(replies(), exclude="owner")
    back = pickle.loads(pickle.dumps(found))  # noqa: S301
    assert back.table(lang="zh") == found.table(lang="zh")
    assert [row.member for row in back.rows()] == ["ann", "dee", "bo"]
    assert not back.succession.covered.flags.writeable


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"top": 0}, InvalidValueError, "top: expected at least 1, got 0"),
        ({"exclude": ["own"]}, UnknownLabelError, "exclude: expected labels of 7 members, got 'own'"),
        ({"exclude": np.ones(3, dtype=bool)}, MisalignedError, "exclude: expected a mask of 7 members"),
        ({"groups": "g"}, InvalidTypeError, "groups: expected an Assignment or a mapping of member to group"),
        ({"groups": Assignment.from_mapping({"ann": "a"})}, MisalignedError, "groups: expected one entry for each"),
        ({"relevance": [1, 2]}, MisalignedError, "relevance: expected one for each of 7 members"),
        ({"relevance": [1, math.nan, 1, 1, 1, 1, 1]}, InvalidValueError, "relevance: expected finite numbers of 0"),
        ({"reach": [1, -1, 1, 1, 1, 1, 1]}, InvalidValueError, r"reach: expected finite .*got -1 at row 1"),
        ({"reach": [1, math.inf, 1, 1, 1, 1, 1]}, InvalidValueError, "reach: expected finite numbers of 0 or more"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(options, error, text):
    with pytest.raises(error, match=text):
        grassroots_leaders(replies(), **options)


def test_leaders_and_succession_have_one_entry_each():
    found = grassroots_leaders(replies(), exclude="owner")
    with pytest.raises(MisalignedError, match="rank: expected one for each of 3 leaders"):
        attrs.evolve(found, rank=[1])
    with pytest.raises(MisalignedError, match="rank: expected one for each of 3 leaders"):
        attrs.evolve(found, rank=1)
    with pytest.raises(
        InvalidValueError, match=r"member: expected integers in \[0, 6\], got 7 at row 1 \(1 of 3 rows\)"
    ):
        attrs.evolve(found, member=[1, 7, 2])
    with pytest.raises(InvalidValueError, match=r"most: expected integers in \[-1, 6\], got -2"):
        attrs.evolve(found, most=np.full((3, 3), -2))
    with pytest.raises(MisalignedError, match="others: expected one for each of 1 group"):
        Succession(groups=Index(["g"]), leaders=[1], others=[1, 2], covered=[1], covered_without_one=[0])
    with pytest.raises(InvalidTypeError, match="succession: expected a Succession"):
        attrs.evolve(found, succession=None)
