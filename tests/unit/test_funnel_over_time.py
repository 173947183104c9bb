"""Times to each step, trends and curves: merging, segments, tables, and what a caller may get wrong."""

from __future__ import annotations

import pickle

import attrs
import numpy as np
import pendulum
import pytest
from pendulum import duration

import shequn as sq
from shequn.errors import InvalidTypeError, InvalidValueError, MisalignedError, UnknownLabelError
from shequn.funnel import conversion_curve, correlate, time_to_convert, trend

DAY = 86_400
WEEK = duration(days=7)
FUNNEL = sq.Funnel(steps=("join", "post"), within=WEEK)
OTHER = sq.Funnel(steps=("join", "post"), within=duration(days=1))
UNTIL = pendulum.datetime(1970, 2, 1)


def log_of(*rows, **columns):
    member, kind, day = zip(*rows, strict=True)
    at = [int(each * DAY) for each in day]
    return sq.EventLog.from_columns(member=member, kind=kind, at=at, time_unit="s", **columns)


@pytest.fixture
def log():
    return log_of(
        ("ann", "join", 0),
        ("ann", "post", 2),
        ("bo", "join", 1),
        ("cy", "join", 9),
        ("cy", "post", 9.5),
        ("cy", "join", 16),
        ("di", "join", 29),
        ("di", "like", 29),
    )


def weekly(log, **options):
    return trend(log, FUNNEL, every="week", tz="UTC", **options)


# ── trend ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_member_counts_once_in_each_period_they_entered_in(log):
    found = weekly(log, observed_until=UNTIL)
    assert found.periods.astype(str).tolist()[:3] == ["1969-12-29", "1970-01-05", "1970-01-12"]
    assert found.entered.tolist() == [2, 1, 1, 0, 1]
    assert found.completed.tolist() == [1, 1, 0, 0, 0]
    assert found.complete.tolist() == [True, True, True, False, False]
    assert found.rates.tolist()[:3] == [0.5, 1.0, 0.0]
    assert np.isnan(found.rates[3:]).all()
    assert np.isnan(found.intervals().lower[4])


def test_a_period_is_complete_when_its_last_window_is_over():
    log = log_of(("ann", "join", 0), ("ann", "post", 1))
    end_of_week = pendulum.datetime(1970, 1, 5)
    assert weekly(log, observed_until=end_of_week.add(days=7)).complete.tolist() == [True]
    assert weekly(log, observed_until=end_of_week.add(days=7, microseconds=-1)).complete.tolist() == [False]


def test_without_an_end_of_observation_it_is_that_of_the_data(log):
    found = weekly(log)
    assert found.horizon.is_derived
    assert found.complete.tolist() == [True, True, True, False, False]


@pytest.mark.parametrize("options", [{}, {"observed_until": UNTIL}])
def test_trends_of_parts_merge_to_the_whole(log, options):
    parts = [weekly(part, **options, unknown_kinds="ignore") for part in log.partition(3)]
    merged = parts[2].merge(parts[0]).merge(parts[1])
    whole = weekly(log, **options)
    assert merged == whole
    assert merged.last().entered == whole.last().entered == 1
    assert pickle.loads(pickle.dumps(whole)) == whole  # noqa: S301


def test_parts_long_after_1970_merge_onto_an_axis_of_no_more_than_their_periods():
    first, second = (log_of((who, "join", day), (who, "post", day)) for who, day in (("ann", 20_000), ("bo", 20_016)))
    merged = weekly(first).merge(weekly(second))
    assert merged.reached.tolist() == [[1, 1], [0, 0], [1, 1]]
    assert merged.tainted.tolist() == [0, 0, 0]


def test_the_trend_of_nobody_is_the_identity(log):
    nobody = weekly(sq.EventLog.empty())
    assert nobody.n_periods == 0
    assert nobody.complete.tolist() == []
    assert nobody.merge(nobody) == nobody
    assert weekly(log).merge(nobody) == weekly(log)
    assert len(weekly(log_of(("ann", "post", 0)), unknown_kinds="ignore").entered) == 0


