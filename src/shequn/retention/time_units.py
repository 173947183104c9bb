"""In what unit is a stretch of time told?"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from shequn.errors import InvalidValueError, message
from shequn.stats._checks import one_of, reals
from shequn.values.elapsed import elapsed_us

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray
    from shequn.columns.table import Lang

__all__ = [
    "UNIT_US",
    "TimeUnitName",
    "Times",
    "require_unit",
    "span_text",
    "to_units",
    "unit_heading",
    "unit_text",
    "unit_us",
]

TimeUnitName: TypeAlias = Literal["second", "minute", "hour", "day", "week", "month", "quarter", "year"]
Times: TypeAlias = "ArrayLike | dt.timedelta | Sequence[dt.timedelta]"

UNIT_US: dict[str, int] = {
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 604_800_000_000,
}
_ZH = {
    "second": "秒",
    "minute": "分钟",
    "hour": "小时",
    "day": "天",
    "week": "周",
    "month": "个月",
    "quarter": "个季度",
    "year": "年",
}
_HEADINGS_ZH = {"month": "月", "quarter": "季度"}


def unit_us(unit: object, /) -> int:
    """Return the length of a unit that has one, in microseconds.

    Examples
    --------
    >>> unit_us("hour")
    3600000000
    """
    one_of("unit", unit, tuple(UNIT_US))
    return UNIT_US[str(unit)]


def require_unit(unit: object, /) -> None:
    """Raise unless it names a unit of time, or is None for an unnamed one."""
    if unit is not None:
        one_of("unit", unit, get_args(TimeUnitName))


def to_units(argument: str, times: Times, unit: TimeUnitName | None, /) -> FloatArray:
    """Return times in a unit: numbers as they are, and durations as so many of it.

    Raises
    ------
    InvalidTypeError
        They are neither numbers nor durations.
    InvalidValueError
        They are durations, and the unit is unnamed or has no one length; or one is negative.

    Examples
    --------
    >>> from pendulum import duration
    >>> to_units("t", [duration(days=7), duration(hours=12)], "day")
    array([7. , 0.5])
    """
    is_list = isinstance(times, list | tuple)
    given = list(times) if is_list else [times]  # type: ignore[arg-type]
    if not given or not all(isinstance(time, dt.timedelta) for time in given):
        return reals(argument, times)  # type: ignore[arg-type]
    if unit not in UNIT_US:
        told = "the unit of the durations was not named" if unit is None else f"a {unit} has no one length"
        raise InvalidValueError(message(argument, f"numbers, as {told}", given[0]))
    shares = np.array([elapsed_us(argument, time) / UNIT_US[unit] for time in given])
    return shares if is_list else shares.reshape(())


def unit_heading(unit: TimeUnitName | None, lang: Lang, /) -> str:
    """Return the heading of a column of times.

    Examples
    --------
    >>> unit_heading("day", "en"), unit_heading("day", "zh"), unit_heading(None, "en")
    ('days', '天', 'time')
    """
    if unit is None:
        return "时间" if lang == "zh" else "time"
    return _HEADINGS_ZH.get(unit, _ZH[unit]) if lang == "zh" else f"{unit}s"


def unit_text(number: float, unit: TimeUnitName | None, lang: Lang, /) -> str:
    """Return a number of units as text.

    Examples
    --------
    >>> unit_text(1, "day", "en"), unit_text(12.34, "week", "zh"), unit_text(7, None, "en")
    ('1 day', '12.3 周', '7')
    """
    text = f"{number:,.0f}" if number >= 1000 else f"{number:.3g}"  # noqa: PLR2004
    if unit is None:
        return text
    return f"{text} {_ZH[unit]}" if lang == "zh" else f"{text} {unit}{'' if text == '1' else 's'}"


def span_text(us: int, lang: Lang, /) -> str:
    """Return a stretch of microseconds in the largest unit up to a day of which it is a whole number.

    Examples
    --------
    >>> span_text(2_592_000_000_000, "en"), span_text(5_400_000_000, "zh")
    ('30 days', '90 分钟')
    """
    unit = next((name for name in ("day", "hour", "minute") if us % UNIT_US[name] == 0), "second")
    number = us / UNIT_US[unit]
    text = f"{number:,.0f}" if number == int(number) else f"{number:,}"
    return f"{text} {_ZH[unit]}" if lang == "zh" else f"{text} {unit}{'' if text == '1' else 's'}"
