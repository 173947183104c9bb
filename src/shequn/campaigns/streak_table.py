"""How many days in a row has each member checked in? The result of `streaks`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, counted, message
from shequn.labels import Index
from shequn.stats import wilson
from shequn.stats._checks import counts_column, instance, may_change, plain_array, refuse, whole
from shequn.values import DailyWindow
from shequn.values.zones import zone_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["EVERY_DAY", "Streak", "StreakRow", "Streaks", "grace_of", "weekdays_of"]

EVERY_DAY = tuple(range(7))
_NAMES: dict[Lang, tuple[str, ...]] = {
    "en": ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}
_MOST_GRACE = 366


def weekdays_of(weekdays: str | Iterable[int | str] | None) -> tuple[int, ...]:
    """Return weekdays as numbers, Monday being 0, in order; None stands for all."""
    return DailyWindow(start=0, end=1, weekdays=weekdays, tz="UTC").weekdays


def grace_of(grace: object) -> int:
    """Return how many days in a row may be missed, 0 to 366."""
    days = whole("grace", grace)
    if not 0 <= days <= _MOST_GRACE:
        raise InvalidValueError(message("grace", f"0 to {_MOST_GRACE} days", grace))
    return days


def _date(day: object) -> dt.date:
    if not isinstance(day, dt.date) or isinstance(day, dt.datetime):
        raise InvalidTypeError(message("as_of_day", "a date", day))
    return dt.date(day.year, day.month, day.day)


def _dates(name: str, values: Any) -> NDArray[np.datetime64]:  # noqa: ANN401
    given = plain_array(name, values, expected="dates")
    if given.dtype != np.dtype("datetime64[D]") and given.size:
        raise InvalidTypeError(message(name, "datetime64[D] values", f"{given.dtype} values"))
    own = given.astype("datetime64[D]", copy=may_change(given))
    return frozen(own)


def _first_day(values: Any) -> NDArray[np.datetime64]:  # noqa: ANN401
    return _dates("first_day", values)


def _last_day(values: Any) -> NDArray[np.datetime64]:  # noqa: ANN401
    return _dates("last_day", values)


class Streak(NamedTuple):
    """How many days in a row one member has checked in; what `streak_of` gives.

    Attributes
    ----------
    current, longest : int
        Days checked in of the streak that is alive, 0 if none is, and of the longest one.
    days, expected : int
        Days checked in, and days on which that was possible.
    first_day, last_day : datetime.date or None
        The first and the last day checked in; None if there is none.

    Examples
    --------
    >>> Streak(current=2, longest=5, days=7, expected=10, first_day=None, last_day=None).longest
    5
    """

    current: int
    longest: int
    days: int
    expected: int
    first_day: dt.date | None
    last_day: dt.date | None


class StreakRow(NamedTuple):
    """One member; the names are those of `Streaks.to_columns`.

    Examples
    --------
    >>> StreakRow("ann", 2, 5, 7, 10, 0.7, 0.397, 0.892, None, None).adherence
    0.7
    """

    member: Label
    current: int
    longest: int
    days: int
    expected: int
    adherence: float
    lower: float
    upper: float
    first_day: dt.date | None
    last_day: dt.date | None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Streaks(Tabular[StreakRow]):
    """How many days in a row each member has checked in; made by `streaks`.

    Attributes
    ----------
    members : Index
        The n members who ever checked in.
    current, longest : ndarray of int64, shape (n,)
        Days checked in of the streak that is alive, 0 if none is, and of the longest one.
    days, expected : ndarray of int64, shape (n,)
        Days checked in, and days on which that was possible: from the first one to the last that is over, and today if
        it was used.
    first_day, last_day : ndarray of datetime64[D], shape (n,)
        The first and the last local day checked in.
    as_of_day : datetime.date
        The local day of the question, which isn't over.
    tz : str
    grace : int
    weekdays : tuple of int
        The days that count, Monday being 0.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        A column has another length, or says what can't be.

    Examples
    --------
    >>> import datetime as dt
    >>> days = np.array(["2024-05-01"], dtype="datetime64[D]")
    >>> found = Streaks(
    ...     members=Index(["ann"]), current=[2], longest=[2], days=[2], expected=[2], first_day=days,
    ...     last_day=days + 1, as_of_day=dt.date(2024, 5, 3), tz="Asia/Shanghai", grace=0, weekdays=None,
    ... )
    >>> found, found.of("ann").current
    (Streaks(1 member, 1 with a streak alive on 2024-05-03), 2)
    """

    members: Index
    current: IntArray
    longest: IntArray
    days: IntArray
    expected: IntArray
    first_day: NDArray[np.datetime64] = attrs.field(converter=_first_day)
    last_day: NDArray[np.datetime64] = attrs.field(converter=_last_day)
    as_of_day: dt.date = attrs.field(converter=_date)
    tz: str = attrs.field(converter=zone_name)
    grace: int = attrs.field(default=0, converter=grace_of)
    weekdays: tuple[int, ...] = attrs.field(default=None, converter=weekdays_of)

    _Row: ClassVar[type[Any] | None] = StreakRow

    def __attrs_post_init__(self) -> None:
        """Check lengths, and that no streak is longer than the days there were."""
        instance("members", self.members, Index, expected="an Index")
        n = len(self.members)
        for name in ("current", "longest", "days", "expected"):
            column = counts_column(name, getattr(self, name), (n,), of=f"each of the {n} members")
            object.__setattr__(self, name, column)
        for name in ("first_day", "last_day"):
            given: NDArray[Any] = getattr(self, name)
            if given.shape != (n,):
                raise MisalignedError(message(name, f"one for each of the {n} members", f"shape {given.shape}"))
        for name, expected, column, bad in (
            ("current", "no more than longest", self.current, self.current > self.longest),
            ("longest", "no more than days", self.longest, self.longest > self.days),
            ("days", "no more than expected", self.days, self.days > self.expected),
        ):
            if bad.any():
                refuse(name, expected, column, bad)

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.members)

    @property
    def alive(self) -> BoolArray:
        """Whose streak can still go on, shape (n,)."""
        return frozen(self.current > 0)

    @property
    def adherence(self) -> FloatArray:
        """Share of the days on which checking in was possible that were used, shape (n,)."""
        share: FloatArray = np.divide(self.days, self.expected, out=np.full(len(self), np.nan), where=self.expected > 0)
        return frozen(share)

    def of(self, member: Label, /) -> Streak:
        """Return the streak of one member; that of who never checked in is 0.

        Examples
        --------
        >>> import pendulum
        >>> from shequn.columns import EventLog
        >>> from shequn.campaigns import streaks
        >>> log = EventLog.from_columns(member=["ann"], kind="check_in", at=[0], time_unit="s")
        >>> streaks(log, tz="UTC", as_of=pendulum.datetime(1970, 1, 2, 9)).of("ann").current
        1
        """
        if member not in self.members:
            return Streak(current=0, longest=0, days=0, expected=0, first_day=None, last_day=None)
        place = self.members.code(member, argument="member")
        first, last = (day[place].astype(object) for day in (self.first_day, self.last_day))
        numbers = (self.current, self.longest, self.days, self.expected)
        current, longest, days, expected = (int(column[place]) for column in numbers)
        return Streak(current, longest, days, expected, first, last)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        lower, upper = wilson(self.days, self.expected)
        numbers = {
            "current": ("current", "当前连续", self.current),
            "longest": ("longest", "最长连续", self.longest),
            "days": ("days", "打卡天数", self.days),
            "expected": ("of", "应打卡天数", self.expected),
        }
        rates = {
            "adherence": ("adherence", "坚持率", self.adherence),
            "lower": ("lower", "下限", lower),
            "upper": ("upper", "上限", upper),
        }
        return [
            Column(key="member", en="member", zh="成员", values=self.members.labels),
            *(Column(key=key, en=en, zh=zh, values=each, format="count") for key, (en, zh, each) in numbers.items()),
            *(Column(key=key, en=en, zh=zh, values=each, format="rate") for key, (en, zh, each) in rates.items()),
            Column(key="first_day", en="first day", zh="首次打卡", values=self.first_day, format="date"),
            Column(key="last_day", en="last day", zh="末次打卡", values=self.last_day, format="date"),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        n, alive = len(self), int(np.count_nonzero(self.current))
        listed = self.weekdays != EVERY_DAY
        names = [_NAMES[lang][day] for day in self.weekdays]
        if lang == "zh":
            which = f"，只计{'、'.join(names)}" if listed else ""
            told = f"截至 {self.as_of_day}（当日未结束）：{n:,} 人中 {alive:,} 人连续打卡中"
            return (f"{told}；可缺 {self.grace:,} 天{which}",)
        which = f"; {', '.join(names)} only" if listed else ""
        told = f"{alive:,} of {counted(n, 'streak')} alive on {self.as_of_day}, which isn't over"
        return (f"{told}; {counted(self.grace, 'day')} of grace{which}",)

    def __repr__(self) -> str:
        """Show how many members there are, and how many streaks are alive."""
        alive = int(np.count_nonzero(self.current))
        return f"Streaks({counted(len(self), 'member')}, {alive:,} with a streak alive on {self.as_of_day})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
