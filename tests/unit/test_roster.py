from __future__ import annotations

import copy
import datetime as dt
import pickle
from typing import Any

import attrs
import numpy as np
import pytest

from shequn.columns import EventLog, Roster, Tags, memberships
from shequn.columns.membership import NO_INSTANT
from shequn.entities import Account, Member
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.labels import Assignment, Coded, Index
from shequn.values.instants import from_us

NAN = float("nan")
JOINED = [from_us(0), None, from_us(60_000_000)]
TIERS = Assignment.from_mapping({"ann": "gold", "bo": None, "cy": "silver"}, segments=["silver", "gold"], ordered=True)


def roster_of(**columns: Any) -> Roster:
    return Roster.from_columns(**({"member": ["ann", "bo", "cy"]} | columns))


FULL = roster_of(
    joined=JOINED,
    left=[None, None, from_us(120_000_000)],
    fields={"city": ["沪", None, "沪"], "age": [30, 41, None], "tier": TIERS, "vip": [True, False, True]},
    tags={"interests": [{"tea", "hiking"}, None, ["tea", "tea"]], "lucky": [[7], [], [3, 1]]},
)


# --- what it holds ---


def test_a_roster_holds_what_it_was_given():
    assert FULL.members == Index(["ann", "bo", "cy"])
    assert FULL.joined_us.tolist() == [0, NO_INSTANT, 60_000_000]
    assert FULL.left_us.tolist() == [NO_INSTANT, NO_INSTANT, 120_000_000]
    assert np.isnat(FULL.joined_us.view("M8[us]")).tolist() == [False, True, False]
    assert str(FULL.field("age")) == "[30. 41. nan]"
    assert FULL.field("vip") is FULL.fields["vip"]
    assert FULL.fields["vip"].tolist() == [1, 0, 1]  # type: ignore[union-attr]
    assert FULL.tags["lucky"].row(2) == (1, 3)
    assert len(FULL) == 3
    assert repr(FULL) == "Roster(3 members; fields: city, age, tier, vip; tags: interests, lucky)"
    assert repr(roster_of()) == "Roster(3 members)"


def test_labels_are_an_assignment_over_the_members():
    city = FULL.field("city")
    assert isinstance(city, Assignment)
    assert city.members is FULL.members
    assert city.sizes() == {"沪": 2}
    tier = FULL.field("tier")
    assert isinstance(tier, Assignment)
    assert tier.ordered
    assert tier == TIERS


def test_members_keep_the_order_they_were_given_in():
    assert list(Roster.from_columns(member=[30, 10, 20]).members) == [30, 10, 20]
    assert list(Roster.from_columns(member=np.array(["b", "a"])).members) == ["b", "a"]


def test_nobody_makes_an_empty_roster():
    for roster in (
        Roster.from_columns(member=[], joined=[], fields={"city": [], "age": np.array([])}, tags={"x": []}),
        Roster.from_members([]),
        FULL.where([False] * 3),
        FULL.take([]),
    ):
        assert len(roster) == 0
        assert list(roster.to_members()) == []
        assert roster.joined_us.dtype == np.int64
        assert roster == Roster.from_columns(member=[]) or roster.fields


@pytest.mark.parametrize(
    ("joined", "options"),
    [
        ([0, None, 60], {"time_unit": "s"}),
        (np.array(["1970-01-01T08:00", "NaT", "1970-01-01T08:01"], "M8[m]"), {"at_tz": "Asia/Shanghai"}),
        (np.array([0, None, 60], dtype=object), {"time_unit": "s"}),
        (np.ma.masked_array([0, 5, 60], mask=[False, True, False]), {"time_unit": "s"}),
        ([dt.datetime(1970, 1, 1, tzinfo=dt.UTC), NAN, dt.datetime(1970, 1, 1, 0, 1, tzinfo=dt.UTC)], {}),
    ],
)
def test_instants_come_in_many_forms_and_some_may_be_missing(joined, options):
    assert roster_of(joined=joined, **options).joined_us.tolist() == [0, NO_INSTANT, 60_000_000]


