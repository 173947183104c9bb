"""Which groups make the most of ties and attributes, where both may be given, either or neither?

Ties make the groups, unless there are none: then attributes do, and without those the members' names, by hashing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shequn.entities.size import SizeBand
from shequn.sharding.alike import swapped_alike
from shequn.sharding.bounds import counts_of_groups
from shequn.sharding.cohering import cohered, ties_within
from shequn.sharding.engine import repair
from shequn.sharding.evening import Binding, more_even
from shequn.sharding.growing import bounds_of_at_most, dealt, most_groups
from shequn.sharding.hashing import hash_shards
from shequn.sharding.spreading import evened

if TYPE_CHECKING:
    from collections.abc import Callable

    from shequn._typing import BoolArray, IntArray
    from shequn.graph import Neighbours
    from shequn.labels import Index
    from shequn.sharding.attributes import Attribute
    from shequn.sharding.feasibility import Feasibility
    from shequn.sharding.growing import Task
    from shequn.sharding.shards import DealtBy

__all__ = ["Aims", "dealt_as_wished"]

_GROWN_LONGER = 4  # than members of one kind change places afterwards: most of that gain is had at once


class Aims(NamedTuple):
    """What groups should be like; None where that is not asked."""

    cohere: Attribute | None
    spread: Attribute | None


def dealt_as_wished(  # noqa: PLR0917
    ties: Neighbours,
    members: Index,
    task: Task,
    possible: Feasibility,
    aims: Aims,
    labels: Callable[[int], Index],
    random: np.random.Generator,
    progress: Callable[[int, int], object] | None,
) -> tuple[IntArray, DealtBy]:
    """Return groups that keep every condition, and what they were dealt by.

    Parameters
    ----------
    labels : callable
        Returns the labels of so many groups.
    """
    has_ties = len(ties.neighbour) > 0
    if has_ties and aims.cohere is None and aims.spread is None:
        return dealt(ties, task, possible, random, progress), "ties"
    later = task.rounds // _GROWN_LONGER
    first, second = _stage(progress, 0, later), _stage(progress, task.rounds + 1, 0)
    if aims.cohere is not None:
        codes = _concentrated(ties, task, possible, aims.cohere, random, first)
        grown_from = ties_within(ties, aims.cohere.codes) if aims.spread is not None else ties
    elif has_ties:
        codes, grown_from = dealt(ties, task, possible, random, first), ties
    else:
        start = _hashed(members, task, possible, labels)
        codes, grown_from = dealt(ties, task._replace(rounds=0), possible, random, None, start), ties
    if aims.spread is not None:
        codes = _spread(grown_from, codes, task, aims.spread)
    kinds = [attribute.codes for attribute in aims if attribute is not None]
    if kinds:
        codes = swapped_alike(
            grown_from,
            codes,
            _kind(kinds[-1:], task),
            _is_free(task, len(codes)),
            rounds=later,
            rng=random,
            progress=second,
        )
    if len(kinds) > 1:  # what was grown from the ties within values alone
        codes = swapped_alike(ties, codes, _kind(kinds, task), _is_free(task, len(codes)), rounds=0, rng=random)
    if progress is not None:
        progress(task.rounds + 1 + later, task.rounds + 1 + later)
    return codes, "ties" if has_ties else "attributes" if kinds else "hash"


def _stage(
    progress: Callable[[int, int], object] | None, before: int, after: int
) -> Callable[[int, int], object] | None:
    """Return what to tell of a stage's own rounds, where so many rounds come before it and after it."""
    if progress is None:
        return None

    def told(done: int, total: int) -> object:
        return progress(before + done, before + total + after)

    return told


