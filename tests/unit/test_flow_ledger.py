"""The ledger on small logs that can be counted by hand, and what it refuses."""

from __future__ import annotations

import datetime as dt
import pickle

import numpy as np
import pendulum
import pytest

from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownKindWarning, UnknownLabelError
from shequn.labels import Assignment
from shequn.retention import FlowLedger, Presence, flow_ledger, presence
from shequn.values import Calendar, Money

SHANGHAI = "Asia/Shanghai"


def log_of(*rows, **columns):
    """Build a log from (member, kind, local time in Shanghai, group) rows; the group may be left out."""
    return EventLog.from_columns(
        member=[row[0] for row in rows],
        kind=[row[1] for row in rows],
        at=np.array([row[2] for row in rows], "M8[m]"),
        at_tz=SHANGHAI,
        group=[row[3] if len(row) > 3 else None for row in rows],
        **columns,
    )


def weekly(log, **options):
    return flow_ledger(log, every="week", tz=SHANGHAI, **options)


def on(day):
    return pendulum.parse(day, tz=SHANGHAI)


# 2024-01-01 is a Monday: weeks 0 (1st), 1 (8th), 2 (15th), 3 (22nd).
POSTS = (
    ("ann", "post", "2024-01-01"),
    ("bo", "post", "2024-01-02"),
    ("ann", "post", "2024-01-08"),
    ("cy", "post", "2024-01-16"),
    ("bo", "post", "2024-01-17"),
    ("bo", "post", "2024-01-24"),
)


# --- activity --------------------------------------------------------------------------------------------------------


def test_flow_less_evaporation_is_retained():
    ledger = weekly(log_of(*POSTS))
    assert ledger.periods.tolist() == [dt.date(2024, 1, day) for day in (1, 8, 15, 22)]
    assert ledger.opening.tolist() == [0, 2, 1, 2]
    assert ledger.joined.tolist() == [2, 0, 1, 0]
    assert ledger.revived.tolist() == [0, 0, 1, 0]
    assert ledger.flow.tolist() == [2, 0, 2, 0]
    assert ledger.stayed.tolist() == [0, 1, 0, 1]
    assert ledger.evaporated.tolist() == [0, 1, 1, 1]
    assert ledger.retained.tolist() == [2, 1, 2, 1]
    assert ledger.residual.tolist() == [[0] * 4] * 5


def test_a_member_silent_for_longer_than_the_grace_has_evaporated():
    ledger = weekly(log_of(*POSTS), grace=1)
    assert ledger.retained.tolist() == [2, 2, 3, 2]
    assert ledger.evaporated.tolist() == [0, 0, 0, 1]
    assert ledger.revived.tolist() == [0, 0, 0, 0]


def test_whoever_is_silent_no_longer_than_the_grace_never_left():
    log = log_of(("ann", "post", "2024-01-01"), ("ann", "post", "2024-01-22"))
    assert weekly(log, grace=2).revived.tolist() == [0, 0, 0, 0]
    assert weekly(log, grace=1).revived.tolist() == [0, 0, 0, 1]


def test_history_before_the_start_decides_who_joined_and_who_came_back():
    ledger = weekly(log_of(*POSTS), start=on("2024-01-18"))
    assert ledger.periods.tolist() == [dt.date(2024, 1, 15), dt.date(2024, 1, 22)]
    assert (ledger.opening[0], ledger.joined[0], ledger.revived[0]) == (1, 1, 1)


def test_a_start_before_the_first_row_shows_empty_periods():
    ledger = weekly(log_of(*POSTS), start=on("2023-12-20"))
    assert ledger.retained.tolist() == [0, 0, 2, 1, 2, 1]


def test_a_start_after_the_last_row_leaves_no_period_unless_the_community_was_watched_on():
    assert weekly(log_of(*POSTS), start=on("2024-02-14")).n_periods == 0
    ledger = weekly(log_of(*POSTS), start=on("2024-02-14"), observed_until=on("2024-02-26"))
    assert ledger.periods.tolist() == [dt.date(2024, 2, 12), dt.date(2024, 2, 19)]
    assert ledger.retained.tolist() == [0, 0]
    assert ledger.inside.tolist() == [3, 3]


def test_rows_at_or_after_the_end_of_observation_are_ignored():
    ledger = weekly(log_of(*POSTS), observed_until=on("2024-01-16"))
    assert ledger.retained.tolist() == [2, 1, 0]
    assert not ledger.observed_until_derived
    assert ledger.observed_until == on("2024-01-16")
    just_after = on("2024-01-16").add(microseconds=1)
    assert weekly(log_of(*POSTS), observed_until=just_after).retained.tolist() == [2, 1, 1]


