"""Which time zone is meant, and when did its clocks change?

pendulum and zoneinfo tell the offset from UTC at one instant, and list no transitions. Here they are found: the offset
is sampled every two days, and where two samples differ the second of the change is bisected. Since 1900 no zone of the
tz database left an offset and came back to it in less than 3.9 days (Africa/Freetown, September 1939), so that no pair
of changes hides between two samples.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast
from zoneinfo import ZoneInfo

import numpy as np
import pendulum

from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError, message, suggest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shequn._typing import IntArray

__all__ = ["Transitions", "Zone", "transitions", "transitions_between", "zone", "zone_name"]

Zone: TypeAlias = pendulum.Timezone | pendulum.FixedTimezone

_EXPECTED = "an IANA time zone such as 'Asia/Shanghai' or an offset such as '+08:00'"
_OFFSET = re.compile(r"([+-])([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
# What these mean depends on the machine, or they count leap seconds.
_NOT_OF_THE_DATABASE = ("localtime", "posixrules", "posix/", "right/")

_SECOND_US = 1_000_000
_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # the epoch of whatever clock it is compared with
_SAMPLING = [timedelta(days=day) for day in range(0, 365, 2)]
_FROM_US = (datetime(1600, 1, 1, tzinfo=UTC) - _EPOCH.replace(tzinfo=UTC)) // _SECOND * _SECOND_US
_TO_US = (datetime(2600, 1, 1, tzinfo=UTC) - _EPOCH.replace(tzinfo=UTC)) // _SECOND * _SECOND_US


def zone(tz: str | tzinfo, *, argument: str = "tz") -> Zone:
    """Return the time zone that a name, or another library's zone, stands for.

    Parameters
    ----------
    tz : str or tzinfo
        An IANA name (``"Asia/Shanghai"``), a fixed offset from UTC (``"+08:00"``, ``"-03:30"``), or a zone of pendulum,
        zoneinfo, `datetime.timezone` or pytz (of which older pandas has its zones).
    argument : str
        Name of the argument in messages.

    Returns
    -------
    pendulum.Timezone or pendulum.FixedTimezone
        The zone, one object per name.

    Raises
    ------
    UnknownLabelError
        If the time zone database has no such name. Names of the machine's own (``"localtime"``) are refused as well.
    InvalidValueError
        If an offset is not of whole seconds, or the zone has no name.
    InvalidTypeError
        If `tz` is neither a name nor such a zone.

    Examples
    --------
    >>> zone("Asia/Shanghai")
    Timezone('Asia/Shanghai')
    >>> zone("Asia/Shangai")
    Traceback (most recent call last):
    shequn.errors.UnknownLabelError: tz: expected an IANA time zone such as 'Asia/Shanghai' or an offset such as
    '+08:00', got 'Asia/Shangai'; did you mean 'Asia/Shanghai'?
    """
    if isinstance(tz, str):
        return _zone_called(tz, argument)
    if isinstance(tz, ZoneInfo):
        key = cast("str | None", tz.key)
        if key is None:
            raise InvalidValueError(message(argument, "a time zone with a name", tz))
        return _zone_called(key, argument)
    if isinstance(tz, tzinfo) and hasattr(tz, "zone"):  # of pytz; a fixed offset has no name there
        named = cast("object", getattr(tz, "zone"))  # noqa: B009  # a tzinfo of the standard library has none
        if isinstance(named, str):
            return _zone_called(named, argument)
        if named is None and tz.utcoffset(None) is not None:
            return _zone_called(_offset_name(tz, argument), argument)
    if isinstance(tz, (timezone, pendulum.FixedTimezone)):
        return _zone_called(_offset_name(tz, argument), argument)
    raise InvalidTypeError(
        message(argument, f"{_EXPECTED}, or a zone of pendulum, zoneinfo, pytz or datetime.timezone", tz)
    )


def zone_name(tz: str | tzinfo, *, argument: str = "tz") -> str:
    """Return the name of a time zone: the IANA name, or ``"+08:00"`` for a fixed offset.

    Parameters
    ----------
    tz : str or tzinfo
        As in `zone`.
    argument : str
        Name of the argument in messages.

    Returns
    -------
    str
        The name; `zone` takes it back.

    Raises
    ------
    UnknownLabelError, InvalidValueError, InvalidTypeError
        As in `zone`.

    Examples
    --------
    >>> from datetime import timedelta, timezone
    >>> zone_name(timezone(timedelta(hours=8)))
    '+08:00'
    """
    return zone(tz, argument=argument).name


def _zone_called(name: str, argument: str) -> Zone:
    try:
        return _loaded(name)
    except (ValueError, OSError, KeyError):
        # A missing file, a folder, a name with a null byte: zoneinfo has an error of its own for each.
        raise UnknownLabelError(message(argument, _EXPECTED, name) + _likely(name)) from None


@lru_cache(maxsize=1024)
def _loaded(name: str) -> Zone:
    offset = _OFFSET.fullmatch(name)
    if offset:
        hours, minutes, seconds = (int(part or 0) for part in offset.group(2, 3, 4))
        total = (3600 * hours + 60 * minutes + seconds) * (-1 if offset.group(1) == "-" else 1)
        return pendulum.FixedTimezone(total, name) if total else pendulum.UTC
    if name.startswith(_NOT_OF_THE_DATABASE):
        raise KeyError(name)
    return pendulum.timezone(name)


def _likely(name: str) -> str:
    if "beijing" in name.lower():  # the zone of Beijing is named after the largest city
        return "; did you mean 'Asia/Shanghai'?"
    return suggest(name, (known for known in pendulum.timezones() if not known.startswith(_NOT_OF_THE_DATABASE)))


def _offset_name(tz: tzinfo, argument: str) -> str:
    offset = tz.utcoffset(None) or timedelta(0)
    minutes, rest = divmod(abs(offset), timedelta(minutes=1))
    if rest.microseconds:
        raise InvalidValueError(message(argument, "an offset of whole seconds", tz))
    seconds = f":{rest.seconds:02d}" if rest else ""
    return f"{'-' if offset < timedelta(0) else '+'}{minutes // 60:02d}:{minutes % 60:02d}{seconds}"


class Transitions(NamedTuple):
    """When a zone changed its offset from UTC, and the offsets before, between and from then on.

    Attributes
    ----------
    boundaries_us : ndarray of int64, shape (k,)
        The first instants of each new offset in microseconds since 1970-01-01T00:00Z, ascending; read-only.
    offsets_us : ndarray of int64, shape (k + 1,)
        What to add to UTC, in microseconds: ``offsets_us[i]`` holds until ``boundaries_us[i]``; read-only.

    Examples
    --------
    >>> transitions("Asia/Shanghai", 1_704_067_200_000_000, 1_735_689_600_000_000)  # 2024
    Transitions(boundaries_us=array([], dtype=int64), offsets_us=array([28800000000]))
    """

    boundaries_us: IntArray
    offsets_us: IntArray


def transitions(tz: str | tzinfo, lo_us: int, hi_us: int) -> Transitions:
    """Find when a zone changed its offset from UTC between two instants.

    Parameters
    ----------
    tz : str or tzinfo
        As in `zone`.
    lo_us, hi_us : int
        First instant and end of the span, in microseconds since 1970-01-01T00:00Z, within the years 1600 to 2599.

    Returns
    -------
    Transitions
        Those later than `lo_us` and earlier than `hi_us`, and the offsets of the span.

    Raises
    ------
    InvalidValueError
        If the span is empty, or leaves the years 1600 to 2599.
    UnknownLabelError, InvalidTypeError
        As in `zone`.

    Notes
    -----
    Changes fall on whole seconds. Each year of a zone is searched once and remembered.

    Examples
    --------
    >>> lo, hi = 567_993_600_000_000, 583_718_400_000_000  # 1988-01-01 and 1988-07-01
    >>> spring = transitions("Asia/Shanghai", lo, hi)
    >>> spring.boundaries_us.view("datetime64[us]").astype("datetime64[s]")
    array(['1988-04-16T18:00:00'], dtype='datetime64[s]')
    >>> spring.offsets_us // 3_600_000_000
    array([8, 9])
    """
    name = zone_name(tz)
    for argument, at_us in (("lo_us", lo_us), ("hi_us", hi_us)):
        if not _FROM_US <= at_us <= _TO_US:
            raise InvalidValueError(message(argument, "microseconds in the years 1600 to 2599", at_us))
    if hi_us <= lo_us:
        raise InvalidValueError(message("hi_us", f"an instant after lo_us ({lo_us})", hi_us))
    return transitions_between(name, lo_us, hi_us)


def transitions_between(name: str, lo_us: int, hi_us: int) -> Transitions:
    """Find `transitions`, from a name and a span that are known to be in order.

    Examples
    --------
    >>> transitions_between("UTC", 0, 1)
    Transitions(boundaries_us=array([], dtype=int64), offsets_us=array([0]))
    """
    boundaries, offsets = _years(name, _year_of(lo_us), _year_of(hi_us - 1))
    first, end = np.searchsorted(boundaries, [lo_us, hi_us - 1], side="right").tolist()
    return Transitions(boundaries[first:end], offsets[first : end + 1])


def _year_of(at_us: int) -> int:
    return (_EPOCH + timedelta(microseconds=at_us)).year


@lru_cache(maxsize=1024)
def _years(name: str, first: int, last: int) -> Transitions:
    """Put the years from `first` to `last` of a zone together."""
    years = [_year(name, year) for year in range(first, last + 1)]
    changes = [change for year in years for change in year.changes]
    boundaries = np.array([second for second, _ in changes], dtype=np.int64) * _SECOND_US
    offsets = np.array([years[0].offset, *(offset for _, offset in changes)], dtype=np.int64) * _SECOND_US
    boundaries.setflags(write=False)
    offsets.setflags(write=False)
    return Transitions(boundaries, offsets)


class _Year(NamedTuple):
    """The offset at the start of a year (UTC), and each (second, new offset) up to and with the start of the next."""

    offset: int
    changes: tuple[tuple[int, int], ...]


@lru_cache(maxsize=8192)
def _year(name: str, year: int) -> _Year:
    tz = _loaded(name)
    if isinstance(tz, pendulum.FixedTimezone):
        return _Year(tz.offset, ())
    # UTC times that bear the zone: what `fromutc` takes, and Python subtracts two times of one zone on the clock.
    start, end = datetime(year, 1, 1, tzinfo=tz), datetime(year + 1, 1, 1, tzinfo=tz)
    moments = [start + step for step in _SAMPLING] + [end]
    offsets = [tz.fromutc(moment) - moment for moment in moments]
    changes = [
        change
        for k in range(len(moments) - 1)
        if offsets[k] != offsets[k + 1]
        for change in _changes(tz, (moments[k], offsets[k]), (moments[k + 1], offsets[k + 1]))
    ]
    return _Year(offsets[0] // _SECOND, tuple(changes))


def _changes(
    tz: tzinfo, left: tuple[datetime, timedelta], right: tuple[datetime, timedelta]
) -> Iterator[tuple[int, int]]:
    """Bisect the second of every change of offset between two samples."""
    while left[1] != right[1]:
        low, apart = left[0], (right[0] - left[0]) // _SECOND
        while apart > 1:
            middle = low + apart // 2 * _SECOND
            if tz.fromutc(middle) - middle == left[1]:
                low, apart = middle, apart - apart // 2
            else:
                apart //= 2
        changed = low + _SECOND
        left = (changed, tz.fromutc(changed) - changed)
        yield (changed.replace(tzinfo=None) - _EPOCH) // _SECOND, left[1] // _SECOND
