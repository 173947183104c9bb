from __future__ import annotations

import copy
import datetime as dt
import json
import pickle
from typing import Any

import numpy as np
import pytest

from shequn.columns import EventLog, Memberships, Stay, memberships
from shequn.columns.changes import membership_changes
from shequn.columns.membership import NO_INSTANT
from shequn.entities import EventKind, MemberRole
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownKindWarning, UnknownLabelError
from shequn.labels import Index
from shequn.values.instants import from_us

SECOND = 1_000_000


def at(second: int) -> dt.datetime:
    return from_us(second * SECOND)


def facts(*rows: tuple[Any, ...], **more: Any) -> EventLog:
    """A log of (second, member, kind, group) facts."""
    seconds, members, kinds, groups = zip(*rows, strict=True)
    if any(group is not None for group in groups):
        more["group"] = groups
    return EventLog.from_columns(member=members, kind=kinds, at=seconds, time_unit="s", **more)


LOG = facts(
    (0, "ann", "join", "tea"),
    (1, "bo", "join", "tea"),
    (2, "ann", "post", "tea"),
    (3, "ann", "join", "hike"),
    (4, "bo", "leave", "tea"),
    (5, "bo", "post", "tea"),
    (6, "bo", "join", "tea"),
    (7, "ann", "remove", "hike"),
)


def stays_of(log: EventLog, second: int = 100, **options: Any) -> list[tuple[Any, ...]]:
    """Each stay as (member, group, joined, left) in seconds."""
    stays = memberships(log, as_of=at(second), **options)
    return [
        (stay.member, stay.group, seconds(stay.joined), None if stay.left is None else seconds(stay.left))
        for stay in stays.rows()
    ]


def seconds(instant: dt.datetime) -> float:
    return instant.timestamp()


# --- stays ---


def test_a_stay_begins_with_a_join_and_ends_with_a_leave_or_a_removal():
    assert stays_of(LOG) == [
        ("ann", "tea", 0, None),
        ("ann", "hike", 3, 7),
        ("bo", "tea", 1, 4),
        ("bo", "tea", 6, None),
    ]


def test_a_member_who_comes_back_begins_a_new_stay():
    log = facts((0, "ann", "join", "g"), (1, "ann", "leave", "g"), (2, "ann", "join", "g"))
    assert stays_of(log) == [("ann", "g", 0, 1), ("ann", "g", 2, None)]


def test_a_member_may_be_in_many_groups():
    log = facts((0, "ann", "join", "a"), (1, "ann", "join", "b"), (2, "ann", "leave", "a"))
    assert stays_of(log) == [("ann", "a", 0, 2), ("ann", "b", 1, None)]


@pytest.mark.parametrize(
    ("second", "expected"),
    [(-1, []), (0, [("ann", "tea", 0, None)]), (3, [("ann", "tea", 0, None), ("ann", "hike", 3, None)]), (4, None)],
)
def test_facts_up_to_the_instant_are_known_and_later_ones_are_not(second, expected):
    stays = [stay for stay in stays_of(LOG, second) if stay[0] == "ann"]
    assert stays == (expected if expected is not None else [("ann", "tea", 0, None), ("ann", "hike", 3, None)])
    assert all(left is None or left <= second for *_, left in stays_of(LOG, second))


def test_a_fact_at_the_very_instant_is_known():
    assert stays_of(facts((5, "ann", "join", "g"), (7, "ann", "leave", "g")), 7) == [("ann", "g", 5, 7)]
    log = EventLog.from_columns(member=["a"], kind="join", at=[5 * SECOND + 1], time_unit="us")
    assert len(memberships(log, as_of=at(5))) == 0


def test_a_join_while_inside_and_a_leave_while_outside_change_nothing_and_are_counted():
    log = facts((0, "a", "leave", "g"), (1, "a", "join", "g"), (2, "a", "join", "g"), (3, "a", "leave", "h"))
    assert stays_of(log) == [("a", "g", 1, None)]
    stays = memberships(log, as_of=at(9))
    assert stays.ignored == 3
    assert stays.table().splitlines()[-1] == "3 facts changed nothing: a join while inside or a leave while outside"
    assert stays.table(lang="zh").splitlines()[-1].startswith("3 条记录未改变状态")


def test_of_facts_at_one_instant_the_row_decides():
    assert stays_of(facts((1, "a", "join", "g"), (1, "a", "leave", "g"))) == [("a", "g", 1, 1)]
    assert stays_of(facts((1, "a", "leave", "g"), (1, "a", "join", "g"))) == [("a", "g", 1, None)]


def test_the_order_of_rows_does_not_matter_where_instants_differ():
    order = [7, 2, 0, 5, 1, 6, 3, 4]
    events = list(LOG.to_events())
    shuffled = EventLog.from_events([events[row] for row in order])
    assert sorted(stays_of(shuffled), key=str) == sorted(stays_of(LOG), key=str)


