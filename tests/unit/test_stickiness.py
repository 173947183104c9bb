"""On how many days a member comes (L-ness), and what share of a month's members comes on an average day (DAU/MAU)."""

from __future__ import annotations

import datetime as dt
import pickle

import numpy as np
import pendulum
import pytest

from shequn.columns import EventLog
from shequn.errors import InvalidTypeError, InvalidValueError, UnknownKindWarning
from shequn.retention import Presence, active_days, presence, stickiness
from shequn.values import Calendar

FEBRUARY_OVER = pendulum.datetime(2024, 3, 1)


def log_of(*rows: tuple[str, str], kind: str = "post", tz: str = "UTC") -> EventLog:
    members, at = zip(*rows, strict=True)
    return EventLog.from_columns(member=list(members), kind=kind, at=np.array(at, dtype="M8[s]"), at_tz=tz)


def days_of(**days: list[str]) -> Presence:
    """Return a presence by days from the days of each member."""
    pairs = [(member, day) for member, own in days.items() for day in own]
    return Presence.from_columns(
        member=[member for member, _ in pairs],
        period=np.array([day for _, day in pairs], dtype="M8[D]"),
        every="day",
    )


def empty_log() -> EventLog:
    return EventLog.from_columns(member=[], kind=[], at=[], time_unit="s")


# --- stickiness ---


def test_stickiness_is_mean_daily_over_monthly_active_members():
    # 29 days; ann comes on 20 of them, bo on 9, cy on 0 of February.
    log = log_of(
        *(("ann", f"2024-02-{day:02}") for day in range(1, 21)),
        *(("bo", f"2024-02-{day:02}") for day in range(21, 30)),
    )
    february = stickiness(log, tz="UTC", observed_until=FEBRUARY_OVER).last()
    assert (february.period, february.active, february.active_days, february.n_days) == (
        pendulum.date(2024, 2, 1),
        2,
        29,
        29,
    )
    assert february.mean_daily == 1.0
    assert february.days_per_member == 14.5
    assert february.stickiness == 0.5
    assert february.complete


def test_many_posts_on_one_day_are_one_active_day():
    log = log_of(("ann", "2024-02-01T08"), ("ann", "2024-02-01T09"), ("ann", "2024-02-01T23:59:59"))
    assert stickiness(log, tz="UTC").active_days.tolist() == [1]


def test_members_who_come_every_day_stick_wholly():
    p = days_of(ann=[f"2024-02-{day:02}" for day in range(1, 30)])
    assert stickiness(p).stickiness.tolist() == [1.0]


def test_a_day_is_local():
    log = log_of(("ann", "2024-01-31T15:59:59"), ("ann", "2024-01-31T16:00:00"))
    shanghai = stickiness(log, tz="Asia/Shanghai")
    assert shanghai.periods.tolist() == [dt.date(2024, 1, 1), dt.date(2024, 2, 1)]
    assert shanghai.active_days.tolist() == [1, 1]
    assert stickiness(log, tz="UTC").active_days.tolist() == [1]


@pytest.mark.parametrize(
    ("week_start", "weeks"),
    [("monday", {dt.date(2024, 1, 1): 2, dt.date(2024, 1, 8): 1}), ("sunday", {dt.date(2024, 1, 7): 3})],
)
def test_a_week_begins_on_monday_or_sunday(week_start, weeks):
    p = days_of(ann=["2024-01-07", "2024-01-08"], bo=["2024-01-07"])
    result = stickiness(p, per="week", week_start=week_start)
    assert dict(zip(result.periods.tolist(), result.active_days.tolist(), strict=True)) == weeks
    assert result.n_days.tolist() == [7] * len(weeks)


def test_week_start_says_nothing_about_months():
    p = days_of(ann=["2024-01-07"])
    assert stickiness(p, per="month", week_start="sunday") == stickiness(p, per="month")


@pytest.mark.parametrize(
    ("per", "start", "n_days"),
    [("month", (2024, 2, 1), 29), ("quarter", (2024, 1, 1), 91), ("year", (2024, 1, 1), 366)],
)
def test_longer_periods_have_the_days_of_the_calendar(per, start, n_days):
    result = stickiness(days_of(ann=["2024-02-10", "2024-02-11"]), per=per)
    assert result.periods.tolist() == [dt.date(*start)]
    assert result.n_days.tolist() == [n_days]
    assert result.active_days.tolist() == [2]


