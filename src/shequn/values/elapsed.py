"""How much time went by? A stretch of elapsed time, as exact microseconds."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import pendulum

from shequn.errors import InvalidTypeError, InvalidValueError, message

__all__ = ["LONGEST_US", "elapsed_us", "from_elapsed_us"]

LONGEST_US = 400 * 366 * 86_400_000_000  # more than lies between any two instants that are accepted


def elapsed_us(argument: str, value: object, *, at_least: Literal[0, 1] = 0) -> int:
    """Return a duration in microseconds.

    Parameters
    ----------
    value : timedelta
        Such as ``pendulum.duration(days=7)``. Days have 24 hours; months and years have no one length.
    at_least : {0, 1}
        The shortest that is accepted, in microseconds.

    Raises
    ------
    InvalidTypeError
        It is no duration.
    InvalidValueError
        It is negative, counts months or years, or is longer than 400 years.

    Examples
    --------
    >>> elapsed_us("within", pendulum.duration(hours=1))
    3600000000
    """
    if not isinstance(value, timedelta):
        raise InvalidTypeError(message(argument, "a duration such as pendulum.duration(days=7)", value))
    if type(value) is pendulum.Duration and (value.years or value.months):
        raise InvalidValueError(message(argument, "a duration without months or years, which vary in length", value))
    # What the base class holds: pendulum gives `days` and `seconds` another sign and sense.
    days, seconds, rest = (
        int(part.__get__(value)) for part in (timedelta.days, timedelta.seconds, timedelta.microseconds)
    )
    us = (days * 86_400 + seconds) * 1_000_000 + rest
    if us < at_least:
        expected = "a duration longer than 0" if at_least else "a duration that is not negative"
        raise InvalidValueError(message(argument, expected, value))
    if us > LONGEST_US:
        raise InvalidValueError(message(argument, "a duration of at most 400 years", value))
    return us


def from_elapsed_us(us: int, /) -> pendulum.Duration:
    """Return microseconds as a duration of days and less.

    Examples
    --------
    >>> from_elapsed_us(3_600_000_000).in_hours()
    1
    """
    return pendulum.duration(microseconds=us)
