"""What was posted more than once, how alike it was, and after how many days it came again."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import MisalignedError, counted, message
from shequn.graph.roots import component_roots
from shequn.labels import Index
from shequn.stats._checks import array_of, counts_column, instance, may_change, number_between, reals_column, refuse
from shequn.values.instants import FIRST_US, LAST_US

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["DuplicateRow", "Duplicates"]

_DAY_US: Final = 86_400_000_000


class DuplicateRow(NamedTuple):
    """One cluster of near duplicates; the names are those of `Duplicates.to_columns`.

    Examples
    --------
    >>> DuplicateRow("tea", 3, 2, 0.85, 7.0, 10.5).items
    3
    """

    first: Label
    items: int
    contents: int
    least_similarity: float
    least_days: float
    median_days: float


def _share(value: float) -> float:
    return number_between("threshold", value, 0, 1, excluding="least")


def _miss(value: float) -> float:
    return number_between("miss", value, 0, 1, excluding="most")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Duplicates(Tabular[DuplicateRow]):
    """Which of n items are the same or nearly, made by `near_duplicates`; as a table, its clusters, the largest first.

    Items with the very same tokens have one *content*, for which the first of them stands. Pairs are pairs of contents.

    Parameters
    ----------
    items : Index
        The n items.
    content : array_like of int, shape (n,)
        Row of the first item with the very same tokens.
    first, second : array_like of int, shape (m,)
        Rows of the two items of each pair, contents both, first < second, in order.
    similarity : array_like of float, shape (m,)
        Jaccard similarity of each pair, from the threshold on, counted exactly.
    threshold : float
        From which similarity on two are near duplicates.
    miss : float, default 0
        How likely a pair of exactly the threshold was missed.
    at_us : array_like of int, shape (n,), optional
        When each item was posted, in microseconds since 1970-01-01T00:00Z.
    is_empty : array_like of bool, shape (n,), optional
        Items without a token, which were not compared.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        The columns do not fit each other.

    Examples
    --------
    >>> day = 86_400_000_000
    >>> found = Duplicates(
    ...     items=Index(["a", "b", "c", "d"]), content=[0, 1, 0, 3], first=[0], second=[3], similarity=[0.9],
    ...     threshold=0.8, at_us=[0, day, 7 * day, 9 * day],
    ... )
    >>> print(found)
    first  items  contents  least similarity  least days between  median days between
    ─────────────────────────────────────────────────────────────────────────────────
    a          3         2              0.90                 2.0                  4.5
    2 of 4 items repeat an earlier one, 50.0%; near duplicates from 0.8, none missed
    >>> found.cluster.tolist(), found.repeats.tolist()
    ([0, 1, 0, 0], [False, False, True, True])
    """

    items: Index
    content: IntArray
    first: IntArray
    second: IntArray
    similarity: FloatArray
    threshold: float = attrs.field(converter=_share)
    miss: float = attrs.field(default=0.0, converter=_miss)
    at_us: IntArray | None = None
    is_empty: BoolArray | None = None
    cluster: IntArray = attrs.field(init=False)

    _Row: ClassVar[type[Any] | None] = DuplicateRow

    def __attrs_post_init__(self) -> None:
        """Check that the columns fit each other, and find what hangs together."""
        instance("items", self.items, Index, expected="an Index")
        n = len(self.items)
        self._set("content", counts_column("content", self.content, (n,), of=f"each of {counted(n, 'item')}"))
        bad = self.content > np.arange(n)
        bad |= self.content[np.minimum(self.content, max(n - 1, 0))] != self.content if n else bad
        if bad.any():
            refuse("content", "the row of an earlier item that is its own content, or its own", self.content, bad)
        self._set("first", counts_column("first", self.first, (-1,), of="each pair"))
        of = f"each of {counted(len(self.first), 'pair')}"
        self._set("second", counts_column("second", self.second, self.first.shape, of=of))
        given = reals_column("similarity", self.similarity, self.first.shape, of=of, least=self.threshold, most=1)
        self._set("similarity", given)
        self._check_pairs(n)
        self._set("at_us", _instants(self.at_us, n))
        empty = np.zeros(n, dtype=np.bool_) if self.is_empty is None else self.is_empty
        mask: BoolArray = array_of("is_empty", empty, kinds="b", expected="booleans")
        if mask.shape != (n,):
            raise MisalignedError(message("is_empty", f"one for each of {counted(n, 'item')}", mask.shape))
        self._set("is_empty", mask if not may_change(mask) else frozen(mask.copy()))
        roots = component_roots(n, np.append(self.first, np.arange(n)), np.append(self.second, self.content))
        self._set("cluster", frozen(np.unique(roots, return_inverse=True)[1].astype(np.int64)))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_pairs(self, n: int) -> None:
        if not len(self.first):
            return
        bad = (self.first >= self.second) | (self.second >= n)
        key = self.first * n + self.second
        bad[1:] |= key[1:] <= key[:-1]
        if not bad.any():
            bad = (self.content[self.first] != self.first) | (self.content[self.second] != self.second)
        if bad.any():
            refuse("first", "pairs of contents in order, first before second, each once", self.first, bad)

    def __len__(self) -> int:
        """Return the number of clusters of two items or more."""
        return int((self.sizes > 1).sum())

    # ── of each item ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def earliest(self) -> IntArray:
        """Row of the item of each cluster that was posted first, of equal instants the first row, shape (n_clusters,).

        Without instants the first row of each.
        """
        order = self._in_time
        _, place = np.unique(self.cluster[order], return_index=True)
        return frozen(order[place])

    @property
    def repeats(self) -> BoolArray:
        """Which items say again what an earlier one of their cluster said, shape (n,)."""
        again = np.ones(len(self.items), dtype=np.bool_)
        again[self.earliest] = False
        return frozen(again)

    @property
    def repeat_share(self) -> float:
        """Share of items that repeat an earlier one; NaN without items."""
        return float(self.repeats.mean()) if len(self.items) else float("nan")

    @property
    def gap_days(self) -> FloatArray:
        """Days since the last item of the same cluster, shape (n,); NaN for the first of each, and without instants."""
        gaps = np.full(len(self.items), np.nan)
        if self.at_us is not None and len(gaps):
            order = self._in_time
            order = order[np.argsort(self.cluster[order], kind="stable")]
            again = np.flatnonzero(self.cluster[order[1:]] == self.cluster[order[:-1]])
            gaps[order[again + 1]] = (self.at_us[order[again + 1]] - self.at_us[order[again]]) / _DAY_US
        return frozen(gaps)

    @property
    def _in_time(self) -> IntArray:
        n = len(self.items)
        order: IntArray = np.arange(n) if self.at_us is None else np.argsort(self.at_us, kind="stable").astype(np.int64)
        return order

    # ── of each cluster, and of all ──────────────────────────────────────────────────────────────────────────────────

    @property
    def sizes(self) -> IntArray:
        """How many items each cluster has, singles included, shape (n_clusters,)."""
        return frozen(np.bincount(self.cluster))

    @property
    def n_pairs(self) -> int:
        """How many pairs of items are near duplicates, the same content included."""
        n = np.bincount(self.content, minlength=len(self.items)).astype(np.int64)
        if self.is_empty is not None:
            n[self.is_empty] = 0
        return int((n * (n - 1) // 2).sum() + (n[self.first] * n[self.second]).sum())

    def pairs(self) -> Iterator[tuple[Label, Label, float]]:
        """Go through all pairs of items that are near duplicates, with their similarity.

        There are as many as `n_pairs`: of a text posted a thousand times, half a million.

        Examples
        --------
        >>> found = Duplicates(
        ...     items=Index(["a", "b", "c"]), content=[0, 1, 0], first=[0], second=[1], similarity=[0.9], threshold=0.8
        ... )
        >>> sorted(found.pairs())
        [('a', 'b', 0.9), ('a', 'c', 1.0), ('b', 'c', 0.9)]
        """
        order = np.argsort(self.content, kind="stable")
        ends = np.searchsorted(self.content[order], np.arange(len(self.items) + 1))
        rows = [order[start:end].tolist() for start, end in pairwise(ends.tolist())]
        for of_content in rows:
            for place, row in enumerate(of_content):
                for other in of_content[place + 1 :]:
                    yield self.items[row], self.items[other], 1.0
        listed = zip(self.first.tolist(), self.second.tolist(), self.similarity.tolist(), strict=True)
        for first, second, similarity in listed:
            for row in rows[first]:
                for other in rows[second]:
                    yield self.items[min(row, other)], self.items[max(row, other)], similarity

    # ── as a table ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _tidy(self) -> Sequence[Column]:
        sizes, earliest = self.sizes, self.earliest
        shown = np.flatnonzero(sizes > 1)
        shown = shown[np.lexsort((earliest[shown], -sizes[shown]))]
        contents = np.bincount(self.cluster[np.unique(self.content)], minlength=len(sizes))
        least = np.ones(len(sizes))
        np.minimum.at(least, self.cluster[self.first], self.similarity)
        least_days, median_days = self._days(len(sizes))
        return [
            Column(key="first", en="first", zh="首发", values=self.items.labels[earliest[shown]]),
            Column(key="items", en="items", zh="篇数", values=sizes[shown], format="count"),
            Column(key="contents", en="contents", zh="不同内容", values=contents[shown], format="count"),
            Column(
                key="least_similarity",
                en="least similarity",
                zh="最低相似度",
                values=least[shown],
                format="number",
                digits=2,
            ),
            Column(
                key="least_days",
                en="least days between",
                zh="最短间隔（天）",
                values=least_days[shown],
                format="number",
                digits=1,
            ),
            Column(
                key="median_days",
                en="median days between",
                zh="间隔中位数（天）",
                values=median_days[shown],
                format="number",
                digits=1,
            ),
        ]

    def _days(self, n_clusters: int) -> tuple[FloatArray, FloatArray]:
        """Return the least and the median gap of each cluster, NaN where it has none."""
        least, median = np.full((2, n_clusters), np.nan)
        gaps = self.gap_days
        rows = np.flatnonzero(~np.isnan(gaps))
        if len(rows):
            rows = rows[np.lexsort((gaps[rows], self.cluster[rows]))]
            cluster, start, n = np.unique(self.cluster[rows], return_index=True, return_counts=True)
            gap = gaps[rows]
            least[cluster] = gap[start]
            median[cluster] = (gap[start + (n - 1) // 2] + gap[start + n // 2]) / 2.0
        return least, median

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        columns = self._tidy()
        return columns if self.at_us is not None else columns[:-2]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        n, again = len(self.items), int(self.repeats.sum())
        share = f"{self.repeat_share:.1%}" if n else "–"
        empty = int(self.is_empty.sum()) if self.is_empty is not None else 0
        if lang == "zh":
            missed = "无遗漏" if not self.miss else f"恰在阈值的遗漏率不超过 {self.miss:.2%}"
            rest = f"；{empty:,} 篇没有内容可比" if empty else ""
            return (f"{n:,} 篇中 {again:,} 篇重复先前内容，{share}；相似度 {self.threshold:g} 起，{missed}{rest}",)
        missed = "none missed" if not self.miss else f"one at the threshold missed with probability {self.miss:.2%}"
        rest = f"; {empty:,} without anything to compare" if empty else ""
        verb = "repeats" if again == 1 else "repeat"
        text = f"{again:,} of {counted(n, 'item')} {verb} an earlier one, {share}"
        return (f"{text}; near duplicates from {self.threshold:g}, {missed}{rest}",)

    def __repr__(self) -> str:
        """Show how many items there are, clusters of several, and repeats."""
        again = counted(int(self.repeats.sum()), "repeat")
        return f"Duplicates({counted(len(self.items), 'item')}, {counted(len(self), 'cluster')}, {again})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        given = {field.name: getattr(self, field.name) for field in attrs.fields(Duplicates) if field.init}
        return partial(Duplicates, **given), ()


def _instants(at_us: ArrayLike | None, n: int) -> IntArray | None:
    if at_us is None:
        return None
    us = array_of("at_us", at_us, kinds="iu", expected="integers")
    if us.shape != (n,):
        raise MisalignedError(
            message("at_us", f"one for each of {counted(n, 'item')}", f"an array of shape {us.shape}")
        )
    bad = (us < FIRST_US) | (us >= LAST_US)
    if bad.any():
        refuse("at_us", "microseconds of instants in [1900, 2262)", us, bad)
    return us if us.dtype == np.int64 and not may_change(us) else frozen(us.astype(np.int64))
