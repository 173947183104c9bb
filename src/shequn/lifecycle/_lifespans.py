"""How long did each community live? From when it began, when it ended, and until when that was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.entities import Group
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, message
from shequn.labels import Index
from shequn.labels.encode import is_null
from shequn.lifecycle.lifespan import EXPECTED_LIFESPAN, Lifespans, days_of
from shequn.stats._checks import items_of, refuse
from shequn.values.instants import instant_us, to_instants

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, IntArray
    from shequn.labels import Label
    from shequn.values.instants import TimeUnit

__all__ = ["lifespans"]


def lifespans(
    groups: Iterable[Group] | None = None,
    /,
    *,
    created: ArrayLike | Sequence[dt.datetime] | None = None,
    closed: ArrayLike | Sequence[dt.datetime | None] | None = None,
    communities: ArrayLike | Sequence[Label] | None = None,
    as_of: dt.datetime,
    seen_from: dt.datetime | None = None,
    at_tz: str | dt.tzinfo | None = None,
    time_unit: TimeUnit | None = None,
    prior_mean: dt.timedelta = EXPECTED_LIFESPAN,
    prior_weight: float = 1.0,
    overdue_at: float = 1.0,
) -> Lifespans:
    """Measure how long communities live, from those that ended and those that live.

    Parameters
    ----------
    groups : iterable of Group, optional
        Chat groups with `created` and `closed`; or, in their place, columns:
    created : column of instants, shape (n,), optional
        When each began, in any form that `to_instants` takes.
    closed : column of instants, shape (n,), optional
        When each ended; None or NaT while it lives. Left out: all live.
    communities : column of labels, shape (n,), optional
        What each is called; numbered from 0 otherwise.
    as_of : aware datetime
        Until when was seen. An end after it is not known yet.
    seen_from : aware datetime, optional
        Since when ends were recorded at all: communities that had ended by then are in nobody's list, so that older
        ones have entered late.
    at_tz, time_unit : optional
        How instants are told, as in `to_instants`.
    prior_mean : duration, default 6 months
        Mean life that is believed before any is seen; a month is 30.436875 days.
    prior_weight : float, default 1.0
        How many ended communities that belief is worth, from 1e-9 to 1e8.
    overdue_at : float, default 1.0
        A living community is overdue from so many mean lives on.

    Returns
    -------
    Lifespans

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        A column or an option can't be used, a community ends before it begins, or one ended before `seen_from`. The
        message names the row.

    References
    ----------
    S1 §三(二), row N4 of the domain table.

    Examples
    --------
    >>> from pendulum import datetime
    >>> lives = lifespans(
    ...     created=[datetime(2024, 1, 1), datetime(2024, 2, 1), datetime(2024, 3, 1)],
    ...     closed=[datetime(2024, 3, 31), datetime(2024, 2, 8), None], as_of=datetime(2024, 12, 31),
    ... )
    >>> lives.days.tolist(), lives.curve.median, lives.overdue.tolist()
    ([90.0, 7.0, 305.0], 90.0, [False, False, True])
    """
    if (groups is None) == (created is None):
        given = "neither" if groups is None else "both"
        raise InvalidTypeError(message("groups, created", "one of the two", given))
    if groups is not None:
        if closed is not None or communities is not None:
            raise InvalidTypeError(message("closed, communities", "nothing beside groups, which tell both", "a column"))
        created, closed, communities = _told_by(groups)
    born = to_instants(created, argument="created", at_tz=at_tz, time_unit=time_unit).us
    ends, is_closed = _ends(closed, len(born), at_tz, time_unit)
    index = Index.positional(len(born)) if communities is None else Index(communities, argument="communities")
    if len(index) != len(born):
        raise MisalignedError(message("communities", f"as many as `created`, which has {len(born)}", len(index)))
    if (bad := is_closed & (ends < born)).any():
        refuse("closed", "an instant not before `created`", ends.view("M8[us]").astype(str), bad)
    as_of_us = instant_us(as_of, argument="as_of")
    is_closed = is_closed & (ends <= as_of_us)
    lived = np.where(is_closed, ends, as_of_us) - born
    entry = np.full(len(born), -1, dtype=np.int64)
    if seen_from is not None:
        from_us = instant_us(seen_from, argument="seen_from")
        if from_us >= as_of_us:
            raise InvalidValueError(message("seen_from", f"an instant before as_of ({as_of})", seen_from))
        if (bad := is_closed & (ends <= from_us)).any():
            refuse("closed", f"an instant after seen_from ({seen_from})", ends.view("M8[us]").astype(str), bad)
        entry = np.where(born < from_us, from_us - born, -1)
    is_born = born <= as_of_us
    return Lifespans(
        communities=index if is_born.all() else index.take(is_born),
        lived_us=lived[is_born],
        is_closed=is_closed[is_born],
        entry_us=entry[is_born],
        unborn=int((~is_born).sum()),
        prior_mean_days=_longer_than_0(prior_mean),
        prior_weight=prior_weight,
        overdue_at=overdue_at,
    )


def _longer_than_0(prior_mean: dt.timedelta) -> float:
    days = days_of(prior_mean, argument="prior_mean")
    if days <= 0:
        raise InvalidValueError(message("prior_mean", "a duration longer than 0", prior_mean))
    return days


def _told_by(groups: Iterable[Group]) -> tuple[list[dt.datetime], list[dt.datetime | None], list[Label]]:
    given = items_of("groups", groups, expected="records of Group")
    for row, group in enumerate(given):
        if not isinstance(group, Group):
            raise InvalidTypeError(message("groups", "records of Group", group, row=row))
    return [g.created for g in given], [g.closed for g in given], [g.id for g in given]


def _ends(
    closed: ArrayLike | Sequence[dt.datetime | None] | None,
    n: int,
    at_tz: str | dt.tzinfo | None,
    time_unit: TimeUnit | None,
) -> tuple[IntArray, BoolArray]:
    """Return when each ended, and whether it did."""
    if closed is None:
        return np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.bool_)
    column: Any = (
        closed if hasattr(closed, "__array__") else items_of("closed", closed, expected="a column of instants")
    )
    try:
        n_rows = len(column)
    except TypeError:  # an array without axes
        raise InvalidTypeError(message("closed", "a column of instants", closed)) from None
    if n_rows != n:
        raise MisalignedError(message("closed", f"as many rows as `created`, which has {n}", n_rows))
    is_closed = np.fromiter((not _is_open(value) for value in column), dtype=np.bool_, count=n)
    known = (
        column[is_closed] if hasattr(column, "__array__") else [v for v, c in zip(column, is_closed, strict=True) if c]
    )
    ends = np.zeros(n, dtype=np.int64)
    if is_closed.any():
        ends[is_closed] = to_instants(known, argument="closed", at_tz=at_tz, time_unit=time_unit).us
    return ends, is_closed


def _is_open(value: Any) -> bool:  # noqa: ANN401
    return is_null(value) or (type(value) is np.datetime64 and bool(np.isnat(value)))
