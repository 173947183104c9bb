"""Conversion funnels by their definitions, slowly: every chain of one member is built, and the best is picked.

Nothing here imports the library. Every rule is written as the definition says it, so that a reader can check this file
against the definitions and a test can check the library against this file. The number of chains grows as rows to the
power of steps: meant for a dozen rows and four or five steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Row:
    """One row of a member: `steps` are the positions of the steps it matches, `excludes` of the exclusions."""

    number: int
    t: int
    steps: frozenset[int]
    excludes: frozenset[int] = frozenset()
    value: object = None


@dataclass(frozen=True)
class Rules:
    """A funnel; positions of steps are zero-based, an exclusion is the pair (after, before)."""

    n_steps: int
    within: int
    order: Literal["ordered", "strict", "any"] = "ordered"
    ties: Literal["free", "increase"] = "free"
    reuse: Literal["allow", "once"] = "allow"
    exclusions: tuple[tuple[int, int], ...] = ()
    optional: frozenset[int] = frozenset()
    min_gap: int | None = None
    max_gap: int | None = None
    hold_constant: bool = False
    entry: Literal["first", "last", "shortest"] = "first"

    def __post_init__(self) -> None:
        assert self.n_steps >= 1
        assert self.within >= 0
        assert self.optional <= set(range(1, self.n_steps)), "the first step is never optional"
        assert all(0 <= after < before < self.n_steps for after, before in self.exclusions)
        if self.order == "any":
            assert (self.ties, self.entry, self.min_gap, self.max_gap) == ("free", "first", None, None)
            assert not self.exclusions
            assert not self.optional


@dataclass(frozen=True)
class Witness:
    """The level counts required steps and is 0 where every attempt is tainted; `rows` are row numbers, -1 for none."""

    level: int
    rows: tuple[int, ...]
    tainted: bool


# The matched steps, in order, and the row of each. Steps skipped or not reached are not in it.
Chain = dict[int, Row]


def attempts(rows: list[Row], rules: Rules) -> list[tuple[int, int, bool]]:
    """Return each attempt as (number of its entry row, depth, whether it is clean), by instant and number."""
    if rules.order == "any":
        return [(row.number, most_served(row, rows, rules), True) for row in step_rows(rows, rules)]
    found = []
    for entry in entry_rows(rows, rules):
        deepest = deepest_chains(entry, rows, rules)
        # One clean chain of the attempt's depth is enough, with or without optional steps.
        found.append((entry.number, depth(deepest[0], rules), any(is_clean(chain, rows, rules) for chain in deepest)))
    return found


def witness(rows: list[Row], rules: Rules, entries: set[int] | None = None) -> Witness | None:
    """Return the level and the chain that shows it, over the attempts of `entries`; None where there is no attempt."""
    if rules.order == "any":
        return witness_of_any(rows, rules, entries)
    allowed = [entry for entry in entry_rows(rows, rules) if entries is None or entry.number in entries]
    if not allowed:
        return None
    clean = []
    for entry in allowed:
        # Only chains of the attempt's own depth: a tainted attempt has no say, though a shorter chain of it is clean.
        clean += [chain for chain in deepest_chains(entry, rows, rules) if is_clean(chain, rows, rules)]
    if not clean:
        return Witness(0, (-1,) * rules.n_steps, tainted=True)
    level = max(depth(chain, rules) for chain in clean)
    best = min((chain for chain in clean if depth(chain, rules) == level), key=lambda chain: preference(chain, rules))
    return Witness(level, row_numbers(best, rules), tainted=False)


# --- chains ----------------------------------------------------------------------------------------------------------


def entry_rows(rows: list[Row], rules: Rules) -> list[Row]:
    """Return the rows that match the first step, each of them an attempt."""
    return [row for row in step_rows(rows, rules) if 0 in row.steps]


def step_rows(rows: list[Row], rules: Rules) -> list[Row]:
    """Return the rows that match a step, by instant and number; without a value to hold, a row matches none."""
    found = [row for row in rows if row.steps and not (rules.hold_constant and row.value is None)]
    return sorted(found, key=lambda row: (row.t, row.number))


def rows_read(entry: Row, rows: list[Row], rules: Rules) -> list[Row]:
    """Return the rows an attempt sees: under hold_constant each value is a log of its own, rows without one in none."""
    return [row for row in rows if not rules.hold_constant or (row.value is not None and row.value == entry.value)]


def chains(entry: Row, rows: list[Row], rules: Rules) -> Iterator[Chain]:
    """Give every chain that starts at the entry row, whether clean or not.

    What is left of a chain without its last row is a chain, so all of them are found by adding a row at a time.
    """
    read = rows_read(entry, rows, rules)

    def grow(chain: Chain) -> Iterator[Chain]:
        yield chain
        for step in steps_that_may_follow(max(chain), rules):
            for row in read:
                if step in row.steps and may_follow(chain, step, row, read, rules):
                    yield from grow({**chain, step: row})

    yield from grow({0: entry})


def steps_that_may_follow(last: int, rules: Rules) -> list[int]:
    """Return the steps after `last` that are reached by skipping nothing but optional steps."""
    return [step for step in range(last + 1, rules.n_steps) if set(range(last + 1, step)) <= rules.optional]


def may_follow(chain: Chain, step: int, row: Row, read: list[Row], rules: Rules) -> bool:
    """Whether the row, which matches the step, may stand there after the rows of the chain."""
    last_step = max(chain)
    last = chain[last_step]
    gap = row.t - last.t
    # Within one instant any order counts, and under "allow" a row may follow itself.
    if gap < 0 or (gap == 0 and rules.ties == "increase"):
        return False
    # The last row there is ends the window, also one of an optional step; the boundary is inclusive.
    if row.t - chain[0].t > rules.within:
        return False
    # Gaps are between consecutive matched steps, over those skipped.
    if rules.min_gap is not None and gap < rules.min_gap:
        return False
    if rules.max_gap is not None and gap > rules.max_gap:
        return False
    if rules.reuse == "once" and any(row.number == other.number for other in chain.values()):
        return False
    return rules.order != "strict" or not is_cleared(last_step, last.t, step, row.t, read)


def is_cleared(a: int, from_t: int, b: int, to_t: int, read: list[Row]) -> bool:
    """Whether between consecutive matched steps a and b a tie group holds no row of a, of b or of a step skipped.

    Any choice of rows that no group between them clears is a chain: a chain need not advance on the first row it could.
    """
    for t in {row.t for row in read if from_t < row.t < to_t}:
        group = [row for row in read if row.t == t]
        if not any(step in row.steps for row in group for step in range(a, b + 1)):
            return True
    return False


# --- depth, cleanness and preference ---------------------------------------------------------------------------------


def depth(chain: Chain, rules: Rules) -> int:
    """Count the required steps matched."""
    return len(chain) - sum(step in chain for step in rules.optional)


def deepest_chains(entry: Row, rows: list[Row], rules: Rules) -> list[Chain]:
    """Return the chains of an attempt that have its depth, whether clean or not."""
    found = [(depth(chain, rules), chain) for chain in chains(entry, rows, rules)]
    deepest = max(reached for reached, _ in found)
    return [chain for reached, chain in found if reached == deepest]


def is_clean(chain: Chain, rows: list[Row], rules: Rules) -> bool:
    """Whether no exclusion is broken; excluding rows count whatever their value, so all rows are asked."""
    own = {row.number for row in chain.values()}
    for exclusion, (after, before) in enumerate(rules.exclusions):
        if max(chain) < before:
            continue  # it has not reached that far
        # Where a step was skipped, the nearest matched one outside the gap bounds it.
        lower = chain[max(step for step in chain if step <= after)]
        upper = chain[min(step for step in chain if step >= before)]
        for row in rows:
            if exclusion in row.excludes and row.number not in own and lower.t < row.t < upper.t:
                return False
    return True


def preference(chain: Chain, rules: Rules) -> tuple:
    """Return a key that is smallest for the witness among clean chains of the member's level."""
    start, end = chain[0].t, chain[max(chain)].t
    by_entry = {"first": start, "last": -start, "shortest": end - start}[rules.entry]
    most_optional = -sum(step in rules.optional for step in chain)
    return (most_optional, by_entry, *earliest(chain, rules))


