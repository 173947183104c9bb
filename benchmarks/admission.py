"""Admission of many, and how soon members are answered: ``python -m benchmarks.admission [rows]``.

Admission: a tenth as many applicants as rows, with ids that are integers, in one batch: open with a score and a cap, by
one of three passphrases, by invitation of a thousand members with a quota.

Response times: n rows in the order of time, thirds of them questions, replies to a member and posts, n / 20 members,
a year of whole seconds. The peers find for each question the first reply to who asked at its instant or later, from
columns that are theirs already: Polars with a sort and ``join_asof``, DuckDB with ``ASOF LEFT JOIN``. The peers pair a
reply with a question alone; ours also tells who responded, what can be judged, and what still waits. All must agree on
the sum of the waits. Timed is the best of three; memory is the peak that NumPy allocates meanwhile.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pendulum

import shequn as sq
from shequn import admission
from shequn.entities import PassphraseHash, Platform
from shequn.values import from_us

if TYPE_CHECKING:
    from collections.abc import Callable

_RUNS = 3
_YEAR = 365 * 86_400
_TZ = "Asia/Shanghai"
_START = pendulum.datetime(2024, 1, 1, tz=_TZ)


def best_of(run: Callable[[], Any]) -> tuple[float, Any]:
    """Return the shortest of a few runs, in seconds, and what it returned."""
    seconds, result = float("inf"), None
    for _ in range(_RUNS):
        started = time.perf_counter()
        result = run()
        seconds = min(seconds, time.perf_counter() - started)
    return seconds, result


def peak_mib(run: Callable[[], Any]) -> float:
    """Return what NumPy allocates at most while something runs, in MiB."""
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def admissions(n: int) -> None:
    """Measure `admit` on one batch."""
    rng = np.random.default_rng(7)
    group = sq.Group(id="g", community="c", platform=Platform(id="p"), name="群", created=_START)
    ids, at = rng.permutation(n) + 1_000, _START.int_timestamp + np.sort(rng.integers(0, _YEAR, n))
    kept = PassphraseHash.of("芝麻开门", salt=b"16 random bytes.")
    phrases = np.array(["芝麻开门", "开门", "芝麻"], dtype=object)[rng.integers(0, 3, n)]
    cases = {
        "open, score and cap": (
            admission.Applicants.from_columns(applicant=ids, at=at, time_unit="s", score=rng.random(n)),
            sq.AdmissionPolicy(min_score=0.3, cap=n // 2),
        ),
        "passphrase": (
            admission.Applicants.from_columns(applicant=ids, at=at, time_unit="s", passphrase=phrases),
            sq.AdmissionPolicy(mode="passphrase", passphrase=kept),
        ),
        "invitation, quota and cap": (
            admission.Applicants.from_columns(
                applicant=ids, at=at, time_unit="s", invited_by=rng.integers(0, 1_000, n)
            ),
            sq.AdmissionPolicy(mode="invitation", quota_per_inviter=n // 1_400 + 1, cap=n // 2),
        ),
    }
    state = admission.AdmissionState(members=range(1_000))
    for name, (asked, policy) in cases.items():
        seconds, made = best_of(partial(admission.admit, asked, policy, group=group, tz=_TZ, state=state))
        print(f"admit {n:>11,}  {name:<26} {seconds:7.3f} s   {made!r}")


def answers(n: int) -> None:
    """Measure `response_times` against the as-of joins of others."""
    rng = np.random.default_rng(8)
    kind = rng.integers(0, 3, n).astype(np.int8)
    member, target = rng.integers(0, n // 20, (2, n))
    at = np.sort(rng.integers(0, _YEAR, n))
    log = sq.EventLog.from_columns(
        member=member, kind=np.array(["ask", "reply", "post"], dtype=object)[kind], at=at, time_unit="s", target=target
    )
    until = from_us(_YEAR * 1_000_000)
    own, found = best_of(lambda: admission.response_times(log, as_of=until))
    total = int((found.waited_us[found.answered] // 1_000_000).sum())
    peak = peak_mib(lambda: admission.response_times(log, as_of=until))
    print(f"response_times {n:>11,}  shequn {own:7.3f} s   peak {peak:,.0f} MiB ({peak * 2**20 / n:.0f} B a row)")
    for name, peer in (("Polars, join_asof", polars_run), ("DuckDB, ASOF JOIN", duckdb_run)):
        run = peer(member, target, kind, at)
        seconds, waited = best_of(run)
        if waited != total:
            raise AssertionError(f"{name} waits {waited}, not {total}")
        print(f"response_times {n:>11,}  {name} {seconds:7.3f} s   {seconds / own:.1f} times as long")


def polars_run(member: Any, target: Any, kind: Any, at: Any) -> Callable[[], int]:
    """Return what sums the waits with Polars."""
    import polars as pl  # noqa: PLC0415

    frame = pl.DataFrame({"member": member, "target": target, "kind": kind, "at": at})

    def run() -> int:
        asks = frame.lazy().filter(pl.col("kind") == 0).select(who="member", at="at").sort("at")
        replies = (
            frame.lazy()
            .filter((pl.col("kind") == 1) & (pl.col("member") != pl.col("target")))
            .select(who="target", at="at", replied="at")
            .sort("at")
        )
        joined = asks.join_asof(replies, on="at", by="who", strategy="forward", check_sortedness=False)
        return int(joined.select((pl.col("replied") - pl.col("at")).sum()).collect().item())

    return run


def duckdb_run(member: Any, target: Any, kind: Any, at: Any) -> Callable[[], int]:
    """Return what sums the waits with DuckDB."""
    import duckdb  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    base = duckdb.connect()
    base.execute("SET enable_progress_bar = false")
    base.register("given", pa.table({"member": member, "target": target, "kind": kind, "ts": at}))
    base.execute("CREATE TABLE facts AS SELECT * FROM given")
    query = """
        SELECT sum(r.ts - q.ts)
        FROM (SELECT member AS who, ts FROM facts WHERE kind = 0) q
        ASOF JOIN (SELECT target AS who, ts FROM facts WHERE kind = 1 AND member <> target) r
        ON q.who = r.who AND q.ts <= r.ts
    """

    def run() -> int:
        row = base.execute(query).fetchone()
        return int(row[0]) if row else 0

    return run


if __name__ == "__main__":
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    admissions(rows // 10)
    answers(rows // 10)
    answers(rows)
