"""Who began when, and who came back at which offset? The counting behind a cohort table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, get_args, overload

import attrs
import numpy as np

from shequn.columns.breakdown import Breakdown
from shequn.columns.horizon import Horizon
from shequn.columns.kinds import UnknownKinds, kind_set, of_kinds
from shequn.columns.log import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.retention.cohorts import (
    Anchor,
    Clock,
    CohortDefinition,
    CohortTable,
    Mode,
    count_columns,
    lengths_through,
    require_brackets,
    require_table,
)
from shequn.retention.presence import (
    NEVER,
    NEVER_BEFORE,
    Presence,
    last_period,
    presence_of,
    require_periods,
    require_remembered,
)
from shequn.retention.segments import segments_of
from shequn.retention.sets import PeriodSets, count_codes, fits_bits, sets_of_cells
from shequn.stats._checks import one_of, whole
from shequn.values.calendar import Calendar, Unit, WeekStart
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.labels import Assignment, Label

__all__ = ["cohort_table"]

_LATEST = np.iinfo(np.int64).max
_MOST_ROWS = 2**31


@overload
def cohort_table(
    data: EventLog | Presence,
    /,
    *,
    every: Unit | Calendar | None = ...,
    tz: str | None = ...,
    week_start: WeekStart = ...,
    anchor: Anchor = ...,
    mode: Mode = ...,
    clock: Clock = ...,
    brackets: Sequence[tuple[int, int]] = ...,
    max_offset: int | None = ...,
    min_occurrences: int = ...,
    kinds: Collection[str] | str | None = ...,
    anchor_kinds: Collection[str] | str | None = ...,
    start: dt.datetime | None = ...,
    end: dt.datetime | None = ...,
    observed_until: dt.datetime | None = ...,
    by: None = ...,
    unknown_kinds: UnknownKinds = ...,
) -> CohortTable: ...
@overload
def cohort_table(
    data: EventLog | Presence,
    /,
    *,
    every: Unit | Calendar | None = ...,
    tz: str | None = ...,
    week_start: WeekStart = ...,
    anchor: Anchor = ...,
    mode: Mode = ...,
    clock: Clock = ...,
    brackets: Sequence[tuple[int, int]] = ...,
    max_offset: int | None = ...,
    min_occurrences: int = ...,
    kinds: Collection[str] | str | None = ...,
    anchor_kinds: Collection[str] | str | None = ...,
    start: dt.datetime | None = ...,
    end: dt.datetime | None = ...,
    observed_until: dt.datetime | None = ...,
    by: Assignment | Mapping[Label, Label | None] | str,
    unknown_kinds: UnknownKinds = ...,
) -> Breakdown[CohortTable]: ...
def cohort_table(
    data: EventLog | Presence,
    /,
    *,
    every: Unit | Calendar | None = None,
    tz: str | None = None,
    week_start: WeekStart = "monday",
    anchor: Anchor = "first_ever",
    mode: Mode = "on",
    clock: Clock = "calendar",
    brackets: Sequence[tuple[int, int]] = (),
    max_offset: int | None = None,
    min_occurrences: int = 1,
    kinds: Collection[str] | str | None = None,
    anchor_kinds: Collection[str] | str | None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    observed_until: dt.datetime | None = None,
    by: Assignment | Mapping[Label, Label | None] | str | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> CohortTable | Breakdown[CohortTable]:
    """Count, for those who began in each period, how many returned at each offset from it.

    Parameters
    ----------
    data : EventLog or Presence
        A presence serves the calendar clock with ``min_occurrences=1`` and one set of kinds. Of a `tail`, only cohorts
        that began in its own periods can be followed: give `start`.
    every, tz, week_start, kinds, observed_until, unknown_kinds
        As in `presence`; `kinds` are those that count as a return.
    anchor : {"first_ever", "first_in_range", "recurring"}
        What begins a cohort: the first activity ever; the first in [start, end); or every active period (a member is
        then in several).
    mode : {"on", "on_or_after", "brackets"}
        A return at offset j is activity in offset j; in j or later, up to the end of observation; or in an interval of
        `brackets`.
    clock : {"calendar", "elapsed"}
        Offsets in calendar periods; or in full lengths of `every` (hour, day or week) since the member's own first
        instant.
    brackets : sequence of (int, int)
        First and last offset of each interval, ascending and disjoint.
    max_offset : int, optional
        The largest offset to count; by default all there are.
    min_occurrences : int, default 1
        Rows that a return takes (in the offset; at or after it; in the bracket). Needs a log. Offset 0 is the cohort
        itself whatever this says; a bracket that begins at 0 counts its rows, the first activity among them.
    anchor_kinds : collection of str, optional
        Kinds that begin a cohort, if others than `kinds`. Needs a log.
    start, end : aware datetime, optional
        Keep cohorts that began in [start, end): by instant on the elapsed clock; on the calendar clock in whole
        periods, from the one that holds `start` to the last that begins before `end`.
    by : Assignment, mapping or str, optional
        One segment a member, or the name of a column of the log: then a member counts in each value they have rows
        with, by those rows alone.

    Returns
    -------
    CohortTable or, with `by`, Breakdown of CohortTable

    Raises
    ------
    MisalignedError
        `by` is an assignment of other members; see `Assignment.align`.
    UnknownLabelError
        There is no such zone, or no such column to go by; with ``unknown_kinds="raise"``, no such kind.
    InvalidValueError, InvalidTypeError
        An option cannot be used, or not together with the others.

    Notes
    -----
    Offset 0 is the cohort itself. A rate is returned / eligible, where eligible are the members whose offset was fully
    observed.

    Examples
    --------
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann", "cy"],
    ...     kind="post",
    ...     at=np.array(["2024-01-01", "2024-01-03", "2024-01-08", "2024-01-22"], "M8[D]"),
    ...     at_tz="UTC",
    ... )
    >>> print(cohort_table(log, every="week", tz="UTC"))
    cohort      size     0    1   2  3
    ──────────────────────────────────
    2024-01-01     2  100%  50%  0%  –
    2024-01-22     1     –    –   –  –
    –: that offset has not been fully observed. Cohorts without members are left out.
    """
    if not isinstance(data, EventLog | Presence):
        raise InvalidTypeError(message("data", "an EventLog or a Presence", data))
    one_of("anchor", anchor, get_args(Anchor))
    one_of("mode", mode, get_args(Mode))
    one_of("clock", clock, get_args(Clock))
    min_occurrences = whole("min_occurrences", min_occurrences)
    max_offset = None if max_offset is None else whole("max_offset", max_offset)
    _require_together(
        anchor=anchor,
        mode=mode,
        clock=clock,
        min_occurrences=min_occurrences,
        max_offset=max_offset,
        anchor_kinds=anchor_kinds,
        start=start,
    )
    definition = CohortDefinition(
        anchor=anchor,
        mode=mode,
        clock=clock,
        brackets=require_brackets(brackets, mode),
        max_offset=max_offset,
        min_occurrences=min_occurrences,
        kinds=data.kinds
        if isinstance(data, Presence)
        else None
        if kinds is None
        else kind_set(kinds, argument="kinds"),
        anchor_kinds=None if anchor_kinds is None else kind_set(anchor_kinds, argument="anchor_kinds"),
        range_us=_range(start, end),
    )
    if isinstance(data, Presence):
        _require_plain(
            data, definition, every=every, tz=tz, week_start=week_start, kinds=kinds, observed_until=observed_until
        )
        calendar, horizon = data.calendar, data.horizon
    else:
        if every is None:
            raise InvalidTypeError(message("every", "a period, such as 'week', when the data is a log", every))
        calendar, horizon = Calendar.of(every, tz=tz, week_start=week_start), Horizon.of(data, observed_until)
        if clock == "elapsed":
            calendar.length_us()
        for argument, named in (("kinds", kinds), ("anchor_kinds", anchor_kinds)):
            of_kinds(data, named, argument=argument, unknown_kinds=unknown_kinds)
    everybody = _count(data, calendar, horizon, definition)
    if by is None:
        return everybody
    counted = {label: _count(part, calendar, horizon, definition) for label, part in segments_of(data, by).items()}
    # Whoever began before the range may begin in a group within it, and earlier than anybody in the total.
    total = everybody.on_axis_of(*counted.values())
    parts = {label: part.on_axis_of(total) for label, part in counted.items()}
    unassigned = parts.pop(None, None)
    return Breakdown(
        total=total,
        parts={label: part for label, part in parts.items() if label is not None},
        unassigned=unassigned,
    )


def _count(
    data: EventLog | Presence, calendar: Calendar, horizon: Horizon, definition: CohortDefinition
) -> CohortTable:
    """Count one table, however the data came."""
    if isinstance(data, Presence):
        return _from_presence(data, data, definition)
    counting = _Counting(data, calendar, horizon, definition)
    return counting.elapsed() if definition.clock == "elapsed" else counting.on_calendar()


# ── options ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _require_together(
    *,
    anchor: Anchor,
    mode: Mode,
    clock: Clock,
    min_occurrences: int,
    max_offset: int | None,
    anchor_kinds: object,
    start: object,
) -> None:
    if anchor == "recurring" and clock == "elapsed":
        raise InvalidValueError(message("clock", "'calendar' with anchor='recurring'", clock))
    if anchor == "first_in_range" and start is None:
        raise InvalidValueError(message("start", "the start of the range with anchor='first_in_range'", start))
    if not 1 <= min_occurrences < _MOST_ROWS:
        raise InvalidValueError(message("min_occurrences", "a number of rows in [1, 2**31)", min_occurrences))
    if anchor == "recurring" and (min_occurrences != 1 or anchor_kinds is not None):
        name, value = ("min_occurrences", min_occurrences) if min_occurrences != 1 else ("anchor_kinds", anchor_kinds)
        raise InvalidValueError(message(name, "the default with anchor='recurring'", value))
    if max_offset is not None and mode == "brackets":
        raise InvalidValueError(message("max_offset", "none with mode='brackets', which name their own", max_offset))
    if max_offset is not None and max_offset < 0:
        raise InvalidValueError(message("max_offset", "an offset >= 0", max_offset))


def _range(start: dt.datetime | None, end: dt.datetime | None) -> tuple[int | None, int | None]:
    low = None if start is None else instant_us(start, argument="start")
    high = None if end is None else instant_us(end, argument="end")
    if low is not None and high is not None and low >= high:
        raise InvalidValueError(message("end", f"an instant after start ({start})", end))
    return low, high


def _require_plain(
    data: Presence,
    definition: CohortDefinition,
    *,
    every: Unit | Calendar | None,
    tz: str | None,
    week_start: WeekStart,
    kinds: object,
    observed_until: object,
) -> None:
    """Refuse what a presence cannot answer."""
    given = {
        "kinds": kinds is not None,
        "anchor_kinds": definition.anchor_kinds is not None,
        "observed_until": observed_until is not None,
        "min_occurrences": definition.min_occurrences != 1,
        "clock": definition.clock != "calendar",
    }
    for name, is_given in given.items():
        if is_given:
            raise InvalidValueError(
                f"{name}: a presence has settled it or forgotten what it takes; pass the log instead"
            )
    require_periods(data, every, tz, week_start)
    if definition.anchor != "recurring":
        require_remembered(data, _range_periods(data.calendar, definition)[0])


# ── calendar clock ───────────────────────────────────────────────────────────────────────────────────────────────────


def _from_presence(begun: Presence, back: Presence, definition: CohortDefinition) -> CohortTable:
    """Count over two presences of the same members: of what begins a cohort, and of what counts as a return."""
    low, high = _range_periods(back.calendar, definition)
    anchors = begun.first.astype(np.int64)
    if definition.anchor == "first_in_range" and low is not None:
        anchors = _first_from(begun, low)
    if definition.anchor == "recurring":
        return _recurring(back, definition, low, high)
    return _first_anchored(back, anchors, back.sets, definition)


def _range_periods(calendar: Calendar, definition: CohortDefinition) -> tuple[int | None, int | None]:
    """Return the first period of the range and one past its last."""
    start, end = definition.range_us
    return (
        None if start is None else calendar.index_one(start),
        None if end is None else last_period(calendar, end) + 1,
    )


def _first_from(begun: Presence, low: int) -> IntArray:
    """Return each member's first active period from `low` on."""
    cut = max(begun.n_periods - max(low - begun.first_period, 0), 0)
    tail = begun.tail(cut)
    first = tail.sets.first(NEVER).astype(np.int64)
    first[first != NEVER] += tail.first_period
    return first


