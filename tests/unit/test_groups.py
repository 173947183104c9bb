from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest

from shequn.entities import (
    OPTIMAL_SIZE,
    QQ_GROUP,
    WECHAT_GROUP,
    WEIBO,
    Group,
    Platform,
    SizeBand,
    group_roots,
    wechat_group,
)
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError

OPENED = datetime(2024, 3, 1, tzinfo=UTC)
NEW_YEAR = date(2025, 1, 1)
BERLIN = ZoneInfo("Europe/Berlin")


def group(**changes):
    known = {"id": "g1", "community": "c1", "platform": WECHAT_GROUP, "name": "一群", "created": OPENED}
    return Group(**{**known, **changes})


def test_a_group_is_open_and_has_the_best_size_and_no_parent_unless_it_says_otherwise():
    assert (group().closed, group().size_band, group().parent) == (None, OPTIMAL_SIZE, None)


def test_two_groups_are_the_same_when_their_ids_are():
    assert group() == group(name="二群")
    assert hash(group()) == hash(group(name="二群"))
    assert group() != group(id="g2")


@pytest.mark.parametrize("duplicate", [attrs.evolve, lambda g: pickle.loads(pickle.dumps(g))])  # noqa: S301
def test_a_copy_says_the_same(duplicate):
    given = group(closed=OPENED + timedelta(days=1), parent="g0", size_band=SizeBand(5, 9))
    assert repr(duplicate(given)) == repr(given)


# --- caps ---


def test_the_cap_of_a_group_is_that_of_its_platform_on_the_day():
    dated = group(platform=wechat_group(dates=(date(2012, 5, 1), date(2013, 8, 1))))
    assert [dated.cap_at(date(year, 6, 1)) for year in (2011, 2012, 2014)] == [40, 200, 500]
    assert group(platform=QQ_GROUP).cap_at(NEW_YEAR) == 2_000


def test_a_day_is_a_date_without_a_time():
    with pytest.raises(InvalidTypeError, match=r"^on: expected a date without a time of day, got datetime"):
        group().cap_at(OPENED)


@pytest.mark.parametrize(("n", "left"), [(0, 500), (480, 20), (500, 0), (503, -3)])
def test_headroom_is_what_is_left_to_the_cap(n, left):
    assert group().headroom(n, on=NEW_YEAR) == left


@pytest.mark.parametrize(("n", "share"), [(0, 0.0), (125, 0.25), (500, 1.0), (600, 1.2)])
def test_utilisation_is_the_share_of_the_cap_that_is_taken(n, share):
    assert group().utilisation(n, on=NEW_YEAR) == share


def test_a_group_without_a_cap_has_no_headroom_to_speak_of_and_is_never_full():
    endless = group(platform=WEIBO)
    assert endless.headroom(10**6, on=NEW_YEAR) is None
    assert endless.utilisation(10**6, on=NEW_YEAR) is None
    assert endless.full_on(10**6, growth_per_day=10**6, as_of=NEW_YEAR) is None


@pytest.mark.parametrize("ask", ["headroom", "utilisation"])
@pytest.mark.parametrize(
    ("n", "error", "says"),
    [
        (-1, InvalidValueError, "^n: expected a number of members >= 0, got -1$"),
        (1.0, InvalidTypeError, "^n: expected an integer, got 1.0$"),
    ],
)
def test_how_many_are_in_must_be_a_count(ask, n, error, says):
    with pytest.raises(error, match=says):
        getattr(group(), ask)(n, on=NEW_YEAR)


# --- when it is full ---


@pytest.mark.parametrize(
    ("n", "growth", "days"),
    [
        (490, 3, 4),  # 490 + 3 * 4 = 502 is the first not below 500
        (490, 5, 2),
        (490, 10, 1),
        (499, 0.5, 2),
        (499, 0.1, 10),
        (499, Fraction(1, 3), 3),
        (480, np.float64(1.5), 14),
        (500, 1, 0),
        (600, 1, 0),
    ],
)
def test_a_group_is_full_on_the_first_day_that_reaches_the_cap(n, growth, days):
    assert group().full_on(n, growth_per_day=growth, as_of=NEW_YEAR) == NEW_YEAR + timedelta(days=days)


@pytest.mark.parametrize("growth", [0, -1, -0.5])
def test_a_group_with_room_that_does_not_grow_is_never_full(growth):
    assert group().full_on(499, growth_per_day=growth, as_of=NEW_YEAR) is None


@pytest.mark.parametrize("growth", [0, -1, 7])
def test_a_group_that_is_full_is_full_today_wherever_it_goes(growth):
    assert group().full_on(500, growth_per_day=growth, as_of=NEW_YEAR) == NEW_YEAR


def test_a_cap_that_is_raised_in_time_counts():
    raised = group(platform=wechat_group(dates=(date(2025, 1, 11), date(2025, 2, 1))))
    assert raised.full_on(30, growth_per_day=1, as_of=NEW_YEAR) == NEW_YEAR + timedelta(days=470)
    assert raised.full_on(31, growth_per_day=1, as_of=NEW_YEAR) == NEW_YEAR + timedelta(days=9)
    assert raised.full_on(39, growth_per_day=1, as_of=date(2025, 1, 11)) == date(2025, 1, 11) + timedelta(days=461)
    assert raised.full_on(180, growth_per_day=1, as_of=date(2025, 1, 12)) == date(2025, 2, 1) + timedelta(days=300)
    assert raised.full_on(181, growth_per_day=1, as_of=date(2025, 1, 12)) == date(2025, 1, 31)


