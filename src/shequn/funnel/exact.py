"""One member's ways, where which row serves which step makes a difference.

Most members never come here. It takes several rows at one instant that compete for steps they match together
(``reuse="once"``), or a row that excludes standing at the very instant of a step between the two it bears on, where a
chain is clean if that row is its own. Then what matters of an instant is which steps a chain matches at it and whether
rows can be found for them, and chains go from instant to instant.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from shequn.funnel.rules import Rules

__all__ = ["Chain", "Instant", "Limits", "OneMember", "matched_most"]

_NEVER = float("inf")


class Instant(NamedTuple):
    """All rows of a member at one instant."""

    tick: int
    rows: tuple[tuple[int, frozenset[int]], ...]  # number, and the steps it matches; in order of number
    excluding: tuple[frozenset[int], ...]  # for each exclusion, the numbers of its rows
    is_read: bool  # whether any row stands here that a strict chain reads, be it of no step


class Limits(NamedTuple):
    """What an option says, in ticks."""

    within: int
    min_gap: int
    max_gap: int
    is_strict: bool
    ties_increase: bool
    is_once: bool


class Chain(NamedTuple):
    """A witness: for each step the instant and the row, infinite where it was skipped or not reached."""

    instants: tuple[float, ...]
    rows: tuple[float, ...]


class OneMember:
    """Every way of one member (of one unit) through a funnel.

    A state is an instant and the last step matched at it. How early a chain can end from a state doesn't depend on how
    it was reached.
    """

    def __init__(self, instants: Sequence[Instant], rules: Rules, limits: Limits) -> None:
        self.instants, self.rules, self.limits = instants, rules, limits
        self._found: dict[tuple[int, tuple[int, ...], frozenset[int], int | None], tuple[int, ...] | None] = {}
        self._ends: dict[tuple[int, bool], dict[tuple[int, int], dict[int, float]]] = {}

    def entries(self) -> Iterator[tuple[int, int]]:
        """Yield the instant and the row number of each attempt."""
        for at, instant in enumerate(self.instants):
            for number, steps in instant.rows:
                if 0 in steps:
                    yield at, number

    def place_of(self, tick: int) -> int:
        """Return which of the instants a tick is."""
        return bisect_left(self.instants, tick, key=lambda instant: instant.tick)

    def depth(self, at: int, number: int) -> int:
        """Return how many required steps an attempt reaches; 0 where only with an excluding row in between."""
        depth = 1
        for reached in range(2, len(self.rules.required) + 1):
            if not self._can_end(at, number, self.rules.required[reached - 1], is_clean=False):
                break
            depth = reached
        return depth if self._can_end(at, number, self.rules.required[depth - 1], is_clean=True) else 0

    def first_end(self, at: int, number: int, depth: int) -> int:
        """Return the earliest instant at which an attempt can cleanly reach a depth; it can."""
        firsts = self._firsts(at, number, self.rules.required[depth - 1], True)
        return int(min(end for _, ends in firsts for end in ends.values()))

    def _can_end(self, at: int, number: int, last: int, *, is_clean: bool) -> bool:
        deadline = self.instants[at].tick + self.limits.within
        return any(end <= deadline for _, ends in self._firsts(at, number, last, is_clean) for end in ends.values())

    def _firsts(
        self, at: int, number: int, last: int, is_clean: bool
    ) -> Iterator[tuple[tuple[int, ...], dict[int, float]]]:
        """Yield the steps that can be matched at the instant of an entry, and the ends by optional steps matched."""
        more_at_once = self._runs(0) if self._may_stay else ()
        for steps in [(0,), *((0, *more) for more in more_at_once)]:
            if steps[-1] <= last and self._rows_for(at, steps, frozenset(), number):
                ends = self._all_ends(last, is_clean).get((at, steps[-1]), {})
                taken = self._n_optional(steps)
                yield steps, {left + taken: end for left, end in ends.items()}

    def _n_optional(self, steps: Iterable[int]) -> int:
        return sum(step in self.rules.optional for step in steps)

    @property
    def _may_stay(self) -> bool:
        """Whether several steps may be matched at one instant."""
        return not self.limits.ties_increase and not self.limits.min_gap

    def _runs(self, step: int) -> tuple[tuple[int, ...], ...]:
        """Return the steps that may be matched at one instant after a step was matched."""
        return _runs_after(self.rules, step, self._may_stay)

    # ── how early a chain can end ────────────────────────────────────────────────────────────────────────────────────

    def _all_ends(self, last: int, is_clean: bool) -> dict[tuple[int, int], dict[int, float]]:
        """Return for each state the earliest end by `last`, by how many optional steps are matched on the way."""
        key = (last, is_clean)
        if key in self._ends:
            return self._ends[key]
        ends: dict[tuple[int, int], dict[int, float]] = {}
        for at in range(len(self.instants) - 1, -1, -1):
            here = {step for _, steps in self.instants[at].rows for step in steps}
            for step in here:
                if step > last:
                    continue
                found: dict[int, float] = {0: self.instants[at].tick} if step == last else {}
                for after, steps in self._follow(at, step, last, is_clean) if step < last else ():
                    taken = self._n_optional(steps)
                    for left, end in ends.get((after, steps[-1]), {}).items():
                        found[left + taken] = min(end, found.get(left + taken, _NEVER))
                if found:
                    ends[at, step] = found
        self._ends[key] = ends
        return ends

    def _follow(self, at: int, step: int, last: int, is_clean: bool) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield the later instants, and the steps matched at each, that may follow a state."""
        limits, rules, now = self.limits, self.rules, self.instants[at].tick
        if self._nearest_is_best(last, is_clean):
            yield from self._follow_nearest(at, step, last)
            return
        runs = [steps for steps in self._runs(step) if steps[-1] <= last]
        between: list[int] = []
        for after in range(at + 1, len(self.instants)):
            gap = self.instants[after].tick - now
            if gap > limits.within or gap > limits.max_gap:
                return
            for steps in runs if gap >= limits.min_gap else ():
                first = steps[0]
                bearing = rules.bearing(step, first, last) if is_clean else ()
                if any(self.instants[middle].excluding[number] for middle in between for number in bearing):
                    continue
                if limits.is_strict and any(self._interrupts(middle, step, first) for middle in between):
                    continue
                # An exclusion bears on the instant itself where both of its steps stand at other ones.
                own = [number for number in bearing if steps[-1] < rules.exclusions[number][1]]
                needed = frozenset(row for number in own for row in self.instants[after].excluding[number])
                if self._rows_for(after, steps, needed, None):
                    yield after, steps
            between.append(after)

    def _nearest_is_best(self, last: int, is_clean: bool) -> bool:
        """Tell whether the nearest row of a step is always the best to take: nothing is lost by being early."""
        has_max_gap = self.limits.max_gap < self.limits.within
        bears = is_clean and any(high <= last for _, high in self.rules.exclusions)
        return not (has_max_gap or self.limits.is_strict or bears)

    def _follow_nearest(self, at: int, step: int, last: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        now = self.instants[at].tick
        earliest = now + max(self.limits.min_gap, 1)  # instants differ by a tick at least
        runs = [steps for steps in self._runs(step) if steps[-1] <= last]
        for first in sorted({steps[0] for steps in runs}):
            places = self._places.get(first, [])
            turn = bisect_left(places, earliest, key=lambda place: self.instants[place].tick)
            if turn == len(places) or self.instants[places[turn]].tick - now > self.limits.within:
                continue
            after = places[turn]
            for steps in runs:
                if steps[0] == first and self._rows_for(after, steps, frozenset(), None):
                    yield after, steps

    @cached_property
    def _places(self) -> dict[int, list[int]]:
        """Return the instants at which rows of each step stand."""
        places: dict[int, list[int]] = {}
        for at, instant in enumerate(self.instants):
            for step in {step for _, steps in instant.rows for step in steps}:
                places.setdefault(step, []).append(at)
        return places

    def _interrupts(self, at: int, step: int, after: int) -> bool:
        instant = self.instants[at]
        return instant.is_read and not any(step <= matched <= after for _, steps in instant.rows for matched in steps)

    # ── rows for the steps of one instant ────────────────────────────────────────────────────────────────────────────

    def _rows_for(
        self, at: int, steps: tuple[int, ...], needed: frozenset[int], entry: int | None
    ) -> tuple[int, ...] | None:
        """Return the least row numbers, step by step, that serve steps; None where there are none.

        All rows that are `needed` must be among them, and `entry` must serve the first step.
        """
        key = (at, steps, needed, entry)
        if key not in self._found:
            rows = self.instants[at].rows
            choices = [[number for number, matched in rows if step in matched] for step in steps]
            if entry is not None:
                choices[0] = [entry]
            self._found[key] = _least_choice(choices, needed, is_once=self.limits.is_once)
        return self._found[key]

    # ── the witness ──────────────────────────────────────────────────────────────────────────────────────────────────

    def witness(self, entries: Sequence[tuple[int, int]], depth: int, entry: str) -> Chain:
        """Return the chain that speaks for attempts which all reach a depth cleanly: see `Funnel.entry`."""
        lasts = self.rules.last_steps(depth)
        options: list[tuple[int, int, int, float]] = []  # optional steps, instant of entry, last step, earliest end
        for at, number in entries:
            deadline = self.instants[at].tick + self.limits.within
            for last in lasts:
                for _, ends in self._firsts(at, number, last, True):
                    options += [(taken, at, last, end) for taken, end in ends.items() if end <= deadline]
        most = max(taken for taken, *_ in options)
        options = [option for option in options if option[0] == most]
        ticks = {at: self.instants[at].tick for _, at, _, _ in options}
        if entry == "shortest":
            least = min(end - ticks[at] for _, at, _, end in options)
            options = [option for option in options if option[3] - ticks[option[1]] == least]
        else:
            least = self.limits.within
            best = (max if entry == "last" else min)(ticks.values())
            options = [option for option in options if ticks[option[1]] == best]
        allowed = {(at, last) for _, at, last, _ in options}
        chains = [
            chain
            for at, number in entries
            for last in lasts
            if (at, last) in allowed
            for chain in self._earliest(at, number, last, most, ticks[at] + least)
        ]
        return min(chains)

    def _earliest(self, at: int, number: int, last: int, n_optional: int, bound: float) -> Iterator[Chain]:
        for steps, ends in self._firsts(at, number, last, True):
            if ends.get(n_optional, _NEVER) > bound:
                continue
            rows = self._rows_for(at, steps, frozenset(), number)
            rest = self._rest(at, steps[-1], last, n_optional - self._n_optional(steps), bound, {})
            if rows is not None and rest is not None:
                yield self._joined(at, -1, steps, rows, rest)

    def _rest(  # noqa: PLR0917
        self, at: int, step: int, last: int, left: int, bound: float, known: dict[tuple[int, int, int], Chain | None]
    ) -> Chain | None:
        """Return the earliest way on from a state, of the steps after it."""
        if step == last:
            skipped = (_NEVER,) * (self.rules.n_steps - 1 - step)
            return Chain(skipped, skipped) if left == 0 else None
        key = (at, step, left)
        if key not in known:
            ends = self._all_ends(last, True)
            found: list[Chain] = []
            for after, steps in self._follow(at, step, last, True):
                still = left - self._n_optional(steps)
                if ends.get((after, steps[-1]), {}).get(still, _NEVER) > bound:
                    continue
                rest = self._rest(after, steps[-1], last, still, bound, known)
                rows = self._rows_for(after, steps, self._needed(after, step, steps, last), None)
                if rest is not None and rows is not None:
                    found.append(self._joined(after, step, steps, rows, rest))
            known[key] = min(found) if found else None
        return known[key]

    def _needed(self, at: int, step: int, steps: tuple[int, ...], last: int) -> frozenset[int]:
        bearing = self.rules.bearing(step, steps[0], last)
        own = [number for number in bearing if steps[-1] < self.rules.exclusions[number][1]]
        return frozenset(row for number in own for row in self.instants[at].excluding[number])

    def _joined(self, at: int, before: int, steps: tuple[int, ...], rows: tuple[int, ...], rest: Chain) -> Chain:
        """Put the steps matched at one instant before the rest of a chain."""
        row_of = dict(zip(steps, rows, strict=True))
        span = range(before + 1, steps[-1] + 1)
        instants = tuple(self.instants[at].tick if step in row_of else _NEVER for step in span)
        return Chain(instants + rest.instants, tuple(row_of.get(step, _NEVER) for step in span) + rest.rows)


@lru_cache(maxsize=4096)
def _runs_after(rules: Rules, step: int, may_stay: bool) -> tuple[tuple[int, ...], ...]:
    found: list[tuple[int, ...]] = []
    for after in rules.next_steps(step):
        found.append((after,))
        if may_stay:
            found += [(after, *more) for more in _runs_after(rules, after, may_stay)]
    return tuple(found)


def _least_choice(choices: list[list[int]], needed: frozenset[int], *, is_once: bool) -> tuple[int, ...] | None:
    """Choose one of each list, each as small as the earlier ones allow, so that all needed ones are chosen."""
    if not _can_choose(choices, needed, is_once=is_once):
        return None
    for place, options in enumerate(choices):
        for option in sorted(options):
            choices[place] = [option]
            if _can_choose(choices, needed, is_once=is_once):
                break
    return tuple(options[0] for options in choices)


def _can_choose(choices: list[list[int]], needed: frozenset[int], *, is_once: bool) -> bool:
    """Tell whether there is a choice: a matching that covers all steps, where rows serve one, and all needed rows.

    If one matching covers the steps and another the rows, some matching covers both (Mendelsohn and Dulmage, 1958).
    """
    if not all(choices):
        return False
    if is_once and matched_most(choices) < len(choices):
        return False
    served = [[place for place, options in enumerate(choices) if row in options] for row in needed]
    return matched_most(served) == len(needed)


def matched_most(choices: Sequence[Sequence[int]]) -> int:
    """Return how many of the lists can choose a number of their own (Kuhn's augmenting paths).

    Examples
    --------
    >>> matched_most([[1], [1, 2], [2]])
    2
    """
    taken: dict[int, int] = {}

    def place(chooser: int, tried: set[int]) -> bool:
        for option in choices[chooser]:
            if option not in tried:
                tried.add(option)
                if option not in taken or place(taken[option], tried):
                    taken[option] = chooser
                    return True
        return False

    return sum(place(chooser, set()) for chooser in range(len(choices)))
