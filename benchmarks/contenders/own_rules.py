"""This library: a rule of one count, over many members."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pendulum

from benchmarks.contenders import Loaded
from benchmarks.contenders.own import event_log
from benchmarks.contenders.rules import AT_LEAST, COUNTED, UNTIL_S, WITHIN_DAYS, digest
from shequn import rules as r
from shequn.columns import Roster

if TYPE_CHECKING:
    from benchmarks.workload import Columns

__all__ = ["load"]

_AS_OF = pendulum.from_timestamp(UNTIL_S)


def load(columns: Columns, query: str) -> Loaded:
    log = event_log(columns)
    roster = Roster.from_columns(member=log.members.labels)
    rule = r.count(COUNTED, within=pendulum.duration(days=WITHIN_DAYS[query])) >= AT_LEAST
    return Loaded(
        lambda: rule.mask(roster, log, as_of=_AS_OF), lambda mask: digest(log.members.labels[np.flatnonzero(mask)])
    )
