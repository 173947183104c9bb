"""Who changes places with whom, so that those who must not meet sit in different groups?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.graph import Neighbours

__all__ = ["parted"]

_MOST_OTHER_GROUPS = 8


def parted(  # noqa: PLR0917
    ties: Neighbours,
    codes: IntArray,
    apart: Iterable[list[int]],
    is_free: BoolArray,
    leads: BoolArray | None,
    kind: IntArray | None = None,
    /,
) -> IntArray | None:
    """Return groups of the same sizes in which no two members of a set meet; None where that finds no way.

    One by one, a member who meets another of their set changes places with somebody whom no condition is about, and who
    leads as they do or not: with whom least weight is lost, in groups that the member is tied to or a few others.

    Parameters
    ----------
    codes : array of int64, shape (n,)
    apart : sets of members
    is_free : array of bool, shape (n,)
        Who may move: nobody who has a given seat, or sits with somebody by request.
    leads : array of bool, shape (n,), or None
    kind : array of int64, shape (n,), optional
        Members change places with somebody of their own kind, where there are such.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> ties = InteractionGraph.from_ties([0, 2], [1, 3]).neighbours()
    >>> parted(ties, np.array([0, 0, 1, 1]), [[0, 1]], np.ones(4, dtype=np.bool_), None).tolist()
    [1, 0, 0, 1]
    """
    sets = [list(members) for members in apart]
    shunned: dict[int, set[int]] = {}
    for members in sets:
        for member in members:
            shunned.setdefault(member, set()).update(members)
    may_give_way = is_free.copy()
    may_give_way[list(shunned)] = False
    found = _Parting(ties, codes.copy(), may_give_way, leads, kind)
    for member in sorted(shunned):
        others = [other for other in shunned[member] if other != member]
        if not (found.codes[others] == found.codes[member]).any():
            continue
        # Where nothing is found somebody else of the set may be free to go, and comes later.
        if is_free[member]:
            found.swap(member, set(found.codes[others].tolist()))
    meets = any(len(set(found.codes[members].tolist())) < len(members) for members in sets)
    return None if meets else found.codes


class _Parting:
    """Groups, as members change places one after the other."""

    def __init__(
        self,
        ties: Neighbours,
        codes: IntArray,
        may_give_way: BoolArray,
        leads: BoolArray | None,
        kind: IntArray | None,
    ) -> None:
        self.codes = codes
        self._ties, self._may_give_way, self._leads, self._kind = ties, may_give_way, leads, kind
        self._is_picky = kind is not None
        n_groups = int(codes.max(initial=-1)) + 1
        self._sizes = np.bincount(codes, minlength=n_groups)
        # Members change places in pairs, so that the rows of a group stay where they are.
        self._seats = np.argsort(codes, kind="stable")
        self._ends = np.concatenate([[0], np.cumsum(self._sizes)])

    def swap(self, member: int, taken: set[int]) -> None:
        """Let a member change places with whom least is lost by, in no group that is taken: if there is anybody."""
        if self._kind is not None:
            self._is_picky = True
            if self._swapped(member, taken):
                return
            self._is_picky = False
        self._swapped(member, taken)

    def _swapped(self, member: int, taken: set[int]) -> bool:
        neighbours, weight = self._ties.of(member)
        home = int(self.codes[member])
        near = np.bincount(self.codes[neighbours], weights=weight, minlength=len(self._sizes))
        order = np.argsort(-near, kind="stable")
        free = [group for group in order.tolist() if group not in taken and group != home]
        tied = [group for group in free if near[group] > 0]
        best: tuple[float, int] | None = None
        for group in tied + [group for group in free if near[group] == 0][:_MOST_OTHER_GROUPS]:
            for other in self._who_may_come(group, member).tolist():
                gained = near[group] - near[home] + self._gain(other, home)
                gained -= 2 * float(weight[neighbours == other].sum())
                if best is None or gained > best[0]:
                    best = gained, other
        if best is None and len(free) > len(tied) + _MOST_OTHER_GROUPS:
            later = (self._who_may_come(group, member) for group in free)
            other = next((int(who[0]) for who in later if len(who)), None)
            best = None if other is None else (0.0, other)
        if best is None:
            return False
        self._change_places(member, best[1])
        return True

    def _who_may_come(self, group: int, member: int) -> IntArray:
        who = self._seats[self._ends[group] : self._ends[group + 1]]
        may_come = self._may_give_way[who]
        if self._leads is not None:
            may_come &= self._leads[who] == self._leads[member]
        if self._is_picky and self._kind is not None:
            may_come &= self._kind[who] == self._kind[member]
        return who[may_come]

    def _gain(self, member: int, group: int) -> float:
        """Return the weight that a member has to a group beyond that to their own."""
        neighbours, weight = self._ties.of(member)
        there: NDArray[Any] = self.codes[neighbours]
        return float(weight[there == group].sum() - weight[there == self.codes[member]].sum())

    def _change_places(self, one: int, other: int) -> None:
        for group, leaves, comes in ((self.codes[one], one, other), (self.codes[other], other, one)):
            rows = slice(self._ends[group], self._ends[group + 1])
            self._seats[rows] = np.where(self._seats[rows] == leaves, comes, self._seats[rows])
        self.codes[[one, other]] = self.codes[[other, one]]
