"""Who bought how often, and when last? From the rows of a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.columns.in_window import InWindow
from shequn.columns.kinds import UnknownKinds, of_kinds
from shequn.columns.log import EventLog
from shequn.columns.summed import summed_column
from shequn.entities import EventKind
from shequn.lifetime.summary import TransactionSummary
from shequn.stats._checks import instance, refuse
from shequn.values.calendar import Calendar
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.values.calendar import Unit, WeekStart

__all__ = ["transaction_summary"]

_PURCHASE = frozenset({EventKind.PURCHASE.value})


def transaction_summary(
    log: EventLog,
    /,
    *,
    as_of: dt.datetime,
    every: Unit | Calendar,
    tz: str | None = None,
    week_start: WeekStart = "monday",
    kinds: Collection[str] | str | None = _PURCHASE,
    value: str | None = "value",
    unknown_kinds: UnknownKinds = "warn",
) -> TransactionSummary:
    """Summarise how each member bought: repeat purchases, age at the last one, age now, and mean spend.

    Parameters
    ----------
    log : EventLog
    as_of : aware datetime
        Rows up to it, itself included, are known; ages end in its period. Midnight opens a new one: for what was
        known at the end of Sunday, give Sunday's last second.
    every : {"hour", "day", "week", "month", "quarter", "year"} or Calendar
        The period. Purchases within one count as one, so it should be shorter than the usual time between two.
    tz : str, optional
        Zone in which periods are local; a calendar brings its own.
    week_start : {"monday", "sunday"}
    kinds : collection of str, or None, default {"purchase"}
        Kinds of event that are purchases. None stands for every kind that is activity.
    value : str or None, default "value"
        Column whose values are spent; ``"value"``, or an extra. None leaves spend out.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    TransactionSummary
        A row for each member with a purchase up to `as_of`, in the order of ``log.members``.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        An option can't be used, the log lacks the column, or a value that counts is not finite.

    Notes
    -----
    With p0 the period of the first purchase, p1 that of the last one, and k periods with a purchase: frequency k − 1,
    recency p1 − p0, age (period of `as_of`) − p0. Spend is what was spent after p0, over k − 1.

    References
    ----------
    Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005). RFM and CLV: Using iso-value curves for customer base
    analysis. Journal of Marketing Research 42(4), 415-430. https://doi.org/10.1509/jmkr.2005.42.4.415

    Examples
    --------
    >>> from pendulum import datetime
    >>> from shequn.columns import EventLog
    >>> day = 86_400
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann", "ann"], kind="purchase", at=[0, day, 9 * day, 9 * day + 60], time_unit="s",
    ...     value=[500, 90, 700, 50],
    ... )
    >>> print(transaction_summary(log, as_of=datetime(1970, 1, 15), every="day", tz="UTC"))
    member  repeats  age at last    age  mean spend
    ───────────────────────────────────────────────
    ann           1         9.00  14.00      750.00
    bo            0         0.00  13.00           –
    Period: day, UTC.
    """
    instance("log", log, EventLog, expected="an EventLog")
    as_of_us = instant_us(as_of, argument="as_of")
    calendar = Calendar.of(every, tz=tz, week_start=week_start)
    spent = summed_column(log, value)
    window = InWindow(kinds=of_kinds(log, kinds, unknown_kinds=unknown_kinds), after_us=None, until_us=as_of_us)
    rows = np.flatnonzero(window.mask(log))
    member = log.member_codes.take(rows).astype(np.int64)
    period = calendar.index(log.at_us.take(rows)).astype(np.int64)
    now = int(calendar.index(np.array([as_of_us]))[0])
    first, last, active = _ends(member, period, now, len(log.members))
    bought = np.flatnonzero(active)
    mean_spend = None
    if spent is not None:
        _require_finite(spent, rows)
        mean_spend = _mean_spend(spent.take(rows), member, period > first[member], np.maximum(active - 1, 0))[bought]
    return TransactionSummary(
        members=log.members.take(bought),
        frequency=active[bought] - 1,
        recency=last[bought] - first[bought],
        age=now - first[bought],
        spend=mean_spend,
        calendar=calendar,
    )


def _ends(member: IntArray, period: IntArray, now: int, n_members: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return first and last period of each member, and the number of periods with a row."""
    if not len(member):
        nobody = np.zeros(n_members, dtype=np.int64)
        return nobody, nobody, nobody
    low = int(period.min())
    span = now - low + 1
    first, last = np.full(n_members, now), np.full(n_members, low)
    np.minimum.at(first, member, period)
    np.maximum.at(last, member, period)
    return first, last, _n_cells(member, period - low, n_members, span)


def _n_cells(member: IntArray, period: IntArray, n_members: int, span: int) -> IntArray:
    """Return in how many periods each member has a row."""
    keys = member * span
    keys += period
    if n_members * span <= 8 * len(keys) + (1 << 20):  # a byte for each is less than the keys weigh
        is_held = np.zeros((n_members, span), dtype=np.bool_)
        is_held.reshape(-1)[keys] = True
        held: IntArray = is_held.sum(axis=1, dtype=np.int64)
        return held
    keys.sort()
    is_new = np.ones(len(keys), dtype=np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=is_new[1:])
    return np.bincount(keys[is_new] // span, minlength=n_members)


def _mean_spend(values: NDArray[Any], member: IntArray, is_repeat: BoolArray, often: IntArray) -> FloatArray:
    """Return what each member spent after the first period, by repeat purchase; NaN without one."""
    total = np.bincount(member[is_repeat], weights=values[is_repeat], minlength=len(often))
    mean: FloatArray = np.divide(total, often, out=np.full(len(often), np.nan), where=often > 0)
    return mean


def _require_finite(values: NDArray[Any], rows: IntArray) -> None:
    bad = ~np.isfinite(values.take(rows))
    if bad.any():
        is_bad = np.zeros(len(values), dtype=np.bool_)
        is_bad[rows[bad]] = True
        refuse("value", "finite numbers", values, is_bad)
