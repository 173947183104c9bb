from __future__ import annotations

import datetime as dt
from collections import UserList, deque
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.labels import Index, encode

NAN = float("nan")


class Kind(StrEnum):
    POST = "post"
    LIKE = "like"


class OldKind(str, Enum):  # noqa: UP042  (what code written before Python 3.11 has)
    POST = "post"


class Level(IntEnum):
    HIGH = 3


class NAType:
    """Stands in for pandas.NA, which is told by its type's name."""


def decoded(index: Index, codes: Any) -> list[Any]:
    return [None if code < 0 else index[code] for code in codes.tolist()]


def test_text_comes_in_order_of_appearance_and_integers_ascending():
    index, codes = Index.encode(["bo", "ann", "bo"])
    assert (list(index), codes.tolist()) == (["bo", "ann"], [0, 1, 0])
    index, codes = Index.encode([30, 10, 30])
    assert (list(index), codes.tolist()) == ([10, 30], [1, 0, 1])
    assert codes.dtype == np.int32
    assert not codes.flags.writeable


@pytest.mark.parametrize(
    "column",
    [
        ["post", "like", "post"],
        ("post", "like", "post"),
        np.array(["post", "like", "post"]),
        np.array(["post", "like", "post"], dtype=object),
        np.array(["post", "like", "post"], dtype=">U4"),
        np.array(["post", "like", "post"], dtype=np.dtypes.StringDType()),
        np.array(["post", "like", "post"] * 2)[:3],
        np.array([["post", "x"], ["like", "x"], ["post", "x"]])[:, 0],
        [Kind.POST, Kind.LIKE, Kind.POST],
        [OldKind.POST, "like", "post"],
        [np.str_("post"), "like", Kind.POST],
        deque(["post", "like", "post"]),
        UserList(["post", "like", "post"]),
        {"a": "post", "b": "like", "c": "post"}.values(),
    ],
)
def test_text_is_taken_in_every_form(column):
    index, codes = Index.encode(column)
    assert decoded(index, codes) == ["post", "like", "post"]
    assert {type(label) for label in index} == {str}


@pytest.mark.parametrize(
    "column",
    [
        [7, -9, 7],
        range(7, -26, -16),
        np.array([7, -9, 7], dtype=np.int8),
        np.array([7, -9, 7], dtype=">i8"),
        np.array([7, 0, -9, 0, 7], dtype=np.int64)[::2],
        np.asfortranarray([[7, 1], [-9, 1], [7, 1]])[:, 0],
        np.array([7, -9, 7], dtype=object),
        [np.int8(7), -9, np.uint64(7)],
    ],
)
def test_integers_are_taken_in_every_form(column):
    index, codes = Index.encode(column)
    expected = [7, -9, -25] if isinstance(column, range) else [7, -9, 7]
    assert decoded(index, codes) == expected
    assert {type(label) for label in index} == {int}


def test_an_enum_of_integers_counts_as_integers():
    index, codes = Index.encode([Level.HIGH, 3, 1])
    assert decoded(index, codes) == [3, 3, 1]


@pytest.mark.parametrize(
    "labels",
    [
        [2**63 - 1, -(2**63), 0],
        [-(2**63), -(2**63) + 1],
        [2**63 - 1, 2**63 - 2],
        [0],
    ],
)
@pytest.mark.parametrize("dtype", [np.int64, object])
def test_integers_at_the_ends_of_64_bits_are_kept(labels, dtype):
    index, codes = Index.encode(np.array(labels, dtype=dtype))
    assert decoded(index, codes) == labels


def test_large_unsigned_integers_are_kept_where_they_fit():
    index, codes = Index.encode(np.array([2**63 - 1, 2**63 - 3, 0, 2**63 - 1], dtype=np.uint64))
    assert decoded(index, codes) == [2**63 - 1, 2**63 - 3, 0, 2**63 - 1]
    index, codes = Index.encode(np.array([2**63 - 1, 2**63 - 3], dtype=np.uint64))
    assert decoded(index, codes) == [2**63 - 1, 2**63 - 3]


