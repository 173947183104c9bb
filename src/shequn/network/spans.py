"""Which entries lie in many spans at once, without a loop over the spans?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from shequn._typing import IntArray

__all__ = ["positions_in"]


def positions_in(starts: IntArray, lengths: IntArray, /) -> IntArray:
    """Return start, start + 1, … of each span, one span after the other.

    Examples
    --------
    >>> positions_in(np.array([10, 40]), np.array([3, 2])).tolist()
    [10, 11, 12, 40, 41]
    """
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()), dtype=np.int64)
