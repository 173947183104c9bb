"""What do transaction summaries, fits and predictions take beside lifetimes, and how much memory?

Both in one run, in turns, by the time their process computed. The fit of 23,570 customers is of CDNOW, whose rows the
package `lifetimes` brings along.
"""

from __future__ import annotations

import argparse
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pendulum

from benchmarks.beside import HEADINGS, beside
from benchmarks.report import Table
from shequn.columns import EventLog
from shequn.lifetime import (
    BetaGeoNBD,
    Discount,
    GammaGamma,
    ShiftedBetaGeometric,
    TransactionSummary,
    customer_lifetime_value,
    transaction_summary,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["measure"]

_ROWS_A_MEMBER = 10
_DAY_S = 86_400
_DAYS = 360
_END = pendulum.from_timestamp((_DAYS + 1) * _DAY_S - 1)


class Columns(NamedTuple):
    """Frequency, recency and age of members."""

    frequency: NDArray[Any]
    recency: NDArray[Any]
    age: NDArray[Any]


def measure(sizes: Sequence[int], repeats: int) -> Iterator[Table]:
    """Measure each number of rows and of members, and then CDNOW."""
    note = "seconds of processor time (median), and memory held at most beyond what was held before (MB)"
    rows = [("transaction_summary, days", f"{n:,} rows", *_summaries(n, repeats)) for n in sizes]
    yield Table(f"summaries, {_ROWS_A_MEMBER} rows a member, {repeats} runs", ("what", "of", *HEADINGS), rows, note)
    rows = [row for name, columns in _buyers(sizes) for row in _fits(name, columns, repeats)]
    yield Table(f"fits and predictions, {repeats} runs", ("what", "of", *HEADINGS), rows, note)


def _summaries(n_rows: int, repeats: int) -> tuple[str, ...]:
    import pandas as pd  # noqa: PLC0415 - its import takes long
    from lifetimes.utils import summary_data_from_transaction_data  # noqa: PLC0415

    rng = np.random.default_rng(7)
    member = rng.integers(0, max(n_rows // _ROWS_A_MEMBER, 1), n_rows)
    at, value = rng.integers(0, _DAYS * _DAY_S, n_rows), rng.integers(1, 1_000, n_rows)
    log = EventLog.from_columns(member=member, kind="purchase", at=at, time_unit="s", value=value)
    frame = pd.DataFrame({"id": member, "date": at.astype("M8[s]"), "money": value.astype(float)})
    end = np.datetime64(_DAYS, "D")
    return beside(
        lambda: transaction_summary(log, as_of=_END, every="day", tz="UTC"),
        lambda: summary_data_from_transaction_data(
            frame, "id", "date", monetary_value_col="money", observation_period_end=pd.Timestamp(end)
        ),
        repeats,
    )


@cache
def _cdnow() -> TransactionSummary:
    import pandas as pd  # noqa: PLC0415
    from lifetimes import datasets  # noqa: PLC0415

    path = f"{datasets.__path__[0]}/CDNOW_master.txt"
    rows = pd.read_csv(path, sep=r"\s+", header=0, names=["id", "date", "n", "money"])
    log = EventLog.from_columns(
        member=rows["id"].to_numpy(),
        kind="purchase",
        at=pd.to_datetime(rows["date"].astype(str), format="%Y%m%d").to_numpy("M8[us]"),
        at_tz="UTC",
        value=rows["money"].to_numpy(),
    )
    return transaction_summary(log, as_of=pendulum.datetime(1997, 9, 30), every="day", tz="UTC")


def _buyers(sizes: Sequence[int]) -> Iterator[tuple[str, Columns]]:
    """Return CDNOW's members, and as many drawn from them as there are sizes, each at a moment of their own."""
    known = Columns(*(np.asarray(column, dtype=np.float64) for column in _columns(_cdnow())))
    yield f"CDNOW, {len(known.age):,} members", known
    for n in sizes:
        rng = np.random.default_rng(7)
        some = rng.integers(0, len(known.age), n)
        often, moment = known.frequency[some], rng.random(n) / 2
        recency, age = np.where(often > 0, known.recency[some] + moment, 0.0), known.age[some] + moment
        yield f"{n:,} members, no two alike", Columns(often, recency, age)


def _columns(summary: TransactionSummary) -> tuple[NDArray[Any], ...]:
    return summary.frequency, summary.recency, summary.age


def _fits(name: str, given: Columns, repeats: int) -> Iterator[tuple[str, ...]]:
    from lifetimes import BetaGeoFitter  # noqa: PLC0415

    columns = given._asdict()
    fit = BetaGeoNBD.fit(**columns)
    peer = BetaGeoFitter()
    peer.params_ = fit.params._asdict()
    in_time = len(given.age) <= 1_000_000
    yield (
        "BetaGeoNBD.fit",
        name,
        *beside(
            lambda: BetaGeoNBD.fit(**columns),
            (lambda: BetaGeoFitter().fit(given.frequency, given.recency, given.age)) if in_time else None,
            repeats,
        ),
    )
    yield (
        "expected_purchases",
        name,
        *beside(
            lambda: fit.expected_purchases(**columns, horizon=90),
            (
                lambda: peer.conditional_expected_number_of_purchases_up_to_time(
                    90, given.frequency, given.recency, given.age
                )
            )
            if in_time
            else None,
            repeats,
        ),
    )
    if not name.startswith("CDNOW"):
        return
    summary = _cdnow()
    assert summary.spend is not None
    paying = summary.take((summary.spend > 0) | (summary.frequency == 0))
    spend = GammaGamma.fit(paying)
    yield "GammaGamma.fit", name, *beside(lambda: GammaGamma.fit(paying), _peer_spend(paying), repeats)
    worth = lambda: customer_lifetime_value(fit, spend, paying, horizon=364, discount=Discount(0.1))  # noqa: E731
    yield "customer_lifetime_value, 364 days", name, *beside(worth, None, repeats)
    left = [1000, 869, 743, 653, 593, 551, 517, 491]
    yield "ShiftedBetaGeometric.fit", "a cohort", *beside(lambda: ShiftedBetaGeometric.fit(left=left), None, repeats)


def _peer_spend(summary: TransactionSummary) -> Any:
    from lifetimes import GammaGammaFitter  # noqa: PLC0415

    again = summary.take(summary.frequency > 0)
    return lambda: GammaGammaFitter().fit(again.frequency, again.spend)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lifetime", description=__doc__)
    parser.add_argument("--rows", type=lambda text: int(float(text)), action="append", help="rows, members (1e5, 1e6)")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # lifetimes warns of what pandas will change
    for table in measure(options.rows or (100_000, 1_000_000), options.repeats):
        print(f"\n{table}", flush=True)


if __name__ == "__main__":
    main()
