"""What do the rows of a log tell of each of its members: how many, how much, how lately?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from shequn.columns.halves import in_halves
from shequn.columns.held_rows import held_rows
from shequn.columns.in_window import InWindow
from shequn.columns.kinds import of_kinds
from shequn.columns.membership import NO_INSTANT
from shequn.columns.sums import sums_of
from shequn.errors import InvalidTypeError, message
from shequn.labels import Coded
from shequn.stats.distinct import each_once

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns import EventLog
    from shequn.columns.condition import RowCondition
    from shequn.columns.kinds import UnknownKinds
    from shequn.rules.sources import Fact

__all__ = ["US_PER_DAY", "Facts"]

US_PER_DAY = 86_400_000_000
_MANY = 1 << 20
_NARROW = ((np.int8, 8), (np.int32, 1))  # types of counts, and below how many rows a member they pay
_PROBE = 32  # one row in so many is counted first: a heavy member, whose count would run over, most often shows there
_HEAVY = 8  # by a count above one in so many of the type's largest
_LATEST = np.iinfo(np.int64).max


class _Selection(NamedTuple):
    """Which rows a fact is about, whatever it measures of them."""

    kinds: tuple[str, ...] | None
    after_us: int | None
    until_us: int
    where: RowCondition | None


class Facts:
    """The rows of a log, of which several things are asked: those that a window holds are looked for once."""

    def __init__(self, log: EventLog, unknown_kinds: UnknownKinds) -> None:
        self._log = log
        self._unknown_kinds: UnknownKinds = unknown_kinds
        self._rows: dict[_Selection, _Rows] = {}
        self._kinds: dict[tuple[str, ...] | None, BoolArray] = {}
        self._masks: dict[RowCondition, BoolArray] = {}

    def told(self, fact: Fact, as_of_us: int) -> NDArray[Any]:
        """Return what a fact is for each member of the log, shape (n_members,).

        Instants are microseconds, `NO_INSTANT` for none; days without any are NaN.
        """
        log, n = self._log, len(self._log.members)
        until = as_of_us - fact.before_us
        after = None if fact.within_us is None else until - fact.within_us
        rows = self._rows_of(_Selection(fact.kinds, after, until, fact.where))
        if fact.measure == "count":
            return _counts(rows.codes, n)
        if fact.measure == "sum":
            return sums_of(rows.codes, rows.of(_numbers_of(log, fact)), n, argument=repr(fact))
        if fact.measure == "distinct":
            return _n_distinct(log, fact, rows)
        at_us = _at_ends(rows.of(log.at_us), rows.codes, n, is_first=fact.measure == "first")
        if fact.measure != "days_since":
            return at_us
        since = (as_of_us - at_us) / US_PER_DAY
        since[at_us == NO_INSTANT] = np.nan
        return since

    def _rows_of(self, selection: _Selection) -> _Rows:
        if selection not in self._rows:
            window = InWindow(self._of_kinds(selection.kinds), selection.after_us, selection.until_us)
            where = None if selection.where is None else self._where(selection.where)
            self._rows[selection] = _Rows(self._log, window, where)
        return self._rows[selection]

    def _of_kinds(self, kinds: tuple[str, ...] | None) -> BoolArray:
        """Return which codes of the log's kinds are meant; unknown ones are warned of once, not with each window."""
        if kinds not in self._kinds:
            named = None if kinds is None else frozenset(kinds)
            self._kinds[kinds] = of_kinds(self._log, named, argument="kinds", unknown_kinds=self._unknown_kinds)
        return self._kinds[kinds]

    def _where(self, condition: RowCondition) -> BoolArray:
        if condition not in self._masks:
            self._masks[condition] = condition.mask(self._log)
        return self._masks[condition]


# ── which rows ───────────────────────────────────────────────────────────────────────────────────────────────────────