def test_silent_weeks_at_the_end_count_once_they_were_observed():
    ledger = weekly(log_of(*POSTS), observed_until=on("2024-02-12"), grace=1)
    assert ledger.retained.tolist() == [2, 2, 3, 2, 1, 0]
    assert ledger.evaporated.tolist() == [0, 0, 0, 1, 1, 1]
    assert ledger.complete.all()


def test_a_period_is_complete_only_when_it_was_observed_to_its_end():
    """Steadily active members cut on a Tuesday would otherwise show a wave of evaporation."""
    steady = [(who, "post", f"2024-01-{day:02}") for who in ("ann", "bo") for day in (1, 3, 8, 10, 15)]
    ledger = weekly(log_of(*steady, ("ann", "post", "2024-01-23")))
    assert ledger.complete.tolist() == [True, True, True, False]
    assert ledger.evaporated.tolist() == [0, 0, 0, 1]
    for name in ("evaporation_rate", "quick_ratio", "net_growth", "half_life"):
        assert np.isnan(getattr(ledger, name)[-1]), name
    assert ledger.evaporation_rate[1:3].tolist() == [0, 0]


def test_without_an_end_of_observation_it_is_the_last_row_s_instant_and_one_resolution():
    ledger = weekly(log_of(*POSTS))
    assert ledger.observed_until_derived
    assert ledger.observed_until == on("2024-01-24").add(seconds=1)


def test_rates_are_of_the_opening():
    ledger = weekly(log_of(*POSTS), observed_until=on("2024-01-29"))
    assert ledger.evaporation_rate.tolist() == pytest.approx([np.nan, 0.5, 1.0, 0.5], nan_ok=True)
    assert ledger.net_growth.tolist() == pytest.approx([np.nan, -0.5, 1.0, -0.5], nan_ok=True)
    assert ledger.quick_ratio.tolist() == pytest.approx([np.nan, 0.0, 2.0, 0.0], nan_ok=True)
    assert ledger.half_life.tolist() == pytest.approx([np.nan, 1.0, 0.0, 1.0], nan_ok=True)


def test_where_nobody_evaporated_the_half_life_is_infinite():
    log = log_of(("ann", "post", "2024-01-01"), ("ann", "post", "2024-01-08"))
    assert weekly(log, observed_until=on("2024-01-15")).half_life[-1] == np.inf


def test_only_activity_counts_unless_kinds_are_named():
    log = log_of(("ann", "post", "2024-01-01"), ("bo", "receive", "2024-01-02"), ("cy", "read", "2024-01-03"))
    assert weekly(log).retained.tolist() == [2]
    assert weekly(log, kinds="receive").retained.tolist() == [1]
    assert weekly(log, kinds={"receive", "post"}).retained.tolist() == [2]


def test_what_acquiring_the_evaporated_had_cost():
    money = weekly(log_of(*POSTS)).money_evaporated(Money.of("12.50", "CNY"))
    assert [str(m) for m in money] == ["0.00 CNY", "12.50 CNY", "12.50 CNY", "12.50 CNY"]
    with pytest.raises(InvalidTypeError, match=r"^cost: expected Money, the acquisition cost of one member, got 12.5$"):
        weekly(log_of(*POSTS)).money_evaporated(12.5)


def test_an_empty_log_has_an_empty_ledger():
    ledger = weekly(EventLog.empty())
    assert (ledger.n_periods, ledger.observed_until) == (0, None)
    assert ledger.residual.shape == (5, 0)
    assert ledger.periods.dtype == np.dtype("M8[D]")
    assert repr(ledger) == "FlowLedger(0 periods, empty, week (Monday), Asia/Shanghai)"


def test_one_row_makes_one_period():
    ledger = weekly(log_of(POSTS[0]))
    assert (ledger.joined.tolist(), ledger.retained.tolist()) == ([1], [1])
    assert repr(ledger) == "FlowLedger(1 periods, 1 retained, week (Monday), Asia/Shanghai)"


def test_a_period_longer_than_the_data_is_one_period():
    ledger = flow_ledger(log_of(*POSTS), every=Calendar(unit="year", n=10, tz=SHANGHAI))
    assert ledger.retained.tolist() == [3]
    assert ledger.complete.tolist() == [False]


