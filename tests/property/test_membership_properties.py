from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shequn.columns import EventLog, Roster, memberships
from shequn.columns.changes import membership_changes
from shequn.entities import MemberRole
from shequn.values.instants import from_us

ROLES = [None, "owner", "kol"]
rows = st.tuples(
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["join", "leave", "remove", "role", "post"]),
    st.integers(0, 6),
    st.sampled_from([None, 1, 2]),
    st.sampled_from(ROLES),
)
logs = st.lists(rows, max_size=25)


def log_of(facts: list[tuple[Any, ...]]) -> EventLog:
    member, kind, at, group, role = ([row[i] for row in facts] for i in range(5))
    role = ["kol" if k == "role" and r is None else r for k, r in zip(kind, role, strict=True)]
    return EventLog.from_columns(member=member, kind=kind, at=at, time_unit="s", group=group, extra={"role": role})


def slowly_folded(log: EventLog, as_of_us: int) -> tuple[list[list[Any]], list[int]]:
    """The definition, a fact at a time: stays as [member, group, joined, left, role] and the rows of ignored moves."""
    columns = log.to_columns()
    order = sorted(range(len(log)), key=lambda row: (log.at_us[row], row))
    open_stays: dict[tuple[Any, Any], list[Any]] = {}
    stays, ignored = [], []
    for row in order:
        at_us = int(log.at_us[row])
        member, kind, group, role = (columns[name][row] for name in ("member", "kind", "group", "role"))
        if at_us > as_of_us or kind == "post":
            continue
        stay = open_stays.get((member, group))
        if kind == "role":
            if stay is not None:
                stay[4] = role
        elif (kind == "join") == (stay is not None):
            ignored.append(row)
        elif kind == "join":
            stay = [member, group, at_us, None, role or "member"]
            stays.append(stay)
            open_stays[member, group] = stay
        else:
            open_stays.pop((member, group))[3] = at_us
    return stays, sorted(ignored)


@given(logs, st.integers(-1, 7))
def test_stays_are_what_folding_one_fact_at_a_time_makes(facts, second):
    log = log_of(facts)
    as_of_us = second * 1_000_000
    stays = memberships(log, as_of=from_us(as_of_us))
    expected, ignored = slowly_folded(log, as_of_us)
    found = zip(
        stays.member.labels().tolist(),
        stays.group.labels().tolist(),
        stays.joined_us.tolist(),
        [None if left < 0 else left for left in stays.left_us.tolist()],
        stays.role.labels().tolist(),
        strict=True,
    )
    members, groups = list(log.members), [None, *(log.group.index if log.group else [])]
    place = {(stay[0], stay[1]): (members.index(stay[0]), groups.index(stay[1])) for stay in expected}
    # One member may come and go several times at one instant: the sort is stable, and stays were made in order.
    assert [list(stay) for stay in found] == sorted(expected, key=lambda stay: (place[stay[0], stay[1]], stay[2]))
    assert membership_changes(log, before_us=as_of_us + 1).ignored_rows.tolist() == ignored
    assert stays.ignored == len(ignored)


@given(logs, st.integers(-1, 7))
def test_sizes_and_masks_count_the_open_stays(facts, second):
    log = log_of(facts)
    stays = memberships(log, as_of=from_us(second * 1_000_000))
    expected = [stay for stay in slowly_folded(log, second * 1_000_000)[0] if stay[3] is None]
    sizes = Counter(stay[1] for stay in expected)
    assert {group: n for group, n in stays.sizes().items() if n} == sizes
    inside = {stay[0] for stay in expected}
    assert stays.inside().tolist() == [member in inside for member in log.members]
    for group in stays.groups:
        in_group = {stay[0] for stay in expected if stay[1] == group}
        assert stays.inside(group).tolist() == [member in in_group for member in log.members]
    roster = Roster.from_columns(member=["d", "c", "b", "a"])
    for role in ("owner", MemberRole.MEMBER):
        with_role = {stay[0] for stay in expected if stay[4] == role}
        assert roster.has_role(role, stays).tolist() == [member in with_role for member in roster.members]


@given(logs)
def test_changes_of_a_member_in_a_group_alternate_and_begin_with_a_join(facts):
    log = log_of(facts)
    changes = membership_changes(log)
    units = list(zip(changes.member.codes.tolist(), changes.group.codes.tolist(), strict=True))
    assert units == sorted(units)
    for unit in set(units):
        steps = [step for step, other in zip(changes.delta.tolist(), units, strict=True) if other == unit]
        assert steps == [1, -1] * (len(steps) // 2) + [1] * (len(steps) % 2)
    moves = [row for row, fact in enumerate(facts) if fact[1] in {"join", "leave", "remove"}]
    assert sorted([*changes.rows.tolist(), *changes.ignored_rows.tolist()]) == moves


@given(logs, st.integers(1, 4))
def test_parts_of_a_log_split_by_member_have_the_stays_of_the_whole(facts, n):
    log = log_of(facts)
    as_of = from_us(5_000_000)
    of_parts = [list(stay) for part in log.partition(n) for stay in memberships(part, as_of=as_of).rows()]
    assert sorted(map(str, of_parts)) == sorted(str(list(stay)) for stay in memberships(log, as_of=as_of).rows())
