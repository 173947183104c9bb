"""What are the closed lists of words that records use, with a stable code, a Chinese and an English name each?"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from shequn.errors import InvalidTypeError, UnknownLabelError, message, suggest

if TYPE_CHECKING:
    from typing import Self

__all__ = ["PASSIVE_KINDS", "CommunityType", "EventKind", "MemberRole", "Openness", "PlatformBreadth", "Taxonomy"]


_FEW = 8  # values that a message lists


class Taxonomy(StrEnum):
    """Base of the taxonomies: each value is its code, a `str`, and knows its names.

    Examples
    --------
    >>> [role.zh for role in MemberRole][:2]
    ['群主', '管理员']
    """

    zh: str
    en: str
    aliases: tuple[str, ...]

    def __new__(cls, code: str, zh: str, en: str, *aliases: str) -> Self:
        """Make the member `code` with its Chinese name, its English name and other names it is known by."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.zh = zh
        member.en = en
        member.aliases = aliases
        return member

    @classmethod
    def from_label(cls, label: str, /, *, argument: str = "label") -> Self:
        """Return the value that a text names.

        Parameters
        ----------
        label : str
            Its code, its Chinese or English name, or another name of it, in upper or lower case.
        argument : str, default "label"
            Name that errors use.

        Returns
        -------
        Taxonomy
            The value, of the class this is called on.

        Raises
        ------
        UnknownLabelError
            Nothing is called so; the message suggests the closest name.
        InvalidTypeError
            `label` is not a `str`.

        Examples
        --------
        >>> EventKind.from_label("打卡"), EventKind.from_label("Check in")
        (<EventKind.CHECK_IN: 'check_in'>, <EventKind.CHECK_IN: 'check_in'>)
        """
        if isinstance(label, cls):
            return label
        if not isinstance(label, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message(argument, f"a str, the code or name of one {cls.__name__}", label))
        names = {name.casefold(): value for value in cls for name in (value.value, value.zh, value.en, *value.aliases)}
        wanted = label.strip().casefold()
        if wanted not in names:
            expected = f"code, zh or en of one of the {len(cls)} {cls.__name__} values"
            if len(cls) <= _FEW:
                expected += f" ({', '.join(cls)})"
            raise UnknownLabelError(message(argument, expected, label) + suggest(wanted, names))
        return names[wanted]


class EventKind(Taxonomy):
    """The usual kinds of event; a kind is an open string, and these are the ones that defaults know.

    References
    ----------
    S3 §3.4, §4.2, §6.2, row T7 of the domain table.

    Examples
    --------
    >>> EventKind.CHECK_IN == "check_in", EventKind.CHECK_IN.zh, EventKind.CHECK_IN.en
    (True, '打卡', 'check in')
    >>> EventKind.from_label("评论")
    <EventKind.REPLY: 'reply'>
    """

    APPLY = "apply", "申请", "apply"
    JOIN = "join", "入群", "join"
    LEAVE = "leave", "退群", "leave"
    REMOVE = "remove", "移出", "remove"
    POST = "post", "发帖", "post"
    REPLY = "reply", "回复", "reply", "评论", "comment"
    LIKE = "like", "点赞", "like"
    REPOST = "repost", "转发", "repost", "分享", "share"
    READ = "read", "阅读", "read"
    ASK = "ask", "提问", "ask"
    CLICK = "click", "点击", "click"
    CHECK_IN = "check_in", "打卡", "check in"
    INVITE = "invite", "邀请", "invite"
    MUTE = "mute", "屏蔽", "mute"
    PURCHASE = "purchase", "购买", "purchase"
    REDEEM = "redeem", "兑换", "redeem"
    RECEIVE = "receive", "触达", "receive"
    ROLE = "role", "变更角色", "change of role"


PASSIVE_KINDS: frozenset[str] = frozenset(
    {EventKind.APPLY, EventKind.RECEIVE, EventKind.LEAVE, EventKind.REMOVE, EventKind.MUTE, EventKind.ROLE}
)
"""Kinds that are no activity: apply 申请, receive 触达, leave 退群, remove 移出, mute 屏蔽, role 变更角色."""


class MemberRole(Taxonomy):
    """What a member is in one group (角色); the same person may be another in the next group.

    References
    ----------
    S1 §三(三)–(五), §四; S3 §3.5, row T24 of the domain table.

    Examples
    --------
    >>> MemberRole.from_label("群主")
    <MemberRole.OWNER: 'owner'>
    """

    OWNER = "owner", "群主", "owner"
    ADMIN = "admin", "管理员", "administrator"
    ASSISTANT = "assistant", "群主助理", "owner's assistant"
    STAFF = "staff", "官方", "staff"
    EXPERT = "expert", "牛人", "expert"
    KOL = "kol", "意见领袖", "opinion leader"
    MEMBER = "member", "群友", "member"
    BOT = "bot", "机器人", "bot"


class CommunityType(Taxonomy):
    """What holds a community together: the eight types of communities (八类社群).

    References
    ----------
    S1 §一, row T1 of the domain table.

    Examples
    --------
    >>> CommunityType.from_label("社团型").zh
    '兴趣型'
    """

    BRAND = "brand", "品牌型", "brand"
    TOOL = "tool", "工具型", "tool"
    PRODUCT = "product", "产品型", "product"
    KNOWLEDGE = "knowledge", "知识型", "knowledge"
    INTEREST = "interest", "兴趣型", "interest", "社团型"
    BELIEF = "belief", "信仰型", "belief"
    CORPORATE = "corporate", "公司型", "corporate"
    GENERAL_SOCIAL = "general_social", "泛社交型", "general social"


class PlatformBreadth(Taxonomy):
    """Whether a platform is for everybody (大众) or for a niche (小众).

    References
    ----------
    S0–S3, row T11 of the domain table.

    Examples
    --------
    >>> PlatformBreadth.from_label("小众")
    <PlatformBreadth.NICHE: 'niche'>
    """

    MASS = "mass", "大众", "mass"
    NICHE = "niche", "小众", "niche"


class Openness(Taxonomy):
    """Who sees what is posted on a platform: a private circle (私密圈子) or the public (公开圈子).

    References
    ----------
    S1: 微信 is a private circle, 微博 a public one; row T11 of the domain table.

    Examples
    --------
    >>> Openness.PRIVATE.zh
    '私密圈子'
    """

    PRIVATE = "private", "私密圈子", "private circle"
    PUBLIC = "public", "公开圈子", "public circle"
