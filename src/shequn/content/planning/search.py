"""Which item goes into which slot? A dispatch for a start, and a search over orders of posts.

A post may always be moved to the earliest slot that its item can take after the post before: that leaves the gap and
the cooldown behind it longer, and takes nothing from periods that later posts lie in. So an order of items is all there
is to choose, and slots follow. (Posts that are there already, with a rule on kinds in a row, are the exception: there
each stretch between them is tried.) The search goes from n posts to n + 1, keeps one state of those that leave the same
possibilities open, and at most so many in all; where it never had to leave one out, it has seen everything.
"""

from __future__ import annotations

from collections import Counter
from itertools import compress, islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from shequn.content.planning.problem import Problem, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Found", "Score", "Solution", "dispatched", "score_of", "searched"]

Solution: TypeAlias = tuple[tuple[int, int], ...]
"""Posts as (slot, task), ascending."""


class Score(NamedTuple):
    """What is to be as large as possible, the first first."""

    items: int
    posts: int
    weight: int


def score_of(problem: Problem, solution: Solution) -> Score:
    """Return what a solution achieves."""
    tasks = [task for _, task in solution]
    return Score(len(set(tasks)), len(tasks), sum(problem.tasks[task].weight for task in tasks))


class _Past(NamedTuple):
    """The last post, and those before it."""

    before: _Past | None
    slot: int
    task: int


class _State(NamedTuple):
    """What is posted so far, and what that leaves open."""

    last: int
    """The slot of the last post, -1 before the first."""
    counts: tuple[int, ...]
    """Posts in the period of `last` of each cap."""
    run: Run
    mark: int
    """How many marks lie before `last`."""
    left: bytes
    """How many more posts of each task there may be; 0 where it is too late for them."""
    ready: tuple[tuple[int, int], ...]
    """Tasks that were posted and may be again, and from which slot on."""
    score: Score
    past: _Past | None
    """The posts so far."""

    @property
    def key(self) -> tuple[object, ...]:
        """What decides about everything that can follow."""
        return self[:6]


class _Option(NamedTuple):
    slot: int
    task: int
    run: Run
    mark: int


def _start(problem: Problem) -> _State:
    left = bytes(task.limit if task.lo < task.hi else 0 for task in problem.tasks)
    return _State(-1, (0,) * len(problem.caps), Run(-2, 0, new=False), 0, left, (), Score(0, 0, 0), None)


def _solution(state: _State) -> Solution:
    posts, past = list[tuple[int, int]](), state.past
    while past is not None:
        posts.append((past.slot, past.task))
        past = past.before
    return tuple(reversed(posts))


def _options(problem: Problem, state: _State) -> Iterator[_Option]:
    """Give what may be posted next, each task in its earliest slot."""
    begin = problem.after[state.last] if state.last >= 0 else 0
    ready = dict(state.ready)
    for number, more in enumerate(state.left):
        if not more:
            continue
        task = problem.tasks[number]
        earliest = max(begin, ready.get(number, 0))
        while True:
            slot = problem.first_slot(task, earliest, state.last, state.counts)
            if slot < 0:
                break
            if problem.in_a_row is None:
                yield _Option(slot, number, state.run, state.mark)
                break
            run, mark = _passed(problem, state, slot)
            if run is None:
                break
            then = run.then(task.kind, new=True)
            if then.length <= problem.in_a_row:
                yield _Option(slot, number, then, mark)
            if mark == len(problem.marks):
                break
            earliest = problem.marks[mark].slot


def _passed(problem: Problem, state: _State, slot: int) -> tuple[Run | None, int]:
    """Return the run once the marks before a slot are passed; None where they would make one too long."""
    run, mark = state.run, state.mark
    while mark < len(problem.marks) and problem.marks[mark].slot <= slot:
        run = run.then(problem.marks[mark].kind, new=False)
        if run.new and problem.in_a_row is not None and run.length > problem.in_a_row:
            return None, mark
        mark += 1
    return run, mark


def _may_end(problem: Problem, state: _State) -> bool:
    return problem.in_a_row is None or _passed(problem, state, len(problem.at))[0] is not None


def _after(problem: Problem, state: _State, option: _Option, dropped: tuple[int, ...] = ()) -> _State:
    """Return the state once an option is taken and some tasks are given up."""
    slot, number, run, mark = option
    task = problem.tasks[number]
    begin = problem.after[slot]
    left = bytearray(state.left)
    is_first = left[number] == task.limit
    left[number] -= 1
    for gone in dropped:
        left[gone] = 0
    still = (int.from_bytes(left, "big") & problem.alive[begin]).to_bytes(len(left), "big")
    ready = {other: at for other, at in state.ready if still[other] and at > begin}
    if still[number] and task.cooldown_us:
        ready[number] = problem.after_cooldown(task, slot)
    score = Score(state.score.items + is_first, state.score.posts + 1, state.score.weight + task.weight)
    counts = problem.counted(task.kind, slot, state.last, state.counts)
    return _State(slot, counts, run, mark, still, tuple(sorted(ready.items())), score, _Past(state.past, slot, number))


# --- a start ---

_Rank: TypeAlias = "Callable[[_Option], tuple[int, ...]]"


