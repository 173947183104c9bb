"""Performance, effects and engagement against plain Python over dictionaries, and by simulation."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pendulum
import pytest
import scipy.optimize
import scipy.stats

import shequn.content._performance as counting
from shequn.columns import EventLog
from shequn.content import ContentPerformance, effects, engagement, performance
from shequn.entities import ContentItem, ContentKind
from shequn.values.instants import instant_us

DAY = pendulum.datetime(2024, 3, 1)
DAY_US = instant_us(DAY)
HOUR_US = 3_600_000_000
KINDS = ["receive", "read", "like", "reply", "repost", "post", "click"]
WEIGHTS = {"like": 1, "reply": 2, "repost": 3}


def world(seed, n=3000, n_items=9, n_members=40):
    """A log in which some rows have no item, some items are unpublished, some rows come too early or too late."""
    rng = np.random.default_rng(seed)
    items = [
        ContentItem(
            id=f"c{i}",
            kind=list(ContentKind)[i % 4],
            created=DAY.subtract(days=9),
            published=None if i == 3 else DAY.add(hours=int(rng.integers(0, 200))),
            author=f"u{i}" if i % 2 else None,
        )
        for i in range(n_items)
    ]
    rows = [
        {
            "member": f"u{rng.integers(n_members)}",
            "kind": KINDS[rng.integers(len(KINDS))],
            "item": None if rng.random() < 0.1 else f"c{rng.integers(n_items + 2)}",
            "at_us": DAY_US + int(rng.integers(-50, 500)) * HOUR_US,
        }
        for _ in range(n)
    ]
    log = EventLog.from_columns(
        member=[row["member"] for row in rows],
        kind=[row["kind"] for row in rows],
        item=[row["item"] for row in rows],
        at=[row["at_us"] for row in rows],
        time_unit="us",
    )
    return log, items, rows


def slow_performance(rows, items, as_of_us, within_us=None):
    """By the definition: for each item go through all rows."""
    answer = []
    for item in items:
        reached, readers, engaged, sharers = set(), set(), set(), set()
        n = defaultdict(int)
        for row in rows:
            if row["item"] != item.id or item.published is None or row["member"] == item.author:
                continue
            age = row["at_us"] - instant_us(item.published)
            if age < 0 or row["at_us"] > as_of_us or (within_us is not None and age >= within_us):
                continue
            member, kind = row["member"], row["kind"]
            if kind in {"receive", "read", *WEIGHTS}:
                reached.add(member)
            if kind == "read":
                readers.add(member)
                n["reads"] += 1
            if kind in WEIGHTS:
                engaged.add(member)
                n["engagement"] += WEIGHTS[kind]
            if kind == "repost":
                sharers.add(member)
                n["shares"] += 1
        distinct = [len(some) for some in (reached, readers, engaged, sharers)]
        answer.append([*distinct, n["reads"], n["engagement"], n["shares"]])
    return answer


def counts_of(done):
    names = ("reached", "readers", "engaged", "sharers", "reads", "engagement", "shares")
    return np.stack([getattr(done, name) for name in names], axis=1).tolist()


@pytest.mark.parametrize("within", [None, 100])
@pytest.mark.parametrize("seed", range(4))
def test_performance_is_what_plain_python_counts(seed, within):
    log, items, rows = world(seed)
    as_of = DAY.add(hours=400)
    duration = None if within is None else pendulum.duration(hours=within)
    done = performance(log, items, as_of=as_of, within=duration)
    expected = slow_performance(rows, items, instant_us(as_of), None if within is None else within * HOUR_US)
    assert counts_of(done) == expected
    assert done.reached.max() > 20


@pytest.mark.parametrize("most_blocks", [0, 1 << 20])
def test_wide_and_narrow_keys_count_alike(most_blocks, monkeypatch):
    log, items, rows = world(7)
    as_of = DAY.add(hours=400)
    monkeypatch.setattr(counting, "_MOST_BLOCKS", most_blocks)
    monkeypatch.setattr(counting, "_MANY_ROWS", 1)
    assert counts_of(performance(log, items, as_of=as_of)) == slow_performance(rows, items, instant_us(as_of))


@pytest.mark.parametrize("by", [None, "item"])
@pytest.mark.parametrize("seed", range(3))
def test_engagement_is_what_plain_python_adds_up(seed, by):
    log, _, rows = world(seed)
    score, heads = defaultdict(float), defaultdict(set)
    weights = {"post": 3, **WEIGHTS}
    for row in rows:
        unit = row["member"] if by is None else row["item"]
        if row["kind"] in weights and unit is not None:
            score[unit] += weights[row["kind"]]
            heads[unit].add(row["member"])
    done = engagement(log, by=by)
    assert {u: s for u, s in zip(done.units, done.score.tolist(), strict=True) if s} == score
    assert {u: h for u, h in zip(done.units, done.heads.tolist(), strict=True) if h} == {
        u: len(m) for u, m in heads.items()
    }
    rising = sorted(done.score.tolist())
    gaps = sum(abs(a - b) for a in rising for b in rising)
    assert done.gini == pytest.approx(gaps / (2 * len(rising) * sum(rising)))


def counted(hits, reached, kinds):
    items = [ContentItem(id=n, kind=kind, created=DAY, published=DAY) for n, kind in enumerate(kinds)]
    none = np.zeros(len(hits), dtype=np.int64)
    return ContentPerformance(
        items=items, reached=reached, readers=hits, reads=hits, engaged=none, engagement=none, sharers=none,
        shares=none, as_of_us=instant_us(DAY.add(days=9)), rank_by="read",
    )  # fmt: skip


def slow_effects(hits, reached, kinds, level):
    """Williams' correlation by a root finder, weighted means, and t tests of each kind against the rest."""
    names = [kind.value for kind in ContentKind if kind.value in kinds]
    of = {name: [i for i, kind in enumerate(kinds) if kind == name] for name in names}
    df = len(hits) - len(names)

    def weights(rho):
        return [n / (1 + (n - 1) * rho) for n in reached]

    def mean(rows, w):
        return sum(w[i] * hits[i] / reached[i] for i in rows) / sum(w[i] for i in rows)

    def pearson(rho):
        w, total = weights(rho), 0.0
        for rows in of.values():
            mu = mean(rows, w)
            total += sum(w[i] * (hits[i] / reached[i] - mu) ** 2 for i in rows) / (mu * (1 - mu))
        return total - df

    rho = scipy.optimize.brentq(pearson, 0, 1, xtol=1e-14) if pearson(0) > 0 else 0.0
    w = weights(rho)
    everybody = range(len(hits))
    overall = mean(everybody, w)
    t = scipy.stats.t.ppf((1 + level) / 2, df)
    answer = []
    for rows in of.values():
        rest = [i for i in everybody if i not in rows]
        mu, size, other = mean(rows, w), sum(w[i] for i in rows), sum(w[i] for i in rest)
        deviation = (overall * (1 - overall) * (1 / size + 1 / other)) ** 0.5
        p_value = 2 * scipy.stats.t.sf(abs(mu - mean(rest, w)) / deviation, df)
        ends = [
            scipy.optimize.brentq(lambda x: (mu - x) ** 2 - t * t * x * (1 - x) / size, *bracket)  # noqa: B023
            for bracket in ((0, mu), (mu, 1))
        ]
        answer.append([mu, *ends, p_value])
    return rho, answer


