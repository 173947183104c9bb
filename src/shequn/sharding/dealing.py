"""Where nothing else is known to work: which deal keeps every condition, whatever it keeps of the ties?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shequn.sharding.packing_search import deal
from shequn.sharding.seats import Seats

if TYPE_CHECKING:
    from shequn._typing import BoolArray, IntArray
    from shequn.entities.size import SizeBand
    from shequn.labels import Label
    from shequn.sharding.asking import Asked
    from shequn.sharding.feasibility import Feasibility

__all__ = ["any_deal"]

_NOWHERE = -1


def any_deal(asked: Asked, leads: BoolArray | None, min_leaders: int, possible: Feasibility, /) -> IntArray | None:
    """Return groups that keep every condition, shape (n_members,); None if none was found.

    Groups with seats given are the first ones, in the order in which `asked` names them.

    Parameters
    ----------
    possible : Feasibility
        Into how many groups members can be dealt, as `feasible` found of the same conditions.

    Examples
    --------
    >>> from shequn.sharding.asking import Asked
    >>> from shequn.sharding.feasibility import feasible
    >>> asked = Asked(fixed={}, together=[[0, 3]], apart=[[0, 1]])
    >>> possible = feasible(4, (2, 2), together=asked.together, apart=asked.apart)
    >>> any_deal(asked, None, 0, possible).tolist()
    [0, 1, 1, 0]
    """
    n, band = possible.n_members, possible.sizes
    seats = Seats(asked, 0 if leads is None or not min_leaders else leads)
    problem = seats.problem(n, band, min_leaders)
    counts = [*possible.n_groups.tolist(), *possible.undecided.tolist()]
    held = next((found for k in counts if (found := deal(problem, k)) is not None), None)
    if held is None:
        return None
    codes = np.full(n, _NOWHERE, dtype=np.int64)
    for group, blocks in zip(_numbers(held, seats, asked), held, strict=True):
        for block in blocks:
            codes[seats.held[block]] = group
    if min_leaders and leads is not None:
        in_place = np.bincount(codes[(codes != _NOWHERE) & leads], minlength=len(held))
        _fill(codes, np.flatnonzero((codes == _NOWHERE) & leads), np.maximum(min_leaders - in_place, 0))
    return _completed(codes, len(held), band)


def _numbers(held: list[list[int]], seats: Seats, asked: Asked) -> list[int]:
    """Return the number of each group: those with seats given first, as `asked` names them."""
    named: list[Label] = list(dict.fromkeys(asked.fixed.values()))
    label_of = [next((seats.group_of[block] for block in blocks if block in seats.group_of), None) for blocks in held]
    later = iter(range(len(named), len(held)))
    return [next(later) if label is None else named.index(label) for label in label_of]


def _completed(codes: IntArray, n_groups: int, band: SizeBand) -> IntArray:
    """Return the groups with everybody else in them: first what each needs, then what it has room for."""
    for size in (band.lo, band.hi):
        in_place = np.bincount(codes[codes != _NOWHERE], minlength=n_groups)
        _fill(codes, np.flatnonzero(codes == _NOWHERE), np.maximum(size - in_place, 0))
    return codes


def _fill(codes: IntArray, members: IntArray, seats: IntArray) -> None:
    """Give members the seats there are in each group, in order, as far as they go."""
    places = np.repeat(np.arange(len(seats)), seats)[: len(members)]
    codes[members[: len(places)]] = places
