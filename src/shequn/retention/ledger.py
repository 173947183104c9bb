"""The ledger of stock and flow: opening + flow − evaporated = retained, in every period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import attrs
import numpy as np

from shequn.columns.breakdown import Tally
from shequn.columns.horizon import Horizon
from shequn.columns.kinds import kind_set
from shequn.columns.readonly import added, by_fields, counts_field, frozen
from shequn.columns.table import Column
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.retention.counts import ledger_fields
from shequn.retention.presence import complete_periods, last_period, require_same
from shequn.values.instants import from_us
from shequn.values.money import Money

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Sequence

    import pendulum
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.values.calendar import Calendar, Unit, WeekStart

__all__ = ["Basis", "FlowLedger", "LedgerRow"]

Basis: TypeAlias = Literal["activity", "membership"]

_COUNTED = ("opening", "joined", "revived", "evaporated", "left", "inside", "present_inside", "turnover", "ignored")


@attrs.frozen(kw_only=True)
class LedgerRow:
    """One period of a ledger; the names are those of `FlowLedger`."""

    period: pendulum.Date | pendulum.DateTime
    opening: int
    joined: int
    revived: int
    evaporated: int
    left: int
    silent: int
    retained: int
    inside: int
    dormant: int
    turnover: int
    ignored: int
    evaporation_rate: float
    net_growth: float
    quick_ratio: float
    half_life: float
    complete: bool


@attrs.frozen(kw_only=True, repr=False)
class FlowLedger(Tally[LedgerRow]):
    """The stock and flow of members, period by period; merges exactly over parts split by member.

    All counts are int64 arrays of shape (n_periods,).

    Attributes
    ----------
    calendar : Calendar
        What a period is.
    first_period : int
        Number of the first period, as in `Calendar.index`.
    opening : ndarray
        Present in the period before.
    joined, revived : ndarray
        Came in for the first time ever, or again.
    evaporated : ndarray
        Present in the period before and no longer.
    left, silent : ndarray
        The evaporated who are outside the community at the end of the period, and those still inside. Without
        membership facts nobody is known to have left.
    inside, dormant : ndarray
        Inside the community at the end of the period, and those of them who are not present.
    turnover, ignored : ndarray
        Membership basis: pairs of join and leave inside the period, and facts that changed nothing. In no identity.
    grace : int
        How many silent periods a member may stay present.
    basis : {"activity", "membership"}
    has_membership : bool
        Whether the log told who joined or left.
    starts_at : int or None
        Number of the period that the caller's `start` fell in.
    inside_at_end : int
        Inside the community at the end of the axis.
    tail : ndarray of int64, shape (grace + 1, 2)
        Of the last retained, how many were last active 0..grace periods before the end; outside and inside. Merging
        needs it.

    References
    ----------
    Row N9 of the domain table (流量 − 蒸发量 = 留量).

    Examples
    --------
    >>> from shequn.columns import EventLog
    >>> from shequn.retention import flow_ledger
    >>> log = EventLog.from_columns(member=["ann", "bo", "ann"], kind="post", at=[0, 0, 86400 * 7], time_unit="s")
    >>> ledger = flow_ledger(log, every="week", tz="UTC")
    >>> ledger.retained.tolist(), ledger.evaporated.tolist(), int(ledger.residual.sum())
    ([2, 1], [0, 1], 0)
    """

    calendar: Calendar
    first_period: int
    opening: IntArray = counts_field()
    joined: IntArray = counts_field()
    revived: IntArray = counts_field()
    evaporated: IntArray = counts_field()
    left: IntArray = counts_field()
    inside: IntArray = counts_field()
    present_inside: IntArray = counts_field()
    turnover: IntArray = counts_field()
    ignored: IntArray = counts_field()
    tail: IntArray = counts_field()
    grace: int = 0
    basis: Basis = "activity"
    kinds: frozenset[str] | None = None
    has_membership: bool = False
    starts_at: int | None = None
    inside_at_end: int = 0
    horizon: Horizon = Horizon()

    _Row: ClassVar[type[Any] | None] = LedgerRow

    @classmethod
    def from_counts(
        cls,
        *,
        period: ArrayLike | Sequence[dt.date],
        joined: ArrayLike,
        revived: ArrayLike,
        evaporated: ArrayLike,
        opening: int = 0,
        every: Unit | Calendar = "week",
        tz: str | None = None,
        week_start: WeekStart = "monday",
        kinds: Collection[str] | str | None = None,
        observed_until: dt.datetime | None = None,
    ) -> FlowLedger:
        """Build from counts that a warehouse has made, for the same rates, projection and tables.

        Parameters
        ----------
        period : array_like of date, shape (n,)
            Local start dates of consecutive periods.
        joined, revived, evaporated : array_like of int, shape (n,)
        opening : int, default 0
            Members present before the first period.
        every, tz, week_start, kinds, observed_until
            As in `Presence.from_columns`.

        Returns
        -------
        FlowLedger

        Raises
        ------
        InvalidValueError
            Periods are not consecutive, a count is negative, or more evaporate than were there; the message names the
            row.
        MisalignedError
            Columns differ in length.
        InvalidTypeError
            A column holds something else, or an option has a wrong type.

        Examples
        --------
        >>> ledger = FlowLedger.from_counts(
        ...     period=np.array(["2024-01-01", "2024-01-08"], "M8[D]"),
        ...     joined=[50, 5],
        ...     revived=[0, 2],
        ...     evaporated=[0, 10],
        ... )
        >>> ledger.retained.tolist()
        [50, 47]
        """
        return cls(
            kinds=None if kinds is None else kind_set(kinds, argument="kinds"),
            **ledger_fields(
                period=period,
                joined=joined,
                revived=revived,
                evaporated=evaporated,
                opening=opening,
                every=every,
                tz=tz,
                week_start=week_start,
                observed_until=observed_until,
            ),
        )

    # ── counts ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def n_periods(self) -> int:
        """Number of periods."""
        return len(self.opening)

    @property
    def periods(self) -> NDArray[Any]:
        """Local start date of each period, datetime64, shape (n_periods,)."""
        return frozen(self.calendar.label(self.first_period + np.arange(self.n_periods)))

    @property
    def flow(self) -> IntArray:
        """Joined and revived, shape (n_periods,)."""
        return frozen(self.joined + self.revived)

    @property
    def stayed(self) -> IntArray:
        """Present in the period before and in this one, shape (n_periods,)."""
        return frozen(self.opening - self.evaporated)

    @property
    def retained(self) -> IntArray:
        """Present in the period, shape (n_periods,)."""
        return frozen(self.opening + self.flow - self.evaporated)

    @property
    def silent(self) -> IntArray:
        """Evaporated but still inside the community at the end of the period, shape (n_periods,)."""
        return frozen(self.evaporated - self.left)

    @property
    def dormant(self) -> IntArray:
        """Inside the community at the end of the period and not present, shape (n_periods,)."""
        return frozen(self.inside - self.present_inside)

    @property
    def residual(self) -> IntArray:
        """What the five identities leave over, shape (5, n_periods): zeros, always.

        Rows: opening + flow − evaporated − retained; stayed + evaporated − opening; stayed + flow − retained; opening
        of the next period − retained; first opening + Σ flow − Σ evaporated − retained, summed up to each period.
        """
        retained, following = self.retained, np.append(self.opening[1:], self.retained[-1:])
        opening = self.opening[:1].sum()
        return frozen(
            np.stack(
                [
                    self.opening + self.joined + self.revived - self.evaporated - retained,
                    self.stayed + self.evaporated - self.opening,
                    self.stayed + self.joined + self.revived - retained,
                    following - retained,
                    opening + np.cumsum(self.flow) - np.cumsum(self.evaporated) - retained,
                ]
            )
        )

    # ── rates ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def complete(self) -> BoolArray:
        """Whether each period ends by the end of observation; rates of others are NaN, shape (n_periods,)."""
        return frozen(complete_periods(self.calendar, self.first_period, self.n_periods, self.horizon))

    def _rate(self, part: IntArray, whole: IntArray) -> FloatArray:
        numbers = self.first_period + np.arange(self.n_periods)
        has_time = self.calendar.start_us(numbers) < self.calendar.end_us(numbers)  # a zone may have skipped a day
        usable = self.complete & has_time & (whole > 0)
        return frozen(np.divide(part, whole, out=np.full(self.n_periods, np.nan), where=usable))

    @property
    def evaporation_rate(self) -> FloatArray:
        """Evaporated / opening, shape (n_periods,); NaN where nobody was there or it is not complete."""
        return self._rate(self.evaporated, self.opening)

    @property
    def quick_ratio(self) -> FloatArray:
        """(Joined + revived) / evaporated, shape (n_periods,); NaN where nobody evaporated or it is not complete."""
        return self._rate(self.flow, self.evaporated)

    @property
    def net_growth(self) -> FloatArray:
        """(Retained − opening) / opening, shape (n_periods,); NaN where nobody was there or it is not complete."""
        return self._rate(self.retained - self.opening, self.opening)

    @property
    def half_life(self) -> FloatArray:
        """Periods until half of a stock has evaporated at this period's rate: ln 2 / −ln(1 − rate), shape (n_periods,).

        Infinite where nobody evaporated, 0 where everybody did.
        """
        with np.errstate(divide="ignore"):
            return frozen(np.log(2) / -np.log1p(-self.evaporation_rate))

    @property
    def observed_until(self) -> pendulum.DateTime | None:
        """End of observation in the calendar's zone; None for an empty log."""
        until = self.horizon.until_us
        return None if until is None else from_us(until, self.calendar.tz)

    @property
    def observed_until_derived(self) -> bool:
        """Whether the end of observation was taken from the data."""
        return self.horizon.is_derived

    def money_evaporated(self, cost: Money, /) -> tuple[Money, ...]:
        """Return what acquiring the evaporated had cost, one `Money` a period.

        Parameters
        ----------
        cost : Money
            Acquisition cost of one member.

        Returns
        -------
        tuple of Money, length n_periods

        Raises
        ------
        InvalidTypeError
            `cost` is no Money.

        Examples
        --------
        >>> ledger = FlowLedger.from_counts(
        ...     period=np.array(["2024-01-01"], "M8[D]"), joined=[0], revived=[0], evaporated=[3], opening=9
        ... )
        >>> [str(money) for money in ledger.money_evaporated(Money.of("12.50", "CNY"))]
        ['37.50 CNY']
        """
        if not isinstance(cost, Money):
            raise InvalidTypeError(message("cost", "Money, the acquisition cost of one member", cost))
        return tuple(cost * n for n in self.evaporated.tolist())

    # ── merging ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def merge(self, other: FlowLedger, /) -> FlowLedger:
        """Return the ledger of both parts, split by member; parts may span different periods.

        Parts split by time are no parts of a ledger: merge their presences instead. A part that ends early is carried
        on: whoever was present at its end evaporates when the grace is over.

        Returns
        -------
        FlowLedger

        Raises
        ------
        InvalidTypeError
            `other` is no FlowLedger.
        InvalidValueError
            The parts differ in period, grace, basis, kinds, start or explicit end of observation; or one opens with
            members, and the other begins before it.

        Examples
        --------
        >>> from shequn.columns import EventLog
        >>> from shequn.retention import flow_ledger
        >>> log = EventLog.from_columns(member=["ann", "bo"], kind="post", at=[0, 86400 * 14], time_unit="s")
        >>> parts = [flow_ledger(part, every="week", tz="UTC") for part in log.partition(3)]
        >>> parts[0].merge(parts[1]).merge(parts[2]) == flow_ledger(log, every="week", tz="UTC")
        True
        """
        if not isinstance(other, FlowLedger):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("other", "a FlowLedger", other))
        require_same(self.calendar, other.calendar, "every", "parts over the same periods")
        for name in ("grace", "basis", "kinds"):
            require_same(getattr(self, name), getattr(other, name), name, f"parts with the same {name}")
        require_same(self._start_label(), other._start_label(), "start", "parts with the same start")
        horizon = self.horizon.merge(other.horizon)
        has_membership = self.has_membership or other.has_membership
        parts = [part for part in (self, other) if part._has_axis()]
        _require_common_start(parts)
        if not parts:
            return attrs.evolve(self, horizon=horizon, has_membership=has_membership)
        low = min(part.first_period for part in parts)
        high = max(part.first_period + part.n_periods for part in parts)
        if horizon.until_us is not None:
            high = max(high, last_period(self.calendar, horizon.until_us) + 1)
        stretched = [part._stretch(low, high) for part in parts]
        summed: dict[str, Any] = {
            name: added([getattr(part, name) for part in stretched], argument=name) for name in (*_COUNTED, "tail")
        }
        summed["inside_at_end"] = sum(part.inside_at_end for part in stretched)
        return attrs.evolve(self, first_period=low, horizon=horizon, has_membership=has_membership, **summed)

    def _start_label(self) -> str | None:
        return None if self.starts_at is None else str(self.calendar.label([self.starts_at])[0])

    def _has_axis(self) -> bool:
        """Whether it is known where it begins: without a `start`, the ledger of nobody has no place in time."""
        return bool(self.starts_at is not None or self.n_periods or self.inside_at_end or self.tail.any())

    def _stretch(self, low: int, high: int) -> FlowLedger:
        """Return the same ledger over [low, high): nobody before its axis, and nobody active after it."""
        before, after = self.first_period - low, max(high - self.first_period - self.n_periods, 0)
        counts: dict[str, Any] = {name: np.pad(getattr(self, name), (before, after)) for name in _COUNTED}
        end, tail = before + self.n_periods, self.tail
        counts["inside"][end:] = self.inside_at_end
        if self.basis == "membership":
            counts["opening"][end:] = counts["present_inside"][end:] = self.inside_at_end
            return attrs.evolve(self, first_period=low, **counts)
        for period in range(end, end + min(after, self.grace + 1)):  # by then everybody has evaporated
            counts["opening"][period] = tail.sum()
            counts["evaporated"][period], counts["left"][period] = tail[-1].sum(), tail[-1, 0]
            tail = np.vstack([np.zeros((1, 2), dtype=np.int64), tail[:-1]])
            counts["present_inside"][period] = tail[:, 1].sum()
        return attrs.evolve(self, first_period=low, tail=tail, **counts)

    def since(self, start: int, /) -> FlowLedger:
        """Return the ledger from the period numbered `start` on.

        Returns
        -------
        FlowLedger
        """
        part = self if self._has_axis() else attrs.evolve(self, first_period=start)
        end = max(part.first_period + part.n_periods, start)
        if self.horizon.until_us is not None:
            end = max(end, last_period(self.calendar, self.horizon.until_us) + 1)
        whole = part._stretch(min(part.first_period, start), end)
        cut: dict[str, Any] = {name: getattr(whole, name)[start - whole.first_period :] for name in _COUNTED}
        return attrs.evolve(whole, first_period=start, starts_at=start, **cut)

    def _emptied(self) -> FlowLedger:
        nobody: dict[str, Any] = {name: np.zeros_like(getattr(self, name)) for name in (*_COUNTED, "tail")}
        return attrs.evolve(self, inside_at_end=0, **nobody)

    def _headcount(self) -> IntArray:
        return self.retained

    # ── showing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _tidy(self) -> Sequence[Column]:
        def counts(key: str, zh: str) -> Column:
            return Column(key=key, en=key, zh=zh, values=getattr(self, key), format="count")

        def numbers(key: str, en: str, zh: str) -> Column:
            return Column(key=key, en=en, zh=zh, values=getattr(self, key), format="number", digits=2)

        def rates(key: str, en: str, zh: str) -> Column:
            return Column(key=key, en=en, zh=zh, values=getattr(self, key), format="rate")

        return [
            Column(key="period", en="period", zh="周期", values=self.periods, format="date"),
            counts("opening", "期初"),
            counts("joined", "新增"),
            counts("revived", "回流"),
            counts("evaporated", "蒸发"),
            counts("left", "退群"),
            counts("silent", "沉默"),
            counts("retained", "留量"),
            counts("inside", "在群"),
            counts("dormant", "潜水"),
            counts("turnover", "进出"),
            counts("ignored", "无效"),
            rates("evaporation_rate", "evaporation", "蒸发率"),
            rates("net_growth", "growth", "净增长"),
            numbers("quick_ratio", "quick ratio", "速动比"),
            numbers("half_life", "half-life", "半衰期"),
            Column(key="complete", en="complete", zh="完整", values=self.complete),
        ]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        hidden = {"quick_ratio", "half_life"}
        if not self.has_membership or self.basis == "membership":
            hidden |= {"left", "silent", "inside", "dormant"}
        if self.basis == "activity":
            hidden |= {"turnover", "ignored"}
        return [column for column in self._tidy() if column.key not in hidden]

    def __reduce__(self) -> tuple[Callable[..., FlowLedger], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the last retained and the residual."""
        last = f"{int(self.retained[-1]):,} retained" if self.n_periods else "empty"
        return f"FlowLedger({self.n_periods} periods, {last}, {self.calendar.name()})"


def _require_common_start(parts: Sequence[FlowLedger]) -> None:
    """Raise where one part opens with members whose past the other's periods would need."""
    low = min((part.first_period for part in parts), default=0)
    for part in parts:
        opening = part.opening[0] if part.n_periods else part.tail.sum()
        if part.first_period > low and opening:
            first, earlier = part.calendar.label([part.first_period, low]).astype(str)
            expected = f"parts that begin together, for one opens with {opening} members in {first}"
            raise InvalidValueError(message("other", expected, str(earlier)))
