from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.labels import Index

ANY: Any = None


def test_a_label_has_a_code_and_a_code_its_label():
    index = Index(["bo", "ann", "cy"])
    assert [index.code(label) for label in index] == [0, 1, 2]
    assert [index[code] for code in range(3)] == ["bo", "ann", "cy"]
    assert len(index) == 3
    assert "ann" in index
    assert "dan" not in index


@pytest.mark.parametrize("labels", [[30, -10, 20], [5, 6, 7], [2**63 - 1, -(2**63)]])
def test_integers_keep_the_order_they_were_given_in(labels):
    index = Index(labels)
    assert list(index) == labels
    assert [index.code(label) for label in labels] == list(range(len(labels)))
    assert type(index[0]) is int


def test_a_mapping_is_no_list_of_labels_as_its_values_would_be_dropped():
    with pytest.raises(InvalidTypeError, match="labels: expected labels in an order"):
        Index({"b": 1, "a": 2})


def test_an_index_is_made_from_whatever_has_an_order():
    expected = Index(["b", "a"])
    for labels in (
        ("b", "a"),
        iter(["b", "a"]),
        np.array(["b", "a"]),
        expected,
        {"b": 1, "a": 2}.keys(),
    ):
        assert Index(labels) == expected
    assert Index(range(3)) == Index([0, 1, 2])


@pytest.mark.parametrize(
    ("labels", "got"),
    [("ann", "'ann'"), ({"ann"}, r"\{'ann'\}"), (frozenset([1]), r"frozenset\(\{1\}\)"), (7, "7"), (b"a", "b'a'")],
)
def test_what_has_no_order_makes_no_index(labels, got):
    with pytest.raises(InvalidTypeError, match=rf"^labels: expected labels in an order, such as a list, got {got}$"):
        Index(labels)


def test_a_label_that_stands_twice_is_refused_with_its_row():
    with pytest.raises(
        InvalidValueError, match=r"^labels: expected each label once, got 'ann' at row 2 \(2 of 4 rows\)$"
    ):
        Index(["ann", "bo", "ann", "bo"])
    with pytest.raises(InvalidValueError, match=r"^member: expected each label once, got 30 at row 1 \(1 of 2 rows\)$"):
        Index([30, 30], argument="member")


def test_seven_and_the_text_seven_are_different_labels():
    assert 7 not in Index(["7"])
    assert "7" not in Index([7])
    assert True not in Index([1])
    assert 1.0 not in Index([1])
    assert 2**70 not in Index([1])
    assert 2**70 not in Index([3, 1])
    assert np.int16(3) in Index([3, 1])
    assert None not in Index(["a"])


def test_an_unknown_label_is_refused_with_the_closest_one():
    with pytest.raises(
        UnknownLabelError, match=r"^kind: expected one of 2 known labels, got 'purchse'; did you mean 'purchase'\?$"
    ):
        Index(["purchase", "post"]).code("purchse", argument="kind")
    with pytest.raises(UnknownLabelError, match=r"^label: expected one of 1001 known labels, got 'x'$"):
        Index([f"x{i}" for i in range(1001)]).code("x")


@pytest.mark.parametrize(("code", "error"), [(-1, InvalidValueError), (2, InvalidValueError), ("a", InvalidTypeError)])
def test_a_code_that_stands_for_no_label_is_refused(code, error):
    with pytest.raises(error, match=r"^code: expected "):
        Index(["a", "b"])[code]


def test_codes_of_many_labels_are_minus_one_where_unknown():
    assert Index(["ann", "bo"]).codes_of(["bo", "cy", "bo"]).tolist() == [1, -1, 1]
    assert Index([30, 10]).codes_of([10, 11, 30]).tolist() == [1, -1, 0]
    assert Index([10, 30]).codes_of(np.array([99, 30])).tolist() == [-1, 1]
    assert Index(["7"]).codes_of([7]).tolist() == [-1]
    assert Index().codes_of(["a"]).tolist() == [-1]
    assert Index(["a"]).codes_of([]).tolist() == []
    index = Index(["a", "b"])
    assert index.places_of(index).tolist() == [0, 1]


def test_a_union_keeps_integers_ascending_and_appends_new_text():
    assert Index([1, 5]).union(Index([2, 5])) == Index([1, 2, 5])
    assert Index([5, 1]).union(Index([2, 5])) == Index([5, 1, 2])
    assert Index(["b", "a"]).union(Index(["c", "a"])) == Index(["b", "a", "c"])
    known = Index(["a", "b"])
    assert known.union(Index(["b"])) is known
    assert known.union(known) is known
    assert known.union(Index()) is known
    assert Index().union(known) is known


def test_text_and_integers_make_no_union():
    with pytest.raises(
        InvalidTypeError,
        match=r"^labels: expected labels of one type \(str, as 'a'\), got 1, a label of type int$",
    ):
        Index(["a"]).union(Index([1]))


def test_some_of_the_labels_make_an_index():
    index = Index(["a", "b", "c"])
    assert index.take(np.array([2, 0])) == Index(["c", "a"])
    assert index.take(np.array([True, False, True])) == Index(["a", "c"])
    assert index.take(np.array([2, 0])).code("a") == 1


