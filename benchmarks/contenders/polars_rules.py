"""Polars: members with so many rows of one kind of late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from benchmarks.contenders import Loaded
from benchmarks.contenders.rules import AT_LEAST, COUNTED_CODE, UNTIL_S, after_s, digest

if TYPE_CHECKING:
    from typing import Literal

    from benchmarks.workload import Columns

__all__ = ["ENGINES", "load"]

ENGINES: dict[str, Literal["streaming", "in-memory"]] = {"streaming": "streaming", "in memory": "in-memory"}


def load(columns: Columns, query: str) -> Loaded:
    engine, within = query.split(", ")
    counts = (pl.col("kind") == COUNTED_CODE) & (pl.col("second") > after_s(within)) & (pl.col("second") <= UNTIL_S)
    plan = (
        pl.LazyFrame(columns._asdict())
        .filter(counts)
        .group_by("member")
        .agg(n=pl.len())
        .filter(pl.col("n") >= AT_LEAST)
        .select("member")
    )
    return Loaded(lambda: plan.collect(engine=ENGINES[engine]), lambda found: digest(found["member"].to_numpy()))
