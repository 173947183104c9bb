"""Work on many rows is shared between two threads, and every row is done once."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from shequn.columns import halves
from shequn.columns.halves import in_halves


@pytest.mark.parametrize(("n_rows", "n_threads"), [(0, 1), (1, 1), (9, 1), (10, 2), (11, 2)])
def test_every_row_is_done_once(monkeypatch, n_rows, n_threads):
    monkeypatch.setattr(halves, "_MANY_ROWS", 10)
    done, threads = np.zeros(n_rows, dtype=int), []

    def work(rows):
        threads.append(threading.get_ident())
        done[rows.start : rows.stop] += 1

    in_halves(n_rows, work)
    assert (done == 1).all()
    assert len(threads) == n_threads


@pytest.mark.parametrize("failing", [0, 5])
def test_an_error_in_either_half_reaches_the_caller(monkeypatch, failing):
    monkeypatch.setattr(halves, "_MANY_ROWS", 10)

    def work(rows):
        if rows.start == failing:
            raise ArithmeticError(rows.start)

    with pytest.raises(ArithmeticError, match=str(failing)):
        in_halves(10, work)
