"""Schedules against all schedules there are, in crowded cases that were drawn so that first attempts go wrong."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from tests.reference.slow_schedule import Case, Wish, every_schedule, faults, slots, worth

import shequn as sq
from shequn.content import Variety, schedule
from shequn.entities import ContentItem
from shequn.values import Cadence

HOUR = dt.timedelta(hours=1)
START = dt.datetime(2024, 3, 30, tzinfo=dt.UTC)
KINDS = ("informational", "entertainment")


def crowded(seed: int) -> Case:
    """Draw up to four items that want few slots, some of which something stands in or near already."""
    draw = random.Random(seed)  # noqa: S311
    times = tuple(dt.time(hour) for hour in sorted(draw.sample(range(24), draw.choice((2, 3, 4)))))
    case = Case(draw.choice(("UTC", "Europe/Berlin")), START, START + 96 * HOUR, times, ())
    at = slots(case)[: draw.choice((5, 6, 7))]
    wishes = []
    for _ in range(draw.randint(2, 4)):
        begin = draw.choice((START, draw.choice(at)))
        end = draw.choice((None, draw.choice(at) + HOUR))
        if end is not None and end <= begin:
            end = begin + draw.randint(1, 20) * HOUR
        cooldown = draw.choice((0, 5, 12, 24)) * HOUR
        wishes.append(Wish(draw.choice(KINDS), begin, end, draw.choice((1, 1, 2)), cooldown, draw.randint(0, 4)))
    posted = {}
    for _ in range(draw.choice((0, 0, 1, 2))):
        item = draw.choice((None, draw.randrange(len(wishes))))
        posted[draw.choice(at) + draw.choice((-1, 0, 1, 2)) * HOUR] = (item, draw.choice(KINDS))
    return case._replace(
        end=at[-1] + HOUR,
        wishes=tuple(wishes),
        posted=tuple((when, item, None if item is not None else kind) for when, (item, kind) in posted.items()),
        gap=draw.choice((0, 3, 7, 10)) * HOUR,
        per_day=draw.choice((None, 1, 2, 3)),
        per_week=draw.choice((None, 3, 4)),
        in_a_row=draw.choice((None, None, 1, 2)),
        kind_per_day=draw.choice((None, None, 1, 2)),
    )


def planned(case: Case, effort: str = "normal"):
    items = [ContentItem(id=n, kind=wish.kind, created=wish.begin) for n, wish in enumerate(case.wishes)]
    return schedule(
        items,
        window=sq.Window(case.start, case.end),
        tz=case.tz,
        times=case.times,
        cadence=Cadence(per_day=case.per_day, per_week=case.per_week, min_gap=case.gap),
        variety=Variety(in_a_row=case.in_a_row, per_day=case.kind_per_day),
        priority={n: wish.priority for n, wish in enumerate(case.wishes)},
        deadline={n: wish.end for n, wish in enumerate(case.wishes) if wish.end is not None},
        repeats={n: wish.repeats for n, wish in enumerate(case.wishes)},
        cooldown={n: wish.cooldown for n, wish in enumerate(case.wishes)},
        posted=[
            (item if item is not None else ContentItem(id=100 + n, kind=kind, created=at), at)
            for n, (at, item, kind) in enumerate(case.posted)
        ],
        effort=effort,
    )


def posts_of(plan) -> list[tuple[dt.datetime, int]]:
    return [
        (dt.datetime.fromtimestamp(us // 1_000_000, tz=dt.UTC), code)
        for us, code in zip(plan.at_us.tolist(), plan.item_codes.tolist(), strict=True)
    ]


# In these the search finds more than dispatch and exchange had.
HARD = (85, 106, 134, 153, 272, 350, 379, 384, 416, 457, 478, 562, 613, 622, 624, 666)


@pytest.mark.parametrize("seeds", [range(12), range(12, 24), HARD], ids=["first", "second", "hard"])
def test_a_schedule_is_as_full_as_the_best_of_all(seeds):
    for seed in seeds:
        case = crowded(seed)
        plan, quick = planned(case), planned(case, "quick")
        best = max(worth(case, posts) for posts in every_schedule(case))
        assert plan.totals == best, seed
        assert plan.is_optimal
        assert plan.upper_bound == best
        assert quick.totals <= best <= quick.upper_bound
        assert faults(case, posts_of(plan)) == faults(case, posts_of(quick)) == []
        assert not quick.is_optimal or quick.totals == best


def test_the_hard_cases_need_the_search():
    assert [seed for seed in HARD if planned(crowded(seed), "quick").totals == planned(crowded(seed)).totals] == []
