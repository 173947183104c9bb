"""What holds of near duplicates whatever the tokens, beside counting each pair by Python's sets."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shequn.content import TokenSets, near_duplicates, originality
from shequn.content._near_duplicates import bands_for
from shequn.graph.roots import component_roots

SETS = st.lists(st.frozensets(st.integers(0, 9), max_size=7), max_size=14).map(lambda found: dict(enumerate(found)))
THRESHOLDS = st.one_of(st.sampled_from([0.2, 1 / 3, 0.5, 0.6, 2 / 3, 0.75, 0.8, 1.0]), st.floats(0.05, 1.0))
SURE = {"miss": 1e-12, "n_hashes": 256}


def jaccard(one, other):
    return len(one & other) / len(one | other) if one and other else 0.0


def slowly(sets, threshold):
    pairs = {(a, b): jaccard(sets[a], sets[b]) for a, b in combinations(sorted(sets), 2)}
    return {pair: share for pair, share in pairs.items() if share >= threshold}


def pairs_of(duplicates):
    return {frozenset((one, other)): share for one, other, share in duplicates.pairs()}


@given(SETS, THRESHOLDS)
def test_the_exact_method_finds_each_pair_and_no_other(sets, threshold):
    found = near_duplicates(sets, threshold=threshold, method="exact")
    wanted = slowly(sets, threshold)
    assert pairs_of(found) == {frozenset(pair): share for pair, share in wanted.items()}
    assert found.n_pairs == len(wanted)
    assert found.miss == 0.0


@given(SETS, THRESHOLDS, st.integers(0, 2**32))
def test_minhash_never_reports_a_pair_that_is_none(sets, threshold, seed):
    found = near_duplicates(sets, threshold=threshold, seed=seed, miss=0.5)
    wanted = {frozenset(pair): share for pair, share in slowly(sets, threshold).items()}
    assert pairs_of(found).items() <= wanted.items()
    assert all(found.content[a] == found.content[b] for a, b in map(sorted, wanted) if sets[a] == sets[b])


@given(SETS, st.sampled_from([0.5, 0.8, 1.0]), st.permutations(range(14)), st.sampled_from(["exact", "minhash"]))
def test_the_order_of_items_makes_no_difference(sets, threshold, order, method):
    options = {"threshold": threshold, "method": method, "miss": 0.3}
    shuffled = {item: sets[item] for item in order if item in sets}
    one, other = near_duplicates(sets, **options), near_duplicates(shuffled, **options)
    assert pairs_of(one) == pairs_of(other)
    together = {frozenset(np.array(list(sets))[one.cluster == c].tolist()) for c in one.cluster}
    assert together == {frozenset(np.array(list(shuffled))[other.cluster == c].tolist()) for c in other.cluster}


@given(SETS, st.sampled_from([0.5, 0.8, 1.0]))
@settings(max_examples=25)
def test_a_sure_minhash_is_exact(sets, threshold):
    exact = near_duplicates(sets, threshold=threshold, method="exact")
    assert pairs_of(near_duplicates(sets, threshold=threshold, **SURE)) == pairs_of(exact)


@given(SETS, THRESHOLDS)
def test_clusters_are_what_pairs_link(sets, threshold):
    found = near_duplicates(sets, threshold=threshold, method="exact")
    cluster = {item: {item} for item in sets}
    for a, b in slowly(sets, threshold):
        if cluster[a] is not cluster[b]:
            cluster[a] |= cluster[b]
            for item in cluster[b]:
                cluster[item] = cluster[a]
    for item in sets:
        assert {other for other in sets if found.cluster[other] == found.cluster[item]} == cluster[item]
    assert found.repeats.sum() == len(sets) - len({id(members) for members in cluster.values()})
    assert sum(row.items for row in found.rows()) == sum(n for n in found.sizes.tolist() if n > 1)


@given(SETS, st.lists(st.integers(0, 30), min_size=14, max_size=14))
def test_gaps_are_those_between_neighbours_in_time(sets, days):
    at = np.array(days[: len(sets)], dtype="M8[D]")
    found = near_duplicates(sets, threshold=0.5, method="exact", at=at, at_tz="UTC")
    for c in range(len(found.sizes)):
        rows = sorted(np.flatnonzero(found.cluster == c).tolist(), key=lambda row: days[row])
        gaps = found.gap_days[rows]
        assert np.isnan(gaps[0])
        assert gaps[1:].tolist() == [float(days[b] - days[a]) for a, b in pairwise(rows)]
    for row in found.rows():
        gaps = found.gap_days[found.cluster == found.cluster[row.first]]
        assert (row.least_days, row.median_days) == (np.nanmin(gaps), np.nanmedian(gaps))


@given(SETS, st.frozensets(st.integers(0, 9), max_size=7))
def test_originality_is_one_less_the_highest_similarity(sets, draft):
    found = originality(draft, sets)
    highest = max((jaccard(draft, tokens) for tokens in sets.values()), default=0.0)
    assert found.similarity == highest
    if found.witness is None:
        assert highest == 0
    else:
        assert jaccard(draft, sets[found.witness]) == highest
        assert found.witness == next(item for item in sets if jaccard(draft, sets[item]) == highest)


@given(SETS)
def test_sets_come_back_as_they_were(sets):
    built = TokenSets.of(sets)
    assert {item: set(built.tokens_of(item)) for item in sets} == {item: set(tokens) for item, tokens in sets.items()}
    rows = [(item, token) for item, tokens in sets.items() for token in tokens]
    again = TokenSets.from_columns(item=[item for item, _ in rows], token=[token for _, token in rows])
    assert all(again.tokens_of(item) == tokens for item, tokens in sets.items() if tokens)


@given(st.floats(0.05, 1.0), st.floats(0.001, 0.5), st.integers(60, 400))
def test_the_promise_is_kept_by_as_few_bands_as_will_do(threshold, miss, n_hashes):
    least = bands_for(threshold, n_hashes=4096, miss=miss)
    assert least.missed(threshold) <= miss
    if 1 - threshold <= miss ** (1 / n_hashes):
        bands = bands_for(threshold, n_hashes=n_hashes, miss=miss)
        assert bands.bands * bands.rows <= n_hashes
        assert bands.missed(threshold) <= miss
        assert bands.bands == 1 or (1 - threshold**bands.rows) ** (bands.bands - 1) > miss * (1 - 1e-9)
        assert bands.missed(min(threshold + 0.01, 1.0)) <= bands.missed(threshold)


@given(st.integers(1, 12), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=14))
def test_the_root_is_the_lowest_that_is_linked(n, links):
    links = [(a % n, b % n) for a, b in links]
    reach = [{row} for row in range(n)]
    for _ in range(n):
        for a, b in links:
            reach[a] |= reach[b]
            reach[b] |= reach[a]
    u, v = (np.array([link[i] for link in links], dtype=np.int64) for i in range(2))
    assert component_roots(n, u, v).tolist() == [min(found) for found in reach]
