"""How likely is each entrant of a draw to win something?"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.campaigns.drawing import per_member_of, require_enough
from shequn.columns.readonly import frozen
from shequn.errors import InvalidValueError, message
from shequn.stats._checks import counts_column, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, FloatArray, IntArray

__all__ = ["win_probabilities"]

_NEGLIGIBLE = 1e-17
_ENOUGH = 1e-12
_POINTS, _MOST_PANELS = 24, 64
_MOST_CELLS = 1 << 21  # of one table of probabilities: points × prizes
_MOST_PRIZES = 20_000
_ROUNDS, _GRID = 3, 17


class _Groups(NamedTuple):
    """Entrants with the same number of tickets: how many tickets, and how many entrants."""

    tickets: IntArray
    size: IntArray


def win_probabilities(tickets: ArrayLike, n_prizes: int, /, *, per_member: int = 1) -> FloatArray:
    r"""Return how likely each entrant of a `draw` is to win at least one prize.

    Parameters
    ----------
    tickets : array_like of int, shape (n,)
        How many tickets each entrant has, 0 or more.
    n_prizes : int
        How many prizes are drawn, 20,000 at most.
    per_member : int, default 1
        How many of them one member can win.

    Returns
    -------
    ndarray of float64, shape (n,)
        Probabilities, read-only; with ``per_member=1`` their sum is `n_prizes`. Right to about 1e-11.

    Raises
    ------
    InvalidTypeError, InvalidValueError, MisalignedError
        An argument can't be used.
    InfeasibleError
        There are more prizes than can be won under the cap.

    Notes
    -----
    Twice the tickets is less than twice the chance, since one can win only so often. Let each ticket be called at a
    time of its own, all with the same exponential distribution: the order of calls is that of the draw. With w tickets,
    the first one is called at time t with density :math:`w e^{-wt}`, and wins if members other than this one have won
    fewer than `n_prizes` by then:

    .. math:: P_i = \int_0^\infty w_i e^{-w_i t}\; P\Big(\sum_{j \ne i} \min(B_j(t), m) < k\Big)\, dt,
              \qquad B_j(t) \sim \mathrm{Binomial}(w_j, 1 - e^{-t}).

    The sum's distribution is the product of polynomials, one for each number of tickets; the integral is taken by
    Gauss-Legendre in log t, where the second factor is neither 0 nor 1, in twice the panels until nothing changes.
    Time grows with the number of different `tickets`, not with n.

    References
    ----------
    Yu, Y. (2012). On the inclusion probabilities in some unequal probability sampling plans without replacement.
    Bernoulli 18(1), 279-289. https://doi.org/10.3150/10-BEJ337, for the exponential times.

    Examples
    --------
    >>> win_probabilities([2, 1, 1], 2).round(6).tolist()  # 5/6, 7/12, 7/12
    [0.833333, 0.583333, 0.583333]
    """
    given = counts_column("tickets", tickets, (-1,), of="each entrant")
    most, n_drawn = per_member_of(per_member), whole("n_prizes", n_prizes)
    if not 0 <= n_drawn <= _MOST_PRIZES:
        raise InvalidValueError(message("n_prizes", f"0 to {_MOST_PRIZES:,}", n_prizes))
    require_enough(given, n_drawn, most, argument="n_prizes")
    distinct, place, size = np.unique(given, return_inverse=True, return_counts=True)
    has_some = distinct > 0
    chances = np.zeros(len(distinct))
    if n_drawn:
        groups = _Groups(distinct[has_some], size[has_some])
        chances[has_some] = _chances(groups, n_drawn, min(most, n_drawn))
    return frozen(chances[place])


def _chances(groups: _Groups, n_prizes: int, most: int) -> FloatArray:
    """Return the chance of one entrant of each group."""
    can_win = np.minimum(groups.tickets, most)
    if int((groups.size * can_win).sum()) == n_prizes:
        return np.ones(len(groups.tickets))
    below = partial(_below, groups, n_prizes, most)
    rate = groups.tickets.astype(np.float64)
    # Others can win less than all prizes for certain: whoever of the group stays calls last, and always wins.
    start = _narrowed(lambda t: below(t).min(axis=0) > 1 - _NEGLIGIBLE * 10, rate)
    end = _narrowed(lambda t: (below(t) * np.exp(-rate[:, None] * t)).max(axis=0) > _NEGLIGIBLE, rate)
    before = -np.expm1(-rate * start)
    found, n_panels = None, 2
    while True:
        last, found = found, before + _integral(below, rate, start, max(end, start * (1 + 1e-9)), n_panels)
        is_settled = last is not None and np.abs(found - last).max() < _ENOUGH
        if is_settled or n_panels >= _MOST_PANELS:
            return np.clip(found, 0.0, 1.0)
        n_panels *= 2


def _narrowed(holds: Callable[[FloatArray], BoolArray], rate: FloatArray) -> float:
    """Return about where something that holds for short times holds no longer."""
    low, high = float(np.log(1e-25 / rate.sum())), float(np.log(100.0 / rate.min()))
    for _ in range(_ROUNDS):
        grid = np.linspace(low, high, _GRID)
        first = int(np.argmin(np.append(holds(np.exp(grid[1:-1])), False)))
        low, high = float(grid[first]), float(grid[first + 1])
    return float(np.exp((low + high) / 2))


def _integral(
    below: Callable[[FloatArray], FloatArray], rate: FloatArray, start: float, end: float, n_panels: int
) -> FloatArray:
    points, weights = _rule()
    half = (np.log(end) - np.log(start)) / (2 * n_panels)
    middle = np.log(start) + half * (2 * np.arange(n_panels) + 1)
    times = np.exp(middle[:, None] + half * points).ravel()
    density = rate[:, None] * np.exp(-rate[:, None] * times) * times
    area: FloatArray = (density * below(times) * np.tile(weights, n_panels)).sum(axis=1) * half
    return area


@cache
def _rule() -> tuple[FloatArray, FloatArray]:
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    return frozen(points), frozen(weights)


def _below(groups: _Groups, n_prizes: int, most: int, times: FloatArray) -> FloatArray:
    """Return how likely it is that members other than one of each group have won too few, shape (n_groups, n_times)."""
    step = max(_MOST_CELLS // n_prizes, 1)
    parts = [_below_at(groups, n_prizes, most, times[at : at + step]) for at in range(0, len(times), step)]
    return np.concatenate(parts, axis=1)


def _below_at(groups: _Groups, n_prizes: int, most: int, times: FloatArray) -> FloatArray:
    n_groups = len(groups.tickets)
    one = [_won_by_one(int(w), most, n_prizes, times) for w in groups.tickets]
    others = [_power(polynomial, int(n) - 1) for polynomial, n in zip(one, groups.size, strict=True)]
    nobody = np.zeros((len(times), n_prizes))
    nobody[:, 0] = 1.0
    # Of all groups but one: those before it times those after it.
    after = [nobody] * (n_groups + 1)
    for g in range(n_groups - 1, 0, -1):
        after[g] = _product(after[g + 1], _product(others[g], one[g]))
    found, before = np.empty((n_groups, len(times))), nobody
    for g in range(n_groups):
        found[g] = _product(_product(before, others[g]), after[g + 1]).sum(axis=1)
        before = _product(before, _product(others[g], one[g]))
    return np.clip(found, 0.0, 1.0)


def _won_by_one(tickets: int, most: int, n_prizes: int, times: FloatArray) -> FloatArray:
    """Return the probabilities of 0, 1, … n_prizes − 1 calls of a member who can win `most`, shape (n_times, n)."""
    top = min(tickets, most)
    called, log_kept = -np.expm1(-times), -times
    log_called = np.log(np.maximum(called, 1e-300))
    found = np.zeros((len(times), max(top + 1, n_prizes)))
    log_choose = 0.0
    for won in range(top):
        found[:, won] = np.exp(log_choose + won * log_called + (tickets - won) * log_kept)
        log_choose += np.log((tickets - won) / (won + 1))
    found[:, top] = np.maximum(1.0 - found[:, :top].sum(axis=1), 0.0)
    if top == 1:
        found[:, 1] = -np.expm1(-tickets * times)
    return found[:, :n_prizes]


def _power(polynomial: FloatArray, exponent: int) -> FloatArray:
    """Return a power of polynomials, up to their degree, by squaring."""
    result = np.zeros_like(polynomial)
    result[:, 0] = 1.0
    while exponent:
        if exponent & 1:
            result = _product(result, polynomial)
        exponent >>= 1
        if exponent:
            polynomial = _product(polynomial, polynomial)
    return result


def _product(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return products of polynomials, up to the same degree."""
    n = one.shape[1]
    length = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(one, length) * np.fft.rfft(other, length)
    product = np.fft.irfft(spectrum, length)[:, :n]
    return np.maximum(product, 0.0)
