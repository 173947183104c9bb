"""Over- and under-posting at the edges, what is refused, and how regular a handful of posts is."""

from __future__ import annotations

import pickle

import attrs
import numpy as np
import pendulum
import pytest

import shequn as sq
from shequn.content import CadenceFault, Regularity, cadence_violations, regularity, schedule
from shequn.entities import ContentItem
from shequn.errors import InvalidTypeError, InvalidValueError
from shequn.values import Cadence, DailyWindow

TZ = "Asia/Shanghai"
MONDAY = pendulum.datetime(2024, 3, 4, tz=TZ)
WEEK = sq.Window(MONDAY, MONDAY.add(weeks=1))


def at(*hours):
    return [MONDAY.add(minutes=round(60 * hour)) for hour in hours]


@pytest.mark.parametrize(("n", "faults"), [(1, 0), (2, 0), (3, 1)])
def test_the_cap_itself_is_kept(n, faults):
    assert len(cadence_violations(at(*range(n)), Cadence(per_day=2), tz=TZ)) == faults


@pytest.mark.parametrize(("minutes", "faults"), [(59, 1), (60, 0), (61, 0)])
def test_the_gap_itself_is_kept(minutes, faults):
    cadence = Cadence(min_gap=pendulum.duration(hours=1))
    assert len(cadence_violations(at(0, minutes / 60), cadence, tz=TZ)) == faults


@pytest.mark.parametrize(("n", "faults"), [(2, 1), (3, 0), (4, 0)])
def test_the_least_itself_is_enough(n, faults):
    found = cadence_violations(at(*range(n)), Cadence(), tz=TZ, window=WEEK, at_least=Cadence(per_week=3))
    assert found.counts[CadenceFault.UNDER_WEEK] == faults


def test_a_period_that_is_cut_off_is_not_too_thin():
    cut = sq.Window(MONDAY.add(hours=1), MONDAY.add(days=2))
    found = cadence_violations([], Cadence(), tz=TZ, window=cut, at_least=Cadence(per_day=1, per_week=1))
    assert [(row.fault.en, row.start) for row in found.rows()] == [("too few a day", MONDAY.add(days=1))]


def test_a_day_that_never_was_is_not_too_thin():
    start = pendulum.datetime(2011, 12, 29, tz="Pacific/Apia")
    window = sq.Window(start, pendulum.datetime(2012, 1, 1, tz="Pacific/Apia"))
    found = cadence_violations([], Cadence(), tz="Pacific/Apia", window=window, at_least=Cadence(per_day=1))
    assert [row.start.day for row in found.rows()] == [29, 31]


def test_weeks_begin_when_the_cadence_says():
    sunday = at(-3, -2, 1)
    assert len(cadence_violations(sunday, Cadence(per_week=2), tz=TZ)) == 0
    assert len(cadence_violations(sunday, Cadence(per_week=2, week_start="sunday"), tz=TZ)) == 1


def test_logs_and_schedules_have_instants_too():
    log = sq.EventLog.from_columns(member=["u"] * 3, kind="post", at=at(1, 2, 3))
    assert cadence_violations(log, Cadence(per_day=2), tz=TZ).counts[CadenceFault.OVER_DAY] == 1
    items = [ContentItem(id=n, kind="educational", created=MONDAY) for n in range(9)]
    cadence = Cadence(per_day=2, min_gap=pendulum.duration(hours=3))
    plan = schedule(items, window=WEEK, tz=TZ, cadence=cadence)
    assert len(cadence_violations(plan, cadence, tz=TZ, window=WEEK)) == 0
    assert regularity(plan).n_gaps == 8
    assert regularity(log).cv == 0


def test_the_table_and_the_last_row():
    quiet = DailyWindow(start="09:00", end="18:00", tz=TZ)
    found = cadence_violations(at(8, 10, 20), Cadence(per_day=2), tz=TZ, quiet=quiet)
    assert found.table(lang="zh").splitlines() == [
        "问题      自                至                条数  限值",
        "────────────────────────────────────────────────────────",
        "当日过多  2024-03-04 00:00  2024-03-05 00:00     3     2",
        "打扰      2024-03-04 10:00  2024-03-04 10:00     1     0",
        "Asia/Shanghai 3 条：2 处违规",
        "打扰率 33.3%",
    ]
    assert found.last().start == MONDAY.add(hours=10)
    assert found.table().splitlines()[-1] == "in quiet hours: 33.3%"
    assert repr(found) == "CadenceViolations(2 of 3 posts)"