def test_read_only_input_is_taken_and_not_written_to():
    column = np.array([3, 1, 3])
    column.setflags(write=False)
    index, codes = Index.encode(column)
    assert decoded(index, codes) == [3, 1, 3]
    writeable = np.array(["b", "a"], dtype=object)
    index, _ = Index.encode(writeable)
    assert writeable.flags.writeable
    writeable[0] = "changed"
    assert list(index) == ["b", "a"]


@pytest.mark.parametrize(
    "column",
    [[], (), np.array([]), np.array([], dtype="U3"), np.array([], dtype=np.uint8), np.array([], dtype="M8[s]")],
)
def test_no_rows_make_an_empty_index(column):
    index, codes = Index.encode(column)
    assert (len(index), len(codes)) == (0, 0)
    assert codes.dtype == np.int32


def test_the_empty_text_is_a_label_like_any_other():
    for column in (["", "a", ""], np.array(["", "a", ""]), np.array(["", ""], dtype="U0")):
        index, codes = Index.encode(column)
        assert decoded(index, codes) == list(column)


@pytest.mark.parametrize("missing", [None, NAN, np.float32("nan"), np.float64("nan"), NAType()], ids=type)
def test_a_missing_label_has_code_minus_one_where_it_is_allowed(missing):
    for labels in (["b", missing, "a"], [20, missing, 10]):
        index, codes = Index.encode(labels, nulls=True)
        assert decoded(index, codes) == [labels[0], None, labels[2]]


def test_a_column_of_nothing_but_missing_labels_has_an_empty_index():
    for column in ([None, None], np.array([NAN, NAN]), np.array(["NaT", "NaT"], dtype="M8[s]")):
        index, codes = Index.encode(column, nulls=True)
        assert (len(index), codes.tolist()) == (0, [-1, -1])


def test_a_masked_label_is_a_missing_one():
    index, codes = Index.encode(np.ma.masked_array([5, 6, 7], mask=[False, True, False]), nulls=True)
    assert decoded(index, codes) == [5, None, 7]
    with pytest.raises(InvalidTypeError, match=r"got None at row 1 \(1 of 3 rows\)$"):
        Index.encode(np.ma.masked_array(["a", "b", "c"], mask=[False, True, False]))


EXPECTED = "expected labels that are all str or all int"


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ([1, "a", 2], r"got 'a' at row 1 \(1 of 3 rows\), of type str$"),
        (["a", 1, 2], r"got 1 at row 1 \(2 of 3 rows\), of type int$"),
        (np.array([1, "a"], dtype=object), r"got 'a' at row 1 \(1 of 2 rows\), of type str$"),
        (deque([1, "a"]), r"got 'a' at row 1 \(1 of 2 rows\), of type str$"),
        (["a", None, None], r"got None at row 1 \(2 of 3 rows\)$"),
        ([None, "a"], r"got None at row 0 \(1 of 2 rows\)$"),
        ([7, NAN], r"got nan at row 1 \(1 of 2 rows\)$"),
        ([7, 2.5], r"got 2.5 at row 1 \(1 of 2 rows\), of type float; cast whole numbers with .astype\(int\)"),
        ([True, False], r"got True at row 0 \(2 of 2 rows\), of type bool; labels cannot be booleans$"),
        ([1, True], r"got True at row 1 \(1 of 2 rows\), of type bool; labels cannot be booleans$"),
        ([b"a"], r"got b'a' at row 0 \(1 of 1 rows\), of type bytes; decode bytes first$"),
        ([dt.date(2024, 1, 1)], r"got .* of type date; labels cannot be dates: format them first$"),
        ([Decimal(1)], r"got Decimal\('1'\) at row 0 \(1 of 1 rows\), of type Decimal$"),
        ([("a",), ("b",)], r"got \('a',\) at row 0 \(2 of 2 rows\), of type tuple$"),
        (
            np.array([1.0, 2.0]),
            r"got 1.0 at row 0 \(2 of 2 rows\); cast whole numbers with .astype\(int\) and fill or ",
        ),
        (np.array([1.0, NAN]), r"got nan at row 1 \(1 of 2 rows\); cast whole numbers"),
        (np.array([b"a"]), r"got b'a' at row 0 \(1 of 1 rows\); decode bytes first$"),
        (np.array([True]), r"got True at row 0 \(1 of 1 rows\); labels cannot be booleans$"),
        (
            np.array(["2024-01-01"], "M8[D]"),
            r"got .* at row 0 \(1 of 1 rows\); labels cannot be dates: format them first$",
        ),
        (np.array([1j]), r"got 1j at row 0 \(1 of 1 rows\)$"),
    ],
)
def test_what_is_no_label_is_refused_with_its_row(column, told):
    with pytest.raises(InvalidTypeError, match=rf"^member: {EXPECTED}, {told}"):
        Index.encode(column, argument="member")


