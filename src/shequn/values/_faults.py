"""Why a row is not an instant, and how that is told.

A message says what the options made of the column, what came, and what to do about it.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import IntEnum
from typing import Any, Literal, NamedTuple, TypeAlias, cast

import numpy as np

from shequn.stats._checks import is_integer

__all__ = ["Fault", "Form", "TimeUnit", "describe"]

TimeUnit: TypeAlias = Literal["s", "ms", "us"]


class Fault(IntEnum):
    """Why a row is not an instant."""

    MISSING = 1
    KIND = 2
    ZONE = 3
    RANGE = 4
    FRACTION = 5
    SKIPPED = 6
    REPEATED = 7


class Form(NamedTuple):
    """What the caller's options say that a column holds: integers, wall clock times, or else aware datetimes."""

    argument: str
    zone: str | None
    time_unit: TimeUnit | None
    one: bool = False

    @property
    def expected(self) -> str:
        """What a row should be, as a noun phrase."""
        if self.time_unit is not None:
            return f"integers (time_unit={self.time_unit!r})"
        if self.zone is not None:
            return f"wall clock times without a zone (at_tz={self.zone!r})"
        return "an aware datetime" if self.one else "aware datetimes"


def describe(value: object, fault: Fault, form: Form) -> tuple[str, object, str]:
    """Word the fault of a value: what was expected, what to show of the value, and a hint to append."""
    expected, hint = form.expected, ""
    if fault is Fault.RANGE:
        expected = f"{'an instant' if form.one else 'instants'} in [1900, 2262)"
    elif fault is Fault.FRACTION:
        expected = f"{'an instant' if form.one else 'instants'} of whole microseconds"
    elif fault is Fault.SKIPPED:
        expected, hint = f"wall clock times that exist in {form.zone}", "; clocks were set forward over it"
    elif fault is Fault.REPEATED:
        expected = f"wall clock times that {form.zone} had once"
        hint = "; clocks were set back over it, so pass aware datetimes"
    elif fault is not Fault.MISSING:
        hint = _hint(value, form)
    return expected, _shown(value), hint


def _hint(value: object, form: Form) -> str:
    """Tell what to do about a value that is no row of this form."""
    hint = ""
    if isinstance(value, (str, bytes)):
        hint = "text is not parsed"
    elif isinstance(value, (datetime, np.datetime64)):
        hint = _zone_hint(value, form)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, date):
        hint = "a date is not an instant"
    elif form.one:
        hint = ""
    elif is_integer(value):
        hint = "integers need time_unit='s', 'ms' or 'us'" + (" instead of at_tz" if form.zone is not None else "")
    elif isinstance(value, (float, np.floating)):
        hint = "floats lose microseconds, so cast whole numbers with .astype('int64')"
    return hint and f"; {hint}"


def _zone_hint(value: datetime | np.datetime64[Any], form: Form) -> str:
    if form.one:
        return "it has no time zone"
    if form.time_unit is not None:
        return "time_unit is for integers alone"
    if form.zone is None:
        return "times without a zone need at_tz"
    if isinstance(value, np.datetime64):
        return "the unit must be one of D, h, m, s, ms, us, ns"
    return "times that have a zone need no at_tz"


def _shown(value: object) -> object:
    if isinstance(value, np.datetime64):
        return str(cast("object", value))
    try:
        return value.isoformat() if isinstance(value, datetime) else value
    except Exception:  # a zone may be anybody's class and raise anything
        return value
