"""What holds of Thompson sampling whatever the posts."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shequn.content import Thompson, regret

POSTS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 50), st.integers(0, 50)).map(lambda p: (p[0], min(p[1:]), max(p[1:]))),
    max_size=12,
)
RATES = st.lists(st.floats(0, 1), min_size=3, max_size=6)


def told(posts, clustering=0.0):
    slot, hits, trials = (np.array([post[i] for post in posts], dtype=np.int64) for i in range(3))
    return Thompson.knowing_nothing(5, clustering=clustering).update(slot, hits, trials)


@given(POSTS, st.floats(0, 0.9))
def test_one_by_one_is_the_same_as_all_at_once(posts, clustering):
    state = Thompson.knowing_nothing(5, clustering=clustering)
    for post in posts:
        state = state.update(*post)
    at_once = told(posts, clustering)
    np.testing.assert_allclose(state.alpha, at_once.alpha, rtol=1e-12)
    np.testing.assert_allclose(state.beta, at_once.beta, rtol=1e-12)


@given(POSTS, st.randoms(use_true_random=False))
def test_the_order_of_posts_makes_no_difference_at_all_without_clustering(posts, random):
    mixed = random.sample(posts, len(posts))
    assert told(posts).alpha.tolist() == told(mixed).alpha.tolist()
    assert told(posts).beta.tolist() == told(mixed).beta.tolist()


@given(POSTS, st.floats(0, 0.9))
def test_clustering_never_makes_a_post_worth_more_than_its_people(posts, clustering):
    state = told(posts, clustering)
    gained = state.alpha + state.beta - 2
    people = np.bincount([slot for slot, _, _ in posts], [n for _, _, n in posts], minlength=5)
    assert (gained <= people + 1e-9).all()
    assert (gained >= (people > 0) * 0.999).all()


@given(POSTS, st.integers(0, 5), st.integers(0, 2**32))
def test_one_draw_chooses_different_slots(posts, n, seed):
    chosen = told(posts).choose(n, rng=seed).tolist()
    assert len(set(chosen)) == len(chosen) == n


@given(RATES, st.lists(st.permutations(range(3)), max_size=8), st.integers(1, 3))
def test_regret_never_falls_and_is_none_for_the_best(truth, rounds, m):
    chosen = np.array([order[:m] for order in rounds], dtype=np.int64).reshape(-1, m)
    lost = regret(truth, chosen)
    assert (np.diff(lost, prepend=0.0) >= 0).all()
    best = np.argsort(truth)[::-1][:m]
    assert regret(truth, np.tile(best, (4, 1))).max(initial=0) < 1e-12


@given(RATES, st.lists(st.integers(0, 2), max_size=8))
def test_one_slot_a_round_is_the_same_with_and_without_an_axis(truth, chosen):
    column = np.array(chosen, dtype=np.int64)
    np.testing.assert_allclose(regret(truth, column), regret(truth, column[:, None]), atol=1e-12)
