"""What can people get in a campaign, and what does it cost if all of it is claimed?"""

from __future__ import annotations

import attrs

from shequn._doors import Doors
from shequn.entities._fields import text
from shequn.entities.campaign_taxonomies import RewardKind
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import whole
from shequn.values import Money

__all__ = ["Reward", "money"]


def money(argument: str, amount: object) -> Money:
    """Return an amount of 0 or more, as it is."""
    if not isinstance(amount, Money):
        raise InvalidTypeError(message(argument, 'Money, such as Money.of("9.90", "CNY")', amount))
    if amount.minor < 0:
        raise InvalidValueError(message(argument, "an amount of 0 or more", str(amount)))
    return amount


def _kind(kind: RewardKind | str) -> RewardKind:
    return RewardKind.from_label(kind, argument="kind")


def _cost(cost: Money) -> Money:
    return money("cost", cost)


def _quantity(quantity: int) -> int:
    read = whole("quantity", quantity)
    if read < 1:
        raise InvalidValueError(message("quantity", "1 or more", quantity))
    return read


def _name(name: str | None) -> str | None:
    return None if name is None else text("name", name)


def _value(value: Money | None) -> Money | None:
    return None if value is None else money("value", value)


@attrs.frozen(kw_only=True)
class Reward(Doors):
    """One kind of thing that people can get, and how many of it there are (奖励).

    Parameters
    ----------
    kind : RewardKind or str
        What it is.
    cost : Money
        What one costs whoever gives it; 0 or more.
    quantity : int, default 1
        How many there are at most.
    name : str, optional
        What it is called.
    value : Money, optional
        What one is worth to who gets it, in the currency of `cost`; None if nobody says.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used; an amount is negative, or the two are in two currencies.
    UnknownLabelError
        `kind` names no value.

    References
    ----------
    S3 §5.3, §4.1, row T10 of the domain table.

    Examples
    --------
    >>> coupon = Reward(kind="优惠券", cost=Money.of(5, "CNY"), quantity=200, value=Money.of(10, "CNY"))
    >>> print(coupon.worst_case())
    1000.00 CNY
    """

    kind: RewardKind = attrs.field(converter=_kind)
    cost: Money = attrs.field(converter=_cost)
    quantity: int = attrs.field(default=1, converter=_quantity)
    name: str | None = attrs.field(default=None, converter=_name)
    value: Money | None = attrs.field(default=None, converter=_value)

    def __attrs_post_init__(self) -> None:
        """Check what two fields say of each other."""
        if self.value is not None and self.value.currency != self.cost.currency:
            raise InvalidValueError(message("value", f"Money in {self.cost.currency}, as cost", str(self.value)))

    def worst_case(self) -> Money:
        """Return what it costs if every one is claimed, exactly.

        Examples
        --------
        >>> print(Reward(kind="prize", cost=Money.of(299, "CNY"), quantity=3).worst_case())
        897.00 CNY
        """
        return self.cost * self.quantity
