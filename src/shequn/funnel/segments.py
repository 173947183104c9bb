"""What did the members of each segment do? What the strategies that take ``by=`` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import attrs
import numpy as np

from shequn.columns.breakdown import Breakdown, Tally
from shequn.columns.segments import assignment_of
from shequn.funnel.attempts import Found
from shequn.funnel.matcher import find

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shequn._typing import IntArray
    from shequn.columns.log import EventLog
    from shequn.funnel.asked import Asked
    from shequn.funnel.attempts import Eligible, KeyOf
    from shequn.labels import Assignment, Label

__all__ = ["Keys", "Segmented", "find_asked", "segmented"]

R = TypeVar("R", bound=Tally[Any])


class Keys(NamedTuple):
    """What attempts of one member are told apart by."""

    key_of: KeyOf | None
    needs_rows: bool = False  # whether it looks at rows


@attrs.frozen(eq=False)
class Segmented:
    """The groups of everybody, and those of each segment; of each kind that a strategy looks for."""

    total: tuple[Found, ...]
    labels: tuple[Label, ...] | None = None  # None where nobody asked for segments
    parts: tuple[Found, ...] = ()
    codes: tuple[IntArray, ...] = ()  # the segment of each group of `parts`; -1 is none
    has_unassigned: bool = False

    def tallied(self, tally: Callable[..., R], /) -> R | Breakdown[R]:
        """Return the tally of everybody, and where segments were asked for, that of each."""
        total = tally(*self.total)
        if self.labels is None:
            return total

        def of(code: int) -> R:
            return tally(*(part.some(codes == code) for part, codes in zip(self.parts, self.codes, strict=True)))

        parts = {label: of(code) for code, label in enumerate(self.labels)}
        return Breakdown(total=total, parts=parts, unassigned=of(-1) if self.has_unassigned else None)


def segmented(
    asked: Asked,
    log: EventLog,
    by: Assignment | Mapping[Label, Label | None] | str | None,
    found: Callable[[Keys], tuple[Found, ...]],
    /,
    *,
    key_of: KeyOf | None = None,
) -> Segmented:
    """Look for the groups of everybody and of each segment.

    Parameters
    ----------
    log : EventLog
        The log as the caller gave it; an assignment must be of its members.
    found : callable
        Finds groups by keys, of one kind or more.
    key_of : callable, optional
        What the strategy itself tells attempts apart by.
    """
    if isinstance(by, str):
        return _by_column(asked, by, found, key_of)
    assignment = None if by is None else assignment_of(by, log.members)
    total = found(Keys(key_of))
    if assignment is None:
        return Segmented(total)
    if asked.log is not log:
        assignment = assignment.align(asked.log.members)
    of_member = assignment.codes.astype(np.int64)
    codes = tuple(of_member[part.member] for part in total)
    return Segmented(total, tuple(assignment.segments), total, codes, bool((of_member < 0).any()))


def _by_column(asked: Asked, by: str, found: Callable[[Keys], tuple[Found, ...]], key_of: KeyOf | None) -> Segmented:
    """Tell attempts apart by the value at the entry row as well."""
    column = asked.log.labelled_column(by)
    n_codes = len(column.index) + 1  # one more for entry rows without a value

    def with_value(rows: IntArray | None, at_us: IntArray) -> IntArray:
        assert rows is not None  # noqa: S101  (they were asked for)
        keys = column.codes[rows].astype(np.int64) + 1
        return keys if key_of is None else keys + key_of(rows, at_us) * n_codes

    apart = found(Keys(with_value, needs_rows=True))
    parts = tuple(part._replace(key=part.key // n_codes) for part in apart)
    codes = tuple(part.key % n_codes - 1 for part in apart)
    has_unassigned = any(bool((code < 0).any()) for code in codes)
    return Segmented(found(Keys(key_of)), tuple(column.index), parts, codes, has_unassigned)


def find_asked(asked: Asked, eligible: Eligible, keys: Keys, *, with_witness: bool = True) -> Found:
    """Match the log that was asked about, which may have no rows."""
    if len(asked.log):
        reading = asked.reading()
        return find(reading, eligible, key_of=keys.key_of, with_witness=with_witness, needs_rows=keys.needs_rows)
    none = np.zeros(0, dtype=np.int64)
    nowhere = np.zeros((0, asked.funnel.n_steps), dtype=np.int64)
    return Found(none, none, none.astype(np.int16), nowhere, nowhere)
