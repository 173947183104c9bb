"""Of those who began together, how many came back, and how sure are we?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import attrs
import numpy as np

from shequn.columns.breakdown import Tally
from shequn.columns.horizon import Horizon
from shequn.columns.readonly import added, by_fields, counts_field, frozen
from shequn.columns.table import Column
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.retention.counts import cohort_fields
from shequn.retention.curve import ReturnCurve
from shequn.retention.presence import complete_periods, last_period, require_same
from shequn.stats import Homogeneity, chi_square_homogeneity, wilson
from shequn.stats._checks import is_integer, items_of, whole
from shequn.values.instants import from_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    import pendulum
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.values.calendar import Calendar, Unit, WeekStart

__all__ = ["Anchor", "Clock", "CohortRow", "CohortTable", "Mode"]

Anchor: TypeAlias = Literal["first_ever", "first_in_range", "recurring"]
Mode: TypeAlias = Literal["on", "on_or_after", "brackets"]
Clock: TypeAlias = Literal["calendar", "elapsed"]
Bracket: TypeAlias = "tuple[int, int]"

_MOST_CELLS = 1 << 26
_FAR_US = 1 << 60  # 36,000 years: after any instant, and far from what 64 bits hold
_LAST_OFFSET = 2**31 - 1


@attrs.frozen(kw_only=True)
class CohortRow:
    """One cohort at one offset; `through` is the last offset that counts (of a bracket, else `offset`)."""

    cohort: pendulum.Date | pendulum.DateTime
    offset: int
    through: int
    size: int
    returned: int
    eligible: int
    rate: float
    lower: float
    upper: float


@attrs.frozen(kw_only=True)
class CohortDefinition:
    """What a cohort table counts; tables merge only where it is the same."""

    anchor: Anchor = "first_ever"
    mode: Mode = "on"
    clock: Clock = "calendar"
    brackets: tuple[Bracket, ...] = ()
    max_offset: int | None = None
    min_occurrences: int = 1
    kinds: frozenset[str] | None = None
    anchor_kinds: frozenset[str] | None = None
    range_us: tuple[int | None, int | None] = (None, None)


@attrs.frozen(kw_only=True, repr=False)
class CohortTable(Tally[CohortRow]):
    """Cohorts by the period of their start, and how many of each returned at each offset.

    Merges exactly over parts split by member.

    Attributes
    ----------
    calendar : Calendar
    definition : CohortDefinition
        Anchor, mode, clock, brackets, kinds.
    first_period : int
        Number of the first cohort's period, as in `Calendar.index`.
    sizes : ndarray of int64, shape (n_cohorts,)
        Members that started in each period.
    raw : ndarray of int64, shape (n_cohorts, n_offsets)
        Returns, also where the offset was not fully observed: what merging adds up. Read `counts`.
    starts : ndarray of int64, shape (n_members, 2)
        Elapsed clock only: cohort period and start instant of each member, sorted.
    pending : ndarray of int64, shape (n, 3)
        Elapsed clock only: cohort period, column and deadline of each return before its offset was fully observed,
        sorted.
    horizon : Horizon
        The end of observation, and whether it was derived from the data.

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> from shequn.retention import cohort_table
    >>> log = EventLog.from_columns(member=["ann", "bo", "ann"], kind="post", at=[0, 0, 86400 * 7], time_unit="s")
    >>> table = cohort_table(log, every="week", tz="UTC")
    >>> table.sizes.tolist(), table.counts.tolist()
    ([2, 0], [[2, 0], [0, 0]])
    """

    calendar: Calendar
    definition: CohortDefinition
    first_period: int
    sizes: IntArray = counts_field()
    raw: IntArray = counts_field()
    starts: IntArray = counts_field()
    pending: IntArray = counts_field()
    horizon: Horizon = Horizon()

    _Row: ClassVar[type[Any] | None] = CohortRow

    @classmethod
    def from_counts(
        cls,
        *,
        cohort: ArrayLike | Sequence[dt.date],
        sizes: ArrayLike,
        returned: ArrayLike,
        every: Unit | Calendar = "week",
        tz: str | None = None,
        week_start: WeekStart = "monday",
        observed_until: dt.datetime | None = None,
    ) -> CohortTable:
        """Build from counts that a warehouse has made, for the same eligibility, intervals, mean curve and test.

        Parameters
        ----------
        cohort : array_like of date, shape (n,)
            Local start dates of consecutive periods.
        sizes : array_like of int, shape (n,)
            Members that started in each.
        returned : array_like of int, shape (n, n_offsets)
            Of those, the members active at offset 0, 1, …; what was not observed yet may be 0.
        every, tz, week_start, observed_until
            As in `Presence.from_columns`; without `observed_until` the last cohort's period is the last observed.

        Returns
        -------
        CohortTable

        Raises
        ------
        InvalidValueError, InvalidTypeError, MisalignedError
            Periods are not consecutive, a count is negative or larger than its cohort, or shapes differ.

        Examples
        --------
        >>> table = CohortTable.from_counts(
        ...     cohort=np.array(["2024-01-01", "2024-01-08"], "M8[D]"), sizes=[50, 40], returned=[[50, 10], [40, 0]]
        ... )
        >>> table.rates.tolist()
        [[1.0, 0.2], [1.0, nan]]
        """
        fields = cohort_fields(
            cohort=cohort,
            sizes=sizes,
            returned=returned,
            every=every,
            tz=tz,
            week_start=week_start,
            observed_until=observed_until,
        )
        return cls(definition=CohortDefinition(), **fields)

    @property
    def n_cohorts(self) -> int:
        """Number of cohorts."""
        return len(self.sizes)

    @property
    def n_offsets(self) -> int:
        """Number of offsets, or of brackets."""
        return int(self.raw.shape[1])

    @property
    def cohorts(self) -> NDArray[Any]:
        """Local start date of each cohort's period, datetime64, shape (n_cohorts,)."""
        return frozen(self.calendar.label(self.first_period + np.arange(self.n_cohorts)))

    @property
    def offsets(self) -> tuple[Bracket, ...]:
        """First and last offset of each column; both are the offset itself without brackets."""
        if self.definition.mode == "brackets":
            return self.definition.brackets
        return tuple((j, j) for j in range(self.n_offsets))

    @property
    def eligible(self) -> IntArray:
        """Members whose offset was fully observed, shape (n_cohorts, n_offsets).

        On the calendar clock it is the cohort's size or 0, on the elapsed clock anything between.
        """
        if not self.n_cohorts:
            return frozen(np.zeros(self.raw.shape, dtype=np.int64))
        if self.definition.clock == "calendar":
            through = np.array([last for _, last in self.offsets], dtype=np.int64)
            is_observed = np.arange(self.n_cohorts)[:, None] + through < self._n_complete()
            return frozen(np.where(is_observed, self.sizes[:, None], 0))
        latest = (self.horizon.until_us or 0) - lengths_through(self.offsets, self.calendar)
        cohort = self.starts[:, 0] - self.first_period
        columns = [np.bincount(cohort[self.starts[:, 1] <= last], minlength=self.n_cohorts) for last in latest.tolist()]
        return frozen(np.stack(columns, axis=1).astype(np.int64))

    def _n_complete(self) -> int:
        """Return how many periods from the first cohort's on end by the end of observation."""
        last = last_period(self.calendar, self.horizon.until_us or 0)
        return int(complete_periods(self.calendar, self.first_period, last - self.first_period + 1, self.horizon).sum())

    @property
    def counts(self) -> IntArray:
        """Returns among the eligible, shape (n_cohorts, n_offsets)."""
        if self.definition.clock == "calendar":
            return frozen(np.where(self.eligible > 0, self.raw, 0))
        open_ = self.pending[self.pending[:, 2] > (self.horizon.until_us or 0)]
        unseen = np.zeros(self.raw.shape, dtype=np.int64)
        np.add.at(unseen, (open_[:, 0] - self.first_period, open_[:, 1]), 1)
        return frozen(self.raw - unseen)

    @property
    def rates(self) -> FloatArray:
        """Returns / eligible, NaN where nobody is eligible, shape (n_cohorts, n_offsets)."""
        eligible = self.eligible
        return frozen(np.divide(self.counts, eligible, out=np.full(eligible.shape, np.nan), where=eligible > 0))

    @property
    def lower(self) -> FloatArray:
        """Lower end of the 95 % Wilson interval of each rate, shape (n_cohorts, n_offsets)."""
        return self.interval()[0]

    @property
    def upper(self) -> FloatArray:
        """Upper end of the 95 % Wilson interval of each rate, shape (n_cohorts, n_offsets)."""
        return self.interval()[1]

    def interval(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return the Wilson interval of each rate at a confidence level.

        Parameters
        ----------
        level : float, default 0.95
            Confidence level, between 0 and 1.

        Returns
        -------
        lower, upper : ndarray of float64, shape (n_cohorts, n_offsets)
            NaN where nobody is eligible.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `level` is not a number between 0 and 1.
        """
        return wilson(self.counts, self.eligible, level=level)

    def mean_curve(self) -> ReturnCurve:
        """Return the rate of all cohorts together at each offset: Σ returned / Σ eligible.

        Returns
        -------
        ReturnCurve

        Examples
        --------
        >>> from shequn.retention import Presence, cohort_table
        >>> weeks = np.array(["2024-01-01", "2024-01-08", "2024-01-08"], "M8[D]")
        >>> p = Presence.from_columns(member=[7, 7, 9], period=weeks)
        >>> cohort_table(p).mean_curve().rates.tolist()
        [1.0, 1.0]
        """
        return ReturnCurve(offsets=self.offsets, returned=self.counts.sum(axis=0), eligible=self.eligible.sum(axis=0))

    def homogeneity(self, offset: int, /) -> Homogeneity:
        """Test whether the cohorts return alike at one offset (or bracket, by position): Pearson's chi-square.

        Parameters
        ----------
        offset : int
            Position of the column in `offsets`; 0 compares nothing, for everybody is there.

        Returns
        -------
        Homogeneity
            Statistic, degrees of freedom and p. Cohorts with nobody eligible are left out.

        Raises
        ------
        InvalidValueError
            The mode is ``"on_or_after"``, whose follow-up differs by cohort; or the anchor is ``"recurring"``, whose
            cohorts share members; or there is no such offset.
        """
        if self.definition.mode == "on_or_after":
            raise InvalidValueError(message("mode", "'on' or 'brackets', which follow cohorts alike", "on_or_after"))
        if self.definition.anchor == "recurring":
            raise InvalidValueError(
                message("anchor", "'first_ever' or 'first_in_range', whose cohorts share nobody", "recurring")
            )
        offset = whole("offset", offset)
        if not 0 <= offset < self.n_offsets:
            raise InvalidValueError(message("offset", f"a position in [0, {self.n_offsets})", offset))
        returned, eligible = self.counts[:, offset], self.eligible[:, offset]
        judged = eligible > 0
        return chi_square_homogeneity(np.stack([returned[judged], (eligible - returned)[judged]], axis=1))

    @property
    def observed_until(self) -> pendulum.DateTime | None:
        """End of observation in the calendar's zone; None for an empty log."""
        until = self.horizon.until_us
        return None if until is None else from_us(until, self.calendar.tz)

    @property
    def observed_until_derived(self) -> bool:
        """Whether the end of observation was taken from the data."""
        return self.horizon.is_derived

    # ── merging ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def merge(self, other: CohortTable, /) -> CohortTable:
        """Return the table of both parts, split by member; parts may span different periods.

        Returns
        -------
        CohortTable

        Raises
        ------
        InvalidTypeError
            `other` is no CohortTable.
        InvalidValueError
            The parts differ in period, definition or explicit end of observation.

        Examples
        --------
        >>> from shequn.columns import EventLog
        >>> from shequn.retention import cohort_table
        >>> log = EventLog.from_columns(member=["ann", "bo"], kind="post", at=[0, 86400 * 14], time_unit="s")
        >>> parts = [cohort_table(part, every="week", tz="UTC") for part in log.partition(2)]
        >>> parts[0].merge(parts[1]) == cohort_table(log, every="week", tz="UTC")
        True
        """
        if not isinstance(other, CohortTable):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("other", "a CohortTable", other))
        require_same(self.calendar, other.calendar, "every", "parts over the same periods")
        require_same(self.definition, other.definition, "cohorts", "parts of the same definition")
        horizon = self.horizon.merge(other.horizon)
        parts = [part for part in (self, other) if part.n_cohorts]
        if not parts:
            return attrs.evolve(self, horizon=horizon)
        low = min(part.first_period for part in parts)
        high = max(part.first_period + part.n_cohorts for part in parts)
        n_offsets = max(part.n_offsets for part in parts)
        if horizon.until_us is not None:
            high = max(high, self._cohort_end(horizon.until_us))
            n_offsets = max(n_offsets, count_columns(self.calendar, self.definition, low, horizon.until_us))
        stretched = [part._stretch(low, high, n_offsets) for part in parts]
        pending = np.concatenate([part.pending for part in stretched])
        return attrs.evolve(
            self,
            first_period=low,
            sizes=added([part.sizes for part in stretched], argument="sizes"),
            raw=added([part.raw for part in stretched], argument="returned"),
            starts=_sorted_rows(np.concatenate([part.starts for part in stretched])),
            pending=_sorted_rows(pending[pending[:, 2] > (horizon.until_us or 0)]),
            horizon=horizon,
        )

    def on_axis_of(self, *others: CohortTable) -> CohortTable:
        """Return the same table on an axis that holds the cohorts and offsets of other tables too.

        Returns
        -------
        CohortTable

        Examples
        --------
        >>> from shequn.retention import Presence, cohort_table
        >>> weeks = np.array(["2024-01-01", "2024-01-15"], "M8[D]")
        >>> table = cohort_table(Presence.from_columns(member=[7, 9], period=weeks))
        >>> later = cohort_table(Presence.from_columns(member=[9], period=weeks[1:]))
        >>> later.on_axis_of(table).sizes.tolist()
        [0, 0, 1]
        """
        table = self
        for other in others:
            table = table.merge(other._emptied())
        return table

    def _cohort_end(self, until_us: int) -> int:
        """Return one past the last cohort there can be."""
        end = until_us if self.definition.range_us[1] is None else min(until_us, self.definition.range_us[1])
        return last_period(self.calendar, end) + 1

    def _stretch(self, low: int, high: int, n_offsets: int) -> CohortTable:
        before, after = self.first_period - low, high - self.first_period - self.n_cohorts
        raw = np.pad(self.raw, ((before, after), (0, n_offsets - self.n_offsets)))
        return attrs.evolve(self, first_period=low, sizes=np.pad(self.sizes, (before, after)), raw=raw)

    def _headcount(self) -> IntArray:
        return self.sizes

    def _emptied(self) -> CohortTable:
        return attrs.evolve(
            self,
            sizes=np.zeros_like(self.sizes),
            raw=np.zeros_like(self.raw),
            starts=self.starts[:0],
            pending=self.pending[:0],
        )

    # ── showing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        began = self.sizes > 0
        rates = self.rates[began]
        return [
            Column(key="cohort", en="cohort", zh="同期群", values=self.cohorts[began], format="date"),
            Column(key="size", en="size", zh="人数", values=self.sizes[began], format="count"),
            *(
                Column(key=str(j), en=name, zh=name, values=rates[:, j], format="rate", digits=0)
                for j, name in enumerate(_bracket_name(bracket) for bracket in self.offsets)
            ),
        ]

    def _tidy(self) -> Sequence[Column]:
        shape = self.raw.shape
        offset = np.array([first for first, _ in self.offsets], dtype=np.int64)
        through = np.array([last for _, last in self.offsets], dtype=np.int64)
        lower, upper = self.interval()
        cells: dict[str, tuple[str, NDArray[Any], Any]] = {
            "cohort": ("同期群", np.broadcast_to(self.cohorts[:, None], shape), "date"),
            "offset": ("间隔", np.broadcast_to(offset, shape), "count"),
            "through": ("至", np.broadcast_to(through, shape), "count"),
            "size": ("人数", np.broadcast_to(self.sizes[:, None], shape), "count"),
            "returned": ("返回", self.counts, "count"),
            "eligible": ("可观察", self.eligible, "count"),
            "rate": ("返回率", self.rates, "rate"),
            "lower": ("下限", lower, "rate"),
            "upper": ("上限", upper, "rate"),
        }
        return [
            Column(key=key, en=key, zh=zh, values=values.reshape(-1), format=format_)
            for key, (zh, values, format_) in cells.items()
        ]

    def _notes(self, lang: Lang) -> Sequence[str]:
        if not self.n_cohorts:
            return []
        if lang == "zh":
            return ["“–”：该间隔尚未完整观察。没有成员的同期群不显示。"]
        return ["–: that offset has not been fully observed. Cohorts without members are left out."]

    def __reduce__(self) -> tuple[Callable[..., CohortTable], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the size of the table."""
        return f"CohortTable({self.n_cohorts} cohorts, {int(self.sizes.sum()):,} members, {self.calendar.name()})"


def require_table(n_cohorts: int, n_columns: int) -> None:
    """Raise where a table would be so large that something must be wrong with an instant."""
    if n_cohorts * n_columns > _MOST_CELLS:
        expected = f"periods that give a table of at most {_MOST_CELLS:,} cells"
        got = f"{n_cohorts:,} cohorts × {n_columns:,} periods"
        raise InvalidValueError(message("every", expected, got) + "; take longer periods, or cohorts of a range")


def count_columns(calendar: Calendar, definition: CohortDefinition, low: int, until_us: int) -> int:
    """Return the number of columns of a table that begins with the period `low`.

    Brackets have one each; else there is one for each offset from 0 to the last that begins before the end of
    observation, of a member who started when the first cohort did.
    """
    if definition.mode == "brackets":
        return len(definition.brackets)
    if definition.clock == "elapsed":
        last = (until_us - 1 - int(calendar.start_us([low])[0])) // calendar.length_us()
    else:
        last = last_period(calendar, until_us) - low
    if definition.max_offset is not None:
        last = min(last, definition.max_offset)
    return max(last, 0) + 1


def lengths_through(offsets: Sequence[Bracket], calendar: Calendar) -> IntArray:
    """Return the microseconds from a start to the end of each bracket's last offset; of a far one, long enough."""
    length = calendar.length_us()
    return np.array([min(last + 1, _FAR_US // length) * length for _, last in offsets], dtype=np.int64)


def require_brackets(brackets: Sequence[tuple[int, int]], mode: Mode) -> tuple[Bracket, ...]:
    """Return brackets as a tuple of pairs, checked: each first <= last, each after the one before."""
    pairs = items_of("brackets", brackets, expected="pairs (first offset, last offset)")
    if pairs and mode != "brackets":
        raise InvalidValueError(message("brackets", "none unless mode='brackets'", brackets))
    checked: list[Bracket] = []
    for row, bracket in enumerate(pairs):
        try:
            first, last = bracket
        except (TypeError, ValueError):
            raise InvalidTypeError(message("brackets", "pairs (first offset, last offset)", bracket, row=row)) from None
        if not (is_integer(first) and is_integer(last)):
            raise InvalidTypeError(message("brackets", "pairs of whole offsets", bracket, row=row))
        lowest = checked[-1][1] + 1 if checked else 0
        if not lowest <= first <= last <= _LAST_OFFSET:
            expected = f"{lowest} <= first <= last < 2**31, in ascending order"
            raise InvalidValueError(message("brackets", expected, bracket, row=row))
        checked.append((int(first), int(last)))
    if not checked and mode == "brackets":
        raise InvalidValueError(message("brackets", "at least one pair with mode='brackets'", brackets))
    return tuple(checked)


def _bracket_name(bracket: Bracket) -> str:
    first, last = bracket
    return str(first) if first == last else f"{first}–{last}"


def _sorted_rows(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return rows[np.lexsort(rows.T[::-1])]
