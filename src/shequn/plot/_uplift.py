"""What did a campaign change, and how sure is that?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from shequn.campaigns import Outcome
from shequn.plot.canvas import axes_of, finish, in_percent, nothing_to_show, points, title_of
from shequn.plot.palette import BLUE, INK, PAPER
from shequn.plot.texts import checked_lang, interval, plain, share
from shequn.stats._checks import instance, one_of
from shequn.values import Money

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from shequn._typing import FloatArray
    from shequn.columns.table import Lang
    from shequn.plot.canvas import Canvas

__all__ = ["Figures", "uplift"]

Figures: TypeAlias = Literal["shares", "money"]

_WORDS = {
    "en": {
        "title": "Outcome of {name}",
        "gap": ": ",
        "holdout": "{ours:,} treated against {theirs:,} held out",
        "pre_post": "{ours:,} treated against themselves before (not causal)",
        "none": "{ours:,} treated, nothing to compare with",
        "young": ", not over yet",
        "shares": "difference in the share of members; whiskers: {level}",
        "money": "difference in revenue a member ({currency}); whiskers: {level}",
        "y": "figure",
        "participated": "participated",
        "converted": "converted",
        "converted_change": "converted, diff-in-diff",
        "revenue_per_member": "revenue",
        "revenue_adjusted": "revenue, adjusted",
        "revenue_change": "revenue, diff-in-diff",
    },
    "zh": {
        "title": "活动效果 {name}",
        "gap": "：",
        "holdout": "触达 {ours:,} 人，对照 {theirs:,} 人",
        "pre_post": "触达 {ours:,} 人与其活动前比较（非因果）",
        "none": "触达 {ours:,} 人，无可比对象",
        "young": "，尚未结束",
        "shares": "成员占比之差；误差线为 {level} 置信区间",
        "money": "人均收入之差（{currency}）；误差线为 {level} 置信区间",
        "y": "指标",
        "participated": "参与",
        "converted": "转化",
        "converted_change": "转化（双重差分）",
        "revenue_per_member": "收入",
        "revenue_adjusted": "收入（CUPED 校正）",
        "revenue_change": "收入（双重差分）",
    },
}
_FIGURES: dict[str, tuple[str, ...]] = {
    "shares": ("participated", "converted", "converted_change"),
    "money": ("revenue_per_member", "revenue_adjusted", "revenue_change"),
}


def uplift(result: Outcome, /, *, figures: Figures = "shares", ax: Axes | None = None, lang: Lang = "en") -> Axes:
    """Draw what a campaign changed: differences with their intervals, against the line of no difference.

    Reach is not among them, as who is held out is not reached by design. Differences of a campaign that is not over are
    hollow. Those that can't be told have no marker.

    Parameters
    ----------
    result : Outcome
    figures : {"shares", "money"}, default "shares"
        Shares of members, or revenue a member.
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
    >>> import shequn as sq
    >>> from shequn.campaigns import Arm, Outcome
    >>> opens = pendulum.datetime(2024, 9, 10, tz="Asia/Shanghai")
    >>> autumn = sq.Campaign(id="mid-autumn", forms={"lottery"}, window=sq.Window(opens, opens.add(days=7)))
    >>> found = Outcome(
    ...     campaign=autumn, treated=Arm(members=70, reached=66, converted=56),
    ...     held_out=Arm(members=80, converted=48), as_of=opens.add(days=7), margin=0.4,
    ... )
    >>> ax = uplift(found)
    >>> ax.get_title(loc="left")
    'Outcome of mid-autumn: 70 treated against 80 held out'
    """
    instance("result", result, Outcome, expected="an Outcome")
    one_of("figures", figures, get_args(Figures))
    words = _WORDS[checked_lang(lang)]
    rows = result.to_columns()
    chosen = [row for row, name in enumerate(rows["metric"].tolist()) if name in _FIGURES[figures]]
    scale = _major(result) if figures == "money" else 1.0
    value, lower, upper = (rows[key][chosen] * scale for key in ("difference", "lower", "upper"))
    canvas = axes_of(ax, size=(7.2, 1.5 + 0.5 * max(len(chosen), 1)))
    known = ~np.isnan(value)
    at = np.arange(len(chosen), dtype=np.float64)
    canvas.axvline(0, color=INK, linewidth=1.0)
    _draw(canvas, at, (value, lower, upper), is_hollow=not result.is_complete)
    for place in np.flatnonzero(known).tolist():
        ends = value[place], lower[place], upper[place]
        told = _money(*ends) if figures == "money" else share(ends[0]) + interval(*ends[1:], lang)
        box = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.5, "alpha": 0.85}
        canvas.annotate(
            told, (value[place], place), xytext=(0, 8), textcoords="offset points", ha="center", fontsize="small",
            bbox=box,
        )  # fmt: skip
    if not known.any():
        nothing_to_show(canvas, lang, words["none"].format(ours=result.treated.members) if chosen else None)
    canvas.set_yticks(at, [words[str(rows["metric"][row])] for row in chosen])
    canvas.set_ylim(len(chosen) - 0.5 if chosen else 0.5, -0.7)
    canvas.margins(x=0.2)
    if figures == "shares":
        in_percent(canvas, "x")
    ours, theirs = result.treated.members, 0 if result.held_out is None else result.held_out.members
    treated = words[result.method].format(ours=ours, theirs=theirs) + words["young"] * (not result.is_complete)
    x = words[figures].format(level=f"{100 * result.level:.4g}%", currency=result.currency or "–")
    title = title_of(canvas, words["title"].format(name=plain(result.campaign.id)), words["gap"], treated)
    return finish(canvas, lang=lang, title=title, x=x, y=words["y"], grid="x")


def _draw(canvas: Canvas, at: FloatArray, found: tuple[Any, Any, Any], *, is_hollow: bool) -> None:
    value, lower, upper = found
    is_sure = ~np.isnan(value) & ~np.isnan(lower) & ~np.isnan(upper)
    errors = np.stack([value - lower, upper - value])[:, is_sure]
    canvas.errorbar(value[is_sure], at[is_sure], xerr=np.abs(errors), fmt="none", ecolor=INK, elinewidth=1.4, capsize=4)
    known = ~np.isnan(value)
    hollow = np.full(int(known.sum()), is_hollow)
    points(canvas, value[known], at[known], hollow=hollow, color=BLUE, marker="o", markersize=7)


def _major(result: Outcome) -> float:
    """Return what a minor unit of the money is, in major ones."""
    return 1.0 if result.currency is None else float(Money(1, result.currency).major)


def _money(value: float, lower: float, upper: float) -> str:
    ends = "" if np.isnan(lower) or np.isnan(upper) else f" ({lower:,.2f} – {upper:,.2f})"
    return f"{value:+,.2f}{ends}".replace("-", "−")