def test_facts_without_a_group_are_about_the_community():
    log = facts((0, "a", "join", None), (1, "a", "join", "g"), (2, "a", "leave", None), (3, "b", "join", None))
    assert stays_of(log) == [("a", None, 0, 2), ("a", "g", 1, None), ("b", None, 3, None)]
    assert memberships(log, as_of=at(9)).sizes() == {"g": 1, None: 1}
    no_groups = facts((0, "a", "join", None), (1, "b", "join", None))
    assert memberships(no_groups, as_of=at(9)).sizes() == {None: 2}


def test_kinds_of_ones_own_may_bring_in_and_take_out():
    log = facts((0, "a", "enter", "g"), (1, "a", "exit", "g"), (2, "b", "join", "g"))
    assert stays_of(log, join="enter", leave={"exit"}) == [("a", "g", 0, 1)]
    assert stays_of(log, join={"enter", EventKind.JOIN}, leave={"exit"}) == [("a", "g", 0, 1), ("b", "g", 2, None)]


# --- sizes and masks ---


def test_a_group_has_as_many_members_as_open_stays():
    stays = memberships(LOG, as_of=at(6))
    assert stays.sizes() == {"tea": 2, "hike": 1}
    assert memberships(LOG, as_of=at(5)).sizes() == {"tea": 1, "hike": 1}
    assert memberships(LOG, as_of=at(-1)).sizes() == {"tea": 0, "hike": 0}


def test_who_is_inside_is_a_mask_over_all_members_of_the_log():
    log = facts((0, "a", "post", "g"), (1, "b", "join", "g"), (2, "c", "join", "h"))
    stays = memberships(log, as_of=at(9))
    assert stays.members is log.members
    assert stays.inside().tolist() == [False, True, True]
    assert stays.inside("h").tolist() == [False, False, True]
    assert not stays.inside().flags.writeable
    with pytest.raises(UnknownLabelError, match=r"^group: expected one of 2 known labels, got 'x'$"):
        stays.inside("x")


def test_a_log_without_facts_has_no_stays():
    for log in (EventLog.empty(), LOG.where(kinds="post"), LOG.where(kinds=[])):
        stays = memberships(log, as_of=at(9))
        assert len(stays) == 0
        assert stays.inside().tolist() == [False] * len(log.members)
        assert sum(stays.sizes().values()) == 0
        assert stays.to_columns()["joined"].dtype == np.dtype("M8[us]")
        assert len(membership_changes(log)) == 0


# --- roles ---


def with_roles(*rows: tuple[Any, ...]) -> EventLog:
    """A log of (second, member, kind, group, role) facts."""
    return facts(*[row[:4] for row in rows], extra={"role": [row[4] for row in rows]})


def roles_of(log: EventLog, second: int = 100, **options: Any) -> list[MemberRole]:
    return [stay.role for stay in memberships(log, as_of=at(second), **options).rows()]


def test_a_stay_has_the_latest_role_given_in_it():
    log = with_roles(
        (0, "a", "join", "g", None),
        (1, "a", "role", "g", "admin"),
        (2, "a", "role", "g", "群主"),
        (3, "a", "role", "h", "kol"),
    )
    assert roles_of(log) == [MemberRole.OWNER]
    assert roles_of(log, 1) == [MemberRole.ADMIN]
    assert roles_of(log, 0) == [MemberRole.MEMBER]
    stays = memberships(log, as_of=at(9))
    assert stays.ignored_roles == 1
    assert stays.table().splitlines()[-1] == "1 roles were given to someone outside"


def test_a_role_ends_with_its_stay():
    log = with_roles(
        (0, "a", "join", "g", None),
        (1, "a", "role", "g", "admin"),
        (2, "a", "leave", "g", None),
        (3, "a", "join", "g", None),
        (4, "b", "role", "g", "owner"),
        (5, "b", "join", "g", None),
    )
    assert roles_of(log) == [MemberRole.ADMIN, MemberRole.MEMBER, MemberRole.MEMBER]


def test_a_join_may_say_with_which_role_the_stay_begins():
    log = with_roles(
        (0, "a", "join", "g", "owner"),
        (1, "b", "join", "g", None),
        (2, "a", "join", "g", "kol"),
        (3, "c", "join", "g", "bot"),
    )
    assert roles_of(log) == [MemberRole.OWNER, MemberRole.MEMBER, MemberRole.BOT]


def test_of_a_role_and_a_leave_at_one_instant_the_row_decides():
    inside = with_roles((0, "a", "join", "g", None), (1, "a", "role", "g", "kol"), (1, "a", "leave", "g", None))
    outside = with_roles((0, "a", "join", "g", None), (1, "a", "leave", "g", None), (1, "a", "role", "g", "kol"))
    assert (roles_of(inside), roles_of(outside)) == ([MemberRole.KOL], [MemberRole.MEMBER])


