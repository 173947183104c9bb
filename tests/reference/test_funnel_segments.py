"""Segment by segment, times and trends are those of the members alone, or of the attempts that begin with a value."""
# ruff: noqa: S311 - what is drawn is no secret

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from tests.reference import slow_funnel as slow
from tests.reference.test_funnel_brute_force import _ORIGIN_S, drawn, funnel_of, log_of, rows_of, rules_of

from shequn.funnel import convert, time_to_convert, trend

ORDERS = ("ordered", "strict", "any")
N_DRAWS = 60
VALUES = (None, "p", "q")
TICK_S = 1200


def draws(name, order):
    for number in range(N_DRAWS):
        yield drawn(random.Random(f"{name} {order} {number}"), order)


def levels(log, funnel, **options):
    return convert(log, funnel, unknown_kinds="ignore", **options)


def times(log, funnel, **options):
    return time_to_convert(log, funnel, unknown_kinds="ignore", **options)


def by_hour(log, funnel, **options):
    return trend(log, funnel, every="hour", tz="UTC", unknown_kinds="ignore", **options)


def witnesses_of(options, rows, value, is_in=lambda _: True):
    """Give (instants by row number, witness) of each member for the attempts that begin with a value.

    In any order rows of one instant begin the same window, so an entry stands for its neighbours there.
    """
    for of_member in rows_of(options, rows).values():
        begins = [row for row in of_member if row.value == value and row.steps and is_in(row.t)]
        entries = {row.number for row in begins}
        if options["order"] == "any" and not options["hold_constant"]:
            entries |= {row.number for row in of_member if row.t in {begin.t for begin in begins}}
        witness = slow.witness(of_member, rules_of(options), entries)
        if witness is not None:
            yield {row.number: row.t for row in of_member}, witness


def gaps_of(options, witness, at):
    """Return (step, gap) of each step reached; the whole way has the number after the last step's."""
    n_steps = len(options["steps"])
    instants = [at.get(number) for number in witness.rows]
    if options["order"] == "any":
        instants = sorted(t for t in instants if t is not None)
    seen = []
    for step, t in enumerate(instants):
        if t is not None:
            if seen:
                yield step, t - seen[-1]
            seen.append(t)
    required = [step for step in range(n_steps) if step not in options["optional"]]
    if witness.level == len(required):
        yield n_steps, instants[required[-1]] - instants[0]


@pytest.mark.parametrize("order", ORDERS)
def test_times_by_a_column_are_those_of_the_attempts_that_begin_with_each_value(order):
    n_overlap = 0
    for options, rows, _ in draws("times by value", order):
        found = times(log_of(rows), funnel_of(options), by="item")
        for value in VALUES:
            expected = Counter()
            for at, witness in witnesses_of(options, rows, value):
                expected.update(gaps_of(options, witness, at))
            part = found.unassigned if value is None else found.get(value)
            keys = (
                [] if part is None else zip(part.step.tolist(), (part.duration_us // 1_000_000).tolist(), strict=True)
            )
            assert dict(zip(keys, [] if part is None else part.members.tolist(), strict=True)) == expected
        assert found.total == times(log_of(rows), funnel_of(options))
        n_overlap += bool((found.overlap > 0).any())
    assert n_overlap > N_DRAWS / 20


@pytest.mark.parametrize("order", ORDERS)
def test_a_trend_by_a_column_counts_the_attempts_that_begin_with_each_value(order):
    n_periods = 0
    for options, rows, _ in draws("trend by value", order):
        # Twenty minutes to a tick, so that a member's attempts begin in several periods.
        log = log_of([(who, t * TICK_S, *rest) for who, t, *rest in rows])
        ticked = {name: options[name] and options[name] * TICK_S for name in ("within", "min_gap", "max_gap")}
        funnel = funnel_of(options | ticked)
        found = by_hour(log, funnel, by="item")
        hours = sorted({hour_of(t) for _, t, *_ in rows})
        for value in VALUES:
            expected = Counter()
            for hour in hours:
                for _, witness in witnesses_of(options, rows, value, lambda t, hour=hour: hour_of(t) == hour):
                    expected[hour, "tainted" if witness.tainted else witness.level] += 1
            assert counted(found.unassigned if value is None else found.get(value), options) == expected
        assert found.total == by_hour(log, funnel)
        n_periods += len(hours)
    assert n_periods > 2 * N_DRAWS


def hour_of(tick):
    return (_ORIGIN_S + tick * TICK_S) // 3600


def counted(part, options):
    """Return how many members of each period were tainted, or stopped at each level."""
    if part is None:
        return Counter()
    n_steps = len(options["steps"])
    steps = [step for step in range(n_steps) if step not in options["optional"]]
    at_level = -np.diff(part.reached[:, steps], axis=1, append=0)
    found = Counter()
    for hour, levels, tainted in zip(
        part.periods.astype("M8[h]").astype(int).tolist(), at_level, part.tainted, strict=True
    ):
        found.update({(hour, level): int(n) for level, n in enumerate(levels, start=1) if n})
        found.update({(hour, "tainted"): int(tainted)} if tainted else {})
    return found


@pytest.mark.parametrize("order", ORDERS)
def test_a_segment_of_members_is_counted_as_its_members_alone(order):
    n_segments = 0
    for options, rows, _ in draws("members", order):
        log, funnel = log_of(rows), funnel_of(options)
        segment = {member: "old" if member % 2 else "new" for member in log.members if member}
        for strategy in (levels, times, by_hour):
            found = strategy(log, funnel, by=segment)
            assert found.total == strategy(log, funnel)
            for label, part in [*found.items(), (None, found.unassigned)]:
                members = [member for member in log.members if segment.get(member) == label]
                if not members:
                    assert part is None
                    continue
                alone = strategy(log.where(members=members), funnel)
                if strategy is by_hour:  # whose axis is that of everybody
                    assert counted(part, options) == counted(alone, options)
                    assert part.periods.tolist() == found.total.periods.tolist()
                else:
                    assert part == alone
            assert not found.overlap.any()
            n_segments += len(found)
    assert n_segments > 3 * N_DRAWS


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("strategy", [times, by_hour])
def test_breakdowns_of_parts_merge_to_that_of_the_whole(strategy, order):
    for options, rows, _ in draws("merge", order):
        log, funnel = log_of(rows), funnel_of(options)
        first, *others = (strategy(part, funnel, by="item") for part in log.partition(3))
        merged, whole = first.merge(others[1]).merge(others[0]), strategy(log, funnel, by="item")
        assert (dict(merged), merged.total, merged.unassigned) == (dict(whole), whole.total, whole.unassigned)
