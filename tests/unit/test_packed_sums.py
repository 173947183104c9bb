"""Number and sum in one integer: exact, or told that they are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.segmentation import packed_sums
from shequn.segmentation.packed_sums import NarrowSums, WideSums

ROOM = np.empty(5_000, dtype=np.int64)


def add(sums, member, values):
    return sums.add(member, None if values is None else sums.read(values, ROOM))


def rows_of(counts, value):
    member = np.repeat(np.arange(len(counts)), counts)
    return member, np.full(len(member), value, dtype=np.int64)


@given(
    st.lists(st.one_of(st.integers(0, 40), st.integers(0, 1_500)), min_size=1, max_size=3),
    st.integers(0, 30).flatmap(lambda bits: st.integers(0, (1 << bits) - 1)),
    st.integers(0, 2**30),
    st.integers(1, 4_000),
)
def test_narrow_sums_are_exact_or_refused(counts, value, more, n_at_a_time):
    member, values = rows_of(counts, value)
    largest = min(value + more, (1 << 30) - 1)
    sums = NarrowSums(len(counts), largest=largest, n_rows=len(member))
    sums._most_rows = 1 << 62  # what was added is not put by
    starts = range(0, len(member), n_at_a_time)
    kept = [add(sums, member[start : start + n_at_a_time], values[start : start + n_at_a_time]) for start in starts]
    told = sums.told()
    if max(counts) < sums._room:
        assert all(kept)
        assert told is not None
    if told is not None:
        assert told[0].tolist() == counts
        assert told[1].tolist() == [count * value for count in counts]
        assert {column.dtype for column in told} == {np.dtype(np.int64)}


def test_a_number_without_room_is_seen_though_sums_run_over_into_it():
    # 32 bits: 9 for numbers, 23 for sums up to 16,383: what 512 rows add is found in neither.
    member, values = rows_of([3_000, 1], (1 << 14) - 1)
    sums = NarrowSums(2, largest=(1 << 14) - 1, n_rows=len(member))
    sums._most_rows = 1 << 62
    assert sums._room == 512
    assert add(sums, member, values)
    assert sums.told() is None


def test_what_was_added_is_put_by_before_it_has_no_room():
    member, values = rows_of([60, 50, 2], 1 << 20)
    order = np.random.default_rng(1).permutation(len(member))
    member, values = member[order], values[order]
    sums = NarrowSums(3, largest=1 << 20, n_rows=10**6)
    assert sums._room == 32
    assert sums._most_rows == 24
    for start in range(0, len(member), 20):
        assert add(sums, member[start : start + 20], values[start : start + 20])
    rows, total = sums.told()
    assert rows.tolist() == [60, 50, 2]
    assert total.tolist() == [60 << 20, 50 << 20, 2 << 20]


def test_a_number_without_room_is_told_when_what_was_added_is_put_by():
    member, values = rows_of([64], 1 << 20)
    sums = NarrowSums(1, largest=1 << 20, n_rows=10**6)
    assert add(sums, member, values)
    assert not add(sums, member[:1], values[:1])


def test_members_with_most_of_the_rows_show_soon(monkeypatch):
    monkeypatch.setattr(packed_sums, "_TRIED_ROWS", 200)
    even = np.arange(1_000)
    sums = NarrowSums(1_000, largest=100_000, n_rows=10_000)
    assert all(add(sums, even[start : start + 100], even[:100]) for start in range(0, 1_000, 100))
    uneven = np.zeros(100, dtype=np.int64)
    sums = NarrowSums(1_000, largest=100_000, n_rows=10_000)
    assert [add(sums, uneven, even[:100]) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("n_members", "largest", "is_tried"),
    [
        (1 << 16, 1 << 21, True),
        (1 << 16, 1 << 22, False),
        (1 << 16, 1 << 40, False),
        ((1 << 16) - 1, 5, False),
        (1 << 16, -1, False),
    ],
)
def test_narrow_sums_are_tried_where_they_pay(n_members, largest, is_tried):
    assert (NarrowSums.of(n_members, np.array([3, largest]), 10) is not None) is is_tried


def test_rows_without_values_are_counted_in_all_32_bits():
    sums = NarrowSums.of(2, None, 70_000)
    for _ in range(14):
        assert add(sums, np.zeros(5_000, dtype=np.int64), None)
    rows, total = sums.told()
    assert rows.tolist() == [70_000, 0]
    assert total.tolist() == [0, 0]
    assert NarrowSums.of(2, None, 1 << 32) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-9, 9)), max_size=30), st.sampled_from([44, 6, 61]))
def test_wide_sums_are_exact_or_refused(rows, bits):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed_sums, "_SUM_BITS", bits)
        sums = WideSums(4)
        fits = all(add(sums, np.array([member]), np.array([value])) for member, value in rows)
        told = sums.told() if fits else None
    if bits == 44:
        assert told is not None
    if told is not None:
        assert told[0].tolist() == [sum(who == member for who, _ in rows) for member in range(4)]
        assert told[1].tolist() == [sum(value for who, value in rows if who == member) for member in range(4)]


def test_wide_sums_count_rows_without_values():
    sums = WideSums(2)
    assert add(sums, np.array([0, 0, 1]), None)
    assert [column.tolist() for column in sums.told()] == [[2, 1], [0, 0]]


def test_wide_sums_of_many_members_are_not_put_by_for_every_few_rows():
    sums = WideSums(1_000)
    large = np.full(8, 1 << 34, dtype=np.int64)
    kept = [add(sums, np.arange(8), large) for _ in range(64)]
    assert kept[:63] == [True] * 63  # 504 rows add up to less than 2**43, and half the members have none
    assert kept[63]
    sums = WideSums(100_000)
    assert [add(sums, np.arange(8), large) for _ in range(64)].index(False) == 63
    assert [column[:9].tolist() for column in sums.told()] == [[63] * 8 + [0], [63 << 34] * 8 + [0]]
