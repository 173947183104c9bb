from __future__ import annotations

import copy
import datetime as dt
import math
import pickle

import attrs
import numpy as np
import pendulum
import pytest

from shequn.campaigns import PeerEffect, Streaks, _streaks, peer_effect, streak_of, streaks
from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownKindWarning
from shequn.labels import Assignment
from shequn.stats import wilson

DAY = 86_400
MONDAY = dt.date(2024, 4, 29)


def on(*days: int) -> list[dt.date]:
    return [MONDAY + dt.timedelta(days=day) for day in days]


def at(day: int) -> dt.date:
    return on(day)[0]


def checked(**days: list[int]) -> EventLog:
    member = [name for name, own in days.items() for _ in own]
    seconds = [
        int(dt.datetime(2024, 4, 29, tzinfo=dt.UTC).timestamp()) + DAY * day for own in days.values() for day in own
    ]
    return EventLog.from_columns(member=member, kind="check_in", at=seconds, time_unit="s")


# --- what a streak is ---


@pytest.mark.parametrize(("today", "current"), [(2, 3), (3, 3), (4, 0)])
def test_a_streak_is_alive_until_a_whole_day_is_missed(today, current):
    found = streak_of(on(0, 1, 2), as_of=at(today))
    assert (found.current, found.longest) == (current, 3)


@pytest.mark.parametrize(("gap", "longest"), [(1, 4), (2, 4), (3, 2)])
def test_a_streak_survives_gaps_of_at_most_the_grace_and_grace_does_not_count(gap, longest):
    days = on(0, 1, 2 + gap, 3 + gap)
    assert streak_of(days, as_of=at(3 + gap), grace=2).longest == longest


@pytest.mark.parametrize(("today", "current"), [(2, 2), (4, 2), (5, 0)])
def test_grace_also_keeps_the_last_streak_alive(today, current):
    assert streak_of(on(0, 1), as_of=at(today), grace=2).current == current


def test_each_gap_has_the_grace_anew():
    assert streak_of(on(0, 2, 4, 6), as_of=at(6), grace=1).current == 4


def test_the_weekend_neither_helps_nor_harms_where_it_does_not_count():
    work = {"weekdays": "mon-fri"}
    friday_and_monday = on(4, 7)
    assert streak_of(friday_and_monday, as_of=at(7), **work).current == 2
    assert streak_of([*friday_and_monday, *on(5)], as_of=at(7), **work) == streak_of(
        friday_and_monday, as_of=at(7), **work
    )
    assert streak_of(on(4), as_of=at(6), **work).current == 1  # Sunday
    assert streak_of(on(4), as_of=at(7), **work).current == 1  # Monday isn't over
    assert streak_of(on(4), as_of=at(8), **work).current == 0
    assert streak_of(on(5, 6), as_of=at(7), **work).days == 0


def test_days_that_are_expected_end_yesterday_unless_today_was_used():
    assert streak_of(on(0, 2), as_of=at(4))[2:4] == (2, 4)
    assert streak_of(on(0, 2, 4), as_of=at(4))[2:4] == (3, 5)
    assert streak_of(on(0), as_of=at(0))[2:4] == (1, 1)


def test_what_lies_ahead_is_not_known_and_two_on_a_day_are_one():
    found = streak_of([*on(0, 1, 1), *on(2)], as_of=at(1))
    assert found == (2, 2, 2, 2, at(0), at(1))
    assert streak_of([], as_of=at(1)) == (0, 0, 0, 0, None, None)


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ({"as_of": dt.datetime(2024, 5, 1, tzinfo=dt.UTC)}, InvalidTypeError, "as_of: expected dates, without a time"),
        ({"as_of": "2024-05-01"}, InvalidTypeError, "as_of: expected dates"),
        ({"as_of": MONDAY, "grace": -1}, InvalidValueError, "grace: expected 0 to 366 days, got -1"),
        ({"as_of": MONDAY, "grace": 1.0}, InvalidTypeError, "grace: expected an integer"),
        ({"as_of": MONDAY, "weekdays": "mon-fry"}, InvalidValueError, "weekdays: expected weekdays such as"),
        ({"as_of": MONDAY, "weekdays": ()}, InvalidValueError, "weekdays: expected at least one day"),
    ],
)
def test_what_makes_no_streak_is_refused(asked, error, told):
    with pytest.raises(error, match=told):
        streak_of(on(0), **asked)


# --- of all members ---


def test_members_stand_in_the_order_of_the_log_and_only_those_who_checked_in():
    log = EventLog.concat(
        [
            EventLog.from_columns(member=["zoe"], kind="read", at=[0], time_unit="s"),
            checked(bo=[0, 1, 2], ann=[0, 2]),
        ]
    )
    found = streaks(log, tz="UTC", as_of=pendulum.datetime(2024, 5, 2, 8))
    assert list(found.members) == ["bo", "ann"]
    assert (found.current.tolist(), found.longest.tolist()) == ([3, 1], [3, 1])
    assert (found.days.tolist(), found.expected.tolist()) == ([3, 2], [3, 3])
    assert found.alive.tolist() == [True, True]
    assert found.adherence.tolist() == [1.0, 2 / 3]
    assert found.of("ann").last_day == at(2)
    assert found.of("zoe").days == found.of("nobody").days == 0


