"""Where do units end up that move between states at constant rates? Powers and the long run of a Markov chain.

A state whose row is NaN is one that nobody was seen to start from: where its units go is not known. What depends on it
is not known either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.errors import InvalidValueError, message
from shequn.stats._checks import array_of, refuse, whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, FloatArray

__all__ = ["closed_classes", "stationary_distribution", "transition_power"]

_ROUNDING = 1e-9


def closed_classes(rates: ArrayLike) -> tuple[tuple[int, ...], ...]:
    """Return the sets of states that are never left and within which each state leads to each other one.

    Parameters
    ----------
    rates : array_like of float, shape (k, k)
        Share of the units in the state of the row that are in the state of the column one period later; rows add up to
        1. A row of NaN stands for a state of which that is not known, and is in no class.

    Returns
    -------
    tuple of tuple of int
        Ascending positions in each, in the order of their first one.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        `rates` are no rates.

    Examples
    --------
    >>> closed_classes([[0.5, 0.3, 0.2], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    ((1,), (2,))
    """
    chain = _chain(rates)
    leads = _leads_to(chain)
    unknown = _unknown_states(chain)
    comes_back = (~leads | leads.T).all(axis=1) & ~unknown  # from the unknown nothing is seen to come back
    found: dict[int, tuple[int, ...]] = {}
    for state in np.flatnonzero(comes_back).tolist():
        together = np.flatnonzero(leads[state])
        found.setdefault(int(together[0]), tuple(together.tolist()))
    return tuple(found.values())


def stationary_distribution(rates: ArrayLike) -> FloatArray:
    r"""Return the one distribution over the states that stays what it is.

    Parameters
    ----------
    rates : array_like of float, shape (k, k)
        As in `closed_classes`.

    Returns
    -------
    ndarray of float64, shape (k,)
        Shares that add up to 1; 0 for a state that is left for good.

    Raises
    ------
    InvalidTypeError
        `rates` are not numbers.
    InvalidValueError
        `rates` are no rates; units end up in more than one closed class, so that the long run depends on where they
        start; or a state that is entered has a row of NaN.

    Notes
    -----
    The solution of :math:`\pi P = \pi`, :math:`\sum \pi = 1`. It is unique exactly where one set of states is closed
    (once in, never out) and each state leads there. Where that set is gone through in a fixed rhythm (two states that
    change places each period), shares go back and forth around it and do not settle; it is then their mean over time.

    Solved by the elimination of Grassmann, Taksar and Heyman, which never subtracts, so that small shares keep their
    digits.

    References
    ----------
    Grassmann, W. K., Taksar, M. I. and Heyman, D. P. (1985). Regenerative analysis and steady state distributions for
    Markov chains. Operations Research 33, 1107-1116. https://doi.org/10.1287/opre.33.5.1107

    Examples
    --------
    >>> stationary_distribution([[0.9, 0.1], [0.3, 0.7]])
    array([0.75, 0.25])
    """
    chain = _chain(rates)
    unknown = _unknown_states(chain)
    entered = unknown & (chain[~unknown] > 0).any(axis=0)
    if entered.any():
        expected = "a known row for each state that is entered"
        state = int(np.flatnonzero(entered)[0])
        raise InvalidValueError(message("rates", expected, np.nan, row=state, bad=int(entered.sum()), total=len(chain)))
    closed = closed_classes(chain)
    if len(closed) != 1:
        expected = "one closed class of states, or the long run depends on the start"
        raise InvalidValueError(message("rates", expected, list(closed)))
    states = np.array(closed[0], dtype=np.int64)
    distribution = np.zeros(len(chain))
    distribution[states] = _grassmann(chain[np.ix_(states, states)].copy())
    distribution.setflags(write=False)
    return distribution


def transition_power(rates: ArrayLike, n: int) -> FloatArray:
    """Return the share of the units in one state that are in another one n periods later.

    Parameters
    ----------
    rates : array_like of float, shape (k, k)
        As in `closed_classes`.
    n : int
        Number of periods, 0 or more.

    Returns
    -------
    ndarray of float64, shape (k, k)
        Rows add up to 1. A row is NaN where units may have been in a state of which it is not known where they go.

    Raises
    ------
    InvalidTypeError
        `rates` are not numbers, or `n` is no integer.
    InvalidValueError
        `rates` are no rates, or `n` is negative.

    Examples
    --------
    >>> transition_power([[0.9, 0.1], [0.3, 0.7]], 2).round(2)
    array([[0.84, 0.16],
           [0.48, 0.52]])
    """
    chain = _chain(rates)
    times = whole("n", n)
    if times < 0:
        raise InvalidValueError(message("n", "a number of periods of 0 or more", n))
    # Who may have left a state of which nothing is known is put into one state more, and comes not back.
    unknown = _unknown_states(chain)
    k = len(chain)
    whole_chain = np.zeros((k + 1, k + 1))
    whole_chain[:k, :k] = np.where(unknown[:, None], 0.0, chain)
    whole_chain[:k, k], whole_chain[k, k] = unknown, 1.0
    power, square = np.eye(k + 1), whole_chain
    while times:
        if times & 1:
            power = _rows_to_one(power @ square)
        times >>= 1
        square = _rows_to_one(square @ square) if times else square
    answer = np.where(power[:k, k:] > 0, np.nan, power[:k, :k])
    answer.setflags(write=False)
    return answer


def _chain(rates: ArrayLike) -> FloatArray:
    given = array_of("rates", rates, kinds="iuf", expected="real numbers").astype(np.float64)
    if given.ndim != 2 or given.shape[0] != given.shape[1]:  # noqa: PLR2004
        raise InvalidValueError(message("rates", "as many columns as rows", f"shape {given.shape}"))
    missing = np.isnan(given)
    outside = ((given < 0) | (given > 1 + _ROUNDING)) & ~missing
    if outside.any():
        refuse("rates", "shares in [0, 1]", given, outside)
    halfway: BoolArray = missing & ~missing.all(axis=1, keepdims=True)
    if halfway.any():
        refuse("rates", "rows that are known or NaN as a whole", given, halfway)
    total: FloatArray = given.sum(axis=1)
    off: BoolArray = np.abs(total - 1.0) > _ROUNDING
    if off.any():
        refuse("rates", "rows that add up to 1", total, off)
    return given


def _unknown_states(chain: FloatArray) -> BoolArray:
    return np.asarray(np.isnan(chain).any(axis=1))


def _leads_to(chain: FloatArray) -> BoolArray:
    """Return which states lead to which, at once, by and by, or by staying."""
    leads = np.nan_to_num(chain) > 0
    np.fill_diagonal(leads, val=True)
    while True:
        further = (leads.astype(np.float64) @ leads.astype(np.float64)) > 0
        if np.array_equal(further, leads):
            return leads
        leads = further


def _grassmann(chain: FloatArray) -> FloatArray:
    """Return the stationary shares of states that all lead to each other; overwrites what it is given."""
    for last in range(len(chain) - 1, 0, -1):
        chain[:last, last] /= chain[last, :last].sum()
        chain[:last, :last] += np.outer(chain[:last, last], chain[last, :last])
    shares: FloatArray = np.ones(len(chain))
    for state in range(1, len(chain)):
        shares[state] = shares[:state] @ chain[:state, state]
    shares /= shares.sum()
    return shares


def _rows_to_one(chain: FloatArray) -> FloatArray:
    scaled: FloatArray = chain / chain.sum(axis=1, keepdims=True)
    return scaled
