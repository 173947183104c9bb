"""Which invitation brought each newcomer?

An invitation counts if at its instant the inviter is in and the one invited is not yet. The first of those to one
person wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shequn.columns.kinds import kind_set, of_kinds
from shequn.columns.membership import NO_INSTANT
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.labels import Assignment, Index
from shequn.network.trees import on_a_cycle

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns import EventLog, Roster
    from shequn.columns.kinds import UnknownKinds
    from shequn.labels import Coded

__all__ = ["Brought", "brought_by_log", "brought_by_roster"]

_LATER = np.iinfo(np.int64).max


class Brought(NamedTuple):
    """Who brought whom, and what became of all invitations.

    Examples
    --------
    >>> none = np.zeros(0, dtype=np.int64)
    >>> Brought(Index(), none > 0, none, none, none, {"late": 3}).left_out
    {'late': 3}
    """

    members: Index
    newcomer: BoolArray
    inviter: IntArray
    """-1 for nobody."""
    invited: IntArray | None
    """How many people's first invitation is each member's; None where only those who came are known."""
    joined_us: IntArray
    """When each came, `NO_INSTANT` where that is not known."""
    left_out: dict[str, int]


def brought_by_log(
    log: EventLog,
    /,
    *,
    invite: Collection[str] | str,
    join: Collection[str] | str,
    unknown_kinds: UnknownKinds,
) -> Brought:
    """Return who brought whom by the rows of a log.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        A kind can't be used, or has two meanings; an inviter or a target can't be a member of the same community.
    """
    invites, joins = kind_set(invite, argument="invite"), kind_set(join, argument="join")
    if both := invites & joins:
        raise InvalidValueError(message("join", "kinds that `invite` doesn't name", min(both)))
    is_invite = of_kinds(log, invites, argument="invite", unknown_kinds=unknown_kinds)[log.kind_codes]
    is_join = of_kinds(log, joins, argument="join", unknown_kinds=unknown_kinds)[log.kind_codes]
    members, n = log.members, len(log.members)
    came_us, came_row = _first_rows(log, np.flatnonzero(is_join))
    newcomer = came_row < _LATER
    joined_us = np.where(newcomer, came_us, NO_INSTANT)
    if log.target is None:
        nobody, nothing = np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=np.int64)
        return Brought(members, newcomer, nobody, nothing, joined_us, {"without_target": int(is_invite.sum())})

    rows = np.flatnonzero(is_invite & (log.target.codes >= 0))
    inviter, target, at_us = log.member_codes[rows].astype(np.int64), _targets(log, log.target, rows), log.at_us[rows]
    # Who never acts has not come.
    target_us, target_row = (
        np.where(target < n, came[np.minimum(target, n - 1)], _LATER) for came in (came_us, came_row)
    )
    inviter_us, inviter_row = came_us[inviter], came_row[inviter]
    to_self = inviter == target
    late = ~to_self & (at_us > target_us)
    after = (inviter_us > target_us) | ((inviter_us == target_us) & (inviter_row > target_row))
    premature = ~to_self & ~late & newcomer[inviter] & (after | (inviter_us > at_us))
    counts = np.flatnonzero(~(to_self | late | premature))
    order = counts[np.lexsort((at_us[counts], target[counts]))]
    is_first = np.ones(len(order), dtype=np.bool_)
    is_first[1:] = target[order][1:] != target[order][:-1]
    first = order[is_first]

    by_whom = np.full(n, -1, dtype=np.int64)
    came = first[target_row[first] < _LATER]
    by_whom[target[came]] = inviter[came]
    return Brought(
        members=members,
        newcomer=newcomer,
        inviter=by_whom,
        invited=np.bincount(inviter[first], minlength=n),
        joined_us=joined_us,
        left_out={
            "again": len(order) - len(first),
            "late": int(late.sum()),
            "premature": int(premature.sum()),
            "to_self": int(to_self.sum()),
            "without_target": int(is_invite.sum()) - len(rows),
        },
    )


def _targets(log: EventLog, target: Coded, rows: IntArray) -> IntArray:
    """Return the code of the target of some rows among the members, and a number from there on for who never acts."""
    members, n = log.members, len(log.members)
    if len(members) and len(target.index) and members.is_text != target.index.is_text:
        expected = f"labels of the same sort as members, such as {members[0]!r}"
        raise InvalidTypeError(message("target", expected, target.index[0]))
    places = members.places_of(target.index).astype(np.int64)
    codes: IntArray = np.where(places >= 0, places, n + np.arange(len(places)))[target.codes[rows]]
    return codes


def _first_rows(log: EventLog, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Return the instant and the number of each member's first row, the largest number where there is none."""
    who, at_us = log.member_codes[rows], log.at_us[rows]
    first_us, first_row = np.full((2, len(log.members)), _LATER)
    np.minimum.at(first_us, who, at_us)
    is_first = at_us == first_us[who]
    np.minimum.at(first_row, who[is_first], rows[is_first])
    return first_us, first_row


def brought_by_roster(roster: Roster, /, *, invited_by: str) -> Brought:
    """Return who brought whom by a field of a roster; whom it names and doesn't hold is an inviter from outside.

    Raises
    ------
    UnknownLabelError
        There is no such field.
    InvalidTypeError
        It holds something else than labels of members.
    """
    named, codes = _named(roster.field(invited_by), roster.members, invited_by)
    members = roster.members.union(named, argument=invited_by)
    at = members.places_of(roster.members)
    newcomer = np.zeros(len(members), dtype=np.bool_)
    newcomer[at] = True
    inviter = np.full(len(members), -1, dtype=np.int64)
    told = codes >= 0
    inviter[at[told]] = members.places_of(named)[codes[told]]

    to_self = inviter == np.arange(len(members))
    came_us = np.full(len(members), NO_INSTANT)
    came_us[at] = roster.joined_us
    has_one = np.flatnonzero((inviter >= 0) & ~to_self)
    mine, theirs = came_us[has_one], came_us[inviter[has_one]]
    premature = has_one[(mine != NO_INSTANT) & (theirs != NO_INSTANT) & (theirs > mine)]
    inviter[to_self] = -1
    inviter[premature] = -1
    circular = on_a_cycle(inviter)
    inviter[circular] = -1
    left_out = {"premature": len(premature), "to_self": int(to_self.sum()), "circular": int(circular.sum())}
    return Brought(members, newcomer, inviter, None, came_us, left_out)


def _named(field: Assignment | NDArray[Any], members: Index, name: str) -> tuple[Index, IntArray]:
    """Return the labels that a field names, and which of them each member has, -1 for none."""
    if isinstance(field, Assignment):
        return field.segments, field.codes.astype(np.int64)
    known = ~np.isnan(field)
    numbers = field[known]
    if (numbers != np.floor(numbers)).any() or (members.is_text and len(numbers)):
        shown = numbers[numbers != np.floor(numbers)] if not members.is_text else numbers
        raise InvalidTypeError(message("invited_by", f"labels of members in the field {name!r}", shown[0]))
    index, rows = Index.encode(numbers.astype(np.int64), argument=name)
    codes = np.full(len(field), -1, dtype=np.int64)
    codes[known] = rows
    return index, codes
