"""Which labels does a column of Arrow text hold, and which has each row?

Text is told apart by a hash of its bytes, eight at a time, block by block; then every row is compared with the label it
was given, so that a collision costs a second, slower pass and never a wrong answer. A dictionary is not encoded again:
its indices are the codes, unless its labels stand in another order than rows name them.
"""

from __future__ import annotations

import ctypes
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shequn.columns.arrow.columns import ArrowColumn, ArrowType, Chunk, buffer, joined
from shequn.errors import InvalidValueError, message
from shequn.labels import Coded
from shequn.labels.coded import coded_of_valid
from shequn.labels.encode import encode_text
from shequn.labels.hashing import number_codes
from shequn.labels.index import index_of_unique

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray

__all__ = [
    "coded_categories",
    "coded_dictionary",
    "coded_text",
    "codes_of",
    "identity",
    "is_text",
    "less",
    "signed",
]

_TEXT = {"u", "U", "vu"}
_BLOCK = 1 << 16
_MOST_INT8 = 127
_WORD = 8
_INLINE = 12  # bytes of text that a view holds itself
_MIXER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
# Of the eight bytes that are read, those that belong to a text of which so many are left.
_KEPT = np.array([(1 << (8 * left)) - 1 for left in range(_WORD + 1)], dtype=np.uint64)


def is_text(layout: str, /) -> bool:
    """Return whether a format string stands for text.

    Examples
    --------
    >>> is_text("vu"), is_text("z")
    (True, False)
    """
    return layout in _TEXT


# --- dictionaries ---


def coded_dictionary(column: ArrowColumn, index_dtype: str, /) -> Coded:
    """Return a dictionary-encoded column of text: labels in order of appearance, those that no row has left out."""
    kind = column.type.dictionary
    assert kind is not None  # noqa: S101  (the caller looked)
    dictionaries = {identity(chunk.dictionary()): chunk.dictionary() for chunk in column.chunks}
    decoded = {told: _decoded(kind, dictionary) for told, dictionary in dictionaries.items()}
    labels: list[Any] = next(iter(decoded.values())) if decoded else []
    places: dict[object, NDArray[np.int32]] = {}
    if len(decoded) > 1 or len(set(labels)) < len(labels) or None in labels:
        labels, places = _united(decoded)
    parts = [codes_of(chunk, index_dtype, places.get(identity(chunk.dictionary()))) for chunk in column.chunks]
    codes = joined(parts or [np.empty(0, dtype=np.int8)])
    found = np.fromiter(labels, dtype=object, count=len(labels))
    return coded_categories(codes, len(labels), lambda order, _: found[order])


def identity(chunk: Chunk, /) -> object:
    """Return what is equal for dictionaries that are the same memory."""
    return (chunk.start, chunk.length, *(chunk.address(place) for place in range(chunk.array.n_buffers)))


def _united(decoded: dict[object, list[str | None]]) -> tuple[list[Any], dict[object, NDArray[np.int32]]]:
    """Return the labels of all dictionaries, and for each the place of its labels among them; -1 for a null."""
    every = list(chain.from_iterable(decoded.values()))
    given = np.fromiter(every, dtype=object, count=len(every))
    places = np.full(len(every), -1, dtype=np.int32)
    there = given != None if None in every else slice(None)  # noqa: E711  (element by element)
    united, places[there] = encode_text(given[there])
    ends = np.cumsum([len(some) for some in decoded.values()])
    return united.labels.tolist(), dict(zip(decoded, np.split(places, ends[:-1]), strict=True))


