from __future__ import annotations

import copy
import json
import math
import pickle

import attrs
import numpy as np
import pendulum
import pytest
from pendulum import datetime, duration

from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownKindWarning, UnknownLabelError
from shequn.labels import Assignment
from shequn.retention import (
    IdleSensitivity,
    SurvivalComparison,
    SurvivalCurve,
    idle_sensitivity,
    kaplan_meier,
    log_rank,
    survival,
)
from shequn.retention.time_units import span_text, to_units, unit_text
from shequn.stats import SurvivalTable
from shequn.stats import log_rank as log_rank_of_tables

DAY = 86_400
# ann evaporates after 7 days, bo is still there, cy began too late to say, di evaporates after 22 days.
MEMBER = ["ann", "ann", "bo", "bo", "cy", "di", "di"]
AT = [day * DAY for day in (0, 7, 0, 58, 50, 9, 31)]
UNTIL = datetime(1970, 3, 2)
TWO_WEEKS = duration(days=14)


def log_of(member=MEMBER, at=AT, kind="post", **columns):
    return EventLog.from_columns(member=member, kind=kind, at=at, time_unit="s", **columns)


def curve_of(log=None, **options):
    return survival(log_of() if log is None else log, **{"idle_after": TWO_WEEKS, "observed_until": UNTIL} | options)


# --- from a log ---


def test_a_member_without_a_row_after_the_end_of_follow_up_has_evaporated_at_the_last_row():
    curve = curve_of()
    assert curve.times.tolist() == [7, 22, 46]
    assert (curve.events.tolist(), curve.censored.tolist()) == ([1, 1, 0], [0, 0, 1])
    assert (curve.n_members, curve.n_followed, curve.n_events, curve.n_censored, curve.too_young) == (4, 3, 2, 1, 1)
    assert curve.followed_until == datetime(1970, 2, 16)
    assert curve.observed_until == UNTIL
    assert curve.idle_after == TWO_WEEKS


@pytest.mark.parametrize(("last", "events"), [(0, 1), (1, 0)])
def test_a_row_at_the_end_of_follow_up_is_not_after_it(last, events):
    end = 46 * DAY
    curve = curve_of(log_of(["ann", "ann"], [0, end + last]))
    assert (curve.n_events, curve.n_censored) == (events, 1 - events)
    assert curve.times.tolist() == [46]


@pytest.mark.parametrize(("first", "too_young"), [(0, 0), (1, 1)])
def test_a_member_who_began_after_the_end_of_follow_up_is_too_young(first, too_young):
    curve = curve_of(log_of(["ann"], [46 * DAY + first]))
    assert (curve.too_young, curve.n_followed) == (too_young, 1 - too_young)


def test_a_silence_that_ended_in_a_return_is_no_evaporation():
    curve = curve_of(log_of(["ann", "ann"], [0, 58 * DAY]), idle_after=duration(days=3))
    assert (curve.n_events, curve.n_censored) == (0, 1)


def test_rows_at_or_after_the_end_of_observation_are_ignored():
    later = log_of([*MEMBER, "ann", "eve"], [*AT, 60 * DAY, 90 * DAY])
    assert curve_of(later) == curve_of()


def test_a_single_row_is_a_stay_of_zero():
    curve = curve_of(log_of(["ann", "bo", "bo"], [0, 0, 5 * DAY]))
    assert curve.times.tolist() == [0, 5]
    assert curve.survival.tolist() == [0.5, 0]


def test_kinds_say_what_activity_is():
    log = log_of(kind=["post", "like", "post", "post", "post", "post", "receive"])
    assert curve_of(log).n_events == 2
    assert curve_of(log).times.tolist() == [0, 7, 46]  # to receive a message is no activity
    assert curve_of(log, kinds="post").times.tolist() == [0, 46]
    with pytest.warns(UnknownKindWarning, match="kinds"):
        assert curve_of(log, kinds={"post", "shout"}).n_followed == 3
    with pytest.raises(UnknownLabelError, match=r"^kinds: expected kinds that the log contains, got 'shout'"):
        curve_of(log, kinds="shout", unknown_kinds="raise")


