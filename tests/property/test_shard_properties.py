"""What holds of every deal: the conditions, all of them, always; or an answer that is true why that can't be."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shequn.errors import InfeasibleError
from shequn.graph import InteractionGraph
from shequn.labels import Index
from shequn.sharding import Shards, audit, shard

members = st.integers(0, 6)


@st.composite
def tasks(draw):
    n = draw(st.integers(1, 7))
    lo = draw(st.integers(1, 4))
    anybody = st.integers(0, n - 1)
    ties = draw(st.lists(st.tuples(anybody, anybody, st.integers(0, 5)), max_size=20))
    sets = st.lists(st.lists(anybody, min_size=1, max_size=3), max_size=2)
    sets_of_different_ones = st.lists(st.lists(anybody, min_size=1, max_size=3, unique=True), max_size=2)
    return {
        "n": n,
        "ties": ties,
        "sizes": (lo, draw(st.integers(lo, 6))),
        "leaders": draw(st.lists(st.booleans(), min_size=n, max_size=n)),
        "min_leaders": draw(st.integers(0, 2)),
        "fixed": draw(st.dictionaries(anybody, st.sampled_from(["x", "y"]), max_size=3)),
        "together": draw(sets),
        "apart": draw(sets_of_different_ones),
    }


def graph_of(n, ties):
    columns = [list(column) for column in zip(*ties, strict=True)] or [[], [], []]
    return InteractionGraph.from_ties(*columns, n_members=n, self_ties="drop")


def deals(n):
    """Return every way to deal n members into groups, as codes that begin anew groups in order."""
    codes = [()]
    for _ in range(n):
        codes = [(*some, code) for some in codes for code in range(max(some, default=-1) + 2)]
    return codes


def holds(codes, task):
    """Return whether a deal keeps what was asked, read from its words, and with some labels of groups."""
    groups = [[m for m, code in enumerate(codes) if code == group] for group in range(max(codes) + 1)]
    lo, hi = task["sizes"]
    if not all(lo <= len(group) <= hi for group in groups):
        return False
    if not all(sum(task["leaders"][m] for m in group) >= task["min_leaders"] for group in groups):
        return False
    if not all(len({codes[m] for m in some}) == 1 for some in task["together"]):
        return False
    if not all(len({codes[m] for m in set(some)}) == len(set(some)) for some in task["apart"]):
        return False
    seats = {}
    for member, label in task["fixed"].items():
        seats.setdefault(label, set()).add(codes[member])
    return all(len(found) == 1 for found in seats.values()) and len({min(f) for f in seats.values()}) == len(seats)


def ask(task, **options):
    return shard(
        graph_of(task["n"], task["ties"]),
        **{name: task[name] for name in ("sizes", "leaders", "min_leaders", "fixed", "together", "apart")},
        effort=1, rng=3, **options,
    )  # fmt: skip


@given(tasks())
@settings(max_examples=300, deadline=None)
def test_every_condition_holds_or_no_deal_in_the_world_keeps_them(task):
    try:
        shards = ask(task)
    except InfeasibleError:
        assert not any(holds(codes, task) for codes in deals(task["n"]))
        return
    codes = shards.group.tolist()
    order = {code: place for place, code in enumerate(dict.fromkeys(codes))}
    assert holds([order[code] for code in codes], task)
    assert all(shards.of_member(member) == label for member, label in task["fixed"].items())
    assert audit(shards, fixed=task["fixed"], together=task["together"], apart=task["apart"]).holds


@given(tasks())
@settings(max_examples=60, deadline=None)
def test_a_deal_is_the_same_every_time(task):
    try:
        first = ask(task)
    except InfeasibleError:
        with pytest.raises(InfeasibleError):
            ask(task)
    else:
        assert ask(task) == first


@pytest.mark.parametrize("seed", range(6))
def test_conditions_hold_in_large_deals_too(seed):
    draw = random.Random(seed)  # noqa: S311
    n = draw.randrange(300, 900)
    rng = np.random.default_rng(seed)
    graph = InteractionGraph.from_ties(
        rng.integers(n, size=4 * n), rng.integers(n, size=4 * n), n_members=n, self_ties="drop"
    )
    named = draw.sample(range(n), 60)
    asked = {
        "together": [named[:4], named[4:14], named[14:16]],
        "apart": [named[16:24], [named[0], named[30]]],
        "fixed": {**dict.fromkeys(named[40:45], "一群"), **dict.fromkeys(named[45:48], "二群")},
    }
    leaders = rng.random(n) < 0.12
    shards = shard(graph, leaders=leaders, min_leaders=2, effort=2, rng=seed, **asked)
    assert audit(shards, **asked).holds
    sizes = shards.sizes
    assert (sizes.min(), sizes.max()) >= (26, 26)
    assert sizes.max() <= 36
    assert shards.n_leaders.min() >= 2


@given(tasks())
@settings(max_examples=60, deadline=None)
def test_what_is_kept_is_recounted_tie_by_tie(task):
    graph = graph_of(task["n"], task["ties"])
    codes = [member % 2 for member in range(task["n"])]
    shards = Shards.of(graph, codes, sizes=task["sizes"])
    weight = [
        sum(w for u, v, w in task["ties"] if u != v and codes[u] == codes[v] == group)
        for group in range(max(codes) + 1)
    ]
    total = sum(w for u, v, w in task["ties"] if u != v)
    assert shards.inside.tolist() == weight
    assert (shards.kept_weight, shards.total_weight) == (sum(weight), total)


@given(tasks(), st.dictionaries(members, st.integers(0, 9)), st.integers(2, 8))
@settings(max_examples=60, deadline=None)
def test_a_seat_for_one_is_the_seat_for_many(task, known, most):
    codes = [member % 3 % task["n"] for member in range(task["n"])]
    codes = [sorted(set(codes)).index(code) for code in codes]
    shards = Shards.of(graph_of(task["n"], task["ties"]), codes, sizes=(1, most))
    known = {member: weight for member, weight in known.items() if member < task["n"]}
    newcomers = InteractionGraph.from_ties(
        [99] * len(known), list(known), list(known.values()), members=Index([*range(task["n"]), 99])
    )
    assert shards.place(known).group == shards.place_all(newcomers).of(99)


@pytest.mark.parametrize(("n", "sizes"), [(52, (26, 36)), (72, (36, 36)), (26, (26, 26)), (0, (2, 3)), (1, (1, 9))])
def test_sizes_that_leave_hardly_any_choice(n, sizes):
    pairs = np.array(list(itertools.combinations(range(n), 2)), dtype=np.int64).reshape(-1, 2)
    shards = shard(InteractionGraph.from_ties(pairs[:, 0], pairs[:, 1], n_members=n), sizes=sizes, rng=1)
    assert all(sizes[0] <= size <= sizes[1] for size in shards.sizes)
    assert shards.sizes.sum() == n