def test_where_labels_may_be_missing_the_first_bad_row_is_not_a_missing_one():
    with pytest.raises(InvalidTypeError, match=rf"^group: {EXPECTED}, got 1 at row 2 \(1 of 3 rows\), of type int$"):
        Index.encode([None, "a", 1], argument="group", nulls=True)
    with pytest.raises(InvalidTypeError, match=r"^group: .*, got 1.5 at row 1 \(1 of 2 rows\); cast whole numbers"):
        Index.encode(np.array([NAN, 1.5]), argument="group", nulls=True)
    with pytest.raises(
        InvalidValueError, match=r"^group: expected integers that fit 64 bits with sign, got 9.* at row 2"
    ):
        Index.encode([1, None, 2**63], argument="group", nulls=True)


@pytest.mark.parametrize(
    ("column", "row", "bad"),
    [
        ([1, 2**63, 2**64], 1, 2),
        ([-(2**63) - 1], 0, 1),
        ([1, 10**30, "a"][:2], 1, 1),
        (np.array([1, 2**63, 2**64 - 1], dtype=np.uint64), 1, 2),
    ],
)
def test_an_integer_beyond_64_bits_is_refused_with_its_row(column, row, bad):
    told = rf"got {int(column[row])} at row {row} \({bad} of {len(column)} rows\)$"
    with pytest.raises(InvalidValueError, match=rf"^member: expected integers that fit 64 bits with sign, {told}"):
        Index.encode(column, argument="member")


@pytest.mark.parametrize("column", ["ann", b"bo", {"ann": 1}, {"ann"}, frozenset(), 7, None, iter(["a"]), object()])
def test_what_is_no_column_is_refused(column):
    with pytest.raises(InvalidTypeError, match=r"^member: expected a column \(list or 1-D array\) of labels, got "):
        Index.encode(column, argument="member")


@pytest.mark.parametrize("shape", [(2, 2), (1, 3), ()])
def test_a_column_has_one_dimension(shape):
    told = r"^member: expected a 1-D column, got 'an array of shape "
    with pytest.raises(InvalidValueError, match=told):
        Index.encode(np.zeros(shape, dtype=np.int64), argument="member")


def test_more_rows_than_codes_can_count_are_refused(monkeypatch):
    monkeypatch.setattr(encode, "_MOST_ROWS", 3)
    with pytest.raises(InvalidValueError, match=r"^member: expected at most 3 rows, got 4$"):
        Index.encode([1, 2, 3, 4], argument="member")


