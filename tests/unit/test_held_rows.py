"""The rows of a log that a window holds, however they are looked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.columns import EventLog, eras, held_rows, spans
from shequn.columns.in_window import InWindow

N_KINDS = 3


@given(
    st.lists(st.tuples(st.integers(-30, 30), st.integers(0, N_KINDS - 1), st.booleans()), max_size=60),
    st.tuples(st.one_of(st.none(), st.integers(-35, 35)), st.integers(-35, 35)),
    st.sets(st.integers(0, N_KINDS - 1)),
    st.data(),
)
def test_rows_are_those_of_the_mask_in_order(rows, window, kinds, data):
    rows = sorted(rows) if data.draw(st.booleans(), label="in order") else rows
    has_condition = data.draw(st.booleans(), label="condition")
    at, codes, is_meant = ([row[i] for row in rows] for i in range(3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spans, "_ROWS", data.draw(st.integers(1, 5)))
        patch.setattr(spans, "_MANY_STRETCHES", data.draw(st.sampled_from([1, 32])))
        patch.setattr(spans, "_WIDE", 1000)
        patch.setattr(eras, "_CROWDED", 0)
        patch.setattr(eras, "_BITS", data.draw(st.integers(1, 8)))
        patch.setattr(held_rows, "_BLOCK", data.draw(st.integers(1, 7)))
        patch.setattr(held_rows, "_MASK", data.draw(st.integers(1, 9)))
        patch.setattr(held_rows, "_MANY", data.draw(st.integers(2, 70)))
        log = EventLog.from_columns(
            member=["ann"] * len(rows), kind=[f"k{code}" for code in codes], at=at, time_unit="us"
        )
        held = InWindow(np.array([int(str(kind)[1:]) in kinds for kind in log.kinds], dtype=np.bool_), *window)
        where = np.array(is_meant, dtype=np.bool_) if has_condition else None
        numbers = np.arange(len(log))
        found = held_rows.held_rows(log, held, [numbers, log.at_us], where=where)
        expected = np.flatnonzero(held.mask(log) & (True if where is None else where))
        assert [row for part in found for row in part.columns[0].tolist()] == expected.tolist()
        assert [at for part in found for at in part.columns[1].tolist()] == log.at_us[expected].tolist()
        assert [row for part in found for row in part.of(numbers).tolist()] == expected.tolist()
        # Some rows after the others are the same rows.
        stretches = held.stretches(log)
        n, step = sum(stretch.rows.stop - stretch.rows.start for stretch in stretches), data.draw(st.integers(1, 9))
        again = [
            row
            for start in range(0, n, step)
            for part in held_rows.held_rows(
                log,
                held,
                [numbers],
                where=where,
                stretches=list(held_rows.in_stretches(stretches, range(start, start + step), step)),
            )
            for row in part.columns[0].tolist()
        ]
        assert again == expected.tolist()


def test_rows_outside_a_window_are_not_looked_through_and_neighbours_are_together(monkeypatch):
    monkeypatch.setattr(spans, "_ROWS", 2)
    log = EventLog.from_columns(member=["ann"] * 9, kind="post", at=range(9), time_unit="us")
    window = InWindow(np.array([True]), 2, 7)
    assert window.stretches(log) == [(slice(2, 4), False), (slice(4, 8), True)]
    assert InWindow(np.array([True]), None, 7).stretches(log) == [(slice(0, 8), True)]
    assert InWindow(np.array([False]), 2, 7).stretches(log) == [(slice(2, 8), False)]
    assert InWindow(np.array([True]), 20, 30).stretches(log) == []
    assert InWindow(np.array([True]), None, 30).stretches(log) == [(slice(0, 9), True)]
    whole = held_rows.held_rows(log, InWindow(np.array([True]), None, 30), [log.at_us])
    assert [part.places for part in whole] == [None]
    assert np.shares_memory(whole[0].columns[0], log.at_us)
