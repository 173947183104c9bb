"""Violations of a cadence, held against counting day by day with the standard library; regularity against fractions."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import pairwise
from math import isclose, sqrt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shequn as sq
from shequn.content import CadenceFault, cadence_violations, regularity
from shequn.values import Cadence, DailyWindow

HOUR = dt.timedelta(hours=1)
PLACES = (
    ("Asia/Shanghai", dt.datetime(2024, 2, 27, 16, tzinfo=dt.UTC)),
    ("Europe/Berlin", dt.datetime(2024, 10, 25, 22, tzinfo=dt.UTC)),
    ("America/Sao_Paulo", dt.datetime(2018, 11, 3, 3, tzinfo=dt.UTC)),
)


@st.composite
def histories(draw: st.DrawFn):
    tz, start = draw(st.sampled_from(PLACES))
    at = [start + dt.timedelta(minutes=minutes) for minutes in draw(st.lists(st.integers(-600, 12_000), max_size=25))]
    window = sq.Window(start, start + draw(st.integers(1, 220)) * HOUR)
    return tz, at, window


def local(at, tz):
    return at.astimezone(ZoneInfo(tz)).date()


PERIODS = {
    "day": lambda day: day,
    "week": lambda day: day - dt.timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
}


@given(
    histories(),
    st.none() | st.integers(0, 2),
    st.none() | st.integers(2, 5),
    st.none() | st.integers(5, 8),
    st.integers(0, 6),
)
def test_every_period_over_its_cap_is_told_once(history, per_day, per_week, per_month, gap):
    tz, at, window = history
    cadence = Cadence(per_day=per_day, per_week=per_week, per_month=per_month, min_gap=gap * HOUR)
    found = cadence_violations(at, cadence, tz=tz, window=window)
    inside = sorted(each for each in at if window.contains(each))
    expected = Counter()
    for unit, cap in (("day", per_day), ("week", per_week), ("month", per_month)):
        counts = Counter(PERIODS[unit](local(each, tz)) for each in inside)
        for period, n in counts.items():
            if cap is not None and n > cap:
                expected[f"over_{unit}", period, n, cap] += 1
    for one, other in pairwise(inside):
        if other - one < gap * HOUR:
            expected["too_soon", local(one, tz), 2, 1] += 1
    assert Counter((row.fault.value, row.start.date(), row.posts, row.limit) for row in found.rows()) == expected
    assert found.n_posts == len(inside)
    assert sum(found.counts.values()) == len(found)


@settings(max_examples=30)
@given(histories(), st.integers(0, 3), st.integers(3, 6))
def test_every_whole_period_below_its_least_is_told_once(history, per_day, per_week):
    tz, at, window = history
    least = Cadence(per_day=per_day, per_week=per_week)
    found = cadence_violations(at, Cadence(), tz=tz, window=window, at_least=least)
    inside = [each for each in at if window.contains(each)]
    expected = set()
    zone = ZoneInfo(tz)
    first = local(window.start, tz) - dt.timedelta(days=8)
    around = [window.start.astimezone(dt.UTC) + n * HOUR / 2 for n in range(-2 * 24 * 9, 2 * 24 * 20)]
    days = [local(each, tz) for each in around]
    for unit, cap, length in (("day", per_day, 1), ("week", per_week, 7)):
        for day in (first + dt.timedelta(days=n) for n in range(30)):
            end = day + dt.timedelta(days=length)
            moments = [each for each, its in zip(around, days, strict=True) if day <= its < end]
            is_whole = all(window.contains(each) for each in moments)
            n = sum(day <= each.astimezone(zone).date() < end for each in inside)
            if PERIODS[unit](day) == day and is_whole and moments and n < cap:
                expected.add((f"under_{unit}", day, n, cap))
    assert {(row.fault.value, row.start.date(), row.posts, row.limit) for row in found.rows()} == expected


@given(histories())
def test_the_share_that_disturbs_is_counted_post_by_post(history):
    tz, at, _ = history
    quiet = DailyWindow(start="22:00", end="08:00", tz=tz)
    found = cadence_violations(at, Cadence(), tz=tz, quiet=quiet)
    assert found.disturbance == sq.Rate(sum(quiet.contains(each) for each in at), len(at))
    assert found.counts[CadenceFault.QUIET] == found.disturbance.hits


@given(st.lists(st.integers(0, 10_000), min_size=3, max_size=30))
def test_regularity_by_its_definition(minutes):
    start = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
    measured = regularity([start + dt.timedelta(minutes=each) for each in minutes])
    ordered = sorted(minutes)
    gaps = [b - a for a, b in pairwise(ordered)]
    n, mean = len(gaps), sum(gaps) / len(gaps)
    assert measured.n_gaps == n
    assert isclose(measured.mean_gap_hours, mean / 60, abs_tol=1e-12)
    if not mean:
        assert np.isnan(measured.cv)
        return
    r = sqrt(sum((gap - mean) ** 2 for gap in gaps) / n) / mean
    assert isclose(measured.cv, r, abs_tol=1e-9)
    assert isclose(measured.burstiness_raw, (r - 1) / (r + 1), abs_tol=1e-9)
    corrected = (sqrt(n + 1) * r - sqrt(n - 1)) / ((sqrt(n + 1) - 2) * r + sqrt(n - 1))
    assert isclose(measured.burstiness, corrected, abs_tol=1e-9)
    assert -1 - 1e-9 <= measured.burstiness <= 1 + 1e-9


@pytest.mark.parametrize("n", [2, 3, 10, 400])
def test_regularity_at_its_ends(n):
    start = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
    even = regularity([start + each * HOUR for each in range(n + 1)])
    assert (even.cv, even.burstiness, even.burstiness_raw) == (0, -1, -1)
    burst = regularity([start] * n + [start + HOUR])  # the most bursty there is: all gaps but one are 0
    assert burst.burstiness == pytest.approx(1)
    assert burst.cv == pytest.approx(sqrt(n - 1))


def test_posts_at_random_times_are_neither_regular_nor_bursty():
    rng = np.random.default_rng(5)
    start = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
    for n, raw_is_low in ((6, True), (60, False)):
        drawn = [regularity([start + dt.timedelta(hours=h) for h in rng.uniform(0, 999, n + 1)]) for _ in range(400)]
        assert abs(np.mean([each.burstiness for each in drawn])) < 0.06
        assert (np.mean([each.burstiness_raw for each in drawn]) < -0.1) == raw_is_low