def test_optional_steps_are_counted_by_the_witness_in_a_trend(log):
    funnel = sq.Funnel(steps=("join", "like", "post"), within=WEEK, optional=["like"])
    found = trend(log, funnel, every="month", tz="UTC", observed_until=UNTIL)
    assert found.reached.tolist() == [[4, 1, 2]]


def test_trends_of_other_questions_do_not_merge(log):
    with pytest.raises(InvalidValueError, match=r"^funnel: expected the same in both parts"):
        weekly(log).merge(trend(log, OTHER, every="week", tz="UTC"))
    with pytest.raises(InvalidValueError, match=r"^calendar: expected the same in both parts"):
        weekly(log).merge(trend(log, FUNNEL, every="day", tz="UTC"))
    with pytest.raises(InvalidTypeError, match=r"^other: expected a FunnelTrend, got 5"):
        weekly(log).merge(5)


def test_a_trend_speaks_chinese_and_tells_its_size(log):
    header = weekly(log).table(lang="zh").splitlines()[0].split()
    assert header == ["周期", "进入", "完成", "转化率", "下限", "上限", "完整"]
    assert repr(weekly(log)) == "FunnelTrend(5 periods, week (Monday), UTC, join → post)"


# ── time to convert ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_times_are_told_in_the_unit_a_reader_would_use():
    rows = [(f"u{n}", "join", 0) for n in range(4)]
    rows += [("u0", "post", 30 / DAY), ("u1", "post", 600 / DAY), ("u2", "post", 0.5), ("u3", "post", 3)]
    found = time_to_convert(log_of(*rows), FUNNEL)
    [*_, way] = found.table().splitlines()
    assert way.split() == ["(whole", "way)", "4", "30", "s", "10.0", "min", "–", "–", "12.0", "h", "3.0", "d"]
    assert found.table(lang="zh").splitlines()[-1].split()[:4] == ["（全程）", "4", "30", "秒"]
    assert found.to_columns()["p90"].tolist() == [72, 72]
    assert found.last().step is None
    assert repr(found) == "TimeToConvert(join → post, 4 members went the whole way)"


