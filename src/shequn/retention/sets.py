"""Who was there, period by period: a set of members for each period, in two shapes with one meaning.

`BitSets` keeps one bit a member and period and answers by whole machine words; `CellSets` keeps a code for each member
who was there, and wins where most members are absent in most periods (hours over half a year). Both are read only
through the methods they share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = [
    "BitSets",
    "CellSets",
    "PeriodSets",
    "count_codes",
    "fits_bits",
    "pack_mask",
    "sets_of_cells",
    "sets_of_keys",
]

Codes: TypeAlias = "NDArray[Any]"

# Bits are made from a mask of one byte for each member and period. It may weigh as much as eight bytes a row, less than
# a log's own columns, or 16 MB; beyond that rows are sorted into cells instead.
_MASK_BYTES_A_ROW = 8
_SMALL_MASK = 1 << 24
_MOST_UINT8, _MOST_INT8 = 255, 127
# Members are gone through in blocks that stay in the cache: a whole number of words.
_BLOCK = 1 << 17


def pack_mask(mask: NDArray[np.bool_], /) -> NDArray[np.uint64]:
    """Pack a mask of shape (..., n) into words of shape (..., ceil(n / 64)).

    Examples
    --------
    >>> pack_mask(np.array([True, False, True]))
    array([5], dtype=uint64)
    """
    n_words = -(-mask.shape[-1] // 64)
    words = np.zeros((*mask.shape[:-1], n_words * 8), dtype=np.uint8)
    packed = np.packbits(mask, axis=-1, bitorder="little")
    words[..., : packed.shape[-1]] = packed
    return words.view("<u8").astype(np.uint64, copy=False)


def _count(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.bitwise_count(words).sum(axis=-1, dtype=np.uint32).astype(np.int64)
    return counts


@attrs.frozen(eq=False)
class BitSets:
    """One row of packed bits a period."""

    words: NDArray[np.uint64]  # (n_periods, ceil(n_members / 64))
    n_members: int

    @property
    def n_periods(self) -> int:
        """Number of periods."""
        return len(self.words)

    def counts(self) -> NDArray[np.int64]:
        """Return the size of each period's set."""
        return _count(self.words)

    def mask(self, period: int) -> NDArray[np.bool_]:
        """Return one period's set as a mask of shape (n_members,)."""
        row = self.words[period].astype("<u8", copy=False).view(np.uint8)
        return np.unpackbits(row, count=self.n_members, bitorder="little").view(np.bool_)

    def codes(self, period: int) -> Codes:
        """Return one period's set as ascending member codes."""
        return np.flatnonzero(self.mask(period))

    def cells(self) -> tuple[Codes, Codes]:
        """Return (period, member) of every cell, by period and then member."""
        codes = [self.codes(period) for period in range(self.n_periods)]
        periods = np.repeat(np.arange(self.n_periods), [len(c) for c in codes])
        return periods, np.concatenate(codes) if codes else np.empty(0, dtype=np.int64)

    def count_by_cohort(self, cohort: Codes, n_cohorts: int, shift: int | None = None) -> NDArray[np.int64]:
        """Count members by cohort (rows; -1 is none) and period (columns), if told so from ``row - shift`` on."""
        if n_cohorts > _MANY_COHORTS:
            return _count_by_cohort(self, cohort, n_cohorts)
        counts = np.zeros((n_cohorts, self.n_periods), dtype=np.int64)
        small = np.int8 if n_cohorts <= _MOST_INT8 else np.int16
        for members, words in self._blocks():
            among = cohort[members].astype(small)
            for row in range(n_cohorts):
                start = 0 if shift is None else max(row - shift, 0)
                counts[row, start:] += _count(words[start:] & pack_mask(among == row))
        return counts

    def _blocks(self) -> Iterator[tuple[slice, NDArray[np.uint64]]]:
        """Yield members block by block, and the words that hold them."""
        for start in range(0, self.n_members, _BLOCK):
            stop = min(start + _BLOCK, self.n_members)
            yield slice(start, stop), self.words[:, start // 64 : -(-stop // 64)]

    def shared_with(self, period: int) -> NDArray[np.int64]:
        """Count, for `period` and each one after it, the members it shares with `period`."""
        return _count(self.words[period:] & self.words[period])

    def distinct(self, start: int, stop: int) -> int:
        """Count the members of any of the periods in [start, stop)."""
        return int(_count(np.bitwise_or.reduce(self.words[start:stop], axis=0)))

    def periods_of_members(self, start: int, stop: int) -> NDArray[np.int64]:
        """Count, for each member, the periods in [start, stop) that hold them."""
        counts = np.zeros(self.n_members, dtype=np.int64)
        for period in range(start, stop):
            counts += self.mask(period)
        return counts

    def padded(self, before: int, after: int) -> BitSets:
        """Return the same sets with empty periods before and after."""
        return BitSets(np.pad(self.words, ((before, after), (0, 0))), self.n_members) if before or after else self

    def first(self, never: int) -> NDArray[np.int32]:
        """Return each member's first period, `never` for those who have none."""
        # One byte a member, where that holds the number of periods, is a quarter of the memory to go through.
        counter = np.uint8 if self.n_periods <= _MOST_UINT8 else np.int32
        first = np.empty(self.n_members, dtype=np.int32)
        for members, words in self._blocks():
            block = BitSets(words, members.stop - members.start)
            seen = np.zeros(block.n_members, dtype=np.bool_)
            waited: NDArray[Any] = np.zeros(block.n_members, dtype=counter)
            for period in range(self.n_periods):
                seen |= block.mask(period)
                waited += ~seen
            first[members] = waited
            if not seen.all():
                first[members][~seen] = never
        return first

    def last(self, never: int) -> NDArray[np.int32]:
        """Return each member's last period, `never` for those who have none."""
        backwards = BitSets(self.words[::-1], self.n_members).first(-1)
        return np.where(backwards < 0, never, self.n_periods - 1 - backwards).astype(np.int32)

    def changes(self, grace: int, before: Codes) -> tuple[BitSets, BitSets]:
        """Return who came in and who fell out in each period.

        A member stays for `grace` periods after the last active one. `before` is each member's last active period
        before the first one here, as a negative number.
        """
        held = np.empty((self.n_periods + 1, self.words.shape[1]), dtype=np.uint64)
        held[0] = pack_mask(before >= -1 - grace)
        held[1:] = self.words
        for back in range(1, min(grace, self.n_periods) + 1):
            held[1 + back :] |= self.words[:-back]
        for period in range(min(grace, self.n_periods)):
            held[1 + period] |= pack_mask(before >= period - grace)
        entered, exited = held[1:] & ~held[:-1], held[:-1] & ~held[1:]
        return BitSets(entered, self.n_members), BitSets(exited, self.n_members)

    def __reduce__(self) -> tuple[Callable[..., BitSets], tuple[Any, ...]]:
        """Pickle the words."""
        return BitSets, (np.asarray(self.words), self.n_members)


# From here on one pass over the members of each period is cheaper than one over the words of each cohort.
_MANY_COHORTS = 256


@attrs.frozen(eq=False)
class CellSets:
    """The member codes of each period, one after the other."""

    starts: NDArray[np.int64]  # (n_periods + 1,)
    members: NDArray[np.int32]  # (n_cells,), ascending inside a period
    n_members: int

    @property
    def n_periods(self) -> int:
        """Number of periods."""
        return len(self.starts) - 1

    def counts(self) -> NDArray[np.int64]:
        """Return the size of each period's set."""
        return np.diff(self.starts)

    def mask(self, period: int) -> NDArray[np.bool_]:
        """Return one period's set as a mask of shape (n_members,)."""
        mask = np.zeros(self.n_members, dtype=np.bool_)
        mask[self.codes(period)] = True
        return mask

    def codes(self, period: int) -> Codes:
        """Return one period's set as ascending member codes."""
        return self.members[self.starts[period] : self.starts[period + 1]]

    def cells(self) -> tuple[Codes, Codes]:
        """Return (period, member) of every cell, by period and then member."""
        return np.repeat(np.arange(self.n_periods), self.counts()), self.members

    def count_by_cohort(self, cohort: Codes, n_cohorts: int, shift: int | None = None) -> NDArray[np.int64]:  # noqa: ARG002
        """Count members by cohort (rows; -1 is none) and period (columns); nothing is left out."""
        return _count_by_cohort(self, cohort, n_cohorts)

    def shared_with(self, period: int) -> NDArray[np.int64]:
        """Count, for `period` and each one after it, the members it shares with `period`."""
        shared = np.cumsum(np.append(0, self.mask(period)[self.members]))
        return np.diff(shared[self.starts[period:]])

    def distinct(self, start: int, stop: int) -> int:
        """Count the members of any of the periods in [start, stop)."""
        return int(np.count_nonzero(self.periods_of_members(start, stop)))

    def periods_of_members(self, start: int, stop: int) -> NDArray[np.int64]:
        """Count, for each member, the periods in [start, stop) that hold them."""
        return np.bincount(self.members[self.starts[start] : self.starts[stop]], minlength=self.n_members)

    def padded(self, before: int, after: int) -> CellSets:
        """Return the same sets with empty periods before and after."""
        return CellSets(np.pad(self.starts, (before, after), mode="edge"), self.members, self.n_members)

    def first(self, never: int) -> NDArray[np.int32]:
        """Return each member's first period, `never` for those who have none."""
        periods, members = self.cells()
        first = np.full(self.n_members, np.iinfo(np.int32).max, dtype=np.int32)
        np.minimum.at(first, members, periods.astype(np.int32))
        first[first == np.iinfo(np.int32).max] = never
        return first

    def last(self, never: int) -> NDArray[np.int32]:
        """Return each member's last period, `never` for those who have none."""
        periods, members = self.cells()
        last = np.full(self.n_members, np.iinfo(np.int32).min, dtype=np.int32)
        np.maximum.at(last, members, periods.astype(np.int32))
        last[last == np.iinfo(np.int32).min] = never
        return last

    def changes(self, grace: int, before: Codes) -> tuple[CellSets, CellSets]:
        """Return who came in and who fell out in each period; see `BitSets.changes`."""
        periods, members = self.cells()
        early = np.flatnonzero(before >= -1 - grace)
        periods = np.concatenate([before[early].astype(np.int64), periods])
        members = np.concatenate([early, members])
        order = np.argsort(members, kind="stable")  # cells come by period, so this is (member, period) order
        periods, members = periods[order], members[order]
        same = members[1:] == members[:-1]
        apart = np.diff(periods) > grace + 1
        comes = np.concatenate([[True], ~same | apart])[: len(members)]
        goes = np.concatenate([~same | apart, [True]])[: len(members)]
        comes &= periods >= 0
        out = periods + grace + 1
        goes &= out < self.n_periods
        keys = periods * self.n_members + members
        left = out * self.n_members + members
        return (
            sets_of_keys(keys[comes], self.n_periods, self.n_members),
            sets_of_keys(left[goes], self.n_periods, self.n_members),
        )

    def __reduce__(self) -> tuple[Callable[..., CellSets], tuple[Any, ...]]:
        """Pickle the arrays."""
        return CellSets, (np.asarray(self.starts), np.asarray(self.members), self.n_members)


PeriodSets: TypeAlias = BitSets | CellSets


def _count_by_cohort(sets: PeriodSets, cohort: Codes, n_cohorts: int) -> NDArray[np.int64]:
    counts = np.zeros((n_cohorts + 1, sets.n_periods), dtype=np.int64)
    for period in range(sets.n_periods):
        counts[:, period] = np.bincount(cohort[sets.codes(period)] + 1, minlength=n_cohorts + 1)
    return counts[1:]


def count_codes(codes: Codes, n: int, /) -> NDArray[np.int64]:
    """Count how often each code in [0, n) stands there; -1 is none.

    Examples
    --------
    >>> count_codes(np.array([1, -1, 1], dtype=np.int32), 3).tolist()
    [0, 2, 0]
    """
    counts = np.zeros(n + 1, dtype=np.int64)
    for start in range(0, len(codes), _BLOCK):
        counts += np.bincount(codes[start : start + _BLOCK] + 1, minlength=n + 1)
    return counts[1:]


def fits_bits(n_periods: int, n_members: int, n_rows: int, /) -> bool:
    """Return whether a mask of periods × members is small, or small beside the rows it is made from.

    Examples
    --------
    >>> fits_bits(26, 500_000, 10_000_000), fits_bits(4380, 500_000, 10_000_000)
    (True, False)
    """
    return n_periods * n_members <= max(_SMALL_MASK, _MASK_BYTES_A_ROW * n_rows)


def sets_of_keys(keys: NDArray[np.int64], n_periods: int, n_members: int) -> CellSets:
    """Build cells from packed keys ``period * n_members + member``, which may repeat; `keys` is sorted in place.

    Examples
    --------
    >>> sets_of_keys(np.array([5, 0, 5]), 2, 3).codes(1).tolist()
    [2]
    """
    keys.sort()
    if len(keys):
        fresh = np.empty(len(keys), dtype=np.bool_)
        fresh[0] = True
        np.not_equal(keys[1:], keys[:-1], out=fresh[1:])
        keys = keys[fresh]
    bounds = np.arange(n_periods + 1, dtype=np.int64) * n_members
    starts = np.searchsorted(keys, bounds)
    return CellSets(starts, (keys - np.repeat(bounds[:-1], np.diff(starts))).astype(np.int32), n_members)


def sets_of_cells(periods: Codes, members: Codes, n_periods: int, n_members: int) -> PeriodSets:
    """Build the sets that hold each (period, member) pair; pairs may repeat and come in any order.

    Examples
    --------
    >>> sets = sets_of_cells(np.array([1, 0, 1]), np.array([2, 0, 2]), 2, 3)
    >>> sets.counts().tolist(), sets.codes(1).tolist()
    ([1, 1], [2])
    """
    keys = periods.astype(np.int64) * n_members + members
    if not fits_bits(n_periods, n_members, len(keys)):
        return sets_of_keys(keys, n_periods, n_members)
    mask = np.zeros(n_periods * n_members, dtype=np.bool_)
    mask[keys] = True
    return BitSets(pack_mask(mask.reshape(n_periods, n_members)), n_members)