@pytest.mark.parametrize("nothing", [[None] * 3, np.array(["NaT"] * 3, "M8[s]"), np.full(3, NAN), None])
def test_nothing_may_be_known_of_when_anybody_joined(nothing):
    roster = roster_of(joined=nothing)
    assert roster.joined_us.tolist() == [NO_INSTANT] * 3
    assert "joined" not in roster.to_columns()


def test_whole_instants_need_no_gap():
    assert roster_of(joined=np.array([0, 5, 60]), time_unit="us").joined_us.tolist() == [0, 5, 60]


# --- what is refused ---


@pytest.mark.parametrize(
    ("columns", "error", "told"),
    [
        ({"joined": 7}, InvalidTypeError, r"^joined: expected a column \(list or 1-D array\), got 7$"),
        (
            {"joined": "now"},
            InvalidTypeError,
            r"^joined: expected a column \(list or 1-D array\) of aware datetimes, got",
        ),
        (
            {"member": ["ann", "bo", "ann"]},
            InvalidValueError,
            r"^member: expected each label once, got 'ann' at row 2 \(1 of",
        ),
        (
            {"member": ["ann", "", "cy"]},
            InvalidValueError,
            r"^member: expected labels that are not empty, got '' at row 1$",
        ),
        ({"member": ["ann", None, "cy"]}, InvalidTypeError, r"^member: .*, got None at row 1 \(1 of 3 rows\)$"),
        ({"member": "abc"}, InvalidTypeError, r"^member: expected labels in an order, such as a list, got 'abc'$"),
        (
            {"joined": [1, 2], "time_unit": "s"},
            MisalignedError,
            r"^joined: expected as many rows as `member`, which has 3,",
        ),
        (
            {"joined": [0, None, "x"], "time_unit": "s"},
            InvalidTypeError,
            r"^joined: .*, got 'x' at row 2 \(1 of 3 rows\);",
        ),
        (
            {"joined": [None, 10**12, -(10**12)], "time_unit": "s"},
            InvalidValueError,
            r"got 10+ at row 1 \(2 of 3 rows\)$",
        ),
        (
            {"joined": [None, dt.datetime(2024, 1, 1), None]},  # noqa: DTZ001
            InvalidValueError,
            r"got .* at row 1 \(1 of 3 rows\); times wi",
        ),
        (
            {"joined": [None, 1, 2], "time_unit": "h"},
            InvalidValueError,
            r"^time_unit: expected one of 's', 'ms', 'us', got",
        ),
        (
            {"joined": [1, 2, 3], "left": [1, 1, 2], "time_unit": "s"},
            InvalidValueError,
            r"^left: expected an instant not be",
        ),
        (
            {"fields": {"city": ["沪"]}},
            MisalignedError,
            r"^city: expected as many rows as `member`, which has 3, got 1 rows$",
        ),
        ({"fields": {"age": [1, "x", 2]}}, InvalidTypeError, r"^age: expected int or float, got 'x' at row 1"),
        (
            {"fields": {"member": [1, 2, 3]}},
            InvalidValueError,
            r"^name: expected a field name other than member, joined, le",
        ),
        (
            {"fields": {"": [1, 2, 3]}},
            InvalidValueError,
            r"^name: expected a field name other than member, joined, left, go",
        ),
        (
            {"fields": {7: [1, 2, 3]}},
            InvalidValueError,
            r"^name: expected a field name other than member, joined, left, got 7",
        ),
        (
            {"fields": {"day": [dt.date(2024, 1, 1)] * 3}},
            InvalidTypeError,
            r"^day: .*; labels cannot be dates: format them",
        ),
        ({"tags": {"x": [["a"]]}}, MisalignedError, r"^x: expected as many rows as `member`, which has 3, got 1 rows$"),
        (
            {"tags": {"left": [[], [], []]}},
            InvalidValueError,
            r"^tags: expected names other than member, joined, left, got 'l",
        ),
        (
            {"tags": {"x": [[], "tea", []]}},
            InvalidTypeError,
            r"^x: expected a collection of labels in each row, or None, got",
        ),
        (
            {"fields": {"x": [1, 2, 3]}, "tags": {"x": [[], [], []]}},
            InvalidValueError,
            r"^tags: expected names that no field",
        ),
    ],
)
def test_a_column_that_cannot_be_used_is_refused_by_name(columns, error, told):
    with pytest.raises(error, match=told):
        roster_of(**columns)


