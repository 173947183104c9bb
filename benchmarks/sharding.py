"""Groups of 26 to 36: what is kept of the talk, and how long it takes, beside METIS, KaMinPar and chance.

Neither METIS nor KaMinPar knows a least size. Their groups are brought within the bounds by the fewest moves before
what they keep is counted, and that is not part of their time; the setting of METIS that keeps most is what others are
measured by. Time is processor time; figures are medians of some seeds.

Graphs are drawn, or made of what packages bring along: `chat` (who wrote to whom; chitchat-dataset), `words` (what
stands in the same messages there), `characters` and `idioms` (Chinese characters that share words, and words of four
that share two; jieba), `airports` (those of the United States, each with the 30 next to it; vega_datasets) and `digits`
(handwritten ones, each with the 30 most like it; scikit-learn). In all but the first one has far more ties than a group
has seats.
"""

from __future__ import annotations

import argparse
import csv
import re
import tempfile
import time
from collections import Counter
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.contenders.metis_sharding import METIS_SETTINGS, metis
from benchmarks.memory import forget_peak, held, held_at_most
from benchmarks.report import Table, mega, seconds
from shequn.sharding.engine import into_bounds, partition
from shequn.sharding.engine.ties import Ties, from_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Grown", "heavy_tailed", "measure", "planted"]

BOUNDS = (26, 36)
ROUNDS = (0, 12, 48)
SEEDS = (1, 2, 3)

_TIES_A_MEMBER = 10
_OUTSIDE = 0.3
_MOST_TIES = 300
_NEAREST = 30
_KAMINPAR = ("default", "largek")


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


def chat() -> Grown:
    """Tie those who wrote to each other, by how many messages there were."""
    pairs: Counter[tuple[str, ...]] = Counter()
    for messages in _conversations():
        people = tuple(sorted({message["sender"] for message in messages}))
        pairs[people] += len(messages)
    talked = [pair for pair in pairs if len(pair) > 1]
    number = {name: i for i, name in enumerate(dict.fromkeys(name for pair in talked for name in pair))}
    ends = np.array([[number[name] for name in pair] for pair in talked])
    return _real("chat", ends[:, 0], ends[:, 1], np.array([pairs[pair] for pair in talked]))


def words() -> Grown:
    """Tie words written ten times or more, by how many messages they share, three or more."""
    found = [
        sorted(set(re.findall(r"[a-z']+", message["text"].lower())))
        for messages in _conversations()
        for message in messages
    ]
    often = Counter(word for message in found for word in message)
    return _sharing("words", ([word for word in message if often[word] >= 10] for message in found), least=3)


def characters() -> Grown:
    """Tie Chinese characters, by how many words they share."""
    return _sharing("characters", (word for word, _ in _dictionary("{2,}")), least=1)


def idioms() -> Grown:
    """Tie the 20,000 most frequent words of four characters, by how many they share above one."""
    four = [word for word, _ in sorted(_dictionary("{4}"), key=lambda entry: -entry[1])[:20_000]]
    holders: dict[str, list[int]] = {}
    for i, word in enumerate(four):
        for character in set(word):
            holders.setdefault(character, []).append(i)
    return _sharing("idioms", holders.values(), least=2, less=1)


def airports() -> Grown:
    """Tie airports to those nearest to them; twice where each is to the other."""
    with (Path(_package("vega_datasets").__file__).parent / "_data" / "airports.csv").open(encoding="utf-8") as file:
        degrees = np.array([[float(row["latitude"]), float(row["longitude"])] for row in csv.DictReader(file)])
    lat, lon = np.radians(degrees).T
    return _near("airports", np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1))


def digits() -> Grown:
    """Tie handwritten digits to those most like them; twice where each is to the other."""
    return _near("digits", _package("sklearn.datasets").load_digits().data)


REAL: dict[str, Callable[[], Grown]] = {
    "chat": chat,
    "words": words,
    "characters": characters,
    "idioms": idioms,
    "airports": airports,
    "digits": digits,
}


def _package(name: str) -> Any:
    """Import what some graphs alone are made of."""
    return import_module(name)


def _conversations() -> Iterator[list[dict[str, str]]]:
    for content in _package("chitchat_dataset").Dataset().values():
        yield [message for turn in content["messages"] for message in turn]