def test_the_end_of_observation_is_derived_from_the_last_row():
    curve = survival(log_of(), idle_after=TWO_WEEKS)
    assert curve.observed_until == datetime(1970, 2, 28, 0, 0, 1)
    assert ", derived." in str(curve)
    assert "由数据推得" in curve.table(lang="zh")


def test_of_an_empty_log_there_is_nobody():
    for until in (None, UNTIL):
        curve = survival(EventLog.empty(), idle_after=TWO_WEEKS, observed_until=until)
        assert (curve.n_members, curve.times.tolist()) == (0, [])
        assert math.isnan(curve.median)
        assert curve.observed_until == until
        assert "median never reached" in repr(curve)
        assert "0 members" in str(curve)


def test_times_are_kept_in_microseconds_and_told_in_a_unit():
    curve = curve_of(log_of(["ann", "ann"], [0, 1]), unit="hour")
    assert curve.counts.times.tolist() == [1_000_000]
    assert curve.times.tolist() == [1 / 3600]
    assert curve.at(1 / 3600) == curve.at(duration(seconds=1)) == 0
    assert curve.at(duration(microseconds=999_999)) == 1
    weeks = curve_of().in_unit("week")
    assert weeks.times.tolist() == pytest.approx([1, 22 / 7, 46 / 7])
    assert weeks.median == pytest.approx(22 / 7)
    assert weeks.restricted_mean(2) == pytest.approx(float(curve_of().restricted_mean(14)) / 7)
    assert weeks.in_unit("day") == curve_of()


def test_every_time_of_a_curve_is_found_again():
    rng = np.random.default_rng(3)
    member = np.repeat(np.arange(2_000), 2)
    log = EventLog.from_columns(member=member, kind="post", at=rng.integers(0, 10**15, 4_000), time_unit="us")
    for unit in ("second", "day", "week"):
        curve = survival(log, idle_after=TWO_WEEKS, unit=unit)
        np.testing.assert_array_equal(curve.at(curve.times), curve.survival)


# --- segments ---


def test_a_breakdown_has_a_curve_for_each_segment():
    by = {"ann": "gold", "bo": "gold", "cy": "new"}
    for given in (by, Assignment.from_mapping(by).align(log_of().members)):
        parts = curve_of(by=given)
        assert list(parts) == ["gold", "new"]
        assert parts["gold"].times.tolist() == [7, 46]
        assert (parts["new"].too_young, parts["new"].n_followed) == (1, 0)
        assert parts.unassigned.times.tolist() == [22]
        assert parts.total == curve_of()
        assert parts.overlap.tolist() == [0]


def test_by_a_column_a_member_counts_in_each_value_they_have_rows_with():
    log = log_of(group=["a", "b", "a", "a", "b", None, "b"])
    parts = curve_of(log, by="group")
    assert parts["a"].times.tolist() == [0, 46]  # ann came there once
    assert parts["b"].times.tolist() == [0]  # ann and di; cy is too young
    assert (parts["b"].n_events, parts["b"].too_young) == (2, 1)
    assert parts.unassigned.times.tolist() == [0]
    assert parts.overlap.tolist() == [2]
    assert parts.total == curve_of(log)


def test_by_a_column_of_many_values_is_the_same_as_each_alone():
    rng = np.random.default_rng(8)
    member, group, at = rng.integers(0, 50, 300), rng.integers(0, 200, 300), rng.integers(0, 60 * DAY, 300)
    log = log_of(member, at, group=group)
    parts = curve_of(log, by="group")
    assert len(parts) == len(np.unique(group))
    for label, part in parts.items():
        assert part == curve_of(log.where(groups=label))


