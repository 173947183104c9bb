"""How much could be posted at all? Bounds that hold for every schedule.

Without items, slots are all alike: posting at the first slot that gap and caps allow, again and again, gives the most
posts, and each of them as early as the post of that number can be. So the greedy choice tells exactly how many posts
fit between two slots, and, run from both ends, between which slots the k-th of n posts lies. Items are then held
against that: no more of those that belong inside a stretch than fit there, and the items matched to the posts of a full
schedule, where those that matter most form a matroid.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.content.planning.search import Score

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shequn.content.planning.problem import Problem, Task

__all__ = ["Most", "most_possible"]


class Most(NamedTuple):
    """What no schedule exceeds, and the tasks with which it would be reached if slots did what is hoped of them."""

    score: Score
    tasks: frozenset[int]


def most_possible(problem: Problem) -> Most:
    """Return the most items, then posts, then weight that any schedule can have."""
    times = {number: len(_earliest_of(problem, task)) for number, task in enumerate(problem.tasks) if task.limit}
    able = {number: n for number, n in times.items() if n}
    if not able:
        return Most(Score(0, 0, 0), frozenset())
    once = dict.fromkeys(able, 1)
    firsts = _weighed(problem, once, _at_most(problem, once))
    copies = _weighed(problem, able, _at_most(problem, able))
    posts = len(copies)
    items = min(len(firsts), posts)
    again = sorted((problem.tasks[number].weight for number, n in able.items() for _ in range(n - 1)), reverse=True)
    # Each item once, and the rest of the posts are repeats.
    apart = _weight(problem, firsts[:items]) + sum(again[: posts - items])
    return Most(Score(items, posts, min(_weight(problem, copies), apart)), frozenset(firsts))


def _weight(problem: Problem, numbers: Iterable[int]) -> int:
    return sum(problem.tasks[number].weight for number in numbers)


def _earliest_of(problem: Problem, task: Task) -> list[int]:
    """Return the most posts of one task alone, each as early as can be."""
    found, last, begin = list[int](), -1, 0
    counts: tuple[int, ...] = (0,) * len(problem.caps)
    while len(found) < task.limit:
        slot = problem.first_slot(task, begin, last, counts)
        if slot < 0:
            break
        found.append(slot)
        counts = problem.counted(task.kind, slot, last, counts)
        last, begin = slot, max(problem.after[slot], problem.after_cooldown(task, slot))
    return found


def _at_most(problem: Problem, times: dict[int, int]) -> int:
    """Return how many posts there can be of tasks of which each may be posted so many times."""
    kinds = sorted({problem.tasks[number].kind for number in times})
    of_kind = {
        kind: _that_fit(
            problem, {k: n for k, n in times.items() if problem.tasks[k].kind == kind}, problem.caps_of[kind]
        )
        for kind in kinds
    }
    most = min(sum(of_kind.values()), _that_fit(problem, times, _shared(problem)))
    if problem.in_a_row is not None:
        inside = sum(0 < mark.slot < len(problem.at) for mark in problem.marks)
        for kind in kinds:
            others = sum(n for other, n in of_kind.items() if other != kind)
            most = min(most, others + min(of_kind[kind], problem.in_a_row * (others + inside + 1)))
    return most


def _shared(problem: Problem) -> tuple[int, ...]:
    """Return the caps that all kinds count in."""
    return tuple(sorted(set(range(len(problem.caps))).intersection(*map(set, problem.caps_of))))


def _that_fit(problem: Problem, times: dict[int, int], caps: tuple[int, ...]) -> int:
    """Return the number of posts less those that are too many for the stretches their tasks belong to.

    Of stretches that don't overlap, the ones with the largest excess in all are taken.
    """
    tasks = [problem.tasks[number] for number in times]
    lows = sorted({task.lo for task in tasks})
    highs = sorted({task.hi for task in tasks})
    demand = np.zeros((len(lows), len(highs)), dtype=np.int64)
    for task, n in zip(tasks, times.values(), strict=True):
        demand[bisect_left(lows, task.lo), bisect_left(highs, task.hi)] += n
    # Posts of the tasks that begin at or after a low, and end at or before a high.
    inside = np.cumsum(demand[::-1].cumsum(axis=1), axis=0)[::-1]
    best = [0] * (len(highs) + 1)  # the excess of stretches that end at or before a high
    fits = [_greedy(problem, low, max(highs), caps) for low in lows]
    before_low = [bisect_left(highs, low + 1) for low in lows]  # highs at or before each low
    for h, high in enumerate(highs):
        excess = best[h]
        for i, low in enumerate(lows):
            if low >= high:
                break
            excess = max(excess, best[before_low[i]] + int(inside[i, h]) - bisect_left(fits[i], high))
        best[h + 1] = excess
    return sum(times.values()) - best[-1]


def _greedy(problem: Problem, begin: int, end: int, caps: tuple[int, ...]) -> list[int]:
    """Return the most slots from `begin` to before `end` that gap and caps allow, each as early as can be."""
    found, used = list[int](), [dict[int, int]() for _ in caps]
    slot = begin
    while slot < end:
        for c, taken in zip(caps, used, strict=True):
            cap = problem.caps[c]
            period = cap.period[slot]
            if taken.get(period, 0) >= cap.room[period]:
                slot = cap.end[slot]
                break
        else:
            for c, taken in zip(caps, used, strict=True):
                period = problem.caps[c].period[slot]
                taken[period] = taken.get(period, 0) + 1
            found.append(slot)
            slot = problem.after[slot]
    return found


def _greedy_back(problem: Problem, begin: int, end: int, caps: tuple[int, ...]) -> list[int]:
    """Return the same, each as late as can be, the last first."""
    found, used = list[int](), [dict[int, int]() for _ in caps]
    slot = end - 1
    while slot >= begin:
        full = any(
            taken.get(problem.caps[c].period[slot], 0) >= problem.caps[c].room[problem.caps[c].period[slot]]
            for c, taken in zip(caps, used, strict=True)
        )
        if full or (found and problem.after[slot] > found[-1]):
            slot -= 1
            continue
        for c, taken in zip(caps, used, strict=True):
            period = problem.caps[c].period[slot]
            taken[period] = taken.get(period, 0) + 1
        found.append(slot)
        slot -= 1
    return found


def _weighed(problem: Problem, times: dict[int, int], posts: int) -> list[int]:
    """Return the posts, at most so many, that weigh most of those that a full schedule could have: a task each."""
    caps = _shared(problem)
    begin = min(problem.tasks[number].lo for number in times)
    end = max(problem.tasks[number].hi for number in times)
    early = _greedy(problem, begin, end, caps)
    late = _greedy_back(problem, begin, end, caps)
    copies = [number for number in sorted(times, key=lambda k: -problem.tasks[k].weight) for _ in range(times[number])]
    posts = min(posts, len(early))
    while True:
        # The k-th of so many posts lies from early[k] to late[posts - 1 - k].
        latest = [late[posts - 1 - k] for k in range(posts)]
        tasks = [problem.tasks[number] for number in copies]
        reach = [(bisect_left(latest, task.lo), bisect_left(early, task.hi, 0, posts)) for task in tasks]
        chosen = _matched(reach, posts)
        if len(chosen) == posts:
            return [copies[copy] for copy in chosen]
        posts = len(chosen)


def _matched(reach: list[tuple[int, int]], n: int) -> list[int]:
    """Return which copies are matched to n places when each in turn is taken if it can be; reach as (first, end)."""
    holder = [-1] * n
    chosen = list[int]()
    for copy, (first, end) in enumerate(reach):
        if len(chosen) == n:
            break
        if _augment(copy, first, end, reach, holder):
            chosen.append(copy)
    return chosen


def _augment(copy: int, first: int, end: int, reach: list[tuple[int, int]], holder: list[int]) -> bool:
    """Find the copy a place, moving others; breadth first, each place looked at once."""
    came_from = dict[int, int]()  # place -> the place whose holder would move here, -1 for the new copy
    queue = [(-1, first, end)]
    for source, lo, hi in queue:
        for place in range(lo, hi):
            if place in came_from:
                continue
            came_from[place] = source
            if holder[place] < 0:
                while place >= 0:
                    before = came_from[place]
                    holder[place] = copy if before < 0 else holder[before]
                    place = before  # noqa: PLW2901
                return True
            queue.append((place, *reach[holder[place]]))
    return False