def test_a_cap_that_is_lowered_fills_a_group_that_shrinks():
    lowered = Platform(id="own", caps={None: 100, date(2025, 1, 11): 50})
    assert group(platform=lowered).full_on(70, growth_per_day=-1, as_of=NEW_YEAR) == date(2025, 1, 11)
    assert group(platform=lowered).full_on(70, growth_per_day=-3, as_of=NEW_YEAR) is None


def test_a_day_beyond_the_calendar_is_never():
    assert group().full_on(0, growth_per_day=1e-9, as_of=NEW_YEAR) is None
    assert group().full_on(0, growth_per_day=500, as_of=date.max) is None
    assert group().full_on(499, growth_per_day=1, as_of=date.max - timedelta(days=1)) == date.max


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"n": -1}, InvalidValueError, "^n: expected a number of members >= 0, got -1$"),
        ({"n": 1.5}, InvalidTypeError, "^n: expected an integer, got 1.5$"),
        ({"growth_per_day": float("nan")}, InvalidValueError, "^growth_per_day: expected a finite number, got nan$"),
        ({"growth_per_day": float("inf")}, InvalidValueError, "^growth_per_day: expected a finite number, got inf$"),
        ({"growth_per_day": "2"}, InvalidTypeError, "^growth_per_day: expected a number, got '2'$"),
        ({"growth_per_day": True}, InvalidTypeError, "^growth_per_day: expected a number, got True$"),
        ({"as_of": OPENED}, InvalidTypeError, "^as_of: expected a date without a time of day, got datetime"),
    ],
)
def test_a_question_that_cannot_be_answered_says_which_part(changes, error, says):
    with pytest.raises(error, match=says):
        group().full_on(**{"n": 1, "growth_per_day": 1, "as_of": NEW_YEAR, **changes})


# --- what a group is ---


def test_a_group_may_be_closed_a_microsecond_after_it_was_opened():
    assert group(closed=OPENED + timedelta(microseconds=1)).closed > OPENED


def test_opened_and_closed_are_compared_as_instants_where_the_clock_is_set_back():
    first = datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=0)
    assert group(created=first, closed=first.replace(fold=1)).closed.fold == 1
    with pytest.raises(InvalidValueError, match=r"^closed: expected an instant after created \(2024-10-27 02:30:00"):
        group(created=first.replace(fold=1), closed=first)


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"id": ""}, InvalidValueError, "^id: expected a non-empty str or an int, got ''$"),
        ({"community": None}, InvalidTypeError, "^community: expected a non-empty str or an int, got None$"),
        (
            {"platform": "wechat"},
            InvalidTypeError,
            "^platform: expected a Platform, such as WECHAT_GROUP, got 'wechat'$",
        ),
        ({"name": ""}, InvalidValueError, "^name: expected a non-empty str, got ''$"),
        ({"created": datetime(2024, 1, 1)}, InvalidValueError, "^created: expected an aware datetime, got"),  # noqa: DTZ001
        ({"closed": datetime(2024, 4, 1)}, InvalidValueError, "^closed: expected an aware datetime, got"),  # noqa: DTZ001
        (
            {"closed": OPENED},
            InvalidValueError,
            r"^closed: expected an instant after created \(2024-03-01 00:00:00\+00:00\), got datetime",
        ),
        ({"size_band": 30}, InvalidTypeError, "^size_band: expected a SizeBand, got 30$"),
        ({"parent": "g1"}, InvalidValueError, "^parent: expected another group than itself, got 'g1'$"),
        ({"parent": 1.5}, InvalidTypeError, "^parent: expected a non-empty str or an int, got 1.5$"),
    ],
)
def test_a_field_that_cannot_be_used_is_named_with_what_was_expected_and_what_came(changes, error, says):
    with pytest.raises(error, match=says):
        group(**changes)


# --- chains ---


def chain(parents):
    return [group(id=name, parent=parent) for name, parent in parents.items()]


def test_every_group_of_a_chain_descends_from_the_first():
    assert group_roots(chain({"c": "b", "b": "a", "a": None, "d": "a", "x": None})) == {
        "c": "a",
        "b": "a",
        "a": "a",
        "d": "a",
        "x": "x",
    }


def test_no_groups_have_no_roots():
    assert group_roots([]) == {}


def test_a_long_chain_is_walked_once():
    n = 20_000
    roots = group_roots(group(id=i, parent=i - 1 if i else None) for i in reversed(range(n)))
    assert list(roots) == list(reversed(range(n)))
    assert set(roots.values()) == {0}


@pytest.mark.parametrize(
    ("groups", "error", "says"),
    [
        (
            chain({"a": "b", "b": "a"}),
            InvalidValueError,
            "^parent: expected chains of parents that end, got 'a -> b -> a'$",
        ),
        (
            chain({"x": "a", "a": "b", "b": "c", "c": "a"}),
            InvalidValueError,
            "^parent: expected chains of parents that end, got 'a -> b -> c -> a'$",
        ),
        (
            chain({"group-1": None, "g2": "group-2"}),
            UnknownLabelError,
            r"^parent: expected one of the 2 groups, or None, got 'group-2' at row 1; did you mean 'group-1'\?$",
        ),
        (
            [group(), group(id="g2"), group()],
            InvalidValueError,
            "^groups: expected each group once, got 'g1' at row 2$",
        ),
        (["g1"], InvalidTypeError, "^groups: expected Group records, got 'g1' at row 0$"),
    ],
)
def test_groups_that_are_no_chain_are_refused(groups, error, says):
    with pytest.raises(error, match=says):
        group_roots(groups)
