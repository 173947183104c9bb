"""Everybody can read a figure: in both languages, without colours, and inside somebody else's page."""

from __future__ import annotations

import gc
import subprocess
import sys
import warnings
from itertools import combinations
from typing import Any

import attrs
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from plot_worlds import FIGURES, MONDAY, TZ, cohorts, curves, funnel, ledger, mondays, outcome, survival

import shequn as sq
from shequn import plot
from shequn.plot import texts
from shequn.plot.palette import SHADES, lines, luminance
from shequn.retention import kaplan_meier
from shequn.segmentation import Migration

APART = 0.15  # in grey, of the way from black to white
each_figure = pytest.mark.parametrize("name", FIGURES)


def drawn(name: str, **options: Any) -> Any:
    """Draw a figure, whatever fonts there are on this machine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", plot.MissingFontWarning)
        return FIGURES[name](**options)


def words(ax: Any) -> list[str]:
    return [ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel()]


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in text)


# --- languages ---


@each_figure
def test_a_figure_has_a_title_and_says_what_its_axes_measure(name):
    for lang in ("en", "zh"):
        title, x, y = words(drawn(name, lang=lang))
        assert title
        assert y
        assert x or name == "movement"  # whose axis has two places, both named


@each_figure
def test_in_english_no_word_of_the_library_is_chinese_and_in_chinese_each_sentence_is(name):
    assert not any(map(is_chinese, words(drawn(name, lang="en"))))
    assert all(map(is_chinese, filter(None, words(drawn(name, lang="zh")))))


@each_figure
def test_the_key_is_in_the_language_too(name):
    names = {text for ax in (drawn(name), drawn(name, lang="zh")) if ax.get_legend()
             for text in [t.get_text() for t in ax.get_legend().get_texts()]}  # fmt: skip
    of_the_data = {"silver", r"gold \$5\$", "asked (n = 6)", "silent (n = 6)"}
    assert sum(map(is_chinese, names - of_the_data)) * 2 == len(names - of_the_data)


@each_figure
def test_there_is_no_third_language(name):
    with pytest.raises(sq.InvalidValueError, match=r"lang: expected one of 'en', 'zh', got 'fr'"):
        FIGURES[name](lang="fr")


# --- fonts ---


@pytest.fixture
def chinese_font(monkeypatch: pytest.MonkeyPatch) -> str:
    """Let a font that every matplotlib brings along pass for one that has the characters."""
    monkeypatch.setattr(texts, "_SAMPLE", "A")
    return "DejaVu Serif"


def families(ax: Any) -> set[tuple[str, ...]]:
    found = [*ax.get_xticklabels(), *ax.get_yticklabels(), ax.title, ax.xaxis.label, *ax.texts]
    return {tuple(text.get_fontfamily()) for text in found if text.get_text()}


def test_a_font_that_the_caller_has_set_is_kept(chinese_font):
    with mpl.rc_context({"font.family": [chinese_font]}):
        assert families(plot.ledger(ledger(), lang="zh")) == {(chinese_font,)}


def test_a_font_of_a_generic_family_is_looked_through(chinese_font):
    with mpl.rc_context({"font.family": ["sans-serif"], "font.sans-serif": ["No such font", chinese_font]}):
        assert families(plot.funnel(funnel(), lang="zh")) == {(chinese_font, "sans-serif")}


def test_a_font_that_is_known_to_have_the_characters_is_found(monkeypatch, chinese_font):
    monkeypatch.setattr(texts, "_CHINESE_FONTS", ("No such font", chinese_font))
    with mpl.rc_context({"font.family": ["No such font"]}):
        assert families(plot.ledger(ledger(), lang="zh")) == {(chinese_font, "No such font")}


def test_without_a_font_there_is_one_clear_warning_where_the_figure_was_asked_for(monkeypatch):
    monkeypatch.setattr(texts, "_CHINESE_FONTS", ())
    with pytest.warns(plot.MissingFontWarning, match="no font with Chinese characters was found.*fonts-noto-cjk"):
        plot.ledger(ledger(), lang="zh")
    assert issubclass(plot.MissingFontWarning, sq.ShequnWarning)


def test_chinese_labels_ask_for_a_font_in_english_too(monkeypatch):
    monkeypatch.setattr(texts, "_CHINESE_FONTS", ())
    with pytest.warns(plot.MissingFontWarning):
        plot.movement(Migration.from_counts(segments=["银卡"], counts=[[3]]))
    with pytest.warns(plot.MissingFontWarning):
        plot.funnel(sq.funnel.FunnelResult.from_counts(steps=["入群"], reached=[3]))


def test_a_font_that_cannot_be_read_is_none(monkeypatch):
    def broken(_: object) -> None:
        raise OSError

    monkeypatch.setattr(font_manager, "get_font", broken)
    with pytest.warns(plot.MissingFontWarning):
        plot.ledger(ledger(), lang="zh")


# --- without colours ---


def look_in_grey(key: Any) -> tuple[float, Any]:
    """How light a key is, and by what shape it is told."""
    if isinstance(key, Patch):
        shape = (key.get_hatch() or "", str(key.get_linestyle()))
        return luminance(to_rgb(key.get_facecolor())), ("area", shape)
    assert isinstance(key, Line2D)
    return luminance(to_rgb(key.get_color())), ("line", key.get_marker(), str(key.get_linestyle()))


@each_figure
def test_what_a_key_tells_apart_differs_in_grey_or_in_shape(name):
    legend = drawn(name).get_legend()
    seen = [look_in_grey(key) for key in (legend.legend_handles if legend else [])]
    for (light, shape), (other_light, other_shape) in combinations(seen, 2):
        assert shape != other_shape or abs(light - other_light) >= APART


def test_no_two_of_seven_lines_have_the_same_marker_or_the_same_dashes():
    found = lines(7, "curves")
    assert len({line.marker for line in found}) == len({str(line.dashes) for line in found}) == 7
    assert len({line.color for line in found}) == 7


def test_a_heat_map_gets_darker_and_its_lightest_shade_is_no_paper():
    light = [luminance(to_rgb(shade)) for shade in SHADES]
    assert light == sorted(light, reverse=True)
    assert light[0] < 0.92
    assert light[0] - light[-1] > 0.6


def test_numbers_in_a_heat_map_stand_out_from_their_cell():
    ax = FIGURES["cohorts"]()
    (image,) = ax.images
    for text in ax.texts:
        column, row = text.get_position()
        cell = luminance(image.to_rgba(np.array([[image.get_array()[row, column]]]))[0, 0])
        assert abs(cell - luminance(to_rgb(text.get_color()))) > 0.35


# --- in somebody else's page ---


@each_figure
def test_axes_that_are_given_are_drawn_on_and_returned(name):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert drawn(name, ax=left) is left
    assert words(left)[0]
    assert not right.has_data()
    figure.draw_without_rendering()


@each_figure
def test_nothing_global_is_changed(name):
    before = dict(mpl.rcParams)
    ax = drawn(name, lang="zh")
    assert dict(mpl.rcParams) == before
    assert ax.figure.canvas.manager is None  # no window, and none in the list of pyplot


def test_pyplot_stays_out_of_it():
    code = (
        "from plot_worlds import FIGURES; import sys; FIGURES['ledger'](); sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    folder = str(__file__).rpartition("/")[0]
    assert subprocess.run([sys.executable, "-c", code], cwd=folder, check=False).returncode == 0


def test_a_figure_that_nobody_holds_is_gone():
    gc.collect()
    before = sum(isinstance(thing, Figure) for thing in gc.get_objects())
    plot.ledger(ledger())
    gc.collect()
    assert sum(isinstance(thing, Figure) for thing in gc.get_objects()) == before


@each_figure
def test_something_that_is_no_axes_is_refused(name):
    with pytest.raises(sq.InvalidTypeError, match="ax: expected matplotlib Axes, or None for a new figure, got 'here'"):
        FIGURES[name](ax="here")


@each_figure
def test_axes_without_a_straight_x_and_y_are_refused(name):
    for kind in ("polar", "hammer"):
        ax = Figure().add_subplot(projection=kind)
        with pytest.raises(
            sq.InvalidValueError, match=f"ax: expected axes with an x and a y at right angles, got '{kind}'"
        ):
            FIGURES[name](ax=ax)


# --- labels of the data ---


def test_labels_are_text_and_no_mathematics_and_do_not_vanish():
    ax = plot.survival({"_hidden": kaplan_meier([1, 2]), "$x^2$\n!": kaplan_meier([2, 3])})
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [" _hidden (n = 2)", r"\$x^2\$ ! (n = 2)"]
    ax.figure.draw_without_rendering()
    long = plot.funnel(sq.funnel.FunnelResult.from_counts(steps=["a" * 99], reached=[1]))
    assert long.get_yticklabels()[0].get_text() == "a" * 27 + "…"


def test_long_labels_are_cut_where_they_get_wide():
    assert texts.plain("很长的步骤名称" * 9) == "很长的步骤名称很长的步骤名…"
    assert texts.plain("$" * 40) == r"\$" * 27 + "…"
    assert texts.plain("a" * 28) == "a" * 28


@pytest.mark.parametrize(
    ("lang", "options", "title"),
    [
        ("en", {}, "Outcome of 中秋节抽奖与老带新活动二零…: 70 treated against 80 held out"),
        ("zh", {}, "活动效果 中秋节抽奖与老带新活动二零…：触达 70 人，对照 80 人"),
        ("en", {"as_of": MONDAY.add(days=3)},
         "Outcome of 中秋节抽奖与老带新活动二零…\n70 treated against 80 held out, not over yet"),
    ],
)  # fmt: skip
def test_a_title_that_is_too_long_for_one_line_takes_two(lang, options, title):
    found = outcome(**options)
    ax = plot.uplift(
        attrs.evolve(found, campaign=attrs.evolve(found.campaign, id="中秋节抽奖与老带新活动二零" * 3)), lang=lang
    )
    assert ax.get_title(loc="left") == title
    ax.figure.draw_without_rendering()
    assert ax.get_tightbbox().x1 <= ax.figure.bbox.x1


# --- what can't be drawn ---

WRONG: dict[str, Any] = {
    "ledger": (plot.ledger, "a FlowLedger, such as a part of a breakdown"),
    "cohorts": (plot.cohorts, "a CohortTable, such as a part of a breakdown"),
    "retention": (plot.retention, "a CohortTable, a ReturnCurve, or a mapping"),
    "survival": (plot.survival, "a SurvivalCurve, or a mapping"),
    "funnel": (plot.funnel, "a FunnelResult, such as a part of a breakdown"),
    "movement": (plot.movement, "a Migration"),
    "groups": (plot.groups, "Shards"),
    "stages": (plot.stages, "Stages"),
    "calibration": (plot.calibration, "a HoldoutCheck"),
    "calendar": (plot.calendar, "a Schedule"),
    "uplift": (plot.uplift, "an Outcome"),
}


@pytest.mark.parametrize(("draw", "expected"), WRONG.values(), ids=WRONG)
def test_another_result_is_refused(draw, expected):
    with pytest.raises(sq.InvalidTypeError, match=f"result: expected {expected}"):
        draw([1, 2, 3])


def test_curves_that_do_not_go_together_are_refused():
    with pytest.raises(sq.InvalidTypeError, match=r"result\['b'\]: expected a CohortTable"):
        plot.retention({"a": curves()["silver"], "b": 3})
    other = sq.retention.ReturnCurve(offsets=((0, 0),), returned=[1], eligible=[1])
    with pytest.raises(sq.InvalidValueError, match=r"result\['b'\]: expected the offsets of the first"):
        plot.retention({"a": curves()["silver"], "b": other})
    daily = sq.retention.CohortTable.from_counts(
        cohort=mondays(4)[0] + np.arange(4), sizes=[9] * 4, returned=np.full((4, 4), 9), every="day"
    )  # fmt: skip
    weekly = cohorts()
    with pytest.raises(sq.InvalidValueError, match=r"result\['b'\]: expected weeks, as the first has, got 'days'"):
        plot.retention({"a": weekly, "b": daily})
    pair = attrs.evolve(daily, calendar=sq.Calendar(unit="day", n=2, anchor=MONDAY.date(), tz=TZ))
    with pytest.raises(sq.InvalidValueError, match=r"result\['b'\]: expected days, as the first has, got '2 days'"):
        plot.retention({"a": daily, "b": pair})
    with pytest.raises(sq.InvalidValueError, match=r"result\['b'\]: expected times in days, as the first has"):
        plot.survival({"a": survival()["asked"], "b": kaplan_meier([1], unit="hour")})
    with pytest.raises(sq.InvalidTypeError, match=r"result\['b'\]: expected a SurvivalCurve"):
        plot.survival({"a": survival()["asked"], "b": 1})
    with pytest.raises(sq.InvalidValueError, match="result: expected at most 7, as many as can be told apart, got 8"):
        plot.survival({str(n): kaplan_meier([1, 2]) for n in range(8)})


def test_figures_of_a_campaign_are_shares_or_money():
    with pytest.raises(sq.InvalidValueError, match="figures: expected one of 'shares', 'money', got 'both'"):
        FIGURES["uplift"](figures="both")


def test_without_matplotlib_an_error_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    with pytest.raises(sq.MissingExtraError, match=r"pip install 'shequn\[plot\]'") as caught:
        plot.ledger(ledger())
    assert isinstance(caught.value, ImportError)
