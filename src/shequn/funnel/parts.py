"""How are the entries of many members brought into order, and walked in pieces that stay in the cache?

Entries are dealt out into parts of whole members, thinned, and each part is sorted by (unit, instant, rank). Dealing
and sorting are done by counting up to 16 bits at a time, as comparing sorts of 64-bit numbers take several times as
long on some processors. A log that is sorted already is walked as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from shequn.columns.halves import in_halves
from shequn.errors import InvalidValueError, message
from shequn.funnel.rules import Rules
from shequn.funnel.thinning import Stretches

if TYPE_CHECKING:
    from collections.abc import Callable

    from shequn._typing import BoolArray, IntArray
    from shequn.funnel.reading import Reading

__all__ = ["Part", "Wanted", "for_each_part"]

R = TypeVar("R")
Keys = NDArray[np.uint64]  # unit, instant and rank
# Every entry; those of the first step and what could follow one; or of the first step only what could be followed.
Wanted = Literal["all", "attempts", "pairs"]

_ENTRIES_OF_PART = 1 << 18  # so that what is made of a part stays in the cache, and a step of Python is worth its while
_LARGEST_PART = 1 << 20
_PARTS_WISHED = 1 << 8  # at most, while parts are not the largest
_BLOCK = 1 << 17  # rows dealt out at a time
_DIGIT_BITS = 16
_BYTE_BITS = 8
_FEW_PARTS, _MOST_PARTS = 1 << 8, 1 << _DIGIT_BITS
_MOST_PIECES = 1 << 17
_KEY_BITS = 64
_CLOCK_BITS = 63  # of a number with a sign
_MANY_PARTS = 16  # from here on a second thread pays


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
    left_out : ndarray of bool, or None
        By member, from the first of the part: who has an attempt that was left out, because no other row can follow.
    """

    clock: IntArray
    step: NDArray[Any]
    rows: IntArray | None
    first_member: int
    n_units: int
    member: IntArray | None
    bits: int
    reading: Reading
    left_out: BoolArray | None = None

    def units(self, clock: IntArray) -> IntArray:
        """Return the unit of each clock value, from the first of the part."""
        return clock >> self.bits

    def members_of(self, units: IntArray) -> IntArray:
        """Return the member of each unit of the part."""
        return units + self.first_member if self.member is None else self.member[units]

    def ticks(self, clock: IntArray) -> IntArray:
        """Return the instant of each clock value."""
        return clock & ((1 << self.bits) - 1)


def for_each_part(reading: Reading, work: Callable[[Part], R], *, with_rows: bool, wanted: Wanted = "all") -> list[R]:
    """Do the work on each part, in the order of members, and return the answers."""
    if not len(reading.log):
        return []
    if reading.log.is_sorted and reading.units.values is None and _fits(reading, 1):
        return _in_order(reading, work, with_rows=with_rows, wanted=wanted)
    return _dealt_out(reading, work, with_rows=with_rows, wanted=wanted)


def _fits(reading: Reading, n_units: int) -> bool:
    # A clock is a key without its rank, and has a sign: where there is no rank, one bit stays free.
    return _unit_bits(n_units) + reading.clock.bits + max(reading.rank_bits, 1) <= _KEY_BITS


def _unit_bits(n_units: int) -> int:
    return max(n_units - 1, 0).bit_length()


def _low_bits(reading: Reading) -> int:
    """Return how many bits of a key are below the unit."""
    return reading.clock.bits + reading.rank_bits


def _keys(reading: Reading, rows: IntArray, since: IntArray, ranks: NDArray[Any]) -> Keys:
    """Return the keys of rows, where members are counted from the first of a part."""
    key = reading.clock.ticks(reading.log.at_us.take(rows))
    unit = reading.units.number(since, rows)
    unit <<= reading.clock.bits
    key |= unit
    key <<= reading.rank_bits
    key |= ranks
    return key.view(np.uint64)


def _part(
    reading: Reading, keys: Keys, rows: IntArray | None, members: slice, wanted: Wanted, *, is_sorted: bool
) -> Part:
    """Return the part that some keys make; `is_sorted` but for ranks."""
    n_units = (members.stop - members.start) * reading.units.n_values
    left_out = None
    if wanted != "all":
        keep, left_out = _thinned(reading, keys, n_units, wanted)
        if keep is not None:
            keys, rows = keys.take(keep), None if rows is None else rows.take(keep)
    keys, rows = _in_order_of_ranks(reading, keys, rows) if is_sorted else _sorted(reading, keys, rows, n_units)
    ranks = _ranks(reading, keys)
    step = ranks if reading.is_step_rank else reading.step_of_rank[ranks]
    clock = (keys >> np.uint64(reading.rank_bits)).view(np.int64)
    return _of_units(reading, clock, step, rows, members, left_out)


