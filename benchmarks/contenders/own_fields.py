"""This library: a rule of ten tests of fields, over many members."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.contenders import Loaded
from benchmarks.contenders.fields import PAIRS, digest, label_of
from benchmarks.workload import KINDS
from shequn import rules as r
from shequn.columns import Roster

if TYPE_CHECKING:
    from benchmarks.workload import Columns

__all__ = ["load"]


def load(columns: Columns, query: str) -> Loaded:
    assert query == "mask"
    kind = np.array(KINDS, dtype=object)[columns.kind]
    fields = {"kind": kind, "second": columns.second.astype(np.int64)}
    roster = Roster.from_columns(member=np.arange(len(kind)), fields=fields)
    del kind, fields
    rule = reduce(or_, [(r.field("kind") == label_of(code)) & (r.field("second") > after) for code, after in PAIRS])
    return Loaded(lambda: rule.mask(roster), digest)
