"""Which slot is tried next, and what is believed of each afterwards."""

from __future__ import annotations

import numpy as np
import pytest

from shequn.content import Thompson, lai_robbins, regret
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError


def test_a_post_adds_those_who_responded_and_those_who_did_not():
    before = Thompson.knowing_nothing(3)
    after = before.update(1, 4, 10)
    assert (after.alpha.tolist(), after.beta.tolist()) == ([1, 5, 1], [1, 7, 1])
    assert (before.alpha.tolist(), before.beta.tolist()) == ([1, 1, 1], [1, 1, 1])


def test_people_reached_by_one_post_count_for_less_the_more_they_are_alike():
    after = Thompson.knowing_nothing(2, clustering=0.1).update(0, 4, 11)
    assert (after.alpha[0], after.beta[0]) == (1 + 4 / 2, 1 + 7 / 2)


def test_a_post_to_nobody_teaches_nothing():
    state = Thompson.knowing_nothing(2, clustering=0.5)
    assert state.update(0, 0, 0).alpha.tolist() == [1, 1]


def test_the_best_slot_is_chosen_where_it_is_known():
    state = Thompson(alpha=[10, 900, 10], beta=[990, 100, 990])
    assert state.choose(rng=1).tolist() == [1]
    assert state.choose(5, rng=1, draws="each").tolist() == [1] * 5


def test_several_posts_get_different_slots_in_the_order_of_one_draw():
    state = Thompson(alpha=[100, 9_000, 5_000], beta=[9_900, 1_000, 5_000])
    assert state.choose(3, rng=1).tolist() == [1, 2, 0]


def test_slots_that_do_not_come_into_question_are_not_chosen():
    state = Thompson(alpha=[10, 900, 10], beta=[990, 100, 990])
    where = np.array([True, False, True])
    assert 1 not in state.choose(2, rng=1, where=where)
    assert 1 not in state.choose(50, rng=1, where=where, draws="each")


def test_a_seed_chooses_the_same_and_a_generator_goes_on():
    state = Thompson.knowing_nothing(168)
    assert state.choose(3, rng=5).tolist() == state.choose(3, rng=5).tolist()
    rng = np.random.default_rng(5)
    assert state.choose(3, rng=rng).tolist() != state.choose(3, rng=rng).tolist()


def test_each_slot_is_chosen_as_often_as_it_is_likely_to_be_the_best():
    # P(Beta(2, 1) > Beta(1, 1)) is 2 / 3.
    chosen = Thompson(alpha=[2, 1], beta=[1, 1]).choose(20_000, rng=3, draws="each")
    assert abs((chosen == 0).mean() - 2 / 3) < 4 * np.sqrt(2 / 9 / 20_000)


def test_no_post_is_no_slot():
    state = Thompson.knowing_nothing(4)
    assert state.choose(0, rng=1).tolist() == []
    assert state.choose(0, rng=1, draws="each").tolist() == []


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        (
            {"alpha": [1, 0], "beta": [1, 1]},
            InvalidValueError,
            r"alpha: expected finite numbers above 0, got 0.* row 1",
        ),
        ({"alpha": [1], "beta": [1, 1]}, MisalignedError, "beta: expected one for each of 1 slot"),
        ({"alpha": [1], "beta": [1], "clustering": 1}, InvalidValueError, r"clustering: expected a number in \[0, 1\)"),
    ],
)
def test_beliefs_that_are_none_are_refused(options, error, match):
    with pytest.raises(error, match=match):
        Thompson(**options)


@pytest.mark.parametrize(
    ("post", "error", "match"),
    [
        ((2, 1, 1), InvalidValueError, r"slot: expected a slot in \[0, 2\), got 2"),
        ((0, 2, 1), InvalidValueError, "hits: expected no more than `trials`, got 2"),
        (([0, 1], 1, 1), MisalignedError, "hits: expected one for each of 2 posts"),
        ((0, -1, 1), InvalidValueError, "hits: expected integers"),
        ((0, 0.5, 1), InvalidTypeError, "hits: expected integers"),
    ],
)
def test_posts_that_cannot_be_are_refused(post, error, match):
    with pytest.raises(error, match=match):
        Thompson.knowing_nothing(2).update(*post)


def test_more_slots_than_there_are_cannot_be_chosen():
    state = Thompson.knowing_nothing(3)
    assert len(state.choose(3, rng=1)) == 3
    with pytest.raises(InvalidValueError, match="n: expected a number from 0 to the 3 slots, got 4"):
        state.choose(4, rng=1)
    with pytest.raises(InvalidValueError, match="from 0 to the 0 slots, got 1"):
        state.choose(rng=1, where=[False] * 3, draws="each")
    with pytest.raises(MisalignedError, match="where: expected one for each of the 3 slots"):
        state.choose(rng=1, where=[True])
    with pytest.raises(InvalidValueError, match="at least 1 slot"):
        Thompson.knowing_nothing(0)


def test_regret_is_what_the_best_slots_would_have_added():
    assert regret([0.1, 0.3, 0.2], [0, 1, 2]).tolist() == pytest.approx([0.2, 0.2, 0.3])
    assert regret([0.1, 0.3, 0.2], [[1, 2], [0, 1]]).tolist() == pytest.approx([0.0, 0.1])
    assert regret([0.1, 0.3], []).tolist() == []


@pytest.mark.parametrize(
    ("chosen", "error", "match"),
    [
        ([0, 3], InvalidValueError, r"chosen: expected slots in \[0, 3\), got 3 at row 1"),
        ([[1, 2], [1, 1]], InvalidValueError, "different slots in each round"),
        (2, MisalignedError, "chosen: expected slots of shape"),
    ],
)
def test_choices_that_are_none_are_refused(chosen, error, match):
    with pytest.raises(error, match=match):
        regret([0.1, 0.3, 0.2], chosen)


def test_the_bound_of_lai_and_robbins():
    p, q = 0.2, 0.5
    divergence = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    assert lai_robbins([p, q, q]) == pytest.approx((q - p) / divergence, rel=1e-12)
    assert lai_robbins([0.0, q]) == pytest.approx(q / -np.log(1 - q), rel=1e-12)
    assert lai_robbins([0.4, 0.4]) == lai_robbins([0.5, 1.0]) == lai_robbins([]) == 0.0


def test_a_state_says_how_many_slots_it_has():
    state = Thompson.knowing_nothing(168)
    assert (repr(state), len(state)) == ("Thompson(168 slots)", 168)
