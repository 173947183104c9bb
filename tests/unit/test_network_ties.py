from __future__ import annotations

import math
import pickle

import numpy as np
import pendulum
import pytest

from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError
from shequn.graph import InteractionGraph
from shequn.labels import Index
from shequn.network import (
    Degrees,
    TieStrength,
    TieTransitions,
    degrees,
    reciprocity,
    tie_strength,
    tie_transitions,
)

NOW = pendulum.datetime(2024, 5, 1, tz="Asia/Shanghai")


def ties(*rows: tuple[int, int, float], n: int | None = None) -> InteractionGraph:
    source, target, weight = zip(*rows, strict=True) if rows else ((), (), ())
    return InteractionGraph.from_ties(list(source), list(target), list(weight), n_members=n)


def talk(*rows: tuple[str, str, int]) -> InteractionGraph:
    """Return the graph of replies (member, target, days before now)."""
    return InteractionGraph.from_log(
        EventLog.from_columns(
            member=[row[0] for row in rows],
            target=[row[1] for row in rows],
            kind="reply",
            at=[NOW.subtract(days=row[2]) for row in rows],
        )
    )


# --- degrees and reciprocity ---


def test_a_pair_that_talks_both_ways_is_one_neighbour():
    found = degrees(ties((0, 1, 3), (1, 0, 1), (2, 1, 2), n=4))
    assert found.n_out.tolist() == [1, 1, 1, 0]
    assert found.n_in.tolist() == [1, 2, 0, 0]
    assert found.n_both.tolist() == [1, 2, 1, 0]
    assert found.sent.tolist() == [3, 1, 2, 0]
    assert found.received.tolist() == [1, 5, 0, 0]


def test_weights_that_are_whole_stay_whole_and_others_are_shown_with_decimals():
    whole, parts = degrees(ties((0, 1, 3))), degrees(ties((0, 1, 2.5)))
    assert whole.sent.dtype == np.int64
    assert parts.sent.tolist() == [2.5, 0.0]
    assert "2.5" in str(parts)


def test_degrees_of_nobody_are_empty():
    found = degrees(ties(n=0))
    assert found.n_both.shape == (0,)
    assert "(no rows)" in str(found)


def test_degrees_speak_chinese_and_come_back_from_a_pickle():
    found = degrees(ties((0, 1, 3)))
    assert "被联系人数" in found.table(lang="zh")
    back = pickle.loads(pickle.dumps(found))  # noqa: S301
    assert repr(back) == "Degrees(2 members)"
    assert [(row.member, row.n_out, row.sent, row.received) for row in back.rows()] == [(0, 1, 3, 0), (1, 0, 0, 3)]
    assert not back.sent.flags.writeable


def test_degrees_have_one_number_a_member():
    one = np.ones(1)
    with pytest.raises(MisalignedError, match=r"n_out: expected one for each of 2 members, got .*\(1,\)"):
        Degrees(members=Index(["ann", "bo"]), n_out=[1], n_in=[1, 1], n_both=[1, 1], sent=one, received=one)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (((0, 1, 1), (1, 0, 5)), 1.0),
        (((0, 1, 1), (1, 2, 1), (2, 0, 1)), 0.0),
        (((0, 1, 1), (1, 0, 1), (1, 2, 1), (2, 0, 1)), 0.5),
    ],
)
def test_reciprocity_is_the_share_of_ties_that_are_returned(rows, expected):
    assert reciprocity(ties(*rows)) == expected


def test_reciprocity_of_nothing_is_unknown():
    assert math.isnan(reciprocity(ties(n=3)))


@pytest.mark.parametrize("function", [degrees, reciprocity, tie_strength])
def test_only_a_graph_has_ties(function):
    with pytest.raises(InvalidTypeError, match="graph: expected an InteractionGraph, got 7"):
        function(7)


# --- strength ---


