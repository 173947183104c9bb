"""What holds of the response by the hour of the week whatever was posted, and that a plain count counts the same."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shequn.columns import EventLog
from shequn.content import SlotResponse, best_slots, slot_of

START = int(dt.datetime(2024, 10, 20, tzinfo=dt.UTC).timestamp())
HOUR = 3600
ZONES = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"])
AT = st.integers(0, 14 * 24 * 4).map(lambda quarter: START + quarter * HOUR // 4)
ROWS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["read", "receive", "post"]), AT, st.sampled_from("xyz")),
    min_size=1,
    max_size=25,
)
COUNTS = st.lists(
    st.tuples(st.integers(0, 47), st.integers(0, 40), st.integers(0, 40)).map(lambda p: (p[0], *sorted(p[1:]))),
    min_size=1,
    max_size=8,
)


def log_of(rows):
    member, kind, at, item = zip(*rows, strict=True)
    return EventLog.from_columns(member=member, kind=kind, at=at, item=item, time_unit="s")


def slowly(rows, posts, tz, within, until):
    """From the definition: a Counter of (slot, hits, trials), one entry a post."""
    found = Counter()
    for item, posted in posts.items():
        if posted + within > until:
            continue
        in_time = [row for row in rows if row[3] == item and posted <= row[2] < posted + within]
        reached = {member for member, kind, _, _ in in_time if kind == "receive"}
        read = {member for member, kind, _, _ in in_time if kind == "read"}
        local = dt.datetime.fromtimestamp(posted, ZoneInfo(tz))
        found[local.weekday() * 24 + local.hour, len(reached & read), len(reached)] += 1
    return found


@given(ROWS, st.dictionaries(st.sampled_from("xyz"), AT, min_size=1), ZONES, st.integers(1, 72), AT)
@settings(max_examples=40)
def test_posts_are_counted_as_the_definition_says(rows, posts, tz, hours, until):
    response = best_slots(
        log_of(rows),
        {item: dt.datetime.fromtimestamp(at, dt.UTC) for item, at in posts.items()},
        tz=tz,
        within=dt.timedelta(hours=hours),
        observed_until=dt.datetime.fromtimestamp(until, dt.UTC),
        unknown_kinds="ignore",
    )
    columns = (response.slot.tolist(), response.hits.tolist(), response.trials.tolist())
    assert Counter(zip(*columns, strict=True)) == slowly(rows, posts, tz, hours * HOUR, until)
    assert response.n_young + len(response.slot) == len(posts)


@given(st.lists(AT, min_size=1, max_size=20), ZONES)
def test_slots_follow_the_wall_clock(at, tz):
    local = [dt.datetime.fromtimestamp(second, ZoneInfo(tz)) for second in at]
    us = np.array(at) * 1_000_000
    assert slot_of(us, tz=tz).tolist() == [when.weekday() * 24 + when.hour for when in local]
    of_weekend = [24 * (when.weekday() >= 5) + when.hour for when in local]
    assert slot_of(us, tz=tz, days="weekend").tolist() == of_weekend


def of(posts, **options):
    slot, hits, trials = (np.array(column) for column in zip(*posts, strict=True))
    return SlotResponse(slot=slot, hits=hits, trials=trials, days="weekend", **options)


@given(COUNTS, st.randoms(use_true_random=False))
@settings(max_examples=8)
def test_the_order_of_posts_makes_no_difference(posts, random):
    one, other = of(posts), of(random.sample(posts, len(posts)))
    np.testing.assert_allclose(one.clustering, other.clustering, atol=1e-12)
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-5)
    np.testing.assert_allclose(one.upper, other.upper, rtol=1e-4)


@given(COUNTS, COUNTS)
@settings(max_examples=8)
def test_parts_merge_to_the_whole(some, others):
    merged, whole = of(some).merge(of(others)), of(some + others)
    assert merged.clustering == whole.clustering
    assert merged.mean.tolist() == whole.mean.tolist() or np.isnan(whole.mean).all()
    assert merged.slot_trials.tolist() == whole.slot_trials.tolist()


@given(COUNTS, st.floats(0, 0.5))
@settings(max_examples=8)
def test_estimates_lie_in_their_intervals_which_grow_with_the_level(posts, clustering):
    response = of(posts, clustering=clustering)
    if not response.trials.any():
        return
    assert ((response.lower >= 0) & (response.lower < response.mean)).all()
    assert ((response.mean < response.upper) & (response.upper <= 1)).all()
    wider = of(posts, clustering=clustering, level=0.99)
    assert (wider.lower <= response.lower).all()
    assert (wider.upper >= response.upper).all()
    in_order = response.lower[response.ranking]
    assert (np.diff(in_order) <= 1e-11 * in_order[1:]).all()
    assert sorted(response.ranking.tolist()) == list(range(48))
    state = response.thompson()
    np.testing.assert_allclose(state.mean, response.mean)
