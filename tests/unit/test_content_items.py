from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import attrs
import numpy as np
import pendulum
import pytest

from shequn.entities import (
    QQ_GROUP,
    WECHAT_GROUP,
    WEIBO,
    ContentFormat,
    ContentItem,
    ContentKind,
    ContentStatus,
    ContentSubkind,
    ContentViolation,
    Platform,
    Surface,
)
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError

CREATED = datetime(2024, 3, 1, 9, tzinfo=UTC)
POSTED = datetime(2024, 3, 8, 12, tzinfo=UTC)
TAKEN_DOWN = datetime(2024, 4, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def item(**fields):
    return ContentItem(**{"id": "c1", "kind": "educational", "created": CREATED, **fields})


# --- taxonomies ---


def test_the_kinds_formats_and_surfaces_are_those_of_the_domain():
    assert [kind.zh for kind in ContentKind] == ["信息性", "娱乐性", "互动性", "教育性"]
    assert [f.zh for f in ContentFormat] == ["文章", "文字", "图片", "图文", "视频", "短视频", "直播", "语音"]
    assert [s.zh for s in Surface] == ["群聊", "朋友圈", "公众号", "信息流", "论坛", "博客"]


@pytest.mark.parametrize("taxonomy", [ContentKind, ContentSubkind, ContentFormat, Surface, ContentStatus])
def test_no_two_values_share_a_name_and_each_is_found_by_all_of_its_own(taxonomy):
    names = [name for value in taxonomy for name in {value.value, value.zh, value.en, *value.aliases}]
    assert len(names) == len(set(names))
    for value in taxonomy:
        for name in (value.value, value.zh, value.en, *value.aliases):
            assert taxonomy.from_label(name) is value


@pytest.mark.parametrize(
    ("kind", "subkinds"),
    [
        ("信息性", {"行业资讯", "产品介绍", "促销", "活动预告", "时事", "股票"}),
        ("娱乐性", {"趣味视频", "段子", "轻松话题", "明星热点"}),
        ("互动性", {"话题", "投票", "问答", "用户故事"}),
        ("教育性", {"专业知识", "使用技巧", "生活小窍门", "育婴"}),
    ],
)
def test_each_subkind_belongs_to_one_kind(kind, subkinds):
    of_kind = {subkind for subkind in ContentSubkind if subkind.kind is ContentKind.from_label(kind)}
    assert of_kind == {ContentSubkind.from_label(name) for name in subkinds}


def test_a_pickled_subkind_still_knows_its_kind():
    assert pickle.loads(pickle.dumps(ContentSubkind.POLL)).kind is ContentKind.INTERACTIVE  # noqa: S301


# --- how far along it is ---


@pytest.mark.parametrize(
    ("as_of", "status"),
    [
        (CREATED - TICK, ContentStatus.PLANNED),
        (CREATED, ContentStatus.SCHEDULED),
        (POSTED - TICK, ContentStatus.SCHEDULED),
        (POSTED, ContentStatus.PUBLISHED),
        (TAKEN_DOWN - TICK, ContentStatus.PUBLISHED),
        (TAKEN_DOWN, ContentStatus.ARCHIVED),
    ],
)
def test_an_item_is_planned_scheduled_published_and_archived_in_turn(as_of, status):
    assert item(published=POSTED, archived=TAKEN_DOWN).status(as_of) is status


def test_an_item_that_nobody_has_set_a_time_for_is_a_draft_until_it_is_given_up():
    given_up = item(archived=TAKEN_DOWN)
    assert item().status(POSTED) is ContentStatus.DRAFT
    assert given_up.status(TAKEN_DOWN - TICK) is ContentStatus.DRAFT
    assert given_up.status(TAKEN_DOWN) is ContentStatus.ARCHIVED


def test_an_item_published_as_soon_as_it_is_made_is_never_a_draft():
    assert item(published=CREATED).status(CREATED) is ContentStatus.PUBLISHED


def test_instants_are_compared_as_instants_when_the_clock_is_set_back():
    first = pendulum.datetime(2024, 10, 27, 2, 30, tz="Europe/Berlin", fold=0)
    second = pendulum.datetime(2024, 10, 27, 2, 30, tz="Europe/Berlin", fold=1)
    assert item(created=first, published=second).status(first) is ContentStatus.SCHEDULED
    with pytest.raises(InvalidValueError, match=r"^published: expected an instant not before created"):
        item(created=second, published=first)


@pytest.mark.parametrize(
    ("as_of", "error", "says"),
    [
        (datetime(2024, 3, 1), InvalidValueError, "^as_of: expected an? .*aware datetime"),  # noqa: DTZ001
        ("2024-03-01", InvalidTypeError, "^as_of: expected"),
    ],
)
def test_an_instant_of_the_question_that_cannot_be_used_is_refused(as_of, error, says):
    with pytest.raises(error, match=says):
        item().status(as_of)


# --- what it may say ---


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"published": CREATED - TICK}, InvalidValueError, "^published: expected an instant not before created"),
        ({"archived": CREATED}, InvalidValueError, "^archived: expected an instant after created"),
        ({"published": POSTED, "archived": POSTED}, InvalidValueError, "^archived: expected an instant after publ"),
        ({"created": datetime(2024, 3, 1)}, InvalidValueError, "^created: expected an aware"),  # noqa: DTZ001
        ({"published": datetime(2024, 3, 9)}, InvalidValueError, "^published: expected an aware"),  # noqa: DTZ001
        ({"archived": "2024"}, InvalidTypeError, "^archived: expected an aware datetime"),
        (
            {"subkind": "段子"},
            InvalidValueError,
            r"^subkind: expected a subkind of 'educational' \('joke' belongs to 'entertainment'\), got 'joke'$",
        ),
        ({"kind": "educatonal"}, UnknownLabelError, "^kind: .*did you mean 'educational'"),
        ({"subkind": "jok"}, UnknownLabelError, "^subkind: .*did you mean 'joke'"),
        ({"format": "gif"}, UnknownLabelError, "^format: expected code, zh or en of one of the 8 ContentFormat"),
        ({"surface": 3}, InvalidTypeError, "^surface: expected a str"),
        ({"id": ""}, InvalidValueError, "^id: expected a non-empty str or an int"),
        ({"author": 1.5}, InvalidTypeError, "^author: expected a non-empty str or an int"),
        ({"topics": "tea"}, InvalidTypeError, "^topics: expected a set of labels, got 'tea'$"),
        ({"topics": ["tea", 3]}, InvalidTypeError, r"topics.*: expected labels that are all str or all int"),
        ({"tags": [""]}, InvalidValueError, "^tags: expected labels that are not empty"),
        ({"quality": 1.01}, InvalidValueError, r"^quality: expected a number in \[0, 1\], got 1.01$"),
        ({"quality": float("nan")}, InvalidValueError, "^quality: expected a number in"),
        ({"chars": -1}, InvalidValueError, "^chars: expected 0 or more, got -1$"),
        ({"chars": 1.0}, InvalidTypeError, "^chars: expected an integer, got 1.0$"),
        ({"seconds": -0.5}, InvalidValueError, "^seconds: expected a finite number of 0 or more"),
        ({"width": 0, "height": 1}, InvalidValueError, "^width: expected 1 or more, got 0$"),
        ({"width": 1}, InvalidValueError, "^height: expected a number of pixels, as for width, got None$"),
        ({"height": 1}, InvalidValueError, "^width: expected a number of pixels, as for height, got None$"),
    ],
)
def test_what_an_item_cannot_say_is_refused(fields, error, says):
    with pytest.raises(error, match=says):
        item(**fields)


