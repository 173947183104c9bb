"""At which instants may something be posted at all? Local wall clock times of each day, converted at the edge."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pendulum

from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import items_of
from shequn.values._wall import DAY_US, from_wall
from shequn.values.elapsed import elapsed_us
from shequn.values.quiet_hours import QuietHours

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shequn._typing import IntArray
    from shequn.values.daily_window import DailyWindow
    from shequn.values.window import Window

__all__ = ["candidate_slots", "clock_times_us"]

_MINUTE_US = 60_000_000
_HALF_HOUR = pendulum.duration(minutes=30)
_EXPECTED_TIME = "a time of day such as '08:00' or datetime.time(8)"


def clock_times_us(times: Iterable[str | dt.time] | None, every: dt.timedelta | None) -> IntArray:
    """Return the times of day that are slots, in microseconds since local midnight, ascending, each once.

    Examples
    --------
    >>> (clock_times_us(["12:30", "08:00"], None) // 60_000_000).tolist()
    [480, 750]
    >>> len(clock_times_us(None, None))
    48
    """
    if times is None:
        step = elapsed_us("every", _HALF_HOUR if every is None else every)
        if not _MINUTE_US <= step <= DAY_US:
            raise InvalidValueError(message("every", "a duration from a minute to a day", every))
        return np.arange(0, DAY_US, step, dtype=np.int64)
    if every is not None:
        raise InvalidValueError(message("every", "None where times are given", every))
    given = items_of("times", times, expected="times of day such as ['08:00', '12:30']")
    if not given:
        raise InvalidValueError(message("times", "at least one time of day", times))
    return np.unique(np.array([_clock_us(time, row) for row, time in enumerate(given)], dtype=np.int64))


def _clock_us(time: object, row: int) -> int:
    read: Any = time
    if isinstance(time, str):
        try:
            read = dt.time.fromisoformat(time)
        except ValueError:
            raise InvalidValueError(message("times", _EXPECTED_TIME, time, row=row)) from None
    if not isinstance(read, dt.time):
        raise InvalidTypeError(message("times", _EXPECTED_TIME, time, row=row))
    if read.tzinfo is not None:
        raise InvalidValueError(message("times", "a time of day without a zone: it is of tz", time, row=row))
    return ((read.hour * 60 + read.minute) * 60 + read.second) * 1_000_000 + read.microsecond


def candidate_slots(
    window: Window,
    tz: str,
    times_us: IntArray,
    quiet: QuietHours | DailyWindow | Iterable[DailyWindow] | None,
) -> IntArray:
    """Return the instants of a window at which the clocks of a zone show one of these times and nothing is quiet.

    A time that the zone skips on a day is no slot there; one that it has twice is used once, the first time.

    Examples
    --------
    >>> from shequn.values import Window
    >>> night = Window(pendulum.datetime(2024, 3, 30, 23), pendulum.datetime(2024, 3, 31, 4))
    >>> slots = candidate_slots(night, "Europe/Berlin", clock_times_us(["02:30", "03:30"], None), None)
    >>> [str(pendulum.from_timestamp(at // 1_000_000, "Europe/Berlin")) for at in slots.tolist()]
    ['2024-03-31 03:30:00+02:00']
    """
    start, end = window.start_us, window.end_us
    # No wall clock is two days from UTC.
    days = np.arange(start // DAY_US - 2, end // DAY_US + 3, dtype=np.int64) * DAY_US
    wall = (days[:, None] + times_us[None, :]).ravel()
    found = from_wall(wall, tz)
    at_us = found.at_us if found.skipped is None else found.at_us[~found.skipped]
    at_us = at_us[(at_us >= start) & (at_us < end)]
    allowed = QuietHours.of(quiet).allowed(at_us)
    return at_us[allowed]
