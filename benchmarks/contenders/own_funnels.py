"""This library: one funnel, in each of its orders and under each of its conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pendulum import duration

from benchmarks.contenders import WITHIN_DAYS, Loaded
from benchmarks.contenders.own import event_log
from benchmarks.workload import STEPS, items
from shequn.funnel import Exclusion, Funnel, FunnelResult, convert

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.workload import Columns

__all__ = ["FUNNELS", "load"]

_WITHIN = duration(days=WITHIN_DAYS)
_ORDERED = Funnel(steps=STEPS, within=_WITHIN)
_LEFT = Exclusion(kinds="leave", after=STEPS[0], before=STEPS[-1])
# Each step has the kind of the next one as well.
_OVERLAPPING = [{kind, STEPS[(step + 1) % len(STEPS)]} for step, kind in enumerate(STEPS)]

FUNNELS = {
    "ordered": _ORDERED,
    "sorted": _ORDERED,
    "strict": Funnel(steps=STEPS, within=_WITHIN, order="strict"),
    "any": Funnel(steps=STEPS, within=_WITHIN, order="any"),
    "overlapping": Funnel(steps=_OVERLAPPING, within=_WITHIN),
    "once": Funnel(steps=_OVERLAPPING, within=_WITHIN, reuse="once"),
    "exclusion": Funnel(steps=STEPS, within=_WITHIN, exclusions=[_LEFT]),
    "hold_constant": Funnel(steps=STEPS, within=_WITHIN, hold_constant="item"),
}


def load(columns: Columns, query: str) -> Loaded:
    funnel = FUNNELS[query]
    log = event_log(columns, items(len(columns.member)) if funnel.hold_constant else None)
    if query == "sorted":
        log = log.sorted()
    return Loaded(lambda: convert(log, funnel), _levels)


def _levels(result: FunnelResult) -> NDArray[np.int64]:
    """Return how many members got just as far as each step."""
    return -np.diff(result.reached, append=0)
