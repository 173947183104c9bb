"""Does a community live on the members it has (存量), or on those who come (增量)?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import MisalignedError, counted, message
from shequn.lifecycle.series import count_column
from shequn.stats import wilson
from shequn.stats._checks import refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang

__all__ = ["StockAndIncrement", "StockRow", "stock_vs_increment"]


class StockRow(NamedTuple):
    """One period; the names are those of the columns of `StockAndIncrement`.

    Examples
    --------
    >>> StockRow(
    ...     period=0, existing=100, activated=40, joined=10, activated_share=0.4, lower=0.31, upper=0.5,
    ...     growth_share=0.091, from_stock=0.8,
    ... ).from_stock
    0.8
    """

    period: int
    existing: int
    activated: int
    joined: int
    activated_share: float
    lower: float
    upper: float
    growth_share: float
    from_stock: float


def stock_vs_increment(*, existing: ArrayLike, activated: ArrayLike, joined: ArrayLike) -> StockAndIncrement:
    """Hold the share of existing members who were active against the share of members who are new.

    Parameters
    ----------
    existing : array_like of int, shape (n_periods,)
        Members at the beginning of each period.
    activated : array_like of int, shape (n_periods,)
        Those of them who were active in it.
    joined : array_like of int, shape (n_periods,)
        Members who came in it.

    Returns
    -------
    StockAndIncrement

    Raises
    ------
    InvalidTypeError
        A column holds no integers.
    InvalidValueError
        A count is negative, or more were active than there were; the message names the row.
    MisalignedError
        Columns differ in length.

    Notes
    -----
    With S existing members, A of them active, and J who joined: activated share A / S, growth share J / (S + J), and
    from stock A / (A + J): who of those that brought life was there before. Each is NaN where it would divide by 0.

    References
    ----------
    S1 §五, row C28 of the domain table.

    Examples
    --------
    >>> print(stock_vs_increment(existing=[100, 300], activated=[20, 120], joined=[200, 30]).table(lang="zh"))
    周期  存量成员  激活  新增  激活率   下限   上限  增量占比  存量贡献
    ────────────────────────────────────────────────────────────────────
       0       100    20   200   20.0%  13.3%  28.9%     66.7%      9.1%
       1       300   120    30   40.0%  34.6%  45.6%      9.1%     80.0%
    """
    columns: dict[str, Any] = {"existing": existing, "activated": activated, "joined": joined}
    return StockAndIncrement(**columns)


@attrs.frozen(kw_only=True, repr=False)
class StockAndIncrement(Tabular[StockRow]):
    """Activated share of existing members and share of new ones, by period; made by `stock_vs_increment`.

    Attributes
    ----------
    existing, activated, joined : ndarray of int64, shape (n_periods,)

    Examples
    --------
    >>> StockAndIncrement(existing=[100], activated=[40], joined=[10]).from_stock
    array([0.8])
    """

    existing: IntArray = count_column("existing")
    activated: IntArray = count_column("activated")
    joined: IntArray = count_column("joined")

    _Row: ClassVar[type[Any] | None] = StockRow

    def __attrs_post_init__(self) -> None:
        for name in ("existing", "activated", "joined"):
            column = getattr(self, name)
            if len(column) != len(self.existing):
                expected = f"as many rows as `existing`, which has {len(self.existing)}"
                raise MisalignedError(message(name, expected, len(column)) + " rows")
        if (bad := self.activated > self.existing).any():
            refuse("activated", "no more than the existing members", self.activated, bad)

    @property
    def activated_share(self) -> FloatArray:
        """Share of the existing members who were active, shape (n_periods,)."""
        return _share(self.activated, self.existing)

    @property
    def growth_share(self) -> FloatArray:
        """Share of all members who joined in the period, shape (n_periods,)."""
        return _share(self.joined, self.existing + self.joined)

    @property
    def from_stock(self) -> FloatArray:
        """Share of the existing among the active existing and the new together, shape (n_periods,)."""
        return _share(self.activated, self.activated + self.joined)

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        lower, upper = wilson(self.activated, self.existing)
        return [
            Column(key="period", en="period", zh="周期", values=np.arange(len(self.existing))),
            Column(key="existing", en="existing", zh="存量成员", values=self.existing, format="count"),
            Column(key="activated", en="activated", zh="激活", values=self.activated, format="count"),
            Column(key="joined", en="joined", zh="新增", values=self.joined, format="count"),
            Column(
                key="activated_share", en="activated share", zh="激活率", values=self.activated_share, format="rate"
            ),
            Column(key="lower", en="lower", zh="下限", values=lower, format="rate"),
            Column(key="upper", en="upper", zh="上限", values=upper, format="rate"),
            Column(key="growth_share", en="growth share", zh="增量占比", values=self.growth_share, format="rate"),
            Column(key="from_stock", en="from stock", zh="存量贡献", values=self.from_stock, format="rate"),
        ]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        return f"StockAndIncrement({counted(len(self.existing), 'period')})"


def _share(part: IntArray, whole: IntArray) -> FloatArray:
    share = np.full(len(whole), np.nan)
    return frozen(np.divide(part, whole, out=share, where=whole > 0))
