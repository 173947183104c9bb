"""Ranks against scipy, and the winners of a challenge against a walk over its entries."""

from __future__ import annotations

from itertools import groupby
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from shequn.campaigns import challenge, rank
from shequn.columns import EventLog
from shequn.entities import Reward
from shequn.values import Money, Window
from shequn.values.instants import from_us

scores = st.lists(st.one_of(st.integers(-5, 5), st.floats(-3, 3)), max_size=20)


@pytest.mark.parametrize("ties", ["min", "max", "dense", "ordinal", "average"])
@given(own=scores, best=st.sampled_from(["highest", "lowest"]))
def test_ranks_are_those_of_scipy(ties, own, best):
    signed = -np.array(own, dtype=float) if best == "highest" else np.array(own, dtype=float)
    np.testing.assert_array_equal(rank(own, ties=ties, best=best), rankdata(signed, method=ties))


@given(own=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12))
def test_of_equal_scores_the_earlier_is_better(own):
    found = rank([score for score, _ in own], at=np.array([at for _, at in own], dtype=np.int64))
    expected = [1 + sum((-s, t) < (-score, at) for s, t in own) for score, at in own]
    assert found.tolist() == expected


START, END = 1_000_000, 9_000_000
WORDS = ["#小棕瓶", "第一天 #小棕瓶!", "#Glow", "\uff03\uff27\uff2c\uff2f\uff37 yes", "glow", None]
entry = st.tuples(
    st.sampled_from("abcde"), st.integers(0, 10), st.sampled_from([None, 1, 2, 3]), st.sampled_from(WORDS)
)


@given(
    rows=st.lists(entry, max_size=14),
    ties=st.sampled_from(["share", "all", "earliest"]),
    quantities=st.lists(st.integers(1, 3), max_size=2),
    keyword=st.sampled_from([None, "小棕瓶", "#glow"]),
    best=st.sampled_from(["highest", "lowest"]),
)
def test_a_challenge_is_what_a_walk_over_its_entries_says(rows, ties, quantities, keyword, best):
    log = EventLog.from_columns(
        member=[who for who, *_ in rows],
        kind="post",
        at=np.array([at * 1_000_000 for _, at, *_ in rows], dtype=np.int64),
        time_unit="us",
        value=np.array([np.nan if score is None else score for _, _, score, _ in rows], dtype=float),
        extra={"caption": [text for *_, text in rows]} if rows else {},
    )
    prizes = [Reward(kind="prize", cost=Money(100 + 7 * k, "CNY"), quantity=n) for k, n in enumerate(quantities)]
    asked = {} if keyword is None or not rows else {"text": "caption", "keyword": keyword}
    window = Window(start=from_us(START), end=from_us(END))
    found = challenge(log, window=window, prizes=prizes, ties=ties, best=best, unknown_kinds="ignore", **asked)

    sign = -1 if best == "highest" else 1
    valid = {}
    for row, (who, at, score, text) in enumerate(rows):
        says = not asked or (text is not None and keyword in normalize("NFKC", text).lower())
        if START <= at * 1_000_000 < END and says and score is not None:
            valid.setdefault(who, []).append((sign * score, at, row))
    order = sorted((min(own), who) for who, own in valid.items())
    units = [prize.cost.minor for prize in prizes for _ in range(prize.quantity)]
    expected = []
    equals = (lambda one: one[0]) if ties == "earliest" else (lambda one: one[0][0])
    place = 0
    for _, group in groupby(order, key=equals):
        tied = list(group)
        pot = units[place : place + len(tied)]
        if ties == "all":
            awards = [units[place] if place < len(units) else 0] * len(tied)
        else:
            share, spare = divmod(sum(pot), len(tied))
            awards = [share + (k < spare) for k in range(len(tied))]
        expected += [(who, place + 1, best_of[2], award) for (best_of, who), award in zip(tied, awards, strict=True)]
        place += len(tied)
    columns = zip(found.members, found.rank.tolist(), found.row.tolist(), found.award.tolist(), strict=True)
    assert list(columns) == expected
    assert found.cost == (Money(sum(one[3] for one in expected), "CNY") if prizes else None)
    if ties != "all" and prizes:
        assert found.cost <= found.worst_case
        if len(order) >= len(units):
            assert found.cost == found.worst_case
