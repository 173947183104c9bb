"""Who was active in which period, how that is stored and continued, and what is refused."""

from __future__ import annotations

import datetime as dt
import json
import pickle

import numpy as np
import pendulum
import pytest

from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.retention import Presence, flow_ledger, presence, sets
from shequn.retention.presence import NEVER, NEVER_BEFORE
from shequn.values import Calendar

SHANGHAI = "Asia/Shanghai"


def days(*labels):
    return np.array(labels, "M8[D]")


def posts(*rows, tz=SHANGHAI, kind="post"):
    return EventLog.from_columns(
        member=[member for member, _ in rows], kind=kind, at=np.array([at for _, at in rows], "M8[us]"), at_tz=tz
    )


def weekly(*rows, **options):
    return presence(posts(*rows), every="week", tz=SHANGHAI, **options)


def on(day):
    return pendulum.parse(day, tz=SHANGHAI)


ROWS = (("ann", "2024-01-01"), ("bo", "2024-01-02"), ("ann", "2024-01-09"), ("cy", "2024-01-24"))


def test_one_bit_tells_whether_a_member_was_active_in_a_period():
    p = weekly(*ROWS)
    assert p.periods.tolist() == days("2024-01-01", "2024-01-08", "2024-01-15", "2024-01-22").tolist()
    assert p.active.tolist() == [2, 1, 0, 1]
    assert [list(p.members)[code] for code in p.sets.codes(0)] == ["ann", "bo"]
    assert (p.last_active - p.first).tolist() == [1, 0, 0]
    assert p.complete.tolist() == [True, True, True, False]
    assert p.observed_until == on("2024-01-24").add(seconds=1)
    assert p.observed_until_derived
    assert repr(p) == "Presence(3 members, 4 periods, week (Monday), Asia/Shanghai)"


def test_a_day_is_asked_for_by_any_of_its_local_dates_and_an_hour_by_its_local_time():
    p = weekly(*ROWS)
    assert p.mask(dt.date(2024, 1, 7)).tolist() == [True, True, False]
    assert p.mask(dt.date(2023, 1, 1)).tolist() == [False, False, False]
    hourly = presence(posts(("ann", "2024-01-01T10:30")), every="hour", tz=SHANGHAI)
    assert hourly.mask(dt.datetime.fromisoformat("2024-01-01T10:59")).tolist() == [True]
    assert hourly.mask(dt.date(2024, 1, 1)).tolist() == [False]
    with pytest.raises(InvalidTypeError, match=r"^day: expected a date without a time of day"):
        hourly.mask(on("2024-01-01T10:00"))
    with pytest.raises(InvalidTypeError, match=r"^day: expected a date without a time of day"):
        p.mask(dt.datetime.fromisoformat("2024-01-01T10:59"))


def test_who_joined_came_back_and_evaporated_in_a_week():
    p = weekly(*ROWS, ("bo", "2024-01-23"))
    names = {
        name: [[p.members[code] for code in np.flatnonzero(getattr(p, name)(week))] for week in p.periods.tolist()]
        for name in ("joined", "revived", "evaporated")
    }
    assert names["joined"] == [["ann", "bo"], [], [], ["cy"]]
    assert names["revived"] == [[], [], [], ["bo"]]
    assert names["evaporated"] == [[], ["bo"], ["ann"], []]
    assert p.tail(2).evaporated(dt.date(2024, 1, 15)).tolist() == [True, False, False]
    for outside in (dt.date(2023, 12, 31), dt.date(2024, 1, 29)):
        assert not p.evaporated(outside).any()
    hourly = presence(posts(("ann", "2024-01-01T10:30"), ("bo", "2024-01-01T11:30")), every="hour", tz=SHANGHAI)
    assert hourly.joined(dt.datetime.fromisoformat("2024-01-01T10:00")).tolist() == [True, False]
    assert hourly.evaporated(dt.datetime.fromisoformat("2024-01-01T11:00")).tolist() == [True, False]


