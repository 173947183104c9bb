"""Polars: the columns in a frame of UInt32, queried lazily by the streaming engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.contenders import Loaded, table_of_codes
from benchmarks.workload import N_WEEKS, ORIGIN_S, WEEK_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.workload import Columns

_WEEK = (pl.col("second") - ORIGIN_S) // WEEK_S
_KEY = pl.col("member") * 32 + _WEEK


def load(columns: Columns, query: str) -> Loaded:
    frame = pl.LazyFrame({"member": columns.member, "second": columns.second})
    plan = QUERIES[query](frame)
    return Loaded(lambda: plan.collect(engine="streaming"), _table_of_masks if query == "masks" else _table)


def _masks(frame: pl.LazyFrame) -> pl.LazyFrame:
    # Polars has no shift, so that the bit is looked up.
    bits = pl.lit(pl.Series([1 << week for week in range(N_WEEKS)], dtype=pl.UInt32))
    masks = frame.select("member", mask=bits.gather(_WEEK)).group_by("member").agg(pl.col("mask").bitwise_or())
    lowest = pl.col("mask") & (~pl.col("mask") + 1)
    has_bit = {str(week): pl.col("mask") & (1 << week) != 0 for week in range(N_WEEKS)}
    return masks.group_by(lowest=lowest).agg(**{name: bit.sum() for name, bit in has_bit.items()})


def _sorted(frame: pl.LazyFrame) -> pl.LazyFrame:
    keys = frame.select(key=_KEY).select(pl.col("key").sort())
    keys = keys.filter(pl.col("key") != pl.col("key").shift(1).fill_null(2**32 - 1))
    pairs = keys.select(member=pl.col("key") // 32, week=pl.col("key") % 32)
    starts = pl.col("member") != pl.col("member").shift(1).fill_null(2**32 - 1)
    cohorts = pairs.select("week", cohort=pl.when(starts).then(pl.col("week")).forward_fill())
    return cohorts.group_by(code=pl.col("cohort") * 32 + pl.col("week")).len()


def _lists(frame: pl.LazyFrame) -> pl.LazyFrame:
    weeks = frame.select("member", week=_WEEK.cast(pl.UInt8)).group_by("member").agg(pl.col("week").unique())
    pairs = weeks.select("week", cohort=pl.col("week").list.min()).explode("week")
    return pairs.group_by(code=pl.col("cohort").cast(pl.UInt32) * 32 + pl.col("week")).len()


QUERIES = {"masks": _masks, "sorted": _sorted, "lists": _lists}


def _table(answer: pl.DataFrame) -> NDArray[np.int64]:
    return table_of_codes(answer["code"].to_numpy(), answer["len"].to_numpy())


def _table_of_masks(answer: pl.DataFrame) -> NDArray[np.int64]:
    cohort = np.bitwise_count(answer["lowest"].to_numpy() - 1).astype(np.int64)
    codes = cohort[:, None] * 32 + np.arange(N_WEEKS)
    return table_of_codes(codes.ravel(), answer.drop("lowest").to_numpy().ravel())
