"""When did it happen? Every accepted form of an instant, as int64 microseconds since 1970-01-01T00:00Z.

All arithmetic is on integers. Two instants an hour apart in a DST fold compare equal as datetimes, and differ here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, get_args

import numpy as np
import pendulum

from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import one_of, whole
from shequn.values._faults import Fault, Form, TimeUnit, describe
from shequn.values._reading import EPOCH, FIRST_US, LAST_US, MICROSECOND, read, read_one
from shequn.values.zones import zone, zone_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from numpy.typing import NDArray

    from shequn._typing import IntArray

__all__ = ["FIRST_US", "LAST_US", "Instants", "TimeUnit", "from_us", "instant_faults", "instant_us", "to_instants"]

# A year from the first and the last that Python knows, so that every zone can show it.
_SHOWN_FROM_US = (datetime(2, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND
_SHOWN_TO_US = (datetime(9999, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND


def instant_us(value: datetime, /, *, argument: str = "at") -> int:
    """Return the microseconds since 1970-01-01T00:00Z of one aware datetime, exactly.

    Parameters
    ----------
    value : datetime
        An aware datetime or pendulum `DateTime` in [1900, 2262), of any zone; `fold` is honoured.
    argument : str
        Name of the argument in messages.

    Returns
    -------
    int
        Microseconds.

    Raises
    ------
    InvalidTypeError
        If `value` is not a datetime: a date, text or a number.
    InvalidValueError
        If it has no zone, is missing, lies outside [1900, 2262), or is finer than a microsecond.

    Examples
    --------
    >>> import pendulum
    >>> instant_us(pendulum.datetime(2024, 3, 1, tz="Asia/Shanghai"))
    1709222400000000
    """
    form = Form(argument, None, None, one=True)
    us = read_one(value, form)
    if not isinstance(us, Fault) and not FIRST_US <= us < LAST_US:
        us = Fault.RANGE
    if isinstance(us, Fault):
        raise _error_of(us)(_worded(value, us, form))
    return us


def from_us(us: int, tz: str | tzinfo = "UTC") -> pendulum.DateTime:
    """Return the datetime of an instant, exactly, as the clocks of a zone show it.

    Parameters
    ----------
    us : int
        Microseconds since 1970-01-01T00:00Z.
    tz : str or tzinfo
        The zone to show it in, as in `zone`.

    Returns
    -------
    pendulum.DateTime
        The aware datetime, with `fold` set on the second of two equal wall clock times.

    Raises
    ------
    InvalidTypeError
        If `us` is not an integer.
    InvalidValueError
        If the year is not in [2, 9998].
    UnknownLabelError
        If there is no such zone.

    Examples
    --------
    >>> from_us(1709222400000000, "Asia/Shanghai").isoformat()
    '2024-03-01T00:00:00+08:00'
    """
    exact_us = whole("us", us)
    if not _SHOWN_FROM_US <= exact_us < _SHOWN_TO_US:
        raise InvalidValueError(message("us", "microseconds in the years 2 to 9998", us))
    moment = (EPOCH + exact_us * MICROSECOND).astimezone(zone(tz))
    return pendulum.DateTime(
        moment.year,
        moment.month,
        moment.day,
        moment.hour,
        moment.minute,
        moment.second,
        moment.microsecond,
        tzinfo=moment.tzinfo,
        fold=moment.fold,
    )


class Instants(NamedTuple):
    """A column of instants: microseconds since 1970-01-01T00:00Z, and the coarsest unit of which all are multiples.

    Attributes
    ----------
    us : ndarray of int64, shape (n,)
        The instants; read-only.
    resolution_us : int
        1_000_000, 1_000 or 1 microseconds; 1_000_000 when there are no rows.

    Examples
    --------
    >>> to_instants([1_709_222_400_250, 1_709_222_401_000], time_unit="ms").resolution_us
    1000
    """

    us: IntArray
    resolution_us: int


def to_instants(
    values: object, /, *, argument: str = "at", at_tz: str | tzinfo | None = None, time_unit: TimeUnit | None = None
) -> Instants:
    """Read a column of instants in any accepted form.

    Parameters
    ----------
    values : sequence or array, shape (n,)
        One of

        - aware datetimes in a list, tuple or object array, or a data frame's column that has a time zone;
        - integers, with `time_unit`;
        - ``datetime64`` values (unit D, h, m, s, ms, us or ns) or naive datetimes, with `at_tz`.
    argument : str
        Name of the argument in messages.
    at_tz : str or tzinfo, optional
        The zone whose wall clock showed the times of a column without a zone.
    time_unit : {"s", "ms", "us"}, optional
        What integers count since 1970-01-01T00:00Z.

    Returns
    -------
    Instants
        The instants in the order given, in memory of their own.

    Raises
    ------
    InvalidTypeError
        If a row is of another type than the options say, or `values` is not a column.
    InvalidValueError
        If a row is missing, naive where it must be aware or the other way round, outside [1900, 2262), finer than a
        microsecond, or a wall clock time that its zone skipped or had twice; or if both `at_tz` and `time_unit` are
        given.
    UnknownLabelError
        If there is no such zone.

    Notes
    -----
    A message tells the first bad row and how many there are; `instant_faults` tells all of them.

    Examples
    --------
    >>> local = np.array(["2024-03-01T08:00", "2024-03-01T08:00:01.5"], dtype="datetime64[ms]")
    >>> to_instants(local, at_tz="Asia/Shanghai")
    Instants(us=array([1709251200000000, 1709251201500000]), resolution_us=1000)
    >>> to_instants(["2024-03-01"])
    Traceback (most recent call last):
    shequn.errors.InvalidTypeError: at: expected aware datetimes, got '2024-03-01' at row 0 (1 of 1 rows);
    text is not parsed
    """
    form = _form_of(argument, at_tz, time_unit)
    reading = read(values, form)
    if reading.faults is not None:
        _refuse_first(reading.column, reading.faults, form)
    reading.us.setflags(write=False)
    return Instants(reading.us, reading.resolution_us)


def instant_faults(
    values: object, /, *, argument: str = "at", at_tz: str | tzinfo | None = None, time_unit: TimeUnit | None = None
) -> dict[int, str]:
    """Tell which rows of a column `to_instants` would refuse, and why, so that the others can be taken.

    Parameters
    ----------
    values, argument, at_tz, time_unit
        As in `to_instants`.

    Returns
    -------
    dict of int to str
        The reason by row, in ascending order of rows; empty if the column is in order.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        If the column or the options are at fault, not single rows.

    Examples
    --------
    >>> instant_faults([1709251200, -(10**12)], time_unit="s")
    {1: 'at: expected instants in [1900, 2262), got -1000000000000'}
    """
    form = _form_of(argument, at_tz, time_unit)
    reading = read(values, form)
    if reading.faults is None:
        return {}
    return {
        row: _worded(reading.column[row], Fault(int(reading.faults[row])), form)
        for row in np.flatnonzero(reading.faults).tolist()
    }


def _form_of(argument: str, at_tz: str | tzinfo | None, time_unit: TimeUnit | None) -> Form:
    if time_unit is not None:
        one_of("time_unit", time_unit, get_args(TimeUnit))
    if time_unit is not None and at_tz is not None:
        raise InvalidValueError(message("at_tz", "None where time_unit counts from 1970-01-01T00:00Z", at_tz))
    return Form(argument, None if at_tz is None else zone_name(at_tz, argument="at_tz"), time_unit)


def _refuse_first(column: Sequence[object] | NDArray[Any], faults: NDArray[np.int8], form: Form) -> NoReturn:
    bad = np.flatnonzero(faults)
    row = int(bad[0])
    fault = Fault(int(faults[row]))
    raise _error_of(fault)(_worded(column[row], fault, form, row=row, bad=len(bad), total=len(faults)))


def _worded(value: object, fault: Fault, form: Form, **where: int) -> str:
    expected, got, hint = describe(value, fault, form)
    return message(form.argument, expected, got, **where) + hint


def _error_of(fault: Fault) -> type[InvalidTypeError] | type[InvalidValueError]:
    return InvalidTypeError if fault is Fault.KIND else InvalidValueError
