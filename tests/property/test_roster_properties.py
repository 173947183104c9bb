from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shequn.columns import Roster, Tags
from shequn.labels import Index

names = st.lists(st.text(st.characters(categories=["L", "C"]), min_size=1, max_size=2), unique=True) | st.lists(
    st.integers(-3, 9), unique=True
)
sets = st.none() | st.sets(st.sampled_from(["tea", "hiking", "chess"]))


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    member: list[Any] = draw(names)

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=len(member), max_size=len(member)))

    return Roster.from_columns(
        member=member,
        joined=column(st.integers(0, 9) | st.none()),
        left=column(st.integers(9, 20) | st.none()),
        time_unit="s",
        fields={"city": column(st.sampled_from(["沪", "京", None])), "age": column(st.integers(0, 9) | st.none())},
        tags={"interests": column(sets)},
    )


def said(roster: Roster) -> dict[Any, str]:
    """What a roster says of each member, as text."""
    columns = {name: column.tolist() for name, column in roster.to_columns().items()}
    joined, left = roster.joined_us.tolist(), roster.left_us.tolist()
    return {
        member: repr([joined[row], left[row], *(columns[name][row] for name in ("city", "age", "interests"))])
        for row, member in enumerate(columns["member"])
    }


@given(rosters())
def test_a_roster_comes_back_from_its_columns_and_from_a_pickle(roster):
    columns = roster.to_columns()
    back = Roster.from_columns(
        member=columns["member"],
        joined=columns.get("joined"),
        left=columns.get("left"),
        at_tz="UTC",
        fields={name: columns[name] for name in ("city", "age")},
        tags={"interests": columns["interests"]},
    )
    assert said(back) == said(roster)
    assert pickle.loads(pickle.dumps(roster)) == roster  # noqa: S301


@given(rosters())
def test_a_roster_comes_back_from_its_records_but_for_who_left(roster):
    back = Roster.from_members(roster.to_members())
    assert back.members == roster.members
    assert back.joined_us.tolist() == roster.joined_us.tolist()
    for member, again in zip(roster.to_members(), back.to_members(), strict=True):
        assert (again.id, again.joined, dict(again.fields), dict(again.tags)) == (
            member.id,
            member.joined,
            dict(member.fields),
            dict(member.tags),
        )


@given(rosters(), st.randoms(use_true_random=False), st.data())
def test_any_part_in_any_order_says_the_same_of_each_member(roster, random, data):
    rows = data.draw(st.lists(st.integers(0, len(roster) - 1), unique=True)) if len(roster) else []
    part, everything = roster.take(rows), said(roster)
    assert said(part) == {roster.members[row]: everything[roster.members[row]] for row in rows}
    shuffled = list(roster.members)
    random.shuffle(shuffled)
    aligned = roster.align(Index(shuffled))
    assert list(aligned.members) == shuffled
    assert said(aligned) == everything
    assert aligned.align(roster.members) == roster


@given(st.lists(st.none() | st.lists(st.sampled_from(["tea", "hiking", "茶", ""]))), st.data())
def test_tags_are_sets_by_row(rows, data):
    tags = Tags.of(rows, argument="x")
    expected = [set(labels or ()) for labels in rows]
    assert [set(tags.row(row)) for row in range(len(tags))] == expected
    assert [tuple(sorted(labels)) for labels in expected] == tags.to_objects().tolist()
    for label in ("tea", "", "nothing"):
        assert tags.mask(label).tolist() == [label in labels for labels in expected]
    chosen = data.draw(st.lists(st.integers(-1, len(rows) - 1))) if rows else []
    taken = tags.take(np.array(chosen, dtype=np.int64))
    assert [set(taken.row(row)) for row in range(len(taken))] == [set() if row < 0 else expected[row] for row in chosen]