def test_the_role_may_stand_in_another_column_and_be_given_by_another_kind():
    log = facts((0, "a", "join", "g"), (1, "a", "promote", "g"), item=[None, "owner"])
    assert roles_of(log, role={"promote"}, role_column="item") == [MemberRole.OWNER]


def test_a_role_facts_column_is_there():
    log = facts((0, "a", "join", "g"), (1, "a", "role", "g"))
    with pytest.raises(
        UnknownLabelError, match=r"^role_column: expected one of the log's columns \(member, kind, group\), got 'ro"
    ):
        memberships(log, as_of=at(9))
    assert roles_of(facts((0, "a", "join", "g"))) == [MemberRole.MEMBER]


def test_a_fact_of_a_role_names_one():
    log = with_roles((0, "a", "join", "g", "owner"), (1, "a", "role", "g", None), (2, "b", "role", "g", None))
    with pytest.raises(
        InvalidValueError,
        match=r"^role: expected a role in each row that gives one, got None at row 1 \(2 of 2 rows\)$",
    ):
        memberships(log, as_of=at(9))
    assert roles_of(log, 0) == [MemberRole.OWNER]


def test_an_unknown_role_is_refused_with_its_row_and_the_closest_one():
    log = with_roles((0, "a", "join", "g", None), (1, "a", "role", "g", "ower"))
    with pytest.raises(
        UnknownLabelError,
        match=r"^role: expected code, zh or en of one of the 8 MemberRole values, got 'ower' at row 1 \(1 of 1 rows\); "
        r"did you mean 'owner'\?$",
    ):
        memberships(log, as_of=at(9))
    numbers = facts((0, "a", "join", "g"), (1, "a", "role", "g"), extra={"role": [1, 1]})
    with pytest.raises(UnknownLabelError, match=r"^role: .*, got 1 at row 0 \(2 of 2 rows\)"):
        memberships(numbers, as_of=at(9))


def test_who_is_inside_in_a_role():
    log = with_roles((0, "a", "join", "g", "owner"), (1, "b", "join", "g", None), (2, "b", "join", "h", "owner"))
    stays = memberships(log, as_of=at(9))
    assert stays.inside(role="群主").tolist() == [True, True]
    assert stays.inside("g", role=MemberRole.OWNER).tolist() == [True, False]
    assert stays.inside("g", role="bot").tolist() == [False, False]
    with pytest.raises(
        UnknownLabelError,
        match=r"^role: expected code, zh or en of one of the 8 MemberRole values \(owner, .*\), got 'x'",
    ):
        stays.inside(role="x")


# --- changes ---


