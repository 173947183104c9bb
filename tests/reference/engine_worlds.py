"""Logs to count in parts, every plan there is, and what it must find: the function itself, on the whole log.

Used with random logs in one process, and on real clusters of Dask and Spark.
"""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - a named tuple's annotation
from functools import partial
from typing import Any, NamedTuple

import attrs
import numpy as np
import pendulum

import shequn as sq
from shequn.columns.breakdown import Breakdown
from shequn.interop import engines
from shequn.segmentation import rfm, rfm_values

START = pendulum.datetime(2024, 3, 4, tz="Asia/Shanghai")
N_DAYS = 30
END = START.add(days=N_DAYS)
KINDS = ["join", "post", "reply", "purchase", "leave", "receive"]
FUNNEL = sq.Funnel(
    steps=("join", {"post", "reply"}, sq.Step(kinds="purchase", where=sq.row("value") >= 50, name="bought")),
    within=pendulum.duration(days=5),
)
BOUNDS = [START.add(days=day) for day in (0, 1, 2, 7, 14, 15, 30)]
ROSTER = sq.Roster.from_columns(
    member=[f"u{n}" for n in range(0, 60, 2)] + ["nobody"], fields={"age": [n % 50 for n in range(31)]}
)
BY = {f"u{n}": "even" if n % 2 == 0 else "odd" for n in range(50)}


def columns_of(rng: np.random.Generator, n_rows: int, n_members: int = 40) -> dict[str, Any]:
    """Rows in no order, with many at the same instant, some without a group, a target or a value of their own."""
    at = int(START.timestamp()) + rng.integers(0, N_DAYS * 24, n_rows) * 3600
    someone = np.array([f"u{n}" for n in range(n_members)], dtype=object)
    groups = np.array(["g1", "g2", "g3", None], dtype=object)
    return {
        "user_id": someone[rng.integers(0, n_members, n_rows)],
        "event": np.array(KINDS, dtype=object)[rng.integers(0, len(KINDS), n_rows)],
        "ts": at,
        "amount": rng.integers(0, 100, n_rows),
        "whom": np.append(someone, None)[rng.integers(0, n_members + 1, n_rows)],
        "chat": groups[rng.integers(0, 4, n_rows)],
        "channel": np.array(["抖音", "微博"], dtype=object)[rng.integers(0, 2, n_rows)],
    }


NAMES: dict[str, Any] = {
    "member": "user_id",
    "kind": "event",
    "at": "ts",
    "value": "amount",
    "target": "whom",
    "group": "chat",
    "extra": ["channel"],
}


def log_of(columns: dict[str, Any], rows: Any = slice(None)) -> sq.EventLog:
    return sq.EventLog.from_frame({name: c[rows] for name, c in columns.items()}, **NAMES, time_unit="s")


class Case(NamedTuple):
    plan: engines.Plan[Any]
    whole: Callable[[sq.EventLog], Any]


def counted(function: Callable[..., Any], *args: Any, **options: Any) -> Case:
    return Case(
        engines.plan(function, *args, unknown_kinds="ignore", **options),
        lambda log: function(log, *args, unknown_kinds="ignore", **options),
    )


WEEKLY: dict[str, Any] = {"every": "week", "tz": "Asia/Shanghai"}
RULE = (sq.rules.field("age") >= 18) & (sq.rules.count("post", within=pendulum.duration(days=20)) >= 1)
FACTS = sq.rules.did("purchase") & ~sq.rules.did("leave", within=pendulum.duration(days=10))
RFM: dict[str, Any] = {"as_of": END, "kinds": {"purchase", "post"}}


def selected(log: sq.EventLog, rule: sq.rules.Rule, roster: sq.Roster | None) -> engines.Selection:
    asked = sq.Roster.from_columns(member=sorted(log.members)) if roster is None else roster
    mask = rule.mask(asked, log, as_of=END, unknown_kinds="ignore")
    return engines.Selection(members=asked.members, mask=mask)


def selection(rule: sq.rules.Rule, roster: sq.Roster | None) -> Case:
    return Case(
        engines.plan_selection(rule, as_of=END, roster=roster, unknown_kinds="ignore"),
        partial(selected, rule=rule, roster=roster),
    )