def dispatched(problem: Problem) -> Iterator[Solution]:
    """Give the solutions of a few rules that always post what is best to post next."""
    tasks = problem.tasks

    def by_deadline(state: _State) -> _Rank:
        return lambda option: (
            option.slot,
            state.left[option.task] != tasks[option.task].limit,
            tasks[option.task].hi,
            -tasks[option.task].weight,
        )

    def by_weight(state: _State) -> _Rank:
        return lambda option: (
            option.slot,
            state.left[option.task] != tasks[option.task].limit,
            -tasks[option.task].weight,
            tasks[option.task].hi,
        )

    def by_scarcity(state: _State) -> _Rank:
        more = Counter[int]()
        for left, task in zip(state.left, tasks, strict=True):
            more[task.kind] += left
        return lambda option: (
            option.slot,
            state.left[option.task] != tasks[option.task].limit,
            -more[tasks[option.task].kind],
            tasks[option.task].hi,
            -tasks[option.task].weight,
        )

    rules = [by_deadline]
    if len({task.weight for task in tasks}) > 1:
        rules.append(by_weight)
    if problem.in_a_row is not None:
        rules.append(by_scarcity)
    for rule in rules:
        yield _dispatch(problem, rule)


def _dispatch(problem: Problem, rule: Callable[[_State], _Rank]) -> Solution:
    state, best = _start(problem), _start(problem)
    while True:
        options = list(_options(problem, state))
        if not options:
            return _solution(best)
        # Of equals the first one asked for.
        state = _after(problem, state, min(options, key=rule(state)))
        if _may_end(problem, state):
            best = state


# --- the search ---


class Found(NamedTuple):
    """The best solution that was found, and whether everything was seen."""

    solution: Solution
    everything: bool


def searched(problem: Problem, known: Solution, width: int) -> Found:
    """Search for something better than a known solution, keeping at most `width` states a step."""
    best, best_score, everything = known, score_of(problem, known), True
    promise = _Promise(problem)
    layer = [_start(problem)]
    while layer:
        kept = dict[tuple[object, ...], _State]()
        for state in layer:
            for option, dropped in _undominated(problem, state, list(_options(problem, state))):
                child = _after(problem, state, option, dropped)
                if child.score > best_score and _may_end(problem, child):
                    best, best_score = _solution(child), child.score
                same = kept.get(child.key)
                if same is None or child.score > same.score:
                    kept[child.key] = child
        ranked = [(promise.of(state), state) for state in kept.values()]
        ranked = [(most, state) for most, state in ranked if most > best_score]
        if len(ranked) > width:
            everything = False
            ranked.sort(key=lambda pair: (*(-part for part in pair[0]), pair[1].last))
            del ranked[width:]
        layer = [state for _, state in ranked]
    return Found(best, everything)


def _undominated(problem: Problem, state: _State, options: list[_Option]) -> Iterator[tuple[_Option, tuple[int, ...]]]:
    """Give the options worth trying, each with the tasks that are given up when it is taken.

    Of two tasks of one kind that could take the same slot, once each, the one with the earlier deadline goes first or
    never: were it posted later, the two could change places. So it goes first unless it matters less.
    """
    alike = dict[tuple[int, int, int], list[_Option]]()
    for option in options:
        task = problem.tasks[option.task]
        if task.limit == 1 and not task.closed:
            alike.setdefault((task.kind, option.slot, option.mark), []).append(option)
        else:
            twin = any(
                problem.tasks[other] == task and state.left[other] == state.left[option.task] == task.limit
                for other in range(option.task)
            )
            if not twin:
                yield option, ()
    for several in alike.values():
        several.sort(
            key=lambda option: (problem.tasks[option.task].hi, -problem.tasks[option.task].weight, option.task)
        )
        most: int | None = None
        for place, option in enumerate(several):
            weight = problem.tasks[option.task].weight
            if most is None or weight > most:
                most = weight
                yield option, tuple(before.task for before in several[:place])


class _Promise:
    """The most that can still come of a state."""

    __slots__ = ("_by_weight", "_from", "_once", "_problem", "_room_from", "_weights")

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._by_weight = sorted(range(len(problem.tasks)), key=lambda task: -problem.tasks[task].weight)
        self._weights = [problem.tasks[task].weight for task in self._by_weight]
        self._once = all(task.limit <= 1 for task in problem.tasks)
        n = len(problem.at)
        self._from = [0] * (n + 1)
        for slot in range(n - 1, -1, -1):
            self._from[slot] = 1 + self._from[problem.after[slot]]
        self._room_from = list[list[int] | None]()
        shared = set(range(len(problem.caps))).intersection(*map(set, problem.caps_of))
        for c, cap in enumerate(problem.caps):
            room = [max(each, 0) for each in cap.room]
            sizes = [0] * len(room)
            for period in cap.period:
                sizes[period] += 1
            total = [0] * (len(room) + 1)
            for period in range(len(room) - 1, -1, -1):
                total[period] = total[period + 1] + min(room[period], sizes[period])
            self._room_from.append(total if c in shared else None)

    def of(self, state: _State) -> Score:
        problem = self._problem
        begin = problem.after[state.last]
        room = self._from[begin]
        if room:
            for c, total in enumerate(self._room_from):
                if total is None:
                    continue
                period = problem.caps[c].period
                p = period[begin]
                left = total[p]
                if period[state.last] == p:
                    left = total[p + 1] + max(problem.caps[c].room[p] - state.counts[c], 0)
                room = min(room, left)
        items, so_far, weighed = state.score
        if self._once:
            weights = list(islice(compress(self._weights, map(state.left.__getitem__, self._by_weight)), room))
            return Score(items + len(weights), so_far + len(weights), weighed + sum(weights))
        fresh = posts = weight = 0
        for number in self._by_weight:
            more = state.left[number]
            if more:
                task = problem.tasks[number]
                fresh += more == task.limit
                taken = min(more, room - posts)
                posts += taken
                weight += taken * task.weight
        return Score(items + min(fresh, room), so_far + posts, weighed + weight)
