from __future__ import annotations

import json
import math
import pickle
from datetime import UTC, date, datetime

import attrs
import numpy as np
import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.campaigns import review_designs
from shequn.columns import Roster
from shequn.entities import Campaign, CampaignTheme, Reward
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.stats import wilson
from shequn.values import Money, Window

SHANGHAI = "Asia/Shanghai"
OPENS = pendulum.datetime(2024, 9, 10, 20, tz=SHANGHAI)
TASTES = [["tea"], ["tea", "cakes"], ["hiking"], [], None]
ROSTER = Roster.from_columns(member=list("abcde"), tags={"interests": TASTES})


def yuan(amount):
    return Money.of(amount, "CNY")


def plan(number=1, *, opens=OPENS, **fields):
    return Campaign(**{"id": number, "forms": {"lottery"}, "window": Window(opens, opens.add(days=7)), **fields})


def review(*plans, **options):
    return review_designs(plans, ROSTER, **options)


# --- fit ---


@pytest.mark.parametrize(
    ("topics", "touched"), [({"tea"}, 2), ({"tea", "cakes"}, 2), ({"cakes", "hiking"}, 2), ({"chess"}, 0), ({1}, 0)]
)
def test_a_campaign_touches_those_who_carry_one_of_its_topics(topics, touched):
    result = review(plan(topics=topics))
    assert result.touched.tolist() == [touched]
    assert result.fit.tolist() == [touched / 5]
    lower, upper = result.fit_interval
    assert (lower[0], upper[0]) == tuple(end.item() for end in wilson(touched, 5))


def test_the_topics_of_its_theme_count_besides_its_own():
    one, other = plan(1, theme="festival", topics={"hiking"}), plan(2, theme="new_product")
    result = review(one, other, theme_topics={"节日庆祝": ["cakes"], CampaignTheme.NEW_PRODUCT: {"tea"}})
    assert result.touched.tolist() == [2, 2]


def test_a_campaign_without_topics_has_no_fit_and_one_that_nobody_likes_a_fit_of_zero():
    result = review(plan(1), plan(2, topics={"chess"}))
    assert np.isnan(result.fit).tolist() == [True, False]
    assert np.isnan(result.fit_interval[1]).tolist() == [True, False]


def test_members_without_tags_are_in_the_audience_and_told_of():
    assert review(plan()).n_untagged == 2
    assert review(plan(topics={"tea"}), tags=None).has_topics.tolist() == [False]
    assert review(plan(), tags=None).n_untagged == 5


def test_an_audience_of_nobody_has_no_fit():
    nobody = Roster.from_columns(member=[], tags={"interests": []})
    assert np.isnan(review_designs([plan(topics={"tea"})], nobody).fit).all()


# --- rewards ---


def test_nobody_gets_two_of_one_reward():
    coupons = Reward(kind="coupon", cost=yuan(1), value=yuan(5), quantity=200)
    phone = Reward(kind="prize", cost=yuan(4_000), quantity=1)
    result = review(plan(rewards=[coupons, phone]), participants=100, reference=yuan(90))
    assert result.for_each.tolist() == [45.0]
    assert result.adequacy.tolist() == [0.5]


def test_a_reward_worth_nothing_is_worth_nothing_whatever_it_costs():
    result = review(plan(rewards=[Reward(kind="gift", cost=yuan(9), value=yuan(0))]), participants=3)
    assert result.for_each.tolist() == [0]
    assert result.adequacy.tolist() == pytest.approx([math.nan], nan_ok=True)


def test_without_participants_nobody_knows_and_without_rewards_there_is_nothing():
    assert np.isnan(review(plan(rewards=[Reward(kind="gift", cost=yuan(9))])).for_each).all()
    assert review(plan(), participants=3).for_each.tolist() == [0]
    assert review(plan(1), plan(2, budget=yuan(9)), participants={1: 5, 2: 7}).for_each.tolist() == [0, 0]


