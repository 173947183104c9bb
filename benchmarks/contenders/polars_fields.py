"""Polars: ten tests of fields, in one expression."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import polars as pl

from benchmarks.contenders import Loaded
from benchmarks.contenders.fields import PAIRS, digest
from benchmarks.contenders.polars_rules import ENGINES

if TYPE_CHECKING:
    from benchmarks.workload import Columns

__all__ = ["load"]


def load(columns: Columns, query: str) -> Loaded:
    is_one = reduce(or_, [(pl.col("kind") == code) & (pl.col("second") > after) for code, after in PAIRS])
    plan = pl.LazyFrame(columns._asdict()).select(is_one=is_one)
    return Loaded(lambda: plan.collect(engine=ENGINES[query]), lambda found: digest(found["is_one"].to_numpy()))