def _ranks(reading: Reading, keys: Keys) -> NDArray[Any]:
    ranks: NDArray[Any] = keys.astype(np.uint8 if reading.rank_bits <= _BYTE_BITS else np.uint16)
    ranks &= (1 << reading.rank_bits) - 1
    return ranks


def _thinned(
    reading: Reading, keys: Keys, n_units: int, wanted: Wanted
) -> tuple[IntArray, BoolArray | None] | tuple[None, None]:
    """Return which entries to keep, and which members have attempts that were left out."""
    clock = reading.clock
    stretches = Stretches.of(
        n_units=n_units,
        bits=clock.bits,
        span=clock.span,
        within=clock.within,
        n_entries=len(keys),
        low_bits=reading.rank_bits,
    )
    if stretches is None:
        return None, None
    cells, ranks = stretches.cells(keys), _ranks(reading, keys)
    # Here and below places are taken instead of masks, which cost ten times as much where they change at random.
    is_first = reading.step_of_rank == 0
    first = np.flatnonzero(is_first.take(ranks))
    begins = cells.take(first)
    near = np.flatnonzero(stretches.after(begins).take(cells))
    if wanted == "attempts":
        return near, None
    # What stands in the window of an attempt that something follows; and whose attempts nothing follows.
    cells, ranks = cells.take(near), ranks.take(near)
    is_second = np.isin(reading.step_of_rank, Rules.of(reading.funnel).next_steps(0))
    followed = stretches.before(cells.take(np.flatnonzero(is_second.take(ranks))))
    is_followed = followed.take(begins)
    keep = stretches.after(begins.take(np.flatnonzero(is_followed))).take(cells)
    # An attempt that nothing follows may still interrupt a strict chain, or its row compete with others of its instant.
    if reading.funnel.order == "ordered" and not reading.is_once:
        keep &= followed.take(cells) | ~is_first.take(ranks)
    left_out = np.zeros(n_units // reading.units.n_values, dtype=np.bool_)
    units = keys.take(first.take(np.flatnonzero(~is_followed))) >> np.uint64(_low_bits(reading))
    left_out[units.view(np.int64) // reading.units.n_values] = True
    return near.take(np.flatnonzero(keep)), left_out


def _sorted(reading: Reading, keys: Keys, rows: IntArray | None, n_units: int) -> tuple[Keys, IntArray | None]:
    n_low = _low_bits(reading)
    bits = _unit_bits(n_units) + n_low
    low = keys & np.uint64((1 << n_low) - 1)
    # Rows mostly come in the order of time, and only units have to be brought together then.
    shift = n_low if bool((low[1:] >= low[:-1]).all()) else 0
    while shift < bits:
        digit = np.uint8 if bits - shift <= _BYTE_BITS else np.uint16
        order = np.argsort((keys >> np.uint64(shift)).astype(digit), kind="stable")
        keys, rows = keys.take(order), None if rows is None else rows.take(order)
        shift += _DIGIT_BITS
    return keys, rows


def _in_order_of_ranks(reading: Reading, keys: Keys, rows: IntArray | None) -> tuple[Keys, IntArray | None]:
    """Sort keys that are sorted but for their ranks."""
    if not bool((keys[1:] < keys[:-1]).any()):
        return keys, rows
    instants = keys >> np.uint64(reading.rank_bits)
    same = np.flatnonzero(instants[1:] == instants[:-1])
    tied = np.zeros(len(keys), dtype=np.bool_)
    tied[same] = tied[same + 1] = True
    at = np.flatnonzero(tied)
    order = np.arange(len(keys))
    order[at] = at[np.argsort(keys[at], kind="stable")]
    return keys[order], None if rows is None else rows[order]


def _of_units(  # noqa: PLR0917
    reading: Reading,
    clock: IntArray,
    step: NDArray[Any],
    rows: IntArray | None,
    members: slice,
    left_out: BoolArray | None = None,
) -> Part:
    """Return a part; where units are not members, only those that have entries are numbered."""
    bits, n_values = reading.clock.bits, reading.units.n_values
    if reading.units.values is None:
        n_members = members.stop - members.start
        return Part(clock, step, rows, members.start, n_members, None, bits, reading, left_out)
    units = clock >> bits
    new = np.ones(len(units), dtype=np.bool_)
    new[1:] = units[1:] != units[:-1]
    member = units[new] // n_values + members.start
    clock = (np.cumsum(new) - 1 << bits) | (clock & ((1 << bits) - 1))
    return Part(clock, step, rows, members.start, len(member), member, bits, reading, left_out)


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
    n_rows = max(len(reading.log), 1)
    # Of very many rows larger parts are made, or each would be put together from too many pieces.
    wanted = max(_ENTRIES_OF_PART, min(n_rows // _PARTS_WISHED, _LARGEST_PART))
    shift = max(n_members * wanted // n_rows, 1).bit_length() - 1
    shift = max(shift, _unit_bits(-(-n_members // _MOST_PARTS)))
    while True:
        deal = _Deal(reading, shift)
        if _fits(reading, reading.units.n_values << shift):
            return deal
        if shift == 0 or ((n_members - 1) >> (shift - 1)) + 1 > _MOST_PARTS:
            return None
        shift -= 1


def _dealt_out(reading: Reading, work: Callable[[Part], R], *, with_rows: bool, wanted: Wanted) -> list[R]:
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
        return _part(reading, keys, rows, deal.members(number), wanted, is_sorted=False)

    return _work_on(deal.n_parts, part_of, work)


class _Block(NamedTuple):
    """The entries of some rows, dealt out: those of each part together, in row order."""

    keys: Keys
    rows: IntArray
    edges: list[int]  # where each part begins, and where the last one ends


def _block(deal: _Deal, block: slice, *, with_rows: bool) -> _Block:
    reading = deal.reading
    rows, ranks = reading.entries(block)
    member = reading.log.member_codes.take(rows).astype(np.int64)
    part = (member >> deal.shift).astype(np.uint8 if deal.n_parts <= _FEW_PARTS else np.uint16)
    keys = _keys(reading, rows, member & ((1 << deal.shift) - 1), ranks)
    order = np.argsort(part, kind="stable")
    edges = np.concatenate([[0], np.cumsum(np.bincount(part, minlength=deal.n_parts))])
    return _Block(keys.take(order), rows.take(order) if with_rows else rows[:0], edges.tolist())


# ── a log in order of member and instant ─────────────────────────────────────────────────────────────────────────────


def _in_order(reading: Reading, work: Callable[[Part], R], *, with_rows: bool, wanted: Wanted) -> list[R]:
    members = reading.log.member_codes
    # A part is as many whole members as fit, and one at least.
    firsts = members[::_ENTRIES_OF_PART]
    edges: IntArray = np.unique(np.append(np.searchsorted(members, firsts), len(members)))
    most = int((members[edges[1:] - 1].astype(np.int64) - members[edges[:-1]]).max()) + 1
    if not _fits(reading, most):
        edges = np.append(np.flatnonzero(np.diff(members, prepend=-1)), len(members))

    def part_of(number: int) -> Part:
        block = slice(int(edges[number]), int(edges[number + 1]))
        held = slice(int(members[block.start]), int(members[block.stop - 1]) + 1)
        rows, ranks = reading.entries(block)
        since = members.take(rows).astype(np.int64)
        since -= held.start
        keys = _keys(reading, rows, since, ranks)
        return _part(reading, keys, rows if with_rows else None, held, wanted, is_sorted=True)

    return _work_on(len(edges) - 1, part_of, work)


# ── keys that don't fit ──────────────────────────────────────────────────────────────────────────────────────────────


def _compared(reading: Reading, work: Callable[[Part], R], *, with_rows: bool) -> list[R]:
    """Sort by comparing where unit, instant and rank don't fit one number."""
    rows, ranks = reading.entries(slice(0, len(reading.log)))
    units = reading.units.number(reading.log.member_codes.take(rows).astype(np.int64), rows)
    ticks = reading.clock.ticks(reading.log.at_us[rows])
    order = np.lexsort((ranks, ticks, units))
    rows, ranks, units, ticks = rows[order], ranks[order], units[order], ticks[order]
    members, bits = units // reading.units.n_values, reading.clock.bits
    begins = np.append(np.flatnonzero(np.diff(members, prepend=-1)), len(members))

    def part_of(number: int) -> Part:
        block = slice(int(begins[number]), int(begins[number + 1]))
        # Numbered anew: there may be more values than fit beside an instant.
        number_of_unit = np.cumsum(np.diff(units[block], prepend=-1) != 0) - 1
        _require_room(reading, int(members[block.start]), int(number_of_unit[-1]) + 1)
        clock = ticks[block] | (number_of_unit << bits)
        step = reading.step_of_rank[ranks[block]]
        member = np.full(int(number_of_unit[-1]) + 1, members[block.start])
        return Part(clock, step, rows[block] if with_rows else None, int(member[0]), len(member), member, bits, reading)

    return _work_on(len(begins) - 1, part_of, work)


def _require_room(reading: Reading, member: int, n_values: int) -> None:
    """Raise where one member has more values held constant than can be told apart beside an instant."""
    most = 1 << (_CLOCK_BITS - reading.clock.bits)
    if n_values > most:
        expected = f"at most {most:,} values of one member beside instants so far apart"
        got = f"{n_values:,} of {reading.log.members[member]!r}"
        raise InvalidValueError(
            message("hold_constant", expected, got)
            + "; instants of whole seconds, or a shorter log, leave room for more"
        )


# ── two threads ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _work_on(n_parts: int, part_of: Callable[[int], Part], work: Callable[[Part], R]) -> list[R]:
    answers: dict[int, R] = {}

    def some(numbers: range) -> None:
        for number in numbers:
            answers[number] = work(part_of(number))

    in_halves(n_parts, some, many=_MANY_PARTS)
    return [answers[number] for number in range(n_parts)]