def test_the_end_of_observation_can_be_moved_on_and_not_back():
    p = weekly(*ROWS).observed(on("2024-02-05"))
    assert p == weekly(*ROWS, observed_until=on("2024-02-05"))
    assert p.active.tolist() == [2, 1, 0, 1, 0]
    nobody = presence(EventLog.empty(), every="week", tz=SHANGHAI).observed(on("1960-01-01"))
    assert nobody == presence(EventLog.empty(), every="week", tz=SHANGHAI, observed_until=on("1960-01-01"))
    with pytest.raises(InvalidValueError, match=r"^until: expected an instant not before the end of observation"):
        p.observed(on("2024-02-04"))


def test_an_hour_that_comes_again_after_the_next_one_is_one_hour():
    """At 00:01 on 2010-11-07 the clocks of St. John's went back to 23:01 of the day before."""
    at = ["2010-11-07T02:30:30", "2010-11-07T02:45:00", "2010-11-07T03:45:00"]  # 00:00:30, 23:15 and 00:15
    rows = [("ann", at[0]), ("bo", at[1]), ("ann", at[2])]
    p = presence(posts(*rows, tz="UTC"), every="hour", tz="America/St_Johns")
    assert [str(hour) for hour in p.periods] == ["2010-11-06T23", "2010-11-07T00"]
    assert p.active.tolist() == [1, 1]
    midnight = presence(posts(rows[0], tz="UTC"), every="hour", tz="America/St_Johns")
    again = presence(posts(rows[1], tz="UTC"), every="hour", tz="America/St_Johns")
    assert again.n_periods == 2  # the hour after had begun
    assert midnight.merge(again) == presence(posts(*rows[:2], tz="UTC"), every="hour", tz="America/St_Johns")


def test_weeks_may_begin_on_sunday():
    p = presence(posts(("ann", "2024-01-06"), ("ann", "2024-01-07")), every="week", tz=SHANGHAI, week_start="sunday")
    assert p.periods.tolist() == days("2023-12-31", "2024-01-07").tolist()
    with pytest.raises(InvalidValueError, match=r"^every: expected the periods of the presence \(week \(Sunday\)"):
        flow_ledger(p, every="week")


def test_members_without_activity_are_known_and_never_active():
    log = EventLog.from_columns(member=["ann", "bo"], kind=["post", "receive"], at=[0, 0], time_unit="s")
    p = presence(log, every="week", tz="UTC")
    assert (len(p.members), p.active.tolist()) == (2, [1])
    assert (p.first[1], p.before[1], p.last_active[1]) == (NEVER, NEVER_BEFORE, NEVER_BEFORE)


def test_an_empty_log_has_no_period():
    p = presence(EventLog.empty(), every="week", tz="UTC")
    assert (p.n_periods, p.active.tolist(), p.periods.tolist(), p.observed_until) == (0, [], [], None)
    assert p.complete.tolist() == []
    assert p.to_member_columns()["bits"].dtype == np.uint64


def test_arrays_are_read_only_also_after_pickling():
    for p in (weekly(*ROWS), pickle.loads(pickle.dumps(weekly(*ROWS)))):  # noqa: S301
        for array in (p.first, p.before, p.active, p.complete, p.periods, p.last_active, p.to_member_columns()["bits"]):
            assert not array.flags.writeable


def test_sparse_periods_are_kept_as_cells_and_dense_ones_as_bits(monkeypatch):
    hours = presence(posts(*ROWS), every="hour", tz=SHANGHAI)
    assert isinstance(hours.sets, sets.BitSets)
    monkeypatch.setattr(sets, "_SMALL_MASK", 1000)
    sparse = presence(posts(*ROWS), every="hour", tz=SHANGHAI)
    assert isinstance(sparse.sets, sets.CellSets)
    assert sparse == hours
    assert isinstance(presence(posts(*ROWS), every="week", tz=SHANGHAI).sets, sets.BitSets)


