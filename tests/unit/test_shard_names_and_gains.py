"""Names bound the number of groups, and what moves gain adds up."""

from __future__ import annotations

import numpy as np
import pytest

from shequn.errors import InvalidValueError, UnknownLabelError
from shequn.graph import InteractionGraph
from shequn.labels import Index
from shequn.sharding import MoveReason, Shards, rebalance, shard
from shequn.sharding.naming import codes_named


def _graph(n: int, n_ties: int, seed: int) -> InteractionGraph:
    rng = np.random.default_rng(seed)
    ends = rng.integers(n, size=(2, n_ties))
    return InteractionGraph.from_ties(*ends, rng.integers(1, 9, size=n_ties), n_members=n, self_ties="drop")


@pytest.mark.parametrize("seed", range(4))
def test_there_are_no_more_groups_than_names(seed: int) -> None:
    graph, names = _graph(200, 900, seed), [f"{number}群" for number in range(6)]
    shards = shard(graph, groups=names, rng=seed)  # 6 or 7 groups would fit
    assert shards.groups.labels.tolist() == names
    seated = shard(graph, groups=names, fixed={0: "5群", 3: "0群"}, rng=seed)
    assert sorted(seated.groups.labels.tolist()) == names
    assert (seated.of_member(0), seated.of_member(3)) == ("5群", "0群")
    with pytest.raises(InvalidValueError, match="groups: expected names for 6 groups, or more, got 5"):
        shard(graph, groups=names[:5])


def test_a_mask_of_numbers_is_not_taken_for_labels() -> None:
    with pytest.raises(InvalidValueError, match=r"leaders: expected each member once, or a mask of True and False"):
        shard(_graph(60, 90, 1), leaders=[0, 1] * 30, min_leaders=1)


@pytest.mark.parametrize("seed", range(6))
def test_what_moves_gain_adds_up_to_what_the_change_gained(seed: int) -> None:
    graph = _graph(80, 300, seed)
    here = graph.align(graph.members.take(np.arange(76)))
    shards = Shards.of(here, np.arange(76) % 8, sizes=(7, 12))
    left, came = [0, 1, 2, 3, 4], [76, 77, 78, 79]
    change = rebalance(shards, graph, joined=came, left=left, max_moves=20)
    among = graph.align(change.shards.members)
    before = {member: shards.of_member(member) for member in shards.members if member not in left}
    now = change.shards.assignment.labels()
    ends = list(zip(among.source.tolist(), among.target.tolist(), among.weight.tolist(), strict=True))
    members = among.members.labels.tolist()
    kept_now = sum(weight for one, other, weight in ends if now[one] == now[other])
    kept_before = sum(
        weight
        for one, other, weight in ends
        if members[one] in before and members[other] in before and before[members[one]] == before[members[other]]
    )
    gained = float(change.moves.gained.sum() + change.joined.gained.sum())
    assert gained == kept_now - kept_before
    for move in change.moves.rows():
        assert (move.reason is MoveReason.ROOM) is (
            move.gained <= 0 and move.reason in (MoveReason.ROOM, MoveReason.TIES)
        )


def test_the_first_label_that_nobody_has_is_named_and_how_many_there_are() -> None:
    known = Index(["ann", "bo", "cy"])
    with pytest.raises(UnknownLabelError, match=r"^left: expected a member, got 'dee' at row 1 \(1 of 3 rows\)$"):
        codes_named("left", ["ann", "dee", "bo"], known, "a member")
    with pytest.raises(UnknownLabelError, match=r"^left: expected a member, got 'dee' at row 2 \(2 of 4 rows\)$"):
        codes_named("left", ["ann", "cy", "dee", "dee"], known, "a member")