def test_amounts_are_in_major_units_of_their_currency():
    yen = plan(rewards=[Reward(kind="gift", cost=Money(300, "JPY"), quantity=2)])
    assert review(yen, participants=4).for_each.tolist() == [150]


# --- forms ---


def test_each_campaign_counts_one_among_the_forms_in_equal_parts():
    result = review(plan(1, forms={"lottery", "check_in"}), plan(2), plan(3), plan(4))
    assert result.n_forms.tolist() == [2, 1, 1, 1]
    assert result.forms.shares["lottery"] == 0.875
    assert result.effective_forms == pytest.approx(math.exp(-0.875 * math.log(0.875) - 0.125 * math.log(0.125)))
    assert math.isnan(review().effective_forms)


# --- festivals ---


@pytest.mark.parametrize(
    ("days", "name", "in_days"),
    [
        ([9], None, math.nan),
        ([10], "f10", 0),
        ([9, 11, 17], "f11", 1),
        ([30, 17], "f17", 7),
    ],
)
def test_the_next_festival_is_the_first_on_the_first_day_or_later(days, name, in_days):
    result = review(plan(), festivals={date(2024, 9, day): f"f{day}" for day in days}, tz=SHANGHAI)
    assert result.festivals == (name,)
    assert result.in_days.tolist() == pytest.approx([in_days], nan_ok=True)


@pytest.mark.parametrize(("tz", "in_days"), [(SHANGHAI, 0), ("UTC", 1), ("America/New_York", 1)])
def test_the_first_day_is_that_of_the_zone(tz, in_days):
    midnight = pendulum.datetime(2024, 9, 10, tz=SHANGHAI)
    result = review(plan(opens=midnight), festivals={date(2024, 9, 10): "f"}, tz=tz)
    assert result.in_days.tolist() == [in_days]


# --- the table ---


def test_the_table_shows_what_is_known_only_in_both_languages():
    bare = review(plan())
    assert str(bare).splitlines() == [
        "campaign  forms",
        "───────────────",
        "1             1",
        "Audience: 5 members, 2 without tags.",
        "Forms over all campaigns: 1.0 effective of 12.",
    ]
    full = review(
        plan(topics={"tea"}, rewards=[Reward(kind="gift", cost=yuan(9))]),
        participants=3, reference=yuan(1), festivals={date(2024, 9, 17): "中秋"}, tz=SHANGHAI,
    )  # fmt: skip
    assert full.table(lang="zh").splitlines()[0].split() == [
        "活动", "触及人数", "契合度", "下限", "上限", "形式数", "人均奖励", "奖励充足度", "节日", "距节日（天）"
    ]  # fmt: skip
    assert "受众：5 人，其中 2 人没有标签。" in full.table(lang="zh")
    json.dumps(full.to_dict(), allow_nan=False)
    assert full.last().festival == "中秋"
    assert str(pickle.loads(pickle.dumps(full))) == str(full)  # noqa: S301
    assert "Forms" not in str(review())


# --- bad input ---


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"tags": "interest"}, UnknownLabelError, r"^tags: expected a name of the roster's tags.*mean 'interests'"),
        ({"theme_topics": {"feast": ["tea"]}}, UnknownLabelError, r"^theme_topics: expected code, zh or en"),
        ({"theme_topics": {"festival": "tea"}}, InvalidTypeError, r"^theme_topics\['festival'\]: expected a set"),
        ({"theme_topics": ["tea"]}, InvalidTypeError, r"^theme_topics: expected a mapping"),
        ({"participants": 0}, InvalidValueError, r"^participants: expected 1 or more, got 0$"),
        ({"participants": {1: 0}}, InvalidValueError, r"^participants\[1\]: expected 1 or more, got 0$"),
        ({"participants": {2: 5}}, UnknownLabelError, r"^participants: expected a number for each campaign, got 'none"),
        ({"participants": 2.5}, InvalidTypeError, r"^participants: expected an integer"),
        ({"reference": yuan(0)}, InvalidValueError, r"^reference: expected an amount above 0, got '0.00 CNY'$"),
        ({"reference": 5}, InvalidTypeError, r"^reference: expected Money or None, got 5$"),
        ({"reference": Money.of(1, "USD")}, InvalidValueError, r"^campaigns: expected .* in USD, got 'CNY' at row 0$"),
        ({"festivals": {date(2024, 9, 17): "中秋"}}, InvalidTypeError, r"^tz: expected the zone whose days"),
        (
            {"festivals": {datetime(2024, 9, 17, tzinfo=UTC): "f"}, "tz": "UTC"},
            InvalidTypeError,
            r"^festivals: expected d",
        ),
        (
            {"festivals": {date(2024, 9, 17): 3}, "tz": "UTC"},
            InvalidTypeError,
            r"^festivals\[2024-09-17\]: expected the",
        ),
        ({"festivals": ["中秋"], "tz": "UTC"}, InvalidTypeError, r"^festivals: expected a mapping of date"),
        ({"level": 0}, InvalidValueError, r"^level: expected"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, error, says):
    with pytest.raises(error, match=says):
        review(plan(budget=yuan(5)), **options)


