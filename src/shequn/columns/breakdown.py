"""How does a result look segment by segment, and what do the segments have in common?

Every option ``by=`` answers with a `Breakdown`: the result over everybody, the same result for each segment, and for
those in no segment. A member counts once in the total and once in each segment they are in, so the segments may add up
to more than the total; `Breakdown.overlap` says by how much.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from reprlib import repr as short_repr
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import attrs
import numpy as np

from shequn.columns.table import Column, Lang, RowT_co, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownLabelError, message, suggest
from shequn.labels import Label

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from shequn._typing import IntArray

__all__ = ["Breakdown", "SegmentRow", "Tally"]

_WORDS: dict[Lang, dict[str, str]] = {
    "en": {
        "total": "(all)",
        "unassigned": "(unassigned)",
        "overlap": "A member in several segments counts in each: they add up to as many as {n:,} more than the total.",
    },
    "zh": {
        "total": "（合计）",
        "unassigned": "（未分组）",
        "overlap": "同一成员可属多个分组，各组分别计数：各组之和最多比合计多 {n:,}。",
    },
}


class Tally(Tabular[RowT_co]):
    """A result that can be taken apart by segment and put together again.

    The parts of a log split by member have tallies whose `merge` is the tally of the whole; `merge` is associative and
    commutative, and the tally of nobody changes nothing but, perhaps, the axis (the periods, say).

    Examples
    --------
    >>> @attrs.frozen
    ... class Joined(Tally):
    ...     members: int
    ...
    ...     def merge(self, other, /):
    ...         return Joined(self.members + other.members)
    ...
    ...     def _headcount(self):
    ...         return np.array([self.members])
    ...
    ...     def _emptied(self):
    ...         return Joined(0)
    ...
    ...     def _columns(self, lang, /):
    ...         return [Column(key="joined", en="joined", zh="新增", values=[self.members], format="count")]
    >>> print(Joined(1200).merge(Joined(40)))
    joined
    ──────
     1,240
    """

    __slots__ = ()

    @abstractmethod
    def merge(self, other: Any, /) -> Self:  # noqa: ANN401 - a subclass takes its own class, and narrows this to `Self`
        """Return the tally of both.

        Parameters
        ----------
        other : same class
            The tally of other members, perhaps over other periods.

        Returns
        -------
        same class
            The tally of the members of either, over the periods of both.
        """

    @abstractmethod
    def _headcount(self) -> IntArray:
        """Count the members at each place of the axis."""

    @abstractmethod
    def _emptied(self) -> Self:
        """Return the tally of nobody over the same axis, with the same definition."""


R = TypeVar("R", bound=Tally[Any])


class SegmentRow(NamedTuple):
    """One row of one segment.

    Attributes
    ----------
    segment : str, int or None
        The label; None for those in no segment.
    row : record
        A row of the segment's own result.

    Examples
    --------
    >>> SegmentRow(segment="vip", row=("2024-01-01", 3)).segment
    'vip'
    """

    segment: Label | None
    row: Any


def _read_only_parts(parts: Mapping[Any, R]) -> Mapping[Label, R]:
    if not isinstance(parts, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("parts", "a mapping from segment to result", parts))
    return MappingProxyType(dict(parts))


@attrs.frozen(kw_only=True, repr=False)
class Breakdown(Tally[SegmentRow], Mapping[Label, R], Generic[R]):
    """A result for everybody and for each segment.

    It is a mapping from segment to result, in the order of the segments.

    Parameters
    ----------
    total : R
        The result over everybody, each member once.
    parts : mapping of str or int to R
        The result of each segment.
    unassigned : R, optional
        The result over those in no segment; None where nobody could be.

    Raises
    ------
    InvalidTypeError
        If a result is not a `Tally`, or not of the class of the total, or `parts` is no mapping.
    InvalidValueError
        If the headcount of a part has another shape than that of the total.

    Examples
    --------
    >>> from shequn.columns.log import EventLog
    >>> from shequn.retention.flow import flow_ledger
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann"], kind="post", at=[0, 60, 120], time_unit="s", group=["摄影", "摄影", "徒步"]
    ... )
    >>> by_group = flow_ledger(log, every="week", tz="Asia/Shanghai", by="group")
    >>> by_group["摄影"].retained, by_group.total.retained, by_group.overlap
    (array([2]), array([2]), array([1]))
    >>> by_group.to_columns()["segment"].tolist()
    ['摄影', '徒步']
    """

    total: R
    parts: Mapping[Label, R] = attrs.field(converter=_read_only_parts)
    unassigned: R | None = None

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.total, Tally):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("total", "a result that merges", self.total))
        shape = self.total._headcount().shape
        for label, part in self._segments():
            name = "unassigned" if label is None else f"parts[{label!r}]"
            if type(part) is not type(self.total):
                raise InvalidTypeError(message(name, f"a {type(self.total).__name__}, as the total is", part))
            if part._headcount().shape != shape:
                expected = f"a headcount of shape {shape}, as in the total"
                raise InvalidValueError(message(name, expected, part._headcount().shape))

    @property
    def overlap(self) -> IntArray:
        """By how much the segments add up to more than the total, at each place of the axis.

        Those in no segment are added as well, so that it is 0 wherever each member is in one segment or in none.

        Returns
        -------
        ndarray of int64, shape of the headcount
            Read-only.
        """
        excess = -self.total._headcount().astype(np.int64)
        for _, part in self._segments():
            excess += part._headcount()
        excess.setflags(write=False)
        return excess

    def merge(self, other: Self, /) -> Self:
        """Return the breakdown of the members of both.

        Totals are merged, segments by label, in the order of this one's labels and then of the other's. A segment that
        one of the two lacks has nobody there.

        Parameters
        ----------
        other : Breakdown
            The breakdown of other members.

        Returns
        -------
        Breakdown
            Of both.

        Raises
        ------
        InvalidTypeError
            If `other` is not a Breakdown.
        """
        if not isinstance(other, Breakdown):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("other", "a Breakdown", other))
        labels = dict.fromkeys((*self.parts, *other.parts))
        unassigned = None
        if self.unassigned is not None or other.unassigned is not None:
            unassigned = self._or_nobody(self.unassigned).merge(other._or_nobody(other.unassigned))
        return attrs.evolve(
            self,
            total=self.total.merge(other.total),
            parts={
                label: self._or_nobody(self.parts.get(label)).merge(other._or_nobody(other.parts.get(label)))
                for label in labels
            },
            unassigned=unassigned,
        )

    def rows(self) -> Iterator[SegmentRow]:
        """Go through the rows of each segment, then of those in none; the total is left out.

        Returns
        -------
        iterator of SegmentRow
            The label and a row of that segment's own `rows`.

        Raises
        ------
        InvalidTypeError
            If this kind of result has no record.
        """
        return (SegmentRow(label, row) for label, part in self._segments() for row in part.rows())

    def last(self) -> SegmentRow:
        """Return the last row, as `rows` gives it: that of the last segment, or of those in none.

        For the last row of each segment, ask each: ``{label: part.last() for label, part in breakdown.items()}``.

        Returns
        -------
        SegmentRow
            The last row.

        Raises
        ------
        InvalidValueError
            If there is no row.
        """
        last = deque(self.rows(), maxlen=1)
        if not last:
            raise InvalidValueError(message("last", "a result with at least one row", 0))
        return last.pop()

    def __getitem__(self, segment: Label) -> R:
        try:
            return self.parts[segment]
        except (KeyError, TypeError):
            raise UnknownLabelError(
                message("segment", "a label of this breakdown", segment) + suggest(segment, self.parts)
            ) from None

    def __iter__(self) -> Iterator[Label]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def __repr__(self) -> str:
        return f"Breakdown({type(self.total).__name__}, segments={short_repr(list(self.parts))})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the constructor: a read-only mapping has no pickle of its own."""
        return _breakdown_of, (type(self), self.total, dict(self.parts), self.unassigned)

    def _segments(self) -> Iterator[tuple[Label | None, R]]:
        yield from self.parts.items()
        if self.unassigned is not None:
            yield None, self.unassigned

    def _or_nobody(self, part: R | None) -> R:
        return self.total._emptied() if part is None else part

    def _headcount(self) -> IntArray:
        return self.total._headcount()

    def _emptied(self) -> Self:
        return attrs.evolve(self, total=self.total._emptied(), parts={}, unassigned=None)

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        words = _WORDS[lang]
        sections = [(words["total"], self.total), *self._segments()]
        labels = [words["unassigned"] if label is None else label for label, _ in sections]
        return _stacked(labels, [part._columns(lang) for _, part in sections])

    def _tidy(self) -> Sequence[Column]:
        segments = list(self._segments())
        if not segments:
            return _stacked([None], [[attrs.evolve(column, values=column.values[:0]) for column in self.total._tidy()]])
        return _stacked([label for label, _ in segments], [part._tidy() for _, part in segments])

    def _title(self, lang: Lang, /) -> str | None:
        return self.total._title(lang)

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        most = int(self.overlap.max(initial=0))
        remark = [_WORDS[lang]["overlap"].format(n=most)] if most else []
        return [*self.total._notes(lang), *remark]


