"""Who stands behind a ledger's row, night by night, and cohorts segment by segment."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import numpy as np
import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

import shequn as sq
from shequn.retention import cohort_table, flow_ledger, presence

TZ = "Asia/Shanghai"
DAY = 86_400
START = int(pendulum.datetime(2024, 1, 1, tz=TZ).timestamp())


@st.composite
def logs(draw):
    rows = draw(
        st.lists(
            st.tuples(st.sampled_from("abcdef"), st.integers(0, 40 * DAY), st.sampled_from(["g1", "g2", None])),
            min_size=1,
            max_size=40,
        )
    )
    member, seconds, group = map(list, zip(*rows, strict=True))
    return sq.EventLog.from_columns(
        member=member, kind="post", at=START + np.array(seconds), time_unit="s", group=group
    )


@given(logs())
def test_the_members_behind_a_row_are_as_many_as_the_ledger_counts(log):
    tally = presence(log, every="week", tz=TZ)
    for row in flow_ledger(tally).rows():
        day = dt.date(row.period.year, row.period.month, row.period.day)
        who = (tally.joined(day), tally.revived(day), tally.evaporated(day))
        assert [int(mask.sum()) for mask in who] == [row.joined, row.revived, row.evaporated]


@given(logs(), st.integers(0, 4))
def test_the_members_behind_a_row_are_the_same_after_the_past_was_cut(log, n):
    whole = presence(log, every="week", tz=TZ)
    tail = whole.tail(n)
    for label in tail.periods.astype("M8[D]").tolist():
        for ask in ("joined", "revived", "evaporated"):
            assert getattr(whole, ask)(label).tolist() == getattr(tail, ask)(label).tolist()


@given(logs(), st.lists(st.integers(1, 40), min_size=1, max_size=4, unique=True).map(sorted))
def test_a_presence_continued_night_by_night_is_that_of_the_whole(log, nights):
    ends = [pendulum.datetime(2024, 1, 1, tz=TZ).add(days=day) for day in [*nights, 41]]
    stored = presence(log.where(end=ends[0]), every="week", tz=TZ, observed_until=ends[0])
    for last, tonight in pairwise(ends):
        today = presence(log.where(start=last, end=tonight), every="week", tz=TZ, observed_until=tonight)
        stored = stored.observed(tonight).merge(today)
    assert stored == presence(log, every="week", tz=TZ, observed_until=ends[-1])


def test_the_end_of_observation_does_not_move_back():
    end = pendulum.datetime(2024, 1, 15, tz=TZ)
    log = sq.EventLog.from_columns(member=["ann"], kind="post", at=[START], time_unit="s")
    tally = presence(log, every="week", tz=TZ, observed_until=end)
    with pytest.raises(sq.InvalidValueError, match="until: expected an instant not before the end of observation"):
        tally.observed(end.subtract(days=1))


@given(logs(), st.sampled_from(["calendar", "elapsed"]), st.sampled_from(["on", "on_or_after"]))
def test_cohorts_by_assignment_are_those_of_each_segments_log_and_sum_to_the_total(log, clock, mode):
    tiers = log.first("group")
    table = cohort_table(log, every="week", tz=TZ, clock=clock, mode=mode, by=tiers)
    end = table.total.observed_until
    sizes = np.zeros_like(table.total.sizes)
    for segment, part in table.items():
        members = [member for member in log.members if tiers.of(member) == segment]
        alone = cohort_table(
            log.where(members=members), every="week", tz=TZ, clock=clock, mode=mode, observed_until=end
        )
        counts = {(str(row.cohort), row.offset): (row.size, row.returned, row.eligible) for row in alone.rows()}
        for row in part.rows():
            # The whole may have earlier cohorts, and so later offsets: nobody here can have been seen at those.
            nobody_yet = (row.size, 0, 0)
            assert (row.size, row.returned, row.eligible) == counts.get((str(row.cohort), row.offset), nobody_yet)
        sizes = sizes + part.sizes
    if table.unassigned is not None:
        sizes = sizes + table.unassigned.sizes
    assert sizes.tolist() == table.total.sizes.tolist()
    assert not table.overlap.any()


@given(logs())
def test_a_member_of_two_groups_begins_once_in_each(log):
    table = cohort_table(log, every="week", tz=TZ, by="group")
    groups = log.labelled_column("group")
    for group, part in table.items():
        members = {log.members[code] for code in log.member_codes[groups.codes == groups.index.code(group)].tolist()}
        assert part.sizes.sum() == len(members)
    parts = [cohort_table(part, every="week", tz=TZ, by="group") for part in log.partition(3)]
    merged = parts[0].merge(parts[1]).merge(parts[2])
    assert merged.total == table.total
    assert dict(merged) == dict(table)


@given(logs())
def test_cohorts_of_a_presence_by_mapping_are_those_of_its_log(log):
    by = {"a": "x", "b": "y", "c": "x"}
    assert cohort_table(presence(log, every="week", tz=TZ), by=by) == cohort_table(log, every="week", tz=TZ, by=by)


def test_a_presence_has_no_columns_to_break_down_by():
    log = sq.EventLog.from_columns(member=["ann"], kind="post", at=[START], time_unit="s", group=["g1"])
    with pytest.raises(sq.InvalidTypeError, match="by: expected an assignment: a presence has no columns"):
        cohort_table(presence(log, every="week", tz=TZ), by="group")
    with pytest.raises(sq.InvalidTypeError, match="by: expected an Assignment, a mapping or the name of a column"):
        cohort_table(log, every="week", tz=TZ, by=7)
    with pytest.raises(sq.UnknownLabelError, match=r"by: expected one of the log's columns .* did you mean 'group'"):
        flow_ledger(log, every="week", tz=TZ, by="grouq")


def test_a_day_that_a_zone_skipped_has_no_rates():
    at = [pendulum.datetime(2011, 12, 29, tz="Pacific/Apia"), pendulum.datetime(2011, 12, 31, tz="Pacific/Apia")]
    log = sq.EventLog.from_columns(member=["ann", "ann"], kind="post", at=at)
    end = pendulum.datetime(2012, 1, 1, tz="Pacific/Apia")
    ledger = flow_ledger(log, every="day", tz="Pacific/Apia", observed_until=end)
    assert ledger.evaporated.tolist() == [0, 1, 0]
    assert np.isnan(ledger.evaporation_rate).tolist() == [True, True, True]
    assert ledger.complete.tolist() == [True, True, True]


def test_a_warning_about_an_unknown_kind_points_at_the_caller():
    log = sq.EventLog.from_columns(member=["ann"], kind="post", at=[START], time_unit="s")
    for ask in (flow_ledger, cohort_table, presence):
        with pytest.warns(
            sq.UnknownKindWarning, match="kinds: expected kinds that the log contains, got 'pots'"
        ) as seen:
            ask(log, every="week", tz=TZ, kinds={"pots"})
        assert [warning.filename for warning in seen] == [__file__]
