"""Cohorts of small logs that can be counted by hand, and what a table refuses."""

from __future__ import annotations

import datetime as dt
import pickle

import numpy as np
import pendulum
import pytest

from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownKindWarning, UnknownLabelError
from shequn.labels import Assignment
from shequn.retention import CohortTable, cohort_table, presence, sets
from shequn.stats import wilson

SHANGHAI = "Asia/Shanghai"
NONE = np.nan


def log_of(*rows, tz=SHANGHAI):
    """Build a log from (member, local time) or (member, local time, kind) rows; the kind is post."""
    return EventLog.from_columns(
        member=[row[0] for row in rows],
        kind=[row[2] if len(row) > 2 else "post" for row in rows],
        at=np.array([row[1] for row in rows], "M8[us]"),
        at_tz=tz,
    )


def weekly(*rows, **options):
    return cohort_table(log_of(*rows), **{"every": "week", "tz": SHANGHAI, **options})


def on(day):
    return pendulum.parse(day, tz=SHANGHAI)


# Weeks begin on 2024-01-01, 08, 15, 22. Ann and bo begin in the first, cy in the second.
ROWS = (
    ("ann", "2024-01-01T10:00"),
    ("bo", "2024-01-03T10:00"),
    ("ann", "2024-01-08T09:00"),
    ("cy", "2024-01-09T10:00"),
    ("ann", "2024-01-10T10:00"),
    ("cy", "2024-01-16T09:00"),
    ("bo", "2024-01-22T10:00"),
)


# --- the calendar clock ----------------------------------------------------------------------------------------------


def test_of_those_who_began_together_how_many_were_active_in_each_later_week():
    table = weekly(*ROWS, observed_until=on("2024-01-29"))
    assert table.cohorts.tolist() == [dt.date(2024, 1, day) for day in (1, 8, 15, 22)]
    assert table.sizes.tolist() == [2, 1, 0, 0]
    assert table.counts.tolist() == [[2, 1, 0, 1], [1, 1, 0, 0], [0] * 4, [0] * 4]
    assert table.eligible.tolist() == [[2, 2, 2, 2], [1, 1, 1, 0], [0] * 4, [0] * 4]
    assert table.rates[1].tolist() == pytest.approx([1, 1, 0, NONE], nan_ok=True)
    assert table.offsets == ((0, 0), (1, 1), (2, 2), (3, 3))
    assert (table.observed_until, table.observed_until_derived) == (on("2024-01-29"), False)
    assert repr(table) == "CohortTable(4 cohorts, 3 members, week (Monday), Asia/Shanghai)"


def test_an_offset_that_has_not_ended_has_nobody_eligible():
    table = weekly(*ROWS)
    assert table.eligible[0].tolist() == [2, 2, 2, 0]
    assert table.counts[0].tolist() == [2, 1, 0, 0]
    assert table.raw[0].tolist() == [2, 1, 0, 1]
    assert np.isnan(table.rates[0, 3])
    assert table.observed_until_derived


def test_a_return_on_or_after_an_offset_may_come_any_time_until_the_end():
    table = weekly(*ROWS, mode="on_or_after", observed_until=on("2024-01-29"))
    assert table.counts[:2].tolist() == [[2, 2, 1, 1], [1, 1, 0, 0]]


def test_a_return_in_a_bracket_may_come_in_any_of_its_offsets():
    table = weekly(*ROWS, mode="brackets", brackets=[(1, 2), (3, 4)], observed_until=on("2024-01-29"))
    assert table.offsets == ((1, 2), (3, 4))
    assert table.counts[:2].tolist() == [[1, 0], [1, 0]]
    assert table.eligible[:2].tolist() == [[2, 0], [1, 0]]
    assert table.raw[0].tolist() == [1, 1]


def test_a_bracket_may_reach_beyond_any_calendar():
    far = 2**31 - 1
    for clock in ("calendar", "elapsed"):
        table = weekly(*ROWS, mode="brackets", brackets=np.array([[1, 2], [3, far]]), clock=clock)
        assert table.eligible[:, 1].tolist() == [0] * table.n_cohorts
        assert table.offsets == ((1, 2), (3, far))
        assert pickle.loads(pickle.dumps(table)) == table  # noqa: S301