def test_of_an_empty_log_segments_are_empty():
    parts = survival(EventLog.empty(), idle_after=TWO_WEEKS, by={})
    assert (len(parts), parts.unassigned) == (0, None)
    log = log_of().where(rows=np.zeros(7, dtype=bool))
    assert [part.n_members for part in curve_of(log, by={"ann": "x"}).values()] == [0]


# --- durations ---


def test_the_names_are_those_of_the_table():
    given = [6, 6, 6, 6, 7, 9, 10], [True, True, True, False, True, False, True], [-1, -1, -1, -1, 3, 3, -1]
    curve, table = kaplan_meier(given[0], given[1], entry=given[2], unit="week"), SurvivalTable.from_durations(*given)
    assert curve.times.dtype == np.int64
    for name in ("times", "at_risk", "events", "censored", "survival", "variance", "lower", "upper"):
        np.testing.assert_array_equal(getattr(curve, name), getattr(table, name))
    np.testing.assert_array_equal(curve.cumulative_hazard, table.cumulative_hazard)
    for name in ("intervals", "cumulative_hazard_intervals"):
        np.testing.assert_array_equal(getattr(curve, name)(level=0.8), getattr(table, name)(level=0.8))
    for name in ("at", "at_risk_at", "quantile", "restricted_mean", "quantile_interval", "intervals_at"):
        np.testing.assert_array_equal(getattr(curve, name)([0.5]), getattr(table, name)([0.5]))
    assert curve.median == table.median
    np.testing.assert_array_equal(curve.restricted_mean_interval(7), table.restricted_mean_interval(7))
    assert curve.restricted_mean_error(7) ** 2 == pytest.approx(float(table.restricted_mean_variance(7)))
    assert (curve.idle_after, curve.observed_until, curve.followed_until, curve.too_young) == (None, None, None, 0)


@pytest.mark.parametrize(
    ("durations", "options", "text"),
    [
        ([1, -2], {}, r"^durations: expected integers in \[0, 2\*\*63\), got -2 at row 1 \(1 of 2 rows\)$"),
        ([1, np.nan], {}, r"^durations: expected finite numbers of 0 or more, got nan at row 1"),
        ([1, 2], {"entry": [-1, 3]}, r"^entry: expected a time before the exit \(2\), below 0 .*, got 3 at row 1"),
        ([1, 2], {"observed": [1, 3]}, r"^observed: expected True or False, or 1 or 0, got 3 at row 1"),
    ],
)
def test_bad_follow_ups_are_refused_with_their_row(durations, options, text):
    with pytest.raises(InvalidValueError, match=text):
        kaplan_meier(durations, **options)


def test_columns_must_be_equally_long():
    with pytest.raises(MisalignedError, match=r"^observed: expected as many rows as `durations`, which has 2"):
        kaplan_meier([1, 2], [True])


def test_durations_are_asked_for_where_the_unit_is_named_and_has_one_length():
    assert kaplan_meier([1, 14], unit="day").at(duration(weeks=1)) == 0.5
    assert kaplan_meier([1, 14], unit="day").at([duration(days=1), duration(days=14)]).tolist() == [0.5, 0]
    with pytest.raises(InvalidValueError, match=r"^t: expected numbers, as the unit of the durations was not named"):
        kaplan_meier([1, 14]).at(duration(weeks=1))
    with pytest.raises(InvalidValueError, match=r"^t: expected numbers, as a month has no one length"):
        kaplan_meier([1, 14], unit="month").at(duration(weeks=1))
    with pytest.raises(InvalidTypeError, match=r"^t: expected real numbers"):
        kaplan_meier([1, 14], unit="day").at("1")
    with pytest.raises(InvalidValueError, match=r"^t: expected a duration that is not negative"):
        kaplan_meier([1, 14], unit="day").at(duration(days=-1))


# --- merging ---


