from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from shequn.entities import PASSIVE_KINDS, CommunityType, EventKind, MemberRole, Openness, PlatformBreadth
from shequn.errors import InvalidTypeError, UnknownLabelError

TAXONOMIES = [EventKind, MemberRole, CommunityType, PlatformBreadth, Openness]


@pytest.mark.parametrize("taxonomy", TAXONOMIES)
def test_a_value_is_found_by_its_code_and_by_every_name_it_has(taxonomy):
    for value in taxonomy:
        for name in (value.value, value.zh, value.en, *value.aliases, value):
            assert taxonomy.from_label(name) is value


@pytest.mark.parametrize("taxonomy", TAXONOMIES)
def test_no_two_values_share_a_name(taxonomy):
    names = [name for value in taxonomy for name in {value.value, value.zh, value.en, *value.aliases}]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("taxonomy", TAXONOMIES)
def test_a_value_is_the_text_of_its_code_and_survives_pickle_and_copy(taxonomy):
    for value in taxonomy:
        assert value == value.value
        assert f"{value}" == value.value
        assert hash(value) == hash(value.value)
        assert pickle.loads(pickle.dumps(value)) is value  # noqa: S301
        assert copy.deepcopy(value) is value


def test_the_usual_kinds_are_those_of_the_domain():
    assert {kind.value: kind.zh for kind in EventKind} == {
        "apply": "申请",
        "join": "入群",
        "leave": "退群",
        "remove": "移出",
        "post": "发帖",
        "reply": "回复",
        "like": "点赞",
        "repost": "转发",
        "read": "阅读",
        "ask": "提问",
        "click": "点击",
        "check_in": "打卡",
        "invite": "邀请",
        "mute": "屏蔽",
        "purchase": "购买",
        "redeem": "兑换",
        "receive": "触达",
        "role": "变更角色",
    }


def test_the_roles_are_those_of_the_domain():
    zh = ["群主", "管理员", "群主助理", "官方", "牛人", "意见领袖", "群友", "机器人"]
    assert [role.zh for role in MemberRole] == zh


def test_there_are_eight_types_of_communities():
    zh = ["品牌型", "工具型", "产品型", "知识型", "兴趣型", "信仰型", "公司型", "泛社交型"]
    assert [kind.zh for kind in CommunityType] == zh


def test_what_is_done_to_a_member_is_not_activity():
    assert set(PASSIVE_KINDS) == {"apply", "receive", "leave", "remove", "mute", "role"}
    assert all(kind.value in PASSIVE_KINDS for kind in (EventKind.RECEIVE, EventKind.ROLE))


@pytest.mark.parametrize("label", ["Check In", " check_in ", "打卡", "CHECK_IN"])
def test_case_and_blanks_around_a_name_do_not_matter(label):
    assert EventKind.from_label(label) is EventKind.CHECK_IN


def test_a_numpy_text_is_a_text():
    assert EventKind.from_label(np.str_("post")) is EventKind.POST


def test_a_misspelt_name_gets_the_closest_one():
    with pytest.raises(
        UnknownLabelError,
        match=r"^label: expected code, zh or en of one of the 18 EventKind values, got "
        r"'purchse'; did you mean 'purchase'\?$",
    ):
        EventKind.from_label("purchse")


def test_an_error_names_the_argument_of_the_caller():
    with pytest.raises(
        UnknownLabelError,
        match=r"^role: expected code, zh or en of one of the 8 MemberRole values \(owner, admin, .*, bot\), got '王'$",
    ):
        MemberRole.from_label("王", argument="role")


@pytest.mark.parametrize("label", [None, 3, b"post", ["post"]])
def test_only_a_text_names_a_value(label):
    with pytest.raises(InvalidTypeError, match=r"^label: expected a str, the code or name of one EventKind, got "):
        EventKind.from_label(label)


def test_a_value_of_another_taxonomy_is_read_as_its_code():
    with pytest.raises(UnknownLabelError, match=r"MemberRole values \(.*\), got <EventKind.POST: 'post'>"):
        MemberRole.from_label(EventKind.POST)
