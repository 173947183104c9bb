from __future__ import annotations

import math
import pickle

import numpy as np
import pendulum
import pytest

from shequn.columns import EventLog, Roster
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownKindWarning, UnknownLabelError
from shequn.labels import Index
from shequn.segmentation import (
    BehaviourLayer,
    MemberPosture,
    ValueLayer,
    ValueLayers,
    behaviour_layers,
    member_facts,
    migration,
    posture_layers,
    value_layers,
)

TZ = "Asia/Shanghai"
NOW = pendulum.datetime(2024, 5, 1, tz=TZ)
DAYS = pendulum.duration(days=1)


def log_of(*rows: tuple[str, str, int], values: list | None = None) -> EventLog:
    """Return a log of rows (member, kind, days before now)."""
    return EventLog.from_columns(
        member=[member for member, _, _ in rows],
        kind=[kind for _, kind, _ in rows],
        at=[NOW.subtract(days=ago) for _, _, ago in rows],
        value=values,
    )


def roster_of(*members: str) -> Roster:
    return Roster.from_columns(member=list(members))


def behaviour(*rows: tuple[str, str, int], **options: object) -> list:
    members = dict.fromkeys(["ann", *(member for member, _, _ in rows)])
    return (
        behaviour_layers(roster_of(*members), log_of(*rows), as_of=NOW, tz=TZ, **options).assignment.labels().tolist()
    )


# --- behaviour ---


def test_two_active_days_make_a_member_active_and_two_posts_on_one_day_do_not():
    assert behaviour(("ann", "post", 1), ("ann", "post", 3), ("bo", "post", 1), ("bo", "reply", 1)) == [
        "active",
        "potential",
    ]


def test_one_purchase_makes_a_member_active():
    assert behaviour(("ann", "purchase", 29)) == ["active"]
    assert behaviour(("ann", "purchase", 29), purchase_kinds=()) == ["potential"]


def test_who_read_clicked_or_joined_is_potential():
    kinds = {"read": "ann", "click": "bo", "join": "cy"}
    assert behaviour(*((member, kind, 5) for kind, member in kinds.items())) == ["potential"] * 3


def test_who_only_received_or_left_is_silent():
    assert behaviour(("ann", "receive", 1), ("ann", "leave", 1), ("bo", "mute", 1)) == ["silent", "silent"]


def test_readers_are_potential_where_active_means_taking_part():
    reads = [("ann", "read", ago) for ago in range(10)]
    assert behaviour(*reads) == ["active"]
    assert behaviour(*reads, active_kinds={"post", "reply"}, unknown_kinds="ignore") == ["potential"]


def test_the_window_is_half_open_at_its_old_end():
    assert behaviour(("ann", "purchase", 30)) == ["silent"]
    assert behaviour(("ann", "purchase", 0)) == ["active"]
    assert behaviour(("ann", "purchase", -1)) == ["silent"]


def test_a_window_may_be_as_short_as_a_microsecond():
    window = pendulum.duration(microseconds=1)
    assert behaviour(("ann", "purchase", 0), ("bo", "purchase", 1), within=window) == ["active", "silent"]


def test_between_the_window_and_the_time_to_be_silent_a_member_is_potential():
    options = {"idle_after": 90 * DAYS}
    assert behaviour(("ann", "post", 60), ("bo", "post", 90), **options) == ["potential", "silent"]


def test_days_are_local():
    at = [pendulum.datetime(2024, 4, 20, 15, 59), pendulum.datetime(2024, 4, 20, 16)]
    log = EventLog.from_columns(member=["ann", "ann"], kind="post", at=at)
    for tz, layer in ((TZ, "active"), ("UTC", "potential")):
        assert behaviour_layers(roster_of("ann"), log, as_of=NOW, tz=tz).assignment.of("ann") == layer


def test_who_is_not_in_the_roster_does_not_count_and_who_is_not_in_the_log_did_nothing():
    found = behaviour_layers(roster_of("dee"), log_of(("ann", "purchase", 1)), as_of=NOW, tz=TZ)
    assert found.assignment.labels().tolist() == ["silent"]
    assert found.purchases.tolist() == [0]


def test_the_layers_are_ordered_and_their_movement_has_an_up():
    spring = behaviour_layers(roster_of("ann"), log_of(("ann", "read", 1)), as_of=NOW, tz=TZ)
    autumn = behaviour_layers(roster_of("ann"), log_of(("ann", "purchase", 1)), as_of=NOW, tz=TZ)
    assert migration(spring.assignment, autumn.assignment).moved_up.tolist() == [0, 1, 0]


