"""Who came, who evaporated, and how many were retained, period by period?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.plot.canvas import (
    HOLLOW,
    axes_of,
    finish,
    in_whole_numbers,
    line_key,
    name_places,
    nothing_to_show,
    patch_key,
    points,
)
from shequn.plot.palette import BLUE, INK, SKY, VERMILION
from shequn.plot.texts import checked_lang, period_names
from shequn.retention import FlowLedger
from shequn.stats._checks import instance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from shequn.columns.table import Lang

__all__ = ["ledger"]

_WORDS = {
    "en": {
        "title": "Flow − evaporation = retained",
        "joined": "joined",
        "revived": "came back",
        "evaporated": "evaporated",
        "retained": "retained",
        "y": "members",
    },
    "zh": {
        "title": "流量 − 蒸发量 = 留量",
        "joined": "新增",
        "revived": "回流",
        "evaporated": "蒸发",
        "retained": "留量",
        "y": "成员数（人）",
    },
}
_BARS: dict[str, dict[str, Any]] = {
    "joined": {"facecolor": SKY, "hatch": ""},
    "revived": {"facecolor": BLUE, "hatch": ""},
    "evaporated": {"facecolor": VERMILION, "hatch": "////"},
}
_MANY = 60


def ledger(result: FlowLedger, /, *, ax: Axes | None = None, lang: Lang = "en") -> Axes:
    """Draw a ledger: inflow upwards, evaporation downwards, and the line of who was retained.

    Periods that were not observed in full are hollow.

    Parameters
    ----------
    result : FlowLedger
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
    >>> from shequn.retention import FlowLedger
    >>> weeks = FlowLedger.from_counts(
    ...     period=np.array(["2024-03-04", "2024-03-11"], "M8[D]"), joined=[30, 12], revived=[0, 2], evaporated=[0, 9]
    ... )
    >>> ax = ledger(weeks)
    >>> ax.get_title(loc="left")
    'Flow − evaporation = retained'
    """
    instance("result", result, FlowLedger, expected="a FlowLedger, such as a part of a breakdown")
    words = _WORDS[checked_lang(lang)]
    canvas = axes_of(ax)
    n, complete = result.n_periods, np.asarray(result.complete, dtype=np.bool_)
    at = np.arange(n, dtype=np.float64)
    bars = {
        "joined": (result.joined, np.zeros(n, dtype=np.int64)),
        "revived": (result.revived, result.joined),
        "evaporated": (-result.evaporated, np.zeros(n, dtype=np.int64)),
    }
    edge = 0.6 if n <= _MANY else 0.0
    for name, (height, bottom) in bars.items():
        drawn = canvas.bar(at, height, 0.8, bottom, label=words[name], edgecolor=INK, linewidth=edge, **_BARS[name])
        for place in np.flatnonzero(~complete).tolist():
            drawn.patches[place].set(**HOLLOW | {"linewidth": 0.6})
    canvas.plot(at, result.retained, color=INK, linewidth=1.6, label=words["retained"])
    if n <= _MANY:
        points(canvas, at, result.retained.astype(np.float64), hollow=~complete, color=INK, marker="o", markersize=4.5)
    canvas.axhline(0, color=INK, linewidth=0.8)
    if not n:
        nothing_to_show(canvas, lang)
    in_whole_numbers(canvas, "y")
    name_places(canvas, "x", period_names(result.periods, result.calendar))
    keys = [patch_key(words[name], edgecolor=INK, **style) for name, style in _BARS.items()]
    keys.append(line_key(words["retained"], color=INK, marker="o", markersize=4.5))
    return finish(
        canvas, lang=lang, title=words["title"], x=result.calendar.name(lang), y=words["y"], keys=keys,
        unfinished=bool((~complete).any()),
    )  # fmt: skip
