"""Every query that the benchmarks time, also those that lost, finds the cohort table that this library finds."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.building import INPUTS, encoded_alike
from benchmarks.contenders import ALL, OURS, Loaded, load
from benchmarks.workload import N_WEEKS, ORIGIN_S, WEEK_S, WORKLOADS, Columns, columns

N_ROWS = 4_000


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


@pytest.fixture(params=WORKLOADS)
def given(request):
    return columns(request.param, N_ROWS)


@pytest.mark.parametrize("contender", [OURS, *ALL], ids=lambda contender: contender.title)
def test_a_query_finds_the_cohort_table(contender, given):
    assert np.array_equal(table_of(load(contender, given)), slow_table(given))


@pytest.mark.parametrize("ids", INPUTS, ids=lambda ids: ids.title)
def test_ids_of_any_form_are_told_apart_as_pandas_does(ids):
    assert encoded_alike(ids.title, n_rows=300_000, n_distinct=20_000)
