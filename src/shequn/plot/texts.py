"""How are labels, numbers and dates written in a figure, and which font has the characters?"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Final, get_args

import numpy as np

from shequn.columns.table import Lang, width
from shequn.errors import ShequnWarning
from shequn.stats._checks import one_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from shequn.values import Calendar

__all__ = ["MissingFontWarning", "checked_lang", "family_for", "interval", "period_names", "plain", "share"]


class MissingFontWarning(ShequnWarning):
    """A figure holds Chinese characters and no font was found that has them."""


_WIDEST_LABEL = 28
# In the order in which they are preferred. Which of them is installed, matplotlib knows.
_CHINESE_FONTS: Final = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC", "Hiragino Sans GB",
    "Microsoft YaHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Heiti SC", "STHeiti", "SimHei", "LXGW WenKai",
    "Noto Sans CJK TC", "Noto Sans CJK HK", "PingFang TC", "Microsoft JhengHei", "Droid Sans Fallback",
    "Noto Sans CJK JP", "Noto Serif CJK SC", "Noto Serif CJK JP", "Songti SC", "STSong", "SimSun", "Arial Unicode MS",
)  # fmt: skip
_SAMPLE = "留群"  # what one character set has and another has not, is seldom one of these two


def checked_lang(lang: Lang) -> Lang:
    """Return the language, or raise where there is no such one."""
    one_of("lang", lang, get_args(Lang))
    return lang


def plain(label: object) -> str:
    r"""Return a label of the data as text that matplotlib takes as it is: no mathematics, no line breaks, not too long.

    Examples
    --------
    >>> print(plain("a$b$"), plain("_hidden"), plain("two\nlines"))
    a\$b\$ _hidden two lines
    """
    text = " ".join("".join(c if c.isprintable() else " " for c in str(label)).split())
    return _cut(text).replace("$", r"\$")


def _cut(text: str) -> str:
    """Cut a text that is too wide; Chinese characters are twice as wide as others."""
    if width(text) <= _WIDEST_LABEL:
        return text
    ends = (end for end in range(min(len(text), _WIDEST_LABEL), -1, -1) if width(text[:end]) < _WIDEST_LABEL)
    return text[: next(ends)] + "…"


def share(value: float, digits: int = 1) -> str:
    """Return a fraction as a percentage.

    Examples
    --------
    >>> share(0.1234), share(float("nan"))
    ('12.3%', '–')
    """
    return "–" if math.isnan(value) else f"{value:z.{digits}%}".replace("-", "−")


def interval(lower: float, upper: float, lang: Lang, digits: int = 1) -> str:
    """Return the ends of an interval of fractions, in brackets; nothing where they are not known.

    Examples
    --------
    >>> interval(0.1, 0.2, "en"), interval(float("nan"), 1.0, "en")
    (' (10.0% to 20.0%)', '')
    """
    if math.isnan(lower) or math.isnan(upper):
        return ""
    ends = share(lower, digits), share(upper, digits)
    return "（{} 至 {}）".format(*ends) if lang == "zh" else " ({} to {})".format(*ends)


def period_names(periods: NDArray[Any], calendar: Calendar | None) -> list[str]:
    """Return short names of periods: 2024, 2024-03, 2024-Q1, 2024-03-04, or 03-04 08:00.

    Examples
    --------
    >>> from shequn.values import Calendar
    >>> period_names(np.array(["2024-03-01"], dtype="M8[D]"), Calendar(unit="month", tz="Asia/Shanghai"))
    ['2024-03']
    """
    if periods.dtype.kind != "M":
        return [str(period) for period in periods.tolist()]
    unit = "day" if calendar is None or calendar.n != 1 else calendar.unit
    days: list[str] = np.datetime_as_string(periods, unit="m" if unit == "hour" else "D").tolist()
    if unit == "quarter":
        return [f"{day[:4]}-Q{(int(day[5:7]) + 2) // 3}" for day in days]
    cut = {"year": slice(4), "month": slice(7), "hour": slice(5, None)}.get(unit, slice(None))
    return [day[cut].replace("T", " ") for day in days]


# --- fonts ---


def family_for(texts: Iterable[str], lang: Lang) -> Sequence[str] | None:
    """Return the families of fonts to write with; None for those that are set already.

    Warns
    -----
    MissingFontWarning
        There are Chinese characters, or will be, and no font has them.
    """
    if lang == "en" and not any(_is_chinese(text) for text in texts):
        return None
    from matplotlib import rcParams  # noqa: PLC0415

    usual = [str(name) for name in rcParams["font.family"]]
    found = _chinese_font(usual)
    if found is None:
        warnings.warn(
            "no font with Chinese characters was found, so that they show as boxes: install one, such as Noto Sans CJK "
            "SC (Debian: fonts-noto-cjk), or name yours in matplotlib.rcParams['font.family']",
            MissingFontWarning,
            stacklevel=4,
        )
        return None
    return [found, *(name for name in usual if name != found)]


def _is_chinese(text: str) -> bool:
    return any("\u2e80" <= c <= "\u9fff" or "\uf900" <= c <= "\uffef" or c >= "\U00020000" for c in text)


def _chinese_font(usual: Sequence[str]) -> str | None:
    """Find a font: one that the caller has set if it will do, or else one that is known to."""
    from matplotlib import rcParams  # noqa: PLC0415
    from matplotlib.font_manager import fontManager  # noqa: PLC0415

    installed = {font.name for font in fontManager.ttflist}
    settings: Any = rcParams
    generic = [str(name) for family in usual for name in settings.get(f"font.{family}", ())]
    for name in (*usual, *generic, *_CHINESE_FONTS):
        if name in installed and _has_chinese(name):
            return name
    return None


def _has_chinese(name: str) -> bool:
    from matplotlib import font_manager  # noqa: PLC0415

    fonts: Any = font_manager
    try:
        font = fonts.get_font(fonts.findfont(fonts.FontProperties(family=name), fallback_to_default=False))
    except (OSError, RuntimeError, ValueError):  # a file that went away, or that can't be read
        return False
    return all(font.get_char_index(ord(c)) for c in _SAMPLE)