def test_a_layer_comes_with_its_numbers_in_both_languages():
    found = behaviour_layers(
        roster_of("ann", "bo"), log_of(("ann", "post", 1), ("bo", "read", 40)), as_of=NOW, tz=TZ, idle_after=60 * DAYS
    )
    assert found.explain("bo") == (
        "bo: potential: active days in the last 30 days: 0 (2 needed), purchases: 0, "
        "signs of life in the last 60 days: 1"
    )
    assert (
        found.explain("ann", lang="zh") == "ann：潜在：近 30 天内活跃 1 天（需 2 天），购买 0 次；近 60 天内动静 1 次"
    )
    assert found.layer("ann") is BehaviourLayer.POTENTIAL
    assert found.within == 30 * DAYS
    assert found.to_columns()["signs"].tolist() == [1, 1]
    assert [row.layer.zh for row in found.rows()] == ["潜在", "潜在"]
    assert found.table(lang="zh").splitlines()[1].split() == ["分层", "成员", "占比"]
    assert repr(found) == "BehaviourLayers(0 active, 2 potential, 0 silent)"
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301


def test_many_days_of_many_members_are_counted_without_a_table(monkeypatch):
    rows = [("ann", "post", ago) for ago in (1, 1, 2, 9)] + [("bo", "post", 4)]
    options = {"as_of": NOW, "tz": TZ}
    expected = behaviour_layers(roster_of("ann", "bo"), log_of(*rows), **options)
    monkeypatch.setattr(member_facts, "_MOST_CELLS", 3)
    assert behaviour_layers(roster_of("ann", "bo"), log_of(*rows), **options) == expected
    assert expected.active_days.tolist() == [3, 1]


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        (
            {"within": -DAYS},
            InvalidValueError,
            "within: expected a duration longer than 0, since a window can't lie in the f",
        ),
        ({"within": 0 * DAYS}, InvalidValueError, "within: expected a duration longer than 0"),
        ({"within": pendulum.duration(months=1)}, InvalidValueError, "within: expected a duration without months"),
        ({"within": 30}, InvalidTypeError, "within: expected a duration such as"),
        (
            {"idle_after": 29 * DAYS},
            InvalidValueError,
            r"idle_after: expected at least `within` \(30 days\), .*got '29 days'",
        ),
        ({"idle_after": -DAYS}, InvalidValueError, "idle_after: expected a duration longer than 0"),
        ({"min_days": 0}, InvalidValueError, "min_days: expected a number of days of 1 or more, got 0"),
        ({"min_days": 1.5}, InvalidTypeError, "min_days: expected an integer"),
        ({"active_kinds": [3]}, InvalidTypeError, "active_kinds: expected kinds of event as str, got 3"),
        ({"active_kinds": "pst", "unknown_kinds": "raise"}, UnknownLabelError, "active_kinds: .* did you mean 'post'"),
        ({"tz": None}, InvalidValueError, "tz: expected a time zone"),
        ({"as_of": "2024-05-01"}, InvalidTypeError, "as_of: expected"),
    ],
)
def test_an_option_of_behaviour_that_cannot_be_used_is_refused(options, error, text):
    with pytest.raises(error, match=text):
        behaviour_layers(roster_of("ann"), log_of(("ann", "post", 1)), **({"as_of": NOW, "tz": TZ} | options))


def test_kinds_that_are_named_must_be_known_and_default_ones_need_not():
    rows = log_of(("ann", "post", 1))
    behaviour_layers(roster_of("ann"), rows, as_of=NOW, tz=TZ)
    for name in ("active_kinds", "potential_kinds", "purchase_kinds"):
        with pytest.warns(UnknownKindWarning, match=f"{name}: expected kinds that the log contains, got 'rad'"):
            behaviour_layers(roster_of("ann"), rows, as_of=NOW, tz=TZ, **{name: {"rad"}})


@pytest.mark.parametrize("ask", [behaviour_layers, posture_layers])
def test_a_roster_and_a_log_of_other_sorts_of_members_are_refused(ask):
    numbered = Roster.from_columns(member=[1, 2])
    with pytest.raises(InvalidTypeError, match=r"log: expected labels of one type \(int, as 1\)"):
        ask(numbered, log_of(("ann", "post", 1)), as_of=NOW, tz=TZ)
    with pytest.raises(InvalidTypeError, match="roster: expected a Roster, got 3"):
        ask(3, log_of(("ann", "post", 1)), as_of=NOW, tz=TZ)
    with pytest.raises(InvalidTypeError, match="log: expected an EventLog, got 3"):
        ask(numbered, 3, as_of=NOW, tz=TZ)


