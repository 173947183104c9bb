"""This library: recency, frequency and money of each member, and their scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pendulum

from benchmarks.contenders import Loaded
from benchmarks.contenders.own import event_log
from benchmarks.contenders.rfm import COUNTED, UNTIL_S, digest
from benchmarks.workload import amounts
from shequn.segmentation import Rfm, RfmValues, rfm_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.workload import Columns

__all__ = ["load"]

_AS_OF = pendulum.from_timestamp(UNTIL_S)


def load(columns: Columns, query: str) -> Loaded:
    log = attrs.evolve(event_log(columns), value=amounts(len(columns.member)).astype(np.int64))
    if query == "values":
        return Loaded(lambda: rfm_values(log, as_of=_AS_OF, kinds={COUNTED}), _digest)
    assert query == "scores"
    values = rfm_values(log, as_of=_AS_OF, kinds={COUNTED})
    return Loaded(values.score, _sizes)


def _digest(found: RfmValues) -> NDArray[np.int64]:
    held = found.has_row
    last_s = UNTIL_S - found.recency_us[held] // 1_000_000
    return digest(found.members.labels[held], last_s, found.frequency[held], found.monetary[held])


def _sizes(found: Rfm) -> NDArray[np.int64]:
    """Return how many members have each score, in the three respects."""
    columns: Any = found.scores.T
    return np.stack([np.bincount(scores, minlength=6)[1:] for scores in columns])