def test_nobody_leaves_before_joining():
    with pytest.raises(
        InvalidValueError,
        match=r"^left: expected an instant not before 1970-01-01T00:00:02\+00:00, when they joined, "
        r"got '1970-01-01T00:00:01\+00:00' at row 1 \(2 of 3 rows\)$",
    ):
        roster_of(joined=[1, 2, 3], left=[1, 1, 2], time_unit="s")
    assert len(roster_of(joined=[1, None, 3], left=[1, 0, None], time_unit="s")) == 3


def test_a_column_has_one_entry_a_member():
    with pytest.raises(
        MisalignedError, match=r"^joined_us: expected one entry for each of the 3 members, got 2 entries$"
    ):
        attrs.evolve(FULL, joined_us=np.array([0, 1]))
    with pytest.raises(MisalignedError, match=r"^age: expected one entry for each of the 3 members, got 1 entries$"):
        attrs.evolve(FULL, fields={"age": np.array([1])})


# --- fields, tags and roles ---


def test_a_field_is_added_or_replaced():
    older = FULL.with_field("age", np.array([31, 42, 20]))
    assert older.field("age").tolist() == [31, 42, 20]  # type: ignore[union-attr]
    assert str(FULL.field("age")) == "[30. 41. nan]"
    named = FULL.with_field("score", Coded.of(["a", None, "b"], argument="x", nulls=True)).field("score")
    assert isinstance(named, Assignment)
    assert named.labels().tolist() == ["a", None, "b"]
    assert list(FULL.with_field("score", [1, 2, 3]).fields) == ["city", "age", "tier", "vip", "score"]


def test_an_assignment_of_unnamed_members_is_a_field_too():
    unnamed = Assignment(members=Index.positional(3), codes=[0, -1, 0], segments=Index(["x"]), ordered=True)
    field = FULL.with_field("layer", unnamed).field("layer")
    assert isinstance(field, Assignment)
    assert field.members is FULL.members
    assert field.ordered


def test_an_assignment_of_other_members_is_no_field():
    with pytest.raises(
        MisalignedError, match=r"^tier: expected the same members in the same order, got 'cy' where 'ann'"
    ):
        FULL.with_field("tier", TIERS.align(Index(["cy", "bo", "ann"])))
    with pytest.raises(
        MisalignedError, match=r"^tier: expected one entry for each of the 3 members, got 1 entries; see"
    ):
        FULL.with_field("tier", Assignment.from_mapping({"ann": "gold"}))
    with pytest.raises(InvalidValueError, match=r"^name: expected a name that no tags have, got 'lucky'$"):
        FULL.with_field("lucky", [1, 2, 3])


def test_an_unknown_field_is_refused_with_the_closest_one():
    with pytest.raises(
        UnknownLabelError,
        match=r"^name: expected one of the roster's fields \(city, age, tier, vip\), "
        r"got 'ctiy'; did you mean 'city'\?$",
    ):
        FULL.field("ctiy")


def test_who_has_a_tag():
    assert FULL.has_tag("interests", "tea").tolist() == [True, False, True]
    assert FULL.has_tag("interests", "hiking").tolist() == [True, False, False]
    assert FULL.has_tag("interests", "chess").tolist() == [False, False, False]
    assert FULL.has_tag("interests", 7).tolist() == [False, False, False]
    assert FULL.has_tag("lucky", 1).tolist() == [False, False, True]
    with pytest.raises(
        UnknownLabelError, match=r"^name: expected one of the roster's tags \(interests, lucky\), got 'intere"
    ):
        FULL.has_tag("interest", "tea")


def test_who_has_a_role_in_a_group():
    log = EventLog.from_columns(
        member=["cy", "ann", "dan", "bo"],
        kind="join",
        at=[0, 0, 0, 99],
        time_unit="s",
        group=["g", "h", "g", "g"],
        extra={"role": ["owner", "owner", "owner", "owner"]},
    )
    stays = memberships(log, as_of=from_us(1_000_000))
    assert FULL.has_role("群主", stays).tolist() == [True, False, True]
    assert FULL.has_role("owner", stays, group="g").tolist() == [False, False, True]
    assert not FULL.has_role("owner", stays).flags.writeable
    with pytest.raises(UnknownLabelError, match=r"^group: expected one of 2 known labels, got 'x'$"):
        FULL.has_role("owner", stays, group="x")


