"""Entries that can't be in any chain are left out before they are sorted, and nobody can tell."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pendulum import datetime, duration

from shequn.columns import EventLog
from shequn.funnel import Exclusion, Funnel, conversion_curve, convert, match

Stretches = import_module("shequn.funnel.thinning").Stretches

_BITS, _LOW_BITS, _SPAN = 10, 2, 400


@given(
    within=st.integers(0, 120),
    entries=st.lists(st.tuples(st.integers(0, 4), st.integers(0, _SPAN)), min_size=1, max_size=60),
    n_begins=st.integers(1, 20),
)
def test_what_a_window_holds_lies_in_a_marked_stretch(within, entries, n_begins):
    stretches = Stretches.of(
        n_units=5, bits=_BITS, span=_SPAN, within=within, n_entries=len(entries), low_bits=_LOW_BITS
    )
    if stretches is None:
        return
    unit, tick = np.array(entries).T
    cells = stretches.cells(((unit << _BITS | tick) << _LOW_BITS).astype(np.uint64))
    begins = np.arange(len(entries)) < n_begins
    held = (unit == unit[begins, None]) & (tick >= tick[begins, None]) & (tick <= tick[begins, None] + within)
    marked = stretches.after(cells[begins])[cells]
    assert marked[held.any(axis=0)].all()
    # The same the other way round: who could have begun a window that holds one of the first?
    began = (unit == unit[begins, None]) & (tick <= tick[begins, None]) & (tick >= tick[begins, None] - within)
    assert stretches.before(cells[begins])[cells][began.any(axis=0)].all()


def test_far_from_every_window_nothing_is_marked():
    stretches = Stretches.of(n_units=2, bits=_BITS, span=_SPAN, within=8, n_entries=1_000, low_bits=0)
    cells = stretches.cells(np.array([100, 80, 120, 100 + (1 << _BITS)], dtype=np.uint64))
    assert stretches.after(cells[:1])[cells].tolist() == [True, False, False, False]
    assert stretches.before(cells[:1])[cells].tolist() == [True, False, False, False]


@pytest.mark.parametrize(("within", "span"), [(40, 100), (100, 100), (1_000, 100), (0, 0)])
def test_nothing_is_left_out_where_the_window_is_long_against_the_log(within, span):
    assert Stretches.of(n_units=2, bits=_BITS, span=span, within=within, n_entries=1_000, low_bits=0) is None


def test_marks_never_outgrow_the_entries():
    few = Stretches.of(n_units=1_000, bits=30, span=1 << 28, within=100, n_entries=1_000, low_bits=0)
    assert few.n_cells <= 16 * 1_000
    assert Stretches.of(n_units=100_000, bits=30, span=1 << 28, within=100, n_entries=1_000, low_bits=0) is None


END = datetime(2001, 9, 10)
FUNNELS = {
    "ordered": {},
    "increase": {"ties": "increase"},
    "once": {"reuse": "once"},
    "strict": {"order": "strict"},
    "gaps": {"min_gap": duration(seconds=1), "max_gap": duration(seconds=30)},
    "optional": {"optional": ("b",)},
    "exclusion": {"exclusions": [Exclusion(kinds="x", after=0, before=2)]},
    "hold_constant": {"hold_constant": "item"},
    "any": {"order": "any"},
}


@pytest.mark.parametrize("options", FUNNELS.values(), ids=FUNNELS)
@pytest.mark.parametrize("seed", range(4))
def test_the_answer_is_that_of_all_entries(options, seed, monkeypatch):
    rng = np.random.default_rng(seed)
    n = 6_000
    log = EventLog.from_columns(
        member=rng.integers(60, size=n),
        at=10**9 + rng.integers(40_000, size=n),
        kind=rng.choice(list("abcxyz"), size=n),
        item=rng.choice(["p", "q"], size=n),
        time_unit="s",
    )
    funnel = Funnel(steps=("a", "b", "c"), within=duration(seconds=90 + 60 * seed), **options)
    chosen = []
    choose = Stretches.of

    def noted(**of):
        chosen.append(choose(**of))
        return chosen[-1]

    def answers():
        for each in (log, log.sorted()):
            witnesses = match(each, funnel)
            yield witnesses.rows.tolist(), witnesses.level.tolist(), convert(each, funnel).reached.tolist()
            if funnel.order != "any":
                yield str(conversion_curve(each, funnel, observed_until=END).table())

    monkeypatch.setattr(Stretches, "of", noted)
    thinned = list(answers())
    monkeypatch.setattr(Stretches, "of", lambda **_: None)
    assert list(answers()) == thinned
    assert thinned[0][2][1] > 0
    assert not chosen if funnel.order == "any" else any(chosen)