def _breakdown_of(kind: type[Breakdown[R]], total: R, parts: dict[Label, R], unassigned: R | None) -> Breakdown[R]:
    return kind(total=total, parts=parts, unassigned=unassigned)


def _stacked(labels: Sequence[Label | None], tables: Sequence[Sequence[Column]]) -> list[Column]:
    """Put tables under each other behind a column of labels; a column that a table lacks is missing there."""
    lengths = [len(table[0].values) for table in tables]
    segment = Column(key="segment", en="segment", zh="分组", values=np.repeat(_array_of_labels(labels), lengths))
    by_key = [{column.key: column.values for column in table} for table in tables]
    first: dict[str, Column] = {}
    for table in tables:
        for column in table:
            first.setdefault(column.key, column)
    return [segment] + [
        attrs.evolve(column, values=np.concatenate(_blocks(key, column, by_key, lengths)))
        for key, column in first.items()
    ]


def _array_of_labels(labels: Sequence[Label | None]) -> NDArray[Any]:
    if all(isinstance(label, int) for label in labels):
        return np.array(labels, dtype=np.int64)
    return np.fromiter(labels, dtype=object, count=len(labels))


def _blocks(
    key: str, like: Column, by_key: Iterable[Mapping[str, NDArray[Any]]], lengths: Iterable[int]
) -> list[NDArray[Any]]:
    return [
        values[key] if key in values else _missing(like, length) for values, length in zip(by_key, lengths, strict=True)
    ]


def _missing(like: Column, length: int) -> NDArray[Any]:
    kind = like.values.dtype.kind
    if kind == "M":
        return np.full(length, "NaT", dtype=like.values.dtype)
    # NaN would turn integers into floats, which as text show a decimal point.
    is_measured = kind == "f" or (kind in "iu" and like.format != "text")
    return np.full(length, np.nan) if is_measured else np.full(length, None, dtype=object)
