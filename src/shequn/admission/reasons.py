"""Why was somebody let in, asked to wait, or refused?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.entities.taxonomies import Taxonomy

if TYPE_CHECKING:
    from shequn.columns.table import Lang

__all__ = ["REASONS", "REASON_CODE", "TOLD", "AdmissionOutcome", "AdmissionReason"]


class AdmissionOutcome(Taxonomy):
    """What became of an application.

    References
    ----------
    §2 of the domain table: Applied → Admitted, Waitlisted or Rejected.

    Examples
    --------
    >>> AdmissionOutcome.WAITLISTED.zh
    '候补'
    """

    ADMITTED = "admitted", "通过", "admitted"
    WAITLISTED = "waitlisted", "候补", "waitlisted"
    REFUSED = "refused", "拒绝", "refused"


class AdmissionReason(Taxonomy):
    """Why an application went as it did; `outcome` tells how.

    Examples
    --------
    >>> AdmissionReason.GROUP_FULL.outcome, AdmissionReason.WRONG_PASSPHRASE.outcome.zh
    (<AdmissionOutcome.WAITLISTED: 'waitlisted'>, '拒绝')
    """

    ADMITTED = "admitted", "通过", "admitted"
    GROUP_FULL = "group_full", "群满候补", "group full"
    NOT_REVIEWED = "not_reviewed", "待审核", "not reviewed"
    ALREADY_MEMBER = "already_member", "已在群", "already a member"
    ALREADY_WAITING = "already_waiting", "已在候补", "already waiting"
    BARRED = "barred", "曾被移出", "barred"
    GROUP_NOT_OPEN = "group_not_open", "群未开放", "group not open yet"
    GROUP_CLOSED = "group_closed", "群已关闭", "group closed"
    NO_PASSPHRASE = "no_passphrase", "未填暗号", "no passphrase"
    WRONG_PASSPHRASE = "wrong_passphrase", "暗号不符", "wrong passphrase"
    DECLINED = "declined", "审核未通过", "declined"
    SCORE_UNKNOWN = "score_unknown", "分数未知", "score unknown"
    SCORE_TOO_LOW = "score_too_low", "分数不足", "score too low"
    NOT_INVITED = "not_invited", "未获邀请", "not invited"
    UNKNOWN_INVITE = "unknown_invite", "邀请码无效", "unknown invitation"
    INVITE_EXPIRED = "invite_expired", "邀请已过期", "invitation expired"
    INVITE_USED = "invite_used", "邀请已使用", "invitation used"
    INVITER_NOT_ALLOWED = "inviter_not_allowed", "邀请人无权邀请", "inviter not allowed"
    INVITER_NOT_MEMBER = "inviter_not_member", "邀请人不是成员", "inviter not a member"
    QUOTA_EXHAUSTED = "quota_exhausted", "邀请名额用尽", "quota exhausted"

    @property
    def outcome(self) -> AdmissionOutcome:
        """What it means for the applicant."""
        if self is AdmissionReason.ADMITTED:
            return AdmissionOutcome.ADMITTED
        waits = self in {AdmissionReason.GROUP_FULL, AdmissionReason.NOT_REVIEWED}
        return AdmissionOutcome.WAITLISTED if waits else AdmissionOutcome.REFUSED


REASONS = tuple(AdmissionReason)
REASON_CODE = {reason: np.int8(code) for code, reason in enumerate(REASONS)}

_R = AdmissionReason
TOLD: dict[Lang, dict[AdmissionReason, str]] = {
    "en": {
        _R.ADMITTED: "meets the policy, and there was a seat",
        _R.GROUP_FULL: "meets the policy; there is no seat, or others wait before them",
        _R.NOT_REVIEWED: "somebody has to approve or decline first",
        _R.ALREADY_MEMBER: "is in the group already",
        _R.ALREADY_WAITING: "waits for a seat already",
        _R.BARRED: "was removed from the group before",
        _R.GROUP_NOT_OPEN: "applied before the group was opened",
        _R.GROUP_CLOSED: "applied after the group was closed",
        _R.NO_PASSPHRASE: "offered no passphrase",
        _R.WRONG_PASSPHRASE: "offered another passphrase",
        _R.DECLINED: "was declined by who reviewed it",
        _R.SCORE_UNKNOWN: "has no score, and {min_score:g} is asked for",
        _R.SCORE_TOO_LOW: "has a score below the {min_score:g} asked for",
        _R.NOT_INVITED: "names neither an inviter nor an invitation",
        _R.UNKNOWN_INVITE: "holds an invitation that was never issued, or not by then",
        _R.INVITE_EXPIRED: "holds an invitation that had expired",
        _R.INVITE_USED: "holds an invitation that was used before",
        _R.INVITER_NOT_ALLOWED: "was invited by somebody who may not invite",
        _R.INVITER_NOT_MEMBER: "was invited by somebody who is not a member",
        _R.QUOTA_EXHAUSTED: "was invited by somebody who has brought {quota} already",
    },
    "zh": {
        _R.ADMITTED: "符合条件，且有空位",
        _R.GROUP_FULL: "符合条件；没有空位，或前面有人候补",
        _R.NOT_REVIEWED: "需先由管理员审核",
        _R.ALREADY_MEMBER: "已在群内",
        _R.ALREADY_WAITING: "已在候补名单中",
        _R.BARRED: "此前曾被移出该群",
        _R.GROUP_NOT_OPEN: "申请时群尚未开放",
        _R.GROUP_CLOSED: "申请时群已关闭",
        _R.NO_PASSPHRASE: "没有填写暗号",
        _R.WRONG_PASSPHRASE: "暗号不正确",
        _R.DECLINED: "审核人未通过",
        _R.SCORE_UNKNOWN: "没有分数，要求 {min_score:g} 分",
        _R.SCORE_TOO_LOW: "分数低于要求的 {min_score:g} 分",
        _R.NOT_INVITED: "没有邀请人，也没有邀请码",
        _R.UNKNOWN_INVITE: "邀请码不存在，或当时尚未发出",
        _R.INVITE_EXPIRED: "邀请码已过期",
        _R.INVITE_USED: "邀请码已被使用",
        _R.INVITER_NOT_ALLOWED: "邀请人没有邀请权",
        _R.INVITER_NOT_MEMBER: "邀请人不是群成员",
        _R.QUOTA_EXHAUSTED: "邀请人的 {quota} 个名额已用完",
    },
}