def test_strength_is_the_mean_of_its_three_parts():
    found = tie_strength(ties((0, 1, 10), (1, 0, 5), (0, 2, 1), (1, 2, 1), (1, 3, 4), n=5))
    assert found.first.tolist() == [0, 0, 1, 1]
    assert found.second.tolist() == [1, 2, 2, 3]
    assert found.weight.tolist() == [15, 1, 1, 4]
    assert found.reciprocity.tolist() == [0.5, 0, 0, 0]
    assert found.common.tolist() == [1, 1, 1, 0]
    # 0 knows 1, 2; 1 knows 0, 2, 3; 2 knows 0, 1; 3 knows 1.
    np.testing.assert_allclose(found.overlap, [1 / 2, 1.0, 1 / 2, 0.0])
    np.testing.assert_allclose(found.frequency, [15 / 20, 1 / 6, 1 / 6, 4 / 9])
    np.testing.assert_allclose(found.strength, (found.frequency + found.reciprocity + found.overlap) / 3)
    assert found.strong.tolist() == [True, False, False, False]
    assert found.strong_share == 0.25


def test_two_who_know_nobody_else_overlap_nowhere():
    assert tie_strength(ties((0, 1, 1))).overlap.tolist() == [0.0]


def test_a_half_life_without_contact_halves_a_tie():
    graph = talk(("ann", "bo", 30), ("bo", "ann", 90), ("cy", "dee", 0))
    fresh, faded = tie_strength(graph), tie_strength(graph, as_of=NOW, half_life=pendulum.duration(days=30))
    assert fresh.recency.tolist() == [1.0, 1.0]
    assert faded.recency.tolist() == [0.5, 1.0]  # the later of the two contacts counts
    np.testing.assert_allclose(faded.strength, fresh.strength * [0.5, 1.0])


def test_an_old_tie_is_not_strong_however_frequent():
    graph = talk(*[("ann", "bo", 300), ("bo", "ann", 300)] * 50)
    assert tie_strength(graph).strong.tolist() == [True]
    assert tie_strength(graph, as_of=NOW).strong.tolist() == [False]


def test_recency_needs_ties_with_instants():
    with pytest.raises(InvalidValueError, match="as_of: expected None, for a graph whose ties have no instants"):
        tie_strength(ties((0, 1, 1)), as_of=NOW)


def test_a_tie_cannot_be_later_than_the_question():
    graph = talk(("ann", "bo", 0), ("cy", "dee", 5))
    with pytest.raises(InvalidValueError, match=r"as_of: expected an instant after all ties.*\(1 of 2 rows\): tie 0"):
        tie_strength(graph, as_of=NOW.subtract(days=1))


