"""How many members have each value? Tables that merge exactly, and from which the cuts of scores are read.

`ValueCounts` holds each distinct value and how many members have it. Where there are too many distinct values,
`ValueSketch` holds them rounded to buckets, a few thousand for each power of two. It tells in which bucket each cut
lies (`Brackets`), and a second pass counts the values of those few buckets exactly. The cuts are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.readonly import added, by_fields, counts_field, frozen, read_only
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.segmentation.scoring import Cut, Ties, bins_of, cuts_of_table, doubled_worse, thresholds, ties_of
from shequn.stats._checks import array_of, counts, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, IntArray

__all__ = ["Brackets", "ValueCounts", "ValueSketch", "cuts_of_values", "has_distinct"]

_SIGNIFICANT_BITS = 12  # of a value that tell its bucket: some 4,000 buckets for each power of two
_FLOAT_BITS = 52
_DENSE = 1 << 22  # as many buckets side by side are counted by place
_FEW_VALUES = 1 << 14  # as few are sorted at once
_EXACT_FLOAT = 2**53


def _numbers(argument: str, values: ArrayLike) -> NDArray[Any]:
    """Return values as int64 or float64, none missing or infinite."""
    given = array_of(argument, values, kinds="iuf", expected="numbers")
    if given.ndim != 1:
        raise InvalidTypeError(message(argument, "a 1-D array of numbers", f"an array of shape {given.shape}"))
    if not len(given):
        return np.zeros(0, dtype=np.int64)  # nothing merges with anything
    if given.dtype.kind == "f":
        bad = ~np.isfinite(given)
        if bad.any():
            refuse(argument, "finite numbers", given, bad)
        return given.astype(np.float64, copy=False) + 0.0  # so that there is one zero only
    if given.dtype.kind == "u" and int(given.max()) >= 2**63:
        refuse(argument, "integers that fit 64 bits with sign", given, given >= 2**63)
    return given.astype(np.int64, copy=False)


def _values_field() -> Any:  # noqa: ANN401
    field: Callable[..., Any] = attrs.field
    return field(converter=read_only, eq=attrs.cmp_using(eq=_same_values))


def _same_values(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.dtype == other.dtype and bool(np.array_equal(one, other))


@attrs.frozen(kw_only=True, repr=False)
class ValueCounts:
    """Distinct values, and how many members have each: a table that merges exactly.

    Made by `of`, merged by `merge`; the counts of no values are the identity. Larger is better.

    Attributes
    ----------
    values : ndarray of int64 or float64, shape (m,)
        Distinct, ascending.
    counts : ndarray of int64, shape (m,)
        How many members have each.

    Examples
    --------
    >>> table = ValueCounts.of([1, 1, 1, 2, 3]).merge(ValueCounts.of([1, 7]))
    >>> table.values.tolist(), table.counts.tolist()
    ([1, 2, 3, 7], [4, 1, 1, 1])
    >>> table.cuts(bins=3)
    (2, 3)
    """

    values: NDArray[Any] = _values_field()
    counts: IntArray = counts_field()

    @classmethod
    def of(cls, values: ArrayLike, /, *, counts: ArrayLike | None = None) -> ValueCounts:
        """Count values.

        Parameters
        ----------
        values : array_like of int or float, shape (n,)
            One a member, in any order.
        counts : array_like of int, shape (n,), optional
            How many members stand behind each; by default one.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            Values are no finite numbers, or counts are negative or not as many.

        Examples
        --------
        >>> ValueCounts.of([3, 1], counts=[2, 5]).n
        7
        """
        given = _numbers("values", values)
        return _counted(given) if counts is None else _tabulated(given, _weights(counts, len(given)))

    @property
    def n(self) -> int:
        """How many members were counted."""
        return int(self.counts.sum())

    def __len__(self) -> int:
        """Return the number of distinct values."""
        return len(self.values)

    def merge(self, other: ValueCounts, /) -> ValueCounts:
        """Return the counts of the members of both.

        Where one holds integers and the other floats, integers become floats, which they must be exact as.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            It is no `ValueCounts`, or an integer beyond 2**53 would have to become a float.

        Examples
        --------
        >>> ValueCounts.of([1]).merge(ValueCounts.of([])).n
        1
        """
        if not isinstance(other, ValueCounts):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("other", "a ValueCounts", other))
        parts = [part for part in (self, other) if len(part)] or [self]
        added([self.counts.sum(keepdims=True), other.counts.sum(keepdims=True)], argument="counts")
        return _tabulated(_stacked([part.values for part in parts]), np.concatenate([part.counts for part in parts]))

    def cuts(self, *, bins: int, ties: Ties = "value-left") -> tuple[Cut, ...]:
        """Return the least value that gets each of the scores 2, 3, …, bins; None for a score that nobody gets.

        Parameters
        ----------
        bins : int
            Number of scores, from 1 to 127.
        ties : {"value-left", "value-right", "midrank"}
            What equal values share; see `rfm`.

        Returns
        -------
        tuple of int, float or None, length bins - 1

        Notes
        -----
        score = floor(bins × #(worse) / n) + 1, decided in integers.

        Examples
        --------
        >>> ValueCounts.of([1, 1, 1, 2, 3]).cuts(bins=5, ties="midrank")
        (1, 2, 2, 3)
        """
        return cuts_of_table(self.values, self.counts, bins_of(bins), ties_of(ties))

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show how many values there are, of how many members."""
        return f"ValueCounts({len(self):,} values, {self.n:,} members)"


def _weights(weights: ArrayLike, n: int) -> IntArray:
    given = counts("counts", weights)
    if given.shape != (n,):
        raise InvalidValueError(message("counts", f"one count for each of the {n} values", f"shape {given.shape}"))
    return given


def _stacked(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    if len({column.dtype for column in columns}) > 1:
        for column in columns:
            large = (column > _EXACT_FLOAT) | (column < -_EXACT_FLOAT)
            if column.dtype.kind == "i" and large.any():
                raise InvalidValueError(message("values", "integers up to 2**53 beside floats", column[large][0]))
    return np.concatenate(columns)


def _counted(values: NDArray[Any]) -> ValueCounts:
    """Count values of one member each."""
    if values.dtype.kind == "i" and len(values):
        low, high = int(values.min()), int(values.max())
        if high - low < min(_DENSE, 4 * len(values)):
            tally = np.bincount(values - low)
            found = np.flatnonzero(tally)
            return ValueCounts(values=frozen(found + low), counts=frozen(tally.take(found)))
    distinct, tally = np.unique(values, return_counts=True)
    return ValueCounts(values=frozen(distinct), counts=frozen(tally.astype(np.int64)))


def _tabulated(values: NDArray[Any], weights: IntArray) -> ValueCounts:
    """Add up the weights of equal values; a value of no weight is none."""
    held = weights > 0
    order = np.argsort(values[held], kind="stable")
    values, weights = values[held].take(order), weights[held].take(order)
    starts = np.flatnonzero(_is_first(values))
    return ValueCounts(
        values=frozen(values.take(starts)), counts=frozen(np.add.reduceat(weights, starts) if len(starts) else weights)
    )


def _is_first(ascending: NDArray[Any]) -> BoolArray:
    first = np.ones(len(ascending), dtype=np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:])
    return first


# ── too many values to hold ──────────────────────────────────────────────────────────────────────────────────────────


def _buckets(values: NDArray[Any]) -> NDArray[np.int32]:
    """Return the bucket of each value: a number that never falls as values rise.

    The bits of a float, read as an integer, rise with it above zero and fall below; so those below are turned round.
    An integer is rounded to a float first, which keeps the order.
    """
    bits = (values + 0.0).view(np.int64)  # 0.0 makes a float of an integer, and one zero of two
    if len(bits) and int(bits.min()) < 0:
        bits ^= (bits >> 63) & np.int64(2**63 - 1)
    bits >>= _FLOAT_BITS - _SIGNIFICANT_BITS
    return bits.astype(np.int32)


@attrs.frozen(kw_only=True, repr=False)
class ValueSketch:
    """How many members have values in each bucket: of bounded size, and merges exactly.

    A bucket holds the values that agree in sign, power of two and the 12 bits after the leading one. So there are 4,096
    of them for each power of two that occurs, however many members there are.

    Attributes
    ----------
    buckets : ndarray of int64, shape (m,)
        Numbers of the buckets that hold something, ascending as their values are.
    counts : ndarray of int64, shape (m,)
        How many members have a value there.
    least : ndarray of int64 or float64, shape (m,)
        The least value in each.

    See Also
    --------
    ValueCounts : Exact, and as large as there are distinct values.

    Examples
    --------
    >>> sketch = ValueSketch.of(range(1, 100_001))
    >>> len(sketch) < 25_000, sketch.n
    (True, 100000)
    >>> brackets = sketch.brackets(bins=4)
    >>> [(low, high) for low, high in brackets.bounds()]
    [(25000, 25004), (50000, 50008), (74992, 75008)]
    >>> brackets.cuts(brackets.inside(range(1, 100_001)))
    (25001, 50001, 75001)
    """

    buckets: IntArray = counts_field()
    counts: IntArray = counts_field()
    least: NDArray[Any] = _values_field()

    @classmethod
    def of(cls, values: ArrayLike, /) -> ValueSketch:
        """Sketch values, one a member.

        Parameters
        ----------
        values : array_like of int or float, shape (n,)

        Raises
        ------
        InvalidTypeError, InvalidValueError
            They are no finite numbers.
        """
        given = _numbers("values", values)
        return _sketched(given, _buckets(given))

    @property
    def n(self) -> int:
        """How many members were counted."""
        return int(self.counts.sum())

    def __len__(self) -> int:
        """Return the number of buckets."""
        return len(self.buckets)

    def merge(self, other: ValueSketch, /) -> ValueSketch:
        """Return the sketch of the members of both.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            It is no `ValueSketch`, or an integer beyond 2**53 would have to become a float.

        Examples
        --------
        >>> ValueSketch.of([1, 2]).merge(ValueSketch.of([2])) == ValueSketch.of([2, 1, 2])
        True
        """
        if not isinstance(other, ValueSketch):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("other", "a ValueSketch", other))
        parts = [part for part in (self, other) if len(part)] or [self]
        least = _stacked([part.least for part in parts])
        added([self.counts.sum(keepdims=True), other.counts.sum(keepdims=True)], argument="counts")
        buckets = np.concatenate([part.buckets for part in parts])
        order = np.lexsort((least, buckets))
        buckets, least = buckets[order], least[order]
        starts = np.flatnonzero(_is_first(buckets))
        tally = np.concatenate([part.counts for part in parts])[order]
        return ValueSketch(
            buckets=frozen(buckets[starts]),
            counts=frozen(np.add.reduceat(tally, starts) if len(starts) else tally),
            least=frozen(least[starts]),
        )

    def brackets(self, *, bins: int, ties: Ties = "value-left") -> Brackets:
        """Return in which bucket each cut lies.

        Parameters
        ----------
        bins, ties
            As in `ValueCounts.cuts`.

        Returns
        -------
        Brackets

        Notes
        -----
        Let a bucket end at place E when all members are put in order. None of its values has more than E - 1 worse,
        whatever the ties, and its last may have as many. So a cut is not before the first bucket with
        bins × (E - 1) ≥ (score - 1) × n. If it is not in it either, for all of its last values are equal, it is the
        least value of the next: E are worse.
        """
        bins, ties = bins_of(bins), ties_of(ties)
        after = np.cumsum(self.counts)
        at = np.searchsorted(2 * bins * (after - 1), thresholds(bins, self.n))
        at = at[at < len(self)]  # the scores after those, nobody gets
        least = [*self.least.tolist(), None]
        return Brackets(
            bins=bins,
            ties=ties,
            n=self.n,
            buckets=self.buckets[at],
            below=(after - self.counts)[at],
            counts=self.counts[at],
            least=tuple(least[place] for place in at.tolist()),
            following=tuple(least[place + 1] for place in at.tolist()),
        )

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show how many buckets there are, of how many members."""
        return f"ValueSketch({len(self):,} buckets, {self.n:,} members)"


def _sketched(values: NDArray[Any], buckets: NDArray[np.int32]) -> ValueSketch:
    """Count members by bucket."""
    if not len(values):
        none = np.zeros(0, dtype=np.int64)
        return ValueSketch(buckets=none, counts=none, least=values)
    low, high = int(buckets.min()), int(buckets.max())
    if high - low < _DENSE:
        place, number = (buckets - low).astype(np.int64), np.arange(low, high + 1)
    else:
        number, place = np.unique(buckets.astype(np.int64), return_inverse=True)
    tally = np.bincount(place, minlength=len(number))
    least = np.full(len(number), values.max())
    np.minimum.at(least, place, values)
    held = np.flatnonzero(tally)
    return ValueSketch(buckets=number.take(held), counts=tally.take(held), least=frozen(least.take(held)))


@attrs.frozen(kw_only=True, repr=False)
class Brackets:
    """The buckets that hold the cuts; made by `ValueSketch.brackets`.

    Attributes
    ----------
    bins : int
        Number of scores.
    ties : {"value-left", "value-right", "midrank"}
        What equal values share.
    n : int
        How many members were sketched.
    buckets : ndarray of int64, shape (k,)
        The bucket of each cut; k < bins - 1 where nobody gets the highest scores.
    below : ndarray of int64, shape (k,)
        How many members have a value in a bucket before it.
    counts : ndarray of int64, shape (k,)
        How many have one in it.
    least, following : tuple of int, float or None, length k
        The least value in it, and the least one after it. The cut is not below the one and not above the other.

    Examples
    --------
    >>> brackets = ValueSketch.of([1, 1, 2, 9]).brackets(bins=2)
    >>> brackets.cuts(brackets.inside([1, 1]).merge(brackets.inside([2, 9])))
    (2,)
    """

    bins: int
    ties: Ties
    n: int
    buckets: IntArray = counts_field()
    below: IntArray = counts_field()
    counts: IntArray = counts_field()
    least: tuple[Cut, ...]
    following: tuple[Cut, ...]

    def bounds(self) -> list[tuple[Cut, Cut]]:
        """Return between which two values each cut lies, both ends included; None for the end of all values.

        Examples
        --------
        >>> ValueSketch.of([1, 1, 2, 9]).brackets(bins=2).bounds()
        [(2, 9)]
        """
        return list(zip(self.least, self.following, strict=True))

    def inside(self, values: ArrayLike, /) -> ValueCounts:
        """Count the values that lie in a bucket which holds a cut: what the second pass does with each part.

        Parameters
        ----------
        values : array_like of int or float, shape (n,)
            Those of a part, all of which were sketched.

        Returns
        -------
        ValueCounts

        Examples
        --------
        >>> ValueSketch.of([1, 1, 2, 9]).brackets(bins=2).inside([2, 9]).values.tolist()
        [2]
        """
        given = _numbers("values", values)
        return self._inside(given, _buckets(given))

    def _inside(self, values: NDArray[Any], buckets: NDArray[np.int32]) -> ValueCounts:
        held = np.zeros(len(values), dtype=np.bool_)
        # Few buckets, and next to each other in the order: one comparison each is faster than a search.
        for bucket in np.unique(self.buckets).tolist():
            held |= buckets == bucket
        return _counted(values.take(np.flatnonzero(held)))

    def cuts(self, inside: ValueCounts, /) -> tuple[Cut, ...]:
        """Return the cuts, exactly, once the values in their buckets are counted.

        Parameters
        ----------
        inside : ValueCounts
            What `inside` gave for all parts, merged.

        Returns
        -------
        tuple of int, float or None, length bins - 1
            As `ValueCounts.cuts` of all values.

        Raises
        ------
        InvalidValueError
            These are not the values that were sketched.
        """
        if not isinstance(inside, ValueCounts):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("inside", "a ValueCounts", inside))
        buckets = _buckets(inside.values)
        if not np.isin(buckets, self.buckets).all():
            raise InvalidValueError(message("inside", "values in the buckets of the cuts alone", inside))
        found: list[Cut] = []
        for cut, needed in enumerate(thresholds(self.bins, self.n)[: len(self.buckets)].tolist()):
            bucket = int(self.buckets[cut])
            within = slice(int(np.searchsorted(buckets, bucket)), int(np.searchsorted(buckets, bucket + 1)))
            tally = inside.counts[within]
            held = int(self.counts[cut])
            if int(tally.sum()) != held:
                expected = f"the {held} members whose values were sketched in the bucket of a cut"
                raise InvalidValueError(message("inside", expected, int(tally.sum())))
            after = np.cumsum(tally, dtype=np.int64) + self.below[cut]
            reached = self.bins * doubled_worse(self.ties, after - tally, after - 1)
            place = int((reached < needed).sum())
            found.append(inside.values[within][place].item() if place < len(tally) else self.following[cut])
        return (*found, *[None] * (self.bins - 1 - len(found)))

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show how many members are left to be counted."""
        return f"Brackets({len(self.buckets)} of {self.bins - 1} cuts, of {self.n:,} members)"