def test_a_date_that_a_zone_left_out_is_no_day():
    log = log_of(("ann", "2011-12-10"))
    until = pendulum.datetime(2012, 1, 1, tz="Pacific/Apia")
    assert stickiness(log, tz="Pacific/Apia", observed_until=until).n_days.tolist() == [30]
    assert stickiness(log, tz="UTC", observed_until=until.add(days=2)).n_days[0] == 31


def test_a_month_not_observed_to_its_end_has_counts_and_no_rates():
    log = log_of(("ann", "2024-02-01"), ("ann", "2024-03-02"), ("bo", "2024-03-03"))
    result = stickiness(log, tz="UTC")
    assert result.complete.tolist() == [True, False]
    assert result.active.tolist() == [1, 2]
    for rates in (result.mean_daily, result.days_per_member, result.stickiness):
        assert np.isnan(rates).tolist() == [False, True]


def test_a_month_is_observed_with_the_last_instant_of_its_zone():
    log = log_of(("ann", "2024-02-01T12"))
    over = pendulum.datetime(2024, 3, 1, tz="Asia/Shanghai")
    assert stickiness(log, tz="Asia/Shanghai", observed_until=over).complete.tolist() == [True]
    assert stickiness(log, tz="Asia/Shanghai", observed_until=over.subtract(seconds=1)).complete.tolist() == [False]


def test_a_month_without_anybody_has_no_stickiness():
    p = days_of(ann=["2024-01-31", "2024-03-31"])
    result = stickiness(p)
    assert result.active.tolist() == [1, 0, 1]
    assert result.mean_daily[1] == 0.0
    assert np.isnan(result.stickiness[1])
    assert np.isnan(result.days_per_member[1])


def test_a_month_that_a_presence_was_cut_in_is_not_complete():
    p = days_of(ann=["2024-01-05", "2024-01-20", "2024-02-01"], bo=["2024-02-29"])
    whole, cut = stickiness(p), stickiness(p.tail(41))  # 41 days: from 20 January on
    assert whole.complete.tolist() == [True, True]
    assert cut.complete.tolist() == [False, True]
    assert next(cut.rows()).active_days == 1
    assert cut.last() == whole.last()
    assert stickiness(p.tail(29)).complete.tolist() == [True]


def test_the_month_in_which_a_log_begins_counts_all_its_days():
    assert stickiness(days_of(ann=["2024-01-31"])).n_days.tolist() == [31]


def test_other_kinds_can_be_the_activity():
    log = EventLog.from_columns(member=["a", "a"], kind=["read", "post"], at=[0, 86_400], time_unit="s")
    assert stickiness(log, tz="UTC", kinds={"read"}).active_days.tolist() == [1]
    assert active_days(log, last=1, tz="UTC", kinds="read").n_members.tolist() == [0, 1]


def test_a_kind_that_nobody_knows_is_told():
    log = log_of(("ann", "2024-02-01"), ("ann", "2024-02-03"))
    for measure in (stickiness, active_days):
        with pytest.warns(UnknownKindWarning, match="'pots'"):
            measure(log, tz="UTC", kinds={"post", "pots"})
        measure(log, tz="UTC", kinds={"post", "pots"}, unknown_kinds="ignore")


def test_an_empty_log_has_no_periods():
    result = stickiness(empty_log(), tz="UTC")
    assert {name: (len(column), column.dtype.kind) for name, column in result.to_columns().items()} == {
        "period": (0, "M"),
        "active": (0, "i"),
        "active_days": (0, "i"),
        "n_days": (0, "i"),
        "mean_daily": (0, "f"),
        "days_per_member": (0, "f"),
        "stickiness": (0, "f"),
        "complete": (0, "b"),
    }
    assert "(no rows)" in str(result)


def test_members_who_are_never_active_make_no_period():
    log = log_of(("ann", "2024-02-01"), kind="receive")
    assert len(stickiness(log, tz="UTC", observed_until=FEBRUARY_OVER).periods) == 0


