"""What is taken through Arrow's C interface is given back once, whatever the producer does; no library is needed."""

from __future__ import annotations

import ctypes
import gc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from shequn.columns import EventLog
from shequn.columns.arrow import Field, arrow_column, arrow_columns, field_of, stream_of
from shequn.columns.arrow.abi import STREAM, ArrowArrayStream, pointer_in, release
from shequn.columns.arrow.exporting import n_lent
from shequn.columns.frames import frame_columns
from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.labels import Coded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray


class Producer:
    """Gives a stream of the records, whose struct may be tampered with first."""

    def __init__(self, *fields: Field, tamper: Callable[[ArrowArrayStream], None] = lambda _: None) -> None:
        self.fields, self.tamper = fields, tamper

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        assert requested_schema is None
        capsule = stream_of(self.fields, max((field.length for field in self.fields), default=0))
        self.tamper(ArrowArrayStream.from_address(pointer_in(capsule, STREAM)))
        return capsule


@pytest.fixture(autouse=True)
def everything_is_given_back() -> Iterator[None]:
    gc.collect()
    before = n_lent()
    yield
    gc.collect()
    assert n_lent() == before


def column(field: Field) -> Any:
    (found,) = arrow_columns(Producer(field), [("member", field.name)], check=len)
    return arrow_column(found)


def dictionary(indices: NDArray[Any], labels: list[str]) -> Field:
    made = field_of("x", np.array(labels, dtype=object))
    layout = field_of("x", indices).format
    return Field(name="x", format=layout, length=len(indices), buffers=[None, indices], dictionary=made)


def test_an_array_of_ours_is_seen_on_the_other_side_in_the_same_memory():
    values = np.arange(5)
    got = column(field_of("x", values))
    assert np.shares_memory(got, values)
    assert not got.flags.writeable


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", ["i4", "u8", "f8", "M8[us]", "M8[D]", "U2"])
def test_an_array_in_any_order_of_bytes_holds_the_same_on_the_other_side(dtype, order):
    values = np.array([1, 258]).astype(dtype)
    got = column(field_of("x", values.astype(values.dtype.newbyteorder(order))))
    assert (got.labels() if isinstance(got, Coded) else got).tolist() == values.tolist()


def test_memory_is_kept_while_a_part_of_it_is_seen():
    before = n_lent()
    part = column(field_of("x", np.arange(1000)))[990:]
    gc.collect()
    assert n_lent() > before
    assert part.tolist() == list(range(990, 1000))
    del part
    gc.collect()
    assert n_lent() == before


def test_an_order_of_labels_that_rows_name_is_kept_without_a_copy():
    indices = np.array([0, 1, 0, 2], dtype=np.int8)
    got = column(dictionary(indices, ["b", "a", "c"]))
    assert np.shares_memory(got.codes, indices)
    assert list(got.index) == ["b", "a", "c"]


def test_another_order_is_renumbered_and_labels_that_no_row_has_are_left_out():
    got = column(dictionary(np.array([3, 1, 3], dtype=np.uint16), ["a", "b", "c", "d"]))
    assert list(got.index) == ["d", "b"]
    assert got.labels().tolist() == ["d", "b", "d"]


def test_an_order_that_shows_late_is_renumbered_too():
    rows = np.zeros(200_000, dtype=np.int32)
    rows[150_000], rows[199_999] = 2, 1
    got = column(dictionary(rows, ["a", "b", "c"]))
    assert list(got.index) == ["a", "c", "b"]
    assert got.label(150_000), got.label(199_999) == ("c", "b")


@pytest.mark.parametrize("index", [3, -1])
def test_an_index_outside_the_dictionary_is_refused(index):
    with pytest.raises(InvalidValueError, match=rf"indices of categories in \[0, 3\), got {index}"):
        column(dictionary(np.array([0, index], dtype=np.int32), ["a", "b", "c"]))


def test_text_that_is_no_utf8_is_refused():
    bad = Field(
        name="x", format="u", length=1, buffers=[None, np.array([0, 1], np.int32), np.array([0xFF], dtype=np.uint8)]
    )
    with pytest.raises(InvalidValueError, match=r"^x: expected text in UTF-8, got"):
        column(bad)


def test_text_with_equal_hashes_is_told_apart_all_the_same(monkeypatch):
    from shequn.columns.arrow import labels  # noqa: PLC0415

    monkeypatch.setattr(labels, "_hashes", lambda text: np.zeros(len(text.lengths), dtype=np.uint64))
    text = field_of("x", np.array(["a", "b", None, "a"], dtype=object))
    got = column(text)
    assert isinstance(got, Coded)
    assert got.labels().tolist() == ["a", "b", None, "a"]


def test_null_records_are_refused():
    values = field_of("x", np.arange(2))
    whole = Field(name="", format="+s", length=2, n_null=1, buffers=[np.array([1], np.uint8)], children=[values])
    nested = Field(name="x", format="+s", length=2, n_null=1, buffers=[np.array([1], np.uint8)], children=[whole])
    with pytest.raises(InvalidTypeError, match=r"^member: expected .* in 'x', got a nested one"):
        column(nested)


class Failing:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __arrow_c_stream__(self) -> object:
        raise self.error


class FailingColumn(Failing):
    def __arrow_c_array__(self) -> object:
        raise self.error


