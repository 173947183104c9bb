"""What is posted when: slots on local clocks, caps at their edges, and what the answer says."""

from __future__ import annotations

import datetime as dt

import attrs
import numpy as np
import pendulum
import pytest

import shequn as sq
from shequn.content import Schedule, ScheduleReason, ScheduleTotals, Variety, schedule
from shequn.entities import ContentItem
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.values import Cadence, DailyWindow

TZ = "Asia/Shanghai"
START = pendulum.datetime(2024, 3, 4, tz=TZ)  # a Monday
DAY = sq.Window(START, START.add(days=1))
WEEK = sq.Window(START, START.add(weeks=1))


def items(*names, kind="educational", **fields):
    return [ContentItem(id=name, kind=kind, created=START, **fields) for name in names]


def hours(*, h):
    return pendulum.duration(hours=h)


def told(plan):
    return [(post.item, f"{post.at:DD HH:mm}") for post in plan.rows()]


# --- slots ---


def test_slots_are_half_hours_unless_times_are_named():
    plan = schedule(items("a", "b", "c"), window=DAY, tz=TZ)
    assert told(plan) == [("a", "04 00:00"), ("b", "04 00:30"), ("c", "04 01:00")]
    assert told(schedule(items("a", "b"), window=DAY, tz=TZ, every=hours(h=5)))[1] == ("b", "04 05:00")
    assert told(schedule(items("a"), window=DAY, tz=TZ, times=[dt.time(21, 5), "08:00"])) == [("a", "04 08:00")]


def test_the_window_is_half_open():
    noon = sq.Window(START.add(hours=8), START.add(hours=12))
    plan = schedule(items("a", "b", "c"), window=noon, tz=TZ, times=["08:00", "12:00"])
    assert told(plan) == [("a", "04 08:00")]


def test_an_hour_that_is_skipped_is_no_slot_and_one_that_comes_twice_is_one():
    for day, expected in (((2024, 3, 31), 0), ((2024, 10, 27), 1)):
        start = pendulum.datetime(*day, tz="Europe/Berlin")
        waiting = [ContentItem(id=n, kind="educational", created=start) for n in range(3)]
        plan = schedule(waiting, window=sq.Window(start, start.add(days=1)), tz="Europe/Berlin", times=["02:30"])
        assert len(plan) == expected
        assert [post.at.offset for post in plan.rows()] == [7200] * expected


def test_quiet_hours_belong_to_the_day_they_begin_on():
    night = DailyWindow(start="22:00", end="08:00", weekdays="mon", tz=TZ)
    window = sq.Window(START.add(hours=21), START.add(days=2))
    plan = schedule(items(*range(5)), window=window, tz=TZ, times=["07:30", "08:00", "22:00"], quiet=[night])
    assert told(plan) == [(0, "05 08:00"), (1, "05 22:00")] == told(plan)[:2]


# --- caps at their edges ---


@pytest.mark.parametrize(("gap_minutes", "second"), [(119, "04 02:00"), (120, "04 02:00"), (121, "04 03:00")])
def test_exactly_the_gap_is_enough(gap_minutes, second):
    cadence = Cadence(min_gap=pendulum.duration(minutes=gap_minutes))
    plan = schedule(items("a", "b"), window=DAY, tz=TZ, every=hours(h=1), cadence=cadence)
    assert told(plan)[1] == ("b", second)


@pytest.mark.parametrize(("per_day", "per_week", "n"), [(1, None, 7), (2, None, 14), (2, 13, 13), (0, 13, 0)])
def test_caps_fill_to_the_last(per_day, per_week, n):
    plan = schedule(items(*range(20)), window=WEEK, tz=TZ, cadence=Cadence(per_day=per_day, per_week=per_week))
    assert len(plan) == n
    assert plan.is_optimal
    assert set(plan.unplaced.values()) == {ScheduleReason.CADENCE}


def test_a_month_is_one_of_the_calendar():
    start = pendulum.datetime(2024, 3, 31, tz=TZ)
    waiting = [ContentItem(id=n, kind="educational", created=start) for n in range(9)]
    plan = schedule(waiting, window=sq.Window(start, start.add(days=2)), tz=TZ, cadence=Cadence(per_month=2))
    assert [post.at.month for post in plan.rows()] == [3, 3, 4, 4]


@pytest.mark.parametrize(("minutes", "n"), [(719, 2), (720, 2), (721, 1)])
def test_exactly_the_cooldown_is_enough(minutes, n):
    cooldown = pendulum.duration(minutes=minutes)
    plan = schedule(items("a"), window=DAY, tz=TZ, times=["08:00", "20:00"], repeats=9, cooldown=cooldown)
    assert len(plan) == n