def test_a_bracket_that_begins_at_offset_zero_counts_its_rows_as_any_other():
    table = weekly(*ROWS, mode="brackets", brackets=[(0, 1)], min_occurrences=3, observed_until=on("2024-01-29"))
    assert table.counts[:2, 0].tolist() == [1, 0]


def test_every_active_week_of_a_recurring_anchor_begins_a_cohort():
    options = {"anchor": "recurring", "observed_until": on("2024-01-29")}
    table = weekly(*ROWS, **options)
    assert table.sizes.tolist() == [2, 2, 1, 1]
    assert table.counts.tolist() == [[2, 1, 0, 1], [2, 1, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]]
    later = weekly(*ROWS, mode="on_or_after", **options)
    assert later.counts.tolist() == [[2, 2, 1, 1], [2, 1, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]]
    brackets = weekly(*ROWS, mode="brackets", brackets=[(1, 3)], **options)
    assert brackets.counts[:, 0].tolist() == [2, 0, 0, 0]
    assert brackets.raw[:, 0].tolist() == [2, 1, 0, 0]


def test_the_first_activity_in_a_range_begins_a_cohort_there():
    options = {"start": on("2024-01-08"), "end": on("2024-01-15"), "observed_until": on("2024-01-29")}
    ever = weekly(*ROWS, **options)
    assert (ever.sizes.tolist(), ever.cohorts.tolist()) == ([1], [dt.date(2024, 1, 8)])
    in_range = weekly(*ROWS, anchor="first_in_range", **options)
    assert in_range.sizes.tolist() == [2]
    assert in_range.counts.tolist() == [[2, 1, 0]]


def test_on_the_calendar_clock_a_range_is_one_of_whole_weeks():
    wednesday = {"start": on("2024-01-10"), "end": on("2024-01-10T00:00:01")}
    assert weekly(*ROWS, **wednesday).sizes.tolist() == [1]
    assert weekly(*ROWS, **wednesday, clock="elapsed").sizes.tolist() == []


def test_returns_may_be_of_another_kind_than_what_begins_a_cohort():
    rows = [
        ("ann", "2024-01-01", "join"),
        ("bo", "2024-01-01", "join"),
        ("bo", "2024-01-08", "post"),
        ("cy", "2024-01-08", "post"),
        ("ann", "2024-01-15", "join"),
    ]
    table = weekly(*rows, anchor_kinds="join", kinds="post", observed_until=on("2024-01-29"))
    assert table.sizes.tolist() == [2, 0, 0, 0]
    assert table.counts[0].tolist() == [2, 1, 0, 0]


def test_a_cohort_without_any_return_is_still_counted():
    table = weekly(("ann", "2024-01-01", "join"), anchor_kinds="join", kinds="post", unknown_kinds="ignore")
    assert (table.sizes.tolist(), table.raw.tolist()) == ([1], [[1]])


def test_a_return_may_take_several_rows():
    options = {"min_occurrences": 2, "observed_until": on("2024-01-29")}
    assert weekly(*ROWS, **options).counts[0].tolist() == [2, 1, 0, 0]
    assert weekly(*ROWS, mode="on_or_after", **options).counts[0].tolist() == [2, 1, 0, 0]
    in_bracket = weekly(*ROWS, mode="brackets", brackets=[(1, 3)], **options)
    assert in_bracket.counts[0].tolist() == [1]
    nobody = weekly(*ROWS, mode="brackets", brackets=[(1, 3)], start=on("2025-01-01"), **options)
    assert nobody.counts.shape == (0, 1)


@pytest.mark.parametrize("clock", ["calendar", "elapsed"])
def test_as_many_rows_as_a_return_takes_are_enough(clock):
    rows = [("ann", "2024-01-01", "join"), ("ann", "2024-01-09"), ("ann", "2024-01-10"), ("bo", "2024-01-01", "join")]
    options = {"anchor_kinds": "join", "kinds": "post", "clock": clock, "observed_until": on("2024-01-29")}
    for mode, expected in (("on", [2, 1, 0, 0]), ("on_or_after", [2, 1, 0, 0])):
        assert weekly(*rows, mode=mode, min_occurrences=2, **options).counts[0].tolist() == expected
        assert weekly(*rows, mode=mode, min_occurrences=3, **options).counts[0].tolist() == [2, 0, 0, 0]