def test_presences_are_equal_whatever_the_order_of_their_members():
    p, q = weekly(*ROWS), weekly(*ROWS[::-1])
    assert list(p.members) != list(q.members)
    assert p == q
    others = (
        weekly(*ROWS, kinds="post"),
        weekly(*ROWS, observed_until=on("2024-01-25")),
        weekly(*ROWS[:3], ("zoe", "2024-01-24")),
        weekly(*ROWS[:3], ("cy", "2024-01-24"), ("cy", "2024-01-02")),
        weekly(*ROWS[:3]),
        weekly(*ROWS, ("zoe", "2024-01-24")),
        weekly(*ROWS, ("bo", "2024-01-24")),
        presence(posts(*ROWS), every="day", tz=SHANGHAI),
    )
    assert not any(p == other for other in others)
    passive = EventLog.from_columns(member=["zoe"], kind="receive", at=[0], time_unit="s")
    assert presence(EventLog.concat([posts(*ROWS), passive]), every="week", tz=SHANGHAI) != p
    assert p != 3
    with pytest.raises(TypeError, match=r"unhashable"):
        hash(p)


# --- merging and continuing ------------------------------------------------------------------------------------------


def test_parts_merge_by_member_and_by_time():
    whole = weekly(*ROWS)
    assert weekly(*ROWS[:2]).merge(weekly(*ROWS[2:])) == whole
    assert weekly(ROWS[0], ROWS[2]).merge(weekly(ROWS[1], ROWS[3])) == whole


def test_last_night_s_tail_goes_on_with_the_rows_of_today():
    today = weekly(("bo", "2024-02-01"), ("ann", "2024-02-02"))
    continued = weekly(*ROWS).tail(2).merge(today)
    ledger = flow_ledger(continued, grace=2)
    whole = flow_ledger(posts(*ROWS, ("bo", "2024-02-01"), ("ann", "2024-02-02")), every="week", tz=SHANGHAI, grace=2)
    assert continued.periods.tolist() == days("2024-01-15", "2024-01-22", "2024-01-29").tolist()
    for name in ("opening", "joined", "revived", "evaporated", "retained", "inside"):
        assert getattr(ledger, name).tolist() == getattr(whole, name).tolist()[2:], name


def test_a_tail_of_nothing_still_knows_who_came_when():
    p = weekly(*ROWS).tail(0)
    assert (p.n_periods, p.periods.tolist()) == (0, [])
    today = weekly(("ann", "2024-01-30"), ("dee", "2024-01-30"))
    assert p.merge(today).periods.tolist() == days("2024-01-29").tolist()
    assert flow_ledger(p.merge(today)).joined.tolist() == [1]
    assert flow_ledger(p.merge(today)).revived.tolist() == [1]
    assert p.merge(presence(EventLog.empty(), every="week", tz=SHANGHAI)) == p


def test_rows_that_come_late_are_remembered_behind_the_cut():
    late = weekly(*ROWS).tail(1).merge(weekly(("bo", "2024-01-10"), ("dee", "2023-12-05")))
    assert late.periods.tolist() == days("2024-01-22").tolist()
    assert (
        late.calendar.label(late.first).tolist()
        == days("2024-01-01", "2024-01-01", "2024-01-22", "2023-12-04").tolist()
    )
    assert (
        late.calendar.label(late.before[[0, 1, 3]]).tolist() == days("2024-01-08", "2024-01-08", "2023-12-04").tolist()
    )


def test_a_row_a_member_can_be_stored_and_read_back():
    p = weekly(*ROWS).tail(3)
    columns, state = p.to_member_columns(), p.to_state()
    assert columns["bits"].tolist() == [0b100, 0, 0b001]
    assert json.loads(json.dumps(state)) == state
    assert Presence.from_state(columns, state, calendar=p.calendar) == p
    signed = {**columns, "bits": columns["bits"].astype(np.int64)}
    assert Presence.from_state(signed, state, calendar=p.calendar) == p


def test_sixty_four_periods_fit_a_stored_row():
    at = [("ann", np.datetime64("2024-01-01") + day) for day in range(64)]
    p = presence(posts(*at), every="day", tz=SHANGHAI)
    assert p.to_member_columns()["bits"].tolist() == [2**64 - 1]
    assert Presence.from_state(p.to_member_columns(), p.to_state(), calendar=p.calendar) == p
    signed = {**p.to_member_columns(), "bits": [-1]}
    assert Presence.from_state(signed, p.to_state(), calendar=p.calendar) == p
    longer = presence(posts(*at, ("bo", "2024-03-05")), every="day", tz=SHANGHAI)
    with pytest.raises(
        InvalidValueError, match=r"^presence: expected at most 64 periods, as `presence.tail\(64\)` has"
    ):
        longer.to_member_columns()
    assert longer.tail(64).to_member_columns()["bits"].tolist() == [2**64 - 2, 1]


