"""What does pressure do to members? The count behind `PressureResponse`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.columns.kinds import of_kinds
from shequn.columns.log import EventLog
from shequn.content._comparable import require_comparable
from shequn.content.fatigue import PressureResponse, band_edges
from shequn.content.pressure import Pressure
from shequn.errors import InvalidValueError, message
from shequn.labels import Index
from shequn.stats._checks import instance, items_of
from shequn.values.calendar import Calendar
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.labels import Label
    from shequn.values.calendar import Unit, WeekStart

__all__ = ["pressure_response"]

_GOING = ("leave", "remove")
_NEVER = np.iinfo(np.int64).max


def pressure_response(
    log: EventLog,
    /,
    *,
    pressure: Pressure,
    as_of: dt.datetime,
    every: Unit | Calendar = "day",
    tz: str | None = None,
    week_start: WeekStart = "monday",
    outcome: Collection[str] | str = frozenset({"mute", "leave"}),
    edges: Sequence[float] = (0, 0.5, 1, 2, 4),
    kinds: Collection[str] | str = "receive",
    items: Collection[Label] | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> PressureResponse:
    """Return how often members mute or leave, or buy, by the pressure they were under (疲劳反应).

    Parameters
    ----------
    log : EventLog
        What was sent, and what members did.
    pressure : Pressure
        How pressure builds up and fades; its cap plays no part. Each message weighs 1.
    as_of : datetime
        The aware instant of the question: the last period is over by then.
    every, tz, week_start
        What a period is, as in `Calendar.of`.
    outcome : str or collection of str
        Kinds of event to look for: ``{"mute", "leave"}`` for fatigue, ``"purchase"`` for what selling brings.
    edges : sequence of float
        Where bands of pressure begin: 0, and rising.
    kinds : str or collection of str
        Kinds of event that are messages to members.
    items : collection of labels, optional
        Count only messages of these items, those that sell for example.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    PressureResponse

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        If an option is of another type or out of range, or no whole period lies between the first row and `as_of`.

    Notes
    -----
    A member is exposed in a period if their first row is not after its start, and neither the outcome nor leaving or
    being removed lies before. The band is that of the pressure at the start, from messages before it. An event is the
    first outcome, if it falls into the period; rates are hazards in discrete time. They tell what goes with pressure:
    who is sent more may differ in other ways.

    Time grows with members times periods.

    References
    ----------
    ``spec/domain.md``, rows I14 and I17.

    Examples
    --------
    >>> import pendulum
    >>> start = pendulum.datetime(2024, 3, 1)
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann", "ann", "ann"], kind=["join", "join", "receive", "receive", "mute"],
    ...     at=[start, start, start.add(hours=23), start.add(hours=23), start.add(hours=30)],
    ... )
    >>> fatigue = Pressure(half_life=pendulum.duration(days=1), cap=3)
    >>> found = pressure_response(log, pressure=fatigue, as_of=start.add(days=2), tz="UTC", edges=(0, 1),
    ...                           unknown_kinds="ignore")
    >>> found.exposed.tolist(), found.events.tolist()
    ([3, 1], [0, 1])
    """
    instance("log", log, EventLog, expected="an EventLog")
    instance("pressure", pressure, Pressure, expected="a Pressure")
    bands = band_edges(edges)
    calendar = Calendar.of(every, tz=tz, week_start=week_start)
    as_of_us = instant_us(as_of, argument="as_of")
    is_sent = of_kinds(log, kinds, unknown_kinds=unknown_kinds)[log.kind_codes]
    is_outcome = of_kinds(log, outcome, argument="outcome", unknown_kinds=unknown_kinds)[log.kind_codes]
    if items is not None:
        is_sent = is_sent & _of_items(log, items)
    bounds = _bounds(log, calendar, as_of_us)
    entered = _first(log, np.ones(len(log), dtype=np.bool_))
    happened = _first(log, is_outcome)
    gone = np.minimum(happened, _first(log, of_kinds(log, _GOING, unknown_kinds="ignore")[log.kind_codes]))
    rows = np.flatnonzero(is_sent & (log.at_us < bounds[-1]))
    period = np.searchsorted(bounds, log.at_us[rows], side="right") - 1
    rows = rows[np.argsort(period, kind="stable")]
    cuts = np.searchsorted(np.sort(period), np.arange(len(bounds)))
    exposed, events = np.zeros((2, len(bands)), dtype=np.int64)
    level = np.zeros(len(log.members), dtype=np.float64)
    for k, (start_us, end_us) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
        at_risk = (entered <= start_us) & (gone >= start_us)
        band = np.searchsorted(bands, level[at_risk], side="right") - 1
        here = happened[at_risk] < end_us
        exposed += np.bincount(band, minlength=len(exposed))
        events += np.bincount(band[here], minlength=len(events))
        within = rows[cuts[k] : cuts[k + 1]]
        shares = np.exp2(-(end_us - log.at_us[within]) / pressure.half_life_us)
        level *= 2.0 ** (-(end_us - start_us) / pressure.half_life_us)
        level += np.bincount(log.member_codes[within], weights=shares, minlength=len(level))
    return PressureResponse(edges=bands, exposed=exposed, events=events, pressure=pressure, calendar=calendar)


def _bounds(log: EventLog, calendar: Calendar, as_of_us: int) -> IntArray:
    """Return the starts of the periods from that of the first row on that are over by an instant, and the last end."""
    if len(log) and int(log.at_us.min()) <= as_of_us:
        first = calendar.index_one(int(log.at_us.min()))
        last = calendar.index_one(as_of_us)
        if last > first:
            bounds = calendar.start_us(np.arange(first, last + 1))
            return bounds[np.concatenate(([True], np.diff(bounds) > 0))]
    expected = f"an instant by which a {calendar.unit} is over that the log has rows of or before"
    raise InvalidValueError(message("as_of", expected, as_of_us))


def _first(log: EventLog, mask: BoolArray) -> IntArray:
    """Return the instant of each member's first row of a mask; the latest there is for none."""
    first = np.full(len(log.members), _NEVER, dtype=np.int64)
    np.minimum.at(first, log.member_codes[mask], log.at_us[mask])
    return first


def _of_items(log: EventLog, items: Collection[Label]) -> BoolArray:
    if log.item is None:
        raise InvalidValueError(message("log", "a log with an item column", log))
    named = Index.encode(items_of("items", items, expected="labels of items"), argument="items")[0]
    require_comparable("items", named, log.item.index)
    wanted = log.item.index.places_of(named)
    return np.isin(log.item.codes, wanted[wanted >= 0])