def _first_anchored(
    back: Presence,
    anchors: IntArray,
    sets: PeriodSets,
    definition: CohortDefinition,
    last: IntArray | None = None,
) -> CohortTable:
    """Count where a member is in one cohort: that of the period in `anchors`."""
    until = back.horizon.until_us
    low, high = _range_periods(back.calendar, definition)
    counted = _in_range(anchors, low, high)
    if until is None or not counted.any():
        return _table(back.calendar, definition, back.horizon)
    first = int(anchors.min(where=counted, initial=NEVER))
    end = last_period(back.calendar, until) + 1
    n_cohorts = (end if high is None else min(end, high)) - first
    n_columns = count_columns(back.calendar, definition, first, until)
    require_table(n_cohorts, max(n_columns, back.n_periods if definition.mode == "on" else 0))
    cohort = np.full(len(anchors), -1, dtype=np.int64)
    np.subtract(anchors, first, out=cohort, where=counted)
    sizes = count_codes(cohort, n_cohorts)
    shift = back.first_period - first
    if definition.mode == "on":
        raw = _skew(sets.count_by_cohort(cohort, n_cohorts, shift), shift, n_columns)
    elif definition.mode == "on_or_after":
        if last is None:
            last = back.last_active.astype(np.int64)
        offset = np.where(last == NEVER_BEFORE, -1, last - first - cohort)
        raw = _at_or_after(cohort, offset, n_cohorts, n_columns)
    else:
        raw = _in_brackets(sets, cohort, cohort - shift, n_cohorts, definition)
    if definition.mode != "brackets":
        raw[:, 0] = sizes  # the cohort itself, whether or not the return is of another kind
    return _table(back.calendar, definition, back.horizon, first_period=first, sizes=sizes, raw=raw)