def test_curves_of_parts_merge_into_the_curve_of_the_whole():
    log = log_of()
    for until in (UNTIL, None):
        parts = [survival(part, idle_after=TWO_WEEKS, observed_until=until) for part in log.partition(3)]
        whole = survival(log, idle_after=TWO_WEEKS, observed_until=until)
        assert parts[0].merge(parts[1]).merge(parts[2]) == whole
        assert parts[2].merge(parts[0].merge(parts[1])) == whole
        nobody = survival(EventLog.empty(), idle_after=TWO_WEEKS, observed_until=until)
        assert whole.merge(nobody) == nobody.merge(whole) == whole


def test_a_part_that_saw_less_takes_the_later_end_of_the_other():
    early, late = log_of(["ann", "ann"], [0, 20 * DAY]), log_of(["bo"], [60 * DAY])
    alone = survival(early, idle_after=TWO_WEEKS)
    assert alone.n_events == 0
    merged = alone.merge(survival(late, idle_after=TWO_WEEKS))
    assert (merged.n_events, merged.too_young) == (1, 1)
    assert merged == survival(EventLog.concat([early, late]), idle_after=TWO_WEEKS)


def test_curves_from_durations_merge_by_their_tables():
    one, other = kaplan_meier([3, 5], unit="week"), kaplan_meier([5, 8], [False, True], unit="week")
    assert one.merge(other) == kaplan_meier([3, 5, 5, 8], [True, True, False, True], unit="week")


def test_an_empty_part_without_an_end_of_observation_changes_nothing():
    nobody = survival(EventLog.empty(), idle_after=TWO_WEEKS)
    assert curve_of().merge(nobody) == nobody.merge(curve_of()) == curve_of()


def test_breakdowns_merge_by_segment():
    log = log_of()
    by = {"ann": "gold", "bo": "new", "cy": "new"}
    for until in (UNTIL, None):
        whole = survival(log, idle_after=TWO_WEEKS, observed_until=until, by=by)
        parts = [survival(part, idle_after=TWO_WEEKS, observed_until=until, by=by) for part in log.partition(2)]
        merged = parts[0].merge(parts[1])
        assert merged.total == whole.total
        assert {label: merged[label] for label in whole} == dict(whole.items())
        assert merged.unassigned == whole.unassigned


def test_what_was_made_otherwise_does_not_merge():
    curve = curve_of()
    with pytest.raises(InvalidTypeError, match=r"^other: expected a SurvivalCurve, got 3$"):
        curve.merge(3)
    with pytest.raises(InvalidValueError, match=r"^unit: expected the same in both parts \(day\), got 'week'$"):
        curve.merge(curve.in_unit("week"))
    with pytest.raises(InvalidValueError, match=r"^idle_after: expected the same in both parts"):
        curve.merge(curve_of(idle_after=duration(days=15)))
    with pytest.raises(InvalidValueError, match=r"^kinds: expected the same in both parts \(None\), got \['post'\]$"):
        curve.merge(curve_of(kinds="post"))
    with pytest.raises(InvalidValueError, match=r"^observed_until: expected the same end of observation"):
        curve.merge(curve_of(observed_until=datetime(1970, 3, 3)))
    with pytest.raises(InvalidValueError, match=r"^other: expected a curve that was made the same way"):
        curve.merge(kaplan_meier([1], unit="day"))


# --- what is shown ---


def test_a_long_curve_is_shown_at_about_a_dozen_round_times():
    curve = kaplan_meier(np.arange(1, 1_001), np.arange(1, 1_001) % 3 > 0, unit="day")
    text = str(curve)
    lines = text.splitlines()
    assert len(lines) == 2 + 11 + 1
    assert [line.split()[0] for line in lines[2:13]] == [f"{t:,}" for t in range(0, 1_001, 100)]
    rows = [line.replace(",", "").split() for line in lines[2:13]]
    assert sum(int(row[2]) for row in rows) == curve.n_events
    assert sum(int(row[3]) for row in rows) == curve.n_censored
    assert len(curve.to_columns()["time"]) == 1_000
    assert curve.last().time == 1_000


