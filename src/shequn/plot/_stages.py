"""Through which stages did the community live?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.lifecycle import LifecycleStage, Stages
from shequn.plot.canvas import HOLLOW, axes_of, finish, name_places, nothing_to_show
from shequn.plot.palette import BLUE, GREY, INK, ORANGE, SKY, VERMILION
from shequn.plot.texts import checked_lang, period_names
from shequn.stats._checks import instance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from shequn.columns.table import Lang

__all__ = ["stages"]

_WORDS = {
    "en": {"title": "The stages of a community's life; numbers: periods", "x": "period", "y": "stage"},
    "zh": {"title": "社群生命周期的各阶段；数字为周期数", "x": "周期", "y": "阶段"},
}
_BARS: dict[LifecycleStage, dict[str, Any]] = {
    LifecycleStage.GERMINATION: {"facecolor": SKY, "hatch": ""},
    LifecycleStage.RAPID_GROWTH: {"facecolor": ORANGE, "hatch": ""},
    LifecycleStage.ACTIVE_INTERACTION: {"facecolor": BLUE, "hatch": ""},
    LifecycleStage.DECLINE: {"facecolor": VERMILION, "hatch": "////"},
    LifecycleStage.DORMANCY: {"facecolor": GREY, "hatch": "...."},
}


def stages(result: Stages, /, *, ax: Axes | None = None, lang: Lang = "en") -> Axes:
    """Draw the timeline of stages, one row a stage, with the number of periods spent in each spell.

    Periods that were not observed in full, and so not judged, are hollow.

    Parameters
    ----------
    result : Stages
    ax : matplotlib Axes, optional
        Where to draw; by default on a new figure, which is ``ax.figure`` of what is returned.
    lang : {"en", "zh"}

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    InvalidTypeError, InvalidValueError
        An argument can't be used.

    Examples
    --------
    >>> from shequn.lifecycle import CommunitySeries
    >>> from shequn.lifecycle import stages as judged
    >>> series = CommunitySeries(members=[90] * 6, active=[60, 55, 50, 45, 40, 35], messages=[180] * 6)
    >>> ax = stages(judged(series))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['germination', 'rapid growth', 'active interaction', 'decline', 'dormancy']
    """
    instance("result", result, Stages, expected="Stages")
    words = _WORDS[checked_lang(lang)]
    canvas = axes_of(ax, size=(7.2, 3.2))
    order = list(LifecycleStage)
    spells = result.spells
    for before, spell in zip((None, *spells), spells, strict=False):
        at = spell.row - 0.5
        if before is not None:
            canvas.plot([at, at], [before.stage.rank, spell.stage.rank], color=INK, linewidth=1.0, zorder=1)
        canvas.barh(
            spell.stage.rank, spell.n_periods, 0.6, left=at, edgecolor=INK, linewidth=0.8, zorder=2,
            **_BARS[spell.stage],
        )  # fmt: skip
        canvas.annotate(
            str(spell.n_periods), (at + spell.n_periods / 2, spell.stage.rank - 0.34), ha="center", va="bottom",
            fontsize="small", zorder=3,
        )  # fmt: skip
    n, partial = result.series.n_periods, result.series.n_periods - result.series.n_complete
    if partial:
        style = HOLLOW | {"edgecolor": INK, "linewidth": 0.8}
        canvas.barh(result.current.rank, partial, 0.6, left=n - partial - 0.5, **style)
    if not n:
        nothing_to_show(canvas, lang)
    calendar = result.series.calendar
    name_places(canvas, "x", period_names(result.series.periods, calendar))
    canvas.set_xlim(-0.7, max(n, 1) - 0.3)
    canvas.set_yticks(np.arange(len(order)), [stage.zh if lang == "zh" else stage.en for stage in order])
    canvas.set_ylim(len(order) - 0.4, -0.8)
    x = words["x"] if calendar is None else calendar.name(lang)
    return finish(canvas, lang=lang, title=words["title"], x=x, y=words["y"], grid="x", unfinished=bool(partial))
