"""When did each member last do it, how often, and for how much in all?

Three numbers a member from all rows of a log. Two ways lead there, and which one is taken makes no difference to the
numbers. Up to a million members, rows are added straight into columns that the cache holds, one column after the other,
for two would push each other out of it. Of more members, rows are dealt out by member first, so that what is added up
at a time stays in the cache.
"""

# Longer than most files: both ways fold the same rows, and are held to the same numbers.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np

from shequn.columns.halves import in_halves
from shequn.columns.membership import NO_INSTANT
from shequn.errors import InvalidValueError, message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.log import EventLog

__all__ = ["PerMember", "Wanted", "per_member"]

_MOST_STRAIGHT = 1 << 20  # members whose column the cache holds
_ROWS_STRAIGHT = 1 << 21  # rows that are gone through for one column, and then for the other
_BLOCK_STRAIGHT = 1 << 16
_SUM_BITS = 44  # of a number that counts rows above a sum
_NO_AGE = 2**32 - 1

_ROWS_AT_A_TIME = 1 << 22  # of which copies are held, dealt out
_BLOCK = 1 << 17  # rows that one thread deals out at a time
_FEWEST_MEMBERS_BITS = 14  # members of a part, so that their three columns fit the cache
_MOST_PARTS_BITS = 8  # so that the number of a part is one byte, which is sorted by counting
_EXACT_FLOAT = 2**53
_ONE_ROW = 2**36  # what a row adds to a sum that counts rows as well
_INT64 = 2**63
_MANY_PARTS = 8  # from here on a second thread pays


@attrs.frozen(eq=False)
class Wanted:
    """The rows that count: of some kinds, in (after_us, until_us].

    Attributes
    ----------
    kinds : ndarray of bool, shape (n_kinds,)
        By code of the kind.
    after_us, until_us : int
    """

    kinds: BoolArray
    after_us: int
    until_us: int

    def rows(self, log: EventLog, block: slice) -> IntArray | None:
        """Return which rows of a block count, from its first; None for all."""
        at_us = log.at_us[block]
        keep = None if self.kinds.all() else self.kinds.take(log.kind_codes[block])
        for is_bounded, inside in (
            (at_us.max() > self.until_us, np.less_equal),
            (at_us.min() <= self.after_us, np.greater),
        ):
            if is_bounded:
                bound = self.until_us if inside is np.less_equal else self.after_us
                keep = inside(at_us, bound) if keep is None else keep & inside(at_us, bound)
        return None if keep is None else np.flatnonzero(keep)

    def mask(self, log: EventLog) -> BoolArray:
        """Return which rows of a log count, shape (n,)."""
        mask: BoolArray = self.kinds[log.kind_codes] & (log.at_us > self.after_us) & (log.at_us <= self.until_us)
        return mask


class PerMember(NamedTuple):
    """Of each member's rows that count: the last instant (`NO_INSTANT` for none), their number, and the sum."""

    last_us: IntArray
    rows: IntArray
    total: NDArray[Any]


def per_member(log: EventLog, wanted: Wanted, values: NDArray[Any] | None) -> PerMember:
    """Fold the rows that count.

    Parameters
    ----------
    values : ndarray of int64 or float64, shape (n_rows,), or None
        What is summed; None gives sums of 0.

    Raises
    ------
    InvalidValueError
        A value that counts is not finite, or a sum does not fit.

    Notes
    -----
    Integers are summed exactly. Sums of floats do not depend on the order of rows either: where rounding could make a
    difference, the values of each member are added in ascending order.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> log = EventLog.from_columns(member=[7, 9, 7], kind="buy", at=[0, 1, 2], time_unit="s", value=[5, 6, 7])
    >>> wanted = Wanted(kinds=np.array([True]), after_us=-1, until_us=2_000_000)
    >>> [column.tolist() for column in per_member(log, wanted, log.value)]
    [[2000000, 1000000], [2, 1], [12, 6]]
    """
    n_members, n_rows = len(log.members), len(log)
    sums = _Sums.of(log, wanted, values)
    straight = _straight(log, wanted, values) if n_rows else None
    if straight is not None:
        return straight
    found = PerMember(
        np.full(n_members, NO_INSTANT, dtype=np.int64),
        np.zeros(n_members, dtype=np.int64),
        np.zeros(n_members, dtype=np.int64 if values is None else values.dtype),
    )
    if not n_rows:
        return found
    most = n_rows if sums.is_ordered else max(_ROWS_AT_A_TIME, n_members)
    dealt = _Dealt.room_for(min(most, n_rows), log, sums.values)
    for start in range(0, n_rows, most):
        dealt.deal(wanted, range(start, min(start + most, n_rows)))
        dealt.add_up(found, sums)
    sums.require_finite(found.total, log, wanted)
    return found


