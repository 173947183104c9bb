"""How many members go from step to step?"""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

import numpy as np

from shequn.columns.breakdown import Breakdown
from shequn.columns.segments import assignment_of
from shequn.funnel.asked import Asked, Maturity
from shequn.funnel.matcher import find
from shequn.funnel.result import FunnelResult

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.log import EventLog
    from shequn.funnel.attempts import Found, KeyOf
    from shequn.funnel.definition import Funnel
    from shequn.labels import Assignment, Label

__all__ = ["convert"]


@overload
def convert(
    log: EventLog,
    funnel: Funnel,
    /,
    *,
    by: None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    maturity: Maturity = "all",
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> FunnelResult: ...


@overload
def convert(
    log: EventLog,
    funnel: Funnel,
    /,
    *,
    by: Assignment | Mapping[Label, Label | None] | str,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    maturity: Maturity = "all",
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> Breakdown[FunnelResult]: ...


def convert(
    log: EventLog,
    funnel: Funnel,
    /,
    *,
    by: Assignment | Mapping[Label, Label | None] | str | None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    maturity: Maturity = "all",
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> FunnelResult | Breakdown[FunnelResult]:
    """Count how many members reach each step.

    Parameters
    ----------
    log : EventLog
    funnel : Funnel
    by : Assignment, mapping, or name of a column, optional
        The segment of each member; or a column of labels, taken at the entry row: then a member counts in each value
        they entered with, and in the total once.
    start, end : aware datetime, optional
        Count entries in [start, end). A way that began there may end later.
    maturity : {"all", "complete"}
        ``complete``: judge members on entries whose whole window was observed, and leave out those who have none.
    observed_until : aware datetime, optional
        End of observation: rows at or after it are ignored. ``maturity="complete"`` needs it.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    FunnelResult, or Breakdown of them with `by`

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError, MisalignedError
        An option cannot be used, a column is not there, an assignment is of other members.

    See Also
    --------
    match : Who reached what, by which rows.

    Notes
    -----
    A member's level is the depth of the deepest clean chain of any attempt; an attempt is a row of the first step. The
    definitions of chain, window, ties, exclusions and the rest are those of `Funnel`. An entry at t is mature when
    t + within < observed_until; an immature one that converted already is left out too, or fast ways would be counted
    more often than slow ones.

    Examples
    --------
    >>> from pendulum import duration
    >>> from shequn.columns import EventLog
    >>> from shequn.funnel import Funnel
    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "bo"], kind=["join", "post", "join"], at=[0, 3600, 60], time_unit="s"
    ... )
    >>> convert(log, Funnel(steps=("join", "post"), within=duration(days=1))).reached.tolist()
    [2, 1]
    """
    asked = Asked.of(
        log, funnel, start=start, end=end, maturity=maturity, observed_until=observed_until, unknown_kinds=unknown_kinds
    )
    if by is None:
        return _result(asked, *_found(asked))
    if isinstance(by, str):
        return _by_column(asked, by)
    total, entered = _found(asked)
    assignment = assignment_of(by, log.members)
    if asked.log is not log:
        assignment = assignment.align(asked.log.members)
    segments = assignment.codes
    parts = [
        _result(asked, _of_member(total, segments == code), _of_member(entered, segments == code))
        for code in (*range(len(assignment.segments)), -1)
    ]
    return Breakdown(
        total=_result(asked, total, entered),
        parts=dict(zip(assignment.segments, parts[:-1], strict=True)),
        unassigned=parts[-1] if bool((segments < 0).any()) else None,
    )


def _found(asked: Asked, key_of: KeyOf | None = None) -> tuple[Found | None, Found | None]:
    """Return the levels of those who are judged, and of all who entered."""
    if not len(asked.log):
        return None, None
    reading, needs_rows = asked.reading(), key_of is not None
    has_optional = bool(asked.funnel.optional)
    found = find(reading, asked.eligible, key_of=key_of, with_witness=has_optional, needs_rows=needs_rows)
    if asked.maturity == "all":
        return found, found
    entered = find(reading, asked.entered, key_of=key_of, with_witness=False, needs_rows=needs_rows)
    return found, entered


def _of_member(found: Found | None, is_in: BoolArray) -> Found | None:
    return None if found is None else found.some(is_in[found.member])


def _result(asked: Asked, found: Found | None, entered: Found | None) -> FunnelResult:
    funnel = asked.funnel
    reached: IntArray = np.zeros(funnel.n_steps, dtype=np.int64)
    tainted = immature = 0
    if found is not None and entered is not None:
        steps = np.arange(funnel.n_steps) if funnel.order == "any" else np.array(funnel.required)
        at_level = np.bincount(found.level, minlength=len(steps) + 1)
        tainted = int(at_level[0])
        reached[steps] = np.cumsum(at_level[::-1])[::-1][1:]
        for step in funnel.skippable:
            reached[step] = np.count_nonzero(found.places[:, step] >= 0)
        immature = len(entered.member) - len(found.member)
    names = funnel.names
    if funnel.order == "any":
        names = tuple(f"any {n + 1}" for n in range(funnel.n_steps))
    return FunnelResult(
        steps=names, reached=reached, optional=funnel.skippable, tainted=tainted, immature=immature, funnel=funnel
    )


def _by_column(asked: Asked, by: str) -> Breakdown[FunnelResult]:
    column = asked.log.labelled_column(by)
    codes = column.codes

    def key_of(rows: IntArray | None, at_us: IntArray) -> IntArray:
        del at_us
        assert rows is not None  # noqa: S101  (they were asked for)
        return codes[rows].astype(np.int64)

    total, entered = _found(asked)
    found, all_found = _found(asked, key_of)
    parts: dict[Label, FunnelResult] = {}
    unassigned = None
    labels: list[tuple[int, Label | None]] = [*enumerate(column.index), (-1, None)]
    for code, label in labels:
        of_code = [None if part is None else part.some(part.key == code) for part in (found, all_found)]
        result = _result(asked, *of_code)
        if label is not None:
            parts[label] = result
        elif of_code[1] is not None and len(of_code[1].member):
            unassigned = result
    return Breakdown(total=_result(asked, total, entered), parts=parts, unassigned=unassigned)
