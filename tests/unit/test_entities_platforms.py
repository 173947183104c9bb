from __future__ import annotations

import pickle
from datetime import UTC, date, datetime

import attrs
import numpy as np
import pytest

from shequn.entities import (
    QQ_GROUP,
    WECHAT_CAP_STEPS,
    WECHAT_GROUP,
    WEIBO,
    Openness,
    Platform,
    PlatformBreadth,
    wechat_group,
)
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError
from shequn.values import Dated

TO_200, TO_500 = date(2012, 5, 1), date(2013, 8, 1)


def test_the_cap_of_a_wechat_group_went_from_40_to_200_to_500():
    assert WECHAT_CAP_STEPS == (40, 200, 500)


@pytest.mark.parametrize("on", [date(2011, 1, 21), date(2025, 1, 1)])
def test_without_dates_the_latest_cap_of_a_wechat_group_holds(on):
    assert WECHAT_GROUP.cap_at(on) == 500


@pytest.mark.parametrize(
    ("on", "cap"),
    [
        (date.min, 40),
        (date(2012, 4, 30), 40),
        (TO_200, 200),
        (date(2013, 7, 31), 200),
        (TO_500, 500),
        (date.max, 500),
    ],
)
def test_with_the_callers_dates_each_cap_holds_from_its_first_day(on, cap):
    assert wechat_group(dates=(TO_200, TO_500)).cap_at(on) == cap


def test_a_wechat_group_with_dates_is_still_a_wechat_group():
    dated = wechat_group(dates=(TO_200, TO_500))
    assert dated == WECHAT_GROUP
    assert (dated.zh, dated.source) == ("微信群", WECHAT_GROUP.source)
    assert WECHAT_GROUP.cap_at(TO_200) == 500


@pytest.mark.parametrize(
    ("dates", "error", "says"),
    [
        ((), InvalidValueError, r"^dates: expected the first days of the caps of 200 and of 500, got \(\)$"),
        ((TO_200,), InvalidValueError, r"^dates: expected the first days of the caps of 200 and of 500, got \(dat"),
        ((None, TO_500), InvalidTypeError, r"^dates: expected two dates, got \(None, "),
        ((TO_500, TO_200), InvalidValueError, "expected a date after 2013-08-01"),
        ((TO_200, datetime(2013, 8, 1, tzinfo=UTC)), InvalidTypeError, "expected a date without a time of day"),
        (("2012", "2013"), InvalidTypeError, "expected a date without a time of day, got '2012'"),
        (3, InvalidTypeError, r"^dates: expected two dates, got 3$"),
    ],
)
def test_dates_of_a_wechat_group_that_cannot_be_used_are_refused(dates, error, says):
    with pytest.raises(error, match=says):
        wechat_group(dates=dates)


def test_a_qq_group_takes_two_thousand():
    assert QQ_GROUP.cap_at(date(2025, 1, 1)) == 2_000


def test_wechat_is_a_private_circle_and_weibo_public_and_without_a_cap():
    assert (WECHAT_GROUP.openness, WEIBO.openness) == (Openness.PRIVATE, Openness.PUBLIC)
    assert WEIBO.cap_at(date(2025, 1, 1)) is None


@pytest.mark.parametrize("platform", [WECHAT_GROUP, QQ_GROUP, WEIBO])
def test_a_platform_that_comes_with_the_library_says_where_its_figures_are_from(platform):
    assert platform.source.startswith("S1")
    assert platform.breadth is PlatformBreadth.MASS


@pytest.mark.parametrize("caps", [300, np.int64(300), {None: 300}, Dated.always(300), {date(2020, 1, 1): 300}])
def test_a_platform_of_ones_own_takes_its_caps_in_any_form(caps):
    own = Platform(id="own", breadth="小众", openness="public", caps=caps)
    assert own.cap_at(date(2025, 1, 1)) == 300
    assert type(own.cap_at(date(2025, 1, 1))) is int
    assert (own.breadth, own.openness) == (PlatformBreadth.NICHE, Openness.PUBLIC)
    assert (own.zh, own.en, own.source) == ("own", "own", None)


def test_before_the_first_known_cap_there_is_no_answer():
    own = Platform(id="own", caps={date(2020, 1, 1): 300})
    with pytest.raises(UnknownLabelError, match="on: expected a date from 2020-01-01 on, got '2019-12-31'"):
        own.cap_at(date(2019, 12, 31))


@pytest.mark.parametrize("duplicate", [attrs.evolve, lambda p: pickle.loads(pickle.dumps(p))])  # noqa: S301
def test_a_copy_says_the_same(duplicate):
    dated = wechat_group(dates=(TO_200, TO_500))
    assert duplicate(dated) == dated
    assert repr(duplicate(dated)) == repr(dated)


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"id": ""}, InvalidValueError, "^id: expected a non-empty str or an int, got ''$"),
        ({"zh": ""}, InvalidValueError, "^zh: expected a non-empty str, got ''$"),
        ({"en": 3}, InvalidTypeError, "^en: expected a non-empty str, got 3$"),
        ({"breadth": "huge"}, UnknownLabelError, "^breadth: expected code, zh or en of one of the 2 PlatformBreadth"),
        ({"openness": "open"}, UnknownLabelError, "^openness: expected code, zh or en of one of the 2 Openness"),
        ({"caps": 0}, InvalidValueError, "^caps: expected caps of 1 member or more, got 0$"),
        (
            {"caps": {None: 5, date(2020, 1, 1): -1}},
            InvalidValueError,
            "^caps: expected caps of 1 member or more, got -1$",
        ),
        ({"caps": 40.0}, InvalidTypeError, "^caps: expected an integer, got 40.0$"),
        ({"caps": "40"}, InvalidTypeError, "^caps: expected an integer, got '40'$"),
        ({"caps": {}}, InvalidValueError, r"at least one \(date, value\) pair"),
        ({"source": ""}, InvalidValueError, "^source: expected a non-empty str, got ''$"),
    ],
)
def test_a_field_that_cannot_be_used_is_named_with_what_was_expected_and_what_came(changes, error, says):
    with pytest.raises(error, match=says):
        Platform(**{"id": "own", **changes})
