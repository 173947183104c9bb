"""What holds of steps in any order where each row serves one: counts, ends and witnesses are those of a matching.

The largest matching is found here by trying every step for every row, and by building every chain: in windows of some
dozens of rows the slow way is the library's own choice of rows, made from all rows of a window instead of the first of
each set, and held against every chain where there are few.
"""
# ruff: noqa: S311 - what is drawn is no secret

from __future__ import annotations

import random
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pendulum import duration
from tests.reference import slow_funnel as slow

from shequn.columns import EventLog, row
from shequn.funnel import Funnel, Step, convert, match

anyorder = import_module("shequn.funnel.anyorder")
distinct = import_module("shequn.funnel.distinct")
parts = import_module("shequn.funnel.parts")
reading = import_module("shequn.funnel.reading")
attempts = import_module("shequn.funnel.attempts")

N_DRAWS = 150
KINDS = "abcdef"


@pytest.fixture(params=["bounds", "matchings"])
def way(request, monkeypatch):
    """Settle windows by bounds; or rows one by one, a few at a time, as where steps overlap in too many ways."""
    if request.param == "matchings":
        monkeypatch.setattr(distinct, "_MOST_BOUNDS", 1)
        monkeypatch.setattr(distinct, "_MOST_KEPT", 1)
        monkeypatch.setattr(distinct, "_SMALL_TABLE", 1)
        monkeypatch.setattr(anyorder, "_CELLS", 1)
        monkeypatch.setattr(parts, "_ENTRIES_OF_PART", 16)
    return request.param


def most_served(rows):
    """Return how many steps rows can serve, each one of those it matches, by trying all of them."""
    reached = {frozenset()}
    for matched in rows:
        reached |= {served | {step} for served in reached for step in matched}
    return max(map(len, reached))