# --- from aggregated pairs -------------------------------------------------------------------------------------------


def test_pairs_from_a_warehouse_are_the_presence_of_the_log():
    until = on("2024-01-29")
    pairs = Presence.from_columns(
        member=["ann", "bo", "ann", "cy", "cy"],
        period=days("2024-01-01", "2024-01-01", "2024-01-08", "2024-01-22", "2024-01-22"),
        tz=SHANGHAI,
        observed_until=until,
    )
    assert pairs == weekly(*ROWS, observed_until=until)


def test_every_period_given_counts_as_complete():
    p = Presence.from_columns(member=[7, 9], period=[dt.date(2024, 1, 1), pendulum.date(2024, 1, 15)])
    assert p.complete.tolist() == [True, True, True]
    assert p.observed_until == pendulum.datetime(2024, 1, 22)
    assert Presence.from_columns(member=[], period=[]).n_periods == 0
    nobody = Presence.from_columns(member=[], period=[], tz="UTC", observed_until=on("2024-01-01"))
    assert (nobody.n_periods, nobody.observed_until_derived) == (0, False)


def test_pairs_of_periods_that_were_not_observed_are_ignored():
    p = Presence.from_columns(
        member=[7, 9], period=days("2024-01-01", "2024-01-15"), tz="UTC", observed_until=on("2024-01-10")
    )
    assert (p.active.tolist(), p.complete.tolist()) == ([1, 0], [True, False])
    assert p.first[1] == NEVER


def test_a_first_period_ever_can_lie_before_the_pairs():
    p = Presence.from_columns(
        member=[7, 7, 9],
        period=days("2024-01-08", "2024-01-15", "2024-01-15"),
        first=days("2023-05-01", "2023-05-01", "2024-01-15"),
    )
    ledger = flow_ledger(p)
    assert (ledger.joined.tolist(), ledger.revived.tolist()) == ([0, 1], [1, 0])


def test_hours_are_given_as_local_times():
    p = Presence.from_columns(
        member=[7, 9],
        period=[dt.datetime.fromisoformat("2024-01-01T10:00"), pendulum.naive(2024, 1, 1, 12)],
        every="hour",
    )
    assert p.active.tolist() == [1, 0, 1]
    same = Presence.from_columns(
        member=[7, 9], period=np.array(["2024-01-01T10", "2024-01-01T12"], "M8[ns]"), every="hour"
    )
    assert same == p


