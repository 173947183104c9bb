from __future__ import annotations

import copy
import math

import attrs
import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.graph import InteractionGraph
from shequn.labels import Index
from shequn.network import Cohesion, concentration, degree_centralisation, dependence


def graph_of(*rows: tuple[int, int, float], n: int | None = None) -> InteractionGraph:
    source, target, weight = zip(*rows, strict=True) if rows else ((), (), ())
    return InteractionGraph.from_ties(list(source), list(target), list(weight), n_members=n)


def star(leaves: int) -> InteractionGraph:
    """Return a graph in which 0 answers everybody and nobody else talks."""
    return graph_of(*((0, i, 1) for i in range(1, leaves + 1)))


# --- concentration ---


def test_equal_contributors_are_as_many_as_they_are():
    found = concentration([5] * 8)
    assert found.hhi == pytest.approx(1 / 8)
    assert found.effective_number == pytest.approx(8)
    assert found.gini == pytest.approx(0, abs=1e-12)
    assert found.absence_factor == 5  # four of eight give half, and not more


def test_one_who_gives_all_is_one():
    found = concentration([0, 0, 7, 0])
    assert (found.hhi, found.effective_number, found.gini, found.absence_factor) == (1.0, 1.0, 0.75, 1)
    assert found.top_share(1) == 1.0
    assert (found.n_contributors, found.total) == (1, 7)


def test_who_gives_nothing_changes_the_gini_coefficient_alone():
    few, many = concentration([3, 1]), concentration([3, 1, 0, 0])
    assert (few.hhi, few.absence_factor, few.top_share(1)) == (many.hhi, many.absence_factor, many.top_share(1))
    assert few.gini == 0.25
    assert many.gini == 0.625


@pytest.mark.parametrize("values", [[], [0, 0, 0], [0.0]])
def test_where_nothing_is_given_nothing_is_known(values):
    found = concentration(values)
    assert found.absence_factor == 0
    assert all(math.isnan(x) for x in (found.hhi, found.effective_number, found.gini, found.top_share(3)))
    assert "–" in str(found)


def test_large_whole_numbers_are_summed_exactly():
    found = concentration([2**61, 2**61, 1])
    assert found.total == 2**62 + 1
    assert found.absence_factor == 2
    assert concentration([2**61 + 1, 2**61]).absence_factor == 1


@pytest.mark.parametrize("values", [[1e200, 3e200], [1e-300, 3e-300]])
def test_neither_large_nor_tiny_numbers_are_lost(values):
    assert concentration(values).hhi == pytest.approx(0.0625 + 0.5625)


def test_the_top_are_those_asked_for_each_once():
    found = concentration([4, 3, 2, 1], top=[2, 2, 9])
    assert found.top == (2, 9)
    assert found.to_columns()["measure"].tolist()[5:7] == ["top_2", "top_9"]
    assert found.to_columns()["value"].tolist()[5:7] == [0.7, 1.0]
    assert "前 2 名占比" in found.table(lang="zh")
    assert repr(found) == "ContributionShares(4 contributors, absence factor 2)"


@pytest.mark.parametrize(
    ("values", "options", "error", "text"),
    [
        ([1, -2, -3], {}, InvalidValueError, r"values: expected finite numbers of 0 or more, got -\d at row"),
        ([1.0, math.nan], {}, InvalidValueError, "values: expected finite numbers of 0 or more, got nan"),
        ([math.inf], {}, InvalidValueError, "values: expected finite numbers of 0 or more, got inf"),
        ([1e308] * 9, {}, InvalidValueError, "values: expected numbers whose sum is finite"),
        ([2**62, 2**62], {}, InvalidValueError, "values: expected integers whose sum fits 64 bits"),
        (["a"], {}, InvalidTypeError, "values: expected int or float, got 'a'"),
        ([1], {"top": [0]}, InvalidValueError, r"top: expected numbers of members from 1 on, less than 2\*\*31, got 0"),
        ([1], {"top": 3}, InvalidTypeError, "top: expected numbers of members, got 3"),
        ([1], {"top": [1.5]}, InvalidTypeError, "top: expected an integer, got 1.5"),
    ],
)
def test_what_cannot_be_concentrated_is_refused(values, options, error, text):
    with pytest.raises(error, match=text):
        concentration(values, **options)


def test_given_values_are_not_written_to():
    values = np.array([1, 3, 2])
    found = concentration(values)
    assert values.tolist() == [1, 3, 2]
    assert not copy.deepcopy(found).values.flags.writeable


# --- centralisation ---


def test_a_star_is_fully_centralised_and_a_ring_not_at_all():
    assert degree_centralisation(star(6)) == 1.0
    assert degree_centralisation(graph_of((0, 1, 1), (1, 2, 1), (2, 3, 1), (3, 0, 1), (0, 3, 1))) == 0.0


@pytest.mark.parametrize("n", [0, 1, 2])
def test_two_have_no_centre(n):
    assert math.isnan(degree_centralisation(graph_of(n=n)))


# --- dependence ---


