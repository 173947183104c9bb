from __future__ import annotations

import hashlib
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.labels import Index
from shequn.sharding import hashing
from shequn.sharding.hashing import hash_shards, label_hashes

GROUPS = Index(["一群", "二群", "三群", "四群"])


def members(n):
    return Index([f"u{number}" for number in range(n)])


def test_a_hash_is_the_same_for_ever():
    found = label_hashes(Index(["", "a", "群", "12345678", "123456789"])).tolist()
    assert found == label_hashes(Index(["", "a", "群", "12345678", "123456789"])).tolist()
    assert label_hashes(Index(["ann", "bo"])).tolist() == [11976467451575317812, 9081767848658768930]


def test_another_process_hashes_alike():
    code = "from shequn.labels import Index; from shequn.sharding.hashing import label_hashes as h; "
    code += "print(h(Index(['ann', '一群'])).tolist())"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == str(label_hashes(Index(["ann", "一群"])).tolist())


def test_the_number_seven_is_not_the_text_seven():
    assert label_hashes(Index([7]))[0] != label_hashes(Index(["7"]))[0]


def test_labels_that_differ_in_trailing_zeros_alone_differ():
    assert len(set(label_hashes(Index(["a", "a\0", "a" + "\0" * 7, "a" + "\0" * 8])).tolist())) == 4


def test_negative_and_large_integers_have_hashes_of_their_own():
    labels = Index([0, -1, 2**63 - 1, -(2**63)])
    assert len(set(label_hashes(labels).tolist())) == 4


def test_members_and_groups_of_the_same_labels_are_dealt_all_the_same():
    dealt = hash_shards(Index(np.arange(8)), Index(np.arange(8)), load=1)
    assert list(dealt.sizes().values()) == [1] * 8
    assert dealt.codes.tolist() != list(range(8))


def test_no_group_is_fuller_than_its_load():
    assert max(hash_shards(members(1_000), GROUPS, load=1.02).sizes().values()) <= 255
    assert list(hash_shards(members(1_000), GROUPS, load=1).sizes().values()) == [250] * 4
    assert list(hash_shards(members(1_000), GROUPS, load=Fraction(1)).sizes().values()) == [250] * 4


def test_bounds_hold_where_the_only_answer_is_even():
    assert list(hash_shards(members(100), GROUPS, bounds=(25, 25)).sizes().values()) == [25] * 4
    assert min(hash_shards(members(104), GROUPS, bounds=(26, 36)).sizes().values()) == 26


def test_a_new_group_takes_members_and_few_others_move():
    groups = Index([f"g{number}" for number in range(60)])
    more = Index([*groups, "g60"])
    before = hash_shards(members(2_000), groups, bounds=(26, 40))
    after = hash_shards(members(2_000), more, bounds=(26, 40))
    moved = int((before.codes != after.codes).sum())
    assert after.sizes()["g60"] >= 26
    assert moved < 150  # dealing anew, even in order of arrival, would move nearly all


def test_two_threads_and_small_blocks_change_nothing(monkeypatch):
    groups = Index([f"g{number}" for number in range(30)])
    alone = hash_shards(members(1_000), groups, bounds=(26, 40))
    monkeypatch.setattr(hashing, "_MANY_SCORES", 1)
    monkeypatch.setattr(hashing, "_BLOCK", 100)
    assert hash_shards(members(1_000), groups, bounds=(26, 40)).codes.tolist() == alone.codes.tolist()


def test_a_seat_dealt_once_is_dealt_for_ever():
    groups = Index([f"g{number}" for number in range(30)])
    dealt = hash_shards(members(1_000), groups, bounds=(26, 40)).codes.astype("<i4")
    assert (
        hashlib.sha256(dealt.tobytes()).hexdigest()
        == "c8fe50f58a5624b04472f2dd5290f08aca302244c77fe49321fcb0082caa2709"
    )


def test_nobody_is_dealt_to_nothing():
    assert len(hash_shards(Index(), GROUPS, load=1.25)) == 0
    assert len(hash_shards(Index(), Index(), load=1.25)) == 0
    assert len(hash_shards(Index(), Index(), bounds=(1, 2))) == 0


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({}, InvalidTypeError, "bounds: expected either bounds or a load"),
        ({"bounds": (1, 2), "load": 2}, InvalidTypeError, "bounds: expected either bounds or a load"),
        ({"load": 0.9}, InvalidValueError, "load: expected a finite number of 1 or more, got 0.9"),
        ({"load": float("inf")}, InvalidValueError, "load: expected a finite number"),
        ({"load": float("nan")}, InvalidValueError, "load: expected a finite number"),
        ({"load": "2"}, InvalidTypeError, "load: expected a number of 1 or more"),
        ({"bounds": (26, 36)}, InvalidValueError, "groups: expected a number of groups k with 26 k <= 100 <= 36 k"),
    ],
)
def test_what_cannot_be_dealt_is_refused(options, error, text):
    with pytest.raises(error, match=text):
        hash_shards(members(100), GROUPS, **options)


def test_what_is_no_index_is_refused():
    with pytest.raises(InvalidTypeError, match="members: expected an Index of members"):
        hash_shards(["a"], GROUPS, load=2)
    with pytest.raises(InvalidTypeError, match="groups: expected an Index of groups"):
        hash_shards(members(3), ["a"], load=2)
    with pytest.raises(InvalidValueError, match="groups: expected a group for 3 members"):
        hash_shards(members(3), Index(), load=2)
