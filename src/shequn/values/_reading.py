"""How a column of instants is read: from each accepted form to microseconds, and which rows cannot be read and why.

A column that is in order is read in one pass, block by block, and nothing about single rows is kept. At the first sign
of trouble that result is thrown away, and the column is read again, slowly, with a fault noted for each bad row.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import repeat
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from zoneinfo import ZoneInfo

import numpy as np
import pendulum

from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import is_integer
from shequn.values._faults import Fault, Form, TimeUnit
from shequn.values._wall import BLOCK, DAY_US, WALL_SLACK_US, from_wall
from shequn.values.zones import zone_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray

__all__ = ["EPOCH", "FIRST_US", "LAST_US", "MICROSECOND", "Reading", "read", "read_one"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = EPOCH.replace(tzinfo=None)
MICROSECOND = timedelta(microseconds=1)
FIRST_US = (datetime(1900, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND
LAST_US = (datetime(2262, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND

_COARSEST_US = 1_000_000
# Sized, and in no order that rows could have, or not to be taken apart.
_NO_COLUMNS = (str, bytes, dict, set, frozenset)


class Reading(NamedTuple):
    """What was read.

    Attributes
    ----------
    us : ndarray of int64, shape (n,)
        Microseconds since 1970-01-01T00:00Z; anything in a bad row.
    resolution_us : int
        The coarsest unit that all are multiples of.
    faults : ndarray of int8, shape (n,), or None
        The `Fault` of each row, 0 where there is none. None: no row has one.
    column : sequence, length n
        The rows as they can be shown.
    """

    us: IntArray
    resolution_us: int
    faults: NDArray[np.int8] | None
    column: Sequence[object] | NDArray[Any]


class _Scale(NamedTuple):
    """A number n stands for n * up / down microseconds."""

    up: int
    down: int = 1


_ONE = _Scale(1)
_SCALES = {
    "D": _Scale(DAY_US),
    "h": _Scale(3_600_000_000),
    "m": _Scale(60_000_000),
    "s": _Scale(1_000_000),
    "ms": _Scale(1_000),
    "us": _ONE,
    "ns": _Scale(1, 1_000),
}


def read(values: object, form: Form) -> Reading:
    """Read a column; the faults of its rows are told, not raised."""
    column, form = _as_column(values, form)
    raw, scale, faults = _read_array(column, form) if isinstance(column, np.ndarray) else _read_objects(column, form)
    hidden = _hidden_rows(values)
    if hidden is not None:
        faults = np.where(hidden, Fault.MISSING, 0 if faults is None else faults).astype(np.int8)
        column = [None if masked else value for masked, value in zip(hidden, column, strict=True)]
    if faults is None:
        found = _read_blocks(raw, scale, form.zone)
        if found is not None:
            return Reading(*found, None, column)
    if faults is None and isinstance(column, np.ndarray) and column.dtype.kind == "M":
        faults = np.where(np.isnat(column), Fault.MISSING, 0).astype(np.int8)
    us, faults = _read_slowly(raw, scale, form.zone, faults)
    return Reading(us, 1, faults, column)


def _hidden_rows(values: object) -> BoolArray | None:
    """Return the rows that a masked array hides, if any."""
    if not isinstance(values, np.ma.MaskedArray):
        return None
    hidden: BoolArray = np.ma.getmaskarray(cast("Any", values))
    return hidden if hidden.any() else None


def _as_column(values: object, form: Form) -> tuple[Sequence[object] | NDArray[Any], Form]:
    """Return a list, tuple or 1-D array, and the form it is to be read by."""
    if isinstance(values, (list, tuple)):
        return cast("Sequence[object]", values), form
    if isinstance(values, _NO_COLUMNS) or not hasattr(values, "__len__"):
        expected = f"a column (list or 1-D array) of {form.expected}"
        raise InvalidTypeError(message(form.argument, expected, values))  # pyright: ignore[reportUnknownArgumentType]
    dtype = getattr(values, "dtype", getattr(values, "type", None))
    named_zone = getattr(dtype, "tz", None) or getattr(dtype, "time_zone", None)
    if named_zone is not None:
        return _as_utc_array(values, dtype, named_zone, form)
    try:
        array: NDArray[Any] = np.asarray(values)
    except (TypeError, ValueError):
        raise InvalidTypeError(message(form.argument, f"a 1-D column of {form.expected}", values)) from None
    if array.ndim != 1:
        raise InvalidValueError(message(form.argument, "a 1-D column", f"an array of shape {array.shape}"))
    return (array.tolist() if array.dtype.kind == "O" else array), form


def _as_utc_array(values: object, dtype: object, named_zone: object, form: Form) -> tuple[NDArray[Any], Form]:
    """Take a data frame's column that has a zone: its numbers are UTC, whatever zone it is shown in."""
    if form.zone is not None or form.time_unit is not None:
        option, given = ("at_tz", form.zone) if form.zone is not None else ("time_unit", form.time_unit)
        raise InvalidValueError(
            message(option, f"None, since {form.argument} is a column with a zone ({named_zone})", given)
        )
    unit = getattr(dtype, "unit", None) or getattr(dtype, "time_unit", None)
    return np.asarray(values, dtype=f"datetime64[{unit}]"), form._replace(zone="UTC")


