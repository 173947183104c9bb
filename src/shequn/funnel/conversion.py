"""How many members go from step to step?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, overload

import numpy as np

from shequn.funnel.asked import Asked, Maturity
from shequn.funnel.result import FunnelResult
from shequn.funnel.segments import Keys, find_asked, segmented

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from shequn._typing import IntArray
    from shequn.columns.breakdown import Breakdown
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.log import EventLog
    from shequn.funnel.attempts import Found
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

    def found(keys: Keys) -> tuple[Found, Found]:
        """Return the levels of those who are judged, and of all who entered."""
        judged = find_asked(asked, asked.eligible, keys, with_witness=bool(funnel.optional))
        if asked.maturity == "all":
            return judged, judged
        return judged, find_asked(asked, asked.entered, keys, with_witness=False)

    return segmented(asked, log, by, found).tallied(partial(_result, funnel))


def _result(funnel: Funnel, found: Found, entered: Found) -> FunnelResult:
    reached: IntArray = np.zeros(funnel.n_steps, dtype=np.int64)
    steps = np.arange(funnel.n_steps) if funnel.order == "any" else np.array(funnel.required)
    at_level = np.bincount(found.level, minlength=len(steps) + 1)
    reached[steps] = np.cumsum(at_level[::-1])[::-1][1:]
    for step in funnel.skippable:
        reached[step] = np.count_nonzero(found.places[:, step] >= 0)
    names = funnel.names
    if funnel.order == "any":
        names = tuple(f"any {n + 1}" for n in range(funnel.n_steps))
    return FunnelResult(
        steps=names,
        reached=reached,
        optional=funnel.skippable,
        tainted=int(at_level[0]),
        immature=len(entered.member) - len(found.member),
        funnel=funnel,
    )
