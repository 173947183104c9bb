"""Can the ties inside groups grow, if all groups of small regions change their minds a while, each region by itself?

The groups are gathered into regions of a few that are tied to each other. In each region the members move about as in
annealing: at first anywhere, a tie more or less, then only where it pays. A region that ends with less weight inside
its groups than it began with is put back as it was. So no round makes anything worse, and since no tie between two
regions counts in either, all regions go at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.columns.halves import in_halves
from shequn.sharding.engine.coarsening import grow, singles
from shequn.sharding.engine.moves import Wishes, allowed
from shequn.sharding.engine.ties import ends_of, from_pairs, positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shequn._typing import IntArray
    from shequn.sharding.engine.moves import Groups
    from shequn.sharding.engine.ties import Ties

__all__ = ["anneal_regions", "regions_of"]

_CROWD = 1 << 14  # nodes worked on at a time: what is known of them stays in the cache
_SAMPLE = 32  # ties looked at a group, to see which groups are close
_SLOT_BITS = 15  # of a rating, where the slot it belongs to is kept: a region has at most 16


def regions_of(ties: Ties, codes: IntArray, n_groups: int, /, *, most: int, rng: np.random.Generator) -> IntArray:
    """Return a region for each group: at most so many groups, tied to each other, at random.

    Examples
    --------
    >>> pair = from_pairs(np.array([0, 1]), np.array([1, 0]), np.array([1, 1]), 2)
    >>> regions_of(pair, np.array([0, 1]), 2, most=8, rng=np.random.default_rng(1))
    array([0, 0])
    """
    n_ties = len(ties.neighbour)
    step = max(n_ties // (_SAMPLE * 2 * n_groups), 1)
    looked_at = slice(int(rng.integers(step)), None, step)
    head = np.searchsorted(ties.offsets, np.arange(n_ties)[looked_at], side="right") - 1
    one, other = codes[head], codes[ties.neighbour[looked_at]]
    apart = one != other
    one, other, weight = one[apart], other[apart], ties.weight[looked_at][apart]
    both = from_pairs(np.concatenate([one, other]), np.concatenate([other, one]), np.tile(weight, 2), n_groups)
    clusters = singles(both, np.ones(n_groups, dtype=np.int64))
    return grow(clusters, most, limit=most, rounds=40, noise=6.0, rng=rng).codes


def anneal_regions(
    ties: Ties,
    codes: IntArray,
    groups: Groups,
    region: IntArray,
    temperatures: Sequence[float],
    /,
    *,
    rng: np.random.Generator,
) -> IntArray:
    """Return the groups of nodes after one round in every region, with no less weight inside than before.

    Parameters
    ----------
    ties : Ties
        Who is tied to whom.
    codes : array of int64
        The group of each node.
    groups : Groups
        Bounds, sizes of nodes, who may move.
    region : array of int64, shape (n_groups,)
        The region of each group.
    temperatures : sequence of float
        How much chance there is in each step, in mean ties of a node; 0: only moves that gain.
    rng : Generator
        Source of that chance.

    Examples
    --------
    >>> ends = np.array([0, 1, 2, 3]), np.array([2, 3, 0, 1])
    >>> pairs = from_pairs(*ends, np.ones(4, dtype=np.int64), 4)
    >>> from shequn.sharding.engine.moves import Groups
    >>> apart, together = np.array([0, 0, 1, 1]), np.array([0, 0])
    >>> after = anneal_regions(pairs, apart, Groups(2, (2, 2)), together, [1, 0, 0], rng=np.random.default_rng(1))
    >>> bool(after[0] == after[2] and after[1] == after[3])
    True
    """
    order_of_groups = np.argsort(region, kind="stable")
    first_group = ends_of(np.bincount(region))
    slot = np.empty(groups.n_groups, dtype=np.int64)
    slot[order_of_groups] = np.arange(groups.n_groups) - np.repeat(first_group[:-1], np.diff(first_group))
    here = region[codes].astype(np.int32)
    order = np.argsort(here.astype(np.uint16) if len(first_group) <= 1 << 16 else here, kind="stable")
    place = np.empty(len(codes), dtype=np.int32)
    place[order] = np.arange(len(codes), dtype=np.int32)
    first_node = ends_of(np.bincount(here, minlength=len(first_group) - 1))
    after = codes.copy()

    cuts = _crowds(first_node)
    seeds = rng.integers(np.iinfo(np.int64).max, size=len(cuts) - 1)

    def work(these: range) -> None:
        for i in these:
            regions = slice(int(cuts[i]), int(cuts[i + 1]))
            nodes = order[first_node[regions.start] : first_node[regions.stop]]
            crowd = _crowd(ties, nodes, place, first_node[regions.start : regions.stop + 1], groups)
            before = slot[codes[nodes]]
            chance = np.random.default_rng(int(seeds[i]))
            slots = _anneal(crowd, before.copy(), groups.bounds, temperatures, chance)
            slots = _better(crowd, before, slots)
            after[nodes] = order_of_groups[first_group[regions.start + crowd.region] + slots]

    in_halves(len(seeds), work, many=2)
    return after


def _crowds(first_node: IntArray) -> IntArray:
    """Return where runs of regions begin that have about as many nodes as are worked on at a time."""
    marks = np.arange(0, int(first_node[-1]), _CROWD)
    return np.unique(np.append(np.searchsorted(first_node, marks), len(first_node) - 1)).astype(np.int64)


class _Crowd(NamedTuple):
    """Some regions by themselves: nodes numbered from 0, and the ties that stay within a region."""

    region: IntArray  # of each node, from 0
    first: IntArray  # where each region begins among the nodes, and where the last ends
    offsets: IntArray
    head: IntArray
    tail: IntArray
    weight: IntArray
    usual: NDArray[np.float32]  # mean weight of a tie of each node
    size: IntArray | None
    fixed: IntArray  # nodes that may not move


def _crowd(ties: Ties, nodes: IntArray, place: NDArray[np.int32], first: IntArray, groups: Groups) -> _Crowd:
    n_nodes = len(nodes)
    region = np.repeat(np.arange(len(first) - 1), np.diff(first))
    where, ends = positions(ties.offsets, nodes)
    head = np.repeat(np.arange(n_nodes), np.diff(ends))
    tail = place.take(ties.neighbour.take(where)) - np.int32(first[0])
    same = (tail >= 0) & (tail < n_nodes)
    head, tail, where = head[same], tail[same].astype(np.int64), where[same]
    same = region.take(head) == region.take(tail)
    head, tail, where = head[same], tail[same], where[same]
    weight = ties.weight.take(where)
    length = np.bincount(head, minlength=n_nodes)
    total = np.bincount(head, weights=weight, minlength=n_nodes)
    return _Crowd(
        region,
        first - first[0],
        ends_of(length),
        head,
        tail,
        weight,
        (total / np.maximum(length, 1)).astype(np.float32),
        None if groups.size is None else groups.size[nodes],
        np.zeros(0, dtype=np.int64) if groups.movable is None else np.flatnonzero(~groups.movable[nodes]),
    )


def _anneal(
    crowd: _Crowd, slots: IntArray, bounds: tuple[int, int], temperatures: Sequence[float], rng: np.random.Generator
) -> IntArray:
    """Move nodes between the groups of their regions, and return the slot of each in the end."""
    n_nodes, n_regions = len(slots), len(crowd.first) - 1
    n_slots = int(slots.max()) + 1
    if n_slots == 1 or len(crowd.head) == 0:
        return slots
    everyone = np.arange(n_nodes)
    base = crowd.region * n_slots
    sizes = np.bincount(base + slots, weights=crowd.size, minlength=n_regions * n_slots).astype(np.int64)
    slot_of_row = np.arange(n_slots, dtype=np.int32)[:, np.newaxis]
    weights = crowd.weight.astype(np.float64)
    n_cells = n_slots * n_nodes
    pool = _gumbel(n_cells + (n_cells >> 1), rng)
    rarity = 1 / np.maximum(crowd.usual, 1)
    for temperature in temperatures:
        link = np.bincount(slots.take(crowd.tail) * n_nodes + crowd.head, weights=weights, minlength=n_cells)
        own = slots * n_nodes + everyone
        link = link.reshape(n_slots, n_nodes)
        gain = (link - link.reshape(-1).take(own)).astype(np.float32)
        if temperature > 0:
            skip = int(rng.integers((n_cells >> 1) + 1))
            gain += pool[skip : skip + n_cells].reshape(n_slots, n_nodes) * (np.float32(temperature) * crowd.usual)
            gain *= link > 0
        gain.reshape(-1)[own] = 0
        # A float above 0 is ordered as its bits are: with the slot in the last ones, one maximum finds both.
        best = ((gain.view(np.int32) & ~_SLOT_BITS) | slot_of_row).max(axis=0)
        target = (best & _SLOT_BITS).astype(np.int64)
        wish = (best & ~_SLOT_BITS).view(np.float32)
        urgency = (wish * rarity + rng.random(n_nodes, dtype=np.float32)) * (wish > 0)
        urgency[crowd.fixed] = 0
        stirs = urgency > 0
        # Where one goes to a group that another leaves, the less urgent of the two gains less than it hopes for.
        behind = np.flatnonzero((urgency.take(crowd.tail) >= urgency.take(crowd.head)) & stirs.take(crowd.head))
        one, other = crowd.head.take(behind), crowd.tail.take(behind)
        crossed = (target.take(one) == slots.take(other)).astype(np.int8)
        crossed += target.take(other) == slots.take(one)
        lost = np.bincount(one, weights=weights.take(behind) * crossed, minlength=n_nodes)
        movers = np.flatnonzero(stirs & (wish > lost))
        wishes = Wishes(
            base[movers] + slots[movers],
            base[movers] + target[movers],
            urgency[movers],
            None if crowd.size is None else crowd.size[movers],
        )
        chosen = allowed(wishes, sizes, bounds)
        amount = 1 if wishes.size is None else wishes.size[chosen]
        np.subtract.at(sizes, wishes.source[chosen], amount)
        np.add.at(sizes, wishes.target[chosen], amount)
        slots[movers[chosen]] = target[movers[chosen]]
        if len(chosen) == 0 and temperature == 0:
            break
    return slots


def _gumbel(n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return noise by which the highest of some ratings is chosen with odds that fall exponentially."""
    noise = rng.standard_exponential(n, dtype=np.float32)
    noise += np.float32(1e-12)
    np.log(noise, out=noise)
    np.negative(noise, out=noise)
    return noise


def _better(crowd: _Crowd, before: IntArray, after: IntArray) -> IntArray:
    """Return the slots after, and before in regions that have lost by it."""
    if len(crowd.head) == 0:
        return before
    together = (after.take(crowd.head) == after.take(crowd.tail)).astype(np.int64)
    together -= before.take(crowd.head) == before.take(crowd.tail)
    gained = ends_of(together * crowd.weight)[crowd.offsets[crowd.first]]
    return np.where((np.diff(gained) >= 0)[crowd.region], after, before)
