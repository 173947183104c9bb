from __future__ import annotations

import datetime as dt

import numpy as np
import pendulum
import pytest

from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownKindWarning, UnknownLabelError
from shequn.lifecycle import (
    CommunitySeries,
    LifecycleStage,
    StagePolicy,
    Stages,
    community_series,
    is_dead,
    revivals,
    stages,
    stock_vs_increment,
)
from shequn.lifecycle import from_log as from_log_module
from shequn.values import Band, Calendar

GERMINATION, GROWTH, ACTIVE, DECLINE, DORMANCY = LifecycleStage
DAY = 86_400


def series_of(*rows, **more):
    members, active, messages = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    return CommunitySeries(members=members, active=active, messages=messages, **more)


def log_of(*rows, **more):
    member, kind, day = zip(*rows, strict=True)
    return EventLog.from_columns(member=member, kind=kind, at=[d * DAY for d in day], time_unit="s", **more)


LIVELY, DULL, SILENT = (40, 20, 80), (40, 2, 10), (40, 0, 0)


# --- the stages ---


def test_the_stages_have_an_order_and_names_in_two_languages():
    assert [stage.rank for stage in LifecycleStage] == [0, 1, 2, 3, 4]
    assert LifecycleStage.from_label("高速成长期") is GROWTH
    assert [stage.en for stage in (DECLINE, DORMANCY)] == ["decline", "dormancy"]


def test_a_whole_life_passes_through_every_stage():
    rows = [(5, 3, 9), (15, 8, 30), (30, 15, 60), (60, 30, 120), *[(60, 30, 120)] * 3, *[(58, 4, 12)] * 4]
    found = stages(series_of(*rows, *[(55, 0, 0)] * 5))
    assert [(change.after, change.row) for change in found.changes] == [
        (GROWTH, 3),
        (ACTIVE, 5),
        (DECLINE, 9),
        (DORMANCY, 14),
    ]
    assert found.durations == {
        "germination": 3, "rapid_growth": 2, "active_interaction": 4, "decline": 5, "dormancy": 2,
    }  # fmt: skip
    assert found.current is DORMANCY
    assert [spell.is_open for spell in found.spells] == [False, False, False, False, True]


def test_a_seed_that_grows_but_stays_small_germinates():
    assert stages(series_of((3, 2, 9), (6, 4, 18), (12, 8, 36), (24, 16, 72))).current is GERMINATION


def test_it_takes_as_long_as_the_policy_says():
    rows = [LIVELY] + [DULL] * 3
    assert stages(series_of(*rows[:3]), start="active_interaction").current is ACTIVE
    assert stages(series_of(*rows), start="active_interaction").current is DECLINE
    assert stages(series_of(*rows), policy=StagePolicy(decline_hold=4), start="活跃互动期").current is ACTIVE


def test_one_lively_period_starts_the_count_again():
    rows = [LIVELY, DULL, DULL, LIVELY, DULL, DULL]
    assert stages(series_of(*rows), start="active_interaction").current is ACTIVE


@pytest.mark.parametrize(("messages", "stage"), [(20, ACTIVE), (19, DECLINE)])
def test_who_was_lively_stays_so_at_the_lower_threshold_and_not_below(messages, stage):
    rows = [LIVELY, *[(40, 20, messages)] * 3]
    assert stages(series_of(*rows), start="active_interaction").current is stage


@pytest.mark.parametrize(("messages", "stage"), [(40, ACTIVE), (39, DECLINE)])
def test_who_declined_is_lively_again_at_the_upper_threshold_and_not_below(messages, stage):
    rows = [DULL, DULL, *[(40, 20, messages)] * 2]
    assert stages(series_of(*rows), start="decline").current is stage


def test_activity_of_a_few_is_not_lively():
    assert stages(series_of(*[(100, 3, 500)] * 4), start="active_interaction").current is DECLINE


def test_a_dormant_community_revives_to_active_interaction_alone():
    found = stages(series_of(*[SILENT] * 2, LIVELY, LIVELY), start="dormancy")
    (change,) = found.changes
    assert (change.before, change.after, change.is_revival) == (DORMANCY, ACTIVE, True)
    assert (
        change.explain()
        == "messages a member 2.00 (at least 0.50), active share 50.0% (at least 10.0%), 2 periods in a row"
    )
    growing = series_of((30, 0, 0), (60, 0, 0), (120, 0, 0), (240, 0, 0))
    assert stages(growing, start="dormancy").current is DORMANCY


