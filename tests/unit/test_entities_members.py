from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, date, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pendulum
import pytest

from shequn.entities import Account, Community, Event, Group, Member, Placement, Platform, Tier, TierLadder
from shequn.errors import InvalidTypeError, InvalidValueError

JOINED = datetime(2024, 3, 1, 12, tzinfo=UTC)
WEIBO_ANN = Account(platform="weibo", handle="@ann")


def ann(**changes):
    known = {
        "id": "ann",
        "community": "c1",
        "joined": JOINED,
        "invited_by": "bo",
        "tags": {"interests": {"tea", "hiking"}},
        "accounts": [WEIBO_ANN],
        "fields": {"city": "上海", "age": 30},
    }
    return Member(**{**known, **changes})


def test_an_id_is_all_that_must_be_known_of_a_member():
    member = Member(id=7)
    assert (member.community, member.joined, member.invited_by) == (None, None, None)
    assert (dict(member.tags), member.accounts, dict(member.fields)) == ({}, (), {})


def test_two_members_are_the_same_when_their_ids_are():
    assert ann() == ann(fields={}, joined=None)
    assert hash(ann()) == hash(ann(fields={}))
    assert ann() != ann(id="bo", invited_by=None)
    assert ann() != "ann"


def test_a_member_is_not_the_tier_or_account_of_the_same_name():
    group_like = attrs.make_class("Other", ["id"])(id="ann")
    assert ann() != group_like


def test_what_was_given_may_change_afterwards_and_the_member_does_not():
    interests, fields = ["tea"], {"city": "上海"}
    tags, accounts = {"interests": interests}, [WEIBO_ANN]
    member = Member(id="ann", tags=tags, fields=fields, accounts=accounts)
    interests.append("golf")
    tags["brands"] = ["x"]
    fields["city"] = "北京"
    accounts.clear()
    assert dict(member.tags) == {"interests": ("tea",)}
    assert dict(member.fields) == {"city": "上海"}
    assert member.accounts == (WEIBO_ANN,)


def test_a_member_never_changes():
    member = ann()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        member.joined = None
    assert not hasattr(member, "__dict__")


@pytest.mark.parametrize(
    "change",
    [
        ("__setitem__", "city", "北京"),
        ("__delitem__", "city"),
        ("__ior__", {"city": "北京"}),
        ("update", {"city": "北京"}),
        ("setdefault", "district", "静安"),
        ("pop", "city"),
        ("popitem",),
        ("clear",),
    ],
    ids=lambda change: change[0],
)
def test_the_fields_of_a_member_never_change(change):
    method, *arguments = change
    for fields in (ann().fields, Member(id=1).fields):
        before = dict(fields)
        with pytest.raises(
            TypeError, match=r"^the fields of a record don't change; make another record with attrs.evolve$"
        ):
            getattr(fields, method)(*arguments)
        assert fields == before
        assert not hasattr(fields, "__dict__")


def test_fields_that_say_the_same_in_another_order_are_equal():
    one, other = Member(id=1, fields={"a": 1, "b": 2}).fields, Member(id=1, fields={"b": 2, "a": 1}).fields
    assert one == other == {"a": 1, "b": 2}
    assert hash(one) == hash(other)


def test_a_mapping_of_any_kind_is_taken():
    fields = MappingProxyType({"city": "上海"})
    assert Member(id=1, fields=fields, tags=MappingProxyType({"x": {"a"}})).fields == {"city": "上海"}
    assert Member(id=1, fields=MappingProxyType({})).fields == {}


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, attrs.evolve, lambda m: pickle.loads(pickle.dumps(m))])  # noqa: S301
def test_a_copy_says_the_same(duplicate):
    member, double = ann(), duplicate(ann())
    assert attrs.asdict(double, recurse=False) == attrs.asdict(member, recurse=False)
    assert repr(double) == repr(member)
    assert type(double.fields) is type(member.fields)


def test_a_set_of_tags_is_kept_in_order_and_each_label_once():
    member = Member(id=1, tags={"interests": ["tea", "golf", "tea"], "seen": np.array([3, 1]), "none": ()})
    assert dict(member.tags) == {"interests": ("golf", "tea"), "seen": (1, 3), "none": ()}


