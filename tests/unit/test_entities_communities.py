from __future__ import annotations

import pickle
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import attrs
import pendulum
import pytest

from shequn.entities import OPTIMAL_SIZE, QQ_GROUP, WECHAT_GROUP, Community, CommunityType, Group, SizeBand
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError


def club(**changes):
    known = {
        "id": "c1",
        "name": "读书会",
        "type": "知识型",
        "created": datetime(2024, 3, 1, tzinfo=UTC),
        "tz": "Asia/Shanghai",
        "currency": "CNY",
    }
    return Community(**{**known, **changes})


def test_a_community_has_the_best_size_of_groups_unless_it_says_otherwise_and_no_cap():
    assert club().size_band == OPTIMAL_SIZE
    assert club(size_band=SizeBand(5, 9)).size_band == SizeBand(5, 9)
    assert not hasattr(club(), "cap_at")


def test_its_type_may_be_given_by_any_name():
    assert {club(type=name).type for name in ("knowledge", "知识型", CommunityType.KNOWLEDGE)} == {
        CommunityType.KNOWLEDGE
    }


@pytest.mark.parametrize("tz", ["Asia/Shanghai", ZoneInfo("Asia/Shanghai"), pendulum.timezone("Asia/Shanghai")])
def test_a_zone_is_kept_as_its_name(tz):
    assert club(tz=tz).tz == "Asia/Shanghai"


def test_two_communities_are_the_same_when_their_ids_are():
    assert club() == club(name="写作营")
    assert hash(club()) == hash(club(name="写作营"))
    assert club() != club(id="c2")
    group = Group(id="c1", community="c1", platform=QQ_GROUP, name="一群", created=club().created)
    assert club() != group
    assert len({club(), group}) == 2


@pytest.mark.parametrize("duplicate", [attrs.evolve, lambda c: pickle.loads(pickle.dumps(c))])  # noqa: S301
def test_a_copy_says_the_same(duplicate):
    community = club(platforms=[WECHAT_GROUP, QQ_GROUP], positioning="为职场新人读书")
    assert repr(duplicate(community)) == repr(community)
    assert duplicate(community).platforms == (WECHAT_GROUP, QQ_GROUP)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2024, 12, 31, 15, 59, 59, tzinfo=UTC), date(2024, 12, 31)),
        (datetime(2024, 12, 31, 16, tzinfo=UTC), date(2025, 1, 1)),
        (pendulum.datetime(2025, 1, 1, 0, 30, tz="Asia/Tokyo"), date(2024, 12, 31)),
    ],
)
def test_a_day_is_the_one_of_the_communitys_own_calendar(at, day):
    assert club().local_date(at) == day
    assert type(club().local_date(at)) is date


def test_a_naive_instant_has_no_day():
    with pytest.raises(InvalidValueError, match=r"^at: expected an aware datetime, got datetime"):
        club().local_date(datetime(2024, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"id": ""}, InvalidValueError, "^id: expected a non-empty str or an int, got ''$"),
        ({"name": ""}, InvalidValueError, "^name: expected a non-empty str, got ''$"),
        ({"type": "知识"}, UnknownLabelError, r"^type: expected code, zh or en of one .*did you mean '知识型'\?$"),
        ({"type": None}, InvalidTypeError, "^type: expected a str, the code or name of one CommunityType, got None$"),
        ({"created": "2024-01-01"}, InvalidTypeError, "^created: expected an aware datetime, got '2024-01-01'$"),
        ({"tz": "Asia/Shangai"}, UnknownLabelError, r"^tz: .* got 'Asia/Shangai'; did you mean 'Asia/Shanghai'\?$"),
        ({"tz": 8}, InvalidTypeError, "^tz: .* got 8$"),
        (
            {"currency": "rmb"},
            InvalidValueError,
            r"^currency: expected three upper-case letters \(ISO 4217\), got 'rmb'$",
        ),
        ({"platforms": 3}, InvalidTypeError, "^platforms: expected a collection of Platform, got 3$"),
        ({"platforms": WECHAT_GROUP}, InvalidTypeError, "^platforms: expected a collection of Platform, got Platform"),
        ({"platforms": ["qq"]}, InvalidTypeError, "^platforms: expected a collection of Platform, got 'qq' at row 0$"),
        (
            {"platforms": [QQ_GROUP, QQ_GROUP]},
            InvalidValueError,
            r"^platforms: expected each Platform once, got Platform\(id='qq_group', .* at row 1$",
        ),
        ({"positioning": ""}, InvalidValueError, "^positioning: expected a non-empty str, got ''$"),
        ({"positioning": 3}, InvalidTypeError, "^positioning: expected a non-empty str, got 3$"),
        ({"size_band": (26, 36)}, InvalidTypeError, r"^size_band: expected a SizeBand, got \(26, 36\)$"),
    ],
)
def test_a_field_that_cannot_be_used_is_named_with_what_was_expected_and_what_came(changes, error, says):
    with pytest.raises(error, match=says):
        club(**changes)
