"""How are those of one city put into groups of their own, as many of them as can be?

A group is pure where all its members have one value. Of the c members with a value m sit in p pure groups, where
p·L ≤ m ≤ p·U; everybody else mixes, in groups within the bounds too. The most members in pure groups that can be is a
small search: value by value as many as its own count allows, and then as few again out of them as make the rest fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.graph import InteractionGraph, Neighbours
from shequn.sharding.alike import rank_among_equals
from shequn.sharding.engine import into_bounds, partition
from shequn.sharding.engine.packing import pack

if TYPE_CHECKING:
    from collections.abc import Callable

    from shequn._typing import BoolArray, IntArray
    from shequn.sharding.attributes import Attribute

__all__ = ["cohered", "most_pure", "ties_within"]

_OWN = 16  # a tie among those of one value counts so much more than what holds a value together
_HELD = 3  # so many others of their value is each member held by


def most_pure(counts: IntArray, bounds: tuple[int, int], /) -> IntArray:
    """Return how many members of each value can sit in groups of their own, so that these are most in all.

    Parameters
    ----------
    counts : array of int64, shape (n_values,)
        How many members have each value.
    bounds : (int, int)
        Least and largest size of a group, into which all of them fit somehow.

    Notes
    -----
    With each value at its most, as many are left as no deal can do without; if no number of groups holds these within
    the bounds, some more must join them. By how many is a sum of one allowed amount a value, and sums that can be are
    the bits of an integer.

    Examples
    --------
    >>> most_pure(np.array([37, 30, 25]), (26, 36)).tolist()
    [36, 30, 0]
    """
    least, most = bounds
    n_groups = np.minimum(counts // least, -(-counts // most))
    full = np.minimum(counts, n_groups * most)
    left = int(counts.sum() - full.sum())
    able = np.flatnonzero(full)
    room = 4 * most
    while True:
        more = _how_many_more(full[able], bounds, left, room)
        if more is not None:
            break
        room *= 4
    pure: IntArray = full.copy()
    pure[able] -= more
    return pure


def cohered(
    ties: Neighbours,
    attribute: Attribute,
    bounds: tuple[int, int],
    /,
    *,
    rounds: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], object] | None = None,
) -> IntArray:
    """Return groups of which as many members as can be sit in pure ones, dealt by their ties within their value.

    Who is tied least to others of their value is among the rest, whom `ties_within` hold together as far as it goes.

    Parameters
    ----------
    ties : Neighbours
        Whole, or without any tie at all.
    attribute : Attribute
        The value of each member.
    bounds : (int, int)
        Least and largest size of a group.
    rounds, rng, progress
        As `partition` takes them.

    Examples
    --------
    >>> from shequn.labels import Index
    >>> from shequn.sharding.attributes import attribute_of
    >>> city = attribute_of("city", ["沪", "京", "沪", "京"], Index.positional(4))
    >>> ties = InteractionGraph.from_ties([0, 2], [1, 3]).neighbours()
    >>> cohered(ties, city, (2, 2), rounds=1, rng=np.random.default_rng(1)).tolist()
    [0, 1, 0, 1]
    """
    value = attribute.codes
    wanted = most_pure(attribute.counts, bounds)
    rows = ties.rows()
    same = value[rows] == value[ties.neighbour]
    inner = np.bincount(rows[same], weights=ties.weight[same], minlength=len(value))
    order = np.lexsort((-inner, value))
    is_pure = np.empty(len(value), dtype=np.bool_)
    is_pure[order] = rank_among_equals(value[order]) < wanted[value[order]]
    pure, rest = np.flatnonzero(is_pure), np.flatnonzero(~is_pure)
    codes = np.empty(len(value), dtype=np.int64)
    own = _among(ties, pure, same)
    start = _packed_by_value(own, value[pure], bounds, rng)
    # Members only move to groups they are tied to, and so never out of their value.
    codes[pure] = partition(own, bounds, start=start, rounds=rounds, rng=rng, progress=progress)
    mixed = ties_within(_among(ties, rest, same), value[rest])
    codes[rest] = int(start.max(initial=-1)) + 1 + partition(mixed, bounds, rounds=rounds, rng=rng)
    return codes


def _among(ties: Neighbours, nodes: IntArray, counts: BoolArray) -> Neighbours:
    """Return the ties that count among some members, numbered anew."""
    place = np.full(ties.n_members, -1)
    place[nodes] = np.arange(len(nodes))
    head, tail = place[ties.rows()], place[ties.neighbour]
    kept = np.flatnonzero(counts & (head >= 0) & (tail >= 0))
    return Neighbours(
        offsets=np.concatenate([[0], np.cumsum(np.bincount(head[kept], minlength=len(nodes)))]),
        neighbour=tail[kept],
        weight=ties.weight[kept],
    )


def _packed_by_value(ties: Neighbours, value: IntArray, bounds: tuple[int, int], rng: np.random.Generator) -> IntArray:
    """Return groups of one value each, within the bounds; ties are those within values."""
    piece = partition(ties, (1, bounds[1]), rounds=0, rng=rng)
    codes = np.empty(len(value), dtype=np.int64)
    n_groups = 0
    order = np.argsort(value, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(value[order])) + 1) if len(order) else []:
        if len(members) <= bounds[1]:
            codes[members], found = n_groups, 1
        else:
            of_value, size = np.unique(piece[members], return_inverse=True, return_counts=True)[1:]
            packed, found = pack(of_value, size, bounds, 0)
            packed, found = into_bounds(packed, found, bounds)
            codes[members] = n_groups + packed
        n_groups += found
    return codes


def ties_within(ties: Neighbours, value: IntArray, /) -> Neighbours:
    """Return the ties among those of one value, and light ones that hold together each value as a whole.

    Growing groups from these brings together those of one value, and of these the ones that talk to each other.

    Examples
    --------
    >>> ties = InteractionGraph.from_ties([0, 1], [1, 2]).neighbours()
    >>> ties_within(ties, np.array([0, 1, 1, 0])).of(0)[0].tolist()
    [3]
    """
    rows = ties.rows()
    kept = np.flatnonzero((value[rows] == value[ties.neighbour]) & (rows < ties.neighbour))
    usual = float(ties.weight[kept].mean()) if len(kept) else 1.0
    order = np.argsort(value, kind="stable")
    source, target = [rows[kept]], [ties.neighbour[kept]]
    for step in range(1, _HELD + 1):
        one, other = order[:-step], order[step:]
        alike = value[one] == value[other]
        source.append(one[alike])
        target.append(other[alike])
    light = sum(len(one) for one in source[1:])
    weight = np.concatenate([ties.weight[kept] * (_OWN / usual), np.ones(light)])
    both = InteractionGraph.from_ties(np.concatenate(source), np.concatenate(target), weight, n_members=len(value))
    return both.neighbours()


def _how_many_more(full: IntArray, bounds: tuple[int, int], left: int, room: int) -> IntArray | None:
    """Return how many of each value join the rest, so few in all that it fits; None if that takes `room` or more."""
    mask = (1 << room) - 1
    sums = [1]
    for count in full.tolist():
        sums.append(_sums(sums[-1], _ranges(count, bounds, room), mask))
    total = next((more for more in range(room) if sums[-1] >> more & 1 and _fits(left + more, bounds)), None)
    if total is None:
        return None
    found = np.zeros(len(full), dtype=np.int64)
    for place in range(len(full) - 1, -1, -1):
        # The least amount of this value from which those before it reach what is missing.
        ranges = _ranges(int(full[place]), bounds, total + 1)
        amounts = (amount for first, last in ranges for amount in range(first, min(last, total) + 1))
        found[place] = next(amount for amount in amounts if sums[place] >> (total - amount) & 1)
        total -= int(found[place])
    return found


def _ranges(count: int, bounds: tuple[int, int], room: int) -> list[tuple[int, int]]:
    """Return the amounts by which a count can be lowered and still fill groups, as ranges below `room`, ascending."""
    least, most = bounds
    found: list[tuple[int, int]] = []
    # More groups than the fewest that hold the count allow nothing that these don't.
    for n_groups in range(-(-count // most), -1, -1):
        first, last = max(count - n_groups * most, 0), count - n_groups * least
        if first >= room:
            break
        if last >= 0:
            found.append((first, last))
    return found


def _sums(known: int, ranges: list[tuple[int, int]], mask: int) -> int:
    """Return the sums of a known one and an amount of a range, as bits."""
    total = 0
    for first, last in ranges:
        spread, done, width = known, 1, last - first + 1
        while done < width and spread & mask != mask:
            step = min(done, width - done)
            spread |= (spread << step) & mask
            done += step
        total |= (spread << first) & mask
    return total


def _fits(count: int, bounds: tuple[int, int]) -> bool:
    """Return whether some number of groups holds so many members."""
    return -(-count // bounds[1]) <= count // bounds[0]
