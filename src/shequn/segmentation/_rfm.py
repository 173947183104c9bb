"""Who came last, most often, and spent most? Recency, frequency and money of each member, scored."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, get_args

import numpy as np

from shequn.columns.in_window import InWindow
from shequn.columns.kinds import UnknownKinds, kind_set, of_kinds
from shequn.columns.log import EventLog
from shequn.columns.membership import NO_INSTANT
from shequn.columns.readonly import frozen
from shequn.columns.summed import summed_column
from shequn.entities import EventKind
from shequn.errors import InvalidValueError, message
from shequn.segmentation.per_member import per_member
from shequn.segmentation.rfm_counts import Frequency, RfmDefinition
from shequn.segmentation.rfm_members import FewValues, Rfm, RfmValues
from shequn.stats._checks import instance, one_of
from shequn.stats.distinct import each_once
from shequn.values.calendar import Calendar
from shequn.values.elapsed import elapsed_us
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from shequn._typing import IntArray
    from shequn.segmentation.rfm_cuts import RfmCuts
    from shequn.segmentation.scoring import Ties

__all__ = ["rfm", "rfm_values"]

_PURCHASE = frozenset({EventKind.PURCHASE.value})


def rfm(
    log: EventLog,
    /,
    *,
    as_of: dt.datetime,
    kinds: Collection[str] | str | None = _PURCHASE,
    within: dt.timedelta | None = None,
    value: str | None = "value",
    frequency: Frequency = "rows",
    tz: str | None = None,
    bins: int = 5,
    ties: Ties = "value-left",
    nested: bool = False,
    cuts: RfmCuts | None = None,
    few_values: FewValues = "raise",
    unknown_kinds: UnknownKinds = "warn",
) -> Rfm:
    """Score each member by how recently, how often and for how much they did something.

    Parameters
    ----------
    log, as_of, kinds, within, value, frequency, tz, unknown_kinds
        As in `rfm_values`.
    bins : int, default 5
        The highest score, from 1 to 127.
    ties : {"value-left", "value-right", "midrank"}
        Equal values share a score: that of the first of them (``"value-left"``), of the last, or of the middle. Never
        does the order of rows decide.
    nested : bool, default False
        Score frequency among members of the same recency score, and money among those of the same two.
    cuts : RfmCuts, optional
        Score by these instead, which another call found or `RfmCuts.of` made; `bins`, `ties` and `nested` are then left
        alone.
    few_values : {"raise", "warn", "ignore"}
        What to do where members have fewer distinct values of one of the three than there are scores. Equal values
        share a score all the same, and some scores are nobody's. Nested, values of all members count.

    Returns
    -------
    Rfm
        Over ``log.members``. Members without a row that counts score 0.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An option can't be used; there are more bins than distinct values; a value that counts is not finite.

    Warns
    -----
    UnknownKindWarning
        The log lacks a kind.

    See Also
    --------
    rfm_values : The numbers without scores: what parts of a log make to agree on cuts.

    Notes
    -----
    Among n members with a row, score = floor(bins × #(worse) / n) + 1, for each of the three by itself. Worse is a row
    longer ago, fewer rows, or a smaller sum. Of members with equal values at the places L to R, from the worst and
    counted from 0, #(worse) is L with ``"value-left"``, R with ``"value-right"`` and (L + R) / 2 with ``"midrank"``.
    All is decided in integers, recency in microseconds.

    The score rises with the value, and so is told by `bins` - 1 cuts: the least value found that got each score.

    References
    ----------
    Hughes, A. M. (1994). *Strategic Database Marketing*. Probus.

    Examples
    --------
    >>> from pendulum import datetime
    >>> from shequn.columns import EventLog
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann", "cy"],
    ...     kind=["purchase", "purchase", "purchase", "post"],
    ...     at=[0, 3600, 43_200, 50_000],
    ...     time_unit="s",
    ...     value=[500, 90, 750, 0],
    ... )
    >>> found = rfm(log, as_of=datetime(1970, 1, 2), bins=2)
    >>> found.scores.tolist()
    [[2, 2, 2], [1, 1, 1], [0, 0, 0]]
    >>> found.score_one(recency_days=0.7, frequency=2, monetary=100)
    RfmScore(recency=1, frequency=2, monetary=1)
    """
    found = rfm_values(
        log,
        as_of=as_of,
        kinds=kinds,
        within=within,
        value=value,
        frequency=frequency,
        tz=tz,
        unknown_kinds=unknown_kinds,
    )
    return found.score(bins=bins, ties=ties, nested=nested, cuts=cuts, few_values=few_values)


def rfm_values(
    log: EventLog,
    /,
    *,
    as_of: dt.datetime,
    kinds: Collection[str] | str | None = _PURCHASE,
    within: dt.timedelta | None = None,
    value: str | None = "value",
    frequency: Frequency = "rows",
    tz: str | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> RfmValues:
    """Measure how recently, how often and for how much each member did something, without scoring it.

    Parameters
    ----------
    log : EventLog
    as_of : aware datetime
        Rows up to it, itself included, are known.
    kinds : collection of str, or None, default {"purchase"}
        Kinds of event that count. None stands for every kind that is activity.
    within : timedelta, optional
        Count rows in (as_of - within, as_of]; by default from the beginning.
    value : str or None, default "value"
        Column whose values are summed: ``"value"``, or an extra. With None nothing is, and all sums are 0.
    frequency : {"rows", "days"}
        Count rows, or days of `tz` with at least one row.
    tz : str, optional
        Zone of those days, and needed for them alone.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    RfmValues
        Over ``log.members``.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An option can't be used, the log lacks the column, or a value that counts is not finite.

    Examples
    --------
    >>> from pendulum import datetime
    >>> from shequn.columns import EventLog
    >>> log = EventLog.from_columns(member=[7, 9, 7], kind="purchase", at=[0, 1, 2], time_unit="s", value=[5, 6, 7])
    >>> rfm_values(log, as_of=datetime(1970, 1, 2)).monetary.tolist()
    [12, 6]
    """
    instance("log", log, EventLog, expected="an EventLog")
    as_of_us = instant_us(as_of, argument="as_of")
    within_us = None if within is None else _within_us(within)
    one_of("frequency", frequency, get_args(Frequency))
    if (frequency == "days") is not (tz is not None):
        raise InvalidValueError(message("tz", "a zone with frequency='days', and none otherwise", tz))
    calendar = None if tz is None else Calendar.of("day", tz=tz)
    window = InWindow(
        kinds=of_kinds(log, kinds, unknown_kinds=unknown_kinds),
        after_us=None if within_us is None else as_of_us - within_us,
        until_us=as_of_us,
    )
    found = per_member(log, window, summed_column(log, value))
    often = found.rows if calendar is None else _days(log, window, calendar)
    # New memory costs more than to fill it: what was last becomes how long ago.
    recency_us = np.subtract(as_of_us, found.last_us, out=found.last_us)
    recency_us[found.rows == 0] = NO_INSTANT
    return RfmValues(
        members=log.members,
        recency_us=frozen(recency_us),
        frequency=frozen(often),
        monetary=frozen(found.total),
        definition=RfmDefinition(
            as_of_us=as_of_us,
            within_us=within_us,
            kinds=None if kinds is None else kind_set(kinds, argument="kinds"),
            frequency=frequency,
            tz=tz,
            value=value,
        ),
    )


def _within_us(within: dt.timedelta) -> int:
    if isinstance(within, timedelta) and within < timedelta(0):
        raise InvalidValueError(message("within", "a duration longer than 0: a window can't lie in the future", within))
    return elapsed_us("within", within, at_least=1)


def _days(log: EventLog, window: InWindow, calendar: Calendar) -> IntArray:
    """Return on how many days each member has a row that counts."""
    rows = np.flatnonzero(window.mask(log))
    if not len(rows):
        return np.zeros(len(log.members), dtype=np.int64)
    day = calendar.index(log.at_us.take(rows)).astype(np.int64)
    first, span = int(day.min()), int(day.max()) - int(day.min()) + 1
    held = each_once(log.member_codes.take(rows).astype(np.int64) * span + (day - first))
    return np.bincount(held // span, minlength=len(log.members))
