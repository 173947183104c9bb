"""How does every group get its leaders, with as few swaps and as little loss as can be?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.entities.size import SizeBand
from shequn.errors import InfeasibleError, InvalidValueError, counted, message
from shequn.graph import InteractionGraph
from shequn.sharding.asking import Asked
from shequn.sharding.bounds import member_count
from shequn.sharding.demands import Demands
from shequn.sharding.leader_seats import seat_leaders
from shequn.sharding.naming import who_stays
from shequn.sharding.regrouping import regrouped
from shequn.sharding.seating import Seating
from shequn.sharding.shards import Shards, leader_mask
from shequn.sharding.told import told
from shequn.stats._checks import instance, whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike

    from shequn.graph import Neighbours
    from shequn.labels import Label
    from shequn.sharding.change import Change

__all__ = ["staff"]


def staff(
    shards: Shards,
    graph: InteractionGraph,
    /,
    *,
    leaders: ArrayLike | None = None,
    min_leaders: int | None = None,
    fixed: Iterable[Label] = (),
    together: Iterable[Iterable[Label]] = (),
    apart: Iterable[Iterable[Label]] = (),
) -> Change:
    """Give every group its leaders: a leader from a group that can spare one for each short seat, by a swap.

    Parameters
    ----------
    shards : Shards
        The groups; their sizes stay.
    graph : InteractionGraph
        Who talks to whom, over the members of the groups or more.
    leaders : array_like of bool, shape (n_members,), or labels, optional
        Who can lead; by default whoever could before.
    min_leaders : int, optional
        Leaders that each group must have; by default as before.
    fixed : iterable of labels, optional
        Members who keep their group.
    together, apart : iterable of sets of members, optional
        Who must share a group afterwards; and sets of which every two must not.

    Returns
    -------
    Change
        With two moves for each swap, and one swap for each short seat, which is as few as swaps can do. A set that was
        broken before costs swaps too.

    Raises
    ------
    InfeasibleError
        Nobody could seat them so: there are too few leaders, a group is smaller than the leaders it must have, or no
        swaps keep every set.
    UndecidedError
        No such swaps were found, and it was not proved that there are none. It takes sets of members.
    InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
        An argument can't be used.

    Notes
    -----
    A swap brings a leader x from group A into group B, and a member y of B who is none into A. It loses ``w(x, A) -
    w(x, B) + w(y, B) - w(y, A) + 2 w(x, y)`` of kept weight. The swap that loses least is made first.

    References
    ----------
    S1 §四(五), row A16 of the domain table.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> from shequn.sharding.shards import Shards
    >>> graph = InteractionGraph.from_ties([0, 2], [1, 3], [5, 1])
    >>> shards = Shards.of(graph, [0, 0, 1, 1], sizes=(2, 2))
    >>> change = staff(shards, graph, leaders=[True, True, False, False], min_leaders=1)
    >>> change.n_moves, change.shards.n_leaders.tolist()
    (2, [1, 1])
    """
    instance("shards", shards, Shards, expected="Shards")
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")
    mask = shards.leaders if leaders is None else leader_mask(leaders, shards.members)
    needed = shards.min_leaders if min_leaders is None else whole("min_leaders", min_leaders)
    if needed < 0:
        raise InvalidValueError(message("min_leaders", "0 or more", needed))
    member_count("min_leaders", needed)
    asked = Asked.of(shards.members, together=together, apart=apart)
    sizes = shards.sizes
    band = SizeBand(max(int(sizes.min()), 1), max(int(sizes.max()), 1)) if len(sizes) else shards.bounds
    demands = Demands(
        band=band,
        leaders=np.zeros(len(shards.members), dtype=np.bool_) if mask is None else mask,
        min_leaders=needed,
        fixed=who_stays(fixed, shards.members, shards.members, "a member of the groups"),
        together=asked.together,
        apart=asked.apart,
    )
    demands.require_leaders(len(shards.groups))
    smallest = int(sizes.min(initial=needed))
    if smallest < needed:
        expected = f"at most the {counted(smallest, 'member')} of a group"
        raise InfeasibleError(
            message("min_leaders", expected, needed), zh=f"负责人：有群只有 {smallest:,} 人，容不下 {needed:,} 名负责人"
        )
    among = graph.align(shards.members)
    return told(
        shards,
        graph,
        among,
        _staffed(shards, among.neighbours(), demands),
        groups=shards.groups,
        bounds=shards.bounds,
        leaders=mask,
        min_leaders=needed,
    )


def _staffed(shards: Shards, neighbours: Neighbours, demands: Demands) -> Seating:
    """Return the seats after swaps, by which every group has its leaders and every set sits as it must."""
    codes, k = shards.group.astype(np.int64), len(shards.groups)
    if demands.fixed is None:
        seating = Seating(neighbours, codes, k, shards.bounds, leaders=demands.leaders, min_leaders=demands.min_leaders)
        seat_leaders(seating, list(range(k)))
        if demands.hold(seating.codes()):
            return seating
    every = np.ones(k, dtype=np.bool_)
    found = regrouped(neighbours, codes, demands, every, n_given=k, sizes=shards.sizes)
    if found.seating is not None:
        return found.seating
    if found.is_ruled_out and demands.possible(codes).verdict == "feasible":
        raise InfeasibleError(
            "all at once: every way to seat them by swaps, sizes as they are, was ruled out",
            zh="全部条件：各群人数不变时，任何对调都不能同时满足：已逐一排除",
        )
    raise demands.refusal(codes, members=shards.members, groups=shards.groups)