def test_numbers_and_texts_of_numpy_become_those_of_python():
    seven: Any = np.int64(7)
    member = Member(id=seven, invited_by=np.str_("bo"), fields={"age": np.int64(30), "spend": np.float64(1.5)})
    assert [type(x) for x in (member.id, member.invited_by, *member.fields.values())] == [int, str, int, float]
    assert json.dumps(dict(member.fields)) == '{"age": 30, "spend": 1.5}'


def test_an_instant_of_numpy_in_a_field_stays_one():
    at = np.datetime64("2024-03-01T00:00:00.000000001")
    assert Member(id=1, fields={"seen": at}).fields["seen"] == at


def test_fields_may_hold_any_single_value():
    fields = {"a": None, "b": True, "c": date(2024, 1, 1), "d": JOINED, "e": pendulum.duration(days=1), "f": (1, 2)}
    assert dict(Member(id=1, fields=fields).fields) == fields


@pytest.mark.parametrize(
    "tz", [UTC, ZoneInfo("Asia/Shanghai"), pendulum.timezone("Asia/Shanghai"), pendulum.FixedTimezone(5 * 3600 + 2700)]
)
def test_an_aware_datetime_is_taken_as_it_is(tz):
    for at in (datetime(2024, 3, 1, tzinfo=tz), pendulum.instance(datetime(2024, 3, 1, tzinfo=UTC)).in_timezone(tz)):
        assert ann(joined=at).joined is at


class Elsewhere(tzinfo):
    def utcoffset(self, _):
        return timedelta(hours=3)

    def dst(self, _):
        return None


def test_a_zone_of_another_kind_will_do_when_it_has_an_offset():
    assert ann(joined=datetime(2024, 3, 1, tzinfo=Elsewhere())).joined.hour == 0


@pytest.mark.parametrize("year", [1900, 1901, 2260, 2261])
def test_instants_from_1900_to_2261_are_taken(year):
    assert ann(joined=datetime(year, 6, 1, tzinfo=UTC)).joined.year == year


