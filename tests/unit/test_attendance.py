"""Who came to an event, and what they did online before and after."""

from __future__ import annotations

import math

import attrs
import numpy as np
import pendulum
import pytest

from shequn.campaigns import BeforeAfter, attendance
from shequn.columns import EventLog, Roster
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError
from shequn.values import Rate, Window

OPENS = pendulum.datetime(2024, 5, 18, 14, tz="Asia/Shanghai")
HELD = Window(OPENS, OPENS.add(hours=3))
WEEK = pendulum.duration(days=7)
LATER = HELD.end.add(days=30)


def log_of(*rows):
    member, kind, at = zip(*rows, strict=True)
    return EventLog.from_columns(member=member, kind=kind, at=at)


SALON = log_of(
    ("ann", "post", OPENS.subtract(days=1)),
    ("ann", "post", HELD.end),
    ("ann", "like", HELD.end.add(days=1)),
    ("bo", "post", HELD.end.add(days=2)),
    ("cy", "post", OPENS.subtract(days=2)),
    ("dee", "receive", HELD.end.add(days=1)),
)


def came(log=SALON, held=HELD, **options):
    usual = {
        "attended": ["ann", "bo", "walk-in"],
        "registered": ["ann", "bo", "cy"],
        "invited": ["ann", "bo", "cy", "dee", "unheard"],
        "as_of": LATER,
        "span": WEEK,
    }
    return attendance(log, held, **(usual | options))


def test_rates_are_of_those_who_were_asked():
    found = came()
    assert found.registration_rate == Rate(3, 5)
    assert found.attendance_rate == Rate(2, 3)
    assert found.no_show_rate == Rate(1, 3)
    assert found.walk_ins == 1


def test_who_came_is_compared_with_who_was_asked_and_did_not():
    found = came()
    assert (found.attended.members, found.attended.before, found.attended.after) == (3, 1, 3)
    assert (found.absent.members, found.absent.before, found.absent.after) == (3, 1, 0)
    assert found.attended.change_sd == pytest.approx(np.std([1, 1, 0], ddof=1))
    assert found.carry_over.value == pytest.approx(2 / 3 + 1 / 3)
    assert found.carry_over.lower < found.carry_over.value < found.carry_over.upper


@pytest.mark.parametrize(
    ("at", "before", "after"),
    [
        (OPENS.subtract(days=7, microseconds=1), 0, 0),
        (OPENS.subtract(days=7), 1, 0),
        (OPENS.subtract(microseconds=1), 1, 0),
        (OPENS, 0, 0),
        (HELD.end.subtract(microseconds=1), 0, 0),
        (HELD.end, 0, 1),
        (HELD.end.add(days=7, microseconds=-1), 0, 1),
        (HELD.end.add(days=7), 0, 0),
    ],
    ids=str,
)
def test_a_row_counts_in_half_open_stretches_and_not_during_the_event(at, before, after):
    found = came(log_of(("ann", "post", at)), attended=["ann"])
    assert (found.attended.before, found.attended.after) == (before, after)


def test_as_much_from_before_counts_as_has_passed_since():
    rows = [("ann", "post", OPENS.subtract(days=2)), ("ann", "post", OPENS.subtract(days=2, microseconds=1))]
    found = came(log_of(*rows), as_of=HELD.end.add(days=2, microseconds=-1))
    assert found.attended.before == 1
    assert not found.is_complete
    assert "not over yet" in str(found)
    assert "尚未结束" in found.table(lang="zh")
    assert came(as_of=HELD.end.add(days=7, microseconds=-1)).is_complete
    assert not came(as_of=HELD.end.add(days=7, microseconds=-2)).is_complete


def test_without_lists_there_are_no_rates():
    found = came(invited=None, registered=None)
    assert (found.registration_rate, found.attendance_rate, found.no_show_rate, found.walk_ins) == (None,) * 3 + (0,)
    assert found.absent.members == 0
    assert math.isnan(found.carry_over.value)
    assert came(registered=None).registration_rate is None


def test_masks_and_labels_agree():
    roster = Roster.from_columns(member=["bo", "ann", "walk-in", "cy"])
    mask = np.array([True, True, True, False])
    assert came(attended=mask, members=roster) == came()


def test_only_the_kinds_that_are_asked_for_count():
    assert came(kinds={"like"}).attended.after == 1


def test_the_table_says_that_this_is_an_association():
    found = came()
    assert "Association, not effect" in found.table()
    assert "No-show: 33.3% of the registered (1 of 3; 6.1% to 79.2%)." in found.table()
    assert "并非因果" in found.table(lang="zh")
    assert "未报名而到场：1 人" in found.table(lang="zh")
    assert [row.who for row in found.rows()] == ["attended", "absent", "difference"]
    assert repr(found).startswith("Attendance(3 of 6 members, carry-over +1.00 (")


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"attended": []}, InvalidValueError, "attended: expected at least one member"),
        ({"attended": [True]}, MisalignedError, "attended: expected one flag for each of the 4 members"),
        ({"as_of": HELD.end.subtract(microseconds=1)}, InvalidValueError, "as_of: expected an instant after the event"),
        ({"span": pendulum.duration()}, InvalidValueError, "span"),
        ({"held": OPENS}, InvalidTypeError, "held: expected a Window"),
        ({"level": 95}, InvalidValueError, "level"),
    ],
)
def test_what_can_not_be_used_is_refused(options, error, match):
    with pytest.raises(error, match=match):
        came(**options)


def test_counts_are_counts():
    with pytest.raises(InvalidValueError, match="before: expected a count of 0 or more"):
        BeforeAfter(members=1, before=-1, after=0)
    with pytest.raises(InvalidValueError, match="change_sd"):
        BeforeAfter(members=1, before=1, after=0, change_sd=-1)
    with pytest.raises(InvalidTypeError, match="attendance_rate: expected a Rate or None"):
        attrs.evolve(came(), attendance_rate=0.5)


def test_who_attended_must_be_told():
    with pytest.raises(InvalidTypeError, match="attended: expected a mask over the members, or labels of members"):
        came(attended=None)
