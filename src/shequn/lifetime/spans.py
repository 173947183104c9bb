"""How many periods is a duration, and how much less is worth what comes a year later? No unit is guessed."""

from __future__ import annotations

import datetime as dt
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

import attrs
import pendulum

from shequn._doors import Doors
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import instance, number, one_of, plain
from shequn.values.calendar import Calendar
from shequn.values.elapsed import elapsed_us

if TYPE_CHECKING:
    from shequn.values.calendar import Unit

__all__ = ["Discount", "Horizon", "calendar_field", "periods_in", "same_periods"]

Horizon: TypeAlias = "dt.timedelta | float"
Per: TypeAlias = Literal["period", "hour", "day", "week", "month", "quarter", "year"]

_DAY_US: Final = 86_400_000_000
_UNIT_US: Final = {"hour": _DAY_US // 24, "day": _DAY_US, "week": 7 * _DAY_US}
_UNIT_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
# Of the Gregorian calendar: 400 years have 146,097 days.
_DAYS_A_YEAR: Final = Fraction(146_097, 400)
_MOST_PERIODS: Final = 1e6
_HIGHEST: Final = 1e12  # rate
_LEAST_GROWTH, _MOST_GROWTH = -30.0, 700.0  # by which exp() less 1 is above -1, and finite


def periods_in(horizon: Horizon, calendar: Calendar | None, /, *, argument: str = "horizon") -> float:
    """Return how many periods a horizon is.

    Parameters
    ----------
    horizon : timedelta or float
        A duration, or a number of periods. Hours, days and weeks convert into one another, and so do months, quarters
        and years; the one kind into the other does not, as a month has no one length.
    calendar : Calendar or None
        What a period is; None where that is not known.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        It is no duration and no number, negative or not finite, of more than a million periods, or of another kind than
        the periods are; or it is a duration, and what a period is was never said.

    Examples
    --------
    >>> from pendulum import duration
    >>> from shequn.values import Calendar
    >>> periods_in(duration(days=182), Calendar.of("week", tz="UTC")), periods_in(26, None)
    (26.0, 26.0)
    """
    given = plain(horizon)
    if isinstance(given, int | float) and not isinstance(given, bool):
        found = float(given) if abs(given) <= _MOST_PERIODS else math.inf
    elif isinstance(horizon, dt.timedelta):
        if calendar is None:
            expected = "a number of periods, as nobody said what a period is (fit with `every=`)"
            raise InvalidValueError(message(argument, expected, horizon))
        found = _periods_of(horizon, calendar, argument)
    else:
        raise InvalidTypeError(message(argument, "a duration or a number of periods", horizon))
    if not 0 <= found <= _MOST_PERIODS:
        raise InvalidValueError(message(argument, "0 to a million periods", horizon))
    return found


def calendar_field() -> Any:  # noqa: ANN401
    """Return the attrs field that says what a period is, None by default."""
    return attrs.field(default=None, validator=_known_calendar)


def _known_calendar(_record: Any, field: attrs.Attribute[Any], value: object) -> None:  # noqa: ANN401
    if value is not None:
        instance(field.name, value, Calendar, expected="a Calendar, or None")


def same_periods(given: Calendar | None, wanted: Calendar | None, /, *, argument: str) -> None:
    """Raise where both are known and differ: what was spent in a week is not what is spent in a month.

    Examples
    --------
    >>> same_periods(None, None, argument="spend")
    """
    if given is not None and wanted is not None and given != wanted:
        raise InvalidValueError(message(argument, f"periods of {wanted.name()}", given.name()))


def _periods_of(horizon: dt.timedelta, calendar: Calendar, argument: str) -> float:
    years, months = (horizon.years, horizon.months) if isinstance(horizon, pendulum.Duration) else (0, 0)
    is_whole = horizon == pendulum.duration(years=years, months=months)
    months += 12 * years
    unit = calendar.name("en").split(",")[0]
    if calendar.unit in _UNIT_MONTHS:
        if not months or not is_whole:
            expected = f"months or years alone, as periods are of {unit}: days make no known number of months"
            raise InvalidValueError(message(argument, expected, horizon))
        return months / (_UNIT_MONTHS[calendar.unit] * calendar.n)
    if months:
        expected = f"weeks, days or hours alone, as periods are of {unit}: months have no one length"
        raise InvalidValueError(message(argument, expected, horizon))
    return elapsed_us(argument, horizon) / (_UNIT_US[calendar.unit] * calendar.n)


def _rate(rate: object) -> float:
    expected = "a finite number above -1, up to 1e12, such as 0.1 for 10 %"
    found = number("rate", rate, expected=expected)
    if not -1 < found <= _HIGHEST:
        raise InvalidValueError(message("rate", expected, rate))
    return found


def _known_per(_discount: Discount, field: attrs.Attribute[Per], value: object) -> None:
    one_of(field.name, value, get_args(Per))


@attrs.frozen
class Discount(Doors):
    """How much less is worth what comes later: 1 / (1 + rate) after each `per`.

    Parameters
    ----------
    rate : float
        Above -1, up to 1e12; 0.1 for 10 %.
    per : {"year", "quarter", "month", "week", "day", "hour", "period"}
        A year has 365.2425 days, a quarter and a month the 4th and the 12th part of it. ``"period"`` is whatever the
        model counts in.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        The rate is not a finite number above -1, or there is no such `per`.

    Examples
    --------
    >>> Discount(0.1, per="year")
    Discount(rate=0.1, per='year')
    >>> from shequn.values import Calendar
    >>> print(f"{Discount(0.1, per='year').per_period(Calendar.of('week', tz='UTC')):.6f}")
    0.001828
    """

    rate: float = attrs.field(converter=_rate)
    per: Per = attrs.field(default="year", kw_only=True, validator=_known_per)

    def per_period(self, calendar: Calendar | None) -> float:
        r"""Return the rate for a period: :math:`(1 + d)^{q} - 1`, q being the part of `per` that a period is.

        Raises
        ------
        InvalidValueError
            What a period is was never said, and the rate is not per period; or that of a period is -1, or has no
            bounds, as far as a number can tell.

        Examples
        --------
        >>> Discount(0.02, per="period").per_period(None)
        0.02
        """
        if self.per == "period":
            return self.rate
        if calendar is None:
            expected = "'period', as nobody said what a period is (fit with `every=`)"
            raise InvalidValueError(message("per", expected, self.per))
        part = _days_of(calendar.unit) * calendar.n / _days_of(self.per)
        growth = float(part) * math.log1p(self.rate)
        if not _LEAST_GROWTH <= growth <= _MOST_GROWTH:
            expected = f"a rate that can be told for a {calendar.unit}"
            raise InvalidValueError(message("rate", expected, f"{self.rate:g} a {self.per}"))
        return math.expm1(growth)


def _days_of(unit: Unit | str) -> Fraction:
    if unit in _UNIT_US:
        return Fraction(_UNIT_US[unit], _DAY_US)
    return _DAYS_A_YEAR * _UNIT_MONTHS[unit] / 12
