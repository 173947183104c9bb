"""The voice of 60 seconds each morning: when is it kept, and what was wrong when not?"""

from __future__ import annotations

import attrs
import pendulum
import pytest

import shequn as sq
from shequn.content import RitualReason, ritual
from shequn.entities import ContentItem
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError

TZ = "Asia/Shanghai"
MONDAY = pendulum.datetime(2024, 3, 4, tz=TZ)
DAY = sq.Window(MONDAY, MONDAY.add(days=1))


def voice(at, **fields):
    given = {"id": "v", "kind": "educational", "format": "voice", "seconds": 60, "created": at, "published": at}
    return ContentItem(**(given | fields))


def judged(*items, window=DAY, **options):
    given = {"window": window, "tz": TZ, "time": "06:30", "format": "voice", "seconds": 60}
    return ritual(items, **(given | options))


@pytest.mark.parametrize(
    ("minutes", "reason"), [(-16, "off_time"), (-15, "kept"), (0, "kept"), (15, "kept"), (16, "off_time")]
)
def test_the_tolerance_itself_is_on_time(minutes, reason):
    (day,) = judged(voice(MONDAY.add(hours=6, minutes=30 + minutes))).rows()
    assert day.reason == reason


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [(57, "wrong_length"), (58, "kept"), (62, "kept"), (63, "wrong_length"), (None, "wrong_length")],
)
def test_the_length_may_be_off_by_so_much(seconds, reason):
    (day,) = judged(voice(MONDAY.add(hours=6.5), seconds=seconds), within_seconds=2).rows()
    assert day.reason == reason


def test_what_comes_closest_is_told():
    due = MONDAY.add(hours=6.5)
    late, text = voice(due.add(hours=1), id="late"), voice(due, id="text", format="text")
    long, good = voice(due, id="long", seconds=90), voice(due.add(minutes=3), id="good")
    for n, (reason, post) in enumerate(
        [("off_time", "late"), ("wrong_format", "text"), ("wrong_length", "long"), ("kept", "good")]
    ):
        (day,) = judged(*[late, text, long, good][: n + 1]).rows()
        assert (day.reason, day.post, day.due) == (reason, post, due)
    assert [day.reason for day in judged().rows()] == [RitualReason.MISSED]
    assert judged(voice(due, published=None)).rate.hits == 0


def test_of_two_that_keep_it_the_nearer_is_named():
    due = MONDAY.add(hours=6.5)
    posts = voice(due.subtract(minutes=9), id="early"), voice(due.add(minutes=2), id="near")
    assert judged(*posts).last().post == "near"


def test_a_post_before_midnight_can_keep_the_day_after():
    midnight = MONDAY.add(minutes=5)
    assert judged(voice(MONDAY.subtract(minutes=5), created=midnight.subtract(days=1)), time="00:05").rate.hits == 1


def test_weekdays_and_the_window():
    week = sq.Window(MONDAY, MONDAY.add(days=7))
    kept = judged(voice(MONDAY.add(days=5, hours=6.5)), window=week, weekdays="mon-fri")
    assert (len(kept), kept.rate.hits) == (5, 0)
    assert kept.counts[RitualReason.MISSED] == 5
    assert len(judged(window=sq.Window(MONDAY.add(hours=6.5), MONDAY.add(hours=6.51)))) == 1
    assert len(judged(window=sq.Window(MONDAY.add(hours=6), MONDAY.add(hours=6.5)))) == 0
    assert judged(window=sq.Window(MONDAY, MONDAY.add(hours=6))).table(lang="zh").endswith("（无数据）")


def test_where_no_day_is_meant_nothing_is_asked_for():
    nothing = judged(weekdays="fri")
    assert len(nothing) == 0
    assert nothing.table().endswith("(no rows)")
    assert list(nothing.rows()) == []
    assert ritual([], window=DAY, tz=TZ, time="06:30").counts[RitualReason.MISSED] == 1


def test_any_length_and_form_will_do_unless_asked_for():
    item = voice(MONDAY.add(hours=6.5), format=None, seconds=None)
    assert judged(item, format=None, seconds=None).table().splitlines()[-1] == (
        "kept on 1 of 1 day, 100.0% (20.7% to 100.0%)"
    )


def test_an_appointment_that_the_clocks_skip_is_the_first_instant_after():
    start = pendulum.datetime(2024, 3, 31, tz="Europe/Berlin")
    window = sq.Window(start, start.add(days=1))
    due = ritual([], window=window, tz="Europe/Berlin", time="02:30").last().due
    assert (due.hour, due.minute) == (3, 0)


def test_a_day_that_never_was_has_no_appointment():
    start = pendulum.datetime(2011, 12, 29, tz="Pacific/Apia")
    window = sq.Window(start, pendulum.datetime(2012, 1, 1, tz="Pacific/Apia"))
    assert [row.day.day for row in ritual([], window=window, tz="Pacific/Apia", time="06:30").rows()] == [29, 31]


def test_the_share_has_its_interval():
    posts = [voice(MONDAY.add(days=n, hours=6.5), id=n) for n in range(8)]
    kept = judged(*posts, window=sq.Window(MONDAY, MONDAY.add(days=10)))
    assert kept.rate == sq.Rate(8, 10)
    assert kept.table(lang="zh").splitlines()[-1] == "10 天中守约 8 天，80.0%（49.0% 至 94.3%）"
    assert repr(kept) == "RitualAdherence(8 of 10 days)"
    assert kept.kept.tolist() == [True] * 8 + [False] * 2


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"tolerance": pendulum.duration(hours=12)}, InvalidValueError, "tolerance: expected a duration of at most 11"),
        ({"format": "voices"}, UnknownLabelError, "format"),
        ({"seconds": -1}, InvalidValueError, "seconds"),
        ({"within_seconds": -1}, InvalidValueError, "within_seconds"),
        ({"time": "6 o'clock"}, InvalidValueError, "times: expected a time of day"),
        ({"window": 7}, InvalidTypeError, "window"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, error, match):
    with pytest.raises(error, match=match):
        judged(**options)


def test_parts_that_contradict_each_other_are_refused():
    kept = judged(voice(MONDAY), window=sq.Window(MONDAY, MONDAY.add(days=2)))
    with pytest.raises(InvalidValueError, match="posts: expected one entry for each of 2 days"):
        attrs.evolve(kept, posts=["v"])
    with pytest.raises(InvalidValueError, match="due_us: expected instants in ascending order"):
        attrs.evolve(kept, due_us=kept.due_us[::-1].copy())
    with pytest.raises(InvalidTypeError, match="items: expected ContentItems, got 'v' at row 0"):
        judged("v")
