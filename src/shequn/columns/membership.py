"""Who was in which group, from when to when, and in which role?

A stay begins with a `join` fact and ends with a `leave` or `remove` fact of the same member in the same group; which
facts count is told in `shequn.columns.changes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

import attrs
import numpy as np

from shequn.columns.changes import (
    JOIN,
    LEAVE,
    Facts,
    MembershipChanges,
    changes_of,
    counting,
    facts_of,
    inside_after,
    refuse_overlap,
    steps_of,
)
from shequn.columns.extra import same_fields
from shequn.columns.kinds import kind_set, of_kinds
from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.columns.table import Column, Tabular
from shequn.entities import EventKind, MemberRole
from shequn.errors import InvalidValueError, ShequnError, UnknownLabelError, message, suggest
from shequn.labels import Coded, Index
from shequn.values.instants import from_us, instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    import pendulum
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.log import EventLog
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["NO_INSTANT", "Memberships", "Stay", "memberships"]

NO_INSTANT = -(2**63)
"""What stands in an int64 column of microseconds for a missing instant: the integer behind NumPy's NaT."""

_ROLE = frozenset({EventKind.ROLE.value})
_ROLES = Index([role.value for role in MemberRole])
_PLAIN_MEMBER = _ROLES.code(MemberRole.MEMBER.value)


def memberships(
    log: EventLog,
    /,
    *,
    as_of: dt.datetime,
    join: Collection[str] | str = JOIN,
    leave: Collection[str] | str = LEAVE,
    role: Collection[str] | str = _ROLE,
    role_column: str = "role",
    unknown_kinds: UnknownKinds = "warn",
) -> Memberships:
    """Fold the log into stays: who was in which group, from when to when, and in which role.

    A member may be in many groups, and one who comes back begins a new stay.

    Parameters
    ----------
    log : EventLog
    as_of : aware datetime
        Facts at this instant or before it are known, later ones are not.
    join, leave : collection of str
        Kinds that bring a member in, and that take one out.
    role : collection of str
        Kinds that give a member a role in the group. A join may say with which role the stay begins.
    role_column : str, default "role"
        The log's column with the role: code, Chinese or English name of a `MemberRole`.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind named here that the log does not know; those named by default need not occur.

    Returns
    -------
    Memberships
        One row a stay, ordered by member, group and instant.

    Raises
    ------
    InvalidTypeError
        `log` is no EventLog, `as_of` no instant, or a kind no str.
    InvalidValueError
        A kind has two meanings, or a fact of a role names none.
    UnknownLabelError
        There is no such role, or the log has facts of roles and no such column.

    Notes
    -----
    The role of a stay is that of its latest fact, up to its end or `as_of`; where no fact names one it is
    `MemberRole.MEMBER`. A role given to someone outside is ignored, and counted.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann", "ann", "bo"],
    ...     kind=["join", "join", "role", "leave", "join"],
    ...     at=[0, 60, 120, 180, 240],
    ...     time_unit="s",
    ...     group=["g1", "g1", "g1", "g1", "g2"],
    ...     extra={"role": [None, None, "群主", None, "admin"]},
    ... )
    >>> stays = memberships(log, as_of=from_us(300_000_000))
    >>> stays.sizes()
    {'g1': 1, 'g2': 1}
    >>> print(stays)
    2 open of 3 stays as of 1970-01-01 00:05 UTC
    member  group  joined               left                 role
    ──────────────────────────────────────────────────────────────────────
    ann     g1     1970-01-01 00:00:00  1970-01-01 00:03:00  owner
    bo      g1     1970-01-01 00:01:00  –                    member
    bo      g2     1970-01-01 00:04:00  –                    administrator
    """
    as_of_us = instant_us(as_of, argument="as_of")
    steps = steps_of(log, join, leave, unknown_kinds)
    roles = kind_set(role, argument="role")
    refuse_overlap(kind_set(join, argument="join") | kind_set(leave, argument="leave"), roles, argument="role")
    gives_role = of_kinds(log, roles, argument="role", unknown_kinds="ignore" if role is _ROLE else unknown_kinds)
    facts = facts_of(log, np.where(gives_role, np.int8(0), steps), as_of_us + 1)
    counts = counting(facts)
    changes = changes_of(log, facts, counts)
    starts = np.flatnonzero(changes.delta == 1)
    role_codes, ignored_roles = _roles(log, facts, counts, len(starts), role_column)
    return Memberships(
        member=changes.member.take(starts),
        group=changes.group.take(starts),
        joined_us=frozen(changes.at_us[starts]),
        left_us=frozen(_ends(changes, starts)),
        role=Coded(index=_ROLES, codes=frozen(role_codes)),
        as_of_us=as_of_us,
        ignored=changes.ignored,
        ignored_roles=ignored_roles,
    )


