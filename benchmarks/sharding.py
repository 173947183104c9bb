"""Groups of 26 to 36: what is kept of the talk, and how long it takes, beside METIS and groups drawn at random.

METIS knows no least size. Its groups are brought within the bounds by the fewest moves before what they keep is
counted, and that is not part of its time; of its two settings the one that keeps more is shown.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.contenders.metis_sharding import METIS_SETTINGS, metis
from benchmarks.report import Table, seconds
from shequn.sharding.engine import into_bounds, partition
from shequn.sharding.engine.ties import Ties, from_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Grown", "heavy_tailed", "measure", "planted"]

BOUNDS = (26, 36)
ROUNDS = (0, 8, 40)

_TIES_A_MEMBER = 10
_OUTSIDE = 0.3
_MOST_TIES = 300


class Grown(NamedTuple):
    """A community that somebody has drawn."""

    name: str
    ties: Ties


def planted(n: int, seed: int = 7) -> Grown:
    """Draw circles of 24 to 36, in which seven ties of ten stay."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(24, 37, size=n // 24 + 1)
    return Grown(f"circles of 24–36, {n:,}", _drawn(n, sizes, rng.gamma(4, _TIES_A_MEMBER / 4, n), rng))


def heavy_tailed(n: int, seed: int = 7) -> Grown:
    """Draw circles of 10 to 100, most of them small, and members of whom a few know very many."""
    rng = np.random.default_rng(seed)
    possible = np.arange(10, 101)
    odds = possible**-1.5
    sizes = rng.choice(possible, size=n // 10 + 1, p=odds / odds.sum())
    degree = np.minimum(4 * (1 - rng.random(n)) ** (-1 / 1.6), _MOST_TIES)
    return Grown(f"heavy-tailed, {n:,}", _drawn(n, sizes, degree * (_TIES_A_MEMBER / degree.mean()), rng))


def _drawn(n: int, sizes: NDArray[np.int64], degree: NDArray[np.float64], rng: np.random.Generator) -> Ties:
    """Draw ties within circles and across, of members in any order; a pair drawn twice weighs 2."""
    sizes = sizes[: np.searchsorted(np.cumsum(sizes), n) + 1]
    first = np.cumsum(sizes) - sizes
    circle = np.repeat(np.arange(len(sizes)), sizes)[:n]
    width = np.append(first[1:], n)[circle] - first[circle]
    inside = np.repeat(np.arange(n), np.minimum(rng.poisson(degree * (1 - _OUTSIDE) / 2), 3 * width))
    friend = first[circle[inside]] + (rng.random(len(inside)) * width[inside]).astype(np.int64)
    outside = np.repeat(np.arange(n), rng.poisson(degree * _OUTSIDE / 2))
    stranger = rng.permutation(outside)
    name = rng.permutation(n)
    u, v = name[np.concatenate([inside, outside])], name[np.concatenate([friend, stranger])]
    low, high = np.minimum(u, v)[u != v], np.maximum(u, v)[u != v]
    pair, weight = np.unique(low * n + high, return_counts=True)
    low, high = pair // n, pair % n
    return from_pairs(np.concatenate([low, high]), np.concatenate([high, low]), np.tile(weight, 2), n)


def measure(sizes: Sequence[int], rounds: Sequence[int] = ROUNDS, *, with_metis: bool = True) -> Iterator[Table]:
    """Measure each community, one table a size."""
    for n in sizes:
        rows: list[tuple[str, ...]] = []
        for grown in (planted(n), heavy_tailed(n)):
            rows.extend(_rows(grown, rounds, with_metis=with_metis))
        yield Table(
            f"groups of {BOUNDS[0]} to {BOUNDS[1]}, {n:,} members",
            ("community", "how", "kept", "of METIS", "seconds", "outside the bounds"),
            rows,
            "METIS: what it keeps once within the bounds; how many of its groups were outside before",
        )


def _rows(grown: Grown, rounds: Sequence[int], *, with_metis: bool) -> Iterator[tuple[str, ...]]:
    n = grown.ties.n_nodes
    best, peers = 0.0, []
    for setting in METIS_SETTINGS if with_metis else ():
        codes, took = _timed(lambda setting=setting: metis(grown.ties, n, setting))
        outside = _outside(codes)
        kept = _kept(grown.ties, into_bounds(codes, int(codes.max()) + 1, BOUNDS)[0])
        peers.append((grown.name, f"METIS {setting}", f"{kept:.4f}", "", seconds(took), f"{outside:,}"))
        best = max(best, kept)
    for number in rounds:
        codes, took = _timed(
            lambda number=number: partition(grown.ties, BOUNDS, rounds=number, rng=np.random.default_rng(7))
        )
        kept = _kept(grown.ties, codes)
        ratio = f"{kept / best:.3f}" if best else ""
        yield grown.name, f"shequn, {number} rounds", f"{kept:.4f}", ratio, seconds(took), f"{_outside(codes):,}"
    yield from peers
    chance = np.random.default_rng(7).permutation(n) % (n // 30)
    yield grown.name, "at random", f"{_kept(grown.ties, chance):.4f}", "", "", f"{_outside(chance):,}"


def _timed(work) -> tuple[NDArray[np.int64], float]:
    began = time.perf_counter()
    codes = work()
    return codes, time.perf_counter() - began


def _kept(ties: Ties, codes: NDArray[np.int64]) -> float:
    head = np.repeat(np.arange(ties.n_nodes), np.diff(ties.offsets))
    return float(ties.weight[codes[head] == codes[ties.neighbour]].sum() / ties.weight.sum())


def _outside(codes: NDArray[np.int64]) -> int:
    sizes = np.bincount(codes)
    return int(np.count_nonzero((sizes < BOUNDS[0]) | (sizes > BOUNDS[1])))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sharding", description=__doc__)
    parser.add_argument("--members", type=lambda text: int(float(text)), action="append", help="members (3e4, 1e5)")
    parser.add_argument("--rounds", type=int, action="append", help="rounds; may be given again (0, 8, 40)")
    parser.add_argument("--alone", action="store_true", help="without METIS")
    options = parser.parse_args()
    sizes, rounds = options.members or (30_000, 100_000), options.rounds or ROUNDS
    for table in measure(sizes, rounds, with_metis=not options.alone):
        print(f"\n{table}", flush=True)


if __name__ == "__main__":
    main()
