"""How often is often enough? Caps per day, week and month, and the least time between two."""

from __future__ import annotations

import datetime as dt  # noqa: TC003  # attrs resolves the annotations of fields
from itertools import pairwise
from typing import Any, get_args

import attrs

from shequn._doors import Doors
from shequn.errors import InvalidValueError, message
from shequn.stats._checks import one_of, whole
from shequn.values.calendar import WeekStart
from shequn.values.elapsed import elapsed_us

__all__ = ["Cadence"]

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
# The longest a period lasts, with an hour for clocks that are set back.
_LONGEST_US = {"per_day": 25 * _HOUR_US, "per_week": 7 * _DAY_US + _HOUR_US, "per_month": 31 * _DAY_US + _HOUR_US}


def _per_day(per_day: int | None) -> int | None:
    return _cap("per_day", per_day)


def _per_week(per_week: int | None) -> int | None:
    return _cap("per_week", per_week)


def _per_month(per_month: int | None) -> int | None:
    return _cap("per_month", per_month)


def _cap(argument: str, value: int | None) -> int | None:
    if value is None:
        return None
    cap = whole(argument, value)
    if cap < 0:
        raise InvalidValueError(message(argument, "a cap of 0 or more, or None", value))
    return cap


def _check_gap(_cadence: Cadence, field: attrs.Attribute[dt.timedelta | None], value: object) -> None:
    if value is not None:
        elapsed_us(field.name, value)


def _check_week_start(_cadence: Cadence, field: attrs.Attribute[WeekStart], value: object) -> None:
    one_of(field.name, value, get_args(WeekStart))


@attrs.frozen(kw_only=True)
class Cadence(Doors):
    """How much may be sent (节奏与频率): caps per local day, week and month, and the least time between two.

    Parameters
    ----------
    per_day, per_week, per_month : int, optional
        The most in a calendar day, week and month of a zone that the user of the cadence names. None is no cap; 0 lets
        nothing through.
    min_gap : timedelta, optional
        The least time from one to the next. Exactly so much is enough.
    week_start : {"monday", "sunday"}
        First day of a week.

    Raises
    ------
    InvalidValueError
        If a cap is negative or above that of a longer period, or so many cannot lie `min_gap` apart in the period.
    InvalidTypeError
        If a cap is not an integer, or `min_gap` no duration.

    Notes
    -----
    A cap of c in a period of length L asks that ``(c - 1) * min_gap < L``, with 25 hours for a day, and an hour more
    than 7 and 31 days for a week and a month.

    References
    ----------
    ``spec/domain.md``, row K7.

    Examples
    --------
    >>> import pendulum
    >>> cadence = Cadence(per_day=2, per_week=6, min_gap=pendulum.duration(hours=3))
    >>> cadence.min_gap_us
    10800000000
    >>> Cadence(per_day=3, per_week=2)
    Traceback (most recent call last):
    shequn.errors.InvalidValueError: per_day: expected at most per_week (2), got 3
    """

    per_day: int | None = attrs.field(default=None, converter=_per_day)
    per_week: int | None = attrs.field(default=None, converter=_per_week)
    per_month: int | None = attrs.field(default=None, converter=_per_month)
    min_gap: dt.timedelta | None = attrs.field(default=None, validator=_check_gap)
    week_start: WeekStart = attrs.field(default="monday", validator=_check_week_start)

    def __attrs_post_init__(self) -> None:
        caps = [(name, cap) for name, cap in self._caps() if cap is not None]
        for (name, cap), (longer, most) in pairwise(caps):
            if cap > most:
                raise InvalidValueError(message(name, f"at most {longer} ({most})", cap))
        for name, cap in caps:
            if (cap - 1) * self.min_gap_us >= _LONGEST_US[name]:
                expected = f"a gap with which {name} ({cap}) can be reached"
                raise InvalidValueError(message("min_gap", expected, self.min_gap))

    def __deepcopy__(self, memo: dict[int, Any], /) -> Cadence:
        """Return itself: nothing in it changes, and pendulum 3.0 loses the weeks of a duration it copies."""
        return self

    @property
    def min_gap_us(self) -> int:
        """The least time between two in microseconds; 0 where there is none."""
        return 0 if self.min_gap is None else elapsed_us("min_gap", self.min_gap)

    def _caps(self) -> tuple[tuple[str, int | None], ...]:
        return (("per_day", self.per_day), ("per_week", self.per_week), ("per_month", self.per_month))