# ── few members ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _straight(log: EventLog, wanted: Wanted, values: NDArray[Any] | None) -> PerMember | None:
    """Fold the rows straight into columns of all members; None where that can't be done.

    Of instants the least age is kept, in ticks of 32 bits: half the column, half the time. Number and sum are added up
    in one integer: a row adds its value, and far above all sums a one. They are taken apart before a sum can grow into
    the number. Where a single stretch of rows may do that, or a number outgrows its room, or an age, it is done
    otherwise.
    """
    n_members = len(log.members)
    if n_members > _MOST_STRAIGHT or (values is not None and values.dtype.kind == "f"):
        return None
    both, ages = np.zeros(n_members, dtype=np.int64), np.full(n_members, _NO_AGE, dtype=np.uint32)
    rows, total = np.zeros(n_members, dtype=np.int64), np.zeros(n_members, dtype=np.int64)
    straight = _Straight.room_for(log, wanted, values)
    n_rows, largest = 0, 0
    for start in range(0, len(log), _ROWS_STRAIGHT):
        spans = straight.read(start, ages)
        if spans is None:
            return None
        n_rows += spans[-1].stop
        largest = max(largest, straight.add_up(both, start, spans))
        if largest * n_rows >= 1 << (_SUM_BITS - 1):
            return None
        is_last = start + _ROWS_STRAIGHT >= len(log)
        if is_last or largest * (n_rows + _ROWS_STRAIGHT) >= 1 << (_SUM_BITS - 1):
            if not _take_apart(both, rows, total, n_rows):
                return None
            n_rows = 0
    last_us = np.where(rows > 0, straight.newest_us - ages * np.int64(log.resolution_us), NO_INSTANT)
    return PerMember(last_us, rows, total)


def _take_apart(both: IntArray, rows: IntArray, total: IntArray, n_rows: int) -> bool:
    """Move numbers and sums to columns of their own; return False if a number had no room.

    Those lost the same amount each, so that the numbers of all members add up to less than the rows there were.
    """
    sums = (both << (64 - _SUM_BITS)) >> (64 - _SUM_BITS)
    numbers = (both - sums) >> _SUM_BITS
    rows += numbers
    total += sums
    both.fill(0)
    return int(numbers.sum()) == n_rows


@attrs.frozen(eq=False)
class _Straight:
    """Room for the members of some rows, and for a block of amounts.

    To ask for memory again costs more than to fill it.

    Attributes
    ----------
    member : ndarray of int64
        Members of the rows that count, a block after the other.
    values : ndarray of int64
        Their values, where not all rows count.
    amounts : ndarray of int64
        What the rows of a block add to number and sum; before that, their ages.
    newest_us : int
        The instant of age 0: the last at which a row could count.
    """

    log: EventLog
    wanted: Wanted
    source: NDArray[Any] | None
    member: IntArray
    values: IntArray
    amounts: IntArray
    newest_us: int

    @classmethod
    def room_for(cls, log: EventLog, wanted: Wanted, source: NDArray[Any] | None) -> _Straight:
        n_rows = min(len(log), _ROWS_STRAIGHT)
        member, values, amounts = (np.empty(n, dtype=np.int64) for n in (n_rows, n_rows, min(n_rows, _BLOCK_STRAIGHT)))
        newest_us = wanted.until_us // log.resolution_us * log.resolution_us
        return cls(log, wanted, source, member, values, amounts, newest_us)

    def _blocks(self, start: int) -> Iterator[slice]:
        stop = min(start + _ROWS_STRAIGHT, len(self.log))
        return (slice(first, min(first + _BLOCK_STRAIGHT, stop)) for first in range(start, stop, _BLOCK_STRAIGHT))

    def read(self, start: int, ages: NDArray[np.uint32]) -> list[slice] | None:
        """Keep the rows that count, and see how old they are; return where those of each block are.

        None where some are too old for ages of 32 bits.
        """
        spans: list[slice] = []
        held = 0
        for block in self._blocks(start):
            rows = self.wanted.rows(self.log, block)
            n = block.stop - block.start if rows is None else len(rows)
            span = slice(held, held + n)
            at_us = self.log.at_us[block]
            if rows is None:
                self.member[span] = self.log.member_codes[block]
            else:
                at_us = at_us.take(rows)
                self.member[span] = self.log.member_codes[block].take(rows)
                if self.source is not None:
                    self.source[block].take(rows, out=self.values[span], mode="clip")
            if n:
                age = self.amounts[:n]
                np.subtract(self.newest_us, at_us, out=age)
                age //= self.log.resolution_us
                if age.max() >= _NO_AGE:
                    return None
                np.minimum.at(ages, self.member[span], age.astype(np.uint32))
            spans.append(span)
            held += n
        return spans

    def add_up(self, both: IntArray, start: int, spans: list[slice]) -> int:
        """Add up what was kept; return the largest size of a value."""
        largest = 0
        for block, span in zip(self._blocks(start), spans, strict=True):
            n = span.stop - span.start
            amounts = self.amounts[:n]
            if self.source is None:
                amounts.fill(1 << _SUM_BITS)
            elif n:
                values = self.source[block] if n == block.stop - block.start else self.values[span]
                largest = max(largest, -int(values.min()), int(values.max()))
                np.add(values, 1 << _SUM_BITS, out=amounts)
            np.add.at(both, self.member[span], amounts)
        return largest


