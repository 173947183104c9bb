"""Near duplicates among items of 30 tokens: how long it takes beside datasketch, and how it grows.

Tokens follow Zipf's law; a fifth of the items are copies of others, of which no, few or many tokens were changed. Both
start from lists of text and end with pairs of which the sets are 80 % the same; datasketch's candidates are verified by
Python's sets, as its users do. Time is processor time.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.memory import forget_peak, held, held_at_most
from benchmarks.report import Table, mega, seconds
from shequn.content import near_duplicates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["measure", "posts"]

_THRESHOLD = 0.8
_HASHES = 128


class _Took(NamedTuple):
    pairs: set[tuple[int, int]]
    seconds: float
    memory: int | None


def posts(n: int, *, tokens: int = 30, words: int = 50_000, copies: float = 0.2, seed: int = 0) -> dict[int, list[str]]:
    """Return the tokens of n items."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, words + 1) ** 1.1
    code = np.searchsorted(np.cumsum(share / share.sum()), rng.random((n, tokens))).clip(0, words - 1)
    m = int(n * copies)
    code[n - m :] = code[rng.integers(0, n - m, m)]
    is_changed = rng.random((m, tokens)) < rng.choice([0, 0.03, 0.1, 0.2], m)[:, None]
    code[n - m :][is_changed] = rng.integers(0, words, int(is_changed.sum()))
    name = [f"w{word}" for word in range(words)]
    return {item: [name[word] for word in row] for item, row in enumerate(code.tolist())}


def ours(given: dict[int, list[str]], method: Any) -> set[tuple[Any, Any]]:
    return {(a, b) for a, b, _ in near_duplicates(given, threshold=_THRESHOLD, method=method).pairs()}


def datasketch(given: dict[int, list[str]]) -> set[tuple[int, int]]:
    """MinHashLSH: insert all, ask for each, verify."""
    from datasketch import MinHash, MinHashLSH  # noqa: PLC0415

    lsh = MinHashLSH(threshold=_THRESHOLD, num_perm=_HASHES)
    sets = {item: set(tokens) for item, tokens in given.items()}
    prints = {}
    for item, tokens in sets.items():
        prints[item] = MinHash(num_perm=_HASHES)
        prints[item].update_batch([token.encode() for token in tokens])
        lsh.insert(item, prints[item], check_duplication=False)
    found = set()
    for item, tokens in sets.items():
        for other in lsh.query(prints[item]):
            if other > item and len(tokens & sets[other]) >= _THRESHOLD * len(tokens | sets[other]):
                found.add((item, other))
    return found


def measure(sizes: Sequence[int], *, peer_up_to: int) -> Iterator[Table]:
    """Measure each size, the largest last, and how much longer it takes than the one before."""
    before: dict[str, float] = {}
    for n in sizes:
        given = posts(n)
        works: dict[str, Callable[[], set[tuple[int, int]]]] = {
            "shequn, exact": lambda: ours(given, "exact"),  # noqa: B023
            "shequn, MinHash": lambda: ours(given, "minhash"),  # noqa: B023
        }
        if n <= peer_up_to:
            works["datasketch, MinHashLSH, verified"] = lambda: datasketch(given)  # noqa: B023
        took = {name: _taken(work) for name, work in works.items()}
        exact, base = took["shequn, exact"].pairs, took["shequn, MinHash"].seconds
        rows = []
        for name, one in took.items():
            if not one.pairs <= exact:
                raise AssertionError(f"{name}: a pair that is none")
            grown = f"{one.seconds / before[name]:.1f}" if name in before else ""
            found = f"{len(one.pairs) / len(exact):.2%}"
            rows.append((name, seconds(one.seconds), f"{one.seconds / base:.1f}", grown, found, mega(one.memory)))
        before = {name: one.seconds for name, one in took.items()}
        header = ("", "seconds", "× MinHash", "× the size before", "of all pairs", "extra memory")
        yield Table(f"{n:,} items of 30 tokens, {len(exact):,} pairs", header, rows)


def _taken(work: Callable[[], set[tuple[int, int]]]) -> _Took:
    before = held()
    forget_peak()
    began = time.process_time()
    pairs = work()
    took = time.process_time() - began
    peak = held_at_most()
    return _Took(pairs, took, None if before is None or peak is None else peak - before)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.duplicates", description=__doc__)
    parser.add_argument("--items", type=int, action="append", metavar="N", help="items; may be given again")
    parser.add_argument("--peer-up-to", type=int, default=100_000, metavar="N", help="datasketch up to so many items")
    options = parser.parse_args()
    for table in measure(sorted(options.items or [10_000, 100_000]), peer_up_to=options.peer_up_to):
        print(table, end="\n\n", flush=True)
