"""The sentence on bare numbers: flow − evaporation = retained; and a ledger of counts that were made elsewhere."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING, Any, cast, overload

import numpy as np

from shequn.columns.horizon import Horizon
from shequn.columns.readonly import frozen
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, message
from shequn.retention.presence import period_numbers
from shequn.stats._checks import array_of, counts, is_integer, refuse, whole
from shequn.values.calendar import Calendar, Unit, WeekStart
from shequn.values.instants import from_us, instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import IntArray

__all__ = ["cohort_fields", "count_column", "ledger_fields", "retained_stock"]

_MOST = int(np.iinfo(np.int64).max)


@overload
def retained_stock(flow: int, evaporation: int, opening: int = 0) -> int: ...  # pyright: ignore[reportOverlappingOverload]
@overload
def retained_stock(flow: float, evaporation: float, opening: float = 0) -> float: ...
@overload
def retained_stock(flow: ArrayLike, evaporation: ArrayLike, opening: float = 0) -> NDArray[Any]: ...
def retained_stock(flow: Any, evaporation: Any, opening: Any = 0) -> Any:
    """Return what is retained: opening + flow − evaporation (流量 − 蒸发量 = 留量).

    Parameters
    ----------
    flow, evaporation : number, or array_like of shape (n,)
        What came in and what was lost: in total, or per period. What came in during a period may be lost in it.
    opening : number, default 0
        What there was before.

    Returns
    -------
    int, float, or ndarray of int64 or float64, shape (n,)
        The stock at the end, or at the end of each period. Integers stay exact, numbers alone of any size.

    Raises
    ------
    InvalidTypeError
        An argument is no number and no 1-D array of numbers. Booleans are no numbers.
    InvalidValueError
        A number is negative or not finite, or more evaporates than there is: the message names the row, which is the
        period. Also where a stock of an array exceeds 64 bits.
    MisalignedError
        The arrays differ in length, or only one of them is an array.

    Notes
    -----
    Stock n = opening + Σ flow − Σ evaporation, both summed up to n. A shortfall within the rounding of floats counts
    as 0.

    References
    ----------
    Row N9 of the domain table.

    Examples
    --------
    >>> retained_stock(1_000, 870)
    130
    >>> retained_stock([100, 50], [0, 30], opening=10).tolist()
    [110, 130]
    """
    came, went, start = (
        _numbers(name, values) for name, values in (("flow", flow), ("evaporation", evaporation), ("opening", opening))
    )
    if start.ndim:
        raise InvalidTypeError(message("opening", "one number", opening))
    if came.ndim != went.ndim:
        expected = f"{'an array' if came.ndim else 'a number'}, as `flow` is"
        raise MisalignedError(message("evaporation", expected, evaporation))
    if came.shape != went.shape:
        expected = f"as many periods as `flow`, which has {len(came)}"
        raise MisalignedError(message("evaporation", expected, len(went)) + " periods")
    stock = _running(came.reshape(-1).tolist(), went.reshape(-1).tolist(), start.item(), is_one=not came.ndim)
    if not came.ndim:
        return stock[0]
    if any(given.dtype.kind == "f" for given in (came, went, start)):
        return frozen(np.array(stock, dtype=np.float64))
    return frozen(_as_int64(stock))


def _running(came: list[Any], went: list[Any], start: Any, *, is_one: bool = False) -> list[Any]:  # noqa: ANN401
    """Return the stock after each period, in Python's own numbers: integers never overflow."""
    inflows, losses = list(accumulate(came, initial=start))[1:], list(accumulate(went))
    stock = [total - lost for total, lost in zip(inflows, losses, strict=True)]
    for row, level in enumerate(stock):
        if level >= 0:
            continue
        rounding = 4 * (row + 1) * math.ulp(inflows[row]) if isinstance(level, float) else 0
        if -level > rounding:
            there = inflows[row] - (losses[row - 1] if row else 0)
            raise InvalidValueError(
                message("evaporation", f"at most what there is ({there})", went[row], row=None if is_one else row)
            )
        stock[row] = 0.0
    return stock


