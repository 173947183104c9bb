"""Would the model have foreseen it? Fitted to the first part of the time, and held against the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.log import EventLog
from shequn.columns.readonly import by_fields, counts_field, frozen, read_only
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidValueError, MisalignedError, counted, message
from shequn.lifetime._summary import transaction_summary
from shequn.lifetime.bgnbd import BetaGeoNBD
from shequn.lifetime.summary import TransactionSummary
from shequn.stats._checks import array_of, counts, counts_column, instance, number_between, reals_column, whole
from shequn.values.instants import instant_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Sequence

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.table import Lang
    from shequn.values.calendar import Calendar, Unit, WeekStart

__all__ = ["HoldoutCheck", "HoldoutRow", "HoldoutSplit", "holdout_split"]

_MOST_REPEATS = 7
_MOST_PERIODS = 1e6


def _purchases(values: Any) -> IntArray:  # noqa: ANN401
    return frozen(counts("purchases", values).copy())


def _sums(values: Any) -> FloatArray:  # noqa: ANN401
    return read_only(array_of("foreseen, squares", values, kinds="iuf", expected="numbers").astype(np.float64))


def _n_periods(value: object) -> float:
    return number_between("n_periods", value, 0.0, _MOST_PERIODS, excluding="least")


def _in_periods(n: float) -> str:
    return f"{n:g} period{'s' * (n != 1)}"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class HoldoutSplit:
    """What was known at an instant, and what came after; made by `holdout_split`, or from columns.

    Attributes
    ----------
    summary : TransactionSummary
        Of members who had bought by then.
    purchases : ndarray of int64, shape (n,)
        Periods with a purchase after it, of each of them.
    n_periods : float
        How many periods that is.

    Examples
    --------
    >>> summary = TransactionSummary(members=["ann", "bo"], frequency=[2, 0], recency=[30.4, 0], age=[38.9, 38.9])
    >>> HoldoutSplit(summary=summary, purchases=[1, 0], n_periods=39).purchases.tolist()
    [1, 0]
    """

    summary: TransactionSummary
    purchases: IntArray = attrs.field(converter=_purchases)
    n_periods: float = attrs.field(converter=_n_periods)

    def __attrs_post_init__(self) -> None:
        instance("summary", self.summary, TransactionSummary, expected="a TransactionSummary")
        if self.purchases.shape != (len(self.summary),):
            expected = f"one entry for each of the {len(self.summary)} members"
            raise MisalignedError(message("purchases", expected, f"shape {self.purchases.shape}"))

    def check(self, model: BetaGeoNBD | None = None, /, *, most_repeats: int = _MOST_REPEATS) -> HoldoutCheck:
        """Hold a model against what came.

        Parameters
        ----------
        model : BetaGeoNBD, optional
            By default one that is fitted to the summary.
        most_repeats : int, default 7
            Members who had bought again so often, or more, share a row.

        Returns
        -------
        HoldoutCheck

        Examples
        --------
        >>> summary = TransactionSummary(members=["ann", "bo"], frequency=[2, 0], recency=[30.4, 0], age=[38.9, 38.9])
        >>> split = HoldoutSplit(summary=summary, purchases=[1, 0], n_periods=39)
        >>> split.check(BetaGeoNBD(r=0.243, alpha=4.414, a=0.793, b=2.426), most_repeats=2)
        HoldoutCheck(2 members: 1 purchase, 1.4 foreseen)
        """
        most = whole("most_repeats", most_repeats)
        if not 1 <= most <= 1_000:  # noqa: PLR2004
            raise InvalidValueError(message("most_repeats", "1 to 1,000", most))
        fitted = BetaGeoNBD.fit(self.summary) if model is None else model
        instance("model", fitted, BetaGeoNBD, expected="a BetaGeoNBD")
        foreseen = fitted.expected_purchases(self.summary, horizon=self.n_periods)
        row = np.minimum(self.summary.frequency, most)

        def total(of: FloatArray) -> FloatArray:
            return np.bincount(row, weights=of, minlength=most + 1).astype(np.float64)

        return HoldoutCheck(
            members=np.bincount(row, minlength=most + 1),
            purchases=np.round(total(self.purchases.astype(np.float64))).astype(np.int64),
            foreseen=total(foreseen),
            squares=total(self.purchases.astype(np.float64) ** 2),
            n_periods=self.n_periods,
            model=fitted,
        )

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        return f"HoldoutSplit({counted(len(self.summary), 'member')}, {_in_periods(self.n_periods)} held out)"


class HoldoutRow(NamedTuple):
    """Members who had bought again equally often; the names are those of `HoldoutCheck.to_columns`.

    Examples
    --------
    >>> HoldoutRow(repeats=2, members=10, actual=0.8, foreseen=0.7, lower=0.4, upper=1.2).foreseen
    0.7
    """

    repeats: int
    members: int
    actual: float
    foreseen: float
    lower: float
    upper: float


@attrs.frozen(kw_only=True, eq=False, repr=False)
class HoldoutCheck(Tabular[HoldoutRow]):
    """What members bought in the time held out, and what was foreseen, by how often they had bought again before.

    Attributes
    ----------
    members, purchases : ndarray of int64, shape (k,)
        Of those with 0, 1, … k − 1 repeat purchases, the last ones with as many or more.
    foreseen, squares : ndarray of float64, shape (k,)
        Purchases that the model expected of them, and the sum of squares of those they made.
    n_periods : float
        How long the time held out was.
    model : BetaGeoNBD

    Examples
    --------
    >>> HoldoutCheck(
    ...     members=[90, 10], purchases=[9, 8], foreseen=[11.0, 7.5], squares=[9.0, 14.0], n_periods=26,
    ...     model=BetaGeoNBD(r=0.243, alpha=4.414, a=0.793, b=2.426),
    ... )
    HoldoutCheck(100 members: 17 purchases, 18.5 foreseen)
    """

    members: IntArray = counts_field()
    purchases: IntArray = counts_field()
    foreseen: FloatArray = attrs.field(converter=_sums)
    squares: FloatArray = attrs.field(converter=_sums)
    n_periods: float = attrs.field(converter=_n_periods)
    model: BetaGeoNBD

    _Row: ClassVar[type[Any] | None] = HoldoutRow

    def __attrs_post_init__(self) -> None:
        shape, of = (len(self.members) if self.members.ndim else 0,), "each number of repeat purchases"
        for name in ("members", "purchases"):
            counts_column(name, getattr(self, name), shape, of=of)
        for name in ("foreseen", "squares"):
            reals_column(name, getattr(self, name), shape, of=of, least=0.0)
        instance("model", self.model, BetaGeoNBD, expected="a BetaGeoNBD")

    @property
    def bias(self) -> float:
        """Purchases foreseen for each that was made, less 1; NaN if none was."""
        made = int(self.purchases.sum())
        return float(self.foreseen.sum()) / made - 1.0 if made else float("nan")

    def _tidy(self) -> Sequence[Column]:
        n = self.members.astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            actual, foreseen = self.purchases / n, self.foreseen / n
            error = np.sqrt(np.maximum(self.squares / n - actual**2, 0.0) / (n - 1.0))
        error[n <= 1] = np.nan
        repeats = np.arange(len(n))
        columns = [
            Column(key="repeats", en="repeats", zh="复购次数", values=repeats, format="count"),
            Column(key="members", en="members", zh="成员", values=self.members, format="count"),
        ]
        for key, en, zh, values in (
            ("actual", "actual", "实际", actual),
            ("foreseen", "foreseen", "预测", foreseen),
            ("lower", "lower", "下限", np.maximum(actual - 1.96 * error, 0.0)),
            ("upper", "upper", "上限", actual + 1.96 * error),
        ):
            columns.append(Column(key=key, en=en, zh=zh, values=values, format="number", digits=3))
        return columns

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        first, *others = self._tidy()
        last = len(self.members) - 1
        shown = [str(k) if k < last else f"{k}+" for k in range(len(self.members))]
        return [Column(key="repeats", en=first.en, zh=first.zh, values=shown), *others]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        made, expected = int(self.purchases.sum()), float(self.foreseen.sum())
        if lang == "zh":
            return [f"每名成员在 {self.n_periods:g} 个周期内的购买：共 {made:,} 次，预测 {expected:,.1f} 次。"]
        return [f"Purchases a member in {_in_periods(self.n_periods)}: {made:,} in all, {expected:,.1f} foreseen."]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        members, made = counted(int(self.members.sum()), "member"), counted(int(self.purchases.sum()), "purchase")
        return f"HoldoutCheck({members}: {made}, {self.foreseen.sum():,.1f} foreseen)"


def holdout_split(
    log: EventLog,
    /,
    *,
    split_at: dt.datetime,
    as_of: dt.datetime,
    every: Unit | Calendar,
    tz: str | None = None,
    week_start: WeekStart = "monday",
    kinds: Collection[str] | str | None = frozenset({"purchase"}),
    value: str | None = "value",
    unknown_kinds: UnknownKinds = "warn",
) -> HoldoutSplit:
    """Split what is known at an instant from what came after.

    Parameters
    ----------
    log, every, tz, week_start, kinds, value, unknown_kinds
        As in `transaction_summary`.
    split_at : aware datetime
        What a model may know: rows up to it, itself included. The time held out begins with the period after its own.
    as_of : aware datetime
        The time held out ends with the last period that is over by then. Midnight opens a period, which isn't over yet.

    Returns
    -------
    HoldoutSplit

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        As in `transaction_summary`; or no whole period lies between the two instants.

    Notes
    -----
    What is bought after `split_at` in its own period belongs to neither part: it would be one purchase with what was
    known of that period.

    Examples
    --------
    >>> from pendulum import datetime
    >>> from shequn.columns import EventLog
    >>> log = EventLog.from_columns(
    ...     member=["ann", "bo", "ann", "ann"], kind="purchase", at=[0, 90_000, 800_000, 1_500_000], time_unit="s",
    ...     value=[5, 6, 7, 8],
    ... )
    >>> split = holdout_split(
    ...     log, split_at=datetime(1970, 1, 14), as_of=datetime(1970, 1, 31), every="day", tz="UTC"
    ... )
    >>> split, split.purchases.tolist()
    (HoldoutSplit(2 members, 16 periods held out), [1, 0])
    """
    instance("log", log, EventLog, expected="an EventLog")
    split_us, until_us = instant_us(split_at, argument="split_at"), instant_us(as_of, argument="as_of")
    options: dict[str, Any] = {"every": every, "tz": tz, "week_start": week_start, "kinds": kinds}
    known = transaction_summary(log, as_of=split_at, value=value, unknown_kinds=unknown_kinds, **options)
    calendar = known.calendar
    assert calendar is not None  # noqa: S101
    # A period is whole once nothing can follow in it: with a log of seconds, at its last second.
    unknown_us = until_us + log.resolution_us
    own, unfinished = calendar.index(np.array([split_us, unknown_us], dtype=np.int64)).astype(np.int64).tolist()
    n_periods = unfinished - own - 1
    if n_periods < 1:
        expected = f"an instant by which a whole {calendar.unit} after that of split_at ({split_at}) is over"
        raise InvalidValueError(message("as_of", expected, as_of))
    start_us, stop_us = calendar.start_us(np.array([own + 1, unfinished])).tolist()
    later = log.where(rows=(log.at_us >= start_us) & (log.at_us < stop_us))
    held_out = transaction_summary(later, as_of=as_of, value=None, unknown_kinds="ignore", **options)
    made = np.zeros(len(known), dtype=np.int64)
    places = known.members.codes_of(held_out.members.labels)
    made[places[places >= 0]] = (held_out.frequency + 1)[places >= 0]
    return HoldoutSplit(summary=known, purchases=made, n_periods=float(n_periods))
