"""Which prizes are there, one by one, and what do they cost together?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.columns.readonly import frozen
from shequn.entities import Reward
from shequn.errors import InvalidValueError, message
from shequn.stats._checks import instance, items_of
from shequn.values import Money

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shequn._typing import IntArray
    from shequn.columns.table import Lang

__all__ = ["n_prizes_of", "prize_name", "prize_units", "rewards_of", "worst_case_of"]

_MOST_UNITS = 10_000_000


def rewards_of(rewards: Iterable[Reward] | Reward, /, *, argument: str) -> tuple[Reward, ...]:
    """Return rewards as a tuple, all of one currency.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        Something is no `Reward`, two have costs in different currencies, or there are too many to hand out.
    """
    expected = "rewards, such as [Reward(kind='prize', cost=Money.of(9, 'CNY'))]"
    given = [rewards] if isinstance(rewards, Reward) else items_of(argument, rewards, expected=expected)
    for row, reward in enumerate(given):
        instance(argument, reward, Reward, expected=expected)
        if reward.cost.currency != given[0].cost.currency:
            expected = f"costs in one currency, {given[0].cost.currency}"
            raise InvalidValueError(message(argument, expected, reward.cost.currency, row=row))
    return tuple(given)


def n_prizes_of(prizes: tuple[Reward, ...], /, *, argument: str) -> int:
    """Return how many single prizes there are.

    Raises
    ------
    InvalidValueError
        There are more than ten million.
    """
    n_units = sum(prize.quantity for prize in prizes)
    if n_units > _MOST_UNITS:
        raise InvalidValueError(message(argument, f"at most {_MOST_UNITS:,} prizes in all", n_units))
    return n_units


def prize_units(prizes: tuple[Reward, ...], /, *, argument: str) -> IntArray:
    """Return which of the prizes each single one is, in order, shape (n_units,)."""
    n_prizes_of(prizes, argument=argument)
    quantities = np.array([prize.quantity for prize in prizes], dtype=np.int64)
    return frozen(np.repeat(np.arange(len(prizes), dtype=np.int64), quantities))


def worst_case_of(rewards: tuple[Reward, ...], /) -> Money | None:
    """Return what all of them cost if each is claimed, exactly; None where there is no reward to tell the currency."""
    if not rewards:
        return None
    return Money.total([reward.worst_case() for reward in rewards], rewards[0].cost.currency)


def prize_name(prize: Reward, lang: Lang, /) -> str:
    """Return what a prize is called, or else what kind of reward it is."""
    if prize.name is not None:
        return prize.name
    return prize.kind.zh if lang == "zh" else prize.kind.en