def test_offsets_are_counted_in_labels_where_a_day_has_no_midnight():
    """On 2018-11-04 São Paulo had 23 hours; the day after is offset 2 of a member who began the day before."""
    rows = [("ann", "2018-11-03T23:30"), ("ann", "2018-11-04T01:00"), ("ann", "2018-11-05T00:00")]
    log = log_of(*rows, tz="America/Sao_Paulo")
    table = cohort_table(log, every="day", tz="America/Sao_Paulo")
    assert table.raw[0].tolist() == [1, 1, 1]
    elapsed = cohort_table(log, every="day", tz="America/Sao_Paulo", clock="elapsed")
    assert elapsed.raw[0].tolist() == [1, 0]


def test_columns_stop_at_the_largest_offset_asked_for():
    table = weekly(*ROWS, max_offset=1, observed_until=on("2024-01-29"))
    assert table.counts[:2].tolist() == [[2, 1], [1, 1]]
    assert weekly(*ROWS, max_offset=0).n_offsets == 1
    assert weekly(*ROWS, max_offset=99).n_offsets == 4


# --- the elapsed clock -----------------------------------------------------------------------------------------------


def test_on_the_elapsed_clock_a_week_is_counted_from_each_member_s_own_start():
    """Ann's second row comes 6 d 23 h after her first, her third 9 days after it; cy's second 6 d 23 h after."""
    table = weekly(*ROWS, clock="elapsed", observed_until=on("2024-01-29"))
    assert table.sizes.tolist() == [2, 1, 0, 0]
    assert table.counts.tolist() == [[2, 1, 1, 0], [1, 0, 0, 0], [0] * 4, [0] * 4]
    assert table.eligible.tolist() == [[2, 2, 2, 0], [1, 1, 0, 0], [0] * 4, [0] * 4]


def test_on_the_elapsed_clock_part_of_a_cohort_can_be_eligible():
    rows = [("ann", "2024-01-01"), ("bo", "2024-01-03"), ("ann", "2024-01-10"), ("bo", "2024-01-12")]
    table = weekly(*rows, clock="elapsed", observed_until=on("2024-01-16"))
    assert (table.eligible[0].tolist(), table.counts[0].tolist()) == ([2, 1, 0], [2, 1, 0])
    assert table.raw[0].tolist() == [2, 2, 0]


def test_an_offset_is_observed_when_it_ends_with_the_end_of_observation():
    rows = [("ann", "2024-01-01"), ("ann", "2024-01-03")]
    assert weekly(*rows, clock="elapsed", observed_until=on("2024-01-08")).eligible[0].tolist() == [1]
    before = on("2024-01-08").subtract(microseconds=1)
    assert weekly(*rows, clock="elapsed", observed_until=before).eligible[0].tolist() == [0]


def test_what_was_pending_is_settled_by_a_part_that_saw_more():
    """A merged table used to keep returns as pending that the later end of observation had settled."""
    parts = [weekly(*ROWS[:1], ROWS[2], clock="elapsed"), weekly(ROWS[3], ROWS[5], clock="elapsed")]
    whole = weekly(ROWS[0], ROWS[2], ROWS[3], ROWS[5], clock="elapsed")
    assert parts[0].merge(parts[1]) == parts[1].merge(parts[0]) == whole
    assert len(parts[0].pending) > len(whole.pending) - len(parts[1].pending)


def test_on_the_elapsed_clock_returns_on_or_after_and_in_brackets():
    options = {"clock": "elapsed", "observed_until": on("2024-01-29")}
    later = weekly(*ROWS, mode="on_or_after", **options)
    assert later.counts[0].tolist() == [2, 2, 1, 0]
    often = weekly(*ROWS, mode="on_or_after", min_occurrences=3, **options)
    assert often.counts[0].tolist() == [2, 0, 0, 0]
    brackets = weekly(*ROWS, mode="brackets", brackets=[(1, 2)], **options)
    assert (brackets.counts[0].tolist(), brackets.eligible[0].tolist()) == ([2], [2])


