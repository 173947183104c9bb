"""How is a whole made up: the share of each kind, how varied that is, and how far it lies from another mix?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias, cast

import attrs

from shequn._doors import Doors
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import instance, number, plain

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Mix"]

# A kind may be any label; `labels` stands above this room, so the alias is spelt out.
Kind: TypeAlias = str | int

_TOLERANCE = 1e-9
# Between these orders the sum of powers is near one, and its distance from one is what must not be rounded away.
_NEAR_ONE = 0.5
_KINDS = 'a mapping of kind to share, such as {"informational": 0.6, "interactive": 0.4}'


def _shares(shares: Mapping[Kind, float]) -> Mapping[Kind, float]:
    read = _numbers("shares", shares)
    # The sum of what is far from a share may be infinite, which `fsum` refuses.
    total = (math.fsum if max(read.values()) <= 1.0 + _TOLERANCE else sum)(read.values())
    if abs(total - 1.0) > _TOLERANCE:
        raise InvalidValueError(message("shares", "shares that sum to 1", total))
    return MappingProxyType(read)


def _numbers(argument: str, given: object) -> dict[Kind, float]:
    if not isinstance(given, Mapping):
        raise InvalidTypeError(message(argument, _KINDS, given))
    items = cast("Mapping[object, object]", given)
    if not items:
        raise InvalidValueError(message(argument, "at least one kind", items))
    return {_kind(argument, kind): _amount(f"{argument}[{str(kind)!r}]", share) for kind, share in items.items()}


def _kind(argument: str, kind: object) -> Kind:
    label = plain(kind)
    if isinstance(label, bool) or not isinstance(label, str | int):
        raise InvalidTypeError(message(argument, "kinds that are non-empty str, or int", kind))
    if label == "":
        raise InvalidValueError(message(argument, "kinds that are non-empty str, or int", kind))
    return str(label) if isinstance(label, str) else int(label)


def _amount(argument: str, amount: object) -> float:
    expected = "a finite number of 0 or more"
    read = number(argument, amount, expected=expected)
    if not (math.isfinite(read) and read >= 0):
        raise InvalidValueError(message(argument, expected, amount))
    return read


def _by_content(shares: Mapping[Kind, float]) -> frozenset[tuple[Kind, float]]:
    return frozenset(shares.items())


@attrs.frozen(repr=False)
class Mix(Doors):
    """The share of each kind in a whole (内容配比, 构成).

    Two are equal when each kind has the same share, in whatever order.

    Parameters
    ----------
    shares : mapping of kind to float
        Shares of 0 or more that sum to 1 (within 1e-9), for one kind at least; a kind is a non-empty str or an int.

    Raises
    ------
    InvalidTypeError
        `shares` is no mapping, a kind no label, or a share no number.
    InvalidValueError
        A share is negative or not finite, there are none, or they don't sum to 1.

    References
    ----------
    S3 §3.1, rows T3 and K1 of the domain table.

    Examples
    --------
    >>> plan = Mix({"informational": 0.4, "interactive": 0.4, "entertainment": 0.2})
    >>> round(plan.hill(1), 2), plan.shares["interactive"]
    (2.87, 0.4)
    >>> Mix.of({"informational": 7, "interactive": 3}).distance(plan)
    0.3
    """

    shares: Mapping[Kind, float] = attrs.field(converter=_shares, eq=_by_content)

    @classmethod
    def of(cls, counts: Mapping[Kind, float]) -> Mix:
        """Return the mix of counts or other amounts.

        Parameters
        ----------
        counts : mapping of kind to number
            Amounts of 0 or more, not all 0.

        Returns
        -------
        Mix
            The share of each in their sum.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            As for `shares`; or all amounts are 0.

        Examples
        --------
        >>> Mix.of({"poll": 3, "lottery": 1})
        Mix(poll 75.0%, lottery 25.0%)
        """
        amounts = _numbers("counts", counts)
        largest = max(amounts.values())
        if largest == 0:
            raise InvalidValueError(message("counts", "an amount above 0", dict(amounts)))
        # Against the largest first, since the sum of two large amounts may be infinite.
        parts = {kind: amount / largest for kind, amount in amounts.items()}
        total = math.fsum(parts.values())
        return cls({kind: part / total for kind, part in parts.items()})

    @property
    def entropy(self) -> float:
        """Shannon entropy in nats: 0 for one kind only, log n for n equal shares."""
        return abs(-math.fsum(share * math.log(share) for share in self._positive()))

    def hill(self, q: float) -> float:
        r"""Return the effective number of kinds: how many equally common kinds would be as diverse.

        Parameters
        ----------
        q : float
            Order, 0 or more, infinity included: the larger, the less do rare kinds count. 0 counts the kinds with a
            share, 1 is the exponential of the entropy, 2 the inverse of the chance that two random items are of one
            kind, infinity the inverse of the largest share.

        Returns
        -------
        float
            Between 1 and the number of kinds; never larger for a larger `q`.

        Raises
        ------
        InvalidTypeError, InvalidValueError
            `q` is not a number of 0 or more.

        Notes
        -----
        .. math:: {}^qD = \Big(\sum_i p_i^q\Big)^{1/(1-q)}

        References
        ----------
        Hill, M. O. (1973). Diversity and evenness: a unifying notation and its consequences. Ecology 54, 427-432.
        https://doi.org/10.2307/1934352

        Examples
        --------
        >>> even = Mix.of({"poll": 1, "lottery": 1, "topic": 0})
        >>> even.hill(0), even.hill(2), even.hill(float("inf"))
        (2.0, 2.0, 2.0)
        """
        order = number("q", q)
        if not order >= 0:
            raise InvalidValueError(message("q", "a number of 0 or more", q))
        shares = self._positive()
        if order == 0 or len(shares) == 1:
            return float(len(shares))
        return min(max(math.exp(_log_hill(shares, order)), 1.0), float(len(shares)))

    def distance(self, other: Mix) -> float:
        r"""Return how much of the whole would have to be of another kind for the two to be alike.

        Parameters
        ----------
        other : Mix
            Another mix; a kind that one lacks has a share of 0 there.

        Returns
        -------
        float
            Total variation distance, in [0, 1].

        Raises
        ------
        InvalidTypeError
            `other` is not a Mix.

        Notes
        -----
        .. math:: d(p, q) = \tfrac12 \sum_i |p_i - q_i|

        Examples
        --------
        >>> Mix({"poll": 1.0}).distance(Mix({"lottery": 1.0}))
        1.0
        """
        instance("other", other, Mix, expected="a Mix")
        kinds = {**self.shares, **other.shares}
        gaps = (abs(self.shares.get(kind, 0.0) - other.shares.get(kind, 0.0)) for kind in kinds)
        # Rounded to what the sums of the shares vouch for, so that 0.7 - 0.4 is 0.3.
        return min(round(0.5 * math.fsum(gaps), 15), 1.0)

    def _positive(self) -> list[float]:
        """Return the shares above 0, which sum to 1 as closely as floats can."""
        total = math.fsum(self.shares.values())
        return [share / total for share in self.shares.values() if share > 0]

    def __repr__(self) -> str:
        """Show the kinds with their shares in per cent."""
        return f"Mix({', '.join(f'{kind} {share:.1%}' for kind, share in self.shares.items())})"

    def __reduce__(self) -> tuple[Callable[[dict[Kind, float]], Mix], tuple[dict[Kind, float]]]:
        """Pickle by the shares: their read-only view can't be pickled."""
        return Mix, (dict(self.shares),)


def _log_hill(shares: list[float], order: float) -> float:
    largest = max(shares)
    if order == math.inf or math.isinf(order * math.log(largest)):
        return -math.log(largest)
    if abs(order - 1.0) < _NEAR_ONE:
        if order == 1.0:
            return -math.fsum(share * math.log(share) for share in shares)
        excess = math.fsum(share * math.expm1((order - 1.0) * math.log(share)) for share in shares)
        return math.log1p(excess) / (1.0 - order)
    # Powers of the ratios to the largest share don't all vanish, however large the order.
    powers = math.fsum((share / largest) ** order for share in shares)
    return (order * math.log(largest) + math.log(powers)) / (1.0 - order)
