"""From instants to what the clock on the wall shows, and back: the arithmetic under instants and calendars.

Wall clock times are int64 microseconds since 1970-01-01T00:00 on the same clock. The functions take at least one row,
and the name of a zone that is known to exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shequn.values.zones import Transitions, transitions_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray

__all__ = ["BLOCK", "DAY_US", "WALL_SLACK_US", "FromWall", "first_at_or_after", "from_wall", "last_before", "to_wall"]

# Rows that are worked on together: few enough to stay in cache.
BLOCK = 1 << 16
DAY_US = 86_400_000_000
# No wall clock is further from UTC than this.
WALL_SLACK_US = 2 * DAY_US

# Counting the boundaries behind each row costs a comparison apiece; from about here on a binary search is cheaper.
_MOST_COUNTED = 100


def to_wall(at_us: IntArray, name: str, *, less_us: int, out: IntArray) -> None:
    """Write what the wall clock shows at each instant, less a constant, into `out`: one block of rows.

    Notes
    -----
    ``out = at_us + offset(at_us) - less_us``. Where the rows cross no transition, the offset is one constant.

    Examples
    --------
    >>> at_us = np.array([0, 3_600_000_000])
    >>> to_wall(at_us, "Asia/Shanghai", less_us=0, out=at_us)
    >>> at_us // 3_600_000_000
    array([8, 9])
    """
    found = transitions_between(name, int(at_us.min()), int(at_us.max()) + 1)
    offsets = found.offsets_us - less_us
    if len(offsets) == 1:
        np.add(at_us, offsets[0], out=out)
    else:
        np.add(at_us, _pick(offsets, _passed(found.boundaries_us, at_us)), out=out)


class FromWall(NamedTuple):
    """Instants of wall clock times, and which of those times the zone skipped or had twice (both None: no row)."""

    at_us: IntArray
    skipped: BoolArray | None
    repeated: BoolArray | None


def from_wall(wall_us: IntArray, name: str, *, fold: BoolArray | None = None) -> FromWall:
    """Find the instants at which the wall clock showed these times.

    Parameters
    ----------
    wall_us : ndarray of int64, shape (n,)
        Wall clock times.
    name : str
        Name of the zone.
    fold : ndarray of bool, shape (n,), optional
        Whether a skipped or repeated time is meant by the offset after the transition (PEP 495), not by the one before.

    Returns
    -------
    FromWall
        Instants, and masks of the times that the zone skipped or had twice.

    Notes
    -----
    At a transition at b from offset o to p, the times in [b + min(o, p), b + max(o, p)) were skipped if p > o, else
    had twice. Below them o holds, above them p. A row that has passed the start of the interval, not its end, is in it.

    Examples
    --------
    >>> half_past_two = np.array([1_729_996_200_000_000])  # 2024-10-27T02:30
    >>> from_wall(half_past_two, "Europe/Berlin").repeated
    array([ True])
    """
    found = _around(wall_us, name)
    before, after = found.offsets_us[:-1], found.offsets_us[1:]
    starts = found.boundaries_us + np.minimum(before, after)
    ends = found.boundaries_us + np.maximum(before, after)
    first = int(np.searchsorted(ends, int(wall_us.min()), side="right"))
    last = int(np.searchsorted(starts, int(wall_us.max()), side="right"))
    offsets = found.offsets_us[first : last + 1]
    if first == last:
        return FromWall(wall_us - offsets[0], None, None)
    ended, started = _passed(ends[first:last], wall_us), _passed(starts[first:last], wall_us)
    at_us = wall_us - _pick(offsets, ended if fold is None else np.where(fold, started, ended))
    inside = started != ended
    if not inside.any():
        return FromWall(at_us, None, None)
    forward = _pick(offsets, started) > _pick(offsets, ended)
    return FromWall(at_us, inside & forward, inside & ~forward)


def first_at_or_after(wall_us: IntArray, name: str) -> IntArray:
    """Return the first instants at which the wall clock shows these times or later.

    Examples
    --------
    >>> midnight = np.array([1_541_289_600_000_000])  # 2018-11-04T00:00, which clocks in São Paulo skipped
    >>> first_at_or_after(midnight, "America/Sao_Paulo") - midnight == 3 * 3_600_000_000  # 01:00 local
    array([ True])
    """
    found = _around(wall_us, name)
    # The first stretch between transitions that ends later on the wall clock. The latest end so far never falls, and so
    # can be searched.
    latest_ends = np.maximum.accumulate(found.boundaries_us + found.offsets_us[:-1])
    stretch = np.searchsorted(latest_ends, wall_us, side="right")
    begins = np.concatenate(([np.iinfo(np.int64).min], found.boundaries_us))
    at_us: IntArray = np.maximum(wall_us - found.offsets_us[stretch], begins[stretch])
    return at_us


def last_before(wall_us: IntArray, name: str) -> IntArray:
    """Return the instants from which on the wall clock never again shows less than these times.

    Examples
    --------
    >>> midnight = np.array([1_289_088_000_000_000])  # 2010-11-07T00:00; at 00:01 clocks in St John's went back an hour
    >>> last_before(midnight, "America/St_Johns") - first_at_or_after(midnight, "America/St_Johns") == 3_600_000_000
    array([ True])
    """
    found = _around(wall_us, name)
    # The last stretch between transitions that begins earlier on the wall clock, searched among the earliest beginnings
    # from each stretch on.
    earliest_begins = np.minimum.accumulate((found.boundaries_us + found.offsets_us[1:])[::-1])[::-1]
    stretch = np.searchsorted(earliest_begins, wall_us, side="left")
    ends = np.concatenate((found.boundaries_us, [np.iinfo(np.int64).max]))
    at_us: IntArray = np.minimum(wall_us - found.offsets_us[stretch], ends[stretch])
    return at_us


def _around(wall_us: IntArray, name: str) -> Transitions:
    """Return the transitions among which the instants of wall clock times must be sought."""
    return transitions_between(name, int(wall_us.min()) - WALL_SLACK_US, int(wall_us.max()) + WALL_SLACK_US)


def _passed(boundaries: IntArray, keys: IntArray) -> NDArray[Any]:
    """Count the boundaries at or below each key: `searchsorted`, at a fraction of its cost where they are few."""
    if len(boundaries) > _MOST_COUNTED:
        return np.searchsorted(boundaries, keys, side="right")
    passed = np.zeros(len(keys), dtype=np.uint8)
    for boundary in boundaries.tolist():
        passed += np.greater_equal(keys, boundary).view(np.uint8)
    return passed


def _pick(values: IntArray, positions: NDArray[Any]) -> IntArray:
    # "clip" never clips here; it spares NumPy the check of each position.
    return values.take(positions.astype(np.intp, copy=False), mode="clip")
