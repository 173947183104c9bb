"""What every contender in the race for recency, frequency and money is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.workload import KINDS, N_WEEKS, ORIGIN_S, WEEK_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COUNTED", "COUNTED_CODE", "UNTIL_S", "digest"]

COUNTED_CODE = 0  # position in KINDS of the kind that counts
COUNTED = KINDS[COUNTED_CODE]
UNTIL_S = ORIGIN_S + N_WEEKS * WEEK_S


def digest(member: Any, last_s: Any, frequency: Any, monetary: Any) -> NDArray[np.int64]:
    """Return a few numbers that differ where any member's numbers do, in whatever order members come."""
    columns = [np.asarray(column).astype(np.uint64) for column in (member, last_s, frequency, monetary)]
    mixed = columns[0] + np.uint64(1)
    totals = [len(mixed)]
    for column in columns[1:]:
        # Multiplied by odd numbers and folded, as hashes are: sums of such don't cancel by chance.
        mixed = (mixed ^ column) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
        totals += [int(column.sum()), int(mixed.sum() >> np.uint64(1))]
    return np.array(totals, dtype=np.int64)
