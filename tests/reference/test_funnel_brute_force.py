"""Every valid combination of order, ties, reuse and conditions gives what building all chains of each member gives.

A combination is one case, and draws funnels of its own, each for the rows of a few dozen members. `FUNNEL_MEMBERS` is
the number of members a combination, 300 by default; where it is set, each combination writes its figures as a line.
Two processes share the work by `-k "ordered-"` and `-k "not ordered-"`.
"""
# ruff: noqa: S311 - what is drawn is no secret

from __future__ import annotations

import os
import random
import sys
from dataclasses import dataclass
from importlib import import_module
from itertools import chain, combinations, product

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from pendulum import duration
from tests.reference import slow_funnel as slow

from shequn.columns import EventLog
from shequn.funnel import Exclusion, Funnel, Step, convert, match
from shequn.values.instants import from_us

parts = import_module("shequn.funnel.parts")

_ORIGIN_S = 1_000_000_000
_KINDS = ("a", "b", "c", "d", "e")
_STRAY = "x"  # of no step, and of some exclusions
_CONDITIONS = ("exclusions", "optional", "min_gap", "max_gap", "hold_constant")
_DEFAULTS = {
    "order": "ordered",
    "ties": "free",
    "reuse": "allow",
    "optional": frozenset(),
    "exclusions": [],
    "min_gap": None,
    "max_gap": None,
    "hold_constant": False,
}

N_MEMBERS = int(os.environ.get("FUNNEL_MEMBERS") or 300)
MEMBERS_OF_BATCH = 30


@dataclass(frozen=True)
class Combination:
    """What a funnel asks, but for the numbers."""

    order: str
    ties: str = "free"
    reuse: str = "allow"
    conditions: tuple[str, ...] = ()

    def __str__(self):
        return f"{self.order}-{self.ties}-{self.reuse}-{'+'.join(self.conditions) or 'plain'}"

    @property
    def choices(self):
        """Return everything that differs from the defaults."""
        chosen = {"order": self.order == "strict", "ties": self.ties != "free", "reuse": self.reuse != "allow"}
        return (*(name for name, is_chosen in chosen.items() if is_chosen), *self.conditions)

    @property
    def implied(self):
        """Return the choices that the others imply: rows whose instants differ are distinct."""
        if "min_gap" in self.conditions:  # always drawn above 0
            return ("ties", "reuse")
        return ("reuse",) if self.ties == "increase" else ()


def subsets(names):
    return chain.from_iterable(combinations(names, size) for size in range(len(names) + 1))


IN_ORDER = product(("ordered", "strict"), ("free", "increase"), ("allow", "once"), subsets(_CONDITIONS))
IN_ANY_ORDER = product(("any",), ("free",), ("allow", "once"), subsets(("hold_constant",)))
COMBINATIONS = [Combination(*each) for each in chain(IN_ORDER, IN_ANY_ORDER)]


# ── what is drawn ────────────────────────────────────────────────────────────────────────────────────────────────────


def drawn(rnd, order):
    """Draw a combination, its numbers, and the rows of a few members."""
    ties = rnd.choice(["free", "free", "increase"]) if order != "any" else "free"
    accepted = _CONDITIONS if order != "any" else ("hold_constant",)
    conditions = tuple(name for name in accepted if rnd.random() < 0.3)
    return drawn_of(rnd, Combination(order, ties, rnd.choice(["allow", "once"]), conditions), rnd.randint(1, 4))


def drawn_of(rnd, combination, n_members):
    """Draw numbers for a combination, the rows of some members, and bounds of dates or None."""
    kinds = _KINDS[: rnd.randint(2, 5)]
    options = drawn_options(rnd, combination, kinds)
    span = rnd.choice([4, 80])  # wide enough at times that most rows are in no attempt's window
    rows = [(member, *row) for member in range(n_members) for row in drawn_rows(rnd, options, [*kinds, _STRAY], span)]
    rnd.shuffle(rows)
    first = rnd.randrange(span)
    bounds = (first, first + rnd.randint(1, 2 * span)) if rnd.random() < 0.15 else None
    return options, rows, bounds


