"""Which label is code 17, and which code has this label? An ordered set of unique labels, each a `str` or an `int`."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, overload

import numpy as np

from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError, message, suggest
from shequn.stats._checks import instance, is_integer, items_of, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Index", "Label", "index_of_unique"]

Label: TypeAlias = str | int

_MOST_LABELS = 2**31 - 1  # codes are int32


class Index:
    """Ordered unique labels, each known by its code: label <-> 0..n-1.

    Labels are all `str` or all `int`. Two indexes are equal when they hold the same labels in the same order.

    Parameters
    ----------
    labels : iterable of str or of int
        Unique; kept in the order given. A set has no order and is refused.
    argument : str, default "labels"
        Name that errors use.

    Raises
    ------
    InvalidTypeError
        A label is neither `str` nor `int`, the two are mixed, or `labels` is nothing to iterate over.
    InvalidValueError
        A label stands twice, or an integer does not fit 64 bits.

    See Also
    --------
    Index.encode : find the labels of a column, and the code of each row.

    Examples
    --------
    >>> members = Index(["ann", "bo"])
    >>> members.code("bo"), members[0], len(members), "cy" in members
    (1, 'ann', 2, False)
    """

    __slots__ = ("_ascending", "_codes", "_labels", "_positional")

    # An array then leaves a comparison to this class, instead of comparing label by label.
    __array_ufunc__ = None

    _labels: NDArray[Any]
    _codes: dict[str, int] | None
    _ascending: bool
    _positional: bool

    def __init__(self, labels: Iterable[Label] | ArrayLike = (), /, *, argument: str = "labels") -> None:
        from shequn.labels.encode import encode  # noqa: PLC0415  (encode builds indexes: a cycle at import)

        found, codes = encode(_in_order(labels, argument), argument=argument)
        if len(found) != len(codes):
            again = np.ones(len(codes), dtype=np.bool_)
            again[np.unique(codes, return_index=True)[1]] = False
            row = int(np.flatnonzero(again)[0])
            raise InvalidValueError(
                message(argument, "each label once", found[codes[row]], row=row, bad=int(again.sum()), total=len(codes))
            )
        self._set(found.labels[codes], positional=False)

    def _set(self, labels: NDArray[Any], *, positional: bool) -> None:
        labels.setflags(write=False)
        is_text = labels.dtype == object
        object.__setattr__(self, "_labels", labels)
        object.__setattr__(self, "_codes", None)
        object.__setattr__(self, "_ascending", not is_text and bool(np.all(labels[1:] > labels[:-1])))
        object.__setattr__(self, "_positional", positional)

    def _code_of_text(self) -> dict[str, int]:
        """Return the code of each text; made when somebody first asks, as most indexes are only handed on."""
        if self._codes is None:
            codes = dict(zip(self._labels.tolist(), range(len(self._labels)), strict=True))
            object.__setattr__(self, "_codes", codes)
            return codes
        return self._codes

    @classmethod
    def encode(
        cls, values: ArrayLike | Sequence[Label | None], /, *, argument: str = "values", nulls: bool = False
    ) -> tuple[Index, NDArray[np.int32]]:
        """Find the distinct labels of a column and the code of each row.

        Parameters
        ----------
        values : array_like, shape (n,)
            All `str` or all `int` (a NumPy, pandas or Python column).
        argument : str, default "values"
            Name that errors use.
        nulls : bool, default False
            Whether a missing label (None, NaN) is allowed; its code is -1.

        Returns
        -------
        index : Index
            Integers in ascending order, strings in order of first appearance.
        codes : ndarray of int32, shape (n,)
            Read-only.

        Raises
        ------
        InvalidTypeError
            Some rows are neither `str` nor `int`, or the two are mixed.
        InvalidValueError
            A label is missing where none may be, or does not fit 64 bits.

        Examples
        --------
        >>> index, codes = Index.encode(["bo", "ann", "bo"])
        >>> index, codes.tolist()
        (Index(['bo', 'ann']), [0, 1, 0])
        """
        from shequn.labels.encode import encode  # noqa: PLC0415  (encode builds indexes: a cycle at import)

        return encode(values, argument=argument, nulls=nulls)

    @classmethod
    def positional(cls, n: int, /) -> Index:
        """Index of `n` unnamed rows 0..n-1, which aligns with any index of the same length.

        Examples
        --------
        >>> Index.positional(3).is_positional
        True
        """
        length = whole("n", n)
        if not 0 <= length <= _MOST_LABELS:
            raise InvalidValueError(message("n", "a number of rows in [0, 2**31)", n))
        return index_of_unique(np.arange(length, dtype=np.int64), positional=True)

    @property
    def labels(self) -> NDArray[Any]:
        """The labels, shape (n,): int64, or object holding `str`. Read-only."""
        return self._labels

    @property
    def is_text(self) -> bool:
        """Whether the labels are `str` (an empty index is neither; it counts as text)."""
        return bool(self._labels.dtype == object)

    @property
    def is_positional(self) -> bool:
        """Whether the labels are mere row numbers, see `Index.positional`."""
        return self._positional

    def __len__(self) -> int:
        """Return the number of labels."""
        return len(self._labels)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: ANN401
        """Return `labels` to ``np.asarray(index)``, on the same memory."""
        return np.array(self._labels, dtype=dtype, copy=copy)

    def __iter__(self) -> Iterator[Label]:
        """Iterate over the labels as Python values."""
        return iter(self._labels.tolist())

    def __getitem__(self, code: int, /) -> Label:
        """Return the label of a code in [0, n); -1, which stands for no label elsewhere, is no code."""
        try:
            place = index(code)
        except TypeError:
            raise InvalidTypeError(message("code", "an int", code)) from None
        if not 0 <= place < len(self):
            raise InvalidValueError(message("code", f"a code in [0, {len(self)})", code))
        label = self._labels[place]
        return label if isinstance(label, str) else int(label)

    def __contains__(self, label: object) -> bool:
        """Return whether `label` is one of the labels."""
        return self._find(label) >= 0

    def _find(self, label: object) -> int:
        if self.is_text:
            return self._code_of_text().get(label, -1) if isinstance(label, str) else -1
        if not is_integer(label):
            return -1
        number = index(label)
        if not -(2**63) <= number < 2**63:
            return -1
        if self._ascending:
            at = int(np.searchsorted(self._labels, number))
            return at if at < len(self._labels) and self._labels[at] == number else -1
        hits = np.flatnonzero(self._labels == number)
        return int(hits[0]) if len(hits) else -1

    def code(self, label: Label, /, *, argument: str = "label") -> int:
        """Return the code of a label.

        Raises
        ------
        UnknownLabelError
            There is no such label; the message suggests the closest one.

        Examples
        --------
        >>> Index([30, 10, 20]).code(10)
        1
        """
        at = self._find(label)
        if at < 0:
            hint = suggest(label, self) if len(self) <= 1000 else ""  # noqa: PLR2004
            raise UnknownLabelError(message(argument, f"one of {len(self)} known labels", label) + hint)
        return at

    def codes_of(self, labels: ArrayLike | Sequence[Label], /) -> NDArray[np.int32]:
        """Return the code of each of many labels, -1 where a label is not in the index.

        Parameters
        ----------
        labels : array_like, shape (m,)

        Returns
        -------
        ndarray of int32, shape (m,)
            Read-only.

        Examples
        --------
        >>> Index(["ann", "bo"]).codes_of(["bo", "cy"]).tolist()
        [1, -1]
        """
        other, rows = Index.encode(labels, argument="labels")
        return _frozen(self.places_of(other)[rows])

    def places_of(self, other: Index, /) -> NDArray[np.int32]:
        """Return the code here of each label of `other`, -1 where it is unknown, shape (len(other),), read-only.

        Examples
        --------
        >>> Index(["ann", "bo"]).places_of(Index(["cy", "bo"])).tolist()
        [-1, 1]
        """
        if self is other:
            return _frozen(np.arange(len(self), dtype=np.int32))
        instance("other", other, Index, expected="an Index")
        missing = np.full(len(other), -1, dtype=np.int32)
        if not len(self) or not len(other) or self.is_text != other.is_text:
            return _frozen(missing)
        if self.is_text:
            find = self._code_of_text().get
            found = (find(label, -1) for label in other._labels.tolist())
            return _frozen(np.fromiter(found, dtype=np.int32, count=len(other)))
        order = None if self._ascending else np.argsort(self._labels)
        ascending = self._labels if order is None else self._labels[order]
        at = np.minimum(np.searchsorted(ascending, other._labels), len(ascending) - 1)
        codes = at if order is None else order[at]
        return _frozen(np.where(ascending[at] == other._labels, codes, -1).astype(np.int32))

    def take(self, codes: NDArray[np.integer[Any]] | NDArray[np.bool_], /) -> Index:
        """Return the index of some of the labels, by distinct codes or by a mask of shape (n,).

        Examples
        --------
        >>> Index(["ann", "bo", "cy"]).take(np.array([2, 0]))
        Index(['cy', 'ann'])
        """
        return index_of_unique(self._labels[codes])

    def union(self, other: Index, /, *, argument: str = "labels") -> Index:
        """Return the index of all labels of both: ascending where both are, else these labels and then the new ones.

        Raises
        ------
        InvalidTypeError
            One holds `str` and the other `int` labels.

        Examples
        --------
        >>> Index(["ann", "bo"]).union(Index(["cy", "ann"]))
        Index(['ann', 'bo', 'cy'])
        """
        instance("other", other, Index, expected="an Index")
        if self is other or not len(other):
            return self
        if not len(self):
            return other
        if self.is_text != other.is_text:
            raise InvalidTypeError(
                message(argument, f"labels of one type ({_type_name(self)}, as {self[0]!r})", other[0])
                + f", a label of type {_type_name(other)}"
            )
        if self._ascending and other._ascending:
            return index_of_unique(np.union1d(self._labels, other._labels))
        new = self.places_of(other) < 0
        return index_of_unique(np.concatenate([self._labels, other._labels[new]])) if new.any() else self

    def aligns_with(self, other: Index, /) -> bool:
        """Return whether both speak of the same members in the same order (positional indexes: of as many)."""
        if self is other:
            return True
        instance("other", other, Index, expected="an Index")
        if self._positional or other._positional:
            return len(self) == len(other)
        return self == other

    def require_aligned(self, other: Index, /, *, argument: str) -> None:
        """Raise unless `other`, the index of `argument`, aligns with this one.

        Raises
        ------
        InvalidTypeError
            `other` is no Index.
        MisalignedError
            Names the first difference.

        Examples
        --------
        >>> Index(["ann", "bo"]).require_aligned(Index(["ann", "cy"]), argument="treated")
        Traceback (most recent call last):
        ...
        shequn.errors.MisalignedError: treated: expected the same members in the same order, got 'cy' where 'bo' ...
        """
        if self.aligns_with(other):
            return
        if len(self) != len(other):
            raise MisalignedError(
                message(argument, f"one entry for each of the {len(self)} members", len(other))
                + " entries; see `.align(index)`"
            )
        mine, theirs = self._labels.tolist(), other._labels.tolist()
        row = next(i for i, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b)
        raise MisalignedError(
            f"{argument}: expected the same members in the same order, got {theirs[row]!r} where {mine[row]!r} "
            f"stands at position {row}; see `.align(index)`"
        )

    @overload
    def __eq__(self, other: Index, /) -> bool: ...
    @overload
    def __eq__(self, other: object, /) -> bool: ...
    def __eq__(self, other: object, /) -> bool:
        """Return whether both hold the same labels in the same order."""
        if self is other:
            return True
        if not isinstance(other, Index):
            return False if isinstance(other, np.ndarray) else NotImplemented
        if len(self) != len(other) or (len(self) and self.is_text != other.is_text):
            return False
        if not len(self) or self._labels is other._labels:
            return True
        if not np.array_equal(self._labels, other._labels):
            return False
        # What is equal stays so: one array for both, and the next time nothing is compared.
        object.__setattr__(other, "_labels", self._labels)
        return True

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: an index never changes."""
        raise AttributeError(f"Index is immutable, cannot set {name!r}")

    def __reduce__(self) -> tuple[Callable[..., Index], tuple[Any, ...]]:
        """Pickle the labels alone."""
        return _restore, (np.asarray(self._labels), self._positional)

    def __repr__(self) -> str:
        """Show the first labels."""
        shown = ", ".join(repr(label) for label in self._labels[:6].tolist())
        return f"Index([{shown}{', …' if len(self) > 6 else ''}])" + (  # noqa: PLR2004
            f" of {len(self)}" if len(self) > 6 else ""  # noqa: PLR2004
        )


def index_of_unique(labels: NDArray[Any], *, positional: bool = False) -> Index:
    """Return the index of labels known to be unique and of one type: int64, or `str` in an object array, which is kept.

    Examples
    --------
    >>> index_of_unique(np.array([30, 10]))
    Index([30, 10])
    """
    new = object.__new__(Index)
    new._set(labels, positional=positional)  # pyright: ignore[reportPrivateUsage]
    return new


def _frozen(codes: NDArray[np.int32]) -> NDArray[np.int32]:
    codes.setflags(write=False)
    return codes


def _restore(labels: NDArray[Any], positional: bool) -> Index:
    return index_of_unique(labels, positional=positional)


def _in_order(labels: object, argument: str) -> object:
    """Return what `encode` takes: an array or an index as it is, anything else that has an order as a list."""
    if isinstance(labels, Index) or hasattr(labels, "__array__"):
        return labels
    expected = "labels in an order, such as a list"
    if isinstance(labels, set | frozenset):
        raise InvalidTypeError(message(argument, expected, labels))  # pyright: ignore[reportUnknownArgumentType]
    return items_of(argument, labels, expected=expected)


def _type_name(index: Index) -> str:
    return "str" if index.is_text else "int"
