"""How does the share of those who return fall with time since the start?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, counts_field, frozen
from shequn.columns.table import Column, Tabular
from shequn.stats import wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang

__all__ = ["CurveRow", "ReturnCurve"]


@attrs.frozen(kw_only=True)
class CurveRow:
    """One offset (or bracket) of a curve."""

    offset: int
    through: int
    returned: int
    eligible: int
    rate: float
    lower: float
    upper: float


@attrs.frozen(kw_only=True, repr=False)
class ReturnCurve(Tabular[CurveRow]):
    """Returned and eligible members of all cohorts together, at each offset.

    Attributes
    ----------
    offsets : tuple of (int, int)
        First and last offset of each point.
    returned, eligible : ndarray of int64, shape (n_offsets,)

    Examples
    --------
    >>> curve = ReturnCurve(offsets=((0, 0), (1, 1)), returned=[100, 20], eligible=[100, 80])
    >>> curve.rates.tolist()
    [1.0, 0.25]
    """

    offsets: tuple[tuple[int, int], ...]
    returned: IntArray = counts_field()
    eligible: IntArray = counts_field()

    _Row: ClassVar[type[Any] | None] = CurveRow

    @property
    def rates(self) -> FloatArray:
        """Returned / eligible, NaN where nobody is eligible, shape (n_offsets,)."""
        rates = np.full(len(self.offsets), np.nan)
        return frozen(np.divide(self.returned, self.eligible, out=rates, where=self.eligible > 0))

    @property
    def lower(self) -> FloatArray:
        """Lower end of the 95 % Wilson interval, shape (n_offsets,)."""
        return wilson(self.returned, self.eligible).lower

    @property
    def upper(self) -> FloatArray:
        """Upper end of the 95 % Wilson interval, shape (n_offsets,)."""
        return wilson(self.returned, self.eligible).upper

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        shown = self._tidy()
        is_plain = all(first == last for first, last in self.offsets)
        return [column for column in shown if not (is_plain and column.key == "through")]

    def _tidy(self) -> Sequence[Column]:
        return [
            Column(key="offset", en="offset", zh="间隔", values=[first for first, _ in self.offsets], format="count"),
            Column(key="through", en="through", zh="至", values=[last for _, last in self.offsets], format="count"),
            Column(key="returned", en="returned", zh="返回", values=self.returned, format="count"),
            Column(key="eligible", en="eligible", zh="可观察", values=self.eligible, format="count"),
            Column(key="rate", en="rate", zh="返回率", values=self.rates, format="rate"),
            Column(key="lower", en="lower", zh="下限", values=self.lower, format="rate"),
            Column(key="upper", en="upper", zh="上限", values=self.upper, format="rate"),
        ]

    def __reduce__(self) -> tuple[Callable[..., ReturnCurve], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        """Show the number of offsets."""
        return f"ReturnCurve({len(self.offsets)} offsets)"