def test_days_are_local_and_the_last_row_known_is_that_of_the_instant():
    # 15:59 and 16:00 UTC are two days in Shanghai
    log = EventLog.from_columns(member=["ann"] * 2, kind="check_in", at=[57_540, 57_600], time_unit="s")
    asked = {"as_of": pendulum.datetime(1970, 1, 1, 16)}
    assert streaks(log, tz="UTC", **asked).days.tolist() == [1]
    assert streaks(log, tz="Asia/Shanghai", **asked).days.tolist() == [2]
    before = pendulum.datetime(1970, 1, 1, 15, 59, 59)
    assert streaks(log, tz="Asia/Shanghai", as_of=before).days.tolist() == [1]


def test_a_log_too_sparse_for_a_table_of_days_gives_the_same(monkeypatch):
    rng = np.random.default_rng(5)
    log = EventLog.from_columns(
        member=rng.integers(40, size=400), kind="check_in", at=rng.integers(90 * DAY, size=400), time_unit="s"
    )
    asked = {"tz": "Europe/Berlin", "as_of": pendulum.datetime(1970, 3, 20), "grace": 1, "weekdays": (0, 1, 3, 6)}
    dense = streaks(log, **asked)
    monkeypatch.setattr(_streaks, "_BYTES_ANYWAY", 0)
    monkeypatch.setattr(_streaks, "_BYTES_A_ROW", 0)
    assert streaks(log, **asked).to_dict() == dense.to_dict()


def test_members_read_a_few_at_a_time_give_the_same(monkeypatch):
    rng = np.random.default_rng(6)
    log = EventLog.from_columns(
        member=rng.integers(50, size=600), kind="check_in", at=rng.integers(30 * DAY, size=600), time_unit="s"
    )
    asked = {"tz": "UTC", "as_of": pendulum.datetime(1970, 1, 28)}
    at_once = streaks(log, **asked)
    monkeypatch.setattr(_streaks, "_CELLS", 100)
    monkeypatch.setattr(_streaks, "_BLOCK", 64)
    monkeypatch.setattr(_streaks, "_MANY_BLOCKS", 2)
    assert streaks(log, **asked).to_dict() == at_once.to_dict()


def test_a_midnight_that_comes_twice_belongs_to_the_day_that_has_begun():
    # In St John's, clocks went back from 00:01 on 2010-11-07 to 23:01 on the 6th.
    twice = pendulum.datetime(2010, 11, 7, 3, 0)  # 23:30 on the 6th, once more
    log = EventLog.from_columns(
        member=["ann", "ann"],
        kind="check_in",
        at=[pendulum.datetime(2010, 11, 6, 14), pendulum.datetime(2010, 11, 7, 2, 30, 30)],  # 00:00:30 on the 7th
    )
    found = streaks(log, tz="America/St_Johns", as_of=twice)
    assert found.as_of_day == dt.date(2010, 11, 7)
    assert found.days.tolist() == [2]


def test_nothing_to_count_is_an_empty_table():
    nothing = streaks(EventLog.empty(), tz="UTC", as_of=pendulum.datetime(2024, 5, 1))
    assert len(nothing) == 0
    assert nothing.current.dtype == np.int64
    assert "(no rows)" in str(nothing)
    later = streaks(checked(ann=[3]), tz="UTC", as_of=pendulum.datetime(2024, 4, 29))
    assert len(later) == 0
    never = streaks(checked(ann=[5]), tz="UTC", as_of=pendulum.datetime(2024, 5, 9), weekdays="mon-fri")
    assert len(never) == 0


def test_an_unknown_kind_is_told():
    with pytest.warns(UnknownKindWarning, match="kinds: expected kinds that the log contains, got 'chek_in'"):
        streaks(checked(ann=[0]), tz="UTC", as_of=pendulum.datetime(2024, 5, 1), kinds="chek_in")
    with pytest.raises(InvalidTypeError, match="log: expected an EventLog"):
        streaks([1], tz="UTC", as_of=pendulum.datetime(2024, 5, 1))  # type: ignore[arg-type]


def test_streaks_are_a_table_in_two_languages():
    found = streaks(checked(ann=[0, 1], bo=[0]), tz="UTC", as_of=pendulum.datetime(2024, 5, 1), weekdays="mon-fri")
    assert str(found).endswith(
        "1 of 2 streaks alive on 2024-05-01, which isn't over; 0 days of grace; mon, tue, wed, thu, fri only"
    )
    assert found.table(lang="zh").endswith(
        "截至 2024-05-01（当日未结束）：2 人中 1 人连续打卡中；可缺 0 天，只计周一、周二、周三、周四、周五"
    )
    lower, upper = wilson([2, 1], [2, 2])
    columns = found.to_columns()
    np.testing.assert_array_equal(columns["lower"], lower)
    np.testing.assert_array_equal(columns["upper"], upper)
    assert next(iter(found.rows())).member == "ann"
    assert repr(found) == "Streaks(2 members, 1 with a streak alive on 2024-05-01)"


