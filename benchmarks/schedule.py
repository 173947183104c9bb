"""How long does it take to plan a month of content, and ten of them, and how good is the plan proved to be?

Items of four kinds and five priorities, half of them with a first day, half with a deadline. Working hours are quiet,
and there are slots every half hour. *Loose* has neither first days nor deadlines, *varied* no kind twice in a row or a
day, *evergreen* every item twice, a week apart.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pendulum

from benchmarks.report import Table, seconds
from shequn.content import Variety, schedule
from shequn.content._schedule import Effort
from shequn.entities import ContentItem
from shequn.entities.content_taxonomies import ContentKind
from shequn.values import Cadence, DailyWindow, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["measure"]

_TZ = "Asia/Shanghai"
_START = pendulum.datetime(2024, 3, 4, tz=_TZ)
_WEEKS = 4
_SORTS = ("loose", "tight", "varied", "evergreen")


def drawn(n: int, sort: str, seed: int) -> tuple[list[ContentItem], dict[str, Any]]:
    """Draw items, sixty of which fill four weeks, and what is asked of their schedule."""
    rng = np.random.default_rng(seed)
    weeks = max(round(_WEEKS * n / 60), 1)
    kinds = tuple(ContentKind)
    items = [ContentItem(id=k, kind=kinds[rng.integers(len(kinds))], created=_START) for k in range(n)]
    options: dict[str, Any] = {
        "window": Window(_START, _START.add(weeks=weeks)),
        "tz": _TZ,
        "quiet": DailyWindow(start="09:00", end="18:00", weekdays="mon-fri", tz=_TZ),
        "cadence": Cadence(per_day=2, per_week=12, min_gap=pendulum.duration(hours=3)),
        "priority": {k: int(rng.integers(1, 6)) for k in range(n)},
    }
    if sort != "loose":
        first = {k: _START.add(hours=int(rng.integers(weeks * 168 - 24))) for k in range(n) if rng.random() < 0.5}
        ends = {k: int(rng.choice([12, 24, 72, 240])) for k in range(n) if rng.random() < 0.5}
        options["not_before"] = first
        options["deadline"] = {k: first.get(k, _START).add(hours=hours) for k, hours in ends.items()}
    if sort == "varied":
        options["variety"] = Variety(in_a_row=1, per_day=1)
    if sort == "evergreen":
        options |= {"repeats": 2, "cooldown": pendulum.duration(days=7)}
    return items, options


def measure(sizes: Sequence[int], seeds: int, efforts: Sequence[Effort]) -> Iterator[Table]:
    """Time schedules of drawn items, and tell how far they are from their bounds."""
    for n in sizes:
        rows = list[list[str]]()
        for sort in _SORTS:
            for effort in efforts:
                times, short, proved = list[float](), list[float](), 0
                for seed in range(seeds):
                    items, options = drawn(n, sort, seed)
                    begun = time.process_time()
                    plan = schedule(items, effort=effort, **options)
                    times.append(time.process_time() - begun)
                    short.append(1 - plan.totals.priority / max(plan.upper_bound.priority, 1))
                    proved += plan.is_optimal
                rows.append(
                    [
                        f"{sort}, {effort}",
                        seconds(float(np.median(times))),
                        seconds(max(times)),
                        f"{proved} of {seeds}",
                        f"{max(short):.1%}",
                    ]
                )
        header = ["items", "median s", "most s", "proved best", "priority short of bound, at most"]
        yield Table(f"schedule: {n:,} items in {max(round(_WEEKS * n / 60), 1)} weeks", header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.schedule", description=__doc__)
    parser.add_argument("--items", type=int, action="append", help="how many items (60, 600)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--effort", choices=get_args(Effort), action="append")
    options = parser.parse_args()
    for table in measure(options.items or (60, 600), options.seeds, options.effort or ("quick", "normal")):
        print(f"\n{table}", flush=True)


if __name__ == "__main__":
    main()
