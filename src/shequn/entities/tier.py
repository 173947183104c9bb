"""What does one tier take to enter, and to stay in?"""

from __future__ import annotations

import math
import sys

import attrs

from shequn._doors import Doors
from shequn.entities._fields import label
from shequn.errors import InvalidValueError, message
from shequn.stats._checks import whole
from shequn.values import Band

__all__ = ["Tier"]


def _code(code: str | int) -> str | int:
    return label("code", code)


def _rank(rank: int) -> int:
    return whole("rank", rank)


def _threshold(threshold: Band | float) -> Band:
    band = threshold if isinstance(threshold, Band) else Band(threshold)
    # An integer that no float holds is as good as infinite.
    if not abs(band.enter) <= sys.float_info.max:
        raise InvalidValueError(message("threshold", "a finite value to enter", band.enter))
    if band.leave < -sys.float_info.max and band.leave != -math.inf:
        raise InvalidValueError(message("threshold", "a value to leave that a float holds", band.leave))
    return band


@attrs.frozen(kw_only=True)
class Tier(Doors):
    """One step of a ladder of tiers (会员等级).

    Parameters
    ----------
    code : str or int
        Its name in data.
    rank : int
        Its place: a higher tier has a higher rank.
    threshold : Band or number
        What a member must have earned to enter, and at least to stay; a number stands for both.

    Raises
    ------
    InvalidTypeError, InvalidValueError
        A field has a type or value that cannot be used; `enter` is infinite.

    Examples
    --------
    >>> Tier(code="金卡", rank=2, threshold=Band(5_000, 4_500)).threshold.leave
    4500
    >>> Tier(code="普通", rank=0, threshold=0).threshold
    Band(enter=0, leave=0)
    """

    code: str | int = attrs.field(converter=_code)
    rank: int = attrs.field(converter=_rank)
    threshold: Band = attrs.field(converter=_threshold)