def test_growth_in_silence_is_not_dormancy():
    assert stages(series_of(*[(30 * 2**k, 0, 0) for k in range(6)])).current is GROWTH


def test_a_community_that_everybody_left_falls_silent():
    found = stages(series_of((40, 20, 80), *[(0, 0, 0)] * 5), start="active_interaction")
    assert found.current is DORMANCY
    assert found.series.growth.tolist()[1:3] == [-np.inf, 0.0]


def test_the_evidence_tells_value_and_threshold_in_both_languages():
    found = stages(series_of(LIVELY, *[(40, 20, 19)] * 3), start="active_interaction")
    (change,) = found.changes
    assert change.explain() == "growth 0.0% (below 5.0%), messages a member 0.47 (below 1.00), 3 periods in a row"
    assert change.explain(lang="zh") == "增长率 0.0%（低于 5.0%），人均消息 0.47（低于 1.00），连续 3 个周期"
    assert "3 active interaction → decline: growth" in str(found)
    assert "3 活跃互动期 → 衰亡期：增长率" in found.table(lang="zh")


def test_a_value_close_to_its_threshold_is_told_apart():
    rows = [(10_000, 5_000, 20_000), *[(10_000, 5_000, 4_999)] * 3]
    (change,) = stages(series_of(*rows), policy=StagePolicy(activity=Band(0.5)), start="active_interaction").changes
    assert "messages a member 0.4999 (below 0.5000)" in change.explain()


def test_a_period_not_observed_in_full_is_shown_and_not_judged():
    found = stages(series_of(LIVELY, LIVELY, (40, 1, 1), partial=1), start="active_interaction")
    assert found.stage == (ACTIVE, ACTIVE, None)
    assert found.series.complete.tolist() == [True, True, False]
    assert str(found).endswith("The last period was not observed in full, and not judged.")
    assert found.to_columns()["stage"].tolist() == [ACTIVE, ACTIVE, None]
    assert [row.stage for row in found.rows()] == [ACTIVE, ACTIVE, None]
    assert found.to_dict()["columns"]["stage"] == ["active_interaction", "active_interaction", None]


def test_a_long_life_shows_its_last_changes():
    found = stages(series_of(*([LIVELY] * 2 + [DULL] * 3) * 9), start="active_interaction")
    assert len(found.changes) == 17
    assert "5 earlier changes are left out." in str(found)
    assert "此前另有 5 次变化。" in found.table(lang="zh")
    assert str(found).count("→") == 12


def test_no_period_at_all_leaves_the_stage_before():
    found = stages(series_of(), start="decline")
    assert (found.current, found.spells, found.durations, found.stage) == (DECLINE, (), {}, ())
    assert not found.next_stage().is_known
    assert "(no rows)" in str(found)


def test_periods_have_the_dates_of_their_calendar():
    series = CommunitySeries.from_counts(
        members=[40] * 3, active=[2] * 3, messages=[10] * 3, period=[dt.date(2024, 1, d) for d in (1, 8, 15)], tz="UTC"
    )
    found = stages(series, policy=StagePolicy(decline_hold=1), start="active_interaction")
    assert found.changes[0].period == pendulum.date(2024, 1, 8)
    assert found.spells[1].period == pendulum.date(2024, 1, 8)


def test_stages_refuse_what_is_no_series_no_policy_or_no_stage():
    with pytest.raises(InvalidTypeError, match="series: expected a CommunitySeries"):
        stages([1, 2])
    with pytest.raises(InvalidTypeError, match="policy: expected a StagePolicy"):
        stages(series_of(LIVELY), policy={"size": 3})
    with pytest.raises(UnknownLabelError, match=r"start: .* did you mean 'decline'"):
        stages(series_of(LIVELY), start="declin")
    with pytest.raises(MisalignedError, match="codes: expected one entry for each of the 1 periods"):
        Stages(series=series_of(LIVELY), policy=StagePolicy(), codes=[0, 0])


# --- the policy ---


def test_a_policy_refuses_what_is_no_band_no_number_or_contradicts_itself():
    with pytest.raises(InvalidTypeError, match=r"growth: expected a Band, such as Band\(0.05, 0.02\), got 0.05"):
        StagePolicy(growth=0.05)
    with pytest.raises(InvalidValueError, match="active_hold: expected 1 to 10,000 periods, got 0"):
        StagePolicy(active_hold=0)
    with pytest.raises(InvalidTypeError, match="decline_hold: expected an integer"):
        StagePolicy(decline_hold=1.5)
    with pytest.raises(InvalidValueError, match=r"awake: expected leave at most 0\.5, that of activity, got 0\.6"):
        StagePolicy(awake=Band(0.8, 0.6))


