"""Do blocks of members fit into k groups, together with everybody who is free to sit anywhere?

Free members need no search: once the blocks are seated, whether the rest fits is arithmetic (`_completes`). So the
search goes over blocks alone. It says yes, with a deal at hand; no, after every deal was ruled out; or nothing.
"""

from __future__ import annotations

from collections import Counter
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from shequn._typing import IntArray

__all__ = ["Block", "Problem", "deal", "decide"]

_Kind: TypeAlias = tuple[int, int, frozenset[int]]
_State: TypeAlias = tuple[int, frozenset[tuple[_Kind, int]]]

_MOST_SEARCHED = 60
_MOST_STEPS = 1_500_000
_MOST_NODES = 60_000
_MOST_TRIES = 40


class Block(NamedTuple):
    """Members who sit in one group: how many, how many lead, whether it has a group yet, and the blocks it shuns."""

    size: int
    leaders: int
    is_seated: bool
    apart: frozenset[int]


class Problem(NamedTuple):
    """All that a deal must meet: members in all, bounds, leaders a group, leaders in no block, and the blocks."""

    n: int
    lo: int
    hi: int
    min_leaders: int
    n_free_leaders: int
    blocks: tuple[Block, ...]


def decide(problem: Problem, counts: range, /) -> tuple[IntArray, IntArray]:
    """Return the numbers of groups for which a deal exists, and those for which it is not decided.

    Examples
    --------
    >>> three_pairs = tuple(Block(2, 0, False, frozenset()) for _ in range(3))
    >>> decide(Problem(6, 3, 3, 0, 0, three_pairs), range(2, 3))
    (array([], dtype=int64), array([], dtype=int64))
    """
    problem, seated, items = _prepared(problem)
    if not items:
        return _without_items(problem, seated, counts), np.zeros(0, dtype=np.int64)
    effort = _Effort(steps=_MOST_STEPS, nodes=_MOST_NODES)
    middle = (counts.start + counts.stop) // 2
    # Where not every number of groups can be tried, those in the middle leave most room.
    answers = {k: _can_deal(problem, seated, items, k, effort) for k in sorted(counts, key=lambda k: abs(k - middle))}
    yes = [k for k in counts if answers[k]]
    undecided = [k for k in counts if answers[k] is None]
    return np.array(yes, dtype=np.int64), np.array(undecided, dtype=np.int64)


def deal(problem: Problem, k: int, /) -> list[list[int]] | None:
    """Return the blocks in each of k groups, from which those who are free complete them; None if none was found.

    Groups with seats given are the first ones, in the order of their blocks. A block of one whom nobody shuns, and who
    has no seat, is in no group: they are as free as one who was never named.

    Examples
    --------
    >>> pairs = tuple(Block(2, 0, False, frozenset()) for _ in range(2))
    >>> deal(Problem(6, 3, 3, 0, 0, pairs), 2)
    [[0], [1]]
    """
    problem, seated, items = _prepared(problem)
    groups = _Groups(problem, seated, k)
    if not _by_load(groups, items):
        groups = _Groups(problem, seated, k)
        effort = _Effort(steps=_MOST_STEPS, nodes=_MOST_NODES)
        if len(items) > _MOST_SEARCHED or not _searched(groups, items, 0, effort, set()):
            return None
    return [sorted(held) for held in groups.held]


def _prepared(problem: Problem) -> tuple[Problem, list[int], list[int]]:
    """Return a problem with its free leaders counted, the blocks with seats, and those to deal, the largest first."""
    seated = [place for place, block in enumerate(problem.blocks) if block.is_seated]
    # A single member who shuns nobody is as free as one who was never named.
    items = [i for i, b in enumerate(problem.blocks) if not b.is_seated and (b.size > 1 or b.apart)]
    items.sort(key=lambda i: (-problem.blocks[i].size, -len(problem.blocks[i].apart), i))
    freed = sum(b.leaders for b in problem.blocks if not b.is_seated and b.size == 1 and not b.apart)
    return problem._replace(n_free_leaders=problem.n_free_leaders + freed), seated, items


def _without_items(problem: Problem, seated: list[int], counts: range) -> IntArray:
    """Return the numbers of groups that can be filled, some with seats given, the others alike and empty."""
    given = _Groups(problem, seated, len(seated))
    empty = np.arange(counts.start, counts.stop, dtype=np.int64) - len(seated)
    demand = sum(max(problem.lo, given.demand(group)) for group in range(len(seated)))
    missing = sum(max(problem.min_leaders - leaders, 0) for leaders in given.leaders)
    fits = all(given.demand(group) <= problem.hi for group in range(len(seated)))
    ok = fits & (demand + empty * max(problem.lo, problem.min_leaders) <= problem.n)
    ok &= missing + empty * problem.min_leaders <= problem.n_free_leaders
    return (empty + len(seated))[ok]