class Nowhere(tzinfo):
    def utcoffset(self, _):
        return None


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"id": ""}, InvalidValueError, r"^id: expected a non-empty str or an int, got ''$"),
        ({"id": None}, InvalidTypeError, r"^id: expected a non-empty str or an int, got None$"),
        ({"id": True}, InvalidTypeError, r"^id: expected a non-empty str or an int, got True$"),
        ({"id": np.bool_(True)}, InvalidTypeError, r"^id: expected a non-empty str or an int, got True$"),
        ({"id": np.datetime64(5, "ns")}, InvalidTypeError, r"^id: expected a non-empty str or an int, got "),
        ({"id": np.timedelta64(5, "ns")}, InvalidTypeError, r"^id: expected a non-empty str or an int, got "),
        ({"id": 1.5}, InvalidTypeError, r"^id: expected a non-empty str or an int, got 1.5$"),
        ({"community": ""}, InvalidValueError, r"^community: expected a non-empty str or an int, got ''$"),
        (
            {"joined": datetime(2024, 1, 1)},  # noqa: DTZ001
            InvalidValueError,
            r"^joined: expected an aware datetime, got datetime.datetime\(2024, 1, 1, 0, 0\)$",
        ),
        (
            {"joined": pendulum.naive(2024, 1, 1)},
            InvalidValueError,
            r"^joined: expected an aware datetime, got DateTime",
        ),
        ({"joined": datetime(2024, 1, 1, tzinfo=Nowhere())}, InvalidValueError, r"^joined: expected an aware datetime"),
        ({"joined": date(2024, 1, 1)}, InvalidTypeError, r"^joined: expected an aware datetime, got datetime.date"),
        ({"joined": "2024-01-01"}, InvalidTypeError, r"^joined: expected an aware datetime, got '2024-01-01'$"),
        ({"joined": 1_700_000_000}, InvalidTypeError, r"^joined: expected an aware datetime, got 1700000000$"),
        ({"joined": np.datetime64("2024-01-01")}, InvalidTypeError, r"^joined: expected an aware datetime"),
        ({"joined": datetime(1899, 12, 31, tzinfo=UTC)}, InvalidValueError, r"^joined: .*1900"),
        ({"joined": datetime(2262, 1, 1, tzinfo=UTC)}, InvalidValueError, r"^joined: .*2262"),
        (
            {"invited_by": "ann"},
            InvalidValueError,
            r"^invited_by: expected another member than the one themself, got 'ann'$",
        ),
        ({"invited_by": 1.0}, InvalidTypeError, r"^invited_by: expected a non-empty str or an int, got 1.0$"),
        ({"tags": {"tea"}}, InvalidTypeError, r"^tags: expected a mapping such as .*, got \{'tea'\}$"),
        (
            {"tags": {"interests": "tea"}},
            InvalidTypeError,
            r"^tags\['interests'\]: expected a set of labels, got 'tea'$",
        ),
        ({"tags": {"interests": 3}}, InvalidTypeError, r"^tags\['interests'\]: expected a set of labels, got 3$"),
        (
            {"tags": {"x": ["a", 1]}},
            InvalidTypeError,
            r"^tags\['x'\]: expected labels that are all str or all int, got \[",
        ),
        (
            {"tags": {"x": [["a"]]}},
            InvalidTypeError,
            r"^tags\['x'\]: expected labels that are all str or all int, got \[",
        ),
        (
            {"tags": {"x": [True]}},
            InvalidTypeError,
            r"^tags\['x'\]: expected labels that are all str or all int, got \[",
        ),
        ({"tags": {1: ["a"]}}, InvalidTypeError, r"^tags: expected names that are non-empty str, got 1$"),
        ({"tags": {"": ["a"]}}, InvalidTypeError, r"^tags: expected names that are non-empty str, got ''$"),
        ({"accounts": 3}, InvalidTypeError, r"^accounts: expected a collection of Account, got 3$"),
        (
            {"accounts": ["@ann"]},
            InvalidTypeError,
            r"^accounts: expected a collection of Account, got '@ann' at row 0$",
        ),
        (
            {"accounts": [WEIBO_ANN, WEIBO_ANN]},
            InvalidValueError,
            r"^accounts: expected each Account once, got .* at row 1$",
        ),
        ({"fields": [("city", "x")]}, InvalidTypeError, r"^fields: expected a mapping of name to value, got \["),
        ({"fields": {1: "x"}}, InvalidTypeError, r"^fields: expected names that are non-empty str, got 1$"),
        ({"fields": {"": "x"}}, InvalidTypeError, r"^fields: expected names that are non-empty str, got ''$"),
        (
            {"fields": {"xs": [1]}},
            InvalidTypeError,
            r"^fields\['xs'\]: expected a text, a number, a date or the like, got \[1\]$",
        ),
    ],
)
def test_a_field_that_cannot_be_used_is_named_with_what_was_expected_and_what_came(changes, error, says):
    with pytest.raises(error, match=says):
        ann(**changes)


def test_an_account_is_its_platform_and_handle():
    assert Account(platform="weibo", handle="@ann") == WEIBO_ANN
    assert len({WEIBO_ANN, Account(platform="weibo", handle="@ann"), Account(platform="qq", handle="@ann")}) == 2
    assert pickle.loads(pickle.dumps(WEIBO_ANN)) == WEIBO_ANN  # noqa: S301


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"platform": "", "handle": "x"}, InvalidValueError, "^platform: expected a non-empty str or an int, got ''$"),
        ({"platform": "qq", "handle": " "}, InvalidValueError, "^handle: expected a non-empty str, got ' '$"),
        ({"platform": "qq", "handle": 7}, InvalidTypeError, "^handle: expected a non-empty str, got 7$"),
    ],
)
def test_an_account_says_which_part_cannot_be_used(fields, error, says):
    with pytest.raises(error, match=says):
        Account(**fields)


@pytest.mark.parametrize("record", [Account, Community, Event, Group, Member, Placement, Platform, Tier, TierLadder])
def test_the_annotations_of_a_record_can_be_resolved(record):
    assert set(get_type_hints(record)) >= {field.name for field in attrs.fields(record)}