def test_stickiness_prints_in_both_languages():
    p = days_of(ann=["2024-02-01", "2024-02-02"])
    assert str(stickiness(p)).splitlines()[0].split() == (
        ["period", "active", "active", "days", "days", "mean", "daily", "days/member", "stickiness", "complete"]
    )
    assert stickiness(p).table(lang="zh").splitlines()[0].split() == (
        ["周期", "活跃成员", "活跃人天", "天数", "日均活跃", "人均天数", "粘性", "完整"]
    )
    assert repr(stickiness(p)) == "Stickiness(1 periods, month, UTC)"


@pytest.mark.parametrize("measure", [stickiness, active_days])
def test_results_survive_a_pickle_and_cannot_be_written_to(measure):
    result = measure(days_of(ann=["2024-02-01", "2024-02-02"]))
    again = pickle.loads(pickle.dumps(result))  # noqa: S301
    assert again == result
    assert not any(column.flags.writeable for column in again.to_columns().values())


@pytest.mark.parametrize("per", ["day", "hour", "mouth"])
def test_days_are_shorter_than_what_they_are_counted_in(per):
    match = f"^per: expected one of 'week', 'month', 'quarter', 'year', got '{per}'"
    with pytest.raises(InvalidValueError, match=match):
        stickiness(days_of(ann=["2024-02-01"]), per=per)


def test_a_misspelt_period_is_recognised():
    with pytest.raises(InvalidValueError, match=r"; did you mean 'month'\?$"):
        stickiness(days_of(ann=["2024-02-01"]), per="mouth")


def test_a_period_is_a_word():
    with pytest.raises(InvalidTypeError, match=r"^per: expected one of 'week', .* got 30$"):
        stickiness(days_of(ann=["2024-02-01"]), per=30)


@pytest.mark.parametrize(
    "calendar", [Calendar(unit="week", tz="UTC"), Calendar(unit="day", tz="UTC", n=2), Calendar(unit="hour", tz="UTC")]
)
def test_stickiness_is_read_from_days(calendar):
    p = presence(log_of(("ann", "2024-02-01")), every=calendar)
    with pytest.raises(InvalidValueError, match=rf"^data: expected a presence by single days, got '.*{calendar.unit}"):
        stickiness(p)


# --- what both refuse ---


@pytest.mark.parametrize("measure", [stickiness, active_days])
@pytest.mark.parametrize(
    ("option", "match"),
    [
        (
            {"kinds": {"post"}},
            r"^kinds: expected None beside a presence, .*: pass the log to change it, got \{'post'\}$",
        ),
        ({"observed_until": FEBRUARY_OVER}, "^observed_until: expected None beside a presence"),
        ({"tz": "Asia/Shanghai"}, "^tz: expected None or 'UTC', .* got 'Asia/Shanghai'$"),
    ],
)
def test_a_presence_brings_its_own_options(measure, option, match):
    with pytest.raises(InvalidValueError, match=match):
        measure(days_of(ann=["2024-02-01"]), **option)


@pytest.mark.parametrize("measure", [stickiness, active_days])
def test_a_presence_may_be_given_its_own_zone(measure):
    p = days_of(ann=["2024-02-01"])
    assert measure(p, tz="UTC") == measure(p)


@pytest.mark.parametrize("measure", [stickiness, active_days])
def test_other_data_is_refused(measure):
    with pytest.raises(InvalidTypeError, match=r"^data: expected an EventLog or a Presence, got \[1, 2\]$"):
        measure([1, 2])


@pytest.mark.parametrize("measure", [stickiness, active_days])
def test_a_log_needs_a_zone(measure):
    with pytest.raises(InvalidValueError, match=r"^tz: expected a time zone"):
        measure(log_of(("ann", "2024-02-01")))


# --- active days ---


