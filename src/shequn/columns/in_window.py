"""Which rows are of some kinds, and in a window?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.log import EventLog

__all__ = ["InWindow", "Stretch", "true_places"]

_FEW = 3
_WHOLE = 2
_WORD_BITS = 3
_WORD = 1 << _WORD_BITS  # bytes
_RARE, _SPARSE = 0.012, 0.1  # of the places of a mask


class Stretch(NamedTuple):
    """Rows one after the other, of which all are in a window, or each may be."""

    rows: slice
    is_whole: bool


@attrs.frozen(eq=False)
class InWindow:
    """The rows of a log that are of some kinds, in (after_us, until_us].

    Attributes
    ----------
    kinds : ndarray of bool, shape (n_kinds,)
        By code of the kind.
    after_us : int or None
        None for a window without beginning.
    until_us : int

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> log = EventLog.from_columns(member=["ann"] * 3, kind=["post", "like", "post"], at=[0, 1, 2], time_unit="s")
    >>> InWindow(kinds=np.array([True, False]), after_us=0, until_us=2_000_000).mask(log)
    array([False, False,  True])
    """

    kinds: BoolArray
    after_us: int | None
    until_us: int

    def mask(self, log: EventLog) -> BoolArray:
        """Return which rows of a log there are, shape (n,)."""
        mask: BoolArray = self.kinds[log.kind_codes] & (log.at_us <= self.until_us)
        return mask if self.after_us is None else mask & (log.at_us > self.after_us)

    def stretches(self, log: EventLog) -> list[Stretch]:
        """Return the rows that may be in it, neighbours together; in most logs those are all rows, or the last."""
        spans = log.spans
        may_hold, is_whole = spans.earliest_us <= self.until_us, spans.latest_us <= self.until_us
        if self.after_us is not None:
            may_hold &= spans.latest_us > self.after_us
            is_whole &= spans.earliest_us > self.after_us
        sorts = may_hold.astype(np.intp)
        if self.kinds.all():
            sorts += is_whole & may_hold
        return [Stretch(rows, sort == _WHOLE) for rows, sort in spans.runs(sorts, len(log)) if sort]

    def fill(self, log: EventLog, block: slice, keep: BoolArray, room: BoolArray) -> None:
        """Write to `keep` which rows of a block may be there.

        Without `Eras` those are there. With them all rows of the two eras are kept in which the window begins and ends,
        for `settled` to decide.

        Parameters
        ----------
        block : slice
            Of one row at least, none beyond the last of the log.
        keep, room : ndarray of bool, shape (n,) of the block
            New memory costs as much as a comparison.
        """
        above, up_to = self._ends_within(log, block)
        when: NDArray[Any] = log.at_us
        eras = log.spans.eras
        if eras is not None:
            when = eras.of_rows
            above = None if above is None else eras.at(above) - 1
            up_to = None if up_to is None else eras.at(up_to)
        _look_up(log.kind_codes[block], self.kinds, keep, room)
        if above is not None:
            np.logical_and(keep, np.greater(when[block], above, out=room), out=keep)
        if up_to is not None:
            np.logical_and(keep, np.less_equal(when[block], up_to, out=room), out=keep)

    def settled(self, log: EventLog, rows: slice, places: IntArray) -> IntArray:
        """Return those of the places in some rows that are in the window to the microsecond.

        Parameters
        ----------
        rows : slice
            Of one row at least, none beyond the last of the log.
        places : ndarray of int, shape (n_places,)
            Where `fill` found rows that may be, counted from the first of `rows`.
        """
        eras = log.spans.eras
        ends_us = [us for us in self._ends_within(log, rows) if us is not None]
        if eras is None or not ends_us:
            return places
        found = eras.of_rows[rows].take(places, mode="clip")
        is_open = np.zeros(len(places), dtype=np.bool_)
        for us in ends_us:
            is_open |= found == eras.at(us)
        asked = np.flatnonzero(is_open)
        at_us = log.at_us[rows].take(places.take(asked, mode="clip"), mode="clip")
        is_in = at_us <= self.until_us
        if self.after_us is not None:
            is_in &= at_us > self.after_us
        stays = np.ones(len(places), dtype=np.bool_)
        stays[asked] = is_in
        return places[stays]

    def _ends_within(self, log: EventLog, rows: slice) -> tuple[int | None, int | None]:
        """Return `after_us` and `until_us`, each None where it leaves out none of some rows."""
        earliest_us, latest_us = log.spans.around(rows)
        is_after = self.after_us is None or earliest_us > self.after_us
        return None if is_after else self.after_us, None if latest_us <= self.until_us else self.until_us

    def places(self, log: EventLog, block: slice, masks: BoolArray) -> IntArray | None:
        """Return which rows of a block there are, counted from its first, in ascending order; None for all.

        Parameters
        ----------
        block : slice
            Of one row at least, none beyond the last of the log.
        masks : ndarray of bool, shape (2, n) of at least as many rows
            Room to write to.
        """
        earliest_us, latest_us = log.spans.around(block)
        if earliest_us > self.until_us or (self.after_us is not None and latest_us <= self.after_us):
            return np.zeros(0, dtype=np.intp)
        if self._ends_within(log, block) == (None, None) and self.kinds.all():
            return None
        keep, room = masks[:, : block.stop - block.start]
        self.fill(log, block, keep, room)
        return self.settled(log, block, true_places(keep))


def true_places(mask: BoolArray) -> IntArray:
    """Return where a mask is true, in ascending order.

    NumPy looks for the few places of a sparse mask one by one, which takes longest where they are not so few. Then
    eight at a time are looked at first. It pays for long masks: it makes several calls of NumPy.

    Examples
    --------
    >>> true_places(np.array([False, True, True]))
    array([1, 2])
    """
    n, n_true = len(mask), np.count_nonzero(mask)
    if not n * _RARE < n_true < n * _SPARSE:
        return np.flatnonzero(mask)
    whole = n - n % _WORD
    words = mask[:whole].view(np.uint64)
    held = np.flatnonzero(words != 0)
    inside = np.flatnonzero(words.take(held).view(np.bool_))
    places = held.take(inside >> _WORD_BITS, mode="clip")
    places <<= _WORD_BITS
    inside &= _WORD - 1
    places |= inside
    return places if whole == n else np.append(places, np.flatnonzero(mask[whole:]) + whole)


def _look_up(codes: NDArray[Any], is_meant: BoolArray, found: BoolArray, also: BoolArray) -> None:
    """Write where a code is meant. Comparing bytes takes a tenth of the time of looking each up."""
    meant, others = np.flatnonzero(is_meant).tolist(), np.flatnonzero(~is_meant).tolist()
    if not meant or not others:
        found.fill(bool(meant))
    elif min(len(meant), len(others)) > _FEW:
        is_meant.take(codes, mode="clip", out=found)
    elif len(meant) <= len(others):
        np.equal(codes, meant[0], out=found)
        for code in meant[1:]:
            np.logical_or(found, np.equal(codes, code, out=also), out=found)
    else:
        np.not_equal(codes, others[0], out=found)
        for code in others[1:]:
            np.logical_and(found, np.not_equal(codes, code, out=also), out=found)
