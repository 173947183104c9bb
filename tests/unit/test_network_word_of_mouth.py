from __future__ import annotations

import copy
import datetime as dt
import math
import pickle

import attrs
import numpy as np
import pytest

from shequn.columns import EventLog, Roster
from shequn.entities import Member
from shequn.errors import (
    InvalidTypeError,
    InvalidValueError,
    MisalignedError,
    UnknownKindWarning,
    UnknownLabelError,
)
from shequn.labels import Index
from shequn.network import Cascades, Generations, WordOfMouth, word_of_mouth

# Ann was there before; bo and dee come by her, cy by bo, ed by himself; nobody comes of flo's invitation.
ROWS = [
    ("ann", "invite", 0, "bo"), ("ann", "invite", 1, "dee"), ("ann", "invite", 2, "flo"),
    ("bo", "join", 3, None), ("bo", "invite", 4, "cy"), ("dee", "join", 5, None), ("cy", "join", 6, None),
    ("ed", "join", 7, None),
]  # fmt: skip


def log_of(rows: list) -> EventLog:
    member, kind, at, target = (list(column) for column in zip(*rows, strict=True))
    return EventLog.from_columns(member=member, kind=kind, at=at, target=target, time_unit="s")


def inviters(found: WordOfMouth) -> dict:
    members = list(found.members)
    return {member: members[by] for member, by in zip(members, found.inviter.tolist(), strict=True) if by >= 0}


# --- who brought whom ---


def test_whoever_invited_a_newcomer_brought_them():
    found = word_of_mouth(log_of(ROWS))
    assert inviters(found) == {"bo": "ann", "dee": "ann", "cy": "bo"}
    assert (found.referred_share.hits, found.referred_share.trials) == (3, 4)
    assert dict(zip(found.members, found.downstream.tolist(), strict=True)) == {
        "ann": 3, "bo": 1, "dee": 0, "cy": 0, "ed": 0,
    }  # fmt: skip
    assert found.path("cy") == ("ann", "bo", "cy")
    assert found.path("ed") == ("ed",)
    assert sum(found.left_out.values()) == 0


def test_the_first_of_two_inviters_wins():
    rows = [("bo", "invite", 2, "cy"), ("ann", "invite", 1, "cy"), ("ann", "invite", 3, "cy"), ("cy", "join", 4, None)]
    found = word_of_mouth(log_of(rows))
    assert inviters(found) == {"cy": "ann"}
    assert found.left_out["again"] == 2
    assert dict(zip(found.members, found.invited.tolist(), strict=True)) == {"bo": 0, "ann": 1, "cy": 0}


def test_of_the_same_instant_the_earlier_row_wins():
    rows = [("bo", "invite", 1, "cy"), ("ann", "invite", 1, "cy"), ("cy", "join", 1, None)]
    assert inviters(word_of_mouth(log_of(rows))) == {"cy": "bo"}


def test_who_is_in_already_cannot_be_invited():
    rows = [("cy", "join", 1, None), ("ann", "invite", 2, "cy"), ("cy", "leave", 3, None), ("cy", "join", 4, None)]
    found = word_of_mouth(log_of(rows))
    assert inviters(found) == {}
    assert found.left_out["late"] == 1
    assert "invitations that don't count: 1 late" in str(found)
    assert "不计的邀请：对方已在群 1" in found.table(lang="zh")


def test_two_who_invited_each_other_were_not_both_brought():
    rows = [("ann", "invite", 0, "bo"), ("bo", "invite", 0, "ann"), ("bo", "join", 1, None), ("ann", "join", 2, None)]
    found = word_of_mouth(log_of(rows))
    assert inviters(found) == {}
    assert found.left_out["premature"] == 2


def test_two_who_came_at_the_same_instant_came_in_the_order_of_their_rows():
    rows = [("ann", "join", 0, None), ("bo", "join", 0, None), ("bo", "invite", 0, "ann"), ("ann", "invite", 0, "bo")]
    found = word_of_mouth(log_of(rows))
    assert inviters(found) == {"bo": "ann"}
    assert found.left_out["premature"] == 1


def test_nobody_brings_themselves_and_an_invitation_to_nobody_brings_nobody():
    found = word_of_mouth(log_of([("ann", "invite", 0, "ann"), ("ann", "invite", 0, None), ("ann", "join", 1, None)]))
    assert (found.left_out["to_self"], found.left_out["without_target"]) == (1, 1)
    assert found.invited.tolist() == [0]


