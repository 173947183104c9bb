"""One group into several, or two into one: who goes where, and what does it cost in talk?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.errors import InvalidValueError, message
from shequn.graph import InteractionGraph
from shequn.sharding.bounds import counts_of_groups
from shequn.sharding.change import MoveReason
from shequn.sharding.filling import shed
from shequn.sharding.seating import Seating
from shequn.sharding.shards import Shards
from shequn.sharding.staffing import require_leaders, seat_leaders, wide_enough
from shequn.sharding.told import told, with_new_groups
from shequn.stats._checks import instance, items_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shequn._typing import IntArray
    from shequn.entities.size import SizeBand
    from shequn.labels import Label
    from shequn.sharding.change import Change

__all__ = ["join_groups", "split"]

_ROUNDS = 5


def split(
    shards: Shards,
    graph: InteractionGraph,
    /,
    *,
    group: Label,
    parts: int | None = None,
    new_groups: Iterable[Label] | None = None,
) -> Change:
    """Split a group where few ties are cut; the largest part keeps its label.

    Parameters
    ----------
    shards : Shards
        The groups.
    graph : InteractionGraph
        Who talks to whom.
    group : str or int
        The group to split.
    parts : int, optional
        Into how many; by default the fewest that lie within bounds, and at least 2.
    new_groups : iterable of labels, optional
        Labels of the new groups, as in `rebalance`.

    Returns
    -------
    Change
        Everybody outside the group stays where they are.

    Raises
    ------
    UnknownLabelError
        There is no such group.
    InvalidTypeError, InvalidValueError
        The group can't be split into so many parts within bounds, or its leaders don't suffice.

    Notes
    -----
    A heuristic: parts are grown from the members who hold the rest least, and improved by moves and swaps.

    Examples
    --------
    >>> graph = InteractionGraph.from_ties([0, 1, 3, 4, 2], [1, 2, 4, 5, 3], [5, 5, 5, 5, 1])
    >>> change = split(Shards.of(graph, [0] * 6, sizes=(2, 4)), graph, group=0)
    >>> change.shards.sizes.tolist(), change.n_moves, change.shards.kept_weight
    ([3, 3], 3, 20)
    """
    _require(shards, graph)
    code = shards.groups.code(group, argument="group")
    inside = np.flatnonzero(shards.group == code)
    band = wide_enough(shards.bounds, shards.min_leaders)
    k = _n_parts(len(inside), band, parts)
    is_leader = None if shards.leaders is None else shards.leaders[inside]
    require_leaders(0 if is_leader is None else int(is_leader.sum()), shards.min_leaders, k)
    among = graph.align(shards.members)
    own = Seating(
        graph.align(shards.members.take(inside)).neighbours(),
        np.zeros(len(inside), dtype=np.int64),
        k,
        band,
        leaders=is_leader,
        min_leaders=shards.min_leaders,
    )
    part = _largest_first(_dealt(own, k))
    seating = _seating(shards, among, k - 1)
    for member, to in zip(inside.tolist(), part.tolist(), strict=True):
        if to:
            seating.put(member, len(shards.groups) + to - 1, MoveReason.SPLIT)
    return told(
        shards,
        graph,
        among,
        seating,
        groups=with_new_groups(shards.groups, k - 1, new_groups),
        bounds=shards.bounds,
        leaders=shards.leaders,
        min_leaders=shards.min_leaders,
        lower_bound=len(inside) - min(band.hi, len(inside) - (k - 1) * band.lo),
    )


def join_groups(shards: Shards, graph: InteractionGraph, /, *, groups: Iterable[Label]) -> Change:
    """Join groups into one; the largest keeps its label, of equals the one named first.

    Parameters
    ----------
    shards : Shards
        The groups.
    graph : InteractionGraph
        Who talks to whom.
    groups : iterable of labels
        Two groups or more.

    Returns
    -------
    Change
        Everybody of the other groups moves.

    Raises
    ------
    UnknownLabelError
        There is no such group.
    InvalidTypeError, InvalidValueError
        Fewer than two groups are named, one is named twice, or together they have more members than the bounds allow.

    Examples
    --------
    >>> graph = InteractionGraph.from_ties([0, 1], [1, 2], n_members=3)
    >>> join_groups(Shards.of(graph, [0, 1, 1], sizes=(1, 4)), graph, groups=[0, 1]).moves.rows().__next__().to_group
    1
    """
    _require(shards, graph)
    labels = items_of("groups", groups, expected="labels of groups")
    codes = [shards.groups.code(label, argument="groups") for label in labels]
    if len(codes) < 2 or len(set(codes)) < len(codes):  # noqa: PLR2004
        raise InvalidValueError(message("groups", "two different groups or more", labels))
    sizes = shards.sizes[codes]
    if sizes.sum() > shards.bounds.hi:
        expected = f"groups with at most {shards.bounds.hi:,} members together"
        raise InvalidValueError(message("groups", expected, int(sizes.sum())))
    to = codes[int(np.argmax(sizes))]
    among = graph.align(shards.members)
    seating = _seating(shards, among, 0)
    for member in np.flatnonzero(np.isin(shards.group, codes) & (shards.group != to)).tolist():
        seating.put(member, to, MoveReason.MERGED)
    return told(
        shards,
        graph,
        among,
        seating,
        groups=shards.groups,
        bounds=shards.bounds,
        leaders=shards.leaders,
        min_leaders=shards.min_leaders,
        lower_bound=int(sizes.sum() - sizes.max()),
    )


def _require(shards: Shards, graph: InteractionGraph) -> None:
    instance("shards", shards, Shards, expected="Shards")
    instance("graph", graph, InteractionGraph, expected="an InteractionGraph")


def _seating(shards: Shards, among: InteractionGraph, n_new: int) -> Seating:
    codes = shards.group.astype(np.int64)
    return Seating(among.neighbours(), codes, len(shards.groups) + n_new, shards.bounds, leaders=shards.leaders)


def _n_parts(n: int, band: SizeBand, parts: int | None) -> int:
    allowed = [k for k in counts_of_groups(n, band) if k > 1]
    wanted = None if parts is None else whole("parts", parts)
    if wanted is not None and wanted < 2:  # noqa: PLR2004
        raise InvalidValueError(message("parts", "2 or more", wanted))
    if not allowed or (wanted is not None and wanted not in allowed):
        what = "two parts or more" if wanted is None else f"{wanted:,} parts"
        expected = f"one that makes {what} of {band.lo:,} to {band.hi:,} members"
        raise InvalidValueError(message("group", expected, n) + " members")
    return allowed[0] if wanted is None else wanted


def _dealt(own: Seating, k: int) -> IntArray:
    """Return the part of each member of one group, dealt into k."""
    for group in range(1, k):
        for member in shed(own, 0, len(own.members[0]) // (k - group + 1), MoveReason.SPLIT):
            own.put(member, group)
    seat_leaders(own, list(range(k)))
    for _ in range(_ROUNDS):
        own.improve(range(len(own.group)), len(own.group), MoveReason.SPLIT)
    return own.codes()


def _largest_first(part: IntArray) -> IntArray:
    """Return the same parts with codes by falling size."""
    order = np.argsort(-np.bincount(part), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[part]
