"""What is drawn is what the result says: artists are read back, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pendulum
import pytest
from numpy.testing import assert_array_equal
from plot_worlds import (
    MONDAY,
    QUIET,
    TZ,
    calendar,
    calibration,
    cohorts,
    curves,
    funnel,
    groups,
    ledger,
    life,
    mondays,
    money,
    movement,
    outcome,
    survival,
)

import shequn as sq
from shequn import plot
from shequn.campaigns import Arm
from shequn.funnel import FunnelResult
from shequn.lifecycle import CommunitySeries, stages
from shequn.retention import CohortTable, FlowLedger, cohort_table, kaplan_meier
from shequn.retention import survival as of_log
from shequn.segmentation import Migration
from shequn.sharding import Shards

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from shequn.content import Schedule

WHITE = (1.0, 1.0, 1.0)


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def ticks(ax: Axes, axis: str) -> list[str]:
    return [label.get_text() for label in getattr(ax, f"get_{axis}ticklabels")()]


def keys(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def is_hollow(patch: Any) -> bool:
    return patch.get_facecolor()[:3] == WHITE and not patch.get_hatch()


# --- ledger ---


def test_inflow_goes_up_evaporation_down_and_the_line_is_who_was_retained():
    found = ledger()
    ax = plot.ledger(found)
    joined, revived, evaporated = (bars.patches for bars in ax.containers)
    assert [bar.get_height() for bar in joined] == found.joined.tolist()
    assert [bar.get_height() for bar in revived] == found.revived.tolist()
    assert [bar.get_y() for bar in revived] == found.joined.tolist()
    assert [bar.get_height() for bar in evaporated] == (-found.evaporated).tolist()
    assert_array_equal(ax.lines[0].get_ydata(), found.retained)
    assert ticks(ax, "x") == ["2024-03-04", "2024-03-11", "2024-03-18", "2024-03-25", "2024-04-01"]


def test_a_period_that_is_not_over_is_hollow_and_the_key_says_so():
    ax = plot.ledger(ledger())
    for bars in ax.containers:
        assert [is_hollow(bar) for bar in bars.patches] == [False] * 4 + [True]
    full, hollow = ax.lines[1:3]
    assert (len(full.get_xdata()), list(hollow.get_xdata())) == (4, [4.0])
    assert hollow.get_markerfacecolor() == "#ffffff"
    assert keys(ax)[-1] == "not observed in full"


def test_a_ledger_of_whole_periods_has_no_key_of_unfinished_ones():
    whole = FlowLedger.from_counts(period=mondays(1), joined=[3], revived=[0], evaporated=[0])
    ax = plot.ledger(whole)
    assert keys(ax) == ["joined", "came back", "evaporated", "retained"]
    assert ticks(ax, "x") == ["2024-03-04"]


def test_a_ledger_of_many_periods_names_as_many_as_there_is_room_for():
    n = 200
    counts = np.full(n, 5)
    long = FlowLedger.from_counts(period=mondays(n), joined=counts, revived=counts * 0, evaporated=counts * 0)
    ax = plot.ledger(long)
    names = ticks(ax, "x")
    assert 3 <= len(names) <= 10
    assert names[0] == "2024-03-04"


def test_numbers_of_members_are_written_in_full_however_many_they_are():
    n = 20_000_000
    large = FlowLedger.from_counts(period=mondays(3), joined=[n] * 3, revived=[0] * 3, evaporated=[0, 0, n])
    ax = plot.ledger(large)
    ax.figure.draw_without_rendering()
    assert ax.yaxis.get_offset_text().get_text() == ""
    assert {"\N{MINUS SIGN}8,000,000", "0", "8,000,000"} <= set(ticks(ax, "y"))


def test_few_members_are_counted_in_whole_numbers():
    pair = sq.InteractionGraph.from_ties([0], [1])
    ax = plot.groups(Shards.of(pair, [0, 0], sizes=(2, 2)))
    assert 2.0 in ax.get_xticks()
    assert all(float(place).is_integer() for place in ax.get_xticks())


@pytest.mark.parametrize(
    ("every", "first", "name"),
    [
        ("month", "2024-03-01", "2024-03"),
        ("quarter", "2024-04-01", "2024-Q2"),
        ("year", "2024-01-01", "2024"),
        ("day", "2024-03-05", "2024-03-05"),
    ],
)
def test_a_period_is_named_as_its_unit_is(every, first, name):
    one = FlowLedger.from_counts(period=[pendulum.parse(first).date()], joined=[1], revived=[0], evaporated=[0],
                                 every=every, tz=TZ)  # fmt: skip
    assert ticks(plot.ledger(one), "x") == [name]


def test_an_hour_is_named_by_day_and_clock():
    log = sq.EventLog.from_columns(member=["a"], kind="post", at=[MONDAY.add(hours=8)])
    hourly = sq.retention.flow_ledger(log, every="hour", tz=TZ)
    assert ticks(plot.ledger(hourly), "x") == ["03-04 08:00"]


# --- cohorts and retention ---


def test_cells_that_nobody_was_eligible_for_are_blank():
    found = cohorts()
    ax = plot.cohorts(found)
    drawn = ax.images[0].get_array()
    assert_array_equal(np.ma.getmaskarray(drawn), found.eligible == 0)
    assert_array_equal(drawn.filled(np.nan), found.rates)
    assert texts(ax) == ["100", "50", "25", "15", "100", "40", "20", "100"]
    assert ticks(ax, "y") == ["2024-03-04 (40)", "2024-03-11 (25)", "2024-03-18 (0)", "2024-03-25 (8)"]


def test_the_scale_of_a_heat_map_ends_at_the_highest_share_after_the_start():
    ax = plot.cohorts(cohorts())
    assert ax.images[0].get_clim() == (0.0, 0.5)


def test_a_heat_map_of_one_column_or_of_nobody_who_came_back_ends_at_everybody():
    one = CohortTable.from_counts(cohort=mondays(1), sizes=[4], returned=[[4]])
    assert plot.cohorts(one).images[0].get_clim() == (0.0, 1.0)
    nobody = CohortTable.from_counts(cohort=mondays(2), sizes=[4, 2], returned=[[4, 0], [2, 0]])
    assert plot.cohorts(nobody).images[0].get_clim() == (0.0, 1.0)


def test_a_large_heat_map_has_no_numbers():
    n = 20
    full = CohortTable.from_counts(
        cohort=mondays(n), sizes=[9] * n, returned=np.full((n, n), 3) + 6 * (np.arange(n) == 0),
        tz=TZ,
        observed_until=MONDAY.add(years=5),
    )  # fmt: skip
    assert texts(plot.cohorts(full)) == []


@pytest.mark.parametrize("shape", [(200, 100), (41, 1), (1, 41)])
def test_a_large_heat_map_has_neither_numbers_nor_lines_between_its_cells(shape):
    rows = shape[0]
    full = CohortTable.from_counts(cohort=mondays(rows), sizes=[9] * rows, returned=np.full(shape, 9), tz=TZ,
                                   observed_until=MONDAY.add(years=9))  # fmt: skip
    ax = plot.cohorts(full)
    assert texts(ax) == []
    assert (len(ax.get_xticks(minor=True)), len(ax.get_yticks(minor=True))) == (0, 0)
    assert len(plot.cohorts(cohorts()).get_xticks(minor=True)) == 5


@pytest.mark.parametrize(
    ("most", "number", "on_the_bar"),
    [(1_000, "10", "10%"), (990, "9.9", "8.0%"), (90, "0.90", "0.80%"), (9, "0.090", "0.080%")],
)
def test_low_shares_have_decimals(most, number, on_the_bar):
    low = CohortTable.from_counts(
        cohort=mondays(2), sizes=[10_000] * 2, returned=[[10_000, most], [10_000, 0]], tz=TZ,
        observed_until=MONDAY.add(weeks=4),
    )  # fmt: skip
    ax = plot.cohorts(low)
    ax.figure.draw_without_rendering()
    assert texts(ax)[:2] == ["100", number]
    (bar,) = [other for other in ax.figure.axes if other is not ax]
    assert on_the_bar in ticks(bar, "y")


def test_a_retention_curve_has_the_rates_and_their_band():
    curve = curves()["silver"]
    ax = plot.retention(curve)
    assert_array_equal(ax.lines[0].get_ydata(), curve.rates)
    band = ax.collections[0].get_paths()[0].vertices
    assert {curve.lower[1], curve.upper[1]} <= set(band[:, 1].tolist())
    assert np.isfinite(band).all()
    assert texts(ax) == ["100.0%", "44.4%", "33.3%"]
    assert ticks(ax, "x") == ["0", "1", "2–3", "4"]


def test_curves_of_segments_have_a_key_each_and_a_table_tells_the_unit():
    ax = plot.retention({"early": cohorts(), "late": cohorts()})
    assert keys(ax) == ["early", "late"]
    assert ax.get_xlabel() == "weeks since the first"
    assert plot.retention(cohorts(), lang="en").lines[0].get_ydata().tolist() == cohorts().mean_curve().rates.tolist()


def test_a_segment_without_a_name_has_a_key_as_well():
    ax = plot.retention({None: cohorts(), "a": cohorts()})
    assert keys(ax) == ["None", "a"]
    ax = plot.survival({None: kaplan_meier([1, 2]), "a": kaplan_meier([2])})
    assert keys(ax) == ["None (n = 2)", "a (n = 1)"]
    assert keys(plot.retention(cohorts())) == keys(plot.survival(kaplan_meier([1, 2]))) == []


def test_a_breakdown_is_drawn_segment_by_segment():
    log = sq.EventLog.from_columns(
        member=["a", "b", "a", "b"], kind="post", at=[0, 0, 8, 9], time_unit="s", group=["x", "y", "x", "y"]
    )
    ax = plot.retention(cohort_table(log, every="week", tz="UTC", by="group"))
    assert keys(ax) == ["x", "y"]
    ax = plot.survival(of_log(log, idle_after=pendulum.duration(seconds=2), by="group", unit="second"))
    assert keys(ax) == ["x (n = 1)", "y (n = 1)"]


# --- survival ---


def test_a_survival_curve_steps_down_from_one_and_ticks_where_somebody_was_lost_from_sight():
    curve = survival()["asked"]
    ax = plot.survival(curve)
    steps, lost = ax.lines
    assert steps.get_drawstyle() == "steps-post"
    assert_array_equal(steps.get_xdata(), [0, *curve.times])
    assert_array_equal(steps.get_ydata(), [1, *curve.survival])
    assert list(lost.get_xdata()) == [4, 9]
    assert list(lost.get_ydata()) == curve.at([4, 9]).tolist()
    (band,) = ax.collections
    corners = set(map(tuple, band.get_paths()[0].vertices.tolist()))
    assert (curve.times[1], curve.lower[0]) in corners  # it steps where the curve does
    assert (curve.times[0], curve.lower[1]) not in corners


def test_the_band_goes_as_far_as_it_is_known_where_nobody_is_left():
    curve = kaplan_meier([3, 5, 200], unit="day")
    assert np.isnan(curve.upper[-1])
    (band,) = plot.survival(curve).collections
    (path,) = band.get_paths()
    corners = set(map(tuple, path.vertices.tolist()))
    assert {(200.0, curve.lower[1]), (200.0, curve.upper[1])} <= corners
    assert np.isfinite(path.vertices).all()


def test_times_without_a_unit_are_just_times():
    assert plot.survival(kaplan_meier([1, 2])).get_xlabel() == "time"


# --- funnel ---


def test_a_funnel_has_the_share_of_entrants_at_each_step_with_whiskers_and_the_numbers_beside_it():
    found = funnel()
    ax = plot.funnel(found)
    assert [bar.get_width() for bar in ax.patches[:4]] == found.overall_rates.tolist()
    ends = found.overall_intervals()
    whiskers = ax.collections[0].get_segments()
    assert np.allclose([[w[0][0], w[1][0]] for w in whiskers], np.stack([ends.lower, ends.upper], axis=1)[1:])
    assert texts(ax)[1:] == ["200", "120\n60.0% (53.1% to 66.5%)", "30\n25.0% (18.1% to 33.4%)",
                             "24\n20.0% (13.8% to 28.0%)"]  # fmt: skip
    assert [bar.get_hatch() for bar in ax.patches[:4]] == [None, None, "////", None]
    assert keys(ax) == ["may be skipped"]


def test_a_funnel_that_nobody_entered_has_no_length_and_says_so():
    ax = plot.funnel(FunnelResult.from_counts(steps=["join", "post"], reached=[0, 0]))
    assert [bar.get_width() for bar in ax.patches] == [0.0, 0.0]
    assert texts(ax)[-1] == "no data"
    assert "0\n–" in texts(ax)


def test_a_funnel_of_more_steps_than_there_is_room_for_leaves_the_numbers_out():
    n = 60
    ax = plot.funnel(FunnelResult.from_counts(steps=[f"s{k}" for k in range(n)], reached=range(n, 0, -1)))
    assert texts(ax) == []
    assert 20 <= len(ticks(ax, "y")) <= 50
    assert ticks(ax, "y")[0] == "s0"
    assert len(ax.patches) == n


# --- movement ---


def band_widths(ax: Axes) -> list[int]:
    return [round(patch.get_path().vertices[7, 1] - patch.get_path().vertices[0, 1]) for patch in ax.patches]


def test_bands_are_as_wide_as_members_are_many_and_fill_their_segments():
    found = movement()
    ax = plot.movement(found)
    assert sorted(band_widths(ax)) == sorted(n for n in found.moves.ravel().tolist() if n)
    assert texts(ax) == [
        "(not there yet) 17", "basic 82", "silver 42", "gold 15",
        "(no longer there) 13", "basic 83", "silver 43", "gold 17",
    ]  # fmt: skip
    for x, line in zip((0, 1), (ax.lines[:4], ax.lines[4:]), strict=True):
        assert all(list(node.get_xdata()) == [x, x] for node in line)
    assert keys(ax) == ["stayed", "moved up", "moved down", "came or went"]


def test_who_moves_up_goes_up():
    ax = plot.movement(Migration.from_counts(segments=["low", "high"], counts=[[0, 7], [0, 0]], ordered=True))
    (node_low, node_high) = ax.lines
    (band,) = ax.patches
    assert list(node_low.get_ydata()) == [0, 7]
    vertices = band.get_path().vertices
    assert (vertices[0, 1], vertices[3, 1]) == (node_low.get_ydata()[0], node_high.get_ydata()[0])
    assert keys(ax) == ["moved up"]


def test_segments_without_an_order_have_the_first_on_top_and_no_up_and_down():
    ax = plot.movement(Migration.from_counts(segments=["first", "second"], counts=[[1, 7], [2, 3]]))
    assert texts(ax)[:2] == ["second 5", "first 8"]
    assert keys(ax) == ["stayed", "moved"]


def test_more_segments_than_can_be_read_are_refused():
    n = 20
    ax = plot.movement(Migration.from_counts(segments=range(n), counts=np.ones((n, n), int)))
    assert len(texts(ax)) == 2 * n
    with pytest.raises(
        sq.InvalidValueError, match="result: expected at most 20 segments, as many as can be read, got 21"
    ):
        plot.movement(Migration.from_counts(segments=range(n + 1), counts=np.ones((n + 1, n + 1), int)))


# --- groups ---


def test_groups_stand_at_their_size_and_what_they_keep():
    found = groups()
    ax = plot.groups(found)
    columns = found.to_columns()
    fine, _, short, kept = ax.lines
    assert_array_equal(fine.get_xdata(), columns["size"][:2])
    assert_array_equal(fine.get_ydata(), columns["kept"][:2])
    assert (list(short.get_xdata()), list(short.get_ydata())) == ([3], [columns["kept"][2]])
    assert set(kept.get_ydata()) == {found.kept}
    assert texts(ax) == ["0", "1", "2", "3"]
    assert keys(ax) == [
        "a group",
        "a group short of leaders",
        "a group without ties",
        "sizes asked for, 2 to 3",
        "all groups together, 88.0%",
    ]


def test_groups_without_ties_are_hollow_at_the_bottom():
    graph = sq.InteractionGraph.from_ties([0], [1], n_members=9)
    leaders = np.isin(np.arange(9), [0, 2, 4])
    found = Shards.of(graph, [0, 0, 1, 1, 2, 2, 3, 3, 3], sizes=(2, 3), leaders=leaders, min_leaders=1)
    ax = plot.groups(found)
    tied, apart, short, _ = ax.lines
    assert (list(tied.get_xdata()), list(tied.get_ydata())) == ([2], [1])
    assert (list(apart.get_xdata()), list(apart.get_ydata())) == ([2, 2], [0, 0])
    assert (list(short.get_xdata()), list(short.get_ydata())) == ([3], [0])
    assert [marks.get_markerfacecolor() == "#ffffff" for marks in (tied, apart, short)] == [False, True, True]
    assert (apart.get_marker(), short.get_marker()) == (tied.get_marker(), "X")
    assert texts(ax) == ["0", "1, 2", "3"]
    assert keys(ax)[:3] == ["a group", "a group short of leaders", "a group without ties"]
    assert keys(plot.groups(found, lang="zh"))[2] == "没有任何联系的群"


# --- stages ---


def test_a_spell_is_a_bar_in_the_row_of_its_stage():
    found = life()
    ax = plot.stages(found)
    bars = [bars.patches[0] for bars in ax.containers]
    assert [(bar.get_x() + 0.5, bar.get_width(), round(bar.get_y() + 0.3)) for bar in bars[:-1]] == [
        (spell.row, spell.n_periods, spell.stage.rank) for spell in found.spells
    ]
    assert texts(ax) == [str(spell.n_periods) for spell in found.spells]
    last = bars[-1]
    assert (last.get_x(), last.get_width(), is_hollow(last)) == (11.5, 1, True)


# --- calibration ---


def test_what_was_foreseen_stands_beside_what_happened():
    found = calibration()
    ax = plot.calibration(found)
    columns = found.to_columns()
    assert_array_equal(ax.lines[0].get_ydata(), columns["foreseen"])
    assert_array_equal(ax.lines[1].get_ydata(), columns["actual"])
    whiskers = [segment[:, 1] for segment in ax.collections[0].get_segments() if len(segment)]
    assert np.allclose(whiskers[1], [columns["lower"][1], columns["upper"][1]])
    assert np.ptp(whiskers[-1]) == 0  # of one member there is no interval
    assert ticks(ax, "x") == ["0\n(90)", "1\n(20)", "2\n(10)", "3\n(0)", "4+\n(1)"]


# --- calendar ---


def test_a_post_stands_at_its_day_and_hour():
    plan = calendar()
    ax = plot.calendar(plan)
    drawn = sorted((y, x) for line in ax.lines if line.get_marker() != "None"
                   for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True))  # fmt: skip
    first = plan.at[0].date()
    assert drawn == [((at.date() - first).days, at.hour + at.minute / 60) for at in plan.at]
    assert keys(ax) == ["informational", "entertainment", "interactive", "educational"]


def quiet_hours(ax: Axes) -> list[tuple[int, float, float]]:
    bars = [bar for bars in ax.containers for bar in bars.patches]
    return sorted((round(bar.get_y() + 0.5), bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars)


def test_quiet_hours_are_shaded_to_the_minute():
    ax = plot.calendar(calendar(), quiet=QUIET)
    shaded = quiet_hours(ax)
    assert shaded[:3] == [(0, 0.0, 7.5), (0, 9.0, 18.0), (0, 22.5, 24.0)]
    assert [row for row in shaded if row[0] == 5] == [(5, 0.0, 7.5), (5, 22.5, 24.0)]  # on Saturday nobody works
    assert keys(ax)[-1] == "quiet hours"


def test_quiet_hours_follow_the_clock_over_a_change_of_it():
    zone = "America/New_York"
    sunday = pendulum.datetime(2024, 3, 10, tz=zone)
    night = sq.DailyWindow(start="22:00", end="06:00", tz=zone)
    items = [sq.ContentItem(id="tea", kind="educational", created=sunday)]
    window = sq.Window(sunday, sunday.add(days=1))
    ax = plot.calendar(sq.content.schedule(items, window=window, tz=zone, times=["12:00"]), quiet=night)
    drawn = np.array(quiet_hours(ax))
    assert drawn[:, 1].min() == 0
    is_shaded = [bool(((drawn[:, 1] <= hour) & (hour < drawn[:, 2])).any()) for hour in (1, 4, 5.9, 6.1, 21.9, 22.1)]
    assert is_shaded == [True, True, True, False, False, True]


def test_a_calendar_of_more_than_four_hundred_days_is_refused():
    plan = calendar()
    at_us = plan.at_us + np.where(np.arange(len(plan)) == len(plan) - 1, 500 * 86_400_000_000, 0)
    with pytest.raises(sq.InvalidValueError, match=r"result: expected posts within 400 days, got '506 days'"):
        plot.calendar(attrs.evolve(plan, at_us=at_us))


# --- uplift ---


def test_differences_stand_at_their_value_with_their_interval():
    found = outcome()
    ax = plot.uplift(found)
    marked = ax.lines[-1]
    assert list(marked.get_xdata()) == [found.difference("participated").value, found.uplift.value]
    whiskers = [segment[:, 0] for segment in ax.collections[0].get_segments()]
    assert np.allclose(whiskers[1], found.uplift[1:])
    assert texts(ax) == ["17.9% (2.7% to 32.1%)", "20.0% (5.2% to 33.4%)"]


def test_money_stands_in_major_units():
    found = outcome(held_out=Arm(members=80, participated=20, converted=48, **money(100)))
    ax = plot.uplift(found, figures="money")
    assert ax.get_xlabel() == "difference in revenue a member (CNY); whiskers: 95%"
    assert ax.lines[-1].get_xdata()[0] == pytest.approx(found.revenue_uplift.value / 100)
    assert texts(ax)[0].startswith("+42.50 (")


def test_a_campaign_that_is_not_over_is_hollow():
    ax = plot.uplift(outcome(as_of=MONDAY.add(days=3)))
    assert ax.lines[-1].get_markerfacecolor() == "#ffffff"
    assert ax.get_title(loc="left").endswith("not over yet")


def test_without_anything_to_compare_with_there_are_no_markers():
    ax = plot.uplift(outcome(held_out=None))
    assert texts(ax) == ["70 treated, nothing to compare with"]
    assert len(ax.lines) == 1
    assert texts(plot.uplift(outcome(treated=Arm(members=5), held_out=None), figures="money")) == ["no data"]


# --- nothing ---

NOBODY: dict[str, Any] = {
    "ledger": lambda: plot.ledger(sq.retention.flow_ledger(EMPTY, every="week", tz=TZ)),
    "cohorts": lambda: plot.cohorts(cohort_table(EMPTY, every="week", tz=TZ)),
    "retention": lambda: plot.retention(cohort_table(EMPTY, every="week", tz=TZ)),
    "retention of no segment": lambda: plot.retention({}),
    "survival": lambda: plot.survival(kaplan_meier([])),
    "survival of no segment": lambda: plot.survival({}),
    "movement": lambda: plot.movement(Migration.from_counts(segments=["a"], counts=[[0]])),
    "movement of no segment": lambda: plot.movement(Migration.from_counts(segments=[], counts=np.zeros((0, 0), int))),
    "groups": lambda: plot.groups(
        Shards.of(sq.InteractionGraph.from_ties([], [], n_members=0), np.zeros(0, int), sizes=(1, 2))
    ),
    "stages": lambda: plot.stages(stages(CommunitySeries(members=[], active=[], messages=[]))),
    "calibration": lambda: plot.calibration(attrs.evolve(calibration(), members=[], purchases=[], foreseen=[],
                                                         squares=[])),
    "calendar": lambda: plot.calendar(EMPTY_PLAN, quiet=QUIET),
}  # fmt: skip
EMPTY = sq.EventLog.from_columns(member=[], kind=[], at=np.zeros(0, dtype=np.int64), time_unit="s")
EMPTY_PLAN: Schedule = sq.content.schedule([], window=sq.Window(MONDAY, MONDAY.add(days=1)), tz=TZ, times=["08:00"])


@pytest.mark.parametrize("draw", NOBODY.values(), ids=NOBODY)
def test_of_nobody_a_figure_is_drawn_that_says_so(draw):
    ax = draw()
    assert texts(ax)[-1] in {"no data", "no posts"}
    ax.figure.draw_without_rendering()
