"""What is known at the door: who is in, who waits, who may not come back, and whose invitations are used?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from shequn.admission.applicants import Applicants
from shequn.columns import EventLog
from shequn.columns.changes import membership_changes
from shequn.columns.readonly import by_fields, frozen
from shequn.entities import EventKind
from shequn.errors import InvalidValueError, MisalignedError, UnknownLabelError, counted, message
from shequn.labels import Coded, Index
from shequn.stats._checks import counts, instance, items_of, whole
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable

    from numpy.typing import ArrayLike

    from shequn._typing import IntArray
    from shequn.columns.extra import ExtraColumn
    from shequn.labels import Label

__all__ = ["APPLY", "NOBODY_WAITS", "AdmissionState", "coded_of"]

APPLY = EventKind.APPLY.value
"""Kind of the facts about those who were not let in: ``outcome`` and ``reason`` say how it went."""

_MOST_OTHERS = 2**53

NOBODY_WAITS = Applicants.from_columns(applicant=[], at=[], time_unit="us")


def _index(labels: Iterable[Label] | Index, argument: str) -> Index:
    if isinstance(labels, Index):
        return labels
    return Index(items_of(argument, labels, expected="labels"), argument=argument)


def _members(members: Iterable[Label] | Index) -> Index:
    return _index(members, "members")


def _barred(barred: Iterable[Label] | Index) -> Index:
    return _index(barred, "barred")


def _inviters(inviters: Iterable[Label] | Index) -> Index:
    return _index(inviters, "inviters")


def _spent(spent: Iterable[Label] | Index) -> Index:
    return _index(spent, "spent")


def _others(others: int) -> int:
    given = whole("others", others)
    if not 0 <= given < _MOST_OTHERS:
        raise InvalidValueError(message("others", "a number of members >= 0, below 2**53", others))
    return given


def _invited(invited: ArrayLike) -> IntArray:
    return frozen(counts("invited", invited).copy())


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AdmissionState:
    """What `admit` has to know of one group; folded from its facts by `from_log`, or told.

    Parameters
    ----------
    members : labels, optional
        Who is in, by name.
    others : int, default 0
        How many more are in whose names are not known here.
    barred : labels, optional
        Who was removed and may not come back.
    waiting : Applicants, optional
        Who waits for a seat, who waited longest first.
    inviters : labels, optional
        Who has used invitations.
    invited : array_like of int, shape (n_inviters,), optional
        How many each of them: people who came or wait.
    spent : labels, optional
        Codes of invitations that were used.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        A field has a type or value that cannot be used, somebody waits twice or is in, or there is not one number for
        each inviter.

    Examples
    --------
    >>> AdmissionState(members=["ann", "bo"], others=478)
    AdmissionState(480 members, 0 waiting)
    """

    members: Index = attrs.field(factory=Index, converter=_members)
    others: int = attrs.field(default=0, converter=_others)
    barred: Index = attrs.field(factory=Index, converter=_barred)
    waiting: Applicants = NOBODY_WAITS
    inviters: Index = attrs.field(factory=Index, converter=_inviters)
    invited: IntArray = attrs.field(factory=lambda: np.zeros(0, dtype=np.int64), converter=_invited)
    spent: Index = attrs.field(factory=Index, converter=_spent)

    def __attrs_post_init__(self) -> None:
        """Check that each inviter has a number, and that who waits does so once and is not in."""
        instance("waiting", self.waiting, Applicants, expected="Applicants")
        who = self.waiting.applicant
        twice = np.flatnonzero(np.bincount(who.codes[who.codes >= 0], minlength=len(who.index)) > 1)
        if len(twice):
            raise InvalidValueError(message("waiting", "each applicant once", who.index[int(twice[0])]))
        inside = np.flatnonzero(self.members.places_of(who.index)[who.codes] >= 0) if len(who) else twice
        if len(inside):
            name = who.index[int(who.codes[inside[0]])]
            raise InvalidValueError(message("waiting", "applicants who are no members", name))
        if self.invited.shape != (len(self.inviters),):
            expected = f"one number for each of the {len(self.inviters)} inviters"
            raise MisalignedError(message("invited", expected, f"an array of shape {self.invited.shape}"))

    @classmethod
    def from_log(cls, log: EventLog, /, *, group: Label, as_of: dt.datetime) -> AdmissionState:
        """Fold the facts of one group.

        Parameters
        ----------
        log : EventLog
            With joins, leaves and removals of the group, and the facts that `admit` made. A log without groups is of
            one group.
        group : str or int
            Its id.
        as_of : aware datetime
            Facts at this instant or before it are known, later ones are not.

        Returns
        -------
        AdmissionState

        Raises
        ------
        InvalidTypeError, InvalidValueError
            An argument can't be used.

        Notes
        -----
        Barred is who was removed and has not joined since. An invitation is used by each join that names who
        ``invited_by``, and by each who waits; who gives up waiting gives it back.

        Examples
        --------
        >>> import pendulum
        >>> log = EventLog.from_columns(
        ...     member=["ann", "bo", "cy", "bo"], kind=["join", "join", "join", "remove"], at=[0, 1, 2, 3],
        ...     time_unit="s", group=["g1"] * 4, extra={"invited_by": [None, "ann", "ann", None]},
        ... )
        >>> state = AdmissionState.from_log(log, group="g1", as_of=pendulum.datetime(2024, 5, 1))
        >>> list(state.members), list(state.barred), dict(zip(state.inviters, state.invited.tolist()))
        (['ann', 'cy'], ['bo'], {'ann': 2})
        """
        instance("log", log, EventLog, expected="an EventLog")
        end_us = instant_us(as_of, argument="as_of") + 1
        mine = log.at_us < end_us
        if log.group is not None:
            mine = mine & (log.group.codes == (log.group.index.code(group) if group in log.group.index else -2))
        facts = log.where(rows=mine)
        changes = membership_changes(facts)
        n = len(facts.members)
        delta_last, row_last = _last_of(changes.member.codes, changes.delta, changes.rows, n)
        is_removal = facts.kind.codes == _code_of(facts.kinds, EventKind.REMOVE.value)
        removed = np.zeros(n, dtype=np.bool_)
        out = np.flatnonzero(delta_last == -1)
        removed[out] = is_removal[row_last[out]]
        waiting_rows = _waiting_rows(facts, delta_last == 1)
        joined = changes.rows[changes.delta == 1]
        rows = np.concatenate([joined, waiting_rows])
        inviters, invited = _used(facts, "invited_by", rows)
        spent, _ = _used(facts, "invite", rows)
        return cls(
            members=facts.members.take(np.flatnonzero(delta_last == 1)),
            barred=facts.members.take(np.flatnonzero(removed)),
            waiting=_as_applicants(facts, waiting_rows),
            inviters=inviters,
            invited=invited,
            spent=spent,
        )

    @property
    def n_members(self) -> int:
        """How many are in."""
        return len(self.members) + self.others

    def __eq__(self, other: object) -> bool:
        """Return whether both know the same, whatever the order of names; those who wait in the same order."""
        if not isinstance(other, AdmissionState):
            return NotImplemented
        return (
            all(set(mine) == set(theirs) for mine, theirs in zip(self._sets(), other._sets(), strict=True))
            and self.others == other.others
            and self._waits() == other._waits()
            and self._uses() == other._uses()
        )

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def _sets(self) -> tuple[Index, ...]:
        return self.members, self.barred, self.spent

    def _uses(self) -> dict[Label, int]:
        return {inviter: n for inviter, n in zip(self.inviters, self.invited.tolist(), strict=True) if n}

    def _waits(self) -> list[tuple[Any, ...]]:
        waiting = zip(self.waiting.records(), self.waiting.at_us.tolist(), strict=True)
        return [(one.id, at_us, one.invited_by, one.invite) for one, at_us in waiting]

    def __repr__(self) -> str:
        """Show how many are in, and how many wait."""
        return f"AdmissionState({counted(self.n_members, 'member')}, {len(self.waiting):,} waiting)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def _code_of(index: Index, label: str) -> int:
    return index.code(label) if label in index else -2


def _last_of(codes: Any, delta: Any, rows: IntArray, n: int) -> tuple[IntArray, IntArray]:  # noqa: ANN401
    """Return the last change of each member, 0 where there is none, and its row; changes stand in order."""
    last = np.full(n, -1, dtype=np.int64)
    last[codes] = np.arange(len(codes))  # of equal places the last one stays
    found = last >= 0
    kept = np.zeros(n, dtype=np.int64)
    row = np.full(n, -1, dtype=np.int64)
    kept[found], row[found] = delta[last[found]], rows[last[found]]
    return kept, row


def _waiting_rows(log: EventLog, inside: Any) -> IntArray:  # noqa: ANN401
    """Return the rows by which people wait for a seat, who waited longest first."""
    none = np.zeros(0, dtype=np.int64)
    reason = coded_of(log, "reason")
    if reason is None or "group_full" not in reason.index:
        return none
    moves = [_code_of(log.kinds, kind.value) for kind in (EventKind.JOIN, EventKind.LEAVE, EventKind.REMOVE)]
    is_move = np.isin(log.kind_codes, moves)
    waits = (log.kind_codes == _code_of(log.kinds, APPLY)) & (reason.codes == reason.index.code("group_full"))
    rows = np.flatnonzero(is_move | waits)
    order = rows[np.lexsort((rows, log.at_us[rows]))]
    last = np.full(len(log.members), -1, dtype=np.int64)
    last[log.member_codes[order]] = np.arange(len(order))
    places = np.sort(last[last >= 0])
    found = order[places]
    kept: IntArray = found[waits[found] & ~inside[log.member_codes[found]]]
    return kept


def coded_of(log: EventLog, name: str) -> Coded | None:
    """Return an extra column as labels; numbers, which a column of whole ids with gaps comes as, too."""
    column: ExtraColumn | None
    try:
        column = log.column(name)
    except UnknownLabelError:
        return None
    if isinstance(column, Coded):
        return column
    known = ~np.isnan(column.astype(np.float64))
    index, codes = Index.encode(column[known].astype(np.int64), argument=name)
    all_codes = np.full(len(column), -1, dtype=np.int32)
    all_codes[known] = codes
    return Coded(index=index, codes=all_codes)


def _used(log: EventLog, name: str, rows: IntArray) -> tuple[Index, IntArray]:
    """Return the labels that some rows name in a column, and how many rows name each."""
    column = coded_of(log, name)
    if column is None:
        return Index(), np.zeros(0, dtype=np.int64)
    codes = column.codes[rows]
    n = np.bincount(codes[codes >= 0], minlength=len(column.index))
    return column.index.take(n > 0), n[n > 0]


def _as_applicants(log: EventLog, rows: IntArray) -> Applicants:
    if not len(rows):
        return NOBODY_WAITS
    named = {name: coded_of(log, name) for name in ("invited_by", "invite")}
    more: dict[str, Any] = {name: column.take(rows).compact() for name, column in named.items() if column is not None}
    return Applicants(applicant=log.member.take(rows).compact(), at_us=frozen(log.at_us[rows]), **more)
