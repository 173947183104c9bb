"""Does a larger reward bring more people, and how much more (激励弹性)?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs

from shequn.entities.reward import money
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import items_of, level_in_unit, number
from shequn.stats.tails import normal_quantile
from shequn.values import Money, Rate

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Elasticity", "arc_elasticity"]

_STEPS = 200
_FARTHEST = 700.0  # of the logarithm of a ratio


def _value(value: float) -> float:
    return number("value", value)


def _lower(lower: float) -> float:
    return number("lower", lower)


def _upper(upper: float) -> float:
    return number("upper", upper)


@attrs.frozen(kw_only=True)
class Elasticity:
    """By how many per cent a response grows for each per cent that a reward grows; made by `arc_elasticity`.

    Attributes
    ----------
    value, lower, upper : float
        The estimate and its interval.

    Examples
    --------
    >>> print(Elasticity(value=0.5, lower=0.2, upper=0.8))
    elasticity 0.50 (0.20 to 0.80)
    """

    value: float = attrs.field(converter=_value)
    lower: float = attrs.field(converter=_lower)
    upper: float = attrs.field(converter=_upper)

    def __str__(self) -> str:
        """Return the estimate and its interval."""
        return f"elasticity {self.value:.2f} ({self.lower:.2f} to {self.upper:.2f})"


def arc_elasticity(responses: Sequence[Rate], /, *, rewards: Sequence[Money], level: float = 0.95) -> Elasticity:
    r"""Return the arc elasticity between two levels of a reward that were tried on different members.

    Parameters
    ----------
    responses : two Rate
        How many of how many answered at each of the levels.
    rewards : two Money
        The levels, above 0 and different, in one currency.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    Elasticity
        Above 1 a larger reward brings more than it grows, below 0 fewer people.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used: a rate without trials, nobody at either level, equal rewards, two currencies.

    Notes
    -----
    The difference of the responses over their mean, over the difference of the rewards over theirs,

    .. math:: e = \frac{(p_2 - p_1) / (p_1 + p_2)}{(r_2 - r_1) / (r_1 + r_2)}
                = \frac{\theta - 1}{\theta + 1} \cdot \frac{r_2 + r_1}{r_2 - r_1}, \qquad \theta = p_2 / p_1.

    It rises with :math:`\theta` alone, so that the interval is that of the ratio of two proportions (Koopman's score
    interval), moved along. If the levels were not given out at random, whatever else differs between those who got them
    is in it.

    References
    ----------
    S0, S3 §4.1, row I5 of the domain table. Koopman, P. A. R. (1984). Confidence intervals for the ratio of two
    binomial proportions. Biometrics 40(2), 513-517. https://doi.org/10.2307/2531405

    Examples
    --------
    >>> print(arc_elasticity([Rate(100, 1_000), Rate(150, 1_000)], rewards=[Money.of(5, "CNY"), Money.of(10, "CNY")]))
    elasticity 0.60 (0.25 to 0.93)
    """
    expected = "two rates, such as [Rate(100, 1_000), Rate(150, 1_000)]"
    rates = items_of("responses", responses, expected=expected)
    if len(rates) != 2 or not all(isinstance(rate, Rate) for rate in rates):  # noqa: PLR2004
        raise InvalidTypeError(message("responses", expected, responses))
    first, second = rates
    for rate in rates:
        if not rate.trials:
            raise InvalidValueError(message("responses", "rates with at least one trial", rate))
    if not first.hits + second.hits:
        raise InvalidValueError(message("responses", "at least one who answered", responses))
    ratio = _ratio_of(rewards)
    z = -float(normal_quantile((1 - level_in_unit(level)) / 2))
    # θ as its logarithm; (θ − 1) / (θ + 1) = tanh(log θ / 2)
    estimate = math.inf if not first.hits else -math.inf if not second.hits else math.log(second.value / first.value)
    ends = (_end(first, second, z, estimate, -1), _end(first, second, z, estimate, 1))
    value, low, high = (math.tanh(log / 2) * ratio for log in (estimate, *ends))
    return Elasticity(value=value, lower=min(low, high), upper=max(low, high))


def _ratio_of(rewards: Sequence[Money]) -> float:
    """Return the sum of two amounts over their difference."""
    given = items_of("rewards", rewards, expected="two amounts of Money")
    if len(given) != 2:  # noqa: PLR2004
        raise InvalidTypeError(message("rewards", "two amounts of Money", rewards))
    low, high = (money("rewards", amount) for amount in given)
    if low.currency != high.currency:
        raise InvalidValueError(message("rewards", f"two amounts in {low.currency}", str(high)))
    if not low or not high or low == high:
        raise InvalidValueError(message("rewards", "two different amounts above 0", [str(low), str(high)]))
    return (high.minor + low.minor) / (high.minor - low.minor)


def _end(first: Rate, second: Rate, z: float, estimate: float, way: int) -> float:
    """Return where Koopman's statistic reaches z², going away from the estimate, in logarithms of the ratio."""
    if math.isinf(estimate) and (estimate > 0) == (way > 0):
        return estimate
    # Both hit each time: the ratio is 1, and so finite; else start from what is far on the other side.
    near = max(min(estimate, _FARTHEST), -_FARTHEST)
    far = way * _FARTHEST
    if _statistic(first, second, far) < z * z:
        return way * math.inf
    for _ in range(_STEPS):
        middle = (near + far) / 2
        if _statistic(first, second, middle) < z * z:
            near = middle
        else:
            far = middle
    return (near + far) / 2


def _statistic(first: Rate, second: Rate, log_ratio: float) -> float:
    """Return Pearson's chi-square of both counts where the second proportion is a given multiple of the first."""
    if log_ratio > 0:  # the larger proportion is the one that can reach 1
        return _statistic(second, first, -log_ratio)
    ratio = math.exp(log_ratio)
    x, m, y, n = first.hits, first.trials, second.hits, second.trials
    square, linear = ratio * (m + n), -(y + m + ratio * (x + n))
    root = math.sqrt(max(linear * linear - 4 * square * (x + y), 0.0))
    p = min(2 * (x + y) / (-linear + root), 1.0)
    return _deviation(x, m, p) + _deviation(y, n, ratio * p)


def _deviation(hits: int, trials: int, p: float) -> float:
    off, spread = hits - trials * p, trials * p * (1 - p)
    if spread <= 0:
        return 0.0 if abs(off) < 1e-9 * trials else math.inf
    return off * off / spread
