"""When is a part of the week open? Weekly patterns of local minutes, and the instants at which they change.

A pattern is a boolean for each of the 10 080 minutes of a week on the wall clock, from Monday 00:00. What holds at an
instant is what the pattern says of the minute that the wall clock shows then: an hour that the clocks skip has no
instants, an hour they show twice has twice as many.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from shequn.errors import InfeasibleError, InvalidTypeError, message
from shequn.stats._checks import plain_array, refuse, whole
from shequn.values._reading import FIRST_US, LAST_US
from shequn.values._wall import BLOCK, DAY_US, to_wall
from shequn.values.zones import transitions

if TYPE_CHECKING:
    from collections.abc import Callable

    from shequn._typing import BoolArray, IntArray

__all__ = ["DAY_MINUTES", "WEEK_MINUTES", "changes", "first_allowed", "instants_column", "minutes_inside", "on_clock"]

DAY_MINUTES = 1_440
WEEK_MINUTES = 7 * DAY_MINUTES

_MINUTE_US = 60_000_000
_WEEK_US = 7 * DAY_US
# The Monday before 1970-01-01, which was a Thursday.
_MONDAY_US = -3 * DAY_US
# Within 15 days each minute of the week comes twice, should clocks skip it once.
_REACH_US = 15 * DAY_US
_FAR_US = 2_000 * DAY_US


def instants_column(at_us: IntArray, /, *, argument: str = "at_us") -> IntArray:
    """Return a column of instants as int64, or refuse it.

    Examples
    --------
    >>> instants_column([0, 60_000_000])
    array([       0, 60000000])
    """
    rows = plain_array(argument, at_us, expected="a 1-D array of int64 microseconds")
    if rows.ndim != 1 or (rows.dtype.kind not in "iu" and len(rows)):
        got = f"{rows.ndim}-D {rows.dtype} values"
        raise InvalidTypeError(message(argument, "a 1-D array of int64 microseconds", got))
    if len(rows) and (int(rows.min()) < FIRST_US or int(rows.max()) >= LAST_US):
        refuse(argument, "instants in [1900, 2262)", rows, np.asarray((rows < FIRST_US) | (rows >= LAST_US)))
    return rows.astype(np.int64, copy=False)


@lru_cache(maxsize=256)
def minutes_inside(start: int, end: int, weekdays: tuple[int, ...]) -> BoolArray:
    """Return the pattern of a daily window that begins on some weekdays (Monday is 0); read-only.

    Examples
    --------
    >>> night = minutes_inside(22 * 60, 7 * 60, (4,))  # from Friday
    >>> bool(night[5 * 1_440 + 60]), bool(night[4 * 1_440 + 60])  # Saturday 01:00, Friday 01:00
    (True, False)
    """
    inside = np.zeros(WEEK_MINUTES, dtype=np.bool_)
    length = (end - start) % DAY_MINUTES
    for day in weekdays:
        first = day * DAY_MINUTES + start
        inside[np.arange(first, first + length) % WEEK_MINUTES] = True
    inside.setflags(write=False)
    return inside


def on_clock(pattern: BoolArray, at_us: IntArray, tz: str) -> BoolArray:
    """Return what a pattern says of the minute that the wall clock shows at each instant, in blocks that stay in cache.

    Examples
    --------
    >>> on_clock(minutes_inside(480, 481, (3,)), np.array([0, 60_000_000]), "Asia/Shanghai")  # Thursday 08:00
    array([ True, False])
    """
    held = np.empty(len(at_us), dtype=np.bool_)
    work = np.empty(min(BLOCK, len(at_us)), dtype=np.int64)
    for start in range(0, len(at_us), BLOCK):
        block = at_us[start : start + BLOCK]
        local = work[: len(block)]
        to_wall(block, tz, less_us=_MONDAY_US, out=local)
        np.floor_divide(local, _MINUTE_US, out=local)
        np.remainder(local, WEEK_MINUTES, out=local)
        # "clip" never clips here; it spares NumPy the check of each position.
        pattern.take(local, out=held[start : start + BLOCK], mode="clip")
    return held


def changes(pattern: BoolArray, tz: str, lo_us: int, hi_us: int) -> IntArray:
    """Return instants in (lo, hi), ascending, between which what `on_clock` says does not change.

    Examples
    --------
    >>> changes(minutes_inside(480, 481, (3,)), "UTC", 0, 86_400_000_000) // 60_000_000
    array([480, 481])
    """
    lo_us, hi_us = whole("lo_us", lo_us), whole("hi_us", hi_us)
    if hi_us <= lo_us:
        return np.zeros(0, dtype=np.int64)
    found = transitions(tz, lo_us, hi_us)
    turns = np.flatnonzero(pattern != np.roll(pattern, 1)) * _MINUTE_US
    edges = [lo_us, *found.boundaries_us.tolist(), hi_us]
    parts = [found.boundaries_us]
    for first, end, offset in zip(edges[:-1], edges[1:], found.offsets_us.tolist(), strict=True):
        shift = _MONDAY_US - offset
        weeks: IntArray = np.arange((first - shift) // _WEEK_US, (end - 1 - shift) // _WEEK_US + 1, dtype=np.int64)
        at_us: IntArray = np.add.outer(weeks * _WEEK_US + shift, turns).ravel()
        parts.append(at_us[(at_us > first) & (at_us < end)])
    return np.sort(np.concatenate(parts))


def first_allowed(
    at_us: IntArray, allowed: Callable[[IntArray], BoolArray], turns: Callable[[int, int], IntArray]
) -> IntArray:
    """Return the earliest allowed instants from each on.

    Parameters
    ----------
    at_us : ndarray of int64, shape (n,)
        Instants.
    allowed : callable
        Tells which instants are allowed.
    turns : callable
        Gives instants between two, ascending, between which nothing changes.

    Raises
    ------
    InfeasibleError
        If nothing is allowed within 2,000 days.
    """
    first: IntArray = at_us.copy()
    waiting = np.flatnonzero(~allowed(at_us))
    if not len(waiting):
        return first
    held = at_us[waiting]
    lo_us, hi_us = int(held.min()), int(held.max())
    reach_us = _REACH_US
    while True:
        at_turns = turns(lo_us, hi_us + reach_us)
        opens = at_turns[allowed(at_turns)]
        if len(opens) and opens[-1] > hi_us:
            first[waiting] = opens[np.searchsorted(opens, held, side="right")]
            return first
        if reach_us > _FAR_US:
            raise InfeasibleError(
                "windows: expected windows that leave something allowed, got none within 2,000 days",
                zh="时段：2000 天内没有任何可用时刻",
            )
        reach_us *= 6
