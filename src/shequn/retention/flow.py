"""How many joined, came back, evaporated and were retained? flow − evaporation = retained, exactly, in every period.

With A_p the members present in period p (active in any of the periods p−grace..p, or inside the community at its end):

- joined: present, and their first activity ever is in p
- revived: present in p, not in p−1, and not joined
- stayed: present in p−1 and in p
- evaporated: present in p−1 and not in p
- opening = |A_{p−1}|, retained = |A_p|, flow = joined + revived

so that opening + flow − evaporated = retained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args, overload

import attrs

from shequn.columns.breakdown import Breakdown
from shequn.columns.changes import JOIN, LEAVE
from shequn.columns.horizon import Horizon
from shequn.columns.kinds import UnknownKinds, kind_set, of_kinds
from shequn.columns.log import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.retention.counting import Plan
from shequn.retention.ledger import Basis
from shequn.retention.presence import Presence, require_periods, require_remembered, same
from shequn.stats._checks import one_of, whole
from shequn.values.calendar import Calendar, Unit, WeekStart
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping

    from shequn.labels import Assignment, Label
    from shequn.retention.ledger import FlowLedger

__all__ = ["flow_ledger"]

_MOST_GRACE = 10_000


@overload
def flow_ledger(
    data: EventLog | Presence,
    /,
    *,
    every: Unit | Calendar | None = ...,
    tz: str | None = ...,
    week_start: WeekStart = ...,
    basis: Basis = ...,
    grace: int = ...,
    kinds: Collection[str] | str | None = ...,
    join: Collection[str] | str = ...,
    leave: Collection[str] | str = ...,
    start: dt.datetime | None = ...,
    observed_until: dt.datetime | None = ...,
    by: None = ...,
    unknown_kinds: UnknownKinds = ...,
) -> FlowLedger: ...
@overload
def flow_ledger(
    data: EventLog | Presence,
    /,
    *,
    every: Unit | Calendar | None = ...,
    tz: str | None = ...,
    week_start: WeekStart = ...,
    basis: Basis = ...,
    grace: int = ...,
    kinds: Collection[str] | str | None = ...,
    join: Collection[str] | str = ...,
    leave: Collection[str] | str = ...,
    start: dt.datetime | None = ...,
    observed_until: dt.datetime | None = ...,
    by: Assignment | Mapping[Label, Label | None] | str,
    unknown_kinds: UnknownKinds = ...,
) -> Breakdown[FlowLedger]: ...
def flow_ledger(
    data: EventLog | Presence,
    /,
    *,
    every: Unit | Calendar | None = None,
    tz: str | None = None,
    week_start: WeekStart = "monday",
    basis: Basis = "activity",
    grace: int = 0,
    kinds: Collection[str] | str | None = None,
    join: Collection[str] | str = JOIN,
    leave: Collection[str] | str = LEAVE,
    start: dt.datetime | None = None,
    observed_until: dt.datetime | None = None,
    by: Assignment | Mapping[Label, Label | None] | str | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> FlowLedger | Breakdown[FlowLedger]:
    """Count who joined, came back, evaporated and was retained in each period.

    Parameters
    ----------
    data : EventLog or Presence
        A presence brings its own periods, kinds and end of observation, and knows no membership facts.
    every, tz, week_start, kinds, observed_until, unknown_kinds
        As in `presence`.
    basis : {"activity", "membership"}
        Who is present in a period: the active (in it or in the `grace` periods before), or those inside the community
        at its end.
    grace : int, default 0
        A member evaporates ``grace + 1`` periods after the last active one.
    join, leave : collection of str
        The kinds that are membership facts. With the activity basis they split the evaporated into left and silent.
    start : aware datetime, optional
        The ledger begins with the period that holds it; what went before decides who joined and who came back.
    by : Assignment, mapping or str, optional
        One segment a member, or the name of a column of the log: then a member counts in each value they have rows
        with.

    Returns
    -------
    FlowLedger or, with `by`, Breakdown of FlowLedger

    Raises
    ------
    MisalignedError
        `by` is an assignment of other members; see `Assignment.align`.
    UnknownLabelError
        There is no such zone, or no such column to go by; with ``unknown_kinds="raise"``, no such kind.
    InvalidValueError, InvalidTypeError
        An option cannot be used, or not together with the others.

    Notes
    -----
    Opening + joined + revived − evaporated = retained, in integers, in each period.

    The axis runs from the first activity or membership fact, or from `start`, to the period of the last observed
    instant.

    With the activity basis a member is inside from the first activity or membership fact on, until outside every group
    that a fact of theirs named; facts without a group are a group of their own. So of members who were there before
    the log began the first fact decides: a leave puts them outside, even if they went on in a group without facts.
    With the membership basis facts alone decide, and before the first join a member is outside. By ``"group"``, each
    group's own facts speak; by another column, all facts of the member.

    References
    ----------
    Row N9 of the domain table (流量 − 蒸发量 = 留量).

    Examples
    --------
    >>> import numpy as np
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann", "cy", "bo"],
    ...     kind="post",
    ...     at=np.array(["2024-01-01", "2024-01-03", "2024-01-08", "2024-01-09", "2024-01-21"], "M8[D]"),
    ...     at_tz="Asia/Shanghai",
    ... )
    >>> print(flow_ledger(log, every="week", tz="Asia/Shanghai"))
    period      opening  joined  revived  evaporated  retained  evaporation  growth  complete
    ─────────────────────────────────────────────────────────────────────────────────────────
    2024-01-01        0       2        0           0         2            –       –  yes
    2024-01-08        2       1        0           1         2        50.0%    0.0%  yes
    2024-01-15        2       0        1           2         1            –       –  no
    """
    grace = whole("grace", grace)
    if not 0 <= grace <= _MOST_GRACE:
        raise InvalidValueError(message("grace", f"a number of periods in [0, {_MOST_GRACE:,}]", grace))
    one_of("basis", basis, get_args(Basis))
    if basis == "membership":
        _require_defaults("0 or None with basis='membership'", grace=(grace, 0), kinds=(kinds, None))
    if isinstance(data, Presence):
        _require_defaults(
            _SETTLED, basis=(basis, "activity"), kinds=(kinds, None), observed_until=(observed_until, None)
        )
        _require_defaults(_SETTLED, join=(join, JOIN), leave=(leave, LEAVE))
        require_periods(data, every, tz, week_start)
        calendar, counted, horizon = data.calendar, data.kinds, data.horizon
    elif isinstance(data, EventLog):
        if every is None:
            raise InvalidTypeError(message("every", "a period, such as 'week', when the data is a log", every))
        calendar, horizon = Calendar.of(every, tz=tz, week_start=week_start), Horizon.of(data, observed_until)
        counted = None if kinds is None else kind_set(kinds, argument="kinds")
        for argument, named, default in (("join", join, JOIN), ("leave", leave, LEAVE)):
            if named is not default:
                of_kinds(data, named, argument=argument, unknown_kinds=unknown_kinds)
    else:
        raise InvalidTypeError(message("data", "an EventLog or a Presence", data))
    starts_at = None if start is None else calendar.index_one(instant_us(start, argument="start"))
    if isinstance(data, Presence) and starts_at is not None:
        require_remembered(data, starts_at)
    plan = Plan(
        data=data,
        calendar=calendar,
        kinds=counted,
        unknown_kinds=unknown_kinds,
        horizon=horizon,
        basis=basis,
        grace=grace,
        join=kind_set(join, argument="join"),
        leave=kind_set(leave, argument="leave"),
        starts_at=starts_at,
    )
    everybody = plan.ledgers(plan.member_units())[0]
    if by is None:
        return everybody
    quiet = attrs.evolve(plan, unknown_kinds="ignore")  # the total has warned
    units = quiet.units(by)
    *parts, unassigned = quiet.ledgers(units)
    return Breakdown(
        total=everybody,
        parts=dict(zip(units.segments, parts, strict=True)),
        unassigned=unassigned if units.has_unassigned else None,
    )


_SETTLED = "what the presence was made with: pass the log to change it"


def _require_defaults(expected: str, **options: tuple[object, object]) -> None:
    """Refuse options that something else has settled already."""
    for name, (given, default) in options.items():
        if not same(given, default):
            raise InvalidValueError(message(name, expected, given))