@pytest.mark.parametrize("ask", [behaviour_layers, posture_layers])
def test_nobody_has_no_layer_and_an_empty_log_makes_nobody_lively(ask):
    assert len(ask(roster_of(), EventLog.empty(), as_of=NOW, tz=TZ)) == 0
    assert "–" in str(ask(roster_of(), EventLog.empty(), as_of=NOW, tz=TZ))
    quiet = ask(roster_of("ann"), EventLog.empty(), as_of=NOW, tz=TZ).assignment.of("ann")
    assert quiet in {"silent", "cold"}


# --- posture ---


def posture(*rows: tuple[str, str, int], **options: object) -> str:
    return posture_layers(roster_of("ann"), log_of(*rows), as_of=NOW, tz=TZ, **options).assignment.of("ann")


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, "cold"), (1, "occasional"), (3, "occasional"), (4, "regular"), (11, "regular"), (12, "core")],
)
def test_posture_goes_by_the_days_of_taking_part(days, expected):
    rows = [("ann", "post", ago) for ago in range(days)]
    assert posture(*rows, *rows) == expected


def test_who_reads_and_says_nothing_is_a_lurker():
    assert posture(("ann", "read", 3)) == posture(("ann", "click", 3)) == "lurker"
    assert posture(("ann", "read", 30)) == posture(("ann", "join", 3)) == posture(("ann", "purchase", 3)) == "cold"


def test_a_mute_holds_until_the_member_comes_back():
    assert posture(*(("ann", "post", ago) for ago in range(2, 20)), ("ann", "mute", 1)) == "muted"
    assert posture(("ann", "mute", 400)) == "muted"
    assert posture(("ann", "mute", 5), ("ann", "read", 4)) == "lurker"
    assert posture(("ann", "mute", 5), ("ann", "read", 4), ("ann", "mute", 3)) == "muted"
    assert posture(("ann", "mute", 400), ("ann", "post", 300)) == "cold"
    assert posture(("ann", "mute", 5), ("ann", "read", 5)) == "muted"
    assert posture(("ann", "mute", -1), ("ann", "read", 5)) == "lurker"
    assert posture(("ann", "mute", 5), ("ann", "receive", 4)) == "muted"


def test_kinds_of_your_own_take_a_mute_back():
    assert posture(("ann", "mute", 5), ("ann", "unmute", 4)) == "muted"
    assert posture(("ann", "mute", 5), ("ann", "unmute", 4), unmute_kinds="unmute") == "cold"


def test_a_posture_comes_with_its_numbers_in_both_languages():
    found = posture_layers(
        roster_of("ann", "bo"), log_of(("ann", "post", 1), ("ann", "read", 1), ("bo", "mute", 2)), as_of=NOW, tz=TZ
    )
    assert found.explain("ann") == "ann: occasional: days of taking part in the last 30 days: 1, reads: 1"
    assert found.explain("bo") == "bo: muted: muted the group on 2024-04-28 16:00 UTC and has not come back since"
    assert found.explain("bo", lang="zh") == "bo：屏蔽：于 2024-04-28 16:00 UTC 屏蔽本群，此后未再出现"
    assert found.is_muted.tolist() == [False, True]
    assert found.layer("bo") is MemberPosture.MUTED
    assert str(found).splitlines()[0] == "Posture as of 2024-04-30 16:00 UTC"
    assert found.table(lang="zh").splitlines()[3].split() == ["核心", "0", "0.0%"]
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"regular_days": 0}, InvalidValueError, r"regular_days: expected from 1 to core_days \(12\), got 0"),
        ({"core_days": 3}, InvalidValueError, r"regular_days: expected from 1 to core_days \(3\), got 4"),
        (
            {"mute_kinds": "post"},
            InvalidValueError,
            "mute_kinds: expected kinds that mean nothing else too, got 'post'",
        ),
        ({"within": -DAYS}, InvalidValueError, "within: expected a duration longer than 0"),
    ],
)
def test_an_option_of_posture_that_cannot_be_used_is_refused(options, error, text):
    with pytest.raises(error, match=text):
        posture(("ann", "post", 1), **options)


@pytest.mark.parametrize(("days", "expected"), [(0, "cold"), (1, "occasional"), (4, "regular"), (12, "core")])
def test_a_posture_of_numbers_that_an_app_has_at_hand(days, expected):
    posture_of = posture_layers(roster_of(), EventLog.empty(), as_of=NOW, tz=TZ).place_one
    assert posture_of(voice_days=days, reads=0, muted=False) == expected
    assert posture_of(voice_days=days, reads=9, muted=True) is MemberPosture.MUTED


