"""Did the campaign pay, of many rows: beside Polars and DuckDB. ``python -m benchmarks.outcome [ROWS ...]``.

The peers count and sum the same for each arm: members reached, taking part and converted, revenue and its variance over
all members of the arm, zeros included. They make no intervals.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pendulum
import polars as pl

from benchmarks.beside import HEADINGS, beside
from shequn.campaigns import outcome
from shequn.columns import EventLog
from shequn.entities import Campaign
from shequn.values import Money, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

_START = pendulum.datetime(2024, 9, 3)
_OPENS, _END = _START.add(days=7), _START.add(days=14)
_CAMPAIGN = Campaign(id="x", forms={"poll"}, window=Window(_OPENS, _END))
_KINDS = ("post", "receive", "purchase", "redeem")
_ROWS_A_MEMBER = 10
_QUERY = """
    SELECT arm, count(*), sum(reached), sum(participated), sum(converted), sum(revenue), var_samp(revenue) FROM (
        SELECT arm, coalesce(reached, 0) reached, coalesce(participated, 0) participated,
            coalesce(converted, 0) converted, coalesce(revenue, 0) revenue
        FROM arms LEFT JOIN (
            SELECT member, max((kind = 1)::INT) reached, max((kind != 1)::INT) participated,
                max((kind = 2)::INT) converted, sum_no_overflow(CASE WHEN kind = 2 THEN value ELSE 0 END) revenue
            FROM events WHERE "at" >= ? AND "at" < ? GROUP BY member
        ) USING (member)
    ) GROUP BY arm ORDER BY arm
"""


def _drawn(n_rows: int) -> tuple[dict[str, np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    rng, n_members = np.random.default_rng(20_240_910), max(n_rows // _ROWS_A_MEMBER, 1)
    columns: dict[str, np.ndarray[Any, Any]] = {
        "member": rng.integers(0, n_members, n_rows).astype(np.int32),
        "kind": rng.integers(0, len(_KINDS), n_rows).astype(np.int8),
        "at": int(_START.timestamp() * 1e6) + rng.integers(0, 14 * 86_400 * 10**6, n_rows),
        "value": rng.integers(0, 100_000, n_rows),
    }
    return columns, rng.random(n_members) < 0.8


def _in_polars(events: pl.DataFrame, arms: pl.DataFrame, bounds: tuple[int, int]) -> list[tuple[Any, ...]]:
    is_bought = pl.col("kind") == 2
    each = (
        events.lazy()
        .filter(pl.col("at").is_between(*bounds, closed="left"))
        .group_by("member")
        .agg(
            (pl.col("kind") == 1).any().alias("reached"),
            (pl.col("kind") != 1).any().alias("participated"),
            is_bought.any().alias("converted"),
            pl.col("value").filter(is_bought).sum().alias("revenue"),
        )
    )
    marks = ("reached", "participated", "converted")
    return (
        arms.lazy()
        .join(each, on="member", how="left")
        .with_columns(pl.col(marks).fill_null(value=False), pl.col("revenue").fill_null(0))
        .group_by("arm")
        .agg(
            pl.len(),
            *(pl.col(mark).sum() for mark in marks),
            pl.col("revenue").sum(),
            pl.col("revenue").var().alias("v"),
        )
        .sort("arm")
        .collect(engine="streaming")
        .rows()
    )


def _lines(n_rows: int, repeats: int) -> Iterator[str]:
    columns, treated = _drawn(n_rows)
    kinds = np.array(_KINDS, dtype=object)[columns["kind"]]
    log = EventLog.from_columns(
        member=columns["member"], kind=kinds, at=columns["at"], time_unit="us", value=columns["value"]
    )
    del kinds
    mask = treated[log.members.labels]
    events = pl.DataFrame(columns)
    arms = pl.DataFrame({"member": np.arange(len(treated), dtype=np.int32), "arm": treated}).filter(
        pl.col("member").is_in(log.members.labels.astype(np.int32).tolist())
    )
    bounds = (int(_OPENS.timestamp() * 1e6), int(_END.timestamp() * 1e6))
    base = duckdb.connect()
    for name, frame in (("events", events), ("arms", arms)):
        base.register("frame", frame.to_arrow())
        base.execute(f"CREATE TABLE {name} AS SELECT * FROM frame")  # noqa: S608

    def ours() -> object:
        return outcome(
            log, _CAMPAIGN, treated=mask, held_out=~mask, margin=0.4, as_of=_END, cost=Money(1_000_000, "CNY")
        )

    peers = {
        "Polars, streaming": lambda: _in_polars(events, arms, bounds),
        "DuckDB": lambda: base.execute(_QUERY, bounds).fetchall(),
    }
    found: Any = ours()
    both = (found.held_out, found.treated)
    for name, theirs in peers.items():
        for arm, (_, n, reached, participated, converted, revenue, variance) in zip(both, theirs(), strict=True):
            told = (arm.members, arm.reached, arm.participated, arm.converted, arm.revenue.minor)
            assert told == (n, reached, participated, converted, revenue), name
            assert abs(arm.revenue_sd**2 / variance - 1) < 1e-9, name
        cells = beside(ours, theirs, repeats)
        yield f"{n_rows:>12,}  {name:<18}" + "".join(f"{cell:>13}" for cell in cells)


if __name__ == "__main__":
    print(f"{'rows':>12}  {'beside':<18}" + "".join(f"{name:>13}" for name in HEADINGS))
    for size in [int(float(text)) for text in sys.argv[1:]] or [1_000_000, 10_000_000]:
        for line in _lines(size, 5):
            print(line, flush=True)