class Stay(NamedTuple):
    """One stay of one member in one group.

    Attributes
    ----------
    member : str or int
    group : str or int or None
        None for the community as a whole.
    joined : pendulum.DateTime
        In UTC.
    left : pendulum.DateTime or None
        In UTC; None while inside.
    role : MemberRole
        The latest.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> log = EventLog.from_columns(member=["ann"], kind="join", at=[0], time_unit="s")
    >>> stay = memberships(log, as_of=from_us(0)).last()
    >>> stay.member, stay.left, stay.role
    ('ann', None, <MemberRole.MEMBER: 'member'>)
    """

    member: Label
    group: Label | None
    joined: pendulum.DateTime
    left: pendulum.DateTime | None
    role: MemberRole


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Memberships(Tabular[Stay]):
    """Stays of members in groups, ordered by member, group and instant; see `memberships`.

    Attributes
    ----------
    member : Coded
        Who, under the log's index of members.
    group : Coded
        In which group; null for the community as a whole.
    joined_us : ndarray of int64, shape (n,)
        When the stay began.
    left_us : ndarray of int64, shape (n,)
        When it ended; `NO_INSTANT` (NumPy's NaT) while inside.
    role : Coded
        The latest role in the stay.
    as_of_us : int
        Until when facts were known.
    ignored : int
        How many joins and leaves changed nothing.
    ignored_roles : int
        How many roles were given to someone outside.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann"], kind=["join", "join", "leave"], at=[0, 60, 120], time_unit="s"
    ... )
    >>> stays = memberships(log, as_of=from_us(120_000_000))
    >>> stays.inside().tolist(), stays.sizes()
    ([False, True], {None: 1})
    """

    member: Coded
    group: Coded
    joined_us: NDArray[np.int64] = attrs.field(converter=read_only)
    left_us: NDArray[np.int64] = attrs.field(converter=read_only)
    role: Coded
    as_of_us: int
    ignored: int = 0
    ignored_roles: int = 0

    def __len__(self) -> int:
        """Return the number of stays."""
        return len(self.joined_us)

    @property
    def members(self) -> Index:
        """The members of the log, also those who never were inside."""
        return self.member.index

    @property
    def groups(self) -> Index:
        """The groups of the log."""
        return self.group.index

    @property
    def is_open(self) -> BoolArray:
        """Which stays go on, shape (n,)."""
        return frozen(self.left_us == NO_INSTANT)

    def sizes(self) -> dict[Label | None, int]:
        """Return how many members are in each group, and under None, if it occurs, in the community as a whole.

        Examples
        --------
        >>> from shequn.columns import EventLog
        >>> log = EventLog.from_columns(member=["ann"], kind="join", at=[0], time_unit="s", group=["g1"])
        >>> memberships(log, as_of=from_us(0)).sizes()
        {'g1': 1}
        """
        counts = np.bincount(
            self.group.codes[self.is_open].astype(np.int64) + 1, minlength=len(self.groups) + 1
        ).tolist()
        sizes: dict[Label | None, int] = dict(zip(self.groups, counts[1:], strict=True))
        return sizes | ({None: counts[0]} if self.group.has_nulls else {})

    def inside(self, group: Label | None = None, *, role: MemberRole | str | None = None) -> BoolArray:
        """Return which members are inside, shape (n_members,), over `members`.

        Parameters
        ----------
        group : str or int, optional
            In this group; by default in any, or in the community as a whole.
        role : MemberRole or str, optional
            In this role there.

        Raises
        ------
        UnknownLabelError
            There is no such group, or no such role.

        Examples
        --------
        >>> from shequn.columns import EventLog
        >>> log = EventLog.from_columns(member=["ann", "bo"], kind=["join", "post"], at=[0, 1], time_unit="s")
        >>> memberships(log, as_of=from_us(0)).inside(role="群友").tolist()
        [True, False]
        """
        stays = self.is_open
        if group is not None:
            stays = stays & (self.group.codes == self.groups.code(group, argument="group"))
        if role is not None:
            stays = stays & (self.role.codes == _ROLES.code(MemberRole.from_label(role, argument="role").value))
        mask = np.zeros(len(self.members), dtype=np.bool_)
        mask[self.member.codes[stays]] = True
        return frozen(mask)

    def _columns(self, lang: Lang) -> Sequence[Column]:  # noqa: ARG002
        return self._columns_by("s")

    def _tidy(self) -> Sequence[Column]:
        return self._columns_by("us")

    def _columns_by(self, unit: str) -> Sequence[Column]:
        joined, left = (us.view("M8[us]").astype(f"M8[{unit}]") for us in (self.joined_us, self.left_us))
        roles = np.fromiter(MemberRole, dtype=object, count=len(MemberRole))[self.role.codes]
        return [
            Column(key="member", en="member", zh="成员", values=self.member.labels()),
            Column(key="group", en="group", zh="群", values=self.group.labels()),
            Column(key="joined", en="joined", zh="加入", values=joined, format="date"),
            Column(key="left", en="left", zh="离开", values=left, format="date"),
            Column(key="role", en="role", zh="角色", values=roles),
        ]

    def _title(self, lang: Lang) -> str:
        n_open, n, at = int(self.is_open.sum()), len(self), f"{from_us(self.as_of_us):YYYY-MM-DD HH:mm}"
        if lang == "en":
            return f"{n_open:,} open of {n:,} stays as of {at} UTC"
        return f"截至 {at} UTC：{n:,} 段成员关系，其中 {n_open:,} 段存续"

    def _notes(self, lang: Lang) -> Sequence[str]:
        notes: list[str] = []
        if self.ignored:
            notes.append(_IGNORED[lang].format(n=self.ignored))
        if self.ignored_roles:
            notes.append(_IGNORED_ROLES[lang].format(n=self.ignored_roles))
        return notes

    def _records(self, asked: str, columns: Mapping[str, NDArray[Any]]) -> Iterator[Stay]:  # noqa: ARG002
        instants = (columns[name].view(np.int64).tolist() for name in ("joined", "left"))
        labels = (columns[name].tolist() for name in ("member", "group", "role"))
        for member, group, role, joined, left in zip(*labels, *instants, strict=True):
            yield Stay(member, group, from_us(joined), None if left == NO_INSTANT else from_us(left), role)

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same stays in the same order, labels compared by label."""
        return same_fields(self, other) if isinstance(other, Memberships) else NotImplemented

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show how many stays there are."""
        return f"Memberships({len(self):,} stays, {int(self.is_open.sum()):,} open)"

    def __reduce__(self) -> tuple[Callable[..., Memberships], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


_IGNORED: dict[Lang, str] = {
    "en": "{n:,} facts changed nothing: a join while inside or a leave while outside",
    "zh": "{n:,} 条记录未改变状态：在群时入群，或不在群时退群",
}
_IGNORED_ROLES: dict[Lang, str] = {
    "en": "{n:,} roles were given to someone outside",
    "zh": "{n:,} 条角色记录发生时成员不在群内",
}


def _ends(changes: MembershipChanges, starts: IntArray) -> IntArray:
    """Return when the stays that begin at these changes ended: at the next change, unless that begins another stay."""
    is_end = np.append(changes.delta, np.int8(1))[starts + 1] == -1
    at_us = np.append(changes.at_us, NO_INSTANT)[starts + 1]
    return np.where(is_end, at_us, NO_INSTANT)


# --- roles ---


def _roles(
    log: EventLog, facts: Facts, counts: BoolArray, n_stays: int, role_column: str
) -> tuple[NDArray[np.int8], int]:
    """Return the code of each stay's latest role, and how many roles were given to someone outside."""
    role_of_stay = np.full(n_stays, _PLAIN_MEMBER, dtype=np.int8)
    is_role = facts.step == 0
    try:
        labels = log.labelled_column(role_column, argument="role_column")
    except UnknownLabelError:
        if is_role.any():
            raise
        return role_of_stay, 0
    inside = inside_after(facts)
    speaks = np.where(is_role, inside, counts & (facts.step == 1) & (labels.codes[facts.rows] >= 0))
    role_codes = _role_codes(labels, facts.rows[is_role], facts.rows[speaks], role_column)
    stay = np.cumsum(counts & (facts.step == 1)) - 1
    last = np.full(n_stays, -1, dtype=np.int64)
    np.maximum.at(last, stay[speaks], np.arange(int(speaks.sum())))
    role_of_stay[last >= 0] = role_codes[last[last >= 0]]
    return role_of_stay, int((is_role & ~inside).sum())


def _role_codes(labels: Coded, must: IntArray, rows: IntArray, role_column: str) -> NDArray[np.int8]:
    """Return the role that each of some rows names; those that `must` name one may not leave it out."""
    nameless = must[labels.codes[must] < 0]
    if len(nameless):
        row = int(nameless.min())
        expected = "a role in each row that gives one"
        raise InvalidValueError(message(role_column, expected, None, row=row, bad=len(nameless), total=len(must)))
    code_of_label = np.full(len(labels.index), -1, dtype=np.int8)
    for code in np.unique(labels.codes[rows]).tolist():
        code_of_label[code] = _role_code(labels.index[code])
    unknown = rows[code_of_label[labels.codes[rows]] < 0]
    if len(unknown):
        row = int(unknown.min())
        label = labels.label(row)
        known = [name for role in MemberRole for name in (role.value, role.zh, role.en)]
        expected = f"code, zh or en of one of the {len(MemberRole)} MemberRole values"
        text = message(role_column, expected, label, row=row, bad=len(unknown), total=len(rows))
        raise UnknownLabelError(text + suggest(label, known))
    codes: NDArray[np.int8] = code_of_label[labels.codes[rows]]
    return codes


def _role_code(label: Label) -> int:
    try:
        return _ROLES.code(MemberRole.from_label(cast("str", label)).value)
    except ShequnError:
        return -1
