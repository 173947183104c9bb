"""What is a campaign about, how do people take part, what can they get, and how far along is it?"""

from __future__ import annotations

from shequn.entities.taxonomies import Taxonomy

__all__ = ["CampaignStatus", "CampaignTheme", "InteractionForm", "RewardKind"]


class CampaignTheme(Taxonomy):
    """What a campaign is about (活动主题).

    References
    ----------
    S3 §4.1, row T13 of the domain table.

    Examples
    --------
    >>> [theme.zh for theme in CampaignTheme]
    ['节日庆祝', '新品发布', '用户故事分享']
    """

    FESTIVAL = "festival", "节日庆祝", "festival"
    NEW_PRODUCT = "new_product", "新品发布", "new product"
    USER_STORIES = "user_stories", "用户故事分享", "user stories"


class InteractionForm(Taxonomy):
    """How people take part (互动形式).

    References
    ----------
    S0, S2 and S3, row T6 of the domain table.

    Examples
    --------
    >>> InteractionForm.from_label("沙龙")
    <InteractionForm.OFFLINE_MEETUP: 'offline_meetup'>
    """

    QA = "qa", "问答", "questions and answers"
    EVENT = "event", "活动", "event"
    LOTTERY = "lottery", "抽奖", "lottery"
    POLL = "poll", "投票", "poll"
    TOPIC = "topic", "话题讨论", "topic discussion"
    CHALLENGE = "challenge", "挑战", "challenge", "挑战赛"
    CONTEST = "contest", "竞赛", "contest"
    OFFLINE_MEETUP = "offline_meetup", "线下聚会", "offline meetup", "见面会", "沙龙"
    LIVE = "live", "直播互动", "live stream"
    CHECK_IN = "check_in", "打卡", "check in"
    STORY_SHARING = "story_sharing", "用户故事分享", "story sharing"
    FLASH_SALE = "flash_sale", "限时优惠", "flash sale"


class RewardKind(Taxonomy):
    """What people can get (奖励类型).

    References
    ----------
    S3 §5.3, §4.1 and S0, row T10 of the domain table.

    Examples
    --------
    >>> RewardKind.from_label("赠品")
    <RewardKind.GIFT: 'gift'>
    """

    POINTS = "points", "积分", "points"
    COUPON = "coupon", "优惠券", "coupon"
    GIFT = "gift", "礼品", "gift", "赠品"
    DISCOUNT = "discount", "折扣", "discount"
    MEMBER_BENEFIT = "member_benefit", "会员专属优惠", "member benefit", "会员专属服务", "会员专属活动"
    PRIZE = "prize", "奖品", "prize"


class CampaignStatus(Taxonomy):
    """How far along a campaign is (活动状态); computed by `Campaign.status`, never stored.

    References
    ----------
    S3 §4.1, row I1 of the domain table.

    Examples
    --------
    >>> [status.zh for status in CampaignStatus]
    ['未开始', '进行中', '已结束', '已取消']
    """

    SCHEDULED = "scheduled", "未开始", "scheduled"
    RUNNING = "running", "进行中", "running"
    ENDED = "ended", "已结束", "ended"
    CANCELLED = "cancelled", "已取消", "cancelled"
