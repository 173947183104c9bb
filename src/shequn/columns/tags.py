"""Which sets of labels does each member carry: interests, purchases, languages?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, cast

import attrs
import numpy as np

from shequn.columns.extra import same_fields
from shequn.columns.frames import decoded, plain_column
from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.errors import InvalidTypeError, ShequnError, message
from shequn.labels import Coded
from shequn.labels.encode import is_null
from shequn.stats.distinct import each_once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.labels import Label

__all__ = ["Tags"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Tags:
    """A set of labels for each of n rows, as one ragged column.

    Attributes
    ----------
    labels : Coded
        All sets one after the other, each in ascending order.
    offsets : ndarray of int64, shape (n + 1,)
        The set of row i is ``labels[offsets[i]:offsets[i + 1]]``.

    Examples
    --------
    >>> interests = Tags.of([{"tea", "hiking"}, None, ["tea"]], argument="interests")
    >>> interests.row(0), interests.mask("tea").tolist()
    (('hiking', 'tea'), [True, False, True])
    """

    labels: Coded
    offsets: NDArray[np.int64] = attrs.field(converter=read_only)

    @classmethod
    def of(cls, sets: object, /, *, argument: str) -> Tags:
        """Build from one collection of labels a row; None is the empty set, and a label given twice counts once.

        Raises
        ------
        InvalidTypeError
            A row is no collection, or a label is neither `str` nor `int`, or the two are mixed.

        Examples
        --------
        >>> Tags.of([["b", "a", "b"]], argument="x").row(0)
        ('a', 'b')
        """
        rows = _as_lists(sets, argument)
        flat = [label for row in rows for label in row]
        row_of_label = np.repeat(np.arange(len(rows)), np.array([len(row) for row in rows], dtype=np.int64))
        try:
            column = Coded.of(cast("Sequence[Label]", flat), argument=argument)
        except ShequnError:
            _refuse_label(rows, argument)
        rank = np.argsort(np.argsort(column.index.labels))
        distinct = each_once(row_of_label * len(column.index) + rank[column.codes])
        row, code = np.divmod(distinct, max(len(column.index), 1))
        offsets = np.searchsorted(row, np.arange(len(rows) + 1))
        ascending = column.index.take(np.argsort(column.index.labels))
        return cls(labels=Coded(index=ascending, codes=code), offsets=frozen(offsets))

    @classmethod
    def none(cls, n: int, /) -> Tags:
        """Return n empty sets.

        Examples
        --------
        >>> len(Tags.none(2))
        2
        """
        return cls.of([None] * n, argument="tags")

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.offsets) - 1

    def row(self, row: int, /) -> tuple[Label, ...]:
        """Return the set of a row, in ascending order.

        Examples
        --------
        >>> Tags.of([[3, 1]], argument="lucky").row(0)
        (1, 3)
        """
        return tuple(self.labels.take(slice(self.offsets[row], self.offsets[row + 1])).labels().tolist())

    def mask(self, label: Label, /) -> BoolArray:
        """Return which rows have a label, shape (n,); one that nobody has is in no row.

        Examples
        --------
        >>> Tags.of([["a"], None], argument="x").mask("b").tolist()
        [False, False]
        """
        mask = np.zeros(len(self), dtype=np.bool_)
        if label in self.labels.index:
            places = np.flatnonzero(self.labels.codes == self.labels.index.code(label))
            mask[np.searchsorted(self.offsets, places, side="right") - 1] = True
        return frozen(mask)

    def take(self, rows: IntArray, /) -> Tags:
        """Return some of the rows; -1 stands for an empty one.

        Examples
        --------
        >>> Tags.of([["a"], ["b"]], argument="x").take(np.array([1, -1, 0])).to_objects().tolist()
        [('b',), (), ('a',)]
        """
        sizes = np.append(np.diff(self.offsets), 0)[rows]
        offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
        shift = self.offsets[rows] - offsets[:-1]
        places = np.arange(int(offsets[-1])) + np.repeat(shift, sizes)
        return Tags(labels=self.labels.take(places), offsets=frozen(offsets))

    def to_objects(self) -> NDArray[Any]:
        """Return the sets as an object array of tuples, shape (n,), read-only.

        Examples
        --------
        >>> Tags.of([["a"], None], argument="x").to_objects().tolist()
        [('a',), ()]
        """
        flat: list[Label] = self.labels.labels().tolist()
        bounds: list[int] = self.offsets.tolist()
        sets = (tuple(flat[start:end]) for start, end in pairwise(bounds))
        return frozen(np.fromiter(sets, dtype=object, count=len(self)))

    def __eq__(self, other: object) -> bool:
        """Return whether both hold equal sets, row by row."""
        return same_fields(self, other) if isinstance(other, Tags) else NotImplemented

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show how many sets there are of how many labels."""
        return f"Tags({len(self):,} rows, {self.labels.index!r})"

    def __reduce__(self) -> tuple[Callable[..., Tags], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def _as_lists(sets: object, argument: str) -> list[list[object]]:
    """Return a list of labels for each row."""
    column = decoded(plain_column(sets))
    if not _is_collection(column) or not isinstance(column, Sized):
        raise InvalidTypeError(message(argument, "a column with a collection of labels in each row", sets))
    rows: list[list[object]] = []
    for row, labels in enumerate(cast("Iterable[object]", column)):
        if not is_null(labels) and not _is_collection(labels):
            raise InvalidTypeError(message(argument, "a collection of labels in each row, or None", labels, row=row))
        rows.append([] if is_null(labels) else list(cast("Iterable[object]", labels)))
    return rows


def _is_collection(labels: object) -> bool:
    if isinstance(labels, str | bytes | Mapping) or (isinstance(labels, np.ndarray) and not labels.ndim):
        return False
    return isinstance(labels, Iterable)


def _refuse_label(rows: list[list[object]], argument: str) -> NoReturn:
    """Raise for the first row with a label that is none, or that is not of the first one's type."""
    labels = [(row, label) for row, of_row in enumerate(rows) for label in of_row]
    row, label = next(found for found in labels if not _go_together(labels[0][1], found[1]))
    raise InvalidTypeError(message(argument, "labels that are all str or all int", label, row=row))


def _go_together(first: object, label: object) -> bool:
    try:
        Coded.of(cast("Sequence[Label]", [first, label]), argument="")
    except ShequnError:
        return False
    return True
