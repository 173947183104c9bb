"""What share of members comes back after so many periods?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from shequn.errors import InvalidTypeError, InvalidValueError, message
from shequn.plot._cohorts import offset_axis, offset_names
from shequn.plot.canvas import ALONE, axes_of, finish, in_percent, line_key, name_places, nothing_to_show
from shequn.plot.palette import lines
from shequn.plot.texts import checked_lang, plain, share
from shequn.retention import CohortTable, ReturnCurve

if TYPE_CHECKING:
    from typing import Any

    from matplotlib.axes import Axes

    from shequn._typing import FloatArray
    from shequn.columns.table import Lang
    from shequn.plot.canvas import Canvas

__all__ = ["retention"]

_WORDS = {
    "en": {"title": "Share of members who came back; bands: 95 %", "y": "share of the eligible"},
    "zh": {"title": "回来的成员比例；色带为 95% 置信区间", "y": "占可观察成员的比例"},
}
_MOST_NUMBERS = 14
_EXPECTED = "a CohortTable, a ReturnCurve, or a mapping from label to them, such as a breakdown"


def retention(
    result: CohortTable | ReturnCurve | Mapping[Any, CohortTable] | Mapping[Any, ReturnCurve],
    /,
    *,
    ax: Axes | None = None,
    lang: Lang = "en",
) -> Axes:
    """Draw the retention curve of all cohorts together, or one for each segment, with 95 % bands.

    Parameters
    ----------
    result : CohortTable, ReturnCurve, or mapping of label to one of them
        Up to seven curves over the same offsets in the same unit; a breakdown is such a mapping.
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
        An argument can't be used, there are too many curves, or their offsets or units differ.

    Examples
    --------
    >>> from shequn.retention import ReturnCurve
    >>> curve = ReturnCurve(offsets=((0, 0), (1, 1)), returned=[100, 20], eligible=[100, 80])
    >>> ax = retention(curve)
    >>> ax.lines[0].get_ydata().tolist()
    [1.0, 0.25]
    """
    words = _WORDS[checked_lang(lang)]
    found: dict[Any, Any] = dict(result) if isinstance(result, Mapping) else {ALONE: result}
    for name, curve in found.items():
        if not isinstance(curve, CohortTable | ReturnCurve):
            raise InvalidTypeError(message("result" if name is ALONE else f"result[{name!r}]", _EXPECTED, curve))
    tables = {name: curve for name, curve in found.items() if isinstance(curve, CohortTable)}
    _require_one_unit(tables)
    table = next(iter(tables.values()), None)
    curves = {name: curve.mean_curve() if isinstance(curve, CohortTable) else curve for name, curve in found.items()}
    offsets = next(iter(curves.values())).offsets if curves else ()
    for name, curve in curves.items():
        if curve.offsets != offsets:
            raise InvalidValueError(message(f"result[{name!r}]", f"the offsets of the first, {offsets}", curve.offsets))
    canvas = axes_of(ax)
    at = np.arange(len(offsets), dtype=np.float64)
    keys: list[Any] = []
    for (name, curve), (color, dashes, marker) in zip(curves.items(), lines(len(curves), "result"), strict=True):
        style: dict[str, Any] = {"color": color, "linestyle": dashes, "marker": marker, "markersize": 4.5}
        canvas.fill_between(at, curve.lower, curve.upper, color=color, alpha=0.2, linewidth=0)
        canvas.plot(at, curve.rates, linewidth=1.6, **style)
        if name is not ALONE:
            keys.append(line_key(plain(name), **style))
    if len(curves) == 1 and len(offsets) <= _MOST_NUMBERS:
        _write_shares(canvas, next(iter(curves.values())).rates)
    if not any(curve.eligible.any() for curve in curves.values()):
        nothing_to_show(canvas, lang)
    canvas.set_ylim(0, 1.08)
    in_percent(canvas, "y")
    name_places(canvas, "x", offset_names(offsets))
    return finish(canvas, lang=lang, title=words["title"], x=offset_axis(table, lang), y=words["y"], keys=keys)


def _require_one_unit(tables: Mapping[Any, CohortTable]) -> None:
    units = {name: _counted_in(table) for name, table in tables.items()}
    first = next(iter(units.values()), "")
    for name, unit in units.items():
        if unit != first:
            raise InvalidValueError(message(f"result[{name!r}]", f"{first}, as the first has", unit))


def _counted_in(table: CohortTable) -> str:
    n, unit = table.calendar.n, table.calendar.unit
    return f"{unit}s" if n == 1 else f"{n} {unit}s"


def _write_shares(canvas: Canvas, rates: FloatArray) -> None:
    for place in np.flatnonzero(~np.isnan(rates)).tolist():
        canvas.annotate(
            share(rates[place]),
            (place, rates[place]),
            xytext=(3, 5),
            textcoords="offset points",
            fontsize="small",
        )
