"""How do groups of any size come within their bounds with the fewest moves?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.sharding.engine.ties import ends_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shequn._typing import BoolArray, IntArray

__all__ = ["RepairPlan", "fewest_moves", "repair"]


class RepairPlan(NamedTuple):
    """Which groups close, and how many moves bring the others within their bounds."""

    moves: int
    sizes: IntArray  # those that were given, and new groups of size 0 behind them
    close: BoolArray  # of each; a new group that is closed was never opened


def fewest_moves(
    sizes: IntArray,
    bounds: tuple[int, int],
    /,
    *,
    newcomers: int = 0,
    closable: BoolArray | None = None,
    free: IntArray | None = None,
    numbers: Sequence[int] | IntArray | None = None,
    near: int = 0,
) -> RepairPlan | None:
    """Return how the fewest of those present move, so that every group is within its bounds.

    Parameters
    ----------
    sizes : array of int64, shape (k,)
        Size of each group now; 0 is a group that may be opened.
    bounds : (int, int)
        Least and largest size, L and U.
    newcomers : int, default 0
        How many come from outside; seating them is no move.
    closable : array of bool, shape (k,), optional
        Which groups may close; all by default.
    free : array of int64, shape (k,), optional
        How many of each group may move; all by default. A group that closes must be free as a whole, and what may not
        move must be at most U.
    numbers : sequence of int, optional
        How many groups there may be; by default any number that fits.
    near : int, default 0
        Of plans that are equal the one with a number of groups nearest to this is taken, and then with fewer: by
        default, with the fewest groups.

    Returns
    -------
    RepairPlan or None
        None where no number of groups will do.

    Notes
    -----
    With D groups closed the moves are the larger of what must leave, Σ closed s + Σ kept (s − U)⁺, and what the others
    lack, Σ kept (L − s)⁺ − J, J being the newcomers. A smaller group costs less to close and spares more, so only the D
    smallest need be tried, for each D with k'L ≤ N ≤ k'U; the first to close are groups that would be new.

    Where some may not move, there is a way if J, those who leave, and those whom the groups that are kept can spare,
    which are no more than may move, are as many as are lacking. Closing one that is free as a whole adds L to the one
    side of that, whatever its size, so that the D smallest are enough here too.

    Examples
    --------
    >>> fewest_moves(np.array([40, 26, 30]), (26, 36)).moves
    4
    >>> fewest_moves(np.array([10, 30, 30]), (26, 36)).close
    array([ True, False, False,  True])
    """
    least, most = bounds
    total = int(sizes.sum()) + newcomers
    over = int(np.maximum(sizes - most, 0).sum()) + newcomers
    needed = 0 if numbers is None or not len(numbers) else int(numbers[0]) - int(np.count_nonzero(sizes))
    n_new = max(over // max(least, 1) + 1, needed)
    padded = np.concatenate([sizes, np.zeros(n_new, dtype=np.int64)])
    is_given = np.arange(len(padded)) < len(sizes)
    may_close = np.ones(len(padded), dtype=np.bool_)
    loose = padded.copy()
    if closable is not None:
        may_close[: len(sizes)] = closable
    if free is not None:
        loose[: len(sizes)] = free
        may_close &= loose == padded
    order = np.lexsort((is_given, padded, ~may_close))
    ordered = padded[order]
    number = len(padded) - np.arange(np.count_nonzero(may_close) + 1)
    closed = ends_of(ordered)[: len(number)]
    shed = _from_here_on(np.maximum(ordered - most, 0))[: len(number)]
    lack = _from_here_on(np.maximum(least - ordered, 0))[: len(number)]
    spare = np.clip(np.minimum(ordered, most) - least, 0, np.maximum(loose[order] - np.maximum(ordered - most, 0), 0))
    leave = closed + shed
    possible = (number * least <= total) & (total <= number * most)
    possible &= leave + newcomers + _from_here_on(spare)[: len(number)] >= lack
    if numbers is not None:
        possible &= np.isin(number, numbers)
    if not possible.any():
        return None
    moves = np.where(possible, np.maximum(leave, lack - newcomers), np.iinfo(np.int64).max)
    fewest = np.flatnonzero(moves == moves.min())
    n_closed = int(fewest[np.lexsort((number[fewest], np.abs(number[fewest] - near)))[0]])
    close = np.zeros(len(padded), dtype=np.bool_)
    close[order[:n_closed]] = True
    return RepairPlan(int(moves[n_closed]), padded, close)


def _from_here_on(amount: IntArray) -> IntArray:
    """Return the sum of all amounts from each place on, and 0 behind the last."""
    return ends_of(amount[::-1])[::-1]


def repair(
    codes: IntArray,
    n_groups: int,
    bounds: tuple[int, int],
    /,
    *,
    size: IntArray | None = None,
    movable: BoolArray | None = None,
    n_fixed: int = 0,
    cost: IntArray | None = None,
) -> tuple[IntArray, int] | None:
    """Bring groups within their bounds by the fewest moves of nodes of size 1.

    Parameters
    ----------
    codes : array of int64, shape (n,)
        The group of each node.
    n_groups : int
        How many groups there are.
    bounds : (int, int)
        Least and largest size.
    size : array of int64, shape (n,), optional
        Of each node, 1 by default. Only nodes of size 1 move.
    movable : array of bool, shape (n,), optional
        Which nodes may move; all by default.
    n_fixed : int, default 0
        The groups below this number keep it.
    cost : array, shape (n,), optional
        Those of a group with the lowest cost leave first.

    Returns
    -------
    codes, n_groups : array of int64 and int, or None
        None where moves of such nodes don't suffice.

    Examples
    --------
    >>> repair(np.array([0, 0, 0, 1]), 2, (2, 2))
    (array([1, 0, 0, 1]), 2)
    """
    loose = np.ones(len(codes), dtype=np.bool_) if movable is None else movable
    if size is not None:
        loose = loose & (size == 1)
    free = np.bincount(codes[loose], minlength=n_groups)
    sizes = np.bincount(codes, weights=size, minlength=n_groups).astype(np.int64)
    if n_groups and int((sizes - free).max()) > bounds[1]:
        return None
    plan = fewest_moves(sizes, bounds, closable=np.arange(n_groups) >= n_fixed, free=free)
    if plan is None:
        return None
    nodes = np.flatnonzero(loose)
    order = np.lexsort((codes[nodes],) if cost is None else (cost[nodes], codes[nodes]))
    moving, target = _moves(nodes[order], codes[nodes[order]], plan, bounds, free)
    codes = codes.copy()
    codes[moving] = target
    number = np.cumsum(~plan.close) - 1
    return number[codes], int(np.count_nonzero(~plan.close))


def _moves(
    nodes: IntArray, home: IntArray, plan: RepairPlan, bounds: tuple[int, int], free: IntArray
) -> tuple[IntArray, IntArray]:
    """Return who moves, and where to; nodes come by group, and the first of each leave first."""
    least, most = bounds
    loose = np.zeros(len(plan.sizes), dtype=np.int64)
    loose[: len(free)] = free
    must = np.where(plan.close, plan.sizes, np.maximum(plan.sizes - most, 0))
    staying = plan.sizes - must
    lack = np.where(plan.close, 0, np.maximum(least - staying, 0))
    missing = max(int(lack.sum() - must.sum()), 0)
    spare = np.where(plan.close, 0, np.clip(staying - least, 0, loose - must))
    gives = np.clip(missing - (np.cumsum(spare) - spare), 0, spare)

    rank = np.arange(len(nodes)) - ends_of(np.bincount(home, minlength=len(must)))[home]
    moving = nodes[rank < (must + gives)[home]]
    room = np.where(plan.close, 0, most - staying) - lack  # where somebody gives way, only those who lack are filled
    every = np.arange(len(must))
    return moving, np.concatenate([np.repeat(every, lack), np.repeat(every, np.maximum(room, 0))])[: len(moving)]
