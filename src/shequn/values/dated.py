"""A value that changed on known dates: which one was in force on a day?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Generic, TypeAlias, TypeVar, cast

import attrs

from shequn._doors import Doors
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError, message
from shequn.stats._checks import items_of

__all__ = ["Dated"]

T = TypeVar("T")
Steps: TypeAlias = Mapping[date, T] | Mapping[date | None, T] | Iterable[tuple[date | None, T]]


def _checked_steps(steps: Steps[T]) -> tuple[tuple[date | None, T], ...]:
    checked: tuple[tuple[date | None, T], ...] = tuple(_pairs(steps))
    if not checked:
        raise InvalidValueError(message("steps", "at least one (date, value) pair", checked))
    for row in range(1, len(checked)):
        previous, since = checked[row - 1][0], checked[row][0]
        if since is None:
            raise InvalidValueError(message("steps", "a date on every pair but the first", since, row=row))
        if previous is not None and since <= previous:
            raise InvalidValueError(message("steps", f"a date after {previous}", str(since), row=row))
    return checked


def _pairs(steps: object) -> Iterator[tuple[date | None, Any]]:
    items = cast("object", steps.items()) if isinstance(steps, Mapping) else steps
    for row, pair in enumerate(items_of("steps", items, expected="(date, value) pairs")):
        if not _is_pair(pair):
            raise InvalidTypeError(message("steps", "(date, value) pairs", pair, row=row))
        since, value = cast("tuple[object, Any]", pair)
        yield (None if since is None else _plain_date("steps", since, row)), value


def _is_pair(pair: object) -> bool:
    return isinstance(pair, (tuple, list)) and len(cast("tuple[object, ...]", pair)) == 2  # noqa: PLR2004


def _plain_date(argument: str, day: object, row: int | None = None) -> date:
    # A datetime is a date to Python, yet the day it falls on depends on a time zone that nobody named.
    if isinstance(day, datetime) or not isinstance(day, date):
        raise InvalidTypeError(message(argument, "a date without a time of day", day, row=row))
    return date(day.year, day.month, day.day)


@attrs.frozen
class Dated(Doors, Generic[T]):
    """A step function of the date: each value is in force from its date until the day before the next.

    Two are equal when their steps are; one can be hashed when its values can.

    Parameters
    ----------
    steps : mapping or iterable of (date, value)
        Values with the first day each is in force, in strictly increasing order. The first date may be None: that value
        holds since ever.

    Raises
    ------
    InvalidTypeError
        If an item is not a pair, or a date is a datetime or no date at all.
    InvalidValueError
        If there are no steps, the dates do not increase, or a date other than the first is None.

    References
    ----------
    The caps of ``spec/domain.md`` N1, whose order is known and whose dates the caller supplies.

    Examples
    --------
    >>> from datetime import date
    >>> cap = Dated({None: 40, date(2012, 1, 1): 200, date(2014, 1, 1): 500})
    >>> cap.at(date(2013, 12, 31)), cap.at(date(2014, 1, 1))
    (200, 500)
    """

    steps: tuple[tuple[date | None, T], ...] = attrs.field(converter=_checked_steps)

    @classmethod
    def always(cls, value: T) -> Dated[T]:
        """Return a value that never changed.

        Parameters
        ----------
        value : object
            The value in force on every date.

        Returns
        -------
        Dated
            The step function with that one value.

        Examples
        --------
        >>> from datetime import date
        >>> Dated.always(2_000).at(date(1999, 2, 10))
        2000
        """
        return cls(((None, value),))

    def at(self, on: date) -> T:
        """Return the value in force on a day.

        Parameters
        ----------
        on : date
            A calendar day; a datetime is refused, since its day depends on a time zone.

        Returns
        -------
        object
            The value whose date is the latest on or before that day.

        Raises
        ------
        InvalidTypeError
            If `on` is not a plain date.
        UnknownLabelError
            If `on` lies before the first date.

        Examples
        --------
        >>> from datetime import date
        >>> Dated([(date(2011, 1, 21), "launched")]).at(date(2011, 1, 21))
        'launched'
        """
        day = _plain_date("on", on)
        step = bisect_right(self.steps, day, key=_since) - 1
        if step < 0:
            raise UnknownLabelError(message("on", f"a date from {self.steps[0][0]} on", str(day)))
        return self.steps[step][1]


def _since(step: tuple[date | None, object]) -> date:
    return step[0] or date.min