def test_days_are_those_of_the_wall_clock():
    """São Paulo had no midnight on 2018-11-04, and twice 23:00 on 2018-02-17."""
    at = np.array(["2018-11-03T12:00", "2018-11-04T01:00", "2018-11-05T00:00"], "M8[m]")
    log = EventLog.from_columns(member=list("abc"), kind="post", at=at, at_tz="America/Sao_Paulo")
    assert flow_ledger(log, every="day", tz="America/Sao_Paulo").joined.tolist() == [1, 1, 1]
    twice = EventLog.from_columns(
        member=list("ab"), kind="post", at=np.array(["2018-02-18T01:59", "2018-02-18T02:59"], "M8[m]"), at_tz="UTC"
    )
    ledger = flow_ledger(twice, every="hour", tz="America/Sao_Paulo")
    assert ledger.periods.tolist() == [dt.datetime.fromisoformat("2018-02-17T23:00")]
    assert ledger.joined.tolist() == [2]


# --- left and silent -------------------------------------------------------------------------------------------------


def test_the_evaporated_have_left_or_fell_silent():
    ledger = weekly(
        log_of(
            ("ann", "join", "2024-01-01"),
            ("bo", "join", "2024-01-01"),
            ("cy", "post", "2024-01-01"),
            ("ann", "leave", "2024-01-09"),
            ("bo", "receive", "2024-01-10"),
        )
    )
    assert ledger.evaporated.tolist() == [0, 3]
    assert (ledger.left.tolist(), ledger.silent.tolist()) == ([0, 1], [0, 2])
    assert (ledger.inside.tolist(), ledger.dormant.tolist()) == ([3, 2], [0, 2])


def test_who_posts_and_leaves_in_one_week_is_retained_in_it_and_has_left_in_the_next():
    log = log_of(("ann", "post", "2024-01-01"), ("ann", "leave", "2024-01-02"), ("bo", "post", "2024-01-08"))
    ledger = weekly(log)
    assert (ledger.retained.tolist(), ledger.left.tolist()) == ([1, 1], [0, 1])
    assert (ledger.inside.tolist(), ledger.dormant.tolist()) == ([0, 1], [0, 0])


def test_a_member_is_inside_until_every_group_was_left():
    rows = [
        ("ann", "join", "2024-01-01", "g1"),
        ("ann", "join", "2024-01-01", "g2"),
        ("ann", "leave", "2024-01-08", "g1"),
        ("ann", "remove", "2024-01-15", "g2"),
        ("bo", "post", "2024-01-15"),
    ]
    assert weekly(log_of(*rows)).inside.tolist() == [1, 1, 1]
    assert weekly(log_of(*rows)).silent.tolist() == [0, 1, 0]
    assert weekly(log_of(*rows), basis="membership").retained.tolist() == [1, 1, 0]


def test_a_first_fact_that_is_a_leave_puts_a_member_outside():
    log = log_of(("ann", "post", "2024-01-01"), ("ann", "leave", "2024-01-08"), ("bo", "leave", "2024-01-15"))
    assert weekly(log).inside.tolist() == [1, 0, 0]
    assert weekly(log).left.tolist() == [0, 1, 0]


def test_whoever_comes_back_is_inside_again():
    log = log_of(
        ("ann", "join", "2024-01-01"),
        ("ann", "leave", "2024-01-08"),
        ("ann", "join", "2024-01-15"),
        ("bo", "post", "2024-01-22"),
    )
    ledger = weekly(log)
    assert ledger.inside.tolist() == [1, 0, 1, 2]
    assert ledger.revived.tolist() == [0, 0, 1, 0]
    assert (ledger.left.tolist(), ledger.silent.tolist()) == ([0, 1, 0, 0], [0, 0, 0, 1])


def test_facts_of_one_instant_follow_the_order_of_their_rows():
    inside = log_of(("ann", "leave", "2024-01-01"), ("ann", "join", "2024-01-01"))
    outside = log_of(("ann", "join", "2024-01-01"), ("ann", "leave", "2024-01-01"))
    assert weekly(inside).inside.tolist() == [1]
    assert weekly(outside).inside.tolist() == [0]


def test_joins_before_the_first_post_begin_the_axis():
    log = log_of(("ann", "join", "2024-01-01"), ("ann", "post", "2024-01-15"))
    ledger = weekly(log, kinds="post")
    assert (ledger.joined.tolist(), ledger.inside.tolist()) == ([0, 0, 1], [1, 1, 1])
    assert ledger.dormant.tolist() == [1, 1, 0]