class TestALongColumn:
    """Long columns go other ways: their thresholds are lowered, or they are just long enough."""

    LABELS = ("ann", "bo", "社群", "e\u0301", "\ud800", "", "ann\0x")

    @pytest.fixture(autouse=True)
    def _low_thresholds(self, monkeypatch):
        monkeypatch.setattr(encode, "_BLOCK", 64)
        monkeypatch.setattr(encode, "_SAMPLE", 128)
        monkeypatch.setattr("shequn.labels.hashing._BLOCK", 64)
        monkeypatch.setattr("shequn.labels.hashing._FEW_ROWS", 16)

    def column(self, n: int = 500) -> list[str]:
        return [self.LABELS[i * i % len(self.LABELS)] for i in range(n)]

    def test_of_the_same_objects_again_and_again(self, monkeypatch):
        seen = spy(monkeypatch, "_distinct_objects")
        labels = self.column()
        index, codes = Index.encode(labels)
        assert seen == [500]
        assert decoded(index, codes) == labels
        assert list(index) == list(dict.fromkeys(labels))

    def test_of_the_same_objects_some_of_them_missing(self, monkeypatch):
        seen = spy(monkeypatch, "_distinct_objects")
        labels = [None if i % 7 == 3 else label for i, label in enumerate(self.column())]
        index, codes = Index.encode(labels, nulls=True)
        assert seen == [500]
        assert decoded(index, codes) == labels

    def test_of_the_same_objects_one_of_them_bad(self):
        labels: list[Any] = self.column()
        labels[300] = labels[400] = 7
        with pytest.raises(InvalidTypeError, match=r"got 7 at row 300 \(2 of 500 rows\), of type int$"):
            Index.encode(labels)

    def test_of_equal_objects_that_are_not_the_same(self, monkeypatch):
        seen = spy(monkeypatch, "_by_first_row")
        labels = [f"user_{i * i % 97}" for i in range(500)]
        index, codes = Index.encode(labels)
        assert seen == [500]
        assert decoded(index, codes) == labels
        assert list(index) == list(dict.fromkeys(labels))

    def test_of_integers_in_objects(self):
        labels = [10**15 + i * i % 97 for i in range(500)]
        index, codes = Index.encode(labels)
        assert decoded(index, codes) == labels

    def test_of_fixed_width_text(self, monkeypatch):
        seen = spy(monkeypatch, "_hashes_of_fixed_text")
        labels = [label for label in self.column() if not label.startswith("\ud800")]
        column = np.array(labels)
        index, codes = Index.encode(column)
        assert seen == [len(labels)]
        assert decoded(index, codes) == labels
        assert list(index) == list(dict.fromkeys(labels))
        assert decoded(*Index.encode(column[::2])) == labels[::2]
        assert decoded(*Index.encode(column.astype(column.dtype.newbyteorder(">")))) == labels

    @pytest.mark.parametrize("as_array", [False, True])
    def test_whose_hashes_collide(self, monkeypatch, as_array):
        labels = [f"user_{i * i % 97}" for i in range(500)]
        monkeypatch.setattr(encode, "_hashes_of_fixed_text", lambda column: np.zeros(len(column), dtype=np.uint64))
        monkeypatch.setattr(encode, "hash", len, raising=False)
        index, codes = Index.encode(np.array(labels) if as_array else labels)
        assert decoded(index, codes) == labels
        assert list(index) == list(dict.fromkeys(labels))

    def test_of_integers_far_apart(self, monkeypatch):
        seen = spy(monkeypatch, "number_codes")
        labels = [(-1) ** i * (i * i % 97) ** 9 for i in range(500)]
        index, codes = Index.encode(np.array(labels))
        assert seen == [500]
        assert decoded(index, codes) == labels
        assert list(index) == sorted(set(labels))

    def test_of_integers_close_together(self, monkeypatch):
        seen = spy(monkeypatch, "_encode_narrow_integers")
        column = np.array([i * i % 97 for i in range(500)], dtype=np.int16) - 50
        index, codes = Index.encode(column)
        assert seen == [500]
        assert decoded(index, codes) == column.tolist()


def spy(monkeypatch: pytest.MonkeyPatch, name: str) -> list[int]:
    """Note the lengths of the columns that a function of `encode` is called with."""
    seen: list[int] = []
    real = getattr(encode, name)

    def noting(column: Any, *rest: Any) -> Any:
        seen.append(len(column))
        return real(column, *rest)

    monkeypatch.setattr(encode, name, noting)
    return seen


def test_a_column_long_enough_for_every_shortcut_is_encoded_as_a_short_one_is():
    n = encode._SAMPLE + 1
    names = [f"user_{i}" for i in range(1000)]
    places = (np.arange(n, dtype=np.int64) ** 2 + 7) % 1009 % 1000
    shared = np.array(names, dtype=object)[places]
    index, codes = Index.encode(shared)
    assert list(index) == list(dict.fromkeys(shared.tolist()))
    assert np.array_equal(index.labels[codes], shared)
    for other in (shared.astype(str), shared.astype(str).astype(object)):
        same_index, same_codes = Index.encode(other)
        assert same_index == index
        assert np.array_equal(same_codes, codes)
