"""Lifetime models as they are written down, one member at a time, in plain Python."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "bgnbd_log_likelihood",
    "expected_purchases",
    "gamma_gamma_log_likelihood",
    "observed_information",
    "p_alive",
    "sbg_log_likelihood",
    "summary_of",
]


def bgnbd_log_likelihood(params: Sequence[float], x: int, t_x: float, age: float) -> float:
    """Fader, Hardie and Lee (2005), equation 6, for one member."""
    r, alpha, a, b = params
    shared = math.lgamma(r + x) - math.lgamma(r) + r * math.log(alpha)
    stay = math.lgamma(a + b) + math.lgamma(b + x) - math.lgamma(b) - math.lgamma(a + b + x)
    terms = [stay - (r + x) * math.log(alpha + age)]
    if x:
        gone = math.lgamma(a + 1) - math.lgamma(a) + math.lgamma(a + b) - math.lgamma(b)
        gone += math.lgamma(b + x - 1) - math.lgamma(a + b + x)
        terms.append(gone - (r + x) * math.log(alpha + t_x))
    most = max(terms)
    return shared + most + math.log(sum(math.exp(term - most) for term in terms))


def p_alive(params: Sequence[float], x: int, t_x: float, age: float) -> float:
    """Not having dropped out: the share of the first term of the likelihood."""
    if x == 0:
        return 1.0
    r, alpha, a, b = params
    return 1 / (1 + a / (b + x - 1) * ((alpha + age) / (alpha + t_x)) ** (r + x))


def expected_purchases(params: Sequence[float], x: int, t_x: float, age: float, t: float) -> float:
    """Fader, Hardie and Lee (2005), equation 10, with Gauss' series summed term by term."""
    r, alpha, a, b = params
    z = t / (alpha + age + t)
    term, total, k = 1.0, 1.0, 0
    while term > 1e-17 * total:
        term *= (r + x + k) * (b + x + k) / ((a + b + x - 1 + k) * (k + 1)) * z
        total += term
        k += 1
    inner = 1 - ((alpha + age) / (alpha + age + t)) ** (r + x) * total
    return (a + b + x - 1) / (a - 1) * inner * p_alive(params, x, t_x, age)


def gamma_gamma_log_likelihood(params: Sequence[float], x: int, m: float) -> float:
    """Fader and Hardie (2013), equation 1a, for one member."""
    p, q, v = params
    value = math.lgamma(p * x + q) - math.lgamma(p * x) - math.lgamma(q)
    return value + q * math.log(v) + (p * x - 1) * math.log(m) + p * x * math.log(x) - (p * x + q) * math.log(v + m * x)


def sbg_log_likelihood(params: Sequence[float], lost: Sequence[int], left: int) -> float:
    """Fader and Hardie (2007), equation 7 by its recursion: who was lost at the end of each period, and who is left."""
    alpha, beta = params
    p, survival, total = alpha / (alpha + beta), 1.0, 0.0
    for t, n in enumerate(lost, start=1):
        if t > 1:
            p *= (beta + t - 2) / (alpha + beta + t - 1)
        survival -= p
        total += n * math.log(p)
    return total + left * math.log(survival)


def observed_information(of: Callable[[Sequence[float]], float], at: Sequence[float]) -> list[list[float]]:
    """Second differences of minus a log-likelihood."""
    steps = [1e-4 * value for value in at]

    def moved(*changes: tuple[int, int]) -> float:
        there = list(at)
        for place, sign in changes:
            there[place] += sign * steps[place]
        return of(there)

    size = range(len(at))
    return [
        [
            -(moved((i, 1), (j, 1)) - moved((i, 1), (j, -1)) - moved((i, -1), (j, 1)) + moved((i, -1), (j, -1)))
            / (4 * steps[i] * steps[j])
            for j in size
        ]
        for i in size
    ]


def summary_of(rows: Iterable[tuple[str, int, int]], now: int) -> dict[str, tuple[int, int, int, float | None]]:
    """Of (member, period, value): repeat periods, age at the last, age, mean spend after the first period."""
    held: dict[str, dict[int, int]] = {}
    for member, period, value in rows:
        if period <= now:
            periods = held.setdefault(member, {})
            periods[period] = periods.get(period, 0) + value
    found: dict[str, tuple[int, int, int, float | None]] = {}
    for member, periods in held.items():
        first, *others = sorted(periods)
        spend = sum(periods[period] for period in others) / len(others) if others else None
        found[member] = (len(others), (others[-1] if others else first) - first, now - first, spend)
    return found
