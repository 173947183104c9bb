"""Which of a member's attempts speaks for the member? What the matchers of all orders share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import attrs
import numpy as np

from shequn.funnel.rules import Rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.funnel.parts import Part, Wanted
    from shequn.funnel.reading import Reading

__all__ = [
    "NO_TICK",
    "Attempts",
    "Eligible",
    "FirstAttempts",
    "Found",
    "Judged",
    "KeyOf",
    "Matcher",
    "choose",
    "first_of_pair",
    "most_of_group",
]

NO_TICK = int(np.iinfo(np.int64).max)


class KeyOf(Protocol):
    """What attempts of one member are told apart by: a period, the value of a column at the entry row."""

    def __call__(self, rows: IntArray | None, at_us: IntArray) -> IntArray:
        """Return a code, -1 or more, for each entry row and instant."""
        ...


@attrs.frozen
class Eligible:
    """Attempts that count: those whose entry falls into [start_us, end_us)."""

    start_us: int | None = None
    end_us: int | None = None

    def mask(self, at_us: IntArray) -> BoolArray:
        """Return which instants of entries count."""
        mask = np.ones(len(at_us), dtype=np.bool_)
        if self.start_us is not None:
            mask &= at_us >= self.start_us
        if self.end_us is not None:
            mask &= at_us < self.end_us
        return mask


class Found(NamedTuple):
    """One row a group: a member, or a member with one key. By member, then key."""

    member: IntArray
    key: IntArray
    level: NDArray[np.int16]  # 0: every attempt is tainted
    places: IntArray  # (n, n_steps) rows of the witness, or none; -1 where a step has none
    at_us: IntArray  # (n, n_steps) their instants

    def some(self, groups: BoolArray) -> Found:
        """Return some of the groups."""
        return Found(self.member[groups], self.key[groups], self.level[groups], self.places[groups], self.at_us[groups])


class Attempts(NamedTuple):
    """The attempts of one part that count, by group."""

    place: IntArray  # in the part
    unit: IntArray
    tick: IntArray
    depth: NDArray[np.int16]
    group: IntArray  # 0, 1, … in the order of member and key
    number: IntArray  # which of all attempts of the part


class Judged(NamedTuple):
    """Every attempt of one part."""

    place: IntArray  # of its entry
    depth: NDArray[np.int16]
    end: IntArray  # clock at which it can first reach its depth


class FirstAttempts(NamedTuple):
    """The first attempt of each member that counts."""

    member: IntArray
    depth: NDArray[np.int16]
    entry_us: IntArray
    elapsed_us: IntArray  # until its depth is reached
    row: IntArray


class Matcher:
    """What all kinds of order share: the choice among attempts."""

    needs_rows: bool = False
    wanted: Wanted = "attempts"

    def __init__(self, reading: Reading, eligible: Eligible, key_of: KeyOf | None, with_witness: bool) -> None:
        self.reading: Reading = reading
        self.eligible: Eligible = eligible
        self.key_of: KeyOf | None = key_of
        self.with_witness: bool = with_witness
        self.rules: Rules = Rules.of(reading.funnel)
        if self.wanted == "attempts" and not with_witness and key_of is None and eligible == Eligible():
            self.wanted = "pairs"

    def match(self, part: Part) -> Found:
        """Return the level, and if wanted the witness, of each group of a part."""
        raise NotImplementedError

    def judge(self, part: Part) -> Judged:
        """Return every attempt of a part, with its depth."""
        raise NotImplementedError

    def first(self, part: Part) -> FirstAttempts:
        """Return each member's first attempt that counts; of several at one instant the deepest, then the fastest."""
        place, depth, end = self.judge(part)
        clock = part.clock[place]
        ticks, ends = part.ticks(clock), part.ticks(end)
        at_us = self.reading.clock.instants(ticks)
        keep = np.flatnonzero(self.eligible.mask(at_us))
        member = part.members_of(part.units(clock))
        order = keep[np.lexsort((ends[keep], -depth[keep], ticks[keep], member[keep]))]
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = member[order[1:]] != member[order[:-1]]
        best = order[new]
        elapsed = (ends[best] - ticks[best]) * self.reading.clock.unit_us
        rows = np.full(len(best), -1, dtype=np.int64) if part.rows is None else part.rows[place[best]]
        return FirstAttempts(member[best], depth[best], at_us[best], elapsed, rows)

    def _levels(self, part: Part, unit: IntArray, depth: NDArray[np.int16]) -> Found:
        """Return the level of each member by the depths of attempts, which are in the order of units."""
        member = part.members_of(unit)
        firsts = np.flatnonzero(np.diff(member, prepend=-1))
        member, level = member[firsts], np.maximum.reduceat(depth, firsts) if len(firsts) else depth
        if part.left_out is not None:
            of_all = np.where(part.left_out, np.int16(1), np.int16(-1))
            at = member - part.first_member
            of_all[at] = np.maximum(of_all[at], level)
            at = np.flatnonzero(of_all >= 0)
            member, level = at + part.first_member, of_all[at]
        return self._without_witness(member, np.zeros(len(member), dtype=np.int64), level)

    def _attempts(
        self, part: Part, place: IntArray, depth: NDArray[np.int16]
    ) -> tuple[Attempts, IntArray, IntArray, NDArray[np.int16]]:
        """Return the attempts that count, and member, key and level of each group."""
        clock = part.clock[place]
        at_us = self.reading.clock.instants(part.ticks(clock))
        number = np.flatnonzero(self.eligible.mask(at_us))
        place, clock, at_us, depth = place[number], clock[number], at_us[number], depth[number]
        unit = part.units(clock)
        member = part.members_of(unit)
        if self.key_of is None:
            key = np.zeros(len(member), dtype=np.int64)
        else:
            key = self.key_of(None if part.rows is None else part.rows[place], at_us)
        pairs = np.stack([member, key])
        order = np.lexsort((key, member)) if self.key_of is not None else np.arange(len(member))
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = (pairs[:, order[1:]] != pairs[:, order[:-1]]).any(axis=0)
        group = np.empty(len(order), dtype=np.int64)
        group[order] = np.cumsum(new) - 1
        firsts = order[new]
        level = np.maximum.reduceat(depth[order], np.flatnonzero(new)) if len(order) else depth
        attempts = Attempts(place, unit, part.ticks(clock), depth, group, number)
        return attempts, member[firsts], key[firsts], level

    def _found(self, part: Part, member: IntArray, key: IntArray, level: NDArray[np.int16], places: IntArray) -> Found:
        """Return what was found, with the rows and instants that stand at the places of the witnesses."""
        has = places >= 0
        rows = np.full(places.shape, -1, dtype=np.int64)
        at_us = np.full(places.shape, np.iinfo(np.int64).min, dtype=np.int64)
        assert part.rows is not None  # noqa: S101  (they were asked for)
        rows[has] = part.rows[places[has]]
        at_us[has] = self.reading.clock.instants(part.ticks(part.clock[places[has]]))
        return Found(member, key, level, rows, at_us)

    def _without_witness(self, member: IntArray, key: IntArray, level: NDArray[np.int16]) -> Found:
        nowhere = np.zeros((len(member), 0), dtype=np.int64)
        return Found(member, key, level, nowhere, nowhere)


