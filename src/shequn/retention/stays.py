"""When did each member first and last do something, and who of them has evaporated?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.in_window import InWindow
from shequn.columns.readonly import by_fields, frozen, int64
from shequn.errors import InvalidValueError, message
from shequn.retention.time_units import span_text
from shequn.stats import SurvivalTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.horizon import Horizon
    from shequn.columns.log import EventLog

__all__ = ["IdleRule", "Stays", "stays_of"]

_BLOCK = 1 << 15  # rows whose copies stay in the cache
_NEVER_FIRST = np.iinfo(np.int64).max
_NEVER_LAST = np.iinfo(np.int64).min


def _instants_field() -> Any:  # noqa: ANN401
    field: Callable[..., Any] = attrs.field
    return field(converter=int64, eq=attrs.cmp_using(eq=np.array_equal))


@attrs.frozen(kw_only=True)
class IdleRule:
    """Who counts as evaporated: those without activity in the last `idle_us` microseconds observed.

    Attributes
    ----------
    idle_us : int
    kinds : frozenset of str or None
        The kinds that are activity; None for the default.
    horizon : Horizon
        The end of observation, and whether it was derived from the data.

    Examples
    --------
    >>> from shequn.columns.horizon import Horizon
    >>> IdleRule(idle_us=10, horizon=Horizon(explicit_us=100)).followed_until_us
    90
    """

    idle_us: int
    kinds: frozenset[str] | None = None
    horizon: Horizon

    @property
    def followed_until_us(self) -> int | None:
        """The last instant of follow-up; None where nothing was observed."""
        until_us = self.horizon.until_us
        return None if until_us is None else until_us - self.idle_us

    def merge(self, other: IdleRule, /) -> IdleRule:
        """Return the rule of both parts.

        Raises
        ------
        InvalidValueError
            They differ in what evaporated means, or in the end of observation that a caller gave.
        """
        for name, mine, theirs in (
            ("idle_after", span_text(self.idle_us, "en"), span_text(other.idle_us, "en")),
            ("kinds", _named(self.kinds), _named(other.kinds)),
        ):
            if mine != theirs:
                raise InvalidValueError(message(name, f"the same in both parts ({mine})", theirs))
        return attrs.evolve(self, horizon=self.horizon.merge(other.horizon))


def _named(kinds: frozenset[str] | None) -> list[str] | None:
    return None if kinds is None else sorted(kinds)


@attrs.frozen(kw_only=True)
class Stays:
    """First and last activity of members, in ascending order, so that those of the same members are equal.

    Attributes
    ----------
    first_us, last_us : ndarray of int64, shape (n,)

    Examples
    --------
    >>> stays = Stays(first_us=[0, 40], last_us=[50, 95])
    >>> stays.counted(90)
    (SurvivalTable(n=2, events=1, times=1, last=50), 0)
    """

    first_us: IntArray = _instants_field()
    last_us: IntArray = _instants_field()

    @classmethod
    def of_nobody(cls) -> Stays:
        """Return the stays of nobody."""
        return cls(first_us=np.zeros(0, dtype=np.int64), last_us=np.zeros(0, dtype=np.int64))

    def take(self, chosen: BoolArray, /) -> Stays:
        """Return those of some members."""
        return Stays(first_us=frozen(self.first_us[chosen]), last_us=frozen(self.last_us[chosen]))

    def ordered(self) -> Stays:
        """Return the same in ascending order."""
        order = np.lexsort((self.last_us, self.first_us))
        return Stays(first_us=frozen(self.first_us[order]), last_us=frozen(self.last_us[order]))

    def merge(self, other: Stays, /) -> Stays:
        """Return the stays of the members of both."""
        first_us = np.concatenate([self.first_us, other.first_us])
        return Stays(first_us=first_us, last_us=np.concatenate([self.last_us, other.last_us])).ordered()

    def counted(self, followed_until_us: int | None, /) -> tuple[SurvivalTable, int]:
        """Return the survival table of those followed up to an instant, and how many began after it."""
        if followed_until_us is None:
            return SurvivalTable.from_durations(np.zeros(0, dtype=np.int64)), 0
        has_gone = self.last_us <= followed_until_us
        durations = np.minimum(self.last_us, followed_until_us)
        durations -= self.first_us
        is_old = durations >= 0  # the others began after it
        n_young = len(is_old) - int(np.count_nonzero(is_old))
        if n_young:
            durations, has_gone = durations[is_old], has_gone[is_old]
        return SurvivalTable.from_durations(durations, has_gone), n_young

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def stays_of(log: EventLog, is_active: BoolArray, until_us: int, units: IntArray | None, n_units: int) -> Stays:
    """Return the first and last activity before an instant of each unit, as they are numbered.

    Parameters
    ----------
    is_active : ndarray of bool, shape (n_kinds,)
        Whether a kind is activity, by its code.
    units : ndarray of int64, shape (n_rows,), or None
        Number of each row's unit; None for the member.

    Returns
    -------
    Stays
        Of a unit without activity, the first lies after the last.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> log = EventLog.from_columns(member=["ann", "bo", "ann"], kind="post", at=[0, 1, 2], time_unit="s")
    >>> stays_of(log, np.array([True]), 9_000_000, None, 2).last_us
    array([2000000, 1000000])
    """
    first_us = np.full(n_units, _NEVER_FIRST, dtype=np.int64)
    last_us = np.full(n_units, _NEVER_LAST, dtype=np.int64)
    window = InWindow(kinds=is_active, after_us=None, until_us=until_us - 1)
    masks = np.empty((2, min(_BLOCK, len(log))), dtype=np.bool_)
    codes = log.member_codes if units is None else units
    for start in range(0, len(log), _BLOCK):
        block = slice(start, min(start + _BLOCK, len(log)))
        places = window.places(log, block, masks)
        unit, at_us = codes[block], log.at_us[block]
        if places is not None:
            unit, at_us = unit.take(places), at_us.take(places)
        unit = unit.astype(np.int64, copy=False)
        np.minimum.at(first_us, unit, at_us)
        np.maximum.at(last_us, unit, at_us)
    return Stays(first_us=frozen(first_us), last_us=frozen(last_us))