def earliest(chain: Chain, rules: Rules) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return instants, then row numbers, step by step; a step without a row counts as later than any."""
    steps = range(rules.n_steps)
    instants = tuple(chain[step].t if step in chain else math.inf for step in steps)
    numbers = tuple(chain[step].number if step in chain else math.inf for step in steps)
    return instants, numbers


def row_numbers(chain: Chain, rules: Rules) -> tuple[int, ...]:
    return tuple(chain[step].number if step in chain else -1 for step in range(rules.n_steps))


# --- any order -------------------------------------------------------------------------------------------------------


def most_served(first: Row, rows: list[Row], rules: Rules) -> int:
    """Return the most steps served inside the window that opens at the instant of a row."""
    return max(len(served) for served in assignments(window_from(first, rows, rules), rules))


def window_from(first: Row, rows: list[Row], rules: Rules) -> list[Row]:
    """Return the rows that match a step, no earlier than the instant of `first` and no later than its window."""
    read = step_rows(rows_read(first, rows, rules), rules)
    return [row for row in read if first.t <= row.t <= first.t + rules.within]


def assignments(window: list[Row], rules: Rules) -> Iterator[Chain]:
    """Give every choice of steps served and a row for each, in any order, of distinct rows under "once"."""
    choices = [[None, *(row for row in window if step in row.steps)] for step in range(rules.n_steps)]
    for choice in product(*choices):
        served = {step: row for step, row in enumerate(choice) if row is not None}
        if rules.reuse == "allow" or len({row.number for row in served.values()}) == len(served):
            yield served


def witness_of_any(rows: list[Row], rules: Rules, entries: set[int] | None) -> Witness | None:
    """Return the earliest assignment that serves the most steps.

    The entry is the earliest row used, of those at one instant the one with the lowest number.
    """
    found = []
    for first in step_rows(rows, rules):
        if entries is None or first.number in entries:
            window = window_from(first, rows, rules)
            not_before = [row for row in window if (row.t, row.number) >= (first.t, first.number)]
            found += [served for served in assignments(not_before, rules) if first in served.values()]
    if not found:
        return None
    level = max(len(served) for served in found)

    def key(served: Chain) -> tuple:
        return (min(row.t for row in served.values()), *earliest(served, rules))

    best = min((served for served in found if len(served) == level), key=key)
    return Witness(level, row_numbers(best, rules), tainted=False)
