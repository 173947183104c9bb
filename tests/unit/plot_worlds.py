"""One small result for each figure, with what it must cope with: unfinished periods, unknown rates, few members."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pendulum

import shequn as sq
from shequn import plot
from shequn.campaigns import Arm, Outcome
from shequn.content import schedule
from shequn.funnel import FunnelResult
from shequn.lifecycle import CommunitySeries, stages
from shequn.lifetime import BetaGeoNBD, HoldoutCheck
from shequn.retention import CohortTable, FlowLedger, ReturnCurve, kaplan_meier
from shequn.segmentation import Migration
from shequn.sharding import Shards

if TYPE_CHECKING:
    from collections.abc import Callable

TZ = "Asia/Shanghai"
MONDAY = pendulum.datetime(2024, 3, 4, tz=TZ)
QUIET = (
    sq.DailyWindow(start="22:30", end="07:30", tz=TZ),
    sq.DailyWindow(start="09:00", end="18:00", weekdays="mon-fri", tz=TZ),
)


def mondays(n: int) -> Any:
    return np.datetime64("2024-03-04") + 7 * np.arange(n)


@cache
def ledger() -> FlowLedger:
    """Five weeks, the last of which isn't over."""
    return FlowLedger.from_counts(
        period=mondays(5),
        joined=[40, 25, 10, 8, 3],
        revived=[0, 0, 6, 9, 2],
        evaporated=[0, 12, 20, 11, 5],
        tz=TZ,
        observed_until=MONDAY.add(days=31),
    )


@cache
def cohorts() -> CohortTable:
    """Four weeks; a young cohort was not observed for long, and one is empty."""
    return CohortTable.from_counts(
        cohort=mondays(4),
        sizes=[40, 25, 0, 8],
        returned=[[40, 20, 10, 6], [25, 10, 5, 0], [0, 0, 0, 0], [8, 0, 0, 0]],
        tz=TZ,
        observed_until=MONDAY.add(weeks=4),
    )


@cache
def curves() -> dict[str, ReturnCurve]:
    offsets = ((0, 0), (1, 1), (2, 3), (4, 4))
    return {
        "silver": ReturnCurve(offsets=offsets, returned=[100, 40, 20, 0], eligible=[100, 90, 60, 0]),
        "gold $5$": ReturnCurve(offsets=offsets, returned=[30, 21, 15, 8], eligible=[30, 28, 22, 12]),
    }


@cache
def survival() -> dict[str, Any]:
    return {
        "asked": kaplan_meier([2, 4, 4, 7, 9, 12], observed=[True, True, False, True, False, True], unit="day"),
        "silent": kaplan_meier([1, 1, 2, 3, 3, 8], observed=[True, True, True, True, True, False], unit="day"),
    }


@cache
def funnel() -> FunnelResult:
    return attrs.evolve(
        FunnelResult.from_counts(steps=["join", "post", "reply", "purchase"], reached=[200, 120, 30, 24]), optional=(2,)
    )


@cache
def movement() -> Migration:
    """Ordered segments, with members who came and who went."""
    return Migration.from_counts(
        segments=["basic", "silver", "gold"],
        counts=[[60, 12, 1], [8, 25, 6], [0, 4, 10]],
        entered=[15, 2, 0],
        left=[9, 3, 1],
        ordered=True,
    )


@cache
def groups() -> Shards:
    """Four groups: one lacks a leader, and one has no ties."""
    graph = sq.InteractionGraph.from_ties(
        [0, 1, 2, 3, 5, 6, 0], [1, 2, 0, 4, 6, 7, 7], [5, 4, 3, 6, 2, 2, 3], n_members=10
    )
    leaders = np.isin(np.arange(10), [0, 3, 8])
    return Shards.of(graph, [0, 0, 0, 1, 1, 2, 2, 2, 3, 3], sizes=(2, 3), leaders=leaders, min_leaders=1)


@cache
def life() -> Any:
    """A community that grows, lives and falls asleep, and a week that isn't over."""
    members = [20, 40, 80, 160, 200, 205, 206, 206, 206, 206, 206, 206, 206]
    active = [10, 20, 40, 80, 100, 90, 80, 30, 10, 1, 0, 0, 0]
    series = CommunitySeries(members=members, active=active, messages=[4 * n for n in active], partial=1)
    return stages(series)


@cache
def calibration() -> HoldoutCheck:
    """The fourth row is of nobody, and the last of one member, whose interval is unknown."""
    return HoldoutCheck(
        members=[90, 20, 10, 0, 1],
        purchases=[9, 8, 9, 0, 3],
        foreseen=[11.0, 7.5, 7.0, 0.0, 2.0],
        squares=[9.0, 14.0, 13.0, 0.0, 9.0],
        n_periods=26,
        model=BetaGeoNBD(r=0.243, alpha=4.414, a=0.793, b=2.426),
    )


@cache
def calendar() -> Any:
    kinds = ["educational", "interactive", "informational", "educational", "interactive", "entertainment"]
    items = [
        sq.ContentItem(id=f"{n} {kind}", kind=kind, created=MONDAY.subtract(days=1)) for n, kind in enumerate(kinds)
    ]
    return schedule(
        items,
        window=sq.Window(MONDAY, MONDAY.add(days=7)),
        tz=TZ,
        times=["08:00", "12:30", "18:30", "20:00"],
        quiet=QUIET,
        cadence=sq.Cadence(per_day=1),
    )


def outcome(**options: Any) -> Outcome:
    festival = sq.Campaign(id="mid-autumn", forms={"lottery"}, window=sq.Window(MONDAY, MONDAY.add(days=7)))
    return Outcome(
        campaign=festival,
        margin=0.4,
        **{
            "as_of": MONDAY.add(days=7),
            "treated": Arm(members=70, reached=66, participated=30, converted=56, **money(130)),
            "held_out": Arm(members=80, participated=20, converted=48, **money(100)),
        }
        | options,
    )


def money(yuan: int) -> dict[str, Any]:
    return {"revenue": sq.Money.of(70 * yuan, "CNY"), "revenue_sd": 4_000.0}


# What is drawn, by the name of the reference image: everything a figure has, in one.
FIGURES: dict[str, Callable[..., Any]] = {
    "ledger": lambda **o: plot.ledger(ledger(), **o),
    "cohorts": lambda **o: plot.cohorts(cohorts(), **o),
    "retention": lambda **o: plot.retention(curves(), **o),
    "survival": lambda **o: plot.survival(survival(), **o),
    "funnel": lambda **o: plot.funnel(funnel(), **o),
    "movement": lambda **o: plot.movement(movement(), **o),
    "groups": lambda **o: plot.groups(groups(), **o),
    "stages": lambda **o: plot.stages(life(), **o),
    "calibration": lambda **o: plot.calibration(calibration(), **o),
    "calendar": lambda **o: plot.calendar(calendar(), quiet=QUIET, **o),
    "uplift": lambda **o: plot.uplift(outcome(), **o),
}
