"""Which steps does each row match? The rows of a log, as entries that a matcher can sort and walk."""

from __future__ import annotations

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
    members: NDArray[Any]  # code of each row's member
    values: NDArray[Any] | None  # code of each row's value, -1 where it has none; None where a unit is a member
    n_values: int

    @classmethod
    def of(cls, log: EventLog, funnel: Funnel) -> Units:
        """Return the units of a log's rows."""
        if funnel.hold_constant is None:
            return cls(len(log.members), log.member_codes, None, 1)
        column = log.labelled_column(funnel.hold_constant, argument="hold_constant")
        return cls(len(log.members), log.member_codes, column.codes, max(len(column.index), 1))

    def since(self, first_member: int | IntArray, rows: IntArray) -> IntArray:
        """Return the unit of rows, counted from the first unit of a member."""
        units = self.members[rows].astype(np.int64)
        units -= first_member
        if self.values is not None:
            units *= self.n_values
            units += self.values[rows]
        return units


@attrs.frozen(eq=False)
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

    def _ranks(self) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """Return the rank of each step, of rows that match it alone and of rows that match others too."""
        n = self.n_steps
        steps = np.arange(n, dtype=np.int16)
        if self.funnel.ties == "increase":
            return steps[::-1], steps[::-1]
        return (steps, n + steps[::-1]) if self.is_once else (steps, steps)

    def entries(self, rows: slice) -> Entries:
        """Return the entries of a block of rows."""
        kinds = self.log.kind_codes[rows]
        alone, among = self._ranks()
        none = len(self.step_of_rank) - 1
        if not self.is_overlapping and all(where is None for where in self.where):
            return self._simple(kinds, rows.start, alone, none)
        matched = [self.of_kind[step][kinds] for step in range(self.n_steps)]
        for step, where in enumerate(self.where):
            if where is not None:
                matched[step] &= where[rows]
        known = None if self.units.values is None else self.units.values[rows] >= 0
        if known is not None:
            matched = [mask & known for mask in matched]
        times: NDArray[np.int16] = np.add.reduce(np.stack(matched), axis=0, dtype=np.int16)
        is_multi = times > 1
        found = [(np.flatnonzero(mask), step) for step, mask in enumerate(matched)]
        parts: list[tuple[IntArray, NDArray[Any]]] = [
            (at, np.where(is_multi[at], among[step], alone[step])) for at, step in found
        ]
        if self.keeps_all:
            other = times == 0
            if known is not None:
                other &= known
            at = np.flatnonzero(other)
            parts.append((at, np.full(len(at), none, dtype=np.int16)))
        at = np.concatenate([at for at, _ in parts])
        ranks = np.concatenate([rank for _, rank in parts])
        order = np.argsort(at, kind="stable")
        return Entries(at[order] + rows.start, ranks[order])

    def _simple(self, kinds: NDArray[Any], start: int, alone: NDArray[np.int16], none: int) -> Entries:
        """Return the entries where a row's kind alone tells its one step."""
        left_out = none + 1
        table = np.full(self.of_kind.shape[1], none if self.keeps_all else left_out, dtype=np.int16)
        step, kind = np.nonzero(self.of_kind)
        table[kind] = alone[step]
        ranks = table.take(kinds, mode="clip")  # nothing is clipped; it spares a check of each
        keep = ranks != left_out
        if self.units.values is not None:
            keep &= self.units.values[start : start + len(kinds)] >= 0
        at = np.flatnonzero(keep)
        return Entries(at + start, ranks[at])


def _kinds_of(log: EventLog, part: Step | Exclusion) -> BoolArray:
    return of_kinds(log, part.kinds, argument="steps", unknown_kinds="ignore")


def _rows_of(log: EventLog, part: Exclusion, where: BoolArray | None) -> BoolArray:
    rows: BoolArray = _kinds_of(log, part)[log.kind_codes]
    return rows if where is None else rows & where
