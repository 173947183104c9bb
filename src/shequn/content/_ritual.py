"""Was the daily ritual kept: the same form, the same length, at the same time?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias

import attrs
import numpy as np
import pendulum

from shequn.columns.readonly import by_fields, codes_column, frozen
from shequn.columns.table import Column, Tabular
from shequn.content.planning.slots import clock_times_us
from shequn.entities.content_item import ContentItem
from shequn.entities.content_taxonomies import ContentFormat
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import InvalidTypeError, InvalidValueError, counted, message
from shequn.stats._checks import counts_column, instance, items_of, number_between, refuse
from shequn.values._wall import DAY_US, first_at_or_after
from shequn.values.calendar import Calendar
from shequn.values.daily_window import DailyWindow
from shequn.values.elapsed import elapsed_us
from shequn.values.instants import from_us, instant_us
from shequn.values.rate import Rate
from shequn.values.window import Window
from shequn.values.zones import zone_name

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.table import Lang

__all__ = ["RitualAdherence", "RitualDay", "RitualReason", "ritual"]

Weekdays: TypeAlias = "str | Iterable[int | str] | None"

_QUARTER = pendulum.duration(minutes=15)
# Days are 23 hours long at least, nearly everywhere: no post is on time for two of them.
_MOST_TOLERANCE_US = 11 * 3_600_000_000


class RitualReason(Taxonomy):
    """Whether a ritual was kept on a day, or what it lacked; of several, what comes closest.

    Examples
    --------
    >>> RitualReason.MISSED.zh, RitualReason.from_label("时长不符")
    ('缺席', <RitualReason.WRONG_LENGTH: 'wrong_length'>)
    """

    KEPT = "kept", "守约", "kept"
    WRONG_LENGTH = "wrong_length", "时长不符", "wrong or unknown length"
    WRONG_FORMAT = "wrong_format", "形式不符", "wrong or unknown format"
    OFF_TIME = "off_time", "不准时", "not on time"
    MISSED = "missed", "缺席", "missed"


_REASONS = tuple(RitualReason)


def ritual(
    items: Iterable[ContentItem],
    /,
    *,
    window: Window,
    tz: str | tzinfo,
    time: str | dt.time,
    weekdays: Weekdays = None,
    tolerance: dt.timedelta = _QUARTER,
    format: ContentFormat | str | None = None,  # noqa: A002  (the name of the field)
    seconds: float | None = None,
    within_seconds: float = 0.0,
) -> RitualAdherence:
    """Tell on which days a ritual was kept, such as a voice message of 60 seconds at half past six each morning.

    Parameters
    ----------
    items : iterable of ContentItem
        What was posted; items without `published` are left out.
    window : Window
        The days whose appointed time lies in it are judged.
    tz : str or tzinfo
        The zone of days and times.
    time : str or time
        The appointed time of day. Where the zone skips it, the first instant after.
    weekdays : str or iterable, optional
        The days it is for, as `DailyWindow` takes them: ``"mon-fri"``; all by default.
    tolerance : timedelta, default 15 minutes
        So much earlier or later is on time; at most 11 hours.
    format : ContentFormat or str, optional
        The form it must have; any by default.
    seconds : float, optional
        How long it must play; any length by default.
    within_seconds : float, default 0
        So much shorter or longer is taken.

    Returns
    -------
    RitualAdherence
        One row a day, and the share of days on which it was kept, with its interval.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used.
    UnknownLabelError
        There is no such zone, weekday or format.

    Notes
    -----
    A day is kept if one post is on time, of the format and of the length. Otherwise the reason is the first that holds:
    a post on time of the format; a post on time; a post of the format and length on the same local day; none of these.

    References
    ----------
    Row N13 of the domain table: the 60-second voice of 罗辑思维.

    Examples
    --------
    >>> monday = pendulum.datetime(2024, 3, 4, 6, 30, tz="Asia/Shanghai")
    >>> posted = [monday, monday.add(days=1), monday.add(days=2, hours=2)]
    >>> items = [
    ...     ContentItem(id=n, kind="educational", format="voice", seconds=60, created=at, published=at)
    ...     for n, at in enumerate(posted)
    ... ]
    >>> kept = ritual(
    ...     items,
    ...     window=Window(monday.start_of("day"), monday.start_of("day").add(days=4)),
    ...     tz="Asia/Shanghai",
    ...     time="06:30",
    ...     format="voice",
    ...     seconds=60,
    ... )
    >>> print(kept)
    day         reason       post
    ─────────────────────────────
    2024-03-04  kept         0
    2024-03-05  kept         1
    2024-03-06  not on time  2
    2024-03-07  missed       –
    kept on 2 of 4 days, 50.0% (15.0% to 85.0%)
    """
    instance("window", window, Window, expected="a Window")
    name = zone_name(tz)
    asked = _Asked(
        tolerance_us=_tolerance(tolerance),
        format=None if format is None else ContentFormat.from_label(format, argument="format"),
        seconds=None if seconds is None else number_between("seconds", seconds, 0),
        within_seconds=number_between("within_seconds", within_seconds, 0),
    )
    posts = _posts(items)
    due_us = _appointments(window, name, int(clock_times_us([time], None)[0]), weekdays)
    days = Calendar(unit="day", tz=name)
    day_of_due = days.index(due_us).tolist()
    at_us = np.array([at for at, _ in posts], dtype=np.int64)
    by_day = dict[int, list[int]]()
    for place, day in enumerate(days.index(at_us).tolist()):
        by_day.setdefault(day, []).append(place)
    judged = [_judged(due, day, posts, by_day, asked) for due, day in zip(due_us.tolist(), day_of_due, strict=True)]
    return RitualAdherence(
        due_us=due_us,
        codes=np.array([_REASONS.index(reason) for reason, _ in judged], dtype=np.int8),
        posts=tuple(None if place is None else posts[place][1].id for _, place in judged),
        tz=name,
    )


class _Asked(NamedTuple):
    tolerance_us: int
    format: ContentFormat | None
    seconds: float | None
    within_seconds: float

    def fits_format(self, item: ContentItem) -> bool:
        return self.format is None or item.format is self.format

    def fits_length(self, item: ContentItem) -> bool:
        if self.seconds is None:
            return True
        return item.seconds is not None and abs(item.seconds - self.seconds) <= self.within_seconds


def _tolerance(tolerance: dt.timedelta) -> int:
    us = elapsed_us("tolerance", tolerance)
    if us > _MOST_TOLERANCE_US:
        raise InvalidValueError(message("tolerance", "a duration of at most 11 hours", tolerance))
    return us


def _posts(items: Iterable[ContentItem]) -> list[tuple[int, ContentItem]]:
    given = items_of("items", items, expected="ContentItems")
    for row, item in enumerate(given):
        if not isinstance(item, ContentItem):
            raise InvalidTypeError(message("items", "ContentItems", item, row=row))
    published = [(instant_us(item.published), item) for item in given if item.published is not None]
    return sorted(published, key=lambda post: post[0])


def _appointments(window: Window, tz: str, time_us: int, weekdays: Weekdays) -> IntArray:
    days = np.arange(window.start_us // DAY_US - 2, window.end_us // DAY_US + 3, dtype=np.int64)
    if weekdays is not None:
        # The window itself is of no interest: it is what reads weekdays.
        meant = DailyWindow(start="00:00", end="12:00", weekdays=weekdays, tz="UTC").mask(days * DAY_US)
        days = days[meant]
    wall = days * DAY_US + time_us
    if not len(wall):
        return wall
    due = first_at_or_after(wall, tz)
    # Where a zone skipped the whole day, the next one has an appointment of its own.
    own_day = Calendar(unit="day", tz=tz).index(due) == days
    kept: IntArray = due[own_day & window.mask(due)]
    return kept


def _judged(
    due: int, day: int, posts: list[tuple[int, ContentItem]], by_day: dict[int, list[int]], asked: _Asked
) -> tuple[RitualReason, int | None]:
    """Return what became of one appointment, and the post that comes closest."""
    near = [place for d in (day - 1, day, day + 1) for place in by_day.get(d, ())]
    on_time = [place for place in near if abs(posts[place][0] - due) <= asked.tolerance_us]
    right_form = [place for place in on_time if asked.fits_format(posts[place][1])]
    kept = [place for place in right_form if asked.fits_length(posts[place][1])]
    same_day = [
        place
        for place in by_day.get(day, ())
        if asked.fits_format(posts[place][1]) and asked.fits_length(posts[place][1])
    ]
    for reason, found in zip(_REASONS, (kept, right_form, on_time, same_day), strict=False):
        if found:
            return reason, min(found, key=lambda place: abs(posts[place][0] - due))
    return RitualReason.MISSED, None


class RitualDay(NamedTuple):
    """One day of a `RitualAdherence`.

    Attributes
    ----------
    day : pendulum.Date
        The local day.
    reason : RitualReason
    post : str, int or None
        Id of the post that kept it or comes closest; None where there is none.
    due : pendulum.DateTime
        The appointed time.

    Examples
    --------
    >>> RitualDay(pendulum.date(1970, 1, 1), RitualReason.KEPT, "voice-1", from_us(0)).reason.zh
    '守约'
    """

    day: pendulum.Date
    reason: RitualReason
    post: str | int | None
    due: pendulum.DateTime


def _codes(codes: ArrayLike) -> NDArray[np.int8]:
    return codes_column("codes", codes, len(_REASONS), of="reasons")


def _as_tuple(posts: Iterable[str | int | None]) -> tuple[str | int | None, ...]:
    return tuple(items_of("posts", posts, expected="an id or None for each day"))


@attrs.frozen(kw_only=True, repr=False, eq=False)
class RitualAdherence(Tabular[RitualDay]):
    """On which days a ritual was kept (仪式感); made by `ritual`.

    Parameters
    ----------
    due_us : ndarray of int64, shape (n,)
        The appointed times, in microseconds since 1970-01-01T00:00Z; ascending.
    codes : ndarray of int8, shape (n,)
        Whether it was kept, or why not, as its position in `RitualReason`.
    posts : tuple of str, int or None, length n
        Ids of the posts that kept it or come closest.
    tz : str
        The zone.

    Examples
    --------
    >>> start = pendulum.datetime(2024, 3, 4, tz="Asia/Shanghai")
    >>> ritual([], window=Window(start, start.add(days=7)), tz="Asia/Shanghai", time="06:30", weekdays="mon-fri")
    RitualAdherence(0 of 5 days)
    """

    due_us: IntArray
    codes: NDArray[np.int8] = attrs.field(converter=_codes)
    posts: tuple[str | int | None, ...] = attrs.field(converter=_as_tuple)
    tz: str

    _Row: ClassVar[type[Any] | None] = RitualDay

    def __attrs_post_init__(self) -> None:
        """Check that the columns fit each other."""
        due_us = counts_column("due_us", self.due_us, self.codes.shape, of="each day", least=-(2**62))
        object.__setattr__(self, "due_us", due_us)
        backwards = np.diff(due_us, prepend=due_us[:1] - 1) <= 0
        if backwards.any():
            refuse("due_us", "instants in ascending order", due_us, backwards)
        if len(self.posts) != len(due_us):
            raise InvalidValueError(message("posts", f"one entry for each of {len(due_us)} days", len(self.posts)))
        object.__setattr__(self, "tz", zone_name(self.tz))

    @property
    def kept(self) -> BoolArray:
        """On which days it was kept, shape (n,)."""
        return frozen(self.codes == 0)

    @property
    def rate(self) -> Rate:
        """Share of days on which it was kept, which knows its interval."""
        return Rate(int(self.kept.sum()), len(self))

    @property
    def counts(self) -> dict[RitualReason, int]:
        """How many days there are of each sort, also of none."""
        return dict(zip(_REASONS, np.bincount(self.codes, minlength=len(_REASONS)).tolist(), strict=True))

    def __len__(self) -> int:
        """Return the number of days."""
        return len(self.due_us)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return self._tidy()[:3]

    def _tidy(self) -> Sequence[Column]:
        days = Calendar(unit="day", tz=self.tz).index(self.due_us).astype("datetime64[D]")
        reasons = np.fromiter(_REASONS, dtype=object, count=len(_REASONS))[self.codes]
        posts = np.fromiter(self.posts, dtype=object, count=len(self.posts))
        return [
            Column(key="day", en="day", zh="日期", values=days, format="date"),
            Column(key="reason", en="reason", zh="结果", values=reasons),
            Column(key="post", en="post", zh="内容", values=posts),
            Column(key="due", en="due", zh="应发时刻", values=self.due_us),
        ]

    def _records(self, asked: str, columns: Mapping[str, NDArray[Any]]) -> Iterator[RitualDay]:
        for row, due in zip(super()._records(asked, columns), columns["due"].tolist(), strict=True):
            yield row._replace(due=from_us(due, self.tz))

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        if not len(self):
            return ()
        rate = self.rate
        told = f"{rate.value:.1%} ({rate.lower:.1%} to {rate.upper:.1%})"
        if lang == "zh":
            return (f"{rate.trials} 天中守约 {rate.hits} 天，{rate.value:.1%}（{rate.lower:.1%} 至 {rate.upper:.1%}）",)
        return (f"kept on {rate.hits} of {counted(rate.trials, 'day')}, {told}",)

    def __repr__(self) -> str:
        """Show on how many days it was kept."""
        return f"RitualAdherence({self.rate.hits:,} of {counted(len(self), 'day')})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