@pytest.mark.parametrize("labels", [["a", "b"], [7, 9]])
def test_equal_indexes_hold_one_array_so_that_they_are_compared_once(labels):
    one, other = Index(labels), Index(labels)
    assert one.labels is not other.labels
    assert one == other
    assert one.labels is other.labels
    assert one != Index(labels[::-1])
    assert other.codes_of(labels).tolist() == [0, 1]


def test_indexes_are_equal_when_labels_and_order_are():
    assert Index(["a", "b"]) == Index(["a", "b"])
    assert Index(["a", "b"]) != Index(["b", "a"])
    assert Index(["a"]) != Index(["a", "b"])
    assert Index([1]) != Index(["1"])
    assert Index([]) == Index(np.array([], dtype=np.int64))
    assert Index(["a"]) != ["a"]
    with pytest.raises(TypeError):
        hash(Index(["a"]))


def test_a_positional_index_aligns_with_any_of_its_length():
    rows, named = Index.positional(2), Index(["a", "b"])
    assert rows.is_positional
    assert not named.is_positional
    assert rows.aligns_with(named)
    assert named.aligns_with(named)
    assert named.aligns_with(rows)
    assert not named.aligns_with(Index.positional(3))
    named.require_aligned(rows, argument="treated")
    with pytest.raises(InvalidValueError, match=r"^n: expected a number of rows in \[0, 2\*\*31\), got -1$"):
        Index.positional(-1)


def test_misaligned_indexes_are_told_by_their_first_difference():
    with pytest.raises(
        MisalignedError,
        match=r"^treated: expected the same members in the same order, got 'cy' where 'bo' stands at position 1; "
        r"see `.align\(index\)`$",
    ):
        Index(["ann", "bo"]).require_aligned(Index(["ann", "cy"]), argument="treated")
    with pytest.raises(
        MisalignedError, match=r"^treated: expected one entry for each of the 2 members, got 1 entries; see `.align"
    ):
        Index(["ann", "bo"]).require_aligned(Index(["ann"]), argument="treated")
    with pytest.raises(MisalignedError, match=r"got '7' where 7 stands at position 0"):
        Index([7]).require_aligned(Index(["7"]), argument="x")


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda index: pickle.loads(pickle.dumps(index))])  # noqa: S301
@pytest.mark.parametrize("index", [Index(["b", "a"]), Index([3, 1]), Index(), Index.positional(3)], ids=repr)
def test_a_copy_is_as_good_as_the_original(index, duplicate):
    double = duplicate(index)
    assert double == index
    assert double.is_positional == index.is_positional
    assert not double.labels.flags.writeable
    assert [double.code(label) for label in double] == list(range(len(index)))


def test_an_index_never_changes():
    index = Index(["a"])
    with pytest.raises(AttributeError, match="immutable"):
        index.labels = ANY  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        index.labels[0] = "b"


def test_a_long_index_shows_its_first_labels():
    assert repr(Index([1, 2])) == "Index([1, 2])"
    assert repr(Index(range(6))) == "Index([0, 1, 2, 3, 4, 5])"
    assert repr(Index(range(8))) == "Index([0, 1, 2, 3, 4, 5, …]) of 8"


@pytest.mark.parametrize("labels", [["a", "b"], [1, 2], range(3)])
@pytest.mark.parametrize("other", [np.array(["a", "b"]), np.array([1, 2, 3]), np.array(1), np.empty(0)], ids=repr)
def test_an_index_is_no_array(labels, other):
    index = Index(labels)
    assert (index == other) is (other == index) is False
    assert (index != other) is (other != index) is True


@pytest.mark.parametrize("other", [None, ["a"], np.array(["a"]), np.timedelta64(1, "s")], ids=repr)
def test_an_index_is_compared_with_an_index(other):
    index = Index(["a"])
    for ask in (index.aligns_with, index.places_of, index.union):
        with pytest.raises(InvalidTypeError, match=r"^other: expected an Index, got "):
            ask(other)
    with pytest.raises(InvalidTypeError, match=r"^other: expected an Index, got "):
        index.require_aligned(other, argument="treated")


def test_there_are_no_more_rows_than_codes():
    with pytest.raises(InvalidValueError, match=r"^n: expected a number of rows in \[0, 2\*\*31\), got 1000000000000$"):
        Index.positional(10**12)
    bad: list[Any] = [np.timedelta64(3, "s"), 1.5, True, None]
    for n in bad:
        with pytest.raises(InvalidTypeError, match=r"^n: expected an integer, got "):
            Index.positional(n)


def test_a_span_of_time_is_no_label():
    assert np.timedelta64(3, "s") not in Index([1, 3])


def test_codes_cannot_be_written_to():
    for index, other in ((Index(["a"]), Index(["b", "a"])), (Index([2, 1]), Index([1])), (Index(), Index([1]))):
        for codes in (index.places_of(other), index.places_of(index), index.codes_of(other.labels)):
            assert not codes.flags.writeable
