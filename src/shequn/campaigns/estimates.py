"""A number with the interval it lies in: a plain one, and one of money."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from shequn.values import Money

if TYPE_CHECKING:
    from fractions import Fraction

__all__ = ["Estimate", "MoneyEstimate", "nearest"]


class Estimate(NamedTuple):
    """A number with the ends of its interval; NaN where there is too little to tell.

    Examples
    --------
    >>> lift = Estimate(0.2, 0.0524, 0.3339)
    >>> lift.is_sure
    True
    """

    value: float
    lower: float
    upper: float

    @property
    def is_sure(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.lower > 0 or self.upper < 0

    @classmethod
    def unknown(cls) -> Estimate:
        """Return what nothing is known of.

        Examples
        --------
        >>> Estimate.unknown().value
        nan
        """
        return cls(math.nan, math.nan, math.nan)


class MoneyEstimate(NamedTuple):
    """An amount with the ends of its interval, each rounded to a minor unit; ends are None where they can't be told.

    Examples
    --------
    >>> gain = MoneyEstimate(Money.of(50, "CNY"), Money.of(-10, "CNY"), Money.of(110, "CNY"))
    >>> print(gain.value), gain.is_sure
    50.00 CNY
    (None, False)
    """

    value: Money
    lower: Money | None
    upper: Money | None

    @property
    def is_sure(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return (self.lower is not None and self.lower.minor > 0) or (self.upper is not None and self.upper.minor < 0)


def nearest(amount: float | Fraction, currency: str) -> Money | None:
    """Return an amount of minor units as Money, halves to the even one; None for what is not finite.

    Examples
    --------
    >>> nearest(12.5, "CNY")
    Money(minor=12, currency='CNY')
    """
    return Money(round(amount), currency) if math.isfinite(amount) else None
