"""Which items say the same, or nearly, and is a draft our own?"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pendulum
import pytest

from shequn.content import Duplicates, Originality, TokenSets, _near_duplicates, near_duplicates, originality, shingles
from shequn.content._near_duplicates import bands_for
from shequn.content.token_sets import mixed
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.labels import Index

BOTH = pytest.mark.parametrize("method", ["minhash", "exact"])
TEN = [f"t{n}" for n in range(10)]


@BOTH
@pytest.mark.parametrize(("threshold", "found"), [(0.79, True), (0.8, True), (0.81, False)])
def test_a_pair_counts_from_the_threshold_on(method, threshold, found):
    # 8 of 10 tokens shared: 0.8 exactly.
    duplicates = near_duplicates({"a": TEN, "b": TEN[:8]}, threshold=threshold, method=method, miss=1e-9, n_hashes=4096)
    assert [pair[2] for pair in duplicates.pairs()] == [0.8] * found


@BOTH
def test_the_same_tokens_in_another_order_and_more_often_are_the_same(method):
    duplicates = near_duplicates({"a": ["x", "y"], "b": ["y", "x", "y"], "c": ["x"]}, threshold=1.0, method=method)
    assert duplicates.content.tolist() == [0, 0, 2]
    assert list(duplicates.pairs()) == [("a", "b", 1.0)]
    assert (len(duplicates.first), duplicates.n_pairs) == (0, 1)


@BOTH
def test_what_hangs_together_over_a_third_is_one_cluster(method):
    sets = {"a": range(0, 20), "b": range(2, 22), "c": range(4, 24), "d": range(90, 99)}
    duplicates = near_duplicates(sets, threshold=0.8, method=method, miss=1e-9, n_hashes=4096)
    assert [(one, other) for one, other, _ in duplicates.pairs()] == [("a", "b"), ("b", "c")]
    assert duplicates.cluster.tolist() == [0, 0, 0, 1]
    assert duplicates.sizes.tolist() == [3, 1]


@BOTH
def test_items_without_tokens_are_like_no_other(method):
    duplicates = near_duplicates({"a": [], "b": [], "c": ["x"], "d": ["x"]}, method=method)
    assert duplicates.cluster.tolist() == [0, 1, 2, 2]
    assert duplicates.n_pairs == 1
    assert "2 without anything to compare" in str(duplicates)
    assert "2 篇没有内容可比" in duplicates.table(lang="zh")


@BOTH
def test_of_nothing_nothing_repeats(method):
    for tokens in ({}, {"a": []}, {"a": ["x"]}):
        duplicates = near_duplicates(tokens, method=method)
        assert (len(duplicates), duplicates.n_pairs, list(duplicates.pairs())) == (0, 0, [])
        assert duplicates.repeats.sum() == 0
    assert np.isnan(near_duplicates({}, method=method).repeat_share)


def test_a_text_posted_a_thousand_times_is_compared_once():
    duplicates = near_duplicates({n: ["x", "y", "z"] for n in range(1_000)})
    assert (len(duplicates.first), duplicates.n_pairs) == (0, 499_500)
    assert duplicates.repeats.sum() == 999


def test_sets_of_one_hash_are_still_told_apart(monkeypatch):
    monkeypatch.setattr(_near_duplicates, "mixed", lambda index: np.zeros(len(index), dtype=np.uint64))
    sets = {"a": [1, 2], "b": [1, 3], "c": [2, 1], "d": [3, 4], "e": [3, 1], "f": [1, 2]}
    assert near_duplicates(sets).content.tolist() == [0, 1, 0, 3, 1, 0]


def test_the_first_posted_is_the_original_and_the_days_between_are_told():
    at = [pendulum.datetime(2024, 5, day, tz="UTC") for day in (20, 1, 8, 9)]
    tokens = {"late": TEN, "early": TEN, "middle": TEN[:9], "other": ["z"]}
    duplicates = near_duplicates(tokens, at=at, miss=1e-9, n_hashes=4096)
    assert duplicates.items[int(duplicates.earliest[0])] == "early"
    assert duplicates.repeats.tolist() == [True, False, True, False]
    np.testing.assert_array_equal(duplicates.gap_days, [12.0, np.nan, 7.0, np.nan])
    row = duplicates.last()
    assert (row.first, row.items, row.contents, row.least_similarity) == ("early", 3, 2, 0.9)
    assert (row.least_days, row.median_days) == (7.0, 9.5)
    assert "间隔中位数（天）" in duplicates.table(lang="zh")


def test_without_instants_the_first_row_is_the_original_and_no_days_are_told():
    duplicates = near_duplicates({"a": TEN, "b": TEN})
    assert duplicates.repeats.tolist() == [False, True]
    assert np.isnan(duplicates.last().least_days)
    assert "days" not in str(duplicates)


def test_as_many_hash_functions_are_taken_as_the_promise_needs():
    bands = bands_for(0.8, n_hashes=128, miss=0.01)
    assert (bands.bands, bands.rows) == (16, 6)
    assert bands.missed(0.8) <= 0.01 < (1 - 0.8**6) ** 15
    assert bands_for(0.8, n_hashes=128, miss=0.02).rows == 7
    assert bands_for(1.0, n_hashes=3, miss=0.01) == (1, 3)
    with pytest.raises(InvalidValueError, match=r"n_hashes: expected at least 44 for a threshold of 0.1 and a miss of"):
        bands_for(0.1, n_hashes=43, miss=0.01)
    assert bands_for(0.1, n_hashes=44, miss=0.01) == (44, 1)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"threshold": 0}, InvalidValueError, r"threshold: expected a number in \(0, 1\], got 0"),
        ({"n_hashes": 0}, InvalidValueError, "n_hashes: expected 1 to 4,096 hash functions, got 0"),
        ({"miss": 0}, InvalidValueError, r"miss: expected a number in \(0, 1\], got 0"),
        ({"miss": 1}, InvalidValueError, r"miss: expected a number in \(0, 1\), got 1"),
        ({"method": "simhash"}, InvalidValueError, "method: expected one of 'minhash', 'exact'"),
        ({"seed": 0.5}, InvalidTypeError, "seed: expected an integer, got 0.5"),
        ({"seed": -1}, InvalidValueError, "seed: expected 0 or more, got -1"),
        ({"at": [pendulum.datetime(2024, 1, 1)]}, MisalignedError, "at: expected one for each of the 2 items"),
    ],
)
def test_what_cannot_be_asked_is_refused(options, error, match):
    with pytest.raises(error, match=match):
        near_duplicates({"a": ["x"], "b": ["x"]}, **options)


@pytest.mark.parametrize(
    ("tokens", "match"),
    [
        ({"a": "text"}, "tokens: expected tokens that are all str or all int, in a list .* for the item 'a'"),
        ({"a": ["x", 1]}, "token: expected labels that are all str or all int, got 1 at row 1"),
        ({"a": [True]}, "token: expected labels that are all str or all int, got True"),
        (["x"], "tokens: expected tokens by the label of the item"),
    ],
)
def test_what_is_no_token_is_refused(tokens, match):
    with pytest.raises(InvalidTypeError, match=match):
        near_duplicates(tokens)


def test_columns_make_the_same_sets():
    long = TokenSets.from_columns(item=["b", "a", "b", "b"], token=[3, 3, 1, 3])
    assert (long.items.labels.tolist(), long.sizes.tolist()) == (["b", "a"], [2, 1])
    assert long.tokens_of("b") == {1, 3}
    with pytest.raises(UnknownLabelError):
        long.tokens_of("c")
    with pytest.raises(MisalignedError, match="token: expected as many rows as `item`, which has 1, got 2 rows"):
        TokenSets.from_columns(item=["a"], token=["x", "y"])


def test_tokens_ascend_whatever_order_a_set_has_in_this_process():
    words = [f"word {n:03}" for n in range(40)]
    for given in ({1: set(words[20:]), 2: frozenset(words[:30])}, {1: words[:19:-1], 2: words[:30]}):
        sets = TokenSets.of(given)
        assert sets.tokens.labels.tolist() == words
        assert sets.codes.tolist() == [*range(20, 40), *range(30)]


@pytest.mark.parametrize(
    ("offsets", "codes", "match"),
    [
        ([0, 1], [0], "offsets: expected one more than the 2 items"),
        ([0, 2, 1], [0], "offsets: expected 0, ascending, up to the number of codes"),
        ([0, 1, 2], [0, 2], r"codes: expected codes in \[0, 2\), got 2 at row 1"),
        ([0, 2, 3], [1, 0, 0], "codes: expected codes ascending within an item, each once, got 0 at row 1"),
        ([0, 0, 2], [1, 1], "codes: expected codes ascending"),
    ],
)
def test_sets_that_are_none_are_refused(offsets, codes, match):
    with pytest.raises((InvalidValueError, MisalignedError), match=match):
        TokenSets(items=Index(["a", "b"]), tokens=Index(["x", "y"]), offsets=offsets, codes=codes)


def test_the_tokens_of_neighbouring_items_need_not_ascend():
    sets = TokenSets(items=Index(["a", "b", "c"]), tokens=Index(["x", "y"]), offsets=[0, 2, 2, 3], codes=[0, 1, 0])
    assert sets.sizes.tolist() == [2, 0, 1]


GOOD = {
    "items": Index(["a", "b", "c"]),
    "content": [0, 1, 0],
    "first": [0],
    "second": [1],
    "similarity": [0.9],
    "threshold": 0.8,
}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"content": [0, 2, 2]}, "content: expected the row of an earlier item"),
        ({"content": [0, 0, 1]}, "content: expected the row of an earlier item"),
        ({"similarity": [0.7]}, r"similarity: expected numbers in \[0.8, 1\], got 0.7"),
        ({"second": [0]}, "first: expected pairs of contents in order"),
        ({"second": [2]}, "first: expected pairs of contents in order"),
        ({"second": [3]}, "first: expected pairs of contents in order"),
        ({"first": [0, 0], "second": [1, 1], "similarity": [0.9, 0.9]}, "first: expected pairs of contents in order"),
        ({"at_us": [0]}, "at_us: expected one for each of 3 items"),
        ({"at_us": [0, 0, 2**62]}, "at_us: expected microseconds of instants"),
        ({"is_empty": [True]}, "is_empty: expected one for each of 3 items"),
        ({"miss": 1.0}, "miss"),
    ],
)
def test_results_that_cannot_be_are_refused(changes, match):
    assert Duplicates(**GOOD).n_pairs == 3
    with pytest.raises((InvalidValueError, MisalignedError), match=match):
        Duplicates(**(GOOD | changes))


def test_the_same_is_found_in_every_process():
    script = (
        "from shequn.content import near_duplicates, shingles\n"
        "texts = {n: [f'{n * k % 97}' for k in range(20)] for n in range(300)}\n"
        "found = near_duplicates(texts, threshold=0.3, miss=0.5, n_hashes=8)\n"
        "print(found.first.tolist(), found.second.tolist())\n"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1
    assert len(answers.pop()) > 20


def test_hashes_of_labels_are_those_of_the_definition():
    from hashlib import blake2b  # noqa: PLC0415

    expected = [int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") for text in ("茶", "tea")]
    assert mixed(Index(["茶", "tea"])).tolist() == expected
    # The first three numbers of SplitMix64 from the seed 0, as in java.util.SplittableRandom(0).
    golden = 0x9E3779B97F4A7C15
    steps = np.array([0, golden, 2 * golden % 2**64], dtype=np.uint64).view(np.int64)
    assert mixed(Index(steps.tolist())).tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_shingles_look_at_letters_and_digits_alone():
    assert shingles("\uff21bc！ D", k=2) == {"ab", "bc", "cd"}
    assert shingles("新品", k=2) == shingles("新 品。", k=3) == {"新品"}
    assert shingles("……") == frozenset()
    with pytest.raises(InvalidValueError, match="k: expected at least 1 character, got 0"):
        shingles("text", k=0)
    with pytest.raises(InvalidTypeError, match="text: expected a text, got 7"):
        shingles(7)


def test_a_draft_is_as_original_as_its_likest_forerunner_leaves_it():
    corpus = {"a": ["x", "y", "z"], "b": ["x", "y", "z", "w"], "c": ["q"]}
    found = originality(["x", "y", "z", "w"], corpus)
    assert (found.witness, found.score, found.shared) == ("b", 0.0, 4)
    found = originality(["x", "y", "z", "w"], corpus, ignore=["b"])
    assert (found.witness, found.score, found.shared) == ("a", 0.25, 3)
    assert (
        originality(["new"], corpus) == originality([], corpus) == originality(["x"], {}) == Originality(similarity=0)
    )
    assert originality(iter(["q"]), TokenSets.of(corpus)).witness == "c"


def test_of_equal_forerunners_the_first_bears_witness():
    assert originality([1, 2], {"a": [3], "b": [1], "c": [2]}).witness == "b"


def test_drafts_that_are_none_are_refused():
    with pytest.raises(InvalidTypeError, match="tokens: expected tokens of the draft, in a list or a set, got 'text'"):
        originality("text", {})
    with pytest.raises(InvalidTypeError, match="tokens: expected labels that are all str or all int"):
        originality([1.5], {})
    with pytest.raises(UnknownLabelError, match="ignore"):
        originality(["x"], {"a": ["x"]}, ignore=["b"])


def test_the_exact_way_has_no_need_of_hash_functions():
    sets = {"a": range(100), "b": range(99, 200), "c": range(300, 310)}
    assert [pair[:2] for pair in near_duplicates(sets, threshold=0.004, method="exact").pairs()] == [("a", "b")]
    with pytest.raises(InvalidValueError, match="n_hashes: expected 1 to 4,096"):
        near_duplicates(sets, method="exact", n_hashes=0)


@pytest.mark.parametrize("threshold", [1e-3, 1e-12])
def test_where_no_number_of_hash_functions_would_do_the_exact_way_is_named(threshold):
    with pytest.raises(InvalidValueError, match=r"threshold: expected one that 4,096 hash functions .* method='exact'"):
        near_duplicates({"a": ["x"]}, threshold=threshold)


def test_tokens_of_another_type_than_those_of_the_corpus_are_not_taken_for_original():
    for draft, corpus in ((["1"], {"a": [1]}), ([1], {"a": ["1"]})):
        with pytest.raises(InvalidTypeError, match="tokens: expected labels of one type"):
            originality(draft, corpus)
    with pytest.raises(InvalidTypeError, match="tokens"):
        originality(np.array([[1]]), {"a": [1]})
