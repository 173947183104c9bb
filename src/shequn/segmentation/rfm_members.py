"""How recent, how often and how much is each member, and with which scores?"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias, cast, get_args

import attrs
import numpy as np

from shequn.columns.extra import same_fields
from shequn.columns.numbers import to_numbers
from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.columns.table import Column, Lang, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, ShequnWarning, message, suggest
from shequn.labels import Assignment, Index
from shequn.segmentation.rfm_counts import (
    Measures,
    RfmBrackets,
    RfmCounts,
    RfmDefinition,
    RfmSketch,
    counts_of,
    sketch_of,
)
from shequn.segmentation.rfm_cuts import DAY_US, RfmCuts, RfmScore, cuts_of_members, recency_us_of, score_members
from shequn.segmentation.rfm_grid import GRID5, Cell, Preset, RfmGrid, RfmQuadrant, quadrants
from shequn.segmentation.scoring import Ties, at_least, bins_of, ties_of
from shequn.segmentation.value_counts import has_distinct
from shequn.stats._checks import counts, flag, instance, one_of, refuse
from shequn.values.instants import from_us, instant_us, to_instants

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.labels import Label

__all__ = ["FewValues", "Rfm", "RfmRow", "RfmValues"]

FewValues: TypeAlias = Literal["raise", "warn", "ignore"]
_DEFAULT_BINS = 5
_EXACT_FLOAT = 2**53


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RfmValues:
    """How long ago, how often and how much, for each member; made by `rfm_values`, or from columns.

    Parts of a log split by member agree on cuts by their `counts` (or, where there are very many distinct values, by
    their `sketch`), and each is then scored with those.

    Attributes
    ----------
    members : Index
        The n members; of a log all of them, also those without a row that counts.
    recency_us : ndarray of int64, shape (n,)
        Microseconds from the last row to the instant asked for; `NO_INSTANT` (NumPy's NaT) without a row.
    frequency : ndarray of int64, shape (n,)
        Rows that count, or days with one; 0 for none.
    monetary : ndarray of int64 or float64, shape (n,)
        Sum of the values of those rows.
    definition : RfmDefinition
        What was counted.

    Examples
    --------
    >>> from pendulum import datetime
    >>> from shequn.columns import EventLog
    >>> from shequn.segmentation import rfm_values
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann"], kind=["purchase", "post", "purchase"], at=[0, 0, 43_200], time_unit="s",
    ...     value=[500, 0, 750],
    ... )
    >>> values = rfm_values(log, as_of=datetime(1970, 1, 2))
    >>> values.recency_days.tolist(), values.frequency.tolist(), values.monetary.tolist()
    ([0.5, nan], [2, 0], [1250, 0])
    """

    members: Index
    recency_us: IntArray = attrs.field(converter=read_only)
    frequency: IntArray = attrs.field(converter=read_only)
    monetary: NDArray[Any] = attrs.field(converter=read_only)
    definition: RfmDefinition

    @classmethod
    def from_columns(
        cls,
        *,
        member: ArrayLike | Sequence[Label] | Index,
        last: ArrayLike | Sequence[dt.datetime],
        frequency: ArrayLike,
        monetary: ArrayLike | None = None,
        as_of: dt.datetime,
        at_tz: str | None = None,
        time_unit: Literal["s", "ms", "us"] | None = None,
    ) -> RfmValues:
        """Build from what a warehouse counted: a row a member who has been there.

        Parameters
        ----------
        member : array_like of str or int, shape (n,)
            Unique.
        last : array_like, shape (n,)
            When each was last there; `at_tz` and `time_unit` as in `EventLog.from_columns`.
        frequency : array_like of int, shape (n,)
            How often, at least once.
        monetary : array_like of int or float, shape (n,), optional
            How much.
        as_of : aware datetime
            Until when was counted.

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            Columns differ in length, a member stands twice, was last there after `as_of` or fewer than one time, or a
            sum is not finite.

        Examples
        --------
        >>> from pendulum import datetime
        >>> values = RfmValues.from_columns(
        ...     member=["ann"], last=[datetime(1970, 1, 1)], frequency=[3], as_of=datetime(1970, 1, 2)
        ... )
        >>> values.recency_days.tolist()
        [1.0]
        """
        members = member if isinstance(member, Index) else Index(member, argument="member")
        last_us = to_instants(last, argument="last", at_tz=at_tz, time_unit=time_unit).us
        often = counts("frequency", frequency)
        much = np.zeros(len(often), dtype=np.int64) if monetary is None else to_numbers(monetary, argument="monetary")
        for name, column in (("last", last_us), ("frequency", often), ("monetary", much)):
            if column.shape != (len(members),):
                expected = f"one entry for each of the {len(members)} members"
                raise MisalignedError(message(name, expected, f"shape {column.shape}"))
        as_of_us = instant_us(as_of, argument="as_of")
        for name, expected, column, bad in (
            ("last", f"instants up to as_of ({as_of})", last_us.view("M8[us]"), last_us > as_of_us),
            ("frequency", "numbers of 1 or more", often, often < 1),
            ("monetary", "finite numbers", much, ~np.isfinite(much)),
        ):
            if bad.any():
                refuse(name, expected, column, bad)
        definition = RfmDefinition(as_of_us=as_of_us, value=None if monetary is None else "monetary")
        return cls(
            members=members,
            recency_us=frozen(as_of_us - last_us),
            frequency=often,
            monetary=much,
            definition=definition,
        )

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.members)

    @property
    def has_row(self) -> BoolArray:
        """Which members have a row that counts, shape (n,)."""
        return frozen(self.frequency > 0)

    @property
    def recency_days(self) -> FloatArray:
        """Days of 24 hours from the last row to the instant asked for, shape (n,); NaN without a row."""
        return frozen(np.where(self.has_row, self.recency_us, np.nan) / DAY_US)

    @property
    def as_of(self) -> dt.datetime:
        """Until when rows were known, in UTC."""
        return from_us(self.definition.as_of_us)

    def counts(self, brackets: RfmBrackets | None = None, /) -> RfmCounts:
        """Count members by recency, frequency and sum: a tally of members with a row that merges exactly.

        Parameters
        ----------
        brackets : RfmBrackets, optional
            Count only values near the cuts, which a sketch of all parts found.

        Returns
        -------
        RfmCounts
        """
        if brackets is not None:
            instance("brackets", brackets, RfmBrackets, expected="RfmBrackets")
            if brackets.definition != self.definition:
                raise InvalidValueError(message("brackets", f"those of {self.definition}", brackets.definition))
        return counts_of(self._measures(), self.definition, brackets)

    def sketch(self) -> RfmSketch:
        """Sketch members by recency, frequency and sum: for more distinct values than should be sent about.

        Returns
        -------
        RfmSketch
        """
        return sketch_of(self._measures(), self.definition)

    def _measures(self) -> Measures:
        if self.has_row.all():
            return Measures(-self.recency_us, self.frequency, self.monetary)
        rows = np.flatnonzero(self.has_row)
        return Measures(-self.recency_us.take(rows), self.frequency.take(rows), self.monetary.take(rows))

    def score(
        self,
        *,
        bins: int = _DEFAULT_BINS,
        ties: Ties = "value-left",
        nested: bool = False,
        cuts: RfmCuts | None = None,
        few_values: FewValues = "raise",
    ) -> Rfm:
        """Score each member in the three respects.

        Parameters
        ----------
        bins, ties, nested, cuts, few_values
            As in `rfm`.

        Returns
        -------
        Rfm

        Raises
        ------
        InvalidTypeError, InvalidValueError
            As `rfm` does.
        """
        measures = self._measures()
        if cuts is None:
            cuts = self._cuts(measures, bins, ties, nested, few_values)
        else:
            instance("cuts", cuts, RfmCuts, expected="RfmCuts")
            if (
                bins_of(bins) not in {_DEFAULT_BINS, cuts.bins}
                or ties_of(ties) != "value-left"
                or flag("nested", nested)
            ):
                given = {"bins": bins, "ties": ties, "nested": nested}
                raise InvalidValueError(message("cuts", "no bins, ties or nested beside it: cuts say it all", given))
        scores = score_members(cuts, -measures.recency, measures.frequency, measures.monetary)
        if len(scores) < len(self):
            everybody = np.zeros((len(self), 3), dtype=np.int8)
            everybody[self.has_row] = scores
            scores = everybody
        return Rfm(values=self, scores=frozen(scores), cuts=cuts)

    def _cuts(self, measures: Measures, bins: int, ties: Ties, nested: bool, few_values: FewValues) -> RfmCuts:
        one_of("few_values", few_values, get_args(FewValues))
        bins = bins_of(bins)
        if few_values != "ignore" and len(measures.frequency):
            self._judge_distinct(measures, bins, few_values)
        return cuts_of_members(-measures.recency, measures.frequency, measures.monetary, bins, ties, nested)

    def _judge_distinct(self, measures: Measures, bins: int, few_values: FewValues) -> None:
        """Raise or warn where members have fewer distinct values than there are scores."""
        names = ("recency", "frequency", "monetary")[: 2 if self.definition.value is None else 3]
        for name, values in zip(names, measures.columns(), strict=False):
            if not has_distinct(values, bins):
                n = len(np.unique(values))
                text = message("bins", f"at most the {n} distinct values of {name}", bins)
                text += "; equal values share a score, so that some scores would be nobody's"
                if few_values == "raise":
                    raise InvalidValueError(text + ' (take fewer bins, or few_values="ignore")')
                warnings.warn(text, ShequnWarning, stacklevel=_level_of_the_caller())

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same numbers of the same members in the same order."""
        return same_fields(self, other) if isinstance(other, RfmValues) else NotImplemented

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show how many members there are, and how many have a row."""
        return f"RfmValues({len(self):,} members, {int(self.has_row.sum()):,} with a row)"

    def __reduce__(self) -> tuple[Callable[..., RfmValues], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def _level_of_the_caller() -> int:
    """Return how many frames up the code stands that is not this library's: a warning should point there."""
    level, frame = 1, sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "shequn":
        level, frame = level + 1, frame.f_back
    return level