def _skew(by_period: IntArray, shift: int, n_columns: int) -> IntArray:
    """Turn counts by cohort and period into counts by cohort and offset; `shift` is the cohort of the first period."""
    n_cohorts = len(by_period)
    raw = np.zeros((n_cohorts, n_columns), dtype=np.int64)
    for cohort in range(n_cohorts):
        start = cohort - shift
        row = by_period[cohort, max(start, 0) : start + n_columns] if start + n_columns > 0 else by_period[cohort, :0]
        lead = max(-start, 0)
        raw[cohort, lead : lead + len(row)] = row
    return raw


def _at_or_after(cohort: IntArray, last_offset: IntArray, n_cohorts: int, n_columns: int) -> IntArray:
    """Count members by cohort whose last return is at or after each offset."""
    back = (cohort >= 0) & (last_offset >= 0)
    at = np.minimum(last_offset[back], n_columns - 1)
    counts = np.bincount(cohort[back] * n_columns + at, minlength=n_cohorts * n_columns).reshape(n_cohorts, n_columns)
    return np.cumsum(counts[:, ::-1], axis=1)[:, ::-1].astype(np.int64)


def _in_brackets(
    sets: PeriodSets, cohort: IntArray, base: IntArray, n_cohorts: int, definition: CohortDefinition
) -> IntArray:
    """Count members by cohort with a return in each bracket; `base` is the period of offset 0."""
    hit = np.zeros((len(definition.brackets), len(cohort)), dtype=np.bool_)
    for period in range(sets.n_periods):
        codes = sets.codes(period)
        codes = codes[cohort[codes] >= 0]
        column = _bracket_of(period - base[codes], definition)
        inside = column >= 0
        hit[column[inside], codes[inside]] = True
    return _sum_hits(hit, cohort, n_cohorts)


