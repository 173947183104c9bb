"""What will rewards cost, what at worst, and how many more must convert to pay for them? Of `reward_budget`."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import attrs
import numpy as np

from shequn.campaigns.payouts import MOST_PARTICIPANTS
from shequn.campaigns.prizes import prize_name, rewards_of
from shequn.columns.readonly import by_fields
from shequn.columns.table import Column, Tabular
from shequn.entities.reward import money
from shequn.errors import InvalidTypeError, InvalidValueError, counted, message
from shequn.stats._checks import (
    counts_column,
    items_of,
    level_in_unit,
    number_between,
    one_of,
    plain,
    reals_column,
    whole,
)
from shequn.values import Money, Rate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shequn._typing import FloatArray, IntArray
    from shequn.columns.table import Lang
    from shequn.entities import Reward

__all__ = ["RewardBudget", "RewardBudgetRow", "claim_of", "margin_of", "participants_of"]


class RewardBudgetRow(NamedTuple):
    """One reward; the names are those of `RewardBudget.to_columns`.

    Examples
    --------
    >>> RewardBudgetRow(reward="券", cost=500, quantity=200, claims=60.0, lower=48, upper=73, expected=30_000.0).claims
    60.0
    """

    reward: str
    cost: int
    quantity: int
    claims: float
    lower: int
    upper: int
    expected: float


def participants_of(participants: object) -> int:
    """Return a number of participants, 1 or more."""
    n = whole("participants", participants)
    if not 1 <= n <= MOST_PARTICIPANTS:
        raise InvalidValueError(message("participants", f"1 to {MOST_PARTICIPANTS:,}", participants))
    return n


def claim_of(claim: object, n: int) -> tuple[float | Rate, ...]:
    """Return the rate at which each of n rewards is claimed."""
    one_for_all = plain(claim)
    if isinstance(one_for_all, Rate | int | float):
        given: list[object] = [one_for_all] * n
    else:
        given = items_of("claim", claim, expected="a rate, or one for each reward")
    if len(given) != n:
        raise InvalidValueError(message("claim", f"one rate, or one for each of {counted(n, 'reward')}", len(given)))
    for row, one in enumerate(given):
        if isinstance(one, Rate) and not one.trials:
            raise InvalidValueError(message("claim", "rates with at least one trial", one, row=row))
    return tuple(one if isinstance(one, Rate) else number_between("claim", one, 0.0, 1.0) for one in given)


def margin_of(margin: object) -> Money | None:
    """Return what one conversion earns, above 0, or None."""
    if margin is None:
        return None
    if not isinstance(margin, Money):
        raise InvalidTypeError(message("margin", 'what one conversion earns, such as Money.of(40, "CNY")', margin))
    if margin.minor <= 0:
        raise InvalidValueError(message("margin", "an amount above 0: at a loss no number of sales pays", str(margin)))
    return margin


def _rewards(rewards: Any) -> tuple[Reward, ...]:  # noqa: ANN401
    return rewards_of(rewards, argument="rewards")


def _budget(budget: Any) -> Money | None:  # noqa: ANN401
    return None if budget is None else money("budget", budget)


def _method(method: str) -> str:
    one_of("method", method, ("exact", "normal"))
    return method


def _unit(over: Any) -> float:  # noqa: ANN401
    return number_between("over", over, 0.0, 1.0)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RewardBudget(Tabular[RewardBudgetRow]):
    """What rewards cost, expected and at worst, and what pays for it; made by `reward_budget`.

    Attributes
    ----------
    rewards : tuple of Reward
        The n rewards.
    participants : int
    claims : ndarray of float64, shape (n,)
        Claims that are expected to be paid.
    lower, upper : ndarray of int64, shape (n,)
        Between how many they lie, at `level`.
    payout_lower, payout_upper : Money
        Between what the sum lies, at `level`.
    budget : Money or None
    over : float
        How likely the sum exceeds the budget; 0 without one.
    margin : Money or None
        What one more conversion earns.
    level : float
    method : {"exact", "normal"}
        How `over` and the interval of the sum were found.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        The fields don't fit each other.

    Examples
    --------
    >>> from shequn.entities import Reward
    >>> coupon = Reward(kind="coupon", cost=Money.of(5, "CNY"), quantity=200)
    >>> found = RewardBudget(
    ...     rewards=[coupon], participants=300, claims=[60.0], lower=[47], upper=[74],
    ...     payout_lower=Money.of(235, "CNY"), payout_upper=Money.of(370, "CNY"), margin=Money.of(40, "CNY"),
    ... )
    >>> found, found.break_even, found.break_even_uplift
    (RewardBudget(1 reward, 300.00 CNY expected, 1000.00 CNY at worst), 8, 0.02666666666666667)
    """

    rewards: tuple[Reward, ...] = attrs.field(converter=_rewards)
    participants: int = attrs.field(converter=participants_of)
    claims: FloatArray
    lower: IntArray
    upper: IntArray
    payout_lower: Money
    payout_upper: Money
    budget: Money | None = attrs.field(default=None, converter=_budget)
    over: float = attrs.field(default=0.0, converter=_unit)
    margin: Money | None = attrs.field(default=None, converter=margin_of)
    level: float = attrs.field(default=0.95, converter=level_in_unit)
    method: str = attrs.field(default="exact", converter=_method)

    _Row: ClassVar[type[Any] | None] = RewardBudgetRow

    def __attrs_post_init__(self) -> None:
        """Check lengths and currencies."""
        n = len(self.rewards)
        if not n:
            raise InvalidValueError(message("rewards", "at least one reward", self.rewards))
        claims = reals_column("claims", self.claims, (n,), of=f"each of the {n} rewards", least=0.0)
        object.__setattr__(self, "claims", claims)
        for name in ("lower", "upper"):
            column = counts_column(name, getattr(self, name), (n,), of=f"each of the {n} rewards")
            object.__setattr__(self, name, column)
        currency = self.rewards[0].cost.currency
        for name in ("payout_lower", "payout_upper", "budget", "margin"):
            amount: Money | None = getattr(self, name)
            if amount is not None and money(name, amount).currency != currency:
                raise InvalidValueError(message(name, f"Money in {currency}, as the rewards cost", str(amount)))

    def __len__(self) -> int:
        """Return the number of rewards."""
        return len(self.rewards)

    @property
    def expected(self) -> Money:
        """What is paid out on average, rounded to the minor unit."""
        return Money(round(self._expected_minor()), self.rewards[0].cost.currency)

    @property
    def worst_case(self) -> Money:
        """What it costs if all that there is gets claimed, exactly: quantity times cost."""
        return Money.total([reward.worst_case() for reward in self.rewards], self.rewards[0].cost.currency)

    @property
    def break_even(self) -> int | None:
        """How many more conversions pay for what is expected; None without a margin."""
        if self.margin is None:
            return None
        # The expectation is a float: its last bits must not ask for one more.
        return ceil(round(self._expected_minor() / self.margin.minor, 9))

    @property
    def break_even_worst(self) -> int | None:
        """How many more conversions pay for the worst case; None without a margin."""
        return None if self.margin is None else -(-self.worst_case.minor // self.margin.minor)

    @property
    def break_even_uplift(self) -> float | None:
        """By how much the share of participants who convert must rise to pay for it; None without a margin."""
        return None if self.break_even is None else self.break_even / self.participants

    def _expected_minor(self) -> float:
        return float(self._expected_each().sum())

    def _columns(self, lang: Lang, /) -> Sequence[Column]:
        currency = self.rewards[0].cost.currency
        expected = [Money(round(one), currency) for one in self._expected_each().tolist()]
        costs = [Column(key="cost", en="cost", zh="单价", values=[one.cost for one in self.rewards], format="money")]
        sums = [
            Column(key="expected", en="expected", zh="预期支出", values=expected, format="money"),
            Column(
                key="worst_case",
                en="worst case",
                zh="最坏支出",
                values=[one.worst_case() for one in self.rewards],
                format="money",
            ),
        ]
        return [*self._named(lang), *costs, *self._counts(), *sums]

    def _tidy(self) -> Sequence[Column]:
        costs = np.array([one.cost.minor for one in self.rewards], dtype=np.int64)
        each = self._expected_each()
        return [
            *self._named("en"),
            Column(key="cost", en="cost", zh="单价", values=costs, format="count"),
            *self._counts(),
            Column(key="expected", en="expected", zh="预期支出", values=each, format="number", digits=0),
        ]

    def _named(self, lang: Lang) -> list[Column]:
        names = np.array([prize_name(one, lang) for one in self.rewards], dtype=object)
        return [Column(key="reward", en="reward", zh="奖励", values=names)]

    def _counts(self) -> list[Column]:
        quantity = np.array([one.quantity for one in self.rewards], dtype=np.int64)
        return [
            Column(key="quantity", en="quantity", zh="数量", values=quantity, format="count"),
            Column(key="claims", en="claims", zh="预期领取", values=self.claims, format="number", digits=1),
            Column(key="lower", en="lower", zh="下限", values=self.lower, format="count"),
            Column(key="upper", en="upper", zh="上限", values=self.upper, format="count"),
        ]

    def _expected_each(self) -> FloatArray:
        return np.array([one.cost.minor for one in self.rewards], dtype=np.float64) * self.claims

    def _notes(self, lang: Lang, /) -> Sequence[str]:
        zh = lang == "zh"
        told = [
            f"预期支出 {self.expected}（{self.payout_lower} 至 {self.payout_upper}），最坏 {self.worst_case}"
            if zh
            else f"expected {self.expected} ({self.payout_lower} to {self.payout_upper}), at worst {self.worst_case}"
        ]
        if self.budget is not None:
            about = "" if self.method == "exact" else "（正态近似）" if zh else ", by a normal approximation"
            told.append(
                f"超出预算 {self.budget} 的概率 {self.over:.2%}{about}"
                if zh
                else f"{self.over:.2%} likely to exceed the budget of {self.budget}{about}"
            )
        if self.break_even is not None and self.break_even_uplift is not None:
            told.append(
                f"多转化 {self.break_even:,} 人即可回本：{self.participants:,} 名参与者的 {self.break_even_uplift:.2%}"
                if zh
                else f"{counted(self.break_even, 'more conversion')} pay{'s' * (self.break_even == 1)} for it, "
                f"{self.break_even_uplift:.2%} of {counted(self.participants, 'participant')}"
            )
        return told

    def __repr__(self) -> str:
        """Show what is expected, and the worst case."""
        return f"RewardBudget({counted(len(self), 'reward')}, {self.expected} expected, {self.worst_case} at worst)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        """Pickle so that the copy's arrays are read-only too."""
        return by_fields(self)