def _numbers(argument: str, values: Any) -> NDArray[Any]:  # noqa: ANN401
    """Return a number or a 1-D array of numbers, checked; what Python holds as integers stays Python's integers."""
    expected = "a number or a 1-D array of numbers"
    listed = _listed(values)
    items = [values] if listed is None else listed
    if any(isinstance(item, bool | np.bool_) for item in items):
        raise InvalidTypeError(message(argument, f"{expected}, none of them a boolean", values))
    if all(is_integer(item) for item in items):
        # NumPy would make floats of integers of which one exceeds 64 bits.
        given = np.empty(() if listed is None else len(listed), dtype=object)
        given.reshape(-1)[:] = [int(item) for item in items]
    else:
        given = array_of(argument, values, kinds="iuf", expected="numbers")
    if given.ndim > 1:
        raise InvalidTypeError(message(argument, expected, f"an array of shape {given.shape}"))
    bad = np.array([not 0 <= number < math.inf for number in given.reshape(-1).tolist()], dtype=np.bool_)
    if bad.any():
        refuse(argument, "numbers >= 0", given, bad.reshape(given.shape))
    return given


def _listed(values: Any) -> list[Any] | None:  # noqa: ANN401
    return [*cast("Sequence[Any]", values)] if isinstance(values, list | tuple) else None


def _as_int64(stock: list[int]) -> IntArray:
    for row, level in enumerate(stock):
        if level > _MOST:
            raise InvalidValueError(message("flow", "a stock that fits 64 bits with sign", level, row=row))
    return np.array(stock, dtype=np.int64)


def count_column(argument: str, values: ArrayLike) -> IntArray:
    """Return a column of counts as int64, checked: whole numbers in one dimension, none negative."""
    column = counts(argument, values)
    if column.ndim != 1:
        raise InvalidTypeError(message(argument, "a 1-D array of whole numbers", f"an array of shape {column.shape}"))
    return column


def ledger_fields(
    *,
    period: ArrayLike | Sequence[dt.date],
    joined: ArrayLike,
    revived: ArrayLike,
    evaporated: ArrayLike,
    opening: int,
    every: Unit | Calendar,
    tz: str | None,
    week_start: WeekStart,
    observed_until: dt.datetime | None,
) -> dict[str, Any]:
    """Return the fields of a `FlowLedger` of counts made elsewhere, checked."""
    calendar = _calendar(every, tz, week_start, observed_until)
    numbers = _consecutive(period_numbers(period, calendar, "period"), calendar)
    columns = {
        name: count_column(name, values)
        for name, values in (("joined", joined), ("revived", revived), ("evaporated", evaporated))
    }
    for name, column in columns.items():
        if len(column) != len(numbers):
            expected = f"as many rows as `period`, which has {len(numbers)}"
            raise MisalignedError(message(name, expected, len(column)) + " rows")
    before, retained = _stocks(columns, _opening(opening, len(numbers)))
    at_end = int(retained[-1]) if len(retained) else 0
    nothing = np.zeros(len(retained), dtype=np.int64)
    return {
        "calendar": calendar,
        "first_period": int(numbers[0]) if len(numbers) else 0,
        "opening": before,
        **columns,
        "left": nothing,
        "inside": retained,
        "present_inside": retained,
        "turnover": nothing,
        "ignored": nothing,
        "tail": np.array([[0, at_end]]),
        "inside_at_end": at_end,
        "horizon": _within_axis(_horizon(numbers, calendar, observed_until), numbers, calendar),
    }


