"""A schedule never violates anything, over zones, clock changes and midnights, and is as full as there can be one."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reference.slow_schedule import Case, Quiet, Wish, every_schedule, faults, slots, worth

import shequn as sq
from shequn.content import ScheduleReason, Variety, schedule
from shequn.entities import ContentItem
from shequn.values import Cadence, DailyWindow
from shequn.values.instants import from_us

KINDS = ("informational", "entertainment", "educational")
HOUR = dt.timedelta(hours=1)
# Days on which clocks change, some at midnight, some by half an hour; and a zone without changes.
PLACES = (
    ("Asia/Shanghai", dt.datetime(2024, 2, 29, tzinfo=dt.UTC)),
    ("Europe/Berlin", dt.datetime(2024, 3, 30, tzinfo=dt.UTC)),
    ("Europe/Berlin", dt.datetime(2024, 10, 26, tzinfo=dt.UTC)),
    ("America/St_Johns", dt.datetime(2010, 11, 6, tzinfo=dt.UTC)),
    ("America/Sao_Paulo", dt.datetime(2018, 11, 3, tzinfo=dt.UTC)),
    ("Australia/Lord_Howe", dt.datetime(2024, 4, 5, tzinfo=dt.UTC)),
    ("Pacific/Apia", dt.datetime(2011, 12, 29, tzinfo=dt.UTC)),
)


@st.composite
def cases(draw: st.DrawFn, *, most_items: int, most_times: int, most_days: int, most_repeats: int = 2) -> Case:
    tz, near = draw(st.sampled_from(PLACES))
    start = near + draw(st.integers(0, 30)) * HOUR
    end = start + draw(st.integers(4, 24 * most_days)) * HOUR
    span = int((end - start) / HOUR)
    minutes = draw(
        st.lists(st.integers(0, 47).map(lambda half: half * 30), min_size=1, max_size=most_times, unique=True)
    )
    instants = st.integers(-12, span + 6).map(lambda hours: start + hours * HOUR)
    wishes = []
    for _ in range(draw(st.integers(0, most_items))):
        begin = draw(instants)
        length = draw(st.none() | st.integers(1, 30))
        repeats = draw(st.integers(1, most_repeats))
        cooldown = draw(st.sampled_from((0, 3, 11, 26))) * HOUR
        ends = None if length is None else begin + length * HOUR
        wishes.append(Wish(draw(st.sampled_from(KINDS)), begin, ends, repeats, cooldown, draw(st.integers(0, 3))))
    quiet = draw(
        st.lists(
            st.builds(
                Quiet,
                st.sampled_from((dt.time(22), dt.time(9), dt.time(0, 30))),
                st.sampled_from((dt.time(7, 30), dt.time(18), dt.time(1))),
                st.sets(st.integers(0, 6), min_size=1, max_size=6).map(frozenset),
            ),
            max_size=1,
        )
    )
    per_day = draw(st.none() | st.integers(0, 3))
    per_week = draw(st.none() | st.integers(per_day or 0, 5))
    labels = st.none() | st.integers(0, len(wishes) - 1) if wishes else st.none()
    posted = draw(
        st.lists(st.tuples(instants, labels, st.sampled_from(KINDS)), max_size=2, unique_by=lambda one: one[0])
    )
    return Case(
        tz,
        start,
        end,
        tuple(dt.time(minute // 60, minute % 60) for minute in sorted(minutes)),
        tuple(wishes),
        tuple(quiet),
        draw(st.sampled_from((0, 2, 5, 9))) * HOUR,
        per_day,
        per_week,
        draw(st.none() | st.integers(max(per_day or 0, per_week or 0), 6)),
        draw(st.none() | st.integers(1, 2)),
        draw(st.none() | st.integers(1, 2)),
        tuple((at, item, None if item is not None else kind) for at, item, kind in posted),
    )


def asked(case: Case, **options):
    ids = [f"c{n}" for n in range(len(case.wishes))]
    items = [
        ContentItem(id=name, kind=wish.kind, created=wish.begin) for name, wish in zip(ids, case.wishes, strict=True)
    ]
    named = dict(zip(ids, case.wishes, strict=True))
    weekdays = [list(quiet.weekdays) for quiet in case.quiet]
    posted = [
        (ids[item] if item is not None else ContentItem(id=f"old{n}", kind=kind, created=at), at)
        for n, (at, item, kind) in enumerate(case.posted)
    ]
    return schedule(
        items,
        window=sq.Window(case.start, case.end),
        tz=case.tz,
        times=case.times,
        quiet=[
            DailyWindow(start=quiet.start, end=quiet.end, weekdays=days, tz=case.tz)
            for quiet, days in zip(case.quiet, weekdays, strict=True)
        ],
        cadence=Cadence(per_day=case.per_day, per_week=case.per_week, per_month=case.per_month, min_gap=case.gap),
        variety=Variety(in_a_row=case.in_a_row, per_day=case.kind_per_day),
        priority={name: wish.priority for name, wish in named.items()},
        deadline={name: wish.end for name, wish in named.items() if wish.end is not None},
        repeats={name: wish.repeats for name, wish in named.items()},
        cooldown={name: wish.cooldown for name, wish in named.items()},
        posted=posted,
        **options,
    )


def posts_of(plan) -> list[tuple[dt.datetime, int]]:
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return [
        (epoch + dt.timedelta(microseconds=us), code)
        for us, code in zip(plan.at_us.tolist(), plan.item_codes.tolist(), strict=True)
    ]


@settings(max_examples=70)
@given(cases(most_items=9, most_times=12, most_days=4, most_repeats=3))
def test_nothing_is_ever_violated(case):
    plan = asked(case, effort=1)
    posts = posts_of(plan)
    assert faults(case, posts) == []
    assert plan.totals == worth(case, posts)
    assert plan.totals <= plan.upper_bound
    assert plan.totals.items <= plan.upper_bound.items


@settings(max_examples=50)
@given(cases(most_items=6, most_times=8, most_days=3))
def test_nothing_can_be_added_and_no_post_moved_to_an_earlier_slot(case):
    posts = posts_of(asked(case, effort=1))
    for at in slots(case):
        for item in range(len(case.wishes)):
            assert faults(case, [*posts, (at, item)]) != []
        for moved, item in posts:
            if at < moved:
                others = [post for post in posts if post != (moved, item)]
                assert faults(case, [*others, (at, item)]) != []


@settings(max_examples=60)
@given(cases(most_items=4, most_times=3, most_days=2))
def test_a_small_schedule_is_as_full_as_any_there_is(case):
    if len(slots(case)) > 6:
        case = case._replace(end=slots(case)[6])
    plan = asked(case)
    assert plan.totals == max(worth(case, posts) for posts in every_schedule(case))
    assert plan.is_optimal


@settings(max_examples=50)
@given(cases(most_items=5, most_times=4, most_days=2))
def test_what_no_effort_finds_is_still_a_schedule_and_the_bound_holds(case):
    quick, full = asked(case, effort="quick"), asked(case)
    assert faults(case, posts_of(quick)) == []
    assert quick.totals <= full.totals <= quick.upper_bound
    assert full == asked(case)


@given(cases(most_items=6, most_times=8, most_days=3))
def test_the_reason_holds(case):
    plan = asked(case, effort=1)
    posts = posts_of(plan)
    for name, reason in plan.unplaced.items():
        item = int(name[1:])
        wish = case.wishes[item]
        own = [at for at, other, _ in case.posted if other == item]
        mine = [at for at in slots(case) if at >= wish.begin and (wish.end is None or at < wish.end)]
        cool = [at for at in mine if all(abs(at - before) >= wish.cooldown for before in own)]
        plain = case._replace(in_a_row=None, kind_per_day=None)
        with_cadence = [at for at in cool if not faults(plain, [*posts, (at, item)])]
        if len(own) >= wish.repeats:
            assert reason is ScheduleReason.EXHAUSTED
        elif not mine:
            assert reason is ScheduleReason.NO_SLOT
        elif not cool:
            assert reason is ScheduleReason.COOLDOWN
        elif with_cadence:
            assert reason is ScheduleReason.VARIETY
        else:
            taken = {at for at, *_ in (*posts, *case.posted)}
            full = ScheduleReason.NO_ROOM if taken.issuperset(mine) else ScheduleReason.CADENCE
            assert reason in {full, ScheduleReason.OUTRANKED}


@pytest.mark.parametrize("tz", ["Asia/Shanghai", "Europe/Berlin"])
def test_posts_are_told_on_the_clocks_of_the_zone(tz):
    start = dt.datetime(2024, 3, 30, tzinfo=dt.UTC)
    item = ContentItem(id="tea", kind="educational", created=start)
    plan = schedule([item], window=sq.Window(start, start + 24 * HOUR), tz=tz, times=["12:30"])
    (post,) = plan.rows()
    assert (post.at.hour, post.at.minute, post.at.timezone_name) == (12, 30, tz)
    assert post.at == plan.at[0] == from_us(post.at_us, tz)