def test_on_the_elapsed_clock_a_range_is_one_of_instants():
    options = {"clock": "elapsed", "start": on("2024-01-03T10:00"), "end": on("2024-01-09T10:00")}
    assert weekly(*ROWS, **options).sizes.tolist() == [1, 0]
    assert weekly(*ROWS, anchor="first_in_range", **options).sizes.tolist() == [1, 1]
    by_join = weekly(("ann", "2024-01-01"), ("ann", "2024-01-02", "join"), anchor_kinds="join", clock="elapsed")
    assert by_join.starts[:, 1].tolist() == [int(on("2024-01-02").timestamp()) * 1_000_000]


# --- readings --------------------------------------------------------------------------------------------------------


def test_each_rate_has_its_wilson_interval():
    table = weekly(*ROWS, observed_until=on("2024-01-29"))
    lower, upper = wilson(table.counts, table.eligible)
    assert np.array_equal(table.lower, lower, equal_nan=True)
    assert np.array_equal(table.upper, upper, equal_nan=True)
    assert np.array_equal(table.interval(level=0.5), wilson(table.counts, table.eligible, level=0.5), equal_nan=True)
    with pytest.raises(InvalidValueError, match=r"^level: expected a number between 0 and 1"):
        table.interval(level=2)


def test_the_mean_curve_is_of_all_returned_among_all_eligible():
    curve = weekly(*ROWS, observed_until=on("2024-01-29")).mean_curve()
    assert curve.returned.tolist() == [3, 2, 0, 1]
    assert curve.eligible.tolist() == [3, 3, 3, 2]
    assert curve.rates.tolist() == pytest.approx([1, 2 / 3, 0, 1 / 2])
    lower, upper = wilson(curve.returned, curve.eligible)
    assert (curve.lower.tolist(), curve.upper.tolist()) == (lower.tolist(), upper.tolist())
    assert repr(curve) == "ReturnCurve(4 offsets)"
    assert pickle.loads(pickle.dumps(curve)) == curve  # noqa: S301
    assert not curve.returned.flags.writeable
    assert [column.key for column in curve._columns("en")][:3] == ["offset", "returned", "eligible"]
    assert curve.last().rate == 0.5
    brackets = weekly(*ROWS, mode="brackets", brackets=[(1, 3)]).mean_curve()
    assert [column.key for column in brackets._columns("zh")][:2] == ["offset", "through"]
    assert np.isnan(brackets.rates[0])


def test_cohorts_that_cannot_be_compared_are_not_tested():
    table = weekly(*ROWS, observed_until=on("2024-01-29"))
    assert table.homogeneity(2).df == 0
    assert table.homogeneity(1).statistic == pytest.approx(0.75)
    with pytest.raises(InvalidValueError, match=r"^mode: expected 'on' or 'brackets'.*, got 'on_or_after'$"):
        weekly(*ROWS, mode="on_or_after").homogeneity(1)
    with pytest.raises(
        InvalidValueError, match=r"^anchor: expected 'first_ever' or 'first_in_range'.*got 'recurring'$"
    ):
        weekly(*ROWS, anchor="recurring").homogeneity(1)
    for offset in (4, -1):
        with pytest.raises(InvalidValueError, match=r"^offset: expected a position in \[0, 4\), got "):
            table.homogeneity(offset)
    for offset in (True, "1"):
        with pytest.raises(InvalidTypeError, match=r"^offset: expected an integer, got "):
            table.homogeneity(offset)


def test_a_table_shows_cohorts_with_members_and_tidies_all():
    table = weekly(*ROWS)
    assert [len(column.values) for column in table._columns("en")] == [2] * 6
    assert {len(column.values) for column in table._tidy()} == {16}
    assert "–" in str(table)
    assert table.table(lang="zh").splitlines()[-1].startswith("“–”")
    brackets = weekly(*ROWS, mode="brackets", brackets=[(1, 2), (4, 4)])
    assert [column.en for column in brackets._columns("en")][2:] == ["1–2", "4"]
    row = table.last()
    assert (row.cohort, row.offset, row.through, row.size, row.eligible) == (pendulum.date(2024, 1, 22), 3, 3, 0, 0)