def test_members_are_counted_by_their_active_days():
    p = days_of(
        ann=["2024-02-01", "2024-02-02", "2024-02-03"],
        bo=["2024-02-03"],
        cy=["2024-02-02", "2024-02-03"],
        di=["2024-02-01"],
    )
    result = active_days(p, last=3)
    assert result.n_members.tolist() == [0, 2, 1, 1]
    assert result.days.tolist() == [0, 1, 2, 3]
    assert result.at_least.tolist() == [4, 4, 2, 1]
    assert result.share[1:].tolist() == [0.5, 0.25, 0.25]
    assert np.isnan(result.share[0])
    assert (result.n_days, result.active) == (3, 4)
    assert result.mean_days == 7 / 4
    assert result.stickiness == pytest.approx(7 / 12)


def test_its_stickiness_is_mean_daily_over_all_active_members():
    p = days_of(ann=["2024-02-01", "2024-02-03"], bo=["2024-02-03"], cy=["2024-02-02"])
    result = active_days(p, last=3)
    assert result.stickiness == pytest.approx(p.active.mean() / result.active)


def test_over_a_whole_month_both_readings_agree():
    p = days_of(ann=["2024-01-20", "2024-02-01", "2024-02-29"], bo=["2024-02-07"], cy=["2024-01-20"])
    month, window = stickiness(p), active_days(p, last=29)
    assert window.stickiness == pytest.approx(month.stickiness[-1])
    assert window.mean_days == month.days_per_member[-1]
    assert window.active == month.active[-1]


def test_who_stayed_away_had_come_before():
    p = days_of(ann=["2024-02-01"], bo=["2024-02-03"])
    assert active_days(p, last=1).n_members.tolist() == [1, 1]
    log = EventLog.from_columns(
        member=["ann", "bo", "never"],
        kind=["post", "post", "receive"],
        at=np.array(["2024-02-01", "2024-02-03", "2024-02-03"], dtype="M8[D]"),
        at_tz="UTC",
    )
    until = pendulum.datetime(2024, 2, 4)
    assert active_days(log, last=1, tz="UTC", observed_until=until).n_members.tolist() == [1, 1]


def test_the_window_ends_with_the_last_whole_day():
    log = log_of(("ann", "2024-02-01T10"), ("bo", "2024-02-02T10"), ("cy", "2024-02-03T10"))
    result = active_days(log, last=2, tz="UTC")
    assert (result.start, result.end) == (pendulum.date(2024, 2, 1), pendulum.date(2024, 2, 2))
    assert result.n_members.tolist() == [0, 2, 0]  # cy came on a day that is not over, and counts nowhere


def test_whole_days_after_the_last_post_are_days_of_silence():
    log = log_of(("ann", "2024-02-01T10"))
    result = active_days(log, last=2, tz="UTC", observed_until=pendulum.datetime(2024, 2, 9, 15))
    assert result.end == pendulum.date(2024, 2, 8)
    assert result.n_members.tolist() == [1, 0, 0]
    assert result.active == 0
    assert np.isnan(result.share).all()
    assert np.isnan(result.mean_days)
    assert np.isnan(result.stickiness)
    assert "Mean" not in str(result)


def test_the_window_may_be_longer_than_the_log():
    result = active_days(days_of(ann=["2024-02-01", "2024-02-02"]), last=28)
    assert result.n_members.tolist() == [0, 0, 1] + [0] * 26
    assert result.start == pendulum.date(2024, 1, 6)
    assert result.stickiness == pytest.approx(2 / 28)


def test_the_default_is_l28():
    assert active_days(days_of(ann=["2024-02-01"])).n_days == 28


def test_the_window_cannot_reach_behind_a_cut():
    p = days_of(ann=["2024-02-01", "2024-02-05"])
    assert active_days(p, last=9).n_members[2] == 1
    assert active_days(p.tail(3), last=3) == active_days(p, last=3)
    with pytest.raises(
        InvalidValueError, match=r"^last: expected at most 3, since the presence was cut before those, got 4$"
    ):
        active_days(p.tail(3), last=4)


def test_the_window_cannot_reach_back_to_the_middle_ages():
    p = presence(log_of(("ann", "2024-02-01")), every="year", tz="UTC", observed_until=pendulum.datetime(2026, 1, 1))
    assert active_days(p, last=326).start == pendulum.date(1700, 1, 1)
    with pytest.raises(InvalidValueError, match=r"^last: expected at most 326, which reach back to 1700, got 327$"):
        active_days(p, last=327)


