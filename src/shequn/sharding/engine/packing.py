"""How do clusters of all sizes become groups within the bounds?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.errors import InvalidValueError
from shequn.sharding.engine.repair import repair

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shequn._typing import BoolArray, IntArray

__all__ = ["bins", "into_bounds", "pack"]

_TRIED_IN_FULL = 24  # so many large nodes are searched for every way to seat them
_STEPS = 200_000  # and given up after so many steps
_NOWHERE = -1


def pack(codes: IntArray, size: IntArray, bounds: tuple[int, int], n_fixed: int, /) -> tuple[IntArray, int]:
    """Return the group of each node where clusters that are too small are put together, none above the largest size.

    Parameters
    ----------
    codes : array of int64, shape (n,)
        The cluster of each node; those below `n_fixed` are groups already.
    size : array of int64, shape (n_clusters,)
        Size of each cluster.
    bounds : (int, int)
        Least and largest size of a group.
    n_fixed : int
        How many clusters keep their number.

    Examples
    --------
    >>> pack(np.array([0, 1, 2, 2]), np.array([1, 1, 2]), (2, 2), 0)
    (array([1, 1, 0, 0]), 2)
    """
    least, most = bounds
    every = np.arange(len(size))
    small = (size < least) & (every >= n_fixed)
    group = np.empty(len(size), dtype=np.int64)
    n_whole = int(np.count_nonzero(~small))
    group[~small] = np.arange(n_whole)
    found = bins(size[small], most)
    group[small] = n_whole + found
    return group[codes], n_whole + (int(found.max()) + 1 if len(found) else 0)


def bins(size: IntArray, most: int, /) -> IntArray:
    """Return a bin for each size, none fuller than allowed: the largest that fits goes in, again and again.

    There are few different sizes and many of each, so bins that are filled alike are filled at once.

    Examples
    --------
    >>> bins(np.array([3, 2, 2, 1]), 4)
    array([0, 1, 1, 0])
    """
    found = np.empty(len(size), dtype=np.int64)
    order = np.argsort(size, kind="stable")
    values, first, count = np.unique(size[order], return_index=True, return_counts=True)
    left, n_bins = count.copy(), 0
    while left.any():
        use = np.zeros(len(values), dtype=np.int64)
        room = most
        for i in np.flatnonzero(left)[::-1].tolist():
            use[i] = min(int(left[i]), room // int(values[i]))
            room -= int(use[i] * values[i])
        used = np.flatnonzero(use)
        alike = int((left[used] // use[used]).min())
        for i in used.tolist():
            next_one = int(first[i] + count[i] - left[i])
            taken = np.arange(next_one, next_one + alike * int(use[i]))
            found[order[taken]] = n_bins + np.repeat(np.arange(alike), use[i])
        left -= alike * use
        n_bins += alike
    return found


def into_bounds(
    codes: IntArray,
    n_groups: int,
    bounds: tuple[int, int],
    /,
    *,
    size: IntArray | None = None,
    movable: BoolArray | None = None,
    n_fixed: int = 0,
) -> tuple[IntArray, int]:
    """Return groups within the bounds: by the fewest moves of nodes of size 1, or else with larger nodes packed anew.

    Parameters
    ----------
    codes, n_groups, bounds, size, movable, n_fixed
        As in `repair`.

    Returns
    -------
    codes, n_groups : array of int64 and int
        Groups within the bounds.

    Raises
    ------
    InvalidValueError
        If there are no such groups, or none was found; the message says which.

    Examples
    --------
    >>> into_bounds(np.array([0, 0, 0, 1]), 2, (2, 2))
    (array([1, 0, 0, 1]), 2)
    """
    done = repair(codes, n_groups, bounds, size=size, movable=movable, n_fixed=n_fixed)
    if done is not None:
        return done
    ones = np.ones(len(codes), dtype=np.int64)
    stays = ones == 0 if movable is None else ~movable
    return _packed_anew(_Load(codes, ones if size is None else size, stays, n_fixed, bounds))


class _Load(NamedTuple):
    """What is to be packed from the start: only nodes that stay have a group."""

    codes: IntArray
    size: IntArray
    stays: BoolArray
    n_fixed: int
    bounds: tuple[int, int]

    @property
    def large(self) -> IntArray:
        """The nodes above size 1 that may move, the largest first."""
        large = np.flatnonzero(~self.stays & (self.size > 1))
        return large[np.argsort(-self.size[large], kind="stable")]

    @property
    def taken(self) -> IntArray:
        """What the nodes that stay take up in each of the groups that keep their number."""
        there = self.codes[self.stays]
        return np.bincount(there, weights=self.size[self.stays], minlength=self.n_fixed).astype(np.int64)

    @property
    def numbers(self) -> range:
        """How many groups there may be."""
        total = int(self.size.sum())
        return range(max(-(-total // self.bounds[1]), self.n_fixed, 1), total // self.bounds[0] + 1)

    def seated(self, seats: ArrayLike, n_groups: int) -> tuple[IntArray, int] | None:
        """Return the groups where the large nodes have these seats and the small ones fill what is lacking."""
        codes = np.where(self.stays, self.codes, 0)
        codes[self.large] = seats
        loose = np.flatnonzero(~self.stays & (self.size == 1))
        codes[loose] = np.arange(len(loose)) % n_groups
        return repair(codes, n_groups, self.bounds, size=self.size, movable=~self.stays, n_fixed=self.n_fixed)


def _packed_anew(load: _Load) -> tuple[IntArray, int]:
    """Seat large nodes by simple rules, and where those fail try every way, as long as there are few."""
    least, most = load.bounds
    reason = f"bounds: expected groups of {least} to {most} that hold these sizes and pinned nodes, "
    taken, numbers = load.taken, load.numbers
    if int(taken.max(initial=0)) > most or len(numbers) == 0:
        raise InvalidValueError(reason + "and there are none")
    amounts = load.size[load.large]
    for number in _spread_out(numbers):
        full = np.concatenate([taken, np.zeros(number - len(taken), dtype=np.int64)])
        for balanced in (True, False):
            seats = _seats(amounts, full.copy(), most, balanced=balanced)
            done = None if seats is None else load.seated(seats, number)
            if done is not None:
                return done
    steps = _STEPS if len(amounts) <= _TRIED_IN_FULL else 0
    n_loose = int(np.count_nonzero(~load.stays & (load.size == 1)))
    for number in numbers:
        full = np.concatenate([taken, np.zeros(number - len(taken), dtype=np.int64)])
        attempt = _Attempt(amounts.tolist(), full.tolist(), load.bounds, n_loose, steps)
        done = load.seated(attempt.seats, number) if steps and attempt.succeeds() else None
        if done is not None:
            return done
        steps = attempt.steps
        if steps <= 0:
            raise InvalidValueError(reason + "found none; that there is none is not proved")
    raise InvalidValueError(reason + "and there are none")


def _spread_out(numbers: range) -> list[int]:
    """Return some of the numbers, the first and the last among them."""
    few = 12
    return sorted({numbers[round(i * (len(numbers) - 1) / (few - 1))] for i in range(few)})


def _seats(size: IntArray, full: IntArray, most: int, *, balanced: bool) -> IntArray | None:
    """Seat large nodes, the largest first: each in the emptiest group, or in the fullest that has room."""
    seats = np.empty(len(size), dtype=np.int64)
    for i, amount in enumerate(size):
        seat = int(np.argmin(full)) if balanced else int(np.argmax(np.where(full + amount <= most, full, _NOWHERE)))
        if full[seat] + amount > most:
            return None
        full[seat] += amount
        seats[i] = seat
    return seats


class _Attempt:
    """A search through every way to seat the large nodes, so that the loose ones can fill what is lacking."""

    def __init__(
        self, amounts: list[int], full: list[int], bounds: tuple[int, int], n_loose: int, steps: int, /
    ) -> None:
        self.amounts, self.full, self.steps = amounts, full, steps
        self.least, self.most = bounds
        self.rest = sum(amounts) + n_loose
        self.seats: list[int] = []

    def succeeds(self) -> bool:
        """Seat the next one and all behind it; False where that can't be, or the steps have run out."""
        self.steps -= 1
        lacking = sum(max(self.least - full, 0) for full in self.full)
        if self.steps <= 0 or lacking > self.rest:
            return False
        if len(self.seats) == len(self.amounts):
            return True
        amount, seen = self.amounts[len(self.seats)], set[int]()
        self.rest -= amount
        for group, full in enumerate(self.full):
            if full in seen or full + amount > self.most:
                continue
            seen.add(full)  # groups as full as each other are as good as each other
            self.full[group] += amount
            self.seats.append(group)
            if self.succeeds():
                return True
            self.seats.pop()
            self.full[group] -= amount
        self.rest += amount
        return False
