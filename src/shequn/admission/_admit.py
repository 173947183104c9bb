"""May this person come in, and who gets the seats that come free?"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple, overload

import numpy as np

from shequn.admission.admissions import AdmissionDecision, Admissions
from shequn.admission.applicants import Applicants
from shequn.admission.reasons import REASON_CODE, AdmissionReason
from shequn.admission.state import AdmissionState
from shequn.columns.readonly import frozen
from shequn.entities import AdmissionMode, AdmissionPolicy, Applicant, Group, Invite
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.labels import Coded, Index
from shequn.stats._checks import instance, items_of
from shequn.values import Calendar
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.labels import Label

__all__ = ["admit", "promote"]

_UNBOUNDED = np.iinfo(np.int64).max
_R = AdmissionReason


@overload
def admit(
    applicants: Applicant,
    policy: AdmissionPolicy,
    /,
    *,
    group: Group,
    tz: str | dt.tzinfo,
    state: AdmissionState | None = ...,
    inviters: Iterable[Label] | None = ...,
    invites: Iterable[Invite] = ...,
) -> AdmissionDecision: ...
@overload
def admit(
    applicants: Applicants | Iterable[Applicant],
    policy: AdmissionPolicy,
    /,
    *,
    group: Group,
    tz: str | dt.tzinfo,
    state: AdmissionState | None = ...,
    inviters: Iterable[Label] | None = ...,
    invites: Iterable[Invite] = ...,
) -> Admissions: ...
def admit(
    applicants: Applicant | Applicants | Iterable[Applicant],
    policy: AdmissionPolicy,
    /,
    *,
    group: Group,
    tz: str | dt.tzinfo,
    state: AdmissionState | None = None,
    inviters: Iterable[Label] | None = None,
    invites: Iterable[Invite] = (),
) -> AdmissionDecision | Admissions:
    """Decide who may come into a group: one applicant, or many in order of their instant and row.

    Parameters
    ----------
    applicants : Applicant, iterable of Applicant, or Applicants
        Who asks.
    policy : AdmissionPolicy
        By which rule.
    group : Group
        Where to. Its platform's cap of the day holds beside that of the policy.
    tz : str or tzinfo
        Zone of that day.
    state : AdmissionState, optional
        Who is in, who waits, who is barred, and whose invitations are used; by default the group is new and empty.
    inviters : labels, optional
        In mode "invitation": who may invite, whether in the group or not. By default every member of the group.
    invites : iterable of Invite, optional
        In mode "invitation": those that were issued.

    Returns
    -------
    AdmissionDecision or Admissions
        For one applicant or for many: outcome and reason, and the events to store.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used.
    UnknownLabelError
        The platform's cap of a day is not known, or there is no such zone.

    Notes
    -----
    The first reason that applies is told: already in or waiting; the group not open; barred; what the mode asks for
    (passphrase; approval, or else the score; invitation, that it is known, not expired and unused, its inviter allowed,
    the quota not used up); the score; no seat. An invitation that names a known code was issued by who it says,
    whatever ``invited_by`` says.

    Who waits takes up their invitation. While somebody waits nobody overtakes them, so a seat that comes free goes to
    the waiting list, see `promote`. Whoever was refused may ask again. A decision hangs on the facts before it alone:
    one applicant at a time, each with the state after the one before, come to the same as all at once.

    Each distinct passphrase that was offered is hashed once.

    References
    ----------
    S1 §四(二), row A1 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> from shequn.entities import WECHAT_GROUP
    >>> opened = pendulum.datetime(2024, 5, 1, tz="Asia/Shanghai")
    >>> group = Group(id="g1", community="c1", platform=WECHAT_GROUP, name="一群", created=opened)
    >>> policy = AdmissionPolicy(mode="approval", min_score=60, cap=2)
    >>> asked = [Applicant(id=name, at=opened.add(hours=n), score=score) for n, (name, score) in
    ...          enumerate([("ann", 80), ("bo", 40), ("cy", 90), ("di", 75)])]
    >>> print(admit(asked, policy, group=group, tz="Asia/Shanghai"))
    outcome     reason         applicants  share
    ────────────────────────────────────────────
    admitted    admitted                2  50.0%
    waitlisted  group full              1  25.0%
    refused     score too low           1  25.0%
    >>> one = admit(asked[1], policy, group=group, tz="Asia/Shanghai")
    >>> one.explain(lang="zh"), one.events[0].kind
    ('分数不足：分数低于要求的 60 分', 'apply')
    """
    instance("policy", policy, AdmissionPolicy, expected="an AdmissionPolicy")
    instance("group", group, Group, expected="a Group")
    known = AdmissionState() if state is None else state
    instance("state", known, AdmissionState, expected="an AdmissionState")
    single = isinstance(applicants, Applicant)
    if isinstance(applicants, Applicants):
        asked = applicants
    else:
        asked = Applicants.from_applicants([applicants] if isinstance(applicants, Applicant) else applicants)
    _require_type(asked, known)
    by_invitation = policy.mode is AdmissionMode.INVITATION
    if not by_invitation and (inviters is not None or items_of("invites", invites, expected="Invite records")):
        argument = "invites" if inviters is None else "inviters"
        raise InvalidValueError(message(argument, f"none in mode {policy.mode.value!r}", "some"))
    order = np.argsort(asked.at_us, kind="stable")
    ordered = asked.take(order)
    bound = _invitations(ordered, known, inviters, invites) if by_invitation else _no_invitations(ordered)
    fixed = _fixed(ordered, policy, group, known, bound)
    late = _score_faults(ordered, policy)
    caps = _caps(ordered.at_us, policy, group, tz)
    codes = np.empty(len(asked), dtype=np.int8)
    codes[order] = _decided(ordered, policy, known, bound, fixed=fixed, late=late, caps=caps)
    inviter = np.empty(len(asked), dtype=np.int64)
    inviter[order] = bound.inviter.codes
    made = Admissions(
        applicants=asked,
        codes=frozen(codes),
        inviter=Coded(index=bound.inviter.index, codes=inviter),
        policy=policy,
        group=group.id,
        before=known,
    )
    return made.decision(0) if single else made


def promote(
    state: AdmissionState,
    policy: AdmissionPolicy,
    /,
    *,
    group: Group,
    tz: str | dt.tzinfo,
    at: dt.datetime,
) -> Admissions:
    """Give the seats that came free to those who wait, who waited longest first.

    Parameters
    ----------
    state : AdmissionState
        Who is in and who waits.
    policy : AdmissionPolicy
    group : Group
        Whose cap of the day holds beside that of the policy.
    tz : str or tzinfo
        Zone of that day.
    at : aware datetime
        When they come in; not before they applied.

    Returns
    -------
    Admissions
        One row for each who waits, in their order: let in, or still waiting.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used, or somebody applied after `at`.
    UnknownLabelError
        The platform's cap of the day is not known, or there is no such zone.

    Examples
    --------
    >>> import pendulum
    >>> from shequn.entities import WECHAT_GROUP
    >>> opened = pendulum.datetime(2024, 5, 1, tz="Asia/Shanghai")
    >>> group = Group(id="g1", community="c1", platform=WECHAT_GROUP, name="一群", created=opened)
    >>> asked = [Applicant(id=name, at=opened) for name in ("ann", "bo", "cy")]
    >>> full = admit(asked, AdmissionPolicy(cap=1), group=group, tz="Asia/Shanghai")
    >>> seats = promote(full.state, AdmissionPolicy(cap=2), group=group, tz="Asia/Shanghai", at=opened.add(days=1))
    >>> [(row.applicant, row.outcome.value) for row in seats.rows()], list(seats.state.members)
    ([('bo', 'admitted'), ('cy', 'waitlisted')], ['ann', 'bo'])
    """
    instance("state", state, AdmissionState, expected="an AdmissionState")
    instance("policy", policy, AdmissionPolicy, expected="an AdmissionPolicy")
    instance("group", group, Group, expected="a Group")
    at_us = instant_us(at, argument="at")
    waiting = state.waiting
    if len(waiting) and int(waiting.at_us.max()) > at_us:
        raise InvalidValueError(message("at", "an instant at which all who wait had applied", at))
    is_closed = at_us < instant_us(group.created) or (group.closed is not None and instant_us(group.closed) <= at_us)
    cap = int(_caps(np.array([at_us], dtype=np.int64), policy, group, tz)[0])
    seats = 0 if is_closed else max(cap - state.n_members, 0)
    codes = np.where(np.arange(len(waiting)) < seats, REASON_CODE[_R.ADMITTED], REASON_CODE[_R.GROUP_FULL])
    nobody = Coded(index=Index(), codes=np.full(len(waiting), -1, dtype=np.int8))
    return Admissions(
        applicants=waiting,
        codes=frozen(codes.astype(np.int8)),
        inviter=nobody if waiting.invited_by is None else waiting.invited_by,
        policy=policy,
        group=group.id,
        before=state,
        promoted_us=at_us,
    )


def _require_type(asked: Applicants, state: AdmissionState) -> None:
    """Raise where applicants have ids of another type than who is known, of whom then none would be found."""
    for known in (state.members, state.barred, state.waiting.applicant.index):
        if len(known) and len(asked) and known.is_text != asked.applicant.index.is_text:
            known.union(asked.applicant.index, argument="applicants")


# --- caps ---


def _caps(at_us: IntArray, policy: AdmissionPolicy, group: Group, tz: str | dt.tzinfo) -> IntArray:
    """Return how many members the group may have at each instant."""
    days = Calendar.of("day", tz=tz)
    number, of_row = np.unique(days.index(at_us), return_inverse=True)
    caps = np.empty(len(number), dtype=np.int64)
    for place, day in enumerate(number.tolist()):
        platform = group.cap_at(_date(days, day))
        own = _UNBOUNDED if policy.cap is None else min(policy.cap, _UNBOUNDED)
        caps[place] = own if platform is None else min(own, platform)
    of_each: IntArray = caps[of_row]
    return of_each


def _date(days: Calendar, number: int) -> date:
    day = days.label_one(number)
    return date(day.year, day.month, day.day)


# --- invitations ---


class _Invitations(NamedTuple):
    """Who brought each applicant, which invitation they hold, and what is wrong with it at once (0: nothing)."""

    inviter: Coded
    code: NDArray[np.int64]
    n_codes: int
    fault: NDArray[np.int8]
    always: BoolArray
    """Which inviters may invite whether they are in or not."""


def _no_invitations(asked: Applicants) -> _Invitations:
    n = len(asked)
    nobody = Coded(index=Index(), codes=np.full(n, -1, dtype=np.int8))
    inviter = nobody if asked.invited_by is None else asked.invited_by
    none = np.full(n, -1, dtype=np.int64)
    return _Invitations(inviter, none, 0, np.zeros(n, dtype=np.int8), np.zeros(len(inviter.index), dtype=np.bool_))


def _invitations(
    asked: Applicants, state: AdmissionState, inviters: Iterable[Label] | None, invites: Iterable[Invite]
) -> _Invitations:
    n = len(asked)
    issued = _issued(invites)
    named = _no_invitations(asked).inviter
    fault = np.zeros(n, dtype=np.int8)
    code = np.full(n, -1, dtype=np.int64)
    if asked.invite is None:
        inviter = named
    else:
        of_row = asked.invite.codes.astype(np.int64)
        place = Index([one.code for one in issued]).places_of(asked.invite.index)
        code = np.where(of_row >= 0, np.append(place, -1)[of_row], -1).astype(np.int64)
        has_code, found = of_row >= 0, code >= 0
        by = Coded.of([one.by for one in issued], argument="invites", nulls=True)
        index = named.index.union(by.index, argument="invited_by")
        codes = named.under(index).codes.astype(np.int64)
        codes[found] = by.under(index).codes[code[found]]
        inviter = Coded(index=index, codes=codes)
        fault[has_code] = _fault_of_codes(asked, issued, code, state)[has_code]
    fault[(inviter.codes < 0) & (fault == 0)] = REASON_CODE[_R.NOT_INVITED]
    always = np.zeros(len(inviter.index), dtype=np.bool_)
    if inviters is not None:
        allowed = inviters if isinstance(inviters, Index) else Index(items_of("inviters", inviters, expected="labels"))
        always = allowed.places_of(inviter.index) >= 0
        barred = ~np.append(always, True)[inviter.codes]
        fault[barred & (fault == 0)] = REASON_CODE[_R.INVITER_NOT_ALLOWED]
    return _Invitations(inviter, code, len(issued), fault, always)


def _issued(invites: Iterable[Invite]) -> list[Invite]:
    issued = items_of("invites", invites, expected="Invite records")
    seen: set[Label] = set()
    for row, one in enumerate(issued):
        if not isinstance(one, Invite):
            raise InvalidTypeError(message("invites", "Invite records", one, row=row))
        if one.code in seen:
            raise InvalidValueError(message("invites", "each code once", one.code, row=row))
        seen.add(one.code)
    return issued


def _fault_of_codes(asked: Applicants, issued: list[Invite], code: IntArray, state: AdmissionState) -> NDArray[np.int8]:
    """Return what is wrong with the invitation of each row, a code of -1 being unknown."""
    begins = np.array([instant_us(one.issued) for one in issued] + [_UNBOUNDED], dtype=np.int64)
    ends = [_UNBOUNDED if one.expires is None else instant_us(one.expires) for one in issued]
    used = [_UNBOUNDED if one.used is None else instant_us(one.used) for one in issued]
    spent = state.spent.places_of(Index([one.code for one in issued])) >= 0
    at_us = asked.at_us
    faults = [
        (at_us < begins[code], _R.UNKNOWN_INVITE),
        (at_us >= np.array([*ends, _UNBOUNDED])[code], _R.INVITE_EXPIRED),
        (np.append(spent, False)[code] | (at_us >= np.array([*used, _UNBOUNDED])[code]), _R.INVITE_USED),
    ]
    return np.select([mask for mask, _ in faults], [REASON_CODE[reason] for _, reason in faults], np.int8(0))


# --- what each application says by itself ---


def _fixed(
    asked: Applicants, policy: AdmissionPolicy, group: Group, state: AdmissionState, bound: _Invitations
) -> NDArray[np.int8]:
    """Return the reason that each row has by itself, whoever came before and but for its score; 0 where there is none.

    In mode "approval" the score is part of the verdict, and so among these.
    """
    n, at_us = len(asked), asked.at_us
    masks: list[tuple[BoolArray, AdmissionReason]] = [(at_us < instant_us(group.created), _R.GROUP_NOT_OPEN)]
    if group.closed is not None:
        masks.append((at_us >= instant_us(group.closed), _R.GROUP_CLOSED))
    is_barred = state.barred.places_of(asked.applicant.index) >= 0
    masks.append((is_barred[asked.applicant.codes] if n else np.zeros(0, dtype=np.bool_), _R.BARRED))
    score = np.full(n, np.nan) if asked.score is None else asked.score
    if policy.mode is AdmissionMode.PASSPHRASE:
        masks += _passphrase_faults(asked, policy)
    if policy.mode is AdmissionMode.APPROVAL:
        verdict = np.full(n, -1, dtype=np.int8) if asked.approved is None else asked.approved
        open_ = verdict < 0
        masks.append((verdict == 0, _R.DECLINED))
        if policy.min_score is None:
            masks.append((open_, _R.NOT_REVIEWED))
        else:
            masks.append((open_ & np.isnan(score), _R.NOT_REVIEWED))
            masks.append((open_ & (score < policy.min_score), _R.SCORE_TOO_LOW))
    fixed = (
        np.select([mask for mask, _ in masks], [REASON_CODE[reason] for _, reason in masks], np.int8(0))
        if n
        else np.zeros(0, dtype=np.int8)
    )
    return np.where(fixed == 0, bound.fault, fixed).astype(np.int8)


def _score_faults(asked: Applicants, policy: AdmissionPolicy) -> NDArray[np.int8]:
    """Return what is wrong with the score of each row, which is told after all that is wrong with an invitation."""
    n = len(asked)
    if policy.min_score is None or policy.mode is AdmissionMode.APPROVAL:
        return np.zeros(n, dtype=np.int8)
    score = np.full(n, np.nan) if asked.score is None else asked.score
    codes = [REASON_CODE[_R.SCORE_UNKNOWN], REASON_CODE[_R.SCORE_TOO_LOW]]
    return np.select([np.isnan(score), score < policy.min_score], codes, np.int8(0)).astype(np.int8)


def _passphrase_faults(asked: Applicants, policy: AdmissionPolicy) -> list[tuple[BoolArray, AdmissionReason]]:
    kept = policy.passphrase
    assert kept is not None  # noqa: S101  (the policy has checked that its mode has one)
    if asked.passphrase is None:
        return [(np.ones(len(asked), dtype=np.bool_), _R.NO_PASSPHRASE)]
    offered = asked.passphrase.compact()
    right = np.array([kept.matches(str(phrase)) for phrase in offered.index], dtype=np.bool_)
    return [
        (offered.codes < 0, _R.NO_PASSPHRASE),
        (~np.append(right, True)[offered.codes], _R.WRONG_PASSPHRASE),
    ]


# --- what hangs on who came before ---


def _decided(
    asked: Applicants,
    policy: AdmissionPolicy,
    state: AdmissionState,
    bound: _Invitations,
    *,
    fixed: NDArray[np.int8],
    late: NDArray[np.int8],
    caps: IntArray,
) -> NDArray[np.int8]:
    """Return the reason of each row, rows being in order."""
    n_people = len(asked.applicant.index)
    person = asked.applicant.codes.astype(np.int64)
    is_in = state.members.places_of(asked.applicant.index) >= 0
    waits = np.zeros(n_people, dtype=np.bool_)
    held = asked.applicant.index.places_of(state.waiting.applicant.index)
    waits[held[held >= 0]] = True
    if policy.mode is AdmissionMode.INVITATION:
        codes = _one_by_one(asked, policy, state, bound, fixed=fixed, late=late, caps=caps, is_known=is_in | waits)
    else:
        codes = _by_seat(person, state, np.where(fixed == 0, late, fixed), caps, is_in | waits)
    # Who was let in or waits by then needs no other reason.
    let_in, full = REASON_CODE[_R.ADMITTED], REASON_CODE[_R.GROUP_FULL]
    first = np.full(n_people, len(person), dtype=np.int64)
    taken = np.flatnonzero((codes == let_in) | (codes == full))
    first[person[taken]] = taken
    came = np.zeros(n_people, dtype=np.bool_)
    came[person[codes == let_in]] = True
    later = np.arange(len(person)) > first[person]
    codes[is_in[person] | (later & came[person])] = REASON_CODE[_R.ALREADY_MEMBER]
    codes[waits[person] & ~is_in[person] | (later & ~came[person])] = REASON_CODE[_R.ALREADY_WAITING]
    return codes


_PLACEHOLDER = np.int8(len(REASON_CODE))


def _by_seat(
    person: IntArray, state: AdmissionState, fixed: NDArray[np.int8], caps: IntArray, is_known: BoolArray
) -> NDArray[np.int8]:
    """Return the reasons where applications touch each other by seats alone."""
    codes = fixed.copy()
    rows = np.flatnonzero((fixed == 0) & ~is_known[person])
    _, first = np.unique(person[rows], return_index=True)
    codes[fixed == 0] = _PLACEHOLDER  # applied before: told by who calls
    rows = rows[np.sort(first)]
    has_seat = (state.n_members + np.arange(len(rows)) < caps[rows]) & (len(state.waiting) == 0)
    seated = np.logical_and.accumulate(has_seat) if len(rows) else has_seat
    codes[rows] = np.where(seated, REASON_CODE[_R.ADMITTED], REASON_CODE[_R.GROUP_FULL])
    return codes


def _one_by_one(
    asked: Applicants,
    policy: AdmissionPolicy,
    state: AdmissionState,
    bound: _Invitations,
    *,
    fixed: NDArray[np.int8],
    late: NDArray[np.int8],
    caps: IntArray,
    is_known: BoolArray,
) -> NDArray[np.int8]:
    """Return the reasons where who is let in may invite the next."""
    codes = fixed.copy()
    rows = np.flatnonzero(fixed == 0)
    inviters = bound.inviter.index
    may_invite = bytearray((bound.always | (state.members.places_of(inviters) >= 0)).tobytes())
    as_inviter = inviters.places_of(asked.applicant.index).tolist()
    invited = np.zeros(len(inviters), dtype=np.int64)
    places = inviters.places_of(state.inviters)
    invited[places[places >= 0]] = state.invited[places >= 0]
    quota = _UNBOUNDED if policy.quota_per_inviter is None else min(policy.quota_per_inviter, _UNBOUNDED)
    left = (quota - invited).tolist()
    is_used = bytearray(bound.n_codes)
    is_taken = bytearray(is_known.tobytes())
    n, full = state.n_members, len(state.waiting) > 0
    used, stranger, exhausted, no_seat = (
        int(REASON_CODE[reason])
        for reason in (_R.INVITE_USED, _R.INVITER_NOT_MEMBER, _R.QUOTA_EXHAUSTED, _R.GROUP_FULL)
    )
    found: list[int] = []
    columns = (asked.applicant.codes[rows], bound.inviter.codes[rows], bound.code[rows], late[rows], caps[rows])
    for person, inviter, code, fault, cap in zip(*(column.tolist() for column in columns), strict=True):
        if is_taken[person]:
            found.append(int(_PLACEHOLDER))
        elif code >= 0 and is_used[code]:
            found.append(used)
        elif not may_invite[inviter]:
            found.append(stranger)
        elif left[inviter] <= 0:
            found.append(exhausted)
        elif fault:
            found.append(fault)
        else:
            is_taken[person] = 1
            left[inviter] -= 1
            if code >= 0:
                is_used[code] = 1
            full = full or n >= cap
            found.append(no_seat if full else 0)
            if not full:
                n += 1
                if as_inviter[person] >= 0:
                    may_invite[as_inviter[person]] = 1
    codes[rows] = found
    return codes