def test_names_in_any_language_and_sets_in_any_order_come_out_the_same():
    one = item(
        kind="教育性", subkind="usage tip", format="短视频", surface="群内分享", topics={"tea", "cups"}, tags=[2, 1, 2]
    )
    assert (one.kind, one.subkind) == (ContentKind.EDUCATIONAL, ContentSubkind.USAGE_TIP)
    assert (one.format, one.surface) == (ContentFormat.SHORT_VIDEO, Surface.GROUP_CHAT)
    assert (one.topics, one.tags) == (("cups", "tea"), (1, 2))
    assert item(topics=np.array(["b", "a"])).topics == ("a", "b")


def test_an_item_stands_in_sets_by_its_id_and_evolves():
    one = item(published=POSTED)
    later = attrs.evolve(one, published=POSTED + timedelta(days=1))
    assert {one, later, item(id="c2")} == {one, item(id="c2")}
    assert later.published == POSTED + timedelta(days=1)
    assert one.__eq__("c1") is NotImplemented


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301
def test_a_copied_item_says_the_same(duplicate):
    one = item(subkind="life_hack", topics={"tea"}, width=3, height=4)
    assert repr(duplicate(one)) == repr(one)


# --- what a platform allows ---

LIMITED = Platform(
    id="limited",
    formats={"image", "video"},
    max_chars=100,
    max_seconds=60,
    min_aspect=9 / 16,
    max_aspect=16 / 9,
    max_pixels=1920 * 1080,
)