def test_pairs_can_be_counted_in_any_calendar():
    every = Calendar(unit="month", n=2, tz=SHANGHAI, anchor=dt.date(2024, 2, 1))
    p = Presence.from_columns(member=[7], period=days("2024-04-01"), every=every)
    assert p.calendar == every
    with pytest.raises(InvalidValueError, match=r"^period: expected local start dates of periods"):
        Presence.from_columns(member=[7], period=days("2024-03-01"), every=every)


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "error", "text"),
    [
        (
            {"period": days("2024-01-01", "2024-01-07", "2024-01-14")},
            InvalidValueError,
            "expected local start dates of periods (week (Monday), UTC), got '2024-01-07' at row 1 (2 of 3 rows)",
        ),
        (
            {"period": days("2024-01-01")},
            MisalignedError,
            "period: expected as many rows as `member`, which has 3, got 1 rows",
        ),
        (
            {"first": days("2024-01-01")},
            MisalignedError,
            "first: expected as many rows as `member`, which has 3, got 1 rows",
        ),
        (
            {"first": days("2024-01-01", "2024-01-15", "2024-01-08")},
            InvalidValueError,
            "first: expected dates not after those of `period`, got '2024-01-15' at row 1 (1 of 3 rows)",
        ),
        (
            {"period": ["2024-01-01"] * 3},
            InvalidTypeError,
            "period: expected dates (datetime64 or date), the local starts of periods, got '2024-01-01' at row 0",
        ),
        (
            {"period": [dt.date(2024, 1, 1), None, None]},
            InvalidTypeError,
            "period: expected dates (datetime64 or date), the local starts of periods, got None at row 1",
        ),
        ({"period": [20240101] * 3}, InvalidTypeError, "got 20240101 at row 0"),
        ({"period": [on("2024-01-01")] * 3}, InvalidTypeError, "period: expected dates (datetime64 or date)"),
        (
            {"period": days("2024-01-01", "NaT", "2024-01-01")},
            InvalidValueError,
            "period: expected a date in every row, got 'NaT' at row 1 (1 of 3 rows)",
        ),
        (
            {"period": np.array(["2024-01-01T00", "2024-01-01T13", "2024-01-08T00"], "M8[h]")},
            InvalidValueError,
            "period: expected local start dates of periods (week (Monday), UTC), got '2024-01-01T13' at row 1",
        ),
        ({"period": days("2500-01-04")}, InvalidValueError, "period: expected dates in [1900, 2262), got '2500-01-04'"),
        ({"period": days("2024-01-01").reshape(1, 1)}, InvalidTypeError, "period: expected a 1-D column of dates"),
        ({"period": 5}, InvalidTypeError, "period: expected a 1-D column of dates, got 5"),
        (
            {"period": [["2024-01-01"], ["2024-01-01", "2024-01-08"]]},
            InvalidTypeError,
            "period: expected a 1-D column of dates, got [['2024-01-01'], [",
        ),
        (
            {"period": np.ma.masked_array(days(*["2024-01-01"] * 3), mask=[0, 1, 0])},
            InvalidValueError,
            "period: expected a 1-D column of dates without masked entries, got 'a masked one' at row 1",
        ),
        ({"kinds": b"post"}, InvalidTypeError, "kinds: expected kinds of event as str, got b'post'"),
        ({"kinds": []}, InvalidValueError, "kinds: expected at least one kind, got []"),
        ({"member": [7, None, 9]}, InvalidTypeError, "member: expected labels that are all str or all int, got None"),
        (
            {"observed_until": on("2024-02-01")},
            InvalidValueError,
            "tz: expected a time zone, which `observed_until` is judged in, got None",
        ),
    ],
)
def test_columns_that_are_no_pairs_of_member_and_period_are_refused(columns, error, text):
    good = {"member": [7, 7, 9], "period": days("2024-01-01", "2024-01-08", "2024-01-08")}
    with pytest.raises(error) as caught:
        Presence.from_columns(**{**good, **columns})
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"every": None}, InvalidTypeError, "every: expected one of 'hour', 'day', 'week'"),
        ({"every": "fortnight"}, InvalidValueError, "every: expected one of 'hour', 'day', 'week'"),
        ({"tz": None}, InvalidValueError, "tz: expected a time zone such as 'Asia/Shanghai'"),
        ({"tz": "Shanghai"}, UnknownLabelError, "tz: expected an IANA time zone"),
        ({"week_start": "tuesday"}, InvalidValueError, "week_start: expected one of 'monday', 'sunday', got 'tuesday'"),
        ({"kinds": ()}, InvalidValueError, "kinds: expected at least one kind, got ()"),
        ({"unknown_kinds": "shrug"}, InvalidValueError, "unknown_kinds: expected one of 'warn', 'ignore', 'raise'"),
        (
            {"observed_until": dt.datetime.fromisoformat("2024-01-01")},
            InvalidValueError,
            "observed_until: expected an aware datetime",
        ),
    ],
)
def test_an_option_that_cannot_be_used_is_refused(options, error, text):
    with pytest.raises(error) as caught:
        presence(posts(*ROWS), **{"every": "week", "tz": SHANGHAI, **options})
    assert text in str(caught.value)


def test_what_is_no_log_is_refused():
    with pytest.raises(InvalidTypeError, match=r"^log: expected an EventLog, got 3$"):
        presence(3, every="week", tz="UTC")


