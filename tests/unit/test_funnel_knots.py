"""Instants at which it matters which row serves which step."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from pendulum import duration

from shequn.columns import EventLog
from shequn.funnel import Exclusion, Funnel, convert, match

matching = import_module("shequn.funnel.matching")

A_DAY = duration(days=1)


def matched(funnel, *rows):
    """Return the level and the row numbers of a member's witness; rows are (second, kinds)."""
    log = EventLog.from_columns(
        member=[1] * len(rows),
        at=np.array([1_000_000_000 + second for second, _ in rows]),
        kind=[kind for _, kind in rows],
        time_unit="s",
    )
    found = match(log, funnel, unknown_kinds="ignore")
    return int(found.level[0]), found.rows[0].tolist()


def test_of_two_rows_at_one_instant_the_one_that_leaves_the_other_its_step_enters():
    funnel = Funnel(steps=({"a", "b"}, "a"), within=A_DAY, reuse="once")
    assert matched(funnel, (0, "a"), (0, "b")) == (2, [1, 0])


def test_rows_of_one_instant_serve_three_steps_where_each_can_have_its_own():
    funnel = Funnel(steps=({"a", "b"}, {"b", "c"}, {"c", "a"}), within=A_DAY, reuse="once")
    assert matched(funnel, (5, "c"), (5, "b"), (5, "a")) == (3, [1, 0, 2])
    assert matched(funnel, (5, "c"), (5, "b"), (5, "c")) == (3, [1, 0, 2])
    assert matched(funnel, (5, "b"), (5, "a")) == (2, [1, 0, -1])


def test_counts_see_rows_compete_though_their_attempts_lead_nowhere():
    # What b begins in second 4 nothing can follow, and counts need not look at it; but it still serves the third step.
    funnel = Funnel(steps=({"b", "c"}, {"c", "d"}, "b", {"c", "e"}), within=duration(seconds=1), reuse="once")
    rows = [(0, "c"), (2, "c"), (3, "c"), (3, "d"), (4, "b"), (4, "e")]
    log = EventLog.from_columns(
        member=[1] * len(rows),
        at=np.array([1_000_000_000 + second for second, _ in rows]),
        kind=[kind for _, kind in rows],
        time_unit="s",
    )
    assert convert(log, funnel).reached.tolist() == [1, 1, 1, 1]
    assert matched(funnel, *rows) == (4, [2, 3, 4, 5])


def test_who_finds_no_row_left_at_an_instant_goes_on_to_a_later_one():
    funnel = Funnel(steps=("a", {"b", "c"}, {"b", "d"}), within=A_DAY, reuse="once")
    assert matched(funnel, (0, "a"), (1, "b"), (1, "a"), (3, "d")) == (3, [0, 1, 3])


def test_an_optional_step_is_taken_at_an_instant_that_has_a_row_for_it_too():
    funnel = Funnel(steps=("a", {"b", "x"}, {"b", "y"}), within=A_DAY, reuse="once", optional=[1])
    assert matched(funnel, (0, "a"), (1, "b")) == (2, [0, -1, 1])
    assert matched(funnel, (0, "a"), (1, "b"), (1, "b")) == (2, [0, 1, 2])
    assert matched(funnel, (0, "a"), (1, "b"), (2, "y"), (1, "y")) == (2, [0, 1, 3])


@pytest.mark.parametrize("reuse", ["allow", "once"])
def test_a_row_that_excludes_is_no_harm_where_it_is_the_step_itself(reuse):
    funnel = Funnel(
        steps=("a", {"b", "c"}, "d"), within=A_DAY, reuse=reuse, exclusions=[Exclusion(kinds="b", after=0, before=2)]
    )
    assert matched(funnel, (0, "a"), (1, "b"), (2, "d")) == (3, [0, 1, 2])
    # Where it stands beside another row of the step, the chain takes the one that excludes.
    assert matched(funnel, (0, "a"), (1, "c"), (1, "b"), (2, "d")) == (3, [0, 2, 3])
    # Of two at once, one is not the chain's own; a later row of the step is after both.
    assert matched(funnel, (0, "a"), (1, "b"), (1, "b"), (2, "d")) == (0, [-1, -1, -1])