def test_the_caller_names_the_facts():
    log = log_of(("ann", "follow", "2024-01-01"), ("ann", "unfollow", "2024-01-08"), ("bo", "post", "2024-01-08"))
    ledger = weekly(log, join="follow", leave="unfollow", kinds={"follow", "post"})
    assert ledger.left.tolist() == [0, 1]
    assert ledger.has_membership
    assert not weekly(log).has_membership


def test_without_facts_nobody_has_left():
    ledger = weekly(log_of(*POSTS))
    assert ledger.left.tolist() == [0] * 4
    assert ledger.inside.tolist() == [2, 2, 3, 3]
    assert ledger.dormant.tolist() == [0, 1, 1, 2]


# --- membership ------------------------------------------------------------------------------------------------------


def test_on_the_membership_basis_those_inside_at_the_end_of_the_period_are_present():
    ledger = weekly(
        log_of(
            ("ann", "join", "2024-01-01"),
            ("bo", "post", "2024-01-02"),
            ("ann", "leave", "2024-01-08"),
            ("cy", "join", "2024-01-09"),
            ("ann", "join", "2024-01-16"),
        ),
        basis="membership",
    )
    assert ledger.joined.tolist() == [1, 1, 0]
    assert ledger.revived.tolist() == [0, 0, 1]
    assert ledger.evaporated.tolist() == ledger.left.tolist() == [0, 1, 0]
    assert ledger.retained.tolist() == ledger.inside.tolist() == [1, 1, 2]
    assert ledger.silent.tolist() == ledger.dormant.tolist() == [0, 0, 0]


def test_a_join_and_a_leave_in_one_period_are_turnover_and_in_no_identity():
    ledger = weekly(
        log_of(("ann", "join", "2024-01-01"), ("ann", "leave", "2024-01-02"), ("ann", "join", "2024-01-09")),
        basis="membership",
    )
    assert (ledger.turnover.tolist(), ledger.joined.tolist()) == ([1, 0], [0, 0])
    assert (ledger.revived.tolist(), ledger.retained.tolist()) == ([0, 1], [0, 1])


def test_a_member_who_leaves_and_comes_back_in_one_period_stayed():
    ledger = weekly(
        log_of(("ann", "join", "2024-01-01"), ("ann", "leave", "2024-01-09"), ("ann", "join", "2024-01-10")),
        basis="membership",
    )
    assert (ledger.turnover.tolist(), ledger.stayed.tolist()) == ([0, 1], [0, 1])
    assert ledger.flow.tolist() == [1, 0]


def test_facts_from_before_1970_stay_in_their_days():
    # Ann joins on the 6th and leaves on the 8th, Bo on the 4th and 5th.
    rows = [
        ("ann", "join", "1965-01-06"),
        ("ann", "leave", "1965-01-08"),
        ("bo", "join", "1965-01-04"),
        ("bo", "leave", "1965-01-05"),
    ]
    ledger = flow_ledger(log_of(*rows), every="day", tz=SHANGHAI, basis="membership", observed_until=on("1965-01-10"))
    assert ledger.periods.tolist() == [dt.date(1965, 1, day) for day in (4, 5, 6, 7, 8, 9)]
    assert ledger.joined.tolist() == [1, 0, 1, 0, 0, 0]
    assert ledger.evaporated.tolist() == [0, 1, 0, 0, 1, 0]
    assert ledger.retained.tolist() == [1, 0, 1, 1, 0, 0]


def test_moving_between_groups_is_no_turnover_of_the_community():
    rows = [
        ("ann", "join", "2024-01-01", "g1"),
        ("ann", "join", "2024-01-09", "g2"),
        ("ann", "leave", "2024-01-10", "g1"),
    ]
    ledger = weekly(log_of(*rows), basis="membership")
    assert (ledger.turnover.tolist(), ledger.ignored.tolist()) == ([0, 0], [0, 0])
    assert ledger.retained.tolist() == [1, 1]


def test_facts_that_change_nothing_are_ignored_and_counted():
    ledger = weekly(
        log_of(
            ("ann", "leave", "2024-01-01", "g1"),
            ("ann", "join", "2024-01-02", "g1"),
            ("ann", "join", "2024-01-03", "g1"),
            ("ann", "join", "2024-01-03", "g2"),
            ("ann", "leave", "2024-01-08", "g3"),
        ),
        basis="membership",
    )
    assert ledger.ignored.tolist() == [2, 1]
    assert ledger.retained.tolist() == [1, 1]


