"""How many of each value is every group to have, if all are to be alike and few are to move?"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from shequn._typing import BoolArray, IntArray

__all__ = ["Quotas", "even_quotas"]


class Quotas(NamedTuple):
    """How many of a value a group is to have, where that is any.

    Attributes
    ----------
    cell : array of int64
        ``value * n_groups + group``, ascending.
    wanted : array of int64
        How many.
    """

    cell: IntArray
    wanted: IntArray


def even_quotas(codes: IntArray, value: IntArray, n_groups: int, is_free: BoolArray, /) -> Quotas:
    """Return quotas by which groups have ⌊c/k⌋ or ⌈c/k⌉ of each value, and as equal sizes, near to what they have.

    Parameters
    ----------
    codes, value : arrays of int64, shape (n,)
        The group and the value of each member, both from 0 on.
    n_groups : int
        k; none of them need have a member.
    is_free : array of bool, shape (n,)
        Who may move. A quota is never less than who stays; if that is too many, the others are as even as it leaves
        them.

    Notes
    -----
    Of each value every group gets the same number h, and some groups one more: those that have more than h now, and
    then those with the smallest quotas so far. At last the largest groups hand such seats to the smallest. A group that
    is larger by two has a seat beyond h of some value of which the other has none: so with nobody who stays, sizes
    differ by one in the end.

    Examples
    --------
    >>> codes, tier = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    >>> even_quotas(codes, tier, 2, np.ones(4, dtype=np.bool_)).wanted.tolist()
    [1, 1, 1, 1]
    """
    counts = np.bincount(value)
    cell, now = np.unique(value * n_groups + codes, return_counts=True)
    bound, stays = np.unique((value * n_groups + codes)[~is_free], return_counts=True)
    # Rare values get no seat but extra ones, and are too many to look at each in every group.
    is_dense = counts >= n_groups
    is_dense[bound[stays > 1] // n_groups] = True
    table = _Table(n_groups)
    for which in np.flatnonzero(is_dense).tolist():
        row = slice(*np.searchsorted(cell, (which * n_groups, (which + 1) * n_groups)))
        kept = slice(*np.searchsorted(bound, (which * n_groups, (which + 1) * n_groups)))
        table.add(
            which,
            int(counts[which]),
            now=_dense(cell[row], now[row], n_groups),
            stays=_dense(bound[kept], stays[kept], n_groups),
        )
    rare = cell[~is_dense[cell // n_groups]]
    table.add_rare(rare, bound[~is_dense[bound // n_groups]], counts)
    table.balance()
    return table.quotas()


def _dense(cell: IntArray, count: IntArray, n_groups: int) -> IntArray:
    found = np.zeros(n_groups, dtype=np.int64)
    found[cell % n_groups] = count
    return found


class _Table:
    """Quotas being worked out: so many of a value for all groups, and extra seats, at most one of it in a group."""

    def __init__(self, n_groups: int) -> None:
        self._n_groups = n_groups
        self._base: dict[int, IntArray] = {}
        self._size = np.zeros(n_groups, dtype=np.int64)
        self._seats: list[set[int]] = [set() for _ in range(n_groups)]  # the values of the extra seats of each group
        self._closed: dict[int, set[int]] = {}  # groups that no more of a value may come to
        self._held: set[tuple[int, int]] = set()  # extra seats that must stay: (group, value)
        self._liked: set[tuple[int, int]] = set()  # those that the groups fill as they are
        self._missing: list[tuple[int, int]] = []  # values, and how many extra seats are still to be found

    def add(self, value: int, count: int, *, now: IntArray, stays: IntArray) -> None:
        """Give every group its seats of a value, and extra ones to those that fill them now."""
        height = count // self._n_groups
        # Who stays may make some groups fuller than that: the others are as even as the rest allows.
        while int(np.maximum(stays, height).sum()) > count:
            height -= 1
        base = np.maximum(stays, height)
        self._base[value] = base
        self._closed[value] = set(np.flatnonzero(stays > height).tolist())
        self._size += base
        n_extra = count - int(base.sum())
        liking = np.flatnonzero((now > base) & (stays <= height))
        # Where not all can have one, the groups that are smallest by now.
        liking = liking[np.argsort(self._size[liking], kind="stable")]
        for group in liking.tolist():
            self._liked.add((group, value))
        for group in liking[:n_extra].tolist():
            self._seat(group, value)
        self._missing.append((value, max(n_extra - len(liking), 0)))

    def add_rare(self, cell: IntArray, bound: IntArray, counts: IntArray) -> None:
        """Give an extra seat to each group that has a member of a value which not every group can have."""
        values, groups = cell // self._n_groups, cell % self._n_groups
        for value, group in zip(values.tolist(), groups.tolist(), strict=True):
            self._liked.add((group, value))
            self._seat(group, value)
        for place in bound.tolist():
            self._held.add((place % self._n_groups, place // self._n_groups))
        seated = np.bincount(values, minlength=len(counts))
        for value in np.unique(values[seated[values] < counts[values]]).tolist():
            self._missing.append((value, int(counts[value] - seated[value])))

    def balance(self) -> None:
        """Find the seats still missing in the smallest groups, and let large groups hand some to small ones."""
        smallest = [(size, group) for group, size in enumerate(self._size.tolist())]
        heapify(smallest)
        for value, number in self._missing:
            self._fill(smallest, value, number)
        smallest = [(size, group) for group, size in enumerate(self._size.tolist())]
        largest = [(-size, group) for size, group in smallest]
        heapify(smallest)
        heapify(largest)
        while largest and smallest:
            size, group = -largest[0][0], largest[0][1]
            less, other = smallest[0]
            if size != self._size[group]:
                heappop(largest)
            elif less != self._size[other]:
                heappop(smallest)
            elif size - less < 2:  # noqa: PLR2004
                break
            elif not self._hand_over(group, other):
                heappop(largest)  # what stays holds it up
            else:
                for one in (group, other):
                    heappush(smallest, (int(self._size[one]), one))
                    heappush(largest, (-int(self._size[one]), one))

    def quotas(self) -> Quotas:
        """Return what was worked out."""
        k = self._n_groups
        extra = np.array(
            [value * k + group for group, held in enumerate(self._seats) for value in held], dtype=np.int64
        )
        groups = np.arange(k)
        base = [extra[:0], *(value * k + groups for value in self._base)]
        number = [extra[:0], *self._base.values()]
        cells, wanted = np.concatenate([*base, extra]), np.concatenate([*number, np.ones_like(extra)])
        found, place = np.unique(cells, return_inverse=True)
        return Quotas(found, np.bincount(place, weights=wanted, minlength=len(found)).astype(np.int64))

    def _seat(self, group: int, value: int) -> None:
        self._seats[group].add(value)
        self._size[group] += 1

    def _may_have(self, group: int, value: int) -> bool:
        return value not in self._seats[group] and group not in self._closed.get(value, ())

    def _fill(self, smallest: list[tuple[int, int]], value: int, number: int) -> None:
        """Seat so many of a value in the smallest groups that may have them."""
        passed: list[tuple[int, int]] = []
        while number:
            size, group = heappop(smallest)
            if self._may_have(group, value):
                self._seat(group, value)
                number -= 1
                passed.append((size + 1, group))
            else:
                passed.append((size, group))
        for entry in passed:
            heappush(smallest, entry)

    def _hand_over(self, group: int, other: int) -> bool:
        """Let a group hand an extra seat to another: rather one that it can't fill, and that the other can."""
        best: tuple[bool, bool, int] | None = None
        for value in self._seats[group]:
            if not self._may_have(other, value) or (group, value) in self._held:
                continue
            worth = (group, value) not in self._liked, (other, value) in self._liked, -value
            if best is None or worth > best:
                best = worth
        if best is None:
            return False
        value = -best[2]
        self._seats[group].discard(value)
        self._size[group] -= 1
        self._seat(other, value)
        return True
