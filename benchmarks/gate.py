"""The send gate over a day of messages: ``python -m benchmarks.gate [members]``.

The case: n members, 3 n messages of one day in no order (whole seconds, three priorities), quiet from 22:00 to 08:00
except for the highest priority, at most 2 a day, 6 a week and 20 a month to one member, 3 hours apart. Timed is
`Gate.decide_all` on messages that are columns already, the best of five; once more with a cap on fatigue pressure, and
with three receipts a member in the month before as history. Memory is the peak that NumPy allocates meanwhile.
"""

from __future__ import annotations

import sys
import time
import tracemalloc

import numpy as np
import pendulum

import shequn as sq
from shequn.content import Gate, Messages, Pressure

_TZ = "Asia/Shanghai"
_RUNS = 5


def messages_of_a_day(n_members: int) -> Messages:
    """Return three messages a member, on the average."""
    rng = np.random.default_rng(7)
    n = 3 * n_members
    midnight = pendulum.datetime(2024, 3, 1, tz=_TZ).int_timestamp
    return Messages.from_columns(
        member=rng.integers(0, n_members, n),
        at=midnight + rng.integers(0, 86_400, n),
        time_unit="s",
        priority=rng.integers(0, 3, n),
    )


def month_before(n_members: int) -> sq.EventLog:
    """Return three receipts a member, on the average, of the 30 days before."""
    rng = np.random.default_rng(8)
    n = 3 * n_members
    midnight = pendulum.datetime(2024, 3, 1, tz=_TZ).int_timestamp
    return sq.EventLog.from_columns(
        member=rng.integers(0, n_members, n),
        kind="receive",
        at=midnight - rng.integers(1, 30 * 86_400, n),
        time_unit="s",
    )


def gate(*, with_pressure: bool) -> Gate:
    """Return the gate of the case."""
    return Gate(
        quiet=sq.DailyWindow(start="22:00", end="08:00", tz=_TZ),
        cadence=sq.Cadence(per_day=2, per_week=6, per_month=20, min_gap=pendulum.duration(hours=3)),
        pressure=Pressure(half_life=pendulum.duration(hours=12), cap=2.5) if with_pressure else None,
        tz=_TZ,
        urgent=2,
    )


def main(n_members: int) -> None:
    """Print a line for each case."""
    messages, history = messages_of_a_day(n_members), month_before(n_members)
    print(f"{n_members:,} members, {len(messages):,} messages")
    for name, tested, before in (
        ("quiet hours and cadence", gate(with_pressure=False), None),
        ("and fatigue pressure", gate(with_pressure=True), None),
        ("and a month of history", gate(with_pressure=True), history),
    ):
        walls: list[float] = []
        cpus: list[float] = []
        for _ in range(_RUNS):
            wall, cpu = time.perf_counter(), time.process_time()
            tested.decide_all(messages, history=before)
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
        tracemalloc.start()
        decisions = tested.decide_all(messages, history=before)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        print(f"{name:24} wall {min(walls):.3f} s, process {min(cpus):.3f} s, peak {peak:.0f} MiB, {decisions!r}")


if __name__ == "__main__":
    main(int(sys.argv[1].replace("_", "")) if len(sys.argv) > 1 else 1_000_000)
