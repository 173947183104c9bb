"""How many members must be treated and held out, for a campaign's effect to show?"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias

from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import number_between, whole
from shequn.stats.tails import normal_quantile

__all__ = [
    "SampleSize",
    "minimum_detectable",
    "minimum_detectable_mean",
    "required_sample",
    "required_sample_of_means",
]

Sided: TypeAlias = Literal[1, 2]

_HALVINGS = 200
_MOST_MEMBERS = 2**63 - 1


class SampleSize(NamedTuple):
    """Members that a campaign needs in each arm.

    Examples
    --------
    >>> SampleSize(treated=800, held_out=200).total
    1000
    """

    treated: int
    held_out: int

    @property
    def total(self) -> int:
        """Members of both arms together."""
        return self.treated + self.held_out


def required_sample(
    rate: float, uplift: float, *, power: float = 0.8, level: float = 0.95, share: float = 0.5, sided: Sided = 2
) -> SampleSize:
    r"""Return how many members it takes to find that a campaign changes a share.

    Parameters
    ----------
    rate : float
        Share that converts without the campaign, in [0, 1].
    uplift : float
        What the campaign adds to it, not 0: 0.02 from 5 % to 7 %. ``rate + uplift`` lies in [0, 1].
    power : float, default 0.8
        Probability of finding it, in [0.5, 1).
    level : float, default 0.95
        Confidence level of the interval, or 1 less the level of the test; in [0.5, 1).
    share : float, default 0.5
        Share of members who are treated.
    sided : {2, 1}, default 2
        Whether an effect of either sign is looked for.

    Returns
    -------
    SampleSize

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used.

    Notes
    -----
    With p the rate, q = p + uplift, s the share, :math:`\bar p = s q + (1 - s) p` and z normal quantiles, the members
    of both arms together are

    .. math:: N = \left( z_\alpha \sqrt{\frac{\bar p (1 - \bar p)}{s (1 - s)}}
        + z_\beta \sqrt{\frac{q (1 - q)}{s} + \frac{p (1 - p)}{1 - s}} \right)^2 \Big/ (q - p)^2,

    of which each arm gets its share, rounded up. Members of both arms must be drawn by lot.

    References
    ----------
    Fleiss, J. L., Levin, B. and Paik, M. C. (2003). Statistical Methods for Rates and Proportions, 3rd edition,
    formulas 4.14 and 4.19. https://doi.org/10.1002/0471445428

    Examples
    --------
    >>> required_sample(0.05, 0.02)
    SampleSize(treated=2213, held_out=2213)
    >>> required_sample(0.05, 0.02, share=0.9).total
    12854
    """
    low = number_between("rate", rate, 0, 1)
    gain = _effect(uplift)
    high = low + gain
    if not 0 <= high <= 1:
        raise InvalidValueError(
            message("uplift", f"a number that leaves rate + uplift in [0, 1], from {low:g}", uplift)
        )
    treated = _inner("share", share)
    z_alpha, z_beta = _quantiles(power, level, sided)
    per_root = _noise(low, high, treated, z_alpha, z_beta) / gain
    return _dealt(per_root * per_root, share, uplift)


def required_sample_of_means(
    sd: float, uplift: float, *, power: float = 0.8, level: float = 0.95, share: float = 0.5, sided: Sided = 2
) -> SampleSize:
    r"""Return how many members it takes to find that a campaign changes a mean, such as revenue per member.

    Parameters
    ----------
    sd : float
        Standard deviation of the number over members, above 0. Adjusted by what members did before (CUPED), it is
        :math:`\sqrt{1 - \rho^2}` times as large.
    uplift : float
        What the campaign adds to the mean, in the unit of `sd`; not 0.
    power, level, share, sided
        As in `required_sample`.

    Returns
    -------
    SampleSize

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used.

    Notes
    -----
    :math:`N = (z_\alpha + z_\beta)^2 \sigma^2 / (s (1 - s) \Delta^2) + z_\alpha^2 / 2`, the last term as the test is
    Student's.

    References
    ----------
    Guenther, W. C. (1981). Sample size formulas for normal theory t tests. The American Statistician 35, 243-244.
    https://doi.org/10.1080/00031305.1981.10479363

    Examples
    --------
    >>> required_sample_of_means(12_000, 1_500)
    SampleSize(treated=1006, held_out=1006)
    """
    spread, gain = number_between("sd", sd, 0, excluding="least"), _effect(uplift)
    treated = _inner("share", share)
    z_alpha, z_beta = _quantiles(power, level, sided)
    per_root = (z_alpha + z_beta) * (spread / gain)
    total = per_root * per_root / treated / (1.0 - treated) + z_alpha**2 / 2.0
    return _dealt(total, share, uplift)


def minimum_detectable(
    rate: float, members: int, *, power: float = 0.8, level: float = 0.95, share: float = 0.5, sided: Sided = 2
) -> float:
    """Return the smallest gain in a share that so many members would show; the inverse of `required_sample`.

    Parameters
    ----------
    rate : float
        Share that converts without the campaign, in [0, 1].
    members : int
        Members of both arms together, 2 or more.
    power, level, share, sided
        As in `required_sample`.

    Returns
    -------
    float
        Uplift above 0; NaN where even that to 100 % would not show.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used.

    Examples
    --------
    >>> round(minimum_detectable(0.05, 4_426), 4)
    0.02
    """
    low, n = number_between("rate", rate, 0, 1), _members(members)
    treated = _inner("share", share)
    z_alpha, z_beta = _quantiles(power, level, sided)

    def is_seen(gain: float) -> bool:
        return _noise(low, low + gain, treated, z_alpha, z_beta) <= gain * math.sqrt(n)

    # The noise is concave in the gain, so that from the smallest gain that shows every larger one does.
    least, most = 0.0, 1.0 - low
    if not most or not is_seen(most):
        return math.nan
    for _ in range(_HALVINGS):
        middle = (least + most) / 2.0
        if not least < middle < most:
            break
        least, most = (least, middle) if is_seen(middle) else (middle, most)
    return most


def minimum_detectable_mean(
    sd: float, members: int, *, power: float = 0.8, level: float = 0.95, share: float = 0.5, sided: Sided = 2
) -> float:
    """Return the smallest gain in a mean that so many members would show; the inverse of `required_sample_of_means`.

    Parameters
    ----------
    sd : float
        Standard deviation of the number over members, above 0.
    members : int
        Members of both arms together, 2 or more.
    power, level, share, sided
        As in `required_sample`.

    Returns
    -------
    float
        Uplift above 0; NaN where there are too few members for any.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        An argument can't be used.

    Examples
    --------
    >>> round(minimum_detectable_mean(12_000, 2_012))
    1500
    """
    spread, n = number_between("sd", sd, 0, excluding="least"), _members(members)
    treated = _inner("share", share)
    z_alpha, z_beta = _quantiles(power, level, sided)
    left = n - z_alpha**2 / 2.0
    return (z_alpha + z_beta) * spread / math.sqrt(treated * (1.0 - treated) * left) if left > 0 else math.nan


def _effect(uplift: float) -> float:
    gain = number_between("uplift", uplift, -math.inf)
    if not gain:
        raise InvalidValueError(message("uplift", "a number other than 0", uplift))
    return gain


def _members(members: int) -> int:
    n = whole("members", members)
    if not 2 <= n <= _MOST_MEMBERS:  # noqa: PLR2004
        raise InvalidValueError(message("members", "2 or more, below 2**63", members))
    return n


def _inner(argument: str, value: float) -> float:
    share = number_between(argument, value, 0, 1)
    if share in {0.0, 1.0}:
        raise InvalidValueError(message(argument, "a share between 0 and 1, both excluded", value))
    return share


def _quantiles(power: float, level: float, sided: Sided) -> tuple[float, float]:
    least = number_between("power", power, 0.5, 1, excluding="most")
    tail = 1.0 - number_between("level", level, 0.5, 1, excluding="most")
    if isinstance(sided, bool) or not isinstance(sided, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidTypeError(message("sided", "1 or 2", sided))
    if sided not in {1, 2}:
        raise InvalidValueError(message("sided", "1 or 2", sided))
    return -float(normal_quantile(tail / sided)), float(normal_quantile(least))


def _noise(low: float, high: float, share: float, z_alpha: float, z_beta: float) -> float:
    """Return what the gain has to exceed, times the root of the number of members."""
    pooled = share * high + (1.0 - share) * low
    spread_apart = max(high * (1.0 - high), 0.0) / share + low * (1.0 - low) / (1.0 - share)
    pooled_spread = max(pooled * (1.0 - pooled), 0.0) / (share * (1.0 - share))
    return z_alpha * math.sqrt(pooled_spread) + z_beta * math.sqrt(spread_apart)


def _dealt(total: float, share: float, uplift: float) -> SampleSize:
    if not total <= _MOST_MEMBERS:
        raise InvalidValueError(message("uplift", "an effect that fewer than 2**63 members can show", uplift))
    # The share is the decimal that it prints as, so that 0.9 of 10 is 9.
    part = Fraction(str(float(share)))
    return SampleSize(max(math.ceil(total * part), 1), max(math.ceil(total * (1 - part)), 1))
