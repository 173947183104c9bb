"""Where it matters which row serves which step, what is found is what trying every choice and every chain finds."""
# ruff: noqa: S311 - what is drawn is no secret

from __future__ import annotations

import random
from importlib import import_module
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pendulum import duration
from tests.reference import slow_funnel as slow

from shequn.columns import EventLog
from shequn.funnel import Exclusion, Funnel

attempts, matcher, matching = (import_module(f"shequn.funnel.{name}") for name in ("attempts", "matcher", "matching"))
RangeMin = import_module("shequn.funnel.ranges").RangeMin
Reading = import_module("shequn.funnel.reading").Reading
Rules = import_module("shequn.funnel.rules").Rules
RowType, Service = matching.RowType, matching.Service

_ORIGIN_S = 1_000_000_000
_KINDS = "abcx"


# ── one instant ──────────────────────────────────────────────────────────────────────────────────────────────────────


def drawn_instant(rnd):
    """Draw rules, the rows of one instant, the one that is the entry, and the steps that a run begins with."""
    n_steps = rnd.randint(3, 5)
    optional = frozenset(step for step in range(1, n_steps) if rnd.random() < 0.6)
    # As if the steps were the first of a longer funnel, so that an exclusion may span all after the entry.
    pairs = [(0, n_steps)] * 9 + list(combinations(range(n_steps + 1), 2))
    exclusions = tuple(rnd.choice(pairs) for _ in range(rnd.randint(0, 2)))
    rows = [
        RowType(
            tuple(sorted(rnd.sample(range(n_steps), rnd.choice([0, 1, 1, 2, 2])))),
            tuple(number for number in range(len(exclusions)) if rnd.random() < 0.25),
        )
        for _ in range(rnd.randint(2, 5))
    ]
    there = sorted({step for row in rows for step in row.steps}) or [0]
    begun = [rnd.choice([*there[:2], *there])]
    entry = next((row for row in rows if begun[0] == 0 and 0 in row.steps), None)
    while rnd.random() < 0.2 and begun[-1] < n_steps - 1:
        further = range(begun[-1] + 1, n_steps)
        begun.append(rnd.choice([step for step in further if {*range(begun[-1] + 1, step)} <= optional]))
    holding = tuple(range(len(exclusions))) if rnd.random() < 0.8 else ()
    return Rules(n_steps, optional, exclusions), rows, entry, tuple(begun), holding


def numbers_by_trying(rules, rows, entry, run, *, holding, is_once):
    """Return how many optional steps after those begun with can be matched by a run, over every choice of rows."""
    found, (begun, end) = set(), run
    between = range(begun[-1] + 1, end)
    required = [step for step in between if step not in rules.optional]
    may = [step for step in between if step in rules.optional]
    for chosen in (some for size in range(len(may) + 1) for some in combinations(may, size)):
        steps = sorted({*begun, *required, *chosen, end})
        choices = [[place for place, row in enumerate(rows) if step in row.steps] for step in steps]
        if entry is not None:
            choices[0] = [rows.index(entry)]
        needed = {
            place
            for place, row in enumerate(rows)
            for number in row.excluding
            if number in holding and rules.exclusions[number][0] < steps[0] and steps[-1] < rules.exclusions[number][1]
        }
        for places in product(*choices):
            if needed <= set(places) and (not is_once or len(set(places)) == len(places)):
                found.add(len(chosen) + (end > begun[-1] and end in rules.optional))
    return found


@pytest.mark.parametrize("is_once", [False, True])
def test_the_numbers_of_optional_steps_are_those_of_all_choices(is_once):
    rnd, n_possible, n_forced = random.Random(is_once), 0, 0
    for _ in range(4_000):
        rules, rows, entry, begun, holding = drawn_instant(rnd)
        may_stay = rnd.random() < 0.8
        service = Service(rules, may_stay=may_stay, is_once=is_once)
        counts = {row: min(rows.count(row), row.limit(is_once=is_once)) for row in rows}
        makeup = tuple(sorted((row, times) for row, times in counts.items() if times))
        for end, (fewest, most) in enumerate(service.spans(makeup, entry, begun, holding)):
            expected = set()
            if end == begun[-1] or (end > begun[-1] and may_stay):
                expected = numbers_by_trying(rules, rows, entry, (begun, end), holding=holding, is_once=is_once)
            assert set(range(fewest, most + 1)) == expected, (rules, rows, entry, begun, end, holding)
            n_possible += bool(expected)
            n_forced += bool(expected) and fewest > (end > begun[-1] and end in rules.optional)
    assert n_possible > 1_000
    assert n_forced > 3


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(-1, 10))
def test_a_range_falls_to_a_bound_where_a_search_finds_it(values, bound):
    starts = np.arange(len(values) + 1)
    expected = [next((at for at in range(start, len(values)) if values[at] <= bound), len(values)) for start in starts]
    found = RangeMin(np.array(values, dtype=np.int64)).first_at_most(starts, np.full(len(starts), bound))
    assert found.tolist() == expected


# ── whole members ────────────────────────────────────────────────────────────────────────────────────────────────────


