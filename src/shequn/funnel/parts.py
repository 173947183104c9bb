"""How are the entries of many members brought into order, and walked in pieces that stay in the cache?

Entries are dealt out into parts of whole members, then each part is sorted by (unit, instant, rank). Both are done by
counting 16 bits at a time, as comparing sorts of 64-bit numbers take several times as long on some processors. A log
that is sorted already is walked as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import attrs
import numpy as np

from shequn.columns.halves import in_halves

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.funnel.reading import Reading

__all__ = ["Part", "for_each_part"]

R = TypeVar("R")

_ENTRIES_OF_PART = 1 << 17  # so that what is made of a part stays in the cache
_BLOCK = 1 << 16  # rows dealt out at a time
_DIGIT_BITS = 16
_FEW_PARTS, _MOST_PARTS = 1 << 8, 1 << _DIGIT_BITS
_MOST_PIECES = 1 << 17
_KEY_BITS = 64
_MANY_PARTS = 64  # from here on a second thread pays


@attrs.frozen(eq=False)
class Part:
    """All entries of some members, ordered by unit, instant and rank.

    Attributes
    ----------
    clock : ndarray of int64, shape (n,)
        Unit, from the first of the part, and above the lowest `bits` bits; below them the instant in ticks.
    step : ndarray of int, shape (n,)
        The step an entry matches; n_steps where it matches none.
    rows : ndarray of int64, shape (n,), or None
        Row of the log; None where nobody asked for it.
    first_member, n_units, bits : int
        First member of the part, number of units, and bits of an instant.
    member : ndarray of int64, shape (n_units,), or None
        Member of each unit; None where a unit is a member.
    """

    clock: IntArray
    step: NDArray[Any]
    rows: IntArray | None
    first_member: int
    n_units: int
    member: IntArray | None
    bits: int
    reading: Reading

    def units(self, clock: IntArray) -> IntArray:
        """Return the unit of each clock value, from the first of the part."""
        return clock >> self.bits

    def members_of(self, units: IntArray) -> IntArray:
        """Return the member of each unit of the part."""
        return units + self.first_member if self.member is None else self.member[units]

    def ticks(self, clock: IntArray) -> IntArray:
        """Return the instant of each clock value."""
        return clock & ((1 << self.bits) - 1)


def for_each_part(reading: Reading, work: Callable[[Part], R], *, with_rows: bool) -> list[R]:
    """Do the work on each part, in the order of members, and return the answers."""
    if not len(reading.log):
        return []
    if reading.log.is_sorted and reading.units.values is None and _fits(reading, 1):
        return _in_order(reading, work, with_rows=with_rows)
    return _dealt_out(reading, work, with_rows=with_rows)


def _fits(reading: Reading, n_units: int) -> bool:
    return _unit_bits(n_units) + reading.clock.bits + _rank_bits(reading) <= _KEY_BITS


def _unit_bits(n_units: int) -> int:
    return max(n_units - 1, 0).bit_length()


def _rank_bits(reading: Reading) -> int:
    return (len(reading.step_of_rank) - 1).bit_length()


# ── a log in no order ────────────────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen(eq=False)
class _Deal:
    """Which members go into which part: `2 ** shift` at a time."""

    reading: Reading
    shift: int

    @property
    def n_parts(self) -> int:
        return ((self.reading.units.n_members - 1) >> self.shift) + 1

    def members(self, number: int) -> slice:
        """Return the members of a part."""
        return slice(number << self.shift, min(number + 1 << self.shift, self.reading.units.n_members))


def _deal(reading: Reading) -> _Deal | None:
    """Choose how many members make a part; None where unit, instant and rank don't fit one key."""
    n_members = reading.units.n_members
    shift = max(n_members * _ENTRIES_OF_PART // max(len(reading.log), 1), 1).bit_length() - 1
    shift = max(shift, _unit_bits(-(-n_members // _MOST_PARTS)))
    while True:
        deal = _Deal(reading, shift)
        if _fits(reading, reading.units.n_values << shift):
            return deal
        if shift == 0 or ((n_members - 1) >> (shift - 1)) + 1 > _MOST_PARTS:
            return None
        shift -= 1


def _dealt_out(reading: Reading, work: Callable[[Part], R], *, with_rows: bool) -> list[R]:
    deal = _deal(reading)
    if deal is None:
        return _compared(reading, work, with_rows=with_rows)
    # Each part is put together from a piece of each block, and there should not be too many pieces.
    n_rows = len(reading.log)
    size = max(_BLOCK, n_rows * deal.n_parts // _MOST_PIECES)
    blocks: dict[int, _Block] = {}

    def read(rows: range) -> None:
        for start in range(rows.start, rows.stop, size):
            rows_of_block = slice(start, min(start + size, rows.stop))
            blocks[start] = _block(deal, rows_of_block, with_rows=with_rows)

    in_halves(n_rows, read)
    ordered = [blocks[start] for start in sorted(blocks)]

    def part_of(number: int) -> Part:
        spans = [(block, slice(block.edges[number], block.edges[number + 1])) for block in ordered]
        keys = np.concatenate([block.keys[span] for block, span in spans])
        rows = np.concatenate([block.rows[span] for block, span in spans]) if with_rows else None
        return _sorted_part(reading, keys, rows, deal.members(number))

    return _work_on(deal.n_parts, part_of, work)


class _Block(NamedTuple):
    """The entries of some rows, dealt out: those of each part together, in row order."""

    keys: NDArray[np.uint64]  # unit, instant and rank
    rows: IntArray
    edges: list[int]  # where each part begins, and where the last one ends


def _block(deal: _Deal, block: slice, *, with_rows: bool) -> _Block:
    reading = deal.reading
    rows, ranks = reading.entries(block)
    part = reading.log.member_codes[rows] >> deal.shift
    unit = reading.units.since(part.astype(np.int64) << deal.shift, rows)
    part = part.astype(np.uint8 if deal.n_parts <= _FEW_PARTS else np.uint16)
    key = reading.clock.ticks(reading.log.at_us[rows])
    unit <<= reading.clock.bits
    key |= unit
    key <<= _rank_bits(reading)
    key |= ranks
    order = np.argsort(part, kind="stable")
    edges = np.concatenate([[0], np.cumsum(np.bincount(part, minlength=deal.n_parts))])
    return _Block(key.view(np.uint64)[order], rows[order] if with_rows else rows[:0], edges.tolist())


def _sorted_part(reading: Reading, keys: NDArray[np.uint64], rows: IntArray | None, members: slice) -> Part:
    n_units = (members.stop - members.start) * reading.units.n_values
    bits = _unit_bits(n_units) + reading.clock.bits + _rank_bits(reading)
    n_low = reading.clock.bits + _rank_bits(reading)
    low = keys & np.uint64((1 << n_low) - 1)
    # Rows mostly come in the order of time, and only units have to be brought together then.
    shift = n_low if bool((low[1:] >= low[:-1]).all()) else 0
    while shift < bits:
        order = np.argsort((keys >> np.uint64(shift)).astype(np.uint16), kind="stable")
        keys = keys[order]
        rows = None if rows is None else rows[order]
        shift += _DIGIT_BITS
    return _part(reading, keys, rows, members)


def _part(reading: Reading, keys: NDArray[np.uint64], rows: IntArray | None, members: slice) -> Part:
    rank_bits = np.uint64(_rank_bits(reading))
    ranks = (keys & np.uint64((1 << int(rank_bits)) - 1)).astype(np.int16)
    step = ranks if reading.step_of_rank[0] == 0 and not reading.is_once else reading.step_of_rank[ranks]
    clock = (keys >> rank_bits).view(np.int64)
    return _of_units(reading, clock, step, rows, members)


def _of_units(reading: Reading, clock: IntArray, step: NDArray[Any], rows: IntArray | None, members: slice) -> Part:
    """Return a part; where units are not members, only those that have entries are numbered."""
    bits, n_values = reading.clock.bits, reading.units.n_values
    if reading.units.values is None:
        return Part(clock, step, rows, members.start, members.stop - members.start, None, bits, reading)
    units = clock >> bits
    new = np.ones(len(units), dtype=np.bool_)
    new[1:] = units[1:] != units[:-1]
    member = units[new] // n_values + members.start
    clock = (np.cumsum(new) - 1 << bits) | (clock & ((1 << bits) - 1))
    return Part(clock, step, rows, members.start, len(member), member, bits, reading)


# ── a log in order of member and instant ─────────────────────────────────────────────────────────────────────────────


def _in_order(reading: Reading, work: Callable[[Part], R], *, with_rows: bool) -> list[R]:
    members = reading.log.member_codes
    begins = np.flatnonzero(np.diff(members, prepend=-1))
    # A part is as many whole members as fit, and one at least.
    wanted = begins[np.minimum(np.searchsorted(begins, np.arange(0, len(members), _ENTRIES_OF_PART)), len(begins) - 1)]
    edges: IntArray = np.unique(np.append(wanted, [0, len(members)]))
    most = max(int(np.diff(members[np.minimum(edges, len(members) - 1)]).max(initial=0)) + 1, 1)
    if not _fits(reading, most + 1):
        edges = np.append(begins, len(members))

    def part_of(number: int) -> Part:
        block = slice(int(edges[number]), int(edges[number + 1]))
        held = slice(int(members[block.start]), int(members[block.stop - 1]) + 1)
        rows, ranks = reading.entries(block)
        key = reading.clock.ticks(reading.log.at_us[rows])
        unit = reading.units.since(held.start, rows)
        unit <<= reading.clock.bits
        key |= unit
        key <<= _rank_bits(reading)
        key |= ranks
        keys = key.view(np.uint64)
        if bool((keys[1:] < keys[:-1]).any()):
            order = _order_of_ties(keys, _rank_bits(reading))
            keys, rows = keys[order], rows[order]
        return _part(reading, keys, rows if with_rows else None, held)

    return _work_on(len(edges) - 1, part_of, work)


def _order_of_ties(keys: NDArray[np.uint64], rank_bits: int) -> IntArray:
    """Return an order that sorts keys which are sorted but for their ranks."""
    instants = keys >> np.uint64(rank_bits)
    same = np.flatnonzero(instants[1:] == instants[:-1])
    tied = np.zeros(len(keys), dtype=np.bool_)
    tied[same] = tied[same + 1] = True
    at = np.flatnonzero(tied)
    order = np.arange(len(keys))
    order[at] = at[np.argsort(keys[at], kind="stable")]
    return order


# ── keys that don't fit ──────────────────────────────────────────────────────────────────────────────────────────────


def _compared(reading: Reading, work: Callable[[Part], R], *, with_rows: bool) -> list[R]:
    """Sort by comparing where unit, instant and rank don't fit one number."""
    rows, ranks = reading.entries(slice(0, len(reading.log)))
    units = reading.units.since(0, rows)
    ticks = reading.clock.ticks(reading.log.at_us[rows])
    order = np.lexsort((ranks, ticks, units))
    rows, ranks, units, ticks = rows[order], ranks[order], units[order], ticks[order]
    n_values = reading.units.n_values
    members = units // n_values
    begins = np.append(np.flatnonzero(np.diff(members, prepend=-1)), len(members))

    def part_of(number: int) -> Part:
        block = slice(int(begins[number]), int(begins[number + 1]))
        member = int(members[block.start])
        clock = ticks[block] | (units[block] - member * n_values << reading.clock.bits)
        step = reading.step_of_rank[ranks[block]]
        return _of_units(reading, clock, step, rows[block] if with_rows else None, slice(member, member + 1))

    return _work_on(len(begins) - 1, part_of, work)


# ── two threads ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _work_on(n_parts: int, part_of: Callable[[int], Part], work: Callable[[Part], R]) -> list[R]:
    answers: dict[int, R] = {}

    def some(numbers: range) -> None:
        for number in numbers:
            answers[number] = work(part_of(number))

    in_halves(n_parts, some, many=_MANY_PARTS)
    return [answers[number] for number in range(n_parts)]