def drawn_options(rnd, combination, kinds):
    """Draw steps, which often overlap, and the numbers of each condition."""
    conditions = combination.conditions
    n_steps = rnd.choice([2, 3, 3, 4, 5] if conditions else [1, 2, 3, 4, 5])
    most = rnd.choice([1, 2])
    options = _DEFAULTS | {
        "steps": [frozenset(rnd.sample(kinds, rnd.randint(1, most))) for _ in range(n_steps)],
        "order": combination.order,
        "within": rnd.choice([0, 4, 6, 8, 10, 12, 15, 20]),
        "ties": combination.ties,
        "reuse": combination.reuse,
        "hold_constant": "hold_constant" in conditions,
        "entry": "first" if combination.order == "any" else rnd.choice(["first", "last", "shortest"]),
    }
    if "optional" in conditions:
        options["optional"] = frozenset(rnd.sample(range(1, n_steps), rnd.randint(1, max(1, n_steps - 2))))
    if "exclusions" in conditions:
        options["exclusions"] = [drawn_exclusion(rnd, options["steps"], kinds) for _ in range(rnd.choice([1, 2, 3, 3]))]
    if "min_gap" in conditions:
        n_gaps = n_steps - len(options["optional"]) - 1
        options["min_gap"] = rnd.choice([1, 2, 2])
        options["within"] = max(options["within"], options["min_gap"] * n_gaps)
    if "max_gap" in conditions:
        options["max_gap"] = max(rnd.choice([2, 3, 4]), options["min_gap"] or 0)
    return options


def drawn_exclusion(rnd, steps, kinds):
    """Draw an exclusion by one kind or two, of a step or not; it often spans several steps."""
    after, before = rnd.choice([(0, len(steps) - 1), sorted(rnd.sample(range(len(steps)), 2))])
    excluding = rnd.choice([{_STRAY}, rnd.sample(kinds, rnd.randint(1, 2)), rnd.choice(steps[after : before + 1])])
    return frozenset(excluding), after, before


def drawn_rows(rnd, options, kinds, span):
    """Draw a member's rows: instant, kind and value. Most members go some way through the steps, and stray on it."""
    rows, t, value = [], rnd.randrange(span), rnd.choice("pq")
    first, gaps = t, [0, 1, 2, 3, 4, options["min_gap"] or 1, (options["max_gap"] or 2) + 1]
    if rnd.random() < 0.9:
        for step in options["steps"][: rnd.randint(1, len(options["steps"]) + 2)]:
            rows.append((t, rnd.choice(sorted(step)), value if rnd.random() < 0.9 else None))
            t += rnd.choice(gaps)
    for _ in range(rnd.randint(0 if rows else 1, 8)):
        tied, on_the_way, anywhere = rnd.choice(rows)[0] if rows else t, rnd.randint(first, t + 1), rnd.randrange(span)
        at = rnd.choice([tied] * 3 + [on_the_way] * 6 + [anywhere])
        rows.append((at, rnd.choice(kinds), rnd.choice([None, "p", "q", value])))
    return rows


# ── the same in the terms of the library, and of the reference ──────────────────────────────────────────────────────


def funnel_of(options):
    def seconds(value):
        return None if value is None else duration(seconds=value)

    return Funnel(
        steps=[Step(kinds=kinds) for kinds in options["steps"]],
        within=seconds(options["within"]),
        order=options["order"],
        ties=options["ties"],
        reuse=options["reuse"],
        exclusions=[Exclusion(kinds=kinds, after=low, before=high) for kinds, low, high in options["exclusions"]],
        optional=sorted(options["optional"]),
        min_gap=seconds(options["min_gap"]),
        max_gap=seconds(options["max_gap"]),
        hold_constant="item" if options["hold_constant"] else None,
        entry=options["entry"],
    )


