from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.values import Mix

amounts = st.dictionaries(st.integers(0, 8), st.integers(0, 1_000), min_size=1).filter(lambda d: any(d.values()))
orders = st.floats(0, 50) | st.floats(0.999999, 1.000001)


@given(amounts)
def test_the_shares_are_the_exact_quotients_and_sum_to_one(counts):
    total = sum(counts.values())
    mix = Mix.of(counts)
    assert math.fsum(mix.shares.values()) == pytest.approx(1, abs=1e-12)
    for kind, count in counts.items():
        assert mix.shares[kind] == pytest.approx(float(Fraction(count, total)), rel=1e-14)


@given(amounts, orders, orders)
def test_effective_numbers_fall_with_the_order_and_stay_between_one_and_the_number_of_kinds(counts, q, r):
    mix = Mix.of(counts)
    low, high = mix.hill(max(q, r)), mix.hill(min(q, r))
    assert 1 <= low <= high * (1 + 1e-9)
    assert high <= sum(count > 0 for count in counts.values())


@given(amounts, orders)
def test_an_effective_number_is_the_formula(counts, q):
    # Worked in 80-bit floats from the definition, away from where it has a pole.
    if abs(q - 1) < 1e-3:
        return
    p = np.array([c for c in counts.values() if c], dtype=np.longdouble)
    p /= p.sum()
    expected = float(np.sum(p**q) ** (1 / (1 - np.longdouble(q))))
    assert Mix.of(counts).hill(q) == pytest.approx(expected, rel=1e-9)


@given(amounts, st.floats(-1e-7, 1e-7))
def test_the_order_one_is_the_limit_and_the_exponential_of_the_entropy(counts, step):
    mix = Mix.of(counts)
    assert mix.hill(1 + step) == pytest.approx(math.exp(mix.entropy), rel=1e-4)


@given(amounts, st.integers(2, 4), orders)
def test_splitting_every_kind_alike_multiplies_the_effective_number(counts, parts, q):
    split = {10 * kind + part: count for kind, count in counts.items() for part in range(parts)}
    assert Mix.of(split).hill(q) == pytest.approx(parts * Mix.of(counts).hill(q), rel=1e-9)


@given(amounts, amounts, amounts)
def test_the_distance_is_a_metric_in_the_unit_interval(a, b, c):
    one, two, three = Mix.of(a), Mix.of(b), Mix.of(c)
    assert 0 <= one.distance(two) == two.distance(one) <= 1
    assert one.distance(one) == 0
    assert one.distance(three) <= one.distance(two) + two.distance(three) + 1e-12


@given(amounts, amounts)
def test_the_distance_is_what_two_mixes_do_not_share(a, b):
    kinds = {*a, *b}
    shared = sum(min(Fraction(a.get(k, 0), sum(a.values())), Fraction(b.get(k, 0), sum(b.values()))) for k in kinds)
    assert Mix.of(a).distance(Mix.of(b)) == pytest.approx(float(1 - shared), abs=1e-12)
