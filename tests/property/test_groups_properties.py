from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shequn.entities import Group, Platform, SizeBand, group_roots, pairs
from shequn.errors import InvalidValueError

TODAY = date(2025, 1, 1)
OPENED = datetime(2024, 3, 1, tzinfo=UTC)
BANDS = st.tuples(st.integers(1, 60), st.integers(1, 60)).map(lambda ends: SizeBand(min(ends), max(ends)))


# --- sizes ---


@given(BANDS, st.integers(0, 70) | st.integers(0, 10**6))
def test_the_fit_is_a_share_and_one_exactly_inside(band, n):
    fit = band.size_fit(n)
    assert 0 <= fit <= 1
    assert (fit == 1) == (n in band)


@given(BANDS, st.integers(0, 200))
def test_the_fit_falls_with_every_step_away_from_the_band(band, n):
    if n < band.lo:
        assert band.size_fit(n) < band.size_fit(n + 1)
    if n >= band.hi:
        assert band.size_fit(n) > band.size_fit(n + 1)


@given(BANDS, st.lists(st.integers(0, 10**9)))
def test_the_fit_of_many_is_the_fit_of_each(band, sizes):
    np.testing.assert_array_equal(band.size_fit(np.array(sizes, dtype=np.int64)), [band.size_fit(n) for n in sizes])


@given(st.integers(0, 300))
def test_pairs_are_the_ties_that_one_can_draw(n):
    assert pairs(n) == len([1 for i in range(n) for _ in range(i)])


# --- caps ---


@st.composite
def platforms(draw):
    days = sorted(draw(st.sets(st.integers(-20, 60), max_size=3)))
    caps = draw(st.lists(st.integers(1, 60), min_size=len(days) + 1, max_size=len(days) + 1))
    since = [None, *(TODAY + timedelta(days=day) for day in days)]
    return Platform(id="own", caps=dict(zip(since, caps, strict=True)))


def group(platform):
    return Group(id=1, community=1, platform=platform, name="一群", created=OPENED)


@given(platforms(), st.integers(0, 80), st.fractions(-3, 3, max_denominator=7) | st.floats(-3, 3))
def test_the_day_a_group_is_full_is_the_first_of_all_days_on_which_it_is(platform, n, growth):
    horizon = 100
    days = (TODAY + timedelta(days=k) for k in range(horizon))
    slow = next((day for day in days if n + Fraction(growth) * (day - TODAY).days >= platform.cap_at(day)), None)
    found = group(platform).full_on(n, growth_per_day=growth, as_of=TODAY)
    if slow is None:
        assert found is None or found >= TODAY + timedelta(days=horizon)
    else:
        assert found == slow


@given(platforms(), st.integers(0, 80), st.integers(-30, 70))
def test_headroom_and_members_make_up_the_cap(platform, n, day):
    on = TODAY + timedelta(days=day)
    here = group(platform)
    assert here.headroom(n, on=on) + n == here.cap_at(on)
    assert (here.utilisation(n, on=on) > 1) == (here.headroom(n, on=on) < 0)


# --- chains ---


def walk(parents, name):
    seen = [name]
    while parents[seen[-1]] is not None:
        seen.append(parents[seen[-1]])
        if len(set(seen)) < len(seen):
            return None
    return seen[-1]


@given(st.integers(1, 8).flatmap(lambda n: st.lists(st.none() | st.integers(0, n - 1), min_size=n, max_size=n)))
def test_every_chain_ends_in_its_root_or_is_refused(parents):
    parents = {i: None if parent == i else parent for i, parent in enumerate(parents)}
    groups = [
        Group(id=i, parent=parent, community=1, platform=Platform(id="own"), name="群", created=OPENED)
        for i, parent in parents.items()
    ]
    roots = {i: walk(parents, i) for i in parents}
    if None in roots.values():
        with pytest.raises(InvalidValueError, match=r"^parent: expected chains of parents that end"):
            group_roots(groups)
    else:
        assert group_roots(groups) == roots