def cuts_of_values(values: NDArray[Any], bins: int, ties: Ties) -> tuple[Cut, ...]:
    """Return the cuts of one value a member, as `ValueCounts.cuts` would.

    Many values are sketched, and those in the buckets of the cuts counted: sorting them all takes five times as long.

    Examples
    --------
    >>> cuts_of_values(np.array([1, 1, 1, 2, 3]), 5, "value-left")
    (2, 2, 2, 3)
    """
    if len(values) <= _FEW_VALUES or _is_narrow(values):
        return _counted(values).cuts(bins=bins, ties=ties)
    buckets = _buckets(values)
    brackets = _sketched(values, buckets).brackets(bins=bins, ties=ties)
    return brackets.cuts(brackets._inside(values, buckets))  # pyright: ignore[reportPrivateUsage]


def _is_narrow(values: NDArray[Any]) -> bool:
    return values.dtype.kind == "i" and int(values.max()) - int(values.min()) < min(_DENSE, 4 * len(values))


def has_distinct(values: NDArray[Any], n: int) -> bool:
    """Return whether there are at least so many distinct values.

    Examples
    --------
    >>> has_distinct(np.array([1, 2, 2]), 2), has_distinct(np.array([1, 2, 2]), 3)
    (True, False)
    """
    return len(np.unique(values[:_FEW_VALUES])) >= n or len(_counted(values)) >= n
