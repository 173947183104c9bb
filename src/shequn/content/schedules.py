"""What is posted when, what found no place, and why? The answer of `schedule`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.columns.readonly import by_fields, codes_column, frozen
from shequn.columns.table import Column, Tabular
from shequn.entities.content_taxonomies import ContentKind
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.labels import Index
from shequn.stats._checks import (
    counts_column,
    instance,
    items_of,
    number_between,
    one_of,
    reals_column,
    refuse,
    whole,
)
from shequn.values.instants import from_us
from shequn.values.zones import zone_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    import pendulum
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["REASON_CODE", "Schedule", "ScheduleReason", "ScheduleTotals", "ScheduledPost", "Variety"]


class ScheduleReason(Taxonomy):
    """Why an item has a place in a schedule, or has none.

    They are judged in this order, against the schedule as it is: an item that could be added would have been.

    Examples
    --------
    >>> ScheduleReason.OUTRANKED.zh, ScheduleReason.from_label("冷却中")
    ('让位', <ScheduleReason.COOLDOWN: 'cooldown'>)
    """

    PLACED = "placed", "已排期", "placed"
    EXHAUSTED = "exhausted", "次数已满", "posted as often as it may be"
    NO_SLOT = "no_slot", "无可用时段", "no allowed slot in its time"
    COOLDOWN = "cooldown", "冷却中", "too soon after its last post"
    OUTRANKED = "outranked", "让位", "gave way to higher priority"
    NO_ROOM = "no_room", "时段已满", "each of its slots has a post"
    CADENCE = "cadence", "频次已满", "cadence full"
    VARIETY = "variety", "同类过多", "too many of its kind"


_REASONS = tuple(ScheduleReason)
REASON_CODE = {reason: code for code, reason in enumerate(_REASONS)}


def _optional_cap(argument: str, value: int | None) -> int | None:
    if value is None:
        return None
    cap = whole(argument, value)
    if cap < 1:
        raise InvalidValueError(message(argument, "a whole number of 1 or more, or None", value))
    return cap


def _in_a_row(in_a_row: int | None) -> int | None:
    return _optional_cap("in_a_row", in_a_row)


def _per_day(per_day: int | None) -> int | None:
    return _optional_cap("per_day", per_day)


@attrs.frozen(kw_only=True)
class Variety(Doors):
    """How much of one kind is too much (内容搭配).

    Parameters
    ----------
    in_a_row : int, optional
        The most posts of one kind that may follow one another.
    per_day : int, optional
        The most posts of one kind on a local day.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        One is no whole number of 1 or more.

    Examples
    --------
    >>> Variety(in_a_row=2)
    Variety(in_a_row=2, per_day=None)
    """

    in_a_row: int | None = attrs.field(default=None, converter=_in_a_row)
    per_day: int | None = attrs.field(default=None, converter=_per_day)


class ScheduleTotals(NamedTuple):
    """What a schedule is to have as much of as can be, the first first.

    Attributes
    ----------
    items : int
        Different items posted.
    posts : int
        Posts, repeats included.
    priority : float
        Their priorities, added up.

    Examples
    --------
    >>> ScheduleTotals(2, 3, 3.0) > ScheduleTotals(2, 2, 9.0)
    True
    """

    items: int
    posts: int
    priority: float


class ScheduledPost(NamedTuple):
    """One post of a `Schedule`.

    Attributes
    ----------
    at : pendulum.DateTime
        When, in the zone of the schedule.
    item : str or int
    kind : ContentKind
    at_us : int
        When, in microseconds since 1970-01-01T00:00Z.

    Examples
    --------
    >>> at = from_us(1_709_251_200_000_000, "Asia/Shanghai")
    >>> ScheduledPost(at, "tea", ContentKind.EDUCATIONAL, 1_709_251_200_000_000).at.hour
    8
    """

    at: pendulum.DateTime
    item: Label
    kind: ContentKind
    at_us: int


def _tz(tz: str | tzinfo) -> str:
    return zone_name(tz)


def _kinds(kinds: Sequence[ContentKind | str]) -> tuple[ContentKind, ...]:
    given = items_of("kinds", kinds, expected="a kind of content for each item")
    return tuple(ContentKind.from_label(kind, argument="kinds") for kind in given)


def _totals(totals: tuple[int, int, float]) -> ScheduleTotals:
    expected = "a ScheduleTotals: items, posts and priority"
    given = items_of("upper_bound", totals, expected=expected)
    if len(given) != len(ScheduleTotals._fields):
        raise InvalidValueError(message("upper_bound", expected, totals))
    items, posts, priority = given
    return ScheduleTotals(
        whole("upper_bound", items), whole("upper_bound", posts), number_between("upper_bound", priority, 0)
    )


def _codes(codes: ArrayLike) -> NDArray[np.int8]:
    return codes_column("codes", codes, len(_REASONS), of="reasons")


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Schedule(Tabular[ScheduledPost]):
    """What is posted when, and why the rest is not (内容排期); made by `schedule`.

    Parameters
    ----------
    items : Index
        The n items that asked for a place.
    kinds : sequence of ContentKind
        The kind of each.
    priority : ndarray of float64, shape (n,)
        How much each matters.
    codes : ndarray of int8, shape (n,)
        Whether each has a place, or why not, as its position in `ScheduleReason`.
    item_codes : ndarray of int64, shape (m,)
        The item of each of the m posts, by its position in `items`; in order of time.
    at_us : ndarray of int64, shape (m,)
        When each is posted, in microseconds since 1970-01-01T00:00Z.
    upper_bound : ScheduleTotals
        What no schedule under the same conditions exceeds: proved, and often not to be reached.
    tz : str
        The zone on whose clocks it is told.

    Examples
    --------
    >>> import pendulum
    >>> import shequn as sq
    >>> from shequn.content import schedule
    >>> from shequn.entities import ContentItem
    >>> now = pendulum.datetime(2024, 3, 1, tz="Asia/Shanghai")
    >>> items = [ContentItem(id=name, kind="educational", created=now) for name in ("tea", "skin", "sleep")]
    >>> plan = schedule(items, window=sq.Window(now, now.add(days=1)), tz="Asia/Shanghai", times=["08:00", "12:30"])
    >>> print(plan)
    Schedule in Asia/Shanghai: 2 posts of 2 of 3 items; no schedule has more
    at                item  kind
    ───────────────────────────────────
    2024-03-01 08:00  tea   educational
    2024-03-01 12:30  skin  educational
    sleep: each of its slots has a post
    >>> plan.explain("sleep", lang="zh")
    'sleep：时段已满'
    """

    items: Index
    kinds: tuple[ContentKind, ...] = attrs.field(converter=_kinds)
    priority: FloatArray
    codes: NDArray[np.int8] = attrs.field(converter=_codes)
    item_codes: IntArray
    at_us: IntArray
    upper_bound: ScheduleTotals = attrs.field(converter=_totals)
    tz: str = attrs.field(converter=_tz)

    _Row: ClassVar[type[Any] | None] = ScheduledPost

    def __attrs_post_init__(self) -> None:
        """Check that the columns fit each other."""
        instance("items", self.items, Index, expected="an Index")
        n = len(self.items)
        for name, column in (("kinds", self.kinds), ("codes", self.codes)):
            if len(column) != n:
                raise MisalignedError(message(name, f"one entry for each of {counted(n, 'item')}", len(column)))
        of = f"each of {counted(n, 'item')}"
        object.__setattr__(self, "priority", reals_column("priority", self.priority, (n,), of=of, least=0))
        codes = counts_column("item_codes", self.item_codes, (-1,), of="each post", most=n - 1)
        object.__setattr__(self, "item_codes", codes)
        at_us = counts_column("at_us", self.at_us, codes.shape, of="each post", least=-(2**62))
        object.__setattr__(self, "at_us", at_us)
        backwards = np.diff(at_us, prepend=at_us[:1] - 1) <= 0
        if backwards.any():
            refuse("at_us", "instants in ascending order", at_us, backwards)
        if not np.array_equal(np.bincount(codes, minlength=n) > 0, self.placed):
            raise InvalidValueError(message("codes", "the reason 'placed' for the items that are posted", self.codes))

    @property
    def at(self) -> tuple[pendulum.DateTime, ...]:
        """When each post is due, on the clocks of the zone."""
        return tuple(from_us(us, self.tz) for us in self.at_us.tolist())

    @property
    def placed(self) -> BoolArray:
        """Which items are posted at least once, shape (n,)."""
        return frozen(self.codes == REASON_CODE[ScheduleReason.PLACED])

    @property
    def totals(self) -> ScheduleTotals:
        """What it achieves."""
        weight = float(self.priority[self.item_codes].sum())
        return ScheduleTotals(int(self.placed.sum()), len(self), weight)

    @property
    def is_optimal(self) -> bool:
        """Whether it is proved that no schedule has more items, nor with these more posts, nor with both more priority.

        False says only that it was not proved.
        """
        reached, most = self.totals, self.upper_bound
        # Sums of the same priorities in another order differ in the last digits.
        same = abs(reached.priority - most.priority) <= 1e-9 * max(abs(most.priority), 1.0)
        return reached[:2] == most[:2] and same

    @property
    def unplaced(self) -> Mapping[Label, ScheduleReason]:
        """Each item without a place, and why."""
        labels: list[Label] = self.items.labels.tolist()
        codes: list[int] = self.codes.tolist()
        pairs = zip(labels, codes, strict=True)
        return {label: _REASONS[code] for label, code in pairs if code != REASON_CODE[ScheduleReason.PLACED]}

    def explain(self, item: Label, /, *, lang: Lang = "en") -> str:
        """Return a line about one item: when it is posted, or why it is not.

        Parameters
        ----------
        item : str or int
        lang : {"en", "zh"}

        Raises
        ------
        UnknownLabelError
            There is no such item.

        Examples
        --------
        >>> import pendulum
        >>> import shequn as sq
        >>> from shequn.content import schedule
        >>> from shequn.entities import ContentItem
        >>> now = pendulum.datetime(2024, 3, 1, tz="Asia/Shanghai")
        >>> tea = ContentItem(id="tea", kind="educational", created=now)
        >>> window = sq.Window(now, now.add(days=1))
        >>> schedule([tea], window=window, tz="Asia/Shanghai", times=["12:30"]).explain("tea")
        'tea: placed: 2024-03-01 12:30'
        """
        one_of("lang", lang, ("en", "zh"))
        code = self.items.code(item, argument="item")
        reason = _REASONS[int(self.codes[code])]
        colon = "：" if lang == "zh" else ": "
        told = f"{item}{colon}{reason.zh if lang == 'zh' else reason.en}"
        times = [f"{from_us(us, self.tz):YYYY-MM-DD HH:mm}" for us in self.at_us[self.item_codes == code].tolist()]
        return f"{told}{colon}{('、' if lang == 'zh' else ', ').join(times)}" if times else told

    def __len__(self) -> int:
        """Return the number of posts."""
        return len(self.item_codes)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        at = [f"{at:YYYY-MM-DD HH:mm}" for at in self.at]
        return [Column(key="at", en="at", zh="时间", values=np.array(at, dtype=object)), *self._tidy()[1:3]]

    def _tidy(self) -> Sequence[Column]:
        wall = [np.datetime64(at.naive(), "us") for at in self.at]
        kinds = np.fromiter(self.kinds, dtype=object, count=len(self.kinds))
        return [
            Column(key="at", en="at", zh="时间", values=np.array(wall, dtype="datetime64[us]"), format="date"),
            Column(key="item", en="item", zh="内容", values=self.items.labels[self.item_codes]),
            Column(key="kind", en="kind", zh="类型", values=kinds[self.item_codes]),
            Column(key="at_us", en="at_us", zh="时刻", values=self.at_us),
        ]

    def _records(self, asked: str, columns: Mapping[str, NDArray[Any]]) -> Iterator[ScheduledPost]:
        for row in super()._records(asked, columns):
            yield row._replace(at=from_us(row.at_us, self.tz))

    def _title(self, lang: Lang, /) -> str:
        reached, most = self.totals, self.upper_bound
        if lang == "zh":
            proved = "已证最优" if self.is_optimal else f"上限：{most.items:,} 条内容、{most.posts:,} 次发布"
            return (
                f"{self.tz} 内容排期：{len(self.items):,} 条中排入 {reached.items:,} 条、{reached.posts:,} 次；{proved}"
            )
        bound = f"at most {most.items:,} and {counted(most.posts, 'post')} could be"
        proved = "no schedule has more" if self.is_optimal else bound
        n, posts = counted(len(self.items), "item"), counted(reached.posts, "post")
        return f"Schedule in {self.tz}: {posts} of {reached.items:,} of {n}; {proved}"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        return tuple(self.explain(item, lang=lang) for item in self.unplaced)

    def __eq__(self, other: object) -> bool:
        """Return whether both post the same items at the same instants and say the same of the rest."""
        if not isinstance(other, Schedule):
            return NotImplemented
        columns = ("priority", "codes", "item_codes", "at_us")
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in columns) and (
            (self.items, self.kinds, self.upper_bound, self.tz)
            == (other.items, other.kinds, other.upper_bound, other.tz)
        )

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show how much has a place."""
        return (
            f"Schedule({counted(len(self), 'post')}, {int(self.placed.sum()):,} of {counted(len(self.items), 'item')})"
        )

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
