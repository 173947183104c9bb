"""At what time of day? Hours that come back every day, or on some weekdays: quiet hours, or hours of activity."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable  # noqa: TC003  # attrs resolves the annotations of converters
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args, overload

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.errors import InvalidTypeError, InvalidValueError, message, suggest
from shequn.stats._checks import is_integer, items_of, one_of
from shequn.values._daily import DAY_MINUTES, changes, first_allowed, instants_column, minutes_inside, on_clock
from shequn.values.instants import from_us, instant_us
from shequn.values.zones import zone_name

if TYPE_CHECKING:
    import pendulum

    from shequn._typing import BoolArray, IntArray

__all__ = ["DailyWindow", "Use"]

Use: TypeAlias = Literal["quiet", "active"]

_CLOCK = re.compile(r"([01]?\d|2[0-3])[:：]([0-5]\d)", re.ASCII)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EVERY_DAY = tuple(range(7))
_CLOCK_EXPECTED = "a time of day such as '09:00', a datetime.time of whole minutes, or minutes from 0 to 1439"
_DAYS_EXPECTED = "weekdays such as 'mon-fri', ('sat', 'sun') or (5, 6), with Monday as 0"


def _start(start: str | dt.time | int) -> int:
    return _minutes("start", start)


def _end(end: str | dt.time | int) -> int:
    return _minutes("end", end)


def _minutes(argument: str, value: object) -> int:
    if is_integer(value):
        if not 0 <= value < DAY_MINUTES:
            raise InvalidValueError(message(argument, _CLOCK_EXPECTED, value))
        return int(value)
    if isinstance(value, str):
        clock = _CLOCK.fullmatch(value.strip())
        if clock is None:
            raise InvalidValueError(message(argument, _CLOCK_EXPECTED, value))
        return 60 * int(clock.group(1)) + int(clock.group(2))
    if isinstance(value, dt.time):
        if value.second or value.microsecond or value.tzinfo is not None:
            raise InvalidValueError(message(argument, f"{_CLOCK_EXPECTED}, without a zone", value))
        return 60 * value.hour + value.minute
    raise InvalidTypeError(message(argument, _CLOCK_EXPECTED, value))


def _weekdays(weekdays: str | Iterable[int | str] | None) -> tuple[int, ...]:
    if weekdays is None:
        return _EVERY_DAY
    if isinstance(weekdays, str):
        days = {day for part in weekdays.split(",") for day in _span_of_days(part)}
    else:
        days = {_weekday(day) for day in items_of("weekdays", weekdays, expected=_DAYS_EXPECTED)}
    if not days:
        raise InvalidValueError(message("weekdays", f"at least one day: {_DAYS_EXPECTED}", weekdays))
    return tuple(sorted(days))


def _span_of_days(text: str) -> list[int]:
    first, *last = (_weekday(name.strip()) for name in text.split("-", 1))
    length = (last[0] - first) % 7 if last else 0
    return [(first + k) % 7 for k in range(length + 1)]


def _weekday(day: object) -> int:
    if isinstance(day, str):
        name = day.strip().lower()
        if name not in _DAYS:
            raise InvalidValueError(message("weekdays", _DAYS_EXPECTED, day) + suggest(name[:3], _DAYS))
        return _DAYS.index(name)
    if not is_integer(day):
        raise InvalidTypeError(message("weekdays", _DAYS_EXPECTED, day))
    if not 0 <= day < len(_DAYS):
        raise InvalidValueError(message("weekdays", _DAYS_EXPECTED, day))
    return int(day)


def _name_of(tz: str | dt.tzinfo) -> str:
    return zone_name(tz)


def _check_use(_window: DailyWindow, field: attrs.Attribute[Use], value: object) -> None:
    one_of(field.name, value, get_args(Use))


@attrs.frozen(kw_only=True, repr=False)
class DailyWindow(Doors):
    """Hours on the wall clock that come back every day or on some weekdays (时段): quiet ones, or active ones.

    Parameters
    ----------
    start, end : str, datetime.time or int
        First minute, and the first minute after: ``"22:00"``, or minutes from 0 to 1439, as which they are kept. Where
        `end` is not after `start` the window goes past midnight.
    weekdays : str or iterable of int or str, optional
        The days on which the window begins: ``"mon-fri"``, ``"sat,sun"``, ``("sat", "sun")`` or ``(5, 6)``, kept as
        numbers with Monday as 0. Every day by default.
    tz : str or tzinfo
        The zone whose wall clock is meant.
    use : {"quiet", "active"}
        Whether sending is allowed outside the window, or inside.

    Raises
    ------
    InvalidValueError
        If `start` equals `end`, a time or weekday does not exist, or no weekday is named.
    InvalidTypeError
        If one is of another type.
    UnknownLabelError
        If there is no such zone.

    Notes
    -----
    An instant is inside if the minute that the wall clock shows then is. A night belongs to the date it began on:
    Friday 22:00 to 07:00 holds Saturday 01:00, not Friday 01:00. Times that clocks skip have no instant; times that
    they show twice count both times. Where a zone skipped a date, as Apia did on 2011-12-30, the early hours of the
    next one still count as the end of that date's night.

    References
    ----------
    ``spec/domain.md``, row A5.

    Examples
    --------
    >>> import pendulum
    >>> night = DailyWindow(start="22:00", end="07:00", weekdays="fri", tz="Asia/Shanghai")
    >>> night
    DailyWindow(22:00-07:00 fri, Asia/Shanghai, quiet)
    >>> one_at_night = pendulum.datetime(2024, 3, 2, 1, tz="Asia/Shanghai")  # a Saturday
    >>> night.contains(one_at_night), night.next_allowed(one_at_night).isoformat()
    (True, '2024-03-02T07:00:00+08:00')
    """

    start: int = attrs.field(converter=_start)
    end: int = attrs.field(converter=_end)
    weekdays: tuple[int, ...] = attrs.field(default=None, converter=_weekdays)
    tz: str = attrs.field(converter=_name_of)
    use: Use = attrs.field(default="quiet", validator=_check_use)

    def __attrs_post_init__(self) -> None:
        if self.start == self.end:
            raise InvalidValueError(message("end", f"another time of day than start ({_clock(self.start)})", self.end))

    def contains(self, at: dt.datetime, /) -> bool:
        """Tell whether an instant lies inside, whatever the window is used for.

        Examples
        --------
        >>> import pendulum
        >>> work = DailyWindow(start="09:00", end="18:00", weekdays="mon-fri", tz="Asia/Shanghai")
        >>> work.contains(pendulum.datetime(2024, 3, 1, 17, 59, tz="Asia/Shanghai"))
        True
        """
        return bool(on_clock(self._pattern, np.array([instant_us(at)]), self.tz)[0])

    def mask(self, at_us: IntArray, /) -> BoolArray:
        """Tell which instants lie inside, whatever the window is used for.

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
        >>> DailyWindow(start="08:00", end="09:00", tz="Asia/Shanghai").mask([0, 3_600_000_000])
        array([ True, False])
        """
        inside = on_clock(self._pattern, instants_column(at_us), self.tz)
        inside.setflags(write=False)
        return inside

    @overload
    def allowed(self, at: dt.datetime, /) -> bool: ...
    @overload
    def allowed(self, at: IntArray, /) -> BoolArray: ...
    def allowed(self, at: dt.datetime | IntArray, /) -> bool | BoolArray:
        """Tell whether sending is allowed: outside a quiet window, inside an active one.

        Parameters
        ----------
        at : datetime, or ndarray of int64, shape (n,)
            An instant, or many in microseconds since 1970-01-01T00:00Z.

        Returns
        -------
        bool, or read-only ndarray of bool, shape (n,)

        Examples
        --------
        >>> DailyWindow(start="08:00", end="09:00", tz="Asia/Shanghai", use="active").allowed([0, 3_600_000_000])
        array([ True, False])
        """
        if isinstance(at, dt.datetime):
            return self.contains(at) == (self.use == "active")
        inside = self.mask(at)
        if self.use == "active":
            return inside
        outside = ~inside
        outside.setflags(write=False)
        return outside

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
        pendulum.DateTime in `tz`, or read-only ndarray of int64, shape (n,)
            The instant itself where it is allowed.

        Examples
        --------
        >>> import pendulum
        >>> night = DailyWindow(start="22:00", end="07:00", tz="Europe/Berlin")
        >>> night.next_allowed(pendulum.datetime(2024, 3, 31, 1, tz="Europe/Berlin")).isoformat()
        '2024-03-31T07:00:00+02:00'
        """
        if isinstance(at, dt.datetime):
            return from_us(int(self._first_allowed(np.array([instant_us(at)]))[0]), self.tz)
        first = self._first_allowed(instants_column(at))
        first.setflags(write=False)
        return first

    def turns_us(self, lo_us: int, hi_us: int, /) -> IntArray:
        """Return instants between two, ascending, between which nothing goes in or out of the window.

        Parameters
        ----------
        lo_us, hi_us : int
            Microseconds since 1970-01-01T00:00Z; those later than the first and earlier than the second are returned.

        Returns
        -------
        ndarray of int64, shape (k,)
            Read-only. Instants at which clocks were changed are among them.

        Examples
        --------
        >>> DailyWindow(start="08:00", end="09:00", tz="UTC").turns_us(0, 86_400_000_000) // 3_600_000_000
        array([8, 9])
        """
        turns = changes(self._pattern, self.tz, lo_us, hi_us)
        turns.setflags(write=False)
        return turns

    @property
    def _pattern(self) -> BoolArray:
        return minutes_inside(self.start, self.end, self.weekdays)

    def _first_allowed(self, at_us: IntArray) -> IntArray:
        return first_allowed(at_us, self._allowed_us, self.turns_us)

    def _allowed_us(self, at_us: IntArray) -> BoolArray:
        inside = on_clock(self._pattern, at_us, self.tz)
        return inside if self.use == "active" else ~inside

    def __repr__(self) -> str:
        days = "" if self.weekdays == _EVERY_DAY else f" {','.join(_DAYS[day] for day in self.weekdays)}"
        return f"DailyWindow({_clock(self.start)}-{_clock(self.end)}{days}, {self.tz}, {self.use})"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