@pytest.mark.parametrize("seed", range(6))
def test_effects_are_what_the_definition_gives(seed):
    rng = np.random.default_rng(seed)
    kinds = rng.permutation([kind.value for kind in ContentKind] * 6).tolist()
    reached = rng.integers(20, 2000, len(kinds))
    hits = rng.binomial(reached, rng.beta(4, 30, len(kinds))) + 1
    found = effects(counted(hits, reached, kinds), level=0.9)
    rho, expected = slow_effects(hits.tolist(), reached.tolist(), kinds, 0.9)
    assert found.correlation == pytest.approx(rho, abs=1e-10)
    np.testing.assert_allclose(
        np.stack([found.own_rate, found.lower, found.upper, found.p_value], axis=1), expected, rtol=1e-7
    )
    np.testing.assert_allclose(found.adjusted, scipy.stats.false_discovery_control(found.p_value))


@pytest.mark.parametrize(("items_a_kind", "correlation"), [(5, 0.02), (15, 0.1)])
def test_intervals_cover_and_equal_kinds_are_rarely_told_apart_though_items_differ(items_a_kind, correlation):
    rng = np.random.default_rng(21)
    kinds = [kind.value for kind in ContentKind] * items_a_kind
    strength = 1 / correlation - 1
    covered, rejected, naive = [], [], []
    for _ in range(100):
        reached = rng.integers(50, 2000, len(kinds))
        hits = rng.binomial(reached, rng.beta(0.2 * strength, 0.8 * strength, len(kinds)))
        found = effects(counted(hits, reached, kinds))
        covered.append((found.lower <= 0.2) & (found.upper >= 0.2))
        rejected.append(found.adjusted.min() <= 0.05)
        table = [found.hits, found.reached - found.hits]
        naive.append(scipy.stats.chi2_contingency(table).pvalue <= 0.05)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)
    assert np.mean(rejected) < 0.09
    assert np.mean(naive) > 0.9  # what comes of taking readers for independent
