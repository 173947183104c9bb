"""This library: the ledger and the cohort table, both from one presence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.contenders import Loaded
from benchmarks.workload import KINDS, N_WEEKS, ORIGIN_S, WEEK_S, ZONE
from shequn.columns import EventLog
from shequn.retention import CohortTable, FlowLedger, cohort_table, flow_ledger, presence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.workload import Columns

_CHUNK = 10_000_000  # so that the text of the kinds is never there for all rows at once


def load(columns: Columns, query: str) -> Loaded:
    assert query == "presence"
    log = event_log(columns)

    def count() -> tuple[FlowLedger, CohortTable]:
        tally = presence(log, every="week", tz=ZONE)
        return flow_ledger(tally), cohort_table(tally)

    return Loaded(count, lambda results: _table(*results))


def event_log(columns: Columns, item: NDArray[np.uint8] | None = None) -> EventLog:
    kinds = np.array(KINDS, dtype=object)
    chunks = [slice(start, start + _CHUNK) for start in range(0, len(columns.member), _CHUNK)]
    parts = [
        EventLog.from_columns(
            member=columns.member[chunk],
            kind=kinds[columns.kind[chunk]],
            at=columns.second[chunk].astype(np.int64),
            time_unit="s",
            item=None if item is None else item[chunk],
        )
        for chunk in chunks
    ]
    return parts[0] if len(parts) == 1 else EventLog.concat(parts)


def _table(ledger: FlowLedger, cohorts: CohortTable) -> NDArray[np.int64]:
    """Return the counts of the cohort table, once the ledger has been held against them."""
    start_s = (np.datetime64(ORIGIN_S, "s") + np.timedelta64(8, "h")).astype("M8[D]")
    first = int((cohorts.cohorts[0] - start_s) // np.timedelta64(WEEK_S, "s"))
    table = np.zeros((N_WEEKS, N_WEEKS), dtype=np.int64)
    table[first : first + cohorts.n_cohorts, : cohorts.n_offsets] = cohorts.raw
    joined = table[:, 0]
    active = np.array([np.trace(np.fliplr(table[: week + 1, : week + 1])) for week in range(N_WEEKS)])
    assert not ledger.residual.any()
    assert np.array_equal(ledger.joined, joined[first : first + len(ledger.joined)])
    assert np.array_equal(ledger.retained, active[first : first + len(ledger.retained)])
    return table
