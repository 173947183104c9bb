"""Which colours, lines, markers and hatches tell things apart, for the colour-blind and without any colour too?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from shequn.errors import InvalidValueError, message

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BLUE",
    "GREY",
    "INK",
    "LINE",
    "ORANGE",
    "PAPER",
    "PURPLE",
    "SHADES",
    "SKY",
    "VERMILION",
    "Line",
    "lines",
    "luminance",
]

# Okabe, M. and Ito, K. (2008). Color universal design. Their light and dark ones alternate where areas meet, so that
# neighbours differ in grey as well.
BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"
INK, GREY, LINE, PAPER = "#222222", "#999999", "#c8c8c8", "#ffffff"
SHADES = ("#d9e6f2", BLUE, "#062a52")  # from little to much, ever darker; the lightest is no paper


class Line(NamedTuple):
    """How one of several lines is drawn; no two have the same dashes, nor the same marker."""

    color: str
    dashes: Any
    marker: str


_LINES: Final = (
    Line(BLUE, "-", "o"),
    Line(VERMILION, "--", "s"),
    Line(GREEN, "-.", "^"),
    Line(PURPLE, ":", "D"),
    Line(ORANGE, (0, (6, 1, 1, 1, 1, 1)), "v"),
    Line(SKY, (0, (8, 3)), "P"),
    Line(INK, (0, (1, 1)), "X"),
)


def lines(n: int, argument: str, /) -> tuple[Line, ...]:
    """Return how each of n lines is drawn.

    Raises
    ------
    InvalidValueError
        They are too many to be told apart.

    Examples
    --------
    >>> [line.marker for line in lines(2, "curves")]
    ['o', 's']
    """
    if n > len(_LINES):
        raise InvalidValueError(message(argument, f"at most {len(_LINES)}, as many as can be told apart", n))
    return _LINES[:n]


def luminance(color: Sequence[float], /) -> float:
    """Return how light a colour of red, green and blue from 0 to 1 is when printed in grey, from 0 to 1.

    References
    ----------
    Recommendation ITU-R BT.601.

    Examples
    --------
    >>> round(luminance((1.0, 1.0, 1.0)), 3), round(luminance((0.0, 0.0, 1.0)), 3)
    (1.0, 0.114)
    """
    red, green, blue = (float(part) for part in color[:3])
    return 0.299 * red + 0.587 * green + 0.114 * blue