class Drawn:
    """Steps that overlap, some with a condition, and rows of a few members; instants repeat."""

    def __init__(self, seed, n_rows, span):
        rnd = random.Random(seed)
        kinds = KINDS[: rnd.randint(2, len(KINDS))]
        self.steps = [
            (frozenset(rnd.sample(kinds, rnd.randint(1, min(3, len(kinds))))), rnd.choice([None, None, 2, 4]))
            for _ in range(rnd.randint(1, 4))
        ]
        self.within = rnd.choice([0, 1, span // 3, span])
        self.rows = [
            (rnd.randrange(3), rnd.randrange(span), rnd.choice(kinds), rnd.randrange(6))
            for _ in range(rnd.randint(1, n_rows))
        ]
        self.funnel = Funnel(
            steps=[Step(kinds=kinds, where=self._condition(least)) for kinds, least in self.steps],
            within=duration(seconds=self.within),
            order="any",
            reuse="once",
        )
        self.log = EventLog.from_columns(
            member=[member for member, *_ in self.rows],
            at=[at for _, at, *_ in self.rows],
            kind=[kind for _, _, kind, _ in self.rows],
            value=[value for *_, value in self.rows],
            time_unit="s",
        )

    @staticmethod
    def _condition(least):
        return None if least is None else row("value") >= least

    def matched(self, kind, value):
        steps = enumerate(self.steps)
        return frozenset(step for step, (kinds, least) in steps if kind in kinds and (least is None or value >= least))

    def of_member(self, member):
        """Return (instant, number, steps) of a member's rows that match a step, by instant and number."""
        rows = [
            (at, number, self.matched(kind, value))
            for number, (who, at, kind, value) in enumerate(self.rows)
            if who == member
        ]
        return sorted(row for row in rows if row[2])

    def windows(self, member):
        """Return each instant of a member, with the rows of the window that begins there."""
        rows = self.of_member(member)
        for start in sorted({at for at, *_ in rows}):
            yield start, [row for row in rows if start <= row[0] <= start + self.within]


def draws(name, n_rows, span):
    return (Drawn(f"{name} {number}", n_rows, span) for number in range(N_DRAWS))


def found_by(drawn):
    found = match(drawn.log, drawn.funnel, unknown_kinds="ignore")
    return dict(
        zip(found.members, zip(found.level.tolist(), map(tuple, found.rows.tolist()), strict=True), strict=True)
    )


@pytest.mark.usefixtures("way")
def test_with_conditions_levels_and_rows_are_those_of_every_choice():
    n_conditions = n_overlapping = 0
    for drawn in draws("few", 18, 8):
        n_steps = len(drawn.steps)
        rules = slow.Rules(n_steps, drawn.within, order="any", reuse="once")
        expected = {}
        for member in range(3):
            rows = [slow.Row(number, at, matched) for at, number, matched in drawn.of_member(member)]
            witness = slow.witness(rows, rules)
            if witness is not None:
                expected[member] = (witness.level, witness.rows)
                n_overlapping += any(len(row.steps) > 1 for row in rows)
        assert found_by(drawn) == expected
        n_conditions += any(least is not None for _, least in drawn.steps)
    assert n_conditions > N_DRAWS / 3
    assert n_overlapping > N_DRAWS / 3


@pytest.mark.usefixtures("way")
def test_in_long_windows_the_first_rows_of_each_set_are_enough():
    n_far = 0
    for drawn in draws("many", 200, 30):
        steps = range(len(drawn.steps))
        expected = {}
        for member in range(3):
            best = None
            for start, window in drawn.windows(member):
                level = most_served([matched for *_, matched in window])
                if best is None or level > best[0]:
                    best = (level, start, window)
            if best is not None:
                _, _, window = best
                chosen = distinct.earliest_rows([(at, matched) for at, _, matched in window], steps)
                expected[member] = (best[0], tuple(window[place][1] if place >= 0 else -1 for place in chosen))
                n_far += len(window) > 12
        assert found_by(drawn) == expected
    assert n_far > N_DRAWS / 2


@pytest.mark.usefixtures("way")
def test_a_window_ends_with_the_row_by_which_the_most_steps_can_be_served():
    for drawn in draws("ends", 60, 15):
        if not set(drawn.log.kinds) & {kind for kinds, _ in drawn.steps for kind in kinds}:
            continue
        read = reading.Reading.of(drawn.log, drawn.funnel, "ignore")
        matcher = anyorder.AnyOrder(read, attempts.Eligible(), None, with_witness=False)

        def judged(part, matcher=matcher):
            place, depth, end = matcher.judge(part)
            member = part.members_of(part.units(part.clock[place]))
            return np.stack([member, part.ticks(part.clock[place]), depth, part.ticks(end)])

        found = np.concatenate(parts.for_each_part(read, judged, with_rows=True), axis=1).T.tolist()
        expected = []
        for code, member in enumerate(drawn.log.members):
            for start, window in drawn.windows(member):
                depth = most_served([matched for *_, matched in window])
                ends = {at for at, *_ in window}
                end = min(at for at in ends if most_served([row[2] for row in window if row[0] <= at]) == depth)
                origin = read.clock.start_us // 1_000_000
                expected.append([code, start - origin, depth, end - origin])
        assert found == expected


@given(st.lists(st.frozensets(st.integers(0, 5), min_size=1), min_size=1, max_size=5, unique=True), st.data())
def test_the_least_bound_is_the_size_of_a_largest_matching(sets, data):
    counts = [data.draw(st.integers(0, 4)) for _ in sets]
    found = sum(
        int(contest.most([np.array([counts[number]]) for number in contest.numbers])[0])
        for contest in distinct.contests(sets)
    )
    assert found == most_served([one for one, n in zip(sets, counts, strict=True) for _ in range(n)])


@given(st.lists(st.frozensets(st.integers(0, 7)), max_size=8))
def test_contests_share_no_step_and_leave_none_out(sets):
    found = distinct.contests(sets)
    steps = [step for contest in found for step in contest.steps]
    assert sorted(steps) == sorted(frozenset().union(*sets))
    assert sorted(number for contest in found for number in contest.numbers) == [
        number for number, one in enumerate(sets) if one
    ]
    for contest in found:
        reached = set(contest.sets[0])
        for _ in contest.sets:
            reached |= {step for one in contest.sets if not reached.isdisjoint(one) for step in one}
        assert reached == set(contest.steps)


def test_there_may_be_more_steps_than_can_be_told_by_their_bounds():
    n_steps = 70
    steps = [{f"k{step}", f"k{(step + 1) % n_steps}", f"k{step * step % n_steps}"} for step in range(n_steps)]
    funnel = Funnel(steps=steps, within=duration(seconds=100), order="any", reuse="once")
    (contest,) = distinct.contests(
        [frozenset(s for s, kinds in enumerate(steps) if f"k{k}" in kinds) for k in range(70)]
    )
    assert contest.bounds is None
    # Each kind once serves every step; without one of them, all but one.
    kinds = [f"k{step}" for step in range(n_steps)]
    log = EventLog.from_columns(
        member=["ann"] * n_steps + ["bo"] * (n_steps - 1),
        at=[*range(n_steps), *range(n_steps - 1)],
        kind=[*kinds, *kinds[:-1]],
        time_unit="s",
    )
    assert match(log, funnel).level.tolist() == [n_steps, n_steps - 1]


def test_no_row_is_matched_by_itself_to_count_members(monkeypatch):
    def refuse(_choices):
        raise AssertionError

    monkeypatch.setattr(distinct, "matched_most", refuse)
    rows = 3_000
    log = EventLog.from_columns(
        member=["ann"] * rows, at=range(rows), kind=["a", "b", "b"] * (rows // 3), time_unit="s"
    )
    funnel = Funnel(steps=({"a"}, {"a", "b"}, {"b"}), within=duration(seconds=rows), order="any", reuse="once")
    assert convert(log, funnel).reached.tolist() == [1, 1, 1]


def test_rows_of_one_instant_leave_more_choice_than_rows_in_turn():
    # Only at one instant can the second row serve the first step without being later.
    log = EventLog.from_columns(
        member=["ann"] * 3 + ["bo"] * 3, at=[0, 0, 2, 0, 1, 2], kind=["both", "one", "two"] * 2, time_unit="s"
    )
    funnel = Funnel(steps=({"both", "one"}, {"both", "two"}), within=duration(seconds=9), order="any", reuse="once")
    assert match(log, funnel).rows.tolist() == [[1, 0], [3, 5]]
