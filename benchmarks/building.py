"""The other figures: what it costs to make a log, how heavy it is, and what its parts take."""

from __future__ import annotations

import gc
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pendulum

from benchmarks.contenders.own import event_log
from benchmarks.report import Table, mega, seconds, spread
from benchmarks.workload import N_WEEKS, ORIGIN_S, WEEK_S, ZONE, columns
from shequn.columns import EventLog
from shequn.entities import Member
from shequn.values import Calendar

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["INPUTS", "Input", "building", "encoded_alike", "weighing"]

_SEED = 20_240_102


class Input(NamedTuple):
    """Member ids in one form, made anew for each run: a string remembers its hash once it has been asked for it."""

    title: str
    make: Callable[[int, int], NDArray[Any]]  # rows, distinct ids
    at_most: float  # times what `pandas.factorize` takes


def _ids(n_rows: int, n_distinct: int) -> NDArray[np.int64]:
    return np.random.default_rng(_SEED).integers(n_distinct, size=n_rows)


def _names(n_distinct: int) -> NDArray[np.str_]:
    return np.char.mod("user_%07d", np.arange(n_distinct))


def _dense(n_rows: int, n_distinct: int) -> NDArray[Any]:
    return _ids(n_rows, n_distinct)


def _wide(n_rows: int, n_distinct: int) -> NDArray[Any]:
    return np.random.default_rng(_SEED).integers(-(2**62), 2**62, size=n_distinct)[_ids(n_rows, n_distinct)]


def _shared_objects(n_rows: int, n_distinct: int) -> NDArray[Any]:
    return _names(n_distinct).astype(object)[_ids(n_rows, n_distinct)]


def _own_objects(n_rows: int, n_distinct: int) -> NDArray[Any]:
    return _fixed_width(n_rows, n_distinct).astype(object)


def _fixed_width(n_rows: int, n_distinct: int) -> NDArray[Any]:
    return _names(n_distinct)[_ids(n_rows, n_distinct)]


INPUTS = (
    Input("str, one object an id", _shared_objects, 2),
    Input("str, one object a row", _own_objects, 2),
    Input("str, fixed width", _fixed_width, 2),
    Input("int, dense", _dense, 1),
    Input("int, of 64 bits", _wide, 1),
)


def encoded_alike(title: str, n_rows: int, n_distinct: int) -> bool:
    """Return whether the log and `pandas.factorize` tell the same ids apart, and neither lost one."""
    ids = _input(title).make(n_rows, n_distinct)
    log = _log_of(ids, _instants(n_rows))
    codes, labels = pd.factorize(ids)
    ours, theirs = log.members.labels[log.member_codes], labels[codes]
    return bool(np.array_equal(ours, ids) and np.array_equal(theirs, ids) and len(labels) == len(log.members))


def building(n_rows: int, n_distinct: int, repeats: int, say: Callable[[str], None]) -> Table:
    """Time `EventLog.from_columns` against `pandas.factorize` of its member ids alone."""
    rows = []
    for given in INPUTS:
        say(f"building from {given.title}")
        pairs: list[tuple[float, float]] = _in_a_process(_time_building, given.title, n_rows, n_distinct, repeats)
        ratios = [ours / theirs for ours, theirs in pairs]
        ours, theirs = (median(column) for column in zip(*pairs, strict=True))
        limit = f"≤ {given.at_most}"
        rows.append((given.title, seconds(ours), seconds(theirs), *spread(ratios).split(" ", 1), limit))
    return Table(
        title=f"from_columns, {n_rows:,} rows, {n_distinct:,} members; pandas.factorize of the members alone",
        header=("member ids", "shequn, seconds", "pandas, seconds", "shequn / pandas", "(least – most)", "goal"),
        rows=rows,
    )


def weighing(n_rows: int, n_records: int, repeats: int, say: Callable[[str], None]) -> Table:
    """Time and weigh the single parts."""
    say("weighing a log, numbering periods, checking records")
    return Table(
        title="single parts",
        header=("", "figure", "goal"),
        rows=[
            _in_a_process(_weigh_columns, n_rows),
            _in_a_process(_time_periods, n_rows, repeats),
            _in_a_process(_time_members, n_records, repeats),
        ],
    )


def _in_a_process(function: Callable[..., Any], *arguments: object) -> Any:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def _input(title: str) -> Input:
    return next(given for given in INPUTS if given.title == title)


def _instants(n_rows: int) -> NDArray[np.int64]:
    return ORIGIN_S + np.random.default_rng(_SEED).integers(N_WEEKS * WEEK_S, size=n_rows)


def _log_of(ids: NDArray[Any], at: NDArray[np.int64]) -> EventLog:
    return EventLog.from_columns(member=ids, kind="post", at=at, time_unit="s")


def _timed(function: Callable[..., object], *arguments: object) -> float:
    """Return processor time: all of this is done by one core, and a neighbour's work is no part of it."""
    gc.collect()
    start = process_time()
    function(*arguments)
    return process_time() - start


def _time_building(title: str, n_rows: int, n_distinct: int, repeats: int) -> list[tuple[float, float]]:
    if not encoded_alike(title, n_rows, n_distinct):
        raise AssertionError(f"{title}: pandas tells other ids apart")
    make, at = _input(title).make, _instants(n_rows)
    pairs = []
    for _ in range(repeats):
        ids = make(n_rows, n_distinct)
        theirs = _timed(pd.factorize, ids)
        del ids
        ids = make(n_rows, n_distinct)
        pairs.append((_timed(_log_of, ids, at), theirs))
        del ids
    return pairs


def _weigh_columns(n_rows: int) -> tuple[str, str, str]:
    log = event_log(columns("uniform", n_rows))
    n_bytes = log.member_codes.nbytes + log.kind_codes.nbytes + log.at_us.nbytes
    return f"columns member, kind, at of {n_rows:,} rows, without labels", mega(n_bytes), f"≤ {mega(14 * n_rows)}"


def _time_periods(n_rows: int, repeats: int) -> tuple[str, str, str]:
    at_us = _instants(n_rows) * 1_000_000
    weeks = Calendar(unit="week", tz=ZONE)
    numbers = weeks.index(at_us)
    assert np.array_equal(numbers - weeks.index_one(ORIGIN_S * 1_000_000), (at_us // 1_000_000 - ORIGIN_S) // WEEK_S)
    took = median(_timed(weeks.index, at_us) for _ in range(repeats))
    return f"number of the week of {n_rows:,} instants", f"{took * 1000:.0f} ms", ""


def _time_members(n_records: int, repeats: int) -> tuple[str, str, str]:
    joined = [pendulum.datetime(2024, 1, 1).add(minutes=row) for row in range(n_records)]
    rows = [(f"user_{row:07d}", f"user_{row // 3:07d}" if row else None, at) for row, at in enumerate(joined)]

    def make() -> list[Member]:
        return [
            Member(id=name, invited_by=inviter, joined=at, tags={"interests": {"tea"}}, fields={"city": "上海"})
            for name, inviter, at in rows
        ]

    # What pandas and the like hold would be gone through by the garbage collector again and again meanwhile.
    gc.collect()
    gc.freeze()
    took = median(_timed(make) for _ in range(repeats))
    gc.unfreeze()
    return f"{n_records:,} Member records, each field checked", f"{seconds(took)} s", "≤ 0.5 s"