def test_in_any_order_a_member_has_a_witness_for_each_value_they_entered_with():
    log = log_of(
        ("ann", "post", 0), ("ann", "join", 1), ("ann", "join", 10), ("ann", "post", 13), group=["g1", "g1", "g2", "g2"]
    )
    funnel = sq.Funnel(steps=("join", "post"), within=WEEK, order="any")
    found = time_to_convert(log, funnel, by="group")
    days = {value: (times.duration_us // (DAY * 10**6)).tolist() for value, times in found.items()}
    assert days == {"g1": [1, 1], "g2": [3, 3]}  # from the first row to the second, and over the whole way


def test_nobody_took_any_time():
    found = time_to_convert(sq.EventLog.empty(), FUNNEL)
    assert found.n_members() == 0
    assert found.quantile(0.5) is None
    assert found.interval(0.5) == (None, None)
    assert found._emptied() == found


def test_times_of_other_questions_do_not_merge(log):
    found = time_to_convert(log, FUNNEL)
    with pytest.raises(InvalidValueError, match=r"^funnel: expected the same in both parts"):
        found.merge(time_to_convert(log, OTHER))
    with pytest.raises(InvalidValueError, match=r"^bin_us: expected the same in both parts"):
        found.merge(time_to_convert(log, FUNNEL, bins=duration(hours=1)))
    with pytest.raises(InvalidTypeError, match=r"^other: expected a TimeToConvert, got 5"):
        found.merge(5)
    with pytest.raises(InvalidValueError, match=r"^step: expected a step after the first"):
        found.quantile(0.5, step="join")
    with pytest.raises(InvalidValueError, match=r"^bins: expected a duration longer than 0"):
        time_to_convert(log, FUNNEL, bins=duration(0))


# ── segment by segment ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def by_channel():
    """Ann comes by an ad and again by a friend, bo by a friend, and cy by nothing that is known."""
    rows = [
        ("ann", "join", 0, "ad"),
        ("ann", "post", 2, None),
        ("ann", "join", 10, "friend"),
        ("ann", "post", 11, None),
        ("bo", "join", 1, "friend"),
        ("cy", "join", 9, None),
        ("cy", "post", 12, None),
    ]
    return sq.EventLog.from_columns(
        member=[row[0] for row in rows],
        kind=[row[1] for row in rows],
        at=[row[2] * DAY for row in rows],
        time_unit="s",
        extra={"channel": [row[3] for row in rows]},
    )


def test_times_by_a_column_are_of_the_ways_that_begin_with_each_value(by_channel):
    found = time_to_convert(by_channel, FUNNEL, by="channel")
    assert {label: part.duration_us.tolist() for label, part in found.items()} == {
        "ad": [2 * DAY * 10**6] * 2,
        "friend": [DAY * 10**6] * 2,
    }
    assert found.unassigned.quantile(0.5) == duration(days=3)
    assert found.total == time_to_convert(by_channel, FUNNEL)
    assert found.overlap.tolist() == [1, 1]  # ann went two ways


def test_a_trend_by_a_column_has_one_axis(by_channel):
    found = weekly(by_channel, by="channel", observed_until=UNTIL)
    assert {label: part.reached.tolist() for label, part in found.items()} == {
        "ad": [[1, 1], [0, 0]],
        "friend": [[1, 0], [1, 1]],
    }
    assert found.unassigned.reached.tolist() == [[0, 0], [1, 1]]
    assert found.total == weekly(by_channel, observed_until=UNTIL)
    assert {part.first_period for part in found.values()} == {found.total.first_period}


@pytest.mark.parametrize("strategy", [weekly, lambda log, **by: time_to_convert(log, FUNNEL, **by)])
def test_segments_are_told_as_in_convert(log, strategy):
    by = sq.Assignment.from_mapping({"ann": "a", "bo": "a", "cy": "b", "di": "b"})
    assert list(strategy(log, by=by)) == ["a", "b"]
    assert strategy(log, by=by).unassigned is None
    early = strategy(log, by=by, observed_until=pendulum.datetime(1970, 1, 4))
    assert [part._headcount().sum() for part in early.values()] == [early.total._headcount().sum(), 0]
    assert list(strategy(sq.EventLog.empty(), by={"ann": "a"})) == ["a"]
    # Who comes later in time, and is left out, may come first in the log.
    log = log_of(("zed", "join", 20), ("ann", "join", 0), ("ann", "post", 1))
    early = strategy(log, by={"zed": "z", "ann": "a"}, observed_until=pendulum.datetime(1970, 1, 4))
    assert {label: bool(part._headcount().any()) for label, part in early.items()} == {"z": False, "a": True}
    with pytest.raises(UnknownLabelError, match=r"^by: .*'gruop'"):
        strategy(log, by="gruop")
    with pytest.raises(
        InvalidTypeError, match=r"^by: expected an Assignment, a mapping or the name of a column, got 5"
    ):
        strategy(log, by=5)
    with pytest.raises(MisalignedError, match=r"^by: "):
        strategy(log, by=sq.Assignment.from_mapping({"zed": "a"}))


# ── conversion curve ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_those_still_on_their_way_are_censored(log):
    curve = conversion_curve(log, FUNNEL, observed_until=UNTIL)
    assert curve.n_members == 4
    assert curve.survival.events.sum() == 2
    assert curve.converted_at(duration(days=1)) == 0.25
    assert curve.quantile(0.25).in_hours() == 12
    assert curve.quantile(0.9) is None
    assert repr(curve) == "ConversionCurve(join → post, 4 members)"


@pytest.mark.parametrize("reuse", ["allow", "once"])
def test_a_way_within_the_first_instant_of_a_log_takes_no_time(reuse):
    ways = sq.EventLog.from_columns(
        member=["ann", "ann", "bo", "bo"], kind=["join", "post"] * 2, at=[0, 0, 0, 1], time_unit="us"
    )
    funnel = sq.Funnel(steps=("join", "post"), within=duration(hours=1), order="any", reuse=reuse)
    curve = conversion_curve(ways, funnel, observed_until=UNTIL)
    assert curve.survival.times.tolist() == [0, 1]
    assert curve.survival.events.tolist() == [1, 1]


def test_segments_of_a_curve_add_up(log):
    by = {"ann": "a", "bo": "a", "cy": "b"}
    found = conversion_curve(log, FUNNEL, by=by, observed_until=UNTIL)
    assert {label: part.n_members for label, part in found.items()} == {"a": 2, "b": 1}
    assert found.unassigned.n_members == 1
    assert found["a"].merge(found["b"]).merge(found.unassigned) == found.total
    assert found["a"].merge(found["a"]._emptied()) == found["a"]
    early = conversion_curve(log, FUNNEL, by=by, observed_until=pendulum.datetime(1970, 1, 4))
    assert {label: part.n_members for label, part in early.items()} == {"a": 2, "b": 0}


def test_curves_of_parts_merge_to_the_whole(log):
    parts = [conversion_curve(p, FUNNEL, observed_until=UNTIL, unknown_kinds="ignore") for p in log.partition(3)]
    assert parts[1].merge(parts[2]).merge(parts[0]) == conversion_curve(log, FUNNEL, observed_until=UNTIL)
    nobody = conversion_curve(sq.EventLog.empty(), FUNNEL, observed_until=UNTIL)
    assert nobody.n_members == 0


def test_whoever_takes_all_steps_that_may_not_be_skipped_has_converted(log):
    funnel = sq.Funnel(steps=("join", "like", "post"), within=WEEK, optional=["like"])
    curve = conversion_curve(log, funnel, observed_until=UNTIL)
    assert curve == attrs.evolve(conversion_curve(log, FUNNEL, observed_until=UNTIL), funnel=funnel)
    assert curve.last().converted == 0.5


def test_a_curve_shows_an_even_grid_and_gives_every_time(log):
    curve = conversion_curve(log, FUNNEL, observed_until=UNTIL)
    assert len(curve.table(lang="zh").splitlines()) == 15
    columns = curve.to_columns()
    assert columns["elapsed_hours"].tolist() == [12, 48, 168]
    assert columns["at_risk"].tolist() == [4, 3, 1]
    assert (columns["lower"] <= columns["converted"]).all()
    assert curve.last().converted == 0.5


def test_a_curve_needs_an_end_of_observation_and_the_same_question(log):
    with pytest.raises(InvalidTypeError, match=r"^observed_until: expected an aware datetime"):
        conversion_curve(log, FUNNEL)
    curve = conversion_curve(log, FUNNEL, observed_until=UNTIL)
    with pytest.raises(InvalidValueError, match=r"^funnel: expected the same in both parts"):
        curve.merge(conversion_curve(log, OTHER, observed_until=UNTIL))
    with pytest.raises(InvalidTypeError, match=r"^other: expected a ConversionCurve, got 5"):
        curve.merge(5)


# ── correlates ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_odds_are_told_to_two_digits_and_chances_to_four():
    # Of 3 who like, 2 post; of 7 who don't, 3: odds of 2 and of 3/4.
    likers = [(who, "like", 0) for who in ("a0", "a1", "a2")]
    joined = [(who, "join", 1) for who in ("a0", "a1", "a2", *(f"b{each}" for each in range(7)))]
    posters = [(who, "post", 2) for who in ("a0", "a1", "b0", "b1", "b2")]
    found = correlate(log_of(*joined, *likers, *posters), FUNNEL)
    assert found.odds().estimate.tolist() == pytest.approx([8 / 3])
    row = str(found).splitlines()[2].split()
    assert row[:5] == ["like", "3", "66.7%", "42.9%", "2.67"]
    assert [len(cell.partition(".")[2]) for cell in row[5:]] == [2, 2, 4, 4]


def test_correlates_of_other_questions_do_not_merge(log):
    found = correlate(log, FUNNEL)
    assert repr(found) == "Correlates('post' taken by 2 of 4, 1 kinds)"
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301
    assert found.merge(found._emptied()) == found
    assert correlate(sq.EventLog.empty(), FUNNEL).members == 0
    with pytest.raises(InvalidValueError, match=r"^lookback_us: expected the same in both parts"):
        found.merge(correlate(log, FUNNEL, lookback=duration(days=1)))
    with pytest.raises(InvalidTypeError, match=r"^other: expected a Correlates, got 5"):
        found.merge(5)
