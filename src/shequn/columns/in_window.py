"""Which rows are of some kinds, and in a window?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.log import EventLog

__all__ = ["InWindow"]

_FEW = 3
_WORD = 8  # bytes
_RARE, _SPARSE = 0.012, 0.1  # of the places of a mask


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

    def places(self, log: EventLog, block: slice, masks: BoolArray) -> IntArray | None:
        """Return which rows of a block there are, counted from its first; None for all.

        Parameters
        ----------
        block : slice
            Of one row at least, none beyond the last of the log.
        masks : ndarray of bool, shape (2, n) of at least as many rows
            Room to write to: new memory costs as much as a comparison.
        """
        earliest, latest = log.spans.around(block)
        bounds: list[tuple[np.ufunc, int]] = []
        if self.after_us is not None and earliest <= self.after_us:
            bounds.append((np.greater, self.after_us))
        if latest > self.until_us:
            bounds.append((np.less_equal, self.until_us))
        if earliest > self.until_us or (self.after_us is not None and latest <= self.after_us):
            return np.zeros(0, dtype=np.intp)
        at_us = log.at_us[block]
        keep, also = masks[:, : len(at_us)]
        is_narrowed = not self.kinds.all()
        if is_narrowed:
            _look_up(log.kind_codes[block], self.kinds, keep, also)
        for compare, bound in bounds:
            compare(at_us, bound, out=also if is_narrowed else keep)
            if is_narrowed:
                np.logical_and(keep, also, out=keep)
            is_narrowed = True
        return _true_places(keep) if is_narrowed else None


def _true_places(mask: BoolArray) -> IntArray:
    """Return where a mask is true.

    NumPy looks for the few places of a sparse mask one by one, which takes longest where they are not so few. Then
    eight at a time are looked at first.
    """
    n, n_true = len(mask), np.count_nonzero(mask)
    if n % _WORD or not n * _RARE < n_true < n * _SPARSE:
        return np.flatnonzero(mask)
    words = mask.view(np.uint64)
    held = np.flatnonzero(words != 0)
    inside = np.flatnonzero(words.take(held).view(np.bool_))
    places = held.take(inside // _WORD)
    places *= _WORD
    inside %= _WORD
    places += inside
    return places


def _look_up(codes: NDArray[Any], is_meant: BoolArray, found: BoolArray, also: BoolArray) -> None:
    """Write where a code is meant. Comparing bytes takes a tenth of the time of looking each up."""
    meant, others = np.flatnonzero(is_meant).tolist(), np.flatnonzero(~is_meant).tolist()
    if not meant:
        found.fill(False)
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
