from __future__ import annotations

import json
import math
import pickle
from datetime import UTC, datetime, timedelta

import pendulum
import pytest

from shequn.content import backlog
from shequn.entities import ContentItem
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError
from shequn.values import Cadence, Rate

NOW = datetime(2024, 3, 29, tzinfo=UTC)
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)


def item(number, *, created=NOW - 10 * DAY, published=None, archived=None):
    return ContentItem(id=number, kind="educational", created=created, published=published, archived=archived)


def test_items_are_counted_by_what_they_are_at_the_instant_of_the_question():
    result = backlog(
        [
            item(1, created=NOW + DAY),
            item(2),
            item(3, created=NOW - 12 * DAY),
            item(4, published=NOW + DAY),
            item(5, published=NOW),
            item(6, published=NOW - DAY, archived=NOW),
        ],
        as_of=NOW,
        per_day=0.5,
    )
    assert result.items.tolist() == [1, 2, 1, 1, 1]
    assert result.oldest_days[1:3].tolist() == [12, 10]
    assert (result.ready, result.cover_days) == (3, 6.0)


@pytest.mark.parametrize(("created", "made"), [(-28 * DAY, 0), (-28 * DAY + TICK, 1), (timedelta(0), 1), (TICK, 0)])
def test_what_was_made_is_counted_after_the_start_of_the_time_and_until_its_end(created, made):
    assert backlog([item(1, created=NOW + created)], as_of=NOW, per_day=1).made == made


@pytest.mark.parametrize(("published", "posted"), [(-28 * DAY, 0), (-28 * DAY + TICK, 1), (timedelta(0), 1), (TICK, 0)])
def test_what_was_posted_is_counted_likewise(published, posted):
    one = item(1, created=NOW - 99 * DAY, published=NOW + published)
    assert backlog([one], as_of=NOW, per_day=1).posted == posted


@pytest.mark.parametrize(
    ("cadence", "per_day"),
    [
        (Cadence(per_day=2), 2),
        (Cadence(per_day=2, per_week=7), 1),
        (Cadence(per_month=31), 31 * 12 / 365.2425),
        (Cadence(min_gap=pendulum.duration(hours=36)), 2 / 3),
        (Cadence(per_day=3, min_gap=pendulum.duration(hours=6)), 3),
    ],
)
def test_a_cadence_asks_for_as_much_as_it_lets_through(cadence, per_day):
    assert backlog([], as_of=NOW, cadence=cadence).per_day == pytest.approx(per_day)


def test_without_a_demand_it_is_what_was_posted():
    posted = [item(n, published=NOW - n * DAY) for n in range(8)]
    result = backlog([*posted, item(9)], as_of=NOW, within=pendulum.duration(days=4))
    assert (result.posted, result.per_day, result.cover_days) == (4, 1.0, 1.0)


def test_where_nothing_is_wanted_there_is_no_cover():
    result = backlog([item(1)], as_of=NOW)
    assert math.isnan(result.cover_days)
    assert "enough for – days" in str(result)


def test_a_backlog_runs_out_where_less_is_made_than_is_wanted():
    items = [item(n, created=NOW - n * DAY) for n in range(14)]
    assert backlog(items, as_of=NOW, per_day=0.75).runs_out_days == pytest.approx(14 / 0.25)
    enough = backlog(items, as_of=NOW, per_day=0.5)
    assert enough.runs_out_days == math.inf
    assert "it never runs out" in str(enough)
    assert "照此不会用完" in enough.table(lang="zh")


def test_the_interval_of_the_capacity_is_the_score_interval_of_a_count():
    result = backlog([item(n) for n in range(28)], as_of=NOW, per_day=1)
    assert result.capacity_per_day == 1
    low, high = result.capacity_interval
    for end in (low, high):
        assert abs(28 - 28 * end) / math.sqrt(28 * end) == pytest.approx(1.959964, rel=1e-6)
    assert backlog([], as_of=NOW, per_day=1).capacity_interval[0] == 0