def _concentrated(  # noqa: PLR0917
    ties: Neighbours,
    task: Task,
    possible: Feasibility,
    attribute: Attribute,
    random: np.random.Generator,
    progress: Callable[[int, int], object] | None,
) -> IntArray:
    """Return groups that keep every condition, each of as few values as was found.

    At first as many members sit in pure groups as can. Leaders then change places with members of their own value, as
    long as there are such; members who are named go where they must, and ties within values settle the others.
    """
    bounds = bounds_of_at_most(most_groups(possible), len(task.named), ties.n_members, task.bounds)
    if bounds is None or not ties.n_members:
        return dealt(ties_within(ties, attribute.codes), task, possible, random, progress)
    codes = cohered(ties, attribute, bounds, rounds=task.rounds, rng=random, progress=progress)
    if not task.asked:
        codes = task.with_leaders(ties, codes, np.ones(len(codes), dtype=np.bool_), attribute.codes)
        if task.holds(codes):
            return codes
    start = _named_first(codes, task)
    return dealt(ties_within(ties, attribute.codes), task, possible, random, None, start, attribute.codes)


def _named_first(codes: IntArray, task: Task) -> IntArray:
    """Return the groups numbered anew, so that those with given seats are first: where most who have them sit."""
    n_groups = int(codes.max()) + 1
    pinned = task.pinned(len(codes))
    first: list[int] = []
    for group in range(len(task.named)):
        seated = np.bincount(codes[pinned == group], minlength=n_groups)
        seated[first] = -1
        if len(first) < n_groups:
            first.append(int(np.argmax(seated)))
    number = np.full(n_groups, -1)
    number[first] = np.arange(len(first))
    number[number < 0] = np.arange(len(first), n_groups)
    return number[codes]


def _spread(ties: Neighbours, codes: IntArray, task: Task, level: Attribute) -> IntArray:
    """Return groups with as many of each value as any other, give or take one, as far as conditions allow."""
    n_groups = int(codes.max(initial=-1)) + 1
    is_free = _is_free(task, len(codes))
    even = evened(ties, codes, level, n_groups, is_free=is_free)
    if task.asked:  # who stays may have made groups too large
        mended = repair(even, n_groups, (task.bounds.lo, task.bounds.hi), movable=is_free, n_fixed=n_groups)
        even = codes if mended is None else mended[0]
    even = task.with_leaders(ties, even, is_free, level.codes)
    if not task.holds(even):
        even = codes
    may_move = is_free.copy()
    for members in task.asked.apart:
        may_move[members] = True
    for members in task.asked.together:
        may_move[members] = False
    may_move[list(task.asked.fixed)] = False
    binding = Binding(
        bounds=(task.bounds.lo, task.bounds.hi),
        may_move=may_move,
        apart=task.asked.apart,
        leads=task.leads if task.min_leaders else None,
        min_leaders=task.min_leaders,
    )
    return more_even(ties, even, level, n_groups, binding)


def _is_free(task: Task, n_members: int) -> BoolArray:
    """Return who is named by no condition."""
    is_free = np.ones(n_members, dtype=np.bool_)
    for members in (list(task.asked.fixed), *task.asked.together, *task.asked.apart):
        is_free[members] = False
    return is_free


def _kind(kinds: list[IntArray], task: Task) -> IntArray:
    """Return who is alike in all of some attributes, and in leading or not where groups need leaders."""
    if task.min_leaders and task.leads is not None:
        kinds = [*kinds, task.leads.astype(np.int64)]
    kind = kinds[0]
    for other in kinds[1:]:
        kind = np.unique(kind * (int(other.max(initial=0)) + 1) + other, return_inverse=True)[1]
    return kind


def _hashed(members: Index, task: Task, possible: Feasibility, labels: Callable[[int], Index]) -> IntArray | None:
    """Return the groups that members have by their names alone; None where no number of groups is known to do.

    The number of groups is the one that brings them next to the middle of the bounds: so it changes late when a few
    members come.
    """
    counts = possible.n_groups if len(possible.n_groups) else possible.undecided
    bounds = bounds_of_at_most(most_groups(possible), len(task.named), len(members), task.bounds)
    band = task.bounds if bounds is None else SizeBand(*bounds)
    fitting = counts_of_groups(len(members), band)
    counts = counts[(counts >= fitting.start) & (counts < fitting.stop)]
    if not len(counts) or not len(members):
        return None
    usual = 2 * len(members) / (task.bounds.lo + task.bounds.hi)
    n_groups = int(counts[np.argmin(np.abs(counts - usual))])
    return hash_shards(members, labels(n_groups), bounds=band).codes.astype(np.int64)
