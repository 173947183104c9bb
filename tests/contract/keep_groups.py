"""Keep a fingerprint of the groups of some communities: ``python tests/contract/keep_groups.py``.

The same ties, conditions and rng give the same groups. Whoever improves a search changes them for everybody, and should
know it: `test_same_groups` compares with what ``groups.json`` holds, and a change of it belongs into the changelog.

Chance is drawn as floats, and their logarithms may differ in the last digit from one processor or NumPy to another. So
fingerprints are kept by that of the arithmetic, and compared where it is the same.
"""

from __future__ import annotations

import hashlib
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.graph import InteractionGraph
from shequn.labels import Index
from shequn.sharding import Shards, hash_shards, join_groups, rebalance, shard, split, staff
from shequn.sharding.engine import into_bounds, partition
from shequn.sharding.engine.ties import from_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

PAGE = Path(__file__).with_name("groups.json")
SIZES = (6, 9)
N = 240


def community(seed: int, *, n: int = N, circle: int = 8, stay: float = 0.7, heavy: float = 0.0) -> InteractionGraph:
    """Circles of friends at random places, of whom some know very many."""
    rng = np.random.default_rng(seed)
    of = rng.permutation(np.arange(n) // circle)
    known = np.minimum((1 - rng.random(n)) ** -heavy if heavy else np.ones(n), 40)
    one, other = (rng.choice(n, size=10 * n, p=known / known.sum()) for _ in range(2))
    near = (of[one] == of[other]) | (rng.random(10 * n) < (1 - stay) / circle)
    return InteractionGraph.from_ties(one[near], other[near], n_members=n, self_ties="drop")


def _shards(found: Shards) -> bytes:
    return repr([str(label) for label in found.groups]).encode() + np.asarray(found.group, dtype=np.int64).tobytes()


def _change(found: Any) -> bytes:
    return _shards(found.shards) + repr([tuple(map(str, move)) for move in found.rows()]).encode()


def _engine(found: NDArray[np.int64]) -> bytes:
    return found.astype(np.int64).tobytes()


def _sets(seed: int, n_sets: int, size: int) -> list[list[int]]:
    return np.random.default_rng(seed).permutation(N)[: n_sets * size].reshape(n_sets, size).tolist()


def tasks() -> dict[str, Callable[[], bytes]]:
    """What is dealt, by name."""
    plain, heavy, tight = community(1), community(2, heavy=0.6), community(3, circle=30, stay=0.9)
    leads = np.arange(N) % 4 == 0
    city = np.repeat(["上海", "北京", "成都"], [130, 80, 30])
    nobody_talks = InteractionGraph.from_ties([], [], n_members=N)
    few = InteractionGraph.from_ties(np.arange(0, 60, 2), np.arange(1, 61, 2), n_members=N)
    dealt = shard(plain, sizes=SIZES, leaders=leads, min_leaders=1, rng=1)
    at_random = Shards.of(plain, np.random.default_rng(5).permutation(N) // 8, sizes=SIZES)
    conditions: dict[str, dict[str, Any]] = {
        "plain": {},
        "quick": {"effort": "quick"},
        "high": {"effort": "high"},
        "leaders": {"leaders": leads, "min_leaders": 2},
        "few leaders": {"leaders": np.arange(N) % 8 == 0, "min_leaders": 1},
        "together": {"together": _sets(1, 20, 3)},
        "large sets": {"together": [*_sets(2, 8, 6)]},
        "apart": {"apart": _sets(3, 12, 5)},
        "fixed": {"fixed": dict(zip(range(0, 60, 3), "甲乙丙丁" * 5, strict=True))},
        "cohere": {"cohere": city},
        "spread": {"spread": city},
        "spread, one over": {"spread": np.repeat(["上海", "北京", "成都"], [113, 85, 42])},
        "leaders, apart, together": {
            "leaders": leads, "min_leaders": 1, "together": _sets(4, 10, 2), "apart": _sets(5, 10, 4),
        },
        "cohere, leaders, fixed": {"cohere": city, "leaders": leads, "min_leaders": 1, "fixed": {0: "甲", 200: "乙"}},
        "spread, leaders, apart": {"spread": city, "leaders": leads, "min_leaders": 1, "apart": _sets(6, 8, 3)},
    }  # fmt: skip
    graphs = {"plain": plain, "heavy": heavy, "tight": tight, "few ties": few, "no ties": nobody_talks}
    found: dict[str, Callable[[], bytes]] = {}
    for graph_name, graph in graphs.items():
        for name, asked in conditions.items():
            found[f"shard {graph_name}: {name}"] = lambda graph=graph, asked=asked: _shards(
                shard(graph, sizes=SIZES, rng=7, **asked)
            )
    left, joined, grown = range(0, 40, 3), range(N, N + 14), community(8, n=N + 14)
    for moves in (0, 5, 40):
        found[f"rebalance: {moves} moves"] = lambda moves=moves: _change(
            rebalance(dealt, grown, left=left, joined=joined, max_moves=moves)
        )
        found[f"rebalance at random: {moves} moves"] = lambda moves=moves: _change(
            rebalance(at_random, plain, max_moves=moves, together=_sets(7, 3, 2), apart=_sets(8, 5, 3))
        )
    for seed in range(22, 26):
        found |= _of_change(seed)
        found |= _of_sets(seed)
    found["staff"] = lambda: _change(staff(at_random, plain, leaders=leads, min_leaders=2))
    found["staff, few"] = lambda: _change(staff(at_random, plain, leaders=np.arange(N) % 7 == 0, min_leaders=1))
    big = Shards.of(tight, np.arange(N) // 60, sizes=(26, 36))
    found["split"] = lambda: _change(split(big, tight, group=1, parts=2))
    small = Shards.of(plain, np.random.default_rng(6).permutation(N) // 4, sizes=(4, 9))
    found["join"] = lambda: _change(join_groups(small, plain, groups=[2, 5]))
    found["hash"] = lambda: _engine(hash_shards(Index.positional(N), Index.positional(30), bounds=SIZES).codes)
    found |= _of_the_engine()
    return found


def _of_change(seed: int) -> dict[str, Callable[[], bytes]]:
    """What is done where people come and go, leaders are short, and moves are few."""
    rng = np.random.default_rng(seed)
    graph, n_new = community(seed, n=N + 20, stay=0.5, heavy=0.3 * (seed % 2)), 20
    before = community(seed, heavy=0.3 * (seed % 2))
    groups = Shards.of(before, rng.permutation(N) // 8, sizes=SIZES)
    left = rng.choice(N, size=30, replace=False).tolist()
    leads = [member for member in rng.choice(N, size=50, replace=False).tolist() if member not in left]
    led = shard(before, sizes=SIZES, leaders=np.isin(np.arange(N), leads), min_leaders=1, rng=seed)
    new = range(N, N + n_new)
    found: dict[str, Callable[[], bytes]] = {}
    for moves in (0, 3, 25):
        found[f"come and go {seed}: {moves} moves"] = lambda moves=moves: _change(
            rebalance(groups, graph, left=left, joined=new, max_moves=moves)
        )
        found[f"come and go, led {seed}: {moves} moves"] = lambda moves=moves: _change(
            rebalance(led, graph, left=left[:12], joined=new, leaders=list(new)[:4], max_moves=moves)
        )
    for needed, n_leaders in ((1, 36), (2, 70), (3, 100)):
        some = np.isin(np.arange(N), rng.choice(N, size=n_leaders, replace=False))
        found[f"staff {seed}: {needed} of {n_leaders}"] = lambda some=some, needed=needed: _change(
            staff(groups, before, leaders=some, min_leaders=needed)
        )
    return found


def _of_sets(seed: int) -> dict[str, Callable[[], bytes]]:
    """What is done where most sit in sets, which hardly fit."""
    rng = np.random.default_rng(seed)
    graph, order = community(seed, heavy=0.3), rng.permutation(N).tolist()
    lengths = rng.permutation([5] * 14 + [4] * 18 + [3] * 16 + [2] * 10).tolist()
    ends = np.cumsum([0, *lengths]).tolist()
    together = [order[first:last] for first, last in pairwise(ends)]
    apart = [[together[i][0], together[j][0], together[k][0]] for i, j, k in rng.permutation(48).reshape(16, 3)[:9]]
    leads = np.isin(np.arange(N), rng.choice(N, size=60, replace=False))
    return {
        f"sets {seed}": lambda: _shards(shard(graph, sizes=(7, 8), together=together, rng=seed)),
        f"sets, apart {seed}": lambda: _shards(shard(graph, sizes=SIZES, together=together, apart=apart, rng=seed)),
        f"sets, led {seed}": lambda: _shards(
            shard(graph, sizes=SIZES, together=together, leaders=leads, min_leaders=1, rng=seed)
        ),
    }


def _of_the_engine() -> dict[str, Callable[[], bytes]]:
    rng = np.random.default_rng(11)
    n = 400
    one, other = rng.integers(n, size=3_000), rng.integers(n, size=3_000)
    near = (one // 10 == other // 10) | (rng.random(3_000) < 0.1)
    one, other = one[near & (one != other)], other[near & (one != other)]
    weight = rng.integers(1, 9, size=len(one))
    ties = from_pairs(np.concatenate([one, other]), np.concatenate([other, one]), np.tile(weight, 2), n)
    size = np.where(rng.random(n) < 0.2, rng.integers(2, 5, size=n), 1)
    pinned = np.where(rng.random(n) < 0.1, rng.integers(20, size=n), -1)
    start = rng.permutation(n) // 10
    asked: dict[str, dict[str, Any]] = {
        "plain": {"rounds": 6},
        "cold": {"rounds": 0},
        "sizes": {"size": size, "rounds": 4},
        "pinned": {"pinned": pinned, "rounds": 4},
        "sizes and pinned": {"size": size, "pinned": pinned, "rounds": 3},
        "started": {"start": start, "rounds": 5},
        "started, sizes": {"start": start, "size": size, "rounds": 3},
        "started, pinned": {"start": start, "pinned": pinned, "rounds": 3},
    }
    found: dict[str, Callable[[], bytes]] = {}
    for name, options in asked.items():
        for bounds in ((8, 12), (4, 14), (3, 4)):
            if bounds[1] < 2 * int(size.max()) and not {"size", "pinned"}.isdisjoint(options):
                continue
            found[f"engine {bounds[0]} to {bounds[1]}: {name}"] = lambda options=options, bounds=bounds: _engine(
                partition(ties, bounds, rng=np.random.default_rng(3), **options)
            )
    for seed in range(6):
        found[f"into bounds {seed}"] = lambda seed=seed: _engine(
            into_bounds(
                np.random.default_rng(seed).integers(45, size=n), 45, (7, 12), size=None if seed % 2 else size
            )[0]
        )  # fmt: skip
    return found


def arithmetic() -> str:
    """Return a fingerprint of what chance is made of here."""
    rng = np.random.default_rng(17)
    noise = rng.standard_exponential(4_096, dtype=np.float32)
    wide = rng.random(4_096)
    parts = [
        noise,
        np.log(noise),
        np.sqrt(noise),
        noise * np.float32(0.3),
        np.log(wide),
        np.exp(wide),
        rng.permutation(99),
    ]
    parts += [
        np.bincount(np.arange(4_096) % 7, weights=wide),
        np.add.reduceat(wide, np.arange(0, 4_096, 9)),
        np.geomspace(1, 9, 7),
    ]
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]


def fingerprint(task: Callable[[], bytes]) -> str:
    """Return what is kept of a task's groups."""
    return hashlib.sha256(task()).hexdigest()[:16]


def main() -> None:
    kept = json.loads(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else {}
    kept[arithmetic()] = {name: fingerprint(task) for name, task in tasks().items()}
    PAGE.write_text(json.dumps(kept, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    sys.stdout.write(f"{PAGE.name}: {len(kept)} kinds of arithmetic, {len(kept[arithmetic()])} fingerprints\n")


if __name__ == "__main__":
    main()
