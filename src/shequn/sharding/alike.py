"""Which members of one kind change places, so that more of the ties lie inside groups and every group stays as mixed?

A kind is a tier, a city, whether somebody leads, or all of that at once: whoever changes places only with one of their
own kind leaves the counts of every kind in every group as they were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.sharding.engine import Groups, refine
from shequn.sharding.engine.regions import anneal_regions, regions_of
from shequn.sharding.engine.sums import sum_rows
from shequn.sharding.engine.ties import entries_of, from_neighbours

if TYPE_CHECKING:
    from collections.abc import Callable

    from shequn._typing import BoolArray, IntArray
    from shequn.graph import Neighbours
    from shequn.sharding.engine.ties import Ties

__all__ = ["rank_among_equals", "swapped_alike"]

_ANNEALED = (2, 1.5, 1, 0.8, 0.6, 0.4, 0.2, 0.1, 0, 0, 0)
_SETTLING = (0.5, 0.3, 0.2, 0.1, 0, 0, 0, 0)
_GROUPS_IN_A_REGION = 8
_LEAST_WORTH = 0.002  # of the members: rounds go on while so many change places
_MOST_ROUNDS = 60
_NOBODY = -1


def swapped_alike(
    ties: Neighbours,
    codes: IntArray,
    kind: IntArray,
    is_free: BoolArray,
    /,
    *,
    rounds: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], object] | None = None,
) -> IntArray:
    """Return groups that keep at least as much of the ties, of the same sizes and with as many of each kind.

    Parameters
    ----------
    codes, kind : arrays of int64, shape (n,)
        The group and the kind of each member, both from 0 on.
    is_free : array of bool, shape (n,)
        Who may move.
    rounds : int
        How many times regions of linked groups are annealed.
    progress : callable, optional
        Called with the rounds done and to do.

    Notes
    -----
    The engine swaps nodes of equal size only, and where groups have neither room nor anybody to spare it does nothing
    else: so a kind takes the place of a size. What it misses, as few want to go the other way at the same time, is
    found at the end: each member looks at the groups they are tied to for the one of their kind who is tied least.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> ties = InteractionGraph.from_ties([0, 2], [3, 1]).neighbours()
    >>> codes, kind = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    >>> everybody = np.ones(4, dtype=np.bool_)
    >>> found = swapped_alike(ties, codes, kind, everybody, rounds=1, rng=np.random.default_rng(1))
    >>> bool(found[0] == found[3] and found[1] == found[2])
    True
    """
    n_groups = int(codes.max(initial=-1)) + 1
    if n_groups < 2 or not len(ties.neighbour):  # noqa: PLR2004
        return codes
    whole = from_neighbours(ties)
    nobody_alone = (len(codes) + 1, 0)
    groups = Groups(n_groups, nobody_alone, np.unique(kind, return_inverse=True)[1] + 1, is_free)
    best = _partnered(whole, codes, kind, is_free)
    settled = refine(whole, best, groups, _SETTLING, rng)
    best = _better(whole, best, _partnered(whole, settled, kind, is_free))
    for done in range(rounds):
        region = regions_of(whole, best, n_groups, most=_GROUPS_IN_A_REGION, rng=rng)
        best = anneal_regions(whole, best, groups, region, _ANNEALED, rng=rng)
        if progress is not None:
            progress(done + 1, rounds)
    return _partnered(whole, best, kind, is_free)


def _better(ties: Ties, one: IntArray, other: IntArray) -> IntArray:
    """Return those of two deals that keep more."""
    return other if _inside(ties, other) > _inside(ties, one) else one


def _inside(ties: Ties, codes: IntArray) -> int:
    rows = np.repeat(codes, np.diff(ties.offsets))
    return int(ties.weight[rows == codes[ties.neighbour]].sum())


def _partnered(ties: Ties, codes: IntArray, kind: IntArray, is_free: BoolArray) -> IntArray:
    """Return the groups after swaps with whoever of one's kind is tied least to the group one is tied to.

    Each swap gains exactly what it promises: no two of a round share a group.
    """
    codes = codes.copy()
    active = np.flatnonzero(is_free & (np.diff(ties.offsets) > 0))
    for _ in range(_MOST_ROUNDS):
        if len(_partnered_once(ties, codes, kind, is_free, active)) <= _LEAST_WORTH * len(codes):
            break
    return codes


def _partnered_once(ties: Ties, codes: IntArray, kind: IntArray, is_free: BoolArray, rows: IntArray) -> IntArray:
    """Make the best swaps that share no group, and return who has moved."""
    n_groups, n_kinds = int(codes.max()) + 1, int(kind.max()) + 1
    if not len(rows):
        return rows
    other, weight, offsets = entries_of(ties, rows)
    offsets, group, weight = sum_rows(offsets, codes.take(other), weight)
    who = np.repeat(rows, np.diff(offsets))
    inner = np.zeros(len(codes), dtype=np.int64)
    own = group == codes[who]
    inner[who[own]] = weight[own]
    cell, last = _least_tied(codes * n_kinds + kind, inner, is_free)
    at = np.minimum(np.searchsorted(cell, group * n_kinds + kind[who]), len(cell) - 1)
    there = ~own & (cell[at] == group * n_kinds + kind[who])
    who, group, weight, partner = who[there], group[there], weight[there], last[at[there]]
    worth = weight - inner[who] - inner[partner]
    promising = worth + _most_back(ties, inner, partner) > 0
    who, group, partner, worth = who[promising], group[promising], partner[promising], worth[promising]
    worth += _gained_by_partner(ties, codes, who, partner)
    gains = np.flatnonzero(worth > 0)
    order = gains[np.argsort(-worth[gains], kind="stable")]
    wins = order[_sharing_no_group(codes[who[order]], group[order], n_groups)]
    x, y = who[wins], partner[wins]
    codes[x], codes[y] = codes[y], codes[x]
    return np.concatenate([x, y])


def _sharing_no_group(one: IntArray, other: IntArray, n_groups: int) -> IntArray:
    """Return which pairs of groups to take, the first ones first, so that no group is in two of them."""
    left, taken = np.arange(len(one)), [np.zeros(0, dtype=np.int64)]
    is_used = np.zeros(n_groups, dtype=np.bool_)
    while len(left):
        first = np.full(n_groups, len(one))
        np.minimum.at(first, one[left], left)
        np.minimum.at(first, other[left], left)
        wins = left[(first[one[left]] == left) & (first[other[left]] == left)]
        taken.append(wins)
        is_used[one[wins]] = is_used[other[wins]] = True
        left = left[~is_used[one[left]] & ~is_used[other[left]]]
    return np.concatenate(taken)


def _least_tied(cell: IntArray, inner: IntArray, is_free: BoolArray) -> tuple[IntArray, IntArray]:
    """Return the cells of a group and a kind in which somebody may move, ascending, and who is tied least in each."""
    free = np.flatnonzero(is_free)
    order = free[np.lexsort((inner[free], cell[free]))]
    found, first = np.unique(cell[order], return_index=True)
    return found, order[first]


def _most_back(ties: Ties, inner: IntArray, partner: IntArray) -> IntArray:
    """Return what a partner could be tied to other groups at most."""
    running = np.concatenate([[0], np.cumsum(ties.weight)])
    strength = running[ties.offsets[1:]] - running[ties.offsets[:-1]]
    most: IntArray = (strength - inner)[partner]
    return most


def _gained_by_partner(ties: Ties, codes: IntArray, who: IntArray, partner: IntArray) -> IntArray:
    """Return the weight of each partner to the group they would come to, less twice that of the two to each other."""
    if not len(who):
        return np.zeros(0, dtype=np.int64)
    other, weight, ends = entries_of(ties, partner)
    length = np.diff(ends)
    comes_to, meets = np.repeat(codes[who], length), np.repeat(who, length)
    counts = weight * (codes.take(other) == comes_to) - 2 * weight * (other == meets)
    running = np.concatenate([[0], np.cumsum(counts)])
    found: IntArray = running[ends[1:]] - running[ends[:-1]]
    return found


def rank_among_equals(values: IntArray) -> IntArray:
    """Return how many equal values stand before each, shape (n,).

    Examples
    --------
    >>> rank_among_equals(np.array([7, 7, 2, 7])).tolist()
    [0, 1, 0, 2]
    """
    order = np.argsort(values, kind="stable")
    ascending = values[order]
    first = np.flatnonzero(np.concatenate([[True], ascending[1:] != ascending[:-1]])) if len(values) else order
    rank = np.empty(len(values), dtype=np.int64)
    rank[order] = np.arange(len(values)) - np.repeat(first, np.diff(np.append(first, len(values))))
    return rank
