"""Groups when people come and go: how many move, what is kept, and how long it takes, beside dealing anew.

Of a community on drawn circles one member in twenty has not come yet. Then they come, as many leave, and the groups are
rebalanced with no move but those that sizes need, and with a budget; after that each group is to have two leaders. The
least number of moves, and the number of leaders' seats that are short, are counted by themselves.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.report import Table, seconds
from benchmarks.sharding import planted
from shequn.graph import InteractionGraph
from shequn.sharding import Shards, rebalance, shard, staff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["measure"]

_GO = 0.05  # of the members
_BUDGET = 0.02
_CAN_LEAD, _LEADERS = 0.15, 2


def measure(sizes: Sequence[int]) -> Iterator[Table]:
    """Measure each number of members, one table a size."""
    for n in sizes:
        yield Table(
            f"{n:,} members, 5 % leave and 5 % join",
            ("what", "seconds", "moves", "least", "kept", "of a new deal"),
            list(_rows(n)),
            "seconds of processor time; least: the bound on moves, or seats of leaders that are short, a swap each",
        )


def _rows(n: int) -> Iterator[tuple[str, ...]]:
    graph = _graph(n)
    rng = np.random.default_rng(3)
    new = rng.choice(n, int(n * _GO), replace=False)
    here = np.setdiff1d(np.arange(n), new)
    took, shards = _timed(lambda: shard(graph.align(graph.members.take(here)), effort="quick", rng=1))
    yield "the first deal, quick", seconds(took), "", "", f"{shards.kept:.4f}", ""
    left = rng.choice(here, int(n * _GO), replace=False).tolist()
    changes: list[tuple[str, float, Any]] = []
    for budget in (0, int(_BUDGET * n)):
        options = {"joined": new.tolist(), "left": left, "max_moves": budget}
        took, change = _timed(partial(rebalance, shards, graph, **options))
        changes.append((f"rebalance, a budget of {budget:,} more", took, change))
    now = changes[-1][2].shards
    took, anew = _timed(lambda: shard(graph.align(now.members), effort="quick", rng=1))
    for what, seconds_taken, change in changes:
        of_new = f"{change.shards.kept / anew.kept:.3f}"
        yield (
            what,
            seconds(seconds_taken),
            f"{change.n_moves:,}",
            f"{change.lower_bound:,}",
            f"{change.shards.kept:.4f}",
            of_new,
        )
    yield "a new deal, quick", seconds(took), f"{_n_moved(shards, anew):,}", "", f"{anew.kept:.4f}", "1"
    leads = rng.random(len(now.members)) < _CAN_LEAD
    short = int(np.maximum(_LEADERS - np.bincount(now.group[leads], minlength=now.n_groups), 0).sum())
    took, staffed = _timed(lambda: staff(now, graph, leaders=leads, min_leaders=_LEADERS))
    kept = staffed.shards.kept
    yield (
        "two leaders in each",
        seconds(took),
        f"{staffed.n_moves:,}",
        f"{short:,}",
        f"{kept:.4f}",
        f"{kept / anew.kept:.3f}",
    )


def _n_moved(before: Shards, after: Shards) -> int:
    """Count who is not where most of their group were before; newcomers are nowhere."""
    codes = before.members.codes_of(after.members.labels)
    known = codes >= 0
    was, now = before.group[codes[known]].astype(np.int64), after.group[known].astype(np.int64)
    together, together_count = np.unique(now * before.n_groups + was, return_counts=True)
    stay = np.zeros(after.n_groups, dtype=np.int64)
    np.maximum.at(stay, together // before.n_groups, together_count)
    return int(known.sum() - stay.sum())


def _graph(n: int) -> InteractionGraph:
    ties = planted(n).ties
    head = np.repeat(np.arange(n), np.diff(ties.offsets))
    once = head < ties.neighbour
    return InteractionGraph.from_ties(head[once], ties.neighbour[once], ties.weight[once], n_members=n)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    answer = work()
    return time.process_time() - began, answer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.changing", description=__doc__)
    parser.add_argument("--members", type=lambda text: int(float(text)), action="append", help="members (3e4, 1e5)")
    for table in measure(parser.parse_args().members or (30_000, 100_000)):
        print(f"\n{table}", flush=True)


if __name__ == "__main__":
    main()
