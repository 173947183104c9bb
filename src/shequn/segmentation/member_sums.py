"""What is added up of each member, and how values are summed: integers exactly, floats in an order of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np

from shequn.columns.membership import NO_INSTANT
from shequn.errors import InvalidValueError, message

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.columns.in_window import InWindow
    from shequn.columns.log import EventLog

__all__ = ["PerMember", "Sums"]

_EXACT_FLOAT = 2**53
_ONE_ROW = 2**36  # what a row adds to a sum that counts rows as well
_INT64 = 2**63


class PerMember(NamedTuple):
    """Of each member's rows that count: the last instant (`NO_INSTANT` for none), their number, and the sum."""

    last_us: IntArray
    rows: IntArray
    total: NDArray[Any]

    @classmethod
    def of_nobody(cls, n_members: int, dtype: np.dtype[Any]) -> PerMember:
        """Return columns without a row."""
        last_us = np.full(n_members, NO_INSTANT, dtype=np.int64)
        return cls(last_us, np.zeros(n_members, dtype=np.int64), np.zeros(n_members, dtype=dtype))


@attrs.frozen(eq=False)
class Sums:
    """How values are summed.

    `is_ordered`: floats whose sums depend on the order they are added in. `largest` collects the largest size of an
    integer that was met.
    """

    values: NDArray[Any] | None
    is_ordered: bool
    largest: list[int]

    @classmethod
    def of(cls, log: EventLog, window: InWindow, values: NDArray[Any] | None) -> Sums:
        """Return how the values of a log are summed, of which those in a window must be finite."""
        if values is None or values.dtype.kind != "f":
            return cls(values, is_ordered=False, largest=[0])
        finite = np.isfinite(values)
        if not finite.all():
            bad = ~finite & window.mask(log)
            if bad.any():
                row = int(np.flatnonzero(bad)[0])
                text = message("value", "finite numbers", values[row], row=row, bad=int(bad.sum()), total=len(bad))
                raise InvalidValueError(f"{text}; leave such rows out first, or give each a number")
        return cls(values, is_ordered=not _adds_exactly(values), largest=[0])

    def add(self, rows: IntArray, total: NDArray[Any], member: IntArray, values: NDArray[Any]) -> None:
        """Count the rows of each member, and add their values up."""
        n_members = len(rows)
        if values.dtype.kind == "f":
            if self.is_ordered:
                order = np.argsort(values)
                member, values = member.take(order), values.take(order)
            rows += np.bincount(member, minlength=n_members)
            total += np.bincount(member, weights=values, minlength=n_members)
            return
        largest = max(-int(values.min(initial=0)), int(values.max(initial=0)))
        self.largest[0] = max(self.largest[0], largest)
        if largest * len(values) < _ONE_ROW // 2 and len(values) <= _EXACT_FLOAT // _ONE_ROW:
            # One pass for both: each row adds its value, and far above all of them a one.
            both = np.bincount(member, weights=values + float(_ONE_ROW), minlength=n_members)
            number = np.rint(both / _ONE_ROW)
            rows += number.astype(np.int64)
            total += (both - number * _ONE_ROW).astype(np.int64)
        else:
            rows += np.bincount(member, minlength=n_members)
            np.add.at(total, member, values)

    def require_finite(self, total: NDArray[Any], log: EventLog, window: InWindow) -> None:
        """Raise where a sum does not fit its type; integers have wrapped around there."""
        if total.dtype.kind == "f":
            fits = np.isfinite(total)
            if fits.all():
                return
            member, what = int(np.flatnonzero(~fits)[0]), "floats"
            got: object = total[member]
        elif self.largest[0] * len(log) < _INT64 or self.values is None:
            return
        else:
            wrong = _overflowing(log, window, self.values)
            if wrong is None:
                return
            (member, got), what = wrong, "integers"
        expected = f"{what} whose sum for each member fits 64 bits"
        raise InvalidValueError(message("value", expected, got) + f" for member {log.members[member]!r}")


def _adds_exactly(values: NDArray[Any]) -> bool:
    """Return whether floats are whole and small enough that no sum of them is ever rounded."""
    largest = float(np.abs(values).max(initial=0, where=np.isfinite(values)))
    return largest * len(values) < _EXACT_FLOAT and bool((np.rint(values) == values).all())


def _overflowing(log: EventLog, window: InWindow, values: NDArray[Any]) -> tuple[int, int] | None:
    """Return the first member whose sum of integers does not fit 64 bits, and the sum."""
    rows = np.flatnonzero(window.mask(log))
    member, values = log.member_codes.take(rows).astype(np.int64), values.take(rows)
    # Off by far less than a quarter of what 64 bits hold; only what is near that is summed by Python.
    about = np.bincount(member, weights=values, minlength=len(log.members))
    for doubtful in np.flatnonzero(np.abs(about) > _INT64 // 4).tolist():
        total = sum(values[member == doubtful].tolist())
        if not -_INT64 <= total < _INT64:
            return doubtful, total
    return None