@pytest.mark.parametrize(("minutes", "n"), [(719, 1), (720, 1), (721, 0)])
@pytest.mark.parametrize("posted", [20, -4])
def test_the_cooldown_reaches_both_ways_from_what_is_posted(minutes, n, posted):
    cooldown = pendulum.duration(minutes=minutes)
    done = [("a", START.add(hours=posted))]
    plan = schedule(items("a"), window=DAY, tz=TZ, times=["08:00"], repeats=2, cooldown=cooldown, posted=done)
    assert len(plan) == n
    assert plan.unplaced == ({} if n else {"a": ScheduleReason.COOLDOWN})


def test_first_occurrences_come_before_repeats():
    plan = schedule(items("a", "b"), window=DAY, tz=TZ, times=["08:00", "12:00", "20:00"], repeats={"a": 3})
    assert sorted(post.item for post in plan.rows()) == ["a", "a", "b"]
    assert plan.totals == (2, 3, 3.0)


def test_kinds_in_a_row_and_a_day():
    waiting = [*items("a", "b", "c"), *items("x", kind="interactive")]
    plan = schedule(waiting, window=DAY, tz=TZ, variety=Variety(in_a_row=2))
    assert [post.kind.value for post in plan.rows()][:3] != ["educational"] * 3
    assert len(plan) == 4
    plan = schedule(waiting, window=DAY, tz=TZ, variety=Variety(per_day=1))
    assert [post.item for post in plan.rows()] == ["a", "x"]
    assert plan.unplaced == {"b": ScheduleReason.VARIETY, "c": ScheduleReason.VARIETY}


# --- what is posted already ---


def test_what_is_posted_already_counts_in_everything():
    posted = [("a", START.add(hours=8)), (items("old")[0], START.add(hours=12)), ("elsewhere", START.add(days=-9))]
    plan = schedule(
        items("a", "b"),
        window=DAY,
        tz=TZ,
        times=["07:00", "08:00", "20:00"],
        posted=posted,
        cadence=Cadence(per_day=3, min_gap=hours(h=2)),
    )
    assert told(plan) == [("b", "04 20:00")]
    assert plan.unplaced == {"a": ScheduleReason.EXHAUSTED}


def test_a_schedule_goes_on_from_another():
    first = schedule(items("a", "b"), window=DAY, tz=TZ, times=["08:00", "20:00"])
    both = sq.Window(START, START.add(days=2))
    again = schedule(
        items("a", "b"), window=both, tz=TZ, times=["08:00", "20:00"], posted=first, repeats=2, cooldown=hours(h=13)
    )
    assert told(again) == [("a", "05 08:00"), ("b", "05 20:00")]


def test_posts_between_slots_break_a_run():
    waiting = items("a", "b")
    options = {"window": DAY, "tz": TZ, "times": ["08:00", "10:00"], "variety": Variety(in_a_row=1)}
    assert len(schedule(waiting, **options)) == 1
    between = items("x", kind="interactive")[0]
    assert len(schedule(waiting, **options, posted=[(between, START.add(hours=9))])) == 2
    assert len(schedule(waiting, **options, posted=[("a stranger", START.add(hours=9))])) == 2


# --- why something has no place ---


def test_each_reason():
    posted = [("cool", START.add(hours=6)), ("often", START.add(days=-3))]
    waiting = items("cool", "often", "late", "low", "high")
    plan = schedule(
        waiting,
        window=DAY,
        tz=TZ,
        times=["08:00"],
        posted=posted,
        deadline={"late": START.add(hours=8)},
        repeats={"cool": 2},
        cooldown={"cool": hours(h=3)},
        priority={"low": 1, "high": 2},
    )
    assert [post.item for post in plan.rows()] == ["high"]
    assert plan.unplaced == {
        "cool": ScheduleReason.COOLDOWN,
        "often": ScheduleReason.EXHAUSTED,
        "late": ScheduleReason.NO_SLOT,
        "low": ScheduleReason.OUTRANKED,
    }
    assert plan.explain("low", lang="zh") == "low：让位"
    assert plan.explain("high") == "high: placed: 2024-03-04 08:00"
    assert "冷却中" in plan.table(lang="zh")


