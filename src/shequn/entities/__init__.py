"""The records: a community, its groups and members, what they do, the tiers they reach, and where it all happens."""

from shequn.entities.community import Community as Community
from shequn.entities.event import Event as Event
from shequn.entities.group import Group as Group
from shequn.entities.group import group_roots as group_roots
from shequn.entities.ladder import TierLadder as TierLadder
from shequn.entities.member import Account as Account
from shequn.entities.member import Member as Member
from shequn.entities.placement import Placement as Placement
from shequn.entities.platform import QQ_GROUP as QQ_GROUP
from shequn.entities.platform import WECHAT_CAP_STEPS as WECHAT_CAP_STEPS
from shequn.entities.platform import WECHAT_GROUP as WECHAT_GROUP
from shequn.entities.platform import WEIBO as WEIBO
from shequn.entities.platform import Platform as Platform
from shequn.entities.platform import wechat_group as wechat_group
from shequn.entities.size import OPTIMAL_SIZE as OPTIMAL_SIZE
from shequn.entities.size import SizeBand as SizeBand
from shequn.entities.size import pairs as pairs
from shequn.entities.taxonomies import PASSIVE_KINDS as PASSIVE_KINDS
from shequn.entities.taxonomies import CommunityType as CommunityType
from shequn.entities.taxonomies import EventKind as EventKind
from shequn.entities.taxonomies import MemberRole as MemberRole
from shequn.entities.taxonomies import Openness as Openness
from shequn.entities.taxonomies import PlatformBreadth as PlatformBreadth
from shequn.entities.tier import Tier as Tier

__all__ = [
    "OPTIMAL_SIZE",
    "PASSIVE_KINDS",
    "QQ_GROUP",
    "WECHAT_CAP_STEPS",
    "WECHAT_GROUP",
    "WEIBO",
    "Account",
    "Community",
    "CommunityType",
    "Event",
    "EventKind",
    "Group",
    "Member",
    "MemberRole",
    "Openness",
    "Placement",
    "Platform",
    "PlatformBreadth",
    "SizeBand",
    "Tier",
    "TierLadder",
    "group_roots",
    "pairs",
    "wechat_group",
]
