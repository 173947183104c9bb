"""How much does it matter after how long a silence a member counts as evaporated?"""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.retention._survival import Reading
from shequn.retention.survival_curve import SurvivalCurve, curve_of_stays
from shequn.retention.time_units import to_units, unit_heading, unit_text, unit_us
from shequn.stats._checks import instance, items_of, number_between
from shequn.values.elapsed import elapsed_us

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Sequence

    from shequn._typing import FloatArray
    from shequn.columns.kinds import UnknownKinds
    from shequn.columns.log import EventLog
    from shequn.columns.table import Lang
    from shequn.retention.time_units import TimeUnitName

__all__ = ["IdleSensitivity", "IdleSensitivityRow", "idle_sensitivity"]

_MOST_ROWS = 1_000


def _curves(given: Sequence[SurvivalCurve]) -> tuple[SurvivalCurve, ...]:
    curves = tuple(given)
    for curve in curves:
        instance("curves", curve, SurvivalCurve, expected="curves made from a log")
        if curve.rule is None:
            raise InvalidValueError(message("curves", "curves made from a log", curve))
    return curves


def _times(given: Sequence[float]) -> tuple[float, ...]:
    return tuple(number_between("at", time, 0) for time in items_of("at", given, expected="numbers of 0 or more"))


class IdleSensitivityRow(NamedTuple):
    """One `idle_after` and one time; the names are those of `IdleSensitivity.to_columns`.

    Examples
    --------
    >>> row = IdleSensitivityRow(
    ...     idle_after=30.0, followed=90, evaporated=40, censored=50, too_young=10, median=61.5, median_lower=48.0,
    ...     median_upper=80.0, at=60.0, survival=0.51, lower=0.4, upper=0.61,
    ... )
    >>> row.survival
    0.51
    """

    idle_after: float
    followed: int
    evaporated: int
    censored: int
    too_young: int
    median: float
    median_lower: float
    median_upper: float
    at: float
    survival: float
    lower: float
    upper: float


