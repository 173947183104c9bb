"""A ledger of counts that a warehouse has made."""

from __future__ import annotations

import datetime as dt
import pickle
from typing import Any

import numpy as np
import pendulum
import pytest

from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError
from shequn.retention import FlowLedger, flow_ledger, project
from shequn.values import Calendar, Money

WEEKS = np.array(["2024-01-01", "2024-01-08", "2024-01-15"], dtype="M8[D]")
COUNTS: dict[str, Any] = {"joined": [50, 5, 0], "revived": [0, 2, 1], "evaporated": [0, 10, 20]}


def from_counts(**changes) -> FlowLedger:
    return FlowLedger.from_counts(**({"period": WEEKS, **COUNTS} | changes))


def log_of_a_year() -> EventLog:
    """Forty members who come and go, written in Shanghai over half a year."""
    rng = np.random.default_rng(20240229)
    n = 400
    day = rng.integers(0, 180, n)
    at = np.datetime64("2024-01-01T00:00:00", "s") + (day * 86_400 + rng.integers(0, 86_400, n)).astype("m8[s]")
    return EventLog.from_columns(member=rng.integers(0, 40, n), kind="post", at=at, at_tz="Asia/Shanghai")


# --- the counts come back as they went in ---


def test_the_counts_of_a_warehouse_make_a_ledger():
    ledger = from_counts()
    assert ledger.periods.tolist() == WEEKS.tolist()
    assert ledger.opening.tolist() == [0, 50, 47]
    assert ledger.flow.tolist() == [50, 7, 1]
    assert ledger.retained.tolist() == [50, 47, 28]
    assert ledger.stayed.tolist() == [0, 40, 27]
    assert not ledger.residual.any()


def test_what_was_there_before_opens_the_first_period():
    ledger = from_counts(opening=9)
    assert ledger.opening.tolist() == [9, 59, 56]
    assert ledger.retained.tolist() == [59, 56, 37]


def test_a_day_that_a_zone_skipped_has_no_rate():
    # Samoa went from 29 to 31 December 2011: the day between them began and ended at one instant.
    days = np.array(["2011-12-29", "2011-12-30", "2011-12-31"], dtype="M8[D]")
    ledger = from_counts(
        period=days,
        joined=[0, 0, 0],
        revived=[0, 0, 0],
        evaporated=[1, 0, 3],
        opening=10,
        every="day",
        tz="Pacific/Apia",
    )
    assert ledger.opening.tolist() == [10, 9, 9]
    assert ledger.evaporation_rate.tolist() == pytest.approx([0.1, np.nan, 1 / 3], nan_ok=True)


@pytest.mark.parametrize(
    ("every", "week_start"), [("day", "monday"), ("week", "monday"), ("week", "sunday"), ("month", "monday")]
)
@pytest.mark.parametrize("grace", [0, 2])
def test_a_ledger_of_a_log_comes_back_from_its_own_counts(every, week_start, grace):
    tz, until = "Asia/Shanghai", pendulum.datetime(2024, 6, 20, 12, tz="Asia/Shanghai")
    told = flow_ledger(log_of_a_year(), every=every, tz=tz, week_start=week_start, grace=grace, observed_until=until)
    columns: dict[str, Any] = told.to_columns()
    again = FlowLedger.from_counts(
        **{name: columns[name] for name in ("period", "joined", "revived", "evaporated")},
        every=every,
        tz=tz,
        week_start=week_start,
        observed_until=until,
    )
    shared = ("period", "opening", "joined", "revived", "evaporated", "retained", "net_growth", "complete")
    for name in (*shared, "evaporation_rate"):
        np.testing.assert_array_equal(again.to_columns()[name], columns[name], err_msg=name)
    for name in ("quick_ratio", "half_life", "flow", "stayed"):
        np.testing.assert_array_equal(getattr(again, name), getattr(told, name), err_msg=name)
    assert not again.residual.any()
    assert again.calendar == told.calendar
    assert again.observed_until == told.observed_until
    assert project(again, periods=9) == project(told, periods=9)


def test_a_ledger_that_starts_late_comes_back_with_its_opening():
    start = pendulum.datetime(2024, 3, 1, tz="Asia/Shanghai")
    told = flow_ledger(log_of_a_year(), every="week", tz="Asia/Shanghai", start=start)
    assert told.opening[0] > 0
    columns: dict[str, Any] = told.to_columns()
    again = FlowLedger.from_counts(
        **{name: columns[name] for name in ("period", "joined", "revived", "evaporated")},
        opening=told.opening[0],
        tz="Asia/Shanghai",
    )
    assert again.retained.tolist() == told.retained.tolist()


def test_it_counts_what_was_lost_in_money():
    assert [str(m) for m in from_counts().money_evaporated(Money.of("2", "CNY"))][-1] == "40.00 CNY"


def test_it_survives_a_pickle():
    ledger = from_counts(opening=3)
    assert pickle.loads(pickle.dumps(ledger)) == ledger  # noqa: S301


