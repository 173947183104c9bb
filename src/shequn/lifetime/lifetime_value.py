"""What is each member still worth? Expected purchases times expected spend, later ones for less."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.columns.readonly import by_fields, frozen, read_only
from shequn.columns.table import Column, Tabular
from shequn.errors import InvalidValueError, counted, message
from shequn.lifetime.bgnbd import BetaGeoNBD
from shequn.lifetime.gamma_gamma import GammaGamma
from shequn.lifetime.spans import Discount, Horizon, periods_in, same_periods
from shequn.lifetime.summary import TransactionSummary
from shequn.stats._checks import instance, number_between

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shequn._typing import FloatArray
    from shequn.columns.table import Lang
    from shequn.labels import Index, Label

__all__ = ["LifetimeValue", "LifetimeValueRow", "customer_lifetime_value"]

_MOST_STEPS = 10_000
_DIGITS = 15
_FAR = 1e6
_MOST_GROWTH = 600.0  # whose exp() is a number, with room for what it is a worth of


class LifetimeValueRow(NamedTuple):
    """One member; the names are those of `LifetimeValue`.

    Examples
    --------
    >>> LifetimeValueRow(member="ann", p_alive=0.72, purchases=1.2, spend=24.7, value=29.1).value
    29.1
    """

    member: Label
    p_alive: float
    purchases: float
    spend: float
    value: float


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LifetimeValue(Tabular[LifetimeValueRow]):
    """What members are expected to bring within a horizon; made by `customer_lifetime_value`.

    Attributes
    ----------
    members : Index
    p_alive : ndarray of float64, shape (n,)
        Probability that a member has not dropped out.
    purchases : ndarray of float64, shape (n,)
        Expected purchases within the horizon.
    spend : ndarray of float64, shape (n,)
        Expected spend in one, in the unit of the values that were summed.
    value : ndarray of float64, shape (n,)
        Expected margin within the horizon, discounted.
    n_periods : float
        The horizon, in periods.
    discount_per_period, margin : float

    Examples
    --------
    >>> model, spend = BetaGeoNBD(r=0.243, alpha=4.414, a=0.793, b=2.426), GammaGamma(p=6.25, q=3.74, v=15.45)
    >>> summary = TransactionSummary(members=["ann"], frequency=[2], recency=[30.4], age=[38.9], spend=[22.35])
    >>> customer_lifetime_value(model, spend, summary, horizon=52, discount=Discount(0.002, per="period"))
    LifetimeValue(1 member, 36.6 in all)
    """

    members: Index
    p_alive: FloatArray = attrs.field(converter=read_only)
    purchases: FloatArray = attrs.field(converter=read_only)
    spend: FloatArray = attrs.field(converter=read_only)
    value: FloatArray = attrs.field(converter=read_only)
    n_periods: float
    discount_per_period: float
    margin: float

    _Row: ClassVar[type[Any] | None] = LifetimeValueRow

    @property
    def total(self) -> float:
        """What all members together are expected to bring."""
        return math.fsum(self.value.tolist())

    def _tidy(self) -> Sequence[Column]:
        return [
            Column(key="member", en="member", zh="成员", values=self.members.labels),
            Column(key="p_alive", en="P(alive)", zh="活跃概率", values=self.p_alive, format="rate"),
            Column(key="purchases", en="purchases", zh="预期购买", values=self.purchases, format="number", digits=2),
            Column(key="spend", en="spend each", zh="次均消费", values=self.spend, format="number", digits=2),
            Column(key="value", en="value", zh="生命周期价值", values=self.value, format="number", digits=2),
        ]

    def _columns(self, _lang: Lang, /) -> Sequence[Column]:
        return self._tidy()

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        periods, rate, margin = f"{self.n_periods:g}", f"{self.discount_per_period:.4%}", f"{self.margin:.4g}"
        if lang == "zh":
            return [f"合计 {self.total:,.2f}；{periods} 个周期，每周期折现率 {rate}，毛利率 {margin}。"]
        return [
            f"In all {self.total:,.2f}; {periods} period{'s' * (self.n_periods != 1)}, "
            f"discount {rate} a period, margin {margin}."
        ]

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)

    def __repr__(self) -> str:
        return f"LifetimeValue({counted(len(self.members), 'member')}, {self.total:,.1f} in all)"


def customer_lifetime_value(
    model: BetaGeoNBD,
    spend: GammaGamma,
    summary: TransactionSummary,
    /,
    *,
    horizon: Horizon,
    discount: Discount | None = None,
    margin: float = 1.0,
) -> LifetimeValue:
    r"""Return what each member is expected to bring within a horizon.

    Parameters
    ----------
    model : BetaGeoNBD
        How often they will buy.
    spend : GammaGamma
        How much they will spend.
    summary : TransactionSummary
        What is known of them, with spend.
    horizon : timedelta or float
        A duration, or a number of periods.
    discount : Discount, optional
        What comes later is worth less; by default the same.
    margin : float, default 1
        Share of the spend that is earned.

    Returns
    -------
    LifetimeValue

    Raises
    ------
    InvalidTypeError, InvalidValueError
        Something can't be used; models and summary count in different periods; the summary has no spend; or a mean
        spend does not exist.

    Notes
    -----
    With N(t) the purchases expected in the first t periods, the value is
    :math:`m\, s \sum_k (N(k) - N(k - 1)) / (1 + d)^k`: what is bought in a period counts at its end, also in
    a last one that is cut short.

    References
    ----------
    Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005). RFM and CLV: Using iso-value curves for customer base
    analysis. Journal of Marketing Research 42(4), 415-430. https://doi.org/10.1509/jmkr.2005.42.4.415

    Examples
    --------
    >>> model, spend = BetaGeoNBD(r=0.243, alpha=4.414, a=0.793, b=2.426), GammaGamma(p=6.25, q=3.74, v=15.45)
    >>> summary = TransactionSummary(
    ...     members=["ann", "bo"], frequency=[2, 0], recency=[30.4, 0], age=[38.9, 38.9], spend=[22.35, 0]
    ... )
    >>> print(customer_lifetime_value(model, spend, summary, horizon=52, margin=0.4))
    member  P(alive)  purchases  spend each  value
    ──────────────────────────────────────────────
    ann        72.6%       1.56       24.67  15.35
    bo        100.0%       0.25       35.24   3.55
    In all 18.90; 52 periods, discount 0.0000% a period, margin 0.4.
    """
    instance("model", model, BetaGeoNBD, expected="a BetaGeoNBD")
    instance("spend", spend, GammaGamma, expected="a GammaGamma")
    instance("summary", summary, TransactionSummary, expected="a TransactionSummary")
    share = number_between("margin", margin, 0.0)
    calendar = summary.calendar if model.calendar is None else model.calendar
    if summary.calendar not in {None, calendar} and calendar is not None:
        raise InvalidValueError(message("summary", f"periods as the model has: {calendar.name()}", summary.calendar))
    same_periods(spend.calendar, calendar, argument="spend")
    n_periods = periods_in(horizon, calendar)
    if n_periods > _MOST_STEPS:
        raise InvalidValueError(message("horizon", f"at most {_MOST_STEPS:,} periods", horizon))
    rate = 0.0
    if discount is not None:
        instance("discount", discount, Discount, expected="a Discount")
        rate = discount.per_period(calendar)
        if -n_periods * math.log1p(rate) > _MOST_GROWTH:
            raise InvalidValueError(message("discount", "a rate at which the last period is worth a number", discount))
    each = spend.expected_spend(summary)
    purchases = model.expected_purchases(summary, horizon=n_periods)
    worth = purchases if rate == 0 else _discounted(model, summary, n_periods, rate)
    return LifetimeValue(
        members=summary.members,
        p_alive=model.p_alive(summary),
        purchases=purchases,
        spend=each,
        value=frozen(worth * each * share),
        n_periods=n_periods,
        discount_per_period=rate,
        margin=share,
    )


def _discounted(model: BetaGeoNBD, summary: TransactionSummary, n_periods: float, rate: float) -> FloatArray:
    """Return the purchases expected in each period, each worth what it is at its end, in all."""
    ends = np.unique(np.append(np.arange(1.0, math.floor(n_periods) + 1.0), n_periods))
    worth = (1.0 + rate) ** -ends
    weights = worth - np.append(worth[1:], 0.0)  # of the purchases up to each end, rather than between two
    youngest = model.alpha + float(summary.age.min(initial=math.inf))
    times, weights = _few_times(ends, weights, youngest / n_periods if n_periods else math.inf)
    return model.purchases_by(summary, times, weights)


def _few_times(ends: FloatArray, weights: FloatArray, distance: float) -> tuple[FloatArray, FloatArray]:
    r"""Return times and weights by which a smooth function has the same weighted sum to 15 digits.

    Expected purchases are analytic in time but at :math:`t = -(\alpha + T)`, so that a polynomial through Chebyshev's n
    points of the horizon is off by about :math:`\rho^{-n}`, and its weighted sum is one of its values there.
    """
    z = 1.0 + 2.0 * distance
    log_rho = math.log(z + math.sqrt(z * z - 1.0)) if distance < _FAR else math.log(4.0 * _FAR)
    n = math.ceil(_DIGITS * math.log(10.0) / log_rho) + 1
    if n >= len(ends):
        return ends, weights
    corner = np.cos(np.pi * np.arange(n + 1) / n)[::-1]
    times = ends[-1] * (corner + 1.0) / 2.0
    sign = np.where(np.arange(n + 1) % 2, -1.0, 1.0)
    sign[[0, -1]] /= 2.0
    apart = ends[:, None] - times
    is_point = apart == 0
    share = sign / np.where(is_point, 1.0, apart)
    share = np.where(is_point.any(axis=1)[:, None], is_point, share)
    share /= share.sum(axis=1, keepdims=True)
    return times, weights @ share
