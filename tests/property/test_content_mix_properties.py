from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction
from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.content import ContentMix, mix
from shequn.entities import ContentItem, ContentKind
from shequn.values import Mix

KINDS = [kind.value for kind in ContentKind]
CREATED = datetime(2024, 3, 1, tzinfo=UTC)

counts = st.lists(st.integers(0, 12), min_size=4, max_size=4)
shares = st.lists(st.integers(0, 10), min_size=4, max_size=4).filter(any)


def made_of(numbers, parts):
    return ContentMix.from_counts(
        dict(zip(KINDS, numbers, strict=True)), target=Mix.of(dict(zip(KINDS, parts, strict=True)))
    )


def left_over(numbers, parts, added, power):
    """Return by how much a mix misses its target, exactly, as the sum of a power of the differences in items."""
    total, whole = sum(numbers) + len(added), sum(parts)
    after = [n + added.count(kind) for n, kind in zip(numbers, KINDS, strict=True)]
    return sum(abs(Fraction(part, whole) * total - n) ** power for n, part in zip(after, parts, strict=True))


@given(counts, shares, st.integers(0, 4), st.sampled_from([1, 2, 3]))
def test_no_other_plan_of_as_many_items_ends_nearer_to_the_target(numbers, parts, n, power):
    planned = [kind.value for kind in made_of(numbers, parts).plan_next(n)]
    best = min(left_over(numbers, parts, other, power) for other in combinations_with_replacement(KINDS, n))
    assert left_over(numbers, parts, planned, power) == best


@given(counts, shares)
def test_the_next_item_due_brings_the_mix_nearer_than_any_other_would(numbers, parts):
    made = made_of(numbers, parts)
    after = {
        kind: made_of([n + (k == kind) for n, k in zip(numbers, KINDS, strict=True)], parts).distance for kind in KINDS
    }
    assert made.next_due is made.plan_next(1)[0]
    assert after[made.next_due] == pytest.approx(min(after.values()), abs=1e-12)


@given(shares, st.integers(0, 60))
def test_from_nothing_a_plan_never_misses_a_share_by_a_whole_item(parts, n):
    planned = Counter(made_of([0] * 4, parts).plan_next(n))
    for kind, part in zip(KINDS, parts, strict=True):
        assert abs(planned[kind] - n * part / sum(parts)) < 1 + 1e-9


@given(counts, shares, st.integers(0, 30))
def test_what_is_not_wanted_is_never_planned_and_a_plan_is_as_long_as_asked(numbers, parts, n):
    planned = made_of(numbers, parts).plan_next(n)
    assert len(planned) == n
    assert all(parts[KINDS.index(kind)] > 0 for kind in planned)


@given(st.lists(st.sampled_from(KINDS), max_size=12), st.randoms(use_true_random=False))
def test_a_mix_does_not_depend_on_the_order_of_items_and_sums_to_one(kinds, random):
    listed = [ContentItem(id=n, kind=kind, created=CREATED) for n, kind in enumerate(kinds)]
    shuffled = list(listed)
    random.shuffle(shuffled)
    assert str(mix(listed)) == str(mix(shuffled))
    assert mix(listed).items.tolist() == [kinds.count(kind) for kind in KINDS]
    if kinds:
        assert math.fsum(mix(listed).shares) == pytest.approx(1)


@given(st.lists(st.sets(st.sampled_from("abcd")), max_size=8), st.lists(st.integers(0, 9), min_size=8, max_size=8))
def test_topics_share_the_weight_of_their_items_and_lose_none(topics, weights):
    listed = [ContentItem(id=n, kind="educational", created=CREATED, topics=of) for n, of in enumerate(topics)]
    made = mix(listed, by="topic", weights=weights[: len(listed)])
    said = [weight for of, weight in zip(topics, weights, strict=False) if of]
    assert math.fsum(made.weight) == pytest.approx(sum(said))
    assert made.missing == len(listed) - len(said)
    for name, weight in zip(made.names, made.weight, strict=True):
        exact = sum(Fraction(w, len(of)) for of, w in zip(topics, weights, strict=False) if name in of)
        assert weight == pytest.approx(float(exact))