@pytest.mark.parametrize(("error", "told"), [(OSError("the warehouse is shut"), "the warehouse"), (OSError(), "OSErr")])
def test_a_producer_that_raises_is_refused_with_its_own_words(error, told):
    with pytest.raises(InvalidValueError, match=rf"^frame: expected a stream .* can be read, got '{told}") as refused:
        EventLog.from_frame(Failing(error), member="a", kind="b", at="c")
    assert refused.value.__cause__ is error
    with pytest.raises(InvalidValueError, match=rf"^frame: .* can be read, got '{told}"):
        arrow_column(FailingColumn(error))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError(), InvalidTypeError("x: as it was")], ids=repr)
def test_what_is_no_fault_of_the_producer_passes(error):
    with pytest.raises(type(error)) as passed:
        frame_columns(Failing(error), [("member", "x")])
    assert passed.value is error


def test_what_gives_no_capsule_is_refused():
    class Wrong:
        def __arrow_c_stream__(self) -> object:
            return 7

    with pytest.raises(InvalidTypeError, match=r"^frame: expected a capsule named arrow_array_stream, got 7"):
        EventLog.from_frame(Wrong(), member="a", kind="b", at="c")


def test_a_stream_that_was_read_already_is_refused():
    with pytest.raises(InvalidValueError, match=r"^frame: expected a stream that nobody has read yet, got 'Producer'"):
        frame_columns(Producer(field_of("x", np.arange(2)), tamper=release), [("member", "x")])


def test_a_stream_of_one_column_is_no_frame():
    class Single:
        def __arrow_c_stream__(self) -> object:
            return Producer(field_of("x", np.arange(2))).__arrow_c_stream__()

    assert arrow_column(Single()) is None  # records are no column
    with pytest.raises(InvalidTypeError, match=r"^member: expected a column"):
        EventLog.from_columns(member=Single(), kind="post", at=[0], time_unit="s")  # type: ignore[arg-type]


def test_a_stream_that_cannot_say_why_it_fails_is_refused_and_given_back():
    def fail(stream: ArrowArrayStream) -> None:
        stream.get_next = None

    with pytest.raises(InvalidValueError, match=r"got .an error that it doesn't explain"):
        frame_columns(Producer(field_of("x", np.arange(2)), tamper=fail), [("member", "x")])


def test_a_stream_is_read_to_its_end_and_then_has_nothing_more():
    capsule = stream_of([field_of("x", np.arange(2))], 2)
    stream = ArrowArrayStream.from_address(pointer_in(capsule, STREAM))
    release(stream)
    release(stream)  # the second time nothing is left to do
    assert stream.release is None


def test_a_stream_asked_after_its_end_says_so():
    from shequn.columns.arrow.abi import NEXT, TOLD, ArrowArray, ArrowSchema  # noqa: PLC0415

    capsule = stream_of([field_of("x", np.arange(2))], 2)
    stream = ArrowArrayStream.from_address(pointer_in(capsule, STREAM))
    stream_copy = ArrowArrayStream.from_buffer_copy(stream)
    release(stream)
    for function, out in ((stream_copy.get_schema, ArrowSchema()), (stream_copy.get_next, ArrowArray())):
        assert function is not None
        assert NEXT(function)(ctypes.addressof(stream_copy), ctypes.addressof(out)) != 0
    assert stream_copy.get_last_error is not None
    assert TOLD(stream_copy.get_last_error)(ctypes.addressof(stream_copy)) is None


def test_an_index_is_an_array_to_numpy():
    index = Coded.of(["b", "a"], argument="x").index
    assert np.shares_memory(np.asarray(index), index.labels)
    assert np.asarray(index).tolist() == ["b", "a"]
    assert not np.asarray(index).flags.writeable


def test_a_column_of_labels_is_an_array_to_numpy():
    for column in (Coded.of(["b", None], argument="x", nulls=True), Coded.of([30, 10], argument="x")):
        assert np.asarray(column).tolist() == np.array(column).tolist() == column.labels().tolist()
        assert np.asarray(column).dtype == column.labels().dtype
        assert np.array(column).flags.writeable
        assert np.asarray(column) != column  # as a whole, and not label by label
    assert np.asarray(Coded.of([30, 10], argument="x"), dtype=np.float64).tolist() == [30.0, 10.0]
    with pytest.raises(InvalidValueError, match=r"^copy: expected True or None, as labels are decoded, got False$"):
        np.array(Coded.of(["b"], argument="x"), copy=False)


def test_codes_that_somebody_may_still_write_to_are_copied():
    index, own = Coded.of(["a", "b"], argument="x").index, np.array([0, 1], dtype=np.int8)
    seen = own[:]
    seen.setflags(write=False)
    column, part = Coded(index=index, codes=seen), Coded(index=index, codes=seen[1:])
    own[:] = 1, 0
    assert column.labels().tolist() == ["a", "b"]
    assert part.labels().tolist() == ["b"]


def test_codes_that_nobody_writes_to_are_kept():
    index, own = Coded.of(["a", "b"], argument="x").index, np.array([0, 1, 0], dtype=np.int8)
    own.setflags(write=False)
    assert np.shares_memory(Coded(index=index, codes=own[1:]).codes, own)
    lent = np.array([0, 1, 0], dtype=np.int8)
    column_of = column(dictionary(lent, ["b", "a"]))
    assert np.shares_memory(column_of.take(slice(1, 3)).codes, lent)
