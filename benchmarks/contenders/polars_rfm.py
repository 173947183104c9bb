"""Polars: last instant, number and sum of each member's rows of one kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.contenders import Loaded
from benchmarks.contenders.rfm import COUNTED_CODE, digest
from benchmarks.workload import amounts

if TYPE_CHECKING:
    from typing import Literal

    from numpy.typing import NDArray

    from benchmarks.workload import Columns

QUERIES: dict[str, Literal["streaming", "in-memory"]] = {"streaming": "streaming", "in memory": "in-memory"}


def load(columns: Columns, query: str) -> Loaded:
    engine = QUERIES[query]
    # Polars sums a column of 32 bits in 32 bits, which members with long histories would overflow.
    value = amounts(len(columns.member)).astype(np.int64)
    frame = pl.LazyFrame({**columns._asdict(), "value": value})
    if (columns.kind != COUNTED_CODE).any():
        frame = frame.filter(pl.col("kind") == COUNTED_CODE)
    plan = frame.group_by("member").agg(last=pl.col("second").max(), frequency=pl.len(), monetary=pl.col("value").sum())
    return Loaded(lambda: plan.collect(engine=engine), _digest)


def _digest(answer: pl.DataFrame) -> NDArray[np.int64]:
    return digest(*(answer[name].to_numpy() for name in ("member", "last", "frequency", "monetary")))