# --- the next stage ---


def test_the_next_stage_is_reached_when_the_share_falls_below_its_threshold():
    rows = [(64, 40 - 4 * k, 128) for k in range(6)]
    ahead = stages(series_of(*rows), start="active_interaction").next_stage()
    # 20 of 64 now, 4 less each period: 8 are still 10 %, 4 are not; and 2 periods more of 3 in a row.
    assert (ahead.stage, ahead.periods) == (DECLINE, 6)
    assert ahead.active_share_change == -1 / 16
    assert ahead.explain(lang="zh").startswith("6 个周期后进入衰亡期，若每周期增长率变化 0.0 个百分点")


def test_where_nothing_moves_the_stage_does_not_change_at_this_rate():
    ahead = stages(series_of(*[LIVELY] * 5), start="active_interaction").next_stage(within=50)
    assert (ahead.stage, ahead.periods, ahead.is_known) == (None, None, True)
    assert ahead.explain() == "not at this rate: no change within 50 periods"


def test_activity_goes_on_falling_to_nothing_and_no_further():
    policy = StagePolicy(activity=Band(0), active_share=Band(0), awake=Band(0))
    ahead = stages(series_of(*[(40, 20, 80 - 10 * k) for k in range(6)]), policy=policy, start="active_interaction")
    assert ahead.next_stage().stage is None


@pytest.mark.parametrize("rows", [[LIVELY], [LIVELY] * 2, [LIVELY, LIVELY, (0, 0, 0)]])
def test_too_few_periods_of_known_growth_have_no_rate(rows):
    ahead = stages(series_of(*rows)).next_stage()
    assert ahead.explain() == "no rate: the last periods whose growth is known, and finite, are fewer than two"
    assert ahead.explain(lang="zh") == "最近连续且增长率已知、有限的完整周期不足 2 个，无法外推"


def test_an_outlook_refuses_numbers_out_of_range():
    found = stages(series_of(*[LIVELY] * 5))
    with pytest.raises(InvalidValueError, match="trend: expected 1 to 100,000 periods, got 0"):
        found.next_stage(trend=0)
    with pytest.raises(InvalidTypeError, match="within: expected an integer"):
        found.next_stage(within=2.5)
    with pytest.raises(InvalidValueError, match="lang: "):
        found.next_stage().explain(lang="de")


# --- the series ---


def test_a_series_refuses_what_is_no_count_and_columns_of_other_lengths():
    with pytest.raises(InvalidTypeError, match="members: expected integers"):
        CommunitySeries(members=[1.5], active=[1], messages=[1])
    with pytest.raises(InvalidValueError, match=r"active: expected integers in \[0, 2\*\*63\), got -1 at row 1"):
        CommunitySeries(members=[1, 1], active=[1, -1], messages=[1, 1])
    with pytest.raises(MisalignedError, match="messages: expected as many rows as `members`, which has 2"):
        CommunitySeries(members=[1, 1], active=[1, 1], messages=[1])
    with pytest.raises(InvalidValueError, match=r"messages: expected counts up to 2\*\*53"):
        CommunitySeries(members=[1], active=[1], messages=[2**60])
    with pytest.raises(InvalidValueError, match="partial: expected 0 to 1"):
        CommunitySeries(members=[1], active=[1], messages=[1], partial=2)
    with pytest.raises(InvalidValueError, match="members: expected one axis"):
        CommunitySeries(members=[[1]], active=[1], messages=[1])


def counts_at(*days, **more):
    n = len(days)
    period = np.array(days, dtype="M8[D]")
    return CommunitySeries.from_counts(members=[1] * n, active=[1] * n, messages=[1] * n, period=period, **more)


def test_a_week_left_out_is_noticed():
    with pytest.raises(
        InvalidValueError, match="period: expected each period right after the one before, got '2024-01-15'"
    ):
        counts_at("2024-01-01", "2024-01-15")
    with pytest.raises(
        InvalidValueError, match=r"period: expected local start dates of periods \(week \(Monday\), UTC\)"
    ):
        counts_at("2024-01-02")
    with pytest.raises(InvalidValueError, match=r"period: expected dates in \[1900, 2262\)"):
        counts_at("NaT")


