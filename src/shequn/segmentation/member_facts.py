"""What did each member of a roster do up to an instant: how often, on how many days, when last?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns import EventLog, Roster
from shequn.columns.kinds import kind_names, of_kinds
from shequn.columns.membership import NO_INSTANT
from shequn.columns.sums import sums_of
from shequn.errors import InvalidValueError, message
from shequn.stats._checks import instance
from shequn.stats.distinct import each_once
from shequn.values.elapsed import elapsed_us
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.values.calendar import Calendar

__all__ = ["MemberFacts", "kinds_of", "window_us"]

_MOST_CELLS = 1 << 28  # of a table of members by days


def window_us(argument: str, within: object) -> int:
    """Return the length of a window in microseconds; one that reaches into the future is refused.

    Examples
    --------
    >>> import pendulum
    >>> window_us("within", pendulum.duration(seconds=2))
    2000000
    """
    try:
        return elapsed_us(argument, within, at_least=1)
    except InvalidValueError as error:
        if "longer than 0" not in str(error):
            raise
        expected = "a duration longer than 0, since a window can't lie in the future"
        raise InvalidValueError(message(argument, expected, within)) from None


@attrs.frozen(eq=False)
class MemberFacts:
    """The rows of a roster's members up to an instant; rows of others don't count.

    Attributes
    ----------
    log : EventLog
    places : ndarray of int32, shape (n_log_members + 1,)
        Where each member of the log stands in the roster, -1 for who isn't there.
    n_members : int
        Of the roster.
    as_of_us : int
        Rows at this instant or before it are known.
    unknown_kinds : {"warn", "ignore", "raise"}
    """

    log: EventLog
    places: NDArray[np.int32]
    n_members: int
    as_of_us: int
    unknown_kinds: UnknownKinds

    @classmethod
    def of(cls, roster: Roster, log: EventLog, as_of: dt.datetime, unknown_kinds: UnknownKinds) -> MemberFacts:
        """Read what a caller gave.

        Raises
        ------
        InvalidTypeError
            Something is not what it should be; or members are `str` here and `int` there.
        """
        instance("roster", roster, Roster, expected="a Roster")
        instance("log", log, EventLog, expected="an EventLog")
        as_of_us = instant_us(as_of, argument="as_of")
        if len(roster) and len(log.members) and roster.members.is_text != log.members.is_text:
            roster.members.union(log.members, argument="log")  # raises: it words what is wrong
        return cls(log, roster.members.places_of(log.members), len(roster), as_of_us, unknown_kinds)

    def kinds(self, kinds: Collection[str] | None, /, *, argument: str, named: bool) -> BoolArray:
        """Return which kinds of the log are meant, by code: None stands for all that are activity.

        `named` says that the caller named them, and is told of one that the log lacks.
        """
        if kinds is not None and not kinds:
            return np.zeros(len(self.log.kinds), dtype=np.bool_)
        return of_kinds(self.log, kinds, argument=argument, unknown_kinds=self.unknown_kinds if named else "ignore")

    def rows(self, is_kind: BoolArray, within_us: int | None, /) -> IntArray:
        """Return the rows of some kinds in (as_of - within, as_of]; None stands for: from the beginning."""
        log = self.log
        mask: BoolArray = is_kind[log.kind_codes] & (log.at_us <= self.as_of_us)
        if within_us is not None:
            mask &= log.at_us > self.as_of_us - within_us
        mask &= self.places[log.member_codes] >= 0
        return np.flatnonzero(mask)

    def member_of(self, rows: IntArray) -> IntArray:
        """Return the place in the roster of each row's member."""
        places: IntArray = self.places[self.log.member_codes[rows]].astype(np.int64)
        return places

    def count(self, rows: IntArray) -> IntArray:
        """Return how many of some rows are each member's, shape (n_members,)."""
        return np.bincount(self.member_of(rows), minlength=self.n_members)

    def days(self, rows: IntArray, calendar: Calendar) -> IntArray:
        """Return on how many days of a calendar each member has one of some rows, shape (n_members,)."""
        if not len(rows):
            return np.zeros(self.n_members, dtype=np.int64)
        day = calendar.index(self.log.at_us[rows]).astype(np.int64)
        day -= day.min()
        width = int(day.max()) + 1
        cell = self.member_of(rows) * width + day
        if self.n_members * width > _MOST_CELLS:
            return np.bincount(each_once(cell) // width, minlength=self.n_members)
        seen = np.zeros(self.n_members * width, dtype=np.bool_)
        seen[cell] = True
        days: IntArray = seen.reshape(self.n_members, width).sum(axis=1)
        return days

    def last_us(self, rows: IntArray) -> IntArray:
        """Return when each member has the last of some rows; `NO_INSTANT` for none, shape (n_members,)."""
        last = np.full(self.n_members, NO_INSTANT, dtype=np.int64)
        np.maximum.at(last, self.member_of(rows), self.log.at_us[rows])
        return last

    def total(self, rows: IntArray, *, argument: str = "value") -> NDArray[Any]:
        """Return the sum of the values of some rows by member, shape (n_members,); NaN where one is missing.

        Raises
        ------
        InvalidValueError
            The log has no values, one is infinite, or a sum of integers does not fit 64 bits.
        """
        if self.log.value is None:
            if len(self.log):
                raise InvalidValueError(message("log", "a log with values", "one without"))
            return np.zeros(self.n_members, dtype=np.int64)
        member, values = self.member_of(rows), self.log.value[rows]
        if values.dtype.kind != "f":
            return sums_of(member, values, self.n_members, argument=argument)
        if np.isinf(values).any():
            row = int(rows[np.flatnonzero(np.isinf(values))[0]])
            raise InvalidValueError(message(argument, "finite numbers", self.log.value[row], row=row))
        # In one order whatever that of the rows, since sums of floats depend on it.
        order = np.lexsort((values, member))
        total = sums_of(member[order], values[order], self.n_members, argument=argument).astype(np.float64)
        total[member[np.isnan(values)]] = np.nan
        return total


def kinds_of(argument: str, kinds: Collection[str] | str) -> tuple[str, ...]:
    """Return the kinds that a caller named, each once and in ascending order; there may be none.

    Examples
    --------
    >>> kinds_of("kinds", {"read", "click"})
    ('click', 'read')
    """
    return tuple(sorted(set(kind_names(kinds, argument=argument))))