def test_a_log_without_targets_knows_no_inviter():
    log = EventLog.from_columns(member=["ann", "bo"], kind=["invite", "join"], at=[0, 1], time_unit="s")
    found = word_of_mouth(log)
    assert inviters(found) == {}
    assert found.left_out == {"without_target": 1}
    assert (found.referred_share.hits, found.referred_share.trials) == (0, 1)


def test_an_empty_log_has_no_word_of_mouth():
    found = word_of_mouth(EventLog.empty())
    assert math.isnan(found.referred_share.value)
    assert len(found.cascades) == len(found.generations) == 0
    assert "(no rows)" in str(found)
    assert str(found.cascades)
    assert str(found.generations)


def test_kinds_have_other_names_elsewhere():
    rows = [("ann", "refer", 0, "bo"), ("bo", "register", 1, None)]
    assert inviters(word_of_mouth(log_of(rows), invite={"refer"}, join="register")) == {"bo": "ann"}


def test_a_kind_that_the_log_lacks_is_told():
    with pytest.warns(UnknownKindWarning, match="invite: expected kinds that the log contains, got 'invite'"):
        word_of_mouth(log_of([("ann", "join", 0, None)]))


# --- from a roster ---


def test_a_roster_says_who_invited_each():
    roster = Roster.from_members(
        [Member(id="ann"), Member(id="bo", invited_by="ann"), Member(id="cy", invited_by="zoe")]
    )
    found = word_of_mouth(roster)
    assert inviters(found) == {"bo": "ann", "cy": "zoe"}
    assert found.newcomer.tolist() == [True, True, True, False]
    assert found.invited is None
    assert "invited" not in found.table()
    assert found.to_columns()["invited"].tolist() == [-1, -1]
    assert np.isnan(found.to_columns()["conversion"]).all()
    assert np.isnan(found.generations.to_columns()["conversion"]).all()
    assert "conversion" not in str(found.generations)


def test_members_and_inviters_may_be_numbers():
    found = word_of_mouth(Roster.from_members([Member(id=7), Member(id=9, invited_by=7), Member(id=8, invited_by=3)]))
    assert inviters(found) == {9: 7, 8: 3}
    assert found.path(9) == (7, 9)
    known = word_of_mouth(Roster.from_columns(member=[5, 6], fields={"invited_by": [6, 5]}))
    assert known.left_out["circular"] == 2


def test_who_joined_later_brought_nobody_before():
    roster = Roster.from_columns(
        member=["ann", "bo", "cy"], joined=[5, 3, None], time_unit="s", fields={"by": [None, "ann", "ann"]}
    )
    found = word_of_mouth(roster, invited_by="by")
    assert inviters(found) == {"cy": "ann"}
    assert found.left_out == {"premature": 1, "to_self": 0, "circular": 0}


def test_of_a_circle_nobody_was_brought_and_who_hangs_on_it_was():
    roster = Roster.from_columns(member=["a", "b", "c", "d"], fields={"invited_by": ["b", "c", "a", "a"]})
    found = word_of_mouth(roster)
    assert inviters(found) == {"d": "a"}
    assert found.left_out["circular"] == 3
    assert "循环邀请 3" in found.table(lang="zh")


# --- cascades and generations ---


def test_cascades_are_measured_as_trees():
    found = word_of_mouth(log_of(ROWS)).cascades
    (row,) = found.rows()
    assert (row.root, row.size, row.depth, row.width) == ("ann", 4, 2, 2)
    assert row.virality == pytest.approx((1 + 1 + 2 + 2 + 1 + 3) / 6)
    assert repr(found) == "Cascades(1 cascade, the largest of 4 members)"
    nobody = WordOfMouth(members=Index(["a"]), newcomer=[False], inviter=[-1])
    assert repr(nobody.cascades) == "Cascades(0 cascades)"
    assert repr(nobody.generations) == "Generations(1 generation, 1 member)"
    assert "结构病毒性" in found.table(lang="zh")


def test_a_long_chain_is_deep_and_viral():
    n = 3_000
    found = WordOfMouth(members=Index.positional(n), newcomer=[False] + [True] * (n - 1), inviter=np.arange(n) - 1)
    (row,) = found.cascades.rows()
    assert (row.depth, row.width) == (n - 1, 1)
    assert row.virality == pytest.approx((n + 1) / 3)
    assert found.downstream.tolist() == list(range(n - 1, -1, -1))


def test_generations_say_how_many_each_member_brings():
    found = word_of_mouth(log_of(ROWS)).generations
    rows = list(found.rows())
    assert [(row.members, row.invited, row.joined) for row in rows] == [(2, 3, 2), (2, 1, 1), (1, 0, 0)]
    assert [row.k for row in rows] == [1.0, 0.5, 0.0]
    assert found.conversion[:2].tolist() == [2 / 3, 1.0]
    assert math.isnan(found.conversion[2])
    assert repr(found) == "Generations(3 generations, 5 members)"
    assert "末几代时间尚短" in found.table(lang="zh")


