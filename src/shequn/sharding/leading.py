"""Which leaders change places with whom, so that every group of a fresh deal has its leaders?

All short seats are filled at once, for deals of any size. `staff` does it for groups that exist, a swap at a time, with
a reason for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shequn.sharding.alike import rank_among_equals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.graph import Neighbours

__all__ = ["with_leaders"]

_ANY = -1


class _Offers(NamedTuple):
    """What it costs to let a leader go to a group; to any group, for one they have no tie to."""

    cost: NDArray[Any]
    leader: IntArray
    group: IntArray

    def only(self, rows: NDArray[Any]) -> _Offers:
        return _Offers(self.cost[rows], self.leader[rows], self.group[rows])


def with_leaders(  # noqa: PLR0917
    ties: Neighbours,
    codes: IntArray,
    leads: BoolArray,
    min_leaders: int,
    is_free: BoolArray,
    kind: IntArray | None = None,
    /,
) -> IntArray:
    """Return groups of the same sizes with `min_leaders` leaders in each, as far as those who are free allow.

    Each short seat takes one swap: a leader of a group that can spare one comes, and a member who is none goes there.

    Parameters
    ----------
    codes : array of int64, shape (n,)
        The group of each member, none empty.
    leads, is_free : arrays of bool, shape (n,)
        Who may lead, and who may move.
    kind : array of int64, shape (n,), optional
        From 0 on: leaders then change places with members of their own kind alone, where a group has one.

    Notes
    -----
    A leader x who goes from A to B costs ``w(x, A) - w(x, B)`` of kept weight. Offers are taken from the cheapest on,
    each leader's best first, while their group can spare them and the other needs them; each newcomer changes places
    with the member of B who has least weight there.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> ties = InteractionGraph.from_ties([0, 2], [1, 3], [5, 1]).neighbours()
    >>> leads = np.array([True, True, False, False])
    >>> with_leaders(ties, np.array([0, 0, 1, 1]), leads, 1, np.ones(4, dtype=np.bool_)).tolist()
    [1, 0, 0, 1]
    """
    n_groups = int(codes.max(initial=-1)) + 1
    n_leaders = np.bincount(codes[leads], minlength=n_groups)
    short, spare = np.maximum(min_leaders - n_leaders, 0), np.maximum(n_leaders - min_leaders, 0)
    if not short.any():
        return codes
    rows = ties.rows()
    is_inside = codes[rows] == codes[ties.neighbour]
    inner = np.bincount(rows[is_inside], weights=ties.weight[is_inside], minlength=len(codes))
    offers = _offers(ties, codes, inner, leads & is_free & (spare[codes] > 0), short)
    leader, group = _taken(offers, codes, short, spare)
    return _swapped(codes, inner, leader, group, ~leads & is_free, np.zeros_like(codes) if kind is None else kind)


def _offers(ties: Neighbours, codes: IntArray, inner: NDArray[Any], may_go: BoolArray, short: IntArray, /) -> _Offers:
    """Return what each leader who may go costs: to each short group they know somebody in, and to any."""
    n_groups, rows = len(short), ties.rows()
    known = np.flatnonzero(may_go[rows] & (short[codes[ties.neighbour]] > 0))
    pair, place = np.unique(rows[known] * n_groups + codes[ties.neighbour[known]], return_inverse=True)
    gained = np.bincount(place, weights=ties.weight[known], minlength=len(pair))
    leader, group = pair // n_groups, pair % n_groups
    anyone = np.flatnonzero(may_go)
    return _Offers(
        np.concatenate([inner[leader] - gained, inner[anyone]]),
        np.concatenate([leader, anyone]),
        np.concatenate([group, np.full(len(anyone), _ANY)]),
    )


def _taken(offers: _Offers, codes: IntArray, short: IntArray, spare: IntArray) -> tuple[IntArray, IntArray]:
    """Return who goes where, from the cheapest offer on."""
    offers = offers.only(np.lexsort((offers.group, offers.leader, offers.cost)))
    leaders: list[IntArray] = []
    groups: list[IntArray] = []
    n_anywhere, missing = 0, short.copy()
    while missing.sum() > n_anywhere and len(offers.leader):
        best = offers.only(np.sort(np.unique(offers.leader, return_index=True)[1]))
        fits = rank_among_equals(codes[best.leader]) < spare[codes[best.leader]]
        best = best.only(fits)
        is_bound = best.group != _ANY
        room = np.where(is_bound, missing[best.group], missing.sum())
        best = best.only(rank_among_equals(best.group) < room)
        # The cheapest of all, as many as there are seats.
        best = best.only(np.arange(min(len(best.leader), int(missing.sum()) - n_anywhere)))
        if not len(best.leader):
            break
        leaders.append(best.leader)
        groups.append(best.group)
        bound = best.group[best.group != _ANY]
        n_anywhere += len(best.group) - len(bound)
        missing = missing - np.bincount(bound, minlength=len(missing))
        spare = spare - np.bincount(codes[best.leader], minlength=len(spare))
        is_gone = np.zeros(len(codes), dtype=np.bool_)
        is_gone[best.leader] = True
        open_still = (offers.group == _ANY) | (missing[offers.group] > 0)
        offers = offers.only(~is_gone[offers.leader] & open_still & (spare[codes[offers.leader]] > 0))
    if not leaders:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    leader, group = np.concatenate(leaders), np.concatenate(groups)
    seats = np.repeat(np.arange(len(missing)), missing)
    group[group == _ANY] = seats[: int((group == _ANY).sum())]
    return leader, group


def _swapped(  # noqa: PLR0917
    codes: IntArray, inner: NDArray[Any], leader: IntArray, group: IntArray, may_give_way: BoolArray, kind: IntArray
) -> IntArray:
    """Return the groups after each leader has changed places with whoever of their kind there loses least."""
    n_kinds = int(kind.max(initial=0)) + 1
    others = np.flatnonzero(may_give_way)
    others = others[np.lexsort((others, inner[others], codes[others] * n_kinds + kind[others]))]
    cell, wanted = codes[others] * n_kinds + kind[others], group * n_kinds + kind[leader]
    at = np.searchsorted(cell, wanted) + rank_among_equals(wanted)
    there = at < np.searchsorted(cell, wanted, side="right")
    leader, group, other = leader[there], group[there], others[at[there]]
    swapped = codes.copy()
    swapped[other], swapped[leader] = codes[leader], group
    return swapped
