"""What holds of every change of groups, whatever the members, ties, sizes and leaders."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shequn.entities.size import SizeBand
from shequn.errors import InfeasibleError, UndecidedError
from shequn.graph import InteractionGraph
from shequn.labels import Index
from shequn.sharding._audit import audit
from shequn.sharding.bounds import counts_of_groups
from shequn.sharding.change import MoveReason
from shequn.sharding.demands import Demands
from shequn.sharding.feasibility import feasible
from shequn.sharding.fewest import fewest_moves
from shequn.sharding.hashing import hash_shards, label_hashes
from shequn.sharding.rebalancing import rebalance, rebalanced
from shequn.sharding.seating import Seating
from shequn.sharding.shards import Shards
from shequn.sharding.splitting import join_groups, split
from shequn.sharding.staffing import staff

WHOLE = st.integers(0, 2**32 - 1)


class Case(NamedTuple):
    graph: InteractionGraph
    codes: np.ndarray
    n_groups: int
    band: SizeBand


def a_graph(rng, n, density, *, floats=False):
    u, v = np.nonzero(np.triu(rng.random((n, n)) < density, 1))
    weight = rng.random(len(u)) + 0.1 if floats else rng.integers(1, 6, len(u))
    return InteractionGraph.from_ties(u, v, weight, members=Index(np.arange(n)))


@st.composite
def cases(draw, *, newcomers=True, floats=False):
    """Groups of any size, some members new, in a community that bounds of some kind can hold."""
    n = draw(st.integers(1, 40))
    lo = draw(st.integers(1, 6))
    band = SizeBand(lo, draw(st.integers(lo, lo + 5)))
    assume(counts_of_groups(n, band))
    rng = np.random.default_rng(draw(WHOLE))
    n_groups = draw(st.integers(1, 8))
    codes = rng.integers(-1 if newcomers else 0, n_groups, n)
    graph = a_graph(rng, n, draw(st.sampled_from([0.0, 0.05, 0.2, 0.6])), floats=floats and draw(st.booleans()))
    return Case(graph, codes, n_groups, band)


def rebalanced_case(case, *, max_moves=0, **demands):
    groups = Index.positional(case.n_groups)
    wanted = Demands(band=case.band, **demands)
    return rebalanced(case.graph.neighbours(), case.codes, groups, wanted, max_moves=max_moves)


def kept_weight(graph, codes):
    inside = (codes[graph.source] == codes[graph.target]) & (codes[graph.source] >= 0)
    return graph.weight[inside].sum().item()


# --- as few moves as can be ---


@settings(max_examples=150, deadline=None)
@given(case=cases(floats=True), more=st.sampled_from([0, 0, 1, 3, 100]))
def test_groups_come_back_into_bounds_with_the_fewest_moves_and_no_more_than_the_budget(case, more):
    seating, lower = rebalanced_case(case, max_moves=more)
    codes = seating.codes()
    sizes = np.bincount(codes, minlength=len(seating.members))
    assert all(size in case.band for size in sizes[sizes > 0])
    moved = int(((case.codes >= 0) & (codes != case.codes)).sum())
    present = np.bincount(case.codes[case.codes >= 0], minlength=case.n_groups)
    assert lower == fewest_moves(present, case.band, joined=int((case.codes < 0).sum())).moves
    assert lower <= moved <= lower + more
    assert seating.n_moved == moved


@settings(max_examples=120, deadline=None)
@given(
    case=cases(), seed=WHOLE, share=st.sampled_from([0.1, 0.5, 1.0]), more=st.sampled_from([0, 5]), led=st.booleans()
)
def test_fixed_seats_are_kept_or_it_is_said_that_they_cannot_be(case, seed, share, more, led):
    rng = np.random.default_rng(seed)
    fixed = (case.codes >= 0) & (rng.random(len(case.codes)) < share)
    options = {"leaders": rng.random(len(fixed)) < 0.8, "min_leaders": 1} if led else {}
    seats = {int(member): int(case.codes[member]) for member in np.flatnonzero(fixed)}
    can_be = feasible(len(fixed), case.band, fixed=seats, **options).verdict == "feasible"
    if not can_be:
        with pytest.raises(InfeasibleError):
            rebalanced_case(case, fixed=fixed, max_moves=more, **options)
        return
    seating, lower = rebalanced_case(case, fixed=fixed, max_moves=more, **options)
    codes = seating.codes()
    sizes = np.bincount(codes)
    assert all(size in case.band for size in sizes[sizes > 0])
    assert (codes == case.codes)[fixed].all()
    if led:
        assert (np.bincount(codes[options["leaders"]], minlength=len(sizes))[sizes > 0] >= 1).all()
    moved = int(((case.codes >= 0) & (codes != case.codes)).sum())
    assert lower <= moved
    assert led or moved <= lower + more
    present, stay = (np.bincount(case.codes[who], minlength=case.n_groups) for who in (case.codes >= 0, fixed))
    if not led:
        assert lower == fewest_moves(present, case.band, joined=int((case.codes < 0).sum()), fixed=stay).moves


@st.composite
def sets_of(draw, n):
    """Sets of members of a community, of which some must hold together and some apart."""
    rng = np.random.default_rng(draw(WHOLE))
    number, most = draw(st.sampled_from([1, 1, 3, 8])), draw(st.sampled_from([2, 2, 4]))
    sets = [rng.choice(n, size=min(n, int(rng.integers(2, most + 1))), replace=False).tolist() for _ in range(number)]
    at = draw(st.integers(0, number))
    return sets[:at], sets[at:]


@settings(max_examples=150, deadline=None)
@given(case=cases(floats=True), data=st.data(), seed=WHOLE, more=st.sampled_from([0, 0, 4]), led=st.booleans())
def test_sets_hold_after_a_rebalance_or_it_is_said_that_they_cannot(case, data, seed, more, led):
    n = len(case.codes)
    together, apart = data.draw(sets_of(n))
    rng = np.random.default_rng(seed)
    fixed = (case.codes >= 0) & (rng.random(n) < data.draw(st.sampled_from([0, 0.2])))
    asked = {"leaders": rng.random(n) < 0.8, "min_leaders": 1} if led else {}
    seats = {int(member): int(case.codes[member]) for member in np.flatnonzero(fixed)}
    can_be = feasible(n, case.band, fixed=seats, together=together, apart=apart, **asked)
    try:
        seating, lower = rebalanced_case(
            case, max_moves=more, fixed=fixed if fixed.any() else None, together=together, apart=apart, **asked
        )
    except InfeasibleError:
        assert can_be.verdict == "infeasible"
        return
    except UndecidedError:
        assert can_be.verdict == "not decided"
        return
    assert can_be.verdict != "infeasible"
    codes = seating.codes()
    sizes = np.bincount(codes)
    assert all(size in case.band for size in sizes[sizes > 0])
    assert all(len(set(codes[members].tolist())) == 1 for members in together)
    assert all(len(set(codes[members].tolist())) == len(members) for members in apart)
    assert (codes == case.codes)[fixed].all()
    if led:
        assert (np.bincount(codes[asked["leaders"]], minlength=len(sizes))[sizes > 0] >= 1).all()
    moved = np.flatnonzero((case.codes >= 0) & (codes != case.codes))
    assert lower <= len(moved) == seating.n_moved
    assert set(seating.why) >= set(moved.tolist())


@settings(max_examples=60, deadline=None)
@given(case=cases(), data=st.data(), more=st.sampled_from([0, 4]))
def test_sets_that_hold_anyway_change_nothing(case, data, more):
    plain, lower = rebalanced_case(case, max_moves=more)
    codes = plain.codes()
    some = data.draw(st.lists(st.integers(0, len(codes) - 1), unique=True, max_size=12))
    together = [[one, other] for one, other in combinations(some, 2) if codes[one] == codes[other]]
    apart = [[one, other] for one, other in combinations(some, 2) if codes[one] != codes[other]]
    again, same = rebalanced_case(case, max_moves=more, together=together, apart=apart)
    assert again.codes().tolist() == codes.tolist()
    assert (same, again.why) == (lower, plain.why)


@settings(max_examples=100, deadline=None)
@given(case=cases(newcomers=False), data=st.data(), seed=WHOLE, needed=st.integers(0, 1))
def test_sets_hold_after_staffing_and_sizes_stay(case, data, seed, needed):
    _, codes = np.unique(case.codes, return_inverse=True)
    sizes = np.bincount(codes)
    leaders = np.random.default_rng(seed).random(len(codes)) < 0.7
    together, apart = data.draw(sets_of(len(codes)))
    shards = Shards.of(case.graph, codes, sizes=(1, 50))
    try:
        change = staff(shards, case.graph, leaders=leaders, min_leaders=needed, together=together, apart=apart)
    except (InfeasibleError, UndecidedError):
        # Enumeration tells of small groups whether that is true; pairs alone always find seats in large ones.
        return
    assert change.shards.sizes.tolist() == sizes.tolist()
    assert audit(change.shards, together=together, apart=apart).holds
    assert (change.shards.n_leaders >= needed).all()


class Checked(Seating):
    """A seating that weighs every step before and after it is taken."""

    __slots__ = ("graph", "taken")

    def take(self, step, why):
        before, moved = kept_weight(self.graph, self.codes()), self.n_moved
        touched = super().take(step, why)
        assert kept_weight(self.graph, self.codes()) - before == step.gain
        assert self.n_moved - moved == step.cost
        assert step.gain > 0
        return touched


@settings(max_examples=100, deadline=None)
@given(case=cases(newcomers=False), budget=st.sampled_from([1, 4, 100]), seed=WHOLE)
def test_a_step_buys_and_costs_what_it_says(case, budget, seed):
    rng = np.random.default_rng(seed)
    leaders = rng.random(len(case.codes)) < 0.4
    seating = Checked(case.graph.neighbours(), case.codes, case.n_groups, case.band, leaders=leaders, min_leaders=1)
    seating.graph = case.graph
    sizes, had = np.bincount(case.codes, minlength=case.n_groups), list(seating.leaders)
    seating.improve(range(len(case.codes)), budget, MoveReason.TIES)
    assert seating.n_moved <= budget
    after = np.bincount(seating.codes(), minlength=case.n_groups)
    for group in range(case.n_groups):
        assert after[group] == sizes[group] or min(sizes[group], case.band.lo) <= after[group]
        assert after[group] <= max(sizes[group], case.band.hi)
        assert seating.leaders[group] >= min(had[group], 1)


@settings(max_examples=80, deadline=None)
@given(case=cases(), seed=WHOLE, needed=st.integers(1, 3))
def test_every_group_gets_its_leaders_for_one_swap_a_short_seat(case, seed, needed):
    rng = np.random.default_rng(seed)
    leaders = rng.random(len(case.codes)) < 0.7
    assume(feasible(len(leaders), case.band, leaders=leaders, min_leaders=needed).verdict == "feasible")
    seating, lower = rebalanced_case(case, leaders=leaders, min_leaders=needed)
    codes = seating.codes()
    sizes = np.bincount(codes)
    assert all(size in case.band for size in sizes[sizes > 0])
    assert all(np.bincount(codes[leaders], minlength=len(sizes))[sizes > 0] >= needed)
    moved = int(((case.codes >= 0) & (codes != case.codes)).sum())
    assert lower <= moved <= lower + 2 * needed * len(set(codes))


# --- told to a caller ---


@settings(max_examples=60, deadline=None)
@given(case=cases(newcomers=False), seed=WHOLE, more=st.sampled_from([0, 5]))
def test_a_change_accounts_for_everybody(case, seed, more):
    rng = np.random.default_rng(seed)
    everybody = np.arange(len(case.codes))
    came = everybody[rng.random(len(everybody)) < 0.2]
    there = np.setdiff1d(everybody, came)
    gone = there[rng.random(len(there)) < 0.2]
    n = len(everybody) - len(gone)
    assume(counts_of_groups(n, case.band))
    _, codes = np.unique(case.codes[there], return_inverse=True)
    shards = Shards.of(case.graph.align(case.graph.members.take(there)), codes, sizes=case.band)
    change = rebalance(shards, case.graph, joined=came.tolist(), left=gone.tolist(), max_moves=more)
    after = change.shards
    assert sorted(after.members) == np.setdiff1d(everybody, gone).tolist()
    assert all(size in case.band for size in after.sizes)
    assert sorted(change.joined.member.tolist()) == came.tolist()
    assert change.lower_bound <= change.n_moves <= change.lower_bound + more
    for row in change.moves.rows():
        assert shards.of_member(row.member) == row.from_group != row.to_group == after.of_member(row.member)
    unmoved = set(after.members) - set(change.moves.member.tolist()) - set(came.tolist())
    assert all(shards.of_member(member) == after.of_member(member) for member in unmoved)
    for row in change.rows():
        assert row.after == row.before - row.left - row.moved_out + row.moved_in + row.joined
    # Each move's reason is one that its group gives cause for.
    for row in change.moves.rows():
        if row.reason is MoveReason.CLOSED:
            assert row.from_group not in after.groups


@settings(max_examples=60, deadline=None)
@given(case=cases(newcomers=False), data=st.data())
def test_a_split_and_a_join_leave_everybody_else_where_they_are(case, data):
    _, codes = np.unique(case.codes, return_inverse=True)
    n_largest = int(np.bincount(codes).max())
    band = SizeBand(1, max(n_largest - 1, 1))
    shards = Shards.of(case.graph, codes, sizes=band)
    group = data.draw(st.integers(0, len(shards.groups) - 1))
    size = int(shards.sizes[group])
    assume(size >= 2)
    change = split(shards, case.graph, group=group)
    assert all(
        0 < s <= band.hi for s in change.shards.sizes[[group, *range(len(shards.groups), change.shards.n_groups)]]
    )
    assert set(change.moves.from_group.tolist()) == {group}
    assert change.n_moves >= change.lower_bound
    parts = [group, *set(change.moves.to_group.tolist())]
    whole = Shards.of(case.graph, change.shards.assignment, sizes=(1, 100))
    back = join_groups(whole, case.graph, groups=parts)
    assert back.shards.kept_weight == shards.kept_weight
    assert back.n_moves == back.lower_bound


@settings(max_examples=80, deadline=None)
@given(case=cases(newcomers=False), seed=WHOLE, needed=st.integers(1, 2))
def test_staffing_takes_one_swap_for_each_short_seat_and_keeps_every_size(case, seed, needed):
    _, codes = np.unique(case.codes, return_inverse=True)
    leaders = np.random.default_rng(seed).random(len(codes)) < 0.6
    assume(np.bincount(codes).min() >= needed)
    assume(leaders.sum() >= needed * (codes.max() + 1))
    shards = Shards.of(case.graph, codes, sizes=(1, 50))
    change = staff(shards, case.graph, leaders=leaders, min_leaders=needed)
    short = np.maximum(needed - np.bincount(codes, weights=leaders).astype(int), 0).sum()
    assert change.n_moves == 2 * short
    assert change.shards.sizes.tolist() == shards.sizes.tolist()
    assert (change.shards.n_leaders >= needed).all()


# --- true answers ---


def partitions(members):
    """Every way to put members into groups."""
    if not members:
        yield []
        return
    first, rest = members[0], members[1:]
    for groups in partitions(rest):
        yield [[first], *groups]
        for at in range(len(groups)):
            yield [*groups[:at], [first, *groups[at]], *groups[at + 1 :]]


def meets(groups, asked):
    lo, hi, leaders, needed, together, fixed, apart = asked
    at = {member: place for place, group in enumerate(groups) for member in group}
    return (
        all(lo <= len(group) <= hi and sum(leaders[m] for m in group) >= needed for group in groups)
        and all(len({at[m] for m in some}) <= 1 for some in together)
        and all(len({at[m] for m in some}) == len(some) for some in apart)
        and all((at[a] == at[b]) is (fixed[a] == fixed[b]) for a, b in combinations(fixed, 2))
    )


@st.composite
def questions(draw):
    n = draw(st.integers(1, 7))
    lo = draw(st.integers(1, 3))
    some = st.lists(st.sets(st.integers(0, n - 1), max_size=4), max_size=2)
    pairs = st.lists(st.sets(st.integers(0, n - 1), max_size=3), max_size=5)
    return n, (
        lo,
        draw(st.integers(lo, 5)),
        draw(st.lists(st.booleans(), min_size=n, max_size=n)),
        draw(st.integers(0, 2)),
        draw(some),
        draw(st.dictionaries(st.integers(0, n - 1), st.sampled_from("ab"), max_size=4)),
        draw(pairs),
    )


@settings(max_examples=250, deadline=None)
@given(question=questions())
def test_what_is_called_feasible_is_what_some_deal_of_all_deals_meets(question):
    n, asked = question
    lo, hi, leaders, needed, together, fixed, apart = asked
    found = feasible(n, (lo, hi), leaders=leaders, min_leaders=needed, together=together, fixed=fixed, apart=apart)
    counts = {len(groups) for groups in partitions(list(range(n))) if meets(groups, asked)}
    assert found.n_groups.tolist() == sorted(counts)
    assert not len(found.undecided)
    assert found.verdict == ("feasible" if counts else "infeasible")


# --- names alone ---


@st.composite
def names(draw):
    n, k = draw(st.integers(1, 120)), draw(st.integers(1, 6))
    if draw(st.booleans()):
        return Index([f"u{draw(WHOLE)}-{i}" for i in range(n)]), Index([f"群{i}" for i in range(k)])
    return Index(np.arange(n) * 7 + draw(st.integers(-5, 5))), Index(np.arange(k))


@settings(max_examples=60, deadline=None)
@given(names=names(), seed=WHOLE, load=st.sampled_from([1, 1.1, 1.25, 3]))
def test_hashing_gives_the_same_answer_in_any_order_and_no_group_too_many(names, seed, load):
    members, groups = names
    rng = np.random.default_rng(seed)
    dealt = hash_shards(members, groups, load=load)
    n, k = len(members), len(groups)
    sizes = list(dealt.sizes().values())
    assert sum(sizes) == n
    assert max(sizes) <= -(-n * load // k)
    assert dealt.n_unassigned == 0
    other = hash_shards(members.take(rng.permutation(n)), groups.take(rng.permutation(k)), load=load)
    assert {member: other.of(member) for member in members} == {member: dealt.of(member) for member in members}


@settings(max_examples=60, deadline=None)
@given(names=names(), below=st.integers(0, 9), above=st.integers(0, 9))
def test_hashing_holds_both_bounds(names, below, above):
    members, groups = names
    mean = len(members) / len(groups)
    assume(mean >= 1)
    band = SizeBand(max(int(mean) - below, 1), int(np.ceil(mean)) + above)
    assert all(size in band for size in hash_shards(members, groups, bounds=band).sizes().values())


@settings(max_examples=60, deadline=None)
@given(names=names())
def test_where_no_group_is_full_only_the_new_group_takes_members(names):
    members, groups = names
    new = 10**6 if not groups.is_text else "新群"
    before = hash_shards(members, groups, load=10)
    after = hash_shards(members, Index([*groups, new]), load=10)
    assert all(after.of(m) in (before.of(m), new) for m in members)


@settings(max_examples=40, deadline=None)
@given(names=names(), spare=st.integers(0, 3))
def test_when_a_group_is_added_nobody_goes_to_a_group_that_wants_them_less(names, spare):
    members, groups = names
    seats = -(-len(members) // len(groups)) + spare
    new = 10**6 if not groups.is_text else "新群"
    more = Index([*groups, new])
    before = hash_shards(members, groups, load=seats * len(groups) / len(members))
    after = hash_shards(members, more, load=seats * len(more) / len(members))
    scores = slow_scores(members, more)
    wants = {m: dict(zip(more, row, strict=True)) for m, row in zip(members, scores, strict=True)}
    assume(max(before.sizes().values()) <= seats)
    assert all(wants[m][after.of(m)] >= wants[m][before.of(m)] for m in members)


def slow_scores(members, groups):
    """The score of each pair, by Python's integers."""
    mask = 2**64 - 1

    def score(number):
        number = number * 0xFF51AFD7ED558CCD & mask
        number ^= number >> 32
        number = number * 0xC4CEB9FE1A85EC53 & mask
        return (number ^ number >> 32) | 1

    def mixed(number):
        number ^= number >> 33
        number = number * 0xFF51AFD7ED558CCD & mask
        number ^= number >> 33
        number = number * 0xC4CEB9FE1A85EC53 & mask
        return number ^ number >> 33

    hashes = [mixed(number + 0x9E3779B97F4A7C15 & mask) for number in label_hashes(groups).tolist()]
    return [[score(m ^ g) for g in hashes] for m in label_hashes(members).tolist()]


@settings(max_examples=40, deadline=None)
@given(names=names(), load=st.sampled_from([1, 1.1, 1.5]))
def test_hashing_is_the_stable_matching_that_takes_the_highest_scores_first(names, load):
    members, groups = names
    scores = slow_scores(members, groups)
    pairs = sorted(((scores[m][g], m, g) for m in range(len(members)) for g in range(len(groups))), reverse=True)
    left = [-(-round(load * 10) * len(members) // (10 * len(groups)))] * len(groups)
    left = [min(seats, len(members)) for seats in left]
    seat = {}
    for _, m, g in pairs:
        if m not in seat and left[g]:
            seat[m] = g
            left[g] -= 1
    dealt = hash_shards(members, groups, load=load)
    assert dealt.codes.tolist() == [seat[m] for m in range(len(members))]


@settings(max_examples=60, deadline=None)
@given(labels=st.lists(st.text(max_size=30), unique=True, min_size=1, max_size=20))
def test_different_labels_have_different_hashes_and_each_is_its_own(labels):
    hashes = label_hashes(Index(labels))
    assert len(set(hashes.tolist())) == len(labels)
    assert [label_hashes(Index([label]))[0] for label in labels] == hashes.tolist()
