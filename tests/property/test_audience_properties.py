from __future__ import annotations

import numpy as np
import pendulum
from hypothesis import given
from hypothesis import strategies as st

from shequn.columns import Roster
from shequn.segmentation import AudienceReason, audience

NOW = pendulum.datetime(2024, 5, 1)
REASONS = list(AudienceReason)

members = st.lists(
    st.tuples(st.integers(0, 99), st.sampled_from([-1, 0, 1, 1, 1]), st.sampled_from([1, 2, 3, None])),
    max_size=25,
    unique_by=lambda one: one[0],
)
options = st.fixed_dictionaries(
    {
        "limit": st.none() | st.integers(0, 12),
        "holdout": st.sampled_from([0, 0.1, 0.25, 0.5, 0.9]),
        "rng": st.integers(0, 2**64),
    }
)


def choose(people: list, *, scored: bool, **asked: object) -> dict[int, AudienceReason]:
    roster = Roster.from_columns(member=[one for one, _, _ in people])
    verdicts = np.array([verdict for _, verdict, _ in people], dtype=np.int8)
    score = np.array([np.nan if score is None else score for _, _, score in people]) if scored else None
    chosen = audience(verdicts, roster, as_of=NOW, score=score, **asked)
    return {row.member: row.reason for row in chosen.rows()}


@given(members, st.booleans(), options)
def test_what_audience_says_is_what_its_definition_says(people, scored, asked):
    found = choose(people, scored=scored, **asked)
    assert [found[one] is AudienceReason.NOT_SELECTED for one, _, _ in people] == [told == 0 for _, told, _ in people]
    assert [found[one] is AudienceReason.UNKNOWN for one, _, _ in people] == [told == -1 for _, told, _ in people]

    limited = asked["limit"] is not None
    ranked = {one: score for one, told, score in people if told == 1}
    for one, score in ranked.items():
        assert (found[one] is AudienceReason.UNKNOWN_SCORE) == (scored and limited and score is None)
    if scored and limited:
        ranked = {one: score for one, score in ranked.items() if score is not None}
    taken = [one for one in ranked if found[one] in {AudienceReason.TREATED, AudienceReason.HELD_OUT}]
    left = [one for one in ranked if found[one] is AudienceReason.OVER_LIMIT]
    assert len(taken) + len(left) == len(ranked)
    assert len(taken) == (min(asked["limit"], len(ranked)) if limited else len(ranked))
    if scored and taken and left:
        assert min(ranked[one] for one in taken) >= max(ranked[one] for one in left)
    held_out = sum(found[one] is AudienceReason.HELD_OUT for one in taken)
    nearest = int(asked["holdout"] * 100 * len(taken) + 50) // 100
    assert held_out == min(nearest, max(len(taken) - 1, 0))


@given(members, st.booleans(), options, st.randoms())
def test_the_order_of_the_roster_changes_nothing(people, scored, asked, random):
    shuffled = random.sample(people, len(people))
    assert choose(people, scored=scored, **asked) == choose(shuffled, scored=scored, **asked)


@given(members, st.booleans(), options, st.sets(st.integers(100, 200), max_size=9))
def test_who_else_is_in_the_roster_and_not_selected_changes_nothing(people, scored, asked, others):
    found = choose([*((one, 0, 1) for one in others), *people], scored=scored, **asked)
    assert {one: found[one] for one, _, _ in people} == choose(people, scored=scored, **asked)


@given(members, st.integers(0, 12), st.integers(0, 2**64))
def test_a_higher_limit_takes_nobody_out(people, limit, seed):
    few = choose(people, scored=True, limit=limit, rng=seed)
    more = choose(people, scored=True, limit=limit + 1, rng=seed)
    assert {one for one, reason in few.items() if reason is AudienceReason.TREATED} <= {
        one for one, reason in more.items() if reason is AudienceReason.TREATED
    }
