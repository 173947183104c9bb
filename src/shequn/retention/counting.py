"""The counting behind a ledger: units, their segments, and who came in, fell out and is inside in each period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.kinds import UnknownKinds, of_kinds
from shequn.columns.segments import assignment_of
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.labels import Assignment, Index
from shequn.labels.hashing import number_codes
from shequn.retention.ledger import Basis, FlowLedger
from shequn.retention.presence import NEVER, NEVER_BEFORE, Presence, last_period, presence_of, require_axis
from shequn.retention.standing import Facts, membership_facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.columns.horizon import Horizon
    from shequn.columns.log import EventLog
    from shequn.labels import Label
    from shequn.retention.sets import PeriodSets
    from shequn.values.calendar import Calendar

__all__ = ["Plan", "Units"]

_BLOCK = 1 << 16  # units counted at a time, so that what is made of them stays in the cache


@attrs.frozen(eq=False)
class Units:
    """What is counted: members, or members in a value of a column; and the segment of each."""

    index: Index
    codes: NDArray[np.int64] | NDArray[np.int32] | None  # unit of each row of the log
    person: NDArray[np.int64] | None  # whose membership facts speak for the unit; None: the unit's own
    segment: NDArray[np.int64]  # code in `segments`, or one past the last for none
    segments: Index
    is_one: bool = False  # everybody is in the one segment, so nobody has to be looked up

    @property
    def n_rows(self) -> int:
        """Number of segments, and one more for none."""
        return len(self.segments) + 1

    @property
    def has_unassigned(self) -> bool:
        """Whether some unit is in no segment."""
        return bool((self.segment == len(self.segments)).any())

    def tally(self, units: NDArray[Any]) -> IntArray:
        """Count units, given by codes or by a mask, by segment, shape (n_rows,)."""
        if self.is_one:
            n = np.count_nonzero(units) if units.dtype == np.bool_ else len(units)
            return np.array([n, 0], dtype=np.int64)
        return np.bincount(self.segment[units], minlength=self.n_rows)

    def tally_periods(self, sets: PeriodSets) -> IntArray:
        """Count the units of each period by segment, shape (n_rows, n_periods)."""
        if self.is_one:
            return np.stack([sets.counts(), np.zeros(sets.n_periods, dtype=np.int64)])
        columns = [self.tally(sets.codes(period)) for period in range(sets.n_periods)]
        return np.stack(columns, axis=1) if columns else np.zeros((self.n_rows, 0), dtype=np.int64)

    def tally_cells(
        self, units: NDArray[Any] | None, periods: NDArray[Any], n_periods: int, n: IntArray | None = None
    ) -> IntArray:
        """Count units (None: all), or add up `n`, by segment and period, on the axis, shape (n_rows, n_periods)."""
        # One column more on either side takes what lies outside: cheaper than to pick out what lies inside.
        width = n_periods + 2
        counts = np.zeros(self.n_rows * width, dtype=np.int64)
        size = max(_BLOCK, len(counts))
        for start in range(0, len(periods), size):
            block = slice(start, start + size)
            keys = np.clip(periods[block], -1, n_periods).astype(np.int64) + 1
            if not self.is_one:
                keys += (self.segment[block] if units is None else self.segment[units[block]]) * width
            if n is None:
                counts += np.bincount(keys, minlength=len(counts))
            else:
                np.add.at(counts, keys, n[block])
        return counts.reshape(self.n_rows, width)[:, 1:-1]


@attrs.frozen(kw_only=True, eq=False)
class Plan:
    """The options of one call, checked."""

    data: EventLog | Presence
    calendar: Calendar
    kinds: frozenset[str] | None
    unknown_kinds: UnknownKinds
    horizon: Horizon
    basis: Basis
    grace: int
    join: frozenset[str]
    leave: frozenset[str]
    starts_at: int | None

    # ── units ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def member_units(self) -> Units:
        """Return the members as units, all in one segment."""
        members = self.members
        return Units(
            members,
            None if self.log is None else self.log.member_codes,
            None,
            np.zeros(len(members), dtype=np.int64),
            Index(["all"]),
            is_one=True,
        )

    @property
    def members(self) -> Index:
        """The members of the data."""
        return self.data.members

    @property
    def log(self) -> EventLog | None:
        """The log, where the data is one."""
        return None if isinstance(self.data, Presence) else self.data

    def units(self, by: Assignment | Mapping[Label, Label | None] | str) -> Units:
        """Return what a breakdown counts: members in their segments, or members in the values of a column."""
        if not isinstance(by, str):
            return self._units_by_assignment(by)
        if self.log is None:
            raise InvalidTypeError(message("by", "an assignment: a presence has no columns", by))
        if self.basis == "membership" and by != "group":
            raise InvalidValueError(message("by", "'group' or an assignment with basis='membership'", by))
        column = self.log.labelled_column(by)
        n_values = len(column.index) + 1
        pairs = self.log.member_codes.astype(np.int64) * n_values + (column.codes.astype(np.int64) + 1)
        codes, distinct = number_codes(pairs.view(np.uint64))
        member, value = np.divmod(distinct.view(np.int64), n_values)
        segment = np.where(value == 0, len(column.index), value - 1)
        return Units(Index.positional(len(distinct)), codes, None if by == "group" else member, segment, column.index)

    def _units_by_assignment(self, by: Assignment | Mapping[Label, Label | None]) -> Units:
        assignment = assignment_of(by, self.members)
        units = self.member_units()
        codes = assignment.codes.astype(np.int64)
        segment = np.where(codes < 0, len(assignment.segments), codes)
        return attrs.evolve(units, segment=segment, segments=assignment.segments, is_one=False)

    # ── counting ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def ledgers(self, units: Units) -> list[FlowLedger]:
        """Return the ledger of each segment, and last that of the units in none."""
        facts = self._facts(units)
        counts = self._membership(units, facts) if self.basis == "membership" else self._activity(units, facts)
        ledgers = [self._ledger(counts, facts, row) for row in range(units.n_rows)]
        return ledgers if self.starts_at is None else [ledger.since(self.starts_at) for ledger in ledgers]

    def _ledger(self, counts: Counts, facts: Facts | None, row: int) -> FlowLedger:
        retained = counts.opening[row] + np.cumsum(counts.entered[row] - counts.exited[row])
        return FlowLedger(
            calendar=self.calendar,
            first_period=counts.low,
            opening=np.concatenate([[counts.opening[row]], retained])[: len(retained)],
            joined=counts.joined[row],
            revived=counts.entered[row] - counts.joined[row],
            evaporated=counts.exited[row],
            left=counts.left[row],
            inside=counts.inside[row],
            present_inside=counts.present_inside[row],
            turnover=counts.turnover[row],
            ignored=counts.ignored[row],
            tail=counts.tail[row],
            inside_at_end=int(counts.inside_at_end[row]),
            grace=self.grace,
            basis=self.basis,
            kinds=self.kinds,
            has_membership=facts is not None and len(facts.unit) > 0,
            horizon=self.horizon,
        )

    def _facts(self, units: Units) -> Facts | None:
        if self.log is None or self.horizon.until_us is None:
            return None
        codes = self.log.member_codes if units.person is not None else units.codes
        return membership_facts(
            self.log,
            join=self.join,
            leave=self.leave,
            calendar=self.calendar,
            until_us=self.horizon.until_us,
            units=codes,
        )

    def _axis(self, presence: Presence | None, facts: Facts | None) -> tuple[int, int]:
        """Return the first period and their number: from the first activity or fact to the end of observation."""
        lows = [int(facts.period.min())] if facts is not None and len(facts.unit) else []
        if presence is not None and (presence.n_periods or (presence.before > NEVER_BEFORE).any()):
            lows.append(presence.first_period)
        if not lows or self.horizon.until_us is None:
            return 0, 0
        return min(lows), require_axis(last_period(self.calendar, self.horizon.until_us) - min(lows) + 1)

    def _presence(self, units: Units) -> Presence:
        if isinstance(self.data, Presence):
            return self.data
        assert units.codes is not None  # noqa: S101  (units of a log have a code a row)
        return presence_of(
            self.data,
            calendar=self.calendar,
            kinds=self.kinds,
            counted=of_kinds(self.data, self.kinds, unknown_kinds=self.unknown_kinds),
            horizon=self.horizon,
            members=units.index,
            codes=units.codes,
        )

    def _activity(self, units: Units, facts: Facts | None) -> Counts:
        presence = self._presence(units)
        low, n = self._axis(presence, facts)
        before: NDArray[Any] = presence.before
        if (before != NEVER_BEFORE).any():
            before = np.where(before == NEVER_BEFORE, NEVER_BEFORE, before.astype(np.int64) - low)
        sets = presence.sets
        if n:
            lead = presence.first_period - low if presence.n_periods else 0
            sets = sets.padded(lead, n - lead - presence.n_periods)
        entered, exited = sets.changes(self.grace, before)
        counts = Counts.zeros(low, n, units.n_rows, self.grace + 1)
        counts.opening[:] = units.tally(before >= -1 - self.grace)
        counts.entered[:] = units.tally_periods(entered)
        counts.exited[:] = units.tally_periods(exited)
        first = np.clip(presence.first, low - 1, low + n) - np.int32(low)
        counts.joined[:] = units.tally_cells(None, first, n)
        inside = Standing.of(units, facts, presence.first, low, n)
        inside.count(counts, entered, exited)
        later = np.zeros(len(units.index), dtype=np.bool_)
        for silent in range(self.grace + 1):
            period = n - 1 - silent
            last = (sets.mask(period) if period >= 0 else before == period) & ~later
            later |= last
            counts.tail[:, silent, 0] = units.tally(last & ~inside.is_inside)
            counts.tail[:, silent, 1] = units.tally(last & inside.is_inside)
        return counts

    def _membership(self, units: Units, facts: Facts | None) -> Counts:
        low, n = self._axis(None, facts)
        counts = Counts.zeros(low, n, units.n_rows, 1)
        if facts is None or not n:
            return counts
        n_units = len(units.index)
        flips = facts.flips(low, n, n_units, initially_inside=False)
        first_join = facts.first_join(n_units, NEVER) - low
        is_inside = np.zeros(n_units, dtype=np.bool_)
        for period in range(n):
            changed = flips.codes(period)
            is_inside[changed] ^= True
            came = changed[is_inside[changed]]
            counts.entered[:, period] = units.tally(came)
            counts.exited[:, period] = units.tally(changed[~is_inside[changed]])
            counts.joined[:, period] = units.tally(came[first_join[came] == period])
        counts.left[:] = counts.exited
        counts.inside[:] = counts.present_inside[:] = np.cumsum(counts.entered - counts.exited, axis=1)
        for table, (unit, at, times) in ((counts.turnover, facts.turnover()), (counts.ignored, facts.ignored())):
            table[:] = units.tally_cells(unit, at - low, n, times)
        counts.inside_at_end[:] = counts.tail[:, 0, 1] = counts.inside[:, -1]
        return counts


@attrs.frozen(eq=False)
class Counts:
    """What is counted, a row a segment and a column a period."""

    low: int
    opening: IntArray  # (n_rows,)
    entered: IntArray
    exited: IntArray
    joined: IntArray
    left: IntArray
    inside: IntArray
    present_inside: IntArray
    turnover: IntArray
    ignored: IntArray
    tail: IntArray  # (n_rows, grace + 1, 2)
    inside_at_end: IntArray

    @classmethod
    def zeros(cls, low: int, n_periods: int, n_rows: int, n_tail: int) -> Counts:
        """Return counts of nobody."""

        def table(*shape: int) -> IntArray:
            return np.zeros((n_rows, *shape), dtype=np.int64)

        return cls(
            low=low,
            opening=table(),
            entered=table(n_periods),
            exited=table(n_periods),
            joined=table(n_periods),
            left=table(n_periods),
            inside=table(n_periods),
            present_inside=table(n_periods),
            turnover=table(n_periods),
            ignored=table(n_periods),
            tail=table(n_tail, 2),
            inside_at_end=table(),
        )


@attrs.frozen(eq=False)
class Standing:
    """Who is inside the community, carried from period to period: all who were seen and have not left."""

    units: Units
    facts: Facts | None
    seen: NDArray[np.int32]  # number of the period of each unit's first activity or fact
    n_periods: int
    low: int
    is_inside: NDArray[np.bool_]  # at the end of the axis, once counted

    @classmethod
    def of(cls, units: Units, facts: Facts | None, first: NDArray[np.int32], low: int, n_periods: int) -> Standing:
        n = len(units.index)
        told = facts if facts is not None and len(facts.unit) else None
        seen = first
        if told is not None and units.person is None:
            seen = np.minimum(first, told.first_period(n, NEVER))
        return cls(units, told, seen, n_periods, low, np.ones(n, dtype=np.bool_))

    def count(self, counts: Counts, entered: PeriodSets, exited: PeriodSets) -> None:
        """Fill in who left, who is inside and who of those is present."""
        units = self.units
        if self.facts is None:
            counts.inside[:] = units.tally(self.seen < self.low)[:, None] + np.cumsum(counts.joined, axis=1)
            counts.present_inside[:] = counts.opening[:, None] + np.cumsum(counts.entered - counts.exited, axis=1)
        else:
            n_persons = len(units.index) if units.person is None else int(units.person.max()) + 1
            flips = self.facts.flips(self.low, self.n_periods, n_persons, initially_inside=True)
            person_inside = np.ones(n_persons, dtype=np.bool_)
            is_present = np.zeros(len(units.index), dtype=np.bool_)
            for period in range(self.n_periods):
                person_inside[flips.codes(period)] ^= True
                self.is_inside[:] = person_inside if units.person is None else person_inside[units.person]
                gone = exited.codes(period)
                is_present[entered.codes(period)] = True
                is_present[gone] = False
                counts.left[:, period] = units.tally(gone[~self.is_inside[gone]])
                counts.inside[:, period] = units.tally(self.is_inside & (self.seen <= self.low + period))
                counts.present_inside[:, period] = units.tally(self.is_inside & is_present)
        counts.inside_at_end[:] = units.tally(self.is_inside & (self.seen < self.low + self.n_periods))