def test_without_the_one_who_answers_everybody_nobody_is_answered():
    found = dependence(star(5))
    assert found.who == (0,)
    assert (found.before.reply_cover, found.after.reply_cover) == (1.0, 0.0)
    assert (found.before.n_giant, found.after.n_giant) == (5, 1)
    assert (found.before.talk, found.after.talk, found.talk_share) == (5, 0, 1.0)
    assert found.exceeds_community


def test_shares_are_of_those_who_stay():
    # 0-1-2 and 3-4 beside each other, 5 alone; 1 leaves.
    found = dependence(graph_of((0, 1, 2), (1, 2, 3), (3, 4, 5), n=6), who=1)
    assert found.before == Cohesion(n_others=5, n_giant=2, n_answered=2, talk=10, centralisation=0.3)
    assert (found.after.n_giant, found.after.n_answered, found.after.talk) == (2, 1, 5)
    assert found.talk_share == 0.5
    assert not found.exceeds_community  # as much with them as without


def test_the_soul_figure_is_who_has_most_talk_both_ways():
    graph = graph_of((0, 1, 4), (2, 1, 4), (3, 4, 7))
    assert dependence(graph).who == (1,)
    assert dependence(graph, top=3).who == (1, 3, 4)


def test_who_has_no_talk_is_nobodys_soul():
    found = dependence(graph_of(n=4), top=2)
    assert found.who == ()
    assert found.explain() == "nobody talks"
    assert found.explain(lang="zh") == "没有交流"
    assert math.isnan(found.talk_share)
    assert found.after == found.before
    assert str(found).startswith("nobody leaves\n")
    assert "无人离开" in found.table(lang="zh")


def test_nobody_depends_on_nobody():
    found = dependence(graph_of(n=0))
    assert math.isnan(found.before.giant_share)
    assert math.isnan(found.before.reply_cover)


def test_everybody_may_leave():
    found = dependence(star(3), who=np.ones(4, dtype=np.bool_))
    assert found.after.n_others == 0
    assert found.after.talk == 0
    assert math.isnan(found.after.giant_share)


def test_the_whole_community_says_how_unevenly_it_talks():
    assert dependence(star(5)).said.absence_factor == 1
    assert dependence(graph_of((0, 1, 1), (1, 0, 1))).said.effective_number == 2


@pytest.mark.parametrize("who", [["bo"], ("bo",), {"bo"}, "bo", np.array([False, True, False]), [False, True, False]])
def test_who_leaves_is_told_by_label_or_mask(who):
    graph = InteractionGraph.from_ties(["ann", "bo"], ["bo", "cy"], members=Index(["ann", "bo", "cy"]))
    found = dependence(graph, who=who)
    assert found.who == ("bo",)
    assert found.table(lang="zh").startswith("若 bo 离开")


def test_no_labels_mean_nobody():
    assert dependence(star(3), who=[]).who == ()


def test_more_than_six_who_leave_are_not_all_named():
    found = dependence(star(9), who=range(8))
    assert str(found).startswith("without 0, 1, 2, 3, 4, 5, …\n")
    assert repr(found) == "Dependence(without 8 members, 100.0% of the talk)"


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"who": "bob"}, UnknownLabelError, "who: expected labels of 2 members, got 'bob'.*did you mean 'bo'"),
        ({"who": [True]}, MisalignedError, r"who: expected a mask of 2 members, got 'one of shape \(1,\)'"),
        ({"who": 1.5}, InvalidTypeError, "who: expected labels of members or a mask, got 1.5"),
        ({"who": [None]}, InvalidTypeError, "who: expected labels that are all str or all int, got None at row 0"),
        ({"top": 0}, InvalidValueError, "top: expected at least 1, got 0"),
        ({"top": "1"}, InvalidTypeError, "top: expected an integer, got '1'"),
    ],
)
def test_who_cannot_leave_is_refused(options, error, text):
    graph = InteractionGraph.from_ties(["ann"], ["bo"], members=Index(["ann", "bo"]))
    with pytest.raises(error, match=text):
        dependence(graph, **options)


def test_tidy_numbers_hold_the_change():
    columns = dependence(star(4)).to_columns()
    np.testing.assert_allclose(columns["change"], columns["after"] - columns["before"])
    assert columns["measure"].tolist()[:2] == ["giant", "giant_share"]


def test_a_part_of_a_dependence_is_checked():
    found = dependence(star(4))
    with pytest.raises(InvalidTypeError, match="before: expected a Cohesion"):
        attrs.evolve(found, before=1)
    with pytest.raises(InvalidValueError, match="n_giant: expected a number from 0 to 4, got 5"):
        attrs.evolve(found.before, n_giant=5)
    with pytest.raises(InvalidValueError, match="n_others"):
        attrs.evolve(found.before, n_others=-1)
    with pytest.raises(InvalidValueError, match="talk: expected a finite number of 0 or more, got nan"):
        attrs.evolve(found.before, talk=math.nan)


@pytest.mark.parametrize("function", [dependence, degree_centralisation])
def test_only_a_graph_depends(function):
    with pytest.raises(InvalidTypeError, match="graph: expected an InteractionGraph, got None"):
        function(None)


def test_half_is_not_more_than_half_whatever_rounding_says():
    assert [concentration([0.1] * n).absence_factor for n in (6, 8, 10)] == [4, 5, 6]
