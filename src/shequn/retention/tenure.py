"""How does a stock of members by tenure age, and where does it settle?

A survival curve gives the share of joiners still there after 0, 1, … periods; after its end the last ratio holds for
ever.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs
import numpy as np

from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import array_of, refuse

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray

__all__ = ["Step", "bent", "stay_of", "stays_of", "steady_rate", "steady_spread", "survival_curve"]

_MOST_TENURES = 1_000


@attrs.frozen(eq=False)
class Step:
    """One period: tenure k moves to k + 1, the last one keeps its own, and everybody brings newcomers of tenure 0."""

    stay: FloatArray
    referral_rate: float

    def aged(self, members: FloatArray) -> FloatArray:
        """Move each row on by one tenure."""
        older = np.zeros_like(members)
        older[1:] = members[:-1]
        older[-1] += members[-1]
        return older

    def __call__(self, members: FloatArray) -> FloatArray:
        """Return what becomes of members by tenure, or of each column of a matrix."""
        following = self.aged((self.stay * members.T).T)
        following[0] += self.referral_rate * members.sum(axis=0)
        return following


def stay_of(curve: FloatArray) -> FloatArray:
    """Return the share of each tenure that stays for another period; the last holds for ever."""
    return np.divide(curve[1:], curve[:-1], out=np.zeros(len(curve) - 1), where=curve[:-1] > 0)


def stays_of(curve: FloatArray) -> FloatArray:
    """Return the periods that a joiner is expected to spend at each tenure, the last one and all after it together."""
    stays: FloatArray = curve[:-1].copy()
    last = stay_of(curve)[-1]
    if stays[-1]:
        stays[-1] = stays[-1] / (1 - last) if last < 1 else math.inf
    return stays


def steady_rate(curve: FloatArray) -> float:
    """Return the share of a steady stock that evaporates in a period: one over the mean stay."""
    return float(1 / stays_of(curve).sum())


def steady_spread(curve: FloatArray) -> FloatArray:
    """Return the shares of a steady stock at each tenure."""
    stays = stays_of(curve)
    if np.isinf(stays[-1]):
        stays = np.isinf(stays).astype(np.float64)
    share: FloatArray = stays / stays.sum()
    return share


def bent(curve: FloatArray, rate: float) -> FloatArray:
    """Return the power of a curve that has this steady evaporation rate, by bisection on the exponent's logarithm."""
    present = steady_rate(curve)
    if rate == present:
        return curve
    low, high = -60.0, 60.0
    lowest, highest = steady_rate(curve**2.0**low), steady_rate(curve**2.0**high)
    if not present:
        raise InvalidValueError(message("evaporation_rate", "0 beside a survival curve that ends flat", rate))
    if not lowest <= rate <= highest:
        expected = f"a rate in [{lowest:.4g}, {highest:.4g}], which powers of this survival curve have"
        raise InvalidValueError(message("evaporation_rate", expected, rate))
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if steady_rate(curve**2.0**middle) < rate else (low, middle)
    bent: FloatArray = curve**2.0**high
    return bent


def survival_curve(values: ArrayLike) -> FloatArray:
    """Return a survival curve, checked: it begins with 1 and never rises."""
    given = array_of("survival", values, kinds="iuf", expected="shares")
    if given.ndim != 1 or not 2 <= len(given) <= _MOST_TENURES + 1:  # noqa: PLR2004
        expected = f"a 1-D array of 2 to {_MOST_TENURES + 1:,} shares"
        raise InvalidTypeError(message("survival", expected, f"an array of shape {given.shape}"))
    curve = given.astype(np.float64)
    if curve[0] != 1:
        raise InvalidValueError(message("survival", "a curve that begins with 1", curve[0], row=0))
    bad = ~((curve >= 0) & (np.diff(curve, prepend=1) <= 0))
    if bad.any():
        refuse("survival", "shares in [0, 1] that never rise", curve, bad)
    return curve