class _Effort:
    """What is left of the work that one question may take."""

    __slots__ = ("nodes", "steps")

    def __init__(self, *, steps: int, nodes: int) -> None:
        self.steps = steps
        self.nodes = nodes


class _Groups:
    """k groups being filled with blocks: members, leaders, and which blocks sit in each."""

    __slots__ = ("held", "leaders", "problem", "size")

    def __init__(self, problem: Problem, seated: list[int], k: int) -> None:
        blocks = problem.blocks
        self.problem = problem
        self.size = [blocks[i].size for i in seated] + [0] * (k - len(seated))
        self.leaders = [blocks[i].leaders for i in seated] + [0] * (k - len(seated))
        self.held: list[set[int]] = [{i} for i in seated] + [set() for _ in range(k - len(seated))]

    def demand(self, group: int) -> int:
        """Return the seats that are taken, or kept for leaders still missing."""
        return self.size[group] + max(self.problem.min_leaders - self.leaders[group], 0)

    def takes(self, group: int, item: int) -> bool:
        """Return whether a block may join a group."""
        block = self.problem.blocks[item]
        missing = max(self.problem.min_leaders - self.leaders[group] - block.leaders, 0)
        return self.size[group] + block.size + missing <= self.problem.hi and not (block.apart & self.held[group])

    def add(self, group: int, item: int) -> None:
        self.size[group] += self.problem.blocks[item].size
        self.leaders[group] += self.problem.blocks[item].leaders
        self.held[group].add(item)

    def drop(self, group: int, item: int) -> None:
        self.size[group] -= self.problem.blocks[item].size
        self.leaders[group] -= self.problem.blocks[item].leaders
        self.held[group].discard(item)

    def kind(self, group: int) -> _Kind:
        """Return all that tells a group from another: members, leaders, and the blocks in it that shun others."""
        shunning = frozenset(i for i in self.held[group] if self.problem.blocks[i].apart)
        return self.size[group], self.leaders[group], shunning

    def completes(self) -> bool:
        """Return whether those who are free to sit anywhere can fill these groups up."""
        p, groups = self.problem, range(len(self.size))
        missing = sum(max(p.min_leaders - leaders, 0) for leaders in self.leaders)
        demands = [self.demand(group) for group in groups]
        return (
            missing <= p.n_free_leaders
            and max(demands, default=0) <= p.hi
            and sum(max(p.lo, demand) for demand in demands) <= p.n
        )


def _can_deal(problem: Problem, seated: list[int], items: list[int], k: int, effort: _Effort) -> bool | None:
    """Return whether k groups can be dealt, None where that is not decided."""
    effort.steps -= len(items) + k
    if effort.steps < 0:
        return None
    if _by_load(_Groups(problem, seated, k), items):
        return True
    if len(items) > _MOST_SEARCHED:
        return None
    return _searched(_Groups(problem, seated, k), items, 0, effort, set())


def _by_load(groups: _Groups, items: list[int]) -> bool:
    """Deal the largest block first, each to the group with the least demand that takes it."""
    heap = [(groups.demand(group), group) for group in range(len(groups.size))]
    heapify(heap)
    for item in items:
        passed: list[tuple[int, int]] = []
        while heap and len(passed) < _MOST_TRIES and not groups.takes(heap[0][1], item):
            passed.append(heappop(heap))
        if not heap or len(passed) == _MOST_TRIES:
            return False
        _, group = heappop(heap)
        groups.add(group, item)
        for entry in (*passed, (groups.demand(group), group)):
            heappush(heap, entry)
    return groups.completes()


def _searched(groups: _Groups, items: list[int], at: int, effort: _Effort, failed: set[_State]) -> bool | None:
    """Go through every deal of the blocks from `at` on, groups that are alike once, and no state twice.

    Where there is one, the groups hold it.
    """
    if at == len(items):
        return groups.completes()
    kinds = [groups.kind(group) for group in range(len(groups.size))]
    state = (at, frozenset(Counter(kinds).items()))
    if state in failed:
        return False
    effort.nodes -= 1
    if effort.nodes < 0:
        return None
    demands = [groups.demand(group) for group in range(len(groups.size))]
    gave_up = False
    # A group's demand only grows: what is too much now stays too much.
    if sum(max(groups.problem.lo, demand) for demand in demands) <= groups.problem.n:
        tried: set[_Kind] = set()
        for group in sorted(range(len(demands)), key=lambda g: -demands[g]):
            if kinds[group] in tried or not groups.takes(group, items[at]):
                continue
            tried.add(kinds[group])
            groups.add(group, items[at])
            answer = _searched(groups, items, at + 1, effort, failed)
            if answer:
                return True
            groups.drop(group, items[at])
            gave_up = gave_up or answer is None
    if gave_up:
        return None
    failed.add(state)
    return False