def _bracket_of(offset: IntArray, definition: CohortDefinition) -> IntArray:
    """Return the bracket that each offset lies in, -1 for none."""
    firsts = np.array([first for first, _ in definition.brackets], dtype=np.int64)
    lasts = np.array([last for _, last in definition.brackets], dtype=np.int64)
    at = np.searchsorted(firsts, offset, side="right") - 1
    return np.where((at >= 0) & (offset <= lasts[np.maximum(at, 0)]), at, -1)


def _sum_hits(hit: NDArray[np.bool_], cohort: IntArray, n_cohorts: int) -> IntArray:
    columns = [np.bincount(cohort[row & (cohort >= 0)], minlength=n_cohorts) for row in hit]
    return np.stack(columns, axis=1).astype(np.int64)


def _recurring(back: Presence, definition: CohortDefinition, low: int | None, high: int | None) -> CohortTable:
    """Count where every active period begins a cohort."""
    until, sets = back.horizon.until_us, back.sets
    rows = range(
        max(0, 0 if low is None else low - back.first_period),
        min(back.n_periods, back.n_periods if high is None else high - back.first_period),
    )
    while rows and not len(sets.codes(rows[0])):  # the first cohort is the first with a member, whatever part this is
        rows = rows[1:]
    if until is None or not len(rows):
        return _table(back.calendar, definition, back.horizon)
    n_columns = count_columns(back.calendar, definition, back.first_period + rows[0], until)
    require_table(len(rows), n_columns)
    raw = np.zeros((len(rows), n_columns), dtype=np.int64)
    last = sets.last(-1)
    for row, period in enumerate(rows):
        codes = sets.codes(period)
        if definition.mode == "on":
            shared = sets.shared_with(period)[:n_columns]
            raw[row, : len(shared)] = shared
        elif definition.mode == "on_or_after":
            raw[row] = _at_or_after(
                np.zeros(len(codes), dtype=np.int64), last[codes].astype(np.int64) - period, 1, n_columns
            )[0]
        else:
            for column, (first, final) in enumerate(definition.brackets):
                hit = np.zeros(len(codes), dtype=np.bool_)
                for later in range(period + first, min(period + final + 1, sets.n_periods)):
                    hit |= sets.mask(later)[codes]
                raw[row, column] = np.count_nonzero(hit)
    sizes = sets.counts()[rows.start : rows.stop]
    first = back.first_period + rows[0]
    return _table(back.calendar, definition, back.horizon, first_period=first, sizes=sizes, raw=raw)


