"""Who is active, who could be, who has gone silent (活跃 潜在 沉默)?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np
from pendulum import duration

from shequn.columns.readonly import by_fields, counts_field
from shequn.columns.table import Column
from shequn.entities.taxonomies import EventKind
from shequn.errors import InvalidValueError, message
from shequn.segmentation.layered import BehaviourLayer, Layers, as_of_title, assigned_to, one_number, spelt
from shequn.segmentation.member_facts import MemberFacts, kinds_of, window_us
from shequn.stats._checks import whole
from shequn.values.calendar import Calendar
from shequn.values.elapsed import from_elapsed_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.columns import EventLog, Roster
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.table import Lang
    from shequn.labels import Assignment, Label

__all__ = ["BehaviourLayers", "BehaviourRow", "behaviour_layers"]

_MONTH = duration(days=30)
_PURCHASE = (EventKind.PURCHASE.value,)
_POTENTIAL = (EventKind.READ.value, EventKind.CLICK.value, EventKind.JOIN.value)


def behaviour_layers(
    roster: Roster,
    log: EventLog,
    /,
    *,
    as_of: dt.datetime,
    tz: str | dt.tzinfo,
    within: dt.timedelta = _MONTH,
    min_days: int = 2,
    idle_after: dt.timedelta | None = None,
    active_kinds: Collection[str] | str | None = None,
    potential_kinds: Collection[str] | str = _POTENTIAL,
    purchase_kinds: Collection[str] | str = _PURCHASE,
    unknown_kinds: UnknownKinds = "warn",
) -> BehaviourLayers:
    """Put each member into the layer active, potential or silent, by what they did.

    Parameters
    ----------
    roster : Roster
        The members that are asked about. Who has no row in the log did nothing.
    log : EventLog
        Their rows; those of others don't count.
    as_of : aware datetime
        Rows at this instant or before it are known.
    tz : str or tzinfo
        Where days are counted.
    within : timedelta, default 30 days
        The window (as_of - within, as_of].
    min_days : int, default 2
        On so many distinct local days in the window a member must have done something to be active.
    idle_after : timedelta, optional
        Who gave no sign of life for so long is silent. By default `within`; not shorter than it.
    active_kinds : collection of str, optional
        What counts for active days. By default all kinds but apply, receive, leave, remove, mute and role, so that
        reading counts. Name those of taking part (post, reply, …) to make readers potential.
    potential_kinds : collection of str, default read, click, join
        What else is a sign of life.
    purchase_kinds : collection of str, default purchase
        One of these in the window makes a member active. Give an empty one to do without.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind named here that the log does not know; those named by default need not occur.

    Returns
    -------
    BehaviourLayers
        The layer of each member, with the numbers behind it.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An option can't be used: a window in the future, `idle_after` shorter than `within`, a `min_days` below 1.

    Notes
    -----
    With d the distinct local days on which a member did something in the window, p the purchases in it, and s the signs
    of life (rows of the active or of the potential kinds) in the last `idle_after`::

        active     d >= min_days or p >= 1
        potential  not active, and s >= 1
        silent     not active, and s = 0

    Everybody is in exactly one. The definition of the operators (active: on 2 days in 30, or a purchase; potential: not
    active, but read, clicked or joined; silent: nothing for `idle_after`) leaves out who wrote on one day, or before
    the window but not long enough ago to be silent: they are potential here.

    References
    ----------
    S3 §5.1, row T9 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> import shequn as sq
    >>> log = sq.EventLog.from_columns(
    ...     member=["ann", "ann", "bo", "cy"],
    ...     kind=["post", "reply", "read", "post"],
    ...     at=np.array(["2024-04-20", "2024-04-28", "2024-04-25", "2024-01-02"], dtype="M8[D]"),
    ...     at_tz="Asia/Shanghai",
    ... )
    >>> roster = sq.Roster.from_columns(member=["ann", "bo", "cy", "dee"])
    >>> layers = behaviour_layers(roster, log, as_of=pendulum.datetime(2024, 5, 1), tz="Asia/Shanghai")
    >>> layers.assignment.labels().tolist()
    ['active', 'potential', 'silent', 'silent']
    >>> print(layers.explain("ann"))
    ann: active: active days in the last 30 days: 2 (2 needed), purchases: 0
    """
    facts = MemberFacts.of(roster, log, as_of, unknown_kinds)
    calendar = Calendar.of("day", tz=tz)
    within_us = window_us("within", within)
    idle_us = within_us if idle_after is None else window_us("idle_after", idle_after)
    if idle_us < within_us:
        expected = f"at least `within` ({spelt(within_us, 'en')}), or who is active could be silent too"
        raise InvalidValueError(message("idle_after", expected, spelt(idle_us, "en")))
    least = _at_least_one("min_days", min_days)
    active = None if active_kinds is None else kinds_of("active_kinds", active_kinds)
    potential, purchase = kinds_of("potential_kinds", potential_kinds), kinds_of("purchase_kinds", purchase_kinds)

    is_active = facts.kinds(active, argument="active_kinds", named=active is not None)
    is_potential = facts.kinds(potential, argument="potential_kinds", named=potential_kinds is not _POTENTIAL)
    is_purchase = facts.kinds(purchase, argument="purchase_kinds", named=purchase_kinds is not _PURCHASE)
    active_days = facts.days(facts.rows(is_active, within_us), calendar)
    purchases = facts.count(facts.rows(is_purchase, within_us))
    n_signs = facts.count(facts.rows(is_active | is_potential, idle_us))
    return BehaviourLayers(
        assignment=assigned_to(roster.members, BehaviourLayer, _codes(active_days, purchases, n_signs, min_days=least)),
        active_days=active_days,
        purchases=purchases,
        signs=n_signs,
        min_days=least,
        within_us=within_us,
        idle_after_us=idle_us,
        as_of_us=facts.as_of_us,
    )


def _at_least_one(argument: str, value: int) -> int:
    number = whole(argument, value)
    if number < 1:
        raise InvalidValueError(message(argument, "a number of days of 1 or more", value))
    return number


def _codes(active_days: IntArray, purchases: IntArray, signs: IntArray, *, min_days: int) -> NDArray[np.int8]:
    is_active = (active_days >= min_days) | (purchases > 0)
    return np.where(is_active, np.int8(2), np.where(signs > 0, np.int8(1), np.int8(0)))


class BehaviourRow(NamedTuple):
    """One member; the names are those of `BehaviourLayers`.

    Attributes
    ----------
    member : str or int
    layer : BehaviourLayer
    active_days, purchases, signs : int

    Examples
    --------
    >>> BehaviourRow(member="ann", layer=BehaviourLayer.ACTIVE, active_days=2, purchases=0, signs=2).layer.zh
    '活跃'
    """

    member: Label
    layer: BehaviourLayer
    active_days: int
    purchases: int
    signs: int


@attrs.frozen(kw_only=True, repr=False)
class BehaviourLayers(Layers[BehaviourRow]):
    """Who is active, potential or silent; made by `behaviour_layers`.

    Attributes
    ----------
    assignment : Assignment
        The layer of each of the n members: ``silent``, ``potential``, ``active``, in this order.
    active_days : ndarray of int64, shape (n,)
        Distinct local days in the window on which the member did something.
    purchases : ndarray of int64, shape (n,)
        Purchases in the window.
    signs : ndarray of int64, shape (n,)
        Signs of life in the last `idle_after_us`.
    min_days : int
        Active days that make a member active.
    within_us, idle_after_us : int
        The two windows, in microseconds.
    as_of_us : int
        The instant of the question, in microseconds since 1970-01-01T00:00Z.

    Examples
    --------
    >>> import pendulum
    >>> import shequn as sq
    >>> log = sq.EventLog.from_columns(member=["ann"], kind="purchase", at=[0], time_unit="s")
    >>> roster = sq.Roster.from_columns(member=["ann", "bo"])
    >>> print(behaviour_layers(roster, log, as_of=pendulum.datetime(1970, 1, 2), tz="UTC"))
    Behaviour as of 1970-01-02 00:00 UTC
    layer      members  share
    ─────────────────────────
    active           1  50.0%
    potential        0   0.0%
    silent           1  50.0%
    """

    assignment: Assignment
    active_days: IntArray = counts_field()
    purchases: IntArray = counts_field()
    signs: IntArray = counts_field()
    min_days: int
    within_us: int
    idle_after_us: int
    as_of_us: int

    _Layer: ClassVar[type[BehaviourLayer]] = BehaviourLayer  # pyright: ignore[reportIncompatibleVariableOverride]
    _Row: ClassVar[type[Any] | None] = BehaviourRow

    @property
    def within(self) -> dt.timedelta:
        """The window of active days and purchases."""
        return from_elapsed_us(self.within_us)

    def place_one(self, *, active_days: int, purchases: int, signs: int) -> BehaviourLayer:
        """Return the layer of one member with these numbers, by the same rule.

        Examples
        --------
        >>> import pendulum
        >>> import shequn as sq
        >>> log, roster = sq.EventLog.empty(), sq.Roster.from_columns(member=["ann"])
        >>> layers = behaviour_layers(roster, log, as_of=pendulum.datetime(2024, 5, 1), tz="UTC")
        >>> layers.place_one(active_days=1, purchases=0, signs=3)
        <BehaviourLayer.POTENTIAL: 'potential'>
        """
        days, bought = one_number("active_days", active_days), one_number("purchases", purchases)
        n_signs = one_number("signs", signs)
        if days >= self.min_days or bought > 0:
            return BehaviourLayer.ACTIVE
        return BehaviourLayer.POTENTIAL if n_signs > 0 else BehaviourLayer.SILENT

    def _evidence(self) -> Sequence[Column]:
        return [
            Column(key="active_days", en="active days", zh="活跃天数", values=self.active_days, format="count"),
            Column(key="purchases", en="purchases", zh="购买", values=self.purchases, format="count"),
            Column(key="signs", en="signs", zh="动静", values=self.signs, format="count"),
        ]

    def _why(self, place: int, lang: Lang, /) -> str:
        days, purchases, signs = (int(column[place]) for column in (self.active_days, self.purchases, self.signs))
        told = _DID[lang].format(days=days, least=self.min_days, n=purchases, window=spelt(self.within_us, lang))
        if days >= self.min_days or purchases:
            return told
        return told + _SIGNS[lang].format(n=signs, window=spelt(self.idle_after_us, lang))

    def _title(self, lang: Lang, /) -> str:
        return as_of_title(self.as_of_us, "行为分层", "Behaviour", lang)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


_DID: dict[Lang, str] = {
    "en": "active days in the last {window}: {days:,} ({least:,} needed), purchases: {n:,}",
    "zh": "近 {window}内活跃 {days:,} 天（需 {least:,} 天），购买 {n:,} 次",
}
_SIGNS: dict[Lang, str] = {
    "en": ", signs of life in the last {window}: {n:,}",
    "zh": "；近 {window}内动静 {n:,} 次",
}
