from __future__ import annotations

from fractions import Fraction
from itertools import chain, combinations, pairwise
from math import factorial

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from shequn.columns import Breakdown
from shequn.funnel.change import bottleneck, decompose, what_if
from shequn.funnel.comparison import compare
from shequn.funnel.result import FunnelResult

LABELS = ("a", "b", 3)


@st.composite
def funnels(draw, n_steps, optional=(), most=10**6):
    """Counts that never rise over required steps; zeros are common."""
    reached, base = [], draw(st.integers(0, most) | st.integers(0, 3))
    for step in range(n_steps):
        count = base if step == 0 else draw(st.integers(0, base) | st.just(0) | st.just(base))
        reached.append(count)
        if step not in optional:
            base = count
    names = [f"step {step}" for step in range(n_steps)]
    return FunnelResult.from_counts(steps=names, reached=reached, optional=optional)


@st.composite
def pairs(draw, most_steps=6):
    n_steps = draw(st.integers(1, most_steps))
    optional = tuple(step for step in range(1, n_steps) if draw(st.integers(0, 3)) == 0)
    return draw(funnels(n_steps, optional)), draw(funnels(n_steps, optional))


def total_of(parts, like):
    total = FunnelResult.from_counts(steps=like.steps, reached=np.zeros_like(like.reached), optional=like.optional)
    for part in parts:
        total = total.merge(part)
    return total


@st.composite
def breakdowns(draw, n_steps, optional):
    found = {label: draw(funnels(n_steps, optional, most=1000)) for label in LABELS if draw(st.booleans())}
    rest = draw(st.none() | funnels(n_steps, optional, most=1000))
    like = draw(funnels(n_steps, optional))
    return Breakdown(total=total_of([*found.values(), *([rest] if rest else [])], like), parts=found, unassigned=rest)


@st.composite
def pairs_of_breakdowns(draw):
    n_steps = draw(st.integers(1, 4))
    optional = tuple(step for step in range(1, n_steps) if draw(st.integers(0, 3)) == 0)
    return draw(breakdowns(n_steps, optional)), draw(breakdowns(n_steps, optional))


# --- a slow second reading of the definition: worth of every subset of changed factors ---


def required_counts(result):
    return [count for step, count in enumerate(result.reached.tolist()) if step not in result.optional]


def factors_of(result, total=None):
    counts = required_counts(result)
    rates = [Fraction(b, a) if a else None for a, b in pairwise(counts)]
    if total is None:
        return [Fraction(counts[0]), *rates]
    entries = required_counts(total)[0]
    return [Fraction(entries), Fraction(counts[0], entries) if entries else None, *rates]


def filled(one, other):
    return [y if x is None else x for x, y in zip(one, other, strict=True)]


def product(factors):
    found = Fraction(1)
    for factor in factors:
        found *= factor or 0
    return found


def shapley_over_all_subsets(old, new):
    old, new = filled(old, new), filled(new, old)
    n = len(old)
    values = []
    for player in range(n):
        others = [j for j in range(n) if j != player]
        value = Fraction(0)
        for subset in chain.from_iterable(combinations(others, size) for size in range(n)):
            weight = Fraction(factorial(len(subset)) * factorial(n - 1 - len(subset)), factorial(n))
            without = product(new[j] if j in subset else old[j] for j in range(n))
            with_it = product(new[j] if j in subset or j == player else old[j] for j in range(n))
            value += weight * (with_it - without)
        values.append(value)
    return tuple(values)


@given(pairs())
def test_the_parts_are_the_shapley_values_over_all_subsets(pair):
    before, after = pair
    assert decompose(before, after).exact == shapley_over_all_subsets(factors_of(before), factors_of(after))


@given(pairs_of_breakdowns())
def test_the_parts_of_a_segment_are_the_shapley_values_over_all_subsets(pair):
    before, after = pair
    effects = decompose(before, after).by_segment
    for label, exact in zip(effects.segments, effects.exact, strict=True):
        old, new = (
            (side.unassigned if label is None else side.parts.get(label)) or side.total._emptied() for side in pair
        )
        expected = shapley_over_all_subsets(factors_of(old, before.total), factors_of(new, after.total))
        assert exact == expected


@given(pairs() | pairs_of_breakdowns())
def test_the_parts_sum_exactly_to_the_change(pair):
    before, after = pair
    change = decompose(before, after)
    totals = [side.total if isinstance(side, Breakdown) else side for side in pair]
    assert sum(change.exact) == change.change == required_counts(totals[1])[-1] - required_counts(totals[0])[-1]
    assert change.residual == 0
    assert all(type(part) is Fraction for part in change.exact)
    assert change.effects.tolist() == [float(part) for part in change.exact]


@given(pairs_of_breakdowns())
def test_segments_and_parts_add_up_both_ways(pair):
    change = decompose(*pair)
    effects = change.by_segment
    assert [sum(row) for row in effects.exact] == effects.change.tolist()
    assert [sum(row[part] for row in effects.exact) for part in range(len(change.parts))] == list(change.exact)


@given(pairs() | pairs_of_breakdowns())
def test_swapping_before_and_after_turns_every_sign(pair):
    there, back = decompose(*pair), decompose(*pair[::-1])
    assert there.exact == tuple(-part for part in back.exact)


