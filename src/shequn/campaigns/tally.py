"""What did each member of a log do in a stretch of time: was it reached, did it take part, convert, pay?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.in_window import InWindow
from shequn.columns.sums import sums_of
from shequn.errors import InvalidValueError, message
from shequn.stats._checks import refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns import EventLog
    from shequn.labels import Coded

__all__ = ["Counted", "counts_of", "seen", "spent"]

_BLOCK = 1 << 16  # rows
_LARGEST_WHOLE = 2**53


@attrs.frozen(eq=False, kw_only=True)
class Counted:
    """Which rows of a log count: some kinds, from an instant until just before another, of some items.

    `items` is a mask over the codes of the log's items, and a last entry for rows of none; None for rows of whatever
    item.
    """

    log: EventLog
    kinds: BoolArray
    start_us: int
    end_us: int
    items: BoolArray | None = None

    def blocks(self) -> Iterator[tuple[int, IntArray | None, slice]]:
        """Go through the rows that count: where a block starts, their places in it (None for all), and the block."""
        log = self.log
        if self.end_us <= self.start_us or not self.kinds.any():
            return
        window = InWindow(kinds=self.kinds, after_us=self.start_us - 1, until_us=self.end_us - 1)
        masks = np.empty((2, min(_BLOCK, len(log))), dtype=np.bool_)
        for start in range(0, len(log), _BLOCK):
            block = slice(start, min(start + _BLOCK, len(log)))
            places = window.places(log, block, masks)
            if self.items is not None and log.item is not None:
                codes = log.item.codes[block]
                kept = self.items[codes if places is None else codes.take(places)]
                places = np.flatnonzero(kept) if places is None else places[kept]
            if places is None or len(places):
                yield start, places, block


def seen(rows: Counted) -> BoolArray:
    """Return which members have a row that counts, shape (n_members,)."""
    found = np.zeros(len(rows.log.members), dtype=np.bool_)
    codes = rows.log.member_codes
    for _, places, block in rows.blocks():
        found[codes[block] if places is None else codes[block].take(places)] = True
    return found


def counts_of(rows: Counted) -> IntArray:
    """Return how many rows that count each member has, shape (n_members,)."""
    number = np.zeros(len(rows.log.members), dtype=np.int64)
    codes = rows.log.member_codes
    for _, places, block in rows.blocks():
        np.add.at(number, codes[block] if places is None else codes[block].take(places), 1)
    return number


def spent(rows: Counted, values: NDArray[Any], currency: tuple[Coded, str] | None = None) -> IntArray:
    """Return the exact sum of each member's values, in whole minor units, shape (n_members,).

    Parameters
    ----------
    currency : tuple of Coded and str, optional
        The column that tells the currency of each row, and the one it must be.

    Raises
    ------
    InvalidValueError
        A value that counts is no whole number, a row is in another currency, or a sum doesn't fit 64 bits.
    """
    log = rows.log
    members, amounts = [np.zeros(0, dtype=log.member_codes.dtype)], [np.zeros(0, dtype=np.int64)]
    for start, places, block in rows.blocks():
        at = _all_of(block) if places is None else places
        if currency is not None:
            _require_currency(*currency, start + at)
        members.append(log.member_codes[block].take(at))
        amounts.append(_whole(values, start + at))
    return sums_of(np.concatenate(members), np.concatenate(amounts), len(log.members), argument="value")


def _all_of(block: slice) -> IntArray:
    return np.arange(block.stop - block.start, dtype=np.int64)


def _whole(values: NDArray[Any], rows: IntArray) -> IntArray:
    given = values.take(rows)
    if given.dtype.kind != "f":
        return given.astype(np.int64, copy=False)
    with np.errstate(invalid="ignore"):
        bad = ~((np.rint(given) == given) & (np.abs(given) < _LARGEST_WHOLE))
    if bad.any():
        where = np.zeros(len(values), dtype=np.bool_)
        where[rows[bad]] = True
        refuse("value", "whole minor units in rows of revenue, such as 990 for 9.90 CNY", values, where)
    return given.astype(np.int64)


def _require_currency(told: Coded, currency: str, rows: IntArray) -> None:
    wanted = told.index.codes_of([currency])[0] if len(told.index) else -1
    bad = (told.codes.take(rows) != wanted) | (wanted < 0)
    if bad.any():
        row = int(rows[int(np.argmax(bad))])
        code = int(told.codes[row])
        got = None if code < 0 else told.index[code]
        raise InvalidValueError(message("currency_column", f"revenue in {currency} only", got, row=row))
