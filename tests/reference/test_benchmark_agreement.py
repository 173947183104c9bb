"""Every query that the benchmarks time, also those that lost, finds the table that this library finds."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

import numpy as np
import pytest
from benchmarks.building import INPUTS, encoded_alike
from benchmarks.contenders import (
    ALL,
    FUNNEL,
    FUNNEL_CONDITIONS,
    FUNNEL_PEERS,
    FUNNEL_SORTED,
    FUNNEL_SORTED_PEERS,
    FUNNEL_SORTED_SLOWER,
    OURS,
    WITHIN_DAYS,
    Loaded,
    load,
)
from benchmarks.contenders.fields import PAIRS
from benchmarks.contenders.fields import digest as digest_of_mask
from benchmarks.contenders.rfm import COUNTED_CODE, digest
from benchmarks.contenders.rules import AT_LEAST, UNTIL_S, after_s
from benchmarks.contenders.rules import digest as digest_of_members
from benchmarks.rfm import RFM_PEERS, RFM_SCORES, RFM_SCORES_PEERS, RFM_SLOWER, RFM_VALUES
from benchmarks.rules import COUNTS, COUNTS_PEERS, COUNTS_SLOWER, FIELDS, FIELDS_PEERS, FIELDS_SLOWER
from benchmarks.workload import KINDS, N_WEEKS, ORIGIN_S, STEPS, WEEK_S, WORKLOADS, Columns, amounts, columns, items
from tests.reference import slow_funnel

N_ROWS = 4_000
WITHIN_S = WITHIN_DAYS * 86_400

READ, LIKE, REPLY, POST, LEAVE = (KINDS.index(kind) for kind in ("read", "like", "reply", "post", "leave"))
IN_TURN = ({READ}, {LIKE}, {REPLY}, {POST})
OVERLAPPING = ({READ, LIKE}, {LIKE, REPLY}, {REPLY, POST}, {POST, READ})

# What each of our measured funnels means, in the words of the slow reference.
CONDITIONS = {
    "strict": (IN_TURN, {"order": "strict"}),
    "any": (IN_TURN, {"order": "any"}),
    "overlapping": (OVERLAPPING, {}),
    "once": (OVERLAPPING, {"reuse": "once"}),
    "exclusion": (IN_TURN, {"exclusions": ((0, 3),)}),
    "hold_constant": (IN_TURN, {"hold_constant": True}),
}


def table_of(loaded: Loaded):
    table = loaded.table(loaded.count())
    loaded.close()
    return table


def slow_table(given: Columns):
    weeks_of: dict[int, set[int]] = {}
    for member, second in zip(given.member.tolist(), given.second.tolist(), strict=True):
        weeks_of.setdefault(member, set()).add((second - ORIGIN_S) // WEEK_S)
    table = np.zeros((N_WEEKS, N_WEEKS), dtype=np.int64)
    for weeks in weeks_of.values():
        for week in weeks:
            table[min(weeks), week - min(weeks)] += 1
    return table


def slow_levels(given: Columns):
    """Count members by the last step they got to: from each entry the next step is taken as soon as it comes."""
    seconds_of: dict[int, list[list[int]]] = {}
    for member, second, kind in sorted(zip(*map(np.ndarray.tolist, given), strict=True)):
        if kind < len(STEPS):
            seconds_of.setdefault(member, [[] for _ in STEPS])[kind].append(second)
    levels = np.zeros(len(STEPS) + 1, dtype=np.int64)
    for of_step in seconds_of.values():
        levels[max((steps_after(entry, of_step) for entry in of_step[0]), default=0)] += 1
    return levels[1:]


def steps_after(entry: int, of_step: list[list[int]]) -> int:
    at = entry
    for step, seconds in enumerate(of_step):
        place = bisect_left(seconds, at)
        if place == len(seconds) or seconds[place] > entry + WITHIN_S:
            return step
        at = seconds[place]
    return len(of_step)


def slow_levels_under(query: str, given: Columns):
    steps, options = CONDITIONS[query]
    rules = slow_funnel.Rules(n_steps=len(steps), within=WITHIN_S, **options)
    about = items(len(given.member)).tolist()
    rows_of: dict[int, list[slow_funnel.Row]] = {}
    for number, (member, second, kind) in enumerate(zip(*map(np.ndarray.tolist, given), strict=True)):
        matched = frozenset(step for step, kinds in enumerate(steps) if kind in kinds)
        excluded = frozenset({0} if rules.exclusions and kind == LEAVE else ())
        rows_of.setdefault(member, []).append(slow_funnel.Row(number, second, matched, excluded, about[number]))
    found = [slow_funnel.witness(rows, rules) for rows in rows_of.values()]
    return np.bincount([one.level for one in found if one is not None], minlength=len(steps) + 1)[1:]


@pytest.fixture(params=WORKLOADS)
def given(request):
    return columns(request.param, N_ROWS)


@pytest.mark.parametrize("contender", [OURS, *ALL], ids=lambda contender: contender.title)
def test_a_query_finds_the_cohort_table(contender, given):
    assert np.array_equal(table_of(load(contender, given)), slow_table(given))


@pytest.mark.parametrize(
    "contender",
    [FUNNEL, *FUNNEL_PEERS, FUNNEL_SORTED, *FUNNEL_SORTED_PEERS[1:], *FUNNEL_SORTED_SLOWER],
    ids=lambda contender: contender.title,
)
@pytest.mark.parametrize("n_kinds", [len(STEPS), len(KINDS)])
@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_query_finds_who_got_how_far_in_a_funnel(contender, n_kinds, workload):
    given = columns(workload, N_ROWS, n_members=60, n_kinds=n_kinds)
    expected = slow_levels(given)
    assert np.count_nonzero(expected) >= 3
    assert np.array_equal(table_of(load(contender, given)), expected)


@pytest.mark.parametrize("contender", FUNNEL_CONDITIONS, ids=lambda contender: contender.title)
def test_another_order_or_condition_of_the_funnel_counts_what_it_means(contender):
    given = columns("uniform", 3_000, n_members=30, n_kinds=len(KINDS))
    expected = slow_levels_under(contender.query, given)
    assert contender.query == "overlapping" or np.count_nonzero(expected) >= 2
    assert not np.array_equal(expected, slow_levels(given))
    assert np.array_equal(table_of(load(contender, given)), expected)


@pytest.mark.parametrize("ids", INPUTS, ids=lambda ids: ids.title)
def test_ids_of_any_form_are_told_apart_as_pandas_does(ids):
    assert encoded_alike(ids.title, n_rows=300_000, n_distinct=20_000)


@pytest.mark.parametrize("contender", [RFM_VALUES, *RFM_PEERS, *RFM_SLOWER], ids=lambda contender: contender.title)
@pytest.mark.parametrize("n_kinds", [1, 2])
@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_query_finds_how_recent_how_often_and_how_much(contender, n_kinds, workload):
    rows = columns(workload, N_ROWS, n_members=60, n_kinds=n_kinds)
    counted = rows.kind == COUNTED_CODE
    amount_of = amounts(len(counted))
    each: dict[int, tuple[int, int, int]] = {}
    for member, second, amount in zip(rows.member[counted], rows.second[counted], amount_of[counted], strict=True):
        last, times, total = each.get(int(member), (0, 0, 0))
        each[int(member)] = max(last, int(second)), times + 1, total + int(amount)
    expected = digest(list(each), *np.array(list(each.values())).T)
    assert np.array_equal(table_of(load(contender, rows)), expected)


@pytest.mark.parametrize("peer", range(4))
@pytest.mark.parametrize("within", COUNTS)
@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_query_finds_who_did_something_so_many_times_of_late(peer, within, workload):
    rows = columns(workload, N_ROWS, n_members=600)
    counted = (rows.kind == COUNTED_CODE) & (rows.second > after_s(within)) & (rows.second <= UNTIL_S)
    times = Counter(rows.member[counted].tolist())
    expected = digest_of_members([member for member, n in times.items() if n >= AT_LEAST])
    assert 10 < expected[0] < 600
    contender = [COUNTS[within], *COUNTS_PEERS[within], *COUNTS_SLOWER[within]][peer]
    assert np.array_equal(table_of(load(contender, rows)), expected)


@pytest.mark.parametrize("contender", [FIELDS, *FIELDS_PEERS, *FIELDS_SLOWER], ids=lambda contender: contender.title)
def test_a_query_finds_whose_fields_are_as_asked(contender):
    rows = columns("uniform", N_ROWS)
    expected = [
        any(kind == code and second > after for code, after in PAIRS)
        for kind, second in zip(rows.kind.tolist(), rows.second.tolist(), strict=True)
    ]
    assert 1_000 < sum(expected) < 3_000
    assert np.array_equal(table_of(load(contender, rows)), digest_of_mask(expected))


def test_the_digest_tells_two_members_apart_that_swap_their_numbers():
    one = digest([1, 2], [10, 20], [1, 1], [5, 5])
    assert not np.array_equal(one, digest([1, 2], [20, 10], [1, 1], [5, 5]))
    assert np.array_equal(one, digest([2, 1], [20, 10], [1, 1], [5, 5]))


@pytest.mark.parametrize("contender", [RFM_SCORES, *RFM_SCORES_PEERS], ids=lambda contender: contender.title)
def test_scores_are_fifths(contender):
    sizes = table_of(load(contender, columns("uniform", N_ROWS, n_members=400, n_kinds=1)))
    assert sizes.shape == (3, 5)
    assert sizes.sum(axis=1).tolist() == [400] * 3
    assert np.ptp(sizes[[0, 2]], axis=1).max() <= 6