# --- segments --------------------------------------------------------------------------------------------------------


def test_segments_of_an_assignment_add_up_to_the_total():
    log = log_of(*POSTS)
    tiers = Assignment.from_mapping({"ann": "gold", "bo": "silver"}).align(log.members)
    by_tier = weekly(log, by=tiers)
    assert by_tier["gold"].retained.tolist() == [1, 1, 0, 0]
    assert by_tier["silver"].revived.tolist() == [0, 0, 1, 0]
    assert by_tier.unassigned.joined.tolist() == [0, 0, 1, 0]
    assert by_tier.overlap.tolist() == [0, 0, 0, 0]
    assert by_tier.total == weekly(log)
    assert weekly(log, by={"ann": "gold", "bo": "silver", "zoe": "gold"}) == by_tier


def test_a_member_of_two_groups_counts_in_each_and_once_in_the_total():
    log = log_of(
        ("ann", "post", "2024-01-01", "g1"), ("ann", "post", "2024-01-02", "g2"), ("bo", "post", "2024-01-03", "g2")
    )
    by_group = weekly(log, by="group")
    assert {group: ledger.retained.tolist() for group, ledger in by_group.items()} == {"g1": [1], "g2": [2]}
    assert (by_group.total.retained.tolist(), by_group.overlap.tolist()) == ([2], [1])
    assert by_group.unassigned is None


def test_leaving_one_group_is_evaporation_there_and_not_from_the_community():
    log = log_of(
        ("ann", "join", "2024-01-01", "g1"),
        ("ann", "join", "2024-01-01", "g2"),
        ("ann", "leave", "2024-01-08", "g1"),
        ("ann", "post", "2024-01-09", "g2"),
    )
    by_group = weekly(log, by="group")
    assert by_group["g1"].left.tolist() == [0, 1]
    assert by_group.total.evaporated.tolist() == [0, 0]
    assert weekly(log, by="group", basis="membership")["g1"].evaporated.tolist() == [0, 1]


def test_by_another_column_the_member_s_facts_speak_wherever_they_were_noted():
    log = log_of(
        ("ann", "post", "2024-01-01"),
        ("ann", "leave", "2024-01-08"),
        ("bo", "post", "2024-01-08"),
        extra={"channel": ["douyin", None, "weibo"]},
    )
    by_channel = weekly(log, by="channel")
    assert by_channel["douyin"].left.tolist() == [0, 1]
    assert by_channel["weibo"].inside.tolist() == [0, 1]
    assert by_channel.unassigned.retained.tolist() == [0, 0]


def test_a_presence_can_be_broken_down_by_an_assignment():
    log = log_of(*POSTS)
    p = presence(log, every="week", tz=SHANGHAI)
    tiers = {"ann": "gold", "bo": "silver"}
    assert flow_ledger(p, by=tiers) == weekly(log, by=tiers)


# --- merging ---------------------------------------------------------------------------------------------------------


def test_a_part_that_ended_early_is_carried_on():
    early = weekly(log_of(("ann", "post", "2024-01-01")), grace=1)
    late = weekly(log_of(("bo", "post", "2024-01-22")), grace=1)
    whole = weekly(log_of(("ann", "post", "2024-01-01"), ("bo", "post", "2024-01-22")), grace=1)
    assert early.merge(late) == late.merge(early) == whole
    assert whole.retained.tolist() == [1, 1, 0, 1]


def test_a_part_with_passive_rows_alone_only_moves_the_end_of_observation():
    seen = weekly(log_of(("ann", "post", "2024-01-01")))
    passive = weekly(log_of(("bo", "receive", "2024-01-20")))
    assert seen.merge(passive).retained.tolist() == [1, 0, 0]
    assert passive.merge(passive).n_periods == 0


def test_an_hourly_ledger_that_begins_long_after_1970_merges_with_that_of_an_empty_part_at_once():
    """A ledger of nobody used to be carried on from 1970, hour by hour."""
    options = {"every": "hour", "tz": "UTC", "start": on("2024-01-01")}
    ledger = flow_ledger(log_of(("ann", "post", "2024-01-01T10:00")), **options)
    nobody = flow_ledger(EventLog.empty(), **options)
    assert nobody.first_period == ledger.first_period
    assert nobody.merge(ledger) == ledger == ledger.merge(nobody)