@pytest.mark.parametrize(
    ("members", "error", "text"),
    [
        ([True], MisalignedError, "members: expected a mask of 3 members, got 1 entries"),
        ([0, 0], InvalidValueError, "members: expected distinct places, got [0, 0]"),
        ([0, 5, 3], InvalidValueError, "members: expected places in [0, 3), got 5 at row 1 (2 of 3 rows)"),
        ([-1], InvalidValueError, "members: expected places in [0, 3), got -1 at row 0 (1 of 1 rows)"),
        ([0.5], InvalidTypeError, "members: expected a 1-D mask or places, got [0.5]"),
        ([[0]], InvalidTypeError, "members: expected a 1-D mask or places, got [[0]]"),
        ([[0], [1, 2]], InvalidTypeError, "members: expected a 1-D mask or places, got [[0], [1, 2]]"),
        (
            np.ma.masked_array([0, 1], mask=[1, 0]),
            InvalidValueError,
            "members: expected a 1-D mask or places without masked entries, got 'a masked one' at row 0",
        ),
        (["ann"], InvalidTypeError, "members: expected a 1-D mask or places, got ['ann']"),
    ],
)
def test_members_are_taken_by_mask_or_place(members, error, text):
    p = weekly(*ROWS)
    assert list(p.take([2, 0]).members) == ["cy", "ann"]
    assert p.take([]).active.tolist() == [0, 0, 0, 0]
    with pytest.raises(error) as caught:
        p.take(members)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("n", "text"),
    [(-1, "a number of periods >= 0, got -1"), *((n, f"an integer, got {n!r}") for n in (True, 1.5, "3"))],
)
def test_a_tail_has_a_whole_number_of_periods(n, text):
    assert weekly(*ROWS).tail(99) == weekly(*ROWS)
    with pytest.raises((InvalidValueError, InvalidTypeError), match=rf"^n: expected {text}$"):
        weekly(*ROWS).tail(n)


@pytest.mark.parametrize(
    ("other", "error", "text"),
    [
        (3, InvalidTypeError, "other: expected a Presence, got 3"),
        (
            presence(posts(*ROWS), every="day", tz=SHANGHAI),
            InvalidValueError,
            "every: expected parts over the same periods (week (Monday), Asia/Shanghai), got 'day, Asia/Shanghai'",
        ),
        (weekly(*ROWS, kinds="post"), InvalidValueError, "kinds: expected parts that count the same kinds (None)"),
        (
            weekly(*ROWS, observed_until=on("2024-03-01")),
            InvalidValueError,
            "give every part the same `observed_until`",
        ),
        (
            presence(EventLog.from_columns(member=[7], kind="post", at=[0], time_unit="s"), every="week", tz=SHANGHAI),
            InvalidTypeError,
            "labels of one type",
        ),
    ],
)
def test_presences_of_different_definitions_do_not_merge(other, error, text):
    with pytest.raises(error) as caught:
        weekly(*ROWS).merge(other)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "state", "error", "text"),
    [
        ({"bits": None}, {}, UnknownLabelError, "columns: expected an entry 'bits', got ['before', 'first', 'member']"),
        ({}, {"kinds": None}, UnknownLabelError, "state: expected an entry 'kinds', got ['calendar'"),
        ({"bits": [1]}, {}, MisalignedError, "bits: expected one entry for each of the 3 members, got 1 entries"),
        ({"first": [1, 2]}, {}, MisalignedError, "first: expected one entry for each of the 3 members, got 2 entries"),
        ({"bits": [1, 900, 1]}, {}, InvalidValueError, "bits: expected bits of the 4 periods, got 900 at row 1"),
        ({"bits": [1.0, 2.0, 3.0]}, {}, InvalidTypeError, "bits: expected a column of integers, got [1.0, 2.0, 3.0]"),
        (
            {"member": ["ann", "ann", "bo"]},
            {},
            InvalidValueError,
            "member: expected each label once, got 'ann' at row 1",
        ),
        ({}, {"n_periods": 65}, InvalidValueError, "n_periods: expected 0 to 64 periods, got 65"),
        (
            {},
            {"first_period": 10**12},
            InvalidValueError,
            "first_period: expected the number of a period, got 10000000",
        ),
        (
            {"bits": np.ma.masked_array([1, 1, 1], mask=[0, 0, 1])},
            {},
            InvalidValueError,
            "bits: expected a column of integers without masked entries, got 'a masked one' at row 2",
        ),
        (
            {"first": [0, NEVER, 0]},
            {},
            InvalidValueError,
            f"first: expected no period later than one in which the member is known to be active, got {NEVER} at row 1",
        ),
        (
            {"first": [-10, 10, -10], "before": [NEVER_BEFORE, 9, NEVER_BEFORE]},
            {},
            InvalidValueError,
            "first: expected no period later than one in which the member is known to be active, got 10 at row 1 (1 of",
        ),
        (
            {"first": [0, 0, -(2**40)]},
            {},
            InvalidValueError,
            f"first: expected numbers of periods, which fit 32 bits with sign, got {-(2**40)} at row 2 (1 of 3 rows)",
        ),
        (
            {"before": [9, 2**31 - 9, 9]},
            {},
            InvalidValueError,
            "before: expected periods before the axis, which begins with 2818, or -2147483648, got 2147483639 at row 1",
        ),
        (
            {"before": [9, 9, 2818]},
            {},
            InvalidValueError,
            "before: expected periods before the axis, which begins with 2818, or -2147483648, got 2818 at row 2 (1 of",
        ),
        (
            {"before": [9, 9, -(2**31) - 1]},
            {},
            InvalidValueError,
            "before: expected numbers of periods, which fit 32 bits with sign, got -2147483649 at row 2 (1 of 3 rows)",
        ),
        ({}, {"calendar": np.array(["week", "day"])}, InvalidValueError, "calendar: expected the periods that were st"),
        (
            {},
            {"calendar": "week (Monday), UTC"},
            InvalidValueError,
            "calendar: expected the periods that were stored (week (Monday), UTC), got 'week (Monday), Asia/Shanghai'",
        ),
    ],
)
def test_what_was_not_stored_so_is_refused(columns, state, error, text):
    p = weekly(*ROWS)
    stored = {name: value for name, value in {**p.to_member_columns(), **columns}.items() if value is not None}
    beside = {**p.to_state(), **state}
    if "kinds" in state:
        del beside["kinds"]
    with pytest.raises(error) as caught:
        Presence.from_state(stored, beside, calendar=p.calendar)
    assert text in str(caught.value)


