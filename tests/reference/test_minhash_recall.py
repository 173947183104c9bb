"""Does MinHash miss as many pairs as it says, and no more? By simulation, pairs of one similarity each."""

from __future__ import annotations

import numpy as np
import pytest

from shequn.content import near_duplicates
from shequn.content._near_duplicates import bands_for

PAIRS = 500


def pairs(shared, either):
    """Pairs of sets with so many tokens of `either` in common, and none with another pair."""
    own = either - shared
    sets = {}
    for pair in range(PAIRS):
        tokens = [f"{pair}-{n}" for n in range(either)]
        sets[2 * pair] = tokens[: shared + own // 2]
        sets[2 * pair + 1] = tokens[:shared] + tokens[shared + own // 2 :]
    return sets


@pytest.mark.parametrize(
    ("shared", "either", "miss", "n_hashes"), [(16, 20, 0.3, 128), (16, 20, 0.05, 64), (10, 20, 0.2, 128)]
)
def test_pairs_of_the_threshold_are_missed_as_often_as_stated(shared, either, miss, n_hashes):
    sets, share = pairs(shared, either), shared / either
    missed = []
    for seed in range(3):
        found = near_duplicates(sets, threshold=share, miss=miss, n_hashes=n_hashes, seed=seed)
        assert (found.similarity == share).all()
        missed.append(1 - found.n_pairs / PAIRS)
    assert found.miss == bands_for(share, n_hashes=n_hashes, miss=miss).missed(share) <= miss
    # Pairs share the hash functions, so that they are not quite independent.
    assert np.mean(missed) == pytest.approx(found.miss, abs=5 * np.sqrt(found.miss * (1 - found.miss) / PAIRS / 3))


def test_more_similar_pairs_are_missed_less():
    found = near_duplicates(pairs(19, 20), threshold=0.8, miss=0.3, n_hashes=128)
    assert found.n_pairs > 0.97 * PAIRS > (1 - found.miss) * PAIRS


def test_the_exact_method_misses_none():
    assert near_duplicates(pairs(16, 20), threshold=0.8, method="exact").n_pairs == PAIRS
