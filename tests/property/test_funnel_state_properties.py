"""What holds of every log cut anywhere: states merge to that of the whole, and its levels are those of the rows."""

from __future__ import annotations

import json
import pickle
from functools import reduce
from itertools import pairwise

import numpy as np
import pendulum
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import slow_funnel as slow

from shequn.columns import EventLog
from shequn.funnel import Funnel, convert, match
from shequn.funnel.state import FunnelState, funnel_state

LETTERS = "abcd"
KINDS = ("a", "b", "c", "d", "ab", "bc", "bd", "abc", "x")  # a row matches the steps whose letters its kind names
UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}
LAST = 24


@st.composite
def funnels_and_rows(draw):
    """A funnel of one to four steps, rows of a few members in no order, and the unit of their instants."""
    n_steps = draw(st.integers(1, 4))
    within = draw(st.integers(0, LAST + 2))
    kinds = st.sampled_from(KINDS)
    members = st.sampled_from((0, 0, 0, 1, 2, 3))  # one of them busy enough for long ways
    rows = draw(st.lists(st.tuples(members, st.integers(0, LAST - 1), kinds), max_size=18))
    return n_steps, within, rows, draw(st.sampled_from([*UNITS]))


# Cuts may coincide with one another, with the ends and with rows: up to four shards, some of no length.
cuts = st.lists(st.integers(0, LAST), max_size=3).map(lambda inner: [0, *sorted(inner), LAST])


class Case:
    def __init__(self, drawn):
        self.n_steps, self.within, self.rows, self.unit = drawn
        steps = tuple({kind for kind in KINDS if letter in kind} for letter in LETTERS[: self.n_steps])
        self.funnel = Funnel(steps=steps, within=pendulum.duration(microseconds=self.within * UNITS[self.unit]))

    def log(self, start=0, end=LAST, members=range(4)):
        rows = [row for row in self.rows if start <= row[1] < end and row[0] in members]
        return EventLog.from_columns(
            member=[f"u{member}" for member, _, _ in rows],
            at=[t for _, t, _ in rows],
            kind=[kind for _, _, kind in rows],
            time_unit=self.unit,
        )

    def instant(self, t):
        return pendulum.datetime(1970, 1, 1).add(microseconds=t * UNITS[self.unit])

    def state(self, start=0, end=LAST, members=range(4), *, keep_left=True, is_sorted=False):
        log = self.log(start, end, members)
        log = log.sorted() if is_sorted else log
        span = {"start": self.instant(start), "end": self.instant(end)}
        return funnel_state(log, self.funnel, **span, keep_left=keep_left, unknown_kinds="ignore")

    def slow_levels(self):
        rules = slow.Rules(self.n_steps, self.within)
        found = {}
        for member in range(4):
            rows = [
                slow.Row(number, t, frozenset(LETTERS.index(letter) for letter in kind if letter in LETTERS))
                for number, (who, t, kind) in enumerate(self.rows)
                if who == member
            ]
            rows = [slow.Row(row.number, row.t, row.steps & set(range(self.n_steps))) for row in rows]
            witness = slow.witness(rows, rules)
            if witness is not None:
                found[f"u{member}"] = witness.level
        return found


cases = funnels_and_rows().map(Case)


def levels(state):
    return {who: level for who, level in zip(state.members, state.levels.tolist(), strict=True) if level}


def groupings(states):
    """Give the merge of states that follow each other, in every way that parentheses can be set."""
    if len(states) == 1:
        yield states[0]
    for at in range(1, len(states)):
        for left in groupings(states[:at]):
            for right in groupings(states[at:]):
                yield left.merge(right)


@given(cases)
def test_the_levels_of_a_span_are_those_of_its_rows(case):
    state = case.state()
    found = match(case.log(), case.funnel, unknown_kinds="ignore")
    assert levels(state) == dict(zip(found.members, found.level.tolist(), strict=True))
    assert levels(state) == case.slow_levels()
    assert state.result() == convert(case.log(), case.funnel, unknown_kinds="ignore")
    assert levels(case.state(keep_left=False)) == levels(state)
    assert case.state(is_sorted=True) == state


@given(cases, cuts)
def test_every_grouping_of_shards_merges_to_the_state_of_the_whole(case, cuts):
    shards = [case.state(start, end) for start, end in pairwise(cuts)]
    whole = case.state()
    merged = list(groupings(shards))
    assert len(merged) == {1: 1, 2: 1, 3: 2, 4: 5}[len(shards)]
    assert all(state == whole for state in merged)
    assert levels(merged[0]) == case.slow_levels()


@given(cases, cuts, st.integers(0, 15))
def test_shards_by_member_and_by_time_merge_in_either_order(case, cuts, chosen):
    here = [member for member in range(4) if chosen >> member & 1]
    there = [member for member in range(4) if member not in here]
    spans = list(pairwise(cuts))
    by_member_first = [case.state(*span, here).merge(case.state(*span, there)) for span in spans]
    by_time_first = [reduce(FunnelState.merge, [case.state(*span, part) for span in spans]) for part in (there, here)]
    assert reduce(FunnelState.merge, by_member_first) == case.state()
    assert reduce(FunnelState.merge, by_time_first) == case.state()


@given(cases, cuts)
def test_a_state_stored_every_night_is_the_state_of_the_whole(case, cuts):
    (first, *nights) = pairwise(cuts)
    state = case.state(*first, keep_left=False)
    for night in nights:
        columns = {name: column.tolist() for name, column in state.to_member_columns().items()}
        columns, told = json.loads(json.dumps([columns, state.to_state()]))
        state = FunnelState.from_state(columns, told, funnel=case.funnel).merge(case.state(*night))
    assert state == case.state(keep_left=False) == case.state().without_left()
    assert levels(state) == case.slow_levels()


@given(cases)
def test_what_is_stored_comes_back(case):
    for state in (case.state(), case.state().without_left()):
        restored = FunnelState.from_state(state.to_member_columns(), state.to_state(), funnel=case.funnel)
        assert restored == state
        assert pickle.loads(pickle.dumps(state)) == state  # noqa: S301


@given(cases)
def test_a_state_of_no_time_changes_nothing(case):
    state = case.state()
    assert case.state(0, 0).merge(state) == state == state.merge(case.state(LAST, LAST))


@given(cases)
def test_the_order_of_members_makes_no_difference(case):
    state = case.state()
    turned = slice(None, None, -1)
    again = FunnelState(
        members=state.members.take(np.arange(len(state.members))[turned]),
        funnel=state.funnel,
        start_us=state.start_us,
        end_us=state.end_us,
        latest_us=state.latest_us[turned],
        earliest_us=state.earliest_us[turned],
    )
    assert again == state