def test_an_empty_log_has_an_empty_table():
    for options in ({}, {"clock": "elapsed"}, {"anchor": "recurring"}, {"min_occurrences": 2}):
        table = cohort_table(EventLog.empty(), every="week", tz=SHANGHAI, **options)
        assert (table.n_cohorts, table.n_offsets, table.observed_until) == (0, 0, None)
        assert table.rates.shape == table.eligible.shape == table.counts.shape == (0, 0)
        assert table.mean_curve().rates.tolist() == []
        assert table._notes("en") == []
        assert table.merge(table) == table


def test_one_row_makes_one_cohort():
    table = weekly(ROWS[0])
    assert (table.sizes.tolist(), table.raw.tolist(), table.eligible.tolist()) == ([1], [[1]], [[0]])


def test_many_cohorts_are_counted_as_few_are(monkeypatch):
    table = weekly(*ROWS)
    monkeypatch.setattr(sets, "_MANY_COHORTS", 2)
    assert weekly(*ROWS) == table


def test_arrays_are_read_only():
    table = weekly(*ROWS, clock="elapsed")
    for name in ("sizes", "raw", "starts", "pending", "counts", "eligible", "rates", "lower", "upper", "cohorts"):
        assert not getattr(table, name).flags.writeable, name


# --- segments --------------------------------------------------------------------------------------------------------


def test_each_segment_has_its_own_cohorts_on_the_axis_of_all():
    tiers = {"ann": "gold", "cy": "gold"}
    by_tier = weekly(*ROWS, by=tiers, observed_until=on("2024-01-29"))
    assert by_tier["gold"].sizes.tolist() == [1, 1, 0, 0]
    assert by_tier["gold"].counts[0].tolist() == [1, 1, 0, 0]
    assert by_tier.unassigned.sizes.tolist() == [1, 0, 0, 0]
    assert by_tier.total == weekly(*ROWS, observed_until=on("2024-01-29"))
    p = presence(log_of(*ROWS), every="week", tz=SHANGHAI, observed_until=on("2024-01-29"))
    assert cohort_table(p, by=tiers) == by_tier


def test_a_member_begins_in_a_channel_with_the_first_activity_there():
    """In the total ann began before the range and is in no cohort; in her second channel she began within it."""
    log = EventLog.from_columns(
        member=["ann", "ann"],
        kind="post",
        at=np.array(["2024-01-01", "2024-01-15"], "M8[D]"),
        at_tz=SHANGHAI,
        extra={"channel": ["douyin", "weibo"]},
    )
    by_channel = cohort_table(log, every="week", tz=SHANGHAI, start=on("2024-01-08"), by="channel")
    assert by_channel["weibo"].sizes.tolist() == [1]
    assert by_channel["douyin"].sizes.tolist() == by_channel.total.sizes.tolist() == [0]


@pytest.mark.parametrize(
    ("by", "error", "text"),
    [
        (3, InvalidTypeError, "by: expected an Assignment, a mapping or the name of a column, got 3"),
        ("chanel", UnknownLabelError, "expected one of the log's columns (member, kind), got 'chanel'"),
        (Assignment.from_mapping({"ann": "x"}), MisalignedError, "by: expected one entry for each of the 3 members"),
    ],
)
def test_a_segment_that_cannot_be_used_is_refused(by, error, text):
    with pytest.raises(error) as caught:
        weekly(*ROWS, by=by)
    assert text in str(caught.value)
    p = presence(log_of(*ROWS), every="week", tz=SHANGHAI)
    with pytest.raises(InvalidTypeError, match=r"^by: expected an assignment: a presence has no columns, got 'kind'$"):
        cohort_table(p, by="kind")


# --- from a presence -------------------------------------------------------------------------------------------------


