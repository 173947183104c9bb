"""How much working time went by?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from shequn.columns.readonly import frozen
from shequn.values import QuietHours

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shequn._typing import BoolArray, IntArray
    from shequn.values import DailyWindow

__all__ = ["WorkingClock"]


@attrs.frozen(kw_only=True, eq=False)
class WorkingClock:
    """A clock that runs in allowed hours and stands still in quiet ones, between two instants.

    Attributes
    ----------
    turns_us : ndarray of int64, shape (n,)
        Instants at which it starts or stops, the first being where it begins.
    runs : ndarray of bool, shape (n,)
        Whether it runs from each on.
    shows_us : ndarray of int64, shape (n,)
        What it shows at each, in microseconds.

    Examples
    --------
    >>> from shequn.values import DailyWindow
    >>> clock = WorkingClock.of(DailyWindow(start="09:00", end="18:00", use="active", tz="UTC"), 0, 172_800_000_000)
    >>> hour = 3_600_000_000
    >>> (clock.read(np.array([8, 10, 20, 34]) * hour) // hour).tolist()
    [0, 1, 9, 10]
    """

    turns_us: IntArray
    runs: BoolArray
    shows_us: IntArray

    @classmethod
    def of(cls, hours: QuietHours | DailyWindow | Iterable[DailyWindow], low_us: int, high_us: int, /) -> WorkingClock:
        """Wind it up for the instants from `low_us` to `high_us`."""
        quiet = QuietHours.of(hours)
        inner = quiet.turns_us(low_us, high_us + 1)
        turns = np.unique(np.concatenate([np.array([low_us], dtype=np.int64), inner]))
        runs = quiet.allowed(turns)
        ran = np.where(runs[:-1], np.diff(turns), 0)
        return cls(turns_us=frozen(turns), runs=frozen(runs.copy()), shows_us=frozen(np.append(0, np.cumsum(ran))))

    def read(self, at_us: IntArray, /) -> IntArray:
        """Return what it shows at instants."""
        place = np.searchsorted(self.turns_us, at_us, side="right") - 1
        shown: IntArray = self.shows_us[place] + np.where(self.runs[place], at_us - self.turns_us[place], 0)
        return frozen(shown)
