"""Which steps does each row match? The rows of a log, as entries that a matcher can sort and walk."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np

from shequn.columns.kinds import UnknownKinds, of_kinds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.log import EventLog
    from shequn.funnel.definition import Exclusion, Funnel, Step

__all__ = ["Clock", "Entries", "Reading", "Units"]

_MOST_CODES = 1 << 16


class Entries(NamedTuple):
    """Rows that matter, each once for every step it matches, in row order."""

    rows: IntArray
    ranks: NDArray[Any]  # how entries at one instant are ordered; `Reading.step_of_rank` tells the step


@attrs.frozen(eq=False)
class Clock:
    """Instants in units of the log's resolution since its first, and the funnel's durations in the same units.

    No duration is longer than all of the log and a unit more, so that `bits` hold any instant plus any duration.
    """

    start_us: int
    unit_us: int
    span: int
    within: int
    min_gap: int
    max_gap: int

    @classmethod
    def of(cls, log: EventLog, funnel: Funnel) -> Clock:
        """Return the clock of a log that has rows."""
        start, end, unit = int(log.at_us.min()), int(log.at_us.max()), log.resolution_us
        span = (end - start) // unit
        longest = span + 1
        return cls(
            start_us=start,
            unit_us=unit,
            span=span,
            within=min(funnel.within_us // unit, longest),
            min_gap=min(-(-funnel.min_gap_us // unit), longest),
            max_gap=longest if funnel.max_gap_us is None else min(funnel.max_gap_us // unit, longest),
        )

    @property
    def bits(self) -> int:
        """Bits of the largest sum of an instant and a duration."""
        return (2 * self.span + 2).bit_length()

    def ticks(self, at_us: NDArray[np.int64]) -> IntArray:
        """Return instants in units since the first."""
        since = at_us - self.start_us
        return since if self.unit_us == 1 else np.floor_divide(since, self.unit_us, out=since)

    def instants(self, ticks: NDArray[np.int64]) -> IntArray:
        """Return instants in microseconds since 1970."""
        return ticks * self.unit_us + self.start_us


@attrs.frozen(eq=False)
class Units:
    """Whose rows make a chain: a member's, or a member's with one value of the column that is held constant.

    A unit is numbered ``member * n_values + value``.
    """

    n_members: int
    values: NDArray[Any] | None  # code of each row's value, -1 where it has none; None where a unit is a member
    n_values: int

    @classmethod
    def of(cls, log: EventLog, funnel: Funnel) -> Units:
        """Return the units of a log's rows."""
        if funnel.hold_constant is None:
            return cls(len(log.members), None, 1)
        column = log.labelled_column(funnel.hold_constant, argument="hold_constant")
        return cls(len(log.members), column.codes, max(len(column.index), 1))

    def number(self, since: IntArray, rows: IntArray) -> IntArray:
        """Turn members, counted from some first one, into units of rows, counted from the first of that member."""
        if self.values is not None:
            since *= self.n_values
            since += self.values.take(rows)
        return since