def test_changes_come_in_turns_by_member_and_group():
    changes = membership_changes(LOG)
    assert changes.member.labels().tolist() == ["ann", "ann", "ann", "bo", "bo", "bo"]
    assert changes.group.labels().tolist() == ["tea", "hike", "hike", "tea", "tea", "tea"]
    assert changes.delta.tolist() == [1, 1, -1, 1, -1, 1]
    assert changes.rows.tolist() == [0, 3, 7, 1, 4, 6]
    assert (changes.at_us // SECOND).tolist() == [0, 3, 7, 1, 4, 6]
    assert changes.ignored == 0


def test_ignored_facts_are_told_by_row_and_instant():
    log = facts((9, "a", "leave", "g"), (1, "b", "leave", "g"), (2, "b", "join", "g"), (3, "b", "join", "g"))
    changes = membership_changes(log)
    assert changes.ignored_rows.tolist() == [0, 1, 3]
    assert (changes.ignored_at_us // SECOND).tolist() == [9, 1, 3]
    assert len(changes) == 1
    assert repr(changes) == "MembershipChanges(1 changes, 3 ignored)"


def test_facts_at_the_end_are_left_out():
    changes = membership_changes(LOG, before_us=4 * SECOND)
    assert changes.rows.tolist() == [0, 3, 1]
    assert membership_changes(LOG, before_us=4 * SECOND + 1).rows.tolist() == [0, 3, 1, 4]


# --- what is refused ---


def test_a_kind_has_one_meaning():
    for options in ({"join": "leave"}, {"leave": ["quit", "join"]}, {"join": "quit", "leave": "quit"}):
        with pytest.raises(InvalidValueError, match=r"^leave: expected kinds that have no other meaning here, got '"):
            membership_changes(LOG, **options, unknown_kinds="ignore")
    with pytest.raises(InvalidValueError, match=r"^role: expected kinds that have no other meaning here, got 'join'$"):
        memberships(LOG, as_of=at(9), role={"role", "join"})


def test_a_kind_named_that_the_log_lacks_warns_once_named():
    with pytest.warns(
        UnknownKindWarning, match=r"^join: expected kinds that the log contains, got 'jion'; did you mean 'jo"
    ):
        memberships(LOG, as_of=at(9), join={"jion"})
    with pytest.warns(UnknownKindWarning, match=r"^role: expected kinds that the log contains, got 'promote'"):
        memberships(LOG, as_of=at(9), role="promote")
    with pytest.raises(UnknownLabelError, match=r"^leave: expected kinds that the log contains, got 'quit'$"):
        membership_changes(LOG, leave={"quit"}, unknown_kinds="raise")
    assert len(memberships(LOG, as_of=at(9), join={"jion"}, unknown_kinds="ignore")) == 0
    assert len(memberships(LOG.where(kinds="post"), as_of=at(9))) == 0


@pytest.mark.parametrize("as_of", [7, None, "2024-01-01", dt.date(2024, 1, 1)])
def test_the_instant_is_an_aware_datetime(as_of):
    with pytest.raises((InvalidTypeError, InvalidValueError), match=r"^as_of: expected an aware datetime, got "):
        memberships(LOG, as_of=as_of)


# --- what it looks like ---


def test_stays_are_tidy_columns_and_records():
    stays = memberships(LOG, as_of=at(9))
    columns = stays.to_columns()
    assert list(columns) == ["member", "group", "joined", "left", "role"]
    assert columns["left"].tolist()[1] == dt.datetime(1970, 1, 1, 0, 0, 7)  # noqa: DTZ001
    assert np.isnat(columns["left"]).tolist() == stays.is_open.tolist() == [True, False, False, True]
    assert stays.left_us[0] == NO_INSTANT
    assert stays.last() == Stay(member="bo", group="tea", joined=from_us(6 * SECOND), left=None, role=MemberRole.MEMBER)
    assert json.loads(json.dumps(stays.to_dict()))["columns"]["role"] == ["member"] * 4
    assert stays.groups == Index(["tea", "hike"])


def test_stays_read_in_both_languages():
    stays = memberships(LOG.where(members=["bo"]), as_of=at(9))
    assert str(stays) == (
        "1 open of 2 stays as of 1970-01-01 00:00 UTC\n"
        "member  group  joined               left                 role\n"
        "───────────────────────────────────────────────────────────────\n"
        "bo      tea    1970-01-01 00:00:01  1970-01-01 00:00:04  member\n"
        "bo      tea    1970-01-01 00:00:06  –                    member"
    )
    lines = stays.table(lang="zh").splitlines()
    assert lines[0] == "截至 1970-01-01 00:00 UTC：2 段成员关系，其中 1 段存续"
    assert lines[1].split() == ["成员", "群", "加入", "离开", "角色"]
    assert lines[-1].endswith("群友")


def test_stays_are_equal_when_all_they_say_is():
    stays = memberships(LOG, as_of=at(9))
    assert stays == memberships(LOG, as_of=at(9))
    assert stays != memberships(LOG, as_of=at(8))
    assert stays != 7
    assert membership_changes(LOG) == membership_changes(LOG)
    assert membership_changes(LOG) != membership_changes(LOG, before_us=5 * SECOND)
    assert membership_changes(LOG) != stays
    for record in (stays, membership_changes(LOG)):
        with pytest.raises(TypeError):
            hash(record)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda record: pickle.loads(pickle.dumps(record))])  # noqa: S301
@pytest.mark.parametrize("record", [memberships(LOG, as_of=at(9)), membership_changes(LOG)], ids=repr)
def test_a_copy_of_stays_is_read_only_too(record, duplicate):
    double = duplicate(record)
    assert double == record
    name = "left_us" if isinstance(record, Memberships) else "ignored_rows"
    assert not getattr(double, name).flags.writeable
    assert repr(double) == repr(record)


@pytest.mark.parametrize("log", [None, 7, np.array([1]), {}])
def test_what_is_no_log_has_no_members(log: Any):
    with pytest.raises(InvalidTypeError, match=r"^log: expected an EventLog, got "):
        memberships(log, as_of=at(0))
    with pytest.raises(InvalidTypeError, match=r"^log: expected an EventLog, got "):
        membership_changes(log)


@pytest.mark.parametrize("before", [np.array([1, 2]), 1.5, np.timedelta64(1, "s")])
def test_the_end_of_the_facts_is_an_integer(before: Any):
    with pytest.raises(InvalidTypeError, match=r"^before_us: expected an integer, got "):
        membership_changes(EventLog.empty(), before_us=before)


@pytest.mark.parametrize("kinds", [b"join", [1], np.array("join")])
def test_membership_facts_are_told_by_words(kinds: Any):
    with pytest.raises(InvalidTypeError, match=r"^join: expected kinds of event as str, got "):
        membership_changes(EventLog.empty(), join=kinds)
