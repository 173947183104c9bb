"""What is posted on which day, at what hour, and when is it quiet?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shequn.content import Schedule
from shequn.entities import ContentKind
from shequn.errors import InvalidValueError, message
from shequn.plot.canvas import axes_of, finish, line_key, name_places, nothing_to_show, patch_key
from shequn.plot.palette import GREY, INK, LINE, lines
from shequn.plot.texts import checked_lang
from shequn.stats._checks import instance
from shequn.values import Calendar, DailyWindow, QuietHours
from shequn.values.instants import from_us

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes

    from shequn.columns.table import Lang
    from shequn.plot.canvas import Canvas

__all__ = ["calendar"]

_WORDS = {
    "en": {
        "title": "{n} posts by day and hour",
        "x": "hour of the day, {tz}",
        "y": "day",
        "quiet": "quiet hours",
        "empty": "no posts",
        "days": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    },
    "zh": {
        "title": "内容排期：{n} 次发布",
        "x": "一天中的时刻（{tz}）",
        "y": "日期",
        "quiet": "免打扰时段",
        "empty": "没有发布",
        "days": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    },
}
_QUIET: dict[str, Any] = {"facecolor": "#ececec", "edgecolor": GREY, "hatch": "////"}
_MOST_DAYS = 400


def calendar(
    result: Schedule,
    /,
    *,
    quiet: QuietHours | DailyWindow | Iterable[DailyWindow] | None = None,
    ax: Axes | None = None,
    lang: Lang = "en",
) -> Axes:
    """Draw a schedule as a calendar: one row a day, hours across, a marker for each kind of content.

    Parameters
    ----------
    result : Schedule
    quiet : QuietHours, DailyWindow, or iterable of DailyWindow, optional
        Hours to shade; a schedule does not keep those it was made for.
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
        An argument can't be used, or the posts span more than 400 days.

    Examples
    --------
    >>> import pendulum
    >>> import shequn as sq
    >>> from shequn.content import schedule
    >>> now = pendulum.datetime(2024, 3, 1, tz="Asia/Shanghai")
    >>> items = [sq.ContentItem(id=name, kind="educational", created=now) for name in ("tea", "skin")]
    >>> plan = schedule(items, window=sq.Window(now, now.add(days=1)), tz="Asia/Shanghai", times=["08:00", "12:30"])
    >>> ax = calendar(plan, quiet=sq.DailyWindow(start="22:00", end="07:00", tz="Asia/Shanghai"))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['2024-03-01 Fri']
    """
    instance("result", result, Schedule, expected="a Schedule")
    words: dict[str, Any] = _WORDS[checked_lang(lang)]
    hours = QuietHours.of(quiet)
    days = Calendar(unit="day", tz=result.tz)
    of_post = days.index(result.at_us).astype(np.int64)
    first, n = (int(of_post[0]), int(of_post[-1] - of_post[0]) + 1) if len(result) else (0, 0)
    _require_few(n)
    canvas = axes_of(ax, size=(7.2, 1.5 + 0.26 * min(max(n, 3), 40)))
    for row in range(n):
        for start, end in _quiet_stretches(hours, days, first + row):
            canvas.barh(row, end - start, 1.0, left=start, linewidth=0, zorder=0, **_QUIET)
    keys = _draw_posts(canvas, result, of_post - first, lang)
    if hours.windows:
        keys.append(patch_key(words["quiet"], **_QUIET))
    if not n:
        nothing_to_show(canvas, lang, words["empty"])
    names = [_day_name(days, first + row, words["days"]) for row in range(n)]
    name_places(canvas, "y", names)
    canvas.set_ylim(max(n, 1) - 0.5, -0.5)
    canvas.set_xlim(0, 24)
    canvas.set_xticks(range(0, 25, 3), [f"{hour:02}:00" for hour in range(0, 25, 3)])
    title, x = words["title"].format(n=f"{len(result):,}"), words["x"].format(tz=result.tz)
    for row in range(1, n):
        canvas.axhline(row - 0.5, color=LINE, linewidth=0.6, zorder=1)
    return finish(canvas, lang=lang, title=title, x=x, y=words["y"], keys=keys, grid="x")


def _require_few(n: int) -> None:
    if n > _MOST_DAYS:
        raise InvalidValueError(message("result", f"posts within {_MOST_DAYS} days", f"{n:,} days"))


def _day_name(days: Calendar, number: int, weekdays: tuple[str, ...]) -> str:
    day: Any = days.label_one(number)
    return f"{day:%Y-%m-%d} {weekdays[day.weekday()]}"


def _hour(us: int, tz: str) -> float:
    at = from_us(us, tz)
    return at.hour + at.minute / 60 + at.second / 3600


def _quiet_stretches(hours: QuietHours, days: Calendar, number: int) -> list[tuple[float, float]]:
    """Return from which hour to which hour of a day it is quiet, as its clock shows them."""
    if not hours.windows:
        return []
    low, high = int(days.start_us(np.array([number]))[0]), int(days.end_us(np.array([number]))[0])
    edges = [low, *hours.turns_us(low, high).tolist(), high]
    is_quiet = hours.mask(np.array(edges[:-1]))
    ends = [*(_hour(us, days.tz) for us in edges[:-1]), 24.0]
    found = [(ends[row], ends[row + 1]) for row in np.flatnonzero(is_quiet).tolist()]
    return [(start, end) for start, end in found if end > start]


def _draw_posts(canvas: Canvas, result: Schedule, rows: Any, lang: Lang) -> list[Any]:  # noqa: ANN401
    """Draw a marker for each post, and return the keys of the kinds that occur."""
    order: list[ContentKind] = list(ContentKind)
    styles = dict(zip(order, lines(len(order), "kinds"), strict=True))
    at = np.array([_hour(us, result.tz) for us in result.at_us.tolist()])
    kinds: list[ContentKind] = [result.kinds[code] for code in result.item_codes.tolist()]
    keys: list[Any] = []
    for kind in order:
        chosen = np.array([found == kind for found in kinds], dtype=np.bool_)
        if chosen.any():
            style: dict[str, Any] = {
                "linestyle": "", "marker": styles[kind].marker, "color": styles[kind].color, "markersize": 8,
                "markeredgecolor": INK, "markeredgewidth": 0.7,
            }  # fmt: skip
            canvas.plot(at[chosen], rows[chosen], zorder=3, **style)
            keys.append(line_key(kind.zh if lang == "zh" else kind.en, **style))
    return keys