@given(pairs())
def test_a_factor_that_stays_adds_nothing(pair):
    before, after = pair
    old, new = (filled(factors_of(x), factors_of(y)) for x, y in ((before, after), (after, before)))
    for part, was, became in zip(decompose(before, after).exact, old, new, strict=True):
        if was == became:
            assert part == 0


@given(pairs())
def test_merging_equal_parts_multiplies_every_effect(pair):
    before, after = pair
    twice = decompose(before.merge(before), after.merge(after))
    assert twice.exact == tuple(2 * part for part in decompose(before, after).exact)


@given(pairs(most_steps=4), st.integers(1, 4))
def test_equal_segments_have_the_effects_of_the_whole_and_no_mix(pair, n_segments):
    sides = [Breakdown(total=total_of([r] * n_segments, r), parts=dict.fromkeys(range(n_segments), r)) for r in pair]
    whole = decompose(*(side.total for side in sides))
    entries, mix, *rates = decompose(*sides).exact
    assert mix == 0
    assert (entries, *rates) == whole.exact


@given(pairs())
def test_by_its_own_rates_everything_stays_exactly(pair):
    result = pair[0]
    known = {step: rate for step, rate in enumerate(factors_of(result)) if step and rate is not None}
    positions = [step for step in range(len(result.steps)) if step not in result.optional]
    given_rates = {positions[step]: rate for step, rate in known.items()}
    for rates in ({}, given_rates):
        assert what_if(result, rates).expected.tolist() == result.reached.tolist()
        assert what_if(result, rates).new_rates.tolist() == pytest.approx(result.step_rates.tolist(), nan_ok=True)


@given(pairs())
def test_by_the_rates_of_another_funnel_its_shape_is_taken(pair):
    before, after = pair
    positions = [step for step in range(len(before.steps)) if step not in before.optional]
    rates = factors_of(after)
    assume(all(rate is not None for rate in rates))
    found = what_if(before, dict(zip(positions[1:], rates[1:], strict=True)))
    assert found.completed == float(product([before.reached[0].item(), *rates[1:]]))


@given(pairs(), st.fractions(0, 1))
def test_each_gain_is_that_of_the_step_alone_and_the_largest_comes_first(pair, lift):
    result, other = pair
    for found in (bottleneck(result, lift=lift), bottleneck(result, to=lift), bottleneck(result, to=other)):
        assert sorted(found.positions) == [s for s in range(1, len(result.steps)) if s not in result.optional]
        gains = found.gained
        known = ~np.isnan(gains)
        assert (np.diff(gains[known]) <= 0).all()
        assert (np.diff(known.astype(int)) <= 0).all()
        for step, target, completed in zip(found.positions.tolist(), found.targets, found.completed, strict=True):
            if not np.isnan(target):
                alone = what_if(result, {step: float(target)}).completed
                assert completed == pytest.approx(alone, rel=1e-12, abs=1e-9, nan_ok=True)


# --- the comparison, by the formulas as they are printed ---


def wilson(hits, trials, level):
    return stats.binomtest(hits, trials).proportion_ci(level, method="wilson")


def by_hand(hits, trials, base_hits, base_trials, level):
    """Difference, Newcombe's method 10 from Wilson's intervals, and the root of Pearson's chi-square."""
    if not trials or not base_trials:
        return [np.nan] * 4
    p, q = hits / trials, base_hits / base_trials
    (l1, u1), (l2, u2) = wilson(hits, trials, level), wilson(base_hits, base_trials, level)
    lower, upper = p - q - np.hypot(p - l1, u2 - q), p - q + np.hypot(u1 - p, q - l2)
    if hits + base_hits in {0, trials + base_trials}:
        return [p - q, lower, upper, 1.0]
    table = [[hits, trials - hits], [base_hits, base_trials - base_hits]]
    return [p - q, lower, upper, stats.chi2_contingency(table, correction=False).pvalue]


def holm_in_words(p_values):
    """Multiply the smallest by the number of tests, the next by one less, and let none fall below the one before."""
    made = sorted((p, row) for row, p in enumerate(p_values) if not np.isnan(p))
    adjusted, floor = [np.nan] * len(p_values), 0.0
    for rank, (p, row) in enumerate(made):
        floor = max(floor, min(1.0, (len(made) - rank) * p))
        adjusted[row] = floor
    return adjusted


@given(pairs(), st.sampled_from([0.8, 0.95, 0.99]))
def test_a_comparison_agrees_with_the_formulas(pair, level):
    before, after = pair
    found = compare(before, after, level=level)
    expected, last = [], 0
    for step in range(1, len(before.steps)):
        counts = [int(r.reached[at]) for r in (after, before) for at in (step, last)]
        expected.append(by_hand(*counts, level))
        last = last if step in before.optional else step
    adjusted = [*holm_in_words([row[-1] for row in expected]), np.nan]
    ends = [count for r in (after, before) for count in (required_counts(r)[-1], int(r.reached[0]))]
    expected.append(by_hand(*ends, level))
    columns = [found.difference, found.lower, found.upper, found.p_value]
    np.testing.assert_allclose(np.transpose(columns), expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.p_adjusted, adjusted, rtol=1e-6, atol=1e-9)


@given(pairs())
def test_swapping_turns_the_difference_and_keeps_the_test(pair):
    there, back = compare(*pair), compare(*pair[::-1])
    np.testing.assert_allclose(there.difference, -back.difference)
    np.testing.assert_allclose(there.lower, -back.upper, atol=1e-15)
    np.testing.assert_allclose(there.p_adjusted, back.p_adjusted)