# --- parts ---


def test_some_of_the_members_are_taken_with_all_that_is_known_of_them():
    part = FULL.take([2, 0])
    assert list(part.members) == ["cy", "ann"]
    assert part.joined_us.tolist() == [60_000_000, 0]
    assert part.field("tier").labels().tolist() == ["silver", "gold"]  # type: ignore[union-attr]
    assert part.field("tier").members is part.members  # type: ignore[union-attr]
    assert str(part.field("age")) == "[nan 30.]"
    assert [part.tags["interests"].row(row) for row in (0, 1)] == [("tea",), ("hiking", "tea")]
    assert FULL.where([True, False, True]) == FULL.take([0, 2])
    assert FULL.where(np.array([True, True, True])) == FULL
    assert FULL.take(np.array([0, 1, 2], dtype=np.uint8)) == FULL


@pytest.mark.parametrize(
    ("method", "given", "error", "told"),
    [
        ("where", [True], MisalignedError, r"^mask: expected as many rows as `member`, which has 3, got 1 rows$"),
        ("where", [0, 1, 0], InvalidTypeError, r"^mask: expected an array of bool, got 'int64'$"),
        (
            "where",
            [[True], [True, False]],
            InvalidTypeError,
            r"^mask: expected a 1-D array, got \[\[True\], \[True, False\]\]",
        ),
        ("where", [[True] * 3], InvalidValueError, r"^mask: expected a 1-D array, got 'an array of shape \(1, 3\)'$"),
        (
            "take",
            [0, 3],
            InvalidValueError,
            r"^rows: expected distinct row numbers in \[0, 3\), got 3 at row 1 \(1 of 2 rows",
        ),
        ("take", [-1], InvalidValueError, r"^rows: expected distinct row numbers in \[0, 3\), got -1 at row 0"),
        (
            "take",
            [1, 0, 1],
            InvalidValueError,
            r"^rows: expected distinct row numbers in \[0, 3\), got 1 at row 2 \(1 of 3",
        ),
        ("take", [0.5], InvalidTypeError, r"^rows: expected row numbers, got 'float64'$"),
    ],
)
def test_rows_that_cannot_be_taken_are_refused(method, given, error, told):
    with pytest.raises(error, match=told):
        getattr(FULL, method)(given)


def test_aligning_leaves_open_what_is_not_known():
    aligned = FULL.align(Index(["dan", "cy", "ann"]))
    assert list(aligned.members) == ["dan", "cy", "ann"]
    assert aligned.joined_us.tolist() == [NO_INSTANT, 60_000_000, 0]
    assert aligned.field("city").labels().tolist() == [None, "沪", "沪"]  # type: ignore[union-attr]
    assert str(aligned.field("vip")) == "[nan  1.  1.]"
    assert [aligned.tags["lucky"].row(row) for row in range(3)] == [(), (1, 3), (7,)]
    assert FULL.align(Index(["cy", "bo", "ann"])).field("vip").dtype == np.int64  # type: ignore[union-attr]
    assert FULL.align(FULL.members) == FULL


def test_an_integer_that_aligning_would_change_is_refused():
    roster = roster_of(fields={"big": [2**60, 0, 0]})
    assert roster.align(Index(["ann"])).field("big").tolist() == [2**60]  # type: ignore[union-attr]
    with pytest.raises(
        InvalidValueError, match=r"^big: expected integers up to 2\*\*53 beside floats or missing values"
    ):
        roster.align(Index(["dan"]))


def test_unnamed_members_align_by_their_number():
    aligned = FULL.align(Index.positional(3))
    assert aligned.members.is_positional
    assert aligned.joined_us.tolist() == FULL.joined_us.tolist()
    assert aligned.align(FULL.members) == FULL
    with pytest.raises(MisalignedError, match=r"^roster: expected one entry for each of the 2 members, got 3 entries"):
        FULL.align(Index.positional(2))


