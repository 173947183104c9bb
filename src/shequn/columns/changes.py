"""When did members come into groups and go out of them? The fold that all questions about membership share.

Of the facts of one member in one group, in the order of their instants (of equal instants, of their rows), one *counts*
if it changes something: a join while outside, a leave while inside. The others are ignored, and their number is told.
Facts without a group are about the community as a whole, and make a unit of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.extra import same_fields
from shequn.columns.kinds import kind_set, of_kinds
from shequn.columns.log import EventLog, sorted_rows
from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.entities import EventKind
from shequn.errors import InvalidValueError, message
from shequn.labels import Coded, Index
from shequn.stats._checks import instance, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds

__all__ = [
    "JOIN",
    "LEAVE",
    "NO_FACT",
    "Facts",
    "MembershipChanges",
    "changes_of",
    "counting",
    "facts_of",
    "inside_after",
    "membership_changes",
    "refuse_overlap",
    "steps_of",
]

JOIN = frozenset({EventKind.JOIN.value})
LEAVE = frozenset({EventKind.LEAVE.value, EventKind.REMOVE.value})
NO_FACT = np.int8(9)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class MembershipChanges:
    """The facts by which members came into groups and went out of them, ordered by member, group, instant and row.

    Those of one member in one group come in turns: in, out, in, …

    Attributes
    ----------
    member : Coded
        Who, under the log's index of members.
    group : Coded
        In or out of which group; null for the community as a whole.
    at_us : ndarray of int64, shape (n,)
        When.
    delta : ndarray of int8, shape (n,)
        +1 in, -1 out.
    rows : ndarray of int64, shape (n,)
        Row of the fact in the log.
    ignored_rows : ndarray of int64, shape (m,)
        Rows of the facts that changed nothing, in the log's order: a join while inside, a leave while outside.
    ignored_at_us : ndarray of int64, shape (m,)
        Their instants.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> kinds = ["join", "join", "leave"]
    >>> log = EventLog.from_columns(member=["ann", "ann", "ann"], kind=kinds, at=[0, 1, 2], time_unit="s")
    >>> changes = membership_changes(log)
    >>> changes.delta.tolist(), changes.rows.tolist(), changes.ignored_rows.tolist()
    ([1, -1], [0, 2], [1])
    """

    member: Coded
    group: Coded
    at_us: NDArray[np.int64] = attrs.field(converter=read_only)
    delta: NDArray[np.int8] = attrs.field(converter=read_only)
    rows: NDArray[np.int64] = attrs.field(converter=read_only)
    ignored_rows: NDArray[np.int64] = attrs.field(converter=read_only)
    ignored_at_us: NDArray[np.int64] = attrs.field(converter=read_only)

    def __len__(self) -> int:
        """Return the number of facts that changed something."""
        return len(self.rows)

    @property
    def ignored(self) -> int:
        """How many facts changed nothing."""
        return len(self.ignored_rows)

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same changes in the same order, labels compared by label."""
        return same_fields(self, other) if isinstance(other, MembershipChanges) else NotImplemented

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show how many there are."""
        return f"MembershipChanges({len(self):,} changes, {self.ignored:,} ignored)"

    def __reduce__(self) -> tuple[Callable[..., MembershipChanges], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def membership_changes(
    log: EventLog,
    /,
    *,
    join: Collection[str] | str = JOIN,
    leave: Collection[str] | str = LEAVE,
    before_us: int | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> MembershipChanges:
    """Fold the membership facts of a log: what every question about stays, sizes and the membership ledger starts from.

    Parameters
    ----------
    log : EventLog
    join, leave : collection of str
        Kinds that bring a member in, and that take one out.
    before_us : int, optional
        Take only facts at instants before this one, in microseconds since 1970-01-01T00:00Z.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind named here that the log does not know; those named by default need not occur.

    Returns
    -------
    MembershipChanges

    Raises
    ------
    InvalidTypeError
        `log` is no EventLog, `before_us` no integer, or a kind no str.
    InvalidValueError
        A kind is both a join and a leave.

    Notes
    -----
    After any fact a member is where it says, so a fact counts if it differs from the one before of the same member and
    group, and the first one counts if it is a join.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> log = EventLog.from_columns(member=["bo", "ann"], kind=["leave", "join"], at=[0, 1], time_unit="s")
    >>> membership_changes(log)
    MembershipChanges(1 changes, 1 ignored)
    """
    end_us = None if before_us is None else whole("before_us", before_us)
    facts = facts_of(log, steps_of(log, join, leave, unknown_kinds), end_us)
    return changes_of(log, facts, counting(facts))


# --- the fold ---


class Facts(NamedTuple):
    """Rows of facts ordered by unit (member and group), instant and row; step +1 in, -1 out, 0 neither."""

    rows: IntArray
    is_first: BoolArray  # of its unit
    step: NDArray[np.int8]


def steps_of(
    log: EventLog, join: Collection[str] | str, leave: Collection[str] | str, unknown_kinds: UnknownKinds
) -> NDArray[np.int8]:
    """Return what a fact of each kind of the log does: +1 in, -1 out, else `NO_FACT`."""
    instance("log", log, EventLog, expected="an EventLog")
    joins, leaves = kind_set(join, argument="join"), kind_set(leave, argument="leave")
    refuse_overlap(joins, leaves, argument="leave")
    for_join: UnknownKinds = "ignore" if join is JOIN else unknown_kinds
    for_leave: UnknownKinds = "ignore" if leave is LEAVE else unknown_kinds
    is_join = of_kinds(log, joins, argument="join", unknown_kinds=for_join)
    is_leave = of_kinds(log, leaves, argument="leave", unknown_kinds=for_leave)
    return np.where(is_join, np.int8(1), np.where(is_leave, np.int8(-1), NO_FACT))


def refuse_overlap(kinds: frozenset[str], others: frozenset[str], *, argument: str) -> None:
    """Raise if a kind among `others`, those of `argument`, already has another meaning."""
    for kind in sorted(kinds & others):
        raise InvalidValueError(message(argument, "kinds that have no other meaning here", kind))


def facts_of(log: EventLog, steps: NDArray[np.int8], before_us: int | None) -> Facts:
    """Return the facts before an instant, given what each kind does, in the order of the fold."""
    rows = np.flatnonzero((steps != NO_FACT)[log.kind_codes])
    if before_us is not None:
        rows = rows[log.at_us[rows] < before_us]
    unit = log.member_codes[rows].astype(np.int64)
    if log.group is not None:
        unit = unit * (len(log.group.index) + 1) + log.group.codes[rows] + 1
    order = sorted_rows(unit, log.at_us[rows], log.resolution_us)
    rows, unit = rows[order], unit[order]
    is_first = np.ones(len(rows), dtype=np.bool_)
    is_first[1:] = unit[1:] != unit[:-1]
    return Facts(rows, is_first, steps[log.kind_codes[rows]])


def counting(facts: Facts) -> BoolArray:
    """Return which facts change the state of their unit."""
    was_inside = inside_after(facts)
    was_inside[1:] = was_inside[:-1].copy()
    was_inside[facts.is_first] = False
    counts: BoolArray = (facts.step != 0) & ((facts.step == 1) != was_inside)
    return counts


def inside_after(facts: Facts) -> BoolArray:
    """Return whether the unit is inside after each fact: as the last fact that moved it says."""
    place = np.arange(len(facts.step))
    speaks = (facts.step != 0) | facts.is_first  # a unit whose first fact moves it nowhere begins outside
    last = np.maximum.accumulate(np.where(speaks, place, 0))
    is_inside: BoolArray = facts.step[last] == 1
    return is_inside


def changes_of(log: EventLog, facts: Facts, counts: BoolArray) -> MembershipChanges:
    """Return the facts that count, and the moves that don't."""
    rows = facts.rows[counts]
    ignored = np.sort(facts.rows[~counts & (facts.step != 0)])
    no_group = Coded(index=Index(), codes=np.full(len(rows), -1, dtype=np.int8))
    return MembershipChanges(
        member=log.member.take(rows),
        group=no_group if log.group is None else log.group.take(rows),
        at_us=frozen(log.at_us[rows]),
        delta=frozen(facts.step[counts]),
        rows=frozen(rows),
        ignored_rows=frozen(ignored),
        ignored_at_us=frozen(log.at_us[ignored]),
    )
