"""Who was active in which period? The tally that the ledger, the cohorts, stickiness and L-ness read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import attrs
import numpy as np

from shequn.columns.halves import in_halves
from shequn.columns.horizon import Horizon
from shequn.columns.kinds import UnknownKinds, kind_set, of_kinds
from shequn.columns.log import EventLog
from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError, message
from shequn.labels import Coded, Index
from shequn.retention.sets import BitSets, PeriodSets, fits_bits, pack_mask, sets_of_cells, sets_of_keys
from shequn.stats._checks import one_of, plain_array, refuse, whole
from shequn.stats.distinct import each_once
from shequn.values.calendar import Calendar, Unit, WeekStart
from shequn.values.instants import from_us, instant_us
from shequn.values.zones import zone_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    import pendulum
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.columns.table import Lang
    from shequn.labels import Label

__all__ = ["NEVER", "NEVER_BEFORE", "Presence", "presence", "presence_of"]

NEVER = int(np.iinfo(np.int32).max)
NEVER_BEFORE = int(np.iinfo(np.int32).min)
_BLOCK = 1 << 16
_WORD_BITS = 64
_MOST_PERIODS = 1 << 20  # 120 years of hours
_EARLIEST, _LATEST = np.datetime64("1900-01-01"), np.datetime64("2262-01-01")


@attrs.frozen(kw_only=True)
class PresenceRow:
    """One period of a presence."""

    period: pendulum.Date | pendulum.DateTime
    active: int


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Presence(Tabular[PresenceRow]):
    """Members × periods, one bit: active in that period.

    Merges exactly by member and by time, and the presence of an empty log is the identity. Periods are numbered as in
    `Calendar.index`; the axis runs from the first active period to the last that begins before the end of observation.

    Attributes
    ----------
    members : Index
        The n members seen, active or not.
    calendar : Calendar
        What a period is.
    first_period : int
        Number of the first period of the axis.
    sets : BitSets or CellSets
        The active members of each period.
    first : ndarray of int32, shape (n,)
        Number of each member's first active period ever, which may lie before the axis; 2**31 - 1 for a member never
        active.
    before : ndarray of int32, shape (n,)
        Number of each member's last active period before the axis; -2**31 where there is none.
    kinds : frozenset of str or None
        The kinds that count as activity; None for the default.
    horizon : Horizon
        The end of observation, and whether it was derived from the data.

    Examples
    --------
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann"],
    ...     kind="post",
    ...     at=np.array(["2024-01-01", "2024-01-02", "2024-01-08"], "M8[D]"),
    ...     at_tz="UTC",
    ... )
    >>> print(presence(log, every="week", tz="UTC"))
    period      active
    ──────────────────
    2024-01-01       2
    2024-01-08       1
    """

    members: Index
    calendar: Calendar
    first_period: int
    sets: PeriodSets
    first: NDArray[np.int32] = attrs.field(converter=read_only)
    before: NDArray[np.int32] = attrs.field(converter=read_only)
    kinds: frozenset[str] | None = None
    horizon: Horizon = Horizon()

    _Row: ClassVar[type[Any] | None] = PresenceRow

    @classmethod
    def from_columns(
        cls,
        *,
        member: ArrayLike | Sequence[Label],
        period: ArrayLike | Sequence[dt.date],
        first: ArrayLike | Sequence[dt.date] | None = None,
        every: Unit | Calendar = "week",
        tz: str | None = None,
        week_start: WeekStart = "monday",
        kinds: Collection[str] | str | None = None,
        observed_until: dt.datetime | None = None,
    ) -> Presence:
        """Build from (member, period) pairs that a warehouse has aggregated: ``SELECT member, week … GROUP BY 1, 2``.

        Parameters
        ----------
        member : array_like of str or int, shape (m,)
        period : array_like of date, shape (m,)
            Local start date of the period (``datetime64[D]`` or dates; ``datetime64[h]`` for hours). A date that starts
            no period is refused: it tells a warehouse that counts weeks from Sunday.
        first : array_like of date, shape (m,), optional
            Start date of the member's first period ever, where the pairs do not go back that far. Who was active just
            before the first of the pairs is not known then: begin a ledger ``grace + 1`` periods later.
        every, week_start
            What a period is, as in `presence`.
        tz : str, optional
            Zone of the periods; needed only to judge `observed_until`, or to merge with a presence of that zone.
        kinds : collection of str, optional
            The kinds that the warehouse counted as activity, by which a presence merges; None for the default.
        observed_until : aware datetime, optional
            End of observation. Left out, every period given counts as complete.

        Returns
        -------
        Presence

        Raises
        ------
        MisalignedError
            Columns differ in length.
        InvalidTypeError
            A column holds something else, or an option has a wrong type.
        InvalidValueError
            A date is not the start of a period, or an option cannot be used.

        Examples
        --------
        >>> weeks = np.array(["2024-01-01", "2024-01-08", "2024-01-08"], "M8[D]")
        >>> p = Presence.from_columns(member=[7, 7, 9], period=weeks)
        >>> p.active.tolist()
        [1, 2]
        """
        if observed_until is not None and tz is None and not isinstance(every, Calendar):
            raise InvalidValueError(message("tz", "a time zone, which `observed_until` is judged in", tz))
        calendar = Calendar.of(
            every, tz="UTC" if tz is None and not isinstance(every, Calendar) else tz, week_start=week_start
        )
        counted = None if kinds is None else kind_set(kinds, argument="kinds")
        who = Coded.of(member, argument="member")
        number = period_numbers(period, calendar, "period")
        started = number if first is None else period_numbers(first, calendar, "first")
        for name, column in (("period", number), ("first", started)):
            if len(column) != len(who):
                raise MisalignedError(
                    message(name, f"as many rows as `member`, which has {len(who)}", len(column)) + " rows"
                )
        late = started > number
        if late.any():
            row = int(np.flatnonzero(late)[0])
            got = str(calendar.label(started[row : row + 1])[0])
            expected = "dates not after those of `period`"
            raise InvalidValueError(message("first", expected, got, row=row, bad=int(late.sum()), total=len(late)))
        if not len(who):
            horizon = (
                Horizon() if observed_until is None else Horizon(instant_us(observed_until, argument="observed_until"))
            )
            return _empty(calendar, counted, horizon, members=who.index)
        if observed_until is None:
            horizon = Horizon(None, int(calendar.end_us(np.array([number.max()]))[0]) - 1, 1)
        else:
            horizon = Horizon(instant_us(observed_until, argument="observed_until"))
            end = last_period(calendar, horizon.until_us or 0)
            seen = number <= end
            who, number, started = who.take(seen), number[seen], started[seen]
        low = int(number.min()) if len(number) else 0
        return _assemble(
            calendar=calendar,
            kinds=counted,
            horizon=horizon,
            members=who.index,
            periods=number - low,
            codes=who.codes,
            low=low,
            first=(started, who.codes),
        )

    @property
    def n_periods(self) -> int:
        """Number of periods of the axis."""
        return self.sets.n_periods

    @property
    def periods(self) -> NDArray[Any]:
        """Local start date of each period, shape (n_periods,), datetime64."""
        return frozen(self.calendar.label(self.first_period + np.arange(self.n_periods)))

    @property
    def active(self) -> IntArray:
        """Members active in each period, shape (n_periods,)."""
        return frozen(self.sets.counts())

    @property
    def complete(self) -> BoolArray:
        """Whether each period ends by the end of observation, shape (n_periods,)."""
        return frozen(complete_periods(self.calendar, self.first_period, self.n_periods, self.horizon))

    @property
    def observed_until(self) -> pendulum.DateTime | None:
        """End of observation in the calendar's zone; None for an empty log."""
        until = self.horizon.until_us
        return None if until is None else from_us(until, self.calendar.tz)

    @property
    def observed_until_derived(self) -> bool:
        """Whether the end of observation was taken from the data: the last row's instant plus the resolution."""
        return self.horizon.is_derived

    @property
    def last_active(self) -> NDArray[np.int32]:
        """Number of each member's last active period, shape (n,); -2**31 for a member never active."""
        inside = self.sets.last(NEVER_BEFORE)
        here = inside.astype(np.int64) + self.first_period
        return frozen(np.where(inside == NEVER_BEFORE, self.before, here).astype(np.int32))

    def mask(self, period: dt.date, /) -> BoolArray:
        """Return who was active in the period of a local date (of hours, the naive local time), shape (n,).

        Parameters
        ----------
        period : date
            A date in the period, not only its first.

        Returns
        -------
        ndarray of bool, shape (n,)
            Over `members`; all False where the period lies outside the axis.

        Raises
        ------
        InvalidTypeError
            `period` is no plain date.

        Examples
        --------
        >>> import datetime as dt
        >>> p = Presence.from_columns(member=[7], period=np.array(["2024-01-01"], "M8[D]"))
        >>> p.mask(dt.date(2024, 1, 3)).tolist()
        [True]
        """
        at = self._number_of(period) - self.first_period
        return frozen(self.sets.mask(at) if 0 <= at < self.n_periods else np.zeros(len(self.members), dtype=np.bool_))

    def joined(self, period: dt.date, /) -> BoolArray:
        """Return who was active for the first time ever in the period of a local date, shape (n,).

        Together with `revived` and `evaporated` it says who stands behind a row of the ledger (without grace).

        Returns
        -------
        ndarray of bool, shape (n,)

        Raises
        ------
        InvalidTypeError
            As in `mask`.

        Examples
        --------
        >>> import datetime as dt
        >>> p = Presence.from_columns(member=[7, 9], period=np.array(["2024-01-01", "2024-01-08"], "M8[D]"))
        >>> p.members.take(p.joined(dt.date(2024, 1, 8)))
        Index([9])
        """
        return frozen(self.mask(period) & (self.first == self._number_of(period)))

    def revived(self, period: dt.date, /) -> BoolArray:
        """Return who was active in the period of a local date, not in the one before, but earlier, shape (n,).

        Returns
        -------
        ndarray of bool, shape (n,)

        Raises
        ------
        InvalidTypeError
            As in `mask`.

        Examples
        --------
        >>> import datetime as dt
        >>> p = Presence.from_columns(member=[7, 7], period=np.array(["2024-01-01", "2024-01-15"], "M8[D]"))
        >>> p.revived(dt.date(2024, 1, 15)).tolist()
        [True]
        """
        return frozen(self.mask(period) & ~self._before(period) & ~self.joined(period))

    def evaporated(self, period: dt.date, /) -> BoolArray:
        """Return who was active in the period before that of a local date and no longer in it, shape (n,).

        Nobody, where the period lies outside the axis.

        Returns
        -------
        ndarray of bool, shape (n,)

        Raises
        ------
        InvalidTypeError
            As in `mask`.

        Examples
        --------
        >>> import datetime as dt
        >>> p = Presence.from_columns(member=[7, 7], period=np.array(["2024-01-01", "2024-01-15"], "M8[D]"))
        >>> p.evaporated(dt.date(2024, 1, 8)).tolist()
        [True]
        """
        return frozen(self._before(period) & ~self.mask(period))

    def _before(self, period: dt.date) -> BoolArray:
        """Return who was active in the period before that of a date, which is one of the axis."""
        at = self._number_of(period) - self.first_period
        if not 0 <= at < self.n_periods:
            return np.zeros(len(self.members), dtype=np.bool_)
        was_last: BoolArray = self.before == self.first_period - 1
        return self.sets.mask(at - 1) if at else was_last

    def _number_of(self, period: dt.date) -> int:
        if self.calendar.unit == "hour" and isinstance(period, dt.datetime) and period.tzinfo is None:
            on_the_wall = attrs.evolve(self.calendar, tz="UTC")
            return on_the_wall.index_one(period.replace(tzinfo=dt.UTC))
        return self.calendar.index_of_date(period)

    def observed(self, until: dt.datetime, /) -> Presence:
        """Return the same presence with the end of observation moved on to a later instant.

        What is stored tonight ended tonight. Tomorrow it is observed for a day more, and merges with the rows of that
        day.

        Parameters
        ----------
        until : aware datetime
            The new end; nobody was active between the old one and this one, as far as this presence goes.

        Returns
        -------
        Presence

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `until` is no instant, or one earlier than the end of observation.

        Examples
        --------
        >>> import pendulum
        >>> p = Presence.from_columns(member=[7], period=np.array(["2024-01-01"], "M8[D]"))
        >>> p.observed(pendulum.datetime(2024, 1, 15)).active.tolist()
        [1, 0]
        """
        until_us = instant_us(until, argument="until")
        horizon = Horizon(explicit_us=until_us)
        if self.horizon.until_us is not None and until_us < self.horizon.until_us:
            expected = f"an instant not before the end of observation ({self.observed_until})"
            raise InvalidValueError(message("until", expected, until))
        if not self.n_periods and not (self.before > NEVER_BEFORE).any():
            return attrs.evolve(self, horizon=horizon)
        end = last_period(self.calendar, until_us) + 1
        after = max(end - self.first_period - self.n_periods, 0)
        return attrs.evolve(self, horizon=horizon, sets=self.sets.padded(0, after))

    def take(self, members: BoolArray | IntArray, /) -> Presence:
        """Return the presence of some members, on the same axis.

        Parameters
        ----------
        members : array_like
            A mask of shape (n,), or distinct places in `members`, in the order wanted.

        Returns
        -------
        Presence

        Raises
        ------
        InvalidTypeError, InvalidValueError, MisalignedError
            It is neither, a place is no place or stands twice, or the mask has another length.

        Examples
        --------
        >>> p = Presence.from_columns(member=[7, 9], period=np.array(["2024-01-01", "2024-01-01"], "M8[D]"))
        >>> p.take(np.array([True, False])).active.tolist()
        [1]
        """
        codes = _places(members, len(self.members))
        place = np.full(len(self.members), -1, dtype=np.int64)
        place[codes] = np.arange(len(codes))
        periods, cells = self.sets.cells()
        keep = place[cells] >= 0
        sets = sets_of_cells(periods[keep], place[cells[keep]], self.n_periods, len(codes))
        return attrs.evolve(
            self, members=self.members.take(codes), sets=sets, first=self.first[codes], before=self.before[codes]
        )

    def tail(self, n: int, /) -> Presence:
        """Return the last `n` periods; what went before is kept as each member's first and last active period.

        It is all that tomorrow needs: merged with the presence of tomorrow's rows it gives the ledger of every period
        from here on.

        Parameters
        ----------
        n : int
            0 or more; the presence is kept as it is where it has no more.

        Returns
        -------
        Presence

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `n` is no integer, or negative.

        Examples
        --------
        >>> p = Presence.from_columns(member=[7, 7], period=np.array(["2024-01-01", "2024-01-08"], "M8[D]"))
        >>> p.tail(1).active.tolist(), p.tail(1).first.tolist() == p.first.tolist()
        ([1], True)
        """
        n = whole("n", n)
        if n < 0:
            raise InvalidValueError(message("n", "a number of periods >= 0", n))
        cut = max(self.n_periods - n, 0)
        periods, codes = self.sets.cells()
        early = periods < cut
        before = self.before.copy()
        np.maximum.at(before, codes[early], (periods[early] + self.first_period).astype(np.int32))
        sets = sets_of_cells(periods[~early] - cut, codes[~early], self.n_periods - cut, len(self.members))
        return attrs.evolve(self, first_period=self.first_period + cut, sets=sets, before=before)

    def merge(self, other: Presence, /) -> Presence:
        """Return the presence of both parts together, split by member, by time or both.

        Returns
        -------
        Presence

        Raises
        ------
        InvalidTypeError
            `other` is no Presence, or one has `str` and the other `int` members.
        InvalidValueError
            The parts count other periods or other kinds, or ended observation at different explicit instants.

        Examples
        --------
        >>> a = Presence.from_columns(member=[7], period=np.array(["2024-01-01"], "M8[D]"))
        >>> b = Presence.from_columns(member=[9], period=np.array(["2024-01-15"], "M8[D]"))
        >>> a.merge(b).active.tolist()
        [1, 0, 1]
        """
        if not isinstance(other, Presence):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("other", "a Presence", other))
        require_same(self.calendar, other.calendar, "every", "parts over the same periods")
        require_same(self.kinds, other.kinds, "kinds", "parts that count the same kinds")
        horizon = self.horizon.merge(other.horizon)
        members = self.members.union(other.members)
        parts = [(part, members.places_of(part.members)) for part in (self, other)]
        first = np.full(len(members), NEVER, dtype=np.int32)
        before = np.full(len(members), NEVER_BEFORE, dtype=np.int32)
        cells: list[tuple[IntArray, NDArray[Any]]] = []
        for part, place in parts:
            first[place] = np.minimum(first[place], part.first)
            before[place] = np.maximum(before[place], part.before)
            periods, codes = part.sets.cells()
            cells.append((periods + part.first_period, place[codes]))
        cut = [part.first_period for part, _ in parts if (part.before > NEVER_BEFORE).any()]
        whole = [part.first_period for part, _ in parts if part.n_periods]
        # Of what lies before a cut a part knows last active periods only, so the axis of both starts at the later cut.
        low = max(cut) if cut else min(whole, default=0)
        periods = np.concatenate([p for p, _ in cells])
        codes = np.concatenate([c for _, c in cells])
        early = periods < low
        np.maximum.at(before, codes[early], periods[early].astype(np.int32))
        return _assemble(
            calendar=self.calendar,
            kinds=self.kinds,
            horizon=horizon,
            members=members,
            periods=periods[~early] - low,
            codes=codes[~early],
            low=low,
            known=(first, before),
        )

    def to_member_columns(self) -> dict[str, NDArray[Any]]:
        """Return one row a member: ``member``, ``first``, ``before`` and ``bits``, from which `from_state` continues.

        ``first`` and ``before`` are period numbers as in the attributes; bit k of ``bits`` (uint64) tells whether the
        member was active k periods before the last of the axis. More than 64 periods do not fit: take the `tail` first.

        Returns
        -------
        dict of str to ndarray, shape (n,)

        Raises
        ------
        InvalidValueError
            The axis has more than 64 periods.

        Examples
        --------
        >>> p = Presence.from_columns(member=[7, 7], period=np.array(["2024-01-01", "2024-01-15"], "M8[D]"))
        >>> p.to_member_columns()["bits"].tolist()
        [5]
        """
        if self.n_periods > _WORD_BITS:
            raise InvalidValueError(
                message("presence", "at most 64 periods, as `presence.tail(64)` has", self.n_periods)
            )
        bits = np.zeros(len(self.members), dtype=np.uint64)
        for period in range(self.n_periods):
            bits[self.sets.codes(period)] |= np.uint64(1 << (self.n_periods - 1 - period))
        bits.setflags(write=False)
        return {"member": self.members.labels, "first": self.first, "before": self.before, "bits": bits}

    def to_state(self) -> dict[str, Any]:
        """Return what `from_state` needs beside the columns: a small JSON-ready mapping.

        Returns
        -------
        dict

        Examples
        --------
        >>> p = Presence.from_columns(member=[7], period=np.array(["2024-01-01"], "M8[D]"))
        >>> p.to_state()["n_periods"]
        1
        """
        return {
            "calendar": self.calendar.name(),
            "first_period": self.first_period,
            "n_periods": self.n_periods,
            "kinds": None if self.kinds is None else sorted(self.kinds),
            "observed_until_us": self.horizon.explicit_us,
            "last_us": self.horizon.last_us,
            "resolution_us": self.horizon.resolution_us,
        }

    @classmethod
    def from_state(
        cls, columns: Mapping[str, ArrayLike], state: Mapping[str, Any], /, *, calendar: Calendar
    ) -> Presence:
        """Rebuild a presence from `to_member_columns` and `to_state`, stored the night before.

        Parameters
        ----------
        columns : mapping of str to array_like
            As `to_member_columns` gives them; signed 64-bit integers may stand for the ``bits``.
        state : mapping
            As `to_state` gives it.
        calendar : Calendar
            The periods that were stored.

        Returns
        -------
        Presence

        Raises
        ------
        UnknownLabelError
            A column or an entry is missing.
        MisalignedError
            Columns differ in length.
        InvalidValueError, InvalidTypeError
            The calendar is another one, or bits lie outside the axis; a member's ``first`` is later than the first
            period of theirs that is known, or a ``before`` not before the axis.

        Examples
        --------
        >>> p = Presence.from_columns(member=[7], period=np.array(["2024-01-01"], "M8[D]"))
        >>> Presence.from_state(p.to_member_columns(), p.to_state(), calendar=p.calendar) == p
        True
        """
        _require_entries("columns", columns, ("member", "first", "before", "bits"))
        _require_entries(
            "state",
            state,
            ("calendar", "first_period", "n_periods", "kinds", "observed_until_us", "last_us", "resolution_us"),
        )
        if not isinstance(calendar, Calendar):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("calendar", "a Calendar", calendar))
        require_same(state["calendar"], calendar.name(), "calendar", "the periods that were stored")
        members = Index(columns["member"], argument="member")
        numbers = {name: _integers(name, columns[name], len(members)) for name in ("first", "before", "bits")}
        whole_entries = {
            name: None if state[name] is None else whole(name, state[name])
            for name in ("first_period", "n_periods", "observed_until_us", "last_us", "resolution_us")
        }
        n_periods, bits = whole_entries["n_periods"] or 0, numbers["bits"].astype(np.uint64)
        if not 0 <= n_periods <= _WORD_BITS:
            raise InvalidValueError(message("n_periods", "0 to 64 periods", n_periods))
        outside = bits >> np.uint64(n_periods) if n_periods < _WORD_BITS else np.zeros_like(bits)
        if outside.any():
            refuse("bits", f"bits of the {n_periods} periods", bits, outside != 0)
        rows = [np.flatnonzero(bits & np.uint64(1 << (n_periods - 1 - period))) for period in range(n_periods)]
        periods = np.repeat(np.arange(n_periods), [len(row) for row in rows])
        codes = np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)
        kinds = state["kinds"]
        sets = sets_of_cells(periods, codes, n_periods, len(members))
        first_period = whole_entries["first_period"] or 0
        if not NEVER_BEFORE < first_period < NEVER:
            raise InvalidValueError(message("first_period", "the number of a period", first_period))
        _require_past(numbers["first"], numbers["before"], sets, first_period)
        return cls(
            members=members,
            calendar=calendar,
            first_period=first_period,
            sets=sets,
            first=numbers["first"].astype(np.int32),
            before=numbers["before"].astype(np.int32),
            kinds=None if kinds is None else kind_set(kinds, argument="kinds"),
            horizon=Horizon(
                whole_entries["observed_until_us"], whole_entries["last_us"], whole_entries["resolution_us"] or 1
            ),
        )

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return [
            Column(key="period", en="period", zh="周期", values=self.periods, format="date"),
            Column(key="active", en="active", zh="活跃", values=self.active, format="count"),
        ]

    def __eq__(self, other: object) -> bool:
        """Return whether both tell the same of the same members, in whatever order they list them."""
        if not isinstance(other, Presence):
            return NotImplemented
        if (self.calendar, self.kinds, self.horizon) != (other.calendar, other.kinds, other.horizon):
            return False
        if len(self.members) != len(other.members) or (self.n_periods, self.first_period) != (
            other.n_periods,
            other.first_period,
        ):
            return False
        place = self.members.places_of(other.members)
        if (place < 0).any():
            return False
        if not (np.array_equal(self.first[place], other.first) and np.array_equal(self.before[place], other.before)):
            return False
        return all(
            np.array_equal(self.sets.codes(p), np.sort(place[other.sets.codes(p)])) for p in range(self.n_periods)
        )

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Callable[..., Presence], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the size of the tally."""
        return f"Presence({len(self.members):,} members, {self.n_periods:,} periods, {self.calendar.name()})"


def presence(
    log: EventLog,
    /,
    *,
    every: Unit | Calendar,
    tz: str | None = None,
    week_start: WeekStart = "monday",
    kinds: Collection[str] | str | None = None,
    observed_until: dt.datetime | None = None,
    unknown_kinds: UnknownKinds = "warn",
) -> Presence:
    """Tally who was active in which period.

    Parameters
    ----------
    log : EventLog
    every : {"hour", "day", "week", "month", "quarter", "year"} or Calendar
        The period; a `Calendar` for every n of them.
    tz : str
        Zone whose wall clock the periods follow. There is no default; a `Calendar` brings its own.
    week_start : {"monday", "sunday"}
        First day of the week; without effect on other units.
    kinds : collection of str, or one, optional
        The kinds that count as activity; by default all but apply, receive, leave, remove, mute and role.
    observed_until : aware datetime, optional
        End of observation: rows at or after it are ignored. Left out, it is the last row's instant plus the log's
        resolution.
    unknown_kinds : {"warn", "ignore", "raise"}
        What to do about a kind that the log does not know.

    Returns
    -------
    Presence

    Raises
    ------
    InvalidTypeError
        `log` is no EventLog, a kind no str, or an option has a wrong type.
    InvalidValueError
        An option cannot be used: the unit is unknown or has no zone, no kind is named, the axis would be too long.
    UnknownLabelError
        There is no such zone; with ``unknown_kinds="raise"``, no such kind.

    Warns
    -----
    UnknownKindWarning
        A kind named here is not in the log, unless `unknown_kinds` says otherwise.

    Notes
    -----
    A member is active in a period that holds at least one row of theirs, of a kind that counts, before the end of
    observation. Periods are those of the local wall clock, see `Calendar`.

    Examples
    --------
    >>> log = EventLog.from_columns(member=["ann", "ann"], kind="post", at=[0, 86400 * 9], time_unit="s")
    >>> presence(log, every="week", tz="UTC").active.tolist()
    [1, 1]
    """
    require_log(log)
    calendar = Calendar.of(every, tz=tz, week_start=week_start)
    counted = of_kinds(log, kinds, unknown_kinds=unknown_kinds)
    return presence_of(
        log,
        calendar=calendar,
        kinds=None if kinds is None else kind_set(kinds, argument="kinds"),
        counted=counted,
        horizon=Horizon.of(log, observed_until),
        members=log.members,
        codes=log.member_codes,
    )


def presence_of(
    log: EventLog,
    /,
    *,
    calendar: Calendar,
    kinds: frozenset[str] | None,
    counted: BoolArray,
    horizon: Horizon,
    members: Index,
    codes: NDArray[Any],
) -> Presence:
    """Tally any unit that has a code a row (members, or members in groups); rows with code -1 are left out."""
    has_none = codes is not log.member_codes and len(codes) > 0 and int(codes.min()) < 0
    rows = _Rows(log, counted, horizon, codes, has_none)
    low, until = rows.first_period(calendar), horizon.until_us
    if low is None or until is None:
        return _empty(calendar, kinds, horizon, members=members)
    n = len(members)
    n_periods = require_axis(last_period(calendar, until) - low + 1)
    sets: PeriodSets
    if fits_bits(n_periods, n, len(log)):
        mask = rows.mask(calendar, low, n_periods, n)
        sets = BitSets(pack_mask(mask.reshape(n_periods, n)), n)
    else:
        parts = [(calendar.index(at_us).astype(np.int64) - low) * n + who for who, at_us in rows.blocks()]
        sets = sets_of_keys(np.concatenate(parts), n_periods, n)
    first = sets.first(NEVER)
    np.add(first, np.int32(low), out=first, where=first != NEVER)
    return Presence(
        members=members,
        calendar=calendar,
        first_period=low,
        sets=sets,
        first=first,
        before=np.full(n, NEVER_BEFORE, dtype=np.int32),
        kinds=kinds,
        horizon=horizon,
    )


@attrs.frozen
class _Rows:
    """The rows that count, in blocks that stay in the cache."""

    log: EventLog
    counted: BoolArray
    horizon: Horizon
    codes: NDArray[Any]
    has_none: bool  # whether some code is -1

    def mask(self, calendar: Calendar, low: int, n_periods: int, n: int) -> BoolArray:
        """Return which of the n units was active in which period, shape (n_periods * n,), the periods one by one."""
        mask = np.zeros(n_periods * n, dtype=np.bool_)
        # Where numbering takes no more than arithmetic, it is done in place; else the calendar does it.
        rule = calendar.rule(int(calendar.start_us([low])[0]), (self.horizon.until_us or 0) - 1)

        def fill(rows: range) -> None:
            work = np.empty(_BLOCK, dtype=np.int64)
            for who, at_us in self.blocks(rows):
                keys = work[: len(who)]
                if rule is None:
                    np.subtract(calendar.index(at_us), low, out=keys)
                else:
                    np.add(at_us, rule.shift - low * rule.length, out=keys)
                    np.floor_divide(keys, rule.length, out=keys)
                keys *= n
                keys += who
                mask[keys] = True

        in_halves(len(self.log), fill)  # either half only ever writes True
        return mask

    def blocks(self, rows: range | None = None) -> Iterator[tuple[NDArray[Any], IntArray]]:
        """Yield (unit codes, instants) of the rows that count, block by block."""
        check_kind, check_time, check_code = not self.counted.all(), not self.horizon.is_derived, self.has_none
        until = self.horizon.until_us or 0
        among = range(len(self.log)) if rows is None else rows
        for start in among[::_BLOCK]:
            block = slice(start, min(start + _BLOCK, among.stop))
            who, at_us = self.codes[block], self.log.at_us[block]
            if check_kind or check_time or check_code:
                keep = self.counted[self.log.kind_codes[block]] if check_kind else np.ones(len(who), dtype=np.bool_)
                if check_time:
                    keep &= at_us < until
                if check_code:
                    keep &= who >= 0
                if not keep.all():
                    who, at_us = who[keep], at_us[keep]
            yield who, at_us

    def first_period(self, calendar: Calendar) -> int | None:
        """Return the first period that holds a row; None where no row counts."""
        firsts: list[int] = []

        def find(rows: range) -> None:
            firsts.extend(int(at_us.min()) for _, at_us in self.blocks(rows) if len(at_us))

        in_halves(len(self.log), find)
        if not firsts:
            return None
        first_us = min(firsts)
        low = calendar.index_one(first_us)
        if int(calendar.end_us([low - 1])[0]) <= first_us:
            return low
        # Clocks went back over midnight later on, and an earlier period came again.
        return min(int(calendar.index(at_us).min()) for _, at_us in self.blocks() if len(at_us))


def last_period(calendar: Calendar, until_us: int, /) -> int:
    """Return the last period that begins before an end of observation.

    It is that of the last observed instant, but where clocks went back over midnight: then a day had begun already.
    """
    last = calendar.index_one(until_us - 1)
    while int(calendar.start_us([last + 1])[0]) < until_us:
        last += 1
    return last


def complete_periods(calendar: Calendar, first_period: int, n_periods: int, horizon: Horizon) -> BoolArray:
    """Return which of the periods end by the end of observation."""
    if not n_periods:
        return np.zeros(0, dtype=np.bool_)
    return calendar.end_us(first_period + np.arange(n_periods)) <= (horizon.until_us or 0)


def require_log(log: object) -> None:
    """Raise unless the first argument is an event log."""
    if not isinstance(log, EventLog):
        raise InvalidTypeError(message("log", "an EventLog", log))


def require_periods(data: Presence, every: Unit | Calendar | None, tz: str | None, week_start: WeekStart, /) -> None:
    """Raise where the options of a strategy contradict the periods of the presence it was given."""
    calendar = data.calendar
    if every is not None and Calendar.of(every, tz=tz or calendar.tz, week_start=week_start) != calendar:
        raise InvalidValueError(message("every", f"the periods of the presence ({calendar.name()})", every))
    one_of("week_start", week_start, get_args(WeekStart))
    if tz is not None and zone_name(tz) != calendar.tz:
        raise InvalidValueError(message("tz", f"the zone of the presence ({calendar.tz})", tz))
    if week_start not in ("monday", calendar.week_start):
        raise InvalidValueError(message("week_start", f"that of the presence ({calendar.week_start})", week_start))


def require_remembered(data: Presence, start_period: int | None, /) -> None:
    """Raise where an answer from a period on would need periods that the presence has forgotten."""
    forgot = (data.first < data.first_period).any()
    if forgot and (start_period is None or start_period < data.first_period):
        since = str(data.calendar.label([data.first_period])[0])
        got = None if start_period is None else str(data.calendar.label([start_period])[0])
        raise InvalidValueError(message("start", f"an instant from {since} on, before which this presence forgot", got))


def require_axis(n_periods: int) -> int:
    """Return the number of periods, unless it is so large that something must be wrong with an instant."""
    if n_periods > _MOST_PERIODS:
        expected = f"at most {_MOST_PERIODS:,} periods from the first activity to the end of observation"
        raise InvalidValueError(message("every", expected, n_periods))
    return n_periods


def same(a: object, b: object) -> bool:
    """Return whether two definitions are equal; an array has no one answer, and equals none."""
    answer = a == b
    return isinstance(answer, bool) and answer


def require_same(a: object, b: object, argument: str, expected: str) -> None:
    """Raise unless two parts agree in a definition."""
    if not same(a, b):
        name_a, name_b = (x.name() if isinstance(x, Calendar) else x for x in (a, b))
        raise InvalidValueError(message(argument, f"{expected} ({name_a})", name_b))


def _empty(calendar: Calendar, kinds: frozenset[str] | None, horizon: Horizon, *, members: Index) -> Presence:
    none = np.empty(0, dtype=np.int64)
    return _assemble(calendar=calendar, kinds=kinds, horizon=horizon, members=members, periods=none, codes=none, low=0)


def _assemble(
    *,
    calendar: Calendar,
    kinds: frozenset[str] | None,
    horizon: Horizon,
    members: Index,
    periods: IntArray,
    codes: NDArray[Any],
    low: int,
    first: tuple[IntArray, NDArray[Any]] | None = None,
    known: tuple[NDArray[np.int32], NDArray[np.int32]] | None = None,
) -> Presence:
    """Build from cells, `periods` counted from the period `low`; the axis ends where the horizon does."""
    n = len(members)
    starts, before = known or (np.full(n, NEVER, dtype=np.int32), np.full(n, NEVER_BEFORE, dtype=np.int32))
    until = horizon.until_us
    n_periods, has_axis = 0, len(periods) > 0 or bool((before > NEVER_BEFORE).any())
    if until is not None and has_axis:
        n_periods = require_axis(max(last_period(calendar, until) - low + 1, 0))
    if first is not None:
        np.minimum.at(starts, first[1], first[0].astype(np.int32))
    sets = sets_of_cells(periods, codes, n_periods, n)
    return Presence(
        members=members,
        calendar=calendar,
        first_period=low if has_axis else 0,
        sets=sets,
        first=starts,
        before=before,
        kinds=kinds,
        horizon=horizon,
    )


def _places(members: ArrayLike, n: int) -> IntArray:
    """Return a mask of members, or their places, as places."""
    given = plain_array("members", members, expected="a 1-D mask or places")
    if given.ndim != 1 or (given.size and given.dtype.kind not in "biu"):
        raise InvalidTypeError(message("members", "a 1-D mask or places", members))
    if given.dtype == np.bool_:
        if len(given) != n:
            raise MisalignedError(message("members", f"a mask of {n} members", len(given)) + " entries")
        return np.flatnonzero(given)
    bad = (given < 0) | (given >= n)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InvalidValueError(
            message("members", f"places in [0, {n})", given[row], row=row, bad=int(bad.sum()), total=len(given))
        )
    if len(each_once(given)) < len(given):
        raise InvalidValueError(message("members", "distinct places", members))
    return given.astype(np.int64)


def _require_entries(argument: str, given: Mapping[str, Any], names: Sequence[str]) -> None:
    # A data frame is looked up by name as a mapping is; a sequence is not.
    if isinstance(given, str | bytes | Sequence) or not (
        hasattr(given, "__contains__") and hasattr(given, "__getitem__")
    ):
        raise InvalidTypeError(message(argument, "a mapping, or a data frame", given))
    for name in names:
        if name not in given:
            raise UnknownLabelError(message(argument, f"an entry {name!r}", sorted(map(str, given))))


def _integers(name: str, values: ArrayLike, n: int) -> NDArray[Any]:
    given = plain_array(name, values, expected="a column of integers")
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise InvalidTypeError(message(name, "a column of integers", values))
    if len(given) != n:
        raise MisalignedError(message(name, f"one entry for each of the {n} members", len(given)) + " entries")
    return given


def _require_past(first: NDArray[Any], before: NDArray[Any], sets: PeriodSets, first_period: int) -> None:
    """Raise where a first or an earlier period contradicts the periods that are known one by one."""
    for name, column in (("first", first), ("before", before)):
        unfit = (column < NEVER_BEFORE) | (column > NEVER)
        if unfit.any():
            refuse(name, "numbers of periods, which fit 32 bits with sign", column, unfit)
    inside = sets.first(NEVER)
    known = np.where(inside == NEVER, NEVER, inside.astype(np.int64) + first_period)
    late = (before != NEVER_BEFORE) & (before >= first_period)
    if late.any():
        refuse("before", f"periods before the axis, which begins with {first_period}, or {NEVER_BEFORE}", before, late)
    known = np.where(before == NEVER_BEFORE, known, before)
    late = first > known
    if late.any():
        refuse("first", "no period later than one in which the member is known to be active", first, late)


def period_numbers(labels: ArrayLike | Sequence[dt.date], calendar: Calendar, argument: str) -> IntArray:
    """Return the number of the period that each date starts."""
    exact = _dates(labels, argument)
    dates = exact.astype("M8[h]" if calendar.unit == "hour" else "M8[D]")
    distinct, where = np.unique(dates, return_inverse=True)
    on_the_wall = attrs.evolve(calendar, tz="UTC")  # a label is a wall clock, and so is UTC
    numbers = on_the_wall.index(distinct.astype("M8[us]").astype(np.int64)).astype(np.int64)
    is_start = (calendar.label(numbers) == distinct)[where] & (dates == exact)
    _require_rows(argument, f"local start dates of periods ({calendar.name()})", exact, is_start)
    return numbers[where]


def _dates(labels: ArrayLike | Sequence[dt.date], argument: str) -> NDArray[Any]:
    """Return dates or naive local times as datetime64, checked: none missing, none out of reach."""
    given = plain_array(argument, labels, expected="a 1-D column of dates")
    if given.ndim != 1:
        raise InvalidTypeError(message(argument, "a 1-D column of dates", labels))
    if given.dtype.kind != "M":
        is_date = np.array([_is_local_date(value) for value in given], dtype=np.bool_)
        if not is_date.all():
            row = int(np.flatnonzero(~is_date)[0])
            expected = "dates (datetime64 or date), the local starts of periods"
            raise InvalidTypeError(message(argument, expected, given[row], row=row))
        given = np.array(given.tolist(), dtype="M8[us]")
    _require_rows(argument, "a date in every row", given, ~np.isnat(given))
    days = given.astype("M8[D]")
    _require_rows(argument, "dates in [1900, 2262)", given, (days >= _EARLIEST) & (days < _LATEST))
    return given


def _is_local_date(value: object) -> bool:
    return isinstance(value, dt.date) and getattr(value, "tzinfo", None) is None


def _require_rows(argument: str, expected: str, dates: NDArray[Any], good: BoolArray) -> None:
    if not good.all():
        row, bad = int(np.flatnonzero(~good)[0]), int((~good).sum())
        raise InvalidValueError(message(argument, expected, str(dates[row]), row=row, bad=bad, total=len(dates)))
