"""What every contender in the race of fields is asked: ten tests, five of a label and five of a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.workload import KINDS, ORIGIN_S, STEPS, WEEK_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PAIRS", "digest", "label_of"]

# A member is selected whose kind is the first of a pair, and whose second is later than the second of it.
PAIRS = tuple((week % len(STEPS), ORIGIN_S + week * WEEK_S) for week in (4, 9, 14, 19, 24))


def label_of(code: int) -> str:
    return KINDS[code]


def digest(mask: Any) -> NDArray[np.int64]:
    """Return a few numbers that differ where other members are selected."""
    chosen = np.flatnonzero(np.asarray(mask))
    return np.array([len(chosen), chosen.sum(), (chosen * (chosen % 1_009)).sum()], dtype=np.int64)