def test_dates_are_dates():
    columns = {"members": [1], "active": [1], "messages": [1]}
    with pytest.raises(InvalidTypeError, match="period: expected dates, the local starts of periods, got 'x' at row 0"):
        CommunitySeries.from_counts(**columns, period=["x"])
    with pytest.raises(InvalidTypeError, match="period: expected a 1-D column of dates"):
        CommunitySeries.from_counts(**columns, period=dt.date(2024, 1, 1))
    with pytest.raises(MisalignedError, match="period: expected as many rows"):
        CommunitySeries.from_counts(**columns, period=[dt.date(2024, 1, 1)] * 2)
    with pytest.raises(InvalidValueError, match="observed_until: expected None where periods have no dates"):
        CommunitySeries.from_counts(**columns, observed_until=pendulum.datetime(2024, 1, 1))


def test_a_series_knows_which_of_its_weeks_were_observed_in_full():
    until = pendulum.datetime(2024, 1, 14)
    assert counts_at("2024-01-01", "2024-01-08", observed_until=until).complete.tolist() == [True, False]
    assert counts_at("2024-01-01", "2024-01-08", observed_until=until.add(days=1)).complete.tolist() == [True, True]
    with pytest.raises(InvalidValueError, match="partial: expected 0 where observed_until is given"):
        counts_at("2024-01-01", observed_until=until, partial=1)


def test_only_series_of_one_calendar_merge():
    with pytest.raises(InvalidValueError, match="other: expected a calendar on both sides"):
        series_of(LIVELY).merge(series_of(LIVELY))
    days = counts_at("2024-01-01", every="day")
    with pytest.raises(InvalidValueError, match=r"other: expected the same periods \(week"):
        counts_at("2024-01-01").merge(days)
    with pytest.raises(InvalidTypeError, match="other: expected a CommunitySeries"):
        days.merge(3)
    early, late = counts_at("2024-01-01", partial=1), counts_at("2024-01-15")
    assert early.merge(late).complete.tolist() == [False, False, False]
    assert early.merge(late).members.tolist() == [1, 1, 2]


def test_a_series_prints_in_chinese_and_marks_what_is_incomplete():
    shown = series_of(LIVELY, LIVELY, partial=1).table(lang="zh")
    assert "完整" in shown
    assert series_of(LIVELY).last().activity == 2.0
    assert repr(series_of(LIVELY)) == "CommunitySeries(1 period of 40 members)"
    assert repr(series_of((1, 1, 1), (1, 1, 1))) == "CommunitySeries(2 periods of 1 member)"
    assert repr(stages(series_of(LIVELY))) == "Stages(germination, 1 period, changes=0)"
    assert repr(stock_vs_increment(existing=[1], activated=[1], joined=[1])) == "StockAndIncrement(1 period)"


def test_growth_from_nothing_and_back_has_no_rate():
    ahead = stages(series_of((0, 0, 0), LIVELY, (0, 0, 0), LIVELY)).next_stage()
    assert not ahead.is_known
    assert ahead.explain() == "no rate: the last periods whose growth is known, and finite, are fewer than two"
    assert "有限" in ahead.explain(lang="zh")


def test_a_first_period_is_a_number_near_enough_to_be_told():
    for first in ("abc", None, 1.5, [1]):
        with pytest.raises(InvalidTypeError, match="first_period: expected an integer, got"):
            series_of(LIVELY, first_period=first)
    with pytest.raises(InvalidValueError, match=r"first_period: expected the number of a period, within 2\*\*53 of 0"):
        series_of(LIVELY, first_period=10**400)
    assert series_of(LIVELY, first_period=-(2**53)).periods.tolist() == [-(2**53)]


def test_a_number_alone_is_no_column():
    with pytest.raises(InvalidValueError, match="members: expected one axis"):
        CommunitySeries.from_counts(members=5, active=[1], messages=[1], period=[dt.date(2024, 1, 1)])
    for exclude in (np.array(3), np.array(np.nan), np.float16(2)):
        with pytest.raises(InvalidTypeError, match="exclude: expected labels of members, got"):
            community_series(log_of(("a", "post", 0)), every="day", tz="UTC", exclude=exclude)


# --- from a log ---


def test_members_who_leave_one_of_two_groups_are_still_inside():
    log = log_of(
        ("ann", "join", 0), ("ann", "join", 0), ("ann", "leave", 1), ("ann", "leave", 2), group=["g", "h", "g", "h"]
    )
    series = community_series(log, every="day", tz="UTC", unknown_kinds="ignore")
    assert series.members.tolist() == [1, 1, 0]
    # Of the second day nothing is observed after the last row.
    assert series.complete.tolist() == [True, True, False]