# --- records ---

MEMBERS = [
    Member(
        id="ann",
        community="c",
        joined=from_us(0),
        tags={"interests": {"tea", "hiking"}},
        accounts=[Account(platform="weibo", handle="@ann")],
        fields={"city": "沪", "age": 30},
    ),
    Member(id="bo", community="c", invited_by="ann", fields={"age": 41, "city": None}),
    Member(id="cy", community="c", tags={"interests": ()}),
]


def said(member: Member) -> dict[str, Any]:
    """All that a record says: two members are equal when their ids are."""
    fields = {name: value for name, value in member.fields.items() if value is not None}
    tags = {name: labels for name, labels in member.tags.items() if labels}
    return attrs.asdict(member, recurse=False) | {"fields": fields, "tags": tags}


def test_a_roster_gives_back_the_records_it_was_made_of():
    roster = Roster.from_members(MEMBERS)
    assert list(map(said, roster.to_members())) == list(map(said, MEMBERS))
    assert Roster.from_members(roster.to_members()) == roster
    assert set(roster.fields) == {"city", "age", "community", "invited_by"}
    assert roster.to_columns()["invited_by"].tolist() == [None, "ann", None]


def test_accounts_go_with_their_members():
    roster = Roster.from_members(MEMBERS)
    part = roster.align(Index(["dan", "ann"]))
    assert part.accounts is not None
    assert part.accounts.tolist() == [(), (Account(platform="weibo", handle="@ann"),)]
    assert roster != attrs.evolve(roster, accounts=None)
    assert Roster.from_members(MEMBERS[1:]).accounts is None


def test_what_is_no_member_is_refused():
    with pytest.raises(InvalidTypeError, match=r"^members: expected Member records, got 'ann' at row 1$"):
        Roster.from_members([MEMBERS[0], "ann"])  # type: ignore[list-item]
    with pytest.raises(InvalidValueError, match=r"^member: expected each label once, got 'ann' at row 1"):
        Roster.from_members([MEMBERS[0], MEMBERS[0]])
    with pytest.raises(
        InvalidValueError, match=r"^fields: expected names other than community, invited_by, got 'community'$"
    ):
        Roster.from_members([Member(id="ann", fields={"community": "c"})])


# --- equality and copies ---


def test_rosters_are_equal_when_they_know_the_same():
    assert FULL.take([0, 1, 2]) == FULL
    assert FULL.take([1, 0, 2]) != FULL
    assert FULL.with_field("age", [1, 2, 3]) != FULL
    assert FULL.with_field("new", [1, 2, 3]) != FULL
    assert attrs.evolve(FULL, tags={}) != FULL
    assert attrs.evolve(FULL, tags=dict(FULL.tags) | {"lucky": Tags.none(3)}) != FULL
    assert attrs.evolve(FULL, left_us=FULL.joined_us) != FULL
    assert FULL != 7
    with pytest.raises(TypeError):
        hash(FULL)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda roster: pickle.loads(pickle.dumps(roster))])  # noqa: S301
@pytest.mark.parametrize("roster", [FULL, Roster.from_members(MEMBERS)], ids=["columns", "records"])
def test_a_copy_of_a_roster_is_read_only_too(roster, duplicate):
    double = duplicate(roster)
    assert double == roster
    assert not any(column.flags.writeable for column in double.to_columns().values())
    assert not double.left_us.flags.writeable
    with pytest.raises(TypeError):
        double.fields["new"] = double.joined_us
    with pytest.raises(TypeError):
        double.tags["new"] = None


def test_the_callers_arrays_are_neither_kept_nor_written_to():
    age, joined = np.array([1, 2, 3]), np.array([1, 2, 3])
    roster = roster_of(joined=joined, time_unit="us", fields={"age": age})
    age[:] = joined[:] = 0
    assert roster.field("age").tolist() == roster.joined_us.tolist() == [1, 2, 3]  # type: ignore[union-attr]


# --- tags ---