def codes_of(chunk: Chunk, dtype: str, place: NDArray[Any] | None, /) -> NDArray[Any]:
    """Return the indices of a chunk with -1 where there is none; on its own memory where they are as they should be.

    Parameters
    ----------
    chunk : Chunk
        Of a dictionary-encoded column.
    dtype : str
        Of its indices.
    place : ndarray of int or None
        What to return in place of each index, if something else.
    """
    indices: NDArray[Any] = buffer(chunk, 1, dtype)
    n_labels = chunk.dictionary().length
    missing = chunk.missing()
    if not n_labels:
        return np.full(chunk.length, -1, dtype=np.int8)
    if chunk.length:
        present = indices if missing is None else indices[~missing]
        _refuse_outside(present, n_labels)
    codes = signed(indices, n_labels, missing)
    if place is None:
        return codes
    placed: NDArray[Any] = np.append(place, place.dtype.type(-1))[codes]
    return placed


def signed(indices: NDArray[Any], n_labels: int, missing: BoolArray | None, /) -> NDArray[Any]:
    """Return indices below `n_labels` with -1 where one is missing; no copy where the same bytes mean that already.

    Examples
    --------
    >>> signed(np.array([0, 200], np.uint8), 201, np.array([False, False])).tolist()
    [0, 200]
    """
    size = indices.dtype.itemsize
    if size == np.dtype(np.int64).itemsize:
        codes = indices.astype(np.int32)
    elif indices.dtype.kind == "i":
        codes = indices
    else:
        codes = indices.view(f"i{size}") if n_labels <= 1 << (8 * size - 1) else indices.astype(np.int32)
    return codes if missing is None else np.where(missing, codes.dtype.type(-1), codes)


def less(indices: NDArray[Any], low: int, n_labels: int, /) -> NDArray[Any]:
    """Return indices in [low, low + n_labels) counted from `low`, in few bytes.

    Examples
    --------
    >>> less(np.array([100, 103], np.uint32), 100, 4).tolist()
    [0, 3]
    """
    codes = np.empty(len(indices), dtype=np.int8 if n_labels <= _MOST_INT8 else np.int32)
    for rows in _blocks(len(indices)):
        np.subtract(indices[rows], low, out=codes[rows], casting="unsafe")
    return joined([codes])


def _refuse_outside(indices: NDArray[Any], n_labels: int) -> None:
    low, high = int(indices.min(initial=0)), int(indices.max(initial=0))
    if low < 0 or high >= n_labels:
        got = low if low < 0 else high
        raise InvalidValueError(message("frame", f"indices of categories in [0, {n_labels})", got))


def coded_categories(codes: NDArray[Any], n_labels: int, labels_at: Callable[[IntArray, IntArray], Any], /) -> Coded:
    """Return rows of unique labels, these in order of appearance and those that no row has left out; -1 is none.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        In [-1, n_labels).
    n_labels : int
    labels_at : callable
        Takes codes and the first row of each, and returns their labels.

    Examples
    --------
    >>> coded_categories(np.array([2, -1, 0], np.int8), 3, lambda codes, rows: ["abc"[code] for code in codes]).index
    Index(['c', 'a'])
    """
    order, rows = _order_of_appearance(codes, n_labels)
    found = labels_at(order, rows)
    labels: NDArray[Any] = np.fromiter(found, dtype=object, count=len(found))
    index = index_of_unique(labels)
    if len(order) == n_labels and np.array_equal(order, np.arange(n_labels)):
        return coded_of_valid(index, codes)
    dtype = np.min_scalar_type(-len(order) - 1)
    new_code = np.full(n_labels + 1, -1, dtype=dtype)  # the spare last place is where -1 points
    new_code[order] = np.arange(len(order), dtype=dtype)
    new_codes = np.empty(len(codes), dtype=dtype)
    for block in _blocks(len(codes)):
        np.take(new_code, codes[block], out=new_codes[block], mode="wrap")  # -1 is the last place
    return coded_of_valid(index, joined([new_codes]))


