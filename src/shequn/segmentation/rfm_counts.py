"""How many members have each recency, frequency and sum? What parts of the data send to each other to agree on cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from shequn._doors import Doors
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.segmentation.rfm_cuts import RfmCuts
from shequn.segmentation.value_counts import Brackets, ValueCounts, ValueSketch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.segmentation.scoring import Cut, Ties

__all__ = ["Frequency", "Measures", "RfmBrackets", "RfmCounts", "RfmDefinition", "RfmSketch"]

Frequency: TypeAlias = Literal["rows", "days"]


@attrs.frozen(kw_only=True)
class RfmDefinition(Doors):
    """What the three numbers of a member are taken from; tallies merge only where it is the same.

    Attributes
    ----------
    as_of_us : int
        Until when rows were known, in microseconds since 1970-01-01T00:00Z.
    within_us : int or None
        How far back rows counted; None from the beginning.
    kinds : frozenset of str or None
        Kinds that counted; None for all that is activity, or where somebody else counted.
    frequency : {"rows", "days"}
        What was counted.
    tz : str or None
        The zone of those days.
    value : str or None
        The column that was summed.

    Examples
    --------
    >>> definition = RfmDefinition(as_of_us=0)
    >>> definition.frequency
    'rows'
    """

    as_of_us: int
    within_us: int | None = None
    kinds: frozenset[str] | None = None
    frequency: Frequency = "rows"
    tz: str | None = None
    value: str | None = None


@attrs.frozen(eq=False)
class Measures:
    """Three numbers of each member who has a row, on axes where more is better: recency is minus microseconds."""

    recency: IntArray
    frequency: IntArray
    monetary: NDArray[Any]

    def columns(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return the three, in this order."""
        return self.recency, self.frequency, self.monetary


def _require_same(kind: type[Any], definition: RfmDefinition, other: Any) -> None:  # noqa: ANN401 - a caller's
    """Raise unless a tally is of a class, and made by this definition."""
    if not isinstance(other, kind):
        raise InvalidTypeError(message("other", f"an {kind.__name__}", other))
    for field in attrs.fields(RfmDefinition):
        mine, theirs = getattr(definition, field.name), getattr(other.definition, field.name)
        if mine != theirs:
            raise InvalidValueError(message(field.name, f"the same in both parts ({mine!r})", theirs))


def _cuts(bins: int, recency: Sequence[Cut], frequency: Sequence[Cut], monetary: Sequence[Cut]) -> RfmCuts:
    ago = [None if cut is None else -int(cut) for cut in recency]
    return RfmCuts(bins=bins, recency_us=ago, frequency=frequency, monetary=monetary)


@attrs.frozen(kw_only=True, repr=False)
class RfmCounts:
    """How many members have each recency, each frequency and each sum: a tally that merges exactly.

    Made by `RfmValues.counts`. That of an empty log is the identity. Members without a row are in none of the three.

    Attributes
    ----------
    definition : RfmDefinition
        What was counted.
    recency, frequency, monetary : ValueCounts
        Recency in minus microseconds, so that more is better in all three.
    is_partial : bool
        Whether only values near the cuts were counted, see `RfmBrackets`.

    Examples
    --------
    >>> from pendulum import datetime
    >>> from shequn.columns import EventLog
    >>> from shequn.segmentation import rfm_values
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann"], kind="purchase", at=[0, 60, 120], time_unit="s", value=[5, 6, 7]
    ... )
    >>> a, b = (rfm_values(part, as_of=datetime(1970, 1, 2)).counts() for part in log.partition(2))
    >>> a.merge(b).cuts(bins=2)
    RfmCuts(2 bins, recency_days ≤ [0.9986], frequency ≥ [2], monetary ≥ [12])
    """

    definition: RfmDefinition
    recency: ValueCounts
    frequency: ValueCounts
    monetary: ValueCounts
    is_partial: bool = False

    @property
    def n_members(self) -> int:
        """How many members with a row were counted."""
        return self.frequency.n

    def merge(self, other: RfmCounts, /) -> RfmCounts:
        """Return the counts of the members of both parts.

        Parameters
        ----------
        other : RfmCounts
            Of other members, as of the same instant and otherwise made alike.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            It is none, or made otherwise.
        """
        _require_same(RfmCounts, self.definition, other)
        if self.is_partial is not other.is_partial:
            raise InvalidValueError(message("other", f"one with is_partial={self.is_partial}", other.is_partial))
        return attrs.evolve(
            self,
            recency=self.recency.merge(other.recency),
            frequency=self.frequency.merge(other.frequency),
            monetary=self.monetary.merge(other.monetary),
        )

    def cuts(self, *, bins: int = 5, ties: Ties = "value-left") -> RfmCuts:
        """Return the cuts that `rfm` would find on the whole; they are not nested.

        Parameters
        ----------
        bins, ties
            As in `rfm`.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `bins` or `ties` can't be used, or not all values were counted.
        """
        if self.is_partial:
            expected = "counts of all values; those near the cuts alone go to `RfmBrackets.cuts`"
            raise InvalidValueError(message("counts", expected, self))
        return _cuts(
            bins, *(table.cuts(bins=bins, ties=ties) for table in (self.recency, self.frequency, self.monetary))
        )

    def __repr__(self) -> str:
        """Show the sizes of the tables."""
        sizes = f"{len(self.recency):,} recencies, {len(self.frequency):,} frequencies, {len(self.monetary):,} sums"
        return f"RfmCounts({self.n_members:,} members, {sizes}{' near the cuts' if self.is_partial else ''})"