def log_of(rows):
    return EventLog.from_columns(
        member=[row[0] for row in rows],
        at=np.array([row[1] for row in rows], dtype=np.int64) + _ORIGIN_S,
        kind=[row[2] for row in rows],
        item=[row[3] for row in rows],
        time_unit="s",
    )


def dates_of(bounds):
    if bounds is None:
        return {}
    start, end = (from_us((_ORIGIN_S + bound) * 1_000_000) for bound in bounds)
    return {"start": start, "end": end}


def rules_of(options):
    return slow.Rules(
        n_steps=len(options["steps"]),
        within=options["within"],
        order=options["order"],
        ties=options["ties"],
        reuse=options["reuse"],
        exclusions=tuple((low, high) for _, low, high in options["exclusions"]),
        optional=options["optional"],
        min_gap=options["min_gap"],
        max_gap=options["max_gap"],
        hold_constant=options["hold_constant"],
        entry=options["entry"],
    )


def rows_of(options, rows):
    """Return the rows of each member as the reference reads them."""
    found = {member: [] for member in sorted({row[0] for row in rows})}
    for number, (who, t, kind, value) in enumerate(rows):
        matched = frozenset(step for step, kinds in enumerate(options["steps"]) if kind in kinds)
        excludes = frozenset(at for at, (excluding, _, _) in enumerate(options["exclusions"]) if kind in excluding)
        found[who].append(slow.Row(number, t, matched, excludes, value))
    return found


# ── how they compare ─────────────────────────────────────────────────────────────────────────────────────────────────


def by_brute_force(options, rows, bounds):
    """Return the witness of each member who entered, and the number of attempts that count."""
    found, n_attempts, rules = {}, 0, rules_of(options)
    for member, of_member in rows_of(options, rows).items():
        entries = (slow.step_rows if rules.order == "any" else slow.entry_rows)(of_member, rules)
        counting = {row.number for row in entries if bounds is None or bounds[0] <= row.t < bounds[1]}
        if counting:
            found[member] = slow.witness(of_member, rules, counting)
            n_attempts += len(counting)
    return found, n_attempts


def by_the_library(log, options, bounds):
    found = match(log, funnel_of(options), unknown_kinds="ignore", **dates_of(bounds))
    assert found.members.labels.tolist() == [log.members[code] for code in found.member_codes.tolist()]
    numbers = found.rows
    if log.source_rows is not None:
        numbers = np.where(numbers < 0, -1, log.source_rows[numbers])
    columns = zip(found.level.tolist(), map(tuple, numbers.tolist()), found.is_tainted.tolist(), strict=True)
    return {member: slow.Witness(*shown) for member, shown in zip(found.members, columns, strict=True)}


def differing(options, rows, bounds, log):
    """Return what brute force gives, the number of attempts, and an account of each member the library sees otherwise.

    The log is taken as it is, and sorted.
    """
    expected, n_attempts = by_brute_force(options, rows, bounds)
    accounts = []
    for way, each in (("as it is", log), ("sorted", log.sorted())):
        found = by_the_library(each, options, bounds)
        for member in sorted(found.keys() | expected.keys()):
            if found.get(member) != expected.get(member):
                own = [(number, *row) for number, row in enumerate(rows) if row[0] == member]
                account = f"{found.get(member)} is not {expected.get(member)}, {way}, of {options}, {bounds=}, {own=}"
                accounts.append((len(own), account))
    return expected, n_attempts, accounts


def miscounted(options, rows, bounds, log, expected):
    """Return an account if the counts differ, which are made without witnesses where no step is optional."""
    funnel = funnel_of(options)
    counted = convert(log, funnel, unknown_kinds="ignore", **dates_of(bounds))
    levels = [witness.level for witness in expected.values()]
    reached, depth = [], 0
    for step in range(funnel.n_steps):
        is_optional = step in options["optional"]
        depth += not is_optional
        taken = [witness.rows[step] >= 0 for witness in expected.values()]
        reached.append(sum(taken) if is_optional else sum(level >= depth for level in levels))
    found, wanted = (counted.reached.tolist(), counted.tainted), (reached, levels.count(0))
    return None if found == wanted else f"counts {found} are not {wanted}, of {options}, {bounds=}, {rows=}"