def test_the_calendar_of_what_was_stored_must_be_one():
    p = weekly(*ROWS)
    with pytest.raises(InvalidTypeError, match=r"^calendar: expected a Calendar, got 'week'$"):
        Presence.from_state(p.to_member_columns(), p.to_state(), calendar="week")


@pytest.mark.parametrize("stored", [None, 5, ["bits"]])
def test_what_was_stored_comes_by_name(stored):
    p = weekly(*ROWS)
    with pytest.raises(InvalidTypeError, match=r"^columns: expected a mapping, or a data frame, got "):
        Presence.from_state(stored, p.to_state(), calendar=p.calendar)
    with pytest.raises(InvalidTypeError, match=r"^state: expected a mapping, or a data frame, got "):
        Presence.from_state(p.to_member_columns(), stored, calendar=p.calendar)


@pytest.mark.parametrize("kinds", ["post", {"post", "like"}, None])
def test_pairs_of_chosen_kinds_merge_with_a_presence_of_these(kinds):
    log = posts(*ROWS)
    whole = presence(
        log, every="week", tz=SHANGHAI, kinds=kinds, unknown_kinds="ignore", observed_until=on("2024-03-01")
    )
    told = Presence.from_columns(
        member=["zed"],
        period=days("2024-01-15"),
        tz=SHANGHAI,
        kinds=kinds,
        observed_until=on("2024-03-01"),
    )
    assert told.kinds == whole.kinds
    both = told.merge(whole)
    assert both.active.sum() == whole.active.sum() + 1
    assert both == whole.merge(told)
    nobody = Presence.from_columns(member=[], period=[], tz=SHANGHAI, kinds=kinds, observed_until=on("2024-03-01"))
    assert nobody.merge(whole) == whole


def test_the_first_day_of_the_week_says_nothing_about_months():
    log = posts(*ROWS)
    assert presence(log, every="month", tz=SHANGHAI, week_start="sunday") == presence(log, every="month", tz=SHANGHAI)
