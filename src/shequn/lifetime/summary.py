"""How often, how late and for how long has each member bought? The three numbers that lifetime models are fitted to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, message
from shequn.labels import Index
from shequn.lifetime.spans import calendar_field
from shequn.stats._checks import array_of, counts, instance, items_of, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label
    from shequn.values.calendar import Calendar

__all__ = ["Histories", "TransactionSummary", "histories"]

_OLDEST = 1e12  # periods; more would leave no digits for what happened within


class TransactionSummaryRow(NamedTuple):
    """One member; the names are those of `TransactionSummary`.

    Examples
    --------
    >>> TransactionSummaryRow(member="ann", frequency=2, recency=30.4, age=38.9, spend=22.4).frequency
    2
    """

    member: Label
    frequency: int
    recency: float
    age: float
    spend: float


@attrs.frozen
class Histories:
    """Checked columns of frequency, recency and age, of one shape."""

    frequency: FloatArray
    recency: FloatArray
    age: FloatArray


def histories(frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, /) -> Histories:
    """Check what is known of buyers, broadcast to one shape.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        A column is none of numbers, shapes don't fit, a frequency is no whole number of 0 or more, a recency not
        between 0 and the age, or above 0 without a repeat purchase, or 0 with one. The message names the row.

    Examples
    --------
    >>> histories([0, 2], [0, 30.4], 38.9).age.tolist()
    [38.9, 38.9]
    """
    columns = {
        "frequency": array_of("frequency", frequency, kinds="iuf", expected="whole numbers"),
        "recency": array_of("recency", recency, kinds="iuf", expected="numbers"),
        "age": array_of("age", age, kinds="iuf", expected="numbers"),
    }
    try:
        often, last, old = np.broadcast_arrays(*(column.astype(np.float64) for column in columns.values()))
    except ValueError:
        shapes = ", ".join(str(column.shape) for column in columns.values())
        raise MisalignedError(message("frequency, recency, age", "columns of one shape", shapes)) from None
    for name, expected, column, fine in (
        ("frequency", "whole numbers of 0 or more", often, (often >= 0) & (often < 2**53) & (often == np.floor(often))),
        ("age", "numbers from 0 to 1e12", old, (old >= 0) & (old <= _OLDEST)),
        ("recency", "numbers from 0 to the age", last, (last >= 0) & (last <= old)),
        ("recency", "0 where nothing was bought again", last, (last == 0) | (often > 0)),
        ("recency", "above 0 where something was bought again", last, (last > 0) | (often == 0)),
    ):
        if not fine.all():
            refuse(name, expected, column, ~fine)
    return Histories(often, last, old)


def _ints(values: Any) -> IntArray:  # noqa: ANN401
    return frozen(counts("frequency", values).copy())


def _index(members: Any) -> Index:  # noqa: ANN401
    return members if isinstance(members, Index) else Index(members, argument="members")


def _reals(name: str, values: Any) -> FloatArray:  # noqa: ANN401
    return frozen(array_of(name, values, kinds="iuf", expected="numbers").astype(np.float64))


def _recency(values: Any) -> FloatArray:  # noqa: ANN401
    return _reals("recency", values)


def _age(values: Any) -> FloatArray:  # noqa: ANN401
    return _reals("age", values)


def _spend(values: Any) -> FloatArray | None:  # noqa: ANN401
    return None if values is None else _reals("spend", values)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TransactionSummary(Tabular[TransactionSummaryRow]):
    """What lifetime models know of each member who ever bought; made by `transaction_summary`, or from columns.

    Attributes
    ----------
    members : Index
        The n members with a purchase.
    frequency : ndarray of int64, shape (n,)
        Repeat purchases: periods with a purchase after the first one.
    recency : ndarray of float64, shape (n,)
        Age, in periods, at the last purchase; 0 if nothing was bought again. As the literature has it: high is good.
    age : ndarray of float64, shape (n,)
        Periods from the first purchase to the end of observation.
    spend : ndarray of float64, shape (n,), or None
        Mean spend in a period with a repeat purchase; NaN if there was none. None if no value was summed.
    calendar : Calendar or None
        What a period is; None if nobody said.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        As `histories`; or a member stands twice.

    Examples
    --------
    >>> TransactionSummary(members=["ann", "bo"], frequency=[2, 0], recency=[30.43, 0], age=[38.86, 38.86])
    TransactionSummary(2 members, 1 bought again)
    """

    members: Index = attrs.field(converter=_index)
    frequency: IntArray = attrs.field(converter=_ints)
    recency: FloatArray = attrs.field(converter=_recency)
    age: FloatArray = attrs.field(converter=_age)
    spend: FloatArray | None = attrs.field(default=None, converter=_spend)
    calendar: Calendar | None = calendar_field()

    _Row: ClassVar[type[Any] | None] = TransactionSummaryRow

    def __attrs_post_init__(self) -> None:
        for name in ("frequency", "recency", "age", "spend"):
            column: NDArray[Any] | None = getattr(self, name)
            if column is not None and column.shape != (len(self.members),):
                expected = f"one entry for each of the {len(self.members)} members"
                raise MisalignedError(message(name, expected, f"shape {column.shape}"))
        histories(self.frequency, self.recency, self.age)
        if self.spend is not None:
            bad = ~np.isfinite(self.spend) & (self.frequency > 0)
            if bad.any():
                refuse("spend", "finite numbers where something was bought again", self.spend, bad)

    @classmethod
    def concat(cls, parts: Iterable[TransactionSummary], /) -> TransactionSummary:
        """Return the summary of all members of parts, which were split by member.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            Something is no summary, a member is in two parts, or parts count in different periods.

        Examples
        --------
        >>> part = TransactionSummary(members=["ann"], frequency=[2], recency=[30.43], age=[38.86])
        >>> TransactionSummary.concat([part, attrs.evolve(part, members=["bo"])]).members.labels.tolist()
        ['ann', 'bo']
        """
        given = items_of("parts", parts, expected="summaries")
        for part in given:
            instance("parts", part, TransactionSummary, expected="summaries")
        if not given:
            return cls(members=Index(), frequency=[], recency=[], age=[])
        first = given[0]
        for row, part in enumerate(given):
            if part.calendar != first.calendar:
                raise InvalidValueError(message("parts", f"periods of {first.calendar}", part.calendar, row=row))
            if (part.spend is None) is not (first.spend is None):
                raise InvalidValueError(message("parts", "all with spend, or all without", repr(part), row=row))
        return cls(
            members=Index(np.concatenate([part.members.labels for part in given]), argument="parts"),
            frequency=np.concatenate([part.frequency for part in given]),
            recency=np.concatenate([part.recency for part in given]),
            age=np.concatenate([part.age for part in given]),
            spend=None if first.spend is None else np.concatenate([part.spend for part in given]),
            calendar=first.calendar,
        )

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.members)

    def take(self, rows: ArrayLike, /) -> TransactionSummary:
        """Return the summary of some members, by row or by mask.

        Examples
        --------
        >>> both = TransactionSummary(members=["ann", "bo"], frequency=[2, 0], recency=[30.43, 0], age=[38.86, 38.86])
        >>> both.take(both.frequency > 0)
        TransactionSummary(1 member, 1 bought again)
        """
        chosen = np.asarray(rows)
        if chosen.dtype == np.bool_:
            if chosen.shape != (len(self),):
                raise MisalignedError(message("rows", f"a mask of {len(self)} entries", f"shape {chosen.shape}"))
            chosen = np.flatnonzero(chosen)
        if chosen.size and (chosen.dtype.kind not in "iu" or chosen.ndim != 1):
            raise InvalidTypeError(message("rows", "row numbers or a mask", rows))
        chosen = chosen.astype(np.int64)
        bad = (chosen < 0) | (chosen >= len(self))
        if bad.any():
            refuse("rows", f"row numbers in [0, {len(self)})", chosen, bad)
        return attrs.evolve(
            self,
            members=self.members.take(chosen),
            frequency=self.frequency[chosen],
            recency=self.recency[chosen],
            age=self.age[chosen],
            spend=None if self.spend is None else self.spend[chosen],
        )

    def _tidy(self) -> Sequence[Column]:
        columns = [
            Column(key="member", en="member", zh="成员", values=self.members.labels),
            Column(key="frequency", en="repeats", zh="复购次数", values=self.frequency, format="count"),
            Column(key="recency", en="age at last", zh="末购龄", values=self.recency, format="number", digits=2),
            Column(key="age", en="age", zh="观察期", values=self.age, format="number", digits=2),
        ]
        spend = np.full(len(self), np.nan) if self.spend is None else self.spend
        return [*columns, Column(key="spend", en="mean spend", zh="次均消费", values=spend, format="number", digits=2)]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return self._tidy() if self.spend is not None else self._tidy()[:-1]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        if self.calendar is None:
            return []
        name = self.calendar.name(lang)
        return [f"周期：{name}。"] if lang == "zh" else [f"Period: {name}."]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        n_again = int(np.count_nonzero(self.frequency))
        return f"TransactionSummary({len(self):,} member{'s' * (len(self) != 1)}, {n_again:,} bought again)"
