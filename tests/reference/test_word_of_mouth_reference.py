"""Who brought whom is what one tells by hand, and cascades are measured as networkx measures trees."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference.slow_word_of_mouth import slow_generations, slow_trees, slow_word_of_mouth

from shequn.columns import EventLog, Roster
from shequn.labels import Index
from shequn.network import WordOfMouth, word_of_mouth
from shequn.values.instants import from_us

names = st.sampled_from(["ann", "bo", "cy", "dee", "ed", "flo"])
row = st.tuples(names, st.sampled_from(["join", "invite", "invite", "invite"]), st.integers(0, 6), names | st.none())


@given(st.lists(row, max_size=25))
def test_rows_are_judged_as_by_hand(rows):
    member, kind, at, target = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    log = EventLog.from_columns(member=member, kind=kind, at=at, target=target, time_unit="s")
    found = word_of_mouth(log, unknown_kinds="ignore")
    told = slow_word_of_mouth(rows)
    members = list(found.members)
    assert {m: members[by] for m, by in zip(members, found.inviter, strict=True) if by >= 0} == told.inviter
    assert {m for m, came in zip(members, found.newcomer, strict=True) if came} == set(told.came)
    assert {m: n for m, n in zip(members, found.invited.tolist(), strict=True) if n} == told.invited
    assert all(found.left_out.get(reason, 0) == number for reason, number in told.left_out.items())
    # Each invitation is accounted for once.
    assert int(found.invited.sum()) + sum(found.left_out.values()) == kind.count("invite")
    assert_trees_are(found, slow_trees(members, told.inviter))
    for seconds, until in ((1, 3), (3, 6)):
        levels = found.generations_within(dt.timedelta(seconds=seconds), observed_until=from_us(until * 1_000_000))
        assert [(row.members, row.joined) for row in levels.rows()] == slow_generations(told, seconds, until)


def assert_trees_are(found: WordOfMouth, expected: dict) -> None:
    trees = {row.root: row for row in found.cascades.rows()}
    assert set(trees) == set(expected)
    for root, tree in trees.items():
        assert {name: getattr(tree, name) for name in ("size", "depth", "width")} == {
            name: expected[root][name] for name in ("size", "depth", "width")
        }
        assert tree.virality == pytest.approx(expected[root]["virality"])


@given(st.dictionaries(st.integers(0, 8), st.none() | st.integers(0, 11), max_size=9), st.data())
def test_a_roster_is_read_as_by_hand(invited_by, data):
    joined = data.draw(st.lists(st.none() | st.integers(0, 3), min_size=len(invited_by), max_size=len(invited_by)))
    roster = Roster.from_columns(
        member=[f"m{member}" for member in invited_by],
        joined=joined,
        time_unit="s",
        fields={"invited_by": [None if by is None else f"m{by}" for by in invited_by.values()]},
    )
    came = dict(zip(invited_by, joined, strict=True))
    inviter = {member: by for member, by in invited_by.items() if by is not None and by != member}
    early = {m for m, by in inviter.items() if came[m] is not None and came.get(by) is not None and came[by] > came[m]}
    inviter = {member: by for member, by in inviter.items() if member not in early}

    def goes_round(member: int) -> bool:
        at = inviter.get(member)
        for _ in inviter:
            if at == member:
                return True
            at = inviter.get(at)
        return False

    circular = {member for member in inviter if goes_round(member)}
    inviter = {f"m{member}": f"m{by}" for member, by in inviter.items() if member not in circular}
    found = word_of_mouth(roster)
    members = list(found.members)
    assert {m: members[by] for m, by in zip(members, found.inviter, strict=True) if by >= 0} == inviter
    assert found.left_out == {
        "premature": len(early),
        "to_self": sum(member == by for member, by in invited_by.items()),
        "circular": len(circular),
    }
    assert int(found.newcomer.sum()) == len(invited_by)
    assert_trees_are(found, slow_trees(members, inviter))


@pytest.mark.parametrize("seed", range(6))
def test_cascades_are_those_of_networkx(seed):
    nx = pytest.importorskip("networkx")
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 120))
    chance = rng.random(n)
    inviter = np.array([int(rng.integers(0, i)) if i and chance[i] < 0.85 else -1 for i in range(n)])
    found = WordOfMouth(members=Index.positional(n), newcomer=inviter >= 0, inviter=inviter)
    graph = nx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from((i, int(by)) for i, by in enumerate(inviter) if by >= 0)
    for row in found.cascades.rows():
        tree = graph.subgraph(nx.node_connected_component(graph, row.root))
        levels = nx.single_source_shortest_path_length(tree, row.root)
        assert (row.size, row.depth) == (len(tree), max(levels.values()))
        assert row.width == max(np.bincount(list(levels.values())))
        assert row.virality == pytest.approx(nx.average_shortest_path_length(tree))
    assert sorted(found.cascades.size.tolist()) == sorted(
        len(part) for part in nx.connected_components(graph) if len(part) > 1
    )
