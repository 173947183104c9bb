"""Every order, with every combination of conditions, gives what building all chains of each member gives."""
# ruff: noqa: S311 - what is drawn is no secret

from __future__ import annotations

import random
from importlib import import_module

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
_KINDS = ("a", "b", "c", "d", "e", "x")


def drawn(rnd, order):
    """Draw a funnel's options and the rows of a few members, with ties, repeats and steps that overlap."""
    kinds = _KINDS[: rnd.randint(2, len(_KINDS))]
    n_steps = rnd.randint(1, 4)
    most = rnd.choice([1, 2])
    options = {
        "steps": [frozenset(rnd.sample(kinds, rnd.randint(1, most))) for _ in range(n_steps)],
        "order": order,
        "within": rnd.choice([0, 1, 3, 5, 8, 20]),
        "reuse": rnd.choice(["allow", "once"]),
        "hold_constant": rnd.random() < 0.3,
        "ties": "free",
        "entry": "first",
        "optional": frozenset(),
        "exclusions": [],
        "min_gap": None,
        "max_gap": None,
    }
    if order != "any":
        options["ties"] = rnd.choice(["free", "free", "increase"])
        options["entry"] = rnd.choice(["first", "last", "shortest"])
        options["optional"] = frozenset(step for step in range(1, n_steps) if rnd.random() < 0.3)
        for _ in range(rnd.choice([0, 0, 1, 2]) if n_steps > 1 else 0):
            options["exclusions"].append((rnd.choice(kinds), *sorted(rnd.sample(range(n_steps), 2))))
        n_gaps = n_steps - len(options["optional"]) - 1
        if rnd.random() < 0.3:
            options["min_gap"] = rnd.choice([gap for gap in (0, 1, 2) if gap * n_gaps <= options["within"]])
        if rnd.random() < 0.3:
            options["max_gap"] = rnd.choice([2, 3, 6])
    span, n_members = rnd.choice([2, 4, 12]), rnd.randint(1, 4)
    rows = [
        (rnd.randrange(n_members), rnd.randrange(span), rnd.choice(kinds), rnd.choice([None, "p", "q"]))
        for _ in range(n_members * rnd.randint(1, 10))
    ]
    first = rnd.randrange(span)
    bounds = (first, first + rnd.randint(1, span)) if rnd.random() < 0.3 else None
    return options, rows, bounds


def funnel_of(options):
    def seconds(value):
        return None if value is None else duration(seconds=value)

    return Funnel(
        steps=[Step(kinds=kinds) for kinds in options["steps"]],
        within=seconds(options["within"]),
        order=options["order"],
        ties=options["ties"],
        reuse=options["reuse"],
        exclusions=[Exclusion(kinds=kind, after=low, before=high) for kind, low, high in options["exclusions"]],
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
        excludes = frozenset(at for at, (excluded, _, _) in enumerate(options["exclusions"]) if kind == excluded)
        found[who].append(slow.Row(number, t, matched, excludes, value))
    return found


def by_brute_force(options, rows, bounds):
    """Return the witness of each member who entered."""
    found = {}
    for member, of_member in rows_of(options, rows).items():
        entries = None if bounds is None else {row.number for row in of_member if bounds[0] <= row.t < bounds[1]}
        witness = slow.witness(of_member, rules_of(options), entries)
        if witness is not None:
            found[member] = witness
    return found


def dates_of(bounds):
    if bounds is None:
        return {}
    start, end = (from_us((_ORIGIN_S + bound) * 1_000_000) for bound in bounds)
    return {"start": start, "end": end}


def check(options, rows, bounds):
    """Compare level and witness of everybody, and the counts, with all chains; for the log as it is and sorted."""
    expected = by_brute_force(options, rows, bounds)
    funnel, log, dates = funnel_of(options), log_of(rows), dates_of(bounds)
    for each in (log, log.sorted()):
        found = match(each, funnel, unknown_kinds="ignore", **dates)
        numbers = found.rows if each is log else np.where(found.rows < 0, -1, each.source_rows[found.rows])
        assert found.members.labels.tolist() == [each.members[code] for code in found.member_codes.tolist()]
        got = dict(
            zip(found.members, zip(found.level.tolist(), map(tuple, numbers.tolist()), strict=True), strict=True)
        )
        assert got == {member: (witness.level, witness.rows) for member, witness in expected.items()}
        assert found.is_tainted.tolist() == [expected[member].tainted for member in found.members]
    counted = convert(log, funnel, unknown_kinds="ignore", **dates)
    levels = np.array([witness.level for witness in expected.values()], dtype=int)
    steps = range(funnel.n_steps) if funnel.order == "any" else funnel.required
    assert counted.reached[list(steps)].tolist() == [int((levels > depth).sum()) for depth in range(len(steps))]
    assert counted.tainted == int((levels == 0).sum())
    for step in options["optional"]:
        assert counted.reached[step] == sum(witness.rows[step] >= 0 for witness in expected.values())


@pytest.fixture(params=["packed", "small parts", "compared"])
def way(request, monkeypatch):
    """Deal entries out into one part or into many, or sort them by comparing."""
    if request.param == "small parts":
        monkeypatch.setattr(parts, "_ENTRIES_OF_PART", 4)
        monkeypatch.setattr(parts, "_MANY_PARTS", 2)
        monkeypatch.setattr(parts, "_BLOCK", 5)
    if request.param == "compared":
        monkeypatch.setattr(parts, "_KEY_BITS", 0)
    return request.param


@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
def test_levels_and_witnesses_are_those_of_all_chains(order, way):
    for number in range(150):
        rnd = random.Random(f"{order} {way} {number}")
        check(*drawn(rnd, order))


@given(number=st.integers(0, 2**32), order=st.sampled_from(["ordered", "strict", "any"]))
@settings(deadline=None)
@seed(3)
def test_levels_and_witnesses_are_those_of_all_chains_for_any_draw(number, order):
    check(*drawn(random.Random(number), order))