def _order_of_appearance(codes: NDArray[Any], n_labels: int) -> tuple[IntArray, IntArray]:
    """Return the codes that occur, first come first, and the first row of each; read until every label was seen."""
    unseen = np.ones(n_labels + 1, dtype=np.bool_)
    unseen[-1] = False  # where -1 points
    is_fresh = np.empty(_BLOCK, dtype=np.bool_)
    first_row = np.empty(n_labels, dtype=np.int64)
    order, rows = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    n_left = n_labels
    for block in _blocks(len(codes)):
        if not n_left:
            break
        some = is_fresh[: block.stop - block.start]
        np.take(unseen, codes[block], out=some, mode="wrap")
        if not some.any():
            continue
        fresh = np.flatnonzero(some) + block.start
        named = codes[fresh]
        first_row[named[::-1]] = fresh[::-1]  # of rows with one code, the last that is written is the first
        is_first = first_row[named] == fresh
        rows.append(fresh[is_first])
        order.append(named[is_first].astype(np.int64))
        unseen[named] = False
        n_left -= len(order[-1])
    return np.concatenate(order), np.concatenate(rows)


def _blocks(n_rows: int) -> Iterator[slice]:
    return (slice(start, min(start + _BLOCK, n_rows)) for start in range(0, n_rows, _BLOCK))


# --- text ---