def test_a_row_that_excludes_is_harm_at_the_instant_of_a_step_that_another_row_serves():
    steps, exclusions = ("a", "b", "d"), [Exclusion(kinds="x", after=0, before=2)]
    funnel = Funnel(steps=steps, within=A_DAY, exclusions=exclusions)
    assert matched(funnel, (0, "a"), (1, "b"), (1, "x"), (2, "d")) == (0, [-1, -1, -1])
    # At the instants of its own two steps it does none.
    assert matched(funnel, (0, "a"), (0, "x"), (1, "b"), (2, "x"), (2, "d")) == (3, [0, 2, 4])


def test_two_rows_that_exclude_are_both_taken_by_two_steps_of_their_instant():
    funnel = Funnel(
        steps=("a", {"b", "c"}, {"b", "c"}, "d"),
        within=A_DAY,
        exclusions=[Exclusion(kinds={"b", "c"}, after=0, before=3)],
    )
    assert matched(funnel, (0, "a"), (1, "c"), (1, "b"), (2, "d")) == (4, [0, 1, 2, 3])
    assert matched(funnel, (0, "a"), (1, "c"), (1, "b"), (1, "c"), (2, "d")) == (0, [-1] * 4)
    # Under the same entry's instant there is no time before it.
    assert matched(funnel, (1, "a"), (1, "c"), (1, "b"), (1, "c"), (2, "d")) == (4, [0, 1, 1, 4])


def test_who_leaves_a_row_behind_that_excludes_is_not_on_the_way():
    # With c and the f beside it, one b of second 1 would stand between a and d and be nobody's.
    funnel = Funnel(
        steps=("a", "b", "c", {"b", "f"}, "e", "d"),
        within=A_DAY,
        optional=[2, 4],
        exclusions=[Exclusion(kinds="b", after=0, before=5)],
    )
    rows = [(0, "a"), (1, "b"), (1, "b"), (2, "c"), (2, "f"), (3, "e"), (4, "d")]
    assert matched(funnel, *rows) == (4, [0, 1, -1, 2, 5, 6])


def test_the_value_held_constant_does_not_excuse_a_row_that_excludes():
    log = EventLog.from_columns(
        member=[1, 1, 1, 1, 2, 2, 2],
        at=np.array([0, 1, 1, 2, 0, 1, 2]) + 1_000_000_000,
        kind=["a", "b", "b", "d", "a", "b", "d"],
        item=["p", "p", "q", "p", "p", "p", "p"],
        time_unit="s",
    )
    steps, exclusions = ("a", "b", "d"), [Exclusion(kinds="b", after=0, before=2)]
    found = match(log, Funnel(steps=steps, within=A_DAY, exclusions=exclusions, hold_constant="item"))
    assert found.level.tolist() == [0, 3]


def test_there_may_be_more_steps_than_a_word_has_bits():
    n_steps = 66
    steps = [{f"k{step}", f"k{(step + 1) % n_steps}"} for step in range(n_steps)]
    funnel = Funnel(steps=steps, within=A_DAY, reuse="once")
    level, rows = matched(funnel, *((0, f"k{kind}") for kind in range(n_steps)))
    assert (level, rows) == (n_steps, list(range(n_steps)))
    level, rows = matched(funnel, *((0, f"k{kind}") for kind in range(1, n_steps)))
    assert (level, rows[-2:]) == (n_steps - 1, [n_steps - 2, -1])


def test_instants_that_are_made_up_alike_are_asked_once(monkeypatch):
    asked = []
    original = matching.Service._spans_of

    def counting(self, *question):
        asked.append(question)
        return original(self, *question)

    monkeypatch.setattr(matching.Service, "_spans_of", counting)
    n_instants, n_rows = 400, 50
    log = EventLog.from_columns(
        member=np.repeat(np.arange(n_instants) % 7, n_rows),
        at=np.repeat(np.arange(n_instants), n_rows) + 1_000_000_000,
        kind=["a", "b", "a", "c", "b"] * (n_instants * n_rows // 5),
        time_unit="s",
    )
    funnel = Funnel(steps=({"a", "b"}, {"b", "c"}, {"c", "a"}), within=A_DAY, reuse="once")
    assert convert(log, funnel).reached.tolist() == [7, 7, 7]
    assert 0 < len(asked) <= 8
