"""Whom does a rule select, where no machine holds all rows?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import attrs
import numpy as np

from shequn.columns import EventLog, Roster
from shequn.columns.readonly import by_fields, read_only
from shequn.columns.table import Column, Tabular
from shequn.errors import MisalignedError, message
from shequn.interop.engines._kinds import Tallied, policy_of
from shequn.interop.engines._per_member import PerMember
from shequn.interop.engines._plan import Plan
from shequn.labels import Index
from shequn.rules import Rule
from shequn.stats._checks import array_of, instance

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from shequn._typing import BoolArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.table import Lang

__all__ = ["Selection", "plan_selection"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Selection(Tabular):
    """Which members are selected; made by `plan_selection`.

    Attributes
    ----------
    members : Index
        The n members.
    mask : ndarray of bool, shape (n,)
        Who of them is selected.

    Examples
    --------
    >>> chosen = Selection(members=Index(["ann", "bo"]), mask=[True, False])
    >>> chosen
    Selection(1 of 2 members)
    >>> chosen.selected
    Index(['ann'])
    """

    members: Index
    mask: BoolArray

    def __attrs_post_init__(self) -> None:
        """Check that there is one entry a member."""
        instance("members", self.members, Index, expected="an Index")
        object.__setattr__(self, "mask", read_only(array_of("mask", self.mask, kinds="b", expected="booleans")))
        if self.mask.shape != (len(self.members),):
            raise MisalignedError(message("mask", f"one entry for each of the {len(self.members)} members", self.mask))

    def __len__(self) -> int:
        """Return the number of members, selected or not."""
        return len(self.members)

    @property
    def selected(self) -> Index:
        """The members who are selected."""
        return self.members.take(np.flatnonzero(self.mask))

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [
            Column(key="member", en="member", zh="成员", values=self.members.labels),
            Column(key="selected", en="selected", zh="入选", values=self.mask),
        ]

    def __eq__(self, other: object) -> bool:
        """Return whether both say the same of the same members, in the same order."""
        if not isinstance(other, Selection):
            return NotImplemented
        return self.members == other.members and np.array_equal(self.mask, other.mask)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show how many are selected."""
        return f"Selection({int(self.mask.sum()):,} of {len(self):,} members)"

    def __reduce__(self) -> tuple[Callable[..., Selection], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def plan_selection(
    rule: Rule,
    /,
    *,
    as_of: dt.datetime | None = None,
    roster: Roster | None = None,
    segments: Mapping[str, Rule] | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> Plan[Selection]:
    """Return the plan that finds the members whom a rule selects, as ``rule.mask(roster, log, as_of=…)`` does.

    Parameters
    ----------
    rule : Rule
    as_of, segments, unknown_kinds
        As in ``rule.mask``.
    roster : Roster, optional
        The members that are asked about, and what is known of them: it goes to each worker, which looks up the members
        of its parts. Left out, everybody who has a row is asked about, and the rule can use facts of the log alone.

    Returns
    -------
    Plan of Selection
        In the order of the roster; without one, in ascending order of members.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        It is no rule, or no roster.

    Examples
    --------
    >>> from pendulum import datetime
    >>> from shequn import rules
    >>> log = EventLog.from_columns(member=["ann", "bo", "ann"], kind="post", at=[0, 60, 120], time_unit="s")
    >>> often = plan_selection(rules.count("post") >= 2, as_of=datetime(1970, 1, 2))
    >>> often.run(log.partition(2)).selected
    Index(['ann'])
    """
    instance("rule", rule, Rule, expected="a Rule, such as rules.count('post') >= 2")
    if roster is not None:
        instance("roster", roster, Roster, expected="a Roster")
    if segments is not None:
        instance("segments", segments, Mapping, expected="a mapping of name to Rule")
    asking = _Asking(
        rule=rule,
        roster=roster,
        as_of=as_of,
        segments=None if segments is None else dict(segments),
        policy=policy_of(unknown_kinds),
    )
    return Plan(partial=asking.of_part, merge=_merge, finish=partial(_finish, asking=asking))


@attrs.frozen(kw_only=True, eq=False)
class _Asking:
    """A rule, with all that its question takes beside a log."""

    rule: Rule
    roster: Roster | None
    as_of: dt.datetime | None
    segments: Mapping[str, Rule] | None
    policy: UnknownKinds

    def of_part(self, log: EventLog, /) -> Tallied:
        if self.roster is None:
            asked = _nothing_known_of(log.members)
        else:
            places = self.roster.members.places_of(log.members)
            asked = self.roster.take(np.sort(places[places >= 0]))
        return Tallied.of(PerMember.of(asked.members, self.mask(asked, log, "ignore")), log)

    def mask(self, roster: Roster, log: EventLog, unknown_kinds: UnknownKinds) -> BoolArray:
        return self.rule.mask(roster, log, as_of=self.as_of, segments=self.segments, unknown_kinds=unknown_kinds)


def _nothing_known_of(members: Index) -> Roster:
    return Roster.from_columns(member=members.labels if len(members) else [])


def _merge(one: Tallied, other: Tallied) -> Tallied:
    return one.merge(other, PerMember.merge)


def _finish(tallied: Tallied, *, asking: _Asking) -> Selection:
    members, (mask,) = tallied.tally.ascending()
    if asking.roster is None:
        asking.mask(_nothing_known_of(Index()), tallied.kinds, asking.policy)
        return Selection(members=members, mask=mask)
    everybody = asking.roster.members
    # Who has no row is in no part: of them the rule is asked without any.
    whole = asking.mask(asking.roster, tallied.kinds, asking.policy).copy()
    whole[everybody.places_of(members)] = mask
    return Selection(members=everybody, mask=whole)
