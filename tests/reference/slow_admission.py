"""Admission, onboarding and response times by their definitions, in plain Python: one application or row at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

WAITS = {"group_full", "not_reviewed"}


@dataclass
class Door:
    """What is known at the door."""

    members: set = field(default_factory=set)
    barred: set = field(default_factory=set)
    waiting: list = field(default_factory=list)
    invited: dict = field(default_factory=dict)
    spent: set = field(default_factory=set)


def slow_reason(one, policy, group, tz, door, inviters=None, invites=()):  # noqa: PLR0917
    """Decide on one applicant and note it at the door; the code of the reason."""
    reason, by = _reason(one, policy, group, door, inviters, {i.code: i for i in invites})
    if reason:
        return reason
    if policy.mode == "invitation":
        door.invited[by] = door.invited.get(by, 0) + 1
        if one.invite is not None:
            door.spent.add(one.invite)
    on = one.at.astimezone(ZoneInfo(tz)).date()
    caps = [cap for cap in (policy.cap, group.cap_at(on)) if cap is not None]
    if door.waiting or (caps and len(door.members) >= min(caps)):
        door.waiting.append(one.id)
        return "group_full"
    door.members.add(one.id)
    return "admitted"


def _reason(one, policy, group, door, inviters, issued):  # noqa: PLR0911, PLR0912, PLR0917
    if one.id in door.members:
        return "already_member", None
    if one.id in door.waiting:
        return "already_waiting", None
    if one.at < group.created:
        return "group_not_open", None
    if group.closed is not None and one.at >= group.closed:
        return "group_closed", None
    if one.id in door.barred:
        return "barred", None
    by = None
    if policy.mode == "passphrase":
        if one.passphrase is None:
            return "no_passphrase", None
        if not policy.passphrase.matches(one.passphrase):
            return "wrong_passphrase", None
    elif policy.mode == "approval":
        return _review(one, policy), None
    elif policy.mode == "invitation":
        reason, by = _invitation(one, policy, door, inviters, issued)
        if reason:
            return reason, None
    if policy.min_score is not None:
        if one.score is None:
            return "score_unknown", None
        if one.score < policy.min_score:
            return "score_too_low", None
    return None, by


def _review(one, policy):
    if one.approved is not None:
        return None if one.approved else "declined"
    if policy.min_score is None or one.score is None:
        return "not_reviewed"
    return "score_too_low" if one.score < policy.min_score else None


def _invitation(one, policy, door, inviters, issued):  # noqa: PLR0911
    by = one.invited_by
    if one.invite is not None:
        invite = issued.get(one.invite)
        if invite is None or one.at < invite.issued:
            return "unknown_invite", None
        if invite.expires is not None and one.at >= invite.expires:
            return "invite_expired", None
        if one.invite in door.spent or (invite.used is not None and one.at >= invite.used):
            return "invite_used", None
        by = invite.by
    if by is None:
        return "not_invited", None
    if inviters is not None and by not in inviters:
        return "inviter_not_allowed", None
    if inviters is None and by not in door.members:
        return "inviter_not_member", None
    if policy.quota_per_inviter is not None and door.invited.get(by, 0) >= policy.quota_per_inviter:
        return "quota_exhausted", None
    return None, by


def slow_responses(rows, as_of, sla, match="target", may=None, elapsed=lambda low, high: high - low):  # noqa: PLR0917
    """(question row, first responding row or None, waited, judged) of rows (member, kind, at, target, group, item)."""
    found, left_out = [], 0
    for row, (asker, kind, at, _, group, item) in enumerate(rows):
        if kind != "ask" or at > as_of:
            continue
        if match == "item" and item is None:
            left_out += 1
            continue
        hits = [
            (other_at, other)
            for other, (who, what, other_at, target, where, about) in enumerate(rows)
            if what == "reply"
            and at <= other_at <= as_of
            and who != asker
            and (may is None or who in may)
            and where == group
            and (target == asker if match == "target" else about == item)
        ]
        first = min(hits)[1] if hits else None
        end = as_of if first is None else rows[first][2]
        found.append((row, first, elapsed(at, end), elapsed(at, as_of) >= sla))
    return found, left_out
