"""What has changed, told of a seating in which everybody has a seat again."""

from __future__ import annotations

from itertools import count, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.columns.readonly import frozen
from shequn.errors import InvalidValueError, counted, message
from shequn.labels import Assignment, Index
from shequn.sharding.change import Change, MoveReason, Moves
from shequn.sharding.shards import Shards
from shequn.stats._checks import items_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, FloatArray
    from shequn.entities.size import SizeBand
    from shequn.graph import InteractionGraph
    from shequn.labels import Label
    from shequn.sharding.seating import Seating

__all__ = ["told", "with_new_groups"]


def told(
    before: Shards,
    graph: InteractionGraph,
    among: InteractionGraph,
    seating: Seating,
    *,
    groups: Index,
    bounds: SizeBand,
    leaders: BoolArray | None,
    min_leaders: int,
    left: NDArray[Any] | None = None,
    lower_bound: int = 0,
) -> Change:
    """Return the change from groups to a seating over the members of `among`; `groups` labels its groups."""
    codes = seating.codes()
    used = np.flatnonzero(np.bincount(codes, minlength=len(groups)))
    after = Shards.of(
        among,
        Assignment(members=among.members, codes=np.searchsorted(used, codes), segments=groups.take(used)),
        sizes=bounds,
        leaders=leaders,
        min_leaders=min_leaders,
    )
    home = np.array(seating.home, dtype=np.int64)
    return Change(
        before=before,
        shards=after,
        moves=_moves(seating, np.flatnonzero((home >= 0) & (home != codes)).tolist(), among.members, groups),
        joined=_moves(seating, np.flatnonzero(home < 0).tolist(), among.members, groups),
        left=np.zeros(0, dtype=object) if left is None else left,
        lower_bound=lower_bound,
        kept_before=_kept(graph.align(before.members), before.group),
        kept_after=after.kept,
    )


def _kept(graph: InteractionGraph, codes: NDArray[np.int32]) -> float:
    total = graph.weight.sum().item()
    inside = graph.weight[codes[graph.source] == codes[graph.target]].sum().item()
    return inside / total if total else float("nan")


def _moves(seating: Seating, who: list[int], members: Index, groups: Index) -> Moves:
    gained = _gained(seating, who)
    why = [
        _why(MoveReason.JOINED if seating.home[member] < 0 else seating.why[member], gain)
        for member, gain in zip(who, gained.tolist(), strict=True)
    ]
    return Moves(
        member=members.labels[who],
        from_group=_objects([groups[seating.home[m]] if seating.home[m] >= 0 else None for m in who]),
        to_group=_objects([groups[seating.group[m]] for m in who]),
        reason=_objects(why),
        gained=frozen(gained),
    )


def _why(noted: MoveReason, gain: float) -> MoveReason:
    """Return why a member moves: somebody with no more ties there makes room for somebody who has."""
    return MoveReason.ROOM if noted is MoveReason.TIES and gain <= 0 else noted


def _gained(seating: Seating, who: list[int]) -> FloatArray:
    """Return what each move gains; what a tie of two who both move gains is half of one's and half of the other's."""
    home, now = np.array(seating.home, dtype=np.int64), seating.codes()
    moves = home != now
    gained = np.zeros(len(who))
    for row, member in enumerate(who):
        others, weight = seating.neighbours.of(member)
        change = (now[others] == now[member]).astype(np.float64)
        change -= (home[others] == home[member]) & (home[member] >= 0)
        gained[row] = float((weight * change * np.where(moves[others], 0.5, 1.0)).sum())
    return gained


def _objects(values: Sequence[object]) -> NDArray[Any]:
    return frozen(np.fromiter(values, dtype=object, count=len(values)))


def with_new_groups(
    groups: Index, n_new: int, labels: Iterable[Label] | None, *, argument: str = "new_groups"
) -> Index:
    """Return the labels of the groups there were and of those that open.

    Examples
    --------
    >>> from shequn.labels import Index
    >>> with_new_groups(Index(["一群"]), 2, None), with_new_groups(Index([4, 9]), 1, None)
    (Index(['一群', 'new-1', 'new-2']), Index([4, 9, 10]))
    """
    if labels is not None:
        given = items_of(argument, labels, expected="labels of groups")
        if len(given) < n_new:
            raise InvalidValueError(
                message(argument, f"a label for {counted(n_new, 'group')} that open{'s' * (n_new == 1)}", given)
            )
        new = given[:n_new]
    elif len(groups) and not groups.is_text:
        largest = int(groups.labels.max())
        new = list(range(largest + 1, largest + 1 + n_new))
    else:
        names = (f"new-{number}" for number in count(1))
        new = list(islice((name for name in names if name not in groups), n_new))
    return Index([*groups, *new], argument=argument)
