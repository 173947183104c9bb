from __future__ import annotations

import copy
import pickle
from datetime import datetime, timedelta

import attrs
import pendulum
import pytest

from shequn.entities import (
    WECHAT_GROUP,
    WEIBO,
    Campaign,
    CampaignStatus,
    CampaignTheme,
    Goal,
    InteractionForm,
    Reward,
    RewardKind,
)
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError
from shequn.values import Money, Window

OPENS = pendulum.datetime(2024, 9, 10, 20, tz="Asia/Shanghai")
CLOSES = OPENS.add(days=7)
TICK = timedelta(microseconds=1)


def yuan(amount):
    return Money.of(amount, "CNY")


def campaign(**fields):
    return Campaign(**{"id": "mid-autumn", "forms": {"lottery"}, "window": Window(OPENS, CLOSES), **fields})


PHONE = Reward(kind="prize", cost=yuan(3_999), quantity=1, name="手机")
COUPON = Reward(kind="coupon", cost=yuan("0.01"), quantity=3)


def test_the_forms_rewards_and_themes_are_those_of_the_domain():
    forms = "问答 活动 抽奖 投票 话题讨论 挑战 竞赛 线下聚会 直播互动 打卡 用户故事分享 限时优惠"
    assert [form.zh for form in InteractionForm] == forms.split()
    assert [kind.zh for kind in RewardKind] == ["积分", "优惠券", "礼品", "折扣", "会员专属优惠", "奖品"]
    assert [theme.zh for theme in CampaignTheme] == ["节日庆祝", "新品发布", "用户故事分享"]


@pytest.mark.parametrize("taxonomy", [InteractionForm, RewardKind, CampaignTheme, CampaignStatus])
def test_no_two_values_share_a_name_and_each_is_found_by_all_of_its_own(taxonomy):
    names = [name for value in taxonomy for name in {value.value, value.zh, value.en, *value.aliases}]
    assert len(names) == len(set(names))
    assert all(taxonomy.from_label(name) is value for value in taxonomy for name in (value.zh, *value.aliases))


# --- rewards and goals ---


def test_the_worst_case_of_a_reward_is_that_all_are_claimed():
    assert Reward(kind="积分", cost=yuan("0.07"), quantity=3).worst_case() == yuan("0.21")
    assert Reward(kind="points", cost=yuan(0)).worst_case() == yuan(0)
    assert Reward(kind="points", cost=Money(10**30, "CNY"), quantity=10**9).worst_case().minor == 10**39


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"quantity": 0}, InvalidValueError, "^quantity: expected 1 or more, got 0$"),
        ({"quantity": 1.0}, InvalidTypeError, "^quantity: expected an integer, got 1.0$"),
        ({"cost": yuan(-1)}, InvalidValueError, "^cost: expected an amount of 0 or more, got '-1.00 CNY'$"),
        ({"cost": 5}, InvalidTypeError, r'^cost: expected Money, such as Money.of\("9.90", "CNY"\), got 5$'),
        ({"value": yuan(-1)}, InvalidValueError, "^value: expected an amount of 0 or more"),
        ({"value": Money.of(1, "USD")}, InvalidValueError, "^value: expected Money in CNY, as cost, got '1.00 USD'$"),
        ({"kind": "cupon"}, UnknownLabelError, "^kind: .*did you mean 'coupon'"),
        ({"name": " "}, InvalidValueError, "^name: expected a non-empty str"),
    ],
)
def test_a_reward_that_cannot_be_is_refused(fields, error, says):
    with pytest.raises(error, match=says):
        Reward(**{"kind": "coupon", "cost": yuan(5), **fields})


def test_rewards_and_goals_are_equal_by_what_they_say():
    assert Reward(kind="奖品", cost=yuan(3_999), name="手机") == PHONE
    assert len({PHONE, COUPON, attrs.evolve(PHONE)}) == 2
    assert Goal(kinds="purchase", target=5) == Goal(kinds=["purchase", "purchase"], target=5)
    assert repr(Goal(kinds={"redeem", "purchase"}, target=5)) == "Goal(kinds={'purchase', 'redeem'}, target=5)"
    assert len({Goal(kinds="purchase", target=5), Goal(kinds={"purchase"}, target=5)}) == 1


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"target": 0}, InvalidValueError, "^target: expected 1 member or more, got 0$"),
        ({"target": 0.2}, InvalidTypeError, "^target: expected an integer"),
        ({"kinds": ()}, InvalidValueError, "^kinds: expected at least one kind of event"),
        ({"kinds": {3}}, InvalidTypeError, "^kinds: expected a non-empty str, got 3$"),
        ({"kinds": 3}, InvalidTypeError, "^kinds: expected kinds of events, got 3$"),
    ],
)
def test_a_goal_that_cannot_be_is_refused(fields, error, says):
    with pytest.raises(error, match=says):
        Goal(**{"kinds": "purchase", "target": 1, **fields})


# --- money ---


def test_the_worst_case_may_be_the_budget_to_the_fen_and_not_one_more():
    rewards = [PHONE, COUPON]
    assert campaign(rewards=rewards, budget=yuan("3999.03")).worst_case() == yuan("3999.03")
    assert campaign(rewards=rewards, budget=yuan("3999.04")).worst_case() == yuan("3999.03")
    with pytest.raises(
        InvalidValueError,
        match=r"^rewards: expected a worst case of at most the budget of 3999.02 CNY, got '3999.03 CNY'$",
    ):
        campaign(rewards=rewards, budget=yuan("3999.02"))