def test_one_member_at_a_time_takes_counts_only():
    behaviour_of = behaviour_layers(roster_of(), EventLog.empty(), as_of=NOW, tz=TZ).place_one
    posture_of = posture_layers(roster_of(), EventLog.empty(), as_of=NOW, tz=TZ).place_one
    with pytest.raises(InvalidValueError, match="purchases: expected a count of 0 or more, got -1"):
        behaviour_of(active_days=1, purchases=-1, signs=0)
    with pytest.raises(InvalidTypeError, match=r"signs: expected an integer, got 1\.5"):
        behaviour_of(active_days=1, purchases=0, signs=1.5)
    with pytest.raises(InvalidTypeError, match="muted: expected True or False, got 'no'"):
        posture_of(voice_days=1, reads=0, muted="no")


# --- value ---


def test_who_crosses_a_line_is_above_it():
    assert ValueLayers.of([90, 6, 4]).assignment.labels().tolist() == ["high", "mid", "low"]
    assert ValueLayers.of([80, 15, 5]).assignment.labels().tolist() == ["high", "mid", "low"]
    assert ValueLayers.of([79, 16, 5]).assignment.labels().tolist() == ["high", "high", "low"]


def test_who_contributes_alike_is_in_one_layer():
    assert ValueLayers.of([10] * 10).assignment.sizes() == {"low": 0, "mid": 0, "high": 10}
    assert ValueLayers.of([70, 10, 10, 10, 1]).assignment.labels().tolist() == ["high", "high", "high", "high", "low"]


def test_whole_numbers_are_compared_exactly():
    # Eight tenths of the whole lie between two floats here.
    most = 2**61
    assert ValueLayers.of([4 * 10**17, 10**17, 1]).assignment.of(1) == "high"
    assert ValueLayers.of([4 * 10**17 + 1, 10**17]).assignment.of(1) == "mid"
    assert ValueLayers.of([most, most, most]).total == 3 * most
    with pytest.raises(InvalidValueError, match="contribution: expected integers whose sum fits 64 bits"):
        ValueLayers.of([2**62, 2**62])


def test_nothing_and_a_refund_are_low_and_what_is_not_known_is_in_no_layer():
    found = ValueLayers.of({"ann": 5.0, "bo": 0.0, "cy": -3.0, "dee": None})
    assert found.assignment.labels().tolist() == ["high", "low", "low", None]
    assert np.isnan(found.share_above[3])
    assert found.total == 5
    assert found.explain("cy") == "cy: low: contributes -3.0, which is nothing"
    assert found.explain("dee") == "dee: no layer: what this member contributes is not known"
    assert found.explain("dee", lang="zh") == "dee：未分层：贡献未知"
    assert (
        found.explain("ann", lang="zh") == "ann：高价值：贡献 5.0；贡献更多者合占 0.0%（低于 80% 为高，低于 95% 为中）"
    )
    assert found.layer("dee") is None
    assert found.place_one(contribution=math.nan) is None
    assert [line.split()[0] for line in str(found).splitlines()[2:]] == ["high", "mid", "low", "–"]
    assert [row.layer for row in found.rows()] == [ValueLayer.HIGH, ValueLayer.LOW, ValueLayer.LOW, None]
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301


@pytest.mark.parametrize("contributions", [[], [0, 0], [-1, 0], [math.nan]])
def test_where_nobody_contributes_nobody_is_of_value(contributions):
    found = ValueLayers.of(contributions)
    assert set(found.assignment.codes.tolist()) <= {0, -1}
    assert np.isnan(found.share_above).all()
    assert "low" in str(found)
    assert found.place_one(contribution=7) is ValueLayer.LOW


def test_spending_referrals_and_more_add_up():
    log = log_of(
        ("ann", "purchase", 3),
        ("bo", "invite", 2),
        ("bo", "invite", 9),
        ("cy", "purchase", 50),
        values=[500, 7, 7, 100],
    )
    options = {"as_of": NOW, "per_referral": 100, "also": [1, 2, 3]}
    found = value_layers(roster_of("ann", "bo", "cy"), log, **options)
    assert found.contribution.tolist() == [501, 202, 103]
    within = value_layers(roster_of("ann", "bo", "cy"), log, **options, within=5 * DAYS)
    assert within.contribution.tolist() == [501, 102, 3]
    assert within.contribution.dtype == np.int64
    halves = value_layers(roster_of("ann", "bo"), log, as_of=NOW, per_referral=0.5)
    assert halves.contribution.tolist() == [500, 1]


