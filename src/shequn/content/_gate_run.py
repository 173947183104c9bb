"""The rules of a gate that depend on what was sent before: every member's messages in order, all members side by side.

Of each block of members, so many that they stay in cache, the first messages are judged at once, then the second ones,
and so on. Once few members have any left, the rest of each is walked through alone.
"""

# One step of many members and one of one member are the same rules twice, and stand together so that they agree.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np

from shequn.columns.halves import in_halves
from shequn.content.pressure import PRESSURE_SLACK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.content.pressure import Pressure
    from shequn.values.calendar import Calendar

__all__ = ["GAP", "PRESSURE", "SENT", "Cap", "Outcome", "Requests", "Rules", "run"]

# Bits of the rules that stand in the way; those of caps are between the two.
GAP, PRESSURE = 1, 16
SENT = 128
# With fewer members than that, one at a time is faster.
FEW = 48
_LONG_AGO = -(2**62)
_KEY_BITS = 63
_BLOCK = 1 << 15
# From here on two threads are worth it.
_MANY = 1 << 20
_MANY_BLOCKS = 8
# What rounding may add to a number of half-lives: far less than the slack of the pressure is worth.
_ROUNDING = 1e-12


class Cap(NamedTuple):
    """At most so many in a period of a calendar; the bit says so where it stands in the way."""

    bit: int
    calendar: Calendar
    most: int


class Rules(NamedTuple):
    """The least time between two, the caps, and the cap on the pressure."""

    gap_us: int
    caps: Sequence[Cap]
    pressure: Pressure | None


class Requests(NamedTuple):
    """Rows that ask to be sent, and rows that were sent whatever the gate says, both in any order.

    `code` numbers members, `rank` orders rows of one member and instant (facts first), `is_fact` marks what was sent,
    `is_open` what quiet hours let through.
    """

    code: NDArray[Any]
    at_us: IntArray
    resolution_us: int
    rank: IntArray | None
    is_fact: BoolArray | None
    is_open: BoolArray
    weight: FloatArray | None


class Outcome(NamedTuple):
    """The rules against each row, or that it is sent, and how long until gap and pressure have nothing against it.

    Of gap and pressure, `bits` has the one that takes longer.
    """

    bits: NDArray[np.uint8]
    wait_us: IntArray


class _Plan(NamedTuple):
    """Rows in order: those of member g are `start[g]` and the `n_rows[g] - 1` that follow; numbers fall with g."""

    start: IntArray
    n_rows: IntArray


class _Ordered(NamedTuple):
    """Where each row stood before, its member and its instant."""

    source: IntArray
    member: NDArray[Any]
    at_us: IntArray


def run(requests: Requests, rules: Rules, /) -> Outcome:
    """Judge all rows in the order of their instants."""
    n = len(requests.at_us)
    outcome = Outcome(np.zeros(n, dtype=np.uint8), np.zeros(n, dtype=np.int64))
    if not n:
        return outcome
    rows = _in_order(requests)
    firsts = np.flatnonzero(np.concatenate(([True], rows.member[1:] != rows.member[:-1])))
    counts = np.diff(firsts, append=n)
    by_count = _falling(counts)
    plan = _Plan(firsts[by_count], counts[by_count])
    _Walk(requests, rows, plan, outcome, rules).go()
    return outcome


