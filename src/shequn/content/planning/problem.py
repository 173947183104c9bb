"""What is a schedule asked to do? Slots, caps and items as plain numbers, for the planner.

A slot is a number from 0 in the order of time. What is posted already is no slot, and neither is what lies too close to
it; of the caps it has taken its part.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Cap", "Mark", "Problem", "Run", "Task", "alive_from"]


class Cap(NamedTuple):
    """At most so many posts in each period, one of a run of slots each."""

    period: list[int]
    """Of each slot; ascending."""
    end: list[int]
    """The first slot of the next period, for each slot."""
    room: list[int]
    """Of each period: how many more it takes."""

    @classmethod
    def of(cls, numbers: Sequence[int], cap: int, taken: dict[int, int]) -> Cap:
        """Return a cap on periods with these numbers, one for each slot, of which some have taken their part."""
        period, room = list[int](), list[int]()
        previous = None
        for number in numbers:
            if number != previous:
                room.append(cap - taken.get(number, 0))
                previous = number
            period.append(len(room) - 1)
        end = [0] * len(period)
        for slot in range(len(period) - 1, -1, -1):
            is_last = slot + 1 == len(period) or period[slot + 1] != period[slot]
            end[slot] = slot + 1 if is_last else end[slot + 1]
        return cls(period, end, room)


class Task(NamedTuple):
    """One item: in which slots, how often, how far apart, and how much it matters."""

    lo: int
    hi: int
    """It may stand in slots from `lo` to before `hi` …"""
    closed: tuple[tuple[int, int], ...]
    """… that are in none of these ranges, which it has posts of its own too close to."""
    limit: int
    """How many posts of it there may be."""
    cooldown_us: int
    weight: int
    kind: int


class Mark(NamedTuple):
    """A post that is there already: the first slot after it, and its kind (-1: one that no item has)."""

    slot: int
    kind: int


class Problem(NamedTuple):
    """Slots, caps and items."""

    at: list[int]
    """Instants of the slots in microseconds, ascending."""
    gap_us: int
    after: list[int]
    """The first slot that is far enough after each."""
    caps: tuple[Cap, ...]
    caps_of: tuple[tuple[int, ...], ...]
    """Which of the caps a kind counts in."""
    tasks: tuple[Task, ...]
    in_a_row: int | None
    marks: tuple[Mark, ...]
    alive: list[int]
    """For each slot, and the one after the last: a byte of ones a task that may stand there or later, as one number."""

    def first_at(self, us: int) -> int:
        """Return the first slot at an instant or later."""
        return bisect_left(self.at, us)

    def after_cooldown(self, task: Task, slot: int) -> int:
        """Return the first slot in which an item may be posted again."""
        return max(self.first_at(self.at[slot] + task.cooldown_us), slot + 1)

    def first_slot(self, task: Task, begin: int, last: int, counts: Sequence[int]) -> int:
        """Return the first slot from `begin` on that an item may take after `last`, with these counts in its periods.

        -1 where there is none.
        """
        slot, hi, closed = max(begin, task.lo), task.hi, task.closed
        caps, which = self.caps, self.caps_of[task.kind]
        while slot < hi:
            moved = slot
            for a, b in closed:
                if a <= moved < b:
                    moved = b
            if moved == slot:
                for c in which:
                    period, end, room = caps[c]
                    p = period[slot]
                    used = counts[c] if last >= 0 and period[last] == p else 0
                    if used >= room[p]:
                        moved = end[slot]
                        break
                else:
                    return slot
            slot = moved
        return -1

    def counted(self, kind: int, slot: int, last: int, counts: Sequence[int]) -> tuple[int, ...]:
        """Return the counts in the periods of a slot once something of a kind stands there."""
        which = self.caps_of[kind]
        return tuple(
            (counts[c] if last >= 0 and cap.period[last] == cap.period[slot] else 0) + (c in which)
            for c, cap in enumerate(self.caps)
        )

    def runs_fit(self, posts: Iterable[tuple[int, int]], marks: Iterable[Mark]) -> bool:
        """Tell whether no kind has too many in a row, where one of those is new; posts as (slot, kind)."""
        if self.in_a_row is None:
            return True
        merged = [(slot, 1, kind) for slot, kind in posts] + [(mark.slot, 0, mark.kind) for mark in marks]
        merged.sort(key=lambda event: event[:2])
        run = Run(-2, 0, new=False)
        for _, new, kind in merged:
            run = run.then(kind, new=bool(new))
            if run.new and run.length > self.in_a_row:
                return False
        return True


class Run(NamedTuple):
    """The posts of one kind in a row that a timeline ends with, and whether one of them is new."""

    kind: int
    length: int
    new: bool

    def then(self, kind: int, *, new: bool) -> Run:
        """Return the run after one more post."""
        if kind == self.kind and kind >= 0:
            return Run(kind, self.length + 1, self.new or new)
        return Run(kind, 1, new)


def alive_from(tasks: Sequence[Task], n_slots: int) -> list[int]:
    """Return `Problem.alive`."""
    ends = [list[int]() for _ in range(n_slots + 1)]
    for number, task in enumerate(tasks):
        ends[task.hi].append(number)
    alive, mask = list[int](), (1 << 8 * len(tasks)) - 1
    for ending in ends:
        for number in ending:
            mask &= ~(0xFF << 8 * (len(tasks) - 1 - number))
        alive.append(mask)
    return alive