def choose(part: Part, group: IntArray, places: IntArray, costs: tuple[IntArray, ...], witness: IntArray) -> None:
    """Put the cheapest chain of each group into its place; of equal ones the earliest, step by step."""
    assert part.rows is not None  # noqa: S101  (they were asked for)
    has = places >= 0
    tick = np.where(has, part.ticks(part.clock[places]), NO_TICK)
    row = np.where(has, part.rows[places], NO_TICK)
    order = np.lexsort([group, *costs, *tick.T, *row.T][::-1])
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = group[order[1:]] != group[order[:-1]]
    witness[group[order[new]]] = places[order[new]]


def most_of_group(group: IntArray, values: NDArray[Any]) -> NDArray[Any]:
    """Return, for each entry, the largest value in its group."""
    if not len(group):
        return values
    most = np.full(int(group.max()) + 1, np.iinfo(np.int64).min, dtype=np.int64)
    np.maximum.at(most, group, values)
    return most[group]


def first_of_pair(group: IntArray, unit: IntArray, keep: BoolArray) -> IntArray:
    """Return the first entry that is kept of each group and unit."""
    kept = np.flatnonzero(keep)
    order = np.lexsort((kept, unit[kept], group[kept]))
    kept = kept[order]
    new = np.ones(len(kept), dtype=np.bool_)
    new[1:] = (group[kept[1:]] != group[kept[:-1]]) | (unit[kept[1:]] != unit[kept[:-1]])
    return kept[new]
