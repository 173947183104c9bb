from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shequn.campaigns import draw, win_probabilities
from shequn.entities import Reward
from shequn.values import Money

tickets = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=4), st.integers(0, 50), min_size=1, max_size=12
)


@given(own=tickets, per_member=st.integers(1, 4), secret=st.binary(min_size=16, max_size=40), data=st.data())
def test_caps_and_tickets_are_kept_and_the_replay_is_identical(own, per_member, secret, data):
    most = sum(min(n, per_member) for n in own.values())
    if not most:
        return
    n_prizes = data.draw(st.integers(1, most))
    prizes = [Reward(kind="prize", cost=Money(1, "CNY"), quantity=n_prizes)]
    made = draw(list(own), tickets=list(own.values()), prizes=prizes, per_member=per_member, secret=secret)
    assert (made.n_won <= np.minimum(made.tickets, per_member)).all()
    assert made.n_won.sum() == n_prizes
    order = data.draw(st.permutations(list(own)))
    again = draw(order, tickets=[own[one] for one in order], prizes=prizes, per_member=per_member, secret=secret)
    assert again.winners.tolist() == made.winners.tolist()
    assert made.verify(commitment=again.commitment, closing=again.closing)


@given(own=st.lists(st.integers(0, 40), min_size=1, max_size=7), data=st.data())
def test_chances_add_up_to_the_prizes_and_grow_with_tickets_and_prizes(own, data):
    most = sum(n > 0 for n in own)
    n_prizes = data.draw(st.integers(0, most))
    chances = win_probabilities(own, n_prizes)
    assert abs(chances.sum() - n_prizes) < 1e-9
    assert ((chances >= 0) & (chances <= 1)).all()
    assert (np.diff(chances[np.argsort(own, kind="stable")]) >= -1e-11).all()
    if n_prizes:
        assert (win_probabilities(own, n_prizes - 1) <= chances + 1e-11).all()
