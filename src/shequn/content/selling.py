"""Do we sell before we have given anything? Promotion in each member's first days: the answer of `selling_pressure`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn._typing import FloatArray, IntArray  # noqa: TC001  # resolved at run time by attrs
from shequn.columns.readonly import by_fields, counts_field, frozen
from shequn.columns.table import Column, Tabular
from shequn.errors import counted
from shequn.stats._checks import counts_column, reals, reals_column
from shequn.stats.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shequn.columns.table import Lang

__all__ = ["SellingPressure", "SellingRow"]


class SellingRow(NamedTuple):
    """The first days of members; the names are those of `SellingPressure.to_columns`.

    Examples
    --------
    >>> SellingRow(days=7, members=40, messages=200, promo=30, share=0.15, lower=0.11, upper=0.21, cap=0.2, over=9).over
    9
    """

    days: int
    members: int
    messages: int
    promo: int
    share: float
    lower: float
    upper: float
    cap: float
    over: int


def _caps(values: Any) -> FloatArray:  # noqa: ANN401
    return frozen(reals("cap", values).copy())


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SellingPressure(Tabular[SellingRow]):
    """How much of what new members were sent sells something (推销占比); made by `selling_pressure`.

    Attributes
    ----------
    days : ndarray of int64, shape (k,)
        Length of each stretch from joining on, in days of 24 hours.
    members : ndarray of int64, shape (k,)
        Members whose stretch is over.
    messages, promo : ndarray of int64, shape (k,)
        What they were sent in it, and how much of that sells.
    over : ndarray of int64, shape (k,)
        Members for whom promotion was more than the cap.
    cap : ndarray of float64, shape (k,)
        The share of promotion that one member may get; NaN for no cap.

    Examples
    --------
    >>> print(SellingPressure(days=[7, 30], members=[40, 31], messages=[200, 600], promo=[30, 180], over=[9, 4],
    ...                       cap=[0.2, 0.4]))
    Promotion in the first days of a member
    days  members  messages  promo  share  lower  upper    cap  over
    ────────────────────────────────────────────────────────────────
       7       40       200     30  15.0%  10.7%  20.6%  20.0%     9
      30       31       600    180  30.0%  26.5%  33.8%  40.0%     4
    """

    days: IntArray = counts_field()
    members: IntArray = counts_field()
    messages: IntArray = counts_field()
    promo: IntArray = counts_field()
    over: IntArray = counts_field()
    cap: FloatArray = attrs.field(converter=_caps)

    _Row: ClassVar[type[Any] | None] = SellingRow

    def __attrs_post_init__(self) -> None:
        shape, of = (len(self.days) if self.days.ndim else 0,), "each stretch of days"
        for name in ("days", "members", "messages", "promo", "over"):
            counts_column(name, getattr(self, name), shape, of=of)
        reals_column("cap", np.nan_to_num(self.cap, nan=0.0), shape, of=of, least=0.0, most=1.0)

    @property
    def share(self) -> FloatArray:
        """Share of promotion in all messages of a stretch, shape (k,); NaN where there were none."""
        with np.errstate(invalid="ignore"):
            return frozen(np.asarray(self.promo / self.messages.astype(np.float64)))

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        lower, upper = wilson(self.promo, self.messages)
        return [
            Column(key="days", en="days", zh="入群天数", values=self.days, format="count"),
            Column(key="members", en="members", zh="成员", values=self.members, format="count"),
            Column(key="messages", en="messages", zh="消息数", values=self.messages, format="count"),
            Column(key="promo", en="promo", zh="推销", values=self.promo, format="count"),
            Column(key="share", en="share", zh="推销占比", values=self.share, format="rate"),
            Column(key="lower", en="lower", zh="下限", values=lower, format="rate"),
            Column(key="upper", en="upper", zh="上限", values=upper, format="rate"),
            Column(key="cap", en="cap", zh="占比红线", values=self.cap, format="rate"),
            Column(key="over", en="over", zh="越线成员", values=self.over, format="count"),
        ]

    def _title(self, lang: Lang, /) -> str:
        return "新成员最初几天收到的推销" if lang == "zh" else "Promotion in the first days of a member"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        told = ", ".join(f"{share:.1%} in {day} days" for day, share in zip(self.days, self.share, strict=True))
        return f"SellingPressure({counted(len(self.days), 'stretch', 'stretches')}: {told})"
