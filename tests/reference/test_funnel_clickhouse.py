"""Three modes of ClickHouse's ``windowFunnel`` equal three of our definitions, live."""

from __future__ import annotations

import chdb
import numpy as np
import pyarrow as pa
import pytest
from pendulum import duration

from shequn.columns import EventLog
from shequn.funnel import Funnel, match

_N_MEMBERS, _ROWS_A_MEMBER, _SPAN_S, _WITHIN_S = 2_500, 9, 14, 6

MODES = {
    "": {"ties": "free", "reuse": "allow"},
    ", 'strict_once'": {"ties": "free", "reuse": "once"},
    ", 'strict_once', 'strict_increase'": {"ties": "increase", "reuse": "once"},
}

# Steps that overlap and repeat, in ClickHouse's words and in ours; kinds are 0 to 3.
FUNNELS = {
    "three kinds": (["kind = 0", "kind = 1", "kind = 2"], ["k0", "k1", "k2"]),
    "one kind twice": (["kind = 0", "kind = 0", "kind = 1"], ["k0", "k0", "k1"]),
    "overlapping": (
        ["kind IN (0, 1)", "kind IN (1, 2)", "kind IN (1, 2, 3)"],
        [{"k0", "k1"}, {"k1", "k2"}, {"k1", "k2", "k3"}],
    ),
}


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(20_240_103)
    n_rows = _N_MEMBERS * _ROWS_A_MEMBER
    return pa.table(
        {
            "member": rng.integers(_N_MEMBERS, size=n_rows, dtype=np.uint32),
            "second": rng.integers(_SPAN_S, size=n_rows, dtype=np.uint32),
            "kind": rng.integers(4, size=n_rows, dtype=np.uint8),
        }
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("steps", FUNNELS)
def test_levels_equal_those_of_window_funnel(rows, steps, mode):
    theirs, ours = FUNNELS[steps]
    query = f"""
        SELECT member, windowFunnel({_WITHIN_S}{mode})(second, {", ".join(theirs)}) AS level
        FROM Python(rows) GROUP BY member ORDER BY member"""  # noqa: S608 - made of constants
    answer = chdb.query(query, "CSV").data()
    expected = dict(tuple(map(int, line.split(","))) for line in answer.split())
    log = EventLog.from_columns(
        member=rows["member"].to_numpy(),
        kind=np.array(["k0", "k1", "k2", "k3"], dtype=object)[rows["kind"].to_numpy()],
        at=rows["second"].to_numpy().astype(np.int64),
        time_unit="s",
    )
    found = match(log, Funnel(steps=ours, within=duration(seconds=_WITHIN_S), **MODES[mode]))
    levels = dict.fromkeys(expected, 0) | dict(zip(found.members, found.level.tolist(), strict=True))
    assert len(expected) > 2_000
    assert len(set(expected.values())) >= 3
    assert levels == expected
