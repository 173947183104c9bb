"""What became of each piece of content: who was reached, who read it, who reacted, who passed it on?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import pendulum

from shequn.columns import EventLog, Roster
from shequn.columns.halves import in_halves
from shequn.columns.kinds import kind_set, of_kinds
from shequn.content._comparable import require_comparable
from shequn.content.item_results import ContentPerformance, as_items, rate_name
from shequn.content.weights import REACTION_WEIGHTS, weights_of
from shequn.entities import EventKind
from shequn.errors import InvalidValueError, MisalignedError, message
from shequn.labels import Index
from shequn.stats._checks import counts, instance, level_in_unit, one_of
from shequn.values.elapsed import elapsed_us
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Iterator
    from typing import Any, Literal

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.content.item_results import ContentRate
    from shequn.entities import ContentItem
    from shequn.labels import Label

__all__ = ["performance"]

_REACHED: Final = 1
_READ: Final = 2
_ENGAGED: Final = 4
_SHARED: Final = 8
_BITS: Final = 4
_MOST_BLOCKS: Final = 256
_MANY_ROWS: Final = 1 << 20
_NEVER: Final = np.iinfo(np.int64).max
_DAY: Final = pendulum.duration(days=1)


def performance(
    log: EventLog,
    items: Iterable[ContentItem],
    /,
    *,
    as_of: dt.datetime,
    audience: Index | Roster | None = None,
    reached: Mapping[Label, int] | ArrayLike | None = None,
    receive_kinds: Collection[str] | str | None = None,
    read_kinds: Collection[str] | str | None = None,
    share_kinds: Collection[str] | str | None = None,
    weights: Mapping[str, float] | None = None,
    within: dt.timedelta | None = None,
    mature_after: dt.timedelta | None = None,
    own: Literal["exclude", "include"] = "exclude",
    rank_by: ContentRate = "engagement",
    level: float = 0.95,
    unknown_kinds: UnknownKinds = "warn",
) -> ContentPerformance:
    """Count of each piece of content whom it reached, who read it, who reacted and who passed it on, and rank them.

    Parameters
    ----------
    log : EventLog
        Rows about an item carry its id in the column ``item``.
    items : iterable of ContentItem
        The pieces of content, each id once. Rows about others don't count.
    as_of : datetime
        The instant of the question; later rows are not seen.
    audience : Index or Roster, optional
        Whom every item was shown to: all of them count as reached, and nobody else counts.
    reached : mapping from item to int, or array_like of int, shape (n_items,), optional
        How many members each item reached, where another system counted them (阅读 50 / 送达 10,000). By default the
        distinct members with a row of `receive_kinds`, or with any row that counts: who read it was reached.
    receive_kinds, read_kinds, share_kinds : collection of str, optional
        Kinds of event that say that the item reached a member, was read, was passed on. ``"receive"``, ``"read"`` and
        ``"repost"`` by default.
    weights : mapping from kind to number, optional
        What each reaction weighs in the engagement score; whoever has a row of a kind with a weight above 0 is engaged.
        By default a like weighs 1, a reply 2, a repost 3.
    within : duration, optional
        Count only rows in the first so long after publication, so that older items have no longer chance than younger.
    mature_after : duration, optional
        Age from which an item is ranked. By default `within`, or 24 hours without it; not below `within`.
    own : {"exclude", "include"}
        Whether what an item's author did with it counts.
    rank_by : {"read", "engagement", "share"}
        The rate whose lower bound ranks.
    level : float, default 0.95
        Confidence level of intervals.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind you named that the log does not know. Kinds of the defaults may be missing.

    Returns
    -------
    ContentPerformance
        One row an item, in the order given.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        An argument can't be used; more members are in the log than were reached; both `audience` and `reached` given.

    Notes
    -----
    Rows from `published` on count, up to and with `as_of`. Rates are shares of distinct members reached, with Wilson's
    interval. Ranking by its lower end puts 30 readers of 100 before 1 of 2: it takes evidence to stand high.

    What splits by member adds up: the results for parts of a log `merge` to that of the whole (not with `audience` or
    `reached`, unless these are split too).

    References
    ----------
    S3 §6.2 and §4.4, rows K13, I10 and I11 of the domain table.

    Examples
    --------
    >>> from shequn.entities import ContentItem
    >>> day = pendulum.datetime(2024, 3, 1)
    >>> tips = ContentItem(id="tips", kind="educational", format="video", created=day, published=day)
    >>> joke = ContentItem(id="joke", kind="entertainment", format="text", created=day, published=day)
    >>> log = EventLog.from_columns(
    ...     member=["ann", "ann", "ann", "bo", "bo", "cy"],
    ...     kind=["receive", "read", "like", "read", "repost", "receive"],
    ...     item=["tips", "tips", "tips", "tips", "tips", "joke"],
    ...     at=[day.add(hours=n) for n in range(6)],
    ... )
    >>> done = performance(log, [joke, tips], as_of=day.add(days=7))
    >>> print(done)
    Content as of 2024-03-08 00:00 UTC, ranked by the lower bound of the engagement rate
    rank  item  kind           reached  read rate  engagement rate  share rate  lower   upper
    ─────────────────────────────────────────────────────────────────────────────────────────
       1  tips  educational          2     100.0%           100.0%       50.0%  34.2%  100.0%
       2  joke  entertainment        1       0.0%             0.0%        0.0%   0.0%   79.3%
    >>> done.engagement
    array([0., 4.])
    """
    instance("log", log, EventLog, expected="an EventLog")
    asked = as_items(items)
    index = Index([item.id for item in asked], argument="items")
    as_of_us = instant_us(as_of, argument="as_of")
    window_us, mature_us = _ages(within, mature_after)
    one_of("own", own, ("exclude", "include"))
    rate_name("rank_by", rank_by)
    level_in_unit(level)
    weighed = weights_of(REACTION_WEIGHTS if weights is None else weights)
    kinds = {
        "receive_kinds": (receive_kinds, EventKind.RECEIVE.value, _REACHED),
        "read_kinds": (read_kinds, EventKind.READ.value, _READ),
        "share_kinds": (share_kinds, EventKind.REPOST.value, _SHARED),
    }
    marks = np.zeros(len(log.kinds), dtype=np.uint8)
    for argument, (named, usual, mark) in kinds.items():
        meant = {usual} if named is None else kind_set(named, argument=argument)
        how: UnknownKinds = "ignore" if named is None else unknown_kinds
        marks[of_kinds(log, meant, argument=argument, unknown_kinds=how)] |= mark
    engaging = {kind for kind, weight in weighed.items() if weight > 0}
    how = "ignore" if weights is None else unknown_kinds
    marks[of_kinds(log, engaging, argument="weights", unknown_kinds=how)] |= _ENGAGED

    listeners = audience.members if isinstance(audience, Roster) else audience
    if listeners is not None:
        instance("audience", listeners, Index, expected="an Index or a Roster")
        if reached is not None:
            raise InvalidValueError(message("reached", "None where audience is given", reached))
    rows = _Rows.of(log, asked, index, marks, (as_of_us, window_us), listeners, own)
    seen = rows.distinct(len(asked), len(log.members))
    return ContentPerformance(
        items=asked,
        reached=_reached(seen[_REACHED], asked, index, as_of_us, listeners, reached),
        readers=seen[_READ],
        reads=rows.number(len(asked), marks, _READ),
        engaged=seen[_ENGAGED],
        engagement=rows.score(len(asked), [str(kind) for kind in log.kinds], weighed),
        sharers=seen[_SHARED],
        shares=rows.number(len(asked), marks, _SHARED),
        as_of_us=as_of_us,
        mature_after_us=mature_us,
        rank_by=rank_by,
        level=level,
        n_early=rows.n_early,
    )


def _ages(within: dt.timedelta | None, mature_after: dt.timedelta | None) -> tuple[int | None, int]:
    window_us = None if within is None else elapsed_us("within", within, at_least=1)
    if mature_after is None:
        return window_us, elapsed_us("mature_after", _DAY) if window_us is None else window_us
    mature_us = elapsed_us("mature_after", mature_after)
    if window_us is not None and mature_us < window_us:
        raise InvalidValueError(message("mature_after", f"at least as long as within ({within})", mature_after))
    return window_us, mature_us


class _Rows:
    """The rows that count: the place of the item, the member and the kind of each."""

    def __init__(
        self, place: IntArray, member: IntArray, kind: IntArray, mark: NDArray[np.uint8], n_early: int
    ) -> None:
        self._place, self._member, self._kind, self._mark = place, member, kind, mark
        self.n_early = n_early

    @classmethod
    def of(  # noqa: PLR0917
        cls,
        log: EventLog,
        items: tuple[ContentItem, ...],
        index: Index,
        marks: NDArray[np.uint8],
        until: tuple[int, int | None],
        audience: Index | None,
        own: str,
    ) -> _Rows:
        if log.item is None or not len(index) or not len(log):
            none = np.zeros(0, dtype=np.int64)
            return cls(none, none, none, np.zeros(0, dtype=np.uint8), 0)
        require_comparable("items", index, log.item.index)
        if audience is not None:
            require_comparable("audience", audience, log.members)
        # A row without an item has the code -1, which is the last place of the table.
        place_of_code = np.append(index.places_of(log.item.index), np.int32(-1))
        place: NDArray[Any] = place_of_code.take(log.item.codes, mode="wrap")
        mark = marks.take(log.kind_codes)
        counts_ = (place >= 0) & (mark > 0)
        if audience is not None:
            counts_ &= (audience.places_of(log.members) >= 0).take(log.member_codes)
        rows = np.flatnonzero(counts_)
        place, member, at_us = place.take(rows), log.member_codes.take(rows), log.at_us.take(rows)
        as_of_us, window_us = until
        published = np.array(
            [_NEVER if item.published is None else instant_us(item.published) for item in items], dtype=np.int64
        )
        last = np.full(len(items), as_of_us)
        if window_us is not None:
            known = published != _NEVER
            last[known] = np.minimum(last[known], published[known] + (window_us - 1))
        start = published.take(place)
        is_early = (at_us < start) & (at_us <= as_of_us)
        keep = ~is_early & (at_us <= last.take(place))
        if own == "exclude":
            keep &= ~_is_by_author(log, items, place, member)
        kept = slice(None) if keep.all() else np.flatnonzero(keep)
        rows = rows[kept]
        return cls(
            place[kept], member[kept], log.kind_codes.take(rows), mark.take(rows), int(np.count_nonzero(is_early))
        )

    def distinct(self, n_items: int, n_members: int) -> dict[int, IntArray]:
        """Count the distinct members of each item by what they did; who did anything was reached."""
        found = {bit: np.zeros(n_items, dtype=np.int64) for bit in (_REACHED, _READ, _ENGAGED, _SHARED)}
        if not len(self._place):
            return found
        # Blocks of items small enough that item, member and marks fit 32 bits, which are sorted in half the time.
        width = (1 << 32) // (n_members << _BITS)
        dtype: type[np.uint32 | np.int64] = np.uint32
        if width * _MOST_BLOCKS < n_items:
            width, dtype = -(-n_items // 2), np.int64
        n_blocks = -(-n_items // width)
        block = (self._place // width).astype(np.uint8)
        order = np.argsort(block, kind="stable")
        bounds = np.searchsorted(block.take(order), np.arange(n_blocks + 1))

        def count(blocks: range) -> None:
            for number in blocks:
                rows = order[bounds[number] : bounds[number + 1]]
                key: Any = (self._place.take(rows) - number * width).astype(dtype)
                key *= dtype(n_members)
                key += self._member.take(rows).astype(dtype)
                key <<= dtype(_BITS)
                key |= self._mark.take(rows)
                items = slice(number * width, min((number + 1) * width, n_items))
                for bit, counted in _pairs(key, n_members, items.stop - items.start):
                    found[bit][items] = counted

        in_halves(n_blocks, count, many=2 if len(order) >= _MANY_ROWS else n_blocks + 1)
        return found

    def number(self, n_items: int, marks: NDArray[np.uint8], bit: int) -> IntArray:
        """Count the rows of each item that have a mark."""
        if not (marks & bit).any():
            return np.zeros(n_items, dtype=np.int64)
        return np.bincount(self._place[(self._mark & bit) > 0], minlength=n_items)

    def score(self, n_items: int, kinds: list[str], weights: dict[str, float]) -> FloatArray:
        """Return the weighted sum of rows of each item: of counts, so that the order of rows makes no difference."""
        total = np.zeros(n_items)
        engaged = np.flatnonzero(self._mark & _ENGAGED)
        place, kind = self._place.take(engaged), self._kind.take(engaged)
        for code, name in enumerate(kinds):
            if weights.get(name):
                total += weights[name] * np.bincount(place[kind == code], minlength=n_items)
        return total


def _pairs(key: NDArray[Any], n_members: int, n_items: int) -> Iterator[tuple[int, IntArray]]:
    """Yield how many members each item has by what they did, from keys of item, member and marks, which are sorted."""
    key.sort()
    pair = key >> _BITS
    first = np.flatnonzero(np.concatenate([np.ones(min(len(key), 1), dtype=np.bool_), pair[1:] != pair[:-1]]))
    mark = (key & ((1 << _BITS) - 1)).astype(np.uint8)
    # Of each pair of item and member the marks of all rows together.
    did = np.bitwise_or.reduceat(mark, first) if len(first) else mark
    place = (pair.take(first) // n_members).astype(np.intp)
    yield _REACHED, np.bincount(place, minlength=n_items)
    for bit in (_READ, _ENGAGED, _SHARED):
        yield bit, np.bincount(place[(did & bit) > 0], minlength=n_items)


def _is_by_author(
    log: EventLog, items: tuple[ContentItem, ...], place: NDArray[Any], member: NDArray[Any]
) -> BoolArray:
    """Return which rows are by the author of the item."""
    own = np.full(len(items), -1, dtype=np.int64)
    for row, item in enumerate(items):
        if item.author is not None and item.author in log.members:
            own[row] = log.members.code(item.author)
    if (own < 0).all():
        return np.zeros(len(place), dtype=np.bool_)
    found: BoolArray = own.take(place) == member
    return found


def _reached(  # noqa: PLR0917
    seen: IntArray,
    items: tuple[ContentItem, ...],
    index: Index,
    as_of_us: int,
    audience: Index | None,
    given: Mapping[Label, int] | ArrayLike | None,
) -> IntArray:
    """Return how many members each item reached, as the caller knows it or as the log shows."""
    if audience is not None:
        is_out = [item.published is not None and instant_us(item.published) <= as_of_us for item in items]
        return np.where(np.array(is_out, dtype=np.bool_), len(audience), 0).astype(np.int64)
    if given is None:
        return seen
    if isinstance(given, Mapping):
        missing = [label for label in index if label not in given]
        if missing:
            raise InvalidValueError(message("reached", f"a count for each item, also for {missing[0]!r}", dict(given)))
        given = [given[label] for label in index]
    known = counts("reached", given)
    if known.shape != seen.shape:
        raise MisalignedError(message("reached", f"one for each of the {len(seen)} items", f"shape {known.shape}"))
    if (known < seen).any():
        row = int(np.argmax(known < seen))
        expected = f"at least the {int(seen[row])} members that the log shows for item {index[row]!r}"
        raise InvalidValueError(message("reached", expected, int(known[row]), row=row))
    return known
