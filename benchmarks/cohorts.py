"""The main measurement: the ledger and the cohort table of this library against the cohort table of each peer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.contenders import OURS, Contender
from benchmarks.race import How, race
from benchmarks.workload import N_WEEKS, ZONE, Drawn, members_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.report import Table
    from benchmarks.workload import Workload

__all__ = ["measure"]


def measure(peers: Sequence[Contender], workload: Workload, n_rows: int, how: How, *, smaller: int | None) -> Table:
    """Run ours and each peer in turn, once all have been found to give the same table."""
    title = f"{workload}: {n_rows:,} rows, {members_of(n_rows):,} members, {N_WEEKS} weeks in {ZONE}"
    return race(title, OURS, peers, Drawn(workload, n_rows), how, smaller=smaller)