def test_weeks_can_be_counted_as_days_are():
    p = presence(
        log_of(("ann", "2024-01-01"), ("ann", "2024-01-10"), ("bo", "2024-01-09")),
        every="week",
        tz="UTC",
        observed_until=pendulum.datetime(2024, 1, 17),
    )
    result = active_days(p, last=2)
    assert result.n_members.tolist() == [0, 1, 1]
    assert (result.start, result.end) == (pendulum.date(2024, 1, 1), pendulum.date(2024, 1, 8))
    assert "active weeks" in str(result)
    assert "活跃周数" in result.table(lang="zh")


def test_hours_can_be_counted_as_days_are():
    log = log_of(("ann", "2024-01-01T10:30"), ("ann", "2024-01-01T11:30"), ("bo", "2024-01-01T12:30"))
    result = active_days(presence(log, every="hour", tz="UTC"), last=2)
    assert result.n_members.tolist() == [0, 0, 1]
    assert str(result).splitlines()[0] == "2024-01-01 10:00 – 2024-01-01 11:00"


def test_periods_of_several_units_have_no_name():
    p = presence(log_of(("ann", "2024-01-01")), every=Calendar(unit="day", tz="UTC", n=3))
    with pytest.raises(InvalidValueError, match=r"^observed_until: expected .* at least one whole day"):
        active_days(p)
    p = presence(log_of(("ann", "2024-01-01"), ("bo", "2024-02-01")), every=Calendar(unit="day", tz="UTC", n=3))
    assert "active periods" in str(active_days(p))
    assert "活跃周期数" in active_days(p).table(lang="zh")


def test_active_days_print_in_both_languages():
    result = active_days(days_of(ann=["2024-02-01", "2024-02-02"], bo=["2024-02-02"]), last=2)
    assert result.table(lang="zh").splitlines() == [
        "2024-02-01 – 2024-02-02",
        "活跃天数  成员   占比  至少",
        "───────────────────────────",
        "       0     0      –     2",
        "       1     1  50.0%     2",
        "       2     1  50.0%     1",
        "活跃成员平均 1.50；粘性 75.0%。",
    ]
    assert repr(result) == "ActiveDays(2024-02-01 – 2024-02-02, 2 active members)"


def test_rows_of_active_days_are_records():
    row = active_days(days_of(ann=["2024-02-01"]), last=1).last()
    assert (row.days, row.n_members, row.share, row.at_least) == (1, 1, 1.0, 1)


@pytest.mark.parametrize(
    "log", [empty_log(), log_of(("ann", "2024-02-01"), kind="receive")], ids=["no rows", "no activity"]
)
def test_nobody_has_no_active_days(log):
    result = active_days(log, last=3, tz="UTC")
    assert result.n_members.tolist() == [0, 0, 0, 0]
    assert result.n_members.dtype == np.int64
    assert (result.start, result.end) == (None, None)
    assert repr(result) == "ActiveDays(empty, 0 active members)"
    assert str(result).startswith("active days")
    assert pickle.loads(pickle.dumps(result)) == result  # noqa: S301


def test_one_day_that_is_not_over_is_refused():
    match = r"^observed_until: expected an end .* after at least one whole day, got '2024-02-01 10:00:01\+00:00'$"
    with pytest.raises(InvalidValueError, match=match):
        active_days(log_of(("ann", "2024-02-01T10")), tz="UTC")


@pytest.mark.parametrize("last", [0, -1, 3_661])
def test_a_window_has_a_length(last):
    with pytest.raises(InvalidValueError, match=rf"^last: expected a number of days in \[1, 3,660\], got {last}$"):
        active_days(days_of(ann=["2024-02-01"]), last=last)


@pytest.mark.parametrize("last", [True, 28.0, "28", None])
def test_a_length_is_an_integer(last):
    with pytest.raises(InvalidTypeError, match=f"^last: expected an integer, got {last!r}$"):
        active_days(days_of(ann=["2024-02-01"]), last=last)


def test_a_length_may_be_numpys():
    assert active_days(days_of(ann=["2024-02-01"]), last=np.array([2])[0]).n_days == 2