CASES = {
    "presence": counted(sq.retention.presence, **WEEKLY),
    "ledger": counted(sq.retention.flow_ledger, **WEEKLY),
    "ledger with grace": counted(sq.retention.flow_ledger, **WEEKLY, grace=1, observed_until=END),
    "ledger of memberships": counted(sq.retention.flow_ledger, **WEEKLY, basis="membership"),
    "ledger by group": counted(sq.retention.flow_ledger, **WEEKLY, by="group"),
    "ledger by mapping": counted(sq.retention.flow_ledger, **WEEKLY, by=BY),
    "cohorts": counted(sq.retention.cohort_table, **WEEKLY),
    "cohorts by elapsed time": counted(sq.retention.cohort_table, **WEEKLY, clock="elapsed"),
    "survival": counted(sq.retention.survival, idle_after=pendulum.duration(days=7)),
    "survival by channel": counted(sq.retention.survival, idle_after=pendulum.duration(days=7), by="channel"),
    "funnel": counted(sq.funnel.convert, FUNNEL),
    "funnel by channel": counted(sq.funnel.convert, FUNNEL, by="channel"),
    "funnel of complete entries": counted(sq.funnel.convert, FUNNEL, maturity="complete", observed_until=END),
    "funnel trend": counted(sq.funnel.trend, FUNNEL, **WEEKLY),
    "time to convert": counted(sq.funnel.conversion_curve, FUNNEL, observed_until=END),
    "funnel state": counted(sq.funnel.funnel_state, FUNNEL, start=START, end=END),
    "rfm": counted(rfm, **RFM, bins=3, few_values="ignore"),
    "rfm by days": counted(rfm, **RFM, bins=2, few_values="ignore", frequency="days", tz="UTC", ties="midrank"),
    "rfm values": counted(rfm_values, **RFM),
    "graph": counted(sq.InteractionGraph.from_log, kinds={"reply", "post"}),
    "rule on a roster": selection(RULE, ROSTER),
    "rule on facts": selection(FACTS, None),
}
SPANS = Case(
    engines.plan_funnel_spans(FUNNEL, bounds=BOUNDS, unknown_kinds="ignore"),
    lambda log: sq.funnel.funnel_state(log, FUNNEL, start=START, end=END, unknown_kinds="ignore"),
)
TOGETHER = Case(
    engines.plan_together({name: case.plan for name, case in CASES.items()}),
    lambda log: {name: case.whole(log) for name, case in CASES.items()},
)


def by_day(columns: dict[str, Any], n_parts: int) -> list[np.ndarray]:
    """Rows of each part, split between spans of time."""
    edges = np.array([int(bound.timestamp()) for bound in BOUNDS])
    span = np.searchsorted(edges, columns["ts"], side="right") - 1
    return [np.flatnonzero(span % n_parts == part) for part in range(n_parts)]


def assert_same(found: Any, whole: Any) -> None:
    """Every column the same, in every part of a breakdown, whatever order members come in."""
    assert type(found) is type(whole)
    if isinstance(whole, dict):
        assert found.keys() == whole.keys()
        for name in whole:
            assert_same(found[name], whole[name])
    elif isinstance(whole, Breakdown):
        assert_same(found.total, whole.total)
        assert set(found.parts) == {
            segment for segment in whole.parts if not _is_nobody(whole.parts[segment]) or segment in found.parts
        }
        for segment, part in found.parts.items():
            assert_same(part, whole.parts[segment])
        assert (found.unassigned is None) == (whole.unassigned is None)
        if whole.unassigned is not None:
            assert_same(found.unassigned, whole.unassigned)
        assert found.overlap.tolist() == whole.overlap.tolist()
    else:
        if isinstance(whole, sq.InteractionGraph):
            assert set(found.members) == set(whole.members)
            whole = attrs.evolve(whole.align(found.members), n_self=whole.n_self)
        if not isinstance(whole, sq.segmentation.RfmValues | sq.segmentation.Rfm):
            assert found == whole
        if isinstance(whole, sq.segmentation.Rfm):
            assert found.cuts == whole.cuts
        assert_same_columns(columns_by_member(found), columns_by_member(whole))


def _is_nobody(part: Any) -> bool:
    return int(part._headcount().sum()) == 0


def columns_by_member(result: Any) -> dict[str, np.ndarray]:
    if isinstance(result, sq.segmentation.RfmValues):
        names = ("recency_us", "frequency", "monetary")
        columns = {"member": result.members.labels} | {name: getattr(result, name) for name in names}
    elif hasattr(result, "to_member_columns"):
        columns = result.to_member_columns()
    elif hasattr(result, "to_columns"):
        columns = result.to_columns()
    else:
        return {}
    if "member" not in columns:
        return columns
    order = np.argsort(columns["member"], kind="stable")
    return {name: column[order] for name, column in columns.items()}


def assert_same_columns(found: dict[str, np.ndarray], whole: dict[str, np.ndarray]) -> None:
    assert list(found) == list(whole)
    for name, column in whole.items():
        assert found[name].dtype.kind == column.dtype.kind or not len(column), name
        np.testing.assert_array_equal(found[name], column, err_msg=name)


def values_of_members(log: sq.EventLog) -> dict[object, list[int]]:
    """The values of each member, in the order of rows; defined here, where the processes of an engine find it."""
    found: dict[object, list[int]] = {}
    assert log.value is not None
    for member, value in zip(log.member.labels().tolist(), log.value.tolist(), strict=True):
        found.setdefault(member, []).append(value)
    return found


def no_member_twice(one: dict[object, Any], other: dict[object, Any]) -> dict[object, Any]:
    assert not one.keys() & other.keys()
    return one | other


def sizes_of(log: sq.EventLog) -> list[int]:
    """How many rows a part has; defined here, where the processes of an engine find it."""
    return [len(log)]
