"""How does a log that lies in one file a day become a funnel's state, without moving a row?"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import attrs
import numpy as np

from shequn.columns import EventLog
from shequn.errors import InvalidValueError, message
from shequn.funnel import Funnel, FunnelState, funnel_state
from shequn.interop.engines._kinds import Tallied, policy_of
from shequn.interop.engines._plan import Plan, merged
from shequn.stats._checks import flag, instance, items_of
from shequn.values.instants import from_us, instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from shequn.columns.kinds import UnknownKinds

__all__ = ["plan_funnel_spans"]

_FEWEST_BOUNDS = 2


def plan_funnel_spans(
    funnel: Funnel,
    /,
    *,
    bounds: Iterable[dt.datetime],
    keep_left: bool = True,
    unknown_kinds: UnknownKinds = "warn",
) -> Plan[FunnelState]:
    """Return the plan of a funnel's state from parts that are split by time, such as a file a day.

    Parameters
    ----------
    funnel : Funnel
        One that has a state, see `funnel_state`.
    bounds : iterable of aware datetime
        At least two, ascending: where spans of time begin and end. All rows of a span must be in one part, which may
        hold several spans; a span without rows needs no part.
    keep_left : bool
        Whether the answer keeps what a merge with an earlier part needs.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that no part knows.

    Returns
    -------
    Plan of FunnelState
        Of the span from the first bound to the last: that of ``funnel_state(log, funnel, start=…, end=…)``.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        Bounds do not ascend, or the funnel has no state. When it runs: a row lies outside of all spans, or a span is in
        two parts.

    Notes
    -----
    No row moves to another machine. What travels is a few integers for each member and part, which is less than their
    rows where members have many rows a day; where they have few, split by member and use ``plan(funnel_state, …)``.

    Examples
    --------
    >>> from pendulum import datetime, duration
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann"], kind=["join", "join", "post"], at=[0, 60, 90_000], time_unit="s"
    ... )
    >>> funnel = Funnel(steps=("join", "post"), within=duration(days=7))
    >>> bounds = [datetime(1970, 1, day) for day in (1, 2, 3)]
    >>> days = [log.where(end=bounds[1]), log.where(start=bounds[1])]
    >>> plan_funnel_spans(funnel, bounds=bounds).run(days)
    FunnelState(join 2 → post 1, 1970-01-01T00:00:00Z to 1970-01-03T00:00:00Z)
    """
    instance("funnel", funnel, Funnel, expected="a Funnel")
    edges = [instant_us(bound, argument="bounds") for bound in items_of("bounds", bounds, expected="aware datetimes")]
    if len(edges) < _FEWEST_BOUNDS or any(a >= b for a, b in pairwise(edges)):
        raise InvalidValueError(
            message("bounds", "two or more instants that ascend", [str(from_us(us)) for us in edges])
        )
    spanning = _Spanning(funnel, tuple(edges), flag("keep_left", keep_left), policy_of(unknown_kinds))
    spanning.state(EventLog.empty(), 0, 1)  # a funnel without a state is refused here, and not on a worker
    return Plan(partial=spanning.of_part, merge=_merge, finish=partial(_finish, spanning=spanning), split="span")


@attrs.frozen(eq=False)
class _Spanning:
    """A funnel and the bounds of spans."""

    funnel: Funnel
    edges: tuple[int, ...]
    keep_left: bool
    policy: UnknownKinds

    def state(self, log: EventLog, first: int, last: int, unknown_kinds: UnknownKinds = "ignore") -> FunnelState:
        """Return the state from one bound to another."""
        start, end = from_us(self.edges[first]), from_us(self.edges[last])
        return funnel_state(log, self.funnel, start=start, end=end, unknown_kinds=unknown_kinds)

    def of_part(self, log: EventLog, /) -> Tallied:
        span = np.searchsorted(np.array(self.edges), log.at_us, side="right") - 1
        outside = (span < 0) | (span >= len(self.edges) - 1)
        if outside.any():
            row = int(np.argmax(outside))
            expected = f"instants from {from_us(self.edges[0])} to before {from_us(self.edges[-1])}"
            got = str(from_us(int(log.at_us[row])))
            raise InvalidValueError(
                message("at", expected, got, row=row, bad=int(np.count_nonzero(outside)), total=len(log))
            )
        found = [_Stretch(k, k + 1, self.state(log.where(rows=span == k), k, k + 1)) for k in np.unique(span).tolist()]
        return Tallied.of(_joined(found), log)

    def whole(self, stretches: tuple[_Stretch, ...]) -> FunnelState:
        """Return the state of all spans, of which some may have had no part."""
        quiet: list[_Stretch] = []
        at = 0
        for first, last in [(s.first, s.last) for s in stretches] + [(len(self.edges) - 1, len(self.edges) - 1)]:
            if at < first:
                quiet.append(_Stretch(at, first, self.state(EventLog.empty(), at, first)))
            at = last
        [stretch] = _joined([*stretches, *quiet])
        return stretch.state if self.keep_left else stretch.state.without_left()


@attrs.frozen(eq=False)
class _Stretch:
    """The state of neighbouring spans, from one bound to another."""

    first: int
    last: int
    state: FunnelState


def _joined(stretches: list[_Stretch]) -> tuple[_Stretch, ...]:
    """Return stretches in order of time, neighbours in one."""
    runs: list[list[_Stretch]] = []
    for stretch in sorted(stretches, key=lambda stretch: stretch.first):
        if runs and runs[-1][-1].last > stretch.first:
            span = f"that from {stretch.state.start} in two"
            raise InvalidValueError(message("parts", "all rows of a span of time in one part", span))
        if runs and runs[-1][-1].last == stretch.first:
            runs[-1].append(stretch)
        else:
            runs.append([stretch])
    return tuple(
        _Stretch(run[0].first, run[-1].last, merged([stretch.state for stretch in run], FunnelState.merge))
        for run in runs
    )


def _merge(one: Tallied, other: Tallied) -> Tallied:
    return one.merge(other, _merge_stretches)


def _merge_stretches(one: tuple[_Stretch, ...], other: tuple[_Stretch, ...]) -> tuple[_Stretch, ...]:
    return _joined([*one, *other])


def _finish(tallied: Tallied, *, spanning: _Spanning) -> FunnelState:
    if spanning.policy != "ignore":
        spanning.state(tallied.kinds, 0, 1, spanning.policy)
    return spanning.whole(tallied.tally)
