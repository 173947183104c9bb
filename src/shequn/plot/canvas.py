"""What do all figures have in common? Where they are drawn, and what stands around what they show.

matplotlib is imported inside functions, so that the library runs without it. Nothing is drawn through ``pyplot``, which
would keep every figure in a global list, and no ``rcParams`` are changed.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from shequn.columns.table import width
from shequn.errors import InvalidValueError, from_extra, message
from shequn.plot.palette import GREY, INK, LINE, PAPER
from shequn.plot.texts import family_for
from shequn.stats._checks import instance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline
    from matplotlib.text import Text

    from shequn._typing import BoolArray, FloatArray
    from shequn.columns.table import Lang

__all__ = [
    "ALONE",
    "HOLLOW",
    "Canvas",
    "axes_of",
    "color_map",
    "finish",
    "has_room",
    "in_percent",
    "in_whole_numbers",
    "line_key",
    "name_places",
    "nothing_to_show",
    "patch_key",
    "points",
    "ribbon",
    "title_of",
]


# matplotlib's own annotations leave parts of its types open, and change: they are held to at the front alone.
Canvas: TypeAlias = Any

# What was not observed in full is hollow, with a dashed outline.
HOLLOW: dict[str, Any] = {"facecolor": PAPER, "hatch": "", "linestyle": (0, (3, 2))}

ALONE: Final = object()  # the name of a curve that was not given in a mapping, whose labels may be anything
_NO_DATA = {"en": "no data", "zh": "无数据"}
_UNFINISHED = {"en": "not observed in full", "zh": "未观察完整"}
_SMALL, _LETTER, _ROW, _KEY = 8.3, 10.0, 13.5, 30.0  # points: letters' sizes, a row of the legend, a key with its gaps


def axes_of(ax: Axes | None, *, size: tuple[float, float] = (7.2, 4.0)) -> Canvas:
    """Return the axes to draw on: the caller's, or those of a new figure that stands in no global list.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    InvalidTypeError
        `ax` is something else.
    InvalidValueError
        It is polar or has three dimensions.
    """
    with from_extra("plot", "matplotlib"):
        from matplotlib.axes import Axes  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    if ax is None:
        figure: Any = Figure(figsize=size, layout="constrained")
        return figure.add_subplot()
    instance("ax", ax, Axes, expected="matplotlib Axes, or None for a new figure")
    if ax.name != "rectilinear":
        raise InvalidValueError(message("ax", "axes with an x and a y at right angles", ax.name))
    return ax


def finish(
    canvas: Canvas,
    *,
    lang: Lang,
    title: str,
    x: str,
    y: str,
    keys: Sequence[Artist] = (),
    grid: str = "y",
    unfinished: bool = False,
) -> Axes:
    """Write what stands around a figure: its title, what the axes measure, and the key between the two."""
    if unfinished:
        keys = [*keys, patch_key(_UNFINISHED[lang], edgecolor=INK, **HOLLOW)]
    rows = _add_legend(canvas, keys) if keys else 0
    canvas.set_title(title, loc="left", pad=7 + _ROW * rows, fontsize="medium", color=INK)
    canvas.set_xlabel(x)
    canvas.set_ylabel(y)
    canvas.spines[["top", "right"]].set_visible(False)
    canvas.set_axisbelow(True)
    if grid:
        canvas.grid(axis=grid, color=LINE, linewidth=0.6)
    write_in_font(canvas, lang)
    drawn: Axes = canvas
    return drawn


def _add_legend(canvas: Canvas, keys: Sequence[Artist]) -> int:
    """Set the keys side by side above the axes; return how many rows that takes."""
    labels = [str(key.get_label()) for key in keys]
    widest = max(_KEY + 0.56 * _SMALL * width(label) for label in labels)
    n_columns = min(len(keys), max(1, int(72 * _inches(canvas)[0] / widest)))
    legend = canvas.legend(
        handles=list(keys), labels=[" " * label.startswith("_") + label for label in labels],
        loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=n_columns, frameon=False, fontsize=_SMALL,
        borderaxespad=0.1, borderpad=0.2, columnspacing=1.2, handlelength=2.2, labelspacing=0.35,
    )  # fmt: skip
    legend.set_in_layout(True)
    return ceil(len(keys) / n_columns)


def write_in_font(canvas: Canvas, lang: Lang) -> None:
    """Choose a font that has the characters of everything that is written on the axes."""
    from matplotlib.text import Text  # noqa: PLC0415

    found: list[Text] = [
        *canvas.get_xticklabels(),
        *canvas.get_yticklabels(),
        *(artist for artist in canvas.findobj(Text) if isinstance(artist, Text)),
    ]
    family = family_for([text.get_text() for text in found], lang)
    if family is not None:
        for text in found:
            text.set_fontfamily(list(family))
        of_ticks: dict[str, Any] = {"labelfontfamily": list(family)}  # of those still to come as well
        canvas.tick_params(**of_ticks)


def nothing_to_show(canvas: Canvas, lang: Lang, text: str | None = None) -> None:
    """Say in the middle of the axes that there is nothing."""
    canvas.text(0.5, 0.5, text or _NO_DATA[lang], transform=canvas.transAxes, ha="center", va="center", color=GREY)


def has_room(canvas: Canvas, n: int) -> bool:
    """Tell whether n texts of two lines fit above one another."""
    return 72 * _inches(canvas)[1] >= 2 * 1.35 * _SMALL * n


def title_of(canvas: Canvas, what: str, gap: str, more: str) -> str:
    """Return a title of two parts: side by side where there is room, or else in two lines."""
    title = f"{what}{gap}{more}"
    return title if 0.56 * _LETTER * width(title) <= 72 * _inches(canvas)[0] else f"{what}\n{more}"


# --- axes ---


def _inches(canvas: Canvas) -> tuple[float, float]:
    extent = canvas.get_window_extent()
    return max(extent.width / canvas.figure.dpi, 0.5), max(extent.height / canvas.figure.dpi, 0.5)


def name_places(canvas: Canvas, axis: str, names: Sequence[str]) -> None:
    """Name the places 0, 1, 2 … of an axis, as many as there is room for."""
    across, up = _inches(canvas)
    if axis == "x":
        longest = max((max(width(line) for line in name.split("\n")) for name in names), default=1)
        room = 72 * across / (0.62 * 10 * longest + 10)
    else:
        room = 72 * up / (1.3 * 10)
    step = max(1, ceil(len(names) / max(1, int(room))))
    set_ticks = canvas.set_xticks if axis == "x" else canvas.set_yticks
    set_ticks(np.arange(0, len(names), step), [names[place] for place in range(0, len(names), step)])


def in_percent(canvas: Canvas, axis: str) -> None:
    """Show fractions along an axis as percentages."""
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415

    (canvas.xaxis if axis == "x" else canvas.yaxis).set_major_formatter(PercentFormatter(xmax=1.0))


def in_whole_numbers(canvas: Canvas, axis: str) -> None:
    """Mark an axis at whole numbers only, and write them in full, however large they are."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter  # noqa: PLC0415

    marked = canvas.xaxis if axis == "x" else canvas.yaxis
    marked.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    marked.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


