"""Which groups keep everything that was asked, grown from the ties or else from a deal that is known to hold?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import attrs
import numpy as np

from shequn.entities.size import SizeBand
from shequn.errors import InvalidValueError, UndecidedError
from shequn.graph import InteractionGraph
from shequn.sharding.bounds import counts_of_groups
from shequn.sharding.dealing import any_deal
from shequn.sharding.engine import partition
from shequn.sharding.leading import with_leaders
from shequn.sharding.parting import parted
from shequn.sharding.seats import Seats

if TYPE_CHECKING:
    from collections.abc import Callable

    from shequn._typing import BoolArray, IntArray
    from shequn.graph import Neighbours
    from shequn.labels import Label
    from shequn.sharding.asking import Asked
    from shequn.sharding.feasibility import Feasibility

__all__ = ["Task", "bounds_of_at_most", "dealt", "most_groups"]

_FREE = -1
_ROUNDS_AMONG_A_KIND = 3  # whom one finds taken may be free in another group


class Task(NamedTuple):
    """What is asked, by code. Groups of given seats are the first ones, in the order of `named`."""

    bounds: SizeBand
    leads: BoolArray | None
    min_leaders: int
    asked: Asked
    named: list[Label]
    rounds: int

    def pinned(self, n_members: int) -> IntArray:
        """Return the group of each member whose seat is given, -1 of others."""
        pinned = np.full(n_members, _FREE, dtype=np.int64)
        for member, group in self.asked.fixed.items():
            pinned[member] = self.named.index(group)
        return pinned

    def with_leaders(
        self, ties: Neighbours, codes: IntArray, is_free: BoolArray, kind: IntArray | None = None, /
    ) -> IntArray:
        """Return groups with leaders in each: such as change places with somebody of their kind, if there are."""
        if not self.min_leaders or self.leads is None:
            return codes
        for _ in range(0 if kind is None else _ROUNDS_AMONG_A_KIND):
            codes = with_leaders(ties, codes, self.leads, self.min_leaders, is_free, kind)
        return with_leaders(ties, codes, self.leads, self.min_leaders, is_free)

    def holds(self, codes: IntArray) -> bool:
        """Return whether groups keep everything that was asked."""
        sizes = np.bincount(codes)
        if len(codes) and not self.bounds.lo <= int(sizes.min()) <= int(sizes.max()) <= self.bounds.hi:
            return False
        if self.min_leaders and (np.bincount(codes[self.leads], minlength=len(sizes)) < self.min_leaders).any():
            return False
        pinned = self.pinned(len(codes))
        return (
            bool((codes[pinned != _FREE] == pinned[pinned != _FREE]).all())
            and all(len(set(codes[members].tolist())) == 1 for members in self.asked.together)
            and all(len(set(codes[members].tolist())) == len(members) for members in self.asked.apart)
        )


def most_groups(possible: Feasibility, /) -> int:
    """Return the most groups that there may be."""
    return int(max(possible.n_groups.max(initial=0), possible.undecided.max(initial=0)))


def dealt(  # noqa: PLR0917
    ties: Neighbours,
    task: Task,
    possible: Feasibility,
    random: np.random.Generator,
    progress: Callable[[int, int], object] | None,
    start: IntArray | None = None,
    kind: IntArray | None = None,
    /,
) -> IntArray:
    """Return groups that keep what was asked: grown from the ties, or else from a deal that is known to hold.

    Parameters
    ----------
    start : array of int64, shape (n,), optional
        Groups to begin with instead of growing them; conditions change as few seats as they can.
    kind : array of int64, shape (n,), optional
        Leaders change places with members of their own kind, where there are such.
    """
    n = ties.n_members
    grown = _grown(ties, task, most_groups(possible), random, progress, start, kind)
    if grown is not None and task.holds(grown):
        return grown
    sure = any_deal(task.asked, task.leads, task.min_leaders, possible)
    if sure is None:
        what, why, why_zh = possible.conditions[-1].what, possible.reason, possible.reason_zh
        raise UndecidedError(
            f"{what.en}: {why or 'no deal was found'}", zh=f"{what.zh}：{why_zh or '未找到满足条件的分法'}"
        )
    # Those who are named, and the leaders, stay where the deal has them: everybody else gathers around them.
    stays = task.pinned(n) != _FREE
    for members in (*task.asked.together, *task.asked.apart):
        stays[members] = True
    if task.min_leaders and task.leads is not None:
        stays |= task.leads
    return partition(
        ties,
        (task.bounds.lo, task.bounds.hi),
        start=sure,
        pinned=np.where(stays, sure, _FREE),
        rounds=task.rounds,
        rng=random,
        progress=progress,
    )


def _grown(  # noqa: PLR0917
    ties: Neighbours,
    task: Task,
    most: int,
    random: np.random.Generator,
    progress: Callable[[int, int], object] | None,
    start: IntArray | None,
    kind: IntArray | None,
) -> IntArray | None:
    """Return groups grown from the ties; None where that finds no way.

    A set of members who must sit together is grown as one node of its size. Leaders are seated afterwards, those who
    must not meet are parted, and the rest settles around them.
    """
    n = ties.n_members
    bounds = bounds_of_at_most(most, len(task.named), n, task.bounds)
    if bounds is None:
        return None
    pinned, is_bound = task.pinned(n), np.zeros(n, dtype=np.bool_)
    node = np.arange(n)
    for members in Seats(attrs.evolve(task.asked, apart=[]), 0).held:
        node[members] = members[0]
        pinned[members] = pinned[members].max()
        is_bound[members] = True
    names, node = np.unique(node, return_inverse=True)
    among = ties if len(names) == n else _contracted(ties, node, len(names))
    size = None if len(names) == n else np.bincount(node)
    try:
        nodes = partition(
            among,
            bounds,
            size=size,
            pinned=pinned[names],
            start=None if start is None else start[names],
            rounds=task.rounds,
            rng=random,
            progress=progress,
        )
    except InvalidValueError:  # sets that the engine can't pack; those who know every deal may
        return None
    codes = nodes[node]
    stays = is_bound.copy()
    if task.min_leaders and task.leads is not None:
        codes = task.with_leaders(ties, codes, ~is_bound, kind)
        stays |= task.leads
    if task.asked.apart:
        leads = task.leads if task.min_leaders else None
        apart = parted(ties, codes, task.asked.apart, ~is_bound, leads, kind)
        if apart is None:
            return None
        codes = apart
        for members in task.asked.apart:
            stays[members] = True
    if not stays[~is_bound].any():
        return codes
    pinned = np.where(stays, codes, _FREE)
    return partition(
        ties, (task.bounds.lo, task.bounds.hi), start=codes, pinned=pinned, rounds=min(task.rounds, 2), rng=random
    )


def _contracted(ties: Neighbours, node: IntArray, n_nodes: int) -> Neighbours:
    """Return the ties of nodes that members were put together to."""
    graph = InteractionGraph.from_ties(
        node[ties.rows()], node[ties.neighbour], ties.weight, n_members=n_nodes, self_ties="drop"
    )
    return graph.neighbours("out")


def bounds_of_at_most(most: int, fewest: int, n_members: int, band: SizeBand) -> tuple[int, int] | None:
    """Return bounds within which no more than `most` groups fit; None where that leaves no number from `fewest` on."""
    if n_members // band.lo <= most:
        return band.lo, band.hi
    least = n_members // (most + 1) + 1
    if least > band.hi:
        return None
    counts = counts_of_groups(n_members, SizeBand(least, band.hi))
    return (least, band.hi) if counts and counts[-1] >= fewest else None
