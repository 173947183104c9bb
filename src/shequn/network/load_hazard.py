"""Do experts evaporate (蒸发) more often after weeks in which they were asked too much?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import MisalignedError, counted, message
from shequn.stats import wilson
from shequn.stats._checks import counts, plain_array, refuse
from shequn.values import Rate, RateDifference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang

__all__ = ["LoadHazard"]


def _two(values: ArrayLike) -> IntArray:
    given = counts("weeks, evaporated", plain_array("weeks, evaporated", values, expected="two counts"))
    if given.shape != (2,):
        raise MisalignedError(message("weeks, evaporated", "two counts: over the cap, and not", given.tolist()))
    return frozen(given.copy())


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LoadHazard(Tabular[Any]):
    """How often experts evaporate after weeks with a day over the cap, and after others; made by `ExpertLoad.hazard`.

    Parameters
    ----------
    weeks, evaporated : ndarray of int64, shape (2,)
        Active weeks of experts, and those after which they did nothing: with a day over the cap, and without.
    idle_weeks : int
        How many weeks of silence it takes.

    Examples
    --------
    >>> found = LoadHazard(weeks=[20, 80], evaporated=[8, 4], idle_weeks=4)
    >>> found, found.difference.lower > 0
    (LoadHazard(40.0% after weeks over the cap, 5.0% after others), True)
    """

    weeks: IntArray = attrs.field(converter=_two)
    evaporated: IntArray = attrs.field(converter=_two)
    idle_weeks: int

    def __attrs_post_init__(self) -> None:
        """Check that nobody evaporates more often than they are active."""
        more = self.evaporated > self.weeks
        if more.any():
            refuse("evaporated", "no more than weeks", self.evaporated, more)

    @property
    def over(self) -> Rate:
        """Share of weeks with a day over the cap after which the expert evaporated."""
        return Rate(int(self.evaporated[0]), int(self.weeks[0]))

    @property
    def within(self) -> Rate:
        """The same share of the other weeks."""
        return Rate(int(self.evaporated[1]), int(self.weeks[1]))

    @property
    def difference(self) -> RateDifference:
        """By how much the hazard is higher after weeks over the cap, with its interval."""
        return self.over.minus(self.within)

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        named = ("含超限日", "其余") if lang == "zh" else ("with a day over cap", "without")
        return [Column(key="load", en="weeks", zh="周", values=np.array(named, dtype=object)), *self._numbers()]

    def _tidy(self) -> Sequence[Column]:
        named = np.array(["over", "within"], dtype=object)
        return [Column(key="load", en="weeks", zh="周", values=named), *self._numbers()]

    def _numbers(self) -> list[Column]:
        hazard: FloatArray = np.divide(self.evaporated, self.weeks, out=np.full(2, np.nan), where=self.weeks > 0)
        lower, upper = wilson(self.evaporated, self.weeks)
        return [
            Column(key="weeks", en="weeks", zh="周数", values=self.weeks, format="count"),
            Column(key="evaporated", en="evaporated", zh="蒸发", values=self.evaporated, format="count"),
            Column(key="hazard", en="hazard", zh="蒸发率", values=hazard, format="rate"),
            Column(key="lower", en="lower", zh="下限", values=lower, format="rate"),
            Column(key="upper", en="upper", zh="上限", values=upper, format="rate"),
        ]

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        by = self.difference
        shown = f"{by.value:z.1%} ({by.lower:z.1%} to {by.upper:z.1%})" if self.weeks.all() else "–"
        if lang == "zh":
            return (f"沉默满 {self.idle_weeks:,} 周；差值 {shown.replace(' to ', ' 至 ')}",)
        return (f"{counted(self.idle_weeks, 'week')} of silence; difference {shown}",)

    def __repr__(self) -> str:
        """Show both shares."""
        over, within = (f"{rate.value:.1%}" if rate.trials else "–" for rate in (self.over, self.within))
        return f"LoadHazard({over} after weeks over the cap, {within} after others)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
