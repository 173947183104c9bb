"""Groups from ties: what may be asked, what is answered, and what is refused."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import shequn as sq
from shequn.errors import InfeasibleError, InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.graph import InteractionGraph
from shequn.labels import Assignment, Index
from shequn.sharding import Shards, audit, shard

NAMES = Index([f"u{n}" for n in range(80)])


def circles(*sizes):
    """Return a graph in which everybody of a circle knows everybody of it, and each circle somebody of the next."""
    source, target = [], []
    begin = 0
    for size in sizes:
        for member in range(begin, begin + size):
            source += [member] * (size - 1)
            target += [other for other in range(begin, begin + size) if other != member]
        source.append(begin)
        target.append((begin + size) % sum(sizes))
        begin += size
    return InteractionGraph.from_ties(source, target, n_members=sum(sizes), self_ties="drop")


CIRCLES = circles(30, 26, 36, 28)


def test_circles_that_fit_become_groups():
    shards = shard(CIRCLES, rng=1)
    assert sorted(shards.sizes.tolist()) == [26, 28, 30, 36]
    assert len({shards.of_member(member) for member in range(30)}) == 1
    assert shards.kept == pytest.approx(1 - 4 / CIRCLES.weight.sum())


def test_a_clique_larger_than_a_group_is_cut_within_the_bounds():
    shards = shard(circles(100), rng=1)
    assert (shards.sizes.sum(), shards.sizes.max()) == (100, 34) or all(26 <= size <= 36 for size in shards.sizes)


def test_more_effort_keeps_more_as_a_rule():
    rng = np.random.default_rng(4)
    graph = InteractionGraph.from_ties(
        rng.integers(600, size=3_000), rng.integers(600, size=3_000), n_members=600, self_ties="drop"
    )
    kept = [np.mean([shard(graph, effort=effort, rng=seed).kept for seed in range(3)]) for effort in (0, 4, 16)]
    assert kept[0] < kept[1] < kept[2]
    assert shard(graph, effort="quick", rng=9) == shard(graph, effort=0, rng=9)


def test_progress_counts_to_its_end():
    seen = []
    shard(CIRCLES, effort=3, rng=1, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_without_ties_everybody_still_has_a_group_and_the_table_says_so():
    shards = shard(InteractionGraph.from_ties([], [], n_members=70), rng=1)
    assert all(26 <= size <= 36 for size in shards.sizes)
    assert np.isnan(shards.kept)
    assert shards.table().endswith("There are no ties to keep.")
    assert shards.table(lang="zh").endswith("没有联系可保留。")


def test_leaders_are_seated_in_every_group_even_where_few_groups_are_left_for_that():
    leads = np.zeros(120, dtype=bool)
    leads[:8] = True
    shards = shard(CIRCLES, leaders=leads, min_leaders=2, rng=1)
    assert shards.n_leaders.tolist() == [2] * shards.n_groups
    leads[4:8] = False
    with pytest.raises(InfeasibleError, match="leaders: 4 leaders seat 2 each in at most 2 groups"):
        shard(CIRCLES, leaders=leads, min_leaders=2, rng=1)


def test_few_leaders_make_fewer_and_larger_groups():
    n = 33 * 20
    leads = np.arange(n) < 19
    shards = shard(InteractionGraph.from_ties([0], [1], n_members=n), leaders=leads, min_leaders=1, rng=1)
    assert shards.n_groups <= 19
    assert shards.n_leaders.min() == 1


def test_what_is_asked_of_a_few_costs_little_of_the_ties_of_the_others():
    free = shard(CIRCLES, rng=1).kept
    asked = {"together": [{0, 1, 2}, {40, 41}], "apart": [{3, 4, 5}, {60, 61}, {60, 100}]}
    for options in ({"together": asked["together"]}, {"apart": asked["apart"]}, asked):
        shards = shard(CIRCLES, rng=1, **options)
        assert audit(shards, **options).holds
        assert shards.kept > free - 0.1


def test_who_must_not_meet_may_be_tied_to_a_seat_or_to_others():
    asked = {"fixed": {0: "一群", 30: "一群"}, "together": [{1, 2, 3}], "apart": [{0, 1}, {30, 31, 32, 33}]}
    leads = np.arange(120) % 5 == 0
    shards = shard(CIRCLES, rng=1, leaders=leads, min_leaders=2, **asked)
    assert audit(shards, **asked).holds


def test_groups_have_the_names_that_seats_and_callers_give_them():
    graph = CIRCLES.align(Index(range(120)))
    shards = shard(graph, fixed={3: "一群", 50: "二群"}, groups=["三群", "四群", "五群"], rng=1)
    assert list(shards.groups)[:4] == ["一群", "二群", "三群", "四群"]
    assert (shards.of_member(3), shards.of_member(50)) == ("一群", "二群")
    with pytest.raises(InvalidValueError, match="groups"):
        shard(graph, fixed={3: "一群"}, groups=["二群"], rng=1)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"sizes": (36, 26)}, InvalidValueError, "sizes: expected the fewest and the most members"),
        ({"sizes": 30}, InvalidTypeError, "sizes"),
        ({"sizes": (200, 300)}, InfeasibleError, "sizes: no number of groups k has 200 k <= 120 <= 300 k"),
        ({"sizes": (50, 55)}, InfeasibleError, "sizes: no number of groups"),
        ({"min_leaders": 1}, InvalidTypeError, "leaders: expected who can lead"),
        ({"min_leaders": -1}, InvalidValueError, "min_leaders: expected 0 or more"),
        ({"leaders": [True]}, MisalignedError, "leaders: expected one entry for each of 120 members"),
        ({"leaders": [900]}, UnknownLabelError, "leaders"),
        ({"effort": "huge"}, InvalidValueError, "effort"),
        ({"effort": -1}, InvalidValueError, "effort: expected 0 rounds or more"),
        ({"effort": 1.5}, InvalidTypeError, "effort"),
        ({"rng": "seven"}, InvalidTypeError, "rng"),
        ({"progress": 1}, InvalidTypeError, "progress: expected a function"),
        ({"sizes": (1, 2**31)}, InvalidValueError, "sizes: expected the fewest and the most"),
        ({"sizes": sq.SizeBand(1, 2**31)}, InvalidValueError, "sizes: expected groups of less than"),
        ({"fixed": {0: [1]}}, InvalidTypeError, "fixed: expected groups as str or int"),
        ({"fixed": [1]}, InvalidTypeError, "fixed: expected a mapping of member to group"),
        ({"fixed": {900: "a"}}, UnknownLabelError, "fixed"),
        ({"together": [{1, 900}]}, UnknownLabelError, "together"),
        ({"together": [3]}, InvalidTypeError, "together: expected sets of members"),
        ({"together": ["ab"]}, InvalidTypeError, "together: expected sets of members, got 'ab' at row 0"),
        ({"together": [range(37)]}, InfeasibleError, "together: the largest set that must be together has 37 members"),
        ({"together": [{1, 2}], "apart": [{2, 1}]}, InfeasibleError, "apart: members 1 and 2 must be apart"),
        ({"together": [{1, 2}], "fixed": {1: "a", 2: "b"}}, InfeasibleError, "fixed seats: members who must be"),
        ({"apart": [range(6)]}, InfeasibleError, "apart: 6 members who must all be apart need as many groups"),
        ({"fixed": dict.fromkeys(range(37), "a")}, InfeasibleError, "fixed seats: 37 members have seats in one group"),
    ],
)
def test_what_can_not_be_had_or_used_is_named(options, error, text):
    with pytest.raises(error, match=text):
        shard(CIRCLES, **{"rng": 1, **options})


def test_who_is_in_the_way_is_called_by_label():
    graph = InteractionGraph.from_ties(["ann"], ["bo"], members=Index(["cy", "bo", "ann"]))
    with pytest.raises(InfeasibleError, match="apart: members 'bo' and 'ann' must be apart"):
        shard(graph, sizes=(1, 3), together=[{"ann", "bo"}], apart=[{"bo", "ann"}])


def test_a_set_can_name_the_leaders():
    assert shard(CIRCLES, leaders={1, 40, 60, 100}, rng=1).leaders.sum() == 4


def test_groups_and_graphs_are_asked_for_by_name():
    shards = shard(CIRCLES, rng=1)
    with pytest.raises(InvalidTypeError, match="graph: expected an InteractionGraph"):
        shards.place_all(1)
    with pytest.raises(InvalidTypeError, match="graph: expected an InteractionGraph"):
        Shards.of(1, [0])
    with pytest.raises(InvalidTypeError, match="shards: expected Shards"):
        audit(1)


def test_only_graphs_are_dealt():
    with pytest.raises(InvalidTypeError, match="graph: expected an InteractionGraph"):
        shard([(0, 1)])


# ── groups that exist ────────────────────────────────────────────────────────────────────────────────────────────────


def test_groups_that_exist_are_measured_from_an_assignment_a_mapping_or_codes():
    graph = InteractionGraph.from_ties(["a", "c"], ["b", "d"], [1.5, 0.5], members=Index(list("abcd")))
    mapping = {"a": "x", "b": "x", "d": "y", "c": "x"}
    by_mapping = Shards.of(graph, mapping, sizes=(1, 3))
    assert by_mapping == Shards.of(graph, Assignment.from_mapping(mapping), sizes=(1, 3))
    assert by_mapping.inside.tolist() == [1.5, 0]
    assert by_mapping.across.tolist() == [0.5, 0.5]
    assert by_mapping.kept == 0.75
    assert Shards.of(graph, [0, 0, 0, 1], sizes=(1, 3)).sizes.tolist() == [3, 1]
    assert by_mapping.assignment.of("d") == "y"
    assert by_mapping.mask("y").tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("assignment", "error", "text"),
    [
        ([0, 0, 1], MisalignedError, "assignment: expected one group for each of 4 members"),
        ([0, 0, -1, 1], InvalidValueError, "assignment: expected a group for each member, got 2 at row 2"),
        ([0.5, 0, 1, 1], InvalidTypeError, "assignment: expected codes of groups"),
        (
            {0: "x", 1: "x", 2: "y", 3: "y", 9: "y"},
            UnknownLabelError,
            "assignment: expected one of 4 known labels, got 9",
        ),
        ({0: "x", 1: "x", 2: "y"}, InvalidValueError, "assignment: expected a group for each member, got 3 at row 3"),
    ],
)
def test_groups_that_are_none_are_refused(assignment, error, text):
    with pytest.raises(error, match=text):
        Shards.of(InteractionGraph.from_ties([0, 2], [1, 3]), assignment, sizes=(1, 3))


def test_fields_that_do_not_fit_each_other_are_refused():
    fields = {"members": Index(["a", "b"]), "groups": Index(["x"]), "bounds": sq.SizeBand(1, 2)}
    codes, one = np.zeros(2, dtype=np.int32), np.zeros(1)
    with pytest.raises(MisalignedError, match="group: expected one code for each of 2 members"):
        Shards(**fields, group=codes[:1], inside=one, across=one)
    with pytest.raises(InvalidValueError, match="group: expected codes of 1 groups, got 1"):
        Shards(**fields, group=codes + 1, inside=one, across=one)
    with pytest.raises(MisalignedError, match="inside: expected one weight for each of 1 groups"):
        Shards(**fields, group=codes, inside=codes, across=one)
    with pytest.raises(MisalignedError, match="leaders: expected one entry for each of 2 members"):
        Shards(**fields, group=codes, inside=one, across=one, leaders=np.zeros(1, dtype=bool))


def test_groups_are_equal_by_what_they_hold_and_copies_stay_read_only():
    shards = shard(CIRCLES, leaders=np.arange(120) % 3 == 0, min_leaders=2, rng=1)
    for other in (pickle.loads(pickle.dumps(shards)), copy.deepcopy(shards)):  # noqa: S301
        assert other == shards
        assert not other.group.flags.writeable
    assert shards != Shards.of(CIRCLES, shards.assignment)
    assert shards.__eq__(3) is NotImplemented
    assert repr(shards).startswith("Shards(120 members in 4 groups of 26–36, kept 0.9")


# ── seats ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_newcomer_is_offered_the_group_they_know_best_that_has_room():
    graph = InteractionGraph.from_ties([0, 2, 5], [1, 3, 6], n_members=7)
    shards = Shards.of(graph, [0, 0, 0, 0, 1, 1, 2], sizes=(1, 4))
    assert shards.place({0: 9, 4: 1}) == (1, 1, 2)
    assert shards.place({4: 1, 6: 1}).group == 2
    assert shards.place({}).group == 2
    assert shards.place({6: 0.5}).weight == 0.5
    assert shards.place({4: np.uint8(200), 5: np.uint8(100), 6: 250}) == (1, 300, 2)


def test_where_every_group_is_full_there_is_no_seat():
    graph = InteractionGraph.from_ties([0], [1])
    shards = Shards.of(graph, [0, 0], sizes=(1, 2))
    assert shards.place({0: 1}) == (None, 0, 0)
    assert shards.place_all(InteractionGraph.from_ties([2], [0])).codes.tolist() == [0, 0, -1]


@pytest.mark.parametrize(
    ("ties", "error", "text"),
    [
        ({9: 1}, UnknownLabelError, "ties: expected one of 2 known labels, got 9"),
        ({0: -1}, InvalidValueError, "ties: expected finite weights of 0 or more, got -1"),
        ({0: float("nan")}, InvalidValueError, "ties: expected finite weights of 0 or more, got nan"),
        ({0: "much"}, InvalidTypeError, "ties: expected numbers as weights, got 'much'"),
        ({0: 10**400}, InvalidValueError, "ties: expected finite weights of 0 or more"),
        ([0], InvalidTypeError, r"ties: expected a mapping of member to weight, got \[0\]"),
        ({0: True}, InvalidTypeError, "ties: expected numbers as weights, got True"),
    ],
)
def test_ties_of_a_newcomer_that_can_not_be_are_refused(ties, error, text):
    with pytest.raises(error, match=text):
        Shards.of(InteractionGraph.from_ties([0], [1]), [0, 0], sizes=(1, 9)).place(ties)


# ── audits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_audit_counts_what_is_broken_and_names_the_first():
    graph = InteractionGraph.from_ties([0, 2], [1, 3], n_members=6)
    shards = Shards.of(graph, [0, 0, 0, 0, 1, 2], sizes=(2, 3), leaders=[True] + [False] * 5, min_leaders=1)
    found = audit(shards, fixed={4: 1, 5: 0}, together=[{0, 1}, {0, 5}, {3}], apart=[{1, 2}, {4, 5}])
    assert not found.holds
    assert [(check.what.en, check.asked, check.broken, check.first) for check in found.checks] == [
        ("sizes", 3, 3, "0: 4"),
        ("leaders", 3, 2, "1: 0"),
        ("fixed seats", 2, 1, "5: 2"),
        ("together", 2, 1, "0, 5: 0, 2"),
        ("apart", 2, 1, "1, 2: 0, 0"),
    ]
    assert repr(found) == (
        "Audit(sizes (3 broken), leaders (2 broken), fixed seats (1 broken), together (1 broken), apart (1 broken))"
    )
    assert "要求" in found.table(lang="zh")


def test_an_audit_of_a_deal_holds():
    assert repr(audit(shard(CIRCLES, rng=1))) == "Audit(all hold)"
