"""Which members change places, one pair after the other, so that the groups grow more even and no condition breaks?

Where seats are given, or sets of members or leaders bind, an even deal may not exist, or not be found at one go. Here
every swap of two members is looked at, and every move, until none is left that would make the groups more even.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shequn.sharding.spreading import cells_outside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shequn._typing import BoolArray, IntArray
    from shequn.graph import Neighbours
    from shequn.sharding.attributes import Attribute

__all__ = ["Binding", "more_even"]

_NOBODY = -1


class Binding(NamedTuple):
    """What must stay as it is while members change places.

    Attributes
    ----------
    bounds : (int, int)
        Least and largest size of a group.
    may_move : array of bool, shape (n,)
        Not those with a given seat, or who sit with others by request.
    apart : list of list of int
        Sets of which no two may meet.
    leads : array of bool, shape (n,), or None
        Who leads; None where no leaders are asked for.
    min_leaders : int
    """

    bounds: tuple[int, int]
    may_move: BoolArray
    apart: list[list[int]]
    leads: BoolArray | None
    min_leaders: int


def more_even(ties: Neighbours, codes: IntArray, level: Attribute, n_groups: int, binding: Binding, /) -> IntArray:
    """Return groups that no swap of two members, and no move of one, makes more even without breaking a condition.

    How uneven groups are is the sum, over groups and values, of the square of how far the count lies outside ⌊c/k⌋ to
    ⌈c/k⌉. Of the swaps that lower it most, the one that costs least of the ties is taken, again and again.

    Parameters
    ----------
    codes : array of int64, shape (n,)
        Groups that keep every condition.
    binding : Binding
        The conditions.

    Examples
    --------
    >>> from shequn.graph import InteractionGraph
    >>> from shequn.labels import Index
    >>> from shequn.sharding.attributes import attribute_of
    >>> tier = attribute_of("tier", ["gold", "gold", "basic", "basic"], Index.positional(4))
    >>> ties = InteractionGraph.from_ties([], [], n_members=4).neighbours()
    >>> stays = Binding((2, 2), np.array([True, False, True, True]), [], None, 0)
    >>> more_even(ties, np.array([0, 0, 1, 1]), tier, 2, stays).tolist()
    [1, 0, 0, 1]
    """
    found = _Evening(ties, codes.copy(), level, n_groups, binding)
    improved = True
    while improved:
        improved = False
        cells = cells_outside(found.codes, level, n_groups)
        for group, value in zip(cells.group.tolist(), cells.value.tolist(), strict=True):
            while found.mend(group, value):
                improved = True
    return found.codes


class _Evening:
    """Groups, as members change places one pair after the other."""

    def __init__(self, ties: Neighbours, codes: IntArray, level: Attribute, n_groups: int, binding: Binding) -> None:
        self.codes = codes
        self._ties, self._value, self._n_groups, self._binding = ties, level.codes, n_groups, binding
        self._n_values = len(level.values)
        self._least, rest = np.divmod(level.counts, max(n_groups, 1))
        self._most = self._least + (rest > 0)
        self._sizes = np.bincount(codes, minlength=n_groups)
        self._leads = np.zeros(len(codes), dtype=np.bool_) if binding.leads is None else binding.leads
        self._n_leaders = np.bincount(codes[self._leads], minlength=n_groups)
        self._of_value: list[IntArray] = _split(self._value, self._n_values)
        # How many of each member's value sit in each member's group.
        cell = codes * self._n_values + self._value
        _, place, count = np.unique(cell, return_inverse=True, return_counts=True)
        self._alike = count[place]
        rows = ties.rows()
        inside = codes[rows] == codes[ties.neighbour]
        inner = np.bincount(rows[inside], weights=ties.weight[inside], minlength=len(codes))
        self._inner = inner.astype(np.float64)  # counts, where nobody is tied
        self._shunned: dict[int, set[int]] = {}
        for members in binding.apart:
            for member in members:
                self._shunned.setdefault(member, set()).update(members)

    def mend(self, group: int, value: int) -> bool:
        """Make the best swap or move that lowers what is uneven, and mends a count; return whether there was one."""
        count = int((self.codes[self._of_value[value]] == group).sum())
        who = np.flatnonzero(self.codes == group)
        who = who[self._binding.may_move[who]]
        if count > self._most[value]:
            best = self._best(self._leaving(group, value, who))
        elif count < self._least[value]:
            best = self._best(self._coming(group, value, who))
        else:
            return False
        if best is None:
            return False
        self._change(*best)
        return True

    def _leaving(self, group: int, value: int, who: IntArray) -> list[_Options]:
        """Return who of a value may leave a group, for whom or for nobody."""
        others = np.flatnonzero(self._binding.may_move & (self.codes != group) & (self._value != value))
        return [self._options(member, others) for member in self._one_of_each(who[self._value[who] == value])]

    def _coming(self, group: int, value: int, who: IntArray) -> list[_Options]:
        """Return who of a value may come into a group, for whom of it or for nobody's place."""
        of_value = self._of_value[value]
        others = of_value[self._binding.may_move[of_value] & (self.codes[of_value] != group)]
        swaps = [self._options(member, others) for member in self._one_of_each(who[self._value[who] != value])]
        return [*swaps, self._entering(group, others)]

    def _one_of_each(self, who: IntArray) -> list[int]:
        """Return, of members of a group who are alike to every condition, the one who is tied least to it."""
        shuns = np.array([member in self._shunned for member in who.tolist()], dtype=np.int64)
        alike = np.where(shuns > 0, who + 2 * self._n_values, 2 * self._value[who] + self._leads[who])
        order = np.lexsort((self._inner[who], alike))
        first = np.unique(alike[order], return_index=True)[1]
        found: list[int] = who[order[first]].tolist()
        return found

    def _options(self, member: int, others: IntArray) -> _Options:
        """Return what it brings to let a member change places with each of some others, and to move alone."""
        home, value = int(self.codes[member]), int(self._value[member])
        there, their = self.codes[others], self._value[others]
        at_home = np.bincount(self._value[self.codes == home], minlength=self._n_values)
        counted = np.bincount(self.codes[self._of_value[value]], minlength=self._n_groups)
        leaves = int(self._step(int(at_home[value]), value, -1))
        arrives = self._step(counted, np.full(self._n_groups, value), 1)
        change = leaves + arrives[there]
        change += self._step(at_home[their], their, 1) + self._step(self._alike[others], their, -1)
        lead, leaders = self._leads[member], self._n_leaders
        lowest = self._binding.min_leaders
        fits = leaders[home] - int(lead) + self._leads[others] >= lowest
        fits &= leaders[there] + int(lead) - self._leads[others] >= lowest
        fits &= change < 0
        near = self._near(member)
        lost = self._inner[member] + self._inner[others] - near[there] - self._weight_to(home)[others]
        neighbours, weight = self._ties.of(member)
        meets = np.zeros(len(self.codes))
        meets[neighbours] = weight
        lost = lost + 2 * meets[others]
        moves = np.flatnonzero((leaves + arrives < 0) & (self._sizes < self._binding.bounds[1]))
        moves = moves[moves != home]
        may_go = self._sizes[home] > self._binding.bounds[0] and leaders[home] - int(lead) >= lowest
        moves = moves[: len(moves) if may_go else 0]
        return _Options(
            np.full(int(fits.sum()) + len(moves), member),
            np.concatenate([others[fits], np.full(len(moves), _NOBODY)]),
            np.concatenate([there[fits], moves]),
            np.concatenate([change[fits], leaves + arrives[moves]]),
            np.concatenate([lost[fits], self._inner[member] - near[moves]]),
        )

    def _entering(self, group: int, others: IntArray) -> _Options:
        """Return what it brings to let each of some members move into a group, in nobody's place."""
        home, value = self.codes[others], self._value[others]
        at_home = np.bincount(self._value[self.codes == group], minlength=self._n_values)
        change = self._step(at_home[value], value, 1) + self._step(self._alike[others], value, -1)
        fits = (change < 0) & (self._sizes[home] > self._binding.bounds[0])
        fits &= self._n_leaders[home] - self._leads[others] >= self._binding.min_leaders
        fits &= bool(self._sizes[group] < self._binding.bounds[1])
        lost = self._inner[others] - self._weight_to(group)[others]
        n = int(fits.sum())
        return _Options(others[fits], np.full(n, _NOBODY), np.full(n, group), change[fits], lost[fits])

    def _step(self, count: Any, value: Any, by: int) -> Any:  # noqa: ANN401
        """Return how much more uneven counts of values are after one more or one less."""
        least, most = self._least[value], self._most[value]
        before, after = (np.maximum(held - most, 0) + np.maximum(least - held, 0) for held in (count, count + by))
        return after**2 - before**2

    def _near(self, member: int) -> NDArray[Any]:
        """Return the weight of a member to each group."""
        neighbours, weight = self._ties.of(member)
        return np.bincount(self.codes[neighbours], weights=weight, minlength=self._n_groups)

    def _weight_to(self, group: int) -> NDArray[Any]:
        """Return the weight of each member to a group."""
        found = np.zeros(len(self.codes))
        for member in np.flatnonzero(self.codes == group).tolist():
            neighbours, weight = self._ties.of(member)
            found[neighbours] += weight
        return found

    def _best(self, options: list[_Options]) -> tuple[int, int, int] | None:
        """Return who goes where, and who comes for them, of all options that keep apart who must be."""
        if not options:
            return None
        all_of_them = _Options(*(np.concatenate(column) for column in zip(*options, strict=True)))
        for place in np.lexsort((all_of_them.lost, all_of_them.change)).tolist():
            member, other, group = (int(column[place]) for column in all_of_them[:3])
            if self._meets_nobody(member, group, other) and (
                other == _NOBODY or self._meets_nobody(other, int(self.codes[member]), member)
            ):
                return member, other, group
        return None

    def _meets_nobody(self, member: int, group: int, leaving: int) -> bool:
        """Return whether a member may come into a group that somebody leaves."""
        shunned = self._shunned.get(member)
        return not shunned or not any(self.codes[one] == group for one in shunned if one not in (member, leaving))

    def _change(self, member: int, other: int, group: int) -> None:
        home = int(self.codes[member])
        self._move(member, group)
        if other != _NOBODY:
            self._move(other, home)

    def _move(self, member: int, group: int) -> None:
        home, alike = int(self.codes[member]), self._of_value[int(self._value[member])]
        self._alike[alike[self.codes[alike] == home]] -= 1
        neighbours, weight = self._ties.of(member)
        near = self.codes[neighbours]
        self._inner[neighbours] += np.where(near == group, weight, 0) - np.where(near == home, weight, 0)
        self._inner[member] = weight[near == group].sum()
        self.codes[member] = group
        here = alike[self.codes[alike] == group]
        self._alike[here] = len(here)
        for held, by in ((home, -1), (group, 1)):
            self._sizes[held] += by
            self._n_leaders[held] += by * int(self._leads[member])


class _Options(NamedTuple):
    """Swaps, and moves in nobody's place."""

    member: IntArray
    other: IntArray  # who comes for them, or nobody
    group: IntArray  # where they go
    change: IntArray  # in what is uneven
    lost: NDArray[Any]  # of the ties


def _split(value: IntArray, n_values: int) -> list[IntArray]:
    """Return who has each value."""
    order = np.argsort(value, kind="stable")
    return np.split(order, np.cumsum(np.bincount(value, minlength=n_values))[:-1]) if n_values else []