def test_the_counts_given_stay_as_they_were():
    joined = np.array([50, 5, 0])
    ledger = from_counts(joined=joined)
    joined[0] = 1
    assert ledger.joined.tolist() == [50, 5, 0]
    assert not ledger.joined.flags.writeable


@pytest.mark.parametrize(
    "joined", [(50, 5, 0), np.array([50, 5, 0], dtype=">i2"), np.array([50, 9, 5, 9, 0], dtype=np.uint64)[::2]]
)
def test_counts_of_every_make_are_taken(joined):
    assert from_counts(joined=joined).joined.tolist() == [50, 5, 0]


def test_plain_dates_are_taken():
    assert from_counts(period=[dt.date(2024, 1, 1), dt.date(2024, 1, 8), dt.date(2024, 1, 15)]) == from_counts()


def test_hours_are_taken():
    hours = np.array(["2024-01-01T22", "2024-01-01T23", "2024-01-02T00"], dtype="M8[h]")
    assert from_counts(period=hours, every="hour").periods.tolist() == hours.tolist()


def test_no_period_is_an_empty_ledger():
    nothing = np.empty(0, dtype=np.int64)
    ledger = FlowLedger.from_counts(period=WEEKS[:0], joined=nothing, revived=[], evaporated=nothing)
    assert ledger.n_periods == 0
    assert ledger.residual.shape == (5, 0)
    assert ledger.observed_until is None
    assert ledger.merge(from_counts()) == from_counts()


def test_parts_of_a_community_add_up():
    both = from_counts().merge(from_counts(opening=1))
    assert both.retained.tolist() == [101, 95, 57]


# --- until when ---


def test_every_period_given_is_complete_unless_told_otherwise():
    ledger = from_counts()
    assert ledger.complete.tolist() == [True, True, True]
    assert ledger.observed_until_derived


def test_the_last_period_may_not_be_over_yet():
    ledger = from_counts(tz="Asia/Shanghai", observed_until=pendulum.datetime(2024, 1, 17, tz="Asia/Shanghai"))
    assert ledger.complete.tolist() == [True, True, False]
    assert np.isnan(ledger.evaporation_rate[-1])
    assert project(ledger, periods=1).opening == 47


def test_a_period_is_over_when_its_zone_says_so():
    midnight = pendulum.datetime(2024, 1, 22, tz="Asia/Shanghai")
    assert from_counts(tz="Asia/Shanghai", observed_until=midnight).complete.all()
    assert not from_counts(tz="Asia/Shanghai", observed_until=midnight.subtract(seconds=1)).complete[-1]
    assert not from_counts(tz="UTC", observed_until=midnight).complete[-1]


def test_what_was_observed_after_the_last_period_was_not_counted():
    end = pendulum.datetime(2024, 1, 22)
    ledger = from_counts(tz="UTC", observed_until=end.add(days=40))
    assert ledger == from_counts(tz="UTC", observed_until=end)
    assert ledger.merge(ledger).n_periods == 3


def test_an_end_of_observation_without_periods_is_kept():
    until = pendulum.datetime(2024, 1, 22)
    ledger = FlowLedger.from_counts(
        period=WEEKS[:0], joined=[], revived=[], evaporated=[], tz="UTC", observed_until=until
    )
    assert ledger.observed_until == until


# --- what cannot be ---

BAD_VALUES = [
    ({"period": WEEKS[::-1]}, r"^period: expected consecutive .*, 2024-01-22 next .*, got '2024-01-08' at row 1$"),
    ({"period": WEEKS[[0, 1, 1]]}, r"^period: expected .*, 2024-01-15 next .*, got '2024-01-08' at row 2$"),
    (
        {"period": np.array(["2024-01-01", "2024-01-15", "2024-01-22"], dtype="M8[D]")},
        r"^period: expected consecutive periods in ascending order, 2024-01-08 next "
        r"\(with zeros where nothing happened\), got '2024-01-15' at row 1$",
    ),
    (
        {"period": WEEKS + 6},
        r"^period: expected local start dates of periods \(week \(Monday\), UTC\), got '2024-01-07' at row 0 "
        r"\(3 of 3 rows\)$",
    ),
    ({"period": WEEKS, "week_start": "sunday"}, r"^period: expected local start dates .*\(Sunday\)"),
    ({"joined": [50, -5, -1]}, r"^joined: expected integers in \[0, 2\*\*63\), got -5 at row 1 \(2 of 3 rows\)$"),
    ({"revived": [0, 0, -1]}, r"^revived: .* got -1 at row 2 \(1 of 3 rows\)$"),
    ({"evaporated": [-1, 0, 0]}, r"^evaporated: .* got -1 at row 0 \(1 of 3 rows\)$"),
    (
        {"joined": np.array([1, 2**63, 1], dtype=np.uint64)},
        r"^joined: expected integers in \[0, 2\*\*63\), got 9223372036854775808 at row 1",
    ),
    ({"evaporated": [0, 51, 0]}, r"^evaporated: expected at most the opening \(50\), got 51 at row 1$"),
    # Whoever came in a period was not there before it, and cannot have evaporated in it.
    ({"evaporated": [1, 0, 0]}, r"^evaporated: expected at most the opening \(0\), got 1 at row 0$"),
    (
        {"joined": [2**62, 2**62 + 8, 0]},
        rf"^joined: expected a stock that fits 64 bits with sign, got {2**63} at row 1$",
    ),
    ({"opening": -1}, r"^opening: expected a count in \[0, 2\*\*63\), got -1$"),
    ({"opening": 2**63}, r"^opening: expected a count in \[0, 2\*\*63\), got 9223372036854775808$"),
    ({"every": "fortnight"}, r"^every: expected one of 'hour', .* got 'fortnight'"),
    (
        {"every": Calendar(unit="week", tz="UTC"), "tz": "Asia/Shanghai"},
        r"^tz: expected None or 'UTC', the zone of the calendar given, got 'Asia/Shanghai'$",
    ),
    (
        {"observed_until": pendulum.datetime(2024, 1, 22)},
        r"^tz: expected a time zone, which `observed_until` is judged in, got None$",
    ),
    (
        {"observed_until": pendulum.datetime(2024, 1, 7, 16), "tz": "Asia/Shanghai"},
        r"^period: expected periods that begin before `observed_until` \(2024-01-08T00:00:00\+08:00\), "
        r"got '2024-01-08' at row 1 \(2 of 3 rows\)$",
    ),
]