def codes(platform=LIMITED, **fields):
    return [violation.code for violation in item(**fields).violations(platform)]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"chars": 99}, None),
        ({"chars": 100}, None),
        ({"chars": 101}, ContentViolation.TOO_MANY_CHARS),
        ({"seconds": 59.9}, None),
        ({"seconds": 60}, None),
        ({"seconds": 60.1}, ContentViolation.TOO_LONG),
        ({"width": 1080, "height": 1919}, None),
        ({"width": 1080, "height": 1920}, None),
        ({"width": 1079, "height": 1920}, ContentViolation.TOO_NARROW),
        ({"width": 1600, "height": 901}, None),
        ({"width": 1600, "height": 900}, None),
        ({"width": 1600, "height": 899}, ContentViolation.TOO_WIDE),
        ({"width": 1500, "height": 1382}, None),
        ({"width": 1440, "height": 1440}, None),
        ({"width": 1440, "height": 1441}, ContentViolation.TOO_MANY_PIXELS),
        ({"format": "video"}, None),
        ({"format": "voice"}, ContentViolation.FORMAT),
    ],
)
def test_a_limit_is_broken_from_just_beyond_it(fields, code):
    assert codes(**fields) == ([] if code is None else [code])


@pytest.mark.parametrize(("width", "height"), [(9, 16), (1080, 1920), (333, 592), (27, 48)])
def test_a_ratio_that_is_the_limit_itself_is_allowed_whatever_the_size(width, height):
    exact = Platform(id="exact", min_aspect=9 / 16, max_aspect=9 / 16)
    assert bool(codes(exact, width=width, height=height)) is (Fraction(width, height) != Fraction(9, 16))


def test_all_that_is_wrong_is_told_in_both_languages():
    found = item(format="voice", chars=1_234, seconds=75, width=4_000, height=1_000).violations(LIMITED)
    assert [(violation.zh, violation.en) for violation in found] == [
        ("形式为语音，支持：图片、视频", "voice, where there may be: image, video"),
        ("1,234 字，上限 100 字", "1,234 characters, at most 100"),
        ("时长 75 秒，上限 60 秒", "75 s, at most 60 s"),
        ("宽高比 4，上限 1.778", "width ÷ height is 4, at most 1.778"),
        ("4,000,000 像素，上限 2,073,600 像素", "4,000,000 pixels, at most 2,073,600"),
    ]
    assert [violation.value for violation in found] == [ContentFormat.VOICE, 1_234, 75.0, 4.0, 4_000_000]
    assert found[0].limit == (ContentFormat.IMAGE, ContentFormat.VIDEO)
    narrow = item(width=1, height=4).violations(LIMITED)
    assert [violation.en for violation in narrow] == ["width ÷ height is 0.25, at least 0.5625"]


def test_what_an_item_does_not_say_breaks_no_limit():
    assert item().violations(LIMITED) == ()


@pytest.mark.parametrize("platform", [WECHAT_GROUP, QQ_GROUP, WEIBO])
def test_no_limit_on_content_is_invented_for_a_platform(platform):
    everything = item(format="live", chars=10**6, seconds=10**6, width=10**5, height=1)
    assert everything.violations(platform) == ()


def test_an_item_is_held_against_a_platform_only():
    with pytest.raises(InvalidTypeError, match=r"^platform: expected a Platform, such as WECHAT_GROUP, got 'weibo'$"):
        item().violations("weibo")


@pytest.mark.parametrize(
    ("limits", "error", "says"),
    [
        ({"formats": []}, InvalidValueError, "^formats: expected at least one ContentFormat"),
        ({"formats": ["image", "gif"]}, UnknownLabelError, r"^formats\[1\]: expected code, zh or en"),
        ({"formats": "image"}, InvalidTypeError, "^formats: expected a collection of ContentFormat, got 'image'$"),
        ({"max_chars": 0}, InvalidValueError, "^max_chars: expected 1 or more, or None, got 0$"),
        ({"max_chars": "many"}, InvalidTypeError, "^max_chars: expected an integer"),
        ({"max_seconds": 0}, InvalidValueError, "^max_seconds: expected a finite number above 0, got 0$"),
        ({"min_aspect": 0}, InvalidValueError, "^min_aspect: expected a finite number above 0"),
        ({"max_aspect": float("inf")}, InvalidValueError, "^max_aspect: expected a finite number above 0"),
        ({"max_pixels": -1}, InvalidValueError, "^max_pixels: expected 1 or more, or None, got -1$"),
        ({"min_aspect": 2, "max_aspect": 1}, InvalidValueError, r"^min_aspect: expected at most max_aspect \(1\)"),
    ],
)
def test_limits_that_cannot_be_are_refused(limits, error, says):
    with pytest.raises(error, match=says):
        Platform(id="p", **limits)


def test_a_limit_of_the_day_is_set_on_a_platform_that_is_given():
    tightened = attrs.evolve(WECHAT_GROUP, max_seconds=60, source="operator's own rule")
    assert tightened == WECHAT_GROUP
    assert codes(tightened, seconds=61) == [ContentViolation.TOO_LONG]


@pytest.mark.parametrize("name", ["width", "height"])
def test_a_picture_is_no_larger_than_its_aspect_can_tell(name):
    size = {"width": 1, "height": 1, name: 10**400}
    with pytest.raises(InvalidValueError, match=f"^{name}: expected at most 2,147,483,647 pixels"):
        ContentItem(id=1, kind="interactive", created=CREATED, **size)
