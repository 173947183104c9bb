"""Changes of small groups against enumeration: every deal there is, tried one by one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from shequn.errors import InfeasibleError
from shequn.graph import InteractionGraph
from shequn.labels import Index
from shequn.sharding.rebalancing import rebalance
from shequn.sharding.shards import Shards
from shequn.sharding.splitting import split
from shequn.sharding.staffing import staff

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW = 100


class Task(NamedTuple):
    """Members 0 to n - 1, -1 being home to newcomers, and what groups must keep."""

    home: list[int]
    lo: int
    hi: int
    leads: list[bool]
    needed: int
    fixed: list[int]
    together: list[list[int]]
    apart: list[list[int]]
    shards: Shards
    graph: InteractionGraph

    @property
    def sets(self) -> dict[str, list[list[int]]]:
        return {"together": self.together, "apart": self.apart}

    def keeps(self, deal: list[int]) -> bool:
        """Whether a deal keeps everything but sizes."""
        lead = Counter(group for group, leads in zip(deal, self.leads, strict=True) if leads)
        return (
            all(lead[group] >= self.needed for group in set(deal))
            and all(deal[member] == self.home[member] for member in self.fixed)
            and all(len({deal[member] for member in some}) == 1 for some in self.together)
            and all(len({deal[member] for member in some}) == len(some) for some in self.apart)
        )

    def is_within(self, deal: list[int]) -> bool:
        return all(self.lo <= size <= self.hi for size in Counter(deal).values())

    def moves(self, deal: list[int]) -> int:
        return sum(group != home >= 0 for group, home in zip(deal, self.home, strict=True))


def a_task(seed: int, *, with_sets: bool, newcomers: bool = True) -> Task:
    rng = np.random.default_rng(seed)
    n, k, lo = int(rng.integers(2, 7)), int(rng.integers(1, 4)), int(rng.integers(1, 3))
    hi = lo + int(rng.integers(0, 4))
    home = rng.integers(-1 if newcomers and rng.random() < 0.6 else 0, k, n)
    home[0] = max(home[0], 0)
    there = np.flatnonzero(home >= 0)
    home[there] = np.unique(home[there], return_inverse=True)[1]
    u, v = np.nonzero(np.triu(rng.random((n, n)) < 0.3, 1))
    graph = InteractionGraph.from_ties(u, v, rng.integers(1, 6, len(u)), members=Index(np.arange(n)))
    needed = int(rng.integers(1, 3)) if rng.random() < 0.4 else 0
    leads = rng.random(n) < 0.7
    fixed = [int(member) for member in there if rng.random() < 0.3] if rng.random() < 0.4 or not with_sets else []

    def some_sets() -> list[list[int]]:
        number = int(rng.integers(0, 3)) if with_sets else 0
        return [rng.choice(n, size=min(n, 2 + int(rng.random() < 0.2)), replace=False).tolist() for _ in range(number)]

    shards = Shards.of(
        graph.align(graph.members.take(there)), home[there], sizes=(lo, hi), leaders=leads[there], min_leaders=needed
    )
    return Task(home.tolist(), lo, hi, leads.tolist(), needed, fixed, some_sets(), some_sets(), shards, graph)


def deals(n: int, n_groups: int, most_new: int) -> Iterator[list[int]]:
    """Every deal of n members into groups that exist, and into new ones, which are alike."""
    deal = [0] * n

    def go(at: int, opened: int) -> Iterator[list[int]]:
        if at == n:
            yield deal
            return
        for group in [*range(n_groups), *range(NEW, NEW + min(opened + 1, most_new))]:
            deal[at] = group
            yield from go(at + 1, max(opened, group - NEW + 1))

    yield from go(0, 0)


def told_as_deal(task: Task, change) -> list[int]:
    names = list(task.shards.groups)
    groups = [change.shards.of_member(member) for member in range(len(task.home))]
    return [names.index(group) if group in names else NEW + int(group) for group in groups]


@pytest.mark.parametrize("with_sets", [True, False])
def test_rebalance_keeps_everything_or_there_is_no_deal_that_does(with_sets: bool) -> None:
    n_more = n_found = 0
    for seed in range(140):
        task = a_task(seed, with_sets=with_sets)
        n, k = len(task.home), task.shards.n_groups
        good = (deal for deal in deals(n, k, n // task.lo) if task.is_within(deal) and task.keeps(deal))
        fewest = min((task.moves(deal) for deal in good), default=None)
        came = [member for member in range(n) if task.home[member] < 0]
        options = {"leaders": [member for member in came if task.leads[member]], "fixed": task.fixed, **task.sets}
        if fewest is None:
            with pytest.raises(InfeasibleError):
                rebalance(task.shards, task.graph, joined=came, **options)
            continue
        change = rebalance(task.shards, task.graph, joined=came, **options)
        deal = told_as_deal(task, change)
        assert task.is_within(deal), seed
        assert task.keeps(deal), seed
        assert change.n_moves == task.moves(deal)
        n_found += 1
        n_more += change.n_moves - fewest
    # Leaders and sets are seated by a search that is cut short: hardly ever is there a way with fewer moves.
    assert n_found > 50
    assert n_more <= 0.03 * n_found


def test_staff_keeps_sizes_and_everything_else_or_there_is_no_deal_that_does() -> None:
    n_more = n_found = 0
    for seed in range(260):
        task = a_task(seed, with_sets=seed % 4 > 0, newcomers=False)
        sizes = Counter(task.home)
        good = (d for d in deals(len(task.home), len(sizes), 0) if Counter(d) == sizes and task.keeps(d))
        fewest = min((task.moves(deal) for deal in good), default=None)
        if fewest is None:
            with pytest.raises(InfeasibleError):
                staff(task.shards, task.graph, fixed=task.fixed, **task.sets)
            continue
        change = staff(task.shards, task.graph, fixed=task.fixed, **task.sets)
        deal = told_as_deal(task, change)
        assert Counter(deal) == sizes, seed
        assert task.keeps(deal), seed
        n_found += 1
        n_more += change.n_moves - fewest
    assert n_found > 50
    assert n_more <= 0.03 * n_found


def test_split_keeps_everything_or_there_is_no_deal_that_does() -> None:
    n_found = 0
    for seed in range(240):
        task = a_task(seed, with_sets=True, newcomers=False)
        inside = [member for member, home in enumerate(task.home) if home == 0]
        if not any(max(task.lo, task.needed) * k <= len(inside) <= task.hi * k for k in range(2, len(inside) + 1)):
            continue
        # Other groups stay as they are, of any size, and may lack leaders.
        others = [member for member, home in enumerate(task.home) if home]
        rules = task._replace(fixed=others, needed=0)
        every = deals(len(task.home), task.shards.n_groups, len(inside) - 1)
        if not any(is_split(task, [deal[member] for member in inside], inside) and rules.keeps(deal) for deal in every):
            with pytest.raises(InfeasibleError):
                split(task.shards, task.graph, group=0, **task.sets)
            continue
        deal = told_as_deal(task, split(task.shards, task.graph, group=0, **task.sets))
        assert is_split(task, [deal[member] for member in inside], inside), seed
        assert rules.keeps(deal), seed
        n_found += 1
    assert n_found > 20


def is_split(task: Task, parts: list[int], inside: list[int]) -> bool:
    """Whether these are parts of the first group, each within bounds and with its leaders."""
    lead = Counter(part for part, member in zip(parts, inside, strict=True) if task.leads[member])
    return (
        set(parts) > {0}
        and set(parts) <= {0, *range(NEW, 2 * NEW)}
        and task.is_within(parts)
        and all(lead[part] >= task.needed for part in parts)
    )
