"""What every contender in the race of rules is asked: who has done something so many times of late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.workload import KINDS, N_WEEKS, ORIGIN_S, WEEK_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AT_LEAST", "COUNTED", "COUNTED_CODE", "UNTIL_S", "WITHIN_DAYS", "after_s", "digest"]

COUNTED_CODE = 0  # position in KINDS of the kind that counts
COUNTED = KINDS[COUNTED_CODE]
AT_LEAST = 2
UNTIL_S = ORIGIN_S + N_WEEKS * WEEK_S
WITHIN_DAYS = {"30 days": 30, "26 weeks": 7 * N_WEEKS + 1}  # the second holds every row


def after_s(within: str) -> int:
    """Return the second after which rows count."""
    return UNTIL_S - WITHIN_DAYS[within] * 86_400


def digest(member: Any) -> NDArray[np.int64]:
    """Return a few numbers that differ where other members are selected, in whatever order they come."""
    chosen = np.asarray(member).astype(np.uint64)
    mixed = (chosen + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    return np.array([len(chosen), int(chosen.sum()), int(mixed.sum() >> np.uint64(1))], dtype=np.int64)