def test_a_presence_gives_the_cohorts_of_its_log():
    p = presence(log_of(*ROWS), every="week", tz=SHANGHAI)
    for options in (
        {},
        {"mode": "on_or_after"},
        {"anchor": "recurring"},
        {"anchor": "first_in_range", "start": on("2024-01-08"), "end": on("2024-01-15")},
        {"mode": "brackets", "brackets": [(1, 2)]},
    ):
        assert cohort_table(p, **options) == weekly(*ROWS, **options)


def test_a_tail_can_follow_only_cohorts_that_it_remembers():
    """Offsets from before the cut used to count as offsets without a return."""
    tail = presence(log_of(*ROWS), every="week", tz=SHANGHAI).tail(3)
    with pytest.raises(InvalidValueError, match=r"^start: expected an instant from 2024-01-08 on, .*, got None$"):
        cohort_table(tail)
    with pytest.raises(InvalidValueError, match=r"^start: expected an instant from 2024-01-08 on, .*got '2024-01-01'$"):
        cohort_table(tail, anchor="first_in_range", start=on("2024-01-01"))
    assert cohort_table(tail, start=on("2024-01-08")) == weekly(*ROWS, start=on("2024-01-08"))
    in_range = {"anchor": "first_in_range", "start": on("2024-01-09")}
    assert cohort_table(tail, **in_range) == weekly(*ROWS, **in_range)
    assert cohort_table(tail, anchor="recurring").sizes.tolist() == [2, 1, 1]


@pytest.mark.parametrize(
    "options",
    [
        {"kinds": "post"},
        {"anchor_kinds": "join"},
        {"observed_until": on("2024-01-29")},
        {"min_occurrences": 2},
        {"clock": "elapsed"},
    ],
)
def test_what_a_presence_has_forgotten_takes_the_log(options):
    p = presence(log_of(*ROWS), every="week", tz=SHANGHAI)
    with pytest.raises(InvalidValueError, match=f"^{next(iter(options))}: .*pass the log instead$"):
        cohort_table(p, **options)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"every": "day"}, "every: expected the periods of the presence (week (Monday), Asia/Shanghai), got 'day'"),
        ({"tz": "UTC"}, "tz: expected the zone of the presence (Asia/Shanghai), got 'UTC'"),
        ({"week_start": "sunday"}, "week_start: expected that of the presence (monday), got 'sunday'"),
    ],
)
def test_periods_that_contradict_the_presence_are_refused(options, text):
    p = presence(log_of(*ROWS), every="week", tz=SHANGHAI)
    assert cohort_table(p, every="week", tz=SHANGHAI, week_start="monday") == weekly(*ROWS)
    with pytest.raises(InvalidValueError) as caught:
        cohort_table(p, **options)
    assert text in str(caught.value)


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"anchor": "last"}, InvalidValueError, "anchor: expected one of 'first_ever', 'first_in_range', 'recurring'"),
        ({"mode": "in"}, InvalidValueError, "mode: expected one of 'on', 'on_or_after', 'brackets', got 'in'"),
        ({"clock": "wall"}, InvalidValueError, "clock: expected one of 'calendar', 'elapsed', got 'wall'"),
        ({"brackets": [(0, 1)]}, InvalidValueError, "brackets: expected none unless mode='brackets', got [(0, 1)]"),
        ({"mode": "brackets"}, InvalidValueError, "brackets: expected at least one pair with mode='brackets', got ()"),
        (
            {"mode": "brackets", "brackets": [(0, 2), (2, 3)]},
            InvalidValueError,
            "brackets: expected 3 <= first <= last < 2**31, in ascending order, got (2, 3) at row 1",
        ),
        (
            {"mode": "brackets", "brackets": [(2, 1)]},
            InvalidValueError,
            "brackets: expected 0 <= first <= last < 2**31, in ascending order, got (2, 1) at row 0",
        ),
        (
            {"mode": "brackets", "brackets": [(1, 2**31)]},
            InvalidValueError,
            "brackets: expected 0 <= first <= last < 2**31",
        ),
        (
            {"mode": "brackets", "brackets": [(0, 1.5)]},
            InvalidTypeError,
            "brackets: expected pairs of whole offsets, got (0, 1.5) at row 0",
        ),
        (
            {"mode": "brackets", "brackets": [(0, 1), 2]},
            InvalidTypeError,
            "brackets: expected pairs (first offset, last offset), got 2 at row 1",
        ),
        (
            {"mode": "brackets", "brackets": 3},
            InvalidTypeError,
            "brackets: expected pairs (first offset, last offset), got 3",
        ),
        (
            {"mode": "brackets", "brackets": [(0, 1)], "max_offset": 2},
            InvalidValueError,
            "max_offset: expected none with mode='brackets'",
        ),
        ({"max_offset": -1}, InvalidValueError, "max_offset: expected an offset >= 0, got -1"),
        ({"max_offset": True}, InvalidTypeError, "max_offset: expected an integer, got True"),
        ({"min_occurrences": 0}, InvalidValueError, "min_occurrences: expected a number of rows in [1, 2**31), got 0"),
        (
            {"anchor": "recurring", "clock": "elapsed"},
            InvalidValueError,
            "clock: expected 'calendar' with anchor='recurring', got 'elapsed'",
        ),
        (
            {"anchor": "recurring", "min_occurrences": 2},
            InvalidValueError,
            "min_occurrences: expected the default with anchor='recurring', got 2",
        ),
        (
            {"anchor": "recurring", "anchor_kinds": "join"},
            InvalidValueError,
            "anchor_kinds: expected the default with anchor='recurring', got 'join'",
        ),
        ({"anchor": "first_in_range"}, InvalidValueError, "start: expected the start of the range"),
        (
            {"start": on("2024-01-02"), "end": on("2024-01-02")},
            InvalidValueError,
            "end: expected an instant after start (2024-01-02 00:00:00+08:00)",
        ),
        ({"start": "2024-01-01"}, InvalidTypeError, "start: expected an aware datetime, got '2024-01-01'"),
        (
            {"clock": "elapsed", "every": "month"},
            InvalidValueError,
            "every: expected 'hour', 'day' or 'week' for elapsed time, as months differ in length, got 'month'",
        ),
        (
            {"every": None},
            InvalidTypeError,
            "every: expected a period, such as 'week', when the data is a log, got None",
        ),
        ({"tz": None}, InvalidValueError, "tz: expected a time zone such as 'Asia/Shanghai'"),
        (
            {"anchor_kinds": "jon", "unknown_kinds": "raise"},
            UnknownLabelError,
            "anchor_kinds: expected kinds that the log contains, got 'jon'",
        ),
    ],
)
def test_an_option_that_cannot_be_used_is_refused(options, error, text):
    with pytest.raises(error) as caught:
        weekly(*ROWS, **options)
    assert text in str(caught.value)