@attrs.frozen(kw_only=True, repr=False)
class RfmSketch:
    """How many members have recencies, frequencies and sums in each of some thousand buckets: merges exactly.

    Made by `RfmValues.sketch`, for data with more distinct values than should be sent about. It tells by `brackets`
    which values a second pass must count.

    Attributes
    ----------
    definition : RfmDefinition
        What was counted.
    recency, frequency, monetary : ValueSketch
        Recency in minus microseconds.

    Examples
    --------
    >>> from functools import reduce
    >>> from pendulum import datetime
    >>> from shequn.columns import EventLog
    >>> from shequn.segmentation import rfm_values
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann"], kind="purchase", at=[0, 60, 120], time_unit="s", value=[5, 6, 7]
    ... )
    >>> parts = [rfm_values(part, as_of=datetime(1970, 1, 2)) for part in log.partition(2)]
    >>> brackets = reduce(RfmSketch.merge, [part.sketch() for part in parts]).brackets(bins=2)
    >>> brackets.cuts(reduce(RfmCounts.merge, [part.counts(brackets) for part in parts]))
    RfmCuts(2 bins, recency_days ≤ [0.9986], frequency ≥ [2], monetary ≥ [12])
    """

    definition: RfmDefinition
    recency: ValueSketch
    frequency: ValueSketch
    monetary: ValueSketch

    @property
    def n_members(self) -> int:
        """How many members with a row were counted."""
        return self.frequency.n

    def merge(self, other: RfmSketch, /) -> RfmSketch:
        """Return the sketch of the members of both parts.

        Parameters
        ----------
        other : RfmSketch
            Of other members, as of the same instant and otherwise made alike.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            It is none, or made otherwise.
        """
        _require_same(RfmSketch, self.definition, other)
        return attrs.evolve(
            self,
            recency=self.recency.merge(other.recency),
            frequency=self.frequency.merge(other.frequency),
            monetary=self.monetary.merge(other.monetary),
        )

    def brackets(self, *, bins: int = 5, ties: Ties = "value-left") -> RfmBrackets:
        """Return which values must be counted exactly.

        Parameters
        ----------
        bins, ties
            As in `rfm`.
        """
        recency, frequency, monetary = (
            sketch.brackets(bins=bins, ties=ties) for sketch in (self.recency, self.frequency, self.monetary)
        )
        return RfmBrackets(definition=self.definition, recency=recency, frequency=frequency, monetary=monetary)

    def __repr__(self) -> str:
        """Show the sizes of the sketches."""
        n_buckets = len(self.recency) + len(self.frequency) + len(self.monetary)
        return f"RfmSketch({self.n_members:,} members, {n_buckets:,} buckets)"


@attrs.frozen(kw_only=True, repr=False)
class RfmBrackets:
    """Which recencies, frequencies and sums must be counted exactly to know the cuts; made by `RfmSketch.brackets`.

    Attributes
    ----------
    definition : RfmDefinition
        What was counted.
    recency, frequency, monetary : Brackets
        Recency in minus microseconds.

    Examples
    --------
    >>> from pendulum import datetime
    >>> from shequn.columns import EventLog
    >>> from shequn.segmentation import rfm_values
    >>> log = EventLog.from_columns(member=["ann"], kind="purchase", at=[0], time_unit="s", value=[5])
    >>> values = rfm_values(log, as_of=datetime(1970, 1, 2))
    >>> brackets = values.sketch().brackets(bins=1)
    >>> brackets.cuts(values.counts(brackets))
    RfmCuts(1 bins, recency_days ≤ [], frequency ≥ [], monetary ≥ [])
    """

    definition: RfmDefinition
    recency: Brackets
    frequency: Brackets
    monetary: Brackets

    def cuts(self, counts: RfmCounts, /) -> RfmCuts:
        """Return the cuts, exactly, once the values in the brackets are counted.

        Parameters
        ----------
        counts : RfmCounts
            ``values.counts(brackets)`` of all parts, merged.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            These are no such counts, or not of all members that were sketched.
        """
        _require_same(RfmCounts, self.definition, counts)
        if not counts.is_partial:
            raise InvalidValueError(message("counts", "what `RfmValues.counts(brackets)` gives", counts))
        return _cuts(
            self.frequency.bins,
            self.recency.cuts(counts.recency),
            self.frequency.cuts(counts.frequency),
            self.monetary.cuts(counts.monetary),
        )

    def __repr__(self) -> str:
        """Show how many members were sketched."""
        return f"RfmBrackets({self.frequency.bins} bins, of {self.frequency.n:,} members)"


def counts_of(measures: Measures, definition: RfmDefinition, brackets: RfmBrackets | None) -> RfmCounts:
    """Count members by value, all or those in brackets.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.array([1])
    >>> counts_of(Measures(-one, one, one), RfmDefinition(as_of_us=0), None).n_members
    1
    """
    count: list[Callable[[NDArray[Any]], ValueCounts]] = [ValueCounts.of] * 3
    if brackets is not None:
        count = [brackets.recency.inside, brackets.frequency.inside, brackets.monetary.inside]
    recency, frequency, monetary = (of(values) for of, values in zip(count, measures.columns(), strict=True))
    return RfmCounts(
        definition=definition,
        recency=recency,
        frequency=frequency,
        monetary=monetary,
        is_partial=brackets is not None,
    )


def sketch_of(measures: Measures, definition: RfmDefinition) -> RfmSketch:
    """Sketch members by value.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.array([1])
    >>> sketch_of(Measures(-one, one, one), RfmDefinition(as_of_us=0)).n_members
    1
    """
    recency, frequency, monetary = map(ValueSketch.of, measures.columns())
    return RfmSketch(definition=definition, recency=recency, frequency=frequency, monetary=monetary)
