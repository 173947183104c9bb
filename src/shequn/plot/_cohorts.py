"""Of those who began together, what share came back after so many periods?"""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING

import numpy as np

from shequn.plot.canvas import axes_of, color_map, finish, name_places, nothing_to_show, write_in_font
from shequn.plot.palette import INK, PAPER, SHADES, luminance
from shequn.plot.texts import checked_lang, period_names
from shequn.retention import CohortTable
from shequn.stats._checks import instance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from shequn.columns.table import Lang
    from shequn.plot.canvas import Canvas

__all__ = ["cohorts", "offset_axis", "offset_names"]

_WORDS = {
    "en": {
        "title": "Share of each cohort that came back; blank: nobody is eligible",
        "y": "cohort (members)",
        "bar": "share of the eligible",
    },
    "zh": {
        "title": "各同期群中回来的比例；空白：无可观察成员",
        "y": "同期群（人数）",
        "bar": "占可观察成员的比例",
    },
}
_UNITS_ZH = {"hour": "小时", "day": "天", "week": "周", "month": "月", "quarter": "季度", "year": "年"}
_MOST_NUMBERS = 240  # cells; of more, the numbers can't be read
_MOST_ACROSS = 40  # rows, or columns
_DARK = 0.5


def cohorts(result: CohortTable, /, *, ax: Axes | None = None, lang: Lang = "en") -> Axes:
    """Draw a cohort table as a heat map; cells that nobody was eligible for are blank.

    The scale ends at the highest share after the first column, which often is 100 % by definition.

    Parameters
    ----------
    result : CohortTable
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
    >>> import pendulum
    >>> from shequn.columns import EventLog
    >>> from shequn.retention import cohort_table
    >>> log = EventLog.from_columns(member=["ann", "ann", "bo"], kind="post", at=[0, 700_000, 700_000], time_unit="s")
    >>> ax = cohorts(cohort_table(log, every="week", tz="UTC"))
    >>> ax.get_xlabel()
    'weeks since the first'
    """
    instance("result", result, CohortTable, expected="a CohortTable, such as a part of a breakdown")
    words = _WORDS[checked_lang(lang)]
    canvas = axes_of(ax, size=(7.2, 4.6))
    rates = np.ma.masked_invalid(result.rates)
    if rates.count():
        _draw(canvas, rates, lang)
    else:
        nothing_to_show(canvas, lang)
    names = period_names(result.cohorts, result.calendar)
    name_places(canvas, "y", [f"{name} ({size:,})" for name, size in zip(names, result.sizes.tolist(), strict=True)])
    name_places(canvas, "x", offset_names(result.offsets))
    canvas.tick_params(length=0)
    return finish(canvas, lang=lang, title=words["title"], x=offset_axis(result, lang), y=words["y"], grid="")


def _draw(canvas: Canvas, rates: np.ma.MaskedArray, lang: Lang) -> None:
    later = rates[:, 1:] if rates.shape[1] > 1 else rates
    most = float(later.max()) if later.count() and later.max() > 0 else 1.0
    drawn = canvas.imshow(
        rates, cmap=color_map("cohorts", SHADES), vmin=0.0, vmax=most, aspect="auto", interpolation="nearest"
    )
    if rates.count() <= _MOST_NUMBERS and max(rates.shape) <= _MOST_ACROSS:
        _part_cells(canvas, rates.shape)
        for row, column in zip(*np.nonzero(~np.ma.getmaskarray(rates)), strict=True):
            rate = float(rates[row, column])
            color = PAPER if luminance(drawn.to_rgba(rate)) < _DARK else INK
            written = f"{100 * rate:.{_digits(max(rate, most))}f}"
            canvas.text(column, row, written, ha="center", va="center", color=color, fontsize="x-small")
    bar = canvas.figure.colorbar(
        drawn, ax=canvas, format=f"{{x:.{_digits(most)}%}}", extend="max" if float(rates.max()) > most else "neither"
    )
    bar.set_label(_WORDS[lang]["bar"])
    write_in_font(bar.ax, lang)


def _digits(most: float) -> int:
    """Return how many decimals percentages have: none from 10 % on, one from 1 % on, two below, and so on."""
    return max(0, 1 - floor(log10(100 * most)))


def _part_cells(canvas: Canvas, shape: tuple[int, ...]) -> None:
    """Draw lines between cells."""
    canvas.set_xticks(np.arange(shape[1] + 1) - 0.5, minor=True)
    canvas.set_yticks(np.arange(shape[0] + 1) - 0.5, minor=True)
    canvas.grid(which="minor", color=PAPER, linewidth=1.0)
    canvas.tick_params(which="minor", length=0)


def offset_names(offsets: tuple[tuple[int, int], ...]) -> list[str]:
    """Return the names of offsets: 3, or 4–7 where several are taken together."""
    return [str(first) if first == last else f"{first}–{last}" for first, last in offsets]


def offset_axis(table: CohortTable | None, lang: Lang) -> str:
    """Return what offsets are counted in."""
    calendar = None if table is None else table.calendar
    if lang == "zh":
        unit = "周期" if calendar is None or calendar.n != 1 else _UNITS_ZH[calendar.unit]
        return f"自首次起的{'个' * (unit in {'月', '季度'})}{unit}数"
    unit = "period" if calendar is None or calendar.n != 1 else calendar.unit
    return f"{unit}s since the first"
