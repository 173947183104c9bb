"""What is posted when, so that nobody is disturbed, nothing comes too often, and as much as possible finds a place?"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, cast, get_args

import numpy as np

from shequn.content.planning.bounds import most_possible
from shequn.content.planning.exchange import Plan, exchanged, tidied
from shequn.content.planning.problem import Cap, Mark, Problem, Task, alive_from
from shequn.content.planning.search import Found, Score, dispatched, score_of, searched
from shequn.content.planning.slots import candidate_slots, clock_times_us
from shequn.content.schedules import REASON_CODE, Schedule, ScheduleReason, ScheduleTotals, Variety
from shequn.entities.content_item import ContentItem
from shequn.entities.content_taxonomies import ContentKind
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError, message, suggest
from shequn.labels import Index
from shequn.stats._checks import instance, is_integer, items_of, number_between, one_of, whole
from shequn.values.cadence import Cadence
from shequn.values.calendar import Calendar
from shequn.values.elapsed import elapsed_us
from shequn.values.instants import instant_us
from shequn.values.window import Window
from shequn.values.zones import zone_name

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping
    from datetime import tzinfo

    from shequn._typing import IntArray
    from shequn.content.planning.search import Solution
    from shequn.labels import Label
    from shequn.values.daily_window import DailyWindow
    from shequn.values.quiet_hours import QuietHours

__all__ = ["Effort", "schedule"]

Effort: TypeAlias = Literal["quick", "normal", "high"]

_ROUNDS: dict[str, int] = {"quick": 0, "normal": 5, "high": 50}
# A round looks at an item in a state of the search so often.
_LOOKS_A_ROUND = 20_000
_EXCHANGES = 4
_MOST_REPEATS = 255
# So that no sum of them is too large for a float.
_MOST_PRIORITY = 1e100
_KINDS = tuple(ContentKind)


def schedule(
    items: Iterable[ContentItem],
    /,
    *,
    window: Window,
    tz: str | tzinfo,
    times: Iterable[str | dt.time] | None = None,
    every: dt.timedelta | None = None,
    quiet: QuietHours | DailyWindow | Iterable[DailyWindow] | None = None,
    cadence: Cadence | None = None,
    variety: Variety | None = None,
    priority: Mapping[Label, float] | None = None,
    not_before: Mapping[Label, dt.datetime] | None = None,
    deadline: Mapping[Label, dt.datetime] | None = None,
    repeats: int | Mapping[Label, int] = 1,
    cooldown: dt.timedelta | Mapping[Label, dt.timedelta] | None = None,
    posted: Schedule | Iterable[tuple[ContentItem | Label, dt.datetime]] = (),
    effort: Effort | int = "normal",
) -> Schedule:
    """Put items into the slots of a window, as many as possible, under quiet hours, cadence and variety.

    Parameters
    ----------
    items : iterable of ContentItem
        What waits to be posted, each id once. Of each, `created` and `archived` are the default of `not_before` and
        `deadline`; `published` is not read.
    window : Window
        All posts lie in it.
    tz : str or tzinfo
        The zone of slots, days, weeks and months.
    times : iterable of str or time, optional
        The times of day at which something may be posted: ``["08:00", "12:30"]``.
    every : timedelta, optional
        Instead of `times`: a grid from local midnight on; half an hour by default.
    quiet : QuietHours, DailyWindow or iterable of them, optional
        When nothing is posted.
    cadence : Cadence, optional
        Caps per local day, week and month, and the least time between two posts.
    variety : Variety, optional
        Caps on posts of one kind in a row and a day.
    priority : mapping of id to number, optional
        How much each item matters, 0 or more; 1 where it is not named.
    not_before, deadline : mapping of id to datetime, optional
        An item is posted at `not_before` or later, and before `deadline`.
    repeats : int or mapping of id to int, default 1
        How often an item may be posted at most, posts in `posted` counted; 1 where it is not named.
    cooldown : timedelta or mapping of id to timedelta, optional
        The least time between two posts of one item. Exactly so much is enough.
    posted : Schedule, or iterable of (item or id, datetime), optional
        What is posted already or is going to be, in whatever window. It counts in cadence, variety, `repeats` and
        `cooldown`; whether it keeps them itself is not asked.
    effort : {"quick", "normal", "high"} or int, default "normal"
        Rounds of search (0, 5, 50), where first attempts were not proved to be best. The time grows with them.

    Returns
    -------
    Schedule
        The posts, why the other items have no place, and a bound that no schedule exceeds.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used: an id twice, a deadline not after `not_before`, a priority below 0.
    UnknownLabelError
        A mapping names an id that no item has, or there is no such zone.

    Notes
    -----
    A slot is a wall clock time of a local day. One that the zone skips on a day is no slot; one that it has twice is
    used once, the first time. Gaps and cooldowns are elapsed time.

    As much as possible means: first the number of different items, then the number of posts, then the sum of their
    priorities. Among those, posts go early: none can be moved to an earlier slot alone, and an item of higher priority
    stands before one of lower where the two can change places. The same arguments give the same schedule.

    Without deadlines, or without a later `not_before`, posting whenever it is allowed is best; with both it is the
    scheduling of equal jobs with release times, due dates and forbidden times, which a search decides. Small cases are
    searched through. In larger ones the best that was found is returned, and `Schedule.is_optimal` says whether it is
    proved to be best.

    References
    ----------
    Rows K6, K7 and A5 of the domain table, and its §3; Baptiste, P. (1999). Polynomial time algorithms for minimizing
    the weighted number of late jobs on a single machine with equal processing times. Journal of Scheduling 2, 245-252.

    Examples
    --------
    >>> import pendulum
    >>> from shequn.values import DailyWindow
    >>> start = pendulum.datetime(2024, 3, 1, tz="Asia/Shanghai")
    >>> items = [ContentItem(id=n, kind="educational", created=start) for n in range(3)]
    >>> plan = schedule(
    ...     items,
    ...     window=Window(start, start.add(days=2)),
    ...     tz="Asia/Shanghai",
    ...     quiet=DailyWindow(start="09:00", end="18:00", tz="Asia/Shanghai"),
    ...     cadence=Cadence(per_day=2, min_gap=pendulum.duration(hours=10)),
    ...     deadline={2: start.add(hours=5)},
    ... )
    >>> [(post.item, f"{post.at:D HH:mm}") for post in plan.rows()]
    [(2, '1 00:00'), (0, '1 18:00'), (1, '2 04:00')]
    """
    asked = _read(
        items, priority=priority, not_before=not_before, deadline=deadline, repeats=repeats, cooldown=cooldown
    )
    instance("window", window, Window, expected="a Window")
    name = zone_name(tz)
    limits = _or_default("cadence", cadence, Cadence)
    mixing = _or_default("variety", variety, Variety)
    done = _posted(posted, asked)
    rounds = _rounds(effort)
    slots = candidate_slots(window, name, clock_times_us(times, every), quiet)
    setting = _Setting(slots, _days(slots, done, name, limits), limits, mixing, done)
    problem = _problem(asked, setting)
    found, bound = _solved(problem, rounds)
    codes = _reasons(problem, found, asked, setting)
    return Schedule(
        items=asked.ids,
        kinds=tuple(_KINDS[kind] for kind in asked.kinds),
        priority=np.array([float(Fraction(weight, asked.unit)) for weight in asked.weights], dtype=np.float64),
        codes=np.array(codes, dtype=np.int8),
        item_codes=np.array([task for _, task in found], dtype=np.int64),
        at_us=np.array([problem.at[slot] for slot, _ in found], dtype=np.int64),
        upper_bound=ScheduleTotals(bound.items, bound.posts, float(Fraction(bound.weight, asked.unit))),
        tz=name,
    )


# --- reading what was asked ---


class _Asked(NamedTuple):
    """The items, as columns of plain numbers."""

    ids: Index
    kinds: list[int]
    weights: list[int]
    """Priorities, in parts of which `unit` make 1."""
    unit: int
    begin_us: list[int]
    end_us: list[int | None]
    repeats: list[int]
    cooldown_us: list[int]


def _read(
    items: Iterable[ContentItem],
    *,
    priority: Mapping[Label, float] | None,
    not_before: Mapping[Label, dt.datetime] | None,
    deadline: Mapping[Label, dt.datetime] | None,
    repeats: int | Mapping[Label, int],
    cooldown: dt.timedelta | Mapping[Label, dt.timedelta] | None,
) -> _Asked:
    given = items_of("items", items, expected="ContentItems")
    seen = set[Any]()
    for row, item in enumerate(given):
        if not isinstance(item, ContentItem):
            raise InvalidTypeError(message("items", "ContentItems", item, row=row))
        if item.id in seen:
            raise InvalidValueError(message("items", "each id once", item.id, row=row))
        seen.add(item.id)
    ids = [item.id for item in given]
    first = _each("not_before", not_before, ids, instant_us)
    last = _each("deadline", deadline, ids, instant_us)
    begin = [instant_us(item.created) if us is None else us for item, us in zip(given, first, strict=True)]
    end = [
        instant_us(item.archived) if us is None and item.archived is not None else us
        for item, us in zip(given, last, strict=True)
    ]
    for row, (item, start, stop) in enumerate(zip(given, begin, end, strict=True)):
        if stop is not None and stop <= start:
            raise InvalidValueError(message("deadline", "an instant after not_before", item.id, row=row))
    matters = [Fraction(1 if number is None else number) for number in _each("priority", priority, ids, _priority)]
    unit = lcm(*(number.denominator for number in matters))
    return _Asked(
        ids=Index(ids),
        kinds=[_KINDS.index(item.kind) for item in given],
        weights=[int(number * unit) for number in matters],
        unit=unit,
        begin_us=begin,
        end_us=end,
        repeats=[1 if n is None else n for n in _each("repeats", repeats, ids, _repeats)],
        cooldown_us=[us or 0 for us in _each("cooldown", cooldown, ids, _cooldown)],
    )


def _each(argument: str, given: object, ids: list[Any], read: Callable[..., Any]) -> list[Any]:
    """Return what an option says of each item, None where it says nothing; one value is of all."""
    if given is None:
        return [None] * len(ids)
    if not hasattr(given, "keys"):
        if argument in {"repeats", "cooldown"}:
            return [read(given, argument=argument)] * len(ids)
        raise InvalidTypeError(message(argument, "a mapping from ids of items", given))
    named = dict(cast("Mapping[Any, Any]", given))
    known = set(ids)
    for name in named:
        if name not in known:
            raise UnknownLabelError(message(argument, "ids of items", name) + suggest(str(name), map(str, ids)))
    return [read(named[name], argument=argument) if name in named else None for name in ids]


def _priority(value: float, /, *, argument: str) -> float:
    if not is_integer(value):
        return number_between(argument, value, 0, _MOST_PRIORITY)
    if not 0 <= value <= _MOST_PRIORITY:
        raise InvalidValueError(message(argument, f"a number in [0, {_MOST_PRIORITY:g}]", value))
    return int(value)


def _repeats(value: int, /, *, argument: str) -> int:
    n = whole(argument, value)
    if not 1 <= n <= _MOST_REPEATS:
        raise InvalidValueError(message(argument, f"a whole number in [1, {_MOST_REPEATS}]", value))
    return n


def _cooldown(value: dt.timedelta, /, *, argument: str) -> int:
    return elapsed_us(argument, value)


def _or_default(argument: str, value: Any, kind: type[Any]) -> Any:  # noqa: ANN401
    if value is None:
        return kind()
    instance(argument, value, kind, expected=f"a {kind.__name__}")
    return value


def _rounds(effort: Effort | int) -> int:
    if is_integer(effort):
        if effort < 0:
            raise InvalidValueError(message("effort", "0 rounds or more", effort))
        return int(effort)
    instance("effort", effort, str, expected='"quick", "normal", "high" or a number of rounds')
    one_of("effort", effort, get_args(Effort))
    return _ROUNDS[str(effort)]


class _Done(NamedTuple):
    """A post that is there already: when, of which item (-1: none of those asked for), and of which kind (-1)."""

    at_us: int
    item: int
    kind: int


def _posted(posted: Schedule | Iterable[tuple[ContentItem | Label, dt.datetime]], asked: _Asked) -> list[_Done]:
    if isinstance(posted, Schedule):
        labels = posted.items.labels[posted.item_codes].tolist()
        kinds = [_KINDS.index(posted.kinds[code]) for code in posted.item_codes.tolist()]
        found = list(zip(posted.at_us.tolist(), labels, kinds, strict=True))
    else:
        found = [_pair(pair, row) for row, pair in enumerate(items_of("posted", posted, expected=_PAIRS))]
    places = {label: place for place, label in enumerate(asked.ids.labels.tolist())}
    done = list[_Done]()
    for at_us, label, kind in found:
        place = places.get(label, -1)
        done.append(_Done(at_us, place, asked.kinds[place] if place >= 0 else kind))
    return sorted(done)


_PAIRS = "pairs of an item, or its id, and a datetime"


def _pair(pair: object, row: int) -> tuple[int, object, int]:
    try:
        item, at = cast("Any", pair)
    except (TypeError, ValueError):
        raise InvalidTypeError(message("posted", _PAIRS, pair, row=row)) from None
    if isinstance(item, ContentItem):
        return instant_us(at, argument="posted"), item.id, _KINDS.index(item.kind)
    if not isinstance(item, str) and not is_integer(item):
        raise InvalidTypeError(message("posted", _PAIRS, pair, row=row))
    return instant_us(at, argument="posted"), item, -1


# --- from there to slots and caps ---


class _Setting(NamedTuple):
    """When something may be posted, whatever it is."""

    slots: IntArray
    """All candidate slots, also those that what is posted already leaves no room in."""
    days: Mapping[str, tuple[IntArray, list[int]]]
    """For each of day, week and month: the number of the period of each slot, and of each post that is there."""
    cadence: Cadence
    variety: Variety
    done: list[_Done]


def _days(slots: IntArray, done: list[_Done], tz: str, cadence: Cadence) -> dict[str, tuple[IntArray, list[int]]]:
    at_us = np.array([each.at_us for each in done], dtype=np.int64)
    weeks = Calendar(unit="week", tz=tz, week_start=cadence.week_start)
    calendars = {"day": Calendar(unit="day", tz=tz), "week": weeks, "month": Calendar(unit="month", tz=tz)}
    return {
        unit: (calendar.index(slots).astype(np.int64), calendar.index(at_us).tolist())
        for unit, calendar in calendars.items()
    }


def _far_enough(slots: IntArray, done: list[_Done], gap_us: int) -> IntArray:
    """Return the positions of the slots that lie far enough from all that is posted; an instant takes one post."""
    taken = np.array([each.at_us for each in done], dtype=np.int64)
    if not len(taken):
        return np.arange(len(slots))
    after = np.searchsorted(taken, slots)
    apart = max(gap_us, 1)
    before_fits = (after == 0) | (slots - taken[np.maximum(after - 1, 0)] >= apart)
    after_fits = (after == len(taken)) | (taken[np.minimum(after, len(taken) - 1)] - slots >= apart)
    return np.flatnonzero(before_fits & after_fits).astype(np.int64)


def _problem(asked: _Asked, setting: _Setting) -> Problem:
    cadence, variety, done = setting.cadence, setting.variety, setting.done
    kept = _far_enough(setting.slots, done, cadence.min_gap_us)
    slots = setting.slots[kept]
    caps = list[Cap]()
    for unit, cap in (("day", cadence.per_day), ("week", cadence.per_week), ("month", cadence.per_month)):
        if cap is not None:
            numbers, taken = setting.days[unit]
            caps.append(Cap.of(numbers[kept].tolist(), cap, Counter(taken)))
    shared = tuple(range(len(caps)))
    caps_of = [shared] * len(_KINDS)
    if variety.per_day is not None:
        days, taken = setting.days["day"]
        for kind in range(len(_KINDS)):
            of_kind = Counter(day for day, each in zip(taken, done, strict=True) if each.kind == kind)
            caps_of[kind] = (*shared, len(caps))
            caps.append(Cap.of(days[kept].tolist(), variety.per_day, of_kind))
    at = slots.tolist()
    after = np.maximum(np.searchsorted(slots, slots + cadence.min_gap_us), np.arange(1, len(slots) + 1))
    tasks = tuple(_task(asked, place, at, done) for place in range(len(asked.ids)))
    return Problem(
        at=at,
        gap_us=cadence.min_gap_us,
        after=after.tolist(),
        caps=tuple(caps),
        caps_of=tuple(caps_of),
        tasks=tasks,
        in_a_row=variety.in_a_row,
        marks=tuple(Mark(bisect_left(at, each.at_us), each.kind) for each in done),
        alive=alive_from(tasks, len(at)),
    )


def _task(asked: _Asked, place: int, at: list[int], done: list[_Done]) -> Task:
    own = [each.at_us for each in done if each.item == place]
    apart, end = asked.cooldown_us[place], asked.end_us[place]
    # An instant closer than `apart` is closed: from just after own - apart to just before own + apart.
    closed = [(bisect_left(at, us - apart + 1), bisect_left(at, us + apart)) for us in own] if apart else []
    return Task(
        lo=bisect_left(at, asked.begin_us[place]),
        hi=len(at) if end is None else bisect_left(at, end),
        closed=tuple(pair for pair in closed if pair[0] < pair[1]),
        limit=max(asked.repeats[place] - len(own), 0),
        cooldown_us=apart,
        weight=asked.weights[place],
        kind=asked.kinds[place],
    )


# --- finding the posts ---


def _solved(problem: Problem, rounds: int) -> tuple[Solution, Score]:
    """Return the best posts that are found, and what no others exceed."""
    bound, hoped = most_possible(problem)
    best: Solution = ()
    for start in (problem, _only(problem, hoped)):
        for solution in dispatched(start):
            if score_of(problem, solution) > score_of(problem, best):
                best = solution
            if score_of(problem, best) == bound:
                return tidied(problem, best), bound
    best = exchanged(problem, best, _EXCHANGES)
    if score_of(problem, best) != bound and rounds:
        found = _searched(problem, best, bound, rounds)
        if found.everything:
            bound = score_of(problem, found.solution)
        best = found.solution if found.everything else exchanged(problem, found.solution, _EXCHANGES)
    return tidied(problem, best), bound


def _only(problem: Problem, tasks: frozenset[int]) -> Problem:
    """Return the same with these tasks alone."""
    kept = (task if k in tasks else task._replace(limit=0) for k, task in enumerate(problem.tasks))
    return problem._replace(tasks=tuple(kept))


def _searched(problem: Problem, best: Solution, bound: Score, rounds: int) -> Found:
    steps = max(bound.posts, 1) * max(len(problem.tasks), 1)
    return searched(problem, best, max(rounds * _LOOKS_A_ROUND // steps, 2))


# --- why the others have no place ---


def _reasons(problem: Problem, found: Solution, asked: _Asked, setting: _Setting) -> list[int]:
    placed = {task for _, task in found}
    plan, empty = Plan(problem, found), Plan(problem, ())
    return [
        REASON_CODE[ScheduleReason.PLACED if place in placed else _reason(place, plan, empty, asked, setting)]
        for place in range(len(asked.ids))
    ]


def _reason(place: int, plan: Plan, empty: Plan, asked: _Asked, setting: _Setting) -> ScheduleReason:
    problem, task = plan.problem, plan.problem.tasks[place]
    if not task.limit:
        return ScheduleReason.EXHAUSTED
    begin, end = asked.begin_us[place], asked.end_us[place]
    mine = setting.slots[setting.slots >= begin]
    mine = mine if end is None else mine[mine < end]
    if not len(mine):
        return ScheduleReason.NO_SLOT
    own = np.array([each.at_us for each in setting.done if each.item == place], dtype=np.int64)
    warm = np.abs(mine[:, None] - own[None, :]) < task.cooldown_us
    if warm.any(axis=1).all():
        return ScheduleReason.COOLDOWN
    cadence = tuple(c for c in problem.caps_of[task.kind] if all(c in caps for caps in problem.caps_of))
    for each in (empty, plan):
        has_room = bool(each.slots_for(place, cadence))
        if not has_room:
            if each is plan and _gave_way(plan, place):
                return ScheduleReason.OUTRANKED
            taken = [setting.slots[slot] for slot, _ in plan.solution()] + [each.at_us for each in setting.done]
            return ScheduleReason.NO_ROOM if np.isin(mine, taken).all() else ScheduleReason.CADENCE
    return ScheduleReason.VARIETY


def _gave_way(plan: Plan, place: int) -> bool:
    """Tell whether posts stand where this item could, and all of them matter more."""
    tasks, weights = plan.problem.tasks, list[int]()
    for slot, other in plan.solution():
        plan.take(slot, other)
        if plan.place_for(place, slot) >= 0:
            weights.append(tasks[other].weight)
        plan.put(slot, other)
    return bool(weights) and min(weights) > tasks[place].weight
