"""Arrays that are kept are nobody else's to write, by whatever way."""

from __future__ import annotations

import numpy as np
import pytest

import shequn as sq
from shequn.stats._checks import may_change


def test_a_read_only_view_of_memory_that_is_written_to_may_change():
    own = np.arange(4)
    view = own[1:]
    view.setflags(write=False)
    assert may_change(own)
    assert may_change(view[:2])
    own.setflags(write=False)
    assert not may_change(own)
    assert not may_change(view[:2])


@pytest.mark.parametrize("dtype", [np.int64, np.int32])
def test_counts_given_as_a_read_only_view_are_copied(dtype):
    mine = np.array([3, 1], dtype=dtype)
    given = mine.view()
    given.setflags(write=False)
    days = np.array(["2024-03-04", "2024-03-11"], dtype="M8[D]")
    ledger = sq.retention.FlowLedger.from_counts(period=days, joined=given, revived=[0, 0], evaporated=[0, 1])
    mine[:] = 99
    assert ledger.joined.tolist() == [3, 1]