def test_more_items_come_before_more_priority():
    # The long wait for the important one would cost both others their slots.
    plan = schedule(
        items("a", "b", "big"),
        window=DAY,
        tz=TZ,
        times=["08:00", "10:00", "12:00"],
        cadence=Cadence(min_gap=hours(h=4)),
        deadline={"a": START.add(hours=9)},
        not_before={"b": START.add(hours=11), "big": START.add(hours=9.5)},
        priority={"big": 100},
    )
    assert plan.totals == (2, 2, 101.0)
    plan = schedule(
        items("a", "b", "big"),
        window=DAY,
        tz=TZ,
        times=["08:00", "10:00", "12:00"],
        cadence=Cadence(min_gap=hours(h=4)),
        deadline={"a": START.add(hours=9), "big": START.add(hours=11)},
        not_before={"b": START.add(hours=11), "big": START.add(hours=9.5)},
        priority={"big": 100},
    )
    assert [post.item for post in plan.rows()] == ["a", "b"]


def test_what_matters_more_goes_first_where_it_can():
    plan = schedule(items("a", "b", "c"), window=DAY, tz=TZ, priority={"b": 2, "c": 3.5})
    assert [post.item for post in plan.rows()] == ["c", "b", "a"]


def test_an_item_is_not_posted_once_it_is_archived():
    gone = ContentItem(id="gone", kind="educational", created=START, archived=START.add(hours=8))
    plan = schedule([gone], window=DAY, tz=TZ, times=["08:00"])
    assert plan.unplaced == {"gone": ScheduleReason.NO_SLOT}
    assert len(schedule([gone], window=DAY, tz=TZ, times=["08:00"], deadline={"gone": START.add(hours=9)})) == 1


# --- the answer ---


def test_nothing_in_nothing_out():
    plan = schedule([], window=DAY, tz=TZ)
    assert (len(plan), plan.totals, plan.is_optimal, plan.unplaced) == (0, (0, 0, 0.0), True, {})
    assert plan.to_columns()["at"].dtype == np.dtype("datetime64[us]")
    assert "(no rows)" in str(plan)


def test_the_table_in_both_languages_and_as_columns():
    plan = schedule(items("a", "b"), window=DAY, tz=TZ, times=["08:00"])
    assert plan.table(lang="zh").splitlines()[0] == "Asia/Shanghai 内容排期：2 条中排入 1 条、1 次；已证最优"
    assert plan.table().splitlines()[-1] == "b: each of its slots has a post"
    assert plan.to_columns()["at"].astype(str).tolist() == ["2024-03-04T08:00:00.000000"]
    assert repr(plan) == "Schedule(1 post, 1 of 2 items)"
    assert plan.last().at == START.add(hours=8)


def test_a_bound_that_is_not_reached_is_told():
    plan = schedule(items("a"), window=DAY, tz=TZ, times=["08:00"])
    more = attrs.evolve(plan, upper_bound=ScheduleTotals(2, 2, 2.0))
    assert not more.is_optimal
    assert more.table().splitlines()[0].endswith("at most 2 and 2 posts could be")
    assert "上限" in more.table(lang="zh")
    assert more != plan
    assert plan == schedule(items("a"), window=DAY, tz=TZ, times=["08:00"])
    assert plan != "a"


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"at_us": [2, 1], "item_codes": [0, 0]}, InvalidValueError, "at_us: expected instants in ascending order"),
        ({"codes": [1]}, InvalidValueError, "codes: expected the reason 'placed'"),
        ({"codes": [0, 0]}, MisalignedError, "codes: expected one entry for each of 1 item"),
        ({"codes": [9]}, InvalidValueError, "codes: expected codes of the 8 reasons"),
    ],
)
def test_a_schedule_whose_parts_contradict_each_other_is_refused(change, error, match):
    plan = schedule(items("a"), window=DAY, tz=TZ)
    assert isinstance(plan, Schedule)
    with pytest.raises(error, match=match):
        attrs.evolve(plan, **change)