class _Rows:
    """The rows that a fact is about, in order."""

    def __init__(self, log: EventLog, window: InWindow, where: BoolArray | None) -> None:
        self._parts = held_rows(log, window, [log.member_codes], where=where)
        whole = [part.rows for part in self._parts if part.places is None]
        self._is_all = sum(rows.stop - rows.start for rows in whole) == len(log)
        codes = log.member_codes
        # As NumPy counts them, so that they are not copied again.
        parts = [codes[:0], *(part.columns[0] for part in self._parts)]
        self.codes = codes if self._is_all else np.concatenate(parts, dtype=np.intp)

    def of(self, column: NDArray[Any]) -> NDArray[Any]:
        """Return what a column holds in these rows."""
        if self._is_all:
            return column
        return np.concatenate([column[:0], *(part.of(column) for part in self._parts)])


# ── what they tell ───────────────────────────────────────────────────────────────────────────────────────────────────


def _counts(codes: NDArray[Any], n: int) -> NDArray[Any]:
    """Return how often each code stands there, shape (n,), in a narrow type where members have few rows each."""
    for dtype, most_each in _NARROW:
        if len(codes) < n * most_each:
            counts = _counts_of(codes, n, dtype)
            if counts is not None:
                return counts
    halves: list[NDArray[Any]] = []

    def count(rows: range) -> None:
        halves.append(np.bincount(codes[rows.start : rows.stop], minlength=n))

    in_halves(len(codes), count, many=max(n, _MANY))
    total = halves[0]
    for half in halves[1:]:
        total += half
    return total


def _counts_of(codes: NDArray[Any], n: int, dtype: type[np.signedinteger[Any]]) -> NDArray[Any] | None:
    """Return how often each code stands there in a narrow type, which stays in a cache; None if it may not hold that.

    Each time a count runs over, it and the total fall short by as many numbers as the type has.
    """
    most = np.iinfo(dtype).max
    counts, one = np.zeros(n, dtype=dtype), dtype(1)
    np.add.at(counts, codes[::_PROBE], one)
    if counts.max(initial=0) > most // _HEAVY or counts.min(initial=0) < 0:
        return None
    counts.fill(0)
    np.add.at(counts, codes, one)
    return counts if len(codes) <= most or counts.sum(dtype=np.int64) == len(codes) else None


def _numbers_of(log: EventLog, fact: Fact) -> NDArray[Any]:
    column = log.column(cast("str", fact.column), argument=repr(fact))
    if not isinstance(column, Coded):
        return column
    if not len(column.index):
        return np.full(len(log), np.nan)
    raise InvalidTypeError(message(repr(fact), "a column of numbers", fact.column) + ", which holds labels")


def _n_distinct(log: EventLog, fact: Fact, rows: _Rows) -> NDArray[Any]:
    column = log.column(cast("str", fact.column), argument=repr(fact))
    if isinstance(column, Coded):
        labels, n_labels = rows.of(column.codes), len(column.index)
    else:
        distinct, labels = np.unique(rows.of(column), return_inverse=True)
        # NaN, which stands last, is no number.
        n_labels = len(distinct) - int(np.isnan(distinct).sum())
        labels = np.where(labels < n_labels, labels, -1)
    there = np.flatnonzero(labels >= 0)
    pairs = each_once(rows.codes.take(there).astype(np.int64) * n_labels + labels.take(there))
    return np.bincount(pairs // max(n_labels, 1), minlength=len(log.members))


def _at_ends(at_us: IntArray, codes: NDArray[Any], n: int, *, is_first: bool) -> IntArray:
    """Return each member's first or last instant, `NO_INSTANT` for none, shape (n,)."""
    if not is_first:
        last = np.full(n, NO_INSTANT, dtype=np.int64)
        np.maximum.at(last, codes, at_us)
        return last
    first = np.full(n, _LATEST, dtype=np.int64)
    np.minimum.at(first, codes, at_us)
    first[first == _LATEST] = NO_INSTANT
    return first
