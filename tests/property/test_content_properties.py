from __future__ import annotations

import copy
import pickle

import numpy as np
import pendulum
from hypothesis import given, settings
from hypothesis import strategies as st

from shequn.columns import EventLog
from shequn.content import ContentPerformance, effects, engagement, performance
from shequn.entities import ContentFormat, ContentItem, ContentKind
from shequn.stats import pool_rates
from shequn.values.instants import instant_us

DAY = pendulum.datetime(2024, 3, 1)
NOW = DAY.add(days=10)
NAMES = ("reached", "readers", "reads", "engaged", "engagement", "sharers", "shares")

ITEMS = [
    ContentItem(id=n, kind=kind, created=DAY, published=DAY.add(hours=30 * n), author="ann" if n == 1 else None)
    for n, kind in enumerate(ContentKind)
]
rows = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bo", "cy", "di", "ed"]),
        st.sampled_from(["receive", "read", "like", "reply", "repost", "join"]),
        st.none() | st.integers(0, 4),
        st.integers(-5, 260),
    ),
    max_size=40,
)


def log_of(drawn):
    member, kind, item, hours = zip(*drawn, strict=True) if drawn else ((), (), (), ())
    at = [DAY.add(hours=h) for h in hours]
    return EventLog.from_columns(member=member, kind=kind, item=item, at=at)


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_makes_no_difference(drawn, random):
    shuffled = list(drawn)
    random.shuffle(shuffled)
    assert performance(log_of(shuffled), ITEMS, as_of=NOW) == performance(log_of(drawn), ITEMS, as_of=NOW)


@given(rows, st.permutations(range(4)))
def test_the_order_of_items_is_that_of_the_answer(drawn, order):
    done = performance(log_of(drawn), ITEMS, as_of=NOW)
    again = performance(log_of(drawn), [ITEMS[n] for n in order], as_of=NOW)
    for name in (*NAMES, "rank", "standing_codes"):
        np.testing.assert_array_equal(getattr(again, name), getattr(done, name)[order])


@given(rows, st.integers(1, 4))
def test_what_splits_by_member_adds_up(drawn, n):
    log = log_of(drawn)
    parts = [performance(part, ITEMS, as_of=NOW) for part in log.partition(n)]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.merge(part)
    assert whole == performance(log, ITEMS, as_of=NOW)


@given(rows)
def test_rates_are_shares_inside_their_intervals(drawn):
    done = performance(log_of(drawn), ITEMS, as_of=NOW)
    for rate in ("read", "engagement", "share"):
        value, (lower, upper) = done.rate(rate), done.interval(rate)
        seen = done.reached > 0
        assert np.isnan(value[~seen]).all()
        assert np.all((lower[seen] >= 0) & (lower[seen] <= value[seen]))
        assert np.all((value[seen] <= upper[seen]) & (upper[seen] <= 1))


@given(rows)
def test_a_later_question_never_sees_less(drawn):
    log = log_of(drawn)
    before, after = (performance(log, ITEMS, as_of=at) for at in (DAY.add(days=4), NOW))
    for name in NAMES:
        assert np.all(getattr(before, name) <= getattr(after, name))


@given(rows)
def test_the_rank_follows_the_lower_bound(drawn):
    done = performance(log_of(drawn), ITEMS, as_of=NOW)
    ranked = np.flatnonzero(done.is_ranked)
    lower = done.interval("engagement").lower
    for one in ranked:
        better = sum(
            (lower[other], done.rate("engagement")[other]) > (lower[one], done.rate("engagement")[one])
            for other in ranked
        )
        assert done.rank[one] == better + 1
    assert np.all(done.rank[~done.is_ranked] == -1)


@given(rows, st.randoms(use_true_random=False), st.integers(1, 3))
def test_engagement_adds_up_over_units_and_over_parts(drawn, random, n):
    log = log_of(drawn)
    whole = engagement(log)
    shuffled = list(drawn)
    random.shuffle(shuffled)
    again = engagement(log_of(shuffled), members=log.members)
    np.testing.assert_array_equal(again.score, whole.score)
    assert whole.score.sum() == whole.total == sum(engagement(part).total for part in log.partition(n))
    by_item = engagement(log, by="item")
    assert by_item.total <= whole.total
    assert by_item.heads.max(initial=0) <= whole.n_active
    assert not whole.total or 0 <= whole.gini < 1


counts = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 200)), min_size=1, max_size=12)


@settings(max_examples=50)
@given(counts, st.floats(0.01, 0.99), st.randoms(use_true_random=False))
def test_pooled_rates_lie_in_their_intervals_whatever_the_order_of_rows(drawn, level, random):
    hits = np.array([h for h, _ in drawn])
    trials = hits + [misses for _, misses in drawn]
    pooled = pool_rates(hits, trials, level=level)
    known = ~np.isnan(pooled.mean)
    assert np.all((pooled.lower <= pooled.mean)[known] & (pooled.mean <= pooled.upper)[known])
    assert np.all((pooled.lower[known] >= 0) & (pooled.upper[known] <= 1))
    order = list(range(len(hits)))
    random.shuffle(order)
    again = pool_rates(hits[order], trials[order], level=level)
    assert again.pooling == pooled.pooling
    np.testing.assert_allclose(again.mean, pooled.mean[order], rtol=1e-6)
    if pooled.pooling == "partial":
        share = hits / np.where(trials > 0, trials, 1)
        between = (pooled.mean - pooled.prior_mean) * (pooled.mean - share)
        assert np.all(between[trials > 0] <= 1e-12)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(ContentKind)),
            st.none() | st.sampled_from(list(ContentFormat)),
            st.integers(0, 40),
            st.integers(0, 300),
        ),
        max_size=14,
    )
)
def test_effects_account_for_every_item_and_stay_within_bounds(drawn):
    items = [
        ContentItem(id=n, kind=kind, format=form, created=DAY, published=DAY)
        for n, (kind, form, _, _) in enumerate(drawn)
    ]
    hits = np.array([h for *_, h, _ in drawn], dtype=np.int64)
    none = np.zeros(len(hits), dtype=np.int64)
    done = ContentPerformance(
        items=items, reached=hits + np.array([m for *_, m in drawn], dtype=np.int64), readers=hits, reads=hits,
        engaged=none, engagement=none, sharers=none, shares=none, as_of_us=instant_us(NOW), rank_by="read",
    )  # fmt: skip
    for by in ("kind", ("kind", "format")):
        found = effects(done, by=by)
        assert found.items.sum() + found.n_left_out == len(items)
        assert 0 <= found.correlation <= 1
        assert np.all(found.effective <= found.reached * (1 + 1e-12))
        if found.df > 0:
            assert np.all((found.lower >= 0) & (found.lower <= found.own_rate) & (found.own_rate <= found.upper))
            assert np.all(found.upper <= 1)
        tested = ~np.isnan(found.p_value)
        assert np.all((found.adjusted >= found.p_value)[tested] & (found.adjusted <= 1)[tested])
        str(found)
        found.table(lang="zh")
        again = pickle.loads(pickle.dumps(found))  # noqa: S301
        assert again == found == copy.deepcopy(found)
        assert not again.effective.flags.writeable
