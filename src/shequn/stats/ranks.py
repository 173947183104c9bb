"""Who comes first, where arithmetic rounds?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from shequn._typing import FloatArray, IntArray

__all__ = ["best_first"]

_BITS = 40  # of a number's 53: twelve digits


def best_first(values: FloatArray, /) -> IntArray:
    """Return places from the highest value to the lowest, of equal ones the earlier first; NaN comes last.

    Equal are values that agree in twelve digits. What is the same in theory, such as two slots that mirror each other,
    often differs in the last digit, and in another way on another processor.

    Examples
    --------
    >>> best_first(np.array([0.3, 0.1 + 0.2, 0.5])).tolist()
    [2, 0, 1]
    """
    digits, power = np.frexp(values)
    return np.argsort(-np.ldexp(np.rint(np.ldexp(digits, _BITS)), power - _BITS), kind="stable").astype(np.int64)