@pytest.mark.parametrize(
    ("plans", "error", "says"),
    [
        ([plan(1), plan(1)], InvalidValueError, r"^campaigns: expected each campaign once, got 1 at row 1$"),
        (["mid-autumn"], InvalidTypeError, r"^campaigns: expected Campaign records, got 'mid-autumn' at row 0$"),
        (
            [plan(1, budget=yuan(1)), plan(2), plan(3, budget=Money.of(1, "USD"))],
            InvalidValueError,
            r"^campaigns: expected rewards and budgets in CNY, got 'USD' at row 2$",
        ),
    ],
)
def test_plans_that_cannot_be_read_together_are_refused(plans, error, says):
    with pytest.raises(error, match=says):
        review(*plans)


def test_the_audience_is_a_roster():
    with pytest.raises(InvalidTypeError, match=r"^roster: expected a Roster, got \['a'\]$"):
        review_designs([plan()], ["a"])


# --- the definition, member by member ---

tastes = st.lists(st.sets(st.sampled_from("abcd")), min_size=1, max_size=8)


@given(tastes, st.lists(st.sets(st.sampled_from("abcde")), max_size=4), st.sets(st.sampled_from("abcd")))
def test_the_fit_is_that_of_asking_each_member(interests, topics, of_theme):
    roster = Roster.from_columns(member=list(range(len(interests))), tags={"interests": interests})
    plans = [plan(n, topics=of, theme="festival" if n % 2 else None) for n, of in enumerate(topics)]
    result = review_designs(plans, roster, theme_topics={"festival": of_theme})
    for one, touched in zip(plans, result.touched, strict=True):
        spoken_to = {*one.topics, *(of_theme if one.theme else ())}
        assert touched == sum(bool(spoken_to & has) for has in interests)


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"campaigns": None}, InvalidTypeError, "^campaigns: expected ids of campaigns"),
        ({"n_untagged": "2"}, InvalidTypeError, "^n_untagged: "),
        ({"n_audience": 2**63}, InvalidValueError, "^n_audience: expected a number of members"),
        ({"has_topics": []}, (InvalidTypeError, MisalignedError), "^has_topics: expected"),
        ({"has_topics": [True, False]}, MisalignedError, "^has_topics: expected one for each of 1 campaign"),
        ({"forms": True}, InvalidTypeError, "^forms: expected a Mix or None"),
        ({"reference": 0}, InvalidValueError, "^reference: "),
        ({"for_each": "9"}, InvalidTypeError, "^for_each: "),
        ({"festivals": None}, InvalidTypeError, "^festivals: expected names of festivals"),
    ],
)
def test_a_review_that_contradicts_itself_is_refused(changes, error, says):
    with pytest.raises(error, match=says):
        attrs.evolve(review(plan()), **changes)


def test_tags_are_named_by_a_str():
    with pytest.raises(InvalidTypeError, match=r"^tags: expected a str or None"):
        review(plan(), tags=[])
