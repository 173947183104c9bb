"""How long will what is ready to post last, is enough being made, and does it come on time?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

import attrs
import numpy as np
import pendulum

from shequn.columns.readonly import by_fields, read_only
from shequn.columns.table import Column, Tabular
from shequn.content._mix import content_items
from shequn.entities import ContentStatus
from shequn.errors import InvalidValueError, UnknownLabelError, counted, message, suggest
from shequn.stats._checks import counts_column, instance, level_in_unit, number_between, reals_column, whole
from shequn.stats.tails import normal_quantile
from shequn.values import Cadence, Rate
from shequn.values.elapsed import elapsed_us
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Sequence

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.entities import ContentItem
    from shequn.labels import Label

__all__ = ["Backlog", "BacklogRow", "backlog"]

_DAY_US = 86_400_000_000
_DAYS_OF_A_MONTH = 365.2425 / 12
_FOUR_WEEKS = pendulum.duration(days=28)
_STATUSES = tuple(ContentStatus)
_WAITING = (ContentStatus.DRAFT, ContentStatus.SCHEDULED)


def backlog(
    items: Iterable[ContentItem],
    /,
    *,
    as_of: dt.datetime,
    per_day: float | None = None,
    cadence: Cadence | None = None,
    within: dt.timedelta = _FOUR_WEEKS,
    due: Mapping[Label, dt.datetime] | None = None,
    level: float = 0.95,
) -> Backlog:
    r"""Tell how many days the content that is ready will last, whether enough is made, and whether it comes on time.

    Parameters
    ----------
    items : iterable of ContentItem
        All there are, posted ones included; each once.
    as_of : datetime
        The instant of the question; aware. What a later instant says of an item is a plan.
    per_day : float, optional
        How many are wanted a day, above 0.
    cadence : Cadence, optional
        The same by its caps: as many as it lets through in the long run. Without either, demand is what was posted a
        day `within`.
    within : timedelta, default 28 days
        The time (as_of - within, as_of] over which what was made and posted is counted.
    due : mapping of item id to datetime, optional
        When items should be or should have been posted; aware.
    level : float, default 0.95
        Confidence level of the intervals.

    Returns
    -------
    Backlog

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used; both `per_day` and `cadence` are given; the cadence has no cap, or lets nothing
        through.
    UnknownLabelError
        `due` names an item that is not there.

    Notes
    -----
    Ready are drafts and scheduled items. With r of them, a demand of d a day and c a day being made:

    - cover is :math:`r / d` days,
    - at these rates they run out after :math:`r / (d - c)` days, never where :math:`c \ge d`.

    The interval of c is the score interval of a Poisson count: :math:`m + z^2/2 \pm z\sqrt{m + z^2/4}` over the days.
    A month of a cadence has 365.2425 / 12 days. An item due at t is on time when it was posted at t or before, and late
    by the time since, until `as_of` if it is not posted yet. Those due after `as_of` don't count yet, even if they are
    posted: the early ones alone would flatter. Those given up unposted don't count either.

    References
    ----------
    S2, S3 §2.3 (策划、制作、发布), row K6 of the domain table.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from shequn.entities import ContentItem
    >>> made = [datetime(2024, 3, day, tzinfo=UTC) for day in (1, 4, 8, 11, 15)]
    >>> posted = [made[1], made[2], datetime(2024, 3, 20, tzinfo=UTC), None, None]
    >>> items = [
    ...     ContentItem(id=n, kind="educational", created=at, published=out)
    ...     for n, (at, out) in enumerate(zip(made, posted))
    ... ]
    >>> as_of = datetime(2024, 3, 15, 12, tzinfo=UTC)
    >>> print(backlog(items, as_of=as_of, per_day=0.5, within=pendulum.duration(days=14), due={1: made[0], 3: made[4]}))
    status     items  oldest, days
    ──────────────────────────────
    planned        0             –
    draft          2           4.5
    scheduled      1           7.5
    published      2             –
    archived       0             –
    Ready: 3 items, enough for 6.0 days at 0.50 a day.
    Made: 0.29 a day (0.11 to 0.73); at these rates it runs out in 14.0 days.
    On time: 0 of 2 that were due; 1 posted late, 1 still open.
    """
    now_us = instant_us(as_of, argument="as_of")
    span_us = elapsed_us("within", within, at_least=1)
    given = content_items(items)
    status = [item.status(as_of) for item in given]
    made, posted = _in_window(given, now_us - span_us, now_us)
    late_us, is_open = _lateness(given, due, now_us)
    demand = posted * _DAY_US / span_us if per_day is None and cadence is None else _demand(per_day, cadence)
    return Backlog(
        as_of_us=now_us,
        within_us=span_us,
        items=np.array([status.count(one) for one in _STATUSES], dtype=np.int64),
        oldest_days=np.array([_oldest_days(given, status, one, now_us) for one in _STATUSES]),
        made=made,
        posted=posted,
        per_day=demand,
        late_days=np.array(late_us, dtype=np.float64) / _DAY_US,
        open_late=sum(is_open),
        level=level,
    )


def _in_window(items: list[ContentItem], after_us: int, until_us: int) -> tuple[int, int]:
    made = sum(after_us < instant_us(item.created) <= until_us for item in items)
    posted = [item.published for item in items if item.published is not None]
    return made, sum(after_us < instant_us(at) <= until_us for at in posted)


def _demand(per_day: float | None, cadence: Cadence | None) -> float:
    if cadence is None:
        return number_between("per_day", per_day, 0, excluding="least")
    if per_day is not None:
        raise InvalidValueError(message("per_day", "None where there is a cadence", per_day))
    instance("cadence", cadence, Cadence, expected="a Cadence")
    caps = ((cadence.per_day, 1.0), (cadence.per_week, 7.0), (cadence.per_month, _DAYS_OF_A_MONTH))
    rates = [cap / days for cap, days in caps if cap is not None]
    rates += [_DAY_US / cadence.min_gap_us] if cadence.min_gap_us else []
    if not rates or min(rates) == 0:
        raise InvalidValueError(message("cadence", "one with a cap above 0, or a gap", cadence))
    return min(rates)


def _oldest_days(items: list[ContentItem], status: list[ContentStatus], one: ContentStatus, now_us: int) -> float:
    if one not in _WAITING:
        return math.nan
    since = [instant_us(item.created) for item, has in zip(items, status, strict=True) if has is one]
    return (now_us - min(since)) / _DAY_US if since else math.nan


def _lateness(items: list[ContentItem], due: object, now_us: int) -> tuple[list[int], list[bool]]:
    """Return how late those are that should be out by now, in the order of `due`, and which are not out yet."""
    late_us, is_open = list[int](), list[bool]()
    known = {item.id: item for item in items}
    for label, due_us in _due_us(due):
        item = known.get(label)
        if item is None:
            raise UnknownLabelError(message("due", "ids of the items", label) + suggest(label, known))
        posted_us = math.inf if item.published is None else instant_us(item.published)
        is_out = posted_us <= now_us
        is_given_up = not is_out and item.archived is not None and instant_us(item.archived) <= now_us
        if due_us <= now_us and not is_given_up:
            late_us.append(max(int(min(posted_us, now_us)) - due_us, 0))
            is_open.append(not is_out and due_us < now_us)
    return late_us, is_open


def _due_us(due: object) -> list[tuple[Label, int]]:
    if due is None:
        return []
    instance("due", due, Mapping, expected="a mapping of item id to an aware datetime")
    given = cast("Mapping[Label, dt.datetime]", due)
    return [(label, instant_us(at, argument=f"due[{label!r}]")) for label, at in given.items()]


def _us(value: int) -> int:
    return whole("as_of_us", value)


def _within_us(value: int) -> int:
    us = whole("within_us", value)
    if us < 1:
        raise InvalidValueError(message("within_us", "1 or more", value))
    return us


def _items(items: IntArray) -> IntArray:
    return counts_column("items", items, (len(_STATUSES),), of=f"each of the {len(_STATUSES)} statuses")


def _oldest(oldest_days: FloatArray) -> FloatArray:
    return read_only(oldest_days)


def _made(made: int) -> int:
    return int(counts_column("made", [made], (1,), of="one")[0])


def _posted(posted: int) -> int:
    return int(counts_column("posted", [posted], (1,), of="one")[0])


def _per_day(per_day: float) -> float:
    return number_between("per_day", per_day, 0)


def _late(late_days: FloatArray) -> FloatArray:
    return reals_column("late_days", late_days, (-1,), of="each item that was due", least=0)


def _level(level: float) -> float:
    return level_in_unit(level)


class BacklogRow(NamedTuple):
    """The items of one status; the names are those of `Backlog`.

    Examples
    --------
    >>> BacklogRow("draft", 2, 4.5).items
    2
    """

    status: str
    items: int
    oldest_days: float


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Backlog(Tabular[BacklogRow]):
    """How much content there is of each status, how long it lasts, and how late it comes; made by `backlog`.

    Parameters
    ----------
    as_of_us, within_us : int
        The instant of the question, and the time before it in which was counted, in microseconds.
    items : ndarray of int64, shape (5,)
        Items of each `ContentStatus`, in its order.
    oldest_days : ndarray of float64, shape (5,)
        How long ago the oldest draft and the oldest scheduled item were created; NaN for others.
    made, posted : int
        Items created, and posted, in the time before.
    per_day : float
        Items wanted a day.
    late_days : ndarray of float64, shape (k,)
        How late each of the items is that were due, 0 for those on time.
    open_late : int
        How many of them are late and not posted yet.
    level : float, default 0.95
        Confidence level of `capacity_interval`.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> empty = backlog([], as_of=datetime(2024, 3, 1, tzinfo=UTC), cadence=Cadence(per_day=2, per_week=7))
    >>> empty, empty.per_day, empty.cover_days
    (Backlog(0 items ready, 0.0 days), 1.0, 0.0)
    """

    as_of_us: int = attrs.field(converter=_us)
    within_us: int = attrs.field(converter=_within_us)
    items: IntArray = attrs.field(converter=_items)
    oldest_days: FloatArray = attrs.field(converter=_oldest)
    made: int = attrs.field(converter=_made)
    posted: int = attrs.field(converter=_posted)
    per_day: float = attrs.field(converter=_per_day)
    late_days: FloatArray = attrs.field(converter=_late)
    open_late: int = 0
    level: float = attrs.field(default=0.95, converter=_level)

    _Row: ClassVar[type[Any] | None] = BacklogRow

    @property
    def ready(self) -> int:
        """Drafts and scheduled items."""
        return sum(int(self.items[_STATUSES.index(status)]) for status in _WAITING)

    @property
    def cover_days(self) -> float:
        """How many days they last; NaN where nothing is wanted."""
        return self.ready / self.per_day if self.per_day else math.nan

    @property
    def capacity_per_day(self) -> float:
        """Items made a day."""
        return self.made / (self.within_us / _DAY_US)

    @property
    def capacity_interval(self) -> tuple[float, float]:
        """Interval of the items made a day, as if they came at random."""
        days, z = self.within_us / _DAY_US, -float(normal_quantile((1.0 - self.level) / 2.0))
        middle, half = self.made + z * z / 2.0, z * math.sqrt(self.made + z * z / 4.0)
        return max(middle - half, 0.0) / days, (middle + half) / days

    @property
    def runs_out_days(self) -> float:
        """When it runs out at the rates of now, in days; infinite where as much is made as is wanted."""
        missing = self.per_day - self.capacity_per_day
        return self.ready / missing if missing > 0 else math.inf

    @property
    def on_time(self) -> Rate:
        """How many of the items that were due were posted in time, or are due this instant."""
        return Rate(int(np.count_nonzero(self.late_days == 0)), len(self.late_days))

    @property
    def median_late_days(self) -> float:
        """Median of how late the late ones are; NaN where none is."""
        late = self.late_days[self.late_days > 0]
        return float(np.median(late)) if len(late) else math.nan

    def __len__(self) -> int:
        """Return the number of statuses."""
        return len(_STATUSES)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        statuses = np.fromiter(_STATUSES, dtype=object, count=len(_STATUSES))
        return [Column(key="status", en="status", zh="状态", values=statuses), *self._tidy()[1:]]

    def _tidy(self) -> Sequence[Column]:
        codes = np.fromiter((status.value for status in _STATUSES), dtype=object, count=len(_STATUSES))
        return [
            Column(key="status", en="status", zh="状态", values=codes),
            Column(key="items", en="items", zh="条数", values=self.items, format="count"),
            Column(
                key="oldest_days",
                en="oldest, days",
                zh="最久（天）",
                values=self.oldest_days,
                format="number",
                digits=1,
            ),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        low, high = self.capacity_interval
        rate, late, due = self.capacity_per_day, len(self.late_days) - self.on_time.hits, len(self.late_days)
        lasts = "–" if math.isnan(self.cover_days) else f"{self.cover_days:.1f}"
        if lang == "zh":
            ends = "不会用完" if math.isinf(self.runs_out_days) else f" {self.runs_out_days:.1f} 天后用完"
            notes = [
                f"储备：{self.ready:,} 条，按每天 {self.per_day:.2f} 条可用 {lasts} 天。",
                f"产出：每天 {rate:.2f} 条（{low:.2f} 至 {high:.2f}）；照此{ends}。",
            ]
            on_time = f"按时：应发布 {due:,} 条，按时 {self.on_time.hits:,} 条；迟发 {late - self.open_late:,} 条，"
            return notes + ([on_time + f"逾期未发 {self.open_late:,} 条。"] if due else [])
        ends = (
            "it never runs out" if math.isinf(self.runs_out_days) else f"it runs out in {self.runs_out_days:.1f} days"
        )
        notes = [
            f"Ready: {counted(self.ready, 'item')}, enough for {lasts} days at {self.per_day:.2f} a day.",
            f"Made: {rate:.2f} a day ({low:.2f} to {high:.2f}); at these rates {ends}.",
        ]
        on_time = f"On time: {self.on_time.hits:,} of {due:,} that {'was' if due == 1 else 'were'} due; "
        return notes + (
            [on_time + f"{late - self.open_late:,} posted late, {self.open_late:,} still open."] if due else []
        )

    def __repr__(self) -> str:
        """Show how much is ready, and for how long."""
        return f"Backlog({counted(self.ready, 'item')} ready, {self.cover_days:.1f} days)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
