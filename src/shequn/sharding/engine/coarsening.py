"""Who belongs together most: clusters grown from the ties, none of them above a cap."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.columns.halves import in_halves
from shequn.sharding.engine.sums import sum_rows
from shequn.sharding.engine.ties import Ties, blocks, ends_of, positions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray

__all__ = ["Clusters", "contract", "grow", "singles"]

_ENTRIES = 1 << 18  # of a block of rows: what is worked out of it stays in the cache
_NOBODY = -1


class Clusters(NamedTuple):
    """Nodes gathered into clusters, and the ties between those."""

    codes: IntArray  # cluster of each node
    size: IntArray
    anchored: BoolArray  # holds a pinned node: two such never merge
    ties: Ties


def singles(ties: Ties, size: IntArray, /) -> Clusters:
    """Return each node as a cluster of its own.

    Examples
    --------
    >>> from shequn.sharding.engine.ties import from_pairs
    >>> pair = from_pairs(np.array([0, 1]), np.array([1, 0]), np.array([1, 1]), 2)
    >>> singles(pair, np.array([1, 1])).codes
    array([0, 1])
    """
    return Clusters(np.arange(ties.n_nodes), size, np.zeros(ties.n_nodes, dtype=np.bool_), ties)


def grow(
    clusters: Clusters, cap: int, /, *, limit: int, rounds: int, noise: float, rng: np.random.Generator
) -> Clusters:
    """Merge clusters with those they are tied to most, as long as none passes the cap.

    In each round every cluster names the neighbour with the highest w / √(s_u s_v), w being the weight between the
    two and s their sizes. Two that name each other merge (a handshake); others join the one they named while there is
    room.

    Parameters
    ----------
    clusters : Clusters
        What to start from.
    cap : int
        No merger makes a cluster larger than this.
    limit : int
        The cap of the last call to come: ties between two that are too large together for it are forgotten.
    rounds : int
        How many rounds at most.
    noise : float
        How much chance there is in the rating: it is multiplied by 1 + noise · r, r uniform in [0, 1).
    rng : Generator
        Source of that chance.

    Examples
    --------
    >>> from shequn.sharding.engine.ties import from_pairs
    >>> pair = from_pairs(np.array([0, 1]), np.array([1, 0]), np.array([1, 1]), 2)
    >>> grow(singles(pair, np.array([1, 1])), 2, limit=2, rounds=9, noise=0.01, rng=np.random.default_rng(1)).codes
    array([0, 0])
    """
    for _ in range(rounds):
        favourite, rating = _favourites(clusters, cap, noise, rng)
        joined = _handshakes_and_joins(clusters, favourite, rating, cap, rng)
        if joined is None:
            break
        clusters = _merged(clusters, joined, limit)
    return clusters


def _favourites(
    clusters: Clusters, cap: int, noise: float, rng: np.random.Generator
) -> tuple[IntArray, NDArray[np.float32]]:
    """Return whom each cluster would rather merge with, or nobody, and how much."""
    ties, size = clusters.ties, clusters.size
    favourite = np.full(ties.n_nodes, _NOBODY)
    rating = np.zeros(ties.n_nodes, dtype=np.float32)
    lightness = (1 / np.sqrt(np.maximum(size, 1))).astype(np.float32)
    mark = rng.integers(0, 1 << 16, ties.n_nodes, dtype=np.uint16)
    step = np.float32(noise / (1 << 16))
    small, anchored = size.astype(np.int32), clusters.anchored if clusters.anchored.any() else None
    runs = list(blocks(ties.offsets, _ENTRIES))

    def choose(these: range) -> None:
        for run in (runs[i] for i in these):
            offsets = ties.offsets[run.start : run.stop + 1]
            entries = slice(int(offsets[0]), int(offsets[-1]))
            length = np.diff(offsets)
            other = ties.neighbour[entries]
            rate = ties.weight[entries].astype(np.float32)
            rate *= lightness.take(other)
            # The same chance from both ends, or else two that tie would seldom name each other.
            rate *= 1 + step * (np.repeat(mark[run], length) ^ mark.take(other))
            fits = small.take(other) <= np.repeat(cap - small[run], length)
            if anchored is not None:
                fits &= ~(anchored.take(other) & np.repeat(anchored[run], length))
            rate *= fits
            # A float above 0 is ordered as its bits are: with the place beside it, one maximum finds both.
            packed = (rate.view(np.int32).astype(np.int64) << 32) | np.arange(len(rate))
            rows = np.flatnonzero(length)
            if len(rows):
                best = packed[: len(rate)]
                best = np.maximum.reduceat(best, offsets[rows] - offsets[0])
                place = best & 0xFFFFFFFF
                favourite[run.start + rows] = np.where(rate[place] > 0, other[place], _NOBODY)
                rating[run.start + rows] = rate[place]

    in_halves(len(runs), choose, many=4)
    return favourite, rating


def _handshakes_and_joins(
    clusters: Clusters, favourite: IntArray, rating: NDArray[np.float32], cap: int, rng: np.random.Generator
) -> IntArray | None:
    """Return the cluster that each one merges into, itself for most; None where nobody merges."""
    size = clusters.size
    everyone = np.arange(len(size))
    into = everyone.copy()
    asks = np.flatnonzero(favourite != _NOBODY)
    if len(asks) == 0:
        return None
    asked = favourite[asks]
    mutual = favourite[asked] == asks
    first = mutual & (asks < asked)
    into[asked[first]] = asks[first]
    full = size.copy()
    full[asks[first]] += size[asked[first]]

    # A coin decides who goes and who is gone to: without it a chain of joins would have no end.
    goes = rng.random(len(size)) < 0.5  # noqa: PLR2004
    goes[asks[mutual]] = False
    goes[clusters.anchored] = False
    joiner, host = asks[~mutual], into[asked[~mutual]]
    may = goes[joiner] & ~goes[host] & (full[host] + size[joiner] <= cap)
    joiner, host = joiner[may], host[may]
    order = np.lexsort((-rating[joiner], host))
    joiner, host = joiner[order], host[order]
    fits = full[host] + _running_sum(host, size[joiner]) <= cap
    into[joiner[fits]] = host[fits]
    return None if np.array_equal(into, everyone) else into


def _running_sum(group: IntArray, amount: IntArray) -> IntArray:
    """Return the sum of amounts so far, this one included, within each run of equal groups."""
    if len(group) == 0:
        return amount
    total = np.cumsum(amount)
    first = np.flatnonzero(np.diff(group, prepend=group[0] - 1))
    return total - np.repeat(total[first] - amount[first], np.diff(first, append=len(group)))


def _merged(clusters: Clusters, into: IntArray, limit: int) -> Clusters:
    """Return the clusters after a round, numbered anew."""
    stays = into == np.arange(len(into))
    codes = (np.cumsum(stays) - 1)[into]
    return contract(clusters, codes, int(np.count_nonzero(stays)), cap=limit)


def contract(clusters: Clusters, codes: IntArray, n_new: int, /, *, cap: int | None = None) -> Clusters:
    """Return clusters made of clusters, and the ties between them.

    Parameters
    ----------
    clusters : Clusters
        What there is.
    codes : array of int64
        The new cluster of each of them.
    n_new : int
        How many new ones there are.
    cap : int, optional
        Ties between two that are too large together are left out.

    Examples
    --------
    >>> from shequn.sharding.engine.ties import from_pairs
    >>> path = from_pairs(np.array([0, 1, 1, 2]), np.array([1, 0, 2, 1]), np.array([1, 1, 3, 3]), 3)
    >>> contract(singles(path, np.array([1, 1, 1])), np.array([0, 1, 1]), 2).ties.weight
    array([1, 1])
    """
    size = np.bincount(codes, weights=clusters.size, minlength=n_new).astype(np.int64)
    anchored = np.zeros(n_new, dtype=np.bool_)
    anchored[codes[clusters.anchored]] = True
    return Clusters(codes[clusters.codes], size, anchored, _contracted(clusters.ties, codes, size, cap))


def _contracted(ties: Ties, codes: IntArray, size: IntArray, cap: int | None) -> Ties:
    """Return the ties between new clusters, each pair once."""
    n_new = len(size)
    label, small = codes.astype(np.int32), size.astype(np.int32)
    order = np.argsort(label, kind="stable")
    members = ends_of(np.bincount(codes, minlength=n_new))
    entries = ends_of(np.diff(ties.offsets)[order])[members]
    runs = list(blocks(entries, _ENTRIES))
    parts: list[tuple[IntArray, IntArray, IntArray] | None] = [None] * len(runs)

    def sum_up(these: range) -> None:
        for i in these:
            run = runs[i]
            where, _ = positions(ties.offsets, order[members[run.start] : members[run.stop]])
            length = np.diff(entries[run.start : run.stop + 1])
            other = label.take(ties.neighbour.take(where))
            keep = other != np.repeat(np.arange(run.start, run.stop, dtype=np.int32), length)
            if cap is not None:
                keep &= small.take(other) <= np.repeat(cap - small[run], length)
            kept = ends_of(keep.astype(np.int64))[entries[run.start : run.stop + 1] - entries[run.start]]
            parts[i] = sum_rows(kept, other[keep], ties.weight.take(where)[keep])

    in_halves(len(runs), sum_up, many=4)
    done = [part for part in parts if part is not None]
    length = np.concatenate([np.zeros(0, dtype=np.int64), *(np.diff(part[0]) for part in done)])
    neighbour = np.concatenate([np.zeros(0, dtype=np.int64), *(part[1] for part in done)]).astype(np.int32)
    weight = np.concatenate([np.zeros(0, dtype=np.int64), *(part[2] for part in done)])
    return Ties(ends_of(length), neighbour, weight)