def test_parts_whose_members_were_gone_before_the_start_keep_their_axis():
    gone = weekly(log_of(("ann", "leave", "2024-01-01")), start=on("2024-01-09"))
    other = weekly(log_of(("bo", "receive", "2024-01-16")), start=on("2024-01-09"))
    whole = weekly(log_of(("ann", "leave", "2024-01-01"), ("bo", "receive", "2024-01-16")), start=on("2024-01-09"))
    assert gone.merge(other) == whole == other.merge(gone)
    assert whole.retained.tolist() == [0, 0]


def test_the_ledger_of_a_tail_remembers_who_was_there():
    p = presence(log_of(*POSTS), every="week", tz=SHANGHAI)
    ledger = flow_ledger(p.tail(0), grace=1)
    assert (ledger.n_periods, ledger.inside_at_end, int(ledger.tail.sum())) == (0, 3, 2)
    dormant = flow_ledger(p.observed(on("2024-03-04")).tail(0))
    assert (dormant.inside_at_end, int(dormant.tail.sum())) == (3, 0)
    nobody = weekly(EventLog.empty(), observed_until=on("2024-03-04"))
    assert nobody.merge(dormant) == dormant == dormant.merge(nobody)
    assert flow_ledger(p.tail(2)).opening.tolist() == [1, 2]
    assert not flow_ledger(p.tail(2)).residual.any()


def test_a_ledger_survives_pickling_with_its_arrays_read_only():
    ledger = weekly(log_of(*POSTS), grace=1)
    again = pickle.loads(pickle.dumps(ledger))  # noqa: S301
    assert again == ledger
    assert not again.opening.flags.writeable
    assert not any(
        getattr(ledger, name).flags.writeable
        for name in ("opening", "joined", "revived", "evaporated", "left", "inside", "turnover", "ignored", "tail")
    )


# --- showing ---------------------------------------------------------------------------------------------------------


def test_what_a_log_cannot_tell_has_no_column():
    keys = ["period", "opening", "joined", "revived", "evaporated", "retained", "evaporation_rate", "net_growth"]
    shown = [column.key for column in weekly(log_of(*POSTS))._columns("en")]
    assert shown == [*keys, "complete"]
    facts = log_of(("ann", "join", "2024-01-01"))
    assert {"left", "silent", "inside", "dormant"} <= {column.key for column in weekly(facts)._columns("zh")}
    stays = {column.key for column in weekly(facts, basis="membership")._columns("en")}
    assert {"turnover", "ignored"} <= stays
    assert "left" not in stays


