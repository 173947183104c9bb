"""Do blocks of members fit into k groups, together with everybody who is free to sit anywhere?

Free members need no search: once the blocks are seated, whether the rest fits is arithmetic (`_completes`). So the
search goes over blocks alone. It says yes, with a deal at hand; no, after every deal was ruled out; or nothing.
"""

from __future__ import annotations

from collections import Counter
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def decide(problem: Problem, counts: range, /) -> tuple[list[range], list[range]]:
    """Return the numbers of groups for which a deal exists, and those for which it is not decided, as runs.

    Where there is a group for each block, no deal is better than that one: what two blocks ask for beside members who
    are free (seats, leaders) is never less when they share a group. So only fewer groups than that need a search, and
    the work does not grow with the numbers of groups that are asked about.

    Examples
    --------
    >>> three_pairs = tuple(Block(2, 0, False, frozenset()) for _ in range(3))
    >>> decide(Problem(6, 3, 3, 0, 0, three_pairs), range(2, 3))
    ([], [])
    """
    problem, seated, items = _prepared(problem)
    one_each = _one_each(problem, [*seated, *items], counts)
    shared = range(counts.start, min(counts.stop, max(len(seated) + len(items), counts.start)))
    effort = _Effort(steps=_MOST_STEPS, nodes=_MOST_NODES)
    middle = (shared.start + shared.stop) // 2
    # Where not every number of groups can be tried, those in the middle leave most room.
    answers = {k: _can_deal(problem, seated, items, k, effort) for k in sorted(shared, key=lambda k: abs(k - middle))}
    yes = _runs(k for k in shared if answers[k])
    if one_each and yes and yes[-1].stop == one_each.start:
        one_each = range(yes.pop().start, one_each.stop)
    return [*yes, *([one_each] if one_each else [])], _runs(k for k in shared if answers[k] is None)


def _runs(numbers: Iterable[int]) -> list[range]:
    """Return ascending numbers as runs without gaps."""
    runs: list[range] = []
    for number in numbers:
        if runs and runs[-1].stop == number:
            runs[-1] = range(runs[-1].start, number + 1)
        else:
            runs.append(range(number, number + 1))
    return runs


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
        if not _alone(groups, len(seated), items):
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


def _one_each(problem: Problem, blocks: list[int], counts: range) -> range:
    """Return the numbers of groups that can be filled where each block has one of its own, the others being empty."""
    given = _Groups(problem, blocks, len(blocks))
    demand = sum(max(problem.lo, given.demand(group)) for group in range(len(blocks)))
    missing = sum(max(problem.min_leaders - leaders, 0) for leaders in given.leaders)
    spare, free = problem.n - demand, problem.n_free_leaders - missing
    if spare < 0 or free < 0 or any(given.demand(group) > problem.hi for group in range(len(blocks))):
        return range(0)
    most = spare // max(problem.lo, problem.min_leaders)
    if problem.min_leaders:
        most = min(most, free // problem.min_leaders)
    found = range(max(counts.start, len(blocks)), min(counts.stop, len(blocks) + most + 1))
    return found if found else range(0)


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


def _alone(groups: _Groups, first: int, items: list[int]) -> bool:
    """Deal each block to a group of its own, from the first one on that is empty, where there are as many."""
    if first + len(items) > len(groups.size):
        return False
    for group, item in enumerate(items, start=first):
        groups.add(group, item)
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