def cohort_fields(
    *,
    cohort: ArrayLike | Sequence[dt.date],
    sizes: ArrayLike,
    returned: ArrayLike,
    every: Unit | Calendar,
    tz: str | None,
    week_start: WeekStart,
    observed_until: dt.datetime | None,
) -> dict[str, Any]:
    """Return the fields of a `CohortTable` of counts made elsewhere, checked."""
    calendar = _calendar(every, tz, week_start, observed_until)
    numbers = _consecutive(period_numbers(cohort, calendar, "cohort"), calendar, argument="cohort")
    size, back = count_column("sizes", sizes), counts("returned", returned)
    if len(size) != len(numbers):
        expected = f"as many rows as `cohort`, which has {len(numbers)}"
        raise MisalignedError(message("sizes", expected, len(size)) + " rows")
    if back.ndim != 2 or len(back) != len(numbers):  # noqa: PLR2004
        expected = f"a table with a row for each of the {len(numbers)} cohorts"
        raise MisalignedError(message("returned", expected, f"an array of shape {back.shape}"))
    over = (back > size[:, None]).any(axis=1)
    if over.any():
        row = int(np.flatnonzero(over)[0])
        raise InvalidValueError(
            message("returned", f"at most the size of the cohort ({size[row]})", back[row].max(), row=row)
        )
    return {
        "calendar": calendar,
        "first_period": int(numbers[0]) if len(numbers) else 0,
        "sizes": size,
        "raw": back,
        "starts": np.empty((0, 2), dtype=np.int64),
        "pending": np.empty((0, 3), dtype=np.int64),
        "horizon": _horizon(numbers, calendar, observed_until, argument="cohort"),
    }


def _calendar(every: Unit | Calendar, tz: str | None, week_start: WeekStart, observed_until: object) -> Calendar:
    if observed_until is not None and tz is None and not isinstance(every, Calendar):
        raise InvalidValueError(message("tz", "a time zone, which `observed_until` is judged in", tz))
    return Calendar.of(every, tz="UTC" if tz is None and not isinstance(every, Calendar) else tz, week_start=week_start)


def _consecutive(numbers: IntArray, calendar: Calendar, *, argument: str = "period") -> IntArray:
    gaps = np.flatnonzero(np.diff(numbers) != 1)
    if len(gaps):
        row = int(gaps[0]) + 1
        wanted, got = calendar.label(np.array([numbers[row - 1] + 1, numbers[row]])).astype(str).tolist()
        expected = f"consecutive periods in ascending order, {wanted} next (with zeros where nothing happened)"
        raise InvalidValueError(message(argument, expected, got, row=row))
    return numbers


def _opening(opening: int, n_periods: int) -> int:
    start = whole("opening", opening)
    if not 0 <= start <= _MOST:
        raise InvalidValueError(message("opening", "a count in [0, 2**63)", opening))
    if start and not n_periods:
        raise InvalidValueError(message("opening", "0 where there is no period that it could open", opening))
    return start


def _stocks(columns: dict[str, IntArray], start: int) -> tuple[IntArray, IntArray]:
    """Return the stock before and at the end of each period; who evaporates in a period was there before it."""
    joined, revived, evaporated = (column.tolist() for column in columns.values())
    before = [start]
    for row, (came, again, lost) in enumerate(zip(joined, revived, evaporated, strict=True)):
        if lost > before[-1]:
            raise InvalidValueError(message("evaporated", f"at most the opening ({before[-1]})", lost, row=row))
        before.append(before[-1] + came + again - lost)
        if before[-1] > _MOST:
            raise InvalidValueError(message("joined", "a stock that fits 64 bits with sign", before[-1], row=row))
    stock = np.array(before, dtype=np.int64)
    return stock[:-1], stock[1:]


def _horizon(
    numbers: IntArray, calendar: Calendar, observed_until: dt.datetime | None, *, argument: str = "period"
) -> Horizon:
    """Return the end of observation; what begins after it cannot have been counted."""
    if observed_until is None:
        return Horizon(None, int(calendar.end_us(numbers[-1:])[0]) - 1, 1) if len(numbers) else Horizon()
    until_us = instant_us(observed_until, argument="observed_until")
    late = calendar.start_us(numbers) >= until_us
    if late.any():
        expected = f"periods that begin before `observed_until` ({from_us(until_us, calendar.tz).isoformat()})"
        refuse(argument, expected, calendar.label(numbers).astype(str).astype(object), late)
    return Horizon(until_us)


def _within_axis(horizon: Horizon, numbers: IntArray, calendar: Calendar) -> Horizon:
    """Return the horizon, or the end of the last period: what came after it nobody has counted, in no ledger."""
    if horizon.explicit_us is None or not len(numbers):
        return horizon
    return Horizon(min(horizon.explicit_us, int(calendar.end_us(numbers[-1:])[0])))