@attrs.frozen(eq=False, slots=False)
class Reading:
    """A funnel's steps, looked up for the kinds and columns of one log."""

    log: EventLog
    funnel: Funnel
    clock: Clock
    units: Units
    of_kind: BoolArray  # (n_steps, n_kinds)
    where: tuple[BoolArray | None, ...]  # rows that meet each step's condition
    excluding: tuple[BoolArray, ...]  # rows that each exclusion names
    is_overlapping: bool  # whether a row may match several steps

    @classmethod
    def of(cls, log: EventLog, funnel: Funnel, unknown_kinds: UnknownKinds) -> Reading:
        """Look up the definition in a log that has rows."""
        of_kinds(log, funnel.kinds, argument="steps", unknown_kinds=unknown_kinds)
        of_kind = np.stack([_kinds_of(log, step) for step in funnel.steps])
        parts: list[Step | Exclusion] = [*funnel.steps, *funnel.exclusions]
        masks = {part.where: None if part.where is None else part.where.mask(log) for part in parts}
        return cls(
            log=log,
            funnel=funnel,
            clock=Clock.of(log, funnel),
            units=Units.of(log, funnel),
            of_kind=of_kind,
            where=tuple(masks[step.where] for step in funnel.steps),
            excluding=tuple(_rows_of(log, part, masks[part.where]) for part in funnel.exclusions),
            is_overlapping=bool((of_kind.sum(axis=0) > 1).any()),
        )

    @property
    def n_steps(self) -> int:
        """Number of steps."""
        return self.funnel.n_steps

    @property
    def keeps_all(self) -> bool:
        """Whether rows that match no step matter as well: they interrupt a strict chain."""
        return self.funnel.order == "strict"

    @property
    def is_once(self) -> bool:
        """Whether it makes a difference that a row serves one step at most."""
        return self.funnel.reuse == "once" and self.is_overlapping and self.funnel.ties == "free"

    @property
    def step_of_rank(self) -> NDArray[np.int16]:
        """The step of each rank; n_steps stands for none.

        Entries at one instant are ordered so that the next step's rows that may follow an entry are those after it:
        ascending where ties are free, descending where instants must increase. Where rows serve one step at most, the
        steps of one row descend as well, so that none follows another.
        """
        steps = np.arange(self.n_steps)
        if self.funnel.ties == "increase":
            ranked = steps[::-1]
        elif self.is_once:
            ranked = np.concatenate([steps, steps[::-1]])
        else:
            ranked = steps
        return np.append(ranked, self.n_steps).astype(np.int16)

    @property
    def rank_bits(self) -> int:
        """Bits of a rank."""
        n_ranks = len(self.step_of_rank) - (not self.keeps_all)
        return (n_ranks - 1).bit_length()

    @property
    def is_step_rank(self) -> bool:
        """Whether ranks are steps."""
        return self.funnel.ties == "free" and not self.is_once

    @cached_property
    def _table(self) -> _Table | None:
        return _Table.of(self)

    def ranks(self) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """Return the rank of each step, of rows that match it alone and of rows that match others too."""
        n = self.n_steps
        steps = np.arange(n, dtype=np.int16)
        if self.funnel.ties == "increase":
            return steps[::-1], steps[::-1]
        return (steps, n + steps[::-1]) if self.is_once else (steps, steps)

    def entries(self, rows: slice) -> Entries:
        """Return the entries of a block of rows."""
        table = self._table
        if table is None:
            return self._looked_at(rows)
        codes = table.codes(self.log.kind_codes[rows], rows)
        known = None if self.units.values is None else self.units.values[rows] >= 0
        if table.most == 1:
            ranks = table.ranks[:, 0].take(codes, mode="clip")  # nothing is clipped; it spares a check of each
            keep = ranks != table.left_out
            at = np.flatnonzero(keep if known is None else keep & known)
            return Entries(at + rows.start, ranks.take(at))
        times = table.times.take(codes, mode="clip")
        at = np.flatnonzero(times if known is None else times * known)
        times, several = times.take(at), table.ranks.take(codes.take(at), axis=0, mode="clip").ravel()
        if not bool((times == table.most).all()):
            several = several.take(np.flatnonzero(several != table.left_out))
        return Entries(np.repeat(at + rows.start, times), several)

    def _looked_at(self, rows: slice) -> Entries:
        """Return the entries where there are too many conditions for a table."""
        kinds = self.log.kind_codes[rows]
        matched = np.stack([self.of_kind[step][kinds] for step in range(self.n_steps)])
        for step, where in enumerate(self.where):
            if where is not None:
                matched[step] &= where[rows]
        if self.units.values is not None:
            matched &= self.units.values[rows] >= 0
        times = matched.sum(axis=0)
        alone, among = self.ranks()
        at, matches = np.nonzero(matched.T)
        ranks = np.where(times[at] > 1, among[matches], alone[matches])
        if self.keeps_all:
            is_read = np.ones(len(kinds), np.bool_) if self.units.values is None else self.units.values[rows] >= 0
            others = np.flatnonzero(is_read & (times == 0))
            at = np.concatenate([at, others])
            order = np.argsort(at, kind="stable")
            at, ranks = at[order], np.append(ranks, np.full(len(others), len(self.step_of_rank) - 1))[order]
        return Entries(at + rows.start, ranks)


@attrs.frozen(eq=False)
class _Table:
    """The ranks of a row, by its kind and by which conditions it meets: told once for all rows alike.

    A row's code is its kind plus, for each condition that it meets, the number of kinds doubled once more.
    """

    n_kinds: int
    conditions: tuple[BoolArray, ...]
    times: NDArray[Any]  # (n_codes,) how many entries such a row has
    ranks: NDArray[Any]  # (n_codes, most) ascending, `left_out` where there are no more
    left_out: int

    @property
    def most(self) -> int:
        """Most entries of a row."""
        most: int = self.ranks.shape[1]
        return most

    @classmethod
    def of(cls, reading: Reading) -> _Table | None:
        """Fill the table; None where there are too many conditions."""
        n_kinds = reading.of_kind.shape[1]
        conditions = {id(where): where for where in reading.where if where is not None}
        if n_kinds << len(conditions) > _MOST_CODES:
            return None
        met: IntArray = np.repeat(np.arange(1 << len(conditions), dtype=np.int64), n_kinds)
        matched = np.tile(reading.of_kind, 1 << len(conditions))
        for step, where in enumerate(reading.where):
            if where is not None:
                matched[step] &= (met >> list(conditions).index(id(where)) & 1).astype(np.bool_)
        times = matched.sum(axis=0)
        alone, among = reading.ranks()
        left_out = len(reading.step_of_rank)
        ranks = np.where(matched, np.where(times > 1, among[:, None], alone[:, None]), left_out)
        if reading.keeps_all:
            ranks = np.vstack([ranks, np.where(times == 0, left_out - 1, left_out)])
            times = np.maximum(times, 1)
        most = max(int(times.max(initial=1)), 1)
        ranks = np.sort(ranks, axis=0)[:most].T.astype(np.min_scalar_type(left_out))
        return cls(
            n_kinds,
            tuple(conditions.values()),
            times.astype(np.min_scalar_type(most)),
            np.ascontiguousarray(ranks),
            left_out,
        )

    def codes(self, kinds: NDArray[Any], rows: slice) -> NDArray[Any]:
        """Return the code of each row of a block."""
        if not self.conditions:
            return kinds
        codes = kinds.astype(np.int64)
        for number, where in enumerate(self.conditions):
            codes += where[rows] * (self.n_kinds << number)
        return codes


def _kinds_of(log: EventLog, part: Step | Exclusion) -> BoolArray:
    return of_kinds(log, part.kinds, argument="steps", unknown_kinds="ignore")


def _rows_of(log: EventLog, part: Exclusion, where: BoolArray | None) -> BoolArray:
    rows: BoolArray = _kinds_of(log, part)[log.kind_codes]
    return rows if where is None else rows & where
