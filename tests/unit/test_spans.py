"""Between which instants blocks of rows lie, and which rows a window holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.columns import EventLog, eras, spans
from shequn.columns.eras import Eras
from shequn.columns.in_window import InWindow, true_places
from shequn.columns.spans import Spans

N_KINDS = 9


def log_of(at, kinds):
    return EventLog.from_columns(member=["ann"] * len(at), kind=[f"k{k}" for k in kinds], at=at, time_unit="us")


def test_a_span_covers_the_whole_stretches_that_rows_touch(monkeypatch):
    monkeypatch.setattr(spans, "_ROWS", 3)
    found = Spans.of_rows(np.array([5, 3, 8, -1, 9, 4, 7]))
    assert found.around(slice(0, 3)) == (3, 8)
    assert found.around(slice(2, 4)) == (-1, 9)
    assert found.around(slice(6, 7)) == (7, 7)


def test_a_log_and_its_parts_have_their_own_spans():
    log = log_of([3, 1, 2], [0, 0, 0])
    assert log.spans.around(slice(0, 3)) == (1, 3)
    assert log.where(rows=np.array([False, True, False])).spans.around(slice(0, 1)) == (1, 1)


@given(
    st.lists(st.tuples(st.integers(-30, 30), st.integers(0, N_KINDS - 1)), min_size=1, max_size=40),
    st.integers(1, 12),
    st.tuples(st.one_of(st.none(), st.integers(-35, 35)), st.integers(-35, 35)),
    st.sets(st.integers(0, N_KINDS - 1)),
    st.sampled_from(["in order", None, 1, 2, 8]),
)
def test_the_rows_of_a_window_block_by_block_are_those_of_its_mask(rows, block, window, kinds, form):
    after, until = window
    rows = sorted(rows) if form == "in order" else rows
    log = log_of(*zip(*rows, strict=True))
    is_meant = np.array([int(str(kind)[1:]) in kinds for kind in log.kinds])
    window = InWindow(is_meant, after, until)
    expected = [
        row for row, (at, kind) in enumerate(rows) if kind in kinds and at <= until and (after is None or at > after)
    ]
    assert np.flatnonzero(window.mask(log)).tolist() == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spans, "_ROWS", 4)
        if isinstance(form, int):
            patch.setattr(spans, "_MANY_STRETCHES", 1)
            patch.setattr(spans, "_WIDE", 1000)
            patch.setattr(eras, "_BITS", form)
            patch.setattr(eras, "_CROWDED", 0)
        log = log_of(*zip(*rows, strict=True))
        found = []
        masks = np.empty((2, block), dtype=np.bool_)
        for start in range(0, len(log), block):
            stop = min(start + block, len(log))
            places = window.places(log, slice(start, stop), masks)
            found += range(start, stop) if places is None else (start + places).tolist()
        assert found == expected


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1), st.integers(1, 8), st.integers(-(2**64), 2**64))
def test_eras_are_of_equal_length_and_hold_all_rows(at, bits, us):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(eras, "_BITS", bits)
        found = Eras.of_instants(np.array(at, dtype=np.int64), min(at), max(at))
    length = 2**found.length_bits
    assert found.of_rows.tolist() == [(instant - min(at)) // length for instant in at]
    assert max(found.of_rows.tolist()) < 2**bits
    # The shortest that will do.
    assert length == 1 or max(at) - min(at) >= 2**bits * length // 2
    assert found.at(us) == (us - min(at)) // length


@pytest.mark.parametrize("in_order", [True, False])
def test_a_long_log_in_no_order_has_eras_and_its_windows_hold_the_same_rows(in_order):
    rng = np.random.default_rng(1)
    at = rng.integers(10**9, size=spans._ROWS * spans._MANY_STRETCHES)
    log = EventLog.from_columns(member=at % 10, kind="post", at=np.sort(at) if in_order else at, time_unit="us")
    assert (log.spans.eras is None) is in_order
    masks = np.empty((2, len(log)), dtype=np.bool_)
    for after, until in [(5 * 10**8, 6 * 10**8), (None, int(at[0])), (int(at[1]), 10**9), (0, 0), (10**9, 2 * 10**9)]:
        window = InWindow(np.array([True]), after, until)
        places = window.places(log, slice(0, len(log)), masks)
        assert places is not None
        assert np.array_equal(places, np.flatnonzero(window.mask(log)))


@pytest.mark.parametrize("far", [0, -(10**14), 10**14])
def test_eras_in_one_of_which_most_rows_lie_are_not_kept(far):
    rng = np.random.default_rng(1)
    at = rng.integers(10**9, size=spans._ROWS * spans._MANY_STRETCHES)
    at[::1000] += far
    assert (Spans.of_rows(at).eras is None) is (far != 0)


@pytest.mark.parametrize("share", [0, 0.005, 0.02, 0.05, 0.09, 0.11, 0.5, 1])
@pytest.mark.parametrize("n", [8 * 500, 8 * 500 + 3])
def test_places_of_sparse_and_dense_masks(share, n):
    mask = np.random.default_rng(n).random(n) < share
    assert true_places(mask).tolist() == [place for place, is_true in enumerate(mask.tolist()) if is_true]