def test_rows_are_records():
    row = weekly(log_of(*POSTS)).last()
    assert row.period == pendulum.date(2024, 1, 22)
    assert (row.opening, row.evaporated, row.silent, row.retained, row.complete) == (2, 1, 1, 1, False)


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"grace": -1}, InvalidValueError, "grace: expected a number of periods in [0, 10,000], got -1"),
        ({"grace": True}, InvalidTypeError, "grace: expected an integer, got True"),
        ({"grace": 1.5}, InvalidTypeError, "grace: expected an integer, got 1.5"),
        ({"basis": "posts"}, InvalidValueError, "basis: expected one of 'activity', 'membership', got 'posts'"),
        ({"kinds": []}, InvalidValueError, "kinds: expected at least one kind, got []"),
        ({"kinds": [3]}, InvalidTypeError, "kinds: expected kinds of event as str, got 3"),
        (
            {"kinds": "pst", "unknown_kinds": "raise"},
            UnknownLabelError,
            "kinds: expected kinds that the log contains, got 'pst'; did you mean 'post'?",
        ),
        (
            {"join": {"jon"}, "unknown_kinds": "raise"},
            UnknownLabelError,
            "join: expected kinds that the log contains, got 'jon'",
        ),
        ({"join": []}, InvalidValueError, "join: expected at least one kind, got []"),
        (
            {"join": "post", "leave": "post"},
            InvalidValueError,
            "leave: expected kinds that have no other meaning here, got 'post'",
        ),
        (
            {"start": dt.datetime.fromisoformat("2024-01-01")},
            InvalidValueError,
            "start: expected an aware datetime, got '2024-01-01T00:00:00'; it has no time zone",
        ),
        (
            {"observed_until": "2024-01-01"},
            InvalidTypeError,
            "observed_until: expected an aware datetime, got '2024-01-01'; text is not parsed",
        ),
        ({"by": 3}, InvalidTypeError, "by: expected an Assignment, a mapping or the name of a column, got 3"),
        ({"by": "chanel"}, UnknownLabelError, "expected one of the log's columns (member, kind, group), got 'chanel'"),
        (
            {"by": Assignment.from_mapping({"bo": "x"})},
            MisalignedError,
            "by: expected one entry for each of the 3 members, got 1 entries",
        ),
        (
            {"by": Assignment.from_mapping({"ann": "x", "cy": "x", "bo": "x"})},
            MisalignedError,
            "by: expected the same members in the same order, got 'cy' where 'bo' stands",
        ),
        (
            {"by": "kind", "basis": "membership"},
            InvalidValueError,
            "by: expected 'group' or an assignment with basis='membership', got 'kind'",
        ),
        ({"every": None}, InvalidTypeError, "every: expected a period, such as 'week', when the data is a log"),
        ({"every": "wek"}, InvalidValueError, "every: expected one of 'hour', 'day', 'week', 'month'"),
        ({"tz": None}, InvalidValueError, "tz: expected a time zone such as 'Asia/Shanghai'"),
        ({"tz": "Mars/Olympus"}, UnknownLabelError, "tz: expected an IANA time zone such as 'Asia/Shanghai'"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused(options, error, text):
    with pytest.raises(error) as caught:
        flow_ledger(log_of(*POSTS), **{"every": "week", "tz": SHANGHAI, **options})
    assert text in str(caught.value)


def test_what_is_neither_log_nor_presence_is_refused():
    with pytest.raises(InvalidTypeError, match=r"^data: expected an EventLog or a Presence, got \[1\]$"):
        flow_ledger([1], every="week", tz=SHANGHAI)


def test_an_unknown_kind_warns_once_even_with_segments():
    with pytest.warns(UnknownKindWarning, match=r"did you mean 'post'") as caught:
        weekly(log_of(*POSTS), kinds={"pst", "post"}, by="group")
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"basis": "membership"}, "basis: expected what the presence was made with"),
        ({"kinds": "post"}, "kinds: expected what the presence was made with: pass the log to change it, got 'post'"),
        ({"observed_until": on("2024-01-01")}, "observed_until: expected what the presence was made with"),
        ({"join": {"follow"}}, "join: expected what the presence was made with"),
        ({"leave": {"unfollow"}}, "leave: expected what the presence was made with"),
        ({"every": "day"}, "every: expected the periods of the presence (week (Monday), Asia/Shanghai), got 'day'"),
        ({"every": "week", "tz": "UTC"}, "every: expected the periods of the presence"),
        ({"tz": "UTC"}, "tz: expected the zone of the presence (Asia/Shanghai), got 'UTC'"),
        ({"week_start": "sunday"}, "week_start: expected that of the presence (monday), got 'sunday'"),
        ({"kinds": np.array(["post", "like"])}, "kinds: expected what the presence was made with"),
        ({"join": np.array(["join", "like"])}, "join: expected what the presence was made with"),
        ({"observed_until": np.array([1, 2])}, "observed_until: expected what the presence was made with"),
        ({"basis": np.array(["activity", "membership"])}, "basis: expected one of 'activity', 'membership', got array"),
        ({"every": np.array(["week", "day"])}, "every: expected one of 'hour', 'day', 'week'"),
        ({"tz": np.array(["UTC", SHANGHAI])}, "tz: expected an IANA time zone such as"),
        ({"week_start": np.array(["monday", "sunday"])}, "week_start: expected one of 'monday', 'sunday', got array"),
        ({"by": "group"}, "by: expected an assignment: a presence has no columns, got 'group'"),
    ],
)
def test_an_option_that_contradicts_the_presence_is_refused(options, text):
    p = presence(log_of(*POSTS), every="week", tz=SHANGHAI)
    assert flow_ledger(p, every="week", tz=SHANGHAI) == weekly(log_of(*POSTS))
    with pytest.raises((InvalidValueError, InvalidTypeError)) as caught:
        flow_ledger(p, **options)
    assert text in str(caught.value)


