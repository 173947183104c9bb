"""How many joined, came back, evaporated and were retained? flow − evaporation = retained, exactly, in every period.

With A_p the members present in period p (active in any of the periods p−grace..p, or inside the community at its end):

- joined: present, and their first activity ever is in p
- revived: present in p, not in p−1, and not joined
- stayed: present in p−1 and in p
- evaporated: present in p−1 and not in p
- opening = |A_{p−1}|, retained = |A_p|, flow = joined + revived

so that opening + flow − evaporated = retained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import attrs
import numpy as np

from shequn.columns.breakdown import Breakdown
from shequn.columns.kinds import UnknownKinds, kind_set, of_kinds
from shequn.columns.log import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.labels import Assignment, Index
from shequn.labels.hashing import number_codes
from shequn.retention.horizon import Horizon
from shequn.retention.ledger import Basis, FlowLedger
from shequn.retention.presence import NEVER, NEVER_BEFORE, Presence, presence_of
from shequn.retention.sets import PeriodSets
from shequn.retention.standing import Facts, membership_facts
from shequn.values.calendar import Calendar, Unit, WeekStart
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.labels import Label

__all__ = ["flow_ledger"]

_JOINS, _LEAVES = frozenset({"join"}), frozenset({"leave", "remove"})


@overload
def flow_ledger(
    data: EventLog | Presence,
    /,
    *,
    every: Unit | Calendar | None = ...,
    tz: str | None = ...,
    week_start: WeekStart = ...,
    basis: Basis = ...,
    grace: int = ...,
    kinds: Collection[str] | str | None = ...,
    join: Collection[str] = ...,
    leave: Collection[str] = ...,
    start: dt.datetime | None = ...,
    observed_until: dt.datetime | None = ...,
    by: None = ...,
    unknown_kinds: UnknownKinds = ...,
) -> FlowLedger: ...
@overload
def flow_ledger(
    data: EventLog | Presence,
    /,
    *,
    every: Unit | Calendar | None = ...,
    tz: str | None = ...,
    week_start: WeekStart = ...,
    basis: Basis = ...,
    grace: int = ...,
    kinds: Collection[str] | str | None = ...,
    join: Collection[str] = ...,
    leave: Collection[str] = ...,
    start: dt.datetime | None = ...,
    observed_until: dt.datetime | None = ...,
    by: Assignment | Mapping[Label, Label | None] | str,
    unknown_kinds: UnknownKinds = ...,
) -> Breakdown[FlowLedger]: ...
def flow_ledger(
    data: EventLog | Presence,
    /,
    *,
    every: Unit | Calendar | None = None,
    tz: str | None = None,
    week_start: WeekStart = "monday",
    basis: Basis = "activity",
    grace: int = 0,
    kinds: Collection[str] | str | None = None,
    join: Collection[str] = _JOINS,
    leave: Collection[str] = _LEAVES,
    start: dt.datetime | None = None,
    observed_until: dt.datetime | None = None,
    by: Assignment | Mapping[Label, Label | None] | str | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> FlowLedger | Breakdown[FlowLedger]:
    """Count who joined, came back, evaporated and was retained in each period.

    Parameters
    ----------
    data : EventLog or Presence
        A presence brings its own periods, kinds and end of observation, and knows no membership facts.
    every, tz, week_start, kinds, observed_until, unknown_kinds
        As in `presence`.
    basis : {"activity", "membership"}
        Who is present in a period: the active (in it or in the `grace` periods before), or those inside the community at its end.
    grace : int, default 0
        A member evaporates ``grace + 1`` periods after the last active one.
    join, leave : collection of str
        The kinds that are membership facts. With the activity basis they split the evaporated into left and silent.
    start : aware datetime, optional
        The ledger begins with the period that holds it; what went before decides who joined and who came back.
    by : Assignment, mapping or str, optional
        One segment a member, or the name of a column of the log: then a member counts in each value they have rows with.

    Returns
    -------
    FlowLedger or, with `by`, Breakdown of FlowLedger

    Raises
    ------
    MisalignedError
        `by` is an assignment of other members; see `Assignment.align`.
    InvalidValueError, InvalidTypeError
        An option cannot be used, or not together with the others.

    Notes
    -----
    Opening + joined + revived − evaporated = retained, in integers, in each period.

    Examples
    --------
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann", "cy", "bo"],
    ...     kind="post",
    ...     at=np.array(["2024-01-01", "2024-01-03", "2024-01-08", "2024-01-09", "2024-01-21"], "M8[D]"),
    ...     at_tz="Asia/Shanghai",
    ... )
    >>> print(flow_ledger(log, every="week", tz="Asia/Shanghai"))
    period      opening  joined  revived  evaporated  retained  evaporation  growth  complete
    ─────────────────────────────────────────────────────────────────────────────────────────
    2024-01-01        0       2        0           0         2            –       –  yes
    2024-01-08        2       1        0           1         2        50.0%    0.0%  yes
    2024-01-15        2       0        1           2         1            –       –  no
    """
    if isinstance(grace, bool) or not isinstance(grace, int) or grace < 0:
        raise InvalidValueError(message("grace", "a number of periods >= 0", grace))
    if basis not in ("activity", "membership"):
        raise InvalidValueError(message("basis", "'activity' or 'membership'", basis))
    if not isinstance(data, EventLog | Presence):
        raise InvalidTypeError(message("data", "an EventLog or a Presence", data))
    log = data if isinstance(data, EventLog) else None
    if isinstance(data, Presence):
        _require_defaults(basis=(basis, "activity"), kinds=(kinds, None), observed_until=(observed_until, None))
        calendar = data.calendar
        if every is not None and Calendar.of(every, tz=tz or calendar.tz, week_start=week_start) != calendar:
            raise InvalidValueError(message("every", f"the periods of the presence ({calendar.name()})", every))
    else:
        if every is None:
            raise InvalidTypeError(message("every", "a period, such as 'week', when the data is a log", every))
        calendar = Calendar.of(every, tz=tz, week_start=week_start)
    plan = _Plan(
        log=log,
        presence=data if isinstance(data, Presence) else None,
        calendar=calendar,
        kinds=data.kinds
        if isinstance(data, Presence)
        else None
        if kinds is None
        else kind_set(kinds, argument="kinds"),
        unknown_kinds=unknown_kinds,
        horizon=data.horizon if isinstance(data, Presence) else Horizon.of(data, observed_until),
        basis=basis,
        grace=grace,
        join=kind_set(join, argument="join"),
        leave=kind_set(leave, argument="leave"),
        starts_at=None if start is None else calendar.index_one(instant_us(start, argument="start")),
    )
    everybody = plan.ledgers(plan.member_units())[0]
    if by is None:
        return everybody
    units = attrs.evolve(plan, unknown_kinds="ignore").units(by)
    *parts, unassigned = attrs.evolve(plan, unknown_kinds="ignore").ledgers(units)
    return Breakdown(
        total=everybody,
        parts=dict(zip(units.segments, parts, strict=True)),
        unassigned=unassigned if units.has_unassigned else None,
    )


def _require_defaults(**options: tuple[object, object]) -> None:
    """Refuse options that a presence has settled already."""
    for name, (given, default) in options.items():
        if given != default:
            raise InvalidValueError(message(name, "what the presence was made with: pass the log to change it", given))


@attrs.frozen(eq=False)
class _Units:
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
        self, units: NDArray[Any], periods: NDArray[Any], n_periods: int, n: IntArray | None = None
    ) -> IntArray:
        """Count units, or add up `n`, by segment and period, shape (n_rows, n_periods); periods outside the axis are left out."""
        on_axis = (periods >= 0) & (periods < n_periods)
        keys = periods[on_axis].astype(np.int64)
        if not self.is_one:
            keys += self.segment[units[on_axis]] * n_periods
        size = self.n_rows * n_periods
        if n is None:
            return np.bincount(keys, minlength=size).reshape(self.n_rows, n_periods)
        counts = np.zeros(size, dtype=np.int64)
        np.add.at(counts, keys, n[on_axis])
        return counts.reshape(self.n_rows, n_periods)


@attrs.frozen(kw_only=True, eq=False)
class _Plan:
    """The options of one call, checked."""

    log: EventLog | None
    presence: Presence | None
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

    def member_units(self) -> _Units:
        members = self.members
        return _Units(
            members,
            None if self.log is None else self.log.member_codes,
            None,
            np.zeros(len(members), dtype=np.int64),
            Index(["all"]),
            is_one=True,
        )

    @property
    def members(self) -> Index:
        return self.log.members if self.log is not None else self.presence.members  # type: ignore[union-attr]

    def units(self, by: Assignment | Mapping[Label, Label | None] | str) -> _Units:
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
        return _Units(Index.positional(len(distinct)), codes, None if by == "group" else member, segment, column.index)

    def _units_by_assignment(self, by: Assignment | Mapping[Label, Label | None]) -> _Units:
        if isinstance(by, Assignment):
            self.members.require_aligned(by.members, argument="by")
            assignment = by
        elif hasattr(by, "items"):
            assignment = Assignment.from_mapping(by).align(self.members)
        else:
            raise InvalidTypeError(message("by", "an Assignment, a mapping or the name of a column", by))
        units = self.member_units()
        codes = assignment.codes.astype(np.int64)
        segment = np.where(codes < 0, len(assignment.segments), codes)
        return attrs.evolve(units, segment=segment, segments=assignment.segments, is_one=False)

    # ── counting ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def ledgers(self, units: _Units) -> list[FlowLedger]:
        """Return the ledger of each segment, and last that of the units in none."""
        facts = self._facts(units)
        counts = self._membership(units, facts) if self.basis == "membership" else self._activity(units, facts)
        ledgers = [self._ledger(counts, facts, row) for row in range(units.n_rows)]
        return ledgers if self.starts_at is None else [ledger._from(self.starts_at) for ledger in ledgers]

    def _ledger(self, counts: _Counts, facts: Facts | None, row: int) -> FlowLedger:
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

    def _facts(self, units: _Units) -> Facts | None:
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
        """Return the first period and the number of periods: from the first activity or fact to the end of observation."""
        lows = [int(facts.period.min())] if facts is not None and len(facts.unit) else []
        ends = [int(facts.period.max())] if lows and facts is not None else []
        if presence is not None and (presence.n_periods or (presence.before > NEVER_BEFORE).any()):
            lows.append(presence.first_period)
            ends.append(presence.first_period + presence.n_periods - 1)
        if not lows or self.horizon.until_us is None:
            return 0, 0
        return min(lows), max(*ends, self.calendar.index_one(self.horizon.until_us - 1)) - min(lows) + 1

    def _activity(self, units: _Units, facts: Facts | None) -> _Counts:
        presence = self.presence
        if self.log is not None and units.codes is not None:
            presence = presence_of(
                self.log,
                calendar=self.calendar,
                kinds=self.kinds,
                counted=of_kinds(self.log, self.kinds, unknown_kinds=self.unknown_kinds),
                horizon=self.horizon,
                members=units.index,
                codes=units.codes,
            )
        assert presence is not None  # noqa: S101  (a plan has a log or a presence)
        low, n = self._axis(presence, facts)
        before = np.where(presence.before == NEVER_BEFORE, NEVER_BEFORE, presence.before - low)
        sets = presence.sets
        if n:
            lead = presence.first_period - low if presence.n_periods else 0
            sets = sets.padded(lead, n - lead - presence.n_periods)
        entered, exited = sets.changes(self.grace, before)
        counts = _Counts.zeros(low, n, units.n_rows, self.grace + 1)
        counts.opening[:] = units.tally(before >= -1 - self.grace)
        counts.entered[:] = units.tally_periods(entered)
        counts.exited[:] = units.tally_periods(exited)
        started = np.flatnonzero(presence.first != NEVER)
        counts.joined[:] = units.tally_cells(started, presence.first[started] - low, n)
        inside = _Standing.of(units, facts, presence.first, low, n)
        inside.count(counts, entered, exited)
        silent = low + n - 1 - presence.last.astype(np.int64)
        held = np.flatnonzero((silent >= 0) & (silent <= self.grace))
        places = units.segment[held] * (self.grace + 1) + silent[held]
        places = places * 2 + inside.is_inside[held]
        counts.tail[:] = np.bincount(places, minlength=counts.tail.size).reshape(counts.tail.shape)
        return counts

    def _membership(self, units: _Units, facts: Facts | None) -> _Counts:
        low, n = self._axis(None, facts)
        counts = _Counts.zeros(low, n, units.n_rows, 1)
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
        for name, (unit, period, times) in (("turnover", facts.turnover()), ("ignored", facts.ignored())):
            getattr(counts, name)[:] = units.tally_cells(unit, period - low, n, times)
        counts.inside_at_end[:] = counts.tail[:, 0, 1] = counts.inside[:, -1]
        return counts


@attrs.frozen(eq=False)
class _Counts:
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
    def zeros(cls, low: int, n_periods: int, n_rows: int, n_tail: int) -> _Counts:
        def table(*shape: int) -> IntArray:
            return np.zeros((n_rows, *shape), dtype=np.int64)

        return cls(low, table(), *(table(n_periods) for _ in range(8)), table(n_tail, 2), table())


@attrs.frozen(eq=False)
class _Standing:
    """Who is inside the community, carried from period to period: all who were seen and have not left."""

    units: _Units
    facts: Facts | None
    seen: NDArray[np.int64]  # period of each unit's first activity or fact, from the first of the axis
    n_periods: int
    low: int
    is_inside: NDArray[np.bool_]  # at the end of the axis, once counted

    @classmethod
    def of(cls, units: _Units, facts: Facts | None, first: NDArray[np.int32], low: int, n_periods: int) -> _Standing:
        n = len(units.index)
        told = facts if facts is not None and len(facts.unit) else None
        seen = first
        if told is not None and units.person is None:
            seen = np.minimum(first, told.first_period(n, NEVER))
        return cls(units, told, seen.astype(np.int64) - low, n_periods, low, np.ones(n, dtype=np.bool_))

    def count(self, counts: _Counts, entered: PeriodSets, exited: PeriodSets) -> None:
        """Fill in who left, who is inside and who of those is present."""
        units = self.units
        if self.facts is None:
            started = np.flatnonzero(self.seen < self.n_periods)
            counts.inside[:] = np.cumsum(
                units.tally_cells(started, np.maximum(self.seen[started], 0), self.n_periods), axis=1
            )
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
                counts.inside[:, period] = units.tally(self.is_inside & (self.seen <= period))
                counts.present_inside[:, period] = units.tally(self.is_inside & is_present)
        if self.n_periods:
            counts.inside_at_end[:] = counts.inside[:, -1]
