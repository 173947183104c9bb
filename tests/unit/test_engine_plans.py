"""What a plan refuses, and what it says of kinds that nobody knows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pendulum
import pytest

import shequn as sq
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownKindWarning, UnknownLabelError
from shequn.interop import engines

WEEKLY: dict[str, Any] = {"every": "week", "tz": "UTC"}
START, END = pendulum.datetime(1970, 1, 1), pendulum.datetime(1970, 1, 9)
FUNNEL = sq.Funnel(steps=("join", "buy"), within=pendulum.duration(days=7))


def log_of(members: list[Any], **more: Any) -> sq.EventLog:
    kinds = ["join"] * len(members)
    return sq.EventLog.from_columns(member=members, kind=kinds, at=range(len(members)), time_unit="s", **more)


@pytest.mark.parametrize("members", [["ann", "bo", "ann"], [7, 8, 7]])
def test_a_member_whose_rows_are_in_two_parts_would_be_two_people(members):
    log = log_of(members)
    parts = [log.where(rows=[0, 1]), log.where(rows=[2])]
    plan = engines.plan(sq.retention.flow_ledger, **WEEKLY)
    told = rf"^parts: expected rows of a member in one part .*, got {members[0]!r} in two \(1 member\)$"
    with pytest.raises(InvalidValueError, match=told):
        plan.run(parts)
    assert plan.run(log.partition(2)) == sq.retention.flow_ledger(log, **WEEKLY)
    anyhow = engines.plan(sq.retention.presence, **WEEKLY)
    assert anyhow.run(parts) == sq.retention.presence(log, **WEEKLY)


@pytest.mark.parametrize("name", ["member", "group"])
def test_labels_that_are_text_in_one_part_and_numbers_in_another_are_nobody_s(name):
    def part(labels: list[Any], who: list[int]) -> sq.EventLog:
        return log_of(labels) if name == "member" else log_of(who, group=labels)

    plan = engines.plan(sq.retention.flow_ledger, **WEEKLY)
    with pytest.raises(InvalidTypeError, match=rf"^{name}: expected labels that are all str or all int, got 'both, in"):
        plan.run([part([1, 2], [1, 2]), part(["1", "2"], [3, 4])])


def test_a_selection_is_a_mask_of_members():
    members = sq.Index(["ann", "bo"])
    with pytest.raises(InvalidTypeError, match=r"^members: expected an Index"):
        engines.Selection(members=["ann", "bo"], mask=[True, False])  # type: ignore[arg-type]
    for mask in ([2, 0], ["x", "y"], [np.nan, 0.0]):
        with pytest.raises(InvalidTypeError, match=r"^mask: expected booleans"):
            engines.Selection(members=members, mask=mask)  # type: ignore[arg-type]
    with pytest.raises(MisalignedError, match=r"^mask: expected one entry for each of the 2 members"):
        engines.Selection(members=members, mask=[True])  # type: ignore[arg-type]


def test_a_selection_is_a_table_like_other_results():
    chosen = engines.Selection(members=sq.Index(["ann", "bo"]), mask=[True, False])  # type: ignore[arg-type]
    assert chosen.table(lang="zh").splitlines()[0].split() == ["成员", "入选"]
    assert {name: column.tolist() for name, column in chosen.to_columns().items()} == {
        "member": ["ann", "bo"],
        "selected": [True, False],
    }


def test_what_is_no_function_of_a_log_has_no_plan():
    for thing in ("presence", None):
        with pytest.raises(InvalidTypeError, match=r"^function: expected a function from a log to a tally"):
            engines.plan(thing)  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match=r"^segments: expected a mapping of name to Rule"):
        engines.plan_selection(sq.rules.count("join") >= 1, segments=[1])  # type: ignore[arg-type]


class OfSparkConnect:
    """A data frame that refuses to show its rows as Spark Connect's does."""

    mapInArrow = None  # noqa: N815  (Spark's name)

    @property
    def rdd(self) -> None:
        raise NotImplementedError("rdd is not implemented")


def test_a_frame_of_spark_connect_is_refused():
    plan = engines.plan(sq.retention.presence, **WEEKLY)
    with pytest.raises(InvalidTypeError, match=r"^frame: expected .*, and not one of Spark Connect, got 'OfSparkConn"):
        engines.spark(plan, OfSparkConnect(), member="u", kind="k", at="t")


OF_FUNNELS: dict[str, tuple[Any, dict[str, Any]]] = {
    "convert": (sq.funnel.convert, {}),
    "trend": (sq.funnel.trend, {"every": "day", "tz": "UTC"}),
    "time_to_convert": (sq.funnel.time_to_convert, {}),
    "conversion_curve": (sq.funnel.conversion_curve, {"observed_until": END}),
    "correlate": (sq.funnel.correlate, {}),
    "funnel_state": (sq.funnel.funnel_state, {"start": START, "end": END}),
}


@pytest.mark.parametrize("name", OF_FUNNELS)
def test_a_funnel_names_a_kind_that_no_part_has(name):
    function, options = OF_FUNNELS[name]
    log = log_of(["ann", "bo", "ann"])
    plan = engines.plan(function, FUNNEL, **options, unknown_kinds="raise")
    for ask in (
        lambda: function(log, FUNNEL, **options, unknown_kinds="raise"),
        lambda: plan.run(log.partition(2)),
    ):
        with pytest.raises(UnknownLabelError, match="steps: expected kinds that the log contains, got 'buy'"):
            ask()
    with pytest.warns(UnknownKindWarning, match="'buy'"):
        engines.plan(function, FUNNEL, **options).run(log.partition(2))


def test_a_funnel_of_spans_names_a_kind_that_no_part_has():
    plan = engines.plan_funnel_spans(FUNNEL, bounds=[START, END], unknown_kinds="raise")
    with pytest.raises(UnknownLabelError, match="steps: expected kinds that the log contains, got 'buy'"):
        plan.run([log_of(["ann", "bo"])])


def test_no_rows_and_a_kind_that_is_known_are_nothing_to_speak_of():
    log = log_of(["ann"])
    assert sq.funnel.convert(sq.EventLog.empty(), FUNNEL).reached.tolist() == [0, 0]
    with pytest.warns(UnknownKindWarning, match="'buy'"):
        sq.funnel.convert(log.where(rows=[]), FUNNEL)