def test_without_membership_facts_nobody_leaves():
    series = community_series(log_of(("ann", "post", 0), ("bo", "reply", 1), ("ann", "post", 3)), every="day", tz="UTC")
    assert series.members.tolist() == [1, 2, 2, 2]
    assert series.active.tolist() == [1, 1, 0, 1]
    assert series.messages.tolist() == [1, 1, 0, 1]


def test_rows_of_staff_and_bots_are_no_sign_of_life():
    log = log_of(("ann", "post", 0), ("bot", "post", 1), ("boss", "post", 2), ("bot", "post", 9))
    series = community_series(log, every="day", tz="UTC", exclude=["bot", "boss", "nobody"])
    assert series.members.tolist() == [1] * 10
    assert series.messages.tolist() == [1] + [0] * 9
    assert is_dead(series)
    assert not is_dead(community_series(log, every="day", tz="UTC"), quiet_periods=8)


def test_labels_to_exclude_may_be_one_label_numbers_or_an_array():
    log = log_of((7, "post", 0), (8, "post", 0))
    for exclude in (8, [8], np.array([8])):
        assert community_series(log, every="day", tz="UTC", exclude=exclude).members.tolist() == [1]
    with pytest.raises(InvalidTypeError, match="exclude: expected labels of members"):
        community_series(log, every="day", tz="UTC", exclude=3.5)


def test_a_log_whose_messages_have_another_name_is_told():
    log = log_of(("ann", "say", 0))
    with pytest.warns(UnknownKindWarning, match="kinds: expected kinds that the log contains"):
        assert community_series(log, every="day", tz="UTC").messages.tolist() == [0]
    assert community_series(log, every="day", tz="UTC", kinds="say").messages.tolist() == [1]


def test_an_empty_log_gives_an_empty_series():
    series = community_series(EventLog.empty(), tz="UTC")
    assert (series.n_periods, series.calendar) == (0, Calendar(unit="week", tz="UTC"))
    assert series.merge(series) == series
    assert community_series(log_of(("ann", "receive", 0)), tz="UTC", unknown_kinds="ignore").n_periods == 0


def test_a_row_at_the_end_of_observation_is_not_seen():
    log = log_of(("ann", "post", 0), ("bo", "post", 2))
    until = pendulum.datetime(1970, 1, 3)
    series = community_series(log, every="day", tz="UTC", observed_until=until)
    assert (series.members.tolist(), series.messages.tolist(), series.partial) == ([1, 1], [1, 0], 0)
    later = community_series(log, every="day", tz="UTC", observed_until=until.add(microseconds=1))
    assert (later.members.tolist(), later.messages.tolist(), later.partial) == ([1, 1, 2], [1, 0, 1], 1)


def test_parts_that_end_at_different_times_add_up_to_the_last_end():
    log = log_of(("ann", "post", 0), ("bo", "post", 1), ("bo", "receive", 4))
    parts = [community_series(log.where(members=member), every="day", tz="UTC") for member in ("ann", "bo")]
    whole = parts[0].merge(parts[1])
    assert whole == community_series(log, every="day", tz="UTC")
    assert whole.members.tolist() == [1, 2, 2, 2, 2]
    # Somebody who only received something is no member yet, and is seen all the same.
    log = log_of(("ann", "post", 0), ("bo", "receive", 4))
    parts = [community_series(log.where(members=member), every="day", tz="UTC") for member in ("ann", "bo")]
    assert parts[0].merge(parts[1]).members.tolist() == [1] * 5


def test_an_axis_of_a_million_hours_is_refused():
    log = log_of(("ann", "post", -25_000), ("ann", "post", 19_800))
    with pytest.raises(InvalidValueError, match="every: expected at most 1,048,576 periods"):
        community_series(log, every="hour", tz="UTC")
    with pytest.raises(InvalidTypeError, match="log: expected an EventLog"):
        community_series([1])


def test_members_of_many_periods_are_counted_without_a_table_of_all():
    log = log_of(*[(f"m{i % 7}", "post", i * i % 40) for i in range(60)])
    series = community_series(log, every="day", tz="UTC")
    wide = [from_log_module._distinct(np.array([0, 1, 0]), np.array([0, 0, 0]), n, 2).tolist() for n in (2, 100)]
    assert wide == [[2, 0], [2] + [0] * 99]
    assert series.active.sum() == len({(i % 7, i * i % 40) for i in range(60)})