@pytest.mark.parametrize(("last", "step"), [(24, 2), (25, 5), (60, 5), (61, 10), (120, 10), (121, 20)])
def test_twelve_steps_of_1_2_or_5_are_taken_where_they_reach_the_last_time(last, step):
    lines = str(kaplan_meier(np.arange(1, last + 1), unit="day")).splitlines()
    assert [int(line.split()[0]) for line in lines[2:5]] == [0, step, 2 * step]


def test_a_table_at_times_of_ones_own():
    curve = curve_of()
    rows = [line.split() for line in curve.table(every=duration(days=20)).splitlines()[2:6]]
    assert [row[0] for row in rows] == ["0", "20", "40", "60"]
    assert [row[1] for row in rows] == ["3", "2", "1", "0"]
    assert [row[2:4] for row in rows] == [["0", "0"], ["1", "0"], ["1", "0"], ["0", "1"]]
    assert rows[3][4:] == ["–", "–", "–"]
    assert curve.table(every=20) == curve.table(every=duration(days=20))
    assert "略去" in curve.table(every=5, max_rows=3, lang="zh")


@pytest.mark.parametrize("every", [0, -1, np.nan, [1, 2], np.inf])
def test_steps_that_lead_nowhere_are_refused(every):
    with pytest.raises(InvalidValueError, match=r"^every: expected one duration longer than 0"):
        curve_of().table(every=every)


def test_steps_that_fill_the_screen_for_ever_are_refused():
    with pytest.raises(InvalidValueError, match=r"^every: expected at most 1,000,000 rows up to 46, got 1e-06$"):
        curve_of().table(every=1e-6)


def test_late_entries_are_shown_where_there_are_any():
    assert "entered" in str(kaplan_meier([3, 5], entry=[-1, 1]))
    assert "entered" not in str(kaplan_meier([3, 5]))


def test_a_result_says_who_evaporated_and_who_was_too_young():
    text = str(curve_of())
    assert "4 members: 2 evaporated, 1 censored, 1 too young to judge." in text
    assert "Evaporated: nothing in the last 14 days. Observed until 1970-03-02T00:00:00Z." in text
    assert "加入太晚、尚不能判断 1" in curve_of().table(lang="zh")
    assert "事件" in kaplan_meier([1]).table(lang="zh")
    assert repr(curve_of()) == ("SurvivalCurve(3 followed: 2 evaporated, 1 censored, 1 too young; median 22 days)")
    json.dumps(curve_of().to_dict(), allow_nan=False)


def test_a_curve_is_a_value():
    for curve in (curve_of(), survival(log_of(), idle_after=TWO_WEEKS), kaplan_meier([1.5, 2])):
        for double in (pickle.loads(pickle.dumps(curve)), copy.deepcopy(curve), attrs.evolve(curve)):  # noqa: S301
            assert double == curve
            assert not double.times.flags.writeable
            assert not double.stays.first_us.flags.writeable


def test_a_curve_holds_a_table_and_names_a_unit_of_time():
    with pytest.raises(InvalidTypeError, match=r"^counts: expected a SurvivalTable, got 3$"):
        SurvivalCurve(counts=3)
    with pytest.raises(InvalidValueError, match=r"^unit: expected one of 'second', .* did you mean 'day'\?$"):
        kaplan_meier([1], unit="days")
    with pytest.raises(InvalidValueError, match=r"^unit: expected one of 'second', .*, got 'month'"):
        curve_of(unit="month")
    with pytest.raises(InvalidValueError, match=r"^unit: expected a curve made from a log"):
        kaplan_meier([1], unit="day").in_unit("week")
    with pytest.raises(InvalidValueError, match=r"^unit: expected one of 'second', .*, got 'month'"):
        curve_of().in_unit("month")


