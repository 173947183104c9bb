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
    gain: FloatArray
    resort: IntArray  # a group with room, or nowhere
    cost: FloatArray  # what going there gains; mostly below 0


def refine(
    ties: Ties, codes: IntArray, groups: Groups, temperatures: Sequence[float], rng: np.random.Generator, /
) -> IntArray:
    """Return the groups after some steps, in each of which many nodes move at once.

    A node wishes for the group it is tied to most. Of two nodes that are tied only one moves in a step, so that each
    gains exactly what it expects. Bounds are kept by `allowed`: swaps first, then moves into room. Last, chains: where
    a group is full, one of its members makes room by going elsewhere, if the two moves together gain.

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
        Source of that chance.

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
        changed = _step(seats, found, may_chain=temperature == 0 and groups.size is None)
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


def _step(seats: _Seats, found: _Prospects, *, may_chain: bool) -> IntArray:
    """Make the moves of a step that go together, and return who has moved."""
    urgency = np.zeros(len(seats.codes), dtype=np.float32)
    urgency[found.rows] = found.urgency
    wants = np.flatnonzero(found.urgency)
    wants = wants[_ahead_of_rivals(seats.ties, found.rows[wants], urgency)]
    movers, target = found.rows[wants], found.target[wants]
    amount = None if seats.groups.size is None else seats.groups.size[movers]
    wishes = Wishes(seats.codes[movers], target, found.urgency[wants], amount)
    chosen = allowed(wishes, seats.sizes, seats.groups.bounds)
    seats.move(movers[chosen], target[chosen])
    if not may_chain:
        return movers[chosen]
    left = np.setdiff1d(np.arange(len(movers)), chosen, assume_unique=True)
    second = _second_best(seats, found, wants[left])
    touched = np.zeros(seats.groups.n_groups, dtype=np.bool_)
    touched[wishes.source[chosen]] = touched[wishes.target[chosen]] = True
    touched[found.home[wants[left[second]]]] = touched[found.resort[wants[left[second]]]] = True
    chains = _chains(seats, found, np.delete(wants[left], second), touched)
    return np.concatenate([movers[chosen], movers[left[second]], chains])


def _second_best(seats: _Seats, found: _Prospects, wants: IntArray) -> IntArray:
    """Move those who did not get where they wished to be, and gain elsewhere too; return which."""
    gains = np.flatnonzero(found.cost[wants] > 0)
    nodes, target = found.rows[wants[gains]], found.resort[wants[gains]]
    wishes = Wishes(seats.codes[nodes], target, found.urgency[wants[gains]])
    chosen = allowed(wishes, seats.sizes, seats.groups.bounds)
    seats.move(nodes[chosen], target[chosen])
    return gains[chosen]


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
    gain = weight - np.repeat(np.add.reduceat(weight * own, offsets[:-1]), length)
    size = 1 if seats.groups.size is None else np.repeat(seats.groups.size[some], length)
    fits = (most - seats.sizes.take(label) >= size) & ~own
    typical = np.repeat(usual, length)

    rating = gain.astype(np.float32)
    if temperature > 0:
        noise = chance.standard_exponential(len(gain), dtype=np.float32)
        rating -= np.log(noise + np.float32(1e-12)) * typical * np.float32(temperature)
    else:
        rating += (rating > 0) * typical * chance.random(len(gain), dtype=np.float32) * _TIE_BREAK
    rating *= (rating > 0) & ~own
    # Where two are as good, the one that can be had without a swap.
    at_once = fits & (np.repeat(seats.sizes[home] - least, length) >= size)
    rating += ((rating > 0) & at_once) * typical * _TIE_BREAK

    place = _highest(rating, offsets)
    lively = rating[place] / usual + chance.random(len(some), dtype=np.float32)
    found.target[run], found.gain[run] = label[place], gain[place]
    found.urgency[run] = np.where(rating[place] > 0, lively, np.float32(0))
    if temperature == 0 and seats.groups.size is None:
        cost = np.where(fits, gain, -np.inf)
        lost = np.maximum.reduceat(cost, offsets[:-1])
        place = _highest((cost == np.repeat(lost, length)).astype(np.float32), offsets)
        found.resort[run], found.cost[run] = np.where(lost > -np.inf, label[place], _NOWHERE), lost


def _highest(rating: NDArray[np.float32], offsets: IntArray) -> IntArray:
    """Return where the highest rating of each row stands; ratings are 0 or more."""
    packed = (rating.view(np.int32).astype(np.int64) << 32) | np.arange(len(rating))
    return np.maximum.reduceat(packed, offsets[:-1]) & 0xFFFFFFFF


def _ahead_of_rivals(ties: Ties, nodes: IntArray, urgency: NDArray[np.float32]) -> BoolArray:
    """Return which nodes are at least as urgent as all they are tied to."""
    if len(nodes) == 0:
        return np.zeros(0, dtype=np.bool_)
    ends = ends_of(np.diff(ties.offsets)[nodes])
    ahead = np.empty(len(nodes), dtype=np.bool_)
    for run in blocks(ends, _ENTRIES):
        other, _, offsets = entries_of(ties, nodes[run])
        rival = np.maximum.reduceat(urgency.take(other), offsets[:-1])
        ahead[run] = urgency[nodes[run]] >= rival
    return ahead


def _chains(seats: _Seats, found: _Prospects, wants: IntArray, touched: BoolArray) -> IntArray:
    """Move x from A to B while y leaves B for C, where both together gain, and return who has moved.

    No two chains share a group, and the groups that have moved already stand aside: what was looked up about them no
    longer holds.
    """
    least, most = seats.groups.bounds
    rows, sizes, n_groups = found.rows, seats.sizes, seats.groups.n_groups
    home = found.home
    goes = np.flatnonzero((found.resort != _NOWHERE) & ~touched[home] & ~touched[found.resort])
    goes = goes[sizes[found.resort[goes]] < most]
    goes = goes[np.argsort(-found.cost[goes], kind="stable")]
    leaver = np.full(n_groups, _NOWHERE)
    leaver[home[goes[::-1]]] = goes[::-1]  # the last that is written is the one that loses least

    into, source = found.target[wants], home[wants]
    fits = (leaver[into] != _NOWHERE) & ~touched[source] & (sizes[source] > least)
    fits &= found.resort[leaver[into]] != source
    wants, into, source = wants[fits], into[fits], source[fits]
    if len(wants) == 0:
        return wants
    yields = leaver[into]
    last = found.resort[yields]
    total = found.gain[wants] + found.cost[yields]
    # Two that are tied to each other would not gain what each was promised.
    other, _, ends = entries_of(seats.ties, rows[wants])
    tied = np.logical_or.reduceat(other == np.repeat(rows[yields], np.diff(ends)), ends[:-1])
    rank = np.empty(len(total), dtype=np.int64)
    rank[np.argsort(-total / seats.usual[rows[wants]], kind="stable")] = np.arange(len(total))
    rank[tied | (total <= 0)] = len(total)
    first = np.full(n_groups, len(total))
    for group in (source, into, last):
        np.minimum.at(first, group, rank)
    wins = (rank < len(total)) & (first[source] == rank) & (first[into] == rank) & (first[last] == rank)
    x, y = rows[wants[wins]], rows[yields[wins]]
    seats.move(x, into[wins])
    seats.move(y, last[wins])
    return np.concatenate([x, y])
