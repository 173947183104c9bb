"""Was the door held as it should be? Rates of admission, read off the facts that were stored."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pendulum import duration

from shequn.admission.rates import AdmissionRates, ScarcityEffect
from shequn.admission.reasons import AdmissionOutcome
from shequn.admission.state import APPLY, coded_of
from shequn.columns import EventLog
from shequn.columns.changes import membership_changes
from shequn.columns.kinds import of_kinds
from shequn.columns.segments import assignment_of
from shequn.entities import EventKind
from shequn.errors import InvalidValueError, message
from shequn.labels import Assignment, Coded, Index
from shequn.stats._checks import instance, items_of, number_between
from shequn.stats.distinct import each_once
from shequn.values.elapsed import elapsed_us
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.labels import Label

__all__ = ["acceptance_rates", "false_accepts", "scarcity_effect"]

_NEVER = np.iinfo(np.int64).max
_COLUMNS_OF_ADMIT = ("mode", "invited_by", "invite", "outcome", "reason")


def acceptance_rates(
    log: EventLog,
    /,
    *,
    as_of: dt.datetime,
    by: Assignment | Mapping[Label, Label | None] | str | None = "mode",
) -> AdmissionRates:
    """Return which share of applications was let in: by mode, by inviter, by group.

    Parameters
    ----------
    log : EventLog
        With the facts that `admit` made.
    as_of : aware datetime
        Facts at this instant or before it are known, later ones are not.
    by : Assignment, mapping, or str, default "mode"
        Segment of each applicant, or the name of the column of joins and applications that has it: mode, invited_by,
        group. None for all together.

    Returns
    -------
    AdmissionRates

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An argument can't be used, or the log has no such column.

    Notes
    -----
    Let in is each join, refused each ``apply`` with that outcome; who asks twice counts twice. Who still waits is
    counted and takes no part in the rate.

    References
    ----------
    Row A1 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "cy"], kind=["join", "join", "apply"], at=[0, 1, 2], time_unit="s",
    ...     extra={"mode": ["approval"] * 3, "outcome": [None, None, "refused"]},
    ... )
    >>> print(acceptance_rates(log, as_of=pendulum.datetime(2024, 5, 1)))
    segment   admitted  decided   rate  lower  upper  waiting
    ─────────────────────────────────────────────────────────
    approval         2        3  66.7%  20.8%  93.9%        0
    (all)            2        3  66.7%  20.8%  93.9%        0
    """
    instance("log", log, EventLog, expected="an EventLog")
    until_us = instant_us(as_of, argument="as_of")
    rows, outcome = _applications(log, until_us)
    return _rates("acceptance", _segment(log, by, rows), outcome == 1, outcome >= 0)


def _applications(log: EventLog, until_us: int) -> tuple[IntArray, NDArray[np.int8]]:
    """Return the rows by which people came in (1), were refused (0), or still wait (-1)."""
    is_join = log.kind_codes == _code(log, EventKind.JOIN.value)
    is_apply = log.kind_codes == _code(log, APPLY)
    known = log.at_us <= until_us
    outcome = coded_of(log, "outcome")
    waits = refused = np.zeros(len(log), dtype=np.bool_)
    if outcome is not None:
        refused = is_apply & known & (outcome.codes == _place(outcome, AdmissionOutcome.REFUSED))
        waits = is_apply & known & (outcome.codes == _place(outcome, AdmissionOutcome.WAITLISTED))
    result = np.where(is_join & known, 1, np.where(refused, 0, -1)).astype(np.int8)
    rows = np.flatnonzero((is_join & known) | refused | _still(log, waits, until_us))
    return rows, result[rows]


def _still(log: EventLog, waits: BoolArray, until_us: int) -> BoolArray:
    """Return which of the rows of those who wait are the last that is known of member and group."""
    moves = [_code(log, kind.value) for kind in (EventKind.JOIN, EventKind.LEAVE, EventKind.REMOVE)]
    rows = np.flatnonzero(
        (np.isin(log.kind_codes, moves) | (log.kind_codes == _code(log, APPLY))) & (log.at_us <= until_us)
    )
    unit = log.member_codes[rows].astype(np.int64)
    if log.group is not None:
        unit = unit * (len(log.group.index) + 1) + log.group.codes[rows] + 1
    order = np.lexsort((rows, log.at_us[rows], unit))
    rows, unit = rows[order], unit[order]
    is_last = np.append(unit[1:] != unit[:-1], True) if len(unit) else np.zeros(0, dtype=np.bool_)
    still = np.zeros(len(log), dtype=np.bool_)
    still[rows[is_last]] = True
    return still & waits


def false_accepts(
    log: EventLog,
    /,
    *,
    as_of: dt.datetime,
    within: dt.timedelta = duration(days=30),  # noqa: B008  (a duration doesn't change)
    by: Assignment | Mapping[Label, Label | None] | str | None = "mode",
) -> AdmissionRates:
    """Return which share of those let in was removed soon after: they should not have come in.

    Parameters
    ----------
    log : EventLog
        With joins, leaves and removals.
    as_of : aware datetime
        Facts at this instant or before it are known, later ones are not.
    within : duration, default 30 days
        What soon means: a removal in [joined, joined + within).
    by : Assignment, mapping, or str, default "mode"
        Segment of each member, or the name of the column of joins that has it. None for all together.

    Returns
    -------
    AdmissionRates
        Over stays that began at least `within` before `as_of`; the others are too young, removed already or not.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An argument can't be used, or the log has no such column.

    References
    ----------
    Row A1 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> day = 86_400
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "bo", "cy"], kind=["join", "join", "remove", "join"],
    ...     at=[0, 0, 3 * day, 39 * day], time_unit="s",
    ... )
    >>> false_accepts(log, as_of=pendulum.from_timestamp(40 * day), by=None).to_dict()["columns"]["undecided"]
    [1]
    """
    instance("log", log, EventLog, expected="an EventLog")
    until_us, within_us = instant_us(as_of, argument="as_of"), elapsed_us("within", within, at_least=1)
    stays = _stays(log, until_us)
    removed = stays.is_removed & (stays.left_us - stays.joined_us < within_us)
    return _rates("false_accepts", _segment(log, by, stays.rows), removed, stays.joined_us + within_us <= until_us)


class _Stays(NamedTuple):
    rows: IntArray
    """Of the joins."""
    joined_us: IntArray
    left_us: IntArray
    """The largest number for a stay that goes on."""
    is_removed: BoolArray


def _stays(log: EventLog, until_us: int) -> _Stays:
    changes = membership_changes(log, before_us=until_us + 1)
    starts = np.flatnonzero(changes.delta == 1)
    ends = np.append(changes.delta, np.int8(1))[starts + 1] == -1
    left_us = np.where(ends, np.append(changes.at_us, _NEVER)[starts + 1], _NEVER)
    end_rows = np.append(changes.rows, 0)[starts + 1]
    is_removal = log.kind_codes == _code(log, EventKind.REMOVE.value)
    is_removed = ends & is_removal[end_rows] if len(log) else ends
    return _Stays(changes.rows[starts], changes.at_us[starts], left_us, is_removed)


def scarcity_effect(
    log: EventLog,
    /,
    *,
    as_of: dt.datetime,
    within: dt.timedelta = duration(days=30),  # noqa: B008  (a duration doesn't change)
    by: str = "group",
    bands: Sequence[float] = (0.5, 0.8),
    active_kinds: Collection[str] | str | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> ScarcityEffect:
    """Compare how long newcomers stay and what they do, by how many were let in where they came in (得之不易感).

    Parameters
    ----------
    log : EventLog
        With the facts that `admit` made, leaves and removals, and what members do.
    as_of : aware datetime
        Facts at this instant or before it are known, later ones are not.
    within : duration, default 30 days
        Stayed is who was not out before joined + within; active who did something in (joined, joined + within).
    by : str, default "group"
        Column of joins and applications whose values are the units that select: group, mode, invited_by.
    bands : sequence of float, default (0.5, 0.8)
        Ends of the bands of acceptance rate, ascending; each belongs to the band below it.
    active_kinds : collection of str, optional
        Kinds that count as doing something; by default all activity but joins, invitations and applications.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    ScarcityEffect

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An argument can't be used, or the log has no such column.

    Notes
    -----
    The acceptance rate of a unit is that of `acceptance_rates` at `as_of`. Stays that began less than `within` before
    `as_of` are too young, and joins without a unit are left out.

    References
    ----------
    S1 §四(二), row A2 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "cy", "di", "ann"], kind=["join", "apply", "join", "join", "post"],
    ...     at=[0, 0, 0, 0, 60], time_unit="s", group=["strict", "strict", "open", "open", "strict"],
    ...     extra={"outcome": [None, "refused", None, None, None]},
    ... )
    >>> print(scarcity_effect(log, as_of=pendulum.datetime(2024, 5, 1), bands=[0.5]))
    let in  stayed  judged    rate  lower   upper  too young  active
    ────────────────────────────────────────────────────────────────
    ≤ 50%        1       1  100.0%  20.7%  100.0%          0  100.0%
    > 50%        2       2  100.0%  34.2%  100.0%          0    0.0%
    most selective less least: 0.0% (-79.3% – 65.8%); no proof of cause
    """
    instance("log", log, EventLog, expected="an EventLog")
    until_us, within_us = instant_us(as_of, argument="as_of"), elapsed_us("within", within, at_least=1)
    ends = _ends(bands)
    acceptance = acceptance_rates(log, as_of=as_of, by=by)
    stays = _stays(log, until_us)
    unit = _segment(log, by, stays.rows)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = acceptance.hits / acceptance.trials
    rate_of = dict(zip(acceptance.segments, rate.tolist(), strict=True))
    of_unit = np.array([rate_of.get(label, np.nan) for label in unit.index] + [np.nan], dtype=np.float64)
    known = unit.codes >= 0
    band = np.searchsorted(ends, of_unit[unit.codes[known]], side="left")
    names = [f"≤ {end:.0%}" for end in ends] + [f"> {ends[-1]:.0%}"]
    segment = Coded(index=Index(names), codes=band)
    judged = (stays.joined_us + within_us <= until_us)[known]
    stayed = (stays.left_us - within_us >= stays.joined_us)[known]
    active = _active(log, stays, within_us, active_kinds, unknown_kinds)[known]
    return ScarcityEffect(
        retention=_rates("retention", segment, stayed, judged, empty_too=True),
        activity=_rates("activity", segment, active, judged, empty_too=True),
        acceptance=acceptance,
    )


def _ends(bands: Sequence[float]) -> list[float]:
    given = items_of("bands", bands, expected="ends between 0 and 1, ascending")
    ends = [number_between("bands", end, 0, 1) for end in given]
    if not ends or any(high <= low for low, high in pairwise(ends)):
        raise InvalidValueError(message("bands", "ends between 0 and 1, ascending", bands))
    return ends


def _active(
    log: EventLog,
    stays: _Stays,
    within_us: int,
    active_kinds: Collection[str] | str | None,
    unknown_kinds: UnknownKinds,
) -> BoolArray:
    """Return who did something after joining, and before joined + within."""
    is_active = of_kinds(log, active_kinds, argument="active_kinds", unknown_kinds=unknown_kinds)
    if active_kinds is None:
        at_the_door = {EventKind.JOIN.value, EventKind.INVITE.value, APPLY}
        is_active = is_active & np.array([kind not in at_the_door for kind in log.kinds], dtype=np.bool_)
    rows = np.flatnonzero(is_active[log.kind_codes])
    times = each_once(log.at_us[rows])
    width = len(times) + 1
    done = np.sort(log.member_codes[rows].astype(np.int64) * width + np.searchsorted(times, log.at_us[rows]))
    member = log.member_codes[stays.rows].astype(np.int64) * width
    after = member + np.searchsorted(times, stays.joined_us, side="right")
    before = member + np.searchsorted(times, stays.joined_us + within_us, side="left")
    found: BoolArray = np.searchsorted(done, before) > np.searchsorted(done, after)
    return found


# --- by segment ---


def _segment(log: EventLog, by: Assignment | Mapping[Label, Label | None] | str | None, rows: IntArray) -> Coded:
    if by is None:
        return Coded(index=Index(), codes=np.full(len(rows), -1, dtype=np.int8))
    if isinstance(by, str):
        column = coded_of(log, by) if by in _COLUMNS_OF_ADMIT else None
        return (log.labelled_column(by) if column is None else column).take(rows)
    of_member = assignment_of(by, log.members)
    return Coded(index=of_member.segments, codes=of_member.codes[log.member_codes[rows]])


def _rates(kind: str, segment: Coded, hit: BoolArray, decided: BoolArray, *, empty_too: bool = False) -> AdmissionRates:
    k = len(segment.index)
    place = np.where(segment.codes < 0, k, segment.codes)
    hits, trials, left = (np.bincount(place[mask], minlength=k + 1) for mask in (hit & decided, decided, ~decided))
    counts = trials + left
    shown = np.flatnonzero(counts > 0)
    if empty_too:
        shown = np.arange(k)
    elif not len(shown) and not k:
        shown = np.arange(1)
    labels = [*segment.index, None]
    return AdmissionRates(
        kind=kind,  # type: ignore[arg-type]
        segments=[labels[place] for place in shown.tolist()],
        hits=hits[shown],
        trials=trials[shown],
        undecided=left[shown],
    )


def _code(log: EventLog, kind: str) -> int:
    return log.kinds.code(kind) if kind in log.kinds else -2


def _place(column: Coded, label: str) -> int:
    value = str.__str__(label)
    return column.index.code(value) if value in column.index else -2
