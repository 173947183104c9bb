"""How is every group made a likeness of the whole: as many of each tier as any other, give or take one?

Of a value that c members have, each of k groups gets ⌊c/k⌋ or ⌈c/k⌉, and groups have ⌊N/k⌋ or ⌈N/k⌉ members. There is
always such a deal: sort members by value, and let the i-th go to group i mod k. Here one is found that is near to
groups that exist, and those leave who are tied least.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shequn.sharding.alike import rank_among_equals
from shequn.sharding.quotas import even_quotas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.graph import Neighbours
    from shequn.sharding.attributes import Attribute

__all__ = ["Cells", "cells_outside", "evened"]


class Cells(NamedTuple):
    """Groups that have too many or too few of a value; ascending by group, then by value.

    Attributes
    ----------
    group, value : arrays of int64
    held : array of int64
        How many of the value the group has.
    off : array of int64
        By how many that is above ⌈c/k⌉, or below ⌊c/k⌋ and then negative.
    """

    group: IntArray
    value: IntArray
    held: IntArray
    off: IntArray


def cells_outside(codes: IntArray, level: Attribute, n_groups: int, /) -> Cells:
    """Return which counts of a value in a group are outside ⌊c/k⌋ to ⌈c/k⌉.

    Examples
    --------
    >>> from shequn.labels import Index
    >>> from shequn.sharding.attributes import attribute_of
    >>> tier = attribute_of("tier", ["gold", "gold", "basic", "basic"], Index.positional(4))
    >>> cells_outside(np.array([0, 0, 1, 1]), tier, 2).off.tolist()
    [1, -1, -1, 1]
    """
    n_values = len(level.values)
    least, rest = np.divmod(level.counts, max(n_groups, 1))
    most = least + (rest > 0)
    cell, count = np.unique(codes * n_values + level.codes, return_counts=True)
    over = count > most[cell % max(n_values, 1)]
    # Only a value that every group must have can be short: there are at most N cells of these.
    common = np.flatnonzero(least > 0)
    place = np.full(n_values, -1)
    place[common] = np.arange(len(common))
    known = place[level.codes] >= 0
    table = np.bincount(
        codes[known] * len(common) + place[level.codes[known]], minlength=n_groups * len(common)
    ).reshape(n_groups, len(common))
    group, column = np.nonzero(table < least[common])
    cell = np.concatenate([cell[over], group * n_values + common[column]])
    count = np.concatenate([count[over], table[group, column]])
    order = np.argsort(cell)
    cell, count = cell[order], count[order]
    group, value = cell // max(n_values, 1), cell % max(n_values, 1)
    off = np.where(count > most[value], count - most[value], count - least[value])
    return Cells(group, value, count, off)


def evened(
    ties: Neighbours, codes: IntArray, level: Attribute, n_groups: int, /, *, is_free: BoolArray | None = None
) -> IntArray:
    """Return groups with ⌊c/k⌋ or ⌈c/k⌉ of each value, and of as equal sizes, near to those that are given.

    Where some may not move, the others are dealt around them as evenly as that leaves it, and bounds of sizes are not
    looked at.

    Parameters
    ----------
    codes : array of int64, shape (n,)
        The group of each member, from 0 to ``n_groups - 1``.
    is_free : array of bool, shape (n,), optional
        Who may move; by default everybody.

    Notes
    -----
    See `even_quotas`. Who leaves goes to a seat of their value in the group they are tied to most, if there is one.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> from shequn.labels import Index
    >>> from shequn.sharding.attributes import attribute_of
    >>> tier = attribute_of("tier", ["gold", "gold", "basic", "basic"], Index.positional(4))
    >>> ties = InteractionGraph.from_ties([1], [2], n_members=4).neighbours()
    >>> evened(ties, np.array([0, 0, 1, 1]), tier, 2).tolist()
    [1, 0, 0, 1]
    """
    free = np.ones(len(codes), dtype=np.bool_) if is_free is None else is_free
    inner = _inner(ties, codes)
    cell = level.codes * n_groups + codes
    quotas = even_quotas(codes, level.codes, n_groups, free)
    held, now = np.unique(cell, return_counts=True)
    every = np.union1d(held, quotas.cell)
    more = np.zeros(len(every), dtype=np.int64)
    more[np.searchsorted(every, held)] = now
    more[np.searchsorted(every, quotas.cell)] -= quotas.wanted
    movers = np.flatnonzero(free)
    movers = movers[np.lexsort((inner[movers], cell[movers]))]
    leaving = movers[rank_among_equals(cell[movers]) < more[np.searchsorted(every, cell[movers])]]
    lacking = more < 0
    return _reseated(ties, codes, level.codes, leaving, _Seats(every[lacking], -more[lacking], n_groups))


def _inner(ties: Neighbours, codes: IntArray) -> NDArray[Any]:
    """Return the weight of each member to their own group."""
    rows = ties.rows()
    inside = codes[rows] == codes[ties.neighbour]
    return np.bincount(rows[inside], weights=ties.weight[inside], minlength=len(codes))


class _Seats(NamedTuple):
    """Seats for those who leave: ascending by value, then by group, and as many of a value as members with it leave."""

    seat: IntArray  # value * n_groups + group
    room: IntArray
    n_groups: int


def _reseated(ties: Neighbours, codes: IntArray, kind: IntArray, leaving: IntArray, seats: _Seats) -> IntArray:
    """Return the groups after everybody who leaves has a seat, the strongest ties first."""
    codes, room = codes.copy(), seats.room
    member, seat = _offers(ties, codes, kind, leaving, seats)
    waits = np.zeros(len(codes), dtype=np.bool_)
    waits[leaving] = True
    while len(member):
        best = np.sort(np.unique(member, return_index=True)[1])
        best = best[rank_among_equals(seat[best]) < room[seat[best]]]
        codes[member[best]] = seats.seat[seat[best]] % seats.n_groups
        room = room - np.bincount(seat[best], minlength=len(room))
        waits[member[best]] = False
        still = waits[member] & (room[seat] > 0)
        member, seat = member[still], seat[still]
    anywhere = leaving[waits[leaving]]
    anywhere = anywhere[np.argsort(kind[anywhere], kind="stable")]
    codes[anywhere] = np.repeat(seats.seat, room) % seats.n_groups
    return codes


def _offers(
    ties: Neighbours, codes: IntArray, kind: IntArray, leaving: IntArray, seats: _Seats
) -> tuple[IntArray, IntArray]:
    """Return who that leaves is tied to which seat, from the strongest ties on."""
    leaves = np.zeros(len(codes), dtype=np.bool_)
    leaves[leaving] = True
    rows = ties.rows()
    entry = np.flatnonzero(leaves[rows])
    wanted = kind[rows[entry]] * seats.n_groups + codes[ties.neighbour[entry]]
    at = np.searchsorted(seats.seat, wanted)
    there = at < len(seats.seat)
    there[there] = seats.seat[at[there]] == wanted[there]
    entry, at = entry[there], at[there]
    pair, place = np.unique(rows[entry] * len(seats.seat) + at, return_inverse=True)
    weight = np.bincount(place, weights=ties.weight[entry], minlength=len(pair))
    pair = pair[np.argsort(-weight, kind="stable")]
    return pair // max(len(seats.seat), 1), pair % max(len(seats.seat), 1)
