"""The records: a community, its groups, members and tiers, what they do, what is posted and run, and where it is."""

from shequn.entities.admission_policy import AdmissionMode as AdmissionMode
from shequn.entities.admission_policy import AdmissionPolicy as AdmissionPolicy
from shequn.entities.admission_policy import Applicant as Applicant
from shequn.entities.admission_policy import Invite as Invite
from shequn.entities.admission_policy import PassphraseHash as PassphraseHash
from shequn.entities.campaign import Campaign as Campaign
from shequn.entities.campaign import Goal as Goal
from shequn.entities.campaign_taxonomies import CampaignStatus as CampaignStatus
from shequn.entities.campaign_taxonomies import CampaignTheme as CampaignTheme
from shequn.entities.campaign_taxonomies import InteractionForm as InteractionForm
from shequn.entities.campaign_taxonomies import RewardKind as RewardKind
from shequn.entities.community import Community as Community
from shequn.entities.content_item import ContentItem as ContentItem
from shequn.entities.content_item import Violation as Violation
from shequn.entities.content_taxonomies import ContentFormat as ContentFormat
from shequn.entities.content_taxonomies import ContentKind as ContentKind
from shequn.entities.content_taxonomies import ContentStatus as ContentStatus
from shequn.entities.content_taxonomies import ContentSubkind as ContentSubkind
from shequn.entities.content_taxonomies import ContentViolation as ContentViolation
from shequn.entities.content_taxonomies import Surface as Surface
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
from shequn.entities.reward import Reward as Reward
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
    "AdmissionMode",
    "AdmissionPolicy",
    "Applicant",
    "Campaign",
    "CampaignStatus",
    "CampaignTheme",
    "Community",
    "CommunityType",
    "ContentFormat",
    "ContentItem",
    "ContentKind",
    "ContentStatus",
    "ContentSubkind",
    "ContentViolation",
    "Event",
    "EventKind",
    "Goal",
    "Group",
    "InteractionForm",
    "Invite",
    "Member",
    "MemberRole",
    "Openness",
    "PassphraseHash",
    "Placement",
    "Platform",
    "PlatformBreadth",
    "Reward",
    "RewardKind",
    "SizeBand",
    "Surface",
    "Tier",
    "TierLadder",
    "Violation",
    "group_roots",
    "pairs",
    "wechat_group",
]