def _dictionary(length: str) -> list[tuple[str, int]]:
    """Return words of Chinese characters, and how frequent each is."""
    lines = (Path(_package("jieba").__file__).parent / "dict.txt").read_text(encoding="utf-8").splitlines()
    entries = [line.split(" ")[:2] for line in lines]
    return [(word, int(often)) for word, often in entries if re.fullmatch(f"[\u4e00-\u9fff]{length}", word)]


def _sharing(name: str, sets: Iterable[Iterable[object]], least: int, less: int = 0) -> Grown:
    """Tie what stands in the same sets, at least so many of them; a tie weighs how many, or less."""
    from scipy import sparse  # noqa: PLC0415  (needed for these graphs alone)

    number: dict[object, int] = {}
    rows = [[number.setdefault(item, len(number)) for item in dict.fromkeys(items)] for items in sets]
    row = np.repeat(np.arange(len(rows)), [len(items) for items in rows])
    holds = sparse.csr_array((np.ones(len(row), np.int64), (row, np.concatenate(rows).astype(np.int64))))
    shared = sparse.coo_array(sparse.triu(holds.T @ holds, k=1))
    enough = shared.data >= least
    return _real(name, shared.row[enough], shared.col[enough], shared.data[enough] - less)


def _near(name: str, points: NDArray[np.float64]) -> Grown:
    """Tie points to those nearest to them."""
    from scipy.spatial import cKDTree  # noqa: PLC0415  (needed for these graphs alone)

    near = cKDTree(points).query(points, _NEAREST + 1)[1][:, 1:]
    one, other = np.repeat(np.arange(len(points)), _NEAREST), near.ravel()
    pair, weight = np.unique(np.minimum(one, other) * len(points) + np.maximum(one, other), return_counts=True)
    return _real(name, pair // len(points), pair % len(points), weight)


def _real(name: str, u: NDArray[np.int64], v: NDArray[np.int64], weight: NDArray[np.int64]) -> Grown:
    """Return ties, without those whom none is left for."""
    some, ends = np.unique(np.concatenate([u, v]), return_inverse=True)
    u, v = ends[: len(u)], ends[len(u) :]
    ties = from_pairs(np.concatenate([u, v]), np.concatenate([v, u]), np.tile(weight, 2), len(some))
    return Grown(f"{name}, {len(some):,}, {2 * len(u) / len(some):.0f} ties each", ties)


def measure(
    graphs: Iterable[Grown], rounds: Sequence[int] = ROUNDS, *, peers: bool = True, seeds: Sequence[int] = SEEDS
) -> Iterator[Table]:
    """Measure each graph, one table a graph."""
    for grown in graphs:
        yield Table(
            f"groups of {BOUNDS[0]} to {BOUNDS[1]}: {grown.name}",
            ("how", "kept", "of METIS", "seconds", "× METIS", "under", "over", "kept before", "extra memory"),
            _rows(grown, rounds, seeds, peers=peers),
            "under, over and kept before: as peers make the groups; kept: once these are within the bounds",
        )


class _Run(NamedTuple):
    """What came of some seeds: the medians, and the most memory."""

    kept: float
    kept_before: float
    seconds: float
    under: int
    over: int
    memory: int | None


def _rows(grown: Grown, rounds: Sequence[int], seeds: Sequence[int], *, peers: bool) -> list[tuple[str, ...]]:
    ties, n = grown.ties, grown.ties.n_nodes
    runs = {f"shequn, {number} rounds": _run(ties, seeds, partial(_ours, ties, number)) for number in rounds}
    best: _Run | None = None
    if peers:
        of_metis = {f"METIS {name}": _run(ties, seeds, partial(metis, ties, n, name)) for name in METIS_SETTINGS}
        best = max(of_metis.values(), key=lambda run: run.kept)
        runs |= of_metis
        runs |= _kaminpar(ties, seeds)
    runs["at random"] = _run(ties, seeds, lambda seed: np.random.default_rng(seed).permutation(n) % max(n // 30, 1))
    return [_row(how, run, best) for how, run in runs.items()]


def _ours(ties: Ties, rounds: int, seed: int) -> NDArray[np.int64]:
    return partition(ties, BOUNDS, rounds=rounds, rng=np.random.default_rng(seed))


def _row(how: str, run: _Run, best: _Run | None) -> tuple[str, ...]:
    return (
        how,
        f"{run.kept:.4f}",
        f"{run.kept / best.kept:.3f}" if best else "",
        seconds(run.seconds),
        f"{run.seconds / best.seconds:.2f}" if best else "",
        f"{run.under:,}",
        f"{run.over:,}",
        f"{run.kept_before:.4f}",
        "" if run.memory is None else mega(run.memory),
    )


def _run(ties: Ties, seeds: Sequence[int], work: Callable[[int], NDArray[np.int64]]) -> _Run:
    done: list[tuple[float, float, float, int, int]] = []
    before = held()
    forget_peak()
    for seed in seeds:
        began = time.process_time()
        codes = work(seed)
        took = time.process_time() - began
        sizes = np.bincount(codes)
        mended, _ = into_bounds(codes, len(sizes), BOUNDS)
        under, over = np.count_nonzero(sizes < BOUNDS[0]), np.count_nonzero(sizes > BOUNDS[1])
        done.append((_kept(ties, mended), _kept(ties, codes), took, int(under), int(over)))
    peak = held_at_most()
    kept, kept_before, taken, n_under, n_over = np.median(np.array(done), axis=0).tolist()
    memory = None if before is None or peak is None else peak - before
    return _Run(kept, kept_before, taken, int(n_under), int(n_over), memory)


def _kaminpar(ties: Ties, seeds: Sequence[int]) -> dict[str, _Run]:
    """Run KaMinPar with k = N/33, if it is installed; it reads a file, which is not in its time."""
    try:
        kaminpar = _package("kaminpar")
    except ImportError:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ties.metis"
        ends = zip((ties.neighbour + 1).tolist(), ties.weight.tolist(), strict=True)
        entries = [f"{other} {weight}" for other, weight in ends]
        rows = (" ".join(entries[first:last]) for first, last in zip(ties.offsets, ties.offsets[1:], strict=False))
        path.write_text("\n".join([f"{ties.n_nodes} {len(entries) // 2} 1", *rows]) + "\n", encoding="ascii")
        graph = kaminpar.load_graph(str(path), kaminpar.GraphFileFormat.METIS)

    def run(preset: str, seed: int) -> NDArray[np.int64]:
        kaminpar.reseed(seed)
        solver = kaminpar.KaMinPar(1, kaminpar.context_by_name(preset))
        return np.asarray(solver.compute_partition(graph, max(ties.n_nodes // 33, 1)), dtype=np.int64)

    return {f"KaMinPar k = N/33, {preset}": _run(ties, seeds, partial(run, preset)) for preset in _KAMINPAR}


def _kept(ties: Ties, codes: NDArray[np.int64]) -> float:
    head = np.repeat(np.arange(ties.n_nodes), np.diff(ties.offsets))
    return float(ties.weight[codes[head] == codes[ties.neighbour]].sum() / ties.weight.sum())


def _graphs(sizes: Sequence[int], names: Sequence[str]) -> Iterator[Grown]:
    for n in sizes:
        yield planted(n)
        yield heavy_tailed(n)
    for name in names:
        yield REAL[name]()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sharding", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--members", type=lambda text: int(float(text)), action="append", help="members (3e4, 1e5)")
    parser.add_argument("--graphs", default="", help=f"of {','.join(REAL)}; drawn ones only with --members then")
    parser.add_argument("--rounds", type=int, action="append", help="rounds; may be given again (0, 12, 48)")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="how many runs the median is of (3)")
    parser.add_argument("--alone", action="store_true", help="without METIS and KaMinPar")
    options = parser.parse_args()
    names = [name for name in options.graphs.split(",") if name]
    if unknown := set(names) - set(REAL):
        parser.error(f"no graph called {', '.join(sorted(unknown))}; there are {', '.join(REAL)}")
    sizes = options.members or (() if names else (30_000, 100_000))
    seeds = range(1, options.seeds + 1)
    for table in measure(_graphs(sizes, names), options.rounds or ROUNDS, peers=not options.alone, seeds=seeds):
        print(f"\n{table}", flush=True)


if __name__ == "__main__":
    main()