def test_a_tail_has_no_ledger_of_what_it_forgot():
    tail = presence(log_of(*POSTS), every="week", tz=SHANGHAI).tail(2)
    assert flow_ledger(tail, start=on("2024-01-15")).opening.tolist() == [1, 2]
    with pytest.raises(
        InvalidValueError, match=r"^start: expected an instant from 2024-01-15 on, .*, got '2024-01-08'$"
    ):
        flow_ledger(tail, start=on("2024-01-14"))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"tz": "UTC"}, "every: expected parts over the same periods (week (Monday), Asia/Shanghai), got 'week"),
        ({"grace": 1}, "grace: expected parts with the same grace (0), got 1"),
        ({"basis": "membership"}, "basis: expected parts with the same basis (activity), got 'membership'"),
        ({"kinds": "post"}, "kinds: expected parts with the same kinds (None), got frozenset({'post'})"),
        ({"start": on("2024-01-09")}, "start: expected parts with the same start (None), got '2024-01-08'"),
        ({"observed_until": on("2024-02-01")}, "give every part the same `observed_until`"),
    ],
)
def test_ledgers_of_different_definitions_do_not_merge(options, text):
    one = weekly(log_of(*POSTS))
    other = flow_ledger(log_of(*POSTS), **{"every": "week", "tz": SHANGHAI, **options})
    for a, b in ((one, other), (other, one)):
        with pytest.raises(InvalidValueError) as caught:
            a.merge(b)
    with pytest.raises(InvalidValueError) as caught:
        one.merge(other)
    assert text in str(caught.value)


def test_two_different_ends_of_observation_do_not_merge():
    one, other = (weekly(log_of(*POSTS), observed_until=on(day)) for day in ("2024-02-01", "2024-02-02"))
    with pytest.raises(InvalidValueError, match=r"^observed_until: expected the same end of observation in both parts"):
        one.merge(other)
    with pytest.raises(InvalidTypeError, match=r"^other: expected a FlowLedger, got 3$"):
        one.merge(3)


def test_a_ledger_that_opens_with_members_does_not_merge_with_one_that_begins_earlier():
    p = presence(log_of(*POSTS), every="week", tz=SHANGHAI)
    with pytest.raises(InvalidValueError, match=r"opens with 1 members in 2024-01-15, got '2024-01-01'$"):
        flow_ledger(p).merge(flow_ledger(p.tail(2)))
    with pytest.raises(InvalidValueError, match=r"opens with 1 members in 2024-01-29, got '2024-01-01'$"):
        flow_ledger(p.tail(0)).merge(flow_ledger(p))


def test_the_ledger_of_pairs_without_a_log_counts_the_same():
    week = np.array(["2024-01-01", "2024-01-08"], "M8[D]")
    p = Presence.from_columns(member=[7, 7], period=week)
    assert isinstance(flow_ledger(p), FlowLedger)
    assert flow_ledger(p).complete.tolist() == [True, True]
    assert flow_ledger(p).stayed.tolist() == [0, 1]


def test_counts_that_outgrow_64_bits_do_not_wrap_when_ledgers_merge():
    week = np.array(["2024-03-04"], "M8[D]")
    half = FlowLedger.from_counts(period=week, joined=[2**62], revived=[0], evaporated=[0])
    with pytest.raises(InvalidValueError, match="joined: expected counts whose sum fits 64 bits with sign"):
        half.merge(half)


def test_a_grace_of_a_billion_periods_is_refused_and_not_walked_through():
    log = EventLog.from_columns(member=["ann"], kind="post", at=[0], time_unit="s")
    with pytest.raises(
        InvalidValueError, match=r"grace: expected a number of periods in \[0, 10,000\], got 1000000000"
    ):
        flow_ledger(log, every="week", tz="UTC", grace=10**9)
    assert flow_ledger(log, every="week", tz="UTC", grace=10_000).retained.tolist() == [1]


def test_hours_over_centuries_are_refused():
    log = EventLog.from_columns(member=["ann"], kind="post", at=[0], time_unit="s")
    with pytest.raises(InvalidValueError, match=r"every: expected at most 1,048,576 periods .*, got 2559"):
        flow_ledger(log, every="hour", tz="UTC", observed_until=pendulum.datetime(2261, 12, 31))


def test_the_membership_basis_takes_neither_grace_nor_kinds():
    log = EventLog.from_columns(member=["ann"], kind="join", at=[0], time_unit="s")
    for options in ({"grace": 2}, {"kinds": {"post"}}):
        [name] = options
        with pytest.raises(InvalidValueError, match=f"{name}: expected 0 or None with basis='membership'"):
            flow_ledger(log, every="week", tz="UTC", basis="membership", **options)


def test_kinds_are_a_collection():
    log = EventLog.from_columns(member=["ann"], kind="join", at=[0], time_unit="s")
    for name in ("kinds", "join", "leave"):
        with pytest.raises(InvalidTypeError, match=f"{name}: expected kinds of event as str, got 5"):
            flow_ledger(log, every="week", tz="UTC", **{name: 5})
