"""Events in Parquet, a folder a day: a funnel and the weekly ledger, first of a long history and then night by night.

Everybody in it is made up, with a seed. The history is counted by Dask, each day where it lies, so that no row moves.
Each night after that reads one day, merges it onto a few integers a member that were stored, and stores those again.
What comes out is held against the functions on the whole log: every count is the same.

It needs ``pip install 'shequn[dask]'``, runs on this machine alone, and writes to a temporary folder.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pendulum
from dask.delayed import delayed
from pendulum import duration
from pyarrow import parquet, table

import shequn as sq
from shequn.funnel import FunnelState, convert, funnel_state
from shequn.interop import engines
from shequn.retention import Presence, flow_ledger, presence

TZ = "Asia/Shanghai"
FIRST_DAY = pendulum.datetime(2024, 3, 4, tz=TZ)  # a Monday
HISTORY, NIGHTS = 14, 7  # days that are there when we begin, and days that come after
MEMBERS = 2_000
WEEK = sq.Calendar.of("week", tz=TZ)
FUNNEL = sq.Funnel(
    steps=("join", sq.Step(kinds={"post", "reply"}, name="spoke"), sq.Step(kinds="purchase", name="bought")),
    within=duration(days=7),
)
COLUMNS: dict[str, Any] = {"member": "user_id", "kind": "event", "at": "ts", "value": "amount"}


def midnight(day: int) -> pendulum.DateTime:
    """Return when a day begins in the zone of the community."""
    return FIRST_DAY.add(days=day)


def folder_of(events: Path, day: int) -> Path:
    """Return where the rows of a day lie."""
    return events / f"day={midnight(day).to_date_string()}"


def write_days(events: Path, rng: np.random.Generator) -> None:
    """Make up members who join, come by on some days, talk and buy, and write their rows, a folder a day."""
    joined = rng.integers(0, HISTORY + NIGHTS, MEMBERS)
    eager = rng.beta(1, 3, MEMBERS)
    for day in range(HISTORY + NIGHTS):
        new = np.flatnonzero(joined == day)
        there = np.flatnonzero((joined <= day) & (rng.random(MEMBERS) < eager * 0.9 ** np.maximum(day - joined, 0)))
        often = np.repeat(there, rng.poisson(3, len(there)))
        who = np.concatenate([new, often])
        what = rng.choice(["post", "reply", "read", "purchase"], len(who), p=[0.2, 0.3, 0.45, 0.05])
        what[: len(new)] = "join"
        second = rng.integers(0, 86_400, len(who))
        ts = (int(midnight(day).timestamp()) + second).astype("M8[s]").astype("M8[us]")
        folder = folder_of(events, day)
        folder.mkdir(parents=True)
        rows = {
            "user_id": [f"u{member}" for member in who],
            "event": what.tolist(),
            "ts": ts,
            "amount": np.where(what == "purchase", rng.integers(900, 90_000, len(who)), 0),
        }
        parquet.write_table(table(rows), folder / "rows.parquet")


def read_day(events: Path, day: int) -> sq.EventLog:
    """Read the rows of a day."""
    frame = parquet.read_table(folder_of(events, day) / "rows.parquet", partitioning=None)
    return sq.EventLog.from_frame(frame, **COLUMNS, at_tz="UTC")


def count_history(events: Path) -> tuple[FunnelState, Presence]:
    """Count all days that are there already, side by side: on a cluster, where a `distributed.Client` was made."""
    plan = engines.plan_together(
        {
            "funnel": engines.plan_funnel_spans(
                FUNNEL, bounds=[midnight(day) for day in range(HISTORY + 1)], keep_left=False
            ),
            "presence": engines.plan(presence, every=WEEK, observed_until=midnight(HISTORY)),
        }
    )
    found = engines.dask(plan, [delayed(read_day)(events, day) for day in range(HISTORY)])
    return found["funnel"], found["presence"]


def store(folder: Path, name: str, tally: FunnelState | Presence) -> None:
    """Write a row a member, and a small document beside."""
    parquet.write_table(table(dict(tally.to_member_columns())), folder / f"{name}.parquet")
    (folder / f"{name}.json").write_text(json.dumps(tally.to_state()), encoding="utf-8")


def stored(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read what `store` wrote."""
    columns = parquet.read_table(folder / f"{name}.parquet")
    state = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return {column: columns[column].to_numpy() for column in columns.column_names}, state


def count_night(events: Path, folder: Path, day: int) -> tuple[FunnelState, Presence]:
    """Read one day, and merge it onto what was stored."""
    log = read_day(events, day)
    columns, state = stored(folder, "funnel")
    funnel = FunnelState.from_state(columns, state, funnel=FUNNEL)
    today = funnel_state(log, FUNNEL, start=funnel.end, end=midnight(day + 1), unknown_kinds="ignore")
    columns, state = stored(folder, "presence")
    before = Presence.from_state(columns, state, calendar=WEEK)
    there = presence(log, every=WEEK, observed_until=midnight(day + 1))
    return funnel.merge(today), before.observed(midnight(day + 1)).merge(there)


def main() -> None:
    """Count the history, then each night, and hold the end against the whole log."""
    with TemporaryDirectory() as scratch:
        events, folder = Path(scratch, "events"), Path(scratch)
        write_days(events, np.random.default_rng(20240304))

        funnel, there = count_history(events)
        print(f"{HISTORY} days that were there:\n{funnel}\n{there}\n")
        for day in range(HISTORY, HISTORY + NIGHTS):
            store(folder, "funnel", funnel)
            store(folder, "presence", there)
            funnel, there = count_night(events, folder, day)
            print(f"{midnight(day).to_date_string()}  {funnel}")

        ledger = flow_ledger(there)
        print(f"\n{funnel.result()}\n\n{ledger}\n")
        log = sq.EventLog.concat([read_day(events, day) for day in range(HISTORY + NIGHTS)])
        print(f"The whole log at once, {len(log):,} rows of {len(log.members):,} members:")
        print("the same funnel:", funnel.result() == convert(log, FUNNEL))
        whole = flow_ledger(log, every=WEEK, observed_until=midnight(HISTORY + NIGHTS))
        counts = ("opening", "joined", "revived", "evaporated", "retained")
        same = all(np.array_equal(getattr(ledger, name), getattr(whole, name)) for name in counts)
        print("the same ledger:", same)


if __name__ == "__main__":
    main()
