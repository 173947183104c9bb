"""PageRank, core numbers and components: how long they take beside networkx, and how they grow with the network.

Answers are compared before figures are shown. Building the graph of networkx is not in its time; making rows of
neighbours is in ours, each time. Time is processor time.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import networkx as nx  # type: ignore[import-untyped]
import numpy as np

from benchmarks.memory import forget_peak, held, held_at_most
from benchmarks.report import Table, mega, seconds
from benchmarks.sharding import planted
from shequn.graph import InteractionGraph
from shequn.network import components, core_numbers, pagerank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["measure"]

_TOLERANCE = 1e-6  # of PageRank: L1 distance of two rounds
_REPEATS = 3


class _Took(NamedTuple):
    """What was answered, in the shortest time of some runs, and how much memory the first one took beyond before."""

    answer: Any
    seconds: float
    memory: int | None


def measure(sizes: Sequence[int], *, with_networkx: bool = True) -> Iterator[Table]:
    """Measure each size, the largest last, and how much longer it takes than the one before."""
    before: dict[str, float] = {}
    for n in sizes:
        ties = planted(n).ties
        head = np.repeat(np.arange(n), np.diff(ties.offsets))
        once = head < ties.neighbour
        u, v, weight = head[once], ties.neighbour[once].astype(np.int64), ties.weight[once]
        del ties, head, once
        graph = _graph(u, v, weight, n)
        ours: dict[str, Callable[[], Any]] = {
            "PageRank": lambda: pagerank(graph, tol=_TOLERANCE).score,  # noqa: B023
            "core numbers": lambda: core_numbers(graph),  # noqa: B023
            "components": lambda: len(components(graph).segments),  # noqa: B023
        }
        took = {what: _taken(work, _REPEATS) for what, work in ours.items()}
        theirs = _networkx(u, v, weight, n) if with_networkx else {}
        rows = []
        for what, mine in took.items():
            peer = theirs.get(what)
            if peer is not None:
                _compare(what, mine.answer, peer.answer)
            rows.append(
                (
                    what,
                    seconds(mine.seconds),
                    f"{mine.seconds / before[what]:.1f}" if what in before else "",
                    mega(mine.memory),
                    "" if peer is None else seconds(peer.seconds),
                    "" if peer is None else f"{peer.seconds / mine.seconds:.0f}",
                    "" if peer is None else mega(peer.memory),
                )
            )
        before = {what: mine.seconds for what, mine in took.items()}
        header = ("", "seconds", "× the size before", "extra memory", "networkx, seconds", "× ours", "its extra memory")
        yield Table(f"{n:,} members, {len(u):,} ties", header, rows)


def _graph(u: Any, v: Any, weight: Any, n: int) -> InteractionGraph:
    return InteractionGraph.from_ties(u, v, weight, n_members=n)


def _networkx(u: Any, v: Any, weight: Any, n: int) -> dict[str, _Took]:
    directed = _directed(u, v, weight, n)
    found = {"PageRank": _taken(lambda: nx.pagerank(directed, tol=_TOLERANCE / n))}
    both = directed.to_undirected()
    found["core numbers"] = _taken(lambda: nx.core_number(both))
    found["components"] = _taken(lambda: nx.number_connected_components(both))
    return found


def _directed(u: Any, v: Any, weight: Any, n: int) -> Any:
    directed = nx.DiGraph()
    directed.add_nodes_from(range(n))
    directed.add_weighted_edges_from(zip(u.tolist(), v.tolist(), weight.tolist(), strict=True))
    return directed


def _taken(work: Callable[[], Any], repeats: int = 1) -> _Took:
    before = held()
    forget_peak()
    took, answer, memory = [], None, None
    for i in range(repeats):
        began = time.process_time()
        answer = work()
        took.append(time.process_time() - began)
        peak = held_at_most()
        if i == 0 and before is not None and peak is not None:
            memory = peak - before
    return _Took(answer, min(took), memory)


def _compare(what: str, mine: Any, theirs: Any) -> None:
    """Raise where the two answers differ."""
    if what == "components":
        same = mine == theirs
    else:
        other = np.array([theirs[member] for member in range(len(mine))])
        same = np.abs(mine - other).sum() < 2 * _TOLERANCE if what == "PageRank" else np.array_equal(mine, other)
    if not same:
        raise AssertionError(f"{what}: networkx has another answer")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.networks", description=__doc__)
    parser.add_argument("--members", type=lambda text: int(float(text)), action="append", help="members (1e5, 1e6)")
    parser.add_argument("--alone", action="store_true", help="without networkx")
    options = parser.parse_args()
    for table in measure(sorted(options.members or (100_000, 1_000_000)), with_networkx=not options.alone):
        print(f"\n{table}", flush=True)


if __name__ == "__main__":
    main()