@attrs.frozen(kw_only=True, repr=False)
class IdleSensitivity(Tabular[IdleSensitivityRow]):
    """The same log by several `idle_after`; made by `idle_sensitivity`.

    A table has a row for each `idle_after`, with the 95 % interval of the median; `to_columns` has one for each time
    too, with the interval of the survival.

    Attributes
    ----------
    curves : tuple of SurvivalCurve
        One for each `idle_after`, ascending.
    at : tuple of float
        Times at which the survival is told, in the unit of the curves.

    Examples
    --------
    >>> from pendulum import datetime, duration
    >>> from shequn.columns import EventLog
    >>> from shequn.retention import survival
    >>> log = EventLog.from_columns(member=["ann", "bo", "ann"], kind="post", at=[0, 60, 3600], time_unit="s")
    >>> curve = survival(log, idle_after=duration(hours=1), observed_until=datetime(1970, 1, 1, 3), unit="hour")
    >>> IdleSensitivity(curves=[curve], at=[0.5])
    IdleSensitivity(idle_after 1, S(0.5) 50.0%; hours)
    """

    curves: tuple[SurvivalCurve, ...] = attrs.field(converter=_curves)
    at: tuple[float, ...] = attrs.field(converter=_times)

    _Row: ClassVar[type[Any] | None] = IdleSensitivityRow

    @property
    def idle_after(self) -> FloatArray:
        """How long a silence is evaporation, in the unit of the curves, shape (n_curves,)."""
        return frozen(np.array([curve.rule.idle_us / unit_us(curve.unit) for curve in self.curves if curve.rule]))

    @property
    def survival(self) -> FloatArray:
        """Survival after each time, by each `idle_after`, shape (n_curves, n_times); NaN after the end of follow-up."""
        return frozen(np.array([curve.at(self.at) for curve in self.curves]).reshape(len(self.curves), len(self.at)))

    @property
    def median(self) -> FloatArray:
        """Median stay by each `idle_after`, in the unit of the curves, shape (n_curves,); NaN where never reached."""
        return frozen(np.array([curve.median for curve in self.curves], dtype=np.float64))

    @property
    def _unit(self) -> TimeUnitName | None:
        return self.curves[0].unit if self.curves else "day"

    def _each(self) -> list[Column]:
        """Return the columns with one row a curve."""
        ends = [curve.quantile_interval(0.5) for curve in self.curves]
        counted = [
            ("followed", "followed", "观察", [curve.n_followed for curve in self.curves]),
            ("evaporated", "evaporated", "蒸发", [curve.n_events for curve in self.curves]),
            ("censored", "censored", "截尾", [curve.n_censored for curve in self.curves]),
            ("too_young", "too young", "太晚加入", [curve.too_young for curve in self.curves]),
        ]
        measured = [
            ("median", "median", "中位数", self.median),
            ("median_lower", "median, lower", "中位数下限", np.array([float(end.lower) for end in ends])),
            ("median_upper", "median, upper", "中位数上限", np.array([float(end.upper) for end in ends])),
        ]
        en, zh = (unit_heading(self._unit, lang) for lang in ("en", "zh"))
        return [
            Column(
                key="idle_after",
                en=f"idle after, {en}",
                zh=f"静默（{zh}）",
                values=self.idle_after,
                format="number",
            ),
            *(Column(key=key, en=en, zh=zh, values=values, format="count") for key, en, zh, values in counted),
            *(Column(key=key, en=en, zh=zh, values=values, format="number") for key, en, zh, values in measured),
        ]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        survival = self.survival
        shares = [
            Column(key=f"at_{place}", en=_shown(time), zh=_shown(time), values=survival[:, place], format="rate")
            for place, time in enumerate(self.at)
        ]
        return [*self._each(), *shares]

    def _tidy(self) -> Sequence[Column]:
        n_times = len(self.at)
        intervals = [curve.intervals_at(self.at) for curve in self.curves]
        ends = {
            "lower": ("lower", "下限", [end for interval in intervals for end in interval.lower.tolist()]),
            "upper": ("upper", "上限", [end for interval in intervals for end in interval.upper.tolist()]),
        }
        return [
            *(attrs.evolve(column, values=np.repeat(column.values, n_times)) for column in self._each()),
            Column(key="at", en="at", zh="时刻", values=np.tile(np.array(self.at), len(self.curves)), format="number"),
            Column(key="survival", en="survival", zh="存续率", values=self.survival.ravel(), format="rate"),
            *(Column(key=key, en=en, zh=zh, values=values, format="rate") for key, (en, zh, values) in ends.items()),
        ]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle by the constructor."""
        return by_fields(self)

    def __repr__(self) -> str:
        idle = ", ".join(unit_text(float(time), None, "en") for time in self.idle_after)
        shares = "".join(
            f", {_shown(time)} {'–' if not len(found) else ' … '.join(_share(share) for share in found)}"
            for time, found in zip(
                self.at, self.survival[[0, -1] if len(self.curves) > 1 else slice(None)].T, strict=True
            )
        )
        return f"IdleSensitivity(idle_after {idle or '–'}{shares}; {unit_heading(self._unit, 'en')})"


def _shown(time: float) -> str:
    """Return the heading of the survival after a time."""
    if time == int(time) or time < 1:
        return f"S({time:.10g})" if time >= 1 else f"S({time:.3g})"
    return f"S({f'{time:.2f}'.rstrip('0').rstrip('.')})"


def _share(share: float) -> str:
    return "–" if np.isnan(share) else f"{share:.1%}"


def idle_sensitivity(
    log: EventLog,
    /,
    *,
    idle_after: Sequence[dt.timedelta],
    at: Sequence[dt.timedelta | float],
    kinds: Collection[str] | str | None = None,
    observed_until: dt.datetime | None = None,
    unit: TimeUnitName = "day",
    unknown_kinds: UnknownKinds = "warn",
) -> IdleSensitivity:
    """Estimate how long members stay by several rules of how long a silence is evaporation.

    Parameters
    ----------
    log, kinds, observed_until, unit, unknown_kinds
        As in `survival`.
    idle_after : sequence of timedelta
        Lengths of silence, in any order; one given twice counts once.
    at : sequence of timedelta or float
        Times of 0 or more at which the survival is told; a number is in `unit`.

    Returns
    -------
    IdleSensitivity
        A row for each `idle_after`, ascending.

    Raises
    ------
    InvalidTypeError, InvalidValueError, UnknownLabelError
        As in `survival`; or there is none, or more than 1,000; or a time is negative or not finite.

    Notes
    -----
    Too short a silence takes pauses for the end, and shows too few still there; of a longer one more members are too
    young to judge, and the curve ends earlier. Where the answer hardly moves from one silence to the next, it does not
    matter which is taken.

    Examples
    --------
    >>> from pendulum import datetime, duration
    >>> from shequn.columns import EventLog
    >>> rng = np.random.default_rng(7)
    >>> begun, stayed = rng.uniform(0, 180, 400), rng.exponential(40, 400)
    >>> posts = begun[:, None] + np.cumsum(rng.exponential(4, (400, 100)), axis=1)
    >>> kept = (posts < (begun + stayed)[:, None]) & (posts < 200)
    >>> log = EventLog.from_columns(
    ...     member=np.repeat(np.arange(400), kept.sum(axis=1)), kind="post",
    ...     at=(posts[kept] * 86_400).astype(int), time_unit="s",
    ... )
    >>> silences = [duration(days=days) for days in (7, 14, 30)]
    >>> table = idle_sensitivity(log, idle_after=silences, at=[30, 60], observed_until=datetime(1970, 7, 20))
    >>> print(table)
    idle after, days  followed  evaporated  censored  too young  median  median, lower  median, upper  S(30)  S(60)
    ───────────────────────────────────────────────────────────────────────────────────────────────────────────────
                   7       371         330        41          0   23.25          18.13          27.72  42.2%  18.7%
                  14       369         313        56          2   23.25          18.44          28.08  42.6%  19.5%
                  30       346         278        68         25   24.32          19.02          30.23  44.6%  20.3%
    """
    reading = Reading.of(log, kinds=kinds, observed_until=observed_until, unknown_kinds=unknown_kinds)
    unit_us(unit)
    given = items_of("idle_after", idle_after, expected="durations")
    silences = sorted({elapsed_us("idle_after", silence, at_least=1) for silence in given})
    times = [_one_time(time, unit) for time in _in_order(at)]
    for name, found in (("idle_after", silences), ("at", times)):
        if not 1 <= len(found) <= _MOST_ROWS:
            raise InvalidValueError(message(name, f"1 to {_MOST_ROWS:,} of them", len(found)))
    members = reading.stays_of_members()
    stays = members.take(members.last_us >= members.first_us)
    return IdleSensitivity(curves=[curve_of_stays(stays, reading.rule(us), unit) for us in silences], at=times)


def _in_order(at: Any) -> list[Any]:  # noqa: ANN401
    expected = "durations or numbers"
    if issubclass(type(at), Set):
        raise InvalidTypeError(message("at", expected, at))
    return items_of("at", at, expected=expected)


def _one_time(time: Any, unit: TimeUnitName) -> float:  # noqa: ANN401
    found = to_units("at", time, unit)
    if found.ndim:
        raise InvalidTypeError(message("at", "durations or numbers, each by itself", time))
    return float(found)