# --- bad input ---


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"times": []}, InvalidValueError, "times: expected at least one"),
        ({"times": ["25:00"]}, InvalidValueError, "times: expected a time of day .* got '25:00' at row 0"),
        ({"times": ["08:00", 9]}, InvalidTypeError, "times: .* at row 1"),
        ({"times": [dt.time(8, tzinfo=dt.UTC)]}, InvalidValueError, "times: expected a time of day without a zone"),
        ({"times": "08:00"}, InvalidTypeError, "times"),
        ({"times": ["08:00"], "every": hours(h=1)}, InvalidValueError, "every: expected None where times"),
        ({"every": pendulum.duration(seconds=59)}, InvalidValueError, "every: expected a duration from a minute"),
        ({"every": pendulum.duration(hours=25)}, InvalidValueError, "every"),
        ({"tz": "Asia/Shangai"}, UnknownLabelError, "did you mean 'Asia/Shanghai'"),
        ({"window": None}, InvalidTypeError, "window: expected a Window"),
        ({"cadence": 2}, InvalidTypeError, "cadence: expected a Cadence"),
        ({"variety": 2}, InvalidTypeError, "variety: expected a Variety"),
        ({"quiet": "night"}, InvalidTypeError, "windows"),
        ({"priority": {"a": -1}}, InvalidValueError, r"priority: expected a number in \[0, 1e\+100\]"),
        ({"priority": {"a": float("nan")}}, InvalidValueError, "priority"),
        ({"priority": [1]}, InvalidTypeError, "priority: expected a mapping from ids"),
        ({"priority": {"aa": 1}}, UnknownLabelError, "priority: expected ids of items, got 'aa'"),
        ({"deadline": {"a": START}}, InvalidValueError, "deadline: expected an instant after not_before, got 'a'"),
        ({"not_before": {"a": dt.datetime(2024, 1, 1)}}, InvalidValueError, "not_before"),  # noqa: DTZ001
        ({"repeats": 0}, InvalidValueError, r"repeats: expected a whole number in \[1, 255\]"),
        ({"repeats": 1.5}, InvalidTypeError, "repeats: expected an integer"),
        ({"cooldown": 3}, InvalidTypeError, "cooldown: expected a duration"),
        ({"posted": ["a"]}, InvalidTypeError, "posted: expected pairs .* at row 0"),
        ({"posted": [(None, START)]}, InvalidTypeError, "posted"),
        ({"posted": [("a", "noon")]}, InvalidTypeError, "posted"),
        ({"effort": -1}, InvalidValueError, "effort: expected 0 rounds"),
        ({"effort": "much"}, InvalidValueError, "effort: expected one of"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, error, match):
    with pytest.raises(error, match=match):
        schedule(items("a"), **({"window": DAY, "tz": TZ} | options))


def test_an_id_is_given_once_and_an_item_is_an_item():
    with pytest.raises(InvalidValueError, match="items: expected each id once, got 'a' at row 1"):
        schedule(items("a", "a"), window=DAY, tz=TZ)
    with pytest.raises(InvalidTypeError, match="items: expected ContentItems, got 'b' at row 1"):
        schedule([*items("a"), "b"], window=DAY, tz=TZ)


def test_variety_counts_from_one():
    with pytest.raises(InvalidValueError, match="in_a_row: expected a whole number of 1 or more"):
        Variety(in_a_row=0)
    with pytest.raises(InvalidTypeError, match="per_day"):
        Variety(per_day=1.5)


def test_a_month_of_sixty_items_is_planned_and_proved():
    rng = np.random.default_rng(7)
    kinds = ("informational", "entertainment", "interactive", "educational")
    waiting = [ContentItem(id=n, kind=kinds[rng.integers(4)], created=START) for n in range(60)]
    begins = {n: START.add(hours=int(rng.integers(600))) for n in range(0, 60, 2)}
    plan = schedule(
        waiting,
        window=sq.Window(START, START.add(weeks=4)),
        tz=TZ,
        quiet=DailyWindow(start="09:00", end="18:00", weekdays="mon-fri", tz=TZ),
        cadence=Cadence(per_day=2, per_week=12, min_gap=hours(h=3)),
        variety=Variety(in_a_row=2),
        priority={n: int(rng.integers(1, 6)) for n in range(60)},
        not_before=begins,
        deadline={n: begins[n].add(days=3) for n in range(0, 60, 4)},
    )
    assert plan.totals.posts == 48
    assert plan.is_optimal


@pytest.mark.parametrize("large", [10**400, 1e308])
def test_priorities_that_no_sum_can_hold_are_refused(large):
    with pytest.raises(InvalidValueError, match=r"priority: expected a number in \[0, 1e\+100\]"):
        schedule(items("a", "b"), window=DAY, tz=TZ, priority={"a": large, "b": large})
    assert schedule(items("a"), window=DAY, tz=TZ, priority={"a": 1e100}).totals.priority == 1e100


@pytest.mark.parametrize(
    ("field", "error"),
    [
        ({"kinds": None}, InvalidTypeError),
        ({"upper_bound": 1}, InvalidTypeError),
        ({"upper_bound": (1, 2)}, InvalidValueError),
        ({"upper_bound": (1, 2, "3")}, InvalidTypeError),
    ],
)
def test_what_a_schedule_cannot_hold_is_refused(field, error):
    (name,) = field
    with pytest.raises(error, match=f"^{name}: expected"):
        attrs.evolve(schedule(items("a"), window=DAY, tz=TZ), **field)
