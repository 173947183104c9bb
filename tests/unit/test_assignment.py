from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.labels import Assignment, Coded, Index

TIERS = Assignment.from_mapping({"ann": "gold", "bo": "silver", "cy": None}, segments=["silver", "gold"], ordered=True)


def test_each_member_is_in_one_segment_or_in_none():
    assert [TIERS.of(member) for member in TIERS.members] == ["gold", "silver", None]
    assert TIERS.labels().tolist() == ["gold", "silver", None]
    assert TIERS.mask("gold").tolist() == [True, False, False]
    assert TIERS.sizes() == {"silver": 1, "gold": 1}
    assert TIERS.n_unassigned == 1
    assert len(TIERS) == 3


def test_segments_come_in_order_of_appearance_unless_they_are_given():
    found = Assignment.from_labels(["ann", "bo"], ["gold", "silver"])
    assert found.segments == Index(["gold", "silver"])
    assert not found.ordered
    assert TIERS.segments == Index(["silver", "gold"])
    assert TIERS.ordered
    assert Assignment.from_labels([7, 8], [20, 10]).segments == Index([10, 20])
    assert Assignment.from_labels(["a"], [None], segments=Index(["x"])).sizes() == {"x": 0}


def test_an_assignment_is_made_from_a_column_encoded_already():
    column = Coded.of(["x", None], argument="by", nulls=True)
    assert Assignment.from_labels(Index.positional(2), column).codes.tolist() == [0, -1]


def test_a_label_that_is_no_segment_is_refused_with_its_row():
    with pytest.raises(
        UnknownLabelError,
        match=r"^labels: expected one of the 2 segments, got 'glod' at row 1 \(1 of 2 rows\); did you mean 'gold'\?$",
    ):
        Assignment.from_labels(["ann", "bo"], ["gold", "glod"], segments=["silver", "gold"])


def test_there_is_one_label_for_each_member():
    with pytest.raises(MisalignedError, match=r"^labels: expected one for each of the 2 members, got 1 labels$"):
        Assignment.from_labels(["ann", "bo"], ["gold"])
    with pytest.raises(MisalignedError, match=r"^codes: expected one entry for each of the 1 members, got 2 entries$"):
        Assignment(members=Index(["ann"]), codes=np.array([0, 0]), segments=Index(["x"]))


def test_a_member_stands_once():
    with pytest.raises(
        InvalidValueError, match=r"^members: expected each label once, got 'ann' at row 1 \(1 of 2 rows\)$"
    ):
        Assignment.from_labels(["ann", "ann"], ["gold", "gold"])
    with pytest.raises(InvalidValueError, match=r"^segments: expected each label once, got 'x' at row 1"):
        Assignment.from_labels(["ann"], ["x"], segments=["x", "x"])


def test_segments_without_an_order_are_refused():
    with pytest.raises(InvalidTypeError, match=r"^segments: expected labels in an order, such as a list, got "):
        Assignment.from_labels(["ann"], ["x"], segments={"x", "y"})


@pytest.mark.parametrize(
    ("codes", "error", "told"),
    [
        ([0, 5], InvalidValueError, r"^codes: expected codes in \[-1, 1\), got 5 at row 1 \(1 of 2 rows\)$"),
        ([-2, 0], InvalidValueError, r"^codes: expected codes in \[-1, 1\), got -2 at row 0 \(1 of 2 rows\)$"),
        ([0.0, 0.0], InvalidTypeError, r"^codes: expected an integer array, got 'float64'$"),
        ([[0, 0]], InvalidValueError, r"^codes: expected a 1-D array, got 'an array of shape \(1, 2\)'$"),
        ([[0], [0, 0]], InvalidTypeError, r"^codes: expected a 1-D array of integers, got \[\[0\], \[0, 0\]\]$"),
        ([0, 2**32], InvalidValueError, r"^codes: expected codes that fit 32 bits, got 4294967296$"),
    ],
)
def test_codes_that_stand_for_no_segment_are_refused(codes, error, told):
    with pytest.raises(error, match=told):
        Assignment(members=Index(["ann", "bo"]), codes=codes, segments=Index(["x"]))