def test_whoever_joined_lately_has_no_say_in_what_members_bring_in_their_first_days():
    day = 86_400
    rows = [
        ("ann", "join", 0, None), ("ann", "invite", day, "bo"), ("bo", "join", day, None),
        ("ann", "invite", 2 * day, "cy"), ("cy", "join", 2 * day, None),
        ("bo", "invite", 2 * day, "dee"), ("dee", "join", 2 * day, None),
        ("old", "invite", 2 * day, "ed"), ("ed", "join", 2 * day, None),
    ]  # fmt: skip
    found = word_of_mouth(log_of(rows))
    start = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

    def within(days: int, until: int) -> list:
        levels = found.generations_within(dt.timedelta(days=days), observed_until=start + dt.timedelta(days=until))
        return [(row.members, row.joined) for row in levels.rows()]

    # Cy came as the two days of ann had just passed; nobody knows when old came.
    assert within(2, 2) == [(1, 1)]
    assert within(2, 3) == [(1, 1), (1, 1)]
    assert within(2, 4) == [(1, 1), (3, 1), (1, 0)]
    assert within(3, 5) == [(1, 2), (3, 1), (1, 0)]
    assert within(3, 1) == []
    levels = found.generations_within(dt.timedelta(days=2), observed_until=start + dt.timedelta(days=3))
    assert "of those who joined at least 2 days ago, and whom they brought within 2 days" in str(levels)
    assert "仅计入群已满 2 天者，及其在 2 天内带来的新人" in levels.table(lang="zh")
    day_long = attrs.evolve(levels, within_us=86_400_000_000)
    assert str(day_long).endswith("of those who joined at least 1 day ago, and whom they brought within 1 day")
    assert attrs.evolve(levels, members=[0, 1], joined=[0, 1]).to_columns()["k"][1] == 1.0


def test_first_days_are_unknown_where_joins_are():
    found = WordOfMouth(members=Index(["a"]), newcomer=[True], inviter=[-1])
    now = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    with pytest.raises(InvalidValueError, match="joined_us: expected when each member joined, got None"):
        found.generations_within(dt.timedelta(days=1), observed_until=now)
    with pytest.raises(InvalidTypeError, match="within"):
        found.generations_within(3, observed_until=now)


# --- tables and words ---


def test_who_brought_most_stands_first_and_who_only_tried_last():
    rows = [*ROWS, ("ed", "invite", 8, "gus")]
    found = word_of_mouth(log_of(rows))
    assert [(row.member, row.invited, row.joined, row.downstream) for row in found.rows()] == [
        ("ann", 3, 2, 3), ("bo", 1, 1, 1), ("ed", 1, 0, 0),
    ]  # fmt: skip
    assert str(found).startswith("brought by members: 75.0% (3 of 4, 95% CI")
    assert found.table(lang="zh").startswith("由成员带来的新人：75.0%（4 人中 3 人，95% 区间 30.1%–95.4%）\n")
    assert repr(found) == "WordOfMouth(3 of 4 newcomers brought by members)"


def test_without_newcomers_no_share_is_told():
    found = WordOfMouth(members=Index(["a"]), newcomer=[False], inviter=[-1])
    assert str(found).startswith("brought by members: –\n")
    assert found.table(lang="zh").startswith("由成员带来的新人：–\n")
    one = WordOfMouth(members=Index(["a"]), newcomer=[True], inviter=[-1])
    assert repr(one) == "WordOfMouth(0 of 1 newcomer brought by members)"


@pytest.mark.parametrize(
    ("member", "en", "zh"),
    [
        ("ann", "was there before; brought 2 themselves, 3 with", "此前已在；直接带来 2 人，连同间接共 3 人"),
        ("cy", "brought by bo, generation 2; brought 0", "由 bo 带来，第 2 代；直接带来 0 人"),
        ("ed", "came by themselves; brought 0", "自行加入；直接带来 0 人"),
    ],
)
def test_each_member_is_explained(member, en, zh):
    found = word_of_mouth(log_of(ROWS))
    assert f"{member}: {en}" in found.explain(member)
    assert f"{member}：{zh}" in found.explain(member, lang="zh")


# --- what is refused ---


