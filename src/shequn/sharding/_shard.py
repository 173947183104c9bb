"""Which groups keep those together who talk to each other, each of a size at which a group works?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, get_args

import attrs
import numpy as np

from shequn.entities.size import OPTIMAL_SIZE, SizeBand
from shequn.errors import InfeasibleError, InvalidTypeError, InvalidValueError, UndecidedError, message
from shequn.graph import InteractionGraph
from shequn.labels import Assignment, Index
from shequn.sharding.asking import Asked
from shequn.sharding.bounds import counts_of_groups, size_band
from shequn.sharding.dealing import any_deal
from shequn.sharding.engine import partition
from shequn.sharding.feasibility import Feasibility, feasible
from shequn.sharding.leading import with_leaders
from shequn.sharding.parting import parted
from shequn.sharding.seats import Seats
from shequn.sharding.shards import Shards, leader_mask
from shequn.sharding.told import with_new_groups
from shequn.stats._checks import generator, instance, is_integer, one_of, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, IntArray
    from shequn.graph import Neighbours
    from shequn.labels import Label

__all__ = ["Effort", "shard"]

Effort: TypeAlias = Literal["quick", "normal", "high"]
_ROUNDS: dict[str, int] = {"quick": 0, "normal": 12, "high": 48}
_FREE = -1


def shard(
    graph: InteractionGraph,
    /,
    *,
    sizes: SizeBand | tuple[int, int] = OPTIMAL_SIZE,
    leaders: ArrayLike | None = None,
    min_leaders: int = 0,
    fixed: Mapping[Label, Label] | None = None,
    together: Iterable[Iterable[Label]] = (),
    apart: Iterable[Iterable[Label]] = (),
    groups: Iterable[Label] | None = None,
    effort: Effort | int = "normal",
    progress: Callable[[int, int], object] | None = None,
    rng: int | np.random.SeedSequence | np.random.Generator | None = None,
) -> Shards:
    """Deal members into groups, so that as much of the weight of their ties as can be found lies inside groups.

    Every condition is kept exactly; how much is kept of the ties is as good as `effort` makes it.

    Parameters
    ----------
    graph : InteractionGraph
        The n members, and who talks to whom; a tie weighs what both directions weigh together.
    sizes : (int, int) or SizeBand, default `OPTIMAL_SIZE`
        The fewest and the most members of a group. How many groups there are is left open.
    leaders : array_like of bool, shape (n,), or labels, optional
        Who may lead a group.
    min_leaders : int, default 0
        Leaders that each group must have.
    fixed : mapping of member to group, optional
        Seats that are given; each group named is one of the groups.
    together, apart : iterable of sets of members, optional
        Who must share a group; and sets of which every two must not.
    groups : iterable of labels, optional
        Names for groups other than those named in `fixed`, at least as many as there will be; by default made up.
    effort : {"quick", "normal", "high"} or int, default "normal"
        How much is tried: 0, 12, 48 or as many rounds. More rounds settle the first answer more slowly and improve it
        longer, and keep more as a rule; no round of improvement makes an answer worse.
    progress : callable, optional
        Called with the rounds done and to do.
    rng : int, SeedSequence, Generator or None
        The same one gives the same groups.

    Returns
    -------
    Shards

    Raises
    ------
    InfeasibleError
        Nobody could deal them so; the message says what is in the way. See `feasible`.
    UndecidedError
        No such deal was found, and it was not proved that there is none. It takes sets of members.
    InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
        An argument can't be used.

    Notes
    -----
    Members are first merged with those they talk to most, in rounds, while they fit into a group; what comes of it is
    packed into groups, brought within the bounds by the fewest moves, and improved: by moves and swaps whose gain is
    exact, and by annealing regions of up to eight linked groups, each kept only where it gained.

    References
    ----------
    G. Karypis, V. Kumar, "A fast and high quality multilevel scheme for partitioning irregular graphs", SIAM J. Sci.
    Comput. 20 (1998), for growing from coarse to fine; S. Kirkpatrick et al., "Optimization by simulated annealing",
    Science 220 (1983).

    Examples
    --------
    >>> ends = [0, 1, 2, 3, 4, 5, 0], [1, 2, 0, 4, 5, 3, 3]
    >>> shards = shard(InteractionGraph.from_ties(*ends), sizes=(3, 3), rng=7)
    >>> shards.sizes.tolist(), round(shards.kept, 3)
    ([3, 3], 0.857)
    """
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
    if progress is not None and not callable(progress):
        raise InvalidTypeError(message("progress", "a function of rounds done and to do", progress))
    asked = Asked.of(graph.members, fixed=fixed, together=together, apart=apart)
    task = _Task(
        bounds=size_band("sizes", sizes),
        leads=None if leaders is None else leader_mask(leaders, graph.members),
        min_leaders=whole("min_leaders", min_leaders),
        asked=asked,
        named=list(dict.fromkeys(asked.fixed.values())),
        rounds=_rounds(effort),
    )
    possible = _possible(task, graph.members)
    random = generator(rng)
    ties = graph.neighbours()
    codes = _dealt(ties, task, possible, random, progress)
    labels = _labels(task.named, int(codes.max(initial=-1)) + 1, groups)
    assignment = Assignment(members=graph.members, codes=codes, segments=labels)
    return Shards.of(graph, assignment, sizes=task.bounds, leaders=task.leads, min_leaders=task.min_leaders)


class _Task(NamedTuple):
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


def _labels(named: list[Label], n_groups: int, groups: Iterable[Label] | None) -> Index:
    if not named and groups is None:
        return Index.positional(n_groups)
    return with_new_groups(Index(named), n_groups - len(named), groups, argument="groups")


def _rounds(effort: Effort | int) -> int:
    if is_integer(effort):
        rounds = whole("effort", effort)
        if rounds < 0:
            raise InvalidValueError(message("effort", "0 rounds or more", rounds))
        return rounds
    instance("effort", effort, str, expected='"quick", "normal", "high" or a number of rounds')
    one_of("effort", effort, get_args(Effort))
    return _ROUNDS[str(effort)]


def _possible(task: _Task, members: Index) -> Feasibility:
    """Return into how many groups members can be dealt; raise where into none."""
    if task.min_leaders < 0:
        raise InvalidValueError(message("min_leaders", "0 or more", task.min_leaders))
    if task.min_leaders and task.leads is None:
        raise InvalidTypeError(message("leaders", "who can lead, as each group needs leaders", None))
    asked = task.asked
    possible = feasible(
        len(members),
        task.bounds,
        leaders=task.leads if task.min_leaders else None,
        min_leaders=task.min_leaders,
        together=asked.together,
        fixed=asked.fixed,
        apart=asked.apart,
    )
    if possible.verdict == "infeasible":
        reason = str(possible.reason)
        met = Seats(asked, 0).met
        if met is not None:  # `feasible` calls members by code
            one, other = met
            named = f"members {members[one]!r} and {members[other]!r}"
            reason = reason.replace(f"members {one} and {other}", named)
        raise InfeasibleError(f"{possible.conditions[-1].what.en}: {reason}")
    return possible


def _dealt(
    ties: Neighbours,
    task: _Task,
    possible: Feasibility,
    random: np.random.Generator,
    progress: Callable[[int, int], object] | None,
) -> IntArray:
    """Return groups that keep what was asked: grown from the ties, or else from a deal that is known to hold."""
    most = int(max(possible.n_groups.max(initial=0), possible.undecided.max(initial=0)))
    n = ties.n_members
    grown = _grown(ties, task, most, random, progress)
    if grown is not None and task.holds(grown):
        return grown
    start = any_deal(task.asked, task.leads, task.min_leaders, possible)
    if start is None:
        raise UndecidedError(f"{possible.conditions[-1].what.en}: {possible.reason or 'no deal was found'}")
    # Those who are named, and the leaders, stay where the deal has them: everybody else gathers around them.
    stays = task.pinned(n) != _FREE
    for members in (*task.asked.together, *task.asked.apart):
        stays[members] = True
    if task.min_leaders and task.leads is not None:
        stays |= task.leads
    return partition(
        ties,
        (task.bounds.lo, task.bounds.hi),
        start=start,
        pinned=np.where(stays, start, _FREE),
        rounds=task.rounds,
        rng=random,
        progress=progress,
    )


def _grown(
    ties: Neighbours,
    task: _Task,
    most: int,
    random: np.random.Generator,
    progress: Callable[[int, int], object] | None,
) -> IntArray | None:
    """Return groups grown from the ties; None where that finds no way.

    A set of members who must sit together is grown as one node of its size. Leaders are seated afterwards, those who
    must not meet are parted, and the rest settles around them.
    """
    n = ties.n_members
    bounds = _bounds_of_at_most(most, len(task.named), n, task.bounds)
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
            among, bounds, size=size, pinned=pinned[names], rounds=task.rounds, rng=random, progress=progress
        )
    except InvalidValueError:  # sets that the engine can't pack; those who know every deal may
        return None
    codes = nodes[node]
    stays = is_bound.copy()
    if task.min_leaders and task.leads is not None:
        codes = with_leaders(ties, codes, task.leads, task.min_leaders, ~is_bound)
        stays |= task.leads
    if task.asked.apart:
        apart = parted(ties, codes, task.asked.apart, ~is_bound, task.leads if task.min_leaders else None)
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


def _bounds_of_at_most(most: int, fewest: int, n_members: int, band: SizeBand) -> tuple[int, int] | None:
    """Return bounds within which no more than `most` groups fit; None where that leaves no number from `fewest` on."""
    if n_members // band.lo <= most:
        return band.lo, band.hi
    least = n_members // (most + 1) + 1
    if least > band.hi:
        return None
    counts = counts_of_groups(n_members, SizeBand(least, band.hi))
    return (least, band.hi) if counts and counts[-1] >= fewest else None
