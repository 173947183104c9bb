"""What the members of one arm of a campaign did, all together: counts, money and how it is spread."""

from __future__ import annotations

import math

import attrs

from shequn._doors import Doors
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import number, whole
from shequn.values import Money, Rate

__all__ = ["Arm", "Before", "Change"]

_MOST = 2**63 - 1


def _at_least_none(argument: str, value: object) -> int:
    count = whole(argument, value)
    if not 0 <= count <= _MOST:
        raise InvalidValueError(message(argument, "a count in [0, 2**63)", value))
    return count


def _as_key(number: float) -> float | None:
    """Return what a number is compared by: NaN is the same as NaN."""
    return None if math.isnan(number) else number


def _members(value: int) -> int:
    return _at_least_none("members", value)


def _reached(value: int) -> int:
    return _at_least_none("reached", value)


def _participated(value: int) -> int:
    return _at_least_none("participated", value)


def _converted(value: int) -> int:
    return _at_least_none("converted", value)


def _actions(value: int | None) -> int | None:
    return None if value is None else _at_least_none("actions", value)


def _actions_sd(value: float) -> float:
    return _spread("actions_sd", value)


def _gained(value: int) -> int:
    return _at_least_none("gained", value)


def _lost(value: int) -> int:
    return _at_least_none("lost", value)


def _money_or_none(value: Money | None) -> Money | None:
    if value is not None and not isinstance(value, Money):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("revenue", "Money or None", value))
    return value


def _spread(argument: str, value: object) -> float:
    given = number(argument, value)
    if given < 0 or math.isinf(given):
        raise InvalidValueError(message(argument, "a standard deviation of 0 or more, or NaN", value))
    return given


def _revenue_sd(value: float) -> float:
    return _spread("revenue_sd", value)


def _covariate_sd(value: float) -> float:
    return _spread("covariate_sd", value)


def _sd(value: float) -> float:
    return _spread("sd", value)


def _revenue_skewness(value: float) -> float:
    return number("revenue_skewness", value)


def _covariate_mean(value: float) -> float:
    return number("covariate_mean", value)


def _covariance(value: float) -> float:
    return number("covariance", value)


@attrs.frozen(kw_only=True)
class Change(Doors):
    """How the members of an arm changed from a stretch of the same length before the campaign to the campaign.

    Parameters
    ----------
    gained : int
        Members who converted in the campaign and not before.
    lost : int
        Members who converted before and not in the campaign.
    sd : float
        Standard deviation of each member's revenue less that before, in minor units; NaN if it is not known.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A count is no integer of 0 or more, or `sd` is negative.

    Examples
    --------
    >>> Change(gained=18, lost=6, sd=950.0)
    Change(gained=18, lost=6, sd=950.0)
    """

    gained: int = attrs.field(converter=_gained)
    lost: int = attrs.field(converter=_lost)
    sd: float = attrs.field(default=math.nan, converter=_sd, eq=_as_key)


@attrs.frozen(kw_only=True)
class Before(Doors):
    """What the members of an arm did before the campaign.

    Parameters
    ----------
    converted : int
        Members with a conversion.
    revenue : Money, optional
        What they paid, all together.
    covariate_mean, covariate_sd : float
        Mean and standard deviation of the number that revenue is adjusted by; NaN if they are not known.
    covariance : float
        Of that number and the member's revenue in the campaign, with n - 1 in the denominator.
    change : Change, optional
        From then to the campaign; None where the two differ in length.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used.

    Examples
    --------
    >>> before = Before(converted=40, revenue=Money.of(800, "CNY"), covariate_mean=1_000.0, covariate_sd=250.0)
    >>> before.change is None
    True
    """

    converted: int = attrs.field(converter=_converted)
    revenue: Money | None = attrs.field(default=None, converter=_money_or_none)
    covariate_mean: float = attrs.field(default=math.nan, converter=_covariate_mean, eq=_as_key)
    covariate_sd: float = attrs.field(default=math.nan, converter=_covariate_sd, eq=_as_key)
    covariance: float = attrs.field(default=math.nan, converter=_covariance, eq=_as_key)
    change: Change | None = attrs.field(default=None)

    def __attrs_post_init__(self) -> None:
        """Check the type of the change."""
        if self.change is not None and not isinstance(self.change, Change):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("change", "a Change or None", self.change))