def test_what_a_log_is_asked_must_make_sense():
    with pytest.raises(InvalidTypeError, match=r"^log: expected an EventLog, got 3$"):
        survival(3, idle_after=TWO_WEEKS)
    with pytest.raises(InvalidTypeError, match=r"^idle_after: expected a duration"):
        curve_of(idle_after=14)
    with pytest.raises(InvalidValueError, match=r"^idle_after: expected a duration longer than 0"):
        curve_of(idle_after=duration(0))
    with pytest.raises(InvalidValueError, match=r"^idle_after: expected a duration without months or years"):
        curve_of(idle_after=duration(months=1))
    with pytest.raises(InvalidValueError, match=r"^observed_until: expected an aware datetime"):
        curve_of(observed_until=pendulum.naive(1970, 3, 2))
    with pytest.raises(UnknownLabelError, match=r"^by: expected one of the log's columns"):
        curve_of(by="city")
    with pytest.raises(MisalignedError, match=r"^by: "):
        curve_of(by=Assignment.from_mapping({"zoe": "x"}))


def test_where_follow_up_ends_before_the_log_begins_everybody_is_too_young():
    curve = curve_of(idle_after=duration(days=1_000))
    assert (curve.too_young, curve.n_followed) == (4, 0)
    assert curve.followed_until < datetime(1970, 1, 1)


# --- how the answer moves with idle_after ---


def test_each_silence_gives_the_curve_that_it_gives_alone():
    silences = [duration(days=30), duration(days=7), duration(days=14), duration(weeks=2)]
    found = idle_sensitivity(log_of(), idle_after=silences, at=[10, duration(days=30)], observed_until=UNTIL)
    assert found.idle_after.tolist() == [7, 14, 30]
    assert found.at == (10, 30)
    for row, silence in enumerate([duration(days=7), TWO_WEEKS, duration(days=30)]):
        alone = curve_of(idle_after=silence)
        assert found.curves[row] == alone
        np.testing.assert_array_equal(found.survival[row], alone.at([10, 30]))
        np.testing.assert_array_equal(found.median[row], alone.median)
    assert found.survival.shape == (3, 2)


def test_the_table_of_silences_is_wide_to_read_and_long_to_compute_with():
    found = idle_sensitivity(
        log_of(), idle_after=[duration(days=7), TWO_WEEKS], at=[10, 30], observed_until=UNTIL, unit="day"
    )
    assert len(str(found).splitlines()) == 4
    assert "S(10)  S(30)" in str(found)
    assert "静默（天）" in found.table(lang="zh")
    rows = list(found.rows())
    assert [(row.idle_after, row.at) for row in rows] == [(7, 10), (7, 30), (14, 10), (14, 30)]
    assert rows[2].survival == pytest.approx(2 / 3)
    assert rows[2].lower < rows[2].survival < rows[2].upper
    assert rows[2].too_young == 1
    assert repr(found) == "IdleSensitivity(idle_after 7, 14, S(10) 50.0% … 66.7%, S(30) 25.0% … 33.3%; days)"
    assert pickle.loads(pickle.dumps(found)) == attrs.evolve(found) == found  # noqa: S301
    json.dumps(found.to_dict(), allow_nan=False)


