"""A funnel as a product, entries × rate × rate …, in exact fractions: what all arithmetic of change reads it as.

It is arithmetic on counts that are already known. It says how the parts add up, not what caused them: a step whose rate
rose may have done so because other people entered.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial, lcm, prod
from typing import TYPE_CHECKING

import numpy as np

from shequn.columns.readonly import frozen
from shequn.funnel.comparison import required_steps, steps_before

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shequn._typing import FloatArray
    from shequn.columns.table import Lang
    from shequn.funnel.result import FunnelResult

__all__ = [
    "NOT_CAUSAL",
    "expected_members",
    "factors",
    "floats",
    "later_steps",
    "measured_rates",
    "n_entered",
    "ratio",
    "required_positions",
    "segment_factors",
    "shapley_of_changes",
    "sum_of",
]

NOT_CAUSAL: dict[Lang, str] = {
    "en": "Arithmetic on counts and rates: it says what adds up, not what caused or would cause it.",
    "zh": "这是对人数与转化率的算术推算：只说明数量如何构成，不说明因果。",
}


def required_positions(result: FunnelResult) -> list[int]:
    """Return the positions of the steps that may not be skipped."""
    positions: list[int] = required_steps(result).tolist()
    return positions


def later_steps(result: FunnelResult) -> tuple[str, ...]:
    """Return the names of those after the first."""
    return tuple(result.steps[step] for step in required_positions(result)[1:])


def n_entered(result: FunnelResult) -> int:
    """Return how many members there are to begin with: those of the first step."""
    return int(result.reached[0])


def ratio(part: int, whole: int) -> Fraction | None:
    """Return a rate; None where there is nobody to have it."""
    return Fraction(part, whole) if whole else None


# ── rates ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def measured_rates(result: FunnelResult) -> list[Fraction | None]:
    """Return the rate of each step, of which the first has none; None where nobody reached the step before."""
    reached = result.reached.tolist()
    return [None, *map(ratio, reached[1:], result.reached[steps_before(result)].tolist())]


def expected_members(result: FunnelResult, rates: Sequence[Fraction | None]) -> list[Fraction | None]:
    """Return how many reach each step by these rates; None where that hangs on an unknown one."""
    expected: list[Fraction | None] = [Fraction(n_entered(result))]
    bases: list[int] = steps_before(result).tolist()
    for step, before in enumerate(bases, start=1):
        expected.append(_times(expected[before], rates[step]))
    return expected


def _times(base: Fraction | None, rate: Fraction | None) -> Fraction | None:
    if base == 0 or rate == 0:
        return Fraction(0)
    return None if base is None or rate is None else base * rate


# ── parts of a change ────────────────────────────────────────────────────────────────────────────────────────────────


def segment_factors(part: FunnelResult, total: FunnelResult) -> list[Fraction | None]:
    """Return the factors of a segment: entries of all, its share of them, and its rates."""
    return factors([Fraction(n_entered(total)), ratio(n_entered(part), n_entered(total))], part)


def factors(first: Sequence[Fraction | None], result: FunnelResult) -> list[Fraction | None]:
    """Return the factors that multiply to the completions; None is one that nobody can tell."""
    counts: list[int] = result.reached[required_steps(result)].tolist()
    return [*first, *map(ratio, counts[1:], counts[:-1])]


def shapley_of_changes(before: Sequence[Fraction | None], after: Sequence[Fraction | None]) -> tuple[Fraction, ...]:
    """Return what each factor adds to the product, a factor unknown before or after being the same in both."""
    factors = zip(before, after, strict=True)
    return _shapley_of_product([(_known(old, new), _known(new, old)) for old, new in factors])


def _known(factor: Fraction | None, other: Fraction | None) -> Fraction:
    if factor is not None:
        return factor
    return Fraction(0) if other is None else other


def _shapley_of_product(factors: Sequence[tuple[Fraction, Fraction]]) -> tuple[Fraction, ...]:
    """Return the Shapley value of each factor, given before and after, of the change of their product.

    In whole numbers over one denominator: fractions would be reduced at every step.
    """
    n = len(factors)
    scales = [lcm(old.denominator, new.denominator) for old, new in factors]
    pairs = [(int(old * scale), int(new * scale)) for (old, new), scale in zip(factors, scales, strict=True)]
    weights = [factorial(size) * factorial(n - 1 - size) for size in range(n)]
    denominator = factorial(n) * prod(scales)
    return tuple(
        Fraction((new - old) * sum(map(int.__mul__, weights, _by_size(pairs[:row] + pairs[row + 1 :]))), denominator)
        for row, (old, new) in enumerate(pairs)
    )


def _by_size(pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return for each s the sum, over the sets of s factors, of the product with just those changed."""
    polynomial = [1]
    for old, new in pairs:
        kept, changed = [*polynomial, 0], [0, *polynomial]
        polynomial = [old * low + new * high for low, high in zip(kept, changed, strict=True)]
    return polynomial


def sum_of(terms: Sequence[Fraction]) -> Fraction:
    """Add fractions by halves: from left to right, a long denominator would be reduced at each of many terms."""
    if len(terms) <= 1:
        return terms[0] if terms else Fraction(0)
    middle = len(terms) // 2
    return sum_of(terms[:middle]) + sum_of(terms[middle:])


def floats(exact: Iterable[Fraction | None]) -> FloatArray:
    """Return each fraction rounded to the nearest float, None as NaN."""
    return frozen(np.array([np.nan if part is None else float(part) for part in exact], dtype=np.float64))