def test_without_rewards_the_worst_case_is_nothing_in_the_currency_of_the_budget():
    assert campaign(budget=yuan(5)).worst_case() == yuan(0)
    assert campaign().worst_case() is None
    assert campaign().currency is None


def test_without_a_budget_the_worst_case_has_no_limit():
    assert campaign(rewards=[PHONE]).worst_case() == yuan(3_999)
    assert campaign(rewards=[PHONE]).currency == "CNY"


def test_a_reward_given_twice_counts_twice():
    assert campaign(rewards=[PHONE, PHONE]).worst_case() == yuan(7_998)


def test_two_currencies_are_refused_where_the_second_comes():
    dollars = Reward(kind="gift", cost=Money.of(1, "USD"))
    with pytest.raises(
        InvalidValueError, match=r"^rewards: expected costs in CNY, as the first reward, got '1.00 USD' at row 2$"
    ):
        campaign(rewards=[PHONE, COUPON, dollars])
    with pytest.raises(
        InvalidValueError, match=r"^rewards: expected costs in USD, as the budget, got '3999.00 CNY' at row 0$"
    ):
        campaign(rewards=[PHONE], budget=Money.of(10**6, "USD"))


# --- how far along it is ---


@pytest.mark.parametrize(
    ("as_of", "status"),
    [
        (OPENS - TICK, CampaignStatus.SCHEDULED),
        (OPENS, CampaignStatus.RUNNING),
        (CLOSES - TICK, CampaignStatus.RUNNING),
        (CLOSES, CampaignStatus.ENDED),
    ],
)
def test_a_campaign_is_scheduled_running_and_ended_in_turn(as_of, status):
    assert campaign().status(as_of) is status


@pytest.mark.parametrize("called_off", [OPENS.subtract(days=3), OPENS, CLOSES - TICK])
def test_a_campaign_is_cancelled_from_the_instant_it_is_called_off(called_off):
    one = campaign(cancelled=called_off)
    assert one.status(called_off - TICK) is campaign().status(called_off - TICK)
    assert one.status(called_off) is one.status(CLOSES) is CampaignStatus.CANCELLED


# --- what it may say ---


@pytest.mark.parametrize(
    ("fields", "error", "says"),
    [
        ({"forms": ()}, InvalidValueError, r"^forms: expected at least one InteractionForm, got \(\)$"),
        ({"forms": ["poll", "lotery"]}, UnknownLabelError, r"^forms\[1\]: .*did you mean 'lottery'"),
        ({"forms": "lottery"}, InvalidTypeError, "^forms: expected a collection of InteractionForm, got 'lottery'$"),
        ({"theme": "festivl"}, UnknownLabelError, "^theme: .*did you mean 'festival'"),
        ({"window": (OPENS, CLOSES)}, InvalidTypeError, "^window: expected a Window"),
        ({"platforms": ["weibo"]}, InvalidTypeError, "^platforms: expected a collection of Platform, got 'weibo' at"),
        ({"platforms": [WEIBO, WEIBO]}, InvalidValueError, "^platforms: expected each Platform once"),
        ({"rewards": [PHONE, yuan(3)]}, InvalidTypeError, "^rewards: expected Reward records, got Money.* at row 1$"),
        ({"rewards": PHONE}, InvalidTypeError, "^rewards: expected Reward records"),
        ({"budget": yuan(-1)}, InvalidValueError, "^budget: expected an amount of 0 or more"),
        ({"budget": 100}, InvalidTypeError, "^budget: expected Money"),
        ({"goal": 50}, InvalidTypeError, "^goal: expected a Goal or None, got 50$"),
        ({"cancelled": CLOSES}, InvalidValueError, "^cancelled: expected an instant before the end of window"),
        ({"cancelled": datetime(2024, 9, 11)}, InvalidValueError, "^cancelled: expected an aware"),  # noqa: DTZ001
        ({"id": None}, InvalidTypeError, "^id: expected a non-empty str or an int"),
        ({"community": ""}, InvalidValueError, "^community: expected a non-empty str or an int"),
        ({"topics": "tea"}, InvalidTypeError, "^topics: expected a set of labels"),
    ],
)
def test_what_a_campaign_cannot_say_is_refused(fields, error, says):
    with pytest.raises(error, match=says):
        campaign(**fields)


def test_names_in_any_language_and_sets_in_any_order_come_out_the_same():
    one = campaign(
        theme="节日庆祝", forms=["打卡", "lottery", "抽奖"], topics={"tea", "cakes"}, platforms=[WECHAT_GROUP]
    )
    assert one.theme is CampaignTheme.FESTIVAL
    assert one.forms == (InteractionForm.LOTTERY, InteractionForm.CHECK_IN)
    assert one.topics == ("cakes", "tea")


def test_a_campaign_stands_in_sets_by_its_id_and_evolves():
    one = campaign(rewards=[PHONE], goal=Goal(kinds="purchase", target=3))
    longer = attrs.evolve(one, window=Window(OPENS, CLOSES.add(days=1)))
    assert {one, longer, campaign(id=2)} == {one, campaign(id=2)}
    assert longer.goal == one.goal


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301
def test_a_copied_campaign_says_the_same(duplicate):
    one = campaign(rewards=[PHONE], budget=yuan(5_000), goal=Goal(kinds="purchase", target=3), platforms=[WEIBO])
    assert repr(duplicate(one)) == repr(one)
