"""The funnel: how many members got how far, against `windowFunnel` of ClickHouse, and what our other orders cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.contenders import (
    FUNNEL,
    FUNNEL_CONDITIONS,
    FUNNEL_PEERS,
    FUNNEL_SORTED,
    FUNNEL_SORTED_PEERS,
    FUNNEL_SORTED_SLOWER,
)
from benchmarks.race import How, race
from benchmarks.workload import KINDS, STEPS, Drawn, members_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.report import Table
    from benchmarks.workload import Workload

__all__ = ["measure"]

_SHARES = {"half of them steps": len(KINDS), "all of them steps": len(STEPS)}


def measure(workload: Workload, n_rows: int, how: How, *, smaller: int | None, also_slower: bool) -> Iterator[Table]:
    """Measure the ordered funnel on a log in no order and on a sorted one, then what other orders and conditions take.

    The first two are of rows of which half match a step, and of rows that all do; the last of the former.
    """
    for share, n_kinds in _SHARES.items():
        drawn = Drawn(workload, n_rows, n_kinds=n_kinds)
        about = f"{workload}: {n_rows:,} rows, {share}, {members_of(n_rows):,} members"
        yield race(f"funnel, {about}", FUNNEL, FUNNEL_PEERS, drawn, how, smaller=smaller)
        peers = (*FUNNEL_SORTED_PEERS, *(FUNNEL_SORTED_SLOWER if also_slower else ()))
        yield race(f"funnel on a sorted log, {about}", FUNNEL_SORTED, peers, drawn, how, smaller=smaller)
    share, n_kinds = next(iter(_SHARES.items()))
    yield race(
        f"other orders and conditions, {workload}: {n_rows:,} rows, {share}, {members_of(n_rows):,} members",
        FUNNEL,
        FUNNEL_CONDITIONS,
        Drawn(workload, n_rows, n_kinds=n_kinds),
        how,
        must_agree=False,
        unit="ordered",
    )
