"""A column of labels, kept as an index and one small integer a row."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.labels.encode import encode, encode_text, refuse_missing
from shequn.labels.index import Index
from shequn.stats._checks import may_change, plain_array

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn.labels.index import Label

__all__ = ["Coded"]


_MOST_INT8, _MOST_INT16 = 127, 32767


@attrs.frozen(kw_only=True, eq=False)
class Coded:
    """A labelled column: row i holds ``index[codes[i]]``, or nothing where the code is -1.

    Parameters
    ----------
    index : Index
        The distinct labels.
    codes : ndarray of int8, int16 or int32, shape (n,)
        Code of each row in `index`, as small as the index allows; -1 stands for none.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        `codes` are no integers, or some lie outside [-1, len(index)).

    Examples
    --------
    >>> cities = Coded.of(["沪", "京", None, "沪"], argument="city", nulls=True)
    >>> cities.codes.tolist(), cities.labels().tolist()
    ([0, 1, -1, 0], ['沪', '京', None, '沪'])
    """

    # An array then leaves a comparison to this class, instead of comparing label by label.
    __array_ufunc__: ClassVar[None] = None

    index: Index
    codes: NDArray[Any]

    def __attrs_post_init__(self) -> None:
        """Check the codes, and keep them as small as the index allows."""
        if not isinstance(self.index, Index):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("index", "an Index", self.index))
        object.__setattr__(self, "codes", _checked_codes(self.codes, len(self.index)))

    @classmethod
    def of(cls, values: ArrayLike | Sequence[Label | None] | Coded, /, *, argument: str, nulls: bool = False) -> Coded:
        """Encode a column, see `Index.encode`; one that is encoded already stays as it is.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            As `Index.encode` does; also where a column encoded already has nulls that may not be.

        Examples
        --------
        >>> Coded.of([30, 10, 30], argument="member").index
        Index([10, 30])
        """
        if isinstance(values, Coded):
            if not nulls and values.has_nulls:
                refuse_missing(values.codes < 0, argument)
            return values
        index, codes = encode(values, argument=argument, nulls=nulls)
        return cls(index=index, codes=codes)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.codes)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: ANN401
        """Return `labels()` to ``np.asarray(column)``; they are decoded, and so never on the same memory."""
        if copy is False:
            raise InvalidValueError(message("copy", "True or None, as labels are decoded", copy))
        return np.array(self.labels(), dtype=dtype, copy=copy)

    def labels(self) -> NDArray[Any]:
        """Return the label of each row, shape (n,), read-only: int64 if all have an integer one, else object with None.

        Examples
        --------
        >>> Coded.of([30, 10], argument="member").labels()
        array([30, 10])
        """
        if self.index.is_text or self.has_nulls:
            return _frozen(np.array([*self.index, None], dtype=object)[self.codes])
        return _frozen(self.index.labels[self.codes])

    @property
    def has_nulls(self) -> bool:
        """Whether some row holds nothing."""
        return bool(len(self.codes) and self.codes.min() < 0)

    def label(self, row: int, /) -> Label | None:
        """Return the label of one row, or None.

        Examples
        --------
        >>> Coded.of(["a", None], argument="group", nulls=True).label(1) is None
        True
        """
        code = int(self.codes[row])
        return None if code < 0 else self.index[code]

    def take(self, rows: NDArray[Any] | slice, /) -> Coded:
        """Return some of the rows, under the same index.

        Examples
        --------
        >>> Coded.of([30, 10], argument="member").take(slice(0, 1)).codes.tolist()
        [1]
        """
        return attrs.evolve(self, codes=_frozen(self.codes[rows]))

    def compact(self) -> Coded:
        """Return the same column under an index of the labels that occur, in their old order.

        Examples
        --------
        >>> Coded.of([30, 10], argument="member").take(slice(0, 1)).compact().index
        Index([30])
        """
        used = np.zeros(len(self.index) + 1, dtype=np.bool_)
        used[self.codes] = True  # a null marks the spare last place
        used = used[:-1]
        if used.all():
            return self
        new_code = np.full(len(used) + 1, -1, dtype=np.int32)
        new_code[:-1][used] = np.arange(int(used.sum()), dtype=np.int32)
        return Coded(index=self.index.take(used), codes=_frozen(new_code[self.codes]))

    def under(self, index: Index, /) -> Coded:
        """Return the same rows under another index; labels unknown there become nulls.

        Examples
        --------
        >>> Coded.of(["a", "b"], argument="group").under(Index(["b"])).codes.tolist()
        [-1, 0]
        """
        if index is self.index:
            return self
        place = np.append(index.places_of(self.index), np.int32(-1))
        return Coded(index=index, codes=_frozen(place[self.codes]))

    @staticmethod
    def concat(columns: Sequence[Coded], /, *, argument: str = "columns") -> Coded:
        """Stack columns under the union of their indexes.

        Raises
        ------
        InvalidTypeError
            Some hold `str` and others `int` labels.

        Examples
        --------
        >>> Coded.concat([Coded.of(["a"], argument="x"), Coded.of(["b", "a"], argument="x")]).codes.tolist()
        [0, 1, 0]
        """
        indexes = [column.index for column in columns if len(column.index)]
        first = indexes[0] if indexes else Index()
        if all(index is first for index in indexes):
            united, places = first, None
        else:
            for index in indexes:
                if index.is_text != first.is_text:
                    first.union(index, argument=argument)  # which says what is wrong
            labels = np.concatenate([index.labels for index in indexes])
            united, places = encode_text(labels) if first.is_text else encode(labels, argument=argument)
        codes: list[NDArray[Any]] = [np.empty(0, dtype=np.int8)]
        start = 0
        for column in columns:
            n = len(column.index)
            codes.append(column.codes if places is None else np.append(places[start : start + n], -1)[column.codes])
            start += n
        return Coded(index=united, codes=_frozen(np.concatenate(codes)))

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same labels, row by row."""
        if not isinstance(other, Coded):
            return NotImplemented
        if len(self) != len(other):
            return False
        mine, theirs = self.compact(), other.compact()
        if len(mine.index) != len(theirs.index) or (mine.index.places_of(theirs.index) < 0).any():
            return False
        return bool(np.array_equal(theirs.under(mine.index).codes, mine.codes))

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show how many rows there are of what."""
        return f"Coded({len(self):,} rows, {self.index!r})"

    def __reduce__(self) -> tuple[Callable[..., Coded], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return partial(Coded, index=self.index, codes=self.codes), ()


def _checked_codes(codes: NDArray[Any], n_labels: int) -> NDArray[Any]:
    given = plain_array("codes", codes, expected="a 1-D array of integers")
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise InvalidTypeError(message("codes", "a 1-D array of integers", f"{given.dtype} of shape {given.shape}"))
    if given.size and (given.min() < -1 or given.max() >= n_labels):
        bad = (given < -1) | (given >= n_labels)
        row = int(np.flatnonzero(bad)[0])
        raise InvalidValueError(
            message("codes", f"codes in [-1, {n_labels})", given[row], row=row, bad=int(bad.sum()), total=len(bad))
        )
    return _frozen(given.astype(_code_dtype(n_labels), copy=may_change(given)))


def _code_dtype(n_labels: int) -> type[np.signedinteger[Any]]:
    return np.int8 if n_labels <= _MOST_INT8 else np.int16 if n_labels <= _MOST_INT16 else np.int32


def coded_of_valid(index: Index, codes: NDArray[Any], /) -> Coded:
    """Return the column of codes that are known to be in [-1, len(index)) and nobody else's to write: not read again.

    Examples
    --------
    >>> coded_of_valid(Index(["a"]), np.array([0, -1])).codes
    array([ 0, -1], dtype=int8)
    """
    new = object.__new__(Coded)
    object.__setattr__(new, "index", index)
    object.__setattr__(new, "codes", _frozen(codes.astype(_code_dtype(len(index)), copy=False)))
    return new


def _frozen(codes: NDArray[Any]) -> NDArray[Any]:
    codes.setflags(write=False)
    return codes