class RfmRow(NamedTuple):
    """One member.

    Attributes
    ----------
    member : str or int
    recency_days : float
        NaN without a row.
    frequency : int
    monetary : int or float
    recency_score, frequency_score, monetary_score : int
        0 without a row.

    Examples
    --------
    >>> from pendulum import datetime
    >>> values = RfmValues.from_columns(
    ...     member=["ann"], last=[datetime(1970, 1, 1)], frequency=[3], as_of=datetime(1970, 1, 2)
    ... )
    >>> row = values.score(bins=1).last()
    >>> row.member, row.recency_days, row.recency_score
    ('ann', 1.0, 1)
    """

    member: Label
    recency_days: float
    frequency: int
    monetary: float
    recency_score: int
    frequency_score: int
    monetary_score: int


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Rfm(Tabular[RfmRow]):
    """Recency, frequency and money of each member, with their scores; made by `rfm`.

    Attributes
    ----------
    values : RfmValues
        The numbers that are scored.
    scores : ndarray of int8, shape (n, 3)
        Of recency, frequency and money: 1 to the number of bins, 0 without a row.
    cuts : RfmCuts
        From which value on a member gets each score; may be reused.

    Examples
    --------
    >>> from pendulum import datetime
    >>> from shequn.columns import EventLog
    >>> from shequn.segmentation import rfm
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann"], kind="purchase", at=[0, 3600, 43_200], time_unit="s", value=[500, 90, 750]
    ... )
    >>> print(rfm(log, as_of=datetime(1970, 1, 2), bins=2))
    RFM of 2 members as of 1970-01-02 00:00 UTC, scores 1 to 2
    member  days since  times  spent  R  F  M
    ─────────────────────────────────────────
    ann         0.5000      2  1,250  2  2  2
    bo          0.9583      1     90  1  1  1
    """

    values: RfmValues
    scores: NDArray[np.int8] = attrs.field(converter=read_only)
    cuts: RfmCuts

    _Row: ClassVar[type[Any] | None] = RfmRow

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.values)

    @property
    def members(self) -> Index:
        """The n members, in order."""
        return self.values.members

    @property
    def recency_days(self) -> FloatArray:
        """Days of 24 hours since the last row, shape (n,); NaN without a row."""
        return self.values.recency_days

    @property
    def frequency(self) -> IntArray:
        """Rows that count, or days with one, shape (n,)."""
        return self.values.frequency

    @property
    def monetary(self) -> NDArray[Any]:
        """Sum of the values of those rows, shape (n,), int64 or float64."""
        return self.values.monetary

    @property
    def has_row(self) -> BoolArray:
        """Which members have a row that counts, shape (n,)."""
        return self.values.has_row

    @property
    def as_of(self) -> dt.datetime:
        """Until when rows were known, in UTC."""
        return self.values.as_of

    def score_one(self, *, recency_days: float | dt.timedelta | None, frequency: int, monetary: float = 0) -> RfmScore:
        """Score one member by these cuts, as `RfmCuts.score_one` does.

        Examples
        --------
        >>> from pendulum import datetime
        >>> values = RfmValues.from_columns(
        ...     member=["ann", "bo"], last=[0, 43_200], time_unit="s", frequency=[3, 4], as_of=datetime(1970, 1, 2)
        ... )
        >>> values.score(bins=2).score_one(recency_days=0.75, frequency=4)
        RfmScore(recency=1, frequency=2, monetary=1)
        """
        return self.cuts.score_one(recency_days=recency_days, frequency=frequency, monetary=monetary)

    def assign(
        self,
        segments: Preset | RfmGrid | Mapping[str, Iterable[Cell]] = "grid5",
        /,
        *,
        by: Literal["values", "scores"] = "values",
        high: Mapping[str, float] | None = None,
        lang: Lang = "en",
    ) -> Assignment:
        """Return the named segment of each member.

        Parameters
        ----------
        segments : {"grid5", "quadrant8"}, RfmGrid, or mapping of str to iterable of tuple
            ``"grid5"``: eleven segments of the 5 × 5 scores of recency and frequency, see `GRID5`. ``"quadrant8"``: the
            eight of `RfmQuadrant`. Or cells of your own, as in `RfmGrid`; each must be in one segment.
        by : {"values", "scores"}
            Of quadrants: whether values or scores are compared with their mean.
        high : mapping of str to float, optional
            Of quadrants by values: what is high, in place of the mean: ``recency_days`` (at most), ``frequency`` and
            ``monetary`` (at least).
        lang : {"en", "zh"}
            Language of the names of a preset.

        Returns
        -------
        Assignment
            A member without a row is in no segment.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            A cell is in no segment or in two, the preset is unknown or of other bins than these scores, or what is high
            can't be read.

        Notes
        -----
        High is as good as the mean or better: recency ≤ mean, frequency ≥ mean, money ≥ mean, over members with a row.

        Examples
        --------
        >>> from pendulum import datetime
        >>> values = RfmValues.from_columns(
        ...     member=["ann", "bo"], last=[0, 43_200], time_unit="s", frequency=[3, 4], as_of=datetime(1970, 1, 2)
        ... )
        >>> values.score(bins=2).assign("quadrant8", lang="zh").labels().tolist()
        ['重要挽留', '重要价值']
        """
        one_of("lang", lang, get_args(Lang))
        if isinstance(segments, str):
            one_of("segments", segments, get_args(Preset))
            if segments == "quadrant8":
                return self._quadrants(by, high, lang)
            grid = RfmGrid(cells=GRID5)
        else:
            grid = segments if isinstance(segments, RfmGrid) else RfmGrid(cells=segments, bins=self.cuts.bins)
        if by != "values" or high is not None:
            raise InvalidValueError(
                message("by" if high is None else "high", "it with 'quadrant8' alone", by if high is None else high)
            )
        if grid.bins != self.cuts.bins:
            raise InvalidValueError(message("segments", f"cells of {self.cuts.bins} scores", f"some of {grid.bins}"))
        names = [getattr(name, lang, str(name)) for name in grid.names]
        return Assignment(members=self.members, codes=grid.place(self.scores), segments=Index(names, argument="cells"))

    def _quadrants(self, by: Literal["values", "scores"], high: Mapping[str, float] | None, lang: Lang) -> Assignment:
        one_of("by", by, ("values", "scores"))
        if by == "scores" and high is not None:
            raise InvalidValueError(message("high", "it with by='values' alone", dict(high)))
        columns = (-self.values.recency_us, self.frequency, self.monetary) if by == "values" else tuple(self.scores.T)
        bounds = _high_of(high)
        held = self.has_row
        is_high = cast(
            "tuple[BoolArray, BoolArray, BoolArray]",
            tuple(
                _reach(column, _mean(column[held]) if bound is None else bound)
                for column, bound in zip(columns, bounds, strict=True)
            ),
        )
        names = [getattr(quadrant, lang) for quadrant in RfmQuadrant]
        codes = np.where(held, quadrants(is_high), -1)
        return Assignment(members=self.members, codes=codes, segments=Index(names))

    # ── showing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        kind: Literal["count", "number"] = "number" if self.monetary.dtype.kind == "f" else "count"
        recency, frequency, monetary = (frozen(np.ascontiguousarray(column)) for column in self.scores.T)
        return [
            Column(key="member", en="member", zh="成员", values=self.members.labels),
            Column(key="recency_days", en="days since", zh="距今天数", values=self.recency_days, format="number"),
            Column(key="frequency", en="times", zh="次数", values=self.frequency, format="count"),
            Column(key="monetary", en="spent", zh="金额", values=self.monetary, format=kind),
            Column(key="recency_score", en="R", zh="R", values=recency, format="count"),
            Column(key="frequency_score", en="F", zh="F", values=frequency, format="count"),
            Column(key="monetary_score", en="M", zh="M", values=monetary, format="count"),
        ]

    def _title(self, lang: Lang, /) -> str:
        at = f"{from_us(self.values.definition.as_of_us):YYYY-MM-DD HH:mm}"
        n, bins = len(self), self.cuts.bins
        if lang == "zh":
            return f"截至 {at} UTC：{n:,} 名成员的 RFM，评分 1 至 {bins}"
        return f"RFM of {n:,} members as of {at} UTC, scores 1 to {bins}"

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        n = len(self) - int(self.has_row.sum())
        if not n:
            return []
        return [
            f"{n:,} 名成员没有计入的记录：评分为 0。" if lang == "zh" else f"{n:,} have no row that counts: score 0."
        ]

    def __eq__(self, other: object) -> bool:
        """Return whether both hold the same numbers, scores and cuts of the same members in the same order."""
        return same_fields(self, other) if isinstance(other, Rfm) else NotImplemented

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show how many members there are, and how many have a row."""
        n = int(self.has_row.sum())
        return f"Rfm({len(self):,} members, {n:,} with a row, scores 1 to {self.cuts.bins})"

    def __reduce__(self) -> tuple[Callable[..., Rfm], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)


def _high_of(high: Mapping[str, float] | None) -> tuple[float | None, float | None, float | None]:
    """Return what a caller calls high, recency in minus microseconds; None for the mean."""
    if high is None:
        return None, None, None
    instance("high", high, Mapping, expected="a mapping of recency_days, frequency or monetary to a number")
    known = ("recency_days", "frequency", "monetary")
    for name, bound in high.items():
        if name not in known:
            raise InvalidValueError(message("high", f"the keys {', '.join(known)}", name) + suggest(name, known))
        if isinstance(bound, bool) or not isinstance(bound, int | float | np.integer | np.floating):
            raise InvalidTypeError(message(f"high[{name!r}]", "a number", bound))
        if not math.isfinite(bound):
            raise InvalidValueError(message(f"high[{name!r}]", "a finite number", bound))
    days = high.get("recency_days")
    ago = None if days is None else -recency_us_of(days, argument="high['recency_days']")
    return ago, high.get("frequency"), high.get("monetary")


def _mean(values: NDArray[Any]) -> float | Fraction:
    """Return the mean: of integers exactly, of floats without regard to their order."""
    if not len(values):
        return 0
    if values.dtype.kind == "f":
        return math.fsum(values.tolist()) / len(values)
    return Fraction(_exact_sum(values), len(values))


def _exact_sum(values: NDArray[Any]) -> int:
    wide = values.astype(np.int64)
    # Halves of 32 bits cannot overflow when summed over fewer than 2**31 members.
    return (int((wide >> 32).sum()) << 32) + int((wide & 0xFFFFFFFF).sum())


def _reach(values: NDArray[Any], bound: float | Fraction) -> BoolArray:
    """Return which values are at least a bound."""
    wide = values if values.dtype.kind == "f" else values.astype(np.int64)
    least = at_least(wide.dtype, cast("float", bound))
    return np.zeros(len(wide), dtype=np.bool_) if least is None else wide >= least