@pytest.mark.parametrize(("changes", "match"), BAD_VALUES, ids=[match for _, match in BAD_VALUES])
def test_counts_that_cannot_be_are_refused(changes, match):
    with pytest.raises(InvalidValueError, match=match):
        from_counts(**changes)


BAD_TYPES = [
    ({"period": ["2024-01-01", "2024-01-08", "2024-01-15"]}, "^period: expected dates .*, got '2024-01-01' at row 0$"),
    ({"joined": [50, 5.5, 0]}, "^joined: expected integers, got 'float64 values'$"),
    ({"joined": [True, False, False]}, "^joined: expected integers, got 'bool values'$"),
    ({"joined": [50, None, 0]}, "^joined: expected integers, got 'object values'$"),
    (
        {"joined": [[50], [5], [0]]},
        r"^joined: expected a 1-D array of whole numbers, got 'an array of shape \(3, 1\)'$",
    ),
    ({"joined": 50}, r"^joined: expected a 1-D array of whole numbers, got 'an array of shape \(\)'$"),
    ({"joined": [[50], [5, 0]]}, "^joined: expected an array of integers"),
    ({"opening": 1.5}, "^opening: expected an integer, got 1.5$"),
    ({"opening": True}, "^opening: expected an integer, got True$"),
    ({"observed_until": "2024-01-22", "tz": "UTC"}, "^observed_until: expected an aware datetime, got '2024-01-22'"),
    ({"every": 7}, "^every: "),
]


@pytest.mark.parametrize(("changes", "match"), BAD_TYPES, ids=[match for _, match in BAD_TYPES])
def test_what_is_no_count_is_refused(changes, match):
    with pytest.raises(InvalidTypeError, match=match):
        from_counts(**changes)


@pytest.mark.parametrize("name", ["joined", "revived", "evaporated"])
def test_columns_of_different_length_are_refused(name):
    match = rf"^{name}: expected as many rows as `period`, which has 3, got 2 rows$"
    with pytest.raises(MisalignedError, match=match):
        from_counts(**{name: [0, 0]})


def test_an_opening_without_a_period_is_refused():
    with pytest.raises(
        InvalidValueError, match=r"^opening: expected 0 where there is no period that it could open, got 4$"
    ):
        FlowLedger.from_counts(period=WEEKS[:0], joined=[], revived=[], evaporated=[], opening=4)


def test_counts_of_chosen_kinds_merge_with_a_ledger_of_these():
    until = pendulum.datetime(2024, 1, 22)
    log = EventLog.from_columns(
        member=["ann", "bo", "ann"], kind=["post", "like", "post"], at=WEEKS, at_tz="UTC", value=[1, 2, 3]
    )
    counted = flow_ledger(log, every="week", tz="UTC", kinds="post", observed_until=until)
    told = from_counts(tz="UTC", kinds="post", observed_until=until)
    assert told.kinds == frozenset({"post"})
    assert told.merge(counted).retained.tolist() == (told.retained + counted.retained).tolist()
    assert told.merge(counted) == counted.merge(told)
    with pytest.raises(InvalidValueError, match=r"^kinds: expected parts with the same kinds"):
        from_counts(tz="UTC", observed_until=until).merge(counted)


@pytest.mark.parametrize("kinds", [b"post", [1], np.array("post")])
def test_counted_kinds_are_words(kinds):
    with pytest.raises(InvalidTypeError, match=r"^kinds: expected kinds of event as str, got "):
        from_counts(kinds=kinds)
