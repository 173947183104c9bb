"""Which groups keep those together who talk to each other, each of a size at which a group works?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import attrs
import numpy as np

from shequn.entities.size import OPTIMAL_SIZE, SizeBand
from shequn.errors import InfeasibleError, InvalidTypeError, InvalidValueError, counted, message
from shequn.graph import InteractionGraph
from shequn.labels import Assignment, Index
from shequn.sharding.aiming import Aims, dealt_as_wished
from shequn.sharding.asking import Asked
from shequn.sharding.attributes import attribute_of
from shequn.sharding.bounds import size_band
from shequn.sharding.feasibility import Feasibility, feasible
from shequn.sharding.growing import Task
from shequn.sharding.seats import Seats
from shequn.sharding.shards import Shards, leader_mask
from shequn.sharding.told import with_new_groups
from shequn.stats._checks import generator, instance, is_integer, items_of, one_of, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import ArrayLike

    from shequn.labels import Label
    from shequn.sharding.attributes import ByMember

__all__ = ["Effort", "shard"]

Effort: TypeAlias = Literal["quick", "normal", "high"]
_ROUNDS: dict[str, int] = {"quick": 0, "normal": 12, "high": 48}


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
    cohere: ByMember | None = None,
    spread: ByMember | None = None,
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
    cohere : Assignment, mapping of member to value, or array_like, shape (n,), optional
        An attribute, such as a city, of which each group should have few values. It is an aim: everything else comes
        first, the ties apart.
    spread : Assignment, mapping of member to value, or array_like, shape (n,), optional
        An attribute, such as a tier, of which each group should have as many of each value as any other. It is kept
        exactly, except where seats, sets or leaders that are asked for stand in its way.
    groups : iterable of labels, optional
        Names of the groups; by default made up. There will be no more groups than names, where that can be.
    effort : {"quick", "normal", "high"} or int, default "normal"
        How much is tried: 0, 12, 48 or as many rounds. More rounds settle the groups more slowly and keep more as a
        rule. Rounds that improve groups around leaders and others who stay never make them worse.
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
    packed into groups, brought within the bounds by the fewest moves, and improved by moves, swaps and chains, many at
    once, with chance at first and less and less of it. Groups that are to be improved around leaders and others who
    stay are annealed by regions of up to eight linked groups instead, each put back where it lost.

    With `spread`, k groups are grown like that; then each gets ⌊c/k⌋ or ⌈c/k⌉ of a value that c members have, and ⌊N/k⌋
    or ⌈N/k⌉ members. Who is tied least leaves, and after that members of one value change places where ties gain by it.
    Where seats, sets or leaders stand in the way, no swap of two members and no move of one would make the groups more
    even without breaking them; `audit` counts which groups are uneven.

    With `cohere` alone the most members sit in groups of one value that can; those of a value are dealt by the ties
    among them, and who has fewest of these is among the rest. Leaders, seats and sets then change what they must. With
    both, groups are grown from the ties within the values of `cohere`, and spread. `mixture` reads what came of it.

    A graph without ties is dealt by these attributes, or without them to where `hash_shards` puts the members, as near
    to the middle of the bounds as it goes: so that few move when the same is done with a few more. `dealt_by` says so.

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
    >>> tiers = ["gold", "basic", "basic", "gold", "basic", "basic"]
    >>> spread = shard(InteractionGraph.from_ties(*ends), sizes=(3, 3), spread=tiers, rng=7)
    >>> len(spread.groups), {spread.of_member(0), spread.of_member(3)} == {0, 1}
    (2, True)
    """
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
    if progress is not None and not callable(progress):
        raise InvalidTypeError(message("progress", "a function of rounds done and to do", progress))
    asked = Asked.of(graph.members, fixed=fixed, together=together, apart=apart)
    aims = Aims(
        None if cohere is None else attribute_of("cohere", cohere, graph.members),
        None if spread is None else attribute_of("spread", spread, graph.members),
    )
    task = Task(
        bounds=size_band("sizes", sizes),
        leads=None if leaders is None else leader_mask(leaders, graph.members),
        min_leaders=whole("min_leaders", min_leaders),
        asked=asked,
        named=list(dict.fromkeys(asked.fixed.values())),
        rounds=_rounds(effort),
    )
    possible = _possible(task, graph.members)
    names = None
    if groups is not None:
        names = [name for name in items_of("groups", groups, expected="labels of groups") if name not in task.named]
        possible = _of_at_most(possible, len(task.named) + len(names))
    labels = partial(_labels, task.named, groups=names)
    codes, dealt_by = dealt_as_wished(
        graph.neighbours(), graph.members, task, possible, aims, labels, generator(rng), progress
    )
    assignment = Assignment(members=graph.members, codes=codes, segments=labels(int(codes.max(initial=-1)) + 1))
    shards = Shards.of(graph, assignment, sizes=task.bounds, leaders=task.leads, min_leaders=task.min_leaders)
    return attrs.evolve(shards, dealt_by=dealt_by)


def _labels(named: list[Label], n_groups: int, groups: Iterable[Label] | None) -> Index:
    if not named and groups is None:
        return Index.positional(n_groups)
    return with_new_groups(Index(named), n_groups - len(named), groups, argument="groups")


def _of_at_most(possible: Feasibility, n_names: int) -> Feasibility:
    """Return into how many groups members can be dealt, if there are no more than names."""
    runs, undecided = (
        np.array([(low, min(high, n_names)) for low, high in found.tolist() if low <= n_names], dtype=np.int64).reshape(
            -1, 2
        )
        for found in (possible.runs, possible.undecided_runs)
    )
    if not len(runs) and not len(undecided):
        fewest = min(int(found[0, 0]) for found in (possible.runs, possible.undecided_runs) if len(found))
        raise InvalidValueError(message("groups", f"names for {counted(fewest, 'group')}, or more", n_names))
    return attrs.evolve(possible, runs=runs, undecided_runs=undecided)


def _rounds(effort: Effort | int) -> int:
    if is_integer(effort):
        rounds = whole("effort", effort)
        if rounds < 0:
            raise InvalidValueError(message("effort", "0 rounds or more", rounds))
        return rounds
    instance("effort", effort, str, expected='"quick", "normal", "high" or a number of rounds')
    one_of("effort", effort, get_args(Effort))
    return _ROUNDS[str(effort)]


def _possible(task: Task, members: Index) -> Feasibility:
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
        what, reason, reason_zh = possible.conditions[-1].what, str(possible.reason), str(possible.reason_zh)
        met = Seats(asked, 0).met
        if met is not None:  # `feasible` calls members by code
            one, other = met
            reason = reason.replace(f"members {one} and {other}", f"members {members[one]!r} and {members[other]!r}")
            reason_zh = reason_zh.replace(f"成员 {one} 与 {other}", f"成员 {members[one]!r} 与 {members[other]!r}")
        raise InfeasibleError(f"{what.en}: {reason}", zh=f"{what.zh}：{reason_zh}")
    return possible