@pytest.mark.parametrize(
    ("published", "late_days", "is_open"),
    [
        (NOW - 3 * DAY, 0, False),
        (NOW - 2 * DAY, 0, False),
        (NOW - 2 * DAY + TICK, 1e-6 / 86_400, False),
        (NOW, 2, False),
        (NOW + TICK, 2, True),
        (None, 2, True),
    ],
)
def test_an_item_is_late_from_just_after_it_was_due_until_it_is_posted(published, late_days, is_open):
    result = backlog([item(1, published=published)], as_of=NOW, per_day=1, due={1: NOW - 2 * DAY})
    assert result.late_days.tolist() == pytest.approx([late_days])
    assert result.open_late == is_open
    assert result.on_time == Rate(int(late_days == 0), 1)


def test_what_is_due_later_and_what_was_given_up_do_not_count():
    items = [item(1, published=NOW - DAY), item(2, archived=NOW), item(3, archived=NOW + TICK), item(4)]
    due = {1: NOW + TICK, 2: NOW - DAY, 3: NOW - DAY, 4: NOW}
    result = backlog(items, as_of=NOW, per_day=1, due=due)
    assert result.late_days.tolist() == [1, 0]
    assert (result.open_late, result.median_late_days) == (1, 1)
    assert math.isnan(backlog(items, as_of=NOW, per_day=1).median_late_days)


def test_the_table_speaks_both_languages():
    result = backlog([item(1), item(2, published=NOW)], as_of=NOW, per_day=0.5, due={1: NOW - DAY, 2: NOW})
    assert result.table(lang="zh").splitlines() == [
        "状态    条数  最久（天）",
        "────────────────────────",
        "计划中     0           –",
        "草稿       1        10.0",
        "待发布     0           –",
        "已发布     1           –",
        "已下线     0           –",
        "储备：1 条，按每天 0.50 条可用 2.0 天。",
        "产出：每天 0.07 条（0.02 至 0.26）；照此 2.3 天后用完。",
        "按时：应发布 2 条，按时 1 条；迟发 0 条，逾期未发 1 条。",
    ]
    assert str(result).splitlines()[-1] == "On time: 1 of 2 that were due; 0 posted late, 1 still open."
    json.dumps(result.to_dict(), allow_nan=False)
    assert [row.items for row in result.rows()] == [0, 1, 0, 1, 0]
    assert str(pickle.loads(pickle.dumps(result))) == str(result)  # noqa: S301


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"per_day": 0}, InvalidValueError, r"^per_day: expected a finite number above 0, got 0$"),
        (
            {"per_day": 1, "cadence": Cadence(per_day=1)},
            InvalidValueError,
            r"^per_day: expected None where there is a c",
        ),
        ({"cadence": Cadence()}, InvalidValueError, r"^cadence: expected one with a cap above 0, or a gap"),
        ({"cadence": Cadence(per_day=0)}, InvalidValueError, r"^cadence: expected one with a cap above 0"),
        ({"cadence": 2}, InvalidTypeError, r"^cadence: expected a Cadence, got 2$"),
        ({"within": pendulum.duration(days=0)}, InvalidValueError, r"^within: expected a duration longer than 0"),
        ({"due": {9: NOW}}, UnknownLabelError, r"^due: expected ids of the items, got 9$"),
        ({"due": {1: "tomorrow"}}, InvalidTypeError, r"^due\[1\]: expected"),
        ({"due": [NOW]}, InvalidTypeError, r"^due: expected a mapping of item id"),
        ({"level": 1}, InvalidValueError, r"^level: expected a number between 0 and 1"),
        ({"as_of": "now"}, InvalidTypeError, r"^as_of: expected"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, error, says):
    with pytest.raises(error, match=says):
        backlog([item(1)], **{"as_of": NOW, **options})
