"""The draw, repeated from its written protocol in plain Python, and its chances against exact fractions."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from hashlib import sha256
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from shequn.campaigns import close_entries, commit, draw, win_probabilities
from shequn.entities import Reward
from shequn.values import Money


def u64(n: int) -> bytes:
    return n.to_bytes(8, "big")


def lp(x: bytes) -> bytes:
    return u64(len(x)) + x


def protocol(tickets: dict[str | int, int], prizes: list[tuple[str, str, int]], per_member: int, secret: bytes, public):
    """Commitment, closing digest and winners; prizes are (kind, name, quantity). The tickets lie in a row: no tree."""
    order = sorted(tickets, key=lambda label: label.encode() if isinstance(label, str) else label)
    closing = b"shequn-draw/1/closing" + u64(per_member) + u64(len(prizes))
    for kind, name, quantity in prizes:
        closing += lp(kind.encode()) + lp(name.encode()) + u64(quantity)
    closing += u64(len(order))
    for label in order:
        named = b"s" + label.encode() if isinstance(label, str) else b"i" + str(label).encode()
        closing += lp(named) + u64(tickets[label])
    closed = sha256(closing).digest()
    seed = sha256(b"shequn-draw/1/seed" + lp(secret) + lp(public.encode()) + closed).digest()
    words, block = [], 0
    urn = [label for label in order for _ in range(tickets[label])]
    winners = []
    for _ in range(sum(quantity for _, _, quantity in prizes)):
        n = len(urn)
        while True:
            if not words:
                digest = sha256(b"shequn-draw/1/block" + seed + u64(block)).digest()
                words, block = [int.from_bytes(digest[i : i + 8], "big") for i in (0, 8, 16, 24)], block + 1
            word = words.pop(0)
            if word < 2**64 - 2**64 % n:
                break
        winner = urn.pop(word % n)
        winners.append(winner)
        if winners.count(winner) == per_member:
            urn = [label for label in urn if label != winner]
    return sha256(b"shequn-draw/1/commitment" + lp(secret)).hexdigest(), closed.hex(), winners


@pytest.mark.parametrize("seed", range(40))
def test_a_draw_is_what_its_protocol_says(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 30))
    labels = [f"成员{k}" if k % 3 else f"Z{k}" for k in rng.permutation(n)] if seed % 2 else rng.permutation(n).tolist()
    own = rng.integers(0, 9, n)
    own[0] = 5
    per_member = int(rng.integers(1, 4))
    most = int(np.minimum(own, per_member).sum())
    first = int(rng.integers(1, most + 1))
    given = [Reward(kind="prize", cost=Money(100, "CNY"), name="眼霜", quantity=first)]
    if most > first:
        given.append(Reward(kind="coupon", cost=Money(5, "CNY"), quantity=most - first))
    secret, public = rng.bytes(32), "开奖号码 042" if seed % 3 else ""
    made = draw(labels, tickets=own, prizes=given, secret=secret, public=public, per_member=per_member)
    named = [(prize.kind.value, prize.name or "", prize.quantity) for prize in given]
    commitment, closing, winners = protocol(
        dict(zip(labels, own.tolist(), strict=True)), named, per_member, secret, public
    )
    assert made.members.labels[made.winners].tolist() == winners
    assert (made.commitment, made.closing) == (commitment, closing) == (commit(secret), closing)
    assert close_entries(labels, tickets=own, prizes=given, per_member=per_member) == closing
    assert made.verify(commitment=commitment, closing=closing)


def test_the_protocol_of_one_draw_never_changes():
    """Published draws must stay checkable: these digits may not move."""
    prizes = [Reward(kind="prize", cost=Money(29_900, "CNY"), name="眼霜", quantity=2)]
    made = draw(["ann", "bo", "cy", "安"], tickets=[5, 1, 1, 3], prizes=prizes, secret=b"kept until 2024-05-01")
    assert made.commitment == PINNED[0]
    assert made.closing == PINNED[1]
    assert made.to_columns()["member"].tolist() == PINNED[2]


PINNED = (
    "037bdb58fbbe581148ccd0031d4639b9856f1275f7dc01434f40d2299db64427",
    "7c063af813d919766d435ea18e1aa1aaea4e25ce7469292ea9511dafce52220d",
    ["ann", "安"],
)


# --- chances ---


def exact_chances(tickets: tuple[int, ...], n_prizes: int, per_member: int = 1) -> list[Fraction]:
    """P(wins something), by going through all that can happen, in fractions."""

    @cache
    def go(left: tuple[int, ...], wins: tuple[int, ...], n: int) -> tuple[Fraction, ...]:
        if n == 0:
            return tuple(Fraction(int(won > 0)) for won in wins)
        total = [Fraction(0)] * len(left)
        for i, own in enumerate(left):
            if own:
                won = (*wins[:i], wins[i] + 1, *wins[i + 1 :])
                rest = (*left[:i], 0 if won[i] == per_member else own - 1, *left[i + 1 :])
                chances = go(rest, won, n - 1)
                total = [t + Fraction(own, sum(left)) * c for t, c in zip(total, chances, strict=True)]
        return tuple(total)

    return list(go(tickets, (0,) * len(tickets), n_prizes))


@pytest.mark.parametrize(
    ("tickets", "n_prizes", "per_member"),
    [
        ((1,), 1, 1),
        ((2, 1, 1), 2, 1),
        ((5, 1, 1, 3), 3, 1),
        ((5, 1, 1, 3), 4, 1),
        ((100, 1, 1, 1, 7, 0), 4, 1),
        ((10**6, 1, 5), 2, 1),
        ((10**6, 1, 1, 1), 3, 1),
        ((1, 1, 1, 1, 1, 1, 1), 3, 1),
        ((3, 2, 4, 1), 4, 2),
        ((3, 2, 4), 5, 2),
        ((3, 2, 4), 5, 9),
        ((9, 1, 0), 2, 3),
    ],
)
def test_chances_are_those_of_everything_that_can_happen(tickets, n_prizes, per_member):
    expected = [float(chance) for chance in exact_chances(tickets, n_prizes, per_member)]
    found = win_probabilities(tickets, n_prizes, per_member=per_member)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_chances_of_many_add_up_to_the_prizes():
    rng = np.random.default_rng(3)
    for n, n_prizes, most in ((2_000, 10, 10), (300, 60, 20), (50_000, 30, 4)):
        found = win_probabilities(rng.integers(1, most, n), n_prizes)
        assert found.sum() == pytest.approx(n_prizes, abs=1e-8)


def test_orders_of_winners_come_as_often_as_they_should():
    """Chi-square over all ordered pairs of winners; 2,500 draws with secrets that were fixed once."""
    tickets, labels = [5, 3, 1, 1], ["a", "b", "c", "d"]
    prizes = [Reward(kind="prize", cost=Money(1, "CNY"), quantity=2)]
    pairs = list(permutations(range(4), 2))
    expected = [Fraction(tickets[i], 10) * Fraction(tickets[j], 10 - tickets[i]) for i, j in pairs]
    n = 2_500
    seen = dict.fromkeys(pairs, 0)
    for k in range(n):
        made = draw(labels, tickets=tickets, prizes=prizes, secret=b"chi-square, draw %06d" % k)
        seen[tuple(made.winners.tolist())] += 1
    result = stats.chisquare(list(seen.values()), [float(chance) * n for chance in expected])
    assert result.pvalue > 0.01
    # and it would notice a draw that forgets the tickets
    assert stats.chisquare(list(seen.values()), [n / 12] * 12).pvalue < 1e-6


def test_inclusion_is_as_likely_as_computed():
    """Each entrant's wins against `win_probabilities`, with a cap of two a member."""
    tickets, labels = np.array([6, 4, 2, 1, 1]), list("abcde")
    prizes = [Reward(kind="prize", cost=Money(1, "CNY"), quantity=4)]
    n = 2_000
    won = np.zeros(5)
    for k in range(n):
        made = draw(labels, tickets=tickets, prizes=prizes, per_member=2, secret=b"inclusion, draw no. %06d" % k)
        won += made.n_won > 0
    chances = win_probabilities(tickets, 4, per_member=2)
    z = (won - n * chances) / np.sqrt(n * chances * (1 - chances))
    assert np.abs(z).max() < 3.3
