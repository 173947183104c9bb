"""Which day, week or month was it on the local wall clock, and from when to when did that period last?

A period is numbered by floor arithmetic on local time (UTC + offset), never by dividing elapsed seconds by 86 400: a
day may have 23, 24 or 25 hours, begin at 01:00, or not have happened at all. Its label is its local start date.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

import attrs
import numpy as np
import pendulum

from shequn._doors import Doors
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import is_integer, one_of, plain_array
from shequn.values._grid import INSTANTS, Grid, Rule, Tick, ticks_of
from shequn.values._reading import FIRST_US, LAST_US
from shequn.values._wall import first_at_or_after, last_before
from shequn.values.instants import instant_us
from shequn.values.zones import zone_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import IntArray

__all__ = ["Calendar", "Lang", "Unit", "WeekStart"]

Lang: TypeAlias = Literal["en", "zh"]
Unit: TypeAlias = Literal["hour", "day", "week", "month", "quarter", "year"]
WeekStart: TypeAlias = Literal["monday", "sunday"]

_TICKS: dict[str, tuple[Tick, int]] = {
    "hour": ("h", 1),
    "day": ("D", 1),
    "week": ("D", 7),
    "month": ("M", 1),
    "quarter": ("M", 3),
    "year": ("M", 12),
}
_CENTURY = {"hour": 876_600, "day": 36_525, "week": 5_217, "month": 1_200, "quarter": 400, "year": 100}
# 1970-01-01 was a Thursday: the Monday and the Sunday before it are these days.
_FIRST_DAY = {"monday": -3, "sunday": -4}
_NAMES: dict[str, dict[Lang, str]] = {
    "hour": {"en": "hour", "zh": "小时"},
    "day": {"en": "day", "zh": "天"},
    "week": {"en": "week", "zh": "周"},
    "month": {"en": "month", "zh": "月"},
    "quarter": {"en": "quarter", "zh": "季度"},
    "year": {"en": "year", "zh": "年"},
    "monday": {"en": "Monday", "zh": "周一"},
    "sunday": {"en": "Sunday", "zh": "周日"},
}


def _name_of(tz: str | tzinfo) -> str:
    return zone_name(tz)


def _plain_int(n: int) -> int:
    if not is_integer(n):
        raise InvalidTypeError(message("n", "an integer of at least 1", n))
    return int(n)


def _plain_anchor(anchor: date | None) -> date | None:
    return None if anchor is None else _plain_date("anchor", anchor)


def _plain_date(argument: str, day: object) -> date:
    # A datetime is a date to Python, yet the day it falls on depends on a time zone.
    if isinstance(day, datetime) or not isinstance(day, date):
        raise InvalidTypeError(message(argument, "a date without a time of day", day))
    return date(day.year, day.month, day.day)


def _check_unit(_calendar: Calendar, field: attrs.Attribute[Unit], value: object) -> None:
    one_of(field.name, value, get_args(Unit))


def _check_week_start(_calendar: Calendar, field: attrs.Attribute[WeekStart], value: object) -> None:
    one_of(field.name, value, get_args(WeekStart))


@attrs.frozen(kw_only=True)
class Calendar(Doors):
    """Periods of one length on the wall clock of one time zone, each with a number and a label.

    Parameters
    ----------
    unit : {"hour", "day", "week", "month", "quarter", "year"}
        What a period is, or is a multiple of.
    tz : str or tzinfo
        The zone whose wall clock decides, as in `zones.zone`. Its name is kept.
    n : int
        How many units make a period; at most a century.
    week_start : {"monday", "sunday"}
        First day of a week: Monday for ISO weeks. The other units have none.
    anchor : date, optional
        With ``n > 1``: a local date inside the first unit of period 0. By default 1970-01-01.

    Raises
    ------
    InvalidValueError
        If `unit` or `week_start` is unknown, `n` is out of range, or an option has no meaning for this calendar.
    InvalidTypeError
        If an option has a wrong type.
    UnknownLabelError
        If there is no such zone.

    Notes
    -----
    With t the local time (UTC + offset), the number of a period is

    - hour, day, week: floor((t - origin) / (n * length)); weeks count from Monday 1969-12-29 or Sunday 1969-12-28;
    - month, quarter, year: floor((month of t - origin) / (n * 1, 3 or 12)), with months counted from January 1970.

    It follows the wall clock: the two hours after 02:00 of a night on which clocks are set back have one number.

    References
    ----------
    ISO 8601 for weeks; ``spec/retention.md``, Periods.

    Examples
    --------
    >>> import pendulum
    >>> weeks = Calendar(unit="week", tz="Asia/Shanghai")
    >>> number = weeks.index_one(pendulum.datetime(2024, 3, 10, 15, 59))  # Sunday, 23:59 in Shanghai
    >>> number, weeks.label_one(number)
    (2827, Date(2024, 3, 4))
    """

    unit: Unit = attrs.field(default="week", validator=_check_unit)
    tz: str = attrs.field(converter=_name_of)
    n: int = attrs.field(default=1, converter=_plain_int)
    week_start: WeekStart = attrs.field(default="monday", validator=_check_week_start)
    anchor: date | None = attrs.field(default=None, converter=_plain_anchor)

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.n <= _CENTURY[self.unit]:
            expected = f"1 to {_CENTURY[self.unit]}, which is a century of {self.unit}s"
            raise InvalidValueError(message("n", expected, self.n))
        if self.anchor is not None and self.n == 1:
            raise InvalidValueError(message("anchor", "None where n is 1", str(self.anchor)))
        if self.anchor is not None and not date(1900, 1, 1) <= self.anchor < date(2262, 1, 1):
            raise InvalidValueError(message("anchor", "a date in [1900, 2262)", str(self.anchor)))
        if self.week_start != "monday" and self.unit != "week":
            raise InvalidValueError(message("week_start", f"'monday' where the unit is {self.unit!r}", self.week_start))

    @classmethod
    def of(cls, every: Unit | Calendar, *, tz: str | tzinfo | None, week_start: WeekStart = "monday") -> Calendar:
        """Return the calendar that the options `every`, `tz` and `week_start` of a strategy ask for.

        Parameters
        ----------
        every : {"hour", "day", "week", "month", "quarter", "year"} or Calendar
            A unit, or a calendar, which is returned as it is.
        tz : str, tzinfo or None
            Zone of the unit; it has no default. A calendar brings its own.
        week_start : {"monday", "sunday"}
            First day of the week; without effect on other units. The default contradicts no calendar.

        Returns
        -------
        Calendar
            The calendar.

        Raises
        ------
        InvalidValueError
            If the unit is unknown or has no zone, or `tz` or `week_start` contradicts the calendar given.
        InvalidTypeError
            If `every` is neither a unit nor a calendar.
        UnknownLabelError
            If there is no such zone.

        Examples
        --------
        >>> Calendar.of("month", tz="Asia/Shanghai").name()
        'month, Asia/Shanghai'
        """
        one_of("week_start", week_start, get_args(WeekStart))
        if isinstance(every, Calendar):
            if tz is not None and zone_name(tz) != every.tz:
                raise InvalidValueError(message("tz", f"None or {every.tz!r}, the zone of the calendar given", tz))
            if week_start not in {"monday", every.week_start}:
                expected = f"{every.week_start!r}, as in the calendar given"
                raise InvalidValueError(message("week_start", expected, week_start))
            return every
        one_of("every", every, get_args(Unit))
        if tz is None:
            expected = f"a time zone such as 'Asia/Shanghai', since a {every} is local to one"
            raise InvalidValueError(message("tz", expected, None))
        return cls(unit=every, tz=zone_name(tz), week_start=week_start if every == "week" else "monday")

    @property
    def _grid(self) -> Grid:
        tick, ticks = _TICKS[self.unit]
        origin = _FIRST_DAY[self.week_start] if self.unit == "week" else 0
        if self.anchor is not None:
            origin += (ticks_of(self.anchor, tick) - origin) // ticks * ticks
        return Grid(tick, origin, self.n * ticks)

    def index(self, at_us: IntArray) -> NDArray[np.int32]:
        """Return the number of the period that each instant falls into.

        Parameters
        ----------
        at_us : ndarray of int64, shape (n,)
            Instants in [1900, 2262), in microseconds since 1970-01-01T00:00Z.

        Returns
        -------
        ndarray of int32, shape (n,)
            Period numbers, read-only. Cast them before multiplying.

        Raises
        ------
        InvalidTypeError
            If `at_us` is not a 1-D array of integers.
        InvalidValueError
            If an instant lies outside [1900, 2262).

        Examples
        --------
        >>> Calendar(unit="day", tz="Asia/Shanghai").index(np.array([1709222399999999, 1709222400000000]))
        array([19782, 19783], dtype=int32)
        """
        rows = plain_array("at_us", at_us, expected="a 1-D array of int64 microseconds")
        if rows.ndim != 1 or (rows.dtype.kind not in "iu" and len(rows)):
            got = f"{rows.ndim}-D {rows.dtype} values"
            raise InvalidTypeError(message("at_us", "a 1-D array of int64 microseconds", got))
        numbers = self._grid.numbers(rows, self.tz)
        numbers.setflags(write=False)
        return numbers

    def rule(self, low_us: int, high_us: int) -> Rule | None:
        """Return how to number instants of a span by arithmetic alone, for those who go through them block by block.

        Parameters
        ----------
        low_us, high_us : int
            First and last instant, in microseconds since 1970-01-01T00:00Z.

        Returns
        -------
        Rule or None
            A `shift` and a `length`: the number is ``(at_us + shift) // length``. None where the zone changes its
            offset inside the span, or periods are counted in months.

        Examples
        --------
        >>> shift, length = Calendar(unit="day", tz="Asia/Shanghai").rule(1709222399999999, 1709222400000000)
        >>> (1709222400000000 + shift) // length
        19783
        """
        return self._grid.rule(self.tz, low_us, high_us)

    def index_one(self, at: datetime | int) -> int:
        """Return the number of the period that one instant falls into.

        Parameters
        ----------
        at : datetime or int
            An aware datetime, or microseconds since 1970-01-01T00:00Z.

        Returns
        -------
        int
            The number, as `index` gives it.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            If `at` is neither, has no zone, or lies outside [1900, 2262).

        Examples
        --------
        >>> Calendar(unit="year", tz="UTC").index_one(1709222400000000)
        54
        """
        if is_integer(at):
            at_us = int(at)
            if not FIRST_US <= at_us < LAST_US:
                raise InvalidValueError(message("at", INSTANTS, at_us))
        else:
            at_us = instant_us(cast("datetime", at))
        return int(self._grid.numbers(np.array([at_us]), self.tz)[0])

    def index_of_date(self, day: date) -> int:
        """Return the number of the period that contains a local date; of hours, the date's first.

        Parameters
        ----------
        day : date
            A date on the calendar's wall clock. A datetime is refused: `index_one` takes it.

        Returns
        -------
        int
            The number.

        Raises
        ------
        InvalidTypeError
            If `day` is not a plain date.

        Examples
        --------
        >>> from datetime import date
        >>> Calendar(unit="month", tz="UTC").index_of_date(date(1971, 2, 28))
        13
        """
        return self._grid.number_of(_plain_date("day", day))

    def label(self, index: ArrayLike) -> NDArray[np.datetime64]:
        """Return the local start date of periods; of hours, the date and hour.

        Parameters
        ----------
        index : array_like of int, shape (n,)
            Period numbers.

        Returns
        -------
        ndarray of datetime64[D] or datetime64[h], shape (n,)
            Labels, read-only.

        Raises
        ------
        InvalidTypeError
            If `index` is not one-dimensional, or does not hold integers.
        InvalidValueError
            If a period begins outside the years 1690 to 2459.

        Examples
        --------
        >>> Calendar(unit="quarter", tz="UTC").label([0, 1])
        array(['1970-01-01', '1970-04-01'], dtype='datetime64[D]')
        """
        grid = self._grid
        labels = grid.labels(grid.checked(index))
        labels.setflags(write=False)
        return labels

    def label_one(self, index: int) -> pendulum.Date | pendulum.DateTime:
        """Return the label of one period: its local start date, or for hours the naive local date and time.

        Parameters
        ----------
        index : int
            Period number.

        Returns
        -------
        pendulum.Date or pendulum.DateTime
            The label. A `DateTime` has no zone, since an hour of the wall clock can be skipped or shown twice.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            As in `label`.

        Examples
        --------
        >>> Calendar(unit="hour", tz="UTC").label_one(25)
        DateTime(1970, 1, 2, 1, 0, 0)
        """
        start = cast("datetime", self.label([index])[0].astype("datetime64[s]").item())
        if self.unit == "hour":
            return pendulum.DateTime(start.year, start.month, start.day, start.hour)
        return pendulum.Date(start.year, start.month, start.day)

    def start_us(self, index: ArrayLike) -> IntArray:
        """Return the first instants at which the wall clock shows the start of periods or later.

        Parameters
        ----------
        index : array_like of int, shape (n,)
            Period numbers.

        Returns
        -------
        ndarray of int64, shape (n,)
            Microseconds since 1970-01-01T00:00Z, read-only.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            As in `label`.

        Notes
        -----
        A day whose midnight was skipped starts later on the wall clock. A day that was skipped is empty: it starts when
        the next one does.

        Examples
        --------
        >>> from datetime import date
        >>> days = Calendar(unit="day", tz="America/Sao_Paulo")
        >>> days.start_us([days.index_of_date(date(2018, 11, 4))]).view("datetime64[us]").astype("datetime64[h]")
        array(['2018-11-04T03'], dtype='datetime64[h]')
        """
        grid = self._grid
        return self._instants(first_at_or_after, grid.walls(grid.checked(index)))

    def end_us(self, index: ArrayLike) -> IntArray:
        """Return the first instants from which on no instant belongs to these periods or to earlier ones.

        Parameters
        ----------
        index : array_like of int, shape (n,)
            Period numbers.

        Returns
        -------
        ndarray of int64, shape (n,)
            Microseconds since 1970-01-01T00:00Z, read-only.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            As in `label`.

        Notes
        -----
        The start of the next period, and later than that only where clocks were set back over the boundary: those of
        America/St_Johns were until 2011, at 00:01, and the day before went on for another 59 minutes.

        Examples
        --------
        >>> Calendar(unit="day", tz="UTC").end_us([0])
        array([86400000000])
        """
        grid = self._grid
        return self._instants(last_before, grid.walls(grid.checked(index) + 1))

    def _instants(self, find: Callable[[IntArray, str], IntArray], walls: IntArray) -> IntArray:
        instants = find(walls, self.tz) if len(walls) else walls
        instants.setflags(write=False)
        return instants

    def length_us(self) -> int:
        """Return the length of a period in elapsed time.

        Returns
        -------
        int
            Microseconds of n hours, n times 24 hours, or n times 7 days.

        Raises
        ------
        InvalidValueError
            If the unit is a month or longer.

        Examples
        --------
        >>> Calendar(unit="week", tz="UTC", n=2).length_us()
        1209600000000
        """
        length_us = self._grid.length_us
        if length_us is None:
            expected = f"'hour', 'day' or 'week' for elapsed time, as {self.unit}s differ in length"
            raise InvalidValueError(message("every", expected, self.unit))
        return length_us

    def name(self, lang: Lang = "en") -> str:
        """Return what the calendar is called in a text.

        Parameters
        ----------
        lang : {"en", "zh"}
            Language.

        Returns
        -------
        str
            Unit, first day of the week, anchor and zone.

        Raises
        ------
        InvalidValueError, InvalidTypeError
            If there is no such language.

        Examples
        --------
        >>> Calendar(unit="week", tz="Asia/Shanghai").name()
        'week (Monday), Asia/Shanghai'
        >>> Calendar(unit="week", tz="Asia/Shanghai").name("zh")
        '周（周一起），Asia/Shanghai'
        """
        one_of("lang", lang, get_args(Lang))
        unit, weekday = _NAMES[self.unit][lang], _NAMES[self.week_start][lang]
        if lang == "zh":
            counter = "个" if self.unit in {"hour", "month", "quarter"} else ""
            every = unit if self.n == 1 else f"每{self.n}{counter}{unit}"
            details = [f"{weekday}起"] * (self.unit == "week") + [f"自{self.anchor}起"] * (self.anchor is not None)
            return every + (f"（{'，'.join(details)}）" if details else "") + f"，{self.tz}"
        every = unit if self.n == 1 else f"{self.n} {unit}s"
        details = [weekday] * (self.unit == "week") + [f"from {self.anchor}"] * (self.anchor is not None)
        return every + (f" ({', '.join(details)})" if details else "") + f", {self.tz}"
