"""Can a schedule be made better by changing one thing? Items that got no place are put in for others.

At the end no post can be moved to an earlier slot alone, and none can be added; an item that matters more stands before
one that matters less wherever the two can change places.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

import numpy as np

from shequn.content.planning.search import score_of

if TYPE_CHECKING:
    from shequn._typing import BoolArray
    from shequn.content.planning.problem import Problem
    from shequn.content.planning.search import Solution

__all__ = ["Plan", "exchanged", "tidied"]


# Posts that are taken out on trial for an item without a place.
_MOST_TRIED = 64


class Plan:
    """Posts in slots, which can be put in and taken out."""

    __slots__ = ("_at", "_before", "_near", "_periods", "_room", "of", "posts", "problem")

    def __init__(self, problem: Problem, solution: Solution) -> None:
        self.problem: Problem = problem
        self.posts: list[tuple[int, int]] = []
        """As (slot, task), ascending."""
        self.of: dict[int, list[int]] = {}
        """Slots of each task."""
        n = len(problem.at)
        self._at = np.array(problem.at, dtype=np.int64)
        after = np.array(problem.after, dtype=np.int64)
        # The first slot that is too near before each.
        self._before: list[int] = np.searchsorted(after, np.arange(n), side="right").tolist()
        self._near = np.zeros(n, dtype=np.int64)  # how many posts are too near to each slot
        self._periods = [np.array(cap.period, dtype=np.int64) for cap in problem.caps]
        self._room = [np.array(cap.room, dtype=np.int64) for cap in problem.caps]
        for slot, task in solution:
            self.put(slot, task)

    def put(self, slot: int, task: int) -> None:
        """Put a post in."""
        insort(self.posts, (slot, task))
        insort(self.of.setdefault(task, []), slot)
        self._count(slot, task, 1)

    def take(self, slot: int, task: int) -> None:
        """Take a post out."""
        del self.posts[bisect_left(self.posts, (slot, task))]
        self.of[task].remove(slot)
        self._count(slot, task, -1)

    def _count(self, slot: int, task: int, more: int) -> None:
        self._near[self._before[slot] : self.problem.after[slot]] += more
        for c in self.problem.caps_of[self.problem.tasks[task].kind]:
            self._room[c][self.problem.caps[c].period[slot]] -= more

    def open_in(self, caps: tuple[int, ...], begin: int, end: int) -> BoolArray:
        """Return the slots from `begin` to before `end` in which the gap and these caps have room for one more."""
        is_open: BoolArray = self._near[begin:end] == 0
        for c in caps:
            is_open &= (self._room[c] > 0)[self._periods[c][begin:end]]
        return is_open

    def slots_for(self, number: int, caps: tuple[int, ...] | None = None) -> list[int]:
        """Return the slots that one more post of a task could take, but for kinds in a row (and for other caps)."""
        task = self.problem.tasks[number]
        own = self.of.get(number, [])
        if len(own) >= task.limit or task.lo >= task.hi:
            return []
        fits = self.open_in(self.problem.caps_of[task.kind] if caps is None else caps, task.lo, task.hi)
        for a, b in task.closed:
            fits[max(a - task.lo, 0) : max(b - task.lo, 0)] = False
        for slot in own:
            fits[np.abs(self._at[task.lo : task.hi] - self._at[slot]) < task.cooldown_us] = False
        found: list[int] = (np.flatnonzero(fits) + task.lo).tolist()
        return found

    def runs_fit(self, *near: int) -> bool:
        """Tell whether kinds in a row are in order around slots where something was put in or taken out."""
        longest = self.problem.in_a_row
        if longest is None:
            return True
        for slot in near:
            place = bisect_left(self.posts, (slot, -1))
            begin, end = max(place - longest - 1, 0), min(place + longest + 2, len(self.posts))
            low = -1 if begin == 0 else self.posts[begin][0]
            high = len(self.problem.at) if end == len(self.posts) else self.posts[end - 1][0]
            # What is left out at either end lies beyond so many posts that a run across them would be too long already.
            marks = (mark for mark in self.problem.marks if low < mark.slot <= high)
            posts = ((slot, self.problem.tasks[task].kind) for slot, task in self.posts[begin:end])
            if not self.problem.runs_fit(posts, marks):
                return False
        return True

    def fits_with(self, slot: int, number: int, *near: int) -> bool:
        """Tell whether kinds in a row are in order with one more post, around it and other slots."""
        if self.problem.in_a_row is None:
            return True
        self.put(slot, number)
        fits = self.runs_fit(slot, *near)
        self.take(slot, number)
        return fits

    def suits(self, slot: int, number: int) -> bool:
        """Tell whether a task may stand in a slot that has just become free, but for caps and kinds in a row."""
        task = self.problem.tasks[number]
        if not task.lo <= slot < task.hi or any(a <= slot < b for a, b in task.closed):
            return False
        at = self.problem.at
        return all(abs(at[slot] - at[own]) >= task.cooldown_us for own in self.of.get(number, []))

    def place_for(self, number: int, *near: int) -> int:
        """Return the first slot that one more post of a task can take, -1 where there is none; `near` as `runs_fit`."""
        return next((slot for slot in self.slots_for(number) if self.fits_with(slot, number, *near)), -1)

    def solution(self) -> Solution:
        """Return the posts."""
        return tuple(self.posts)


def exchanged(problem: Problem, solution: Solution, rounds: int) -> Solution:
    """Put items without a place in for others that matter less, or that find another place."""
    plan = Plan(problem, solution)
    for _ in range(rounds):
        before = score_of(problem, plan.solution())
        _fill(plan)
        left_out = [number for number, task in enumerate(problem.tasks) if task.limit and not plan.of.get(number)]
        for number in sorted(left_out, key=lambda number: (-problem.tasks[number].weight, number)):
            _push_in(plan, number)
        if score_of(problem, plan.solution()) == before:
            break
    return plan.solution()


def _fill(plan: Plan) -> None:
    """Add posts while there is room for any: of items without one first, then those that matter more."""
    tasks = plan.problem.tasks
    for first in (True, False):
        for number in sorted(range(len(tasks)), key=lambda number: (-tasks[number].weight, number)):
            if bool(plan.of.get(number)) == first:
                continue
            while (slot := plan.place_for(number)) >= 0:
                plan.put(slot, number)
                if first:
                    break


def _push_in(plan: Plan, number: int) -> None:
    """Give an item the place of another, if that one finds a new place or matters less."""
    tasks = plan.problem.tasks
    task = tasks[number]
    # What matters least makes room first.
    for slot, other in sorted(_in_the_way(plan, number), key=lambda post: (tasks[post[1]].weight, post))[:_MOST_TRIED]:
        plan.take(slot, other)
        there = plan.place_for(number, slot)
        if there >= 0:
            plan.put(there, number)
            again = plan.place_for(other, slot)
            if again >= 0:
                plan.put(again, other)
                return
            is_repeat = bool(plan.of[other])
            if is_repeat or tasks[other].weight < task.weight:
                return
            plan.take(there, number)
        plan.put(slot, other)


def _in_the_way(plan: Plan, number: int) -> list[tuple[int, int]]:
    """Return the posts whose gap or period reaches the slots of a task."""
    problem, task = plan.problem, plan.problem.tasks[number]
    if task.lo >= task.hi:
        return []
    begin = problem.first_at(problem.at[task.lo] - problem.gap_us)
    end = problem.first_at(problem.at[task.hi - 1] + problem.gap_us + 1)
    for c in problem.caps_of[task.kind]:
        period = problem.caps[c].period
        begin = min(begin, bisect_left(period, period[task.lo]))
        end = max(end, problem.caps[c].end[task.hi - 1])
    return [post for post in plan.posts if begin <= post[0] < end]


def tidied(problem: Problem, solution: Solution) -> Solution:
    """Move posts to earlier slots, and what matters more before what matters less, while the score stays."""
    plan = Plan(problem, solution)
    moved = True
    while moved:
        _fill(plan)
        moved = _sort_by_weight(plan)
        for slot, number in plan.solution():
            plan.take(slot, number)
            earlier = [to for to in plan.slots_for(number) if to < slot]
            to = next((to for to in earlier if plan.fits_with(to, number, slot)), slot)
            plan.put(to, number)
            moved = moved or to < slot
    return plan.solution()


def _sort_by_weight(plan: Plan) -> bool:
    """Let posts change places so that what matters more comes first; tell whether any did."""
    tasks, any_moved = plan.problem.tasks, False
    for place in range(len(plan.posts)):
        slot, number = plan.posts[place]
        later = [post for post in plan.posts[place + 1 :] if tasks[post[1]].weight > tasks[number].weight]
        for other_slot, other in sorted(later, key=lambda post: (-tasks[post[1]].weight, post[0])):
            if tasks[other].lo > slot or other_slot >= tasks[number].hi:
                continue
            if _swap(plan, (slot, number), (other_slot, other)):
                any_moved = True
                break
    return any_moved


def _swap(plan: Plan, one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Let two posts change places if nothing speaks against it."""
    (first, number), (second, heavier) = one, other
    plan.take(*one)
    plan.take(*other)
    if plan.suits(first, heavier) and _has_room(plan, first, heavier, number):
        plan.put(first, heavier)
        if plan.suits(second, number) and _has_room(plan, second, number, heavier):
            plan.put(second, number)
            if plan.runs_fit(first, second):
                return True
            plan.take(second, number)
        plan.take(first, heavier)
    plan.put(*one)
    plan.put(*other)
    return False


def _has_room(plan: Plan, slot: int, number: int, instead_of: int) -> bool:
    """Tell whether the caps let one task stand where another stood."""
    caps, before = (plan.problem.caps_of[plan.problem.tasks[one].kind] for one in (number, instead_of))
    return caps == before or bool(plan.open_in(caps, slot, slot + 1)[0])