def test_what_is_neither_log_nor_presence_is_refused():
    with pytest.raises(InvalidTypeError, match=r"^data: expected an EventLog or a Presence, got 3$"):
        cohort_table(3, every="week", tz=SHANGHAI)


@pytest.mark.parametrize("clock", ["calendar", "elapsed"])
def test_an_unknown_kind_warns_once(clock):
    for options in ({"kinds": "pst"}, {"anchor_kinds": "pst", "kinds": "post"}):
        with pytest.warns(UnknownKindWarning, match=r"did you mean 'post'") as caught:
            weekly(*ROWS, clock=clock, **options)
        assert len(caught) == 1


@pytest.mark.parametrize(
    ("other", "error", "text"),
    [
        (3, InvalidTypeError, "other: expected a CohortTable, got 3"),
        (weekly(*ROWS, mode="on_or_after"), InvalidValueError, "cohorts: expected parts of the same definition"),
        (
            weekly(*ROWS, every="day"),
            InvalidValueError,
            "every: expected parts over the same periods (week (Monday), Asia/Shanghai), got 'day, Asia/Shanghai'",
        ),
        (
            weekly(*ROWS, observed_until=on("2024-02-01")),
            InvalidValueError,
            "give every part the same `observed_until`",
        ),
    ],
)
def test_tables_of_different_definitions_do_not_merge(other, error, text):
    with pytest.raises(error) as caught:
        weekly(*ROWS).merge(other)
    assert text in str(caught.value)