def _read_array(array: NDArray[Any], form: Form) -> tuple[NDArray[Any], _Scale, NDArray[np.int8] | None]:
    """Return the numbers of an array and what they count, or a fault in each row."""
    if array.dtype.kind in "iu" and form.time_unit is not None:
        return array, _SCALES[form.time_unit], None
    if array.dtype.kind == "M" and form.zone is not None:
        scale = _scale_of(array.dtype)
        if scale is not None:
            return array.view(np.dtype(np.int64).newbyteorder(array.dtype.byteorder)), scale, None
    fault = Fault.ZONE if array.dtype.kind == "M" and form.time_unit is None and form.zone is None else Fault.KIND
    faults = np.full(len(array), fault, dtype=np.int8) if len(array) else None
    return np.zeros(len(array), dtype=np.int64), _ONE, faults


def _scale_of(dtype: np.dtype[Any]) -> _Scale | None:
    unit, multiple = np.datetime_data(dtype)
    scale = _SCALES.get(unit)
    return None if scale is None else _Scale(scale.up * multiple, scale.down)


def _read_objects(values: Sequence[object], form: Form) -> tuple[NDArray[Any], _Scale, NDArray[np.int8] | None]:
    """Return numbers for Python objects, what they count, and the faults of the rows."""
    quick = _read_integers(values) if form.time_unit is not None else _read_datetimes(values, form)
    if quick is not None:
        return quick, _ONE if form.time_unit is None else _SCALES[form.time_unit], None
    found = [read_one(value, form) for value in values]
    faults = np.array([result if isinstance(result, Fault) else 0 for result in found], dtype=np.int8)
    us = np.array([0 if isinstance(result, Fault) else result for result in found], dtype=np.int64)
    return us, _ONE, faults if faults.any() else None


def _read_integers(values: Sequence[object]) -> IntArray | None:
    kinds = set(map(type, values))
    if not all(issubclass(kind, (int, np.integer)) and not issubclass(kind, (bool, np.timedelta64)) for kind in kinds):
        return None
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        return None


def _read_datetimes(values: Sequence[object], form: Form) -> IntArray | None:
    """Read datetimes that are all in order; None where a closer look is needed."""
    kinds = set(map(type, values))
    if not all(issubclass(kind, datetime) for kind in kinds):
        return None
    datetimes = cast("Sequence[datetime]", values)
    try:
        if any(hasattr(kind, "nanosecond") for kind in kinds) and any(getattr(d, "nanosecond", 0) for d in datetimes):
            return None
        if form.zone is not None:
            return _since(_NAIVE_EPOCH, datetimes)
        common = _common_zone(datetimes)
        return _since(EPOCH, datetimes) if common is None else _read_one_zone(datetimes, *common)
    except Exception:  # a zone may be anybody's class and raise anything; the closer look finds the row
        return None


def _common_zone(values: Sequence[datetime]) -> tuple[tzinfo, str] | None:
    """Return the one zone of all the datetimes and its name; None if there are several, or a name would not tell it."""
    tz = values[0].tzinfo if len(values) else None
    if tz is None or not all(map(is_, map(attrgetter("tzinfo"), values), repeat(tz))):
        return None
    if isinstance(tz, ZoneInfo):
        key = cast("str | None", tz.key)  # a zone read from a file may bear any name, or none
        return (tz, key) if key is not None and (tz is pendulum.timezone(key) or tz is ZoneInfo(key)) else None
    return (tz, zone_name(tz)) if isinstance(tz, (timezone, pendulum.FixedTimezone)) else None


def _read_one_zone(values: Sequence[datetime], tz: tzinfo, name: str) -> IntArray:
    """Read datetimes of one zone, whose offsets are then not asked for row by row."""
    us = _since(_NAIVE_EPOCH.replace(tzinfo=tz), values)  # Python subtracts two times of one zone on the wall clock
    for rows in _blocks(len(us)):
        fold = np.fromiter(map(attrgetter("fold"), values[rows]), dtype=np.bool_)
        us[rows] = from_wall(us[rows], name, fold=fold).at_us
    return us


def _since(epoch: datetime, values: Sequence[datetime]) -> IntArray:
    """Return the microseconds from an epoch to each."""
    us = np.empty(len(values), dtype=np.int64)
    for rows in _blocks(len(values)):
        # `datetime`'s own subtraction, not pendulum's, which would be slow; and no float, as `timestamp()` would be.
        apart = list(map(datetime.__sub__, values[rows], repeat(epoch)))
        part = us[rows]
        part[...] = np.fromiter(map(attrgetter("days"), apart), dtype=np.int64, count=len(apart))
        part *= 86_400
        part += np.fromiter(map(attrgetter("seconds"), apart), dtype=np.int64, count=len(apart))
        part *= 1_000_000
        part += np.fromiter(map(attrgetter("microseconds"), apart), dtype=np.int64, count=len(apart))
    return us