# ── from the rows of a log ───────────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen(eq=False)
class _Counting:
    """A log and what is to be counted of it."""

    log: EventLog
    calendar: Calendar
    horizon: Horizon
    definition: CohortDefinition

    def on_calendar(self) -> CohortTable:
        back = self._presence(self.definition.kinds, "kinds")
        begun = back
        if self.definition.anchor_kinds is not None:
            begun = self._presence(self.definition.anchor_kinds, "anchor_kinds")
        if self.definition.min_occurrences == 1:
            return _from_presence(begun, back, self.definition)
        return self._with_occurrences(begun, back)

    def _presence(self, kinds: frozenset[str] | None, argument: str) -> Presence:
        return presence_of(
            self.log,
            calendar=self.calendar,
            kinds=kinds,
            counted=of_kinds(self.log, kinds, argument=argument, unknown_kinds="ignore"),
            horizon=self.horizon,
            members=self.log.members,
            codes=self.log.member_codes,
        )

    def _return_rows(self) -> tuple[IntArray, IntArray]:
        """Return member and instant of the rows that count as a return."""
        counted = of_kinds(self.log, self.definition.kinds, unknown_kinds="ignore")
        rows = counted[self.log.kind_codes] & (self.log.at_us < (self.horizon.until_us or 0))
        return self.log.member_codes[rows].astype(np.int64), self.log.at_us[rows]

    def _with_occurrences(self, begun: Presence, back: Presence) -> CohortTable:
        """Count where a return takes several rows."""
        low, high = _range_periods(self.calendar, self.definition)
        anchors = begun.first.astype(np.int64)
        if self.definition.anchor == "first_in_range" and low is not None:
            anchors = _first_from(begun, low)
        member, at_us = self._return_rows()
        period = self.calendar.index(at_us).astype(np.int64)
        n = len(self.log.members)
        if self.definition.mode == "brackets":
            column = _bracket_of(np.where(anchors[member] == NEVER, -1, period - anchors[member]), self.definition)
            hits = self._often_enough(member, column, len(self.definition.brackets))
            table = _first_anchored(back, anchors, back.sets, self.definition)
            cohort = np.where(_in_range(anchors, low, high), anchors - table.first_period, -1)
            return attrs.evolve(table, raw=hits.tally(cohort, table.n_cohorts, table.n_offsets))
        last = self._last_but(member, period, n)
        offset = period - back.first_period
        often = self._often_enough(member, offset, back.n_periods)
        sets = sets_of_cells(often.column, often.member, back.n_periods, n)
        return _first_anchored(back, anchors, sets, self.definition, last)

    def _often_enough(self, member: IntArray, column: IntArray, n_columns: int) -> _Hits:
        """Return the members with enough rows in a column; a column of -1 is none."""
        inside = column >= 0
        n = len(self.log.members)
        keys = column[inside] * n + member[inside]
        if fits_bits(n_columns, n, len(keys)):
            cells = np.flatnonzero(np.bincount(keys, minlength=n_columns * n) >= self.definition.min_occurrences)
        else:
            cells, times = np.unique(keys, return_counts=True)
            cells = cells[times >= self.definition.min_occurrences]
        return _Hits(*np.divmod(cells, max(n, 1)))

    def _last_but(self, member: IntArray, column: IntArray, n: int) -> IntArray:
        """Return, for each member, the latest column from which on there are enough rows; else the lowest int32."""
        order = np.lexsort((column, member))
        member, column = member[order], column[order]
        ends = np.searchsorted(member, np.arange(n), side="right")
        starts = np.searchsorted(member, np.arange(n), side="left")
        at = ends - self.definition.min_occurrences
        return np.where(at >= starts, np.append(column, 0)[np.maximum(at, 0)], NEVER_BEFORE)

    # ── elapsed clock ────────────────────────────────────────────────────────────────────────────────────────────────

    def elapsed(self) -> CohortTable:
        """Count offsets in full lengths of the period since each member's own start."""
        definition, until = self.definition, self.horizon.until_us
        start = self._starts()
        begun = start != _LATEST
        if until is None or not begun.any():
            return _table(self.calendar, definition, self.horizon)
        period = np.zeros(len(start), dtype=np.int64)
        period[begun] = self.calendar.index(start[begun])
        first = int(period[begun].min())
        end = until if definition.range_us[1] is None else min(until, definition.range_us[1])
        n_cohorts = last_period(self.calendar, end) + 1 - first
        cohort = np.where(begun, period - first, -1)
        starts = np.stack([period[begun], start[begun]], axis=1)
        n_columns = count_columns(self.calendar, definition, first, until)
        require_table(n_cohorts, n_columns)
        member, offset = self._offsets(start, begun)
        if definition.mode == "on_or_after":
            last = self._last_but(member, offset, len(start))
            raw = _at_or_after(cohort, last, n_cohorts, n_columns)
            at_end = (until - start) // self.calendar.length_us()  # the offset that was not observed to its end
            member = np.flatnonzero(begun & ((last >= at_end) | (at_end == 0)) & (at_end < n_columns))
            hits = _Hits(at_end[member], member)
        else:
            column = _bracket_of(offset, definition) if definition.mode == "brackets" else offset
            hits = self._often_enough(member, np.where(column < n_columns, column, -1), n_columns)
            if definition.mode == "on":
                hits = hits.with_first(np.flatnonzero(begun))
            raw = hits.tally(cohort, n_cohorts, n_columns)
        sizes = np.bincount(cohort[begun], minlength=n_cohorts)
        if definition.mode != "brackets":
            raw[:, 0] = sizes
        offsets = definition.brackets or tuple((column, column) for column in range(n_columns))
        deadline = start[hits.member] + lengths_through(offsets, self.calendar)[hits.column]
        late = deadline > until
        pending = np.stack([period[hits.member[late]], hits.column[late], deadline[late]], axis=1)
        return CohortTable(
            calendar=self.calendar,
            definition=definition,
            first_period=first,
            sizes=sizes,
            raw=raw,
            starts=starts[np.lexsort(starts.T[::-1])],
            pending=pending[np.lexsort(pending.T[::-1])],
            horizon=self.horizon,
        )

    def _starts(self) -> IntArray:
        """Return each member's start instant; the latest int64 where a member has none in range."""
        definition, log = self.definition, self.log
        kinds, argument = definition.kinds, "kinds"
        if definition.anchor_kinds is not None:
            kinds, argument = definition.anchor_kinds, "anchor_kinds"
        counted = of_kinds(log, kinds, argument=argument, unknown_kinds="ignore")
        rows = counted[log.kind_codes] & (log.at_us < (self.horizon.until_us or 0))
        low, high = definition.range_us
        if definition.anchor == "first_in_range" and low is not None:
            rows &= log.at_us >= low
        start = np.full(len(log.members), _LATEST)
        np.minimum.at(start, log.member_codes[rows], log.at_us[rows])
        if low is not None:
            start[start < low] = _LATEST
        if high is not None:
            start[start >= high] = _LATEST
        return start

    def _offsets(self, start: IntArray, begun: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
        """Return member and offset of each row that counts as a return."""
        member, at_us = self._return_rows()
        rows = begun[member] & (at_us >= np.where(begun, start, 0)[member])
        member = member[rows]
        return member, (at_us[rows] - start[member]) // self.calendar.length_us()


class _Hits(NamedTuple):
    """Who returned at which column."""

    column: IntArray
    member: IntArray

    def with_first(self, member: IntArray) -> _Hits:
        """Return the hits with exactly these members at the first column."""
        later = self.column > 0
        first = np.zeros(len(member), dtype=np.int64)
        return _Hits(np.concatenate([first, self.column[later]]), np.concatenate([member, self.member[later]]))

    def tally(self, cohort: IntArray, n_cohorts: int, n_columns: int) -> IntArray:
        """Count by cohort (-1 is none) and column."""
        of = cohort[self.member]
        inside = of >= 0
        keys = of[inside] * n_columns + self.column[inside]
        return np.bincount(keys, minlength=n_cohorts * n_columns).reshape(n_cohorts, n_columns)


def _in_range(anchors: IntArray, low: int | None, high: int | None) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = anchors != NEVER
    if low is not None:
        inside &= anchors >= low
    if high is not None:
        inside &= anchors < high
    return inside


_NO_STARTS = np.empty((0, 2), dtype=np.int64)


def _table(
    calendar: Calendar,
    definition: CohortDefinition,
    horizon: Horizon,
    *,
    first_period: int = 0,
    sizes: IntArray | None = None,
    raw: IntArray | None = None,
) -> CohortTable:
    """Build a table of the calendar clock; by default the empty one."""
    n_columns = len(definition.brackets) if definition.mode == "brackets" else 0
    return CohortTable(
        calendar=calendar,
        definition=definition,
        first_period=first_period,
        sizes=np.empty(0, dtype=np.int64) if sizes is None else sizes,
        raw=np.empty((0, n_columns), dtype=np.int64) if raw is None else raw,
        starts=_NO_STARTS,
        pending=np.empty((0, 3), dtype=np.int64),
        horizon=horizon,
    )
