"""When may we not disturb anybody? Quiet hours and active hours taken together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable  # noqa: TC003  # attrs resolves the annotations of converters
from typing import TYPE_CHECKING, cast, overload

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import items_of, whole
from shequn.values._daily import WEEK_MINUTES, first_allowed, instants_column, minutes_inside
from shequn.values.daily_window import DailyWindow
from shequn.values.instants import from_us, instant_us

if TYPE_CHECKING:
    import pendulum

    from shequn._typing import BoolArray, IntArray

__all__ = ["QuietHours"]

_EXPECTED = "DailyWindows"
# A year with the offsets of summer and of winter, over which windows of several zones are judged.
_YEAR_US = (1_704_067_200_000_000, 1_735_689_600_000_000)


def _windows(windows: Iterable[DailyWindow]) -> tuple[DailyWindow, ...]:
    given = items_of("windows", windows, expected=_EXPECTED)
    for row, window in enumerate(given):
        if not isinstance(window, DailyWindow):
            raise InvalidTypeError(message("windows", _EXPECTED, window, row=row))
    return tuple(given)


@attrs.frozen(kw_only=True)
class QuietHours(Doors):
    """Daily windows taken together (免打扰时段): allowed is what lies outside all quiet ones and inside an active one.

    Parameters
    ----------
    windows : iterable of DailyWindow
        Quiet and active ones, of any zones. Without an active one, all is allowed that is not quiet; without any, all.

    Raises
    ------
    InvalidValueError
        If together they leave no minute of the week; windows of several zones are judged over the year 2024.
    InvalidTypeError
        If one is no DailyWindow.

    References
    ----------
    ``spec/domain.md``, row A5 and section 3.

    Examples
    --------
    >>> import pendulum
    >>> quiet = QuietHours(windows=[
    ...     DailyWindow(start="22:00", end="08:00", tz="Asia/Shanghai"),
    ...     DailyWindow(start="09:00", end="18:00", weekdays="mon-fri", tz="Asia/Shanghai"),
    ... ])
    >>> quiet.next_allowed(pendulum.datetime(2024, 3, 1, 9, 30, tz="Asia/Shanghai")).isoformat()
    '2024-03-01T18:00:00+08:00'
    """

    windows: tuple[DailyWindow, ...] = attrs.field(default=(), converter=_windows)

    def __attrs_post_init__(self) -> None:
        if not self._leaves_something():
            expected = "windows that together leave some minute of the week allowed"
            raise InvalidValueError(message("windows", expected, self.windows))

    @classmethod
    def of(cls, quiet: QuietHours | DailyWindow | Iterable[DailyWindow] | None, /) -> QuietHours:
        """Return the quiet hours that an option `quiet` of a strategy asks for.

        Parameters
        ----------
        quiet : QuietHours, DailyWindow, iterable of DailyWindow, or None
            None asks for none.

        Examples
        --------
        >>> QuietHours.of(None)
        QuietHours(windows=())
        """
        if isinstance(quiet, QuietHours):
            return quiet
        if quiet is None:
            return cls()
        return cls(windows=(quiet,) if isinstance(quiet, DailyWindow) else quiet)

    def contains(self, at: dt.datetime, /) -> bool:
        """Tell whether an instant is quiet.

        Examples
        --------
        >>> import pendulum
        >>> QuietHours.of(DailyWindow(start="22:00", end="08:00", tz="UTC")).contains(pendulum.datetime(2024, 3, 1))
        True
        """
        return not self._allowed_us(np.array([instant_us(at)]))[0]

    def mask(self, at_us: IntArray, /) -> BoolArray:
        """Tell which instants are quiet.

        Parameters
        ----------
        at_us : ndarray of int64, shape (n,)
            Microseconds since 1970-01-01T00:00Z, in [1900, 2262).

        Returns
        -------
        ndarray of bool, shape (n,)
            Read-only.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            If `at_us` is not a column of instants.

        Examples
        --------
        >>> QuietHours.of(DailyWindow(start="22:00", end="08:00", tz="UTC")).mask([0, 28_800_000_000])
        array([ True, False])
        """
        quiet = ~self._allowed_us(instants_column(at_us))
        quiet.setflags(write=False)
        return quiet

    @overload
    def allowed(self, at: dt.datetime, /) -> bool: ...
    @overload
    def allowed(self, at: IntArray, /) -> BoolArray: ...
    def allowed(self, at: dt.datetime | IntArray, /) -> bool | BoolArray:
        """Tell whether sending is allowed.

        Parameters
        ----------
        at : datetime, or ndarray of int64, shape (n,)
            An instant, or many in microseconds since 1970-01-01T00:00Z.

        Returns
        -------
        bool, or read-only ndarray of bool, shape (n,)

        Examples
        --------
        >>> QuietHours.of(DailyWindow(start="22:00", end="08:00", tz="UTC")).allowed([0, 28_800_000_000])
        array([False,  True])
        """
        if isinstance(at, dt.datetime):
            return bool(self._allowed_us(np.array([instant_us(at)]))[0])
        allowed = self._allowed_us(instants_column(at))
        allowed.setflags(write=False)
        return allowed

    @overload
    def next_allowed(self, at: dt.datetime, /) -> pendulum.DateTime: ...
    @overload
    def next_allowed(self, at: IntArray, /) -> IntArray: ...
    def next_allowed(self, at: dt.datetime | IntArray, /) -> pendulum.DateTime | IntArray:
        """Return the earliest instant, from the one given on, at which sending is allowed.

        Parameters
        ----------
        at : datetime, or ndarray of int64, shape (n,)
            An instant, or many in microseconds since 1970-01-01T00:00Z.

        Returns
        -------
        pendulum.DateTime, or read-only ndarray of int64, shape (n,)
            The instant itself where it is allowed. A DateTime is in the zone of the first window; without any, in UTC.

        Raises
        ------
        InfeasibleError
            If windows of several zones leave nothing for 2,000 days.

        Examples
        --------
        >>> import pendulum
        >>> quiet = QuietHours.of(DailyWindow(start="22:00", end="08:00", tz="Asia/Shanghai"))
        >>> quiet.next_allowed(pendulum.datetime(2024, 3, 1)).isoformat()
        '2024-03-01T08:00:00+08:00'
        """
        if isinstance(at, dt.datetime):
            tz = self.windows[0].tz if self.windows else "UTC"
            return from_us(int(self._first_allowed(np.array([instant_us(at)]))[0]), tz)
        first = self._first_allowed(instants_column(at))
        first.setflags(write=False)
        return first

    def turns_us(self, lo_us: int, hi_us: int, /) -> IntArray:
        """Return instants between two, ascending, between which what is allowed does not change.

        Parameters
        ----------
        lo_us, hi_us : int
            Microseconds since 1970-01-01T00:00Z; those later than the first and earlier than the second are returned.

        Returns
        -------
        ndarray of int64, shape (k,)
            Read-only.

        Examples
        --------
        >>> quiet = QuietHours.of(DailyWindow(start="22:00", end="08:00", tz="UTC"))
        >>> quiet.turns_us(0, 86_400_000_000) // 3_600_000_000
        array([ 8, 22])
        """
        lo_us, hi_us = whole("lo_us", lo_us), whole("hi_us", hi_us)
        none = np.zeros(0, dtype=np.int64)
        turns = np.unique(np.concatenate([none, *(window.turns_us(lo_us, hi_us) for window in self.windows)]))
        turns.setflags(write=False)
        return turns

    def _first_allowed(self, at_us: IntArray) -> IntArray:
        return first_allowed(at_us, self._allowed_us, self.turns_us)

    def _allowed_us(self, at_us: IntArray) -> BoolArray:
        allowed = np.ones(len(at_us), dtype=np.bool_)
        active = None
        for window in self.windows:
            inside = window.mask(at_us)
            if window.use == "quiet":
                allowed &= ~inside
            else:
                active = inside if active is None else active | inside
        return allowed if active is None else allowed & active

    def _leaves_something(self) -> bool:
        if len({window.tz for window in self.windows}) > 1:
            turns = np.concatenate([[_YEAR_US[0]], self.turns_us(*_YEAR_US)])
            return bool(self._allowed_us(cast("IntArray", turns)).any())
        patterns = [(minutes_inside(each.start, each.end, each.weekdays), each.use) for each in self.windows]
        quiet, active = ([pattern for pattern, use in patterns if use == wanted] for wanted in ("quiet", "active"))
        allowed = np.logical_or.reduce(active) if active else np.ones(WEEK_MINUTES, dtype=np.bool_)
        return bool((allowed & ~np.logical_or.reduce(quiet) if quiet else allowed).any())