def test_a_table_without_cohorts_tells_the_shape_of_its_columns():
    nobody = weekly(("ann", "2024-01-01", "receive"))
    assert isinstance(nobody, CohortTable)
    assert (nobody.n_cohorts, nobody.eligible.shape) == (0, (0, 0))
    assert nobody.merge(weekly(*ROWS)) == weekly(("zoe", "2024-01-01", "receive"), *ROWS)
    assert nobody._emptied() == nobody


def test_counts_that_outgrow_64_bits_do_not_wrap_when_tables_merge():
    week = np.array(["2024-03-04"], "M8[D]")
    half = CohortTable.from_counts(cohort=week, sizes=[2**62], returned=[[2**62]])
    with pytest.raises(InvalidValueError, match="sizes: expected counts whose sum fits 64 bits with sign"):
        half.merge(half)


@pytest.mark.parametrize("options", [{}, {"clock": "elapsed"}, {"anchor": "recurring"}, {"mode": "on_or_after"}])
def test_hours_over_a_century_are_refused_before_any_memory_is_taken(options):
    at = [pendulum.datetime(1920, 1, 1), pendulum.datetime(2020, 1, 1)]
    log = EventLog.from_columns(member=["ann", "bo"], kind="post", at=at)
    with pytest.raises(
        InvalidValueError, match="every: expected periods that give a table of at most 67,108,864 cells"
    ):
        cohort_table(log, every="hour", tz="UTC", **options)


def test_counts_made_elsewhere_give_rates_where_they_were_observed():
    weeks = np.array(["2024-01-01", "2024-01-08"], "M8[D]")
    table = CohortTable.from_counts(cohort=weeks, sizes=[50, 40], returned=[[50, 10], [40, 0]])
    assert table.counts.tolist() == [[50, 10], [40, 0]]
    assert table.eligible.tolist() == [[50, 50], [40, 0]]
    end = pendulum.datetime(2024, 1, 22)
    later = CohortTable.from_counts(
        cohort=weeks, sizes=[50, 40], returned=[[50, 10], [40, 0]], tz="UTC", observed_until=end
    )
    assert later.eligible.tolist() == [[50, 50], [40, 40]]
    with pytest.raises(
        InvalidValueError, match=r"returned: expected at most the size of the cohort \(40\), got 41 at row 1"
    ):
        CohortTable.from_counts(cohort=weeks, sizes=[50, 40], returned=[[50, 10], [40, 41]])
    with pytest.raises(MisalignedError, match="sizes: expected as many rows as `cohort`, which has 2, got 1 rows"):
        CohortTable.from_counts(cohort=weeks, sizes=[50], returned=[[50, 10], [40, 0]])
    with pytest.raises(MisalignedError, match="returned: expected a table with a row for each of the 2 cohorts"):
        CohortTable.from_counts(cohort=weeks, sizes=[50, 40], returned=[50, 40])


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        (
            {"min_occurrences": 2**63},
            InvalidValueError,
            r"^min_occurrences: expected a number of rows in \[1, 2\*\*31\)",
        ),
        ({"min_occurrences": np.timedelta64(2, "s")}, InvalidTypeError, r"^min_occurrences: expected an integer, got "),
        ({"mode": np.array(["on", "brackets"])}, InvalidTypeError, r"^mode: expected one of 'on', .*, got array"),
        ({"clock": None}, InvalidTypeError, r"^clock: expected one of 'calendar', 'elapsed', got None"),
        ({"mode": "brackets", "brackets": np.array(5)}, InvalidTypeError, r"^brackets: expected pairs \(.*\), got 5$"),
        (
            {"mode": "brackets", "brackets": [(0, np.timedelta64(2, "s"))]},
            InvalidTypeError,
            r"^brackets: expected pairs of whole offsets, got .* at row 0$",
        ),
        ({"anchor_kinds": b"post"}, InvalidTypeError, r"^anchor_kinds: expected kinds of event as str, got b'post'$"),
    ],
)
def test_an_odd_option_is_told_from_a_usable_one(options, error, told):
    with pytest.raises(error, match=told):
        cohort_table(log_of(("ann", "2024-01-01")), **({"every": "week", "tz": SHANGHAI} | options))