# --- what is drawn ---


def points(canvas: Canvas, x: FloatArray, y: FloatArray, *, hollow: BoolArray, **style: Any) -> None:  # noqa: ANN401
    """Draw markers, hollow ones where something was not observed in full."""
    color = style.pop("color")
    for chosen, fill in ((~hollow, color), (hollow, PAPER)):
        if chosen.any():
            canvas.plot(x[chosen], y[chosen], linestyle="", markerfacecolor=fill, markeredgecolor=color, **style)


def patch_key(label: str, **style: Any) -> Artist:  # noqa: ANN401
    """Return the key of an area."""
    from matplotlib.patches import Patch  # noqa: PLC0415

    return Patch(label=label, linewidth=0.8, **style)


def line_key(label: str, **style: Any) -> Artist:  # noqa: ANN401
    """Return the key of a line or of a marker."""
    from matplotlib.lines import Line2D  # noqa: PLC0415

    return Line2D([], [], label=label, **style)


def color_map(name: str, shades: Sequence[str]) -> Colormap:
    """Return the colours between some, one after the other."""
    from matplotlib.colors import LinearSegmentedColormap  # noqa: PLC0415

    return LinearSegmentedColormap.from_list(name, list(shades))


def ribbon(canvas: Canvas, left: tuple[float, float], right: tuple[float, float], **style: Any) -> PathPatch:  # noqa: ANN401
    """Draw a band from a stretch of the line x = 0 to a stretch of the line x = 1."""
    from matplotlib.patches import PathPatch  # noqa: PLC0415
    from matplotlib.path import Path as Outline  # noqa: PLC0415

    (a, b), (c, d) = left, right
    corners = [(0, a), (0.5, a), (0.5, c), (1, c), (1, d), (0.5, d), (0.5, b), (0, b), (0, a)]
    curve, line = [Outline.CURVE4] * 3, Outline.LINETO
    outline: Outline = Outline(corners, [Outline.MOVETO, *curve, line, *curve, Outline.CLOSEPOLY])
    band = PathPatch(outline, **style)
    canvas.add_patch(band)
    return band
