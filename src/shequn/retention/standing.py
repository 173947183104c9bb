"""Who is inside the community, and when did that change? Joins, leaves and removals folded to one state a member."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.changes import membership_changes
from shequn.retention.sets import PeriodSets, sets_of_cells

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.log import EventLog
    from shequn.values.calendar import Calendar

__all__ = ["Facts", "membership_facts"]


@attrs.frozen(eq=False)
class Facts:
    """Membership facts of units (members, or members in a group), ordered by unit, instant and row.

    `inside` tells whether the unit is inside after the fact. A member is inside while inside one group at least, and a
    fact without a group counts as a group of its own. `changes` tells whether the fact did anything at all: a join
    while inside that group and a leave while outside it do nothing.
    """

    unit: NDArray[np.int64]
    period: IntArray
    inside: BoolArray
    is_join: BoolArray
    changes: BoolArray

    def first_period(self, n_units: int, never: int) -> NDArray[np.int32]:
        """Return the period of each unit's first fact, `never` where it has none."""
        first = np.full(n_units, never, dtype=np.int32)
        np.minimum.at(first, self.unit, self.period.astype(np.int32))
        return first

    def first_join(self, n_units: int, never: int) -> NDArray[np.int32]:
        """Return the period of each unit's first join, `never` where it has none."""
        first = np.full(n_units, never, dtype=np.int32)
        np.minimum.at(first, self.unit[self.is_join], self.period[self.is_join].astype(np.int32))
        return first

    def flips(self, low: int, n_periods: int, n_units: int, *, initially_inside: bool) -> PeriodSets:
        """Return, for each period from `low` on, the units whose state at its end is not that of the period before."""
        unit, period, inside = self._last_of_period()
        before = np.empty_like(inside)
        before[1:] = inside[:-1]
        new_unit = np.ones(len(unit), dtype=np.bool_)
        new_unit[1:] = unit[1:] != unit[:-1]
        before[new_unit] = initially_inside
        flips = (inside != before) & (period >= low) & (period < low + n_periods)
        return sets_of_cells(period[flips] - low, unit[flips], n_periods, n_units)

    def _last_of_period(self) -> tuple[NDArray[np.int64], IntArray, BoolArray]:
        last = np.ones(len(self.unit), dtype=np.bool_)
        last[:-1] = (self.unit[1:] != self.unit[:-1]) | (self.period[1:] != self.period[:-1])
        return self.unit[last], self.period[last], self.inside[last]

    def turnover(self) -> tuple[NDArray[np.int64], IntArray, IntArray]:
        """Return unit, period and number of the pairs of coming in and going out inside one period."""
        same_unit = np.zeros(len(self.unit), dtype=np.bool_)
        same_unit[1:] = self.unit[1:] == self.unit[:-1]
        before = np.zeros(len(self.unit), dtype=np.bool_)
        before[1:] = self.inside[:-1]
        before &= same_unit
        same_cell = same_unit.copy()
        same_cell[1:] &= self.period[1:] == self.period[:-1]
        cell = np.cumsum(~same_cell) - 1
        firsts = np.flatnonzero(~same_cell)
        came = np.bincount(cell[self.inside & ~before], minlength=len(firsts))
        went = np.bincount(cell[~self.inside & before], minlength=len(firsts))
        return self.unit[firsts], self.period[firsts], np.minimum(came, went)

    def ignored(self) -> tuple[NDArray[np.int64], IntArray, IntArray]:
        """Return unit, period and number (1 each) of the facts that did nothing."""
        idle = ~self.changes
        return self.unit[idle], self.period[idle], np.ones(int(idle.sum()), dtype=np.int64)


def membership_facts(
    log: EventLog,
    /,
    *,
    join: Collection[str],
    leave: Collection[str],
    calendar: Calendar,
    until_us: int,
    units: NDArray[Any] | None = None,
) -> Facts:
    """Fold the membership facts of a log before an instant.

    Parameters
    ----------
    join, leave : collection of str
        Kinds that bring a member in, and that take one out.
    units : ndarray of int64, shape (n_rows,), optional
        Unit of each row; by default its member. Rows with -1 are left out.
    """
    told = membership_changes(log, join=join, leave=leave, before_us=until_us, unknown_kinds="ignore")
    unit_of_row = log.member_codes if units is None else units
    rows = np.concatenate([told.rows, told.ignored_rows])
    changes = np.arange(len(rows)) < len(told.rows)
    known = unit_of_row[rows] >= 0
    rows, changes = rows[known], changes[known]
    unit, at_us = unit_of_row[rows].astype(np.int64), log.at_us[rows]
    is_join = np.array([kind in join for kind in log.kinds], dtype=np.bool_)[log.kind_codes[rows]]

    order = np.lexsort((rows, at_us, unit))
    unit, at_us, is_join, changes = unit[order], at_us[order], is_join[order], changes[order]
    steps = np.where(is_join, 1, -1) * changes
    total = np.cumsum(steps)
    starts = np.concatenate([[True], unit[1:] != unit[:-1]])[: len(unit)]
    # Restart the sum at each unit: what stood before its first fact is taken off all of its facts.
    base = (total - steps)[starts][np.cumsum(starts) - 1] if len(unit) else total
    return Facts(unit, _periods_in_order(unit, calendar.index(at_us)), total - base > 0, is_join, changes)


def _periods_in_order(unit: NDArray[np.int64], period: NDArray[np.int32]) -> IntArray:
    """Return the period of each fact, none earlier than that of the unit's fact before.

    Where clocks go back over midnight an earlier day comes twice, and what happens then counts in the later one.
    """
    if not len(period):
        return period.astype(np.int64)
    low = int(period.min())
    base = unit * (int(period.max()) - low + 1) - low
    return np.maximum.accumulate(base + period) - base