def drawn_members(rnd):
    """Draw a funnel with steps that overlap and exclusions that span them, and members of many rows at few instants."""
    n_steps = rnd.randint(2, 4)
    steps = [frozenset(rnd.sample(_KINDS, rnd.randint(1, 3))) for _ in range(n_steps)]
    spans = [(0, n_steps - 1), *combinations(range(n_steps), 2)]
    exclusions = [(frozenset(rnd.sample(_KINDS, 1)), *rnd.choice(spans)) for _ in range(rnd.randint(0, 2))]
    options = {
        "order": rnd.choice(["ordered", "ordered", "strict"]),
        "ties": rnd.choice(["free"] * 5 + ["increase"]),
        "reuse": rnd.choice(["allow", "once"]),
        "entry": rnd.choice(["first", "last", "shortest"]),
        "optional": frozenset(step for step in range(1, n_steps) if rnd.random() < 0.3),
        "within": rnd.choice([0, 1, 3]),
    }
    instants = rnd.choice([1, 2, 3, 5])
    rows = [
        (member, rnd.randrange(instants), rnd.choice(_KINDS), rnd.choice(["p", "p", "q", None]))
        for member in range(20)
        for _ in range(rnd.randint(1, 8))
    ]
    rnd.shuffle(rows)
    return options, steps, exclusions, rnd.random() < 0.3, rows


def as_the_library_reads(options, steps, exclusions, is_held, rows):
    log = EventLog.from_columns(
        member=[row[0] for row in rows],
        at=np.array([_ORIGIN_S + row[1] for row in rows]),
        kind=[row[2] for row in rows],
        item=[row[3] for row in rows],
        time_unit="s",
    )
    funnel = Funnel(
        steps=steps,
        exclusions=[Exclusion(kinds=kinds, after=low, before=high) for kinds, low, high in exclusions],
        hold_constant="item" if is_held else None,
        **options | {"within": duration(seconds=options["within"]), "optional": sorted(options["optional"])},
    )
    return Reading.of(log, funnel, "ignore")


def as_the_reference_reads(options, steps, exclusions, is_held, rows):
    spans = tuple((low, high) for _, low, high in exclusions)
    rules = slow.Rules(n_steps=len(steps), exclusions=spans, hold_constant=is_held, **options)
    members = {row[0]: [] for row in rows}
    for number, (member, t, kind, value) in enumerate(rows):
        matched = frozenset(step for step, kinds in enumerate(steps) if kind in kinds)
        excludes = frozenset(at for at, (kinds, _, _) in enumerate(exclusions) if kind in kinds)
        members[member].append(slow.Row(number, t, matched, excludes, value))
    return rules, members


def witnesses_by_key(rules, rows, key_of):
    """Return level and rows of the witness of each key that attempts have."""
    entries = {row.number for row in slow.entry_rows(rows, rules)}
    for key in {key_of(number) for number in entries}:
        found = slow.witness(rows, rules, {number for number in entries if key_of(number) == key})
        yield key, (found.level, list(found.rows))


def first_attempt(rules, rows):
    """Return instant, depth and length of the first attempt, the deepest and then the shortest of one instant."""
    found = []
    for entry in slow.entry_rows(rows, rules):
        clean = [chain for chain in slow.deepest_chains(entry, rows, rules) if slow.is_clean(chain, rows, rules)]
        ends = [chain[max(chain)].t - entry.t for chain in clean]
        found.append((entry.t, -slow.depth(clean[0], rules), min(ends)) if clean else (entry.t, 0, 0))
    return min(found, default=None)


@pytest.mark.parametrize("seed", range(8))
def test_members_with_many_rows_at_few_instants_get_what_all_chains_give(seed):
    rnd = random.Random(seed)
    for _ in range(30):
        drawn = drawn_members(rnd)
        reading = as_the_library_reads(*drawn)
        rules, members = as_the_reference_reads(*drawn)

        found = matcher.find(reading, attempts.Eligible(), key_of=lambda rows, _: rows % 2, needs_rows=True)
        columns = (found.member.tolist(), found.key.tolist(), found.level.tolist(), found.places.tolist())
        labels = reading.log.members
        shown = {(labels[code], key): chain for code, key, *chain in zip(*columns, strict=True)}
        assert shown == {
            (member, key): [*chain]
            for member, rows in members.items()
            for key, chain in witnesses_by_key(rules, rows, lambda number: number % 2)
        }, drawn

        expected = {member: slow.witness(rows, rules) for member, rows in members.items()}
        found = matcher.find(reading, attempts.Eligible(), with_witness=False)
        shown = {labels[code]: level for code, level in zip(found.member.tolist(), found.level.tolist(), strict=True)}
        assert shown == {member: best.level for member, best in expected.items() if best is not None}, drawn

        found = matcher.find_first(reading, attempts.Eligible())
        seconds = [(times // 1_000_000).tolist() for times in (found.entry_us, found.elapsed_us)]
        columns = (found.member.tolist(), seconds[0], found.depth.tolist(), seconds[1])
        shown = {labels[code]: (t - _ORIGIN_S, -depth, end) for code, t, depth, end in zip(*columns, strict=True)}
        expected = {member: first_attempt(rules, rows) for member, rows in members.items()}
        assert shown == {member: first for member, first in expected.items() if first is not None}, drawn
