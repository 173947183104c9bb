"""How many rows has each member, and what is their sum? Both in one integer, of 32 bits where they fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import IntArray

__all__ = ["NarrowSums", "WideSums"]

_NARROW = 32  # bits
_MANY_MEMBERS = 1 << 16  # from here on half a column makes a difference to the cache
_LEAST_ROOM = 32  # rows of a member that have room: of fewer, what was added would have to be put by over and over
_UNEVEN = 4  # how many times as many rows as the average member has must have room
_TRIED_ROWS = 1 << 17  # by then members with many of the rows show
_BY_CHANCE = 16  # rows that somebody has soon, and not again at that rate
_LEAST_PUT_BY = 4  # times the rows that are put by must be as many as members, as all of these are gone through for it
_SUM_BITS = 44  # of 64 that count rows above a sum
_BLOCK = 1 << 17


class NarrowSums:
    """Numbers of rows and their sums, in 32 bits: a row adds its value, and far above all sums a one.

    Half the column takes half the time, where the cache of one core is too small for either. How many rows a member has
    is not known beforehand: it is tried. A sum has room for at least as many rows as a number has, so that where a
    number fits, its sum does. A number without room leaves a smaller one, and then they add up to less than the rows
    there were.

    Values are from 0 to `largest`, which is below 2**30; `n_rows` is how many rows there may be. Once `tried_rows` are
    added, what members have of them says whether all will fit.

    Examples
    --------
    >>> sums = NarrowSums(2, largest=5, n_rows=3)
    >>> sums.add(np.array([0, 1, 0]), sums.read(np.array([5, 2, 3]), np.empty(3, dtype=np.int64)))
    True
    >>> rows, total = sums.told()
    >>> rows.tolist(), total.tolist()
    ([2, 1], [8, 2])
    """

    dtype: ClassVar[np.dtype[Any]] = np.dtype(np.uint32)

    def __init__(self, n_members: int, *, largest: int, n_rows: int, tried_rows: int | None = None) -> None:
        self._bits = (_NARROW + largest.bit_length() + 1) // 2 if largest else 0
        self._room = 1 << (_NARROW - self._bits)
        self._most_rows = max(min(n_members * self._room // _UNEVEN, n_rows), 1)
        self._both = np.zeros(n_members, dtype=np.uint32)
        self._n_rows = 0
        self._tried_rows = _TRIED_ROWS if tried_rows is None else tried_rows
        self._before: tuple[IntArray, IntArray] | None = None

    @classmethod
    def of(
        cls, n_members: int, values: NDArray[Any] | None, n_rows: int, *, tried_rows: int | None = None
    ) -> NarrowSums | None:
        """Return room for the values of a log; None where it would not pay, or one is below 0."""
        if values is None:
            return cls(n_members, largest=0, n_rows=n_rows) if n_rows < 1 << _NARROW else None
        largest = int(values.view(np.uint64).max(initial=0))  # one below 0 is larger than any other
        if n_members < _MANY_MEMBERS or largest.bit_length() > _NARROW - 2:
            return None
        sums = cls(n_members, largest=largest, n_rows=n_rows, tried_rows=tried_rows)
        return None if sums._room < _LEAST_ROOM else sums  # pyright: ignore[reportPrivateUsage]

    def read(self, values: NDArray[Any], room: IntArray) -> NDArray[Any]:
        """Return what to add for each row. What `room` holds is written over."""
        each = room.view(np.uint32)[: len(values)]
        np.copyto(each, values, casting="unsafe")
        each += np.uint32(1 << self._bits)
        return each

    def add(self, member: IntArray, each: NDArray[Any] | None) -> bool:
        """Add what was read of rows, None without values; False if they, or those before, don't all fit."""
        if self._n_rows and self._n_rows + len(member) > self._most_rows:
            self._before = self.told()
            if self._before is None:
                return False
            self._both[:] = 0
            self._n_rows = 0
        np.add.at(self._both, member, np.ones(len(member), dtype=np.uint32) if each is None else each)
        was_tried = self._n_rows >= self._tried_rows
        self._n_rows += len(member)
        return was_tried or self._n_rows < self._tried_rows or self._seems_to_fit()

    def _seems_to_fit(self) -> bool:
        """Return whether nobody has rows at a rate at which they would need twice the room."""
        most = int(self._both.max()) >> self._bits
        return (most - _BY_CHANCE) * self._most_rows <= 2 * self._room * self._n_rows

    def told(self) -> tuple[IntArray, IntArray] | None:
        """Return numbers and sums, int64; None if a number had no room."""
        rows, sums = np.empty(len(self._both), dtype=np.int64), np.empty(len(self._both), dtype=np.int64)
        np.right_shift(self._both, self._bits, out=rows)
        if int(rows.sum()) != self._n_rows:
            return None
        np.bitwise_and(self._both, np.uint32((1 << self._bits) - 1), out=sums)
        if self._before is not None:
            rows += self._before[0]
            sums += self._before[1]
        return rows, sums