def test_silences_and_times_must_be_given_and_be_durations():
    given = {"idle_after": [TWO_WEEKS], "at": [10]}
    with pytest.raises(InvalidValueError, match=r"^idle_after: expected 1 to 1,000 of them, got 0$"):
        idle_sensitivity(log_of(), **given | {"idle_after": []})
    with pytest.raises(InvalidValueError, match=r"^at: expected 1 to 1,000 of them, got 0$"):
        idle_sensitivity(log_of(), **given | {"at": []})
    with pytest.raises(InvalidTypeError, match=r"^idle_after: expected a duration"):
        idle_sensitivity(log_of(), **given | {"idle_after": [14]})
    with pytest.raises(InvalidTypeError, match=r"^at: expected durations or numbers, got 10$"):
        idle_sensitivity(log_of(), **given | {"at": 10})
    with pytest.raises(InvalidTypeError, match=r"^at: expected durations or numbers, got \{1, 2\}$"):
        idle_sensitivity(log_of(), **given | {"at": {2, 1}})
    for at, got in (([[1, 2]], r"\[1, 2\]"), ([1, [2]], r"\[2\]")):
        with pytest.raises(InvalidTypeError, match=rf"^at: expected durations or numbers, each by itself, got {got}$"):
            idle_sensitivity(log_of(), **given | {"at": at})
    for time in (-1, math.nan, math.inf):
        with pytest.raises(InvalidValueError, match=r"^at: expected a finite number of 0 or more, got"):
            idle_sensitivity(log_of(), **given | {"at": [time]})
    with pytest.raises(InvalidTypeError, match=r"^at: expected a number, got 'x'$"):
        IdleSensitivity(curves=[], at=["x"])
    with pytest.raises(InvalidTypeError, match=r"^idle_after: expected durations"):
        idle_sensitivity(log_of(), **given | {"idle_after": TWO_WEEKS})
    with pytest.raises(InvalidValueError, match=r"^curves: expected curves made from a log"):
        IdleSensitivity(curves=[kaplan_meier([1])], at=[1])
    with pytest.raises(InvalidTypeError, match=r"^curves: expected curves made from a log, got 3$"):
        IdleSensitivity(curves=[3], at=[1])


def test_a_sensitivity_says_whose_ends_it_shows():
    found = idle_sensitivity(log_of(), idle_after=[duration(days=30)], at=[duration(days=3), 7, 0.5], unit="week")
    heading = str(found).split("\n")[0]
    assert heading.split("  ")[-6:] == ["median", "median, lower", "median, upper", "S(0.429)", "S(7)", "S(0.5)"]
    assert "中位数下限" in found.table(lang="zh")
    assert repr(found).startswith("IdleSensitivity(idle_after 4.29, S(0.429) ")
    assert "S(1.43)" in repr(idle_sensitivity(log_of(), idle_after=[TWO_WEEKS], at=[duration(days=10)], unit="week"))


def test_times_far_beyond_the_end_are_beyond_the_end():
    curve = curve_of()
    assert math.isnan(float(curve.at(1e308)))
    assert math.isnan(float(curve.restricted_mean(1e308)))
    assert math.isnan(float(curve.restricted_mean_error(1e308)))
    assert curve.at_risk_at([0, 1e308]).tolist() == [3, 0]
    assert curve.at([-1e308, math.inf, 0]).tolist() == pytest.approx([1.0, math.nan, 1.0], nan_ok=True)
    assert "1.000e+308" in curve.table(every=1e308)


def test_a_table_is_in_a_language():
    with pytest.raises(InvalidTypeError, match=r"^lang: expected one of 'en', 'zh', got"):
        kaplan_meier([1]).table(lang=np.ma.array([1, 2], mask=[False, True]))


def test_one_of_anything_is_told_in_the_singular():
    assert repr(kaplan_meier([1])) == "SurvivalCurve(1 followed: 1 event, 0 censored; median 1)"
    assert "1 followed: 1 event, 0 censored." in str(kaplan_meier([1]))
    assert "1 member: 1 evaporated, 0 censored" in str(curve_of(log_of(["ann"], [0])))


def test_medians_without_a_unit_have_a_plain_heading():
    shown = log_rank({"quick": kaplan_meier([1, 2]), "slow": kaplan_meier([3, 4])})
    assert "ratio  median  lower" in str(shown)
    assert "  中位数  下限" in shown.table(lang="zh")


def test_a_sensitivity_of_nothing_is_an_empty_table():
    nothing = IdleSensitivity(curves=[], at=[1])
    assert nothing.survival.shape == (0, 1)
    assert nothing.to_columns()["survival"].tolist() == []
    assert "(no rows)" in str(nothing)
    assert repr(nothing) == "IdleSensitivity(idle_after –, S(1) –; days)"


# --- segments beside each other ---

QUICK = kaplan_meier([1, 2, 2, 3, 5], unit="week")
SLOW = kaplan_meier([4, 6, 7, 7, 9], [True, False, True, True, False], unit="week")