@pytest.mark.parametrize(
    ("option", "value", "error", "text"),
    [
        ("half_frequency", 0, InvalidValueError, "half_frequency: expected a finite number above 0, got 0"),
        ("half_frequency", math.inf, InvalidValueError, "half_frequency: expected a finite number above 0, got inf"),
        ("half_frequency", "5", InvalidTypeError, "half_frequency: expected a number, got '5'"),
        ("strong_from", 1.5, InvalidValueError, r"strong_from: expected a number in \[0, 1\], got 1.5"),
        ("strong_from", math.nan, InvalidValueError, r"strong_from: expected a number in \[0, 1\], got nan"),
        ("half_life", 30, InvalidTypeError, "half_life"),
        ("half_life", pendulum.duration(days=0), InvalidValueError, "half_life"),
        ("as_of", "today", InvalidTypeError, "as_of"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused(option, value, error, text):
    with pytest.raises(error, match=text):
        tie_strength(talk(("ann", "bo", 1)), **{option: value})


def test_strength_without_ties_is_empty():
    for graph in (ties(n=0), ties(n=4)):
        found = tie_strength(graph)
        assert len(found) == 0
        assert math.isnan(found.strong_share)
        assert "0 of 0 ties, –" in str(found)


def test_strength_of_ties_with_instants_but_no_rows_is_empty():
    graph = talk(("ann", "bo", 0)).align(Index(["ann"]))
    assert len(tie_strength(graph, as_of=NOW)) == 0
    for without in (ties(n=0), ties(n=4)):
        found = tie_strength(without, as_of=NOW)
        assert len(found) == 0
        assert found.as_of_us is not None


def test_a_row_of_strength_names_the_two():
    found = tie_strength(talk(("ann", "bo", 3), ("ann", "bo", 4)), as_of=NOW)
    row = found.last()
    assert (row.first, row.second, row.weight, row.strong) == ("ann", "bo", 2, False)
    assert "强关系（强度不低于 0.5）：1 条中 0 条，0.0%" in found.table(lang="zh")


def test_pairs_stand_in_order_each_once():
    columns = {
        "weight": [1, 1],
        "reciprocity": [0.0, 0.0],
        "recency": [1.0, 1.0],
        "common": [0, 0],
        "overlap": [0.0, 0.0],
    }
    members = Index(["ann", "bo", "cy"])
    TieStrength(members=members, first=[0, 1], second=[1, 2], **columns)
    with pytest.raises(InvalidValueError, match=r"first: expected pairs of members in order.* row 1 \(1 of 2 rows\)"):
        TieStrength(members=members, first=[0, 0], second=[1, 1], **columns)
    with pytest.raises(InvalidValueError, match="first: expected pairs of members in order"):
        TieStrength(members=members, first=[0, 1], second=[1, 3], **columns)
    with pytest.raises(InvalidValueError, match="first: expected pairs of members in order"):
        TieStrength(members=members, first=[1, 1], second=[0, 2], **columns)
    with pytest.raises(MisalignedError, match="second: expected one for each of 2 pairs"):
        TieStrength(members=members, first=[0, 1], second=[1], **columns)
    with pytest.raises(InvalidValueError, match=r"expected numbers in \[0, 1\], got nan at row 0"):
        TieStrength(members=members, first=[0, 1], second=[1, 2], **{**columns, "overlap": [math.nan, 0]})
    with pytest.raises(InvalidValueError, match=r"weight: expected finite numbers above 0, got 0 at row 1"):
        TieStrength(members=members, first=[0, 1], second=[1, 2], **{**columns, "weight": [1, 0]})


# --- transitions ---


def test_every_pair_goes_from_one_state_to_one():
    spring = tie_strength(ties((0, 1, 1), (1, 2, 1), (3, 4, 9), (4, 3, 9), n=5))
    autumn = tie_strength(ties((0, 1, 9), (1, 0, 9), (2, 3, 1), (3, 4, 1), n=5))
    moved = tie_transitions(spring, autumn)
    #  0-1 weak → strong, 1-2 weak → none, 3-4 strong → weak, 2-3 none → weak, the six others none → none
    assert moved.counts.tolist() == [[6, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert moved.counts.sum() == 5 * 4 // 2
    assert moved.weak_to_strong == 0.5
    assert "1 of 2 weak ties became strong" in repr(moved)


def test_transitions_of_no_members_are_zeros_with_unknown_rates():
    nobody = tie_strength(ties(n=0))
    moved = tie_transitions(nobody, nobody)
    assert moved.counts.tolist() == [[0, 0, 0]] * 3
    assert np.isnan(moved.rates).all()
    assert "–" in moved.table(lang="zh")


def test_transitions_are_tidy_for_a_program():
    moved = TieTransitions(counts=[[80, 6, 0], [3, 5, 2], [0, 1, 3]])
    columns = moved.to_columns()
    assert columns["before"].tolist() == ["none"] * 3 + ["weak"] * 3 + ["strong"] * 3
    assert columns["pairs"].tolist() == [80, 6, 0, 3, 5, 2, 0, 1, 3]
    assert columns["rate"][5] == 0.2


def test_transitions_are_of_the_same_members():
    one = tie_strength(talk(("ann", "bo", 1)))
    other = tie_strength(talk(("ann", "cy", 1)))
    with pytest.raises(MisalignedError, match="after: expected the same members in the same order"):
        tie_transitions(one, other)
    with pytest.raises(InvalidTypeError, match="before: expected a TieStrength, got 3"):
        tie_transitions(3, one)


def test_transitions_are_three_by_three_counts():
    with pytest.raises(MisalignedError, match="counts: expected one for each of 3 × 3 states"):
        TieTransitions(counts=[[1, 2], [3, 4]])
    with pytest.raises(InvalidValueError, match=r"counts: expected integers in \[0, 2\d+\], got -1 at row 2"):
        TieTransitions(counts=[[1, 2, 3], [3, 4, 5], [0, -1, 0]])
