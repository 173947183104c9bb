"""What does pressure do to members? How often they mute or leave, or buy, by the pressure they were under."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn._typing import FloatArray, IntArray  # noqa: TC001  # resolved at run time by attrs
from shequn.columns.readonly import by_fields, counts_field, frozen
from shequn.columns.table import Column, Tabular
from shequn.content.pressure import Pressure
from shequn.errors import InvalidValueError, counted, message
from shequn.stats._checks import counts_column, instance, reals_column
from shequn.stats.intervals import wilson
from shequn.values.calendar import Calendar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shequn.columns.table import Lang

__all__ = ["PressureResponse", "PressureRow", "band_edges"]


class PressureRow(NamedTuple):
    """One band of `PressureResponse`; the names are those of its `to_columns`.

    Examples
    --------
    >>> PressureRow(low=0.0, high=1.0, exposed=900, events=9, rate=0.01, lower=0.005, upper=0.019).events
    9
    """

    low: float
    high: float
    exposed: int
    events: int
    rate: float
    lower: float
    upper: float


def band_edges(values: Any) -> FloatArray:  # noqa: ANN401
    """Return where each band of pressure begins, checked.

    Examples
    --------
    >>> band_edges([0, 1]).tolist()
    [0.0, 1.0]
    """
    edges = reals_column("edges", values, (-1,), of="each band", least=0.0)
    if not len(edges) or edges[0] != 0.0 or (np.diff(edges) <= 0.0).any():
        raise InvalidValueError(message("edges", "numbers that begin with 0 and rise", edges.tolist()))
    return edges


@attrs.frozen(kw_only=True, eq=False, repr=False)
class PressureResponse(Tabular[PressureRow]):
    """How often something happened to members by the pressure they were under (疲劳反应); made by `pressure_response`.

    Attributes
    ----------
    edges : ndarray of float64, shape (k,)
        Where each band of pressure begins; the last is open.
    exposed : ndarray of int64, shape (k,)
        Periods that members entered under such pressure.
    events : ndarray of int64, shape (k,)
        Those of them in which it happened.
    pressure : Pressure
        How the pressure was reckoned; its cap plays no part.
    calendar : Calendar
        What the periods are.

    Examples
    --------
    >>> import pendulum
    >>> print(PressureResponse(
    ...     edges=[0, 1, 2], exposed=[900, 400, 100], events=[9, 8, 6],
    ...     pressure=Pressure(half_life=pendulum.duration(days=1), cap=3), calendar=Calendar(unit="day", tz="UTC"),
    ... ))
    Response to pressure, by day, UTC
    pressure  exposed  events  rate  lower  upper
    ─────────────────────────────────────────────
    0 – 1         900       9  1.0%   0.5%   1.9%
    1 – 2         400       8  2.0%   1.0%   3.9%
    2 –           100       6  6.0%   2.8%  12.5%
    """

    edges: FloatArray = attrs.field(converter=band_edges)
    exposed: IntArray = counts_field()
    events: IntArray = counts_field()
    pressure: Pressure
    calendar: Calendar

    _Row: ClassVar[type[Any] | None] = PressureRow

    def __attrs_post_init__(self) -> None:
        for name in ("exposed", "events"):
            counts_column(name, getattr(self, name), (len(self.edges),), of="each band")
        instance("pressure", self.pressure, Pressure, expected="a Pressure")
        instance("calendar", self.calendar, Calendar, expected="a Calendar")
        wilson(self.events, self.exposed)

    @property
    def rates(self) -> FloatArray:
        """Events per exposed period, shape (k,); NaN where nobody was under such pressure."""
        with np.errstate(invalid="ignore"):
            return frozen(np.asarray(self.events / self.exposed.astype(np.float64)))

    def _tidy(self) -> Sequence[Column]:
        lower, upper = wilson(self.events, self.exposed)
        return [
            Column(key="low", en="from", zh="起", values=self.edges, format="number"),
            Column(key="high", en="to", zh="止", values=np.append(self.edges[1:], np.inf), format="number"),
            Column(key="exposed", en="exposed", zh="人次", values=self.exposed, format="count"),
            Column(key="events", en="events", zh="事件", values=self.events, format="count"),
            Column(key="rate", en="rate", zh="发生率", values=self.rates, format="rate"),
            Column(key="lower", en="lower", zh="下限", values=lower, format="rate"),
            Column(key="upper", en="upper", zh="上限", values=upper, format="rate"),
        ]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        _, _, *others = self._tidy()
        ends = [f"{end:g}" for end in self.edges[1:].tolist()] + [""]
        bands = [f"{low:g} – {end}".rstrip() for low, end in zip(self.edges.tolist(), ends, strict=True)]
        return [Column(key="pressure", en="pressure", zh="疲劳度", values=bands), *others]

    def _title(self, lang: Lang, /) -> str:
        named = self.calendar.name(lang)
        return f"对疲劳度的反应，按{named}" if lang == "zh" else f"Response to pressure, by {named}"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        exposed, events = int(self.exposed.sum()), int(self.events.sum())
        return f"PressureResponse({counted(len(self.edges), 'band')}, {exposed:,} exposed, {counted(events, 'event')})"
