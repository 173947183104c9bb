"""Which groups within the bounds keep most of the ties inside?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.errors import InvalidValueError, message
from shequn.sharding.engine.coarsening import Clusters, contract, grow, singles
from shequn.sharding.engine.moves import Groups
from shequn.sharding.engine.packing import into_bounds, pack
from shequn.sharding.engine.refinement import refine
from shequn.sharding.engine.regions import anneal_regions, regions_of
from shequn.sharding.engine.ties import by_degree, from_neighbours

if TYPE_CHECKING:
    from collections.abc import Callable

    from shequn._typing import BoolArray, IntArray
    from shequn.sharding.engine.ties import Neighbours, Ties

__all__ = ["partition"]

_FREE = -1
_SMALLEST_CAP = 2
_CALM = (0.0,) * 3  # steps in which only gains are made; more of them at a time find little
_SETTLED = (0.0,) * 6
_COLD = 0.2  # mean ties of a node
_HOT = 0.2  # times √ of how many ties a node has: so much do its ties to one group and to another differ by chance
_FIRST_STEPS, _STEPS_A_ROUND = 4, 2
_ROUNDS_TO_HOT = 8  # cooling from hot takes more steps than there are in fewer rounds
# Of regions, hot and very hot by turns: the one finds what the other passes over.
_SCHEDULES = ((2, 1.5, 1, 0.8, 0.6, 0.4, 0.2, 0.1, 0, 0, 0), (4, 3, 2, 1.5, 1, 0.7, 0.4, 0.2, 0, 0, 0))
_GROUPS_IN_A_REGION = 8


def partition(
    neighbours: Neighbours,
    bounds: tuple[int, int],
    /,
    *,
    size: IntArray | None = None,
    pinned: IntArray | None = None,
    start: IntArray | None = None,
    rounds: int = 12,
    rng: np.random.Generator,
    progress: Callable[[int, int], object] | None = None,
) -> IntArray:
    """Return the group of each node, so that every group is within the bounds and much of the weight inside groups.

    Parameters
    ----------
    neighbours : Neighbours
        Symmetric ties: `offsets`, `neighbour` and `weight` of compressed rows. Integer weights count exactly while
        their sum stays below 2**53; floats and larger integers are scaled so that the largest becomes 2**20.
    bounds : (int, int)
        Least and largest size of a group, L and U, 1 ≤ L ≤ U. How many groups there are is free.
    size : array of int64, shape (n,), optional
        Size of each node, 1 by default: that of a set of members who stay together.
    pinned : array of int64, shape (n,), optional
        The group that a node must be in, -1 for any. Groups up to the highest one named keep their numbers.
    start : array of int64, shape (n,), optional
        Groups to start from, of any size; they are brought within the bounds by the fewest moves and then improved.
        By default they are grown from the ties.
    rounds : int, default 12
        How much is tried: 0 grows groups, packs them and settles them quickly; more rounds settle them more slowly,
        from hotter to cold, and keep more as a rule. From a `start` each round anneals all regions of a few groups
        instead, which makes no answer worse.
    rng : Generator
        Source of all chance: the same one gives the same groups.
    progress : callable, optional
        Called with how many steps are done and how many there are, `rounds + 1` in all.

    Returns
    -------
    array of int64, shape (n,)
        Groups 0 to k - 1, none empty.

    Raises
    ------
    InvalidValueError
        If no number of groups fits the bounds, or the pinned nodes or the sizes don't.

    Examples
    --------
    >>> from shequn.sharding.engine.ties import from_pairs
    >>> ends = np.array([0, 1, 2, 3]), np.array([1, 0, 3, 2])
    >>> pairs = from_pairs(*ends, np.ones(4, dtype=np.int64), 4)
    >>> groups = partition(pairs, (2, 2), rounds=1, rng=np.random.default_rng(7))
    >>> bool(groups[0] == groups[1] and groups[2] == groups[3] and groups[0] != groups[2])
    True
    """
    # Rows of one length are sorted at once, where they stand together.
    ties, order = by_degree(from_neighbours(neighbours))
    size, pinned, start = (None if given is None else given[order] for given in (size, pinned, start))
    task = _task(ties, bounds, size, pinned)
    _check(bounds, ties.n_nodes if task.size is None else int(task.size.sum()), task.n_fixed)
    if ties.n_nodes == 0:
        return np.zeros(0, dtype=np.int64)
    told = _Told(rounds + 1, progress or _nobody)
    codes = _grown(task, rounds, rng, told) if start is None else _from_start(task, start, rounds, rng, told)
    told.of(rounds + 1)
    answer = np.empty_like(codes)
    answer[order] = codes
    return answer


class _Told(NamedTuple):
    """Who is told how far it is."""

    total: int
    progress: Callable[[int, int], object]

    def of(self, done: int) -> None:
        """Tell how many steps are done."""
        self.progress(done, self.total)


def _nobody(done: int, total: int) -> None:
    """Take no notice."""


class _Task(NamedTuple):
    """What is asked, with what says nothing left out."""

    ties: Ties
    bounds: tuple[int, int]
    size: IntArray | None
    pinned: IntArray | None
    n_fixed: int  # groups below this number keep it

    @property
    def movable(self) -> BoolArray | None:
        """Which nodes may move; None: all."""
        return None if self.pinned is None else self.pinned == _FREE


def _task(ties: Ties, bounds: tuple[int, int], size: IntArray | None, pinned: IntArray | None) -> _Task:
    if size is not None and bool((size == 1).all()):
        size = None
    if pinned is not None and bool((pinned == _FREE).all()):
        pinned = None
    return _Task(ties, bounds, size, pinned, 0 if pinned is None else int(pinned.max()) + 1)


def _check(bounds: tuple[int, int], total: int, n_fixed: int) -> None:
    """Raise where no number of groups fits."""
    least, most = bounds
    if not 1 <= least <= most:
        raise InvalidValueError(message("bounds", "a least size of 1 or more and a largest not below it", bounds))
    fewest, largest = max(-(-total // most), n_fixed), total // least
    if fewest > largest:
        groups = f" in at least {n_fixed} groups, as pinned," if n_fixed else ""
        raise InvalidValueError(message("bounds", f"bounds that {total}{groups} can be split within", bounds))


def _grown(task: _Task, rounds: int, rng: np.random.Generator, told: _Told) -> IntArray:
    """Return groups grown from the ties, packed into the bounds and settled."""
    ties, most = task.ties, task.bounds[1]
    nodes = singles(ties, np.ones(ties.n_nodes, dtype=np.int64) if task.size is None else task.size)
    clusters = nodes if task.pinned is None else _anchored(nodes, task.pinned, task.n_fixed)
    if most // 2 >= _SMALLEST_CAP:  # a stop half way is a chance to mend what was joined too soon
        clusters = grow(clusters, most // 2, limit=most, rounds=4, noise=0.01, rng=rng)
        groups = Groups(len(clusters.size), (0, most // 2), task.size, task.movable)
        codes = refine(ties, clusters.codes, groups, _CALM, rng)
        clusters = _regrouped(nodes, codes, groups.n_groups, task)
    clusters = grow(clusters, most, limit=most, rounds=40, noise=0.01, rng=rng)
    codes, groups = _within_bounds(task, *pack(clusters.codes, clusters.size, task.bounds, task.n_fixed))
    for done, temperatures in enumerate(_cooling(len(ties.neighbour) / ties.n_nodes, rounds)):
        if done:
            told.of(done)
        codes = refine(ties, codes, groups, temperatures, rng)
    return refine(ties, codes, groups, _SETTLED, rng)


def _from_start(task: _Task, start: IntArray, rounds: int, rng: np.random.Generator, told: _Told) -> IntArray:
    """Return groups made of given ones, which no round makes worse."""
    codes = start if task.pinned is None else np.where(task.pinned == _FREE, start, task.pinned)
    codes, groups = _within_bounds(task, codes, max(int(codes.max()) + 1, task.n_fixed))
    codes = refine(task.ties, codes, groups, _CALM * 2, rng)
    for done in range(rounds):
        told.of(done + 1)
        region = regions_of(task.ties, codes, groups.n_groups, most=_GROUPS_IN_A_REGION, rng=rng)
        codes = anneal_regions(task.ties, codes, groups, region, _SCHEDULES[done % len(_SCHEDULES)], rng=rng)
    return codes


def _within_bounds(task: _Task, codes: IntArray, n_groups: int) -> tuple[IntArray, Groups]:
    codes, n_groups = into_bounds(
        codes, n_groups, task.bounds, size=task.size, movable=task.movable, n_fixed=task.n_fixed
    )
    return codes, Groups(n_groups, task.bounds, task.size, task.movable)


def _cooling(degree: float, rounds: int) -> list[list[float]]:
    """Return the temperatures after packing, which has put many together who hardly know each other: of each round."""
    hot: float = _HOT * math.sqrt(degree) * (0.5 + 0.5 * min(rounds / _ROUNDS_TO_HOT, 1))
    steps: list[float] = np.geomspace(max(hot, _COLD), _COLD, _FIRST_STEPS + _STEPS_A_ROUND * rounds).tolist()
    marks = range(_FIRST_STEPS, len(steps), _STEPS_A_ROUND)
    return [steps[:_FIRST_STEPS], *(steps[mark : mark + _STEPS_A_ROUND] for mark in marks)]


def _anchored(nodes: Clusters, pinned: IntArray, n_fixed: int) -> Clusters:
    """Return clusters of which the first are the pinned nodes of each group, and the others single nodes."""
    free = pinned == _FREE
    codes = np.where(free, n_fixed - 1 + np.cumsum(free), pinned)
    return _with_anchors(contract(nodes, codes, n_fixed + int(np.count_nonzero(free))), n_fixed)


def _regrouped(nodes: Clusters, codes: IntArray, n_clusters: int, task: _Task) -> Clusters:
    """Return the clusters after members have moved between them; those that are empty now are gone."""
    held = np.bincount(codes, minlength=n_clusters) > 0
    held[: task.n_fixed] = True
    number = np.cumsum(held) - 1
    return _with_anchors(contract(nodes, number[codes], int(np.count_nonzero(held)), cap=task.bounds[1]), task.n_fixed)


def _with_anchors(clusters: Clusters, n_fixed: int) -> Clusters:
    return clusters._replace(anchored=np.arange(len(clusters.size)) < n_fixed)
