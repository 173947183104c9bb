"""Which members gain by a move to another group, anywhere, or by one that makes room for them?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.columns.halves import in_halves
from shequn.sharding.engine.moves import Wishes, allowed
from shequn.sharding.engine.sums import sum_rows
from shequn.sharding.engine.ties import blocks, ends_of, entries_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shequn._typing import BoolArray, FloatArray, IntArray
    from shequn.sharding.engine.moves import Groups
    from shequn.sharding.engine.ties import Ties

__all__ = ["refine"]

_ENTRIES = 1 << 18  # looked at together: what is worked out of them stays in the cache
_NOWHERE = -1
_LEAST = 1e-6  # above 0
_TIE_BREAK = np.float32(0.3)  # of a usual tie: less than the least gain of a whole one
_MANY = 0.7  # from this share of the nodes on, all of them are looked at


class _Seats(NamedTuple):
    """Who sits where; `codes` and `sizes` are written to as nodes move."""

    ties: Ties
    groups: Groups
    codes: IntArray
    sizes: IntArray
    usual: NDArray[np.float32]  # mean weight of a tie of each node

    def move(self, nodes: IntArray, target: IntArray) -> None:
        """Move nodes into groups, and keep the sizes of those in step."""
        amount = 1 if self.groups.size is None else self.groups.size[nodes]
        np.subtract.at(self.sizes, self.codes[nodes], amount)
        np.add.at(self.sizes, target, amount)
        self.codes[nodes] = target


class _Prospects(NamedTuple):
    """Where some nodes would rather be, and where they would go if they had to leave."""

    rows: IntArray  # the nodes
    home: IntArray
    target: IntArray
    urgency: NDArray[np.float32]  # 0: wants to stay
    gain: FloatArray  # what going to the target gains, with what chance adds to it
    resort: IntArray  # a group with room, or nowhere
    cost: FloatArray  # what going there gains, likewise; mostly below 0


class _Going(NamedTuple):
    """Who is about to go where in a step; those who have gone are the most urgent."""

    home: NDArray[np.int32]  # of each node, before the step
    aim: NDArray[np.int32]  # the group it goes to, or nowhere
    urgency: NDArray[np.float32]

    @classmethod
    def nobody(cls, codes: IntArray) -> _Going:
        """Return what there is before anybody goes."""
        n = len(codes)
        return cls(codes.astype(np.int32), np.full(n, _NOWHERE, dtype=np.int32), np.zeros(n, dtype=np.float32))

    def tell(self, nodes: IntArray, aim: IntArray | int, urgency: NDArray[np.float32] | float) -> None:
        """Note where nodes are about to go, and how urgent it is to them."""
        self.aim[nodes], self.urgency[nodes] = aim, urgency


def refine(
    ties: Ties, codes: IntArray, groups: Groups, temperatures: Sequence[float], rng: np.random.Generator, /
) -> IntArray:
    """Return the groups after some steps, in each of which many nodes move at once.

    A node wishes for the group where it gains most. Bounds are kept by `allowed`: swaps first, then moves into room.
    Where all nodes are of size 1, who did not get there goes where there is room, if that gains too, and those who
    still wait are paired: in each group the one who gains most by coming with the one who loses least by leaving, and
    so on. The latter goes to a third group (a chain) or to the one the former leaves, if both moves together gain.

    Parameters
    ----------
    ties : Ties
        Who is tied to whom.
    codes : array of int64, shape (n,)
        The group of each node.
    groups : Groups
        How many, bounds, sizes of nodes, who may move.
    temperatures : sequence of float
        One a step: how much chance there is in it, in mean ties of a node; 0: only moves that gain, and the steps end
        when nothing does.
    rng : Generator
        Source of that chance, and of the order of nodes and groups that are about as good.

    Returns
    -------
    array of int64, shape (n,)
        The group of each node; `codes` stays as it is.

    Notes
    -----
    Of two tied nodes that move at once, u from A to B and v from C to D, the gains add up to more than both have by
    w(u, v) where B = C and once more where D = A, and never otherwise. The less urgent one is charged that, and moves
    if some of its gain is left.

    Examples
    --------
    >>> from shequn.sharding.engine.moves import Groups
    >>> from shequn.sharding.engine.ties import from_pairs
    >>> one = np.ones(4, dtype=np.int64)
    >>> pairs = from_pairs(np.array([0, 1, 2, 3]), np.array([2, 3, 0, 1]), one, 4)
    >>> seats = refine(pairs, np.array([0, 0, 1, 1]), Groups(2, (2, 2)), [0, 0], np.random.default_rng(1))
    >>> bool(seats[0] == seats[2] and seats[1] == seats[3])
    True
    """
    seats = _Seats(ties, groups, codes.copy(), groups.sizes(codes), _usual(ties))
    may = (np.diff(ties.offsets) > 0) & groups.may_move(len(codes))
    active = may
    for temperature in temperatures:
        rows = np.flatnonzero(active if temperature == 0 and np.mean(active) < _MANY else may)
        if len(rows) == 0:
            break
        found = _prospects(seats, rows, temperature, rng)
        changed = _step(seats, found)
        if len(changed) == 0 and temperature == 0:
            break
        active = np.zeros(len(codes), dtype=np.bool_)
        active[rows[found.urgency > 0]] = True
        active[changed] = True
        active[entries_of(ties, changed)[0]] = True
        active &= may
    return seats.codes


def _usual(ties: Ties) -> NDArray[np.float32]:
    """Return the mean weight of a tie of each node, 1 where it has none."""
    running = ends_of(ties.weight)
    total = running[ties.offsets[1:]] - running[ties.offsets[:-1]]
    usual = np.maximum(total, 1) / np.maximum(np.diff(ties.offsets), 1)
    return np.asarray(usual, dtype=np.float32)


def _step(seats: _Seats, found: _Prospects) -> IntArray:
    """Make the moves of a step that go together, and return who has moved."""
    going = _Going.nobody(seats.codes)
    wants = np.flatnonzero(found.urgency)
    first, left = _wishes_come_true(seats, found, going, wants, (found.target, found.gain))
    if seats.groups.size is not None:
        return found.rows[first]
    gains = found.cost[left] > 0
    second, _ = _wishes_come_true(seats, found, going, left[gains], (found.resort, found.cost))
    waits = np.zeros(len(found.rows), dtype=np.bool_)
    waits[wants] = True
    waits[first] = waits[second] = False
    chains = _chains(seats, found, going, waits)
    return np.concatenate([found.rows[first], found.rows[second], chains])


def _wishes_come_true(
    seats: _Seats, found: _Prospects, going: _Going, wants: IntArray, wish: tuple[IntArray, FloatArray]
) -> tuple[IntArray, IntArray]:
    """Move those for whom there is room, and return which have moved and which have not."""
    aim, gain = wish
    nodes = found.rows[wants]
    going.tell(nodes, aim[wants], found.urgency[wants])
    still = _lost(seats.ties, going, nodes) < gain[wants]
    some, nodes = wants[still], nodes[still]
    amount = None if seats.groups.size is None else seats.groups.size[nodes]
    wishes = Wishes(found.home[some], aim[some], found.urgency[some], amount)
    chosen = allowed(wishes, seats.sizes, seats.groups.bounds)
    seats.move(nodes[chosen], wishes.target[chosen])
    going.tell(found.rows[wants], _NOWHERE, 0)
    going.tell(nodes[chosen], wishes.target[chosen], np.inf)
    stay = going.aim[found.rows[wants]] == _NOWHERE
    return some[chosen], wants[stay]


def _prospects(seats: _Seats, rows: IntArray, temperature: float, rng: np.random.Generator) -> _Prospects:
    """Look up, for some nodes, where they would rather be; each has a tie."""
    n_rows = len(rows)
    nowhere = np.full(n_rows, _NOWHERE)
    still = np.zeros(n_rows, dtype=np.float32)
    found = _Prospects(
        rows, seats.codes[rows], nowhere, still, np.zeros(n_rows), nowhere.copy(), np.full(n_rows, -np.inf)
    )
    runs = list(blocks(ends_of(np.diff(seats.ties.offsets)[rows]), _ENTRIES))
    seeds = rng.integers(np.iinfo(np.int64).max, size=len(runs))
    short = seats.codes.astype(np.int32)

    def look(these: range) -> None:
        for i in these:
            _look(seats, found, runs[i], short, temperature, np.random.default_rng(int(seeds[i])))

    in_halves(len(runs), look, many=4)
    return found


def _look(  # noqa: PLR0917
    seats: _Seats,
    found: _Prospects,
    run: slice,
    short: NDArray[np.int32],
    temperature: float,
    chance: np.random.Generator,
) -> None:
    """Look up the prospects of a run of nodes, and write them down."""
    least, most = seats.groups.bounds
    some = found.rows[run]
    home, usual = seats.codes[some], seats.usual[some]
    other, weight, offsets = entries_of(seats.ties, some)
    offsets, label, weight = sum_rows(offsets, short.take(other), weight)
    length = np.diff(offsets)
    own = label == np.repeat(home, length)
    here = np.add.reduceat(weight * own, offsets[:-1])
    gain = weight - np.repeat(here, length)
    size = 1 if seats.groups.size is None else np.repeat(seats.groups.size[some], length)
    fits = (most - seats.sizes.take(label) >= size) & ~own
    typical = np.repeat(usual, length)

    hoped = gain.astype(np.float32)
    if temperature > 0:
        noise = chance.standard_exponential(len(gain), dtype=np.float32)
        hoped -= np.log(noise + np.float32(1e-12)) * typical * np.float32(temperature)
    rating = hoped * ((hoped > 0) & ~own)
    if temperature == 0:
        rating += (rating > 0) * typical * chance.random(len(gain), dtype=np.float32) * _TIE_BREAK
    # Where two are as good, the one that can be had without a swap.
    at_once = fits & (np.repeat(seats.sizes[home] - least, length) >= size)
    rating += ((rating > 0) & at_once) * typical * _TIE_BREAK

    place = _highest(rating, offsets)
    lively = rating[place] / usual + chance.random(len(some), dtype=np.float32)
    found.target[run], found.gain[run] = label[place], hoped[place]
    found.urgency[run] = np.where(rating[place] > 0, lively, np.float32(0))
    if seats.groups.size is None:
        kept = np.maximum(hoped + np.repeat(here, length), np.float32(_LEAST)) * fits
        place = _highest(kept.astype(np.float32), offsets)
        found.resort[run] = np.where(fits[place], label[place], _NOWHERE)
        found.cost[run] = np.where(fits[place], hoped[place], -np.inf)


def _highest(rating: NDArray[np.float32], offsets: IntArray) -> IntArray:
    """Return where the highest rating of each row stands; ratings are 0 or more."""
    packed = (rating.view(np.int32).astype(np.int64) << 32) | np.arange(len(rating))
    return np.maximum.reduceat(packed, offsets[:-1]) & 0xFFFFFFFF


def _lost(ties: Ties, going: _Going, nodes: IntArray) -> FloatArray:
    """Return how much less each node gains than it hopes for, since others go who are at least as urgent.

    It counts on ties to those who leave the group it goes to, and gets none to those who come to the group it leaves.
    Others who go make it gain no less. So what two lose by each other is counted once at least.
    """
    lost = np.zeros(len(nodes))
    ends = ends_of(np.diff(ties.offsets)[nodes])
    for run in blocks(ends, _ENTRIES):
        some = nodes[run]
        other, weight, offsets = entries_of(ties, some)
        length = np.diff(offsets)
        ahead = np.flatnonzero(going.urgency.take(other) >= np.repeat(going.urgency[some], length))
        one = np.repeat(np.arange(len(some)), length)[ahead]
        other, weight = other[ahead], weight[ahead]
        crossed = (going.home.take(other) == going.aim[some][one]).astype(np.int8)
        crossed += going.aim.take(other) == going.home[some][one]
        lost[run] = np.bincount(one, weights=weight * crossed, minlength=len(some))
    return lost


def _chains(seats: _Seats, found: _Prospects, going: _Going, waits: BoolArray) -> IntArray:
    """Move x from A to B while y leaves B for C, or for A, where both together gain, and return who has moved."""
    rows, home = found.rows, found.home
    wants = np.flatnonzero(waits)
    most_gained = np.zeros(seats.groups.n_groups)
    np.maximum.at(most_gained, found.target[wants], found.gain[wants])
    stays = ~waits & (going.aim[rows] == _NOWHERE)
    yields = np.flatnonzero(stays & (found.cost + most_gained[home] > 0))
    if len(yields) == 0:
        return rows[:0]
    # In each group B the one who gains most by coming is paired with the one who loses least by leaving, and so on.
    wants = wants[np.lexsort((-found.gain[wants], found.target[wants]))]
    yields = yields[np.lexsort((-found.cost[yields], home[yields]))]
    first = np.searchsorted(home[yields], np.arange(seats.groups.n_groups + 1))
    into = found.target[wants]
    rank = np.arange(len(wants)) - np.searchsorted(into, into)
    paired = rank < np.diff(first)[into]
    x = wants[paired]
    y = yields[first[into[paired]] + rank[paired]]
    total = found.gain[x] + found.cost[y]
    x, y, total = x[total > 0], y[total > 0], total[total > 0]
    urgency = (total / seats.usual[rows[x]]).astype(np.float32)
    going.tell(rows[x], found.target[x], urgency)
    going.tell(rows[y], found.resort[y], urgency)
    still = _lost(seats.ties, going, rows[x]) + _lost(seats.ties, going, rows[y]) < total
    x, y = x[still], y[still]
    swaps = np.flatnonzero(home[x] == found.resort[y])
    chains = np.flatnonzero(home[x] != found.resort[y])
    wishes = Wishes(home[x[chains]], found.resort[y[chains]], urgency[still][chains])
    chosen = np.concatenate([swaps, chains[allowed(wishes, seats.sizes, seats.groups.bounds)]])
    x, y = x[chosen], y[chosen]
    seats.move(rows[x], found.target[x])
    seats.move(rows[y], found.resort[y])
    return np.concatenate([rows[x], rows[y]])