def read_one(value: object, form: Form) -> int | Fault:
    """Return the microseconds of one object, wall clock ones where the form has a zone, or why there are none."""
    if _is_missing(value):
        return Fault.MISSING
    if form.time_unit is not None:
        return _read_integer(value, form.time_unit)
    if isinstance(value, np.datetime64):
        return Fault.ZONE if form.zone is None else _read_datetime64(value)  # pyright: ignore[reportUnknownArgumentType]
    return _read_datetime(value, _NAIVE_EPOCH if form.zone is not None else EPOCH)


def _read_integer(value: object, unit: TimeUnit) -> int | Fault:
    if not is_integer(value):
        return Fault.KIND
    return _in_range(int(value) * _SCALES[unit].up)


def _read_datetime(value: object, epoch: datetime) -> int | Fault:
    if not isinstance(value, datetime):
        return Fault.KIND
    try:
        apart = datetime.__sub__(value, epoch)
    except Exception:  # a zone may be anybody's class and raise anything
        return Fault.ZONE
    return Fault.FRACTION if getattr(value, "nanosecond", 0) else _in_range(apart // MICROSECOND)


def _is_missing(value: object) -> bool:
    if isinstance(value, (float, np.floating, np.datetime64)):
        return bool(value != value)  # noqa: PLR0124
    return value is None or type(value).__name__ in {"NaTType", "NAType"}


def _in_range(us: int) -> int | Fault:
    return us if FIRST_US - WALL_SLACK_US <= us < LAST_US + WALL_SLACK_US else Fault.RANGE


def _read_datetime64(value: np.datetime64[Any]) -> int | Fault:
    scale = _scale_of(value.dtype)
    if scale is None:
        return Fault.KIND
    us, rest = divmod(int(value.view(np.int64)) * scale.up, scale.down)
    return Fault.FRACTION if rest else _in_range(us)


def _blocks(length: int) -> Iterator[slice]:
    """Split rows into blocks that stay in cache."""
    return (slice(start, start + BLOCK) for start in range(0, length, BLOCK))


def _bounds(scale: _Scale, name: str | None) -> tuple[int, int]:
    """Return the first number accepted and the first beyond."""
    slack = 0 if name is None else WALL_SLACK_US
    return -(-(FIRST_US - slack) * scale.down // scale.up), -(-(LAST_US + slack) * scale.down // scale.up)


def _read_blocks(raw: NDArray[Any], scale: _Scale, name: str | None) -> tuple[IntArray, int] | None:
    """Return microseconds UTC and their resolution, or None at the first block with a bad row."""
    us = np.empty(len(raw), dtype=np.int64)
    low, high = _bounds(scale, name)
    resolution_us = _COARSEST_US
    for rows in _blocks(len(raw)):
        numbers, part = raw[rows], us[rows]
        if int(numbers.min()) < low or int(numbers.max()) >= high:
            return None
        part[...] = numbers
        if scale.down != 1:
            part //= scale.down
            if not np.array_equal(part * scale.down, numbers):
                return None
        elif scale.up != 1:
            part *= scale.up
        if name is not None:
            found = from_wall(part, name)
            if found.skipped is not None:
                return None
            part[...] = found.at_us
            if int(part.min()) < FIRST_US or int(part.max()) >= LAST_US:
                return None
        # Zones are whole seconds from UTC, so that the wall clock's resolution is that of the instants.
        while resolution_us > scale.up and not np.array_equal(part // resolution_us * resolution_us, part):
            resolution_us //= 1_000
    return us, resolution_us


def _read_slowly(
    raw: NDArray[Any], scale: _Scale, name: str | None, known: NDArray[np.int8] | None
) -> tuple[IntArray, NDArray[np.int8]]:
    """Return microseconds UTC and the fault of each row (0: none), given the faults already known."""
    faults = np.zeros(len(raw), dtype=np.int8) if known is None else known.copy()
    low, high = _bounds(scale, name)
    _note(faults, Fault.RANGE, (raw < low) | (raw >= high))
    _note(faults, Fault.FRACTION, raw % scale.down != 0)
    us = np.where(faults == 0, raw, 0).astype(np.int64) * scale.up // scale.down
    good = np.flatnonzero(faults == 0)
    if name is not None and len(good):
        found = from_wall(us[good], name)
        us[good] = found.at_us
        for fault, mask in ((Fault.SKIPPED, found.skipped), (Fault.REPEATED, found.repeated)):
            if mask is not None:
                faults[good[mask]] = fault
        _note(faults, Fault.RANGE, (us < FIRST_US) | (us >= LAST_US))
    return us, faults


def _note(faults: NDArray[np.int8], fault: Fault, rows: BoolArray) -> None:
    """Note a fault in the rows that have none yet."""
    faults[rows & (faults == 0)] = fault
