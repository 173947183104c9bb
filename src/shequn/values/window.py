"""From when to when: a stretch of elapsed time between two instants."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  # attrs resolves the annotations of fields
from typing import TYPE_CHECKING

import attrs
import pendulum

from shequn._doors import Doors
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import plain_array
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    from shequn._typing import BoolArray, IntArray

__all__ = ["Window"]


def _check_instant(_window: Window, field: attrs.Attribute[datetime], value: datetime) -> None:
    instant_us(value, argument=field.name)


@attrs.frozen(repr=False)
class Window(Doors):
    """The instants from `start` until just before `end`.

    Two windows are equal when their instants are, in whatever zones these are told.

    Parameters
    ----------
    start, end : datetime
        Aware datetimes in [1900, 2262), kept as they are. `start` is the earlier instant: two times in a DST fold may
        look equal and be an hour apart.

    Raises
    ------
    InvalidTypeError
        If one is not a datetime.
    InvalidValueError
        If one has no zone, or `end` is not after `start`.

    Examples
    --------
    >>> import pendulum
    >>> first = pendulum.datetime(2024, 3, 1, tz="Asia/Shanghai")
    >>> march = Window(first, first.add(months=1))
    >>> march
    Window(2024-03-01T00:00:00+08:00, 2024-04-01T00:00:00+08:00)
    >>> march.contains(pendulum.datetime(2024, 3, 31, 16))
    False
    """

    start: datetime = attrs.field(validator=_check_instant, eq=instant_us)
    end: datetime = attrs.field(validator=_check_instant, eq=instant_us)

    def __attrs_post_init__(self) -> None:
        if self.end_us <= self.start_us:
            raise InvalidValueError(
                message("end", f"an instant after start ({self.start.isoformat()})", _iso(self.end))
            )

    def __repr__(self) -> str:
        return f"Window({_iso(self.start)}, {_iso(self.end)})"

    @property
    def start_us(self) -> int:
        """First instant, in microseconds since 1970-01-01T00:00Z."""
        return instant_us(self.start)

    @property
    def end_us(self) -> int:
        """First instant after the window, in microseconds since 1970-01-01T00:00Z."""
        return instant_us(self.end)

    @property
    def duration(self) -> pendulum.Duration:
        """Elapsed time between the two, in days of 24 hours."""
        return pendulum.duration(microseconds=self.end_us - self.start_us)

    def contains(self, at: datetime) -> bool:
        """Tell whether an instant lies in the window.

        Parameters
        ----------
        at : datetime
            An aware datetime.

        Returns
        -------
        bool
            ``start <= at < end``, compared as instants.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            As in `instants.instant_us`.

        Examples
        --------
        >>> import pendulum
        >>> noon = pendulum.datetime(2024, 3, 1, 12)
        >>> Window(noon, noon.add(hours=1)).contains(noon)
        True
        """
        return self.start_us <= instant_us(at) < self.end_us

    def mask(self, at_us: IntArray) -> BoolArray:
        """Tell which instants lie in the window.

        Parameters
        ----------
        at_us : ndarray of int64, shape (n,)
            Microseconds since 1970-01-01T00:00Z.

        Returns
        -------
        ndarray of bool, shape (n,)
            ``start <= at < end`` of each, read-only.

        Raises
        ------
        InvalidTypeError
            If `at_us` does not hold integers.

        Examples
        --------
        >>> import pendulum
        >>> Window(pendulum.datetime(1970, 1, 1), pendulum.datetime(1970, 1, 2)).mask([0, 86_400_000_000])
        array([ True, False])
        """
        rows = plain_array("at_us", at_us, expected="an array of int64 microseconds")
        if rows.dtype.kind not in "iu" and rows.size:
            raise InvalidTypeError(message("at_us", "an array of int64 microseconds", f"{rows.dtype} values"))
        inside = rows >= self.start_us
        inside &= rows < self.end_us
        inside.setflags(write=False)
        return inside


def _iso(at: datetime) -> str:
    return at.isoformat()