# --- dead, and alive again ---


def test_a_community_is_dead_after_as_many_quiet_periods_as_asked():
    series = series_of((40, 9, 80), *[(40, 1, 1)] * 3, (40, 3, 70), partial=1)
    check = is_dead(series, quiet_periods=3, at_most=1)
    assert check
    assert check.explain(lang="zh") == "死群：最近 3 个周期每期消息不超过 1 条（达到 3 个周期为死群）"
    check = is_dead(series, quiet_periods=4, at_most=1)
    assert not check
    assert check.explain() == "not dead: at most 1 message in each of the last 3 periods (dead from 4 on)"


def test_a_community_that_writes_is_not_dead_and_a_young_one_is_not_known_to_be():
    assert is_dead(series_of(*[LIVELY] * 4)).explain() == "not dead: more than 0 messages in the last period"
    assert is_dead(series_of(*[LIVELY] * 4)).explain(lang="zh") == "未死：最近一个完整周期的消息超过 0 条"
    young = is_dead(series_of(SILENT))
    assert not young
    assert not young.is_known
    assert young.explain() == "too young to tell: 1 period observed in full, fewer than 4"
    assert young.explain(lang="zh") == "无法判断：仅观察到 1 个完整周期，少于 4 个"
    one = is_dead(series_of(*[LIVELY] * 4, SILENT))
    assert one.explain() == "not dead: at most 0 messages in the last period (dead from 4 on)"


def test_death_refuses_what_makes_no_sense():
    with pytest.raises(InvalidValueError, match="quiet_periods: expected 1 period or more, got 0"):
        is_dead(series_of(LIVELY), quiet_periods=0)
    with pytest.raises(InvalidValueError, match="at_most: expected 0 or more messages, got -1"):
        is_dead(series_of(LIVELY), at_most=-1)
    with pytest.raises(InvalidTypeError, match="series: expected a CommunitySeries"):
        is_dead(3)


def test_a_revival_is_held_against_what_was_before_the_decline():
    before, low, after = [(40, 20, 100)] * 3, [(40, 2, 10)] * 4, [(40, 20, 60)] * 3
    found = revivals(stages(series_of(*before, *low, *after, *low, *after), start="active_interaction"))
    first, second = found.rows()
    assert (first.period, first.source, first.away) == (8, DECLINE, 4)
    assert (first.before, first.bottom, first.since, first.score) == (100, 10, 60, 0.6)
    assert (second.before, second.since, second.score) == (60, 60, 1)
    assert "恢复度" in found.table(lang="zh")
    assert len(found) == 2


def test_a_revival_of_which_no_before_is_known_has_no_score():
    (row,) = revivals(stages(series_of(DULL, DULL, LIVELY, LIVELY), start="dormancy")).rows()
    assert (row.source, row.away, row.since) == (DORMANCY, 2, 80)
    assert np.isnan(row.before)
    assert np.isnan(row.score)


def test_without_a_revival_there_are_none():
    found = revivals(stages(series_of(LIVELY)))
    assert len(found) == 0
    assert found.to_columns()["score"].dtype == np.float64
    with pytest.raises(InvalidTypeError, match="stages: expected Stages"):
        revivals(series_of(LIVELY))


# --- stock and increment ---


def test_stock_and_increment_are_shares_of_what_was_counted():
    found = stock_vs_increment(existing=[0, 100], activated=[0, 25], joined=[50, 25])
    assert found.activated_share.tolist()[1:] == [0.25]
    assert found.growth_share.tolist() == [1.0, 0.2]
    assert found.from_stock.tolist() == [0.0, 0.5]
    assert np.isnan(found.activated_share[0])
    assert found.last().from_stock == 0.5


def test_stock_refuses_more_active_than_there_were():
    with pytest.raises(
        InvalidValueError, match="activated: expected no more than the existing members, got 3 at row 0"
    ):
        stock_vs_increment(existing=[2], activated=[3], joined=[0])
    with pytest.raises(MisalignedError, match="joined: expected as many rows as `existing`, which has 1"):
        stock_vs_increment(existing=[2], activated=[1], joined=[0, 1])
    with pytest.raises(InvalidTypeError, match="joined: expected integers"):
        stock_vs_increment(existing=[2], activated=[1], joined=[0.5])
