"""Did the model foresee what members bought?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.lifetime import HoldoutCheck
from shequn.plot.canvas import axes_of, finish, line_key, name_places, nothing_to_show
from shequn.plot.palette import BLUE, VERMILION
from shequn.plot.texts import checked_lang
from shequn.stats._checks import instance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from shequn.columns.table import Lang

__all__ = ["calibration"]

_WORDS = {
    "en": {
        "title": "Foreseen against actual events in the {n:g} periods held out",
        "x": "repeat events before (members below)",
        "y": "events a member",
        "actual": "actual, with 95 %",
        "foreseen": "foreseen",
    },
    "zh": {
        "title": "留出的 {n:g} 个周期内：预测与实际次数",
        "x": "此前重复次数（下方为人数）",
        "y": "人均次数（次）",
        "actual": "实际（95% 区间）",
        "foreseen": "预测",
    },
}
_ACTUAL: dict[str, Any] = {"color": BLUE, "marker": "o", "linestyle": "-", "markersize": 5.5}
_FORESEEN: dict[str, Any] = {"color": VERMILION, "marker": "s", "linestyle": "--", "markersize": 5.5}


def calibration(result: HoldoutCheck, /, *, ax: Axes | None = None, lang: Lang = "en") -> Axes:
    """Draw what members bought in the time held out, with 95 % intervals, beside what the model had foreseen.

    The figure speaks of events, as a split may count others than purchases.

    Parameters
    ----------
    result : HoldoutCheck
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
    >>> from shequn.lifetime import BetaGeoNBD, HoldoutCheck
    >>> check = HoldoutCheck(
    ...     members=[90, 10], purchases=[9, 8], foreseen=[11.0, 7.5], squares=[9.0, 14.0], n_periods=26,
    ...     model=BetaGeoNBD(r=0.243, alpha=4.414, a=0.793, b=2.426),
    ... )
    >>> ax = calibration(check)
    >>> [line.get_ydata().round(2).tolist() for line in ax.lines[:1]]
    [[0.12, 0.75]]
    """
    instance("result", result, HoldoutCheck, expected="a HoldoutCheck")
    words = _WORDS[checked_lang(lang)]
    canvas = axes_of(ax)
    rows = result.to_columns()
    actual, n = rows["actual"], len(result.members)
    at = np.arange(n, dtype=np.float64)
    canvas.plot(at, rows["foreseen"], linewidth=1.6, markerfacecolor="white", **_FORESEEN)
    errors = np.nan_to_num(np.stack([actual - rows["lower"], rows["upper"] - actual]))
    canvas.errorbar(at, actual, yerr=errors, linewidth=1.6, capsize=3, elinewidth=1.2, **_ACTUAL)
    if not result.members.any():
        nothing_to_show(canvas, lang)
    repeats = [f"{k}+" if n > 1 and k == n - 1 else str(k) for k in range(n)]
    name_places(canvas, "x", [f"{k}\n({m:,})" for k, m in zip(repeats, result.members.tolist(), strict=True)])
    canvas.set_ylim(bottom=0)
    keys = [
        line_key(words["actual"], **_ACTUAL),
        line_key(words["foreseen"], markerfacecolor="white", **_FORESEEN),
    ]
    title = words["title"].format(n=result.n_periods)
    return finish(canvas, lang=lang, title=title, x=words["x"], y=words["y"], keys=keys)
