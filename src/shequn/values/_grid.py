"""The arithmetic of numbered periods: from local time to a number, and from a number to the local start.

Periods are counted on a scale of hours, days or months since 1970-01-01T00:00 on the wall clock, here called ticks. A
month has no one length, so that its number comes from a table over days.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import plain_array
from shequn.values._reading import FIRST_US, LAST_US
from shequn.values._wall import BLOCK, DAY_US, to_wall
from shequn.values.zones import transitions_between

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import IntArray

__all__ = ["INSTANTS", "Grid", "Rule", "Tick", "ticks_of"]

Tick: TypeAlias = Literal["h", "D", "M"]

INSTANTS = "instants in [1900, 2262)"

_TICK_US = {"h": 3_600_000_000, "D": DAY_US}
# The local days on which accepted instants can fall.
_FIRST_DAY, _END_DAY = FIRST_US // DAY_US - 1, LAST_US // DAY_US + 1
# With periods of at most a century, those of accepted instants and their neighbours have labels in these years.
_LABELS_FROM, _LABELS_TO = date(1690, 1, 1), date(2460, 1, 1)


def ticks_of(day: date, tick: Tick) -> int:
    """Return the hours, days or months from 1970-01-01 to a date.

    Examples
    --------
    >>> ticks_of(date(1971, 2, 28), "M")
    13
    """
    return int(np.datetime64(day, "D").astype(f"datetime64[{tick}]").astype(np.int64))


class Rule(NamedTuple):
    """The period of an instant is ``(at_us + shift) // length``."""

    shift: int
    length: int


class Grid(NamedTuple):
    """Periods of `length` ticks; period 0 begins at tick `origin`.

    Examples
    --------
    >>> weeks = Grid("D", -3, 7)
    >>> weeks.numbers(np.array([0, 4 * 86_400_000_000]), "UTC")
    array([0, 1], dtype=int32)
    >>> weeks.labels(np.array([0, 1]))
    array(['1969-12-29', '1970-01-05'], dtype='datetime64[D]')
    """

    tick: Tick
    origin: int
    length: int

    @property
    def length_us(self) -> int | None:
        """Length of a period in microseconds; months have no one length."""
        return None if self.tick == "M" else self.length * _TICK_US[self.tick]

    def number_of(self, day: date) -> int:
        """Return the number of the period that a local date, or its first hour, belongs to."""
        return (ticks_of(day, self.tick) - self.origin) // self.length

    def numbers(self, at_us: IntArray, zone: str) -> NDArray[np.int32]:
        """Return the number of the period of each instant: one pass, in blocks that stay in cache."""
        numbers = np.empty(len(at_us), dtype=np.int32)
        table = None if self.length_us is not None else _periods_by_day(self.origin, self.length)
        less_us = _FIRST_DAY * DAY_US if table is not None else self.origin * _TICK_US[self.tick]
        divisor = self.length_us or DAY_US
        work = np.empty(min(BLOCK, len(at_us)), dtype=np.int64)
        for start in range(0, len(at_us), BLOCK):
            block = at_us[start : start + BLOCK].astype(np.int64, copy=False)
            if int(block.min()) < FIRST_US or int(block.max()) >= LAST_US:
                _refuse_outside("at_us", INSTANTS, at_us, FIRST_US, LAST_US - 1)
            local = work[: len(block)]
            to_wall(block, zone, less_us=less_us, out=local)
            np.floor_divide(local, divisor, out=local)
            if table is None:
                numbers[start : start + BLOCK] = local
            else:
                # "clip" never clips here; it spares NumPy the check of each position.
                table.take(local, out=numbers[start : start + BLOCK], mode="clip")
        return numbers

    def rule(self, zone: str, low_us: int, high_us: int) -> Rule | None:
        """Return how to number the instants in [low_us, high_us] by arithmetic, where that can be done."""
        if self.length_us is None:
            return None
        offsets = transitions_between(zone, low_us, high_us + 1).offsets_us
        if len(offsets) > 1:
            return None
        return Rule(int(offsets[0]) - self.origin * _TICK_US[self.tick], self.length_us)

    def checked(self, index: ArrayLike) -> IntArray:
        """Return period numbers as a new int64 array, or refuse those far from every accepted instant."""
        numbers = plain_array("index", index, expected="a 1-D array of period numbers")
        if numbers.ndim != 1 or (numbers.dtype.kind not in "iu" and len(numbers)):
            got = f"{numbers.ndim}-D {numbers.dtype} values"
            raise InvalidTypeError(message("index", "a 1-D array of period numbers", got))
        low = -(-(ticks_of(_LABELS_FROM, self.tick) - self.origin) // self.length)
        high = (ticks_of(_LABELS_TO, self.tick) - 1 - self.origin) // self.length
        _refuse_outside("index", "periods of the years 1690 to 2459", numbers, low, high)
        return numbers.astype(np.int64)

    def labels(self, index: IntArray) -> NDArray[np.datetime64]:
        """Return the local start of each period: a date, or a date and hour."""
        ticks = (index * self.length + self.origin).view(f"datetime64[{self.tick}]")
        return ticks if self.tick == "h" else ticks.astype("datetime64[D]")

    def walls(self, index: IntArray) -> IntArray:
        """Return the local start of each period in microseconds on the wall clock."""
        return self.labels(index).astype("datetime64[us]").view(np.int64)


@lru_cache(maxsize=32)
def _periods_by_day(origin: int, length: int) -> NDArray[np.int32]:
    """Return the period, counted in months, of each local day from `_FIRST_DAY` on."""
    days = np.arange(_FIRST_DAY, _END_DAY, dtype=np.int64).view("datetime64[D]")
    periods = ((days.astype("datetime64[M]").view(np.int64) - origin) // length).astype(np.int32)
    periods.setflags(write=False)
    return periods


def _refuse_outside(argument: str, expected: str, values: NDArray[Any], low: int, high: int) -> None:
    """Raise for the first value outside [low, high]."""
    if not len(values) or (low <= int(values.min()) and int(values.max()) <= high):
        return
    bad = np.flatnonzero((values < low) | (values > high))
    row = int(bad[0])
    raise InvalidValueError(message(argument, expected, values[row], row=row, bad=len(bad), total=len(values)))