def test_nothing_posted_breaks_no_cap():
    found = cadence_violations([], Cadence(per_day=0), tz=TZ)
    assert (len(found), found.disturbance.trials) == (0, 0)
    assert np.isnan(regularity([]).mean_gap_hours)
    assert np.isnan(regularity(at(1, 2)).cv)
    assert np.isnan(regularity(at(1, 2)).burstiness)
    assert np.isnan(regularity(at(1, 1, 1)).burstiness)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"at_least": Cadence(per_day=1)}, InvalidValueError, "window: expected a Window, where at_least"),
        (
            {"at_least": Cadence(min_gap=pendulum.duration(hours=1)), "window": WEEK},
            InvalidValueError,
            "at_least: expected a Cadence without min_gap",
        ),
        ({"at_least": 1, "window": WEEK}, InvalidTypeError, "at_least: expected a Cadence"),
        ({"window": "week"}, InvalidTypeError, "window: expected a Window"),
        ({"quiet": 3}, InvalidTypeError, "windows"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, error, match):
    with pytest.raises(error, match=match):
        cadence_violations(at(1), Cadence(), tz=TZ, **options)


def test_what_is_no_cadence_or_no_instant_is_refused():
    with pytest.raises(InvalidTypeError, match="cadence: expected a Cadence"):
        cadence_violations(at(1), 2, tz=TZ)
    with pytest.raises(InvalidTypeError, match="at"):
        regularity("noon")


def test_records_that_contradict_themselves_are_refused():
    found = cadence_violations(at(1, 2, 3), Cadence(per_day=2), tz=TZ)
    with pytest.raises(InvalidValueError, match="end_us: expected instants not before"):
        attrs.evolve(found, end_us=found.start_us - 1)
    with pytest.raises(InvalidValueError, match="n_disturbing: expected at most n_posts"):
        attrs.evolve(found, n_disturbing=9)
    with pytest.raises(InvalidValueError, match="cv: expected at most"):
        Regularity(n_gaps=2, mean_gap_hours=1, cv=1.1)
    with pytest.raises(InvalidValueError, match="n_gaps: expected 0 or more"):
        Regularity(n_gaps=-1, mean_gap_hours=1, cv=0)
    with pytest.raises(InvalidValueError, match="mean_gap_hours: expected a number of 0 or more"):
        Regularity(n_gaps=2, mean_gap_hours=-1, cv=0)


def test_a_window_may_begin_or_end_where_clocks_go_back_over_midnight():
    # St John's went from 00:01 back to 23:01 of the day before.
    again = pendulum.datetime(2010, 11, 7, 2, 31)
    posts = [again.subtract(seconds=20), again.add(minutes=9), again.add(days=1)]
    for window in (
        sq.Window(again.subtract(seconds=30), again.add(days=3)),
        sq.Window(again.subtract(days=3), again.add(minutes=14)),
        sq.Window(again.subtract(seconds=30), again.add(minutes=14)),
    ):
        found = cadence_violations(
            posts, Cadence(), tz="America/St_Johns", window=window, at_least=Cadence(per_day=1, per_month=1)
        )
        days = [(row.start, row.end) for row in found.rows()]
        assert all(window.start <= start < end <= window.end for start, end in days)


def test_posts_that_disturb_are_a_number_of_the_posts():
    found = cadence_violations(at(1), Cadence(), tz=TZ)
    for bad, error in ((-1, InvalidValueError), (2, InvalidValueError), ("1", InvalidTypeError)):
        with pytest.raises(error, match="n_disturbing: expected"):
            attrs.evolve(found, n_disturbing=bad)


def test_what_is_not_known_of_few_posts_is_the_same_in_a_copy():
    for few in ([], [MONDAY]):
        found = regularity(few)
        own = Regularity(n_gaps=0, mean_gap_hours=float("nan"), cv=float("nan"))
        for same in (regularity(few), own, pickle.loads(pickle.dumps(found))):  # noqa: S301
            assert (same, hash(same)) == (found, hash(found))
    assert regularity([]) != Regularity(n_gaps=0, mean_gap_hours=1.0, cv=float("nan"))


@pytest.mark.parametrize("unit", ["per_day", "per_week", "per_month"])
def test_no_more_can_be_asked_for_than_is_allowed(unit):
    with pytest.raises(InvalidValueError, match=f"at_least: expected {unit} of at most 1, as in cadence, got 2"):
        cadence_violations(
            [], sq.Cadence(**{unit: 1}), at_least=Cadence(**{unit: 2}), tz="UTC",
            window=sq.Window(pendulum.datetime(2024, 3, 1), pendulum.datetime(2024, 3, 9)),
        )  # fmt: skip
