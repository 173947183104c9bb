"""When was the last row of each member? In ticks of 32 bits where they fit, else in microseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from shequn.columns.membership import NO_INSTANT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.columns.in_window import InWindow
    from shequn.columns.log import EventLog

__all__ = ["LatestMicroseconds", "LatestTicks"]

_MOST_TICKS = 2**32


class LatestTicks:
    """The latest tick of each member: half the column, and so half the time.

    A tick is the unit that all instants of a log are multiples of, counted from the first that may count. A multiple of
    a number is divided by it without a division. What is even in the number is shifted away, and of the rest there is a
    number that it gives 1 with when multiplied modulo 2**32. The last 32 bits of the quotient come from the last 32
    bits of what is divided, and as fewer than 2**32 ticks are asked about, these say it all.

    Examples
    --------
    >>> latest = LatestTicks(2, first=10, length_us=1_000_000)
    >>> ticks = latest.read(np.array([11_000_000, 12_000_000]), np.empty(2, dtype=np.int64))
    >>> ticks.tolist()
    [1, 2]
    >>> latest.add(np.array([0, 0]), ticks)
    >>> latest.told(np.array([2, 0])).tolist() == [12_000_000, NO_INSTANT]
    True
    """

    dtype: ClassVar[np.dtype[Any]] = np.dtype(np.uint32)

    def __init__(self, n_members: int, *, first: int, length_us: int) -> None:
        self._first = first
        self._length_us = length_us
        self._twos = (length_us & -length_us).bit_length() - 1
        self._inverse = np.uint32(pow(length_us >> self._twos, -1, 2**32))
        self._latest = np.zeros(n_members, dtype=np.uint32)

    @classmethod
    def of(cls, log: EventLog, window: InWindow) -> LatestTicks | None:
        """Return room for the rows of a window; None where they lie too many ticks apart for 32 bits."""
        length_us = log.resolution_us
        earliest_us, latest_us = log.spans.around(slice(0, len(log)))
        if window.after_us is not None:
            earliest_us = max(earliest_us, window.after_us)
        first, last = earliest_us // length_us, min(latest_us, window.until_us) // length_us
        return None if last - first >= _MOST_TICKS else cls(len(log.members), first=first, length_us=length_us)

    def read(self, at_us: IntArray, room: IntArray) -> NDArray[Any]:
        """Return how many ticks after the first each instant is. What `room` holds is written over."""
        ticks = np.right_shift(at_us, self._twos, out=room[: len(at_us)]).astype(np.uint32)
        ticks *= self._inverse
        ticks -= np.uint32(self._first % 2**32)
        return ticks

    def add(self, member: IntArray, ticks: NDArray[Any]) -> None:
        """Take note of rows."""
        np.maximum.at(self._latest, member, ticks)

    def told(self, rows: IntArray) -> IntArray:
        """Return the last instants in microseconds, `NO_INSTANT` for those who have 0 rows."""
        last_us = self._latest.astype(np.int64)
        last_us += self._first
        last_us *= self._length_us
        last_us[rows == 0] = NO_INSTANT
        return last_us


class LatestMicroseconds:
    """The latest instant of each member, as the log has it.

    Examples
    --------
    >>> latest = LatestMicroseconds(2)
    >>> latest.add(np.array([0, 0]), np.array([7, 6]))
    >>> latest.told(np.array([2, 0])).tolist() == [7, NO_INSTANT]
    True
    """

    dtype: ClassVar[np.dtype[Any]] = np.dtype(np.int64)

    def __init__(self, n_members: int) -> None:
        self._latest = np.full(n_members, NO_INSTANT, dtype=np.int64)

    def read(self, at_us: IntArray, room: IntArray) -> NDArray[Any]:  # noqa: ARG002
        """Return the instants."""
        return at_us

    def add(self, member: IntArray, at_us: NDArray[Any]) -> None:
        """Take note of rows."""
        np.maximum.at(self._latest, member, at_us)

    def told(self, rows: IntArray) -> IntArray:  # noqa: ARG002
        """Return the last instants, `NO_INSTANT` for those without a row."""
        return self._latest