def test_a_referral_adds_nothing_unless_it_is_told_what_it_is_worth():
    log = log_of(("ann", "purchase", 3), ("ann", "invite", 3), ("bo", "invite", 2), values=[5, None, None])
    assert value_layers(roster_of("ann", "bo"), log, as_of=NOW).contribution.tolist() == [5, 0]


def test_a_purchase_of_unknown_value_makes_the_contribution_unknown():
    log = log_of(("ann", "purchase", 3), ("ann", "purchase", 4), ("bo", "purchase", 4), values=[5, None, 3])
    found = value_layers(roster_of("ann", "bo"), log, as_of=NOW)
    assert found.assignment.labels().tolist() == [None, "high"]


def test_sums_of_whole_numbers_are_exact():
    big = 2**55 + 1
    log = log_of(("ann", "purchase", 3), ("ann", "purchase", 4), ("ann", "purchase", 5), values=[big, big, -big])
    assert value_layers(roster_of("ann"), log, as_of=NOW, also=[1]).contribution.tolist() == [big + 1]


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"shares": (0.9, 0.5)}, InvalidValueError, r"shares: expected two rising numbers in \[0, 1\], got"),
        ({"shares": (0.9,)}, InvalidValueError, "shares: expected two rising numbers"),
        ({"shares": (0.5, 1.5)}, InvalidValueError, "shares: expected two rising numbers"),
        ({"shares": 0.5}, InvalidTypeError, "shares: expected two numbers, got 0.5"),
        ({"shares": ("a", "b")}, InvalidTypeError, "shares: expected two numbers, got 'a'"),
        ({"per_referral": "5"}, InvalidTypeError, "per_referral: expected a number, got '5'"),
        ({"per_referral": math.inf}, InvalidValueError, "per_referral: expected a finite number, got inf"),
        ({"per_referral": 2**63}, InvalidValueError, "per_referral: expected a worth of which 1 fit 64 bits"),
        ({"also": [1, 2]}, MisalignedError, "also: expected one number for each of the 1 members, got 2 numbers"),
        ({"also": [2**62]}, InvalidValueError, r"contribution: expected sums below 2\*\*62"),
        ({"also": [math.inf]}, InvalidValueError, "contribution: expected finite numbers, got inf at row 0"),
        ({"within": -DAYS}, InvalidValueError, "within: expected a duration longer than 0"),
    ],
)
def test_an_option_of_value_that_cannot_be_used_is_refused(options, error, text):
    log = log_of(("ann", "invite", 1), values=[3])
    with pytest.raises(error, match=text):
        value_layers(roster_of("ann"), log, **({"as_of": NOW} | options))


def test_money_must_be_there_and_finite():
    with pytest.raises(InvalidValueError, match="log: expected a log with values, got 'one without'"):
        value_layers(roster_of("ann"), log_of(("ann", "purchase", 1)), as_of=NOW)
    with pytest.raises(InvalidValueError, match="value: expected finite numbers, got -inf at row 1"):
        value_layers(
            roster_of("ann"), log_of(("ann", "post", 1), ("ann", "purchase", 1), values=[1.0, -math.inf]), as_of=NOW
        )
    assert value_layers(roster_of("ann"), EventLog.empty(), as_of=NOW).assignment.of("ann") == "low"


@pytest.mark.parametrize(
    ("given", "options", "error", "text"),
    [
        ([1, math.inf], {}, InvalidValueError, "contribution: expected finite numbers, got inf at row 1"),
        ([1e308, 1.5e308], {}, InvalidValueError, "contribution: expected numbers whose sum is finite, got inf"),
        (["a"], {}, InvalidTypeError, "contribution: expected int or float, got 'a'"),
        ([1, 2], {"members": ["ann"]}, MisalignedError, "contribution: expected one number for each of the 1 members"),
        (
            {"ann": 1},
            {"members": ["ann"]},
            InvalidTypeError,
            "members: expected None, since `contribution` is a mapping",
        ),
    ],
)
def test_contributions_that_are_none_are_refused(given, options, error, text):
    with pytest.raises(error, match=text):
        ValueLayers.of(given, **options)


def test_contributions_may_come_with_the_members():
    assert (
        ValueLayers.of([1, 2], members=["ann", "bo"]).members
        == ValueLayers.of([1, 2], members=Index(["ann", "bo"])).members
    )
    with pytest.raises(InvalidValueError, match="contribution: expected a finite number, got inf"):
        ValueLayers.of([1]).place_one(contribution=math.inf)
    with pytest.raises(UnknownLabelError, match="member: expected one of 2 known labels, got 'cy'"):
        ValueLayers.of([1, 2], members=["ann", "bo"]).explain("cy")
