"""`outcome` against plain Python and SciPy, on random small communities."""

from __future__ import annotations

import warnings

import numpy as np
import pendulum
import pytest
from scipy import stats as scipy_stats
from tests.reference.slow_outcome import best_theta, incremental, slow_outcome, totals

from shequn.campaigns import outcome
from shequn.columns import EventLog
from shequn.entities import Campaign
from shequn.stats import newcombe
from shequn.values import Money, Window

DAY = 86_400
START = pendulum.datetime(2024, 9, 10)
KINDS = ["post", "receive", "purchase", "like", "leave"]


def world(seed):
    """Draw a campaign, rows around it, and two arms of which some members are unknown to the log."""
    rng = np.random.default_rng(seed)
    n, length = int(rng.integers(0, 120)), int(rng.integers(1, 8))
    rows = [
        (
            f"u{rng.integers(0, 14)}",
            str(rng.choice(KINDS, p=[0.2, 0.2, 0.4, 0.1, 0.1])),
            int(rng.integers(-9, 9)) * DAY + int(rng.integers(-1, 2)),
            int(rng.integers(-200, 2_000)),
            [None, "own", "other"][int(rng.integers(0, 3))],
        )
        for _ in range(n)
    ]
    labels = [f"u{i}" for i in rng.permutation(20)]
    cut, end = int(rng.integers(2, 9)), int(rng.integers(11, 20))
    as_of = int(rng.integers(0, length + 3)) * DAY + int(rng.integers(0, 2))
    return rows, length, as_of, labels[:cut], labels[cut:end]


def log_of(rows):
    if not rows:
        return EventLog.empty()
    member, kind, at, value, item = zip(*rows, strict=True)
    instants = [int(START.timestamp()) + offset for offset in at]
    return EventLog.from_columns(member=member, kind=kind, at=instants, time_unit="s", value=value, item=item)


def campaign(length):
    return Campaign(id="own", forms={"poll"}, window=Window(START, START.add(days=length)))


@pytest.mark.parametrize("seed", range(60))
def test_every_figure_is_the_one_of_the_definition(seed):
    rows, length, as_of, treated, held_out = world(seed)
    by = ("revenue", "activity")[seed % 2]
    known = min(length * DAY, as_of + 1)
    found = outcome(
        log_of(rows), campaign(length), treated=treated, held_out=set(held_out), margin=0.4,
        as_of=START.add(seconds=as_of), cost=Money(5_000, "CNY"), covariate=by,
        baseline=Window(START.subtract(days=length), START),
    )  # fmt: skip
    before = (-length * DAY, -length * DAY + known if known < length * DAY else 0)
    slow = slow_outcome(rows, treated, held_out, start=0, end=length * DAY, as_of=as_of, before=before, item="own")
    for name, arm in (("treated", found.treated), ("held_out", found.held_out)):
        members = slow[name]
        for key in ("reached", "participated", "actions", "converted"):
            assert getattr(arm, key) == totals(members, key), key
        assert arm.revenue.minor == totals(members, "revenue")
        assert arm.before.converted == totals(members, "converted_before")
        assert arm.before.revenue.minor == totals(members, "revenue_before")
        assert arm.before.change.gained == sum(one["converted"] > one["converted_before"] for one in members)
        assert arm.before.change.lost == sum(one["converted"] < one["converted_before"] for one in members)
    ours, theirs = slow["treated"], slow["held_out"]
    assert found.incremental_revenue.value.minor == round(incremental(ours, theirs))
    _like_scipy(found.revenue_uplift, _column(ours, "revenue"), _column(theirs, "revenue"))
    _like_scipy(found.heat_uplift, _column(ours, "actions"), _column(theirs, "actions"))
    _like_scipy(
        found.revenue_change_uplift,
        _column(ours, "revenue") - _column(ours, "revenue_before"),
        _column(theirs, "revenue") - _column(theirs, "revenue_before"),
    )
    key = {"revenue": "revenue_before", "activity": "active_before"}[by]
    theta = best_theta([ours, theirs], key)
    assert found.theta == pytest.approx(theta, rel=1e-6, abs=1e-6)
    _like_scipy(
        found.adjusted_revenue_uplift,
        _column(ours, "revenue") - theta * _column(ours, key),
        _column(theirs, "revenue") - theta * _column(theirs, key),
        rel=1e-6,
    )
    lower, upper = newcombe(totals(ours, "converted"), len(ours), totals(theirs, "converted"), len(theirs))
    assert (found.uplift.lower, found.uplift.upper) == (lower, upper)
    gain = len(ours) * 0.4 / 5_000
    assert found.roi == pytest.approx(tuple(end * gain - 1 for end in found.revenue_uplift), rel=1e-12)


def _column(members, key):
    return np.array([float(one[key]) for one in members])


def _like_scipy(found, ours, theirs, rel=1e-9):
    assert found.value == pytest.approx(ours.mean() - theirs.mean(), rel=rel, abs=1e-6)
    if ours.var() + theirs.var() < 1e-9:
        assert found.lower == pytest.approx(found.upper, abs=1e-4)
        return
    with warnings.catch_warnings():
        # Of an arm whose members are all alike SciPy says that it may lose precision.
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = scipy_stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.95)
    assert (found.lower, found.upper) == pytest.approx((interval.low, interval.high), rel=rel, abs=1e-3)


@pytest.mark.parametrize("seed", range(12))
def test_before_and_after_are_the_paired_test_of_scipy(seed):
    rows, length, _, treated, _ = world(seed)
    found = outcome(
        log_of(rows), campaign(length), treated=treated, margin=1, as_of=START.add(days=length),
        cost=Money(5_000, "CNY"), baseline=Window(START.subtract(days=length), START),
    )  # fmt: skip
    slow = slow_outcome(
        rows, treated, None, start=0, end=length * DAY, as_of=length * DAY, before=(-length * DAY, 0), item="own"
    )["treated"]
    change = _column(slow, "revenue") - _column(slow, "revenue_before")
    assert found.method == "pre_post"
    assert found.revenue_uplift.value == pytest.approx(change.mean())
    if change.std():
        interval = scipy_stats.ttest_1samp(change, 0).confidence_interval(0.95)
        assert (found.revenue_uplift.lower, found.revenue_uplift.upper) == pytest.approx(tuple(interval))
    assert found.incremental_revenue.value.minor == change.sum()
