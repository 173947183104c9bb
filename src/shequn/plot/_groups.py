"""How large are the groups, and how much of the talk stays inside?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.plot.canvas import (
    axes_of,
    finish,
    in_percent,
    in_whole_numbers,
    line_key,
    nothing_to_show,
    patch_key,
    points,
)
from shequn.plot.palette import BLUE, INK, LINE, PAPER, VERMILION
from shequn.plot.texts import checked_lang, plain, share
from shequn.sharding import Shards
from shequn.stats._checks import instance

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes

    from shequn.columns.table import Lang
    from shequn.plot.canvas import Canvas

__all__ = ["groups"]

_WORDS = {
    "en": {
        "title": "{n:,} members in {k:,} groups: size and talk kept inside",
        "x": "group size (members)",
        "y": "share of tie weight kept inside",
        "group": "a group",
        "short": "a group short of leaders",
        "apart": "a group without ties",
        "bounds": "sizes asked for, {lo:,} to {hi:,}",
        "kept": "all groups together, {kept}",
    },
    "zh": {
        "title": "{n:,} 名成员分为 {k:,} 群：规模与留在群内的交流",
        "x": "群规模（人）",
        "y": "留在群内的联系权重占比",
        "group": "一个群",
        "short": "负责人不足的群",
        "apart": "没有任何联系的群",
        "bounds": "要求的规模 {lo:,}–{hi:,}",
        "kept": "全部各群合计 {kept}",
    },
}
_MOST_NAMES = 12
_ROOM = 0.08  # left and right of the sizes
_GROUP: dict[str, Any] = {"marker": "o", "color": BLUE, "markersize": 6, "alpha": 0.75}
_SHORT: dict[str, Any] = {"marker": "X", "color": VERMILION, "markersize": 7}
_APART: dict[str, Any] = {"marker": "o", "color": INK, "markersize": 6, "markerfacecolor": PAPER}


def groups(result: Shards, /, *, ax: Axes | None = None, lang: Lang = "en") -> Axes:
    """Draw groups by their size and by how much of their members' talk stays inside.

    The sizes that were asked for are shaded. Up to twelve groups are named. Groups whose members have no ties at all,
    so that there is no share, are hollow, at the bottom.

    Parameters
    ----------
    result : Shards
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
    >>> from shequn.graph import InteractionGraph
    >>> from shequn.sharding import Shards
    >>> graph = InteractionGraph.from_ties([0, 2, 1], [1, 3, 2], [5, 4, 1])
    >>> ax = groups(Shards.of(graph, [0, 0, 1, 1], sizes=(2, 2)))
    >>> ax.get_title(loc="left")
    '4 members in 2 groups: size and talk kept inside'
    """
    instance("result", result, Shards, expected="Shards")
    words = _WORDS[checked_lang(lang)]
    canvas = axes_of(ax)
    columns = result.to_columns()
    sizes, kept = columns["size"].astype(np.float64), columns["kept"].astype(np.float64)
    is_short = np.asarray(result.n_leaders) < result.min_leaders
    lo, hi = result.bounds.lo, result.bounds.hi
    canvas.axvspan(lo - 0.5, hi + 0.5, facecolor=LINE, alpha=0.35, linewidth=0, zorder=0)
    is_apart, kept = np.isnan(kept), np.nan_to_num(kept)
    for chosen, style in ((~is_short, _GROUP), (is_short, _SHORT)):
        points(canvas, sizes[chosen], kept[chosen], hollow=is_apart[chosen], zorder=3, **style)
    told = (("group", _GROUP, ~is_short), ("short", _SHORT, is_short), ("apart", _APART, is_apart))
    keys = [line_key(words[name], linestyle="", **style) for name, style, of in told if of.any()]
    keys.append(patch_key(words["bounds"].format(lo=lo, hi=hi), facecolor=LINE, alpha=0.35))
    if not np.isnan(result.kept):
        canvas.axhline(result.kept, color=INK, linestyle="--", linewidth=1.0)
        keys.append(line_key(words["kept"].format(kept=share(result.kept)), color=INK, linestyle="--", linewidth=1.0))
    if not result.n_groups:
        nothing_to_show(canvas, lang)
    elif result.n_groups <= _MOST_NAMES:
        _write_names(canvas, result.groups.labels.tolist(), zip(sizes.tolist(), kept.tolist(), strict=True))
    canvas.set_ylim(-0.03, 1.04)
    least, most = (min(lo, sizes.min()), max(hi, sizes.max())) if len(sizes) else (lo, hi)
    canvas.set_xlim(least - 0.5 - _ROOM * (most - least + 1), most + 0.5 + _ROOM * (most - least + 1))
    in_whole_numbers(canvas, "x")
    in_percent(canvas, "y")
    title = words["title"].format(n=len(result.members), k=result.n_groups)
    return finish(canvas, lang=lang, title=title, x=words["x"], y=words["y"], keys=keys)


def _write_names(canvas: Canvas, names: list[object], places: Iterable[tuple[float, float]]) -> None:
    """Write the names of groups beside their markers; of those at the same place, one after the other."""
    of_place: dict[tuple[float, float], list[str]] = {}
    for name, place in zip(names, places, strict=True):
        of_place.setdefault(place, []).append(str(name))
    for place, found in of_place.items():
        told = plain(", ".join(found))
        canvas.annotate(told, place, xytext=(6, 3), textcoords="offset points", fontsize="small")
