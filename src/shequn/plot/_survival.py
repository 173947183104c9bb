"""How long do members stay?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.plot.canvas import ALONE, axes_of, finish, in_percent, line_key, nothing_to_show
from shequn.plot.palette import lines
from shequn.plot.texts import checked_lang, plain
from shequn.retention import SurvivalCurve
from shequn.retention.time_units import unit_heading

if TYPE_CHECKING:
    from typing import Any

    from matplotlib.axes import Axes

    from shequn._typing import FloatArray
    from shequn.columns.table import Lang
    from shequn.plot.canvas import Canvas
    from shequn.plot.palette import Line
    from shequn.retention.time_units import TimeUnitName

__all__ = ["survival"]

_WORDS = {
    "en": {
        "title": "Share of members still there; bands: 95 %, ticks: no longer observed",
        "x": "time since joining ({unit})",
        "y": "share still there",
    },
    "zh": {
        "title": "仍在的成员比例；色带为 95% 置信区间，竖线为截尾",
        "x": "加入后的时间（{unit}）",
        "y": "仍在的比例",
    },
}
_TIME = {"en": "time", "zh": "时间"}
_MOST_TICKS = 150


def survival(
    result: SurvivalCurve | Mapping[Any, SurvivalCurve], /, *, ax: Axes | None = None, lang: Lang = "en"
) -> Axes:
    """Draw the survival curve of everybody, or one for each segment, with 95 % bands.

    Parameters
    ----------
    result : SurvivalCurve, or mapping of label to SurvivalCurve
        Up to seven curves in the same unit of time; a breakdown is such a mapping.
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
        An argument can't be used, there are too many curves, or their units differ.

    Examples
    --------
    >>> from shequn.retention import kaplan_meier
    >>> ax = survival(kaplan_meier([3, 5, 8], observed=[True, False, True], unit="day"))
    >>> ax.get_xlabel()
    'time since joining (days)'
    """
    words = _WORDS[checked_lang(lang)]
    curves: dict[Any, SurvivalCurve] = dict(result) if isinstance(result, Mapping) else {ALONE: result}
    _require_one_unit(curves)
    unit: TimeUnitName | None = next((curve.unit for curve in curves.values()), None)
    canvas = axes_of(ax)
    keys: list[Any] = []
    for (name, curve), line in zip(curves.items(), lines(len(curves), "result"), strict=True):
        _draw(canvas, curve, line)
        if name is not ALONE:
            label = f"{plain(name)} (n = {curve.n_followed:,})"
            keys.append(line_key(label, color=line.color, linestyle=line.dashes, linewidth=1.6))
    if not any(curve.n_followed for curve in curves.values()):
        nothing_to_show(canvas, lang)
    canvas.set_ylim(0, 1.02)
    canvas.set_xlim(left=0)
    in_percent(canvas, "y")
    x = _TIME[lang] if unit is None else words["x"].format(unit=unit_heading(unit, lang))
    return finish(canvas, lang=lang, title=words["title"], x=x, y=words["y"], keys=keys)


def _require_one_unit(curves: Mapping[Any, SurvivalCurve]) -> None:
    units: list[Any] = []
    for name, curve in curves.items():
        where = "result" if name is ALONE else f"result[{name!r}]"
        if not isinstance(curve, SurvivalCurve):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidTypeError(message(where, "a SurvivalCurve, or a mapping from label to them", curve))
        units.append(curve.unit)
        if units[0] != curve.unit:
            raise InvalidValueError(message(where, f"times in {units[0]}s, as the first has", curve.unit))


def _draw(canvas: Canvas, curve: SurvivalCurve, line: Line) -> None:
    """Draw the steps from 1 at time 0, the band, and a tick where somebody was no longer observed."""
    times = np.asarray(curve.times, dtype=np.float64)
    at = np.append(0.0, times)
    lower, upper = _from_one(curve.lower), _from_one(curve.upper)
    # As steps, up to the last time: where nobody is left the band is unknown from there on, not before.
    edges = np.repeat(at, 2)[1:]
    canvas.fill_between(edges, *(np.repeat(side, 2)[:-1] for side in (lower, upper)), color=line.color, alpha=0.2,
                        linewidth=0)  # fmt: skip
    canvas.step(at, _from_one(curve.survival), where="post", color=line.color, linestyle=line.dashes, linewidth=1.6)
    is_censored = np.asarray(curve.censored) > 0
    if 0 < is_censored.sum() <= _MOST_TICKS:
        here = times[is_censored], curve.survival[is_censored]
        canvas.plot(*here, linestyle="", marker="|", markersize=6, color=line.color)


def _from_one(values: FloatArray) -> FloatArray:
    return np.append(1.0, values)
