"""RFM of the CDNOW sample, against the plain definition, pandas and the figures of the written definition.

The sample of 2,357 customers is that of Fader and Hardie (2001), which the package `lifetimes` carries: a row a
transaction, with the day, the number of CDs and dollars.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from pathlib import Path

import numpy as np
import pandas as pd
import pendulum
import pytest

from shequn.columns import EventLog
from shequn.segmentation import RfmValues, rfm

lifetimes = pytest.importorskip("lifetimes")

AS_OF = pendulum.datetime(1998, 7, 1)
SCORES = ("recency_score", "frequency_score", "monetary_score")


@pytest.fixture(scope="module")
def frame():
    path = Path(lifetimes.__file__).parent / "datasets" / "CDNOW_sample.txt"
    rows = pd.read_csv(path, sep=r"\s+", header=None, names=["master", "customer", "day", "cds", "dollars"], dtype=str)
    return rows.assign(
        customer=rows["customer"].astype(int),
        day=pd.to_datetime(rows["day"], format="%Y%m%d"),
        cents=(rows["dollars"].astype(float) * 100).round().astype(int),
    )


@pytest.fixture(scope="module")
def log(frame):
    return EventLog.from_columns(
        member=frame["customer"].to_numpy(),
        kind="purchase",
        at=frame["day"].to_numpy(),
        at_tz="UTC",
        value=frame["cents"].to_numpy(),
    )


def test_the_sample_is_the_published_one(log):
    assert (len(log), len(log.members)) == (6_919, 2_357)


def test_quintiles_of_transactions_are_those_of_the_written_definition(log):
    found = rfm(log, as_of=AS_OF, bins=5, ties="value-left")
    assert np.bincount(found.scores[:, 1], minlength=6).tolist() == [0, 1205, 0, 406, 358, 388]


@pytest.mark.parametrize("ties", ["value-left", "value-right", "midrank"])
@pytest.mark.parametrize("bins", [2, 4, 5, 10])
def test_scores_are_those_of_places_in_a_sorted_list(frame, log, bins, ties):
    found = rfm(log, as_of=AS_OF, bins=bins, ties=ties, few_values="ignore")
    each = frame.groupby("customer").agg(last=("day", "max"), times=("day", "size"), cents=("cents", "sum"))
    assert each.index.tolist() == list(found.members)
    for name, place in (("last", 0), ("times", 1), ("cents", 2)):
        values = each[name].tolist()
        ordered = sorted(values)
        expected = []
        for value in values:
            first, last = bisect_left(ordered, value), bisect_right(ordered, value) - 1
            doubled = {"value-left": 2 * first, "value-right": 2 * last, "midrank": first + last}[ties]
            expected.append(bins * doubled // (2 * len(values)) + 1)
        assert found.scores[:, place].tolist() == expected


def test_where_nobody_ties_pandas_cuts_alike():
    # Without ties all three policies are one, and quantile cuts of ranks are the same.
    rng = np.random.default_rng(7)
    last, times, cents = (rng.permutation(1_000) + 1 for _ in range(3))
    values = RfmValues.from_columns(
        member=np.arange(1_000), last=last, time_unit="s", frequency=times, monetary=cents,
        as_of=pendulum.from_timestamp(1_000),
    )  # fmt: skip
    expected = [pd.qcut(pd.Series(each).rank(), 5, labels=False) + 1 for each in (last, times, cents)]
    for ties in ("value-left", "value-right", "midrank"):
        assert np.array_equal(values.score(ties=ties).scores, np.stack(expected, axis=1))


def test_pandas_scores_equal_values_by_the_order_of_rows_and_we_do_not(frame):
    # What the policies are for: `rank(method="first")` gives two customers of equal worth different scores.
    each = frame.groupby("customer").size()
    forward = pd.qcut(each.rank(method="first"), 5, labels=False)
    backward = pd.qcut(each[::-1].rank(method="first"), 5, labels=False).sort_index()
    assert (forward != backward).sum() > 1_000
    lowest, highest = forward[each == 1].min(), forward[each == 1].max()
    assert (lowest, highest) == (0, 2)
    logs = [
        EventLog.from_columns(member=rows["customer"].to_numpy(), kind="purchase", at=rows["day"].to_numpy(),
                              at_tz="UTC", value=rows["cents"].to_numpy())
        for rows in (frame, frame[::-1], frame.sample(frac=1, random_state=3))
    ]  # fmt: skip
    first, *others = [rfm(one, as_of=AS_OF) for one in logs]
    assert all(np.array_equal(first.scores, other.scores) for other in others)
    assert set(first.scores[first.frequency == 1, 1].tolist()) == {1}


def test_a_pandas_pivot_has_the_same_numbers(frame, log):
    found = pd.DataFrame(rfm(log, as_of=AS_OF).to_columns()).set_index("member")
    each = frame.groupby("customer").agg(last=("day", "max"), frequency=("day", "size"), monetary=("cents", "sum"))
    days = (pd.Timestamp("1998-07-01") - each["last"]).dt.days.astype(float)
    assert found["recency_days"].tolist() == days.tolist()
    assert found["frequency"].tolist() == each["frequency"].tolist()
    assert found["monetary"].tolist() == each["monetary"].tolist()
    assert list(found.columns[3:]) == list(SCORES)
