"""Who moved between segments, and where to?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shequn.errors import InvalidValueError, message
from shequn.plot.canvas import axes_of, finish, nothing_to_show, patch_key, ribbon
from shequn.plot.palette import BLUE, INK, LINE, ORANGE, PAPER, SKY
from shequn.plot.texts import checked_lang, plain
from shequn.segmentation import Migration
from shequn.stats._checks import instance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from shequn._typing import IntArray
    from shequn.columns.table import Lang
    from shequn.plot.canvas import Canvas

__all__ = ["movement"]

_WORDS = {
    "en": {
        "title": "Who moved between segments",
        "y": "members: {n:,}",
        "before": "before",
        "after": "after",
        "held": "stayed",
        "up": "moved up",
        "down": "moved down",
        "moved": "moved",
        "outside": "came or went",
        "none": "(no segment)",
        "came": "(not there yet)",
        "went": "(no longer there)",
    },
    "zh": {
        "title": "谁在分层之间移动",
        "y": "成员：{n:,} 人",
        "before": "之前",
        "after": "之后",
        "held": "未动",
        "up": "上升",
        "down": "下降",
        "moved": "移动",
        "outside": "进出",
        "none": "（未分组）",
        "came": "（尚未加入）",
        "went": "（已不在）",
    },
}
_BANDS: dict[str, dict[str, Any]] = {
    "held": {"facecolor": LINE, "hatch": ""},
    "up": {"facecolor": BLUE, "hatch": ""},
    "down": {"facecolor": ORANGE, "hatch": "////"},
    "moved": {"facecolor": SKY, "hatch": ""},
    "outside": {"facecolor": PAPER, "hatch": "...."},
}
_N_OUTSIDE = 2  # stacked first: not there, and in no segment
_MOST_SEGMENTS = 20
_GAP = 0.035  # between segments, of all members


class _Side(NamedTuple):
    """Where the segments of one side stand, from the bottom."""

    names: list[str]
    sizes: IntArray
    bottom: Any


def movement(result: Migration, /, *, ax: Axes | None = None, lang: Lang = "en") -> Axes:
    """Draw the movement between segments as bands from where members were to where they are, as wide as they are many.

    Of ordered segments the lowest stands at the bottom, so that who moved up goes up; of others the first on top.

    Parameters
    ----------
    result : Migration
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
        An argument can't be used, or there are more than twenty segments.

    Examples
    --------
    >>> from shequn.segmentation import Migration
    >>> tiers = Migration.from_counts(segments=["silver", "gold"], counts=[[90, 10], [4, 16]], ordered=True)
    >>> ax = movement(tiers)
    >>> [text.get_text() for text in ax.texts][:2]
    ['silver 100', 'gold 20']
    """
    instance("result", result, Migration, expected="a Migration")
    words = _WORDS[checked_lang(lang)]
    n = len(result.segments)
    if n > _MOST_SEGMENTS:
        raise InvalidValueError(message("result", f"at most {_MOST_SEGMENTS} segments, as many as can be read", n))
    canvas = axes_of(ax, size=(7.2, max(4.6, 0.3 * (n + _N_OUTSIDE))))
    order = _from_the_bottom(result)
    moves = result.moves.copy()
    moves[-2:, -2:] = 0  # in no segment at all, before and after
    moves = moves[np.ix_(order, order)]
    names = [plain(name) for name in result.segments]
    gap = _GAP * max(int(moves.sum()), 1)
    before, after = (
        _side([[*names, words["none"], words[absent]][place] for place in order], moves.sum(axis=axis), gap)
        for absent, axis in (("came", 1), ("went", 0))
    )
    used = _draw_bands(canvas, moves, before, after, ordered=result.ordered)
    if not moves.any():
        nothing_to_show(canvas, lang)
    _draw_nodes(canvas, before, x=0.0)
    _draw_nodes(canvas, after, x=1.0)
    canvas.set_xlim(-0.42, 1.42)
    canvas.set_xticks([0, 1], [words["before"], words["after"]])
    canvas.set_yticks([])
    top = max(float((side.bottom + side.sizes).max(initial=0)) for side in (before, after))
    canvas.set_ylim(-gap, max(top + gap, 1.0))
    keys = [patch_key(words[name], edgecolor=INK, **style) for name, style in _BANDS.items() if name in used]
    y = words["y"].format(n=int(moves.sum()))
    canvas.spines[["left", "bottom"]].set_visible(False)
    canvas.tick_params(length=0)
    return finish(canvas, lang=lang, title=words["title"], x="", y=y, keys=keys, grid="")


def _from_the_bottom(result: Migration) -> list[int]:
    """Return the order in which rows of `moves` are stacked: those outside, then segments, or the first one on top."""
    k = len(result.segments)
    return [k + 1, k, *(range(k) if result.ordered else range(k - 1, -1, -1))]


def _side(names: list[str], sizes: IntArray, gap: float) -> _Side:
    gaps = np.where(sizes > 0, gap, 0.0)
    return _Side(names, sizes, np.append(0.0, np.cumsum(sizes + gaps)[:-1]))


def _draw_bands(canvas: Canvas, moves: IntArray, before: _Side, after: _Side, *, ordered: bool) -> set[str]:
    """Draw a band for each move, and return what kinds of moves there are."""
    n, used = len(moves), set[str]()
    left, right = before.bottom.astype(float).copy(), after.bottom.astype(float).copy()
    for row in range(n):
        for column in range(n):
            members = int(moves[row, column])
            if members:
                kind = _kind(row, column, ordered=ordered)
                used.add(kind)
                ends = [(float(side[place]), float(side[place]) + members) for side, place in
                        ((left, row), (right, column))]  # fmt: skip
                front = 1.5 if kind == "held" else 2.0
                ribbon(canvas, *ends, edgecolor=INK, linewidth=0.4, alpha=0.85, zorder=front, **_BANDS[kind])
                left[row] += members
                right[column] += members
    return used


def _kind(before: int, after: int, *, ordered: bool) -> str:
    if min(before, after) < _N_OUTSIDE:
        return "outside"
    if before == after:
        return "held"
    if not ordered:
        return "moved"
    return "up" if after > before else "down"


def _draw_nodes(canvas: Canvas, side: _Side, *, x: float) -> None:
    for name, size, bottom in zip(side.names, side.sizes.tolist(), side.bottom.tolist(), strict=True):
        if size:
            canvas.plot([x, x], [bottom, bottom + size], color=INK, linewidth=4, solid_capstyle="butt")
            canvas.annotate(
                f"{name} {size:,}", (x, bottom + size / 2), xytext=(-7 if x == 0 else 7, 0),
                textcoords="offset points", ha="right" if x == 0 else "left", va="center", fontsize="small",
            )  # fmt: skip
