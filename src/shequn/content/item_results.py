"""How did each piece of content do, and how sure is that? The answer of `performance`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias, cast, get_args

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, counts_field, frozen
from shequn.columns.table import Column, Tabular
from shequn.entities import ContentItem
from shequn.entities.taxonomies import Taxonomy
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, counted, message
from shequn.labels import Index
from shequn.stats import Interval, wilson
from shequn.stats._checks import items_of, level_in_unit, one_of, reals_column, refuse, whole
from shequn.values.elapsed import from_elapsed_us
from shequn.values.instants import from_us, instant_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["ContentPerformance", "ContentRate", "ContentRow", "ContentStanding", "as_items", "rate_name"]

ContentRate: TypeAlias = Literal["read", "engagement", "share"]

_HITS: dict[str, str] = {"read": "readers", "engagement": "engaged", "share": "sharers"}
_COUNTS = ("reached", "readers", "reads", "engaged", "sharers", "shares")


class ContentStanding(Taxonomy):
    """Whether a piece of content has a place in the ranking, or why not.

    Examples
    --------
    >>> ContentStanding.TOO_YOUNG.zh, ContentStanding.from_label("ranked")
    ('发布时间过短', <ContentStanding.RANKED: 'ranked'>)
    """

    RANKED = "ranked", "参与排名", "ranked"
    TOO_YOUNG = "too_young", "发布时间过短", "too young"
    NOBODY_REACHED = "nobody_reached", "无人触达", "nobody reached"
    NOT_PUBLISHED = "not_published", "未发布", "not published"


_STANDINGS = tuple(ContentStanding)
_CODE = {standing: code for code, standing in enumerate(_STANDINGS)}


class ContentRow(NamedTuple):
    """One item; the names are those of `ContentPerformance`.

    Examples
    --------
    >>> row = ContentRow(
    ...     *("c7", "educational", None, "video", None, ContentStanding.RANKED, 1, 100, 40, 52, 0.4, 0.31, 0.5),
    ...     *(9, 12.0, 0.09, 0.05, 0.16, 2, 2, 0.02, 0.01, 0.07),
    ... )
    >>> row.item, row.readers
    ('c7', 40)
    """

    item: Label
    kind: str
    subkind: str | None
    format: str | None
    surface: str | None
    standing: ContentStanding
    rank: int
    reached: int
    readers: int
    reads: int
    read_rate: float
    read_lower: float
    read_upper: float
    engaged: int
    engagement: float
    engagement_rate: float
    engagement_lower: float
    engagement_upper: float
    sharers: int
    shares: int
    share_rate: float
    share_lower: float
    share_upper: float


def as_items(items: Iterable[ContentItem]) -> tuple[ContentItem, ...]:
    """Return pieces of content as a tuple.

    Examples
    --------
    >>> as_items([])
    ()
    """
    given = items_of("items", items, expected="ContentItem records")
    for row, item in enumerate(given):
        if not isinstance(item, ContentItem):
            raise InvalidTypeError(message("items", "ContentItem records", item, row=row))
    return tuple(given)


def rate_name(argument: str, rate: object, /) -> ContentRate:
    """Return which of the three rates is meant.

    Examples
    --------
    >>> rate_name("rate", "read")
    'read'
    """
    one_of(argument, rate, get_args(ContentRate))
    return cast("ContentRate", rate)


def _rank_by(rate: ContentRate) -> ContentRate:
    return rate_name("rank_by", rate)


def _engagement(values: ArrayLike) -> FloatArray:
    return reals_column("engagement", values, (-1,), of="each item", least=0)


@attrs.frozen(kw_only=True, repr=False)
class ContentPerformance(Tabular[ContentRow]):
    """Whom each piece of content reached, and what they did; made by `performance`, or from counts.

    Parameters
    ----------
    items : iterable of ContentItem
        The n pieces of content.
    reached : ndarray of int64, shape (n,)
        Members that each reached.
    readers, engaged, sharers : ndarray of int64, shape (n,)
        Those of them who read it, who reacted to it, who passed it on.
    reads, shares : ndarray of int64, shape (n,)
        How often that was, the same members again included.
    engagement : ndarray of float64, shape (n,)
        Weighted sum of all reactions.
    as_of_us : int
        The instant of the question, in microseconds since 1970-01-01T00:00Z.
    mature_after_us : int, default 0
        Age from which an item has a place in the ranking, in microseconds.
    rank_by : {"read", "engagement", "share"}, default "engagement"
        The rate whose lower bound ranks.
    level : float, default 0.95
        Confidence level of intervals.
    n_early : int, default 0
        Rows that were left out because the item had not been published yet.

    Notes
    -----
    Rates are shares of the members reached: ``read_rate`` is readers / reached. Their intervals are Wilson's, and each
    is about its own item: the same members may have seen the others.

    Examples
    --------
    >>> import pendulum
    >>> published = pendulum.datetime(2024, 3, 1)
    >>> items = [ContentItem(id=name, kind="educational", created=published, published=published) for name in "ab"]
    >>> done = ContentPerformance(
    ...     items=items, reached=[10_000, 263], readers=[50, 81], reads=[61, 90], engaged=[9, 12],
    ...     engagement=[14, 25], sharers=[1, 4], shares=[1, 4], as_of_us=instant_us(pendulum.datetime(2024, 3, 8)),
    ...     rank_by="read",
    ... )
    >>> done.read_rate.round(4), done.interval("read").lower.round(4)
    (array([0.005, 0.308]), array([0.0038, 0.2553]))
    >>> done.rank.tolist()
    [2, 1]
    """

    items: tuple[ContentItem, ...] = attrs.field(converter=as_items)
    reached: IntArray = counts_field()
    readers: IntArray = counts_field()
    reads: IntArray = counts_field()
    engaged: IntArray = counts_field()
    engagement: FloatArray = attrs.field(converter=_engagement, eq=attrs.cmp_using(eq=np.array_equal))
    sharers: IntArray = counts_field()
    shares: IntArray = counts_field()
    as_of_us: int
    mature_after_us: int = 0
    rank_by: ContentRate = attrs.field(default="engagement", converter=_rank_by)
    level: float = attrs.field(default=0.95, converter=level_in_unit)
    n_early: int = 0

    _Row: ClassVar[type[Any] | None] = ContentRow

    def __attrs_post_init__(self) -> None:
        """Check that the columns go together."""
        for name in (*_COUNTS, "engagement"):
            column = getattr(self, name)
            if column.shape != (len(self.items),):
                expected = f"one for each of the {counted(len(self.items), 'item')}"
                raise MisalignedError(message(name, expected, f"an array of shape {column.shape}"))
            if (column < 0).any():
                refuse(name, "counts of 0 or more", column, column < 0)
        for part, whole_name in (
            ("readers", "reached"), ("engaged", "reached"), ("sharers", "reached"),
            ("readers", "reads"), ("sharers", "shares"),
        ):  # fmt: skip
            excess = getattr(self, part) > getattr(self, whole_name)
            if excess.any():
                refuse(part, f"at most as many as {whole_name}", getattr(self, part), excess)
        for name in ("as_of_us", "mature_after_us", "n_early"):
            if whole(name, getattr(self, name)) < 0 and name != "as_of_us":
                raise InvalidValueError(message(name, "0 or more", getattr(self, name)))
        _ = self.index  # each id once

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.items)

    @property
    def index(self) -> Index:
        """The ids of the items."""
        return Index([item.id for item in self.items], argument="items")

    @property
    def read_rate(self) -> FloatArray:
        """Readers of the members reached, shape (n,); NaN where nobody was reached."""
        return self.rate("read")

    @property
    def engagement_rate(self) -> FloatArray:
        """Those who reacted, of the members reached, shape (n,)."""
        return self.rate("engagement")

    @property
    def share_rate(self) -> FloatArray:
        """Those who passed it on, of the members reached, shape (n,)."""
        return self.rate("share")

    def hits(self, rate: ContentRate, /) -> IntArray:
        """Return the numerators of a rate, shape (n,): distinct members who did it.

        Examples
        --------
        >>> import pendulum
        >>> from shequn.columns import EventLog
        >>> from shequn.content import performance
        >>> performance(EventLog.empty(), [], as_of=pendulum.datetime(2024, 3, 8)).hits("read")
        array([], dtype=int64)
        """
        found: IntArray = getattr(self, _HITS[rate_name("rate", rate)])
        return found

    def rate(self, rate: ContentRate, /) -> FloatArray:
        """Return a rate, shape (n,); NaN where nobody was reached.

        Examples
        --------
        >>> import pendulum
        >>> from shequn.columns import EventLog
        >>> from shequn.content import performance
        >>> performance(EventLog.empty(), [], as_of=pendulum.datetime(2024, 3, 8)).rate("read")
        array([], dtype=float64)
        """
        return frozen(self.hits(rate) / np.where(self.reached > 0, self.reached, np.nan))

    def interval(self, rate: ContentRate, /) -> Interval:
        """Return Wilson's interval of a rate, two arrays of shape (n,).

        Examples
        --------
        >>> import pendulum
        >>> from shequn.columns import EventLog
        >>> from shequn.content import performance
        >>> performance(EventLog.empty(), [], as_of=pendulum.datetime(2024, 3, 8)).interval("read").lower
        array([], dtype=float64)
        """
        return wilson(self.hits(rate), self.reached, level=self.level)

    @property
    def standing_codes(self) -> NDArray[np.int8]:
        """The standing of each item, as its position in `ContentStanding`, shape (n,)."""
        codes = np.where(self.reached > 0, _CODE[ContentStanding.RANKED], _CODE[ContentStanding.NOBODY_REACHED])
        for row, item in enumerate(self.items):
            published_us = None if item.published is None else instant_us(item.published)
            if published_us is None or published_us > self.as_of_us:
                codes[row] = _CODE[ContentStanding.NOT_PUBLISHED]
            elif self.as_of_us - published_us < self.mature_after_us:
                codes[row] = _CODE[ContentStanding.TOO_YOUNG]
        return frozen(codes.astype(np.int8))

    @property
    def standing(self) -> NDArray[np.object_]:
        """The `ContentStanding` of each item, shape (n,)."""
        return frozen(np.fromiter(_STANDINGS, dtype=object)[self.standing_codes])

    @property
    def is_ranked(self) -> NDArray[np.bool_]:
        """Which items have a place in the ranking, shape (n,)."""
        return frozen(self.standing_codes == _CODE[ContentStanding.RANKED])

    @property
    def rank(self) -> IntArray:
        """The place of each item by the lower bound of the rate that ranks, shape (n,); -1 without one.

        Of equal lower bounds the higher rate comes first; items equal in both share a place, and the next has as many
        places more.
        """
        rows = np.flatnonzero(self.is_ranked)
        lower, rate = self.interval(self.rank_by).lower[rows], self.rate(self.rank_by)[rows]
        order = np.lexsort((-rate, -lower))
        places = np.arange(1, len(rows) + 1)
        same = np.zeros(len(rows), dtype=np.bool_)
        same[1:] = (np.diff(lower[order]) == 0) & (np.diff(rate[order]) == 0)
        rank = np.full(len(self), -1, dtype=np.int64)
        rank[rows[order]] = np.maximum.accumulate(np.where(same, 0, places))
        return frozen(rank)

    def merge(self, other: ContentPerformance, /) -> ContentPerformance:
        """Return the performance among the members of both, who are others in each.

        Raises
        ------
        InvalidTypeError
            `other` is no ContentPerformance.
        InvalidValueError
            They are about other items, another instant, or ranked in another way.

        Examples
        --------
        >>> import pendulum
        >>> from shequn.columns import EventLog
        >>> from shequn.content import performance
        >>> none = performance(EventLog.empty(), [], as_of=pendulum.datetime(2024, 3, 8))
        >>> none.merge(none) == none
        True
        """
        if not isinstance(other, ContentPerformance):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("other", "a ContentPerformance", other))
        for name in ("items", "as_of_us", "mature_after_us", "rank_by", "level"):
            if getattr(self, name) != getattr(other, name):
                raise InvalidValueError(message("other", f"one with the same {name.removesuffix('_us')}", repr(other)))
        sums: dict[str, Any] = {
            name: getattr(self, name) + getattr(other, name) for name in (*_COUNTS, "engagement", "n_early")
        }
        return attrs.evolve(self, **sums)

    def _tidy(self) -> Sequence[Column]:
        rates: list[Column] = []
        for name, hits, more in (
            ("read", "readers", "reads"), ("engagement", "engaged", "engagement"), ("share", "sharers", "shares"),
        ):  # fmt: skip
            rates += [self._number(hits), self._number(more), *self._of_rate(rate_name("rate", name))]
        return [
            Column(key="item", en="item", zh="内容", values=self.index.labels),
            *(self._attribute(name) for name in ("kind", "subkind", "format", "surface")),
            Column(key="standing", en="standing", zh="状态", values=self.standing),
            Column(key="rank", en="rank", zh="名次", values=self.rank, format="count", null=-1),
            self._number("reached"),
            *rates,
        ]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        is_ranked, rank = self.is_ranked, self.rank
        order = np.lexsort((np.where(is_ranked, rank, len(self)), ~is_ranked))
        wanted = ["rank", "item", "kind", "reached", "read_rate", "engagement_rate", "share_rate"]
        wanted += [f"{self.rank_by}_lower", f"{self.rank_by}_upper", *(() if is_ranked.all() else ("standing",))]
        tidy = {column.key: column for column in self._tidy()}
        return [attrs.evolve(tidy[key], values=tidy[key].values[order]) for key in wanted]

    def _number(self, name: str) -> Column:
        en, zh = _HEADINGS[name]
        is_weighted = name == "engagement"
        return Column(key=name, en=en, zh=zh, values=getattr(self, name), format="number" if is_weighted else "count")

    def _of_rate(self, rate: ContentRate) -> list[Column]:
        en, zh = _RATE_HEADINGS[rate]
        lower, upper = self.interval(rate)
        return [
            Column(key=f"{rate}_rate", en=f"{en} rate", zh=f"{zh}率", values=self.rate(rate), format="rate"),
            Column(key=f"{rate}_lower", en="lower", zh="下限", values=lower, format="rate"),
            Column(key=f"{rate}_upper", en="upper", zh="上限", values=upper, format="rate"),
        ]

    def _attribute(self, name: str) -> Column:
        en, zh = _HEADINGS[name]
        values = np.fromiter((getattr(item, name) for item in self.items), dtype=object, count=len(self))
        return Column(key=name, en=en, zh=zh, values=values)

    def _title(self, lang: Lang, /) -> str:
        at = f"{from_us(self.as_of_us):YYYY-MM-DD HH:mm} UTC"
        en, zh = _RATE_HEADINGS[self.rank_by]
        if lang == "zh":
            return f"截至 {at} 的内容效果，按{zh}率下限排名"
        return f"Content as of {at}, ranked by the lower bound of the {en} rate"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        is_young = self.standing_codes == _CODE[ContentStanding.TOO_YOUNG]
        young, age = int(is_young.sum()), from_elapsed_us(self.mature_after_us)
        notes: list[str] = []
        if young:
            notes.append(
                f"{young} 条内容发布未满{age.in_words(locale='zh').replace(' ', '')}，不参与排名。"
                if lang == "zh"
                else f"{counted(young, 'item')} published less than {age.in_words()} ago: not ranked."
            )
        if self.n_early:
            notes.append(
                f"{self.n_early:,} 条记录早于内容发布时间，未计入。"
                if lang == "zh"
                else f"{counted(self.n_early, 'row')} before the item was published: left out."
            )
        return notes

    def __repr__(self) -> str:
        """Show how many items there are, and how many of them are ranked."""
        ranked = int(self.is_ranked.sum())
        return f"ContentPerformance({counted(len(self), 'item')}, {ranked:,} ranked by {self.rank_by})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


_RATE_HEADINGS: dict[str, tuple[str, str]] = {
    "read": ("read", "阅读"),
    "engagement": ("engagement", "互动"),
    "share": ("share", "分享"),
}
_HEADINGS: dict[str, tuple[str, str]] = {
    "kind": ("kind", "内容类型"),
    "subkind": ("subkind", "细分类型"),
    "format": ("format", "形式"),
    "surface": ("surface", "发布位置"),
    "reached": ("reached", "触达"),
    "readers": ("readers", "阅读人数"),
    "reads": ("reads", "阅读量"),
    "engaged": ("engaged", "互动人数"),
    "engagement": ("engagement", "互动分"),
    "sharers": ("sharers", "分享人数"),
    "shares": ("shares", "分享量"),
}