@pytest.mark.parametrize("again", [lambda one: pickle.loads(pickle.dumps(one)), copy.deepcopy])  # noqa: S301
def test_a_copy_is_read_only(again):
    found = again(streaks(checked(ann=[0, 1]), tz="UTC", as_of=pendulum.datetime(2024, 5, 1)))
    assert not found.current.flags.writeable
    assert not found.last_day.flags.writeable
    assert found.of("ann").current == 2


@pytest.mark.parametrize(
    ("changed", "error", "told"),
    [
        ({"current": [3]}, InvalidValueError, "current: expected no more than longest, got 3"),
        ({"longest": [9], "current": [2]}, InvalidValueError, "longest: expected no more than days"),
        ({"expected": [1]}, InvalidValueError, "days: expected no more than expected"),
        ({"days": [2, 2]}, MisalignedError, "days: expected one for each of the 1 members"),
        ({"first_day": np.zeros(2, "datetime64[D]")}, MisalignedError, "first_day: expected one for each"),
        ({"first_day": [3]}, InvalidTypeError, r"first_day: expected datetime64\[D\] values"),
        ({"as_of_day": "2024"}, InvalidTypeError, "as_of_day: expected a date"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(changed, error, told):
    found = streaks(checked(ann=[0, 1]), tz="UTC", as_of=pendulum.datetime(2024, 5, 1))
    assert isinstance(attrs.evolve(found), Streaks)
    with pytest.raises(error, match=told):
        attrs.evolve(found, **changed)


# --- peers ---


def test_a_first_check_in_is_laid_beside_what_peers_did_the_day_before():
    log = EventLog.from_columns(
        member=["ann", "bo", "cy", "ann", "ann", "bo"],
        kind=["join", "join", "join", "check_in", "check_in", "check_in"],
        at=[0, 0, 0, DAY, 2 * DAY, 3 * DAY],
        time_unit="s",
    )
    asked = {"tz": "UTC", "as_of": pendulum.datetime(1970, 1, 5, 9), "cuts": [1]}
    found = peer_effect(log, **asked)
    assert (found.member_days.tolist(), found.firsts.tolist()) == ([3, 4], [1, 1])
    apart = peer_effect(log, peers=Assignment.from_mapping({"ann": 1, "bo": 2, "cy": 2}), **asked)
    assert (apart.member_days.tolist(), apart.firsts.tolist()) == ([7, 0], [2, 0])
    assert math.isnan(apart.hazard[1])
    assert repr(apart) == "PeerEffect(28.6% after a day without check-ins of peers, – after 1 and more)"
    without = peer_effect(log, peers=Assignment.from_mapping({"bo": 2}), **asked)
    assert without.member_days.tolist() == [3, 0]


def test_peer_effects_are_a_table_in_two_languages():
    found = PeerEffect(cuts=(1, 2, 5), member_days=[400, 100, 50, 0], firsts=[4, 5, 10, 0])
    assert [line.split("  ")[0] for line in str(found).splitlines()[2:6]] == ["0", "1", "2–4", "5 and more"]
    assert str(found).endswith("Association, not cause: on a day with a campaign everybody checks in more.")
    assert "5及以上" in found.table(lang="zh")
    assert found.table(lang="zh").endswith("关联而非因果：有活动的日子人人更常打卡。")
    assert found.to_columns()["most"].tolist() == [0, 1, 4, -1]
    two = PeerEffect(cuts=(1,), member_days=[400, 50], firsts=[4, 10])
    assert two.difference.value == pytest.approx(0.19)
    assert two.difference.lower > 0.1


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ({"cuts": []}, InvalidValueError, "cuts: expected ascending numbers of 1 or more"),
        ({"cuts": [0, 1]}, InvalidValueError, "cuts: expected ascending"),
        ({"cuts": [2, 2]}, InvalidValueError, "cuts: expected ascending"),
        ({"cuts": [1.5]}, InvalidTypeError, "cuts: expected an integer"),
        ({"peers": {"ann": 1}}, InvalidTypeError, "peers: expected an Assignment, or None"),
    ],
)
def test_peers_that_cannot_be_counted_are_refused(asked, error, told):
    with pytest.raises(error, match=told):
        peer_effect(checked(ann=[0]), tz="UTC", as_of=pendulum.datetime(2024, 5, 1), **asked)


def test_effects_that_contradict_themselves_are_refused():
    with pytest.raises(InvalidValueError, match="firsts: expected no more than member_days, got 2"):
        PeerEffect(cuts=(1,), member_days=[1, 1], firsts=[2, 0])
    with pytest.raises(MisalignedError, match="firsts: expected one for each bin"):
        PeerEffect(cuts=(1,), member_days=[1, 1], firsts=[1])


def test_nobody_to_watch_is_a_table_of_zeros():
    found = peer_effect(EventLog.empty(), tz="UTC", as_of=pendulum.datetime(2024, 5, 1))
    assert found.member_days.tolist() == [0, 0, 0, 0]
    assert "–" in str(found)
