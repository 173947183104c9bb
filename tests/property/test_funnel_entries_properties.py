"""Which steps a row matches is looked up in a table, or row by row where there are too many conditions."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pendulum import duration

import shequn as sq
from shequn.columns import EventLog
from shequn.funnel import Funnel, Step

reading = import_module("shequn.funnel.reading")

KINDS = "abc"
LIMITS = st.one_of(st.none(), st.integers(0, 3))
STEPS = st.lists(st.tuples(st.sets(st.sampled_from(KINDS), min_size=1), LIMITS), min_size=1, max_size=5)
ROWS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 4), st.sampled_from(["p", "q", None])), min_size=1)


def told(rows, steps, options):
    """Return row and step of each entry, by row and then by rank, from the definition; n_steps stands for none."""
    found = []
    for number, (kind, value, item) in enumerate(rows):
        if options.get("hold_constant") and item is None:
            continue
        matched = [at for at, (kinds, least) in enumerate(steps) if kind in kinds and (least is None or value >= least)]
        if not matched and options.get("order") == "strict":
            matched = [len(steps)]
        found += [(number, step) for step in matched]
    return found


@pytest.mark.parametrize("most_codes", [1 << 16, 0])
@pytest.mark.parametrize(
    "options",
    [{}, {"ties": "increase"}, {"reuse": "once"}, {"order": "strict"}, {"hold_constant": "item", "order": "strict"}],
    ids=str,
)
@given(steps=STEPS, rows=ROWS)
def test_the_entries_are_the_rows_of_each_step(most_codes, options, steps, rows):
    log = EventLog.from_columns(
        member=[1] * len(rows),
        at=np.arange(len(rows)),
        kind=[kind for kind, _, _ in rows],
        value=np.array([value for _, value, _ in rows]),
        item=[item for _, _, item in rows],
        time_unit="s",
    )
    parts = [Step(kinds=kinds, where=None if least is None else sq.row("value") >= least) for kinds, least in steps]
    funnel = Funnel(steps=parts, within=duration(days=1), **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_MOST_CODES", most_codes)
        read = reading.Reading.of(log, funnel, "ignore")
        start = len(rows) // 2
        found = [read.entries(slice(0, start)), read.entries(slice(start, len(rows)))]
        got = [
            (row, read.step_of_rank[rank])
            for block in found
            for row, rank in zip(block.rows.tolist(), block.ranks.tolist(), strict=True)
        ]
    assert sorted(got) == told(rows, steps, options)
    assert [row for row, _ in got] == sorted(row for row, _ in got)
    times = dict.fromkeys(range(len(rows)), 0)
    for row, _ in got:
        times[row] += 1
    if options.get("reuse") == "once" and read.is_once:
        ranks = [rank for block in found for rank in block.ranks.tolist()]
        among = [rank >= len(steps) for rank in ranks]
        assert among == [times[row] > 1 for row, _ in got]