def test_segments_are_compared_by_the_test_of_their_tables():
    found = log_rank({"quick": QUICK, "slow": SLOW}, weights="peto")
    test = log_rank_of_tables([QUICK.counts, SLOW.counts], weights="peto")
    assert found.test == test
    assert (found.statistic, found.df, found.p_value) == (test.statistic, test.df, test.p_value)
    assert found.ratio.tolist() == pytest.approx((test.observed / test.expected).tolist())
    assert "Peto test: chi-square" in str(found)
    assert "Peto 检验：卡方" in found.table(lang="zh")
    row = next(found.rows())
    assert (row.segment, row.followed, row.events, row.median) == ("quick", 5, 5, 2)
    assert pickle.loads(pickle.dumps(found)) == attrs.evolve(found) == found  # noqa: S301


def test_the_segments_of_a_breakdown_are_compared_without_those_in_none():
    parts = curve_of(by={"ann": "gold", "bo": "new"})
    found = log_rank(parts)
    assert found.segments == ("gold", "new")
    assert found.test == log_rank_of_tables([parts["gold"].counts, parts["new"].counts])


def test_communities_observed_until_different_instants_may_be_compared():
    other = curve_of(observed_until=datetime(1970, 3, 5), unit="week")
    found = log_rank({"here": curve_of(), "there": other})
    assert found.curves[1].unit == "day"


def test_members_in_several_segments_are_not_compared():
    parts = curve_of(log_of(group=["a", "b", "a", "a", "b", "b", "b"]), by="group")
    with pytest.raises(InvalidValueError, match=r"^curves: expected segments without members in common \(.* 1 more"):
        log_rank(parts)


def test_without_events_a_comparison_says_so():
    none = kaplan_meier([1, 2], [False, False])
    found = log_rank({"a": none, "b": none})
    assert "nothing to compare" in str(found)
    assert "没有可比较的" in found.table(lang="zh")
    assert np.isnan(found.ratio).all()
    far = log_rank({"a": kaplan_meier(np.arange(1, 100)), "b": kaplan_meier(np.arange(200, 300))})
    assert "p < 0.0001" in repr(far)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InvalidTypeError, match=r"^curves: expected a Breakdown of survival curves, or a mapping"):
        log_rank([QUICK, SLOW])
    with pytest.raises(InvalidTypeError, match=r"^curves: expected a Breakdown of survival curves, or a mapping"):
        log_rank({"a": QUICK, "b": 3})
    with pytest.raises(InvalidValueError, match=r"^curves: expected two segments or more, got 1$"):
        log_rank({"a": QUICK})
    with pytest.raises(InvalidValueError, match=r"^curves\['b'\]: expected the unit of the first \(week\), got None$"):
        log_rank({"a": QUICK, "b": kaplan_meier([1])})
    with pytest.raises(InvalidValueError, match=r"^curves\['b'\]: expected a curve that was made the same way"):
        log_rank({"a": QUICK, "b": curve_of()})
    with pytest.raises(
        InvalidValueError, match=r"^idle_after: expected the same in both parts \(14 days\), got '15 days'$"
    ):
        log_rank({"a": curve_of(), "b": curve_of(idle_after=duration(days=15))})
    with pytest.raises(MisalignedError, match=r"^curves: expected one for each of the 1 segments, got 2$"):
        SurvivalComparison(segments=["a"], curves=[QUICK, SLOW], test=log_rank({"a": QUICK, "b": SLOW}).test)


# --- how time is told ---


def test_stretches_of_time_are_told_in_words():
    assert span_text(90_000_000, "en") == "90 seconds"
    assert span_text(3_600_000_000, "en") == "1 hour"
    assert span_text(1_500_000, "en") == "1.5 seconds"
    assert unit_text(12_345.6, "day", "en") == "12,346 days"
    assert unit_text(1.5, "month", "zh") == "1.5 个月"
    assert to_units("t", [], "day").tolist() == []