# ── many members ─────────────────────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen(eq=False)
class _Dealt:
    """Room for some rows of a log, dealt out: those of a part of the members stand together in each block.

    The room is used again for the next rows: to ask for new memory costs more than to fill it.

    Attributes
    ----------
    shift : int
        A part has ``2 ** shift`` members.
    n_parts : int
    member, at_us, values : ndarray
        The rows that count. Those of a block begin where the block does.
    edges : dict of int to list of int
        By the first row of a block: where each part begins, and where the last one ends.
    """

    log: EventLog
    source: NDArray[Any] | None
    shift: int
    n_parts: int
    member: NDArray[Any]
    at_us: IntArray
    values: NDArray[Any] | None
    edges: dict[int, list[int]]

    @classmethod
    def room_for(cls, n_rows: int, log: EventLog, source: NDArray[Any] | None) -> _Dealt:
        """Return room for so many rows at a time."""
        n_members = len(log.members)
        shift = max(_FEWEST_MEMBERS_BITS, (n_members - 1).bit_length() - _MOST_PARTS_BITS)
        return cls(
            log,
            source,
            shift,
            n_parts=((n_members - 1) >> shift) + 1,
            member=np.empty(n_rows, dtype=log.member_codes.dtype),
            at_us=np.empty(n_rows, dtype=np.int64),
            values=None if source is None else np.empty(n_rows, dtype=source.dtype),
            edges={},
        )

    def deal(self, wanted: Wanted, these: range) -> None:
        """Deal out the rows that count of these."""
        self.edges.clear()

        def some(rows: range) -> None:
            for start in range(rows.start, rows.stop, _BLOCK):
                stop = min(start + _BLOCK, rows.stop)
                self._deal_block(wanted, slice(these.start + start, these.start + stop), start)

        in_halves(len(these), some)

    def _deal_block(self, wanted: Wanted, block: slice, start: int) -> None:
        member = self.log.member_codes[block]
        rows = wanted.rows(self.log, block)
        part = ((member if rows is None else member.take(rows)) >> self.shift).astype(np.uint8)
        order = np.argsort(part, kind="stable")
        edges = np.searchsorted(part, np.arange(self.n_parts, dtype=np.uint8), sorter=order)
        self.edges[start] = [start + edge for edge in (*edges.tolist(), len(order))]
        order = order if rows is None else rows.take(order)
        held = slice(start, start + len(order))
        # Places are taken, which costs a third of an index in brackets; they are there, and so need no check.
        member.take(order, out=self.member[held], mode="clip")
        self.log.at_us[block].take(order, out=self.at_us[held], mode="clip")
        if self.source is not None and self.values is not None:
            self.source[block].take(order, out=self.values[held], mode="clip")

    def add_up(self, found: PerMember, sums: _Sums) -> None:
        """Add what was dealt out to what was found before."""
        edges = np.array([self.edges[start] for start in sorted(self.edges)])
        sizes = np.diff(edges).sum(axis=0).tolist()

        def some(parts: range) -> None:
            most = max(sizes[parts.start : parts.stop], default=0)
            member, at_us = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
            values = None if self.values is None else np.empty(most, dtype=self.values.dtype)
            for part in parts:
                n, first = sizes[part], part << self.shift
                spans = [slice(*span) for span in edges[:, part : part + 2].tolist()]
                mine = np.concatenate([self.member[span] for span in spans], out=member[:n])
                mine -= first
                last_us, rows, total = (column[first : first + (1 << self.shift)] for column in found)
                at = np.concatenate([self.at_us[span] for span in spans], out=at_us[:n])
                np.maximum.at(last_us, mine, at)
                if self.values is None or values is None:
                    rows += np.bincount(mine, minlength=len(rows))
                else:
                    sums.add(rows, total, mine, np.concatenate([self.values[span] for span in spans], out=values[:n]))

        in_halves(self.n_parts, some, many=_MANY_PARTS)