def check(options, rows, bounds):
    log = log_of(rows)
    expected, _, accounts = differing(options, rows, bounds, log)
    assert not accounts, min(accounts)[1]
    account = miscounted(options, rows, bounds, log, expected)
    assert not account, account


# ── the tests ────────────────────────────────────────────────────────────────────────────────────────────────────────


def batches(combination, n_members):
    for begun in range(0, n_members, MEMBERS_OF_BATCH):
        rnd = random.Random(f"{combination} {begun}")
        yield drawn_of(rnd, combination, min(MEMBERS_OF_BATCH, n_members - begun))


@pytest.mark.parametrize("combination", COMBINATIONS, ids=str)
def test_levels_witnesses_and_counts_are_those_of_all_chains(combination, capsys):
    n_rows, n_attempts, n_entered, differences = 0, 0, 0, []
    for options, rows, bounds in batches(combination, N_MEMBERS):
        log = log_of(rows)
        expected, begun, accounts = differing(options, rows, bounds, log)
        n_rows, n_attempts, n_entered = n_rows + len(rows), n_attempts + begun, n_entered + len(expected)
        differences += accounts
        account = miscounted(options, rows, bounds, log, expected)
        differences += [] if account is None else [(len(rows), account)]
    if "FUNNEL_MEMBERS" in os.environ:
        figures = f"{N_MEMBERS} members, {n_rows} rows, {n_attempts} attempts, {len(differences)} differences"
        with capsys.disabled():
            sys.stdout.write(f"\n{combination}: {figures}")
    assert not differences, min(differences)[1]
    assert n_entered > N_MEMBERS / 3


def share_changed(choice, options, rows, bounds):
    """Return the share of members who get another witness, or none, by a choice."""
    chosen, _ = by_brute_force(options, rows, bounds)
    by_default, _ = by_brute_force(options | {choice: _DEFAULTS[choice]}, rows, bounds)
    members = {row[0] for row in rows}
    return sum(chosen.get(member) != by_default.get(member) for member in members) / len(members)


CHOICES = sorted({(each.order, choice) for each in COMBINATIONS for choice in each.choices})


@pytest.mark.parametrize(("order", "choice"), CHOICES)
def test_each_choice_changes_what_a_fair_share_of_the_drawn_members_get(order, choice):
    shares = []
    for combination in COMBINATIONS:
        if combination.order == order and choice in combination.choices:
            of_batches = (share_changed(choice, *batch) for batch in batches(combination, 300))
            first = next(of_batches)
            if choice in combination.implied:
                assert not first, combination
            else:
                # Nowhere in vain: more members are asked only where the first show nothing.
                assert first or any(of_batches), combination
                shares.append(first)
    assert np.mean(shares) > 0.03


@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
@pytest.mark.parametrize("way", ["small parts", "compared"])
def test_it_makes_no_difference_how_entries_are_dealt_out_and_sorted(order, way, monkeypatch):
    if way == "small parts":
        monkeypatch.setattr(parts, "_ENTRIES_OF_PART", 4)
        monkeypatch.setattr(parts, "_MANY_PARTS", 2)  # two threads
        monkeypatch.setattr(parts, "_BLOCK", 5)
    else:
        monkeypatch.setattr(parts, "_KEY_BITS", 0)
    for number in range(60):
        check(*drawn(random.Random(f"{order} {way} {number}"), order))


@given(number=st.integers(0, 2**32), order=st.sampled_from(["ordered", "strict", "any"]))
@settings(deadline=None)
@seed(3)
def test_levels_and_witnesses_are_those_of_all_chains_for_any_draw(number, order):
    check(*drawn(random.Random(number), order))