@pytest.mark.parametrize(
    ("data", "options", "error", "text"),
    [
        (None, {}, InvalidTypeError, "data: expected an EventLog or a Roster, got None"),
        (log_of(ROWS), {"invite": "join"}, InvalidValueError, "join: expected kinds that `invite` doesn't name"),
        (log_of(ROWS), {"invite": 3}, InvalidTypeError, "invite: expected kinds of event as str, got 3"),
        (Roster.from_columns(member=["a"]), {}, UnknownLabelError, "invited_by"),
        (
            Roster.from_columns(member=["a"], fields={"invited_by": [3]}),
            {},
            InvalidTypeError,
            "invited_by: expected labels of members in the field 'invited_by', got 3",
        ),
        (
            Roster.from_columns(member=[1], fields={"invited_by": [1.5]}),
            {},
            InvalidTypeError,
            "invited_by: expected labels of members in the field 'invited_by', got 1.5",
        ),
        (
            Roster.from_columns(member=[1], fields={"invited_by": ["a"]}),
            {},
            InvalidTypeError,
            "invited_by: expected labels of one type",
        ),
        (
            EventLog.from_columns(member=["a"], kind="invite", at=[0], target=[3], time_unit="s"),
            {"unknown_kinds": "ignore"},
            InvalidTypeError,
            "target: expected labels of the same sort as members, such as 'a', got 3",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(data, options, error, text):
    with pytest.raises(error, match=text):
        word_of_mouth(data, **options)


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        ({"inviter": [-1, 0]}, MisalignedError, "inviter: expected one for each of the 3 members"),
        ({"inviter": [1, -1, -1]}, InvalidValueError, "inviter: expected codes in .* of newcomers"),
        ({"inviter": [-1, 3, -1]}, InvalidValueError, "inviter: expected codes in"),
        (
            {"inviter": [-1, 2, 1]},
            InvalidValueError,
            "inviter: expected nobody who is their own ancestor, got 2 at row 1",
        ),
        ({"newcomer": [0, 1, 1]}, InvalidTypeError, "newcomer: expected booleans"),
        ({"invited": [0, 0, 0]}, InvalidValueError, "invited: expected no fewer than joined, got 0 at row 0"),
        ({"left_out": 3}, InvalidTypeError, "left_out: expected a mapping"),
        ({"left_out": {"tired": 1}}, InvalidValueError, "left_out: expected one of 'again'"),
        ({"left_out": {"late": -1}}, InvalidValueError, "left_out: expected counts of 0 or more, got -1"),
        ({"members": None}, InvalidTypeError, "members: expected an Index"),
    ],
)
def test_a_result_checks_its_fields(fields, error, text):
    found = WordOfMouth(members=Index(["a", "b", "c"]), newcomer=[False, True, True], inviter=[-1, 0, 1])
    with pytest.raises(error, match=text):
        attrs.evolve(found, **fields)


def test_parts_check_their_fields():
    trees = Cascades(members=Index(["a"]), root=[0], size=[2], depth=[1], width=[1], virality=[1.0])
    with pytest.raises(InvalidValueError, match=r"root: expected codes in \[0, 1\), got 1"):
        attrs.evolve(trees, root=[1])
    with pytest.raises(MisalignedError, match="width: expected one for each of the 1 cascades"):
        attrs.evolve(trees, width=[1, 2])
    levels = Generations(members=[3, 2], joined=[2, 0], invited=[2, 1])
    for fields, text in (
        ({"joined": [1, 0]}, "joined: expected the members of the next generation, got 1"),
        ({"invited": [1, 1]}, "invited: expected no fewer than joined, got 1"),
        ({"within_us": 0}, "within_us: expected at least 1 microsecond, or None, got 0"),
    ):
        with pytest.raises(InvalidValueError, match=text):
            attrs.evolve(levels, **fields)
    with pytest.raises(MisalignedError, match="joined: expected one for each of the 2 generations"):
        attrs.evolve(levels, joined=[1])


def test_copies_are_read_only():
    found = word_of_mouth(log_of(ROWS))
    for back in (copy.deepcopy(found), pickle.loads(pickle.dumps(found))):  # noqa: S301
        assert not back.inviter.flags.writeable
        assert back.left_out == found.left_out
        with pytest.raises(TypeError):
            back.left_out["late"] = 3


@pytest.mark.parametrize("name", ["inviter", "invited", "joined_us"])
def test_a_fraction_is_no_code_and_no_count(name):
    found = WordOfMouth(members=Index(["a", "b"]), newcomer=[True, True], inviter=[-1, 0])
    with pytest.raises(InvalidTypeError, match=f"{name}: expected integers"):
        attrs.evolve(found, **{name: [0.5, 1.0]})
