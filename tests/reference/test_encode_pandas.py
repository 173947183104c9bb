"""Encoding against `pandas.factorize`, which also codes labels by first appearance."""

from __future__ import annotations

import numpy as np
import pytest

from shequn.labels import Index

pd = pytest.importorskip("pandas")
N = 70_000  # beyond the block size, so that the ways of long columns are taken
RNG = np.random.default_rng(7)
NAMES = np.array([f"用户_{i}" for i in range(3_000)], dtype=object)
PLACES = RNG.zipf(1.3, N).clip(max=len(NAMES)) - 1


@pytest.mark.parametrize(
    "column",
    [NAMES[PLACES], NAMES[PLACES].astype(str), NAMES[PLACES].astype(str).astype(object), NAMES[PLACES].tolist()],
    ids=["shared objects", "fixed width", "equal objects", "list"],
)
def test_text_is_coded_as_pandas_codes_it(column):
    index, codes = Index.encode(column)
    pandas_codes, pandas_labels = pd.factorize(np.asarray(column, dtype=object))
    assert np.array_equal(codes, pandas_codes)
    assert list(index) == pandas_labels.tolist()


@pytest.mark.parametrize("scale", [1, 2**40], ids=["narrow", "wide"])
@pytest.mark.parametrize("dtype", [np.int64, np.uint64, ">i8"], ids=str)
def test_integers_are_coded_as_pandas_codes_them_sorted(scale, dtype):
    column = (PLACES.astype(np.int64) * scale).astype(dtype)
    index, codes = Index.encode(column)
    pandas_codes, pandas_labels = pd.factorize(column.astype(np.int64), sort=True)
    assert np.array_equal(codes, pandas_codes)
    assert list(index) == pandas_labels.tolist()


def test_missing_labels_are_coded_as_pandas_codes_them():
    column = NAMES[PLACES].copy()
    column[RNG.random(N) < 0.1] = None
    index, codes = Index.encode(column, nulls=True)
    pandas_codes, pandas_labels = pd.factorize(column)
    assert np.array_equal(codes, pandas_codes)
    assert list(index) == pandas_labels.tolist()
