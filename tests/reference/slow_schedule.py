"""What a schedule may be, written from the definition with the standard library alone, and all schedules there are.

Nothing here is fast, and nothing is shared with the library: instants are datetimes in UTC, zones are zoneinfo's.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

ZERO = dt.timedelta(0)


class Quiet(NamedTuple):
    start: dt.time
    end: dt.time
    weekdays: frozenset[int]
    """The days a window begins on, 0 for Monday."""

    def covers(self, at: dt.datetime, tz: str) -> bool:
        wall = at.astimezone(ZoneInfo(tz)).replace(tzinfo=None)
        time, day = wall.time(), wall.weekday()
        if self.start < self.end:
            return self.start <= time < self.end and day in self.weekdays
        return (time >= self.start and day in self.weekdays) or (time < self.end and (day - 1) % 7 in self.weekdays)


class Wish(NamedTuple):
    """One item."""

    kind: str
    begin: dt.datetime
    end: dt.datetime | None
    repeats: int = 1
    cooldown: dt.timedelta = ZERO
    priority: float = 1


class Case(NamedTuple):
    """What is asked; posted as (instant, item or None, kind or None)."""

    tz: str
    start: dt.datetime
    end: dt.datetime
    times: tuple[dt.time, ...]
    wishes: tuple[Wish, ...]
    quiet: tuple[Quiet, ...] = ()
    gap: dt.timedelta = ZERO
    per_day: int | None = None
    per_week: int | None = None
    per_month: int | None = None
    in_a_row: int | None = None
    kind_per_day: int | None = None
    posted: tuple[tuple[dt.datetime, int | None, str | None], ...] = ()


def slots(case: Case) -> list[dt.datetime]:
    """Wall clock times that exist, once each, in the window and not quiet; in UTC."""
    zone = ZoneInfo(case.tz)
    day, found = case.start.astimezone(zone).date() - dt.timedelta(days=2), list[dt.datetime]()
    while day <= case.end.astimezone(zone).date() + dt.timedelta(days=2):
        for time in case.times:
            wall = dt.datetime.combine(day, time)
            at = wall.replace(tzinfo=zone, fold=0).astimezone(dt.UTC)
            exists = at.astimezone(zone).replace(tzinfo=None) == wall
            if exists and case.start <= at < case.end and not any(quiet.covers(at, case.tz) for quiet in case.quiet):
                found.append(at)
        day += dt.timedelta(days=1)
    return sorted(set(found))


def faults(case: Case, posts: list[tuple[dt.datetime, int]]) -> list[str]:  # noqa: PLR0912
    """Everything that is wrong with posts of (instant, item)."""
    zone, found = ZoneInfo(case.tz), list[str]()
    allowed = set(slots(case))
    new = [(at, item, case.wishes[item].kind, True) for at, item in posts]
    kinds = [wish.kind for wish in case.wishes]
    old = [(at, item, kinds[item] if item is not None else kind, False) for at, item, kind in case.posted]
    timeline = sorted([*new, *old], key=lambda post: post[0])
    local = {at: at.astimezone(zone).date() for at, *_ in timeline}
    for at, item in posts:
        wish = case.wishes[item]
        if at not in allowed:
            found.append(f"no slot: {at}")
        if at < wish.begin or (wish.end is not None and at >= wish.end):
            found.append(f"out of its time: {item}")
        others = [post[:2] for post in timeline]
        others.remove((at, item))  # itself, once
        for other_at, other in others:
            if abs(at - other_at) < case.gap or at == other_at:
                found.append(f"too near: {at} {other_at}")
            if other == item and abs(at - other_at) < wish.cooldown:
                found.append(f"cooldown: {item}")
    for item, wish in enumerate(case.wishes):
        of_item = [is_new for _, other, _, is_new in timeline if other == item]
        if any(of_item) and len(of_item) > wish.repeats:
            found.append(f"too often: {item}")
    periods = {
        "day": (case.per_day, lambda day: day),
        "week": (case.per_week, lambda day: day - dt.timedelta(days=day.weekday())),
        "month": (case.per_month, lambda day: day.replace(day=1)),
    }
    for name, (cap, period) in periods.items():
        counts = Counter(period(local[at]) for at, *_ in timeline)
        found += [f"per {name}" for at, _ in posts if cap is not None and counts[period(local[at])] > cap]
    if case.kind_per_day is not None:
        of_kind = Counter((local[at], kind) for at, _, kind, _ in timeline)
        found += ["kind a day" for at, item in posts if of_kind[local[at], kinds[item]] > case.kind_per_day]
    if case.in_a_row is not None:
        run = list[tuple[str | None, bool]]()
        for _, _, kind, is_new in timeline:
            run = [*run, (kind, is_new)] if run and kind is not None and run[-1][0] == kind else [(kind, is_new)]
            if len(run) > case.in_a_row and any(each for _, each in run):
                found.append("in a row")
    return found


def every_schedule(case: Case) -> Iterator[list[tuple[dt.datetime, int]]]:
    """Every schedule without a fault."""
    at = slots(case)
    # A kind in a row may be interrupted later, and anything else stays wrong.
    loose = case._replace(in_a_row=None)

    def grow(place: int, posts: list[tuple[dt.datetime, int]]) -> Iterator[list[tuple[dt.datetime, int]]]:
        if place == len(at):
            if not faults(case, posts):
                yield posts
            return
        yield from grow(place + 1, posts)
        for item in range(len(case.wishes)):
            more = [*posts, (at[place], item)]
            if not faults(loose, more):
                yield from grow(place + 1, more)

    yield from grow(0, [])


def worth(case: Case, posts: list[tuple[dt.datetime, int]]) -> tuple[int, int, float]:
    """Items, posts, priority."""
    items = [item for _, item in posts]
    return len(set(items)), len(items), sum(case.wishes[item].priority for item in items)
