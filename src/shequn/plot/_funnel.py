"""How far do members get, and how sure is that?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.funnel import FunnelResult
from shequn.plot.canvas import axes_of, finish, has_room, in_percent, name_places, nothing_to_show, patch_key
from shequn.plot.palette import INK, PAPER, SKY
from shequn.plot.texts import checked_lang, interval, plain, share
from shequn.stats._checks import instance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from shequn.columns.table import Lang

__all__ = ["funnel"]

_WORDS = {
    "en": {
        "title": "How far members get; whiskers: 95 %",
        "x": "share of the {n:,} who entered",
        "y": "step",
        "heading": "members; rate of the step before",
        "optional": "may be skipped",
    },
    "zh": {
        "title": "成员走到哪一步；误差线为 95% 置信区间",
        "x": "占进入的 {n:,} 人的比例",
        "y": "步骤",
        "heading": "人数；占上一步的比例",
        "optional": "可跳过",
    },
}
_BESIDE, _WIDTH = 1.05, 1.72  # where the numbers stand, of the longest bar
_BAR: dict[str, Any] = {"facecolor": SKY, "edgecolor": INK}
_OPTIONAL: dict[str, Any] = {"facecolor": PAPER, "edgecolor": INK, "hatch": "////"}


def funnel(result: FunnelResult, /, *, ax: Axes | None = None, lang: Lang = "en") -> Axes:
    """Draw a funnel: the share of entrants that reached each step, with 95 % intervals; beside it, the step's own rate.

    Of more steps than there is room for, the numbers beside the bars are left out.

    Parameters
    ----------
    result : FunnelResult
        Of a breakdown, its total or one of its parts.
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
    >>> from shequn.funnel import FunnelResult
    >>> ax = funnel(FunnelResult.from_counts(steps=["join", "post", "purchase"], reached=[200, 80, 20]))
    >>> [round(float(bar.get_width()), 3) for bar in ax.patches]
    [1.0, 0.4, 0.1]
    """
    instance("result", result, FunnelResult, expected="a FunnelResult, such as a part of a breakdown")
    words = _WORDS[checked_lang(lang)]
    steps = len(result.steps)
    canvas = axes_of(ax, size=(7.2, 1.3 + 0.55 * min(steps, 12)))
    at = np.arange(steps, dtype=np.float64)
    reached = np.nan_to_num(result.overall_rates)
    drawn = canvas.barh(at, reached, 0.62, linewidth=0.8, **_BAR)
    for step in result.optional:
        drawn.patches[step].set(**_OPTIONAL)
    ends = result.overall_intervals()
    known = ~np.isnan(ends.lower) & (at > 0)
    errors = np.abs(np.stack([reached - ends.lower, ends.upper - reached])[:, known])
    canvas.errorbar(reached[known], at[known], xerr=errors, fmt="none", ecolor=INK, elinewidth=1.2, capsize=3)
    has_numbers = has_room(canvas, steps)
    if has_numbers:
        for step, told in enumerate((words["heading"], *_told(result, lang)), -1):
            canvas.text(_BESIDE, max(step, -0.72), told, va="center", fontsize="small")
    if not result.entered:
        nothing_to_show(canvas, lang)
    name_places(canvas, "y", [plain(step) for step in result.steps])
    canvas.set_ylim(steps - 0.4, -1.0)
    canvas.set_xlim(0, _WIDTH if has_numbers else _BESIDE)
    canvas.set_xticks(np.linspace(0, 1, 6))
    in_percent(canvas, "x")
    keys = [patch_key(words["optional"], **_OPTIONAL)] if result.optional else []
    x = words["x"].format(n=result.entered)
    return finish(canvas, lang=lang, title=words["title"], x=x, y=words["y"], keys=keys, grid="x")


def _told(result: FunnelResult, lang: Lang) -> list[str]:
    """Return what stands beside the bars."""
    told: list[str] = []
    for row, step in enumerate(result.rows()):
        rate = share(step.step_rate) + interval(step.lower, step.upper, lang)
        told.append(f"{step.reached:,}" + f"\n{rate}" * (row > 0))
    return told