def test_members_and_segments_are_indexes():
    names: Any = ["ann"]
    with pytest.raises(InvalidTypeError, match=r"^members: expected an Index, got \['ann'\]$"):
        Assignment(members=names, codes=[0], segments=Index(["x"]))
    with pytest.raises(InvalidTypeError, match=r"^segments: expected an Index, got \['ann'\]$"):
        Assignment(members=Index(["ann"]), codes=[0], segments=names)


def test_an_unknown_member_or_segment_is_refused():
    with pytest.raises(
        UnknownLabelError, match=r"^member: expected one of 3 known labels, got 'bob'; did you mean 'bo'"
    ):
        TIERS.of("bob")
    with pytest.raises(UnknownLabelError, match=r"^segment: expected one of 2 known labels, got 'glod'; did you mean"):
        TIERS.mask("glod")


def test_aligning_puts_members_in_another_order_and_the_unknown_in_no_segment():
    aligned = TIERS.align(Index(["dan", "bo", "ann"]))
    assert aligned.labels().tolist() == [None, "silver", "gold"]
    assert aligned.ordered
    assert aligned.members == Index(["dan", "bo", "ann"])


@pytest.mark.parametrize("named", [True, False])
def test_unnamed_members_align_by_their_number(named):
    unnamed = Assignment(members=Index.positional(2), codes=[0, -1], segments=Index(["x"]))
    other = Index(["ann", "bo"]) if named else Index.positional(2)
    assert unnamed.align(other).codes.tolist() == [0, -1]
    assert unnamed.align(other).members is other
    assert Assignment.from_mapping({"ann": "x", "bo": None}).align(Index.positional(2)).codes.tolist() == [0, -1]
    with pytest.raises(
        MisalignedError, match=r"^assignment: expected one entry for each of the 3 members, got 2 entries"
    ):
        unnamed.align(Index(["ann", "bo", "cy"]))


def test_the_columns_of_an_assignment_are_tidy():
    columns = TIERS.to_columns()
    assert {name: column.tolist() for name, column in columns.items()} == {
        "member": ["ann", "bo", "cy"],
        "segment": ["gold", "silver", None],
    }
    assert not any(column.flags.writeable for column in columns.values())


def test_assignments_are_equal_when_all_they_say_is():
    same = Assignment.from_mapping(
        {"ann": "gold", "bo": "silver", "cy": None}, segments=["silver", "gold"], ordered=True
    )
    assert same == TIERS
    assert Assignment.from_mapping({"ann": "gold", "bo": "silver", "cy": None}, segments=["silver", "gold"]) != TIERS
    assert TIERS.align(Index(["bo", "ann", "cy"])) != TIERS
    assert TIERS != "gold"
    with pytest.raises(TypeError):
        hash(TIERS)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a))])  # noqa: S301
def test_a_copy_of_an_assignment_is_read_only_too(duplicate):
    double = duplicate(TIERS)
    assert double == TIERS
    assert not double.codes.flags.writeable


def test_an_assignment_keeps_codes_of_its_own():
    codes = np.array([0, 0], dtype=np.int32)
    assignment = Assignment(members=Index(["a", "b"]), codes=codes, segments=Index(["x"]))
    codes[0] = -1
    assert assignment.codes.tolist() == [0, 0]
    assert Assignment(members=assignment.members, codes=assignment.codes, segments=assignment.segments) == assignment


def test_an_assignment_shows_its_size_on_one_line():
    assert repr(TIERS) == "Assignment(3 members, 2 segments, 1 unassigned)"
    assert repr(Assignment.from_labels(["ann"], ["gold"])) == "Assignment(1 member, 1 segment, 0 unassigned)"


@pytest.mark.parametrize("mapping", [None, [("ann", "gold")], np.array([1]), 7])
def test_segments_by_name_come_as_a_mapping(mapping: Any):
    with pytest.raises(InvalidTypeError, match=r"^mapping: expected a mapping of member to segment label, got "):
        Assignment.from_mapping(mapping)


def test_segments_are_ordered_or_not():
    yes: Any = np.True_
    assert Assignment.from_labels(["ann"], ["gold"], ordered=yes).ordered is True
    for ordered in (None, 1, np.array([True, False])):
        with pytest.raises(InvalidTypeError, match=r"^ordered: expected True or False, got "):
            Assignment.from_labels(["ann"], ["gold"], ordered=ordered)  # type: ignore[arg-type]
