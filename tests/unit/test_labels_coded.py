from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.labels import Coded, Index


def coded(labels: Any) -> Coded:
    return Coded.of(labels, argument="x", nulls=True)


@pytest.mark.parametrize(
    ("n", "dtype"), [(0, np.int8), (127, np.int8), (128, np.int16), (32767, np.int16), (32768, np.int32)]
)
def test_codes_are_as_small_as_the_labels_allow(n, dtype):
    column = coded(list(range(n)))
    assert column.codes.dtype == dtype
    assert column.codes.tolist() == list(range(n))


def test_labels_are_decoded_with_none_where_there_is_none():
    assert coded(["b", None, "a"]).labels().tolist() == ["b", None, "a"]
    assert coded([20, None, 10]).labels().tolist() == [20, None, 10]
    assert coded([20, 10]).labels().dtype == np.int64
    assert coded([20, None]).labels().dtype == object
    assert coded([None]).labels().tolist() == [None]
    assert coded([]).labels().tolist() == []
    assert not coded(["b"]).labels().flags.writeable
    assert not coded([1]).labels().flags.writeable


def test_one_row_has_a_label_or_none():
    column = coded(["b", None])
    assert (column.label(0), column.label(1)) == ("b", None)
    assert (column.has_nulls, coded(["b"]).has_nulls, coded([]).has_nulls) == (True, False, False)


def test_a_column_encoded_already_stays_as_it_is():
    column = coded(["b", "a"])
    assert Coded.of(column, argument="member") is column
    with_null = coded(["b", None, None])
    assert Coded.of(with_null, argument="group", nulls=True) is with_null
    with pytest.raises(
        InvalidTypeError,
        match=r"^member: expected labels that are all str or all int, got None at row 1 \(2 of 3 rows\)$",
    ):
        Coded.of(with_null, argument="member")


def test_a_column_keeps_codes_of_its_own():
    codes = np.array([0, 1, 0], dtype=np.int8)
    column = Coded(index=Index(["a", "b"]), codes=codes)
    codes[0] = 1
    assert column.codes.tolist() == [0, 1, 0]
    assert not column.codes.flags.writeable
    frozen = column.codes
    assert Coded(index=column.index, codes=frozen).codes is frozen


@pytest.mark.parametrize(
    ("codes", "error", "told"),
    [
        ([0, 2, 3], InvalidValueError, r"^codes: expected codes in \[-1, 2\), got 2 at row 1 \(2 of 3 rows\)$"),
        ([-2], InvalidValueError, r"^codes: expected codes in \[-1, 2\), got -2 at row 0 \(1 of 1 rows\)$"),
        ([0.0], InvalidTypeError, r"^codes: expected a 1-D array of integers, got 'float64 of shape \(1,\)'$"),
        ([[0]], InvalidTypeError, r"^codes: expected a 1-D array of integers, got 'int64 of shape \(1, 1\)'$"),
    ],
)
def test_codes_that_stand_for_no_label_are_refused(codes, error, told):
    with pytest.raises(error, match=told):
        Coded(index=Index(["a", "b"]), codes=np.array(codes))


def test_the_index_of_a_column_is_an_index():
    index: Any = ["a"]
    with pytest.raises(InvalidTypeError, match=r"^index: expected an Index, got \['a'\]$"):
        Coded(index=index, codes=np.zeros(1, dtype=np.int8))


def test_some_rows_make_a_column_under_the_same_index():
    column = coded(["b", None, "a", "b"])
    part = column.take(np.array([3, 1]))
    assert part.index is column.index
    assert part.labels().tolist() == ["b", None]
    assert column.take(slice(1, 3)).labels().tolist() == [None, "a"]


def test_a_compact_column_has_no_label_to_spare():
    column = coded(["c", None, "a", "b"]).take(np.array([3, 1, 0]))
    assert column.compact().index == Index(["c", "b"])
    assert column.compact().labels().tolist() == ["b", None, "c"]
    whole = coded(["b", None])
    assert whole.compact() is whole
    assert len(whole.take(np.array([1])).compact().index) == 0


def test_a_column_under_another_index_loses_what_that_does_not_know():
    column = coded(["a", None, "b"])
    assert column.under(Index(["b", "c"])).codes.tolist() == [-1, -1, 0]
    assert column.under(column.index) is column


def test_columns_are_stacked_under_the_labels_of_all():
    stacked = Coded.concat([coded(["b", None]), coded([]), coded(["a", "b"]), coded([None])])
    assert stacked.labels().tolist() == ["b", None, "a", "b", None]
    assert stacked.index == Index(["b", "a"])
    assert Coded.concat([coded([5]), coded([3, 5])]).index == Index([3, 5])
    assert len(Coded.concat([])) == 0
    column = coded(["b"])
    assert Coded.concat([column, column]).index is column.index


def test_text_and_integers_make_no_one_column():
    with pytest.raises(
        InvalidTypeError,
        match=r"^group: expected labels of one type \(str, as 'a'\), got 1, a label of type int$",
    ):
        Coded.concat([coded(["a"]), coded([]), coded([1])], argument="group")


def test_columns_are_equal_row_by_row_whatever_their_codes():
    column = coded(["b", "a", None])
    assert column == Coded(index=Index(["a", "x", "b"]), codes=np.array([2, 0, -1]))
    assert column != coded(["b", "a", "a"])
    assert column != coded(["b", "a"])
    assert column != coded(["b", "c", None])
    assert coded([1]) != coded(["1"])
    assert coded([None]) == coded([None, 1]).take(slice(0, 1))
    assert column != ["b", "a", None]
    with pytest.raises(TypeError):
        hash(column)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda column: pickle.loads(pickle.dumps(column))])  # noqa: S301
def test_a_copy_of_a_column_is_read_only_too(duplicate):
    column = coded(["b", None])
    assert duplicate(column) == column
    assert not duplicate(column).codes.flags.writeable


def test_a_column_shows_its_size():
    assert repr(coded(["b", None])) == "Coded(2 rows, Index(['b']))"
