"""Below which value does a share of the counts lie, and how sure is that? Quantiles of a table of value and count.

No distribution is assumed: how many of n draws fall below a quantile of what they were drawn from is binomial, whatever
that is, and the ranks that follow from it bound the quantile.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from shequn.errors import InvalidValueError, MisalignedError, message
from shequn.stats._checks import counts, level_in_unit, reals, refuse
from shequn.stats.intervals import Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from shequn._typing import FloatArray, IntArray

__all__ = ["inner_shares", "quantile_interval", "weighted_quantile"]

# A share such as 0.07 is rounded, and so is its product with a count: 0.07 * 100 is a little more than 7.
_ROUNDING: Final = 4 * float(np.finfo(np.float64).eps)
# The work grows with the root of the total: ten million take a millisecond, 10**12 under a second.
_MOST_COUNTS: Final = 10**12
# Beyond so many standard deviations and ranks from the mean, a tail is nothing beside any level that a float can hold.
_DEVIATIONS: Final = 12
_RANKS: Final = 100


def weighted_quantile(values: ArrayLike, counts: ArrayLike, q: ArrayLike) -> FloatArray:
    r"""Return quantiles of a table of value and count.

    Parameters
    ----------
    values : array_like of int or float, shape (n,)
        Values in ascending order.
    counts : array_like of int, shape (n,)
        How often each value occurs, 0 or more.
    q : array_like of float
        Shares in [0, 1], any shape.

    Returns
    -------
    ndarray of float64, shape of `q`
        The smallest value with a cumulative count of at least q times the total: always one of the values that occur.
        NaN where nothing was counted.

    Raises
    ------
    InvalidTypeError
        If values or shares are not numeric, or counts not integers.
    InvalidValueError
        If values are not ascending, a count is negative, there are more than 10**12 of them, or a share lies outside
        [0, 1].
    MisalignedError
        If `values` and `counts` differ in length.

    Notes
    -----
    The inverse of the empirical distribution function, :math:`\min \{v : F(v) \ge q\}`. A product of share and total
    that exceeds a whole number by rounding alone counts as that number.

    References
    ----------
    Hyndman, R. J. and Fan, Y. (1996). Sample quantiles in statistical packages. American Statistician 50, 361-365,
    definition 1. https://doi.org/10.1080/00031305.1996.10473566

    Examples
    --------
    >>> weighted_quantile([1, 2, 5], [7, 2, 1], [0.5, 0.8, 0.95])
    array([1., 2., 5.])
    """
    column, cumulative = _table(values, counts)
    shares = reals("q", q)
    outside = ~((shares >= 0) & (shares <= 1))
    if outside.any():
        refuse("q", "shares in [0, 1]", shares, outside)
    return _value_at(_rank(shares, _total(cumulative)), column, cumulative)


def quantile_interval(values: ArrayLike, counts: ArrayLike, q: ArrayLike, *, level: float = 0.95) -> Interval:
    r"""Return distribution-free intervals of quantiles, from a table of value and count.

    Parameters
    ----------
    values : array_like of int or float, shape (n,)
        Values in ascending order.
    counts : array_like of int, shape (n,)
        How often each value occurs, 0 or more; independent draws.
    q : array_like of float
        Shares between 0 and 1, any shape.
    level : float, default 0.95
        Confidence level, between 0 and 1.

    Returns
    -------
    Interval
        ``(lower, upper)`` of the shape of `q`, values that occur, around what `weighted_quantile` gives. NaN for an end
        that so few draws cannot bound.

    Raises
    ------
    InvalidTypeError
        If values or shares are not numeric, or counts not integers.
    InvalidValueError
        If values are not ascending, a count is negative, there are more than 10**12 of them, or a share or `level` is
        not between 0 and 1.
    MisalignedError
        If `values` and `counts` differ in length.

    Notes
    -----
    With B binomial of n trials and chance q, and :math:`\alpha = 1 -` `level`, the ends are the order statistics of the
    largest rank r with :math:`P(B < r) \le \alpha / 2` and the smallest rank s with :math:`P(B \ge s) \le \alpha / 2`.
    The tails are exact sums, so the interval covers the quantile with a probability of `level` or more, ties or not.

    References
    ----------
    David, H. A. and Nagaraja, H. N. (2003). Order Statistics, 3rd ed., section 7.1.
    https://doi.org/10.1002/0471722162

    Examples
    --------
    >>> lower, upper = quantile_interval([10, 20, 30, 40], [25, 25, 25, 25], [0.5, 0.99])
    >>> lower, upper
    (array([20., 40.]), array([30., nan]))
    """
    half = (1.0 - level_in_unit(level)) / 2.0
    column, cumulative = _table(values, counts)
    shares = inner_shares("q", q)
    n = _total(cumulative)
    ranks = [_bounding_ranks(n, share, half) for share in shares.ravel().tolist()]
    low, high = np.array(ranks, dtype=np.int64).reshape(-1, 2).T.reshape(2, *shares.shape)
    return Interval(_value_at(low, column, cumulative), _value_at(high, column, cumulative))


def inner_shares(argument: str, values: ArrayLike) -> FloatArray:
    """Return `values` as float64; anything but shares strictly between 0 and 1 is refused.

    Examples
    --------
    >>> inner_shares("q", [0.5, 0.9])
    array([0.5, 0.9])
    """
    shares = reals(argument, values)
    outside = ~((shares > 0) & (shares < 1))
    if outside.any():
        refuse(argument, "shares between 0 and 1, both excluded", shares, outside)
    return shares


def _table(values: ArrayLike, times_seen: ArrayLike) -> tuple[FloatArray, IntArray]:
    """Return values and cumulative counts."""
    column, seen = reals("values", values), counts("counts", times_seen)
    for name, array in (("values", column), ("counts", seen)):
        if array.ndim != 1:
            raise InvalidValueError(message(name, "one axis", f"shape {array.shape}"))
    if len(column) != len(seen):
        expected = f"as many rows as `values`, which has {len(column)}"
        raise MisalignedError(message("counts", expected, len(seen)) + " rows")
    # NaN compares with nothing, and so never ascends.
    unordered = np.isnan(column)
    unordered[1:] |= ~(column[1:] >= column[:-1])
    if unordered.any():
        refuse("values", "numbers in ascending order", column, unordered)
    total = float(seen.sum(dtype=np.float64))
    if total > _MOST_COUNTS:
        raise InvalidValueError(message("counts", "at most 10**12 in total", total))
    return column, np.cumsum(seen)


def _total(cumulative: IntArray) -> int:
    return int(cumulative[-1]) if len(cumulative) else 0


def _rank(shares: FloatArray, n: int) -> IntArray:
    """Return the rank, from 1, of the value at a share."""
    return np.maximum(np.ceil(shares * n * (1.0 - _ROUNDING)), 1.0).astype(np.int64)


def _value_at(rank: NDArray[Any], column: FloatArray, cumulative: IntArray) -> FloatArray:
    """Return the value of a rank, NaN for one outside 1..n."""
    row = np.searchsorted(cumulative, rank, side="left")
    value = np.where(rank > 0, np.append(column, np.nan)[row], np.nan)
    value.setflags(write=False)
    return value


def _bounding_ranks(n: int, q: float, half: float) -> tuple[int, int]:
    """Return the largest r with P(B < r) at most `half` and the smallest s with P(B >= s) at most `half`."""
    first, chances = _binomial(n, q)
    below = np.cumsum(chances)  # P(B <= first), P(B <= first + 1), …
    above = np.cumsum(chances[::-1])  # P(B >= last), P(B >= last - 1), …
    r = first + int(np.searchsorted(below, half, side="right"))
    s = first + len(chances) - int(np.searchsorted(above, half, side="right"))
    return r, s


def _binomial(n: int, q: float) -> tuple[int, FloatArray]:
    """Return the chances of the numbers of hits in n trials that can come up, and the first of these numbers.

    Each is the one next to it times a simple quotient, from the most likely number outwards; that they add up to 1
    gives the scale.
    """
    mode = min(int((n + 1) * q), n)
    reach = math.ceil(_DEVIATIONS * math.sqrt(n * q * (1.0 - q))) + _RANKS
    first, last = max(mode - reach, 0), min(mode + reach, n)
    odds = q / (1.0 - q)
    k = np.arange(mode, last)
    up = np.cumprod((n - k) / (k + 1.0) * odds)
    k = np.arange(mode, first, -1)
    down = np.cumprod(k / ((n - k + 1.0) * odds))
    chances = np.concatenate([down[::-1], [1.0], up])
    return first, chances / chances.sum()