class _Text(NamedTuple):
    """Where the text of some rows lies in `data`: from `starts`, so many bytes."""

    data: NDArray[np.uint8]
    starts: IntArray
    lengths: IntArray

    def take(self, rows: slice | IntArray) -> _Text:
        return _Text(self.data, self.starts[rows], self.lengths[rows])

    def with_slack(self) -> _Text:
        """Return the same text where eight bytes may be read at each of its bytes."""
        if not len(self.starts):
            return self
        low, high = int(self.starts.min()), int((self.starts + self.lengths).max())
        if high + _WORD <= len(self.data):
            return self
        return _Text(np.append(self.data[low:high], np.zeros(_WORD, dtype=np.uint8)), self.starts - low, self.lengths)

    def words(self, place: int) -> NDArray[np.uint64]:
        """Return the bytes from 8 * `place` on of each text as one number, 0 where it has none left."""
        left = np.clip(self.lengths - _WORD * place, 0, _WORD)
        if not len(left):
            return np.empty(0, dtype=np.uint64)
        everywhere: NDArray[np.uint64] = np.ndarray(
            (len(self.data) - _WORD + 1,), dtype="<u8", buffer=self.data, strides=(1,)
        )
        return everywhere[np.where(left > 0, self.starts + _WORD * place, self.starts)] & _KEPT[left]

    def with_word(self, place: int) -> slice | IntArray:
        """Return the rows that have bytes from 8 * `place` on."""
        has = self.lengths > _WORD * place
        return slice(None) if has.all() else np.flatnonzero(has)

    @property
    def n_words(self) -> int:
        return -(-int(self.lengths.max(initial=0)) // _WORD)

    def strings(self) -> list[str]:
        """Decode each text."""
        if not len(self.starts):
            return []
        low, high = int(self.starts.min()), int((self.starts + self.lengths).max())
        starts = (self.starts - low).tolist()
        ends = (self.starts - low + self.lengths).tolist()
        if high - low > 4 * int(self.lengths.sum()) + (1 << 20):  # few texts of many
            at = self.data.ctypes.data + low
            return [ctypes.string_at(at + a, b - a).decode() for a, b in zip(starts, ends, strict=True)]
        raw = self.data[low:high].tobytes()
        if raw.isascii():
            text = raw.decode("ascii")
            return [text[a:b] for a, b in zip(starts, ends, strict=True)]
        return [raw[a:b].decode() for a, b in zip(starts, ends, strict=True)]


def _text_of(layout: str, chunk: Chunk, rows: slice) -> _Text:
    """Return where the text of some rows of a chunk lies."""
    start, length = chunk.start + rows.start, rows.stop - rows.start
    if layout == "vu":
        return _views(chunk, start, length)
    dtype = np.int32 if layout == "u" else np.int64
    offsets = buffer(chunk, 1, dtype, start=start, length=length + 1).astype(np.int64)
    low = int(offsets[0])
    data = buffer(chunk, 2, np.uint8, start=low, length=int(offsets[-1]) - low)
    return _Text(data, offsets[:-1] - low, np.diff(offsets))


def _views(chunk: Chunk, start: int, length: int) -> _Text:
    """Return where the text of views lies: in the view itself where it is short, else in one of several buffers."""
    views = buffer(chunk, 1, np.int32, start=4 * start, length=4 * length).reshape(length, 4)
    lengths = views[:, 0].astype(np.int64)
    missing = Chunk(chunk.array, start, length, chunk.held).missing()
    if missing is not None:
        lengths[missing] = 0  # what stands there means nothing
    data = views.reshape(-1).view(np.uint8)
    starts = 16 * np.arange(length, dtype=np.int64) + 4
    is_long = lengths > _INLINE
    if is_long.any():
        starts[is_long], data = _long_views(chunk, views[is_long], lengths[is_long], data)
    return _Text(data, starts, lengths)


def _long_views(
    chunk: Chunk, views: NDArray[np.int32], lengths: IntArray, inline: NDArray[np.uint8]
) -> tuple[IntArray, NDArray[np.uint8]]:
    """Return where long texts begin in one array of bytes, that of the views followed by the parts of other buffers."""
    starts = np.empty(len(views), dtype=np.int64)
    parts = [inline]
    n_bytes = len(inline)
    for place in np.unique(views[:, 2]).tolist():
        here = views[:, 2] == place
        offsets = views[here, 3].astype(np.int64)
        low, high = int(offsets.min()), int((offsets + lengths[here]).max())
        parts.append(buffer(chunk, 2 + place, np.uint8, start=low, length=high - low))
        starts[here] = offsets - low + n_bytes
        n_bytes += high - low
    return starts, np.concatenate(parts)


def _decoded(kind: ArrowType, chunk: Chunk) -> list[str | None]:
    """Return every text of a chunk, None where there is none."""
    labels: list[str | None] = []
    for rows in _blocks(chunk.length):
        labels += _strings(_text_of(kind.format, chunk, rows), kind.name)
    missing = chunk.missing()
    if missing is not None:
        labels = [None if gone else label for label, gone in zip(labels, missing.tolist(), strict=True)]
    return labels


def _strings(text: _Text, name: str) -> list[str]:
    try:
        return text.strings()
    except UnicodeDecodeError as error:
        raise InvalidValueError(message(name or "frame", "text in UTF-8", str(error))) from None


def coded_text(column: ArrowColumn, /) -> Coded:
    """Encode a column of text: labels in order of appearance, -1 where a row is null."""
    layout, name = column.type.format, column.type.name
    pieces = [(chunk, rows) for chunk in column.chunks for rows in _blocks(chunk.length)]
    n_rows = sum(rows.stop - rows.start for _, rows in pieces)
    if not n_rows:
        return Coded(index=index_of_unique(np.empty(0, dtype=object)), codes=joined([np.empty(0, dtype=np.int8)]))
    hashes = np.empty(n_rows, dtype=np.uint64)
    done = 0
    for chunk, rows in pieces:
        text = _text_of(layout, chunk, rows).with_slack()
        hashes[done : done + len(text.starts)] = _hashes(text)
        done += len(text.starts)
    codes, distinct = number_codes(hashes)
    del hashes
    for chunk, start in zip(column.chunks, _starts(column.chunks), strict=True):
        missing = chunk.missing()
        if missing is not None:
            codes[start : start + chunk.length][missing] = -1
    first_row = _first_rows(codes, len(distinct))
    used = np.argsort(first_row)[: int((first_row < n_rows).sum())]
    new_code = np.full(len(distinct) + 1, -1, dtype=np.int32)
    new_code[used] = np.arange(len(used), dtype=np.int32)
    codes = new_code[codes]
    labels = _labels_at(column, first_row[used])
    if not _are_labels(column, pieces, codes, labels):
        return _one_by_one(column, name)
    strings = _strings(labels, name)
    index = index_of_unique(np.fromiter(strings, dtype=object, count=len(strings)))
    return coded_of_valid(index, joined([codes]))


def _starts(chunks: list[Chunk]) -> list[int]:
    return list(accumulate((chunk.length for chunk in chunks[:-1]), initial=0))[: len(chunks)]


def _hashes(text: _Text) -> NDArray[np.uint64]:
    hashes = text.lengths.astype(np.uint64) * _MIXER
    for place in range(text.n_words):
        rows = text.with_word(place)  # and no other: a hash must not depend on how long its neighbours are
        part = hashes[rows]
        part ^= text.take(rows).words(place)
        part *= _MIXER
        part ^= part >> _SHIFT
        hashes[rows] = part
    return hashes


def _first_rows(codes: NDArray[np.int32], n_codes: int) -> IntArray:
    """Return the first row of each code, the number of rows for one that no row has."""
    first_row = np.full(n_codes + 1, len(codes), dtype=np.int64)
    for start in range((len(codes) - 1) // _BLOCK * _BLOCK, -1, -_BLOCK):
        block = codes[start : start + _BLOCK]
        first_row[block[::-1]] = np.arange(start + len(block) - 1, start - 1, -1)
    return first_row[:-1]


def _labels_at(column: ArrowColumn, rows: IntArray) -> _Text:
    """Return the text of some rows, packed."""
    layout = column.type.format
    data: list[NDArray[np.uint8]] = []
    lengths = np.zeros(len(rows), dtype=np.int64)
    order = np.argsort(rows)
    sorted_rows = rows[order]
    sorted_lengths = np.zeros(len(rows), dtype=np.int64)
    for chunk, start in zip(column.chunks, _starts(column.chunks), strict=True):
        for block in _blocks(chunk.length):
            a, b = np.searchsorted(sorted_rows, (start + block.start, start + block.stop)).tolist()
            if a == b:
                continue
            text = _text_of(layout, chunk, block).take(sorted_rows[a:b] - start - block.start)
            data.append(text.data[_byte_places(text)])
            sorted_lengths[a:b] = text.lengths
    sorted_starts = np.cumsum(sorted_lengths) - sorted_lengths
    starts = np.zeros(len(rows), dtype=np.int64)
    starts[order], lengths[order] = sorted_starts, sorted_lengths
    return _Text(np.concatenate([*data, np.zeros(_WORD, dtype=np.uint8)]), starts, lengths)


def _byte_places(text: _Text) -> IntArray:
    """Return the place of each byte of each text in turn."""
    ends = np.cumsum(text.lengths)
    places: IntArray = np.arange(int(ends[-1])) + np.repeat(text.starts - (ends - text.lengths), text.lengths)
    return places


def _are_labels(column: ArrowColumn, pieces: list[tuple[Chunk, slice]], codes: NDArray[Any], labels: _Text) -> bool:
    """Return whether each row has the very text of its label."""
    done = 0
    for chunk, rows in pieces:
        text = _text_of(column.type.format, chunk, rows).with_slack()
        mine = codes[done : done + len(text.starts)]
        done += len(mine)
        present: slice | IntArray = slice(None) if mine.min() >= 0 else np.flatnonzero(mine >= 0)
        if not _are_equal(text.take(present), labels.take(mine[present])):
            return False
    return True


def _are_equal(one: _Text, other: _Text) -> bool:
    if not np.array_equal(one.lengths, other.lengths):
        return False
    for place in range(one.n_words):
        rows = one.with_word(place)
        if not np.array_equal(one.take(rows).words(place), other.take(rows).words(place)):
            return False
    return True


def _one_by_one(column: ArrowColumn, name: str) -> Coded:
    """Encode text whose hashes collide."""
    found: list[str | None] = []
    for chunk in column.chunks:
        found += _decoded(column.type, chunk)
    return Coded.of(found, argument=name or "frame", nulls=True)
