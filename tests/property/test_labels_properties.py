from __future__ import annotations

import pickle
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.labels import Assignment, Coded, Index, encode, hashing
from shequn.labels.hashing import number_codes

# Everything a str can hold, lone surrogates and NULs included, and short alphabets, so that labels repeat.
texts = st.text(st.characters(categories=["L", "M", "N", "P", "S", "Z", "C"]), max_size=4) | st.sampled_from(
    "ab\0社\ud800"
)
wide_integers = st.integers(-(2**63), 2**63 - 1)
integers = st.integers(-3, 3) | wide_integers
columns = st.lists(texts) | st.lists(integers) | st.lists(st.sampled_from([2**62, -(2**62), 0]))
nullable = st.lists(texts | st.none()) | st.lists(integers | st.none())


@pytest.fixture(autouse=True, scope="module")
def _long_ways_for_short_columns():
    """Lower the thresholds at which long columns go other ways, so that random columns go all of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encode, "_BLOCK", 3)
        patch.setattr(encode, "_SAMPLE", 5)
        patch.setattr(hashing, "_BLOCK", 3)
        patch.setattr(hashing, "_FEW_ROWS", 2)
        yield


def slowly_encoded(labels: list[Any]) -> tuple[list[Any], list[int]]:
    """The definition: distinct labels, text by first appearance and integers ascending, and where each row's stands."""
    distinct = list(dict.fromkeys(label for label in labels if label is not None))
    if distinct and isinstance(distinct[0], int):
        distinct.sort()
    place = {label: code for code, label in enumerate(distinct)}
    return distinct, [-1 if label is None else place[label] for label in labels]


@given(nullable)
def test_encoding_agrees_with_a_dictionary(labels):
    index, codes = Index.encode(labels, nulls=True)
    assert (list(index), codes.tolist()) == slowly_encoded(labels)


@given(columns)
def test_lists_and_arrays_of_every_kind_are_encoded_alike(labels):
    index, codes = Index.encode(labels)
    objects = np.empty(len(labels), dtype=object)
    objects[:] = labels
    forms: list[Any] = [objects, tuple(labels), objects.repeat(2)[::2]]
    if all(isinstance(label, int) for label in labels):
        numbers = np.array(labels, dtype=np.int64)
        forms += [numbers, numbers.astype(">i8"), numbers.repeat(3)[::3]]
    elif not any(label.endswith("\0") for label in labels):  # which NumPy drops from fixed-width text
        forms += [np.array(labels, dtype=f"U{max(map(len, labels), default=1)}")]
    for form in forms:
        other, other_codes = Index.encode(form)
        assert other == index
        assert np.array_equal(other_codes, codes)


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=6))
def test_the_same_objects_and_equal_ones_are_encoded_alike(labels):
    copies = [str(label.encode(), "ascii") + "" for label in labels]
    assert Index.encode(copies)[0] == Index.encode(labels)[0]


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 5)))
def test_each_number_has_one_code(numbers):
    column = np.array(numbers, dtype=np.uint64)
    codes, distinct = number_codes(column)
    assert np.array_equal(distinct[codes], column)
    assert len(distinct) == len(set(numbers))


@pytest.mark.parametrize("multipliers", [(1,), (0,), (1, 3)], ids=str)
@given(numbers=st.lists(st.integers(0, 40), max_size=60))
def test_a_hash_that_tells_nothing_apart_costs_time_and_nothing_else(multipliers, numbers):
    # Small numbers all fall into slot 0 of a table addressed by the upper bits: most rounds settle one number each.
    column = np.array(numbers, dtype=np.uint64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "_MULTIPLIERS", multipliers)
        codes, distinct = number_codes(column)
    assert np.array_equal(distinct[codes], column)
    assert len(distinct) == len(set(numbers))


def test_numbers_that_collide_in_every_round_are_sorted_in_the_end(monkeypatch):
    rounds: list[int] = []
    real = hashing._one_round

    def colliding(numbers, _):
        rounds.append(len(numbers))
        return real(numbers, 0)

    monkeypatch.setattr(hashing, "_one_round", colliding)
    column = np.arange(100, dtype=np.uint64) % 37
    codes, distinct = number_codes(column)
    assert np.array_equal(distinct[codes], column)
    assert sorted(distinct.tolist()) == list(range(37))
    assert len(rounds) == hashing._MOST_ROUNDS
    assert all(later < earlier for earlier, later in pairwise(rounds))


@given(st.lists(texts, unique=True) | st.lists(integers, unique=True), st.data())
def test_codes_and_labels_are_inverse(labels, data):
    index = Index(labels)
    assert list(index) == labels
    assert index.codes_of(labels).tolist() == list(range(len(labels)))
    some = data.draw(st.lists(st.sampled_from(labels), unique=True)) if labels else []
    assert index.places_of(Index(some)).tolist() == [labels.index(label) for label in some]
    assert pickle.loads(pickle.dumps(index)) == index  # noqa: S301


@given(st.lists(texts, unique=True), st.lists(texts, unique=True))
def test_a_union_of_text_is_what_a_dictionary_makes_of_it(one, other):
    assert list(Index(one).union(Index(other))) == list(dict.fromkeys(one + other))


@given(st.lists(integers, unique=True), st.lists(integers, unique=True))
def test_a_union_of_integers_holds_each_once(one, other):
    union = list(Index(one).union(Index(other)))
    assert len(union) == len(set(union))
    assert set(union) == {*one, *other}
    if one == sorted(one) and other == sorted(other):
        assert union == sorted(union)


@given(st.lists(st.lists(texts | st.none())) | st.lists(st.lists(integers | st.none())))
def test_stacked_columns_decode_to_stacked_labels(parts):
    stacked = Coded.concat([Coded.of(part, argument="x", nulls=True) for part in parts])
    whole = [label for part in parts for label in part]
    assert stacked.labels().tolist() == whole
    assert stacked == Coded.of(whole, argument="x", nulls=True)


@given(nullable, st.data())
def test_rows_taken_from_a_column_keep_their_labels(labels, data):
    column = Coded.of(labels, argument="x", nulls=True)
    rows = data.draw(st.lists(st.integers(0, len(labels) - 1))) if labels else []
    part = column.take(np.array(rows, dtype=np.int64))
    assert part.labels().tolist() == [labels[row] for row in rows]
    assert part.compact() == part
    assert {*part.compact().index} == {labels[row] for row in rows} - {None}


@given(st.dictionaries(texts, st.sampled_from(["x", "y"]) | st.none()), st.lists(texts, unique=True))
def test_an_aligned_assignment_says_the_same_of_each_member(segments, others):
    assignment = Assignment.from_mapping(segments)
    aligned = assignment.align(Index(others))
    assert aligned.labels().tolist() == [segments.get(member) for member in others]
    assert sum(assignment.sizes().values()) + assignment.n_unassigned == len(segments)
    assert assignment.align(Index(list(segments))) == assignment
