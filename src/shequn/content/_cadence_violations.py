"""Was too much posted, or too little, or at the wrong hours?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias

import attrs
import numpy as np

from shequn.columns import EventLog
from shequn.columns.readonly import by_fields, codes_column
from shequn.columns.table import Column, Tabular
from shequn.content.schedules import Schedule
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import InvalidValueError, counted, message
from shequn.stats._checks import counts_column, instance, refuse, whole
from shequn.values.cadence import Cadence
from shequn.values.calendar import Calendar
from shequn.values.instants import from_us, to_instants
from shequn.values.quiet_hours import QuietHours
from shequn.values.rate import Rate
from shequn.values.window import Window
from shequn.values.zones import zone_name

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    import pendulum
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import IntArray
    from shequn.columns.table import Lang
    from shequn.values.daily_window import DailyWindow

__all__ = ["CadenceFault", "CadenceViolation", "CadenceViolations", "cadence_violations", "instants_of"]

Unit: TypeAlias = Literal["day", "week", "month"]


class CadenceFault(Taxonomy):
    """What is wrong with the times of posts.

    Examples
    --------
    >>> CadenceFault.TOO_SOON.zh, CadenceFault.from_label("当日过多")
    ('间隔过短', <CadenceFault.OVER_DAY: 'over_day'>)
    """

    OVER_DAY = "over_day", "当日过多", "too many a day"
    OVER_WEEK = "over_week", "当周过多", "too many a week"
    OVER_MONTH = "over_month", "当月过多", "too many a month"
    TOO_SOON = "too_soon", "间隔过短", "too soon"
    QUIET = "quiet", "打扰", "in quiet hours"
    UNDER_DAY = "under_day", "当日不足", "too few a day"
    UNDER_WEEK = "under_week", "当周不足", "too few a week"
    UNDER_MONTH = "under_month", "当月不足", "too few a month"


_FAULTS = tuple(CadenceFault)
_OVER: dict[Unit, CadenceFault] = {
    "day": CadenceFault.OVER_DAY,
    "week": CadenceFault.OVER_WEEK,
    "month": CadenceFault.OVER_MONTH,
}
_UNDER: dict[Unit, CadenceFault] = {
    "day": CadenceFault.UNDER_DAY,
    "week": CadenceFault.UNDER_WEEK,
    "month": CadenceFault.UNDER_MONTH,
}


class _Found(NamedTuple):
    """Faults of one sort, as columns."""

    fault: CadenceFault
    start_us: IntArray
    end_us: IntArray
    posts: IntArray
    limit: int


def cadence_violations(
    at: EventLog | Schedule | Sequence[dt.datetime] | ArrayLike,
    cadence: Cadence,
    /,
    *,
    tz: str | tzinfo,
    window: Window | None = None,
    at_least: Cadence | None = None,
    quiet: QuietHours | DailyWindow | Iterable[DailyWindow] | None = None,
) -> CadenceViolations:
    """Find where posts came too often, too soon after one another, too rarely, or in quiet hours.

    Parameters
    ----------
    at : EventLog, Schedule, or column of aware datetimes, shape (n,)
        When something was posted, in any order; of a log, every row (`EventLog.where` picks the posts).
    cadence : Cadence
        The most there should be, and the least time between two.
    tz : str or tzinfo
        The zone of days, weeks and months.
    window : Window, optional
        Posts outside it are not looked at. Needed with `at_least`.
    at_least : Cadence, optional
        The least there should be in a day, week and month; it has no `min_gap`. Only periods that lie in the window as
        a whole are judged.
    quiet : QuietHours, DailyWindow or iterable of them, optional
        When nothing should be posted.

    Returns
    -------
    CadenceViolations
        One row a violation, in order of time.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used; `at_least` has a gap, asks for more than `cadence` allows, or comes without a window.
    UnknownLabelError
        There is no such zone.

    References
    ----------
    Rows K7 and A5 of the domain table.

    Examples
    --------
    >>> import pendulum
    >>> monday = pendulum.datetime(2024, 3, 4, 8, tz="Asia/Shanghai")
    >>> at = [monday, monday.add(hours=1), monday.add(hours=12), monday.add(days=2)]
    >>> cadence = Cadence(per_day=2, min_gap=pendulum.duration(hours=3))
    >>> print(cadence_violations(at, cadence, tz="Asia/Shanghai"))
    fault           from              to                posts  limit
    ────────────────────────────────────────────────────────────────
    too many a day  2024-03-04 00:00  2024-03-05 00:00      3      2
    too soon        2024-03-04 08:00  2024-03-04 09:00      2      1
    4 posts in Asia/Shanghai: 2 violations
    """
    at_us = np.sort(instants_of(at))
    instance("cadence", cadence, Cadence, expected="a Cadence")
    name = zone_name(tz)
    if window is not None:
        instance("window", window, Window, expected="a Window, or None")
        at_us = at_us[window.mask(at_us)]
    found = [*_too_many(at_us, cadence, name), *_too_soon(at_us, cadence)]
    if at_least is not None:
        found += _too_few(at_us, cadence, at_least, name, window)
    n_quiet = 0
    if quiet is not None:
        disturbing = at_us[QuietHours.of(quiet).mask(at_us)]
        n_quiet = len(disturbing)
        found.append(_Found(CadenceFault.QUIET, disturbing, disturbing, np.ones(n_quiet, dtype=np.int64), 0))
    codes = np.concatenate([np.zeros(0, int), *(np.full(len(one.posts), _FAULTS.index(one.fault)) for one in found)])
    empty = np.zeros(0, dtype=np.int64)
    start_us, end_us, posts, limits = (
        np.concatenate([empty, *columns])
        for columns in (
            [one.start_us for one in found],
            [one.end_us for one in found],
            [one.posts for one in found],
            [np.full(len(one.posts), one.limit) for one in found],
        )
    )
    order = np.lexsort((codes, start_us))
    return CadenceViolations(
        codes=codes[order].astype(np.int8),
        start_us=start_us[order],
        end_us=end_us[order],
        posts=posts[order],
        limits=limits[order],
        n_posts=len(at_us),
        n_disturbing=n_quiet if quiet is not None else None,
        tz=name,
    )


def instants_of(at: object) -> IntArray:
    """Return instants in microseconds, of whatever has some."""
    if isinstance(at, EventLog | Schedule):
        return at.at_us
    return to_instants(at).us


def _calendars(cadence: Cadence, tz: str) -> Iterator[tuple[Unit, int, Calendar]]:
    """Give each capped unit with its cap and its calendar."""
    units: tuple[tuple[Unit, int | None], ...] = (
        ("day", cadence.per_day),
        ("week", cadence.per_week),
        ("month", cadence.per_month),
    )
    for unit, cap in units:
        if cap is not None:
            start = cadence.week_start if unit == "week" else "monday"
            yield unit, cap, Calendar(unit=unit, tz=tz, week_start=start)


def _too_many(at_us: IntArray, cadence: Cadence, tz: str) -> Iterator[_Found]:
    for unit, cap, calendar in _calendars(cadence, tz):
        periods, counts = np.unique(calendar.index(at_us), return_counts=True)
        over = counts > cap
        ends = calendar.start_us(periods[over]), calendar.end_us(periods[over])
        yield _Found(_OVER[unit], *ends, counts[over].astype(np.int64), cap)


def _too_soon(at_us: IntArray, cadence: Cadence) -> Iterator[_Found]:
    near = np.flatnonzero(np.diff(at_us) < cadence.min_gap_us)
    yield _Found(CadenceFault.TOO_SOON, at_us[near], at_us[near + 1], np.full(len(near), 2, dtype=np.int64), 1)


def _too_few(at_us: IntArray, cadence: Cadence, at_least: Cadence, tz: str, window: Window | None) -> Iterator[_Found]:
    instance("at_least", at_least, Cadence, expected="a Cadence, or None")
    if at_least.min_gap is not None:
        raise InvalidValueError(message("at_least", "a Cadence without min_gap: it says the least", at_least))
    if window is None:
        raise InvalidValueError(message("window", "a Window, where at_least is given", None))
    for unit in ("per_day", "per_week", "per_month"):
        least, most = getattr(at_least, unit), getattr(cadence, unit)
        if least is not None and most is not None and least > most:
            raise InvalidValueError(message("at_least", f"{unit} of at most {most}, as in cadence", least))
    for unit, least, calendar in _calendars(at_least, tz):
        first, last = (calendar.index_one(us) for us in (window.start_us, window.end_us - 1))
        periods = np.arange(first, last + 1, dtype=np.int64)
        starts, ends = calendar.start_us(periods), calendar.end_us(periods)
        # A day that a zone skipped has no instant to post at.
        whole_ones = (starts >= window.start_us) & (ends <= window.end_us) & (starts < ends)
        of_post = calendar.index(at_us).astype(np.int64) - first
        # Where clocks go back over midnight, a window may begin or end in a day that came before, and comes again.
        of_post = of_post[(of_post >= 0) & (of_post < len(periods))]
        counts = np.bincount(of_post, minlength=len(periods))
        under = whole_ones & (counts < least)
        yield _Found(_UNDER[unit], starts[under], ends[under], counts[under].astype(np.int64), least)


class CadenceViolation(NamedTuple):
    """One row of `CadenceViolations`.

    Attributes
    ----------
    fault : CadenceFault
    start, end : pendulum.DateTime
        The day, week or month, half-open; of two posts that are too near, their instants; of one in quiet hours its.
    posts : int
        How many there were.
    limit : int
        How many there may be at most, or should be at least.

    Examples
    --------
    >>> CadenceViolation(CadenceFault.QUIET, from_us(0), from_us(0), 1, 0).fault.zh
    '打扰'
    """

    fault: CadenceFault
    start: pendulum.DateTime
    end: pendulum.DateTime
    posts: int
    limit: int


def _codes(codes: ArrayLike) -> NDArray[np.int8]:
    return codes_column("codes", codes, len(_FAULTS), of="faults")


@attrs.frozen(kw_only=True, repr=False, eq=False)
class CadenceViolations(Tabular[CadenceViolation]):
    """Where a cadence was not kept; made by `cadence_violations`.

    Parameters
    ----------
    codes : ndarray of int8, shape (m,)
        What was wrong, as its position in `CadenceFault`.
    start_us, end_us : ndarray of int64, shape (m,)
        From when to when, as in `CadenceViolation`, in microseconds since 1970-01-01T00:00Z.
    posts, limits : ndarray of int64, shape (m,)
        How many there were, and how many there may or should be.
    n_posts : int
        Posts looked at.
    n_disturbing : int, optional
        Those in quiet hours; None where no quiet hours were given.
    tz : str
        The zone.

    Examples
    --------
    >>> import pendulum
    >>> monday = pendulum.datetime(2024, 3, 4, tz="Asia/Shanghai")
    >>> at = [monday.add(hours=8), monday.add(days=1, hours=8)]
    >>> week = Window(monday, monday.add(weeks=1))
    >>> rare = cadence_violations(at, Cadence(), tz="Asia/Shanghai", window=week, at_least=Cadence(per_week=3))
    >>> rare, [(row.fault.zh, row.posts, row.limit) for row in rare.rows()]
    (CadenceViolations(1 of 2 posts), [('当周不足', 2, 3)])
    """

    codes: NDArray[np.int8] = attrs.field(converter=_codes)
    start_us: IntArray
    end_us: IntArray
    posts: IntArray
    limits: IntArray
    n_posts: int
    n_disturbing: int | None = None
    tz: str

    _Row: ClassVar[type[Any] | None] = CadenceViolation

    def __attrs_post_init__(self) -> None:
        """Check that the columns fit each other."""
        shape, of = self.codes.shape, "each violation"
        for name in ("start_us", "end_us"):
            object.__setattr__(self, name, counts_column(name, getattr(self, name), shape, of=of, least=-(2**62)))
        for name in ("posts", "limits"):
            object.__setattr__(self, name, counts_column(name, getattr(self, name), shape, of=of))
        backwards = self.end_us < self.start_us
        if backwards.any():
            refuse("end_us", "instants not before start_us", self.end_us, backwards)
        disturbing = 0 if self.n_disturbing is None else whole("n_disturbing", self.n_disturbing)
        if not 0 <= disturbing <= whole("n_posts", self.n_posts):
            expected = "0 or more" if disturbing < 0 else f"at most n_posts ({self.n_posts})"
            raise InvalidValueError(message("n_disturbing", expected, disturbing))
        object.__setattr__(self, "tz", zone_name(self.tz))

    @property
    def counts(self) -> dict[CadenceFault, int]:
        """How many violations there are of each sort, also of none."""
        return dict(zip(_FAULTS, np.bincount(self.codes, minlength=len(_FAULTS)).tolist(), strict=True))

    @property
    def disturbance(self) -> Rate:
        """Share of posts in quiet hours; of nothing where no quiet hours were given."""
        return Rate(0, 0) if self.n_disturbing is None else Rate(self.n_disturbing, self.n_posts)

    def __len__(self) -> int:
        """Return the number of violations."""
        return len(self.codes)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        told = [
            np.array([f"{from_us(us, self.tz):YYYY-MM-DD HH:mm}" for us in column.tolist()], dtype=object)
            for column in (self.start_us, self.end_us)
        ]
        fault, _, _, posts, limit = self._tidy()
        return [
            fault,
            Column(key="start", en="from", zh="自", values=told[0]),
            Column(key="end", en="to", zh="至", values=told[1]),
            posts,
            limit,
        ]

    def _tidy(self) -> Sequence[Column]:
        start, end = (
            np.array([np.datetime64(from_us(us, self.tz).naive(), "us") for us in column.tolist()], dtype="M8[us]")
            for column in (self.start_us, self.end_us)
        )
        faults = np.fromiter(_FAULTS, dtype=object, count=len(_FAULTS))[self.codes]
        return [
            Column(key="fault", en="fault", zh="问题", values=faults),
            Column(key="start", en="from", zh="自", values=start, format="date"),
            Column(key="end", en="to", zh="至", values=end, format="date"),
            Column(key="posts", en="posts", zh="条数", values=self.posts, format="count"),
            Column(key="limit", en="limit", zh="限值", values=self.limits, format="count"),
        ]

    def _records(self, asked: str, columns: Mapping[str, NDArray[Any]]) -> Iterator[CadenceViolation]:
        n = len(columns["fault"])
        begin = len(self) - n  # of `last` the last row alone is asked for
        for place, row in enumerate(super()._records(asked, columns), start=begin):
            start, end = (from_us(int(column[place]), self.tz) for column in (self.start_us, self.end_us))
            yield row._replace(start=start, end=end)

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        notes = [
            f"{self.tz} {self.n_posts:,} 条：{len(self):,} 处违规"
            if lang == "zh"
            else f"{counted(self.n_posts, 'post')} in {self.tz}: {counted(len(self), 'violation')}"
        ]
        if self.n_disturbing is not None and self.n_posts:
            share = f"{self.disturbance.value:.1%}"
            told = f"打扰率 {share}" if lang == "zh" else f"in quiet hours: {share}"
            notes.append(told)
        return tuple(notes)

    def __repr__(self) -> str:
        """Show how many there are."""
        return f"CadenceViolations({len(self):,} of {counted(self.n_posts, 'post')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