def test_a_set_of_tags_is_kept_in_ascending_order_each_label_once():
    tags = Tags.of([["b", "a", "b"], {"c"}, None, ()], argument="x")
    assert [tags.row(row) for row in range(4)] == [("a", "b"), ("c",), (), ()]
    assert tags.offsets.tolist() == [0, 2, 3, 3, 3]
    assert tags.to_objects().tolist() == [("a", "b"), ("c",), (), ()]
    assert (len(tags), repr(tags)) == (4, "Tags(4 rows, Index(['a', 'b', 'c']))")
    assert tags == Tags.of(np.array([["a", "b"], ["c"], None, []], dtype=object), argument="y")
    assert tags != Tags.of([["a"], ["c"], None, None], argument="x")
    assert tags != 7
    assert Tags.of([np.array([3, 1])], argument="x").row(0) == (1, 3)


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        ([["a"], ["b", 1]], r"^x: expected labels that are all str or all int, got 1 at row 1$"),
        ([["a"], ["b", None]], r"^x: expected labels that are all str or all int, got None at row 1$"),
        ([[True]], r"^x: expected labels that are all str or all int, got True at row 0$"),
        ([[2**64]], r"^x: expected labels that are all str or all int, got 18446744073709551616 at row 0$"),
        ([[None]], r"^x: expected labels that are all str or all int, got None at row 0$"),
        ([[], 7], r"^x: expected a collection of labels in each row, or None, got 7 at row 1$"),
        ([{"a": 1}], r"^x: expected a collection of labels in each row, or None, got \{'a': 1\} at row 0$"),
        ("ab", r"^x: expected a column with a collection of labels in each row, got 'ab'$"),
        (7, r"^x: expected a column with a collection of labels in each row, got 7$"),
    ],
)
def test_what_is_no_set_of_labels_is_refused_with_its_row(sets, told):
    with pytest.raises(InvalidTypeError, match=told):
        Tags.of(sets, argument="x")


def test_a_copy_of_tags_is_read_only_too():
    tags = Tags.of([["a"], None], argument="x")
    for double in (copy.copy(tags), copy.deepcopy(tags), pickle.loads(pickle.dumps(tags))):  # noqa: S301
        assert double == tags
        assert not double.offsets.flags.writeable
    with pytest.raises(TypeError):
        hash(tags)


@pytest.mark.parametrize("name", [["age"], np.array(["age"]), {}, None, 5])
def test_fields_and_tags_have_names_that_are_words(name: Any):
    roster = roster_of(member=["ann"])
    with pytest.raises(InvalidTypeError, match=r"^name: expected the name of a field, got "):
        roster.field(name)
    with pytest.raises(InvalidTypeError, match=r"^name: expected the name of tags, got "):
        roster.has_tag(name, "tea")


@pytest.mark.parametrize("named", [["age"], np.array([1, 2]), 7])
def test_fields_and_tags_come_by_name(named: Any):
    for argument in ("fields", "tags"):
        with pytest.raises(InvalidTypeError, match=rf"^{argument}: expected a mapping of name to column, got "):
            Roster.from_columns(member=["ann"], **{argument: named})


@pytest.mark.parametrize("nothing", [None, 7, np.array(5), "ann"])
def test_what_is_no_roster_of_anything_is_refused(nothing: Any):
    roster = roster_of(member=["ann"])
    with pytest.raises(InvalidTypeError, match=r"^members: expected Member records, got "):
        Roster.from_members(nothing)
    with pytest.raises(InvalidTypeError, match=r"^index: expected an Index of members, got "):
        roster.align(nothing)
    with pytest.raises(InvalidTypeError, match=r"^stays: expected Memberships, got "):
        roster.has_role("owner", nothing)


def test_a_column_without_axes_or_with_masked_rows_is_none():
    with pytest.raises(InvalidTypeError, match=r"^joined: expected a column \(list or 1-D array\), got 5$"):
        Roster.from_columns(member=["ann"], joined=np.array(5), time_unit="s")
    with pytest.raises(
        InvalidTypeError, match=r"^x: expected a column with a collection of labels in each row, got 5$"
    ):
        Roster.from_columns(member=["ann"], tags={"x": np.array(5)})
    with pytest.raises(InvalidValueError, match=r"^rows: .* without masked entries, got 'a masked one' at row 0$"):
        roster_of(member=["ann", "bo"]).take(np.ma.masked_array([0, 1], mask=[1, 0]))