@attrs.frozen(kw_only=True)
class Arm(Doors):
    """One arm of a campaign: how many members it has, and what they did, whether reached or not.

    Parameters
    ----------
    members : int
        Members assigned to it.
    reached, participated, converted : int, default 0
        Members who received something, took part, did what the goal counts.
    actions : int, optional
        How often they took part, all together: posts, replies, check-ins; None if that is not counted.
    actions_sd : float
        Standard deviation of actions per member, with n - 1 in the denominator; NaN if it is not known.
    revenue : Money, optional
        What they paid, all together; None if money is not counted.
    revenue_sd : float
        Standard deviation of revenue per member in minor units, with n - 1 in the denominator, members who paid nothing
        included; NaN if it is not known, and then there are no intervals of revenue.
    revenue_skewness : float
        Its skewness, the third central moment over the cube of the standard deviation (both with n).
    before : Before, optional
        What they did before the campaign.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used, or more members did something than there are.

    Examples
    --------
    >>> arm = Arm(members=70, reached=66, converted=56, revenue=Money.of(1_400, "CNY"))
    >>> print(arm.conversion_rate)
    80.0% (56 of 70, 95% CI 69.2%–87.7%)
    >>> arm.revenue_per_member
    2000.0
    """

    members: int = attrs.field(converter=_members)
    reached: int = attrs.field(default=0, converter=_reached)
    participated: int = attrs.field(default=0, converter=_participated)
    converted: int = attrs.field(default=0, converter=_converted)
    actions: int | None = attrs.field(default=None, converter=_actions)
    actions_sd: float = attrs.field(default=math.nan, converter=_actions_sd, eq=_as_key)
    revenue: Money | None = attrs.field(default=None, converter=_money_or_none)
    revenue_sd: float = attrs.field(default=math.nan, converter=_revenue_sd, eq=_as_key)
    revenue_skewness: float = attrs.field(default=math.nan, converter=_revenue_skewness, eq=_as_key)
    before: Before | None = attrs.field(default=None)

    def __attrs_post_init__(self) -> None:
        """Check that no more members did something than there are."""
        if self.before is not None and not isinstance(self.before, Before):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("before", "a Before or None", self.before))
        self._check_before()
        if self.actions is not None and self.actions < self.participated:
            expected = f"at least {self.participated:,}, one for each who took part"
            raise InvalidValueError(message("actions", expected, self.actions))
        counted = {name: getattr(self, name) for name in ("reached", "participated", "converted")}
        if self.before is not None:
            counted["before.converted"] = self.before.converted
            if self.before.change is not None:
                counted["before.change"] = self.before.change.gained + self.before.change.lost
        for name, count in counted.items():
            if count > self.members:
                raise InvalidValueError(message(name, f"at most {self.members:,}, the members of the arm", count))

    def _check_before(self) -> None:
        before = self.before
        if before is None:
            return
        amounts = self.revenue, before.revenue
        if amounts[0] is not None and amounts[1] is not None and amounts[0].currency != amounts[1].currency:
            raise InvalidValueError(
                message("before.revenue", f"Money in {amounts[0].currency}, as revenue", str(amounts[1]))
            )
        change = before.change
        if change is not None and change.gained - change.lost != self.converted - before.converted:
            expected = f"gained less lost to be {self.converted - before.converted:,}, as converted less that before"
            raise InvalidValueError(message("before.change", expected, change.gained - change.lost))

    @property
    def reach_rate(self) -> Rate:
        """Share of members who were reached (触达率)."""
        return Rate(self.reached, self.members)

    @property
    def participation_rate(self) -> Rate:
        """Share of members who took part (参与率)."""
        return Rate(self.participated, self.members)

    @property
    def conversion_rate(self) -> Rate:
        """Share of members who converted (转化率)."""
        return Rate(self.converted, self.members)

    @property
    def actions_per_member(self) -> float:
        """How often a member took part on the average (讨论热度), of all members; NaN where it is not counted."""
        return math.nan if self.actions is None or not self.members else self.actions / self.members

    @property
    def revenue_per_member(self) -> float:
        """Mean revenue in minor units, of all members; NaN where it is not counted."""
        if self.revenue is None or not self.members:
            return math.nan
        return self.revenue.minor / self.members
