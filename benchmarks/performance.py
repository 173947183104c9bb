"""How long does it take to count what became of each piece of content, beside Polars?

Both in one run, in turns. Polars is given the codes of members and items, and counts distinct members per item four
times over in one streaming query, from publication to the instant of the question, as `performance` does.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pendulum

from benchmarks.beside import HEADINGS, beside
from benchmarks.report import Table
from shequn.columns import EventLog
from shequn.content import ContentPerformance, performance
from shequn.entities import ContentItem, ContentKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Posted", "by_polars", "drawn", "measure"]

_ROWS_A_MEMBER = 50
_KINDS = ("receive", "read", "like", "reply", "repost")
_SHARES = (0.6, 0.3, 0.06, 0.03, 0.01)
_START = pendulum.datetime(2024, 3, 1)
_DAYS = 30
_DAY_S = 86_400


class Posted(NamedTuple):
    """Items that somebody has posted, and what members did with them."""

    log: EventLog
    items: list[ContentItem]

    def ours(self) -> ContentPerformance:
        """Count by `performance`."""
        return performance(self.log, self.items, as_of=_START.add(days=_DAYS - 1))


def drawn(n_rows: int, n_items: int, seed: int = 7) -> Posted:
    """Draw rows of items and members alike, and of instants of a month; an item is published in its first days."""
    rng = np.random.default_rng(seed)
    kinds = list(ContentKind)
    hours = rng.integers(0, 5 * 24, n_items).tolist()
    items = [
        ContentItem(id=n, kind=kinds[n % len(kinds)], created=_START, published=_START.add(hours=hours[n]))
        for n in range(n_items)
    ]
    log = EventLog.from_columns(
        member=rng.integers(0, max(n_rows // _ROWS_A_MEMBER, 1), n_rows),
        kind=np.array(_KINDS)[rng.choice(len(_KINDS), n_rows, p=_SHARES)],
        at=int(_START.timestamp()) + rng.integers(0, _DAYS * _DAY_S, n_rows),
        time_unit="s",
        item=rng.integers(0, n_items, n_rows),
    )
    return Posted(log, items)


def by_polars(posted: Posted) -> NDArray[Any]:
    """Return reached, readers, reads, engaged, sharers and shares of each item, shape (n_items, 6)."""
    import polars as pl  # noqa: PLC0415 - a peer, which need not be installed

    log = posted.log
    if log.item is None:
        return np.zeros((len(posted.items), 6), dtype=np.int64)
    code = {str(kind): place for place, kind in enumerate(log.kinds)}
    labels = log.item.index.labels
    published = np.array([posted.items[label].published.timestamp() for label in labels.tolist()], dtype=np.int64)  # type: ignore[union-attr]
    frame = pl.DataFrame({"member": log.member_codes, "kind": log.kind_codes, "item": log.item.codes, "at": log.at_us})
    start = pl.DataFrame({"item": np.arange(len(labels), dtype=np.int32), "start": published * 1_000_000})
    member, kind = pl.col("member"), pl.col("kind")
    reads, shares = kind == code["read"], kind == code["repost"]
    reactions = kind.is_in([code[name] for name in ("like", "reply", "repost")])
    until = int(_START.add(days=_DAYS - 1).timestamp()) * 1_000_000
    found = (
        frame.lazy()
        .join(start.lazy(), on="item")
        .filter((pl.col("at") >= pl.col("start")) & (pl.col("at") <= until))
        .group_by("item")
        .agg(
            member.n_unique().alias("reached"),
            member.filter(reads).n_unique().alias("readers"),
            reads.sum().alias("reads"),
            member.filter(reactions).n_unique().alias("engaged"),
            member.filter(shares).n_unique().alias("sharers"),
            shares.sum().alias("shares"),
        )
        .collect(engine="streaming")
    )
    table = np.zeros((len(posted.items), 6), dtype=np.int64)
    table[labels[found["item"].to_numpy()]] = found.drop("item").to_numpy()
    return table


def measure(sizes: Sequence[int], n_items: int, repeats: int) -> Iterator[Table]:
    """Measure each number of rows; the two must agree."""
    rows: list[tuple[str, ...]] = []
    for n in sizes:
        posted = drawn(n, n_items)
        done = posted.ours()
        columns = (done.reached, done.readers, done.reads, done.engaged, done.sharers, done.shares)
        if not np.array_equal(np.stack(columns, axis=1), by_polars(posted)):
            raise AssertionError("Polars counts otherwise")
        rows.append((f"{n:,}", *beside(posted.ours, lambda posted=posted: by_polars(posted), repeats)))  # type: ignore[misc]
    yield Table(
        f"what became of {n_items:,} items, {_ROWS_A_MEMBER} rows a member, {repeats} runs",
        ("rows", *HEADINGS),
        rows,
        "seconds of process time (median), and memory held at most beyond what was held before (MB)",
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.performance", description=__doc__)
    parser.add_argument("--rows", type=lambda text: int(float(text)), action="append", help="rows (1e6, 1e7)")
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    for table in measure(options.rows or (1_000_000, 10_000_000), options.items, options.repeats):
        print(f"\n{table}", flush=True)


if __name__ == "__main__":
    main()
