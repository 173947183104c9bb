"""The rows of a log that a window holds: found by two threads, a mask of many rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shequn.columns.halves import in_halves
from shequn.columns.in_window import Stretch, true_places

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.in_window import InWindow
    from shequn.columns.log import EventLog

__all__ = ["HeldRows", "held_rows", "in_stretches"]

_BLOCK = 1 << 20  # rows that are compared at a time
_MASK = 1 << 23  # rows whose mask is looked through at once
_MANY = 1 << 20


class HeldRows(NamedTuple):
    """Some rows one after the other: which of them count (None: all), and what columns hold there."""

    rows: slice
    places: IntArray | None
    columns: tuple[NDArray[Any], ...]

    def of(self, column: NDArray[Any]) -> NDArray[Any]:
        """Return what a column of the whole log holds in the rows that count."""
        part = column[self.rows]
        # Places are there, and so need no check.
        return part if self.places is None else part.take(self.places, mode="clip")


def held_rows(
    log: EventLog,
    window: InWindow,
    columns: Sequence[NDArray[Any]],
    *,
    where: BoolArray | None = None,
    stretches: list[Stretch] | None = None,
) -> list[HeldRows]:
    """Find the rows that a window holds and of which a condition is true, in order.

    A mask is filled block by block, and looked through at once: two threads that hand the interpreter to each other
    for each block would lose more time than the work takes.

    Parameters
    ----------
    columns : sequence of ndarray, shape (n_rows,) each
        What to read in these rows.
    where : ndarray of bool, shape (n_rows,), optional
    stretches : list of Stretch, optional
        The rows to look through, some of `InWindow.stretches`; by default all of those.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> from shequn.columns.in_window import InWindow
    >>> log = EventLog.from_columns(member=["ann"] * 3, kind=["post", "like", "post"], at=[0, 1, 2], time_unit="s")
    >>> window = InWindow(kinds=np.array([True, False]), after_us=0, until_us=2_000_000)
    >>> [part.columns[0].tolist() for part in held_rows(log, window, [log.at_us])]
    [[2000000]]
    """
    stretches = window.stretches(log) if stretches is None else stretches
    found: dict[int, HeldRows] = {}

    def look(numbers: range) -> None:
        mask, room = (np.empty(min(most, len(numbers)), dtype=np.bool_) for most in (_MASK, _BLOCK))
        for rows, is_whole in in_stretches(stretches, numbers, _MASK):
            places = None
            if not is_whole or where is not None:
                keep = mask[: rows.stop - rows.start]
                _fill(log, None if is_whole else window, rows, keep, room)
                if where is not None:
                    np.logical_and(keep, where[rows], out=keep)
                places = true_places(keep)
                if not is_whole:
                    places = window.settled(log, rows, places)
            part = HeldRows(rows, places, ())
            found[rows.start] = part._replace(columns=tuple(part.of(column) for column in columns))

    n_rows = sum(rows.stop - rows.start for rows, _ in stretches)
    is_all = where is None and all(is_whole for _, is_whole in stretches)
    in_halves(n_rows, look, many=n_rows + 1 if is_all else _MANY)
    return [found[start] for start in sorted(found)]


def _fill(log: EventLog, window: InWindow | None, rows: slice, keep: BoolArray, room: BoolArray) -> None:
    if window is None:
        keep.fill(True)
        return
    for start in range(rows.start, rows.stop, _BLOCK):
        block = slice(start, min(start + _BLOCK, rows.stop))
        n = block.stop - start
        window.fill(log, block, keep[start - rows.start :][:n], room[:n])


def in_stretches(stretches: list[Stretch], numbers: range, most: int) -> Iterator[Stretch]:
    """Go through some rows of stretches, by their number among all of theirs; so many rows at a time at most.

    Examples
    --------
    >>> [rows for rows, _ in in_stretches([Stretch(slice(0, 4), True), Stretch(slice(8, 12), True)], range(3, 7), 2)]
    [slice(3, 4, None), slice(8, 10, None), slice(10, 11, None)]
    """
    before = 0
    for rows, is_whole in stretches:
        start, stop = (rows.start + number - before for number in (numbers.start, numbers.stop))
        for first in range(max(start, rows.start), min(stop, rows.stop), most):
            yield Stretch(slice(first, min(first + most, stop, rows.stop)), is_whole)
        before += rows.stop - rows.start