class WideSums:
    """Numbers of rows and their sums, in 64 bits.

    Values so large that sums would have to be put by for every few rows are refused.

    Examples
    --------
    >>> sums = WideSums(2)
    >>> sums.add(np.array([0, 1, 0]), np.array([5, 2, -3]))
    True
    >>> rows, total = sums.told()
    >>> rows.tolist(), total.tolist()
    ([2, 1], [2, 2])
    """

    dtype: ClassVar[np.dtype[Any]] = np.dtype(np.int64)

    def __init__(self, n_members: int) -> None:
        self._both = np.zeros(n_members, dtype=np.int64)
        self._n_rows = self._largest = 0
        self._before: tuple[IntArray, IntArray] | None = None

    def read(self, values: NDArray[Any], room: IntArray) -> NDArray[Any]:  # noqa: ARG002
        """Return what to add for each row, as yet without what counts it."""
        return values

    def add(self, member: IntArray, each: NDArray[Any] | None) -> bool:
        """Add what was read of rows, None without values; False if they, or those before, don't all fit."""
        if each is None:
            np.add.at(self._both, member, 1 << _SUM_BITS)
            self._n_rows += len(member)
            return True
        self._largest = max(self._largest, _size(each))
        if self._largest * (self._n_rows + len(member)) >= 1 << (_SUM_BITS - 1):
            if self._n_rows * _LEAST_PUT_BY < len(self._both):
                return False
            self._before = self.told()
            if self._before is None or self._largest * len(member) >= 1 << (_SUM_BITS - 1):
                return False
            self._both, self._n_rows = np.zeros_like(self._both), 0
        self._n_rows += len(member)
        np.add.at(self._both, member, each + (1 << _SUM_BITS))
        return True

    def told(self) -> tuple[IntArray, IntArray] | None:
        """Return numbers and sums, int64; None if a number had no room. What was added is used up."""
        both = self._both
        rows = np.empty_like(both)
        for start in range(0, len(both), _BLOCK):
            some = slice(start, start + _BLOCK)
            # Rounded to the nearest number, as a sum below 0 takes from it.
            np.add(both[some], 1 << (_SUM_BITS - 1), out=rows[some])
            rows[some] >>= _SUM_BITS
            both[some] -= rows[some] << _SUM_BITS
        # Numbers without room lost the same amount each, so that they add up to less than the rows there were.
        if int(rows.sum()) != self._n_rows:
            return None
        if self._before is not None:
            rows += self._before[0]
            both += self._before[1]
        return rows, both


def _size(values: IntArray) -> int:
    """Return the largest size of a value. Read without a sign, one below 0 is larger than any other."""
    most = int(values.view(np.uint64).max())
    return most if most < 1 << 63 else max(-int(values.min()), int(values.max()))