# ── sums ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen(eq=False)
class _Sums:
    """How values are summed.

    `is_ordered`: floats whose sums depend on the order they are added in. `largest` collects the largest size of an
    integer that was met.
    """

    values: NDArray[Any] | None
    is_ordered: bool
    largest: list[int]

    @classmethod
    def of(cls, log: EventLog, wanted: Wanted, values: NDArray[Any] | None) -> _Sums:
        if values is None or values.dtype.kind != "f":
            return cls(values, is_ordered=False, largest=[0])
        finite = np.isfinite(values)
        if not finite.all():
            bad = ~finite & wanted.mask(log)
            if bad.any():
                row = int(np.flatnonzero(bad)[0])
                text = message("value", "finite numbers", values[row], row=row, bad=int(bad.sum()), total=len(bad))
                raise InvalidValueError(f"{text}; leave such rows out first, or give each a number")
        return cls(values, is_ordered=not _adds_exactly(values), largest=[0])

    def add(self, rows: IntArray, total: NDArray[Any], member: IntArray, values: NDArray[Any]) -> None:
        """Count the rows of each member, and add their values up."""
        n_members = len(rows)
        if values.dtype.kind == "f":
            if self.is_ordered:
                order = np.argsort(values)
                member, values = member.take(order), values.take(order)
            rows += np.bincount(member, minlength=n_members)
            total += np.bincount(member, weights=values, minlength=n_members)
            return
        largest = max(-int(values.min(initial=0)), int(values.max(initial=0)))
        self.largest[0] = max(self.largest[0], largest)
        if largest * len(values) < _ONE_ROW // 2 and len(values) <= _EXACT_FLOAT // _ONE_ROW:
            # One pass for both: each row adds its value, and far above all of them a one.
            both = np.bincount(member, weights=values + float(_ONE_ROW), minlength=n_members)
            number = np.rint(both / _ONE_ROW)
            rows += number.astype(np.int64)
            total += (both - number * _ONE_ROW).astype(np.int64)
        else:
            rows += np.bincount(member, minlength=n_members)
            np.add.at(total, member, values)

    def require_finite(self, total: NDArray[Any], log: EventLog, wanted: Wanted) -> None:
        """Raise where a sum does not fit its type; integers have wrapped around there."""
        if total.dtype.kind == "f":
            fits = np.isfinite(total)
            if fits.all():
                return
            member, what = int(np.flatnonzero(~fits)[0]), "floats"
            got: object = total[member]
        elif self.largest[0] * len(log) < _INT64 or self.values is None:
            return
        else:
            wrong = _overflowing(log, wanted, self.values)
            if wrong is None:
                return
            (member, got), what = wrong, "integers"
        expected = f"{what} whose sum for each member fits 64 bits"
        raise InvalidValueError(message("value", expected, got) + f" for member {log.members[member]!r}")


def _adds_exactly(values: NDArray[Any]) -> bool:
    """Return whether floats are whole and small enough that no sum of them is ever rounded."""
    largest = float(np.abs(values).max(initial=0, where=np.isfinite(values)))
    return largest * len(values) < _EXACT_FLOAT and bool((np.rint(values) == values).all())


def _overflowing(log: EventLog, wanted: Wanted, values: NDArray[Any]) -> tuple[int, int] | None:
    """Return the first member whose sum of integers does not fit 64 bits, and the sum."""
    rows = np.flatnonzero(wanted.mask(log))
    member, values = log.member_codes.take(rows).astype(np.int64), values.take(rows)
    # Off by far less than a quarter of what 64 bits hold; only what is near that is summed by Python.
    about = np.bincount(member, weights=values, minlength=len(log.members))
    for doubtful in np.flatnonzero(np.abs(about) > _INT64 // 4).tolist():
        total = sum(values[member == doubtful].tolist())
        if not -_INT64 <= total < _INT64:
            return doubtful, total
    return None
