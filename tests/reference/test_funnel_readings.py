"""Times, trend, curve and dates of a funnel equal what the attempts and witnesses of all chains say."""
# ruff: noqa: S311 - what is drawn is no secret

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from pendulum import duration
from tests.reference import slow_funnel as slow
from tests.reference.test_funnel_brute_force import _ORIGIN_S, drawn, funnel_of, log_of, rows_of, rules_of

from shequn.funnel import conversion_curve, convert, time_to_convert, trend
from shequn.values.instants import from_us

ORDERS = ("ordered", "strict", "any")
N_DRAWS = 120


def draws(name, order):
    for number in range(N_DRAWS):
        yield drawn(random.Random(f"{name} {order} {number}"), order)


def witnesses(options, rows, entries=None):
    for of_member in rows_of(options, rows).values():
        witness = slow.witness(of_member, rules_of(options), None if entries is None else entries(of_member))
        if witness is not None:
            yield of_member, witness


def is_whole(options, witness):
    steps = len(options["steps"])
    return witness.level == (steps if options["order"] == "any" else steps - len(options["optional"]))


@pytest.mark.parametrize("order", ORDERS)
def test_times_are_the_gaps_of_the_witnesses(order):
    for options, rows, _ in draws("times", order):
        expected = Counter()
        n_steps = len(options["steps"])
        for of_member, witness in witnesses(options, rows):
            at = {row.number: row.t for row in of_member}
            instants = [at.get(number) for number in witness.rows]
            if order == "any":
                instants = sorted(t for t in instants if t is not None)
                instants += [None] * (n_steps - len(instants))
            seen = [t for t in instants[:1] if t is not None]
            for step, t in enumerate(instants[1:], start=1):
                if t is not None:
                    expected[step, t - seen[-1]] += 1
                    seen.append(t)
            if is_whole(options, witness):
                last = max(step for step in range(n_steps) if order == "any" or step not in options["optional"])
                expected[n_steps, instants[last] - instants[0]] += 1
        found = time_to_convert(log_of(rows), funnel_of(options), unknown_kinds="ignore")
        keys = zip(found.step.tolist(), (found.duration_us // 1_000_000).tolist(), strict=True)
        assert dict(zip(keys, found.members.tolist(), strict=True)) == expected
        assert (found.duration_us >= 0).all()
        parts = [
            time_to_convert(part, funnel_of(options), unknown_kinds="ignore") for part in log_of(rows).partition(3)
        ]
        assert parts[2].merge(parts[0]).merge(parts[1]) == found


@pytest.mark.parametrize("order", ORDERS)
def test_a_trend_counts_the_attempts_of_each_period(order):
    for options, rows, _ in draws("trend", order):
        log = log_of(rows)
        until = from_us((_ORIGIN_S + random.Random(len(rows)).randint(1, 30)) * 1_000_000)
        seen = [row for row in rows if row[1] < until.timestamp() - _ORIGIN_S]
        found = trend(log, funnel_of(options), every="hour", tz="UTC", observed_until=until, unknown_kinds="ignore")
        of_hour: dict[int, Counter[int]] = {}
        hours = {(_ORIGIN_S + row[1]) // 3600 for row in seen}
        for hour in sorted(hours):

            def begun(of_member, hour=hour):
                return {row.number for row in of_member if (_ORIGIN_S + row.t) // 3600 == hour}

            levels = Counter(witness.level for _, witness in witnesses(options, seen, begun))
            if levels:
                of_hour[hour] = levels
        entered = {hour: sum(levels.values()) for hour, levels in of_hour.items()}
        got = dict(zip((found.periods.astype("M8[h]").astype(int)).tolist(), found.entered.tolist(), strict=True))
        assert {hour: count for hour, count in got.items() if count} == entered
        assert found.tainted.sum() == sum(levels[0] for levels in of_hour.values())
        whole = len(options["steps"]) - len(options["optional"])
        assert found.completed.sum() == sum(levels[whole] for levels in of_hour.values())


def first_attempts(options, rows):
    """Return, for each member's first entry, its instant and when its way is complete, or None."""
    rules = rules_of(options)
    for of_member in rows_of(options, rows).values():
        tries = slow.attempts(of_member, rules)
        if not tries:
            continue
        at = {row.number: row.t for row in of_member}
        first = min(at[number] for number, _, _ in tries)
        ends = []
        for number, depth, is_clean in tries:
            if at[number] == first and is_clean and depth == len(options["steps"]) - len(options["optional"]):
                ends.append(_earliest_end(of_member, rules, number))
        yield first, min(ends, default=None)


def _earliest_end(of_member, rules, number):
    if rules.order == "any":
        at = {row.number: row.t for row in of_member}
        for until in sorted({row.t for row in of_member}):
            seen = [row for row in of_member if row.t <= until]
            depths = [depth for each, depth, _ in slow.attempts(seen, rules) if at[each] == at[number]]
            if max(depths, default=0) == rules.n_steps:
                return until
    entry = next(row for row in of_member if row.number == number)
    required = rules.n_steps - len(rules.optional)
    last = max(step for step in range(rules.n_steps) if step not in rules.optional)
    chains = [chain for chain in slow.deepest_chains(entry, of_member, rules) if slow.depth(chain, rules) == required]
    # Trailing optional steps add nothing that is required, and are left off.
    chains = [{step: row for step, row in chain.items() if step <= last} for chain in chains]
    return min(chain[last].t for chain in chains if slow.is_clean(chain, of_member, rules))


@pytest.mark.parametrize("order", ORDERS)
def test_a_curve_is_that_of_kaplan_and_meier_over_first_attempts(order):
    for options, rows, _ in draws("curve", order):
        until_s = random.Random(len(rows)).randint(1, 30)
        seen = [row for row in rows if row[1] < until_s]
        found = conversion_curve(
            log_of(rows),
            funnel_of(options),
            observed_until=from_us((_ORIGIN_S + until_s) * 1_000_000),
            unknown_kinds="ignore",
        )
        lasted, converted = [], []
        for first, end in first_attempts(options, seen):
            converted.append(end is not None)
            lasted.append(end - first if end is not None else min(until_s - first, options["within"]))
        assert found.n_members == len(lasted)
        if not lasted:
            continue
        with np.errstate(all="ignore"):
            curve = KaplanMeierFitter().fit(lasted, converted).survival_function_.iloc[:, 0]
        for t in sorted(set(lasted)):
            got = found.converted_at(duration(seconds=t))
            assert got == pytest.approx(1 - curve.loc[: t + 1e-9].iloc[-1], abs=1e-12)


@pytest.mark.parametrize("order", ORDERS)
def test_only_mature_entries_are_judged(order):
    for options, rows, _ in draws("mature", order):
        until_s = random.Random(len(rows)).randint(1, 30)
        seen = [row for row in rows if row[1] < until_s]
        found = convert(
            log_of(rows),
            funnel_of(options),
            maturity="complete",
            observed_until=from_us((_ORIGIN_S + until_s) * 1_000_000),
            unknown_kinds="ignore",
        )

        def mature(of_member, until_s=until_s, within=options["within"]):
            return {row.number for row in of_member if row.t + within < until_s}

        everybody = list(witnesses(options, seen))
        judged = [witness for _, witness in witnesses(options, seen, mature)]
        assert found.entered == len(judged)
        assert found.tainted == sum(witness.tainted for witness in judged)
        assert found.immature == len(everybody) - len(judged)
        assert found.completed == sum(is_whole(options, witness) for witness in judged)


def test_an_interval_for_the_median_needs_enough_members():
    rows = [(member, t, kind, None) for member in range(40) for t, kind in ((0, "a"), (member // 4, "b"))]
    options = drawn(random.Random(0), "ordered")[0] | {"steps": [{"a"}, {"b"}], "within": 20, "reuse": "allow"}
    options |= {"optional": frozenset(), "exclusions": [], "min_gap": None, "max_gap": None, "ties": "free"}
    options |= {"hold_constant": False, "entry": "first"}
    found = time_to_convert(log_of(rows), funnel_of(options))
    assert found.n_members() == found.n_members(1) == 40
    assert found.quantile(0.5).in_seconds() == 4
    lower, upper = found.interval(0.5)
    assert (lower.in_seconds(), upper.in_seconds()) == (3, 6)
    binned = time_to_convert(log_of(rows), funnel_of(options), bins=duration(seconds=5))
    assert set((binned.duration_us // 1_000_000).tolist()) == {0, 5}