def _in_order(requests: Requests) -> _Ordered:
    """Return the rows ordered by member, instant, rank and row: by sorting packed integers where they fit."""
    n = len(requests.at_us)
    low, high = int(requests.at_us.min()), int(requests.at_us.max())
    rank_bits = 0 if requests.rank is None else int(requests.rank.max()).bit_length()
    row_bits, code_bits = (n - 1).bit_length(), int(requests.code.max()).bit_length()
    time_bits = ((high - low) // requests.resolution_us).bit_length()
    if code_bits + time_bits + rank_bits > _KEY_BITS:
        ranks = np.zeros(n, dtype=np.int8) if requests.rank is None else requests.rank
        source = np.lexsort((ranks, requests.at_us, requests.code))
        return _Ordered(source, requests.code[source], requests.at_us[source])
    key = requests.at_us - low
    if requests.resolution_us > 1:
        key //= requests.resolution_us
    if code_bits:
        key |= requests.code.astype(np.int64) << time_bits
    if requests.rank is not None:
        key <<= rank_bits
        key |= requests.rank
    if code_bits + time_bits + rank_bits + row_bits > _KEY_BITS:
        source = np.argsort(key, kind="stable")
        key = key[source]
    else:
        # To carry the row along and sort numbers is faster than to sort their places.
        key <<= row_bits
        key |= np.arange(n)
        key = _sorted(key)
        source = key & ((1 << row_bits) - 1)
        key >>= row_bits
    key >>= rank_bits
    at_us = key & ((1 << time_bits) - 1)
    at_us *= requests.resolution_us
    at_us += low
    key >>= time_bits
    return _Ordered(source, key, at_us)


def _sorted(key: IntArray) -> IntArray:
    """Return numbers in order; of many, the lower and the higher ones are sorted side by side."""
    if len(key) < _MANY:
        key.sort()
        return key
    is_low = key < np.median(key[:: len(key) // 1024])
    parts = key[is_low], key[~is_low]

    def sort(which: range) -> None:
        for part in which:
            parts[part].sort()

    in_halves(len(parts), sort, many=len(parts))
    return np.concatenate(parts)


def _falling(counts: IntArray) -> IntArray:
    """Return the members ordered by falling number of rows."""
    most = int(counts.max())
    keys = most - counts
    # Sixteen bits are sorted by radix.
    order: IntArray = np.argsort(keys.astype(np.uint16) if most < 1 << 16 else keys, kind="stable")
    return order


class _Walk:
    """The state of all members while their rows are walked through; written in place."""

    def __init__(self, requests: Requests, rows: _Ordered, plan: _Plan, outcome: Outcome, rules: Rules, /) -> None:
        n_members = len(plan.start)
        self.requests, self.rows, self.plan, self.outcome = requests, rows, plan, outcome
        self.gap_us, self.pressure = rules.gap_us, rules.pressure
        self.last_us = np.full(n_members, _LONG_AGO, dtype=np.int64)
        self.level = np.zeros(n_members if rules.pressure else 0, dtype=np.float64)
        self.caps = [(cap, *_tallies(rows, cap.calendar, n_members)) for cap in rules.caps]

    def go(self) -> None:
        """Judge the first rows of all members, then the second ones, then the third ones, block by block of members."""
        n_members, most = len(self.plan.start), int(self.plan.n_rows[0])
        # How many members have more than k rows.
        n_with: list[int] = (n_members - np.cumsum(np.bincount(self.plan.n_rows, minlength=most))).tolist()
        # Blocks of members with many rows come first, and so every other one goes to the other thread.
        blocks = list(range(0, n_members, _BLOCK))
        blocks = blocks[::2] + blocks[1::2]

        def some(which: range) -> None:
            for block in which:
                first = blocks[block]
                self._go_through(first, min(first + _BLOCK, n_members), n_with)

        in_halves(len(blocks), some, many=_MANY_BLOCKS)

    def _go_through(self, first: int, end: int, n_with: list[int]) -> None:
        for k in range(int(self.plan.n_rows[first])):
            active = min(end, n_with[k])
            if active - first < FEW:
                for member in range(first, active):
                    self._finish(member, k)
                return
            self._step(first, active, k)

    def _step(self, first: int, end: int, k: int) -> None:
        rows, some = self.plan.start[first:end] + k, slice(first, end)
        source, at_us = self.rows.source[rows], self.rows.at_us[rows]
        is_fact = None if self.requests.is_fact is None else self.requests.is_fact[source]
        bits = self._caps_reached(rows, some)
        # Before its first row a member has been sent nothing.
        if self.gap_us and k:
            wait = self.last_us[some] + self.gap_us - at_us
            blocked = np.flatnonzero(wait > 0)
            bits[blocked] |= np.uint8(GAP)
            self.outcome.wait_us[source[blocked]] = wait[blocked]
        level = weight = None
        if self.pressure is not None:
            weight = np.ones(end - first) if self.requests.weight is None else self.requests.weight[source]
            level = self.level[some]
            if k:
                level = level * np.exp2(-(at_us - self.last_us[some]) / self.pressure.half_life_us)
                over = level + weight > self.pressure.cap * (1.0 + PRESSURE_SLACK)
                blocked = np.flatnonzero(over if is_fact is None else over & ~is_fact)
                relief = _relief(level[blocked], weight[blocked], self.pressure)
                # Of the two, the one that takes longer.
                longer = relief > self.outcome.wait_us[source[blocked]]
                blocked = blocked[longer]
                bits[blocked] = bits[blocked] & ~np.uint8(GAP) | np.uint8(PRESSURE)
                self.outcome.wait_us[source[blocked]] = relief[longer]
        sends = self.requests.is_open[source] & (bits == 0)
        if is_fact is not None:
            sends |= is_fact
        bits |= sends.view(np.uint8) * np.uint8(SENT)
        self.outcome.bits[source] = bits
        if level is not None and weight is not None:
            np.copyto(self.level[some], level + weight, where=sends)
        if self.gap_us or self.pressure is not None:
            np.copyto(self.last_us[some], at_us, where=sends)
        for _, tally, slots in self.caps:
            if slots is None:
                tally[some] += sends
            else:
                tally[slots[rows]] += sends

    def _caps_reached(self, rows: IntArray, some: slice) -> NDArray[np.uint8]:
        bits = np.zeros(len(rows), dtype=np.uint8)
        for cap, tally, slots in self.caps:
            held = tally[some] if slots is None else tally[slots[rows]]
            bits |= (held >= cap.most).view(np.uint8) * np.uint8(cap.bit)
        return bits

    def _finish(self, member: int, k: int) -> None:
        """Judge what one member has left, as `_step` does."""
        some = slice(int(self.plan.start[member]) + k, int(self.plan.start[member] + self.plan.n_rows[member]))
        source = self.rows.source[some]
        last_us, level = int(self.last_us[member]), float(self.level[member]) if self.pressure else 0.0
        instants: list[int] = self.rows.at_us[some].tolist()
        n = len(instants)
        opens: list[bool] = self.requests.is_open[source].tolist()
        facts = [False] * n if self.requests.is_fact is None else self.requests.is_fact[source].tolist()
        weights = [1.0] * n if self.requests.weight is None else self.requests.weight[source].tolist()
        caps = [
            (cap, tally, [member] * n if slots is None else slots[some].tolist()) for cap, tally, slots in self.caps
        ]
        for row, at_us in enumerate(instants):
            bits, wait, now = 0, 0, 0.0
            if self.gap_us and at_us < last_us + self.gap_us:
                bits, wait = GAP, last_us + self.gap_us - at_us
            for cap, tally, slots in caps:
                if tally[slots[row]] >= cap.most:
                    bits |= cap.bit
            if self.pressure is not None:
                now = level * float(np.exp2(-(at_us - last_us) / self.pressure.half_life_us)) if level else 0.0
                if not facts[row] and now + weights[row] > self.pressure.cap * (1.0 + PRESSURE_SLACK):
                    relief = int(_relief(np.float64(now), np.float64(weights[row]), self.pressure))
                    if relief > wait:
                        bits, wait = bits & ~GAP | PRESSURE, relief
            if facts[row] or (opens[row] and not bits):
                bits |= SENT
                last_us, level = at_us, now + weights[row]
                for _, tally, slots in caps:
                    tally[slots[row]] += 1
            self.outcome.bits[source[row]] = bits
            self.outcome.wait_us[source[row]] = wait


def _relief(level: Any, weight: Any, pressure: Pressure) -> Any:  # noqa: ANN401
    """Return the microseconds until the pressure has room for a message for which it has none now."""
    half_lives = np.log2(level / (pressure.cap - weight)) - _ROUNDING
    return np.ceil(half_lives * pressure.half_life_us).astype(np.int64)


def _tallies(rows: _Ordered, calendar: Calendar, n_members: int) -> tuple[NDArray[np.int32], NDArray[np.int32] | None]:
    """Return a count for each member and period, zero still, and the count that each row belongs to.

    Where all rows are of one period, there is one count a member, and no need to say which.
    """
    ends = calendar.index(np.array([rows.at_us.min(), rows.at_us.max()]))
    # Where clocks change in between, a period between two rows of another one is possible.
    days = attrs.evolve(calendar, unit="day", week_start="monday")
    if ends[0] == ends[1] and days.rule(int(rows.at_us.min()), int(rows.at_us.max())) is not None:
        return np.zeros(n_members, dtype=np.int32), None
    period = calendar.index(rows.at_us)
    is_new = np.concatenate(([True], (rows.member[1:] != rows.member[:-1])))
    falls = (period[1:] < period[:-1]) & ~is_new[1:]
    if falls.any():
        # Clocks were set back over the start of a period, so that it was left and entered again.
        pairs = np.stack([rows.member.astype(np.int64), period.astype(np.int64)])
        _, slots = np.unique(pairs, axis=1, return_inverse=True)
        places: NDArray[np.int32] = slots.ravel().astype(np.int32)
    else:
        is_new[1:] |= period[1:] != period[:-1]
        places = np.cumsum(is_new, dtype=np.int32) - np.int32(1)
    return np.zeros(int(places.max()) + 1, dtype=np.int32), places
