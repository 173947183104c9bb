"""A share that keeps its counts: hits out of trials, so that it can say how sure it is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, SupportsIndex

import attrs
import numpy as np

from shequn._doors import Doors
from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.stats._checks import array_of, whole
from shequn.stats.intervals import newcombe, wilson

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Rate", "RateDifference"]

_DEFAULT_LEVEL = 0.95


def _hits(hits: SupportsIndex) -> int:
    return whole("hits", hits)


def _trials(trials: SupportsIndex) -> int:
    return whole("trials", trials)


class RateDifference(NamedTuple):
    """One rate less another, with its interval.

    Attributes
    ----------
    value, lower, upper : float
        Difference and the ends of its interval, in [-1, 1]; NaN where either rate has no trials.

    Examples
    --------
    >>> change = Rate(9, 10).minus(Rate(3, 10))
    >>> print(f"{change.value:.0%}, {change.lower:.0%} to {change.upper:.0%}")
    60%, 17% to 81%
    """

    value: float
    lower: float
    upper: float


@attrs.frozen
class Rate(Doors):
    """Hits out of trials, as a fraction with its denominator.

    A rate stands for its value in ``float(rate)`` and in a product with a number. Two rates are equal when both counts
    are: 1 of 2 is not 2 of 4, since the second is surer.

    Parameters
    ----------
    hits, trials : int
        Counts, with 0 <= hits <= trials < 2**63.

    Raises
    ------
    InvalidTypeError
        If a count is not an integer.
    InvalidValueError
        If a count is negative or too large, or hits exceed trials.

    References
    ----------
    The read rate of ``spec/domain.md`` N7: 10,000 followers, 50 clicks, 0.5 %.

    Examples
    --------
    >>> read_rate = Rate(50, 10_000)
    >>> read_rate.value
    0.005
    >>> print(read_rate)
    0.50% (50 of 10,000, 95% CI 0.38%–0.66%)
    >>> read_rate * 2_000
    10.0
    """

    hits: int = attrs.field(converter=_hits)
    trials: int = attrs.field(converter=_trials)

    # NumPy numbers then leave `number * rate` to this class instead of making an object array.
    __array_ufunc__ = None

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.trials <= np.iinfo(np.int64).max:
            raise InvalidValueError(message("trials", "a count in [0, 2**63)", self.trials))
        if not 0 <= self.hits <= self.trials:
            raise InvalidValueError(message("hits", f"a count between 0 and trials ({self.trials})", self.hits))

    @classmethod
    def of(cls, mask: ArrayLike) -> Rate:
        """Return the rate of true entries in a boolean array.

        Parameters
        ----------
        mask : array_like of bool
            One entry a trial, any shape.

        Returns
        -------
        Rate
            True entries out of all entries.

        Raises
        ------
        InvalidTypeError
            If `mask` is not boolean.

        Examples
        --------
        >>> Rate.of([True, False, True, True])
        Rate(hits=3, trials=4)
        """
        entries = array_of("mask", mask, kinds="b", expected="booleans")
        return cls(int(np.count_nonzero(entries)), entries.size)

    @property
    def value(self) -> float:
        """Hits / trials, NaN without trials.

        Examples
        --------
        >>> Rate(0, 0).value
        nan
        """
        return self.hits / self.trials if self.trials else math.nan

    @property
    def lower(self) -> float:
        """Lower end of the 95 % Wilson interval, NaN without trials.

        Examples
        --------
        >>> Rate(0, 30).lower
        0.0
        """
        return self.interval()[0]

    @property
    def upper(self) -> float:
        """Upper end of the 95 % Wilson interval, NaN without trials.

        Examples
        --------
        >>> Rate(30, 30).upper
        1.0
        """
        return self.interval()[1]

    def interval(self, level: float = _DEFAULT_LEVEL) -> tuple[float, float]:
        """Return the Wilson score interval.

        Parameters
        ----------
        level : float, default 0.95
            Confidence level, between 0 and 1.

        Returns
        -------
        tuple of float
            ``(lower, upper)``, NaN without trials.

        Raises
        ------
        InvalidTypeError
            If `level` is not a number.
        InvalidValueError
            If `level` is not between 0 and 1.

        See Also
        --------
        shequn.stats.wilson : The same for arrays, with the definition.

        Examples
        --------
        >>> lower, upper = Rate(81, 263).interval()
        >>> round(lower, 4), round(upper, 4)
        (0.2553, 0.3662)
        """
        lower, upper = wilson(self.hits, self.trials, level=level)
        return float(lower), float(upper)

    def minus(self, other: Rate, *, level: float = _DEFAULT_LEVEL) -> RateDifference:
        """Return this rate less another one of independent trials, with Newcombe's interval.

        Parameters
        ----------
        other : Rate
            The rate to take away; its trials share no units with these.
        level : float, default 0.95
            Confidence level, between 0 and 1.

        Returns
        -------
        RateDifference
            ``(value, lower, upper)``, NaN where either rate has no trials.

        Raises
        ------
        InvalidTypeError
            If `other` is not a Rate, or `level` is not a number.
        InvalidValueError
            If `level` is not between 0 and 1.

        See Also
        --------
        shequn.stats.newcombe : The same for arrays, with the definition.

        Examples
        --------
        >>> change = Rate(56, 70).minus(Rate(48, 80))
        >>> [round(x, 4) for x in change]
        [0.2, 0.0524, 0.3339]
        """
        if not isinstance(other, Rate):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message("other", "a Rate", other))
        lower, upper = newcombe(self.hits, self.trials, other.hits, other.trials, level=level)
        return RateDifference(self.value - other.value, float(lower), float(upper))

    def __float__(self) -> float:
        return self.value

    def __mul__(self, factor: float) -> float:
        return self.value * factor

    __rmul__ = __mul__

    def __str__(self) -> str:
        """Return the value in per cent, the counts and the 95 % interval."""
        if not self.trials:
            return "– (0 of 0)"
        lower, upper = self.interval()
        digits = _decimals(upper)
        return (
            f"{self.value:.{digits}%} ({self.hits:,} of {self.trials:,}, 95% CI {lower:.{digits}%}–{upper:.{digits}%})"
        )


def _decimals(upper: float) -> int:
    """Return how many decimals of a per cent show two digits of the interval's upper end, at least one."""
    return max(1, 1 - math.floor(math.log10(100.0 * upper)))
